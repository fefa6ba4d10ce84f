/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTPRELAY_H
#define GX_HTTPRELAY_H
/**
 * @file httprelay.h
 * Requests that another process answers: the front, which has checked who asks, hands them on with the name of the user over connections
 * that are kept and used again. The other side is a server of http.h that believes it (gx_http_auth_opts.fronts_only).
 *
 * The body of a request has been received by then, so that a slow client keeps no connection of the owner and a request whose kept
 * connection turns out to be closed can be sent once more. Answers go through as they come; when the client does not take them, the owner's
 * connection is not read. A client that hangs up ends its connection to the owner, who so hears of it. No thread waits for any of
 * this. Thread class: locked.
 */
#include <gx/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who asks, and from where. The front drops all headers of clients that begin like these, up to the second hyphen. */
#define GX_HTTP_RELAY_USER "X-Gx-User"
#define GX_HTTP_RELAY_PEER "X-Gx-Peer"

enum { GX_HTTP_RELAY_LAST = 16 };

struct gx_http_relay;
struct gx_http_relay_opts {
	size_t size;
	const struct gx_log *log;
	const struct gx_clock *clock;  /**< NULL: system */
	struct gx_net *net;            /**< of the server whose requests these are; borrowed */
	/** The owner's address, as of gx_net_dial(), in the request's arena. Called in gx_http_relay_serve(); may block. */
	int (*locate)(struct gx_http_req *r, const char **ret_addr, void *ctx);
	/**
	 * Answers a request that reached no owner, as its handler would. @p err: of @p locate, or of gx_net_dial(); GX_E_IO it hung up without
	 * an answer; GX_E_FORMAT its answer is none; GX_E_TIMEOUT it takes too long; GX_E_STATE the server ends. Must not block. NULL: the status says it.
	 */
	void (*absent)(struct gx_http_req *r, int err, void *ctx);
	/**
	 * When the server ends while an answer of no known length goes through: ends it as its protocol can, if it can be ended where it is.
	 * @p last: the bytes that were written last, up to GX_HTTP_RELAY_LAST. Must not block. NULL: answers get another second.
	 */
	bool (*cut)(struct gx_http_req *r, struct gx_bin last, void *ctx);
	void *ctx;
	unsigned max_idle;             /**< connections kept for later, of all owners together; 0 takes 64 */
	uint32_t idle_ms;              /**< for so long; 0 takes 60000 */
	uint32_t answer_ms;            /**< until the answer begins, and between its pieces; 0 takes 600000 */
};
#define GX_HTTP_RELAY_OPTS_INIT {.size = sizeof(struct gx_http_relay_opts)}
GX_API int gx_http_relay_new(const struct gx_http_relay_opts *o, struct gx_http_relay **ret_x) GX_MUST_CHECK;
/** After the stop of the net. Accepts NULL. */
GX_API void gx_http_relay_free(struct gx_http_relay *x);
/** In the handler of a route that reads bodies as a whole; the request is not the caller's any more. */
GX_API void gx_http_relay_serve(struct gx_http_relay *x, struct gx_http_req *r);
/** What a relay without gx_http_relay_opts.absent answers. */
GX_API void gx_http_relay_absent(struct gx_http_req *r, int err);

struct gx_http_relay_stats {
	unsigned busy, idle;  /**< connections with a request, and kept ones */
	uint64_t total, dialled; /**< requests, and connections made for them */
};
GX_API void gx_http_relay_stats(struct gx_http_relay *x, struct gx_http_relay_stats *ret_s);

#ifdef __cplusplus
}
#endif
#endif
