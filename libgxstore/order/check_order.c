/* SPDX-License-Identifier: Apache-2.0 */
/* Sort orders on disk against a model in memory that sorts by comparing values. */
#include <config.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxstore/order/ordertest.h"

#define MESSAGES 3000

/* ---- A model ---- */

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

static int cmp_str(const char *x, const char *y)
{
	return x == NULL || y == NULL ? (x != NULL) - (y != NULL) : sign(gx_utf8_casecmp(x, y));
}

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))

static int cmp_col(gx_proptag_t tag, const struct mrow *x, const struct mrow *y)
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
static int cmp_rows(const void *a, const void *b, void *ctx)
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

static unsigned model_rows(uint64_t fid, uint32_t fai, const struct gx_sortset *s, struct mrow *v)
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

static void compare_walk(struct gx_txn *t, uint64_t view, unsigned n, unsigned flags)
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

static void compare_places(struct gx_txn *t, uint64_t view, unsigned n)
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

static void compare(struct gx_txn *t, uint64_t fid, uint8_t kind)
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
static void count_some(struct gx_txn *t)
{
	struct gx_order *o;
	int state;
	for (uint64_t view = 1; view < 20; view++) {
		ck_assert_int_eq(gx_orders__by_id(t, view, &o), 0);
		if (o != NULL && !o->building && rnd(3) == 0)
			ck_assert_int_eq(gx_order__count_more(t, o, 1 + rnd(o->spec.n), 1 + rnd(300), &state), 0);
	}
}

static void fill(struct mmsg *m)
{
	m->subject = rnd(8) == 0 ? NULL : random_text(w.a);
	m->importance = (int)rnd(4) - 1;
	m->nwords = rnd(4);
	for (unsigned k = 0; k < m->nwords; k++)
		m->words[k] = random_text(w.a);
}

static void to_list(const struct mmsg *m, struct gx_proplist *l)
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

static void do_insert(struct gx_txn *t, uint64_t fid)
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

static struct mmsg *pick(void)
{
	for (unsigned tries = 0; nmodel > 0 && tries < 50; tries++) {
		struct mmsg *m = &model[rnd(nmodel)];
		if (!m->gone)
			return m;
	}
	return NULL;
}

static void do_flags(struct gx_txn *t, struct mmsg *m)
{
	struct gx_flag_change c = {(int)rnd(2) + 1, GX_MSGF_READ, NULL, UINT64_MAX};
	m->flags = c.op == GX_FLAGS_ADD ? m->flags | GX_MSGF_READ : m->flags & ~(uint32_t)GX_MSGF_READ;
	if (rnd(2)) /* the way of IMAP, or that of MAPI */
		ST_OK(gx_msg_change_flags(t, m->fid, &m->mid, 1, &c, NULL, NULL, NULL));
	else
		ST_OK(gx_msg_set_read(t, m->mid, c.op == GX_FLAGS_ADD ? GX_RF_DEFAULT : GX_RF_CLEAR_READ, NULL));
}

static void do_props(struct gx_txn *t, struct mmsg *m)
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

static void do_copy(struct gx_txn *t, struct mmsg *m, uint64_t to, bool move)
{
	struct gx_msg_ids ids;
	ST_OK(gx_msg_copy(t, m->fid, &m->mid, 1, to, move, &ids));
	struct mmsg *c = &model[nmodel++];
	*c = *m;
	c->mid = ids.mid;
	c->fid = to;
	m->gone = m->gone || move;
}

static void random_op(struct gx_txn *t)
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

static void start_model(void)
{
	nmodel = 0;
	memset(model, 0, sizeof(model));
}

START_TEST(random_work)
{
	start_model();
	for (unsigned round = 0; round < 120; round++) {
		struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
		for (unsigned i = rnd(40); i > 0; i--) {
			random_op(t);
			if (rnd(40) == 0)
				count_some(t);
		}
		if (rnd(3) == 0) /* seen from inside, before the commit */
			compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
		st_commit(t);
		t = st_begin(w.s, GX_TXN_READ);
		compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
		compare(t, GX_FID_INBOX, GX_ORDER_FAI);
		if (round > 30)
			compare(t, GX_FID_DRAFTS, GX_ORDER_NORMAL);
		gx_txn_abort(t);
		if (round % 20 == 0) {
			st_verify(w.s);
			gx_store_close(w.s);
			w.s = st_open(w.dir);
		}
	}
}
END_TEST

