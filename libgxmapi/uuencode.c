/* SPDX-License-Identifier: Apache-2.0 */
/* uuencode as in POSIX uuencode(1): "begin MODE NAME", lines with a length character, "end". */
#include <config.h>
#include <string.h>
#include "libgxmapi/codec-int.h"

/* d->acc: what the current line is. */
enum { BEFORE_BEGIN, IN_DATA };

static uint8_t value(uint8_t c)
{
	return (uint8_t)((c - 0x20) & 0x3f);
}

static bool is_data_char(uint8_t c)
{
	return c >= 0x20 && c <= 0x60;
}

static bool is_begin(const uint8_t *line, size_t len)
{
	return len > 9 && memcmp(line, "begin ", 6) == 0 && line[6] >= '0' && line[6] <= '7';
}

/* Data characters at the front of a line, at most want. */
static size_t count_data(const uint8_t *p, size_t len, size_t want)
{
	size_t n = 0;
	while (n < len && n < want && is_data_char(p[n]))
		++n;
	return n;
}

/*
 * One line of data. Blanks at its end may have been lost on the way: they stand for zeros and come
 * back, as long as at least half of the line is there, which bounds what a short line can give.
 */
static size_t decode_line(struct gx_decoder *d, const uint8_t *line, size_t len, uint8_t *out)
{
	if (!is_data_char(line[0])) {
		d->bad = true;
		return 0;
	}
	size_t bytes = value(line[0]), need = (bytes * 4 + 2) / 3;
	size_t have = count_data(line + 1, len - 1, need), chars = need;
	if (have < need) {
		d->bad = true;
		chars = have * 2 >= need ? need : have;
	}
	uint8_t quad[4];
	size_t n = 0;
	for (size_t i = 0; i < chars && n < bytes; i += 4) {
		for (size_t k = 0; k < 4; ++k)
			quad[k] = i + k < have ? value(line[1 + i + k]) : 0;
		uint8_t three[3] = {(uint8_t)(quad[0] << 2 | quad[1] >> 4), (uint8_t)(quad[1] << 4 | quad[2] >> 2),
			(uint8_t)(quad[2] << 6 | quad[3])};
		for (size_t k = 0; k < 3 && n < bytes && i + k + 1 < chars; ++k)
			out[n++] = three[k];
	}
	return n;
}

static size_t take_line(struct gx_decoder *d, const uint8_t *line, size_t len, uint8_t *out)
{
	if (len > 0 && line[len - 1] == '\r')
		--len;
	if (d->acc == BEFORE_BEGIN) {
		if (is_begin(line, len))
			d->acc = IN_DATA;
		return 0;
	}
	if (len >= 3 && memcmp(line, "end", 3) == 0 && (len == 3 || line[3] == ' ')) {
		d->done = true;
		return 0;
	}
	return len == 0 ? 0 : decode_line(d, line, len, out);
}

/* What a line has beyond sizeof(d->hold) is not looked at; data lines are at most 85 long. */
static void hold_part(struct gx_decoder *d, const uint8_t *p, size_t len)
{
	size_t room = sizeof(d->hold) - d->n;
	size_t n = len < room ? len : room;
	memcpy(d->hold + d->n, p, n);
	d->n = (uint8_t)(d->n + n);
}

size_t gx_uu__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out)
{
	size_t o = 0;
	const uint8_t *p = in, *end = in + len;
	while (p < end && !d->done) {
		const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol != NULL ? eol : end) - p);
		hold_part(d, p, n);
		if (eol == NULL)
			break;
		p = eol + 1;
		o += take_line(d, d->hold, d->n, out + o);
		d->n = 0;
	}
	if (last && !d->done) {
		if (d->n != 0)
			o += take_line(d, d->hold, d->n, out + o);
		d->n = 0;
		d->bad |= !d->done;
	}
	return o;
}
