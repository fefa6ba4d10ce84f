/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/instance/inst-int.h"

/* Recipients and attachments of instances, and what is opened from them. */

/* ---- Recipients ---- */

static gx_ec rcpt_ec(int err)
{
	return err == GX_E_LIMIT ? GX_EC(ecTooManyRecips) : gx_ec_from_err(err);
}

gx_ec gx_inst_set_rcpts(struct gx_inst *i, const struct gx_proplist *rows, size_t n)
{
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable_msg(i);
	if (!gx_ec_failed(ec)) {
		ec = rcpt_ec(gx_imsg__set_rcpts(i->msg, rows, n, false));
		gx_inst__touch(i, GX_IDIRTY_RCPTS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock(i);
	return ec;
}

gx_ec gx_inst_clear_rcpts(struct gx_inst *i)
{
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable_msg(i);
	if (!gx_ec_failed(ec)) {
		ec = rcpt_ec(gx_imsg__set_rcpts(i->msg, NULL, 0, true));
		gx_inst__touch(i, GX_IDIRTY_RCPTS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock(i);
	return ec;
}

static int share_rcpts(struct gx_imsg *dst, const struct gx_imsg *src)
{
	struct gx_ircpt *v = malloc((src->nrcpts == 0 ? 1 : src->nrcpts) * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t k = 0; k < src->nrcpts; k++) {
		v[k] = src->rcpts[k];
		gx_ibuf__ref(v[k].buf);
	}
	int err = gx_imsg__set_rcpts(dst, NULL, 0, true);
	free(dst->rcpts);
	dst->rcpts = v;
	dst->nrcpts = dst->rcpt_cap = src->nrcpts;
	return err;
}

gx_ec gx_inst_copy_rcpts(struct gx_inst *src, struct gx_inst *dst, bool force, bool *ret_done)
{
	gx_inst__lock2(src, dst);
	gx_ec ec = gx_inst__is_msg(src) ? gx_inst__writable_msg(dst) : GX_EC(ecInvalidObject);
	bool done = !gx_ec_failed(ec) && (force || dst->msg->nrcpts == 0);
	if (done && src != dst) {
		ec = gx_ec_from_err(share_rcpts(dst->msg, src->msg));
		gx_inst__touch(dst, GX_IDIRTY_RCPTS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock2(src, dst);
	if (!gx_ec_failed(ec))
		*ret_done = done;
	return ec;
}

/* ---- Attachments ---- */

gx_ec gx_inst__with_atts(struct gx_txn *t, struct gx_inst *i)
{
	if (!gx_inst__is_msg(i))
		return GX_EC(ecInvalidObject);
	return gx_inst__ec(t, i->tree->s != t->s ? GX_E_INVAL : gx_imsg__load_atts(t, i->msg));
}

static gx_ec ready_to_change(struct gx_txn *t, struct gx_inst *i)
{
	gx_ec ec = gx_inst__writable_msg(i);
	return gx_ec_failed(ec) ? ec : gx_inst__with_atts(t, i);
}

gx_ec gx_inst_att_open(struct gx_txn *t, struct gx_inst *i, uint32_t num, uint32_t flags, struct gx_inst **ret_att)
{
	struct gx_inst *x = NULL;
	gx_inst__lock(i);
	gx_ec ec = gx_inst__with_atts(t, i);
	struct gx_iatt **at = gx_ec_failed(ec) ? NULL : gx_imsg__att(i->msg, num);
	if (!gx_ec_failed(ec) && at == NULL)
		ec = gx_txn__fail(t, ecNotFound, "no attachment %u", num);
	else if (!gx_ec_failed(ec) && (flags & GX_INST_WRITE) && !i->writable)
		ec = gx_txn__fail(t, ecAccessDenied, "the message may only be read");
	if (!gx_ec_failed(ec)) {
		x = gx_inst__make(NULL, i, GX_INST_ATTACHMENT);
		int err = x == NULL ? GX_E_NOMEM : gx_iatt__clone(*at, &x->att);
		ec = gx_inst__ec(t, err);
	}
	if (gx_ec_failed(ec) && x != NULL) {
		gx_inst__unref(x); /* gives the lock back */
		return ec;
	}
	if (x != NULL)
		x->writable = i->writable && (flags & (GX_INST_WRITE | GX_INST_BEST));
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec))
		*ret_att = x;
	return ec;
}

/* [MS-OXCMSG] 3.2.5.12 */
static int att_defaults(struct gx_txn *t, struct gx_iatt *x, struct gx_iacct *c)
{
	const union gx_value position = {.i32 = -1}, now = {.time = gx_store__now(t->s)};
	int err = gx_iprops__set(&x->props, c, PidTagRenderingPosition, &position);
	if (err == 0)
		err = gx_iprops__set(&x->props, c, PidTagCreationTime, &now);
	return err != 0 ? err : gx_iprops__set(&x->props, c, PidTagLastModificationTime, &now);
}

static int att_make(struct gx_txn *t, struct gx_inst *i, struct gx_inst **ret_x)
{
	struct gx_inst *x = gx_inst__make(NULL, i, GX_INST_ATTACHMENT);
	if (x == NULL)
		return GX_E_NOMEM;
	*ret_x = x;
	x->att = gx_iatt__new(i->msg->next_num);
	if (x->att == NULL)
		return GX_E_NOMEM;
	x->is_new = x->writable = x->changed = true;
	i->msg->next_num++; /* also when it is never saved: nobody else gets the number */
	return att_defaults(t, x->att, i->tree->acct);
}

gx_ec gx_inst_att_new(struct gx_txn *t, struct gx_inst *i, uint32_t *ret_num, struct gx_inst **ret_att)
{
	struct gx_inst *x = NULL;
	gx_inst__lock(i);
	gx_ec ec = ready_to_change(t, i);
	if (!gx_ec_failed(ec) && (i->msg->natts >= GX_INST_ATTS_MAX || i->msg->next_num == UINT32_MAX))
		ec = gx_txn__fail(t, ecMaxAttachmentExceeded, "a message has at most %u attachments", GX_INST_ATTS_MAX);
	if (!gx_ec_failed(ec))
		ec = gx_inst__ec(t, att_make(t, i, &x));
	if (gx_ec_failed(ec) && x != NULL) {
		gx_inst__unref(x);
		return ec;
	}
	if (!gx_ec_failed(ec))
		*ret_num = x->att->num;
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec))
		*ret_att = x;
	return ec;
}

static void take_out(struct gx_imsg *m, struct gx_iatt **at)
{
	size_t k = (size_t)(at - m->atts);
	gx_iatt__unref(*at);
	m->natts--;
	for (; k < m->natts; k++)
		m->atts[k] = m->atts[k + 1];
}

gx_ec gx_inst_att_delete(struct gx_txn *t, struct gx_inst *i, uint32_t num)
{
	gx_inst__lock(i);
	gx_ec ec = ready_to_change(t, i);
	struct gx_iatt **at = gx_ec_failed(ec) ? NULL : gx_imsg__att(i->msg, num);
	if (at != NULL) {
		take_out(i->msg, at);
		gx_inst__touch(i, GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	} else if (!gx_ec_failed(ec)) {
		ec = gx_txn__fail(t, ecNotFound, "no attachment %u", num);
	}
	gx_inst__unlock(i);
	return ec;
}

gx_ec gx_inst_clear_atts(struct gx_txn *t, struct gx_inst *i)
{
	gx_inst__lock(i);
	gx_ec ec = ready_to_change(t, i);
	if (!gx_ec_failed(ec) && i->msg->natts > 0) {
		gx_imsg__drop_atts(i->msg);
		gx_inst__touch(i, GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock(i);
	return ec;
}

/* What two trees share must be complete: it is read under either lock. */
static int complete(struct gx_txn *t, struct gx_imsg *m)
{
	ZSTD_CCtx *cctx = NULL;
	int err = gx_imsg__load_all(t, m, 0);
	if (err == 0)
		err = gx_imsg__pack(m, &cctx);
	ZSTD_freeCCtx(cctx);
	return err;
}

static int share_atts(struct gx_imsg *dst, const struct gx_imsg *src)
{
	for (size_t k = 0; k < src->natts; k++) {
		struct gx_iatt *x;
		int err = gx_iatt__clone(src->atts[k], &x);
		if (err != 0)
			return err;
		x->num = dst->next_num;
		err = gx_imsg__put_att(dst, x);
		if (err != 0)
			return err;
	}
	return 0;
}

static gx_ec copy_atts(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, bool force, bool *ret_done)
{
	gx_ec ec = gx_inst__with_atts(t, src);
	if (!gx_ec_failed(ec))
		ec = ready_to_change(t, dst);
	if (gx_ec_failed(ec) || src == dst || (!force && dst->msg->natts > 0)) {
		*ret_done = !gx_ec_failed(ec) && src == dst;
		return ec;
	}
	int err = complete(t, src->msg);
	if (err == 0 && gx_inst__level(dst) + gx_imsg__depth(src->msg) > GX_INST_DEPTH_MAX)
		err = GX_E_DEPTH;
	if (err != 0)
		return gx_inst__ec(t, err);
	gx_imsg__drop_atts(dst->msg);
	gx_inst__touch(dst, GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	*ret_done = true;
	return gx_inst__ec(t, share_atts(dst->msg, src->msg));
}

gx_ec gx_inst_copy_atts(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, bool force, bool *ret_done)
{
	bool done = false;
	gx_inst__lock2(src, dst);
	gx_ec ec = copy_atts(t, src, dst, force, &done);
	gx_inst__unlock2(src, dst);
	if (!gx_ec_failed(ec))
		*ret_done = done;
	return ec;
}

/* ---- Messages in attachments ---- */

/* State of an embedded message is a property there, not a column. */
static void state_from_props(struct gx_inst *i)
{
	struct gx_propval pv;
	if (!gx_iprops__get(&i->msg->props, PidTagMessageFlags, &pv))
		pv.v.i32 = MSGFLAG_UNMODIFIED;
	i->row.flags = gx_inst__columns(pv.v.i32);
	if (gx_iprops__get(&i->msg->props, PidTagFlagStatus, &pv) && pv.v.i32 == followupFlagged)
		i->row.flags |= GX_MSGF_FLAGGED;
	if (i->msg->natts > 0)
		i->row.flags |= GX_MSGF_HASATTACH;
}

static int embedded_make(struct gx_txn *t, struct gx_inst *att, bool create, struct gx_inst **ret_x)
{
	struct gx_iatt *a = att->att;
	int err = gx_iatt__load_embedded(t, att->tree->acct, a);
	if (err == 0 && a->embedded != NULL)
		err = gx_imsg__load_atts(t, a->embedded);
	if (err != 0)
		return err;
	struct gx_inst *x = gx_inst__make(NULL, att, GX_INST_EMBEDDED);
	if (x == NULL)
		return GX_E_NOMEM;
	*ret_x = x;
	x->is_new = a->embedded == NULL || create;
	if (x->is_new) {
		x->msg = gx_imsg__new(att->tree->acct);
		x->row.flags = GX_MSGF_READ | GX_MSGF_UNSENT | GX_MSGF_DRAFT;
		return x->msg == NULL ? GX_E_NOMEM : 0;
	}
	err = gx_imsg__clone(a->embedded, &x->msg);
	if (err == 0)
		state_from_props(x);
	return err;
}

gx_ec gx_inst_embedded_open(struct gx_txn *t, struct gx_inst *att, bool create, uint32_t flags, struct gx_inst **ret_msg)
{
	struct gx_inst *x = NULL;
	gx_ec ec = att->kind == GX_INST_ATTACHMENT ? GX_OK_EC : GX_EC(ecInvalidObject);
	if (gx_ec_failed(ec) || att->tree->s != t->s)
		return gx_ec_failed(ec) ? ec : GX_EC(ecInvalidParam);
	gx_inst__lock(att);
	bool none = att->att->embedded == NULL && att->att->embedded_body == 0;
	if (none && !create)
		ec = gx_txn__fail(t, ecNotFound, "the attachment is no message");
	else if ((create || (flags & GX_INST_WRITE)) && !att->writable)
		ec = gx_txn__fail(t, ecAccessDenied, "the attachment may only be read");
	else if (gx_inst__level(att) >= GX_INST_DEPTH_MAX)
		ec = gx_inst__ec(t, GX_E_DEPTH);
	else
		ec = gx_inst__ec(t, embedded_make(t, att, create, &x));
	if (gx_ec_failed(ec) && x != NULL) {
		gx_inst__unref(x);
		return ec;
	}
	if (x != NULL)
		x->writable = create || (att->writable && (flags & (GX_INST_WRITE | GX_INST_BEST)));
	gx_inst__unlock(att);
	if (!gx_ec_failed(ec))
		*ret_msg = x;
	return ec;
}
