/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/rtfcp.h>
#include "tests/gxtest.h"

/* Compressed RTF: the examples of [MS-OXRTFCP] 4, random text there and back, and what is damaged. */

static const uint8_t simple[] = {
	0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31,
	0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
};
static const char simple_text[] = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
static const uint8_t overlap[] = {
	0x1a, 0, 0, 0, 0x1c, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xe2, 0xd4, 0x4b, 0x51, 0x41, 0x00, 0x04, 0x20, 0x57, 0x58, 0x59, 0x5a,
	0x0d, 0x6e, 0x7d, 0x01, 0x0e, 0xb0,
};
static const char overlap_text[] = "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}";

static int decode(const void *p, size_t n, size_t max, struct gx_push *out)
{
	uint8_t *exact = malloc(n == 0 ? 1 : n); /* so that a byte too many is seen */
	if (n != 0)
		memcpy(exact, p, n);
	gx_push_clear(out);
	int err = gx_rtfcp_decode(exact, n, max, out);
	free(exact);
	return err;
}

START_TEST(examples)
{
	struct gx_push out = GX_PUSH_INIT, back = GX_PUSH_INIT;
	ck_assert_int_eq(decode(simple, sizeof(simple), 1000, &out), 0);
	ck_assert_uint_eq(out.len, strlen(simple_text));
	ck_assert_mem_eq(out.data, simple_text, out.len);
	ck_assert_int_eq(decode(overlap, sizeof(overlap), 28, &out), 0);
	ck_assert_mem_eq(out.data, overlap_text, out.len);
	/* the writer of the example and ours find the same references */
	ck_assert_int_eq(gx_rtfcp_encode(simple_text, strlen(simple_text), &back), 0);
	ck_assert_uint_eq(back.len, sizeof(simple));
	ck_assert_int_eq(decode(back.data, back.len, 1000, &out), 0);
	ck_assert_mem_eq(out.data, simple_text, out.len);
	gx_push_release(&out);
	gx_push_release(&back);
}
END_TEST

static void there_and_back(const uint8_t *p, size_t n)
{
	struct gx_push packed = GX_PUSH_INIT, out = GX_PUSH_INIT;
	gx_push_str(&packed, "before");
	ck_assert_int_eq(gx_rtfcp_encode(p, n, &packed), 0);
	ck_assert_uint_le(packed.len - 6, n + 16); /* never larger than not compressed */
	ck_assert_int_eq(decode(packed.data + 6, packed.len - 6, n, &out), 0);
	ck_assert_uint_eq(out.len, n);
	if (n != 0)
		ck_assert_mem_eq(out.data, p, n);
	if (n != 0)
		ck_assert_int_eq(decode(packed.data + 6, packed.len - 6, n - 1, &out), GX_E_LIMIT);
	gx_push_release(&packed);
	gx_push_release(&out);
}

START_TEST(random_texts)
{
	static uint8_t b[70000];
	static const unsigned letters[] = {1, 2, 3, 8, 90, 256};
	uint32_t seed = 1;
	there_and_back(NULL, 0);
	for (size_t k = 0; k < 120; k++) {
		unsigned kinds = letters[k % 6];
		seed = seed * 1103515245 + 12345;
		size_t n = k < 60 ? k : (seed >> 8) % sizeof(b);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			b[i] = (uint8_t)(32 + (seed >> 16) % kinds);
		}
		/* repetitions just a window apart, and nearly */
		for (size_t i = 4097; i < n && k % 3 == 0; i++)
			b[i] = b[i - 4090 - (k / 3) % 8];
		there_and_back(b, n);
	}
	for (size_t i = 0; i < sizeof(b); i++) /* with what is in the window from the start */
		b[i] = (uint8_t)"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}"[i % 42];
	there_and_back(b, sizeof(b));
}
END_TEST

START_TEST(not_compressed)
{
	uint8_t b[] = {15, 0, 0, 0, 3, 0, 0, 0, 'M', 'E', 'L', 'A', 0, 0, 0, 0, 'a', 'b', 'c', 'd'};
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(decode(b, sizeof(b), 3, &out), 0);
	ck_assert_uint_eq(out.len, 3);
	ck_assert_mem_eq(out.data, "abc", 3);
	b[4] = 4; /* more than its size says */
	ck_assert_int_eq(decode(b, sizeof(b), 9, &out), GX_E_TRUNC);
	ck_assert_uint_eq(out.len, 0);
	gx_push_release(&out);
}
END_TEST

START_TEST(damaged)
{
	struct gx_push out = GX_PUSH_INIT;
	uint8_t b[sizeof(simple)];
	for (size_t n = 0; n < sizeof(simple); n++)
		ck_assert_int_ne(decode(simple, n, 1000, &out), 0);
	for (size_t i = 0; i < sizeof(b); i++) { /* each byte is protected, but those of the size at the end of nothing */
		memcpy(b, simple, sizeof(b));
		b[i] ^= 0x55;
		ck_assert_msg(decode(b, sizeof(b), 1000, &out) != 0, "byte %zu", i);
		ck_assert_uint_eq(out.len, 0);
	}
	memcpy(b, simple, sizeof(b));
	b[8] = 'l';
	ck_assert_int_eq(decode(b, sizeof(b), 1000, &out), GX_E_FORMAT);
	/* the size after unpacking is believed neither when it is larger nor when it is smaller */
	memcpy(b, simple, sizeof(b));
	b[4]--;
	ck_assert_int_eq(decode(b, sizeof(b), 1000, &out), GX_E_FORMAT);
	b[4] += 2;
	ck_assert_int_eq(decode(b, sizeof(b), 1000, &out), GX_E_TRUNC);
	gx_push_release(&out);
	/* no memory, or not enough room */
	gx_push_init(&out, 20);
	ck_assert_int_eq(gx_rtfcp_decode(simple, sizeof(simple), 1000, &out), GX_E_LIMIT);
	gx_push_clear(&out);
	ck_assert_int_eq(gx_rtfcp_encode(simple_text, strlen(simple_text), &out), GX_E_LIMIT);
	gx_push_release(&out);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rtfcp");
	TCase *c = tcase_create("rtfcp");
	tcase_add_test(c, examples);
	tcase_add_test(c, random_texts);
	tcase_add_test(c, not_compressed);
	tcase_add_test(c, damaged);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
