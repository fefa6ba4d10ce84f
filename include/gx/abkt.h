/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ABKT_H
#define GX_ABKT_H
/**
 * @file abkt.h
 * Dialogs in which clients show entries of the address book: the TRowSet structure, [MS-OXOABKT] 2.2.2.1. Thread class: immutable.
 */
#include <gx/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

/** ControlType, [MS-OXOABKT] 2.2.2.1.2; those that it does not have occur in version 2. */
enum {
	GX_DTCT_LABEL = 0, GX_DTCT_EDIT = 1, GX_DTCT_LBX = 2, GX_DTCT_COMBOBOX = 3, GX_DTCT_DDLBX = 4, GX_DTCT_CHECKBOX = 5,
	GX_DTCT_GROUPBOX = 6, GX_DTCT_BUTTON = 7, GX_DTCT_PAGE = 8, GX_DTCT_RADIOBUTTON = 9, GX_DTCT_MVLISTBOX = 11, GX_DTCT_MVDDLBX = 12,
};

struct gx_abkt_control {
	uint32_t x, dx, y, dy;      /**< pixels */
	uint32_t type, flags;
	uint32_t extra;             /**< only in version 2: ulPRTableName, ulPRDisplayProperty, ulcButtons */
	uint32_t tag;               /**< dwType: the property it shows */
	uint32_t size;              /**< ulSize */
	const char *text;           /**< UTF-8; of edit controls what may be typed, "*" anything */
};
struct gx_abkt {
	uint32_t version;           /**< 1, or 2 with a field more in each row */
	const struct gx_abkt_control *v;
	uint32_t count;
};

/**
 * Texts are in code page @p cp, 1200 for UTF-16; 0: UTF-16 if they look like it, else as gx_cp_to_utf8() takes them. GX_E_FORMAT,
 * GX_E_TRUNC, GX_E_UNSUP another version, GX_E_LIMIT more than 1,000 controls.
 */
GX_API int gx_abkt_read(struct gx_arena *a, const void *data, size_t len, uint32_t cp, struct gx_abkt *ret_t) GX_MUST_CHECK;
/** @p gaps: 8-bit texts take the room that they would have in UTF-16, as those of Exchange do. GX_E_UNSUP, GX_E_LIMIT. */
GX_API int gx_abkt_write(struct gx_arena *a, const struct gx_abkt *t, uint32_t cp, bool gaps, struct gx_bin *ret_b) GX_MUST_CHECK;

/** "edit"; NULL for a number that is no type. Static. */
GX_API const char *gx_dtct_name(uint32_t type);
/** GX_E_NOTFOUND. */
GX_API int gx_dtct_by_name(const char *name, uint32_t *ret_type) GX_MUST_CHECK;
/** The same of a single bit of ControlFlags: "editable". */
GX_API const char *gx_dt_flag_name(uint32_t bit);
GX_API int gx_dt_flag_by_name(const char *name, uint32_t *ret_bit) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
