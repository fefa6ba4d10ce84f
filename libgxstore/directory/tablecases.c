/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables and bringing older ones up to date. */
#include <config.h>
#include "libgxstore/directory/dirtest.h"

#define a dt_arena
#define d dt_dir
#define add dt_add
#define expect_members dt_expect_members

static const char people[] =
	"INSERT INTO domains(id, domainname, max_size, max_user, create_day, end_day, privilege_bits, domain_type) VALUES"
	"(1, 'example.org', 0, 0, '2020-01-01', '3000-01-01', 0, 0), (2, 'alias.example', 0, 0, '2020-01-01', '3000-01-01', 0, 1);"
	"INSERT INTO users(id, username, real_name, nickname, domain_id, group_id, maildir, max_size, max_file, create_day, lang,"
	" privilege_bits, address_type, sub_type) VALUES"
	"(1, 'ann@example.org', 'Ann Old', 'annie', 1, 0, '/u/ann', 2048, 0, '2020-01-01', 'cn', 15, 0, 0),"
	"(2, 'bob@example.org', '', '', 1, 0, '/u/bob', 0, 0, '2020-01-01', 'de', 3, 0, 0),"
	"(3, 'room@example.org', 'Room', '', 1, 0, '/u/room', 0, 0, '2020-01-01', '', 0, 0, 1),"
	"(4, 'list@example.org', '', '', 1, 0, '', 0, 0, '2020-01-01', '', 0, 2, 0),"
	"(5, 'gone@example.org', '', '', 1, 0, '', 0, 0, '2020-01-01', '', 0, 1, 0);"
	"INSERT INTO aliases(aliasname, mainname) VALUES('info@example.org', 'ann@example.org'), ('noaddress', 'ann@example.org');"
	"INSERT INTO mlists(id, listname, domain_id, list_type, list_privilege) VALUES(9, 'list@example.org', 1, 0, 3);"
	"INSERT INTO associations(list_id, username) VALUES(9, 'ann@example.org'), (9, 'x@other.example');"
	"INSERT INTO specifieds(list_id, username) VALUES(9, 'bob@example.org');"
	"INSERT INTO `groups`(groupname, domain_id, max_size, max_user, title, create_day, privilege_bits) VALUES('g@example.org', 1, 0, 0, '',"
	" '2020-01-01', 0);";

void dt_make_old(void)
{
	const char *why = "";
	int err = gx_dir_create_tables(&dt_opts, true, a, &why);
	ck_assert_msg(err == 0, "%d %s", err, why);
	dt_sql(people);
}

