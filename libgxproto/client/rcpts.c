/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients: rows whose heads and columns become lists of properties, and back. [MS-OXCDATA] 2.8.3.2, [MS-OXCMSG] 3.1.4.6 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/client/client-int.h"

enum { TYPE = 0x0007, TYPE_X500 = 1, TYPE_SMTP = 3, EMAIL = 0x0008, DISPLAY = 0x0010, UNICODE = 0x0200, ADDRESS_TYPE = 0x8000 };
enum { ROWS_AT_ONCE = 50, COLUMNS_MAX = 500 };

/* ---- Reading ---- */

static const char *type_name(const struct gx_recipient_row *r)
{
	static const char *const names[] = {NULL, "EX", "MS", "SMTP", "FAX", "PROFS", "MAPIPDL", "MAPIPDL"};
	return r->recipient_flags & ADDRESS_TYPE ? r->address_type : names[r->recipient_flags & TYPE];
}

static int set_str(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	return s == NULL ? 0 : gx_proplist_set_str(l, a, tag, s);
}

static int from_row(struct gx_arena *a, const struct gx_recipient_row *r, uint32_t row_id, uint8_t type, struct gx_proplist *ret_l)
{
	const char *address_type = type_name(r);
	*ret_l = (struct gx_proplist){0};
	int err = gx_proplist_set_i32(ret_l, a, PidTagRowid, (int32_t)row_id);
	if (err == 0)
		err = gx_proplist_set_i32(ret_l, a, PidTagRecipientType, type & 0x0f);
	if (err == 0)
		err = set_str(ret_l, a, PidTagAddressType, address_type);
	if (err == 0)
		err = set_str(ret_l, a, PidTagEmailAddress, (r->recipient_flags & TYPE) == TYPE_X500 ? r->x500_dn : r->email_address);
	if (err == 0)
		err = set_str(ret_l, a, PidTagDisplayName, r->display_name);
	if (err == 0)
		err = set_str(ret_l, a, PidTagTransmittableDisplayName, r->transmittable_display_name);
	if (err == 0 && (r->recipient_flags & TYPE) == TYPE_X500)
		err = gx_proplist_set_i32(ret_l, a, PidTagDisplayType, r->display_type);
	for (uint32_t i = 0; i < r->recipient_properties.count && err == 0; ++i) {
		const struct gx_propval *v = &r->recipient_properties.v[i];
		uint16_t t = GX_PROP_TYPE(v->tag);
		if (t != PtypErrorCode && t != PtypNull)
			err = gx_proplist_set(ret_l, a, v->tag, v->v);
	}
	return err;
}

struct reading {
	struct gx_mapi *c;
	struct gx_arena *a;
	struct gx_columns columns;
	struct gx_proplist *v;
	size_t n, cap;
	uint32_t next_row;
};

static gx_ec add(struct reading *r, uint32_t row_id, uint8_t type, struct gx_bin row)
{
	struct gx_dctx x = {.px = GX_PX_ROP(r->a, r->c->o.code_page), .custom = &r->columns};
	struct gx_recipient_row head;
	int err = gx_desc_decode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), row.data, row.len, &head);
	r->v = err == 0 ? gx_arena_grow(r->a, r->v, &r->cap, r->n + 1, sizeof(*r->v)) : r->v;
	if (err == 0 && r->v == NULL)
		err = GX_E_NOMEM;
	if (err == 0)
		err = from_row(r->a, &head, row_id, type, &r->v[r->n]);
	if (err != 0)
		return err == GX_E_NOMEM ? gx_mapi__nomem(r->c) : gx_mapi__fail(r->c, GX_EC(ecCorruptData), "recipient %zu: %s", r->n, gx_strerror(err));
	r->next_row = row_id + 1;
	++r->n;
	return MC_OK;
}

static gx_ec read_more(struct gx_mapi_obj *m, struct reading *r, bool *ret_end)
{
	const struct gx_rop_read_recipients_req q = {.row_id = r->next_row};
	struct gx_rop_read_recipients_res *res;
	gx_ec ec = gx_mapi__do(m, RopReadRecipients, &q, r->a, NULL, (void **)&res);
	*ret_end = gx_ec_is(ec, ecNotFound);
	if (*ret_end) {
		gx_mapi__enter(m->c); /* no error */
		return MC_OK;
	}
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < res->recipient_rows_count; ++i) {
		const struct gx_read_recipient_row *row = &res->recipient_rows[i];
		if (row->row_id < r->next_row)
			return gx_mapi__fail(m->c, GX_EC(ecCorruptData), "RopReadRecipients: row %u comes twice", (unsigned)row->row_id);
		ec = add(r, row->row_id, row->recipient_type, row->recipient_row);
	}
	return ec;
}

gx_ec gx_mapi_recipients(struct gx_mapi_obj *m, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	static const struct gx_rop_reload_cached_information_req q;
	struct gx_rop_reload_cached_information_res *res;
	struct reading r = {.c = m->c, .a = a};
	bool end = false;
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	gx_ec ec = gx_mapi__do(m, RopReloadCachedInformation, &q, a, NULL, (void **)&res); /* which columns? */
	if (gx_ec_failed(ec))
		return ec;
	r.columns = (struct gx_columns){res->recipient_columns, res->recipient_columns_count};
	while (!gx_ec_failed(ec) && !end && res->recipient_count > 0)
		ec = read_more(m, &r, &end);
	if (gx_ec_failed(ec))
		return ec;
	*ret_v = r.v;
	*ret_n = r.n;
	return MC_OK;
}

