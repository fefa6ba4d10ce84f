/* SPDX-License-Identifier: Apache-2.0 */
/* NspiBind and NspiUnbind, [MS-OXNSPI] 3.1.4.1.1 and 3.1.4.1.2: what keeps track of clients is the transport's. */
#include <config.h>
#include "libgxproto/nsp/nsp-int.h"

enum { ANONYMOUS_LOGIN = 0x20, UNBIND_SUCCESS = 1 };

NSP_OP(bind)
{
	if (q->flags & ANONYMOUS_LOGIN)
		return GX_EC(ecLoginFailure);
	gx_ec ec = q->state == NULL ? NSP_OK : gx_nsp__check_stat(q->state);
	if (!gx_ec_failed(ec))
		r->server_guid = c->n->guid;
	return ec;
}

NSP_OP(unbind)
{
	(void)c;
	(void)q;
	(void)r;
	return GX_EC(UNBIND_SUCCESS);
}
