/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message with its recipients and attachments, and the messages in those, as elements of a stream, [MS-OXCFXICS]
 * 2.2.4.3.12. What is begun stands on a stack, each with how far it has come. Instances outlive transactions, so
 * a stream goes on where it was, whatever becomes of the message.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/emsmdb/fasttransfer.h"

enum { WHOLE_MOST = 32768, RCPTS_AT_ONCE = 64, BODY_RTF = 2, BODY_HTML = 3, AF_EMBEDDED_MESSAGE = 5 };
enum step { PROPS, LARGE, RCPTS, RCPTS_MORE, ATTS, ATTS_MORE, EMBEDDED, END };

struct gx_ems_item {
	struct gx_ems_item *outer;
	struct gx_inst *inst;
	const struct gx_ems_filter *filter;
	gx_proptag_t end;            /* marker behind it */
	bool is_att, embeds;
	enum step step;
	struct gx_arena *a;          /* for the lists below */
	gx_proptag_t *large;         /* values that do not come whole */
	size_t large_count, at;
	uint32_t next_row;           /* recipient */
	uint32_t *atts;              /* their numbers */
	size_t att_count;
	struct gx_inst_stream *value; /* that is being handed out */
	struct gx_ems_source *source;
};

gx_ec gx_ems__items_begin(struct gx_ems_items *w, struct gx_inst *inst, const struct gx_ems_filter *f, gx_proptag_t end)
{
	struct gx_inst_info info;
	struct gx_ems_item *x = calloc(1, sizeof(*x));
	struct gx_arena *a = x == NULL ? NULL : gx_arena_new(0);
	if (a == NULL) {
		free(x);
		gx_inst_free(inst);
		return GX_EC(ecMAPIOOM);
	}
	gx_inst_info(inst, &info);
	*x = (struct gx_ems_item){.outer = w->top, .inst = inst, .filter = f, .end = end, .a = a, .is_att = info.kind == GX_INST_ATTACHMENT};
	w->top = x;
	return EMS_OK;
}

static void drop(struct gx_ems_items *w)
{
	struct gx_ems_item *x = w->top;
	w->top = x->outer;
	gx_inst_stream_free(x->value);
	gx_inst_free(x->inst);
	gx_arena_free(x->a);
	free(x);
}

void gx_ems__items_release(struct gx_ems_items *w)
{
	while (w->top != NULL)
		drop(w);
}

/* ---- Properties ---- */

/* Where it is and who asks are no part of what it says; nor is what a receiver works out again. */
static bool of_place(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagMessageSize, PidTagParentEntryId, PidTagInternetArticleNumber, PidTagAccess, PidTagAccessLevel, PidTagMappingSignature,
		PidTagRecordKey, PidTagStoreRecordKey, PidTagStoreEntryId, PidTagObjectType, PidTagParentSourceKey, PidTagHasNamedProperties,
		PidTagLocalCommitTime, PidTagFolderId, PidTagParentFolderId, PidTagInstID, PidTagInstanceNum, PidTagAssociated,
		PidTagMessageRecipients, PidTagMessageAttachments,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

static bool is_identity(gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagEntryId):
	case GX_PROP_ID(PidTagSourceKey):
	case GX_PROP_ID(PidTagChangeKey):
	case GX_PROP_ID(PidTagPredecessorChangeList):
	case GX_PROP_ID(PidTagMid):
	case GX_PROP_ID(PidTagChangeNumber):
		return true;
	default:
		return false;
	}
}

static bool is_body(gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	return id == GX_PROP_ID(PidTagBody) || id == GX_PROP_ID(PidTagRtfCompressed) || id == GX_PROP_ID(PidTagHtml);
}

struct choice {
	const struct gx_ems_item *x;
	uint16_t body;               /* the one to be sent; 0: all that there are */
};

static bool passes_over(gx_proptag_t tag, const void *ctx)
{
	const struct choice *ch = ctx;
	const struct gx_ems_item *x = ch->x;
	if (of_place(tag) || (is_identity(tag) && !x->filter->keep_ids))
		return true;
	if (x->filter->has_header && GX_PROP_ID(tag) == GX_PROP_ID(PidTagLastModificationTime))
		return true;
	if (x->filter->stateless && (GX_PROP_ID(tag) == GX_PROP_ID(PidTagMessageFlags) || GX_PROP_ID(tag) == GX_PROP_ID(PidTagRead)))
		return true;
	if (x->is_att && (GX_PROP_ID(tag) == GX_PROP_ID(PidTagAttachNumber) ||
	    (x->embeds && GX_PROP_ID(tag) == GX_PROP_ID(PidTagAttachDataObject))))
		return true;
	if (!x->is_att && is_body(tag) && ch->body != 0 && !x->filter->only)
		return GX_PROP_ID(tag) != ch->body;
	return false;
}

