/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a public folder's conflicts concern: its contacts, [MS-OXCPERM] 2.2.7, and where nobody is that, its owners. The notice is
 * put into their mailboxes as it is, since it names the message by an entry id, which no internet mail has a place for.
 */
#include <config.h>
#include <gx/acl.h>
#include <gx/ics.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/owed.h"

struct notice {
	struct gx_msgobj *m;
	struct gx_member *members;
	size_t n;
};

static gx_ec read_notice(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct notice *x)
{
	struct gx_msg_info i;
	gx_ec ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec))
		ec = gx_ics_conflict_notice(t, mid, a, &x->m);
	return gx_ec_failed(ec) ? ec : gx_acl_list(t, i.fid, a, &x->members, &x->n);
}

static uint32_t right_of_receivers(const struct notice *x)
{
	for (size_t i = 0; i < x->n; ++i)
		if (x->members[i].rights & GX_RIGHT_CONTACT)
			return GX_RIGHT_CONTACT;
	return GX_RIGHT_OWNER;
}

static int put(struct gx_ems *e, const char *maildir, const struct gx_msg_prepared *p, const uint8_t *id, struct gx_arena *a)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_store *s;
	struct gx_txn *t;
	int err = gx_store_pool_get(e->o.pool, maildir, &s, a, NULL);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	o.delivery_id = id;
	err = gx_txn_begin(s, &sys, GX_TXN_WRITE, EMS_TXN_MS, &t);
	if (err == 0) {
		gx_ec ec = gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids);
		if (gx_ec_failed(ec))
			gx_txn_abort(t);
		err = !gx_ec_failed(ec) ? gx_txn_commit(t, GX_SYNC_NOW) :
			gx_ec_is(ec, ecDuplicateObject) || gx_ec_is(ec, ecQuotaExceeded) ? 0 : gx_ec_to_err(ec);
	}
	gx_store_pool_put(e->o.pool, s);
	return err;
}

/* Who has no mailbox here is passed over. */
static int to_all(struct gx_ems *e, const struct notice *x, const struct gx_msg_prepared *p, const uint8_t *id, struct gx_arena *a)
{
	uint32_t right = right_of_receivers(x);
	int err = 0;
	for (size_t i = 0; err == 0 && i < x->n; ++i) {
		struct gx_user u;
		const struct gx_member *m = &x->members[i];
		if (!(m->rights & right) || m->id == GX_MEMBER_DEFAULT || m->id == GX_MEMBER_ANONYMOUS)
			continue;
		err = gx_dir_user(e->o.dir, m->address, a, &u);
		if (err == 0 && *u.maildir != '\0')
			err = put(e, u.maildir, p, id, a);
		else if (err == GX_E_NOTFOUND)
			err = 0;
	}
	return err;
}

int gx_ems__tell_conflict(struct gx_ems *e, struct gx_store *s, uint64_t mid, const uint8_t *id, struct gx_arena *a)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p = NULL;
	struct notice x = {0};
	struct gx_txn *t;
	int err = gx_txn_begin(s, &sys, GX_TXN_READ, EMS_TXN_MS, &t);
	if (err != 0)
		return err;
	gx_ec ec = read_notice(t, mid, a, &x);
	gx_txn_abort(t);
	if (gx_ec_failed(ec)) /* it is gone already */
		return gx_ec_is(ec, ecNotFound) ? 0 : gx_ec_to_err(ec);
	err = gx_proplist_set_time(&x.m->props, a, PidTagClientSubmitTime, gx_clock_nttime(e->o.clock));
	err = err != 0 ? err : gx_proplist_set_time(&x.m->props, a, PidTagMessageDeliveryTime, gx_clock_nttime(e->o.clock));
	src.obj = x.m;
	err = err != 0 ? err : gx_msg_prepare(a, &src, &p);
	err = err != 0 ? err : to_all(e, &x, p, id, a);
	gx_msg_prepared_release(p);
	return err;
}
