/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STORE_H
#define GX_STORE_H
/**
 * @file store.h
 * The information store: one mailbox or public store in one directory.
 *
 * A struct gx_store is opened once in a process and used from any thread. All work is done in a
 * transaction: a read transaction sees one snapshot and never waits for a writer; write
 * transactions queue for the store's one writer with a deadline. A transaction carries the
 * actor, and rights are checked in here, not in the protocol front ends.
 *
 * Ids are plain 48-bit values (spec: replica 1); 0 is none. Thread classes: struct gx_store and
 * struct gx_store_pool are locked; a struct gx_txn is confined.
 */
#include <gx/arena.h>
#include <gx/ec.h>
#include <gx/log.h>
#include <gx/msgobj.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_store;
struct gx_txn;
struct gx_exmdb;

/* Built-in folders, private stores [gromox formats 3]. */
enum {
	GX_FID_ROOT = 0x01, GX_FID_DEFERRED = 0x02, GX_FID_SPOOLER = 0x03, GX_FID_SHORTCUTS = 0x04,
	GX_FID_FINDER = 0x05, GX_FID_VIEWS = 0x06, GX_FID_COMMON_VIEWS = 0x07, GX_FID_SCHEDULE = 0x08,
	GX_FID_IPMSUBTREE = 0x09, GX_FID_SENT = 0x0a, GX_FID_DELETED = 0x0b, GX_FID_OUTBOX = 0x0c,
	GX_FID_INBOX = 0x0d, GX_FID_DRAFTS = 0x0e, GX_FID_CALENDAR = 0x0f, GX_FID_JOURNAL = 0x10,
	GX_FID_NOTES = 0x11, GX_FID_TASKS = 0x12, GX_FID_CONTACTS = 0x13, GX_FID_QUICKCONTACTS = 0x14,
	GX_FID_IMCONTACTS = 0x15, GX_FID_GALCONTACTS = 0x16, GX_FID_JUNK = 0x17, GX_FID_FREEBUSY = 0x18,
	GX_FID_SYNCISSUES = 0x19, GX_FID_CONFLICTS = 0x1a, GX_FID_LOCALFAIL = 0x1b, GX_FID_SERVERFAIL = 0x1c,
	GX_FID_CONVACTION = 0x1d,
};
/* Built-in folders, public stores. */
enum { GX_FID_PUB_ROOT = 1, GX_FID_PUB_IPMSUBTREE = 2, GX_FID_PUB_NONIPM = 3, GX_FID_PUB_EFORMS = 4 };

/* Folder rights, [MS-OXCPERM] 2.2.7. */
enum {
	GX_RIGHT_READ = 0x1, GX_RIGHT_CREATE = 0x2, GX_RIGHT_EDIT_OWN = 0x8, GX_RIGHT_DELETE_OWN = 0x10,
	GX_RIGHT_EDIT_ANY = 0x20, GX_RIGHT_DELETE_ANY = 0x40, GX_RIGHT_CREATE_SUB = 0x80, GX_RIGHT_OWNER = 0x100,
	GX_RIGHT_CONTACT = 0x200, GX_RIGHT_VISIBLE = 0x400, GX_RIGHT_FB_SIMPLE = 0x800, GX_RIGHT_FB_DETAILED = 0x1000,
	GX_RIGHTS_ALL = 0x5fb,
};

/* ---- Stores ---- */

