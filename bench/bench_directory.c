/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups in a directory of 10,000 users: remembered, from the database, unknown names; logins. */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#include "libgxstore/directory/dir-int.h"

enum { USERS = 10000, LOOKUPS = 200000 };

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_directory: %s\n", what);
	exit(1);
}

/* Microseconds a lookup, going round over @p users names. */
static double lookups(struct gx_dir *d, struct gx_arena *a, const char *form, int users, int want)
{
	struct gx_user u;
	double t = now();
	for (int i = 0; i < LOOKUPS; ++i) {
		char name[64];
		snprintf(name, sizeof(name), "%s%d@example.org", form, (int)((unsigned)i * 7919U % (unsigned)users));
		if (gx_dir_user(d, name, a, &u) != want)
			die(name);
		gx_arena_reset(a);
	}
	return (now() - t) * 1e6 / LOOKUPS;
}

int main(void)
{
	char dir[] = "/tmp/gxbenchdirXXXXXX", path[64];
	const char *why = "";
	struct gx_arena *a = gx_arena_new(0);
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_dir *d;
	struct gx_user u;
	if (mkdtemp(dir) == NULL)
		die(dir);
	snprintf(path, sizeof(path), "%s/directory.sqlite3", dir);
	o.path = path;
	if (gx_dir_create(path, a, &why) != 0 || gx_dir_open(&o, &d, a, &why) != 0 || gx_dir_add_domain(d, "example.org", "", 0, NULL) != 0)
		die(why);
	if (sqlite3_exec(d->db, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<9999)"
	    " INSERT INTO users(username, domain_id, maildir) SELECT 'user'||i||'@example.org', 1, '/var/lib/gromox/user/'||i FROM n;"
	    "INSERT INTO aliases SELECT 'alias'||id||'@example.org', username FROM users", NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(d->db));
	if (gx_dir_set_password(d, "user1@example.org", "secret") != 0)
		die("password");
	double warm = lookups(d, a, "USER", 100, 0), cold = lookups(d, a, "user", USERS, 0);
	double unknown = lookups(d, a, "nobody", LOOKUPS, GX_E_NOTFOUND);
	double t = now();
	for (int i = 0; i < 20; ++i)
		if (gx_dir_login(d, "user1@example.org", "secret", 0, a, &u) != 0)
			die("login");
	double login = (now() - t) / 20;
	t = now();
	for (int i = 0; i < 20; ++i)
		if (gx_dir_login(d, "nobody@example.org", "secret", 0, a, &u) != GX_E_NOTFOUND)
			die("login");
	printf("{\"bench\": \"directory\", \"users\": %d, \"remembered_us\": %.2f, \"lookup_us\": %.2f, \"unknown_us\": %.2f,"
		" \"login_ms\": %.2f, \"login_unknown_ms\": %.2f}\n", USERS, warm, cold, unknown, login * 1e3, (now() - t) * 1e3 / 20);
	gx_dir_close(d);
	gx_arena_free(a);
	unlink(path);
	rmdir(dir);
	return 0;
}
