/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/* Properties of instances, one by one or some of them. */

static int view_rcpts(struct gx_msg_view *v, struct gx_proplist **ret_v, size_t *ret_n)
{
	const struct gx_imsg *m = v->ctx;
	struct gx_proplist *l = gx_arena_new_array(v->a, struct gx_proplist, m->nrcpts);
	if (l == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < m->nrcpts; i++) {
		int err = gx_prow_unpack(v->a, m->rcpts[i].p, m->rcpts[i].len, &l[i]);
		if (err != 0)
			return err;
	}
	*ret_v = l;
	*ret_n = m->nrcpts;
	return 0;
}

static bool has_visible_att(const struct gx_imsg *m)
{
	for (size_t i = 0; i < m->natts; i++) {
		struct gx_propval pv;
		if (!gx_iprops__get(&m->atts[i]->props, PidTagAttachmentHidden, &pv) || !pv.v.b)
			return true;
	}
	return false;
}

bool gx_imsg__has_attach(const struct gx_imsg *m, bool was)
{
	return m->atts_later || !(m->dirty & GX_IDIRTY_ATTS) ? was : has_visible_att(m);
}

int gx_inst__view(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_proplist *list, struct gx_msg_row *row, struct gx_msg_view *ret_v)
{
	struct gx_imsg *m = i->msg;
	*row = i->row;
	bool attach = gx_imsg__has_attach(m, (row->flags & GX_MSGF_HASATTACH) != 0);
	row->flags = attach ? row->flags | GX_MSGF_HASATTACH : row->flags & ~(uint32_t)GX_MSGF_HASATTACH;
	if (i->is_new) /* "not modified since it was first saved" is said of what was saved */
		row->flags |= GX_MSGF_MODIFIED;
	if (i->parent != NULL) {
		row->fid = row->mid = row->cn = row->body = 0;
		row->uid = 0;
	}
	if (i->given_cn != 0 && i->parent == NULL)
		row->cn = i->given_cn;
	if (i->is_new || i->changed || i->parent != NULL)
		row->size = gx_imsg__size(m);
	*ret_v = (struct gx_msg_view){.t = t, .a = a, .row = row, .stored = list, .load_rcpts = view_rcpts, .ctx = m};
	return gx_iprops__list(&m->props, a, list);
}

/* ---- Attachments ---- */

static bool computed_att(gx_proptag_t tag)
{
	return gx_rule__att(tag) == GX_RULE_COMPUTED;
}

static int att_computed(const struct gx_iatt *x, bool writable, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *pv)
{
	uint64_t size;
	uint8_t *key;
	bool named = false;
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagAttachNumber):
		*pv = (struct gx_propval){.tag = PidTagAttachNumber, .v.i32 = (int32_t)x->num};
		return 0;
	case GX_PROP_ID(PidTagAttachSize):
		size = gx_iatt__size(x);
		*pv = (struct gx_propval){.tag = PidTagAttachSize, .v.i32 = size > INT32_MAX ? INT32_MAX : (int32_t)size};
		return 0;
	case GX_PROP_ID(PidTagAccessLevel):
		*pv = (struct gx_propval){.tag = PidTagAccessLevel, .v.i32 = writable};
		return 0;
	case GX_PROP_ID(PidTagObjectType):
		*pv = (struct gx_propval){.tag = PidTagObjectType, .v.i32 = 7}; /* MAPI_ATTACH */
		return 0;
	case GX_PROP_ID(PidTagRecordKey):
		key = gx_arena_alloc(a, 4);
		if (key == NULL)
			return GX_E_NOMEM;
		for (unsigned k = 0; k < 4; k++)
			key[k] = (uint8_t)(x->num >> 8 * k);
		*pv = (struct gx_propval){.tag = PidTagRecordKey, .v.bin = {key, 4}};
		return 0;
	case GX_PROP_ID(PidTagHasNamedProperties):
		for (size_t k = 0; k < x->props.n; k++)
			named = named || GX_PROP_IS_NAMED(x->props.v[k].tag);
		*pv = (struct gx_propval){.tag = PidTagHasNamedProperties, .v.b = named};
		return 0;
	default:
		return GX_E_NOTFOUND;
	}
}

static const gx_proptag_t att_tags[] = {PidTagAttachSize, PidTagAttachNumber, PidTagAccessLevel, PidTagRecordKey, PidTagObjectType,
	PidTagHasNamedProperties};

/* ---- One of them ---- */

