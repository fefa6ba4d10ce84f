/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationImportReadStateChanges, [MS-OXCFXICS] 2.2.3.2.4.6 and 3.2.5.9.4.6 */
#include <config.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__synchronization_import_read_state_changes(struct gx_rop_call *c,
	const struct gx_rop_synchronization_import_read_state_changes_req *q, void *r)
{
	struct gx_ems_collector *u = gx_ems__collector(c->in);
	struct gx_txn *t;
	struct gx_ics_ids due = {0};
	struct gx_ems_owing receipts = {0};
	size_t n = q->message_read_states_count;
	(void)r;
	if (u == NULL || !u->contents)
		return GX_EC(ecNotSupported);
	struct gx_ics_read *v = gx_arena_new_array(c->a, struct gx_ics_read, n);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		v[i] = (struct gx_ics_read){q->message_read_states[i].message_id, q->message_read_states[i].mark_as_read};
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_ics_import_reads(t, u->fid, v, n, &u->state.set[GX_EMS_READ], c->a, &due);
	for (size_t i = 0; i < due.n && !gx_ec_failed(ec); ++i)
		ec = gx_ems__owe_receipt(c, t, due.v[i], false, &receipts);
	return gx_ems__end_owing(c, t, &receipts, ec);
}
