/* SPDX-License-Identifier: Apache-2.0 */
/* Who sees whom, changes of the directory, and random people compared with what a simple search finds. */
#include <config.h>
#include <strings.h>
#include <unistd.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"
#include "libgxstore/storetest.h"

enum { PEOPLE = 120 };

static struct gx_arena *a;
static char *tmp;
static struct gx_dir *people;
static struct gx_nsp *nsp;
static struct gx_stat st;
static const char *names[PEOPLE];
static uint32_t seed;

static uint32_t some(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

static void add(const char *address, const char *display)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t id;
	n.username = address;
	n.display_name = display;
	ck_assert_int_eq(gx_dir_add_user(people, &n, &id), 0);
}

static void setup(void)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_nsp_opts o = GX_NSP_OPTS_INIT;
	const char *why = "";
	uint32_t id;
	a = gx_arena_new(0);
	tmp = strdup(st_dir());
	d.path = gx_arena_printf(a, "%s/people", tmp);
	ck_assert_msg(gx_dir_create(d.path, a, &why) == 0, "%s", why);
	ck_assert_msg(gx_dir_open(&d, &people, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_add_domain(people, "one.org", "", 0, &id), 0);
	ck_assert_int_eq(gx_dir_add_domain(people, "two.org", "", 0, &id), 0);
	o.dir = people;
	ck_assert_int_eq(gx_nsp_new(&o, &nsp), 0);
	st = (struct gx_stat){.code_page = 1252};
	seed = 1;
}

static void teardown(void)
{
	gx_nsp_free(nsp);
	gx_dir_close(people);
	st_rmtree(tmp);
	free(tmp);
	gx_arena_free(a);
}

static struct gx_mh_query_rows_res rows(const char *user, uint32_t n)
{
	static const gx_proptag_t cols[] = {PidTagDisplayName, PidTagAddressBookContainerId};
	const struct gx_mh_query_rows_req q = {.state = &st, .row_count = n, .has_columns = true, .columns = cols, .columns_count = 2};
	struct gx_mh_query_rows_res r;
	ST_OK(gx_nsp_do(nsp, user, GX_MH_QUERY_ROWS, &q, a, &r));
	return r;
}

START_TEST(each_domain_for_itself)
{
	struct gx_mh_query_rows_res r;
	add("ann@one.org", "Ann");
	add("bob@two.org", "Bob");
	r = rows("ann@one.org", 9);
	ck_assert_uint_eq(r.rows.count, 1);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Ann");
	r = rows("bob@two.org", 9);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Bob");
	const struct gx_mh_query_rows_req q = {.state = &st, .row_count = 1};
	struct gx_mh_query_rows_res none;
	ck_assert_uint_eq(gx_nsp_do(nsp, "zoe@one.org", GX_MH_QUERY_ROWS, &q, a, &none).v, ecLoginFailure);
	ck_assert_uint_eq(gx_nsp_do(nsp, "ann@one.org", GX_MH_EXECUTE, &q, a, &none).v, ecInvalidParam);
}
END_TEST

START_TEST(changes_show_after_a_reload)
{
	add("ann@one.org", "Ann");
	struct gx_mh_query_rows_res r = rows("ann@one.org", 9);
	int32_t mid = r.rows.v[0].v[1].v.i32;
	add("aaa@one.org", "Aaa");
	ck_assert_uint_eq(rows("ann@one.org", 9).rows.count, 1); /* the copy serves for five minutes */
	gx_nsp_reload(nsp);
	r = rows("ann@one.org", 9);
	ck_assert_uint_eq(r.rows.count, 2);
	ck_assert_int_eq(r.rows.v[1].v[1].v.i32, mid); /* ids stay */
	ck_assert_int_eq(gx_dir_del_user(people, "aaa@one.org"), 0);
	gx_nsp_reload(nsp);
	ck_assert_uint_eq(rows("ann@one.org", 9).rows.count, 1);
}
END_TEST

