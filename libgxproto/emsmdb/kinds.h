/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_KINDS_H
#define GX_EMSMDB_KINDS_H
/* Kinds of object that handles stand for, and how operations get at them: NULL when it is another one. */
#include <gx/entryid.h>
#include <gx/instance.h>
#include <gx/table.h>
#include "libgxproto/emsmdb/emsmdb-int.h"

struct gx_ems_folder {
	struct gx_ems_obj obj;
	uint64_t fid;                /* plain */
	bool deleted;                /* softly */
};

struct gx_ems_message {
	struct gx_ems_obj obj;
	struct gx_inst *inst;
	uint64_t fid, mid;           /* mid 0: not saved yet */
	struct gx_ems_import *import; /* a change that a client brings, see sync.h; NULL: none */
	gx_proptag_t *rcpt_cols;     /* malloc'd: columns of recipients that the client knows; NULL: none was told */
	uint32_t rcpt_col_count;
};

/* Where to count from, [MS-OXCTABL] 2.2.1.1 */
enum { GX_EMS_BEGINNING = 0, GX_EMS_CURRENT = 1, GX_EMS_END = 2 };
enum { GX_EMS_HIERARCHY, GX_EMS_CONTENTS, GX_EMS_PERMISSIONS, GX_EMS_RULES, GX_EMS_ATTACHMENTS };
struct gx_ems_table {
	struct gx_ems_obj obj;
	int what;
	uint64_t fid;
	uint32_t flags;              /* GX_TABLE_* */
	struct gx_table *tb;
	struct gx_inst *inst;        /* attachments: of this message */
	struct gx_arena *restr_a, *sort_a; /* have the two below */
	const struct gx_restr *restr;
	const struct gx_sortset *sort;
	gx_proptag_t *cols;          /* malloc'd; NULL: not set yet */
	uint32_t col_count;
	uint32_t pos;                /* cursor */
	bool tells, not_own;         /* of its changes, once it was looked at; but not of the session's own */
	struct gx_ems_watch watch;
};

struct gx_ems_logon *gx_ems__logon(struct gx_ems_obj *o);
struct gx_ems_folder *gx_ems__folder(struct gx_ems_obj *o);
struct gx_ems_message *gx_ems__message(struct gx_ems_obj *o);
struct gx_ems_table *gx_ems__table(struct gx_ems_obj *o);

/* Made and given to the session as the answer's object. */
gx_ec gx_ems__give_folder(struct gx_rop_call *c, uint64_t fid, bool deleted);
gx_ec gx_ems__give_message(struct gx_rop_call *c, uint64_t fid, uint64_t mid, struct gx_inst *inst);
/* Without rows; its own until it is given. */
struct gx_ems_table *gx_ems__table_new(int what, uint64_t fid, uint32_t flags);
/* tables.c: a table of the folder that the operation is for, with GX_TABLE_* @flags; it is the answer's object. Tells of changes; @not_own: not of the session's. */
gx_ec gx_ems__give_table(struct gx_rop_call *c, int what, uint32_t flags, bool tells, bool not_own, uint32_t *ret_rows);
/* The same of a table without rows, which it takes. */
gx_ec gx_ems__give_new_table(struct gx_rop_call *c, struct gx_ems_table *tb, uint32_t *ret_rows);
/* The table anew, with another restriction and order, which it keeps; the cursor goes to the beginning. */
gx_ec gx_ems__reopen_table(struct gx_rop_call *c, struct gx_ems_table *tb, const struct gx_restr *r, const struct gx_sortset *s);
gx_ec gx_ems__origin(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, uint8_t origin, uint32_t *ret_pos);
/* Puts the cursor so many rows away, or as far as it goes: then @ret_less. */
gx_ec gx_ems__move(struct gx_ems_table *tb, struct gx_txn *t, uint32_t from, int32_t by, bool *ret_less, int32_t *ret_moved);
/* How many of the rows have room in the answer; their ids become those that are sent. @io_used: bytes of the answer. */
size_t gx_ems__fit_rows(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_table_row *v, size_t n, size_t *io_used);
/* Bookmarks and collapse states are numbers of the store, to clients bytes. */
gx_ec gx_ems__bookmark(struct gx_rop_call *c, struct gx_bin b, uint32_t *ret_bm);
gx_ec gx_ems__put_number(struct gx_rop_call *c, uint32_t n, struct gx_bin *ret_b);
/* Opens the mailbox and gives the logon. */
gx_ec gx_ems__give_logon(struct gx_rop_call *c, const char *mailbox, const char *maildir, bool own);

/* As answers have them; @return @ec, which is no failure. */
gx_ec gx_ems__tell_problems(struct gx_rop_call *c, const struct gx_problems *p, gx_ec ec, const struct gx_property_problem **ret_v,
	uint32_t *ret_n);
extern const struct gx_ems_props gx_ems__logon_props, gx_ems__folder_props, gx_ems__message_props; /* props.c */

/* Recipients of a message, each as a recipient_row (recipients.c). */
struct gx_ems_rcpts {
	struct gx_columns cols;
	struct gx_bin *rows;
	uint8_t *types;              /* PidTagRecipientType */
	uint32_t *row_ids;
	uint32_t count;              /* of rows: those that the room took */
	size_t total;                /* that the message has */
};
/* Those from @row_id on, with columns @cols or, NULL, all that they have; at most @most, that fit into @room bytes with @each bytes more for each. */
gx_ec gx_ems__recipients(struct gx_rop_call *c, struct gx_inst *inst, const struct gx_columns *cols, uint32_t row_id, size_t most,
	size_t room, size_t each, struct gx_ems_rcpts *ret_r);
/* What the client knows from now on. */
gx_ec gx_ems__keep_columns(struct gx_ems_message *m, const struct gx_columns *cols);
/* What a row says, of a recipient that is not to go. */
gx_ec gx_ems__recipient_props(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_modify_recipient_row *row,
	struct gx_proplist *ret_l);

/* An id that was sent: ecNotFound for those of other replicas. */
gx_ec gx_ems__plain(struct gx_rop_call *c, uint64_t id, uint64_t *ret_plain);
gx_ec gx_ems__plain_list(struct gx_rop_call *c, const uint64_t *ids, size_t n, const uint64_t **ret_plain);
/* Makes ids among the store's values, also in restrictions, those that are sent. A restriction that memory is missing for becomes an error. */
void gx_ems__send_ids(struct gx_arena *a, struct gx_propval *v, size_t n);
/* A restriction that was sent, as the store has it: with plain ids. NULL stays NULL. */
gx_ec gx_ems__plain_restr(struct gx_rop_call *c, const struct gx_restr *r, const struct gx_restr **ret_r);

#endif