START_TEST(rolled_back)
{
	start_model();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 200; i++)
		random_op(t);
	st_commit(t);
	for (unsigned round = 0; round < 20; round++) {
		static struct mmsg saved[MESSAGES];
		unsigned n = nmodel;
		memcpy(saved, model, sizeof(saved));
		t = st_begin(w.s, GX_TXN_WRITE);
		for (unsigned i = 0; i < 30; i++)
			random_op(t);
		count_some(t);
		for (unsigned i = 0; i < 10; i++)
			random_op(t);
		compare(t, GX_FID_INBOX, GX_ORDER_NORMAL); /* the first round makes the orders in vain */
		gx_txn_abort(t);
		memcpy(model, saved, sizeof(saved));
		nmodel = n;
		t = st_begin(w.s, GX_TXN_READ);
		if (round > 5)
			compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
		gx_txn_abort(t);
		t = st_begin(w.s, GX_TXN_WRITE);
		random_op(t);
		if (round % 3 == 0)
			count_some(t);
		st_commit(t);
		st_verify(w.s);
	}
}
END_TEST

/* Messages change on both sides of the point that the building has reached. */
START_TEST(built_step_by_step)
{
	start_model();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 400; i++)
		random_op(t);
	st_commit(t);
	for (unsigned i = 0; i < SETS; i++) {
		struct gx_orderspec spec;
		struct gx_order *o;
		uint64_t id = 0;
		bool back, done = false;
		ck_assert_int_eq(gx_orderspec__make(&sets[i], &spec, &back), 0);
		while (!done) {
			t = st_begin(w.s, GX_TXN_WRITE);
			ck_assert_int_eq(gx_order__begin(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, &o), 0);
			if (o->building)
				ck_assert_int_eq(gx_order__advance(t, o, 1 + rnd(30)), 0);
			done = !o->building;
			id = o->id;
			for (unsigned k = rnd(6); k > 0; k--)
				random_op(t);
			if (done) {
				uint64_t view;
				ck_assert_int_eq(gx_order__find(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 0, &view), 0);
			}
			st_commit(t);
			st_verify(w.s);
		}
		t = st_begin(w.s, GX_TXN_READ);
		compare_places(t, id, model_rows(GX_FID_INBOX, 0, &sets[i], rows));
		gx_txn_abort(t);
	}
}
END_TEST

/* ---- In bulk ---- */

/* Operations between the steps, some of them in vain. */
static void work_between(void)
{
	static struct mmsg saved[MESSAGES];
	unsigned n = nmodel;
	memcpy(saved, model, sizeof(saved));
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = rnd(6); i > 0; i--)
		random_op(t);
	if (rnd(6) == 0) {
		ck_assert_int_eq(gx_order__changing(t), 0); /* what is known of orders is read again */
		gx_txn_abort(t);
		memcpy(model, saved, sizeof(saved));
		nmodel = n;
	} else {
		st_commit(t);
	}
}

static int step_bulk(struct gx_orderbulk *b)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	int wait_ms = 1000, r = gx_orderbulk__step(b, t, &wait_ms);
	gx_txn_abort(t);
	return r;
}

static struct gx_orderbulk *begin_bulk(unsigned set, uint8_t kind, const struct gx_orderbulk_limits *l)
{
	struct gx_orderspec spec;
	struct gx_orderbulk *b, *other;
	int wait_ms = 1000;
	bool back;
	w.s->orders->limits = l;
	ck_assert_int_eq(gx_orderspec__make(&sets[set], &spec, &back), 0);
	ck_assert_int_eq(gx_orderbulk__begin(w.s, GX_FID_INBOX, kind, &spec, &wait_ms, &b), 0);
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(gx_orderbulk__begin(w.s, GX_FID_INBOX, kind, &spec, &wait_ms, &other), GX_E_BUSY);
	w.s->orders->limits = NULL;
	ck_assert_int_eq(gx_orderbulk__wait(w.s->orders, GX_FID_INBOX, kind, &spec, 1, 1), GX_E_TIMEOUT);
	return b;
}

