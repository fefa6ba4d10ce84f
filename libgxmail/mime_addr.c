/* SPDX-License-Identifier: Apache-2.0 */
/* Address lists, [RFC 5322] 3.4 and 4.4; what people and programs write instead is understood too. */
#include <config.h>
#include <string.h>
#include "libgxmail/mime-int.h"

#define ADDRS_MAX 50000
#define ROUTE_MAX 1000        /* these three keep looking ahead cheap */
#define ENCODED_WORD_MAX 256
#define UNCLOSED_MAX 20       /* of comments and strings without an end */
#define NONE SIZE_MAX

/* One address while it is read. */
struct scan {
	struct gx_arena *arena;
	const char *s;
	struct gx_strbuf phrase;  /* words with one space between */
	struct gx_strbuf spec;    /* what stands in <> */
	struct gx_strbuf comment; /* the last one */
	size_t word, prev_word;   /* where the last two words of the phrase begin */
	size_t at;                /* the last unquoted @ of the phrase */
	size_t at_word;           /* the word with it, or before it */
	size_t spec_at;           /* the last unquoted @ of the spec */
	bool spaced;              /* white space before the next token */
	bool angle, in_group, any;
	struct gx_mime_addr *list, **tail;
	unsigned count, unclosed;
};

static void scan_reset(struct scan *sc)
{
	gx_strbuf_truncate(&sc->phrase, 0);
	gx_strbuf_truncate(&sc->spec, 0);
	gx_strbuf_truncate(&sc->comment, 0);
	sc->word = sc->prev_word = 0;
	sc->at = sc->spec_at = NONE;
	sc->spaced = sc->angle = sc->any = false;
}

/* A run of bytes with its place in the address. */
struct text {
	const char *s;
	size_t n;
};

static char *put_text(char **io_at, struct text t)
{
	char *s = *io_at;
	if (t.s == NULL)
		return NULL;
	memcpy(s, t.s, t.n);
	s[t.n] = '\0';
	*io_at = s + t.n + 1;
	return s;
}

static int emit(struct scan *sc, struct text name, struct text local, struct text domain)
{
	if (sc->count >= ADDRS_MAX)
		return 0;
	struct gx_mime_addr *m = gx_arena_alloc(sc->arena, sizeof(*m) + name.n + local.n + domain.n + 3);
	if (m == NULL)
		return GX_E_NOMEM;
	char *at = (char *)(m + 1);
	m->name = put_text(&at, name);
	m->local = put_text(&at, local);
	m->domain = put_text(&at, domain);
	m->next = NULL;
	*sc->tail = m;
	sc->tail = &m->next;
	++sc->count;
	return 0;
}

static struct text part_of(const struct gx_strbuf *b, size_t from, size_t to)
{
	const char *s = gx_strbuf_cstr(b);
	while (from < to && s[from] == ' ')
		++from;
	while (to > from && s[to - 1] == ' ')
		--to;
	return (struct text){s + from, to - from};
}

static struct text or_null(struct text t)
{
	return t.n == 0 ? (struct text){NULL, 0} : t;
}

static struct text name_or_comment(const struct scan *sc, struct text name)
{
	return name.n != 0 ? name : or_null(part_of(&sc->comment, 0, sc->comment.len));
}

/* <local@domain> has been read. */
static int emit_angle(struct scan *sc)
{
	struct text name = name_or_comment(sc, part_of(&sc->phrase, 0, sc->phrase.len));
	size_t at = sc->spec_at == NONE ? sc->spec.len : sc->spec_at;
	size_t domain = sc->spec_at == NONE ? at : at + 1;
	return emit(sc, name, part_of(&sc->spec, 0, at), part_of(&sc->spec, domain, sc->spec.len));
}

/* The domain from @p at on, with white space around its dots taken out. @return where it ends. */
static size_t take_domain(struct scan *sc, size_t at)
{
	const char *s = gx_strbuf_cstr(&sc->phrase);
	size_t len = sc->phrase.len;
	gx_strbuf_truncate(&sc->spec, 0);
	for (; at < len; ++at) {
		char last = sc->spec.len == 0 ? '.' : sc->spec.s[sc->spec.len - 1];
		if (s[at] != ' ')
			gx_strbuf_addc(&sc->spec, s[at]);
		else if (last != '.' && s[at + 1] != '.')
			break;
	}
	return at;
}

