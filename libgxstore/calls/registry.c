/* SPDX-License-Identifier: Apache-2.0 */
/* What clients have open in stores: tables, instances, subscriptions, by number. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/calls/call-int.h"

static struct gx_callstore **bucket_of(struct gx_exmdb_host *h, const char *dir)
{
	return &h->bucket[gx_store__dir_hash(dir) % GX_CALLSTORE_BUCKETS];
}

static struct gx_callstore *find(struct gx_exmdb_host *h, const char *dir)
{
	struct gx_callstore *cs = *bucket_of(h, dir);
	while (cs != NULL && strcmp(cs->dir, dir) != 0)
		cs = cs->next;
	return cs;
}

static struct gx_callstore *callstore_new(struct gx_exmdb_host *h, const char *dir)
{
	struct gx_guid g;
	struct gx_callstore *cs = calloc(1, sizeof(*cs));
	if (cs == NULL || (cs->dir = strdup(dir)) == NULL || gx_guid_random(&g) != 0 || pthread_mutex_init(&cs->watch, NULL) != 0) {
		if (cs != NULL)
			free(cs->dir);
		free(cs);
		return NULL;
	}
	if (gx_store_pool_get(h->o.pool, dir, &cs->s, NULL, NULL) != 0) {
		pthread_mutex_destroy(&cs->watch);
		free(cs->dir);
		free(cs);
		return NULL;
	}
	cs->host = h;
	/* numbers of the time before a restart should not fit by chance */
	cs->last_id = g.d1 & 0x3fffffff;
	return cs;
}

static void callstore_free(struct gx_callstore *cs)
{
	gx_callev__unwatch(cs);
	gx_store_pool_put(cs->host->o.pool, cs->s);
	pthread_mutex_destroy(&cs->watch);
	free(cs->dir);
	free(cs);
}

/* Counted for the caller. NULL: out of memory. */
static struct gx_callstore *callstore_get(struct gx_exmdb_host *h, const char *dir)
{
	struct gx_callstore *fresh = NULL;
	pthread_mutex_lock(&h->lock);
	struct gx_callstore *cs = find(h, dir);
	if (cs == NULL) {
		pthread_mutex_unlock(&h->lock);
		fresh = callstore_new(h, dir);
		if (fresh == NULL)
			return NULL;
		pthread_mutex_lock(&h->lock);
		cs = find(h, dir);
	}
	if (cs == NULL) {
		struct gx_callstore **at = bucket_of(h, dir);
		cs = fresh;
		fresh = NULL;
		cs->next = *at;
		*at = cs;
	}
	++cs->users;
	pthread_mutex_unlock(&h->lock);
	if (fresh != NULL)
		callstore_free(fresh);
	return cs;
}

/* With the lock held; gives it up. */
static void callstore_put(struct gx_callstore *cs)
{
	struct gx_exmdb_host *h = cs->host;
	bool last = --cs->users == 0;
	if (last) {
		struct gx_callstore **at = bucket_of(h, cs->dir);
		while (*at != cs)
			at = &(*at)->next;
		*at = cs->next;
	}
	pthread_mutex_unlock(&h->lock);
	if (last)
		callstore_free(cs);
}

/* ---- Objects ---- */

