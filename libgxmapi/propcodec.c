/* SPDX-License-Identifier: Apache-2.0 */
/* Values and lists of them. [MS-OXCDATA] 2.11, layouts in facts/proptypes.tsv. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/propcodec.h>
#include "libgxmapi/prop-int.h"

static bool is_wide_text(const struct gx_px *x, uint16_t type)
{
	return x->utf16 && gx_prop__single(type) == PtypString;
}

static const char *pull_utf16(struct gx_pull *c, const struct gx_px *x)
{
	size_t n = 0;
	while (n + 1 < c->left && (c->p[n] != 0 || c->p[n + 1] != 0))
		n += 2;
	const uint8_t *p = gx_pull_bytes(c, n);
	gx_pull_skip(c, 2);
	if (c->err != 0)
		return "";
	char *s;
	int err = gx_utf16le_to_utf8(x->a, p, n, &s);
	if (err != 0)
		gx_pull_fail(c, err);
	return err == 0 ? s : "";
}

const char *gx_px_pull_str(struct gx_pull *c, const struct gx_px *x, uint16_t type)
{
	if (is_wide_text(x, type))
		return pull_utf16(c, x);
	const char *raw = gx_pull_strz(c);
	size_t n = strlen(raw);
	if (c->err != 0 || !x->utf16 || x->cp == GX_CP_UTF8 || gx_ascii_only(raw, n))
		return raw;
	char *s;
	int err = gx_cp_to_utf8(x->a, x->cp, raw, n, &s, NULL, NULL);
	if (err != 0)
		gx_pull_fail(c, err);
	return err == 0 ? s : "";
}

void gx_px_push_str(struct gx_push *c, const struct gx_px *x, uint16_t type, const char *s)
{
	size_t n = strlen(s);
	struct gx_bin b;
	int err;
	if (is_wide_text(x, type)) {
		err = gx_utf8_to_utf16le(x->a, s, true, &b);
	} else if (!x->utf16 || x->cp == GX_CP_UTF8 || gx_ascii_only(s, n)) {
		gx_push_bytes(c, s, n + 1);
		return;
	} else {
		err = gx_cp_from_utf8(x->a, x->cp, s, n, false, &b);
	}
	if (err != 0) {
		gx_push_fail(c, err);
		return;
	}
	gx_push_bytes(c, b.data, b.len);
	if (!is_wide_text(x, type))
		gx_push_u8(c, 0);
}

static struct gx_bin pull_sized(struct gx_pull *c, size_t n)
{
	const uint8_t *p = gx_pull_bytes(c, n);
	return (struct gx_bin){.data = n == 0 ? NULL : p, .len = p == NULL ? 0 : n};
}

struct gx_bin gx_px_pull_bin(struct gx_pull *c, const struct gx_px *x)
{
	return pull_sized(c, x->wide ? gx_pull_u32(c) : gx_pull_u16(c));
}

static void push_count(struct gx_push *c, bool wide, size_t n)
{
	if (n > (wide ? UINT32_MAX : UINT16_MAX))
		gx_push_fail(c, GX_E_RANGE);
	else if (wide)
		gx_push_u32(c, (uint32_t)n);
	else
		gx_push_u16(c, (uint16_t)n);
}

void gx_px_push_bin(struct gx_push *c, const struct gx_px *x, struct gx_bin b)
{
	push_count(c, x->wide, b.len);
	gx_push_bytes(c, b.data, b.len);
}

/* NoOfActions, then ActionLength and that many bytes each, [MS-OXORULE] 2.2.5: kept as they are. */
static struct gx_bin pull_actions(struct gx_pull *c)
{
	const uint8_t *start = c->p;
	unsigned n = gx_pull_u16(c);
	for (unsigned i = 0; i < n && c->err == 0; ++i)
		gx_pull_skip(c, gx_pull_u16(c));
	if (c->err != 0)
		return (struct gx_bin){0};
	return (struct gx_bin){.data = start, .len = (size_t)(c->p - start)};
}

/* Such bytes only, or what follows could not be found again. */
static void push_actions(struct gx_push *c, const struct gx_bin *b)
{
	struct gx_pull r;
	gx_pull_init(&r, b->data, b->len);
	(void)pull_actions(&r);
	if (r.err != 0 || r.left != 0)
		gx_push_fail(c, GX_E_INVAL);
	gx_push_bytes(c, b->data, b->len);
}

