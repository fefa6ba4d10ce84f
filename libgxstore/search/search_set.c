/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/propcodec.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"

/* What search folders look for, and where: on disk and in memory. */

#define SCOPE_MAX 1024U
#define FIRST_LOOK 8U /* portions of messages that are looked at before gx_search_set() returns */
#define DEPTH_MAX 512U

int gx_searches__new(struct gx_searches **ret_s)
{
	*ret_s = calloc(1, sizeof(**ret_s));
	return *ret_s == NULL ? GX_E_NOMEM : 0;
}

void gx_searches__forget(struct gx_searches *s)
{
	gx_arena_free(s->a);
	gx_arena_free(s->scratch);
	*s = (struct gx_searches){0};
}

void gx_searches__free(struct gx_searches *s)
{
	if (s == NULL)
		return;
	gx_searches__forget(s);
	free(s);
}

/* ---- Reading ---- */

static int criteria(struct gx_arena *a, struct gx_bin b, const struct gx_restr **ret_r)
{
	const struct gx_px x = GX_PX_EXT(a);
	struct gx_pull c;
	*ret_r = NULL;
	if (b.len == 0)
		return 0;
	uint8_t *kept = gx_arena_memdup(a, b.data, b.len); /* the restriction borrows it */
	if (kept == NULL)
		return GX_E_NOMEM;
	gx_pull_init(&c, kept, b.len);
	*ret_r = gx_px_pull_restr(&c, &x);
	return c.err;
}

static int read_scope(struct gx_txn *t, struct gx_arena *a, struct gx_searchdef *d)
{
	GX_STMT(st, t->q, "SELECT fid FROM scope WHERE search=?1");
	gx_sql__bind_int(st, 1, (int64_t)d->fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		d->scope = gx_arena_grow(a, d->scope, &d->cap_scope, d->nscope + 1, sizeof(*d->scope));
		if (d->scope == NULL)
			return GX_E_NOMEM;
		d->scope[d->nscope++] = gx_sql__u64(st, 0);
	}
	return r;
}

static int from_row(struct gx_txn *t, struct gx_stmt *st, struct gx_arena *a, struct gx_searchdef *d)
{
	*d = (struct gx_searchdef){.fid = gx_sql__u64(st, 0), .flags = (uint32_t)gx_sql__int(st, 1), .state = (int)gx_sql__int(st, 2),
		.at_fid = gx_sql__u64(st, 4), .at_id = gx_sql__u64(st, 5)};
	int err = criteria(a, gx_sql__blob(st, 3), &d->restr);
	if (err != 0 && err != GX_E_NOMEM)
		err = gx_sql__fail(t->q, GX_E_FORMAT, "%s: criteria of search folder %llx are damaged", t->s->file, (unsigned long long)d->fid);
	return err != 0 ? err : read_scope(t, a, d);
}

#define COLUMNS "SELECT fid,flags,state,criteria,at_fid,at_id FROM search"

static int load(struct gx_txn *t, struct gx_searches *s)
{
	s->a = gx_arena_new(0);
	s->scratch = gx_arena_new(0);
	if (s->a == NULL || s->scratch == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, t->q, COLUMNS);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_searchdef *d = gx_arena_new_obj(s->a, struct gx_searchdef);
		int err = d == NULL ? GX_E_NOMEM : from_row(t, st, s->a, d);
		if (err != 0)
			return err;
		d->next = s->head;
		s->head = d;
	}
	s->loaded = r == 0;
	return r;
}

int gx_searches__load(struct gx_txn *t, struct gx_searchdef **ret_head)
{
	struct gx_searches *s = t->s->searches;
	int err = s->loaded ? 0 : load(t, s);
	if (err != 0)
		gx_searches__forget(s);
	else
		*ret_head = s->head;
	return err;
}

static struct gx_searchdef *find(struct gx_searchdef *d, uint64_t fid)
{
	while (d != NULL && d->fid != fid)
		d = d->next;
	return d;
}

