/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAPI_HTMLTEXT_INT_H
#define GXMAPI_HTMLTEXT_INT_H
/* Reading HTML: what the search text and the plain text share. */
#include <gx/htmltext.h>

/* A reference at an ampersand: its character, and where to go on. 0: it is none. */
uint32_t gx_html__reference(const char *s, const char *end, const char **ret_next);
/* Behind a comment, or NULL when none begins here. */
const char *gx_html__past_comment(const char *s, const char *end);
/* Length of the name of an element, at most 16. */
size_t gx_html__name(const char *s, const char *end);
/* Does no element begin with that, since the name has @n letters? */
bool gx_html__lone(const char *name, const char *end, size_t n);
bool gx_html__is_inline(const char *name, size_t n);
/* The name of an element whose content is not text, else NULL. */
const char *gx_html__skipped(const char *name, size_t n);
/* Behind the end tag of @name, or the end. */
const char *gx_html__past_content(const char *s, const char *end, const char *name);

#endif
