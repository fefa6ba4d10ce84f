/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the MIME module share. */
#ifndef GX_MIME_INT_H
#define GX_MIME_INT_H
#include <gx/mime.h>

#define GX_MIME_MAX_PARAMS 100 /* of one field; the rest is not looked at */

/** One "name*section*=value" as written: quotes and escapes gone, nothing decoded. */
struct gx_mime_rawparam {
	const char *name; /* lower case, without the stars */
	const char *value;
	int section;      /* -1: none */
	bool extended;    /* the value may have a charset and percent signs, [RFC 2231] 4 */
	bool used;        /* taken into a joined value */
	struct gx_mime_rawparam *next;
};

/** Appends a field to the list at *@p io_tail. @p f: the field's bytes with line ends. */
int gx_mime__field_add(struct gx_arena *a, const uint8_t *f, size_t n, uint64_t off,
	struct gx_mime_header ***io_tail, uint32_t *io_flags);
/** First field of that name (caseless) from @p h on, or NULL. */
const struct gx_mime_header *gx_mime__find_field(const struct gx_mime_header *h, const char *name);
/** Could a header begin with this line? Only the first @p n bytes of it are looked at. */
bool gx_mime__looks_like_field(const uint8_t *line, size_t n);
/**
 * Type, parameters, disposition and so on from the part's fields; defaults by its parent.
 * @p io_params: how many parameters may still be read in this message.
 */
int gx_mime__part_describe(struct gx_arena *a, struct gx_mime_part *p, unsigned *io_params,
	const char **ret_boundary);

/** The value behind white space and comments. */
const char *gx_mime__skip_cfws(const char *s);
/** Behind the type, subtype or disposition at the beginning of a field's value. */
const char *gx_mime__skip_type(const char *s);
/** A run of token characters into the arena; *io_s moves behind it. NULL: none, or no memory. */
char *gx_mime__token(struct gx_arena *a, const char **io_s, bool lower);
/** Parameters behind a type or disposition, at most *io_left, which goes down. @return 0 or GX_E_NOMEM. */
int gx_mime__params_raw(struct gx_arena *a, const char *s, unsigned *io_left,
	struct gx_mime_rawparam **ret_list);
/** Joins continuations and decodes to UTF-8. */
int gx_mime__params_decode(struct gx_arena *a, struct gx_mime_rawparam *raw, struct gx_mime_param **ret_list);
/** Joins continuations, decodes nothing; names of extended values end in a star, as IMAP shows them. */
int gx_mime__params_joined(struct gx_arena *a, struct gx_mime_rawparam *raw, struct gx_mime_param **ret_list);

/** Value of a hexadecimal digit, -1 for anything else. */
static inline int gx_mime__hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** A multipart that was opened, or a message with a message inside. */
bool gx_mime__is_multipart(const struct gx_mime_part *p);
bool gx_mime__is_message(const struct gx_mime_part *p);
/* The whole text as encoded words, for phrases; [RFC 2047] 5 (3). */
void gx_mime__encode_phrase(struct gx_strbuf *b, const char *utf8, size_t column);

#endif