/* local@domain among the words of the phrase; the other words are the name. */
static int emit_bare(struct scan *sc)
{
	size_t end = take_domain(sc, sc->at + 1);
	struct text name = part_of(&sc->phrase, 0, sc->at_word);
	if (name.n == 0)
		name = part_of(&sc->phrase, end, sc->phrase.len);
	return emit(sc, name_or_comment(sc, name), part_of(&sc->phrase, sc->at_word, sc->at),
		part_of(&sc->spec, 0, sc->spec.len));
}

/* One word is a local part, several are a name without an address. */
static int emit_words(struct scan *sc)
{
	struct text all = part_of(&sc->phrase, 0, sc->phrase.len), none = {"", 0};
	if (all.n == 0)
		return 0;
	if (memchr(all.s, ' ', all.n) != NULL)
		return emit(sc, all, none, none);
	return emit(sc, name_or_comment(sc, none), all, none);
}

static int end_address(struct scan *sc)
{
	int r = sc->angle ? emit_angle(sc) : sc->at != NONE ? emit_bare(sc) : sc->any ? emit_words(sc) : 0;
	scan_reset(sc);
	return r;
}

static int begin_group(struct scan *sc)
{
	struct text none = {NULL, 0};
	int r = emit(sc, none, part_of(&sc->phrase, 0, sc->phrase.len), none);
	sc->in_group = true;
	scan_reset(sc);
	return r;
}

static int end_group(struct scan *sc)
{
	struct text none = {NULL, 0};
	int r = end_address(sc);
	if (r == 0 && sc->in_group)
		r = emit(sc, none, none, none);
	sc->in_group = false;
	return r;
}

/* Space between words, when there was some. */
static void begin_token(struct scan *sc)
{
	if (sc->spaced && sc->phrase.len != 0) {
		gx_strbuf_addc(&sc->phrase, ' ');
		sc->prev_word = sc->word;
		sc->word = sc->phrase.len;
	}
	sc->spaced = false;
	sc->any = true;
}

/*
 * Does the comment or the quoted string that begins here end at all? When it does not, its first
 * character stands for itself, so that an address behind it is not lost.
 */
static bool is_closed(struct scan *sc)
{
	const char *s = sc->s;
	unsigned depth = 0;
	if (sc->unclosed >= UNCLOSED_MAX)
		return false;
	do {
		if (*s == '\\' && s[1] != '\0')
			++s;
		else if (*sc->s == '(')
			depth += *s == '(' ? 1 : *s == ')' ? -1U : 0;
		else
			depth ^= *s == '"';
	} while (*s++ != '\0' && depth != 0);
	sc->unclosed += depth != 0;
	return depth == 0;
}

/* (comment); nested ones keep their parentheses. */
static void take_comment(struct scan *sc)
{
	const char *s = sc->s + 1;
	unsigned depth = 1;
	gx_strbuf_truncate(&sc->comment, 0);
	for (; *s != '\0'; ++s) {
		if (*s == '\\' && s[1] != '\0')
			++s;
		else if (*s == '(')
			++depth;
		else if (*s == ')' && --depth == 0)
			break;
		gx_strbuf_addc(&sc->comment, *s);
	}
	sc->s = s + 1;
	sc->spaced = true;
}

static void take_quoted(struct scan *sc, struct gx_strbuf *b)
{
	const char *s = sc->s + 1;
	for (; *s != '\0' && *s != '"'; ++s) {
		if (*s == '\\' && s[1] != '\0')
			++s;
		gx_strbuf_addc(b, *s);
	}
	sc->s = *s == '"' ? s + 1 : s;
}

/* Length of an encoded word, with any commas in it; 0 when there is none. */
static size_t encoded_word(const char *s)
{
	if (s[0] != '=' || s[1] != '?')
		return 0;
	size_t n = 2;
	for (int marks = 0; marks < 2; ++n) {
		if ((unsigned char)s[n] <= ' ' || n == ENCODED_WORD_MAX)
			return 0;
		marks += s[n] == '?';
	}
	for (; (unsigned char)s[n] > ' ' && n < ENCODED_WORD_MAX; ++n)
		if (s[n] == '?' && s[n + 1] == '=')
			return n + 2;
	return 0;
}

