/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients: rows whose heads and columns become lists of properties, and back. [MS-OXCDATA] 2.8.3.2, [MS-OXCMSG] 3.1.4.6 */
#include <config.h>
#include <gx/rcptrow.h>
#include "libgxproto/client/client-int.h"

enum { ROWS_AT_ONCE = 50, COLUMNS_MAX = 500 };

/* ---- Reading ---- */

static int from_row(const struct gx_px *px, const struct gx_columns *cols, uint32_t row_id, uint8_t type, struct gx_bin row,
	struct gx_proplist *ret_l)
{
	*ret_l = (struct gx_proplist){0};
	int err = gx_proplist_set_i32(ret_l, px->a, PidTagRowid, (int32_t)row_id);
	if (err == 0)
		err = gx_proplist_set_i32(ret_l, px->a, PidTagRecipientType, type & 0x0f);
	return err != 0 ? err : gx_rcptrow_decode(px, cols, row, ret_l);
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
	const struct gx_px px = GX_PX_ROP(r->a, r->c->o.code_page);
	r->v = gx_arena_grow(r->a, r->v, &r->cap, r->n + 1, sizeof(*r->v));
	int err = r->v == NULL ? GX_E_NOMEM : from_row(&px, &r->columns, row_id, type, row, &r->v[r->n]);
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

static gx_ec columns_of(struct gx_mapi *c, const struct gx_proplist *v, size_t n, gx_proptag_t *cols, uint32_t *ret_n)
{
	uint32_t have = 0;
	for (size_t i = 0; i < n; ++i) {
		for (size_t k = 0; k < v[i].count; ++k) {
			gx_proptag_t tag = v[i].v[k].tag;
			bool known = gx_rcptrow_in_head(tag);
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

static gx_ec write_some(struct gx_mapi_obj *m, const struct gx_columns *cols, const struct gx_proplist *v, size_t at, size_t n)
{
	struct gx_mapi *c = m->c;
	struct gx_modify_recipient_row rows[ROWS_AT_ONCE];
	const struct gx_px px = GX_PX_ROP(c->scratch, c->o.code_page);
	for (size_t i = 0; i < n; ++i) {
		rows[i] = (struct gx_modify_recipient_row){.row_id = (uint32_t)(at + i),
			.recipient_type = (uint8_t)gx_proplist_i32(&v[at + i], PidTagRecipientType, 1)};
		int err = gx_rcptrow_encode(&px, cols, &v[at + i], &rows[i].recipient_row);
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
