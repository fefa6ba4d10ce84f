/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAIL_MAILOUT_INT_H
#define GXMAIL_MAILOUT_INT_H
/* Writing an internet message from a message object: what the files mailout*.c share. */
#include <gx/mailconv.h>

#define GX_MAILOUT_MAX_DEPTH 32

struct gx_mailout {
	struct gx_arena *a;
	const struct gx_mailconv_env *env;
	struct gx_bin original;   /* what slices refer to */
	struct gx_push *out;
	unsigned flags;
	uint64_t seed;            /* boundaries and made-up ids: the same for the same object */
	unsigned boundaries;      /* made so far */
	unsigned depth;           /* of embedded messages */
	int err;                  /* sticky */
};

int gx_mailout__fail(struct gx_mailout *w, int err);

/* The text of a string property or slice; NULL when absent. */
const char *gx_mailout__text(struct gx_mailout *w, const struct gx_msgobj *m, gx_proptag_t tag);
/* The bytes of a binary property or slice. @return false when absent. */
bool gx_mailout__bytes(struct gx_mailout *w, const struct gx_msgobj *m, gx_proptag_t tag, struct gx_bin *ret_b);
/* Data of an attachment: property or slice; empty when there is none. */
struct gx_bin gx_mailout__attach_data(struct gx_mailout *w, const struct gx_attach *att);

/* Whole message: header and body. */
void gx_mailout__message(struct gx_mailout *w, const struct gx_msgobj *m);
/* Header fields but those of MIME. */
void gx_mailout__header(struct gx_mailout *w, const struct gx_msgobj *m);
/* MIME fields, the empty line, and the body. */
void gx_mailout__body(struct gx_mailout *w, const struct gx_msgobj *m);
/* Plain text, HTML with its pictures, or both as alternatives: MIME fields, the empty line, content. */
void gx_mailout__texts(struct gx_mailout *w, const struct gx_msgobj *m);
bool gx_mailout__has_html(const struct gx_msgobj *m);
/* The type of an attachment, or @otherwise when it has none that can be written. */
const char *gx_mailout__media_type(const struct gx_attach *att, const char *otherwise);
/* A delivery report? Its recipients are those it is about. */
bool gx_mailout__is_status(const struct gx_msgobj *m);
/* The body of REPORT.* messages: multipart/report. @return false: not a report, nothing written. */
bool gx_mailout__report(struct gx_mailout *w, const struct gx_msgobj *m);
/* Does the HTML body show it? */
bool gx_mailout__is_inline(const struct gx_attach *att);
/* One attachment as a part: its MIME fields, the empty line, the content. */
void gx_mailout__attachment(struct gx_mailout *w, const struct gx_attach *att, bool is_inline);
/* A text part in the shortest fitting encoding: "Content-Type: TYPE; charset=CHARSET" and so on. */
void gx_mailout__text_part(struct gx_mailout *w, const char *type, const char *charset, struct gx_bin text);

/* A new boundary; it can stand in no encoded part. */
const char *gx_mailout__boundary(struct gx_mailout *w);
void gx_mailout__delimiter(struct gx_mailout *w, const char *boundary, bool last);

/* One field; value is UTF-8 text, encoded and folded. Empty values are not written. */
void gx_mailout__field_text(struct gx_mailout *w, const char *name, const char *utf8);
/* One field as it stands, folded at white space. Line breaks and NULs become spaces. */
void gx_mailout__field_raw(struct gx_mailout *w, const char *name, const char *value);
void gx_mailout__field_time(struct gx_mailout *w, const char *name, gx_nttime_t t);
/* "; name=value" of Content-Type and Content-Disposition, RFC 2231 when not ASCII, on a line of its own. */
void gx_mailout__param(struct gx_mailout *w, const char *name, const char *utf8);

/* A mailbox "name <address>". @param address SMTP address, may be NULL. Appended to b. */
void gx_mailout__mailbox(struct gx_mailout *w, struct gx_strbuf *b, size_t column, const char *name, const char *address);
/* An SMTP address; what is no atom before the last "@" is quoted. */
void gx_mailout__addr_spec(struct gx_strbuf *b, const char *address);
/* The SMTP address of a property list, given the four tags; encapsulates others as [MS-OXCMAIL] 2.2.3.1 IMCEA. */
const char *gx_mailout__address(struct gx_mailout *w, const struct gx_proplist *l, gx_proptag_t smtp, gx_proptag_t type,
	gx_proptag_t email);

#endif
