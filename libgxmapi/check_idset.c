/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/idset.h>

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % n;
}

static void setup(void)
{
	seed = 4711;
}

static int pull(const void *data, size_t len, struct gx_idset *s)
{
	struct gx_pull c;
	void *copy = gxtest_exact(data, len);
	gx_pull_init(&c, copy, len);
	int err = gx_idset_pull(&c, s);
	free(copy);
	return err;
}

/* Ranges as text, "5-6 10". */
static void check_ranges(const struct gx_globset *g, const char *want)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	struct gx_push out = GX_PUSH_INIT;
	uint64_t count = 0, ranges = 0;
	gx_globset_iter(g, &it);
	while (gx_globset_next(&it, &r)) {
		gx_push_printf(&out, r.lo == r.hi ? "%s%llx" : "%s%llx-%llx", out.len > 0 ? " " : "", (unsigned long long)r.lo, (unsigned long long)r.hi);
		count += r.hi - r.lo + 1;
		ranges++;
	}
	gx_push_u8(&out, 0);
	ck_assert_str_eq((const char *)out.data, want);
	ck_assert_uint_eq(g->count, count);
	ck_assert_uint_eq(g->ranges, ranges);
	gx_push_release(&out);
}

START_TEST(sets_of_ranges)
{
	struct gx_globset g = GX_GLOBSET_INIT;
	struct gx_idrange r;
	check_ranges(&g, "");
	ck_assert(!gx_globset_contains(&g, 0));
	ck_assert_int_eq(gx_globset_add(&g, 5), 0);
	ck_assert_int_eq(gx_globset_add(&g, 7), 0);
	check_ranges(&g, "5 7");
	ck_assert_int_eq(gx_globset_add(&g, 6), 0);
	check_ranges(&g, "5-7");
	ck_assert_int_eq(gx_globset_add_range(&g, 0x10, 0x20), 0);
	ck_assert_int_eq(gx_globset_add(&g, 0), 0);
	ck_assert_int_eq(gx_globset_add(&g, GX_COUNTER_MAX), 0);
	check_ranges(&g, "0 5-7 10-20 ffffffffffff");
	ck_assert_int_eq(gx_globset_remove_range(&g, 0x12, 0x13), 0);
	ck_assert_int_eq(gx_globset_remove(&g, 6), 0);
	ck_assert_int_eq(gx_globset_remove(&g, 0x20), 0);
	ck_assert_int_eq(gx_globset_remove(&g, 0x900), 0);
	check_ranges(&g, "0 5 7 10-11 14-1f ffffffffffff");
	ck_assert(gx_globset_find(&g, 0x15, &r));
	ck_assert_uint_eq(r.lo, 0x14);
	ck_assert_uint_eq(r.hi, 0x1f);
	ck_assert(!gx_globset_find(&g, 0x13, &r));
	ck_assert(gx_globset_contains(&g, GX_COUNTER_MAX) && !gx_globset_contains(&g, GX_COUNTER_MAX - 1));
	ck_assert_int_eq(gx_globset_add_range(&g, 6, 0x13), 0);
	check_ranges(&g, "0 5-1f ffffffffffff");
	ck_assert_int_eq(gx_globset_add_range(&g, 1, GX_COUNTER_MAX), 0);
	check_ranges(&g, "0-ffffffffffff");
	ck_assert_int_eq(gx_globset_remove_range(&g, 0, GX_COUNTER_MAX), 0);
	check_ranges(&g, "");
	ck_assert_int_eq(gx_globset_add(&g, GX_COUNTER_MAX + 1), GX_E_RANGE);
	ck_assert_int_eq(gx_globset_add_range(&g, 2, 1), GX_E_RANGE);
	ck_assert_int_eq(gx_globset_remove_range(&g, 2, 1), GX_E_RANGE);
	gx_globset_release(&g);
}
END_TEST

/* ---- Against a plain bitmap ---- */

#define MODEL 6000U
struct model {
	uint8_t in[MODEL];
	struct gx_globset g;
};

