/* SPDX-License-Identifier: Apache-2.0 */
/* What control words mean, [MSFT-RTF] and [MS-OXRTFEX] 2.1.3. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "rtf-int.h"

enum {
	W_ALIGN, W_ANSICPG, W_BIN, W_BOLD, W_BREAK, W_CHAR, W_CHARSET, W_COLOR, W_CPG, W_DEFF, W_DEST, W_FONT, W_FROM, W_HIDDEN, W_HTMLRTF,
	W_ITALIC, W_MAC, W_NOSCRIPT, W_PAGE, W_PARD, W_PLAIN, W_RGB, W_SCRIPT, W_SIZE, W_STRIKE, W_TABLE, W_UC, W_UNDERLINE, W_UNICODE,
	W_UNLINE,
};

/* By name. */
static const struct word {
	const char *name;
	uint8_t what;
	int32_t arg;
} words[] = {
	{"annotation", W_DEST, GX_RTF_SKIP},
	{"ansicpg", W_ANSICPG, 0},
	{"b", W_BOLD, 0},
	{"bin", W_BIN, 0},
	{"blue", W_RGB, 0},
	{"bullet", W_CHAR, 0x2022},
	{"cell", W_BREAK, GX_RTF_CELL},
	{"cf", W_COLOR, 0},
	{"colortbl", W_DEST, GX_RTF_COLORTBL},
	{"cpg", W_CPG, 0},
	{"deff", W_DEFF, 0},
	{"emdash", W_CHAR, 0x2014},
	{"emspace", W_CHAR, 0x2003},
	{"endash", W_CHAR, 0x2013},
	{"enspace", W_CHAR, 0x2002},
	{"f", W_FONT, 0},
	{"fcharset", W_CHARSET, 0},
	{"filetbl", W_DEST, GX_RTF_SKIP},
	{"fldinst", W_DEST, GX_RTF_FLDINST},
	{"fonttbl", W_DEST, GX_RTF_FONTTBL},
	{"footer", W_DEST, GX_RTF_SKIP},
	{"footerf", W_DEST, GX_RTF_SKIP},
	{"footerl", W_DEST, GX_RTF_SKIP},
	{"footerr", W_DEST, GX_RTF_SKIP},
	{"fromhtml", W_FROM, GX_BODY_HTML},
	{"fromtext", W_FROM, GX_BODY_PLAIN},
	{"fs", W_SIZE, 0},
	{"green", W_RGB, 8},
	{"header", W_DEST, GX_RTF_SKIP},
	{"headerf", W_DEST, GX_RTF_SKIP},
	{"headerl", W_DEST, GX_RTF_SKIP},
	{"headerr", W_DEST, GX_RTF_SKIP},
	{"htmlrtf", W_HTMLRTF, 0},
	{"htmltag", W_DEST, GX_RTF_HTMLTAG},
	{"i", W_ITALIC, 0},
	{"info", W_DEST, GX_RTF_SKIP},
	{"intbl", W_TABLE, 0},
	{"ldblquote", W_CHAR, 0x201c},
	{"line", W_BREAK, GX_RTF_LINE},
	{"listoverridetable", W_DEST, GX_RTF_SKIP},
	{"listtable", W_DEST, GX_RTF_SKIP},
	{"lquote", W_CHAR, 0x2018},
	{"ltrmark", W_CHAR, 0x200e},
	{"mac", W_MAC, 10000},
	{"nestcell", W_BREAK, GX_RTF_CELL},
	{"nestrow", W_BREAK, GX_RTF_ROW},
	{"nonesttables", W_DEST, GX_RTF_SKIP},
	{"nonshppict", W_DEST, GX_RTF_SKIP},
	{"nosupersub", W_NOSCRIPT, 0},
	{"objdata", W_DEST, GX_RTF_SKIP},
	{"page", W_PAGE, 0},
	{"par", W_BREAK, GX_RTF_PAR},
	{"pard", W_PARD, 0},
	{"pc", W_MAC, 437},
	{"pca", W_MAC, 850},
	{"pict", W_DEST, GX_RTF_SKIP},
	{"plain", W_PLAIN, 0},
	{"pntxta", W_DEST, GX_RTF_SKIP},
	{"pntxtb", W_DEST, GX_RTF_SKIP},
	{"private", W_DEST, GX_RTF_SKIP},
	{"qc", W_ALIGN, 'c'},
	{"qj", W_ALIGN, 'j'},
	{"ql", W_ALIGN, 'l'},
	{"qmspace", W_CHAR, 0x2005},
	{"qr", W_ALIGN, 'r'},
	{"rdblquote", W_CHAR, 0x201d},
	{"red", W_RGB, 16},
	{"revtbl", W_DEST, GX_RTF_SKIP},
	{"row", W_BREAK, GX_RTF_ROW},
	{"rquote", W_CHAR, 0x2019},
	{"rtlmark", W_CHAR, 0x200f},
	{"rxe", W_DEST, GX_RTF_SKIP},
	{"sect", W_PAGE, 0},
	{"strike", W_STRIKE, 0},
	{"striked", W_STRIKE, 0},
	{"stylesheet", W_DEST, GX_RTF_SKIP},
	{"sub", W_SCRIPT, -1},
	{"super", W_SCRIPT, 1},
	{"tab", W_CHAR, '\t'},
	{"tc", W_DEST, GX_RTF_SKIP},
	{"u", W_UNICODE, 0},
	{"uc", W_UC, 0},
	{"ul", W_UNDERLINE, 0},
	{"uld", W_UNDERLINE, 0},
	{"uldash", W_UNDERLINE, 0},
	{"uldb", W_UNDERLINE, 0},
	{"ulnone", W_UNLINE, 0},
	{"ulth", W_UNDERLINE, 0},
	{"ulw", W_UNDERLINE, 0},
	{"ulwave", W_UNDERLINE, 0},
	{"v", W_HIDDEN, 0},
	{"xe", W_DEST, GX_RTF_SKIP},
	{"zwj", W_CHAR, 0x200d},
	{"zwnj", W_CHAR, 0x200c},
};

