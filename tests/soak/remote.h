/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TESTS_SOAK_REMOTE_H
#define GX_TESTS_SOAK_REMOTE_H
#include <gx/entryid.h>
#include <gx/exmdb-remote.h>
#include <gx/exmdb-server.h>
#include <gx/net.h>
#include "tests/soak/soak.h"

#define SOAK_CLIENTS 4U
#define SOAK_EACH (STORES / SOAK_CLIENTS) /* stores that a client follows; it works on all of them */
#define SOAK_TABLES 3U
#define SOAK_FENCE (UINT64_C(1) << 40)    /* message ids from here on are marks in the stream of events */

struct soak_rtable {
	uint32_t id;
	struct soak_mirror m;
};
struct soak_rstore {
	struct soak_store *st;
	atomic_uint_least64_t fence;
	struct soak_rtable table[SOAK_TABLES];
};
struct soak_rclient {
	struct soak_remote *r;
	struct gx_exmdb *x;
	pthread_t listener;
	struct soak_rstore st[SOAK_EACH];
};
struct soak_remote {
	struct soak *k;
	struct gx_exmdb_host *host;
	struct gx_exmdb_server *srv;
	struct gx_net *net;
	char addr[64];
	atomic_bool over;
	pthread_rwlock_t gate; /* each operation holds it for reading */
	struct soak_rclient c[SOAK_CLIENTS];
};

/* A thread's work, ctx: struct soak_thread (remote_ops.c). */
void *soak_rrun(void *ctx);

#endif
