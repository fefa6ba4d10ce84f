/* SPDX-License-Identifier: Apache-2.0 */
/* Content objects: rows, counts, reading. */
#include <config.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#include <sys/stat.h>
#include "libgxstore/content/cio-int.h"

static int insert_data(struct gx_cio *cio, struct gx_sql *q, struct gx_bin packed, int64_t *ret_id)
{
	GX_STMT(st, q, "INSERT INTO content_data(data) VALUES(?1)");
	gx_sql__bind_blob(st, 1, packed.data, packed.len);
	int err = gx_sql__run(st);
	if (err != 0)
		return gx_cio__sql_fail(cio, q, err);
	*ret_id = gx_sql__rowid(q);
	return 0;
}

int gx_content__put(struct gx_cio *cio, struct gx_sql *q, const struct gx_content_new *c)
{
	GX_STMT(more, q, "UPDATE content SET refs=refs+1 WHERE hash=?1");
	gx_sql__bind_blob(more, 1, c->hash, GX_HASH_LEN);
	int err = gx_sql__run(more);
	if (err != 0)
		return gx_cio__sql_fail(cio, q, err);
	if (gx_sql__changes(q) == 1)
		return 0;
	bool file = c->packed.data == NULL ? c->file_len > 0 : c->packed.len > GX_CONTENT_INLINE_MAX;
	int64_t id = 0;
	err = file ? gx_content__write_file(cio, c) : insert_data(cio, q, c->packed, &id);
	if (err != 0)
		return err;
	GX_STMT(st, q, "INSERT INTO content(hash, size, refs, comp, data) VALUES(?1,?2,1,?3,?4)");
	gx_sql__bind_blob(st, 1, c->hash, GX_HASH_LEN);
	gx_sql__bind_int(st, 2, (int64_t)c->size);
	gx_sql__bind_int(st, 3, c->comp);
	if (file)
		gx_sql__bind_null(st, 4);
	else
		gx_sql__bind_int(st, 4, id);
	err = gx_sql__run(st);
	return err == 0 ? 0 : gx_cio__sql_fail(cio, q, err);
}

static int remove_row(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash, bool file, int64_t id)
{
	GX_STMT(st, q, "DELETE FROM content WHERE hash=?1");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	int err = gx_sql__run(st);
	if (err == 0 && file)
		return gx_content__file_unused(cio, hash);
	if (err == 0) {
		GX_STMT(data, q, "DELETE FROM content_data WHERE id=?1");
		gx_sql__bind_int(data, 1, id);
		err = gx_sql__run(data);
	}
	return err == 0 ? 0 : gx_cio__sql_fail(cio, q, err);
}

static int unref(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash)
{
	int64_t id = 0;
	bool file = false, last = false;
	{
		GX_STMT(st, q, "UPDATE content SET refs=refs-1 WHERE hash=?1 RETURNING refs, data");
		gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
		int r = gx_sql__step(st);
		if (r < 0)
			return gx_cio__sql_fail(cio, q, r);
		if (r == 0) {
			/* The damage is done already; a message that lost its content must still be deletable. */
			char hex[2 * GX_HASH_LEN + 1];
			gx_cio__hex(hash, hex);
			gx_log(q->log, GX_LOG_ERROR, "%s: content object %s is not known", cio->dir, hex);
			return 0;
		}
		last = gx_sql__int(st, 0) <= 0;
		file = gx_sql__is_null(st, 1);
		id = gx_sql__int(st, 1);
		r = gx_sql__run(st);
		if (r != 0)
			return gx_cio__sql_fail(cio, q, r);
	}
	return last ? remove_row(cio, q, hash, file, id) : 0;
}

int gx_content__ref(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN])
{
	GX_STMT(st, q, "UPDATE content SET refs=refs+1 WHERE hash=?1");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	int err = gx_sql__run(st);
	if (err != 0)
		return gx_cio__sql_fail(cio, q, err);
	if (gx_sql__changes(q) == 1)
		return 0;
	char hex[2 * GX_HASH_LEN + 1];
	gx_cio__hex(hash, hex);
	return gx_cio__fail(cio, GX_E_FORMAT, "%s: content object %s is not known", cio->dir, hex);
}

static int for_all(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton,
	int (*fn)(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash))
{
	struct gx_skel s;
	gx_arena_reset(cio->arena);
	int err = gx_skel__contents(cio->arena, skeleton, &s);
	if (err != 0)
		return gx_cio__fail(cio, err, "%s: a message skeleton is damaged", cio->dir);
	for (size_t i = 0; i < s.content_count && err == 0; ++i)
		err = fn(cio, q, s.contents[i].hash);
	return err;
}

int gx_content__ref_all(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton)
{
	return for_all(cio, q, skeleton, gx_content__ref);
}

int gx_content__unref_all(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton)
{
	return for_all(cio, q, skeleton, unref);
}

/* ---- Reading ---- */

