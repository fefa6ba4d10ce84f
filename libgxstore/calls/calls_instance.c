/* SPDX-License-Identifier: Apache-2.0 */
/* Messages being read and edited in memory, and messages inside of attachments. */
#include <config.h>
#include "libgxstore/calls/inst-call.h"

/* ---- Opening and closing ---- */

gx_ec gx_call__load_message_instance(struct gx_call_ctx *c, const struct gx_x_load_message_instance_req *req,
	struct gx_x_load_message_instance_ans *ans)
{
	struct gx_inst_new_opts o = GX_INST_NEW_OPTS_INIT;
	struct gx_inst *i = NULL;
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->message_id, &o.mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = req->create ? gx_inst_new(c->t, fid, &o, &i) : gx_inst_open(c->t, fid, o.mid, GX_INST_BEST | GX_INST_SOFTDELETED, &i);
	if (!gx_ec_failed(ec))
		ec = gx_callinst__add(c, i, req->cpid, req->username, &ans->instance_id);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

/* Answers 0 where there is no such thing. */
gx_ec gx_call__load_embedded_instance(struct gx_call_ctx *c, const struct gx_x_load_embedded_instance_req *req,
	struct gx_x_load_embedded_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_inst *i = NULL;
	gx_ec ec = gx_callinst__take(c, req->attachment_instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_embedded_open(c->t, gx_callinst__of(o)->i, req->create, GX_INST_BEST, &i);
	if (!gx_ec_failed(ec))
		ec = gx_callinst__add(c, i, gx_callinst__of(o)->cpid, gx_callinst__of(o)->user, &ans->instance_id);
	return gx_callinst__done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

gx_ec gx_call__unload_instance(struct gx_call_ctx *c, const struct gx_x_unload_instance_req *req)
{
	return gx_callobj__drop(c, GX_OBJ_INSTANCE, req->instance_id);
}

gx_ec gx_call__get_embedded_cn(struct gx_call_ctx *c, const struct gx_x_get_embedded_cn_req *req, struct gx_x_get_embedded_cn_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_inst_info info;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec)) {
		gx_inst_info(gx_callinst__of(o)->i, &info);
		uint64_t cn = gx_eid_wire(info.cn);
		if (cn != 0 && (ans->cn = gx_arena_memdup(c->a, &cn, sizeof(cn))) == NULL)
			ec = gx_call__err(c, GX_E_NOMEM);
	}
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__is_descendant_instance(struct gx_call_ctx *c, const struct gx_x_is_descendant_instance_req *req,
	struct gx_x_is_descendant_instance_ans *ans)
{
	struct gx_callobj *parent = NULL, *child = NULL;
	gx_ec ec = gx_callinst__take2(c, req->parent_iid, req->child_iid, GX_TXN_READ, &parent, &child);
	if (!gx_ec_failed(ec))
		ans->included = gx_inst_contains(gx_callinst__of(parent)->i, gx_callinst__of(child)->i);
	return gx_callinst__done2(c, parent, child, ec);
}

/* ---- Saving ---- */

gx_ec gx_call__flush_instance(struct gx_call_ctx *c, const struct gx_x_flush_instance_req *req, struct gx_x_flush_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callobj__take(c, GX_OBJ_INSTANCE, req->instance_id, &o);
	if (gx_ec_failed(ec))
		return ec;
	/* large values are packed before the writer is asked for */
	int err = gx_inst_prepare(gx_callinst__of(o)->i);
	ec = err != 0 ? gx_call__err(c, err) : gx_call__write(c, gx_callinst__of(o)->user);
	bool began = !gx_ec_failed(ec);
	/* conflicts are found by the caller, who compares change numbers before */
	if (began)
		ec = gx_inst_save(c->t, gx_callinst__of(o)->i, GX_SAVE_FORCE, NULL);
	bool saved = !gx_ec_failed(ec);
	ec = gx_call__end_coded(c, ec, GX_SYNC_NOW, &ans->ec);
	gx_callobj__give(o);
	/* what was saved into a transaction that did not come about is neither here nor there */
	if (saved && ans->ec != ecSuccess)
		(void)gx_ec_failed(gx_callobj__drop(c, GX_OBJ_INSTANCE, req->instance_id));
	return ec;
}

gx_ec gx_call__reload_message_instance(struct gx_call_ctx *c, const struct gx_x_reload_message_instance_req *req,
	struct gx_x_reload_message_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_reload(c->t, gx_callinst__of(o)->i);
	ans->result = !gx_ec_failed(ec);
	return gx_callinst__done(c, o, gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecObjectDeleted) ? GX_OK_EC : ec);
}

gx_ec gx_call__clear_message_instance(struct gx_call_ctx *c, const struct gx_x_clear_message_instance_req *req)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear(gx_callinst__of(o)->i);
	return gx_callinst__done(c, o, ec);
}