static void compare_bulk(unsigned set, uint8_t kind)
{
	struct gx_orderspec spec;
	uint64_t view;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&sets[set], &spec, &back), 0);
	ck_assert_int_eq(gx_orderbulk__wait(w.s->orders, GX_FID_INBOX, kind, &spec, 0, 0), 0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	ck_assert_int_eq(gx_order__find(t, GX_FID_INBOX, kind, &spec, 0, &view), 0);
	unsigned n = model_rows(GX_FID_INBOX, kind == GX_ORDER_FAI ? GX_MSGF_FAI : 0, &sets[set], rows);
	compare_walk(t, view, n, 0);
	compare_places(t, view, n);
	gx_txn_abort(t);
}

static void many_messages(void)
{
	start_model();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 400; i++)
		random_op(t);
	st_commit(t);
}

static void forget_orders(void)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_order__rebuild(t), 0);
	st_commit(t);
}

static int until_gone(struct gx_orderbulk *b)
{
	int r;
	do
		r = step_bulk(b);
	while (r > 0);
	return r;
}

START_TEST(built_in_bulk)
{
	static const struct gx_orderbulk_limits limits[] = {{0, 7, 20, 5}, {0, 1000, 50, 10}, {0, 30, 1000, 1000}};
	many_messages();
	for (unsigned i = 0; i < 3 * SETS; i++) {
		uint8_t kind = rnd(3) ? GX_ORDER_NORMAL : GX_ORDER_FAI;
		struct gx_orderbulk *b = begin_bulk(i % SETS, kind, &limits[i / SETS]);
		int r;
		while ((r = step_bulk(b)) > 0) {
			work_between();
			if (rnd(8) == 0)
				st_verify(w.s);
		}
		ck_assert_int_eq(r, 0);
		gx_orderbulk__end(b);
		compare_bulk(i % SETS, kind);
		st_verify(w.s);
		work_between(); /* from here on it is kept as all are */
		compare_bulk(i % SETS, kind);
		st_verify(w.s);
		forget_orders();
	}
}
END_TEST

/* What somebody left behind is made by the next who needs it, whichever way he does it. */
START_TEST(left_half_built)
{
	static const struct gx_orderbulk_limits limits = {0, 20, 1000, 5};
	many_messages();
	for (unsigned i = 0; i < 16; i++) {
		struct gx_orderbulk *b = begin_bulk(i % SETS, GX_ORDER_NORMAL, &limits);
		for (unsigned k = 1 + rnd(12); k > 0; k--) {
			ck_assert_int_gt(step_bulk(b), 0);
			work_between();
		}
		if (i % 2 == 0) {
			gx_orderbulk__end(b);
			b = NULL;
		}
		if (i % 4 == 0) {
			st_verify(w.s);
			gx_store_close(w.s);
			w.s = st_open(w.dir);
		}
		work_between();
		struct gx_txn *t = st_begin(w.s, b == NULL && rnd(2) ? GX_TXN_READ : GX_TXN_WRITE);
		compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
		if (t->mode == GX_TXN_WRITE)
			st_commit(t);
		else
			gx_txn_abort(t);
		if (b != NULL) /* it was taken away */
			ck_assert_int_eq(until_gone(b), GX_E_STATE);
		gx_orderbulk__end(b);
		compare_bulk(i % SETS, GX_ORDER_NORMAL);
		st_verify(w.s);
		forget_orders();
	}
}
END_TEST

START_TEST(bulk_of_what_went)
{
	static const struct gx_orderbulk_limits limits = {0, 50, 100, 20}, few = {100000, 50, 100, 20};
	struct gx_orderspec spec;
	struct gx_orderbulk *b;
	bool back;
	int r = 1, wait_ms = 1000;
	many_messages();
	b = begin_bulk(1, GX_ORDER_NORMAL, &limits);
	ck_assert_int_gt(step_bulk(b), 0);
	forget_orders();
	ck_assert_int_eq(until_gone(b), GX_E_STATE);
	gx_orderbulk__end(b);
	/* Few messages, or an order that is there: nothing to be done in bulk. */
	ck_assert_int_eq(gx_orderspec__make(&sets[1], &spec, &back), 0);
	w.s->orders->limits = &few;
	ck_assert_int_eq(gx_orderbulk__begin(w.s, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, &wait_ms, &b), 0);
	ck_assert_ptr_null(b);
	w.s->orders->limits = &limits;
	ck_assert_int_eq(gx_orderbulk__begin(w.s, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, &wait_ms, &b), 0);
	while (r > 0)
		r = step_bulk(b);
	ck_assert_int_eq(r, 0);
	gx_orderbulk__end(b);
	compare_bulk(1, GX_ORDER_NORMAL);
	ck_assert_int_eq(gx_orderbulk__begin(w.s, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, &wait_ms, &b), 0);
	ck_assert_ptr_null(b);
}
END_TEST