/* ---- Scopes ---- */

static bool in_list(const struct gx_searchdef *d, uint64_t fid)
{
	for (size_t i = 0; i < d->nscope; i++)
		if (d->scope[i] == fid)
			return true;
	return false;
}

/* 1 when the folder, or with a recursive search one above it, is in the list. */
static int covers(struct gx_txn *t, const struct gx_searchdef *d, uint64_t fid)
{
	for (unsigned depth = 0; fid != 0 && depth < DEPTH_MAX; depth++) {
		struct gx_folder_row row;
		if (in_list(d, fid))
			return 1;
		if (!(d->flags & RECURSIVE_SEARCH))
			return 0;
		int err = gx_folder__row(t, fid, &row);
		if (err != 0)
			return err == GX_E_NOTFOUND ? 0 : err;
		fid = row.parent;
	}
	return 0;
}

/* Nobody looks into a folder that is deleted, though what is in it may change. */
static int make_cover(struct gx_txn *t, struct gx_searches *s, uint64_t fid, struct gx_searchcover *c)
{
	struct gx_folder_row row;
	size_t cap = 0;
	int err = gx_folder__row(t, fid, &row);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	for (struct gx_searchdef *d = s->head; d != NULL; d = d->next) {
		int yes = covers(t, d, fid);
		if (yes < 0)
			return yes;
		if (!yes)
			continue;
		c->v = gx_arena_grow(s->a, c->v, &cap, c->n + 1, sizeof(struct gx_searchdef *));
		if (c->v == NULL)
			return GX_E_NOMEM;
		c->v[c->n++] = d;
	}
	return 0;
}

int gx_searches__cover(struct gx_txn *t, uint64_t fid, const struct gx_searchcover **ret_c)
{
	struct gx_searches *s = t->s->searches;
	struct gx_searchdef *head;
	int err = gx_searches__load(t, &head);
	if (err != 0)
		return err;
	static const struct gx_searchcover none = {0};
	if (head == NULL) {
		*ret_c = &none;
		return 0;
	}
	struct gx_searchcover **b = &s->cover[fid % GX_SEARCH_BUCKETS], *c;
	for (c = *b; c != NULL && c->fid != fid; c = c->next) {
	}
	if (c == NULL) {
		c = gx_arena_new_obj(s->a, struct gx_searchcover);
		err = c == NULL ? GX_E_NOMEM : make_cover(t, s, fid, c);
		if (err != 0) {
			gx_searches__forget(s);
			return err;
		}
		c->fid = fid;
		c->next = *b;
		*b = c;
	}
	*ret_c = c;
	return 0;
}

/* ---- Setting ---- */

static gx_ec check_scope(struct gx_txn *t, uint64_t fid, const uint64_t *folders, size_t n)
{
	if (n > SCOPE_MAX)
		return gx_txn__fail(t, ecTooBig, "a search looks into at most %u folders", SCOPE_MAX);
	for (size_t i = 0; i < n; i++) {
		struct gx_folder_row row;
		gx_ec ec = gx_folder__need(t, folders[i], GX_RIGHT_READ, &row);
		if (gx_ec_failed(ec))
			return ec;
		if (row.type == GX_FOLDER_SEARCH || folders[i] == fid)
			return gx_txn__fail(t, ecInvalidParam, "folder %llx is a search folder itself", (unsigned long long)folders[i]);
	}
	return GX_OK_EC;
}

static gx_ec check_folder(struct gx_txn *t, uint64_t fid, uint32_t right)
{
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, fid, right, &row);
	if (!gx_ec_failed(ec) && row.type != GX_FOLDER_SEARCH)
		ec = gx_txn__fail(t, ecNotSearchFolder, "folder %llx is no search folder", (unsigned long long)fid);
	return ec;
}

