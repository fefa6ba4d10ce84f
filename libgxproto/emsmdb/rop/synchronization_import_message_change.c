/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationImportMessageChange, [MS-OXCFXICS] 2.2.3.2.4.2 and 3.2.5.9.4.2 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { ASSOCIATED = 0x10, FAIL_ON_CONFLICT = 0x40 };

static gx_ec take_header(struct gx_rop_call *c, const struct gx_rop_synchronization_import_message_change_req *q, struct gx_ics_message *m)
{
	const struct gx_proplist *l = &q->property_values;
	const struct gx_propval *key = gx_proplist_get(l, PidTagSourceKey), *change = gx_proplist_get(l, PidTagChangeKey),
		*pcl = gx_proplist_get(l, PidTagPredecessorChangeList), *modified = gx_proplist_get(l, PidTagLastModificationTime);
	if (key == NULL || change == NULL || pcl == NULL || modified == NULL)
		return gx_rop__fail(c, ecInvalidParam, "a message change without its key, version or time");
	if (q->import_flag & ~(ASSOCIATED | FAIL_ON_CONFLICT))
		return gx_rop__fail(c, ecInvalidParam, "import flags %#x", q->import_flag);
	*m = (struct gx_ics_message)GX_ICS_MESSAGE_INIT;
	m->source_key = key->v.bin;
	m->version = (struct gx_ics_version){.change_key = change->v.bin, .pcl = pcl->v.bin, .modified = modified->v.time};
	m->fai = (q->import_flag & ASSOCIATED) != 0;
	m->fail_on_conflict = (q->import_flag & FAIL_ON_CONFLICT) != 0;
	return EMS_OK;
}

/* Empty: the client sends all that the message is to say. */
static gx_ec open_message(struct gx_txn *t, uint64_t fid, const struct gx_ics_message *m, const struct gx_ics_import *how, struct gx_inst **ret_inst)
{
	struct gx_inst_new_opts o = GX_INST_NEW_OPTS_INIT;
	if (how->how == GX_ICS_CREATE) {
		o.mid = how->mid;
		o.associated = m->fai;
		o.bare = true;
		return gx_inst_new(t, fid, &o, ret_inst);
	}
	gx_ec ec = gx_inst_open(t, fid, how->mid, GX_INST_WRITE, ret_inst);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_clear(*ret_inst);
	if (gx_ec_failed(ec))
		gx_inst_free(*ret_inst);
	return ec;
}

static gx_ec give(struct gx_rop_call *c, const struct gx_ems_collector *u, const struct gx_ics_message *m, const struct gx_ics_import *how,
	struct gx_inst *inst)
{
	struct gx_ems_import *import = gx_ems__import_new(u, m);
	if (import == NULL) {
		gx_inst_free(inst);
		return GX_EC(ecMAPIOOM);
	}
	gx_ec ec = gx_ems__give_message(c, u->fid, how->how == GX_ICS_CREATE ? 0 : how->mid, inst);
	if (gx_ec_failed(ec))
		free(import);
	else
		gx_ems__message(c->made)->import = import;
	return ec;
}

gx_ec gx_rop__synchronization_import_message_change(struct gx_rop_call *c, const struct gx_rop_synchronization_import_message_change_req *q,
	struct gx_rop_synchronization_import_message_change_res *r)
{
	struct gx_ems_collector *u = gx_ems__collector(c->in);
	struct gx_ics_message m;
	struct gx_ics_import how;
	struct gx_inst *inst;
	struct gx_txn *t;
	if (u == NULL || !u->contents)
		return GX_EC(ecNotSupported);
	gx_ec ec = take_header(c, q, &m);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_ics_check_message(t, u->fid, &m, c->a, &how);
	if (!gx_ec_failed(ec))
		ec = open_message(t, u->fid, &m, &how, &inst);
	ec = gx_rop__end(c, t, ec);
	r->message_id = 0; /* [MS-OXCFXICS] 2.2.3.2.4.2.2: always */
	return gx_ec_failed(ec) ? ec : give(c, u, &m, &how, inst);
}
