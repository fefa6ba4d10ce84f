/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/prop.h>
#include "libgxmapi/proprand.h"

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

static void check_same(const struct gx_proplist *x, const struct gx_proplist *y)
{
	ck_assert_uint_eq(x->count, y->count);
	for (size_t i = 0; i < x->count; ++i) {
		const struct gx_propval *p = gx_proplist_get(y, x->v[i].tag);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->tag, x->v[i].tag);
		ck_assert(gx_value_equal((uint16_t)p->tag, &p->v, &x->v[i].v));
	}
}

START_TEST(bytes_of_a_row)
{
	struct gx_proplist l = {0};
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "Hi"), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&l, a, PidTagReadReceiptRequested, true), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagImportance, 2), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagBody | GX_PROW_EXTERN, "\x05", 1), 0);
	ck_assert_int_eq(gx_prow_pack(&out, &l), 0);
	static const uint8_t want[] = {
		1,
		0x03, 0x00, 0x17, 0x00, 2, 0, 0, 0,
		0x0b, 0x00, 0x29, 0x00, 1,
		0x1f, 0x00, 0x37, 0x00, 2, 'H', 'i', 0,
		0x1f, 0x80, 0x00, 0x10, 1, 5,
	};
	ck_assert_uint_eq(out.len, sizeof(want));
	ck_assert_mem_eq(out.data, want, sizeof(want));
	gx_push_release(&out);
}
END_TEST

/* A row taken to pieces and put together again. */
static void check_pieces(const uint8_t *row, size_t len, const struct gx_proplist *l)
{
	struct gx_prow_iter it;
	struct gx_bin entry;
	struct gx_push again = GX_PUSH_INIT;
	int r;
	ck_assert_int_eq(gx_prow_begin(&it, row, len), 0);
	gx_push_u8(&again, GX_PROW_VERSION);
	while ((r = gx_prow_raw(&it, &entry)) > 0) {
		const struct gx_propval *want = gx_proplist_get(l, it.tag);
		struct gx_propval pv;
		uint8_t *exact = gxtest_exact(entry.data, entry.len);
		ck_assert_ptr_nonnull(want);
		ck_assert_int_eq(gx_prow_entry((struct gx_bin){exact, entry.len}, a, &pv), 0);
		ck_assert_uint_eq(pv.tag, want->tag);
		ck_assert(gx_value_equal((uint16_t)pv.tag, &pv.v, &want->v));
		ck_assert_int_ne(gx_prow_entry((struct gx_bin){exact, entry.len - 1}, a, &pv), 0);
		gx_push_bytes(&again, entry.data, entry.len);
		free(exact);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(again.len, len);
	ck_assert_mem_eq(again.data, row, len);
	gx_push_release(&again);
}

START_TEST(random_rows_come_back)
{
	struct rnd r = {.s = 7, .a = a};
	for (int i = 0; i < 400; ++i) {
		struct gx_proplist l = rnd_proplist(&r, i % 8 == 0 ? 200 : 20), back;
		struct gx_push out = GX_PUSH_INIT;
		ck_assert_int_eq(gx_prow_pack(&out, &l), 0);
		uint8_t *row = gxtest_exact(out.data, out.len);
		ck_assert_int_eq(gx_prow_unpack(a, row, out.len, &back), 0);
		check_pieces(row, out.len, &l);
		check_same(&l, &back);
		for (size_t k = 0; k < l.count; ++k) {
			struct gx_propval pv;
			ck_assert_int_eq(gx_prow_find(row, out.len, l.v[k].tag, a, &pv), 0);
			ck_assert(gx_value_equal((uint16_t)pv.tag, &pv.v, &l.v[k].v));
			ck_assert_int_eq(gx_prow_find(row, out.len, GX_PROP_RETYPE(l.v[k].tag, PtypUnspecified), a, &pv), 0);
			ck_assert_int_eq(gx_prow_find(row, out.len, GX_PROP_RETYPE(l.v[k].tag, PtypObject), a, &pv), GX_E_NOTFOUND);
		}
		struct gx_push twice = GX_PUSH_INIT;
		ck_assert_int_eq(gx_prow_pack(&twice, &back), 0);
		ck_assert_uint_eq(twice.len, out.len);
		ck_assert_mem_eq(twice.data, out.data, out.len);
		free(row);
		gx_push_release(&out);
		gx_push_release(&twice);
	}
}
END_TEST

START_TEST(references)
{
	struct gx_proplist l = {0};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_propval pv;
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagBody | GX_PROW_EXTERN, "where", 5), 0);
	ck_assert_int_eq(gx_prow_pack(&out, &l), 0);
	ck_assert_int_eq(gx_prow_find(out.data, out.len, PidTagBody, a, &pv), 0);
	ck_assert_uint_eq(pv.tag, PidTagBody | GX_PROW_EXTERN);
	ck_assert_uint_eq(pv.v.bin.len, 5);
	ck_assert_int_eq(gx_prow_find(out.data, out.len, PidTagBody | GX_PROW_EXTERN, a, &pv), 0);
	ck_assert_int_eq(gx_prow_find(out.data, out.len, PidTagHtml, a, &pv), GX_E_NOTFOUND);
	gx_push_release(&out);
}
END_TEST

