/* SPDX-License-Identifier: Apache-2.0 */
/* Every described structure through every engine, and the features of the language one by one. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/entryid.h>
#include <gx/exmdb-types.h>
#include <gx/ftx-types.h>
#include <gx/auxbuf.h>
#include <gx/mapihttp.h>
#include <gx/rop-types.h>
#include <gx/storeop-types.h>
#include "libgxmapi/desctest-types.h"
#include "libgxmapi/proprand.h"

static struct gx_arena *a;
static struct gx_dctx x;

static void setup(void)
{
	a = gx_arena_new(0);
	x = GX_DCTX(a);
}

static void teardown(void)
{
	gx_arena_free(a);
}

static const struct module {
	const struct gx_desc *(*desc)(uint32_t which);
	int rounds;
	enum { OUTSIDE, FLAT, ROP, AB } form;
} modules[] = {{gx_entryid_desc, 60, OUTSIDE}, {gx_desctest_desc, 60, OUTSIDE}, {gx_exmdb_desc, 10, FLAT},
	{gx_storeop_desc, 20, FLAT}, {gx_aux_desc, 20, OUTSIDE}, {gx_rop_desc, 3, ROP}, {gx_mapihttp_desc, 4, AB},
	{gx_ftx_desc, 20, OUTSIDE}};

static uint32_t next(void *rnd)
{
	return rnd_u32(rnd);
}

/* Whatever the bytes are: a value that can be written again, or an error. */
static void swallow(const struct gx_desc *d, const uint8_t *data, size_t len)
{
	uint8_t *in = gxtest_exact(data, len);
	struct gx_arena *tmp = gx_arena_new(1 << 20);
	struct gx_dctx y = x;
	struct gx_bin out;
	y.px.a = tmp;
	void *obj = gx_arena_alloc(tmp, d->size);
	if (gx_desc_decode(&y, d, in, len, obj) == 0) {
		int err = gx_desc_encode(&y, d, obj, &out);
		ck_assert_msg(err == 0, "%s: decoded but not encoded: %d", d->name, err);
	}
	gx_arena_free(tmp);
	free(in);
}

