/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain text and HTML as RTF that says what it was, so that it can be had back. Of HTML what RTF cannot say goes into
 * groups that RTF readers pass over, with something like it beside. [MS-OXRTFEX] 2.1.3, 3.1.3
 */
#include <config.h>
#include <string.h>
#include <gx/htmltext.h>
#include "rtf-int.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One character, or a half of one, that is none of RTF's own. */
static void put_unit(struct gx_push *out, uint32_t u)
{
	gx_push_printf(out, "\\u%d?", u >= 0x8000 ? (int)u - 0x10000 : (int)u);
}

static void put_text(struct gx_push *out, const char *s, const char *end)
{
	while (s < end && out->err == 0) {
		const char *run = s;
		while (s < end && *s >= ' ' && *s != '\\' && *s != '{' && *s != '}' && (unsigned char)*s < 0x7f)
			s++;
		gx_push_bytes(out, run, (size_t)(s - run));
		if (s == end)
			return;
		uint32_t c = gx_utf8_next(&s, end);
		if (c == '\\' || c == '{' || c == '}')
			gx_push_printf(out, "\\%c", (char)c);
		else if (c == '\t')
			gx_push_str(out, "\\tab ");
		else if (c == 0xa0)
			gx_push_str(out, "\\~");
		else if (c < ' ' || c == 0x7f)
			continue;
		else if (c >= 0x10000) {
			put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			put_unit(out, c);
		}
	}
}

static const char *line_end(const char *s, const char *end)
{
	while (s < end && *s != '\r' && *s != '\n')
		s++;
	return s;
}

static const char *past_line_end(const char *s, const char *end)
{
	return s + (end - s >= 2 && s[0] == '\r' && s[1] == '\n' ? 2 : 1);
}

/* Text with its lines. */
static void put_lines(struct gx_push *out, const char *s, const char *end)
{
	while (s < end && out->err == 0) {
		const char *stop = line_end(s, end);
		put_text(out, s, stop);
		if (stop == end)
			return;
		gx_push_str(out, "\\par\r\n");
		s = past_line_end(stop, end);
	}
}

int gx_text_to_rtf(const char *s, size_t len, struct gx_push *out)
{
	gx_push_str(out, "{\\rtf1\\ansi\\ansicpg1252\\fromtext \\deff0{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}"
		"{\\f1\\fmodern\\fcharset0 Courier New;}}\r\n{\\colortbl;}\\uc1\\pard\\plain\\f0\\fs20 ");
	if (len > 0)
		put_lines(out, s, s + len);
	gx_push_str(out, "}\r\n");
	return out->err;
}

/* ---- HTML ---- */

/* [MS-OXRTFEX] 2.1.3.1.4.1: where it stands, and what it is. Readers need not look at it. */
enum { IN_HEAD = 1, IN_HTML = 2, OUT_HTML = 3, IN_PAR = 4, CLOSING = 8,
	T_HTML = 16, T_HEAD = 32, T_BODY = 48, T_P = 64, T_BR = 80, T_PRE = 96, T_FONT = 112, T_HEADING = 128, T_TABLE = 144,
	T_META = 160, T_TITLE = 176, T_STYLE = 240 };

static const struct element {
	const char *name;
	uint8_t flags;
	const char *open, *close;  /* how it looks */
	bool raw;                  /* its content is no text */
} elements[] = {
	{"a", T_FONT | IN_PAR, "\\ul ", "\\ulnone ", false}, {"b", T_FONT | IN_PAR, "\\b ", "\\b0 ", false},
	{"blockquote", T_P, "\\par ", "\\par ", false}, {"body", T_BODY | IN_HTML, "", "", false}, {"br", T_BR, "\\line ", "", false},
	{"del", T_FONT | IN_PAR, "\\strike ", "\\strike0 ", false}, {"div", T_P, "\\par ", "", false}, {"em", T_FONT | IN_PAR, "\\i ", "\\i0 ", false},
	{"h1", T_HEADING, "\\par\\b ", "\\b0\\par ", false}, {"h2", T_HEADING, "\\par\\b ", "\\b0\\par ", false},
	{"h3", T_HEADING, "\\par\\b ", "\\b0\\par ", false}, {"h4", T_HEADING, "\\par\\b ", "\\b0\\par ", false},
	{"h5", T_HEADING, "\\par\\b ", "\\b0\\par ", false}, {"h6", T_HEADING, "\\par\\b ", "\\b0\\par ", false},
	{"head", T_HEAD | IN_HTML, "", "", false}, {"hr", T_P, "\\par ", "", false}, {"html", T_HTML | OUT_HTML, "", "", false},
	{"i", T_FONT | IN_PAR, "\\i ", "\\i0 ", false}, {"li", T_P, "\\par\\bullet\\tab ", "", false}, {"meta", T_META | IN_HEAD, "", "", false},
	{"ol", T_P, "", "\\par ", false}, {"p", T_P, "\\par ", "\\par ", false}, {"pre", T_PRE, "\\par ", "\\par ", false},
	{"s", T_FONT | IN_PAR, "\\strike ", "\\strike0 ", false}, {"script", T_STYLE | IN_HEAD, "", "", true},
	{"strike", T_FONT | IN_PAR, "\\strike ", "\\strike0 ", false}, {"strong", T_FONT | IN_PAR, "\\b ", "\\b0 ", false},
	{"style", T_STYLE | IN_HEAD, "", "", true}, {"sub", T_FONT | IN_PAR, "\\sub ", "\\nosupersub ", false},
	{"sup", T_FONT | IN_PAR, "\\super ", "\\nosupersub ", false}, {"table", T_TABLE, "\\par ", "\\par ", false}, {"td", T_TABLE, "", "\\tab ", false},
	{"th", T_TABLE, "", "\\tab ", false}, {"title", T_TITLE | IN_HEAD, "", "", true}, {"tr", T_TABLE, "", "\\par ", false},
	{"u", T_FONT | IN_PAR, "\\ul ", "\\ulnone ", false}, {"ul", T_P, "", "\\par ", false},
};

