/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_H
#define GX_HTTP_H
/**
 * @file http.h
 * An HTTP/1.1 server [RFC 9110] [RFC 9112]: an engine for gx_net_listen() that reads requests, checks who asks, finds
 * the handler and sends its answer. Handlers run on workers and may block; they may also keep a request and answer it
 * later from any thread, at once or piece by piece. A kept request costs no thread and no wake-ups.
 *
 * Life of a request: its handler is called once. It ends with one of the calls that finish it: gx_http_reply() and its
 * kin, gx_http_stream_end(), gx_http_stream_abort(). After that call the request is not the caller's any more. This holds
 * also when the client has hung up meanwhile: the answer goes nowhere, but the call must be made. A whole answer after
 * gx_http_stream_begin() breaks the stream off.
 *
 * What a handler writes goes out when it returns. On a route with late_ms a handler that lasts longer loses its connection once it
 * has begun or announced a stream: what it has written goes out then, and what it writes later at once.
 *
 * Thread class: gx_http is locked. A request is confined to who has it, its handler or the one that keeps it; only the
 * calls named so may be made while another thread has it.
 */
#include <gx/net.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_http;
struct gx_http_auth;

/* ---- Requests ---- */

/** Bits of methods; a method without a bit of its own is OTHER (WebDAV and the like). */
enum {
	GX_HTTP_GET = 1, GX_HTTP_HEAD = 2, GX_HTTP_POST = 4, GX_HTTP_PUT = 8, GX_HTTP_DELETE = 16, GX_HTTP_OPTIONS = 32,
	GX_HTTP_PATCH = 64, GX_HTTP_RPC_IN_DATA = 128, GX_HTTP_RPC_OUT_DATA = 256, GX_HTTP_OTHER = 512, GX_HTTP_ANY = 1023,
};

struct gx_http_field {
	const char *name, *value; /**< as sent, white space around the value removed */
};

/** For reading only; made by the server alone, it may grow at the end. Everything lives as long as the request. */
struct gx_http_req {
	uint64_t id;                  /**< of this request, also in the log */
	uint32_t method_bit;          /**< GX_HTTP_GET ... */
	unsigned version;             /**< 10 or 11 */
	const char *method, *target;  /**< as sent */
	const char *path;             /**< decoded, without "." and "..", starts with a slash ("*" of OPTIONS stays) */
	const char *query;            /**< as sent behind the question mark, "" when there is none */
	const char *host;             /**< "" when a client of HTTP/1.0 named none */
	const struct gx_http_field *fields;
	size_t nfields;
	struct gx_bin body;           /**< whole; empty for a route that streams it */
	int64_t content_length;       /**< announced, 0 without a body, -1 when chunked */
	const char *peer, *local;     /**< address of the client, of this end */
	uint16_t peer_port;
	bool tls;
	const char *user;             /**< who was authenticated, else NULL */
	struct gx_arena *arena;       /**< of this request */
	void *ctx;                    /**< of its route */
};

/** Value of the first header of this name, caseless; NULL when there is none. */
GX_API const char *gx_http_header(const struct gx_http_req *r, const char *name);
/** Value of a cookie, quotes removed; NULL when there is none. Out of memory counts as none. */
GX_API const char *gx_http_cookie(const struct gx_http_req *r, const char *name);
/** Value of a parameter of the query, decoded; NULL when there is none, "" when it has no value. */
GX_API const char *gx_http_query(const struct gx_http_req *r, const char *name);

/* ---- Answers ---- */

/**
 * A header of the answer, before it begins. Content-Length, Transfer-Encoding, Connection and Date are the server's.
 * GX_E_INVAL for what would break the head.
 */
GX_API int gx_http_set(struct gx_http_req *r, const char *name, const char *value) GX_MUST_CHECK;
/** Whole answer; @p type may be NULL. @p data must live as long as the request (its arena, static). Any thread. */
GX_API void gx_http_reply(struct gx_http_req *r, unsigned status, const char *type, const void *data, size_t len);
/** The same; takes the bytes of @p body over. A push with an error becomes 500. */
GX_API void gx_http_reply_take(struct gx_http_req *r, unsigned status, const char *type, struct gx_push *body);
/** Drops the headers that the handler has set so far, before an answer begins. */
GX_API void gx_http_unset(struct gx_http_req *r);
/** A short text page that names the status; @p why may be NULL, else one line for a human. */
GX_API void gx_http_reply_status(struct gx_http_req *r, unsigned status, const char *why);

/** Where the body of an answer comes from, piece by piece. Called on workers, one call at a time. */
struct gx_http_source {
	int64_t length; /**< -1: not known, chunked encoding is used */
	/** Bytes put into @p out, 0 at the end, or GX_E_*: the connection breaks, so that the client sees it is not all. */
	int64_t (*read)(void *ctx, uint8_t *out, size_t size);
	void (*close)(void *ctx); /**< always called once; may be NULL */
	void *ctx;
};
GX_API void gx_http_reply_source(struct gx_http_req *r, unsigned status, const char *type, const struct gx_http_source *s);
/** @p len bytes of a file from @p off; takes @p fd over. */
GX_API void gx_http_reply_file(struct gx_http_req *r, unsigned status, const char *type, int fd, uint64_t off, uint64_t len);

