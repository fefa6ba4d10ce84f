/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CIO_INT_H
#define GX_CIO_INT_H
/* What the files of content objects and originals share. */
#include <nettle/sha2.h>
#include <zstd.h>
#include "libgxstore/content/content-int.h"
#include "libgxstore/fs-int.h"
#include "libgxstore/sql-int.h"

/*
 * Packed bytes: raw, or a table of u32 (length of each block, GX_PACK_RAW_BLOCK set when it is
 * not compressed) and the blocks, each an independent zstd frame of GX_PACK_BLOCK bytes (the last
 * one shorter), so that a range costs only the blocks it touches.
 */
enum { GX_PACK_RAW = 0, GX_PACK_BLOCKS = 1 };
#define GX_PACK_BLOCK ((size_t)256 * 1024)
#define GX_PACK_RAW_BLOCK UINT32_C(0x80000000)
/* Larger ones are files of their own. */
#define GX_CONTENT_INLINE_MAX ((size_t)128 * 1024)
/* Most that anything stored here may claim: keeps sums of sizes in 64 bits. */
#define GX_CONTENT_SIZE_MAX (UINT64_C(1) << 40)

struct gx_cio_wait {
	uint8_t hash[GX_HASH_LEN];
	int64_t since_ms;
};

struct gx_cio {
	const struct gx_fs *fs;
	char *dir;
	ZSTD_DCtx *dctx;
	struct gx_arena *arena;      /* of one call */
	struct gx_push scratch;      /* packed block of a file, window of a content */
	struct gx_push literals;     /* unpacked literals of a skeleton */
	/* The block used last: reading on in small steps must not unpack it each time. */
	uint8_t *block;
	uint8_t block_hash[GX_HASH_LEN];
	uint64_t block_no;
	size_t block_len;            /* 0: none */
	/* Files without references: of this transaction, of ended ones. Made by this transaction: without when it is given up. */
	struct gx_cio_wait *now, *later, *made;
	size_t now_n, now_cap, later_n, later_cap, made_n, made_cap;
	bool forgot;                 /* there was no memory to remember one */
	bool removed[256];           /* directories from which files went that were not flushed since */
	char why[512];
};

/** Records the sentence and returns err. */
int gx_cio__fail(struct gx_cio *cio, int err, const char *fmt, ...) GX_PRINTF(3, 4);
/** The failure of a statement of q. */
int gx_cio__sql_fail(struct gx_cio *cio, struct gx_sql *q, int err);
/** cid/xx/<hash>; @p out takes PATH_MAX; GX_E_LIMIT. */
int gx_cio__path(const struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN], const char *suffix, char *out) GX_MUST_CHECK;
void gx_cio__hex(const uint8_t hash[GX_HASH_LEN], char out[2 * GX_HASH_LEN + 1]);

/* pack.c */
/** @p ret_packed borrows @p data when that is kept raw, else lives in @p a. @p io_cctx: made at first need, the caller frees it. */
int gx_pack__pack(struct gx_arena *a, ZSTD_CCtx **io_cctx, const void *data, size_t len, uint8_t *ret_comp,
	struct gx_bin *ret_packed) GX_MUST_CHECK;
/**
 * The same from file to file, for what is too large for memory, with the hash of the contents. With
 * GX_PACK_RAW the first file is the packed form.
 */
int gx_pack__pack_file(ZSTD_CCtx **io_cctx, const struct gx_fs *fs, int from, uint64_t size, int to, uint8_t hash[GX_HASH_LEN],
	uint8_t *ret_comp, uint64_t *ret_len) GX_MUST_CHECK;
/** The same from anything that hands out its blocks, each of them @p n bytes, perhaps more than once. */
typedef int gx_pack_block_fn(void *ctx, size_t i, size_t n, uint8_t *out);
int gx_pack__pack_blocks(ZSTD_CCtx **io_cctx, const struct gx_fs *fs, gx_pack_block_fn *get, void *ctx, uint64_t size, int to,
	uint8_t hash[GX_HASH_LEN], uint8_t *ret_comp, uint64_t *ret_len) GX_MUST_CHECK;
/** For io_cctx, to compress at another level; NULL without memory or with a level that there is not. */
ZSTD_CCtx *gx_pack__context(int level);
size_t gx_pack__blocks(uint64_t size);
/** Length of block @p i of a content of @p size bytes. */
size_t gx_pack__block_len(uint64_t size, size_t i);
/** One block into @p out (its full length). @p len: table entry. GX_E_FORMAT. */
int gx_pack__unpack_block(ZSTD_DCtx *d, const uint8_t *packed, uint32_t entry, uint8_t *out, size_t out_len) GX_MUST_CHECK;
/** The whole of it, appended. */
int gx_pack__unpack(ZSTD_DCtx *d, uint8_t comp, struct gx_bin packed, uint64_t size, struct gx_push *out) GX_MUST_CHECK;

void gx_content__hash(const void *data, size_t len, uint8_t hash[GX_HASH_LEN]);
struct gx_content_hash {
	struct sha256_ctx c;
};
void gx_content__hash_begin(struct gx_content_hash *h);
void gx_content__hash_add(struct gx_content_hash *h, const void *data, size_t len);
void gx_content__hash_end(struct gx_content_hash *h, uint8_t hash[GX_HASH_LEN]);

