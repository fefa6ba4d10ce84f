/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of stores that another process works on, and snapshots with an end to their keeping. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <gx/snapshot.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/storetest.h"

static char dir[512], box[600], copy[600];
static struct gx_arena *a;
static struct gx_copy_opts o;
static struct gx_copy_result r;
static char told[4096];
static const char *why;

static void on_left(const char *text, void *ctx)
{
	size_t n = strlen(told);
	(void)ctx;
	snprintf(told + n, sizeof(told) - n, "%s\n", text);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	snprintf(box, sizeof(box), "%s/data/user/box", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	a = gx_arena_new(0);
	o = (struct gx_copy_opts)GX_COPY_OPTS_INIT;
	o.left = on_left;
	r = (struct gx_copy_result){0};
	told[0] = '\0';
	why = "";
	setenv("TZ", "UTC", 1);
	st_create(box);
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
}

/* A message whose attachment, of that many bytes of noise, is a content object. */
static uint64_t put(struct gx_store *s, uint32_t seed, size_t size)
{
	struct gx_arena *own = gx_arena_new(0);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts io = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msgobj *m = gx_msgobj_new(own);
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	uint8_t *data = gx_arena_alloc(own, size);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
	ck_assert_int_eq(gx_proplist_set_str(&m->props, own, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, own, PidTagRtfCompressed, data, size), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(own, &src, &p), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &io, &ids));
	st_commit(t);
	gx_msg_prepared_release(p);
	gx_arena_free(own);
	return ids.mid;
}

static void fill(unsigned n)
{
	struct gx_store *s = st_open(box);
	for (unsigned i = 0; i < n; i++)
		put(s, i, i % 2 == 0 ? 150000 + i : 3000 + i);
	gx_store_close(s);
}

static void write_to(const char *name, const char *text)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool there(const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

static void tree(int want)
{
	char from[600];
	snprintf(from, sizeof(from), "%s/data", dir);
	int err = gx_tree_copy(from, copy, &o, &r, a, &why);
	ck_assert_msg(err == want, "%d: %s", err, why);
}

/* The copy opens, is sound and has so many messages in its inbox. */
static void is_sound(const char *store, uint64_t messages)
{
	struct gx_folder_info f;
	struct gx_store *s = st_open(store);
	st_verify(s);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	if (messages != UINT64_MAX)
		ck_assert_uint_eq(f.total, messages);
	gx_txn_abort(t);
	gx_store_close(s);
}

static const char *in_copy(const char *rest)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", copy, rest);
	return path;
}

static const char *in_dir(const char *rest)
{
	static char path[2][PATH_MAX];
	static unsigned turn;
	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, rest);
	return path[turn];
}

