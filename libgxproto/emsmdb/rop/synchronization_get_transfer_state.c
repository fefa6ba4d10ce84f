/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationGetTransferState, [MS-OXCFXICS] 2.2.3.2.3.1 and 3.2.5.9.3.1 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* All of it was put when it was asked for: it is the state of that moment. */
static int next(struct gx_ems_source *s)
{
	(void)s;
	return 0;
}

static const struct gx_ems_source_ops ops = {NULL, next, NULL};

gx_ec gx_rop__synchronization_get_transfer_state(struct gx_rop_call *c, const void *q,
	void *r)
{
	bool contents;
	const struct gx_ems_state *st = gx_ems__state(c->in, &contents);
	struct gx_ems_sync *d = gx_ems__sync(c->in);
	(void)q;
	(void)r;
	if (st == NULL)
		return GX_EC(ecNotSupported);
	int err = d == NULL || d->src.out == NULL ? 0 : gx_ems__sync_settle(d);
	if (err != 0)
		return gx_ec_from_err(err);
	struct gx_ems_source *s = gx_ems__source_new(sizeof(*s), &gx_ems__kind_source, &ops, GX_FTX_STATE, 0);
	if (s == NULL)
		return GX_EC(ecMAPIOOM);
	s->out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.root = GX_FTX_STATE});
	err = s->out == NULL ? GX_E_NOMEM : gx_ems__state_put(s->out, st, gx_store_replica(c->logon->store), contents);
	if (err == 0)
		err = gx_ftx_out_end(s->out);
	if (err == 0)
		return gx_rop__give(c, &s->obj, c->logon);
	gx_ems__source_free(&s->obj);
	return gx_ec_from_err(err);
}
