/* SPDX-License-Identifier: Apache-2.0 */
/* Sort orders on disk against a model in memory that sorts by comparing values. */
#include <config.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxstore/order/ordermodel.h"

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
