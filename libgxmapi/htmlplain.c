/* SPDX-License-Identifier: Apache-2.0 */
/* An HTML document as plain text: what a reader sees, with its lines. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmapi/htmltext-int.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { LISTS_MAX = 16, INDENT = 2 };

struct plain {
	struct gx_push *out;
	size_t start;
	unsigned lines;       /* ends of lines that are due before the next text */
	bool space;           /* white space, too */
	bool fresh;           /* nothing stands on this line yet but a mark of a list */
	unsigned pre;
	unsigned cells;       /* of the row, so far */
	unsigned depth;       /* of lists */
	unsigned item[LISTS_MAX + 1]; /* number of the last item, 0 in lists without numbers */
	bool numbered[LISTS_MAX + 1];
	const char *href;     /* of the link that is open */
	size_t href_len, href_at;
};

static void due(struct plain *x, unsigned lines)
{
	x->lines = x->lines > lines ? x->lines : lines;
	x->space = false;
}

/* Ends of lines and space that are due. Those in front of everything are not. */
static void settle(struct plain *x)
{
	bool begun = x->out->len > x->start;
	for (; begun && x->lines > 0; x->lines--) {
		gx_push_str(x->out, "\r\n");
		x->fresh = true;
	}
	if (x->space && begun && !x->fresh)
		gx_push_u8(x->out, ' ');
	x->lines = 0;
	x->space = false;
}

static void put(struct plain *x, const char *s, size_t n)
{
	settle(x);
	gx_push_bytes(x->out, s, n);
	x->fresh = false;
}

static void put_char(struct plain *x, uint32_t c)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_utf8_put(&b, c);
	if (b.err != 0)
		gx_push_fail(x->out, b.err);
	put(x, gx_strbuf_cstr(&b), b.len);
	gx_strbuf_release(&b);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void white(struct plain *x, char c)
{
	if (x->pre == 0)
		x->space = x->lines == 0;
	else if (c == '\n')
		x->lines++;
	else if (c != '\r')
		put(x, &c, 1);
}

static const char *reference(struct plain *x, const char *s, const char *end)
{
	const char *next;
	uint32_t c = gx_html__reference(s, end, &next);
	if (c == 0) {
		put(x, s, 1);
		return s + 1;
	}
	if (c < 0x80 && is_space((char)c))
		white(x, (char)c);
	else if (c != 0xad)
		put_char(x, c == 0xa0 ? ' ' : c);
	return next;
}

/* Does a blank that keeps words together stand here? */
static bool is_nbsp(const char *s, const char *end)
{
	return end - s >= 2 && s[0] == '\xc2' && s[1] == '\xa0';
}

/* Text without tags. */
static void text(struct plain *x, const char *s, const char *end)
{
	while (s < end && x->out->err == 0) {
		const char *run = s;
		while (s < end && *s != '&' && !is_space(*s) && !is_nbsp(s, end))
			s++;
		if (s > run)
			put(x, run, (size_t)(s - run));
		if (s == end)
			return;
		if (*s == '&') {
			s = reference(x, s, end);
		} else if (is_nbsp(s, end)) {
			put(x, " ", 1);
			s += 2;
		} else {
			white(x, *s++);
		}
	}
}

/* ---- Attributes ---- */

static const char *past_white(const char *s, const char *end)
{
	while (s < end && (is_space(*s) || *s == '/'))
		s++;
	return s;
}

/* The value at @s; @return behind it. */
static const char *value(const char *s, const char *end, const char **ret_v, size_t *ret_n)
{
	const char *stop;
	if (s < end && (*s == '"' || *s == '\'')) {
		stop = memchr(s + 1, *s, (size_t)(end - s - 1));
		stop = stop == NULL ? end : stop;
		*ret_v = s + 1;
		*ret_n = (size_t)(stop - s - 1);
		return stop < end ? stop + 1 : stop;
	}
	for (stop = s; stop < end && !is_space(*stop);)
		stop++;
	*ret_v = s;
	*ret_n = (size_t)(stop - s);
	return stop;
}

