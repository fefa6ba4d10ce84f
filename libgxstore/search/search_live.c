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

int gx_search__showing(struct gx_txn *t, uint64_t mid, uint64_t v[GX_SEARCH_SHOWING], size_t *ret_n)
{
	size_t n = 0;
	int r;
	GX_STMT(st, t->q, "SELECT fid FROM found WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	while ((r = gx_sql__step(st)) > 0 && n < GX_SEARCH_SHOWING)
		v[n++] = gx_sql__u64(st, 0);
	*ret_n = n;
	return r < 0 ? r : 0;
}

/* Its sort orders and tables have let it go already. */
int gx_search__removed(struct gx_txn *t, const struct gx_msg_row *r)
{
	uint64_t v[GX_SEARCH_SHOWING];
	size_t n = 0;
	int err = 0;
	do {
		err = shown(r) ? gx_search__showing(t, r->mid, v, &n) : 0;
		for (size_t i = 0; err == 0 && i < n; i++)
			err = drop_row(t, v[i], r);
	} while (err == 0 && n == GX_SEARCH_SHOWING);
	return err;
}
