/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/propcodec.h>
#include "libgxmapi/proprand.h"

static struct gx_arena *a;
static struct gx_px forms[4];

static void setup(void)
{
	a = gx_arena_new(0);
	forms[0] = GX_PX_ROP(a, 65001);
	forms[1] = GX_PX_EXT(a);
	forms[2] = (struct gx_px){.wide = true, .utf16 = true, .cp = 65001, .a = a};
	forms[3] = GX_PX_AB(a, 65001);
}

static void teardown(void)
{
	gx_arena_free(a);
}

START_TEST(bytes_of_values)
{
	static const union gx_value mv[] = {{.bin = {(const uint8_t *)"x", 1}}};
	const struct {
		int form;
		uint16_t type;
		union gx_value v;
		const char *want;
		size_t len;
	} cases[] = {
		{0, PtypString, {.str = "a\xc3\xa4"}, "a\0\xe4\0\0\0", 6},
		{1, PtypString, {.str = "a\xc3\xa4"}, "a\xc3\xa4\0", 4},
		{0, PtypString8, {.str = "ab"}, "ab\0", 3},
		{0, PtypBinary, {.bin = {(const uint8_t *)"xyz", 3}}, "\3\0xyz", 5},
		{1, PtypBinary, {.bin = {(const uint8_t *)"xyz", 3}}, "\3\0\0\0xyz", 7},
		{1, PtypServerId, {.bin = {(const uint8_t *)"\0z", 2}}, "\2\0\0z", 4},
		{0, PtypBoolean, {.b = true}, "\1", 1},
		{0, PtypMultipleBinary, {.mv = {mv, 1}}, "\1\0\0\0\1\0x", 7},
		{1, PtypMultipleBinary, {.mv = {mv, 1}}, "\1\0\0\0\1\0\0\0x", 9},
		{0, PtypNull, {0}, "", 0},
		{0, PtypObject, {0}, "", 0},
		{1, PtypObject, {0}, "\0\0\0\0", 4},
		{0, PtypRuleAction, {.bin = {(const uint8_t *)"\1\0\1\0\12", 5}}, "\1\0\1\0\12", 5},
		{0, GX_MVI_FLAG | PtypInteger16, {.i16 = 0x102}, "\2\1", 2},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		struct gx_push out = GX_PUSH_INIT;
		gx_px_push_value(&out, &forms[cases[i].form], cases[i].type, &cases[i].v);
		ck_assert_int_eq(out.err, 0);
		ck_assert_msg(out.len == cases[i].len, "case %zu: %zu bytes", i, out.len);
		ck_assert_mem_eq(out.data != NULL ? (char *)out.data : "", cases[i].want, out.len);
		uint8_t *in = gxtest_exact(cases[i].want, cases[i].len);
		struct gx_pull c;
		union gx_value back;
		gx_pull_init(&c, in, cases[i].len);
		gx_px_pull_value(&c, &forms[cases[i].form], cases[i].type, &back);
		ck_assert_int_eq(c.err, 0);
		ck_assert_uint_eq(c.left, 0);
		ck_assert(gx_value_equal(cases[i].type, &back, &cases[i].v));
		free(in);
		gx_push_release(&out);
	}
}
END_TEST

START_TEST(bytes_of_a_restriction)
{
	/* subject contains "Hi" (no case), and not unread: as Outlook sends it */
	struct gx_restr flag = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
	struct gx_restr v[2] = {
		{.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "Hi"}}}},
		{.type = RES_NOT, .u.not_ = {&flag}},
	};
	struct gx_restr r = {.type = RES_AND, .u.list = {v, 2}};
	static const uint8_t rop[] = {
		0, 2, 0, 3, 1, 0, 1, 0, 0x1f, 0, 0x37, 0, 0x1f, 0, 0x37, 0, 'H', 0, 'i', 0, 0, 0,
		2, 6, 0, 0x03, 0, 0x07, 0x0e, 1, 0, 0, 0,
	};
	struct gx_push out = GX_PUSH_INIT;
	gx_px_push_restr(&out, &forms[0], &r);
	ck_assert_uint_eq(out.len, sizeof(rop));
	ck_assert_mem_eq(out.data, rop, sizeof(rop));
	struct gx_pull c;
	gx_pull_init(&c, rop, sizeof(rop));
	const struct gx_restr *back = gx_px_pull_restr(&c, &forms[0]);
	ck_assert_ptr_nonnull(back);
	ck_assert_int_eq(gx_restr_cmp(back, &r), 0);
	gx_push_clear(&out);
	gx_px_push_restr(&out, &forms[1], &r);
	ck_assert_uint_eq(out.len, sizeof(rop) + 2 - 3);
	gx_push_release(&out);
}
END_TEST

static void check_list(const struct gx_proplist *x, const struct gx_proplist *y)
{
	ck_assert_uint_eq(x->count, y->count);
	for (size_t i = 0; i < x->count; ++i) {
		ck_assert_uint_eq(x->v[i].tag, y->v[i].tag);
		ck_assert(gx_value_equal((uint16_t)x->v[i].tag, &x->v[i].v, &y->v[i].v));
	}
}

