/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_VIEWPACK_H
#define GXSTORE_VIEWPACK_H
/*
 * Entries of a folder's view on their way to another process, about twelve bytes each: varints, numbers as the
 * difference to those of the entry before. Changes are the number of UIDs that are gone, these, and the entries that are new or differ.
 */
#include "libgxstore/view/view-int.h"

struct gx_viewpack {
	uint64_t uid, mid, modseq; /* of the last entry */
};
void gx_viewpack__put(struct gx_viewpack *w, struct gx_push *out, const struct gx_uid_entry *e);
void gx_viewpack__get(struct gx_viewpack *w, struct gx_pull *c, struct gx_uid_entry *ret_e);

/* Entries from index @from on, up to about @most bytes. */
void gx_viewpack__state(const struct gx_root *r, uint32_t from, size_t most, struct gx_push *out);
/* @return false: more than @most bytes, and @out is cleared. */
bool gx_viewpack__changes(const struct gx_root *old, const struct gx_root *now, size_t most, struct gx_push *out);
/* Adds the entries of gx_viewpack__state(). */
int gx_viewpack__add(struct gx_bin state, struct gx_rootbuild *b) GX_MUST_CHECK;
/* As operations on the folder @fid, in @a. */
int gx_viewpack__ops(struct gx_bin changes, uint64_t fid, struct gx_arena *a, struct gx_view_op **ret_v, size_t *ret_n) GX_MUST_CHECK;

#endif
