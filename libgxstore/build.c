/* SPDX-License-Identifier: Apache-2.0 */
/* An internet message cut into literals and content objects. */
#include <config.h>
#include "libgxstore/content/cio-int.h"

/* From these sizes on a hash, a row and a reference cost less than they can save. */
enum { MIN_BASE64 = 4096, MIN_IDENTITY = 32 * 1024, MIN_RUN = 64 * 1024 };
/* Longer lines would make the reader's windows large. */
enum { MAX_WIDTH = 4096 };

void gx_content__hash_begin(struct gx_content_hash *h)
{
	sha256_init(&h->c);
}

void gx_content__hash_add(struct gx_content_hash *h, const void *data, size_t len)
{
	sha256_update(&h->c, len, data);
}

void gx_content__hash_end(struct gx_content_hash *h, uint8_t hash[GX_HASH_LEN])
{
	sha256_digest(&h->c, GX_HASH_LEN, hash);
}

void gx_content__hash(const void *data, size_t len, uint8_t hash[GX_HASH_LEN])
{
	struct gx_content_hash h;
	gx_content__hash_begin(&h);
	gx_content__hash_add(&h, data, len);
	gx_content__hash_end(&h, hash);
}

int gx_build__content(struct gx_build *b, const void *data, size_t len, uint32_t *ret_i)
{
	struct gx_content_new c = {.size = len};
	gx_content__hash(data, len, c.hash);
	for (size_t i = 0; i < b->count; ++i)
		if (memcmp(b->contents[i].hash, c.hash, GX_HASH_LEN) == 0) {
			*ret_i = (uint32_t)i;
			return 0;
		}
	int err = gx_pack__pack(b->a, b->cctx, data, len, &c.comp, &c.packed);
	if (err != 0)
		return err;
	b->contents = gx_arena_grow(b->a, b->contents, &b->cap, b->count + 1, sizeof(*b->contents));
	if (b->contents == NULL)
		return GX_E_NOMEM;
	*ret_i = (uint32_t)b->count;
	b->contents[b->count++] = c;
	return 0;
}

static int by_off(const void *x, const void *y)
{
	const struct gx_build_cand *p = x, *q = y;
	if (p->off != q->off)
		return p->off < q->off ? -1 : 1;
	return p->len > q->len ? -1 : p->len < q->len;
}

struct cut {
	struct gx_build *b;
	struct gx_bin original;
	struct gx_skel s;
	size_t seg_cap;
	struct gx_push lit;
};

static int add_seg(struct cut *c, const struct gx_skel_seg *g)
{
	struct gx_skel *s = &c->s;
	s->segs = gx_arena_grow(c->b->a, s->segs, &c->seg_cap, s->seg_count + 1, sizeof(*s->segs));
	if (s->segs == NULL)
		return GX_E_NOMEM;
	s->segs[s->seg_count++] = *g;
	return 0;
}

static int add_identity(struct cut *c, uint64_t off, uint64_t len)
{
	struct gx_skel_seg g = {.kind = GX_SEG_IDENTITY, .off = off, .len = len};
	int err = gx_build__content(c->b, c->original.data + off, (size_t)len, &g.content);
	return err != 0 ? err : add_seg(c, &g);
}

/* What lies between the candidates. Neighbours become one segment. */
static int add_run(struct cut *c, uint64_t off, uint64_t len)
{
	struct gx_skel *s = &c->s;
	if (len == 0)
		return 0;
	if (len >= MIN_RUN)
		return add_identity(c, off, len);
	gx_push_bytes(&c->lit, c->original.data + off, (size_t)len);
	if (c->lit.err != 0)
		return c->lit.err;
	if (s->seg_count > 0 && s->segs[s->seg_count - 1].kind == GX_SEG_LITERAL) {
		s->segs[s->seg_count - 1].len += len;
		return 0;
	}
	struct gx_skel_seg g = {.kind = GX_SEG_LITERAL, .off = off, .len = len};
	return add_seg(c, &g);
}

/* @return 1 when it became a content object, 0 when it stays literal, or GX_E_*. */
static int add_cand(struct cut *c, const struct gx_build_cand *k, uint64_t from)
{
	const uint8_t *text = c->original.data + k->off;
	if (k->base64 && k->len >= MIN_BASE64 / 3 * 4) {
		struct gx_skel_seg g = {.kind = GX_SEG_BASE64, .off = k->off, .len = k->len};
		struct gx_bin bytes;
		int err = gx_b64_shape_decode(c->b->a, text, (size_t)k->len, &g.shape, &bytes);
		if (err == 0 && bytes.len >= MIN_BASE64 && g.shape.width <= MAX_WIDTH) {
			err = add_run(c, from, k->off - from);
			if (err == 0)
				err = gx_build__content(c->b, bytes.data, bytes.len, &g.content);
			if (err == 0)
				err = add_seg(c, &g);
			return err != 0 ? err : 1;
		}
		if (err != 0 && err != GX_E_FORMAT)
			return err;
	}
	if (k->len < MIN_IDENTITY)
		return 0;
	int err = add_run(c, from, k->off - from);
	if (err == 0)
		err = add_identity(c, k->off, k->len);
	return err != 0 ? err : 1;
}

