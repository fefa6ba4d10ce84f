/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/storeset.h>
#include "libgxstore/order/order-int.h"

/*
 * New change numbers for everything. Messages are renumbered in the order of their UIDs, since the
 * change number of arrival ascends with the UID. Without GX_CGK_ZERO_LAST the numbers go on upward and
 * IMAP clients see changed messages; with it they begin again, and every folder becomes a new one
 * to IMAP, since a mod-sequence never goes back [RFC 7162] 3.1.
 */

static int drop_pcl(struct gx_txn *t, struct gx_bin row, struct gx_push *out)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	int err = a == NULL ? GX_E_NOMEM : gx_prow_unpack(a, row.data, row.len, &l);
	if (err == 0) {
		gx_proplist_remove(&l, PidTagPredecessorChangeList);
		gx_proplist_remove(&l, PidTagChangeKey);
		gx_push_clear(out);
		err = gx_prow_pack(out, &l);
	}
	gx_arena_free(a);
	return err;
}

static bool has_pcl(struct gx_txn *t, struct gx_bin row)
{
	struct gx_propval pv;
	return row.len > 0 && gx_prow_find(row.data, row.len, PidTagPredecessorChangeList, t->a, &pv) == 0;
}

static int bodies(struct gx_txn *t)
{
	struct gx_push out = GX_PUSH_INIT;
	int r = 0, err = 0;
	GX_STMT(st, t->q, "SELECT id,props FROM body WHERE id IN (SELECT body FROM msg)");
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		if (!has_pcl(t, gx_sql__blob(st, 1)))
			continue;
		err = drop_pcl(t, gx_sql__blob(st, 1), &out);
		GX_STMT(put, t->q, "UPDATE body SET props=?2 WHERE id=?1");
		gx_sql__bind_int(put, 1, gx_sql__int(st, 0));
		gx_sql__bind_blob(put, 2, out.data, out.len);
		err = err != 0 ? err : gx_sql__run(put);
	}
	gx_push_release(&out);
	return err != 0 ? err : r;
}

static int messages_of(struct gx_txn *t, uint64_t fid, struct gx_arena *a)
{
	uint64_t *mids = NULL;
	size_t n = 0, cap = 0;
	int r;
	{
		GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 ORDER BY uid,mid");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		while ((r = gx_sql__step(st)) > 0) {
			mids = gx_arena_grow(a, mids, &cap, n + 1, sizeof(*mids));
			if (mids == NULL)
				return GX_E_NOMEM;
			mids[n++] = gx_sql__u64(st, 0);
		}
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		GX_STMT(put, t->q, "UPDATE msg SET cn=?2, cn0=?2, modseq=?2, rcn=0 WHERE mid=?1");
		gx_sql__bind_int(put, 1, (int64_t)mids[i]);
		gx_sql__bind_int(put, 2, (int64_t)gx_txn__new_cn(t));
		r = gx_sql__run(put);
	}
	return r;
}

/* What was told of the folder so far is void. */
static int void_folder(struct gx_txn *t, uint64_t fid, bool anew)
{
	struct gx_fstate *f;
	int err = gx_changelog__drop(t, fid);
	if (err == 0)
		err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	if (anew)
		f->uidvalidity = ++t->store_state->uidvalidity;
	f->modseq = f->log_floor = gx_txn__new_cn(t);
	f->log_bytes = 0;
	f->dirty = t->store_state->dirty = true;
	return gx_txn__vop(t, fid, GX_VOP_DROP, NULL);
}

static int folder_row(struct gx_txn *t, uint64_t fid, struct gx_bin props)
{
	struct gx_push out = GX_PUSH_INIT;
	int err = 0;
	if (has_pcl(t, props)) {
		err = drop_pcl(t, props, &out);
		GX_STMT(put, t->q, "UPDATE folders SET props=?2 WHERE fid=?1");
		gx_sql__bind_int(put, 1, (int64_t)fid);
		gx_sql__bind_blob(put, 2, out.data, out.len);
		err = err != 0 ? err : gx_sql__run(put);
	}
	gx_push_release(&out);
	GX_STMT(st, t->q, "UPDATE folders SET cn=?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)gx_txn__new_cn(t));
	return err != 0 ? err : gx_sql__run(st);
}

static int one_folder(struct gx_txn *t, uint64_t fid, struct gx_bin props, uint32_t flags)
{
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : 0;
	if (err == 0 && (flags & GX_CGK_FOLDERS))
		err = folder_row(t, fid, props);
	if (err == 0 && (flags & GX_CGK_MESSAGES))
		err = messages_of(t, fid, a);
	if (err == 0 && (flags & GX_CGK_MESSAGES))
		err = void_folder(t, fid, (flags & GX_CGK_ZERO_LAST) != 0);
	gx_arena_free(a);
	return err;
}

static int reset(struct gx_txn *t, uint32_t flags)
{
	int err = gx_change__flush(t), r;
	if (err != 0)
		return err;
	if (flags & GX_CGK_ZERO_LAST) {
		t->store_state->modseq = 0;
		t->store_state->dirty = true;
	}
	if (flags & GX_CGK_MESSAGES)
		err = gx_order__rebuild(t); /* some may be by change number */
	if (err == 0 && (flags & GX_CGK_MESSAGES))
		err = bodies(t);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "SELECT fid,props FROM folders ORDER BY fid");
	while ((r = gx_sql__step(st)) > 0) {
		err = one_folder(t, gx_sql__u64(st, 0), gx_sql__blob(st, 1), flags);
		if (err != 0)
			return err;
	}
	return r;
}

gx_ec gx_store_reset_changes(struct gx_txn *t, uint32_t flags)
{
	const uint32_t both = GX_CGK_FOLDERS | GX_CGK_MESSAGES;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (!gx_txn__all_rights(t))
		return gx_txn__fail(t, ecAccessDenied, "only the owner resets change numbers");
	if ((flags & ~(both | GX_CGK_ZERO_LAST)) != 0 || ((flags & GX_CGK_ZERO_LAST) && (flags & both) != both))
		return gx_txn__fail(t, ecInvalidParam, "the counter begins again only when folders and messages are reset");
	return gx_txn__ec(t, reset(t, flags));
}
