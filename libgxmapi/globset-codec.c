/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/idset.h>

/*
 * Commands of a GLOBSET, [MS-OXCFXICS] 2.2.2.6. A stack of bytes is what the following counters
 * begin with. The encoder sees the ranges as a tree by common bytes and knows for each node, and
 * each number of bytes that may be on the stack there, whether pushing the node's own pays.
 */

#define WIDTH 6U
#define OP_END 0x00
#define OP_BITMASK 0x42
#define OP_POP 0x50
#define OP_RANGE 0x52
/* A bitmask command names its start and eight bits more. */
#define MASK_SPAN 8U

static uint8_t byte_of(uint64_t counter, unsigned i)
{
	return (uint8_t)(counter >> (8 * (WIDTH - 1 - i)));
}

/* Leading bytes that two counters have in common. */
static unsigned common(uint64_t x, uint64_t y)
{
	uint64_t d = x ^ y;
	return d == 0 ? WIDTH : ((unsigned)__builtin_clzll(d) - 16) / 8;
}

static uint64_t prefix(uint64_t counter, unsigned n)
{
	return n == 0 ? 0 : counter >> (8 * (WIDTH - n));
}

struct encoder {
	const struct gx_idrange *v;
	/* A byte for each node, in the order of a walk: bit d is set when pushing pays with d bytes on the stack. */
	uint8_t *plan;
	size_t nplan, cap;
	int err;
};

/* [i, end) is one child of the node of depth p that begins at i. */
static size_t child_end(const struct encoder *e, size_t i, size_t n, unsigned p)
{
	uint64_t key = prefix(e->v[i].lo, p + 1);
	size_t k = i + 1;
	if (prefix(e->v[i].hi, p + 1) != key)
		return k;
	while (k < n && prefix(e->v[k].hi, p + 1) == key)
		k++;
	return k;
}

/* ---- Below five bytes: single counters, ranges, bit masks ---- */

static unsigned range_cost(struct gx_idrange r, unsigned depth)
{
	return 1 + (r.lo == r.hi ? 1 : 2) * (WIDTH - depth);
}

/* Ranges from i on that one bit mask can say. */
static size_t mask_end(const struct encoder *e, size_t i, size_t n)
{
	size_t k = i;
	while (k < n && e->v[k].hi - e->v[i].lo <= MASK_SPAN)
		k++;
	return k;
}

/* How many of the ranges from i on the next command takes: one, or those of a bit mask where it is shorter. */
static size_t last_byte_step(const struct encoder *e, size_t i, size_t n, unsigned *ret_cost)
{
	size_t k = mask_end(e, i, n);
	unsigned cost = 0;
	for (size_t x = i; x < k; ++x)
		cost += range_cost(e->v[x], WIDTH - 1);
	if (cost > 3) {
		*ret_cost = 3;
		return k;
	}
	*ret_cost = range_cost(e->v[i], WIDTH - 1);
	return i + 1;
}

static uint64_t last_byte_cost(const struct encoder *e, size_t i, size_t n)
{
	uint64_t sum = 0;
	unsigned cost;
	for (; i < n; sum += cost)
		i = last_byte_step(e, i, n, &cost);
	return sum;
}

/* ---- First walk: what pays ---- */

/* Bytes that some ranges take, by the number of bytes on the stack. */
struct costs {
	uint64_t by[WIDTH];
};

static size_t new_node(struct encoder *e)
{
	if (e->nplan == e->cap) {
		size_t cap = e->cap == 0 ? 64 : e->cap * 2;
		uint8_t *plan = realloc(e->plan, cap);
		if (plan == NULL) {
			e->err = GX_E_NOMEM;
			return 0;
		}
		e->plan = plan;
		e->cap = cap;
	}
	e->plan[e->nplan] = 0;
	return e->nplan++;
}

/* A node without children: a range, or counters that differ in their last byte. */
static bool is_leaf(size_t i, size_t n, unsigned p)
{
	return n == i + 1 || p == WIDTH - 1;
}

