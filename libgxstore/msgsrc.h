/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_MSGSRC_H
#define GXSTORE_MSGSRC_H
/*
 * A stored message as a source of properties, computed and stored ones: sort keys, restrictions and
 * table columns ask it. The row is read when the first property is asked for, values held elsewhere
 * when they are.
 *
 * One source serves many messages, one after the other. What it gives is borrowed until another message is
 * set or the arena is reset.
 */
#include <gx/restr.h>
#include "libgxstore/msg-int.h"

struct gx_msgsrc {
	struct gx_propsrc src;      /* its ctx is this */
	struct gx_txn *t;
	struct gx_arena *a;         /* for all that is made of a message */
	struct gx_msg_row row;
	struct gx_stmt *st;         /* holds the body's row */
	struct gx_msg_view view;
	struct gx_proplist stored;
	struct gx_bin rcpts, skel;
	bool loaded, have_skel;
};

void gx_msgsrc__init(struct gx_msgsrc *x, struct gx_txn *t, struct gx_arena *a);
void gx_msgsrc__release(struct gx_msgsrc *x);
/* Goes on with another message. */
void gx_msgsrc__set(struct gx_msgsrc *x, const struct gx_msg_row *r);
/* The same by its id. GX_E_NOTFOUND. */
int gx_msgsrc__set_mid(struct gx_msgsrc *x, uint64_t mid) GX_MUST_CHECK;
/* 1 present, 0 absent, or GX_E_*; by the rules of gx_proplist_get(). */
int gx_msgsrc__get(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* The same with body formats made of others: for columns and restrictions, not for keys that are kept. */
int gx_msgsrc__shown(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* All stored properties; large ones with GX_PROW_EXTERN in their tag. */
int gx_msgsrc__stored(struct gx_msgsrc *x, const struct gx_proplist **ret_l) GX_MUST_CHECK;

#endif
