/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain LZ77: the examples of [MS-XCA] 3.1, what encoders may write and ours does not, round trips, damage. What is
 * decoded is compared with a plain reader (lzxref.h). GX_SOAK_SECONDS tries every length instead of a part of them.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzxref.h"
#include "tests/gxtest.h"

static struct gx_lzxpress work;
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

/* ---- Both directions in blocks of exactly the size ---- */

/* Decodes, and compares result and verdict with the plain reader's. */
static int decode(const void *in, size_t len, void *out, size_t size)
{
	uint8_t *src = gxtest_exact(in, len), *dst = malloc(size == 0 ? 1 : size), *ref = malloc(size + 1);
	int err = gx_lzxpress_decompress(src, len, dst, size);
	ck_assert_int_eq(err, lzxref_decompress(src, len, ref, size));
	if (err == 0 && size > 0) {
		ck_assert_mem_eq(dst, ref, size);
		memcpy(out, dst, size);
	}
	free(src);
	free(dst);
	free(ref);
	return err;
}

static size_t encode(const void *in, size_t len, void *out, size_t cap)
{
	size_t n = 0;
	uint8_t *src = gxtest_exact(in, len), *dst = malloc(cap == 0 ? 1 : cap);
	int err = gx_lzxpress_compress(&work, src, len, dst, cap, &n);
	ck_assert_msg(err == 0 || err == GX_E_LIMIT, "error %d", err);
	ck_assert_uint_le(n, cap);
	if (err == 0)
		memcpy(out, dst, n);
	free(src);
	free(dst);
	return err == 0 ? n : 0;
}

/* @return the length between. */
static size_t there_and_back(const uint8_t *in, size_t len)
{
	static uint8_t packed[GX_LZXPRESS_BOUND(1 << 20)];
	uint8_t *src = gxtest_exact(in, len), *back = malloc(len == 0 ? 1 : len);
	size_t n = 0;
	ck_assert_uint_lt(len, 1 << 20);
	int err = gx_lzxpress_compress(&work, src, len, packed, GX_LZXPRESS_BOUND(len), &n);
	ck_assert_int_eq(err, 0);
	err = gx_lzxpress_decompress(packed, n, back, len);
	ck_assert_msg(err == 0 && memcmp(src, back, len) == 0, "length %zu, seed %llu: %d", len, (unsigned long long)seed, err);
	free(src);
	free(back);
	return n;
}

/* ---- Streams as any encoder may write them ---- */

struct maker {
	uint8_t in[1 << 16], out[1 << 18];
	size_t len, size, flags_at, nibble_at;
	unsigned flags;
};

static struct maker mk;

static void number(uint32_t v, unsigned bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		mk.in[mk.len++] = (uint8_t)v;
}

static void begin(void)
{
	mk.len = mk.size = mk.flags_at = mk.nibble_at = mk.flags = 0;
	number(0, 4);
}

static void flag(unsigned v)
{
	mk.in[mk.flags_at + 3 - mk.flags / 8] |= (uint8_t)(v << (7 - mk.flags % 8));
	if (++mk.flags == 32) {
		mk.flags = 0;
		mk.flags_at = mk.len;
		number(0, 4);
	}
}

static void literal(uint8_t c)
{
	mk.out[mk.size++] = mk.in[mk.len++] = c;
	flag(0);
}

static void half_byte(unsigned v)
{
	if (mk.nibble_at == 0) {
		mk.nibble_at = mk.len;
		number(v, 1);
	} else {
		mk.in[mk.nibble_at] |= (uint8_t)(v << 4);
		mk.nibble_at = 0;
	}
}

/* Where the length stands: in 3 bits, in 4 more, in a byte, in 16 bits, in 32. What each begins and ends with: */
enum { BITS3, BITS4, BITS8, BITS16, BITS32, FORMS };
static const size_t first_of[FORMS] = {3, 10, 25, 25, 25}, last_of[FORMS] = {9, 24, 279, 65538, SIZE_MAX};