static bool holds(const gx_proptag_t *v, size_t n, gx_proptag_t tag)
{
	for (size_t i = 0; i < n; ++i)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

/* [MS-OXCFXICS] 2.2.3.2.1.1.1, BestBody: the format that it was written in; else RTF, if that can be had. */
static void choose_body(struct choice *ch, const struct gx_proplist *l, const gx_proptag_t *tags, size_t n)
{
	int32_t native = gx_proplist_i32(l, PidTagNativeBody, 0);
	gx_proptag_t best = native == BODY_HTML ? PidTagHtml : native == BODY_RTF ? PidTagRtfCompressed : PidTagBody;
	gx_proptag_t want = ch->x->filter->best_body ? best : PidTagRtfCompressed;
	if (native != 0 && holds(tags, n, want))
		ch->body = GX_PROP_ID(want);
}

/* Those that are not among the small ones: as values, if they are of reasonable size, and else later. */
static gx_ec rest(struct gx_ems_source *s, struct gx_ems_item *x, const gx_proptag_t *tags, size_t n, struct gx_proplist *l)
{
	struct gx_proplist more;
	x->large = gx_arena_new_array(x->a, gx_proptag_t, n);
	if (x->large == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = n == 0 ? EMS_OK : gx_inst_get_props(s->t, x->inst, tags, n, WHOLE_MOST, s->a, &more);
	for (size_t i = 0; n != 0 && !gx_ec_failed(ec) && i < more.count; ++i) {
		const struct gx_propval *pv = &more.v[i];
		if (GX_PROP_TYPE(pv->tag) != PtypErrorCode)
			ec = gx_ec_from_err(gx_proplist_set(l, s->a, pv->tag, pv->v));
		for (size_t k = 0; GX_PROP_TYPE(pv->tag) == PtypErrorCode && k < n; ++k)
			if (GX_PROP_ID(tags[k]) == GX_PROP_ID(pv->tag))
				x->large[x->large_count++] = tags[k];
	}
	return ec;
}

/* RTF is made of other formats. */
static gx_ec add_rtf(struct gx_ems_source *s, struct gx_ems_item *x, struct choice *ch, struct gx_proplist *l)
{
	static const gx_proptag_t tag = PidTagRtfCompressed;
	struct gx_proplist made;
	if (x->is_att || ch->body != 0 || x->filter->best_body || x->filter->only || !gx_ems__filter_wants(x->filter, tag))
		return EMS_OK;
	gx_ec ec = gx_inst_get_props(s->t, x->inst, &tag, 1, 0, s->a, &made);
	if (gx_ec_failed(ec) || made.count == 0)
		return ec;
	ch->body = GX_PROP_ID(tag);
	return gx_ec_from_err(gx_proplist_set(l, s->a, made.v[0].tag, made.v[0].v));
}

static gx_ec collect_all(struct gx_ems_source *s, struct gx_ems_item *x, struct choice *ch, struct gx_proplist *l)
{
	gx_proptag_t *all = NULL;
	size_t n = 0, k = 0;
	gx_ec ec = gx_inst_get_props(s->t, x->inst, NULL, 0, 0, s->a, l);
	if (!gx_ec_failed(ec))
		ec = gx_inst_all_tags(s->t, x->inst, s->a, &all, &n);
	if (gx_ec_failed(ec))
		return ec;
	choose_body(ch, l, all, n);
	x->embeds = x->is_att && gx_proplist_i32(l, PidTagAttachMethod, 0) == AF_EMBEDDED_MESSAGE;
	ec = add_rtf(s, x, ch, l);
	for (size_t i = 0; i < n; ++i)
		if (gx_proplist_get(l, GX_PROP_RETYPE(all[i], PtypUnspecified)) == NULL && !passes_over(all[i], ch) &&
		    gx_ems__filter_wants(x->filter, all[i]))
			all[k++] = all[i];
	return gx_ec_failed(ec) ? ec : rest(s, x, all, k, l);
}

static gx_ec collect(struct gx_ems_source *s, struct gx_ems_item *x, struct choice *ch, struct gx_proplist *ret_l)
{
	struct gx_proplist all = {0};
	gx_ec ec;
	if (x->filter->only) {
		static const gx_proptag_t method = PidTagAttachMethod;
		ec = rest(s, x, x->filter->tags, x->filter->n, &all);
		if (!gx_ec_failed(ec) && x->is_att)
			ec = gx_inst_get_props(s->t, x->inst, &method, 1, 0, s->a, ret_l);
		x->embeds = !gx_ec_failed(ec) && x->is_att && gx_proplist_i32(ret_l, method, 0) == AF_EMBEDDED_MESSAGE;
		*ret_l = all;
		return ec;
	}
	ec = collect_all(s, x, ch, &all);
	for (size_t i = 0; !gx_ec_failed(ec) && i < all.count; ++i)
		if (gx_ems__filter_wants(x->filter, all.v[i].tag))
			ec = gx_ec_from_err(gx_proplist_set(ret_l, s->a, all.v[i].tag, all.v[i].v));
	return ec;
}

static int put_props(struct gx_ems_source *s, struct gx_ems_item *x)
{
	struct choice ch = {.x = x};
	struct gx_proplist l = {0};
	gx_ec ec = collect(s, x, &ch, &l);
	x->step = LARGE;
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : gx_ems__put_props(s, &l, passes_over, &ch);
}

static int read_value(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx)
{
	struct gx_ems_item *x = ctx;
	struct gx_ems_source *s = x->source;
	struct gx_txn *t = gx_ems__source_txn(s);
	struct gx_push out = GX_PUSH_INIT;
	gx_ec ec = t == NULL ? s->ec : gx_inst_stream_read(t, x->value, off, n, &out);
	if (!gx_ec_failed(ec)) {
		*ret_n = out.len < n ? out.len : n;
		memcpy(buf, out.data, *ret_n);
	}
	gx_push_release(&out);
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : 0;
}

static int put_large(struct gx_ems_source *s, struct gx_ems_item *x)
{
	gx_inst_stream_free(x->value);
	x->value = NULL;
	if (x->at == x->large_count) {
		x->step = x->is_att ? EMBEDDED : RCPTS;
		return 0;
	}
	gx_proptag_t tag = x->large[x->at++];
	uint16_t id = GX_PROP_ID(tag);
	struct gx_propname name;
	gx_ec ec = gx_inst_stream_open(s->t, x->inst, tag, GX_STREAM_READ, &x->value);
	if (!gx_ec_failed(ec) && GX_PROP_IS_NAMED(tag))
		ec = gx_store_named_names(s->t, &id, 1, s->a, &name);
	if (gx_ec_is(ec, ecNotSupported) || gx_ec_is(ec, ecNotFound))
		return 0;
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	const struct gx_ftx_reader r = {.size = gx_inst_stream_size(x->value), .read = read_value, .ctx = x};
	return gx_ftx_out_large(s->out, tag, GX_PROP_IS_NAMED(tag) ? &name : NULL, &r);
}

/* ---- Parts ---- */

/* [MS-OXCFXICS] 2.2.1.7: who wants all but some gets them unless they are among those. */
static bool wants_parts(const struct gx_ems_item *x, gx_proptag_t which)
{
	return !x->filter->shallow && gx_ems__filter_wants(x->filter, which);
}

static int begin_rcpts(struct gx_ems_source *s, struct gx_ems_item *x)
{
	bool wanted = wants_parts(x, PidTagMessageRecipients);
	x->step = wanted ? RCPTS_MORE : ATTS;
	return wanted ? gx_ftx_out_u32(s->out, MetaTagFXDelProp, PidTagMessageRecipients) : 0;
}

static int put_rcpts(struct gx_ems_source *s, struct gx_ems_item *x)
{
	struct gx_proplist *v;
	size_t n = 0;
	gx_ec ec = gx_inst_rcpts(x->inst, x->next_row, RCPTS_AT_ONCE, s->a, &v, &n);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; ++i) {
		err = gx_ftx_out_marker(s->out, StartRecip);
		err = err != 0 ? err : gx_ems__put_props(s, &v[i], NULL, NULL);
		err = err != 0 ? err : gx_ftx_out_marker(s->out, EndToRecip);
		x->next_row = (uint32_t)gx_proplist_i32(&v[i], PidTagRowid, 0) + 1;
	}
	if (n < RCPTS_AT_ONCE)
		x->step = ATTS;
	return err;
}

static int begin_atts(struct gx_ems_source *s, struct gx_ems_item *x)
{
	static const gx_proptag_t tag = PidTagAttachNumber;
	struct gx_proplist *v;
	x->step = END;
	x->at = 0;
	if (!wants_parts(x, PidTagMessageAttachments))
		return 0;
	gx_ec ec = gx_inst_att_count(s->t, x->inst, &x->att_count);
	if (!gx_ec_failed(ec) && x->att_count > 0)
		ec = gx_inst_att_rows(s->t, x->inst, &tag, 1, 0, (int32_t)x->att_count, s->a, &v, &x->att_count);
	x->atts = gx_arena_new_array(x->a, uint32_t, x->att_count);
	if (gx_ec_failed(ec) || x->atts == NULL)
		return gx_ems__source_failed(s, gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM));
	for (size_t i = 0; i < x->att_count; ++i)
		x->atts[i] = (uint32_t)gx_proplist_i32(&v[i], tag, 0);
	x->step = ATTS_MORE;
	return gx_ftx_out_u32(s->out, MetaTagFXDelProp, PidTagMessageAttachments);
}