/* [RFC 5322] 4.4: "@a,@b:" before the address is a route nobody follows. */
static const char *skip_route(const char *s)
{
	if (*s != '@')
		return s;
	for (size_t n = 0; n < ROUTE_MAX && s[n] != '\0' && strchr(">\"", s[n]) == NULL; ++n)
		if (s[n] == ':')
			return s + n + 1;
	return s;
}

static void spec_char(struct scan *sc, char c, bool quoted)
{
	struct gx_strbuf *b = &sc->spec;
	if (c == '@' && !quoted)
		sc->spec_at = b->len;
	gx_strbuf_addc(b, c);
}

static void take_angle(struct scan *sc)
{
	bool space = false;
	while (*sc->s == '<')
		++sc->s;
	sc->s = skip_route(gx_mime__skip_cfws(sc->s));
	sc->angle = true;
	while (*sc->s != '\0' && *sc->s != '>' && *sc->s != ',') {
		const char *next = gx_mime__skip_cfws(sc->s);
		if (next != sc->s) {
			space = true;
			sc->s = next;
			continue;
		}
		char last = sc->spec.len == 0 ? '.' : sc->spec.s[sc->spec.len - 1];
		if (space && strchr(".@", last) == NULL && strchr(".@", *sc->s) == NULL)
			spec_char(sc, ' ', true);
		space = false;
		if (*sc->s == '"')
			take_quoted(sc, &sc->spec);
		else
			spec_char(sc, *sc->s++, false);
	}
	while (*sc->s == '>')
		++sc->s;
	sc->spaced = true;
}

/* [domain literal] behind an @ */
static void take_literal(struct scan *sc)
{
	size_t n = strcspn(sc->s, "] \t\r\n,;<>");
	if (sc->s[n] == ']')
		++n;
	gx_strbuf_add(&sc->phrase, sc->s, n);
	sc->s += n;
}

static void take_at(struct scan *sc)
{
	begin_token(sc);
	sc->at = sc->phrase.len;
	sc->at_word = sc->at == sc->word ? sc->prev_word : sc->word;
	gx_strbuf_addc(&sc->phrase, '@');
	++sc->s;
	if (*sc->s == '[')
		take_literal(sc);
}

static void take_atom(struct scan *sc)
{
	size_t n = encoded_word(sc->s);
	begin_token(sc);
	if (n == 0)
		n = 1 + strcspn(sc->s + 1, " \t\r\n,;:<>@\"(=");
	gx_strbuf_add(&sc->phrase, sc->s, n);
	sc->s += n;
}

static int take_token(struct scan *sc)
{
	switch (*sc->s) {
	case ' ': case '\t': case '\r': case '\n':
		++sc->s;
		sc->spaced = true;
		return 0;
	case '(':
		if (is_closed(sc))
			take_comment(sc);
		else
			take_atom(sc);
		return 0;
	case '"':
		begin_token(sc);
		if (is_closed(sc))
			take_quoted(sc, &sc->phrase);
		else
			++sc->s;
		return 0;
	case '<':
		take_angle(sc);
		return 0;
	case '@':
		take_at(sc);
		return 0;
	case ',':
		++sc->s;
		return end_address(sc);
	case ';':
		++sc->s;
		return end_group(sc);
	case ':':
		if (!sc->in_group && !sc->angle && sc->at == NONE && sc->phrase.len != 0) {
			++sc->s;
			return begin_group(sc);
		}
		take_atom(sc);
		return 0;
	default:
		take_atom(sc);
		return 0;
	}
}

int gx_mime_addrs(struct gx_arena *a, const char *value, struct gx_mime_addr **ret_list)
{
	struct scan sc = {.arena = a, .s = value};
	int r = 0;
	sc.tail = &sc.list;
	scan_reset(&sc);
	while (r == 0 && *sc.s != '\0' && sc.count < ADDRS_MAX)
		r = take_token(&sc);
	if (r == 0)
		r = end_group(&sc);
	if (r == 0 && (sc.phrase.err | sc.spec.err | sc.comment.err) != 0)
		r = GX_E_NOMEM;
	gx_strbuf_release(&sc.phrase);
	gx_strbuf_release(&sc.spec);
	gx_strbuf_release(&sc.comment);
	if (r == 0)
		*ret_list = sc.list;
	return r;
}
