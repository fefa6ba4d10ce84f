/* SPDX-License-Identifier: Apache-2.0 */
/* A message's text in another format, by way of UTF-8. */
#include <config.h>
#include <string.h>
#include <gx/htmltext.h>
#include <gx/rtfcp.h>
#include "rtf-int.h"

/* ---- Plain text as HTML ---- */

/* A blank in front of another one, or of a line, would be lost. */
static void text_line(struct gx_push *out, const char *s, size_t n)
{
	size_t run = 0;
	for (size_t i = 0; i < n; i++) {
		bool keep = s[i] == '\t' || (s[i] == ' ' && (i == 0 || (i + 1 < n && s[i + 1] == ' ')));
		if (!keep)
			continue;
		gx_html__escape(out, s + run, i - run);
		gx_push_str(out, s[i] == ' ' ? "&nbsp;" : "&nbsp;&nbsp;&nbsp; ");
		run = i + 1;
	}
	gx_html__escape(out, s + run, n - run);
}

int gx_text_to_html(const char *s, size_t len, const char *charset, struct gx_push *out)
{
	gx_push_printf(out, "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=%s\"></head><body><div>",
		charset == NULL ? "utf-8" : charset);
	while (len > 0 && out->err == 0) {
		size_t n = 0;
		while (n < len && s[n] != '\r' && s[n] != '\n')
			n++;
		text_line(out, s, n);
		if (n < len) {
			gx_push_str(out, "<br>\r\n");
			n += n + 1 < len && s[n] == '\r' && s[n + 1] == '\n' ? 2 : 1;
		}
		s += n;
		len -= n;
	}
	gx_push_str(out, "</div></body></html>\r\n");
	return out->err;
}

/* ---- RTF ---- */

int gx_rtf_to_text(const void *rtf, size_t len, struct gx_push *out)
{
	struct gx_push html;
	if (gx_rtf_native(rtf, len) != GX_BODY_HTML)
		return gx_rtf__text(rtf, len, out);
	gx_push_init(&html, GX_BODYCONV_MAX);
	int err = gx_rtf__unpack(rtf, len, &html);
	if (err == 0) {
		gx_html_plain((const char *)html.data, html.len, out);
		err = out->err;
	}
	gx_push_release(&html);
	return err;
}

int gx_rtf_to_html(const void *rtf, size_t len, const char *charset, struct gx_push *out)
{
	struct gx_push text;
	int native = gx_rtf_native(rtf, len);
	if (native == GX_BODY_HTML)
		return gx_rtf__unpack(rtf, len, out);
	if (native != GX_BODY_PLAIN)
		return gx_rtf__html(rtf, len, charset == NULL ? "utf-8" : charset, out);
	gx_push_init(&text, GX_BODYCONV_MAX);
	int err = gx_rtf__text(rtf, len, &text);
	if (err == 0)
		err = gx_text_to_html((const char *)text.data, text.len, charset, out);
	gx_push_release(&text);
	return err;
}

/* ---- From one to another ---- */

struct conv {
	int from, to;
	uint32_t cp;
	struct gx_arena *a;
	struct gx_push in, out;
};

/* The input as RTF, or as text in UTF-8. */
static int open_input(struct conv *x, struct gx_bin in)
{
	char *s;
	size_t n;
	if (in.len > GX_BODYCONV_MAX)
		return GX_E_LIMIT;
	if (x->from == GX_BODY_RTF) {
		bool bare = in.len >= 5 && memcmp(in.data, "{\\rtf", 5) == 0; /* as some programs set it */
		if (!bare)
			return gx_rtfcp_decode(in.data, in.len, GX_BODYCONV_MAX, &x->in);
	}
	if (x->from == GX_BODY_HTML) {
		int err = gx_cp_to_utf8(x->a, x->cp, in.data, in.len, &s, &n, NULL);
		if (err != 0)
			return err;
		in = (struct gx_bin){(const uint8_t *)s, n};
	}
	if (in.len > 0)
		gx_push_bytes(&x->in, in.data, in.len);
	return x->in.err;
}

static int convert(struct conv *x)
{
	const char *s = (const char *)x->in.data, *charset = gx_cp_to_charset(x->cp);
	size_t n = x->in.len;
	switch (x->from << 4 | x->to) {
	case GX_BODY_PLAIN << 4 | GX_BODY_HTML:
		return gx_text_to_html(s, n, charset, &x->out);
	case GX_BODY_PLAIN << 4 | GX_BODY_RTF:
		return gx_text_to_rtf(s, n, &x->out);
	case GX_BODY_HTML << 4 | GX_BODY_PLAIN:
		gx_html_plain(s, n, &x->out);
		return x->out.err;
	case GX_BODY_HTML << 4 | GX_BODY_RTF:
		return gx_html_to_rtf(s, n, &x->out);
	case GX_BODY_RTF << 4 | GX_BODY_PLAIN:
		return gx_rtf_to_text(s, n, &x->out);
	case GX_BODY_RTF << 4 | GX_BODY_HTML:
		return gx_rtf_to_html(s, n, charset, &x->out);
	default:
		return GX_E_UNSUP;
	}
}

/* As ASCII: what the code page of the message does not have is a reference. */
static void with_references(const struct gx_push *utf8, struct gx_push *out)
{
	const char *s = (const char *)utf8->data, *end = s + utf8->len;
	while (s < end && out->err == 0) {
		const char *run = s;
		while (s < end && (unsigned char)*s < 0x80)
			s++;
		gx_push_bytes(out, run, (size_t)(s - run));
		if (s < end)
			gx_push_printf(out, "&#%u;", (unsigned)gx_utf8_next(&s, end));
	}
}

static int give_html(struct conv *x, struct gx_bin *ret_out)
{
	struct gx_push ascii;
	if (x->cp == GX_CP_UTF8)
		return gx_push_finish(&x->out, x->a, ret_out);
	int err = gx_cp_from_utf8(x->a, x->cp, (const char *)x->out.data, x->out.len, true, ret_out);
	if (err == 0 || err == GX_E_NOMEM)
		return err;
	gx_push_init(&ascii, GX_BODYCONV_MAX);
	with_references(&x->out, &ascii);
	err = ascii.err;
	if (err == 0)
		err = gx_push_finish(&ascii, x->a, ret_out);
	gx_push_release(&ascii);
	return err;
}

static int give(struct conv *x, struct gx_bin *ret_out)
{
	if (x->to == GX_BODY_HTML)
		return give_html(x, ret_out);
	if (x->to == GX_BODY_PLAIN)
		return gx_push_finish(&x->out, x->a, ret_out);
	gx_push_clear(&x->in);
	int err = gx_rtfcp_encode(x->out.data, x->out.len, &x->in);
	return err != 0 ? err : gx_push_finish(&x->in, x->a, ret_out);
}

int gx_bodyconv(int from, int to, struct gx_bin in, uint32_t html_cp, struct gx_arena *a, struct gx_bin *ret_out, void *ctx)
{
	struct conv x = {.from = from, .to = to, .cp = html_cp, .a = a};
	(void)ctx;
	gx_push_init(&x.in, GX_BODYCONV_MAX + 16);
	gx_push_init(&x.out, GX_BODYCONV_MAX);
	int err = open_input(&x, in);
	if (err == 0)
		err = convert(&x);
	if (err == 0)
		err = give(&x, ret_out);
	gx_push_release(&x.in);
	gx_push_release(&x.out);
	return err == 0 || err == GX_E_NOMEM ? err : GX_E_UNSUP;
}
