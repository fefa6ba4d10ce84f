/* SPDX-License-Identifier: Apache-2.0 */
/* Change synchronisation. [MS-OXCFXICS] */
#include <config.h>
#include <gx/ics.h>
#include "libgxstore/calls/call-int.h"

/* The numbers of this store in a set from the wire; those of other replicas are in no message here. */
static gx_ec own_part(struct gx_call_ctx *c, const struct gx_bin *b, struct gx_idset *s, const struct gx_globset **ret_g)
{
	static const struct gx_globset none = GX_GLOBSET_INIT;
	struct gx_pull p;
	if (b == NULL)
		return GX_OK_EC;
	gx_pull_init(&p, b->data, b->len);
	int err = gx_idset_pull(&p, s);
	if (err != 0)
		return gx_call__fail(c, ecInvalidParam, "a set of numbers cannot be read: %s", gx_strerror(err));
	*ret_g = gx_idset_get(s, 1);
	if (*ret_g == NULL)
		*ret_g = &none;
	return GX_OK_EC;
}

struct sets {
	struct gx_idset given, seen, seen_fai, read;
};

static void release(struct sets *s)
{
	gx_idset_release(&s->given);
	gx_idset_release(&s->seen);
	gx_idset_release(&s->seen_fai);
	gx_idset_release(&s->read);
}

static gx_ec wire_ids(struct gx_call_ctx *c, const struct gx_ics_ids *in, const uint64_t **ret_v, uint32_t *ret_n)
{
	*ret_n = (uint32_t)in->n;
	return gx_call__eids(c, in->v, in->n, ret_v);
}

static gx_ec content_answer(struct gx_call_ctx *c, const struct gx_ics_content_answer *r, struct gx_x_get_content_sync_ans *ans)
{
	const struct gx_ics_summary *s = &r->summary;
	ans->fai_count = (uint32_t)s->fai_count;
	ans->fai_total = s->fai_size;
	ans->normal_count = (uint32_t)s->normal_count;
	ans->normal_total = s->normal_size;
	ans->last_cn = gx_eid_wire(s->last_cn);
	ans->last_readcn = gx_eid_wire(s->last_readcn);
	gx_ec ec = wire_ids(c, &r->updated, &ans->updated, &ans->updated_count);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->changed, &ans->changed, &ans->changed_count);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->given, &ans->given, &ans->given_count);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->deleted, &ans->deleted, &ans->deleted_count);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->nolonger, &ans->nolonger, &ans->nolonger_count);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->read, &ans->read, &ans->read_count);
	return gx_ec_failed(ec) ? ec : wire_ids(c, &r->unread, &ans->unread, &ans->unread_count);
}

static gx_ec content_opts(struct gx_call_ctx *c, const struct gx_x_get_content_sync_req *req, struct sets *s, struct gx_ics_content_opts *o)
{
	gx_ec ec = own_part(c, &req->given, &s->given, &o->given);
	ec = gx_ec_failed(ec) ? ec : own_part(c, req->seen, &s->seen, &o->seen);
	ec = gx_ec_failed(ec) ? ec : own_part(c, req->seen_fai, &s->seen_fai, &o->seen_fai);
	ec = gx_ec_failed(ec) ? ec : own_part(c, req->read, &s->read, &o->read);
	ec = gx_ec_failed(ec) ? ec : gx_call__restr_in(c, req->cpid, req->restriction, &o->restr);
	o->ordered = req->ordered;
	return ec;
}

gx_ec gx_call__get_content_sync(struct gx_call_ctx *c, const struct gx_x_get_content_sync_req *req, struct gx_x_get_content_sync_ans *ans)
{
	struct sets s = {0};
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content_answer r;
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = content_opts(c, req, &s, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_ics_content_answer(c->t, fid, &o, c->a, &r);
	release(&s);
	if (!gx_ec_failed(ec))
		ec = content_answer(c, &r, ans);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

static gx_ec hierarchy_answer(struct gx_call_ctx *c, const struct gx_ics_hierarchy_answer *r, struct gx_x_get_hierarchy_sync_ans *ans)
{
	struct gx_proplist *rows = gx_arena_new_array(c->a, struct gx_proplist, r->folder_count);
	gx_ec ec = rows == NULL ? gx_call__err(c, GX_E_NOMEM) : GX_OK_EC;
	for (size_t i = 0; !gx_ec_failed(ec) && i < r->folder_count; ++i)
		ec = gx_call__props_out(c, 0, NULL, 0, &r->folders[i], &rows[i]);
	ans->changes = rows;
	ans->changes_count = (uint32_t)r->folder_count;
	ans->last_cn = gx_eid_wire(r->last_cn);
	ec = gx_ec_failed(ec) ? ec : wire_ids(c, &r->given, &ans->given, &ans->given_count);
	return gx_ec_failed(ec) ? ec : wire_ids(c, &r->deleted, &ans->deleted, &ans->deleted_count);
}

gx_ec gx_call__get_hierarchy_sync(struct gx_call_ctx *c, const struct gx_x_get_hierarchy_sync_req *req, struct gx_x_get_hierarchy_sync_ans *ans)
{
	struct sets s = {0};
	const struct gx_globset *given = NULL, *seen = NULL;
	struct gx_ics_hierarchy_answer r;
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	ec = gx_ec_failed(ec) ? ec : own_part(c, &req->given, &s.given, &given);
	ec = gx_ec_failed(ec) ? ec : own_part(c, req->seen, &s.seen, &seen);
	ec = gx_ec_failed(ec) ? ec : gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_ics_hierarchy_answer(c->t, fid, given, seen, c->a, &r);
	release(&s);
	if (!gx_ec_failed(ec))
		ec = hierarchy_answer(c, &r, ans);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}
