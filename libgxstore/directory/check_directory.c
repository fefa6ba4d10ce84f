/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
#include "tests/gxtest.h"
#include "libgxstore/directory/dir-int.h"

static char tmp[64], path[96];
static struct gx_arena *a;
static struct gx_dir *d;

static void setup_empty(void)
{
	snprintf(tmp, sizeof(tmp), "/tmp/gxdirXXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
	snprintf(path, sizeof(path), "%s/directory.sqlite3", tmp);
	a = gx_arena_new(0);
	d = NULL;
}

static void open_dir(bool first_time)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	const char *why = "";
	o.path = path;
	o.first_time_password = first_time;
	ck_assert_msg(gx_dir_open(&o, &d, a, &why) == 0, "%s", why);
}

static void setup(void)
{
	setup_empty();
	const char *why = "";
	ck_assert_msg(gx_dir_create(path, a, &why) == 0, "%s", why);
	open_dir(false);
	ck_assert_int_eq(gx_dir_add_domain(d, "Example.ORG", "/d/example.org", 0, NULL), 0);
}

static void teardown(void)
{
	gx_dir_close(d);
	gx_arena_free(a);
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < 4; ++i) {
		char f[128];
		snprintf(f, sizeof(f), "%s%s", path, ends[i]);
		unlink(f);
	}
	rmdir(tmp);
}

static int add(const char *name, const char *password)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	u.username = name;
	u.password = password;
	u.maildir = "/u/x";
	u.display_name = "Ann Example";
	return gx_dir_add_user(d, &u, NULL);
}