/* In the form given if it can be, else in the next that can. */
static void match(size_t back, size_t len, unsigned form)
{
	while (len > last_of[form])
		form++;
	while (len < first_of[form])
		form--;
	number((uint32_t)((back - 1) << 3 | (form == BITS3 ? len - 3 : 7)), 2);
	if (form != BITS3)
		half_byte(form == BITS4 ? (unsigned)len - 10 : 15);
	if (form >= BITS8)
		number(form == BITS8 ? (uint32_t)len - 25 : 255, 1);
	if (form >= BITS16)
		number(form == BITS16 ? (uint32_t)len - 3 : 0, 2);
	if (form == BITS32)
		number((uint32_t)len - 3, 4);
	for (; len > 0; len--, mk.size++)
		mk.out[mk.size] = mk.out[mk.size - back];
	flag(1);
}

static void finish(void)
{
	do {
		mk.in[mk.flags_at + 3 - mk.flags / 8] |= (uint8_t)(1 << (7 - mk.flags % 8));
		mk.flags = (mk.flags + 1) % 32;
	} while (mk.flags != 0);
}

static void expect_made(void)
{
	static uint8_t out[sizeof(mk.out)];
	ck_assert_int_eq(decode(mk.in, mk.len, out, mk.size), 0);
	if (mk.size > 0)
		ck_assert_mem_eq(out, mk.out, mk.size);
	if (mk.size > 0)
		ck_assert_int_eq(decode(mk.in, mk.len, out, mk.size - 1), GX_E_FORMAT);
	ck_assert_int_eq(decode(mk.in, mk.len, out, mk.size + 1), GX_E_TRUNC);
}

/* ---- Data ---- */

enum { NOISE, RUNS, WIDE, TEXT, NEAR, LONG, FAR, KINDS };

static uint8_t new_byte(unsigned kind, uint32_t word, size_t k)
{
	if (kind == NOISE)
		return (uint8_t)rnd(256);
	if (kind == RUNS)
		return (uint8_t)word;
	if (kind == WIDE && k % 2 == 1)
		return 0;
	return (uint8_t)('a' + (word * 0x9e3779b97f4a7c15u >> k % 8 * 8) % 26);
}

/* Pieces that are new, words of few or many, and such that were there before. */
static void make_data(uint8_t *p, size_t n)
{
	unsigned kind = rnd(KINDS), words = 20u << rnd(8);
	for (size_t i = 0; i < n;) {
		size_t len = 1 + rnd(kind == LONG ? 600 : 12), back = 1 + rnd(kind == FAR ? 9000 : 1 + rnd(300));
		uint32_t word = rnd(words) + 1;
		bool again = kind >= NEAR && i >= back && rnd(3) > 0;
		for (size_t k = 0; k < len && i < n; k++, i++)
			p[i] = again ? p[i - back] : new_byte(kind, word, k);
	}
}

/* ---- The tests ---- */

static const uint8_t alphabet_packed[] = "\x3f\0\0\0" "abcdefghijklmnopqrstuvwxyz";
static const uint8_t abc_packed[] = {0xff, 0xff, 0xff, 0x1f, 'a', 'b', 'c', 0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};

/* [MS-XCA] 3.1, and our encoder writes the same. */
START_TEST(examples)
{
	uint8_t out[400], abc[300];
	for (size_t i = 0; i < sizeof(abc); i++)
		abc[i] = (uint8_t)('a' + i % 3);
	ck_assert_int_eq(decode(alphabet_packed, 30, out, 26), 0);
	ck_assert_mem_eq(out, alphabet_packed + 4, 26);
	ck_assert_int_eq(decode(abc_packed, sizeof(abc_packed), out, 300), 0);
	ck_assert_mem_eq(out, abc, 300);
	ck_assert_uint_eq(encode(alphabet_packed + 4, 26, out, 30), 30);
	ck_assert_mem_eq(out, alphabet_packed, 30);
	ck_assert_uint_eq(encode(abc, 300, out, 400), sizeof(abc_packed));
	ck_assert_mem_eq(out, abc_packed, sizeof(abc_packed));
}
END_TEST

