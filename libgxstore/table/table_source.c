/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/table/table-int.h"

/* Properties of a row: what the table says of it, then what the object says. [MS-OXCTABL] 2.2.1 */

static int give(struct gx_propval *ret_pv, gx_proptag_t asked, gx_proptag_t tag, union gx_value v)
{
	uint16_t want = GX_PROP_TYPE(asked);
	if (want != PtypUnspecified && want != GX_PROP_TYPE(tag))
		return 0;
	*ret_pv = (struct gx_propval){tag, v};
	return 1;
}

static int give_number(struct gx_propval *ret_pv, gx_proptag_t asked, gx_proptag_t tag, uint64_t n)
{
	if (GX_PROP_TYPE(tag) == PtypInteger64)
		return give(ret_pv, asked, tag, (union gx_value){.i64 = (int64_t)n});
	return give(ret_pv, asked, tag, (union gx_value){.i32 = n > INT32_MAX ? INT32_MAX : (int32_t)n});
}

/* Tells the rows of a table apart as long as it is open. */
static int instance_key(struct gx_rowsrc *x, struct gx_propval *ret_pv, gx_proptag_t asked)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	gx_push_u32be(&out, (uint32_t)(x->row.id >> 32));
	gx_push_u32be(&out, (uint32_t)x->row.id);
	gx_push_u32be(&out, x->row.inst);
	int err = gx_push_finish(&out, x->a, &b);
	gx_push_release(&out);
	return err != 0 ? err : give(ret_pv, asked, PidTagInstanceKey, (union gx_value){.bin = b});
}

/* What every row of a hierarchy or contents table has; GX_E_UNSUP for the rest. */
static int of_row(struct gx_rowsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagInstID):
		return give_number(ret_pv, tag, PidTagInstID, x->row.id);
	case GX_PROP_ID(PidTagInstanceNum):
		return give_number(ret_pv, tag, PidTagInstanceNum, x->row.inst);
	case GX_PROP_ID(PidTagRowType):
		return give_number(ret_pv, tag, PidTagRowType, x->row.type);
	case GX_PROP_ID(PidTagDepth):
		return give_number(ret_pv, tag, PidTagDepth, x->row.depth);
	case GX_PROP_ID(PidTagInstanceKey):
		return instance_key(x, ret_pv, tag);
	default:
		return GX_E_UNSUP;
	}
}

/* ---- Contents ---- */

static bool is_instance(gx_proptag_t tag)
{
	return (tag & GX_MVI_FLAG) == GX_MVI_FLAG;
}

/* The one value that this row stands for. */
static int of_instance(struct gx_rowsrc *x, gx_proptag_t tag, uint32_t inst, struct gx_propval *ret_pv)
{
	const struct gx_seq *q = &x->tb->seq;
	struct gx_propval pv;
	if (q->want.mvi < 0 || GX_PROP_ID(q->want.col[q->want.mvi].tag) != GX_PROP_ID(tag) || inst == 0)
		return 0;
	int r = gx_msgsrc__get(&x->msg, tag & ~(gx_proptag_t)(GX_MVI_FLAG ^ GX_MV_FLAG), &pv);
	if (r <= 0 || inst > pv.v.mv.count)
		return r < 0 ? r : 0;
	*ret_pv = (struct gx_propval){tag, pv.v.mv.v[inst - 1]};
	return 1;
}

static int of_message(struct gx_rowsrc *x, gx_proptag_t tag, uint32_t inst, struct gx_propval *ret_pv)
{
	return is_instance(tag) ? of_instance(x, tag, inst, ret_pv) : gx_msgsrc__shown(&x->msg, tag, ret_pv);
}

/* Columns that all messages below the header share, and the extreme one. */
static bool shared_column(const struct gx_rowsrc *x, gx_proptag_t tag)
{
	const struct gx_groups *g = &x->tb->groups;
	unsigned n = x->row.depth + 1U;
	if (g->extremum && n == g->depth)
		n++;
	for (unsigned i = 0; i < n && i < x->tb->sort.count; i++)
		if (GX_PROP_ID(x->tb->sort.v[i].tag) == GX_PROP_ID(tag))
			return true;
	return false;
}

