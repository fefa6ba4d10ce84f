/* SPDX-License-Identifier: Apache-2.0 */
/* Whole streams: random trees in buffers of any size, damage, and values larger than memory. */
#include <config.h>
#include "tests/gxtest.h"
#include <malloc.h>
#include <gx/charset.h>
#include "libgxmapi/ftx/ftx-int.h"
#include "libgxmapi/ftx/ftxtest.h"

#define ALL_OPTIONS (GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE | GX_FTX_SEND_PARTIAL_ITEM)

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* Marks where buffers may end: behind atoms, and anywhere in values of no fixed size. */
static void mark_cuts(const struct gx_bin *b, uint8_t *cut)
{
	size_t i = 0, len;
	memset(cut, 0, b->len + 1);
	while (i < b->len) {
		uint16_t type = (uint16_t)(b->data[i] | b->data[i + 1] << 8), id = (uint16_t)(b->data[i + 2] | b->data[i + 3] << 8);
		bool var = type == 0x1e || type == 0x1f || type == 0x102 || type == 0xd || type == 0xfb || (type & 0x8000);
		i += 4;
		cut[i] = 1;
		if (gx_ftx_is_marker((uint32_t)id << 16 | type))
			continue;
		if (id >= 0x8000) {
			cut[i] = 0;
			bool named = b->data[i + 16] != 0;
			i += named ? 17 : 21;
			for (; named && (b->data[i] | b->data[i + 1]) != 0; i += 2)
				;
			i += named ? 2 : 0;
			cut[i] = 1;
		}
		uint32_t values = 1;
		if (type & 0x1000 && !(type & 0x8000)) {
			memcpy(&values, b->data + i, 4);
			cut[i += 4] = 1;
			type &= 0xfff;
			var = type == 0x1e || type == 0x1f || type == 0x102;
		}
		var = var || id == 0x4017;
		for (uint32_t k = 0; k < values; ++k) {
			if (var) {
				uint32_t n;
				memcpy(&n, b->data + i, 4);
				cut[i += 4] = 1;
				memset(cut + i, 1, n + 1);
				i += n;
				continue;
			}
			len = type == 0xb ? 2 : type == 1 ? 0 : gx_ptype_size(type);
			cut[i += len] = 1;
		}
	}
	ck_assert_uint_eq(i, b->len);
}

/* The elements in buffers of so many bytes each, or random sizes for 0. */
static void produce(const struct ftx_list *l, uint32_t options, int root, size_t large_from, size_t size, struct rnd *r,
	const struct gx_bin *want, const uint8_t *cut)
{
	struct gx_ftx_out *out = ftx_new_out(options, root);
	size_t i = 0, total = 0, n;
	while (!gx_ftx_out_done(out)) {
		size_t room = size != 0 ? size : 1 + rnd_below(r, 5000);
		if (i < l->n)
			ck_assert_int_eq(ftx_put(out, &l->v[i++], large_from), 0);
		else
			ck_assert_int_eq(gx_ftx_out_end(out), 0);
		for (;;) {
			uint8_t *buf = malloc(room);
			int err = gx_ftx_out_read(out, buf, room, &n);
			if (err == 0)
				ck_assert_msg(n <= want->len - total && memcmp(buf, want->data + total, n) == 0, "at %zu", total);
			free(buf);
			if (err == GX_E_LIMIT) {
				room += 16;
				continue;
			}
			ck_assert_int_eq(err, 0);
			total += n;
			if (n != 0)
				ck_assert_msg(cut[total], "cut at %zu", total);
			if (n == 0)
				break;
		}
	}
	ck_assert_uint_eq(total, want->len);
	gx_ftx_out_free(out);
}

static struct gx_bin stream_of(const struct ftx_list *l, uint32_t options, int root)
{
	struct gx_ftx_out *out = ftx_new_out(options, root);
	for (size_t i = 0; i < l->n; ++i) {
		int err = ftx_put(out, &l->v[i], SIZE_MAX);
		ck_assert_msg(err == 0, "%zu: %08x: %s: %s", i, l->v[i].tag, gx_strerror(err), gx_ftx_out_text(out));
	}
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
	struct gx_bin b = ftx_drain(a, out);
	ck_assert(gx_ftx_out_done(out));
	gx_ftx_out_free(out);
	return b;
}