static void sort_in_background(void)
{
	bool done = false;
	ck_assert_int_eq(gx_store_sort(w.s, 100000, &done), 0);
	ck_assert(done);
	ck_assert_ptr_null(w.s->orders->bulks);
}

/* With a writer in the way it goes as far as it can be read. */
static void get_stuck(struct gx_orderbulk *b)
{
	struct gx_txn *writer = st_begin(w.s, GX_TXN_WRITE), *t = st_begin(w.s, GX_TXN_READ);
	int r, wait_ms = 0;
	do
		r = gx_orderbulk__step(b, t, &wait_ms);
	while (r > 0);
	ck_assert_int_eq(r, GX_E_TIMEOUT);
	gx_txn_abort(t);
	gx_txn_abort(writer);
}

static void take_what_was_left(unsigned set, uint8_t kind, const struct gx_orderbulk_limits *l)
{
	struct gx_orderbulk *b = begin_bulk(set, kind, l);
	ck_assert_int_eq(until_gone(b), 0);
	gx_orderbulk__end(b);
}

static void close_and_open(void)
{
	gx_store_close(w.s);
	w.s = st_open(w.dir);
	sort_in_background(); /* nothing is known of it, and nothing left */
	struct gx_txn *t = st_begin(w.s, rnd(2) ? GX_TXN_READ : GX_TXN_WRITE);
	compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
	if (t->mode == GX_TXN_WRITE)
		st_commit(t);
	else
		gx_txn_abort(t);
}

/* A reader that leaves it to others: they go on where he was, with whatever has changed since. */
START_TEST(left_for_others)
{
	static const struct gx_orderbulk_limits limits = {0, 20, 60, 9};
	many_messages();
	for (unsigned i = 0; i < 24; i++) {
		uint8_t kind = i % 6 < 4 ? GX_ORDER_NORMAL : GX_ORDER_FAI;
		struct gx_orderbulk *b = begin_bulk(i % SETS, kind, &limits);
		unsigned k = rnd(6);
		while (k > 0 && step_bulk(b) > 0 && --k > 0)
			work_between();
		if (rnd(2))
			get_stuck(b);
		gx_orderbulk__leave(b);
		for (k = rnd(3); k > 0; k--)
			work_between();
		switch (kind == GX_ORDER_NORMAL ? i / 4 : 0) {
		case 1:
		case 2:
			take_what_was_left(i % SETS, kind, &limits);
			break;
		case 3:
			forget_orders();
			ck_assert_ptr_null(w.s->orders->bulks);
			take_what_was_left(i % SETS, kind, &limits);
			break;
		case 4:
			close_and_open();
			break;
		default:
			sort_in_background();
		}
		compare_bulk(i % SETS, kind);
		st_verify(w.s);
		work_between();
		compare_bulk(i % SETS, kind);
		forget_orders();
	}
}
END_TEST

static int ask(unsigned importance)
{
	const struct gx_sort cols[] = {{GX_PROP_TAG(0x6900 + importance, PtypInteger32), 0}};
	const struct gx_sortset s = {cols, 1, 0, 0};
	struct gx_orderspec spec;
	uint64_t view;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&s, &spec, &back), 0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	int err = gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 1, &view);
	gx_txn_abort(t);
	return err;
}

/* Nobody waits for a writer that takes long; what was asked for is made when he is done, unless it was too much. */
START_TEST(asked_for_in_vain)
{
	static const struct gx_orderbulk_limits limits = {0, 20, 60, 9};
	bool done;
	many_messages();
	w.s->orders->limits = &limits;
	struct gx_txn *writer = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(ask(i), GX_E_TIMEOUT);
	ck_assert_int_eq(gx_store_sort(w.s, 1, &done), 0);
	ck_assert(!done);
	gx_txn_abort(writer);
	sort_in_background();
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	{
		GX_STMT(st, t->q, "SELECT COUNT(*),SUM(progress IS NULL) FROM sview");
		ck_assert_int_eq(gx_sql__step(st), 1);
		ck_assert_int_eq(gx_sql__int(st, 0), 4);
		ck_assert_int_eq(gx_sql__int(st, 1), 4);
	}
	gx_txn_abort(t);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(ask(i), 0);
	st_verify(w.s);
	writer = st_begin(w.s, GX_TXN_WRITE);
	ck_assert_int_eq(ask(8), GX_E_TIMEOUT); /* what is left when the store closes */
	gx_txn_abort(writer);
}
END_TEST

