/* SPDX-License-Identifier: Apache-2.0 */
/* Tables while others change the store: notifications, threads, processes. */
#include <config.h>
#include <pthread.h>
#include <gx/folder.h>
#include <gx/search.h>
#include <gx/storeset.h>
#include "libgxstore/table/tabletest.h"

struct heard {
	struct gx_table_event v[200];
	unsigned n;
};

static void hear(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	struct heard *h = ctx;
	(void)tb;
	ck_assert_uint_lt(h->n, 200);
	h->v[h->n++] = *ev;
}

START_TEST(hierarchy_is_told)
{
	static struct heard h;
	memset(&h, 0, sizeof(h));
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t a = new_folder(t, GX_FID_DRAFTS, "a"), c = new_folder(t, GX_FID_DRAFTS, "c"), b, mid;
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = hierarchy(t, GX_FID_DRAFTS, 0);
	ST_OK(gx_table_watch(tb, hear, &h));
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	b = new_folder(t, GX_FID_DRAFTS, "b");
	new_folder(t, GX_FID_INBOX, "elsewhere");
	st_commit(t);
	ck_assert_uint_eq(h.n, 1);
	ck_assert(h.v[0].type == GX_TABLE_EV_ADDED && h.v[0].hierarchy && h.v[0].row_fid == b && h.v[0].after_fid == a);
	t = st_begin(w.s, GX_TXN_WRITE);
	mid = insert_subject(t, c, "x", 1);
	insert_subject(t, GX_FID_INBOX, "x", 1);
	st_commit(t);
	ck_assert_uint_eq(h.n, 2);
	ck_assert(h.v[1].type == GX_TABLE_EV_MODIFIED && h.v[1].row_fid == c && h.v[1].after_fid == b &&
		  h.v[1].row_mid == 0);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_move(t, c, GX_FID_DRAFTS, "0"));
	st_commit(t);
	ck_assert_uint_eq(h.n, 3);
	ck_assert(h.v[2].type == GX_TABLE_EV_MODIFIED && h.v[2].row_fid == c && h.v[2].after_fid == 0);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, a, true));
	ST_OK(gx_folder_move(t, b, c, NULL));
	st_commit(t);
	ck_assert_uint_eq(h.n, 5);
	ck_assert(h.v[3].type == GX_TABLE_EV_DELETED && h.v[4].type == GX_TABLE_EV_DELETED);
	t = st_begin(w.s, GX_TXN_WRITE); /* rolled back: nothing happened */
	ST_OK(gx_msg_delete(t, c, &mid, 1, true));
	gx_txn_abort(t);
	ck_assert_uint_eq(h.n, 5);
	ST_OK(gx_table_watch(tb, NULL, NULL));
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, c, &mid, 1, true));
	st_commit(t);
	ck_assert_uint_eq(h.n, 5);
	ST_OK(gx_table_watch(tb, hear, &h)); /* what was missed is told at once */
	ck_assert_uint_eq(h.n, 6);
	ck_assert_uint_eq(h.v[5].type, GX_TABLE_EV_CHANGED);
	gx_table_close(tb);
}
END_TEST

