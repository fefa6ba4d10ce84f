/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetStoreState, [MS-OXCSTOR] 2.2.1.5 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { STORE_HAS_SEARCHES = 0x01000000 };

gx_ec gx_rop__get_store_state(struct gx_rop_call *c, const void *q, struct gx_rop_get_store_state_res *r)
{
	struct gx_txn *t;
	struct gx_folder_info *v;
	size_t n = 0;
	(void)q;
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_folder_list(t, GX_FID_FINDER, false, c->a, &v, &n));
	r->store_state = n > 0 ? STORE_HAS_SEARCHES : 0;
	return ec;
}
