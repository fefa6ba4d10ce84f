/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/table/table-int.h"

/* Folders that go, move and come back, and what searches show of them. */

enum { AT_ONCE = 1024, LOOKS = 16 }; /* messages of a folder; so many looks count like one that leaves */


static int unlink_contents(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "SELECT f.fid,f.mid FROM msg m JOIN found f ON f.mid=m.mid WHERE m.fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	struct gx_idlist l = {0};
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		err = gx_idlist__add(&l, gx_sql__u64(st, 0));
		if (err == 0)
			err = gx_idlist__add(&l, gx_sql__u64(st, 1));
	}
	err = err != 0 ? err : r;
	for (size_t i = 0; err == 0 && i + 1 < l.n; i += 2) {
		struct gx_msg_row row;
		err = gx_msg__row(t, l.v[i + 1], &row);
		if (err == 0)
			err = gx_search__unlink(t, l.v[i], &row);
	}
	gx_idlist__release(&l);
	return err;
}

static int drop_def(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(def, t->q, "DELETE FROM search WHERE fid=?1");
	gx_sql__bind_int(def, 1, (int64_t)fid);
	int err = gx_sql__run(def);
	GX_STMT(scope, t->q, "DELETE FROM scope WHERE search=?1");
	gx_sql__bind_int(scope, 1, (int64_t)fid);
	err = err != 0 ? err : gx_sql__run(scope);
	gx_searches__forget(t->s->searches);
	return err != 0 ? err : gx_search__clear(t, fid);
}

/* Searches that looked into a folder look into one less. */
static int leave_scopes(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "DELETE FROM scope WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

/* 1 yes, 0 no. */
static int is_search(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "SELECT 1 FROM folders WHERE fid=?1 AND type=2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__step(st);
}

/* Somebody may have put messages into a search folder that never looked for any. */
int gx_search__folder_gone(struct gx_txn *t, uint64_t fid)
{
	int search = is_search(t, fid);
	int err = search < 0 ? search : search > 0 ? 0 : unlink_contents(t, fid);
	if (err == 0)
		err = search > 0 ? drop_def(t, fid) : leave_scopes(t, fid);
	gx_searches__forget(t->s->searches);
	return err;
}

/* ---- Deleted softly ---- */

static int anything_found(struct gx_txn *t)
{
	GX_STMT(st, t->q, "SELECT 1 FROM found LIMIT 1");
	return gx_sql__step(st);
}

int gx_search__folder_hidden(struct gx_txn *t, uint64_t fid, bool *ret_later)
{
	struct gx_fstate *f;
	int any = 0, search = is_search(t, fid), err = search < 0 ? search : gx_fstate__get(t, fid, &f);
	if (err == 0 && search == 0)
		any = anything_found(t);
	*ret_later = err == 0 && any > 0 && f->total > AT_ONCE;
	if (*ret_later)
		atomic_store(&t->s->searching, true);
	else if (any > 0)
		err = unlink_contents(t, fid);
	gx_searches__forget(t->s->searches);
	return any < 0 ? any : err;
}

static int take_out(struct gx_txn *t, uint64_t mid, size_t *io_left)
{
	uint64_t v[GX_SEARCH_SHOWING];
	struct gx_msg_row row;
	size_t n = 0;
	int err = gx_search__showing(t, mid, v, &n);
	if (err == 0 && n > 0)
		err = gx_msg__row(t, mid, &row);
	for (size_t i = 0; err == 0 && i < n; i++, *io_left -= *io_left > 0)
		err = gx_search__unlink(t, v[i], &row);
	return err != 0 || n < GX_SEARCH_SHOWING ? err : take_out(t, mid, io_left);
}

/* 1: all messages of the folder were looked at. */
static int leave(struct gx_txn *t, uint64_t fid, size_t *io_left)
{
	struct gx_searches *s = t->s->searches;
	int r = 1, err = 0;
	if (s->leaving != fid)
		s->left_uid = 0;
	s->leaving = fid;
	GX_STMT(st, t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 ORDER BY uid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)s->left_uid);
	for (unsigned n = 1; err == 0 && *io_left > 0 && (r = gx_sql__step(st)) > 0; n++) {
		err = take_out(t, gx_sql__u64(st, 0), io_left);
		s->left_uid = gx_sql__u64(st, 1);
		if (n % LOOKS == 0)
			*io_left -= *io_left > 0;
	}
	return err != 0 ? err : r < 0 ? r : r == 0;
}

static int next_leaving(struct gx_txn *t, uint64_t *ret_fid)
{
	GX_STMT(st, t->q, "SELECT fid FROM folders WHERE flags&16 LIMIT 1");
	int r = gx_sql__step(st);
	*ret_fid = r > 0 ? gx_sql__u64(st, 0) : 0;
	return r;
}

int gx_search__leave(struct gx_txn *t, size_t *io_left)
{
	uint64_t fid;
	int r;
	while ((r = next_leaving(t, &fid)) > 0 && *io_left > 0) {
		int err = leave(t, fid, io_left);
		if (err <= 0)
			return err < 0 ? err : 1;
		GX_STMT(st, t->q, "UPDATE folders SET flags=flags&~16 WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		err = gx_sql__run(st);
		if (err != 0)
			return err;
		*io_left -= *io_left > 0;
	}
	return r;
}

gx_ec gx_search_leave(struct gx_txn *t, size_t limit, bool *ret_more)
{
	size_t left = limit == 0 ? SIZE_MAX : limit;
	gx_ec ec = gx_txn__writable(t);
	*ret_more = false;
	if (gx_ec_failed(ec) || gx_far(t) != NULL)
		return ec;
	int r = gx_search__leave(t, &left);
	*ret_more = r > 0;
	return gx_txn__ec(t, r < 0 ? r : 0);
}

/* ---- Moved, or back ---- */

static bool looks_into(const struct gx_searchdef *d, const uint64_t *fids, size_t n)
{
	for (size_t i = 0; i < d->nscope; i++)
		for (size_t k = 0; k < n; k++)
			if (d->scope[i] == fids[k])
				return true;
	return (d->flags & RECURSIVE_SEARCH) != 0;
}

int gx_search__moved(struct gx_txn *t, const uint64_t *back, size_t n)
{
	struct gx_searchdef *d;
	gx_searches__forget(t->s->searches);
	int err = gx_searches__load(t, &d);
	for (; err == 0 && d != NULL; d = d->next) {
		if (!gx_searchdef__live(d) || !looks_into(d, back, n))
			continue;
		d->state = GX_SEARCH_RECHECKING;
		d->at_fid = d->at_id = 0;
		err = gx_searchdef__write_state(t, d);
		atomic_store(&t->s->searching, true);
	}
	return err;
}