static atomic_bool enough;

static void *ask_again_and_again(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; !atomic_load(&enough); i++) {
		struct gx_orderspec spec;
		struct gx_txn *t;
		uint64_t view;
		bool back;
		if (gx_orderspec__make(&sets[i % SETS], &spec, &back) != 0 ||
			gx_txn_begin(w.s, &sys_actor, GX_TXN_READ, 10000, &t) != 0)
			return w.s; /* that failed */
		int err = gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 1, &view);
		gx_txn_abort(t);
		if (err != 0 && err != GX_E_TIMEOUT && err != GX_E_NOTFOUND) /* taken away each time */
			return w.s; /* that failed */
	}
	return NULL;
}

static void *sort_again_and_again(void *ctx)
{
	bool done;
	(void)ctx;
	while (!atomic_load(&enough))
		if (gx_store_sort(w.s, 2, &done) != 0)
			return w.s; /* that failed */
	return NULL;
}

/* Everybody at once, and orders go now and then. */
START_TEST(asked_for_and_left_by_many)
{
	static const struct gx_orderbulk_limits limits = {0, 50, 150, 20};
	pthread_t th[4];
	void *failed[4];
	many_messages();
	w.s->orders->limits = &limits;
	atomic_store(&enough, false);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&th[i], NULL, i == 0 ? sort_again_and_again : ask_again_and_again, NULL), 0);
	for (unsigned i = 0; i < 150; i++) {
		work_between();
		if (i % 10 == 9)
			forget_orders();
	}
	atomic_store(&enough, true);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(th[i], &failed[i]);
		ck_assert_ptr_null(failed[i]);
	}
	sort_in_background();
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
	gx_txn_abort(t);
}
END_TEST

START_TEST(folder_goes)
{
	uint64_t fid;
	start_model();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "sub", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	for (unsigned i = 0; i < 50; i++)
		do_insert(t, fid);
	compare(t, fid, GX_ORDER_NORMAL);
	ST_OK(gx_msg_delete(t, fid, &model[0].mid, 1, true)); /* not applied yet when the rest goes */
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	GX_STMT(st, t->q,
		"SELECT (SELECT COUNT(*) FROM sview)+(SELECT COUNT(*) FROM srow)+(SELECT COUNT(*) FROM schunk)");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 0);
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
}
END_TEST

START_TEST(many_rows_in_runs)
{
	static uint64_t mids[6000];
	struct gx_arena *a = gx_arena_new(0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	unsigned n = 0;
	for (unsigned i = 0; i < 6000; i++) {
		mids[n++] = st_insert(t, GX_FID_INBOX, rnd(100000), 300, i % 3 ? GX_MSGF_READ : 0).mid;
		if (i % 700 == 0) {
			st_commit(t);
			t = st_begin(w.s, GX_TXN_WRITE);
		}
	}
	st_commit(t);
	st_verify(w.s);
	/* It passed 4096 messages: three orders are there without anybody having asked. */
	t = st_begin(w.s, GX_TXN_READ);
	GX_STMT(st, t->q, "SELECT COUNT(*),SUM(progress IS NULL),MIN(n),MAX(n) FROM sview JOIN"
		" (SELECT view, SUM(total) AS n FROM schunk GROUP BY view) ON view=id WHERE fid=13");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 3);
	ck_assert_int_eq(gx_sql__int(st, 1), 3);
	ck_assert_int_eq(gx_sql__int(st, 2), 6000);
	ck_assert_int_eq(gx_sql__int(st, 3), 6000);
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
	while (n > 40) {
		uint64_t some[400];
		unsigned k = 0;
		for (; k < 400 && n > 40; k++) {
			unsigned i = rnd(n);
			some[k] = mids[i];
			mids[i] = mids[--n];
		}
		t = st_begin(w.s, GX_TXN_WRITE);
		ST_OK(gx_msg_delete(t, GX_FID_INBOX, some, k, true));
		st_commit(t);
	}
	st_verify(w.s);
	t = st_begin(w.s, GX_TXN_READ);
	GX_STMT(runs, t->q, "SELECT COUNT(*) FROM schunk");
	ck_assert_int_eq(gx_sql__step(runs), 1);
	ck_assert_int_le(gx_sql__int(runs, 0), 12); /* they were joined */
	gx_sql__done(runs);
	runs = NULL;
	gx_txn_abort(t);
	gx_arena_free(a);
}
END_TEST

