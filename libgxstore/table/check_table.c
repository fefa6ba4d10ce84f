/* SPDX-License-Identifier: Apache-2.0 */
/* Tables against a model in memory that sorts, restricts and groups everything anew each time. */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/table/table-int.h"
#include "libgxstore/storetest.h"

#define WORDS GX_PROP_TAG(0x6801, PtypMultipleString)
#define WORD GX_PROP_TAG(0x6801, 0x301f)
#define MESSAGES 4000
#define ROWS (MESSAGES * 3)

static struct {
	char dir[512];
	struct gx_store *s;
	struct gx_arena *a, *keep;
} w;

static void setup(void)
{
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
	w.keep = gx_arena_new(0);
	const char *seed = getenv("GX_SEED");
	srandom(seed == NULL ? 11 : (unsigned)strtoul(seed, NULL, 10));
}

static void teardown(void)
{
	st_verify(w.s);
	gx_store_close(w.s);
	gx_arena_free(w.a);
	gx_arena_free(w.keep);
	st_rmtree(w.dir);
}

static unsigned rnd(unsigned n)
{
	return (unsigned)random() % n;
}

/* ---- Messages ---- */

struct mmsg {
	uint64_t mid, fid;
	uint32_t flags;
	const char *subject;
	int importance; /* -1: none */
	const char *words[3];
	unsigned nwords;
	gx_nttime_t time;
	bool gone;
};
static struct mmsg model[MESSAGES];
static unsigned nmodel;
static gx_nttime_t clock_now;

static const char *random_text(void)
{
	static const char *const part[] = {"a", "B", "b", "\xc3\xa4", "\xc3\x84", "zz", "1"};
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (unsigned i = 1 + rnd(2); i > 0; i--)
		gx_strbuf_adds(&b, part[rnd(7)]);
	const char *s = gx_arena_strdup(w.keep, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return s;
}

static void fill(struct mmsg *m)
{
	m->subject = random_text();
	m->importance = (int)rnd(4) - 1;
	m->nwords = rnd(4);
	for (unsigned k = 0; k < m->nwords; k++)
		m->words[k] = random_text();
}

static void to_list(const struct mmsg *m, struct gx_proplist *l)
{
	union gx_value *v = gx_arena_new_array(w.keep, union gx_value, 3);
	for (unsigned k = 0; k < m->nwords; k++)
		v[k].str = m->words[k];
	ck_assert_int_eq(gx_proplist_set_str(l, w.keep, PidTagSubject, m->subject), 0);
	if (m->importance >= 0)
		ck_assert_int_eq(gx_proplist_set_i32(l, w.keep, PidTagImportance, m->importance), 0);
	ck_assert_int_eq(gx_proplist_set(l, w.keep, WORDS, (union gx_value){.mv = {v, m->nwords}}), 0);
}

static struct mmsg *do_insert(struct gx_txn *t, uint64_t fid, uint32_t flags)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct mmsg *m = &model[nmodel++];
	struct gx_msgobj *obj = gx_msgobj_new(w.a);
	ck_assert_uint_lt(nmodel, MESSAGES);
	clock_now += 2;
	*m = (struct mmsg){.fid = fid, .flags = flags, .time = rnd(4) ? clock_now : clock_now / 4 * 2 + 1};
	fill(m);
	to_list(m, &obj->props);
	src.obj = obj;
	ck_assert_int_eq(gx_msg_prepare(w.a, &src, &p), 0);
	o.flags = flags;
	o.received = m->time;
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	gx_msg_prepared_release(p);
	m->mid = ids.mid;
	return m;
}

static void do_flags(struct gx_txn *t, struct mmsg *m)
{
	bool on = rnd(2);
	struct gx_flag_change c = {on ? GX_FLAGS_ADD : GX_FLAGS_REMOVE, GX_MSGF_READ, NULL, UINT64_MAX};
	m->flags = on ? m->flags | GX_MSGF_READ : m->flags & ~(uint32_t)GX_MSGF_READ;
	ST_OK(gx_msg_change_flags(t, m->fid, &m->mid, 1, &c, NULL, NULL, NULL));
}

static void do_props(struct gx_txn *t, struct mmsg *m)
{
	struct gx_proplist l = {0};
	struct mmsg fresh = {0};
	fill(&fresh);
	m->subject = fresh.subject;
	if (fresh.importance >= 0)
		m->importance = fresh.importance;
	m->nwords = fresh.nwords;
	memcpy(m->words, fresh.words, sizeof(m->words));
	to_list(&fresh, &l);
	ST_OK(gx_msg_set_props(t, m->mid, &l));
}

