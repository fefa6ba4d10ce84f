/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/restr.h>
#include "libgxmapi/prop-int.h"

static int copy_str(struct gx_arena *a, const char *s, const char **ret_s)
{
	if (s == NULL)
		return GX_E_INVAL;
	*ret_s = gx_arena_strdup(a, s);
	return *ret_s != NULL ? 0 : GX_E_NOMEM;
}

static int copy_bin(struct gx_arena *a, struct gx_bin b, struct gx_bin *ret_b)
{
	if (b.len == 0) {
		*ret_b = (struct gx_bin){0};
		return 0;
	}
	const uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		return GX_E_NOMEM;
	*ret_b = (struct gx_bin){.data = p, .len = b.len};
	return 0;
}

static int copy_single(struct gx_arena *a, uint8_t kind, const union gx_value *src, union gx_value *ret_v)
{
	switch (kind) {
	case GX_KIND_STR: {
		const char *s;
		int err = copy_str(a, src->str, &s);
		if (err == 0)
			*ret_v = (union gx_value){.str = s};
		return err;
	}
	case GX_KIND_BIN: {
		struct gx_bin b;
		int err = copy_bin(a, src->bin, &b);
		if (err == 0)
			*ret_v = (union gx_value){.bin = b};
		return err;
	}
	case GX_KIND_RESTR: {
		const struct gx_restr *r;
		int err = src->restr == NULL ? GX_E_INVAL : gx_restr_copy(a, src->restr, &r);
		if (err == 0)
			*ret_v = (union gx_value){.restr = r};
		return err;
	}
	case GX_KIND_BAD:
		return GX_E_INVAL;
	default:
		*ret_v = *src;
		return 0;
	}
}

int gx_value_copy(struct gx_arena *a, uint16_t type, const union gx_value *src, union gx_value *ret_v)
{
	uint8_t kind = gx_prop__kind(type);
	if (!gx_prop__is_multi(type) || kind == GX_KIND_BAD)
		return copy_single(a, kind, src, ret_v);
	uint32_t n = src->mv.count;
	union gx_value *v = gx_arena_new_array(a, union gx_value, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < n; ++i) {
		int err = copy_single(a, kind, &src->mv.v[i], &v[i]);
		if (err != 0)
			return err;
	}
	*ret_v = (union gx_value){.mv = {.v = v, .count = n}};
	return 0;
}

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))

/* A total order: what is not a number comes last. */
static int cmp_f64(double x, double y)
{
	if (x != x || y != y)
		return CMP(x != x, y != y);
	return CMP(x, y);
}

static int cmp_str(const char *x, const char *y)
{
	int d = gx_utf8_casecmp(x, y);
	return d != 0 ? d : strcmp(x, y);
}

static int cmp_bin(const struct gx_bin *x, const struct gx_bin *y)
{
	size_t n = x->len < y->len ? x->len : y->len;
	int d = n == 0 ? 0 : memcmp(x->data, y->data, n);
	return d != 0 ? d : CMP(x->len, y->len);
}

static int cmp_single(uint8_t kind, const union gx_value *x, const union gx_value *y)
{
	switch (kind) {
	case GX_KIND_I16: return CMP(x->i16, y->i16);
	case GX_KIND_I32: return CMP(x->i32, y->i32);
	case GX_KIND_I64: return CMP(x->i64, y->i64);
	case GX_KIND_F32: return cmp_f64(x->f32, y->f32);
	case GX_KIND_F64: return cmp_f64(x->f64, y->f64);
	case GX_KIND_BOOL: return CMP(x->b, y->b);
	case GX_KIND_ERR: return CMP(x->err, y->err);
	case GX_KIND_TIME: return CMP(x->time, y->time);
	case GX_KIND_STR: return cmp_str(x->str, y->str);
	case GX_KIND_GUID: return gx_guid_cmp(&x->guid, &y->guid);
	case GX_KIND_BIN: return cmp_bin(&x->bin, &y->bin);
	case GX_KIND_RESTR: return gx_restr_cmp(x->restr, y->restr);
	default: return 0;
	}
}

int gx_value_cmp(uint16_t type, const union gx_value *x, const union gx_value *y)
{
	uint8_t kind = gx_prop__kind(type);
	if (!gx_prop__is_multi(type))
		return cmp_single(kind, x, y);
	for (uint32_t i = 0; i < x->mv.count && i < y->mv.count; ++i) {
		int d = cmp_single(kind, &x->mv.v[i], &y->mv.v[i]);
		if (d != 0)
			return d;
	}
	return CMP(x->mv.count, y->mv.count);
}

static bool equal_single(uint8_t kind, const union gx_value *x, const union gx_value *y)
{
	return kind == GX_KIND_STR ? strcmp(x->str, y->str) == 0 : cmp_single(kind, x, y) == 0;
}

bool gx_value_equal(uint16_t type, const union gx_value *x, const union gx_value *y)
{
	uint8_t kind = gx_prop__kind(type);
	if (!gx_prop__is_multi(type))
		return equal_single(kind, x, y);
	if (x->mv.count != y->mv.count)
		return false;
	for (uint32_t i = 0; i < x->mv.count; ++i)
		if (!equal_single(kind, &x->mv.v[i], &y->mv.v[i]))
			return false;
	return true;
}

static uint64_t size_single(uint16_t type, const union gx_value *v)
{
	switch (gx_prop__kind(type)) {
	case GX_KIND_STR: return strlen(v->str) + 1;
	case GX_KIND_BIN: return v->bin.len;
	default: return gx_ptype_size(type);
	}
}

uint64_t gx_value_size(uint16_t type, const union gx_value *v)
{
	if (!gx_prop__is_multi(type))
		return size_single(type, v);
	uint64_t sum = 0;
	for (uint32_t i = 0; i < v->mv.count; ++i)
		sum += size_single(gx_prop__single(type), &v->mv.v[i]);
	return sum;
}
