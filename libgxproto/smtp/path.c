/* SPDX-License-Identifier: Apache-2.0 */
/* Reverse-path and forward-path, [RFC 5321] 4.1.2, [RFC 6531] 3.3. */
#include <config.h>
#include <ctype.h>
#include <string.h>
#include <gx/strbuf.h>
#include "smtp-int.h"

static bool is_atext(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/** Length of a well-formed UTF-8 sequence of two or more bytes, 0 when it is none. [RFC 3629] 4 */
static size_t utf8_tail(const unsigned char *p)
{
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; ++i)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool gx_smtp__utf8_ok(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	while (*p != 0) {
		size_t n = *p < 0x80 ? 1 : utf8_tail(p);
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

/** "@a,@b:" before the address, of which nobody has use. [RFC 5321] appendix C */
static char *skip_route(char *p)
{
	if (*p != '@')
		return p;
	char *colon = strchr(p, ':');
	char *end = strchr(p, '>');
	return colon != NULL && (end == NULL || colon < end) ? colon + 1 : p;
}

/** Reads a quoted local part without its quotes. @return behind the closing quote, NULL when there is none. */
static char *quoted(char *p, struct gx_strbuf *b)
{
	for (++p; *p != '"'; ++p) {
		if (*p == '\\')
			++p;
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
		gx_strbuf_addc(b, *p);
	}
	return p + 1;
}

static bool is_dot_atom(const char *s)
{
	if (*s == '\0' || *s == '.')
		return false;
	for (; *s != '\0'; ++s)
		if (*s == '.' ? s[1] == '.' || s[1] == '\0' : !is_atext((unsigned char)*s))
			return false;
	return true;
}

/** The local part as it is written everywhere else: quoted only where it must be. */
static void put_local(struct gx_strbuf *out, const char *raw)
{
	if (is_dot_atom(raw)) {
		gx_strbuf_adds(out, raw);
		return;
	}
	gx_strbuf_addc(out, '"');
	for (; *raw != '\0'; ++raw) {
		if (*raw == '"' || *raw == '\\')
			gx_strbuf_addc(out, '\\');
		gx_strbuf_addc(out, *raw);
	}
	gx_strbuf_addc(out, '"');
}

static char *local_part(char *p, struct gx_strbuf *raw)
{
	if (*p == '"')
		return quoted(p, raw);
	char *start = p;
	while (is_atext((unsigned char)*p) || *p == '.')
		++p;
	gx_strbuf_add(raw, start, (size_t)(p - start));
	/* Dots in odd places occur in real addresses and are kept. */
	return p > start ? p : NULL;
}

static char *domain_part(char *p, struct gx_strbuf *out)
{
	char *start = p;
	if (*p == '[') {
		while (*p != ']' && (isalnum((unsigned char)*p) || strchr("[.:-", *p) != NULL) && *p != '\0')
			++p;
		if (*p++ != ']')
			return NULL;
	} else {
		while (isalnum((unsigned char)*p) || *p == '-' || *p == '_' || *p == '.' || (unsigned char)*p >= 0x80)
			++p;
		if (p == start || *start == '.' || *start == '-')
			return NULL;
	}
	size_t n = (size_t)(p - start);
	gx_strbuf_add(out, start, n > 1 && start[n-1] == '.' ? n - 1 : n);
	return p;
}

static int parse(char *p, unsigned flags, struct gx_strbuf *raw, struct gx_strbuf *out, char **ret_rest)
{
	while (*p == ' ')
		++p;
	if (*p++ != '<')
		return GX_E_FORMAT;
	if (*p == '>' && (flags & SMTP_PATH_NULL)) {
		*ret_rest = p + 1;
		return 0;
	}
	p = local_part(skip_route(p), raw);
	if (p == NULL)
		return GX_E_FORMAT;
	put_local(out, gx_strbuf_cstr(raw));
	if (*p == '@') {
		gx_strbuf_addc(out, '@');
		p = domain_part(p + 1, out);
	} else if (!(flags & SMTP_PATH_BARE_LOCAL)) {
		return GX_E_FORMAT;
	}
	if (p == NULL || *p != '>')
		return GX_E_FORMAT;
	*ret_rest = p + 1;
	return 0;
}

int gx_smtp__path(struct gx_arena *a, char *s, unsigned flags, const char **ret_addr, char **ret_rest)
{
	struct gx_strbuf raw = GX_STRBUF_INIT, out = GX_STRBUF_INIT;
	char *rest = NULL;
	int ret = parse(s, flags, &raw, &out, &rest);
	const char *addr = gx_strbuf_cstr(&out);
	if (ret == 0 && out.len > GX_SMTP_MAX_ADDRESS)
		ret = GX_E_LIMIT;
	for (const char *p = addr; ret == 0 && *p != '\0'; ++p)
		if ((unsigned char)*p >= 0x80 && (!(flags & SMTP_PATH_UTF8) || !gx_smtp__utf8_ok(addr)))
			ret = GX_E_ENCODING;
	if (ret == 0 && (raw.err != 0 || out.err != 0))
		ret = GX_E_NOMEM;
	if (ret == 0 && (*ret_addr = gx_arena_strdup(a, addr)) == NULL)
		ret = GX_E_NOMEM;
	if (ret == 0)
		*ret_rest = rest;
	gx_strbuf_release(&raw);
	gx_strbuf_release(&out);
	return ret;
}