/* Rows are messages of other folders; they come and go with what the search finds. */
START_TEST(search_folder_is_told)
{
	static struct heard h;
	struct gx_restr r = {.type = RES_CONTENT,
		.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "plan"}}}};
	const uint64_t scope = GX_FID_INBOX;
	uint64_t fid, mid;
	uint32_t n;
	bool done;
	memset(&h, 0, sizeof(h));
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "plans", NULL, GX_FOLDER_SEARCH, NULL, &fid));
	insert_subject(t, GX_FID_INBOX, "the plan", 100);
	insert_subject(t, GX_FID_INBOX, "nothing", 200);
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH | SHALLOW_SEARCH, &r, &scope, 1));
	st_commit(t);
	ck_assert_int_eq(gx_search_run(w.s, 10000, &done), 0);
	for (unsigned kind = 0; kind < 2; kind++) { /* in memory, then from an order on disk */
		t = st_begin(w.s, GX_TXN_READ);
		struct gx_table *tb = contents(t, opts(fid, 0));
		ST_OK(gx_table_watch(tb, hear, &h));
		uint32_t before = count(tb, t);
		gx_txn_abort(t);
		h.n = 0;
		t = st_begin(w.s, GX_TXN_WRITE);
		mid = insert_subject(t, GX_FID_INBOX, "another plan", 150 + kind);
		insert_subject(t, GX_FID_INBOX, "not this one", 150);
		st_commit(t);
		ck_assert_uint_eq(h.n, 1);
		ck_assert(h.v[0].type == GX_TABLE_EV_ADDED && h.v[0].row_mid == mid && h.v[0].row_fid == GX_FID_INBOX);
		struct gx_proplist l = {0};
		ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagSubject, "given up"), 0);
		t = st_begin(w.s, GX_TXN_WRITE);
		ST_OK(gx_msg_set_props(t, mid, &l));
		st_commit(t);
		ck_assert_uint_eq(h.n, 2);
		ck_assert(h.v[1].type == GX_TABLE_EV_DELETED && h.v[1].row_mid == mid);
		t = st_begin(w.s, GX_TXN_READ);
		ck_assert_uint_eq(count(tb, t), before);
		ST_OK(gx_table_sum_messages(t, fid, false, false, &n));
		ck_assert_uint_eq(n, before);
		gx_txn_abort(t);
		gx_table_close(tb);
		t = st_begin(w.s, GX_TXN_WRITE);
		for (unsigned i = 0; i < 150 && kind == 0; i++)
			insert_subject(t, GX_FID_INBOX, "plan", 300 + i);
		st_commit(t);
	}
}
END_TEST

/* A message that is read leaves the search for unread ones, and the unread rows of its table. */
START_TEST(unread_of_a_search_is_told)
{
	static struct heard h;
	const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
	const uint64_t scope = GX_FID_INBOX;
	struct gx_table_opts o = opts(0, 0);
	uint64_t mid = 0;
	bool done;
	memset(&h, 0, sizeof(h));
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "unread", NULL, GX_FOLDER_SEARCH, NULL, &o.fid));
	for (unsigned i = 0; i < 200; i++)
		mid = insert_subject(t, GX_FID_INBOX, "x", i);
	ST_OK(gx_search_set(t, o.fid, RESTART_SEARCH | SHALLOW_SEARCH, &unread, &scope, 1));
	st_commit(t);
	ck_assert_int_eq(gx_search_run(w.s, 10000, &done), 0);
	o.restr = &unread;
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, o);
	ck_assert_uint_eq(count(tb, t), 200);
	ck_assert(!tb->seq.listed);
	ST_OK(gx_table_watch(tb, hear, &h));
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, mid, GX_RF_DEFAULT, NULL));
	st_commit(t);
	ck_assert(h.n == 1 && h.v[0].type == GX_TABLE_EV_DELETED && h.v[0].row_mid == mid);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, mid, GX_RF_CLEAR_READ, NULL));
	st_commit(t);
	ck_assert(h.n == 2 && h.v[1].type == GX_TABLE_EV_ADDED && h.v[1].row_mid == mid);
	gx_table_close(tb);
}
END_TEST

static int render(const struct gx_msgobj *m, struct gx_push *msg, struct gx_push *env, struct gx_push *bs, void *ctx)
{
	(void)m;
	(void)ctx;
	gx_push_str(msg, "Subject: much longer than the object that it is made of\r\n\r\n");
	for (unsigned i = 0; i < 100; i++)
		gx_push_str(msg, "and with as many lines as a letter has\r\n");
	gx_push_str(env, "(e)");
	gx_push_str(bs, "(b)");
	return 0;
}

