/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of gromox-mbop: what is understood, what is refused, and that nothing else happens. */
#include <config.h>
#include "tests/gxtest.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <gx/store.h>
#include "libgxproto/mbop/mbop-int.h"

enum { WORDS = 24 };

static struct gx_arena *a;
static const char *why;

static void setup(void)
{
	a = gx_arena_new(0);
	setenv("TZ", "UTC", 1);
	tzset();
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* Words separated by blanks; "_" stands for an empty one. */
static int parse(const char *text, struct gx_mbop_line **ret_l)
{
	char *v[WORDS], *copy = gx_arena_strdup(a, text), *next;
	size_t n = 0;
	for (char *p = strtok_r(copy, " ", &next); p != NULL; p = strtok_r(NULL, " ", &next))
		v[n++] = strcmp(p, "_") == 0 ? p + 1 : p;
	why = NULL;
	return gx_mbop_parse(v, n, a, ret_l, &why);
}

static struct gx_mbop_line *good(const char *text)
{
	struct gx_mbop_line *l = NULL;
	int err = parse(text, &l);
	ck_assert_msg(err == 0, "\"%s\" is refused: %s", text, why);
	return l;
}

START_TEST(the_table_is_complete)
{
	const struct gx_mbop_command *c, *last = NULL;
	size_t n = 0;
	for (; (c = gx_mbop_command(n)) != NULL; last = c, ++n) {
		ck_assert(last == NULL || strcmp(last->name, c->name) < 0);
		ck_assert(*c->help != '\0' && c->args != NULL);
		ck_assert_int_eq(c->operands != GX_MBOP_NONE, *c->args != '\0');
		ck_assert_int_eq(c->max > 0, *c->args != '\0');
		const struct gx_mbop_entry *e = gx_mbop__entry(c->name);
		ck_assert_int_eq(e->run == NULL, c->operands == GX_MBOP_COMMAND);
		size_t i = 0;
		for (; c->option[i].letter != 0 || c->option[i].name != NULL; ++i) {
			const struct gx_mbop_option *o = &c->option[i];
			ck_assert_int_eq(o->type == GX_MBOP_FLAG, o->arg == NULL);
			ck_assert(o->help != NULL && (!o->required || o->letter != 0));
			for (size_t k = 0; k < i; ++k)
				ck_assert(c->option[k].letter == 0 || c->option[k].letter != o->letter);
		}
		ck_assert_uint_le(i, GX_MBOP_OPTIONS);
	}
	ck_assert_uint_eq(n, 31);
	ck_assert_ptr_null(gx_mbop__entry("nothing"));
	for (n = 0; gx_mbop_filter(n, NULL) != NULL; ++n)
		ck_assert_uint_eq(gx_mbop__filter(gx_mbop_filter(n, NULL), strlen(gx_mbop_filter(n, NULL))), 1u << n);
	ck_assert_uint_eq(n, 13);
}
END_TEST

START_TEST(options_and_operands)
{
	const struct gx_mbop_line *l = good("emptyfld -Rat1week --soft INBOX -- /-x/y");
	ck_assert_ptr_nonnull(l);
	l = good("emptyfld INBOX -Rt 2h --soft SENT");
	const struct gx_mbop_cmd *c = &l->v[0].cmds[0];
	ck_assert_uint_eq(c->nargs, 2);
	ck_assert(gx_mbop__opt(c, "R")->set && gx_mbop__opt(c, "soft")->set && !gx_mbop__opt(c, "M")->set);
	ck_assert_uint_eq(gx_mbop__opt(c, "t")->num, 7200);
	ck_assert_str_eq(c->args[1].text, "SENT");
	c = &good("delmsg 0x1f -fINBOX 17 --soft")->v[0].cmds[0];
	ck_assert(c->args[0].num == 31 && c->args[1].num == 17 && gx_mbop__opt(c, "f")->spec.base == GX_FID_INBOX);
	c = &good("sync-midb -f all")->v[0].cmds[0];
	ck_assert(gx_mbop__opt(c, "f")->all);
	c = &good("set-locale -vTl pt_BR")->v[0].cmds[0];
	ck_assert_str_eq(gx_mbop__opt(c, "l")->text, "pt_BR");
	ck_assert_uint_eq(good("delmsg -f /")->v[0].cmds[0].nargs, 0);
}
END_TEST

START_TEST(parentheses_and_foreach)
{
	const struct gx_mbop_line *l = good("( ping ) ( emptyfld -R INBOX ) ( unload )");
	ck_assert(l->n == 1 && l->v[0].n == 3 && !l->v[0].each && gx_mbop_needs_mailbox(l) && !gx_mbop_has_foreach(l));
	l = good("( ( ping ) ( vacuum ) ) ( unload )");
	ck_assert(l->n == 1 && l->v[0].n == 3);
	l = good("foreach.user.mb.here -j 4 purge-softdelete -r /");
	ck_assert(l->n == 1 && l->v[0].each && l->v[0].jobs == 4);
	ck_assert_uint_eq(l->v[0].filters, GX_MBF_USER | GX_MBF_MB | GX_MBF_HERE);
	ck_assert(!gx_mbop_needs_mailbox(l) && gx_mbop_has_foreach(l));
	ck_assert_uint_eq(l->v[0].cmds[0].nargs, 1);
	l = good("foreach.mb ( ping ) ( vacuum )");
	ck_assert(l->v[0].n == 2 && l->v[0].jobs == 1);
	ck_assert_uint_eq(good("foreach.mb -j0 ping")->v[0].jobs, 0);
	l = good("( ping ) ( foreach.mb ( unload ) ( vacuum ) ) ( echo-username )");
	ck_assert(l->n == 3 && l->v[1].each && l->v[1].n == 2 && l->v[2].n == 1 && gx_mbop_needs_mailbox(l));
	ck_assert_str_eq(gx_mbop_help_wanted(good("delmsg --help"))->name, "delmsg");
	ck_assert_str_eq(gx_mbop_help_wanted(good("foreach.* -?"))->name, "foreach.*");
	ck_assert_str_eq(gx_mbop_help_wanted(good("( ping ) ( freeze -? )"))->name, "freeze");
	ck_assert_ptr_null(gx_mbop_help_wanted(l));
}
END_TEST

static const struct {
	const char *line, *word;
} bad[] = {
	{"", "missing"}, {"_", "\"\""}, {"nothing", "\"nothing\""}, {"( ping", "no )"}, {"( )", "nothing"},
	{") ping", "\")\""}, {"( ping ) vacuum", "\"vacuum\""},
	{"( ping ) )", "\")\""}, {"( foreach.mb )", "missing"}, {"ping x", "\"x\""}, {"ping (", "\"(\""},
	{"ping -v", "-v"}, {"ping --soft", "--soft"},
	{"freeze --no-wait=yes", "no value"}, {"freeze --no", "--no"}, {"emptyfld", "FOLDER"},
	{"emptyfld -t", "-t"}, {"emptyfld -Rt", "-t"},
	{"emptyfld -t x INBOX", "time span"}, {"emptyfld -t -1s INBOX", "time span"},
	{"emptyfld -M INBOX", "-M"}, {"emptyfld NOWHERE", "NOWHERE"},
	{"emptyfld _", "\"\""}, {"delmsg 5", "-f"}, {"delmsg -f INBOX 0", "\"0\""},
	{"delmsg -f INBOX -- -1", "\"-1\""}, {"delmsg -f INBOX 0x", "0x"},
	{"delmsg -f INBOX 0x1000000000000", "0x1000000000000"},
	{"delmsg -f INBOX 99999999999999999999", "message"}, {"set-locale", "-l"},
	{"set-locale -l xx-yy", "xx-yy"}, {"foreach ping", "filter"}, {"foreach. ping", "filter"},
	{"foreach.user. ping", "filter"},
	{"foreach.users ping", "users"}, {"foreach.user", "missing"}, {"foreach.user -j ping", "number"},
	{"foreach.user -j 1001 ping", "1000"},
	{"foreach.user -x ping", "-x"}, {"foreach.user foreach.mb ping", "inside"},
	{"foreach.user ( ping ) ( foreach.mb ping )", "inside"},
	{"zaddrxlat INBOX", "-m"}, {"zaddrxlat -m /nonexistent/map INBOX", "/nonexistent/map"},
	{"get-freebusy -a 9 -b 9", "-b"},
	{"get-freebusy -x ann", "ann"}, {"foreach.*", "no filter"}, {"emptyfld -- -x/y", "-x/y"},
	{"foreach.* ping", "*"}, {"foreach.user set-photo", "not with foreach"},
	{"foreach.user.here ( ping ) ( set-websettings )", "not with foreach"},
	{"( set-photo ) ( set-websettings-recipients )", "set-photo has taken"},
};

START_TEST(bad_lines_are_explained)
{
	struct gx_mbop_line *l;
	int err = parse(bad[_i].line, &l);
	ck_assert_msg(err == GX_E_INVAL, "\"%s\" gives %d", bad[_i].line, err);
	ck_assert_msg(strstr(why, bad[_i].word) != NULL, "\"%s\": %s", bad[_i].line, why);
}
END_TEST

/* Whatever words come: an answer, and a reason where it is no. */
START_TEST(any_words)
{
	static const char *const words[] = {
		"(", ")", "ping", "emptyfld", "-R", "-t", "1week", "--soft", "INBOX", "/", "foreach.mb",
		"foreach.mb.user", "-j", "3", "delmsg", "-f", "-fSENT", "17", "--", "-", "_", "set-locale",
		"-l", "de", "--help", "-?", "purge-softdelete", "-rt", "0",
	};
	unsigned seed = 4711, fine = 0;
	for (int i = 0; i < 60000; ++i) {
		char *v[10];
		size_t n = (seed = seed * 1103515245 + 12345) >> 16 & 7;
		struct gx_mbop_line *l = NULL;
		for (size_t k = 0; k < n; ++k)
			v[k] = (char *)words[((seed = seed * 1103515245 + 12345) >> 16) % (sizeof(words) / sizeof(words[0]))];
		gx_arena_reset(a);
		int err = gx_mbop_parse(v, n, a, &l, &why);
		ck_assert(err == 0 || (err == GX_E_INVAL && *why != '\0'));
		if (err == 0 && gx_mbop_help_wanted(l) == NULL) {
			++fine;
			for (size_t k = 0; k < l->n; ++k)
				ck_assert_uint_gt(l->v[k].n, 0);
		}
	}
	ck_assert_uint_gt(fine, 100);
}
END_TEST

static const struct {
	const char *text;
	int64_t t;
} times[] = {
	{"0", 0}, {"1800000000", 1800000000}, {"-60", -60}, {"1970-01-01T00:00:00Z", 0},
	{"2027-01-15T08:00:00Z", 1800000000},
	{"2027-01-15T08:00:00", 1800000000}, {"2027-01-15T09:00:00+0100", 1800000000},
	{"2027-01-15T02:30:00-0530", 1800000000},
	{"2024-02-29T00:00:00Z", 1709164800},
	{"2027-01-15", -1}, {"2027-01-15T08:00", -1}, {"2027-13-15T08:00:00", -1}, {"2027-02-29T08:00:00", -1},
	{"2027-00-15T08:00:00", -1},
	{"2027-01-15T24:00:00", -1}, {"2027-01-15T08:60:00", -1}, {"2027-01-15T08:00:00+01:00", -1},
	{"2027-01-15T08:00:00+1", -1},
	{"2027-01-15T08:00:00Zulu", -1}, {"2027-01-15 08:00:00", -1}, {"now", -1}, {"", -1}, {"1.5", -1},
	{"1500-01-01T00:00:00Z", -1},
};

START_TEST(points_in_time)
{
	struct gx_mbop_value v = {.set = false};
	int err = gx_mbop__value(a, GX_MBOP_TIME, times[_i].text, &v, &why);
	ck_assert_msg((err == 0) == (times[_i].t != -1), "%s", times[_i].text);
	if (err == 0)
		ck_assert_int_eq((int64_t)v.num, times[_i].t);
}
END_TEST

static const struct {
	const char *text;
	uint64_t base;
	bool symbolic;
	const char *names; /* with commas */
} specs[] = {
	{"13", 13, false, ""}, {"0xd", 13, false, ""}, {"0XD", 13, false, ""}, {"/", GX_FID_ROOT, false, ""},
	{"\\", GX_FID_ROOT, false, ""},
	{"/Top of Information Store/Sent Items/2022", GX_FID_ROOT, false, "Top of Information Store,Sent Items,2022"},
	{"SENT/2022", GX_FID_SENT, true, "2022"}, {"sent\\a/b", GX_FID_SENT, true, "a/b"},
	{"SENT/a\\b/", GX_FID_SENT, true, "a\\b"},
	{"INBOX//x///y", GX_FID_INBOX, true, "x,y"}, {"TRASH", GX_FID_DELETED, true, ""},
	{"WASTEBASKET", GX_FID_DELETED, true, ""},
	{"DRAFT", GX_FID_DRAFTS, true, ""}, {"DRAFTS", GX_FID_DRAFTS, true, ""},
	{"SYNC_ISSUES/", GX_FID_SYNCISSUES, true, ""},
	{"", 0, false, ""}, {"0", 0, false, ""}, {"13/x", 0, false, ""}, {"0x1000000000000", 0, false, ""},
	{"INBOXES", 0, false, ""},
	{"-1", 0, false, ""}, {"Sent Items", 0, false, ""}, {" INBOX", 0, false, ""}, {"ALL", 0, false, ""},
};

START_TEST(folder_specifications)
{
	struct gx_mbop_spec s;
	char names[200] = "";
	int err = gx_mbop__spec(a, specs[_i].text, &s, &why);
	ck_assert_int_eq(err, specs[_i].base != 0 ? 0 : GX_E_INVAL);
	if (err != 0)
		return;
	ck_assert_uint_eq(s.base, specs[_i].base);
	ck_assert_int_eq(s.symbolic, specs[_i].symbolic);
	for (size_t i = 0; i < s.n; ++i)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i > 0 ? "," : "", s.names[i]);
	ck_assert_str_eq(names, specs[_i].names);
}
END_TEST

