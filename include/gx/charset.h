/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CHARSET_H
#define GX_CHARSET_H
/**
 * @file charset.h
 * Character sets and code pages. Inside, all text is UTF-8.
 *
 * Conversions to UTF-8 are lenient: what cannot be decoded becomes U+FFFD, the function reports
 * how often. Thread class: immutable.
 */
#include <gx/arena.h>
#include <gx/strbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GX_CP_UTF16 = 1200, GX_CP_ASCII = 20127, GX_CP_UTF7 = 65000, GX_CP_UTF8 = 65001, GX_CP_8BIT = 1252 };
/**
 * Added to a code page in gx_cp_to_utf8(): the text is format=flowed [RFC 3676] and comes out with
 * each paragraph on one line; with DELSP the space at a soft line break is no part of it.
 */
enum { GX_CP_FLOWED = 0x40000000, GX_CP_DELSP = 0x20000000 };

/** MIME charset name (any case, known aliases, codepages.tsv) to code page; 0 when unknown. */
GX_API uint32_t gx_cp_from_charset(const char *name);
/** Preferred MIME name of a code page, NULL when unknown; static. */
GX_API const char *gx_cp_to_charset(uint32_t cp);

/**
 * @p len bytes of code page @p cp as NUL-terminated UTF-8 in the arena. NULs inside become U+FFFD.
 * cp 0, ASCII or unknown: UTF-8 if it is valid, else windows-1252. UTF-16 obeys a byte order mark.
 * @param ret_len length without the NUL, may be NULL. @param ret_bad number of replacements, may be NULL.
 * @return 0, GX_E_NOMEM.
 */
GX_API int gx_cp_to_utf8(struct gx_arena *a, uint32_t cp, const void *data, size_t len, char **ret_s,
	size_t *ret_len, size_t *ret_bad) GX_MUST_CHECK;
/** Like it, but appends to @p b (streaming callers hand in whole characters). */
GX_API void gx_cp_append_utf8(struct gx_strbuf *b, uint32_t cp, const void *data, size_t len);
/**
 * UTF-8 to a code page. @p strict: GX_E_ENCODING when a character does not exist there; else '?'.
 * The result is not NUL-terminated.
 */
GX_API int gx_cp_from_utf8(struct gx_arena *a, uint32_t cp, const char *s, size_t len, bool strict,
	struct gx_bin *ret_bin) GX_MUST_CHECK;

/** Well-formed UTF-8 without surrogates and overlong forms? */
GX_API bool gx_utf8_valid(const char *s, size_t len);
/** Only bytes 0x01-0x7f? */
GX_API bool gx_ascii_only(const char *s, size_t len);
/** Reads one character; advances *io_s. @return the code point, U+FFFD for malformed bytes. */
GX_API uint32_t gx_utf8_next(const char **io_s, const char *end);
/** Appends one character. */
GX_API void gx_utf8_put(struct gx_strbuf *b, uint32_t c);
/** UTF-16LE without BOM handling, lone surrogates replaced. */
GX_API int gx_utf16le_to_utf8(struct gx_arena *a, const void *data, size_t len, char **ret_s) GX_MUST_CHECK;
/** UTF-16LE with a terminating NUL unit if @p term. */
GX_API int gx_utf8_to_utf16le(struct gx_arena *a, const char *s, bool term, struct gx_bin *ret_bin) GX_MUST_CHECK;

/** Simple case folding of the whole of Unicode, for caseless comparison and search keys. */
GX_API uint32_t gx_utf8_fold(uint32_t c);
/** Caseless order of two UTF-8 strings: <0, 0, >0. */
GX_API int gx_utf8_casecmp(const char *a, const char *b);
/** Does @p hay contain @p needle, caseless, IMAP's and MAPI's substring meaning? Empty needle: yes. */
GX_API bool gx_utf8_casestr(const char *hay, size_t hay_len, const char *needle, size_t needle_len);
/** ASCII only comparisons, no locale. */
GX_API int gx_ascii_casecmp(const char *a, const char *b);
GX_API int gx_ascii_ncasecmp(const char *a, const char *b, size_t n);
GX_API int gx_ascii_tolower(int c);

#ifdef __cplusplus
}
#endif
#endif
