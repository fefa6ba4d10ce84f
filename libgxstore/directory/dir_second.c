/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes of others that clients open beside a user's own. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

enum { MOST = 1000 };

struct seconds {
	struct gx_arena *a;
	const char *key;
	const char **v;
	size_t n, cap;
};

static int take_name(struct gx_dirstmt *st, void *ctx)
{
	struct seconds *s = ctx;
	if (s->n == MOST)
		return GX_E_LIMIT;
	s->v = gx_arena_grow(s->a, s->v, &s->cap, s->n + 2, sizeof(*s->v));
	const char *name = s->v == NULL ? NULL : gx_dir__col(s->a, st, 0);
	if (name == NULL)
		return GX_E_NOMEM;
	s->v[s->n++] = name;
	s->v[s->n] = NULL;
	return 0;
}

static int load(struct gx_dirconn *c, void *ctx)
{
	struct seconds *s = ctx;
	s->n = 0;
	return gx_dir__each(c, GX_DQ_SECOND_STORES, GX_ARGS(GX_NAME(s->key)), take_name, s);
}

int gx_dir_second_stores(struct gx_dir *d, const char *username, struct gx_arena *a, const char *const **ret_v)
{
	static const char *const none[] = {NULL};
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || username == NULL || a == NULL || ret_v == NULL)
		return GX_E_INVAL;
	*ret_v = none;
	if (gx_dir__normalise(username, key) != 0)
		return 0;
	struct seconds s = {.a = a, .key = key};
	int err = gx_dir__read(d, load, &s);
	if (err == 0 && s.n > 0)
		*ret_v = s.v;
	return err;
}

struct pair {
	enum gx_dir_q q;
	const char *user, *other;
};

static int change(struct gx_dirconn *c, void *ctx)
{
	const struct pair *p = ctx;
	return gx_dir__change(c, p->q, GX_ARGS(GX_NAME(p->user), GX_NAME(p->other)));
}

static int change_pair(struct gx_dir *d, enum gx_dir_q q, const char *username, const char *other)
{
	char one[GX_DIR_ADDR_MAX + 1], two[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || username == NULL || other == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(username, one) != 0 || gx_dir__normalise(other, two) != 0)
		return GX_E_NOTFOUND;
	struct pair p = {q, one, two};
	return gx_dir__write(d, change, &p);
}

int gx_dir_add_second_store(struct gx_dir *d, const char *username, const char *other)
{
	return change_pair(d, GX_DQ_SECOND_INSERT, username, other);
}

int gx_dir_del_second_store(struct gx_dir *d, const char *username, const char *other)
{
	return change_pair(d, GX_DQ_SECOND_DELETE, username, other);
}
