/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/rop-types.h>
#include <gx/rpcext.h>

enum { HEADER_SIZE = 8, MAGIC = 0xa5 };

static void xor_magic(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		p[i] ^= MAGIC;
}

static const uint8_t *clear(struct gx_pull *c, struct gx_arena *a, const uint8_t *p, size_t n)
{
	uint8_t *copy = gx_arena_memdup(a, p, n);
	if (copy == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	else
		xor_magic(copy, n);
	return copy;
}

static const uint8_t *unpack(struct gx_pull *c, struct gx_arena *a, const uint8_t *p, size_t n, size_t actual)
{
	uint8_t *out = gx_arena_alloc(a, actual);
	int err = out == NULL ? GX_E_NOMEM : gx_lzxpress_decompress(p, n, out, actual);
	if (err != 0)
		gx_pull_fail(c, err);
	return out;
}

void gx_ext_pull(struct gx_pull *c, struct gx_arena *a, struct gx_bin *ret_payload, bool *ret_last)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(a, 1252)};
	struct gx_rpc_header_ext h;
	gx_rpc_header_ext_pull(c, &x, &h);
	const uint8_t *p = gx_pull_bytes(c, h.size);
	*ret_payload = (struct gx_bin){0};
	*ret_last = (h.flags & GX_EXT_LAST) != 0;
	if (c->err == 0 && (h.flags & GX_EXT_XOR_MAGIC))
		p = clear(c, a, p, h.size);
	if (c->err == 0 && (h.flags & GX_EXT_COMPRESSED))
		p = unpack(c, a, p, h.size, h.size_actual);
	if (c->err == 0)
		*ret_payload = (struct gx_bin){p, h.flags & GX_EXT_COMPRESSED ? h.size_actual : h.size};
}

/* Into the room behind the header. @return bytes written, 0: it does not get smaller. */
static size_t pack(uint8_t *out, struct gx_bin in, struct gx_lzxpress *work)
{
	size_t n;
	return in.len > 1 && gx_lzxpress_compress(work, in.data, in.len, out, in.len - 1, &n) == 0 ? n : 0;
}

void gx_ext_push(struct gx_push *c, struct gx_bin payload, unsigned flags, struct gx_lzxpress *work)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(NULL, 1252)};
	uint8_t *room = payload.len <= GX_EXT_PAYLOAD_MAX ? gx_push_reserve(c, HEADER_SIZE + payload.len) : NULL;
	if (room == NULL) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	size_t n = flags & GX_EXT_COMPRESSED ? pack(room + HEADER_SIZE, payload, work) : 0;
	if (n == 0) {
		flags &= ~(unsigned)GX_EXT_COMPRESSED;
		n = payload.len;
		if (n != 0)
			memcpy(room + HEADER_SIZE, payload.data, n);
	}
	if (flags & GX_EXT_XOR_MAGIC)
		xor_magic(room + HEADER_SIZE, n);
	const struct gx_rpc_header_ext h = {.flags = (uint16_t)flags, .size = (uint16_t)n, .size_actual = (uint16_t)payload.len};
	gx_rpc_header_ext_push(c, &x, &h); /* into the same room: it was reserved, not counted */
	gx_push_added(c, n);
}
