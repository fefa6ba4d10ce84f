/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/folder/folder-int.h"

/* Emptying folders, and removing for good what was deleted softly. */

#define BATCH 1024U

struct empty {
	struct gx_txn *t;
	uint32_t what;
	uint32_t rights;
	size_t left; /* messages that may still be removed */
	bool partial, more;
};

/* The next messages with UIDs above *io_after that the actor may delete; others are passed over. */
static int next_batch(struct empty *x, uint64_t fid, bool fai, uint64_t *io_after, uint64_t *ret_mids, size_t *ret_n)
{
	size_t n = 0, want = x->left < BATCH ? x->left : BATCH;
	bool any = gx_txn__all_rights(x->t) || (x->rights & (GX_RIGHT_DELETE_ANY | GX_RIGHT_OWNER)) != 0;
	int r = 1;
	GX_STMT(normal, x->t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 AND NOT flags&256 ORDER BY uid");
	GX_STMT(assoc, x->t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 AND flags&256 ORDER BY uid");
	struct gx_stmt *st = fai ? assoc : normal;
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)*io_after);
	while (n < want && (r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		uint64_t mid = gx_sql__u64(st, 0);
		*io_after = gx_sql__u64(st, 1);
		if (!any) {
			int err = gx_msg__row(x->t, mid, &row);
			if (err != 0)
				return err;
			if (!row.mine || !(x->rights & GX_RIGHT_DELETE_OWN)) {
				x->partial = true;
				continue;
			}
		}
		ret_mids[n++] = mid;
	}
	*ret_n = n;
	return r < 0 ? r : 0;
}

static gx_ec remove_messages(struct empty *x, uint64_t fid, bool fai)
{
	uint64_t mids[BATCH], after = 0;
	for (;;) {
		size_t n;
		int err = next_batch(x, fid, fai, &after, mids, &n);
		if (err != 0 || n == 0) {
			x->more = x->more || (err == 0 && x->left == 0);
			return gx_txn__ec(x->t, err);
		}
		gx_ec ec = gx_msg_delete(x->t, fid, mids, n, (x->what & GX_CONTENT_HARD) != 0);
		if (gx_ec_failed(ec))
			return ec;
		x->left -= n;
	}
}

static gx_ec remove_folders(struct empty *x, uint64_t fid)
{
	struct gx_folder_info *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_folder_list(x->t, fid, false, x->t->a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && !x->more && i < n; i++) {
		x->more = x->left == 0;
		if (!x->more)
			ec = gx_folder__delete_some(x->t, v[i].fid, (x->what & GX_CONTENT_HARD) != 0, &x->left, &x->partial, &x->more);
		if (gx_ec_is(ec, ecAccessDenied)) {
			x->partial = true;
			ec = GX_OK_EC;
		}
	}
	return ec;
}

static gx_ec check(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights)
{
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	if (row.type == GX_FOLDER_SEARCH)
		return gx_txn__fail(t, ecNotSupported, "folder %llx is a search folder", (unsigned long long)fid);
	return gx_txn__ec(t, gx_perm__rights(t, fid, ret_rights));
}

gx_ec gx_folder_empty(struct gx_txn *t, uint64_t fid, uint32_t what, size_t limit, bool *ret_partial, bool *ret_more)
{
	struct empty x = {.t = t, .what = what, .left = limit == 0 ? SIZE_MAX : limit};
	gx_ec ec = check(t, fid, &x.rights);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_NORMAL))
		ec = remove_messages(&x, fid, false);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FAI))
		ec = remove_messages(&x, fid, true);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FOLDERS) && !x.more)
		ec = remove_folders(&x, fid);
	if (gx_ec_failed(ec))
		return ec;
	if (ret_partial != NULL)
		*ret_partial = x.partial;
	if (ret_more != NULL)
		*ret_more = x.more;
	return ec;
}

/* ---- Purging ---- */