static void do_move(struct gx_txn *t, struct mmsg *m, uint64_t to)
{
	struct gx_msg_ids ids;
	ST_OK(gx_msg_copy(t, m->fid, &m->mid, 1, to, true, &ids));
	struct mmsg *c = &model[nmodel++];
	*c = *m;
	c->mid = ids.mid;
	c->fid = to;
	m->gone = true;
}

static struct mmsg *pick(void)
{
	for (unsigned tries = 0; nmodel > 0 && tries < 50; tries++) {
		struct mmsg *m = &model[rnd(nmodel)];
		if (!m->gone)
			return m;
	}
	return NULL;
}

static void random_op(struct gx_txn *t)
{
	uint64_t fid = rnd(4) ? GX_FID_INBOX : GX_FID_DRAFTS;
	struct mmsg *m = pick();
	unsigned what = rnd(12);
	if (nmodel >= MESSAGES - 2)
		return;
	if (what < 5 || m == NULL)
		do_insert(t, fid, (rnd(2) ? GX_MSGF_READ : 0) | (rnd(8) == 0 ? GX_MSGF_FAI : 0));
	else if (what < 7)
		do_flags(t, m);
	else if (what < 9)
		do_props(t, m);
	else if (what < 10)
		do_move(t, m, fid);
	else {
		ST_OK(gx_msg_delete(t, m->fid, &m->mid, 1, rnd(2)));
		m->gone = true;
	}
}

static void start_model(unsigned n)
{
	nmodel = 0;
	memset(model, 0, sizeof(model));
	clock_now = 1000;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < n; i++)
		if (rnd(2))
			do_insert(t, rnd(8) ? GX_FID_INBOX : GX_FID_DRAFTS,
				(rnd(2) ? GX_MSGF_READ : 0) | (rnd(8) == 0 ? GX_MSGF_FAI : 0));
		else
			random_op(t);
	st_commit(t);
}

/* ---- What a table should show ---- */

struct mrow {
	const struct mmsg *m;
	const char *word;
	unsigned inst;
	/* of a header */
	bool header;
	unsigned depth, count, unread;
	const char *path;
};
struct view {
	const char *name;
	uint64_t fid;
	uint32_t flags;
	const struct gx_sort *cols;
	uint16_t ncols, categories, expanded;
	const struct gx_restr *restr;
	bool (*holds)(const struct mmsg *m);
	/* while it is open */
	struct gx_table *tb;
	const char *turned[64]; /* paths of groups that are not as they were at first */
	unsigned nturned;
	uint64_t copy[ROWS];    /* a client's copy, kept by events */
	unsigned ncopy;
	bool reread;
	unsigned events, changes;
};

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))

static int cmp_str(const char *x, const char *y)
{
	return x == NULL || y == NULL ? (x != NULL) - (y != NULL) : gx_utf8_casecmp(x, y);
}

static int cmp_col(gx_proptag_t tag, const struct mrow *x, const struct mrow *y)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagMessageDeliveryTime):
		return CMP(x->m->time, y->m->time);
	case GX_PROP_ID(PidTagSubject):
		return cmp_str(x->m->subject, y->m->subject);
	case GX_PROP_ID(PidTagImportance):
		return CMP(x->m->importance, y->m->importance);
	case GX_PROP_ID(PidTagMid):
		return CMP(x->m->mid, y->m->mid);
	default:
		return cmp_str(x->word, y->word);
	}
}

static bool descends(uint8_t order)
{
	return order == GX_SORT_DESCEND || order == GX_SORT_MAX_CATEGORY;
}

static int cmp_cols(const struct view *v, const struct mrow *x, const struct mrow *y)
{
	for (unsigned i = 0; i < v->ncols; i++) {
		int d = cmp_col(v->cols[i].tag, x, y);
		if (d != 0)
			return descends(v->cols[i].order) ? -d : d;
	}
	return 0;
}

static int cmp_rows(const void *a, const void *b, void *ctx)
{
	const struct view *v = ctx;
	const struct mrow *x = a, *y = b;
	int d = cmp_cols(v, x, y);
	if (d == 0)
		d = x->m->mid != y->m->mid ? CMP(x->m->mid, y->m->mid) : CMP(x->inst, y->inst);
	else
		return d;
	return descends(v->cols[0].order) ? -d : d;
}

static bool in_folder(const struct view *v, const struct mmsg *m)
{
	bool fai = (m->flags & GX_MSGF_FAI) != 0;
	return !m->gone && m->fid == v->fid && fai == ((v->flags & GX_TABLE_ASSOCIATED) != 0) &&
	       (v->holds == NULL || v->holds(m));
}