/* ---- Writing ---- */

/* What the head of the row or of the list has. */
static bool in_head(gx_proptag_t tag)
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

static gx_ec columns_of(struct gx_mapi *c, const struct gx_proplist *v, size_t n, gx_proptag_t *cols, uint32_t *ret_n)
{
	uint32_t have = 0;
	for (size_t i = 0; i < n; ++i) {
		for (size_t k = 0; k < v[i].count; ++k) {
			gx_proptag_t tag = v[i].v[k].tag;
			bool known = in_head(tag);
			for (uint32_t j = 0; j < have && !known; ++j)
				known = cols[j] == tag;
			if (known)
				continue;
			if (have == COLUMNS_MAX)
				return gx_mapi__fail(c, GX_EC(ecTooBig), "recipients have more than %d different properties", COLUMNS_MAX);
			cols[have++] = tag;
		}
	}
	*ret_n = have;
	return MC_OK;
}

static void fill_head(const struct gx_proplist *l, struct gx_recipient_row *r)
{
	const char *type = gx_proplist_str(l, PidTagAddressType, NULL), *address = gx_proplist_str(l, PidTagEmailAddress, NULL);
	r->recipient_flags = UNICODE;
	if (type != NULL && strcasecmp(type, "EX") == 0 && address != NULL) {
		r->recipient_flags |= TYPE_X500;
		r->x500_dn = address;
		r->display_type = (uint8_t)gx_proplist_i32(l, PidTagDisplayType, 0);
	} else {
		r->recipient_flags |= type != NULL && strcasecmp(type, "SMTP") == 0 ? TYPE_SMTP : type != NULL ? ADDRESS_TYPE : 0;
		r->address_type = type;
		r->email_address = address;
		r->recipient_flags |= address != NULL ? EMAIL : 0;
	}
	r->display_name = gx_proplist_str(l, PidTagDisplayName, NULL);
	r->recipient_flags |= r->display_name != NULL ? DISPLAY : 0;
}

static int to_row(struct gx_mapi *c, const struct gx_columns *cols, const struct gx_proplist *l, struct gx_bin *ret_row)
{
	struct gx_dctx x = {.px = GX_PX_ROP(c->scratch, c->o.code_page), .custom = cols};
	struct gx_recipient_row r = {0};
	struct gx_propval *v = gx_arena_new_array(c->scratch, struct gx_propval, cols->count);
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < cols->count; ++i) {
		const struct gx_propval *have = gx_proplist_get(l, cols->v[i]);
		v[i] = have != NULL ? *have : (struct gx_propval){GX_PROP_RETYPE(cols->v[i], PtypErrorCode), {.err = ecNotFound}};
		if (have != NULL)
			v[i].tag = cols->v[i];
	}
	fill_head(l, &r);
	r.recipient_properties = (struct gx_proprow){v, cols->count};
	return gx_desc_encode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), &r, ret_row);
}

static gx_ec write_some(struct gx_mapi_obj *m, const struct gx_columns *cols, const struct gx_proplist *v, size_t at, size_t n)
{
	struct gx_mapi *c = m->c;
	struct gx_modify_recipient_row rows[ROWS_AT_ONCE];
	for (size_t i = 0; i < n; ++i) {
		rows[i] = (struct gx_modify_recipient_row){.row_id = (uint32_t)(at + i),
			.recipient_type = (uint8_t)gx_proplist_i32(&v[at + i], PidTagRecipientType, 1)};
		int err = to_row(c, cols, &v[at + i], &rows[i].recipient_row);
		if (err != 0)
			return err == GX_E_NOMEM ? gx_mapi__nomem(c) :
			       gx_mapi__fail(c, GX_EC(ecInvalidParam), "recipient %zu: %s", at + i, gx_strerror(err));
	}
	const struct gx_rop_modify_recipients_req q = {cols->v, cols->count, rows, (uint32_t)n};
	return gx_mapi__do(m, RopModifyRecipients, &q, c->scratch, NULL, NULL);
}

gx_ec gx_mapi_set_recipients(struct gx_mapi_obj *m, const struct gx_proplist *v, size_t n)
{
	static const struct gx_rop_remove_all_recipients_req all;
	gx_proptag_t tags[COLUMNS_MAX];
	struct gx_columns cols = {tags, 0};
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	gx_ec ec = columns_of(m->c, v, n, tags, &cols.count);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__do(m, RopRemoveAllRecipients, &all, m->c->scratch, NULL, NULL);
	for (size_t at = 0; at < n && !gx_ec_failed(ec); at += ROWS_AT_ONCE) {
		gx_arena_reset(m->c->scratch);
		ec = write_some(m, &cols, v, at, n - at < ROWS_AT_ONCE ? n - at : ROWS_AT_ONCE);
	}
	return ec;
}
