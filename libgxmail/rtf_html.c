/* SPDX-License-Identifier: Apache-2.0 */
/* HTML for RTF that was never HTML: paragraphs, the looks of text, links, simple tables. */
#include <config.h>
#include <string.h>
#include "rtf-int.h"

struct html {
	struct gx_rtf r;
	struct gx_push *out;
	struct gx_rtf_style now;  /* of the tags that are open */
	bool tags;                /* some are */
	bool para, table, row, cell;
};

static void close_tags(struct html *x)
{
	const struct gx_rtf_style *s = &x->now;
	if (!x->tags)
		return;
	if (s->script != 0)
		gx_push_str(x->out, s->script > 0 ? "</sup>" : "</sub>");
	if (s->strike)
		gx_push_str(x->out, "</s>");
	if (s->underline)
		gx_push_str(x->out, "</u>");
	if (s->italic)
		gx_push_str(x->out, "</i>");
	if (s->bold)
		gx_push_str(x->out, "</b>");
	gx_push_str(x->out, "</span>");
	if (s->link != 0)
		gx_push_str(x->out, "</a>");
	x->tags = false;
}

static void quoted(struct html *x, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"')
			gx_push_str(x->out, "&quot;");
		else
			gx_html__escape(x->out, s, 1);
	}
}

/* A target that a browser would run is none. */
static bool harmless(const char *url)
{
	static const char *const bad[] = {"javascript:", "vbscript:", "data:"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (gx_ascii_ncasecmp(url, bad[i], strlen(bad[i])) == 0)
			return false;
	return true;
}

static bool plain_name(const char *s)
{
	return *s != '\0' && strpbrk(s, "\"'<>&;\\") == NULL;
}

static void open_span(struct html *x, const struct gx_rtf_style *s)
{
	const struct gx_rtf_font *f = x->r.fonts == NULL ? NULL : &x->r.fonts[s->font];
	gx_push_str(x->out, "<span style=\"");
	if (f != NULL && !f->symbol && plain_name(f->name))
		gx_push_printf(x->out, "font-family:'%s';", f->name);
	if (s->size != 0)
		gx_push_printf(x->out, "font-size:%u%spt;", s->size / 2u, s->size & 1 ? ".5" : "");
	if (s->color != 0 && s->color < x->r.color_count)
		gx_push_printf(x->out, "color:#%06x;", (unsigned)x->r.colors[s->color]);
	gx_push_str(x->out, "\">");
}

static void open_tags(struct html *x, const struct gx_rtf_style *s)
{
	const char *target = gx_rtf__link(&x->r, s->link);
	x->now = *s;
	if (s->link != 0) {
		gx_push_str(x->out, "<a href=\"");
		quoted(x, harmless(target) ? target : "");
		gx_push_str(x->out, "\">");
	}
	open_span(x, s);
	if (s->bold)
		gx_push_str(x->out, "<b>");
	if (s->italic)
		gx_push_str(x->out, "<i>");
	if (s->underline)
		gx_push_str(x->out, "<u>");
	if (s->strike)
		gx_push_str(x->out, "<s>");
	if (s->script != 0)
		gx_push_str(x->out, s->script > 0 ? "<sup>" : "<sub>");
	x->tags = true;
}

static bool same(const struct gx_rtf_style *a, const struct gx_rtf_style *b)
{
	return a->bold == b->bold && a->italic == b->italic && a->underline == b->underline && a->strike == b->strike &&
		a->script == b->script && a->size == b->size && a->color == b->color && a->font == b->font && a->link == b->link;
}

static void close_para(struct html *x)
{
	close_tags(x);
	if (x->para && !x->cell)
		gx_push_str(x->out, "</p>\r\n");
	x->para = false;
}

static void close_table(struct html *x)
{
	close_tags(x);
	if (x->cell)
		gx_push_str(x->out, "</td>");
	if (x->row)
		gx_push_str(x->out, "</tr>");
	if (x->table)
		gx_push_str(x->out, "</table>\r\n");
	x->cell = x->row = x->table = false;
}

static void need_cell(struct html *x)
{
	if (!x->table)
		gx_push_str(x->out, "<table border=\"1\">");
	if (!x->row)
		gx_push_str(x->out, "<tr>");
	if (!x->cell)
		gx_push_str(x->out, "<td>");
	x->table = x->row = x->cell = true;
	x->para = false;
}

static void need_para(struct html *x, const struct gx_rtf_style *s)
{
	if (s->in_table) {
		if (x->para)
			close_para(x);
		need_cell(x);
		return;
	}
	if (x->table)
		close_table(x);
	if (x->para)
		return;
	gx_push_str(x->out, s->align == 'c' ? "<p style=\"margin:0;text-align:center\">" : s->align == 'r' ?
		"<p style=\"margin:0;text-align:right\">" : s->align == 'j' ? "<p style=\"margin:0;text-align:justify\">" : "<p style=\"margin:0\">");
	x->para = true;
}

/* Blanks that a browser would draw together stay apart. */
static void put(struct html *x, const char *s, size_t n)
{
	for (size_t i = 0, run = 0; i <= n; i++) {
		bool wide = i < n && (s[i] == '\t' || (s[i] == ' ' && i + 1 < n && s[i + 1] == ' '));
		if (i < n && !wide)
			continue;
		gx_html__escape(x->out, s + run, i - run);
		if (wide)
			gx_push_str(x->out, s[i] == ' ' ? "&nbsp;" : "&nbsp;&nbsp;&nbsp; ");
		run = i + 1;
	}
}

static void on_text(void *ctx, const struct gx_rtf_style *s, const char *p, size_t n)
{
	struct html *x = ctx;
	need_para(x, s);
	if (x->tags && !same(&x->now, s))
		close_tags(x);
	if (!x->tags)
		open_tags(x, s);
	put(x, p, n);
}

static void end_of_cell(struct html *x)
{
	close_tags(x);
	need_cell(x);
	gx_push_str(x->out, "</td>");
	x->cell = false;
}

static void end_of_row(struct html *x)
{
	close_tags(x);
	if (x->cell)
		gx_push_str(x->out, "</td>");
	if (x->row)
		gx_push_str(x->out, "</tr>\r\n");
	x->cell = x->row = false;
}

static void on_break(void *ctx, const struct gx_rtf_style *s, int kind)
{
	struct html *x = ctx;
	if (kind == GX_RTF_CELL) {
		if (x->para)
			close_para(x);
		end_of_cell(x);
	} else if (kind == GX_RTF_ROW) {
		end_of_row(x);
	} else if (kind == GX_RTF_LINE || s->in_table) {
		need_para(x, s);
		gx_push_str(x->out, "<br>\r\n");
	} else {
		bool empty = !x->para;
		need_para(x, s);
		if (empty)
			gx_push_str(x->out, "&nbsp;");
		close_para(x);
	}
}

int gx_rtf__html(const void *rtf, size_t len, const char *charset, struct gx_push *out)
{
	struct html x = {.out = out};
	const struct gx_rtf_sink sink = {.text = on_text, .brk = on_break, .ctx = &x, .out = out};
	gx_push_printf(out, "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=%s\"></head><body>\r\n", charset);
	gx_rtf__init(&x.r);
	int err = gx_rtf__read(&x.r, rtf, len, &sink);
	if (err == 0) {
		close_para(&x);
		close_table(&x);
		gx_push_str(out, "</body></html>\r\n");
	}
	gx_rtf__release(&x.r);
	return err != 0 ? err : out->err;
}
