/* SPDX-License-Identifier: Apache-2.0 */
/* Compression in blocks that can be read one by one. */
#include <config.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <gx/store.h>
#include "libgxstore/content/cio-int.h"

enum { LEVEL = 3, SAMPLE = 16384, SMALLEST = 48 };

static atomic_int chosen = LEVEL; /* below 0: nothing is packed but by who has a context of his own */

void gx_store_set_compression(int level)
{
	atomic_store(&chosen, level);
}

static bool is_off(ZSTD_CCtx *const *io_cctx)
{
	return *io_cctx == NULL && atomic_load(&chosen) < 0;
}

size_t gx_pack__blocks(uint64_t size)
{
	return (size_t)((size + GX_PACK_BLOCK - 1) / GX_PACK_BLOCK);
}

size_t gx_pack__block_len(uint64_t size, size_t i)
{
	uint64_t left = size - (uint64_t)i * GX_PACK_BLOCK;
	return left < GX_PACK_BLOCK ? (size_t)left : GX_PACK_BLOCK;
}

ZSTD_CCtx *gx_pack__context(int level)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	if (c == NULL)
		return NULL;
	/* The checksum is what finds a damaged block. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1))) {
		ZSTD_freeCCtx(c);
		return NULL;
	}
	return c;
}

static ZSTD_CCtx *context(ZSTD_CCtx **io_cctx)
{
	if (*io_cctx == NULL)
		*io_cctx = gx_pack__context(atomic_load(&chosen));
	return *io_cctx;
}

/* Packed formats (pictures, archives, PDF) often begin with a header of text: the middle says more. */
static bool no_gain(ZSTD_CCtx *c, const uint8_t *sample)
{
	uint8_t out[SAMPLE + 64];
	size_t n = ZSTD_compress2(c, out, sizeof(out), sample, SAMPLE);
	return ZSTD_isError(n) || n > SAMPLE - SAMPLE / 32;
}

static bool hopeless(ZSTD_CCtx *c, const uint8_t *data, size_t len)
{
	return len >= 2 * SAMPLE && no_gain(c, data + (len - SAMPLE) / 2);
}

static int pack_blocks(ZSTD_CCtx *c, struct gx_push *out, const uint8_t *data, size_t len)
{
	size_t blocks = gx_pack__blocks(len);
	for (size_t i = 0; i < blocks; ++i)
		gx_push_u32(out, 0);
	for (size_t i = 0; i < blocks; ++i) {
		size_t n = gx_pack__block_len(len, i), bound = ZSTD_compressBound(n);
		const uint8_t *src = data + i * GX_PACK_BLOCK;
		uint8_t *dst = gx_push_reserve(out, bound);
		if (dst == NULL)
			return out->err;
		size_t z = ZSTD_compress2(c, dst, bound, src, n);
		uint32_t entry;
		if (ZSTD_isError(z) || z >= n) {
			gx_push_bytes(out, src, n);
			entry = (uint32_t)n | GX_PACK_RAW_BLOCK;
		} else {
			gx_push_added(out, z);
			entry = (uint32_t)z;
		}
		gx_push_patch_u32(out, 4 * i, entry);
	}
	return out->err;
}

int gx_pack__pack(struct gx_arena *a, ZSTD_CCtx **io_cctx, const void *data, size_t len, uint8_t *ret_comp, struct gx_bin *ret_packed)
{
	struct gx_bin raw = {data, len};
	*ret_comp = GX_PACK_RAW;
	*ret_packed = raw;
	if (len < SMALLEST || is_off(io_cctx))
		return 0;
	ZSTD_CCtx *c = context(io_cctx);
	if (c == NULL)
		return GX_E_NOMEM;
	if (hopeless(c, data, len))
		return 0;
	struct gx_push out;
	gx_push_init(&out, 0);
	int err = pack_blocks(c, &out, data, len);
	if (err == 0 && out.len < len - len / 32) {
		err = gx_push_finish(&out, a, ret_packed);
		*ret_comp = GX_PACK_BLOCKS;
	}
	gx_push_release(&out);
	return err;
}

struct filing {
	const struct gx_fs *fs;
	gx_pack_block_fn *get;
	void *ctx;
	int to;
	ZSTD_CCtx *c;
	uint8_t *block, *out;
	uint64_t off;            /* in the packed form */
	struct gx_push table;
	bool raw;                /* only the hash is wanted */
};

/* One block behind the others; its entry into the table. */
static int file_block(struct filing *x, size_t n)
{
	size_t z = ZSTD_compress2(x->c, x->out, ZSTD_compressBound(GX_PACK_BLOCK), x->block, n);
	bool raw = ZSTD_isError(z) || z >= n;
	size_t len = raw ? n : z;
	gx_push_u32(&x->table, (uint32_t)len | (raw ? GX_PACK_RAW_BLOCK : 0));
	int err = gx_fs__pwrite_all(x->fs, x->to, raw ? x->block : x->out, len, x->off);
	x->off += len;
	return err != 0 ? err : x->table.err;
}