/* An attribute of the tag whose name ends at @s. */
static bool attribute(const char *s, const char *end, const char *want, const char **ret_v, size_t *ret_n)
{
	if (s < end && end[-1] == '>')
		end--;
	while ((s = past_white(s, end)) < end) {
		const char *name = s, *v = NULL;
		size_t n, vn = 0;
		while (s < end && *s != '=' && !is_space(*s))
			s++;
		n = (size_t)(s - name);
		const char *eq = past_white(s, end);
		if (eq < end && *eq == '=')
			s = value(past_white(eq + 1, end), end, &v, &vn);
		if (n == strlen(want) && gx_ascii_ncasecmp(name, want, n) == 0) {
			*ret_v = v;
			*ret_n = vn;
			return v != NULL;
		}
		if (s == name)
			s++;
	}
	return false;
}

/* ---- Elements ---- */

static void open_link(struct plain *x, const char *s, const char *end)
{
	static const char *const schemes[] = {"http:", "https:", "ftp:", "mailto:", "tel:", "file:"};
	x->href = NULL;
	if (!attribute(s, end, "href", &x->href, &x->href_len))
		return;
	bool known = false;
	for (size_t i = 0; i < COUNT(schemes); i++)
		known = known || (x->href_len > strlen(schemes[i]) && gx_ascii_ncasecmp(x->href, schemes[i], strlen(schemes[i])) == 0);
	if (!known)
		x->href = NULL;
	settle(x);
	x->href_at = x->out->len;
}

/* Does the text of the link say where it leads? */
static bool says_target(const struct plain *x)
{
	size_t n = x->out->len - x->href_at, m = x->href_len;
	const char *shown = (const char *)x->out->data + x->href_at, *href = x->href;
	const char *colon = memchr(href, ':', m);
	if (m > 0 && href[m - 1] == '/' && (n == 0 || shown[n - 1] != '/'))
		m--;
	if (n == m && memcmp(shown, href, n) == 0)
		return true;
	size_t scheme = (size_t)(colon + 1 - href);
	scheme += m - scheme >= 2 && memcmp(href + scheme, "//", 2) == 0 ? 2 : 0;
	return n == m - scheme && memcmp(shown, href + scheme, n) == 0;
}

static void close_link(struct plain *x)
{
	if (x->href == NULL || x->out->err != 0 || x->out->len == x->href_at || says_target(x)) {
		x->href = NULL;
		return;
	}
	const char *href = x->href;
	x->href = NULL;
	x->space = true;
	put(x, "<", 1);
	text(x, href, href + x->href_len);
	put(x, ">", 1);
}

static void item(struct plain *x)
{
	char mark[24] = "* ";
	due(x, 1);
	settle(x);
	unsigned level = x->depth < LISTS_MAX ? x->depth : LISTS_MAX;
	for (unsigned i = 1; i < level; i++)
		gx_push_bytes(x->out, "    ", INDENT);
	if (x->numbered[level])
		snprintf(mark, sizeof(mark), "%u. ", ++x->item[level]);
	gx_push_str(x->out, mark);
	x->fresh = true;
}

static void list(struct plain *x, bool closing, bool numbered)
{
	due(x, 1);
	if (closing) {
		x->depth -= x->depth > 0;
		return;
	}
	if (++x->depth <= LISTS_MAX) {
		x->item[x->depth] = 0;
		x->numbered[x->depth] = numbered;
	}
}

static void cell(struct plain *x, bool closing)
{
	if (closing)
		return;
	if (x->cells++ > 0) {
		x->space = false;
		put(x, "\t", 1);
		x->fresh = true;
	}
}

static void picture(struct plain *x, const char *s, const char *end)
{
	const char *alt;
	size_t n;
	if (attribute(s, end, "alt", &alt, &n))
		text(x, alt, alt + n);
}

