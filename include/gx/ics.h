/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ICS_H
#define GX_ICS_H
/**
 * @file ics.h
 * Incremental change synchronisation: what a client that keeps a copy of a folder, or of the tree of
 * folders, has to do to have the present one. [MS-OXCFXICS]
 *
 * The client says what it has as sets of numbers of the store's own replica (see gx/idset.h; ids of
 * other replicas are in no store). Afterwards it adds 1 to last_cn to what it has seen, and 1 to
 * last_readcn to the read states it has: a next synchronisation then costs by the
 * number of changes, not of messages.
 *
 * Thread class: confined.
 */
#include <gx/idset.h>
#include <gx/restr.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Contents of a folder ---- */

struct gx_ics_content_opts {
	size_t size;
	/* Borrowed until the call returns. */
	const struct gx_globset *given;    /**< ids of the messages it has; NULL: none */
	const struct gx_globset *seen;     /**< changes of normal messages it has; NULL: these are not wanted */
	const struct gx_globset *seen_fai; /**< the same of associated messages */
	const struct gx_globset *read;     /**< changes of read state it has; NULL: not wanted */
	const struct gx_restr *restr;      /**< messages that it wants; NULL: all */
	bool ordered;                      /**< newest delivery first; else by change number, ascending */
};
#define GX_ICS_CONTENT_OPTS_INIT {.size = sizeof(struct gx_ics_content_opts)}

struct gx_ics_change {
	uint64_t mid, cn, size;
	gx_nttime_t received;
	bool fai;
	bool updated; /**< the client has an older version */
};
struct gx_ics_summary {
	uint64_t fai_count, fai_size, normal_count, normal_size; /**< of the changes */
	uint64_t last_cn, last_readcn;
};
enum {
	GX_ICS_GIVEN,    /**< all messages that the client has when it is done */
	GX_ICS_DELETED,  /**< it has them and they are gone, also softly */
	GX_ICS_NOLONGER, /**< it has them, they exist, and are not wanted, or shown by the search folder, any more */
	GX_ICS_READ,     /**< it has the present version, but not that it is read */
	GX_ICS_UNREAD,
	GX_ICS_SETS
};

/**
 * A synchronisation of one folder: a snapshot that needs no transaction, so that the messages can be
 * read one by one in transactions of their own. What has gone by then is left out, what has
 * changed is sent newer than announced; both are told again, or as deleted, the next time.
 */
struct gx_ics_content;
/**
 * ecNotFound, ecAccessDenied without GX_RIGHT_READ; what gx_restr_eval() refuses. In public stores the
 * read state is the actor's. Memory: 16 bytes for each run of ids in the sets, and at most 4 MiB,
 * however many changes there are: above 32,768 they go to a file without a name in the store's
 * directory, and to memory only when that cannot be written.
 *
 * Of a search folder: what it shows, wherever that lies, by the number of messages that it shows. What it shows newly is a change, however
 * old the message; as long as the search is looking nothing is NOLONGER. Read states may be sent back
 * to it; all other uploads are ecNotSupported.
 */
GX_API gx_ec gx_ics_content_open(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o,
	struct gx_ics_content **ret_c) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_ics_content_free(struct gx_ics_content *c);
/** Borrowed from @p c, as are the sets. */
GX_API const struct gx_ics_summary *gx_ics_content_summary(const struct gx_ics_content *c);
/** @p which: GX_ICS_*; NULL for what is none of them. */
GX_API const struct gx_globset *gx_ics_content_set(const struct gx_ics_content *c, int which);
/** How many changes gx_ics_content_next() gives from the beginning to the end. */
GX_API size_t gx_ics_content_count(const struct gx_ics_content *c);
/**
 * The next message to send. An error, when what lies in a file cannot be read: the next call tries it again.
 * @param ret_more false at the end: nothing was written to @p ret_change.
 */
GX_API gx_ec gx_ics_content_next(struct gx_ics_content *c, struct gx_ics_change *ret_change, bool *ret_more) GX_MUST_CHECK;
/** Goes back to the change @p n (from 0), for a transfer that is resumed. */
GX_API void gx_ics_content_seek(struct gx_ics_content *c, size_t n);

/** All of it as arrays, which is what get_content_sync of the exmdb protocol sends. */
struct gx_ics_ids {
	const uint64_t *v;
	size_t n;
};
struct gx_ics_content_answer {
	struct gx_ics_summary summary;
	struct gx_ics_ids updated, changed; /**< changed: all of them, in order */
	struct gx_ics_ids given, deleted, nolonger, read, unread;
};
/** In @p a. Errors as gx_ics_content_open(). */
GX_API gx_ec gx_ics_content_answer(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o, struct gx_arena *a,
	struct gx_ics_content_answer *ret_a) GX_MUST_CHECK;

