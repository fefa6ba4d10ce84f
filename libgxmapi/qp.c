/* SPDX-License-Identifier: Apache-2.0 */
/* quoted-printable, [RFC 2045] 6.7. */
#include <config.h>
#include <string.h>
#include "libgxmapi/codec-int.h"

#define MAX_LINE 76

/*
 * Decoding. Most text needs no thought: it is copied line by line. What cannot be judged before
 * more is seen waits in d->hold: an '=' with what follows it, or white space that may end a line.
 * d->acc is KEEP_BLANKS while a run of white space that did not fit there is being copied.
 */
enum { KEEP_BLANKS = 1 };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that waited were literal after all. */
static uint8_t *keep_hold(struct gx_decoder *d, uint8_t *o)
{
	memcpy(o, d->hold, d->n);
	o += d->n;
	d->n = 0;
	return o;
}

static void hold(struct gx_decoder *d, uint8_t c)
{
	d->hold[d->n++] = c;
}

/* After '=': a hex pair, or blanks and a line end. Returns whether c was used up. */
static bool step_escape(struct gx_decoder *d, uint8_t c, uint8_t **io_o)
{
	uint8_t prev = d->hold[d->n - 1];
	if (prev == '=' && hex_value(c) >= 0) {
		hold(d, c);
		return true;
	}
	if (d->n == 2 && hex_value(prev) >= 0 && hex_value(c) >= 0) {
		*(*io_o)++ = (uint8_t)(hex_value(prev) << 4 | hex_value(c));
		d->n = 0;
		return true;
	}
	bool may_end = prev == '=' || is_blank(prev);
	if (c == '\n' && (may_end || prev == '\r')) {
		d->n = 0;
		return true;
	}
	if (may_end && (c == '\r' || is_blank(c)) && d->n < sizeof(d->hold)) {
		hold(d, c);
		return true;
	}
	d->bad = true;
	if (is_blank(c) && is_blank(prev))
		d->acc = KEEP_BLANKS;
	*io_o = keep_hold(d, *io_o);
	return false;
}

/* After white space: more of it, or a line end that makes it vanish. */
static bool step_blanks(struct gx_decoder *d, uint8_t c, uint8_t **io_o)
{
	uint8_t prev = d->hold[d->n - 1];
	if (c == '\n') {
		if (prev == '\r')
			*(*io_o)++ = '\r';
		*(*io_o)++ = '\n';
		d->n = 0;
		return true;
	}
	if (prev != '\r' && (c == '\r' || is_blank(c))) {
		if (d->n < sizeof(d->hold)) {
			hold(d, c);
			return true;
		}
		d->acc = KEEP_BLANKS;
	}
	*io_o = keep_hold(d, *io_o);
	return false;
}

/* One byte when d->hold is in use, or when it must be. Returns whether c was used up. */
static bool step(struct gx_decoder *d, uint8_t c, uint8_t **io_o)
{
	if (d->n != 0)
		return d->hold[0] == '=' ? step_escape(d, c, io_o) : step_blanks(d, c, io_o);
	if (d->acc == KEEP_BLANKS && is_blank(c)) {
		*(*io_o)++ = c;
		return true;
	}
	d->acc = 0;
	if (c == '=' || c == '\r' || is_blank(c))
		hold(d, c);
	else
		*(*io_o)++ = c;
	return true;
}

/* At the end of input, '=' ends the last line softly, and white space stood before its end. */
static uint8_t *finish(struct gx_decoder *d, uint8_t *o)
{
	if (d->n == 0)
		return o;
	uint8_t end = d->hold[d->n - 1];
	if (d->hold[0] == '=' ? end == '=' || end == '\r' || is_blank(end) : is_blank(end)) {
		d->n = 0;
		return o;
	}
	d->bad |= d->hold[0] == '=';
	return keep_hold(d, o);
}

/* Where the white space (and CR) at the end of [p, end) begins. */
static const uint8_t *before_blanks(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q = end;
	if (q > p && q[-1] == '\r')
		--q;
	while (q > p && is_blank(q[-1]))
		--q;
	return q;
}

/* Text up to its line end, or up to what must wait for more input. Returns what was read. */
static const uint8_t *copy_text(struct gx_decoder *d, const uint8_t *p, const uint8_t *end, bool has_eol,
	uint8_t **io_o)
{
	const uint8_t *stop = before_blanks(p, end);
	memcpy(*io_o, p, (size_t)(stop - p));
	*io_o += stop - p;
	if (!has_eol)
		return stop;
	bool cr = end > stop && end[-1] == '\r';
	if ((size_t)(end - stop) > sizeof(d->hold))
		return stop; /* more white space than is removed: left to step() */
	if (cr)
		*(*io_o)++ = '\r';
	*(*io_o)++ = '\n';
	return end + 1;
}