static void weigh_leaf(const struct encoder *e, size_t i, size_t n, struct costs *ret_c)
{
	for (unsigned d = 0; d < WIDTH - 1; ++d) {
		ret_c->by[d] = 0;
		for (size_t k = i; k < n; ++k)
			ret_c->by[d] += range_cost(e->v[k], d);
	}
	ret_c->by[WIDTH - 1] = last_byte_cost(e, i, n);
}

static void weigh(struct encoder *e, size_t i, size_t n, struct costs *ret_c)
{
	unsigned p = common(e->v[i].lo, e->v[n - 1].hi);
	memset(ret_c, 0, sizeof(*ret_c));
	if (p == WIDTH) {
		weigh_leaf(e, i, n, ret_c);
		return;
	}
	size_t node = new_node(e);
	if (e->err != 0)
		return;
	if (is_leaf(i, n, p))
		weigh_leaf(e, i, n, ret_c);
	else for (size_t k = i, end; k < n && e->err == 0; k = end) {
		struct costs c;
		end = child_end(e, k, n, p);
		weigh(e, k, end, &c);
		for (unsigned d = 0; d < WIDTH; ++d)
			ret_c->by[d] += c.by[d];
	}
	for (unsigned d = 0; d < p && e->err == 0; ++d) {
		uint64_t pushed = 1 + (p - d) + ret_c->by[p] + 1;
		if (pushed < ret_c->by[d]) {
			ret_c->by[d] = pushed;
			e->plan[node] |= (uint8_t)(1U << d);
		}
	}
}

/* ---- Second walk: the commands ---- */

static void put_bytes(struct gx_push *out, uint64_t counter, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; ++i)
		gx_push_u8(out, byte_of(counter, i));
}

static void put_common(struct gx_push *out, uint64_t counter, unsigned from, unsigned to)
{
	gx_push_u8(out, (uint8_t)(to - from));
	put_bytes(out, counter, from, to);
}

static void put_range(struct gx_push *out, struct gx_idrange r, unsigned depth)
{
	if (r.lo == r.hi) {
		put_common(out, r.lo, depth, WIDTH);
		return;
	}
	gx_push_u8(out, OP_RANGE);
	put_bytes(out, r.lo, depth, WIDTH);
	put_bytes(out, r.hi, depth, WIDTH);
}

static void put_mask(struct gx_push *out, const struct gx_idrange *v, size_t n)
{
	uint64_t start = v[0].lo;
	unsigned bits = 0;
	for (size_t i = 0; i < n; ++i)
		for (uint64_t x = v[i].lo; x <= v[i].hi; ++x)
			bits |= 1U << (x - start);
	gx_push_u8(out, OP_BITMASK);
	gx_push_u8(out, (uint8_t)start);
	gx_push_u8(out, (uint8_t)(bits >> 1));
}

static void put_leaf(struct gx_push *out, const struct encoder *e, size_t i, size_t n, unsigned depth)
{
	while (i < n) {
		unsigned cost;
		size_t k = depth == WIDTH - 1 ? last_byte_step(e, i, n, &cost) : i + 1;
		if (k > i + 1)
			put_mask(out, e->v + i, k - i);
		else
			put_range(out, e->v[i], depth);
		i = k;
	}
}

/* The walk is the same as the first one, so the next byte of the plan is this node's. */
static void put(struct gx_push *out, struct encoder *e, size_t i, size_t n, unsigned depth)
{
	unsigned p = common(e->v[i].lo, e->v[n - 1].hi), d = depth;
	if (p == WIDTH) {
		put_leaf(out, e, i, n, depth);
		return;
	}
	if (e->plan[e->nplan++] & 1U << depth) {
		put_common(out, e->v[i].lo, depth, p);
		d = p;
	}
	if (is_leaf(i, n, p))
		put_leaf(out, e, i, n, d);
	else for (size_t k = i, end; k < n; k = end) {
		end = child_end(e, k, n, p);
		put(out, e, k, end, d);
	}
	if (d != depth)
		gx_push_u8(out, OP_POP);
}

/* All ranges one behind the other. NULL: no memory. */
static struct gx_idrange *flatten(const struct gx_globset *s)
{
	struct gx_idrange *v = malloc(s->ranges * sizeof(*v));
	struct gx_globset_iter it;
	gx_globset_iter(s, &it);
	for (size_t n = 0; v != NULL && gx_globset_next(&it, v + n);)
		n++;
	return v;
}

