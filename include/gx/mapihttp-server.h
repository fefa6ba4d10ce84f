/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPIHTTP_SERVER_H
#define GX_MAPIHTTP_SERVER_H
/**
 * @file mapihttp-server.h
 * MAPI over HTTP, [MS-OXCMAPIHTTP]: the mailboxes' endpoint, /mapi/emsmdb, and the address book's, /mapi/nspi. Thread class: locked.
 */
#include <gx/emsmdb.h>
#include <gx/httprelay.h>
#include <gx/nsp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_mh;
struct gx_mh_opts {
	size_t size;
	struct gx_ems *ems;            /**< borrowed; NULL: everything is answered with EndpointDisabled, or handed on */
	const struct gx_log *log;      /**< borrowed; may be NULL */
	struct gx_nsp *nsp;            /**< borrowed; NULL: the endpoint says that it is disabled */
	const struct gx_clock *clock;  /**< NULL: system */
	uint32_t pending_ms;           /**< between signs of life of a request that waits, 0 takes 15000 */
	uint32_t late_ms;              /**< an answer that takes longer begins before it is known, 0 takes 2000, or pending_ms if that is less */
	uint32_t wait_ms;              /**< how long NotificationWait waits, 0 takes 300000 */
	uint32_t expiration_ms;        /**< what clients are told of a session's life, 0 takes 900000 */
	const char *server_version;    /**< reported_server_version, NULL takes "15.00.0847.4040"; borrowed */
	/** Where another process has sessions: takes over a request of the mailboxes' endpoint, or lets it be done here. May block. May be NULL. */
	bool (*hand_on)(struct gx_http_req *r, void *ctx);
	void *hand_on_ctx;
};
#define GX_MH_OPTS_INIT {.size = sizeof(struct gx_mh_opts)}
/** Adds its routes to @p h, which it must outlive. GX_E_INVAL, GX_E_NOMEM. */
GX_API int gx_mh_new(const struct gx_mh_opts *o, struct gx_http *h, struct gx_mh **ret_m) GX_MUST_CHECK;
/**
 * Before the stop of the net: requests that still come are told EndpointShuttingDown and may come again elsewhere, or later. Waits end by
 * that stop, each with an answer. Any thread.
 */
GX_API void gx_mh_stop(struct gx_mh *m);
/**
 * For gx_http_relay_opts.cut: a NotificationWait that was handed on ends, with nothing to be told; what it waits for is not lost. @p last:
 * what has been written last. @return false: it is another request, or in the middle of its answer.
 */
GX_API bool gx_mh_cut(struct gx_mh *m, struct gx_http_req *r, struct gx_bin last) GX_MUST_CHECK;
/**
 * Answers a request that was to be handed on, but did not reach who has the sessions. @p err GX_E_NOTFOUND: that process does not run, so
 * there is no such session any more (ContextNotFound), and a client that wants a new one is to try later. GX_E_INVAL: this user
 * has no business there (NoPrivilege). GX_E_STATE: this process ends (EndpointShuttingDown). Others: as gx_http_relay_absent().
 */
GX_API void gx_mh_absent(struct gx_mh *m, struct gx_http_req *r, int err);
/** Before the gx_ems that it was given. Accepts NULL. */
GX_API void gx_mh_free(struct gx_mh *m);
/** One line about each session of the address book, for SIGUSR1; those of mailboxes are gx_ems_dump()'s. */
GX_API void gx_mh_dump(struct gx_mh *m, void (*line)(const char *text, void *ctx), void *ctx);

#ifdef __cplusplus
}
#endif
#endif
