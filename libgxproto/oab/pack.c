/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed files and differences of two, [MS-OXOAB] 2.10 and 2.11: blocks of LZX DELTA. */
#include <config.h>
#include <string.h>
#include <gx/lzx.h>
#include "libgxproto/oab/oab-int.h"

enum { BLOCK = 256 << 10, VERSION_HI = 3, VERSION_FULL = 1, VERSION_PATCH = 2, STORED = 0, LZX = 1 };
enum { REFERENCE_MOST = 8 << 20 };

/* ---- One file ---- */

static void push_block(struct gx_push *out, const uint8_t *p, size_t n)
{
	size_t head = out->len;
	gx_push_u32(out, LZX);
	gx_push_u32(out, 0);
	gx_push_u32(out, (uint32_t)n);
	gx_push_u32(out, gx_oab__crc(p, n));
	size_t body = out->len;
	gx_lzx_compress(out, NULL, 0, p, n);
	if (out->err != 0)
		return;
	if (out->len - body >= n) { /* no gain */
		out->len = body;
		gx_push_patch_u32(out, head, STORED);
		gx_push_bytes(out, p, n);
	}
	if (out->err == 0)
		gx_push_patch_u32(out, head + 4, (uint32_t)(out->len - body));
}

void gx_oab_compress(struct gx_push *out, const void *data, size_t len)
{
	const uint8_t *p = data;
	if (len > UINT32_MAX) {
		gx_push_fail(out, GX_E_RANGE);
		return;
	}
	gx_push_u32(out, VERSION_HI);
	gx_push_u32(out, VERSION_FULL);
	gx_push_u32(out, BLOCK);
	gx_push_u32(out, (uint32_t)len);
	for (size_t at = 0; at < len && out->err == 0; at += BLOCK)
		push_block(out, p + at, len - at < BLOCK ? len - at : BLOCK);
}

static int fail(struct gx_push *out, int err)
{
	gx_push_fail(out, err);
	return out->err;
}

static int pull_block(struct gx_pull *c, struct gx_push *out, size_t left)
{
	uint32_t flags = gx_pull_u32(c), packed = gx_pull_u32(c), plain = gx_pull_u32(c), crc = gx_pull_u32(c);
	const uint8_t *p = gx_pull_bytes(c, packed);
	if (c->err != 0)
		return c->err;
	if (plain == 0 || plain > left || plain > GX_LZX_MOST || flags > LZX || (flags == STORED && packed != plain))
		return GX_E_FORMAT;
	uint8_t *to = gx_push_reserve(out, plain);
	if (to == NULL)
		return out->err;
	int err = flags == LZX ? gx_lzx_decompress(NULL, 0, p, packed, to, plain) : 0;
	if (flags == STORED)
		memcpy(to, p, plain);
	if (err == 0 && gx_oab__crc(to, plain) != crc)
		err = GX_E_FORMAT;
	if (err == 0)
		gx_push_added(out, plain);
	return err;
}

int gx_oab_decompress(struct gx_push *out, const void *data, size_t len, size_t most)
{
	struct gx_pull c;
	size_t start = out->len;
	gx_pull_init(&c, data, len);
	uint32_t hi = gx_pull_u32(&c), lo = gx_pull_u32(&c);
	gx_pull_skip(&c, 4);
	uint32_t size = gx_pull_u32(&c);
	int err = c.err != 0 ? c.err : hi != VERSION_HI || lo != VERSION_FULL ? GX_E_FORMAT : size > most ? GX_E_LIMIT : 0;
	while (err == 0 && out->len - start < size)
		err = pull_block(&c, out, size - (out->len - start));
	if (err == 0 && c.left != 0)
		err = GX_E_FORMAT;
	return err == 0 ? out->err : fail(out, err);
}

/* ---- Differences ---- */

/* The next piece of the target, up to the end of a record, and the records of the source up to the same person. */
struct piece {
	size_t src, src_end, dst, dst_end;
};

struct cutter {
	const struct oab_record *src, *dst;
	size_t nsrc, ndst, at_src, at_dst; /* records that are done */
	size_t src_len, dst_len;
};

static bool next_piece(struct cutter *k, struct piece *io_p)
{
	if (k->at_dst == k->ndst)
		return false;
	io_p->src = io_p->src_end;
	io_p->dst = io_p->dst_end;
	do
		io_p->dst_end = k->dst[k->at_dst++].end;
	while (k->at_dst < k->ndst && k->dst[k->at_dst].end - io_p->dst <= BLOCK);
	while (k->at_src < k->nsrc && (k->at_dst == k->ndst || k->src[k->at_src].id <= k->dst[k->at_dst - 1].id))
		io_p->src_end = k->src[k->at_src++].end;
	return true;
}

