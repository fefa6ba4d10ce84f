/* SPDX-License-Identifier: Apache-2.0 */
/* IMAP's view of a message: ENVELOPE, BODY and BODYSTRUCTURE. [RFC 3501] 7.4.2 */
#include <config.h>
#include <inttypes.h>
#include <string.h>
#include "libgxmail/mime-int.h"

#define QUOTED_MAX 1000       /* longer strings go as literals */
#define ADDRS_MAX 50000       /* of several fields of one name: no more fields are added */
#define ENOUGH (4U << 20)     /* a structure of that size gets no more parameters and envelopes */

static void fail(struct gx_strbuf *b, int err)
{
	if (b->err == 0)
		b->err = err;
}

/* What a string needs to be sent. */
enum { NEEDS_ESCAPES = 1, NEEDS_LITERAL = 2 };

static unsigned string_needs(const char *s, size_t n)
{
	unsigned needs = 0;
	for (size_t i = 0; i < n; ++i) {
		unsigned char c = (unsigned char)s[i];
		needs |= (c == '"') | (c == '\\');
		needs |= (unsigned)((c >= 0x80) | (c == '\r') | (c == '\n')) << 1;
	}
	return needs;
}

static void put_escaped(struct gx_strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		if (s[i] == '"' || s[i] == '\\')
			gx_strbuf_addc(b, '\\');
		gx_strbuf_addc(b, s[i]);
	}
}

/* [RFC 3501] 4.3: what a quoted string cannot hold is sent as a literal. */
static void put_string(struct gx_strbuf *b, const char *s)
{
	size_t n = strlen(s);
	unsigned needs = n > QUOTED_MAX ? NEEDS_LITERAL : string_needs(s, n);
	if ((needs & NEEDS_LITERAL) != 0) {
		gx_strbuf_printf(b, "{%zu}\r\n", n);
		gx_strbuf_add(b, s, n);
		return;
	}
	gx_strbuf_addc(b, '"');
	if ((needs & NEEDS_ESCAPES) != 0)
		put_escaped(b, s, n);
	else
		gx_strbuf_add(b, s, n);
	gx_strbuf_addc(b, '"');
}

static void put_nstring(struct gx_strbuf *b, const char *s)
{
	if (s == NULL)
		gx_strbuf_add(b, "NIL", 3);
	else
		put_string(b, s);
}

static void put_addr(struct gx_strbuf *b, const struct gx_mime_addr *m)
{
	gx_strbuf_addc(b, '(');
	put_nstring(b, m->name);
	gx_strbuf_add(b, " NIL ", 5);
	put_nstring(b, m->local);
	gx_strbuf_addc(b, ' ');
	put_nstring(b, m->domain);
	gx_strbuf_addc(b, ')');
}

/* All fields of that name as one list. */
static struct gx_mime_addr *addrs_of(struct gx_strbuf *b, const struct gx_mime_part *msg,
	const char *name, struct gx_arena *scratch)
{
	struct gx_mime_addr *all = NULL, **tail = &all;
	unsigned count = 0;
	const struct gx_mime_header *h = gx_mime_header(msg, name);
	for (; h != NULL && count < ADDRS_MAX; h = gx_mime__find_field(h->next, name)) {
		int r = gx_mime_addrs(scratch, h->value, tail);
		if (r != 0) {
			fail(b, r);
			break;
		}
		for (; *tail != NULL; ++count)
			tail = &(*tail)->next;
	}
	return all;
}

static void put_addrs(struct gx_strbuf *b, const struct gx_mime_addr *l)
{
	if (l == NULL) {
		gx_strbuf_add(b, "NIL", 3);
		return;
	}
	gx_strbuf_addc(b, '(');
	for (; l != NULL; l = l->next)
		put_addr(b, l);
	gx_strbuf_addc(b, ')');
}

static void put_field(struct gx_strbuf *b, const struct gx_mime_part *msg, const char *name)
{
	const struct gx_mime_header *h = gx_mime_header(msg, name);
	put_nstring(b, h == NULL ? NULL : h->value);
}