/* Each length around the ends of the forms, each form it can have, at each kind of distance. */
START_TEST(forms)
{
	static const size_t lens[] = {3, 4, 8, 9, 10, 11, 16, 17, 23, 24, 25, 26, 33, 278, 279, 280, 281, 1000,
		65537, 65538, 65539, 70000};
	static const size_t backs[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 300, 8191, 8192};
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++)
		for (size_t k = 0; k < sizeof(backs) / sizeof(*backs); k++)
			for (unsigned form = 0; form < FORMS; form++) {
				if (lens[i] > 2000 && (k % 4 != 0 || form % 2 != 0))
					continue;
				begin();
				for (size_t n = 0; n < backs[k]; n++)
					literal((uint8_t)(n * 7 + n / 256));
				match(backs[k], lens[i], form);
				literal('!');
				match(backs[k], lens[i] % 100 + 10, BITS4); /* the other half of the byte */
				match(1, 3, BITS3);
				finish();
				expect_made();
			}
}
END_TEST

START_TEST(random_streams)
{
	seed = 1;
	for (unsigned i = 0; i < 400; i++) {
		unsigned items = 1 + rnd(i % 10 == 0 ? 3000 : 150), literals = rnd(101);
		begin();
		for (unsigned k = 0; k < items && mk.size < 100000 && mk.len < 50000; k++) {
			uint32_t far = mk.size < 8192 ? (uint32_t)mk.size : 8192, near = far < 20 ? far : 20;
			size_t len = 3 + rnd(8) + (rnd(4) == 0 ? rnd(30) : rnd(50) == 0 ? rnd(900) : 0);
			if (mk.size == 0 || rnd(100) < literals)
				literal((uint8_t)rnd(256));
			else
				match(1 + rnd(rnd(3) == 0 ? near : far), len, rnd(FORMS));
		}
		finish();
		expect_made();
	}
}
END_TEST

/* Long matches so near the end that not even a few bytes too many may be read or written; and every cut. */
START_TEST(near_the_end)
{
	static uint8_t out[sizeof(mk.out)];
	for (unsigned i = 0; i < 4000; i++) {
		unsigned run = 20 + i % 12, len = 10 + i / 12 % 25, form = 1 + i % 4;
		begin();
		for (unsigned k = 0; k < run; k++)
			literal((uint8_t)k);
		match(i % 5 == 0 ? 1 + i % 7 : run, len, form);
		for (unsigned k = 0; k < i % 31; k++)
			literal((uint8_t)k);
		finish();
		expect_made();
		for (size_t cut = 0; i % 49 == 0 && cut < mk.len; cut++)
			(void)decode(mk.in, cut, out, mk.size);
	}
}
END_TEST

/* Ends as older encoders write them, and those that are none. */
START_TEST(ends)
{
	uint8_t out[64], in[80] = {0};
	ck_assert_int_eq(decode(in, 0, out, 0), 0);
	ck_assert_int_eq(decode(in, 0, out, 1), GX_E_TRUNC);
	ck_assert_int_eq(decode("\xff\xff\xff\xff", 4, out, 0), 0);
	ck_assert_int_eq(decode("\xff\xff\xff\xff", 3, out, 0), GX_E_TRUNC);
	ck_assert_int_eq(decode("\0\0\0\0abc", 7, out, 3), 0); /* unused flags are clear */
	ck_assert_int_eq(decode("\0\0\0\0abc", 7, out, 2), GX_E_FORMAT);
	memcpy(in + 4, "abcdefghijklmnopqrstuvwxyz012345", 32);
	ck_assert_int_eq(decode(in, 36, out, 32), 0); /* no word of flags after 32 items */
	memset(in + 36, 0xff, 4);
	ck_assert_int_eq(decode(in, 40, out, 32), 0); /* [MS-XCA] 2.3.4: one that announces nothing */
	ck_assert_int_eq(decode(in, 39, out, 32), GX_E_TRUNC);
	ck_assert_int_eq(decode(in, 41, out, 32), GX_E_TRUNC); /* half a match */
	ck_assert_int_eq(decode(in, 42, out, 32), GX_E_FORMAT); /* a match more than fits */
	ck_assert_int_eq(gx_lzxpress_decompress(NULL, 1, out, 1), GX_E_INVAL);
	ck_assert_int_eq(gx_lzxpress_decompress(in, 36, NULL, 32), GX_E_INVAL);
	ck_assert_int_eq(gx_lzxpress_decompress(NULL, 0, NULL, 0), 0);
}
END_TEST