static void push_piece(struct gx_push *out, struct gx_bin src, struct gx_bin dst, const struct piece *p)
{
	size_t head = out->len, n = p->dst_end - p->dst, ref = p->src_end - p->src;
	if (ref > REFERENCE_MOST || n > REFERENCE_MOST) {
		gx_push_fail(out, GX_E_RANGE);
		return;
	}
	gx_push_u32(out, 0);
	gx_push_u32(out, (uint32_t)n);
	gx_push_u32(out, (uint32_t)ref);
	gx_push_u32(out, gx_oab__crc(dst.data + p->dst, n));
	gx_lzx_compress(out, src.data + p->src, ref, dst.data + p->dst, n);
	if (out->err == 0)
		gx_push_patch_u32(out, head, (uint32_t)(out->len - head - 16));
}

static int cut(struct gx_arena *a, struct gx_bin src, struct gx_bin dst, struct cutter *ret_k)
{
	struct oab_record *s, *d;
	struct cutter k = {.src_len = src.len, .dst_len = dst.len};
	int err = gx_oab__records(a, src, &s, &k.nsrc);
	if (err == 0)
		err = gx_oab__records(a, dst, &d, &k.ndst);
	if (err == 0) {
		k.src = s;
		k.dst = d;
		*ret_k = k;
	}
	return err;
}

void gx_oab_diff(struct gx_push *out, struct gx_bin src, struct gx_bin dst)
{
	struct gx_arena *a = gx_arena_new(0);
	struct cutter k = {0};
	struct piece p = {0};
	size_t head = out->len, most = 0;
	int err = a == NULL ? GX_E_NOMEM : cut(a, src, dst, &k);
	gx_push_u32(out, VERSION_HI);
	gx_push_u32(out, VERSION_PATCH);
	gx_push_u32(out, 0);
	gx_push_u32(out, (uint32_t)src.len);
	gx_push_u32(out, (uint32_t)dst.len);
	gx_push_u32(out, gx_oab__crc(src.data, src.len));
	gx_push_u32(out, gx_oab__crc(dst.data, dst.len));
	while (err == 0 && out->err == 0 && next_piece(&k, &p)) {
		push_piece(out, src, dst, &p);
		most = p.dst_end - p.dst > most ? p.dst_end - p.dst : most;
		most = p.src_end - p.src > most ? p.src_end - p.src : most;
	}
	if (err == 0 && out->err == 0)
		gx_push_patch_u32(out, head + 8, (uint32_t)most);
	if (err != 0)
		gx_push_fail(out, err);
	gx_arena_free(a);
}

static int patch_block(struct gx_pull *c, struct gx_bin src, size_t *io_at, struct gx_push *out, size_t left)
{
	uint32_t packed = gx_pull_u32(c), plain = gx_pull_u32(c), ref = gx_pull_u32(c), crc = gx_pull_u32(c);
	const uint8_t *p = gx_pull_bytes(c, packed);
	if (c->err != 0)
		return c->err;
	if (plain == 0 || plain > left || ref > src.len - *io_at || plain > GX_LZX_MOST || ref > GX_LZX_MOST)
		return GX_E_FORMAT;
	uint8_t *to = gx_push_reserve(out, plain);
	int err = to == NULL ? out->err : gx_lzx_decompress(src.data + *io_at, ref, p, packed, to, plain);
	if (err == 0 && gx_oab__crc(to, plain) != crc)
		err = GX_E_FORMAT;
	if (err == 0)
		gx_push_added(out, plain);
	*io_at += ref;
	return err;
}

int gx_oab_patch(struct gx_push *out, struct gx_bin src, struct gx_bin diff, size_t most)
{
	struct gx_pull c;
	size_t start = out->len, at = 0;
	gx_pull_init(&c, diff.data, diff.len);
	uint32_t hi = gx_pull_u32(&c), lo = gx_pull_u32(&c);
	gx_pull_skip(&c, 4);
	uint32_t from = gx_pull_u32(&c), size = gx_pull_u32(&c), from_crc = gx_pull_u32(&c), crc = gx_pull_u32(&c);
	int err = c.err != 0 ? c.err : hi != VERSION_HI || lo != VERSION_PATCH || from != src.len ? GX_E_FORMAT : size > most ? GX_E_LIMIT : 0;
	if (err == 0 && gx_oab__crc(src.data, src.len) != from_crc)
		err = GX_E_FORMAT;
	while (err == 0 && out->len - start < size)
		err = patch_block(&c, src, &at, out, size - (out->len - start));
	if (err == 0 && (c.left != 0 || gx_oab__crc(out->data + start, size) != crc))
		err = GX_E_FORMAT;
	return err == 0 ? out->err : fail(out, err);
}
