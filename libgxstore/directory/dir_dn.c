/* SPDX-License-Identifier: Apache-2.0 */
/* ".../cn=Recipients/cn=<8 hex domain id><8 hex user id>-<local part>", ids with their bytes swapped. */
#include <config.h>
#include <strings.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include "libgxstore/directory/dir-int.h"

#define PUBLIC_LOCALPART "public.folder.root"

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

static bool parse(const char *s, struct dn *d)
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

static const char *make(struct gx_arena *a, const char *org, uint32_t domain, uint32_t user, const char *local)
{
	return gx_arena_printf(a, "/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=%08x%08x-%s", org,
		swap(domain), swap(user), local);
}

const char *gx_dn_of_user(struct gx_arena *a, const char *org, const struct gx_user *u)
{
	const char *local = gx_arena_strndup(a, u->username, strcspn(u->username, "@"));
	return local == NULL ? NULL : make(a, org, u->domain_id, u->id, local);
}

const char *gx_dn_of_domain(struct gx_arena *a, const char *org, const struct gx_domain *dom)
{
	return make(a, org, dom->id, 0, PUBLIC_LOCALPART);
}

static int domain_by_id(struct gx_dir *d, uint32_t id, struct gx_arena *a, struct gx_domain *ret_dom)
{
	struct gx_domain *v;
	size_t n;
	int err = gx_dir_list_domains(d, a, &v, &n);
	for (size_t i = 0; err == 0 && i < n; ++i)
		if (v[i].id == id) {
			*ret_dom = v[i];
			return 0;
		}
	return err == 0 ? GX_E_NOTFOUND : err;
}

bool gx_dn_parse(const char *dn, uint32_t *ret_domain, uint32_t *ret_user, const char **ret_local)
{
	struct dn p;
	if (dn == NULL || ret_domain == NULL || ret_user == NULL || ret_local == NULL || !parse(dn, &p))
		return false;
	*ret_domain = p.domain;
	*ret_user = p.user;
	*ret_local = p.local;
	return true;
}

int gx_dir_dn(struct gx_dir *d, const char *dn, struct gx_arena *a, struct gx_dn_owner *ret_o)
{
	struct dn p;
	struct gx_dn_owner o = {0};
	if (d == NULL || dn == NULL || a == NULL || ret_o == NULL)
		return GX_E_INVAL;
	int err = parse(dn, &p) ? domain_by_id(d, p.domain, a, &o.domain) : GX_E_NOTFOUND;
	o.is_public = err == 0 && strcasecmp(p.local, PUBLIC_LOCALPART) == 0;
	if (err == 0 && !o.is_public) {
		const char *address = gx_arena_printf(a, "%s@%s", p.local, o.domain.name);
		err = address == NULL ? GX_E_NOMEM : gx_dir_user(d, address, a, &o.user);
		if (err == 0 && o.user.id != p.user)
			err = GX_E_NOTFOUND;
	}
	if (err == 0)
		*ret_o = o;
	return err;
}

/* ---- People in lists ---- */

static int list_address(struct gx_dir *d, struct gx_bin list, struct gx_arena *a, const char **ret_address)
{
	const char *type, *address, *name;
	struct gx_dn_owner o;
	int err = gx_entryid_address(a, list, &type, &address, &name);
	if (err != 0)
		return err == GX_E_NOMEM ? err : GX_E_NOTFOUND;
	*ret_address = address;
	if (gx_ascii_casecmp(type, "EX") != 0)
		return 0;
	err = gx_dir_dn(d, address, a, &o);
	*ret_address = err == 0 ? o.user.username : NULL;
	return err != 0 ? err : o.is_public ? GX_E_NOTFOUND : 0;
}

/* As the list has him, as the directory has him, and his DN. */
static int put_person(struct gx_dir *d, const char *who, struct gx_arena *a, const char **v, size_t *io_n)
{
	struct gx_user u;
	v[(*io_n)++] = who;
	int err = gx_dir_user(d, who, a, &u);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	const char *dn = gx_dn_of_user(a, "", &u);
	if (dn == NULL)
		return GX_E_NOMEM;
	v[(*io_n)++] = u.username;
	v[(*io_n)++] = dn;
	return 0;
}

int gx_dir_people_of(struct gx_bin list, struct gx_arena *a, const char *const **ret_v, size_t *ret_n, void *dir)
{
	const char *address, *const *who;
	size_t n = 0, out = 0;
	int err = list_address(dir, list, a, &address);
	if (err == 0)
		err = gx_dir_list_members(dir, address, a, &who, &n);
	if (err != 0)
		return err;
	const char **v = gx_arena_new_array(a, const char *, 3 * n + 1);
	err = v == NULL ? GX_E_NOMEM : 0;
	for (size_t i = 0; err == 0 && i < n; ++i)
		err = put_person(dir, who[i], a, v, &out);
	if (err != 0)
		return err;
	*ret_v = v;
	*ret_n = out;
	return 0;
}