START_TEST(impossible)
{
	static const uint8_t length21[] = {0, 0, 0, 0x60, 'a', 7, 0, 15, 255, 21, 0, 0};
	static const uint8_t zero[] = {0, 0, 0, 0x60, 'a', 7, 0, 15, 255, 0, 0, 21, 0, 0, 0};
	static const uint8_t length22[] = {0xff, 0xff, 0xff, 0x7f, 'a', 7, 0, 15, 255, 22, 0};
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0x7f, 'a', 7, 0, 15, 255, 0, 0, 0xff, 0xff, 0xff, 0xff};
	uint8_t out[100];
	ck_assert_int_eq(decode(length21, sizeof(length21), out, 25), GX_E_FORMAT);
	ck_assert_int_eq(decode(zero, sizeof(zero), out, 25), GX_E_FORMAT);
	ck_assert_int_eq(decode(length22, sizeof(length22), out, 26), 0);
	ck_assert_int_eq(decode(huge, sizeof(huge), out, 100), GX_E_FORMAT);
	ck_assert_int_eq(decode("\xff\xff\xff\xff\0\0", 6, out, 3), GX_E_FORMAT); /* nothing is before the first byte */
	ck_assert_int_eq(decode("\xff\xff\xff\x7f" "a\x08\0", 7, out, 4), GX_E_FORMAT);
}
END_TEST

/* Sixteen literals and more than enough around: what is impossible must be found by the fast loop too. */
START_TEST(impossible_inside)
{
	static uint8_t out[sizeof(mk.out)];
	for (unsigned i = 0; i < 3; i++) {
		begin();
		for (unsigned k = 0; k < 20; k++)
			literal((uint8_t)k);
		size_t at = mk.len;
		match(20, 400, BITS16);
		for (unsigned k = 0; k < 200; k++)
			literal((uint8_t)k);
		finish();
		expect_made();
		if (i == 0)
			mk.in[at] = (uint8_t)(20 << 3 | 7); /* distance 21 */
		else
			mk.in[at + 4] = i == 1 ? 21 : 0xff, mk.in[at + 5] = i == 1 ? 0 : 0xff;
		ck_assert_int_eq(decode(mk.in, mk.len, out, mk.size), GX_E_FORMAT);
	}
}
END_TEST

START_TEST(lengths)
{
	static uint8_t data[70000];
	const size_t step = getenv("GX_SOAK_SECONDS") != NULL ? 1 : 1709;
	seed = 2;
	for (size_t n = 0; n < 1500; n++) {
		make_data(data, n);
		there_and_back(data, n);
	}
	for (size_t n = 1500; n <= sizeof(data); n += step) {
		make_data(data, n);
		there_and_back(data, n);
	}
	/* matches to the last byte */
	memset(data, 'x', 200);
	for (size_t n = 17; n < 200; n++)
		ck_assert_uint_le(there_and_back(data, n), 16);
	/* around what the tables' positions and the window wrap at */
	make_data(data, sizeof(data));
	for (size_t n = 0; n < 5; n++) {
		there_and_back(data, 8190 + n);
		there_and_back(data, 16382 + n);
		there_and_back(data, 65534 + n);
	}
}
END_TEST

/* What repeats just at the end of the window, and just behind it; more than positions are kept for. */
START_TEST(window)
{
	static uint8_t data[200000];
	seed = 3;
	for (size_t period = 8185; period < 8200; period++) {
		for (size_t i = 0; i < 40000; i++)
			data[i] = i < period ? (uint8_t)rnd(256) : data[i - period];
		size_t n = there_and_back(data, 40000);
		ck_assert(period <= 8192 ? n < 11000 : n > 40000);
	}
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i < 150000 ? rnd(256) : (uint8_t)"no end of them "[i % 15]);
	ck_assert_uint_lt(there_and_back(data, sizeof(data)), 150000 * 33 / 32 * 32 / 29);
	memset(data, 0, sizeof(data));
	ck_assert_uint_eq(there_and_back(data, sizeof(data)), 4 + 1 + 2 + 1 + 1 + 2 + 4); /* one match of a length of 32 bits */
	ck_assert_uint_eq(there_and_back(data, 65539), 15 - 4);
	ck_assert_uint_eq(there_and_back(data, 65540), 15);
}
END_TEST