START_TEST(random_lists)
{
	const struct gx_px *x = &forms[_i];
	struct rnd r = {.s = 21, .a = a};
	for (int i = 0; i < 500; ++i) {
		struct gx_proplist l = rnd_proplist(&r, 12), back;
		struct gx_push out = GX_PUSH_INIT;
		gx_px_push_proplist(&out, x, &l);
		ck_assert_int_eq(out.err, 0);
		uint8_t *in = gxtest_exact(out.data, out.len);
		struct gx_pull c;
		gx_pull_init(&c, in, out.len);
		gx_px_pull_proplist(&c, x, &back);
		ck_assert_int_eq(c.err, 0);
		ck_assert_uint_eq(c.left, 0);
		check_list(&l, &back);
		for (size_t n = 0; n < out.len; n += 1 + n / 50) {
			uint8_t *cut = gxtest_exact(out.data, n);
			gx_pull_init(&c, cut, n);
			gx_px_pull_proplist(&c, x, &back);
			ck_assert_int_ne(c.err, 0);
			ck_assert_uint_eq(back.count, 0);
			free(cut);
		}
		free(in);
		gx_push_release(&out);
	}
}
END_TEST

START_TEST(random_restrictions)
{
	const struct gx_px *x = &forms[_i];
	struct rnd r = {.s = 22, .a = a};
	for (int i = 0; i < 500; ++i) {
		const struct gx_restr *want = rnd_restr(&r, 0), *back;
		struct gx_push out = GX_PUSH_INIT;
		struct gx_pull c;
		gx_px_push_restr(&out, x, want);
		ck_assert_int_eq(out.err, 0);
		uint8_t *in = gxtest_exact(out.data, out.len);
		gx_pull_init(&c, in, out.len);
		back = gx_px_pull_restr(&c, x);
		ck_assert_int_eq(c.err, 0);
		ck_assert_uint_eq(c.left, 0);
		ck_assert_int_eq(gx_restr_cmp(want, back), 0);
		for (size_t n = 0; n < out.len; n += 1 + n / 30) {
			uint8_t *cut = gxtest_exact(out.data, n);
			gx_pull_init(&c, cut, n);
			ck_assert_ptr_null(gx_px_pull_restr(&c, x));
			ck_assert_int_ne(c.err, 0);
			free(cut);
		}
		for (size_t bit = 0; bit < out.len * 8; bit += 1 + bit / 40) {
			struct gx_arena *tmp = gx_arena_new(1 << 20);
			struct gx_px y = *x;
			y.a = tmp;
			in[bit / 8] ^= (uint8_t)(1 << bit % 8);
			gx_pull_init(&c, in, out.len);
			back = gx_px_pull_restr(&c, &y);
			ck_assert((back == NULL) == (c.err != 0));
			in[bit / 8] ^= (uint8_t)(1 << bit % 8);
			gx_arena_free(tmp);
		}
		free(in);
		gx_push_release(&out);
	}
}
END_TEST

START_TEST(sortsets)
{
	struct gx_sort cols[] = {{PidTagImportance, GX_SORT_DESCEND}, {PidTagSubject, GX_SORT_ASCEND}};
	struct gx_sortset s = {cols, 2, 2, 1}, back;
	static const uint8_t want[] = {2, 0, 2, 0, 1, 0, 0x03, 0, 0x17, 0, 1, 0x1f, 0, 0x37, 0, 0};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_pull c;
	gx_px_push_sortset(&out, &forms[0], &s);
	ck_assert_uint_eq(out.len, sizeof(want));
	ck_assert_mem_eq(out.data, want, sizeof(want));
	gx_pull_init(&c, want, sizeof(want));
	gx_px_pull_sortset(&c, &forms[1], &back);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(back.count, 2);
	ck_assert_uint_eq(back.v[1].tag, PidTagSubject);
	for (size_t n = 0; n < sizeof(want); ++n) {
		gx_pull_init(&c, want, n);
		gx_px_pull_sortset(&c, &forms[0], &back);
		ck_assert_int_ne(c.err, 0);
	}
	static const uint8_t bad[] = {1, 0, 2, 0, 0, 0, 0x03, 0, 0x17, 0, 1};
	gx_pull_init(&c, bad, sizeof(bad));
	gx_px_pull_sortset(&c, &forms[0], &back);
	ck_assert_int_eq(c.err, GX_E_FORMAT);
	gx_push_release(&out);
}
END_TEST

