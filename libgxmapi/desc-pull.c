/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmapi/desc-int.h"

static uint64_t pull_bool(struct gx_pull *c)
{
	uint8_t v = gx_pull_u8(c);
	if (v > 1)
		gx_pull_fail(c, GX_E_FORMAT);
	return v == 1;
}

static uint64_t pull_number(struct gx_pull *c, uint8_t kind)
{
	switch (kind) {
	case GX_DK_U8: return gx_pull_u8(c);
	case GX_DK_U16: return gx_pull_u16(c);
	case GX_DK_U32: return gx_pull_u32(c);
	case GX_DK_U64: return gx_pull_u64(c);
	case GX_DK_U16BE: return gx_pull_u16be(c);
	case GX_DK_U32BE: return gx_pull_u32be(c);
	case GX_DK_U48BE: return gx_pull_u48be(c);
	case GX_DK_BOOL8: return gx_pull_u8(c) != 0;
	case GX_DK_BOOL: return pull_bool(c);
	default: return gx_pull_u16(c) != 0; /* GX_DK_BOOL16 */
	}
}

static uint64_t pull_bound(struct gx_pull *c, const struct gx_desc_frame *fr, uint8_t by, uint8_t field)
{
	switch (by) {
	case GX_DB_FIELD: return fr->val[field];
	case GX_DB_U8: return gx_pull_u8(c);
	case GX_DB_U16: return gx_pull_u16(c);
	case GX_DB_U32: return gx_pull_u32(c);
	default: return c->left; /* GX_DB_REST */
	}
}

static const char *pull_terminated(struct gx_pull *c, const struct gx_desc_frame *fr, bool wide)
{
	struct gx_px px = fr->x->px;
	px.utf16 = wide || px.utf16;
	return gx_px_pull_str(c, &px, wide ? PtypString : PtypString8);
}

static const char *pull_counted_text(const struct gx_desc_frame *fr, struct gx_pull *c, const struct gx_bin *b, bool wide)
{
	const struct gx_px *px = &fr->x->px;
	char *s;
	int err = wide ? gx_utf16le_to_utf8(px->a, b->data, b->len, &s)
		: gx_cp_to_utf8(px->a, px->utf16 ? px->cp : GX_CP_UTF8, b->data, b->len, &s, NULL, NULL);
	if (err != 0)
		gx_pull_fail(c, err);
	return err == 0 ? s : "";
}

static void pull_sized(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, void *m)
{
	uint64_t n = pull_bound(c, fr, f->size_by, f->size_field);
	if (c->err == 0 && !gx_desc__fits(f, f->count_by == GX_DB_NONE ? n : f->min))
		gx_pull_fail(c, GX_E_FORMAT);
	const uint8_t *p = gx_pull_bytes(c, n > SIZE_MAX ? SIZE_MAX : (size_t)n);
	struct gx_bin b = {.data = n == 0 ? NULL : p, .len = p == NULL ? 0 : (size_t)n};
	if (f->kind == GX_DK_BIN) {
		memcpy(m, &b, sizeof(b));
		return;
	}
	const char *s = c->err == 0 ? pull_counted_text(fr, c, &b, f->kind == GX_DK_STRW) : "";
	memcpy(m, &s, sizeof(s));
}

static void pull_bytes(struct gx_pull *c, void *m, size_t n)
{
	const uint8_t *p = gx_pull_bytes(c, n);
	if (p != NULL)
		memcpy(m, p, n);
}

static void pull_elem(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, void *m)
{
	const struct gx_px *px = &fr->x->px;
	switch (f->kind) {
	case GX_DK_F32:
		*(float *)m = gx_pull_f32(c);
		break;
	case GX_DK_F64:
		*(double *)m = gx_pull_f64(c);
		break;
	case GX_DK_GUID:
		*(struct gx_guid *)m = gx_pull_guid(c);
		break;
	case GX_DK_BYTES:
		pull_bytes(c, m, f->arg);
		break;
	case GX_DK_BIN:
	case GX_DK_STR8:
	case GX_DK_STRW:
		pull_sized(c, fr, f, m);
		break;
	case GX_DK_STR8Z:
	case GX_DK_STRWZ:
	case GX_DK_STRZ:
		*(const char **)m = pull_terminated(c, fr, gx_desc__is_wide(fr, f));
		break;
	case GX_DK_STRUCT:
		gx_desc_pull(c, fr->x, f->ref, m);
		break;
	case GX_DK_PROPVAL:
		gx_px_pull_propval(c, px, m);
		break;
	case GX_DK_PROPLIST:
		gx_px_pull_proplist(c, px, m);
		break;
	case GX_DK_RESTR:
		*(const struct gx_restr **)m = gx_px_pull_restr(c, px);
		break;
	case GX_DK_SORTSET:
		gx_px_pull_sortset(c, px, m);
		break;
	case GX_DK_CUSTOM:
		((const struct gx_custom *)f->ref)->pull(c, fr->x, m);
		break;
	default:
		gx_desc__set(f, m, pull_number(c, f->kind));
		break;
	}
}