/* content_file.c */
int gx_content__write_file(struct gx_cio *cio, const struct gx_content_new *c) GX_MUST_CHECK;
int gx_content__unlink_file(struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN]) GX_MUST_CHECK;
/** What a name in a directory below cid/ is; @p hash for objects. */
enum { GX_CFILE_OTHER, GX_CFILE_OBJECT, GX_CFILE_UNFINISHED };
#define GX_CFILE_REPACKED ".pack" /* a file that is compressed once more, beside the one that it replaces */
int gx_content__file_name(const char *name, uint8_t hash[GX_HASH_LEN]);
/** For unfinished ones: nobody else writes it until the descriptor is closed, unless somebody does already. -1 with errno. */
int gx_content__hold_file(int dirfd, const char *name, bool *ret_in_use);
/** Remembers a file whose last reference goes in this transaction. */
int gx_content__file_unused(struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN]) GX_MUST_CHECK;

/* content.c: an object opened for reading; borrows the connection until closed. */
struct gx_content_ref {
	struct gx_cio *cio;
	struct gx_stmt *st, *st_data;
	const uint8_t *hash;
	uint64_t size;
	uint8_t comp;
	bool in_file;
	struct gx_bin packed;  /* in the database */
	int fd;                /* or in a file */
	uint64_t file_len;
};
int gx_content__open(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN], struct gx_content_ref *ret_r) GX_MUST_CHECK;
void gx_content__close(struct gx_content_ref *r);
/** Exactly the bytes [off, off+n), which must lie inside. */
int gx_content__get(struct gx_content_ref *r, uint64_t off, size_t n, uint8_t *out) GX_MUST_CHECK;
/** The same without a copy where it lies ready; else through cio->scratch. Borrowed until the next call. */
int gx_content__peek(struct gx_content_ref *r, uint64_t off, size_t n, const uint8_t **ret_p) GX_MUST_CHECK;

/* skeleton.c */
enum { GX_SEG_LITERAL = 0, GX_SEG_IDENTITY = 1, GX_SEG_BASE64 = 2 };
struct gx_skel_seg {
	uint64_t off, len;     /* in the original */
	uint64_t lit_off;      /* literals: where in the run of all literals */
	uint32_t content;      /* others: index */
	uint8_t kind;
	struct gx_b64_shape shape;
};
struct gx_skel_content {
	const uint8_t *hash;
	uint64_t size;
};
struct gx_skel {
	uint64_t size;
	struct gx_skel_content *contents;
	size_t content_count;
	struct gx_skel_seg *segs;
	size_t seg_count;
	uint64_t lit_len;
	uint8_t lit_comp;
	struct gx_bin lit;     /* packed */
};
int gx_skel__parse(struct gx_arena *a, struct gx_bin skeleton, struct gx_skel *ret_s) GX_MUST_CHECK;
/** Only the list of contents. */
int gx_skel__contents(struct gx_arena *a, struct gx_bin skeleton, struct gx_skel *ret_s) GX_MUST_CHECK;
int gx_skel__write(struct gx_arena *a, const struct gx_skel *s, struct gx_bin *ret_skeleton) GX_MUST_CHECK;
/** Index of the segment that holds @p off (which lies inside). */
size_t gx_skel__find(const struct gx_skel *s, uint64_t off);

/* build.c: an original cut into literals and content objects. */
struct gx_build {
	struct gx_arena *a;
	ZSTD_CCtx **cctx; /* made at first need */
	struct gx_content_new *contents;
	size_t count, cap;
};
/** A part of the original that may become a content object. */
struct gx_build_cand {
	uint64_t off, len;
	bool base64;
};
/** Adds bytes as a content object, once. @return its index through ret_i. */
int gx_build__content(struct gx_build *b, const void *data, size_t len, uint32_t *ret_i) GX_MUST_CHECK;
/** @p cands is sorted in place. */
int gx_build__skeleton(struct gx_build *b, struct gx_bin original, struct gx_build_cand *cands, size_t n,
	struct gx_bin *ret_skeleton) GX_MUST_CHECK;

/* extern.c */
enum { GX_EXTERN_SLICE = 1, GX_EXTERN_CONTENT = 2 };
struct gx_extern {
	uint8_t kind;
	struct gx_slice slice;
	const uint8_t *hash;
	uint64_t size;
};
int gx_extern__parse(struct gx_bin bytes, struct gx_extern *e) GX_MUST_CHECK;
/** The content object that is the decoded slice, NULL if none is. */
const struct gx_skel_content *gx_extern__decoded(const struct gx_skel *s, const struct gx_slice *slice);
int gx_extern__put_slice(struct gx_arena *a, const struct gx_slice *s, struct gx_bin *ret_ext) GX_MUST_CHECK;
int gx_extern__put_content(struct gx_arena *a, const struct gx_content_new *c, struct gx_bin *ret_ext) GX_MUST_CHECK;
/** Is it a slice, and which? */
bool gx_extern__slice(struct gx_bin ext, struct gx_slice *ret_s);
/** Does it lie in the original, or name a content object of the skeleton? 0 or GX_E_FORMAT. */
int gx_extern__check(struct gx_bin ext, const struct gx_skel *s) GX_MUST_CHECK;

#endif