/* When an object last changed: what it says itself, else when it came. */
static int modified(struct gx_txn *t, struct gx_stmt *st, int body_col, int received_col, gx_nttime_t *ret_time)
{
	struct gx_propval pv;
	*ret_time = gx_sql__u64(st, received_col);
	struct gx_bin row = gx_sql__blob(st, body_col);
	int err = row.len == 0 ? GX_E_NOTFOUND : gx_prow_find(row.data, row.len, PidTagLastModificationTime, t->a, &pv);
	if (err == 0 && !(pv.tag & GX_PROW_EXTERN))
		*ret_time = pv.v.time;
	return err == GX_E_NOTFOUND ? 0 : err;
}

/* One that is old enough. */
static int purge_message(struct gx_txn *t, uint64_t mid, struct gx_fstate *f, struct gx_purged *p)
{
	struct gx_msg_row row;
	int err = gx_msg__row(t, mid, &row);
	if (err == 0)
		err = gx_msg__remove(t, f, &row);
	if (err != 0)
		return err;
	p->messages++;
	*(row.flags & GX_MSGF_FAI ? &p->bytes_fai : &p->bytes_normal) += row.size;
	return 0;
}

/* What was looked at and stays is not looked at again. */
static int purge_messages(struct gx_txn *t, uint64_t fid, gx_nttime_t cutoff, size_t *io_left, struct gx_purged *p)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, fid, &f), r = 1;
	GX_STMT(st, t->q, "SELECT m.mid,m.received,b.props FROM msg m CROSS JOIN body b ON b.id=m.body WHERE m.fid=?1 AND m.uid=0 AND m.mid>?2 ORDER BY m.mid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)p->after);
	while (err == 0 && *io_left > 0 && (r = gx_sql__step(st)) > 0) {
		gx_nttime_t when;
		uint64_t mid = gx_sql__u64(st, 0);
		err = modified(t, st, 2, 1, &when);
		if (err == 0 && (cutoff == 0 || when < cutoff))
			err = purge_message(t, mid, f, p);
		p->after = mid;
		*io_left -= *io_left != SIZE_MAX;
	}
	p->more = *io_left == 0;
	return err != 0 || r > 0 ? err : r;
}

static gx_ec purge_folders(struct gx_txn *t, uint64_t fid, gx_nttime_t cutoff, size_t *io_left, struct gx_purged *p)
{
	uint64_t *v = NULL;
	size_t n = 0, cap = 0;
	int r;
	{
		GX_STMT(st, t->q, "SELECT fid FROM folders WHERE parent=?1 AND flags&1 AND (?2=0 OR modified<?2)");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		gx_sql__bind_int(st, 2, (int64_t)cutoff);
		while ((r = gx_sql__step(st)) > 0) {
			v = gx_arena_grow(t->a, v, &cap, n + 1, sizeof(*v));
			if (v == NULL)
				return gx_txn__ec(t, GX_E_NOMEM);
			v[n++] = gx_sql__u64(st, 0);
		}
	}
	gx_ec ec = gx_txn__ec(t, r);
	for (size_t i = 0; !gx_ec_failed(ec) && !p->more && i < n; i++) {
		p->more = *io_left == 0;
		if (!p->more)
			ec = gx_folder__delete_some(t, v[i], true, io_left, NULL, &p->more);
		p->folders += !gx_ec_failed(ec) && !p->more;
	}
	return ec;
}

gx_ec gx_folder_purge(struct gx_txn *t, uint64_t fid, uint32_t what, gx_nttime_t cutoff, size_t limit, struct gx_purged *io_p)
{
	size_t left = limit == 0 ? SIZE_MAX : limit;
	uint32_t rights;
	gx_ec ec = check(t, fid, &rights);
	if (!gx_ec_failed(ec) && !(rights & GX_RIGHT_OWNER))
		ec = gx_txn__fail(t, ecAccessDenied, "only a folder's owner purges it");
	io_p->more = false;
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_NORMAL))
		ec = gx_txn__ec(t, purge_messages(t, fid, cutoff, &left, io_p));
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FOLDERS) && !io_p->more)
		ec = purge_folders(t, fid, cutoff, &left, io_p);
	return ec;
}