/* Reads [p, line_end] without a byte waiting; may stop early with something for step(). */
static const uint8_t *run_line(struct gx_decoder *d, const uint8_t *p, const uint8_t *line_end, bool has_eol,
	uint8_t **io_o)
{
	while (p < line_end) {
		const uint8_t *eq = memchr(p, '=', (size_t)(line_end - p));
		if (eq == NULL)
			return copy_text(d, p, line_end, has_eol, io_o);
		memcpy(*io_o, p, (size_t)(eq - p));
		*io_o += eq - p;
		p = eq;
		while (line_end - p > 2 && *p == '=') {
			int hi = hex_value(p[1]), lo = hex_value(p[2]);
			if (hi < 0 || lo < 0)
				return p;
			*(*io_o)++ = (uint8_t)(hi << 4 | lo);
			p += 3;
		}
		if (p < line_end && *p == '=')
			return p;
	}
	if (!has_eol)
		return p;
	*(*io_o)++ = '\n';
	return p + 1;
}

size_t gx_qp__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out)
{
	const uint8_t *p = in, *end = in + len, *eol = NULL;
	uint8_t *o = out;
	while (p < end) {
		if (d->n == 0 && d->acc != KEEP_BLANKS) {
			if (eol == NULL || (eol < end && p > eol)) {
				eol = memchr(p, '\n', (size_t)(end - p));
				eol = eol != NULL ? eol : end;
			}
			p = run_line(d, p, eol, eol < end, &o);
			if (p == end)
				break;
			if (p > eol)
				continue;
		}
		if (step(d, *p, &o))
			++p;
	}
	if (last)
		o = finish(d, o);
	return (size_t)(o - out);
}

/* Encoding. */

struct qp_line {
	struct gx_push *out;
	size_t col;
	uint8_t text[MAX_LINE];
};

static void end_line(struct qp_line *l, const char *end)
{
	gx_push_bytes(l->out, l->text, l->col);
	gx_push_bytes(l->out, end, strlen(end));
	l->col = 0;
}

static void put_piece(struct qp_line *l, const void *piece, size_t n)
{
	if (l->col + n > MAX_LINE - 1)
		end_line(l, "=\r\n");
	memcpy(l->text + l->col, piece, n);
	l->col += n;
}

static void put_escaped(struct qp_line *l, uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";
	char piece[3] = {'=', digits[c >> 4], digits[c & 15]};
	put_piece(l, piece, 3);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '=';
}

/* Does a line end (or the whole text) begin at in[i]? Returns its length, 1 at the end. */
static size_t line_end_at(const uint8_t *in, size_t len, size_t i, bool text)
{
	if (i == len)
		return 1;
	if (!text)
		return 0;
	if (in[i] == '\n')
		return 1;
	return in[i] == '\r' && i + 1 < len && in[i + 1] == '\n' ? 2 : 0;
}

/*
 * Must the character at the start of a line be escaped, although it is plain? A lone dot ends SMTP
 * DATA for broken relays, and "From " gets a '>' on its way through mbox files.
 */
static bool risky_start(const uint8_t *in, size_t len, size_t i)
{
	return in[i] == '.' || (len - i >= 5 && memcmp(in + i, "From ", 5) == 0);
}

/* One character that is not just copied. */
static void put_special(struct qp_line *l, const uint8_t *in, size_t len, size_t i, bool text)
{
	uint8_t c = in[i];
	bool blank_last = is_blank(c) && line_end_at(in, len, i + 1, text) != 0;
	/* Where put_piece() breaks the line, c would come first. */
	bool first = l->col == 0 || l->col + 1 > MAX_LINE - 1;
	if ((is_plain(c) || c == '\t') && !blank_last && !(first && risky_start(in, len, i)))
		put_piece(l, &c, 1);
	else
		put_escaped(l, c);
}

void gx_qp_enc(struct gx_push *out, const uint8_t *in, size_t len, bool text)
{
	struct qp_line l = {.out = out};
	for (size_t i = 0; i < len;) {
		while (l.col != 0 && l.col < MAX_LINE - 1 && i < len && in[i] > ' ' && is_plain(in[i]))
			l.text[l.col++] = in[i++];
		if (i == len)
			break;
		size_t eol = line_end_at(in, len, i, text);
		if (eol != 0) {
			end_line(&l, "\r\n");
			i += eol;
		} else {
			put_special(&l, in, len, i++, text);
		}
	}
	gx_push_bytes(out, l.text, l.col);
}
