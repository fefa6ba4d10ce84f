/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading RTF in one pass: groups, control words, and text in the code page of its font, given to a sink as UTF-8
 * together with how it looks.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "rtf-int.h"

enum { DEPTH_MAX = 1000, WORD_MAX = 32, INST_MAX = 4096, LINKS_MAX = 1 << 20 };

void gx_rtf__init(struct gx_rtf *r)
{
	*r = (struct gx_rtf){.cp = GX_CP_8BIT, .from = GX_BODY_RTF, .st = {.uc = 1, .style = {.align = 'l'}}};
}

void gx_rtf__release(struct gx_rtf *r)
{
	free(r->stack);
	free(r->fonts);
	gx_strbuf_release(&r->bytes);
	gx_strbuf_release(&r->text);
	gx_strbuf_release(&r->inst);
	gx_strbuf_release(&r->links);
}

const char *gx_rtf__link(const struct gx_rtf *r, uint32_t n)
{
	const char *s = gx_strbuf_cstr(&r->links);
	return n == 0 || n > r->links.len ? "" : s + n - 1;
}

/* ---- Text ---- */

static void define_font(struct gx_rtf *r, const char *s, size_t n)
{
	struct gx_rtf_font *f = r->fonts == NULL ? NULL : &r->fonts[r->defining];
	const char *end = memchr(s, ';', n);
	n = end == NULL ? n : (size_t)(end - s);
	if (f == NULL || f->name[0] != '\0' || n == 0 || n >= sizeof(f->name))
		return;
	memcpy(f->name, s, n);
	f->name[n] = '\0';
}

static void define_colors(struct gx_rtf *r, const char *s, size_t n)
{
	for (; n > 0; s++, n--) {
		if (*s != ';')
			continue;
		if (r->color_count < GX_RTF_COLORS)
			r->colors[r->color_count++] = r->rgb;
		r->rgb = 0;
	}
}

static bool shown(const struct gx_rtf *r)
{
	return !r->st.hidden && !(r->st.htmlrtf && r->from != GX_BODY_RTF);
}

/* Text in UTF-8, wherever it belongs to. */
static void give(struct gx_rtf *r, const char *s, size_t n)
{
	switch (r->st.dest) {
	case GX_RTF_BODY:
		if (shown(r))
			r->sink->text(r->sink->ctx, &r->st.style, s, n);
		break;
	case GX_RTF_HTMLTAG:
		r->sink->html(r->sink->ctx, s, n);
		break;
	case GX_RTF_FONTTBL:
		define_font(r, s, n);
		break;
	case GX_RTF_COLORTBL:
		define_colors(r, s, n);
		break;
	case GX_RTF_FLDINST:
		if (r->inst.len + n <= INST_MAX)
			gx_strbuf_add(&r->inst, s, n);
		break;
	default:
		break;
	}
}

static const struct gx_rtf_font *current_font(const struct gx_rtf *r)
{
	return r->fonts == NULL || r->st.dest != GX_RTF_BODY ? NULL : &r->fonts[r->st.style.font];
}

/* Fonts of symbols have characters of their own; those that mail is full of are known. */
static void give_symbols(struct gx_rtf *r, const struct gx_rtf_font *f)
{
	const uint8_t *p = (const uint8_t *)gx_strbuf_cstr(&r->bytes);
	bool wingdings = strcmp(f->name, "Wingdings") == 0;
	gx_strbuf_clear(&r->text);
	for (size_t i = 0; i < r->bytes.len; i++) {
		uint32_t c = p[i] == 0xb7 || (wingdings && (p[i] == 0xa7 || p[i] == 'n' || p[i] == 'l')) ? 0x2022 : 0;
		if (wingdings && c == 0)
			c = p[i] == 'J' ? 0x263a : p[i] == 'L' ? 0x2639 : p[i] == 0xe0 ? 0x2192 : p[i] == 0xfc ? 0x2713 : 0;
		if (c != 0)
			gx_utf8_put(&r->text, c);
		else
			gx_cp_append_utf8(&r->text, GX_CP_8BIT, &p[i], 1);
	}
	give(r, gx_strbuf_cstr(&r->text), r->text.len);
}

void gx_rtf__flush(struct gx_rtf *r)
{
	if (r->bytes.len == 0)
		return;
	const char *s = gx_strbuf_cstr(&r->bytes);
	const struct gx_rtf_font *f = current_font(r);
	if (f != NULL && f->symbol) {
		give_symbols(r, f);
	} else if (gx_ascii_only(s, r->bytes.len)) {
		give(r, s, r->bytes.len);
	} else {
		gx_strbuf_clear(&r->text);
		gx_cp_append_utf8(&r->text, f != NULL && f->cp != 0 ? f->cp : r->cp, s, r->bytes.len);
		give(r, gx_strbuf_cstr(&r->text), r->text.len);
	}
	gx_strbuf_clear(&r->bytes);
}

