/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_REMOTE_H
#define GX_EXMDB_REMOTE_H
/**
 * @file exmdb-remote.h
 * Stores of another process or host by the exmdb protocol: the second maker of a struct gx_exmdb.
 *
 * Connections are kept and used again, each by one call at a time. Subscriptions live on across
 * a loss of the server: they are made again, and GX_XEV_LOST says that events may be missing.
 * Thread class: locked.
 */
#include <gx/exmdb.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Encryption under the protocol. Functions may block up to the deadline that the socket has been given by
 * SO_RCVTIMEO and SO_SNDTIMEO.
 */
struct gx_exmdb_transport {
	/** On a connected socket. NULL with a text in @p why. @p server is the name that was dialled. */
	void *(*open)(int fd, const char *server, void *ctx, char *why, size_t why_size);
	/** Bytes read, 0 at the end, -1 with errno (EAGAIN: nothing yet, it is asked again when there is). */
	long (*read)(void *session, void *p, size_t n);
	/** Bytes taken, or -1 with errno. */
	long (*write)(void *session, const void *p, size_t n);
	/** Bytes that are decrypted already and that poll() does not see. */
	size_t (*pending)(void *session);
	void (*close)(void *session);
	/** Why read or write failed, for people, until the next call; NULL when errno says all. May be NULL. */
	const char *(*reason)(void *session);
	void *ctx;
};

struct gx_exmdb_remote_opts {
	size_t size;
	/** "[::1]:5000", "host", "192.0.2.1:5000", or the path of a Unix socket. NULL: locate is asked. */
	const char *server;
	/** Who has this store? An address as above in @p a. Answers are remembered for a minute. 0 or GX_E_*. */
	int (*locate)(const char *dir, struct gx_arena *a, const char **ret_server, void *ctx);
	void *locate_ctx;
	const struct gx_exmdb_transport *transport; /**< NULL: in the clear. Never used on Unix sockets. Must outlive this. */
	const char *plain_server;   /**< the answer of locate that is reached in the clear all the same; must outlive this */
	const char *remote_id;      /**< NULL: made of the process id and random digits */
	const struct gx_log *log;
	uint32_t connect_ms;        /**< most for connecting and handshake, 0 takes 10000 */
	/** After a failure to connect one caller tries again, and that not before so long; others fail at once. 0: each tries. */
	uint32_t retry_ms;
	uint32_t call_ms;           /**< most for a call, exmdb_client_rpc_timeout; 0: no limit but that of a dead peer */
	unsigned max_idle;          /**< connections kept for each server, rpc_proxy_connection_num; 0 takes 10 */
	unsigned max_conns;         /**< at once for each server, 0 takes 100; more calls wait */
	uint32_t max_answer;        /**< bytes, 0 takes 1 GiB */
	unsigned max_events;        /**< waiting for gx_exmdb_event(), 0 takes 10000 */
	bool plain;                 /**< use nothing that servers of another make do not know */
};
#define GX_EXMDB_REMOTE_OPTS_INIT {.size = sizeof(struct gx_exmdb_remote_opts)}

/** Connects when the first call is made. @p ret_why names what is wrong with an option. */
GX_API int gx_exmdb_remote_new(const struct gx_exmdb_remote_opts *o, struct gx_exmdb **ret_x, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