static unsigned leaf_rows(const struct view *v, struct mrow *out)
{
	unsigned n = 0;
	bool words = false;
	for (unsigned i = 0; i < v->ncols; i++)
		words = words || v->cols[i].tag == WORD;
	for (unsigned i = 0; i < nmodel; i++) {
		const struct mmsg *m = &model[i];
		if (!in_folder(v, m))
			continue;
		if (!words || m->nwords == 0)
			out[n++] = (struct mrow){.m = m, .depth = v->categories};
		for (unsigned k = 0; words && k < m->nwords; k++)
			out[n++] = (struct mrow){.m = m, .word = m->words[k], .inst = k + 1, .depth = v->categories};
	}
	qsort_r(out, n, sizeof(*out), cmp_rows, (void *)(uintptr_t)v);
	return n;
}

static const char *fold(const char *s)
{
	return s == NULL ? "-" : gx_fold__key(w.a, s);
}

static const char *path_of(const struct view *v, const struct mrow *r, unsigned depth)
{
	const char *s = "";
	for (unsigned i = 0; i <= depth; i++)
		switch (GX_PROP_ID(v->cols[i].tag)) {
		case GX_PROP_ID(PidTagImportance):
			s = gx_arena_printf(w.a, "%s/%d", s, r->m->importance);
			break;
		case GX_PROP_ID(PidTagSubject):
			s = gx_arena_printf(w.a, "%s/%s", s, fold(r->m->subject));
			break;
		default:
			s = gx_arena_printf(w.a, "%s/%s", s, fold(r->word));
		}
	return s;
}

static bool is_open(const struct view *v, const char *path, unsigned depth)
{
	bool open = depth < v->expanded;
	for (unsigned i = 0; i < v->nturned; i++)
		if (strcmp(v->turned[i], path) == 0)
			return !open;
	return open;
}

struct range {
	unsigned first, n;
};

static const struct mrow *sorting_rows;
static const struct view *sorting_view;

static int by_extremum(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	const struct gx_sort *c = &sorting_view->cols[sorting_view->categories];
	int d = cmp_col(c->tag, &sorting_rows[x->first], &sorting_rows[y->first]);
	return d != 0 ? descends(c->order) ? -d : d : CMP(x->first, y->first);
}

/* Groups of one level among leaf rows [first, end), and what can be seen of them. */
static unsigned show_level(
	const struct view *v, const struct mrow *leaf, unsigned first, unsigned end, unsigned depth, struct mrow *out)
{
	static struct range all[8][ROWS];
	struct range *g = all[depth];
	unsigned ng = 0, n = 0;
	for (unsigned i = first; i < end; i++) {
		if (ng > 0 && strcmp(path_of(v, &leaf[g[ng - 1].first], depth), path_of(v, &leaf[i], depth)) == 0)
			g[ng - 1].n++;
		else
			g[ng++] = (struct range){i, 1};
	}
	bool extremum = depth + 1U == v->categories && v->categories < v->ncols &&
			v->cols[v->categories].order >= GX_SORT_MAX_CATEGORY;
	sorting_rows = leaf;
	sorting_view = v;
	if (extremum)
		qsort(g, ng, sizeof(*g), by_extremum);
	for (unsigned i = 0; i < ng; i++) {
		struct mrow h = leaf[g[i].first];
		h.header = true;
		h.depth = depth;
		h.path = path_of(v, &h, depth);
		h.count = g[i].n;
		h.unread = 0;
		for (unsigned k = 0; k < g[i].n; k++)
			h.unread += !(leaf[g[i].first + k].m->flags & GX_MSGF_READ);
		out[n++] = h;
		if (!is_open(v, h.path, depth))
			continue;
		if (depth + 1U < v->categories) {
			n += show_level(v, leaf, g[i].first, g[i].first + g[i].n, depth + 1, out + n);
		} else {
			memcpy(out + n, leaf + g[i].first, g[i].n * sizeof(*out));
			n += g[i].n;
		}
	}
	return n;
}

static struct mrow leafs[ROWS], want[ROWS * 2];

/* A group that went and comes again begins anew. */
static void forget_gone(struct view *v)
{
	unsigned n = leaf_rows(v, leafs);
	for (unsigned k = 0; k < v->nturned; k++) {
		unsigned depth = 0, i = 0;
		for (const char *p = v->turned[k] + 1; *p != '\0'; p++)
			depth += *p == '/';
		while (i < n && strcmp(path_of(v, &leafs[i], depth), v->turned[k]) != 0)
			i++;
		if (i == n)
			v->turned[k--] = v->turned[--v->nturned];
	}
}

static unsigned expected(const struct view *v)
{
	unsigned n = leaf_rows(v, v->categories == 0 ? want : leafs);
	return v->categories == 0 ? n : show_level(v, leafs, 0, n, 0, want);
}

/* ---- Comparing ---- */

