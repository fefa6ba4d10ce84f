/* SPDX-License-Identifier: Apache-2.0 */
/* RopSaveChangesMessage, [MS-OXCMSG] 2.2.3.3 and 3.2.5.3 */
#include <config.h>
#include <gx/charset.h>
#include <gx/rules.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { AROUND = 64 }; /* what may count besides the bytes */
enum { KEEP_OPEN_READ_ONLY = 0x01, KEEP_OPEN_READ_WRITE = 0x02, FORCE_SAVE = 0x04 };

static gx_ec room_for_rule(struct gx_rop_call *c, struct gx_txn *t, uint64_t fid)
{
	size_t n, most;
	gx_ec ec = gx_rules_extended(t, fid, &n, &most);
	if (gx_ec_failed(ec) || n < most)
		return ec;
	return gx_rop__fail(c, ecMAPIOOM, "a folder has at most %zu extended rules (max_ext_rule_number)", most);
}

/* [MS-OXORULE] 2.2.4.1.10: conditions and actions have a limit that the store tells, PidTagExtendedRuleSizeLimit. */
static gx_ec check_rule(struct gx_rop_call *c, struct gx_inst *inst)
{
	static const gx_proptag_t tags[] = {PidTagMessageClass, PidTagExtendedRuleMessageCondition, PidTagExtendedRuleMessageActions};
	uint32_t most = gx_rop__ext_rule_max(c);
	struct gx_inst_info i;
	struct gx_proplist l = {0};
	struct gx_txn *t;
	gx_inst_info(inst, &i);
	gx_ec ec = !i.associated ? EMS_OK : gx_rop__read(c, &t);
	if (!i.associated || gx_ec_failed(ec))
		return ec;
	ec = gx_inst_get_props(t, inst, tags, 3, most + AROUND, c->a, &l);
	bool is_rule = !gx_ec_failed(ec) && gx_ascii_casecmp(gx_proplist_str(&l, PidTagMessageClass, ""), "IPM.ExtendedRule.Message") == 0;
	if (is_rule && i.is_new)
		ec = room_for_rule(c, t, i.fid);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec) || !is_rule)
		return ec;
	for (size_t k = 1; k < 3; ++k) {
		const struct gx_propval *v = gx_proplist_get(&l, tags[k]), *none = gx_proplist_get(&l, GX_PROP_RETYPE(tags[k], PtypErrorCode));
		if ((v != NULL && v->v.bin.len > most) || (none != NULL && none->v.err == ecMAPIOOM))
			return gx_rop__fail(c, ecTooBig, "conditions or actions of more than %u bytes (max_ext_rule_length)", (unsigned)most);
	}
	return EMS_OK;
}

static gx_ec prepare(struct gx_rop_call *c, struct gx_inst *inst)
{
	uint64_t size = gx_inst_size(inst), most = gx_rop__object_max(c);
	if (size > most)
		return gx_rop__fail(c, ecTooBig, "%llu bytes, more than %llu (mail_max_length)", (unsigned long long)size, (unsigned long long)most);
	gx_ec ec = check_rule(c, inst);
	return gx_ec_failed(ec) ? ec : gx_ec_from_err(gx_inst_prepare(inst)); /* packs before the writer is taken */
}

gx_ec gx_rop__save_changes_message(struct gx_rop_call *c, const struct gx_rop_save_changes_message_req *q,
	struct gx_rop_save_changes_message_res *r)
{
	struct gx_txn *t;
	struct gx_save_result s = {0};
	struct gx_ems_message *m = gx_ems__message(c->in);
	uint8_t mode = q->save_flags & (KEEP_OPEN_READ_ONLY | KEEP_OPEN_READ_WRITE);
	if (m == NULL)
		return GX_EC(ecNullObject);
	uint32_t flags = (q->save_flags & FORCE_SAVE ? GX_SAVE_FORCE : 0U) | (mode == KEEP_OPEN_READ_ONLY ? GX_SAVE_READONLY : 0U);
	gx_ec ec = prepare(c, m->inst);
	if (!gx_ec_failed(ec) && m->import != NULL) {
		ec = gx_ems__import_save(c, m, &s);
	} else if (!gx_ec_failed(ec)) {
		ec = gx_rop__write(c, &t);
		if (!gx_ec_failed(ec))
			ec = gx_rop__end(c, t, gx_inst_save(t, m->inst, flags, &s));
	}
	if (gx_ec_failed(ec))
		return ec;
	m->mid = s.mid; /* of a message in an attachment 0 */
	r->input_handle_index = c->in_index;
	r->message_id = s.mid == 0 ? gx_ems__embedded_id(m->inst) : gx_eid_wire(s.mid);
	return EMS_OK;
}
