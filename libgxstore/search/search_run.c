/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <limits.h>
#include "libgxstore/search/search-int.h"

/*
 * Looking through the scope of a search. Criteria with words go by the full-text index, the rest by folders. It is done in
 * portions, each in a transaction that keeps how far it came; what changes meanwhile the hub sees to.
 */

#define BY_INDEX UINT64_MAX /* at_fid: at_id is the last candidate */
#define WRITER_MS 1000

struct gx_searchportion gx_search__portion(const struct gx_store *s, unsigned times)
{
	unsigned n = s->o.search_pacing;
	return (struct gx_searchportion){.n = n < UINT_MAX / times ? n * times : UINT_MAX, .until = gx_clock_mono_ms(s->clock) + s->o.search_pacing_ms};
}

/* A message was looked at. */
static void count(const struct gx_txn *t, struct gx_searchportion *p)
{
	p->n = gx_clock_mono_ms(t->s->clock) < p->until ? p->n - 1 : 0;
}

static int through(struct gx_txn *t, struct gx_searchdef *d)
{
	d->state = GX_SEARCH_COMPLETE;
	d->at_fid = d->at_id = 0;
	struct gx_event ev = {.type = GX_EV_SEARCH_COMPLETE, .fid = d->fid};
	return gx_txn__event(t, &ev);
}

static int look_at(struct gx_txn *t, struct gx_searchdef *d, const struct gx_msg_row *r)
{
	int match = r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL) ? 0 : gx_searchdef__match(t, d, r);
	return match > 0 ? gx_search__link(t, d->fid, r) : match;
}

static bool covered(const struct gx_searchcover *c, const struct gx_searchdef *d)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] == d)
			return true;
	return false;
}

/* 1 when the message's folder is in the scope. */
static int in_scope(struct gx_txn *t, const struct gx_searchdef *d, uint64_t fid)
{
	const struct gx_searchcover *c;
	struct gx_folder_row row;
	int err = gx_folder__row(t, fid, &row);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	err = gx_searches__cover(t, fid, &c);
	return err != 0 ? err : covered(c, d);
}

/* ---- By the index ---- */

static int by_index(struct gx_txn *t, struct gx_searchdef *d, const struct gx_candidates *c, struct gx_searchportion *p)
{
	size_t i = 0;
	while (i < c->n && c->mids[i] <= d->at_id)
		i++;
	for (; i < c->n && p->n > 0; i++, count(t, p)) {
		struct gx_msg_row r;
		int err = gx_msg__row(t, c->mids[i], &r);
		int yes = err == 0 ? in_scope(t, d, r.fid) : 0;
		if (err == 0)
			err = yes > 0 ? look_at(t, d, &r) : yes;
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
		d->at_id = c->mids[i];
	}
	return i < c->n ? 0 : through(t, d);
}

/* ---- By folders ---- */

/* The first folder of the scope from @from on, 0 none. */
static int next_folder(struct gx_txn *t, struct gx_searchdef *d, uint64_t from, uint64_t *ret_fid)
{
	GX_STMT(st, t->q, "SELECT fid FROM folders WHERE fid>=?1 AND type<>2 AND NOT flags&1 ORDER BY fid");
	gx_sql__bind_int(st, 1, (int64_t)from);
	int r;
	*ret_fid = 0;
	while ((r = gx_sql__step(st)) > 0) {
		int yes = in_scope(t, d, gx_sql__u64(st, 0));
		if (yes > 0)
			*ret_fid = gx_sql__u64(st, 0);
		if (yes != 0)
			return yes < 0 ? yes : 0;
	}
	return r;
}