/* Reads everything; what comes must be an answer or a clean error. */
static void swallow(const uint8_t *row, size_t len)
{
	struct gx_proplist l;
	struct gx_propval pv;
	struct gx_arena *tmp = gx_arena_new(1 << 20);
	int err = gx_prow_unpack(tmp, row, len, &l);
	struct gx_prow_iter it;
	struct gx_bin entry;
	int r = gx_prow_begin(&it, row, len);
	while (r == 0 && (r = gx_prow_raw(&it, &entry)) > 0)
		r = gx_prow_entry(entry, tmp, &pv) == 0 ? 0 : 1;
	ck_assert_int_le(err, 0);
	if (err == 0) {
		struct gx_push out = GX_PUSH_INIT;
		ck_assert_int_eq(gx_prow_pack(&out, &l), 0);
		gx_push_release(&out);
	}
	(void)!gx_prow_find(row, len, 0xFFFF0000, tmp, &pv);
	gx_arena_free(tmp);
}

START_TEST(truncations_and_flips)
{
	struct rnd r = {.s = 11, .a = a};
	for (int i = 0; i < 30; ++i) {
		struct gx_proplist l = rnd_proplist(&r, 8), back;
		struct gx_push out = GX_PUSH_INIT;
		ck_assert_int_eq(gx_prow_pack(&out, &l), 0);
		size_t good = 0;
		for (size_t n = 0; n <= out.len; ++n) {
			uint8_t *cut = gxtest_exact(out.data, n);
			good += gx_prow_unpack(a, cut, n, &back) == 0;
			swallow(cut, n);
			free(cut);
		}
		/* the empty row, and after each entry */
		ck_assert_uint_eq(good, l.count + 2);
		for (size_t bit = 0; bit < out.len * 8; ++bit) {
			uint8_t *bad = gxtest_exact(out.data, out.len);
			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			swallow(bad, out.len);
			free(bad);
		}
		gx_push_release(&out);
	}
}
END_TEST

static const struct {
	const char *what;
	uint8_t row[24];
	size_t len;
	int err;
} hostile[] = {
	{"version", {2}, 1, GX_E_FORMAT},
	{"half a tag", {1, 0x1f, 0, 0x37}, 4, GX_E_TRUNC},
	{"unknown type", {1, 0x34, 0x02, 0x37, 0, 1}, 6, GX_E_FORMAT},
	{"no type", {1, 0, 0, 0x37, 0}, 5, GX_E_FORMAT},
	{"huge string", {1, 0x1f, 0, 0x37, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 15, GX_E_TRUNC},
	{"string without end", {1, 0x1f, 0, 0x37, 0, 1, 'a'}, 7, GX_E_TRUNC},
	{"string with other end", {1, 0x1f, 0, 0x37, 0, 1, 'a', 'b'}, 8, GX_E_FORMAT},
	{"string with a hole", {1, 0x1f, 0, 0x37, 0, 2, 'a', 0, 0}, 9, GX_E_FORMAT},
	{"huge multi-value", {1, 0x03, 0x10, 0x37, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2}, 12, GX_E_TRUNC},
	{"overlong varint", {1, 0x02, 0x01, 0x37, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, 16, GX_E_FORMAT},
	{"restriction with bytes left", {1, 0xfd, 0, 0x37, 0, 2, 0xff, 0}, 8, GX_E_FORMAT},
	{"restriction of no type", {1, 0xfd, 0, 0x37, 0, 1, 0x77}, 7, GX_E_FORMAT},
};

START_TEST(hostile_rows)
{
	uint8_t *row = gxtest_exact(hostile[_i].row, hostile[_i].len);
	struct gx_proplist l;
	struct gx_propval pv;
	ck_assert_int_eq(gx_prow_unpack(a, row, hostile[_i].len, &l), hostile[_i].err);
	/* passing over it finds the same fault, but for what only a reader of the value can see */
	int err = gx_prow_find(row, hostile[_i].len, 0xFFFF0003, a, &pv);
	ck_assert(err == hostile[_i].err || err == GX_E_NOTFOUND);
	free(row);
}
END_TEST

START_TEST(values_that_cannot_be_packed)
{
	struct gx_propval bad[] = {{.tag = 0x00370000}, {.tag = 0x00371234}};
	for (int i = 0; i < 2; ++i) {
		struct gx_proplist l = {.v = &bad[i], .count = 1};
		struct gx_push out = GX_PUSH_INIT;
		ck_assert_int_eq(gx_prow_pack(&out, &l), GX_E_INVAL);
		gx_push_release(&out);
	}
	struct gx_propval pv = {.tag = PidTagSubject, .v = {.str = "more than a few bytes"}};
	struct gx_proplist l = {.v = &pv, .count = 1};
	struct gx_push out;
	gx_push_init(&out, 8);
	ck_assert_int_eq(gx_prow_pack(&out, &l), GX_E_LIMIT);
	gx_push_release(&out);
}
END_TEST

static Suite *prow_suite(void)
{
	Suite *s = suite_create("prow");
	TCase *t = tcase_create("prow");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, bytes_of_a_row);
	tcase_add_test(t, random_rows_come_back);
	tcase_add_test(t, references);
	tcase_add_test(t, truncations_and_flips);
	tcase_add_loop_test(t, hostile_rows, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(t, values_that_cannot_be_packed);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(prow_suite)
