/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxmapi/desc-int.h"

static bool equal_text(const char *x, const char *y)
{
	return strcmp(x == NULL ? "" : x, y == NULL ? "" : y) == 0;
}

static bool equal_value(uint16_t type, union gx_value x, union gx_value y)
{
	return gx_value_equal(type, &x, &y);
}

bool gx_desc__equal_propval(const struct gx_propval *x, const struct gx_propval *y)
{
	return x->tag == y->tag && gx_value_equal(GX_PROP_TYPE(x->tag), &x->v, &y->v);
}

bool gx_desc__equal_proplist(const struct gx_proplist *x, const struct gx_proplist *y)
{
	if (x->count != y->count)
		return false;
	for (size_t i = 0; i < x->count; ++i)
		if (!gx_desc__equal_propval(&x->v[i], &y->v[i]))
			return false;
	return true;
}

static bool equal_sortset(const struct gx_sortset *x, const struct gx_sortset *y)
{
	if (x->count != y->count || x->categories != y->categories || x->expanded != y->expanded)
		return false;
	for (unsigned i = 0; i < x->count; ++i)
		if (x->v[i].tag != y->v[i].tag || x->v[i].order != y->v[i].order)
			return false;
	return true;
}

static bool equal_restr(const struct gx_restr *x, const struct gx_restr *y)
{
	return x == y || (x != NULL && y != NULL && gx_restr_cmp(x, y) == 0);
}

static bool equal_elem(const struct gx_desc_frame *fr, const struct gx_field *f, const void *x, const void *y)
{
	switch (f->kind) {
	case GX_DK_F32:
		return equal_value(PtypFloating32, (union gx_value){.f32 = *(const float *)x}, (union gx_value){.f32 = *(const float *)y});
	case GX_DK_F64:
		return equal_value(PtypFloating64, (union gx_value){.f64 = *(const double *)x}, (union gx_value){.f64 = *(const double *)y});
	case GX_DK_GUID:
		return gx_guid_cmp(x, y) == 0;
	case GX_DK_BYTES:
		return memcmp(x, y, f->arg) == 0;
	case GX_DK_BIN:
		return equal_value(PtypBinary, (union gx_value){.bin = *(const struct gx_bin *)x}, (union gx_value){.bin = *(const struct gx_bin *)y});
	case GX_DK_STR8Z:
	case GX_DK_STRWZ:
	case GX_DK_STRZ:
	case GX_DK_STR8:
	case GX_DK_STRW:
		return equal_text(*(const char *const *)x, *(const char *const *)y);
	case GX_DK_STRUCT:
		return gx_desc_equal(fr->x, f->ref, x, y);
	case GX_DK_PROPVAL:
		return gx_desc__equal_propval(x, y);
	case GX_DK_PROPLIST:
		return gx_desc__equal_proplist(x, y);
	case GX_DK_RESTR:
		return equal_restr(*(const struct gx_restr *const *)x, *(const struct gx_restr *const *)y);
	case GX_DK_SORTSET:
		return equal_sortset(x, y);
	case GX_DK_CUSTOM:
		return ((const struct gx_custom *)f->ref)->equal(x, y);
	default:
		return gx_desc__get(f, x) == gx_desc__get(f, y);
	}
}

static bool equal_field(const struct gx_desc_frame *fr, const struct gx_field *f, const char *x, const char *y)
{
	if (f->count_by == GX_DB_NONE) {
		const void *p = gx_desc__value(f, x + f->off), *q = gx_desc__value(f, y + f->off);
		return p == NULL || q == NULL ? p == q : equal_elem(fr, f, p, q);
	}
	uint32_t n = gx_desc__count(f, x);
	if (n != gx_desc__count(f, y))
		return false;
	const char *v = gx_desc__elems(f, x), *w = gx_desc__elems(f, y);
	for (uint32_t i = 0; i < n; ++i)
		if (!equal_elem(fr, f, v + i * f->elem, w + i * f->elem))
			return false;
	return true;
}

bool gx_desc_equal(const struct gx_dctx *x, const struct gx_desc *d, const void *obj1, const void *obj2)
{
	struct gx_desc_frame fr;
	gx_desc__load(&fr, d, x, obj1);
	const struct gx_field *f;
	/* a condition sees the same numbers in both, or one of them was found different before */
	for (unsigned i = 0; (f = gx_desc__next(&fr, &i)) != NULL;)
		if (f->role == GX_DR_MEMBER && !equal_field(&fr, f, obj1, obj2))
			return false;
	return true;
}
