/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on the store itself: properties, names, replicas, numbers. */
#include <config.h>
#include <string.h>
#include <gx/storeset.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__ping_store(struct gx_call_ctx *c)
{
	/* it is open by now, and stays so for a while */
	(void)c;
	return GX_OK_EC;
}

gx_ec gx_call__unload_store(struct gx_call_ctx *c)
{
	if (gx_callobj__others(c))
		return gx_call__fail(c, ecBusy, "other clients have tables, instances or subscriptions open there");
	gx_callobj__drop_store(c->host, c->dir);
	/* the call itself holds the store once */
	gx_store_pool_put(c->host->o.pool, c->s);
	c->s = NULL;
	int err = gx_store_pool_unload(c->host->o.pool, c->dir);
	return err == GX_E_BUSY ? gx_call__fail(c, ecBusy, "the store is in use") : gx_call__err(c, err);
}

/* ---- Properties ---- */

gx_ec gx_call__get_store_all_proptags(struct gx_call_ctx *c, struct gx_x_get_store_all_proptags_ans *ans)
{
	struct gx_proplist l;
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_get_props(c->t, NULL, 0, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__tags(c, &l, &ans->tags, &ans->tags_count);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

static gx_ec get_props(struct gx_call_ctx *c, uint32_t cpid, const gx_proptag_t *tags, uint32_t n, struct gx_proplist *ret_l)
{
	struct gx_proplist l;
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_store_get_props(c->t, tags, n, c->a, &l);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_call__props_out(c, cpid, tags, n, &l, ret_l);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

static gx_ec set_props(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *in)
{
	struct gx_proplist l;
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_in(c, cpid, in, &l);
	if (!gx_ec_failed(ec))
		ec = gx_store_set_props(c->t, &l);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__get_store_properties(struct gx_call_ctx *c, const struct gx_x_get_store_properties_req *req,
	struct gx_x_get_store_properties_ans *ans)
{
	return get_props(c, req->cpid, req->tags, req->tags_count, &ans->props);
}

gx_ec gx_call__set_store_properties(struct gx_call_ctx *c, const struct gx_x_set_store_properties_req *req,
	struct gx_x_set_store_properties_ans *ans)
{
	(void)ans; /* values that the store computes are passed over, as for other objects */
	return set_props(c, req->cpid, &req->props);
}

gx_ec gx_call__remove_store_properties(struct gx_call_ctx *c, const struct gx_x_remove_store_properties_req *req)
{
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_remove_props(c->t, req->tags, req->tags_count);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__autoreply_getprop(struct gx_call_ctx *c, const struct gx_x_autoreply_getprop_req *req,
	struct gx_x_autoreply_getprop_ans *ans)
{
	return get_props(c, req->cpid, req->tags, req->tags_count, &ans->props);
}

gx_ec gx_call__autoreply_setprop(struct gx_call_ctx *c, const struct gx_x_autoreply_setprop_req *req,
	struct gx_x_autoreply_setprop_ans *ans)
{
	(void)ans;
	return set_props(c, req->cpid, &req->props);
}

/* ---- Names ---- */

gx_ec gx_call__get_all_named_propids(struct gx_call_ctx *c, struct gx_x_get_all_named_propids_ans *ans)
{
	uint16_t *ids = NULL;
	size_t n = 0;
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_named_all(c->t, c->a, &ids, &n);
	ans->ids = ids;
	ans->ids_count = (uint32_t)n;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__get_named_propids(struct gx_call_ctx *c, const struct gx_x_get_named_propids_req *req,
	struct gx_x_get_named_propids_ans *ans)
{
	uint16_t *ids = gx_arena_new_array(c->a, uint16_t, req->names_count);
	if (ids == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	gx_ec ec = gx_call__begin(c, req->create ? GX_TXN_WRITE : GX_TXN_READ, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_named_ids(c->t, req->create, req->names, req->names_count, ids);
	ans->ids = ids;
	ans->ids_count = req->names_count;
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__get_named_propnames(struct gx_call_ctx *c, const struct gx_x_get_named_propnames_req *req,
	struct gx_x_get_named_propnames_ans *ans)
{
	struct gx_propname *v = gx_arena_new_array(c->a, struct gx_propname, req->ids_count);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_named_names(c->t, req->ids, req->ids_count, c->a, v);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < req->ids_count; ++i)
		if (v[i].by_name && strlen(v[i].name) > UINT8_MAX - 1) /* has no form on the wire */
			v[i] = (struct gx_propname){0};
	ans->names = v;
	ans->names_count = req->ids_count;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

/* ---- Replicas and numbers ---- */

gx_ec gx_call__get_mapping_guid(struct gx_call_ctx *c, const struct gx_x_get_mapping_guid_req *req,
	struct gx_x_get_mapping_guid_ans *ans)
{
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_replica_guid(c->t, req->replid, &ans->guid);
	ans->found = !gx_ec_failed(ec);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

gx_ec gx_call__get_mapping_replid(struct gx_call_ctx *c, const struct gx_x_get_mapping_replid_req *req,
	struct gx_x_get_mapping_replid_ans *ans)
{
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_replica_id(c->t, &req->guid, true, &ans->replid);
	return gx_call__end_coded(c, ec, GX_SYNC_NOW, &ans->ec);
}

gx_ec gx_call__allocate_cn(struct gx_call_ctx *c, struct gx_x_allocate_cn_ans *ans)
{
	uint64_t cn = 0;
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_new_cn(c->t, &cn);
	ans->cn = gx_eid_wire(cn);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__allocate_ids(struct gx_call_ctx *c, const struct gx_x_allocate_ids_req *req, struct gx_x_allocate_ids_ans *ans)
{
	uint64_t first = 0;
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_reserve_ids(c->t, req->count, &first);
	ans->begin_eid = gx_eid_wire(first);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

/* ---- Automatic replies and delegates ---- */

gx_ec gx_call__autoreply_tsquery(struct gx_call_ctx *c, const struct gx_x_autoreply_tsquery_req *req,
	struct gx_x_autoreply_tsquery_ans *ans)
{
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_replied_ago(c->t, req->peer, &ans->tdiff);
	if (ans->tdiff == UINT64_MAX) /* never: as long ago as it takes */
		ans->tdiff = req->window;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__autoreply_tsupdate(struct gx_call_ctx *c, const struct gx_x_autoreply_tsupdate_req *req)
{
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_replied_note(c->t, req->peer);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__read_delegates(struct gx_call_ctx *c, const struct gx_x_read_delegates_req *req, struct gx_x_read_delegates_ans *ans)
{
	const char *const *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_delegates_get(c->t, req->mode, c->a, &v, &n);
	ans->userlist = v;
	ans->userlist_count = (uint32_t)n;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__write_delegates(struct gx_call_ctx *c, const struct gx_x_write_delegates_req *req)
{
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_delegates_set(c->t, req->mode, req->userlist, req->userlist_count);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__get_mbox_perm(struct gx_call_ctx *c, const struct gx_x_get_mbox_perm_req *req, struct gx_x_get_mbox_perm_ans *ans)
{
	gx_ec ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_store_rights(c->t, &ans->permission);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}
