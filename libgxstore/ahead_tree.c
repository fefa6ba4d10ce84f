/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <gx/cursor.h>
#include "libgxstore/ahead-int.h"
#include "libgxstore/fs-int.h"

/*
 * Just enough of SQLite's file format to find the pages of a table's rows: "Database File Format" of its
 * documentation, 1.3 (header), 1.6 (pages of B-trees). Pages may be older than what the log has, or be written at
 * this moment.
 */

#define HEADER 100U      /* bytes, before the content of page 1 */
#define LEVELS 12U       /* no tree of SQLite's is deeper */
#define INTERIOR 5U
#define LEAF 13U

int gx_ahead__file(struct gx_ahead_file *f)
{
	uint8_t head[HEADER];
	struct gx_pull c;
	int err = gx_fs__pread_all(&gx_fs__system, f->fd, head, sizeof(head), 0);
	if (err != 0)
		return err;
	gx_pull_init(&c, head, sizeof(head));
	gx_pull_skip(&c, 16);
	uint32_t size = gx_pull_u16be(&c);
	gx_pull_skip(&c, 2);
	uint32_t reserved = gx_pull_u8(&c);
	size = size == 1 ? 65536 : size;
	if (c.err != 0 || size < 512 || (size & (size - 1)) != 0 || size - reserved < 480)
		return GX_E_FORMAT;
	f->page_size = size;
	f->usable = size - reserved;
	f->buf = malloc(size);
	return f->buf == NULL ? GX_E_NOMEM : 0;
}

void gx_ahead__file_release(struct gx_ahead_file *f)
{
	free(f->buf);
	f->buf = NULL;
}

/* ---- One page ---- */

struct page {
	const uint8_t *data;
	size_t len;
	uint8_t kind;
	uint16_t cells;
	size_t pointers;    /* offset of the array of cells' offsets */
	uint32_t right;
};

static int read_page(struct gx_ahead_file *f, uint32_t no, struct page *ret_p)
{
	struct page p = {.data = f->buf, .len = f->usable};
	struct gx_pull c;
	int err = gx_fs__pread_all(&gx_fs__system, f->fd, f->buf, f->page_size, (uint64_t)(no - 1) * f->page_size);
	if (err != 0)
		return err;
	size_t start = no == 1 ? HEADER : 0;
	gx_pull_init(&c, p.data, p.len);
	gx_pull_skip(&c, start);
	p.kind = gx_pull_u8(&c);
	gx_pull_skip(&c, 2);
	p.cells = gx_pull_u16be(&c);
	gx_pull_skip(&c, 3);
	p.right = p.kind == INTERIOR ? gx_pull_u32be(&c) : 0;
	p.pointers = start + (p.kind == INTERIOR ? 12 : 8);
	if (c.err != 0 || (p.kind != INTERIOR && p.kind != LEAF) || c.left / 2 < p.cells)
		return GX_E_FORMAT;
	*ret_p = p;
	return 0;
}

/* At the beginning of cell @i. */
static void at_cell(const struct page *p, unsigned i, struct gx_pull *ret_c)
{
	struct gx_pull c;
	gx_pull_init(&c, p->data, p->len);
	gx_pull_skip(&c, p->pointers + 2 * (size_t)i);
	size_t off = gx_pull_u16be(&c);
	gx_pull_init(ret_c, p->data, p->len);
	gx_pull_skip(ret_c, off);
}

/* SQLite's own: big-endian, the ninth byte has eight bits. */
static uint64_t pull_number(struct gx_pull *c)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t b = gx_pull_u8(c);
		v = v << 7 | (b & 0x7f);
		if (!(b & 0x80))
			return v;
	}
	return v << 8 | gx_pull_u8(c);
}

/* The rowid of cell @i; *ret_first is what stands before it: a page, or the length of the row. */
static int64_t cell_id(const struct page *p, unsigned i, struct gx_pull *c, uint64_t *ret_first)
{
	at_cell(p, i, c);
	*ret_first = p->kind == INTERIOR ? gx_pull_u32be(c) : pull_number(c);
	return (int64_t)pull_number(c);
}

/* The first cell whose rowid is not below @id. */
static unsigned find_cell(const struct page *p, uint64_t id)
{
	unsigned lo = 0, hi = p->cells;
	while (lo < hi) {
		struct gx_pull c;
		uint64_t first;
		unsigned mid = lo + (hi - lo) / 2;
		if (cell_id(p, mid, &c, &first) < (int64_t)id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Bytes of a row that lie in its cell, "Cell payload overflow pages". */
static uint64_t local_bytes(uint64_t usable, uint64_t row)
{
	uint64_t max = usable - 35, min = (usable - 12) * 32 / 255 - 23;
	if (row <= max)
		return row;
	uint64_t k = min + (row - min) % (usable - 4);
	return k <= max ? k : min;
}

static void look_into_leaf(struct gx_ahead_file *f, const struct page *p, struct gx_ahead_want *w)
{
	unsigned i = find_cell(p, w->id);
	struct gx_pull c;
	uint64_t row;
	w->page = 0;
	if (i == p->cells || cell_id(p, i, &c, &row) != (int64_t)w->id)
		return;
	w->found = c.err == 0;
	uint64_t local = local_bytes(f->usable, row);
	if (local == row || local > c.left)
		return;
	gx_pull_skip(&c, (size_t)local);
	uint32_t more = gx_pull_u32be(&c); /* the next part of the row: the columns asked for may reach into it */
	if (c.err == 0 && more != 0)
		f->ask(more, f->ctx);
}

static void look(struct gx_ahead_file *f, const struct page *p, struct gx_ahead_want *w)
{
	struct gx_pull c;
	uint64_t child = p->right;
	if (p->kind == LEAF) {
		look_into_leaf(f, p, w);
		return;
	}
	unsigned i = find_cell(p, w->id);
	if (i < p->cells)
		(void)cell_id(p, i, &c, &child);
	w->page = (uint32_t)child;
}

/* ---- All of them ---- */

static int by_id(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct gx_ahead_want *)a)->id, y = (int64_t)((const struct gx_ahead_want *)b)->id;
	return (x > y) - (x < y);
}

/* Rows that are neighbours share pages: each is asked for once. @return false when there is none. */
static bool ask_level(struct gx_ahead_file *f, const struct gx_ahead_want *v, size_t n)
{
	uint32_t last = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].page != 0 && v[i].page != last) {
			last = v[i].page;
			f->ask(last, f->ctx);
		}
	return last != 0;
}

static void walk_level(struct gx_ahead_file *f, struct gx_ahead_want *v, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t no = v[i].page;
		struct page p;
		bool ok = no != 0 && read_page(f, no, &p) == 0;
		for (; i < n && v[i].page == no; i++) {
			if (ok)
				look(f, &p, &v[i]);
			else
				v[i].page = 0;
		}
	}
}

void gx_ahead__walk(struct gx_ahead_file *f, uint32_t root, struct gx_ahead_want *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_id);
	for (size_t i = 0; i < n; i++)
		v[i].page = root;
	for (unsigned level = 0; level < LEVELS && ask_level(f, v, n); level++)
		walk_level(f, v, n);
}
