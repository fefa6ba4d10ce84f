/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/propcodec.h>
#include "libgxmapi/prop-int.h"

static void push_str(struct gx_push *out, const char *s)
{
	size_t n = strlen(s);
	gx_push_varint(out, n);
	gx_push_bytes(out, s, n + 1);
}

static void push_bin(struct gx_push *out, const struct gx_bin *b)
{
	gx_push_varint(out, b->len);
	gx_push_bytes(out, b->data, b->len);
}

/* In the flat form, which needs no scratch memory. */
static void push_restr(struct gx_push *out, const struct gx_restr *r)
{
	const struct gx_px x = GX_PX_EXT(NULL);
	struct gx_push tmp = GX_PUSH_INIT;
	gx_px_push_restr(&tmp, &x, r);
	if (tmp.err != 0)
		gx_push_fail(out, tmp.err);
	push_bin(out, &(struct gx_bin){.data = tmp.data, .len = tmp.len});
	gx_push_release(&tmp);
}

static void push_single(struct gx_push *out, uint8_t kind, const union gx_value *v)
{
	switch (kind) {
	case GX_KIND_NONE: break;
	case GX_KIND_I16: gx_push_u16(out, (uint16_t)v->i16); break;
	case GX_KIND_I32: gx_push_u32(out, (uint32_t)v->i32); break;
	case GX_KIND_I64: gx_push_u64(out, (uint64_t)v->i64); break;
	case GX_KIND_F32: gx_push_f32(out, v->f32); break;
	case GX_KIND_F64: gx_push_f64(out, v->f64); break;
	case GX_KIND_BOOL: gx_push_u8(out, v->b); break;
	case GX_KIND_ERR: gx_push_u32(out, v->err); break;
	case GX_KIND_TIME: gx_push_u64(out, v->time); break;
	case GX_KIND_STR: push_str(out, v->str); break;
	case GX_KIND_GUID: gx_push_guid(out, &v->guid); break;
	case GX_KIND_BIN: push_bin(out, &v->bin); break;
	case GX_KIND_RESTR: push_restr(out, v->restr); break;
	default: gx_push_fail(out, GX_E_INVAL); break;
	}
}

static void push_value(struct gx_push *out, const struct gx_propval *pv)
{
	uint16_t type = GX_PROP_TYPE(pv->tag);
	uint8_t kind = gx_prop__kind(type);
	if (type == PtypUnspecified || kind == GX_KIND_BAD)
		gx_push_fail(out, GX_E_INVAL);
	gx_push_u32(out, pv->tag);
	if (!gx_prop__is_multi(type)) {
		push_single(out, kind, &pv->v);
		return;
	}
	gx_push_varint(out, pv->v.mv.count);
	for (uint32_t i = 0; i < pv->v.mv.count; ++i)
		push_single(out, kind, &pv->v.mv.v[i]);
}

static int by_tag(const void *x, const void *y)
{
	gx_proptag_t a = (*(const struct gx_propval *const *)x)->tag;
	gx_proptag_t b = (*(const struct gx_propval *const *)y)->tag;
	return (a > b) - (a < b);
}

int gx_prow_pack(struct gx_push *out, const struct gx_proplist *l)
{
	const struct gx_propval *few[64], **order = few;
	if (l->count > sizeof(few) / sizeof(few[0])) {
		order = calloc(l->count, sizeof(*order));
		if (order == NULL)
			return gx_push_fail(out, GX_E_NOMEM);
	}
	bool sorted = true;
	for (size_t i = 0; i < l->count; ++i) {
		order[i] = &l->v[i];
		sorted = sorted && (i == 0 || l->v[i - 1].tag < l->v[i].tag);
	}
	if (!sorted)
		qsort(order, l->count, sizeof(*order), by_tag);
	gx_push_u8(out, GX_PROW_VERSION);
	for (size_t i = 0; i < l->count; ++i)
		push_value(out, order[i]);
	if (order != few)
		free(order);
	return out->err;
}