static void check_model(const struct model *m)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	uint64_t count = 0, ranges = 0;
	uint32_t at = 0;
	gx_globset_iter(&m->g, &it);
	while (gx_globset_next(&it, &r)) {
		for (; at < r.lo; ++at)
			ck_assert(!m->in[at]);
		ck_assert(ranges == 0 || !m->in[r.lo - 1]);
		for (; at <= r.hi; ++at, ++count)
			ck_assert(m->in[at]);
		ranges++;
	}
	for (; at < MODEL; ++at)
		ck_assert(!m->in[at]);
	ck_assert_uint_eq(m->g.count, count);
	ck_assert_uint_eq(m->g.ranges, ranges);
	for (int i = 0; i < 50; ++i) {
		uint32_t x = rnd(MODEL);
		ck_assert_int_eq(gx_globset_contains(&m->g, x), m->in[x]);
		gx_globset_iter_from(&m->g, x, &it);
		while (x < MODEL && !m->in[x])
			x++;
		ck_assert_int_eq(gx_globset_next(&it, &r), x < MODEL);
		ck_assert(x == MODEL || (r.lo <= x && x <= r.hi));
	}
}

static void step(struct model *m, uint32_t widest)
{
	uint32_t lo = rnd(MODEL), hi = lo + rnd(widest);
	hi = hi < MODEL ? hi : MODEL - 1;
	bool add = rnd(2) != 0;
	ck_assert_int_eq((add ? gx_globset_add_range : gx_globset_remove_range)(&m->g, lo, hi), 0);
	memset(m->in + lo, add, hi - lo + 1);
}

static struct model *random_model(uint32_t steps)
{
	struct model *m = calloc(1, sizeof(*m));
	uint32_t widest = rnd(4) == 0 ? 900 : 1 + rnd(4);
	while (steps-- > 0)
		step(m, widest);
	return m;
}

static void free_model(struct model *m)
{
	gx_globset_release(&m->g);
	free(m);
}

START_TEST(random_steps)
{
	for (int round = 0; round < 6; ++round) {
		struct model *m = calloc(1, sizeof(*m));
		for (int i = 0; i < 12000; ++i) {
			step(m, round < 3 ? 3 : 1000);
			if (i % 200 == 0)
				check_model(m);
		}
		check_model(m);
		free_model(m);
	}
}
END_TEST

START_TEST(union_and_difference)
{
	for (int round = 0; round < 300; ++round) {
		struct model *x = random_model(rnd(3000)), *y = random_model(rnd(round % 2 == 0 ? 3000 : 20));
		bool add = rnd(2) != 0;
		ck_assert_int_eq((add ? gx_globset_union : gx_globset_subtract)(&x->g, &y->g), 0);
		for (uint32_t i = 0; i < MODEL; ++i)
			x->in[i] = add ? x->in[i] | y->in[i] : x->in[i] & !y->in[i];
		check_model(x);
		check_model(y);
		if (round % 50 == 0) {
			ck_assert_int_eq(gx_globset_union(&x->g, &x->g), 0);
			check_model(x);
			ck_assert_int_eq(gx_globset_subtract(&x->g, &x->g), 0);
			ck_assert_uint_eq(x->g.count, 0);
		}
		free_model(x);
		free_model(y);
	}
}
END_TEST

START_TEST(a_million)
{
	struct gx_globset g = GX_GLOBSET_INIT, h = GX_GLOBSET_INIT;
	const uint64_t many = GXTEST_ASAN && !gxtest_soaking() ? 1U << 17 : 1U << 20;
	/* an odd factor and a power of two: every value once, in no order */
	for (uint64_t i = 0; i < many; ++i)
		ck_assert_int_eq(gx_globset_add(&g, (i * 654321 + 17) % many * 2), 0);
	ck_assert_uint_eq(g.ranges, many);
	for (uint64_t i = 0; i < many; ++i)
		ck_assert_int_eq(gx_globset_add(&h, i * 2), 0);
	ck_assert(gx_globset_equal(&g, &h));
	for (uint64_t i = 0; i < many; ++i)
		ck_assert_int_eq(gx_globset_add(&g, (i * 54321 + 3) % many * 2 + 1), 0);
	ck_assert_uint_eq(g.ranges, 1);
	ck_assert_uint_eq(g.count, 2 * many);
	gx_globset_release(&g);
	gx_globset_release(&h);
}
END_TEST

