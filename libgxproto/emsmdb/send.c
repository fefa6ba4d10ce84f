/* SPDX-License-Identifier: Apache-2.0 */
/* A submitted message as internet mail, handed over, and then put away. */
#include <config.h>
#include <gx/delivery.h>
#include <gx/mailconv.h>
#include "libgxproto/emsmdb/bounce.h"

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

enum { WARN_AFTER = 4 * 3600 };

/* A mail and those who do not have it yet. */
struct handing {
	struct gx_ems *e;
	struct gx_ems_entry *x;
	const struct gx_msgobj *m;
	struct gx_arena *a;
	const char **rcpts;
	size_t n;
	struct gx_fate *fates;
	struct gx_bin data;
	int64_t waited;
};

static bool is_refused(const struct gx_fate *f)
{
	return f->err == GX_E_NOTFOUND || f->err == GX_E_INVAL || f->err == GX_E_LIMIT;
}

static int submit(struct handing *h)
{
	const struct gx_envelope env = {.from = h->x->from, .rcpts = h->rcpts, .rcpt_count = h->n, .client = "mapi",
		.received_unix = gx_clock_unix(h->e->o.clock), .id = h->x->id, .smtputf8 = true};
	h->fates = gx_arena_new_array(h->a, struct gx_fate, h->n);
	if (h->fates == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < h->n; ++i)
		h->fates[i].err = GX_FATE_UNKNOWN;
	int err = h->e->o.submit(&(struct gx_ems_mail){&env, h->data, h->fates}, h->e->o.submit_ctx);
	for (size_t i = 0; i < h->n; ++i) {
		struct gx_fate *f = &h->fates[i];
		if (f->err == GX_FATE_UNKNOWN)
			f->err = err;
		if (f->err != 0 && f->says[0] == '\0')
			snprintf(f->says, sizeof(f->says), "%s", is_refused(f) ? "550 5.0.0 refused" : gx_strerror(f->err));
	}
	return 0;
}

enum { TAKEN, REFUSED, PENDING };

static int fate_of(const struct handing *h, const struct gx_fate *f)
{
	return f->err == 0 ? TAKEN : is_refused(f) || h->waited > GX_OUTBOX_DAYS * INT64_C(86400) ? REFUSED : PENDING;
}

/* Those of a fate. */
static size_t pick(struct handing *h, int which, const char ***ret_rcpts, struct gx_ems_refused **ret_v)
{
	size_t k = 0;
	*ret_rcpts = gx_arena_new_array(h->a, const char *, h->n);
	*ret_v = gx_arena_new_array(h->a, struct gx_ems_refused, h->n);
	for (size_t i = 0; *ret_rcpts != NULL && *ret_v != NULL && i < h->n; ++i) {
		if (fate_of(h, &h->fates[i]) != which)
			continue;
		(*ret_rcpts)[k] = h->rcpts[i];
		(*ret_v)[k++] = (struct gx_ems_refused){h->rcpts[i], &h->fates[i]};
	}
	return k;
}

/* What is settled is noted at once: whatever else fails, nobody is told of it or gets it again. */
static int settle(struct handing *h, int which, bool tell, bool delayed)
{
	const char **rcpts;
	struct gx_ems_refused *v;
	size_t k = pick(h, which, &rcpts, &v);
	int err = rcpts == NULL || v == NULL ? GX_E_NOMEM : 0;
	if (err != 0 || k == 0)
		return err;
	if (tell)
		err = gx_ems__bounce(h->e, h->x, h->m, h->data, delayed, v, k, h->a);
	if (err != 0)
		return err;
	return gx_outbox__note(h->e, h->x, rcpts, delayed ? 0 : k, delayed);
}

static gx_ec deal_with(struct handing *h)
{
	bool pending = false, refused = false;
	for (size_t i = 0; i < h->n; ++i) {
		int fate = fate_of(h, &h->fates[i]);
		pending = pending || fate == PENDING;
		refused = refused || fate == REFUSED;
		if (fate == REFUSED)
			gx_log(h->e->o.log, GX_LOG_WARN, "emsmdb: %s: message %llx of <%s> does not reach <%s>: %s", h->x->maildir,
				(unsigned long long)h->x->mid, h->x->from, h->rcpts[i], h->fates[i].says);
	}
	if (!pending && !refused)
		return EMS_OK;
	int err = settle(h, TAKEN, false, false);
	err = err != 0 ? err : settle(h, REFUSED, true, false);
	if (err == 0 && pending && !h->x->warned && h->waited > WARN_AFTER)
		err = settle(h, PENDING, true, true);
	return err == 0 && !pending ? EMS_OK : gx_ec_from_err(GX_E_BUSY);
}

static gx_ec hand_over(struct gx_ems *e, struct gx_ems_entry *x, struct gx_msgobj *m, bool resend, struct gx_arena *a)
{
	struct handing h = {.e = e, .x = x, .m = m, .a = a, .waited = gx_clock_unix(e->o.clock) - x->due};
	const char *const *all;
	size_t n;
	gx_ec ec = gx_ems__addressees(e, a, m->rcpts, m->rcpt_count, resend, &all, &n);
	if (gx_ec_failed(ec))
		return ec;
	h.rcpts = gx_arena_new_array(a, const char *, n);
	if (h.rcpts == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		if (!gx_outbox__is_done(x, all[i]))
			h.rcpts[h.n++] = all[i];
	if (h.n == 0)
		return EMS_OK;
	int err = render(e, m, a, &h.data);
	err = err != 0 ? err : submit(&h);
	return err != 0 ? gx_ec_from_err(err) : deal_with(&h);
}

static gx_ec send_from(struct gx_ems *e, struct gx_store *s, struct gx_ems_entry *x, struct gx_arena *a)
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

gx_ec gx_ems__send(struct gx_ems *e, struct gx_ems_entry *x, struct gx_arena *a)
{
	struct gx_store *s;
	int err = e->o.submit == NULL ? GX_E_UNSUP : gx_store_pool_get(e->o.pool, x->maildir, &s, a, NULL);
	if (err != 0)
		return err == GX_E_NOTFOUND ? GX_EC(ecNotFound) : gx_ec_from_err(err);
	gx_ec ec = gx_guid_cmp(gx_store_mailbox_guid(s), &x->mailbox) == 0 ? send_from(e, s, x, a) : GX_EC(ecNotFound);
	gx_store_pool_put(e->o.pool, s);
	return ec;
}
