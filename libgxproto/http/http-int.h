/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_INT_H
#define GX_HTTP_INT_H
/*
 * A connection (conn.c) reads heads (head.c) and bodies (body.c), makes requests of them, and writes what their owners
 * answer (answer.c, stream.c). A request has two that know it: its connection and its owner. What both touch is under
 * the request's lock; it is freed when both are through with it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <gx/charset.h>
#include <gx/http.h>
#include <gx/httpauth.h>

enum { HTTP_PIECE = 64 << 10, HTTP_STREAM_MOST = 256 << 10, HTTP_DRAIN_MOST = 256 << 10 };

/* ---- head.c, target.c: what a request says; each gives 0 or the status to refuse it with ---- */

struct http_head {
	const char *method, *target, *host;
	unsigned version;
	uint32_t method_bit;
	struct gx_http_field *fields;
	size_t nfields;
	int64_t content_length; /* 0 when there is none, -1: chunked */
	bool close, keep_alive, expects;
};
/*
 * Looks for the empty line that ends a head. *io_line: start of the line looked at, kept between calls. *ret_len: with
 * the empty line; 0: more is needed.
 */
unsigned gx_http__head_end(struct gx_bin in, size_t *io_line, size_t *ret_len);
/* @p text is taken apart in place; it ends with the empty line. */
unsigned gx_http__head_parse(struct gx_arena *a, char *text, size_t len, const struct gx_http_opts *o, struct http_head *ret_h);
/* Decoded path without "." and "..", and what stands behind the question mark. */
unsigned gx_http__target(struct gx_arena *a, const char *target, const char **ret_path, const char **ret_query, const char **io_host);
/* Percent escapes, and '+' as a space. GX_E_FORMAT for a NUL; escapes that are none stay as they are unless @strict. */
int gx_http__unescape(const char *s, size_t n, bool plus, bool strict, char *out, size_t *ret_n);
bool gx_http__is_token(const char *s, size_t n);
/* Is @p word in a list with commas? */
bool gx_http__has_word(const char *list, const char *word);

/* ---- body.c: takes a body apart ---- */

enum { BODY_SIZE, BODY_SIZE_LF, BODY_DATA, BODY_DATA_CR, BODY_DATA_LF, BODY_TRAILER, BODY_END };
struct http_body {
	uint8_t state;
	bool chunked, any_digit, in_ext;
	uint8_t crs;          /* a CR in a trailer waits for its LF */
	uint32_t line, trailer; /* bytes of a line of a size, of all trailers */
	uint64_t left;        /* of the chunk or of all */
	uint64_t total;       /* bytes of data so far */
};
void gx_http__body_begin(struct http_body *b, int64_t content_length);
/*
 * The next piece of data in @p in, empty when more input is needed or the body is over (state BODY_END). *ret_used: bytes
 * of @p in that were read. GX_E_FORMAT.
 */
int gx_http__body_next(struct http_body *b, struct gx_bin in, struct gx_bin *ret_data, size_t *ret_used);

/* ---- The server ---- */

struct gx_http {
	struct gx_http_opts o;
	char *server_name, *remote_host_hdr;
	const struct gx_clock *clock;
	struct http_front *fronts;
	size_t nfronts;
	struct gx_http_route *routes;
	size_t nroutes;
	const char *(*rewrite)(const struct gx_http_req *r, void *ctx);
	void *rewrite_ctx;
	struct gx_http_auth *auth;
	_Atomic uint64_t last_id;
	atomic_uint conns, requests;
	atomic_uint refs;         /* the program's and one a request */
};
void gx_http__ref(struct gx_http *h);
void gx_http__unref(struct gx_http *h);

/* server.c: the route of a path; NULL with *ret_allow the methods that would do, 0: there is no such path. */
const struct gx_http_route *gx_http__find_route(const struct gx_http *h, const char *path, const char *rewritten, uint32_t method,
	uint32_t *ret_allow);

/* peer.c: networks, and who sent a request that came through a front. */
struct http_front {
	uint8_t addr[16];
	uint8_t bits;
};
int gx_http__fronts_parse(const char *list, struct http_front **ret_f, size_t *ret_n, struct gx_arena *a, const char **ret_why);
const char *gx_http__peer_of(const struct gx_http *h, const struct gx_io *io, const struct http_head *head, struct gx_arena *a);