START_TEST(strange_states)
{
	add("ann@one.org", "Ann");
	for (unsigned i = 0; i < 2000; ++i) {
		static const uint32_t odd[] = {0, 1, 2, 3, 0x11, UINT32_MAX, 0xf0000000U, 0xf1000001U};
		const struct gx_stat s = {odd[some(8)], odd[some(8)], odd[some(8)], (int32_t)odd[some(8)], odd[some(8)], odd[some(8)], 1252, 0, 0};
		const struct gx_mh_update_stat_req u = {.state = &s, .delta_requested = true};
		struct gx_mh_update_stat_res r;
		if (gx_ec_failed(gx_nsp_do(nsp, "ann@one.org", GX_MH_UPDATE_STAT, &u, a, &r)))
			continue;
		ck_assert_uint_le(r.state->num_pos, r.state->total_recs);
		ck_assert_int_eq(r.state->delta, 0);
	}
}
END_TEST

/* What [MS-OXNSPI] 3.1.4.1.10 has no meaning for. */
START_TEST(strange_searches)
{
	const struct gx_restr all = {.type = RES_EXIST, .u.exist = {PidTagDisplayName}};
	struct gx_mh_get_matches_req q = {.state = &st, .filter = &all, .row_count = 9};
	struct gx_mh_get_matches_res r;
	add("ann@one.org", "Ann");
	ST_OK(gx_nsp_do(nsp, "ann@one.org", GX_MH_GET_MATCHES, &q, a, &r));
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	st.sort_type = 1000;
	ck_assert_uint_eq(gx_nsp_do(nsp, "ann@one.org", GX_MH_GET_MATCHES, &q, a, &r).v, ecGeneralFailure);
	q.filter = NULL;
	st.sort_type = 7;
	ck_assert_uint_eq(gx_nsp_do(nsp, "ann@one.org", GX_MH_GET_MATCHES, &q, a, &r).v, ecInvalidParam);
	st.sort_type = 0;
	q.reserved = 1;
	ck_assert_uint_eq(gx_nsp_do(nsp, "ann@one.org", GX_MH_GET_MATCHES, &q, a, &r).v, ecInvalidParam);
	ck_assert(r.state == NULL && !r.has_minimal_ids);
}
END_TEST

/* ---- Random people ---- */

static void fill(void)
{
	static const char *const first[] = {"Ann", "Anna", "\xc3\x84nne", "Bob", "Bo", "\xc3\x98yvind", "O'Neill", "Jean-Luc"};
	static const char *const last[] = {"Smith", "smithson", ("\xc3\x85" "berg"), "Doe", "van Dam", "M\xc3\xbcller", "Muller"};
	for (uint32_t i = 0; i < PEOPLE; ++i) {
		names[i] = gx_arena_printf(a, "%s %s", first[some(8)], last[some(7)]);
		add(gx_arena_printf(a, "u%03u@one.org", (unsigned)i), names[i]);
	}
}

static void expect_sorted(const struct gx_mh_query_rows_res *r, const char *locale)
{
	struct nsp_sorter *s;
	ck_assert_int_eq(gx_nsp__sorter_new(locale, &s), 0);
	for (uint32_t i = 1; i < r->rows.count; ++i)
		ck_assert_int_le(gx_nsp__collate(s, r->rows.v[i - 1].v[0].v.str, r->rows.v[i].v[0].v.str), 0);
	gx_nsp__sorter_free(s);
}

START_TEST(rows_are_in_order)
{
	fill();
	struct gx_mh_query_rows_res r = rows("u000@one.org", PEOPLE);
	ck_assert_uint_eq(r.rows.count, PEOPLE);
	expect_sorted(&r, "root");
	/* in pieces, from anywhere, the same */
	for (unsigned round = 0; round < 100; ++round) {
		uint32_t from = some(PEOPLE), n = 1 + some(20);
		st.current_rec = (uint32_t)r.rows.v[from].v[1].v.i32;
		st.delta = (int32_t)some(40) - 20;
		int64_t want = (int64_t)from + st.delta;
		want = want < 0 ? 0 : want > PEOPLE ? PEOPLE : want;
		struct gx_mh_query_rows_res p = rows("u000@one.org", n);
		ck_assert_uint_eq(p.rows.count, PEOPLE - want < n ? PEOPLE - want : n);
		for (uint32_t i = 0; i < p.rows.count; ++i)
			ck_assert_int_eq(p.rows.v[i].v[1].v.i32, r.rows.v[want + i].v[1].v.i32);
		ck_assert_uint_eq(p.state->num_pos, want + p.rows.count);
	}
}
END_TEST

