/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are found in the file as SQLite finds them; what is no database does no harm; tables say the same with and without. */
#include <config.h>
#include <fcntl.h>
#include <gx/table.h>
#include "libgxstore/storetest.h"

#define ROWS 400U
#define PAGES_MAX 4096U

static char dir[512], file[600];

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	snprintf(file, sizeof(file), "%s/x.db", dir);
	srandom(11);
}

static void teardown(void)
{
	st_rmtree(dir);
}

static unsigned rnd(unsigned n)
{
	return (unsigned)random() % n;
}

/* ---- A file of SQLite's ---- */

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
}

/* Ids are even, some of them far apart; rows from nothing to some pages. */
static uint32_t make(sqlite3 *db, unsigned page_size, uint64_t ids[ROWS])
{
	char sql[200];
	uint64_t id = 0;
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%u; CREATE TABLE other(x); CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);",
		page_size);
	run(db, sql);
	run(db, "BEGIN");
	for (unsigned i = 0; i < ROWS; i++) {
		id += 2 * (1 + rnd(4)) + (rnd(50) == 0 ? UINT64_C(1) << 33 : 0);
		ids[i] = id;
		snprintf(sql, sizeof(sql), "INSERT INTO t VALUES(%llu, zeroblob(%u))", (unsigned long long)id,
			rnd(3) == 0 ? rnd(3 * page_size < 20000 ? 3 * page_size : 20000) : rnd(90));
		run(db, sql);
	}
	run(db, "COMMIT");
	sqlite3_stmt *st = NULL;
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_master WHERE name='t'", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	uint32_t root = (uint32_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return root;
}

static struct {
	bool page[PAGES_MAX];
	unsigned n;
} asked;

static void note(uint32_t page, void *ctx)
{
	(void)ctx;
	if (page < PAGES_MAX) {
		asked.n += !asked.page[page];
		asked.page[page] = true;
	}
}

static struct gx_ahead_file open_file(void)
{
	struct gx_ahead_file f = {.fd = open(file, O_RDONLY | O_CLOEXEC), .ask = note};
	ck_assert_int_ge(f.fd, 0);
	memset(&asked, 0, sizeof(asked));
	return f;
}

static void close_file(struct gx_ahead_file *f)
{
	gx_ahead__file_release(f);
	close(f->fd);
}

/* Pages of the table, without those of rows behind the first that does not fit into its cell; 0: SQLite cannot tell. */
static unsigned pages_by_sqlite(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	unsigned n = 0;
	if (sqlite3_prepare_v2(db, "SELECT pageno FROM dbstat WHERE name='t' AND (pagetype<>'overflow' OR path LIKE '%+000000')", -1,
		    &st, NULL) != SQLITE_OK)
		return 0;
	while (sqlite3_step(st) == SQLITE_ROW) {
		n++;
		ck_assert_msg(asked.page[sqlite3_column_int(st, 0)], "page %d was not asked for", sqlite3_column_int(st, 0));
	}
	sqlite3_finalize(st);
	return n;
}

static void walk_all(sqlite3 *db, uint32_t root, const uint64_t ids[ROWS])
{
	struct gx_ahead_want v[2 * ROWS];
	struct gx_ahead_file f = open_file();
	ck_assert_int_eq(gx_ahead__file(&f), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		v[i] = (struct gx_ahead_want){.id = ids[(i * 7) % ROWS]};
		v[ROWS + i] = (struct gx_ahead_want){.id = ids[i] + 1};
	}
	gx_ahead__walk(&f, root, v, 2 * ROWS);
	for (unsigned i = 0; i < 2 * ROWS; i++) {
		ck_assert_msg(v[i].found == (v[i].id % 2 == 0), "row %llu", (unsigned long long)v[i].id);
		ck_assert_uint_eq(v[i].page, 0);
	}
	unsigned n = pages_by_sqlite(db);
	if (n > 0)
		ck_assert_uint_eq(asked.n, n);
	close_file(&f);
}

START_TEST(rows_are_found)
{
	static const unsigned sizes[] = {512, 1024, 4096, 65536};
	uint64_t ids[ROWS];
	for (unsigned i = 0; i < 4; i++) {
		sqlite3 *db;
		ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
		uint32_t root = make(db, sizes[i], ids);
		walk_all(db, root, ids);
		sqlite3_close(db);
		ck_assert_int_eq(unlink(file), 0);
	}
}
END_TEST

START_TEST(one_row_takes_a_page_a_level)
{
	sqlite3 *db;
	uint64_t ids[ROWS];
	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	uint32_t root = make(db, 512, ids);
	sqlite3_close(db);
	struct gx_ahead_want v = {.id = ids[0] + 1};
	struct gx_ahead_file f = open_file();
	ck_assert_int_eq(gx_ahead__file(&f), 0);
	gx_ahead__walk(&f, root, &v, 1);
	ck_assert(asked.n >= 2 && asked.n <= 4);
	close_file(&f);
}
END_TEST

