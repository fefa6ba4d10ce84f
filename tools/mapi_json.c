/* SPDX-License-Identifier: Apache-2.0 */
/* Properties as JSON: text as text, numbers and truth as such, everything else as text that gx_value_print() makes; bytes are hex. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <gx/namedprop.h>
#include "tools/mapi.h"
#include "tools/report.h"

static void hex(struct gx_bin b)
{
	putchar('"');
	for (size_t i = 0; i < b.len; ++i)
		printf("%02x", b.data[i]);
	putchar('"');
}

static void printed(uint16_t type, const union gx_value *v)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_value_print(&b, type, v);
	report_json_text(gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
}

static void array(uint16_t type, const union gx_value *v)
{
	putchar('[');
	for (uint32_t i = 0; i < v->mv.count; ++i) {
		fputs(i == 0 ? "" : ", ", stdout);
		mapi_json_value((uint16_t)(type & ~(unsigned)GX_MV_FLAG), &v->mv.v[i]);
	}
	putchar(']');
}

void mapi_json_value(uint16_t type, const union gx_value *v)
{
	char time[32];
	if (type & GX_MV_FLAG) {
		array(type, v);
		return;
	}
	switch (type) {
	case PtypInteger16: printf("%d", v->i16); break;
	case PtypInteger32: printf("%" PRId32, v->i32); break;
	case PtypBoolean: fputs(v->b ? "true" : "false", stdout); break;
	case PtypString:
	case PtypString8: report_json_text(v->str); break;
	case PtypBinary: hex(v->bin); break;
	case PtypInteger64: printf("\"0x%" PRIx64 "\"", (uint64_t)v->i64); break; /* more than JSON's numbers hold */
	case PtypTime:
		gx_nttime_print(v->time, time);
		report_json_text(time);
		break;
	default: printed(type, v);
	}
}

static void key(const char *name)
{
	report_json_text(name);
	fputs(": ", stdout);
}

static void pairs(const struct gx_proplist *l, bool *io_first)
{
	char number[16];
	for (size_t i = 0; i < l->count; ++i) {
		const char *name = gx_proptag_name(l->v[i].tag);
		snprintf(number, sizeof(number), "0x%08x", (unsigned)l->v[i].tag);
		fputs(*io_first ? "" : ", ", stdout);
		*io_first = false;
		key(name != NULL ? name : number);
		mapi_json_value(GX_PROP_TYPE(l->v[i].tag), &l->v[i].v);
	}
}

void mapi_json_list(const struct gx_proplist *l)
{
	bool first = true;
	putchar('{');
	pairs(l, &first);
	putchar('}');
}

static void named(const struct gx_named_propval *v)
{
	const struct gx_named_info *known = gx_named_find(&v->name);
	char guid[37], text[256];
	gx_guid_print(&v->name.set, guid);
	if (v->name.by_name)
		snprintf(text, sizeof(text), "{%s}:%s", guid, v->name.name);
	else
		snprintf(text, sizeof(text), "{%s}:0x%04x", guid, (unsigned)v->name.lid);
	key(known != NULL ? known->name : text);
	mapi_json_value(v->type, &v->v);
}

static void object(const struct gx_msgobj *m)
{
	bool first = true;
	fputs("{\"properties\": {", stdout);
	pairs(&m->props, &first);
	for (size_t i = 0; i < m->named_count; ++i) {
		fputs(first ? "" : ", ", stdout);
		first = false;
		named(&m->named[i]);
	}
	fputs("}, \"recipients\": [", stdout);
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		fputs(i == 0 ? "" : ", ", stdout);
		mapi_json_list(&m->rcpts[i]);
	}
	fputs("], \"attachments\": [", stdout);
	for (size_t i = 0; i < m->att_count; ++i) {
		fputs(i == 0 ? "{\"properties\": " : ", {\"properties\": ", stdout);
		mapi_json_list(&m->atts[i].props);
		if (m->atts[i].embedded != NULL) {
			fputs(", \"message\": ", stdout);
			object(m->atts[i].embedded);
		}
		putchar('}');
	}
	fputs("]}", stdout);
}

void mapi_json_message(const struct gx_msgobj *m)
{
	object(m);
	putchar('\n');
}
