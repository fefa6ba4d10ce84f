/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that processes of their own have: a client's calls are handed on, and events come back. */
#include <config.h>
#include <string.h>
#include "libgxstore/calls/call-int.h"

bool gx_relay__takes(const struct gx_exmdb_client *cl, const char *dir)
{
	const char *only = cl->host->relay_only;
	return cl->relay != NULL && (only == NULL || strcmp(only, dir) == 0);
}

uint8_t gx_relay__connect(struct gx_exmdb_client *cl, const char *dir, bool is_private, struct gx_arena *a, const char **ret_why)
{
	struct gx_x_connect_req q = {cl->remote_id, is_private};
	return gx_exmdb__refusal_code(gx_exmdb_call(cl->relay, dir, GX_X_CONNECT, &q, a, NULL, ret_why));
}

static void woken(void *ctx)
{
	struct gx_exmdb_client *cl = ctx;
	pthread_mutex_lock(&cl->lock);
	cl->relay_waiting = true;
	if (cl->wake != NULL)
		cl->wake(cl->wake_ctx);
	pthread_mutex_unlock(&cl->lock);
}

void gx_relay__listen(struct gx_exmdb_client *cl, bool on)
{
	if (cl->relay != NULL)
		gx_exmdb_on_event(cl->relay, on ? woken : NULL, cl);
}

int gx_relay__event(struct gx_exmdb_client *cl, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	pthread_mutex_lock(&cl->lock);
	bool look = cl->relay != NULL && cl->relay_waiting;
	cl->relay_waiting = false; /* one that comes from now on sets it again */
	pthread_mutex_unlock(&cl->lock);
	int ret = look ? gx_exmdb_event(cl->relay, 0, a, ret_n) : GX_XEV_NONE;
	if (ret != GX_XEV_NONE) {
		pthread_mutex_lock(&cl->lock);
		cl->relay_waiting = true;
		pthread_mutex_unlock(&cl->lock);
	}
	return ret;
}