static struct gx_mbop_map *map(const char *text, int want)
{
	char path[] = "/tmp/gx-check-mbop-XXXXXX";
	struct gx_mbop_map *m = NULL;
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	why = "";
	ck_assert_int_eq(gx_mbop__map_read(a, path, &m, &why), want);
	ck_assert(want == 0 || strstr(why, path) != NULL);
	unlink(path);
	return m;
}

START_TEST(maps_of_users)
{
	struct gx_mbop_map *m = map("[{\"dn\": \"/o=A/cn=B\", \"to\": \"b@c.de\"},"
		"{\"na\":\"Joe\",\"em\":\"joe@old\",\"to\":\"joe@new\",\"id\":3},"
		"{\"na\":\"joe\",\"to\":\"JOE@new\"},{\"na\":\"gone\",\"to\":null},"
		"{\"na\":\"gone\",\"to\":\"\"},{\"dn\":null,\"to\":\"x@y\"}]", 0);
	ck_assert_str_eq(gx_mbop__map_dn(m, "/O=a/CN=b"), "b@c.de");
	ck_assert_ptr_null(gx_mbop__map_dn(m, "joe"));
	ck_assert_ptr_nonnull(gx_mbop__map_name(m, "JOE"));
	ck_assert_str_eq(gx_mbop__map_name(m, "joe@old"), "joe@new");
	ck_assert_ptr_null(gx_mbop__map_name(m, "gone"));
	ck_assert_ptr_null(gx_mbop__map_dn(map("[]", 0), "x"));
	map("", GX_E_INVAL);
	map("{}", GX_E_INVAL);
	map("[17]", GX_E_INVAL);
	map("[{\"dn\":\"a\",\"to\":\"nobody\"}]", GX_E_INVAL);
	map("[{\"dn\":\"a\",\"to\":\"x@y\"},\n{\"dn\":\"A\",\"to\":\"z@y\"}]", GX_E_INVAL);
	map("[{\"dn\":\"a\",\n]", GX_E_INVAL);
	ck_assert_ptr_nonnull(strstr(why, ":2"));
}
END_TEST

static Suite *mbop_suite(void)
{
	Suite *s = suite_create("mbop");
	TCase *t = tcase_create("mbop");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_table_is_complete);
	tcase_add_test(t, options_and_operands);
	tcase_add_test(t, parentheses_and_foreach);
	tcase_add_loop_test(t, bad_lines_are_explained, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, any_words);
	tcase_add_loop_test(t, points_in_time, 0, sizeof(times) / sizeof(times[0]));
	tcase_add_loop_test(t, folder_specifications, 0, sizeof(specs) / sizeof(specs[0]));
	tcase_add_test(t, maps_of_users);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mbop_suite)