/* Is this one only for readers that do not know Unicode? */
static bool passed_over(struct gx_rtf *r)
{
	if (r->skip == 0)
		return false;
	r->skip--;
	return true;
}

static void byte(struct gx_rtf *r, uint8_t c)
{
	r->star = false;
	if (c != 0 && r->st.dest != GX_RTF_SKIP && !passed_over(r))
		gx_strbuf_addc(&r->bytes, (char)c);
}

void gx_rtf__char(struct gx_rtf *r, uint32_t c)
{
	if (r->st.dest == GX_RTF_SKIP || passed_over(r))
		return;
	gx_rtf__flush(r);
	gx_strbuf_clear(&r->text);
	gx_utf8_put(&r->text, c);
	give(r, gx_strbuf_cstr(&r->text), r->text.len);
}

void gx_rtf__brk(struct gx_rtf *r, int kind)
{
	gx_rtf__flush(r);
	if (r->st.dest == GX_RTF_HTMLTAG)
		r->sink->html(r->sink->ctx, "\r\n", 2);
	else if (r->st.dest == GX_RTF_BODY && shown(r))
		r->sink->brk(r->sink->ctx, &r->st.style, kind);
}

void gx_rtf__unicode(struct gx_rtf *r, int32_t n)
{
	uint32_t c = n < 0 ? (uint32_t)(n + 0x10000) & 0xffff : (uint32_t)n;
	uint16_t high = r->high;
	r->high = 0;
	r->skip = 0;
	if (c >= 0xd800 && c < 0xdc00) {
		r->high = (uint16_t)c;
	} else {
		if (c >= 0xdc00 && c < 0xe000)
			c = high == 0 ? 0xfffd : 0x10000 + ((high & 0x3ffu) << 10) + (c & 0x3ff);
		/* Symbol fonts are written as a private range, which nobody can show. */
		if (c >= 0xf020 && c < 0xf100)
			byte(r, (uint8_t)c);
		else
			gx_rtf__char(r, c == 0 || c > 0x10ffff ? 0xfffd : c);
	}
	r->skip = r->st.uc;
}

/* ---- Groups ---- */

/* HYPERLINK "target", perhaps with switches. */
static void take_link(struct gx_rtf *r)
{
	const char *s = gx_strbuf_cstr(&r->inst), *end;
	s += strspn(s, " \r\n\t");
	if (gx_ascii_ncasecmp(s, "HYPERLINK", 9) != 0 || strstr(s, "\\l") != NULL)
		return;
	s += 9 + strspn(s + 9, " \t");
	bool quoted = *s == '"';
	s += quoted;
	end = s + strcspn(s, quoted ? "\"" : " \t");
	if (end == s || r->links.len + (size_t)(end - s) >= LINKS_MAX)
		return;
	r->st.style.link = (uint32_t)r->links.len + 1;
	gx_strbuf_add(&r->links, s, (size_t)(end - s));
	gx_strbuf_addc(&r->links, '\0');
}

static void open_group(struct gx_rtf *r)
{
	gx_rtf__flush(r);
	r->skip = 0;
	r->star = false;
	if (r->over > 0 || r->depth == DEPTH_MAX) {
		r->over++;
		return;
	}
	if (r->depth == r->cap) {
		size_t cap = r->cap == 0 ? 16 : r->cap * 2;
		struct gx_rtf_state *v = realloc(r->stack, cap * sizeof(*v));
		if (v == NULL) {
			r->err = GX_E_NOMEM;
			return;
		}
		r->stack = v;
		r->cap = cap;
	}
	r->stack[r->depth++] = r->st;
}

static void close_group(struct gx_rtf *r)
{
	gx_rtf__flush(r);
	r->skip = 0;
	r->star = false;
	if (r->over > 0) {
		r->over--;
		return;
	}
	if (r->depth == 0)
		return;
	uint8_t dest = r->st.dest;
	r->st = r->stack[--r->depth];
	if (dest == GX_RTF_FLDINST && r->st.dest != GX_RTF_FLDINST)
		take_link(r);
}

/* ---- Words ---- */

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool more(const struct gx_rtf *r)
{
	return r->c.left > 0;
}

static uint8_t peek(const struct gx_rtf *r)
{
	return more(r) ? *r->c.p : 0;
}

