/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/table/table-int.h"

/* Reading rows: columns of a window of positions. */

#define TEXT_MAX 255U   /* UTF-16 units, [MS-OXCTABL] 2.2.2.5.2: 510 bytes */
#define BINARY_MAX 510U
#define QUERY_MAX 65535U

/* ---- Values of a row ---- */

static int cut_text(struct gx_arena *a, const char **io_s)
{
	const char *p = *io_s, *end = p + strlen(p);
	size_t units = 0;
	if ((size_t)(end - p) <= TEXT_MAX)
		return 0;
	while (p < end) {
		const char *next = p;
		units += gx_utf8_next(&next, end) > 0xffff ? 2 : 1;
		if (units > TEXT_MAX)
			break;
		p = next;
	}
	if (p == end)
		return 0;
	*io_s = gx_arena_strndup(a, *io_s, (size_t)(p - *io_s));
	return *io_s == NULL ? GX_E_NOMEM : 0;
}

static int cut_value(struct gx_arena *a, struct gx_propval *pv)
{
	switch (GX_PROP_TYPE(pv->tag) & ~(GX_MVI_FLAG ^ GX_MV_FLAG)) {
	case PtypString:
	case PtypString8:
		return cut_text(a, &pv->v.str);
	case PtypBinary:
	case PtypObject:
	case PtypServerId:
		if (pv->v.bin.len > BINARY_MAX)
			pv->v.bin.len = BINARY_MAX;
		return 0;
	default:
		return 0;
	}
}

static uint16_t value_type(gx_proptag_t tag)
{
	uint16_t type = GX_PROP_TYPE(tag);
	return (type & GX_MVI_FLAG) == GX_MVI_FLAG ? type & (uint16_t)~GX_MVI_FLAG : type;
}

/* Text is UTF-8 in either type: it goes under the tag that was asked for. */
static bool is_text(gx_proptag_t tag)
{
	uint16_t type = GX_PROP_TYPE(tag) & (uint16_t)~GX_MVI_FLAG;
	return type == PtypString || type == PtypString8;
}

static int read_column(struct gx_rowsrc *x, gx_proptag_t col, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct gx_propval pv;
	int r = x->src.get(col, &pv, x->src.ctx);
	if (r < 0)
		return r;
	if (r == 0) {
		*ret_pv = (struct gx_propval){GX_PROP_RETYPE(col, PtypErrorCode), {.err = ecNotFound}};
		return 0;
	}
	r = x->tb->cut ? cut_value(a, &pv) : 0;
	ret_pv->tag = is_text(col) && is_text(pv.tag) ? col : pv.tag;
	return r != 0 ? r : gx_value_copy(a, value_type(pv.tag), &pv.v, &ret_pv->v);
}