static uint32_t seek_row(const char *name)
{
	const struct gx_propval target = {st.sort_type == 3 ? PidTagAddressBookPhoneticDisplayName : PidTagDisplayName, {.str = name}};
	const struct gx_mh_seek_entries_req q = {.state = &st, .target = &target};
	struct gx_mh_seek_entries_res r;
	ST_OK(gx_nsp_do(nsp, "a@one.org", GX_MH_SEEK_ENTRIES, &q, a, &r));
	return r.state->num_pos;
}

static void expect_order(uint32_t lcid, uint32_t type, const char *want)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	st.sort_locale = lcid;
	st.sort_type = type;
	struct gx_mh_query_rows_res r = rows("a@one.org", 20);
	for (uint32_t i = 0; i < r.rows.count; ++i)
		gx_strbuf_printf(&b, "%s%s", i == 0 ? "" : " ", r.rows.v[i].v[0].v.str);
	ck_assert_str_eq(gx_strbuf_cstr(&b), want);
	gx_strbuf_release(&b);
}

START_TEST(languages_have_orders_of_their_own)
{
	static const char *const who[] = {"\xc3\x96" "berg", "Zeta", "\xc3\x85" "berg", "oscar", "Ahl", "Chud", "Cyr"};
	for (unsigned i = 0; i < 7; ++i)
		add(gx_arena_printf(a, "%c@one.org", 'a' + (int)i), who[i]);
	add("x@two.org", "Hidden");
	ck_assert_int_eq(gx_dir_put_prop(people, "b@one.org", PidTagAddressBookPhoneticDisplayName, &(union gx_value){.str = "Aaa"}), 0);
	gx_nsp_reload(nsp);
	expect_order(0x409, 0, "\xc3\x85" "berg Ahl Chud Cyr \xc3\x96" "berg oscar Zeta");
	expect_order(0x41d, 0, "Ahl Chud Cyr oscar Zeta \xc3\x85" "berg \xc3\x96" "berg"); /* Swedish */
	ck_assert_uint_eq(seek_row("\xc3\xa5"), 5);
	ck_assert_uint_eq(seek_row("D"), 3);
	expect_order(0x405, 0, "\xc3\x85" "berg Ahl Cyr Chud \xc3\x96" "berg oscar Zeta"); /* Czech: ch is a letter */
	ck_assert_uint_eq(seek_row("ch"), 3);
	expect_order(0x41d, 3, "Zeta Ahl Chud Cyr oscar \xc3\x85" "berg \xc3\x96" "berg");
	ck_assert_uint_eq(seek_row("aab"), 1);
	expect_order(0x409, 3, "Zeta \xc3\x85" "berg Ahl Chud Cyr \xc3\x96" "berg oscar");
	/* two of one language: Spanish of today, and with ch as a letter */
	expect_order(0xc0a, 0, "\xc3\x85" "berg Ahl Chud Cyr \xc3\x96" "berg oscar Zeta");
	expect_order(0x40a, 0, "\xc3\x85" "berg Ahl Cyr Chud \xc3\x96" "berg oscar Zeta");
	expect_order(0xbeef, 0, "\xc3\x85" "berg Ahl Chud Cyr \xc3\x96" "berg oscar Zeta");
	/* what is asked of places holds in them, too */
	expect_order(0x41d, 0, "Ahl Chud Cyr oscar Zeta \xc3\x85" "berg \xc3\x96" "berg");
	struct gx_mh_query_rows_res r = rows("a@one.org", 20);
	uint32_t v[7];
	for (uint32_t i = 0; i < 7; ++i)
		v[6 - i] = (uint32_t)r.rows.v[i].v[1].v.i32;
	const struct gx_mh_compare_m_ids_req c = {.state = &st, .minimal_id1 = v[0], .minimal_id2 = v[1]};
	struct gx_mh_compare_m_ids_res cr;
	ST_OK(gx_nsp_do(nsp, "a@one.org", GX_MH_COMPARE_M_IDS, &c, a, &cr));
	ck_assert_int_eq(cr.result, 1);
	const struct gx_mh_resort_restriction_req s = {.state = &st, .has_minimal_ids = true, .minimal_ids = v, .minimal_ids_count = 7};
	struct gx_mh_resort_restriction_res sr;
	ST_OK(gx_nsp_do(nsp, "a@one.org", GX_MH_RESORT_RESTRICTION, &s, a, &sr));
	const struct gx_restr all = {.type = RES_EXIST, .u.exist = {PidTagDisplayName}};
	const struct gx_mh_get_matches_req m = {.state = &st, .filter = &all, .row_count = 20};
	struct gx_mh_get_matches_res mr;
	ST_OK(gx_nsp_do(nsp, "a@one.org", GX_MH_GET_MATCHES, &m, a, &mr));
	ck_assert_uint_eq(mr.minimal_ids_count, 7);
	for (uint32_t i = 0; i < 7; ++i) {
		ck_assert_uint_eq(sr.minimal_ids[i], v[6 - i]);
		ck_assert_uint_eq(mr.minimal_ids[i], v[6 - i]);
	}
}
END_TEST

