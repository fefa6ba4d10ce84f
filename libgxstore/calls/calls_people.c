/* SPDX-License-Identifier: Apache-2.0 */
/* Who is meant: names of the address book, and the stores behind them. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/freebusy.h>
#include "libgxstore/calls/call-int.h"

#define PUBLIC_LOCALPART "public.folder.root"

/* ".../cn=Recipients/cn=<8 hex domain id><8 hex user id>-<local part>", ids with their bytes swapped. */
struct dn {
	uint32_t domain, user;
	const char *local;
};

static unsigned swap(uint32_t v)
{
	return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static bool hex32(const char *s, uint32_t *ret_v)
{
	char text[9] = {0}, *end;
	memcpy(text, s, strnlen(s, 8));
	uint32_t v = (uint32_t)strtoul(text, &end, 16);
	*ret_v = swap(v);
	return end == text + 8;
}

static bool parse_dn(const char *s, struct dn *d)
{
	static const char mark[] = "/cn=recipients/cn=";
	const char *at = strcasestr(s, mark);
	if (at == NULL)
		return false;
	at += sizeof(mark) - 1;
	if (strlen(at) < 18 || at[16] != '-' || !hex32(at, &d->domain) || !hex32(at + 8, &d->user))
		return false;
	d->local = at + 17;
	return true;
}

const char *gx_call__dn_of(const struct gx_exmdb_host *h, const struct gx_user *u, struct gx_arena *a)
{
	return gx_arena_printf(a, "/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=%08x%08x-%.*s", h->org,
		swap(u->domain_id), swap(u->id), (int)strcspn(u->username, "@"), u->username);
}

static gx_ec domain_by_id(struct gx_call_ctx *c, uint32_t id, struct gx_domain *ret_d)
{
	struct gx_domain *v;
	size_t n;
	if (c->host->o.dir == NULL)
		return gx_call__fail(c, ecNotFound, "no user directory is connected");
	int err = gx_dir_list_domains(c->host->o.dir, c->a, &v, &n);
	if (err != 0)
		return gx_call__err(c, err);
	for (size_t i = 0; i < n; ++i)
		if (v[i].id == id) {
			*ret_d = v[i];
			return GX_OK_EC;
		}
	return gx_call__fail(c, ecNotFound, "no domain has the number %u", id);
}

static gx_ec user_of(struct gx_call_ctx *c, const struct dn *d, const struct gx_domain *dom, struct gx_user *ret_u)
{
	const char *address = gx_arena_printf(c->a, "%s@%s", d->local, dom->name);
	int err = address == NULL ? GX_E_NOMEM : gx_dir_user(c->host->o.dir, address, c->a, ret_u);
	if (err == GX_E_NOTFOUND || (err == 0 && ret_u->id != d->user))
		return gx_call__fail(c, ecNotFound, "there is no user %s with the number %u", address, d->user);
	return gx_call__err(c, err);
}

gx_ec gx_call__user_of_dn(struct gx_call_ctx *c, const char *dn, const char **ret_address)
{
	struct dn d;
	struct gx_domain dom;
	struct gx_user u;
	if (!parse_dn(dn, &d))
		return gx_call__fail(c, ecNotFound, "%s is nobody here", dn);
	gx_ec ec = domain_by_id(c, d.domain, &dom);
	if (!gx_ec_failed(ec))
		ec = user_of(c, &d, &dom, &u);
	if (!gx_ec_failed(ec))
		*ret_address = u.username;
	return ec;
}

gx_ec gx_call__store_eid_to_user(struct gx_call_ctx *c, const struct gx_x_store_eid_to_user_req *req, struct gx_x_store_eid_to_user_ans *ans)
{
	struct dn d;
	struct gx_domain dom;
	struct gx_user u;
	ans->maildir = "";
	if (!parse_dn(req->eid.mailbox_dn, &d))
		return gx_call__fail(c, ecNotFound, "%s is no mailbox of this organisation", req->eid.mailbox_dn);
	gx_ec ec = domain_by_id(c, d.domain, &dom);
	if (gx_ec_failed(ec))
		return ec;
	ans->domain_id = dom.id;
	if (gx_guid_cmp(&req->eid.wrapped_provider, &muidStorePublic) == 0 || strcasecmp(d.local, PUBLIC_LOCALPART) == 0) {
		ans->maildir = dom.homedir;
		return GX_OK_EC;
	}
	ec = user_of(c, &d, &dom, &u);
	if (!gx_ec_failed(ec)) {
		ans->maildir = u.maildir;
		ans->user_id = u.id;
	}
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
