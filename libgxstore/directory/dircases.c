/* SPDX-License-Identifier: Apache-2.0 */
/* What an open directory answers, and how it is changed. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <gx/entryid.h>
#include "libgxstore/directory/dirtest.h"

#define a dt_arena
#define d dt_dir
#define add dt_add
#define expect_members dt_expect_members

/* ---- People ---- */

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
	ck_assert_int_eq(gx_dir_list_aliases(d, "ann@example.org", a, &v, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(gx_dir_del_alias(d, "info@example.org"), 0);
	ck_assert_int_eq(gx_dir_del_alias(d, "info@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ANN@example.org"), 0);
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
		"<a@example.org>", "a\n@example.org", "\xff@example.org", "a/../b@example.org", ".a@example.org", "-a@example.org",
		"a@example.org "};
	struct gx_user u;
	ck_assert_int_eq(add("a@example.org", "x"), 0);
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
	ck_assert_int_eq(gx_dir_user(d, "?1", a, &u), GX_E_NOTFOUND);
}
END_TEST

/* Where addresses are ASCII by the schema, others are refused when they are added and are nobody's. */
START_TEST(unicode_names)
{
	struct gx_user u;
	bool ascii = d->back->ascii_names;
	int want = ascii ? GX_E_INVAL : 0;
	ck_assert_int_eq(gx_dir_add_domain(d, "B\xc3\x9c" "CHER.example", "", 0, NULL), want);
	ck_assert_int_eq(add("J\xc3\x96rg@b\xc3\xbc" "cher.example", "x"), want);
	ck_assert_int_eq(gx_dir_user(d, "j\xc3\xb6RG@B\xc3\x9c" "cher.EXAMPLE", a, &u), ascii ? GX_E_NOTFOUND : 0);
	if (!ascii)
		ck_assert_str_eq(u.username, "J\xc3\xb6rg@b\xc3\xbc" "cher.example");
	ck_assert_int_eq(add("jorg@example.org", "x"), 0);
	ck_assert_int_eq(gx_dir_add_alias(d, "j\xc3\xb6rg@example.org", "jorg@example.org"), want);
	ck_assert_int_eq(gx_dir_login(d, "j\xc3\xb6rg@example.org", "x", 0, a, &u), ascii ? GX_E_NOTFOUND : 0);
	ck_assert_int_eq(gx_dir_del_user(d, "j\xc3\xb8rg@example.org"), GX_E_NOTFOUND);
	/* Login names are no addresses. */
	dt_sql("INSERT INTO altnames(user_id, altname) SELECT id, 'j\xc3\xb8rg' FROM users WHERE username='jorg@example.org'");
	gx_dir__cache_clear(d);
	ck_assert_int_eq(gx_dir_user(d, "J\xc3\x98RG", a, &u), 0);
	ck_assert_str_eq(u.username, "jorg@example.org");
	ck_assert_int_eq(gx_dir_user(d, "jorg", a, &u), GX_E_NOTFOUND);
	/* Text that is no address may be anything. */
	struct gx_user_new n = GX_USER_NEW_INIT;
	n.username = "full@example.org";
	n.display_name = "\xf0\x9f\x90\x98 J\xc3\xb6rg";
	ck_assert_int_eq(gx_dir_add_user(d, &n, NULL), 0);
	ck_assert_int_eq(gx_dir_user(d, "full@example.org", a, &u), 0);
	ck_assert_str_eq(u.display_name, n.display_name);
}
END_TEST

START_TEST(logins)
{
	struct gx_user u;
	char text[160];
	ck_assert_int_eq(add("ann@example.org", "s\xc3\xa9" "cret"), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", GX_PRIV_IMAP_POP3, a, &u), 0);
	ck_assert_str_eq(u.username, "ann@example.org");
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "wrong", GX_PRIV_IMAP_POP3, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "", GX_PRIV_IMAP_POP3, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "bob@example.org", "wrong", 0, a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", GX_PRIV_EAS, a, &u), GX_E_STATE);
	dt_sql("INSERT INTO altnames(user_id, altname) SELECT id, 'ann' FROM users");
	ck_assert_int_eq(gx_dir_login(d, "ANN", "s\xc3\xa9" "cret", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_set_password(d, "ann@example.org", "new"), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "s\xc3\xa9" "cret", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_set_password(d, "bob@example.org", "new"), GX_E_NOTFOUND);
	static const char *const states[] = {"address_status=1", "address_status=3", "address_status=4", "address_status=16", "address_status=5"};
	for (size_t i = 0; i < 5; ++i) {
		snprintf(text, sizeof(text), "UPDATE users SET %s", states[i]);
		dt_sql(text);
		ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), GX_E_STATE);
		ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "bad", 0, a, &u), GX_E_INVAL);
	}
	dt_sql("UPDATE users SET address_status=0, externid=x'01'");
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "new", 0, a, &u), GX_E_UNSUP);
}
END_TEST

