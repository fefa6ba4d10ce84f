/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that were locked, whose disk fails or is full; the pool. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <gx/storeset.h>
#include "libgxstore/faults/faultvfs.h"
#include "libgxstore/storetest.h"

static char dir[512];
static struct gx_arena *a;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
}

static int try_open(const struct gx_store_opts *o, const char **ret_why)
{
	struct gx_store *s = NULL;
	*ret_why = "";
	int err = gx_store_open(dir, o, &s, a, ret_why);
	gx_store_close(s);
	return err;
}

static uint64_t total(struct gx_store *s, uint64_t fid)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, fid, a, &i));
	gx_txn_abort(t);
	return i.total;
}

static void write_file(const char *path, const char *text, size_t n, off_t off)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, text, n, off), (ssize_t)n);
	close(fd);
}

START_TEST(wrong_files_are_named)
{
	const char *why;
	char path[600];
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	write_file(path, "this is no database, only some words", 36, 0);
	ck_assert_int_eq(try_open(NULL, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(try_open(NULL, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, "gromox-mkprivate"));
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE x(y)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_eq(try_open(NULL, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "not a store"));
}
END_TEST

START_TEST(newer_schema_is_refused)
{
	const char *why;
	char path[600];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version=999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_eq(try_open(NULL, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "newer"));
}
END_TEST

static struct gx_store *observe(void)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.observe = true;
	return st_open_with(dir, &o);
}

static uint32_t sum_of_database(void)
{
	char path[600], buf[4096];
	uint32_t sum = 0;
	ssize_t n;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	int fd = open(path, O_RDONLY);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (uint8_t)buf[i];
	close(fd);
	return sum;
}

START_TEST(a_store_can_be_looked_at)
{
	struct gx_txn *t;
	struct gx_store *s = st_open(dir), *x = observe();
	t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = st_insert(t, GX_FID_INBOX, 1, 200000, 0).mid;
	ck_assert_uint_eq(total(x, GX_FID_INBOX), 0); /* not committed yet */
	st_commit(t);
	ck_assert_uint_eq(total(x, GX_FID_INBOX), 1);
	ck_assert_int_eq(gx_txn_begin(x, &sys_actor, GX_TXN_WRITE, 1000, &t), GX_E_STATE);
	struct gx_push out = GX_PUSH_INIT;
	t = st_begin(x, GX_TXN_READ);
	ST_OK(gx_msg_original(t, mid, 0, UINT64_MAX, &out));
	ck_assert_uint_eq(out.len, 200000);
	gx_push_release(&out);
	gx_txn_abort(t);
	st_verify(x);
	gx_store_close(s);
	ck_assert_uint_eq(total(x, GX_FID_INBOX), 1);
	gx_store_close(x);
	uint32_t before = sum_of_database();
	x = observe();
	ck_assert_uint_eq(total(x, GX_FID_INBOX), 1);
	st_verify(x);
	gx_store_close(x);
	ck_assert_uint_eq(sum_of_database(), before);
	s = st_open(dir);
	st_verify(s);
	gx_store_close(s);
}
END_TEST

START_TEST(an_older_store_is_not_upgraded_by_looking)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	char path[600];
	const char *why;
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version=1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	o.observe = true;
	ck_assert_int_eq(try_open(&o, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "gromox-mkprivate -U"));
}
END_TEST

static int64_t number(struct gx_sql *q, const char *sql)
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(q->db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	int64_t v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

START_TEST(upgrades_go_step_by_step)
{
	static const char *const bad[] = {"CREATE TABLE up(x); INSERT INTO up VALUES(7)", "INSERT INTO up VALUES(8); INSERT INTO gone VALUES(1)"};
	static const char *const good[] = {NULL, "UPDATE up SET x=x+1"};
	char path[600], why[512];
	struct gx_sql *q;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	struct gx_sql_open o = {.file = path, .dir = dir, .writer = true};
	ck_assert_int_eq(gx_sql__open(&o, &q, why, sizeof(why)), 0);
	ck_assert_int_lt(gx_schema__upgrade(q, bad, 1, 3), 0);
	ck_assert_ptr_nonnull(strstr(q->why, "gone"));
	ck_assert_int_eq(number(q, "PRAGMA user_version"), 2);
	ck_assert_int_eq(number(q, "SELECT COUNT(*) FROM up"), 1);
	ck_assert_int_eq(gx_schema__upgrade(q, good, 2, 3), 0);
	ck_assert_int_eq(number(q, "PRAGMA user_version"), 3);
	ck_assert_int_eq(number(q, "SELECT x FROM up"), 8);
	gx_sql__close(q);
}
END_TEST

START_TEST(one_owner)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	const char *why;
	o.owner_program = "tester";
	struct gx_store *s = st_open_with(dir, &o);
	ck_assert_int_eq(try_open(&o, &why), GX_E_BUSY);
	ck_assert_ptr_nonnull(strstr(why, "tester"));
	ck_assert_ptr_nonnull(strstr(why, gx_arena_printf(a, "pid %ld", (long)getpid())));
	ck_assert_ptr_nonnull(strstr(why, "reach the store through it"));
	gx_store_close(s);
	gx_store_close(st_open_with(dir, &o));
}
END_TEST

