/* SPDX-License-Identifier: Apache-2.0 */
/* GetMailboxUrl and GetAddressBookUrl, [MS-OXCMAPIHTTP] 2.2.5.18 and 2.2.5.19 */
#include <config.h>
#include <string.h>
#include "libgxproto/nsp/nsp-int.h"

static gx_ec url(struct nsp_call *c, const char *host, const char *end, const char *id, const char **ret_url)
{
	*ret_url = gx_arena_printf(c->a, "https://%s/mapi/%s/?MailboxId=%s", host, end, id);
	return *ret_url == NULL ? GX_EC(ecMAPIOOM) : NSP_OK;
}

/* A name that stands in a URL without more ado. */
static bool is_plain(const char *s)
{
	for (const char *p = s; *p != '\0'; ++p)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._@", *p) == NULL)
			return false;
	return *s != '\0';
}

/* The last name of a server's DN is the server, or the mailbox in the form that autodiscover gives out: GUID@DOMAIN. */
NSP_OP(get_mailbox_url)
{
	const char *at = strrchr(q->server_dn == NULL ? "" : q->server_dn, '='), *host;
	if (at == NULL || !is_plain(at + 1))
		return GX_EC(ecNotFound);
	if (strchr(at + 1, '@') != NULL)
		return url(c, c->n->host, "emsmdb", at + 1, &r->server_url);
	gx_ec ec = gx_rfr_fqdn(c->n, q->server_dn, c->a, &host);
	return gx_ec_failed(ec) ? ec : url(c, host, "emsmdb", c->b->v[c->me].e->username, &r->server_url);
}

/* Any server has the whole book; the one that is asked answers quickest. */
NSP_OP(get_address_book_url)
{
	uint32_t entry = gx_nsp__by_dn(c, q->user_dn == NULL ? "" : q->user_dn);
	return entry == NSP_NONE ? GX_EC(ecNotFound) : url(c, c->n->host, "nspi", c->b->v[entry].e->username, &r->server_url);
}