START_TEST(first_password)
{
	struct gx_user u;
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ann@example.org"), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "one", 0, a, &u), GX_E_INVAL);
	gx_dir_close(d);
	dt_open(true);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "info@example.org", "one", 0, a, &u), 0);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "two", 0, a, &u), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_login(d, "ann@example.org", "one", 0, a, &u), 0);
}
END_TEST

START_TEST(properties)
{
	struct gx_user u, *v;
	size_t n;
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(add("bob@example.org", NULL), 0);
	/* PidTagProhibitReceiveQuota and the other two; KiB. What is not asked for does not disturb. */
	dt_sql("INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 1718222851, 1, '2048' FROM users;"
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 1718484995, 1, '3' FROM users;"
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 1073020931, 1, '99999999999999999999' FROM users;"
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 974585887, 1, 'Dr' FROM users;"
		"INSERT INTO user_properties(user_id, proptag, order_id, propval_str) SELECT id, 805371935, 2, 'second' FROM users;"
		"DELETE FROM user_properties WHERE proptag=805371935 AND user_id=(SELECT id FROM users WHERE username='bob@example.org')");
	gx_dir__cache_clear(d);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &u), 0);
	ck_assert_uint_eq(u.quota_receive, 2048 * 1024);
	ck_assert_uint_eq(u.quota_send, 3 * 1024);
	ck_assert_uint_eq(u.quota_warn, UINT64_MAX);
	ck_assert_str_eq(u.display_name, "Ann Example");
	ck_assert_int_eq(gx_dir_list_users(d, "EXAMPLE.org", a, &v, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(v[0].quota_send, 3 * 1024);
	ck_assert_str_eq(v[1].display_name, "bob@example.org");
	ck_assert_uint_eq(v[1].quota_receive, 2048 * 1024);
}
END_TEST

static const union gx_value *value_of(const struct gx_dir_entry *e, gx_proptag_t tag, struct gx_propval *pv)
{
	return e->props.len != 0 && gx_prow_find(e->props.data, e->props.len, tag, a, pv) == 0 ? &pv->v : NULL;
}

START_TEST(properties_are_put)
{
	static const union gx_value texts[] = {{.str = "one"}, {.str = "zw\xc3\xb6lf"}}, bytes[] = {{.bin = {(const uint8_t *)"a\0b", 3}}, {.bin = {NULL, 0}}};
	static const union gx_value many = {.mv = {texts, 2}}, certs = {.mv = {bytes, 2}}, flag = {.b = true}, text = {.str = "Dr"}, number = {.i32 = -5};
	static char long_text[5000];
	const union gx_value *v, too_long = {.str = long_text};
	struct gx_dir_book b;
	struct gx_propval pv;
	memset(long_text, 'x', sizeof(long_text) - 1);
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(add("bob@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a17001f, &text), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a58101f, &many), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a701102, &certs), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x10f4000b, &flag), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x08070003, &number), 0);
	ck_assert_int_eq(gx_dir_put_prop(d, "zoe@example.org", 0x3a17001f, &text), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a17001f, &too_long), GX_E_LIMIT);
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a170005, &text), GX_E_UNSUP);
	ck_assert_int_eq(gx_dir_load_book(d, a, &b), 0);
	ck_assert_uint_eq(b.nentries, 2);
	ck_assert_str_eq(value_of(&b.entries[0], 0x3a17001f, &pv)->str, "Dr");
	v = value_of(&b.entries[0], 0x3a58101f, &pv);
	ck_assert_uint_eq(v->mv.count, 2);
	ck_assert_str_eq(v->mv.v[1].str, "zw\xc3\xb6lf");
	v = value_of(&b.entries[0], 0x3a701102, &pv);
	ck_assert_uint_eq(v->mv.count, 2);
	ck_assert_uint_eq(v->mv.v[0].bin.len, 3);
	ck_assert_int_eq(memcmp(v->mv.v[0].bin.data, "a\0b", 3), 0);
	ck_assert_uint_eq(v->mv.v[1].bin.len, 0);
	ck_assert(value_of(&b.entries[0], 0x10f4000b, &pv)->b);
	ck_assert_int_eq(value_of(&b.entries[0], 0x08070003, &pv)->i32, -5);
	ck_assert_ptr_null(value_of(&b.entries[1], 0x3a17001f, &pv));
	ck_assert_str_eq(value_of(&b.entries[1], 0x3001001f, &pv)->str, "Ann Example");
	ck_assert_int_eq(gx_dir_put_prop(d, "ann@example.org", 0x3a17001f, NULL), 0);
	ck_assert_int_eq(gx_dir_load_book(d, a, &b), 0);
	ck_assert_ptr_null(value_of(&b.entries[0], 0x3a17001f, &pv));
}
END_TEST