/* What IMAP asks for is made and kept: the message is as it was, but its size is another, and rows show that. */
START_TEST(rendering_is_told)
{
	static struct heard h;
	const struct gx_sort up[] = {{PidTagMessageSize, 0}};
	const struct gx_sortset by_size = {up, 1, 0, 0};
	const struct gx_restr any = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	const uint64_t scope = GX_FID_INBOX;
	struct gx_table_opts to = opts(GX_FID_INBOX, 0);
	struct gx_store_opts so = GX_STORE_OPTS_INIT;
	struct gx_folder_info i, f;
	struct gx_msg_mime mime;
	uint64_t small, big, fid;
	memset(&h, 0, sizeof(h));
	gx_store_close(w.s);
	so.render = render;
	w.s = st_open_with(w.dir, &so);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	small = insert_subject(t, GX_FID_INBOX, "x", 1);
	big = st_insert(t, GX_FID_INBOX, 2, 2000, 0).mid;
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "all", NULL, GX_FOLDER_SEARCH, NULL, &fid));
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH | SHALLOW_SEARCH, &any, &scope, 1));
	st_commit(t);
	to.sort = &by_size;
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, to);
	ck_assert_uint_eq(count(tb, t), 2);
	ST_OK(gx_table_watch(tb, hear, &h));
	ST_OK(gx_msg_mime(t, small, &mime));
	gx_txn_abort(t);
	ck_assert(h.n == 1 && h.v[0].type == GX_TABLE_EV_MODIFIED && h.v[0].row_mid == small && h.v[0].after_mid == big);
	t = st_begin(w.s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, w.a, &i));
	ST_OK(gx_folder_get(t, fid, w.a, &f));
	ck_assert_uint_eq(f.total, 2);
	ck_assert_uint_eq(f.size, i.size);
	gx_txn_abort(t);
	gx_table_close(tb);
}
END_TEST

START_TEST(changed_once_until_used)
{
	static struct heard h;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	memset(&h, 0, sizeof(h));
	for (unsigned i = 0; i < 300; i++)
		insert_subject(t, GX_FID_INBOX, "x", i);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, opts(GX_FID_INBOX, 0));
	ST_OK(gx_table_watch(tb, hear, &h));
	gx_txn_abort(t);
	for (unsigned round = 0; round < 3; round++) {
		t = st_begin(w.s, GX_TXN_WRITE);
		for (unsigned i = 0; i < 100; i++)
			insert_subject(t, GX_FID_INBOX, "x", i);
		st_commit(t);
	}
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.v[0].type, GX_TABLE_EV_CHANGED);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(tb, t), 600);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	insert_subject(t, GX_FID_INBOX, "x", 1000);
	uint64_t gone = insert_subject(t, GX_FID_INBOX, "y", 1001); /* comes and goes: nobody has seen it */
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &gone, 1, true));
	st_commit(t);
	ck_assert_uint_eq(h.n, 2);
	ck_assert_uint_eq(h.v[1].type, GX_TABLE_EV_ADDED);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_empty(t, GX_FID_INBOX, GX_CONTENT_NORMAL | GX_CONTENT_HARD, 0, &(bool){false}, &(bool){false}));
	st_commit(t);
	ck_assert_uint_eq(h.n, 3);
	ck_assert_uint_eq(h.v[2].type, GX_TABLE_EV_CHANGED);
	gx_table_close(tb);
}
END_TEST

START_TEST(reset_change_numbers)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	const struct gx_sort up[] = {{PidTagChangeNumber, 0}};
	struct gx_sortset s = {up, 1, 0, 0};
	struct gx_restr r = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	for (unsigned i = 0; i < 200; i++)
		insert_subject(t, GX_FID_INBOX, "x", i);
	st_commit(t);
	o.sort = &s;
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, o);
	o.restr = &r;
	struct gx_table *part = contents(t, o);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_store_reset_changes(t, GX_CGK_FOLDERS | GX_CGK_MESSAGES | GX_CGK_ZERO_LAST));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(tb, t), 200);
	ck_assert_uint_eq(count(part, t), 200);
	gx_txn_abort(t);
	gx_table_close(tb);
	gx_table_close(part);
}
END_TEST

/* While somebody writes for long, a table is sorted in memory; when it has to be read anew it takes the order that can be made then. */
START_TEST(no_order_for_now)
{
	const struct gx_sort up[] = {{PidTagSubject, 0}};
	const struct gx_sortset by_subject = {up, 1, 0, 0};
	const gx_proptag_t col = PidTagSubject;
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	size_t n;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE), *bulk;
	for (unsigned i = 0; i < 300; i++)
		insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "%03u", i * 7 % 300), i);
	st_commit(t);
	o.sort = &by_subject;
	bulk = st_begin(w.s, GX_TXN_WRITE);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, o);
	struct gx_table_row *r = rows(tb, t, &col, 1, &n);
	ck_assert(tb->seq.listed && n == 300);
	ck_assert_str_eq(r[299].v[0].v.str, "299");
	gx_txn_abort(t);
	for (unsigned i = 0; i < 200; i++) /* more than is told row by row */
		insert_subject(bulk, GX_FID_INBOX, gx_arena_printf(w.a, "x%03u", i), i);
	st_commit(bulk);
	t = st_begin(w.s, GX_TXN_READ);
	r = rows(tb, t, &col, 1, &n);
	ck_assert(!tb->seq.listed && n == 500);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(r[i - 1].v[0].v.str, r[i].v[0].v.str), 0);
	gx_txn_abort(t);
	gx_table_close(tb);
}
END_TEST