static int in_folder(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion *p)
{
	GX_STMT(st, t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 AND NOT flags&256 ORDER BY uid");
	gx_sql__bind_int(st, 1, (int64_t)d->at_fid);
	gx_sql__bind_int(st, 2, (int64_t)d->at_id);
	int r = 0;
	while (p->n > 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		int err = gx_msg__row(t, gx_sql__u64(st, 0), &row);
		if (err == 0)
			err = look_at(t, d, &row);
		if (err != 0)
			return err;
		d->at_id = gx_sql__u64(st, 1);
		count(t, p);
	}
	return r < 0 ? r : 0;
}

static int by_folders(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion *p)
{
	while (p->n > 0) {
		uint64_t fid;
		int err = next_folder(t, d, d->at_fid, &fid);
		if (err != 0 || fid == 0)
			return err != 0 ? err : through(t, d);
		if (fid != d->at_fid)
			d->at_id = 0;
		d->at_fid = fid;
		err = in_folder(t, d, p);
		if (err != 0)
			return err;
		if (p->n > 0) { /* that one is through */
			d->at_fid++;
			d->at_id = 0;
		}
	}
	return 0;
}

/* ---- What was found before a change of the scope ---- */

static int recheck(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion *p)
{
	GX_STMT(st, t->q, "SELECT mid FROM found WHERE fid=?1 AND mid>?2 ORDER BY mid");
	gx_sql__bind_int(st, 1, (int64_t)d->fid);
	gx_sql__bind_int(st, 2, (int64_t)d->at_id);
	int r = 1;
	while (p->n > 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		uint64_t mid = gx_sql__u64(st, 0);
		int err = gx_msg__row(t, mid, &row), yes = err == 0 ? in_scope(t, d, row.fid) : 0;
		if (err == 0 && yes == 0)
			err = gx_search__unlink(t, d->fid, &row);
		if (err != 0 || yes < 0)
			return err != 0 ? err : yes;
		d->at_id = mid;
		count(t, p);
	}
	if (r == 0) {
		d->state = GX_SEARCH_POPULATING;
		d->at_fid = d->at_id = 0;
	}
	return r < 0 ? r : 0;
}

static int populate(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion *p)
{
	struct gx_candidates c = {.all = true};
	bool fresh = d->at_fid == 0 && d->at_id == 0;
	if (fresh || d->at_fid == BY_INDEX) {
		gx_ec ec = gx_search_restr(t, 0, d->restr, t->a, &c);
		if (gx_ec_failed(ec))
			return gx_ec_to_err(ec);
	}
	if (!c.all) {
		d->at_fid = BY_INDEX;
		return by_index(t, d, &c, p);
	}
	if (d->at_fid == BY_INDEX) /* the index was lost on the way */
		d->at_fid = d->at_id = 0;
	return by_folders(t, d, p);
}

int gx_search__advance(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion p)
{
	int err = 0;
	if (d->state == GX_SEARCH_RECHECKING)
		err = recheck(t, d, &p);
	if (err == 0 && d->state == GX_SEARCH_POPULATING)
		err = populate(t, d, &p);
	return err != 0 ? err : gx_searchdef__write_state(t, d);
}

/* ---- In the background ---- */

static bool pending(const struct gx_searchdef *d)
{
	return d->restr != NULL && (d->state == GX_SEARCH_POPULATING || d->state == GX_SEARCH_RECHECKING);
}

/* 1 something was done, 0 nothing is left. */
static int portion(struct gx_store *s)
{
	struct gx_txn *t;
	struct gx_searchdef *d = NULL;
	int err = gx_txn__system(s, GX_TXN_WRITE, WRITER_MS, &t);
	if (err != 0)
		return err;
	err = gx_searches__load(t, &d);
	while (err == 0 && d != NULL && !pending(d))
		d = d->next;
	struct gx_searchportion p = gx_search__portion(s, 1);
	size_t left = p.n;
	int more = err == 0 && d == NULL ? gx_search__leave(t, &left) : 0;
	if (err == 0 && d == NULL && more == 0 && left == p.n) {
		atomic_store(&s->searching, false);
		gx_txn_abort(t);
		return 0;
	}
	err = err != 0 || more >= 0 ? err : more;
	if (err == 0 && d != NULL)
		err = gx_search__advance(t, d, p);
	if (err != 0) {
		gx_log(s->log, GX_LOG_WARN, "%s: search folder: %s", s->dir, t->q->err == err ? t->q->why : gx_strerror(err));
		gx_txn_abort(t);
		return err;
	}
	err = gx_txn_commit(t, GX_SYNC_LATER);
	return err != 0 ? err : 1;
}

int gx_search_run(struct gx_store *s, int budget_ms, bool *ret_done)
{
	int64_t until = gx_clock_mono_ms(s->clock) + budget_ms;
	int r = 1;
	while (atomic_load(&s->searching) && r > 0 && gx_clock_mono_ms(s->clock) <= until)
		r = portion(s);
	if (r >= 0)
		*ret_done = !atomic_load(&s->searching);
	return r < 0 ? r : 0;
}

int gx_search__resume(struct gx_store *s)
{
	GX_STMT(st, s->writer->q, "SELECT 1 WHERE EXISTS(SELECT 1 FROM search WHERE state IN (1,3)) OR EXISTS(SELECT 1 FROM folders WHERE flags&16)");
	int r = gx_sql__step(st);
	atomic_store(&s->searching, r > 0);
	return r < 0 ? r : 0;
}
