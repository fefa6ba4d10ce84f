/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DELIVERY_H
#define GX_DELIVERY_H
/**
 * @file delivery.h
 * From the acknowledgement to the mailbox: the journal that makes 250 a promise, and the
 * pipeline that turns its records into messages in stores, each exactly once.
 * Thread class: locked.
 */
#include <gx/directory.h>
#include <gx/log.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One accepted message; strings are borrowed for the call. */
struct gx_envelope {
	const char *from;                /**< "" for the null sender */
	const char *const *rcpts;        /**< addresses as accepted, resolved by the pipeline */
	size_t rcpt_count;
	const char *client;              /**< "host [ip]" for the log */
	int64_t received_unix;
	bool smtputf8;
	const uint8_t *id;               /**< 16 bytes by which the same message is known when it comes again; NULL: a new one */
};

/** What became of one recipient of a mail that was handed on. */
struct gx_fate {
	int err;                         /**< 0: it is safe there; GX_E_NOTFOUND, GX_E_INVAL: refused for good; others: not now */
	char host[128];                  /**< who said so, "" ourselves */
	char says[400];                  /**< "550 5.1.1 no such user" */
};

/*
 * The journal: segment files in a directory, preallocated and reused; a record is an envelope
 * and the message bytes with a checksum and a 16-byte id. One writer process; any number of
 * submitting threads; one flush for all that wait.
 */
struct gx_journal;
struct gx_journal_opts {
	size_t size;
	const char *dir;
	const struct gx_log *log;
	uint64_t segment_bytes;          /**< 0 takes 16 MiB */
	uint64_t max_bytes;              /**< of unfinished records, 0 takes 4 GiB; then GX_E_NOSPACE */
	uint64_t max_inflight;           /**< bytes of messages being received, over all connections, 0 takes 256 MiB */
	bool external;                   /**< another process delivers (gx_delivery_opts.journal_dir) */
};
#define GX_JOURNAL_OPTS_INIT {.size = sizeof(struct gx_journal_opts)}
GX_API int gx_journal_open(const struct gx_journal_opts *o, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
GX_API void gx_journal_close(struct gx_journal *j);
/** @p err 0: the record survives power loss from now on. Called on the journal's thread; must not block. */
typedef void (*gx_journal_cb)(int err, void *ctx);
/**
 * Hands over a message. @p data and @p env are borrowed until the callback. GX_E_NOSPACE and
 * other immediate refusals are returned and the callback is not called.
 */
GX_API int gx_journal_submit(struct gx_journal *j, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx) GX_MUST_CHECK;

/** The same, and waits until it is so. Not on the journal's thread. */
GX_API int gx_journal_submit_wait(struct gx_journal *j, const struct gx_envelope *env, struct gx_bin data) GX_MUST_CHECK;

/**
 * What may wait in the journal for one server with stores that cannot be reached, or for one mailbox in trouble. Beyond any of
 * these no mail is taken for its recipients (those who receive answer 451) until less than half of it waits.
 */
struct gx_hold_limits {
	uint64_t max_bytes;              /**< 0 takes 1 GiB */
	uint64_t max_messages;           /**< 0 takes 10000 */
	uint64_t min_free;               /**< bytes that must be free on the journal's disk; 0: does not matter */
};

/** The pipeline: reads records, delivers, retries with back-off, releases them. */
struct gx_delivery;
struct gx_delivery_opts {
	size_t size;
	struct gx_journal *journal;      /**< same process, or NULL */
	const char *journal_dir;         /**< follow another process's journal when journal is NULL */
	struct gx_dir *dir;
	struct gx_store_pool *pool;
	const struct gx_log *log;
	const struct gx_clock *clock;
	unsigned threads;                /**< work_threads_max, 0 takes 5 */
	const char *recipient_delimiter; /**< lda_recipient_delimiter */
	const char *host_id;
	struct gx_hold_limits hold;
};
#define GX_DELIVERY_OPTS_INIT {.size = sizeof(struct gx_delivery_opts)}
GX_API int gx_delivery_new(const struct gx_delivery_opts *o, struct gx_delivery **ret_d, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/**
 * gx_store_pool_sync() for everybody else who uses the pool: that a machine has failed (GX_E_STATE) is told once, and must come
 * before the next record is given back. @return as that, but 0 for GX_E_STATE, which is dealt with. Any thread.
 */
GX_API int gx_delivery_sync_stores(struct gx_delivery *d) GX_MUST_CHECK;
/** Somebody was told GX_E_STATE: messages that are under way go the whole way again. Any thread. */
GX_API void gx_delivery_stores_failed(struct gx_delivery *d);
/** Finishes what is running, syncs the stores, ends the threads. */
GX_API void gx_delivery_free(struct gx_delivery *d);

/** May mail be accepted for this address now? Used at RCPT. 0, GX_E_NOTFOUND, GX_E_NOSPACE over quota, GX_E_STATE not receiving, GX_E_BUSY try later. */
GX_API int gx_delivery_check_rcpt(struct gx_dir *dir, const char *address, const char *delimiter, struct gx_arena *a) GX_MUST_CHECK;

/* Making a message for the store out of internet mail: shared by delivery and IMAP APPEND. */

struct gx_mail_prepared {
	struct gx_msg_prepared *msg;     /**< for gx_msg_insert() */
	const struct gx_msgobj *obj;
	int64_t date_unix;               /**< Date header, 0 when absent or unreadable */
};
/** Parses, converts, prepares. @p data must live as long as @p a. Release msg with gx_msg_prepared_release(). */
GX_API int gx_mail_prepare(struct gx_arena *a, struct gx_dir *dir, const struct gx_clock *clock, struct gx_bin data, struct gx_mail_prepared *ret_p) GX_MUST_CHECK;
/** The same with a compressor that is kept between messages (gx_prepare_ctx_new()), NULL for none. */
GX_API int gx_mail_prepare_with(struct gx_arena *a, struct gx_dir *dir, const struct gx_clock *clock, struct gx_prepare_ctx *ctx,
	struct gx_bin data, struct gx_mail_prepared *ret_p) GX_MUST_CHECK;
/** For gx_store_check_opts.describe: envelope and structure of an internet message. ctx is not used. */
GX_API int gx_mail_describe(struct gx_bin original, struct gx_push *ret_envelope, struct gx_push *ret_bodystructure, void *ctx) GX_MUST_CHECK;
/** For gx_store_opts.render: message object to internet message with envelope and structure. ctx: struct gx_dir or NULL. */
GX_API int gx_mail_render(const struct gx_msgobj *m, struct gx_push *ret_message, struct gx_push *ret_envelope, struct gx_push *ret_bodystructure, void *ctx) GX_MUST_CHECK;

/**
 * For gx_storeconv_opts.mail: envelope and structure of @p original, and values of the object @p io_m that
 * stand in it as they are (bodies, headers, attachments) become slices of it. @p ctx is not used.
 */
GX_API int gx_mail_adopt(struct gx_arena *a, struct gx_bin original, struct gx_msgobj *io_m, struct gx_bin *ret_envelope,
	struct gx_bin *ret_bodystructure, void *ctx) GX_MUST_CHECK;
/** For gx_storeconv_opts.notice: subject (NULL without) and text of a message of one part. @p ctx is not used. */
GX_API int gx_mail_notice(struct gx_arena *a, struct gx_bin message, const char **ret_subject, const char **ret_text,
	void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
