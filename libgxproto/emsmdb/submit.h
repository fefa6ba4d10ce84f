/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_SUBMIT_H
#define GX_EMSMDB_SUBMIT_H
/* Sending a message that is open, [MS-OXOMSG] 3.2.5.1. */
#include "libgxproto/emsmdb/outbox.h"

enum {
	GX_SUBMIT_NOW = 1,           /* whatever the message says of its time */
	GX_SUBMIT_SPOOLER = 2,       /* a client sends it: into the spooler's queue */
};
/* Saves it, and sends it or lets it wait for its time. @ret_people: who sends it for whom, as properties; may be NULL. */
gx_ec gx_ems__submit(struct gx_rop_call *c, struct gx_ems_message *m, unsigned flags, struct gx_proplist *ret_people);
/* sender.c: who sends it for whom, from what @have says. Properties to be set go to @io_l. ecSendAsDenied. */
gx_ec gx_ems__sender(struct gx_rop_call *c, const struct gx_proplist *have, struct gx_proplist *io_l, const char **ret_from);
/* May the session's user send as the owner of the logon's mailbox? */
gx_ec gx_ems__sends_as(struct gx_rop_call *c, struct gx_txn *t, bool *ret_as);

/* PidTagSubmitFlags */
enum { GX_SUBMITFLAG_LOCKED = 1 };

#endif
