/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between code pages and UTF-8. What mail is mostly written in is done here; the rest by iconv,
 * opened for each call, since a descriptor cannot be shared by threads.
 */
#include <config.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/charset-int.h"

enum {
	CP_UTF16BE = 1201,
	CP_LATIN1 = 28591,
	CP_JIS = 50220,
	CP_JIS_KANA = 50221,
	CP_JIS_SHIFT = 50222,
	CP_HZ = 52936
};

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define LOW_ONES UINT64_C(0x0101010101010101)

static void from_utf8_text(struct gx_utf8__out *o, const uint8_t *p, size_t len)
{
	while (len != 0) {
		size_t n = gx_utf8__valid_front(p, len);
		gx_utf8__out_bytes(o, p, n);
		p += n;
		len -= n;
		if (len == 0)
			return;
		const char *s = (const char *)p;
		gx_utf8_next(&s, s + len);
		gx_utf8__out_bad(o);
		n = (size_t)((const uint8_t *)s - p);
		p += n;
		len -= n;
	}
}

/* Eight bytes of ASCII without NUL? */
static bool plain_word(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return ((w | (w - LOW_ONES)) & HIGH_BITS) == 0;
}

static void from_table(struct gx_utf8__out *o, const uint16_t *table, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	bool ascii = table['A'] == 'A' && table['~'] == '~'; /* not EBCDIC */
	while (p < end) {
		if (ascii && end - p >= 8 && plain_word(p)) {
			if (o->n > sizeof(o->buf) - 8)
				gx_utf8__out_flush(o);
			memcpy(o->buf + o->n, p, 8);
			o->n += 8;
			p += 8;
			continue;
		}
		uint16_t c = table[*p++];
		if (c == 0xfffd)
			c = 0;
		gx_utf8__out_put(o, c);
	}
}

static bool is_surrogate(uint32_t c, uint32_t base)
{
	return (c & 0xfc00) == base;
}

static void from_utf16(struct gx_utf8__out *o, const uint8_t *p, size_t len, bool big)
{
	size_t lo = big ? 1 : 0, hi = big ? 0 : 1, i = 0;
	for (; len - i >= 2; i += 2) {
		uint32_t c = (uint32_t)p[i + lo] | (uint32_t)p[i + hi] << 8;
		if (is_surrogate(c, 0xd800) && len - i >= 4) {
			uint32_t d = (uint32_t)p[i + 2 + lo] | (uint32_t)p[i + 2 + hi] << 8;
			if (is_surrogate(d, 0xdc00)) {
				gx_utf8__out_put(o, 0x10000 + ((c & 0x3ff) << 10) + (d & 0x3ff));
				i += 2;
				continue;
			}
		}
		gx_utf8__out_put(o, c >= 0xd800 && c < 0xe000 ? 0 : c);
	}
	if (i < len)
		gx_utf8__out_bad(o);
}

/* A byte order mark, where there is one, knows better than the label. [RFC 2781] 4.3 */
static void from_marked_utf16(struct gx_utf8__out *o, const uint8_t *p, size_t len, bool big)
{
	if (len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
		big = p[0] == 0xfe;
		p += 2;
		len -= 2;
	}
	from_utf16(o, p, len, big);
}

/* What cannot be decoded is skipped by the smallest unit of the encoding, then iconv goes on. */
void gx_cp__from_iconv(struct gx_utf8__out *o, const struct gx_cp__page *page, const uint8_t *p, size_t len)
{
	iconv_t cd = iconv_open("UTF-8", page->iconv);
	if (cd == (iconv_t)-1) {
		from_table(o, gx_cp__find(GX_CP_8BIT)->table, p, len);
		return;
	}
	size_t unit = strncmp(page->iconv, "UTF-32", 6) == 0 ? 4 : 1;
	char *in = (char *)(uintptr_t)p, chunk[4096];
	while (len != 0) {
		char *out = chunk;
		size_t room = sizeof(chunk);
		size_t r = iconv(cd, &in, &len, &out, &room);
		int err = errno;
		gx_utf8__out_bytes(o, (const uint8_t *)chunk, sizeof(chunk) - room);
		if (r != (size_t)-1 || (err == E2BIG && room != sizeof(chunk)))
			continue;
		gx_utf8__out_bad(o);
		if (err == EINVAL)
			break;
		size_t skip = len < unit ? len : unit;
		in += skip;
		len -= skip;
	}
	iconv_close(cd);
}

