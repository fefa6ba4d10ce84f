/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE, SUBSCRIBE and UNSUBSCRIBE: [RFC 3501] 6.3.4, 6.3.6, 6.3.7. */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *name;
};

bool gx_imap__one_mailbox_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__mailbox(c, false, &a->name);
}

bool gx_imap__delete_parse(struct imap_session *s, struct imap_parse *c)
{
	return gx_imap__one_mailbox_parse(s, c);
}

enum { PORTION = 1024 };

/* Of a mailbox that goes for good, so many messages at once: others get their turn in between. */
static gx_ec delete_some(struct imap_session *s, struct gx_txn *t, const char *name, uint64_t *ret_fid, bool *ret_parent, bool *ret_more)
{
	struct gx_folder_info f;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, name, ret_fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, *ret_fid, s->arena, &f);
	*ret_parent = !gx_ec_failed(ec) && f.subfolders > 0;
	return gx_ec_failed(ec) || *ret_parent ? ec : gx_folder_delete_some(t, *ret_fid, false, PORTION, NULL, ret_more);
}

enum imap_result gx_imap__delete_run(struct imap_session *s)
{
	const struct args *a = s->args;
	uint64_t fid = 0;
	bool more = true, parent = false;
	if (gx_imap__is_inbox(a->name))
		return gx_imap__no(s, "[CANNOT] INBOX stays");
	while (more) {
		struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
		if (t == NULL)
			return IMAP_DONE;
		gx_ec ec = delete_some(s, t, a->name, &fid, &parent, &more);
		if (parent) {
			gx_txn_abort(t);
			return gx_imap__no(s, "[HASCHILDREN] Delete the mailboxes inside first"); /* [RFC 9051] 6.3.5 */
		}
		if (gx_ec_failed(ec))
			return gx_imap__no_ec(s, ec, "Mailbox cannot be deleted", t);
		if (!gx_imap__commit(s, t, more ? GX_SYNC_LATER : GX_SYNC_NOW))
			return IMAP_DONE;
	}
	if (s->sel != NULL && s->sel->fid == fid) {
		gx_imap__unselect(s);
		imap_puts(s->out, "* OK [CLOSED] The deleted mailbox was open\r\n");
	}
	return gx_imap__ok(s, "Mailbox deleted");
}

static enum imap_result subscribe(struct imap_session *s, bool on)
{
	const struct args *a = s->args;
	uint64_t fid;
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, a->name, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder_set_subscribed(t, fid, on);
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "Subscription not changed", t);
	if (!gx_imap__commit(s, t, GX_SYNC_LATER))
		return IMAP_DONE;
	return gx_imap__ok(s, on ? "Subscribed" : "Unsubscribed");
}

enum imap_result gx_imap__subscribe_run(struct imap_session *s)
{
	return subscribe(s, true);
}

enum imap_result gx_imap__unsubscribe_run(struct imap_session *s)
{
	return subscribe(s, false);
}
