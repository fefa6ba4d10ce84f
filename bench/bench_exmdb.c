/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Import and export by the calls of the exmdb protocol, single and in batches, in this process and by a Unix socket.
 * usage: bench_exmdb [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/entryid.h>
#include <gx/exmdb-remote.h>
#include <gx/exmdb-server.h>
#include <gx/net.h>
#include "bench/scale.h"

#define BATCH 100U
#define EID(n) gx_eid_make(1, n)

static unsigned count = 10000;
static char dir[600];
static uint64_t *made;

struct way {
	const char *name;
	struct gx_exmdb *x;
	uint64_t fid;
};

static void ok(gx_ec ec, const char *what, const char *why)
{
	if (gx_ec_failed(ec))
		scale_die(what, why != NULL && *why != '\0' ? why : gx_ec_name(ec));
}

static struct gx_x_write_message_req write_req(const struct way *w, struct gx_arena *a, unsigned i)
{
	return (struct gx_x_write_message_req){
		.folder_id = EID(w->fid), .digest = "", .content = *scale_object(a, i, 1500)};
}

/* ---- Import ---- */

static void import_single(const struct way *w, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	for (unsigned i = 0; i < n; i++) {
		struct gx_x_write_message_req q = write_req(w, a, i);
		struct gx_x_write_message_ans ans;
		const char *why = "";
		struct meter m = meter_now();
		ok(gx_exmdb_write_message(w->x, dir, &q, a, &ans, &why), "write_message", why);
		meter_add(&sum, meter_since(m));
		gx_arena_reset(a);
	}
	scale_row("import, single calls", sum, n, "\"way\": \"%s\"", w->name);
	gx_arena_free(a);
}

static void import_batches(const struct way *w, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	for (unsigned i = 0; i < n; i += BATCH) {
		struct gx_x_write_message_req q[BATCH];
		struct gx_x_write_message_ans ans[BATCH];
		struct gx_exmdb_item v[BATCH];
		const char *why = "";
		size_t done;
		for (unsigned k = 0; k < BATCH; k++) {
			q[k] = write_req(w, a, i + k);
			v[k] = (struct gx_exmdb_item){.call = GX_X_WRITE_MESSAGE, .req = &q[k], .ans = &ans[k]};
		}
		struct meter m = meter_now();
		ok(gx_exmdb_batch(w->x, dir, true, v, BATCH, a, &done, &why), "batch", why);
		meter_add(&sum, meter_since(m));
		for (unsigned k = 0; k < BATCH; k++)
			made[i + k] = ans[k].outmid;
		gx_arena_reset(a);
	}
	scale_row("import, batches", sum, n, "\"way\": \"%s\", \"batch\": %u", w->name, BATCH);
	gx_arena_free(a);
}

/* ---- Export ---- */

static void export_single(const struct way *w, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter m = meter_now();
	for (unsigned i = 0; i < n; i++) {
		struct gx_x_read_message_req q = {.message_id = made[i]};
		struct gx_x_read_message_ans ans;
		const char *why = "";
		ok(gx_exmdb_read_message(w->x, dir, &q, a, &ans, &why), "read_message", why);
		gx_arena_reset(a);
	}
	scale_row("export, single calls", meter_since(m), n, "\"way\": \"%s\"", w->name);
	gx_arena_free(a);
}

static void export_batches(const struct way *w, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter m = meter_now();
	for (unsigned i = 0; i < n; i += BATCH) {
		struct gx_x_read_message_req q[BATCH] = {0};
		struct gx_x_read_message_ans ans[BATCH];
		struct gx_exmdb_item v[BATCH];
		const char *why = "";
		size_t done;
		for (unsigned k = 0; k < BATCH; k++) {
			q[k].message_id = made[i + k];
			v[k] = (struct gx_exmdb_item){.call = GX_X_READ_MESSAGE, .req = &q[k], .ans = &ans[k]};
		}
		ok(gx_exmdb_batch(w->x, dir, false, v, BATCH, a, &done, &why), "batch", why);
		if (gx_ec_failed(v[BATCH - 1].ec) || ans[BATCH - 1].content == NULL)
			scale_die("read_message", "nothing came");
		gx_arena_reset(a);
	}
	scale_row("export, batches", meter_since(m), n, "\"way\": \"%s\", \"batch\": %u", w->name, BATCH);
	gx_arena_free(a);
}

static void bench_way(struct way *w)
{
	import_single(w, count / 10);
	import_batches(w, count);
	export_single(w, count / 10);
	export_batches(w, count);
	gx_exmdb_free(w->x);
}

/* ---- The server ---- */

struct service {
	struct gx_store_pool *pool;
	struct gx_exmdb_host *host;
	struct gx_exmdb_server *srv;
	struct gx_net *net;
	char addr[640];
};

static void serve(struct service *s, const char *parent, struct gx_arena *a)
{
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = GX_EXMDB_SERVER_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	const char *why = "";
	uint16_t port;
	po.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	ho.pool = s->pool = gx_store_pool_new(&po);
	scale_must(gx_exmdb_host_new(&ho, &s->host), "host");
	so.host = s->host;
	scale_must(gx_exmdb_server_new(&so, &s->srv), "server");
	no.loops = 1;
	no.workers = 4;
	scale_must(gx_net_new(&no, &s->net), "net");
	gx_exmdb_server_factory(&lo.factory, s->srv);
	snprintf(s->addr, sizeof(s->addr), "%s/s", parent);
	lo.addr = s->addr;
	if (gx_net_listen(s->net, &lo, &port, a, &why) != 0)
		scale_die("listen", why);
	scale_must(gx_net_start(s->net), "net");
}

static void stop(struct service *s)
{
	gx_net_stop(s->net, 2000);
	gx_net_free(s->net);
	gx_exmdb_server_free(s->srv);
	gx_exmdb_host_free(s->host);
	gx_store_pool_free(s->pool);
}

int main(int argc, char **argv)
{
	const char *keep, *why = "";
	char parent[600];
	struct gx_arena *a = gx_arena_new(0);
	struct service s;
	struct gx_exmdb_remote_opts ro = GX_EXMDB_REMOTE_OPTS_INIT;
	scale_args(argc, argv, "exmdb", &count, &keep);
	scale_tmp(parent, keep);
	snprintf(dir, sizeof(dir), "%.500s/store", parent);
	made = calloc(count, sizeof(*made));
	if (made == NULL)
		scale_die("memory", "out of it");
	scale_create(dir);
	serve(&s, parent, a);
	struct way here = {.name = "in process", .fid = GX_FID_INBOX};
	struct way there = {.name = "Unix socket", .fid = GX_FID_DRAFTS};
	scale_must(gx_exmdb_local_new(s.host, &here.x), "local");
	ro.server = s.addr;
	if (gx_exmdb_remote_new(&ro, &there.x, a, &why) != 0)
		scale_die("remote", why);
	bench_way(&here);
	bench_way(&there);
	stop(&s);
	scale_remove(parent);
	free(made);
	gx_arena_free(a);
	return 0;
}
