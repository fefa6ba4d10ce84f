/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FOLDER_H
#define GX_FOLDER_H
/**
 * @file folder.h
 * What is done to folders as a whole, beyond gx/store.h. Rights are those of the transaction's
 * actor. Thread class: as the transaction, confined.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Those that are not there are passed over; computed ones and the name cannot be removed and stay. */
GX_API gx_ec gx_folder_remove_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n) GX_MUST_CHECK;
/** Is this property of folders the server's alone? Setting it has no effect. */
GX_API bool gx_folder_is_computed(gx_proptag_t tag);
/** Is there such a folder at all, and is it softly deleted? ecNotFound. */
GX_API gx_ec gx_folder_is_deleted(struct gx_txn *t, uint64_t fid, bool *ret_deleted) GX_MUST_CHECK;
/** Is @p fid @p ancestor itself or somewhere below it? */
GX_API gx_ec gx_folder_is_below(struct gx_txn *t, uint64_t ancestor, uint64_t fid, bool *ret_below) GX_MUST_CHECK;
/** Brings a softly deleted folder back to where it was. ecDuplicateName when its name was taken meanwhile. */
GX_API gx_ec gx_folder_undelete(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* ---- Copying and emptying ---- */

/* What of a folder's contents; the bits of [MS-OXCFOLD] 2.2.1.3.1 where it has them. */
enum {
	GX_CONTENT_NORMAL = 0x01, GX_CONTENT_FOLDERS = 0x04, GX_CONTENT_FAI = 0x08,
	GX_CONTENT_HARD = 0x10, /**< emptying: not recoverable */
};
/**
 * Copies the contents of @p src into @p dst. What the actor may not read or put there is left out and
 * makes it partial. ecFolderCycle when @p dst lies in @p src and folders are copied.
 */
GX_API gx_ec gx_folder_copy_contents(struct gx_txn *t, uint64_t src, uint64_t dst, uint32_t what, bool *ret_partial) GX_MUST_CHECK;
/** Copies the folder itself with everything in it below @p new_parent. @p name NULL keeps it. */
GX_API gx_ec gx_folder_copy(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *name, uint64_t *ret_fid, bool *ret_partial) GX_MUST_CHECK;
/** The same with some of what is in it: GX_CONTENT_NORMAL, FOLDERS, FAI. */
GX_API gx_ec gx_folder_copy_part(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *name, uint32_t what, uint64_t *ret_fid,
	bool *ret_partial) GX_MUST_CHECK;
/**
 * The next messages of a folder in the order in which they came, normal or associated ones, with UIDs above *io_after (0 first) and below
 * @p end: at most @p max, whose ids go to @p ret_mids; none are left when there are fewer. For work in several transactions: what
 * comes meanwhile has UIDs from gx_folder_info.uidnext on.
 */
GX_API gx_ec gx_folder_next_messages(struct gx_txn *t, uint64_t fid, bool associated, uint32_t end, uint32_t *io_after, size_t max,
	uint64_t *ret_mids, size_t *ret_n) GX_MUST_CHECK;
/**
 * gx_folder_delete() in several transactions. For good: removes at most @p limit (0: all) messages and folders, from the innermost
 * outward; what was removed is gone whether it is called again or not, what is left is in order. Softly: at most as many reports of
 * gx_txn_on_unread(), and then all is hidden at once; gx_search_leave() has the rest. @p ret_more: to be called again.
 * Folders inside that the actor does not own stay with what is in them, and with the folders that they are in; then @p ret_partial
 * becomes true. With @p ret_partial NULL they are ecAccessDenied, and nothing goes.
 */
GX_API gx_ec gx_folder_delete_some(struct gx_txn *t, uint64_t fid, bool hard, size_t limit, bool *ret_partial, bool *ret_more) GX_MUST_CHECK;
/**
 * Removes contents: messages, associated messages, subfolders with what is in them. What the actor may
 * not delete stays and makes it partial. Removes at most @p limit messages (0: all) and says in
 * @p ret_more whether there are others, so that a large folder can be emptied in several transactions.
 */
GX_API gx_ec gx_folder_empty(struct gx_txn *t, uint64_t fid, uint32_t what, size_t limit, bool *ret_partial, bool *ret_more) GX_MUST_CHECK;

struct gx_purged {
	uint64_t folders, messages, bytes_normal, bytes_fai;
	uint64_t after;   /**< where it is */
	bool more;        /**< to be called again */
};
/**
 * Removes for good what was softly deleted in this folder and last modified before @p cutoff (0: all). @p what: NORMAL (with associated
 * ones), FOLDERS. At most @p limit (0: all) messages and folders; the next transaction goes on. @p io_p: zeroes first; summed up.
 */
GX_API gx_ec gx_folder_purge(struct gx_txn *t, uint64_t fid, uint32_t what, gx_nttime_t cutoff, size_t limit, struct gx_purged *io_p) GX_MUST_CHECK;

/* ---- Receive folders, [MS-OXCSTOR] 3.2.5.2 and 3.2.5.3 ---- */

struct gx_receive {
	const char *cls;
	uint64_t fid;
	gx_nttime_t modified;
};
/** The folder for a message class: that of the longest entry that is the class or a prefix of it up to a dot. */
GX_API gx_ec gx_receive_get(struct gx_txn *t, const char *cls, struct gx_arena *a, struct gx_receive *ret_r) GX_MUST_CHECK;
/** @p fid 0 removes the entry. ecInvalidParam for what is no class; ecAccessDenied for those that are fixed. */
GX_API gx_ec gx_receive_set(struct gx_txn *t, const char *cls, uint64_t fid) GX_MUST_CHECK;
/** All entries, by class, in @p a. */
GX_API gx_ec gx_receive_list(struct gx_txn *t, struct gx_arena *a, struct gx_receive **ret_v, size_t *ret_n) GX_MUST_CHECK;

/** Names of the built-in folders in another language ("de_DE"). @p names: as in gx_store_create_opts, or NULL for the built-in ones. */
GX_API gx_ec gx_store_localise(struct gx_txn *t, const char *lang, const char *const *names) GX_MUST_CHECK;
/**
 * What a built-in folder of a mailbox is called in a language ("de_DE"; a region without names of its own takes those of the
 * language). NULL: it has the same name in all of them, or there are no names in that language. Static.
 */
GX_API const char *gx_folder_name_in(const char *lang, uint64_t fid);

#ifdef __cplusplus
}
#endif
#endif