struct asking {
	struct gx_txn *t;
	struct gx_inst *i;
	const struct gx_iprops *props;
	struct gx_msg_view view;      /* of messages */
	struct gx_proplist list;
	struct gx_msg_row row;
	const struct gx_iatt *att;    /* of attachments */
	bool writable;
	size_t limit;
	struct gx_arena *a;
};

static bool fits(gx_proptag_t have, gx_proptag_t want)
{
	uint16_t h = GX_PROP_TYPE(have) & (uint16_t)~GX_PROW_EXTERN, w = GX_PROP_TYPE(want);
	if (w == PtypString8 || w == PtypMultipleString8)
		w++;
	return w == PtypUnspecified || h == w;
}

static int get_body(void *ctx, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct asking *q = ctx;
	const struct gx_ival *v = gx_iprops__find(q->props, tag);
	return v == NULL || !fits(v->tag, tag) ? GX_E_NOTFOUND : gx_ival__get(q->t, v, a, ret_pv);
}

static int make_body(struct asking *q, gx_proptag_t tag, struct gx_propval *pv)
{
	if (q->att != NULL)
		return GX_E_NOTFOUND;
	const struct gx_bodies b = {.s = q->t->s, .get = get_body, .ctx = q, .native = gx_msg__native_body(&q->list)};
	int err = gx_bodies__make(&b, tag, q->a, pv);
	size_t n = err != 0 ? 0 : GX_PROP_TYPE(pv->tag) == PtypString ? strlen(pv->v.str) : pv->v.bin.len;
	if (err == 0 && q->limit != 0 && n > q->limit)
		*pv = (struct gx_propval){.tag = GX_PROP_RETYPE(tag, PtypErrorCode), .v.err = ecMAPIOOM};
	return err;
}

static int one(struct asking *q, gx_proptag_t tag, struct gx_propval *pv)
{
	if (q->att != NULL ? computed_att(tag) : gx_msg__is_computed(tag))
		return q->att != NULL ? att_computed(q->att, q->writable, tag, q->a, pv) : gx_msg__computed(&q->view, tag, pv);
	const struct gx_ival *v = gx_iprops__find(q->props, tag);
	if (v == NULL || !fits(v->tag, tag))
		return make_body(q, tag, pv);
	if (q->limit != 0 && (v->blob != NULL || v->len > 8) && gx_ival__size(v) > q->limit) {
		*pv = (struct gx_propval){.tag = GX_PROP_RETYPE(tag, PtypErrorCode), .v.err = ecMAPIOOM};
		return 0;
	}
	return gx_ival__get(q->t, v, q->a, pv);
}

static int add_one(struct asking *q, gx_proptag_t tag, struct gx_proplist *l)
{
	struct gx_propval pv;
	int err = one(q, tag, &pv);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : gx_proplist_set(l, q->a, pv.tag, pv.v);
}

static int add_all(struct asking *q, struct gx_proplist *l)
{
	int err = 0;
	for (size_t k = 0; err == 0 && k < q->props->n; k++) {
		gx_proptag_t tag = q->props->v[k].tag;
		bool computed = q->att != NULL ? computed_att(tag) : gx_msg__is_computed(tag);
		if (!(tag & GX_PROW_EXTERN) && !computed)
			err = add_one(q, tag, l);
	}
	if (err == 0 && q->att == NULL)
		return gx_msg__all_computed(&q->view, l);
	for (size_t k = 0; err == 0 && q->att != NULL && k < sizeof(att_tags) / sizeof(att_tags[0]); k++)
		err = add_one(q, att_tags[k], l);
	return err;
}

static int begin(struct gx_txn *t, struct gx_inst *i, size_t limit, struct gx_arena *a, struct asking *q)
{
	*q = (struct asking){.t = t, .i = i, .limit = limit, .a = a, .writable = i->writable};
	if (!gx_inst__is_msg(i)) {
		q->att = i->att;
		q->props = &i->att->props;
		return 0;
	}
	q->props = &i->msg->props;
	return gx_inst__view(t, i, a, &q->list, &q->row, &q->view);
}

gx_ec gx_inst_get_props(struct gx_txn *t, struct gx_inst *i, const gx_proptag_t *tags, size_t n, size_t size_limit,
	struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct asking q;
	struct gx_proplist l = {0};
	gx_inst__lock(i);
	int err = i->tree->s != t->s ? GX_E_INVAL : begin(t, i, size_limit, a, &q);
	if (err == 0 && n == 0)
		err = add_all(&q, &l);
	for (size_t k = 0; err == 0 && k < n; k++)
		err = add_one(&q, tags[k], &l);
	gx_inst__unlock(i);
	if (err == 0)
		*ret_l = l;
	return gx_inst__ec(t, err);
}

