/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_AHEAD_H
#define GX_IMAP_AHEAD_H
#include <gx/store.h>

struct imap_ahead {
	unsigned what;                  /* GX_AHEAD_* */
	size_t room;                    /* bytes that may still come */
	size_t n;
	uint64_t mids[GX_AHEAD_MOST];
};
void gx_imap__ahead_begin(struct imap_ahead *h, unsigned what, size_t room);
/* @return false: no more, and this one is not among them. */
bool gx_imap__ahead_add(struct imap_ahead *h, const struct gx_uid_entry *e);
void gx_imap__ahead_end(struct imap_ahead *h, struct gx_txn *t);

#endif