START_TEST(every_size_of_buffer_out)
{
	struct rnd r = {.s = 77, .a = a};
	struct ftx_list l;
	ftx_random(&r, GX_FTX_CONTENTS_SYNC, ALL_OPTIONS, 60, &l);
	struct gx_bin b = stream_of(&l, ALL_OPTIONS, GX_FTX_CONTENTS_SYNC);
	uint8_t *cut = gx_arena_alloc(a, b.len + 1);
	mark_cuts(&b, cut);
	for (size_t size = 1; size <= 200; ++size)
		produce(&l, ALL_OPTIONS, GX_FTX_CONTENTS_SYNC, size % 2 ? 30 : SIZE_MAX, size, &r, &b, cut);
}
END_TEST

static void consume(const struct gx_bin *b, const struct gx_ftx_in_opts *o, size_t size, unsigned stop_every,
	struct rnd *r, const struct ftx_list *want)
{
	struct ftx_list l = {.a = gx_arena_new(0), .stop_every = stop_every};
	struct gx_ftx_in *in = gx_ftx_in_new(o, &ftx_keep, &l);
	size_t at = 0, used;
	while (at < b->len) {
		size_t n = size != 0 ? size : 1 + rnd_below(r, 300);
		n = n < b->len - at ? n : b->len - at;
		uint8_t *copy = gxtest_exact(b->data + at, n);
		int err = gx_ftx_in_write(in, copy, n, &used);
		free(copy);
		ck_assert_msg(err == 0 || (err == 1 && stop_every != 0), "%d: %s", err, gx_ftx_in_text(in));
		ck_assert_uint_le(used, n);
		ck_assert(err == 1 || used == n);
		at += used;
		ck_assert_uint_eq(gx_ftx_in_offset(in), at);
	}
	ck_assert_msg(gx_ftx_in_end(in) == 0, "%s", gx_ftx_in_text(in));
	ftx_same(want, &l);
	gx_ftx_in_free(in);
	ftx_release(&l);
	gx_arena_free(l.a);
}

static const struct gx_ftx_in_opts in_contents = {
	.root = GX_FTX_CONTENTS_SYNC, .send_options = ALL_OPTIONS, .cp = GX_CP_UTF8, .max_whole = 12,
};

START_TEST(every_size_of_buffer_in)
{
	struct rnd r = {.s = 78, .a = a};
	struct ftx_list l;
	ftx_random(&r, GX_FTX_CONTENTS_SYNC, ALL_OPTIONS, 60, &l);
	struct gx_bin b = stream_of(&l, ALL_OPTIONS, GX_FTX_CONTENTS_SYNC);
	for (size_t size = 1; size <= 200; ++size)
		consume(&b, &in_contents, size, 0, &r, &l);
	for (unsigned every = 1; every < 4; ++every)
		consume(&b, &in_contents, 0, every, &r, &l);
}
END_TEST

START_TEST(random_streams)
{
	struct rnd r = {.s = 1000 + (unsigned)_i, .a = a};
	static const uint32_t forms_of_text[] = {0, GX_FTX_SEND_UNICODE, GX_FTX_SEND_FORCE_UNICODE, GX_FTX_SEND_FOR_UPLOAD};
	for (int i = 0; i < 12; ++i) {
		struct ftx_list l;
		uint32_t options = (ALL_OPTIONS & ~(uint32_t)GX_FTX_SEND_UNICODE) | forms_of_text[i % 4];
		ftx_random(&r, _i, options, rnd_below(&r, 150), &l);
		struct gx_bin b = stream_of(&l, options, _i);
		uint8_t *cut = gx_arena_alloc(a, b.len + 1);
		mark_cuts(&b, cut);
		produce(&l, options, _i, rnd_below(&r, 40), 0, &r, &b, cut);
		struct gx_ftx_in_opts o = {.root = _i, .send_options = options, .cp = GX_CP_UTF8, .max_whole = 1 + rnd_below(&r, 40)};
		consume(&b, &o, 0, 0, &r, &l);
		struct ftx_list whole = ftx_take(a, &b, &o, &ftx_keep_whole);
		ftx_same(&l, &whole);
	}
}
END_TEST

