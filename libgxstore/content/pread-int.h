/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_PREAD_INT_H
#define GXSTORE_PREAD_INT_H
/* Read state, which in public stores each user has for himself (pread.c). */
#include "libgxstore/store-int.h"

/* Does the actor have a read state of his own in this store? */
bool gx_pread__personal(const struct gx_txn *t);
/* Is everything in it shown as read? */
bool gx_pread__all_read(const struct gx_store *s);
/* What rows of `pread` call a user. It lives as long as the transaction. */
int gx_pread__user(struct gx_txn *t, const char *user, const char **ret_key) GX_MUST_CHECK;
/* Read state and its change number, as the actor sees them. */
int gx_pread__get(struct gx_txn *t, const struct gx_msg_row *r, bool *ret_read, uint64_t *ret_rcn) GX_MUST_CHECK;
/* For an actor with a state of his own. @ret_rcn: of the change, or of the last one when there is nothing to change. */
int gx_pread__set(struct gx_txn *t, const struct gx_msg_row *r, bool read, uint64_t *ret_rcn) GX_MUST_CHECK;
/* The message leaves its folder, or the folder goes. */
int gx_pread__forget(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_pread__forget_folder(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* Unread messages of @user among @total. */
int gx_pread__unread(struct gx_txn *t, const char *user, uint64_t fid, uint64_t total, uint64_t *ret_n) GX_MUST_CHECK;

#endif