static int read_row(
	struct gx_rowsrc *x, const gx_proptag_t *cols, size_t n, struct gx_arena *a, struct gx_table_row *ret_row)
{
	*ret_row = (struct gx_table_row){
		x->row.id, x->row.inst, x->row.type, x->row.depth, gx_arena_new_array(a, struct gx_propval, n)};
	if (ret_row->v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		int err = read_column(x, cols[i], a, &ret_row->v[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

/* ---- Many rows ---- */

struct query {
	struct gx_table *tb;
	struct gx_txn *t;
	const gx_proptag_t *cols;
	size_t ncols;
	struct gx_arena *a;
	struct gx_table_row *v;
	size_t n;
	struct gx_ahead_since since;
	size_t look;   /* at which row it is seen to it next whether the disk is waited for */
};

/* Rows from here on are asked for all at once when they have to be waited for. */
static void look_ahead(struct query *q, const struct gx_trow *rows, size_t n, size_t i, bool back)
{
	uint64_t mids[GX_AHEAD_MAX];
	size_t k = 0;
	bool bodies = false;
	q->look = i == 0 ? 1 : 2 * i;
	if (q->tb->what != GX_T_CONTENTS || !gx_ahead__waited(&q->tb->s->ahead, q->since))
		return;
	for (size_t c = 0; c < q->ncols; c++)
		bodies = bodies || !gx_msg__is_by_row(q->cols[c]);
	size_t end = n - i < GX_AHEAD_MAX ? n : i + GX_AHEAD_MAX;
	for (size_t j = i; j < end; j++) {
		const struct gx_trow *r = &rows[back ? n - 1 - j : j];
		if (r->type == GX_ROW_LEAF)
			mids[k++] = r->id;
	}
	gx_ahead__messages(q->t, mids, k, bodies);
	q->since = gx_ahead__since();
	q->look = end;
}

static int read_rows(struct query *q, const struct gx_trow *rows, size_t n, bool back)
{
	struct gx_rowsrc x;
	struct gx_arena *scratch = gx_arena_new(0);
	int err = 0;
	if (scratch == NULL)
		return GX_E_NOMEM;
	gx_rowsrc__init(&x, q->tb, q->t, scratch);
	for (size_t i = 0; err == 0 && i < n; i++) {
		if (i == q->look)
			look_ahead(q, rows, n, i, back);
		err = gx_rowsrc__set(&x, &rows[back ? n - 1 - i : i]);
		if (err == 0)
			err = read_row(&x, q->cols, q->ncols, q->a, &q->v[q->n]);
		if (err == 0)
			q->n++;
		else if (err == GX_E_NOTFOUND) /* it went meanwhile */
			err = 0;
		gx_arena_reset(scratch);
	}
	gx_rowsrc__release(&x);
	gx_arena_free(scratch);
	return err;
}

static int read_window(struct query *q, uint64_t pos, size_t n, bool back)
{
	size_t got = 0;
	struct gx_trow *rows = malloc((n + 1) * sizeof(*rows));
	if (rows == NULL)
		return GX_E_NOMEM;
	int err = gx_table__window(q->tb, q->t, pos, n, rows, &got);
	q->v = gx_arena_new_array(q->a, struct gx_table_row, got);
	if (err == 0)
		err = q->v == NULL ? GX_E_NOMEM : read_rows(q, rows, got, back);
	free(rows);
	return err;
}

gx_ec gx_table_query(struct gx_table *tb, struct gx_txn *t, uint32_t pos, int32_t n, const gx_proptag_t *cols,
	size_t ncols, struct gx_arena *a, struct gx_table_row **ret_v, size_t *ret_n)
{
	struct query q = {.tb = tb, .t = t, .cols = cols, .ncols = ncols, .a = a, .since = gx_ahead__since()};
	uint64_t first = pos, want = n < 0 ? (uint64_t)-(int64_t)n : (uint64_t)n, total;
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	want = want > QUERY_MAX ? QUERY_MAX : want;
	int err = gx_table__total(tb, t, &total);
	if (n < 0) { /* row pos and those before it */
		uint64_t end = pos < total ? (uint64_t)pos + 1 : total;
		want = want > end ? end : want;
		first = end - want;
	}
	if (err == 0)
		err = read_window(&q, first, (size_t)want, n < 0);
	gx_table__end(tb);
	if (err != 0)
		return gx_table__ec(t, err);
	*ret_v = q.v;
	*ret_n = q.n;
	return GX_OK_EC;
}

static int read_one(struct gx_table *tb, struct gx_txn *t, const struct gx_trow *row, const gx_proptag_t *cols,
	size_t ncols, struct gx_arena *a, struct gx_table_row *ret_row)
{
	struct gx_rowsrc x;
	struct gx_arena *scratch = gx_arena_new(0);
	if (scratch == NULL)
		return GX_E_NOMEM;
	gx_rowsrc__init(&x, tb, t, scratch);
	int err = gx_rowsrc__set(&x, row);
	if (err == 0)
		err = read_row(&x, cols, ncols, a, ret_row);
	gx_rowsrc__release(&x);
	gx_arena_free(scratch);
	return err;
}

gx_ec gx_table_read(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, const gx_proptag_t *cols,
	size_t ncols, struct gx_arena *a, struct gx_table_row *ret_row)
{
	struct gx_trow row;
	uint64_t pos;
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__place(tb, t, id, inst, &pos, &row);
	if (err == 0)
		err = read_one(tb, t, &row, cols, ncols, a, ret_row);
	gx_table__end(tb);
	return err == GX_E_NOTFOUND ? GX_EC(ecNotFound) : gx_table__ec(t, err);
}

/* ---- Counting and places ---- */

gx_ec gx_table_count(struct gx_table *tb, struct gx_txn *t, uint32_t *ret_n)
{
	uint64_t n = 0;
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__total(tb, t, &n);
	gx_table__end(tb);
	if (err == 0)
		*ret_n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return gx_table__ec(t, err);
}

gx_ec gx_table_seek_fraction(struct gx_table *tb, struct gx_txn *t, uint32_t num, uint32_t den, uint32_t *ret_pos)
{
	uint32_t n;
	if (den == 0)
		return gx_txn__fail(t, ecInvalidParam, "a part of nothing");
	gx_ec ec = gx_table_count(tb, t, &n);
	if (!gx_ec_failed(ec))
		*ret_pos = num >= den ? n : (uint32_t)((uint64_t)n * num / den);
	return ec;
}

gx_ec gx_table_locate(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint32_t *ret_pos, uint8_t *ret_type)
{
	struct gx_trow row;
	uint64_t pos;
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__place(tb, t, id, inst, &pos, &row);
	gx_table__end(tb);
	if (err != 0)
		return err == GX_E_NOTFOUND ? GX_EC(ecNotFound) : gx_table__ec(t, err);
	*ret_pos = (uint32_t)pos;
	*ret_type = row.type;
	return GX_OK_EC;
}

gx_ec gx_table_mark(
	struct gx_table *tb, struct gx_txn *t, uint32_t pos, uint64_t *ret_id, uint32_t *ret_inst, uint8_t *ret_type)
{
	struct gx_trow row;
	size_t n = 0;
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__window(tb, t, pos, 1, &row, &n);
	gx_table__end(tb);
	if (err != 0 || n == 0)
		return err != 0 ? gx_table__ec(t, err) : GX_EC(ecNotFound);
	*ret_id = row.id;
	*ret_inst = row.inst;
	*ret_type = row.type;
	return GX_OK_EC;
}

gx_ec gx_table_reload(struct gx_table *tb, struct gx_txn *t)
{
	int err = 0;
	pthread_mutex_lock(&tb->lock);
	tb->stale = true;
	pthread_mutex_unlock(&tb->lock);
	for (size_t i = 0; i < tb->nbm; i++)
		free(tb->bm[i].key);
	tb->nbm = 0;
	gx_groups__clear(&tb->groups);
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	if (tb->what == GX_T_FIXED)
		err = gx_fixed__fill(tb, t);
	gx_table__end(tb);
	return gx_table__ec(t, err);
}
