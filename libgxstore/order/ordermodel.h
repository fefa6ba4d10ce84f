/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in memory, sorted by comparing their values, and random work on them and on a store at once. */
#ifndef GXSTORE_ORDERMODEL_H
#define GXSTORE_ORDERMODEL_H
#include "libgxstore/order/ordertest.h"

#define MESSAGES 3000

struct mmsg {
	uint64_t mid, fid;
	uint32_t flags;
	const char *subject; /* NULL: none */
	int importance;      /* -1: none */
	const char *words[3];
	unsigned nwords;
	gx_nttime_t time;
	bool gone;
};
static struct mmsg model[MESSAGES];
static unsigned nmodel;

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, 1}};
static const struct gx_sort by_subject[] = {{PidTagSubject, 0}, {PidTagImportance, 1}};
static const struct gx_sort by_importance[] = {{PidTagImportance, 1}, {PidTagRead, 0}, {PidTagSubject, 1}};
static const struct gx_sort by_words[] = {{GX_PROP_RETYPE(WORDS, 0x301f), 1}, {PidTagMessageDeliveryTime, 0}};
static const struct gx_sortset sets[] = {
	{by_time, 1, 0, 0}, {by_subject, 2, 0, 0}, {by_importance, 3, 0, 0}, {by_words, 2, 0, 0}};
#define SETS 4

struct mrow {
	const struct mmsg *m;
	const char *word;
	unsigned inst;
};

static inline int cmp_str(const char *x, const char *y)
{
	return x == NULL || y == NULL ? (x != NULL) - (y != NULL) : sign(gx_utf8_casecmp(x, y));
}

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))

static inline int cmp_col(gx_proptag_t tag, const struct mrow *x, const struct mrow *y)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagMessageDeliveryTime):
		return CMP(x->m->time, y->m->time);
	case GX_PROP_ID(PidTagSubject):
		return cmp_str(x->m->subject, y->m->subject);
	case GX_PROP_ID(PidTagImportance):
		return CMP(x->m->importance, y->m->importance);
	case GX_PROP_ID(PidTagRead):
		return CMP(x->m->flags & 1, y->m->flags & 1);
	default:
		return cmp_str(x->word, y->word);
	}
}

/* In the order as it is kept: turned when the first column descends. */
static inline int cmp_rows(const void *a, const void *b, void *ctx)
{
	const struct gx_sortset *s = ctx;
	const struct mrow *x = a, *y = b;
	for (unsigned i = 0; i < s->count; i++) {
		int d = cmp_col(s->v[i].tag, x, y);
		if (d != 0)
			return s->v[i].order != s->v[0].order ? -d : d;
	}
	return x->m->mid != y->m->mid ? CMP(x->m->mid, y->m->mid) : CMP(x->inst, y->inst);
}

static inline unsigned model_rows(uint64_t fid, uint32_t fai, const struct gx_sortset *s, struct mrow *v)
{
	unsigned n = 0;
	for (unsigned i = 0; i < nmodel; i++) {
		const struct mmsg *m = &model[i];
		if (m->gone || m->fid != fid || (m->flags & GX_MSGF_FAI) != fai)
			continue;
		if (s->v != by_words || m->nwords == 0)
			v[n++] = (struct mrow){m, NULL, 0};
		for (unsigned k = 0; s->v == by_words && k < m->nwords; k++)
			v[n++] = (struct mrow){m, m->words[k], k + 1};
	}
	qsort_r(v, n, sizeof(*v), cmp_rows, (void *)(uintptr_t)s);
	return n;
}

static struct mrow rows[MESSAGES * 3];

static inline void compare_walk(struct gx_txn *t, uint64_t view, unsigned n, unsigned flags)
{
	struct gx_orderwalk k;
	struct gx_orderrow row;
	unsigned i = 0;
	bool back = flags & GX_WALK_BACK;
	gx_orderwalk__from(&k, t, view,
		back ? (struct gx_bin){(const uint8_t *)"\xff", 1} : (struct gx_bin){(const uint8_t *)"", 0}, flags);
	for (;;) {
		while ((flags & GX_WALK_UNREAD) && i < n && (rows[back ? n - 1 - i : i].m->flags & GX_MSGF_READ))
			i++;
		int r = gx_orderwalk__next(&k, &row);
		ck_assert_int_ge(r, 0);
		if (r == 0)
			break;
		ck_assert_uint_lt(i, n);
		const struct mrow *m = &rows[back ? n - 1 - i : i];
		ck_assert_uint_eq(row.mid, m->m->mid);
		ck_assert_uint_eq(row.inst, m->inst);
		ck_assert(row.unread == !(m->m->flags & GX_MSGF_READ));
		i++;
	}
	ck_assert_uint_eq(i, n);
	gx_orderwalk__end(&k);
}