static void obj_free(struct gx_callobj *o)
{
	if (o->release != NULL)
		o->release(o->p);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static struct gx_callobj *obj_new(struct gx_call_ctx *c, int kind, void *p, void (*release)(void *p))
{
	struct gx_callobj *o = calloc(1, sizeof(*o));
	if (o != NULL && pthread_mutex_init(&o->lock, NULL) != 0) {
		free(o);
		o = NULL;
	}
	if (o == NULL) {
		release(p);
		return NULL;
	}
	o->client = c->client;
	o->kind = (uint8_t)kind;
	o->p = p;
	o->release = release;
	return o;
}

static bool id_taken(const struct gx_callstore *cs, uint32_t id)
{
	for (const struct gx_callobj *o = cs->objs; o != NULL; o = o->next)
		if (o->id == id)
			return true;
	return id == 0;
}

/* One client may serve very many users, and has a view of each folder that one of them has selected. */
static unsigned most(const struct gx_exmdb_host *h, int kind)
{
	return kind == GX_OBJ_VIEW ? 100 * h->o.max_objects : h->o.max_objects;
}

static bool insert(struct gx_callstore *cs, struct gx_callobj *o)
{
	if (o->client->count[o->kind] >= most(cs->host, o->kind))
		return false;
	do
		++cs->last_id;
	while (id_taken(cs, cs->last_id));
	o->id = cs->last_id;
	o->cs = cs;
	o->next = cs->objs;
	cs->objs = o;
	++o->client->count[o->kind];
	cs->subs += o->kind == GX_OBJ_SUB;
	return true;
}

gx_ec gx_callobj__add(struct gx_call_ctx *c, int kind, void *p, void (*release)(void *p), uint32_t *ret_id)
{
	static const char *const names[] = {[GX_OBJ_TABLE] = "tables", [GX_OBJ_INSTANCE] = "instances", [GX_OBJ_SUB] = "subscriptions",
		[GX_OBJ_VIEW] = "views"};
	struct gx_callobj *o = obj_new(c, kind, p, release);
	if (o == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	struct gx_callstore *cs = callstore_get(c->host, c->dir);
	if (cs == NULL) {
		obj_free(o);
		return gx_call__err(c, GX_E_NOMEM);
	}
	int err = kind == GX_OBJ_SUB ? gx_callev__watch(cs) : 0;
	pthread_mutex_lock(&c->host->lock);
	if (err == 0 && insert(cs, o)) {
		*ret_id = o->id;
		pthread_mutex_unlock(&c->host->lock);
		return GX_OK_EC;
	}
	callstore_put(cs);
	obj_free(o);
	if (err != 0)
		return gx_call__err(c, err);
	return gx_call__fail(c, ecMaxObjsExceeded, "client %s has %u %s open; it should close some", c->client->remote_id,
		most(c->host, kind), names[kind]);
}

/* With the lock held. */
static struct gx_callobj **place(struct gx_call_ctx *c, int kind, uint32_t id)
{
	struct gx_callstore *cs = find(c->host, c->dir);
	if (cs == NULL)
		return NULL;
	for (struct gx_callobj **at = &cs->objs; *at != NULL; at = &(*at)->next)
		if ((*at)->id == id && (*at)->kind == kind && (*at)->client == c->client)
			return at;
	return NULL;
}

static gx_ec none(struct gx_call_ctx *c, uint32_t id)
{
	return gx_call__fail(c, ecNullObject, "the client has nothing open with number %u here", id);
}

gx_ec gx_callobj__take(struct gx_call_ctx *c, int kind, uint32_t id, struct gx_callobj **ret_o)
{
	pthread_mutex_lock(&c->host->lock);
	struct gx_callobj **at = place(c, kind, id), *o = at != NULL ? *at : NULL;
	if (o != NULL)
		++o->users;
	pthread_mutex_unlock(&c->host->lock);
	if (o == NULL)
		return none(c, id);
	pthread_mutex_lock(&o->lock);
	*ret_o = o;
	return GX_OK_EC;
}

void gx_callobj__give(struct gx_callobj *o)
{
	struct gx_exmdb_host *h = o->cs->host;
	pthread_mutex_unlock(&o->lock);
	pthread_mutex_lock(&h->lock);
	if (--o->users > 0 || !o->gone) {
		pthread_mutex_unlock(&h->lock);
		return;
	}
	struct gx_callstore *cs = o->cs;
	pthread_mutex_unlock(&h->lock);
	obj_free(o);
	pthread_mutex_lock(&h->lock);
	callstore_put(cs);
}

/* With the lock held, which is given up and taken again to release what nobody uses. */
static void remove_at(struct gx_callobj **at)
{
	struct gx_callobj *o = *at;
	struct gx_callstore *cs = o->cs;
	*at = o->next;
	o->gone = true;
	--o->client->count[o->kind];
	cs->subs -= o->kind == GX_OBJ_SUB;
	if (o->users > 0)
		return;
	pthread_mutex_unlock(&cs->host->lock);
	obj_free(o);
	struct gx_exmdb_host *h = cs->host;
	pthread_mutex_lock(&h->lock);
	callstore_put(cs);
	pthread_mutex_lock(&h->lock);
}

gx_ec gx_callobj__drop(struct gx_call_ctx *c, int kind, uint32_t id)
{
	pthread_mutex_lock(&c->host->lock);
	struct gx_callobj **at = place(c, kind, id);
	bool there = at != NULL;
	if (there)
		remove_at(at);
	pthread_mutex_unlock(&c->host->lock);
	return there ? GX_OK_EC : none(c, id);
}

bool gx_callobj__others(struct gx_call_ctx *c)
{
	bool yes = false;
	pthread_mutex_lock(&c->host->lock);
	const struct gx_callstore *cs = find(c->host, c->dir);
	for (const struct gx_callobj *o = cs != NULL ? cs->objs : NULL; o != NULL; o = o->next)
		yes = yes || (o->client != c->client && o->client->users > 0);
	pthread_mutex_unlock(&c->host->lock);
	return yes;
}

void gx_callobj__drop_store(struct gx_exmdb_host *h, const char *dir)
{
	struct gx_callstore *cs;
	pthread_mutex_lock(&h->lock);
	while ((cs = find(h, dir)) != NULL && cs->objs != NULL)
		remove_at(&cs->objs);
	pthread_mutex_unlock(&h->lock);
}

static struct gx_callobj **of_client(struct gx_callstore *cs, const struct gx_exmdb_client *cl)
{
	for (; cs != NULL; cs = cs->next)
		for (struct gx_callobj **at = &cs->objs; *at != NULL; at = &(*at)->next)
			if ((*at)->client == cl)
				return at;
	return NULL;
}

void gx_callobj__drop_client(struct gx_exmdb_client *cl)
{
	struct gx_callobj **at;
	pthread_mutex_lock(&cl->host->lock);
	for (unsigned i = 0; i < GX_CALLSTORE_BUCKETS; ++i)
		while ((at = of_client(cl->host->bucket[i], cl)) != NULL)
			remove_at(at);
	pthread_mutex_unlock(&cl->host->lock);
}

struct gx_callstore *gx_callstore__find(struct gx_call_ctx *c)
{
	pthread_mutex_lock(&c->host->lock);
	struct gx_callstore *cs = find(c->host, c->dir);
	if (cs != NULL)
		++cs->users;
	pthread_mutex_unlock(&c->host->lock);
	return cs;
}

void gx_callstore__give(struct gx_callstore *cs)
{
	if (cs == NULL)
		return;
	pthread_mutex_lock(&cs->host->lock);
	callstore_put(cs);
}
