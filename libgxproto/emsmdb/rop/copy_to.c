/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RopCopyTo and RopCopyProperties, [MS-OXCPRPT] 2.2.10, 2.2.11, 3.2.5.7 and 3.2.5.8. Messages and attachments are changed in memory,
 * folders at once, what is in them in portions.
 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/names.h"
#include "libgxproto/emsmdb/tree.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { MOVE = 0x01, NO_OVERWRITE = 0x02 };

struct copying {
	struct gx_rop_call *c;
	struct gx_inst_copy_opts o;
	bool sub;                    /* with what is in it; else what the list names */
	const uint16_t *ids, *ids_there; /* of named properties of a folder and in another store */
	size_t names;
	struct gx_problems problems;
	struct gx_ems_logon *to;     /* of the destination */
	bool async, answered;        /* it may go on later; its response is made by the job */
};

static bool listed(const struct copying *x, gx_proptag_t tag)
{
	for (size_t i = 0; i < x->o.n; ++i)
		if (GX_PROP_ID(x->o.tags[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

/* Is that part of the object to be copied? */
static bool wants(const struct copying *x, gx_proptag_t part)
{
	return x->o.only ? listed(x, part) : x->sub && !listed(x, part);
}

static gx_ec problem(struct copying *x, size_t index, gx_proptag_t tag, uint32_t code)
{
	struct gx_problem *v = gx_arena_grow(x->c->a, x->problems.v, &x->problems.cap, x->problems.count + 1, sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	x->problems.v = v;
	v[x->problems.count++] = (struct gx_problem){(uint16_t)index, tag, code};
	return EMS_OK;
}

/* ---- Messages and attachments ---- */

static gx_ec copy_parts(struct copying *x, struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst)
{
	bool done = false;
	gx_ec ec = EMS_OK;
	if (wants(x, PidTagMessageRecipients))
		ec = gx_inst_copy_rcpts(src, dst, !x->o.keep, &done);
	if (!gx_ec_failed(ec) && done && x->o.move)
		ec = gx_inst_clear_rcpts(src);
	done = false;
	if (!gx_ec_failed(ec) && wants(x, PidTagMessageAttachments))
		ec = gx_inst_copy_atts(t, src, dst, !x->o.keep, &done);
	return !gx_ec_failed(ec) && done && x->o.move ? gx_inst_clear_atts(t, src) : ec;
}

/* What is no property but a part is no problem. */
static void drop_parts(struct gx_problems *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; ++i)
		switch (GX_PROP_ID(p->v[i].tag)) {
		case GX_PROP_ID(PidTagMessageRecipients):
		case GX_PROP_ID(PidTagMessageAttachments):
			break;
		case GX_PROP_ID(PidTagAttachDataObject):
			if (GX_PROP_TYPE(p->v[i].tag) == PtypObject)
				break;
			/* fallthrough */
		default:
			p->v[n++] = p->v[i];
		}
	p->count = n;
}

/* Names first: what copies then needs no right to write in either store. */
static gx_ec map_names(struct copying *x, struct gx_inst *src, struct gx_inst_across_opts *o)
{
	struct gx_txn *t;
	uint16_t *from = NULL, *to = NULL;
	gx_ec ec = gx_rop__read(x->c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(x->c, t, gx_inst_named(t, src, o, x->c->a, &from, &o->names));
	if (!gx_ec_failed(ec))
		ec = gx_ems__map_names(x->c, x->c->logon, x->c->dst->logon, from, o->names, &to);
	o->from = from;
	o->to = to;
	return ec;
}

static gx_ec copy_across(struct copying *x, struct gx_inst *src, struct gx_inst *dst)
{
	struct gx_txn *t, *to;
	struct gx_rop_call *c = x->c;
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	o.props = x->o;
	o.rcpts = gx_ems__message(c->in) != NULL && wants(x, PidTagMessageRecipients);
	o.atts = gx_ems__message(c->in) != NULL && wants(x, PidTagMessageAttachments);
	gx_ec ec = map_names(x, src, &o);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__begin_at(c, c->dst->logon, GX_TXN_READ, &to);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, to, gx_inst_copy_across(t, src, to, dst, &o, c->a, &x->problems));
	drop_parts(&x->problems);
	return gx_rop__end(c, t, ec);
}

static gx_ec copy_insts(struct copying *x, struct gx_inst *src, struct gx_inst *dst)
{
	struct gx_txn *t;
	struct gx_rop_call *c = x->c;
	if (gx_inst_contains(src, dst))
		return gx_rop__fail(c, ecMsgCycle, "the destination is in the source");
	if (src == dst)
		return EMS_OK;
	x->o.embedded = wants(x, PidTagAttachDataObject);
	if (c->dst->logon->store != c->logon->store)
		return copy_across(x, src, dst);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_copy_props(t, src, dst, &x->o, c->a, &x->problems);
	drop_parts(&x->problems);
	if (!gx_ec_failed(ec) && gx_ems__message(c->in) != NULL)
		ec = copy_parts(x, t, src, dst);
	return gx_rop__end(c, t, ec);
}

/* ---- Folders ---- */

static gx_ec map_folder_names(struct copying *x, const struct gx_proplist *l)
{
	uint16_t *to = NULL, *from = gx_arena_new_array(x->c->a, uint16_t, l->count);
	if (from == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < l->count; ++i)
		if (GX_PROP_IS_NAMED(l->v[i].tag) && listed(x, l->v[i].tag) == x->o.only)
			from[x->names++] = GX_PROP_ID(l->v[i].tag);
	gx_ec ec = gx_ems__map_names(x->c, x->c->logon, x->to, from, x->names, &to);
	x->ids = from;
	x->ids_there = to;
	return ec;
}

/* The tag in the destination's store; 0: it has none. */
static gx_proptag_t tag_there(const struct copying *x, gx_proptag_t tag)
{
	for (size_t i = 0; i < x->names; ++i)
		if (x->ids[i] == GX_PROP_ID(tag))
			return x->ids_there[i] == 0 ? 0 : GX_PROP_TAG(x->ids_there[i], GX_PROP_TYPE(tag));
	return tag;
}

/* The name is set for itself: that a sibling has it is no reason to leave out the rest. */
static gx_ec set(struct copying *x, struct gx_txn *t, uint64_t fid, size_t index, gx_proptag_t tag, const struct gx_propval *v)
{
	struct gx_propval copy = {tag, v->v};
	const struct gx_proplist one = {&copy, 1, 1};
	gx_ec ec = gx_folder_set_props(t, fid, &one);
	return gx_ec_is(ec, ecDuplicateName) || gx_ec_is(ec, ecTooBig) ? problem(x, index, v->tag, ec.v) : ec;
}

static gx_ec copy_value(struct copying *x, struct gx_txn *t, uint64_t fid, size_t index, const struct gx_propval *v, const struct gx_proplist *there)
{
	gx_proptag_t tag = tag_there(x, v->tag);
	if (gx_folder_is_computed(v->tag))
		return x->o.only ? problem(x, index, v->tag, ecComputedValue) : EMS_OK;
	if (tag == 0)
		return problem(x, index, v->tag, ecQuotaExceeded);
	if (x->o.keep && gx_proplist_get(there, GX_PROP_RETYPE(tag, PtypUnspecified)) != NULL)
		return EMS_OK;
	return set(x, t, fid, index, tag, v);
}

static gx_ec copy_values(struct copying *x, struct gx_txn *t, const struct gx_proplist *l, const struct gx_proplist *there, uint64_t fid)
{
	gx_ec ec = EMS_OK;
	for (size_t i = 0; x->o.only && i < x->o.n && !gx_ec_failed(ec); ++i) {
		const struct gx_propval *v = gx_proplist_get(l, x->o.tags[i]);
		ec = v == NULL ? problem(x, i, x->o.tags[i], ecNotFound) : copy_value(x, t, fid, i, v, there);
	}
	for (size_t i = 0; !x->o.only && i < l->count && !gx_ec_failed(ec); ++i)
		if (!listed(x, l->v[i].tag))
			ec = copy_value(x, t, fid, i, &l->v[i], there);
	return ec;
}

static uint32_t contents(const struct copying *x)
{
	return x->o.only ? 0 : (wants(x, PidTagContainerContents) ? GX_CONTENT_NORMAL : 0U) |
		(wants(x, PidTagFolderAssociatedContents) ? GX_CONTENT_FAI : 0U) | (wants(x, PidTagContainerHierarchy) ? GX_CONTENT_FOLDERS : 0U);
}

static gx_ec copy_properties(struct copying *x, uint64_t src, uint64_t dst)
{
	struct gx_rop_call *c = x->c;
	struct gx_proplist l = {0}, there = {0};
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_folder_get_props(t, src, NULL, 0, c->a, &l));
	if (!gx_ec_failed(ec) && x->to->store != c->logon->store)
		ec = map_folder_names(x, &l);
	if (!gx_ec_failed(ec))
		ec = gx_rop__begin_at(c, x->to, GX_TXN_WRITE, &t);
	if (gx_ec_failed(ec))
		return ec;
	if (x->o.keep)
		ec = gx_folder_get_props(t, dst, NULL, 0, c->a, &there);
	if (!gx_ec_failed(ec))
		ec = copy_values(x, t, &l, &there, dst);
	return gx_rop__end(c, t, ec);
}

/* With what is in it: the properties come last. */
struct copying_folder {
	struct gx_ems_tree tree;
	struct copying x;
	uint64_t src, dst;
};

static gx_ec finish(struct gx_rop_call *c, struct gx_ems_job *j, void *response)
{
	struct copying_folder *f = (struct copying_folder *)j;
	struct gx_rop_copy_to_res *r = response;
	f->x.c = c;
	gx_ec ec = copy_properties(&f->x, f->src, f->dst);
	return gx_ec_failed(ec) ? ec : gx_ems__tell_problems(c, &f->x.problems, ec, &r->property_problems, &r->property_problems_count);
}

static gx_ec copy_with_contents(struct copying *x, uint64_t src, uint64_t dst, void *response)
{
	struct gx_rop_call *c = x->c;
	struct copying_folder *f = (struct copying_folder *)gx_ems__tree_new(c, sizeof(*f), c->logon, x->to);
	if (f == NULL)
		return GX_EC(ecMAPIOOM);
	f->tree.job.finish = finish;
	f->x = *x;
	f->src = src;
	f->dst = dst;
	f->x.o.tags = gx_arena_memdup(f->tree.job.a, x->o.tags, x->o.n * sizeof(*x->o.tags));
	gx_ec ec = f->x.o.tags == NULL && x->o.n > 0 ? GX_EC(ecMAPIOOM) : gx_ems__tree_contents(c, &f->tree, src, dst, contents(x));
	if (gx_ec_failed(ec))
		gx_ems__job_free(&f->tree.job);
	x->answered = true;
	return gx_ec_failed(ec) ? ec : gx_ems__job_run(c, &f->tree.job, x->async, response);
}

static gx_ec copy_folders(struct copying *x, const struct gx_ems_folder *from, const struct gx_ems_folder *to, void *response)
{
	if (from->fid == to->fid && x->to->store == x->c->logon->store)
		return EMS_OK;
	return contents(x) != 0 ? copy_with_contents(x, from->fid, to->fid, response) : copy_properties(x, from->fid, to->fid);
}

/* ---- */

static gx_ec copy(struct copying *x, uint8_t flags, void *response)
{
	struct gx_rop_call *c = x->c;
	struct gx_ems_folder *from = gx_ems__folder(c->in), *to = gx_ems__folder(c->dst);
	struct gx_inst *src = gx_ems__inst(c->in), *dst = gx_ems__inst(c->dst);
	if (flags & ~(MOVE | NO_OVERWRITE))
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", flags);
	if (c->dst->kind != c->in->kind || (src == NULL && from == NULL))
		return gx_rop__fail(c, ecNotSupported, "a %s to a %s", c->in->kind->name, c->dst->kind->name);
	if (from != NULL && (flags & MOVE))
		return gx_rop__fail(c, ecNotSupported, "properties of folders are not moved");
	x->o.move = flags & MOVE;
	x->o.keep = flags & NO_OVERWRITE;
	x->to = c->dst->logon;
	return src != NULL ? copy_insts(x, src, dst) : copy_folders(x, from, to, response);
}

gx_ec gx_rop__copy_to(struct gx_rop_call *c, const struct gx_rop_copy_to_req *q, struct gx_rop_copy_to_res *r)
{
	struct copying x = {.c = c, .o = GX_INST_COPY_OPTS_INIT, .sub = q->want_sub_objects, .async = q->want_asynchronous};
	x.o.tags = q->excluded_tags;
	x.o.n = q->excluded_tags_count;
	gx_ec ec = copy(&x, q->copy_flags, r);
	return gx_ec_failed(ec) || x.answered ? ec : gx_ems__tell_problems(c, &x.problems, ec, &r->property_problems, &r->property_problems_count);
}

gx_ec gx_rop__copy_properties(struct gx_rop_call *c, const struct gx_rop_copy_properties_req *q, struct gx_rop_copy_properties_res *r)
{
	struct copying x = {.c = c, .o = GX_INST_COPY_OPTS_INIT};
	x.o.only = true;
	x.o.tags = q->property_tags;
	x.o.n = q->property_tags_count;
	gx_ec ec = copy(&x, q->copy_flags, r);
	return gx_ec_failed(ec) ? ec : gx_ems__tell_problems(c, &x.problems, ec, &r->property_problems, &r->property_problems_count);
}
