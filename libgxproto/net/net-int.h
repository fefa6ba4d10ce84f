/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NET_INT_H
#define GX_NET_INT_H
/*
 * How it fits together: a loop is a thread with an event base; a listener sits on the first loop;
 * a connection belongs to one loop for its events and has one owner at a time, a loop thread or a
 * worker, which alone touches it. Events for an owned connection are left as bits in its state
 * word; the owner looks at them before it lets go.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <event2/event.h>
#include <gx/net.h>
#include "libgxproto/net/addr.h"
#include "libgxproto/net/quiet.h"

struct gx_tls_session;
struct gx_conn;

/* ---- Workers ---- */

struct gx_job {
	struct gx_job *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct gx_pool {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct gx_job *first, **tail, *urgent, **urgent_tail;
	unsigned max_threads, max_queue;
	unsigned threads, waiting, busy, queued;
	unsigned ordinary;           /* busy with jobs that are not urgent, at most max_threads */
	bool stopping;
};
int gx_pool__init(struct gx_pool *p, unsigned max_threads, unsigned max_queue) GX_MUST_CHECK;
/* FORCE: the queue's bound does not count. URGENT: nor does that of the threads, up to twice as many. */
enum { GX_POOL_FORCE = 1, GX_POOL_URGENT = 2 };
/* @p job belongs to the caller and must live until it runs. */
int gx_pool__push(struct gx_pool *p, struct gx_job *job, int how) GX_MUST_CHECK;
bool gx_pool__others_wait(struct gx_pool *p);
/* Runs what is queued, ends the threads. */
void gx_pool__stop(struct gx_pool *p);
void gx_pool__release(struct gx_pool *p);
/* A thread that takes no signals. */
int gx_net__thread(pthread_t *ret_t, bool detached, void *(*fn)(void *), void *ctx) GX_MUST_CHECK;

/* ---- Net ---- */

struct gx_loop {
	struct event_base *base;
	pthread_t thread;
	bool running;
	struct event *late_ev;
	pthread_mutex_t late_lock;
	atomic_bool late_armed;      /* these under late_lock */
	struct gx_late *late_first, *late_last;
};

/* A call of work() that may last, on the stack of its thread. */
struct gx_late {
	struct gx_late *prev, *next;
	struct gx_loop *loop;
	struct gx_conn *c;
	int64_t at;                  /* when its engine is asked */
	bool taken;
};
/* late.c */
int gx_late__init(struct gx_loop *l) GX_MUST_CHECK;
void gx_late__release(struct gx_loop *l);
/* A worker will soon begin such a call. Costs nothing on the thread of the loop. */
void gx_late__expect(struct gx_loop *l, uint32_t ms);
void gx_late__begin(struct gx_late *x, struct gx_conn *c);
/* @return true: the connection is another thread's and may be gone. */
bool gx_late__end(struct gx_late *x);

struct gx_host {
	struct gx_host *next;
	uint8_t key[16];
	unsigned conns;
};

/* What connections have in common. One that dials has no socket and no events of its own (dial.c). */
struct gx_listener {
	struct gx_listener *next;
	struct gx_net *net;
	struct gx_listen_opts o;
	char *addr;
	struct gx_addr bound;
	int fd;
	struct event *ev, *resume;
	unsigned conns;              /* this and hosts under net->lock */
	struct gx_host **hosts;      /* buckets, when there is a limit by host */
	struct gx_quiet complaints;
};

struct gx_timer {
	struct gx_timer *next;
	struct gx_net *net;
	struct event *ev;
	uint32_t ms;
	bool (*fn)(void *ctx);
	void *ctx;
	bool sleeping;               /* under net->lock */
};

struct gx_net {
	const struct gx_log *log;
	const struct gx_clock *clock;
	struct gx_pool pool;
	struct gx_loop *loops;
	unsigned nloops;
	pthread_mutex_t lock;
	pthread_cond_t gone;
	struct gx_conn *conns;       /* the fields from here on are under lock */
	unsigned nconns;
	struct gx_listener *listeners;
	struct gx_timer *timers;
	unsigned next_loop;
	bool started, stopping, stopped;
	atomic_bool timers_sleep;
	_Atomic uint64_t accepted, refused, last_id;
};

/* ---- Connections ---- */

/* Bits of the state word. */
enum {
	CONN_IN = 1, CONN_OUT = 2, CONN_HUP = 4, CONN_WAKE = 8, CONN_TIMER = 16, CONN_SHUTDOWN = 32, CONN_KILL = 64,
	CONN_AGAIN = 128, CONN_OWNED = 256,
};
enum gx_conn_phase { PHASE_PROXY, PHASE_HANDSHAKE, PHASE_RUN, PHASE_STARTTLS, PHASE_CLOSING };
enum gx_conn_until { UNTIL_NOW, UNTIL_INPUT, UNTIL_DRAINED, UNTIL_WOKEN };

/* Output that the peer has not taken yet. */
struct gx_chunk {
	struct gx_chunk *next;
	uint8_t *data;
	size_t off, len, cap;
};

struct gx_conn {
	struct gx_io io;
	struct gx_net *net;
	struct gx_listener *l;
	struct gx_loop *loop;
	struct gx_conn *prev, *next;
	void *engine;
	struct event *ev, *timer;
	struct gx_tls_session *tls;
	struct gx_chunk *out_first, *out_last;
	struct gx_job job;
	_Atomic uint32_t state;
	int fd;
	uint32_t read_size;
	int64_t timer_at;       /* when the timer is set to fire, 0 not set */
	int64_t phase_deadline; /* PROXY header, handshake */
	int64_t stall_deadline; /* while output is pending */
	uint8_t phase, until;
	bool call_work;         /* next call is work(), else step() */
	bool kick;              /* something besides input that step() must see */
	bool can_read, can_write;
	bool hup, eof;          /* of the socket */
	bool in_eof;            /* of what the engine reads */
	bool cipher_more;       /* the session may hold bytes that were not decrypted yet */
	bool dead, counted, said_goodbye;
	uint8_t host_key[16];
	char peer[46], local[46];
};

/* conn.c, for both kinds: owned by the caller. NULL: out of memory. */
struct gx_conn *gx_conn__new(struct gx_listener *l, int fd, const struct gx_addr *peer, struct gx_loop *loop);
/* Lists it. @return NULL, or why the connection is not wanted; then the caller calls the next. */
const char *gx_conn__link(struct gx_conn *c);
void gx_conn__unwanted(struct gx_conn *c);
/* Of a worker that is late: it is this thread's, that of its loop. */
void gx_conn__taken(struct gx_conn *c);
/* A worker drives it from now on. */
void gx_conn__hand_over(struct gx_conn *c);
/* Takes @p fd over. */
void gx_conn__accepted(struct gx_listener *l, int fd, const struct gx_addr *peer, struct gx_loop *loop);
/* From any thread that knows the connection alive. */
void gx_conn__post(struct gx_conn *c, uint32_t bits);
void gx_conn__release(struct gx_conn *c);

/* connphase.c: one move of a phase. @return true when something was done. */
bool gx_conn__proxy(struct gx_conn *c);
bool gx_conn__handshake(struct gx_conn *c);
bool gx_conn__closing(struct gx_conn *c);
void gx_conn__begin_tls(struct gx_conn *c);
/* The first phase after the PROXY header. */
void gx_conn__begin(struct gx_conn *c);
void gx_conn__set_peer(struct gx_conn *c, const struct gx_addr *a);

/* connio.c: reading and writing by the owner. */
/* Reads up to @p max unread bytes. @return true when there are new ones in c->io.in, or the end was seen. */
bool gx_conn__read(struct gx_conn *c, size_t max);
void gx_conn__take_output(struct gx_conn *c);
/* Sends pending output as far as it goes. */
void gx_conn__flush(struct gx_conn *c);
bool gx_conn__has_output(const struct gx_conn *c);
void gx_conn__drop_output(struct gx_conn *c);
/* recv() with the bookkeeping of edges. @return bytes, 0 for none now. */
size_t gx_conn__recv(struct gx_conn *c, void *p, size_t n);

/* tlssess.c: a session moves bytes between buffers, the connection moves them to the socket. */
int gx_tls__session_new(struct gx_tls *t, struct gx_tls_session **ret_s) GX_MUST_CHECK;
void gx_tls__session_free(struct gx_tls_session *s);
/* Bytes from the peer that wait for the session, and bytes for the peer. */
struct gx_iobuf *gx_tls__cipher_in(struct gx_tls_session *s);
struct gx_iobuf *gx_tls__cipher_out(struct gx_tls_session *s);
/* 0 done, GX_E_BUSY needs more input, else failed with a text for the log. */
/* Must clients show one? */
bool gx_tls__asks_for_certificate(const struct gx_tls *t);
int gx_tls__handshake(struct gx_tls_session *s, const char **ret_why) GX_MUST_CHECK;
/* @return bytes read, 0 none now, GX_E_* ; *ret_eof when the peer ended the session. */
ssize_t gx_tls__read(struct gx_tls_session *s, void *p, size_t n, bool *ret_eof);
/* Encrypts at most one record. @return bytes taken or GX_E_*. */
ssize_t gx_tls__write(struct gx_tls_session *s, const void *p, size_t n);
void gx_tls__bye(struct gx_tls_session *s);
/* Common name of the client's certificate, "" when it has none; NULL: no certificate. Lives with the session. */
const char *gx_tls__peer_name(struct gx_tls_session *s);

/* proxy.c */
enum { GX_PROXY_HEADER = 16, GX_PROXY_MAX = 4096 };
/* 0, GX_E_TRUNC more bytes needed, GX_E_FORMAT. *ret_local_cmd: keep the socket's own address. */
int gx_proxy__parse(struct gx_bin in, size_t *ret_used, struct gx_addr *ret_peer, bool *ret_local_cmd) GX_MUST_CHECK;

int64_t gx_net__now_ms(const struct gx_net *n);
/* listen.c */
void gx_listener__set_defaults(struct gx_listen_opts *o);
struct gx_loop *gx_net__next_loop(struct gx_net *n);
void gx_listener__close(struct gx_listener *l);
void gx_listener__free(struct gx_listener *l);
/* Under net->lock: one more connection of this host, when the limit allows. */
bool gx_listener__enter(struct gx_listener *l, const uint8_t host_key[16]);
void gx_listener__leave(struct gx_listener *l, const uint8_t host_key[16]);
void gx_listener__complain(struct gx_listener *l, const char *what, const char *peer);
void gx_net__wake_timers(struct gx_net *n);
#endif
