/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookups in a directory of 10,000 users: remembered, from the database, unknown names; logins. With 100,000 users: which
 * server has a store, by its directory.
 * On SQLite, and on MariaDB when GX_BENCH_MARIADB names the socket of a server whose database
 * "gxbench" may be thrown away (user: GX_BENCH_MARIADB_USER, root without a password by default).
 */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#include <gx/strbuf.h>
#include "libgxstore/directory/dir-int.h"

enum { USERS = 10000, MOST_USERS = 100000, LOOKUPS = 200000, HOMES = 2000, THREADS = 4 };

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_directory: %s\n", what);
	exit(1);
}

struct round {
	struct gx_dir *d;
	const char *form;
	int users, lookups, want;
};

static void *go_round(void *ctx)
{
	const struct round *r = ctx;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_user u;
	for (int i = 0; i < r->lookups; ++i) {
		char name[64];
		snprintf(name, sizeof(name), "%s%d@example.org", r->form, (int)((unsigned)i * 7919U % (unsigned)r->users));
		if (gx_dir_user(r->d, name, a, &u) != r->want)
			die(name);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return NULL;
}

/* Microseconds a lookup, going round over @p users names. */
static double lookups(struct gx_dir *d, const char *form, int users, int count, int want)
{
	struct round r = {d, form, users, count, want};
	double t = now();
	go_round(&r);
	return (now() - t) * 1e6 / count;
}

/* Lookups a second of several threads. */
static double at_once(struct gx_dir *d, int users, int count)
{
	struct round r = {d, "user", users, count / THREADS, 0};
	pthread_t t[THREADS];
	double start = now();
	for (int i = 0; i < THREADS; ++i)
		if (pthread_create(&t[i], NULL, go_round, &r) != 0)
			die("thread");
	for (int i = 0; i < THREADS; ++i)
		pthread_join(t[i], NULL);
	return r.lookups * THREADS / (now() - start);
}

static int exec(struct gx_dirconn *c, void *ctx)
{
	return c->back->exec(c, ctx);
}

static int add_users(struct gx_dir *d, int from, int to)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "INSERT INTO users(username, domain_id, group_id, maildir) VALUES");
	for (int i = from; i < to; ++i)
		gx_strbuf_printf(&b, "%s('user%d@example.org', 1, 0, '/var/lib/gromox/user/%d')", i == from ? "" : ",", i, i);
	int err = gx_dir__write(d, exec, (void *)gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return err;
}

static void fill(struct gx_dir *d)
{
	static const char *const more[] = {
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 956628995, 1, '0' FROM users",
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 805371935, 1, 'Somebody' FROM users",
	};
	int err = gx_dir_add_domain(d, "example.org", "", 0, NULL);
	if (err == 0)
		err = add_users(d, 0, USERS);
	for (size_t i = 0; err == 0 && i < 2; ++i)
		err = gx_dir__write(d, exec, (void *)more[i]);
	if (err != 0 || gx_dir_set_password(d, "user1@example.org", "secret") != 0)
		die("filling");
}

/* Microseconds for the server of a store, by its directory. */
static double homes_us(struct gx_dir *d)
{
	char dir[64];
	uint32_t server;
	for (int i = USERS; i < MOST_USERS; i += USERS)
		if (add_users(d, i, i + USERS) != 0)
			die("filling");
	double t = now();
	for (int i = 0; i < HOMES; ++i) {
		snprintf(dir, sizeof(dir), "/var/lib/gromox/user/%d", (int)((unsigned)i * 7919U % MOST_USERS));
		if (gx_dir_homeserver(d, dir, &server) != 0)
			die(dir);
	}
	return (now() - t) * 1e6 / HOMES;
}

static double login_ms(struct gx_dir *d, struct gx_arena *a, const char *name, int want)
{
	struct gx_user u;
	double t = now();
	for (int i = 0; i < 20; ++i)
		if (gx_dir_login(d, name, "secret", 0, a, &u) != want)
			die("login");
	return (now() - t) * 1e3 / 20;
}

static void on_log(int level, const char *text, void *ctx)
{
	fprintf(stderr, "bench_directory: %s\n", text);
}

static void run(const char *kind, struct gx_dir_opts *o, struct gx_arena *a, int count)
{
	static const struct gx_log log = {on_log, NULL, GX_LOG_WARN};
	const char *why = "";
	struct gx_dir *d;
	o->log = &log;
	if (gx_dir_create_tables(o, false, a, &why) != 0 || gx_dir_open(o, &d, a, &why) != 0)
		die(why);
	fill(d);
	double warm = lookups(d, "USER", 100, LOOKUPS, 0), cold = lookups(d, "user", USERS, count, 0);
	double unknown = lookups(d, "nobody", count, count, GX_E_NOTFOUND);
	double many_warm = at_once(d, 100, LOOKUPS), many = at_once(d, USERS, count);
	printf("{\"bench\": \"directory\", \"back_end\": \"%s\", \"users\": %d, \"remembered_us\": %.2f, \"lookup_us\": %.2f,"
		" \"unknown_us\": %.2f, \"remembered_per_s_4_threads\": %.0f, \"lookups_per_s_4_threads\": %.0f,"
		" \"login_ms\": %.2f, \"login_unknown_ms\": %.2f,"
		" \"home_us_%d_users\": %.2f}\n", kind, USERS, warm, cold, unknown, many_warm, many,
		login_ms(d, a, "user1@example.org", 0), login_ms(d, a, "nobody@example.org", GX_E_NOTFOUND), MOST_USERS, homes_us(d));
	fflush(stdout);
	gx_dir_close(d);
}

static void sqlite(struct gx_arena *a)
{
	char dir[] = "/tmp/gxbenchdirXXXXXX", path[64];
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	if (mkdtemp(dir) == NULL)
		die(dir);
	snprintf(path, sizeof(path), "%s/directory.sqlite3", dir);
	o.path = path;
	run("sqlite", &o, a, LOOKUPS);
	unlink(path);
	rmdir(dir);
}

static void mariadb(struct gx_arena *a, const char *socket)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_dir *d;
	char modules[512];
	const char *top = getenv("top_builddir"), *why = "";
	snprintf(modules, sizeof(modules), "%s/.libs", top == NULL ? "." : top);
	o.module = "mariadb";
	o.module_dir = modules;
	o.socket = socket;
	o.user = getenv("GX_BENCH_MARIADB_USER");
	o.dbname = "mysql";
	if (gx_dir__new(&o, &d, a, &why) != 0 || gx_dir__read(d, exec, (void *)"DROP DATABASE IF EXISTS gxbench") != 0)
		die(*why != '\0' ? why : "the server cannot be used");
	gx_dir_close(d);
	o.dbname = "gxbench";
	run("mariadb", &o, a, LOOKUPS / 4);
}

int main(void)
{
	struct gx_arena *a = gx_arena_new(0);
	const char *socket = getenv("GX_BENCH_MARIADB");
	sqlite(a);
	if (socket != NULL)
		mariadb(a, socket);
	gx_arena_free(a);
	return 0;
}
