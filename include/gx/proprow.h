/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROPROW_H
#define GX_PROPROW_H
/**
 * @file proprow.h
 * Property rows, [MS-OXCDATA] 2.8.1: the values of columns that both sides know already.
 * Thread class: confined.
 */
#include <gx/desc.h>
#include <gx/msgobj.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What gx_dctx.custom points to while rows are pulled, pushed and made up. */
struct gx_columns {
	const gx_proptag_t *v;
	uint32_t count;
};

/**
 * Values in the order of their columns. Each has the id of its column; its type is the column's, or the
 * value's own where the column says PtypUnspecified, or PtypErrorCode for a value that could not be
 * had (v.err says why), or PtypNull for one that is not there.
 */
struct gx_proprow {
	const struct gx_propval *v;
	uint32_t count;
};

/** Of RopNotify: which properties of an object have changed. */
struct gx_changed_tags {
	const gx_proptag_t *v;
	uint32_t count;
	bool unknown;   /**< nothing was said of them (TagCount 0xFFFF) */
};

/** Columns and rows of them, [MS-OXCMAPIHTTP] 2.2.5. */
struct gx_ab_rows {
	struct gx_columns columns;
	const struct gx_proprow *v;
	uint32_t count;
};

/** The type of a column's values: that of an element where the column shows each element in a row of its own. */
GX_API uint16_t gx_column_type(gx_proptag_t column);
/** One row of @p cols. The error is in the cursor. */
GX_API void gx_proprow_pull(struct gx_pull *c, const struct gx_px *px, const struct gx_columns *cols, struct gx_proprow *ret_row);
/** GX_E_INVAL when the row does not fit the columns. */
GX_API void gx_proprow_push(struct gx_push *c, const struct gx_px *px, const struct gx_columns *cols, const struct gx_proprow *row);

#ifdef __cplusplus
}
#endif
#endif
