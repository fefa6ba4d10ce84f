/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that are made in bulk: whole, in the middle of other work, left for others, asked for by many. */
#include <config.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxstore/order/ordermodel.h"

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

static Suite *suite(void)
{
	Suite *s = suite_create("orderbulk");
	TCase *c = tcase_create("orderbulk");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, built_in_bulk);
	tcase_add_test(c, left_half_built);
	tcase_add_test(c, bulk_of_what_went);
	tcase_add_test(c, left_for_others);
	tcase_add_test(c, asked_for_in_vain);
	tcase_add_test(c, asked_for_and_left_by_many);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