/* What a text without a usable label is: [RFC 6532] mail if it looks like it, else Western European. */
static uint32_t unlabelled(const uint8_t *p, size_t len)
{
	return gx_utf8__valid_front(p, len) == len ? GX_CP_UTF8 : GX_CP_8BIT;
}

/* ISO-8859-1 text holds windows-1252 characters far more often than C1 controls. */
static const uint16_t *table_of(const struct gx_cp__page *page)
{
	return page->cp == CP_LATIN1 ? gx_cp__find(GX_CP_8BIT)->table : page->table;
}

static void convert(struct gx_utf8__out *o, uint32_t cp, const uint8_t *p, size_t len)
{
	const struct gx_cp__page *page = gx_cp__find(cp);
	if (page == NULL || (page->iconv == NULL && page->table == NULL) || cp == GX_CP_ASCII)
		page = gx_cp__find(unlabelled(p, len));
	switch (page->cp) {
	case GX_CP_UTF8:
		from_utf8_text(o, p, len);
		break;
	case GX_CP_UTF16:
	case CP_UTF16BE:
		from_marked_utf16(o, p, len, page->cp == CP_UTF16BE);
		break;
	case CP_JIS:
	case CP_JIS_KANA:
	case CP_JIS_SHIFT:
		gx_cp__from_jis(o, p, len);
		break;
	case CP_HZ:
		gx_cp__from_hz(o, p, len);
		break;
	default:
		if (page->table != NULL)
			from_table(o, table_of(page), p, len);
		else
			gx_cp__from_iconv(o, page, p, len);
	}
}

size_t gx_cp__append(struct gx_strbuf *b, uint32_t cp, const void *data, size_t len)
{
	struct gx_utf8__out o;
	gx_utf8__out_init(&o, b);
	if (len != 0)
		convert(&o, cp, data, len);
	gx_utf8__out_flush(&o);
	return o.bad;
}

void gx_cp_append_utf8(struct gx_strbuf *b, uint32_t cp, const void *data, size_t len)
{
	gx_cp__append(b, cp, data, len);
}

static int into_arena(struct gx_arena *a, struct gx_strbuf *b, char **ret_s, size_t *ret_len)
{
	char *s = b->err != 0 ? NULL : gx_arena_memdup(a, gx_strbuf_cstr(b), b->len + 1);
	if (s != NULL)
		*ret_s = s;
	if (s != NULL && ret_len != NULL)
		*ret_len = b->len;
	gx_strbuf_release(b);
	return s != NULL ? 0 : GX_E_NOMEM;
}

int gx_cp_to_utf8(struct gx_arena *a, uint32_t cp, const void *data, size_t len, char **ret_s, size_t *ret_len,
	size_t *ret_bad)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	size_t bad = gx_cp__append(&b, cp & ~(uint32_t)(GX_CP_FLOWED | GX_CP_DELSP), data, len);
	if (ret_bad != NULL)
		*ret_bad = bad;
	if (cp & GX_CP_FLOWED)
		gx_cp__unflow(&b, (cp & GX_CP_DELSP) != 0);
	return into_arena(a, &b, ret_s, ret_len);
}

int gx_utf16le_to_utf8(struct gx_arena *a, const void *data, size_t len, char **ret_s)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_utf8__out o;
	gx_utf8__out_init(&o, &b);
	from_utf16(&o, data, len, false);
	gx_utf8__out_flush(&o);
	return into_arena(a, &b, ret_s, NULL);
}

/* To a code page. */

static int table_byte(const uint16_t *table, uint32_t c)
{
	if (c < 256 && table[c] == c)
		return (int)c;
	for (int i = 0; i < 256; ++i)
		if (table[i] == c && c != 0xfffd)
			return i;
	return -1;
}

