/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_BODYCONV_H
#define GX_BODYCONV_H
/**
 * @file bodyconv.h
 * A message's text in another format: plain text, HTML, RTF. HTML and plain text that somebody packed into RTF come out as
 * they went in, [MS-OXRTFEX]; RTF made here is packed that way.
 *
 * Text and HTML are UTF-8 but where a code page is named. All functions append to @p out, take any input in linear
 * time, and make at most #GX_BODYCONV_MAX bytes (GX_E_LIMIT). Thread class: confined.
 */
#include <gx/msgobj.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GX_BODYCONV_MAX ((size_t)64 * 1024 * 1024)

/** Is it RTF, and what was it before? GX_BODY_HTML, GX_BODY_PLAIN, GX_BODY_RTF for RTF of its own; 0: none. */
GX_API int gx_rtf_native(const void *rtf, size_t len);
/** What one sees of it. GX_E_FORMAT: it is no RTF. */
GX_API int gx_rtf_to_text(const void *rtf, size_t len, struct gx_push *out) GX_MUST_CHECK;
/** @p charset: what a document that is made anew says of itself; NULL "utf-8". GX_E_FORMAT. */
GX_API int gx_rtf_to_html(const void *rtf, size_t len, const char *charset, struct gx_push *out) GX_MUST_CHECK;
GX_API int gx_text_to_rtf(const char *s, size_t len, struct gx_push *out) GX_MUST_CHECK;
/** Ends of lines become CR LF on the way back. */
GX_API int gx_html_to_rtf(const char *s, size_t len, struct gx_push *out) GX_MUST_CHECK;
GX_API int gx_text_to_html(const char *s, size_t len, const char *charset, struct gx_push *out) GX_MUST_CHECK;

/**
 * All of them, to be handed to a store: gx_store_opts.convert. @p from, @p to are GX_BODY_*; RTF is compressed as in
 * PidTagRtfCompressed, HTML is in code page @p html_cp. @p ctx is not used. GX_E_UNSUP when the input is damaged or the result would
 * be too large, GX_E_NOMEM.
 */
GX_API int gx_bodyconv(int from, int to, struct gx_bin in, uint32_t html_cp, struct gx_arena *a, struct gx_bin *ret_out, void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
