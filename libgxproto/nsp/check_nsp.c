/* SPDX-License-Identifier: Apache-2.0 */
/* Who sees whom, changes of the directory, and random people compared with what a simple search finds. */
#include <config.h>
#include <strings.h>
#include <unistd.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"
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

START_TEST(rows_are_in_order)
{
	fill();
	struct gx_mh_query_rows_res r = rows("u000@one.org", PEOPLE);
	ck_assert_uint_eq(r.rows.count, PEOPLE);
	for (uint32_t i = 1; i < PEOPLE; ++i)
		ck_assert_int_le(strcmp(gx_nsp__key(a, r.rows.v[i - 1].v[0].v.str), gx_nsp__key(a, r.rows.v[i].v[0].v.str)), 0);
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
	tcase_add_test(t, rows_are_in_order);
	tcase_add_test(t, ambiguous_names);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(nsp_suite)
