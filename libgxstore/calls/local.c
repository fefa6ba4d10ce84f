/* SPDX-License-Identifier: Apache-2.0 */
/* Calls made in this process: a client of its own at the host. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include "libgxstore/calls/call-int.h"

struct local {
	struct gx_exmdb base;
	struct gx_exmdb_client *client;
	struct gx_signal signal;
	pthread_mutex_t lock; /* for the two below */
	void (*wake)(void *ctx);
	void *wake_ctx;
};

static gx_ec call(struct gx_exmdb *x, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	void *ret_ans, const char **ret_why)
{
	struct local *l = (struct local *)x;
	uint8_t code;
	if (d->number == GX_X_CONNECT) {
		code = gx_exmdb_client_connect(l->client, dir, ((const struct gx_x_connect_req *)req)->is_private, a, ret_why);
		return gx_exmdb__refusal(code);
	}
	return gx_exmdb_client_call(l->client, dir, d, req, a, ret_ans, &code, ret_why);
}

static gx_ec can_batch(struct gx_exmdb *x, const char *dir, struct gx_arena *a, bool *ret_can, const char **ret_why)
{
	(void)x;
	(void)dir;
	(void)a;
	(void)ret_why;
	*ret_can = true;
	return GX_OK_EC;
}

static void woken(void *ctx)
{
	struct local *l = ctx;
	gx_signal__set(&l->signal);
	pthread_mutex_lock(&l->lock);
	if (l->wake != NULL)
		l->wake(l->wake_ctx);
	pthread_mutex_unlock(&l->lock);
}

static int event(struct gx_exmdb *x, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	struct local *l = (struct local *)x;
	int64_t until = gx_clock_mono_ms(gx_clock_system()) + timeout_ms, left = timeout_ms;
	for (;;) {
		int ret = gx_exmdb_client_event(l->client, a, ret_n);
		if (ret != GX_XEV_NONE || left <= 0)
			return ret;
		(void)gx_signal__wait(&l->signal, left);
		left = until - gx_clock_mono_ms(gx_clock_system());
	}
}

static void on_event(struct gx_exmdb *x, void (*wake)(void *ctx), void *ctx)
{
	struct local *l = (struct local *)x;
	pthread_mutex_lock(&l->lock);
	l->wake = wake;
	l->wake_ctx = ctx;
	pthread_mutex_unlock(&l->lock);
	/* not with the lock held, which who tells of an event takes after the client's */
	if (wake != NULL && gx_exmdb_client_waiting(l->client))
		wake(ctx);
}

static void release(struct gx_exmdb *x)
{
	struct local *l = (struct local *)x;
	gx_exmdb_client_unlisten(l->client);
	gx_callobj__drop_client(l->client);
	gx_exmdb_client_put(l->client);
	gx_signal__release(&l->signal);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static const struct gx_exmdb_ops ops = {call, can_batch, event, on_event, release};

static int start(struct local *l, struct gx_exmdb_host *h)
{
	struct gx_guid g;
	char id[64], text[37];
	int err = gx_guid_random(&g);
	if (err != 0)
		return err;
	gx_guid_print(&g, text);
	snprintf(id, sizeof(id), "local:%s", text);
	err = gx_exmdb_client_get(h, id, &l->client);
	return err != 0 ? err : gx_exmdb_client_listen(l->client, woken, l);
}

int gx_exmdb_local_new(struct gx_exmdb_host *h, struct gx_exmdb **ret_x)
{
	if (h == NULL || ret_x == NULL)
		return GX_E_INVAL;
	struct local *l = calloc(1, sizeof(*l));
	if (l == NULL || pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return GX_E_NOMEM;
	}
	int err = gx_signal__init(&l->signal);
	if (err != 0) {
		pthread_mutex_destroy(&l->lock);
		free(l);
		return err;
	}
	l->base.ops = &ops;
	err = start(l, h);
	if (err != 0) {
		gx_exmdb_client_put(l->client);
		gx_signal__release(&l->signal);
		pthread_mutex_destroy(&l->lock);
		free(l);
		return err;
	}
	*ret_x = &l->base;
	return 0;
}