/* ---- Properties ---- */

gx_ec gx_call__get_instance_all_proptags(struct gx_call_ctx *c, const struct gx_x_get_instance_all_proptags_req *req,
	struct gx_x_get_instance_all_proptags_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_proptag_t *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_all_tags(c->t, gx_callinst__of(o)->i, c->a, &v, &n);
	ans->tags = v;
	ans->tags_count = (uint32_t)n;
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__get_instance_properties(struct gx_call_ctx *c, const struct gx_x_get_instance_properties_req *req,
	struct gx_x_get_instance_properties_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_proplist l = {0};
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec) && req->tags_count > 0)
		ec = gx_inst_get_props(c->t, gx_callinst__of(o)->i, req->tags, req->tags_count, req->size_limit, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_out(c, gx_callinst__of(o)->cpid, req->tags, req->tags_count, &l, &ans->props);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__set_instance_properties(struct gx_call_ctx *c, const struct gx_x_set_instance_properties_req *req,
	struct gx_x_set_instance_properties_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_proplist l;
	struct gx_problems p = {0};
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_in(c, gx_callinst__of(o)->cpid, &req->props, &l);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(gx_callinst__of(o)->i, &l, GX_SET_TRUSTED, c->a, &p);
	if (!gx_ec_failed(ec))
		ec = gx_call__problems(c, &p, &ans->problems, &ans->problems_count);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__remove_instance_properties(struct gx_call_ctx *c, const struct gx_x_remove_instance_properties_req *req,
	struct gx_x_remove_instance_properties_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_problems p = {0};
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_remove_props(gx_callinst__of(o)->i, req->tags, req->tags_count, GX_SET_TRUSTED, c->a, &p);
	if (!gx_ec_failed(ec))
		ec = gx_call__problems(c, &p, &ans->problems, &ans->problems_count);
	return gx_callinst__done(c, o, ec);
}

/* ---- Whole ---- */

gx_ec gx_call__read_message_instance(struct gx_call_ctx *c, const struct gx_x_read_message_instance_req *req,
	struct gx_x_read_message_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_msgobj *m;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_inst_read(c->t, gx_callinst__of(o)->i, c->a, &m);
	if (!gx_ec_failed(ec))
		ec = gx_call__msg_out(c, gx_callinst__of(o)->cpid, m, &ans->content);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__write_message_instance(struct gx_call_ctx *c, const struct gx_x_write_message_instance_req *req,
	struct gx_x_write_message_instance_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_msgobj m;
	struct gx_proplist set = {0};
	struct gx_problems p = {0};
	uint32_t flags = GX_WRITE_TRUSTED | (req->force ? (uint32_t)GX_WRITE_FORCE : 0);
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__msg_in(c, gx_callinst__of(o)->cpid, &req->content, &m);
	if (!gx_ec_failed(ec))
		ec = gx_inst_write(c->t, gx_callinst__of(o)->i, &m, flags, c->a, &set, &p);
	if (!gx_ec_failed(ec))
		ec = gx_call__tags(c, &set, &ans->tags, &ans->tags_count);
	if (!gx_ec_failed(ec))
		ec = gx_call__problems(c, &p, &ans->problems, &ans->problems_count);
	return gx_callinst__done(c, o, ec);
}

gx_ec gx_call__set_message_instance_conflict(struct gx_call_ctx *c, const struct gx_x_set_message_instance_conflict_req *req)
{
	struct gx_callobj *o = NULL;
	struct gx_msgobj m;
	gx_ec ec = gx_callinst__take(c, req->instance_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__msg_in(c, gx_callinst__of(o)->cpid, &req->content, &m);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_conflict(c->t, gx_callinst__of(o)->i, &m);
	return gx_callinst__done(c, o, ec);
}