/* Paragraphs are parted by an empty line, but for those of programs that give them no margin. */
static void paragraph(struct plain *x, const char *s, const char *end)
{
	const char *class;
	size_t n;
	bool tight = attribute(s, end, "class", &class, &n) && n >= 9 && memcmp(class, "MsoNormal", 9) == 0;
	due(x, tight ? 1 : 2);
}

enum { BREAK, RULE, PARAGRAPH, APART, BLOCK, ITEM, ORDERED, UNORDERED, ROW, CELL, LINK, PICTURE, PRE, NONE };
static const struct {
	const char *name;
	int what;
} elements[] = {
	{"br", BREAK}, {"hr", RULE}, {"p", PARAGRAPH}, {"h1", APART}, {"h2", APART}, {"h3", APART}, {"h4", APART}, {"h5", APART},
	{"h6", APART}, {"blockquote", APART}, {"pre", PRE}, {"li", ITEM}, {"ol", ORDERED}, {"ul", UNORDERED}, {"tr", ROW},
	{"td", CELL}, {"th", CELL}, {"a", LINK}, {"img", PICTURE},
};

static int kind(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT(elements); i++)
		if (strlen(elements[i].name) == n && gx_ascii_ncasecmp(elements[i].name, name, n) == 0)
			return elements[i].what;
	return gx_html__is_inline(name, n) ? NONE : BLOCK;
}

static void opened(struct plain *x, int what, const char *s, const char *end)
{
	switch (what) {
	case PARAGRAPH:
		paragraph(x, s, end);
		break;
	case ITEM:
		item(x);
		break;
	case LINK:
		open_link(x, s, end);
		break;
	case PICTURE:
		picture(x, s, end);
		break;
	case PRE:
		due(x, 2);
		x->pre++;
		break;
	default:
		break;
	}
}

static void closed(struct plain *x, int what)
{
	switch (what) {
	case PARAGRAPH:
		due(x, 1); /* the next one says how far it is away */
		break;
	case ITEM:
		due(x, 1);
		break;
	case LINK:
		close_link(x);
		break;
	case PRE:
		x->pre -= x->pre > 0;
		due(x, 2);
		break;
	default:
		break;
	}
}

static void element(struct plain *x, int what, bool closing, const char *s, const char *end)
{
	switch (what) {
	case BREAK:
		x->lines++;
		x->space = false;
		break;
	case RULE:
		due(x, 1);
		put(x, "________________________________", 32);
		due(x, 1);
		break;
	case APART:
		due(x, 2);
		break;
	case BLOCK:
		due(x, 1);
		break;
	case ROW:
		due(x, 1);
		x->cells = 0;
		break;
	case ORDERED:
	case UNORDERED:
		list(x, closing, what == ORDERED);
		break;
	case CELL:
		cell(x, closing);
		break;
	default:
		closing ? closed(x, what) : opened(x, what, s, end);
	}
}

static const char *tag(struct plain *x, const char *s, const char *end)
{
	const char *past = gx_html__past_comment(s, end), *name = s + 1;
	if (past != NULL)
		return past;
	bool closing = name < end && *name == '/';
	name += closing;
	size_t n = gx_html__name(name, end);
	if (gx_html__lone(name, end, n)) {
		put(x, s, 1);
		return s + 1;
	}
	const char *next = gx_html_past_tag(name + n, end);
	const char *content = closing ? NULL : gx_html__skipped(name, n);
	if (content != NULL)
		return gx_html__past_content(next, end, content);
	if (n > 0)
		element(x, kind(name, n), closing, name + n, next);
	return next;
}

void gx_html_plain(const char *s, size_t len, struct gx_push *out)
{
	struct plain x = {.out = out, .start = out->len, .fresh = true};
	const char *end = len != 0 ? s + len : s;
	while (s < end && out->err == 0) {
		const char *lt = memchr(s, '<', (size_t)(end - s));
		text(&x, s, lt == NULL ? end : lt);
		s = lt == NULL ? end : tag(&x, lt, end);
	}
	if (x.lines > 0 && out->len > x.start)
		gx_push_str(out, "\r\n");
}
