/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmapi/desc-int.h"

/* Where each field came to stand, for lengths and offsets. */
struct places {
	size_t self;
	size_t start[GX_DESC_MAX_FIELDS], end[GX_DESC_MAX_FIELDS];
};

static const uint64_t most[] = {
	[GX_DK_U8] = UINT8_MAX, [GX_DK_U16] = UINT16_MAX, [GX_DK_U32] = UINT32_MAX, [GX_DK_U64] = UINT64_MAX,
	[GX_DK_U16BE] = UINT16_MAX, [GX_DK_U32BE] = UINT32_MAX, [GX_DK_U48BE] = (UINT64_C(1) << 48) - 1,
	[GX_DK_BOOL8] = 1, [GX_DK_BOOL16] = 1, [GX_DK_BOOL] = 1,
};

static void push_number(struct gx_push *c, uint8_t kind, uint64_t v)
{
	if (v > most[kind]) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	switch (kind) {
	case GX_DK_U8: gx_push_u8(c, (uint8_t)v); break;
	case GX_DK_U16: gx_push_u16(c, (uint16_t)v); break;
	case GX_DK_U32: gx_push_u32(c, (uint32_t)v); break;
	case GX_DK_U64: gx_push_u64(c, v); break;
	case GX_DK_U16BE: gx_push_u16be(c, (uint16_t)v); break;
	case GX_DK_U32BE: gx_push_u32be(c, (uint32_t)v); break;
	case GX_DK_U48BE: gx_push_u48be(c, v); break;
	case GX_DK_BOOL8:
	case GX_DK_BOOL: gx_push_u8(c, (uint8_t)v); break;
	default: gx_push_u16(c, (uint16_t)v); break; /* GX_DK_BOOL16 */
	}
}

static void patch(struct gx_push *c, uint8_t kind, size_t off, uint64_t v)
{
	if (v > most[kind])
		gx_push_fail(c, GX_E_RANGE);
	else if (kind == GX_DK_U8)
		gx_push_patch_u8(c, off, (uint8_t)v);
	else if (kind == GX_DK_U16)
		gx_push_patch_u16(c, off, (uint16_t)v);
	else
		gx_push_patch_u32(c, off, (uint32_t)v);
}

/* The number in front of a count or size; GX_DK_IF when there is none. */
static uint8_t prefix_kind(uint8_t by)
{
	switch (by) {
	case GX_DB_U8: return GX_DK_U8;
	case GX_DB_U16: return GX_DK_U16;
	case GX_DB_U32: return GX_DK_U32;
	default: return GX_DK_IF;
	}
}

static void push_prefix(struct gx_push *c, uint8_t by, uint64_t n)
{
	uint8_t kind = prefix_kind(by);
	if (kind != GX_DK_IF)
		push_number(c, kind, n);
}

static void push_terminated(struct gx_push *c, const struct gx_desc_frame *fr, bool wide, const char *s)
{
	struct gx_px px = fr->x->px;
	px.utf16 = wide || px.utf16;
	gx_px_push_str(c, &px, wide ? PtypString : PtypString8, s == NULL ? "" : s);
}

static struct gx_bin counted_text(struct gx_push *c, const struct gx_desc_frame *fr, bool wide, const char *s)
{
	const struct gx_px *px = &fr->x->px;
	struct gx_bin b = {0};
	if (s == NULL)
		return b;
	int err = wide ? gx_utf8_to_utf16le(px->a, s, false, &b)
		: gx_cp_from_utf8(px->a, px->utf16 ? px->cp : GX_CP_UTF8, s, strlen(s), false, &b);
	if (err != 0)
		gx_push_fail(c, err);
	return err == 0 ? b : (struct gx_bin){0};
}

static void push_sized(struct gx_push *c, const struct gx_desc_frame *fr, const struct gx_field *f, const void *m)
{
	struct gx_bin b = {0};
	if (f->kind == GX_DK_BIN)
		memcpy(&b, m, sizeof(b));
	else
		b = counted_text(c, fr, f->kind == GX_DK_STRW, *(const char *const *)m);
	if (f->count_by == GX_DB_NONE && !gx_desc__fits(f, b.len))
		gx_push_fail(c, GX_E_RANGE);
	push_prefix(c, f->size_by, b.len);
	gx_push_bytes(c, b.data, b.len);
}