START_TEST(users_and_aliases)
{
	struct gx_user u;
	ck_assert_int_eq(add("Ann@EXAMPLE.org", "secret"), 0);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.ORG", a, &u), 0);
	ck_assert_str_eq(u.username, "Ann@example.org");
	ck_assert_str_eq(u.maildir, "/u/x");
	ck_assert_str_eq(u.display_name, "Ann Example");
	ck_assert_uint_eq(u.display_type, 0);
	ck_assert_int_eq(add("aNN@example.org", "x"), GX_E_EXISTS);
	ck_assert_int_eq(add("ann@elsewhere.org", "x"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_user(d, "info@example.org", a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ANN@example.org"), 0);
	ck_assert_int_eq(gx_dir_user(d, "INFO@example.org", a, &u), 0); /* the absence is not remembered */
	ck_assert_str_eq(u.username, "Ann@example.org");
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ann@example.org"), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_alias(d, "ann@example.org", "ann@example.org"), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_alias(d, "x@example.org", "nobody@example.org"), GX_E_NOTFOUND);
	struct gx_alias *v;
	size_t n;
	ck_assert_int_eq(gx_dir_list_aliases(d, NULL, a, &v, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(v[0].alias, "info@example.org");
	ck_assert_int_eq(gx_dir_del_user(d, "ANN@example.org"), 0);
	ck_assert_int_eq(gx_dir_del_user(d, "ANN@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_user(d, "info@example.org", a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_list_aliases(d, NULL, a, &v, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(bad_addresses)
{
	static const char *const bad[] = {"", "x", "@example.org", "x@", "a b@example.org", "a@b@example.org", "a..b@example.org",
		"<a@example.org>", "a\n@example.org", "\xff@example.org", "a/../b@example.org", ".a@example.org", "-a@example.org"};
	struct gx_user u;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		ck_assert_msg(add(bad[i], "x") == GX_E_INVAL, "%s", bad[i]);
		ck_assert_msg(gx_dir_user(d, bad[i], a, &u) == GX_E_NOTFOUND, "%s", bad[i]);
	}
	char *big = malloc(5000);
	memset(big, 'a', 4999);
	big[4999] = '\0';
	memcpy(big + 4900, "@example.org", 13);
	ck_assert_int_eq(add(big, "x"), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_user(d, big, a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_login(d, big, "x", 0, a, &u), GX_E_NOTFOUND);
	free(big);
	/* SQL in a name is just a name. */
	ck_assert_int_eq(gx_dir_user(d, "x' OR 1=1 --", a, &u), GX_E_NOTFOUND);
}
END_TEST

START_TEST(unicode_names)
{
	struct gx_user u;
	ck_assert_int_eq(gx_dir_add_domain(d, "B\xc3\x9c" "CHER.example", "", 0, NULL), 0);
	ck_assert_int_eq(add("J\xc3\x96rg@b\xc3\xbc" "cher.example", "x"), 0);
	ck_assert_int_eq(gx_dir_user(d, "j\xc3\xb6RG@B\xc3\x9c" "cher.EXAMPLE", a, &u), 0);
	ck_assert_str_eq(u.username, "J\xc3\xb6rg@b\xc3\xbc" "cher.example");
}
END_TEST

START_TEST(logins)
{
	struct gx_user u;
	char alt[160];
	ck_assert_int_eq(add("ann@example.org", "s\xc3\xa9" "cret"), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", GX_PRIV_IMAP_POP3, a, &u), 0);
	ck_assert_str_eq(u.username, "ann@example.org");
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "wrong", GX_PRIV_IMAP_POP3, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "", GX_PRIV_IMAP_POP3, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "bob@example.org", "wrong", 0, a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", GX_PRIV_EAS, a, &u), GX_E_STATE);
	snprintf(alt, sizeof(alt), "INSERT INTO altnames(user_id, altname) SELECT id, 'ann' FROM users");
	ck_assert_int_eq(sqlite3_exec(d->db, alt, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(gx_dir_login(d, "ANN", "s\xc3\xa9" "cret", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_set_password(d, "ann@example.org", "new"), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_set_password(d, "bob@example.org", "new"), GX_E_NOTFOUND);
	static const char *const states[] = {"address_status=1", "address_status=3", "address_status=4", "address_status=16", "address_status=5"};
	for (size_t i = 0; i < 5; ++i) {
		snprintf(alt, sizeof(alt), "UPDATE users SET %s", states[i]);
		ck_assert_int_eq(sqlite3_exec(d->db, alt, NULL, NULL, NULL), SQLITE_OK);
		ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), GX_E_STATE);
		ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "bad", 0, a, &u), GX_E_INVAL);
	}
	ck_assert_int_eq(sqlite3_exec(d->db, "UPDATE users SET address_status=0, externid=x'01'", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), GX_E_UNSUP);
}
END_TEST

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

START_TEST(first_password)
{
	struct gx_user u;
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "one", 0, a, &u), GX_E_INVAL);
	gx_dir_close(d);
	open_dir(true);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "one", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "two", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "one", 0, a, &u), 0);
}
END_TEST

START_TEST(domains)
{
	struct gx_domain dom, *v;
	size_t n;
	uint32_t id;
	ck_assert_int_eq(gx_dir_domain(d, "EXAMPLE.org", a, &dom), 0);
	ck_assert_str_eq(dom.name, "example.org");
	ck_assert_str_eq(dom.homedir, "/d/example.org");
	ck_assert_int_eq(gx_dir_domain(d, "example.com", a, &dom), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_domain(d, "EXAMPLE.ORG", "", 0, NULL), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_domain(d, "exa mple", "", 0, NULL), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_add_domain(d, "small.example", "", 1, &id), 0);
	ck_assert_uint_gt(id, 0);
	ck_assert_int_eq(add("one@small.example", "x"), 0);
	ck_assert_int_eq(add("two@small.example", "x"), GX_E_LIMIT);
	ck_assert_int_eq(gx_dir_list_domains(d, a, &v, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(gx_dir_del_domain(d, "small.example"), GX_E_STATE);
	ck_assert_int_eq(gx_dir_del_user(d, "one@small.example"), 0);
	ck_assert_int_eq(gx_dir_del_domain(d, "Small.example"), 0);
	ck_assert_int_eq(gx_dir_del_domain(d, "small.example"), GX_E_NOTFOUND);
	struct gx_user *u;
	ck_assert_int_eq(add("b@example.org", NULL), 0);
	ck_assert_int_eq(add("a@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_list_users(d, NULL, a, &u, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(u[0].username, "a@example.org");
	ck_assert_int_eq(gx_dir_list_users(d, "nowhere", a, &u, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

static void expect_members(const char *list, const char *sender, int err, const char *names)
{
	const char *const *v;
	size_t n = 0;
	char got[512] = "";
	int r = gx_dir_expand_list(d, list, sender, a, &v, &n);
	ck_assert_int_eq(r, err);
	for (size_t i = 0; r == 0 && i < n; ++i) {
		size_t at = strlen(got);
		snprintf(got + at, sizeof(got) - at, "%s%s", i == 0 ? "" : " ", v[i]);
	}
	ck_assert_str_eq(got, names);
}

START_TEST(lists)
{
	ck_assert_int_eq(add("a@example.org", NULL), 0);
	ck_assert_int_eq(add("b@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "all@example.org", GX_LIST_DOMAIN, GX_LISTPRIV_DOMAIN, "All"), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "dev@example.org", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "ops@example.org", GX_LIST_NORMAL, GX_LISTPRIV_SPECIFIED, NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "ops@example.org", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_list(d, "x@example.org", 1, GX_LISTPRIV_ALL, NULL), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_add_member(d, "dev@example.org", "A@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "dev@example.org", "a@example.org"), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_member(d, "none@example.org", "a@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_member(d, "dev@example.org", "z@other.example"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "dev@example.org", "ops@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "ops@example.org", "dev@example.org"), 0); /* a circle */
	ck_assert_int_eq(gx_dir_add_member(d, "ops@example.org", "b@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "ops@example.org", "a@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_sender(d, "ops@example.org", "boss@example.com"), 0);
	expect_members("DEV@example.org", "anybody@example.com", 0, "A@example.org z@other.example b@example.org");
	expect_members("ops@example.org", "anybody@example.com", GX_E_STATE, "");
	expect_members("ops@example.org", NULL, GX_E_STATE, "");
	expect_members("ops@example.org", "BOSS@example.com", 0, "a@example.org b@example.org z@other.example");
	expect_members("all@example.org", "b@example.org", 0, "a@example.org b@example.org");
	expect_members("all@example.org", "b@example.com", GX_E_STATE, "");
	expect_members("a@example.org", "b@example.org", GX_E_NOTFOUND, "");
	const char *const *v;
	ck_assert_int_eq(gx_dir_groups_of(d, "b@example.org", a, &v), 0);
	ck_assert_str_eq(v[0], "ops@example.org");
	ck_assert_str_eq(v[1], "all@example.org");
	ck_assert_str_eq(v[2], "dev@example.org");
	ck_assert_ptr_null(v[3]);
	ck_assert_int_eq(gx_dir_del_member(d, "ops@example.org", "dev@example.org"), 0);
	ck_assert_int_eq(gx_dir_del_member(d, "ops@example.org", "dev@example.org"), GX_E_NOTFOUND);
	expect_members("ops@example.org", "boss@example.com", 0, "a@example.org b@example.org");
	struct gx_user u;
	ck_assert_int_eq(gx_dir_user(d, "dev@example.org", a, &u), 0);
	ck_assert_uint_eq(u.display_type, 1);
	ck_assert_str_eq(u.maildir, "");
	ck_assert_int_eq(gx_dir_del_user(d, "dev@example.org"), 0);
	expect_members("dev@example.org", NULL, GX_E_NOTFOUND, "");
}
END_TEST

/* Table and column names, sorted. */
static char *shape(void)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_int_eq(gx_dir__connect(path, SQLITE_OPEN_READWRITE, &db), 0);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type='table'"
		" AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		gx_strbuf_printf(&b, "%s.%s\n", sqlite3_column_text(st, 0), sqlite3_column_text(st, 1));
	sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*), (SELECT count(*) FROM sqlite_master WHERE type='index' AND sql IS NOT NULL)"
		" FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_int_eq(sqlite3_column_int(st, 0), 25);
	gx_strbuf_printf(&b, "%d indexes\n", sqlite3_column_int(st, 1));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return gx_strbuf_take(&b);
}

static void sql(const char *text)
{
	sqlite3 *db;
	ck_assert_int_eq(gx_dir__connect(path, SQLITE_OPEN_READWRITE, &db), 0);
	char *msg = NULL;
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &msg) == SQLITE_OK, "%s", msg);
	sqlite3_close(db);
}

START_TEST(upgrade)
{
	const char *why = "";
	unsigned from = 9, to = 9;
	ck_assert_int_eq(gx_dir_create(path, a, &why), 0);
	char *fresh = shape();
	ck_assert_int_eq(gx_dir_create(path, a, &why), GX_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(gx_dir_upgrade(path, a, &from, &to, &why), 0);
	ck_assert(from == 133 && to == 133);
	unlink(path);
	ck_assert_int_eq(gx_dir_upgrade(path, a, &from, &to, &why), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_create_old(path, a, &why), 0);
	sql("INSERT INTO domains(id, domainname) VALUES(1, 'example.org');"
		"INSERT INTO users(username, domain_id, maildir, altname, max_size) VALUES('ann@example.org', 1, '/u/ann', 'ann', 2048),"
		"('bob@example.org', 1, '/u/bob', '', 0);");
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = path;
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_STATE);
	ck_assert_ptr_nonnull(strstr(why, "gromox-dbop -U"));
	ck_assert_int_eq(gx_dir_upgrade(path, a, &from, &to, &why), 0);
	ck_assert(from == 0 && to == 133);
	char *upgraded = shape();
	ck_assert_str_eq(fresh, upgraded);
	free(fresh);
	free(upgraded);
	open_dir(false);
	struct gx_user u;
	ck_assert_int_eq(gx_dir_user(d, "Ann", a, &u), 0);
	ck_assert_uint_eq(u.quota_receive, 2048 * 1024);
	ck_assert_int_eq(gx_dir_user(d, "bob@example.org", a, &u), 0);
	ck_assert_uint_eq(u.quota_receive, 0);
}
END_TEST

START_TEST(wrong_files)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	const char *why = "";
	o.path = path;
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, "gromox-dbop -C"));
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 1000; ++i)
		fputs("this is not a database ", f);
	fclose(f);
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(gx_dir_create(path, a, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_dir_upgrade(path, a, NULL, NULL, &why), GX_E_FORMAT);
	unlink(path);
	ck_assert_int_eq(gx_dir_create(path, a, &why), 0);
	struct stat sb;
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 0007, 0);
	sql("UPDATE options SET value='999' WHERE key='schemaversion'");
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_dir_upgrade(path, a, NULL, NULL, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_dir_create("/nonexistent/deeper/x", a, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/deeper/x"));
	d = NULL;
}
END_TEST

START_TEST(other_process)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_dir *other;
	struct gx_user u;
	const char *why = "";
	o.path = path;
	ck_assert_int_eq(gx_dir_user(d, "new@example.org", a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_open(&o, &other, a, &why), 0);
	struct gx_user_new n = GX_USER_NEW_INIT;
	n.username = "new@example.org";
	ck_assert_int_eq(gx_dir_add_user(other, &n, NULL), 0);
	usleep(150000);
	ck_assert_int_eq(gx_dir_user(d, "new@example.org", a, &u), 0);
	ck_assert_int_eq(gx_dir_del_user(other, "new@example.org"), 0);
	gx_dir_close(other);
	usleep(150000);
	ck_assert_int_eq(gx_dir_user(d, "new@example.org", a, &u), GX_E_NOTFOUND);
}
END_TEST

static void *lookups(void *ctx)
{
	struct gx_arena *mine = gx_arena_new(0);
	struct gx_user u;
	long bad = 0;
	for (int i = 0; i < 2000; ++i) {
		char name[64];
		snprintf(name, sizeof(name), "u%d@example.org", i % 50);
		int r = gx_dir_user(d, name, mine, &u);
		bad += r != 0 || strcmp(u.username, name) != 0;
		if (i % 100 == 0)
			bad += gx_dir_set_password(d, name, "x") != 0;
		if (i % 500 == 0)
			bad += gx_dir_login(d, name, "x", 0, mine, &u) != 0;
		gx_arena_reset(mine);
	}
	gx_arena_free(mine);
	*(long *)ctx = bad;
	return NULL;
}

START_TEST(threads)
{
	pthread_t t[3];
	long bad[3];
	for (int i = 0; i < 50; ++i) {
		char name[64];
		snprintf(name, sizeof(name), "u%d@example.org", i);
		ck_assert_int_eq(add(name, NULL), 0);
	}
	for (int i = 0; i < 3; ++i)
		ck_assert_int_eq(pthread_create(&t[i], NULL, lookups, &bad[i]), 0);
	for (int i = 0; i < 3; ++i) {
		pthread_join(t[i], NULL);
		ck_assert_int_eq(bad[i], 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("directory");
	TCase *full = tcase_create("full"), *empty = tcase_create("empty");
	tcase_add_checked_fixture(full, setup, teardown);
	tcase_add_checked_fixture(empty, setup_empty, teardown);
	tcase_set_timeout(full, 60);
	tcase_add_test(full, users_and_aliases);
	tcase_add_test(full, bad_addresses);
	tcase_add_test(full, unicode_names);
	tcase_add_test(full, logins);
	tcase_add_test(full, hashes);
	tcase_add_test(full, first_password);
	tcase_add_test(full, domains);
	tcase_add_test(full, lists);
	tcase_add_test(full, other_process);
	tcase_add_test(full, threads);
	tcase_add_test(empty, upgrade);
	tcase_add_test(empty, wrong_files);
	suite_add_tcase(s, full);
	suite_add_tcase(s, empty);
	return s;
}

GXTEST_MAIN(suite)