static bool number(struct gx_rtf *r, int32_t *ret_v)
{
	int64_t v = 0;
	bool minus = peek(r) == '-', any = false;
	if (minus)
		gx_pull_skip(&r->c, 1);
	while (peek(r) >= '0' && peek(r) <= '9') {
		v = v < INT32_MAX / 10 ? v * 10 + (gx_pull_u8(&r->c) - '0') : (gx_pull_skip(&r->c, 1), INT32_MAX);
		any = true;
	}
	*ret_v = (int32_t)(minus ? -v : v);
	return any;
}

static void word(struct gx_rtf *r)
{
	char name[WORD_MAX];
	size_t n = 0;
	int32_t arg;
	while (is_letter(peek(r))) {
		uint8_t c = gx_pull_u8(&r->c);
		if (n < sizeof(name))
			name[n++] = (char)c;
	}
	bool has_arg = number(r, &arg);
	if (peek(r) == ' ')
		gx_pull_skip(&r->c, 1);
	gx_rtf__flush(r);
	gx_rtf__word(r, name, n, has_arg, arg);
}

static void hex_byte(struct gx_rtf *r)
{
	int hi = hex(peek(r)), lo;
	if (hi < 0)
		return;
	gx_pull_skip(&r->c, 1);
	lo = hex(peek(r));
	if (lo < 0)
		return;
	gx_pull_skip(&r->c, 1);
	byte(r, (uint8_t)(hi << 4 | lo));
}

static void symbol(struct gx_rtf *r)
{
	uint8_t c = gx_pull_u8(&r->c);
	switch (c) {
	case '\'':
		hex_byte(r);
		break;
	case '*':
		gx_rtf__flush(r);
		r->star = true;
		break;
	case '~':
		gx_rtf__char(r, 0xa0);
		break;
	case '_':
		gx_rtf__char(r, 0x2011);
		break;
	case '-':
		gx_rtf__char(r, 0xad);
		break;
	case '\r':
	case '\n':
		gx_rtf__brk(r, GX_RTF_PAR);
		break;
	case '\t':
		gx_rtf__char(r, '\t');
		break;
	case '\\':
	case '{':
	case '}':
		byte(r, c);
		break;
	default:
		break;
	}
}

static void step(struct gx_rtf *r)
{
	uint8_t c = gx_pull_u8(&r->c);
	switch (c) {
	case '{':
		open_group(r);
		break;
	case '}':
		close_group(r);
		break;
	case '\\':
		if (is_letter(peek(r)))
			word(r);
		else if (more(r))
			symbol(r);
		break;
	case '\r':
	case '\n':
		break;
	default:
		byte(r, c);
	}
}

static const struct gx_rtf_sink nobody;

static bool begin(struct gx_rtf *r, const void *rtf, size_t len)
{
	gx_pull_init(&r->c, rtf, len);
	while (peek(r) == ' ' || peek(r) == '\r' || peek(r) == '\n' || peek(r) == '\t')
		gx_pull_skip(&r->c, 1);
	return r->c.left >= 5 && memcmp(r->c.p, "{\\rtf", 5) == 0;
}

int gx_rtf__read(struct gx_rtf *r, const void *rtf, size_t len, const struct gx_rtf_sink *sink)
{
	r->sink = sink;
	if (!begin(r, rtf, len))
		return GX_E_FORMAT;
	do {
		step(r);
	} while (more(r) && r->depth > 0 && r->err == 0 && sink->out->err == 0);
	gx_rtf__flush(r);
	int err = r->err != 0 ? r->err : r->bytes.err != 0 ? r->bytes.err : r->text.err;
	err = err != 0 ? err : r->inst.err != 0 ? r->inst.err : r->links.err;
	return err != 0 ? err : sink->out->err;
}

/* [MS-OXRTFEX] 2.2.3.1: within the first ten control words, before any text. */
int gx_rtf_native(const void *rtf, size_t len)
{
	struct gx_rtf r;
	int words = 0;
	gx_rtf__init(&r);
	r.sink = &nobody;
	r.st.dest = GX_RTF_SKIP;
	if (!begin(&r, rtf, len))
		return 0;
	gx_pull_skip(&r.c, 1);
	while (r.from == GX_BODY_RTF && words < 10 && peek(&r) == '\\') {
		gx_pull_skip(&r.c, 1);
		if (!is_letter(peek(&r)))
			break;
		word(&r);
		words++;
		while (peek(&r) == '\r' || peek(&r) == '\n')
			gx_pull_skip(&r.c, 1);
	}
	gx_rtf__release(&r);
	return r.from;
}
