/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/cursor.h>

#define DEFAULT_DEPTH 64

void gx_pull_init(struct gx_pull *c, const void *data, size_t len)
{
	*c = (struct gx_pull){.p = data, .left = len, .start = data, .max_depth = DEFAULT_DEPTH};
}

int gx_pull_fail(struct gx_pull *c, int err)
{
	if (c->err == 0) {
		c->err = err;
		c->left = 0;
	}
	return c->err;
}

const uint8_t *gx_pull_bytes(struct gx_pull *c, size_t n)
{
	if (c->err != 0)
		return NULL;
	if (n > c->left) {
		gx_pull_fail(c, GX_E_TRUNC);
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	c->left -= n;
	return p;
}

static uint64_t pull_le(struct gx_pull *c, unsigned n)
{
	const uint8_t *p = gx_pull_bytes(c, n);
	uint64_t v = 0;
	if (p != NULL)
		for (unsigned i = 0; i < n; ++i)
			v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t pull_be(struct gx_pull *c, unsigned n)
{
	const uint8_t *p = gx_pull_bytes(c, n);
	uint64_t v = 0;
	if (p != NULL)
		for (unsigned i = 0; i < n; ++i)
			v = v << 8 | p[i];
	return v;
}

uint8_t gx_pull_u8(struct gx_pull *c)
{
	return (uint8_t)pull_le(c, 1);
}

uint16_t gx_pull_u16(struct gx_pull *c)
{
	return (uint16_t)pull_le(c, 2);
}

uint32_t gx_pull_u32(struct gx_pull *c)
{
	return (uint32_t)pull_le(c, 4);
}

uint64_t gx_pull_u64(struct gx_pull *c)
{
	return pull_le(c, 8);
}

uint16_t gx_pull_u16be(struct gx_pull *c)
{
	return (uint16_t)pull_be(c, 2);
}

uint32_t gx_pull_u32be(struct gx_pull *c)
{
	return (uint32_t)pull_be(c, 4);
}

uint64_t gx_pull_u48be(struct gx_pull *c)
{
	return pull_be(c, 6);
}

float gx_pull_f32(struct gx_pull *c)
{
	uint32_t u = gx_pull_u32(c);
	float f;
	memcpy(&f, &u, sizeof(f));
	return f;
}

double gx_pull_f64(struct gx_pull *c)
{
	uint64_t u = gx_pull_u64(c);
	double d;
	memcpy(&d, &u, sizeof(d));
	return d;
}

uint64_t gx_pull_varint(struct gx_pull *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = gx_pull_u8(c);
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return c->err == 0 ? v : 0;
	}
	gx_pull_fail(c, GX_E_FORMAT);
	return 0;
}

struct gx_guid gx_pull_guid(struct gx_pull *c)
{
	struct gx_guid g = {0};
	const uint8_t *p = gx_pull_bytes(c, 16);
	if (p != NULL)
		gx_guid_get(p, &g);
	return g;
}

const char *gx_pull_strz(struct gx_pull *c)
{
	if (c->err != 0)
		return "";
	const uint8_t *end = c->left == 0 ? NULL : memchr(c->p, 0, c->left);
	if (end == NULL) {
		gx_pull_fail(c, GX_E_TRUNC);
		return "";
	}
	return (const char *)gx_pull_bytes(c, (size_t)(end - c->p) + 1);
}

void gx_pull_skip(struct gx_pull *c, size_t n)
{
	(void)gx_pull_bytes(c, n);
}

size_t gx_pull_count(struct gx_pull *c, uint64_t n, size_t min_size)
{
	assert(min_size > 0);
	if (c->err != 0)
		return 0;
	if (n > c->left / min_size) {
		gx_pull_fail(c, GX_E_TRUNC);
		return 0;
	}
	return (size_t)n;
}

struct gx_pull gx_pull_child(struct gx_pull *c, size_t n)
{
	struct gx_pull k = *c;
	const uint8_t *p = gx_pull_bytes(c, n);
	k.p = p;
	k.left = p == NULL ? 0 : n;
	k.err = c->err;
	return k;
}

void gx_pull_close(struct gx_pull *parent, const struct gx_pull *child, bool exact)
{
	if (child->err != 0)
		gx_pull_fail(parent, child->err);
	else if (exact && child->left != 0)
		gx_pull_fail(parent, GX_E_FORMAT);
}

bool gx_pull_enter(struct gx_pull *c)
{
	if (c->err != 0)
		return false;
	if (c->depth >= c->max_depth) {
		gx_pull_fail(c, GX_E_DEPTH);
		return false;
	}
	++c->depth;
	return true;
}

void gx_pull_leave(struct gx_pull *c)
{
	assert(c->depth > 0);
	--c->depth;
}

void gx_push_init(struct gx_push *c, size_t limit)
{
	*c = (struct gx_push){.limit = limit};
}

void gx_push_release(struct gx_push *c)
{
	free(c->data);
	*c = (struct gx_push){.limit = c->limit};
}

void gx_push_clear(struct gx_push *c)
{
	c->len = 0;
	c->err = 0;
}

int gx_push_fail(struct gx_push *c, int err)
{
	if (c->err == 0)
		c->err = err;
	return c->err;
}

uint8_t *gx_push_reserve(struct gx_push *c, size_t n)
{
	if (c->err != 0)
		return NULL;
	if (n > SIZE_MAX / 2 - c->len || (c->limit != 0 && n > c->limit - c->len)) {
		c->err = GX_E_LIMIT;
		return NULL;
	}
	if (c->data == NULL || n > c->cap - c->len) {
		size_t cap = c->cap < 64 ? 64 : c->cap + c->cap / 2;
		if (cap < c->len + n)
			cap = c->len + n;
		uint8_t *p = realloc(c->data, cap);
		if (p == NULL) {
			c->err = GX_E_NOMEM;
			return NULL;
		}
		c->data = p;
		c->cap = cap;
	}
	return c->data + c->len;
}

void gx_push_added(struct gx_push *c, size_t n)
{
	if (c->err != 0)
		return;
	assert(n <= c->cap - c->len);
	c->len += n;
}

void gx_push_bytes(struct gx_push *c, const void *src, size_t n)
{
	uint8_t *p = gx_push_reserve(c, n);
	if (p == NULL || n == 0)
		return;
	memcpy(p, src, n);
	c->len += n;
}

static void push_le(struct gx_push *c, uint64_t v, unsigned n)
{
	uint8_t *p = gx_push_reserve(c, n);
	if (p == NULL)
		return;
	for (unsigned i = 0; i < n; ++i)
		p[i] = (uint8_t)(v >> (8 * i));
	c->len += n;
}

static void push_be(struct gx_push *c, uint64_t v, unsigned n)
{
	uint8_t *p = gx_push_reserve(c, n);
	if (p == NULL)
		return;
	for (unsigned i = 0; i < n; ++i)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	c->len += n;
}

void gx_push_u8(struct gx_push *c, uint8_t v)
{
	push_le(c, v, 1);
}

void gx_push_u16(struct gx_push *c, uint16_t v)
{
	push_le(c, v, 2);
}

void gx_push_u32(struct gx_push *c, uint32_t v)
{
	push_le(c, v, 4);
}

void gx_push_u64(struct gx_push *c, uint64_t v)
{
	push_le(c, v, 8);
}

void gx_push_u16be(struct gx_push *c, uint16_t v)
{
	push_be(c, v, 2);
}

void gx_push_u32be(struct gx_push *c, uint32_t v)
{
	push_be(c, v, 4);
}

void gx_push_u48be(struct gx_push *c, uint64_t v)
{
	push_be(c, v, 6);
}

void gx_push_f32(struct gx_push *c, float v)
{
	uint32_t u;
	memcpy(&u, &v, sizeof(u));
	push_le(c, u, 4);
}

void gx_push_f64(struct gx_push *c, double v)
{
	uint64_t u;
	memcpy(&u, &v, sizeof(u));
	push_le(c, u, 8);
}

void gx_push_varint(struct gx_push *c, uint64_t v)
{
	uint8_t buf[10];
	size_t n = 0;
	do {
		buf[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
		++n;
	} while (v != 0);
	gx_push_bytes(c, buf, n);
}

void gx_push_guid(struct gx_push *c, const struct gx_guid *g)
{
	uint8_t buf[16];
	gx_guid_put(g, buf);
	gx_push_bytes(c, buf, sizeof(buf));
}

void gx_push_strz(struct gx_push *c, const char *s)
{
	gx_push_bytes(c, s, strlen(s) + 1);
}

void gx_push_str(struct gx_push *c, const char *s)
{
	gx_push_bytes(c, s, strlen(s));
}

void gx_push_printf(struct gx_push *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		gx_push_fail(c, GX_E_INTERNAL);
		return;
	}
	char *p = (char *)gx_push_reserve(c, (size_t)n + 1);
	if (p == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	c->len += (size_t)n;
}

void gx_push_patch_u8(struct gx_push *c, size_t off, uint8_t v)
{
	if (c->err != 0)
		return;
	assert(off < c->len);
	c->data[off] = v;
}

void gx_push_patch_u16(struct gx_push *c, size_t off, uint16_t v)
{
	if (c->err != 0)
		return;
	assert(off <= c->len && c->len - off >= 2);
	c->data[off] = (uint8_t)v;
	c->data[off + 1] = (uint8_t)(v >> 8);
}

void gx_push_patch_u32(struct gx_push *c, size_t off, uint32_t v)
{
	if (c->err != 0)
		return;
	assert(off <= c->len && c->len - off >= 4);
	for (unsigned i = 0; i < 4; ++i)
		c->data[off + i] = (uint8_t)(v >> (8 * i));
}

int gx_push_finish(struct gx_push *c, struct gx_arena *a, struct gx_bin *ret_bin)
{
	if (c->err != 0)
		return c->err;
	const uint8_t *p = gx_arena_memdup(a, c->data, c->len);
	if (p == NULL)
		return GX_E_NOMEM;
	*ret_bin = (struct gx_bin){.data = p, .len = c->len};
	return 0;
}
