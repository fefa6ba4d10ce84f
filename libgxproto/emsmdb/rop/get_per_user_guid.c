/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPerUserGuid and RopGetPerUserLongTermIds, [MS-OXCSTOR] 2.2.1.10, 2.2.1.11, 3.2.5.10, 3.2.5.11 */
#include <config.h>
#include "libgxproto/emsmdb/peruser.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__get_per_user_guid(struct gx_rop_call *c, const struct gx_rop_get_per_user_guid_req *q, struct gx_rop_get_per_user_guid_res *r)
{
	struct gx_txn *t;
	struct gx_peruser p = {0};
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_peruser_get(t, &q->long_term_id.database_guid, q->long_term_id.global_counter, c->a, &p));
	r->database_guid = p.database;
	return ec;
}

gx_ec gx_rop__get_per_user_long_term_ids(struct gx_rop_call *c, const struct gx_rop_get_per_user_long_term_ids_req *q,
	struct gx_rop_get_per_user_long_term_ids_res *r)
{
	struct gx_txn *t;
	struct gx_peruser *v = NULL;
	size_t n = 0;
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_peruser_list(t, &q->database_guid, c->a, &v, &n));
	struct gx_long_term_id *ids = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_long_term_id, n);
	if (ids == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		ids[i] = (struct gx_long_term_id){v[i].folder_db, v[i].folder};
	r->long_term_ids = ids;
	r->long_term_ids_count = (uint32_t)n;
	return ec;
}
