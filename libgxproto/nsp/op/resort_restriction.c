/* SPDX-License-Identifier: Apache-2.0 */
/* NspiResortRestriction, [MS-OXNSPI] 3.1.4.1.11 */
#include <config.h>
#include "libgxproto/nsp/order.h"

enum { TABLE_MOST = 100000 };

NSP_OP(resort_restriction)
{
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	if (!q->has_minimal_ids || q->minimal_ids_count > TABLE_MOST)
		return GX_EC(ecInvalidParam);
	if (q->state->sort_type != SORT_DISPLAY_NAME && q->state->sort_type != SORT_PHONETIC)
		return GX_EC(ecGeneralFailure);
	uint32_t *v = gx_arena_new_array(c->a, uint32_t, q->minimal_ids_count + 1), n = 0;
	struct gx_stat *st = gx_arena_memdup(c->a, q->state, sizeof(*st));
	if (v == NULL || st == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < q->minimal_ids_count; ++i) {
		uint32_t entry = gx_nsp__by_mid(c, q->minimal_ids[i]);
		if (entry != NSP_NONE)
			v[n++] = entry;
	}
	gx_nsp__sort(c, q->state, v, n);
	st->total_recs = n;
	st->num_pos = NSP_NONE;
	for (uint32_t i = 0; i < n; ++i) {
		v[i] = gx_nsp__mid(c, v[i]);
		if (v[i] == st->current_rec && st->num_pos == NSP_NONE)
			st->num_pos = i;
	}
	if (st->num_pos == NSP_NONE) {
		st->current_rec = MID_BEGINNING_OF_TABLE;
		st->num_pos = 0;
	}
	r->state = st;
	r->has_minimal_ids = true;
	r->minimal_ids = v;
	r->minimal_ids_count = n;
	return NSP_OK;
}
