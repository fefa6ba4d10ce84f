/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
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

/* With the lock held. */
static void tell(const struct gx_subs *subs, const struct gx_event *ev)
{
	for (struct gx_sub *x = subs->head; x != NULL; x = x->next)
		if (concerns(x, ev))
			x->cb(ev, x->ctx);
}

void gx_subs__notify(struct gx_store *s, const struct gx_event *ev, size_t n)
{
	if (n == 0)
		return;
	struct gx_subs *subs = &s->subs;
	pthread_mutex_lock(&subs->lock);
	for (size_t i = 0; i < n; i++)
		tell(subs, &ev[i]);
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

/* ---- Those of a transaction ---- */

static void put_number(struct gx_push *p, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		gx_push_u8(p, (uint8_t)(n | 0x80));
	gx_push_u8(p, (uint8_t)n);
}

static uint64_t get_number(const uint8_t **io_p)
{
	uint64_t n = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint8_t c = *(*io_p)++;
		n |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return n;
	}
}

/* Small differences of either sign as small numbers. */
static uint64_t fold(uint64_t d)
{
	return d >> 63 ? ~(d << 1) : d << 1;
}

static uint64_t unfold(uint64_t n)
{
	return n & 1 ? ~(n >> 1) : n >> 1;
}

int gx_evlist__add(struct gx_evlist *l, const struct gx_event *ev)
{
	const uint64_t v[GX_EVENT_FIELDS] = {
		ev->type, ev->fid, ev->mid, ev->old_fid, ev->old_mid, ev->parent, ev->cn, ev->uid};
	uint8_t differ = 0;
	for (unsigned i = 0; i < GX_EVENT_FIELDS; i++)
		if (v[i] != l->last[i])
			differ |= (uint8_t)(1U << i);
	gx_push_u8(&l->bytes, differ);
	for (unsigned i = 0; i < GX_EVENT_FIELDS; i++)
		if (differ & (1U << i)) {
			put_number(&l->bytes, fold(v[i] - l->last[i]));
			l->last[i] = v[i];
		}
	return l->bytes.err;
}

void gx_evlist__clear(struct gx_evlist *l)
{
	gx_push_clear(&l->bytes);
	memset(l->last, 0, sizeof(l->last));
}

static const uint8_t *next_event(const uint8_t *p, uint64_t v[GX_EVENT_FIELDS], struct gx_event *ret_ev)
{
	uint8_t differ = *p++;
	for (unsigned i = 0; i < GX_EVENT_FIELDS; i++)
		if (differ & (1U << i))
			v[i] += unfold(get_number(&p));
	*ret_ev = (struct gx_event){.type = (uint32_t)v[0], .fid = v[1], .mid = v[2], .old_fid = v[3], .old_mid = v[4],
		.parent = v[5], .cn = v[6], .uid = (uint32_t)v[7]};
	return p;
}

void gx_subs__notify_list(struct gx_store *s, const struct gx_evlist *l)
{
	uint64_t v[GX_EVENT_FIELDS] = {0};
	struct gx_subs *subs = &s->subs;
	if (l->bytes.len == 0)
		return;
	pthread_mutex_lock(&subs->lock);
	for (const uint8_t *p = l->bytes.data, *end = p + l->bytes.len; p < end;) {
		struct gx_event ev;
		p = next_event(p, v, &ev);
		tell(subs, &ev);
	}
	pthread_mutex_unlock(&subs->lock);
}