static void count_all(struct gx_txn *t, unsigned column, unsigned depth, int want, unsigned groups)
{
	struct gx_sort cols[] = {{GX_PROP_TAG(0x6900 + column, PtypInteger32), 0}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset s = {cols, 2, 0, 0};
	struct gx_orderspec spec;
	uint64_t view;
	bool back;
	int state = -1;
	ck_assert_int_eq(gx_orderspec__make(&s, &spec, &back), 0);
	ck_assert_int_eq(gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 10000, &view), 0);
	ck_assert_int_eq(gx_order__ensure_counts(t, view, depth, 10000), want == GX_COUNT_DONE ? 0 : GX_E_NOTFOUND);
	int err = gx_order__count_state(t, view, depth, &state);
	ck_assert_int_eq(err, want < 0 ? GX_E_NOTFOUND : 0);
	ck_assert_int_eq(state, want);
	GX_STMT(st, t->q, "SELECT COUNT(*),TOTAL(total) FROM sgroup WHERE view=?1 AND depth=?2");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_int(st, 2, depth);
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), want == GX_COUNT_DONE ? groups : 0);
}

static void insert_numbered(struct gx_txn *t, unsigned i)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *obj = gx_msgobj_new(w.a);
	ck_assert_int_eq(gx_proplist_set_i32(&obj->props, w.a, GX_PROP_TAG(0x6900, PtypInteger32), (int32_t)(i % 50)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&obj->props, w.a, GX_PROP_TAG(0x6901, PtypInteger32), (int32_t)(i / 3)), 0);
	src.obj = obj;
	ck_assert_int_eq(gx_msg_prepare(w.a, &src, &p), 0);
	o.received = 1 + i;
	o.flags = i % 3 ? GX_MSGF_READ : 0;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	gx_msg_prepared_release(p);
	if (i % 500 == 0)
		gx_arena_reset(w.a);
}

/* Few rows are not counted, nor is what hardly stands in groups; readers have it done by others. */
START_TEST(groups_are_counted_when_it_helps)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 500; i++)
		insert_numbered(t, i);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	count_all(t, 0, 1, -1, 0);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 500; i < 40000; i++)
		insert_numbered(t, i);
	count_all(t, 2, 1, GX_COUNT_DONE, 1); /* nobody has the property */
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	count_all(t, 0, 1, GX_COUNT_DONE, 50);
	count_all(t, 0, 2, GX_COUNT_VAIN, 0);
	count_all(t, 1, 1, GX_COUNT_VAIN, 0);
	gx_txn_abort(t);
	st_verify(w.s);
	t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 40000; i < 40100; i++)
		insert_numbered(t, i);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	count_all(t, 0, 1, GX_COUNT_DONE, 50);
	count_all(t, 1, 1, GX_COUNT_VAIN, 0);
	gx_txn_abort(t);
	st_verify(w.s);
}
END_TEST

static void *ask_for_order(void *ctx)
{
	struct gx_txn *t;
	struct gx_orderspec spec;
	uint64_t *view = ctx;
	bool back;
	if (gx_orderspec__make(&sets[3], &spec, &back) != 0 ||
		gx_txn_begin(w.s, &sys_actor, GX_TXN_READ, 10000, &t) != 0)
		return NULL;
	if (gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 60000, view) != 0)
		*view = 0;
	gx_txn_abort(t);
	return NULL;
}

