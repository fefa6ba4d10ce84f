/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STRBUF_H
#define GX_STRBUF_H
/**
 * @file strbuf.h
 * Text that grows; always NUL-terminated, sticky error as in cursor.h. Thread class: confined.
 */
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_strbuf {
	char *s; /**< never NULL after the first append or gx_strbuf_cstr() */
	size_t len, cap;
	int err;
};

#define GX_STRBUF_INIT {0}
GX_API void gx_strbuf_release(struct gx_strbuf *b);
GX_API void gx_strbuf_clear(struct gx_strbuf *b);
GX_API void gx_strbuf_add(struct gx_strbuf *b, const void *p, size_t n);
GX_API void gx_strbuf_adds(struct gx_strbuf *b, const char *s);
GX_API void gx_strbuf_addc(struct gx_strbuf *b, char c);
GX_API void gx_strbuf_printf(struct gx_strbuf *b, const char *fmt, ...) GX_PRINTF(2, 3);
GX_API void gx_strbuf_truncate(struct gx_strbuf *b, size_t len);
/** Borrowed until the next change; "" when empty or failed. */
GX_API const char *gx_strbuf_cstr(const struct gx_strbuf *b);
/** The caller owns the string (free()); NULL when an error is set. The buffer is empty after. */
GX_API char *gx_strbuf_take(struct gx_strbuf *b);

/**
 * Copies a list of strings that ends with NULL.
 * @param v     NULL is a list of its own kind, and is copied as NULL
 * @param ret_v the caller owns it: gx_strv_free(); NULL after an error
 * @return 0 or GX_E_NOMEM
 */
GX_API int gx_strv_copy(const char *const *v, char ***ret_v);
GX_API void gx_strv_free(char **v);

#ifdef __cplusplus
}
#endif
#endif
