/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_MSG_INT_H
#define GXSTORE_MSG_INT_H
/* Properties of messages: what the packed row says, and what columns and rules say instead. */
#include "libgxstore/store-int.h"

/* [MS-OXCMSG] 2.2.1.6 */
enum {
	MSGFLAG_READ = 0x1, MSGFLAG_UNMODIFIED = 0x2, MSGFLAG_SUBMIT = 0x4, MSGFLAG_UNSENT = 0x8, MSGFLAG_HASATTACH = 0x10,
	MSGFLAG_FROMME = 0x20, MSGFLAG_FAI = 0x40, MSGFLAG_RESEND = 0x80, MSGFLAG_NOTIFYREAD = 0x100,
	MSGFLAG_NOTIFYUNREAD = 0x200, MSGFLAG_EVERREAD = 0x400,
};
/* [MS-OXCPRPT] 2.2.1.1 */
enum { MAPI_ACCESS_MODIFY = 1, MAPI_ACCESS_READ = 2, MAPI_ACCESS_DELETE = 4 };
/* [MS-OXOFLAG] 2.2.1.1, [MS-OXOMSG] 2.2.1.20 */
enum { followupComplete = 1, followupFlagged = 2, VERB_REPLY = 102, VERB_REPLYALL = 103, VERB_FORWARD = 104 };

/* A message whose properties are asked for. Lives on the caller's stack. */
struct gx_msg_view {
	struct gx_txn *t;
	struct gx_arena *a;
	const struct gx_msg_row *row;     /* mid 0: never saved, or inside of another message */
	const struct gx_proplist *stored; /* the packed row; values held elsewhere are marked */
	/* Recipients, read when the first display list is asked for. */
	int (*load_rcpts)(struct gx_msg_view *v, struct gx_proplist **ret_v, size_t *ret_n);
	void *ctx;                        /* for load_rcpts */
	struct gx_proplist *rcpts;
	size_t rcpt_count;
	bool have_rcpts;
};
/* A stored message; @stored is filled from its row, in @a. */
int gx_msg__view(struct gx_msg_view *ret_v, struct gx_txn *t, const struct gx_msg_row *r, struct gx_arena *a, struct gx_proplist *stored) GX_MUST_CHECK;
/* Has the property a rule of its own, so that the stored value does not count? */
bool gx_msg__is_computed(gx_proptag_t tag);
/* Does it follow from the message's row alone? Then what is stored with the body need not be read. */
bool gx_msg__is_by_row(gx_proptag_t tag);
/* Its value. @ret_pv->tag has the type that was found. GX_E_NOTFOUND, also when the type is not the one asked for. */
int gx_msg__computed(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* All of them that the message has, added to @l. */
int gx_msg__all_computed(struct gx_msg_view *v, struct gx_proplist *l) GX_MUST_CHECK;
/* A rule of its own file, for PidTagConversationId. */
int gx_msg__conversation(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv) GX_MUST_CHECK;
/* One property, computed or stored; stored ones may have GX_PROW_EXTERN in their tag. GX_E_NOTFOUND. */
int gx_msg__value(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* The same of one that is not computed, from the packed properties. */
int gx_msg__packed_value(struct gx_bin props, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* The stored value of that id, whatever its type and wherever it is held. NULL. */
const struct gx_propval *gx_prop__by_id(const struct gx_proplist *l, gx_proptag_t tag);

/* The packed row of a body as a list in @a; values held elsewhere keep their mark. */
int gx_body__stored(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/* Its recipients. */
int gx_body__rcpts(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;
int gx_rcpts__unpack(struct gx_bin blob, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* The one question of who has read what: 1 read, 0 not, or GX_E_*. In public stores it depends on the actor. */
int gx_msg__is_read(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
/* gx_msg_delete() and gx_msg_copy() for a search folder. */
gx_ec gx_msg__delete_found(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard) GX_MUST_CHECK;
gx_ec gx_msg__copy_found(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move,
	struct gx_msg_ids *ret_ids) GX_MUST_CHECK;
int gx_timer__forget(struct gx_txn *t, uint64_t mid) GX_MUST_CHECK;
/* ecQuotaExceeded when a message of @size bytes is more than the mailbox takes. */
gx_ec gx_msg__check_room(struct gx_txn *t, uint64_t size) GX_MUST_CHECK;
/* The same for the number of messages alone. */
gx_ec gx_msg__check_count(struct gx_txn *t, size_t n) GX_MUST_CHECK;
/* Id, change numbers and UID of a new message, as far as @o does not bring them. @r: flags are there. */
gx_ec gx_msg__take_numbers(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_insert_opts *o, struct gx_msg_row *r) GX_MUST_CHECK;
/* Column bits that the properties of a new message ask for. */
uint32_t gx_msg__flags_from_props(const struct gx_proplist *l);
/*
 * A body format that is missing, made of one that is there. @get: a stored property by tag, with its value.
 * GX_E_NOTFOUND when @tag is no body, none is there, or nobody here can convert it.
 */
struct gx_bodies {
	struct gx_store *s;
	int (*get)(void *ctx, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv);
	void *ctx;
	int32_t native;
};
bool gx_bodies__is_format(gx_proptag_t tag);
int gx_bodies__make(const struct gx_bodies *b, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* What the body formats that are there make of PidTagNativeBody. */
int32_t gx_msg__native_body(const struct gx_proplist *stored);

#endif
