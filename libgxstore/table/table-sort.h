/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_TABLE_SORT_H
#define GXSTORE_TABLE_SORT_H
/* Sorting keys of any number in bounded memory (table_sort.c). */
#include "libgxstore/fs-int.h"
#include "libgxstore/table/table-int.h"

struct gx_sortitem {
	uint64_t entry;
	uint32_t off, len;
};
struct gx_sorter {
	const struct gx_fs *fs;
	const char *dir;         /* where its file may be made */
	size_t batch;            /* bytes */
	struct gx_push keys;
	struct gx_sortitem *v;   /* the batch */
	size_t n, cap;
	uint64_t total;          /* of all */
	int fd;
	uint64_t end, *run;      /* where the file ends, where its runs begin */
	size_t nrun, cap_run;
	bool stuck;              /* there is no place in the file: all the rest stays in memory */
};
/* @batch 0: the usual. */
void gx_sorter__init(struct gx_sorter *s, const struct gx_fs *fs, const char *dir, size_t batch);
void gx_sorter__release(struct gx_sorter *s);
int gx_sorter__add(struct gx_sorter *s, struct gx_bin key, uint64_t entry) GX_MUST_CHECK;
/* All of them, ascending. What @cb answers below 0 ends it. */
typedef int (*gx_sorter_cb)(struct gx_bin key, uint64_t entry, void *ctx);
int gx_sorter__each(struct gx_sorter *s, gx_sorter_cb cb, void *ctx) GX_MUST_CHECK;

#endif
