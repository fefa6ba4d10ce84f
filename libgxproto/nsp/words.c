/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ambiguous names: who has a word that begins so? All words of names and addresses stand sorted in one array, so that an
 * answer costs two binary searches a word, and a bit for each entry.
 */
#include <config.h>
#include <string.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { WORDS_OF_QUERY = 16 };

struct words {
	struct gx_push text;
	struct nsp_word *v;
	size_t n, cap;
	int err;
};

static void add_word(struct words *w, uint32_t entry, const char *s, size_t len)
{
	if (w->err != 0 || len == 0)
		return;
	if (w->n == w->cap) {
		size_t cap = w->cap == 0 ? 1024 : w->cap * 2;
		struct nsp_word *v = realloc(w->v, cap * sizeof(*v));
		if (v == NULL) {
			w->err = GX_E_NOMEM;
			return;
		}
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = (struct nsp_word){(uint32_t)w->text.len, entry};
	gx_push_bytes(&w->text, s, len);
	gx_push_u8(&w->text, 0);
	w->err = w->text.err != 0 ? w->text.err : w->text.len > UINT32_MAX ? GX_E_LIMIT : 0;
}

static bool is_gap(char c)
{
	return c == ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '"';
}

static bool is_joint(char c)
{
	return c == '-' || c == '.' || c == '_' || c == '\'' || c == '@' || c == '/' || c == '+';
}

/* Of "doe-smith, ann": doe-smith, smith, ann. */
static void add_words(struct words *w, uint32_t entry, const char *key)
{
	for (const char *s = key; *s != '\0';) {
		const char *end = s;
		while (*end != '\0' && !is_gap(*end))
			++end;
		for (const char *p = s; p < end; ++p)
			if (p == s || (is_joint(p[-1]) && !is_joint(*p)))
				add_word(w, entry, p, (size_t)(end - p));
		s = *end == '\0' ? end : end + 1;
	}
}

static void add_text(struct words *w, uint32_t entry, const char *text, struct gx_arena *scratch)
{
	const char *key = gx_nsp__key(scratch, text);
	if (key == NULL)
		w->err = GX_E_NOMEM;
	else
		add_words(w, entry, key);
}

static void add_entry(struct words *w, const struct nsp_book *b, uint32_t i, struct gx_arena *scratch)
{
	static const gx_proptag_t tags[] = {PidTagGivenName, PidTagSurname, PidTagNickname, PidTagOfficeLocation, PidTagSmtpAddress};
	const struct nsp_entry *e = &b->v[i];
	struct gx_propval pv;
	add_words(w, i, e->key);
	add_text(w, i, e->e->username, scratch);
	for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]) && e->e->props.len != 0; ++k)
		if (gx_prow_find(e->e->props.data, e->e->props.len, tags[k], scratch, &pv) == 0)
			add_text(w, i, pv.v.str, scratch);
	for (uint32_t k = 0; k < e->alias_count; ++k)
		add_text(w, i, b->dir.aliases[e->alias + k].name, scratch);
	gx_arena_reset(scratch);
}

static int order(const void *p, const void *q, void *ctx)
{
	const struct nsp_word *x = p, *y = q;
	const char *text = ctx;
	int r = strcmp(text + x->at, text + y->at);
	return r != 0 ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

static int keep(struct nsp_book *b, struct words *w)
{
	struct gx_bin text;
	int err = gx_push_finish(&w->text, b->a, &text);
	if (err != 0)
		return err;
	b->word_text = (char *)(uintptr_t)text.data;
	if (w->n == 0) /* nobody is there */
		return 0;
	qsort_r(w->v, w->n, sizeof(*w->v), order, b->word_text);
	b->words = gx_arena_memdup(b->a, w->v, w->n * sizeof(*w->v));
	b->nwords = (uint32_t)w->n;
	return b->words == NULL ? GX_E_NOMEM : 0;
}

int gx_nsp__make_words(struct nsp_book *b)
{
	struct words w = {.text = GX_PUSH_INIT};
	struct gx_arena *scratch = gx_arena_new(0);
	if (scratch == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < b->n && w.err == 0; ++i)
		add_entry(&w, b, i, scratch);
	int err = w.err != 0 ? w.err : keep(b, &w);
	gx_push_release(&w.text);
	free(w.v);
	gx_arena_free(scratch);
	return err;
}

/* ---- Looking up ---- */

/* The first word that is not less than @word; behind all that begin with it when @past. */
static uint32_t bound(const struct nsp_book *b, const char *word, size_t len, bool past)
{
	uint32_t lo = 0, hi = b->nwords;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int r = strncmp(b->word_text + b->words[mid].at, word, len);
		if (r < 0 || (past && r == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void mark(const struct nsp_book *b, const char *word, size_t len, uint8_t *bits)
{
	uint32_t end = bound(b, word, len, true);
	for (uint32_t i = bound(b, word, len, false); i < end; ++i)
		bits[b->words[i].entry / 8] |= (uint8_t)(1U << b->words[i].entry % 8);
}

uint8_t *gx_nsp__anr(const struct nsp_call *c, const char *text)
{
	size_t size = c->b->n / 8 + 1;
	uint8_t *all = gx_arena_calloc(c->a, size, 1), *some = NULL;
	const char *s = gx_nsp__key(c->a, text);
	unsigned words = 0;
	if (all == NULL || s == NULL)
		return NULL;
	for (; *s != '\0'; ) {
		size_t len = 0;
		while (s[len] != '\0' && !is_gap(s[len]))
			++len;
		if (len != 0 && words++ == 0) {
			mark(c->b, s, len, all);
		} else if (len != 0 && words <= WORDS_OF_QUERY) {
			some = some == NULL ? gx_arena_alloc(c->a, size) : some;
			if (some == NULL)
				return NULL;
			memset(some, 0, size);
			mark(c->b, s, len, some);
			for (size_t i = 0; i < size; ++i)
				all[i] &= some[i];
		}
		s += s[len] == '\0' ? len : len + 1;
	}
	return all;
}
