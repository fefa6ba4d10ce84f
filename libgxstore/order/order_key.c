/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/order/order-int.h"

/*
 * Rows become bytes that memcmp() orders. A column is one byte (0 absent, 1 present) and the value: numbers
 * big-endian, their sign turned; texts folded, with a NUL; binaries with 0 written as 0 255, ended by
 * 0 0. In a descending column all of it is inverted.
 */

#define SPEC_VERSION 1 /* of all of this: other bytes for the same value are another order */
#define SIGN UINT64_C(0x8000000000000000)

/* ---- The columns ---- */

/* What depends on who asks has no place in an order that all share. */
static bool sortable(const struct gx_store *s, gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagAccess):
	case GX_PROP_ID(PidTagAccessLevel):
		return false;
	case GX_PROP_ID(PidTagRead):
	case GX_PROP_ID(PidTagMessageFlags):
		return !s->is_public;
	default:
		return true;
	}
}

/* What the narrow row says, which changes without the properties being written. */
static bool follows_row(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagMessageFlags,
		PidTagRead,
		PidTagHasAttachments,
		PidTagAssociated,
		PidTagChangeNumber,
		PidTagChangeKey,
		PidTagPredecessorChangeList,
		PidTagInternetArticleNumber,
		PidTagMessageSize,
		PidTagFlagStatus,
		PidTagLastVerbExecuted,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

static int add_column(struct gx_orderspec *o, gx_proptag_t tag, uint8_t order)
{
	uint16_t type = GX_PROP_TYPE(tag);
	if (o->n == GX_ORDER_COLS)
		return GX_E_LIMIT;
	if ((type & GX_MVI_FLAG) == GX_MVI_FLAG) {
		if (o->mvi >= 0)
			return GX_E_INVAL;
		o->mvi = (int)o->n;
	} else if ((type & GX_MVI_FLAG) != 0) {
		return GX_E_INVAL;
	}
	switch (type & ~GX_MVI_FLAG) {
	case PtypInteger16:
	case PtypInteger32:
	case PtypFloating32:
	case PtypFloating64:
	case PtypCurrency:
	case PtypFloatingTime:
	case PtypBoolean:
	case PtypInteger64:
	case PtypString:
	case PtypTime:
	case PtypGuid:
	case PtypServerId:
	case PtypBinary:
		break;
	case PtypString8: /* the same text */
		type = (uint16_t)(type - PtypString8 + PtypString);
		break;
	default:
		return GX_E_INVAL;
	}
	o->col[o->n++] = (struct gx_sort){GX_PROP_RETYPE(tag, type), order};
	o->follows_row = o->follows_row || follows_row(tag);
	return 0;
}

static void write_bytes(struct gx_orderspec *o)
{
	uint8_t *p = o->bytes;
	*p++ = SPEC_VERSION;
	for (unsigned i = 0; i < o->n; i++) {
		for (unsigned k = 0; k < 4; k++)
			*p++ = (uint8_t)(o->col[i].tag >> 8 * k);
		*p++ = o->col[i].order;
	}
	o->len = (size_t)(p - o->bytes);
}

/* [MS-OXCDATA] 2.13.1: a maximum puts the group with the highest value first. */
static bool descends(uint8_t order)
{
	return order == GX_SORT_DESCEND || order == GX_SORT_MAX_CATEGORY;
}

int gx_orderspec__make(const struct gx_sortset *s, struct gx_orderspec *o, bool *ret_back)
{
	static const struct gx_sort by_time = {PidTagMessageDeliveryTime, GX_SORT_ASCEND};
	const struct gx_sort *v = s == NULL || s->count == 0 ? &by_time : s->v;
	unsigned n = s == NULL || s->count == 0 ? 1 : s->count;
	bool back = descends(v[0].order);
	*o = (struct gx_orderspec){.mvi = -1};
	for (unsigned i = 0; i < n; i++) {
		int err = add_column(o, v[i].tag, descends(v[i].order) != back ? GX_SORT_DESCEND : GX_SORT_ASCEND);
		if (err != 0)
			return err;
	}
	write_bytes(o);
	*ret_back = back;
	return 0;
}

int gx_orderspec__parse(struct gx_bin b, struct gx_orderspec *o)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	*o = (struct gx_orderspec){.mvi = -1};
	if (gx_pull_u8(&c) != SPEC_VERSION)
		return GX_E_FORMAT;
	while (c.left > 0 && c.err == 0) {
		gx_proptag_t tag = gx_pull_u32(&c);
		uint8_t order = gx_pull_u8(&c);
		int err = c.err != 0 || order > GX_SORT_DESCEND ? GX_E_FORMAT : add_column(o, tag, order);
		if (err != 0)
			return GX_E_FORMAT;
	}
	write_bytes(o);
	return o->n == 0 ? GX_E_FORMAT : 0;
}

