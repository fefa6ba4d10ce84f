/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 3501] 6.3.3 */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *name;
};

bool gx_imap__create_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	if (a == NULL || !gx_imap__sp(c) || !gx_imap__mailbox(c, false, &a->name))
		return false;
	size_t n = strlen(a->name);
	if (n > 1 && a->name[n - 1] == '/') /* the client says that children will follow */
		a->name = gx_arena_strndup(s->arena, a->name, n - 1);
	return a->name != NULL;
}

enum imap_result gx_imap__create_run(struct imap_session *s)
{
	const struct args *a = s->args;
	uint64_t parent, fid;
	const char *leaf;
	if (gx_imap__is_inbox(a->name))
		return gx_imap__no(s, "[ALREADYEXISTS] INBOX is always there");
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = gx_imap__mailbox_parent(t, s->arena, a->name, true, &parent, &leaf);
	if (!gx_ec_failed(ec))
		ec = gx_folder_create(t, parent, leaf, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid);
	if (gx_ec_is(ec, ecDuplicateName)) {
		gx_txn_abort(t);
		return gx_imap__no(s, "[ALREADYEXISTS] There is a mailbox or folder of this name");
	}
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "Mailbox cannot be created", t);
	if (!gx_imap__commit(s, t, GX_SYNC_NOW))
		return IMAP_DONE;
	return gx_imap__ok(s, "Mailbox created");
}