/**
 * Begins an answer that is written piece by piece from any thread; @p length -1: chunked encoding. No call of these
 * waits. GX_E_STATE: the client is gone, or the answer has begun before; it must be ended nevertheless.
 */
GX_API int gx_http_stream_begin(struct gx_http_req *r, unsigned status, const char *type, int64_t length) GX_MUST_CHECK;
/**
 * All of it or nothing: GX_E_BUSY when there is no room (GX_HTTP_EV_ROOM tells when there is), GX_E_STATE when the client
 * is gone, GX_E_RANGE more than was announced. What is larger than 256 KiB needs an empty buffer.
 */
GX_API int gx_http_stream_write(struct gx_http_req *r, const void *p, size_t n) GX_MUST_CHECK;
GX_API void gx_http_stream_end(struct gx_http_req *r);
/** The last piece, of any size, whatever waits to be sent. */
GX_API void gx_http_stream_end_with(struct gx_http_req *r, const void *p, size_t n);
/** Ends it so that the client sees that something is missing. */
GX_API void gx_http_stream_abort(struct gx_http_req *r);

/**
 * @p text is written by the server itself whenever nothing else was for @p ms, from when the stream begins until it ends; this needs no
 * thread. Before or after that beginning; @p text must live as long as the request. 0: no more of it. Any thread.
 */
GX_API void gx_http_stream_pulse(struct gx_http_req *r, const char *text, uint32_t ms);
/**
 * In the handler, before what may last and after its headers are set: if it does last (late_ms of the route), the answer begins by
 * itself, as by gx_http_stream_begin() with no length, and @p first is written. Until gx_http_announced() the handler makes no other
 * call that changes the request. GX_E_STATE, GX_E_NOMEM.
 */
GX_API int gx_http_announce(struct gx_http_req *r, unsigned status, const char *type, const char *first) GX_MUST_CHECK;
/** The end of that. @return the stream has begun; else the request is as it was before. */
GX_API bool gx_http_announced(struct gx_http_req *r);

/* ---- Requests that wait ---- */

enum {
	GX_HTTP_EV_ROOM = 1,  /**< a write that was refused can be tried again */
	GX_HTTP_EV_TIMER = 2, /**< the time of gx_http_timer() has come */
	GX_HTTP_EV_STOP = 4,  /**< the server is going down: finish soon */
	GX_HTTP_EV_GONE = 8,  /**< the client has hung up: finish it, nobody reads */
	GX_HTTP_EV_DONE = 16, /**< the last call: the request was finished and is freed after it; @p ctx is not needed any more */
};
/**
 * Called in the handler: the request stays open after the handler returns. @p on_event is called on a thread that may
 * block, one event and one call at a time; DONE comes once and last, perhaps inside the call that finishes the request
 * when the client is gone by then. A client that closes its sending side has hung up.
 */
GX_API int gx_http_hold(struct gx_http_req *r, void (*on_event)(struct gx_http_req *r, unsigned event, void *ctx), void *ctx)
	GX_MUST_CHECK;
/** One TIMER event in @p ms from now, replacing one that is set; 0: none. Any thread; only for a request that is held. */
GX_API void gx_http_timer(struct gx_http_req *r, uint32_t ms);

/**
 * In the handler of a route with GX_HTTP_STREAM_BODY: pieces of the body go to @p fn on workers as they arrive, one call
 * at a time, the last one (perhaps empty) with @p last. The request may be finished before that; what comes after
 * is not read. An error of @p fn ends the request with 413 (GX_E_LIMIT), 400 (GX_E_FORMAT) or 500 unless it was finished.
 */
GX_API int gx_http_read_body(struct gx_http_req *r, int (*fn)(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx),
	void *ctx) GX_MUST_CHECK;

/* ---- The server ---- */

/** One request that is over. */
struct gx_http_record {
	uint64_t id;
	const char *peer, *user, *method, *target; /**< user "-" when nobody was authenticated */
	unsigned status;      /**< 499 when the client hung up before there was an answer */
	uint64_t bytes_in, bytes_out; /**< of the bodies */
	uint64_t us;          /**< from the end of the head until the answer was handed to the connection */
};

