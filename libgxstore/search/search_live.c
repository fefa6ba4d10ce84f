/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/search/search-int.h"
#include "libgxstore/table/table-int.h"

/* What search folders show, kept by the hub with each change. */

static bool shown(const struct gx_msg_row *r)
{
	return !(r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL));
}

int gx_searchdef__match(struct gx_txn *t, const struct gx_searchdef *d, const struct gx_msg_row *r)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_searches *s = t->s->searches;
	const struct gx_actor *actor = t->actor;
	struct gx_msgsrc x;
	bool match = false;
	gx_arena_reset(s->scratch);
	t->actor = &system; /* what is found does not depend on who brings it */
	gx_msgsrc__init(&x, t, s->scratch);
	gx_msgsrc__set(&x, r);
	int err = gx_restr_eval(d->restr, &x.src, &match);
	gx_msgsrc__release(&x);
	t->actor = actor;
	if (err == GX_E_UNSUP || err == GX_E_INVAL || err == GX_E_DEPTH) /* criteria that nothing fulfils */
		return 0;
	return err != 0 ? err : match;
}

/* ---- Rows of found, with counts and events ---- */

static void count(struct gx_fstate *f, const struct gx_msg_row *r, int sign)
{
	uint64_t one = sign > 0 ? 1 : UINT64_MAX;
	f->total += one;
	f->size += sign > 0 ? r->size : 0 - r->size;
	if (!(r->flags & GX_MSGF_READ))
		f->unread += one;
	f->dirty = true;
}

static int tell(struct gx_txn *t, uint32_t type, uint64_t fid, const struct gx_msg_row *r)
{
	struct gx_event ev = {.type = type, .fid = fid, .mid = r->mid, .parent = r->fid, .cn = r->cn};
	return gx_txn__event(t, &ev);
}

int gx_search__link(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, fid, &f);
	if (err == 0)
		err = gx_schema__late(t->q, GX_LATE_FOUND);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "INSERT OR IGNORE INTO found(fid,mid) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)r->mid);
	err = gx_sql__run(st);
	if (err != 0 || gx_sql__changes(t->q) == 0)
		return err;
	count(f, r, 1);
	err = gx_order__linked(t, fid, r);
	if (err == 0)
		err = gx_tables__note_found(t, fid, r, true);
	return err != 0 ? err : tell(t, GX_EV_LINK_CREATED, fid, r);
}

int gx_search__shows(struct gx_txn *t, uint64_t fid, uint64_t mid)
{
	GX_STMT(st, t->q, "SELECT 1 FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)mid);
	return gx_sql__step(st);
}

static int drop_row(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "DELETE FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)r->mid);
	err = gx_sql__run(st);
	count(f, r, -1);
	return err != 0 ? err : tell(t, GX_EV_LINK_DELETED, fid, r);
}

int gx_search__unlink(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r)
{
	int there = gx_search__shows(t, fid, r->mid);
	if (there <= 0)
		return there;
	int err = gx_order__unlinked(t, fid, r);
	if (err == 0)
		err = gx_tables__note_found(t, fid, r, false);
	return err != 0 ? err : drop_row(t, fid, r);
}

int gx_search__clear(struct gx_txn *t, uint64_t fid)
{
	struct gx_fstate *f;
	int err = gx_order__emptied(t, fid);
	if (err == 0)
		err = gx_tables__note_many(t, fid);
	if (err == 0)
		err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	f->total = f->unread = f->size = 0;
	f->dirty = true;
	GX_STMT(st, t->q, "DELETE FROM found WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

/* ---- The hub's calls ---- */

int gx_search__created(struct gx_txn *t, const struct gx_msg_row *r)
{
	const struct gx_searchcover *c = NULL;
	int err = shown(r) ? gx_searches__cover(t, r->fid, &c) : 0;
	for (size_t i = 0; err == 0 && c != NULL && i < c->n; i++) {
		if (!gx_searchdef__live(c->v[i]))
			continue;
		int match = gx_searchdef__match(t, c->v[i], r);
		err = match > 0 ? gx_search__link(t, c->v[i]->fid, r) : match;
	}
	return err;
}

static int recount(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	GX_STMT(st, t->q, "SELECT fid FROM found WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	int n;
	while ((n = gx_sql__step(st)) > 0) {
		struct gx_fstate *f;
		int err = gx_fstate__get(t, gx_sql__u64(st, 0), &f);
		if (err != 0)
			return err;
		count(f, old, -1);
		count(f, r, 1);
	}
	return n;
}

int gx_search__updated(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	const struct gx_searchcover *c = NULL;
	int err = 0;
	if (!shown(r))
		return 0;
	if (((old->flags ^ r->flags) & GX_MSGF_READ) != 0 || old->size != r->size)
		err = recount(t, old, r);
	if (err == 0)
		err = gx_searches__cover(t, r->fid, &c);
	for (size_t i = 0; err == 0 && i < c->n; i++) {
		if (!gx_searchdef__live(c->v[i]))
			continue;
		int match = gx_searchdef__match(t, c->v[i], r);
		err = match < 0 ? match : match > 0 ? gx_search__link(t, c->v[i]->fid, r) : gx_search__unlink(t, c->v[i]->fid, r);
	}
	return err;
}

/* The search folders that show a message. At most as many as fit; the rest is asked for again. */
enum { SHOWN_MAX = 128 };

static int showing(struct gx_txn *t, uint64_t mid, uint64_t *v, size_t *ret_n)
{
	size_t n = 0;
	int r;
	GX_STMT(st, t->q, "SELECT fid FROM found WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	while ((r = gx_sql__step(st)) > 0 && n < SHOWN_MAX)
		v[n++] = gx_sql__u64(st, 0);
	*ret_n = n;
	return r < 0 ? r : 0;
}

/* Its sort orders and tables have let it go already. */
int gx_search__removed(struct gx_txn *t, const struct gx_msg_row *r)
{
	uint64_t v[SHOWN_MAX];
	size_t n = 0;
	int err = 0;
	do {
		err = shown(r) ? showing(t, r->mid, v, &n) : 0;
		for (size_t i = 0; err == 0 && i < n; i++)
			err = drop_row(t, v[i], r);
	} while (err == 0 && n == SHOWN_MAX);
	return err;
}

/* ---- Folders ---- */

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
int gx_search__folder_gone(struct gx_txn *t, uint64_t fid, bool hard)
{
	int search = is_search(t, fid);
	int err = search < 0 ? search : search > 0 ? 0 : unlink_contents(t, fid);
	if (err == 0 && hard)
		err = search > 0 ? drop_def(t, fid) : leave_scopes(t, fid);
	gx_searches__forget(t->s->searches);
	return err;
}

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
