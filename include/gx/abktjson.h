/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ABKTJSON_H
#define GX_ABKTJSON_H
/**
 * @file abktjson.h
 * Dialog templates as text that people write, and where sites have theirs: in files that ldapsearch wrote. Thread class: immutable.
 */
#include <gx/abkt.h>
#include <gx/strbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * {"version": 1, "controls": [{"type": "edit", "x": 12, "y": 7, "dx": 100, "dy": 10, "flags": ["editable"], "tag": "PidTagAccount",
 * "size": 64, "text": "*"}]}. What is missing is 0 or empty. A tag is a name, of texts as PtypString8, or a number ("0x3a00001e"); types and
 * flags may be numbers as well. GX_E_FORMAT, with @p ret_why. Texts live in @p a.
 */
GX_API int gx_abkt_from_json(struct gx_arena *a, const char *text, size_t len, struct gx_abkt *ret_t, const char **ret_why) GX_MUST_CHECK;
/** Appends it; reading that gives the same template. */
GX_API void gx_abkt_to_json(const struct gx_abkt *t, struct gx_strbuf *b);

/** One attribute of an entry; @p value is decoded, and borrowed for the call, as the rest is. Other than 0 ends it all. */
typedef int gx_ldif_cb(const char *dn, const char *attribute, struct gx_bin value, void *ctx);
/** LDIF [RFC 2849], contents only: lines that are folded, base64. Values from other files (":<") are left out. @return 0, GX_E_FORMAT with the
 * line in @p ret_line, or what @p cb returned. */
GX_API int gx_ldif_read(const char *text, size_t len, gx_ldif_cb *cb, void *ctx, unsigned *ret_line) GX_MUST_CHECK;
/** What a template is called that was found there: "409-0-originalDisplayTable.abk" of CN=0,CN=409,... NULL: it is none. */
GX_API const char *gx_ldif_template_name(struct gx_arena *a, const char *dn, const char *attribute);

#ifdef __cplusplus
}
#endif
#endif