struct gx_http_opts {
	size_t size;
	const struct gx_log *log;
	const struct gx_clock *clock;  /**< NULL: system */
	const char *server_name;       /**< in the Server header, NULL: no such header */
	uint64_t body_max;             /**< http_rqbody_max_size, 0 takes 50 MiB */
	uint32_t head_max;             /**< bytes of a head, 0 takes 64 KiB */
	uint32_t target_max;           /**< bytes of a target, 0 takes 8 KiB */
	uint32_t fields_max;           /**< headers of a request, 0 takes 100 */
	uint32_t idle_ms;              /**< http_conn_timeout, between requests; 0 takes 180000 */
	uint32_t head_ms;              /**< from its first byte to its last, 0 takes 30000 */
	uint32_t body_ms;              /**< of grace; with it a body must come at 1 KiB a second or faster. 0 takes 60000 */
	uint32_t max_conns;            /**< of all listeners together, 0: no limit */
	const char *remote_host_hdr;   /**< http_remote_host_hdr, NULL or "": none */
	/** Addresses and networks ("192.0.2.0/24 2001:db8::1") whose remote_host_hdr counts besides those of this host. */
	const char *fronts;
	bool enforce_auth;             /**< http_enforce_auth: every route is for known users only */
	int request_log_level;         /**< one line a request at this level, 0: none */
	void (*on_record)(const struct gx_http_record *rec, void *ctx); /**< may be NULL; must not block */
	void *record_ctx;
	/** http_debug: all that comes (">") and goes ("<"), a line of it at a time, without credentials; may be NULL; must not block. */
	void (*trace)(const char *line, void *ctx);
	void *trace_ctx;
};
#define GX_HTTP_OPTS_INIT {.size = sizeof(struct gx_http_opts)}
/** @p ret_why names what is wrong with the options. */
GX_API int gx_http_new(const struct gx_http_opts *o, struct gx_http **ret_h, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** After the stop of every net it listens on. Requests that are still kept stay valid until they are finished. Accepts NULL. */
GX_API void gx_http_free(struct gx_http *h);

enum {
	GX_HTTP_PREFIX = 1,       /**< all below the path too: "/EWS" takes "/EWS/Exchange.asmx", not "/EWSX" */
	GX_HTTP_NOCASE = 2,       /**< the path is compared without regard to case */
	GX_HTTP_AUTH = 4,         /**< only for users that are known */
	GX_HTTP_STREAM_BODY = 8,  /**< the handler reads the body with gx_http_read_body(); body_max does not count for it */
	GX_HTTP_REWRITE = 16,     /**< looks at the path after gx_http_set_rewrite() */
	GX_HTTP_PATIENT = 32,     /**< no deadline for the body: uploads that last as long as the session does */
};
struct gx_http_route {
	size_t size;
	uint32_t methods;  /**< GX_HTTP_GET takes HEAD along */
	const char *path;
	uint32_t flags;
	uint64_t body_max; /**< 0: the server's */
	uint32_t late_ms;  /**< when a handler lasts longer than this, the client is told what there is of its answer; 0: it has to wait */
	void (*handle)(struct gx_http_req *r, void *ctx);
	void *ctx;
};
#define GX_HTTP_ROUTE_INIT {.size = sizeof(struct gx_http_route)}
/** Before the first connection. Of the routes that match the longest path wins, an exact one before a prefix. */
GX_API int gx_http_route(struct gx_http *h, const struct gx_http_route *route) GX_MUST_CHECK;
/** Before the first connection. @p fn gives another path, or NULL to leave it; it must be quick. */
GX_API void gx_http_set_rewrite(struct gx_http *h, const char *(*fn)(const struct gx_http_req *r, void *ctx), void *ctx);
/** Before the first connection; see httpauth.h. @p auth must outlive the server. */
GX_API void gx_http_set_auth(struct gx_http *h, struct gx_http_auth *auth);
/** For gx_listen_opts; TLS, PROXY header and limits by address are those of the listener. */
GX_API struct gx_engine_factory gx_http_factory(struct gx_http *h);
/** gx_net_listen() with the factory and buffers as the server needs them; @p o stands otherwise. */
GX_API int gx_http_listen(struct gx_http *h, struct gx_net *n, const struct gx_listen_opts *o, uint16_t *ret_port,
	struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

struct gx_http_stats {
	unsigned conns;     /**< open */
	unsigned requests;  /**< read and not finished */
	uint64_t total;     /**< requests so far */
};
GX_API void gx_http_stats(struct gx_http *h, struct gx_http_stats *ret_s);

/* ---- Values ---- */

/** "Not Found"; never NULL. */
GX_API const char *gx_http_reason(unsigned status);
/**
 * One range of bytes [RFC 9110] 14.2 of something with @p size bytes. GX_E_UNSUP: send all (another unit, several ranges,
 * wrong syntax); GX_E_RANGE: 416.
 */
GX_API int gx_http_parse_range(const char *value, uint64_t size, uint64_t *ret_off, uint64_t *ret_len) GX_MUST_CHECK;
/** "Sun, 06 Nov 1994 08:49:37 GMT"; @p out takes 30 bytes. */
GX_API void gx_http_print_date(int64_t unix_time, char out[30]);
/** That form and the two old ones of [RFC 9110] 5.6.7. @return 0 or GX_E_FORMAT. */
GX_API int gx_http_parse_date(const char *s, int64_t *ret_unix) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
