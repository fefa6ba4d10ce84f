/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "libgxstore/order/order-int.h"

/*
 * Which folders have orders, in memory: a change in a folder without one must cost nothing. There are
 * few in a store, so all of them are read at the first change and kept until they change.
 */

int gx_orders__new(struct gx_orders **ret_o)
{
	pthread_condattr_t attr;
	struct gx_orders *o = calloc(1, sizeof(*o));
	if (o == NULL || pthread_mutex_init(&o->lock, NULL) != 0) {
		free(o);
		return GX_E_NOMEM;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int rc = pthread_cond_init(&o->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (rc != 0) {
		pthread_mutex_destroy(&o->lock);
		free(o);
		return GX_E_NOMEM;
	}
	*ret_o = o;
	return 0;
}

void gx_orders__forget(struct gx_orders *o)
{
	for (unsigned i = 0; i < GX_ORDER_BUCKETS; i++)
		for (struct gx_order *x = o->bucket[i], *next; x != NULL; x = next) {
			next = x->next;
			free(x);
		}
	memset(o->bucket, 0, sizeof(o->bucket));
	o->loaded = o->any_found = o->any_store = false;
}

void gx_orders__free(struct gx_orders *o)
{
	if (o == NULL)
		return;
	gx_orders__forget(o);
	gx_orderbulk__free_all(o);
	pthread_cond_destroy(&o->cond);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static int add(struct gx_orders *o, struct gx_stmt *st)
{
	struct gx_order *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_E_NOMEM;
	x->id = gx_sql__u64(st, 0);
	x->fid = gx_sql__u64(st, 1);
	x->kind = (uint8_t)gx_sql__int(st, 2);
	x->building = !gx_sql__is_null(st, 4);
	x->bulk = gx_sql__int(st, 4) < 0;
	x->progress = x->bulk ? 0 : gx_sql__u64(st, 4);
	if (gx_orderspec__parse(gx_sql__blob(st, 3), &x->spec) !=
		0) { /* of another version: not kept, and dropped in time */
		free(x);
		return 0;
	}
	struct gx_order **b = &o->bucket[x->fid % GX_ORDER_BUCKETS];
	x->next = *b;
	*b = x;
	o->any_found = o->any_found || x->kind == GX_ORDER_FOUND;
	o->any_store = o->any_store || x->kind == GX_ORDER_STORE;
	return 0;
}

static int load_counts(struct gx_txn *t, struct gx_orders *o)
{
	GX_STMT(st, t->q, "SELECT c.view,c.depth,v.fid FROM scount c JOIN sview v ON v.id=c.view WHERE c.state<>?1");
	gx_sql__bind_int(st, 1, GX_COUNT_VAIN);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_order *x = o->bucket[gx_sql__u64(st, 2) % GX_ORDER_BUCKETS];
		unsigned depth = (unsigned)gx_sql__int(st, 1);
		while (x != NULL && x->id != gx_sql__u64(st, 0))
			x = x->next;
		if (x != NULL && depth > 0 && depth <= GX_ORDER_DEPTHS)
			x->counted |= (uint8_t)(1U << (depth - 1));
	}
	return r;
}

int gx_orders__load(struct gx_txn *t, struct gx_orders *o)
{
	GX_STMT(st, t->q, "SELECT id,fid,kind,spec,progress FROM sview");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = add(o, st);
		if (err != 0)
			return err;
	}
	return r < 0 ? r : load_counts(t, o);
}

int gx_orders__of(struct gx_txn *t, uint64_t fid, struct gx_order **ret_list)
{
	struct gx_orders *o = t->s->orders;
	if (!o->loaded) {
		int err = gx_orders__load(t, o);
		if (err != 0) {
			gx_orders__forget(o);
			return err;
		}
		o->loaded = true;
	}
	*ret_list = o->bucket[fid % GX_ORDER_BUCKETS];
	return 0;
}

int gx_orders__by_id(struct gx_txn *t, uint64_t view, struct gx_order **ret_o)
{
	struct gx_order *o;
	int err = gx_orders__of(t, 0, &o);
	for (unsigned i = 0; err == 0 && i < GX_ORDER_BUCKETS; i++)
		for (o = t->s->orders->bucket[i]; o != NULL; o = o->next)
			if (o->id == view) {
				*ret_o = o;
				return 0;
			}
	*ret_o = NULL;
	return err;
}
