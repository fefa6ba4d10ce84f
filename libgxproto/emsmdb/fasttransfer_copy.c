/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies as streams: an object that is open, some messages of a folder, or a folder with what is in it.
 * [MS-OXCFXICS] 2.2.3.1.1, 2.2.4.2. Folders stand on a stack like messages do (fasttransfer_item.c).
 */
#include <config.h>
#include <stdlib.h>
#include <gx/ics.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/fasttransfer_copy.h"

enum step { PROPS, FAI, NORMAL, MESSAGES, SUBFOLDERS, CHILDREN, END };

struct folder {
	struct folder *outer;
	uint64_t fid;
	bool top;                    /* what was asked for */
	enum step step, after;       /* after: when its messages are through */
	struct gx_ics_content *list; /* its messages, of one kind */
	uint64_t *children;          /* malloc'd */
	size_t count, at;
};

struct gx_ems_copy {
	struct gx_ems_source src;
	struct gx_ems_copy_opts o;
	struct gx_arena *keep;
	struct gx_ems_filter item_filter; /* of messages in lists and folders */
	struct gx_ems_items items;
	struct folder *top;
	uint64_t *mids;              /* of RopFastTransferSourceCopyMessages; in keep */
	size_t count, at;
};

static struct gx_ems_copy *self(struct gx_ems_source *s)
{
	return (struct gx_ems_copy *)s;
}

/* ---- Messages, one after the other ---- */

/* @ret_there false: it is not there, or not for this user. */
static int begin_message(struct gx_ems_copy *x, uint64_t fid, uint64_t mid, bool *ret_there)
{
	struct gx_ems_source *s = &x->src;
	struct gx_inst_info info;
	struct gx_inst *inst;
	gx_ec ec = gx_inst_open(s->t, fid, mid, GX_INST_READ, &inst);
	*ret_there = !gx_ec_is(ec, ecNotFound) && !gx_ec_is(ec, ecAccessDenied);
	if (!*ret_there)
		return 0;
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	gx_inst_info(inst, &info);
	ec = gx_ems__items_begin(&x->items, inst, &x->item_filter, EndMessage);
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : gx_ftx_out_marker(s->out, info.associated ? StartFAIMsg : StartMessage);
}

static int next_of_list(struct gx_ems_copy *x)
{
	bool there;
	if (x->at == x->count)
		return 1;
	++x->src.done;
	int err = begin_message(x, x->o.fid, x->mids[x->at++], &there);
	return err != 0 || there ? err : gx_ftx_out_u32(x->src.out, MetaTagEcWarning, ecWarnWithErrors);
}

/* ---- Folders ---- */

static int push_folder(struct gx_ems_copy *x, uint64_t fid)
{
	struct folder *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return GX_E_NOMEM;
	*f = (struct folder){.outer = x->top, .fid = fid, .top = x->top == NULL};
	x->top = f;
	return 0;
}

static void pop_folder(struct gx_ems_copy *x)
{
	struct folder *f = x->top;
	x->top = f->outer;
	gx_ics_content_free(f->list);
	free(f->children);
	free(f);
}

/* What an own property list of the folder says; of those below it everything. */
static bool wants(const struct gx_ems_copy *x, const struct folder *f, gx_proptag_t tag)
{
	return !f->top || gx_ems__filter_wants(&x->o.filter, tag);
}

static bool is_version(gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	return id == GX_PROP_ID(PidTagSourceKey) || id == GX_PROP_ID(PidTagParentSourceKey) || id == GX_PROP_ID(PidTagChangeKey) ||
		id == GX_PROP_ID(PidTagPredecessorChangeList);
}

static bool passes_over(gx_proptag_t tag, const void *ctx)
{
	const struct gx_ems_copy *x = ctx;
	if (is_version(tag) && !x->o.filter.keep_ids)
		return true;
	return gx_ems__of_folder_only(tag) || (x->top->top && !gx_ems__filter_wants(&x->o.filter, tag));
}

static int put_folder_props(struct gx_ems_copy *x, struct folder *f)
{
	struct gx_ems_source *s = &x->src;
	struct gx_proplist l;
	bool marked = s->root == GX_FTX_TOP_FOLDER || !f->top;
	int err = marked ? gx_ftx_out_marker(s->out, f->top ? StartTopFld : StartSubFld) : 0;
	gx_ec ec = gx_folder_get_props(s->t, f->fid, NULL, 0, s->a, &l);
	f->step = FAI;
	if (err != 0 || gx_ec_failed(ec))
		return err != 0 ? err : gx_ems__source_failed(s, ec);
	return gx_ems__put_props(s, &l, passes_over, x);
}

/* A receiver of such a stream is told to drop what it has, except in new folders. */
static int put_del(struct gx_ems_copy *x, gx_proptag_t what)
{
	return x->src.root == GX_FTX_FOLDER_CONTENT ? gx_ftx_out_u32(x->src.out, MetaTagFXDelProp, what) : 0;
}

static int begin_messages(struct gx_ems_copy *x, struct folder *f, bool fai)
{
	static const struct gx_globset none;
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	gx_proptag_t what = fai ? PidTagFolderAssociatedContents : PidTagContainerContents;
	f->step = fai ? NORMAL : SUBFOLDERS;
	if (x->o.filter.shallow || !wants(x, f, what))
		return 0;
	o.seen = fai ? NULL : &none;
	o.seen_fai = fai ? &none : NULL;
	gx_ec ec = gx_ics_content_open(x->src.t, f->fid, &o, &f->list);
	if (gx_ec_is(ec, ecAccessDenied))
		return 0;
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(&x->src, ec);
	x->src.total += gx_ics_content_count(f->list);
	f->after = f->step;
	f->step = MESSAGES;
	return put_del(x, what);
}