static const gx_proptag_t cols[] = {PidTagMid, PidTagInstID, PidTagInstanceNum, PidTagRowType, PidTagDepth,
	PidTagContentCount, PidTagContentUnreadCount, PidTagSubject, PidTagImportance, PidTagMessageDeliveryTime,
	PidTagRead, WORD};
enum {
	C_MID,
	C_INST,
	C_NUM,
	C_TYPE,
	C_DEPTH,
	C_COUNT,
	C_UNREAD,
	C_SUBJECT,
	C_IMPORTANCE,
	C_TIME,
	C_READ,
	C_WORD,
	NCOLS
};

static bool absent(const struct gx_propval *pv)
{
	return GX_PROP_TYPE(pv->tag) == PtypErrorCode && pv->v.err == ecNotFound;
}

static void compare_header(const struct view *v, const struct gx_table_row *r, const struct mrow *m)
{
	ck_assert_msg(r->id >> 48 == 2, "%s: a header has id %llx", v->name, (unsigned long long)r->id);
	ck_assert_int_eq(r->type, is_open(v, m->path, m->depth) ? GX_ROW_EXPANDED : GX_ROW_COLLAPSED);
	ck_assert_uint_eq(r->depth, m->depth);
	ck_assert_int_eq(r->v[C_COUNT].v.i32, (int32_t)m->count);
	ck_assert_int_eq(r->v[C_UNREAD].v.i32, (int32_t)m->unread);
	ck_assert(absent(&r->v[C_MID]) && absent(&r->v[C_READ]));
	for (unsigned i = 0; i < v->categories; i++) {
		bool shown = i <= m->depth;
		switch (GX_PROP_ID(v->cols[i].tag)) {
		case GX_PROP_ID(PidTagSubject):
			ck_assert(shown ? gx_utf8_casecmp(r->v[C_SUBJECT].v.str, m->m->subject) == 0
					: absent(&r->v[C_SUBJECT]));
			break;
		case GX_PROP_ID(PidTagImportance):
			ck_assert(!shown || m->m->importance < 0 ? absent(&r->v[C_IMPORTANCE])
								 : r->v[C_IMPORTANCE].v.i32 == m->m->importance);
			break;
		default:
			ck_assert(!shown || m->word == NULL ? absent(&r->v[C_WORD])
							    : gx_utf8_casecmp(r->v[C_WORD].v.str, m->word) == 0);
		}
	}
}

static void compare_leaf(const struct view *v, const struct gx_table_row *r, const struct mrow *m)
{
	ck_assert_int_eq(r->type, GX_ROW_LEAF);
	/* Rows with equal columns may stand in any order: it is enough that this one compares equal. */
	struct mrow got = *m;
	got.m = NULL;
	for (unsigned i = 0; i < nmodel; i++)
		if (model[i].mid == r->id && !model[i].gone)
			got.m = &model[i];
	ck_assert_msg(got.m != NULL, "%s: row %llx is no message", v->name, (unsigned long long)r->id);
	got.inst = r->inst;
	got.word = r->inst == 0 ? NULL : got.m->words[r->inst - 1];
	ck_assert_msg(cmp_cols(v, &got, m) == 0, "%s: row %llx stands where %llx should", v->name,
		(unsigned long long)r->id, (unsigned long long)m->m->mid);
	ck_assert_uint_eq((uint64_t)r->v[C_MID].v.i64, r->id);
	ck_assert_uint_eq((uint64_t)r->v[C_INST].v.i64, r->id);
	ck_assert_uint_eq((uint32_t)r->v[C_NUM].v.i32, r->inst);
	ck_assert_int_eq(r->v[C_TYPE].v.i32, GX_ROW_LEAF);
	ck_assert_uint_eq((uint32_t)r->v[C_DEPTH].v.i32, v->categories);
	ck_assert_str_eq(r->v[C_SUBJECT].v.str, got.m->subject);
	ck_assert_uint_eq(r->v[C_TIME].v.time, got.m->time);
	ck_assert(r->v[C_READ].v.b == ((got.m->flags & GX_MSGF_READ) != 0));
	ck_assert(absent(&r->v[C_COUNT]));
	if (got.word != NULL)
		ck_assert_str_eq(r->v[C_WORD].v.str, got.word);
	else
		ck_assert(absent(&r->v[C_WORD]));
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return CMP(x, y);
}

/* The same leaf rows on both sides, in whatever order. */
static void compare_sets(const struct view *v, const struct gx_table_row *r, unsigned n)
{
	static uint64_t x[ROWS], y[ROWS];
	unsigned k = 0, l = 0;
	for (unsigned i = 0; i < n; i++) {
		if (r[i].type == GX_ROW_LEAF)
			x[k++] = r[i].id << 16 | r[i].inst;
		if (!want[i].header)
			y[l++] = want[i].m->mid << 16 | want[i].inst;
	}
	ck_assert_uint_eq(k, l);
	qsort(x, k, sizeof(*x), by_id);
	qsort(y, l, sizeof(*y), by_id);
	ck_assert_msg(k == 0 || memcmp(x, y, k * sizeof(*x)) == 0, "%s: other rows", v->name);
}

