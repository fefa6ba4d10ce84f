/* SPDX-License-Identifier: Apache-2.0 */
/* Users by their name, in any case. */
#include <config.h>
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/session/users.h"

enum { BUCKETS_FIRST = 64 };

struct gx_sess_users {
	pthread_mutex_t lock;
	struct gx_sess_user **v;
	size_t buckets, n;                 /* a power of two; of users */
	unsigned sessions[GX_SESS_KINDS], users[GX_SESS_KINDS];
};

int gx_sess_users__new(struct gx_sess_users **ret_u)
{
	struct gx_sess_users *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return GX_E_NOMEM;
	u->buckets = BUCKETS_FIRST;
	u->v = calloc(u->buckets, sizeof(*u->v));
	if (u->v == NULL || pthread_mutex_init(&u->lock, NULL) != 0) {
		free(u->v);
		free(u);
		return GX_E_NOMEM;
	}
	*ret_u = u;
	return 0;
}

void gx_sess_users__free(struct gx_sess_users *u)
{
	if (u == NULL)
		return;
	pthread_mutex_destroy(&u->lock);
	free(u->v);
	free(u);
}

static uint32_t hash_of(const char *name)
{
	uint32_t h = 2166136261U;
	for (const char *s = name; *s != '\0'; ++s)
		h = (h ^ (uint32_t)tolower((unsigned char)*s)) * 16777619U;
	return h;
}

/* With the lock, as are the next three. Without memory the chains grow longer. */
static void grow(struct gx_sess_users *u)
{
	size_t want = u->buckets * 2;
	struct gx_sess_user **v = calloc(want, sizeof(*v));
	if (v == NULL)
		return;
	for (size_t i = 0; i < u->buckets; ++i)
		for (struct gx_sess_user *w = u->v[i], *next; w != NULL; w = next) {
			next = w->next;
			w->next = v[w->hash & (want - 1)];
			v[w->hash & (want - 1)] = w;
		}
	free(u->v);
	u->v = v;
	u->buckets = want;
}

static struct gx_sess_user *find(const struct gx_sess_users *u, uint32_t hash, const char *name)
{
	struct gx_sess_user *w = u->v[hash & (u->buckets - 1)];
	while (w != NULL && (w->hash != hash || strcasecmp(w->name, name) != 0))
		w = w->next;
	return w;
}

static struct gx_sess_user *add(struct gx_sess_users *u, uint32_t hash, const char *name)
{
	size_t len = strlen(name) + 1;
	struct gx_sess_user *w = calloc(1, sizeof(*w) + len);
	if (w == NULL)
		return NULL;
	if (u->n >= u->buckets)
		grow(u);
	memcpy(w->name, name, len);
	w->hash = hash;
	w->next = u->v[hash & (u->buckets - 1)];
	u->v[hash & (u->buckets - 1)] = w;
	++u->n;
	return w;
}

static bool has_room(const struct gx_sess_users *u, unsigned kind, const struct gx_sess_user *w, const struct gx_sess_limits *l)
{
	unsigned own = w == NULL ? 0 : w->count[kind];
	return (l->sessions == 0 || u->sessions[kind] < l->sessions) && (l->of_user == 0 || own < l->of_user) &&
	       (l->users == 0 || own > 0 || u->users[kind] < l->users);
}

int gx_sess_users__enter(struct gx_sess_users *u, unsigned kind, const char *name, const struct gx_sess_limits *l, struct gx_sess_user **ret_w)
{
	uint32_t hash = hash_of(name);
	int err = 0;
	pthread_mutex_lock(&u->lock);
	struct gx_sess_user *w = find(u, hash, name);
	if (!has_room(u, kind, w, l))
		err = GX_E_LIMIT;
	else if (w == NULL && (w = add(u, hash, name)) == NULL)
		err = GX_E_NOMEM;
	if (err == 0) {
		++u->sessions[kind];
		u->users[kind] += w->count[kind]++ == 0;
		*ret_w = w;
	}
	pthread_mutex_unlock(&u->lock);
	return err;
}

static bool is_gone(const struct gx_sess_user *w)
{
	for (unsigned i = 0; i < GX_SESS_KINDS; ++i)
		if (w->count[i] != 0)
			return false;
	return true;
}

void gx_sess_users__leave(struct gx_sess_users *u, unsigned kind, struct gx_sess_user *w)
{
	pthread_mutex_lock(&u->lock);
	--u->sessions[kind];
	u->users[kind] -= --w->count[kind] == 0;
	if (is_gone(w)) {
		struct gx_sess_user **at = &u->v[w->hash & (u->buckets - 1)];
		while (*at != w)
			at = &(*at)->next;
		*at = w->next;
		--u->n;
		free(w);
	}
	pthread_mutex_unlock(&u->lock);
}

bool gx_sess_user__is(const struct gx_sess_user *w, const char *name)
{
	return strcasecmp(w->name, name) == 0;
}

unsigned gx_sess_users__sessions(struct gx_sess_users *u, unsigned kind)
{
	pthread_mutex_lock(&u->lock);
	unsigned n = u->sessions[kind];
	pthread_mutex_unlock(&u->lock);
	return n;
}