START_TEST(too_many)
{
	struct gx_globset g = GX_GLOBSET_INIT;
	for (uint64_t i = 0; i < GX_GLOBSET_RANGES_MAX; ++i)
		ck_assert_int_eq(gx_globset_add(&g, 2 * i), 0);
	ck_assert_int_eq(gx_globset_add(&g, UINT64_C(1) << 40), GX_E_LIMIT);
	ck_assert_int_eq(gx_globset_add(&g, 1), 0);
	ck_assert_int_eq(gx_globset_remove(&g, 1), 0);
	ck_assert_int_eq(gx_globset_add_range(&g, 8, 10), 0);
	ck_assert_int_eq(gx_globset_add(&g, UINT64_C(1) << 40), 0);
	uint64_t count = g.count;
	ck_assert_int_eq(gx_globset_remove(&g, 9), GX_E_LIMIT);
	ck_assert(gx_globset_contains(&g, 9));
	ck_assert_uint_eq(g.count, count);
	gx_globset_release(&g);
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID);
	for (uint32_t i = 0; i < GX_IDSET_REPLICAS_MAX; ++i)
		ck_assert_int_eq(gx_idset_add(&s, gx_eid_make((uint16_t)(i * 7), 1)), 0);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(1, 1)), GX_E_LIMIT);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(7, 2)), 0);
	gx_idset_release(&s);
}
END_TEST

/* ---- Wire ---- */

#define CHECK_WIRE(s, text) \
	do { \
		struct gx_push out_ = GX_PUSH_INIT; \
		gx_idset_push(&out_, s); \
		ck_assert_int_eq(out_.err, 0); \
		ck_assert_uint_eq(out_.len, sizeof(text) - 1); \
		ck_assert_mem_eq(out_.data, text, sizeof(text) - 1); \
		gx_push_release(&out_); \
	} while (0)

#define PULL(s, text) pull(text, sizeof(text) - 1, s)

/* The ids of [MS-OXCFXICS] 4.4. */
START_TEST(example)
{
	static const char wire[] = "\1\0" "\5\0\0\0\0\0" "\x52\5\6" "\1\x10" "\x50" "\0" "\2\0" "\6\0\0\0\0\0\x09" "\0";
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID), back = GX_IDSET_INIT(GX_IDSET_REPLID);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(2, 9)), 0);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(1, 0x10)), 0);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(1, 6)), 0);
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(1, 5)), 0);
	ck_assert(gx_idset_contains(&s, gx_eid_make(2, 9)) && !gx_idset_contains(&s, gx_eid_make(1, 9)));
	ck_assert_uint_eq(gx_idset_count(&s), 4);
	ck_assert_int_eq(PULL(&back, wire), 0);
	ck_assert(gx_idset_equal(&s, &back));
	CHECK_WIRE(&s, wire);
	ck_assert_int_eq(gx_idset_remove(&back, gx_eid_make(2, 9)), 0);
	ck_assert_int_eq(gx_idset_remove(&back, gx_eid_make(3, 9)), 0);
	ck_assert(!gx_idset_equal(&s, &back));
	ck_assert_int_eq(gx_idset_subtract(&s, &back), 0);
	CHECK_WIRE(&s, "\2\0" "\6\0\0\0\0\0\x09" "\0");
	ck_assert_int_eq(gx_idset_union(&s, &back), 0);
	CHECK_WIRE(&s, wire);
	gx_idset_release(&s);
	gx_idset_release(&back);
}
END_TEST

