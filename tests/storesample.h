/* SPDX-License-Identifier: Apache-2.0 */
/* The sample stores, and what they say, in parts. */
#ifndef GX_TESTS_STORESAMPLE_H
#define GX_TESTS_STORESAMPLE_H
#include <gx/store.h>

/* What came with versions 2 and 3 of the schema; @fid, @mids: some folder, and messages of the inbox. */
gx_ec sample_more_private(struct gx_txn *t, struct gx_arena *a, uint64_t fid, const uint64_t *mids);
gx_ec sample_more_public(struct gx_txn *t, struct gx_arena *a, uint64_t fid);
/* As somebody who reads there. */
gx_ec sample_read_public(struct gx_txn *t, uint64_t mid);

/* Prints it, as far as there is any. GX_E_* */
int dump_more_store(struct gx_txn *t, struct gx_arena *a);
int dump_more_folder(struct gx_txn *t, struct gx_arena *a, const struct gx_folder_info *f);
int dump_more_message(struct gx_txn *t, struct gx_arena *a, uint64_t mid);
#endif
