/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <string.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/prop-int.h"

void gx_desc__print_propval(struct gx_strbuf *b, const struct gx_propval *pv)
{
	gx_prop__print_tag(b, pv->tag);
	gx_strbuf_addc(b, '=');
	gx_value_print(b, GX_PROP_TYPE(pv->tag), &pv->v);
}

void gx_desc__print_proplist(struct gx_strbuf *b, const struct gx_proplist *l)
{
	gx_strbuf_addc(b, '[');
	for (size_t i = 0; i < l->count; ++i) {
		gx_strbuf_adds(b, i == 0 ? "" : ", ");
		gx_desc__print_propval(b, &l->v[i]);
	}
	gx_strbuf_addc(b, ']');
}

static void print_as(struct gx_strbuf *b, uint16_t type, union gx_value v)
{
	gx_value_print(b, type, &v);
}

static void print_text(struct gx_strbuf *b, const char *s)
{
	print_as(b, PtypString, (union gx_value){.str = s == NULL ? "" : s});
}

static void print_elem(struct gx_strbuf *b, const struct gx_desc_frame *fr, const struct gx_field *f, const void *m)
{
	switch (f->kind) {
	case GX_DK_F32: print_as(b, PtypFloating32, (union gx_value){.f32 = *(const float *)m}); break;
	case GX_DK_F64: print_as(b, PtypFloating64, (union gx_value){.f64 = *(const double *)m}); break;
	case GX_DK_GUID: print_as(b, PtypGuid, (union gx_value){.guid = *(const struct gx_guid *)m}); break;
	case GX_DK_BYTES: print_as(b, PtypBinary, (union gx_value){.bin = {m, f->arg}}); break;
	case GX_DK_BIN: print_as(b, PtypBinary, (union gx_value){.bin = *(const struct gx_bin *)m}); break;
	case GX_DK_STR8Z:
	case GX_DK_STRWZ:
	case GX_DK_STRZ:
	case GX_DK_STR8:
	case GX_DK_STRW: print_text(b, *(const char *const *)m); break;
	case GX_DK_STRUCT: gx_desc_print(b, fr->x, f->ref, m); break;
	case GX_DK_PROPVAL: gx_desc__print_propval(b, m); break;
	case GX_DK_PROPLIST: gx_desc__print_proplist(b, m); break;
	case GX_DK_RESTR: gx_restr_print(b, *(const struct gx_restr *const *)m); break;
	case GX_DK_SORTSET: gx_sortset_print(b, m); break;
	case GX_DK_CUSTOM: ((const struct gx_custom *)f->ref)->print(b, m); break;
	default: gx_strbuf_printf(b, "0x%" PRIx64, gx_desc__get(f, m)); break;
	}
}

static void print_field(struct gx_strbuf *b, const struct gx_desc_frame *fr, const struct gx_field *f, const void *obj)
{
	const char *m = (const char *)obj + f->off;
	gx_strbuf_printf(b, "%s=", f->name);
	if (f->count_by == GX_DB_NONE) {
		const void *p = gx_desc__value(f, m);
		if (p == NULL)
			gx_strbuf_addc(b, '-');
		else
			print_elem(b, fr, f, p);
		return;
	}
	uint32_t n = gx_desc__count(f, obj);
	const char *v = gx_desc__elems(f, obj);
	gx_strbuf_addc(b, '[');
	for (uint32_t i = 0; i < n; ++i) {
		gx_strbuf_adds(b, i == 0 ? "" : ", ");
		print_elem(b, fr, f, v + i * f->elem);
	}
	gx_strbuf_addc(b, ']');
}

void gx_desc_print(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_desc *d, const void *obj)
{
	struct gx_desc_frame fr;
	gx_desc__load(&fr, d, x, obj);
	gx_strbuf_printf(b, "%s{", d->name);
	const struct gx_field *f;
	const char *sep = "";
	for (unsigned i = 0; (f = gx_desc__next(&fr, &i)) != NULL;) {
		if (f->role != GX_DR_MEMBER)
			continue;
		gx_strbuf_adds(b, sep);
		print_field(b, &fr, f, obj);
		sep = ", ";
	}
	gx_strbuf_addc(b, '}');
}