START_TEST(commands)
{
	static const struct {
		const char *wire;
		size_t len;
		const char *ranges;
	} cases[] = {
#define CASE(wire, ranges) {"\1\0" wire, sizeof("\1\0" wire) - 1, ranges}
		CASE("\0", ""),
		CASE("\6\1\2\3\4\5\6\0", "10203040506"),
		CASE("\5\0\0\0\0\1\x42\x10\xff\x50\0", "110-118"),
		CASE("\5\0\0\0\0\1\x42\x10\x55\x50\0", "110-111 113 115 117"),
		CASE("\5\0\0\0\0\1\x42\xff\0\x50\0", "1ff"),
		CASE("\5\0\0\0\0\1\x42\xf7\x80\x50\0", "1f7 1ff"),
		/* a push that completes a counter takes itself off */
		CASE("\2\0\0\4\0\0\0\1\4\0\0\0\3\x52\0\0\1\0\0\0\1\x0f\x50\0", "1 3 100-10f"),
		CASE("\1\0\1\0\3\0\0\0\1\7\x50\3\0\0\2\x52\5\6\x50\x50\x50\0", "7 205-206"),
		CASE("\x52\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\0", "0-ffffffffffff"),
		/* any order, overlaps */
		CASE("\x52\0\0\0\0\1\0\0\0\0\0\2\0\6\0\0\0\0\0\1\x52\0\0\0\0\0\x80\0\0\0\0\1\x80\0", "1 80-200"),
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID);
		ck_assert_int_eq(pull(cases[i].wire, cases[i].len, &s), 0);
		ck_assert_uint_eq(s.n, 1);
		check_ranges(&s.v[0].set, cases[i].ranges);
		gx_idset_release(&s);
	}
}
END_TEST

START_TEST(malformed)
{
	static const struct {
		const char *wire;
		size_t len;
		int err;
	} cases[] = {
#define BAD(wire, err) {wire, sizeof(wire) - 1, err}
		BAD("\1", GX_E_TRUNC),
		BAD("\1\0", GX_E_TRUNC),
		BAD("\1\0\1", GX_E_TRUNC),
		BAD("\1\0\6\0\0\0\0\0\1", GX_E_TRUNC),
		BAD("\1\0\x52\0\0\0\0\0\1\0\0\0\0\0", GX_E_TRUNC),
		BAD("\1\0\7\0\0\0\0\0\0\0\0", GX_E_FORMAT),
		BAD("\1\0\x50\0", GX_E_FORMAT),
		BAD("\1\0\5\0\0\0\0\0\0", GX_E_FORMAT),             /* end with bytes on the stack */
		BAD("\1\0\5\0\0\0\0\0\2\0\0\x50\0", GX_E_FORMAT),   /* seven bytes */
		BAD("\1\0\6\0\0\0\0\0\1\x50\0", GX_E_FORMAT),       /* taken off already */
		BAD("\1\0\4\0\0\0\0\x42\1\1\x50\0", GX_E_FORMAT),   /* bit mask needs five */
		BAD("\1\0\5\0\0\0\0\0\x42\xff\1\x50\0", GX_E_FORMAT),
		BAD("\1\0\5\0\0\0\0\0\x52\2\1\x50\0", GX_E_FORMAT), /* ends before it starts */
		BAD("\1\0\x43\0", GX_E_FORMAT),
		BAD("\1\0\0\2\0\xff\0", GX_E_FORMAT),
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID);
		ck_assert_int_eq(pull(cases[i].wire, cases[i].len, &s), cases[i].err);
		gx_idset_release(&s);
	}
}
END_TEST

/* Counters near each other at every level of the tree. */
static void random_set(struct gx_globset *g, uint32_t n)
{
	uint64_t base[6];
	for (int i = 0; i < 6; ++i)
		base[i] = ((uint64_t)rnd(1U << 24) << 24 | rnd(1U << 24)) >> (8 * rnd(6));
	while (n-- > 0) {
		uint64_t lo = base[rnd(6)] ^ (uint64_t)rnd(1U << 30) >> rnd(31);
		lo = lo ^ (uint64_t)(rnd(30) == 0 ? rnd(256) : 0) << (8 * rnd(6));
		uint64_t hi = lo + (rnd(3) == 0 ? rnd(1U << 30) >> rnd(31) : 0);
		hi = hi > GX_COUNTER_MAX ? GX_COUNTER_MAX : hi;
		ck_assert_int_eq(gx_globset_add_range(g, lo & GX_COUNTER_MAX, hi < lo ? lo : hi), 0);
	}
}

