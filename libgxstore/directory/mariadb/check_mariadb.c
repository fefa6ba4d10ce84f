/* SPDX-License-Identifier: Apache-2.0 */
/* The directory on MariaDB: the cases of all back ends on a real server, and what servers do to their clients. */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#include "libgxstore/directory/dirtest.h"
#include "libgxstore/directory/mariadb/mariadbtest.h"

struct gx_dir_opts dt_opts;
static struct mdbserver server;
static char modules[512];

static void opts_for(const struct mdbserver *s)
{
	const char *top = getenv("top_builddir");
	snprintf(modules, sizeof(modules), "%s/.libs", top == NULL ? "." : top);
	dt_opts = (struct gx_dir_opts)GX_DIR_OPTS_INIT;
	dt_opts.module = "mariadb";
	dt_opts.module_dir = modules;
	dt_opts.socket = s->socket;
	dt_opts.dbname = "gxtest";
}

static int exec(struct gx_dirconn *c, void *ctx)
{
	return c->back->exec(c, ctx);
}

/* As root, on the server itself. */
static void on_server(const char *sql)
{
	struct gx_dir_opts o = dt_opts;
	struct gx_dir *d;
	const char *why = "";
	o.dbname = "mysql";
	o.user = NULL;
	o.password = NULL;
	ck_assert_msg(gx_dir__new(&o, &d, dt_arena, &why) == 0, "%s", why);
	ck_assert_msg(gx_dir__read(d, exec, (void *)sql) == 0, "%s", sql);
	gx_dir_close(d);
}

void dt_make_empty(void)
{
	opts_for(&server);
	on_server("DROP DATABASE IF EXISTS gxtest");
}

void dt_remove(void)
{
}

/* Columns with their types, keys, and what refers to what. */
char *dt_shape(void)
{
	char *parts[] = {
		dt_rows("SELECT table_name, column_name, column_type, is_nullable, coalesce(character_set_name, '-') FROM information_schema.columns"
			" WHERE table_schema=database() ORDER BY 1, 2", 5),
		dt_rows("SELECT table_name, non_unique, columns FROM (SELECT table_name, non_unique, group_concat(column_name ORDER BY seq_in_index)"
			" AS columns FROM information_schema.statistics WHERE table_schema=database() GROUP BY table_name, index_name) k"
			" ORDER BY 1, 2, 3", 3),
		dt_rows("SELECT k.table_name, k.column_name, k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule"
			" FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r"
			" ON r.constraint_schema=k.constraint_schema AND r.constraint_name=k.constraint_name AND r.table_name=k.table_name"
			" WHERE k.constraint_schema=database() ORDER BY 1, 2, 3", 6),
	};
	char *tables = dt_rows("SELECT count(*) FROM information_schema.tables WHERE table_schema=database()", 1);
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_str_eq(tables, "25\n");
	free(tables);
	for (size_t i = 0; i < 3; ++i) {
		ck_assert_uint_gt(strlen(parts[i]), 200);
		gx_strbuf_printf(&b, "%s\n", parts[i]);
		free(parts[i]);
	}
	return gx_strbuf_take(&b);
}

START_TEST(upgrades_from_afar)
{
	static const unsigned from[] = {0, 1, 17, 20, 25, 57, 69, 80, 85, 103, 111, 122, 125, 131};
	const char *why = "";
	unsigned to;
	ck_assert_msg(gx_dir_create_tables(&dt_opts, false, dt_arena, &why) == 0, "%s", why);
	char *fresh = dt_shape();
	for (size_t i = 0; i < sizeof(from) / sizeof(*from); ++i) {
		dt_make_empty();
		dt_make_old();
		ck_assert_msg(gx_dir__upgrade(&dt_opts, from[i], dt_arena, NULL, &to, &why) == 0, "to %u: %s", from[i], why);
		ck_assert_msg(gx_dir_upgrade_tables(&dt_opts, dt_arena, NULL, &to, &why) == 0, "from %u: %s", from[i], why);
		ck_assert_uint_eq(to, GX_DIR_SCHEMA_VERSION);
		char *upgraded = dt_shape();
		ck_assert_str_eq(upgraded, fresh);
		free(upgraded);
		dt_expect_people();
	}
	free(fresh);
}
END_TEST