int gx_prow_begin(struct gx_prow_iter *it, const void *row, size_t len)
{
	*it = (struct gx_prow_iter){0};
	gx_pull_init(&it->c, row, len);
	if (len != 0 && gx_pull_u8(&it->c) != GX_PROW_VERSION)
		return gx_pull_fail(&it->c, GX_E_FORMAT);
	return it->c.err;
}

static size_t pull_len(struct gx_pull *c)
{
	return gx_pull_count(c, gx_pull_varint(c), 1);
}

static const char *pull_str(struct gx_pull *c)
{
	size_t n = pull_len(c);
	const char *s = (const char *)gx_pull_bytes(c, n + 1);
	if (s == NULL)
		return "";
	if (s[n] != '\0' || memchr(s, 0, n) != NULL)
		gx_pull_fail(c, GX_E_FORMAT);
	return c->err == 0 ? s : "";
}

static struct gx_bin pull_bin(struct gx_pull *c)
{
	size_t n = pull_len(c);
	const uint8_t *p = gx_pull_bytes(c, n);
	return (struct gx_bin){.data = n == 0 ? NULL : p, .len = p == NULL ? 0 : n};
}

static const struct gx_restr *pull_restr(struct gx_pull *c, struct gx_arena *a)
{
	const struct gx_px x = GX_PX_EXT(a);
	size_t n = pull_len(c);
	struct gx_pull k = gx_pull_child(c, n);
	const struct gx_restr *r = gx_px_pull_restr(&k, &x);
	gx_pull_close(c, &k, true);
	return r;
}

static void pull_single(struct gx_pull *c, uint8_t kind, struct gx_arena *a, union gx_value *v)
{
	switch (kind) {
	case GX_KIND_NONE: break;
	case GX_KIND_I16: v->i16 = (int16_t)gx_pull_u16(c); break;
	case GX_KIND_I32: v->i32 = (int32_t)gx_pull_u32(c); break;
	case GX_KIND_I64: v->i64 = (int64_t)gx_pull_u64(c); break;
	case GX_KIND_F32: v->f32 = gx_pull_f32(c); break;
	case GX_KIND_F64: v->f64 = gx_pull_f64(c); break;
	case GX_KIND_BOOL: v->b = gx_pull_u8(c) != 0; break;
	case GX_KIND_ERR: v->err = gx_pull_u32(c); break;
	case GX_KIND_TIME: v->time = gx_pull_u64(c); break;
	case GX_KIND_STR: v->str = pull_str(c); break;
	case GX_KIND_GUID: v->guid = gx_pull_guid(c); break;
	case GX_KIND_BIN: v->bin = pull_bin(c); break;
	case GX_KIND_RESTR: v->restr = pull_restr(c, a); break;
	default: gx_pull_fail(c, GX_E_FORMAT); break;
	}
}

/* Least bytes that an element takes. */
static size_t least(uint8_t kind)
{
	size_t n = gx_prop__kind_size(kind);
	return n != 0 ? n : 1;
}

static void pull_value(struct gx_pull *c, uint16_t type, struct gx_arena *a, union gx_value *v)
{
	uint8_t kind = gx_prop__kind(type);
	if (type == PtypUnspecified || kind == GX_KIND_BAD)
		gx_pull_fail(c, GX_E_FORMAT);
	if (!gx_prop__is_multi(type)) {
		pull_single(c, kind, a, v);
		return;
	}
	uint64_t count = gx_pull_varint(c);
	size_t n = gx_pull_count(c, count, least(kind));
	if (n > UINT32_MAX)
		gx_pull_fail(c, GX_E_LIMIT);
	union gx_value *e = c->err == 0 ? gx_arena_new_array(a, union gx_value, n) : NULL;
	if (e == NULL) {
		gx_pull_fail(c, GX_E_NOMEM);
		return;
	}
	for (size_t i = 0; i < n && c->err == 0; ++i)
		pull_single(c, kind, a, &e[i]);
	v->mv.v = e;
	v->mv.count = (uint32_t)n;
}