static struct gx_bin pull_bytes(struct gx_pull *c, const struct gx_px *x, uint16_t type)
{
	switch (type) {
	case PtypServerId:
		return pull_sized(c, gx_pull_u16(c));
	case PtypRuleAction:
		return pull_actions(c);
	case PtypObject:
		/* nothing stands for it in ROP buffers */
		return x->wide ? gx_px_pull_bin(c, x) : (struct gx_bin){0};
	default:
		return gx_px_pull_bin(c, x);
	}
}

static void push_bytes(struct gx_push *c, const struct gx_px *x, uint16_t type, const struct gx_bin *b)
{
	switch (type) {
	case PtypServerId:
		push_count(c, false, b->len);
		gx_push_bytes(c, b->data, b->len);
		break;
	case PtypRuleAction:
		push_actions(c, b);
		break;
	case PtypObject:
		if (x->wide)
			gx_px_push_bin(c, x, *b);
		break;
	default:
		gx_px_push_bin(c, x, *b);
		break;
	}
}

/* HasValue: 0xFF says yes, 0 no. */
static bool pull_mark(struct gx_pull *c, const struct gx_px *x)
{
	return !x->marked || gx_pull_u8(c) != 0;
}

static void push_mark(struct gx_push *c, const struct gx_px *x)
{
	if (x->marked)
		gx_push_u8(c, 0xff);
}

static void pull_single(struct gx_pull *c, const struct gx_px *x, uint16_t type, union gx_value *v)
{
	switch (gx_prop__kind(type)) {
	case GX_KIND_I16: v->i16 = (int16_t)gx_pull_u16(c); break;
	case GX_KIND_I32: v->i32 = (int32_t)gx_pull_u32(c); break;
	case GX_KIND_I64: v->i64 = (int64_t)gx_pull_u64(c); break;
	case GX_KIND_F32: v->f32 = gx_pull_f32(c); break;
	case GX_KIND_F64: v->f64 = gx_pull_f64(c); break;
	case GX_KIND_BOOL: v->b = gx_pull_u8(c) != 0; break;
	case GX_KIND_ERR: v->err = gx_pull_u32(c); break;
	case GX_KIND_TIME: v->time = gx_pull_u64(c); break;
	case GX_KIND_STR: v->str = pull_mark(c, x) ? gx_px_pull_str(c, x, type) : ""; break;
	case GX_KIND_GUID: v->guid = gx_pull_guid(c); break;
	case GX_KIND_BIN: v->bin = pull_mark(c, x) ? pull_bytes(c, x, type) : (struct gx_bin){0}; break;
	case GX_KIND_RESTR: v->restr = gx_px_pull_restr(c, x); break;
	case GX_KIND_NONE:
		if (type != PtypNull || x->wide)
			gx_pull_fail(c, GX_E_FORMAT);
		break;
	default: gx_pull_fail(c, GX_E_FORMAT); break;
	}
}

/* Least bytes that an element takes. */
static size_t least(const struct gx_px *x, uint16_t type)
{
	switch (gx_prop__kind(type)) {
	case GX_KIND_STR: return x->marked ? 1 : is_wide_text(x, type) ? 2 : 1;
	case GX_KIND_BIN: return x->marked ? 1 : x->wide ? 4 : 2;
	default: return gx_ptype_size(gx_prop__single(type));
	}
}

void gx_px_pull_value(struct gx_pull *c, const struct gx_px *x, uint16_t type, union gx_value *ret_v)
{
	union gx_value v = {0};
	if ((type & GX_PROW_EXTERN) || !gx_ptype_known(type))
		gx_pull_fail(c, GX_E_FORMAT);
	uint16_t single = gx_prop__single(type);
	if (!gx_prop__is_multi(type)) {
		pull_single(c, x, single, &v);
	} else {
		uint32_t count = pull_mark(c, x) ? gx_pull_u32(c) : 0;
		size_t n = c->err == 0 ? gx_pull_count(c, count, least(x, type)) : 0;
		union gx_value *e = c->err == 0 ? gx_arena_new_array(x->a, union gx_value, n) : NULL;
		if (e == NULL)
			gx_pull_fail(c, GX_E_NOMEM);
		for (size_t i = 0; i < n && c->err == 0; ++i)
			pull_single(c, x, single, &e[i]);
		v.mv.v = e;
		v.mv.count = (uint32_t)n;
	}
	*ret_v = c->err == 0 ? v : (union gx_value){0};
}

