/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_KINDS_H
#define GX_EMSMDB_KINDS_H
/* Kinds of object that handles stand for, and how operations get at them: NULL when it is another one. */
#include <gx/entryid.h>
#include <gx/table.h>
#include "libgxproto/emsmdb/emsmdb-int.h"

struct gx_ems_folder {
	struct gx_ems_obj obj;
	uint64_t fid;                /* plain */
	bool deleted;                /* softly */
};

enum { GX_EMS_HIERARCHY, GX_EMS_CONTENTS };
struct gx_ems_table {
	struct gx_ems_obj obj;
	int what;
	uint64_t fid;
	struct gx_table *tb;
	gx_proptag_t *cols;          /* malloc'd; NULL: not set yet */
	uint32_t col_count;
	uint32_t pos;                /* cursor */
};

struct gx_ems_logon *gx_ems__logon(struct gx_ems_obj *o);
struct gx_ems_folder *gx_ems__folder(struct gx_ems_obj *o);
struct gx_ems_table *gx_ems__table(struct gx_ems_obj *o);

/* Made and given to the session as the answer's object. */
gx_ec gx_ems__give_folder(struct gx_rop_call *c, uint64_t fid, bool deleted);
gx_ec gx_ems__give_table(struct gx_rop_call *c, int what, uint64_t fid, struct gx_table *tb);
/* Opens the mailbox and gives the logon. */
gx_ec gx_ems__give_logon(struct gx_rop_call *c, const char *mailbox, const char *maildir, bool own);

/* An id that was sent: ecNotFound for those of other replicas. */
gx_ec gx_ems__plain(struct gx_rop_call *c, uint64_t id, uint64_t *ret_plain);
/* Makes ids among the store's values those that are sent. */
void gx_ems__send_ids(struct gx_propval *v, size_t n);

#endif