bool gx_orderspec__serves(const struct gx_orderspec *have, const struct gx_orderspec *want)
{
	return have->mvi == want->mvi && have->len >= want->len && memcmp(have->bytes, want->bytes, want->len) == 0;
}

bool gx_orderspec__by_row(const struct gx_orderspec *o)
{
	for (unsigned i = 0; i < o->n; i++)
		if (!gx_msg__is_by_row(o->col[i].tag))
			return false;
	return true;
}

/* ---- Values ---- */

static void push_u64be(struct gx_push *out, uint64_t v)
{
	gx_push_u32be(out, (uint32_t)(v >> 32));
	gx_push_u32be(out, (uint32_t)v);
}

static void push_double(struct gx_push *out, double d)
{
	uint64_t bits = 0;
	if (d != d)
		bits = UINT64_MAX; /* what is no number comes last */
	else if (d != 0) /* there are two zeros */
		memcpy(&bits, &d, sizeof(bits));
	if (d == d)
		bits = bits & SIGN ? ~bits : bits | SIGN;
	push_u64be(out, bits);
}

/* At most @max bytes. */
static void push_folded(struct gx_push *out, const char *s, size_t max)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	const char *end = s + strlen(s);
	while (s < end) {
		size_t before = b.len;
		gx_utf8_put(&b, gx_utf8_fold(gx_utf8_next(&s, end)));
		if (b.err != 0 || b.len > max) {
			gx_strbuf_truncate(&b, before);
			break;
		}
	}
	if (b.err != 0)
		gx_push_fail(out, b.err);
	gx_push_bytes(out, gx_strbuf_cstr(&b), b.len);
	gx_strbuf_release(&b);
}

/* Most texts are ASCII, or begin so: that part needs no buffer that grows. */
static void push_text(struct gx_push *out, const char *s)
{
	uint8_t ascii[GX_ORDER_TEXT];
	size_t n = 0;
	for (; n < GX_ORDER_TEXT && s[n] != '\0' && (uint8_t)s[n] < 0x80; n++)
		ascii[n] = (uint8_t)gx_utf8_fold((uint8_t)s[n]);
	gx_push_bytes(out, ascii, n);
	if (n < GX_ORDER_TEXT && s[n] != '\0')
		push_folded(out, s + n, GX_ORDER_TEXT - n);
	gx_push_u8(out, 0);
}

static void push_binary(struct gx_push *out, struct gx_bin v)
{
	size_t n = v.len > GX_ORDER_TEXT ? GX_ORDER_TEXT : v.len;
	for (size_t i = 0; i < n; i++) {
		gx_push_u8(out, v.data[i]);
		if (v.data[i] == 0)
			gx_push_u8(out, 0xff);
	}
	gx_push_u8(out, 0);
	gx_push_u8(out, 0);
}

static void push_guid(struct gx_push *out, const struct gx_guid *g)
{
	gx_push_u32be(out, g->d1);
	gx_push_u16be(out, g->d2);
	gx_push_u16be(out, g->d3);
	gx_push_bytes(out, g->d4, sizeof(g->d4));
}

static void push_value(struct gx_push *out, uint16_t type, const union gx_value *v)
{
	switch (type) {
	case PtypInteger16:
		gx_push_u16be(out, (uint16_t)((uint16_t)v->i16 ^ 0x8000U));
		break;
	case PtypInteger32:
		gx_push_u32be(out, (uint32_t)v->i32 ^ 0x80000000U);
		break;
	case PtypInteger64: case PtypCurrency:
		push_u64be(out, (uint64_t)v->i64 ^ SIGN);
		break;
	case PtypTime:
		push_u64be(out, v->time);
		break;
	case PtypFloating32:
		push_double(out, (double)v->f32);
		break;
	case PtypFloating64: case PtypFloatingTime:
		push_double(out, v->f64);
		break;
	case PtypBoolean:
		gx_push_u8(out, v->b);
		break;
	case PtypString: case PtypString8:
		push_text(out, v->str);
		break;
	case PtypGuid:
		push_guid(out, &v->guid);
		break;
	default:
		push_binary(out, v->bin);
		break;
	}
}

static void column(struct gx_push *out, const struct gx_sort *c, const union gx_value *v)
{
	size_t start = out->len;
	gx_push_u8(out, v != NULL);
	if (v != NULL)
		push_value(out, GX_PROP_TYPE(c->tag) & (uint16_t)~GX_MVI_FLAG, v);
	if (c->order == GX_SORT_DESCEND && out->err == 0)
		for (size_t i = start; i < out->len; i++)
			gx_push_patch_u8(out, i, (uint8_t)~out->data[i]);
}

void gx_order__column(struct gx_push *out, const struct gx_sort *c, const struct gx_propval *pv)
{
	column(out, c, pv == NULL ? NULL : &pv->v);
}

