/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/conf.h>
#include "libgxproto/net/addr.h"

#define MAX_KEYS 1000
#define MAX_LINE 16384

struct entry {
	const struct gx_conf_key *key;
	char *value;   /* NULL: the default */
	char *origin;  /* NULL with value NULL */
	uint64_t num;
	bool foreign;
	bool noted;    /* a deprecated key was remarked upon */
};

struct gx_conf {
	struct entry *v;
	size_t n;
};

static struct entry *find(const struct gx_conf *c, const char *name)
{
	for (size_t i = 0; i < c->n; ++i)
		if (strcasecmp(c->v[i].key->name, name) == 0)
			return &c->v[i];
	return NULL;
}

static const struct entry *must_find(const struct gx_conf *c, const char *name)
{
	const struct entry *e = find(c, name);
	assert(e != NULL);
	return e;
}

/* ---- Values ---- */

static int parse_level(const char *s, uint64_t *ret_v)
{
	static const char *const names[] = {"crit", "error", "warn", "notice", "info", "debug"};
	for (unsigned i = 0; i < 6; ++i)
		if (strcasecmp(s, names[i]) == 0) {
			*ret_v = i + 1;
			return 0;
		}
	int ret = gx_conf_parse_size(s, ret_v);
	if (ret == 0 && (*ret_v < GX_LOG_CRIT || *ret_v > GX_LOG_DEBUG))
		return GX_E_RANGE;
	return ret;
}

static int check_listen(const char *value, const char **ret_why)
{
	struct gx_arena *a = gx_arena_new(0);
	const char *const *w = a == NULL ? NULL : gx_conf_words(a, value);
	int ret = w == NULL ? GX_E_NOMEM : 0;
	struct gx_addr addr;
	for (; ret == 0 && *w != NULL; ++w)
		ret = gx_addr__parse(*w, &addr, ret_why);
	gx_arena_free(a);
	return ret;
}

static int parse_number_of(uint8_t type, const char *s, uint64_t *ret_v, const char **ret_why)
{
	bool b;
	int ret;
	switch (type) {
	case GX_CONF_BOOL:
		*ret_why = "expected yes or no";
		ret = gx_conf_parse_bool(s, &b);
		if (ret == 0)
			*ret_v = b;
		return ret;
	case GX_CONF_UINT:
		*ret_why = "expected a number";
		return gx_conf_parse_size(s, ret_v);
	case GX_CONF_SIZE:
		*ret_why = "expected a size, for example 64M";
		return gx_conf_parse_size(s, ret_v);
	case GX_CONF_DURATION:
		*ret_why = "expected a time span, for example \"3 minutes\" or 1h30min";
		return gx_conf_parse_duration(s, ret_v);
	case GX_CONF_LOGLEVEL:
		*ret_why = "expected 1 (crit), 2 (error), 3 (warn), 4 (notice), 5 (info) or 6 (debug)";
		return parse_level(s, ret_v);
	case GX_CONF_LISTEN:
		*ret_v = 0;
		return check_listen(s, ret_why);
	default:
		*ret_v = 0;
		return 0;
	}
}

static bool in_range(const struct gx_conf_key *k, uint64_t v)
{
	uint64_t limit;
	const char *why;
	if (k->min != NULL && parse_number_of(k->type, k->min, &limit, &why) == 0 && v < limit)
		return false;
	return k->max == NULL || parse_number_of(k->type, k->max, &limit, &why) != 0 || v <= limit;
}

static const char *range_text(const struct gx_conf_key *k, char *buf, size_t cap)
{
	if (k->min != NULL && k->max != NULL)
		snprintf(buf, cap, "must be between %s and %s", k->min, k->max);
	else if (k->min != NULL)
		snprintf(buf, cap, "must be at least %s", k->min);
	else
		snprintf(buf, cap, "must be at most %s", k->max == NULL ? "2^64-1" : k->max);
	return buf;
}

/* ---- Tables ---- */

static size_t count_keys(const struct gx_conf_key *const *tables)
{
	size_t n = 0;
	for (; *tables != NULL; ++tables)
		for (const struct gx_conf_key *k = *tables; k->name != NULL; ++k)
			++n;
	return n;
}