START_TEST(writers_wait_and_give_up)
{
	struct gx_store *s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE), *u, *r[5];
	ck_assert_int_eq(gx_txn_begin(s, &sys_actor, GX_TXN_WRITE, 50, &u), GX_E_TIMEOUT);
	for (int i = 0; i < 4; i++)
		r[i] = st_begin(s, GX_TXN_READ); /* readers do not wait for it */
	ck_assert_int_eq(gx_txn_begin(s, &sys_actor, GX_TXN_READ, 50, &u), GX_E_TIMEOUT);
	for (int i = 0; i < 4; i++)
		gx_txn_abort(r[i]);
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(s, &sys_actor, 7, 50, &u), GX_E_INVAL);
	gx_store_close(s);
}
END_TEST

static void set_meta(const char *sql)
{
	char path[600];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(numbers_jump_after_power_loss)
{
	struct gx_folder_info before, after, one, two;
	struct gx_store *s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, 1, 500, 0);
	uint64_t fid;
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "one", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_get(t, fid, a, &one));
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &before));
	st_commit(t);
	gx_store_close(s);
	set_meta("INSERT INTO meta VALUES('open',CAST('another boot' AS BLOB))");
	s = st_open(dir);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &after));
	ck_assert_uint_eq(after.uidnext, before.uidnext + GX_SKIP_AFTER_LOSS);
	ck_assert_uint_eq(after.uidvalidity, before.uidvalidity);
	struct gx_msg_ids more = st_insert(t, GX_FID_INBOX, 2, 500, 0);
	ck_assert_uint_ge(more.mid, ids.mid + GX_SKIP_AFTER_LOSS);
	ck_assert_uint_ge(more.cn, ids.cn + GX_SKIP_AFTER_LOSS);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "two", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_get(t, fid, a, &two)); /* other folders may have had the numbers between */
	ck_assert_uint_ge(two.uidvalidity, one.uidvalidity + GX_SKIP_AFTER_LOSS);
	st_commit(t);
	st_verify(s);
	gx_store_close(s);
	s = st_open(dir); /* closed in order: no more jumps */
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &before));
	ck_assert_uint_eq(before.uidnext, after.uidnext + 1);
	gx_txn_abort(t);
	gx_store_close(s);
}
END_TEST

/* ---- Flushes that fail ---- */

static int insert_one(struct gx_store *s, unsigned i, int sync)
{
	struct gx_txn *t;
	int err = gx_txn_begin(s, &sys_actor, GX_TXN_WRITE, 1000, &t);
	if (err != 0)
		return err;
	st_insert(t, GX_FID_INBOX, i, 500, 0);
	return gx_txn_commit(t, sync);
}

/* What a loss of everything that is not safe leaves. */
static uint64_t after_loss(struct fault *f, uint64_t fid)
{
	char out[512];
	snprintf(out, sizeof(out), "%s", st_dir());
	fdisk_lose(f->disk, FDISK_NOTHING, 1, out);
	struct gx_store *s = st_open(out);
	uint64_t n = total(s, fid);
	st_verify(s);
	gx_store_close(s);
	st_rmtree(out);
	return n;
}

static uint64_t total_after_loss(struct fault *f)
{
	return after_loss(f, GX_FID_INBOX);
}

static struct gx_store *open_on(struct fault *f)
{
	struct gx_store *s = NULL;
	ck_assert_int_eq(gx_store__open_on(&f->fs, dir, NULL, &s, a, NULL), 0);
	ck_assert_int_eq(insert_one(s, 1, GX_SYNC_NOW), 0);
	return s;
}

