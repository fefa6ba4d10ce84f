/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ENGINE_H
#define GX_ENGINE_H
/**
 * @file engine.h
 * A protocol engine: bytes in, bytes out, no sockets. The network layer, a unit test or a fuzzer
 * drives it.
 *
 * The driver appends received bytes to io->in, calls step(), sends io->out, and does what step()
 * wants. Calls on one engine never overlap; step() must not block, work() may.
 * Thread class: confined, except gx_io_wake().
 */
#include <gx/cursor.h>
#include <gx/log.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes waiting: data[off, len). */
struct gx_iobuf {
	uint8_t *data;
	size_t off, len, cap;
};
GX_API void gx_iobuf_release(struct gx_iobuf *b);
GX_API int gx_iobuf_add(struct gx_iobuf *b, const void *p, size_t n) GX_MUST_CHECK;
/** Room for n more bytes at the end; then gx_iobuf_added(). NULL when out of memory. */
GX_API uint8_t *gx_iobuf_reserve(struct gx_iobuf *b, size_t n);
GX_API void gx_iobuf_added(struct gx_iobuf *b, size_t n);
GX_API void gx_iobuf_consume(struct gx_iobuf *b, size_t n);
static inline const uint8_t *gx_iobuf_head(const struct gx_iobuf *b)
{
	return b->data == NULL ? NULL : b->data + b->off;
}
static inline size_t gx_iobuf_left(const struct gx_iobuf *b)
{
	return b->len - b->off;
}

enum {
	GX_IO_EOF = 1,        /**< the peer sends no more */
	GX_IO_TLS = 2,        /**< the connection is encrypted */
	GX_IO_TLS_STARTED = 4, /**< set once, at the step after a handshake that GX_WANT_STARTTLS asked for */
	GX_IO_TIMEOUT = 8,    /**< the deadline the engine set has passed */
	GX_IO_WOKEN = 16,     /**< gx_io_wake() was called */
	GX_IO_SHUTDOWN = 32,  /**< the server is going down: say goodbye at the next convenient moment */
};

/** What a connection shows its engine. */
struct gx_io {
	struct gx_iobuf in;       /**< engine consumes */
	struct gx_push out;       /**< engine appends; the driver takes all and clears */
	size_t out_pending;       /**< bytes taken by the driver that the peer has not accepted yet */
	size_t out_high;          /**< out.len + out_pending above it: return GX_WANT_DRAIN */
	size_t in_max;            /**< driver stops reading above this many unread bytes; an engine that leaves four times as many and wants more is closed */
	unsigned events;          /**< GX_IO_*; TLS_STARTED, TIMEOUT and WOKEN are cleared by the driver after the call */
	bool urgent;              /**< engine sets: it holds what the work of other connections may wait for; work() gets a thread even when all are busy */
	uint32_t late_ms;         /**< engine sets with GX_WANT_WORKER: how long work() may last before late() is asked; 0: for ever */
	int64_t deadline_ms;      /**< engine sets: clock's monotonic ms at which it wants TIMEOUT; 0 none. Told once. */
	const struct gx_clock *clock;
	const struct gx_log *log;
	const char *peer;         /**< "192.0.2.1" or "unix" */
	const char *local;
	uint16_t peer_port;
	bool peer_is_loopback;
	bool has_peer_uid;        /**< the peer of a Unix socket told its user */
	uint32_t peer_uid;
	const char *peer_cert;    /**< common name in the certificate of the client, checked; NULL: it has shown none */
	uint64_t id;              /**< for log lines */
	void (*wake)(struct gx_io *io); /**< driver's; see gx_io_wake() */
	void *driver;
};
/** Asks the driver to call step() soon with GX_IO_WOKEN. Any thread, while the engine lives. */
GX_API void gx_io_wake(struct gx_io *io);

enum gx_want {
	GX_WANT_INPUT = 0,  /**< call again when bytes arrive, the deadline passes, or it is woken */
	GX_WANT_WORKER,     /**< call work() on a thread that may block, then step() again */
	GX_WANT_AGAIN,      /**< from work(): call work() again, after others had their turn and out was taken */
	GX_WANT_DRAIN,      /**< call step() again when the output has gone below half of out_high */
	GX_WANT_WAIT,       /**< a completion is pending: ignore input until woken (deadline still counts) */
	GX_WANT_STARTTLS,   /**< send out, drop nothing, handshake, then step() */
	GX_WANT_CLOSE,      /**< send out, then close */
	GX_WANT_NOTHING,    /**< from work() that late() has taken the connection from */
};

struct gx_engine_ops {
	const char *name;   /**< "imap" */
	enum gx_want (*step)(void *self, struct gx_io *io);
	/**
	 * May be NULL. Answers as step() does: after GX_WANT_INPUT step() is called at once, with the
	 * input that is left; every other answer means the same as from step().
	 */
	enum gx_want (*work)(void *self, struct gx_io *io);
	/** The connection is gone; called on a thread that may block, never while step() or work() runs. */
	void (*free)(void *self);
	/**
	 * May be NULL. Asked by another thread when work() has lasted io->late_ms, and again after the same time; must not block. True: the
	 * connection is not work()'s any more, though it still runs. step() is called from now on, and free() may be; work() must touch neither
	 * engine nor io, and returns GX_WANT_NOTHING. work() must not return while this runs: a lock of what outlives both decides.
	 */
	bool (*late)(void *self, struct gx_io *io);
};

/** Makes an engine for a new connection; greeting is written by the first step(). NULL: refuse the connection. */
struct gx_engine_factory {
	const struct gx_engine_ops *ops;
	void *(*new_engine)(struct gx_io *io, void *ctx);
	void *ctx;
};

#ifdef __cplusplus
}
#endif
#endif
