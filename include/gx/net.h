/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NET_H
#define GX_NET_H
/**
 * @file net.h
 * Sockets, TLS, timers and threads for protocol engines. Loops own sockets; a bounded pool of
 * workers runs what may block. Thread class: gx_net is locked.
 */
#include <gx/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_net;
struct gx_tls;

struct gx_net_opts {
	size_t size;
	const struct gx_log *log;
	const struct gx_clock *clock;
	unsigned loops;        /**< event loop threads, 0: one a processor, at most 4 */
	unsigned workers;      /**< most worker threads, 0 takes 8; they start on demand and end when idle */
	unsigned max_queue;    /**< most connections waiting for a worker, 0 takes 10000 */
};
#define GX_NET_OPTS_INIT {.size = sizeof(struct gx_net_opts)}
GX_API int gx_net_new(const struct gx_net_opts *o, struct gx_net **ret_net) GX_MUST_CHECK;

struct gx_tls_opts {
	size_t size;
	const char *cert_path, *key_path; /**< colon-separated PEM files */
	const char *key_password;
	const char *min_proto;            /**< tls_min_proto: "tls1.2" */
	const char *client_ca_path;       /**< PEM file: clients must show a certificate of one of these authorities; NULL: none is asked for */
};
#define GX_TLS_OPTS_INIT {.size = sizeof(struct gx_tls_opts)}
GX_API int gx_tls_new(const struct gx_tls_opts *o, struct gx_tls **ret_tls, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Reads the files again (SIGHUP); running sessions keep the old ones. */
GX_API int gx_tls_reload(struct gx_tls *t, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
GX_API void gx_tls_free(struct gx_tls *t);

struct gx_listen_opts {
	size_t size;
	const char *addr;                 /**< one specifier: "[::]:143", "127.0.0.1:0", "/run/x.sock" */
	struct gx_engine_factory factory;
	struct gx_tls *tls;               /**< for STARTTLS, or NULL */
	bool implicit_tls;
	bool haproxy;                     /**< PROXY protocol v2 expected */
	unsigned max_conns;               /**< context_num; 0: no limit but descriptors */
	unsigned max_conns_per_ip;        /**< 0: no limit */
	uint32_t handshake_ms;            /**< TLS and PROXY header deadline, 0 takes 30000 */
	uint32_t write_stall_ms;          /**< close when the peer takes nothing for so long, 0 takes 180000 */
	size_t in_max, out_high;          /**< buffers, 0 takes 64 KiB and 256 KiB */
	const char *busy_text;            /**< sent in the clear before a connection over a limit is closed, or NULL; must live as long as the net */
	int socket_mode;                  /**< of a Unix socket, 0 takes 0666 */
};
#define GX_LISTEN_OPTS_INIT {.size = sizeof(struct gx_listen_opts)}
/** Binds now, accepts once the net runs. @p ret_port: the port taken (for :0). @p ret_why names address and remedy. */
GX_API int gx_net_listen(struct gx_net *n, const struct gx_listen_opts *o, uint16_t *ret_port, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

struct gx_dialer_opts {
	size_t size;
	struct gx_engine_factory factory; /**< its ctx is not used */
	uint32_t write_stall_ms;          /**< close when the peer takes nothing for so long, 0 takes 180000 */
	size_t in_max, out_high;          /**< buffers, 0 takes 64 KiB and 256 KiB */
};
#define GX_DIALER_OPTS_INIT {.size = sizeof(struct gx_dialer_opts)}
struct gx_dialer;
/** For connections that this side makes; lives as long as the net. GX_E_INVAL, GX_E_NOMEM, GX_E_STATE after the stop. */
GX_API int gx_net_dialer(struct gx_net *n, const struct gx_dialer_opts *o, struct gx_dialer **ret_d) GX_MUST_CHECK;
/**
 * Connects to @p addr, as of gx_listen_opts. Any thread; does not wait: a connection over a network may still fail, which its engine sees as
 * its end. The engine is made by the factory's new_engine() with @p ctx before this returns; step() is called later, by another thread.
 * GX_E_NOTFOUND: nobody listens there. GX_E_BUSY: its queue is full. GX_E_FORMAT, GX_E_IO, GX_E_NOMEM (or the factory gave no engine),
 * GX_E_STATE: the net does not run, or not any more.
 */
GX_API int gx_net_dial(struct gx_dialer *d, const char *addr, void *ctx) GX_MUST_CHECK;
/** Starts the threads; returns at once. */
GX_API int gx_net_start(struct gx_net *n) GX_MUST_CHECK;
/**
 * Calls @p fn on a loop every @p ms until stop; it must be short. When it returns false the timer
 * sleeps until the next connection is accepted, so that an idle server does not wake up.
 */
GX_API int gx_net_timer(struct gx_net *n, uint32_t ms, bool (*fn)(void *ctx), void *ctx) GX_MUST_CHECK;
/** Runs @p fn once on a worker, before gx_net_stop() returns. GX_E_LIMIT when the queue is full, GX_E_STATE after the stop. */
GX_API int gx_net_run(struct gx_net *n, void (*fn)(void *ctx), void *ctx) GX_MUST_CHECK;
/** Stops accepting, tells engines GX_IO_SHUTDOWN, waits up to @p ms for them, closes the rest, joins threads. */
GX_API void gx_net_stop(struct gx_net *n, uint32_t ms);
/** Stops at once if that was not done. Accepts NULL. */
GX_API void gx_net_free(struct gx_net *n);

struct gx_net_stats {
	unsigned conns, workers_busy, workers, queued;
	uint64_t accepted, refused;
};
GX_API void gx_net_stats(struct gx_net *n, struct gx_net_stats *ret_s);

#ifdef __cplusplus
}
#endif
#endif
