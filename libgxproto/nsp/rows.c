/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of tables, and places in them, [MS-OXNSPI] 3.1.4.5. */
#include <config.h>
#include <gx/charset.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"

/* Rows take as much memory as that, then no more are added: photos may be among them. */
enum { ROWS_MOST_BYTES = 8 << 20, CP_UTF16 = 1200 };

gx_ec gx_nsp__check_stat(const struct gx_stat *st)
{
	if (st == NULL)
		return GX_EC(ecInvalidParam);
	if (st->code_page == CP_UTF16)
		return GX_EC(ecNotSupported);
	return st->code_page != 0 && gx_cp_to_charset(st->code_page) == NULL ? GX_EC(ecInvalidCodepage) : NSP_OK;
}

uint32_t gx_nsp__row_mid(const struct nsp_call *c, const struct nsp_table *t, uint32_t row)
{
	return gx_nsp__mid(c, gx_nsp__entry(t->o, t->ranks[row]));
}

/* [MS-OXNSPI] 3.1.4.5.2 */
static uint32_t fraction(const struct nsp_table *t, const struct gx_stat *st)
{
	uint64_t pos = st->total_recs == 0 ? st->num_pos : (uint64_t)t->count * st->num_pos / st->total_recs;
	return pos > t->count ? t->count : (uint32_t)pos;
}

static bool start(const struct nsp_call *c, const struct nsp_table *t, const struct gx_stat *st, uint32_t *ret_pos)
{
	if (st->current_rec == MID_BEGINNING_OF_TABLE || st->current_rec == MID_END_OF_TABLE) {
		*ret_pos = st->current_rec == MID_END_OF_TABLE ? t->count : 0;
		return true;
	}
	if (st->current_rec == MID_CURRENT) {
		*ret_pos = fraction(t, st);
		return true;
	}
	uint32_t entry = gx_nsp__by_mid(c, st->current_rec);
	*ret_pos = entry == NSP_NONE ? 0 : gx_nsp__row_of(t, entry);
	return entry != NSP_NONE && *ret_pos < t->count && gx_nsp__row_mid(c, t, *ret_pos) == st->current_rec;
}

gx_ec gx_nsp__locate(const struct nsp_call *c, const struct gx_stat *st, struct nsp_table *ret_t, uint32_t *ret_pos, uint32_t *ret_start)
{
	uint32_t from;
	gx_ec ec = gx_nsp__table(c, st, ret_t);
	if (gx_ec_failed(ec))
		return ec;
	if (!start(c, ret_t, st, &from))
		return GX_EC(ecNotFound);
	int64_t to = (int64_t)from + st->delta;
	*ret_start = from;
	*ret_pos = to < 0 ? 0 : to > ret_t->count ? ret_t->count : (uint32_t)to;
	return NSP_OK;
}

void gx_nsp__place(const struct nsp_call *c, const struct nsp_table *t, uint32_t pos, struct gx_stat *io_st)
{
	io_st->current_rec = pos < t->count ? gx_nsp__row_mid(c, t, pos) : MID_END_OF_TABLE;
	io_st->num_pos = pos;
	io_st->total_recs = t->count;
	io_st->delta = 0;
}

/* ---- Values ---- */

static int of_container(struct nsp_call *c, const struct nsp_container *k, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	struct gx_proplist l;
	int err = gx_nsp__container_props(c, k, &l);
	const struct gx_propval *pv = err == 0 ? gx_proplist_get(&l, tag) : NULL;
	if (pv != NULL)
		*ret_pv = *pv;
	return err != 0 ? err : pv != NULL;
}

gx_ec gx_nsp__row(struct nsp_call *c, uint32_t mid, uint32_t flags, const struct gx_columns *cols, const struct gx_propval **ret_v, bool *ret_errors)
{
	uint32_t entry = gx_nsp__by_mid(c, mid);
	const struct nsp_container *k = mid >= NSP_MID_KINDS ? gx_nsp__container(c, mid) : NULL;
	struct gx_propval *v = gx_arena_new_array(c->a, struct gx_propval, cols->count + 1);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < cols->count; ++i) {
		gx_proptag_t tag = cols->v[i];
		int r = entry != NSP_NONE ? gx_nsp__prop(c, entry, flags, tag, &v[i]) : k != NULL ? of_container(c, k, tag, &v[i]) : 0;
		if (r == GX_E_NOMEM)
			return GX_EC(ecMAPIOOM);
		if (r == 1) {
			/* the book may be gone before the answer is written */
			union gx_value own;
			r = gx_value_copy(c->a, GX_PROP_TYPE(v[i].tag), &v[i].v, &own);
			v[i].v = own;
			v[i].tag = GX_PROP_TYPE(tag) == PtypUnspecified ? v[i].tag : tag;
			if (r != 0)
				return gx_ec_from_err(r);
			continue;
		}
		v[i].tag = GX_PROP_RETYPE(tag, PtypErrorCode);
		v[i].v.err = ecNotFound;
		*ret_errors = true;
	}
	*ret_v = v;
	return NSP_OK;
}

/* [MS-OXNSPI] 3.1.4.1.8: what is given when nobody says what is wanted. */
static const gx_proptag_t usual[] = {
	PidTagAddressBookContainerId, PidTagObjectType, PidTagDisplayType, GX_PROP_RETYPE(PidTagDisplayName, PtypString8),
	GX_PROP_RETYPE(PidTagPrimaryTelephoneNumber, PtypString8), GX_PROP_RETYPE(PidTagDepartmentName, PtypString8),
	GX_PROP_RETYPE(PidTagOfficeLocation, PtypString8),
};

gx_ec gx_nsp__rows(struct nsp_call *c, const uint32_t *mids, uint32_t n, uint32_t flags, const struct gx_columns *cols, bool all,
	struct gx_ab_rows *ret_r)
{
	struct gx_proprow *v = gx_arena_new_array(c->a, struct gx_proprow, n + 1);
	bool errors = false;
	*ret_r = (struct gx_ab_rows){.columns = cols->v != NULL ? *cols : gx_nsp__columns(usual, sizeof(usual) / sizeof(usual[0])), .v = v};
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	size_t used = gx_arena_used(c->a);
	for (uint32_t i = 0; i < n && (i == 0 || all || gx_arena_used(c->a) - used < ROWS_MOST_BYTES); ++i) {
		gx_ec ec = gx_nsp__row(c, mids[i], flags, &ret_r->columns, &v[i].v, &errors);
		if (gx_ec_failed(ec))
			return ec;
		v[i].count = ret_r->columns.count;
		ret_r->count = i + 1;
	}
	c->rows += ret_r->count;
	return NSP_OK;
}