struct gx_store_create_opts {
	size_t size;              /**< sizeof this struct */
	bool public_store;
	uint32_t owner_id;        /**< users.id or domains.id: part of the replica GUID */
	const char *owner;        /**< SMTP address or domain name */
	const char *lang;         /**< language of folder names, "de" or "de_DE"; NULL English */
	/** Names of the site's own for a language (may be NULL), in the order of facts/foldernames.tsv, or NULL to take the built-in ones; may be NULL. */
	const char *const *(*folder_names)(const char *lang, void *ctx);
	void *ctx;
	bool overwrite;
	int mode;                 /**< file mode, 0 takes 0660 */
	unsigned schema_version;  /**< 0 the newest; an older one, from 1, makes a store for trying the upgrade */
};
#define GX_STORE_CREATE_OPTS_INIT {.size = sizeof(struct gx_store_create_opts)}
/** Makes the directory (and those above it that are missing) and the database with all built-in folders. GX_E_EXISTS unless overwrite. @p ret_why: arena text for the user, may be NULL. */
GX_API int gx_store_create(const char *dir, const struct gx_store_create_opts *o, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

/** How the opener lets the store make an internet message of an object that has none. */
typedef int (*gx_store_render_cb)(const struct gx_msgobj *m, struct gx_push *ret_message, struct gx_push *ret_envelope,
	struct gx_push *ret_bodystructure, void *ctx);

/**
 * How the opener lets the store make one format (GX_BODY_*) of another: text is UTF-8, RTF as in PidTagRtfCompressed, HTML in code
 * page @p html_cp, on both ends. The result lives in @p a. GX_E_UNSUP when this cannot be made: the property is absent then.
 */
typedef int (*gx_store_convert_cb)(int from, int to, struct gx_bin in, uint32_t html_cp, struct gx_arena *a, struct gx_bin *ret_out,
	void *ctx);

/**
 * How the opener tells who is in a distribution list of the directory, for RELOP_MEMBER_OF_DL ([MS-OXCDATA] 2.12.5.1): addresses and DNs of all
 * members, lists in it resolved. @p list is its entry id. GX_E_NOTFOUND: there is none. What it says holds for a minute. Any
 * thread calls it, also one that writes. gx_dir_people_of() is one.
 */
typedef int (*gx_store_people_cb)(struct gx_bin list, struct gx_arena *a, const char *const **ret_v, size_t *ret_n, void *ctx);

struct gx_store_opts {
	size_t size;
	const struct gx_log *log;       /**< borrowed while open, may be NULL */
	const struct gx_clock *clock;   /**< NULL: system */
	gx_store_render_cb render;      /**< may be NULL */
	void *render_ctx;
	gx_store_convert_cb convert;    /**< may be NULL; any thread calls it; gx_bodyconv() of libgxmail is one */
	void *convert_ctx;
	unsigned max_readers;           /**< reader connections, 0 takes 4 */
	unsigned cache_kib;             /**< page cache of a connection, 0 takes 2048 */
	/**
	 * Only look: no lock is taken and no data written, whoever has the store open. Write transactions are
	 * refused with GX_E_STATE; an older schema is not upgraded but refused. For tools.
	 */
	bool observe;
	bool no_index;                  /**< no full-text index: searches read the messages */
	const char *owner_program;      /**< written into the lock file for messages, e.g. "gromoxd" */
	/* What an administrator may choose; 0 is what the directive says when it is not set. See gx_directives_store(). */
	unsigned search_pacing;         /**< exmdb_search_pacing: most messages that a search folder looks at in one transaction */
	unsigned search_pacing_ms;      /**< exmdb_search_pacing_time */
	unsigned max_rules;             /**< max_rule_number: classic rules of a folder */
	unsigned max_ext_rules;         /**< max_ext_rule_number: extended rules of a folder that count */
	uint64_t max_messages;          /**< max_store_message_count; 0 no limit */
	bool folders_go;                /**< exmdb_private_folder_softdelete = no: folders of mailboxes are deleted for good */
	bool one_read_state;            /**< exmdb_pf_read_per_user = 0: readers of a public store share the read state */
	uint8_t pf_reads;               /**< exmdb_pf_read_states as GX_PF_* */
	bool no_upgrade;                /**< exmdb_schema_upgrades = no: an older schema is refused */
	bool no_synthesis;              /**< exmdb_body_autosynthesis = off: no format of a body is made of another */
	bool log_sql;                   /**< sqlite_debug = 1: every statement, at level debug */
	const struct gx_log *ics_log;   /**< exmdb_ics_log_file: a line for each synchronisation; borrowed while open, may be NULL */
	gx_store_people_cb people;      /**< may be NULL: nobody is in a list */
	void *people_ctx;
};
/** What readers of a public store are shown of the read state. */
enum { GX_PF_COUNTED, GX_PF_MARKED, GX_PF_ALL_READ };
#define GX_STORE_OPTS_INIT {.size = sizeof(struct gx_store_opts)}
/**
 * Opens, upgrades an older schema in place. GX_E_NOTFOUND no store there; GX_E_BUSY open in
 * another process; GX_E_FORMAT not a store, corrupt or newer (observed: or older). @p ret_why as above, names file and remedy.
 */
GX_API int gx_store_open(const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store,
	struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/**
 * exmdb_file_compression of this process: content that is packed from now on, for whatever store, is so at a level of zstd from 1
 * to 19; -1 not at all. What is stored stays as it is. Any thread.
 */
GX_API void gx_store_set_compression(int level);
/** Waits for running transactions, checkpoints, closes. Accepts NULL. */
GX_API void gx_store_close(struct gx_store *s);
/** Makes all commits so far survive power loss. Concurrent callers share one flush. */
GX_API int gx_store_sync(struct gx_store *s) GX_MUST_CHECK;
/** The directory it was opened by. Borrowed until it is closed; so are the identifiers below. Any thread. */
GX_API const char *gx_store_dir(const struct gx_store *s);
/** Public folders of a domain, not the mailbox of a user? Any thread. */
GX_API bool gx_store_is_public(const struct gx_store *s);
/** gx_store_opts.max_messages, 0 no limit; for another process's store what this process would say. */
GX_API uint64_t gx_store_most_messages(const struct gx_store *s);
/** Names the replica in the ids that clients see, [MS-OXCDATA] 2.2.1. Another store has another one. Any thread. */
GX_API const struct gx_guid *gx_store_replica(const struct gx_store *s);
/** The mailbox itself, as clients are told in a logon, [MS-OXCSTOR] 2.2.1.1.3. Any thread. */
GX_API const struct gx_guid *gx_store_mailbox_guid(const struct gx_store *s);

/** Version of the schema that a store has, without opening it. GX_E_NOTFOUND, GX_E_FORMAT. @p ret_newest: what opening makes of it; may be NULL. */
GX_API int gx_store_schema_version(const char *dir, unsigned *ret_version, unsigned *ret_newest, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;

/**
 * Keeps stores open by directory, closes idle ones.
 *
 * Stores that other processes own come from a pool with @ref gx_store_pool_opts::owner, made by gx_exmdb_remote_new(), whose
 * events the pool takes for itself. On such a store and in its transactions these work as on any other: the functions of
 * transactions, folders, messages, originals, views, keywords and subscriptions in this header, as far as mail needs them, and
 * gx_search_texts(). All others answer ecNotSupported. A transaction begins with its first operation, which then tells
 * when it could not; ecRpcFailed and GX_E_IO: the owner is not to be reached, or went away, and what was not
 * committed is not done. Functions that read and write block for the time of a round trip.
 */
struct gx_store_pool;
struct gx_store_pool_opts {
	size_t size;
	struct gx_store_opts store; /**< for every store */
	unsigned max_open;          /**< table_size [5000] */
	unsigned idle_seconds;      /**< cache_interval [60] */
	struct gx_exmdb *owner;     /**< NULL: this process owns the stores; else they are reached by that, see above. Borrowed. */
	/** Which of them are another process's; NULL: with @p owner all. Any thread calls it. */
	bool (*elsewhere)(const char *dir, void *ctx);
	void *elsewhere_ctx;
};
#define GX_STORE_POOL_OPTS_INIT {.size = sizeof(struct gx_store_pool_opts)}
/** @p o NULL: what GX_STORE_POOL_OPTS_INIT has. NULL out of memory. Ends with gx_store_pool_free(). Thread class: locked. */
GX_API struct gx_store_pool *gx_store_pool_new(const struct gx_store_pool_opts *o);
/** Closes all; every store must have been released. */
GX_API void gx_store_pool_free(struct gx_store_pool *p);
/** Errors as gx_store_open(). */
GX_API int gx_store_pool_get(struct gx_store_pool *p, const char *dir, struct gx_store **ret_store, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Gives back what gx_store_pool_get() gave out; it stays open for a while for who comes next. Accepts NULL for the store. */
GX_API void gx_store_pool_put(struct gx_store_pool *p, struct gx_store *s);
/** Closes a store now. 0 also when it is not open; GX_E_BUSY while somebody has it. */
GX_API int gx_store_pool_unload(struct gx_store_pool *p, const char *dir) GX_MUST_CHECK;
/** Closes what was idle long enough; call every few seconds. @return number still open. */
GX_API unsigned gx_store_pool_tick(struct gx_store_pool *p);
/**
 * gx_store_sync() on every open store with unsynced commits. GX_E_STATE (from either): the machine of an owner has
 * failed, and commits since the last success may be gone; told once.
 */
GX_API int gx_store_pool_sync(struct gx_store_pool *p) GX_MUST_CHECK;
/** The same; @p failed hears of each store that could not be flushed. */
GX_API int gx_store_pool_sync_each(struct gx_store_pool *p, void (*failed)(const char *dir, int err, void *ctx), void *ctx) GX_MUST_CHECK;
/**
 * Can the owner of a store be reached? 0 too when that is this process. Else GX_E_* with a text; all stores of that owner
 * are out of reach then. The store itself is not looked at.
 */
GX_API int gx_store_pool_reach(struct gx_store_pool *p, const char *dir, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

/* ---- Transactions ---- */

/** Who acts. Borrowed by the transaction. */
struct gx_actor {
	const char *user;                /**< SMTP address; NULL is the system itself: all rights */
	bool owner;                      /**< owner of this store: all rights */
	const char *const *groups;       /**< lists the user is in, NULL-terminated; may be NULL */
};
#define GX_ACTOR_SYSTEM {NULL, true, NULL}

enum { GX_TXN_READ = 0, GX_TXN_WRITE = 1 };
enum { GX_SYNC_LATER = 0, GX_SYNC_NOW = 1 };
/** @param deadline_ms how long to wait for the writer or a reader connection. GX_E_TIMEOUT then. */
GX_API int gx_txn_begin(struct gx_store *s, const struct gx_actor *actor, int mode, int deadline_ms, struct gx_txn **ret_txn) GX_MUST_CHECK;
/**
 * Ends it and, for a write, makes it visible and notifies. With GX_SYNC_NOW it returns only when
 * the data survives power loss (flushes are shared by concurrent commits). On error nothing was
 * changed and the transaction is gone all the same; except that the disk refused to flush twice:
 * then the change is there, not yet safe, and nothing is written before a flush has made it so.
 */
GX_API int gx_txn_commit(struct gx_txn *t, int sync) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_txn_abort(struct gx_txn *t);
/** The store that it was begun on. Borrowed. */
GX_API struct gx_store *gx_txn_store(struct gx_txn *t);
/** Detail of the last failed operation for the log; "" if none. Borrowed until the next operation. */
GX_API const char *gx_txn_why(const struct gx_txn *t);

/* ---- Folders ---- */

enum { GX_FOLDER_GENERIC = 1, GX_FOLDER_SEARCH = 2 };
struct gx_folder_info {
	uint64_t fid, parent;
	const char *name, *container_class;
	uint8_t type;
	bool deleted, hidden, subscribed;
	uint32_t uidvalidity, uidnext;
	uint64_t cn;                     /**< change number of the folder object */
	uint64_t highest_modseq;         /**< highest change number of its contents, tombstones included */
	uint64_t total, unread, fai, deleted_count; /**< messages */
	uint64_t removed;                /**< messages ever deleted */
	uint64_t size, fai_size;         /**< bytes of normal and of associated messages */
	gx_nttime_t changed_at;          /**< last change of the contents; 0 never */
	uint32_t subfolders;
	const char *special_use;         /**< "\\Sent" ... or NULL */
};
/** ecNotFound; ecAccessDenied without GX_RIGHT_VISIBLE. Strings live in @p a. */
GX_API gx_ec gx_folder_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info) GX_MUST_CHECK;
/** Children of @p parent, by name; with @p deep the whole subtree, parents first. Invisible and deleted ones are left out. */
GX_API gx_ec gx_folder_list(struct gx_txn *t, uint64_t parent, bool deep, struct gx_arena *a, struct gx_folder_info **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** Child by display name, caseless. ecNotFound. */
GX_API gx_ec gx_folder_by_name(struct gx_txn *t, uint64_t parent, const char *name, uint64_t *ret_fid) GX_MUST_CHECK;
/** ecDuplicateName when a sibling has the name. @p props may be NULL. */
GX_API gx_ec gx_folder_create(struct gx_txn *t, uint64_t parent, const char *name, const char *container_class, uint8_t type,
	const struct gx_proplist *props, uint64_t *ret_fid) GX_MUST_CHECK;
struct gx_folder_create_opts {
	size_t size;
	uint64_t parent;
	const char *name, *container_class; /**< class may be NULL */
	uint8_t type;                       /**< GX_FOLDER_*; 0 generic */
	const struct gx_proplist *props;    /**< may be NULL */
	/* For imports and synchronisation, by the system or the owner only; 0: the next number. */
	uint64_t fid;                       /**< this id; ecDuplicateObject when it is in use */
	uint64_t cn;
	uint32_t uidvalidity, uidnext;
	bool deleted;                       /**< softly */
};
#define GX_FOLDER_CREATE_OPTS_INIT {.size = sizeof(struct gx_folder_create_opts)}
/** gx_folder_create() with everything that can be said. */
GX_API gx_ec gx_folder_create_with(struct gx_txn *t, const struct gx_folder_create_opts *o, uint64_t *ret_fid) GX_MUST_CHECK;
/** New parent and/or name (NULL keeps it). Built-in folders cannot move. ecRecursive-like errors as [MS-OXCFOLD] 2.2.1.7. */
GX_API gx_ec gx_folder_move(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *new_name) GX_MUST_CHECK;
/**
 * With all contents and subfolders. Built-in folders cannot be deleted, nor those that hold folders of others. Soft: recoverable,
 * unless gx_store_opts.folders_go. A large folder that goes for good is better deleted by gx_folder_delete_some().
 */
GX_API gx_ec gx_folder_delete(struct gx_txn *t, uint64_t fid, bool hard) GX_MUST_CHECK;
/** IMAP: whether LSUB lists it. Needs GX_RIGHT_READ. ecNotFound, ecAccessDenied. */
GX_API gx_ec gx_folder_set_subscribed(struct gx_txn *t, uint64_t fid, bool on) GX_MUST_CHECK;
/** Those in @p tags, or all (n 0), in @p a; what is absent is left out. ecNotFound; ecAccessDenied for who may not see the folder. */
GX_API gx_ec gx_folder_get_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/** Computed ones are passed over. Needs GX_RIGHT_OWNER. ecNotFound, ecAccessDenied; ecDuplicateName for a PidTagDisplayName that a sibling has. */
GX_API gx_ec gx_folder_set_props(struct gx_txn *t, uint64_t fid, const struct gx_proplist *l) GX_MUST_CHECK;
/** Effective rights of the transaction's actor. */
GX_API gx_ec gx_folder_rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights) GX_MUST_CHECK;
/** Sets the rights of a member: an address, "" anonymous, "default" everybody. rights 0 with @p remove deletes the row. */
GX_API gx_ec gx_folder_set_permission(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove) GX_MUST_CHECK;

/** A property that could not be set or removed, [MS-OXCDATA] 2.7. */
struct gx_problem {
	uint16_t index;   /**< in the list that was handed in */
	gx_proptag_t tag;
	uint32_t err;     /**< code of an ec */
};
struct gx_problems {
	struct gx_problem *v;
	size_t count, cap;
};

/* ---- Named properties and store properties ---- */

/** @p create false: 0 for unknown names. Ids are 0x8001 and up. */
GX_API gx_ec gx_store_named_ids(struct gx_txn *t, bool create, const struct gx_propname *v, size_t n, uint16_t *ret_ids) GX_MUST_CHECK;
/** Unknown ids give a name with set all zero. */
GX_API gx_ec gx_store_named_names(struct gx_txn *t, const uint16_t *ids, size_t n, struct gx_arena *a, struct gx_propname *ret_v) GX_MUST_CHECK;
/** All that the store has ids for, ascending. */
GX_API gx_ec gx_store_named_list(struct gx_txn *t, struct gx_arena *a, uint16_t **ret_ids, size_t *ret_n) GX_MUST_CHECK;
/** Is this property of a store the server's alone? Setting it has no effect. */
GX_API bool gx_store_is_computed(gx_proptag_t tag);
/** Those in @p tags, or all (n 0), computed ones too, in @p a; what is absent is left out. */
GX_API gx_ec gx_store_get_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/** For owners. Computed ones are passed over, see gx_store_is_computed(). ecAccessDenied, ecTooBig. */
GX_API gx_ec gx_store_set_props(struct gx_txn *t, const struct gx_proplist *l) GX_MUST_CHECK;

/* ---- Numbers ---- */

/**
 * Sets @p count ids aside for a client that makes objects while it is offline; they are never given to anybody
 * else. [MS-OXCFXICS] 2.2.3.2.4.7 @p count at most 0x10000000. Committing it must be durable before the client knows.
 */
GX_API gx_ec gx_store_reserve_ids(struct gx_txn *t, uint32_t count, uint64_t *ret_first) GX_MUST_CHECK;
/** Was the id set aside, and is it not in use, and never was? ecSuccess, ecNotFound, ecDuplicateObject. */
GX_API gx_ec gx_store_check_reserved(struct gx_txn *t, uint64_t id) GX_MUST_CHECK;
/** Next ids and change numbers will be above these; for a store that takes over another's objects. System or owner. */
GX_API gx_ec gx_store_raise_numbers(struct gx_txn *t, uint64_t id, uint64_t cn) GX_MUST_CHECK;
/** A new message or folder id, and a new change number, as calls of the wire protocol ask for them. */
GX_API gx_ec gx_store_new_id(struct gx_txn *t, uint64_t *ret_id) GX_MUST_CHECK;
GX_API gx_ec gx_store_new_cn(struct gx_txn *t, uint64_t *ret_cn) GX_MUST_CHECK;

/* ---- Messages ---- */

/** State of a message as column bits. */
enum {
	GX_MSGF_READ = 0x01, GX_MSGF_ANSWERED = 0x02, GX_MSGF_FLAGGED = 0x04, GX_MSGF_DELETED = 0x08, /**< IMAP \Deleted */
	GX_MSGF_DRAFT = 0x10, GX_MSGF_RECENT = 0x20, GX_MSGF_FORWARDED = 0x40, GX_MSGF_UNSENT = 0x80,
	GX_MSGF_FAI = 0x100, GX_MSGF_SOFTDEL = 0x200, GX_MSGF_HASATTACH = 0x400, GX_MSGF_HASORIG = 0x800,
	GX_MSGF_RNPENDING = 0x1000, GX_MSGF_NRNPENDING = 0x2000, /**< a read receipt, a non-read receipt is still owed */
	GX_MSGF_SUBMIT = 0x4000, GX_MSGF_MODIFIED = 0x8000,      /**< handed to the transport; changed since first saved or delivered */
	GX_MSGF_FROMME = 0x10000, GX_MSGF_RESEND = 0x20000,
	GX_MSGF_IMAP = 0x7f, /**< those a client may set */
};

/**
 * A message ready to be put into any number of stores: packed, hashed and compressed once.
 * Borrows obj and original, and lives in the arena it was prepared with.
 */
struct gx_msg_prepared;
struct gx_prepare_ctx;
struct gx_msg_source {
	size_t size;
	const struct gx_msgobj *obj;
	struct gx_bin original;        /**< the internet message, byte for byte; data NULL when there is none */
	struct gx_bin envelope;        /**< gx_mime_envelope(), may be empty without original */
	struct gx_bin bodystructure;   /**< gx_mime_bodystructure(ext) */
	struct gx_prepare_ctx *ctx;    /**< may be NULL; see gx_prepare_ctx_new() */
};
/** State of the compressor, kept between the messages that one thread prepares; saves its set-up. NULL out of memory. */
GX_API struct gx_prepare_ctx *gx_prepare_ctx_new(void);
/** Accepts NULL. */
GX_API void gx_prepare_ctx_free(struct gx_prepare_ctx *ctx);
#define GX_MSG_SOURCE_INIT {.size = sizeof(struct gx_msg_source)}
/** Everything about a message that needs no store: hashes, compression, rows. In @p a, see gx_msg_prepared_release(). Any thread. GX_E_INVAL, GX_E_NOMEM. */
GX_API int gx_msg_prepare(struct gx_arena *a, const struct gx_msg_source *src, struct gx_msg_prepared **ret_p) GX_MUST_CHECK;
/** Frees what is not in the arena (compression buffers). Accepts NULL. */
GX_API void gx_msg_prepared_release(struct gx_msg_prepared *p);

struct gx_msg_insert_opts {
	size_t size;
	uint32_t flags;                   /**< GX_MSGF_* */
	const char *const *keywords;      /**< NULL-terminated or NULL */
	gx_nttime_t received;             /**< internal date; 0: now */
	const uint8_t *delivery_id;       /**< 16 bytes; a second insert with the same id is refused, NULL none */
	/* For imports and synchronisation, by the system or the owner only; 0: the next number. */
	uint64_t mid;                     /**< this id; ecDuplicateObject when it is in use */
	uint64_t cn, rcn;                 /**< change numbers of message and read state (0: never changed) */
	uint32_t uid;                     /**< not below the folder's next one */
};
#define GX_MSG_INSERT_OPTS_INIT {.size = sizeof(struct gx_msg_insert_opts)}
struct gx_msg_ids {
	uint64_t mid, cn;
	uint32_t uid;
};
/**
 * ecDuplicateObject for a delivery_id seen before (nothing is changed); ecQuotaExceeded;
 * ecAccessDenied; ecInvalidParam for numbers that cannot be. GX_MSGF_SOFTDEL is taken with a given mid only.
 */
GX_API gx_ec gx_msg_insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o, struct gx_msg_ids *ret_ids) GX_MUST_CHECK;
/** One of several. */
struct gx_msg_insertion {
	const struct gx_msg_prepared *msg;
	const struct gx_msg_insert_opts *o;
	struct gx_msg_ids ids;            /**< result */
	gx_ec ec;                         /**< result; of those behind one that failed it is the same */
};
/**
 * gx_msg_insert() one after the other, in one round trip where the store is another process's. ecDuplicateObject of one does not
 * matter to the others and is not what is returned; after any other failure, which is, it is not known which of those behind it
 * were inserted: give the transaction up.
 */
GX_API gx_ec gx_msg_insert_many(struct gx_txn *t, uint64_t fid, struct gx_msg_insertion *v, size_t n) GX_MUST_CHECK;

struct gx_msg_info {
	uint64_t mid, fid, cn;
	uint32_t uid, flags, kwset;
	uint64_t size;                    /**< of the original or the object */
	gx_nttime_t received;
};
/** What IMAP and tables ask for most, of a message that is there, softly deleted or not. ecNotFound, ecAccessDenied. */
GX_API gx_ec gx_msg_get(struct gx_txn *t, uint64_t mid, struct gx_msg_info *ret_info) GX_MUST_CHECK;
/** Properties of a message: those in @p tags, or all (n 0) except large ones (these when asked for by tag). Text and attachment slices are resolved. */
GX_API gx_ec gx_msg_get_props(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/** The whole object, slices resolved to values. */
GX_API gx_ec gx_msg_read(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m) GX_MUST_CHECK;
/** Properties that cannot be set are passed over in silence; a PidTagLastModificationTime is taken. */
GX_API gx_ec gx_msg_set_props(struct gx_txn *t, uint64_t mid, const struct gx_proplist *l) GX_MUST_CHECK;
/**
 * The same as an instance would do it: a new version of the message, whatever was saved meanwhile.
 * @param flags GX_SET_TRUSTED of instance.h. @p ret_problems may be NULL.
 */
GX_API gx_ec gx_msg_change_props(struct gx_txn *t, uint64_t mid, const struct gx_proplist *set, const gx_proptag_t *remove, size_t nremove,
	uint32_t flags, struct gx_arena *a, struct gx_problems *ret_problems) GX_MUST_CHECK;
/** PidTagMessageStatus, bits of @p mask; no new version. [MS-OXCMSG] 3.2.5.8 @p ret_old may be NULL. */
GX_API gx_ec gx_msg_set_status(struct gx_txn *t, uint64_t mid, uint32_t mask, uint32_t status, uint32_t *ret_old) GX_MUST_CHECK;
/** Each with its PidTagRowid. */
GX_API gx_ec gx_msg_rcpts(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** What reports about a message are made of: whom they go to, subject, times, recipients, names of attachments. */
GX_API gx_ec gx_msg_brief(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m) GX_MUST_CHECK;

struct gx_msg_write_opts {
	size_t size;
	uint64_t mid;                     /**< 0: PidTagMid of the object, or the next one */
	bool associated;                  /**< if it is new; PidTagAssociated says so too */
	uint32_t flags;                   /**< GX_MSGF_IMAP bits of a new one besides what the properties say */
};
#define GX_MSG_WRITE_OPTS_INIT {.size = sizeof(struct gx_msg_write_opts)}
/**
 * Stores a whole object: a new message, or all of one with that id in the folder anew. Change number, change key,
 * predecessors, times and PidTagMessageFlags are taken from its properties when they are there; slices are not.
 * For imports and synchronisation. ecDuplicateObject when the id is that of something else.
 */
GX_API gx_ec gx_msg_write(struct gx_txn *t, uint64_t fid, const struct gx_msgobj *m, const struct gx_msg_write_opts *o,
	struct gx_msg_ids *ret_ids) GX_MUST_CHECK;

/** Flags and keywords of many messages in one go. */
enum { GX_FLAGS_SET = 0, GX_FLAGS_ADD = 1, GX_FLAGS_REMOVE = 2 };
struct gx_flag_change {
	int op;
	uint32_t flags;
	const char *const *keywords;      /**< NULL-terminated or NULL */
	uint64_t unchanged_since;         /**< skip messages with a higher modseq; UINT64_MAX none */
};
/**
 * The bits of the messages themselves, which all share; what a reader of a public store has read for himself is
 * gx_msg_set_read()'s. Messages that are gone are skipped. @p ret_skipped (may be NULL): mids refused by
 * unchanged_since, in @p a.
 */
GX_API gx_ec gx_msg_change_flags(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c,
	struct gx_arena *a, uint64_t **ret_skipped, size_t *ret_nskipped) GX_MUST_CHECK;
/** [MS-OXCMSG] 2.2.3.10.1 */
enum {
	GX_RF_DEFAULT = 0, GX_RF_SUPPRESS_RECEIPT = 0x01, GX_RF_CLEAR_READ = 0x04, GX_RF_RESERVED = 0x0a,
	GX_RF_RECEIPT_ONLY = 0x10, GX_RF_CLEAR_NOTIFY_READ = 0x20, GX_RF_CLEAR_NOTIFY_UNREAD = 0x40,
};
struct gx_read_result {
	uint64_t rcn;        /**< change number of the read state, 0 never changed */
	bool changed;
	bool receipt_due;    /**< the sender asked for a receipt and shall have it now; the store will not say so again */
};
/**
 * Marks as read or unread and settles what is owed to the sender. In a public store the state is the actor's own
 * and no receipt is due. @param how GX_RF_*. @p ret_result may be NULL. A message with GX_MSGF_NRNPENDING
 * that is deleted unread owes a non-read receipt: see gx_msg_brief().
 */
GX_API gx_ec gx_msg_set_read(struct gx_txn *t, uint64_t mid, uint32_t how, struct gx_read_result *ret_result) GX_MUST_CHECK;
/** Unread messages of a folder, for @p user in a public store (NULL: for nobody in particular). */
GX_API gx_ec gx_folder_unread(struct gx_txn *t, uint64_t fid, const char *user, uint64_t *ret_unread) GX_MUST_CHECK;
/** The message is no longer as it was first saved or delivered: mfUnmodified goes. */
GX_API gx_ec gx_msg_mark_modified(struct gx_txn *t, uint64_t mid) GX_MUST_CHECK;
/** Hands it to the transport: mfSubmitted is set, mfUnsent goes. @p ret_marked false: it was handed over before, or can not be. */
GX_API gx_ec gx_msg_try_submit(struct gx_txn *t, uint64_t mid, bool *ret_marked) GX_MUST_CHECK;
/** The transport gives it back, as a draft again if @p unsent. Nothing happens to one that was not submitted. */
GX_API gx_ec gx_msg_clear_submit(struct gx_txn *t, uint64_t mid, bool unsent) GX_MUST_CHECK;
/** Number of the timer that will send it; 0 none. */
GX_API gx_ec gx_msg_set_timer(struct gx_txn *t, uint64_t mid, uint32_t timer) GX_MUST_CHECK;
/** What was set by gx_msg_set_timer(). ecNotFound. */
GX_API gx_ec gx_msg_get_timer(struct gx_txn *t, uint64_t mid, uint32_t *ret_timer) GX_MUST_CHECK;

/** Tells those who listen of new mail, as if the message had just been delivered. */
GX_API gx_ec gx_msg_announce(struct gx_txn *t, uint64_t mid) GX_MUST_CHECK;

/**
 * Removes; soft keeps them recoverable (they lose their UID). Tombstones are written. @p fid may be a search folder that shows them: they
 * are removed where they are.
 */
GX_API gx_ec gx_msg_delete(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard) GX_MUST_CHECK;
/**
 * Copies or moves; bodies are shared. @p ret_ids: n entries, mid 0 where the source is gone; may be NULL. @p src_fid may be a search
 * folder that shows them.
 */
GX_API gx_ec gx_msg_copy(struct gx_txn *t, uint64_t src_fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move, struct gx_msg_ids *ret_ids) GX_MUST_CHECK;
/** One message that gets the id @p new_mid. System or owner only; ecNotFound, ecDuplicateObject. */
GX_API gx_ec gx_msg_copy_as(struct gx_txn *t, uint64_t mid, uint64_t dst_fid, uint64_t new_mid, bool move, struct gx_msg_ids *ret_ids) GX_MUST_CHECK;

/* ---- Original messages ---- */

/** Envelope, body structure and size; rendered (and kept) when the message has no original. Borrowed until the next call on this transaction or its end. */
struct gx_msg_mime {
	struct gx_bin envelope, bodystructure;
	uint64_t size;
};
GX_API gx_ec gx_msg_mime(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m) GX_MUST_CHECK;
/** What will be asked for next, of messages in that order: gx_msg_get(), gx_msg_mime(), gx_msg_original(). */
enum { GX_AHEAD_INFO = 1, GX_AHEAD_MIME = 2, GX_AHEAD_ORIGINAL = 4 };
/**
 * Lets a store of another process give all of it in one answer, as far as it fits; a hint, which other stores ignore. At most
 * @ref GX_AHEAD_MOST messages; originals that are large are better left out.
 */
GX_API void gx_msg_ahead(struct gx_txn *t, const uint64_t *mids, size_t n, unsigned what);
#define GX_AHEAD_MOST 256
/** Bytes [off, off+n) of the internet message, clamped at its end, appended to @p out. n UINT64_MAX: all. */
GX_API gx_ec gx_msg_original(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out) GX_MUST_CHECK;

/* ---- IMAP view: a folder's messages in UID order ---- */

struct gx_uid_entry {
	uint32_t uid;
	uint16_t flags;      /**< GX_MSGF_* low 16 bits */
	uint16_t reserved;
	uint32_t kwset;      /**< 0 none; see gx_store_keywords() */
	uint32_t size32;     /**< size of the original, UINT32_MAX when larger or not known yet */
	uint64_t mid;
	uint64_t modseq;
};

/**
 * A snapshot of a folder for one session. Snapshots share memory: opening one costs the same for
 * ten messages and a million once somebody has opened the folder. Three to five bytes a message where ids and
 * mod-sequences follow on each other, 32 at most, and half a mebibyte. Confined.
 */
struct gx_imapview;
/** ecNotFound, ecAccessDenied without GX_RIGHT_READ. Ends with gx_imapview_close(), before the store is closed. */
GX_API gx_ec gx_imapview_open(struct gx_store *s, const struct gx_actor *actor, uint64_t fid, struct gx_imapview **ret_view) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_imapview_close(struct gx_imapview *v);
/** Messages; what the view had at gx_imapview_open() or at the last refresh, as are the numbers below. */
GX_API uint32_t gx_imapview_count(const struct gx_imapview *v);
GX_API uint32_t gx_imapview_uidvalidity(const struct gx_imapview *v);
GX_API uint32_t gx_imapview_uidnext(const struct gx_imapview *v);
GX_API uint64_t gx_imapview_modseq(const struct gx_imapview *v);
/** Number of unseen messages and sequence number of the first (0 none). */
GX_API void gx_imapview_unseen(const struct gx_imapview *v, uint32_t *ret_count, uint32_t *ret_first);
/** @param seq from 1. Outside all is 0, which no message's UID is. */
GX_API struct gx_uid_entry gx_imapview_at(const struct gx_imapview *v, uint32_t seq);
/** Sequence number of the first message with UID >= @p uid; count+1 when none. */
GX_API uint32_t gx_imapview_lower(const struct gx_imapview *v, uint32_t uid);
/** What a refresh found; called in the order IMAP needs: expunges (seq in the numbering at that moment), then changes, then the new count. */
struct gx_imapview_sink {
	void (*expunged)(uint32_t seq, uint32_t uid, void *ctx);
	void (*changed)(uint32_t seq, const struct gx_uid_entry *e, void *ctx);
	void (*exists)(uint32_t count, uint32_t recent, void *ctx);
	void *ctx;
};
/**
 * Moves the snapshot to the present. Without @p allow_expunge removed messages stay until a later
 * refresh. Costs by the number of changes, not of messages.
 */
GX_API gx_ec gx_imapview_refresh(struct gx_imapview *v, bool allow_expunge, const struct gx_imapview_sink *sink) GX_MUST_CHECK;
/** Anything to refresh? Cheap; any thread. */
GX_API bool gx_imapview_stale(const struct gx_imapview *v);
/** Names of a keyword set, NULL-terminated, in @p a. */
GX_API gx_ec gx_store_keywords(struct gx_store *s, uint32_t kwset, struct gx_arena *a, const char *const **ret_names) GX_MUST_CHECK;
/** UIDs removed from a folder since @p modseq (QRESYNC, EXPUNGE answers), ascending. */
GX_API gx_ec gx_folder_vanished(struct gx_txn *t, uint64_t fid, uint64_t since_modseq, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n) GX_MUST_CHECK;

/* ---- Notifications inside the process ---- */

enum {
	GX_EV_NEW_MAIL = 0x1, GX_EV_MSG_CREATED = 0x2, GX_EV_MSG_CHANGED = 0x4, GX_EV_MSG_DELETED = 0x8,
	GX_EV_MSG_MOVED = 0x10, GX_EV_MSG_COPIED = 0x20, GX_EV_FOLDER_CREATED = 0x40, GX_EV_FOLDER_CHANGED = 0x80,
	GX_EV_FOLDER_DELETED = 0x100, GX_EV_FOLDER_MOVED = 0x200,
	GX_EV_LINK_CREATED = 0x400, GX_EV_LINK_DELETED = 0x800, /**< of a search folder; parent: the message's own folder */
	GX_EV_SEARCH_COMPLETE = 0x1000,
};
struct gx_event {
	uint32_t type;
	uint64_t fid, mid, old_fid, old_mid, parent, cn;
	uint32_t uid;
};
/** Called on the committing thread after the commit, in commit order; must not block nor call the store. */
typedef void (*gx_event_cb)(const struct gx_event *ev, void *ctx);
/** @param fid 0: every folder. @param mask GX_EV_*. */
GX_API int gx_store_subscribe(struct gx_store *s, uint64_t fid, uint32_t mask, gx_event_cb cb, void *ctx, uint64_t *ret_sub) GX_MUST_CHECK;
/** After it returns the callback is not running and will not run again. */
GX_API void gx_store_unsubscribe(struct gx_store *s, uint64_t sub);

/* ---- Consistency ---- */

/** Recounts, checks references, UIDs, content. Findings go to @p report, one line each. @return number of findings, or GX_E_*. */
GX_API long gx_store_verify(struct gx_store *s, void (*report)(const char *line, void *ctx), void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