START_TEST(damaged_streams)
{
	struct rnd r = {.s = 5, .a = a};
	struct ftx_list l;
	ftx_random(&r, GX_FTX_CONTENTS_SYNC, ALL_OPTIONS, 40, &l);
	struct gx_bin b = stream_of(&l, ALL_OPTIONS, GX_FTX_CONTENTS_SYNC);
	ck_assert_int_eq(ftx_swallow(b.data, b.len, &in_contents, 0), 0);
	for (size_t n = 0; n < b.len; n += 1 + b.len / 500)
		ck_assert_int_eq(ftx_swallow(b.data, n, &in_contents, n / 2), GX_E_TRUNC);
	uint8_t *x = gx_arena_memdup(a, b.data, b.len);
	for (int i = 0; i < 1500; ++i) {
		uint32_t bit = rnd_below(&r, (uint32_t)b.len * 8);
		x[bit / 8] ^= (uint8_t)(1 << bit % 8);
		(void)ftx_swallow(x, b.len, &in_contents, rnd_below(&r, (uint32_t)b.len));
		if (i % 3 != 0)
			x[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (i % 100 == 99)
			memcpy(x, b.data, b.len);
	}
}
END_TEST

/* ---- Values that do not fit into memory ---- */

enum { PATTERN = 4093, HEAP_MAX = 1 << 20 };
static const uint64_t big = UINT64_C(64) << 20;

struct flow {
	uint64_t size, got;     /* bytes of the value; seen again */
	size_t heap, most;
	const char *pattern;    /* repeated */
	size_t plen;
};

static void watch_heap(struct flow *f)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	struct mallinfo2 m = mallinfo2();
	size_t now = m.uordblks + m.hblkhd;
#else
	size_t now = 0;
#endif
	if (now > f->heap && now - f->heap > f->most)
		f->most = now - f->heap;
}

static int read_pattern(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx)
{
	const struct flow *f = ctx;
	size_t at = (size_t)(off % f->plen);
	*ret_n = n < f->plen - at ? n : f->plen - at;
	memcpy(buf, f->pattern + at, *ret_n);
	return 0;
}

static int flow_none(const struct gx_ftx_prop *p, void *ctx)
{
	(void)p;
	(void)ctx;
	return GX_E_INTERNAL;
}

static int flow_begin(const struct gx_ftx_prop *p, uint32_t size, void *ctx)
{
	(void)p;
	(void)size;
	watch_heap(ctx);
	return 0;
}

static int flow_part(const void *data, size_t n, void *ctx)
{
	struct flow *f = ctx;
	const char *p = data;
	watch_heap(f);
	while (n != 0) {
		size_t at = (size_t)(f->got % f->plen), k = n < f->plen - at ? n : f->plen - at;
		if (memcmp(p, f->pattern + at, k) != 0)
			return GX_E_FORMAT;
		p += k;
		n -= k;
		f->got += k;
	}
	return 0;
}

static int flow_end(void *ctx)
{
	watch_heap(ctx);
	return 0;
}