/* Past a value that nobody asked for. */
static void skip_value(struct gx_pull *c, uint16_t type)
{
	bool multi = gx_prop__is_multi(type);
	uint8_t kind = gx_prop__kind(type);
	size_t size = gx_prop__kind_size(kind), count = 1;
	if (type == PtypUnspecified || kind == GX_KIND_BAD) {
		gx_pull_fail(c, GX_E_FORMAT);
		return;
	}
	if (multi) {
		uint64_t m = gx_pull_varint(c);
		count = gx_pull_count(c, m, least(kind));
	}
	if (size != 0) {
		gx_pull_skip(c, count * size);
		return;
	}
	if (kind == GX_KIND_NONE)
		return;
	for (size_t i = 0; i < count && c->err == 0; ++i) {
		size_t len = pull_len(c);
		gx_pull_skip(c, len + (kind == GX_KIND_STR));
	}
}

int gx_prow_next(struct gx_prow_iter *it, struct gx_arena *a, struct gx_propval *ret_pv)
{
	if (it->c.err != 0)
		return it->c.err;
	if (it->c.left == 0)
		return 0;
	union gx_value v = {0};
	it->tag = gx_pull_u32(&it->c);
	pull_value(&it->c, GX_PROP_TYPE(it->tag), a, &v);
	if (it->c.err != 0)
		return it->c.err;
	*ret_pv = (struct gx_propval){.tag = it->tag, .v = v};
	return 1;
}

int gx_prow_raw(struct gx_prow_iter *it, struct gx_bin *ret_entry)
{
	if (it->c.err != 0)
		return it->c.err;
	if (it->c.left == 0)
		return 0;
	const uint8_t *start = it->c.p;
	it->tag = gx_pull_u32(&it->c);
	skip_value(&it->c, GX_PROP_TYPE(it->tag));
	if (it->c.err != 0)
		return it->c.err;
	*ret_entry = (struct gx_bin){start, (size_t)(it->c.p - start)};
	return 1;
}

int gx_prow_entry(struct gx_bin entry, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct gx_prow_iter it = {0};
	gx_pull_init(&it.c, entry.data, entry.len);
	int r = gx_prow_next(&it, a, ret_pv);
	return r > 0 ? 0 : r == 0 ? GX_E_TRUNC : r;
}

int gx_prow_find(const void *row, size_t len, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct gx_prow_iter it;
	int err = gx_prow_begin(&it, row, len);
	while (err == 0 && it.c.left != 0) {
		it.tag = gx_pull_u32(&it.c);
		if (GX_PROP_ID(it.tag) > GX_PROP_ID(tag))
			break;
		if (gx_prop__matches(it.tag, tag)) {
			union gx_value v = {0};
			pull_value(&it.c, GX_PROP_TYPE(it.tag), a, &v);
			if (it.c.err == 0)
				*ret_pv = (struct gx_propval){.tag = it.tag, .v = v};
			return it.c.err;
		}
		skip_value(&it.c, GX_PROP_TYPE(it.tag));
		err = it.c.err;
	}
	return err != 0 ? err : it.c.err != 0 ? it.c.err : GX_E_NOTFOUND;
}

int gx_prow_unpack(struct gx_arena *a, const void *row, size_t len, struct gx_proplist *ret_l)
{
	struct gx_prow_iter it;
	struct gx_proplist l = {0};
	int err = gx_prow_begin(&it, row, len);
	if (err != 0)
		return err;
	for (;;) {
		struct gx_propval pv;
		err = gx_prow_next(&it, a, &pv);
		if (err <= 0)
			break;
		struct gx_propval *v = gx_arena_grow(a, l.v, &l.cap, l.count + 1, sizeof(*l.v));
		if (v == NULL)
			return GX_E_NOMEM;
		l.v = v;
		l.v[l.count++] = pv;
	}
	if (err == 0)
		*ret_l = l;
	return err;
}
