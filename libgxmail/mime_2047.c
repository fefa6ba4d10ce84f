/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded words in header text, read forgivingly and written strictly; [RFC 2047]. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmail/mime-int.h"

#define CHARSET_MAX 64
#define WORD_MAX 75       /* [RFC 2047] 2 */
#define LINE_MAX_TEXT 76
#define ATOM_MAX 900      /* a word longer than this is encoded, so that lines stay below 998 */

/* One encoded word in the text. */
struct word {
	const char *charset, *text, *end; /* end: behind "?=" */
	size_t charset_len, text_len;
	bool base64;
};

struct decode {
	struct gx_arena *arena;
	struct gx_strbuf out, raw; /* raw: bytes of words in a row with one charset */
	uint32_t raw_cp, cp;
	bool in_words;
	const char *charset;       /* of the last word */
	size_t charset_len;
	bool no_more;              /* there is no "?=" any more: spares searching again */
};

static const char *find_pair(const char *s, char first, char second)
{
	while ((s = strchr(s, first)) != NULL && s[1] != second)
		++s;
	return s;
}

/* "=?charset[*language]?B|Q?text?=" at @p s? */
static bool word_at(struct decode *d, const char *s, struct word *w)
{
	if (d->no_more || s[0] != '=' || s[1] != '?')
		return false;
	w->charset = s + 2;
	size_t n = 0;
	while (n < CHARSET_MAX && (unsigned char)w->charset[n] > ' ' && w->charset[n] != '?')
		++n;
	const char *q = w->charset + n;
	if (n == 0 || q[0] != '?' || q[1] == '\0' || strchr("BbQq", q[1]) == NULL || q[2] != '?')
		return false;
	const char *star = memchr(w->charset, '*', n); /* [RFC 2231] 5 */
	w->charset_len = star == NULL ? n : (size_t)(star - w->charset);
	w->base64 = (q[1] | 0x20) == 'b';
	w->text = q + 3;
	const char *end = find_pair(w->text, '?', '=');
	d->no_more = end == NULL;
	if (end == NULL)
		return false;
	w->text_len = (size_t)(end - w->text);
	w->end = end + 2;
	return true;
}

static uint32_t word_cp(struct decode *d, const struct word *w)
{
	char name[CHARSET_MAX + 1];
	if (d->charset != NULL && d->charset_len == w->charset_len &&
			memcmp(d->charset, w->charset, w->charset_len) == 0)
		return d->raw_cp;
	d->charset = w->charset;
	d->charset_len = w->charset_len;
	memcpy(name, w->charset, w->charset_len);
	name[w->charset_len] = '\0';
	return gx_cp_from_charset(name);
}

static void decode_q(struct gx_strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		if (s[i] == '=' && n - i > 2 && gx_mime__hex(s[i + 1]) >= 0 && gx_mime__hex(s[i + 2]) >= 0) {
			gx_strbuf_addc(b, (char)(gx_mime__hex(s[i + 1]) << 4 | gx_mime__hex(s[i + 2])));
			i += 2;
		} else {
			gx_strbuf_addc(b, s[i] == '_' ? ' ' : s[i]);
		}
	}
}

static void flush_words(struct decode *d)
{
	size_t from = d->out.len;
	if (d->raw.len != 0)
		gx_cp_append_utf8(&d->out, d->raw_cp, d->raw.s, d->raw.len);
	gx_strbuf_truncate(&d->raw, 0);
	for (; from < d->out.len; ++from) /* no line of a header may begin in here */
		if (d->out.s[from] == '\r' || d->out.s[from] == '\n')
			d->out.s[from] = ' ';
}

static int add_word(struct decode *d, const struct word *w)
{
	uint32_t cp = word_cp(d, w);
	if (cp != d->raw_cp)
		flush_words(d);
	d->raw_cp = cp;
	d->in_words = true;
	if (!w->base64) {
		decode_q(&d->raw, w->text, w->text_len);
		return 0;
	}
	struct gx_bin bin;
	int r = gx_decode(d->arena, GX_CTE_BASE64, w->text, w->text_len, &bin);
	if (r == 0)
		gx_strbuf_add(&d->raw, bin.data, bin.len);
	return r;
}

/* ASCII, also in the code page: those of ISO 2022 shift by escape sequences. */
static bool is_plain(const char *s, size_t n, uint32_t cp)
{
	return gx_ascii_only(s, n) && (cp == 0 || memchr(s, '\x1b', n) == NULL);
}

static void add_plain(struct decode *d, const char *s, size_t n)
{
	if (n == 0)
		return;
	flush_words(d);
	d->in_words = false;
	if (is_plain(s, n, d->cp))
		gx_strbuf_add(&d->out, s, n);
	else
		gx_cp_append_utf8(&d->out, d->cp, s, n);
}

static int decode_all(struct decode *d, const char *s)
{
	const char *plain = s;
	struct word w;
	while ((s = find_pair(s, '=', '?')) != NULL) {
		if (!word_at(d, s, &w)) {
			if (d->no_more)
				break;
			++s;
			continue;
		}
		/* [RFC 2047] 6.2: white space between encoded words is not shown */
		if (!d->in_words || plain + strspn(plain, " \t\r\n") != s)
			add_plain(d, plain, (size_t)(s - plain));
		int r = add_word(d, &w);
		if (r != 0)
			return r;
		plain = s = w.end;
	}
	add_plain(d, plain, strlen(plain));
	flush_words(d);
	return d->out.err != 0 || d->raw.err != 0 ? GX_E_NOMEM : 0;
}