/* One makes it, the others wait, and mail comes in. */
START_TEST(asked_for_by_many)
{
	pthread_t th[4];
	uint64_t view[4] = {0};
	struct gx_ordersum sum;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 9000; i++)
		insert_numbered(t, i);
	st_commit(t);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&th[i], NULL, ask_for_order, &view[i]), 0);
	for (unsigned i = 9000; i < 9500; i++) {
		t = st_begin(w.s, GX_TXN_WRITE);
		insert_numbered(t, i);
		st_commit(t);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(th[i], NULL);
	ck_assert(view[0] != 0 && view[1] == view[0] && view[2] == view[0] && view[3] == view[0]);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_int_eq(gx_order__total(t, view[0], &sum), 0);
	ck_assert_uint_eq(sum.total, 9500);
	gx_txn_abort(t);
	st_verify(w.s);
}
END_TEST

START_TEST(longest_unused_goes)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t first = 0, view;
	for (unsigned i = 0; i < 10; i++)
		st_insert(t, GX_FID_INBOX, i, 300, 0);
	for (unsigned i = 0; i < GX_ORDERS_MAX + 1; i++) {
		struct gx_sort col = {GX_PROP_TAG(0x6900 + i, PtypInteger32), 0};
		struct gx_sortset s = {&col, 1, 0, 0};
		struct gx_orderspec spec;
		bool back;
		ck_assert_int_eq(gx_orderspec__make(&s, &spec, &back), 0);
		ck_assert_int_eq(gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 0, &view), 0);
		if (i == 0)
			first = view;
		GX_STMT(st, t->q, "UPDATE sview SET used=?2 WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)view);
		gx_sql__bind_int(st, 2, i == 0 ? 5000 : (int64_t)i);
		ck_assert_int_eq(gx_sql__run(st), 0);
	}
	GX_STMT(st, t->q, "SELECT COUNT(*), SUM(id=?1), MIN(used) FROM sview");
	gx_sql__bind_int(st, 1, (int64_t)first);
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), GX_ORDERS_MAX);
	ck_assert_int_eq(gx_sql__int(st, 1), 1);
	ck_assert_int_eq(gx_sql__int(st, 2), 2); /* number 1 went */
	gx_sql__done(st);
	st = NULL;
	st_commit(t);
}
END_TEST

START_TEST(one_order_serves_several)
{
	const struct gx_sort two[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 1}},
			     turned[] = {{PidTagSubject, 1}, {PidTagMessageDeliveryTime, 0}};
	const struct gx_sort other[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset s[] = {
		{two, 2, 0, 0}, {two, 1, 0, 0}, {turned, 2, 0, 0}, {turned, 1, 0, 0}, {other, 2, 0, 0}};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t view[5];
	st_insert(t, GX_FID_INBOX, 1, 300, 0);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	for (unsigned i = 0; i < 5; i++) {
		struct gx_orderspec spec;
		bool back;
		ck_assert_int_eq(gx_orderspec__make(&s[i], &spec, &back), 0);
		ck_assert(back == (i == 2 || i == 3));
		ck_assert_int_eq(gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 1000, &view[i]), 0);
	}
	ck_assert(view[0] == view[1] && view[0] == view[2] && view[0] == view[3] && view[0] != view[4]);
	gx_txn_abort(t);
}
END_TEST

/* Search folders and the whole store: messages of several folders in one order. */
START_TEST(messages_of_many_folders)
{
	struct gx_orderspec spec;
	struct gx_ordersum sum;
	uint64_t fid, found, all;
	bool back;
	start_model();
	ck_assert_int_eq(gx_orderspec__make(&sets[1], &spec, &back), 0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "search", NULL, GX_FOLDER_SEARCH, NULL, &fid));
	ck_assert_int_eq(gx_order__ensure(t, fid, GX_ORDER_FOUND, &spec, 0, &found), 0);
	ck_assert_int_eq(gx_order__ensure(t, 0, GX_ORDER_STORE, &spec, 0, &all), 0);
	for (unsigned i = 0; i < 60; i++) {
		do_insert(t, i % 2 ? GX_FID_INBOX : GX_FID_DRAFTS);
		if (i % 3 == 0) /* normal ones */
			ST_OK(gx_search_link(t, fid, &model[i].mid, 1));
	}
	for (unsigned i = 0; i < 30; i++) {
		do_props(t, &model[i]);
		do_flags(t, &model[i]);
	}
	st_commit(t);
	st_verify(w.s);
	t = st_begin(w.s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_order__total(t, found, &sum), 0);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_folder_info i;
	ST_OK(gx_folder_get(t, fid, a, &i));
	ck_assert(sum.total > 10 && sum.total == i.total && sum.unread == i.unread);
	for (unsigned k = 0; k < 30; k += 3)
		ST_OK(gx_search_unlink(t, fid, &model[k].mid, 1));
	ST_OK(gx_folder_get(t, fid, a, &i));
	ck_assert_int_eq(gx_order__flush(t), 0);
	ck_assert_int_eq(gx_order__total(t, found, &sum), 0);
	ck_assert_uint_eq(sum.total, i.total);
	gx_arena_free(a);
	st_commit(t);
	st_verify(w.s);
}
END_TEST

