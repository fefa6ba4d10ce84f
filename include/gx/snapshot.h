/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SNAPSHOT_H
#define GX_SNAPSHOT_H
/**
 * @file snapshot.h
 * Copies of stores that others work on meanwhile, and dated snapshots of all of them with an end to their
 * keeping. A copy is a store as it was at one moment. When it is opened to be worked on, it passes over the numbers
 * that its original may have given away since, as after a power loss, and makes its full-text index anew.
 * Thread class: any; two must not work on one target. docs/store.md, "Copies".
 */
#include <gx/arena.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_copy_opts {
	size_t size;
	/** An earlier copy of the same tree: its content files are shared where those of the
	 * original cannot be. May be NULL. */
	const char *earlier;
	/** A directory that is left out, may be NULL. */
	const char *except;
	/** Now and then: files and bytes that were written. May be NULL. Other than 0 stops. */
	int (*progress)(uint64_t files, uint64_t bytes, void *ctx);
	/** Something that could not be read, or is damaged and was copied as it is. May be NULL. */
	void (*left)(const char *text, void *ctx);
	void *ctx;
};
#define GX_COPY_OPTS_INIT {.size = sizeof(struct gx_copy_opts)}

/** Added up over calls. */
struct gx_copy_result {
	uint64_t stores, files;  /**< copied, or shared */
	uint64_t shared;         /**< of the files: no bytes were written, and none are stored twice */
	uint64_t bytes;          /**< written for the others */
	uint64_t left;           /**< as told by the callback of that name */
};

/**
 * Copies a store, or a directory with stores and other files in it, to a directory that is not
 * there yet. Content files become further names of the same files, databases share their blocks
 * where the file system can do that; else they are copied. Databases are read in one transaction:
 * writers go on, and what they commit meanwhile is in the copy, or not. Files go before stores, so
 * that what a queue hands over to a store is at least in one of them.
 *
 * Nothing is flushed; see syncfs(2). GX_E_NOTFOUND, GX_E_EXISTS, GX_E_STATE stopped, or this
 * process has one of the stores open (closing a file would end its locks), GX_E_NOSPACE, GX_E_IO:
 * the target is not complete then. @p ret_why: arena text, may be NULL.
 */
GX_API int gx_tree_copy(const char *from, const char *to, const struct gx_copy_opts *o, struct gx_copy_result *io_r,
	struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** For a copy that the file system made of a whole tree at once: its stores are made as
 * gx_tree_copy() makes them. Errors as there. */
GX_API int gx_tree_settle(const char *dir, const struct gx_copy_opts *o,
	struct gx_copy_result *io_r, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

/* ---- Dated snapshots ---- */

enum { GX_SNAPSHOT_HOUR, GX_SNAPSHOT_DAY, GX_SNAPSHOT_WEEK, GX_SNAPSHOT_MONTH, GX_SNAPSHOT_KINDS };
/** What the told callback tells of. */
enum { GX_SNAPSHOT_MADE, GX_SNAPSHOT_KEPT, GX_SNAPSHOT_REMOVED };

/**
 * Snapshots of a file system. All three or none; 0 or GX_E_*, and the cause in the log of who has
 * them. remove answers GX_E_UNSUP when that is no snapshot of the file system; then its files are
 * removed one by one.
 */
struct gx_snapshot_fs {
	int (*make)(const char *from, const char *to, void *ctx);
	int (*seal)(const char *path, void *ctx); /**< nothing is written to it any more */
	int (*remove)(const char *path, void *ctx);
	void *ctx;
};

struct gx_snapshot_opts {
	size_t size;
	const char *root, *archive;          /**< of what; directory in which they are, made when missing */
	unsigned keep[GX_SNAPSHOT_KINDS];    /**< so many hours, days, weeks, months of 31 days; 0:
						none of these are made or removed */
	const struct gx_snapshot_fs *fs;     /**< NULL: files are copied */
	const struct gx_clock *clock;        /**< NULL: system. Days begin as the local time has it. */
	bool dry_run;                        /**< only tells what would be done */
	/** What happened to a snapshot; @p r for those that were made, else NULL. May be NULL. */
	void (*told)(int what, const char *name, const struct gx_copy_result *r, void *ctx);
	int (*progress)(uint64_t files, uint64_t bytes, void *ctx); /**< as above */
	void (*left)(const char *text, void *ctx);                  /**< as above */
	void *ctx;
};
#define GX_SNAPSHOT_OPTS_INIT {.size = sizeof(struct gx_snapshot_opts)}
/**
 * Makes the snapshots that are due and not there: hour-2026-11-27T19, day-2026-11-27,
 * week-2026-11-23 (its Monday), month-2026-11; removes those that were kept long enough. One that
 * has its name is complete; what an earlier run did not finish is removed first. GX_E_BUSY another
 * run is at it; else as gx_tree_copy().
 */
GX_API int gx_snapshot_run(const struct gx_snapshot_opts *o, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
