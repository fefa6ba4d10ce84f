/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_OUTBOX_H
#define GX_EMSMDB_OUTBOX_H
/*
 * Mail that is on its way out: submitted, not yet handed over. Each has a file in submit_dir that is there, safely, before the message
 * is marked as submitted, and until after it has been dealt with. So nothing that a client was told is submitted is forgotten, and
 * what was handed over in vain for a while is tried again under the same id.
 */
#include "libgxproto/emsmdb/kinds.h"

enum { GX_OUTBOX_ID = 16, GX_OUTBOX_DAYS = 5 /* that a mail is tried */ };

struct gx_ems_entry {
	struct gx_ems_entry *next;
	struct gx_guid mailbox;      /* with mid: the message; there is one entry of it */
	uint64_t mid;
	uint8_t id[GX_OUTBOX_ID];    /* of the delivery */
	int64_t due;                 /* seconds since 1970 */
	int64_t submitted, again;    /* when it came, and when it is tried next */
	unsigned tries;
	bool busy;                   /* somebody works with it */
	char *maildir, *from;        /* sender of the envelope */
	char *done;                  /* recipients that are dealt with, each with a zero behind it; NULL: none */
	size_t done_len;
	bool warned;                 /* the sender knows that it takes long */
};

/* Reads what an earlier process has left. */
int gx_outbox__open(struct gx_ems *e) GX_MUST_CHECK;
void gx_outbox__close(struct gx_ems *e);
/* A copy of @x, busy. GX_E_EXISTS: the message is on its way already. */
int gx_outbox__put(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_ems_entry **ret_x) GX_MUST_CHECK;
/* The entry of a message, busy now; NULL when there is none, or somebody works with it: @ret_busy. */
struct gx_ems_entry *gx_outbox__take(struct gx_ems *e, const struct gx_guid *mailbox, uint64_t mid, bool *ret_busy);
/* No longer busy; tried at @again. */
void gx_outbox__keep(struct gx_ems *e, struct gx_ems_entry *x, int64_t again);
/* Notes what happened to a busy entry: these recipients are dealt with, the sender may have been warned. */
int gx_outbox__note(struct gx_ems *e, struct gx_ems_entry *x, const char *const *rcpts, size_t n, bool warned) GX_MUST_CHECK;
bool gx_outbox__is_done(const struct gx_ems_entry *x, const char *rcpt);
/* It is dealt with. */
void gx_outbox__drop(struct gx_ems *e, struct gx_ems_entry *x);

/* Tries to send it now; what cannot be sent yet stays, and that is no failure. What never can is a draft again. The entry is dealt with. */
gx_ec gx_outbox__attempt(struct gx_ems *e, struct gx_ems_entry *x);

/* send.c: hands a message over, tells its sender whom it did not reach, and then puts it where it belongs. ecNotFound: it is not to be sent any more. */
gx_ec gx_ems__send(struct gx_ems *e, struct gx_ems_entry *x, struct gx_arena *a);
/* Such a failure will not pass by waiting. */
bool gx_ems__is_final(gx_ec ec);
/* Where a message belongs that was sent: deleted, or in the folder for sent mail. [MS-OXOMSG] 3.2.5.1 */
gx_ec gx_ems__finish(struct gx_txn *t, uint64_t mid, struct gx_arena *a);

#endif