static struct gx_table_row *all_rows(struct view *v, struct gx_txn *t, unsigned *ret_n)
{
	struct gx_table_row *r;
	size_t n;
	uint32_t count;
	ST_OK(gx_table_count(v->tb, t, &count));
	ST_OK(gx_table_query(v->tb, t, 0, INT32_MAX, cols, NCOLS, w.a, &r, &n));
	ck_assert_msg(n == count, "%s: %zu rows, %u counted", v->name, n, count);
	*ret_n = (unsigned)n;
	return r;
}

static void compare_places(struct view *v, struct gx_txn *t, const struct gx_table_row *r, unsigned n)
{
	uint32_t pos, inst;
	uint64_t id;
	uint8_t type;
	ST_IS(gx_table_mark(v->tb, t, n, &id, &inst, &type), ecNotFound);
	for (unsigned tries = 0; n > 0 && tries < 6; tries++) {
		unsigned i = rnd(n), k = 1 + rnd(9);
		struct gx_table_row *part, one;
		size_t np;
		ST_OK(gx_table_mark(v->tb, t, i, &id, &inst, &type));
		ck_assert(id == r[i].id && inst == r[i].inst && type == r[i].type);
		ST_OK(gx_table_locate(v->tb, t, id, inst, &pos, &type));
		ck_assert_msg(pos == i && type == r[i].type, "%s: row %u located at %u", v->name, i, pos);
		ST_OK(gx_table_read(v->tb, t, id, inst, cols, NCOLS, w.a, &one));
		ck_assert(one.id == id && one.type == type && one.v[C_INST].v.i64 == (int64_t)id);
		ST_OK(gx_table_query(v->tb, t, i, (int32_t)k, cols, 3, w.a, &part, &np));
		ck_assert_uint_eq(np, n - i < k ? n - i : k);
		for (size_t x = 0; x < np; x++)
			ck_assert(part[x].id == r[i + x].id && part[x].inst == r[i + x].inst);
		ST_OK(gx_table_query(v->tb, t, i, -(int32_t)k, cols, 3, w.a, &part, &np));
		ck_assert_uint_eq(np, i + 1 < k ? i + 1 : k);
		for (size_t x = 0; x < np; x++)
			ck_assert(part[x].id == r[i - x].id && part[x].inst == r[i - x].inst);
	}
}

static void compare_find(struct view *v, struct gx_txn *t, const struct gx_table_row *r, unsigned n)
{
	const char *word = random_text();
	struct gx_restr q[] = {
		{.type = RES_CONTENT,
			.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = word}}}},
		{.type = RES_PROPERTY, .u.prop = {RELOP_GE, PidTagSubject, {PidTagSubject, {.str = word}}}},
		{.type = RES_PROPERTY,
			.u.prop = {RELOP_EQ, PidTagMid, {PidTagMid, {.i64 = n == 0 ? 1 : (int64_t)r[rnd(n)].id}}}},
	};
	for (unsigned k = 0; k < 3; k++) {
		bool forward = rnd(2);
		uint32_t start = rnd(n + 2), got = UINT32_MAX;
		unsigned exp = UINT32_MAX;
		for (unsigned x = 0; x < n; x++) {
			unsigned i = forward ? x : n - 1 - x;
			if (forward ? i < start : i > start)
				continue;
			const struct gx_propval *s = &r[i].v[C_SUBJECT];
			bool hit = k == 2 ? !absent(&r[i].v[C_MID]) && r[i].v[C_MID].v.i64 == q[2].u.prop.val.v.i64
					  : !absent(s) && (k == 0 ? gx_fuzzy_match(s->v.str, word, FL_SUBSTRING,
									    FL_IGNORECASE)
								  : gx_utf8_casecmp(s->v.str, word) >= 0);
			if (hit) {
				exp = i;
				break;
			}
		}
		gx_ec ec = gx_table_find(v->tb, t, start, forward, &q[k], &got);
		if (exp == UINT32_MAX)
			ST_IS(ec, ecNotFound);
		else
			ST_OK(ec);
		ck_assert_msg(got == exp, "%s: question %u from %u %s found %u, should %u", v->name, k, start,
			forward ? "on" : "back", got, exp);
	}
}