/* Until the input ends; an element without bytes would never let it. */
static void *pull_rest(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, uint32_t *ret_n)
{
	char *v = gx_arena_calloc(fr->x->px.a, 1, f->elem);
	size_t n = 0, cap = 1;
	while (v != NULL && c->err == 0 && c->left != 0) {
		size_t left = c->left;
		v = gx_arena_grow(fr->x->px.a, v, &cap, n + 1, f->elem);
		if (v == NULL)
			break;
		memset(v + n * f->elem, 0, f->elem);
		pull_elem(c, fr, f, v + n * f->elem);
		++n;
		if (c->left == left)
			gx_pull_fail(c, GX_E_FORMAT);
	}
	*ret_n = (uint32_t)n;
	return v;
}

static void *pull_counted(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, uint32_t *ret_n)
{
	uint64_t count = pull_bound(c, fr, f->count_by, f->count_field);
	size_t n = gx_pull_count(c, count, gx_desc__least(f));
	char *v = c->err == 0 ? gx_arena_calloc(fr->x->px.a, n, f->elem) : NULL;
	for (size_t i = 0; v != NULL && i < n && c->err == 0; ++i)
		pull_elem(c, fr, f, v + i * f->elem);
	*ret_n = (uint32_t)n;
	return v;
}

static void pull_fixed(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, char *m)
{
	for (uint32_t i = 0; i < f->arg && c->err == 0; ++i)
		pull_elem(c, fr, f, m + i * f->elem);
}

static void pull_array(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, void *obj)
{
	uint32_t n;
	if (f->count_by == GX_DB_FIXED) {
		pull_fixed(c, fr, f, (char *)obj + f->off);
		return;
	}
	void *v = f->count_by == GX_DB_REST ? pull_rest(c, fr, f, &n) : pull_counted(c, fr, f, &n);
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	if (!gx_desc__fits(f, n))
		gx_pull_fail(c, GX_E_FORMAT);
	if (c->err != 0)
		return;
	memcpy((char *)obj + f->off, &v, sizeof(v));
	memcpy((char *)obj + f->count_off, &n, sizeof(n));
}

static void pull_optional(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, void *m)
{
	void *v = m;
	if (gx_pull_u8(c) == 0)
		return;
	if (f->opt == GX_DP_POINTER) {
		v = gx_arena_calloc(fr->x->px.a, 1, f->elem);
		if (v == NULL) {
			gx_pull_fail(c, GX_E_NOMEM);
			return;
		}
		memcpy(m, &v, sizeof(v));
	}
	pull_elem(c, fr, f, v);
}

static bool peek(const struct gx_pull *c, uint32_t want)
{
	struct gx_pull look = *c;
	return gx_pull_u32(&look) == want && look.err == 0;
}

static void pull_member(struct gx_pull *c, const struct gx_desc_frame *fr, const struct gx_field *f, void *obj)
{
	void *m = (char *)obj + f->off;
	if (f->kind == GX_DK_MORE) {
		gx_desc__set(f, m, c->err == 0 && c->left != 0);
		return;
	}
	if (f->kind == GX_DK_PEEK) {
		gx_desc__set(f, m, c->err == 0 && peek(c, f->arg));
		return;
	}
	struct gx_pull child, *p = c;
	if (f->size_by != GX_DB_NONE && !gx_desc__is_sized(f)) {
		uint64_t n = pull_bound(c, fr, f->size_by, f->size_field);
		if (n == 0 && gx_desc__may_lack(f))
			return;
		child = gx_pull_child(c, n > SIZE_MAX ? SIZE_MAX : (size_t)n);
		p = &child;
	}
	if (f->opt != GX_DP_NONE)
		pull_optional(p, fr, f, m);
	else if (f->count_by == GX_DB_NONE)
		pull_elem(p, fr, f, m);
	else
		pull_array(p, fr, f, obj);
	if (p == &child)
		gx_pull_close(c, &child, true);
}

static uint64_t pull_derived(struct gx_pull *c, const struct gx_field *f)
{
	uint64_t v = pull_number(c, f->kind);
	if (f->role == GX_DR_CONST && c->err == 0 && v != f->arg)
		gx_pull_fail(c, GX_E_FORMAT);
	return f->role == GX_DR_LEN ? v * f->arg : v;
}

void gx_desc_pull(struct gx_pull *c, const struct gx_dctx *x, const struct gx_desc *d, void *ret_obj)
{
	struct gx_desc_frame fr = {.d = d, .x = x};
	assert(d->count <= GX_DESC_MAX_FIELDS);
	memset(ret_obj, 0, d->size);
	if (!gx_pull_enter(c))
		return;
	const struct gx_field *f;
	for (unsigned i = 0; c->err == 0 && (f = gx_desc__next(&fr, &i)) != NULL;) {
		if (f->role != GX_DR_MEMBER) {
			fr.val[i - 1] = pull_derived(c, f);
			continue;
		}
		pull_member(c, &fr, f, ret_obj);
		if (gx_desc__is_number(f))
			fr.val[i - 1] = gx_desc__get(f, (char *)ret_obj + f->off);
		if (gx_desc__is_number(f) && c->err == 0 && !gx_desc__fits(f, fr.val[i - 1]))
			gx_pull_fail(c, GX_E_FORMAT);
	}
	gx_pull_leave(c);
	if (c->err != 0)
		memset(ret_obj, 0, d->size);
}
