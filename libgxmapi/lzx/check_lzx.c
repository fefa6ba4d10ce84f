/* SPDX-License-Identifier: Apache-2.0 */
/* LZX DELTA there and back. */
#include <config.h>
#include "tests/gxtest.h"
#ifdef HAVE_MSPACK
#include <mspack.h>
#include <unistd.h>
#endif
#include "libgxmapi/lzx/lzx_code.h"

/* Everything here is reproducible: the same numbers in every run. */
static uint32_t state;

static uint32_t rnd(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(state >> 8) * n >> 24);
}

static void setup(void)
{
	state = 1;
}

static void round_trip(const uint8_t *ref, size_t ref_len, const uint8_t *data, size_t len, size_t most)
{
	struct gx_push out = GX_PUSH_INIT;
	uint8_t *back = malloc(len + 1);
	gx_lzx_compress(&out, ref, ref_len, data, len);
	ck_assert_int_eq(out.err, 0);
	ck_assert_msg(out.len <= most, "%zu bytes of %zu", out.len, len);
	uint8_t *in = gxtest_exact(out.data, out.len);
	ck_assert_int_eq(gx_lzx_decompress(ref, ref_len, in, out.len, back, len), 0);
	ck_assert(len == 0 || memcmp(back, data, len) == 0);
	free(in);
	free(back);
	gx_push_release(&out);
}

/* Of @kinds different bytes, with repetitions of what was at every scale. */
static void make(uint8_t *p, size_t n, unsigned kinds)
{
	for (size_t i = 0; i < n;) {
		size_t len = 1 + rnd(40);
		if (rnd(50) == 0)
			len = 1 + rnd(9000);
		if (len > n - i)
			len = n - i;
		bool again = i > 0 && rnd(3) != 0;
		size_t back = again ? 1 + rnd(i) : 0;
		for (; len > 0; --len, ++i)
			p[i] = again ? p[i - back] : (uint8_t)(rnd(kinds));
	}
}

START_TEST(there_and_back)
{
	static const size_t sizes[] = {0, 1, 2, 3, 100, 32767, 32768, 32769, 131072, 131073, 400000};
	static const unsigned kinds[] = {1, 2, 60, 256};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) {
		uint8_t *p = malloc(sizes[i] + 1);
		make(p, sizes[i], kinds[i % 4]);
		round_trip(NULL, 0, p, sizes[i], sizes[i] + sizes[i] / 100 + 700);
		free(p);
	}
}
END_TEST

START_TEST(random_bytes_and_equal_ones)
{
	enum { N = 200000 };
	uint8_t *p = malloc(N);
	for (size_t i = 0; i < N; ++i)
		p[i] = (uint8_t)rnd(256);
	round_trip(NULL, 0, p, N, N + N / 100);
	memset(p, 7, N);
	round_trip(NULL, 0, p, N, 300);
	free(p);
}
END_TEST

START_TEST(with_a_reference)
{
	enum { N = 100000 };
	uint8_t *p = malloc(N), *q = malloc(N);
	for (size_t i = 0; i < N; ++i)
		p[i] = (uint8_t)rnd(256);
	memcpy(q, p + 5000, N - 5000);
	memcpy(q + N - 5000, p, 5000);
	q[1234] ^= 1;
	round_trip(p, N, q, N, 1000);
	struct gx_push out = GX_PUSH_INIT;
	gx_lzx_compress(&out, p, N, q, N);
	ck_assert_int_eq(gx_lzx_decompress(p, N - 1, out.data, out.len, q, N) == 0 && memcmp(p, q, N) == 0, 0);
	gx_push_release(&out);
	free(p);
	free(q);
}
END_TEST

/* Whatever comes, nothing outside is touched and it ends. */
START_TEST(damaged)
{
	enum { N = 40000 };
	struct gx_push out = GX_PUSH_INIT;
	uint8_t *p = malloc(N), *back = malloc(N);
	make(p, N, 100);
	gx_lzx_compress(&out, NULL, 0, p, N);
	for (size_t n = 0; n < out.len; n += 1 + n / 3) {
		uint8_t *in = gxtest_exact(out.data, n);
		ck_assert_int_ne(gx_lzx_decompress(NULL, 0, in, n, back, N), 0);
		free(in);
	}
	for (unsigned i = 0; i < 300; ++i) {
		uint8_t *in = gxtest_exact(out.data, out.len);
		in[rnd(out.len)] ^= (uint8_t)(1U << rnd(8));
		(void)!gx_lzx_decompress(NULL, 0, in, out.len, back, N);
		free(in);
	}
	ck_assert_int_eq(gx_lzx_decompress(NULL, 0, out.data, out.len, back, GX_LZX_MOST + 1), GX_E_RANGE);
	gx_push_release(&out);
	free(p);
	free(back);
}
END_TEST

/* One block that is not compressed, of odd length, and one that is: as [MS-PATCH] 2.3.1.1 has it. */
START_TEST(uncompressed_blocks)
{
	static const uint8_t in[] = {
		20, 0,                              /* size of the chunk */
		0x00, 0x30, 0x30, 0x00,             /* no translation, type 3, 3 bytes, 4 bits to the word's end */
		1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'a', 'b', 'c', 0,
	};
	uint8_t back[3];
	ck_assert_int_eq(gx_lzx_decompress(NULL, 0, in, sizeof(in), back, 3), 0);
	ck_assert_int_eq(memcmp(back, "abc", 3), 0);
	ck_assert_int_eq(gx_lzx_decompress(NULL, 0, in, sizeof(in) - 2, back, 3), GX_E_TRUNC);
}
END_TEST