static void flow(gx_proptag_t tag, const struct gx_propname *name, uint32_t options, struct flow *f)
{
	static const struct gx_ftx_in_ops ops = {.prop = flow_none, .begin = flow_begin, .part = flow_part, .end = flow_end};
	static uint8_t buf[32000];
	size_t n;
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.send_options = options, .cp = 932});
	struct gx_ftx_in *in = gx_ftx_in_new(&(struct gx_ftx_in_opts){.cp = 932}, &ops, f);
	watch_heap(f);
	f->heap = f->most;
	f->most = 0;
	ck_assert_int_eq(gx_ftx_out_large(out, tag, name, &(struct gx_ftx_reader){f->size, read_pattern, f}), 0);
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
	while (!gx_ftx_out_done(out)) {
		ck_assert_int_eq(gx_ftx_out_read(out, buf, sizeof(buf), &n), 0);
		ck_assert_msg(gx_ftx_in_write(in, buf, n, NULL) == 0, "%s", gx_ftx_in_text(in));
	}
	ck_assert_int_eq(gx_ftx_in_end(in), 0);
	ck_assert_uint_eq(f->got, f->size);
	ck_assert_uint_lt(f->most, HEAP_MAX);
	gx_ftx_out_free(out);
	gx_ftx_in_free(in);
}

START_TEST(large_binary_in_little_memory)
{
	uint8_t *pattern = gx_arena_alloc(a, PATTERN);
	for (size_t i = 0; i < PATTERN; ++i)
		pattern[i] = (uint8_t)(i * 7);
	struct flow f = {.size = big, .pattern = (const char *)pattern, .plen = PATTERN};
	flow(PidTagAttachDataBinary, NULL, 0, &f);
}
END_TEST

START_TEST(large_text_in_little_memory)
{
	static const char text[] = "z\xc3\xa4hl \xe2\x82\xac\xf0\x9f\x98\x80 bis 3.\r\n";
	static const char sjis[] = "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e abc\xef\xbd\xb1\xef\xbd\xb2\r\n";
	const struct gx_propname name = {.by_name = true, .name = "large"};
	struct flow f = {.size = (sizeof(text) - 1) * 30000, .pattern = text, .plen = sizeof(text) - 1};
	flow(PidTagBody, NULL, GX_FTX_SEND_UNICODE, &f);
	f.got = 0;
	f.heap = f.most = 0;
	flow(0x8001001f, &name, GX_FTX_SEND_FOR_UPLOAD, &f);
	f = (struct flow){.size = (sizeof(sjis) - 1) * 10000, .pattern = sjis, .plen = sizeof(sjis) - 1};
	flow(PidTagBody, NULL, 0, &f);
}
END_TEST

static int read_shrinking(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx)
{
	int *pass = ctx;
	*pass += off == 0;
	memset(buf, 'a', n);
	/* fewer characters the second time */
	if (*pass == 2 && off == 0)
		memcpy(buf, "\xc3\xa4", 2);
	*ret_n = n;
	return 0;
}

START_TEST(text_that_changes_meanwhile)
{
	for (size_t size = 1; size < 20; ++size) {
		struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_UNICODE, GX_FTX_ANY);
		int pass = 0, err = 0;
		uint8_t buf[20];
		size_t n;
		ck_assert_int_eq(gx_ftx_out_large(out, PidTagBody, NULL, &(struct gx_ftx_reader){10, read_shrinking, &pass}), 0);
		ck_assert_int_eq(gx_ftx_out_large(out, PidTagHtml, NULL, &(struct gx_ftx_reader){10, read_shrinking, &pass}),
			GX_E_STATE);
		ck_assert_int_eq(gx_ftx_out_end(out), 0);
		while (err == 0 && !gx_ftx_out_done(out)) {
			err = gx_ftx_out_read(out, buf, size < 4 ? size + 4 : size, &n);
		}
		ck_assert_int_eq(err, GX_E_STATE);
		gx_ftx_out_free(out);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ftxflow");
	TCase *t = tcase_create("streams");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_size_of_buffer_out);
	tcase_add_test(t, every_size_of_buffer_in);
	tcase_add_loop_test(t, random_streams, GX_FTX_ANY + 1, GX_FTX_ROOTS);
	tcase_add_test(t, damaged_streams);
	tcase_add_test(t, large_binary_in_little_memory);
	tcase_add_test(t, large_text_in_little_memory);
	tcase_add_test(t, text_that_changes_meanwhile);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
