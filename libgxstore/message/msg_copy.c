/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/far-int.h"
#include "libgxstore/message/msg-int.h"

/*
 * Copies are new narrow rows with the same body. A move gives the message a new id and UID, as
 * [MS-OXCFXICS] 3.1.5.3 wants, so that the old folder's deletion and the new folder's arrival
 * can be told in any order.
 */

struct copy {
	struct gx_txn *t;
	struct gx_fstate *src, *dst;
	bool move;
	uint64_t given; /* the new id, 0: the next one */
};

static int take_away(struct copy *x, const struct gx_msg_row *r)
{
	int err = gx_change__before(x->t, r);
	if (err != 0)
		return err;
	GX_STMT(st, x->t->q, "DELETE FROM msg WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	err = gx_sql__run(st);
	if (err == 0)
		err = gx_txn__spend_id(x->t, r->mid);
	return err != 0 ? err : gx_change__removed(x->t, x->src, r, GX_CH_MOVED);
}

static int creator_of(struct gx_txn *t, uint64_t mid, char **ret_s)
{
	GX_STMT(st, t->q, "SELECT creator FROM msg WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r = gx_sql__step(st);
	*ret_s = NULL;
	if (r > 0 && !gx_sql__is_null(st, 0) && (*ret_s = gx_arena_strdup(t->a, gx_sql__text(st, 0))) == NULL)
		return GX_E_NOMEM;
	return r < 0 ? r : 0;
}

static int copy_one(struct copy *x, const struct gx_msg_row *old, struct gx_msg_ids *ret_ids)
{
	struct gx_txn *t = x->t;
	struct gx_msg_row r = *old;
	char *creator = NULL;
	if (x->dst->uidnext >= UINT32_MAX)
		return gx_sql__fail(t->q, GX_E_LIMIT, "folder %llx has given out all UIDs", (unsigned long long)x->dst->fid);
	int err = creator_of(t, old->mid, &creator);
	if (err != 0)
		return err;
	r.mid = x->given != 0 ? x->given : gx_txn__new_id(t);
	r.fid = x->dst->fid;
	r.uid = (uint32_t)x->dst->uidnext++;
	r.cn = r.cn0 = r.modseq = x->dst->modseq = gx_txn__new_cn(t);
	/* a client that moves it in its copy may not know that somebody has read it meanwhile */
	r.rcn = x->move && x->given != 0 && old->rcn != 0 ? r.modseq : 0;
	r.flags = old->flags | GX_MSGF_RECENT;
	if (!x->move) /* what was handed to the transport is the other one, and it owes the receipts */
		r.flags &= ~(uint32_t)(GX_MSGF_SUBMIT | GX_MSGF_RNPENDING | GX_MSGF_NRNPENDING);
	t->numbers++;
	err = x->move ? take_away(x, old) : gx_body__ref(t, r.body);
	if (err == 0)
		err = gx_msg__insert_row(t, &r, creator);
	if (err == 0)
		err = gx_change__created(t, x->dst, &r, x->move ? GX_CH_MOVED : GX_CH_COPIED, old);
	*ret_ids = (struct gx_msg_ids){.mid = r.mid, .cn = r.cn, .uid = r.uid};
	return err;
}

static int copy_all(struct copy *x, const uint64_t *mids, size_t n, struct gx_msg_ids *ret_ids)
{
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_row r;
		struct gx_msg_ids ids = {0};
		int err = gx_msg__row(x->t, mids[i], &r);
		if (err == 0 && r.fid == x->src->fid && !(r.flags & GX_MSGF_SOFTDEL))
			err = copy_one(x, &r, &ids);
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
		if (ret_ids != NULL)
			ret_ids[i] = ids;
	}
	return 0;
}

static gx_ec check_own(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n)
{
	uint32_t rights;
	int err = gx_perm__rights(t, fid, &rights);
	for (size_t i = 0; err == 0 && !(rights & GX_RIGHT_DELETE_ANY) && i < n; i++) {
		struct gx_msg_row r;
		err = gx_msg__row(t, mids[i], &r);
		if (err == 0 && !(r.mine && (rights & GX_RIGHT_DELETE_OWN)))
			return gx_txn__fail(t, ecAccessDenied, "message %llx may not be taken away", (unsigned long long)mids[i]);
		if (err == GX_E_NOTFOUND)
			err = 0;
	}
	return gx_txn__ec(t, err);
}

static gx_ec check_copy(struct gx_txn *t, uint64_t src, const uint64_t *mids, size_t n, uint64_t dst, bool move)
{
	struct gx_folder_row from, to;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, src, GX_RIGHT_READ, &from);
	if (!gx_ec_failed(ec) && move && !gx_txn__all_rights(t))
		ec = check_own(t, src, mids, n);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, dst, GX_RIGHT_CREATE, &to);
	if (!gx_ec_failed(ec) && to.type == GX_FOLDER_SEARCH)
		return gx_txn__fail(t, ecNotSupported, "folder %llx is a search folder", (unsigned long long)dst);
	return gx_ec_failed(ec) || move ? ec : gx_msg__check_count(t, n);
}

gx_ec gx_msg_copy(struct gx_txn *t, uint64_t src_fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move, struct gx_msg_ids *ret_ids)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_copy(t, src_fid, mids, n, dst_fid, move, ret_ids);
	struct copy x = {.t = t, .move = move};
	struct gx_folder_row row;
	if (gx_folder__row(t, src_fid, &row) == 0 && row.type == GX_FOLDER_SEARCH)
		return gx_msg__copy_found(t, src_fid, mids, n, dst_fid, move, ret_ids);
	gx_ec ec = check_copy(t, src_fid, mids, n, dst_fid, move);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_fstate__get(t, src_fid, &x.src);
	if (err == 0)
		err = gx_fstate__get(t, dst_fid, &x.dst);
	if (err != 0)
		return gx_txn__ec(t, err);
	return gx_txn__ec(t, copy_all(&x, mids, n, ret_ids));
}

/* [MS-OXCFXICS] 3.2.5.9.4.4: the client that moved it chose the id. */
gx_ec gx_msg_copy_as(struct gx_txn *t, uint64_t mid, uint64_t dst_fid, uint64_t new_mid, bool move, struct gx_msg_ids *ret_ids)
{
	struct copy x = {.t = t, .move = move, .given = new_mid};
	struct gx_msg_row r;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_msg__row(t, mid, &r);
	if (err == GX_E_NOTFOUND || (err == 0 && (r.flags & GX_MSGF_SOFTDEL)))
		return gx_txn__fail(t, ecNotFound, "no message %llx", (unsigned long long)mid);
	if (err != 0)
		return gx_txn__ec(t, err);
	ec = check_copy(t, r.fid, &mid, 1, dst_fid, move);
	if (!gx_ec_failed(ec))
		ec = gx_txn__claim_id(t, new_mid);
	if (gx_ec_failed(ec))
		return ec;
	err = gx_fstate__get(t, r.fid, &x.src);
	if (err == 0)
		err = gx_fstate__get(t, dst_fid, &x.dst);
	if (err == 0)
		err = copy_one(&x, &r, ret_ids);
	return gx_txn__ec(t, err);
}
