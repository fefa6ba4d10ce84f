/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients and attachments of messages being edited. */
#include <config.h>
#include "libgxstore/calls/inst-call.h"

static gx_ec rows_out(struct gx_call_ctx *c, uint32_t cpid, const gx_proptag_t *tags, size_t ntags, const struct gx_proplist *v, size_t n,
	const struct gx_proplist **ret_v, uint32_t *ret_n)
{
	struct gx_proplist *rows = gx_arena_new_array(c->a, struct gx_proplist, n);
	gx_ec ec = rows == NULL ? gx_call__err(c, GX_E_NOMEM) : GX_OK_EC;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = gx_call__props_out(c, cpid, tags, ntags, &v[i], &rows[i]);
	*ret_v = rows;
	*ret_n = (uint32_t)n;
	return ec;
}

static uint16_t number16(size_t n)
{
	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/* ---- Recipients ---- */

gx_ec gx_call__empty_message_instance_rcpts(struct gx_call_ctx *c, const struct gx_x_empty_message_instance_rcpts_req *req)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear_rcpts(gx_callinst__of(o)->i);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_message_instance_rcpts_num(struct gx_call_ctx *c, const struct gx_x_get_message_instance_rcpts_num_req *req,
	struct gx_x_get_message_instance_rcpts_num_ans *ans)
{
	struct gx_callobj *o = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpt_count(gx_callinst__of(o)->i, &n);
	ans->num = number16(n);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_message_instance_rcpts_all_proptags(struct gx_call_ctx *c, const struct gx_x_get_message_instance_rcpts_all_proptags_req *req,
	struct gx_x_get_message_instance_rcpts_all_proptags_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_proptag_t *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpt_tags(gx_callinst__of(o)->i, c->a, &v, &n);
	ans->tags = v;
	ans->tags_count = (uint32_t)n;
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_message_instance_rcpts(struct gx_call_ctx *c, const struct gx_x_get_message_instance_rcpts_req *req,
	struct gx_x_get_message_instance_rcpts_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_proplist *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpts(gx_callinst__of(o)->i, req->row_id, req->need_count, c->a, &v, &n);
	if (!gx_ec_failed(ec))
		ec = rows_out(c, gx_callinst__of(o)->cpid, NULL, 0, v, n, &ans->rows, &ans->rows_count);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__update_message_instance_rcpts(struct gx_call_ctx *c, const struct gx_x_update_message_instance_rcpts_req *req)
{
	struct gx_callobj *o = NULL;
	struct gx_proplist *rows = gx_arena_new_array(c->a, struct gx_proplist, req->rows_count);
	gx_ec ec = rows == NULL ? gx_call__err(c, GX_E_NOMEM) : gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < req->rows_count; ++i)
		ec = gx_call__props_in(c, gx_callinst__of(o)->cpid, &req->rows[i], &rows[i]);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_rcpts(gx_callinst__of(o)->i, rows, req->rows_count);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__copy_instance_rcpts(struct gx_call_ctx *c, const struct gx_x_copy_instance_rcpts_req *req, struct gx_x_copy_instance_rcpts_ans *ans)
{
	struct gx_callobj *src = NULL, *dst = NULL;
	gx_ec ec = gx_callinst__take2(c, req->src_instance_id, req->dst_instance_id, GX_TXN_READ, &src, &dst);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_rcpts(gx_callinst__of(src)->i, gx_callinst__of(dst)->i, req->force, &ans->result);
	return gx_callinst__done2(c, src, dst, ec);
}

/* ---- Attachments of a message ---- */

gx_ec gx_call__load_attachment_instance(struct gx_call_ctx *c, const struct gx_x_load_attachment_instance_req *req,
	struct gx_x_load_attachment_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_inst *i = NULL;
	gx_ec ec = gx_callinst__take(c, req->message_instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_open(c->t, gx_callinst__of(o)->i, req->attachment_num, GX_INST_BEST, &i);
	if (!gx_ec_failed(ec))
		ec = gx_callinst__add(c, i, gx_callinst__of(o)->cpid, gx_callinst__of(o)->user, &ans->instance_id);
	return gx_callinst__done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

gx_ec gx_call__create_attachment_instance(struct gx_call_ctx *c, const struct gx_x_create_attachment_instance_req *req,
	struct gx_x_create_attachment_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_inst *i = NULL;
	gx_ec ec = gx_callinst__take(c, req->message_instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_new(c->t, gx_callinst__of(o)->i, &ans->attachment_num, &i);
	if (!gx_ec_failed(ec))
		ec = gx_callinst__add(c, i, gx_callinst__of(o)->cpid, gx_callinst__of(o)->user, &ans->instance_id);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__delete_message_instance_attachment(struct gx_call_ctx *c, const struct gx_x_delete_message_instance_attachment_req *req)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callinst__take(c, req->message_instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_delete(c->t, gx_callinst__of(o)->i, req->attachment_num);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__empty_message_instance_attachments(struct gx_call_ctx *c, const struct gx_x_empty_message_instance_attachments_req *req)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear_atts(c->t, gx_callinst__of(o)->i);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_message_instance_attachments_num(struct gx_call_ctx *c, const struct gx_x_get_message_instance_attachments_num_req *req,
	struct gx_x_get_message_instance_attachments_num_ans *ans)
{
	struct gx_callobj *o = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_count(c->t, gx_callinst__of(o)->i, &n);
	ans->num = number16(n);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_message_instance_attachment_table_all_proptags(struct gx_call_ctx *c,
	const struct gx_x_get_message_instance_attachment_table_all_proptags_req *req,
	struct gx_x_get_message_instance_attachment_table_all_proptags_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_proptag_t *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_tags(c->t, gx_callinst__of(o)->i, c->a, &v, &n);
	ans->tags = v;
	ans->tags_count = (uint32_t)n;
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__query_message_instance_attachment_table(struct gx_call_ctx *c, const struct gx_x_query_message_instance_attachment_table_req *req,
	struct gx_x_query_message_instance_attachment_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_proplist *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_rows(c->t, gx_callinst__of(o)->i, req->tags, req->tags_count, req->start_pos, req->row_needed, c->a, &v, &n);
	if (!gx_ec_failed(ec))
		ec = rows_out(c, gx_callinst__of(o)->cpid, req->tags, req->tags_count, v, n, &ans->rows, &ans->rows_count);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__copy_instance_attachments(struct gx_call_ctx *c, const struct gx_x_copy_instance_attachments_req *req,
	struct gx_x_copy_instance_attachments_ans *ans)
{
	struct gx_callobj *src = NULL, *dst = NULL;
	gx_ec ec = gx_callinst__take2(c, req->src_instance_id, req->dst_instance_id, GX_TXN_READ, &src, &dst);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_atts(c->t, gx_callinst__of(src)->i, gx_callinst__of(dst)->i, req->force, &ans->result);
	return gx_callinst__done2(c, src, dst, ec);
}

/* ---- One attachment ---- */

gx_ec gx_call__read_attachment_instance(struct gx_call_ctx *c, const struct gx_x_read_attachment_instance_req *req,
	struct gx_x_read_attachment_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_attach at = {0};
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_read_att(c->t, gx_callinst__of(o)->i, c->a, &at);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_out(c, gx_callinst__of(o)->cpid, NULL, 0, &at.props, &ans->props);
	if (!gx_ec_failed(ec) && at.embedded != NULL) {
		struct gx_msgobj *m = gx_msgobj_new(c->a);
		ans->content = m;
		ec = m == NULL ? gx_call__err(c, GX_E_NOMEM) : gx_call__msg_out(c, gx_callinst__of(o)->cpid, at.embedded, m);
	}
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__write_attachment_instance(struct gx_call_ctx *c, const struct gx_x_write_attachment_instance_req *req,
	struct gx_x_write_attachment_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_msgobj m;
	struct gx_attach at = {.embedded = req->content != NULL ? &m : NULL};
	struct gx_problems p = {0};
	uint32_t flags = GX_WRITE_TRUSTED | (req->force ? (uint32_t)GX_WRITE_FORCE : 0);
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_in(c, gx_callinst__of(o)->cpid, &req->props, &at.props);
	if (!gx_ec_failed(ec) && req->content != NULL)
		ec = gx_call__msg_in(c, gx_callinst__of(o)->cpid, req->content, &m);
	if (!gx_ec_failed(ec))
		ec = gx_inst_write_att(c->t, gx_callinst__of(o)->i, &at, flags, c->a, &p);
	if (!gx_ec_failed(ec))
		ec = gx_call__problems(c, &p, &ans->problems, &ans->problems_count);
	return gx_callinst__done(c, o, ec);
}