START_TEST(the_book)
{
	struct gx_dir_book b;
	uint64_t before, after;
	ck_assert_int_eq(gx_dir_load_book(d, a, &b), 0);
	ck_assert_uint_eq(b.nentries, 0);
	ck_assert_uint_eq(b.ndomains, 1);
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "all@example.org", GX_LIST_DOMAIN, 0, "All"), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "some@example.org", GX_LIST_NORMAL, 0, NULL), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "some@example.org", "x@elsewhere.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "some@example.org", "ann@example.org"), 0);
	ck_assert_int_eq(gx_dir_generation(d, &before), 0);
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ann@example.org"), 0);
	ck_assert_int_eq(gx_dir_generation(d, &after), 0);
	ck_assert_uint_ne(before, after);
	ck_assert_int_eq(gx_dir_load_book(d, a, &b), 0);
	ck_assert_uint_eq(b.nentries, 3);
	ck_assert(!b.entries[0].is_list && b.entries[1].is_list && b.entries[2].is_list);
	ck_assert_uint_eq(b.entries[1].list_domain, b.domains[0].id);
	ck_assert_uint_eq(b.entries[2].list_domain, 0);
	ck_assert_uint_eq(b.naliases, 1);
	ck_assert_uint_eq(b.aliases[0].id, b.entries[0].id);
	ck_assert_str_eq(b.aliases[0].name, "info@example.org");
	ck_assert_uint_eq(b.nmembers, 2);
	ck_assert_uint_eq(b.members[0].id, b.entries[2].id);
	ck_assert_str_eq(b.members[0].name, "ann@example.org");
	ck_assert_str_eq(b.members[1].name, "x@elsewhere.org");
	ck_assert_int_eq(gx_dir_generation(d, &before), 0);
	ck_assert_uint_eq(before, after);
}
END_TEST

static void expect_seconds(const char *user, const char *text)
{
	char got[200] = "";
	const char *const *v;
	ck_assert_int_eq(gx_dir_second_stores(d, user, a, &v), 0);
	for (; *v != NULL; ++v)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s;", *v);
	ck_assert_str_eq(got, text);
}