static void walk_some(uint32_t root, const uint64_t ids[ROWS])
{
	struct gx_ahead_want v[20];
	struct gx_ahead_file f = open_file();
	for (unsigned i = 0; i < 20; i++)
		v[i] = (struct gx_ahead_want){.id = ids[rnd(ROWS)]};
	if (gx_ahead__file(&f) == 0)
		gx_ahead__walk(&f, rnd(4) == 0 ? rnd(300) + 1 : root, v, 20);
	close_file(&f);
}

START_TEST(damage_does_no_harm)
{
	sqlite3 *db;
	uint64_t ids[ROWS];
	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	uint32_t root = make(db, 512, ids);
	sqlite3_close(db);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	for (unsigned i = 0; i < 300; i++) {
		uint8_t was[64], is[64];
		/* where pages begin, and anywhere */
		off_t at = rnd(2) == 0 ? (off_t)rnd((unsigned)(size / 512)) * 512 : (off_t)rnd((unsigned)size - 64);
		size_t n = 1 + rnd(sizeof(is) - 1);
		ck_assert_int_eq(pread(fd, was, n, at), (ssize_t)n);
		for (size_t k = 0; k < n; k++)
			is[k] = rnd(3) == 0 ? 0xff : (uint8_t)random();
		ck_assert_int_eq(pwrite(fd, is, n, at), (ssize_t)n);
		walk_some(root, ids);
		if (i % 3 != 0)
			ck_assert_int_eq(pwrite(fd, was, n, at), (ssize_t)n);
	}
	for (size = 4096; size >= 0; size -= 300) {
		ck_assert_int_eq(ftruncate(fd, size), 0);
		walk_some(root, ids);
	}
	close(fd);
}
END_TEST

/* ---- Tables ---- */

static void fill(struct gx_store *s, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < n; i++) {
		struct gx_msg_prepared *p = st_message(a, i * 37 % n, 200 + rnd(9000));
		struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
		struct gx_msg_ids ids;
		o.received = 133000000000000000 + i;
		ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
		gx_msg_prepared_release(p);
	}
	st_commit(t);
	gx_arena_free(a);
}

static const gx_proptag_t cols[] = {PidTagMid, PidTagMessageSize, PidTagSubject};

static struct gx_table_row *read_all(struct gx_store *s, size_t ncols, int32_t want, struct gx_arena *a, size_t *ret_n)
{
	static const struct gx_sort by_subject[] = {{PidTagSubject, GX_SORT_ASCEND}};
	const struct gx_sortset set = {by_subject, 1, 0, 0};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *v;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	o.fid = GX_FID_INBOX;
	o.sort = &set;
	ST_OK(gx_table_open_contents(t, &o, &tb));
	ST_OK(gx_table_query(tb, t, want < 0 ? UINT32_MAX : 0, want, cols, ncols, a, &v, ret_n));
	gx_table_close(tb);
	gx_txn_abort(t);
	return v;
}

static void compare(struct gx_store *s, size_t ncols, int32_t want, size_t expect)
{
	struct gx_arena *a = gx_arena_new(0);
	size_t n, m;
	s->ahead.always = false;
	struct gx_table_row *x = read_all(s, ncols, want, a, &n);
	s->ahead.always = true;
	struct gx_table_row *y = read_all(s, ncols, want, a, &m);
	ck_assert_uint_eq(n, expect);
	ck_assert_uint_eq(m, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(x[i].id, y[i].id);
		for (size_t c = 0; c < ncols; c++)
			ck_assert(x[i].v[c].tag == y[i].v[c].tag &&
				gx_value_cmp(GX_PROP_TYPE(x[i].v[c].tag), &x[i].v[c].v, &y[i].v[c].v) == 0);
	}
	gx_arena_free(a);
}

static void compare_all(struct gx_store *s, unsigned n)
{
	compare(s, 3, (int32_t)n + 10, n);
	compare(s, 2, 50, 50);
	compare(s, 3, -40, 40);
}

START_TEST(tables_say_the_same)
{
	const unsigned n = GX_AHEAD_MAX + 90;
	st_create(dir);
	struct gx_store *s = st_open(dir);
	fill(s, n);
	compare_all(s, n); /* all of it is in the log */
	gx_store_close(s);
	s = st_open(dir);
	compare_all(s, n); /* all of it is in the file */
	fill(s, 20);
	compare_all(s, n + 20);
	st_verify(s);
	gx_store_close(s);
}
END_TEST

static Suite *ahead_suite(void)
{
	Suite *s = suite_create("ahead");
	TCase *c = tcase_create("ahead");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, rows_are_found);
	tcase_add_test(c, one_row_takes_a_page_a_level);
	tcase_add_test(c, damage_does_no_harm);
	tcase_add_test(c, tables_say_the_same);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(ahead_suite)
