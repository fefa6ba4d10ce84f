/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetReceiveFolder, RopSetReceiveFolder and RopGetReceiveFolderTable, [MS-OXCSTOR] 2.2.1.2 to 2.2.1.4 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static bool has_receive_folders(const struct gx_rop_call *c)
{
	return gx_ems__logon(c->in) != NULL && !c->logon->is_public;
}

gx_ec gx_rop__get_receive_folder(struct gx_rop_call *c, const struct gx_rop_get_receive_folder_req *q, struct gx_rop_get_receive_folder_res *r)
{
	struct gx_txn *t;
	struct gx_receive f = {.cls = ""};
	r->explicit_message_class = "";
	if (!has_receive_folders(c))
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_receive_get(t, q->message_class, c->a, &f));
	r->folder_id = gx_eid_wire(f.fid);
	r->explicit_message_class = f.cls;
	return ec;
}

gx_ec gx_rop__set_receive_folder(struct gx_rop_call *c, const struct gx_rop_set_receive_folder_req *q, void *r)
{
	struct gx_txn *t;
	uint64_t fid = 0;
	(void)r;
	if (!has_receive_folders(c))
		return GX_EC(ecNotSupported);
	gx_ec ec = q->folder_id == 0 ? EMS_OK : gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_receive_set(t, q->message_class, fid));
}

gx_ec gx_rop__get_receive_folder_table(struct gx_rop_call *c, const void *q, struct gx_rop_get_receive_folder_table_res *r)
{
	static const gx_proptag_t tags[] = {PidTagFolderId, GX_PROP_RETYPE(PidTagMessageClass, PtypString8), PidTagLastModificationTime};
	static const struct gx_columns cols = {tags, 3};
	struct gx_txn *t;
	struct gx_receive *v = NULL;
	size_t n = 0;
	(void)q;
	if (!has_receive_folders(c))
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_receive_list(t, c->a, &v, &n));
	if (gx_ec_failed(ec))
		return ec;
	struct gx_proprow *rows = gx_arena_new_array(c->a, struct gx_proprow, n);
	struct gx_propval *pv = gx_arena_new_array(c->a, struct gx_propval, n * 3);
	if (rows == NULL || pv == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i) {
		pv[i * 3] = (struct gx_propval){tags[0], {.i64 = (int64_t)gx_eid_wire(v[i].fid)}};
		pv[i * 3 + 1] = (struct gx_propval){tags[1], {.str = v[i].cls}};
		pv[i * 3 + 2] = (struct gx_propval){tags[2], {.time = v[i].modified}};
		rows[i] = (struct gx_proprow){&pv[i * 3], 3};
	}
	c->x->custom = &cols;
	r->rows = rows;
	r->rows_count = (uint32_t)n;
	return EMS_OK;
}
