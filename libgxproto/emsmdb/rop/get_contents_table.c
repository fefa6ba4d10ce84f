/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetContentsTable, [MS-OXCFOLD] 2.2.1.14 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { ASSOCIATED = 0x02, DEFERRED_ERRORS = 0x08, NO_NOTIFICATIONS = 0x10, SOFT_DELETES = 0x20, USE_UNICODE = 0x40, CONVERSATION = 0x80 };

static uint32_t store_flags(uint8_t flags)
{
	return (flags & ASSOCIATED ? GX_TABLE_ASSOCIATED : 0U) | (flags & SOFT_DELETES ? GX_TABLE_DELETED : 0U) |
	       (flags & CONVERSATION ? GX_TABLE_CONVERSATIONS : 0U);
}

gx_ec gx_rop__get_contents_table(struct gx_rop_call *c, const struct gx_rop_get_contents_table_req *q,
	struct gx_rop_get_contents_table_res *r)
{
	struct gx_txn *t;
	struct gx_table *tb = NULL;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if (q->table_flags & ~(ASSOCIATED | DEFERRED_ERRORS | NO_NOTIFICATIONS | SOFT_DELETES | USE_UNICODE | CONVERSATION))
		return GX_EC(ecInvalidParam);
	o.fid = f->fid;
	o.flags = store_flags(q->table_flags);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_open_contents(t, &o, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_count(tb, t, &r->row_count);
	ec = gx_rop__end(c, t, ec);
	if (!gx_ec_failed(ec))
		return gx_ems__give_table(c, GX_EMS_CONTENTS, f->fid, o.flags, tb);
	gx_table_close(tb);
	return ec;
}
