/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RCPTROW_H
#define GX_RCPTROW_H
/**
 * @file rcptrow.h
 * Recipients as remote operations carry them, RecipientRow of [MS-OXCDATA] 2.8.3.2: what every recipient has stands in the row's head,
 * the rest in columns. Thread class: immutable.
 */
#include <gx/propcodec.h>
#include <gx/proprow.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Is it in the head of the row, or said beside it (PidTagRowid, PidTagRecipientType), and no column therefore? */
GX_API bool gx_rcptrow_in_head(gx_proptag_t tag);
/** The row of recipient @p l with @p cols, in the arena of @p px. What it does not have is PtypErrorCode with ecNotFound. */
GX_API int gx_rcptrow_encode(const struct gx_px *px, const struct gx_columns *cols, const struct gx_proplist *l, struct gx_bin *ret_row) GX_MUST_CHECK;
/**
 * Adds what a row says to @p io_l, in the arena of @p px; texts become UTF-8 ones whatever their columns were. GX_E_UNSUP: its DN
 * leaves out a prefix that was agreed upon, which is never done. Else errors of gx_desc_decode().
 */
GX_API int gx_rcptrow_decode(const struct gx_px *px, const struct gx_columns *cols, struct gx_bin row, struct gx_proplist *io_l) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
