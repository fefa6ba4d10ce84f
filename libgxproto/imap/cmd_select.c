/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT and EXAMINE, [RFC 3501] 6.3.1; CONDSTORE parameter, [RFC 7162] 3.1.8. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *name;
	bool condstore;
};

bool gx_imap__select_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	if (a == NULL || !gx_imap__sp(c) || !gx_imap__mailbox(c, false, &a->name))
		return false;
	if (!gx_imap__accept_sp(c))
		return true;
	if (!gx_imap__expect(c, '('))
		return false;
	if (!gx_imap__accept_word(c, "CONDSTORE"))
		return gx_imap__fail(c, "Unknown SELECT parameter");
	a->condstore = true;
	return gx_imap__expect(c, ')');
}

/* On the committing thread: only the idler is woken, others ask when their next command comes. */
static void on_event(const struct gx_event *ev, void *ctx)
{
	struct imap_session *s = ctx;
	if (atomic_load(&s->idling))
		gx_io_wake(s->wake_io);
}

static void put_state(struct imap_session *s)
{
	const struct gx_imapview *v = s->sel->view;
	uint32_t unseen, first;
	gx_imapview_unseen(v, &unseen, &first);
	imap_puts(s->out, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n");
	if (s->sel->read_only)
		imap_puts(s->out, "* OK [PERMANENTFLAGS ()] Read-only\r\n");
	else
		imap_puts(s->out, "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded \\*)] Kept\r\n");
	imap_puts(s->out, "* ");
	gx_imap__put_u64(s->out, gx_imapview_count(v));
	gx_push_str(s->out, s->rev2 ? " EXISTS\r\n" : " EXISTS\r\n* 0 RECENT\r\n");
	if (first != 0 && !s->rev2) {
		imap_puts(s->out, "* OK [UNSEEN ");
		gx_imap__put_u64(s->out, first);
		imap_puts(s->out, "] First unseen\r\n");
	}
	imap_puts(s->out, "* OK [UIDVALIDITY ");
	gx_imap__put_u64(s->out, gx_imapview_uidvalidity(v));
	imap_puts(s->out, "] UIDs valid\r\n* OK [UIDNEXT ");
	gx_imap__put_u64(s->out, gx_imapview_uidnext(v));
	imap_puts(s->out, "] Next UID\r\n* OK [HIGHESTMODSEQ ");
	gx_imap__put_u64(s->out, gx_imap__modseq(s));
	imap_puts(s->out, "] Highest\r\n");
}

static gx_ec find(struct imap_session *s, const char *name, uint64_t *ret_fid)
{
	struct gx_txn *t;
	if (gx_imap__is_inbox(name)) {
		*ret_fid = GX_FID_INBOX;
		return GX_EC(ecSuccess);
	}
	int err = gx_txn_begin(s->user->store, &s->user->actor, GX_TXN_READ, IMAP_TXN_MS, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, name, ret_fid);
	gx_txn_abort(t);
	return ec;
}

static gx_ec open_view(struct imap_session *s, uint64_t fid, bool read_only)
{
	struct imap_selected *sel = calloc(1, sizeof(*sel));
	if (sel == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	sel->fid = fid;
	sel->read_only = read_only;
	gx_ec ec = gx_imapview_open(s->user->store, &s->user->actor, fid, &sel->view);
	if (gx_ec_failed(ec)) {
		free(sel);
		return ec;
	}
	s->sel = sel;
	s->state = IMAP_SELECTED;
	int err = gx_store_subscribe(s->user->store, fid, GX_EV_NEW_MAIL | GX_EV_MSG_CREATED | GX_EV_MSG_CHANGED |
		GX_EV_MSG_DELETED | GX_EV_MSG_MOVED | GX_EV_MSG_COPIED | GX_EV_FOLDER_DELETED, on_event, s, &sel->sub);
	sel->subscribed = err == 0;
	return gx_ec_from_err(err);
}

static enum imap_result select_mailbox(struct imap_session *s, bool read_only)
{
	const struct args *a = s->args;
	uint64_t fid;
	if (s->sel != NULL) {
		gx_imap__unselect(s);
		imap_puts(s->out, "* OK [CLOSED] Previous mailbox closed\r\n");
	}
	gx_ec ec = find(s, a->name, &fid);
	if (!gx_ec_failed(ec))
		ec = open_view(s, fid, read_only);
	if (gx_ec_failed(ec)) {
		gx_imap__unselect(s);
		return gx_imap__no_ec(s, ec, "Mailbox cannot be opened", NULL);
	}
	s->condstore = s->condstore || a->condstore;
	put_state(s);
	if (s->rev2) { /* [RFC 9051] 6.3.2 */
		imap_puts(s->out, "* LIST () \"/\" ");
		gx_imap__put_mailbox(s, gx_imap__is_inbox(a->name) ? "INBOX" : a->name);
		imap_puts(s->out, "\r\n");
	}
	return gx_imap__ok(s, read_only ? "[READ-ONLY] Mailbox opened" : "[READ-WRITE] Mailbox opened");
}

enum imap_result gx_imap__select_run(struct imap_session *s)
{
	return select_mailbox(s, false);
}

enum imap_result gx_imap__examine_run(struct imap_session *s)
{
	return select_mailbox(s, true);
}
