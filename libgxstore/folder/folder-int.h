/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FOLDER_INT_H
#define GXSTORE_FOLDER_INT_H
/* Folders with those below them, and how they go. */
#include <gx/folder.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"

struct gx_ftree_node {
	uint64_t fid, parent;
	size_t up;    /* the node it is below; the first one's is its own */
	bool barred;  /* the actor may not delete it: it is left alone, and what is below it */
	bool stays;   /* barred, or something below it is */
};
struct gx_ftree {
	struct gx_ftree_node *v; /* parents before children */
	size_t n, cap;
};
/* The folder and those below it whose flags under @mask are @flags. */
int gx_ftree__collect(struct gx_txn *t, uint64_t fid, uint64_t parent, uint32_t mask, uint32_t flags, struct gx_ftree *k) GX_MUST_CHECK;
/* One that has nothing below it any more; softly hides it. @top: it was not deleted because of the one above it. */
int gx_folder__remove(struct gx_txn *t, const struct gx_ftree_node *x, bool hard, bool top) GX_MUST_CHECK;
/*
 * gx_folder_delete_some(). *io_left: messages and folders that may still go in this transaction, SIZE_MAX all. @io_partial
 * becomes true when something stays; NULL: then nothing goes.
 */
gx_ec gx_folder__delete_some(struct gx_txn *t, uint64_t fid, bool hard, size_t *io_left, bool *io_partial, bool *ret_more);

#endif