START_TEST(any_language)
{
	static const struct {
		uint32_t lcid;
		const char *locale;
	} t[] = {{0x407, "de"}, {0x41d, "sv"}, {0x414, "nb"}, {0x405, "cs"}, {0x425, "et"}, {0x42a, "vi"}, {0x411, "ja"}, {0x804, "zh"}, {0x40a, "es_ES_TRADITIONAL"}};
	fill();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		st.sort_locale = t[i].lcid;
		struct gx_mh_query_rows_res r = rows("u000@one.org", PEOPLE);
		ck_assert_uint_eq(r.rows.count, PEOPLE);
		expect_sorted(&r, t[i].locale);
	}
	for (uint32_t lcid = 1; lcid < 0x500; ++lcid) { /* more than there is room for */
		st.sort_locale = lcid;
		ck_assert_uint_eq(rows("u000@one.org", 5).rows.count, 5);
	}
}
END_TEST

/* Has a word of the name, or what follows a joint in one, this beginning? */
static bool begins(const char *key, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = key; *p != '\0'; ++p)
		if ((p == key || strchr(" -'", p[-1]) != NULL) && strncmp(p, word, n) == 0)
			return true;
	return false;
}

START_TEST(ambiguous_names)
{
	static const char *const queries[] = {"a", "ann", "anne", "b smi", "SMITH bo", "neill", "o'n", "luc m", "mull", "dam van", "oyv", "x", "aberg a", "smiths"};
	fill();
	for (size_t k = 0; k < sizeof(queries) / sizeof(queries[0]); ++k) {
		const struct gx_restr f = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAnr, {PidTagAnr, {.str = queries[k]}}}};
		const struct gx_mh_get_matches_req q = {.state = &st, .filter = &f, .row_count = PEOPLE};
		struct gx_mh_get_matches_res r;
		uint32_t want = 0;
		ST_OK(gx_nsp_do(nsp, "u000@one.org", GX_MH_GET_MATCHES, &q, a, &r));
		for (uint32_t i = 0; i < PEOPLE; ++i) {
			char *words = gx_arena_strdup(a, gx_nsp__key(a, queries[k])), *save = NULL;
			bool all = true;
			for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
				all = all && begins(gx_nsp__key(a, names[i]), w);
			want += all;
		}
		/* addresses are words too: u000@one.org has "one" and "org" */
		ck_assert_msg(r.minimal_ids_count == want, "%s: %u, not %u", queries[k], (unsigned)r.minimal_ids_count, (unsigned)want);
	}
}
END_TEST

static Suite *nsp_suite(void)
{
	Suite *s = suite_create("nsp");
	TCase *t = tcase_create("nsp");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_domain_for_itself);
	tcase_add_test(t, changes_show_after_a_reload);
	tcase_add_test(t, strange_states);
	tcase_add_test(t, strange_searches);
	tcase_add_test(t, rows_are_in_order);
	tcase_add_test(t, languages_have_orders_of_their_own);
	tcase_add_test(t, any_language);
	tcase_add_test(t, ambiguous_names);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(nsp_suite)
