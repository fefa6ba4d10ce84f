/* SPDX-License-Identifier: Apache-2.0 */
/* Modified UTF-7 of mailbox names, [RFC 3501] 5.1.3. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/parse.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int digit(char c)
{
	const char *p = c == '\0' ? NULL : strchr(digits, c);
	return p == NULL ? -1 : (int)(p - digits);
}

static int put_unit(struct gx_strbuf *b, uint32_t *io_high, uint32_t u)
{
	if (u >= 0xdc00 && u < 0xe000) {
		if (*io_high == 0)
			return GX_E_ENCODING;
		gx_utf8_put(b, 0x10000 + ((*io_high - 0xd800) << 10) + (u - 0xdc00));
		*io_high = 0;
		return 0;
	}
	if (*io_high != 0)
		return GX_E_ENCODING;
	if (u >= 0xd800 && u < 0xdc00)
		*io_high = u;
	else if (u == 0)
		return GX_E_ENCODING;
	else
		gx_utf8_put(b, u);
	return 0;
}

/* What stands between '&' and '-': UTF-16BE in base64 without padding. */
static int shifted(struct gx_strbuf *b, const char *s, size_t len)
{
	uint32_t acc = 0, high = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < len; ++i) {
		int d = digit(s[i]);
		if (d < 0)
			return GX_E_ENCODING;
		acc = acc << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 16) {
			bits -= 16;
			int err = put_unit(b, &high, acc >> bits & 0xffff);
			if (err != 0)
				return err;
			acc &= (1U << bits) - 1;
		}
	}
	return high != 0 || bits >= 6 || acc != 0 ? GX_E_ENCODING : 0;
}

static int decode(struct gx_strbuf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (s[i] != '&') {
			gx_strbuf_addc(b, s[i++]);
			continue;
		}
		const char *end = memchr(s + i, '-', len - i);
		if (end == NULL)
			return GX_E_ENCODING;
		size_t n = (size_t)(end - s) - i - 1;
		int err = 0;
		if (n == 0)
			gx_strbuf_addc(b, '&');
		else
			err = shifted(b, s + i + 1, n);
		if (err != 0)
			return err;
		i += n + 2;
	}
	return b->err;
}

int gx_imap__mutf7_decode(struct gx_arena *a, const char *s, size_t len, char **ret_utf8)
{
	if (!gx_ascii_only(s, len)) { /* clients that send UTF-8 as it is, [RFC 9051] 5.1 */
		if (!gx_utf8_valid(s, len))
			return GX_E_ENCODING;
		*ret_utf8 = gx_arena_strndup(a, s, len);
		return *ret_utf8 == NULL ? GX_E_NOMEM : 0;
	}
	struct gx_strbuf b = GX_STRBUF_INIT;
	int err = decode(&b, s, len);
	if (err == 0) {
		*ret_utf8 = gx_arena_strndup(a, gx_strbuf_cstr(&b), b.len);
		if (*ret_utf8 == NULL)
			err = GX_E_NOMEM;
	}
	gx_strbuf_release(&b);
	return err;
}

struct shift {
	uint32_t acc;
	unsigned bits;
	bool on;
};

static void shift_unit(struct gx_strbuf *b, struct shift *st, uint32_t u)
{
	st->acc = st->acc << 16 | u;
	st->bits += 16;
	while (st->bits >= 6) {
		st->bits -= 6;
		gx_strbuf_addc(b, digits[st->acc >> st->bits & 0x3f]);
	}
	st->acc &= (1U << st->bits) - 1;
}

static void shift_out(struct gx_strbuf *b, struct shift *st)
{
	if (!st->on)
		return;
	if (st->bits > 0)
		gx_strbuf_addc(b, digits[st->acc << (6 - st->bits) & 0x3f]);
	gx_strbuf_addc(b, '-');
	*st = (struct shift){0};
}

static void encode_char(struct gx_strbuf *b, struct shift *st, uint32_t c)
{
	if (c >= 0x20 && c <= 0x7e) {
		shift_out(b, st);
		gx_strbuf_addc(b, (char)c);
		if (c == '&')
			gx_strbuf_addc(b, '-');
		return;
	}
	if (!st->on)
		gx_strbuf_addc(b, '&');
	st->on = true;
	if (c >= 0x10000) {
		shift_unit(b, st, 0xd800 + ((c - 0x10000) >> 10));
		shift_unit(b, st, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		shift_unit(b, st, c);
	}
}

int gx_imap__mutf7_encode(struct gx_arena *a, const char *utf8, char **ret)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct shift st = {0};
	const char *end = utf8 + strlen(utf8);
	while (utf8 < end)
		encode_char(&b, &st, gx_utf8_next(&utf8, end));
	shift_out(&b, &st);
	*ret = b.err == 0 ? gx_arena_strndup(a, gx_strbuf_cstr(&b), b.len) : NULL;
	gx_strbuf_release(&b);
	return *ret == NULL ? GX_E_NOMEM : 0;
}
