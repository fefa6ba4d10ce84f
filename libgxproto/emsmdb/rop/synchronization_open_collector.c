/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationOpenCollector, [MS-OXCFXICS] 2.2.3.2.4.1 and 3.2.5.9.4.1 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__synchronization_open_collector(struct gx_rop_call *c, const struct gx_rop_synchronization_open_collector_req *q,
	void *r)
{
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	(void)r;
	return f == NULL ? GX_EC(ecNotSupported) : gx_ems__give_collector(c, f->fid, q->is_contents_collector);
}
