/* SPDX-License-Identifier: Apache-2.0 */
/* EXPUNGE, UID EXPUNGE [RFC 4315], CLOSE. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

enum { PORTION = 4096 }; /* messages that are removed at a time */

struct args {
	struct imap_set set;
};

/* The next message ids with \Deleted, of those from *io_i and *io_seq on; at most PORTION. */
static size_t deleted_mids(const struct gx_imapview *view, const struct imap_range *v, size_t n, size_t *io_i,
	uint32_t *io_seq, uint64_t *mids)
{
	size_t k = 0;
	for (; *io_i < n; ++*io_i, *io_seq = 0) {
		if (*io_seq < v[*io_i].lo)
			*io_seq = v[*io_i].lo;
		for (; *io_seq <= v[*io_i].hi; ++*io_seq) {
			const struct gx_uid_entry e = gx_imapview_at(view, *io_seq);
			if (!(e.flags & GX_MSGF_DELETED))
				continue;
			if (k == PORTION)
				return k;
			mids[k++] = e.mid;
		}
	}
	return k;
}

/* Removes what is marked, all in one transaction; on failure the NO is written. */
static bool expunge(struct imap_session *s, const struct imap_range *v, size_t n)
{
	uint64_t mids[PORTION];
	size_t i = 0, k;
	uint32_t seq = 0;
	struct gx_txn *t = NULL;
	while ((k = deleted_mids(s->sel->view, v, n, &i, &seq, mids)) > 0) {
		if (t == NULL && (t = gx_imap__begin(s, GX_TXN_WRITE)) == NULL)
			return false;
		gx_ec ec = gx_msg_delete(t, s->sel->fid, mids, k, false);
		if (gx_ec_failed(ec)) {
			gx_imap__no_ec(s, ec, "Nothing removed", t);
			return false;
		}
	}
	return t == NULL || gx_imap__commit(s, t, GX_SYNC_NOW);
}

static struct imap_range whole(const struct imap_session *s)
{
	return (struct imap_range){1, gx_imapview_count(s->sel->view)};
}

static enum imap_result finish(struct imap_session *s)
{
	if (!s->condstore)
		return gx_imap__ok(s, "Expunged");
	gx_imap__view_refresh(s, true);
	return gx_imap__ok(s, "[HIGHESTMODSEQ %llu] Expunged", (unsigned long long)gx_imap__modseq(s));
}

enum imap_result gx_imap__expunge_run(struct imap_session *s)
{
	if (s->sel->read_only)
		return gx_imap__no(s, "[READ-ONLY] Mailbox was opened by EXAMINE");
	gx_imap__view_refresh(s, true);
	struct imap_range all = whole(s);
	if (!expunge(s, &all, all.hi == 0 ? 0 : 1))
		return IMAP_DONE;
	return finish(s);
}

bool gx_imap__uid_expunge_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__set(c, &a->set);
}

enum imap_result gx_imap__uid_expunge_run(struct imap_session *s)
{
	const struct args *a = s->args;
	struct imap_range *v;
	size_t n;
	if (s->sel->read_only)
		return gx_imap__no(s, "[READ-ONLY] Mailbox was opened by EXAMINE");
	gx_imap__view_refresh(s, true);
	if (!gx_imap__resolve(s, &a->set, true, &v, &n) || !expunge(s, v, n))
		return IMAP_DONE;
	return finish(s);
}

/* [RFC 3501] 6.4.2: removes silently */
enum imap_result gx_imap__close_run(struct imap_session *s)
{
	struct imap_range all = whole(s);
	if (!s->sel->read_only && all.hi > 0 && !expunge(s, &all, 1))
		return IMAP_DONE;
	gx_imap__unselect(s);
	return gx_imap__ok(s, "Mailbox closed");
}
