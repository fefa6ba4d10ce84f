/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_SERVER_H
#define GX_EXMDB_SERVER_H
/**
 * @file exmdb-server.h
 * The exmdb protocol's server: connections of clients to a gx_exmdb_host, over TCP, Unix sockets and TLS.
 * Thread class: locked.
 */
#include <gx/engine.h>
#include <gx/exmdb.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_exmdb_server_opts {
	size_t size;
	struct gx_exmdb_host *host;          /**< borrowed; NULL: comes by gx_exmdb_server_set_host() */
	const char *const *hosts_allow;      /**< exmdb_hosts_allow: addresses, IPv6 in any form; NULL: loopback. Copied. */
	const uint32_t *uids_allow;          /**< users that may use Unix sockets, besides root and the server's own. Copied. */
	size_t uid_count;
	const char *const *certs_allow;      /**< common names of client certificates; NULL: any that the authority gave. Copied. */
	unsigned max_data, max_events;       /**< max_rpc_stub_threads, max_router_connections; 0 no limit */
	uint32_t idle_ms;                    /**< a data connection that says nothing for so long is closed, 0 takes 60000 */
	uint32_t ping_ms;                    /**< an event connection is pinged after so much silence, 0 takes 57000 */
	uint32_t ack_ms;                     /**< how long a client may take to acknowledge, 0 takes 60000 */
	uint32_t max_request;                /**< bytes, 0 takes 256 MiB */
	bool no_extensions;                  /**< know no more than the original does */
	int debug;                           /**< exrpc_debug: 1 failed calls, 2 all calls go to the log at level debug */
};
#define GX_EXMDB_SERVER_OPTS_INIT {.size = sizeof(struct gx_exmdb_server_opts)}

struct gx_exmdb_server;
/** Can it stand in hosts_allow? Names of hosts and networks cannot. Any thread. */
GX_API bool gx_exmdb_host_valid(const char *address);
/** GX_E_INVAL: also what is no address in hosts_allow; GX_E_NOMEM. */
GX_API int gx_exmdb_server_new(const struct gx_exmdb_server_opts *o, struct gx_exmdb_server **ret_s) GX_MUST_CHECK;
/** Before the first connection: ports are bound while there are no stores yet. */
GX_API void gx_exmdb_server_set_host(struct gx_exmdb_server *s, struct gx_exmdb_host *host);
/** After every connection has ended. Accepts NULL. */
GX_API void gx_exmdb_server_free(struct gx_exmdb_server *s);
/**
 * Connections that are not encrypted by TLS with a checked certificate must come from hosts_allow,
 * or by Unix socket from uids_allow; connections with one from whatever address.
 */
GX_API void gx_exmdb_server_factory(struct gx_engine_factory *ret_f, struct gx_exmdb_server *s);

/** For gx_exmdb_host_opts.describe. */
GX_API int gx_exmdb_describe(struct gx_bin original, struct gx_arena *a, struct gx_bin *ret_envelope, struct gx_bin *ret_bodystructure,
	void *ctx);

#ifdef __cplusplus
}
#endif
#endif
