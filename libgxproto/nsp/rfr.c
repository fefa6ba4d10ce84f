/* SPDX-License-Identifier: Apache-2.0 */
/* Which server to ask, [MS-OXABREF] 3.1.4. */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/nsp/nsp-int.h"

gx_ec gx_rfr_new_dsa(struct gx_nsp *n, const char *user, struct gx_arena *a, const char **ret_server)
{
	struct gx_user u;
	if (n == NULL || user == NULL || a == NULL || ret_server == NULL)
		return GX_EC(ecInvalidParam);
	int err = gx_dir_user(n->o.dir, user, a, &u);
	if (err == GX_E_NOTFOUND)
		return GX_EC(ecLoginFailure);
	const char *s = err == 0 ? gx_arena_strdup(a, n->host) : NULL;
	if (s != NULL)
		*ret_server = s;
	return err != 0 ? gx_ec_from_err(err) : s == NULL ? GX_EC(ecMAPIOOM) : NSP_OK;
}

/* The name behind "/cn=Servers/cn=". */
static const char *server_of(const char *dn, struct gx_arena *a)
{
	static const char mark[] = "/cn=Servers/cn=";
	const char *at = strcasestr(dn, mark);
	return at == NULL ? NULL : gx_arena_strndup(a, at + sizeof(mark) - 1, strcspn(at + sizeof(mark) - 1, "/"));
}

static const char *known_as(const struct gx_server *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; ++i)
		if (strcasecmp(v[i].hostname, name) == 0 || strcasecmp(v[i].extname, name) == 0)
			return *v[i].extname != '\0' ? v[i].extname : v[i].hostname;
	return NULL;
}

gx_ec gx_rfr_fqdn(struct gx_nsp *n, const char *server_dn, struct gx_arena *a, const char **ret_fqdn)
{
	struct gx_server *v;
	size_t count;
	if (n == NULL || server_dn == NULL || a == NULL || ret_fqdn == NULL)
		return GX_EC(ecInvalidParam);
	const char *name = server_of(server_dn, a);
	if (name == NULL || *name == '\0')
		return GX_EC(ecNotFound);
	/* GUID@DOMAIN is a mailbox, as autodiscover names it: any server leads there */
	if (strcasecmp(name, n->host) == 0 || strchr(name, '@') != NULL) {
		*ret_fqdn = gx_arena_strdup(a, n->host);
		return *ret_fqdn == NULL ? GX_EC(ecMAPIOOM) : NSP_OK;
	}
	int err = gx_dir_list_servers(n->o.dir, a, &v, &count);
	const char *found = err == 0 ? known_as(v, count, name) : NULL;
	if (found != NULL)
		*ret_fqdn = found;
	return err != 0 ? gx_ec_from_err(err) : found == NULL ? GX_EC(ecNotFound) : NSP_OK;
}