static int write_scope(struct gx_txn *t, uint64_t fid, const uint64_t *folders, size_t n)
{
	GX_STMT(del, t->q, "DELETE FROM scope WHERE search=?1");
	gx_sql__bind_int(del, 1, (int64_t)fid);
	int err = gx_sql__run(del);
	for (size_t i = 0; err == 0 && i < n; i++) {
		GX_STMT(st, t->q, "INSERT OR IGNORE INTO scope(search,fid) VALUES(?1,?2)");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		gx_sql__bind_int(st, 2, (int64_t)folders[i]);
		err = gx_sql__run(st);
	}
	return err;
}

static int write_def(struct gx_txn *t, uint64_t fid, uint32_t flags, int state, const struct gx_restr *r)
{
	const struct gx_px x = GX_PX_EXT(t->a);
	struct gx_push c = GX_PUSH_INIT;
	gx_px_push_restr(&c, &x, r);
	GX_STMT(st, t->q, "REPLACE INTO search(fid,flags,state,criteria,at_fid,at_id) VALUES(?1,?2,?3,?4,0,0)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, flags);
	gx_sql__bind_int(st, 3, state);
	gx_sql__bind_blob(st, 4, c.data, c.len);
	int err = c.err != 0 ? c.err : gx_sql__run(st);
	gx_push_release(&c);
	return err;
}

int gx_searchdef__write_state(struct gx_txn *t, const struct gx_searchdef *d)
{
	GX_STMT(st, t->q, "UPDATE search SET state=?2,at_fid=?3,at_id=?4 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)d->fid);
	gx_sql__bind_int(st, 2, d->state);
	gx_sql__bind_int(st, 3, (int64_t)d->at_fid);
	gx_sql__bind_int(st, 4, (int64_t)d->at_id);
	return gx_sql__run(st);
}

/* A search that is the same and runs goes on; every other one begins anew. */
static bool same(const struct gx_searchdef *old, uint32_t flags, const struct gx_restr *r, const uint64_t *folders, size_t n)
{
	if (old == NULL || old->state == GX_SEARCH_STOPPED || old->restr == NULL || (flags & RESTART_SEARCH) ||
	    ((old->flags ^ flags) & (RECURSIVE_SEARCH | STATIC_SEARCH)) != 0)
		return false;
	if (r != NULL && gx_restr_cmp(r, old->restr) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!in_list(old, folders[i]))
			return false;
	return n == 0 || n == old->nscope;
}

static int begin(struct gx_txn *t, uint64_t fid, uint32_t flags, const struct gx_restr *r, const uint64_t *folders, size_t n)
{
	struct gx_searchdef *head, *d = NULL;
	int err = write_def(t, fid, flags & ~(uint32_t)(RESTART_SEARCH | STOP_SEARCH), GX_SEARCH_POPULATING, r);
	if (err == 0)
		err = write_scope(t, fid, folders, n);
	if (err == 0)
		err = gx_search__clear(t, fid);
	gx_searches__forget(t->s->searches);
	if (err == 0)
		err = gx_searches__load(t, &head);
	if (err == 0 && (d = find(head, fid)) != NULL)
		err = gx_search__advance(t, d, gx_search__portion(t->s, FIRST_LOOK));
	if (err == 0 && d != NULL && d->state != GX_SEARCH_COMPLETE)
		atomic_store(&t->s->searching, true);
	return err;
}

static int stop(struct gx_txn *t, struct gx_searchdef *d)
{
	d->state = GX_SEARCH_STOPPED;
	return gx_searchdef__write_state(t, d);
}

/* What is not given stays what it was. */
static gx_ec complete(struct gx_txn *t, const struct gx_searchdef *old, uint32_t *io_flags, const struct gx_restr **io_r,
	const uint64_t **io_folders, size_t *io_n)
{
	if (*io_r == NULL)
		*io_r = old == NULL ? NULL : old->restr;
	if (*io_n == 0 && old != NULL) {
		*io_folders = old->scope;
		*io_n = old->nscope;
	}
	if (!(*io_flags & (RECURSIVE_SEARCH | SHALLOW_SEARCH)) && old != NULL)
		*io_flags |= old->flags & (RECURSIVE_SEARCH | SHALLOW_SEARCH);
	if (*io_r == NULL || *io_n == 0)
		return gx_txn__fail(t, ecNotInitialized, "a search needs criteria and folders first");
	uint64_t *folders = gx_arena_memdup(t->a, *io_folders, *io_n * sizeof(*folders)); /* of a list that will go */
	if (folders == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	*io_folders = folders;
	return gx_txn__ec(t, gx_restr_copy(t->a, *io_r, io_r));
}

gx_ec gx_search_set(struct gx_txn *t, uint64_t fid, uint32_t flags, const struct gx_restr *r, const uint64_t *folders, size_t n)
{
	struct gx_searchdef *head = NULL, *old;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = check_folder(t, fid, GX_RIGHT_OWNER);
	if (!gx_ec_failed(ec))
		ec = check_scope(t, fid, folders, n);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, gx_searches__load(t, &head));
	if (gx_ec_failed(ec))
		return ec;
	old = find(head, fid);
	if (flags & STOP_SEARCH)
		return old == NULL ? GX_OK_EC : gx_txn__ec(t, stop(t, old));
	if (same(old, flags, r, folders, n))
		return GX_OK_EC;
	ec = complete(t, old, &flags, &r, &folders, &n);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, begin(t, fid, flags, r, folders, n));
}

static uint32_t status_of(const struct gx_searchdef *d)
{
	uint32_t s = (d->flags & RECURSIVE_SEARCH ? SEARCH_RECURSIVE : 0) | (d->flags & FOREGROUND_SEARCH ? SEARCH_FOREGROUND : 0) |
		(d->flags & STATIC_SEARCH ? SEARCH_STATIC : 0);
	switch (d->state) {
	case GX_SEARCH_COMPLETE:
		return s | SEARCH_COMPLETE | (d->flags & STATIC_SEARCH ? 0 : SEARCH_RUNNING);
	case GX_SEARCH_STOPPED:
		return d->restr == NULL ? 0 : s | SEARCH_COMPLETE;
	default:
		return s | SEARCH_RUNNING | SEARCH_REBUILD;
	}
}

gx_ec gx_search_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_search_info *ret_i)
{
	struct gx_searchdef d = {0};
	gx_ec ec = check_folder(t, fid, GX_RIGHT_VISIBLE | GX_RIGHT_READ);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, COLUMNS " WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r > 0)
		r = from_row(t, st, a, &d);
	if (r < 0)
		return gx_txn__ec(t, r);
	*ret_i = (struct gx_search_info){.status = status_of(&d), .restr = d.restr, .folders = d.scope, .n = d.nscope};
	return GX_OK_EC;
}