static void compare_view(struct view *v, struct gx_txn *t)
{
	unsigned n;
	struct gx_table_row *r = all_rows(v, t, &n);
	forget_gone(v);
	unsigned exp = expected(v);
	ck_assert_msg(n == exp, "%s: %u rows instead of %u", v->name, n, exp);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_msg((r[i].type != GX_ROW_LEAF) == want[i].header, "%s: row %u of %u is %s header", v->name,
			i, n, want[i].header ? "no" : "a");
		if (want[i].header)
			compare_header(v, &r[i], &want[i]);
		else
			compare_leaf(v, &r[i], &want[i]);
	}
	compare_sets(v, r, n);
	if (rnd(3) == 0) {
		compare_places(v, t, r, n);
		compare_find(v, t, r, n);
	}
	if (v->reread) {
		v->reread = false;
		v->ncopy = n;
		for (unsigned i = 0; i < n; i++)
			v->copy[i] = r[i].id << 16 | r[i].inst;
	}
	ck_assert_msg(v->ncopy == n, "%s: events give %u rows instead of %u", v->name, v->ncopy, n);
	for (unsigned i = 0; i < n; i++)
		ck_assert_msg(v->copy[i] == (r[i].id << 16 | r[i].inst), "%s: events give row %llx at %u, not %llx",
			v->name, (unsigned long long)v->copy[i] >> 16, i, (unsigned long long)r[i].id);
}

/* ---- A client's copy ---- */

static unsigned copy_place(const struct view *v, uint64_t row)
{
	unsigned i = 0;
	while (i < v->ncopy && v->copy[i] != row)
		i++;
	return i;
}

static void on_event(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	struct view *v = ctx;
	uint64_t row = ev->row_mid << 16 | ev->row_inst;
	ck_assert_ptr_eq(tb, v->tb);
	ck_assert(!ev->hierarchy);
	v->events++;
	if (v->reread) {
		ck_assert_msg(false, "%s: told more after \"changed\"", v->name);
		return;
	}
	if (ev->type == GX_TABLE_EV_CHANGED) {
		v->reread = true;
		v->changes++;
		return;
	}
	unsigned i = copy_place(v, row);
	ck_assert_msg((i < v->ncopy) == (ev->type != GX_TABLE_EV_ADDED), "%s: event %u of row %llx", v->name, ev->type,
		(unsigned long long)ev->row_mid);
	ck_assert(ev->row_fid == v->fid);
	if (i < v->ncopy)
		memmove(v->copy + i, v->copy + i + 1, (--v->ncopy - i) * sizeof(v->copy[0]));
	if (ev->type == GX_TABLE_EV_DELETED)
		return;
	i = 0;
	if (ev->after_mid != 0) {
		i = copy_place(v, ev->after_mid << 16 | ev->after_inst) + 1;
		ck_assert_msg(i <= v->ncopy, "%s: placed after a row that is not there", v->name);
	}
	memmove(v->copy + i + 1, v->copy + i, (v->ncopy++ - i) * sizeof(v->copy[0]));
	v->copy[i] = row;
}

/* ---- Views ---- */

static bool is_unread(const struct mmsg *m)
{
	return !(m->flags & GX_MSGF_READ);
}

static bool is_read(const struct mmsg *m)
{
	return (m->flags & GX_MSGF_READ) != 0;
}

static bool has_b(const struct mmsg *m)
{
	return gx_utf8_casestr(m->subject, strlen(m->subject), "b", 1);
}

/* One in a hundred. */
static bool is_rare(const struct mmsg *m)
{
	return gx_utf8_casestr(m->subject, strlen(m->subject), "zzzz", 4);
}

static bool is_important(const struct mmsg *m)
{
	return m->importance == 2;
}

static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
static const struct gx_restr with_b = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "b"}}}};
static const struct gx_restr rare = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "zzzz"}}}};
static const struct gx_restr important = {
	.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagImportance, {PidTagImportance, {.i32 = 2}}}};
/* Answered without what is stored with bodies. */
static const struct gx_restr of_row[] = {
	{.type = RES_NOT, .u.not_ = {&unread}},
	{.type = RES_PROPERTY, .u.prop = {RELOP_GT, PidTagMid, {PidTagMid, {.i64 = 0}}}}};
static const struct gx_restr read_by_row = {.type = RES_AND, .u.list = {of_row, 2}};

static const struct gx_sort time_down[] = {{PidTagMessageDeliveryTime, 1}};
static const struct gx_sort time_up[] = {{PidTagMessageDeliveryTime, 0}};
static const struct gx_sort subject[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 1}};
static const struct gx_sort imp_subject[] = {{PidTagImportance, 1}, {PidTagSubject, 0}, {PidTagMessageDeliveryTime, 0}};
static const struct gx_sort id_down[] = {{PidTagMid, 1}};
static const struct gx_sort words[] = {{WORD, 1}, {PidTagMessageDeliveryTime, 0}};
static const struct gx_sort subject_max[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 4}};
static const struct gx_sort subject_min[] = {{PidTagSubject, 1}, {PidTagMessageDeliveryTime, 8}};
static const struct gx_sort imp_subject_max[] = {
	{PidTagImportance, 0}, {PidTagSubject, 1}, {PidTagMessageDeliveryTime, 4}};

