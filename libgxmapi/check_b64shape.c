/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/codec.h>

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static const struct {
	const char *text;
	int err;
	struct gx_b64_shape shape;
	const char *content;
} cases[] = {
	{"", 0, {0, 2, 0}, ""},
	{"Zm9v", 0, {0, 2, 0}, "foo"},
	{"Zm9v\r\n", 0, {0, 2, 1}, "foo"},
	{"Zm9v\n\n", 0, {0, 1, 2}, "foo"},
	{"\n", 0, {0, 1, 1}, ""},
	{"Zm9v\r\nYmFy\r\nYg==", 0, {4, 2, 0}, "foobarb"},
	{"Zm9vY\nmFyYg\n==\n", 0, {5, 1, 1}, "foobarb"},
	{"Zm9v\nYmFy\r\n", GX_E_FORMAT, {0}, NULL},
	{"Zm9v\r\nYmFyYmFy\r\n", GX_E_FORMAT, {0}, NULL},
	{"Zm9vYmFy\r\nYmFy\r\nYmFy", GX_E_FORMAT, {0}, NULL},
	{"\r\nZm9v", GX_E_FORMAT, {0}, NULL},
	{"Zm9v ", GX_E_FORMAT, {0}, NULL},
	{"Zm9v\r", GX_E_FORMAT, {0}, NULL},
	{"Zh==", GX_E_FORMAT, {0}, NULL},
	{"Zg", GX_E_FORMAT, {0}, NULL},
	{"Zg=", GX_E_FORMAT, {0}, NULL},
	{"Zg==Zg==", GX_E_FORMAT, {0}, NULL},
	{"Zm9v\r\n\n", GX_E_FORMAT, {0}, NULL},
	{"Zm9v\n\r\n", GX_E_FORMAT, {0}, NULL},
};

START_TEST(shapes_found)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_b64_shape s;
	struct gx_bin b;
	size_t n = strlen(cases[_i].text);
	uint8_t *text = gxtest_exact(cases[_i].text, n);
	ck_assert_msg(gx_b64_shape_decode(a, text, n, &s, &b) == cases[_i].err, "case %d", _i);
	if (cases[_i].err == 0) {
		ck_assert_uint_eq(s.width, cases[_i].shape.width);
		ck_assert_uint_eq(s.eol, cases[_i].shape.eol);
		ck_assert_uint_eq(s.tail, cases[_i].shape.tail);
		ck_assert_uint_eq(b.len, strlen(cases[_i].content));
		ck_assert_int_eq(memcmp(b.data, cases[_i].content, b.len), 0);
	}
	free(text);
	gx_arena_free(a);
}
END_TEST

/* Text of a shape by the plainest means. */
static uint8_t *plain_text(const struct gx_b64_shape *s, const uint8_t *data, size_t len, size_t *ret_n)
{
	size_t chars = gx_base64_enc_len(len), n = 0;
	char *enc = malloc(chars + 1);
	gx_base64_enc(data, len, enc);
	uint8_t *out = malloc(chars * 3 + 600);
	for (size_t i = 0; i < chars + s->tail; ++i) {
		if (i >= chars || (s->width != 0 && i != 0 && i % s->width == 0)) {
			if (s->eol == 2)
				out[n++] = '\r';
			out[n++] = '\n';
		}
		if (i < chars)
			out[n++] = (uint8_t)enc[i];
	}
	free(enc);
	*ret_n = n;
	return out;
}

static struct gx_b64_shape random_shape(void)
{
	static const uint32_t widths[] = {76, 64, 60, 72, 0, 77, 1, 3};
	struct gx_b64_shape s = {.eol = (uint8_t)(1 + rnd(2)), .tail = (uint8_t)rnd(3)};
	s.width = rnd(3) == 0 ? 1 + rnd(200) : widths[rnd(8)];
	return s;
}

static void check_slices(const struct gx_b64_shape *s, const uint8_t *data, size_t len, const uint8_t *text, size_t n)
{
	for (int i = 0; i < 30; ++i) {
		size_t off = rnd((uint32_t)n + 1), k = rnd((uint32_t)(n - off) + 1);
		uint8_t *part = malloc(k + 1);
		part[k] = 0x5a;
		gx_b64_shape_write(s, data, len, off, k, part);
		ck_assert_int_eq(memcmp(part, text + off, k), 0);
		ck_assert_uint_eq(part[k], 0x5a);
		free(part);
	}
}

START_TEST(text_and_its_slices)
{
	struct gx_arena *a = gx_arena_new(0);
	for (int round = 0; round < 2000; ++round) {
		struct gx_b64_shape s = random_shape(), found;
		size_t len = rnd(round % 20 == 0 ? 20000 : 400), n;
		uint8_t *data = malloc(len + (len == 0));
		for (size_t i = 0; i < len; ++i)
			data[i] = (uint8_t)rnd(256);
		uint8_t *text = plain_text(&s, data, len, &n);
		ck_assert_uint_eq(gx_b64_shape_len(&s, len), n);
		check_slices(&s, data, len, text, n);
		struct gx_bin b;
		ck_assert_int_eq(gx_b64_shape_decode(a, text, n, &found, &b), 0);
		ck_assert_uint_eq(b.len, len);
		ck_assert_int_eq(memcmp(b.data, data, len), 0);
		uint8_t *again = malloc(n + 1);
		gx_b64_shape_write(&found, b.data, b.len, 0, n, again);
		ck_assert_int_eq(memcmp(again, text, n), 0);
		free(again);
		free(text);
		free(data);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
}
END_TEST

/* Whatever is done to a text: either the shape gives exactly it, or it is refused. */
START_TEST(damaged_text_is_never_changed)
{
	struct gx_arena *a = gx_arena_new(0);
	int refused = 0;
	for (int round = 0; round < 5000; ++round) {
		struct gx_b64_shape s = random_shape();
		uint8_t data[300];
		size_t n;
		for (size_t i = 0; i < sizeof(data); ++i)
			data[i] = (uint8_t)rnd(256);
		uint8_t *text = plain_text(&s, data, rnd(sizeof(data)), &n);
		if (n != 0)
			text[rnd((uint32_t)n)] ^= (uint8_t)(1U << rnd(8));
		if (rnd(2) != 0)
			n = rnd((uint32_t)n + 1);
		uint8_t *exact = gxtest_exact(text, n), *again = malloc(n + 1);
		struct gx_bin b;
		int err = gx_b64_shape_decode(a, exact, n, &s, &b);
		ck_assert(err == 0 || err == GX_E_FORMAT);
		refused += err != 0;
		if (err == 0) {
			ck_assert_uint_eq(gx_b64_shape_len(&s, b.len), n);
			gx_b64_shape_write(&s, b.data, b.len, 0, n, again);
			ck_assert_int_eq(memcmp(again, exact, n), 0);
		}
		free(again);
		free(exact);
		free(text);
		gx_arena_reset(a);
	}
	ck_assert_int_gt(refused, 1000);
	gx_arena_free(a);
}
END_TEST

static Suite *b64shape_suite(void)
{
	Suite *s = suite_create("b64shape");
	TCase *t = tcase_create("b64shape");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, shapes_found, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, text_and_its_slices);
	tcase_add_test(t, damaged_text_is_never_changed);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(b64shape_suite)
