/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAIL_MAILIN_INT_H
#define GXMAIL_MAILIN_INT_H
/* Internet message to message object: what the files mailin*.c share. */
#include <gx/mailconv.h>

#define GX_MAILIN_MAX_DEPTH 20   /* of embedded messages; deeper ones are files */
#define GX_MAILIN_MAX_RCPTS 10000
#define GX_MAILIN_MAX_MORE 16           /* texts of a multipart/mixed that are joined with the first */
#define GX_MAILIN_MAX_JOINED (256U << 10) /* and their size */

/* One message on its way, the outer or an embedded one. */
struct gx_mailin {
	struct gx_arena *a;
	const struct gx_mailconv_env *env;
	const uint8_t *data;             /* the whole original; offsets of parts count from here */
	const struct gx_mime_part *root; /* of this message */
	struct gx_msgobj *m;
	unsigned depth;
	const struct gx_mime_part *plain, *html; /* chosen bodies */
	const struct gx_mime_part *alternative;  /* that they are from, or NULL */
	const struct gx_mime_part *more[GX_MAILIN_MAX_MORE]; /* texts that follow the plain one */
	size_t more_count;
	const struct gx_mime_part *status; /* part of a report that its properties say, or NULL */
	bool bodies_only;                /* no attachments are made */
	bool *related;                   /* of each attachment: it stood in a multipart/related */
	size_t related_cap;
};

/* Converts the message whose structure is @root into @m. */
int gx_mailin__message(struct gx_mailin *in) GX_MUST_CHECK;

/* mailin_header.c: all fields of the root part. */
int gx_mailin__header(struct gx_mailin *in) GX_MUST_CHECK;
/* mailin_body.c: bodies and attachments at and below a part. */
int gx_mailin__body(struct gx_mailin *in, const struct gx_mime_part *from) GX_MUST_CHECK;
/* mailin_text.c: properties of the bodies that were chosen. */
int gx_mailin__texts(struct gx_mailin *in) GX_MUST_CHECK;
/* mailin_inline.c: marks the attachments that the HTML body shows. */
int gx_mailin__inline(struct gx_mailin *in) GX_MUST_CHECK;
/* mailin_attach.c; @related: the part stands in a multipart/related. */
int gx_mailin__attach(struct gx_mailin *in, const struct gx_mime_part *p, bool related) GX_MUST_CHECK;
/* mailin_smime.c: sets class and the one attachment. @return 1 it was S/MIME, 0 it was not, GX_E_*. */
int gx_mailin__smime(struct gx_mailin *in) GX_MUST_CHECK;
/* mailin_report.c: class and recipients of a multipart/report. @return 1 a report (parts are still to be walked), 0, GX_E_*. */
int gx_mailin__report(struct gx_mailin *in) GX_MUST_CHECK;

/* @s if it is UTF-8, else its conversion; NULL: out of memory. */
const char *gx_mailin__utf8(struct gx_mailin *in, const char *s);
/* A message id without white space and angle brackets around it; NULL gives NULL. */
const char *gx_mailin__bare_id(const char *id, size_t *ret_len);
/* Property from a header value: decoded text; none when that is empty. */
int gx_mailin__set_text(struct gx_mailin *in, gx_proptag_t tag, const char *value) GX_MUST_CHECK;
/* Adds a slice; the value is what the store derives from it. */
int gx_mailin__set_slice(struct gx_mailin *in, gx_proptag_t tag, const struct gx_slice *s) GX_MUST_CHECK;
/* Code page of a text part: its charset, the default, or 0 for a guess. */
uint32_t gx_mailin__cp(const struct gx_mailin *in, const struct gx_mime_part *p);
/* One of several types? "type/subtype" */
bool gx_mailin__is(const struct gx_mime_part *p, const char *type, const char *subtype);

/* An address with its properties, mailin_addr.c. */
struct gx_mailin_addr {
	const char *name;   /* display name, UTF-8; the address when there is none */
	const char *smtp;   /* local@domain */
	const char *dn;     /* of a local user, or NULL */
};
int gx_mailin__addr(struct gx_mailin *in, const struct gx_mime_addr *x, struct gx_mailin_addr *ret_x) GX_MUST_CHECK;
/* First mailbox of a list. @return 1, 0 none, GX_E_*. */
int gx_mailin__first_addr(struct gx_mailin *in, const char *value, struct gx_mailin_addr *ret_x) GX_MUST_CHECK;
/* Name, address type, address, SMTP address under four tags. */
struct gx_mailin_addr_tags {
	gx_proptag_t name, type, email, smtp;
};
int gx_mailin__set_addr(struct gx_mailin *in, struct gx_proplist *l, const struct gx_mailin_addr_tags *t,
	const struct gx_mailin_addr *x) GX_MUST_CHECK;
/* Recipients of a To, Cc or Bcc field. */
int gx_mailin__rcpts(struct gx_mailin *in, int32_t type, const char *value) GX_MUST_CHECK;
int gx_mailin__reply_to(struct gx_mailin *in, const char *value) GX_MUST_CHECK;

#endif
