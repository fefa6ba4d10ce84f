/* SPDX-License-Identifier: Apache-2.0 */
/* Content matching, [MS-OXCDATA] 2.12.4: full string, substring or prefix, with what is ignored. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/restr.h>

#include "libgxmapi/unibase-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIRST_COMPOSED 0x80

static bool is_mark(uint32_t c)
{
	size_t lo = 0, hi = COUNT(marks);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (c > marks[mid][1])
			lo = mid + 1;
		else if (c < marks[mid][0])
			hi = mid;
		else
			return true;
	}
	return false;
}

static uint32_t base_letter(uint32_t c)
{
	size_t lo = 0, hi = COUNT(bases);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (bases[mid][0] == c)
			return bases[mid][1];
		if (bases[mid][0] < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return c;
}

/* FL_LOOSE is the server's best guess at equality: neither case nor marks. */
static uint16_t effective(uint16_t flags)
{
	return flags & FL_LOOSE ? flags | FL_IGNORECASE | FL_IGNORENONSPACE : flags;
}

/* The next character that counts, 0 at the end. */
static uint32_t next(const char **io_s, const char *end, uint16_t flags)
{
	while (*io_s < end) {
		uint32_t c = gx_utf8_next(io_s, end);
		if ((flags & FL_IGNORENONSPACE) && c >= FIRST_COMPOSED) {
			if (is_mark(c))
				continue;
			c = base_letter(c);
		}
		return flags & FL_IGNORECASE ? gx_utf8_fold(c) : c;
	}
	return 0;
}

/* Does the pattern stand at s? With full, must nothing follow? */
static bool match_here(const char *s, const char *end, const char *pat, const char *pat_end, uint16_t flags, bool full)
{
	for (;;) {
		uint32_t p = next(&pat, pat_end, flags);
		if (p == 0)
			return !full || next(&s, end, flags) == 0;
		if (next(&s, end, flags) != p)
			return false;
	}
}

static bool match_marks(const char *s, const char *end, const char *pat, const char *pat_end, uint16_t flags)
{
	for (;;) {
		if (match_here(s, end, pat, pat_end, flags, false))
			return true;
		/* marks before a character make no other place to start from */
		if (next(&s, end, flags) == 0)
			return false;
	}
}

bool gx_fuzzy_match(const char *s, const char *pattern, uint16_t level, uint16_t flags)
{
	size_t n = strlen(s), m = strlen(pattern);
	flags = effective(flags);
	if (level == FL_SUBSTRING) {
		/* text without marks needs no care for them */
		if ((flags & FL_IGNORENONSPACE) && !(gx_ascii_only(s, n) && gx_ascii_only(pattern, m)))
			return match_marks(s, s + n, pattern, pattern + m, flags);
		if (flags & FL_IGNORECASE)
			return gx_utf8_casestr(s, n, pattern, m);
		return strstr(s, pattern) != NULL;
	}
	return match_here(s, s + n, pattern, pattern + m, flags, level == FL_FULLSTRING);
}

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

void gx_fuzzy_form(const char *s, size_t len, struct gx_push *out)
{
	const char *end = len != 0 ? s + len : s;
	struct gx_strbuf b = GX_STRBUF_INIT;
	bool space = false; /* runs of it count as one: lines are folded and wrapped on their way */
	while (s < end && out->err == 0) {
		uint32_t c = (uint8_t)*s < FIRST_COMPOSED ? (uint8_t)*s++ : gx_utf8_next(&s, end);
		if (is_space(c)) {
			if (!space)
				gx_push_u8(out, ' ');
			space = true;
			continue;
		}
		if (c < FIRST_COMPOSED) {
			gx_push_u8(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : (uint8_t)c);
			space = false;
			continue;
		}
		if (is_mark(c) && gx_utf8_fold(c) == c)
			continue;
		gx_strbuf_clear(&b);
		gx_utf8_put(&b, gx_utf8_fold(base_letter(gx_utf8_fold(c))));
		gx_push_bytes(out, gx_strbuf_cstr(&b), b.len);
		space = false;
	}
	if (b.err != 0)
		gx_push_fail(out, b.err);
	gx_strbuf_release(&b);
}
