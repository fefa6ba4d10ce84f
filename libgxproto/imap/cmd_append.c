/* SPDX-License-Identifier: Apache-2.0 */
/* APPEND: [RFC 3501] 6.3.11, APPENDUID: [RFC 4315]. */
#include <config.h>
#include <gx/delivery.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	const char *name;
	struct imap_flags flags;
	bool dated;
	int64_t date;
};

bool gx_imap__append_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	uint64_t n;
	if (a == NULL || !gx_imap__sp(c) || !gx_imap__mailbox(c, false, &a->name) || !gx_imap__sp(c))
		return false;
	if (gx_imap__peek(c) == '(' && (!gx_imap__flags(c, false, &a->flags) || !gx_imap__sp(c)))
		return false;
	if (gx_imap__peek(c) == '"') {
		a->dated = true;
		if (!gx_imap__date_time(c, &a->date) || !gx_imap__sp(c))
			return false;
	}
	/* the bytes themselves were kept apart while the command was collected */
	gx_imap__accept(c, '~'); /* literal8, [RFC 9051] 9 */
	if (!s->in.have_message || !gx_imap__accept(c, '{') || !gx_imap__number(c, UINT64_MAX, &n))
		return gx_imap__fail(c, "Message literal expected");
	gx_imap__accept(c, '+');
	return gx_imap__expect(c, '}') && gx_imap__expect(c, '\r') && gx_imap__expect(c, '\n');
}

struct done {
	uint32_t uidvalidity, uid;
};

static gx_ec insert(struct imap_session *s, struct gx_txn *t, const struct gx_mail_prepared *p, struct done *ret)
{
	const struct args *a = s->args;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_folder_info f;
	struct gx_msg_ids ids;
	uint64_t fid;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, a->name, &fid);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, fid, s->arena, &f);
	if (gx_ec_failed(ec))
		return ec;
	o.flags = a->flags.flags;
	o.keywords = a->flags.keywords;
	if (a->dated)
		o.received = gx_nttime_from_unix(a->date, 0);
	ec = gx_msg_insert(t, fid, p->msg, &o, &ids);
	*ret = (struct done){f.uidvalidity, ids.uid};
	return ec;
}

static enum imap_result append(struct imap_session *s, const struct gx_mail_prepared *p)
{
	struct done d = {0};
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = insert(s, t, p, &d);
	if (gx_ec_is(ec, ecNotFound)) {
		gx_txn_abort(t);
		return gx_imap__no(s, "[TRYCREATE] No such mailbox");
	}
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "Message not stored", t);
	if (!gx_imap__commit(s, t, GX_SYNC_NOW))
		return IMAP_DONE;
	return gx_imap__ok(s, "[APPENDUID %lu %lu] Stored", (unsigned long)d.uidvalidity, (unsigned long)d.uid);
}

enum imap_result gx_imap__append_run(struct imap_session *s)
{
	const struct imap_spool *m = &s->in.message;
	struct gx_mail_prepared p = {0};
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM :
	          gx_mail_prepare(a, s->srv->dir, s->io->clock, (struct gx_bin){m->data, m->len}, &p);
	enum imap_result r = err == 0 ? append(s, &p) : gx_imap__no_err(s, err, "Message not stored");
	gx_msg_prepared_release(p.msg);
	gx_arena_free(a);
	return r;
}
