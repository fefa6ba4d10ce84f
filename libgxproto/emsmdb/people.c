/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <strings.h>
#include "libgxproto/emsmdb/people.h"

enum { DT_MAILUSER = 0, DT_DISTLIST = 1 };

int gx_ems__person(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx)
{
	const struct gx_ems *e = ctx;
	struct gx_user u;
	int err = gx_dir_user(e->o.dir, address, a, &u);
	const char *dn = err == 0 ? gx_dn_of_user(a, e->org, &u) : NULL;
	if (err != 0 || dn == NULL)
		return err != 0 ? err : GX_E_NOMEM;
	*ret_name = *u.display_name != '\0' ? u.display_name : u.username;
	return gx_entryid_addressbook(a, u.display_type == DT_DISTLIST ? DT_DISTLIST : DT_MAILUSER, dn, ret_entryid);
}

gx_ec gx_ems__smtp_of(struct gx_rop_call *c, const char *type, const char *address, const char **ret_smtp)
{
	struct gx_dn_owner o;
	if (strcasecmp(type, "EX") != 0) {
		*ret_smtp = address;
		return strcasecmp(type, "SMTP") == 0 ? EMS_OK : gx_rop__fail(c, ecUnknownUser, "%s: no SMTP address but one of %s", address, type);
	}
	int err = gx_dir_dn(c->s->e->o.dir, address, c->a, &o);
	if (err == GX_E_NOTFOUND || (err == 0 && o.is_public))
		return gx_rop__fail(c, ecUnknownUser, "%s is not in the directory", address);
	if (err == 0)
		*ret_smtp = o.user.username;
	return gx_ec_from_err(err);
}

gx_ec gx_ems__smtp_of_entryid(struct gx_rop_call *c, struct gx_bin entryid, const char **ret_smtp)
{
	const char *type, *address, *name;
	int err = gx_entryid_address(c->a, entryid, &type, &address, &name);
	if (err == GX_E_NOMEM)
		return GX_EC(ecMAPIOOM);
	return err == 0 ? gx_ems__smtp_of(c, type, address, ret_smtp) : gx_rop__fail(c, ecInvalidParam, "an entry id that is no person's");
}
