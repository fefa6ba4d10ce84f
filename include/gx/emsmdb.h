/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_H
#define GX_EMSMDB_H
/**
 * @file emsmdb.h
 * Mailboxes for Outlook: session contexts and the remote operations done in them, [MS-OXCROPS], under MAPI/HTTP and RPC.
 *
 * A session belongs to an authenticated user and outlives connections. Each is used by one request at a time;
 * others wait. Thread class: locked.
 */
#include <gx/directory.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_ems;
struct gx_ems_session;

struct gx_envelope;
struct gx_fate;
/** A mail on its way out; borrowed for the call. */
struct gx_ems_mail {
	const struct gx_envelope *envelope; /**< delivery.h; with an id, which is the same when the same mail comes again */
	struct gx_bin data;
	struct gx_fate *fates;              /**< result, for each recipient; NULL: not asked. One whose err stays GX_FATE_UNKNOWN has that of the call. */
};
#define GX_FATE_UNKNOWN 1
/**
 * Takes a mail for its recipients; any thread, may wait. 0: it is safe, also from a power loss, for all. GX_E_NOTFOUND, GX_E_INVAL: some are
 * refused for good. After any other error it comes again later, for those who do not have it.
 */
typedef int (*gx_ems_submit_cb)(const struct gx_ems_mail *m, void *ctx);

struct gx_ems_opts {
	size_t size;
	struct gx_store_pool *pool;     /**< borrowed, as is what follows */
	struct gx_dir *dir;
	const struct gx_log *log;
	const struct gx_clock *clock;   /**< NULL: system */
	const char *org_name;           /**< x500_org_name; NULL "Gromox default". Copied. */
	unsigned max_sessions;          /**< ems_max_active_sessions, 0: no limit */
	unsigned max_users;             /**< ems_max_active_users, 0: no limit */
	unsigned max_user_sessions;     /**< emsmdb_max_cxh_per_user, 0: no limit */
	uint64_t max_object;            /**< mail_max_length: bytes of a message and of an attachment, 0: 2 GiB */
	bool folders_go;                /**< emsmdb_private_folder_softdelete = no: folders of mailboxes are deleted for good */
	uint32_t max_ext_rule;          /**< max_ext_rule_length: bytes of an extended rule's conditions and of its actions, 0: 510 KiB */
	unsigned max_rcpts;             /**< max_rcpt_num: of a message that is sent, 0: 10000 */
	unsigned max_handles;           /**< emsmdb_max_obh_per_session: of a logon, 0: no limit but 1048575 of a session */
	unsigned max_subscriptions;     /**< ems_max_active_notifh: of a session, 0: no limit */
	unsigned max_notes;             /**< ems_max_pending_sesnotif: not yet told to a session, 0: no limit */
	unsigned rop_chaining;          /**< emsmdb_rop_chaining: 0 no, 1 clients that are good at it, 2 all */
	uint32_t idle_ms;               /**< a session unused for so long ends, 0 takes 2000 s */
	uint32_t async_ms;              /**< an operation that the client lets go on later is answered after so long; 0: it does a portion each time it is asked */
	long compress_threshold;        /**< emsmdb_compress_threshold: answers of so many bytes are compressed, -1: none */
	unsigned rop_debug;             /**< 1 logs operations that fail, 2 all */
	gx_ems_submit_cb submit;        /**< NULL: no mail leaves */
	void *submit_ctx;
	const char *submit_dir;         /**< made if it is not there: remembers mail that waits for its time or for submit. NULL: it is forgotten with the process. Copied. */
	/**
	 * Sessions can log on to this store alone, for others they are sent to @p host, where another process has them (ecWrongServer). Of
	 * submit_dir too only what concerns it is used. Directory of the store; NULL: to all. Both are borrowed.
	 */
	const char *only, *host;
};
#define GX_EMS_OPTS_INIT {.size = sizeof(struct gx_ems_opts), .max_user_sessions = 100, .max_handles = 32768, .max_notes = 65536, \
	.rop_chaining = 1, .async_ms = 500, .compress_threshold = -1}
GX_API int gx_ems_new(const struct gx_ems_opts *o, struct gx_ems **ret_e) GX_MUST_CHECK;
/** Ends all sessions; nobody may be using one. Accepts NULL. */
GX_API void gx_ems_free(struct gx_ems *e);
/** Ends sessions that were idle for too long, those of the address book with them (mapihttp-server.h); call every few seconds. @return how many there are. */
GX_API unsigned gx_ems_tick(struct gx_ems *e);
/** Does mail wait for its time, or to be tried again? Then call the next every few seconds. */
GX_API bool gx_ems_has_mail(struct gx_ems *e);
/** Calls @p fn with the store of each mail that waits in @p dir (gx_ems_opts.submit_dir), so that whoever has that store can be started. */
GX_API void gx_ems_list_waiting(const char *dir, void (*fn)(const char *store, void *ctx), void *ctx);
/** Sends what is due; may wait for as long as gx_ems_opts.submit does. */
GX_API void gx_ems_send_due(struct gx_ems *e);
/** One line about each session, for SIGUSR1. */
GX_API void gx_ems_dump(struct gx_ems *e, void (*line)(const char *text, void *ctx), void *ctx);