/* ---- Requests ---- */

enum { ANSWER_NONE, ANSWER_WHOLE, ANSWER_SOURCE, ANSWER_STREAM };

struct http_req {
	struct gx_http_req pub;    /* first */
	struct gx_http *h;
	const struct gx_http_route *route;
	pthread_mutex_t lock;
	struct gx_io *io;          /* under lock, as all that follows; NULL: the connection is through with it */
	bool finished;             /* the owner is through with it */
	bool left;                 /* so is the connection */
	bool busy;                 /* the connection's worker has called the owner and looks at everything afterwards */
	bool apart;                /* the handler runs on without the connection */
	bool held, gone, stopping;
	uint32_t events;           /* that on_event has not been told */
	void (*on_event)(struct gx_http_req *r, unsigned event, void *ctx);
	void *event_ctx;
	int64_t timer_at;
	/* the answer */
	uint8_t kind;
	bool aborted, want_room;
	const char *announced;     /* what the stream begins with, should the handler last */
	const char *pulse;
	uint32_t pulse_ms;
	int64_t pulse_at;          /* 0: not known yet */
	unsigned status;
	const char *type;
	struct gx_http_field *set;
	size_t nset, set_cap, nkept; /* nkept: set before the handler was called */
	int64_t length;            /* of a stream or a source, -1: not known */
	struct gx_bin data;
	struct gx_push taken;      /* owns data, or what a stream has to be sent */
	uint64_t written;          /* into a stream */
	struct gx_http_source source;
	/* of the connection alone */
	int64_t since_ns;
	uint64_t bytes_in, bytes_out;
	bool passed;               /* authentication */
	bool no_body;              /* HEAD, 204, 304 */
	bool chunked_out;
	int (*on_body)(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx);
	void *body_ctx;
	struct gx_push body;
};
static inline struct http_req *http_req_of(struct gx_http_req *r)
{
	return (struct http_req *)r;
}
/* request.c */
struct http_req *gx_http__req_new(struct gx_http *h, struct gx_io *io);
/* The connection is through with it: freed now or when the owner has finished. */
void gx_http__req_leave(struct http_req *r);
/* Tells the owner what has happened, in the connection's worker. Never with the lock held. */
void gx_http__req_tell(struct http_req *r);
/* Its handler, which had lost the connection, has returned. */
void gx_http__req_return(struct http_req *r);
/* With the lock held, at the end of a call that changed something: wakes the connection or frees the request; unlocks. */
void gx_http__req_post(struct http_req *r);
/* Since its head was read. */
int64_t gx_http__lasted_ms(const struct gx_http_req *r);
void gx_http__req_record(const struct http_req *r, unsigned status);

/* answer.c: the head of the answer into io->out. */
void gx_http__put_head(struct http_req *r, struct gx_push *out, bool close);
/* For a head that could not be read. */
void gx_http__put_refusal(const struct gx_http *h, struct gx_push *out, unsigned status);
bool gx_http__status_has_no_body(unsigned status);

/* stream.c, both with the lock held: the stream that was announced begins; the pulse comes or is set. */
void gx_http__stream_announced(struct http_req *r);
void gx_http__stream_beat(struct http_req *r, int64_t now);

/* auth.c: true: r->pub.user is known. False: an answer was made. */
struct http_exchange {
	const struct gx_http_negotiate *n;
	void *ctx;
	char *user; /* of the connection */
};
bool gx_http__authenticate(struct gx_http_auth *auth, struct http_req *r, struct http_exchange *x);
void gx_http__exchange_end(struct http_exchange *x);

/* credcache.c: passwords that were found right, as salted hashes. */
struct http_credcache;
struct http_credcache *gx_http__credcache_new(const struct gx_clock *clock, uint32_t seconds, uint32_t max);
void gx_http__credcache_free(struct http_credcache *c);
void gx_http__credcache_clear(struct http_credcache *c);
/* @return the user's name in @p a, NULL: not known. */
const char *gx_http__credcache_find(struct http_credcache *c, struct gx_arena *a, const char *login, const char *password);
void gx_http__credcache_add(struct http_credcache *c, const char *login, const char *password, const char *user);

#endif
