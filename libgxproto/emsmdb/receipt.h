/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_RECEIPT_H
#define GX_EMSMDB_RECEIPT_H
/* Receipts that senders have asked for, [MS-OXOMSG] 2.2.2 and 3.2.5.2 */
#include "libgxproto/emsmdb/owed.h"

/* gx_msg_set_read(), and what is due for it is owed. @ret_changed may be NULL. */
gx_ec gx_ems__set_read(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, uint8_t flags, struct gx_ems_owing *o, bool *ret_changed);
/* Is due for a message. What cannot be made, or has nobody to go to, is not sent; the log has why. */
gx_ec gx_ems__owe_receipt(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, bool unread, struct gx_ems_owing *o);
/* For the rest of the transaction: what goes without having been read. Lives as long as it. */
struct gx_ems_unread {
	struct gx_rop_call *c;
	struct gx_ems_owing *o;
};
void gx_ems__watch_unread(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, struct gx_ems_unread *ret_w);

#endif
