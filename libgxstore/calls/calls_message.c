/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on stored messages: looking, properties, state. */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/calls/call-int.h"
#include "libgxstore/message/msg-int.h"

/* ---- Is it there ---- */

static gx_ec row(struct gx_call_ctx *c, uint64_t eid, struct gx_msg_row *ret_r)
{
	uint64_t mid;
	gx_ec ec = gx_call__id(c, eid, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(c->t, gx_msg__row(c->t, mid, ret_r));
}

gx_ec gx_call__is_msg_present(struct gx_call_ctx *c, const struct gx_x_is_msg_present_req *req, struct gx_x_is_msg_present_ans *ans)
{
	struct gx_msg_row r;
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = row(c, req->message_id, &r);
	ans->exists = !gx_ec_failed(ec) && r.fid == fid && !(r.flags & GX_MSGF_SOFTDEL);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

gx_ec gx_call__is_msg_deleted(struct gx_call_ctx *c, const struct gx_x_is_msg_deleted_req *req, struct gx_x_is_msg_deleted_ans *ans)
{
	struct gx_msg_row r;
	gx_ec ec = row(c, req->message_id, &r);
	ans->deleted = !gx_ec_failed(ec) && (r.flags & GX_MSGF_SOFTDEL);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

/* ---- Contents ---- */

gx_ec gx_call__get_message_rcpts(struct gx_call_ctx *c, const struct gx_x_get_message_rcpts_req *req, struct gx_x_get_message_rcpts_ans *ans)
{
	struct gx_msg_row r;
	struct gx_proplist *v = NULL;
	size_t n = 0;
	gx_ec ec = row(c, req->message_id, &r);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(c->t, gx_body__rcpts(c->t, r.body, c->a, &v, &n));
	ans->rows = v;
	ans->rows_count = (uint32_t)n;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

static gx_ec read_message(struct gx_call_ctx *c, const char *user, uint64_t eid, struct gx_msgobj **ret_m)
{
	uint64_t mid;
	gx_ec ec = gx_call__id(c, eid, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, user);
	return gx_ec_failed(ec) ? ec : gx_msg_read(c->t, mid, c->a, ret_m);
}

static gx_ec give(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *m, const struct gx_msgobj **ret_m)
{
	struct gx_msgobj *out = gx_msgobj_new(c->a);
	if (out == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	*ret_m = out;
	return gx_call__msg_out(c, cpid, m, out);
}

gx_ec gx_call__read_message(struct gx_call_ctx *c, const struct gx_x_read_message_req *req, struct gx_x_read_message_ans *ans)
{
	struct gx_msgobj *m;
	gx_ec ec = read_message(c, req->username, req->message_id, &m);
	if (!gx_ec_failed(ec))
		ec = give(c, req->cpid, m, &ans->content);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

/* Without what is large: bodies, headers, contents of attachments. */
static void make_brief(struct gx_msgobj *m)
{
	static const gx_proptag_t large[] = {PidTagBody, PidTagHtml, PidTagRtfCompressed, PidTagTransportMessageHeaders};
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); ++i)
		gx_proplist_remove(&m->props, large[i]);
	for (size_t i = 0; i < m->att_count; ++i) {
		gx_proplist_remove(&m->atts[i].props, PidTagAttachDataBinary);
		gx_proplist_remove(&m->atts[i].props, PidTagAttachDataObject);
		m->atts[i].embedded = NULL;
	}
}

gx_ec gx_call__get_message_brief(struct gx_call_ctx *c, const struct gx_x_get_message_brief_req *req, struct gx_x_get_message_brief_ans *ans)
{
	struct gx_msgobj *m;
	gx_ec ec = read_message(c, NULL, req->message_id, &m);
	if (!gx_ec_failed(ec)) {
		make_brief(m);
		ec = give(c, req->cpid, m, &ans->content);
	}
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

/* ---- Properties ---- */

gx_ec gx_call__get_message_properties(struct gx_call_ctx *c, const struct gx_x_get_message_properties_req *req,
	struct gx_x_get_message_properties_ans *ans)
{
	uint64_t mid;
	struct gx_proplist l = {0};
	gx_ec ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec) && req->tags_count > 0)
		ec = gx_msg_get_props(c->t, mid, req->tags, req->tags_count, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_out(c, req->cpid, req->tags, req->tags_count, &l, &ans->props);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__set_message_properties(struct gx_call_ctx *c, const struct gx_x_set_message_properties_req *req,
	struct gx_x_set_message_properties_ans *ans)
{
	uint64_t mid;
	struct gx_proplist l;
	(void)ans;
	gx_ec ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_in(c, req->cpid, &req->props, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_props(c->t, mid, &l);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__remove_message_properties(struct gx_call_ctx *c, const struct gx_x_remove_message_properties_req *req)
{
	uint64_t mid;
	struct gx_inst *i = NULL;
	gx_ec ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_open(c->t, 0, mid, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_remove_props(i, req->tags, req->tags_count, 0, c->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(c->t, i, GX_SAVE_FORCE, NULL);
	gx_inst_free(i);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

/* ---- State ---- */

static gx_ec begin_on(struct gx_call_ctx *c, const char *user, uint64_t eid, uint64_t *ret_mid)
{
	gx_ec ec = gx_call__id(c, eid, ret_mid);
	return gx_ec_failed(ec) ? ec : gx_call__write(c, user);
}

gx_ec gx_call__set_message_read_state(struct gx_call_ctx *c, const struct gx_x_set_message_read_state_req *req,
	struct gx_x_set_message_read_state_ans *ans)
{
	uint64_t mid;
	struct gx_read_result r = {0};
	gx_ec ec = begin_on(c, req->username, req->message_id, &mid);
	/* receipts are the caller's business, who looks at the message before it makes this call */
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_read(c->t, mid, req->mark_as_read ? GX_RF_SUPPRESS_RECEIPT : GX_RF_CLEAR_READ, &r);
	ans->read_cn = gx_eid_wire(r.rcn);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__mark_modified(struct gx_call_ctx *c, const struct gx_x_mark_modified_req *req)
{
	uint64_t mid;
	gx_ec ec = begin_on(c, NULL, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_msg_mark_modified(c->t, mid);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__try_mark_submit(struct gx_call_ctx *c, const struct gx_x_try_mark_submit_req *req, struct gx_x_try_mark_submit_ans *ans)
{
	uint64_t mid;
	gx_ec ec = begin_on(c, NULL, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_msg_try_submit(c->t, mid, &ans->marked);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__clear_submit(struct gx_call_ctx *c, const struct gx_x_clear_submit_req *req)
{
	uint64_t mid;
	gx_ec ec = begin_on(c, NULL, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_msg_clear_submit(c->t, mid, req->unsent);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__set_message_timer(struct gx_call_ctx *c, const struct gx_x_set_message_timer_req *req)
{
	uint64_t mid;
	gx_ec ec = begin_on(c, NULL, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_timer(c->t, mid, req->timer_id);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__get_message_timer(struct gx_call_ctx *c, const struct gx_x_get_message_timer_req *req, struct gx_x_get_message_timer_ans *ans)
{
	uint64_t mid;
	uint32_t timer = 0;
	gx_ec ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_timer(c->t, mid, &timer);
	if (timer != 0 && (ans->timer_id = gx_arena_memdup(c->a, &timer, sizeof(timer))) == NULL)
		ec = gx_call__err(c, GX_E_NOMEM);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__allocate_message_id(struct gx_call_ctx *c, const struct gx_x_allocate_message_id_req *req,
	struct gx_x_allocate_message_id_ans *ans)
{
	uint64_t fid, mid = 0;
	struct gx_folder_row folder;
	gx_ec ec = begin_on(c, NULL, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(c->t, fid, 0, &folder);
	if (!gx_ec_failed(ec))
		ec = gx_store_new_id(c->t, &mid);
	ans->message_id = gx_eid_wire(mid);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}
