/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_WORKERS_H
#define GX_EXMDB_WORKERS_H
/**
 * @file exmdb-workers.h
 * Processes that have one store each, started when somebody asks for the store. Thread class: locked.
 */
#include <gx/arena.h>
#include <gx/log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_workers_opts {
	size_t size;
	/**
	 * The program and its first arguments, NULL-terminated. Four more are added: --store DIR --socket PATH, then
	 * --ready-fd N and --owner-fd N: the worker writes a line "ready" to the one when its socket can be
	 * used, and ends when the other is closed. Copied.
	 */
	const char *const *argv;
	const char *run_dir;       /**< directory for the sockets, made if need be; only this user may enter it. Copied. */
	const struct gx_log *log;
	unsigned max;              /**< at once; 0 takes 1000 */
	uint32_t start_ms;         /**< until "ready" must come, 0 takes 20000 */
};
#define GX_WORKERS_OPTS_INIT {.size = sizeof(struct gx_workers_opts)}

/** A worker may make another socket, whose path is that of the first with this behind it. */
#define GX_WORKERS_HTTP ".http"

struct gx_workers;
/** @param ret_why names what is wrong with run_dir. GX_E_INVAL, GX_E_IO, GX_E_NOMEM. */
GX_API int gx_workers_new(const struct gx_workers_opts *o, struct gx_workers **ret_w, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/**
 * The socket of the process that has the store at @p dir, which is started if need be; fits gx_exmdb_remote_opts.locate with
 * @p w as its context. GX_E_NOTFOUND: there is no such directory. GX_E_LIMIT: too many processes. GX_E_STATE: it did not
 * start; its own log says why. GX_E_TIMEOUT, GX_E_NOMEM.
 */
GX_API int gx_workers_locate(const char *dir, struct gx_arena *a, const char **ret_socket, void *w) GX_MUST_CHECK;
/** Notices those that have ended; call every few seconds. @return how many run. */
GX_API unsigned gx_workers_tick(struct gx_workers *w);
/** Sends a signal to each. */
GX_API void gx_workers_signal(struct gx_workers *w, int sig);
/** Ends them; after @p grace_ms those that still run are killed. Accepts NULL. */
GX_API void gx_workers_free(struct gx_workers *w, uint32_t grace_ms);

#ifdef __cplusplus
}
#endif
#endif
