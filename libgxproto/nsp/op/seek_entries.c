/* SPDX-License-Identifier: Apache-2.0 */
/* NspiSeekEntries, [MS-OXNSPI] 3.1.4.1.9 */
#include <config.h>
#include <string.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"

enum { ROWS_AT_ONCE = 50, TABLE_MOST = 100000 };

static gx_ec check(const struct gx_mh_seek_entries_req *q)
{
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	if (q->reserved != 0 || q->target == NULL || q->explicit_table_count > TABLE_MOST)
		return GX_EC(ecInvalidParam);
	bool text = GX_PROP_TYPE(q->target->tag) == PtypString || GX_PROP_TYPE(q->target->tag) == PtypString8;
	uint32_t sort = q->state->sort_type;
	gx_proptag_t by = sort == SORT_PHONETIC ? PidTagAddressBookPhoneticDisplayName : PidTagDisplayName;
	bool known = sort == SORT_DISPLAY_NAME || sort == SORT_PHONETIC;
	return !known || GX_PROP_ID(q->target->tag) != GX_PROP_ID(by) || !text ? GX_EC(ecGeneralFailure) : NSP_OK;
}

/* The table that is searched: a container's, or the client's own, whose ids may name nobody any more. */
struct table {
	struct nsp_table of;
	const uint32_t *mids; /* NULL: rows of that */
	uint32_t count;
};

static uint32_t entry_at(const struct nsp_call *c, const struct table *t, uint32_t i)
{
	return t->mids == NULL ? gx_nsp__entry(t->of.o, t->of.ranks[i]) : gx_nsp__by_mid(c, t->mids[i]);
}

/* Is that row's name before @name? Where it is nobody's it is. */
static bool before(const struct nsp_call *c, const struct table *t, uint32_t i, const char *name)
{
	uint32_t e = entry_at(c, t, i);
	return e == NSP_NONE || gx_nsp__collate(t->of.o->sorter, gx_nsp__sort_name(t->of.o, &c->b->v[e], c->a), name) < 0;
}

static uint32_t first_from(const struct nsp_call *c, const struct table *t, const char *name)
{
	uint32_t lo = 0, hi = t->count;
	while (t->mids != NULL && lo < hi && before(c, t, lo, name))
		++lo;
	while (t->mids == NULL && lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (before(c, t, mid, name))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static gx_ec rows(struct nsp_call *c, const struct gx_mh_seek_entries_req *q, const struct table *t, uint32_t pos, struct gx_mh_seek_entries_res *r)
{
	const struct gx_columns cols = gx_nsp__columns(q->columns, q->columns_count);
	uint32_t n = t->count - pos;
	if (t->mids == NULL && n > ROWS_AT_ONCE)
		n = ROWS_AT_ONCE;
	uint32_t *mids = gx_arena_new_array(c->a, uint32_t, n + 1);
	if (mids == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < n; ++i)
		mids[i] = t->mids != NULL ? t->mids[pos + i] : gx_nsp__row_mid(c, &t->of, pos + i);
	r->has_columns_and_rows = true;
	return gx_nsp__rows(c, mids, n, NSP_EPHEMERAL_IDS, &cols, false, &r->rows);
}

NSP_OP(seek_entries)
{
	gx_ec ec = check(q);
	if (gx_ec_failed(ec))
		return ec;
	struct table t = {.mids = NULL};
	struct gx_stat where = *q->state;
	if (q->has_explicit_table && !gx_nsp__is_table(c, where.container_id))
		return GX_EC(ecInvalidBookmark);
	if (q->has_explicit_table)
		where.container_id = 0; /* the rows are the client's own, only their order is the server's */
	ec = gx_nsp__table(c, &where, &t.of);
	if (gx_ec_failed(ec))
		return ec;
	t.mids = q->has_explicit_table ? q->explicit_table : NULL;
	t.count = q->has_explicit_table ? q->explicit_table_count : t.of.count;
	struct gx_stat *st = gx_arena_memdup(c->a, q->state, sizeof(*st));
	if (st == NULL)
		return GX_EC(ecMAPIOOM);
	uint32_t pos = first_from(c, &t, q->target->v.str);
	if (pos == t.count)
		return GX_EC(ecNotFound);
	st->current_rec = gx_nsp__mid(c, entry_at(c, &t, pos));
	st->num_pos = pos;
	st->total_recs = t.count;
	st->delta = 0;
	r->state = st;
	return q->has_columns ? rows(c, q, &t, pos, r) : NSP_OK;
}
