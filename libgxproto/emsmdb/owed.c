/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/delivery.h>
#include <gx/owed.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/owed.h"

enum { MAIL = 1, CONFLICT = 2, AT_ONCE = 32 };
#define OWED_BIT (UINT64_C(1) << 63) /* no message has such an id */

bool gx_ems__is_owed(const struct gx_ems_entry *x)
{
	return (x->mid & OWED_BIT) != 0;
}

/* ---- Noting ---- */

static gx_ec begin(struct gx_rop_call *c, struct gx_ems_owing *o)
{
	struct gx_guid id;
	struct gx_ems *e = c->s->e;
	int64_t now = gx_clock_unix(e->o.clock);
	struct gx_ems_entry in = {.mailbox = *gx_store_mailbox_guid(c->logon->store), .due = now, .submitted = now, .again = now,
		.maildir = (char *)(uintptr_t)c->logon->maildir, .from = (char *)(uintptr_t)""};
	int err = gx_guid_random(&id);
	if (err == 0) {
		gx_guid_put(&id, in.id);
		memcpy(&in.mid, in.id, sizeof(in.mid));
		in.mid |= OWED_BIT;
		err = gx_outbox__put(e, &in, &o->entry);
	}
	return err == 0 ? EMS_OK : gx_rop__fail(c, gx_ec_from_err(err).v, "%s: %s", e->outbox.dir == NULL ? "outbox" : e->outbox.dir, gx_strerror(err));
}

static gx_ec owe(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, uint8_t kind, struct gx_push *p)
{
	struct gx_guid id;
	struct gx_push note = GX_PUSH_INIT;
	gx_ec ec = o->entry == NULL ? begin(c, o) : EMS_OK;
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_guid_random(&id));
	if (!gx_ec_failed(ec)) {
		gx_push_u8(&note, kind);
		gx_push_guid(&note, &id);
		gx_push_bytes(&note, p->data, p->len);
		int err = note.err != 0 ? note.err : p->err;
		ec = err != 0 ? gx_ec_from_err(err) : gx_owed_put(t, o->entry->id, o->n, (struct gx_bin){note.data, note.len});
	}
	o->n += !gx_ec_failed(ec);
	gx_push_release(&note);
	gx_push_release(p);
	return ec;
}

gx_ec gx_ems__owe_mail(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, const char *to, struct gx_bin mail)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_push_strz(&p, to);
	gx_push_bytes(&p, mail.data, mail.len);
	return owe(c, t, o, MAIL, &p);
}

gx_ec gx_ems__owe_conflict(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, uint64_t mid)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_push_u64(&p, mid);
	return owe(c, t, o, CONFLICT, &p);
}

gx_ec gx_ems__end_owing(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, gx_ec ec)
{
	struct gx_ems *e = c->s->e;
	ec = gx_rop__end(c, t, ec);
	if (o->entry == NULL)
		return ec;
	if (gx_ec_failed(ec))
		gx_outbox__drop(e, o->entry);
	else if (gx_store_sync(c->logon->store) != 0) /* told, and then forgotten that it was: it would be told twice */
		gx_outbox__keep(e, o->entry, gx_clock_unix(e->o.clock));
	else
		(void)gx_outbox__attempt(e, o->entry).v;
	o->entry = NULL;
	return ec;
}

/* ---- Handing over ---- */

static int hand_over(struct gx_ems *e, struct gx_store *s, struct gx_bin note, struct gx_arena *a)
{
	struct gx_pull c;
	gx_pull_init(&c, note.data, note.len);
	uint8_t kind = gx_pull_u8(&c);
	const uint8_t *id = gx_pull_bytes(&c, GX_OUTBOX_ID);
	if (kind == CONFLICT) {
		uint64_t mid = gx_pull_u64(&c);
		return c.err != 0 ? GX_E_INVAL : gx_ems__tell_conflict(e, s, mid, id, a);
	}
	const char *to = gx_pull_strz(&c);
	if (c.err != 0 || kind != MAIL)
		return GX_E_INVAL;
	/* no sender: nobody answers a receipt, [RFC 8098] 3 */
	const struct gx_envelope env = {.from = "", .rcpts = &to, .rcpt_count = 1, .client = "mapi", .received_unix = gx_clock_unix(e->o.clock),
		.id = id, .smtputf8 = true};
	const struct gx_ems_mail mail = {&env, {note.data + (note.len - c.left), c.left}, NULL};
	return e->o.submit == NULL ? GX_E_BUSY : e->o.submit(&mail, e->o.submit_ctx);
}

static bool is_final(int err)
{
	return err == GX_E_NOTFOUND || err == GX_E_INVAL || err == GX_E_FORMAT || err == GX_E_LIMIT;
}

static gx_ec next(struct gx_store *s, const struct gx_ems_entry *x, struct gx_arena *a, uint32_t *ret_n, struct gx_bin *ret_note)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	int err = gx_txn_begin(s, &sys, GX_TXN_READ, EMS_TXN_MS, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = gx_owed_next(t, x->id, 0, a, ret_n, ret_note);
	gx_txn_abort(t);
	return ec;
}

static gx_ec paid(struct gx_store *s, const struct gx_ems_entry *x, uint32_t n)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	int err = gx_txn_begin(s, &sys, GX_TXN_WRITE, EMS_TXN_MS, &t);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : gx_owed_drop(t, x->id, n);
	if (err != 0)
		return ec;
	if (!gx_ec_failed(ec))
		return gx_ec_from_err(gx_txn_commit(t, GX_SYNC_LATER));
	gx_txn_abort(t);
	return ec;
}

/* ecNotFound: that was all. */
static gx_ec one(struct gx_ems *e, struct gx_store *s, const struct gx_ems_entry *x, bool late)
{
	struct gx_bin note;
	uint32_t n;
	struct gx_arena *a = gx_arena_new(0);
	gx_ec ec = a == NULL ? GX_EC(ecMAPIOOM) : next(s, x, a, &n, &note);
	if (!gx_ec_failed(ec)) {
		int err = hand_over(e, s, note, a);
		if (err != 0 && (late || is_final(err)))
			gx_log(e->o.log, GX_LOG_WARN, "emsmdb: %s: a receipt or notice is not sent: %s", x->maildir, gx_strerror(err));
		ec = err == 0 || late || is_final(err) ? paid(s, x, n) : gx_ec_from_err(err);
	}
	gx_arena_free(a);
	return ec;
}

gx_ec gx_ems__pay(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_arena *a, bool late, bool *ret_more)
{
	struct gx_store *s;
	gx_ec ec = EMS_OK;
	int err = gx_store_pool_get(e->o.pool, x->maildir, &s, a, NULL);
	if (err != 0)
		return err == GX_E_NOTFOUND ? EMS_OK : gx_ec_from_err(err);
	if (gx_guid_cmp(gx_store_mailbox_guid(s), &x->mailbox) != 0)
		ec = GX_EC(ecNotFound); /* another one lies there now */
	for (unsigned i = 0; i < AT_ONCE && !gx_ec_failed(ec); ++i)
		ec = one(e, s, x, late);
	*ret_more = !gx_ec_failed(ec);
	if (gx_ec_is(ec, ecNotFound)) /* the file goes after the notes */
		ec = gx_ec_from_err(gx_store_sync(s));
	gx_store_pool_put(e->o.pool, s);
	return ec;
}