static int next_message(struct gx_ems_copy *x, struct folder *f)
{
	struct gx_ics_change m;
	bool more, there;
	gx_ec ec = gx_ics_content_next(f->list, &m, &more);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(&x->src, ec);
	if (more) {
		++x->src.done;
		return begin_message(x, 0, m.mid, &there);
	}
	gx_ics_content_free(f->list);
	f->list = NULL;
	f->step = f->after;
	return 0;
}

static int begin_children(struct gx_ems_copy *x, struct folder *f)
{
	struct gx_ems_source *s = &x->src;
	struct gx_folder_info *v;
	size_t n = 0;
	f->step = END;
	if (x->o.filter.shallow || !x->o.subfolders || !wants(x, f, PidTagContainerHierarchy))
		return 0;
	gx_ec ec = gx_folder_list(s->t, f->fid, false, s->a, &v, &n);
	f->children = calloc(n == 0 ? 1 : n, sizeof(*f->children));
	if (gx_ec_failed(ec) || f->children == NULL)
		return gx_ems__source_failed(s, gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM));
	for (size_t i = 0; i < n; ++i)
		if (v[i].type != GX_FOLDER_SEARCH) /* what it shows is elsewhere */
			f->children[f->count++] = v[i].fid;
	f->step = CHILDREN;
	return put_del(x, PidTagContainerHierarchy);
}

static int next_child(struct gx_ems_copy *x, struct folder *f)
{
	if (f->at < f->count)
		return push_folder(x, f->children[f->at++]);
	f->step = END;
	return 0;
}

static int end_folder(struct gx_ems_copy *x, const struct folder *f)
{
	bool marked = x->src.root == GX_FTX_TOP_FOLDER || !f->top;
	pop_folder(x);
	return marked ? gx_ftx_out_marker(x->src.out, EndFolder) : 0;
}

static int step_folder(struct gx_ems_copy *x, struct folder *f)
{
	switch (f->step) {
	case PROPS: return put_folder_props(x, f);
	case FAI: return begin_messages(x, f, true);
	case NORMAL: return begin_messages(x, f, false);
	case MESSAGES: return next_message(x, f);
	case SUBFOLDERS: return begin_children(x, f);
	case CHILDREN: return next_child(x, f);
	case END: return end_folder(x, f);
	}
	return GX_E_INTERNAL;
}

/* ---- The source ---- */

static int next(struct gx_ems_source *s)
{
	struct gx_ems_copy *x = self(s);
	if (gx_ems__source_txn(s) == NULL)
		return gx_ems__source_failed(s, s->ec);
	int r = gx_ems__items_next(&x->items, s);
	if (r != 0)
		return r;
	if (x->top != NULL)
		r = step_folder(x, x->top);
	else if (s->root == GX_FTX_MESSAGE_LIST)
		return (r = next_of_list(x)) == 1 ? 0 : r != 0 ? r : 1;
	else
		return 0;
	return r != 0 ? r : 1;
}

static void release(struct gx_ems_source *s)
{
	struct gx_ems_copy *x = self(s);
	gx_ems__items_release(&x->items);
	while (x->top != NULL)
		pop_folder(x);
	gx_arena_free(x->keep);
}

static const struct gx_ems_source_ops copy_ops = {NULL, next, release};

static gx_ec fill(struct gx_rop_call *c, struct gx_ems_copy *x, const struct gx_ems_copy_opts *o)
{
	x->o = *o;
	x->item_filter = (struct gx_ems_filter){.best_body = o->filter.best_body, .keep_ids = o->filter.keep_ids};
	gx_ec ec = gx_ems__filter_tags(&x->o.filter, x->keep, o->filter.tags, o->filter.n);
	if (gx_ec_failed(ec))
		return ec;
	if (o->inst != NULL)
		return gx_ems__items_begin(&x->items, gx_inst_hold(o->inst), &x->o.filter, 0);
	if (o->root != GX_FTX_MESSAGE_LIST)
		return gx_ec_from_err(push_folder(x, o->fid));
	x->mids = gx_arena_memdup(x->keep, o->mids, o->count * sizeof(*o->mids));
	x->count = x->src.total = o->count;
	(void)c;
	return x->mids == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
}

gx_ec gx_ems__give_copy(struct gx_rop_call *c, const struct gx_ems_copy_opts *o)
{
	struct gx_ems_source *s = gx_ems__source_new(sizeof(struct gx_ems_copy), &gx_ems__kind_source, &copy_ops, o->root,
		o->send_options & GX_EMS_SEND_KNOWN & ~(uint32_t)GX_FTX_SEND_PARTIAL_ITEM);
	if (s == NULL)
		return GX_EC(ecMAPIOOM);
	self(s)->keep = gx_arena_new(0);
	gx_ec ec = self(s)->keep == NULL ? GX_EC(ecMAPIOOM) : fill(c, self(s), o);
	if (!gx_ec_failed(ec))
		return gx_rop__give(c, &s->obj, c->logon);
	gx_ems__source_free(&s->obj);
	return ec;
}

gx_ec gx_ems__copy_object(struct gx_rop_call *c, unsigned operation, struct gx_ems_copy_opts *o)
{
	const struct gx_ems_folder *f = gx_ems__folder(c->in);
	o->inst = gx_ems__inst(c->in);
	if (f == NULL && o->inst == NULL)
		return GX_EC(ecNotSupported);
	o->fid = f == NULL ? 0 : f->fid;
	o->subfolders = true;
	o->root = gx_ftx_root(operation, f != NULL ? GX_FTX_OBJ_FOLDER : gx_ems__attachment(c->in) != NULL ? GX_FTX_OBJ_ATTACHMENT :
		GX_FTX_OBJ_MESSAGE);
	return gx_ems__give_copy(c, o);
}
