/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_TREE_H
#define GX_EMSMDB_TREE_H
/*
 * Folders with what is in them copied in portions, in one store or into another, and moved into another. What is there when
 * its folder's turn comes is copied; what may not be, or has a name in use, is left out, which makes it partial.
 */
#include <gx/folder.h>
#include "libgxproto/emsmdb/job.h"

struct gx_tree_level;

struct gx_ems_tree {
	struct gx_ems_job job;       /* first; made by gx_ems__tree_new() */
	bool move;                   /* into another store: the source goes when all of it is there */
	uint64_t top, made;          /* the folder, and its copy: not a part of itself */
	struct gx_tree_level *v;     /* from the outermost to the one at hand */
	size_t n, cap;
	struct gx_tree_seen *seen;   /* what was copied, when it is to be moved */
	size_t nseen, seen_cap;
	bool checked;                /* and it was found unchanged */
};

struct gx_ems_tree *gx_ems__tree_new(struct gx_rop_call *c, size_t size, struct gx_ems_logon *from, struct gx_ems_logon *to);
/* The contents of @src into @dst, GX_CONTENT_* of them. ecFolderCycle. */
gx_ec gx_ems__tree_contents(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t src, uint64_t dst, uint32_t what);
/* The folder itself below @parent, as @name unless that is NULL. */
gx_ec gx_ems__tree_folder(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t fid, uint64_t parent, const char *name, uint32_t what);

#endif