static void push_elem(struct gx_push *c, const struct gx_desc_frame *fr, const struct gx_field *f, const void *m)
{
	const struct gx_px *px = &fr->x->px;
	switch (f->kind) {
	case GX_DK_F32:
		gx_push_f32(c, *(const float *)m);
		break;
	case GX_DK_F64:
		gx_push_f64(c, *(const double *)m);
		break;
	case GX_DK_GUID:
		gx_push_guid(c, m);
		break;
	case GX_DK_BYTES:
		gx_push_bytes(c, m, f->arg);
		break;
	case GX_DK_BIN:
	case GX_DK_STR8:
	case GX_DK_STRW:
		push_sized(c, fr, f, m);
		break;
	case GX_DK_STR8Z:
	case GX_DK_STRWZ:
	case GX_DK_STRZ:
		push_terminated(c, fr, gx_desc__is_wide(fr, f), *(const char *const *)m);
		break;
	case GX_DK_STRUCT:
		gx_desc_push(c, fr->x, f->ref, m);
		break;
	case GX_DK_PROPVAL:
		gx_px_push_propval(c, px, m);
		break;
	case GX_DK_PROPLIST:
		gx_px_push_proplist(c, px, m);
		break;
	case GX_DK_RESTR:
		gx_px_push_restr(c, px, *(const struct gx_restr *const *)m);
		break;
	case GX_DK_SORTSET:
		gx_px_push_sortset(c, px, m);
		break;
	case GX_DK_CUSTOM:
		((const struct gx_custom *)f->ref)->push(c, fr->x, m);
		break;
	case GX_DK_MORE:
	case GX_DK_PEEK:
		break;
	default:
		push_number(c, f->kind, gx_desc__get(f, m));
		break;
	}
}

static void push_member(struct gx_push *c, const struct gx_desc_frame *fr, const struct gx_field *f, const void *obj)
{
	uint8_t bound = gx_desc__is_sized(f) ? (uint8_t)GX_DK_IF : prefix_kind(f->size_by);
	const char *m = (const char *)obj + f->off;
	size_t at = c->len;
	if (bound != GX_DK_IF)
		push_number(c, bound, 0);
	size_t body = c->len;
	if (f->opt != GX_DP_NONE) {
		const void *v = gx_desc__value(f, m);
		gx_push_u8(c, v != NULL);
		if (v != NULL)
			push_elem(c, fr, f, v);
	} else if (f->count_by == GX_DB_NONE) {
		if (!gx_desc__may_lack(f) || *(const void *const *)m != NULL)
			push_elem(c, fr, f, m);
	} else {
		uint32_t n = gx_desc__count(f, obj);
		const char *v = gx_desc__elems(f, obj);
		if (!gx_desc__fits(f, n) || (f->count_by == GX_DB_FIELD && n != fr->val[f->count_field]))
			gx_push_fail(c, GX_E_RANGE);
		push_prefix(c, f->count_by, n);
		for (uint32_t i = 0; i < n && c->err == 0; ++i)
			push_elem(c, fr, f, v + i * f->elem);
	}
	if (bound != GX_DK_IF)
		patch(c, bound, at, c->len - body);
}

static void patch_derived(struct gx_push *c, const struct gx_desc *d, const struct places *at)
{
	for (unsigned i = 0; i < d->count && c->err == 0; ++i) {
		const struct gx_field *f = &d->fields[i];
		if (at->end[i] == at->start[i])
			continue;
		if (f->role == GX_DR_SELF) {
			patch(c, f->kind, at->start[i], c->len - at->self);
		} else if (f->role == GX_DR_OFFSET) {
			patch(c, f->kind, at->start[i], at->start[f->target] - at->self);
		} else if (f->role == GX_DR_LEN) {
			size_t n = at->end[f->target] - at->start[f->target];
			if (n % f->arg != 0)
				gx_push_fail(c, GX_E_RANGE);
			patch(c, f->kind, at->start[i], n / f->arg);
		}
	}
}

void gx_desc_push(struct gx_push *c, const struct gx_dctx *x, const struct gx_desc *d, const void *obj)
{
	struct gx_desc_frame fr;
	struct places at = {.self = c->len};
	gx_desc__load(&fr, d, x, obj);
	const struct gx_field *f;
	for (unsigned i = 0; c->err == 0 && (f = gx_desc__next(&fr, &i)) != NULL;) {
		at.start[i - 1] = c->len;
		if (f->role != GX_DR_MEMBER)
			push_number(c, f->kind, fr.val[i - 1]);
		else if (gx_desc__is_number(f) && !gx_desc__fits(f, fr.val[i - 1]))
			gx_push_fail(c, GX_E_RANGE);
		else
			push_member(c, &fr, f, obj);
		at.end[i - 1] = c->len;
	}
	patch_derived(c, d, &at);
}
