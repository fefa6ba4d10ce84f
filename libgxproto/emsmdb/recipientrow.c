/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients as clients send them, [MS-OXCDATA] 2.8.3. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/emsmdb/kinds.h"

enum {
	TYPE = 0x0007, X500 = 1, LIST1 = 6, LIST2 = 7,
	EMAIL = 0x0008, DISPLAY = 0x0010, TRANSMITTABLE = 0x0020, SAME_NAME = 0x0040, RESPONSIBLE = 0x0080, NO_RICH = 0x0100, SIMPLE = 0x0400,
	OTHER_TYPE = 0x8000,
};

struct filling {
	struct gx_rop_call *c;
	struct gx_proplist *l;
	int err;
};

static void str(struct filling *f, gx_proptag_t tag, const char *s)
{
	if (f->err == 0 && s != NULL)
		f->err = gx_proplist_set_str(f->l, f->c->a, tag, s);
}

static void flag(struct filling *f, gx_proptag_t tag, bool b)
{
	if (f->err == 0)
		f->err = gx_proplist_set_bool(f->l, f->c->a, tag, b);
}

static void bin(struct filling *f, gx_proptag_t tag, struct gx_bin b)
{
	if (f->err == 0)
		f->err = gx_proplist_set_bin(f->l, f->c->a, tag, b.data, b.len);
}

static void address(struct filling *f, const struct gx_recipient_row *r)
{
	static const char *const types[] = {NULL, "EX", "MS", "SMTP", "FAX", "PROFS", "MAPIPDL", "MAPIPDL"};
	unsigned type = r->recipient_flags & TYPE;
	str(f, PidTagAddressType, type == 0 && (r->recipient_flags & OTHER_TYPE) ? r->address_type : types[type]);
	if (type == X500) {
		str(f, PidTagEmailAddress, r->x500_dn);
		f->err = f->err != 0 ? f->err : gx_proplist_set_i32(f->l, f->c->a, PidTagDisplayType, r->display_type);
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

/* The store's texts are all of one type. */
static gx_proptag_t stored(gx_proptag_t tag)
{
	uint16_t type = GX_PROP_TYPE(tag);
	return type == PtypString8 || type == PtypMultipleString8 ? tag + 1 : tag;
}

static void columns(struct filling *f, const struct gx_proprow *row)
{
	for (uint32_t i = 0; i < row->count && f->err == 0; ++i) {
		gx_proptag_t tag = stored(row->v[i].tag);
		uint16_t type = GX_PROP_TYPE(tag);
		if (type != PtypErrorCode && type != PtypNull && tag != PidTagRowid && tag != PidTagRecipientType)
			f->err = gx_proplist_set(f->l, f->c->a, tag, row->v[i].v);
	}
}

/* What can be said of every address, for those who compare and look up. */
static void keys(struct filling *f)
{
	const char *type = gx_proplist_str(f->l, PidTagAddressType, NULL), *at = gx_proplist_str(f->l, PidTagEmailAddress, NULL);
	const char *name = gx_proplist_str(f->l, PidTagDisplayName, NULL);
	struct gx_bin b;
	if (f->err != 0 || type == NULL || at == NULL)
		return;
	if (gx_proplist_get(f->l, PidTagEntryId) == NULL) {
		f->err = gx_ascii_casecmp(type, "EX") == 0 ? gx_entryid_addressbook(f->c->a, 0, at, &b) : gx_entryid_oneoff(f->c->a, name, type, at, &b);
		bin(f, PidTagEntryId, b);
	}
	if (f->err == 0 && gx_proplist_get(f->l, PidTagSearchKey) == NULL) {
		f->err = gx_search_key(f->c->a, type, at, &b);
		bin(f, PidTagSearchKey, b);
	}
}

gx_ec gx_ems__recipient_props(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_modify_recipient_row *row,
	struct gx_proplist *ret_l)
{
	const struct gx_dctx x = {.px = c->x->px, .custom = cols};
	struct filling f = {.c = c, .l = ret_l};
	struct gx_recipient_row r = {0};
	int err = gx_desc_decode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), row->recipient_row.data, row->recipient_row.len, &r);
	if (err != 0)
		return err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : gx_rop__fail(c, ecRpcFormat, "recipient %u: %s", (unsigned)row->row_id, gx_strerror(err));
	if ((r.recipient_flags & TYPE) == X500 && r.address_prefix_used != 0) /* Connect tells of no prefix */
		return gx_rop__fail(c, ecInvalidParam, "recipient %u: no prefix of %u", (unsigned)row->row_id, r.address_prefix_used);
	address(&f, &r);
	names(&f, &r);
	columns(&f, &r.recipient_properties);
	keys(&f);
	return gx_ec_from_err(f.err);
}
