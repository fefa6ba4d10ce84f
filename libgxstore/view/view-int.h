/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_VIEW_INT_H
#define GXSTORE_VIEW_INT_H
/*
 * A folder's messages in UID order, as an array of chunks. Roots and chunks are counted and never
 * changed while more than one holds them: a snapshot is a reference to a root, and a commit
 * makes a new root that shares all chunks but those it touched. GX_CHUNKS_RAW chunks of a root may be
 * as they are edited, 16 KiB each; the rest are packed, three to five bytes a message of a usual
 * folder (viewchunk.c).
 */
#include <stdalign.h>
#include "libgxstore/store-int.h"

#define GX_CHUNK_MAX 512U
#define GX_CHUNKS_RAW 32U

struct gx_chunk {
	atomic_uint refs;
	uint32_t n, unseen, recent;
	uint32_t cap; /* entries there is room for; 0: it is packed, and never changed */
	alignas(8) unsigned char data[];
};

/* Room for @cap entries, none in it. NULL: no memory. */
struct gx_chunk *gx_chunk__new(uint32_t cap);
void gx_chunk__unref(struct gx_chunk *c);
/* Entries of one that is not packed. */
static inline struct gx_uid_entry *gx_chunk__raw(const struct gx_chunk *c)
{
	return (struct gx_uid_entry *)(uintptr_t)c->data;
}
/* The same packed, of one that is not and has entries. NULL: no memory. */
struct gx_chunk *gx_chunk__packed(const struct gx_chunk *c);
uint32_t gx_chunk__uid(const struct gx_chunk *c, uint32_t i);
void gx_chunk__get(const struct gx_chunk *c, uint32_t i, struct gx_uid_entry *ret_e);
/* All of them; @ret_v takes c->n. */
void gx_chunk__entries(const struct gx_chunk *c, struct gx_uid_entry *ret_v);
/* The first entry with UID >= @uid; n when there is none. */
uint32_t gx_chunk__lower(const struct gx_chunk *c, uint32_t uid);

struct gx_root {
	atomic_uint refs;
	uint32_t nchunks, count, uidvalidity, uidnext;
	uint32_t raw;    /* chunks that are not packed */
	uint64_t modseq;
	struct gx_chunk **c;
	uint32_t *start; /* number of entries before each chunk */
};

void gx_root__ref(struct gx_root *r);
void gx_root__unref(struct gx_root *r); /* accepts NULL */
/* Entry @i from 0. False: there are not so many, and @ret_e is all zero. */
bool gx_root__get(const struct gx_root *r, uint32_t i, struct gx_uid_entry *ret_e);
/* Index of the first entry with UID >= @uid. */
uint32_t gx_root__lower(const struct gx_root *r, uint32_t uid);

/* Makes a root: chunks are added at the end or edited by UID. */
struct gx_rootbuild {
	struct gx_chunk **c;
	uint32_t n, cap, raw;
	uint32_t raw_max; /* more of them are packed */
	int err;          /* sticky */
};
void gx_rootbuild__init(struct gx_rootbuild *b);
/* Starts from the chunks of @r; takes the caller's reference over. */
void gx_rootbuild__from(struct gx_rootbuild *b, struct gx_root *r);
void gx_rootbuild__append(struct gx_rootbuild *b, const struct gx_uid_entry *e);
uint32_t gx_rootbuild__count(const struct gx_rootbuild *b);
/* A whole chunk, shared. */
void gx_rootbuild__share(struct gx_rootbuild *b, struct gx_chunk *c);
void gx_rootbuild__put(struct gx_rootbuild *b, const struct gx_uid_entry *e);    /* insert or replace */
void gx_rootbuild__update(struct gx_rootbuild *b, const struct gx_uid_entry *e); /* only if there */
void gx_rootbuild__remove(struct gx_rootbuild *b, uint32_t uid);
/* The builder is empty after. NULL: no memory, or the sticky error. */
struct gx_root *gx_rootbuild__finish(struct gx_rootbuild *b);

/* Walks over two roots side by side; chunks they share are passed over. */
struct gx_rootdiff {
	const struct gx_root *old, *new;
	uint32_t oc, oe, nc, ne;     /* chunk and entry in each */
	uint32_t opos, npos;         /* entries before them */
	struct gx_chunk *shared;     /* set when a shared chunk was passed: GX_DIFF_SHARED */
	const struct gx_uid_entry *o, *n; /* borrowed until the next step */
	const struct gx_chunk *obuf_of, *nbuf_of; /* packed chunks whose entries are in */
	struct gx_uid_entry obuf[GX_CHUNK_MAX], nbuf[GX_CHUNK_MAX];
};
enum { GX_DIFF_END = 0, GX_DIFF_REMOVED, GX_DIFF_ADDED, GX_DIFF_BOTH, GX_DIFF_SHARED };
void gx_rootdiff__init(struct gx_rootdiff *d, const struct gx_root *old, const struct gx_root *new);
/* opos and npos are the positions before the step's entries, and move at the next call. */
int gx_rootdiff__next(struct gx_rootdiff *d);

/* A folder's shared view (viewcache.c). */
int gx_fview__open(struct gx_store *s, uint64_t fid, struct gx_fview **ret_f, struct gx_root **ret_root, unsigned *ret_gen) GX_MUST_CHECK;
/* The present root, counted. GX_E_NOTFOUND when the folder is gone. */
int gx_fview__root(struct gx_store *s, struct gx_fview *f, struct gx_root **ret_root, unsigned *ret_gen) GX_MUST_CHECK;
void gx_fview__close(struct gx_store *s, struct gx_fview *f);
/* A root with these edits; takes the caller's reference to @r over. NULL: no memory. */
struct gx_root *gx_root__edited(struct gx_root *r, const struct gx_view_op *ops, size_t n, uint32_t uidnext, uint64_t modseq);
unsigned gx_fview__gen(const struct gx_fview *f);

#endif
