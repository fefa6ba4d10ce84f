/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/table/table-int.h"

/* Hierarchy tables: folders by name, with GX_TABLE_DEPTH each followed by those below it. [MS-OXCFOLD] 2.2.1.13 */

#define DEPTH_MAX 512U

struct walk {
	struct gx_table *tb;
	struct gx_txn *t;
	struct gx_rowsrc x;
	struct gx_arena *a;
};

static int add(struct gx_table *tb, uint64_t fid, unsigned depth)
{
	if (tb->nfolders >= GX_TABLE_ROWS_MAX || tb->nfolders >= tb->limit)
		return tb->nfolders >= tb->limit ? 0 : GX_E_LIMIT;
	if (tb->nfolders == tb->cap_folders) {
		size_t cap = tb->cap_folders == 0 ? 32 : tb->cap_folders * 2;
		struct gx_trow_folder *v = realloc(tb->folders, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		tb->folders = v;
		tb->cap_folders = cap;
	}
	tb->folders[tb->nfolders++] = (struct gx_trow_folder){fid, depth > UINT8_MAX ? UINT8_MAX : (uint8_t)depth};
	return 0;
}

/* 1 when the folder is a row. */
static int holds(struct walk *w, uint64_t fid, uint32_t flags, unsigned depth)
{
	struct gx_trow row = {fid, 0, GX_ROW_LEAF, depth > UINT8_MAX ? UINT8_MAX : (uint8_t)depth};
	bool match = true, deleted = (flags & GX_FF_DELETED) != 0;
	if (deleted != ((w->tb->flags & GX_TABLE_DELETED) != 0) || (flags & GX_FF_BELOW))
		return 0;
	int r = gx_folder__visible(w->t, fid);
	if (r <= 0 || w->tb->restr == NULL)
		return r;
	r = gx_rowsrc__set(&w->x, &row);
	if (r == 0)
		r = gx_restr_eval(w->tb->restr, &w->x.src, &match);
	gx_arena_reset(w->a);
	return r != 0 ? r : match;
}

static int below(struct walk *w, uint64_t parent, unsigned depth);

static int one(struct walk *w, uint64_t fid, uint32_t flags, unsigned depth)
{
	int r = holds(w, fid, flags, depth);
	int err = r > 0 ? add(w->tb, fid, depth) : r;
	if (err != 0 || !(w->tb->flags & GX_TABLE_DEPTH) || depth >= DEPTH_MAX ||
		((flags & GX_FF_DELETED) && !(w->tb->flags & GX_TABLE_DELETED)))
		return err;
	return below(w, fid, depth + 1);
}

static int below(struct walk *w, uint64_t parent, unsigned depth)
{
	GX_STMT(st, w->t->q, "SELECT fid,flags FROM folders WHERE parent=?1 ORDER BY fold,fid");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = one(w, gx_sql__u64(st, 0), (uint32_t)gx_sql__u64(st, 1), depth);
	return err != 0 ? err : r;
}

int gx_folders__fill(struct gx_table *tb, struct gx_txn *t)
{
	struct walk w = {.tb = tb, .t = t, .a = gx_arena_new(0)};
	if (w.a == NULL)
		return GX_E_NOMEM;
	gx_rowsrc__init(&w.x, tb, t, w.a);
	tb->nfolders = 0;
	int err = gx_fstate__write(t);
	if (err == 0)
		err = below(&w, tb->fid, 0);
	gx_rowsrc__release(&w.x);
	gx_arena_free(w.a);
	return err;
}
