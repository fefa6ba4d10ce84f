/* SPDX-License-Identifier: Apache-2.0 */
/* The map of users that kdb-uidextract makes: an array of objects with "na", "em", "dn", "to". */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <gx/charset.h>
#include "libgxproto/mbop/mbop-int.h"

struct pair {
	const char *from, *to;
};
struct index {
	struct pair *v;
	size_t n, cap;
};
struct gx_mbop_map {
	struct index dn, name;
};

static int failed(struct gx_arena *a, const char **ret_why, const char *why)
{
	*ret_why = why != NULL ? why : "";
	(void)a;
	return why != NULL ? GX_E_INVAL : GX_E_NOMEM;
}

static int add(struct gx_arena *a, struct index *x, const char *from, const char *to)
{
	if (from == NULL || *from == '\0')
		return 0;
	x->v = gx_arena_grow(a, x->v, &x->cap, x->n + 1, sizeof(*x->v));
	if (x->v == NULL)
		return GX_E_NOMEM;
	x->v[x->n] = (struct pair){gx_arena_strdup(a, from), gx_arena_strdup(a, to)};
	return x->v[x->n].from == NULL || x->v[x->n++].to == NULL ? GX_E_NOMEM : 0;
}

/* NULL when it is not there, null, or no text. */
static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int take(struct gx_arena *a, const json_t *list, const char *path, struct gx_mbop_map *m, const char **ret_why)
{
	size_t i;
	const json_t *o;
	json_array_foreach(list, i, o) {
		if (!json_is_object(o))
			return failed(a, ret_why, gx_arena_printf(a, "%s: entry %zu is no object", path, i + 1));
		const char *to = text_of(o, "to");
		if (to == NULL || *to == '\0')
			continue; /* nobody here */
		const char *at = strchr(to, '@');
		if (at == NULL || at == to || at[1] == '\0')
			return failed(a, ret_why, gx_arena_printf(a, "%s: entry %zu: \"%s\" is no mail address", path, i + 1, to));
		int err = add(a, &m->dn, text_of(o, "dn"), to);
		if (err == 0)
			err = add(a, &m->name, text_of(o, "na"), to);
		if (err == 0)
			err = add(a, &m->name, text_of(o, "em"), to);
		if (err != 0)
			return err;
	}
	return 0;
}

static int by_name(const void *x, const void *y)
{
	return gx_ascii_casecmp(((const struct pair *)x)->from, ((const struct pair *)y)->from);
}

/* Servers of a cluster list the same people; but one name must not be two. */
static int sort(struct gx_arena *a, struct index *x, const char *path, const char **ret_why)
{
	if (x->n > 1)
		qsort(x->v, x->n, sizeof(*x->v), by_name);
	for (size_t i = 1; i < x->n; ++i)
		if (by_name(&x->v[i - 1], &x->v[i]) == 0 && gx_ascii_casecmp(x->v[i - 1].to, x->v[i].to) != 0)
			return failed(a, ret_why, gx_arena_printf(a, "%s: \"%s\" is both %s and %s", path, x->v[i].from, x->v[i - 1].to,
				x->v[i].to));
	return 0;
}

int gx_mbop__map_read(struct gx_arena *a, const char *path, struct gx_mbop_map **ret_m, const char **ret_why)
{
	json_error_t e;
	struct gx_mbop_map *m = gx_arena_new_obj(a, struct gx_mbop_map);
	if (m == NULL)
		return GX_E_NOMEM;
	errno = 0;
	json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	if (list == NULL && e.line <= 0)
		return failed(a, ret_why, gx_arena_printf(a, "%s: %s", path, errno != 0 ? strerror(errno) : e.text));
	if (list == NULL)
		return failed(a, ret_why, gx_arena_printf(a, "%s:%d: %s", path, e.line, e.text));
	int err = json_is_array(list) ? take(a, list, path, m, ret_why)
		: failed(a, ret_why, gx_arena_printf(a, "%s: expected an array of users", path));
	json_decref(list);
	if (err == 0)
		err = sort(a, &m->dn, path, ret_why);
	if (err == 0)
		err = sort(a, &m->name, path, ret_why);
	*ret_m = m;
	return err;
}

static const char *look(const struct index *x, const char *key)
{
	const struct pair k = {key, NULL};
	const struct pair *p = x->n == 0 ? NULL : bsearch(&k, x->v, x->n, sizeof(*x->v), by_name);
	return p != NULL ? p->to : NULL;
}

const char *gx_mbop__map_dn(const struct gx_mbop_map *m, const char *dn)
{
	return look(&m->dn, dn);
}

const char *gx_mbop__map_name(const struct gx_mbop_map *m, const char *name)
{
	return look(&m->name, name);
}

bool gx_mbop__is_json(struct gx_bin b, struct gx_arena *a, const char **ret_why)
{
	json_error_t e;
	json_t *j = json_loadb((const char *)b.data, b.len, 0, &e);
	if (j == NULL)
		*ret_why = gx_arena_printf(a, "line %d is no JSON: %s", e.line, e.text);
	json_decref(j);
	return j != NULL;
}
