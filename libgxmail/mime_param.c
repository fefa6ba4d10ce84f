/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, comments and parameters of structured fields; [RFC 2045] 5.1, [RFC 2231]. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmail/mime-int.h"

#define COMMENT_DEPTH 100
#define SECTION_MAX 9999
#define PARAMS_LENGTH_MAX 65536 /* the rest is not looked at */

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_comment(const char *s)
{
	unsigned depth = 0;
	for (; *s != '\0'; ++s) {
		if (*s == '\\' && s[1] != '\0')
			++s;
		else if (*s == '(' && depth < COMMENT_DEPTH)
			++depth;
		else if (*s == ')' && --depth == 0)
			return s + 1;
	}
	return s;
}

const char *gx_mime__skip_cfws(const char *s)
{
	for (;;) {
		while (is_wsp(*s))
			++s;
		if (*s != '(')
			return s;
		s = skip_comment(s);
	}
}

static char *lower_dup(struct gx_arena *a, const char *s, size_t n)
{
	char *p = gx_arena_alloc(a, n + 1);
	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < n; ++i)
		p[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);
	p[n] = '\0';
	return p;
}

static size_t token_length(const char *s)
{
	return strcspn(s, " \t\r\n()<>@,;:\\\"/[]?=");
}

const char *gx_mime__skip_type(const char *s)
{
	s = gx_mime__skip_cfws(s);
	s = gx_mime__skip_cfws(s + token_length(s));
	if (*s != '/')
		return s;
	s = gx_mime__skip_cfws(s + 1);
	return s + token_length(s);
}

char *gx_mime__token(struct gx_arena *a, const char **io_s, bool lower)
{
	size_t n = token_length(*io_s);
	const char *s = *io_s;
	*io_s += n;
	if (n == 0)
		return NULL;
	return lower ? lower_dup(a, s, n) : gx_arena_strndup(a, s, n);
}

/* "name*2*" into its pieces; what only looks like it stays in the name. */
static int split_name(struct gx_arena *a, const char *s, size_t n, struct gx_mime_rawparam *p)
{
	p->section = -1;
	if (n > 1 && s[n - 1] == '*') {
		p->extended = true;
		--n;
	}
	const char *star = memchr(s, '*', n);
	if (star != NULL && star != s && star + 1 < s + n) {
		int v = 0;
		const char *d = star + 1;
		while (d < s + n && *d >= '0' && *d <= '9' && v <= SECTION_MAX)
			v = v * 10 + (*d++ - '0');
		if (d == s + n && v <= SECTION_MAX) {
			p->section = v;
			n = (size_t)(star - s);
		}
	}
	p->name = lower_dup(a, s, n);
	return p->name == NULL ? GX_E_NOMEM : 0;
}

static char *quoted_value(struct gx_arena *a, const char **io_s)
{
	const char *s = *io_s + 1, *end = s;
	while (*end != '\0' && *end != '"')
		end += *end == '\\' && end[1] != '\0' ? 2 : 1;
	char *out = gx_arena_alloc(a, (size_t)(end - s) + 1), *o = out;
	if (out == NULL)
		return NULL;
	while (s < end) {
		if (*s == '\\' && s[1] != '\0')
			++s;
		*o++ = *s++;
	}
	*o = '\0';
	*io_s = *s == '"' ? s + 1 : s;
	return out;
}

/*
 * A value without quotes ends at a semicolon, and at white space when another "name=" or a comment
 * follows; file names with bare spaces are common.
 */
static char *bare_value(struct gx_arena *a, const char **io_s)
{
	const char *s = *io_s;
	size_t n = strcspn(s, ";"), word = strcspn(s, " \t\r\n;");
	const char *more = s + word + strspn(s + word, " \t\r\n");
	*io_s = s + n;
	if (word < n && (*more == '(' || memchr(more, '=', (size_t)(s + n - more)) != NULL)) {
		n = word;
		*io_s = more;
	}
	while (n != 0 && is_wsp(s[n - 1]))
		--n;
	return gx_arena_strndup(a, s, n);
}

