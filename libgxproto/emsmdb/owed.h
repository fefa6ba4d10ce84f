/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_OWED_H
#define GX_EMSMDB_OWED_H
/*
 * What has to be told to others because of what a client does: receipts, and that a message is in conflict. It is noted in the
 * transaction that is the reason for it, and handed over afterwards under an id of its own. A file in submit_dir, which is there
 * before the transaction ends, says that there is something: so it is told at least once whatever happens to the process, and no
 * mailbox gets it twice.
 */
#include "libgxproto/emsmdb/outbox.h"

struct gx_ems_owing {
	struct gx_ems_entry *entry;  /* NULL: nothing */
	uint32_t n;
};
/* A mail without a sender, in a write transaction of the call's store. */
gx_ec gx_ems__owe_mail(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, const char *to, struct gx_bin mail);
/* That a message of a public folder is in conflict, [MS-OXCFXICS] 3.1.5.6.3.1. */
gx_ec gx_ems__owe_conflict(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, uint64_t mid);
/* gx_rop__end(), and hands over what is owed then. What cannot be handed over now is tried again later. */
gx_ec gx_ems__end_owing(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, gx_ec ec);

/* Is the entry one of such notes? */
bool gx_ems__is_owed(const struct gx_ems_entry *x);
/* Hands some of its notes over. @late: for the last time. @ret_more: go on at once. */
gx_ec gx_ems__pay(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_arena *a, bool late, bool *ret_more);
/* conflict.c: puts the notice into the mailboxes of those who care for the folder. */
int gx_ems__tell_conflict(struct gx_ems *e, struct gx_store *s, uint64_t mid, const uint8_t *id, struct gx_arena *a);

#endif