struct key {
	const char *name;
	size_t len;
};

static int by_name(const void *key, const void *item)
{
	const struct key *k = key;
	const struct word *w = item;
	int order = strncmp(k->name, w->name, k->len);
	return order != 0 ? order : w->name[k->len] == '\0' ? 0 : -1;
}

/* Character sets of fonts, [MSFT-RTF] "Font Table". */
uint16_t gx_rtf__charset_cp(int32_t charset)
{
	static const uint16_t v[][2] = {
		{0, 1252}, {77, 10000}, {78, 10001}, {79, 10003}, {80, 10008}, {81, 10002}, {83, 10005}, {84, 10004}, {85, 10006}, {86, 10081},
		{87, 10021}, {88, 10029}, {89, 10007}, {128, 932}, {129, 949}, {130, 1361}, {134, 936}, {136, 950}, {161, 1253}, {162, 1254},
		{163, 1258}, {177, 1255}, {178, 1256}, {186, 1257}, {204, 1251}, {222, 874}, {238, 1250}, {254, 437}, {255, 850},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i][0] == charset)
			return v[i][1];
	return 0;
}

static uint16_t small(int32_t v, uint16_t max)
{
	return v < 0 || v > max ? 0 : (uint16_t)v;
}

static struct gx_rtf_font *font(struct gx_rtf *r, int32_t n)
{
	if (n < 0 || (uint32_t)n >= GX_RTF_FONTS)
		return NULL;
	if (r->fonts == NULL)
		r->fonts = calloc(GX_RTF_FONTS, sizeof(*r->fonts));
	if (r->fonts == NULL)
		r->err = GX_E_NOMEM;
	return r->fonts == NULL ? NULL : &r->fonts[n];
}

/* Words that say something about a table of the header. */
static bool header_word(struct gx_rtf *r, const struct word *w, int32_t arg)
{
	struct gx_rtf_font *f = r->st.dest == GX_RTF_FONTTBL ? font(r, r->defining) : NULL;
	switch (w->what) {
	case W_FONT:
		if (r->st.dest != GX_RTF_FONTTBL)
			return false;
		r->defining = small(arg, GX_RTF_FONTS - 1);
		return true;
	case W_CHARSET:
		if (f != NULL) {
			f->symbol = arg == 2;
			f->cp = gx_rtf__charset_cp(arg);
		}
		return true;
	case W_CPG:
		if (f != NULL)
			f->cp = small(arg, UINT16_MAX);
		return true;
	case W_RGB:
		r->rgb = (r->rgb & ~((uint32_t)0xff << w->arg)) | (uint32_t)(small(arg, 255) << w->arg);
		return true;
	default:
		return false;
	}
}