static void all_in_order(struct gx_table *tb, struct gx_txn *t, size_t want)
{
	const gx_proptag_t col = PidTagSubject;
	size_t n;
	struct gx_table_row *r = rows(tb, t, &col, 1, &n);
	ck_assert_uint_eq(n, want);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(r[i - 1].v[0].v.str, r[i].v[0].v.str), 0);
}

/* The order is made in the background: tables that did without change over to it, and their watchers hear nothing of that. */
START_TEST(order_made_meanwhile)
{
	static struct heard h[2];
	static const struct gx_orderbulk_limits limits = {100, 64, 150, 40};
	const struct gx_sort up[] = {{PidTagSubject, 0}};
	const struct gx_sortset by_subject = {up, 1, 0, 0};
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	struct gx_table *tb[2];
	bool done;
	memset(h, 0, sizeof(h));
	w.s->orders->limits = &limits;
	struct gx_txn *writer, *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 300; i++)
		insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "%03u", i * 7 % 300), i);
	st_commit(t);
	o.sort = &by_subject;
	writer = st_begin(w.s, GX_TXN_WRITE);
	t = st_begin(w.s, GX_TXN_READ);
	for (unsigned i = 0; i < 2; i++) {
		tb[i] = contents(t, o);
		ST_OK(gx_table_watch(tb[i], hear, &h[i]));
		ck_assert(tb[i]->seq.listed);
		all_in_order(tb[i], t, 300);
	}
	gx_txn_abort(t);
	uint64_t mid = insert_subject(writer, GX_FID_INBOX, "0000", 1);
	st_commit(writer);
	ck_assert_int_eq(gx_store_sort(w.s, 100000, &done), 0);
	ck_assert(done);
	t = st_begin(w.s, GX_TXN_READ);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(tb[i]->seq.listed);
		all_in_order(tb[i], t, 301);
		ck_assert(!tb[i]->seq.listed && tb[i]->seq.v == NULL);
		ck_assert_uint_eq(h[i].n, 1);
		ck_assert(h[i].v[0].type == GX_TABLE_EV_ADDED && h[i].v[0].row_mid == mid);
	}
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t next = insert_subject(t, GX_FID_INBOX, "0001", 1);
	st_commit(t);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(h[i].n, 2);
		ck_assert(h[i].v[1].row_mid == next && h[i].v[1].after_mid == mid);
	}
	t = st_begin(w.s, GX_TXN_READ);
	for (unsigned i = 0; i < 2; i++) {
		all_in_order(tb[i], t, 302);
		gx_table_close(tb[i]);
	}
	gx_txn_abort(t);
}
END_TEST

/* An order that was made inside a transaction goes with it; who reads it is not told nonsense then. */
START_TEST(order_taken_back)
{
	static struct heard h;
	const struct gx_sort subject[] = {{PidTagSubject, 0}}, size[] = {{PidTagMessageSize, 0}};
	const struct gx_sortset by_subject = {subject, 1, 0, 0}, by_size = {size, 1, 0, 0};
	const gx_proptag_t col = PidTagSubject;
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	uint64_t mid[300], last;
	size_t n;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 300; i++)
		mid[i] = insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "%03u", i), i);
	st_commit(t);
	for (unsigned round = 0; round < 2; round++) { /* nothing has its number, then another order has it */
		memset(&h, 0, sizeof(h));
		o.sort = &by_subject;
		t = st_begin(w.s, GX_TXN_WRITE);
		struct gx_table *tb = contents(t, o), *other = NULL;
		rows(tb, t, &col, 1, &n);
		ck_assert(!tb->seq.listed);
		ST_OK(gx_table_watch(tb, hear, &h));
		gx_txn_abort(t);
		if (round == 1) {
			o.sort = &by_size;
			t = st_begin(w.s, GX_TXN_READ);
			other = contents(t, o);
			rows(other, t, &col, 1, &n);
			ck_assert_uint_eq(other->seq.view, tb->seq.view);
			gx_txn_abort(t);
		}
		t = st_begin(w.s, GX_TXN_WRITE);
		last = insert_subject(t, GX_FID_INBOX, "999", 1);
		st_commit(t);
		ck_assert_uint_eq(h.n, 1);
		ck_assert(h.v[0].type == GX_TABLE_EV_CHANGED || h.v[0].after_mid == mid[299]);
		t = st_begin(w.s, GX_TXN_WRITE);
		ST_OK(gx_msg_delete(t, GX_FID_INBOX, &last, 1, true));
		st_commit(t);
		gx_table_close(tb);
		gx_table_close(other);
	}
}
END_TEST