/* One command a range, nothing shared. */
static size_t naive_len(const struct gx_globset *g)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	size_t n = 1;
	gx_globset_iter(g, &it);
	while (gx_globset_next(&it, &r))
		n += r.lo == r.hi ? 7 : 13;
	return n;
}

static void random_idset(struct gx_idset *s, uint32_t replicas, uint32_t n)
{
	for (uint32_t i = 0; i < replicas; ++i) {
		struct gx_globset *g;
		struct gx_guid guid = {.d1 = rnd(1U << 30), .d2 = (uint16_t)rnd(3)};
		int err = s->form == GX_IDSET_REPLID ? gx_idset_need(s, (uint16_t)rnd(65536), &g) : gx_idset_need_guid(s, &guid, &g);
		ck_assert_int_eq(err, 0);
		random_set(g, rnd(n));
	}
}

START_TEST(round_trips)
{
	for (int round = 0; round < 400; ++round) {
		struct gx_idset s = GX_IDSET_INIT(round & 1), back = GX_IDSET_INIT(round & 1);
		struct gx_push out = GX_PUSH_INIT;
		random_idset(&s, rnd(4), round % 20 == 0 ? 3000 : 40);
		gx_idset_push(&out, &s);
		ck_assert_int_eq(out.err, 0);
		size_t naive = 0;
		for (size_t i = 0; i < s.n; ++i)
			naive += 16 + naive_len(&s.v[i].set);
		ck_assert_uint_le(out.len, naive);
		ck_assert_int_eq(pull(out.data, out.len, &back), 0);
		ck_assert(gx_idset_equal(&s, &back));
		gx_push_release(&out);
		gx_idset_release(&s);
		gx_idset_release(&back);
	}
}
END_TEST

static size_t pushed_len(const struct gx_globset *g)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_globset_push(&out, g);
	ck_assert_int_eq(out.err, 0);
	size_t n = out.len;
	gx_push_release(&out);
	return n;
}

START_TEST(compact)
{
	struct gx_globset g = GX_GLOBSET_INIT;
	ck_assert_int_eq(gx_globset_add_range(&g, 1, 0x123456), 0);
	ck_assert_uint_eq(pushed_len(&g), 1 + 3 + 1 + 6 + 1 + 1);
	gx_globset_release(&g);
	/* every second of 2,048: bit masks of nine */
	for (uint64_t i = 0; i < 1024; ++i)
		ck_assert_int_eq(gx_globset_add(&g, 0x770000 + 2 * i), 0);
	ck_assert_uint_le(pushed_len(&g), 1024 * 3 / 4);
	gx_globset_release(&g);
	/* far apart: nothing to share but the two leading bytes */
	for (uint64_t i = 0; i < 256; ++i)
		ck_assert_int_eq(gx_globset_add(&g, i * 0x01000001), 0);
	ck_assert_uint_le(pushed_len(&g), 256 * 5 + 5);
	gx_globset_release(&g);
}
END_TEST

START_TEST(truncated_and_flipped)
{
	for (int form = 0; form < 2; ++form) {
		struct gx_idset s = GX_IDSET_INIT(form);
		struct gx_push out = GX_PUSH_INIT, bytes = GX_PUSH_INIT;
		random_idset(&s, 3, 40);
		gx_idset_push(&out, &s);
		ck_assert_int_eq(out.err, 0);
		for (size_t cut = 0; cut < out.len; ++cut) {
			struct gx_idset t = GX_IDSET_INIT(form);
			int err = pull(out.data, cut, &t);
			ck_assert(err == GX_E_TRUNC || (err == 0 && gx_idset_count(&t) < gx_idset_count(&s)));
			gx_idset_release(&t);
		}
		for (size_t bit = 0; bit < out.len * 8; ++bit) {
			struct gx_idset t = GX_IDSET_INIT(form), u = GX_IDSET_INIT(form);
			out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			if (pull(out.data, out.len, &t) == 0) {
				gx_push_clear(&bytes);
				gx_idset_push(&bytes, &t);
				ck_assert_int_eq(pull(bytes.data, bytes.len, &u), 0);
				ck_assert(gx_idset_equal(&t, &u));
			}
			out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			gx_idset_release(&t);
			gx_idset_release(&u);
		}
		gx_push_release(&out);
		gx_push_release(&bytes);
		gx_idset_release(&s);
	}
}
END_TEST