/* Memory for all was reserved; a name that is there already keeps its first meaning. */
static void add_tables(struct gx_conf *c, const struct gx_conf_key *const *tables, bool foreign)
{
	const char *why;
	for (; *tables != NULL; ++tables)
		for (const struct gx_conf_key *k = *tables; k->name != NULL; ++k) {
			if (find(c, k->name) != NULL)
				continue;
			struct entry *e = &c->v[c->n++];
			*e = (struct entry){.key = k, .foreign = foreign};
			int ret = parse_number_of(k->type, k->dflt, &e->num, &why);
			assert(ret == 0 && in_range(k, e->num));
			(void)ret;
		}
}

struct gx_conf *gx_conf_new(const struct gx_conf_key *const *tables)
{
	struct gx_conf *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	assert(count_keys(tables) <= MAX_KEYS);
	c->v = calloc(MAX_KEYS, sizeof(*c->v));
	if (c->v == NULL) {
		free(c);
		return NULL;
	}
	add_tables(c, tables, false);
	return c;
}

void gx_conf_foreign(struct gx_conf *c, const struct gx_conf_key *const *tables)
{
	assert(c->n + count_keys(tables) <= MAX_KEYS);
	add_tables(c, tables, true);
}

void gx_conf_free(struct gx_conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; ++i) {
		free(c->v[i].value);
		free(c->v[i].origin);
	}
	free(c->v);
	free(c);
}

/* ---- Setting ---- */

static char *trim(char *s)
{
	while (isspace((unsigned char)*s))
		++s;
	size_t n = strlen(s);
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		--n;
	s[n] = '\0';
	return s;
}

static int store_value(struct entry *e, const char *value, const char *origin, uint64_t num)
{
	char *v = strdup(value), *o = strdup(origin);
	if (v == NULL || o == NULL) {
		free(v);
		free(o);
		return GX_E_NOMEM;
	}
	free(e->value);
	free(e->origin);
	e->value = v;
	e->origin = o;
	e->num = num;
	return 0;
}

static int set_value(struct gx_conf *c, const char *key, const char *value, const char *origin, const struct gx_log *log)
{
	char range[160];
	const char *why = "";
	uint64_t num = 0;
	struct entry *e = find(c, key);
	if (e == NULL) {
		gx_log(log, GX_LOG_WARN, "%s: unknown directive \"%s\" (check the spelling, or remove the line)", origin, key);
		return 0;
	}
	if (e->key->type == GX_CONF_DEPRECATED) {
		if (!e->foreign && !e->noted)
			gx_log(log, GX_LOG_WARN, "%s: %s has no effect: %s", origin, e->key->name, e->key->help);
		e->noted = true;
		return store_value(e, value, origin, 0);
	}
	int ret = parse_number_of(e->key->type, value, &num, &why);
	if (ret == 0 && (e->key->min != NULL || e->key->max != NULL) && !in_range(e->key, num)) {
		ret = GX_E_RANGE;
		why = range_text(e->key, range, sizeof(range));
	}
	if (ret != 0) {
		gx_log(log, GX_LOG_ERROR, "%s: %s = %s: %s", origin, e->key->name, value,
		       ret == GX_E_NOMEM ? "out of memory" : why);
		return ret == GX_E_NOMEM ? ret : GX_E_INVAL;
	}
	return store_value(e, value, origin, num);
}

int gx_conf_set(struct gx_conf *c, const char *key, const char *value, const struct gx_log *log)
{
	char *copy = strdup(value);
	if (copy == NULL)
		return GX_E_NOMEM;
	for (char *p = copy; *p != '\0'; ++p)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	int ret = set_value(c, key, trim(copy), "command line", log);
	free(copy);
	return ret;
}

static int read_line(struct gx_conf *c, char *line, const char *path, unsigned lineno, const struct gx_log *log)
{
	char origin[512];
	snprintf(origin, sizeof(origin), "%s:%u", path, lineno);
	char *s = trim(line);
	if (*s == '\0' || *s == '#')
		return 0;
	char *eq = strchr(s, '=');
	if (eq == NULL || eq == s) {
		gx_log(log, GX_LOG_ERROR, "%s: expected \"directive = value\", found \"%.80s\"", origin, s);
		return GX_E_INVAL;
	}
	*eq = '\0';
	return set_value(c, trim(s), trim(eq + 1), origin, log);
}

