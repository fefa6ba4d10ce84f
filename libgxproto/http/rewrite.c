/* SPDX-License-Identifier: Apache-2.0 */
/* mod_rewrite(4gx): other paths by regular expressions, before the routes are looked at. */
#include <config.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <gx/httpmod.h>
#include <gx/strbuf.h>
#include "libgxproto/http/map.h"

enum { GROUPS = 10, PATH_MOST = 8 << 10 };

static const char builtin[] = "^/Microsoft-Server-ActiveSync\\(/\\|$\\) => /sync/index.php\n";

struct rule {
	regex_t re;
	const char *with; /* in the map's text */
};

struct rules {
	struct http_map map;
	size_t n;
	struct rule v[];
};

struct gx_http_rewrite {
	pthread_rwlock_t lock;
	struct rules *rules;
	char *path;
};

static int compile(struct rules *rw, size_t line, const char *path, struct gx_arena *a, const char **ret_why)
{
	char text[200];
	struct rule *rule = &rw->v[rw->n];
	const char *name = path == NULL ? "the built-in map" : path;
	rule->with = http_map_word(&rw->map, line, 2);
	if (strcmp(http_map_word(&rw->map, line, 1), "=>") != 0 || rule->with[0] != '/') {
		*ret_why = gx_arena_printf(a, "%s, line %u: expected REGEX => /REPLACEMENT", name, rw->map.numbers[line]);
		return GX_E_FORMAT;
	}
	int err = regcomp(&rule->re, http_map_word(&rw->map, line, 0), 0);
	if (err != 0) {
		regerror(err, &rule->re, text, sizeof(text));
		*ret_why = gx_arena_printf(a, "%s, line %u: the regular expression is wrong: %s", name, rw->map.numbers[line], text);
		return GX_E_FORMAT;
	}
	++rw->n;
	return 0;
}

static void rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->n; ++i)
		regfree(&rules->v[i].re);
	gx_http__map_release(&rules->map);
	free(rules);
}

static int read_rules(const char *path, struct rules **ret_rules, struct gx_arena *a, const char **ret_why)
{
	struct http_map map;
	const char *why = NULL;
	if (ret_why == NULL)
		ret_why = &why;
	int ret = gx_http__map_read(&map, path, builtin, 3, "expected three words: REGEX => /REPLACEMENT", a, ret_why);
	if (ret != 0)
		return ret;
	struct rules *rules = calloc(1, sizeof(*rules) + map.lines * sizeof(rules->v[0]));
	if (rules == NULL) {
		gx_http__map_release(&map);
		return GX_E_NOMEM;
	}
	rules->map = map;
	for (size_t i = 0; ret == 0 && i < map.lines; ++i)
		ret = compile(rules, i, path, a, ret_why);
	if (ret != 0)
		rules_free(rules);
	else
		*ret_rules = rules;
	return ret;
}

int gx_http_rewrite_new(const char *path, struct gx_http_rewrite **ret_rw, struct gx_arena *a, const char **ret_why)
{
	struct gx_http_rewrite *rw = calloc(1, sizeof(*rw));
	if (rw == NULL)
		return GX_E_NOMEM;
	pthread_rwlock_init(&rw->lock, NULL);
	rw->path = path == NULL ? NULL : strdup(path);
	int ret = path != NULL && rw->path == NULL ? GX_E_NOMEM : read_rules(path, &rw->rules, a, ret_why);
	if (ret != 0)
		gx_http_rewrite_free(rw);
	else
		*ret_rw = rw;
	return ret;
}

int gx_http_rewrite_reload(struct gx_http_rewrite *rw, struct gx_arena *a, const char **ret_why)
{
	struct rules *rules;
	int ret = read_rules(rw->path, &rules, a, ret_why);
	if (ret != 0)
		return ret;
	pthread_rwlock_wrlock(&rw->lock);
	struct rules *old = rw->rules;
	rw->rules = rules;
	pthread_rwlock_unlock(&rw->lock);
	rules_free(old);
	return 0;
}

void gx_http_rewrite_free(struct gx_http_rewrite *rw)
{
	if (rw == NULL)
		return;
	rules_free(rw->rules);
	pthread_rwlock_destroy(&rw->lock);
	free(rw->path);
	free(rw);
}

/* What is around the match stays, as sed has it. */
static void replace(struct gx_strbuf *b, const char *path, const char *with, const regmatch_t m[GROUPS])
{
	gx_strbuf_add(b, path, (size_t)m[0].rm_so);
	for (const char *p = with; *p != '\0'; ++p) {
		if (*p == '\\' && p[1] >= '0' && p[1] <= '9') {
			const regmatch_t *g = &m[*++p - '0'];
			if (g->rm_so >= 0)
				gx_strbuf_add(b, path + g->rm_so, (size_t)(g->rm_eo - g->rm_so));
		} else {
			p += *p == '\\' && p[1] != '\0';
			gx_strbuf_addc(b, *p);
		}
	}
	gx_strbuf_adds(b, path + m[0].rm_eo);
}

/* A rule may have put dots together that the path had apart. */
static bool is_safe(const char *path)
{
	size_t n = strlen(path);
	return path[0] == '/' && n <= PATH_MOST && strstr(path, "/../") == NULL && (n < 3 || strcmp(path + n - 3, "/..") != 0);
}

static const char *apply(const struct rules *rules, const struct gx_http_req *r)
{
	regmatch_t m[GROUPS];
	for (size_t i = 0; i < rules->n; ++i) {
		if (regexec(&rules->v[i].re, r->path, GROUPS, m, 0) != 0)
			continue;
		struct gx_strbuf b = GX_STRBUF_INIT;
		replace(&b, r->path, rules->v[i].with, m);
		const char *other = b.err == 0 && is_safe(gx_strbuf_cstr(&b)) ? gx_arena_strdup(r->arena, gx_strbuf_cstr(&b)) : NULL;
		gx_strbuf_release(&b);
		return other;
	}
	return NULL;
}

const char *gx_http_rewrite_path(const struct gx_http_req *r, void *ctx)
{
	struct gx_http_rewrite *rw = ctx;
	pthread_rwlock_rdlock(&rw->lock);
	const char *path = apply(rw->rules, r);
	pthread_rwlock_unlock(&rw->lock);
	return path;
}