static void plain(struct gx_rtf *r)
{
	struct gx_rtf_style *s = &r->st.style;
	s->bold = s->italic = s->underline = s->strike = false;
	s->script = 0;
	s->size = s->color = 0;
	s->font = r->deff;
	r->st.hidden = false;
}

static void style_word(struct gx_rtf *r, const struct word *w, bool on, int32_t arg)
{
	struct gx_rtf_style *s = &r->st.style;
	switch (w->what) {
	case W_BOLD:
		s->bold = on;
		break;
	case W_ITALIC:
		s->italic = on;
		break;
	case W_UNDERLINE:
		s->underline = on;
		break;
	case W_UNLINE:
		s->underline = false;
		break;
	case W_STRIKE:
		s->strike = on;
		break;
	case W_SCRIPT:
		s->script = on ? (int8_t)w->arg : 0;
		break;
	case W_NOSCRIPT:
		s->script = 0;
		break;
	case W_SIZE:
		s->size = small(arg, 400);
		break;
	case W_COLOR:
		s->color = small(arg, GX_RTF_COLORS - 1);
		break;
	case W_FONT:
		s->font = small(arg, GX_RTF_FONTS - 1);
		break;
	case W_ALIGN:
		s->align = (uint8_t)w->arg;
		break;
	case W_TABLE:
		s->in_table = true;
		break;
	case W_PARD:
		s->align = 'l';
		s->in_table = false;
		break;
	case W_HIDDEN:
		r->st.hidden = on;
		break;
	case W_HTMLRTF:
		r->st.htmlrtf = on;
		break;
	default:
		break;
	}
}

/* A group inside of one that is skipped is skipped, whatever it says. */
static void destination(struct gx_rtf *r, uint8_t dest)
{
	if (r->st.dest == GX_RTF_SKIP)
		return;
	if (dest == GX_RTF_HTMLTAG && (r->sink->html == NULL || r->st.htmlrtf))
		dest = GX_RTF_SKIP;
	if (dest == GX_RTF_FLDINST)
		gx_strbuf_clear(&r->inst);
	r->st.dest = dest;
}

static void document_word(struct gx_rtf *r, const struct word *w, int32_t arg)
{
	switch (w->what) {
	case W_ANSICPG:
		r->cp = arg > 0 ? (uint32_t)arg : r->cp;
		break;
	case W_MAC:
		r->cp = (uint32_t)w->arg;
		break;
	case W_DEFF:
		r->deff = r->st.style.font = small(arg, GX_RTF_FONTS - 1);
		break;
	case W_FROM:
		if (r->from == GX_BODY_RTF)
			r->from = w->arg;
		break;
	case W_UC:
		r->st.uc = (uint8_t)small(arg, 8);
		break;
	case W_BIN:
		gx_pull_skip(&r->c, arg < 0 ? 0 : (uint32_t)arg > r->c.left ? r->c.left : (size_t)arg);
		break;
	default:
		break;
	}
}

void gx_rtf__word(struct gx_rtf *r, const char *name, size_t len, bool has_arg, int32_t arg)
{
	const struct key k = {name, len};
	const struct word *w = bsearch(&k, words, sizeof(words) / sizeof(words[0]), sizeof(words[0]), by_name);
	bool star = r->star;
	r->star = false;
	if (w == NULL || (star && w->what != W_DEST)) {
		if (star) /* a destination that may be ignored */
			destination(r, GX_RTF_SKIP);
		return;
	}
	switch (w->what) {
	case W_DEST:
		destination(r, (uint8_t)w->arg);
		break;
	case W_CHAR:
		gx_rtf__char(r, (uint32_t)w->arg);
		break;
	case W_BREAK:
		gx_rtf__brk(r, w->arg);
		break;
	case W_PAGE:
		gx_rtf__brk(r, GX_RTF_PAR);
		break;
	case W_UNICODE:
		gx_rtf__unicode(r, arg);
		break;
	case W_PLAIN:
		plain(r);
		break;
	default:
		document_word(r, w, arg);
		if (!header_word(r, w, arg))
			style_word(r, w, !has_arg || arg != 0, arg);
	}
}
