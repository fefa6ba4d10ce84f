/* SPDX-License-Identifier: Apache-2.0 */
/* Autoconfig, as Thunderbird and others ask for it: clientConfig 1.1. */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/autodiscover/disco-int.h"

static const char prefix[] = "autoconfig.";

/* ?emailaddress=, or the host that was asked. */
static const char *domain_of(struct gx_http_req *r)
{
	const char *address = gx_http_query(r, "emailaddress"), *at = address == NULL ? NULL : strrchr(address, '@');
	if (at != NULL)
		return at + 1;
	const char *host = gx_disco__bare(r->host, r->arena);
	return host != NULL && strncasecmp(host, prefix, sizeof(prefix) - 1) == 0 ? host + sizeof(prefix) - 1 : host;
}

static void add_server(struct disco_xml *x, const struct disco_mail *m, const char *bare_host)
{
	bool in = m->kind != MAIL_SMTP;
	gx_disco__open(x, in ? "incomingServer" : "outgoingServer", m->kind == MAIL_IMAP ? "type=\"imap\"" :
		m->kind == MAIL_POP3 ? "type=\"pop3\"" : "type=\"smtp\"");
	gx_disco__leaf(x, "hostname", gx_disco__mail_host(m, bare_host));
	gx_disco__leaff(x, "port", "%u", m->port);
	gx_disco__leaf(x, "socketType", m->tls ? "SSL" : "STARTTLS");
	gx_disco__leaf(x, "authentication", "password-cleartext");
	gx_disco__leaf(x, "username", "%EMAILADDRESS%");
	gx_disco__close(x, in ? "incomingServer" : "outgoingServer");
}

static void add_ews(struct gx_disco *d, struct disco_xml *x, const char *host, const char *bare_host)
{
	if ((d->o.services & GX_DISCO_EWS) == 0)
		return;
	gx_disco__open(x, "incomingServer", "type=\"exchange\"");
	gx_disco__leaf(x, "hostname", bare_host);
	gx_disco__leaf(x, "port", "443");
	gx_disco__leaf(x, "socketType", "SSL");
	gx_disco__leaf(x, "authentication", "password-cleartext");
	gx_disco__leaf(x, "username", "%EMAILADDRESS%");
	gx_disco__leaff(x, "ewsURL", "https://%s/EWS/Exchange.asmx", host);
	gx_disco__close(x, "incomingServer");
}

static void add_provider(struct gx_disco *d, struct gx_arena *a, const struct gx_domain *dom, const char *host, const char *bare_host,
	struct disco_xml *x)
{
	gx_disco__open(x, "emailProvider", NULL);
	gx_disco__leaf(x, "domain", dom->name);
	gx_disco__leaf(x, "displayName", dom->title != NULL && *dom->title != '\0' ? dom->title : dom->name);
	gx_disco__leaf(x, "displayShortName", dom->name);
	for (size_t i = 0; i < d->nmail; ++i)
		if (d->mail[i].kind != MAIL_SMTP)
			add_server(x, &d->mail[i], bare_host);
	add_ews(d, x, host, bare_host);
	for (size_t i = 0; i < d->nmail; ++i)
		if (d->mail[i].kind == MAIL_SMTP)
			add_server(x, &d->mail[i], bare_host);
	gx_disco__close(x, "emailProvider");
	if ((d->o.services & GX_DISCO_WEB) == 0)
		return;
	gx_disco__open(x, "webMail", NULL);
	gx_disco__open(x, "loginPage", gx_arena_printf(a, "url=\"https://%s/web/\"", host));
	gx_disco__close(x, "loginPage");
	gx_disco__close(x, "webMail");
}

void gx_disco__autoconfig(struct gx_http_req *r, void *ctx)
{
	struct gx_disco *d = ctx;
	struct gx_domain dom;
	struct disco_xml x;
	struct gx_bin body;
	const char *name = domain_of(r);
	int err = name == NULL ? GX_E_NOMEM : gx_dir_domain(d->o.dir, name, r->arena, &dom);
	const char *host = err == 0 ? gx_disco__host(d, dom.homeserver, r->arena) : NULL, *bare = host == NULL ? NULL : gx_disco__bare(host, r->arena);
	if (bare == NULL) {
		gx_http_reply_status(r, err == GX_E_NOTFOUND ? 404 : 503, NULL);
		return;
	}
	gx_disco__xml_begin(&x, d->o.pretty);
	gx_disco__open(&x, "clientConfig", "version=\"1.1\"");
	add_provider(d, r->arena, &dom, host, bare, &x);
	gx_disco__close(&x, "clientConfig");
	body = (struct gx_bin){gx_arena_memdup(r->arena, gx_strbuf_cstr(&x.b), x.b.len), x.b.len};
	err = x.b.err;
	gx_strbuf_release(&x.b);
	if (err != 0 || body.data == NULL)
		gx_http_reply_status(r, 500, NULL);
	else
		gx_http_reply(r, 200, "text/xml; charset=utf-8", body.data, body.len);
}