/* The kernel tells of a failed flush once, and what it should have written is clean for it. */
START_TEST(a_failed_flush_is_mended)
{
	struct fault *f = fault_new(dir, true);
	struct gx_store *s = open_on(f);
	fault_arm(f, 1, FAULT_EIO, FAULT_SYNC, false);
	ck_assert_int_eq(insert_one(s, 2, GX_SYNC_NOW), 0);
	ck_assert(fault_disarm(f));
	ck_assert_uint_eq(total_after_loss(f), 2);
	gx_store_close(s);
	fault_free(f);
}
END_TEST

/* SQLite gives all of a transaction up then: nothing that follows is done outside of it. */
START_TEST(a_transaction_that_ended_takes_no_more)
{
	struct fault *f = fault_new(dir, true);
	struct gx_store *s = open_on(f);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_sql__exec(t->q, "INSERT INTO meta VALUES('a',1)"), 0);
	ck_assert_int_eq(gx_sql__exec(t->q, "PRAGMA max_page_count=1"), 0); /* as many as there are */
	for (int k = 0; k < 2; k++)
		ck_assert_int_eq(gx_sql__exec(t->q, "INSERT INTO meta VALUES('b',zeroblob(1000000))"), GX_E_NOSPACE);
	ck_assert_int_ne(sqlite3_get_autocommit(t->q->db), 0);
	ck_assert_int_eq(gx_sql__exec(t->q, "INSERT INTO meta VALUES('c',1)"), GX_E_NOSPACE);
	{
		GX_STMT(st, t->q, "INSERT INTO meta VALUES('d',1)");
		ck_assert_int_eq(gx_sql__run(st), GX_E_NOSPACE);
	}
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), GX_E_NOSPACE);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(number(t->q, "SELECT COUNT(*) FROM meta WHERE key IN ('a','b','c','d')"), 0);
	ck_assert_int_eq(gx_sql__exec(t->q, "PRAGMA max_page_count=1000000"), 0);
	st_commit(t);
	ck_assert_int_eq(insert_one(s, 2, GX_SYNC_NOW), 0);
	gx_store_close(s);
	fault_free(f);
}
END_TEST

START_TEST(a_disk_that_does_not_flush_is_an_error)
{
	struct fault *f = fault_new(dir, true);
	struct gx_store *s = open_on(f);
	fault_arm(f, 1, _i == 0 ? FAULT_EIO : FAULT_ENOSPC, FAULT_SYNC, true);
	ck_assert_int_eq(insert_one(s, 2, GX_SYNC_NOW), _i == 0 ? GX_E_IO : GX_E_NOSPACE);
	ck_assert_int_eq(insert_one(s, 3, GX_SYNC_LATER), _i == 0 ? GX_E_IO : GX_E_NOSPACE); /* nothing is piled onto it */
	ck_assert_int_ne(gx_store_sync(s), 0);
	gx_flush__checkpoint(s, 0);
	ck_assert_uint_eq(total(s, GX_FID_INBOX), 2); /* visible, and not promised */
	ck_assert(fault_disarm(f));
	ck_assert_int_eq(gx_store_sync(s), 0);
	ck_assert_uint_eq(total_after_loss(f), 2);
	ck_assert_int_eq(insert_one(s, 3, GX_SYNC_NOW), 0);
	ck_assert_uint_eq(total_after_loss(f), 3);
	st_verify(s);
	gx_store_close(s);
	fault_free(f);
}
END_TEST

static off_t size_of_log(void)
{
	struct stat sb;
	ck_assert_int_eq(stat(gx_arena_printf(a, "%s/exmdb/gx.sqlite3-wal", dir), &sb), 0);
	return sb.st_size;
}

/* When the database could not be flushed the log stays, also when the store is closed, and is moved at the next opening. */
START_TEST(the_log_outlives_a_failed_flush_of_the_database)
{
	struct fault *f = fault_new(dir, true);
	struct gx_store *s = open_on(f);
	fault_arm(f, 2, FAULT_EIO, FAULT_SYNC, false); /* the first one is that of the log */
	gx_flush__checkpoint(s, 0);
	ck_assert(fault_disarm(f));
	for (unsigned i = 2; i < 10; i++) {
		ck_assert_int_eq(insert_one(s, i, GX_SYNC_NOW), 0);
		gx_flush__checkpoint(s, 0);
		ck_assert_uint_eq(total_after_loss(f), i);
	}
	off_t log = size_of_log();
	ck_assert_int_eq(gx_store_vacuum(s, 1000), GX_E_IO);
	ck_assert_int_eq(size_of_log(), log); /* nothing is piled onto it */
	gx_store_close(s);
	ck_assert_uint_eq(total_after_loss(f), 9);
	ck_assert_int_eq(gx_store__open_on(&f->fs, dir, NULL, &s, a, NULL), 0);
	ck_assert_uint_eq(total_after_loss(f), 9);
	gx_flush__checkpoint(s, 0);
	ck_assert_int_eq(gx_store_vacuum(s, 1000), 0);
	ck_assert_uint_eq(total(s, GX_FID_INBOX), 9);
	st_verify(s);
	gx_store_close(s);
	ck_assert_uint_eq(total_after_loss(f), 9);
	fault_free(f);
}
END_TEST