static int one_param(struct gx_arena *a, const char **io_s, struct gx_mime_rawparam *p)
{
	const char *s = *io_s;
	size_t n = strcspn(s, "=; \t\r\n(");
	int r = split_name(a, s, n, p);
	s = gx_mime__skip_cfws(s + n);
	if (r == 0 && *s == '=') {
		s = gx_mime__skip_cfws(s + 1);
		p->value = *s == '"' ? quoted_value(a, &s) : bare_value(a, &s);
		if (p->value == NULL)
			r = GX_E_NOMEM;
	}
	*io_s = s;
	return r;
}

int gx_mime__params_raw(struct gx_arena *a, const char *s, unsigned *io_left,
	struct gx_mime_rawparam **ret_list)
{
	struct gx_mime_rawparam *list = NULL, **tail = &list;
	if (strnlen(s, PARAMS_LENGTH_MAX) == PARAMS_LENGTH_MAX) {
		s = gx_arena_strndup(a, s, PARAMS_LENGTH_MAX);
		if (s == NULL)
			return GX_E_NOMEM;
	}
	/* behind the type and before each name anything but a semicolon is noise */
	for (unsigned count = 0; count < GX_MIME_MAX_PARAMS && *io_left != 0; ++count, --*io_left) {
		s = gx_mime__skip_cfws(s);
		while (*s == ';' || *s == ',' || *s == '=' || *s == '"')
			s = gx_mime__skip_cfws(s + 1);
		if (*s == '\0')
			break;
		struct gx_mime_rawparam *p = gx_arena_new_obj(a, struct gx_mime_rawparam);
		if (p == NULL || one_param(a, &s, p) != 0)
			return GX_E_NOMEM;
		if (p->value == NULL)
			continue;
		*tail = p;
		tail = &p->next;
	}
	*ret_list = list;
	return 0;
}

static void add_percent(struct gx_strbuf *b, const char *s)
{
	for (; *s != '\0'; ++s) {
		if (*s == '%' && gx_mime__hex(s[1]) >= 0 && gx_mime__hex(s[2]) >= 0) {
			gx_strbuf_addc(b, (char)(gx_mime__hex(s[1]) << 4 | gx_mime__hex(s[2])));
			s += 2;
		} else {
			gx_strbuf_addc(b, *s);
		}
	}
}

