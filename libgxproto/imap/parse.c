/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/parse.h"

void gx_imap__parse_init(struct imap_parse *c, const char *data, size_t len, struct gx_arena *a)
{
	*c = (struct imap_parse){.p = data, .end = data + len, .arena = a};
}

bool gx_imap__fail(struct imap_parse *c, const char *why)
{
	if (c->err == NULL)
		c->err = why;
	return false;
}

int gx_imap__peek(const struct imap_parse *c)
{
	return c->p < c->end ? (unsigned char)*c->p : -1;
}

bool gx_imap__accept(struct imap_parse *c, char ch)
{
	if (c->p == c->end || *c->p != ch)
		return false;
	++c->p;
	return true;
}

bool gx_imap__expect(struct imap_parse *c, char ch)
{
	if (gx_imap__accept(c, ch))
		return true;
	switch (ch) {
	case '(': return gx_imap__fail(c, "'(' expected");
	case ')': return gx_imap__fail(c, "')' expected");
	case ' ': return gx_imap__fail(c, "Argument missing");
	default: return gx_imap__fail(c, "Syntax error");
	}
}

bool gx_imap__accept_sp(struct imap_parse *c)
{
	if (!gx_imap__accept(c, ' '))
		return false;
	while (gx_imap__accept(c, ' '))
		;
	return c->p < c->end;
}

bool gx_imap__sp(struct imap_parse *c)
{
	return gx_imap__accept_sp(c) || gx_imap__fail(c, "Argument missing");
}

bool gx_imap__end(struct imap_parse *c)
{
	while (gx_imap__accept(c, ' '))
		;
	return c->p == c->end || gx_imap__fail(c, "Too many arguments");
}

bool gx_imap__enter(struct imap_parse *c)
{
	if (c->depth >= IMAP_MAX_DEPTH)
		return gx_imap__fail(c, "Nested too deeply");
	++c->depth;
	return true;
}

void gx_imap__leave(struct imap_parse *c)
{
	--c->depth;
}

/* ATOM-CHAR: any CHAR except atom-specials; bytes above 0x7f are let through for UTF-8 names. */
static bool atom_char(unsigned char ch)
{
	return ch > ' ' && ch != 0x7f && strchr("(){%*\"\\", ch) == NULL;
}

static bool take_run(struct imap_parse *c, bool (*good)(unsigned char), const char *why, struct imap_str *ret)
{
	const char *s = c->p;
	while (c->p < c->end && good((unsigned char)*c->p))
		++c->p;
	ret->len = (size_t)(c->p - s);
	if (ret->len == 0)
		return gx_imap__fail(c, why);
	ret->s = gx_arena_strndup(c->arena, s, ret->len);
	return ret->s != NULL || gx_imap__fail(c, "Command too large");
}

static bool plain_atom_char(unsigned char ch)
{
	return atom_char(ch) && ch != ']';
}

bool gx_imap__atom(struct imap_parse *c, struct imap_str *ret)
{
	return take_run(c, plain_atom_char, "Atom expected", ret);
}

static bool tag_char(unsigned char ch)
{
	return atom_char(ch) && ch != '+' && ch < 0x80;
}

bool gx_imap__tag(struct imap_parse *c, struct imap_str *ret)
{
	return take_run(c, tag_char, "Invalid tag", ret);
}

static bool list_char(unsigned char ch)
{
	return atom_char(ch) || ch == '%' || ch == '*';
}

bool gx_imap__accept_word(struct imap_parse *c, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(c->end - c->p) < n || gx_ascii_ncasecmp(c->p, word, n) != 0)
		return false;
	if ((size_t)(c->end - c->p) > n && plain_atom_char((unsigned char)c->p[n]))
		return false;
	c->p += n;
	return true;
}

static bool quoted(struct imap_parse *c, struct imap_str *ret)
{
	const char *s = c->p;
	while (s < c->end && *s != '"') {
		s += *s == '\\' && c->end - s > 1;
		if (*s == '\r' || *s == '\n' || *s == '\0')
			return gx_imap__fail(c, "Invalid character in quoted string");
		++s;
	}
	if (s == c->end)
		return gx_imap__fail(c, "Quoted string without end");
	char *d = gx_arena_alloc(c->arena, (size_t)(s - c->p) + 1);
	if (d == NULL)
		return gx_imap__fail(c, "Command too large");
	ret->s = d;
	while (c->p < s) {
		if (*c->p == '\\' && s - c->p > 1)
			++c->p;
		*d++ = *c->p++;
	}
	*d = '\0';
	ret->len = (size_t)(d - ret->s);
	++c->p;
	return true;
}

