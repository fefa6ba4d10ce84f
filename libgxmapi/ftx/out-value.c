/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of streams in wire form, [MS-OXCFXICS] 2.2.4.1, layouts in facts/proptypes.tsv. */
#include <config.h>
#include <string.h>
#include "libgxmapi/ftx/out-int.h"
#include "libgxmapi/prop-int.h"

/* [MS-OXCFXICS] 2.2.3.1.1.1.1: as they are held, unless the options want one form for all. */
static bool is_wide(uint32_t send_options, uint16_t single)
{
	if (send_options & GX_FTX_SEND_FORCE_UNICODE)
		return true;
	return single == PtypString && (send_options & (GX_FTX_SEND_UNICODE | GX_FTX_SEND_USE_CPID)) != 0;
}

uint16_t gx_ftx__wire_type(const struct gx_ftx_out *out, uint16_t type, uint32_t *ret_cp)
{
	uint16_t single = gx_prop__single(type), multi = type & GX_MV_FLAG;
	*ret_cp = 0;
	if (single != PtypString && single != PtypString8)
		return type;
	bool wide = is_wide(out->o.send_options, single);
	*ret_cp = wide ? GX_CP_UTF16 : out->o.cp;
	if ((out->o.send_options & GX_FTX_SEND_USE_CPID) && multi == 0 && *ret_cp < FTX_CP_FLAG)
		return (uint16_t)(FTX_CP_FLAG | *ret_cp);
	return multi | (wide ? PtypString : PtypString8);
}

static int push_name(struct gx_ftx_out *out, const struct gx_propname *name)
{
	gx_push_guid(&out->bytes, &name->set);
	gx_push_u8(&out->bytes, name->by_name);
	if (!name->by_name) {
		gx_push_u32(&out->bytes, name->lid);
		return 0;
	}
	struct gx_bin b;
	if (name->name == NULL)
		return GX_E_INVAL;
	int err = gx_ftx__encode(out->a, GX_CP_UTF16, name->name, strlen(name->name), &b);
	if (err != 0)
		return err;
	if (b.len > GX_FTX_NAME_MAX - 2)
		return GX_E_RANGE;
	gx_push_bytes(&out->bytes, b.data, b.len);
	gx_push_u16(&out->bytes, 0);
	return 0;
}

int gx_ftx__definition(struct gx_ftx_out *out, gx_proptag_t tag, uint16_t wire_type, const struct gx_propname *name)
{
	size_t start = out->bytes.len;
	if (GX_PROP_IS_NAMED(tag) != (name != NULL))
		return GX_E_INVAL;
	gx_push_u16(&out->bytes, wire_type);
	gx_push_u16(&out->bytes, GX_PROP_ID(tag));
	int err = name == NULL ? 0 : push_name(out, name);
	return err != 0 ? err : gx_ftx__seg_add(out, FTX_ATOM, (uint32_t)(out->bytes.len - start));
}

void gx_ftx__length(struct gx_ftx_out *out, size_t n)
{
	if (n > UINT32_MAX) {
		gx_push_fail(&out->bytes, GX_E_RANGE);
		return;
	}
	gx_push_u32(&out->bytes, (uint32_t)n);
	(void)gx_ftx__seg_add(out, FTX_ATOM, 4);
}

static void push_fixed(struct gx_push *c, uint8_t kind, const union gx_value *v)
{
	switch (kind) {
	case GX_KIND_I16: gx_push_u16(c, (uint16_t)v->i16); break;
	case GX_KIND_BOOL: gx_push_u16(c, v->b); break; /* two bytes here */
	case GX_KIND_I32: gx_push_u32(c, (uint32_t)v->i32); break;
	case GX_KIND_ERR: gx_push_u32(c, v->err); break;
	case GX_KIND_I64: gx_push_u64(c, (uint64_t)v->i64); break;
	case GX_KIND_TIME: gx_push_u64(c, v->time); break;
	case GX_KIND_F32: gx_push_f32(c, v->f32); break;
	case GX_KIND_F64: gx_push_f64(c, v->f64); break;
	case GX_KIND_GUID: gx_push_guid(c, &v->guid); break;
	default: break; /* PtypNull has no bytes */
	}
}

/* Length and bytes, with @zeros of them at the end. */
static void push_sized(struct gx_ftx_out *out, struct gx_bin b, unsigned zeros)
{
	gx_ftx__length(out, b.len + zeros);
	gx_push_bytes(&out->bytes, b.data, b.len);
	for (unsigned i = 0; i < zeros; ++i)
		gx_push_u8(&out->bytes, 0);
	if (out->bytes.err == 0)
		(void)gx_ftx__seg_add(out, FTX_BYTES, (uint32_t)(b.len + zeros));
}