static void round_trip(const struct gx_desc *d, struct rnd *r, struct gx_strbuf *b)
{
	void *obj = gx_arena_alloc(a, d->size), *back = gx_arena_alloc(a, d->size);
	struct gx_push c = GX_PUSH_INIT;
	struct gx_bin again;
	size_t size;
	gx_desc_random(next, r, &x, d, obj);
	gx_desc_push(&c, &x, d, obj);
	ck_assert_msg(c.err == 0, "%s: %s", d->name, gx_strerror(c.err));
	ck_assert_int_eq(gx_desc_size(&x, d, obj, &size), 0);
	ck_assert_uint_eq(size, c.len);
	ck_assert_uint_ge(size, d->least);
	uint8_t *in = gxtest_exact(c.data, c.len);
	int err = gx_desc_decode(&x, d, in, c.len, back);
	gx_strbuf_clear(b);
	gx_desc_print(b, &x, d, obj);
	ck_assert_msg(err == 0, "%s: %s", gx_strbuf_cstr(b), gx_strerror(err));
	ck_assert_msg(gx_desc_equal(&x, d, obj, back), "%s", gx_strbuf_cstr(b));
	ck_assert_int_eq(gx_desc_encode(&x, d, back, &again), 0);
	ck_assert_uint_eq(again.len, c.len);
	ck_assert(c.len == 0 || memcmp(again.data, c.data, c.len) == 0);
	for (size_t n = 0; n < c.len; ++n) {
		struct gx_pull p;
		uint8_t *cut = gxtest_exact(c.data, n);
		gx_pull_init(&p, cut, n);
		gx_desc_pull(&p, &x, d, back);
		if (n < d->least)
			ck_assert_int_ne(p.err, 0);
		swallow(d, c.data, n);
		free(cut);
	}
	for (size_t bit = 0; bit < c.len * 8; bit += 1 + c.len / 64) {
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		swallow(d, in, c.len);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(in);
	gx_push_release(&c);
}

START_TEST(all_structures)
{
	struct rnd r = {.s = 5, .a = a};
	struct gx_strbuf b = GX_STRBUF_INIT;
	const struct gx_desc *d;
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagMessageFlags, GX_PROP_TAG(0x1234, PtypUnspecified)};
	static const struct gx_columns columns = {tags, 3};
	const struct gx_px forms[] = {[OUTSIDE] = x.px, [FLAT] = GX_PX_EXT(a), [ROP] = GX_PX_ROP(a, 1252), [AB] = GX_PX_AB(a, 1252)};
	x.px = forms[modules[_i].form];
	x.custom = &columns;
	for (uint32_t which = 0; (d = modules[_i].desc(which)) != NULL; ++which)
		for (int i = 0; i < modules[_i].rounds; ++i) {
			x.var[0] = i % 2;
			round_trip(d, &r, &b);
		}
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(bytes_of_derived_numbers)
{
	struct gx_named n = {.name = "ab"};
	struct gx_bin out;
	const struct gx_desc *d = gx_desctest_desc(GX_DESCTEST_NAMED);
	ck_assert_int_eq(gx_desc_encode(&x, d, &n, &out), 0);
	ck_assert_uint_eq(out.len, 13);
	ck_assert_mem_eq(out.data, "\x0d\0\0\0" "\x0a\0" "\7\0\0\0" "ab", 13);
	x.var[GX_CTX_DESCTEST_UNICODE] = 1;
	ck_assert_int_eq(gx_desc_encode(&x, d, &n, &out), 0);
	ck_assert_uint_eq(out.len, 16);
	ck_assert_mem_eq(out.data, "\x10\0\0\0" "\x0a\0" "\7\0\0\0" "a\0b\0\0", 16);
	ck_assert_int_eq(DESCTEST_ANSWER, 42);
}
END_TEST

static void set_base(struct gx_everything *e)
{
	static const struct gx_restr null = {.type = RES_NULL};
	*e = (struct gx_everything){.pre = {(const uint8_t *)"x", 1}, .filter = &null,
		.bounded = 3, .prop = {.tag = PidTagSubject, .v = {.str = ""}}, .has_rest = true};
}

static int try(const struct gx_everything *e, struct gx_bin *out)
{
	return gx_desc_encode(&x, gx_desctest_desc(GX_DESCTEST_EVERYTHING), e, out);
}

START_TEST(bounds_and_ranges)
{
	static uint8_t long_data[70000];
	static char long_text[70000];
	uint32_t nums[4] = {0};
	struct gx_everything e;
	struct gx_bin out;
	memset(long_text, 'x', sizeof(long_text) - 1);
	set_base(&e);
	ck_assert_int_eq(try(&e, &out), 0);
	e.b = UINT64_C(1) << 48;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	set_base(&e);
	e.pre.len = 0;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	e.pre = (struct gx_bin){long_data, 5};
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	set_base(&e);
	e.nums = nums;
	e.nums_count = 4;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	e.nums_count = 3;
	ck_assert_int_eq(try(&e, &out), 0);
	set_base(&e);
	e.blob = (struct gx_bin){long_data, 256};
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	e.blob.len = 255;
	ck_assert_int_eq(try(&e, &out), 0);
	set_base(&e);
	e.ansi = long_text;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	set_base(&e);
	e.bounded = 2;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	e.bounded = 1001;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	e.bounded = 1000;
	ck_assert_int_eq(try(&e, &out), 0);
	set_base(&e);
	e.own.hi = 16;
	ck_assert_int_eq(try(&e, &out), GX_E_RANGE);
	set_base(&e);
	e.filter = NULL;
	ck_assert_int_eq(try(&e, &out), GX_E_INVAL);
}
END_TEST

START_TEST(conditions)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	static const struct {
		uint8_t kind, inner;
		const char *has, *has_not;
	} cases[] = {
		{1, 0x80, "deep=", "shallow="}, {1, 0x7f, "shallow=", "deep="}, {1, 0, "one=", "other="},
		{2, 0, "several=", "one="}, {4, 0, "several=", "inner="}, {5, 0, "other=", "several="},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		struct gx_everything e, back;
		struct gx_bin out;
		set_base(&e);
		e.kind = cases[i].kind;
		e.inner = cases[i].inner;
		e.deep = e.shallow = e.other = 3;
		ck_assert_int_eq(try(&e, &out), 0);
		ck_assert_int_eq(gx_desc_decode(&x, gx_desctest_desc(GX_DESCTEST_EVERYTHING), out.data, out.len, &back), 0);
		gx_strbuf_clear(&b);
		gx_desc_print(&b, &x, gx_desctest_desc(GX_DESCTEST_EVERYTHING), &back);
		ck_assert_msg(strstr(gx_strbuf_cstr(&b), cases[i].has) != NULL, "case %zu", i);
		ck_assert_msg(strstr(gx_strbuf_cstr(&b), cases[i].has_not) == NULL, "case %zu", i);
	}
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(equality_sees_each_member)
{
	struct gx_point p = {1, 2, 3}, q = p;
	const struct gx_desc *d = gx_desctest_desc(GX_DESCTEST_POINT);
	ck_assert(gx_desc_equal(&x, d, &p, &q));
	q.x = -1;
	ck_assert(!gx_desc_equal(&x, d, &p, &q));
	q = p;
	q.z = 4;
	ck_assert(!gx_desc_equal(&x, d, &p, &q));
	struct gx_everything e, f;
	set_base(&e);
	set_base(&f);
	d = gx_desctest_desc(GX_DESCTEST_EVERYTHING);
	ck_assert(gx_desc_equal(&x, d, &e, &f));
	f.own.lo = 1;
	ck_assert(!gx_desc_equal(&x, d, &e, &f));
	set_base(&f);
	f.points = &p;
	f.points_count = 1;
	ck_assert(!gx_desc_equal(&x, d, &e, &f));
	e.points = &q;
	e.points_count = 1;
	ck_assert(!gx_desc_equal(&x, d, &e, &f));
	q = p;
	ck_assert(gx_desc_equal(&x, d, &e, &f));
}
END_TEST

START_TEST(booleans_are_strict_where_said)
{
	const struct gx_desc *d = gx_exmdb_call_desc(GX_X_CONNECT)->req;
	struct gx_x_connect_req req;
	x.px = GX_PX_EXT(a);
	ck_assert_int_eq(gx_desc_decode(&x, d, "r\0\1", 3, &req), 0);
	ck_assert(req.is_private);
	ck_assert_str_eq(req.remote_id, "r");
	ck_assert_int_eq(gx_desc_decode(&x, d, "r\0\2", 3, &req), GX_E_FORMAT);
	ck_assert_int_eq(gx_desc_decode(&x, d, "r\0\xff", 3, &req), GX_E_FORMAT);
}
END_TEST

START_TEST(calls_of_a_description)
{
	const struct gx_call_desc *d = gx_desctest_call_desc(GX_T_ASK);
	ck_assert_str_eq(d->name, "ask");
	ck_assert_str_eq(d->meaning, "What is asked and what is answered");
	ck_assert_uint_eq(d->number, 7);
	ck_assert_ptr_nonnull(d->ans);
	ck_assert(!d->retired);
	ck_assert_ptr_null(gx_desctest_call_desc(GX_T_TELL)->ans);
	ck_assert(gx_desctest_call_desc(9)->retired);
	ck_assert_ptr_null(gx_desctest_call_desc(9)->req);
	ck_assert(gx_desctest_call_desc(GX_T_SING)->extension);
	ck_assert_ptr_null(gx_desctest_call_desc(GX_T_SING)->req);
	ck_assert_ptr_null(gx_desctest_call_desc(0));
	ck_assert_ptr_null(gx_desctest_call_desc(255));
	unsigned active = 0, retired = 0;
	for (unsigned n = 0; n < 256; ++n) {
		d = gx_exmdb_call_desc((uint8_t)n);
		active += d != NULL && !d->retired && !d->extension;
		retired += d != NULL && d->retired;
	}
	ck_assert_uint_eq(active, 137);
	ck_assert_uint_eq(retired, 16);
}
END_TEST

START_TEST(optional_values)
{
	uint32_t extra = 0x01020304;
	struct gx_t_ask_req req = {.question = "q", .kind = 1, .extra = &extra}, back;
	const struct gx_desc *d = gx_desctest_call_desc(GX_T_ASK)->req;
	struct gx_bin out;
	x.px = GX_PX_EXT(a);
	ck_assert_int_eq(gx_desc_encode(&x, d, &req, &out), 0);
	ck_assert_uint_eq(out.len, 8);
	ck_assert_mem_eq(out.data, "q\0\1\1\4\3\2\1", 8);
	ck_assert_int_eq(gx_desc_decode(&x, d, out.data, out.len, &back), 0);
	ck_assert(gx_desc_equal(&x, d, &req, &back));
	req.extra = NULL;
	ck_assert(!gx_desc_equal(&x, d, &req, &back));
	ck_assert_int_eq(gx_desc_encode(&x, d, &req, &out), 0);
	ck_assert_uint_eq(out.len, 4);
	/* whatever is not zero says that the value is there */
	ck_assert_int_eq(gx_desc_decode(&x, d, "q\0\1\x80\1\0\0\0", 8, &back), 0);
	ck_assert_uint_eq(*back.extra, 1);
	ck_assert_int_eq(gx_desc_decode(&x, d, "q\0\1\1\1\0\0", 7, &back), GX_E_TRUNC);
}
END_TEST

START_TEST(hostile_counts)
{
	struct gx_everything e;
	struct gx_bin out;
	const struct gx_desc *d = gx_desctest_desc(GX_DESCTEST_EVERYTHING);
	set_base(&e);
	ck_assert_int_eq(try(&e, &out), 0);
	uint8_t *bad = gxtest_exact(out.data, out.len);
	size_t n_at = 4 + 1 + 6 + 1 + 2 + 4 + 8 + 16 + 5; /* of the count of points */
	bad[n_at] = bad[n_at + 1] = 0xff;
	ck_assert_int_eq(gx_desc_decode(&x, d, bad, out.len, &e), GX_E_TRUNC);
	bad[n_at] = bad[n_at + 1] = 0;
	bad[0] ^= 1;
	ck_assert_int_eq(gx_desc_decode(&x, d, bad, out.len, &e), GX_E_FORMAT);
	free(bad);
	/* bytes left inside a size, and behind the whole */
	static const uint8_t box[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	ck_assert_int_eq(gx_desc_decode(&x, gx_desctest_desc(GX_DESCTEST_POINT), box, 9, &e), GX_E_FORMAT);
	struct gx_point p;
	ck_assert_int_eq(gx_desc_decode(&x, gx_desctest_desc(GX_DESCTEST_POINT), box, 8, &p), 0);
	ck_assert_int_eq(p.x, 0x0201);
	ck_assert_uint_eq(p.y, 0x0304);
	ck_assert_uint_eq(p.z, 0x05060708);
}
END_TEST

START_TEST(out_of_memory)
{
	struct rnd r = {.s = 8, .a = a};
	const struct gx_desc *d = gx_desctest_desc(GX_DESCTEST_EVERYTHING);
	struct gx_everything e;
	struct gx_bin out;
	gx_desc_random(next, &r, &x, d, &e);
	ck_assert_int_eq(try(&e, &out), 0);
	int err = GX_E_NOMEM;
	size_t failed = 0;
	for (size_t limit = 1; err != 0 && limit < 100000; limit += 7) {
		struct gx_arena *small = gx_arena_new(limit);
		struct gx_dctx y = GX_DCTX(small);
		err = gx_desc_decode(&y, d, out.data, out.len, &e);
		ck_assert(err == 0 || err == GX_E_NOMEM);
		failed += err != 0;
		gx_arena_free(small);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(failed, 10);
}
END_TEST

static Suite *desc_suite(void)
{
	Suite *s = suite_create("desc");
	TCase *t = tcase_create("desc");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, all_structures, 0, sizeof(modules) / sizeof(modules[0]));
	tcase_add_test(t, bytes_of_derived_numbers);
	tcase_add_test(t, bounds_and_ranges);
	tcase_add_test(t, conditions);
	tcase_add_test(t, equality_sees_each_member);
	tcase_add_test(t, booleans_are_strict_where_said);
	tcase_add_test(t, calls_of_a_description);
	tcase_add_test(t, optional_values);
	tcase_add_test(t, hostile_counts);
	tcase_add_test(t, out_of_memory);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(desc_suite)
