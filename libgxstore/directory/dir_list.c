/* SPDX-License-Identifier: Apache-2.0 */
/* Distribution lists. */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/directory/dir-int.h"

enum { MAX_MEMBERS = 100000, MAX_LISTS = 1000 };

struct list {
	int64_t id, domain_id;
	int type, privilege;
	const char *name;
};

/* A set of names in the order they came; caseless. */
struct names {
	struct gx_arena *a;
	const char **v;
	size_t n, cap;
	size_t *table, table_size; /* index + 1, 0 free */
};

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261U;
	for (; *s != '\0'; ++s)
		h = (h ^ (uint32_t)gx_ascii_tolower((unsigned char)*s)) * 16777619U;
	return h ^ h >> 15;
}

static int rehash(struct names *s)
{
	size_t size = s->table_size == 0 ? 64 : s->table_size * 2;
	size_t *t = gx_arena_new_array(s->a, size_t, size);
	if (t == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < s->n; ++i) {
		size_t k = hash_name(s->v[i]) & (size - 1);
		while (t[k] != 0)
			k = (k + 1) & (size - 1);
		t[k] = i + 1;
	}
	s->table = t;
	s->table_size = size;
	return 0;
}

/* @return 1 added, 0 known already, or GX_E_*. */
static int add_name(struct names *s, const char *name)
{
	if (s->n * 2 >= s->table_size) {
		int err = rehash(s);
		if (err != 0)
			return err;
	}
	size_t k = hash_name(name) & (s->table_size - 1);
	for (; s->table[k] != 0; k = (k + 1) & (s->table_size - 1))
		if (gx_ascii_casecmp(s->v[s->table[k] - 1], name) == 0)
			return 0;
	s->v = gx_arena_grow(s->a, s->v, &s->cap, s->n + 2, sizeof(*s->v));
	const char *copy = s->v == NULL ? NULL : gx_arena_strdup(s->a, name);
	if (copy == NULL)
		return GX_E_NOMEM;
	s->v[s->n++] = copy;
	s->v[s->n] = NULL;
	s->table[k] = s->n;
	return 1;
}

static int find_list(struct gx_dirconn *c, const char *name, struct gx_arena *a, struct list *ret_l)
{
	struct gx_dirstmt *st;
	int r = gx_dir__run(c, GX_DQ_LIST_BY_NAME, GX_ARGS(GX_NAME(name)), &st);
	if (r != 0)
		return r;
	r = gx_dir__step(st);
	if (r == 1) {
		*ret_l = (struct list){.id = gx_dir__num(st, 0), .type = (int)gx_dir__num(st, 1),
			.privilege = (int)gx_dir__num(st, 2), .name = gx_dir__col(a, st, 3), .domain_id = gx_dir__num(st, 4)};
		r = ret_l->name == NULL ? GX_E_NOMEM : 1;
	}
	gx_dir__done(st);
	return r == 1 ? 0 : r == 0 ? GX_E_NOTFOUND : r;
}

/* The name in column 0. */
static int take_name(struct gx_dirstmt *st, void *ctx)
{
	struct names *out = ctx;
	int r = add_name(out, gx_dir__text(st, 0));
	return r < 0 ? r : out->n > MAX_MEMBERS ? GX_E_LIMIT : 0;
}

/* Names directly in the list. */
static int direct(struct gx_dirconn *c, const struct list *l, struct names *out)
{
	bool domain = l->type == GX_LIST_DOMAIN;
	return gx_dir__each(c, domain ? GX_DQ_LIST_DOMAIN_MEMBERS : GX_DQ_LIST_MEMBERS, GX_ARGS(GX_NUM(domain ? l->domain_id : l->id)),
		take_name, out);
}

/* Breadth first through nested lists, each once, so that circles end. */
static int expand(struct gx_dirconn *c, const struct list *top, struct gx_arena *a, struct names *ret_people)
{
	struct names seen = {.a = a}, lists = {.a = a}, people = {.a = a};
	struct list l = *top;
	int r = add_name(&lists, top->name);
	for (size_t done = 0, at = 0; r >= 0 && at < lists.n; ++at) {
		if (at > 0)
			r = find_list(c, lists.v[at], a, &l);
		if (r >= 0)
			r = direct(c, &l, &seen);
		for (; r >= 0 && done < seen.n; ++done) {
			struct list nested;
			r = find_list(c, seen.v[done], a, &nested);
			if (r == 0)
				r = lists.n >= MAX_LISTS ? GX_E_LIMIT : add_name(&lists, nested.name);
			else if (r == GX_E_NOTFOUND)
				r = add_name(&people, seen.v[done]);
		}
	}
	*ret_people = people;
	return r < 0 ? r : 0;
}