/* ---- By hand ---- */

static gx_ec each(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool link)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = check_folder(t, fid, GX_RIGHT_OWNER);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++) {
		struct gx_msg_row r;
		int err = gx_msg__row(t, mids[i], &r);
		if (err == GX_E_NOTFOUND || (err == 0 && (r.flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL))))
			continue;
		if (err == 0)
			err = link ? gx_search__link(t, fid, &r) : gx_search__unlink(t, fid, &r);
		ec = gx_txn__ec(t, err);
	}
	return ec;
}

gx_ec gx_search_link(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n)
{
	return each(t, fid, mids, n, true);
}

gx_ec gx_search_unlink(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n)
{
	return each(t, fid, mids, n, false);
}

gx_ec gx_search_shows(struct gx_txn *t, uint64_t fid, uint64_t mid, bool *ret_shown)
{
	struct gx_msg_info i;
	gx_ec ec = gx_msg_get(t, mid, &i);
	*ret_shown = !gx_ec_failed(ec) && i.fid == fid;
	if (gx_ec_failed(ec) || *ret_shown || gx_far(t) != NULL) /* far folders are asked through their owner, which looks itself */
		return ec;
	int there = gx_search__shows(t, fid, mid);
	*ret_shown = there > 0;
	return gx_txn__ec(t, there < 0 ? there : 0);
}
