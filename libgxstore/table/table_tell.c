/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * What a commit means to contents tables, row by row. Rows that went are told first; then those that came
 * or changed in the order of the table, each with the row before it as it is in the end. Placed one by
 * one behind that row they come to stand right, since all before them stand right already.
 */

/* ---- Rows that an order on disk gives ---- */

struct put {
	uint64_t mid;
	bool was;
	struct gx_bin key;
};
struct gx_told {
	struct gx_told *next;
	uint64_t view;
	const struct gx_orderspec *spec;
	bool unread_only, back;
	int err;
	struct gx_table_event v[2 * GX_TABLE_TOLD_MAX];
	size_t n;
};

static bool in_kind(const struct gx_table *tb, uint32_t flags)
{
	bool fai = (flags & GX_MSGF_FAI) != 0, gone = (flags & GX_MSGF_SOFTDEL) != 0;
	switch (tb->seq.kind) {
	case 0:
		return gone && fai == ((tb->flags & GX_TABLE_ASSOCIATED) != 0);
	case GX_ORDER_FAI:
		return !gone && fai;
	case GX_ORDER_FOUND:
		return !gone;
	default:
		return !gone && !fai;
	}
}

static bool was_row(const struct gx_table *tb, const struct gx_chrow *r)
{
	return r->was && in_kind(tb, r->was_flags) && (!tb->seq.unread_only || !(r->was_flags & GX_MSGF_READ));
}

static bool is_row(const struct gx_table *tb, const struct gx_chrow *r)
{
	return r->is && in_kind(tb, r->is_flags) && (!tb->seq.unread_only || !(r->is_flags & GX_MSGF_READ));
}

/* The folder that a row's message is in: the table's, unless it shows messages of many. */
static uint64_t folder_of(const struct gx_table *tb, struct gx_telling *w, uint64_t mid)
{
	struct gx_msg_row r;
	if (tb->seq.kind != GX_ORDER_FOUND && tb->seq.kind != GX_ORDER_STORE)
		return tb->fid;
	return gx_msg__row(&w->t, mid, &r) == 0 ? r.fid : tb->fid;
}

static struct gx_table_event row_event(
	const struct gx_table *tb, struct gx_telling *w, uint8_t type, uint64_t mid, uint32_t inst)
{
	return (struct gx_table_event){
		.type = type, .row_fid = folder_of(tb, w, mid), .row_mid = mid, .row_inst = inst};
}

static void set_after(
	const struct gx_table *tb, struct gx_telling *w, struct gx_table_event *ev, uint64_t mid, uint32_t inst)
{
	ev->after_fid = folder_of(tb, w, mid);
	ev->after_mid = mid;
	ev->after_inst = inst;
}

static int by_key(const void *a, const void *b)
{
	return gx_order__cmp(((const struct put *)a)->key, ((const struct put *)b)->key);
}

static int make_key(
	const struct gx_table *tb, struct gx_telling *w, struct gx_msgsrc *x, struct gx_orderkeys *k, struct put *p)
{
	struct gx_bin key;
	int err = gx_msgsrc__set_mid(x, p->mid);
	if (err == 0)
		err = gx_seq__make_key(&tb->seq.spec, x, 0, k, &key);
	if (err != 0)
		return err;
	p->key = (struct gx_bin){gx_arena_memdup(w->t.a, key.data, key.len), key.len};
	return p->key.data == NULL ? GX_E_NOMEM : 0;
}

/* The row before it in the table's direction. */
static int find_before(const struct gx_table *tb, struct gx_telling *w, const struct put *p, struct gx_table_event *ev)
{
	struct gx_orderwalk k;
	struct gx_orderrow row;
	unsigned flags = (tb->seq.back ? 0 : GX_WALK_BACK) | (tb->seq.unread_only ? GX_WALK_UNREAD : 0);
	gx_orderwalk__from(&k, &w->t, tb->seq.view, p->key, flags);
	int r = gx_orderwalk__next(&k, &row);
	if (r == 0 || (r > 0 && gx_order__cmp(row.key, p->key) != 0))
		r = GX_E_NOTFOUND; /* it is not where it should be, or the order was taken back with who made it */
	if (r > 0)
		r = gx_orderwalk__next(&k, &row);
	if (r > 0)
		set_after(tb, w, ev, row.mid, row.inst);
	gx_orderwalk__end(&k);
	return r < 0 ? r : 0;
}

static int find_out_puts(const struct gx_table *tb, struct gx_telling *w, struct put *p, size_t n, struct gx_told *c)
{
	struct gx_orderkeys k = {0};
	struct gx_msgsrc x;
	int err = 0;
	gx_msgsrc__init(&x, &w->t, w->t.a);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = make_key(tb, w, &x, &k, &p[i]);
	gx_msgsrc__release(&x);
	gx_push_release(&k.bytes);
	if (err == 0)
		qsort(p, n, sizeof(*p), by_key);
	for (size_t i = 0; err == 0 && i < n; i++) {
		const struct put *q = &p[tb->seq.back ? n - 1 - i : i];
		struct gx_table_event ev =
			row_event(tb, w, q->was ? GX_TABLE_EV_MODIFIED : GX_TABLE_EV_ADDED, q->mid, 0);
		err = find_before(tb, w, q, &ev);
		c->v[c->n++] = ev;
	}
	return err;
}