/* ---- Keys of a message ---- */

void gx_orderkeys__clear(struct gx_orderkeys *k)
{
	gx_push_clear(&k->bytes);
	k->n = 0;
}

static int fetch(const struct gx_sort *c, struct gx_msgsrc *x, struct gx_propval *ret_pv)
{
	gx_proptag_t tag = c->tag & ~(gx_proptag_t)0x2000; /* the property itself, not its instances */
	return sortable(x->t->s, c->tag) ? gx_msgsrc__get(x, tag, ret_pv) : 0;
}

static int make_one(const struct gx_orderspec *o, struct gx_msgsrc *x, struct gx_orderkeys *k,
	const union gx_value *instance, uint32_t inst)
{
	size_t start = k->bytes.len;
	for (unsigned i = 0; i < o->n; i++) {
		struct gx_propval pv;
		int r = (int)i == o->mvi ? 0 : fetch(&o->col[i], x, &pv);
		if (r < 0)
			return r;
		column(&k->bytes, &o->col[i], (int)i == o->mvi ? instance : r > 0 ? &pv.v : NULL);
	}
	gx_push_u48be(&k->bytes, x->row.mid);
	gx_push_u16be(&k->bytes, (uint16_t)inst);
	k->at[k->n].off = start;
	k->at[k->n++].len = k->bytes.len - start;
	return k->bytes.err;
}

int gx_orderkeys__make(const struct gx_orderspec *o, struct gx_msgsrc *x, struct gx_orderkeys *k)
{
	struct gx_propval pv = {0};
	gx_orderkeys__clear(k);
	if (o->mvi < 0)
		return make_one(o, x, k, NULL, 0);
	int r = fetch(&o->col[o->mvi], x, &pv);
	if (r < 0)
		return r;
	uint32_t n = r == 0 ? 0 : pv.v.mv.count;
	if (n == 0)
		return make_one(o, x, k, NULL, 0);
	for (uint32_t i = 0; i < n && i < GX_ORDER_INSTANCES; i++) {
		r = make_one(o, x, k, &pv.v.mv.v[i], i + 1);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- Reading keys ---- */

/* Past a NUL, or for binaries 0 0, in the bytes as they were before they were inverted. */
static void skip_ended(struct gx_pull *c, uint8_t flip, bool binary)
{
	while (c->err == 0) {
		if ((gx_pull_u8(c) ^ flip) != 0)
			continue;
		if (!binary || (gx_pull_u8(c) ^ flip) == 0)
			return;
	}
}

static void skip_column(struct gx_pull *c, const struct gx_sort *s)
{
	uint8_t flip = s->order == GX_SORT_DESCEND ? 0xff : 0;
	uint16_t type = GX_PROP_TYPE(s->tag) & (uint16_t)~GX_MVI_FLAG;
	if ((gx_pull_u8(c) ^ flip) == 0)
		return;
	switch (type) {
	case PtypString:
		skip_ended(c, flip, false);
		break;
	case PtypBinary: case PtypServerId:
		skip_ended(c, flip, true);
		break;
	case PtypFloating32:
		gx_pull_skip(c, 8);
		break;
	default:
		gx_pull_skip(c, gx_ptype_size(type));
		break;
	}
}

size_t gx_orderspec__prefix(const struct gx_orderspec *o, struct gx_bin key, unsigned cols)
{
	struct gx_pull c;
	gx_pull_init(&c, key.data, key.len);
	for (unsigned i = 0; i < cols && i < o->n; i++)
		skip_column(&c, &o->col[i]);
	return c.err != 0 ? 0 : key.len - c.left;
}

void gx_order__id(struct gx_bin key, uint64_t *ret_mid, uint32_t *ret_inst)
{
	struct gx_pull c;
	gx_pull_init(&c, key.data, key.len);
	gx_pull_skip(&c, key.len < GX_ORDER_TAIL ? 0 : key.len - GX_ORDER_TAIL);
	*ret_mid = gx_pull_u48be(&c);
	*ret_inst = gx_pull_u16be(&c);
}

int gx_order__cmp(struct gx_bin x, struct gx_bin y)
{
	size_t n = x.len < y.len ? x.len : y.len;
	int d = n == 0 ? 0 : memcmp(x.data, y.data, n);
	return d != 0 ? d : (x.len > y.len) - (x.len < y.len);
}

bool gx_order__after(struct gx_bin prefix, struct gx_push *out)
{
	size_t n = prefix.len;
	while (n > 0 && prefix.data[n - 1] == 0xff)
		n--;
	gx_push_clear(out);
	if (n == 0)
		return false;
	gx_push_bytes(out, prefix.data, n);
	if (out->err == 0)
		gx_push_patch_u8(out, n - 1, (uint8_t)(prefix.data[n - 1] + 1));
	return true;
}