struct gx_ems_connect {
	size_t size;
	const char *user;               /**< who has logged in: address */
	const char *user_dn;            /**< DN that the client names; must be the user's own, or see admin */
	bool admin;                     /**< to be had also with the DN of a mailbox that the user owns by permission */
	uint32_t code_page;             /**< of 8-bit texts; 1200 is refused */
	uint16_t client_version[3];     /**< 0: not known */
	struct gx_guid id, turn;        /**< of the session, random; all zero: it finds some */
};
#define GX_EMS_CONNECT_INIT {.size = sizeof(struct gx_ems_connect)}
struct gx_ems_connected {
	const char *dn_prefix, *display_name; /**< in the arena; the name is of the DN's user */
	struct gx_guid id;                    /**< of the session: for the cookie */
};
/**
 * A new session, held for the caller. ecAccessDenied: not this user's DN; ecLoginPerm: not admin there; ecUnknownUser; ecUnknownCodePage; ecOutOfResources: one of the
 * limits is reached.
 */
GX_API gx_ec gx_ems_session_new(struct gx_ems *e, const struct gx_ems_connect *c, struct gx_arena *a, struct gx_ems_session **ret_s,
	struct gx_ems_connected *ret_c) GX_MUST_CHECK;
/** By id, if it is @p user's; held. NULL when there is none; @p ret_others (may be NULL): there is one, of another user. */
GX_API struct gx_ems_session *gx_ems_session_get(struct gx_ems *e, const struct gx_guid *id, const char *user, bool *ret_others);
GX_API const struct gx_guid *gx_ems_session_id(const struct gx_ems_session *s);
/**
 * Requests of MAPI/HTTP name the answer that they follow. @param turn what this one names; if it is right @p ret_turn is what
 * the next must name. NULL: one that takes no turn; @p ret_turn is what stands. GX_E_STATE: out of turn.
 */
GX_API int gx_ems_session_turn(struct gx_ems_session *s, const struct gx_guid *turn, struct gx_guid *ret_turn) GX_MUST_CHECK;
/** A request that waits for something to be told. In memory of the caller, who sets wake and ctx. */
struct gx_ems_waiter {
	struct gx_ems_waiter *next;     /**< of the session */
	void (*wake)(void *ctx);        /**< on any thread; must not block nor call the session */
	void *ctx;
};
/** From now on @p w is woken each time something comes, at once if it has or if the session has ended. The session must be held. */
GX_API void gx_ems_session_wait(struct gx_ems_session *s, struct gx_ems_waiter *w);
/** After it returns @p w is not being woken and will not be. Accepts one that does not wait. @return whether there is something to be told. */
GX_API bool gx_ems_session_unwait(struct gx_ems_session *s, struct gx_ems_waiter *w);
/** Lets go of one that was held. Accepts NULL. */
GX_API void gx_ems_session_put(struct gx_ems_session *s);
/**
 * What the client says of itself, an auxiliary buffer, [MS-OXCRPC] 2.2.2.2: kept for the dump and the log. Empty: nothing. GX_E_FORMAT and
 * others of gx_ext_pull() and gx_aux_pull() for what is none.
 */
GX_API int gx_ems_session_hear(struct gx_ems_session *s, struct gx_bin aux, struct gx_arena *a) GX_MUST_CHECK;
/** What a server says of itself to a client that connects, in @p a. */
GX_API int gx_ems_introduce(struct gx_ems *e, struct gx_arena *a, struct gx_bin *ret_aux) GX_MUST_CHECK;
/** Closes everything it has open; it cannot be found any more, and is gone when nobody holds it. */
GX_API void gx_ems_session_end(struct gx_ems_session *s);

/** pulFlags of EcDoRpcExt2 and Flags of Execute, [MS-OXCRPC] 3.1.4.2. */
enum { GX_EXECUTE_NO_COMPRESSION = 1, GX_EXECUTE_NO_XOR_MAGIC = 2, GX_EXECUTE_CHAIN = 4 };
/**
 * Does the operations in @p in, extended buffers, and gives the answer as such, of at most @p max_out bytes, in @p a. What it says is
 * done survives a power loss. ecRpcFormat: not the form of such buffers; ecBufferTooSmall: @p max_out is less than any answer.
 */
GX_API gx_ec gx_ems_execute(struct gx_ems_session *s, uint32_t flags, struct gx_bin in, size_t max_out, struct gx_arena *a,
	struct gx_bin *ret_out) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
