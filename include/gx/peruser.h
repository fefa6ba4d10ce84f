/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PERUSER_H
#define GX_PERUSER_H
/**
 * @file peruser.h
 * What somebody has read in public folders, as clients carry it from one public store to another: as change numbers of messages,
 * and what his mailbox remembers of it. [MS-OXCSTOR] 3.2.5.10 to 3.2.5.13. Thread class: as the transaction, confined.
 */
#include <gx/idset.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Public stores ---- */

/** Adds the change numbers of those messages of the folder that the actor has read. ecNotSupported in a mailbox and for the system. */
GX_API gx_ec gx_reads_get(struct gx_txn *t, uint64_t fid, struct gx_globset *io_set) GX_MUST_CHECK;
/** The messages with these change numbers are those that the actor has read, and no others. Errors as above. */
GX_API gx_ec gx_reads_set(struct gx_txn *t, uint64_t fid, const struct gx_globset *set) GX_MUST_CHECK;

/* ---- Mailboxes ---- */

struct gx_peruser {
	struct gx_guid folder_db;     /**< LongTermID of the public folder */
	uint64_t folder;
	struct gx_guid database;      /**< of the public store that gave the data */
	struct gx_bin data;           /**< as it was given */
};
/** Bytes of one, and how many a mailbox remembers; more are ecTooBig. */
#define GX_PERUSER_SIZE_MAX (1U << 20)
#define GX_PERUSER_MAX 10000U
/** By folder. ecNotFound; owner only. */
GX_API gx_ec gx_peruser_get(struct gx_txn *t, const struct gx_guid *folder_db, uint64_t folder, struct gx_arena *a,
	struct gx_peruser *ret_p) GX_MUST_CHECK;
/** Replaces what was remembered of the folder; without data it is forgotten. */
GX_API gx_ec gx_peruser_set(struct gx_txn *t, const struct gx_peruser *p) GX_MUST_CHECK;
/** Those that one public store has given, without their data. */
GX_API gx_ec gx_peruser_list(struct gx_txn *t, const struct gx_guid *database, struct gx_arena *a, struct gx_peruser **ret_v,
	size_t *ret_n) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
