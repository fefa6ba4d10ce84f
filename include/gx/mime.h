/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MIME_H
#define GX_MIME_H
/**
 * @file mime.h
 * The MIME parser: the structure of an internet message as offsets into its bytes.
 *
 * The parser accepts everything: what is broken is parsed the way mail programs show it. It is
 * streaming (push), keeps headers and structure in an arena, and never copies bodies.
 * [RFC 5322], [RFC 2045]-[RFC 2049], [RFC 2231], [RFC 2047], [RFC 6532].
 * Thread class: confined.
 */
#include <gx/codec.h>
#include <gx/strbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Limits; 0 takes the default in brackets. What lies beyond is left unparsed, flagged, never an error. */
struct gx_mime_limits {
	uint32_t max_parts;        /**< [10000] */
	uint32_t max_depth;        /**< [100], at most 1000 */
	uint64_t max_header_bytes; /**< all headers of one part [2 MiB] */
	uint32_t max_headers;      /**< fields of one part [10000]; a message may have ten times as many */
};

/** One header field; offsets are into the whole message, contents into the arena. */
struct gx_mime_header {
	const char *name;   /**< as written, NUL-terminated; "" for a line that is no field */
	const char *value;  /**< unfolded (CRLF removed, white space kept but at the ends), not decoded, NULs replaced, NUL-terminated */
	uint64_t off, len;  /**< the whole field with its line end(s) */
	struct gx_mime_header *next;
};

struct gx_mime_param {
	const char *name;   /**< lower case */
	const char *value;  /**< decoded by RFC 2231 and 2047, UTF-8 */
	struct gx_mime_param *next;
};

/** Flags of a part. */
enum {
	GX_MIME_TRUNCATED = 1,   /**< a limit was reached inside */
	GX_MIME_NO_END = 2,      /**< closing boundary missing */
	GX_MIME_NO_BOUNDARY = 4, /**< multipart without a boundary parameter: shown as text */
	GX_MIME_BARE_LF = 8,
	GX_MIME_8BIT_HEADER = 16,
	GX_MIME_NUL = 32,
};

struct gx_mime_part {
	struct gx_mime_part *parent, *first_child, *last_child, *next;
	struct gx_mime_header *headers;
	const char *type, *subtype;          /**< lower case; defaults applied: text/plain, message/rfc822 in digest */
	struct gx_mime_param *params;
	const char *disposition;             /**< lower case, NULL when absent */
	struct gx_mime_param *disp_params;
	const char *content_id;              /**< as written, NULL when absent */
	const char *description, *location, *md5, *language; /**< raw values or NULL */
	const char *cte_name;                /**< as written or NULL */
	uint8_t cte;                         /**< GX_CTE_* */
	uint32_t flags;
	uint64_t hdr_off, hdr_len;           /**< header with the empty line that ends it */
	uint64_t body_off, body_len;         /**< without the line end that belongs to the boundary */
	uint64_t body_lines;                 /**< number of line ends in the body, as IMAP counts */
	/* message/rfc822 and message/global: first_child is the inner message's root part. */
};

struct gx_mime_parser;

/** @p a keeps the result. @return NULL when out of memory. */
GX_API struct gx_mime_parser *gx_mime_parser_new(struct gx_arena *a, const struct gx_mime_limits *lim);
/** Bytes in order, in pieces of any size. */
GX_API int gx_mime_parser_feed(struct gx_mime_parser *p, const void *data, size_t len) GX_MUST_CHECK;
/** End of message. @return 0 or GX_E_NOMEM. The parser is freed with its arena. */
GX_API int gx_mime_parser_finish(struct gx_mime_parser *p, struct gx_mime_part **ret_root) GX_MUST_CHECK;
/** All at once. */
GX_API int gx_mime_parse(struct gx_arena *a, const struct gx_mime_limits *lim, const void *data, size_t len,
	struct gx_mime_part **ret_root) GX_MUST_CHECK;

/** First field of that name (caseless) or NULL. */
GX_API const struct gx_mime_header *gx_mime_header(const struct gx_mime_part *p, const char *name);
GX_API const char *gx_mime_param(const struct gx_mime_param *l, const char *name);
/** IMAP part number "2.1.3" to part; "" is the root. @return NULL when there is none. */
GX_API const struct gx_mime_part *gx_mime_part_by_number(const struct gx_mime_part *root, const char *number);
/** Next part in document order within @p root, depth first; NULL at the end. */
GX_API const struct gx_mime_part *gx_mime_next(const struct gx_mime_part *root, const struct gx_mime_part *p);

/** RFC 2047 encoded words and raw 8-bit (by @p cp, 0 unknown) to UTF-8. */
GX_API int gx_mime_decode_text(struct gx_arena *a, const char *value, uint32_t cp, char **ret_utf8) GX_MUST_CHECK;
/** RFC 2047 encoding where needed, folded at 76; for header values of text (not addresses). */
GX_API void gx_mime_encode_text(struct gx_strbuf *b, const char *utf8, size_t column);

/** One address of a list; groups appear as begin and end markers as in IMAP ENVELOPE. */
struct gx_mime_addr {
	const char *name;    /**< display name, raw as written (encoded words kept) or NULL */
	const char *local;   /**< local part unquoted; in a group marker the group's name, NULL at its end */
	const char *domain;  /**< NULL in group markers; "" when missing */
	struct gx_mime_addr *next;
};
/** Parses any address list, forgiving. */
GX_API int gx_mime_addrs(struct gx_arena *a, const char *value, struct gx_mime_addr **ret_list) GX_MUST_CHECK;
/** Date header to Unix seconds and offset in minutes; obsolete and common broken forms too. @return 0 or GX_E_FORMAT. */
GX_API int gx_mime_date(const char *value, int64_t *ret_unix, int *ret_offset_min) GX_MUST_CHECK;
/** "Sun, 22 Nov 2026 17:10:32 +0000" */
GX_API void gx_mime_date_print(int64_t unix_sec, int offset_min, char out[40]);

/**
 * IMAP ENVELOPE of a message part, parenthesised, ready to send. [RFC 3501] 7.4.2
 * Lack of memory shows in b->err, here and below.
 */
GX_API void gx_mime_envelope(struct gx_strbuf *b, const struct gx_mime_part *msg, struct gx_arena *scratch);
/**
 * IMAP BODY (@p ext false) or BODYSTRUCTURE of a part. When the text has grown beyond 4 MiB, parameters
 * and envelopes inside are left out.
 */
GX_API void gx_mime_bodystructure(struct gx_strbuf *b, const struct gx_mime_part *p, bool ext, struct gx_arena *scratch);

#ifdef __cplusplus
}
#endif
#endif