static void envelope_lists(struct gx_strbuf *b, const struct gx_mime_part *msg, struct gx_arena *scratch)
{
	static const char *const senders[] = {"Sender", "Reply-To"};
	static const char *const recipients[] = {"To", "Cc", "Bcc"};
	const struct gx_mime_addr *from = addrs_of(b, msg, "From", scratch);
	put_addrs(b, from);
	for (size_t i = 0; i < 2; ++i) { /* missing or empty: the same as From */
		const struct gx_mime_addr *l = addrs_of(b, msg, senders[i], scratch);
		gx_strbuf_addc(b, ' ');
		put_addrs(b, l == NULL ? from : l);
	}
	for (size_t i = 0; i < 3; ++i) {
		gx_strbuf_addc(b, ' ');
		put_addrs(b, addrs_of(b, msg, recipients[i], scratch));
	}
}

void gx_mime_envelope(struct gx_strbuf *b, const struct gx_mime_part *msg, struct gx_arena *scratch)
{
	gx_strbuf_addc(b, '(');
	put_field(b, msg, "Date");
	gx_strbuf_addc(b, ' ');
	put_field(b, msg, "Subject");
	gx_strbuf_addc(b, ' ');
	envelope_lists(b, msg, scratch);
	gx_strbuf_addc(b, ' ');
	put_field(b, msg, "In-Reply-To");
	gx_strbuf_addc(b, ' ');
	put_field(b, msg, "Message-ID");
	gx_strbuf_addc(b, ')');
}

static void put_param_list(struct gx_strbuf *b, const struct gx_mime_param *l, bool default_charset)
{
	default_charset = default_charset && gx_mime_param(l, "charset") == NULL;
	if (l == NULL && !default_charset) {
		gx_strbuf_add(b, "NIL", 3);
		return;
	}
	gx_strbuf_addc(b, '(');
	for (; l != NULL; l = l->next) {
		put_string(b, l->name);
		gx_strbuf_addc(b, ' ');
		put_string(b, l->value);
		if (l->next != NULL || default_charset)
			gx_strbuf_addc(b, ' ');
	}
	if (default_charset)
		gx_strbuf_adds(b, "\"charset\" \"us-ascii\"");
	gx_strbuf_addc(b, ')');
}

/* The parameters of a field as they are written, continuations joined. */
static void put_params(struct gx_strbuf *b, const struct gx_mime_part *p, const char *field, bool default_charset)
{
	const struct gx_mime_header *h = b->len < ENOUGH ? gx_mime_header(p, field) : NULL;
	struct gx_mime_rawparam *raw;
	struct gx_mime_param *joined = NULL;
	struct gx_arena *tmp = NULL;
	unsigned left = GX_MIME_MAX_PARAMS;
	if (h != NULL && strpbrk(h->value, ";= \t") != NULL) {
		tmp = gx_arena_new(0);
		int r = tmp == NULL ? GX_E_NOMEM :
			gx_mime__params_raw(tmp, gx_mime__skip_type(h->value), &left, &raw);
		if (r == 0)
			r = gx_mime__params_joined(tmp, raw, &joined);
		if (r != 0)
			fail(b, r);
	}
	put_param_list(b, joined, default_charset);
	gx_arena_free(tmp);
}

static void put_disposition(struct gx_strbuf *b, const struct gx_mime_part *p)
{
	if (p->disposition == NULL) {
		gx_strbuf_add(b, "NIL", 3);
		return;
	}
	gx_strbuf_addc(b, '(');
	put_string(b, p->disposition);
	gx_strbuf_addc(b, ' ');
	put_params(b, p, "Content-Disposition", false);
	gx_strbuf_addc(b, ')');
}

