/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/instance/inst-int.h"

/* Changes of stored messages in one go: each is an instance that is opened, changed and saved. */

static gx_ec save_and_free(struct gx_txn *t, struct gx_inst *i, gx_ec ec, struct gx_save_result *ret)
{
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, GX_SAVE_FORCE, ret);
	gx_inst_free(i);
	/* To an instance lack of memory is no harm; what was half of an operation must not be committed. */
	return gx_ec_is(ec, ecMAPIOOM) ? gx_txn__ec(t, GX_E_NOMEM) : ec;
}

static gx_ec open_for_change(struct gx_txn *t, uint64_t mid, struct gx_inst **ret_i)
{
	gx_ec ec = gx_txn__writable(t);
	return gx_ec_failed(ec) ? ec : gx_inst_open(t, 0, mid, GX_INST_WRITE | GX_INST_SOFTDELETED, ret_i);
}

gx_ec gx_msg_change_props(struct gx_txn *t, uint64_t mid, const struct gx_proplist *set, const gx_proptag_t *remove, size_t nremove,
	uint32_t flags, struct gx_arena *a, struct gx_problems *ret_problems)
{
	struct gx_inst *i;
	struct gx_problems p = {0}, q = {0};
	gx_ec ec = open_for_change(t, mid, &i);
	if (gx_ec_failed(ec))
		return ec;
	if (set != NULL)
		ec = gx_inst_set_props(i, set, flags, a, ret_problems == NULL ? NULL : &p);
	if (!gx_ec_failed(ec) && nremove > 0)
		ec = gx_inst_remove_props(i, remove, nremove, flags, a, ret_problems == NULL ? NULL : &q);
	int err = 0;
	for (size_t k = 0; !gx_ec_failed(ec) && err == 0 && k < q.count; k++)
		err = gx_problems__add(&p, a, q.v[k].index, q.v[k].tag, q.v[k].err);
	if (err != 0)
		ec = gx_txn__ec(t, err);
	ec = save_and_free(t, i, ec, NULL);
	if (!gx_ec_failed(ec) && ret_problems != NULL)
		*ret_problems = p;
	return ec;
}

gx_ec gx_msg_set_props(struct gx_txn *t, uint64_t mid, const struct gx_proplist *l)
{
	const struct gx_propval *time = gx_proplist_get(l, PidTagLastModificationTime);
	const struct gx_proplist one = {.v = (struct gx_propval *)(uintptr_t)time, .count = time != NULL, .cap = 1}; /* only read */
	struct gx_inst *i;
	gx_ec ec = open_for_change(t, mid, &i);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_set_props(i, l, 0, t->a, NULL);
	if (!gx_ec_failed(ec) && time != NULL)
		ec = gx_inst_set_props(i, &one, GX_SET_TRUSTED, t->a, NULL);
	return save_and_free(t, i, ec, NULL);
}

gx_ec gx_msg_set_status(struct gx_txn *t, uint64_t mid, uint32_t mask, uint32_t status, uint32_t *ret_old)
{
	const gx_proptag_t tag = PidTagMessageStatus;
	struct gx_proplist have, l = {0};
	struct gx_inst *i;
	gx_ec ec = open_for_change(t, mid, &i);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_get_props(t, i, &tag, 1, 0, t->a, &have);
	uint32_t old = gx_ec_failed(ec) ? 0 : (uint32_t)gx_proplist_i32(&have, tag, 0);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, gx_proplist_set_i32(&l, t->a, tag, (int32_t)((old & ~mask) | (status & mask))));
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &l, 0, t->a, NULL);
	i->quiet = true;
	ec = save_and_free(t, i, ec, NULL);
	if (!gx_ec_failed(ec) && ret_old != NULL)
		*ret_old = old;
	return ec;
}

gx_ec gx_msg_rcpts(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	struct gx_inst *i;
	gx_ec ec = gx_inst_open(t, 0, mid, GX_INST_READ | GX_INST_SOFTDELETED, &i);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_rcpts(i, 0, GX_INST_RCPTS_MAX, a, ret_v, ret_n);
	gx_inst_free(i);
	return ec;
}

/* ---- For reports ---- */