static void push_single(struct gx_push *c, const struct gx_px *x, uint16_t type, const union gx_value *v)
{
	switch (gx_prop__kind(type)) {
	case GX_KIND_I16: gx_push_u16(c, (uint16_t)v->i16); break;
	case GX_KIND_I32: gx_push_u32(c, (uint32_t)v->i32); break;
	case GX_KIND_I64: gx_push_u64(c, (uint64_t)v->i64); break;
	case GX_KIND_F32: gx_push_f32(c, v->f32); break;
	case GX_KIND_F64: gx_push_f64(c, v->f64); break;
	case GX_KIND_BOOL: gx_push_u8(c, v->b); break;
	case GX_KIND_ERR: gx_push_u32(c, v->err); break;
	case GX_KIND_TIME: gx_push_u64(c, v->time); break;
	case GX_KIND_STR:
		push_mark(c, x);
		gx_px_push_str(c, x, type, v->str);
		break;
	case GX_KIND_GUID: gx_push_guid(c, &v->guid); break;
	case GX_KIND_BIN:
		push_mark(c, x);
		push_bytes(c, x, type, &v->bin);
		break;
	case GX_KIND_RESTR: gx_px_push_restr(c, x, v->restr); break;
	case GX_KIND_NONE:
		if (type != PtypNull || x->wide)
			gx_push_fail(c, GX_E_INVAL);
		break;
	default: gx_push_fail(c, GX_E_INVAL); break;
	}
}

void gx_px_push_value(struct gx_push *c, const struct gx_px *x, uint16_t type, const union gx_value *v)
{
	if ((type & GX_PROW_EXTERN) || !gx_ptype_known(type)) {
		gx_push_fail(c, GX_E_INVAL);
		return;
	}
	uint16_t single = gx_prop__single(type);
	if (!gx_prop__is_multi(type)) {
		push_single(c, x, single, v);
		return;
	}
	push_mark(c, x);
	gx_push_u32(c, v->mv.count);
	for (uint32_t i = 0; i < v->mv.count && c->err == 0; ++i)
		push_single(c, x, single, &v->mv.v[i]);
}

void gx_px_pull_propval(struct gx_pull *c, const struct gx_px *x, struct gx_propval *ret_pv)
{
	struct gx_propval pv = {.tag = gx_pull_u32(c)};
	/* [MS-OXCDATA] 2.11.3: the type goes before the value when the tag has none */
	if (c->err == 0 && GX_PROP_TYPE(pv.tag) == PtypUnspecified)
		pv.tag = GX_PROP_RETYPE(pv.tag, gx_pull_u16(c));
	gx_px_pull_value(c, x, GX_PROP_TYPE(pv.tag), &pv.v);
	*ret_pv = c->err == 0 ? pv : (struct gx_propval){0};
}

void gx_px_push_propval(struct gx_push *c, const struct gx_px *x, const struct gx_propval *pv)
{
	gx_push_u32(c, pv->tag);
	gx_px_push_value(c, x, GX_PROP_TYPE(pv->tag), &pv->v);
}

void gx_px_pull_proplist(struct gx_pull *c, const struct gx_px *x, struct gx_proplist *ret_l)
{
	unsigned count = gx_pull_u16(c);
	size_t n = gx_pull_count(c, count, 4);
	struct gx_proplist l = {0};
	l.v = gx_arena_grow(x->a, NULL, &l.cap, n == 0 ? 1 : n, sizeof(*l.v));
	if (l.v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (size_t i = 0; i < n && c->err == 0; ++i)
		gx_px_pull_propval(c, x, &l.v[l.count++]);
	*ret_l = c->err == 0 ? l : (struct gx_proplist){0};
}

void gx_px_push_proplist(struct gx_push *c, const struct gx_px *x, const struct gx_proplist *l)
{
	push_count(c, false, l->count);
	for (size_t i = 0; i < l->count && c->err == 0; ++i)
		gx_px_push_propval(c, x, &l->v[i]);
}