/* ---- Tags ---- */

static int by_tag(const void *x, const void *y)
{
	gx_proptag_t a = *(const gx_proptag_t *)x, b = *(const gx_proptag_t *)y;
	return (a > b) - (a < b);
}

static int all_tags(struct asking *q, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct gx_proplist computed = {0};
	size_t n = 0;
	int err = 0;
	if (q->att == NULL)
		err = gx_msg__all_computed(&q->view, &computed);
	for (size_t k = 0; err == 0 && q->att != NULL && k < sizeof(att_tags) / sizeof(att_tags[0]); k++)
		err = add_one(q, att_tags[k], &computed);
	if (err != 0)
		return err;
	gx_proptag_t *v = gx_arena_new_array(q->a, gx_proptag_t, q->props->n + computed.count);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t k = 0; k < q->props->n; k++) {
		gx_proptag_t tag = q->props->v[k].tag & ~(gx_proptag_t)GX_PROW_EXTERN;
		if (!(q->att != NULL ? computed_att(tag) : gx_msg__is_computed(tag)))
			v[n++] = tag;
	}
	for (size_t k = 0; k < computed.count; k++)
		v[n++] = computed.v[k].tag;
	qsort(v, n, sizeof(*v), by_tag);
	*ret_v = v;
	*ret_n = n;
	return 0;
}

gx_ec gx_inst_all_tags(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct asking q;
	gx_inst__lock(i);
	int err = i->tree->s != t->s ? GX_E_INVAL : begin(t, i, 0, a, &q);
	if (err == 0)
		err = all_tags(&q, ret_v, ret_n);
	gx_inst__unlock(i);
	return gx_inst__ec(t, err);
}

/* ---- Tables of recipients and attachments ---- */

gx_ec gx_inst_rcpt_count(struct gx_inst *i, size_t *ret_n)
{
	if (!gx_inst__is_msg(i))
		return GX_EC(ecInvalidObject);
	gx_inst__lock(i);
	*ret_n = i->msg->nrcpts;
	gx_inst__unlock(i);
	return GX_OK_EC;
}

static int rcpt_row(const struct gx_ircpt *r, struct gx_arena *a, struct gx_proplist *ret_l)
{
	uint8_t *copy = gx_arena_memdup(a, r->p, r->len); /* the list must not borrow what the next change frees */
	if (copy == NULL)
		return GX_E_NOMEM;
	int err = gx_prow_unpack(a, copy, r->len, ret_l);
	return err != 0 ? err : gx_proplist_set_i32(ret_l, a, PidTagRowid, (int32_t)r->row_id);
}

gx_ec gx_inst_rcpts(struct gx_inst *i, uint32_t row_id, size_t max, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	if (!gx_inst__is_msg(i))
		return GX_EC(ecInvalidObject);
	gx_inst__lock(i);
	const struct gx_imsg *m = i->msg;
	size_t from = 0, n;
	while (from < m->nrcpts && m->rcpts[from].row_id < row_id)
		from++;
	n = m->nrcpts - from < max ? m->nrcpts - from : max;
	struct gx_proplist *v = gx_arena_new_array(a, struct gx_proplist, n);
	int err = v == NULL ? GX_E_NOMEM : 0;
	for (size_t k = 0; err == 0 && k < n; k++)
		err = rcpt_row(&m->rcpts[from + k], a, &v[k]);
	gx_inst__unlock(i);
	if (err != 0)
		return gx_ec_from_err(err);
	*ret_v = v;
	*ret_n = n;
	return GX_OK_EC;
}

/* A set of tags that grows. */
struct tagset {
	struct gx_arena *a;
	gx_proptag_t *v;
	size_t n, cap;
};

static int add_tag(struct tagset *s, gx_proptag_t tag)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == tag)
			return 0;
	s->v = gx_arena_grow(s->a, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return GX_E_NOMEM;
	s->v[s->n++] = tag;
	return 0;
}

static int give_tags(struct tagset *s, gx_proptag_t **ret_v, size_t *ret_n)
{
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_tag);
	*ret_v = s->v;
	*ret_n = s->n;
	return 0;
}

