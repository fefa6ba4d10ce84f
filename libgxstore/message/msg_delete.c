/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/far-int.h"
#include "libgxstore/table/table-int.h"
#include "libgxstore/content/pread-int.h"

static int drop_row(struct gx_txn *t, const struct gx_msg_row *r)
{
	GX_STMT(st, t->q, "DELETE FROM msg WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	int err = gx_sql__run(st);
	if (err == 0)
		err = gx_txn__spend_id(t, r->mid);
	return err != 0 ? err : gx_body__unref(t, r->body);
}

static int hide_row(struct gx_txn *t, const struct gx_msg_row *r)
{
	GX_STMT(st, t->q, "UPDATE msg SET uid=0, flags=?2, modseq=?3 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, r->flags | GX_MSGF_SOFTDEL);
	gx_sql__bind_int(st, 3, (int64_t)gx_txn__new_cn(t));
	return gx_sql__run(st);
}

static int remove_row(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r, bool hard)
{
	struct gx_msg_row settled = *r;
	int err = gx_owed__going(t, r->mid, &settled.flags);
	if (err == 0)
		err = gx_change__before(t, r);
	if (err == 0)
		err = hard ? drop_row(t, r) : hide_row(t, &settled);
	return err != 0 ? err : gx_change__removed(t, f, r, hard ? GX_CH_DELETED : GX_CH_HIDDEN);
}

int gx_msg__remove(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r)
{
	return remove_row(t, f, r, true);
}

static gx_ec check_delete(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n)
{
	const uint32_t enough = GX_RIGHT_DELETE_ANY | GX_RIGHT_DELETE_OWN;
	struct gx_folder_row row;
	uint32_t rights;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, enough, &row);
	if (gx_ec_failed(ec) || gx_txn__all_rights(t))
		return ec;
	int err = gx_perm__rights(t, fid, &rights);
	for (size_t i = 0; err == 0 && !(rights & GX_RIGHT_DELETE_ANY) && i < n; i++) {
		struct gx_msg_row r;
		err = gx_msg__row(t, mids[i], &r);
		if (err == 0 && !r.mine)
			return gx_txn__fail(t, ecAccessDenied, "message %llx is somebody else's", (unsigned long long)mids[i]);
		if (err == GX_E_NOTFOUND)
			err = 0;
	}
	return gx_txn__ec(t, err);
}

static int delete_all(struct gx_txn *t, struct gx_fstate *f, const uint64_t *mids, size_t n, bool hard)
{
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_row r;
		int err = gx_msg__row(t, mids[i], &r);
		if (err == GX_E_NOTFOUND || (err == 0 && (r.fid != f->fid || (!hard && (r.flags & GX_MSGF_SOFTDEL)))))
			continue;
		if (err == 0)
			err = remove_row(t, f, &r, hard);
		if (err != 0)
			return err;
	}
	return 0;
}

gx_ec gx_msg_delete(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_delete(t, fid, mids, n, hard);
	struct gx_fstate *f;
	struct gx_folder_row row;
	if (gx_folder__row(t, fid, &row) == 0 && row.type == GX_FOLDER_SEARCH)
		return gx_msg__delete_found(t, fid, mids, n, hard);
	gx_ec ec = check_delete(t, fid, mids, n);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_fstate__get(t, fid, &f);
	return gx_txn__ec(t, err != 0 ? err : delete_all(t, f, mids, n, hard));
}

/* The folder goes too: neither tombstones nor events for each. */
int gx_msg__empty_folder(struct gx_txn *t, uint64_t fid)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, fid, &f), r;
	if (err == 0)
		err = gx_order__emptied(t, fid);
	if (err == 0)
		err = gx_tables__note_many(t, fid);
	if (err != 0)
		return err;
	{
		GX_STMT(st, t->q, "SELECT body,flags,size,mid FROM msg WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		while ((r = gx_sql__step(st)) > 0) {
			gx_fstate__count(t, f, (uint32_t)gx_sql__int(st, 1), gx_sql__u64(st, 2), -1);
			err = gx_body__unref(t, gx_sql__u64(st, 0));
			if (err == 0)
				err = gx_txn__spend_id(t, gx_sql__u64(st, 3));
			if (err != 0)
				return err;
		}
		if (r < 0)
			return r;
	}
	err = gx_pread__forget_folder(t, fid);
	if (err != 0)
		return err;
	GX_STMT(timers, t->q, "DELETE FROM timers WHERE mid IN (SELECT mid FROM msg WHERE fid=?1)");
	gx_sql__bind_int(timers, 1, (int64_t)fid);
	err = gx_sql__run(timers);
	if (err != 0)
		return err;
	GX_STMT(del, t->q, "DELETE FROM msg WHERE fid=?1");
	gx_sql__bind_int(del, 1, (int64_t)fid);
	return gx_sql__run(del);
}