static int find_out(const struct gx_table *tb, struct gx_telling *w, const struct gx_chfolder *f, struct gx_told *c)
{
	struct put p[GX_TABLE_TOLD_MAX];
	size_t n = 0;
	for (unsigned i = 0; i < f->n; i++) {
		bool was = was_row(tb, &f->row[i]);
		if (is_row(tb, &f->row[i]))
			p[n++] = (struct put){.mid = f->row[i].mid, .was = was};
		else if (was)
			c->v[c->n++] = row_event(tb, w, GX_TABLE_EV_DELETED, f->row[i].mid, 0);
	}
	return n == 0 ? 0 : find_out_puts(tb, w, p, n, c);
}

/* The number of an order that was taken back may be another one's by now. */
static bool same_order(const struct gx_table *tb, const struct gx_told *c)
{
	const struct gx_orderspec *s = &tb->seq.spec;
	return c->view == tb->seq.view && c->spec->len == s->len && memcmp(c->spec->bytes, s->bytes, s->len) == 0;
}

/* Tables that read the same order the same way are told the same. */
static struct gx_told *told_of(const struct gx_table *tb, struct gx_telling *w, const struct gx_chfolder *f)
{
	struct gx_told *c = w->cache;
	while (c != NULL && (!same_order(tb, c) || c->unread_only != tb->seq.unread_only || c->back != tb->seq.back))
		c = c->next;
	if (c != NULL)
		return c;
	c = gx_arena_new_obj(w->t.a, struct gx_told);
	if (c == NULL)
		return NULL;
	c->view = tb->seq.view;
	c->spec = &tb->seq.spec;
	c->unread_only = tb->seq.unread_only;
	c->back = tb->seq.back;
	c->next = w->cache;
	w->cache = c;
	c->err = find_out(tb, w, f, c);
	return c;
}

static void tell_rows(struct gx_table *tb, const struct gx_table_event *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tb->cb(tb, &v[i], tb->cb_ctx);
}

static void tell_order(struct gx_table *tb, struct gx_telling *w, const struct gx_chfolder *f)
{
	tb->moved = true;
	if (tb->cb == NULL || tb->told)
		return;
	struct gx_told *c = tb->seq.spec.mvi >= 0 || tb->seq.kind == GX_ORDER_STORE ? NULL : told_of(tb, w, f);
	if (c == NULL || c->err != 0)
		gx_tables__tell_changed(tb);
	else
		tell_rows(tb, c->v, c->n);
}

/* ---- Rows of a list ---- */

struct listed {
	struct gx_table *tb;
	struct gx_telling *w;
	const struct gx_listchange *c;
	size_t order[GX_TABLE_TOLD_MAX]; /* of what was put, in the table's direction */
};

static int by_place(const void *a, const void *b, void *ctx)
{
	const struct listed *l = ctx;
	size_t x = l->c->put[*(const size_t *)a].at, y = l->c->put[*(const size_t *)b].at;
	int d = (x > y) - (x < y);
	return l->tb->seq.back ? -d : d;
}

static uint64_t row_of(uint64_t entry)
{
	return entry & ~GX_ENTRY(UINT64_C(0), 1, 0); /* without the unread mark */
}

static bool was_there(const struct gx_listchange *c, uint64_t entry)
{
	for (size_t i = 0; i < c->ngone; i++)
		if (row_of(c->gone[i]) == row_of(entry))
			return true;
	return false;
}

static bool is_there(const struct gx_listchange *c, uint64_t entry)
{
	for (size_t i = 0; i < c->nput; i++)
		if (row_of(c->put[i].entry) == row_of(entry))
			return true;
	return false;
}

static void tell_put(struct listed *l, size_t i)
{
	const struct gx_seq *q = &l->tb->seq;
	uint64_t e = l->c->put[i].entry;
	size_t at = l->c->put[i].at;
	struct gx_table_event ev = row_event(l->tb, l->w,
		was_there(l->c, e) ? GX_TABLE_EV_MODIFIED : GX_TABLE_EV_ADDED, GX_ENTRY_MID(e), GX_ENTRY_INST(e));
	if (q->back ? at + 1 < q->n : at > 0) {
		uint64_t before = q->v[q->back ? at + 1 : at - 1];
		set_after(l->tb, l->w, &ev, GX_ENTRY_MID(before), GX_ENTRY_INST(before));
	}
	tell_rows(l->tb, &ev, 1);
}