static int push_single(struct gx_ftx_out *out, uint8_t kind, uint32_t cp, const union gx_value *v)
{
	if (kind == GX_KIND_BIN) {
		push_sized(out, v->bin, 0);
	} else if (kind == GX_KIND_STR) {
		struct gx_bin b;
		int err = v->str == NULL ? GX_E_INVAL : gx_ftx__encode(out->a, cp, v->str, strlen(v->str), &b);
		if (err != 0)
			return err;
		push_sized(out, b, cp == GX_CP_UTF16 ? 2 : 1);
	} else {
		size_t start = out->bytes.len;
		push_fixed(&out->bytes, kind, v);
		(void)gx_ftx__seg_add(out, FTX_ATOM, (uint32_t)(out->bytes.len - start));
	}
	return out->bytes.err;
}

static int push_value(struct gx_ftx_out *out, uint16_t type, uint32_t cp, const union gx_value *v)
{
	uint8_t kind = gx_prop__kind(type);
	if (!gx_prop__is_multi(type))
		return push_single(out, kind, cp, v);
	gx_ftx__length(out, v->mv.count);
	int err = out->bytes.err;
	for (uint32_t i = 0; i < v->mv.count && err == 0; ++i)
		err = push_single(out, kind, cp, &v->mv.v[i]);
	return err;
}

/* No form of restrictions and actions is known to streams. */
static bool can_send(uint16_t type)
{
	uint8_t kind = gx_prop__kind(type);
	return !(type & (GX_PROW_EXTERN | 0x2000)) && kind != GX_KIND_BAD && kind != GX_KIND_RESTR &&
		type != PtypUnspecified && type != PtypRuleAction;
}

/* What is begun of an element is taken back when it cannot be finished. */
static int put(struct gx_ftx_out *out, gx_proptag_t tag, uint16_t wire_type, uint32_t cp,
	const struct gx_propname *name, const union gx_value *v)
{
	size_t len = out->bytes.len, nsegs = out->nsegs;
	int err = gx_ftx__definition(out, tag, wire_type, name);
	if (err == 0)
		err = push_value(out, GX_PROP_TYPE(tag), cp, v);
	gx_arena_reset(out->a);
	if (err == 0)
		err = out->bytes.err;
	if (err != 0) {
		out->bytes.err = 0;
		out->bytes.len = len;
		out->nsegs = nsegs;
	}
	return err;
}

int gx_ftx_out_prop(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_propname *name, const union gx_value *v)
{
	const struct gx_ftx__special *s = gx_ftx__special(GX_PROP_ID(tag));
	uint32_t cp;
	if (!can_send(GX_PROP_TYPE(tag)) || (s != NULL && (s->marker || !gx_prop__matches(tag, s->held))))
		return GX_E_INVAL;
	if (tag == MetaTagFXDelProp && !gx_ftx__del_value((uint32_t)v->i32))
		return GX_E_INVAL;
	uint16_t wire_type = gx_ftx__wire_type(out, GX_PROP_TYPE(tag), &cp);
	if (s != NULL && s->held != s->wire)
		wire_type = GX_PROP_TYPE(s->wire);
	struct gx_ftx_grammar before = out->g;
	int err = gx_ftx__admit(out, tag);
	if (err != 0)
		return err;
	err = put(out, tag, wire_type, cp, name, v);
	if (err != 0)
		out->g = before;
	return err;
}

int gx_ftx_out_proplist(struct gx_ftx_out *out, const struct gx_proplist *l)
{
	int err = 0;
	for (size_t i = 0; i < l->count && err == 0; ++i)
		err = gx_ftx_out_prop(out, l->v[i].tag, NULL, &l->v[i].v);
	return err;
}

int gx_ftx_out_u32(struct gx_ftx_out *out, gx_proptag_t tag, uint32_t v)
{
	if (GX_PROP_TYPE(tag) != PtypInteger32)
		return GX_E_INVAL;
	return gx_ftx_out_prop(out, tag, NULL, &(union gx_value){.i32 = (int32_t)v});
}

int gx_ftx_out_bin(struct gx_ftx_out *out, gx_proptag_t tag, const void *p, size_t n)
{
	if (GX_PROP_TYPE(tag) != PtypBinary)
		return GX_E_INVAL;
	return gx_ftx_out_prop(out, tag, NULL, &(union gx_value){.bin = {p, n}});
}

int gx_ftx_out_struct(struct gx_ftx_out *out, gx_proptag_t tag, uint32_t which, const void *obj)
{
	const struct gx_desc *d = gx_ftx_desc(which);
	if (d == NULL)
		return GX_E_INVAL;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	struct gx_dctx x = GX_DCTX(a);
	struct gx_bin b;
	int err = gx_desc_encode(&x, d, obj, &b);
	if (err == 0)
		err = gx_ftx_out_bin(out, tag, b.data, b.len);
	gx_arena_free(a);
	return err;
}

int gx_ftx_out_error(struct gx_ftx_out *out, const struct gx_extended_error_info *e)
{
	int err = gx_ftx_out_marker(out, FXErrorInfo);
	return err != 0 ? err : gx_ftx_out_struct(out, GX_FTX_EXTENDED_ERROR_INFO_TAG, GX_FTX_EXTENDED_ERROR_INFO, e);
}
