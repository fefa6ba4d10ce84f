/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_PARSE_H
#define GX_IMAP_PARSE_H
/*
 * The syntax of commands, [RFC 3501] 9. A text cursor over one whole command whose literals stand
 * inside it ("{5}\r\nhello"), with a sticky complaint; everything it returns lives in the arena.
 */
#include <gx/arena.h>
#include <gx/store.h>

struct imap_parse {
	const char *p, *end;
	struct gx_arena *arena;
	const char *err;   /* first complaint, NULL while all is well */
	unsigned depth;    /* nesting of lists and search keys */
	bool utf8_names;   /* mailbox names are UTF-8, not modified UTF-7: [RFC 9051] 5.1 */
};

#define IMAP_MAX_DEPTH 32

void gx_imap__parse_init(struct imap_parse *c, const char *data, size_t len, struct gx_arena *a);
/* Records the first complaint. Always false. */
bool gx_imap__fail(struct imap_parse *c, const char *why);
/* Next byte or -1 at the end. */
int gx_imap__peek(const struct imap_parse *c);
bool gx_imap__accept(struct imap_parse *c, char ch);
bool gx_imap__expect(struct imap_parse *c, char ch);
/* One space; more are forgiven. */
bool gx_imap__sp(struct imap_parse *c);
/* A space, if arguments follow. */
bool gx_imap__accept_sp(struct imap_parse *c);
bool gx_imap__end(struct imap_parse *c);
/* The word if it stands here, caseless, and ends here. */
bool gx_imap__accept_word(struct imap_parse *c, const char *word);
bool gx_imap__enter(struct imap_parse *c);
void gx_imap__leave(struct imap_parse *c);

struct imap_str {
	const char *s;  /* NUL-terminated */
	size_t len;
};
bool gx_imap__atom(struct imap_parse *c, struct imap_str *ret);
bool gx_imap__tag(struct imap_parse *c, struct imap_str *ret);
/* Quoted or literal. */
bool gx_imap__string(struct imap_parse *c, struct imap_str *ret);
bool gx_imap__astring(struct imap_parse *c, struct imap_str *ret);
/* NIL gives s NULL. */
bool gx_imap__nstring(struct imap_parse *c, struct imap_str *ret);
bool gx_imap__number(struct imap_parse *c, uint64_t max, uint64_t *ret);
/* Mailbox name as UTF-8; without utf8_names it comes in modified UTF-7 (or UTF-8). list: wildcards may stand unquoted. */
bool gx_imap__mailbox(struct imap_parse *c, bool list, const char **ret);

/* Sequence sets. */
struct imap_range {
	uint32_t lo, hi;   /* as parsed, UINT32_MAX is '*' */
};
struct imap_set {
	struct imap_range *v;
	size_t n;
	bool saved;        /* "$": the result of SEARCH RETURN (SAVE) */
};
#define IMAP_MAX_RANGES 20000
bool gx_imap__set(struct imap_parse *c, struct imap_set *ret);
/* Sorts by lo and joins what touches; swaps backward ranges. */
void gx_imap__ranges_normalize(struct imap_range *v, size_t *io_n);
/* Is it in? The ranges must be normalized. */
bool gx_imap__ranges_has(const struct imap_range *v, size_t n, uint32_t x);

/* Flags. */
struct imap_flags {
	uint32_t flags;                  /* GX_MSGF_* */
	const char *const *keywords;     /* NULL-terminated */
};
/* "(\Seen foo)", or without parentheses where bare is set. */
bool gx_imap__flags(struct imap_parse *c, bool bare, struct imap_flags *ret);
struct imap_flag_name {
	const char *name;
	uint32_t flag;
};
/* Ended by name NULL. */
extern const struct imap_flag_name gx_imap__flag_names[];

/* Dates. */
/* "1-Feb-1994" to days since 1970. */
bool gx_imap__date(struct imap_parse *c, int64_t *ret_day);
/* "\" 1-Feb-1994 12:00:00 +0100\"" to Unix seconds. */
bool gx_imap__date_time(struct imap_parse *c, int64_t *ret_unix);
/* " 1-Feb-1994 12:00:00 +0000", 26 characters and NUL. */
void gx_imap__date_time_print(int64_t unix_sec, char out[28]);
int64_t gx_imap__days_from_civil(int y, unsigned m, unsigned d);

/* Modified UTF-7, [RFC 3501] 5.1.3. */
int gx_imap__mutf7_decode(struct gx_arena *a, const char *s, size_t len, char **ret_utf8) GX_MUST_CHECK;
int gx_imap__mutf7_encode(struct gx_arena *a, const char *utf8, char **ret) GX_MUST_CHECK;

#endif
