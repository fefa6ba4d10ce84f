/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OWED_H
#define GX_OWED_H
/**
 * @file owed.h
 * What a store owes to others, such as receipts: noted in the transaction that is the reason for it, so that there is both or
 * neither, and removed when it has been handed over. What a note says is its writer's affair.
 *
 * Thread class: confined.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GX_OWED_BATCH 16       /**< bytes of the name under which notes are written together */
#define GX_OWED_MAX 0x400000U  /**< bytes of a note */

/** Writes or replaces the note @p n of a batch. ecTooBig; ecNotSupported where the store is another process's. */
GX_API gx_ec gx_owed_put(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t n, struct gx_bin note) GX_MUST_CHECK;
/** The first note of a batch from number @p from on. ecNotFound. */
GX_API gx_ec gx_owed_next(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t from, struct gx_arena *a, uint32_t *ret_n,
	struct gx_bin *ret_note) GX_MUST_CHECK;
/** Removes a note; one that is not there is no failure. */
GX_API gx_ec gx_owed_drop(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t n) GX_MUST_CHECK;

/* ---- Messages that go unread ---- */

/** A failure makes what is being done fail. */
typedef gx_ec (*gx_unread_cb)(struct gx_txn *t, uint64_t mid, void *ctx);
/**
 * For the rest of a write transaction: @p cb is told of each normal message that its sender wants to be told of when it is deleted
 * unread (GX_MSGF_NRNPENDING), while it is still there; afterwards nobody is to be told of it any more. Also of those that go with
 * their folder, however that goes. Not in public stores, and not where the store is another process's. NULL ends it.
 */
GX_API void gx_txn_on_unread(struct gx_txn *t, gx_unread_cb cb, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
