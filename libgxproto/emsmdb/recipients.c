/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients as rows, [MS-OXCDATA] 2.8.3: what every recipient has in the row's head, the rest in columns. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/emsmdb/kinds.h"

enum { TYPE_X500 = 1, TYPE_SMTP = 3, EMAIL = 0x0008, DISPLAY = 0x0010, UNICODE = 0x0200, ADDRESS_TYPE = 0x8000 };

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

static gx_ec columns_of(struct gx_rop_call *c, struct gx_inst *inst, struct gx_columns *ret_cols)
{
	gx_proptag_t *v;
	size_t n;
	uint32_t kept = 0;
	gx_ec ec = gx_inst_rcpt_tags(inst, c->a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (!in_head(v[i]) && kept < UINT16_MAX)
			v[kept++] = v[i];
	if (!gx_ec_failed(ec))
		*ret_cols = (struct gx_columns){v, kept};
	return ec;
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

static gx_ec encode(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_proplist *l, struct gx_bin *ret_row)
{
	struct gx_dctx x = {.px = c->x->px, .custom = cols};
	struct gx_recipient_row r = {0};
	struct gx_propval *v = gx_arena_new_array(c->a, struct gx_propval, cols->count);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < cols->count; ++i) {
		const struct gx_propval *have = gx_proplist_get(l, cols->v[i]);
		v[i] = have != NULL ? *have : (struct gx_propval){GX_PROP_RETYPE(cols->v[i], PtypErrorCode), {.err = ecNotFound}};
	}
	fill_head(l, &r);
	r.recipient_properties = (struct gx_proprow){v, cols->count};
	return gx_ec_from_err(gx_desc_encode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), &r, ret_row));
}

gx_ec gx_ems__keep_columns(struct gx_ems_message *m, const struct gx_columns *cols)
{
	gx_proptag_t *v = malloc((cols->count + (size_t)1) * sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	if (cols->count > 0)
		memcpy(v, cols->v, cols->count * sizeof(*v));
	free(m->rcpt_cols);
	m->rcpt_cols = v;
	m->rcpt_col_count = cols->count;
	return EMS_OK;
}

gx_ec gx_ems__recipients(struct gx_rop_call *c, struct gx_inst *inst, const struct gx_columns *cols, uint32_t row_id, size_t most,
	size_t room, size_t each, struct gx_ems_rcpts *ret_r)
{
	struct gx_proplist *v;
	size_t n = 0, used = 0;
	*ret_r = (struct gx_ems_rcpts){0};
	gx_ec ec = cols != NULL ? (ret_r->cols = *cols, EMS_OK) : columns_of(c, inst, &ret_r->cols);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpt_count(inst, &ret_r->total);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpts(inst, row_id, most, c->a, &v, &n);
	if (gx_ec_failed(ec))
		return ec;
	used = ret_r->cols.count * sizeof(gx_proptag_t);
	ret_r->rows = gx_arena_new_array(c->a, struct gx_bin, n);
	ret_r->types = gx_arena_new_array(c->a, uint8_t, n);
	ret_r->row_ids = gx_arena_new_array(c->a, uint32_t, n);
	if (ret_r->rows == NULL || ret_r->types == NULL || ret_r->row_ids == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < n; ++i) {
		ec = encode(c, &ret_r->cols, &v[i], &ret_r->rows[i]);
		if (gx_ec_failed(ec))
			return ec;
		used += ret_r->rows[i].len + each;
		if (used > room)
			break;
		ret_r->types[i] = (uint8_t)gx_proplist_i32(&v[i], PidTagRecipientType, 1);
		ret_r->row_ids[i] = (uint32_t)gx_proplist_i32(&v[i], PidTagRowid, 0);
		ret_r->count = i + 1;
	}
	return EMS_OK;
}