static struct {
	struct gx_store *s;
	struct fault *f;
	uint64_t uidnext, events;
	unsigned looked, seen;
} veil;

static uint64_t uidnext(struct gx_store *s, uint64_t fid)
{
	struct gx_folder_info i;
	struct gx_txn *t;
	int err = gx_txn_begin(s, &sys_actor, GX_TXN_READ, 0, &t);
	if (err == GX_E_TIMEOUT)
		return 0;
	ck_assert_int_eq(err, 0);
	ST_OK(gx_folder_get(t, fid, a, &i));
	gx_txn_abort(t);
	return i.uidnext;
}

static void look(struct fault *f, void *ctx)
{
	(void)f;
	(void)ctx;
	veil.looked++;
	veil.seen += uidnext(veil.s, GX_FID_DRAFTS) > veil.uidnext;
}

static void told(const struct gx_event *ev, void *ctx)
{
	(void)ctx;
	if (veil.events++ == 0)
		ck_assert_uint_ge(after_loss(veil.f, GX_FID_DRAFTS), ev->uid);
}

/* More numbers in one transaction than are skipped after a loss: nobody sees them before they are safe. */
START_TEST(large_transactions_are_seen_when_they_are_safe)
{
	const size_t n = GX_UNFLUSHED_MAX;
	struct fault *f = fault_new(dir, true);
	struct gx_txn *t;
	uint64_t *mids = calloc(n, sizeof(*mids)), sub;
	veil.s = open_on(f);
	veil.f = f;
	veil.uidnext = uidnext(veil.s, GX_FID_DRAFTS);
	ck_assert_int_eq(gx_store_subscribe(veil.s, GX_FID_DRAFTS, GX_EV_MSG_COPIED, told, NULL, &sub), 0);
	t = st_begin(veil.s, GX_TXN_WRITE);
	mids[0] = st_insert(t, GX_FID_INBOX, 1, 500, 0).mid;
	for (size_t i = 1; i < n; i++)
		mids[i] = mids[0];
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, mids, n, GX_FID_DRAFTS, false, NULL));
	f->changed = look;
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	f->changed = NULL;
	ck_assert_uint_gt(veil.looked, 10);
	ck_assert_uint_eq(veil.seen, 0);
	ck_assert_uint_eq(veil.events, n);
	ck_assert_uint_eq(uidnext(veil.s, GX_FID_DRAFTS), veil.uidnext + n);
	gx_store_close(veil.s);
	free(mids);
	fault_free(f);
}
END_TEST

/* ---- Damage ---- */

static void read_everything(struct gx_store *s)
{
	struct gx_folder_info *v;
	size_t n;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_arena *x = gx_arena_new(64 << 20);
	struct gx_txn *t;
	struct gx_imapview *view;
	if (gx_txn_begin(s, &sys_actor, GX_TXN_READ, 1000, &t) != 0) {
		gx_arena_free(x);
		return;
	}
	gx_ec ec = gx_folder_list(t, GX_FID_ROOT, true, x, &v, &n);
	if (!gx_ec_failed(ec) && !gx_ec_failed(gx_imapview_open(s, &sys_actor, GX_FID_INBOX, &view))) {
		for (uint32_t i = 1; i <= gx_imapview_count(view) && i < 200; i++) {
			uint64_t mid = gx_imapview_at(view, i).mid;
			struct gx_msg_mime mime;
			struct gx_msgobj *m;
			struct gx_proplist l;
			gx_push_clear(&out);
			out.limit = 16 << 20;
			ec = gx_msg_mime(t, mid, &mime);
			ec = gx_msg_original(t, mid, 0, UINT64_MAX, &out);
			ec = gx_msg_get_props(t, mid, NULL, 0, x, &l);
			ec = gx_msg_read(t, mid, x, &m);
		}
		gx_imapview_close(view);
	}
	gx_txn_abort(t);
	gx_push_release(&out);
	gx_arena_free(x);
}

