/* SPDX-License-Identifier: Apache-2.0 */
/* The directory on SQLite: the cases of all back ends, files, passwords, and what the pool does. */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
#include "libgxstore/directory/dirtest.h"

struct gx_dir_opts dt_opts;
static char tmp[64], path[96];

void dt_make_empty(void)
{
	/* Hundreds of small databases: where there is no disk to wait for. */
	snprintf(tmp, sizeof(tmp), "%s/gxdirXXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
	snprintf(path, sizeof(path), "%s/directory.sqlite3", tmp);
	dt_opts = (struct gx_dir_opts)GX_DIR_OPTS_INIT;
	dt_opts.path = path;
}

void dt_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < 4; ++i) {
		char f[128];
		snprintf(f, sizeof(f), "%s%s", path, ends[i]);
		unlink(f);
	}
	rmdir(tmp);
}

/* Table and column names, and how many indexes there are. */
char *dt_shape(void)
{
	char *columns = dt_rows("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type='table'"
		" AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2", 2);
	char *counts = dt_rows("SELECT sum(type='table' AND name NOT LIKE 'sqlite_%'), sum(type='index' AND sql IS NOT NULL) FROM sqlite_master", 2);
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_msg(strncmp(counts, "25 ", 3) == 0, "%s", counts);
	gx_strbuf_printf(&b, "%s%s", columns, counts);
	free(columns);
	free(counts);
	return gx_strbuf_take(&b);
}

START_TEST(hashes)
{
	char h1[137], h2[137];
	ck_assert_int_eq(gx_dir__hash("pw", h1), 0);
	ck_assert_int_eq(gx_dir__hash("pw", h2), 0);
	ck_assert(strncmp(h1, "$6$", 3) == 0 && h1[19] == '$');
	ck_assert_str_ne(h1, h2);
	ck_assert(gx_dir__verify("pw", h1));
	ck_assert(!gx_dir__verify("Pw", h1));
	ck_assert(!gx_dir__verify("", NULL));
	ck_assert(!gx_dir__verify("", ""));
	ck_assert(!gx_dir__verify("*", "*"));
	ck_assert(!gx_dir__verify("*0", "*0"));
	ck_assert(!gx_dir__verify("x", "no hash at all"));
	ck_assert(gx_dir__verify("password", "$1$abcdefgh$" "G//4keteveJp0qb8z2DxG/"));
	char big[1000];
	memset(big, 'a', 999);
	big[999] = '\0';
	ck_assert_int_eq(gx_dir__hash(big, h1), GX_E_INVAL);
	ck_assert(!gx_dir__verify(big, h2));
}
END_TEST

START_TEST(every_version_upgrades)
{
	const char *why = "";
	unsigned from, to;
	ck_assert_int_eq(gx_dir_create(path, dt_arena, &why), 0);
	char *fresh = dt_shape();
	/* The statements are the same under ASan: there of six versions one, and the last but one of all. */
	unsigned by = gxtest_rounds(3) == 3 ? 1 : 6;
	for (unsigned v = (GX_DIR_SCHEMA_VERSION - 1) % by; v < GX_DIR_SCHEMA_VERSION; v += by) {
		dt_remove();
		dt_make_empty();
		dt_make_old();
		ck_assert_msg(gx_dir__upgrade(&dt_opts, v, dt_arena, &from, &to, &why) == 0, "to %u: %s", v, why);
		ck_assert_msg(gx_dir_upgrade(path, dt_arena, &from, &to, &why) == 0, "from %u: %s", v, why);
		ck_assert(from <= v && to == GX_DIR_SCHEMA_VERSION);
		char *upgraded = dt_shape();
		ck_assert_str_eq(fresh, upgraded);
		free(upgraded);
		dt_expect_people();
	}
	free(fresh);
}
END_TEST

static void expect_plan_without_scan(const char *sql)
{
	char *text = NULL;
	ck_assert_int_gt(asprintf(&text, "EXPLAIN QUERY PLAN %s", sql), 0);
	char *plan = dt_rows(text, 4);
	ck_assert_msg(strstr(plan, "SEARCH") != NULL && strstr(plan, "SCAN") == NULL, "%s", plan);
	free(plan);
	free(text);
}

