/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SN_INT_H
#define GX_SN_INT_H
/* Copies of stores and of trees with stores. */
#include <limits.h>
#include <sys/stat.h>
#include <gx/snapshot.h>
#include "libgxstore/content/cio-int.h"

/* One run. */
struct gx_sn {
	const struct gx_copy_opts *o;
	struct gx_copy_result *r;
	struct gx_arena *a;      /* lives as long as the run */
	uint8_t *buf;
	const char *from, *to;   /* the two trees */
	bool has_except;
	dev_t except_dev;
	ino_t except_ino;
	struct gx_sn_store *stores;
	size_t nstores, cap;
	char why[512];
};
struct gx_sn_store {
	const char *from, *to;
};
#define GX_SN_BUF ((size_t)256 * 1024)

/* Records the sentence and returns err. */
int gx_sn__fail(struct gx_sn *x, int err, const char *fmt, ...) GX_PRINTF(3, 4);
/* The same for errno of a call that writes. */
int gx_sn__errno(struct gx_sn *x, const char *path);
void gx_sn__left(struct gx_sn *x, const char *fmt, ...) GX_PRINTF(2, 3);
/* PATH_MAX bytes; GX_E_LIMIT. */
int gx_sn__join(struct gx_sn *x, char *out, const char *dir, const char *name) GX_MUST_CHECK;
/* Counts a file. GX_E_STATE when that is where to stop. */
int gx_sn__count(struct gx_sn *x, uint64_t bytes, bool shared) GX_MUST_CHECK;
int gx_sn__progress(struct gx_sn *x) GX_MUST_CHECK;

/* sn_file.c. What is not there any more is not copied, what cannot be read is told. */
int gx_sn__copy(struct gx_sn *x, const char *from, const char *to) GX_MUST_CHECK;
/* A file that nobody ever writes to again. */
int gx_sn__link(struct gx_sn *x, const char *from, const char *to) GX_MUST_CHECK;
/* Blocks of one file become those of the other, too: 0, or -1 when that cannot be. */
int gx_sn__clone(int from, int to);
int gx_sn__attributes(struct gx_sn *x, const char *path, const struct stat *st) GX_MUST_CHECK;
/* A file that is made: its descriptor, or -1 with errno. */
int gx_sn__create(const char *path);

/* sn_db.c */
bool gx_sn__is_database(const char *path);
/* One that may be in use, in one transaction, into a file that is not there. */
int gx_sn__database(struct gx_sn *x, const char *from, const char *to) GX_MUST_CHECK;
/* In the copy of a store: the log goes into the database, and what opens it next passes over numbers. */
int gx_sn__mark(struct gx_sn *x, const char *file, struct gx_sql **ret_q) GX_MUST_CHECK;

/* sn_store.c */
bool gx_sn__is_store(const char *dir);
int gx_sn__store(struct gx_sn *x, const char *from, const char *to) GX_MUST_CHECK;
int gx_sn__settle(struct gx_sn *x, const char *dir) GX_MUST_CHECK;

/* sn_tree.c */
typedef int gx_sn_entry_fn(struct gx_sn *x, const char *dir, const char *name, void *ctx);
/* Each entry of a directory; one that is gone has none. */
int gx_sn__each(struct gx_sn *x, const char *dir, gx_sn_entry_fn *fn, void *ctx) GX_MUST_CHECK;
/* A directory and what is in it but for the names (NULL-terminated, may be NULL) and the stores, which are noted. */
int gx_sn__tree(struct gx_sn *x, const char *from, const char *to, const char *const *without,
	unsigned depth) GX_MUST_CHECK;
/* Removes a directory with everything in it. */
int gx_sn__remove(struct gx_sn *x, const char *path) GX_MUST_CHECK;

/* sn_name.c */
struct gx_sn_name {
	int kind;
	int64_t begin;           /* seconds of the local clock */
};
/* The one that @unix_time belongs to. */
struct gx_sn_name gx_sn__name_at(int kind, int64_t local);
void gx_sn__name_print(const struct gx_sn_name *n, char out[32]);
bool gx_sn__name_parse(const char *text, struct gx_sn_name *ret_n);
/* Everything it may be of has been kept for so long. */
bool gx_sn__name_expired(const struct gx_sn_name *n, unsigned keep, int64_t local);
/* Seconds since 1970 if the local clock were UTC. */
int64_t gx_sn__local(int64_t unix_time);

#endif
