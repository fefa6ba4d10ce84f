/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPI_CLIENT_H
#define GX_MAPI_CLIENT_H
/**
 * @file mapi_client.h
 * A client of MAPI over HTTP: sessions, stores, folders, tables, messages, properties. docs/mapi-client.md shows the use.
 *
 * Every call blocks until it is done, its deadline has passed, or another thread calls gx_mapi_cancel(). Calls return what the
 * server said, or, when it did not come to that, one of
 *
 * - ecNetworkError: no connection, or one that broke while the answer was awaited; whether the operation was done is not known then
 * - ecTimeout: the deadline has passed, ecUserCanceled: gx_mapi_cancel(); not known either
 * - ecLoginFailure: name, password or token are wrong
 * - ecEndOfSession: the server does not know the session any more: begin anew with gx_mapi_new()
 * - ecServerBusy: it wants to be asked later than the deadline allows
 * - ecCorruptData: its answer is not what it should be
 * - ecWrongServer: the mailbox is elsewhere, and the client does not go there by itself; gx_mapi_error() says where, and why not
 * - ecInvalidParam, ecMAPIOOM: from here
 *
 * gx_mapi_error() has the rest of what is known. Ids of folders and messages are u64 as operations carry them (gx/entryid.h).
 *
 * Thread class: confined: a connection and all its objects are used by one thread at a time; except gx_mapi_cancel().
 */
#include <gx/ec.h>
#include <gx/log.h>
#include <gx/msgobj.h>
#include <gx/restr.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Connections ---- */

struct gx_mapi;

struct gx_mapi_opts {
	size_t size;
	const char *url;           /**< of the mailbox's endpoint: "https://host/mapi/emsmdb/?MailboxId=..." */
	const char *nspi_url;      /**< of the address book; NULL: beside the mailbox, /mapi/nspi */
	const char *user;          /**< mail address */
	const char *password;      /**< Basic authentication */
	const char *bearer;        /**< a token, instead of a password */
	const char *user_dn;       /**< DN of the user, as autodiscover tells it (LegacyDN) */
	const char *ca_file;       /**< authorities to trust, PEM; NULL: the system's */
	bool insecure;             /**< any certificate will do, and no TLS at all ("http:"), which else only addresses of this machine may do */
	uint32_t code_page;        /**< of 8-bit texts; 0 takes 1252 */
	uint32_t lcid;             /**< language; 0 takes 1033 */
	uint32_t timeout_ms;       /**< of each call, counted anew when something of an answer comes; 0 takes 60000 */
	uint32_t max_answer;       /**< bytes of an answer; 0 takes 16 MiB */
	const char *application;   /**< X-ClientApplication; NULL "Gromox-MAPI/VERSION" */
	const struct gx_log *log;  /**< borrowed; requests at GX_LOG_DEBUG, never what is in them */
	const char *const *hosts;  /**< "host" or "host:port" that the login may go to, beside url's; see "Where the login goes" */
	size_t host_count;
	bool stay;                 /**< redirections are not followed: ecWrongServer */
};
#define GX_MAPI_OPTS_INIT {.size = sizeof(struct gx_mapi_opts)}

/** Where the session is: redirections change it. Borrowed until the next call. */
GX_API const char *gx_mapi_url(const struct gx_mapi *c);

/** What the last call that failed was told. */
struct gx_mapi_error {
	gx_ec ec;
	unsigned http_status;      /**< 0: no HTTP answer came */
	int response_code;         /**< X-ResponseCode; -1: none came */
	unsigned rop;              /**< id of the operation that failed; 0: none did, the request failed as a whole */
	const char *text;          /**< one line; borrowed until the next call */
};

/**
 * A connection that does nothing yet; options are copied. GX_E_INVAL: @p ret_why (borrowed, static; may be
 * NULL) says why. GX_E_NOMEM.
 */
GX_API int gx_mapi_new(const struct gx_mapi_opts *o, struct gx_mapi **ret_c, const char **ret_why) GX_MUST_CHECK;
/**
 * Ends the session, if the server can be reached within a second, and frees everything but objects, which must
 * be closed before. Accepts NULL.
 */
GX_API void gx_mapi_free(struct gx_mapi *c);
/**
 * Asks autodiscover for what @p io_o has not: url, nspi_url, user_dn. With an URL the server there is asked, else the domain of
 * user is (gx/autodiscover.h). Results and @p ret_why are in @p a. GX_E_NOTFOUND: nobody knows the address; GX_E_STATE: the login was refused.
 */
