/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_FARTEST_H
#define GX_EXMDB_FARTEST_H
/* A store that a server owns, and the same store as a client of that server has it. */
#include <stdatomic.h>
#include <gx/exmdb-remote.h>
#include <gx/exmdb-server.h>
#include <gx/net.h>
#include "libgxstore/calls/op-int.h"
#include "libgxstore/storetest.h"

struct owner {
	struct gx_store_pool *pool;
	struct gx_exmdb_host *host;
	struct gx_exmdb_server *srv;
	struct gx_net *net;
};

static char dir[512], sock[600], front_sock[600];
static struct owner own, front;    /* front: hands on to own, when relayed */
static bool relayed;
static struct gx_exmdb *link_to_owner;
static struct gx_store_pool *pool; /* of the client */
static struct gx_store *s;         /* far */
static struct gx_arena *a;
static uint32_t idle_ms;           /* of transactions, 0 the usual */

static inline int hand_on(const char *remote_id, struct gx_exmdb **ret_x, void *ctx)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	(void)ctx;
	o.server = sock;
	o.remote_id = remote_id;
	return gx_exmdb_remote_new(&o, ret_x, a, NULL);
}

static inline void serve(struct owner *w, bool relays, const char *at)
{
	struct gx_store_pool_opts po = {.size = sizeof(po), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = GX_EXMDB_SERVER_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	const char *why = "";
	uint16_t port;
	ho.pool = w->pool = gx_store_pool_new(&po);
	ho.txn_idle_ms = idle_ms;
	ho.relay = relays ? hand_on : NULL;
	ck_assert_int_eq(gx_exmdb_host_new(&ho, &w->host), 0);
	so.host = w->host;
	ck_assert_int_eq(gx_exmdb_server_new(&so, &w->srv), 0);
	no.loops = 1;
	no.workers = 2;
	ck_assert_int_eq(gx_net_new(&no, &w->net), 0);
	gx_exmdb_server_factory(&lo.factory, w->srv);
	lo.addr = at;
	ck_assert_msg(gx_net_listen(w->net, &lo, &port, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(w->net), 0);
}

static inline void serve_no_more(struct owner *w)
{
	gx_net_stop(w->net, 2000);
	gx_net_free(w->net);
	gx_exmdb_server_free(w->srv);
	gx_exmdb_host_free(w->host);
	gx_store_pool_free(w->pool);
}

static inline void owner_begin(void)
{
	serve(&own, false, sock);
}

static inline void owner_end(void)
{
	serve_no_more(&own);
}

static inline struct gx_store *far_get(void)
{
	struct gx_store *f;
	const char *why = "";
	ck_assert_msg(gx_store_pool_get(pool, dir, &f, a, &why) == 0, "%s", why);
	return f;
}

static inline void far_setup(void)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	const char *why = "";
	a = gx_arena_new(0);
	snprintf(dir, sizeof(dir), "%s", st_dir());
	snprintf(sock, sizeof(sock), "%s/owner.sock", dir);
	st_create(dir);
	snprintf(front_sock, sizeof(front_sock), "%s/front.sock", dir);
	owner_begin();
	if (relayed)
		serve(&front, true, front_sock);
	o.server = relayed ? front_sock : sock;
	ck_assert_msg(gx_exmdb_remote_new(&o, &link_to_owner, a, &why) == 0, "%s", why);
	po.owner = link_to_owner;
	pool = gx_store_pool_new(&po);
	s = far_get();
}

static inline void far_teardown(void)
{
	gx_store_pool_put(pool, s);
	gx_store_pool_free(pool);
	gx_exmdb_free(link_to_owner);
	if (relayed)
		serve_no_more(&front);
	owner_end();
	relayed = false;
	s = st_open(dir);
	st_verify(s);
	gx_store_close(s);
	gx_arena_free(a);
	st_rmtree(dir);
	idle_ms = 0;
}

/* The owner's own, to be put back into own.pool. */
static inline struct gx_store *near_get(void)
{
	struct gx_store *n;
	ck_assert_int_eq(gx_store_pool_get(own.pool, dir, &n, a, NULL), 0);
	return n;
}

static inline void wait_until(bool (*test)(void *ctx), void *ctx)
{
	for (int i = 0; i < 3000 && !test(ctx); ++i)
		usleep(10000);
	ck_assert(test(ctx));
}
#endif