START_TEST(hostile_input)
{
	static uint8_t deep[400];
	struct gx_pull c;
	union gx_value v;
	memset(deep, RES_NOT, sizeof(deep));
	gx_pull_init(&c, deep, sizeof(deep));
	ck_assert_ptr_null(gx_px_pull_restr(&c, &forms[0]));
	ck_assert_int_eq(c.err, GX_E_DEPTH);
	static const uint8_t huge[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff};
	gx_pull_init(&c, huge, sizeof(huge));
	ck_assert_ptr_null(gx_px_pull_restr(&c, &forms[1]));
	ck_assert_int_eq(c.err, GX_E_TRUNC);
	static const uint8_t many[] = {0xff, 0xff, 0xff, 0x7f, 1, 2};
	gx_pull_init(&c, many, sizeof(many));
	gx_px_pull_value(&c, &forms[0], PtypMultipleString, &v);
	ck_assert_int_eq(c.err, GX_E_TRUNC);
	static const uint8_t odd[] = {'a', 0, 'b', 0, 0};
	gx_pull_init(&c, odd, sizeof(odd));
	gx_px_pull_value(&c, &forms[0], PtypString, &v);
	ck_assert_int_eq(c.err, GX_E_TRUNC);
	gx_pull_init(&c, odd, sizeof(odd));
	gx_px_pull_value(&c, &forms[1], PtypNull, &v);
	ck_assert_int_eq(c.err, GX_E_FORMAT);
	gx_pull_init(&c, odd, sizeof(odd));
	gx_px_pull_value(&c, &forms[0], 0x801F, &v);
	ck_assert_int_eq(c.err, GX_E_FORMAT);
	static const uint8_t typed[] = {0, 0, 0x37, 0, 0x03, 0, 7, 0, 0, 0};
	struct gx_propval pv;
	gx_pull_init(&c, typed, sizeof(typed));
	gx_px_pull_propval(&c, &forms[0], &pv);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(pv.tag, 0x00370003);
	ck_assert_int_eq(pv.v.i32, 7);
}
END_TEST

START_TEST(what_cannot_be_pushed)
{
	static uint8_t big[70000];
	struct gx_push out = GX_PUSH_INIT;
	gx_px_push_bin(&out, &forms[0], (struct gx_bin){big, sizeof(big)});
	ck_assert_int_eq(out.err, GX_E_RANGE);
	gx_push_clear(&out);
	gx_px_push_bin(&out, &forms[1], (struct gx_bin){big, sizeof(big)});
	ck_assert_int_eq(out.err, 0);
	gx_push_clear(&out);
	union gx_value actions = {.bin = {(const uint8_t *)"\1\0\5\0\1", 5}};
	gx_px_push_value(&out, &forms[0], PtypRuleAction, &actions);
	ck_assert_int_eq(out.err, GX_E_INVAL);
	gx_push_clear(&out);
	gx_px_push_value(&out, &forms[0], PtypUnspecified, &actions);
	ck_assert_int_eq(out.err, GX_E_INVAL);
	gx_push_clear(&out);
	struct gx_restr bad = {.type = RES_NOT};
	gx_px_push_restr(&out, &forms[0], &bad);
	ck_assert_int_eq(out.err, GX_E_INVAL);
	gx_push_release(&out);
}
END_TEST

START_TEST(code_page_of_8_bit_strings)
{
	struct gx_px x = GX_PX_ROP(a, 1252);
	struct gx_push out = GX_PUSH_INIT;
	gx_px_push_value(&out, &x, PtypString8, &(union gx_value){.str = "\xc3\xa4"});
	ck_assert_uint_eq(out.len, 2);
	ck_assert_mem_eq(out.data, "\xe4", 2);
	struct gx_pull c;
	union gx_value v;
	gx_pull_init(&c, out.data, out.len);
	gx_px_pull_value(&c, &x, PtypString8, &v);
	ck_assert_str_eq(v.str, "\xc3\xa4");
	gx_push_release(&out);
}
END_TEST

START_TEST(out_of_memory)
{
	struct rnd r = {.s = 30, .a = a};
	struct gx_proplist l = rnd_proplist(&r, 40), back;
	struct gx_push out = GX_PUSH_INIT;
	while (l.count < 20)
		l = rnd_proplist(&r, 40);
	gx_px_push_proplist(&out, &forms[0], &l);
	ck_assert_int_eq(out.err, 0);
	struct gx_pull c = {.err = GX_E_NOMEM};
	for (size_t limit = 1; c.err != 0 && limit < 200000; limit += 61) {
		struct gx_arena *small = gx_arena_new(limit);
		struct gx_px y = GX_PX_ROP(small, 65001);
		gx_pull_init(&c, out.data, out.len);
		gx_px_pull_proplist(&c, &y, &back);
		ck_assert(c.err == 0 || (c.err == GX_E_NOMEM && back.count == 0));
		gx_arena_free(small);
	}
	ck_assert_int_eq(c.err, 0);
	gx_push_release(&out);
}
END_TEST

static Suite *propcodec_suite(void)
{
	Suite *s = suite_create("propcodec");
	TCase *t = tcase_create("propcodec");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, bytes_of_values);
	tcase_add_test(t, bytes_of_a_restriction);
	tcase_add_loop_test(t, random_lists, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_loop_test(t, random_restrictions, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(t, sortsets);
	tcase_add_test(t, hostile_input);
	tcase_add_test(t, what_cannot_be_pushed);
	tcase_add_test(t, code_page_of_8_bit_strings);
	tcase_add_test(t, out_of_memory);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(propcodec_suite)
