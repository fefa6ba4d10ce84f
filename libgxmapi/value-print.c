/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <gx/ec.h>
#include <gx/restr.h>
#include "libgxmapi/prop-int.h"

#define PRINTED_BYTES 64 /* of a binary value; its length is always said */

static void print_str(struct gx_strbuf *b, const char *s)
{
	gx_strbuf_addc(b, '"');
	for (; *s != '\0'; ++s) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			gx_strbuf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			gx_strbuf_printf(b, "\\x%02x", c);
		else
			gx_strbuf_addc(b, (char)c);
	}
	gx_strbuf_addc(b, '"');
}

static void print_bin(struct gx_strbuf *b, const struct gx_bin *v)
{
	size_t n = v->len < PRINTED_BYTES ? v->len : PRINTED_BYTES;
	gx_strbuf_printf(b, "[%zu]", v->len);
	for (size_t i = 0; i < n; ++i)
		gx_strbuf_printf(b, "%02x", v->data[i]);
	if (n < v->len)
		gx_strbuf_adds(b, "...");
}

static void print_currency(struct gx_strbuf *b, int64_t v)
{
	/* [MS-OXCDATA] 2.11.1: four decimal places */
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	gx_strbuf_printf(b, "%s%" PRIu64 ".%04" PRIu64, v < 0 ? "-" : "", u / 10000, u % 10000);
}

static void print_time(struct gx_strbuf *b, gx_nttime_t t)
{
	char out[32];
	gx_nttime_print(t, out);
	gx_strbuf_adds(b, out);
}

static void print_guid(struct gx_strbuf *b, const struct gx_guid *g)
{
	char out[37];
	gx_guid_print(g, out);
	gx_strbuf_adds(b, out);
}

static void print_single(struct gx_strbuf *b, uint16_t type, const union gx_value *v)
{
	switch (gx_prop__kind(type)) {
	case GX_KIND_I16: gx_strbuf_printf(b, "%d", v->i16); break;
	case GX_KIND_I32: gx_strbuf_printf(b, "%" PRId32, v->i32); break;
	case GX_KIND_I64:
		if (type == PtypCurrency)
			print_currency(b, v->i64);
		else
			gx_strbuf_printf(b, "%" PRId64, v->i64);
		break;
	case GX_KIND_F32: gx_strbuf_printf(b, "%.9g", (double)v->f32); break;
	case GX_KIND_F64: gx_strbuf_printf(b, "%.17g", v->f64); break;
	case GX_KIND_BOOL: gx_strbuf_adds(b, v->b ? "true" : "false"); break;
	case GX_KIND_ERR: gx_strbuf_printf(b, "0x%08" PRIx32 " %s", v->err, gx_ec_name(GX_EC(v->err))); break;
	case GX_KIND_TIME: print_time(b, v->time); break;
	case GX_KIND_STR: print_str(b, v->str); break;
	case GX_KIND_GUID: print_guid(b, &v->guid); break;
	case GX_KIND_BIN: print_bin(b, &v->bin); break;
	case GX_KIND_RESTR: gx_restr_print(b, v->restr); break;
	case GX_KIND_NONE: gx_strbuf_adds(b, "null"); break;
	default: gx_strbuf_printf(b, "(type 0x%04x)", type); break;
	}
}

void gx_value_print(struct gx_strbuf *b, uint16_t type, const union gx_value *v)
{
	if (!gx_prop__is_multi(type)) {
		print_single(b, gx_prop__single(type), v);
		return;
	}
	gx_strbuf_addc(b, '{');
	for (uint32_t i = 0; i < v->mv.count; ++i) {
		if (i != 0)
			gx_strbuf_adds(b, ", ");
		print_single(b, gx_prop__single(type), &v->mv.v[i]);
	}
	gx_strbuf_addc(b, '}');
}