/* Every step once more after it was done, but before that was noted: this database does not undo. */
START_TEST(steps_can_be_repeated)
{
	const char *why = "";
	char sql[128];
	unsigned to;
	ck_assert_msg(gx_dir_create_tables(&dt_opts, false, dt_arena, &why) == 0, "%s", why);
	char *fresh = dt_shape();
	dt_make_empty();
	dt_make_old();
	for (unsigned v = 1, last = 0; v <= GX_DIR_SCHEMA_VERSION; ++v) {
		ck_assert_msg(gx_dir__upgrade(&dt_opts, v, dt_arena, NULL, &to, &why) == 0, "to %u: %s", v, why);
		snprintf(sql, sizeof(sql), last == 0 ? "DELETE FROM options" : "UPDATE options SET value='%u' WHERE `key`='schemaversion'", last);
		dt_sql(sql);
		ck_assert_msg(gx_dir__upgrade(&dt_opts, v, dt_arena, NULL, &to, &why) == 0, "to %u again: %s", v, why);
		last = to;
	}
	char *upgraded = dt_shape();
	ck_assert_str_eq(upgraded, fresh);
	free(fresh);
	free(upgraded);
	dt_expect_people();
}
END_TEST

/* A creation that was cut off is finished by the upgrade. */
START_TEST(half_made_tables)
{
	const char *why = "";
	ck_assert_msg(gx_dir_create_tables(&dt_opts, false, dt_arena, &why) == 0, "%s", why);
	char *fresh = dt_shape();
	dt_sql("DELETE FROM options; DROP TABLE altnames; DROP TABLE disabled_plugins; DROP TABLE user_device_history; DROP TABLE classes;"
		"DROP TABLE aliases; DROP TABLE associations");
	ck_assert_int_eq(gx_dir_create_tables(&dt_opts, false, dt_arena, &why), GX_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why, "-U"));
	ck_assert_msg(gx_dir_upgrade_tables(&dt_opts, dt_arena, NULL, NULL, &why) == 0, "%s", why);
	char *mended = dt_shape();
	ck_assert_str_eq(mended, fresh);
	free(fresh);
	free(mended);
}
END_TEST

/* What other programs leave behind and foreign keys would not take. */
START_TEST(dangling_rows_go)
{
	const char *why = "";
	dt_make_old();
	dt_sql("INSERT INTO aliases(aliasname, mainname) VALUES('dangling@example.org', 'nobody@example.org');"
		"INSERT INTO mlists(listname, domain_id, list_type) VALUES('nolist@example.org', 1, 0)");
	ck_assert_msg(gx_dir_upgrade_tables(&dt_opts, dt_arena, NULL, NULL, &why) == 0, "%s", why);
	dt_expect_people();
}
END_TEST

START_TEST(values_that_do_not_fit)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	char dir[300];
	memset(dir, 'x', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	u.username = "ann@example.org";
	u.maildir = dir;
	ck_assert_int_eq(gx_dir_add_user(dt_dir, &u, NULL), GX_E_INVAL);
	u.maildir = "/u/ann";
	u.lang = "\xf0\x9f\x90\x98";
	ck_assert_int_eq(gx_dir_add_user(dt_dir, &u, NULL), 0);
}
END_TEST

/* ---- Refusals ---- */

static int open_with(struct gx_dir_opts *o, const char **ret_why)
{
	int err = gx_dir_open(o, &dt_dir, dt_arena, ret_why);
	if (err != 0)
		dt_dir = NULL;
	return err;
}

