/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/instance/inst-int.h"

/*
 * New large values: in memory up to GX_BLOB_SPILL bytes, beyond in a file without a name, so that
 * the memory of an instance is bounded whatever clients write. Written by one holder, then
 * shared and read only.
 */

int gx_blob__new(struct gx_iacct *c, struct gx_blob **ret_b)
{
	struct gx_blob *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return GX_E_NOMEM;
	atomic_init(&b->refs, 1);
	b->acct = gx_iacct__ref(c);
	b->fd = b->packed_fd = -1;
	*ret_b = b;
	return 0;
}

struct gx_blob *gx_blob__ref(struct gx_blob *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

static void drop_packed(struct gx_blob *b)
{
	if (b->packed_fd >= 0)
		b->acct->fs->close(b->acct->fs, b->packed_fd);
	if (b->own_packed != NULL)
		gx_iacct__give(b->acct, b->own_len);
	free(b->own_packed);
	b->own_packed = NULL;
	b->packed_fd = -1;
	b->packed = false;
}

void gx_blob__unref(struct gx_blob *b)
{
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) > 1)
		return;
	drop_packed(b);
	if (b->fd >= 0)
		b->acct->fs->close(b->acct->fs, b->fd);
	gx_iacct__give(b->acct, b->cap);
	free(b->mem);
	gx_iacct__unref(b->acct);
	free(b);
}

/* ---- Files ---- */

static int spill(struct gx_blob *b)
{
	int fd = gx_fs__unnamed(b->acct->fs, b->acct->dir);
	if (fd < 0)
		return fd;
	b->fd = fd;
	int err = gx_fs__pwrite_all(b->acct->fs, fd, b->mem, (size_t)b->size, 0);
	if (err != 0) {
		b->acct->fs->close(b->acct->fs, fd);
		b->fd = -1;
		return err;
	}
	gx_iacct__give(b->acct, b->cap);
	free(b->mem);
	b->mem = NULL;
	b->cap = 0;
	return 0;
}

/* ---- Writing ---- */

/* Room in memory for @size bytes. GX_E_LIMIT: it has to be a file. */
static int grow(struct gx_blob *b, uint64_t size)
{
	if (size <= b->cap)
		return 0;
	if (size > GX_BLOB_SPILL)
		return GX_E_LIMIT;
	size_t cap = b->cap == 0 ? 1024 : b->cap;
	while (cap < size)
		cap *= 2;
	int err = gx_iacct__take(b->acct, cap - b->cap);
	if (err != 0)
		return err;
	uint8_t *p = realloc(b->mem, cap);
	if (p == NULL) {
		gx_iacct__give(b->acct, cap - b->cap);
		return GX_E_NOMEM;
	}
	b->mem = p;
	b->cap = cap;
	return 0;
}

int gx_blob__set_size(struct gx_blob *b, uint64_t size)
{
	assert(atomic_load(&b->refs) == 1);
	if (size > GX_INST_VALUE_MAX)
		return GX_E_LIMIT;
	drop_packed(b);
	int err = 0;
	if (b->fd < 0) {
		err = grow(b, size);
		if (err == GX_E_LIMIT)
			err = spill(b);
		if (err != 0)
			return err;
	}
	if (b->fd >= 0)
		err = ftruncate(b->fd, (off_t)size) == 0 ? 0 : gx_fs__err(errno);
	else if (size > b->size)
		memset(b->mem + b->size, 0, (size_t)(size - b->size));
	if (err == 0)
		b->size = size;
	return err;
}

int gx_blob__write(struct gx_blob *b, uint64_t off, const void *p, size_t n)
{
	assert(atomic_load(&b->refs) == 1);
	if (off > GX_INST_VALUE_MAX || n > GX_INST_VALUE_MAX - off)
		return GX_E_LIMIT;
	drop_packed(b);
	int err = off > b->size ? gx_blob__set_size(b, off) : 0;
	if (err != 0 || n == 0)
		return err;
	if (b->fd < 0) {
		err = grow(b, off + n);
		if (err == GX_E_LIMIT)
			err = spill(b);
		if (err != 0)
			return err;
	}
	if (b->fd >= 0)
		err = gx_fs__pwrite_all(b->acct->fs, b->fd, p, n, off);
	else
		memcpy(b->mem + off, p, n);
	if (err == 0 && off + n > b->size)
		b->size = off + n;
	return err;
}

/* ---- Reading ---- */

int gx_blob__read(struct gx_blob *b, uint64_t off, size_t n, uint8_t *out)
{
	assert(off <= b->size && n <= b->size - off);
	if (b->fd < 0) {
		if (n > 0)
			memcpy(out, b->mem + off, n);
		return 0;
	}
	return gx_fs__pread_all(b->acct->fs, b->fd, out, n, off);
}

/* ---- Packing ---- */

static int pack_memory(struct gx_blob *b, ZSTD_CCtx **io_cctx, struct gx_bin bytes)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin packed;
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_pack__pack(a, io_cctx, bytes.data, bytes.len, &b->content.comp, &packed);
	if (err == 0 && packed.data != bytes.data) {
		err = gx_iacct__take(b->acct, packed.len);
		if (err == 0 && (b->own_packed = malloc(packed.len)) == NULL) {
			gx_iacct__give(b->acct, packed.len);
			err = GX_E_NOMEM;
		}
		if (err == 0) {
			memcpy(b->own_packed, packed.data, packed.len);
			b->own_len = packed.len;
			packed.data = b->own_packed;
		}
	}
	b->content.packed = packed;
	gx_arena_free(a);
	return err;
}

/* A file that became small comes into memory. */
static int load_packed(struct gx_blob *b)
{
	size_t len = (size_t)b->content.file_len;
	int err = gx_iacct__take(b->acct, len);
	if (err != 0)
		return err;
	b->own_len = len;
	b->own_packed = malloc(len);
	if (b->own_packed == NULL) {
		gx_iacct__give(b->acct, len);
		return GX_E_NOMEM;
	}
	err = gx_fs__pread_all(b->acct->fs, b->packed_fd, b->own_packed, len, 0);
	if (err != 0)
		return err;
	b->content.packed = (struct gx_bin){b->own_packed, len};
	return 0;
}

static int pack_file(struct gx_blob *b, ZSTD_CCtx **io_cctx)
{
	struct gx_content_new *c = &b->content;
	int fd = gx_fs__unnamed(b->acct->fs, b->acct->dir);
	if (fd < 0)
		return fd;
	b->packed_fd = fd;
	int err = gx_pack__pack_file(io_cctx, b->acct->fs, b->fd, b->size, fd, c->hash, &c->comp, &c->file_len);
	c->fd = c->comp == GX_PACK_RAW ? b->fd : fd;
	if (err != 0 || (c->comp != GX_PACK_RAW && c->file_len > GX_CONTENT_INLINE_MAX))
		return err;
	err = c->comp == GX_PACK_RAW ? 0 : load_packed(b);
	b->acct->fs->close(b->acct->fs, fd);
	b->packed_fd = -1;
	return err;
}

int gx_blob__pack(struct gx_blob *b, ZSTD_CCtx **io_cctx)
{
	if (b->packed)
		return 0;
	b->content = (struct gx_content_new){.size = b->size};
	int err;
	if (b->fd >= 0) {
		err = pack_file(b, io_cctx);
	} else {
		gx_content__hash(b->mem, (size_t)b->size, b->content.hash);
		err = pack_memory(b, io_cctx, (struct gx_bin){b->mem, (size_t)b->size});
	}
	if (err == 0)
		b->packed = true;
	else
		drop_packed(b);
	return err;
}
