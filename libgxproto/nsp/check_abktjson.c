/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of dialogs, those that are shipped among them, and LDIF. */
#include <config.h>
#include "tests/gxtest.h"
#include <dirent.h>
#include <stdio.h>
#include <gx/abktjson.h>

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

static void expect_same(const struct gx_abkt *t, const struct gx_abkt *u)
{
	ck_assert_uint_eq(t->version, u->version);
	ck_assert_uint_eq(t->count, u->count);
	for (uint32_t i = 0; i < t->count; ++i) {
		ck_assert_mem_eq(&t->v[i], &u->v[i], 9 * sizeof(uint32_t));
		ck_assert_str_eq(t->v[i].text, u->v[i].text);
	}
}

static void there_and_back(const struct gx_abkt *t)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_abkt u;
	const char *why = "";
	gx_abkt_to_json(t, &b);
	ck_assert_int_eq(b.err, 0);
	ck_assert_msg(gx_abkt_from_json(a, gx_strbuf_cstr(&b), b.len, &u, &why) == 0, "%s", why);
	expect_same(t, &u);
	gx_strbuf_release(&b);
}

START_TEST(what_is_shipped)
{
	const char *top = getenv("top_srcdir"), *dir = gx_arena_printf(a, "%s/data/abkt", top == NULL ? "." : top), *why = "";
	char text[65536];
	unsigned n = 0;
	DIR *d = opendir(dir);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct gx_abkt t, u;
		struct gx_bin b;
		if (strstr(e->d_name, ".json") == NULL)
			continue;
		FILE *f = fopen(gx_arena_printf(a, "%s/%s", dir, e->d_name), "r");
		size_t len = fread(text, 1, sizeof(text), f);
		fclose(f);
		ck_assert_msg(gx_abkt_from_json(a, text, len, &t, &why) == 0, "%s: %s", e->d_name, why);
		ck_assert_uint_gt(t.count, 4);
		ck_assert_uint_eq(t.v[0].type, GX_DTCT_PAGE); /* what stands before a page is on none */
		there_and_back(&t);
		ck_assert_int_eq(gx_abkt_write(a, &t, 1252, false, &b), 0);
		ck_assert_int_eq(gx_abkt_read(a, b.data, b.len, 1252, &u), 0);
		expect_same(&t, &u);
		++n;
	}
	closedir(d);
	ck_assert_uint_eq(n, 8);
}
END_TEST

START_TEST(numbers_without_names)
{
	static const struct gx_abkt_control v[] = {
		{1, 2, 3, 4, 10, 0x80000001U, 7, 0x12345678, 9, "a\"b"}, {0, 0, 0, 0, GX_DTCT_CHECKBOX, 0x7f, 0, 0x3a00001e, 0, "\xc3\xa4"},
	};
	const struct gx_abkt t = {2, v, 2};
	there_and_back(&t);
}
END_TEST

START_TEST(what_is_wrong)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{"{", "line 1"}, {"{}", "controls"}, {"[]", "controls"}, {"{\"version\": 3, \"controls\": []}", "version"},
		{"{\"controls\": [{\"type\": \"knob\"}]}", "control 1: type"}, {"{\"controls\": [{}, {\"x\": -1}]}", "control 2: x"},
		{"{\"controls\": [{\"tag\": \"PidTagNothing\"}]}", "control 1: tag"}, {"{\"controls\": [{\"flags\": [\"blue\"]}]}", "control 1: flags"},
		{"{\"controls\": [{\"colour\": 1}]}", "control 1: colour"}, {"{\"controls\": [7]}", "control 1"}, {"{\"controls\": [{\"text\": 7}]}", "text"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct gx_abkt r;
		const char *why = "";
		ck_assert_int_eq(gx_abkt_from_json(a, t[i].text, strlen(t[i].text), &r, &why), GX_E_FORMAT);
		ck_assert_msg(strstr(why, t[i].why) != NULL, "%s: %s", t[i].text, why);
	}
}
END_TEST

/* ---- LDIF ---- */

struct seen {
	char text[400];
};

static int see(const char *dn, const char *attribute, struct gx_bin v, void *ctx)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof(s->text) - n, "%s|%s|%.*s\n", dn, attribute, (int)v.len, (const char *)v.data);
	return strcmp(attribute, "stop") == 0 ? 7 : 0;
}

START_TEST(ldif)
{
	static const char text[] = "# extended\nversion: 1\n\ndn: CN=0,CN=409,\n CN=Display-Templates\r\ncn: 0\noriginalDisplayTable:: YWJj\n ZGVm\n"
		"jpegPhoto:< file:///x\n\ndn:: Q049MQ==\ncn:1\n";
	struct seen s = {""};
	unsigned line;
	ck_assert_int_eq(gx_ldif_read(text, sizeof(text) - 1, see, &s, &line), 0);
	ck_assert_str_eq(s.text, "|version|1\nCN=0,CN=409,CN=Display-Templates|cn|0\nCN=0,CN=409,CN=Display-Templates|originalDisplayTable|abcdef\n"
		"CN=1|cn|1\n");
	ck_assert_int_eq(gx_ldif_read("dn: x\nnonsense\n", 15, see, &s, &line), GX_E_FORMAT);
	ck_assert_uint_eq(line, 2);
	ck_assert_int_eq(gx_ldif_read("a:: ?\n", 6, see, &s, &line), GX_E_FORMAT);
	ck_assert_int_eq(gx_ldif_read("stop: 1\n", 8, see, &s, &line), 7);
	ck_assert_int_eq(gx_ldif_read("", 0, see, &s, &line), 0);
	ck_assert_str_eq(gx_ldif_template_name(a, "CN=0,CN=409,CN=x", "originalDisplayTable;binary"), "409-0-originalDisplayTable.abk");
	ck_assert_str_eq(gx_ldif_template_name(a, "CN=../..,CN=a/b", "addressEntryDisplayTable"), "a_b-_____-addressEntryDisplayTable.abk");
	ck_assert_str_eq(gx_ldif_template_name(a, "", "displaytable"), "x-x-displaytable.abk");
	ck_assert_ptr_null(gx_ldif_template_name(a, "CN=0", "cn"));
	ck_assert_ptr_null(gx_ldif_template_name(a, "CN=0", "../DisplayTable"));
}
END_TEST

static Suite *abktjson_suite(void)
{
	Suite *s = suite_create("abktjson");
	TCase *t = tcase_create("abktjson");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_shipped);
	tcase_add_test(t, numbers_without_names);
	tcase_add_test(t, what_is_wrong);
	tcase_add_test(t, ldif);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(abktjson_suite)
