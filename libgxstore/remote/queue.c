/* SPDX-License-Identifier: Apache-2.0 */
/* Events that wait for gx_exmdb_event(). */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/remote/remote-int.h"

void gx_revent__free(struct gx_revent *e)
{
	if (e == NULL)
		return;
	free(e->ids);
	free(e);
}

struct gx_revent *gx_revent__lost(void)
{
	struct gx_revent *e = calloc(1, sizeof(*e));
	if (e != NULL)
		e->lost = true;
	return e;
}

void gx_revent__put(struct gx_remote *r, struct gx_revent *e)
{
	pthread_mutex_lock(&r->qlock);
	if (e == NULL || r->waiting >= r->o.max_events) {
		r->lost = true;
		gx_revent__free(e);
	} else {
		e->next = NULL;
		*r->tail = e;
		r->tail = &e->next;
		++r->waiting;
	}
	if (r->wake != NULL)
		r->wake(r->wake_ctx);
	pthread_mutex_unlock(&r->qlock);
	gx_signal__set(&r->signal);
}

void gx_revent__clear(struct gx_remote *r)
{
	while (r->head != NULL) {
		struct gx_revent *e = r->head;
		r->head = e->next;
		gx_revent__free(e);
	}
	r->tail = &r->head;
}

static struct gx_revent *take(struct gx_remote *r, bool *ret_lost)
{
	pthread_mutex_lock(&r->qlock);
	struct gx_revent *e = r->head;
	if (e != NULL) {
		r->head = e->next;
		if (r->head == NULL)
			r->tail = &r->head;
		--r->waiting;
	}
	*ret_lost = e == NULL && r->lost;
	if (*ret_lost)
		r->lost = false;
	pthread_mutex_unlock(&r->qlock);
	return e;
}

static int read_event(const struct gx_revent *e, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	const uint8_t *raw = gx_arena_memdup(a, e->raw, e->len);
	const uint32_t *ids = gx_arena_memdup(a, e->ids, e->count * sizeof(*ids));
	if (raw == NULL || ids == NULL)
		return GX_E_NOMEM;
	int err = gx_xframe_pull_event((struct gx_bin){raw, e->len}, a, ret_n);
	ret_n->ids = ids;
	ret_n->ids_count = e->count;
	return err != 0 ? err : GX_XEV_EVENT;
}

int gx_revent__next(struct gx_remote *r, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	int64_t until = gx_rconn__now() + timeout_ms;
	*ret_n = (struct gx_x_notification){.dir = "", .message_class = ""};
	for (;;) {
		bool lost;
		struct gx_revent *e = take(r, &lost);
		if (e == NULL && lost)
			return GX_XEV_LOST;
		if (e != NULL) {
			int ret = e->lost ? GX_XEV_LOST : read_event(e, a, ret_n);
			gx_revent__free(e);
			return ret;
		}
		int64_t left = until - gx_rconn__now();
		if (left <= 0)
			return GX_XEV_NONE;
		(void)gx_signal__wait(&r->signal, left);
	}
}
