/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [RFC 3501] 7.4.2: BODY is BODYSTRUCTURE without extension data. The text is our own, so it is
 * well-formed; if it is not, the walk just stops at its end.
 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/fetch-int.h"

struct walk {
	const char *p, *end;
	struct gx_push *out;   /* NULL: skip */
	unsigned depth;
};

static void skip_string(struct walk *w)
{
	for (++w->p; w->p < w->end && *w->p != '"'; ++w->p)
		if (*w->p == '\\' && w->end - w->p > 1)
			++w->p;
	if (w->p < w->end)
		++w->p;
}

static void skip_literal(struct walk *w)
{
	uint64_t n = 0;
	for (++w->p; w->p < w->end && *w->p >= '0' && *w->p <= '9'; ++w->p)
		n = n < UINT32_MAX ? n * 10 + (uint64_t)(*w->p - '0') : n;
	if (w->end - w->p < 3) {
		w->p = w->end;
		return;
	}
	w->p += 3;
	w->p += n < (uint64_t)(w->end - w->p) ? n : (uint64_t)(w->end - w->p);
}

/* One token: a list, a string, a literal, or an atom. */
static void skip_token(struct walk *w)
{
	unsigned depth = 0;
	do {
		if (w->p == w->end)
			return;
		switch (*w->p) {
		case '(':
			++depth;
			++w->p;
			break;
		case ')':
			if (depth == 0)
				return;
			--depth;
			++w->p;
			break;
		case '"': skip_string(w); break;
		case '{': skip_literal(w); break;
		case ' ': ++w->p; break;
		default:
			while (w->p < w->end && *w->p != ' ' && *w->p != ')' && *w->p != '(')
				++w->p;
		}
	} while (depth > 0);
}

const char *gx_imap__skip_token(const char *p, const char *end)
{
	struct walk w = {p, end, NULL, 0};
	skip_token(&w);
	return w.p;
}

static void skip_space(struct walk *w)
{
	while (w->p < w->end && *w->p == ' ')
		++w->p;
}

static void copy_token(struct walk *w, bool first)
{
	skip_space(w);
	const char *s = w->p;
	skip_token(w);
	if (!first)
		imap_puts(w->out, " ");
	gx_push_bytes(w->out, s, (size_t)(w->p - s));
}

static void part(struct walk *w);

static void multipart(struct walk *w)
{
	for (skip_space(w); w->p < w->end && *w->p == '('; skip_space(w))
		part(w);
	copy_token(w, false);
}

static bool token_is(const char *s, const char *end, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(end - s) == n && gx_ascii_ncasecmp(s, word, n) == 0;
}

static void leaf(struct walk *w)
{
	const char *type = w->p;
	copy_token(w, true);
	bool text = token_is(type, w->p, "\"text\"");
	for (int i = 0; i < 6; ++i) /* subtype parameters id description encoding size */
		copy_token(w, false);
	skip_space(w);
	if (text) {
		copy_token(w, false);
	} else if (w->p < w->end && *w->p == '(') { /* message/rfc822: envelope body lines */
		copy_token(w, false);
		skip_space(w);
		imap_puts(w->out, " ");
		part(w);
		copy_token(w, false);
	}
}

static void part(struct walk *w)
{
	if (w->p == w->end || *w->p != '(' || w->depth > 1000) {
		skip_token(w);
		imap_puts(w->out, "NIL");
		return;
	}
	struct walk all = *w;
	skip_token(&all);
	++w->p;
	++w->depth;
	imap_puts(w->out, "(");
	skip_space(w);
	if (w->p < w->end && *w->p == '(')
		multipart(w);
	else
		leaf(w);
	imap_puts(w->out, ")");
	--w->depth;
	w->p = all.p;
}

void gx_imap__put_body(struct gx_push *out, const struct gx_bin *structure)
{
	struct walk w = {(const char *)structure->data, (const char *)structure->data + structure->len, out, 0};
	part(&w);
}
