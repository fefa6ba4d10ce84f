/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two 7-bit encodings of East Asian mail that switch character sets by escapes. They are
 * rewritten into the 8-bit code page with the same characters, which iconv knows in full: its own
 * ISO-2022-JP lacks the vendor characters that real mail contains, and HZ it has not at all.
 */
#include <config.h>
#include <string.h>
#include "libgxmapi/charset-int.h"

enum { CP_SHIFT_JIS = 932, CP_GBK = 936 };

struct rewriter {
	struct gx_utf8__out *o;
	const struct gx_cp__page *page;
	size_t n;
	uint8_t buf[1024];
};

static void flush(struct rewriter *r)
{
	if (r->n != 0)
		gx_cp__from_iconv(r->o, r->page, r->buf, r->n);
	r->n = 0;
}

static void put(struct rewriter *r, uint8_t c)
{
	if (r->n == sizeof(r->buf))
		flush(r);
	r->buf[r->n++] = c;
}

/* Both bytes into the same piece: iconv must not see half a character. */
static void put_pair(struct rewriter *r, uint8_t a, uint8_t b)
{
	if (r->n > sizeof(r->buf) - 2)
		flush(r);
	put(r, a);
	put(r, b);
}

/* A byte that is no character in either code page. */
static void put_bad(struct rewriter *r)
{
	put(r, 0xff);
}

static bool in_94(uint8_t c)
{
	return c > 0x20 && c < 0x7f;
}

enum jis_set { ROMAN, KATAKANA, KANJI, KANJI_2 };

static const struct {
	const char *escape;
	enum jis_set set;
} jis_escapes[] = {
	{"\x1b(B", ROMAN}, {"\x1b(J", ROMAN}, {"\x1b(H", ROMAN}, {"\x1b(I", KATAKANA}, {"\x1b$B", KANJI}, {"\x1b$@", KANJI},
	{"\x1b$(B", KANJI}, {"\x1b$(@", KANJI}, {"\x1b$(D", KANJI_2},
};

/* Length of the escape at p, 0 when it is none that is known. */
static size_t read_escape(const uint8_t *p, size_t len, enum jis_set *ret_set)
{
	for (size_t i = 0; i < sizeof(jis_escapes) / sizeof(jis_escapes[0]); ++i) {
		size_t n = strlen(jis_escapes[i].escape);
		if (n <= len && memcmp(p, jis_escapes[i].escape, n) == 0) {
			*ret_set = jis_escapes[i].set;
			return n;
		}
	}
	return 0;
}

/* JIS X 0208 row and cell to Shift_JIS: two rows share a lead byte, the odd one has its lower half. */
static void put_kanji(struct rewriter *r, uint8_t row, uint8_t cell)
{
	uint8_t lead = (uint8_t)((row - 0x21) / 2 + 0x81);
	if (lead > 0x9f)
		lead = (uint8_t)(lead + 0x40);
	unsigned trail = row % 2 == 0 ? cell + 0x7eU : cell < 0x60 ? cell + 0x1fU : cell + 0x20U;
	put_pair(r, lead, (uint8_t)trail);
}

/* One character of the current set; returns the bytes it took. */
static size_t rewrite_jis(struct rewriter *r, enum jis_set set, const uint8_t *p, size_t len)
{
	if (p[0] >= 0x80) {
		put_bad(r);
		return 1;
	}
	if (set == ROMAN || !in_94(p[0])) {
		put(r, p[0]);
		return 1;
	}
	if (set == KATAKANA) {
		if (p[0] < 0x60)
			put(r, p[0] | 0x80);
		else
			put_bad(r);
		return 1;
	}
	if (len < 2 || !in_94(p[1])) {
		put_bad(r);
		return 1;
	}
	if (set == KANJI)
		put_kanji(r, p[0], p[1]);
	else
		put_bad(r); /* JIS X 0212 is not in the code page */
	return 2;
}

void gx_cp__from_jis(struct gx_utf8__out *o, const uint8_t *p, size_t len)
{
	struct rewriter r;
	r.o = o;
	r.page = gx_cp__find(CP_SHIFT_JIS);
	r.n = 0;
	enum jis_set set = ROMAN;
	for (size_t i = 0; i < len;) {
		uint8_t c = p[i];
		size_t escape = c == 0x1b ? read_escape(p + i, len - i, &set) : 0;
		if (escape != 0) {
			i += escape;
		} else if (c == 0x1b) {
			put_bad(&r);
			++i;
		} else if (c == 0x0e || c == 0x0f) { /* SO and SI, code page 50222 */
			set = c == 0x0e ? KATAKANA : ROMAN;
			++i;
		} else {
			if (c == '\n')
				set = ROMAN; /* [RFC 1468]: each line begins in ASCII */
			i += rewrite_jis(&r, set, p + i, len - i);
		}
	}
	flush(&r);
}

/* One character; returns the bytes it took. */
static size_t rewrite_hz(struct rewriter *r, bool *io_gb, const uint8_t *p, size_t len)
{
	uint8_t c = p[0], next = len > 1 ? p[1] : 0;
	if (c == '\n')
		*io_gb = false;
	if (c == '~' && (next == '{' || next == '}')) {
		*io_gb = next == '{';
		return 2;
	}
	if (c == '~' && !*io_gb) {
		if (next == '~')
			put(r, '~');
		else if (next != '\n') /* "~" at the end of a line joins it with the next */
			put_bad(r);
		return next == '~' || next == '\n' ? 2 : 1;
	}
	if (c >= 0x80 || (*io_gb && in_94(c) && !in_94(next))) {
		put_bad(r);
		return 1;
	}
	if (!*io_gb || !in_94(c)) {
		put(r, c);
		return 1;
	}
	put_pair(r, c | 0x80, next | 0x80);
	return 2;
}

void gx_cp__from_hz(struct gx_utf8__out *o, const uint8_t *p, size_t len)
{
	struct rewriter r;
	r.o = o;
	r.page = gx_cp__find(CP_GBK);
	r.n = 0;
	bool gb = false;
	for (size_t i = 0; i < len;)
		i += rewrite_hz(&r, &gb, p + i, len - i);
	flush(&r);
}
