/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_MSGSRC_H
#define GXSTORE_MSGSRC_H
/*
 * A stored message as a source of properties, computed and stored ones: sort keys, restrictions and
 * table columns ask it. The row is read when the first property is asked for, values held elsewhere
 * when they are.
 *
 * One source serves many messages, one after the other. What it gives is borrowed until another message is
 * set or the arena is reset.
 */
#include <gx/restr.h>
#include "libgxstore/message/msg-int.h"

struct gx_msgsrc {
	struct gx_propsrc src;      /* its ctx is this */
	struct gx_txn *t;
	struct gx_arena *a;         /* for all that is made of a message */
	struct gx_msg_row row;
	struct gx_stmt *st;         /* holds the body's row */
	struct gx_msg_view view;
	struct gx_bin props, rcpts, skel;
	struct gx_proplist stored;  /* what is in props, once all of it was asked for */
	bool loaded, unpacked, have_skel;
};

void gx_msgsrc__init(struct gx_msgsrc *x, struct gx_txn *t, struct gx_arena *a);
void gx_msgsrc__release(struct gx_msgsrc *x);
/* Goes on with another message. */
void gx_msgsrc__set(struct gx_msgsrc *x, const struct gx_msg_row *r);
/* The same by its id. GX_E_NOTFOUND. */
int gx_msgsrc__set_mid(struct gx_msgsrc *x, uint64_t mid) GX_MUST_CHECK;
/* The same, with its body's columns at hand; they live as long as the message is the source's. */
void gx_msgsrc__set_body(struct gx_msgsrc *x, const struct gx_msg_row *r, struct gx_bin props, struct gx_bin rcpts);
/* 1 present, 0 absent, or GX_E_*; by the rules of gx_proplist_get(). */
int gx_msgsrc__get(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* The same with body formats made of others: for columns and restrictions, not for keys that are kept. */
int gx_msgsrc__shown(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* All stored properties; large ones with GX_PROW_EXTERN in their tag. */
int gx_msgsrc__stored(struct gx_msgsrc *x, const struct gx_proplist **ret_l) GX_MUST_CHECK;

/* ---- Many messages, one after the other (msgscan.c) ---- */

/* Which messages: those of an order of that kind (order-int.h), or the deleted ones of a folder. */
enum { GX_SCAN_DELETED, GX_SCAN_NORMAL, GX_SCAN_FAI, GX_SCAN_FOUND, GX_SCAN_STORE };
struct gx_msgscan {
	struct gx_txn *t;
	struct gx_stmt *st;
	int kind;
	bool bodies;
};
/*
 * Those whose UID (id for FOUND and STORE) is above @above, ascending by it. A folder of DELETED: in no order. @bodies: what is
 * stored with them is read along; else it is looked up for who asks for it.
 */
void gx_msgscan__begin(struct gx_msgscan *s, struct gx_txn *t, int kind, uint64_t fid, uint64_t above, bool bodies);
/* Sets @x to the next message. What @x gives is borrowed until the next call. 1, 0 that was the last, GX_E_*. */
int gx_msgscan__next(struct gx_msgscan *s, struct gx_msgsrc *x) GX_MUST_CHECK;
/* Where it is: a UID or an id, as above. */
uint64_t gx_msgscan__at(const struct gx_msgscan *s, const struct gx_msgsrc *x);
void gx_msgscan__end(struct gx_msgscan *s);

#endif