static inline void compare_places(struct gx_txn *t, uint64_t view, unsigned n)
{
	struct gx_push key = GX_PUSH_INIT;
	struct gx_ordersum sum, rank;
	unsigned unread = 0;
	for (unsigned i = 0; i < n; i++)
		unread += !(rows[i].m->flags & GX_MSGF_READ);
	ck_assert_int_eq(gx_order__total(t, view, &sum), 0);
	ck_assert_uint_eq(sum.total, n);
	ck_assert_uint_eq(sum.unread, unread);
	ck_assert_int_eq(gx_order__at(t, view, n, 0, &key), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_order__at(t, view, unread, GX_WALK_UNREAD, &key), GX_E_NOTFOUND);
	for (unsigned tries = 0; n > 0 && tries < 20; tries++) {
		unsigned pos = rnd(n), before = 0;
		uint64_t mid;
		uint32_t inst;
		for (unsigned i = 0; i < pos; i++)
			before += !(rows[i].m->flags & GX_MSGF_READ);
		ck_assert_int_eq(rnd(2) ? gx_order__at(t, view, pos, 0, &key)
					: gx_order__at(t, view, n - 1 - pos, GX_WALK_BACK, &key),
			0);
		gx_order__id((struct gx_bin){key.data, key.len}, &mid, &inst);
		ck_assert(mid == rows[pos].m->mid && inst == rows[pos].inst);
		ck_assert_int_eq(gx_order__rank(t, view, (struct gx_bin){key.data, key.len}, &rank), 0);
		ck_assert_uint_eq(rank.total, pos);
		ck_assert_uint_eq(rank.unread, before);
		if (!(rows[pos].m->flags & GX_MSGF_READ)) {
			ck_assert_int_eq(gx_order__at(t, view, before, GX_WALK_UNREAD, &key), 0);
			gx_order__id((struct gx_bin){key.data, key.len}, &mid, &inst);
			ck_assert(mid == rows[pos].m->mid && inst == rows[pos].inst);
		}
	}
	gx_push_release(&key);
}

static inline void compare(struct gx_txn *t, uint64_t fid, uint8_t kind)
{
	for (unsigned i = 0; i < SETS; i++) {
		struct gx_orderspec spec;
		uint64_t view;
		bool back;
		ck_assert_int_eq(gx_orderspec__make(&sets[i], &spec, &back), 0);
		ck_assert_int_eq(gx_order__ensure(t, fid, kind, &spec, 10000, &view), 0);
		unsigned n = model_rows(fid, kind == GX_ORDER_FAI ? GX_MSGF_FAI : 0, &sets[i], rows);
		compare_walk(t, view, n, rnd(4));
		compare_places(t, view, n);
	}
}

/* Some rows more, by some columns: the verification looks at the numbers. */
static inline void count_some(struct gx_txn *t)
{
	struct gx_order *o;
	int state;
	for (uint64_t view = 1; view < 20; view++) {
		ck_assert_int_eq(gx_orders__by_id(t, view, &o), 0);
		if (o != NULL && !o->building && rnd(3) == 0)
			ck_assert_int_eq(gx_order__count_more(t, o, 1 + rnd(o->spec.n), 1 + rnd(300), &state), 0);
	}
}

static inline void fill(struct mmsg *m)
{
	m->subject = rnd(8) == 0 ? NULL : random_text(w.a);
	m->importance = (int)rnd(4) - 1;
	m->nwords = rnd(4);
	for (unsigned k = 0; k < m->nwords; k++)
		m->words[k] = random_text(w.a);
}

