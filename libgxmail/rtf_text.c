/* SPDX-License-Identifier: Apache-2.0 */
/* RTF as plain text, and the HTML that was packed into RTF. */
#include <config.h>
#include <string.h>
#include "rtf-int.h"

/* ---- As one sees it ---- */

struct text {
	struct gx_rtf r;
	struct gx_push *out;
	uint32_t link;       /* that is open */
	size_t link_at;      /* where its text begins */
};

static void end_link(struct text *x)
{
	const char *target = gx_rtf__link(&x->r, x->link);
	size_t n = x->out->len - x->link_at, m = strlen(target);
	x->link = 0;
	if (x->out->err != 0 || n == 0)
		return;
	const char *shown = (const char *)x->out->data + x->link_at;
	size_t scheme = strncmp(target, "mailto:", 7) == 0 ? 7 : 0;
	if ((n == m && memcmp(shown, target, n) == 0) || (n == m - scheme && memcmp(shown, target + scheme, n) == 0))
		return;
	gx_push_str(x->out, " <");
	gx_push_str(x->out, target);
	gx_push_str(x->out, ">");
}

static void on_text(void *ctx, const struct gx_rtf_style *st, const char *s, size_t n)
{
	struct text *x = ctx;
	if (st->link != x->link) {
		if (x->link != 0)
			end_link(x);
		x->link = st->link;
		x->link_at = x->out->len;
	}
	gx_push_bytes(x->out, s, n);
}

static void on_break(void *ctx, const struct gx_rtf_style *st, int kind)
{
	struct text *x = ctx;
	(void)st;
	if (x->link != 0)
		end_link(x);
	gx_push_str(x->out, kind == GX_RTF_CELL ? "\t" : "\r\n");
}

int gx_rtf__text(const void *rtf, size_t len, struct gx_push *out)
{
	struct text x = {.out = out};
	const struct gx_rtf_sink sink = {.text = on_text, .brk = on_break, .ctx = &x, .out = out};
	gx_rtf__init(&x.r);
	int err = gx_rtf__read(&x.r, rtf, len, &sink);
	if (err == 0 && x.link != 0)
		end_link(&x);
	gx_rtf__release(&x.r);
	return err != 0 ? err : out->err;
}

/* ---- What was packed, [MS-OXRTFEX] 3.1.4.1 ---- */

void gx_html__escape(struct gx_push *out, const char *s, size_t n)
{
	while (n > 0) {
		size_t run = 0;
		while (run < n && s[run] != '<' && s[run] != '>' && s[run] != '&')
			run++;
		gx_push_bytes(out, s, run);
		if (run < n)
			gx_push_str(out, s[run] == '<' ? "&lt;" : s[run] == '>' ? "&gt;" : "&amp;");
		run += run < n;
		s += run;
		n -= run;
	}
}

/* Text that stands outside of the groups is shared by both forms. */
static void shared_text(void *ctx, const struct gx_rtf_style *st, const char *s, size_t n)
{
	(void)st;
	gx_html__escape(ctx, s, n);
}

static void shared_break(void *ctx, const struct gx_rtf_style *st, int kind)
{
	(void)st;
	(void)kind;
	gx_push_str(ctx, "\r\n");
}

static void packed(void *ctx, const char *s, size_t n)
{
	gx_push_bytes(ctx, s, n);
}

int gx_rtf__unpack(const void *rtf, size_t len, struct gx_push *out)
{
	const struct gx_rtf_sink sink = {.text = shared_text, .brk = shared_break, .html = packed, .ctx = out, .out = out};
	struct gx_rtf r;
	gx_rtf__init(&r);
	int err = gx_rtf__read(&r, rtf, len, &sink);
	gx_rtf__release(&r);
	return err;
}