static const struct element *element(const char *name, size_t n)
{
	static const struct element other = {"", T_FONT | IN_PAR, "", "", false};
	for (size_t i = 0; i < COUNT(elements); i++)
		if (strlen(elements[i].name) == n && gx_ascii_ncasecmp(elements[i].name, name, n) == 0)
			return &elements[i];
	return &other;
}

static void group(struct gx_push *out, unsigned flags, const char *s, const char *end)
{
	gx_push_printf(out, "{\\*\\htmltag%u ", flags);
	put_lines(out, s, end);
	gx_push_u8(out, '}');
}

static void beside(struct gx_push *out, const char *rtf)
{
	if (*rtf != '\0')
		gx_push_printf(out, "\\htmlrtf %s\\htmlrtf0 ", rtf);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_len(const char *s, const char *end)
{
	size_t n = 0;
	while (s + n < end && (is_letter(s[n]) || (n > 0 && ((s[n] >= '0' && s[n] <= '9') || s[n] == ':'))))
		n++;
	return n;
}

/* Up to the end tag of the element. */
static const char *raw_content(const char *s, const char *end, const char *name)
{
	size_t n = strlen(name);
	while ((s = memchr(s, '<', (size_t)(end - s))) != NULL) {
		if ((size_t)(end - s) > n + 2 && s[1] == '/' && gx_ascii_ncasecmp(s + 2, name, n) == 0)
			return s;
		s++;
	}
	return end;
}

/* Comments, declarations and the like. */
static const char *markup(struct gx_push *out, const char *s, const char *end)
{
	const char *next;
	if (end - s >= 4 && memcmp(s, "<!--", 4) == 0) {
		next = memmem(s + 4, (size_t)(end - s - 4), "-->", 3);
		next = next == NULL ? end : next + 3;
	} else {
		next = gx_html_past_tag(s + 1, end);
	}
	group(out, T_STYLE | IN_HTML, s, next);
	return next;
}

static const char *tag(struct gx_push *out, const char *s, const char *end)
{
	bool closing = end - s > 1 && s[1] == '/';
	const char *name = s + 1 + closing;
	size_t n = name < end ? name_len(name, end) : 0;
	if (n == 0 && name < end && (*name == '!' || *name == '?' || *name == '>'))
		return markup(out, s, end);
	if (n == 0) { /* a lone less-than sign is shown as one */
		group(out, T_FONT | IN_PAR, s, s + 1);
		beside(out, "<");
		return s + 1;
	}
	const struct element *e = element(name, n);
	const char *next = gx_html_past_tag(name + n, end);
	group(out, e->flags | (closing ? CLOSING : 0u), s, next);
	beside(out, closing ? e->close : e->open);
	if (e->raw && !closing) {
		s = next;
		next = raw_content(s, end, e->name);
		group(out, e->flags, s, next);
	}
	return next;
}

/* A reference stands as it is in the HTML; beside it is what a plain reader shows for it. */
static const char *reference(struct gx_push *out, const char *s, const char *end)
{
	const char *next = s + 1;
	while (next < end && next - s < 12 && (is_letter(*next) || (*next >= '0' && *next <= '9') || *next == '#'))
		next++;
	next += next < end && *next == ';';
	group(out, T_FONT | IN_PAR, s, next);
	struct gx_push shown = GX_PUSH_INIT;
	gx_html_plain(s, (size_t)(next - s), &shown);
	gx_push_str(out, "\\htmlrtf ");
	put_text(out, (const char *)shown.data, (const char *)shown.data + shown.len);
	gx_push_str(out, "\\htmlrtf0 ");
	if (shown.err != 0)
		gx_push_fail(out, shown.err);
	gx_push_release(&shown);
	return next;
}

/* Ends of lines mean no more than blanks in HTML, and nothing in RTF. */
static const char *white(struct gx_push *out, const char *s, const char *end)
{
	const char *next = s;
	while (next < end && (*next == '\r' || *next == '\n'))
		next = past_line_end(next, end);
	group(out, T_FONT | IN_PAR, s, next);
	gx_push_str(out, "\\htmlrtf  \\htmlrtf0 ");
	return next;
}

static void body(struct gx_push *out, const char *s, const char *end)
{
	while (s < end && out->err == 0) {
		const char *run = s;
		while (s < end && *s != '<' && *s != '&' && *s != '>' && *s != '\r' && *s != '\n')
			s++;
		put_text(out, run, s);
		if (s == end)
			return;
		if (*s == '<')
			s = tag(out, s, end);
		else if (*s == '&')
			s = reference(out, s, end);
		else if (*s != '>')
			s = white(out, s, end);
		else {
			group(out, T_FONT | IN_PAR, s, s + 1);
			beside(out, ">");
			s++;
		}
	}
}

int gx_html_to_rtf(const char *s, size_t len, struct gx_push *out)
{
	gx_push_str(out, "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}"
		"{\\f1\\fmodern\\fcharset0 Courier New;}}\r\n{\\colortbl;}\\uc1\\pard\\plain\\f0\\fs20{\\*\\htmltag64}");
	if (len > 0)
		body(out, s, s + len);
	gx_push_str(out, "}\r\n");
	return out->err;
}