static gx_ec brief_names(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_msgobj *m)
{
	static const gx_proptag_t tags[] = {PidTagAttachLongFilename, PidTagAttachFilename, PidTagDisplayName, PidTagAttachNumber};
	struct gx_proplist *rows;
	size_t n;
	gx_ec ec = gx_inst_att_rows(t, i, tags, sizeof(tags) / sizeof(tags[0]), 0, INT32_MAX, a, &rows, &n);
	for (size_t k = 0; !gx_ec_failed(ec) && k < n; k++) {
		struct gx_attach *x = gx_msgobj_add_attach(m, a);
		if (x == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		x->props = rows[k];
	}
	return ec;
}

gx_ec gx_msg_brief(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m)
{
	/* [MS-OXOMSG] 2.2.2: what a report takes over from the message it is about. */
	static const gx_proptag_t tags[] = {
		PidTagMessageClass, PidTagSubject, PidTagSubjectPrefix, PidTagNormalizedSubject, PidTagSentRepresentingName,
		PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
		PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey, PidTagSenderName, PidTagSenderSmtpAddress,
		PidTagReadReceiptName, PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress,
		PidTagReadReceiptEntryId, PidTagReadReceiptRequested, PidTagNonReceiptNotificationRequested, PidTagMessageFlags,
		PidTagClientSubmitTime, PidTagMessageDeliveryTime, PidTagCreationTime, PidTagMessageSize, PidTagImportance, PidTagPriority,
		PidTagSensitivity, PidTagInternetMessageId, PidTagInternetReferences, PidTagConversationTopic, PidTagConversationIndex,
		PidTagSearchKey, PidTagDisplayTo, PidTagDisplayCc,
	};
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_inst *i;
	if (m == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	gx_ec ec = gx_inst_open(t, 0, mid, GX_INST_READ | GX_INST_SOFTDELETED, &i);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_get_props(t, i, tags, sizeof(tags) / sizeof(tags[0]), 0, a, &m->props);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpts(i, 0, GX_INST_RCPTS_MAX, a, &m->rcpts, &m->rcpt_count);
	if (!gx_ec_failed(ec))
		ec = brief_names(t, i, a, m);
	gx_inst_free(i);
	if (!gx_ec_failed(ec))
		*ret_m = m;
	return ec;
}

/* ---- Whole messages ---- */

static gx_ec open_or_new(struct gx_txn *t, uint64_t fid, uint64_t mid, const struct gx_msg_write_opts *o, struct gx_inst **ret_i)
{
	struct gx_inst_new_opts n = GX_INST_NEW_OPTS_INIT;
	struct gx_msg_row r;
	int err = mid == 0 ? GX_E_NOTFOUND : gx_msg__row(t, mid, &r);
	if (err != 0 && err != GX_E_NOTFOUND)
		return gx_txn__ec(t, err);
	n.mid = mid;
	n.associated = o->associated;
	n.bare = true;
	if (err != 0)
		return gx_inst_new(t, fid, &n, ret_i);
	if (r.fid != fid)
		return gx_txn__fail(t, ecDuplicateObject, "message %llx is in folder %llx", (unsigned long long)mid, (unsigned long long)r.fid);
	gx_ec ec = gx_inst_open(t, fid, mid, GX_INST_WRITE | GX_INST_SOFTDELETED, ret_i);
	return gx_ec_failed(ec) ? ec : gx_inst_clear(*ret_i);
}

gx_ec gx_msg_write(struct gx_txn *t, uint64_t fid, const struct gx_msgobj *m, const struct gx_msg_write_opts *o, struct gx_msg_ids *ret_ids)
{
	static const struct gx_msg_write_opts none = GX_MSG_WRITE_OPTS_INIT;
	const struct gx_propval *id = gx_proplist_get(&m->props, PidTagMid);
	struct gx_save_result res;
	struct gx_inst *i;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	o = o == NULL ? &none : o;
	ec = open_or_new(t, fid, o->mid != 0 ? o->mid : id == NULL ? 0 : (uint64_t)id->v.i64, o, &i);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_write(t, i, m, GX_WRITE_FORCE | GX_WRITE_TRUSTED, t->a, NULL, NULL);
	if (o->mid != 0) /* whatever the properties say */
		i->new_mid = o->mid;
	if (i->is_new)
		i->row.flags |= o->flags & GX_MSGF_IMAP;
	ec = save_and_free(t, i, ec, &res);
	if (!gx_ec_failed(ec) && ret_ids != NULL)
		*ret_ids = (struct gx_msg_ids){.mid = res.mid, .cn = res.cn, .uid = res.uid};
	return ec;
}
