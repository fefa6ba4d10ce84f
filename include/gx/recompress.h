/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RECOMPRESS_H
#define GX_RECOMPRESS_H
/**
 * @file recompress.h
 * Content objects are compressed once more, at another level. What they say does not change: each is
 * checked against its hash before it is replaced, and stays as it is when nothing is gained.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_recompress_opts {
	size_t size;
	int level;             /**< of zstd, 1 to 22; 0 takes 6 */
	bool dry_run;          /**< only count what there is */
	/** Now and then: bytes looked at, of how many. May be NULL. Other than 0 stops. */
	int (*progress)(uint64_t done, uint64_t total, void *ctx);
	/** A file or object that is damaged, or cannot be read or replaced, and stays. May be NULL. */
	void (*left)(const char *text, void *ctx);
	void *ctx;
};
#define GX_RECOMPRESS_OPTS_INIT {.size = sizeof(struct gx_recompress_opts)}

/** Added up over calls. */
struct gx_recompress_result {
	uint64_t objects, replaced, left; /**< left: as told by the callback of that name */
	uint64_t before, after;           /**< packed bytes of all objects; with dry_run both the same */
};

/**
 * A content file (cid/xx/HASH) or a directory of them, with those below. No store needs to be opened, and a
 * server may use the files meanwhile. Other files are left out. Thread class: any. GX_E_NOTFOUND, GX_E_INVAL a
 * level that there is not or a file that is not a content file, GX_E_STATE stopped, GX_E_NOSPACE, GX_E_IO: errno says why.
 */
GX_API int gx_recompress_path(
	const char *path, const struct gx_recompress_opts *o, struct gx_recompress_result *io_r) GX_MUST_CHECK;
/**
 * Files and the objects in the database of a store, these in short transactions. Thread class: as the store;
 * nobody else can write during one of the transactions. Errors as above.
 */
GX_API int gx_recompress_store(
	struct gx_store *s, const struct gx_recompress_opts *o, struct gx_recompress_result *io_r) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