static int cut_up(struct cut *c, struct gx_build_cand *cands, size_t n)
{
	uint64_t at = 0;
	if (n > 0)
		qsort(cands, n, sizeof(*cands), by_off);
	for (size_t i = 0; i < n; ++i) {
		const struct gx_build_cand *k = &cands[i];
		if (k->off < at || k->off > c->original.len || k->len > c->original.len - k->off)
			continue;
		/* An entity that is kept whole beside its parts: the parts are what others have too. */
		if (!k->base64 && i + 1 < n && cands[i + 1].base64 && cands[i + 1].off < k->off + k->len)
			continue;
		int r = add_cand(c, k, at);
		if (r < 0)
			return r;
		if (r == 1)
			at = k->off + k->len;
	}
	return add_run(c, at, c->original.len - at);
}

static int list_contents(struct gx_build *b, struct gx_skel *s)
{
	s->content_count = b->count;
	s->contents = gx_arena_new_array(b->a, struct gx_skel_content, b->count);
	if (s->contents == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < b->count; ++i)
		s->contents[i] = (struct gx_skel_content){.hash = b->contents[i].hash, .size = b->contents[i].size};
	return 0;
}

int gx_build__skeleton(struct gx_build *b, struct gx_bin original, struct gx_build_cand *cands, size_t n, struct gx_bin *ret_skeleton)
{
	struct cut c = {.b = b, .original = original, .s = {.size = original.len}};
	gx_push_init(&c.lit, 0);
	int err = cut_up(&c, cands, n);
	if (err == 0)
		err = list_contents(b, &c.s);
	if (err == 0)
		err = gx_pack__pack(b->a, b->cctx, c.lit.data, c.lit.len, &c.s.lit_comp, &c.s.lit);
	if (err == 0)
		err = gx_skel__write(b->a, &c.s, ret_skeleton);
	gx_push_release(&c.lit);
	return err;
}

/* ---- A message that gets its original later ---- */

static const bool base64_char[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['+'] = true, ['/'] = true, ['='] = true,
};

/* Lines of one length made of base64 characters only, enough of them to be worth it. */
static size_t base64_line(const uint8_t *p, const uint8_t *end, size_t *ret_next)
{
	const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
	size_t n = (size_t)((nl == NULL ? end : nl) - p);
	*ret_next = nl == NULL ? n : n + 1;
	if (n > 0 && p[n - 1] == '\r')
		--n;
	for (size_t i = 0; i < n; ++i)
		if (!base64_char[p[i]])
			return 0;
	return n;
}

static int find_base64(struct gx_arena *a, struct gx_bin original, struct gx_build_cand **ret_v, size_t *ret_n)
{
	const uint8_t *start = original.data, *end = start + original.len, *p = start;
	struct gx_build_cand *v = NULL;
	size_t n = 0, cap = 0;
	while (p < end) {
		size_t next, width = base64_line(p, end, &next);
		const uint8_t *from = p, *stop = p + width;
		p += next;
		if (width < 40)
			continue;
		while (p < end) {
			size_t len = base64_line(p, end, &next);
			if (len == 0 || len > width)
				break;
			stop = p + len;
			p += next;
			if (len < width)
				break;
		}
		if ((size_t)(stop - from) < MIN_BASE64 / 3 * 4)
			continue;
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = (struct gx_build_cand){.off = (uint64_t)(from - start), .len = (uint64_t)(stop - from), .base64 = true};
	}
	*ret_v = v;
	*ret_n = n;
	return 0;
}

int gx_skel__with_original(struct gx_arena *a, struct gx_bin old, struct gx_bin original, struct gx_bin *ret_skeleton,
	struct gx_content_new **ret_new, size_t *ret_count)
{
	ZSTD_CCtx *cctx = NULL;
	struct gx_build b = {.a = a, .cctx = &cctx};
	struct gx_skel s;
	struct gx_build_cand *cands;
	size_t n;
	int err = gx_skel__contents(a, old, &s);
	for (size_t i = 0; i < s.content_count && err == 0; ++i) {
		b.contents = gx_arena_grow(a, b.contents, &b.cap, b.count + 1, sizeof(*b.contents));
		if (b.contents == NULL)
			return GX_E_NOMEM;
		b.contents[b.count] = (struct gx_content_new){.size = s.contents[i].size};
		memcpy(b.contents[b.count++].hash, s.contents[i].hash, GX_HASH_LEN);
	}
	if (err == 0)
		err = find_base64(a, original, &cands, &n);
	if (err == 0)
		err = gx_build__skeleton(&b, original, cands, n, ret_skeleton);
	ZSTD_freeCCtx(cctx);
	if (err != 0)
		return err;
	*ret_new = b.contents == NULL ? NULL : b.contents + s.content_count;
	*ret_count = b.count - s.content_count;
	return 0;
}