START_TEST(damage_is_found)
{
	start_model();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 30; i++)
		do_insert(t, GX_FID_INBOX);
	compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
	struct gx_order *o;
	int state;
	for (uint64_t view = 1; view <= SETS; view++) {
		ck_assert_int_eq(gx_orders__by_id(t, view, &o), 0);
		ck_assert_int_eq(gx_order__count_more(t, o, 1, view == 1 ? 7 : 100, &state), 0);
		ck_assert_int_eq(state, view == 1 ? GX_COUNT_GOING : GX_COUNT_DONE);
	}
	ck_assert_int_eq(gx_order__verify(t, st_complain, NULL), 0);
	static const char *const wrong[] = {"UPDATE sgroup SET total=total+1 WHERE view=%d", "DELETE FROM sgroup WHERE view=%d",
		"INSERT INTO sgroup VALUES(%d,1,x'ffff',1,0)", "UPDATE sgroup SET unread=unread+1 WHERE view=%d",
		"INSERT INTO sgroup VALUES(%d,2,x'00',1,0)", "UPDATE scount SET state=1-state WHERE view=%d",
		"UPDATE scount SET depth=9 WHERE view=%d", "UPDATE scount SET state=2 WHERE view=%d"};
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		for (int view = 1; view <= 2; view++) {
			char sql[128];
			ck_assert_int_eq(gx_sql__exec(t->q, "SAVEPOINT a"), 0);
			snprintf(sql, sizeof(sql), wrong[i], view);
			ck_assert_int_eq(gx_sql__exec(t->q, sql), 0);
			ck_assert_msg(gx_order__verify(t, st_complain, NULL) > 0, "%s", sql);
			ck_assert_int_eq(gx_sql__exec(t->q, "ROLLBACK TO a; RELEASE a"), 0);
			gx_orders__forget(w.s->orders);
		}
	ck_assert_int_eq(gx_order__verify(t, st_complain, NULL), 0);
	ck_assert_int_eq(gx_sql__exec(t->q, "UPDATE srow SET unread=1-unread WHERE view=(SELECT MIN(id) FROM sview) AND"
		" key=(SELECT MAX(key) FROM srow WHERE view=(SELECT MIN(id) FROM sview))"), 0);
	ck_assert_int_eq(
		gx_sql__exec(t->q, "UPDATE schunk SET total=total+1 WHERE view=(SELECT MAX(id) FROM sview)"), 0);
	ck_assert_int_ge(gx_order__verify(t, st_complain, NULL), 4);
	ck_assert_int_eq(gx_order__rebuild(t), 0);
	ck_assert_int_eq(gx_order__verify(t, st_complain, NULL), 0);
	compare(t, GX_FID_INBOX, GX_ORDER_NORMAL);
	st_commit(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("order");
	TCase *c = tcase_create("order");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, random_work);
	tcase_add_test(c, rolled_back);
	tcase_add_test(c, built_step_by_step);
	tcase_add_test(c, built_in_bulk);
	tcase_add_test(c, left_half_built);
	tcase_add_test(c, bulk_of_what_went);
	tcase_add_test(c, left_for_others);
	tcase_add_test(c, asked_for_in_vain);
	tcase_add_test(c, asked_for_and_left_by_many);
	tcase_add_test(c, folder_goes);
	tcase_add_test(c, many_rows_in_runs);
	tcase_add_test(c, groups_are_counted_when_it_helps);
	tcase_add_test(c, asked_for_by_many);
	tcase_add_test(c, longest_unused_goes);
	tcase_add_test(c, one_order_serves_several);
	tcase_add_test(c, messages_of_many_folders);
	tcase_add_test(c, damage_is_found);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
