/* SPDX-License-Identifier: Apache-2.0 */
/* XML, element by element. */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { INDENT = 2 };

static void line(struct disco_xml *x)
{
	if (x->pretty && x->b.len > 0)
		gx_strbuf_printf(&x->b, "\n%*s", (int)(x->depth * INDENT), "");
}

static void text(struct disco_xml *x, const char *s)
{
	const char *end = s + strlen(s);
	while (s < end) {
		uint32_t c = gx_utf8_next(&s, end);
		if (c == '&')
			gx_strbuf_adds(&x->b, "&amp;");
		else if (c == '<')
			gx_strbuf_adds(&x->b, "&lt;");
		else if (c == '>')
			gx_strbuf_adds(&x->b, "&gt;");
		else
			gx_utf8_put(&x->b, (c < ' ' && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff ? ' ' : c); /* XML 1.0 has no others */
	}
}

void gx_disco__xml_begin(struct disco_xml *x, bool pretty)
{
	*x = (struct disco_xml){.pretty = pretty};
	gx_strbuf_adds(&x->b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
	if (!pretty)
		gx_strbuf_addc(&x->b, '\n');
}

void gx_disco__open(struct disco_xml *x, const char *tag, const char *attributes)
{
	line(x);
	gx_strbuf_printf(&x->b, "<%s%s%s>", tag, attributes == NULL ? "" : " ", attributes == NULL ? "" : attributes);
	++x->depth;
}

void gx_disco__close(struct disco_xml *x, const char *tag)
{
	--x->depth;
	line(x);
	gx_strbuf_printf(&x->b, "</%s>", tag);
	if (x->depth == 0)
		gx_strbuf_addc(&x->b, '\n');
}

void gx_disco__put(struct disco_xml *x, const char *tag, const char *attributes, const char *s)
{
	if (s == NULL)
		return;
	line(x);
	gx_strbuf_printf(&x->b, "<%s%s%s>", tag, attributes == NULL ? "" : " ", attributes == NULL ? "" : attributes);
	text(x, s);
	gx_strbuf_printf(&x->b, "</%s>", tag);
}

void gx_disco__leaf(struct disco_xml *x, const char *tag, const char *s)
{
	gx_disco__put(x, tag, NULL, s);
}

void gx_disco__leaff(struct disco_xml *x, const char *tag, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		x->b.err = GX_E_NOMEM;
	else
		gx_disco__leaf(x, tag, s);
	if (n >= 0)
		free(s);
}