#define IN GX_FID_INBOX
static struct view views[] = {
	{"time", IN, 0, time_down, 1, 0, 0, NULL, NULL},
	{"time up", IN, 0, time_up, 1, 0, 0, NULL, NULL},
	{"subject", IN, 0, subject, 2, 0, 0, NULL, NULL},
	{"three columns", IN, 0, imp_subject, 3, 0, 0, NULL, NULL},
	{"instances", IN, 0, words, 2, 0, 0, NULL, NULL},
	{"associated", IN, GX_TABLE_ASSOCIATED, subject, 2, 0, 0, NULL, NULL},
	{"drafts", GX_FID_DRAFTS, 0, time_down, 1, 0, 0, NULL, NULL},
	{"unread", IN, 0, time_down, 1, 0, 0, &unread, is_unread},
	{"unread by subject", IN, 0, subject, 2, 0, 0, &unread, is_unread},
	{"with b", IN, 0, time_down, 1, 0, 0, &with_b, has_b},
	{"with b by subject", IN, 0, subject, 2, 0, 0, &with_b, has_b},
	{"with b, instances", IN, 0, words, 2, 0, 0, &with_b, has_b},
	{"important", IN, 0, imp_subject, 3, 0, 0, &important, is_important},
	{"rare", IN, 0, time_down, 1, 0, 0, &rare, is_rare},
	{"rare, instances", IN, 0, words, 2, 0, 0, &rare, is_rare},
	{"rare, associated", IN, GX_TABLE_ASSOCIATED, subject, 2, 0, 0, &rare, is_rare},
	{"by subject, open", IN, 0, subject, 2, 1, 1, NULL, NULL},
	{"by subject, closed", IN, 0, subject, 2, 1, 0, NULL, NULL},
	{"two levels", IN, 0, imp_subject, 3, 2, 2, NULL, NULL},
	{"two levels, one open", IN, 0, imp_subject, 3, 2, 1, NULL, NULL},
	{"two levels, unread", IN, 0, imp_subject, 3, 2, 2, &unread, is_unread},
	{"by words", IN, 0, words, 2, 1, 1, NULL, NULL},
	{"by newest", IN, 0, subject_max, 2, 1, 1, NULL, NULL},
	{"by oldest", IN, 0, subject_min, 2, 1, 0, NULL, NULL},
	{"two levels by newest", IN, 0, imp_subject_max, 3, 2, 2, NULL, NULL},
	{"with b, by subject", IN, 0, subject, 2, 1, 1, &with_b, has_b},
	{"rare, by subject", IN, 0, subject, 2, 1, 1, &rare, is_rare},
	{"with b, by words", IN, 0, words, 2, 1, 1, &with_b, has_b},
	{"by id", IN, 0, id_down, 1, 0, 0, NULL, NULL},
	{"read, by id", IN, 0, id_down, 1, 0, 0, &read_by_row, is_read},
	{"read, by subject", IN, 0, subject, 2, 0, 0, &read_by_row, is_read},
	{"with b, by id", IN, 0, id_down, 1, 0, 0, &with_b, has_b},
	{"with b, two levels by newest", IN, 0, imp_subject_max, 3, 2, 2, &with_b, has_b},
};
#define VIEWS (sizeof(views) / sizeof(views[0]))

static unsigned counted; /* times that groups had been counted to the end */

static void open_view(struct view *v, struct gx_txn *t)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset s = {v->cols, v->ncols, v->categories, v->expanded};
	o.fid = v->fid;
	o.flags = v->flags;
	o.restr = v->restr;
	o.sort = &s;
	v->nturned = v->ncopy = v->events = v->changes = 0;
	v->reread = false;
	ST_OK(gx_table_open_contents(t, &o, &v->tb));
	ST_OK(gx_table_watch(v->tb, on_event, v));
	if (!v->reread) { /* nothing came in between */
		unsigned n;
		struct gx_table_row *r = all_rows(v, t, &n);
		for (unsigned i = 0; i < n; i++)
			v->copy[i] = r[i].id << 16 | r[i].inst;
		v->ncopy = n;
	}
}

