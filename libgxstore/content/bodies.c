/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/message/msg-int.h"

/* Body formats that a message lacks, made of those that it has. [MS-OXBBODY] 2.1.3 */

static int format_of(gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagBody):
		return GX_BODY_PLAIN;
	case GX_PROP_ID(PidTagRtfCompressed):
		return GX_BODY_RTF;
	case GX_PROP_ID(PidTagHtml):
		return GX_BODY_HTML;
	default:
		return 0;
	}
}

bool gx_bodies__is_format(gx_proptag_t tag)
{
	return format_of(tag) != 0;
}

static gx_proptag_t tag_of(int format)
{
	return format == GX_BODY_PLAIN ? PidTagBody : format == GX_BODY_RTF ? PidTagRtfCompressed : PidTagHtml;
}

static struct gx_bin bytes_of(const struct gx_propval *pv)
{
	if (GX_PROP_TYPE(pv->tag) == PtypString)
		return (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)};
	return pv->v.bin;
}

static uint32_t code_page(const struct gx_bodies *b, struct gx_arena *a)
{
	struct gx_propval pv;
	if (b->get(b->ctx, PidTagInternetCodepage, a, &pv) != 0 || pv.tag != PidTagInternetCodepage || pv.v.i32 <= 0)
		return GX_CP_UTF8;
	return (uint32_t)pv.v.i32;
}

/* PidTagBodyHtml: the bytes of PidTagHtml as text. */
static int html_text(const struct gx_bodies *b, struct gx_arena *a, struct gx_propval *html)
{
	char *s;
	int err = gx_cp_to_utf8(a, code_page(b, a), html->v.bin.data, html->v.bin.len, &s, NULL, NULL);
	if (err == 0)
		*html = (struct gx_propval){.tag = PidTagBodyHtml, .v.str = s};
	return err;
}

static int convert(const struct gx_bodies *b, int from, int to, const struct gx_propval *have, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct gx_bin out;
	int err = b->s->convert(from, to, bytes_of(have), code_page(b, a), a, &out, b->s->convert_ctx);
	if (err != 0)
		return err == GX_E_UNSUP ? GX_E_NOTFOUND : err;
	ret_pv->tag = tag_of(to);
	if (to != GX_BODY_PLAIN) {
		ret_pv->v.bin = out;
		return 0;
	}
	ret_pv->v.str = gx_arena_strndup(a, (const char *)out.data, out.len);
	return ret_pv->v.str == NULL ? GX_E_NOMEM : 0;
}

/* The native one first, then the one that says most. */
static int make(const struct gx_bodies *b, int to, struct gx_arena *a, struct gx_propval *ret_pv)
{
	const int order[] = {b->native, GX_BODY_HTML, GX_BODY_RTF, GX_BODY_PLAIN};
	if (b->s->convert == NULL || b->s->o.no_synthesis)
		return GX_E_NOTFOUND;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct gx_propval have;
		if (order[i] < GX_BODY_PLAIN || order[i] > GX_BODY_HTML || order[i] == to)
			continue;
		int err = b->get(b->ctx, tag_of(order[i]), a, &have);
		if (err == 0 && have.tag == tag_of(order[i]))
			err = convert(b, order[i], to, &have, a, ret_pv);
		else if (err == 0)
			err = GX_E_NOTFOUND;
		if (err != GX_E_NOTFOUND)
			return err;
	}
	return GX_E_NOTFOUND;
}

int gx_bodies__make(const struct gx_bodies *b, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	int to = format_of(tag);
	uint16_t type = GX_PROP_TYPE(tag);
	if (to == 0)
		return GX_E_NOTFOUND;
	bool text = type == PtypString || type == PtypString8;
	if (to == GX_BODY_HTML && text) {
		int err = b->get(b->ctx, PidTagHtml, a, ret_pv);
		if (err == GX_E_NOTFOUND)
			err = make(b, to, a, ret_pv);
		return err != 0 ? err : html_text(b, a, ret_pv);
	}
	if (type != PtypUnspecified && text != (to == GX_BODY_PLAIN))
		return GX_E_NOTFOUND;
	return make(b, to, a, ret_pv);
}
