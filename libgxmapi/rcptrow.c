/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include <gx/ec.h>
#include <gx/rcptrow.h>
#include <gx/rop.h>

enum {
	TYPE = 0x0007, X500 = 1, SMTP = 3, LIST1 = 6, LIST2 = 7,
	EMAIL = 0x0008, DISPLAY = 0x0010, TRANSMITTABLE = 0x0020, SAME_NAME = 0x0040, RESPONSIBLE = 0x0080, NO_RICH = 0x0100, UNICODE = 0x0200,
	SIMPLE = 0x0400, OTHER_TYPE = 0x8000,
};

bool gx_rcptrow_in_head(gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagDisplayName):
	case GX_PROP_ID(PidTagEmailAddress):
	case GX_PROP_ID(PidTagAddressType):
	case GX_PROP_ID(PidTagRecipientType):
	case GX_PROP_ID(PidTagRowid):
		return true;
	default:
		return false;
	}
}

/* ---- Written ---- */

/* A personal distribution list has no address: what stands for it is its entry id. */
static bool is_personal_list(const struct gx_proplist *l, const char *type)
{
	const struct gx_propval *eid = gx_proplist_get(l, PidTagEntryId), *key = gx_proplist_get(l, PidTagSearchKey);
	return type != NULL && gx_ascii_casecmp(type, "MAPIPDL") == 0 && eid != NULL && eid->v.bin.len <= UINT16_MAX &&
	       (key == NULL || key->v.bin.len <= UINT16_MAX);
}

static void fill_head(const struct gx_proplist *l, struct gx_recipient_row *r)
{
	const char *type = gx_proplist_str(l, PidTagAddressType, NULL), *address = gx_proplist_str(l, PidTagEmailAddress, NULL);
	r->recipient_flags = UNICODE;
	if (type != NULL && gx_ascii_casecmp(type, "EX") == 0 && address != NULL) {
		r->recipient_flags |= X500;
		r->x500_dn = address;
		r->display_type = (uint8_t)gx_proplist_i32(l, PidTagDisplayType, 0);
	} else if (is_personal_list(l, type)) {
		const struct gx_propval *key = gx_proplist_get(l, PidTagSearchKey);
		r->recipient_flags |= LIST2;
		r->entry_id = gx_proplist_get(l, PidTagEntryId)->v.bin;
		r->search_key = key == NULL ? (struct gx_bin){NULL, 0} : key->v.bin;
		r->email_address = address;
		r->recipient_flags |= address != NULL ? EMAIL : 0;
	} else {
		r->recipient_flags |= type == NULL ? 0 : gx_ascii_casecmp(type, "SMTP") == 0 ? SMTP : OTHER_TYPE;
		r->address_type = type;
		r->email_address = address;
		r->recipient_flags |= address != NULL ? EMAIL : 0;
	}
	r->display_name = gx_proplist_str(l, PidTagDisplayName, NULL);
	r->recipient_flags |= r->display_name != NULL ? DISPLAY : 0;
}

int gx_rcptrow_encode(const struct gx_px *px, const struct gx_columns *cols, const struct gx_proplist *l, struct gx_bin *ret_row)
{
	const struct gx_dctx x = {.px = *px, .custom = cols};
	struct gx_recipient_row r = {0};
	struct gx_propval *v = gx_arena_new_array(px->a, struct gx_propval, cols->count);
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < cols->count; ++i) {
		const struct gx_propval *have = gx_proplist_get(l, cols->v[i]);
		v[i] = have != NULL ? (struct gx_propval){cols->v[i], have->v} :
			(struct gx_propval){GX_PROP_RETYPE(cols->v[i], PtypErrorCode), {.err = ecNotFound}};
	}
	fill_head(l, &r);
	r.recipient_properties = (struct gx_proprow){v, cols->count};
	return gx_desc_encode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), &r, ret_row);
}

/* ---- Read ---- */

struct filling {
	struct gx_arena *a;
	struct gx_proplist *l;
	int err;
};

static void str(struct filling *f, gx_proptag_t tag, const char *s)
{
	if (f->err == 0 && s != NULL)
		f->err = gx_proplist_set_str(f->l, f->a, tag, s);
}

static void flag(struct filling *f, gx_proptag_t tag, bool b)
{
	if (f->err == 0)
		f->err = gx_proplist_set_bool(f->l, f->a, tag, b);
}

static void bin(struct filling *f, gx_proptag_t tag, struct gx_bin b)
{
	if (f->err == 0)
		f->err = gx_proplist_set_bin(f->l, f->a, tag, b.data, b.len);
}

static void address(struct filling *f, const struct gx_recipient_row *r)
{
	static const char *const types[] = {NULL, "EX", "MS", "SMTP", "FAX", "PROFS", "MAPIPDL", "MAPIPDL"};
	unsigned type = r->recipient_flags & TYPE;
	str(f, PidTagAddressType, type == 0 && (r->recipient_flags & OTHER_TYPE) ? r->address_type : types[type]);
	if (type == X500) {
		str(f, PidTagEmailAddress, r->x500_dn);
		f->err = f->err != 0 ? f->err : gx_proplist_set_i32(f->l, f->a, PidTagDisplayType, r->display_type);
	} else if (type == LIST1 || type == LIST2) {
		bin(f, PidTagEntryId, r->entry_id);
		bin(f, PidTagSearchKey, r->search_key);
	}
	if (r->recipient_flags & EMAIL)
		str(f, PidTagEmailAddress, r->email_address);
}

static void names(struct filling *f, const struct gx_recipient_row *r)
{
	uint16_t flags = r->recipient_flags;
	if (flags & DISPLAY)
		str(f, PidTagDisplayName, r->display_name);
	if (flags & SIMPLE)
		str(f, PidTag7BitDisplayName, r->simple_display_name);
	if (flags & TRANSMITTABLE)
		str(f, PidTagTransmittableDisplayName, r->transmittable_display_name);
	else if ((flags & SAME_NAME) && (flags & DISPLAY))
		str(f, PidTagTransmittableDisplayName, r->display_name);
	flag(f, PidTagSendRichInfo, !(flags & NO_RICH));
	if (flags & RESPONSIBLE)
		flag(f, PidTagResponsibility, true);
}

static gx_proptag_t utf8_of(gx_proptag_t tag)
{
	uint16_t type = GX_PROP_TYPE(tag);
	return type == PtypString8 || type == PtypMultipleString8 ? tag + 1 : tag;
}

static void columns(struct filling *f, const struct gx_proprow *row)
{
	for (uint32_t i = 0; i < row->count && f->err == 0; ++i) {
		gx_proptag_t tag = utf8_of(row->v[i].tag);
		uint16_t type = GX_PROP_TYPE(tag);
		if (type != PtypErrorCode && type != PtypNull && tag != PidTagRowid && tag != PidTagRecipientType)
			f->err = gx_proplist_set(f->l, f->a, tag, row->v[i].v);
	}
}

int gx_rcptrow_decode(const struct gx_px *px, const struct gx_columns *cols, struct gx_bin row, struct gx_proplist *io_l)
{
	const struct gx_dctx x = {.px = *px, .custom = cols};
	struct filling f = {.a = px->a, .l = io_l};
	struct gx_recipient_row r = {0};
	f.err = gx_desc_decode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), row.data, row.len, &r);
	if (f.err == 0 && (r.recipient_flags & TYPE) == X500 && r.address_prefix_used != 0)
		f.err = GX_E_UNSUP;
	if (f.err != 0)
		return f.err;
	address(&f, &r);
	names(&f, &r);
	columns(&f, &r.recipient_properties);
	return f.err;
}