static void turn_group(struct view *v, struct gx_txn *t)
{
	unsigned n = expected(v), i = n == 0 ? 0 : rnd(n);
	uint32_t pos, count, inst, before, after;
	uint64_t id;
	uint8_t type;
	while (i < n && !want[i].header)
		i++;
	if (i >= n)
		return;
	bool open = is_open(v, want[i].path, want[i].depth);
	const char *path = gx_arena_strdup(w.keep, want[i].path);
	ST_OK(gx_table_count(v->tb, t, &before));
	ST_OK(gx_table_mark(v->tb, t, i, &id, &inst, &type));
	ST_IS(open ? gx_table_expand(v->tb, t, id, &pos, &count) : gx_table_collapse(v->tb, t, id, &pos, &count),
		open ? ecNotCollapsed : ecNotExpanded);
	ST_OK(open ? gx_table_collapse(v->tb, t, id, &pos, &count) : gx_table_expand(v->tb, t, id, &pos, &count));
	ST_OK(gx_table_count(v->tb, t, &after));
	ck_assert_uint_eq(pos, i);
	ck_assert_uint_eq(open ? before - after : after - before, count);
	for (unsigned k = 0; k < v->nturned; k++)
		if (strcmp(v->turned[k], path) == 0) {
			v->turned[k] = v->turned[--v->nturned];
			path = NULL;
			break;
		}
	if (path != NULL && v->nturned < 64)
		v->turned[v->nturned++] = path;
	v->reread = true; /* no events for what the client does itself */
	unsigned rows;
	struct gx_table_row *r = all_rows(v, t, &rows);
	v->reread = false;
	v->ncopy = rows;
	for (unsigned k = 0; k < rows; k++)
		v->copy[k] = r[k].id << 16 | r[k].inst;
}

/* Numbers of groups, of some orders and not to the end: nobody may see a difference. */
static void count_groups(struct gx_txn *t)
{
	for (unsigned i = 0; i < 20; i++) {
		struct gx_order *o;
		int state;
		ck_assert_int_eq(gx_orders__by_id(t, 1 + rnd(40), &o), 0);
		if (o == NULL || o->building)
			continue;
		unsigned depth = 1 + rnd(o->spec.n < 2 ? o->spec.n : 2);
		ck_assert_int_eq(gx_order__count_more(t, o, depth, 1 + rnd(200), &state), 0);
		counted += state == GX_COUNT_DONE;
	}
}

/* As when somebody opens the same view again. */
static void open_again(struct view *v, struct gx_txn *t)
{
	if (v->categories == 0 || rnd(4) != 0)
		return;
	gx_table_close(v->tb);
	open_view(v, t);
}

static void run_views(unsigned messages, unsigned rounds, unsigned changes)
{
	start_model(messages);
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	for (size_t i = 0; i < VIEWS; i++)
		open_view(&views[i], t);
	gx_txn_abort(t);
	for (unsigned round = 0; round < rounds; round++) {
		static struct mmsg saved[MESSAGES];
		unsigned nsaved = nmodel;
		memcpy(saved, model, sizeof(saved));
		t = st_begin(w.s, GX_TXN_WRITE);
		for (unsigned i = rnd(changes); i > 0; i--) {
			random_op(t);
			if (rnd(changes) == 0)
				count_groups(t);
		}
		if (rnd(10) == 0) {
			gx_txn_abort(t);
			memcpy(model, saved, sizeof(saved));
			nmodel = nsaved;
		} else {
			st_commit(t);
		}
		t = st_begin(w.s, GX_TXN_READ);
		for (size_t i = 0; i < VIEWS; i++) {
			struct view *v = &views[i];
			if (rnd(4) == 0) /* it is looked at later, after more commits */
				continue;
			open_again(v, t);
			compare_view(v, t);
			if (v->categories > 0 && v->nturned < 60 && rnd(3) == 0) {
				turn_group(v, t);
				compare_view(v, t);
			}
			gx_arena_reset(w.a);
		}
		gx_txn_abort(t);
	}
	for (size_t i = 0; i < VIEWS; i++) {
		if (views[i].categories == 0 && views[i].ncols > 0 && strstr(views[i].name, "instances") == NULL &&
			views[i].restr != &rare && changes < 50)
			ck_assert_msg(views[i].events > views[i].changes, "%s: %u events, %u of them no rows",
				views[i].name, views[i].events, views[i].changes);
		gx_table_close(views[i].tb);
	}
}

START_TEST(small_folder)
{
	w.s->tables->sort_batch = 200; /* a few rows */
	run_views(20, 60, 6);
}
END_TEST

START_TEST(larger_folder)
{
	counted = 0;
	run_views(600, 40, 30);
	ck_assert_uint_gt(counted, 5);
}
END_TEST

START_TEST(many_changes_at_once)
{
	w.s->tables->sort_batch = 3000;
	run_views(200, 12, 150);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("table");
	TCase *c = tcase_create("model");
	tcase_set_timeout(c, 600);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, small_folder);
	tcase_add_test(c, larger_folder);
	tcase_add_test(c, many_changes_at_once);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