static unsigned count_cid(const char *store)
{
	char cmd[PATH_MAX + 64];
	unsigned n = 0;
	snprintf(cmd, sizeof(cmd), "find %s/cid -type f | wc -l", store);
	FILE *f = popen(cmd, "r");
	ck_assert_int_eq(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

START_TEST(a_tree_with_a_store)
{
	fill(8);
	write_to("data/plain", "text");
	ck_assert_int_eq(symlink("plain", in_dir("data/link")), 0);
	ck_assert_int_eq(mkfifo(in_dir("data/pipe"), 0600), 0);
	ck_assert_int_eq(mkdir(in_dir("data/archive"), 0700), 0);
	write_to("data/archive/not-this", "text");
	char except[600];
	snprintf(except, sizeof(except), "%s/data/archive", dir);
	o.except = except;
	tree(0);
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(r.stores, 1);
	ck_assert_uint_eq(r.left, 0);
	ck_assert_uint_ge(r.shared, 4);
	ck_assert(there("copy/plain") && there("copy/link") && !there("copy/pipe") && !there("copy/archive"));
	ck_assert(!there("copy/user/box/store.lock") && !there("copy/user/box/exmdb/gx.sqlite3-wal"));
	struct stat was, is;
	ck_assert_int_eq(stat(in_dir("data/plain"), &was), 0);
	ck_assert_int_eq(stat(in_copy("plain"), &is), 0);
	ck_assert(was.st_mode == is.st_mode && was.st_mtim.tv_nsec == is.st_mtim.tv_nsec && was.st_uid == is.st_uid);
	is_sound(in_copy("user/box"), 8);
	is_sound(box, 8);
	/* What is there is not touched. */
	tree(GX_E_EXISTS);
	ck_assert_int_eq(gx_tree_copy(in_copy("nothing"), in_copy("x"), &o, &r, a, &why), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_tree_copy(NULL, in_copy("x"), &o, &r, a, &why), GX_E_INVAL);
}
END_TEST

START_TEST(numbers_are_passed_over)
{
	fill(3);
	ck_assert_int_eq(gx_tree_copy(box, copy, &o, &r, a, &why), 0);
	struct gx_store *s = st_open(box), *c = st_open(copy);
	uint64_t in_box = put(s, 100, 100), in_copy_too = put(c, 101, 100);
	ck_assert_uint_ge(in_copy_too, in_box + 1000);
	struct gx_folder_info f, g;
	struct gx_txn *t = st_begin(s, GX_TXN_READ), *u = st_begin(c, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ST_OK(gx_folder_get(u, GX_FID_INBOX, a, &g));
	ck_assert_uint_eq(f.uidvalidity, g.uidvalidity);
	ck_assert_uint_ge(g.uidnext, f.uidnext + 1000);
	ck_assert_uint_ge(g.highest_modseq, f.highest_modseq + 1000);
	gx_txn_abort(t);
	gx_txn_abort(u);
	gx_store_close(s);
	gx_store_close(c);
}
END_TEST

/* Puts messages and takes them away until it is killed; files of content come and go. */
static pid_t writer(void)
{
	int up[2];
	char c;
	ck_assert_int_eq(pipe(up), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct gx_store *s = st_open(box);
		uint64_t mids[8] = {0};
		for (unsigned i = 0;; i++) {
			uint64_t *slot = &mids[i % 8];
			if (*slot != 0) {
				struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
				ST_OK(gx_msg_delete(t, GX_FID_INBOX, slot, 1, true));
				st_commit(t);
				gx_store__sweep(s, 0); /* at once, not after a minute */
			}
			*slot = put(s, 1000 + i, i % 3 == 0 ? 140000 : 2000);
			if (i % 16 == 15)
				ck_assert_int_eq(gx_store_sync(s), 0);
			if (i == 20)
				ck_assert_int_eq(write(up[1], "x", 1), 1);
		}
	}
	ck_assert_int_gt(pid, 0);
	close(up[1]);
	ck_assert_int_eq(read(up[0], &c, 1), 1);
	close(up[0]);
	return pid;
}

START_TEST(under_load)
{
	fill(20);
	pid_t pid = writer();
	for (unsigned i = 0; i < 12; i++) {
		char to[700];
		snprintf(to, sizeof(to), "%s-%u", copy, i);
		r = (struct gx_copy_result){0};
		ck_assert_int_eq(gx_tree_copy(box, to, &o, &r, a, &why), 0);
		ck_assert_str_eq(told, "");
		is_sound(to, UINT64_MAX);
		st_rmtree(to);
	}
	/* As it is left by a crash, too. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(gx_tree_copy(box, copy, &o, &r, a, &why), 0);
	ck_assert_str_eq(told, "");
	is_sound(copy, UINT64_MAX);
	is_sound(box, UINT64_MAX);
}
END_TEST

START_TEST(not_what_this_process_has_open)
{
	struct gx_store *s = st_open(box);
	tree(GX_E_STATE);
	ck_assert_ptr_nonnull(strstr(why, "store.lock"));
	gx_store_close(s);
}
END_TEST

START_TEST(content_that_is_missing_is_told)
{
	char cmd[PATH_MAX];
	fill(6);
	snprintf(cmd, sizeof(cmd), "rm $(find %s/cid -type f | head -1)", box);
	ck_assert_int_eq(system(cmd), 0);
	tree(0);
	ck_assert_uint_eq(r.left, 1);
	ck_assert_ptr_nonnull(strstr(told, "1 content files are missing"));
	ck_assert_uint_eq(count_cid(in_copy("user/box")), 2);
}
END_TEST

START_TEST(files_without_an_owner_stay_behind)
{
	fill(2);
	write_to("data/user/box/cid/"
		 "0123456789012345678901234567890123456789012345678901234567890123",
		"not in a directory of its own");
	const char *name = "data/user/box/cid/ff";
	if (!there(name))
		ck_assert_int_eq(mkdir(in_dir(name), 0770), 0);
	write_to("data/user/box/cid/ff/ff23456789012345678901234567890123456789012345678901234567890123", "nobody's");
	write_to("data/user/box/cid/ff/ff23456789012345678901234567890123456789012345678901234567890123.new", "unfinished");
	tree(0);
	ck_assert_uint_eq(count_cid(in_copy("user/box")), 1);
	is_sound(in_copy("user/box"), 2);
}
END_TEST

START_TEST(a_damaged_database_is_copied_as_it_is)
{
	char path[PATH_MAX];
	fill(2);
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", box);
	int fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "something else", 14, 0), 14);
	close(fd);
	write_to("data/plain", "text");
	tree(0);
	ck_assert_uint_ge(r.left, 1);
	ck_assert_ptr_nonnull(strstr(told, "copied as it is"));
	ck_assert(there("copy/plain"));
	struct stat was, is;
	ck_assert_int_eq(stat(path, &was), 0);
	ck_assert_int_eq(stat(in_copy("user/box/exmdb/gx.sqlite3"), &is), 0);
	ck_assert_int_eq(was.st_size, is.st_size);
}
END_TEST

/* A database that is no store's, with a log. */
START_TEST(other_databases)
{
	char path[PATH_MAX];
	sqlite3 *db;
	sqlite3_stmt *st;
	snprintf(path, sizeof(path), "%s/data/other.sqlite3", dir);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x);"
			" INSERT INTO t VALUES(7)", NULL, NULL, NULL) != SQLITE_OK);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert(there("data/other.sqlite3-wal"));
	tree(0);
	ck_assert_int_eq(sqlite3_open(in_copy("other.sqlite3"), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT x FROM t", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_int_eq(sqlite3_column_int(st, 0), 7);
	sqlite3_finalize(st);
	sqlite3_close(db);
}
END_TEST

static int stop_soon(uint64_t files, uint64_t bytes, void *ctx)
{
	(void)files;
	(void)bytes;
	return ++*(int *)ctx > 1;
}

START_TEST(it_can_be_stopped)
{
	int calls = 0;
	fill(6);
	for (unsigned i = 0; i < 200; i++)
		write_to(gx_arena_printf(a, "data/file%u", i), "text");
	o.progress = stop_soon;
	o.ctx = &calls;
	tree(GX_E_STATE);
}
END_TEST

/* ---- Names ---- */

static const struct {
	const char *at;          /* local time */
	const char *hour, *day, *week, *month;
} moments[] = {
	{"2026-11-27 19:59:59", "hour-2026-11-27T19", "day-2026-11-27", "week-2026-11-23", "month-2026-11"},
	{"2026-11-23 00:00:00", "hour-2026-11-23T00", "day-2026-11-23", "week-2026-11-23", "month-2026-11"},
	{"2026-11-22 23:59:59", "hour-2026-11-22T23", "day-2026-11-22", "week-2026-11-16", "month-2026-11"},
	{"2027-01-01 12:00:00", "hour-2027-01-01T12", "day-2027-01-01", "week-2026-12-28", "month-2027-01"},
	{"2028-02-29 08:00:00", "hour-2028-02-29T08", "day-2028-02-29", "week-2028-02-28", "month-2028-02"},
	{"2000-03-01 00:00:00", "hour-2000-03-01T00", "day-2000-03-01", "week-2000-02-28", "month-2000-03"},
	{"1970-01-01 00:00:00", "hour-1970-01-01T00", "day-1970-01-01", "week-1969-12-29", "month-1970-01"},
};

static int64_t seconds_of(const char *text)
{
	struct tm tm = {0};
	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return timegm(&tm);
}

START_TEST(names)
{
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		const char *const want[] = {moments[i].hour, moments[i].day, moments[i].week, moments[i].month};
		for (int kind = 0; kind < GX_SNAPSHOT_KINDS; kind++) {
			char text[32];
			struct gx_sn_name n = gx_sn__name_at(kind, seconds_of(moments[i].at)), again;
			gx_sn__name_print(&n, text);
			ck_assert_str_eq(text, want[kind]);
			ck_assert(gx_sn__name_parse(text, &again));
			ck_assert(again.kind == kind && again.begin == n.begin);
		}
	}
	static const char *const none[] = {"", "day", "day-", "day-2026-11", "day-2026-11-31",
		"day-2026-13-01", "day-2026-11-27T01", "hour-2026-11-27", "hour-2026-11-27T24",
		"month-2026-11-01", "month-2026-00", "year-2026-01", ".new-day-2026-11-27",
		"day-2026-11-27x", "day-2026-1-2", "dayx2026-11-27"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct gx_sn_name n;
		ck_assert_msg(!gx_sn__name_parse(none[i], &n), "%s", none[i]);
	}
}
END_TEST

/* Every day of 400 years against the C library. */
START_TEST(calendar)
{
	for (int64_t day = -40000; day < 110000; day++) {
		time_t t = (time_t)(day * 86400);
		struct tm tm;
		char text[32], want[64];
		struct gx_sn_name n = gx_sn__name_at(GX_SNAPSHOT_DAY, day * 86400 + 5);
		ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
		snprintf(want, sizeof(want), "day-%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		gx_sn__name_print(&n, text);
		ck_assert_str_eq(text, want);
		n = gx_sn__name_at(GX_SNAPSHOT_WEEK, day * 86400);
		ck_assert_int_eq(day - n.begin / 86400, (tm.tm_wday + 6) % 7);
		ck_assert_int_eq(gx_sn__local(t), day * 86400);
	}
}
END_TEST

START_TEST(local_time)
{
	setenv("TZ", "<+05>-5", 1);
	tzset();
	ck_assert_int_eq(gx_sn__local(1000000), 1000000 + 5 * 3600);
}
END_TEST

/* ---- Runs ---- */

static int64_t now;
static char log_text[8192];

static int64_t clock_now(void *ctx)
{
	(void)ctx;
	return now * 1000000000;
}
static const struct gx_clock clock_of_test = {.realtime_ns = clock_now, .monotonic_ns = clock_now};

static void on_told(int what, const char *name, const struct gx_copy_result *res, void *ctx)
{
	size_t n = strlen(log_text);
	(void)ctx;
	ck_assert(what == GX_SNAPSHOT_MADE ? res != NULL : res == NULL);
	snprintf(log_text + n, sizeof(log_text) - n, "%c%s ", "+ -"[what], name);
}

static struct gx_snapshot_opts opts;

static int run_at(const char *at)
{
	static char root[600], archive[600];
	snprintf(root, sizeof(root), "%s/data", dir);
	snprintf(archive, sizeof(archive), "%s/archive", dir);
	opts.root = root;
	opts.archive = archive;
	opts.clock = &clock_of_test;
	opts.told = on_told;
	opts.left = on_left;
	now = seconds_of(at);
	log_text[0] = '\0';
	return gx_snapshot_run(&opts, a, &why);
}

static void run_gives(const char *at, const char *want)
{
	int err = run_at(at);
	ck_assert_msg(err == 0, "%d: %s", err, why);
	ck_assert_str_eq(log_text, want);
}

START_TEST(what_is_due)
{
	opts = (struct gx_snapshot_opts)GX_SNAPSHOT_OPTS_INIT;
	opts.keep[GX_SNAPSHOT_DAY] = 2;
	opts.keep[GX_SNAPSHOT_WEEK] = 1;
	opts.dry_run = true;
	run_gives("2026-11-27 10:00:00", "+day-2026-11-27 +week-2026-11-23 ");
	ck_assert(!there("archive"));
	opts.dry_run = false;
	run_gives("2026-11-27 10:00:00", "+day-2026-11-27 +week-2026-11-23 ");
	run_gives("2026-11-27 23:00:00", " week-2026-11-23  day-2026-11-27 ");
	run_gives("2026-11-28 00:00:00", "+day-2026-11-28  week-2026-11-23  day-2026-11-27 ");
	run_gives("2026-11-29 23:59:59", "+day-2026-11-29  week-2026-11-23  day-2026-11-27  day-2026-11-28 ");
	/* A snapshot of the evening of the 27th was kept for two whole days on the 30th. */
	run_gives("2026-11-30 00:00:00", "+day-2026-11-30 +week-2026-11-30  week-2026-11-23 "
					 "-day-2026-11-27  day-2026-11-28  day-2026-11-29 ");
	opts.keep[GX_SNAPSHOT_DAY] = 0;
	run_gives("2026-12-06 23:59:59", " week-2026-11-23  day-2026-11-28  day-2026-11-29  day-2026-11-30  week-2026-11-30 ");
	run_gives("2026-12-07 00:00:00",
		"+week-2026-12-07 -week-2026-11-23  day-2026-11-28  day-2026-11-29  day-2026-11-30  week-2026-11-30 ");
	ck_assert(!there("archive/week-2026-11-23") && there("archive/week-2026-12-07"));
	opts.keep[GX_SNAPSHOT_HOUR] = opts.keep[GX_SNAPSHOT_MONTH] = 1;
	ck_assert_int_eq(run_at("2026-12-07 00:00:00"), 0);
	ck_assert_ptr_eq(strstr(log_text, "+hour-2026-12-07T00 +month-2026-12 "), log_text);
	char store[700];
	snprintf(store, sizeof(store), "%s/archive/month-2026-12/user/box", dir);
	is_sound(store, 0);
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(runs_that_were_cut_short)
{
	opts = (struct gx_snapshot_opts)GX_SNAPSHOT_OPTS_INIT;
	opts.keep[GX_SNAPSHOT_DAY] = 1;
	run_gives("2026-11-01 10:00:00", "+day-2026-11-01 ");
	ck_assert_int_eq(mkdir(in_dir("archive/.new-day-2026-11-02"), 0500), 0);
	ck_assert_int_eq(mkdir(in_dir("archive/.old-day-2026-10-01"), 0500), 0);
	ck_assert_int_eq(mkdir(in_dir("archive/mine"), 0500), 0);
	write_to("archive/.new-day-2026-11-02/half", "x");
	run_gives("2026-11-01 11:00:00", " day-2026-11-01 ");
	ck_assert(!there("archive/.new-day-2026-11-02") && !there("archive/.old-day-2026-10-01") && there("archive/mine"));
	/* A run that fails leaves the snapshots there are, however old. */
	ck_assert_int_eq(rename(in_dir("data"), in_dir("elsewhere")), 0);
	ck_assert_int_eq(run_at("2027-01-01 00:00:00"), GX_E_NOTFOUND);
	ck_assert(there("archive/day-2026-11-01"));
	ck_assert_int_eq(rename(in_dir("elsewhere"), in_dir("data")), 0);
	struct gx_store *s = st_open(box);
	ck_assert_int_eq(run_at("2027-01-01 00:00:00"), GX_E_STATE);
	ck_assert(there("archive/day-2026-11-01") && !there("archive/.new-day-2027-01-01"));
	gx_store_close(s);
	int fd = open(in_dir("archive/.lock"), O_RDONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(run_at("2027-01-01 00:00:00"), GX_E_BUSY);
	close(fd);
	run_gives("2027-01-01 00:00:00", "+day-2027-01-01 -day-2026-11-01 ");
}
END_TEST

/* ---- A file system that makes them itself ---- */

static unsigned sealed;

static int fs_make(const char *from, const char *to, void *ctx)
{
	char cmd[1500];
	(void)ctx;
	snprintf(cmd, sizeof(cmd), "cp -a %s %s", from, to);
	return system(cmd) == 0 ? 0 : GX_E_IO;
}

static int fs_seal(const char *path, void *ctx)
{
	(void)ctx;
	sealed++;
	return strstr(path, "/.new-") == NULL ? 0 : GX_E_IO;
}

static int fs_remove(const char *path, void *ctx)
{
	char cmd[1500];
	if (*(bool *)ctx)
		return GX_E_UNSUP;
	snprintf(cmd, sizeof(cmd), "rm -r %s", path);
	return system(cmd) == 0 ? 0 : GX_E_IO;
}

START_TEST(by_the_file_system)
{
	bool unsup = false;
	const struct gx_snapshot_fs fs = {.make = fs_make, .seal = fs_seal, .remove = fs_remove, .ctx = &unsup};
	fill(4);
	ck_assert_int_eq(mkdir(in_dir("data/user/box/cid/ff"), 0770) == 0 || errno == EEXIST, 1);
	write_to("data/user/box/cid/ff/ff23456789012345678901234567890123456789012345678901234567890123", "nobody's");
	write_to("data/user/box/exmdb/fts.sqlite3", "an index");
	opts = (struct gx_snapshot_opts)GX_SNAPSHOT_OPTS_INIT;
	opts.keep[GX_SNAPSHOT_DAY] = 1;
	opts.fs = &fs;
	run_gives("2026-11-01 10:00:00", "+day-2026-11-01 ");
	ck_assert_uint_eq(sealed, 1);
	ck_assert(!there("archive/day-2026-11-01/user/box/exmdb/fts.sqlite3") &&
		  !there("archive/day-2026-11-01/user/box/store.lock"));
	char store[700];
	snprintf(store, sizeof(store), "%s/archive/day-2026-11-01/user/box", dir);
	ck_assert_uint_eq(count_cid(store), 2);
	is_sound(store, 4);
	run_gives("2026-12-01 10:00:00", "+day-2026-12-01 -day-2026-11-01 ");
	unsup = true;
	run_gives("2026-12-11 10:00:00", "+day-2026-12-11 -day-2026-12-01 ");
	ck_assert(!there("archive/day-2026-12-01") && !there("archive/.old-day-2026-12-01"));
	ck_assert_str_eq(told, "");
}
END_TEST

/* On another device nothing can be shared with the original, but with the copy before. */
START_TEST(on_another_device)
{
	char other[64], first[128], second[128], cmd[600];
	struct stat x, y;
	bool in_memory = stat("/dev/shm", &x) == 0 && stat(dir, &y) == 0 && x.st_dev == y.st_dev;
	snprintf(other, sizeof(other), "%s/gxsnap-XXXXXX", in_memory ? "/var/tmp" : "/dev/shm");
	if (mkdtemp(other) == NULL || stat(other, &x) != 0 || stat(dir, &y) != 0 || x.st_dev == y.st_dev) {
		rmdir(other);
		return;
	}
	fill(6);
	snprintf(first, sizeof(first), "%s/1", other);
	snprintf(second, sizeof(second), "%s/2", other);
	ck_assert_int_eq(gx_tree_copy(box, first, &o, &r, a, &why), 0);
	ck_assert_uint_eq(r.shared, 0);
	ck_assert_uint_gt(r.bytes, 450000);
	uint64_t bytes = r.bytes;
	r = (struct gx_copy_result){0};
	o.earlier = first;
	ck_assert_int_eq(gx_tree_copy(box, second, &o, &r, a, &why), 0);
	ck_assert_uint_eq(r.shared, 3);
	ck_assert_uint_lt(r.bytes, bytes - 449000);
	is_sound(second, 6);
	is_sound(first, 6);
	snprintf(cmd, sizeof(cmd), "rm -r %s", other);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("snapshot");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_tree_with_a_store);
	tcase_add_test(t, numbers_are_passed_over);
	tcase_add_test(t, under_load);
	tcase_add_test(t, not_what_this_process_has_open);
	tcase_add_test(t, content_that_is_missing_is_told);
	tcase_add_test(t, files_without_an_owner_stay_behind);
	tcase_add_test(t, a_damaged_database_is_copied_as_it_is);
	tcase_add_test(t, other_databases);
	tcase_add_test(t, it_can_be_stopped);
	tcase_add_test(t, names);
	tcase_add_test(t, calendar);
	tcase_add_test(t, local_time);
	tcase_add_test(t, what_is_due);
	tcase_add_test(t, runs_that_were_cut_short);
	tcase_add_test(t, by_the_file_system);
	tcase_add_test(t, on_another_device);
	suite_add_tcase(x, t);
	return x;
}

GXTEST_MAIN(suite)