static int to_table(struct gx_strbuf *b, const uint16_t *table, const char *s, size_t len, bool strict)
{
	int unknown = table_byte(table, '?');
	for (const char *end = s + len; s < end;) {
		int byte = table_byte(table, gx_utf8_next(&s, end));
		if (byte < 0 && strict)
			return GX_E_ENCODING;
		gx_strbuf_addc(b, (char)(byte < 0 ? unknown : byte));
	}
	return 0;
}

static int to_ascii(struct gx_strbuf *b, const char *s, size_t len, bool strict)
{
	for (const char *end = s + len; s < end;) {
		uint32_t c = gx_utf8_next(&s, end);
		if (c >= 0x80 && strict)
			return GX_E_ENCODING;
		gx_strbuf_addc(b, c >= 0x80 ? '?' : (char)c);
	}
	return 0;
}

static void run_iconv(iconv_t cd, struct gx_strbuf *b, char **io_in, size_t *io_len, bool *ret_refused)
{
	char chunk[1024];
	do {
		char *out = chunk;
		size_t room = sizeof(chunk);
		size_t r = iconv(cd, io_in, io_len, &out, &room);
		int err = errno;
		gx_strbuf_add(b, chunk, sizeof(chunk) - room);
		*ret_refused = r == (size_t)-1 && (err != E2BIG || room == sizeof(chunk));
		if (r != (size_t)-1)
			return;
	} while (!*ret_refused);
}

static int to_iconv(struct gx_strbuf *b, const char *charset, const char *s, size_t len, bool strict)
{
	iconv_t cd = iconv_open(charset, "UTF-8");
	if (cd == (iconv_t)-1)
		return GX_E_UNSUP;
	int ret = 0;
	char *in = (char *)(uintptr_t)s;
	bool refused = false;
	while (len != 0 && ret == 0) {
		run_iconv(cd, b, &in, &len, &refused);
		if (!refused)
			continue;
		if (strict)
			ret = GX_E_ENCODING;
		const char *next = in;
		gx_utf8_next(&next, in + len);
		len -= (size_t)(next - in);
		in += next - in;
		char mark[] = "?", *m = mark;
		size_t one = 1;
		run_iconv(cd, b, &m, &one, &refused);
	}
	run_iconv(cd, b, NULL, NULL, &refused); /* back to the initial shift state */
	iconv_close(cd);
	return ret;
}

static int to_utf8(struct gx_strbuf *b, const char *s, size_t len, bool strict)
{
	if (strict && !gx_utf8_valid(s, len))
		return GX_E_ENCODING;
	while (len != 0) {
		size_t n = gx_utf8__valid_front((const uint8_t *)s, len);
		gx_strbuf_add(b, s, n);
		s += n;
		len -= n;
		if (len != 0) {
			const char *next = s;
			gx_utf8_put(b, gx_utf8_next(&next, s + len));
			len -= (size_t)(next - s);
			s = next;
		}
	}
	return 0;
}

static int encode(struct gx_strbuf *b, uint32_t cp, const char *s, size_t len, bool strict)
{
	const struct gx_cp__page *page = gx_cp__find(cp == 0 ? GX_CP_UTF8 : cp);
	if (page == NULL || (page->table == NULL && page->iconv == NULL))
		return GX_E_UNSUP;
	if (page->cp == GX_CP_UTF8)
		return to_utf8(b, s, len, strict);
	if (page->cp == GX_CP_ASCII)
		return to_ascii(b, s, len, strict);
	if (page->table != NULL)
		return to_table(b, page->table, s, len, strict);
	return to_iconv(b, page->iconv, s, len, strict);
}

int gx_cp_from_utf8(struct gx_arena *a, uint32_t cp, const char *s, size_t len, bool strict, struct gx_bin *ret_bin)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	int err = encode(&b, cp, s, len, strict);
	if (err == 0 && b.err != 0)
		err = GX_E_NOMEM;
	void *p = err != 0 ? NULL : gx_arena_memdup(a, gx_strbuf_cstr(&b), b.len);
	if (err == 0 && p == NULL)
		err = GX_E_NOMEM;
	if (err == 0)
		*ret_bin = (struct gx_bin){p, b.len};
	gx_strbuf_release(&b);
	return err;
}