START_TEST(damage_is_an_error)
{
	char path[600];
	struct gx_store *s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 60; i++)
		st_insert(t, GX_FID_INBOX, i, i % 10 == 0 ? 60000 : 900, 0);
	st_commit(t);
	gx_store_close(s);
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	struct stat sb;
	ck_assert_int_eq(stat(path, &sb), 0);
	char *good = malloc((size_t)sb.st_size);
	int fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, good, (size_t)sb.st_size), sb.st_size);
	close(fd);
	srandom(_i + 1U);
	for (int round = 0; round < 25; round++) {
		const char *why;
		struct gx_store *x = NULL;
		write_file(path, good, (size_t)sb.st_size, 0);
		for (int k = 0; k < 1 + round % 40; k++) {
			char c = (char)random();
			write_file(path, &c, 1, 100 + random() % (sb.st_size - 100));
		}
		why = "";
		if (gx_store_open(dir, NULL, &x, a, &why) != 0) {
			ck_assert_str_ne(why, "");
			continue;
		}
		read_everything(x);
		ck_assert_int_ne(gx_store_verify(x, NULL, NULL), GX_E_NOMEM);
		gx_store_close(x);
	}
	free(good);
}
END_TEST

/* ---- The pool ---- */

static int64_t fake_now = 1000000000;

static int64_t fake_mono(void *ctx)
{
	(void)ctx;
	return fake_now;
}

static int64_t fake_real(void *ctx)
{
	(void)ctx;
	return gx_clock_system()->realtime_ns(NULL);
}

START_TEST(the_pool_opens_once_and_closes_idle_ones)
{
	static const struct gx_clock clock = {fake_real, fake_mono, NULL};
	struct gx_store_pool_opts o = GX_STORE_POOL_OPTS_INIT;
	struct gx_store *x, *y, *z;
	const char *why = "";
	char second[600], third[600];
	snprintf(second, sizeof(second), "%s/two", dir);
	snprintf(third, sizeof(third), "%s/three", dir);
	st_create(second);
	st_create(third);
	o.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	o.store.clock = &clock;
	o.max_open = 2;
	o.idle_seconds = 10;
	struct gx_store_pool *p = gx_store_pool_new(&o);
	ck_assert_int_eq(gx_store_pool_get(p, "/nonexistent/x", &x, a, &why), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_store_pool_get(p, dir, &x, a, &why), 0);
	ck_assert_int_eq(gx_store_pool_get(p, dir, &y, a, &why), 0);
	ck_assert_ptr_eq(x, y);
	ck_assert_int_eq(gx_store_pool_get(p, second, &y, a, &why), 0);
	ck_assert_int_eq(gx_store_pool_get(p, third, &z, a, &why), GX_E_LIMIT);
	gx_store_pool_put(p, y);
	ck_assert_int_eq(gx_store_pool_get(p, third, &z, a, &why), 0); /* the idle one made room */
	gx_store_pool_put(p, z);
	gx_store_pool_put(p, x);
	ck_assert_uint_eq(gx_store_pool_tick(p), 2);
	fake_now += 11000000000;
	ck_assert_uint_eq(gx_store_pool_tick(p), 1); /* x has one user left */
	struct gx_txn *t = st_begin(x, GX_TXN_WRITE);
	st_insert(t, GX_FID_INBOX, 1, 500, 0);
	st_commit(t);
	ck_assert_int_eq(gx_store_pool_sync(p), 0);
	gx_store_pool_put(p, x);
	fake_now += 11000000000;
	ck_assert_uint_eq(gx_store_pool_tick(p), 0);
	gx_store_pool_free(p);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("durable");
	TCase *c = tcase_create("stores");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, wrong_files_are_named);
	tcase_add_test(c, newer_schema_is_refused);
	tcase_add_test(c, a_store_can_be_looked_at);
	tcase_add_test(c, an_older_store_is_not_upgraded_by_looking);
	tcase_add_test(c, upgrades_go_step_by_step);
	tcase_add_test(c, one_owner);
	tcase_add_test(c, writers_wait_and_give_up);
	tcase_add_test(c, numbers_jump_after_power_loss);
	tcase_add_loop_test(c, damage_is_an_error, 0, 3);
	tcase_add_test(c, a_failed_flush_is_mended);
	tcase_add_test(c, a_transaction_that_ended_takes_no_more);
	tcase_add_loop_test(c, a_disk_that_does_not_flush_is_an_error, 0, 2);
	tcase_add_test(c, the_log_outlives_a_failed_flush_of_the_database);
	tcase_add_test(c, large_transactions_are_seen_when_they_are_safe);
	tcase_add_test(c, the_pool_opens_once_and_closes_idle_ones);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