/* Of a directory that was made before there were all of them. */
START_TEST(missing_indexes_are_added)
{
	const char *why = "";
	unsigned from = 0, to = 0;
	ck_assert_int_eq(gx_dir_create(path, dt_arena, &why), 0);
	char *fresh = dt_shape();
	dt_sql("DROP INDEX users_maildir; DROP INDEX domains_homedir; DROP INDEX users_domain");
	ck_assert_msg(gx_dir_upgrade(path, dt_arena, &from, &to, &why) == 0, "%s", why);
	ck_assert(from == GX_DIR_SCHEMA_VERSION && to == GX_DIR_SCHEMA_VERSION);
	char *upgraded = dt_shape();
	ck_assert_str_eq(fresh, upgraded);
	/* whose store a directory is */
	expect_plan_without_scan("SELECT homeserver FROM users WHERE maildir='/a'");
	expect_plan_without_scan("SELECT homeserver FROM domains WHERE homedir='/a'");
	free(upgraded);
	free(fresh);
}
END_TEST

START_TEST(wrong_files)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_dir *d;
	const char *why = "";
	o.path = path;
	ck_assert_int_eq(gx_dir_open(&o, &d, dt_arena, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, "gromox-dbop -C"));
	ck_assert_int_eq(gx_dir_upgrade(path, dt_arena, NULL, NULL, &why), GX_E_NOTFOUND);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 1000; ++i)
		fputs("this is not a database ", f);
	fclose(f);
	ck_assert_int_eq(gx_dir_open(&o, &d, dt_arena, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(gx_dir_create(path, dt_arena, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_dir_upgrade(path, dt_arena, NULL, NULL, &why), GX_E_FORMAT);
	unlink(path);
	ck_assert_int_eq(gx_dir_create(path, dt_arena, &why), 0);
	struct stat sb;
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 0007, 0);
	ck_assert_int_eq(gx_dir_create("/nonexistent/deeper/x", dt_arena, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/deeper/x"));
	ck_assert_int_eq(gx_dir_create("", dt_arena, &why), GX_E_INVAL);
}
END_TEST

/* A half-made upgrade leaves nothing behind. */
START_TEST(failed_upgrades_are_undone)
{
	const char *why = "";
	dt_make_old();
	dt_sql("CREATE VIEW altnames AS SELECT 1"); /* in the way of version 130 */
	char *before = dt_rows("SELECT name, sql FROM sqlite_master ORDER BY name", 2);
	ck_assert_int_ne(gx_dir_upgrade(path, dt_arena, NULL, NULL, &why), 0);
	ck_assert_ptr_nonnull(strstr(why, path));
	char *after = dt_rows("SELECT name, sql FROM sqlite_master ORDER BY name", 2);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	dt_sql("DROP VIEW altnames");
	ck_assert_msg(gx_dir_upgrade(path, dt_arena, NULL, NULL, &why) == 0, "%s", why);
	dt_expect_people();
}
END_TEST

START_TEST(modules_that_are_not_there)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_dir *d;
	const char *why = "";
	o.module = "nosuch";
	o.module_dir = tmp;
	ck_assert_int_eq(gx_dir_open(&o, &d, dt_arena, &why), GX_E_UNSUP);
	ck_assert_ptr_nonnull(strstr(why, "gxdir_nosuch.so"));
	o.module = "../evil";
	ck_assert_int_eq(gx_dir_open(&o, &d, dt_arena, &why), GX_E_INVAL);
}
END_TEST

/* ---- A back end that fails as it is told ---- */

static struct {
	int connects, disconnects, begins, commits, rollbacks, runs;
	int refuse;      /* connections to refuse */
	int lose;        /* pieces of work to lose the connection in */
	int deadlock;    /* pieces of work to be told to try again */
	bool lose_commit;
	bool block;      /* connecting takes until somebody changes this */
} fake;
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_cond = PTHREAD_COND_INITIALIZER;

static int fake_connect(const struct gx_dir_opts *o, unsigned flags, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	pthread_mutex_lock(&fake_lock);
	bool blocked = fake.block;
	while (fake.block) {
		pthread_cond_broadcast(&fake_cond);
		pthread_cond_wait(&fake_cond, &fake_lock);
	}
	pthread_mutex_unlock(&fake_lock);
	if (fake.refuse > 0 || blocked) {
		fake.refuse -= !blocked;
		*why = (struct gx_dirwhy){true, "nobody there"};
		return GX_E_IO;
	}
	++fake.connects;
	extern const struct gx_dirback fake_back;
	struct gx_dirconn *c = calloc(1, sizeof(*c));
	ck_assert_ptr_nonnull(c);
	c->back = &fake_back;
	*ret_c = c;
	return 0;
}

static void fake_disconnect(struct gx_dirconn *c)
{
	++fake.disconnects;
	free(c);
}

static int fake_begin(struct gx_dirconn *c)
{
	++fake.begins;
	return 0;
}

static int fake_commit(struct gx_dirconn *c)
{
	++fake.commits;
	if (!fake.lose_commit)
		return 0;
	c->lost = true;
	c->why = (struct gx_dirwhy){false, "lost at the end"};
	return GX_E_IO;
}

static void fake_rollback(struct gx_dirconn *c)
{
	++fake.rollbacks;
}

static int fake_changed(struct gx_dirconn *c, int64_t *ret_v)
{
	*ret_v = 1;
	return 0;
}

extern const struct gx_dirback fake_back;
const struct gx_dirback fake_back = {.abi = GX_DIRBACK_ABI, .sockets = true, .look_ms = 100, .connect = fake_connect, .disconnect = fake_disconnect,
	.begin = fake_begin, .commit = fake_commit, .rollback = fake_rollback, .changed = fake_changed};

static int fake_work(struct gx_dirconn *c, void *ctx)
{
	++fake.runs;
	if (fake.lose > 0) {
		--fake.lose;
		c->lost = true;
		c->why = (struct gx_dirwhy){true, "gone away"};
		return GX_E_IO;
	}
	if (fake.deadlock > 0) {
		--fake.deadlock;
		c->why = (struct gx_dirwhy){true, "deadlock"};
		return GX_E_BUSY;
	}
	return ctx == NULL ? 0 : *(int *)ctx;
}

static struct gx_dir *d;
static char said[1000];

static void on_log(int level, const char *text, void *ctx)
{
	if (level <= GX_LOG_ERROR)
		snprintf(said, sizeof(said), "%s", text);
}

static void setup_fake(void)
{
	static const struct gx_log log = {on_log, NULL, GX_LOG_DEBUG};
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = "fake";
	o.log = &log;
	o.connections = 4;
	memset(&fake, 0, sizeof(fake));
	said[0] = '\0';
	ck_assert_int_eq(gx_dir__new(&o, &d, NULL, NULL), 0);
	d->back = &fake_back;
	d->pool.max = 4;
}

static void teardown_fake(void)
{
	gx_dir_close(d);
	ck_assert_int_eq(fake.connects, fake.disconnects);
}

START_TEST(lost_connections_are_made_again)
{
	fake.lose = 2;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), 0);
	ck_assert_int_eq(fake.runs, 3);
	ck_assert_int_eq(fake.connects, 3);
	ck_assert_str_eq(said, "");
	fake.refuse = 3;
	fake.lose = 1;
	ck_assert_int_eq(gx_dir__write(d, fake_work, NULL), 0);
	ck_assert_int_eq(fake.begins, 2);
	ck_assert_int_eq(fake.commits, 1);
	ck_assert_int_eq(fake.rollbacks, 0);
}
END_TEST

