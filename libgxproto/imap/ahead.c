/* SPDX-License-Identifier: Apache-2.0 */
/* Which messages a command looks at next: a store of another process gives them in one answer. */
#include <config.h>
#include "libgxproto/imap/ahead.h"

enum { LARGE = 256 * 1024, MIME_BYTES = 700, INFO_BYTES = 64 };

void gx_imap__ahead_begin(struct imap_ahead *h, unsigned what, size_t room)
{
	h->what = what;
	h->room = room;
	h->n = 0;
}

/* A large original is read in pieces when its turn comes. */
bool gx_imap__ahead_add(struct imap_ahead *h, const struct gx_uid_entry *e)
{
	size_t cost = (h->what & GX_AHEAD_MIME ? MIME_BYTES : 0) + (h->what & GX_AHEAD_INFO ? INFO_BYTES : 0);
	if (h->n == GX_AHEAD_MOST || h->what == 0 || ((h->what & GX_AHEAD_ORIGINAL) && e->size32 > LARGE))
		return false;
	cost += h->what & GX_AHEAD_ORIGINAL ? e->size32 : 0;
	if (cost > h->room)
		return false;
	h->room -= cost;
	h->mids[h->n++] = e->mid;
	return true;
}

void gx_imap__ahead_end(struct imap_ahead *h, struct gx_txn *t)
{
	if (h->n > 1) /* one costs the same when it is asked for */
		gx_msg_ahead(t, h->mids, h->n, h->what);
}