static bool in(const struct names *s, const char *who)
{
	for (size_t i = 0; i < s->n; ++i)
		if (gx_ascii_casecmp(s->v[i], who) == 0)
			return true;
	return false;
}

/* mlists.list_privilege: @return 1 may post, 0 may not, or GX_E_*. */
static int may_post(struct gx_dirconn *c, const struct list *l, const struct names *people, const char *sender, struct gx_arena *a)
{
	char key[GX_DIR_ADDR_MAX + 1] = "";
	struct gx_user u;
	if (l->privilege == GX_LISTPRIV_ALL)
		return 1;
	if (sender == NULL || gx_dir__normalise(sender, key) != 0)
		return 0;
	int r = gx_dir__load_user(c, key, a, &u);
	if (r != 0 && r != GX_E_NOTFOUND)
		return r;
	const char *who = r == 0 ? u.username : key;
	switch (l->privilege) {
	case GX_LISTPRIV_INTERNAL:
		return in(people, who);
	case GX_LISTPRIV_DOMAIN:
		return gx_ascii_casecmp(gx_dir__domain_of(who), gx_dir__domain_of(l->name)) == 0;
	case GX_LISTPRIV_SPECIFIED:
		r = gx_dir__first(c, GX_DQ_LIST_MAY_SEND, GX_ARGS(GX_NUM(l->id), GX_NAME(who)), NULL);
		return r == 0 ? 1 : r == GX_E_NOTFOUND ? 0 : r;
	case GX_LISTPRIV_OUTGOING:
		return r == 0;
	default:
		return 0;
	}
}

struct query {
	const char *key, *sender;
	bool check;
	struct gx_arena *a;
	struct names out;
};

static int load_people(struct gx_dirconn *c, void *ctx)
{
	struct query *q = ctx;
	struct list l;
	int r = find_list(c, q->key, q->a, &l);
	if (r == 0)
		r = expand(c, &l, q->a, &q->out);
	if (r != 0 || !q->check)
		return r;
	r = may_post(c, &l, &q->out, q->sender, q->a);
	return r == 1 ? 0 : r == 0 ? GX_E_STATE : r;
}

static int list_people(struct gx_dir *d, const char *list, bool check, const char *sender, struct gx_arena *a,
	const char *const **ret_v, size_t *ret_n)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || list == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(list, key) != 0)
		return GX_E_NOTFOUND;
	struct query q = {.key = key, .sender = sender, .check = check, .a = a};
	int r = gx_dir__read(d, load_people, &q);
	if (r == 0) {
		static const char *const none[] = {NULL};
		*ret_v = q.out.n == 0 ? none : q.out.v;
		*ret_n = q.out.n;
	}
	return r;
}

int gx_dir_expand_list(struct gx_dir *d, const char *list, const char *sender, struct gx_arena *a, const char *const **ret_v, size_t *ret_n)
{
	return list_people(d, list, true, sender, a, ret_v, ret_n);
}

int gx_dir_list_members(struct gx_dir *d, const char *list, struct gx_arena *a, const char *const **ret_v, size_t *ret_n)
{
	return list_people(d, list, false, NULL, a, ret_v, ret_n);
}

static int lists_of(struct gx_dirconn *c, enum gx_dir_q q, const char *who, struct names *out)
{
	return gx_dir__each(c, q, GX_ARGS(GX_NAME(who)), take_name, out);
}

static int load_groups(struct gx_dirconn *c, void *ctx)
{
	struct query *q = ctx;
	struct gx_user u;
	q->out = (struct names){.a = q->a};
	int r = gx_dir__load_user(c, q->key, q->a, &u);
	const char *who = r == 0 ? u.username : q->key;
	if (r == 0 || r == GX_E_NOTFOUND)
		r = lists_of(c, GX_DQ_LISTS_OF, who, &q->out);
	if (r == 0)
		r = lists_of(c, GX_DQ_LISTS_OF_DOMAIN, who, &q->out);
	/* Lists that a list is in. */
	for (size_t i = 0; r == 0 && i < q->out.n && q->out.n <= MAX_LISTS; ++i)
		r = lists_of(c, GX_DQ_LISTS_OF, q->out.v[i], &q->out);
	return r;
}

int gx_dir_groups_of(struct gx_dir *d, const char *address, struct gx_arena *a, const char *const **ret_v)
{
	static const char *const none[] = {NULL};
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || address == NULL || a == NULL || ret_v == NULL)
		return GX_E_INVAL;
	*ret_v = none;
	if (gx_dir__normalise(address, key) != 0)
		return 0;
	struct query q = {.key = key, .a = a};
	int r = gx_dir__read(d, load_groups, &q);
	if (r == 0 && q.out.n > 0)
		*ret_v = q.out.v;
	return r;
}