void gx_globset_push(struct gx_push *out, const struct gx_globset *s)
{
	struct costs c;
	if (s->ranges > 0) {
		struct gx_idrange *v = flatten(s);
		struct encoder e = {.v = v, .err = v == NULL ? GX_E_NOMEM : 0};
		if (e.err == 0)
			weigh(&e, 0, s->ranges, &c);
		if (e.err == 0) {
			e.nplan = 0;
			put(out, &e, 0, s->ranges, 0);
		} else {
			gx_push_fail(out, e.err);
		}
		free(e.plan);
		free(v);
	}
	gx_push_u8(out, OP_END);
}

/* ---- Decoder ---- */

struct stack {
	uint64_t bytes;
	unsigned depth, pushes;
	uint8_t pushed[WIDTH]; /* bytes of each push */
};

/* The bytes on the stack with as many from the input as make a counter. */
static uint64_t complete(struct gx_pull *c, const struct stack *k, unsigned n)
{
	const uint8_t *p = gx_pull_bytes(c, n);
	uint64_t x = k->bytes;
	for (unsigned i = 0; p != NULL && i < n; ++i)
		x = x << 8 | p[i];
	return x;
}

static void add(struct gx_pull *c, struct gx_globset *s, uint64_t lo, uint64_t hi)
{
	int err = c->err != 0 ? 0 : gx_globset_add_range(s, lo, hi);
	if (err != 0) /* also a range that ends before it starts */
		gx_pull_fail(c, err == GX_E_RANGE ? GX_E_FORMAT : err);
}

static void take_push(struct gx_pull *c, struct stack *k, struct gx_globset *s, unsigned n)
{
	if (n > WIDTH - k->depth) {
		gx_pull_fail(c, GX_E_FORMAT);
		return;
	}
	uint64_t x = complete(c, k, n);
	if (k->depth + n == WIDTH) {
		add(c, s, x, x);
		return;
	}
	k->bytes = x;
	k->depth += n;
	k->pushed[k->pushes++] = (uint8_t)n;
}

static void take_pop(struct gx_pull *c, struct stack *k)
{
	if (k->pushes == 0) {
		gx_pull_fail(c, GX_E_FORMAT);
		return;
	}
	unsigned n = k->pushed[--k->pushes];
	k->depth -= n;
	k->bytes >>= 8 * n;
}

static void take_mask(struct gx_pull *c, const struct stack *k, struct gx_globset *s)
{
	if (k->depth != WIDTH - 1) {
		gx_pull_fail(c, GX_E_FORMAT);
		return;
	}
	uint64_t start = complete(c, k, 1);
	unsigned bits = gx_pull_u8(c) * 2U + 1;
	if ((start & 0xff) + (31 - (unsigned)__builtin_clz(bits)) > 0xff)
		gx_pull_fail(c, GX_E_FORMAT);
	for (unsigned i = 0; i <= MASK_SPAN; ++i)
		if (bits & 1U << i)
			add(c, s, start + i, start + i);
}

static void take_range(struct gx_pull *c, const struct stack *k, struct gx_globset *s)
{
	uint64_t lo = complete(c, k, WIDTH - k->depth), hi = complete(c, k, WIDTH - k->depth);
	add(c, s, lo, hi);
}

int gx_globset_pull(struct gx_pull *c, struct gx_globset *s)
{
	struct stack k = {0};
	while (c->err == 0) {
		uint8_t op = gx_pull_u8(c);
		if (c->err != 0)
			break;
		if (op >= 1 && op <= WIDTH)
			take_push(c, &k, s, op);
		else if (op == OP_BITMASK)
			take_mask(c, &k, s);
		else if (op == OP_POP)
			take_pop(c, &k);
		else if (op == OP_RANGE)
			take_range(c, &k, s);
		else if (op == OP_END && k.depth == 0)
			break;
		else
			gx_pull_fail(c, GX_E_FORMAT);
	}
	return c->err;
}