/* ---- Forms ---- */

static int to_guid(struct gx_idset_replica *r, void *ctx)
{
	unsigned *calls = ctx;
	++*calls;
	if (r->replid == 3)
		return GX_E_NOTFOUND;
	if (r->replid == 4)
		return GX_E_IO;
	r->guid = (struct gx_guid){.d1 = 0x01000000, .d2 = r->replid == 1 ? 2 : 1};
	return 0;
}

START_TEST(forms)
{
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID), t = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	struct gx_guid one = {.d1 = 0x01000000, .d2 = 2}, two = {.d1 = 0x02};
	struct gx_globset *g;
	unsigned calls = 0;
	for (uint16_t r = 1; r < 4; ++r)
		ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(r, r)), 0);
	ck_assert_int_eq(gx_idset_convert(&t, &s, to_guid, &calls), 0);
	ck_assert_uint_eq(calls, 3);
	ck_assert_uint_eq(t.n, 2);
	ck_assert(gx_globset_contains(gx_idset_get_guid(&t, &one), 1));
	ck_assert_ptr_null(gx_idset_get_guid(&t, &two));
	/* order is that of the bytes: 00 00 00 01 is before 02 00 00 00 */
	ck_assert_int_eq(gx_idset_need_guid(&t, &two, &g), 0);
	ck_assert_uint_eq(t.v[2].guid.d1, 2);
	CHECK_WIRE(&t, "\0\0\0\1\1\0\0\0\0\0\0\0\0\0\0\0" "\6\0\0\0\0\0\2" "\0" "\0\0\0\1\2\0\0\0\0\0\0\0\0\0\0\0" "\6\0\0\0\0\0\1" "\0");
	ck_assert_int_eq(gx_idset_add(&s, gx_eid_make(4, 1)), 0);
	ck_assert_int_eq(gx_idset_convert(&t, &s, to_guid, &calls), GX_E_IO);
	ck_assert_int_eq(gx_idset_convert(&s, &s, to_guid, &calls), GX_E_INVAL);
	ck_assert_int_eq(gx_idset_need_guid(&s, &one, &g), GX_E_INVAL);
	ck_assert_int_eq(gx_idset_need(&t, 1, &g), GX_E_INVAL);
	ck_assert_int_eq(gx_idset_remove(&t, 1), GX_E_INVAL);
	ck_assert_int_eq(gx_idset_union(&s, &t), GX_E_INVAL);
	ck_assert_int_eq(gx_idset_subtract(&s, &t), GX_E_INVAL);
	ck_assert(!gx_idset_equal(&s, &t));
	ck_assert_ptr_null(gx_idset_get(&t, 1));
	ck_assert(!gx_idset_contains(&t, gx_eid_make(1, 1)));
	gx_idset_release(&t);
	ck_assert_int_eq(t.form, GX_IDSET_REPLGUID);
	gx_idset_release(&s);
}
END_TEST

static Suite *idset_suite(void)
{
	Suite *s = suite_create("idset");
	TCase *t = tcase_create("idset");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, sets_of_ranges);
	tcase_add_test(t, random_steps);
	tcase_add_test(t, union_and_difference);
	tcase_add_test(t, a_million);
	tcase_add_test(t, too_many);
	tcase_add_test(t, example);
	tcase_add_test(t, commands);
	tcase_add_test(t, malformed);
	tcase_add_test(t, round_trips);
	tcase_add_test(t, compact);
	tcase_add_test(t, truncated_and_flipped);
	tcase_add_test(t, forms);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(idset_suite)
