/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxstore/far-int.h"

#define BUCKETS 1024U
#define TICK_SEARCH_MS 300 /* a store, each tick, for search folders that are not through */
#define TICK_SORT_MS 1000 /* a store, each tick, for sort orders: tables hold their rows in memory until then */
#define TICK_INDEX_MS 300 /* a store, each tick, for its full-text index */

enum { OPENING, OPEN, CLOSING };
struct entry {
	struct entry *next;
	char *dir;
	struct gx_store *s;
	int state;
	unsigned users;
	int64_t idle_since;
};
struct gx_store_pool {
	struct gx_store_pool_opts o;
	pthread_mutex_t lock;
	pthread_cond_t cond; /* an entry changed its state */
	struct entry *bucket[BUCKETS];
	unsigned count;
};

static int64_t now_ms(const struct gx_store_pool *p)
{
	return gx_clock_mono_ms(p->o.store.clock == NULL ? gx_clock_system() : p->o.store.clock);
}

uint32_t gx_store__dir_hash(const char *dir)
{
	uint32_t h = 2166136261U; /* FNV-1a */
	for (; *dir != '\0'; ++dir)
		h = (h ^ (uint8_t)*dir) * 16777619U;
	return h;
}

static struct entry **bucket_of(struct gx_store_pool *p, const char *dir)
{
	return &p->bucket[gx_store__dir_hash(dir) % BUCKETS];
}

struct gx_store_pool *gx_store_pool_new(const struct gx_store_pool_opts *o)
{
	static const struct gx_store_pool_opts none = GX_STORE_POOL_OPTS_INIT;
	struct gx_store_pool *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->o = o == NULL ? none : *o;
	if (p->o.max_open == 0)
		p->o.max_open = 5000;
	if (p->o.idle_seconds == 0)
		p->o.idle_seconds = 60;
	if (pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p);
		return NULL;
	}
	if (pthread_cond_init(&p->cond, NULL) != 0) {
		pthread_mutex_destroy(&p->lock);
		free(p);
		return NULL;
	}
	return p;
}

static void entry_free(struct entry *e)
{
	free(e->dir);
	free(e);
}

static void unlink_entry(struct gx_store_pool *p, struct entry *e)
{
	struct entry **at = bucket_of(p, e->dir);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	p->count--;
}

void gx_store_pool_free(struct gx_store_pool *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *e = p->bucket[i], *next; e != NULL; e = next) {
			next = e->next;
			gx_store_close(e->s);
			entry_free(e);
		}
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct entry *find(struct gx_store_pool *p, const char *dir)
{
	for (struct entry *e = *bucket_of(p, dir); e != NULL; e = e->next)
		if (strcmp(e->dir, dir) == 0)
			return e;
	return NULL;
}

/* Closes an idle entry; the lock is given up meanwhile. */
static void close_entry(struct gx_store_pool *p, struct entry *e)
{
	e->state = CLOSING;
	pthread_mutex_unlock(&p->lock);
	gx_store_close(e->s);
	pthread_mutex_lock(&p->lock);
	unlink_entry(p, e);
	entry_free(e);
	pthread_cond_broadcast(&p->cond);
}

/* What its owner was told, but has not flushed, is remembered here. */
static bool may_close(struct gx_store *s)
{
	return s->ops == NULL || !s->ops->unsynced(s);
}

static struct entry *longest_idle(struct gx_store_pool *p)
{
	struct entry *best = NULL;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *e = p->bucket[i]; e != NULL; e = e->next)
			if (e->state == OPEN && e->users == 0 && may_close(e->s) && (best == NULL || e->idle_since < best->idle_since))
				best = e;
	return best;
}

static struct entry *add(struct gx_store_pool *p, const char *dir)
{
	struct entry *e = calloc(1, sizeof(*e));
	if (e == NULL || (e->dir = strdup(dir)) == NULL) {
		free(e);
		return NULL;
	}
	struct entry **b = bucket_of(p, dir);
	e->state = OPENING;
	e->users = 1;
	e->next = *b;
	*b = e;
	p->count++;
	return e;
}

/* The store is opened outside the lock: a slow one does not hold up the others. */
static int open_entry(struct gx_store_pool *p, struct entry *e, struct gx_store **ret_store, struct gx_arena *a, const char **ret_why)
{
	struct gx_store *s = NULL;
	pthread_mutex_unlock(&p->lock);
	bool far = p->o.owner != NULL && (p->o.elsewhere == NULL || p->o.elsewhere(e->dir, p->o.elsewhere_ctx));
	int err = far ? gx_far__open(p->o.owner, e->dir, &p->o.store, &s, a, ret_why) :
		gx_store_open(e->dir, &p->o.store, &s, a, ret_why);
	pthread_mutex_lock(&p->lock);
	if (err != 0) {
		unlink_entry(p, e);
		entry_free(e);
	} else {
		e->s = *ret_store = s;
		e->state = OPEN;
	}
	pthread_cond_broadcast(&p->cond);
	return err;
}

