/* SPDX-License-Identifier: Apache-2.0 */
/* Who is meant: names of the address book, and the stores behind them. */
#include <config.h>
#include <gx/freebusy.h>
#include "libgxstore/calls/call-int.h"

const char *gx_call__dn_of(const struct gx_exmdb_host *h, const struct gx_user *u, struct gx_arena *a)
{
	return gx_dn_of_user(a, h->org, u);
}

static gx_ec owner_of(struct gx_call_ctx *c, const char *dn, struct gx_dn_owner *ret_o)
{
	if (c->host->o.dir == NULL)
		return gx_call__fail(c, ecNotFound, "no user directory is connected");
	int err = gx_dir_dn(c->host->o.dir, dn, c->a, ret_o);
	if (err == GX_E_NOTFOUND)
		return gx_call__fail(c, ecNotFound, "%s is nobody here", dn);
	return gx_call__err(c, err);
}

gx_ec gx_call__user_of_dn(struct gx_call_ctx *c, const char *dn, const char **ret_address)
{
	struct gx_dn_owner o;
	gx_ec ec = owner_of(c, dn, &o);
	if (!gx_ec_failed(ec) && o.is_public)
		return gx_call__fail(c, ecNotFound, "%s is a public store", dn);
	if (!gx_ec_failed(ec))
		*ret_address = o.user.username;
	return ec;
}

gx_ec gx_call__store_eid_to_user(struct gx_call_ctx *c, const struct gx_x_store_eid_to_user_req *req, struct gx_x_store_eid_to_user_ans *ans)
{
	struct gx_dn_owner o;
	ans->maildir = "";
	gx_ec ec = owner_of(c, req->eid.mailbox_dn, &o);
	if (gx_ec_failed(ec))
		return ec;
	bool is_public = o.is_public || gx_guid_cmp(&req->eid.wrapped_provider, &muidStorePublic) == 0;
	ans->domain_id = o.domain.id;
	ans->user_id = is_public ? 0 : o.user.id;
	ans->maildir = is_public ? o.domain.homedir : o.user.maildir;
	return ec;
}

gx_ec gx_call__check_contact_address(struct gx_call_ctx *c, const struct gx_x_check_contact_address_req *req,
	struct gx_x_check_contact_address_ans *ans)
{
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_contact_known(c->t, req->address, &ans->found);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}