void dt_expect_people(void)
{
	struct gx_user u, *v;
	struct gx_domain *dom;
	size_t n;
	dt_open(false);
	ck_assert_int_eq(gx_dir_user(d, "info@example.org", a, &u), 0);
	ck_assert_str_eq(u.username, "ann@example.org");
	ck_assert_str_eq(u.display_name, "Ann Old");
	ck_assert_str_eq(u.lang, "zh_TW");
	ck_assert_uint_eq(u.quota_receive, 2048 * 1024);
	ck_assert_uint_eq(u.quota_warn, 2048 * 1024);
	ck_assert_uint_eq(u.privileges, 15);
	ck_assert_int_eq(gx_dir_user(d, "bob@example.org", a, &u), 0);
	ck_assert_uint_eq(u.quota_receive, 0);
	ck_assert_str_eq(u.display_name, "bob@example.org");
	ck_assert_int_eq(gx_dir_user(d, "room@example.org", a, &u), 0);
	ck_assert_uint_eq(u.display_type, 7);
	ck_assert_int_eq(gx_dir_user(d, "list@example.org", a, &u), 0);
	ck_assert_uint_eq(u.display_type, 1);
	ck_assert_int_eq(gx_dir_user(d, "noaddress", a, &u), GX_E_NOTFOUND);
	expect_members("list@example.org", "bob@example.org", 0, "ann@example.org x@other.example");
	ck_assert_int_eq(gx_dir_list_users(d, NULL, a, &v, &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(gx_dir_list_domains(d, a, &dom, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(add("new@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_del_user(d, "list@example.org"), 0);
	gx_dir_close(d);
	d = NULL;
}

START_TEST(creation)
{
	const char *why = "";
	unsigned from = 9, to = 9;
	struct gx_dir_opts o = dt_opts;
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, "gromox-dbop -C"));
	ck_assert_int_eq(gx_dir_create_tables(&o, false, a, &why), 0);
	const char *name = gx_dir_opts_name(&o, a);
	ck_assert_int_eq(gx_dir_create_tables(&o, false, a, &why), GX_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why, name));
	ck_assert_int_eq(gx_dir_create_tables(&o, true, a, &why), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_upgrade_tables(&o, a, &from, &to, &why), 0);
	ck_assert(from == 133 && to == 133);
	dt_sql("UPDATE options SET value='999' WHERE `key`='schemaversion'");
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_dir_upgrade_tables(&o, a, NULL, NULL, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "999"));
	o.size = offsetof(struct gx_dir_opts, path); /* no struct of ours */
	ck_assert_int_eq(gx_dir_open(&o, &d, a, &why), GX_E_INVAL);
	d = NULL;
}
END_TEST

START_TEST(old_tables_are_refused)
{
	const char *why = "";
	unsigned to;
	dt_make_old();
	ck_assert_int_eq(gx_dir_open(&dt_opts, &d, a, &why), GX_E_STATE);
	ck_assert_ptr_nonnull(strstr(why, "gromox-dbop -U"));
	ck_assert_int_eq(gx_dir__upgrade(&dt_opts, 132, a, NULL, &to, &why), 0);
	ck_assert_uint_eq(to, 132);
	ck_assert_int_eq(gx_dir_open(&dt_opts, &d, a, &why), GX_E_STATE);
	d = NULL;
}
END_TEST

START_TEST(login_names_move)
{
	struct gx_user u;
	const char *why = "";
	dt_make_old();
	ck_assert_msg(gx_dir__upgrade(&dt_opts, 120, a, NULL, NULL, &why) == 0, "%s", why);
	dt_sql("UPDATE users SET altname='annie' WHERE id=1");
	ck_assert_msg(gx_dir_upgrade_tables(&dt_opts, a, NULL, NULL, &why) == 0, "%s", why);
	dt_open(false);
	ck_assert_int_eq(gx_dir_user(d, "Annie", a, &u), 0);
	ck_assert_uint_eq(u.id, 1);
}
END_TEST

/* Each step by itself, as if the program were cut off behind it. */
START_TEST(step_by_step)
{
	const char *why = "";
	unsigned from, to, last = 0, steps = 0;
	ck_assert_int_eq(gx_dir_create_tables(&dt_opts, false, a, &why), 0);
	char *fresh = dt_shape();
	dt_remove();
	dt_make_empty();
	dt_make_old();
	for (unsigned v = 1; v <= GX_DIR_SCHEMA_VERSION; ++v) {
		int err = gx_dir__upgrade(&dt_opts, v, a, &from, &to, &why);
		ck_assert_msg(err == 0, "version %u: %d %s", v, err, why);
		ck_assert_uint_eq(from, last);
		steps += to != from;
		last = to;
	}
	ck_assert_uint_eq(last, GX_DIR_SCHEMA_VERSION);
	ck_assert_uint_gt(steps, 90);
	char *upgraded = dt_shape();
	ck_assert_str_eq(upgraded, fresh);
	free(fresh);
	free(upgraded);
	dt_expect_people();
}
END_TEST

struct upgrader {
	bool create;
	int err;
	unsigned from, to;
	struct gx_arena *arena;
	const char *why;
};

static void *run_upgrade(void *ctx)
{
	struct upgrader *u = ctx;
	u->err = u->create ? gx_dir_create_tables(&dt_opts, false, u->arena, &u->why)
		: gx_dir_upgrade_tables(&dt_opts, u->arena, &u->from, &u->to, &u->why);
	return NULL;
}

static void at_once(struct upgrader *u, unsigned n)
{
	pthread_t t[4];
	for (unsigned i = 0; i < n; ++i)
		ck_assert_int_eq(pthread_create(&t[i], NULL, run_upgrade, &u[i]), 0);
	for (unsigned i = 0; i < n; ++i)
		pthread_join(t[i], NULL);
}

START_TEST(two_upgrades_at_once)
{
	struct upgrader u[4];
	unsigned worked = 0;
	for (unsigned i = 0; i < 4; ++i)
		u[i] = (struct upgrader){.arena = gx_arena_new(0), .why = ""};
	dt_make_old();
	at_once(u, 4);
	for (unsigned i = 0; i < 4; ++i) {
		ck_assert_msg(u[i].err == 0, "%d %s", u[i].err, u[i].why);
		ck_assert_uint_eq(u[i].to, GX_DIR_SCHEMA_VERSION);
		worked += u[i].from == 0;
		ck_assert(u[i].from == 0 || u[i].from == GX_DIR_SCHEMA_VERSION);
		gx_arena_free(u[i].arena);
	}
	ck_assert_uint_eq(worked, 1);
	dt_expect_people();
}
END_TEST

START_TEST(two_creations_at_once)
{
	struct upgrader u[3];
	unsigned made = 0;
	for (unsigned i = 0; i < 3; ++i)
		u[i] = (struct upgrader){.create = true, .arena = gx_arena_new(0), .why = ""};
	at_once(u, 3);
	for (unsigned i = 0; i < 3; ++i) {
		ck_assert_msg(u[i].err == 0 || u[i].err == GX_E_EXISTS, "%d %s", u[i].err, u[i].why);
		made += u[i].err == 0;
		gx_arena_free(u[i].arena);
	}
	ck_assert_uint_eq(made, 1);
	dt_open(false);
}
END_TEST

void tablecases(Suite *s)
{
	TCase *empty = tcase_create("empty");
	tcase_add_checked_fixture(empty, dt_setup_empty, dt_teardown);
	tcase_set_timeout(empty, 120);
	tcase_add_test(empty, creation);
	tcase_add_test(empty, old_tables_are_refused);
	tcase_add_test(empty, login_names_move);
	tcase_add_test(empty, step_by_step);
	tcase_add_test(empty, two_upgrades_at_once);
	tcase_add_test(empty, two_creations_at_once);
	suite_add_tcase(s, empty);
}
