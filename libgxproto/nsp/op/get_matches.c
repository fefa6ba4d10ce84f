/* SPDX-License-Identifier: Apache-2.0 */
/* NspiGetMatches, [MS-OXNSPI] 3.1.4.1.10 */
#include <config.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"

enum { TABLE_MOST = 100000 };

static gx_ec check(const struct nsp_call *c, const struct gx_mh_get_matches_req *q)
{
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	if (q->reserved != 0)
		return GX_EC(ecInvalidParam);
	if (q->has_minimal_ids)
		return GX_EC(ecTooComplex);
	uint32_t sort = q->state->sort_type;
	bool of_container = sort == SORT_DISPLAY_NAME || sort == SORT_PHONETIC;
	if (q->filter != NULL && !of_container)
		return GX_EC(ecGeneralFailure);
	if (of_container) /* constraint 7 holds with and without a filter */
		return gx_nsp__container(c, q->state->container_id) == NULL ? GX_EC(ecInvalidBookmark) : NSP_OK;
	return sort == SORT_DISPLAY_NAME_RO || sort == SORT_DISPLAY_NAME_W ? NSP_OK : GX_EC(ecInvalidParam);
}

static bool may_change(const struct nsp_call *c, uint32_t entry, gx_proptag_t tag)
{
	return (GX_PROP_ID(tag) == GX_PROP_ID(PidTagAddressBookPublicDelegates) && entry == c->me) ||
	       GX_PROP_ID(tag) == GX_PROP_ID(PidTagAddressBookMember);
}

/* Whom the property of an entry names; the stat's fields have another meaning here. */
static gx_ec by_property(struct nsp_call *c, const struct gx_mh_get_matches_req *q, struct nsp_set *s)
{
	gx_proptag_t tag = q->has_property_name ? q->property_name_id : q->state->container_id;
	uint32_t entry = gx_nsp__by_mid(c, q->state->current_rec);
	if (entry == NSP_NONE)
		return GX_EC(ecGeneralFailure);
	if (q->state->sort_type == SORT_DISPLAY_NAME_W && !may_change(c, entry, tag))
		return GX_EC(ecNotSupported);
	int err = gx_nsp__links(c, entry, tag, s);
	return err == GX_E_UNSUP ? GX_EC(ecNotSupported) : gx_ec_from_err(err);
}

NSP_OP(get_matches)
{
	uint32_t most = q->row_count < TABLE_MOST ? q->row_count : TABLE_MOST;
	struct nsp_set s = {0};
	gx_ec ec = check(c, q);
	if (!gx_ec_failed(ec))
		ec = q->filter == NULL ? by_property(c, q, &s) : gx_nsp__filter(c, gx_nsp__container(c, q->state->container_id), q->filter, most, &s);
	if (!gx_ec_failed(ec) && s.n > most)
		ec = GX_EC(ecTableTooBig);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_stat *st = gx_arena_memdup(c->a, q->state, sizeof(*st));
	uint32_t *mids = gx_arena_new_array(c->a, uint32_t, s.n + 1);
	if (st == NULL || mids == NULL)
		return GX_EC(ecMAPIOOM);
	gx_nsp__sort(c, q->state, s.v, s.n);
	st->container_id = st->current_rec; /* constraint 15 */
	for (size_t i = 0; i < s.n; ++i)
		mids[i] = gx_nsp__mid(c, s.v[i]);
	r->state = st;
	r->has_minimal_ids = true;
	r->minimal_ids = mids;
	r->minimal_ids_count = (uint32_t)s.n;
	if (!q->has_columns)
		return ec;
	const struct gx_columns cols = gx_nsp__columns(q->columns, q->columns_count);
	r->has_columns_and_rows = true;
	return gx_nsp__rows(c, mids, (uint32_t)s.n, NSP_EPHEMERAL_IDS, &cols, false, &r->rows);
}