gx_ec gx_inst_rcpt_tags(struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct tagset s = {.a = a};
	if (!gx_inst__is_msg(i))
		return GX_EC(ecInvalidObject);
	gx_inst__lock(i);
	int err = i->msg->nrcpts == 0 ? 0 : add_tag(&s, PidTagRowid);
	for (size_t k = 0; err == 0 && k < i->msg->nrcpts; k++) {
		struct gx_prow_iter it;
		struct gx_bin e;
		int r = gx_prow_begin(&it, i->msg->rcpts[k].p, i->msg->rcpts[k].len);
		while (r >= 0 && (r = gx_prow_raw(&it, &e)) > 0 && err == 0)
			err = add_tag(&s, it.tag);
		err = r < 0 ? r : err;
	}
	if (err == 0)
		err = give_tags(&s, ret_v, ret_n);
	gx_inst__unlock(i);
	return gx_ec_from_err(err);
}

gx_ec gx_inst_att_count(struct gx_txn *t, struct gx_inst *i, size_t *ret_n)
{
	gx_inst__lock(i);
	gx_ec ec = gx_inst__with_atts(t, i);
	if (!gx_ec_failed(ec))
		*ret_n = i->msg->natts;
	gx_inst__unlock(i);
	return ec;
}

gx_ec gx_inst_att_tags(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct tagset s = {.a = a};
	gx_inst__lock(i);
	gx_ec ec = gx_inst__with_atts(t, i);
	int err = 0;
	for (size_t k = 0; !gx_ec_failed(ec) && err == 0 && k < i->msg->natts; k++) {
		const struct gx_iprops *l = &i->msg->atts[k]->props;
		for (size_t j = 0; err == 0 && j < l->n; j++)
			err = add_tag(&s, l->v[j].tag & ~(gx_proptag_t)GX_PROW_EXTERN);
	}
	for (size_t k = 0; !gx_ec_failed(ec) && err == 0 && i->msg->natts > 0 && k < sizeof(att_tags) / sizeof(att_tags[0]); k++)
		err = add_tag(&s, att_tags[k]);
	if (!gx_ec_failed(ec) && err == 0)
		err = give_tags(&s, ret_v, ret_n);
	gx_inst__unlock(i);
	return gx_ec_failed(ec) ? ec : gx_inst__ec(t, err);
}

static int att_row(struct gx_txn *t, const struct gx_iatt *x, bool writable, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
	struct gx_proplist *ret_l)
{
	/* As in other tables large values do not fit into a row, [MS-OXCTABL] 2.2.1.1. */
	struct asking q = {.t = t, .att = x, .props = &x->props, .a = a, .limit = 32767, .writable = writable};
	if (n == 0)
		return add_all(&q, ret_l);
	int err = 0;
	for (size_t k = 0; err == 0 && k < n; k++) {
		struct gx_propval pv;
		err = one(&q, tags[k], &pv);
		if (err == 0 && GX_PROP_TYPE(pv.tag) != PtypErrorCode)
			err = gx_proplist_set(ret_l, a, pv.tag, pv.v);
		err = err == GX_E_NOTFOUND ? 0 : err;
	}
	return err;
}

gx_ec gx_inst_att_rows(struct gx_txn *t, struct gx_inst *i, const gx_proptag_t *tags, size_t ntags, uint32_t start, int32_t need,
	struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	gx_inst__lock(i);
	gx_ec ec = gx_inst__with_atts(t, i);
	size_t have = gx_ec_failed(ec) ? 0 : i->msg->natts, from = start, n = 0;
	if (need >= 0 && from < have)
		n = have - from < (size_t)need ? have - from : (size_t)need;
	else if (need < 0 && have > 0) { /* from there back to the front */
		size_t last = from < have ? from : have - 1, want = (size_t)-(int64_t)need;
		n = want < last + 1 ? want : last + 1;
		from = last;
	}
	struct gx_proplist *v = gx_arena_new_array(a, struct gx_proplist, n);
	int err = v == NULL ? GX_E_NOMEM : 0;
	for (size_t k = 0; err == 0 && k < n; k++)
		err = att_row(t, i->msg->atts[need < 0 ? from - k : from + k], i->writable, tags, ntags, a, &v[k]);
	gx_inst__unlock(i);
	if (gx_ec_failed(ec) || err != 0)
		return gx_ec_failed(ec) ? ec : gx_inst__ec(t, err);
	*ret_v = v;
	*ret_n = n;
	return GX_OK_EC;
}
