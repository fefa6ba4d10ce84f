/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_BOUNCE_H
#define GX_EMSMDB_BOUNCE_H
#include "libgxproto/emsmdb/outbox.h"
#include "libgxproto/emsmdb/people.h"

struct gx_ems_refused {
	const char *rcpt;
	const struct gx_fate *fate;
};
/* Tells the sender that these do not get @mail, or not yet; safe when it returns 0. What cannot be told for good is in the log. */
int gx_ems__bounce(struct gx_ems *e, const struct gx_ems_entry *x, const struct gx_msgobj *about, struct gx_bin mail, bool delayed,
	const struct gx_ems_refused *v, size_t n, struct gx_arena *a) GX_MUST_CHECK;

#endif