/* ---- The tree of folders ---- */

/** Folders below another one, a parent before its children. Those that the actor cannot see are not there. */
struct gx_ics_hierarchy;
/** @param given, seen may be NULL for none; borrowed until the call returns. */
GX_API gx_ec gx_ics_hierarchy_open(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_globset *seen,
	struct gx_ics_hierarchy **ret_h) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_ics_hierarchy_free(struct gx_ics_hierarchy *h);
/** The last change number of the store at that moment: what the client has seen when it is done. */
GX_API uint64_t gx_ics_hierarchy_last_cn(const struct gx_ics_hierarchy *h);
/** GX_ICS_GIVEN, GX_ICS_DELETED. Borrowed. */
GX_API const struct gx_globset *gx_ics_hierarchy_set(const struct gx_ics_hierarchy *h, int which);
/** Folders that have changed. */
GX_API size_t gx_ics_hierarchy_count(const struct gx_ics_hierarchy *h);
/**
 * The properties of the next changed folder, with source keys ([MS-OXCFXICS] 2.2.4.3.5; that of the parent
 * is empty for children of the root), in any transaction of the same actor. Folders that went meanwhile are passed over.
 * @param ret_more false at the end: nothing was written to @p ret_l.
 */
GX_API gx_ec gx_ics_hierarchy_next(struct gx_ics_hierarchy *h, struct gx_txn *t, struct gx_arena *a, struct gx_proplist *ret_l,
	bool *ret_more) GX_MUST_CHECK;

/** All of it, which is what get_hierarchy_sync of the exmdb protocol sends. */
struct gx_ics_hierarchy_answer {
	const struct gx_proplist *folders;
	size_t folder_count;
	uint64_t last_cn;
	struct gx_ics_ids given, deleted;
};
/** In @p a. Errors as gx_ics_hierarchy_open(). */
GX_API gx_ec gx_ics_hierarchy_answer(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_globset *seen,
	struct gx_arena *a, struct gx_ics_hierarchy_answer *ret_a) GX_MUST_CHECK;

/* ---- Versions, [MS-OXCFXICS] 3.1.5.6 ---- */

struct gx_ics_version {
	struct gx_bin change_key; /**< PidTagChangeKey */
	struct gx_bin pcl;        /**< PidTagPredecessorChangeList */
	gx_nttime_t modified;     /**< PidTagLastModificationTime */
};
enum { GX_ICS_SAME, GX_ICS_NEWER, GX_ICS_OLDER, GX_ICS_CONFLICT };
/**
 * What an incoming version is to the stored one, by their predecessor lists; a change key counts as part of its list.
 * GX_E_FORMAT, GX_E_TRUNC for what is no list or key.
 */
GX_API int gx_ics_compare(struct gx_arena *a, const struct gx_ics_version *stored, const struct gx_ics_version *incoming,
	int *ret_order) GX_MUST_CHECK;
/**
 * Who wins a conflict of messages: the later one, of equal ones that of the higher namespace, and of one namespace the
 * incoming one. [MS-OXCFXICS] 3.1.5.6.2.2
 */
GX_API bool gx_ics_wins(const struct gx_ics_version *incoming, const struct gx_ics_version *stored);
/**
 * The message as it is now is this version, made elsewhere: it gets a change number of ours, and keeps key and list
 * until somebody changes it here. System or owner, or who made the message.
 */
GX_API gx_ec gx_ics_set_version(struct gx_txn *t, uint64_t mid, const struct gx_ics_version *v, uint64_t *ret_cn) GX_MUST_CHECK;

/* ---- Uploads, [MS-OXCFXICS] 3.2.5.9.4 ---- */

/*
 * Objects are named by source keys (22 bytes) of the store's own replica; ecInvalidParam for others. What
 * a client brings gets change numbers of ours, which the caller adds to what the client has seen; not
 * those of resolved conflicts, which the client has to fetch.
 */

struct gx_ics_message {
	size_t size;
	struct gx_bin source_key;
	struct gx_ics_version version;
	bool fai;
	bool fail_on_conflict;
};
#define GX_ICS_MESSAGE_INIT {.size = sizeof(struct gx_ics_message)}
enum {
	GX_ICS_CREATE,  /**< there is no such message: make it with this id */
	GX_ICS_REPLACE, /**< the stored one is older: it gets the new contents */
	GX_ICS_RESOLVE, /**< both were changed */
};
struct gx_ics_import {
	uint64_t mid;
	int how;             /**< GX_ICS_CREATE ... */
	bool wins;           /**< RESOLVE: the incoming version is the later one */
	bool keep_both;      /**< RESOLVE: as a message that shows the conflict, else the later one alone */
	bool notify;         /**< the owner of the public folder is to be told, see gx_ics_conflict_notice() */
	struct gx_bin pcl;   /**< what the message's list is to be, in the arena */
};
/**
 * What is to be done with a message that a client has changed. ecIgnoreFailure: the stored one is the same or
 * newer; ecSyncConflict: both were changed, and that was to fail; ecSyncObjectDeleted: it was
 * deleted, softly or for good, or moved here; ecAccessDenied.
 */
