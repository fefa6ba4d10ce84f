/* SPDX-License-Identifier: Apache-2.0 */
/* RopTellVersion, [MS-OXCFXICS] 2.2.3.1.1.6 and 3.2.5.8.1.6: the version of the server at the other end of a copy. */
#include <config.h>
#include "libgxproto/emsmdb/fasttransfer_dest.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* Streams of all versions are taken and made alike here, so it is told to the log. */
gx_ec gx_rop__tell_version(struct gx_rop_call *c, const struct gx_rop_tell_version_req *q, void *r)
{
	(void)r;
	if (gx_ems__source(c->in) == NULL && gx_ems__dest(c->in) == NULL)
		return GX_EC(ecNotSupported);
	c->why = gx_arena_printf(c->a, "the other server is %u.%u.%u", q->version[0], q->version[1], q->version[2]);
	return EMS_OK;
}
