/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that come, go, and change their folder. */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/calls/call-int.h"
#include "libgxstore/message/msg-int.h"

/* ---- Many at once: what is refused stays, and makes it partial ---- */

typedef gx_ec (*some_fn)(struct gx_call_ctx *c, const uint64_t *mids, size_t n, const void *ctx);

/* All in one go; where that is refused, one by one. */
static gx_ec each(struct gx_call_ctx *c, const uint64_t *mids, size_t n, some_fn fn, const void *ctx, bool *ret_partial)
{
	gx_ec ec = fn(c, mids, n, ctx);
	if (!gx_ec_is(ec, ecAccessDenied))
		return ec;
	for (size_t i = 0; i < n; ++i) {
		ec = fn(c, &mids[i], 1, ctx);
		if (gx_ec_failed(ec) && !gx_ec_is(ec, ecAccessDenied))
			return ec;
		*ret_partial = *ret_partial || gx_ec_failed(ec);
	}
	c->why[0] = '\0';
	return GX_OK_EC;
}

struct place {
	uint64_t src, dst;
	bool move, hard;
};

static gx_ec copy_some(struct gx_call_ctx *c, const uint64_t *mids, size_t n, const void *ctx)
{
	const struct place *p = ctx;
	return gx_msg_copy(c->t, p->src, mids, n, p->dst, p->move, NULL);
}

static gx_ec delete_some(struct gx_call_ctx *c, const uint64_t *mids, size_t n, const void *ctx)
{
	const struct place *p = ctx;
	return gx_msg_delete(c->t, p->src, mids, n, p->hard);
}

gx_ec gx_call__movecopy_messages(struct gx_call_ctx *c, const struct gx_x_movecopy_messages_req *req, struct gx_x_movecopy_messages_ans *ans)
{
	struct place p = {.move = !req->copy};
	const uint64_t *mids;
	gx_ec ec = gx_call__id(c, req->src_fid, &p.src);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->dst_fid, &p.dst);
	if (!gx_ec_failed(ec))
		ec = gx_call__ids(c, req->message_ids, req->message_ids_count, &mids);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, req->guest ? req->username : NULL);
	if (!gx_ec_failed(ec))
		ec = each(c, mids, req->message_ids_count, copy_some, &p, &ans->partial);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__delete_messages(struct gx_call_ctx *c, const struct gx_x_delete_messages_req *req, struct gx_x_delete_messages_ans *ans)
{
	struct place p = {.hard = req->hard};
	const uint64_t *mids;
	gx_ec ec = gx_call__id(c, req->folder_id, &p.src);
	if (!gx_ec_failed(ec))
		ec = gx_call__ids(c, req->message_ids, req->message_ids_count, &mids);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, req->username);
	if (!gx_ec_failed(ec))
		ec = each(c, mids, req->message_ids_count, delete_some, &p, &ans->partial);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__movecopy_message(struct gx_call_ctx *c, const struct gx_x_movecopy_message_req *req, struct gx_x_movecopy_message_ans *ans)
{
	uint64_t mid, fid, new_mid = 0;
	struct gx_msg_ids ids;
	gx_ec ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->dst_fid, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->dst_id, &new_mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_msg_copy_as(c->t, mid, fid, new_mid, req->move, &ids);
	return gx_call__end_bool(c, ec, GX_SYNC_NOW, &ans->result);
}

/* ---- Writing ---- */

/* What the properties say that insertion wants to know otherwise. */
static void insertion(struct gx_msgobj *m, struct gx_msg_insert_opts *o)
{
	const struct gx_propval *mid = gx_proplist_get(&m->props, PidTagMid), *cn = gx_proplist_get(&m->props, PidTagChangeNumber);
	const struct gx_propval *read = gx_proplist_get(&m->props, PidTagRead), *fai = gx_proplist_get(&m->props, PidTagAssociated);
	const struct gx_propval *when = gx_proplist_get(&m->props, PidTagMessageDeliveryTime);
	int32_t flags = gx_proplist_i32(&m->props, PidTagMessageFlags, 0);
	o->mid = mid != NULL ? (uint64_t)mid->v.i64 : 0;
	o->cn = cn != NULL ? (uint64_t)cn->v.i64 : 0;
	o->received = when != NULL ? when->v.time : 0;
	o->flags = (read != NULL ? read->v.b : (flags & MSGFLAG_READ) != 0) ? GX_MSGF_READ : 0;
	o->flags |= (fai != NULL ? fai->v.b : (flags & MSGFLAG_FAI) != 0) ? GX_MSGF_FAI : 0;
	static const gx_proptag_t taken[] = {PidTagMid, PidTagFolderId, PidTagParentFolderId, PidTagChangeNumber, PidTagRead, PidTagAssociated};
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); ++i)
		gx_proplist_remove(&m->props, taken[i]);
}

static gx_ec insert(struct gx_call_ctx *c, uint64_t fid, struct gx_msgobj *m, const struct gx_msg_insert_opts *o, struct gx_msg_ids *ret_ids)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p = NULL;
	src.obj = m;
	int err = gx_msg_prepare(c->a, &src, &p);
	if (err != 0)
		return gx_call__err(c, err);
	/* packing and compressing are done before the writer is asked for */
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_msg_insert(c->t, fid, p, o, ret_ids);
	gx_msg_prepared_release(p);
	return ec;
}

/* One that is there already takes the new contents. *ret_there: it is. */
static gx_ec replace(struct gx_call_ctx *c, uint64_t fid, uint64_t mid, const struct gx_msgobj *m, struct gx_msg_ids *ret_ids, bool *ret_there)
{
	struct gx_msg_row r;
	struct gx_inst *i = NULL;
	struct gx_save_result saved;
	gx_ec ec = gx_call__write(c, NULL);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_msg__row(c->t, mid, &r);
	if (err == GX_E_NOTFOUND)
		return gx_call__end(c, ec, GX_SYNC_LATER);
	*ret_there = true;
	ec = gx_txn__ec(c->t, err);
	if (!gx_ec_failed(ec))
		ec = gx_inst_open(c->t, fid, mid, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear(i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_write(c->t, i, m, GX_WRITE_FORCE | GX_WRITE_TRUSTED, c->a, NULL, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(c->t, i, GX_SAVE_FORCE, &saved);
	if (!gx_ec_failed(ec))
		*ret_ids = (struct gx_msg_ids){.mid = saved.mid, .cn = saved.cn, .uid = saved.uid};
	gx_inst_free(i);
	return ec;
}

gx_ec gx_call__write_message(struct gx_call_ctx *c, const struct gx_x_write_message_req *req, struct gx_x_write_message_ans *ans)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids = {0};
	struct gx_msgobj m;
	const struct gx_propval *mid;
	uint64_t fid;
	bool there = false;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__msg_in(c, req->cpid, &req->content, &m);
	if (!gx_ec_failed(ec) && (mid = gx_proplist_get(&m.props, PidTagMid)) != NULL && mid->v.i64 != 0)
		ec = replace(c, fid, (uint64_t)mid->v.i64, &m, &ids, &there);
	if (!gx_ec_failed(ec) && !there) {
		insertion(&m, &o);
		ec = insert(c, fid, &m, &o, &ids);
	}
	ec = gx_call__end_coded(c, ec, GX_SYNC_NOW, &ans->ec);
	if (ans->ec == ecSuccess) {
		ans->outmid = gx_eid_wire(ids.mid);
		ans->outcn = gx_eid_wire(ids.cn);
	}
	return ec;
}
