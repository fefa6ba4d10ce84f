/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_RECEIPT_H
#define GX_EMSMDB_RECEIPT_H
/* Receipts that senders have asked for, [MS-OXOMSG] 2.2.2 and 3.2.5.2 */
#include "libgxproto/emsmdb/kinds.h"

struct gx_ems_receipt {
	struct gx_ems_receipt *next;
	const struct gx_msgobj *about;
	bool unread;                 /* it went without having been read */
};
/* One that is due for a message. */
gx_ec gx_ems__note_receipt(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, bool unread, struct gx_ems_receipt **io_list);
/* What is due when these messages of the folder are deleted now. */
gx_ec gx_ems__note_unread(struct gx_rop_call *c, struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct gx_ems_receipt **io_list);
/* gx_msg_set_read(), and what is due for it goes to the list. @ret_changed may be NULL. */
gx_ec gx_ems__set_read(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, uint8_t flags, struct gx_ems_receipt **io_list, bool *ret_changed);
/* Once the state is committed. What cannot be sent is not tried again, nobody waits for it; the log has why. */
void gx_ems__send_receipts(struct gx_rop_call *c, const struct gx_ems_receipt *list);

#endif
