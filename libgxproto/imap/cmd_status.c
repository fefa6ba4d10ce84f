/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 3501] 6.3.10; SIZE is [RFC 8438], DELETED [RFC 9051] 6.3.11. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *name;
	unsigned items;
};

static const struct {
	const char *name;
	unsigned item;
} items[] = {
	{"MESSAGES", IMAP_ST_MESSAGES}, {"RECENT", IMAP_ST_RECENT}, {"UIDNEXT", IMAP_ST_UIDNEXT},
	{"UIDVALIDITY", IMAP_ST_UIDVALIDITY}, {"UNSEEN", IMAP_ST_UNSEEN}, {"HIGHESTMODSEQ", IMAP_ST_HIGHESTMODSEQ},
	{"SIZE", IMAP_ST_SIZE}, {"DELETED", IMAP_ST_DELETED},
};
enum { ITEMS = sizeof(items) / sizeof(*items) };

bool gx_imap__status_items(struct imap_parse *c, unsigned *ret_items)
{
	*ret_items = 0;
	if (!gx_imap__expect(c, '('))
		return false;
	do {
		size_t i = 0;
		while (i < ITEMS && !gx_imap__accept_word(c, items[i].name))
			++i;
		if (i == ITEMS)
			return gx_imap__fail(c, "Unknown STATUS item");
		*ret_items |= items[i].item;
	} while (gx_imap__accept_sp(c));
	return gx_imap__expect(c, ')');
}

static uint64_t count_deleted(struct imap_session *s, uint64_t fid)
{
	struct gx_imapview *v;
	uint64_t n = 0;
	if (gx_ec_failed(gx_imapview_open(s->user->store, &s->user->actor, fid, &v)))
		return 0;
	for (uint32_t i = gx_imapview_count(v); i > 0; --i)
		n += (gx_imapview_at(v, i).flags & GX_MSGF_DELETED) != 0;
	gx_imapview_close(v);
	return n;
}

static uint64_t value_of(struct imap_session *s, const struct gx_folder_info *f, unsigned item)
{
	switch (item) {
	case IMAP_ST_DELETED: return count_deleted(s, f->fid);
	case IMAP_ST_MESSAGES: return f->total;
	case IMAP_ST_UIDNEXT: return f->uidnext;
	case IMAP_ST_UIDVALIDITY: return f->uidvalidity;
	case IMAP_ST_UNSEEN: return f->unread;
	case IMAP_ST_HIGHESTMODSEQ: return f->highest_modseq == 0 ? 1 : f->highest_modseq;
	case IMAP_ST_SIZE: return f->size;
	default: return 0; /* RECENT: no message is, see the FLAGS answer of SELECT */
	}
}

void gx_imap__put_status(struct imap_session *s, const char *name, const struct gx_folder_info *f, unsigned want)
{
	bool first = true;
	imap_puts(s->out, "* STATUS ");
	gx_imap__put_mailbox(s, name);
	imap_puts(s->out, " (");
	for (size_t i = 0; i < ITEMS; ++i) {
		if (!(want & items[i].item))
			continue;
		if (!first)
			imap_puts(s->out, " ");
		first = false;
		gx_push_str(s->out, items[i].name);
		imap_puts(s->out, " ");
		gx_imap__put_u64(s->out, value_of(s, f, items[i].item));
	}
	imap_puts(s->out, ")\r\n");
}

bool gx_imap__status_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__mailbox(c, false, &a->name) && gx_imap__sp(c) &&
	       gx_imap__status_items(c, &a->items);
}

enum imap_result gx_imap__status_run(struct imap_session *s)
{
	const struct args *a = s->args;
	struct gx_folder_info f;
	uint64_t fid;
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_READ);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, a->name, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, fid, s->arena, &f);
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "No status", t);
	gx_txn_abort(t);
	if (a->items & IMAP_ST_HIGHESTMODSEQ)
		gx_imap__enable_condstore(s);
	gx_imap__put_status(s, gx_imap__is_inbox(a->name) ? "INBOX" : a->name, &f, a->items);
	return gx_imap__ok(s, "Status done");
}