START_TEST(deadlocks_are_tried_again)
{
	fake.deadlock = 2;
	ck_assert_int_eq(gx_dir__write(d, fake_work, NULL), 0);
	ck_assert_int_eq(fake.runs, 3);
	ck_assert_int_eq(fake.rollbacks, 2);
	ck_assert_int_eq(fake.commits, 1);
	ck_assert_int_eq(fake.connects, 1);
}
END_TEST

/* Whether it was done, nobody knows: it is not done a second time. */
START_TEST(lost_commits_are_not_repeated)
{
	fake.lose_commit = true;
	ck_assert_int_eq(gx_dir__write(d, fake_work, NULL), GX_E_IO);
	ck_assert_int_eq(fake.runs, 1);
	ck_assert_ptr_nonnull(strstr(said, "lost at the end"));
}
END_TEST

START_TEST(attempts_have_an_end)
{
	fake.refuse = 1000000;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), GX_E_IO);
	ck_assert_str_eq(said, "fake: nobody there");
	int left = fake.refuse;
	ck_assert_int_lt(1000000 - left, 10);
	/* Known to be down: one attempt each. */
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), GX_E_IO);
	ck_assert_int_eq(fake.refuse, left - 1);
	fake.refuse = 0;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), 0);
	/* And it is back. */
	fake.lose = 1;
	fake.refuse = 1;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), 0);
	ck_assert_int_eq(fake.refuse, 0);
}
END_TEST

