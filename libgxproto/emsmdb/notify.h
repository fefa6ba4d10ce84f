/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_NOTIFY_H
#define GX_EMSMDB_NOTIFY_H
/* Subscriptions, tables that tell of themselves, and how both are told in an answer. */
#include "libgxproto/emsmdb/kinds.h"

/* NotificationTypes, [MS-OXCNOTIF] 2.2.1.2.1.1, and what stands beside them in NotificationFlags, 2.2.1.4.1.2 */
enum {
	GX_FN_NEW_MAIL = 0x0002, GX_FN_CREATED = 0x0004, GX_FN_DELETED = 0x0008, GX_FN_MODIFIED = 0x0010, GX_FN_MOVED = 0x0020,
	GX_FN_COPIED = 0x0040, GX_FN_SEARCH_COMPLETE = 0x0080, GX_FN_TABLE_MODIFIED = 0x0100, GX_FN_EXTENDED = 0x0400,
	GX_FN_HAS_TOTAL = 0x1000, GX_FN_HAS_UNREAD = 0x2000, GX_FN_IN_SEARCH = 0x4000, GX_FN_OF_MESSAGE = 0x8000,
};
/* One of those above for a GX_EV_*. */
uint16_t gx_notify__type(uint32_t ev);

/* Events of the store of the operation's logon that its actor may know of; the answer's object. */
gx_ec gx_notify__subscribe(struct gx_rop_call *c, uint16_t types, bool whole_store, uint64_t fid, uint64_t mid);
/* After an operation: a table that has been looked at tells of its changes from now on, [MS-OXCNOTIF] 3.1.4.3. If that cannot be
 * had now it is tried again with the next look. */
void gx_notify__looked_at(struct gx_rop_call *c);
/* Appends what is to be told to the answers, of at most @most bytes; RopPending when not all has room. */
void gx_notify__append(struct gx_ems_session *s, struct gx_arena *a, struct gx_push *out, size_t most);

#endif
