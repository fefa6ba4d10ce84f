/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses of the address book, [MS-OXCMAPIHTTP] 2.2.5.14, [MS-OXNSPI] 3.1.4.17; and where the mailbox is. */
#include <config.h>
#include <string.h>
#include <gx/autodiscover.h>
#include "libgxproto/client/client-int.h"

enum { NAMES_MAX = 1000 };

/* ---- Address book ---- */

static gx_ec said(struct gx_mapi *c, const char *type, uint32_t status, uint32_t error)
{
	gx_ec ec = GX_EC(status != 0 ? status : error);
	return ec.v == 0 || !gx_ec_failed(ec) ? MC_OK : gx_mapi__fail(c, ec, "%s: %s: %s", type, gx_ec_name(ec), gx_ec_text(ec));
}

/* The address book lies beside the mailbox, where nobody has said otherwise. */
static const char *url_of(struct gx_mapi *c)
{
	static const char mine[] = "/mapi/emsmdb";
	if (c->o.nspi_url != NULL)
		return c->o.nspi_url;
	const char *url = c->mailbox.url, *at = strstr(url, mine);
	return at == NULL ? NULL : gx_arena_printf(c->scratch, "%.*s/mapi/nspi%s", (int)(at - url), url, at + sizeof(mine) - 1);
}

static gx_ec take(struct gx_mapi *c, const struct gx_mh_resolve_names_res *r, size_t n, struct gx_arena *a, struct gx_mapi_resolved *ret_v)
{
	uint32_t row = 0;
	if (r->minimal_ids_count != n)
		return gx_mapi__fail(c, GX_EC(ecCorruptData), "ResolveNames: %u answers for %zu names", (unsigned)r->minimal_ids_count, n);
	for (size_t i = 0; i < n; ++i) {
		ret_v[i] = (struct gx_mapi_resolved){.verdict = r->minimal_ids[i] <= GX_MAPI_RESOLVED ? r->minimal_ids[i] : GX_MAPI_UNRESOLVED};
		if (ret_v[i].verdict != GX_MAPI_RESOLVED)
			continue;
		if (row == r->rows.count)
			return gx_mapi__fail(c, GX_EC(ecCorruptData), "ResolveNames: a row is missing");
		const struct gx_proprow *p = &r->rows.v[row++];
		for (uint32_t k = 0; k < p->count; ++k) {
			uint16_t type = GX_PROP_TYPE(p->v[k].tag);
			if (type != PtypErrorCode && type != PtypNull && gx_proplist_set(&ret_v[i].props, a, p->v[k].tag, p->v[k].v) != 0)
				return gx_mapi__nomem(c);
		}
	}
	return MC_OK;
}

static gx_ec ask(struct gx_mapi *c, struct mc_endpoint *to, const char *const *names, size_t n, struct gx_arena *a, struct gx_mapi_resolved *ret_v)
{
	static const gx_proptag_t columns[] = {PidTagDisplayName, PidTagSmtpAddress, PidTagAddressType, PidTagEmailAddress, PidTagDisplayType,
		PidTagObjectType, PidTagEntryId};
	const struct gx_stat st = {.code_page = c->o.code_page, .template_locale = c->o.lcid, .sort_locale = c->o.lcid};
	const struct gx_mh_bind_req bind = {.state = &st};
	const struct gx_mh_resolve_names_req q = {.state = &st, .has_property_tags = true, .property_tags = columns,
		.property_tags_count = sizeof(columns) / sizeof(columns[0]), .has_names = true, .name_values = names, .name_values_count = (uint32_t)n};
	static const struct gx_mh_unbind_req unbind;
	struct gx_mh_bind_res bound = {0};
	struct gx_mh_resolve_names_res r = {0};
	struct gx_mh_unbind_res gone;
	gx_ec ec = gx_mapi__exchange(c, to, GX_MH_BIND, &bind, c->scratch, &bound);
	if (!gx_ec_failed(ec))
		ec = said(c, "Bind", bound.status_code, bound.error_code);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi__exchange(c, to, GX_MH_RESOLVE_NAMES, &q, a, &r);
	if (!gx_ec_failed(ec))
		ec = said(c, "ResolveNames", r.status_code, r.error_code);
	if (!gx_ec_failed(ec))
		ec = take(c, &r, n, a, ret_v);
	if (!gx_ec_failed(ec)) /* the answer is there, whatever becomes of this */
		(void)!gx_ec_failed(gx_mapi__exchange(c, to, GX_MH_UNBIND, &unbind, c->scratch, &gone));
	return ec;
}

gx_ec gx_mapi_resolve(struct gx_mapi *c, const char *const *names, size_t n, struct gx_arena *a, struct gx_mapi_resolved *ret_v)
{
	gx_mapi__enter(c);
	struct mc_endpoint to = {.url = url_of(c)};
	bool connected = c->connected;
	if (to.url == NULL)
		return gx_mapi__fail(c, GX_EC(ecInvalidParam), "the URL of the address book is not known");
	if (n > NAMES_MAX)
		return gx_mapi__fail(c, GX_EC(ecInvalidParam), "at most %d names at once", NAMES_MAX);
	gx_ec ec = ask(c, &to, names, n, a, ret_v);
	if (gx_ec_is(ec, ecEndOfSession) && c->error.response_code == GX_MHC_CONTEXT_NOT_FOUND) {
		/* the server has begun anew in between, and knows nothing of the binding */
		gx_strbuf_clear(&to.cookies);
		gx_mapi__enter(c);
		to.url = url_of(c);
		ec = ask(c, &to, names, n, a, ret_v);
	}
	c->connected = connected; /* the session of the mailbox is another one */
	gx_strbuf_release(&to.cookies);
	return ec;
}

/* ---- Autodiscover ---- */

/* "host:port" of an URL. */
static const char *host_of(struct gx_arena *a, const char *url)
{
	const char *at = strstr(url, "://");
	return at == NULL ? NULL : gx_arena_strndup(a, at + 3, strcspn(at + 3, "/?#"));
}

int gx_mapi_discover(struct gx_mapi_opts *io_o, struct gx_arena *a, const char **ret_why)
{
	struct gx_disco_look look = GX_DISCO_LOOK_INIT;
	struct gx_disco_found found;
	if (io_o == NULL || io_o->size != sizeof(*io_o) || io_o->user == NULL || io_o->password == NULL)
		return GX_E_INVAL;
	look.what = GX_DISCO_LOOK_OUTLOOK;
	look.address = look.user = io_o->user;
	look.password = io_o->password;
	look.ca_file = io_o->ca_file;
	look.insecure = io_o->insecure;
	look.timeout_ms = io_o->timeout_ms;
	if (io_o->url != NULL) /* what is not known yet, the server itself should know */
		look.host = host_of(a, io_o->url);
	int err = gx_disco_look_up(&look, a, &found, ret_why);
	if (err != 0)
		return err;
	if (found.answer.mailstore_url == NULL || found.answer.legacy_dn == NULL) {
		*ret_why = gx_arena_printf(a, "%s: %s", found.url, found.answer.error != NULL ? found.answer.error : "no mailbox over MAPI/HTTP");
		return GX_E_NOTFOUND;
	}
	if (io_o->url == NULL)
		io_o->url = found.answer.mailstore_url;
	if (io_o->nspi_url == NULL)
		io_o->nspi_url = found.answer.addressbook_url;
	if (io_o->user_dn == NULL)
		io_o->user_dn = found.answer.legacy_dn;
	return 0;
}
