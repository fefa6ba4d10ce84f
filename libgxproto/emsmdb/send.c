/* SPDX-License-Identifier: Apache-2.0 */
/* A submitted message as internet mail, handed over, and then put away. */
#include <config.h>
#include <gx/delivery.h>
#include <gx/mailconv.h>
#include "libgxproto/emsmdb/outbox.h"
#include "libgxproto/emsmdb/people.h"

bool gx_ems__is_final(gx_ec ec)
{
	return gx_ec_is(ec, ecInvalidRecips) || gx_ec_is(ec, ecNoRecipients) || gx_ec_is(ec, ecInvalidParam) || gx_ec_is(ec, ecNotSupported) ||
	       gx_ec_is(ec, ecTooManyRecips) || gx_ec_is(ec, ecRpcFormat);
}

/* ---- Afterwards ---- */

/* The folder that the client named, in either of two forms. */
static uint64_t named_folder(struct gx_txn *t, const struct gx_proplist *l, struct gx_arena *a)
{
	const struct gx_dctx x = GX_DCTX(a);
	const struct gx_propval *sv = gx_proplist_get(l, PidTagSentMailSvrEID), *eid = gx_proplist_get(l, PidTagSentMailEntryId);
	struct gx_svreid s;
	struct gx_folder_eid f;
	struct gx_pull c;
	if (sv != NULL) {
		gx_pull_init(&c, sv->v.bin.data, sv->v.bin.len);
		gx_svreid_pull(&c, &x, &s);
		if (c.err == 0 && s.ours == 1 && gx_eid_replica(s.folder_id) == 1)
			return gx_eid_counter(s.folder_id);
	}
	if (eid != NULL) {
		gx_pull_init(&c, eid->v.bin.data, eid->v.bin.len);
		gx_folder_eid_pull(&c, &x, &f);
		if (c.err == 0 && gx_guid_cmp(&f.database, gx_store_replica(gx_txn_store(t))) == 0)
			return f.counter;
	}
	return GX_FID_SENT;
}

static gx_ec put_away(struct gx_txn *t, uint64_t mid, uint64_t fid, uint64_t to, struct gx_arena *a)
{
	struct gx_folder_info f;
	struct gx_msg_ids made;
	if (gx_ec_failed(gx_folder_get(t, to, a, &f)) || f.type == GX_FOLDER_SEARCH)
		to = GX_FID_SENT;
	return to == fid ? EMS_OK : gx_msg_copy(t, fid, &mid, 1, to, true, &made);
}

gx_ec gx_ems__finish(struct gx_txn *t, uint64_t mid, struct gx_arena *a)
{
	static const gx_proptag_t tags[] = {PidTagDeleteAfterSubmit, PidTagSentMailSvrEID, PidTagSentMailEntryId};
	struct gx_msg_info i;
	struct gx_proplist l = {0};
	gx_ec ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_props(t, mid, tags, 3, a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_msg_clear_submit(t, mid, false);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_read(t, mid, GX_RF_SUPPRESS_RECEIPT, NULL);
	if (gx_ec_failed(ec))
		return ec;
	const struct gx_propval *gone = gx_proplist_get(&l, PidTagDeleteAfterSubmit);
	if (gone != NULL && gone->v.b)
		return gx_msg_delete(t, i.fid, &mid, 1, true);
	return put_away(t, mid, i.fid, named_folder(t, &l, a), a);
}

/* ---- Handing over ---- */

static gx_ec read_message(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m, bool *ret_resend)
{
	struct gx_msg_info i;
	gx_ec ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec) && !(i.flags & GX_MSGF_SUBMIT))
		ec = GX_EC(ecNotFound);
	*ret_resend = !gx_ec_failed(ec) && (i.flags & GX_MSGF_RESEND);
	return gx_ec_failed(ec) ? ec : gx_msg_read(t, mid, a, ret_m);
}

static int render(struct gx_ems *e, const struct gx_msgobj *m, struct gx_arena *a, struct gx_bin *ret_data)
{
	const struct gx_mailconv_env env = {.clock = e->o.clock};
	struct gx_push p = GX_PUSH_INIT;
	int err = gx_msg_to_mail(&env, m, (struct gx_bin){NULL, 0}, 0, &p);
	if (err == 0)
		err = gx_push_finish(&p, a, ret_data);
	gx_push_release(&p);
	return err;
}

static gx_ec ec_of_submit(int err)
{
	return err == GX_E_NOTFOUND ? GX_EC(ecInvalidRecips) : gx_ec_from_err(err);
}

static gx_ec hand_over(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_msgobj *m, bool resend, struct gx_arena *a)
{
	struct gx_envelope env = {.from = x->from, .client = "mapi", .received_unix = gx_clock_unix(e->o.clock), .id = x->id, .smtputf8 = true};
	struct gx_ems_mail mail = {.envelope = &env};
	gx_ec ec = gx_ems__addressees(e, a, m->rcpts, m->rcpt_count, resend, &env.rcpts, &env.rcpt_count);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(render(e, m, a, &mail.data));
	return gx_ec_failed(ec) ? ec : ec_of_submit(e->o.submit(&mail, e->o.submit_ctx));
}

static gx_ec send_from(struct gx_ems *e, struct gx_store *s, const struct gx_ems_entry *x, struct gx_arena *a)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_msgobj *m;
	struct gx_txn *t;
	bool resend;
	int err = gx_txn_begin(s, &sys, GX_TXN_READ, EMS_TXN_MS, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = read_message(t, x->mid, a, &m, &resend);
	gx_txn_abort(t);
	if (!gx_ec_failed(ec))
		ec = hand_over(e, x, m, resend, a);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_txn_begin(s, &sys, GX_TXN_WRITE, EMS_TXN_MS, &t));
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_ems__finish(t, x->mid, a);
	if (!gx_ec_failed(ec))
		return gx_ec_from_err(gx_txn_commit(t, GX_SYNC_NOW));
	gx_txn_abort(t);
	return ec;
}

gx_ec gx_ems__send(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_arena *a)
{
	struct gx_store *s;
	int err = e->o.submit == NULL ? GX_E_UNSUP : gx_store_pool_get(e->o.pool, x->maildir, &s, a, NULL);
	if (err != 0)
		return err == GX_E_NOTFOUND ? GX_EC(ecNotFound) : gx_ec_from_err(err);
	gx_ec ec = gx_guid_cmp(gx_store_mailbox_guid(s), &x->mailbox) == 0 ? send_from(e, s, x, a) : GX_EC(ecNotFound);
	gx_store_pool_put(e->o.pool, s);
	return ec;
}
