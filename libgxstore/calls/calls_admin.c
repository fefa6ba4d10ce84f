/* SPDX-License-Identifier: Apache-2.0 */
/* Upkeep of a store. */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__vacuum(struct gx_call_ctx *c)
{
	return gx_call__err(c, gx_store_vacuum(c->s, c->host->o.deadline_ms));
}

gx_ec gx_call__purge_datafiles(struct gx_call_ctx *c)
{
	long n = gx_store_purge_files(c->s);
	return gx_call__err(c, n < 0 ? (int)n : 0);
}

gx_ec gx_call__recalc_store_size(struct gx_call_ctx *c, const struct gx_x_recalc_store_size_req *req)
{
	size_t fixed = 0;
	(void)req; /* the original has no flags yet either */
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_recount(c->t, &fixed);
	ec = gx_call__end(c, ec, GX_SYNC_NOW);
	if (!gx_ec_failed(ec) && fixed > 0)
		gx_log(c->host->o.log, GX_LOG_NOTICE, "%s: counts of %zu folders were wrong and are right again", c->dir, fixed);
	return ec;
}

gx_ec gx_call__cgkreset(struct gx_call_ctx *c, const struct gx_x_cgkreset_req *req)
{
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_reset_changes(c->t, req->flags);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__set_maintenance(struct gx_call_ctx *c, const struct gx_x_set_maintenance_req *req)
{
	/* 3 and 4 are 1 and 2 that wait until nobody else is at work */
	static const uint8_t modes[] = {GX_MAINT_USABLE, GX_MAINT_HOLD, GX_MAINT_REJECT, GX_MAINT_HOLD, GX_MAINT_REJECT};
	if (req->mode >= sizeof(modes))
		return gx_call__fail(c, ecInvalidParam, "maintenance mode %u does not exist", (unsigned)req->mode);
	return gx_call__err(c, gx_store_set_maintenance(c->s, modes[req->mode], req->mode >= 3));
}
