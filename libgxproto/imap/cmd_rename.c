/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 3501] 6.3.5 */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *from, *to;
};

bool gx_imap__rename_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__mailbox(c, false, &a->from) && gx_imap__sp(c) &&
	       gx_imap__mailbox(c, false, &a->to);
}

/* INBOX keeps its place: its messages move, what lies below it does not. */
static gx_ec empty_inbox(struct imap_session *s, struct gx_txn *t, uint64_t parent, const char *leaf)
{
	struct gx_imapview *v;
	uint64_t fid;
	gx_ec ec = gx_folder_create(t, parent, leaf, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_imapview_open(s->user->store, &s->user->actor, GX_FID_INBOX, &v);
	if (gx_ec_failed(ec))
		return ec;
	uint32_t n = gx_imapview_count(v);
	uint64_t *mids = gx_arena_new_array(s->arena, uint64_t, (size_t)n + 1);
	for (uint32_t i = 0; mids != NULL && i < n; ++i)
		mids[i] = gx_imapview_at(v, i + 1).mid;
	gx_imapview_close(v);
	return mids == NULL ? gx_ec_from_err(GX_E_NOMEM) : gx_msg_copy(t, GX_FID_INBOX, mids, n, fid, true, NULL);
}

static gx_ec rename_folder(struct imap_session *s, struct gx_txn *t)
{
	const struct args *a = s->args;
	uint64_t fid, parent, other;
	const char *leaf;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, a->from, &fid);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_imap__mailbox_parent(t, s->arena, a->to, true, &parent, &leaf);
	if (gx_ec_failed(ec))
		return ec;
	if (fid == GX_FID_INBOX)
		return empty_inbox(s, t, parent, leaf);
	ec = gx_folder_by_name(t, parent, leaf, &other);
	if (!gx_ec_failed(ec) && other != fid)
		return GX_EC(ecDuplicateName);
	return gx_folder_move(t, fid, parent, leaf);
}

enum imap_result gx_imap__rename_run(struct imap_session *s)
{
	const struct args *a = s->args;
	if (gx_imap__is_inbox(a->to))
		return gx_imap__no(s, "[ALREADYEXISTS] INBOX is always there");
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = rename_folder(s, t);
	if (gx_ec_is(ec, ecDuplicateName)) {
		gx_txn_abort(t);
		return gx_imap__no(s, "[ALREADYEXISTS] There is a mailbox or folder of this name");
	}
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "Mailbox cannot be renamed", t);
	if (!gx_imap__commit(s, t, GX_SYNC_NOW))
		return IMAP_DONE;
	return gx_imap__ok(s, "Mailbox renamed");
}