START_TEST(answers_are_not_failures)
{
	int err = GX_E_NOTFOUND;
	ck_assert_int_eq(gx_dir__write(d, fake_work, &err), GX_E_NOTFOUND);
	ck_assert_int_eq(fake.runs, 1);
	ck_assert_int_eq(fake.rollbacks, 1);
	ck_assert_int_eq(fake.commits, 0);
	ck_assert_str_eq(said, "");
}
END_TEST

static int work_within(struct gx_dirconn *c, void *ctx)
{
	return gx_dir__read(d, fake_work, NULL);
}

/* What happened to one connection happened to all that were made before. */
START_TEST(old_connections_go_together)
{
	ck_assert_int_eq(gx_dir__read(d, work_within, NULL), 0);
	ck_assert_int_eq(fake.connects, 2);
	fake.lose = 1;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), 0);
	ck_assert_int_eq(fake.connects, 3);
	ck_assert_int_eq(fake.disconnects, 2);
}
END_TEST

static void *read_in_vain(void *ctx)
{
	return gx_dir__read(d, fake_work, NULL) == GX_E_IO ? NULL : ctx;
}

/* A host that does not even refuse: one waits for it, the others are told at once. */
START_TEST(one_waits_for_all)
{
	pthread_t t;
	void *bad;
	int64_t version;
	fake.refuse = 1000000;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), GX_E_IO);
	fake.block = true;
	pthread_mutex_lock(&fake_lock);
	ck_assert_int_eq(pthread_create(&t, NULL, read_in_vain, d), 0);
	pthread_cond_wait(&fake_cond, &fake_lock);
	pthread_mutex_unlock(&fake_lock);
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), GX_E_IO);
	ck_assert_int_eq(gx_dir__write(d, fake_work, NULL), GX_E_IO);
	ck_assert_int_eq(gx_dir__peek(d, fake_work, &version), GX_E_BUSY);
	pthread_mutex_lock(&fake_lock);
	fake.block = false;
	pthread_cond_broadcast(&fake_cond);
	pthread_mutex_unlock(&fake_lock);
	pthread_join(t, &bad);
	ck_assert_ptr_null(bad);
	ck_assert_uint_eq(d->pool.count, 0);
	fake.refuse = 0;
	ck_assert_int_eq(gx_dir__read(d, fake_work, NULL), 0);
}
END_TEST

static int raise_pipe(struct gx_dirconn *c, void *ctx)
{
	return pthread_kill(pthread_self(), SIGPIPE) == 0 ? 0 : GX_E_INTERNAL;
}

/* A client library that writes into a closed socket neither ends the program nor leaves a signal for later. */
START_TEST(broken_pipes_are_no_signals)
{
	sigset_t pipe, pending;
	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(gx_dir__read(d, raise_pipe, NULL), 0);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
	/* What the program has blocked and not seen yet stays its own. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	pthread_kill(pthread_self(), SIGPIPE);
	ck_assert_int_eq(gx_dir__read(d, raise_pipe, NULL), 0);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("directory");
	TCase *files = tcase_create("files"), *pool = tcase_create("pool");
	dircases(s);
	tablecases(s);
	tcase_add_checked_fixture(files, dt_setup_empty, dt_teardown);
	tcase_set_timeout(files, 120);
	tcase_add_test(files, hashes);
	tcase_add_test(files, every_version_upgrades);
	tcase_add_test(files, missing_indexes_are_added);
	tcase_add_test(files, wrong_files);
	tcase_add_test(files, failed_upgrades_are_undone);
	tcase_add_test(files, modules_that_are_not_there);
	suite_add_tcase(s, files);
	tcase_add_checked_fixture(pool, setup_fake, teardown_fake);
	tcase_add_test(pool, lost_connections_are_made_again);
	tcase_add_test(pool, deadlocks_are_tried_again);
	tcase_add_test(pool, lost_commits_are_not_repeated);
	tcase_add_test(pool, attempts_have_an_end);
	tcase_add_test(pool, answers_are_not_failures);
	tcase_add_test(pool, old_connections_go_together);
	tcase_add_test(pool, one_waits_for_all);
	tcase_add_test(pool, broken_pipes_are_no_signals);
	suite_add_tcase(s, pool);
	return s;
}

GXTEST_MAIN(suite)