/* [RFC 3282]: tags between commas. One goes as a string, several as a list. */
static void put_language(struct gx_strbuf *b, const char *s, struct gx_arena *scratch)
{
	size_t count = 0;
	for (s = s == NULL ? "" : gx_mime__skip_cfws(s); *s != '\0'; s = gx_mime__skip_cfws(s)) {
		if (b->len > ENOUGH)
			break;
		char *tag = gx_mime__token(scratch, &s, true);
		if (tag == NULL) {
			++s;
			continue;
		}
		gx_strbuf_addc(b, count++ == 0 ? '(' : ' ');
		put_string(b, tag);
	}
	if (count == 0)
		gx_strbuf_add(b, "NIL", 3);
	else
		gx_strbuf_addc(b, ')');
}

static void put_extension(struct gx_strbuf *b, const struct gx_mime_part *p, struct gx_arena *scratch)
{
	gx_strbuf_addc(b, ' ');
	put_disposition(b, p);
	gx_strbuf_addc(b, ' ');
	put_language(b, p->language, scratch);
	gx_strbuf_addc(b, ' ');
	put_nstring(b, p->location);
}

/* A body type needs at least one part inside: [RFC 3501] 9, body-type-mpart and body-type-msg. */
static void put_empty_text(struct gx_strbuf *b, bool ext)
{
	gx_strbuf_adds(b, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
	gx_strbuf_adds(b, ext ? " NIL NIL NIL NIL)" : ")");
}

static void put_message(struct gx_strbuf *b, const struct gx_mime_part *p, bool ext,
	struct gx_arena *scratch)
{
	gx_strbuf_addc(b, ' ');
	if (p->first_child == NULL || b->len > ENOUGH)
		gx_strbuf_adds(b, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	else
		gx_mime_envelope(b, p->first_child, scratch);
	gx_strbuf_addc(b, ' ');
	if (p->first_child == NULL)
		put_empty_text(b, ext);
	else
		gx_mime_bodystructure(b, p->first_child, ext, scratch);
}

static void put_leaf(struct gx_strbuf *b, const struct gx_mime_part *p, bool ext, struct gx_arena *scratch)
{
	bool text = strcmp(p->type, "text") == 0;
	bool message = strcmp(p->type, "message") == 0 && strcmp(p->subtype, "rfc822") == 0;
	put_string(b, p->type);
	gx_strbuf_addc(b, ' ');
	put_string(b, p->subtype);
	gx_strbuf_addc(b, ' ');
	put_params(b, p, "Content-Type", text);
	gx_strbuf_addc(b, ' ');
	put_nstring(b, p->content_id);
	gx_strbuf_addc(b, ' ');
	put_nstring(b, p->description);
	gx_strbuf_addc(b, ' ');
	put_string(b, p->cte_name == NULL ? "7bit" : p->cte_name);
	gx_strbuf_printf(b, " %" PRIu64, p->body_len);
	if (message)
		put_message(b, p, ext, scratch);
	if (text || message)
		gx_strbuf_printf(b, " %" PRIu64, p->body_lines);
	if (!ext)
		return;
	gx_strbuf_addc(b, ' ');
	put_nstring(b, p->md5);
	put_extension(b, p, scratch);
}

static void put_multipart(struct gx_strbuf *b, const struct gx_mime_part *p, bool ext,
	struct gx_arena *scratch)
{
	for (const struct gx_mime_part *c = p->first_child; c != NULL; c = c->next)
		gx_mime_bodystructure(b, c, ext, scratch);
	if (p->first_child == NULL)
		put_empty_text(b, ext);
	gx_strbuf_addc(b, ' ');
	put_string(b, p->subtype);
	if (!ext)
		return;
	gx_strbuf_addc(b, ' ');
	put_params(b, p, "Content-Type", false);
	put_extension(b, p, scratch);
}

/* Recursion is as deep as the parser's limit lets parts nest. */
void gx_mime_bodystructure(struct gx_strbuf *b, const struct gx_mime_part *p, bool ext,
	struct gx_arena *scratch)
{
	gx_strbuf_addc(b, '(');
	if (gx_mime__is_multipart(p))
		put_multipart(b, p, ext, scratch);
	else
		put_leaf(b, p, ext, scratch);
	gx_strbuf_addc(b, ')');
}
