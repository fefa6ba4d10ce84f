/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxmapi/prop-int.h"
#include "libgxmapi/proprand.h"

uint32_t rnd_u32(struct rnd *r)
{
	/* splitmix64 */
	uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 32);
}

uint32_t rnd_below(struct rnd *r, uint32_t n)
{
	return rnd_u32(r) % n;
}

static const uint16_t types[] = {
	PtypInteger16, PtypInteger32, PtypFloating32, PtypFloating64, PtypCurrency, PtypFloatingTime, PtypErrorCode,
	PtypBoolean, PtypInteger64, PtypString8, PtypString, PtypTime, PtypGuid, PtypServerId, PtypRestriction,
	PtypRuleAction, PtypBinary, PtypMultipleInteger16, PtypMultipleInteger32, PtypMultipleFloating32,
	PtypMultipleFloating64, PtypMultipleCurrency, PtypMultipleFloatingTime, PtypMultipleInteger64,
	PtypMultipleString8, PtypMultipleString, PtypMultipleTime, PtypMultipleGuid, PtypMultipleBinary,
};

uint16_t rnd_type(struct rnd *r)
{
	return types[rnd_below(r, sizeof(types) / sizeof(types[0]))];
}

static const char *rnd_str(struct rnd *r)
{
	static const char *const bits[] = {"a", "Z", "0", " ", "\n", "\"", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	size_t n = rnd_below(r, 12);
	char *s = gx_arena_alloc(r->a, n * 4 + 1), *p = s;
	for (size_t i = 0; i < n; ++i) {
		const char *b = bits[rnd_below(r, sizeof(bits) / sizeof(bits[0]))];
		size_t len = strlen(b);
		memcpy(p, b, len);
		p += len;
	}
	*p = '\0';
	return s;
}

static struct gx_bin rnd_bin(struct rnd *r)
{
	size_t n = rnd_below(r, 20);
	uint8_t *p = gx_arena_alloc(r->a, n);
	for (size_t i = 0; i < n; ++i)
		p[i] = (uint8_t)rnd_u32(r);
	return (struct gx_bin){.data = n == 0 ? NULL : p, .len = n};
}

/* Two actions of one byte and of none. */
static struct gx_bin rnd_actions(void)
{
	static const uint8_t actions[] = {2, 0, 1, 0, 10, 0, 0};
	return (struct gx_bin){.data = actions, .len = sizeof(actions)};
}

static union gx_value rnd_single(struct rnd *r, uint16_t type, unsigned depth)
{
	uint64_t n = (uint64_t)rnd_u32(r) << 32 | rnd_u32(r);
	switch (gx_prop__kind(type)) {
	case GX_KIND_I16: return (union gx_value){.i16 = (int16_t)n};
	case GX_KIND_I32: return (union gx_value){.i32 = (int32_t)n};
	case GX_KIND_ERR: return (union gx_value){.err = (uint32_t)n};
	case GX_KIND_F32: return (union gx_value){.f32 = (float)(int32_t)n};
	case GX_KIND_F64: return (union gx_value){.f64 = (double)(int64_t)n};
	case GX_KIND_BOOL: return (union gx_value){.b = n & 1};
	case GX_KIND_STR: return (union gx_value){.str = rnd_str(r)};
	case GX_KIND_BIN: return (union gx_value){.bin = type == PtypRuleAction ? rnd_actions() : rnd_bin(r)};
	case GX_KIND_RESTR: return (union gx_value){.restr = rnd_restr(r, depth + 1)};
	case GX_KIND_GUID:
		return (union gx_value){.guid = {.d1 = (uint32_t)n, .d2 = (uint16_t)(n >> 32), .d4 = {(uint8_t)(n >> 48)}}};
	default: return (union gx_value){.i64 = (int64_t)n};
	}
}

union gx_value rnd_value(struct rnd *r, uint16_t type, unsigned depth)
{
	if (!gx_prop__is_multi(type))
		return rnd_single(r, type, depth);
	uint32_t n = rnd_below(r, 5);
	union gx_value *v = gx_arena_new_array(r->a, union gx_value, n);
	for (uint32_t i = 0; i < n; ++i)
		v[i] = rnd_single(r, gx_prop__single(type), depth);
	return (union gx_value){.mv = {.v = v, .count = n}};
}

static struct gx_propval rnd_propval(struct rnd *r, unsigned depth)
{
	uint16_t type = rnd_type(r);
	return (struct gx_propval){.tag = GX_PROP_TAG(rnd_u32(r) >> 16, type), .v = rnd_value(r, type, depth)};
}

struct gx_proplist rnd_proplist(struct rnd *r, unsigned max)
{
	struct gx_proplist l = {0};
	unsigned n = rnd_below(r, max + 1);
	for (unsigned i = 0; i < n; ++i) {
		struct gx_propval pv = rnd_propval(r, 0);
		if (gx_proplist_set(&l, r->a, pv.tag, pv.v) != 0)
			break;
	}
	return l;
}

static void rnd_branch(struct rnd *r, unsigned depth, struct gx_restr *x)
{
	switch (x->type) {
	case RES_AND:
	case RES_OR: {
		uint32_t n = rnd_below(r, 4);
		struct gx_restr *v = gx_arena_new_array(r->a, struct gx_restr, n);
		for (uint32_t i = 0; i < n; ++i)
			v[i] = *rnd_restr(r, depth + 1);
		x->u.list.v = v;
		x->u.list.count = n;
		break;
	}
	case RES_NOT:
		x->u.not_.sub = rnd_restr(r, depth + 1);
		break;
	case RES_SUBRESTRICTION:
		x->u.sub.subobject = rnd_u32(r);
		x->u.sub.sub = rnd_restr(r, depth + 1);
		break;
	case RES_COUNT:
		x->u.count.count = rnd_u32(r);
		x->u.count.sub = rnd_restr(r, depth + 1);
		break;
	default: {
		uint8_t n = (uint8_t)rnd_below(r, 3);
		struct gx_propval *v = gx_arena_new_array(r->a, struct gx_propval, n);
		for (unsigned i = 0; i < n; ++i)
			v[i] = rnd_propval(r, depth);
		x->u.comment.v = v;
		x->u.comment.count = n;
		x->u.comment.sub = rnd_below(r, 2) ? rnd_restr(r, depth + 1) : NULL;
		break;
	}
	}
}

static void rnd_leaf(struct rnd *r, unsigned depth, struct gx_restr *x)
{
	switch (x->type) {
	case RES_CONTENT:
		x->u.content.level = (uint16_t)rnd_below(r, 3);
		x->u.content.flags = (uint16_t)rnd_below(r, 8);
		x->u.content.tag = rnd_u32(r);
		x->u.content.val = rnd_propval(r, depth);
		break;
	case RES_PROPERTY:
		x->u.prop.relop = (uint8_t)rnd_below(r, 6);
		x->u.prop.tag = rnd_u32(r);
		x->u.prop.val = rnd_propval(r, depth);
		break;
	case RES_COMPAREPROPS:
		x->u.cmp.relop = (uint8_t)rnd_below(r, 6);
		x->u.cmp.tag1 = rnd_u32(r);
		x->u.cmp.tag2 = rnd_u32(r);
		break;
	case RES_BITMASK:
		x->u.bitmask.relop = (uint8_t)rnd_below(r, 2);
		x->u.bitmask.tag = rnd_u32(r);
		x->u.bitmask.mask = rnd_u32(r);
		break;
	case RES_SIZE:
		x->u.size.relop = (uint8_t)rnd_below(r, 6);
		x->u.size.tag = rnd_u32(r);
		x->u.size.size = rnd_u32(r);
		break;
	case RES_EXIST:
		x->u.exist.tag = rnd_u32(r);
		break;
	}
}

const struct gx_restr *rnd_restr(struct rnd *r, unsigned depth)
{
	static const uint8_t leaves[] = {RES_CONTENT, RES_PROPERTY, RES_COMPAREPROPS, RES_BITMASK, RES_SIZE, RES_EXIST, RES_NULL};
	static const uint8_t branches[] = {RES_AND, RES_OR, RES_NOT, RES_SUBRESTRICTION, RES_COMMENT, RES_ANNOTATION, RES_COUNT};
	struct gx_restr *x = gx_arena_new_obj(r->a, struct gx_restr);
	if (depth < 4 && rnd_below(r, 2)) {
		x->type = branches[rnd_below(r, sizeof(branches))];
		rnd_branch(r, depth, x);
	} else {
		x->type = leaves[rnd_below(r, depth < 4 ? sizeof(leaves) : 1) + (depth < 4 ? 0 : 5)];
		rnd_leaf(r, depth, x);
	}
	return x;
}
