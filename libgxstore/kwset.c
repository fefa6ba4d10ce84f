/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/far-int.h"

/*
 * Keywords of a message are one number: of a set of names that many messages share. Sets are never
 * changed nor removed, so a number can be kept.
 */

#define SETS_MAX 65535
#define NAMES_MAX 128U
#define NAME_BYTES 255U

static int by_name(const void *x, const void *y)
{
	return gx_ascii_casecmp(*(const char *const *)x, *(const char *const *)y);
}

/* Anything without space and control characters: the set is kept as a line of words. */
static bool good_name(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > NAME_BYTES)
		return false;
	for (; *s != '\0'; s++)
		if ((uint8_t)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

bool gx_kwset__valid(const char *const *names)
{
	size_t n = 0;
	while (names != NULL && names[n] != NULL)
		if (!good_name(names[n++]) || n > NAMES_MAX)
			return false;
	return true;
}

static size_t count(const char *const *v)
{
	size_t n = 0;
	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

/* Sorted, each once. GX_E_INVAL. */
static int normalize(struct gx_arena *a, const char *const *names, const char ***ret_v, size_t *ret_n)
{
	size_t n = count(names), k = 0;
	if (!gx_kwset__valid(names))
		return GX_E_INVAL;
	const char **v = gx_arena_new_array(a, const char *, n + 1);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		v[i] = names[i];
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || gx_ascii_casecmp(v[k - 1], v[i]) != 0)
			v[k++] = v[i];
	v[k] = NULL;
	*ret_v = v;
	*ret_n = k;
	return 0;
}

static char *join(struct gx_arena *a, const char *const *v, size_t n)
{
	size_t len = 1;
	for (size_t i = 0; i < n; i++)
		len += strlen(v[i]) + 1;
	char *s = gx_arena_alloc(a, len), *p = s;
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t l = strlen(v[i]);
		if (i > 0)
			*p++ = ' ';
		memcpy(p, v[i], l);
		p += l;
	}
	*p = '\0';
	return s;
}

static int add(struct gx_txn *t, const char *key, const char *names, uint32_t *ret_id)
{
	GX_STMT(max, t->q, "SELECT COALESCE(MAX(id),0) FROM kwsets");
	int r = gx_sql__step(max);
	if (r < 0)
		return r;
	int64_t id = gx_sql__int(max, 0) + 1;
	if (id > SETS_MAX)
		return gx_sql__fail(t->q, GX_E_LIMIT, "%s: more than %d combinations of keywords", t->s->file, SETS_MAX);
	GX_STMT(st, t->q, "INSERT INTO kwsets(id,key,names) VALUES(?1,?2,?3)");
	gx_sql__bind_int(st, 1, id);
	gx_sql__bind_text(st, 2, key);
	gx_sql__bind_text(st, 3, names);
	*ret_id = (uint32_t)id;
	return gx_sql__run(st);
}

int gx_kwset__id(struct gx_txn *t, const char *const *names, uint32_t *ret_id)
{
	const char **v;
	size_t n;
	int err = normalize(t->a, names, &v, &n);
	if (err != 0)
		return err;
	*ret_id = 0;
	if (n == 0)
		return 0;
	char *text = join(t->a, v, n), *key = text == NULL ? NULL : gx_arena_strdup(t->a, text);
	if (key == NULL)
		return GX_E_NOMEM;
	for (char *p = key; *p != '\0'; p++)
		*p = (char)gx_ascii_tolower((uint8_t)*p);
	GX_STMT(st, t->q, "SELECT id FROM kwsets WHERE key=?1");
	gx_sql__bind_text(st, 1, key);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	if (r == 0)
		return add(t, key, text, ret_id);
	*ret_id = (uint32_t)gx_sql__int(st, 0);
	return 0;
}

static const char *const *split(struct gx_arena *a, char *s)
{
	size_t n = 1;
	for (const char *p = s; *p != '\0'; p++)
		n += *p == ' ';
	const char **v = gx_arena_new_array(a, const char *, n + 1);
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		v[i] = s;
		s += strcspn(s, " ");
		if (*s == ' ')
			*s++ = '\0';
	}
	return v;
}

int gx_kwset__names(struct gx_sql *q, uint32_t id, struct gx_arena *a, const char *const **ret_names)
{
	static const char *const none[] = {NULL};
	if (id == 0) {
		*ret_names = none;
		return 0;
	}
	GX_STMT(st, q, "SELECT names FROM kwsets WHERE id=?1");
	gx_sql__bind_int(st, 1, id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	char *s = gx_arena_strdup(a, gx_sql__text(st, 0));
	*ret_names = s == NULL ? NULL : split(a, s);
	return *ret_names == NULL ? GX_E_NOMEM : 0;
}

static bool among(const char *const *v, const char *s)
{
	for (; v != NULL && *v != NULL; v++)
		if (gx_ascii_casecmp(*v, s) == 0)
			return true;
	return false;
}

int gx_kwset__apply(struct gx_txn *t, uint32_t old, int op, const char *const *names, uint32_t *ret_id)
{
	const char *const *have;
	if (op == GX_FLAGS_SET)
		return gx_kwset__id(t, names, ret_id);
	int err = gx_kwset__names(t->q, old, t->a, &have);
	if (err != 0)
		return err;
	const char **v = gx_arena_new_array(t->a, const char *, count(have) + count(names) + 1);
	if (v == NULL)
		return GX_E_NOMEM;
	size_t n = 0;
	for (; *have != NULL; have++)
		if (op == GX_FLAGS_ADD || !among(names, *have))
			v[n++] = *have;
	for (; op == GX_FLAGS_ADD && names != NULL && *names != NULL; names++)
		v[n++] = *names;
	return gx_kwset__id(t, v, ret_id);
}

gx_ec gx_store_keywords(struct gx_store *s, uint32_t kwset, struct gx_arena *a, const char *const **ret_names)
{
	struct gx_txn *t;
	if (s->ops != NULL)
		return s->ops->keywords(s, kwset, a, ret_names);
	int err = gx_txn__system(s, GX_TXN_READ, 10000, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	err = gx_kwset__names(t->q, kwset, a, ret_names);
	gx_txn_abort(t);
	return gx_ec_from_err(err);
}
