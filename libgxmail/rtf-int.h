/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAIL_RTF_INT_H
#define GXMAIL_RTF_INT_H
/* Reading RTF: what the files rtf*.c share. */
#include <gx/bodyconv.h>
#include <gx/charset.h>
#include <gx/cursor.h>

/* How text looks. */
struct gx_rtf_style {
	bool bold, italic, underline, strike, in_table;
	int8_t script;           /* -1 below, 1 above the line */
	uint8_t align;           /* 'l', 'c', 'r', 'j' */
	uint16_t size;           /* in half points, 0 as usual */
	uint16_t color, font;    /* numbers in their tables */
	uint32_t link;           /* number of the target, from 1; 0 none */
};

enum { GX_RTF_PAR, GX_RTF_LINE, GX_RTF_CELL, GX_RTF_ROW };

/* Who takes what is read. The error is in the buffer that it writes to. */
struct gx_rtf_sink {
	void (*text)(void *ctx, const struct gx_rtf_style *st, const char *s, size_t n);
	void (*brk)(void *ctx, const struct gx_rtf_style *st, int kind);
	/* What stands in HTMLTAG groups; with it, what was not in the HTML is left out. May be NULL. */
	void (*html)(void *ctx, const char *s, size_t n);
	void *ctx;
	struct gx_push *out;
};

#define GX_RTF_FONTS 2048U
#define GX_RTF_COLORS 512U
#define GX_RTF_FONT_NAME 40U
struct gx_rtf_font {
	uint16_t cp;             /* 0: the document's */
	bool symbol;
	char name[GX_RTF_FONT_NAME];
};

struct gx_rtf_state {
	struct gx_rtf_style style;
	uint8_t dest;
	uint8_t uc;              /* characters behind \u for readers that do not know it */
	bool hidden, htmlrtf;
};

struct gx_rtf {
	struct gx_pull c;
	const struct gx_rtf_sink *sink;
	struct gx_rtf_state st, *stack;
	size_t depth, cap, over; /* over: groups too deep to have a state of their own */
	struct gx_rtf_font *fonts;
	uint32_t colors[GX_RTF_COLORS];
	unsigned color_count;
	uint32_t rgb;            /* of the colour that is being defined */
	uint16_t defining;       /* font, likewise */
	uint32_t cp;             /* of the document */
	uint16_t deff;
	struct gx_strbuf bytes;  /* text in its code page, not decoded yet */
	struct gx_strbuf text;   /* scratch */
	struct gx_strbuf inst;   /* instruction of a field */
	struct gx_strbuf links;  /* targets, each with its NUL */
	uint32_t link_count;
	uint16_t high;           /* first half of a pair of surrogates */
	unsigned skip;           /* characters to be passed over */
	bool star;               /* \* stands in front */
	int from;                /* GX_BODY_HTML, GX_BODY_PLAIN as the header says, else GX_BODY_RTF */
	int err;
};

/* Destinations. */
enum { GX_RTF_BODY, GX_RTF_SKIP, GX_RTF_FONTTBL, GX_RTF_COLORTBL, GX_RTF_HTMLTAG, GX_RTF_FLDINST };

/* Reads it all. GX_E_FORMAT. The tables stay for the sink until gx_rtf__release(). */
int gx_rtf__read(struct gx_rtf *r, const void *rtf, size_t len, const struct gx_rtf_sink *sink) GX_MUST_CHECK;
void gx_rtf__init(struct gx_rtf *r);
void gx_rtf__release(struct gx_rtf *r);
/* Target @n of a link, "" if there is none. */
const char *gx_rtf__link(const struct gx_rtf *r, uint32_t n);
/* A control word (rtf_words.c). */
void gx_rtf__word(struct gx_rtf *r, const char *name, size_t len, bool has_arg, int32_t arg);
/* What was read so far goes to the sink. */
void gx_rtf__flush(struct gx_rtf *r);
void gx_rtf__char(struct gx_rtf *r, uint32_t c);
void gx_rtf__brk(struct gx_rtf *r, int kind);
/* \uN */
void gx_rtf__unicode(struct gx_rtf *r, int32_t n);
/* 0: unknown, 2: symbols */
uint16_t gx_rtf__charset_cp(int32_t charset);

/* Sinks: the text as one sees it, new HTML, and the HTML that was packed into it. */
int gx_rtf__text(const void *rtf, size_t len, struct gx_push *out) GX_MUST_CHECK;
int gx_rtf__html(const void *rtf, size_t len, const char *charset, struct gx_push *out) GX_MUST_CHECK;
int gx_rtf__unpack(const void *rtf, size_t len, struct gx_push *out) GX_MUST_CHECK;
/* Text that may stand in HTML. */
void gx_html__escape(struct gx_push *out, const char *s, size_t n);

#endif