static int damaged(const struct gx_content_ref *r, const char *what)
{
	char hex[2 * GX_HASH_LEN + 1], path[PATH_MAX];
	gx_cio__hex(r->hash, hex);
	if (r->in_file && gx_cio__path(r->cio, r->hash, "", path) == 0)
		return gx_cio__fail(r->cio, GX_E_FORMAT, "%s: %s; restore it from a backup", path, what);
	return gx_cio__fail(r->cio, GX_E_FORMAT, "%s: content object %s: %s", r->cio->dir, hex, what);
}

static int open_file(struct gx_content_ref *r)
{
	char path[PATH_MAX];
	struct stat sb;
	int err = gx_cio__path(r->cio, r->hash, "", path);
	if (err != 0)
		return gx_cio__fail(r->cio, err, "%s: path too long", r->cio->dir);
	r->fd = r->cio->fs->open(r->cio->fs, path, O_RDONLY | O_CLOEXEC, 0);
	if (r->fd < 0 || fstat(r->fd, &sb) != 0)
		return errno == ENOENT ? damaged(r, "content file is missing")
			: gx_cio__fail(r->cio, GX_E_IO, "%s: %s", path, strerror(errno));
	r->file_len = (uint64_t)sb.st_size;
	return 0;
}

static int open_data(struct gx_content_ref *r, struct gx_sql *q, int64_t id)
{
	r->st_data = gx_sql__stmt(q, "SELECT data FROM content_data WHERE id=?1");
	gx_sql__bind_int(r->st_data, 1, id);
	int n = gx_sql__step(r->st_data);
	if (n < 0)
		return gx_cio__sql_fail(r->cio, q, n);
	if (n == 0)
		return damaged(r, "its data is missing");
	r->packed = gx_sql__blob(r->st_data, 0);
	return 0;
}

int gx_content__open(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN], struct gx_content_ref *ret_r)
{
	struct gx_content_ref *r = ret_r;
	*r = (struct gx_content_ref){.cio = cio, .hash = hash, .fd = -1};
	r->st = gx_sql__stmt(q, "SELECT size, comp, data FROM content WHERE hash=?1");
	gx_sql__bind_blob(r->st, 1, hash, GX_HASH_LEN);
	int n = gx_sql__step(r->st);
	if (n < 0) {
		gx_content__close(r);
		return gx_cio__sql_fail(cio, q, n);
	}
	int err = 0;
	if (n == 0) {
		err = damaged(r, "it is not in this store");
	} else {
		r->size = gx_sql__u64(r->st, 0);
		r->comp = (uint8_t)gx_sql__int(r->st, 1);
		r->in_file = gx_sql__is_null(r->st, 2);
		int64_t id = gx_sql__int(r->st, 2);
		gx_sql__done(r->st);
		r->st = NULL;
		if (r->size > GX_CONTENT_SIZE_MAX || r->comp > GX_PACK_BLOCKS)
			err = damaged(r, "its row is damaged");
		else
			err = r->in_file ? open_file(r) : open_data(r, q, id);
	}
	uint64_t len = r->in_file ? r->file_len : r->packed.len;
	/*
	 * Files may be compressed after the fact, by programs that do not have the database. Packed ones are
	 * shorter than what they hold, so their length says which they are.
	 */
	if (err == 0 && r->in_file)
		r->comp = len == r->size ? GX_PACK_RAW : GX_PACK_BLOCKS;
	if (err == 0 && (r->comp == GX_PACK_RAW ? len != r->size : len >= r->size || len / 4 < gx_pack__blocks(r->size)))
		err = damaged(r, "it has the wrong length");
	if (err != 0)
		gx_content__close(r);
	return err;
}

void gx_content__close(struct gx_content_ref *r)
{
	gx_sql__done(r->st);
	gx_sql__done(r->st_data);
	r->st = r->st_data = NULL;
	if (r->fd >= 0)
		r->cio->fs->close(r->cio->fs, r->fd);
	r->fd = -1;
}

