/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTMLTEXT_H
#define GX_HTMLTEXT_H
/**
 * @file htmltext.h
 * The text of an HTML document, for searching and for reading. Thread class: confined.
 */
#include <gx/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Appends the text of @p s (UTF-8): without tags, comments, scripts and styles; references decoded; block
 * elements part words, inline ones do not. Takes any input, in linear time; text is never longer than three
 * times the input. The error is in @p out.
 */
GX_API void gx_html_text(const char *s, size_t len, struct gx_push *out);
/**
 * Appends the text of @p s (UTF-8) as one reads it: a paragraph, an item of a list, a row of a table on lines of their own
 * (ending with CR LF), cells parted by tabs, and behind a link its target in angle brackets unless the text says it.
 * Takes any input, in linear time; text is never longer than sixteen times the input. The error is in @p out.
 */
GX_API void gx_html_plain(const char *s, size_t len, struct gx_push *out);
/** Behind the tag in which @p s stands, or @p end; a '>' in a quoted attribute does not end it. */
GX_API const char *gx_html_past_tag(const char *s, const char *end);

#ifdef __cplusplus
}
#endif
#endif