GX_API gx_ec gx_ics_check_message(struct gx_txn *t, uint64_t fid, const struct gx_ics_message *m, struct gx_arena *a,
	struct gx_ics_import *ret_import) GX_MUST_CHECK;

/**
 * Does it: makes or replaces the message, or resolves the conflict. @p obj is all that the message is to say; its keys
 * and times are those of @p m. Callers that have the contents piece by piece do the same with gx/instance.h, and for a conflict hand in
 * what gx_inst_read() gives.
 * @param ret_import may be NULL. Errors of gx_ics_check_message() and gx_inst_save().
 */
GX_API gx_ec gx_ics_import_message(struct gx_txn *t, uint64_t fid, const struct gx_ics_message *m, const struct gx_msgobj *obj,
	struct gx_ics_import *ret_import, struct gx_msg_ids *ret_ids) GX_MUST_CHECK;

/**
 * A message in conflict is sent as its versions, each as a message of the same id with the key, list and time that stand
 * in its properties: who gets them makes a conflict of his own. [MS-OXCFXICS] 3.1.5.6.2.1
 * @param m of gx_inst_read(), or of gx_msg_read(), which does not say the present version: then its time alone tells whether somebody
 * has changed it since.
 * @param ret_n 0: the message is sent as it is. The versions are borrowed from @p m.
 */
GX_API int gx_ics_versions(struct gx_arena *a, const struct gx_msgobj *m, const struct gx_msgobj ***ret_v, size_t *ret_n) GX_MUST_CHECK;
/** The message "IPM.Conflict.Message" about a message in conflict, to be delivered to the owner of its folder; without recipients. */
GX_API gx_ec gx_ics_conflict_notice(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m) GX_MUST_CHECK;

struct gx_ics_move {
	uint64_t src_fid;
	struct gx_bin source_key, dst_source_key;
	struct gx_ics_version version; /**< the list of the client's message as it was before, the key of the move; no time */
};
/**
 * Moves a message into @p fid under the id that the client gave it. ecNewerClientChange is a success: the client
 * has changes of it that it must send too. ecSyncObjectDeleted: it is not there any more.
 * @param ret_ids cn 0: somebody has changed it since, so the client does not have what was moved and must be told of it.
 */
GX_API gx_ec gx_ics_import_move(struct gx_txn *t, uint64_t fid, const struct gx_ics_move *m, struct gx_msg_ids *ret_ids) GX_MUST_CHECK;
/** Those that are gone are passed over; those that never were will never be. A message that was changed meanwhile goes all the same: a deletion has no version to compare. */
GX_API gx_ec gx_ics_import_delete(struct gx_txn *t, uint64_t fid, const struct gx_bin *source_keys, size_t n, bool hard) GX_MUST_CHECK;
struct gx_ics_read {
	struct gx_bin source_key;
	bool read;
};
/**
 * Read states of normal messages. @param io_read gets the change numbers. @param ret_receipts (may be NULL) messages
 * whose sender is to be told now, see gx_msg_set_read().
 */
GX_API gx_ec gx_ics_import_reads(struct gx_txn *t, uint64_t fid, const struct gx_ics_read *v, size_t n, struct gx_globset *io_read,
	struct gx_arena *a, struct gx_ics_ids *ret_receipts) GX_MUST_CHECK;
/**
 * A folder that was made or changed, by the properties of [MS-OXCFXICS] 2.2.3.2.4.3.1 and any others; no parent means
 * @p root. A conflict is won by the later version, and @p ret_cn is 0 then. ecIgnoreFailure: nothing new;
 * ecNoParentFolder; ecCycleDetected; ecSyncObjectDeleted; ecDuplicateName.
 */
GX_API gx_ec gx_ics_import_folder(struct gx_txn *t, uint64_t root, const struct gx_proplist *l, uint64_t *ret_fid, uint64_t *ret_cn) GX_MUST_CHECK;
/**
 * Folders below @p root; those that are gone are passed over, those that never were will never be. @p limit: as gx_folder_delete_some()
 * has it, for each; with @p ret_more the first one that is not gone yet, and those behind it, are to be handed in again.
 */
GX_API gx_ec gx_ics_import_folder_delete(struct gx_txn *t, uint64_t root, const struct gx_bin *source_keys, size_t n, bool hard,
	size_t limit, bool *ret_more) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
