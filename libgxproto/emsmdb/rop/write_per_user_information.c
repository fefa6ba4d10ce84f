/* SPDX-License-Identifier: Apache-2.0 */
/* RopWritePerUserInformation, [MS-OXCSTOR] 2.2.1.13 and 3.2.5.13: pieces are kept until the last of them is there. */
#include <config.h>
#include "libgxproto/emsmdb/peruser.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec apply(struct gx_rop_call *c, struct gx_txn *t, const struct gx_ems_piece *x, const struct gx_idset *s)
{
	static const struct gx_globset none = GX_GLOBSET_INIT;
	const struct gx_guid *own = gx_store_replica(c->logon->store);
	const struct gx_globset *g = gx_idset_get_guid(s, own);
	const struct gx_peruser p = {x->folder.database_guid, x->folder.global_counter, x->database, {x->data.data, x->data.len}};
	if (!c->logon->is_public)
		return gx_peruser_set(t, &p);
	if (gx_guid_cmp(&x->folder.database_guid, own) != 0)
		return gx_rop__fail(c, ecNotFound, "the folder is of another store");
	return gx_reads_set(t, x->folder.global_counter, g == NULL ? &none : g);
}

static gx_ec finish(struct gx_rop_call *c, const struct gx_ems_piece *x)
{
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	struct gx_pull p;
	struct gx_txn *t;
	gx_pull_init(&p, x->data.data, x->data.len);
	int err = gx_idset_pull(&p, &s);
	gx_ec ec = err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : err != 0 ? gx_rop__fail(c, ecCorruptData, "that is no set of change numbers") : EMS_OK;
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, apply(c, t, x, &s));
	gx_idset_release(&s);
	return ec;
}

gx_ec gx_rop__write_per_user_information(struct gx_rop_call *c, const struct gx_rop_write_per_user_information_req *q, void *r)
{
	struct gx_ems_peruser *p;
	gx_ec ec = gx_ems__peruser(c, &p);
	(void)r;
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ems_piece *x = &p->in;
	if (!gx_ems__piece_is_of(x, &q->folder_id) || q->data_offset != x->data.len) {
		gx_ems__piece_end(x);
		if (q->data_offset != 0)
			return gx_rop__fail(c, ecError, "what comes before 0x%x is missing", (unsigned)q->data_offset);
	}
	if (q->data_offset == 0) {
		gx_ems__piece_begin(x, &q->folder_id);
		x->database = q->repl_guid;
	}
	gx_push_bytes(&x->data, q->data.data, q->data.len);
	if (x->data.err != 0)
		ec = x->data.err == GX_E_LIMIT ? gx_rop__fail(c, ecTooBig, "more than %u bytes", GX_PERUSER_SIZE_MAX) : GX_EC(ecMAPIOOM);
	else if (q->has_finished)
		ec = finish(c, x);
	if (gx_ec_failed(ec) || q->has_finished)
		gx_ems__piece_end(x);
	return ec;
}