static int first_message(struct gx_rowsrc *x)
{
	struct gx_push key = GX_PUSH_INIT;
	uint64_t mid;
	if (x->have_first)
		return 0;
	int err = gx_groups__first_key(x->tb, x->t, x->group, &key);
	if (err == 0) {
		gx_order__id((struct gx_bin){key.data, key.len}, &mid, &x->first_inst);
		err = gx_msgsrc__set_mid(&x->msg, mid);
	}
	gx_push_release(&key);
	x->have_first = err == 0;
	return err;
}

static int of_header(struct gx_rowsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	const struct gx_group *g = &x->tb->groups.v[x->group];
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagContentCount):
		return give_number(ret_pv, tag, PidTagContentCount, g->count);
	case GX_PROP_ID(PidTagContentUnreadCount):
		return give_number(ret_pv, tag, PidTagContentUnreadCount, g->unread);
	default:
		break;
	}
	if (!shared_column(x, tag))
		return 0;
	int err = first_message(x);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : of_message(x, tag, x->first_inst, ret_pv);
}

/* ---- Folders ---- */

static int of_folder(struct gx_rowsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	struct gx_folder_info i;
	if (!x->folder_read) {
		int err = gx_folder__info(x->t, x->row.id, x->a, &i);
		if (err == 0)
			err = gx_folder__props(x->t, &i, NULL, 0, x->a, &x->folder);
		if (err != 0)
			return err;
		x->folder_read = true;
	}
	struct gx_proplist one = {0};
	int err = gx_prop__select(&x->folder, &tag, 1, x->a, &one);
	if (err != 0 || one.count == 0)
		return err;
	*ret_pv = one.v[0];
	return 1;
}

static int of_fixed(struct gx_rowsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	const struct gx_propval *pv = gx_proplist_get(x->fixed, tag);
	if (pv == NULL)
		return 0;
	*ret_pv = *pv;
	return 1;
}

/* ---- As a source ---- */

static int get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	struct gx_rowsrc *x = ctx;
	int r = x->tb->what == GX_T_FIXED ? of_fixed(x, tag, ret_pv) : GX_E_UNSUP;
	if (r == 0 || r == GX_E_UNSUP)
		r = of_row(x, tag, ret_pv);
	if (r != GX_E_UNSUP)
		return r;
	switch (x->tb->what) {
	case GX_T_FOLDERS:
		return of_folder(x, tag, ret_pv);
	case GX_T_FIXED:
		return 0;
	default:
		return x->row.type == GX_ROW_LEAF ? of_message(x, tag, x->row.inst, ret_pv) : of_header(x, tag, ret_pv);
	}
}

static int each(gx_proptag_t subobject, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx, void *ctx)
{
	struct gx_rowsrc *x = ctx;
	if (x->tb->what != GX_T_CONTENTS || x->row.type != GX_ROW_LEAF)
		return 0;
	return x->msg.src.each(subobject, cb, cb_ctx, x->msg.src.ctx);
}

static int member_of(gx_proptag_t tag, const struct gx_bin *dl, void *ctx)
{
	struct gx_rowsrc *x = ctx;
	if (x->tb->what != GX_T_CONTENTS || x->row.type != GX_ROW_LEAF)
		return 0;
	return x->msg.src.member_of(tag, dl, x->msg.src.ctx);
}

void gx_rowsrc__init(struct gx_rowsrc *x, struct gx_table *tb, struct gx_txn *t, struct gx_arena *a)
{
	*x = (struct gx_rowsrc){.src = {.get = get, .each = each, .member_of = member_of}, .tb = tb, .t = t, .a = a};
	x->src.ctx = x;
	gx_msgsrc__init(&x->msg, t, a);
}

void gx_rowsrc__release(struct gx_rowsrc *x)
{
	gx_msgsrc__release(&x->msg);
}

int gx_rowsrc__set(struct gx_rowsrc *x, const struct gx_trow *row)
{
	x->row = *row;
	x->folder_read = x->have_first = false;
	x->folder = (struct gx_proplist){0};
	x->msg.row.mid = 0;
	for (size_t i = 0; x->tb->what == GX_T_FIXED && i < x->tb->nrows; i++)
		if (x->tb->rows[i].id == row->id)
			x->fixed = &x->tb->rows[i].l;
	if (x->tb->what != GX_T_CONTENTS)
		return 0;
	if (row->type == GX_ROW_LEAF)
		return gx_msgsrc__set_mid(&x->msg, row->id);
	x->group = gx_groups__by_id(&x->tb->groups, row->id);
	return x->group == SIZE_MAX ? GX_E_NOTFOUND : 0;
}