/* ---- Threads ---- */

static atomic_bool stop;

static void *change_things(void *ctx)
{
	unsigned seed = 5;
	(void)ctx;
	for (unsigned i = 0; i < 150; i++) {
		struct gx_txn *t;
		struct gx_arena *a = gx_arena_new(0);
		struct gx_msg_prepared *p = st_message(a, i, 300);
		struct gx_msg_ids ids;
		ck_assert_int_eq(gx_txn_begin(w.s, &sys_actor, GX_TXN_WRITE, 30000, &t), 0);
		ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
		if (rand_r(&seed) % 3 == 0)
			ST_OK(gx_msg_delete(t, GX_FID_INBOX, &ids.mid, 1, true));
		st_commit(t);
		gx_msg_prepared_release(p);
		gx_arena_free(a);
	}
	atomic_store(&stop, true);
	return NULL;
}

static void ignore(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	(void)ev;
	atomic_fetch_add((atomic_uint *)ctx, 1);
}

static void *read_tables(void *ctx)
{
	const struct gx_sort up[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset flat = {up, 2, 0, 0}, tree = {up, 1, 1, 1};
	struct gx_restr r = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	const gx_proptag_t cols[] = {PidTagSubject, PidTagMid};
	unsigned kind = *(unsigned *)ctx;
	atomic_uint events = 0;
	struct gx_table *tb = NULL;
	while (!atomic_load(&stop)) {
		struct gx_txn *t;
		struct gx_arena *a = gx_arena_new(0);
		struct gx_table_row *v;
		uint32_t n;
		size_t got;
		ck_assert_int_eq(gx_txn_begin(w.s, &sys_actor, GX_TXN_READ, 30000, &t), 0);
		if (tb == NULL) {
			struct gx_table_opts o = opts(GX_FID_INBOX, 0);
			o.sort = kind == 1 ? &tree : &flat;
			o.restr = kind == 2 ? &r : NULL;
			ST_OK(gx_table_open_contents(t, &o, &tb));
			ST_OK(gx_table_watch(tb, ignore, &events));
		}
		/* Within one transaction the answers agree. */
		ST_OK(gx_table_count(tb, t, &n));
		ST_OK(gx_table_query(tb, t, 0, 60000, cols, 2, a, &v, &got));
		if (kind == 0)
			ck_assert_uint_eq(n, got);
		gx_txn_abort(t);
		if (rand() % 4 == 0) {
			gx_table_close(tb);
			tb = NULL;
		}
		gx_arena_free(a);
	}
	gx_table_close(tb);
	return NULL;
}

START_TEST(side_by_side)
{
	pthread_t writer, reader[3];
	unsigned kind[3] = {0, 1, 2};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 150; i++)
		st_insert(t, GX_FID_INBOX, i, 300, 0);
	st_commit(t);
	atomic_store(&stop, false);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&reader[i], NULL, read_tables, &kind[i]), 0);
	ck_assert_int_eq(pthread_create(&writer, NULL, change_things, NULL), 0);
	pthread_join(writer, NULL);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(reader[i], NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tablewatch");
	TCase *c = tcase_create("changes");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, hierarchy_is_told);
	tcase_add_test(c, search_folder_is_told);
	tcase_add_test(c, unread_of_a_search_is_told);
	tcase_add_test(c, rendering_is_told);
	tcase_add_test(c, changed_once_until_used);
	tcase_add_test(c, reset_change_numbers);
	tcase_add_test(c, no_order_for_now);
	tcase_add_test(c, order_made_meanwhile);
	tcase_add_test(c, order_taken_back);
	tcase_add_test(c, side_by_side);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