static int read_stream(struct gx_conf *c, FILE *f, const char *path, const struct gx_log *log)
{
	char *line = NULL;
	size_t cap = 0;
	int first = 0;
	ssize_t len;
	for (unsigned lineno = 1; (len = getline(&line, &cap, f)) >= 0; ++lineno) {
		int ret = 0;
		if (len > MAX_LINE || memchr(line, '\0', (size_t)len) != NULL) {
			gx_log(log, GX_LOG_ERROR, "%s:%u: not a text line (too long or binary): is this a configuration file?", path, lineno);
			first = GX_E_INVAL;
			break;
		}
		ret = read_line(c, line, path, lineno, log);
		if (first == 0)
			first = ret;
	}
	free(line);
	if (first == 0 && ferror(f)) {
		gx_log(log, GX_LOG_ERROR, "%s: %s", path, strerror(errno));
		first = GX_E_IO;
	}
	return first;
}

int gx_conf_read(struct gx_conf *c, const char *path, const struct gx_log *log)
{
	FILE *f = fopen(path, "re");
	if (f == NULL && errno == ENOENT)
		return GX_E_NOTFOUND;
	if (f == NULL) {
		gx_log(log, GX_LOG_ERROR, "%s: %s", path, strerror(errno));
		return GX_E_IO;
	}
	int ret = read_stream(c, f, path, log);
	fclose(f);
	return ret;
}

/* ---- Asking ---- */

const char *gx_conf_str(const struct gx_conf *c, const char *key)
{
	const struct entry *e = must_find(c, key);
	return e->value != NULL ? e->value : e->key->dflt;
}

uint64_t gx_conf_uint(const struct gx_conf *c, const char *key)
{
	const struct entry *e = must_find(c, key);
	assert(e->key->type != GX_CONF_STRING && e->key->type != GX_CONF_LISTEN);
	return e->num;
}

bool gx_conf_bool(const struct gx_conf *c, const char *key)
{
	const struct entry *e = must_find(c, key);
	assert(e->key->type == GX_CONF_BOOL);
	return e->num != 0;
}

bool gx_conf_is_set(const struct gx_conf *c, const char *key)
{
	return must_find(c, key)->value != NULL;
}

const char *gx_conf_origin(const struct gx_conf *c, const char *key)
{
	const struct entry *e = must_find(c, key);
	return e->origin != NULL ? e->origin : "default";
}

/* ---- Dump ---- */

struct dump {
	void (*line)(const char *text, void *ctx);
	void *ctx;
};

static void dump_help(const struct dump *d, const char *text)
{
	char buf[100];
	while (*text != '\0') {
		size_t n = strlen(text);
		if (n > 90) {
			for (n = 90; n > 40 && text[n] != ' '; --n)
				;
			while (n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
				--n;
		}
		snprintf(buf, sizeof(buf), "# %.*s", (int)n, text);
		d->line(buf, d->ctx);
		text += n;
		text += strspn(text, " ");
	}
}

static void dump_entry(const struct dump *d, const struct entry *e)
{
	size_t cap = strlen(e->key->name) + strlen(e->value != NULL ? e->value : e->key->dflt) + 8;
	char *buf = malloc(cap);
	if (buf == NULL)
		return;
	d->line("", d->ctx);
	dump_help(d, e->key->help);
	snprintf(buf, cap, "%s%s = %s", e->value != NULL ? "" : "#", e->key->name, e->value != NULL ? e->value : e->key->dflt);
	d->line(buf, d->ctx);
	free(buf);
}

void gx_conf_dump(const struct gx_conf *c, void (*line)(const char *text, void *ctx), void *ctx)
{
	struct dump d = {line, ctx};
	for (size_t i = 0; i < c->n; ++i)
		if (!c->v[i].foreign && (c->v[i].key->type != GX_CONF_DEPRECATED || c->v[i].value != NULL))
			dump_entry(&d, &c->v[i]);
}
