/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetOwningServers and RopPublicFolderIsGhosted, [MS-OXCSTOR] 2.2.1.6, 2.2.1.7, 3.2.5.6, 3.2.5.7: each public folder has one replica, here. */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec look(struct gx_rop_call *c, uint64_t id)
{
	struct gx_txn *t;
	struct gx_folder_info f;
	uint64_t fid;
	gx_ec ec = gx_ems__plain(c, id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_get(t, fid, c->a, &f));
}

gx_ec gx_rop__get_owning_servers(struct gx_rop_call *c, const struct gx_rop_get_owning_servers_req *q, struct gx_rop_get_owning_servers_res *r)
{
	struct gx_domain d;
	const char **v = gx_arena_new_array(c->a, const char *, 1);
	if (gx_ems__logon(c->in) == NULL || !c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = look(c, q->folder_id);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_dir_domain(c->s->e->o.dir, c->logon->mailbox, c->a, &d));
	if (!gx_ec_failed(ec) && (v == NULL || (v[0] = gx_dn_of_domain(c->a, c->s->e->org, &d)) == NULL))
		ec = GX_EC(ecMAPIOOM);
	if (gx_ec_failed(ec))
		return ec;
	r->owning_servers = v;
	r->owning_servers_count = 1;
	r->cheap_servers_count = 1;
	return ec;
}

/* In a mailbox no folder is, whether it is there or not. */
gx_ec gx_rop__public_folder_is_ghosted(struct gx_rop_call *c, const struct gx_rop_public_folder_is_ghosted_req *q,
	struct gx_rop_public_folder_is_ghosted_res *r)
{
	if (gx_ems__logon(c->in) == NULL)
		return GX_EC(ecNotSupported);
	r->is_ghosted = false;
	return c->logon->is_public ? look(c, q->folder_id) : EMS_OK;
}