static void tell_list(struct gx_table *tb, struct gx_telling *w, const struct gx_listchange *c)
{
	struct listed l = {.tb = tb, .w = w, .c = c};
	for (size_t i = 0; i < c->ngone; i++)
		if (!is_there(c, c->gone[i])) {
			struct gx_table_event ev = row_event(
				tb, w, GX_TABLE_EV_DELETED, GX_ENTRY_MID(c->gone[i]), GX_ENTRY_INST(c->gone[i]));
			tell_rows(tb, &ev, 1);
		}
	for (size_t i = 0; i < c->nput; i++)
		l.order[i] = i;
	qsort_r(l.order, c->nput, sizeof(l.order[0]), by_place, &l);
	for (size_t i = 0; i < c->nput; i++)
		tell_put(&l, l.order[i]);
}

/* Nobody uses it at the moment and it is of the state before: it is brought up to date here. */
static void update_list(struct gx_table *tb, struct gx_telling *w, const uint64_t *mids, size_t n)
{
	struct gx_listchange *c = gx_arena_new_obj(w->t.a, struct gx_listchange);
	int err = c == NULL ? GX_E_NOMEM : gx_list__update(tb, &w->t, mids, n, c);
	if (err != 0) {
		tb->stale = true;
		gx_tables__tell_changed(tb);
		return;
	}
	tb->version = w->version;
	if (c->many)
		gx_tables__tell_changed(tb);
	else
		tell_list(tb, w, c);
}

/* What happened to the order that the table's groups lie on. */
static void take_ops(struct gx_table *tb, struct gx_telling *w)
{
	const struct gx_groupops *ops = &w->what->ops;
	if (tb->groups.depth == 0 || tb->seq.listed || tb->stale)
		return;
	for (size_t i = 0; i < ops->n; i++) {
		struct gx_bin key = {ops->bytes.data + ops->v[i].off, ops->v[i].len};
		if (ops->v[i].view != tb->seq.view)
			continue;
		key.len = gx_orderspec__prefix(&tb->seq.spec, key, tb->groups.depth);
		gx_groupops__add(&tb->ops, ops->v[i].view, key, ops->v[i].total, ops->v[i].unread);
	}
	if (ops->many || w->what->ops_missed || tb->ops.many)
		tb->stale = true;
}

static void tell_memory(struct gx_table *tb, struct gx_telling *w, const uint64_t *mids, size_t n)
{
	bool now = tb->cb != NULL && !tb->told && !tb->busy && !tb->stale && tb->npending == 0 &&
		   tb->groups.depth == 0 && tb->limit == UINT32_MAX;
	if (now) {
		update_list(tb, w, mids, n);
		return;
	}
	gx_table__pend(tb, mids, n);
	take_ops(tb, w);
	gx_tables__tell_changed(tb);
}

/* ---- Which of the changes concern a table ---- */

static size_t concerned(const struct gx_table *tb, const struct gx_chfolder *f, uint64_t *mids)
{
	size_t n = 0;
	for (unsigned i = 0; i < f->n; i++) {
		const struct gx_chrow *r = &f->row[i];
		if ((r->was && in_kind(tb, r->was_flags)) || (r->is && in_kind(tb, r->is_flags)))
			mids[n++] = r->mid;
	}
	return n;
}

static void too_many(struct gx_table *tb)
{
	gx_groupops__clear(&tb->ops);
	tb->stale = tb->moved = true;
	gx_tables__tell_changed(tb);
}

/* Messages of all folders. */
static void tell_store(struct gx_table *tb, struct gx_telling *w, bool memory)
{
	for (const struct gx_chfolder *f = w->what->head; f != NULL; f = f->next) {
		uint64_t mids[GX_TABLE_TOLD_MAX];
		size_t n = concerned(tb, f, mids);
		if (f->many) {
			too_many(tb);
		} else if (n > 0) {
			tb->moved = true;
			if (memory)
				gx_table__pend(tb, mids, n);
			gx_tables__tell_changed(tb);
		}
	}
	take_ops(tb, w);
}

void gx_tables__tell_contents(struct gx_table *tb, struct gx_telling *w)
{
	uint64_t mids[GX_TABLE_TOLD_MAX];
	bool memory = tb->seq.listed || tb->groups.depth > 0;
	if (memory && w->version <= tb->version)
		return; /* it has that already */
	if (tb->seq.kind == GX_ORDER_STORE) {
		tell_store(tb, w, memory);
		return;
	}
	const struct gx_chfolder *f = w->what->head;
	while (f != NULL && f->fid != tb->fid)
		f = f->next;
	size_t n = f == NULL ? 0 : concerned(tb, f, mids);
	if (f != NULL && f->many)
		too_many(tb);
	else if (n > 0 && memory)
		tell_memory(tb, w, mids, n);
	else if (n > 0)
		tell_order(tb, w, f);
}