GX_API int gx_mapi_discover(struct gx_mapi_opts *io_o, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/**
 * Logs in and begins a session. Also what the server calls the user; @p ret_name may be NULL; borrowed from @p c.
 *
 * Where the login goes: at most three redirections are followed, over TLS with a certificate that holds (as opts say), and only to hosts
 * that the caller has named (url, hosts) or that autodiscover, asked at url's host itself, names as the mailbox's. To one that only a
 * redirection names nothing is sent: ecWrongServer.
 */
GX_API gx_ec gx_mapi_connect(struct gx_mapi *c, const char **ret_name) GX_MUST_CHECK;
/** Is the server there, and the session? */
GX_API gx_ec gx_mapi_ping(struct gx_mapi *c) GX_MUST_CHECK;
GX_API const struct gx_mapi_error *gx_mapi_error(const struct gx_mapi *c);
/** Milliseconds that each call from now on may take. */
GX_API void gx_mapi_set_timeout(struct gx_mapi *c, uint32_t ms);
/** All calls from now on end at least so many milliseconds from now, whatever they are; 0: no such end. */
GX_API void gx_mapi_set_deadline(struct gx_mapi *c, uint32_t ms);
/**
 * From any thread, also from a signal handler's side of a pipe: the running call and all later ones end with
 * ecUserCanceled.
 */
GX_API void gx_mapi_cancel(struct gx_mapi *c);
/** Calls work again. */
GX_API void gx_mapi_uncancel(struct gx_mapi *c);

/**
 * Sends operations as they are: @p in is a ROP buffer (RopSize, RopsList, table of handles; gx_rop_buffer_push()), without
 * RPC_HEADER_EXT. @param ret_out the first buffer that comes back. Nothing is sent again when the server has not enough room.
 */
GX_API gx_ec gx_mapi_execute(struct gx_mapi *c, struct gx_bin in, struct gx_arena *a,
	struct gx_bin *ret_out) GX_MUST_CHECK;

/* ---- Objects ---- */

/**
 * A store, folder, table, message, attachment or stream at the server. Functions that are given one of the wrong kind
 * answer ecInvalidParam.
 */
struct gx_mapi_obj;
/**
 * The server is told with the next call. A store goes with all that was opened in it: close that before.
 * Accepts NULL.
 */
GX_API void gx_mapi_close(struct gx_mapi_obj *o);

/* ---- Stores ---- */

/** Folders that every mailbox has, [MS-OXCSTOR] 2.2.1.1.3. */
enum {
	GX_MAPI_ROOT, GX_MAPI_DEFERRED, GX_MAPI_SPOOLER, GX_MAPI_IPMSUBTREE, GX_MAPI_INBOX, GX_MAPI_OUTBOX, GX_MAPI_SENT, GX_MAPI_DELETED,
	GX_MAPI_COMMON_VIEWS, GX_MAPI_SCHEDULE, GX_MAPI_FINDER, GX_MAPI_VIEWS, GX_MAPI_SHORTCUTS,
};
/** And public stores, 2.2.1.1.4. */
enum { GX_MAPI_PUB_ROOT, GX_MAPI_PUB_IPMSUBTREE, GX_MAPI_PUB_NONIPM, GX_MAPI_PUB_EFORMS };

/**
 * A mailbox. @param dn its owner's; NULL: the user's own. ecUnknownUser, ecLoginPerm.
 *
 * When the server says that another one has it ([MS-OXCSTOR] 2.2.1.1.2), autodiscover at url's host is asked for the way and the session
 * begins anew there, if no store of it is open: it is with one server at a time. Else, or when that does not lead to it: ecWrongServer.
 */
GX_API gx_ec gx_mapi_logon(struct gx_mapi *c, const char *dn, struct gx_mapi_obj **ret_store) GX_MUST_CHECK;
/** As above. */
GX_API gx_ec gx_mapi_logon_public(struct gx_mapi *c, struct gx_mapi_obj **ret_store) GX_MUST_CHECK;
/** Id of one of the folders above; 0 when there is none. */
GX_API uint64_t gx_mapi_special_folder(const struct gx_mapi_obj *store, unsigned which);
/** Replica of ids that this store gives, and its number in them. */
GX_API const struct gx_guid *gx_mapi_replica(const struct gx_mapi_obj *store, uint16_t *ret_number);

/* ---- Folders ---- */

/** Flags of gx_mapi_open_folder(): also one that was deleted softly. */
enum { GX_MAPI_OPEN_SOFT_DELETED = 4 };
GX_API gx_ec gx_mapi_open_folder(struct gx_mapi_obj *store, uint64_t fid, unsigned flags,
	struct gx_mapi_obj **ret_folder) GX_MUST_CHECK;
GX_API uint64_t gx_mapi_folder_id(const struct gx_mapi_obj *folder);
/**
 * By names from the top folder of what users see, separated by "/" ("Inbox/Projects"); "" is that folder itself, and a name
 * may be "0x" with an id. Case does not count. ecNotFound.
 */
GX_API gx_ec gx_mapi_find_folder(struct gx_mapi_obj *store, const char *path, uint64_t *ret_fid) GX_MUST_CHECK;
struct gx_mapi_folder_new {
	size_t size;
	const char *name, *comment;
	bool search;               /**< a search folder */
	bool open_existing;        /**< no error when there is one of the name */
};
#define GX_MAPI_FOLDER_NEW_INIT {.size = sizeof(struct gx_mapi_folder_new)}
/** Below @p parent. ecDuplicateName. @p ret_folder, @p ret_fid may be NULL. */
GX_API gx_ec gx_mapi_create_folder(struct gx_mapi_obj *parent, const struct gx_mapi_folder_new *n,
	struct gx_mapi_obj **ret_folder,
	uint64_t *ret_fid) GX_MUST_CHECK;
/** [MS-OXCFOLD] 2.2.1.3.1 */
enum { GX_MAPI_DEL_MESSAGES = 1, GX_MAPI_DEL_FOLDERS = 4, GX_MAPI_DELETE_HARD = 0x10 };
/** @p ret_partial (here and below; may be NULL): something could not be done. */
GX_API gx_ec gx_mapi_delete_folder(struct gx_mapi_obj *parent, uint64_t fid, unsigned flags,
	bool *ret_partial) GX_MUST_CHECK;
/** All messages and folders in it. @p hard: not to be restored. */
GX_API gx_ec gx_mapi_empty_folder(struct gx_mapi_obj *folder, bool associated, bool hard,
	bool *ret_partial) GX_MUST_CHECK;
/** The folder @p fid in @p parent goes into @p to, as @p name. */
GX_API gx_ec gx_mapi_move_folder(struct gx_mapi_obj *parent, uint64_t fid, struct gx_mapi_obj *to,
	const char *name, bool *ret_partial) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_copy_folder(struct gx_mapi_obj *parent, uint64_t fid, struct gx_mapi_obj *to,
	const char *name, bool recursive,
	bool *ret_partial) GX_MUST_CHECK;

/* ---- Tables ---- */

/** Flags of tables, [MS-OXCFOLD] 2.2.1.13.1 and 2.2.1.14.1. */
enum { GX_MAPI_ASSOCIATED = 0x02, GX_MAPI_DEPTH = 0x04, GX_MAPI_NO_NOTIFICATIONS = 0x10, GX_MAPI_SOFT_DELETES = 0x20 };
GX_API gx_ec gx_mapi_hierarchy(struct gx_mapi_obj *folder, unsigned flags, struct gx_mapi_obj **ret_table,
	uint32_t *ret_rows) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_contents(struct gx_mapi_obj *folder, unsigned flags, struct gx_mapi_obj **ret_table,
	uint32_t *ret_rows) GX_MUST_CHECK;
/** Of a message. */
GX_API gx_ec gx_mapi_attachments(struct gx_mapi_obj *message, struct gx_mapi_obj **ret_table) GX_MUST_CHECK;
/** Needed before rows are asked for. */
GX_API gx_ec gx_mapi_set_columns(struct gx_mapi_obj *table, const gx_proptag_t *tags, size_t n) GX_MUST_CHECK;
/** NULL: all rows. */
GX_API gx_ec gx_mapi_restrict(struct gx_mapi_obj *table, const struct gx_restr *r) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_sort(struct gx_mapi_obj *table, const struct gx_sortset *s) GX_MUST_CHECK;
/**
 * The next rows, at most @p most (of at most 65535), each a list with what it has; as many as fit into one answer.
 * @p ret_n 0: there are no more. PtypErrorCode stands where a value could not be had: ecMAPIOOM when it is too large for a row.
 */
GX_API gx_ec gx_mapi_rows(struct gx_mapi_obj *table, size_t most, struct gx_arena *a,
	struct gx_proplist **ret_rows, size_t *ret_n) GX_MUST_CHECK;
/** Back to the first row. */
enum { GX_MAPI_BEGIN, GX_MAPI_CURRENT, GX_MAPI_END };
/** @p ret_moved (may be NULL): by how many rows. */
GX_API gx_ec gx_mapi_seek(struct gx_mapi_obj *table, unsigned origin, int32_t rows, int32_t *ret_moved) GX_MUST_CHECK;
/** The next row, from there on, that fulfils @p r; ecNotFound. */
GX_API gx_ec gx_mapi_find_row(struct gx_mapi_obj *table, const struct gx_restr *r, unsigned origin, struct gx_arena *a,
	struct gx_proplist *ret_row) GX_MUST_CHECK;
/** Row number of the cursor, and how many there are. */
GX_API gx_ec gx_mapi_position(struct gx_mapi_obj *table, uint32_t *ret_at, uint32_t *ret_rows) GX_MUST_CHECK;

/* ---- Properties of stores, folders, messages, attachments ---- */

/**
 * Some; what is not there is missing in the list; what is too large has PtypErrorCode with ecMAPIOOM:
 * gx_mapi_read_value().
 */
GX_API gx_ec gx_mapi_get(struct gx_mapi_obj *o, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
	struct gx_proplist *ret_l) GX_MUST_CHECK;
/** All. */
GX_API gx_ec gx_mapi_get_all(struct gx_mapi_obj *o, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_list(struct gx_mapi_obj *o, struct gx_arena *a, gx_proptag_t **ret_tags,
	size_t *ret_n) GX_MUST_CHECK;
/** Fails with the first error that a value met. Values of any size; large ones go as streams. */
GX_API gx_ec gx_mapi_set(struct gx_mapi_obj *o, const struct gx_proplist *l) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_remove(struct gx_mapi_obj *o, const gx_proptag_t *tags, size_t n) GX_MUST_CHECK;

/* ---- Values of any size ---- */

enum { GX_MAPI_STREAM_READ = 0, GX_MAPI_STREAM_WRITE = 1, GX_MAPI_STREAM_CREATE = 2 };
/** Of PtypBinary, PtypObject, PtypString (its bytes are UTF-16LE), PtypString8. @p ret_size may be NULL. */
GX_API gx_ec gx_mapi_open_stream(struct gx_mapi_obj *o, gx_proptag_t tag, unsigned mode,
	struct gx_mapi_obj **ret_stream,
	uint32_t *ret_size) GX_MUST_CHECK;
/** @p ret_n is less than @p n at the end only. */
GX_API gx_ec gx_mapi_stream_read(struct gx_mapi_obj *stream, void *buf, size_t n, size_t *ret_n) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_stream_write(struct gx_mapi_obj *stream, const void *data, size_t n) GX_MUST_CHECK;
/** @p origin GX_MAPI_BEGIN and the like; @p ret_at may be NULL. */
GX_API gx_ec gx_mapi_stream_seek(struct gx_mapi_obj *stream, unsigned origin, int64_t offset,
	uint64_t *ret_at) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_stream_resize(struct gx_mapi_obj *stream, uint64_t size) GX_MUST_CHECK;
/** What was written belongs to the object; closing does the same, and does not say whether it went well. */
GX_API gx_ec gx_mapi_stream_commit(struct gx_mapi_obj *stream) GX_MUST_CHECK;
/** A value that is too large for gx_mapi_get(), of at most @p most bytes as sent: ecTooBig. */
GX_API gx_ec gx_mapi_read_value(struct gx_mapi_obj *o, gx_proptag_t tag, size_t most, struct gx_arena *a,
	union gx_value *ret_v) GX_MUST_CHECK;

/* ---- Named properties ---- */

/** Ids of named properties. @p create: those that have none get one; else their id is 0. */
GX_API gx_ec gx_mapi_ids_of_names(struct gx_mapi_obj *store, const struct gx_propname *names, size_t n,
	bool create, uint16_t *ret_ids) GX_MUST_CHECK;
/** And back. Ids without a name get the set PS_MAPI and their id as LID. */
GX_API gx_ec gx_mapi_names_of_ids(struct gx_mapi_obj *store, const uint16_t *ids, size_t n, struct gx_arena *a,
	struct gx_propname *ret_names) GX_MUST_CHECK;

/* ---- Messages ---- */

enum { GX_MAPI_READ_ONLY = 0, GX_MAPI_READ_WRITE = 1, GX_MAPI_BEST_ACCESS = 3 };
GX_API gx_ec gx_mapi_open_message(struct gx_mapi_obj *store, uint64_t fid, uint64_t mid, unsigned mode,
	struct gx_mapi_obj **ret_message) GX_MUST_CHECK;
/** Is nowhere until gx_mapi_save(). */
GX_API gx_ec gx_mapi_create_message(struct gx_mapi_obj *store, uint64_t fid, bool associated,
	struct gx_mapi_obj **ret_message) GX_MUST_CHECK;
/**
 * What was changed is kept; the message stays open for more. @p force: also over what others have changed.
 * ecObjectModified. @p ret_mid may be NULL.
 */
GX_API gx_ec gx_mapi_save(struct gx_mapi_obj *message, bool force, uint64_t *ret_mid) GX_MUST_CHECK;
/** 0 of a new one that was not saved yet. */
GX_API uint64_t gx_mapi_message_id(const struct gx_mapi_obj *message);
GX_API gx_ec gx_mapi_delete_messages(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n, bool hard,
	bool *ret_partial) GX_MUST_CHECK;
/** From @p from to @p to, which may be in another store. */
GX_API gx_ec gx_mapi_move_messages(struct gx_mapi_obj *from, struct gx_mapi_obj *to, const uint64_t *mids,
	size_t n, bool copy,
	bool *ret_partial) GX_MUST_CHECK;
/** [MS-OXCMSG] 2.2.3.10.1; 0: read, and receipts are sent */
enum { GX_MAPI_SUPPRESS_RECEIPT = 1, GX_MAPI_CLEAR_READ = 4 };
GX_API gx_ec gx_mapi_set_read(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n, unsigned flags,
	bool *ret_partial) GX_MUST_CHECK;

/** Sends it; it must have been saved. */
GX_API gx_ec gx_mapi_submit(struct gx_mapi_obj *message) GX_MUST_CHECK;

/** Lists with PidTagRowid, PidTagRecipientType, PidTagDisplayName, PidTagAddressType, PidTagEmailAddress and more. */
GX_API gx_ec gx_mapi_recipients(struct gx_mapi_obj *message, struct gx_arena *a, struct gx_proplist **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
/** In place of those that it has. */
GX_API gx_ec gx_mapi_set_recipients(struct gx_mapi_obj *message, const struct gx_proplist *v, size_t n) GX_MUST_CHECK;

/** @p number PidTagAttachNumber. */
GX_API gx_ec gx_mapi_open_attachment(struct gx_mapi_obj *message, uint32_t number, unsigned mode,
	struct gx_mapi_obj **ret_att) GX_MUST_CHECK;
/** Is there when it was saved, and the message behind it. @p ret_number may be NULL. */
GX_API gx_ec gx_mapi_create_attachment(struct gx_mapi_obj *message, struct gx_mapi_obj **ret_att,
	uint32_t *ret_number) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_save_attachment(struct gx_mapi_obj *att) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_delete_attachment(struct gx_mapi_obj *message, uint32_t number) GX_MUST_CHECK;
/** The message in an attachment; GX_MAPI_CREATE makes one. It is saved before the attachment is. */
enum { GX_MAPI_CREATE = 2 };
GX_API gx_ec gx_mapi_open_embedded(struct gx_mapi_obj *att, unsigned mode,
	struct gx_mapi_obj **ret_message) GX_MUST_CHECK;

/**
 * All of a message: properties (named ones by name), recipients, attachments, messages in them. ecTooBig: its values have more
 * than @p most bytes, or messages are more than 16 deep in each other.
 */
GX_API gx_ec gx_mapi_read_message(struct gx_mapi_obj *message, uint64_t most, struct gx_arena *a,
	struct gx_msgobj **ret_m) GX_MUST_CHECK;
/** The other way; adds attachments to those that it has. gx_mapi_save() is left to the caller. @p m has no slices. */
GX_API gx_ec gx_mapi_write_message(struct gx_mapi_obj *message, const struct gx_msgobj *m) GX_MUST_CHECK;

/* ---- Notifications ---- */

/** [MS-OXCNOTIF] 2.2.1.1; GX_MAPI_EV_TABLE comes of tables by itself. */
enum {
	GX_MAPI_EV_CRITICAL = 0x01, GX_MAPI_EV_NEW_MAIL = 0x02, GX_MAPI_EV_CREATED = 0x04, GX_MAPI_EV_DELETED = 0x08,
	GX_MAPI_EV_MODIFIED = 0x10, GX_MAPI_EV_MOVED = 0x20, GX_MAPI_EV_COPIED = 0x40, GX_MAPI_EV_SEARCH_DONE = 0x80,
	GX_MAPI_EV_TABLE = 0x100, GX_MAPI_EV_ALL = 0xfe,
};
struct gx_mapi_event {
	uint32_t source;           /**< gx_mapi_source() of the subscription or the table */
	unsigned type;             /**< GX_MAPI_EV_* */
	unsigned table_event;      /**< of GX_MAPI_EV_TABLE: 1 all may have changed, 3 row added, 4 deleted, 5 modified, 7 restricted */
	bool is_message, in_search;
	bool lost;                 /**< there were more events before this one than are kept */
	uint64_t fid, mid;         /**< what it is about; 0: says nothing of it */
	uint64_t parent_fid, old_fid, old_mid, old_parent_fid;
	const gx_proptag_t *tags;  /**< that were changed */
	size_t tag_count;
	bool has_total, has_unread;
	uint32_t total, unread;    /**< messages in the folder */
	uint32_t message_flags;    /**< of new mail */
	const char *message_class; /**< of new mail, else NULL */
};
/**
 * @p types GX_MAPI_EV_*. @p fid 0: of the whole store; @p mid 0: of the folder. The result is closed to hear no
 * more.
 */
GX_API gx_ec gx_mapi_subscribe(struct gx_mapi_obj *store, unsigned types, uint64_t fid, uint64_t mid,
	struct gx_mapi_obj **ret_sub) GX_MUST_CHECK;
GX_API uint32_t gx_mapi_source(const struct gx_mapi_obj *o);
/** Waits until there is something to be told, at most @p ms, whatever the timeout of calls is. */
GX_API gx_ec gx_mapi_wait(struct gx_mapi *c, uint32_t ms, bool *ret_pending) GX_MUST_CHECK;
/** The next event, asking the server when there is none here. @p ret_any false: nothing has happened. */
GX_API gx_ec gx_mapi_event(struct gx_mapi *c, struct gx_arena *a, struct gx_mapi_event *ret_e,
	bool *ret_any) GX_MUST_CHECK;

/* ---- Synchronisation, [MS-OXCFXICS] 3.3 ---- */

/** A version of a message; ids as in gx/entryid.h. */
struct gx_mapi_change {
	uint64_t id, change_number;
	struct gx_bin source_key, change_key, predecessors;
	gx_nttime_t modified;
	bool associated;
	uint32_t size;             /**< PidTagMessageSize; 0: not told */
};

struct gx_mapi_sync_opts {
	size_t size;
	struct gx_bin state;       /**< as the last synchronisation left it; empty: there was none */
	bool hierarchy;            /**< the folders below, instead of the messages in it */
	bool associated;           /**< associated messages, too */
	const struct gx_restr *restr; /**< messages that are wanted; NULL: all */
	const gx_proptag_t *tags;  /**< without these properties, or only with them */
	size_t tag_count;
	bool only_tags;
	bool best_body;            /**< the body in its own format only */
	bool newest_first;
	uint64_t max_message;      /**< bytes of a message's values; 0 takes 256 MiB: ecTooBig */
};
#define GX_MAPI_SYNC_OPTS_INIT {.size = sizeof(struct gx_mapi_sync_opts)}

/**
 * What is told; all may be NULL. What they are given lives until they return; what they return, if not ecSuccess, stops the
 * synchronisation and is returned by it. They must not use the connection.
 */
struct gx_mapi_sync_ops {
	/** A new message, or a new version of one. */
	gx_ec (*message)(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx);
	/** A new folder or one that has changed; parents come first. */
	gx_ec (*folder)(uint64_t fid, const struct gx_proplist *l, void *ctx);
	/** A message or folder. @p gone false: it is there, but not wanted any more. */
	gx_ec (*deleted)(uint64_t id, bool gone, void *ctx);
	gx_ec (*read)(uint64_t mid, bool is_read, void *ctx);
	/** In steps that the server chooses; @p total 0: it does not say. */
	gx_ec (*progress)(uint32_t done, uint32_t total, void *ctx);
};
/** A download, to be closed. ecInvalidParam: @p o->state is no state. */
GX_API gx_ec gx_mapi_sync_begin(struct gx_mapi_obj *folder, const struct gx_mapi_sync_opts *o,
	struct gx_mapi_obj **ret_sync) GX_MUST_CHECK;
/** All of it; each request has its own deadline. */
GX_API gx_ec gx_mapi_sync_run(struct gx_mapi_obj *sync, const struct gx_mapi_sync_ops *ops, void *ctx) GX_MUST_CHECK;
/**
 * The state to go on from: behind gx_mapi_sync_run(), or, when that has failed, behind what was told. Also while it runs,
 * within a call of its operations, where that what is being told does not count yet. Asks nobody.
 */
GX_API gx_ec gx_mapi_sync_state(struct gx_mapi_obj *sync, struct gx_arena *a, struct gx_bin *ret_state) GX_MUST_CHECK;

/** Takes what has changed at the client. @p state as above. To be closed. */
GX_API gx_ec gx_mapi_collector(struct gx_mapi_obj *folder, bool hierarchy, struct gx_bin state,
	struct gx_mapi_obj **ret_collector) GX_MUST_CHECK;
/** Its state, with what was brought: a next download does not bring it back. */
GX_API gx_ec gx_mapi_collector_state(struct gx_mapi_obj *collector, struct gx_arena *a,
	struct gx_bin *ret_state) GX_MUST_CHECK;
/**
 * A message to be filled and saved. Of @p ch are taken source_key (one of gx_mapi_new_ids(), or the message's), change_key (of the client's own
 * namespace), predecessors, modified, associated. ecIgnoreFailure: the server has this or a later version. ecSyncConflict with
 * @p fail_on_conflict: another; without it both are kept.
 */
GX_API gx_ec gx_mapi_import_message(struct gx_mapi_obj *collector, const struct gx_mapi_change *ch,
	bool fail_on_conflict,
	struct gx_mapi_obj **ret_message) GX_MUST_CHECK;
/** @p hierarchy as [MS-OXCFXICS] 2.2.3.2.4.3.1 lists it; @p props (may be NULL) the rest. @p ret_fid may be NULL. */
GX_API gx_ec gx_mapi_import_folder(struct gx_mapi_obj *collector, const struct gx_proplist *hierarchy,
	const struct gx_proplist *props,
	uint64_t *ret_fid) GX_MUST_CHECK;
/** Messages or folders by their source keys. What is gone already is no error. */
GX_API gx_ec gx_mapi_import_deletes(struct gx_mapi_obj *collector, const struct gx_bin *keys, size_t n,
	bool folders, bool hard) GX_MUST_CHECK;
GX_API gx_ec gx_mapi_import_reads(struct gx_mapi_obj *collector, const struct gx_bin *keys, size_t n,
	bool read) GX_MUST_CHECK;
/** A message of another folder comes into the collector's, as @p to. @p ret_mid may be NULL. */
GX_API gx_ec gx_mapi_import_move(struct gx_mapi_obj *collector, struct gx_bin from_folder, struct gx_bin from_message,
	const struct gx_mapi_change *to, uint64_t *ret_mid) GX_MUST_CHECK;
/** Ids for things that the client makes: @p count counters of a replica from @p ret_first on. */
GX_API gx_ec gx_mapi_new_ids(struct gx_mapi_obj *store, uint32_t count, struct gx_guid *ret_replica,
	uint64_t *ret_first) GX_MUST_CHECK;

/* ---- Address book ---- */

enum { GX_MAPI_UNRESOLVED = 0, GX_MAPI_AMBIGUOUS = 1, GX_MAPI_RESOLVED = 2 };
struct gx_mapi_resolved {
	unsigned verdict;
	struct gx_proplist props;  /**< of who it is: PidTagDisplayName, PidTagSmtpAddress, PidTagEmailAddress (DN), PidTagEntryId ... */
};
/**
 * Whom do names, parts of them, or addresses mean? At most 1000 at once; @p ret_v has room for @p n. Needs no
 * session.
 */
GX_API gx_ec gx_mapi_resolve(struct gx_mapi *c, const char *const *names, size_t n, struct gx_arena *a,
	struct gx_mapi_resolved *ret_v) GX_MUST_CHECK;

/* ---- Fast transfer: streams of gx/ftx.h ---- */

/**
 * All of a folder, with those below it, message or attachment, in pieces to @p take.
 */
GX_API gx_ec gx_mapi_copy_out(struct gx_mapi_obj *o, gx_ec (*take)(const void *data, size_t n, void *ctx),
	void *ctx) GX_MUST_CHECK;
/** At most 4000 messages of a folder. */
GX_API gx_ec gx_mapi_copy_messages_out(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n,
	gx_ec (*take)(const void *data, size_t n, void *ctx), void *ctx) GX_MUST_CHECK;
/** And in. @p source_operation GX_FTX_FROM_*; @p give fills a buffer, 0 bytes: the end. */
GX_API gx_ec gx_mapi_copy_in(struct gx_mapi_obj *o, unsigned source_operation,
	gx_ec (*give)(void *buf, size_t size, size_t *ret_n, void *ctx), void *ctx) GX_MUST_CHECK;

/**
 * The folder @p from with its messages and all folders below becomes @p name in @p parent, which is of another connection: another server,
 * or another user's login. Within one connection gx_mapi_copy_folder() does that at the server. Nothing is taken back when it fails
 * midway; @p ret_fid (may be NULL) then has the folder that was begun, if it was. ecDuplicateName; gx_mapi_error() of @p from's
 * connection has the text, whichever has failed. Only that connection's gx_mapi_cancel() ends it between two requests.
 */
GX_API gx_ec gx_mapi_copy_tree(struct gx_mapi_obj *from, struct gx_mapi_obj *parent, const char *name, uint64_t *ret_fid) GX_MUST_CHECK;

/* ---- Rules of a folder, [MS-OXORULE] 2.2.1 and 2.2.2 ---- */

struct gx_mapi_rule {
	uint64_t id;               /**< PidTagRuleId; of a new one the server gives it */
	int32_t sequence;          /**< in this order they run */
	uint32_t state;            /**< PidTagRuleState: ST_ENABLED and the like, [MS-OXORULE] 2.2.1.3.1.3 */
	uint32_t level, user_flags;
	const char *name, *provider; /**< "" when there is none */
	struct gx_bin provider_data;
	const struct gx_restr *condition; /**< NULL: none was told */
	struct gx_bin actions;     /**< RuleAction as it is sent, [MS-OXORULE] 2.2.5; empty: none was told */
};
/** By sequence; everything lives in @p a. Owners of the folder alone see them: ecAccessDenied. ecTooBig: more than 10,000. */
GX_API gx_ec gx_mapi_rules(struct gx_mapi_obj *folder, struct gx_arena *a, struct gx_mapi_rule **ret_v, size_t *ret_n) GX_MUST_CHECK;

/** What becomes of a row of rules or permissions. */
enum { GX_MAPI_ROW_ADD = 1, GX_MAPI_ROW_MODIFY = 2, GX_MAPI_ROW_REMOVE = 4 };
struct gx_mapi_rule_change {
	unsigned op;               /**< GX_MAPI_ROW_* */
	struct gx_mapi_rule rule;  /**< of REMOVE the id alone counts; of MODIFY a condition, actions and provider_data that are missing stay */
};
/**
 * All of them or none. @p replace: in place of those that there are, which takes additions alone. An ADD needs actions; one without a condition
 * is for all messages. ecInvalidParam, ecNotFound: an id that is none of the folder's; ecMAPIOOM: more rules than it may have.
 */
GX_API gx_ec gx_mapi_change_rules(struct gx_mapi_obj *folder, const struct gx_mapi_rule_change *v, size_t n, bool replace) GX_MUST_CHECK;

/* ---- Permissions of a folder, [MS-OXCPERM] 2.2.1 and 2.2.2 ---- */

/** PidTagMemberRights, [MS-OXCPERM] 2.2.7 */
enum {
	GX_MAPI_MAY_READ = 0x1, GX_MAPI_MAY_CREATE = 0x2, GX_MAPI_MAY_EDIT_OWN = 0x8, GX_MAPI_MAY_DELETE_OWN = 0x10, GX_MAPI_MAY_EDIT_ANY = 0x20,
	GX_MAPI_MAY_DELETE_ANY = 0x40, GX_MAPI_MAY_CREATE_FOLDERS = 0x80, GX_MAPI_IS_OWNER = 0x100, GX_MAPI_IS_CONTACT = 0x200,
	GX_MAPI_SEES_FOLDER = 0x400, GX_MAPI_SEES_FREE_BUSY = 0x800, GX_MAPI_SEES_APPOINTMENTS = 0x1000,
};
/** The members that every folder has, [MS-OXCPERM] 2.2.5: everybody who logs in and has no row of his own, and nobody known. */
#define GX_MAPI_MEMBER_DEFAULT INT64_C(0)
#define GX_MAPI_MEMBER_ANONYMOUS INT64_C(-1)
struct gx_mapi_permission {
	int64_t member;            /**< PidTagMemberId */
	const char *name;          /**< "" of the default */
	const char *address;       /**< SMTP; "" when the server does not say it */
	struct gx_bin entry_id;    /**< of the address book; empty of the two above */
	uint32_t rights;           /**< GX_MAPI_MAY_* and the like */
};
/** @p free_busy: with the rights to free/busy times (of a calendar). Everything lives in @p a. Owners alone: ecAccessDenied. */
GX_API gx_ec gx_mapi_permissions(struct gx_mapi_obj *folder, bool free_busy, struct gx_arena *a, struct gx_mapi_permission **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
struct gx_mapi_permission_change {
	unsigned op;               /**< GX_MAPI_ROW_* */
	int64_t member;            /**< of MODIFY and REMOVE, and of an ADD without entry_id: one of the two that every folder has */
	struct gx_bin entry_id;    /**< of ADD: PidTagEntryId, as gx_mapi_resolve() tells it */
	uint32_t rights;
};
/**
 * All of them or none. @p replace: in place of those that there are, which takes additions alone. @p free_busy: the rights to free/busy times
 * are meant, too; else they stay as they are. ecNotFound: no such member.
 */
GX_API gx_ec gx_mapi_change_permissions(struct gx_mapi_obj *folder, const struct gx_mapi_permission_change *v, size_t n, bool replace,
	bool free_busy) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
