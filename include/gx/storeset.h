/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STORESET_H
#define GX_STORESET_H
/**
 * @file storeset.h
 * What belongs to a store as a whole: its properties, out of office, delegates, replicas, and its
 * upkeep. Functions with a transaction follow the rules of gx/store.h; all that change something
 * need the owner or the system (ecAccessDenied). Thread class: as the transaction, confined.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Properties ---- */

/** Those that are not there are passed over. */
GX_API gx_ec gx_store_remove_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n) GX_MUST_CHECK;
/** Every named property id of the store, ascending. */
GX_API gx_ec gx_store_named_all(struct gx_txn *t, struct gx_arena *a, uint16_t **ret_ids, size_t *ret_n) GX_MUST_CHECK;
/** The union of the actor's rights in all folders: what somebody may do in this mailbox at all. */
GX_API gx_ec gx_store_rights(struct gx_txn *t, uint32_t *ret_rights) GX_MUST_CHECK;

/* ---- Quotas ---- */

struct gx_quota {
	uint64_t warn, send, receive; /**< bytes, 0 none; PidTagStorageQuotaLimit, ProhibitSend, ProhibitReceive */
	uint64_t used;                /**< bytes */
};
/** What the store has for quotas, and what counts against them. */
GX_API gx_ec gx_store_quota(struct gx_txn *t, struct gx_quota *ret_q) GX_MUST_CHECK;

/* ---- Out of office, [MS-OXWOOF] ---- */

/* As properties of the store: what PHP programs read and write. */
#define GX_OOF_STATE_TAG GX_PROP_TAG(0x6760, PtypInteger32)
#define GX_OOF_MESSAGE_TAG GX_PROP_TAG(0x6761, PtypString)
#define GX_OOF_SUBJECT_TAG GX_PROP_TAG(0x6762, PtypString)
#define GX_OOF_FROM_TAG GX_PROP_TAG(0x6763, PtypTime)
#define GX_OOF_UNTIL_TAG GX_PROP_TAG(0x6764, PtypTime)
#define GX_OOF_ALLOW_EXTERNAL_TAG GX_PROP_TAG(0x6765, PtypBoolean)
#define GX_OOF_EXTERNAL_KNOWN_TAG GX_PROP_TAG(0x6766, PtypBoolean) /* to senders among the contacts only */
#define GX_OOF_EXTERNAL_MESSAGE_TAG GX_PROP_TAG(0x6767, PtypString)
#define GX_OOF_EXTERNAL_SUBJECT_TAG GX_PROP_TAG(0x6768, PtypString)

enum { GX_OOF_DISABLED = 0, GX_OOF_ENABLED = 1, GX_OOF_SCHEDULED = 2 };
struct gx_oof {
	uint32_t state;               /**< GX_OOF_* */
	gx_nttime_t from, until;      /**< when scheduled; 0 open */
	const char *subject, *message; /**< to people of the organisation; NULL none. Message may be HTML. */
	bool external, known_only;
	const char *external_subject, *external_message;
};
/** Strings live in @p a. */
GX_API gx_ec gx_oof_get(struct gx_txn *t, struct gx_arena *a, struct gx_oof *ret_oof) GX_MUST_CHECK;
/** All of it is replaced. For owners. ecAccessDenied, ecInvalidParam for another state. */
GX_API gx_ec gx_oof_set(struct gx_txn *t, const struct gx_oof *oof) GX_MUST_CHECK;
/** Is it on at this moment? */
GX_API bool gx_oof_active(const struct gx_oof *oof, gx_nttime_t now);
/** Seconds since the last automatic reply to this address (caseless); UINT64_MAX when there was none. */
GX_API gx_ec gx_replied_ago(struct gx_txn *t, const char *peer, uint64_t *ret_seconds) GX_MUST_CHECK;
/** Notes an automatic reply. Old notes go by themselves after GX_REPLIED_KEEP seconds. */
GX_API gx_ec gx_replied_note(struct gx_txn *t, const char *peer) GX_MUST_CHECK;
#define GX_REPLIED_KEEP (180 * 86400)

/* ---- Delegates ---- */

enum { GX_DELEGATE_ON_BEHALF = 0, GX_DELEGATE_SEND_AS = 1 };
/** Addresses that may send on behalf of, or as, the owner. */
GX_API gx_ec gx_delegates_get(struct gx_txn *t, uint32_t mode, struct gx_arena *a, const char *const **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** Replaces the list; doubles and empty entries are left out. At most 10,000. */
GX_API gx_ec gx_delegates_set(struct gx_txn *t, uint32_t mode, const char *const *v, size_t n) GX_MUST_CHECK;

/* ---- Replicas, [MS-OXCSTOR] 3.2.5.8 ---- */

/** 1 is the store, 2 to 5 are fixed. ecNotFound. */
GX_API gx_ec gx_replica_guid(struct gx_txn *t, uint16_t replid, struct gx_guid *ret_guid) GX_MUST_CHECK;
/** @p create: an unknown GUID gets the next number, from 6. ecNotFound; ecTooBig when all numbers are given out. */
GX_API gx_ec gx_replica_id(struct gx_txn *t, const struct gx_guid *guid, bool create, uint16_t *ret_replid) GX_MUST_CHECK;

/* ---- Upkeep. Thread class: locked. ---- */

enum { GX_MAINT_USABLE = 0, GX_MAINT_HOLD = 1, GX_MAINT_REJECT = 2 };
/**
 * HOLD makes new transactions wait, up to their deadline; REJECT refuses them with GX_E_BUSY. The system's own
 * work goes on. With @p wait running transactions end first (GX_E_TIMEOUT after a minute). The mode is kept
 * in the store and outlives a restart.
 */
GX_API int gx_store_set_maintenance(struct gx_store *s, int mode, bool wait) GX_MUST_CHECK;
/** The mode at present, GX_MAINT_*. */
GX_API int gx_store_maintenance(struct gx_store *s);
/**
 * Gives free pages back to the file system and writes the file in order. Writers wait meanwhile, readers do not.
 * GX_E_IO too when a flush of the database failed before: then it has to be opened again first.
 */
GX_API int gx_store_vacuum(struct gx_store *s, int deadline_ms) GX_MUST_CHECK;
/** Removes content files that no message refers to. @return how many, or GX_E_*. */
GX_API long gx_store_purge_files(struct gx_store *s) GX_MUST_CHECK;
/** Counts messages and sizes of all folders again. @p ret_fixed: folders whose numbers were wrong; may be NULL. */
GX_API gx_ec gx_store_recount(struct gx_txn *t, size_t *ret_fixed) GX_MUST_CHECK;

/**
 * A new UIDVALIDITY for every folder and UIDs from 1 on, in the order of the present ones: IMAP clients
 * forget what they know of the store. Flags, keywords and subscriptions stay.
 */
GX_API gx_ec gx_store_renumber(struct gx_txn *t) GX_MUST_CHECK;

/* cgkreset flags, [gromox wire 3] */
enum { GX_CGK_FOLDERS = 1, GX_CGK_MESSAGES = 2, GX_CGK_ZERO_LAST = 4 };
/** New change numbers and predecessor lists for all objects: clients synchronise anew. */
GX_API gx_ec gx_store_reset_changes(struct gx_txn *t, uint32_t flags) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