START_TEST(refused)
{
	struct gx_dir_opts o = dt_opts;
	const char *why = "";
	ck_assert_int_eq(gx_dir_create_tables(&o, false, dt_arena, &why), 0);
	on_server("CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'right'");
	o.user = "reader";
	o.password = "wrong";
	ck_assert_int_eq(open_with(&o, &why), GX_E_IO);
	ck_assert_msg(strstr(why, "MariaDB reader@") != NULL && strstr(why, "Access denied") != NULL && strstr(why, "mysql_password") != NULL, "%s", why);
	ck_assert_ptr_null(strstr(why, "wrong"));
	o.password = "right";
	ck_assert_int_eq(open_with(&o, &why), GX_E_IO);
	ck_assert_msg(strstr(why, "Access denied") != NULL && strstr(why, "gxtest") != NULL, "%s", why);
	on_server("GRANT SELECT ON gxtest.* TO reader@localhost");
	ck_assert_int_eq(open_with(&o, &why), 0);
	ck_assert_int_eq(gx_dir_add_domain(dt_dir, "example.com", "", 0, NULL), GX_E_IO);
	gx_dir_close(dt_dir);
	dt_dir = NULL;
	o = dt_opts;
	o.socket = "/nonexistent/socket";
	o.wait_seconds = 1;
	ck_assert_int_eq(open_with(&o, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/socket"));
	o = dt_opts;
	o.dbname = "other`; DROP DATABASE gxtest; --";
	ck_assert_int_eq(open_with(&o, &why), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_create_tables(&o, false, dt_arena, &why), GX_E_INVAL);
	dt_opts.password = NULL;
	ck_assert_int_eq(open_with(&dt_opts, &why), 0);
}
END_TEST

/* ---- Lost connections ---- */

static int kill_me(struct gx_dirconn *c, void *ctx)
{
	struct gx_dirstmt *st;
	char sql[64];
	int *done = ctx;
	if ((*done)++ > 0)
		return 0;
	int r = c->back->run(c, GX_DIRBACK_ONCE, "SELECT connection_id()", NULL, 0, &st);
	if (r != 0)
		return r;
	ck_assert_int_eq(c->back->step(st), 1);
	snprintf(sql, sizeof(sql), "KILL CONNECTION %lld", (long long)c->back->num(st, 0));
	c->back->done(st);
	on_server(sql);
	return c->back->exec(c, "SELECT 1");
}

START_TEST(killed_connections)
{
	struct gx_user u;
	int times = 0;
	ck_assert_int_eq(dt_add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir__read(dt_dir, kill_me, &times), 0);
	ck_assert_int_eq(times, 2);
	times = 0;
	ck_assert_int_eq(gx_dir__write(dt_dir, kill_me, &times), 0);
	ck_assert_int_eq(times, 2);
	ck_assert_int_eq(gx_dir_user(dt_dir, "ann@example.org", dt_arena, &u), 0);
}
END_TEST

/* The server closes what was idle for too long. */
START_TEST(idle_connections)
{
	struct gx_user u;
	ck_assert_int_eq(dt_add("ann@example.org", NULL), 0);
	on_server("SET GLOBAL wait_timeout=1");
	gx_dir_close(dt_dir);
	dt_open(false);
	ck_assert_int_eq(gx_dir_user(dt_dir, "ann@example.org", dt_arena, &u), 0);
	on_server("SET GLOBAL wait_timeout=28800");
	sleep(2);
	ck_assert_int_eq(gx_dir_set_password(dt_dir, "ann@example.org", "x"), 0);
	ck_assert_int_eq(gx_dir_user(dt_dir, "ann@example.org", dt_arena, &u), 0);
}
END_TEST

/* Tries until it succeeds or that takes far too long. */
static void *login_meanwhile(void *ctx)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_user u;
	int *err = ctx;
	*err = GX_E_IO;
	for (int i = 0; i < 3000 && *err == GX_E_IO; ++i) {
		if (i > 0)
			usleep(20000);
		*err = gx_dir_login(dt_dir, "ann@example.org", "secret", 0, a, &u);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return NULL;
}

START_TEST(server_starts_again)
{
	struct mdbserver own;
	struct gx_user u;
	const char *why = "";
	struct gx_dir_opts o;
	pthread_t t;
	int err;
	signal(SIGPIPE, SIG_DFL); /* it must not matter */
	ck_assert(mdb_new(&own));
	opts_for(&own);
	o = dt_opts;
	o.connections = 3;
	ck_assert_msg(gx_dir_create_tables(&o, false, dt_arena, &why) == 0, "%s", why);
	ck_assert_msg(gx_dir_open(&o, &dt_dir, dt_arena, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_add_domain(dt_dir, "example.org", "", 0, NULL), 0);
	ck_assert_int_eq(dt_add("ann@example.org", "secret"), 0);
	for (int round = 0; round < 3; ++round) {
		mdb_kill(&own);
		if (round == 0) { /* nobody there: an error after a while, and then one at once */
			ck_assert_int_eq(gx_dir_login(dt_dir, "ann@example.org", "secret", 0, dt_arena, &u), GX_E_IO);
			ck_assert_int_eq(gx_dir_set_password(dt_dir, "ann@example.org", "x"), GX_E_IO);
		}
		/* It comes back while we try. */
		ck_assert_int_eq(pthread_create(&t, NULL, login_meanwhile, &err), 0);
		usleep(300000);
		ck_assert(mdb_start(&own));
		pthread_join(t, NULL);
		ck_assert_int_eq(err, 0);
		ck_assert_int_eq(gx_dir_set_password(dt_dir, "ann@example.org", "secret"), 0);
	}
	gx_dir_close(dt_dir);
	dt_dir = NULL;
	mdb_free(&own);
}
END_TEST

static struct gx_dir_opts *slow_opts(void)
{
	static struct gx_dir_opts o;
	o = dt_opts;
	o.rdwr_seconds = 3;
	o.wait_seconds = 2;
	return &o;
}

/* A server that does not answer. */
START_TEST(answers_that_do_not_come)
{
	const char *why = "";
	gx_dir_close(dt_dir);
	ck_assert_msg(gx_dir_open(slow_opts(), &dt_dir, dt_arena, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir__read(dt_dir, exec, (void *)"DO SLEEP(30)"), GX_E_IO);
	ck_assert_int_eq(gx_dir_add_domain(dt_dir, "example.com", "", 0, NULL), 0);
}
END_TEST

static int look(struct gx_dirconn *c, void *ctx)
{
	return c->back->changed(c, ctx);
}

static int look_twice(struct gx_dirconn *c, void *ctx)
{
	int64_t *v = ctx;
	int err = look(c, &v[0]);
	return err != 0 ? err : gx_dir__read(dt_dir, look, &v[1]);
}

/* What may just be changing is another number each time, whichever connection asks. */
START_TEST(changes_of_this_second)
{
	int64_t v[2] = {0, 0};
	char name[64];
	for (int i = 0; i < 20 && (v[0] >= 0 || v[1] >= 0); ++i) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		ck_assert_int_eq(dt_add(name, NULL), 0);
		ck_assert_int_eq(gx_dir__read(dt_dir, look_twice, v), 0);
	}
	ck_assert(v[0] < 0 && v[1] < 0);
	ck_assert_int_ne(v[0], v[1]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mariadb");
	TCase *own = tcase_create("own"), *empty = tcase_create("tables"), *full = tcase_create("filled");
	dircases(s);
	tablecases(s);
	tcase_add_checked_fixture(empty, dt_setup_empty, dt_teardown);
	tcase_set_timeout(empty, 120);
	tcase_add_test(empty, upgrades_from_afar);
	tcase_add_test(empty, steps_can_be_repeated);
	tcase_add_test(empty, half_made_tables);
	tcase_add_test(empty, dangling_rows_go);
	tcase_add_test(empty, refused);
	suite_add_tcase(s, empty);
	tcase_add_checked_fixture(full, dt_setup, dt_teardown);
	tcase_set_timeout(full, 60);
	tcase_add_test(full, values_that_do_not_fit);
	tcase_add_test(full, changes_of_this_second);
	tcase_add_test(full, killed_connections);
	tcase_add_test(full, idle_connections);
	tcase_add_test(full, answers_that_do_not_come);
	suite_add_tcase(s, full);
	tcase_add_checked_fixture(own, dt_setup_empty, dt_teardown);
	tcase_set_timeout(own, 120);
	tcase_add_test(own, server_starts_again);
	suite_add_tcase(s, own);
	return s;
}

int main(void)
{
	char program[256];
	if (mdb_program("mariadbd", program) == NULL) {
		puts("1..0 # SKIP mariadbd is not installed");
		return EXIT_SUCCESS;
	}
	if (!mdb_new(&server)) {
		puts("1..1\nnot ok 1 - the server does not start");
		return EXIT_FAILURE;
	}
	int rc = gxtest_run(suite());
	mdb_free(&server);
	return rc;
}
