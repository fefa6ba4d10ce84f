/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_H
#define GX_EXMDB_H
/**
 * @file exmdb.h
 * Stores by the calls of the exmdb protocol, here or on another host: one interface, two makers.
 *
 * Each call names the store by its directory, takes a request struct and gives an answer struct of
 * gx/exmdb-types.h; gx/exmdb-calls.h has a typed function for each. Folder, message and change
 * numbers are in wire form (gx_eid_make() and gx_eid_counter() of gx/entryid.h), in property values too.
 *
 * Tables, instances and subscriptions are addressed by numbers that belong to the store and the
 * client. What an answer points to lives in the arena of the call.
 *
 * Thread class: struct gx_exmdb, struct gx_exmdb_host and struct gx_exmdb_client are locked.
 */
#include <gx/directory.h>
#include <gx/ec.h>
#include <gx/exmdb-frame.h>
#include <gx/log.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_exmdb;

/**
 * One call. @p req and @p ret_ans are the call's structs, NULL where it has none; ret_ans is
 * written on success. @p ret_why may be NULL; it gets a text for the log, "" on success.
 * GX_X_CONNECT asks whether there is such a store, and of that kind: ecNotFound, ecInvalidParam.
 * Besides what the operation says: ecRpcFailed (the server cannot be reached, or the connection
 * broke: the call may have been carried out or not), ecTimeout, ecNotFound (no such store).
 */
GX_API gx_ec gx_exmdb_call(struct gx_exmdb *x, const char *dir, uint8_t call, const void *req, struct gx_arena *a,
	void *ret_ans, const char **ret_why) GX_MUST_CHECK;

struct gx_exmdb_item {
	uint8_t call;
	const void *req;
	void *ans;
	gx_ec ec;          /**< set for each that was tried */
	const char *why;
};
/**
 * Several calls on one store in one go. With @p atomic all or nothing: every call must be one that
 * writes and nothing else (gx_call_desc.writes), and the first that fails takes back those before it; it is the
 * result, and *ret_done how many were tried. Without, the result is that of the machinery alone.
 * A server of another make does not know batches: then single calls are made, and ecNotSupported
 * is the answer to @p atomic.
 */
GX_API gx_ec gx_exmdb_batch(struct gx_exmdb *x, const char *dir, bool atomic, struct gx_exmdb_item *v, size_t n, struct gx_arena *a,
	size_t *ret_done, const char **ret_why) GX_MUST_CHECK;

enum { GX_XEV_NONE = 0, GX_XEV_EVENT = 1, GX_XEV_LOST = 2 };
/**
 * Waits up to @p timeout_ms for an event of the subscriptions made through @p x. GX_XEV_LOST: the
 * connection was down, or the reader too slow; events may be missing, what is shown must be read anew.
 * Subscriptions and tables of a server that was started anew are gone: ret_n->dir is the store of
 * which that holds, or "" for all of that server. @return GX_XEV_*, or GX_E_*.
 */
GX_API int gx_exmdb_event(struct gx_exmdb *x, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n) GX_MUST_CHECK;
/**
 * Calls @p wake when an event has come, from any thread, and at once when one waits already; it must not block nor make calls.
 * NULL ends that. Tables that are opened while it is set tell of their changes; without it they do after the first subscription
 * on their server.
 */
GX_API void gx_exmdb_on_event(struct gx_exmdb *x, void (*wake)(void *ctx), void *ctx);
/** Accepts NULL. What the client had open is closed. */
GX_API void gx_exmdb_free(struct gx_exmdb *x);

/* ---- In this process ---- */

/**
 * What a rule does that is not for the store to do: GX_X_OP_REPLY, GX_X_OP_OOF_REPLY, GX_X_OP_FORWARD, GX_X_OP_DELEGATE, GX_X_OP_BOUNCE,
 * GX_X_OP_DEFER. All of it is borrowed until the callback returns.
 */
struct gx_exmdb_action {
	const char *dir;                  /**< of the store */
	uint64_t fid, rule_id;            /**< the folder whose rule it is; plain ids */
	const char *rule, *provider;      /**< names, for the log */
	const struct gx_msgobj *message;  /**< as it was before the rules of its folder moved or deleted it */
	uint64_t at_fid, at_mid;          /**< where it is now; 0: it was deleted */
	const struct gx_x_action *action;
};