START_TEST(second_stores)
{
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(add("bob@example.org", NULL), 0);
	ck_assert_int_eq(add("cy@example.org", NULL), 0);
	expect_seconds("ann@example.org", "");
	ck_assert_int_eq(gx_dir_add_second_store(d, "Ann@EXAMPLE.org", "cy@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_second_store(d, "ann@example.org", "BOB@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_second_store(d, "ann@example.org", "bob@example.org"), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_second_store(d, "ann@example.org", "ann@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_second_store(d, "ann@example.org", "nobody@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_second_store(d, "", "bob@example.org"), GX_E_NOTFOUND);
	expect_seconds("ANN@example.org", "bob@example.org;cy@example.org;");
	expect_seconds("bob@example.org", "");
	expect_seconds("", "");
	ck_assert_int_eq(gx_dir_del_second_store(d, "ann@example.org", "cy@example.org"), 0);
	ck_assert_int_eq(gx_dir_del_second_store(d, "ann@example.org", "cy@example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_del_user(d, "bob@example.org"), 0);
	expect_seconds("ann@example.org", "");
}
END_TEST

/* ---- Domains and servers ---- */

START_TEST(domains)
{
	struct gx_domain dom, *v;
	size_t n;
	uint32_t id;
	ck_assert_int_eq(gx_dir_domain(d, "EXAMPLE.org", a, &dom), 0);
	ck_assert_str_eq(dom.name, "example.org");
	ck_assert_str_eq(dom.homedir, "/d/example.org");
	ck_assert_int_eq(gx_dir_domain(d, "example.com", a, &dom), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_add_domain(d, "example.com", "", 0, NULL), 0);
	ck_assert_int_eq(gx_dir_domain(d, "example.com", a, &dom), 0); /* the absence is not remembered */
	ck_assert_int_eq(gx_dir_del_domain(d, "example.com"), 0);
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

static void expect_host(uint32_t homeserver, int err, const char *host)
{
	const char *got = "";
	ck_assert_int_eq(gx_dir_server_of(d, homeserver, a, &got), err);
	ck_assert_str_eq(got, host);
}

START_TEST(servers)
{
	struct gx_server *v, s;
	struct gx_user u;
	struct gx_domain dom;
	size_t n;
	uint32_t one, two, id;
	ck_assert_int_eq(gx_dir_list_servers(d, a, &v, &n), 0);
	ck_assert_uint_eq(n, 0);
	expect_host(1, GX_E_NOTFOUND, "");
	ck_assert_int_eq(gx_dir_add_server(d, "Mail1.example.org", "outside.example.org", &one), 0);
	ck_assert_int_eq(gx_dir_add_server(d, "mail2.example.org", NULL, &two), 0);
	ck_assert_int_eq(gx_dir_add_server(d, "MAIL2.example.org", NULL, &id), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_server(d, "mail 3", NULL, &id), GX_E_INVAL);
	for (size_t i = 0; i < 6; ++i) {
		static const char *const bad[] = {"a.example.org:", "a.example.org:x", "a.example.org:0", "a.example.org:65536", ":443", "a:1:2"};
		ck_assert_int_eq(gx_dir_add_server(d, "mail3.example.org", bad[i], &id), GX_E_INVAL);
	}
	ck_assert_int_eq(gx_dir_add_server(d, "mail3.example.org", "Outside.example.org:8443", &id), 0);
	ck_assert_int_eq(gx_dir_server(d, id, a, &s), 0);
	ck_assert_str_eq(s.extname, "outside.example.org:8443");
	ck_assert_int_eq(gx_dir_del_server(d, "mail3.example.org"), 0);
	ck_assert_int_eq(gx_dir_list_servers(d, a, &v, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(v[0].hostname, "mail1.example.org");
	ck_assert_str_eq(v[0].extname, "outside.example.org");
	ck_assert_str_eq(v[1].extname, "mail2.example.org");
	ck_assert_int_eq(gx_dir_server(d, two, a, &s), 0);
	ck_assert_str_eq(s.hostname, "mail2.example.org");
	ck_assert_int_eq(gx_dir_server(d, 0, a, &s), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_server(d, 4711, a, &s), GX_E_NOTFOUND);
	expect_host(0, 0, "local");
	expect_host(one, 0, "mail1.example.org");
	expect_host(250, GX_E_NOTFOUND, "");

	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "ANN@example.org", two), 0);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "ann@example.org", two), 0);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &u), 0);
	ck_assert_uint_eq(u.homeserver, two);
	ck_assert_int_eq(gx_dir_set_lang(d, "ANN@example.org", "pt_BR"), 0);
	ck_assert_int_eq(gx_dir_set_lang(d, "ann@example.org", "pt_BR"), 0);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &u), 0);
	ck_assert_str_eq(u.lang, "pt_BR");
	ck_assert_int_eq(gx_dir_set_lang(d, "nobody@example.org", "de"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_set_lang(d, "ann@example.org", "a language with a far too long name"), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "ann@example.org", 77), GX_E_INVAL);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "bob@example.org", one), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_set_domain_homeserver(d, "example.org", one), 0);
	ck_assert_int_eq(gx_dir_domain(d, "example.org", a, &dom), 0);
	ck_assert_uint_eq(dom.homeserver, one);
	ck_assert_int_eq(add("bob@example.org", NULL), 0); /* lives where its domain lives */
	ck_assert_int_eq(gx_dir_user(d, "bob@example.org", a, &u), 0);
	ck_assert_uint_eq(u.homeserver, one);
	uint32_t where = 99;
	struct gx_user_new cy = GX_USER_NEW_INIT;
	cy.username = "cy@example.org";
	cy.maildir = "/stores/cy";
	ck_assert_int_eq(gx_dir_add_user(d, &cy, NULL), 0);
	ck_assert_int_eq(gx_dir_homeserver(d, "/stores/cy", &where), 0);
	ck_assert_uint_eq(where, one);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "cy@example.org", two), 0);
	ck_assert_int_eq(gx_dir_homeserver(d, "/stores/cy", &where), 0);
	ck_assert_uint_eq(where, two);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "cy@example.org", 0), 0);
	ck_assert_int_eq(gx_dir_homeserver(d, "/stores", &where), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_homeserver(d, "", &where), GX_E_INVAL);

	ck_assert_int_eq(gx_dir_del_server(d, "mail2.example.org"), GX_E_STATE);
	ck_assert_int_eq(gx_dir_set_homeserver(d, "ann@example.org", 0), 0);
	ck_assert_int_eq(gx_dir_del_server(d, "mail2.example.org"), 0);
	ck_assert_int_eq(gx_dir_del_server(d, "mail2.example.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_del_server(d, "mail1.example.org"), GX_E_STATE);
	expect_host(two, GX_E_NOTFOUND, "");
}
END_TEST

START_TEST(as_many_servers_as_fit)
{
	uint32_t id;
	char name[64];
	for (unsigned i = 1; i <= 255; ++i) {
		snprintf(name, sizeof(name), "s%u.example.org", i);
		ck_assert_int_eq(gx_dir_add_server(d, name, NULL, &id), 0);
		ck_assert_uint_eq(id, i);
	}
	ck_assert_int_eq(gx_dir_add_server(d, "more.example.org", NULL, &id), GX_E_LIMIT);
	ck_assert_int_eq(gx_dir_del_server(d, "s7.example.org"), 0);
	ck_assert_int_eq(gx_dir_add_server(d, "more.example.org", NULL, &id), 0);
	ck_assert_uint_eq(id, 7);
}
END_TEST

START_TEST(this_server_is_local)
{
	struct gx_dir_opts o = dt_opts;
	const char *why = "";
	uint32_t id;
	gx_dir_close(d);
	d = NULL;
	o.host_id = "Mail1.Example.org";
	ck_assert_msg(gx_dir_open(&o, &d, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_add_server(d, "mail1.example.org", NULL, &id), 0);
	expect_host(id, 0, "local");
	ck_assert_int_eq(gx_dir_add_server(d, "mail2.example.org", NULL, &id), 0);
	expect_host(id, 0, "mail2.example.org");
}
END_TEST

/* ---- Lists ---- */

START_TEST(lists)
{
	ck_assert_int_eq(add("a@example.org", NULL), 0);
	ck_assert_int_eq(add("b@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "all@example.org", GX_LIST_DOMAIN, GX_LISTPRIV_DOMAIN, "All"), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "dev@example.org", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "ops@example.org", GX_LIST_NORMAL, GX_LISTPRIV_SPECIFIED, NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "ops@example.org", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), GX_E_EXISTS);
	ck_assert_int_eq(gx_dir_add_list(d, "ops@nowhere.example", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), GX_E_NOTFOUND);
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
	/* Nothing of a list that is gone is left. */
	ck_assert_int_eq(gx_dir_del_user(d, "ops@example.org"), 0);
	char *left = dt_rows("SELECT (SELECT count(*) FROM associations), (SELECT count(*) FROM specifieds), (SELECT count(*) FROM mlists)", 3);
	ck_assert_str_eq(left, "0 0 1\n");
	free(left);
}
END_TEST

/* ---- Several at once ---- */

/* Asks until the answer comes or it takes far too long. */
static int wait_for(const char *address, int want)
{
	struct gx_user u;
	int r = 1;
	for (int i = 0; i < 1500 && r != want; ++i) {
		if (i > 0)
			usleep(20000);
		r = gx_dir_user(d, address, a, &u);
	}
	return r;
}

static bool among(const char *what, const char *const *v, size_t n)
{
	size_t i = 0;
	while (i < n && strcmp(v[i], what) != 0)
		++i;
	return i < n;
}

/* By the entry id of the list: as it has them, as the directory has them, and their DNs. */
START_TEST(people_of_lists)
{
	struct gx_user ann, team;
	struct gx_bin by_dn, by_address, nobody;
	const char *const *v;
	size_t n;
	ck_assert_int_eq(add("ann@example.org", "x"), 0);
	ck_assert_int_eq(gx_dir_add_alias(d, "info@example.org", "ann@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "team@example.org", GX_LIST_NORMAL, GX_LISTPRIV_SPECIFIED, NULL), 0);
	ck_assert_int_eq(gx_dir_add_list(d, "inner@example.org", GX_LIST_NORMAL, GX_LISTPRIV_ALL, NULL), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "team@example.org", "inner@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "inner@example.org", "info@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(d, "team@example.org", "z@other.example"), 0);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &ann), 0);
	ck_assert_int_eq(gx_dir_user(d, "team@example.org", a, &team), 0);
	ck_assert_int_eq(gx_entryid_addressbook(a, 1, gx_dn_of_user(a, "any", &team), &by_dn), 0);
	ck_assert_int_eq(gx_entryid_oneoff(a, NULL, "SMTP", "team@example.org", &by_address), 0);
	ck_assert_int_eq(gx_entryid_oneoff(a, NULL, "SMTP", "none@example.org", &nobody), 0);
	for (unsigned i = 0; i < 2; ++i) {
		ck_assert_int_eq(gx_dir_people_of(i == 0 ? by_dn : by_address, a, &v, &n, d), 0);
		ck_assert_uint_eq(n, 4);
		ck_assert(among("z@other.example", v, n) && among("info@example.org", v, n) && among("ann@example.org", v, n));
		ck_assert(among(gx_dn_of_user(a, "", &ann), v, n));
	}
	ck_assert_int_eq(gx_dir_people_of(nobody, a, &v, &n, d), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_people_of((struct gx_bin){(const uint8_t *)"x", 1}, a, &v, &n, d), GX_E_NOTFOUND);
}
END_TEST

START_TEST(other_process)
{
	struct gx_dir_opts o = dt_opts;
	struct gx_dir *other;
	struct gx_user u;
	const char *why = "";
	gx_dir_close(d);
	d = NULL;
	o.cache_seconds = 3600;
	ck_assert_msg(gx_dir_open(&o, &d, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_user(d, "new@example.org", a, &u), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dir_open(&o, &other, a, &why), 0);
	struct gx_user_new n = GX_USER_NEW_INIT;
	n.username = "new@example.org";
	ck_assert_int_eq(gx_dir_add_user(other, &n, NULL), 0);
	ck_assert_int_eq(wait_for("new@example.org", 0), 0);
	ck_assert_int_eq(gx_dir_del_user(other, "new@example.org"), 0);
	gx_dir_close(other);
	ck_assert_int_eq(wait_for("new@example.org", GX_E_NOTFOUND), GX_E_NOTFOUND);
}
END_TEST

/* An answer that was read before a change does not get into the cache after it. */
START_TEST(late_answers_are_not_remembered)
{
	struct gx_user u, stale = {.username = "old", .maildir = "", .lang = "", .timezone = "", .display_name = ""};
	uint64_t ticket, later;
	ck_assert_int_eq(gx_dir__cache_get(d, GX_DIRKIND_USER, "x@example.org", a, &u, &ticket), 1);
	ck_assert_int_eq(add("y@example.org", NULL), 0);
	gx_dir__cache_put(d, GX_DIRKIND_USER, "x@example.org", &stale, ticket);
	ck_assert_int_eq(gx_dir__cache_get(d, GX_DIRKIND_USER, "x@example.org", a, &u, &later), 1);
	gx_dir__cache_put(d, GX_DIRKIND_USER, "x@example.org", &stale, later);
	ck_assert_int_eq(gx_dir__cache_get(d, GX_DIRKIND_USER, "X@example.org", a, &u, &ticket), 0);
	ck_assert_str_eq(u.username, "old");
	ck_assert_int_eq(gx_dir__cache_get(d, GX_DIRKIND_DOMAIN, "x@example.org", a, &u, &ticket), 1);
	gx_dir__cache_put(d, GX_DIRKIND_USER, "x@example.org", NULL, ticket);
	ck_assert_int_eq(gx_dir__cache_get(d, GX_DIRKIND_USER, "x@example.org", a, &u, &ticket), GX_E_NOTFOUND);
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

/* An alias and a user of the same name: only one of two programs can make it. */
struct rival {
	struct gx_dir *dir;
	bool alias;
	int err;
};

static void *take_name(void *ctx)
{
	struct rival *r = ctx;
	struct gx_user_new n = GX_USER_NEW_INIT;
	n.username = "same@example.org";
	r->err = r->alias ? gx_dir_add_alias(r->dir, "same@example.org", "ann@example.org") : gx_dir_add_user(r->dir, &n, NULL);
	return NULL;
}

START_TEST(one_owner_of_a_name)
{
	struct rival r[2] = {{d, true, 0}, {NULL, false, 0}};
	const char *why = "";
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	ck_assert_int_eq(gx_dir_open(&dt_opts, &r[1].dir, a, &why), 0);
	for (int round = 0; round < 20; ++round) {
		pthread_t t[2];
		for (int i = 0; i < 2; ++i)
			ck_assert_int_eq(pthread_create(&t[i], NULL, take_name, &r[i]), 0);
		for (int i = 0; i < 2; ++i)
			pthread_join(t[i], NULL);
		ck_assert_msg((r[0].err == 0 && r[1].err == GX_E_EXISTS) || (r[1].err == 0 && r[0].err == GX_E_EXISTS), "%d %d", r[0].err, r[1].err);
		ck_assert_int_eq(r[0].err == 0 ? gx_dir_del_alias(d, "same@example.org") : gx_dir_del_user(d, "same@example.org"), 0);
	}
	gx_dir_close(r[1].dir);
}
END_TEST

/* ---- Connections ---- */

struct hold {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned held, want;
};

static int hold_connection(struct gx_dirconn *c, void *ctx)
{
	struct hold *h = ctx;
	pthread_mutex_lock(&h->lock);
	++h->held;
	pthread_cond_broadcast(&h->cond);
	while (h->want != 0)
		pthread_cond_wait(&h->cond, &h->lock);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static void *holder(void *ctx)
{
	return gx_dir__read(d, hold_connection, ctx) == 0 ? NULL : ctx;
}

START_TEST(all_connections_in_use)
{
	struct hold h = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 1};
	struct gx_dir_opts o = dt_opts;
	const char *why = "";
	struct gx_user u;
	pthread_t t[2];
	void *bad;
	ck_assert_int_eq(add("ann@example.org", NULL), 0);
	gx_dir_close(d);
	d = NULL;
	o.connections = 2;
	o.wait_seconds = 1;
	ck_assert_msg(gx_dir_open(&o, &d, a, &why) == 0, "%s", why);
	unsigned n = d->pool.max;
	for (unsigned i = 0; i < n; ++i)
		ck_assert_int_eq(pthread_create(&t[i], NULL, holder, &h), 0);
	pthread_mutex_lock(&h.lock);
	while (h.held < n)
		pthread_cond_wait(&h.cond, &h.lock);
	pthread_mutex_unlock(&h.lock);
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &u), GX_E_BUSY);
	ck_assert_int_eq(gx_dir_set_password(d, "ann@example.org", "x"), GX_E_BUSY);
	pthread_mutex_lock(&h.lock);
	h.want = 0;
	pthread_cond_broadcast(&h.cond);
	pthread_mutex_unlock(&h.lock);
	for (unsigned i = 0; i < n; ++i) {
		pthread_join(t[i], &bad);
		ck_assert_ptr_null(bad);
	}
	ck_assert_int_eq(gx_dir_user(d, "ann@example.org", a, &u), 0);
}
END_TEST

void dircases(Suite *s)
{
	TCase *full = tcase_create("full");
	tcase_add_checked_fixture(full, dt_setup, dt_teardown);
	tcase_set_timeout(full, 60);
	tcase_add_test(full, users_and_aliases);
	tcase_add_test(full, bad_addresses);
	tcase_add_test(full, unicode_names);
	tcase_add_test(full, logins);
	tcase_add_test(full, first_password);
	tcase_add_test(full, properties);
	tcase_add_test(full, properties_are_put);
	tcase_add_test(full, the_book);
	tcase_add_test(full, domains);
	tcase_add_test(full, second_stores);
	tcase_add_test(full, servers);
	tcase_add_test(full, as_many_servers_as_fit);
	tcase_add_test(full, this_server_is_local);
	tcase_add_test(full, lists);
	tcase_add_test(full, people_of_lists);
	tcase_add_test(full, other_process);
	tcase_add_test(full, late_answers_are_not_remembered);
	tcase_add_test(full, threads);
	tcase_add_test(full, one_owner_of_a_name);
	tcase_add_test(full, all_connections_in_use);
	suite_add_tcase(s, full);
}