START_TEST(codes_are_complete_and_short)
{
	struct gx_lzx_reader *reader = malloc(sizeof(*reader));
	uint32_t freq[600];
	uint8_t len[600];
	for (unsigned round = 0; round < 200; ++round) {
		unsigned n = 2 + rnd(598), most = round % 2 ? 16 : 15;
		uint64_t f = 1, sum = 0;
		if (n > 20 && round % 3 == 0) /* of Fibonacci's kind: as deep as can be */
			n = 40;
		for (unsigned i = 0; i < n; ++i) {
			freq[i] = round % 3 == 0 ? (uint32_t)f : rnd(5) == 0 ? rnd(10000) : 0;
			f = f * 8 / 5 + 1;
		}
		gx_lzx__lengths(freq, n, most, len);
		for (unsigned i = 0; i < n; ++i) {
			ck_assert_uint_le(len[i], most);
			ck_assert(freq[i] == 0 || len[i] != 0);
			sum += len[i] == 0 ? 0 : UINT64_C(1) << (16 - len[i]);
		}
		ck_assert(sum == 0 || sum == 1 << 16);
		ck_assert(gx_lzx__reader(reader, len, n));
	}
	free(reader);
}
END_TEST

#ifdef HAVE_MSPACK
/* What another's decompressor makes of it: [MS-OXOAB] 2.10 and 2.11 with one block each. */
static char *write_file(const char *dir, const char *name, const void *p, size_t n)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = malloc(size);
	snprintf(path, size, "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	fclose(f);
	return path;
}

static uint32_t crc(const uint8_t *p, size_t n)
{
	uint32_t v = 0xffffffff;
	for (size_t i = 0; i < n; ++i) {
		v ^= p[i];
		for (unsigned j = 0; j < 8; ++j)
			v = v >> 1 ^ (v & 1 ? 0xedb88320 : 0);
	}
	return v;
}

static void another_reads(const uint8_t *ref, size_t ref_len, const uint8_t *data, size_t len)
{
	char dir[] = "lzx.XXXXXX";
	struct msoab_decompressor *d = mspack_create_oab_decompressor(NULL);
	struct gx_push packed = GX_PUSH_INIT, file = GX_PUSH_INIT;
	uint8_t *back = malloc(len + 1);
	gx_lzx_compress(&packed, ref, ref_len, data, len);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	gx_push_u32(&file, 3);
	gx_push_u32(&file, ref == NULL ? 1 : 2);
	gx_push_u32(&file, (uint32_t)(len > ref_len ? len : ref_len));
	if (ref != NULL)
		gx_push_u32(&file, (uint32_t)ref_len);
	gx_push_u32(&file, (uint32_t)len);
	if (ref != NULL) {
		gx_push_u32(&file, crc(ref, ref_len));
		gx_push_u32(&file, crc(data, len));
	} else {
		gx_push_u32(&file, 1);
	}
	gx_push_u32(&file, (uint32_t)packed.len);
	gx_push_u32(&file, (uint32_t)len);
	if (ref != NULL)
		gx_push_u32(&file, (uint32_t)ref_len);
	gx_push_u32(&file, crc(data, len));
	gx_push_bytes(&file, packed.data, packed.len);
	char *in = write_file(dir, "in", file.data, file.len), *base = write_file(dir, "base", ref == NULL ? data : ref, ref_len),
	     *out = write_file(dir, "out", "", 0);
	int err = ref == NULL ? d->decompress(d, in, out) : d->decompress_incremental(d, in, base, out);
	ck_assert_int_eq(err, MSPACK_ERR_OK);
	FILE *f = fopen(out, "rb");
	ck_assert_uint_eq(fread(back, 1, len + 1, f), len);
	ck_assert_int_eq(memcmp(back, data, len), 0);
	fclose(f);
	unlink(in);
	unlink(base);
	unlink(out);
	rmdir(dir);
	free(in);
	free(base);
	free(out);
	free(back);
	gx_push_release(&packed);
	gx_push_release(&file);
	mspack_destroy_oab_decompressor(d);
}

START_TEST(others_read_it)
{
	enum { N = 300001 };
	uint8_t *p = malloc(N), *q = malloc(N);
	for (unsigned i = 0; i < 4; ++i) {
		make(p, N, i == 0 ? 1 : 1U << (2 * i + 2));
		another_reads(NULL, 0, p, N);
		memcpy(q, p + 777, N - 777);
		make(q + N - 777, 777, 256);
		another_reads(p, N, q, N);
	}
	free(p);
	free(q);
}
END_TEST
#endif

static Suite *lzx_suite(void)
{
	Suite *s = suite_create("lzx");
	TCase *t = tcase_create("lzx");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, there_and_back);
	tcase_add_test(t, random_bytes_and_equal_ones);
	tcase_add_test(t, with_a_reference);
	tcase_add_test(t, damaged);
	tcase_add_test(t, uncompressed_blocks);
	tcase_add_test(t, codes_are_complete_and_short);
#ifdef HAVE_MSPACK
	tcase_add_test(t, others_read_it);
#endif
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(lzx_suite)
