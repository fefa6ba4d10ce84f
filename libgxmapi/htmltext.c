/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an HTML document, for search: what a reader sees, without its form. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmapi/htmltext-int.h"

struct entity {
	const char *name;
	uint16_t c;
};
#include "libgxmapi/entities-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NAME_MAX_LEN 8U /* "thetasym" */

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct entity *)item)->name);
}

static void put(struct gx_push *out, uint32_t c)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_utf8_put(&b, c);
	gx_push_bytes(out, gx_strbuf_cstr(&b), b.len);
	if (b.err != 0)
		gx_push_fail(out, b.err);
	gx_strbuf_release(&b);
}

/* The number of a reference, behind "&#"; 0 when it is none. */
static uint32_t number(const char *s, const char *end, const char **ret_next)
{
	bool hex = s < end && (*s == 'x' || *s == 'X');
	uint32_t v = 0;
	const char *p = hex ? s + 1 : s, *start = p;
	for (; p < end && p - start < 8; p++) {
		int d = *p >= '0' && *p <= '9' ? *p - '0' : !hex ? -1 : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 :
			*p >= 'A' && *p <= 'F' ? *p - 'A' + 10 : -1;
		if (d < 0)
			break;
		v = v * (hex ? 16 : 10) + (uint32_t)d;
	}
	*ret_next = p;
	return p == start || v == 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : v;
}

static uint32_t named(const char *s, const char *end, const char **ret_next)
{
	char name[NAME_MAX_LEN + 1];
	size_t n = 0;
	while (s + n < end && n < NAME_MAX_LEN &&
	       ((s[n] | 0x20) >= 'a' || (s[n] >= '0' && s[n] <= '9')) && (s[n] | 0x20) <= 'z') {
		name[n] = s[n];
		n++;
	}
	name[n] = '\0';
	const struct entity *e = bsearch(name, entities, COUNT(entities), sizeof(entities[0]), by_name);
	*ret_next = s + n;
	return e == NULL ? 0 : e->c;
}

uint32_t gx_html__reference(const char *s, const char *end, const char **ret_next)
{
	uint32_t c = s + 1 < end && s[1] == '#' ? number(s + 2, end, ret_next) : named(s + 1, end, ret_next);
	if (c != 0 && *ret_next < end && **ret_next == ';')
		++*ret_next;
	return c;
}

/* At an ampersand. @return where to go on. */
static const char *reference(const char *s, const char *end, struct gx_push *out)
{
	const char *next;
	uint32_t c = gx_html__reference(s, end, &next);
	if (c == 0) {
		gx_push_u8(out, '&');
		return s + 1;
	}
	if (c == 0xa0)
		gx_push_u8(out, ' '); /* a reader types a plain one */
	else if (c != 0xad)           /* nobody types a soft hyphen */
		put(out, c);
	return next;
}

/* Elements that leave words together; all others part them. */
bool gx_html__is_inline(const char *name, size_t n)
{
	static const char *const v[] = {
		"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark",
		"o:p", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
	};
	for (size_t i = 0; i < COUNT(v); i++)
		if (strlen(v[i]) == n && gx_ascii_ncasecmp(v[i], name, n) == 0)
			return true;
	return false;
}

/* Their content is not text. */
const char *gx_html__skipped(const char *name, size_t n)
{
	static const char *const v[] = {"script", "style", "title", "noscript"};
	for (size_t i = 0; i < COUNT(v); i++)
		if (strlen(v[i]) == n && gx_ascii_ncasecmp(v[i], name, n) == 0)
			return v[i];
	return NULL;
}

const char *gx_html__past_content(const char *s, const char *end, const char *name)
{
	size_t n = strlen(name);
	while ((s = memchr(s, '<', (size_t)(end - s))) != NULL) {
		if ((size_t)(end - s) > n + 2 && s[1] == '/' && gx_ascii_ncasecmp(s + 2, name, n) == 0) {
			const char *gt = memchr(s, '>', (size_t)(end - s));
			return gt == NULL ? end : gt + 1;
		}
		s++;
	}
	return end;
}

const char *gx_html_past_tag(const char *s, const char *end)
{
	char quote = '\0';
	for (; s < end; s++) {
		if (quote != '\0')
			quote = *s == quote ? '\0' : quote;
		else if (*s == '"' || *s == '\'')
			quote = *s;
		else if (*s == '>')
			return s + 1;
	}
	return end;
}

const char *gx_html__past_comment(const char *s, const char *end)
{
	if (end - s < 4 || memcmp(s, "<!--", 4) != 0)
		return NULL;
	const char *close = memmem(s + 4, (size_t)(end - s - 4), "-->", 3);
	return close == NULL ? end : close + 3;
}

size_t gx_html__name(const char *s, const char *end)
{
	size_t n = 0;
	while (s + n < end && n < 16 && ((s[n] | 0x20) >= 'a' || (s[n] >= '0' && s[n] <= ':')) && (s[n] | 0x20) <= 'z')
		n++;
	return n;
}

bool gx_html__lone(const char *name, const char *end, size_t n)
{
	return n == 0 && (name >= end || (*name != '!' && *name != '?' && *name != '>'));
}

static const char *tag(const char *s, const char *end, struct gx_push *out)
{
	const char *past = gx_html__past_comment(s, end), *name = s + 1;
	if (past != NULL)
		return past;
	if (name < end && *name == '/')
		name++;
	size_t n = gx_html__name(name, end);
	if (gx_html__lone(name, end, n)) {
		gx_push_u8(out, '<'); /* a lone less-than sign */
		return s + 1;
	}
	if (!gx_html__is_inline(name, n))
		gx_push_u8(out, ' ');
	const char *content = name == s + 1 ? gx_html__skipped(name, n) : NULL;
	const char *next = gx_html_past_tag(name + n, end);
	return content == NULL ? next : gx_html__past_content(next, end, content);
}

void gx_html_text(const char *s, size_t len, struct gx_push *out)
{
	const char *end = len != 0 ? s + len : s;
	while (s < end && out->err == 0) {
		const char *run = s;
		while (s < end && *s != '<' && *s != '&')
			s++;
		gx_push_bytes(out, run, (size_t)(s - run));
		if (s < end)
			s = *s == '<' ? tag(s, end, out) : reference(s, end, out);
	}
}
