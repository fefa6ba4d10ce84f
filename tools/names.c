/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <gx/charset.h>
#include "tools/names.h"

enum { NAMES = 15, MAX_LANGS = 500 };

struct row {
	const char *lang;
	const char *names[NAMES + 1];
};

struct store_names {
	struct row v[MAX_LANGS];
	size_t n;
};

/* @return what is wrong, or NULL. */
static const char *take_line(struct gx_arena *a, struct store_names *s, char *line)
{
	struct row *r = &s->v[s->n];
	size_t field = 0;
	line[strcspn(line, "\r\n")] = '\0';
	if (*line == '\0' || *line == '#' || strncmp(line, "lang\t", 5) == 0)
		return NULL;
	if (s->n == MAX_LANGS)
		return "too many languages";
	if (!gx_utf8_valid(line, strlen(line)))
		return "not UTF-8";
	for (char *p = line, *next; p != NULL; p = next, ++field) {
		next = strchr(p, '\t');
		if (next != NULL)
			*next++ = '\0';
		const char *copy = field > NAMES || *p == '\0' ? NULL : gx_arena_strdup(a, p);
		if (copy == NULL)
			return "expected a language and 15 names, separated by tabs";
		*(field == 0 ? &r->lang : &r->names[field - 1]) = copy;
	}
	if (field != NAMES + 1)
		return "expected a language and 15 names, separated by tabs";
	++s->n;
	return NULL;
}

int names_read(struct gx_arena *a, const char *path, struct store_names **ret_n, const char **ret_why)
{
	char line[4096];
	struct store_names *s = gx_arena_new_obj(a, struct store_names);
	FILE *f = s == NULL ? NULL : fopen(path, "r");
	if (f == NULL) {
		*ret_why = gx_arena_printf(a, "%s: %s", path, strerror(errno));
		return s == NULL ? GX_E_NOMEM : GX_E_IO;
	}
	const char *bad = NULL;
	unsigned no = 0;
	while (bad == NULL && fgets(line, sizeof(line), f) != NULL) {
		++no;
		bad = strchr(line, '\n') == NULL && !feof(f) ? "line too long" : take_line(a, s, line);
	}
	fclose(f);
	if (bad == NULL && s->n == 0)
		bad = "no language in it";
	if (bad != NULL) {
		*ret_why = gx_arena_printf(a, "%s:%u: %s", path, no, bad);
		return GX_E_FORMAT;
	}
	*ret_n = s;
	return 0;
}

const char *const *names_lookup(const char *lang, void *ctx)
{
	const struct store_names *s = ctx;
	const char *want = lang == NULL ? "en" : lang;
	size_t full = strcspn(want, ".@"), base = strcspn(want, "_-.@");
	for (int pass = 0; pass < 2; ++pass) {
		size_t len = pass == 0 ? full : base;
		for (size_t i = 0; i < s->n; ++i)
			if (strlen(s->v[i].lang) == len && gx_ascii_ncasecmp(s->v[i].lang, want, len) == 0)
				return s->v[i].names;
	}
	return NULL;
}
