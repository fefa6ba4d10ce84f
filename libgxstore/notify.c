/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/far-int.h"

struct gx_sub {
	struct gx_sub *next;
	uint64_t id, fid;
	uint32_t mask;
	gx_event_cb cb;
	void *ctx;
};

int gx_subs__init(struct gx_subs *s)
{
	return pthread_mutex_init(&s->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void gx_subs__release(struct gx_subs *s)
{
	for (struct gx_sub *x = s->head, *next; x != NULL; x = next) {
		next = x->next;
		free(x);
	}
	pthread_mutex_destroy(&s->lock);
}

int gx_store_subscribe(struct gx_store *s, uint64_t fid, uint32_t mask, gx_event_cb cb, void *ctx, uint64_t *ret_sub)
{
	if (s == NULL || cb == NULL || mask == 0 || ret_sub == NULL)
		return GX_E_INVAL;
	int err = s->ops != NULL ? s->ops->watch(s) : 0;
	if (err != 0)
		return err;
	struct gx_sub *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_E_NOMEM;
	*x = (struct gx_sub){.fid = fid, .mask = mask, .cb = cb, .ctx = ctx};
	struct gx_subs *subs = &s->subs;
	pthread_mutex_lock(&subs->lock);
	x->id = ++subs->last;
	x->next = subs->head;
	subs->head = x;
	*ret_sub = x->id;
	atomic_fetch_add(&subs->count, 1);
	pthread_mutex_unlock(&subs->lock);
	return 0;
}

void gx_store_unsubscribe(struct gx_store *s, uint64_t id)
{
	struct gx_subs *subs = &s->subs;
	pthread_mutex_lock(&subs->lock);
	for (struct gx_sub **at = &subs->head; *at != NULL; at = &(*at)->next)
		if ((*at)->id == id) {
			struct gx_sub *x = *at;
			*at = x->next;
			free(x);
			atomic_fetch_sub(&subs->count, 1);
			break;
		}
	pthread_mutex_unlock(&subs->lock);
}

static bool concerns(const struct gx_sub *x, const struct gx_event *ev)
{
	return (x->mask & ev->type) != 0 &&
		(x->fid == 0 || x->fid == ev->fid || (ev->old_fid != 0 && x->fid == ev->old_fid));
}

void gx_subs__notify(struct gx_store *s, const struct gx_event *ev, size_t n)
{
	if (n == 0)
		return;
	struct gx_subs *subs = &s->subs;
	pthread_mutex_lock(&subs->lock);
	for (size_t i = 0; i < n; i++)
		for (struct gx_sub *x = subs->head; x != NULL; x = x->next)
			if (concerns(x, &ev[i]))
				x->cb(&ev[i], x->ctx);
	pthread_mutex_unlock(&subs->lock);
}

void gx_subs__notify_all(struct gx_store *s)
{
	struct gx_subs *subs = &s->subs;
	pthread_mutex_lock(&subs->lock);
	for (struct gx_sub *x = subs->head; x != NULL; x = x->next) {
		const struct gx_event ev = {.type = x->mask & (0 - x->mask), .fid = x->fid};
		x->cb(&ev, x->ctx);
	}
	pthread_mutex_unlock(&subs->lock);
}