static int get_locked(struct gx_store_pool *p, const char *dir, struct gx_store **ret_store, struct gx_arena *a, const char **ret_why)
{
	struct entry *e;
	for (;;) {
		e = find(p, dir);
		if (e != NULL && e->state == OPEN) {
			e->users++;
			*ret_store = e->s;
			return 0;
		}
		if (e != NULL) {
			pthread_cond_wait(&p->cond, &p->lock);
			continue;
		}
		if (p->count < p->o.max_open)
			break;
		struct entry *old = longest_idle(p);
		if (old == NULL) {
			gx_store__why(a, ret_why, "%s: %u stores are open and in use; raise exmdb's table_size", dir, p->count);
			return GX_E_LIMIT;
		}
		close_entry(p, old);
	}
	e = add(p, dir);
	return e == NULL ? GX_E_NOMEM : open_entry(p, e, ret_store, a, ret_why);
}

int gx_store_pool_get(struct gx_store_pool *p, const char *dir, struct gx_store **ret_store, struct gx_arena *a, const char **ret_why)
{
	if (p == NULL || dir == NULL || ret_store == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&p->lock);
	int err = get_locked(p, dir, ret_store, a, ret_why);
	pthread_mutex_unlock(&p->lock);
	return err;
}

void gx_store_pool_put(struct gx_store_pool *p, struct gx_store *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	struct entry *e = find(p, gx_store_dir(s));
	if (e != NULL && e->s == s) {
		e->users--;
		e->idle_since = now_ms(p);
	}
	pthread_mutex_unlock(&p->lock);
}

int gx_store_pool_unload(struct gx_store_pool *p, const char *dir)
{
	if (p == NULL || dir == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&p->lock);
	struct entry *e;
	while ((e = find(p, dir)) != NULL && e->state != OPEN)
		pthread_cond_wait(&p->cond, &p->lock);
	int err = e != NULL && e->users > 0 ? GX_E_BUSY : 0;
	if (e != NULL && err == 0)
		close_entry(p, e);
	pthread_mutex_unlock(&p->lock);
	return err;
}

static struct entry *next_idle(struct gx_store_pool *p, int64_t before)
{
	struct entry *e = longest_idle(p);
	return e != NULL && e->idle_since <= before ? e : NULL;
}

/* Calls fn on every open store, outside the lock. GX_E_STATE, what cannot be made good by trying again, goes before others. */
static int each_open(struct gx_store_pool *p, int (*fn)(struct gx_store *s), void (*failed)(const char *dir, int err, void *ctx), void *ctx)
{
	int err = 0;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *e = p->bucket[i]; e != NULL;) {
			if (e->state == OPEN) {
				e->users++;
				pthread_mutex_unlock(&p->lock);
				int r = fn(e->s);
				if (r != 0 && failed != NULL)
					failed(e->dir, r, ctx);
				pthread_mutex_lock(&p->lock);
				if (err == 0 || r == GX_E_STATE)
					err = r;
				e->users--;
			}
			e = e->next; /* read after the call: e was held, its neighbours were not */
		}
	return err;
}

static int tick(struct gx_store *s)
{
	bool done;
	gx_views__trim(s);
	if (s->ops != NULL)
		return 0;
	if (gx_search_run(s, TICK_SEARCH_MS, &done) != 0)
		gx_log(s->log, GX_LOG_DEBUG, "%s: search folders are not through", s->dir);
	if (gx_store_sort(s, TICK_SORT_MS, &done) != 0)
		gx_log(s->log, GX_LOG_DEBUG, "%s: sort orders are not made", s->dir);
	if (gx_store_index(s, TICK_INDEX_MS, &done) != 0)
		gx_log(s->log, GX_LOG_DEBUG, "%s: the full-text index lags behind", s->dir);
	gx_flush__checkpoint(s, 1024);
	return 0;
}

unsigned gx_store_pool_tick(struct gx_store_pool *p)
{
	struct entry *e;
	pthread_mutex_lock(&p->lock);
	int64_t before = now_ms(p) - (int64_t)p->o.idle_seconds * 1000;
	while ((e = next_idle(p, before)) != NULL)
		close_entry(p, e);
	if (each_open(p, tick, NULL, NULL) != 0)
		gx_log(p->o.store.log, GX_LOG_DEBUG, "store pool: housekeeping failed");
	unsigned n = p->count;
	pthread_mutex_unlock(&p->lock);
	return n;
}

int gx_store_pool_sync(struct gx_store_pool *p)
{
	return gx_store_pool_sync_each(p, NULL, NULL);
}

int gx_store_pool_sync_each(struct gx_store_pool *p, void (*failed)(const char *dir, int err, void *ctx), void *ctx)
{
	pthread_mutex_lock(&p->lock);
	int err = each_open(p, gx_store_sync, failed, ctx);
	pthread_mutex_unlock(&p->lock);
	return err;
}

int gx_store_pool_reach(struct gx_store_pool *p, const char *dir, struct gx_arena *a, const char **ret_why)
{
	if (p == NULL || dir == NULL || a == NULL || ret_why == NULL)
		return GX_E_INVAL;
	if (p->o.owner == NULL)
		return 0;
	pthread_mutex_lock(&p->lock);
	const struct entry *e = find(p, dir);
	bool open = e != NULL && e->state == OPEN, far = open && e->s->ops != NULL;
	pthread_mutex_unlock(&p->lock);
	if (!open)
		far = p->o.elsewhere == NULL || p->o.elsewhere(dir, p->o.elsewhere_ctx);
	return far ? gx_far__reach(p->o.owner, dir, a, ret_why) : 0;
}