struct gx_exmdb_host_opts {
	size_t size;
	struct gx_store_pool *pool;      /**< borrowed; may be NULL when every store is relayed */
	struct gx_dir *dir;              /**< borrowed, may be NULL: nobody is member of a list then */
	const struct gx_log *log;
	const struct gx_clock *clock;    /**< NULL: system */
	const char *const *prefixes;     /**< stores are served below these directories only; NULL: anywhere. Copied. */
	/** IMAP's ENVELOPE and BODYSTRUCTURE of an internet message; NULL: mail that is delivered keeps its properties only. 0 or GX_E_*. */
	int (*describe)(struct gx_bin original, struct gx_arena *a, struct gx_bin *ret_envelope, struct gx_bin *ret_bodystructure, void *ctx);
	void *describe_ctx;
	const char *org_name;            /**< x500_org_name; NULL "Gromox default". Copied. */
	int deadline_ms;                 /**< most that a call waits for a store's writer, 0 takes 30000 */
	uint32_t linger_ms;              /**< what a client had open goes so long after its last connection, 0 takes 60000 */
	unsigned max_objects;            /**< tables, instances and subscriptions of a client, each; 0 takes 1000 */
	unsigned max_events;             /**< waiting for a client, 0 takes 10000; more are lost, and it is told so */
	/**
	 * For stores that other processes have: makes what the calls of a client are handed on through, gx_exmdb_remote_new() with the
	 * same remote_id. It is freed with the client. NULL: every store is in @p pool.
	 */
	int (*relay)(const char *remote_id, struct gx_exmdb **ret_x, void *ctx);
	void *relay_ctx;
	const char *relay_only;          /**< the one store that is relayed; NULL: all are. Copied. */
	uint32_t txn_idle_ms;            /**< a transaction of another process that does nothing for so long is taken back, 0 takes 10000 */
	size_t max_message;              /**< bytes of a message that comes in pieces, 0 takes 256 MiB */
	/**
	 * Takes what rules ask for that leaves the store, for delivery: called in the thread of the call that ran the rules, in their order, once the
	 * transaction is committed and flushed, and before its answer; so it is never called for what did not happen, and not
	 * again when the process dies in between. A failure is logged. NULL: such actions are logged and left out.
	 */
	int (*on_action)(const struct gx_exmdb_action *v, void *ctx);
	void *on_action_ctx;
	unsigned max_actions;            /**< of a call, 0 takes 64; more are logged and left out */
};
#define GX_EXMDB_HOST_OPTS_INIT {.size = sizeof(struct gx_exmdb_host_opts)}

/** Carries out the calls of any number of clients. */
struct gx_exmdb_host;
GX_API int gx_exmdb_host_new(const struct gx_exmdb_host_opts *o, struct gx_exmdb_host **ret_h) GX_MUST_CHECK;
/** Every client must have been given back. Accepts NULL. */
GX_API void gx_exmdb_host_free(struct gx_exmdb_host *h);
/** Forgets clients that are gone; call every few seconds. */
GX_API void gx_exmdb_host_tick(struct gx_exmdb_host *h);

/** Calls made in this process. */
GX_API int gx_exmdb_local_new(struct gx_exmdb_host *h, struct gx_exmdb **ret_x) GX_MUST_CHECK;

/*
 * For servers: clients by the identity that they tell. A client is there as long as somebody has
 * it, and for linger_ms after.
 */
struct gx_exmdb_client;
GX_API int gx_exmdb_client_get(struct gx_exmdb_host *h, const char *remote_id, struct gx_exmdb_client **ret_c) GX_MUST_CHECK;
GX_API void gx_exmdb_client_put(struct gx_exmdb_client *c);
/** connect: is there such a store, and is it of that kind? @return GX_XC_*. */
GX_API uint8_t gx_exmdb_client_connect(struct gx_exmdb_client *c, const char *dir, bool is_private, struct gx_arena *a, const char **ret_why);
/** A call, also batch and features; @p ret_code is what a plain client is told, GX_XC_*. */
GX_API gx_ec gx_exmdb_client_call(struct gx_exmdb_client *c, const char *dir, const struct gx_call_desc *call, const void *req,
	struct gx_arena *a, void *ret_ans, uint8_t *ret_code, const char **ret_why) GX_MUST_CHECK;
/**
 * What is bound to one connection of a client, for the extension transact: its transaction, and a message on its way.
 * Thread class: confined.
 */
struct gx_exmdb_link;
GX_API int gx_exmdb_link_new(struct gx_exmdb_client *c, struct gx_exmdb_link **ret_l) GX_MUST_CHECK;
/** A transaction that is open is taken back; may block. Accepts NULL. */
GX_API void gx_exmdb_link_free(struct gx_exmdb_link *l);
/** gx_exmdb_client_call() with all extensions. */
GX_API gx_ec gx_exmdb_link_call(struct gx_exmdb_link *l, const char *dir, const struct gx_call_desc *call, const void *req,
	struct gx_arena *a, void *ret_ans, uint8_t *ret_code, const char **ret_why) GX_MUST_CHECK;
/** Monotonic ms at which its transaction has been idle for too long; 0: it has none, nobody waits for it. */
GX_API int64_t gx_exmdb_link_until(const struct gx_exmdb_link *l);
/** Takes the transaction back, which its next request is told; may block. */
GX_API void gx_exmdb_link_expire(struct gx_exmdb_link *l);
/** Wakes the listener of a client, as gx_exmdb_on_event(). GX_E_BUSY: there is one already. */
GX_API int gx_exmdb_client_listen(struct gx_exmdb_client *c, void (*wake)(void *ctx), void *ctx) GX_MUST_CHECK;
/** After it returns wake is not running and will not run again. */
GX_API void gx_exmdb_client_unlisten(struct gx_exmdb_client *c);
/** Is there an event, or the news that some were lost? */
GX_API bool gx_exmdb_client_waiting(struct gx_exmdb_client *c);
/** The next event, without waiting. @return GX_XEV_*, or GX_E_NOMEM. May read the store. */
GX_API int gx_exmdb_client_event(struct gx_exmdb_client *c, struct gx_arena *a, struct gx_x_notification *ret_n) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#include <gx/exmdb-calls.h>
#endif