/* It fits exactly or not at all, at every size, and nothing is written behind it. */
START_TEST(caps)
{
	uint8_t data[700], whole[1024], out[1024];
	seed = 4;
	for (unsigned i = 0; i < 60; i++) {
		size_t len = rnd(i < 20 ? 60 : sizeof(data));
		make_data(data, len);
		size_t n = encode(data, len, whole, GX_LZXPRESS_BOUND(len));
		ck_assert_uint_ge(n, 4);
		for (size_t cap = i < 30 ? 0 : n - 4; cap < n; cap++)
			ck_assert_uint_eq(encode(data, len, out, cap), 0);
		for (size_t cap = n; cap < n + 3; cap++) {
			ck_assert_uint_eq(encode(data, len, out, cap), n);
			ck_assert_mem_eq(out, whole, n);
		}
	}
	size_t n;
	ck_assert_int_eq(gx_lzxpress_compress(&work, NULL, 1, out, sizeof(out), &n), GX_E_INVAL);
	ck_assert_int_eq(gx_lzxpress_compress(&work, data, 1, NULL, sizeof(out), &n), GX_E_INVAL);
	if (SIZE_MAX > UINT32_MAX)
		ck_assert_int_eq(gx_lzxpress_compress(&work, data, (size_t)1 << 31 << 1, out, sizeof(out), &n), GX_E_RANGE);
}
END_TEST

/* Noise becomes as large as the bound says and no larger; what the work area held before does not matter. */
START_TEST(noise_and_work)
{
	static uint8_t data[32768], one[GX_LZXPRESS_BOUND(32768)], two[GX_LZXPRESS_BOUND(32768)];
	seed = 5;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rnd(256);
	for (size_t n = 30; n < 70; n++)
		ck_assert_uint_eq(encode(data, n, one, sizeof(one)), n + n / 32 * 4 + 4);
	ck_assert_uint_eq(encode(data, sizeof(data), one, sizeof(data) - 1), 0);
	make_data(data, sizeof(data));
	size_t n = encode(data, sizeof(data), one, sizeof(one));
	for (size_t i = 0; i < sizeof(work); i++)
		((uint8_t *)&work)[i] = (uint8_t)rnd(256);
	ck_assert_uint_eq(encode(data, sizeof(data), two, sizeof(two)), n);
	ck_assert_mem_eq(one, two, n);
}
END_TEST

/* Each end and each bit of what was compressed: an error or other bytes, and the plain reader says the same. */
START_TEST(damaged)
{
	uint8_t data[600], packed[1024], out[600];
	seed = 6;
	for (unsigned i = 0; i < 8; i++) {
		size_t len = 100 + rnd(sizeof(data) - 100);
		make_data(data, len);
		size_t n = encode(data, len, packed, sizeof(packed));
		for (size_t cut = 0; cut < n; cut++)
			if (decode(packed, cut, out, len) == 0) /* nothing but flags is missing */
				ck_assert(cut == n - 4 && memcmp(out, data, len) == 0);
		for (size_t bit = 0; bit < n * 8; bit++) {
			packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			(void)decode(packed, n, out, len);
			packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lzxpress");
	TCase *c = tcase_create("lzxpress");
	tcase_add_test(c, examples);
	tcase_add_test(c, forms);
	tcase_add_test(c, random_streams);
	tcase_add_test(c, near_the_end);
	tcase_add_test(c, ends);
	tcase_add_test(c, impossible);
	tcase_add_test(c, impossible_inside);
	tcase_add_test(c, lengths);
	tcase_add_test(c, window);
	tcase_add_test(c, caps);
	tcase_add_test(c, noise_and_work);
	tcase_add_test(c, damaged);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