static int file_blocks(struct filing *x, uint64_t size, uint8_t hash[GX_HASH_LEN])
{
	struct gx_content_hash h;
	size_t blocks = gx_pack__blocks(size);
	int err = 0;
	gx_content__hash_begin(&h);
	for (size_t i = 0; i < blocks && err == 0; ++i) {
		size_t n = gx_pack__block_len(size, i);
		err = x->get(x->ctx, i, n, x->block);
		if (err == 0)
			gx_content__hash_add(&h, x->block, n);
		if (err == 0 && !x->raw)
			err = file_block(x, n);
	}
	gx_content__hash_end(&h, hash);
	return err != 0 || x->raw ? err : gx_fs__pwrite_all(x->fs, x->to, x->table.data, x->table.len, 0);
}

/* As for what is in memory: the middle. */
static int look_into(struct filing *x, uint64_t size)
{
	size_t i = (gx_pack__blocks(size) - 1) / 2, n = gx_pack__block_len(size, i);
	int err = x->get(x->ctx, i, n, x->block);
	x->raw = err == 0 && no_gain(x->c, x->block + (n - SAMPLE) / 2);
	return err;
}

int gx_pack__pack_blocks(ZSTD_CCtx **io_cctx, const struct gx_fs *fs, gx_pack_block_fn *get, void *ctx, uint64_t size, int to,
	uint8_t hash[GX_HASH_LEN], uint8_t *ret_comp, uint64_t *ret_len)
{
	struct filing x = {.fs = fs, .get = get, .ctx = ctx, .to = to, .raw = is_off(io_cctx), .off = 4 * (uint64_t)gx_pack__blocks(size)};
	x.c = x.raw ? NULL : context(io_cctx);
	x.block = malloc(GX_PACK_BLOCK);
	x.out = malloc(ZSTD_compressBound(GX_PACK_BLOCK));
	int err = (x.c == NULL && !x.raw) || x.block == NULL || x.out == NULL ? GX_E_NOMEM : 0;
	if (err == 0 && !x.raw && size >= 2 * SAMPLE)
		err = look_into(&x, size);
	if (err == 0)
		err = file_blocks(&x, size, hash);
	free(x.block);
	free(x.out);
	gx_push_release(&x.table);
	bool packed = !x.raw && x.off < size - size / 32;
	*ret_comp = packed ? GX_PACK_BLOCKS : GX_PACK_RAW;
	*ret_len = packed ? x.off : size;
	return err;
}

struct from {
	const struct gx_fs *fs;
	int fd;
};

static int get_raw(void *ctx, size_t i, size_t n, uint8_t *out)
{
	const struct from *f = ctx;
	return gx_fs__pread_all(f->fs, f->fd, out, n, (uint64_t)i * GX_PACK_BLOCK);
}

int gx_pack__pack_file(ZSTD_CCtx **io_cctx, const struct gx_fs *fs, int from, uint64_t size, int to, uint8_t hash[GX_HASH_LEN],
	uint8_t *ret_comp, uint64_t *ret_len)
{
	struct from f = {.fs = fs, .fd = from};
	return gx_pack__pack_blocks(io_cctx, fs, get_raw, &f, size, to, hash, ret_comp, ret_len);
}

int gx_pack__unpack_block(ZSTD_DCtx *d, const uint8_t *packed, uint32_t entry, uint8_t *out, size_t out_len)
{
	size_t len = entry & ~GX_PACK_RAW_BLOCK;
	if ((entry & GX_PACK_RAW_BLOCK) != 0) {
		if (len != out_len)
			return GX_E_FORMAT;
		memcpy(out, packed, len);
		return 0;
	}
	size_t n = ZSTD_decompressDCtx(d, out, out_len, packed, len);
	return ZSTD_isError(n) || n != out_len ? GX_E_FORMAT : 0;
}

int gx_pack__unpack(ZSTD_DCtx *d, uint8_t comp, struct gx_bin packed, uint64_t size, struct gx_push *out)
{
	if (comp == GX_PACK_RAW) {
		if (packed.len != size)
			return GX_E_FORMAT;
		gx_push_bytes(out, packed.data, packed.len);
		return out->err;
	}
	if (comp != GX_PACK_BLOCKS || size > GX_CONTENT_SIZE_MAX || gx_pack__blocks(size) > packed.len / 4)
		return GX_E_FORMAT;
	size_t blocks = gx_pack__blocks(size);
	struct gx_pull table, body;
	gx_pull_init(&table, packed.data, 4 * blocks);
	gx_pull_init(&body, packed.data + 4 * blocks, packed.len - 4 * blocks);
	for (size_t i = 0; i < blocks; ++i) {
		uint32_t entry = gx_pull_u32(&table);
		size_t n = gx_pack__block_len(size, i);
		const uint8_t *src = gx_pull_bytes(&body, entry & ~GX_PACK_RAW_BLOCK);
		uint8_t *dst = src == NULL ? NULL : gx_push_reserve(out, n);
		if (dst == NULL)
			return src == NULL ? GX_E_FORMAT : out->err;
		int err = gx_pack__unpack_block(d, src, entry, dst, n);
		if (err != 0)
			return err;
		gx_push_added(out, n);
	}
	return body.left == 0 ? 0 : GX_E_FORMAT;
}
