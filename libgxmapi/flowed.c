/* SPDX-License-Identifier: Apache-2.0 */
/* format=flowed, [RFC 3676]: lines that end in a space go on in the next line of the same quote depth. */
#include <config.h>
#include <string.h>
#include "charset-int.h"

struct line {
	char *text;       /* behind quote marks and stuffing */
	size_t len, depth;
	const char *quote; /* the marks */
	bool flowed, signature; /* 4.3: "-- " */
	const char *eol;
	size_t eol_len;
};

static char *cut(char *p, char *end, struct line *ret_l)
{
	struct line l = {.quote = p};
	char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl == NULL ? end : nl;
	if (nl != NULL && stop > p && stop[-1] == '\r')
		--stop;
	while (p < stop && *p == '>')
		++p;
	l.depth = (size_t)(p - l.quote);
	if (p < stop && *p == ' ')
		++p;
	l.text = p;
	l.len = (size_t)(stop - p);
	l.signature = l.len == 3 && memcmp(p, "-- ", 3) == 0;
	l.flowed = l.len > 0 && p[l.len - 1] == ' ' && !l.signature;
	l.eol = stop;
	l.eol_len = (size_t)((nl == NULL ? end : nl + 1) - stop);
	*ret_l = l;
	return nl == NULL ? end : nl + 1;
}

static char *put(char *out, const char *from, size_t n)
{
	memmove(out, from, n);
	return out + n;
}

/* Nothing grows: quote marks are written once a paragraph, and a space behind them stood there or not at all. */
void gx_cp__unflow(struct gx_strbuf *b, bool delsp)
{
	if (b->err != 0 || b->len == 0)
		return;
	char *p = b->s, *end = b->s + b->len, *out = b->s;
	bool open = false; /* a paragraph goes on */
	size_t depth = 0;
	while (p < end) {
		struct line l;
		p = cut(p, end, &l);
		if (open && (l.depth != depth || l.signature)) { /* 4.5: ends without a fixed line */
			*out++ = '\n';
			open = false;
		}
		if (!open) {
			out = put(out, l.quote, l.depth);
			if (l.depth > 0 && l.text > l.quote + l.depth)
				*out++ = ' ';
		}
		out = put(out, l.text, l.len - (l.flowed && delsp));
		depth = l.depth;
		open = l.flowed && p < end;
		if (!open)
			out = put(out, l.eol, l.eol_len);
	}
	gx_strbuf_truncate(b, (size_t)(out - b->s));
}
