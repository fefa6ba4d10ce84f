/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Bookmarks hold a row and its key: as long as the row is there they follow it, and when it is gone the key
 * tells what comes after it. [MS-OXCTABL] 3.2.5.9
 */

static struct gx_bookmark *find_mark(struct gx_table *tb, uint32_t id)
{
	for (size_t i = 0; i < tb->nbm; i++)
		if (tb->bm[i].id == id)
			return &tb->bm[i];
	return NULL;
}

/* The leaf row's key, as it is made by the order that the table reads at the moment. */
static int keep_key(struct gx_table *tb, struct gx_txn *t, struct gx_bookmark *b)
{
	struct gx_push key = GX_PUSH_INIT;
	uint64_t leaf = b->pos;
	if (tb->what != GX_T_CONTENTS || b->row.type != GX_ROW_LEAF)
		return 0;
	if (tb->groups.depth > 0)
		gx_groups__at(&tb->groups, b->pos, &leaf);
	int err = gx_seq__key(tb, t, leaf, &key);
	if (err == 0) {
		b->key_len = key.len;
		b->key = malloc(key.len);
		err = b->key == NULL ? GX_E_NOMEM : 0;
	}
	if (err == 0)
		memcpy(b->key, key.data, key.len);
	gx_push_release(&key);
	return err;
}

static int add_mark(struct gx_table *tb, struct gx_txn *t, uint64_t pos, uint32_t *ret_bm)
{
	struct gx_bookmark b = {.id = tb->last_bm + 1, .pos = pos};
	size_t n = 0;
	if (tb->nbm == tb->cap_bm) {
		size_t cap = tb->cap_bm == 0 ? 8 : tb->cap_bm * 2;
		struct gx_bookmark *v = realloc(tb->bm, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		tb->bm = v;
		tb->cap_bm = cap;
	}
	int err = gx_table__window(tb, t, pos, 1, &b.row, &n);
	b.end = n == 0;
	if (err == 0 && !b.end)
		err = keep_key(tb, t, &b);
	if (err != 0)
		return err;
	tb->bm[tb->nbm++] = b;
	*ret_bm = tb->last_bm = b.id;
	return 0;
}

gx_ec gx_table_bookmark(struct gx_table *tb, struct gx_txn *t, uint32_t pos, uint32_t *ret_bm)
{
	if (tb->nbm >= GX_BOOKMARKS_MAX)
		return gx_txn__fail(t, ecTooComplex, "a table has at most %u bookmarks", GX_BOOKMARKS_MAX);
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = add_mark(tb, t, pos, ret_bm);
	gx_table__end(tb);
	return gx_table__ec(t, err);
}

/* ---- Where the next row is when the row is gone ---- */

/* Inside of its group, or behind the header when that is closed; GX_E_NOTFOUND: the group is gone, too. */
static int after_in_groups(struct gx_table *tb, struct gx_bin key, uint64_t rank, uint64_t *ret_pos)
{
	const struct gx_groups *g = &tb->groups;
	for (unsigned k = g->depth; k > 0; k--) {
		size_t len = gx_orderspec__prefix(&tb->seq.spec, key, k);
		size_t i = len == 0 ? SIZE_MAX : gx_groups__by_prefix(g, (struct gx_bin){key.data, len});
		uint64_t pos = i == SIZE_MAX ? UINT64_MAX : gx_groups__pos(g, i);
		if (pos == UINT64_MAX)
			continue;
		bool rows = k == g->depth && g->v[i].open && rank >= g->v[i].start &&
			    rank <= g->v[i].start + g->v[i].count;
		*ret_pos = pos + 1 + (rows ? rank - g->v[i].start : 0);
		return 0;
	}
	return GX_E_NOTFOUND;
}

static int next_row(
	struct gx_table *tb, struct gx_txn *t, const struct gx_bookmark *b, uint64_t total, uint64_t *ret_pos)
{
	struct gx_bin key = {b->key, b->key_len};
	uint64_t rank = 0;
	int err = b->key == NULL ? GX_E_NOTFOUND : gx_seq__rank(tb, t, key, &rank);
	*ret_pos = rank;
	if (err == 0 && tb->groups.depth > 0)
		err = after_in_groups(tb, key, rank, ret_pos);
	if (err == GX_E_NOTFOUND) {
		*ret_pos = b->pos;
		err = 0;
	}
	if (*ret_pos > total)
		*ret_pos = total;
	return err;
}

static int where(struct gx_table *tb, struct gx_txn *t, struct gx_bookmark *b, uint64_t *ret_pos, bool *ret_gone)
{
	struct gx_trow row;
	uint64_t total;
	int err = gx_table__total(tb, t, &total);
	*ret_pos = total;
	*ret_gone = false;
	if (err != 0 || b->end)
		return err;
	err = gx_table__place(tb, t, b->row.id, b->row.inst, ret_pos, &row);
	if (err == GX_E_NOTFOUND) {
		*ret_gone = true;
		err = next_row(tb, t, b, total, ret_pos);
	}
	if (err == 0)
		b->pos = *ret_pos;
	return err;
}

gx_ec gx_table_bookmark_pos(struct gx_table *tb, struct gx_txn *t, uint32_t bm, uint32_t *ret_pos, bool *ret_gone)
{
	uint64_t pos = 0;
	struct gx_bookmark *b = find_mark(tb, bm);
	if (b == NULL)
		return gx_txn__fail(t, ecInvalidBookmark, "no bookmark %u", bm);
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = where(tb, t, b, &pos, ret_gone);
	gx_table__end(tb);
	if (err == 0)
		*ret_pos = (uint32_t)pos;
	return gx_table__ec(t, err);
}

gx_ec gx_table_bookmark_free(struct gx_table *tb, uint32_t bm)
{
	struct gx_bookmark *b = find_mark(tb, bm);
	if (b == NULL)
		return GX_EC(ecInvalidBookmark);
	free(b->key);
	*b = tb->bm[--tb->nbm];
	return GX_OK_EC;
}