int gx_mime_decode_text(struct gx_arena *a, const char *value, uint32_t cp, char **ret_utf8)
{
	if (find_pair(value, '=', '?') == NULL && is_plain(value, strlen(value), cp)) {
		*ret_utf8 = gx_arena_strdup(a, value);
		return *ret_utf8 == NULL ? GX_E_NOMEM : 0;
	}
	struct decode d = {.arena = a, .cp = cp};
	int r = decode_all(&d, value);
	char *s = r == 0 ? gx_arena_strndup(a, gx_strbuf_cstr(&d.out), d.out.len) : NULL;
	gx_strbuf_release(&d.out);
	gx_strbuf_release(&d.raw);
	if (s == NULL)
		return GX_E_NOMEM;
	*ret_utf8 = s;
	return 0;
}

static bool needs_encoding(const char *s, size_t n)
{
	if (n > ATOM_MAX)
		return true;
	for (size_t i = 0; i < n; ++i)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f ||
				(s[i] == '=' && i + 1 < n && s[i + 1] == '?'))
			return true;
	return false;
}

/* Characters that stand for themselves in a Q word, in any place; [RFC 2047] 5 (3). */
static bool q_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t q_cost(const char *s, size_t n)
{
	size_t cost = 0;
	for (size_t i = 0; i < n; ++i)
		cost += q_plain((unsigned char)s[i]) || s[i] == ' ' ? 1 : 3;
	return cost;
}

/* How many of @p n bytes fit into @p room encoded characters; cuts between characters only. */
static size_t fit(const char *s, size_t n, size_t room, bool base64)
{
	size_t best = 0, at = 0, cost = 0;
	while (at < n) {
		const char *next = s + at;
		(void)gx_utf8_next(&next, s + n);
		size_t len = (size_t)(next - s) - at;
		cost = base64 ? gx_base64_enc_len(at + len) : cost + q_cost(s + at, len);
		if (cost > room && best != 0)
			break;
		best = at += len;
		if (cost > room)
			break;
	}
	return best;
}

static void put_q(struct gx_strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		unsigned char c = (unsigned char)s[i];
		if (c == ' ')
			gx_strbuf_addc(b, '_');
		else if (q_plain(c))
			gx_strbuf_addc(b, s[i]);
		else
			gx_strbuf_printf(b, "=%02X", c);
	}
}

/* @p space: white space has to stand before. @return the column behind the last word. */
static size_t put_words(struct gx_strbuf *b, const char *s, size_t n, size_t column, bool space)
{
	bool base64 = q_cost(s, n) > gx_base64_enc_len(n);
	static const char open_b[] = "=?utf-8?B?", open_q[] = "=?utf-8?Q?";
	const size_t around = sizeof(open_b) - 1 + 2;
	while (n != 0) {
		if (column + space + around + 12 > LINE_MAX_TEXT) {
			gx_strbuf_adds(b, "\r\n ");
			column = 1;
		} else if (space) {
			gx_strbuf_addc(b, ' ');
			++column;
		}
		space = false;
		size_t left = LINE_MAX_TEXT - column, start = b->len;
		size_t room = (left < WORD_MAX ? left : WORD_MAX) - around;
		size_t take = fit(s, n, room, base64);
		char text[WORD_MAX + 64];
		gx_strbuf_adds(b, base64 ? open_b : open_q);
		if (base64)
			gx_strbuf_add(b, text, gx_base64_enc((const uint8_t *)s, take, text));
		else
			put_q(b, s, take);
		gx_strbuf_adds(b, "?=");
		s += take;
		n -= take;
		column = n == 0 ? column + (b->len - start) : LINE_MAX_TEXT; /* the next begins a line */
	}
	return column;
}

static void put_plain(struct gx_strbuf *b, const char *s, size_t n, size_t *io_column)
{
	while (n != 0) {
		size_t space = strspn(s, " "), word;
		space = space < n ? space : n;
		word = strcspn(s + space, " ");
		word = word < n - space ? word : n - space;
		if (space != 0 && word != 0 && *io_column > 1 && *io_column + space + word > LINE_MAX_TEXT) {
			gx_strbuf_adds(b, "\r\n");
			*io_column = 0;
		}
		gx_strbuf_add(b, s, space + word);
		*io_column += space + word;
		s += space + word;
		n -= space + word;
	}
}

/* First and last word that cannot stand as they are. @return false when all can. */
static bool encoded_range(const char *s, size_t *ret_from, size_t *ret_to)
{
	bool any = false;
	size_t at = 0, len = strlen(s);
	/* white space at the ends would be lost in folding */
	if (len != 0 && (s[0] == ' ' || s[len - 1] == ' ')) {
		*ret_from = 0;
		*ret_to = len;
		return true;
	}
	while (at < len) {
		size_t word = strcspn(s + at, " ");
		if (needs_encoding(s + at, word)) {
			if (!any)
				*ret_from = at;
			*ret_to = at + word;
			any = true;
		}
		at += word;
		at += strspn(s + at, " ");
	}
	return any;
}

void gx_mime_encode_text(struct gx_strbuf *b, const char *utf8, size_t column)
{
	size_t from = 0, to = 0, len = strlen(utf8);
	if (!encoded_range(utf8, &from, &to)) {
		put_plain(b, utf8, len, &column);
		return;
	}
	if (from != 0) /* the space before the encoded word separates it */
		put_plain(b, utf8, from - 1, &column);
	column = put_words(b, utf8 + from, to - from, column, from != 0);
	put_plain(b, utf8 + to, len - to, &column);
}

void gx_mime__encode_phrase(struct gx_strbuf *b, const char *utf8, size_t column)
{
	put_words(b, utf8, strlen(utf8), column, false);
}
