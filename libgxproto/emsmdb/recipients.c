/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients as rows, [MS-OXCDATA] 2.8.3: what every recipient has in the row's head, the rest in columns. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/rcptrow.h>
#include "libgxproto/emsmdb/kinds.h"

static gx_ec columns_of(struct gx_rop_call *c, struct gx_inst *inst, struct gx_columns *ret_cols)
{
	gx_proptag_t *v;
	size_t n;
	uint32_t kept = 0;
	gx_ec ec = gx_inst_rcpt_tags(inst, c->a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (!gx_rcptrow_in_head(v[i]) && kept < UINT16_MAX)
			v[kept++] = v[i];
	if (!gx_ec_failed(ec))
		*ret_cols = (struct gx_columns){v, kept};
	return ec;
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
		ec = gx_ec_from_err(gx_rcptrow_encode(&c->x->px, &ret_r->cols, &v[i], &ret_r->rows[i]));
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

/* ---- As clients send them ---- */

/* What can be said of every address, for those who compare and look up. */
static int add_keys(struct gx_arena *a, struct gx_proplist *l)
{
	const char *type = gx_proplist_str(l, PidTagAddressType, NULL), *at = gx_proplist_str(l, PidTagEmailAddress, NULL);
	const char *name = gx_proplist_str(l, PidTagDisplayName, NULL);
	struct gx_bin b;
	int err = 0;
	if (type == NULL || at == NULL)
		return 0;
	if (gx_proplist_get(l, PidTagEntryId) == NULL) {
		err = gx_ascii_casecmp(type, "EX") == 0 ? gx_entryid_addressbook(a, 0, at, &b) : gx_entryid_oneoff(a, name, type, at, &b);
		err = err != 0 ? err : gx_proplist_set_bin(l, a, PidTagEntryId, b.data, b.len);
	}
	if (err == 0 && gx_proplist_get(l, PidTagSearchKey) == NULL) {
		err = gx_search_key(a, type, at, &b);
		err = err != 0 ? err : gx_proplist_set_bin(l, a, PidTagSearchKey, b.data, b.len);
	}
	return err;
}

gx_ec gx_ems__recipient_props(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_modify_recipient_row *row,
	struct gx_proplist *ret_l)
{
	int err = gx_rcptrow_decode(&c->x->px, cols, row->recipient_row, ret_l);
	if (err == 0)
		err = add_keys(c->a, ret_l);
	if (err == 0 || err == GX_E_NOMEM)
		return gx_ec_from_err(err);
	return gx_rop__fail(c, err == GX_E_UNSUP ? ecInvalidParam : ecRpcFormat, "recipient %u: %s", (unsigned)row->row_id, gx_strerror(err));
}