static bool literal(struct imap_parse *c, struct imap_str *ret)
{
	uint64_t n;
	if (!gx_imap__number(c, UINT32_MAX, &n))
		return false;
	gx_imap__accept(c, '+');
	if (!gx_imap__expect(c, '}') || !gx_imap__expect(c, '\r') || !gx_imap__expect(c, '\n'))
		return false;
	if (n > (uint64_t)(c->end - c->p))
		return gx_imap__fail(c, "Literal too short");
	if (n != 0 && memchr(c->p, 0, n) != NULL)
		return gx_imap__fail(c, "NUL in literal");
	ret->len = n;
	ret->s = gx_arena_strndup(c->arena, c->p, n);
	c->p += n;
	return ret->s != NULL || gx_imap__fail(c, "Command too large");
}

bool gx_imap__string(struct imap_parse *c, struct imap_str *ret)
{
	if (gx_imap__accept(c, '"'))
		return quoted(c, ret);
	if (gx_imap__accept(c, '{'))
		return literal(c, ret);
	return gx_imap__fail(c, "String expected");
}

bool gx_imap__astring(struct imap_parse *c, struct imap_str *ret)
{
	int ch = gx_imap__peek(c);
	if (ch == '"' || ch == '{')
		return gx_imap__string(c, ret);
	return take_run(c, atom_char, "String expected", ret);
}

bool gx_imap__nstring(struct imap_parse *c, struct imap_str *ret)
{
	if (gx_imap__accept_word(c, "NIL")) {
		*ret = (struct imap_str){NULL, 0};
		return true;
	}
	return gx_imap__string(c, ret);
}

bool gx_imap__number(struct imap_parse *c, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	const char *s = c->p;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; ++c->p) {
		unsigned d = (unsigned)(*c->p - '0');
		if (v > (max - d) / 10)
			return gx_imap__fail(c, "Number too large");
		v = v * 10 + d;
	}
	*ret = v;
	return c->p > s || gx_imap__fail(c, "Number expected");
}

bool gx_imap__mailbox(struct imap_parse *c, bool list, const char **ret)
{
	struct imap_str s;
	int ch = gx_imap__peek(c);
	bool ok = !list || ch == '"' || ch == '{' ? gx_imap__astring(c, &s) :
	          take_run(c, list_char, "Mailbox name expected", &s);
	if (!ok)
		return false;
	if (c->utf8_names) {
		*ret = s.s;
		return gx_utf8_valid(s.s, s.len) || gx_imap__fail(c, "Mailbox name is not UTF-8");
	}
	char *name;
	switch (gx_imap__mutf7_decode(c->arena, s.s, s.len, &name)) {
	case 0:
		*ret = name;
		return true;
	case GX_E_NOMEM:
		return gx_imap__fail(c, "Command too large");
	default:
		return gx_imap__fail(c, "Mailbox name is neither modified UTF-7 nor UTF-8");
	}
}

const struct imap_flag_name gx_imap__flag_names[] = {
	{"\\Answered", GX_MSGF_ANSWERED}, {"\\Flagged", GX_MSGF_FLAGGED}, {"\\Deleted", GX_MSGF_DELETED},
	{"\\Seen", GX_MSGF_READ},         {"\\Draft", GX_MSGF_DRAFT},     {"$Forwarded", GX_MSGF_FORWARDED},
	{NULL, 0},
};

enum { MAX_KEYWORDS = 64, MAX_KEYWORD = 255 };

static bool one_flag(struct imap_parse *c, struct imap_flags *ret, const char **kw, size_t *io_n)
{
	struct imap_str s;
	bool system = gx_imap__accept(c, '\\');
	if (!gx_imap__atom(c, &s))
		return false;
	for (const struct imap_flag_name *f = gx_imap__flag_names; f->name != NULL; ++f) {
		if ((*f->name == '\\') == system && gx_ascii_casecmp(f->name + system, s.s) == 0) {
			ret->flags |= f->flag;
			return true;
		}
	}
	if (system) /* \Recent, too, is not for clients to set, [RFC 3501] 2.3.2 */
		return gx_imap__fail(c, "Unknown system flag");
	if (*io_n == MAX_KEYWORDS || s.len > MAX_KEYWORD || !gx_utf8_valid(s.s, s.len))
		return gx_imap__fail(c, "Too many or invalid keywords");
	kw[(*io_n)++] = s.s;
	return true;
}

bool gx_imap__flags(struct imap_parse *c, bool bare, struct imap_flags *ret)
{
	const char **kw = gx_arena_new_array(c->arena, const char *, MAX_KEYWORDS + 1);
	size_t n = 0;
	if (kw == NULL)
		return gx_imap__fail(c, "Command too large");
	*ret = (struct imap_flags){0, kw};
	bool list = gx_imap__accept(c, '(');
	if (!list && !bare)
		return gx_imap__fail(c, "Flag list expected");
	if (list && gx_imap__accept(c, ')'))
		return true;
	do {
		if (!one_flag(c, ret, kw, &n))
			return false;
	} while (gx_imap__accept_sp(c));
	return !list || gx_imap__expect(c, ')');
}