static const struct gx_ems_filter whole_best = {.best_body = true}, whole_rtf = {0};

/* Filters are for what was asked for, not for what it contains. */
static const struct gx_ems_filter *inner_filter(const struct gx_ems_item *x)
{
	return x->filter->best_body ? &whole_best : &whole_rtf;
}

static int put_att(struct gx_ems_items *w, struct gx_ems_source *s, struct gx_ems_item *x)
{
	struct gx_inst *att;
	if (x->at == x->att_count) {
		x->step = END;
		return 0;
	}
	uint32_t num = x->atts[x->at++];
	gx_ec ec = gx_inst_att_open(s->t, x->inst, num, GX_INST_READ, &att);
	if (!gx_ec_failed(ec))
		ec = gx_ems__items_begin(w, att, inner_filter(x), EndAttach);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	int err = gx_ftx_out_marker(s->out, NewAttach);
	return err != 0 ? err : gx_ftx_out_u32(s->out, PidTagAttachNumber, num);
}

static int put_embedded(struct gx_ems_items *w, struct gx_ems_source *s, struct gx_ems_item *x)
{
	struct gx_inst *m;
	x->step = END;
	/* who wants some properties wants the message if it asks for the object */
	if (!x->embeds || x->filter->shallow || (x->filter->only && !gx_ems__filter_wants(x->filter, PidTagAttachDataObject)))
		return 0;
	gx_ec ec = gx_inst_embedded_open(s->t, x->inst, false, GX_INST_READ, &m);
	if (gx_ec_is(ec, ecNotFound))
		return 0;
	if (!gx_ec_failed(ec))
		ec = gx_ems__items_begin(w, m, inner_filter(x), EndEmbed);
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : gx_ftx_out_marker(s->out, StartEmbed);
}

static int put_end(struct gx_ems_items *w, struct gx_ems_source *s, struct gx_ems_item *x)
{
	int err = x->end == 0 ? 0 : gx_ftx_out_marker(s->out, x->end);
	drop(w);
	return err;
}

static int step(struct gx_ems_items *w, struct gx_ems_source *s, struct gx_ems_item *x)
{
	switch (x->step) {
	case PROPS: return put_props(s, x);
	case LARGE: return put_large(s, x);
	case RCPTS: return begin_rcpts(s, x);
	case RCPTS_MORE: return put_rcpts(s, x);
	case ATTS: return begin_atts(s, x);
	case ATTS_MORE: return put_att(w, s, x);
	case EMBEDDED: return put_embedded(w, s, x);
	case END: return put_end(w, s, x);
	}
	return GX_E_INTERNAL;
}

int gx_ems__items_next(struct gx_ems_items *w, struct gx_ems_source *s)
{
	if (w->top == NULL)
		return 0;
	if (gx_ems__source_txn(s) == NULL)
		return gx_ems__source_failed(s, s->ec);
	w->top->source = s;
	int err = step(w, s, w->top);
	return err != 0 ? err : 1;
}