/* Next section of the same name: number @p section, or a parameter without one for -1. */
static struct gx_mime_rawparam *find_section(struct gx_mime_rawparam *list, const char *name, int section)
{
	for (; list != NULL; list = list->next)
		if (!list->used && list->section == section && strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

/* charset'language'text: @return the text, *ret_cp its code page. [RFC 2231] 4 */
static const char *extended_start(struct gx_arena *a, const char *v, uint32_t *ret_cp)
{
	const char *q1 = strchr(v, '\''), *q2 = q1 == NULL ? NULL : strchr(q1 + 1, '\'');
	*ret_cp = 0;
	if (q2 == NULL)
		return v;
	char *name = gx_arena_strndup(a, v, (size_t)(q1 - v));
	if (name != NULL)
		*ret_cp = gx_cp_from_charset(name);
	return q2 + 1;
}

/* @p p and the sections that belong to it, in order, marked as used. @return their number. */
static size_t gather(struct gx_mime_rawparam *list, struct gx_mime_rawparam *p,
	struct gx_mime_rawparam *run[GX_MIME_MAX_PARAMS])
{
	size_t n = 0;
	if (p->section > 0) { /* [RFC 2231] 3 numbers from 0; some writers from 1 */
		struct gx_mime_rawparam *q = find_section(list, p->name, 0);
		q = q != NULL ? q : find_section(list, p->name, 1);
		p = q != NULL ? q : p;
	}
	while (p != NULL && n < GX_MIME_MAX_PARAMS) {
		p->used = true;
		run[n++] = p;
		p = p->section < 0 ? NULL : find_section(list, p->name, p->section + 1);
	}
	return n;
}

static bool any_extended(struct gx_mime_rawparam *const *run, size_t n)
{
	while (n-- > 0)
		if (run[n]->extended)
			return true;
	return false;
}

/* Percent signs and charset of [RFC 2231], or encoded words where nobody should put them. */
static char *decode_run(struct gx_arena *a, struct gx_mime_rawparam *const *run, size_t n)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	uint32_t cp = 0;
	char *text = NULL;
	bool extended = any_extended(run, n);
	for (size_t i = 0; i < n; ++i) {
		const char *v = run[i]->value;
		if (run[i]->extended && i == 0)
			v = extended_start(a, v, &cp);
		if (run[i]->extended)
			add_percent(&b, v);
		else
			gx_strbuf_adds(&b, v);
	}
	int r = b.err != 0 ? GX_E_NOMEM :
		extended ? gx_cp_to_utf8(a, cp, gx_strbuf_cstr(&b), b.len, &text, NULL, NULL) :
		gx_mime_decode_text(a, gx_strbuf_cstr(&b), 0, &text);
	gx_strbuf_release(&b);
	return r == 0 ? text : NULL;
}

static char *decode_value(struct gx_arena *a, struct gx_mime_rawparam *const *run, size_t n)
{
	const char *v = run[0]->value;
	if (n == 1 && !run[0]->extended && strstr(v, "=?") == NULL && gx_ascii_only(v, strlen(v)))
		return (char *)(uintptr_t)v;
	return decode_run(a, run, n);
}

static int add_param(struct gx_arena *a, struct gx_mime_param ***io_tail, const char *name,
	const char *value)
{
	struct gx_mime_param *p = gx_arena_new_obj(a, struct gx_mime_param);
	if (p == NULL || name == NULL || value == NULL)
		return GX_E_NOMEM;
	p->name = name;
	p->value = value;
	**io_tail = p;
	*io_tail = &p->next;
	return 0;
}

static void unmark(struct gx_mime_rawparam *raw)
{
	for (; raw != NULL; raw = raw->next)
		raw->used = false;
}

/* Continued and extended values come first: where both exist they are the better ones. */
int gx_mime__params_decode(struct gx_arena *a, struct gx_mime_rawparam *raw,
	struct gx_mime_param **ret_list)
{
	struct gx_mime_param *list = NULL, **tail = &list;
	struct gx_mime_rawparam *run[GX_MIME_MAX_PARAMS];
	unmark(raw);
	for (int plain = 0; plain < 2; ++plain) {
		for (struct gx_mime_rawparam *p = raw; p != NULL; p = p->next) {
			if (p->used || (!plain && p->section < 0 && !p->extended))
				continue;
			size_t n = gather(raw, p, run);
			int r = add_param(a, &tail, run[0]->name, decode_value(a, run, n));
			if (r != 0)
				return r;
			p->used = true; /* also a section that belongs to no beginning */
		}
	}
	*ret_list = list;
	return 0;
}

static char *join_values(struct gx_arena *a, struct gx_mime_rawparam *const *run, size_t n)
{
	size_t len = 0, at = 0;
	for (size_t i = 0; i < n; ++i)
		len += strlen(run[i]->value);
	char *s = gx_arena_alloc(a, len + 1);
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < n; ++i) {
		len = strlen(run[i]->value);
		memcpy(s + at, run[i]->value, len);
		at += len;
	}
	s[at] = '\0';
	return s;
}

int gx_mime__params_joined(struct gx_arena *a, struct gx_mime_rawparam *raw,
	struct gx_mime_param **ret_list)
{
	struct gx_mime_param *list = NULL, **tail = &list;
	struct gx_mime_rawparam *run[GX_MIME_MAX_PARAMS];
	unmark(raw);
	for (struct gx_mime_rawparam *p = raw; p != NULL; p = p->next) {
		if (p->used)
			continue;
		size_t n = gather(raw, p, run);
		const char *name = run[0]->name;
		if (any_extended(run, n))
			name = gx_arena_printf(a, "%s*", name);
		int r = add_param(a, &tail, name, n == 1 ? run[0]->value : join_values(a, run, n));
		if (r != 0)
			return r;
		p->used = true;
	}
	*ret_list = list;
	return 0;
}

const char *gx_mime_param(const struct gx_mime_param *l, const char *name)
{
	for (; l != NULL; l = l->next)
		if (gx_ascii_casecmp(l->name, name) == 0)
			return l->value;
	return NULL;
}