static inline void to_list(const struct mmsg *m, struct gx_proplist *l)
{
	union gx_value *v = gx_arena_new_array(w.a, union gx_value, 3);
	for (unsigned k = 0; k < m->nwords; k++)
		v[k].str = m->words[k];
	if (m->subject != NULL)
		ck_assert_int_eq(gx_proplist_set_str(l, w.a, PidTagSubject, m->subject), 0);
	if (m->importance >= 0)
		ck_assert_int_eq(gx_proplist_set_i32(l, w.a, PidTagImportance, m->importance), 0);
	ck_assert_int_eq(gx_proplist_set(l, w.a, WORDS, (union gx_value){.mv = {v, m->nwords}}), 0);
}

static inline void do_insert(struct gx_txn *t, uint64_t fid)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct mmsg *m = &model[nmodel++];
	struct gx_msgobj *obj = gx_msgobj_new(w.a);
	*m = (struct mmsg){.fid = fid,
		.flags = (rnd(2) ? GX_MSGF_READ : 0) | (rnd(5) == 0 ? GX_MSGF_FAI : 0),
		.time = 1 + rnd(1000)};
	fill(m);
	to_list(m, &obj->props);
	src.obj = obj;
	ck_assert_int_eq(gx_msg_prepare(w.a, &src, &p), 0);
	o.flags = m->flags;
	o.received = m->time;
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	gx_msg_prepared_release(p);
	m->mid = ids.mid;
}

static inline struct mmsg *pick(void)
{
	for (unsigned tries = 0; nmodel > 0 && tries < 50; tries++) {
		struct mmsg *m = &model[rnd(nmodel)];
		if (!m->gone)
			return m;
	}
	return NULL;
}

static inline void do_flags(struct gx_txn *t, struct mmsg *m)
{
	struct gx_flag_change c = {(int)rnd(2) + 1, GX_MSGF_READ, NULL, UINT64_MAX};
	m->flags = c.op == GX_FLAGS_ADD ? m->flags | GX_MSGF_READ : m->flags & ~(uint32_t)GX_MSGF_READ;
	if (rnd(2)) /* the way of IMAP, or that of MAPI */
		ST_OK(gx_msg_change_flags(t, m->fid, &m->mid, 1, &c, NULL, NULL, NULL));
	else
		ST_OK(gx_msg_set_read(t, m->mid, c.op == GX_FLAGS_ADD ? GX_RF_DEFAULT : GX_RF_CLEAR_READ, NULL));
}

static inline void do_props(struct gx_txn *t, struct mmsg *m)
{
	struct gx_proplist l = {0};
	struct mmsg fresh = {0};
	fill(&fresh);
	if (fresh.subject != NULL)
		m->subject = fresh.subject;
	if (fresh.importance >= 0)
		m->importance = fresh.importance;
	m->nwords = fresh.nwords;
	memcpy(m->words, fresh.words, sizeof(m->words));
	to_list(&fresh, &l);
	ST_OK(gx_msg_set_props(t, m->mid, &l));
}

static inline void do_copy(struct gx_txn *t, struct mmsg *m, uint64_t to, bool move)
{
	struct gx_msg_ids ids;
	ST_OK(gx_msg_copy(t, m->fid, &m->mid, 1, to, move, &ids));
	struct mmsg *c = &model[nmodel++];
	*c = *m;
	c->mid = ids.mid;
	c->fid = to;
	m->gone = m->gone || move;
}

static inline void random_op(struct gx_txn *t)
{
	uint64_t fid = rnd(3) ? GX_FID_INBOX : GX_FID_DRAFTS;
	struct mmsg *m = pick();
	unsigned what = rnd(12);
	if (nmodel >= MESSAGES - 1)
		return;
	if (what < 5 || m == NULL)
		do_insert(t, fid);
	else if (what < 7)
		do_flags(t, m);
	else if (what < 9)
		do_props(t, m);
	else if (what < 10)
		do_copy(t, m, fid, rnd(2));
	else if (rnd(3) == 0)
		return;
	else {
		ST_OK(gx_msg_delete(t, m->fid, &m->mid, 1, rnd(2)));
		m->gone = true;
	}
}

static inline void start_model(void)
{
	nmodel = 0;
	memset(model, 0, sizeof(model));
}

#endif