/* Bytes of the packed form, from file or row, into out. */
static int packed_at(struct gx_content_ref *r, uint64_t off, size_t n, uint8_t *out)
{
	if (!r->in_file) {
		if (off > r->packed.len || n > r->packed.len - off)
			return damaged(r, "it ends too early");
		memcpy(out, r->packed.data + off, n);
		return 0;
	}
	while (n > 0) {
		ssize_t k = r->cio->fs->pread(r->cio->fs, r->fd, out, n, (off_t)off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			char path[PATH_MAX] = "";
			int err = errno;
			return gx_cio__path(r->cio, r->hash, "", path) != 0 ? GX_E_IO : gx_cio__fail(r->cio, GX_E_IO, "%s: %s", path, strerror(err));
		}
		if (k == 0)
			return damaged(r, "it ends too early");
		out += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

/* Where block i lies in the packed form. */
static int locate(struct gx_content_ref *r, size_t i, uint64_t *ret_off, uint32_t *ret_entry)
{
	uint64_t total = r->in_file ? r->file_len : r->packed.len;
	uint64_t off = 4 * (uint64_t)gx_pack__blocks(r->size);
	uint8_t buf[1024];
	uint32_t entry = 0;
	for (size_t k = 0; k <= i;) {
		size_t n = i + 1 - k < sizeof(buf) / 4 ? i + 1 - k : sizeof(buf) / 4;
		int err = packed_at(r, 4 * (uint64_t)k, 4 * n, buf);
		if (err != 0)
			return err;
		struct gx_pull c;
		gx_pull_init(&c, buf, 4 * n);
		for (size_t j = 0; j < n; ++j, ++k) {
			if (k > 0)
				off += entry & ~GX_PACK_RAW_BLOCK;
			entry = gx_pull_u32(&c);
		}
	}
	uint64_t len = entry & ~GX_PACK_RAW_BLOCK;
	if (off > total || len > total - off || len > ZSTD_COMPRESSBOUND(GX_PACK_BLOCK))
		return damaged(r, "its block table is damaged");
	*ret_off = off;
	*ret_entry = entry;
	return 0;
}

static int unpack_block(struct gx_content_ref *r, size_t i, uint8_t *out)
{
	uint64_t off;
	uint32_t entry;
	int err = locate(r, i, &off, &entry);
	if (err != 0)
		return err;
	const uint8_t *packed = r->in_file ? NULL : r->packed.data + off;
	struct gx_push tmp = GX_PUSH_INIT;
	if (r->in_file) {
		size_t len = entry & ~GX_PACK_RAW_BLOCK;
		uint8_t *p = gx_push_reserve(&tmp, len);
		err = p == NULL ? tmp.err : packed_at(r, off, len, p);
		packed = p;
	}
	if (err == 0) {
		err = gx_pack__unpack_block(r->cio->dctx, packed, entry, out, gx_pack__block_len(r->size, i));
		if (err != 0)
			err = damaged(r, "a block is damaged");
	}
	gx_push_release(&tmp);
	return err;
}

/* Block i in the connection's buffer. */
static int cached_block(struct gx_content_ref *r, size_t i)
{
	struct gx_cio *cio = r->cio;
	if (cio->block_len != 0 && cio->block_no == i && memcmp(cio->block_hash, r->hash, GX_HASH_LEN) == 0)
		return 0;
	if (cio->block == NULL)
		cio->block = malloc(GX_PACK_BLOCK);
	if (cio->block == NULL)
		return gx_cio__fail(cio, GX_E_NOMEM, "%s: out of memory", cio->dir);
	cio->block_len = 0;
	int err = unpack_block(r, i, cio->block);
	if (err != 0)
		return err;
	memcpy(cio->block_hash, r->hash, GX_HASH_LEN);
	cio->block_no = i;
	cio->block_len = gx_pack__block_len(r->size, i);
	return 0;
}

int gx_content__get(struct gx_content_ref *r, uint64_t off, size_t n, uint8_t *out)
{
	assert(off <= r->size && n <= r->size - off);
	if (r->comp == GX_PACK_RAW)
		return packed_at(r, off, n, out);
	while (n > 0) {
		size_t i = (size_t)(off / GX_PACK_BLOCK), from = (size_t)(off % GX_PACK_BLOCK);
		size_t len = gx_pack__block_len(r->size, i), take = n < len - from ? n : len - from;
		int err;
		if (take == len) {
			err = unpack_block(r, i, out);
		} else {
			err = cached_block(r, i);
			if (err == 0)
				memcpy(out, r->cio->block + from, take);
		}
		if (err != 0)
			return err;
		out += take;
		off += take;
		n -= take;
	}
	return 0;
}

int gx_content__peek(struct gx_content_ref *r, uint64_t off, size_t n, const uint8_t **ret_p)
{
	assert(off <= r->size && n <= r->size - off);
	if (r->comp == GX_PACK_RAW && !r->in_file) {
		*ret_p = r->packed.data + off;
		return 0;
	}
	gx_push_clear(&r->cio->scratch);
	uint8_t *p = gx_push_reserve(&r->cio->scratch, n);
	if (p == NULL)
		return gx_cio__fail(r->cio, r->cio->scratch.err, "%s: out of memory", r->cio->dir);
	int err = gx_content__get(r, off, n, p);
	*ret_p = p;
	return err;
}

int gx_content__read(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN], uint64_t off, uint64_t n, struct gx_push *out)
{
	struct gx_content_ref r;
	int err = gx_content__open(cio, q, hash, &r);
	if (err != 0)
		return err;
	off = off < r.size ? off : r.size;
	n = n < r.size - off ? n : r.size - off;
	uint8_t *p = n > SIZE_MAX ? NULL : gx_push_reserve(out, (size_t)n);
	err = p == NULL ? (out->err != 0 ? out->err : GX_E_LIMIT) : gx_content__get(&r, off, (size_t)n, p);
	if (err == 0)
		gx_push_added(out, (size_t)n);
	gx_content__close(&r);
	return err;
}
