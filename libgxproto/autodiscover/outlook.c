/* SPDX-License-Identifier: Apache-2.0 */
/* The answer for Outlook, [MS-OXDSCLI] 2.2.4.1; and errors. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"

#define ADMIN_GROUP "/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"

struct answer {
	struct gx_disco *d;
	const struct gx_http_req *r;
	const struct disco_target *t;
	struct disco_xml *x;
};

static void add_user(struct answer *w)
{
	gx_disco__open(w->x, "User", NULL);
	gx_disco__leaf(w->x, "DisplayName", w->t->name);
	gx_disco__leaf(w->x, "LegacyDN", w->t->dn);
	gx_disco__leaf(w->x, "AutoDiscoverSMTPAddress", w->t->address);
	gx_disco__leaf(w->x, "DeploymentId", gx_disco__guid_of(w->d->o.org_name, w->r->arena));
	gx_disco__close(w->x, "User");
}

/* ---- MAPI over HTTP, [MS-OXDSCLI] 2.2.4.1.1.2.7 ---- */

static void add_endpoint(struct answer *w, const char *tag, const char *name)
{
	gx_disco__open(w->x, tag, NULL);
	gx_disco__leaff(w->x, "InternalUrl", "https://%s/mapi/%s/?MailboxId=%s", w->t->host, name, w->t->id);
	gx_disco__leaff(w->x, "ExternalUrl", "https://%s/mapi/%s/?MailboxId=%s", w->t->host, name, w->t->id);
	gx_disco__close(w->x, tag);
}

static void add_mapi_http(struct answer *w)
{
	gx_disco__open(w->x, "Protocol", "Type=\"mapiHttp\" Version=\"1\"");
	add_endpoint(w, "MailStore", "emsmdb");
	add_endpoint(w, "AddressBook", "nspi");
	gx_disco__close(w->x, "Protocol");
}

/* ---- What older clients know ---- */

static void add_services(struct answer *w)
{
	const char *host = w->t->host;
	if (w->d->o.services & GX_DISCO_EWS) {
		static const char *const tags[] = {"ASUrl", "EwsUrl", "EmwsUrl", "SharingUrl", "OOFUrl"};
		for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); ++i)
			gx_disco__leaff(w->x, tags[i], "https://%s/EWS/Exchange.asmx", host);
	}
	if (w->d->o.services & GX_DISCO_OAB)
		gx_disco__leaff(w->x, "OABUrl", "https://%s/OAB/", host);
}

/* Inside: the server by the name that profiles keep. */
static void add_exch(struct answer *w)
{
	const char *org = w->d->o.org_name;
	gx_disco__open(w->x, "Protocol", NULL);
	gx_disco__leaf(w->x, "Type", "EXCH");
	gx_disco__leaf(w->x, "Server", w->t->id);
	gx_disco__leaff(w->x, "ServerDN", "/o=%s" ADMIN_GROUP "/cn=Configuration/cn=Servers/cn=%s", org, w->t->id);
	gx_disco__leaf(w->x, "ServerVersion", w->d->version);
	gx_disco__leaff(w->x, "MdbDN", "/o=%s" ADMIN_GROUP "/cn=Configuration/cn=Servers/cn=%s/cn=Microsoft P%s MDB", org, w->t->id,
		w->t->is_public ? "ublic" : "rivate");
	gx_disco__leaf(w->x, "PublicFolderServer", w->t->bare_host);
	gx_disco__leaf(w->x, "AuthPackage", "Basic");
	gx_disco__leaf(w->x, "ServerExclusiveConnect", "off");
	add_services(w);
	gx_disco__close(w->x, "Protocol");
}

/* From outside, by RPC over HTTP. */
static void add_expr(struct answer *w)
{
	gx_disco__open(w->x, "Protocol", NULL);
	gx_disco__leaf(w->x, "Type", "EXPR");
	gx_disco__leaf(w->x, "Server", w->t->bare_host);
	gx_disco__leaf(w->x, "SSL", "On");
	gx_disco__leaf(w->x, "AuthPackage", "Basic");
	gx_disco__leaf(w->x, "CertPrincipalName", "None");
	gx_disco__leaf(w->x, "ServerExclusiveConnect", "on");
	add_services(w);
	gx_disco__close(w->x, "Protocol");
}

static void add_web(struct answer *w)
{
	static const char *const places[] = {"Internal", "External"};
	if ((w->d->o.services & GX_DISCO_WEB) == 0 || (w->t->user.privileges & GX_PRIV_WEB) == 0)
		return;
	gx_disco__open(w->x, "Protocol", NULL);
	gx_disco__leaf(w->x, "Type", "WEB");
	for (size_t i = 0; i < 2; ++i) {
		gx_disco__open(w->x, places[i], NULL);
		gx_disco__put(w->x, "OWAUrl", "AuthenticationMethod=\"Fba\"", gx_arena_printf(w->r->arena, "https://%s/web/", w->t->host));
		gx_disco__close(w->x, places[i]);
	}
	gx_disco__close(w->x, "Protocol");
}

/* ---- Other mail programs ---- */

static void add_mail(struct answer *w, const struct disco_mail *m)
{
	static const char *const types[] = {[MAIL_IMAP] = "IMAP", [MAIL_POP3] = "POP3", [MAIL_SMTP] = "SMTP"};
	uint32_t need = m->kind == MAIL_SMTP ? GX_PRIV_SMTP : GX_PRIV_IMAP_POP3;
	if ((w->t->user.privileges & need) == 0)
		return;
	gx_disco__open(w->x, "Protocol", NULL);
	gx_disco__leaf(w->x, "Type", types[m->kind]);
	gx_disco__leaf(w->x, "Server", gx_disco__mail_host(m, w->t->bare_host));
	gx_disco__leaff(w->x, "Port", "%u", m->port);
	gx_disco__leaf(w->x, "DomainRequired", "off");
	gx_disco__leaf(w->x, "LoginName", w->t->address);
	gx_disco__leaf(w->x, "SPA", "off");
	gx_disco__leaf(w->x, "SSL", m->tls ? "on" : "off");
	gx_disco__leaf(w->x, "Encryption", m->tls ? "SSL" : "TLS");
	gx_disco__leaf(w->x, "AuthRequired", "on");
	gx_disco__close(w->x, "Protocol");
}

/* ---- Further stores ---- */

static void add_second_stores(struct answer *w)
{
	const char *const *v = NULL;
	if (!w->t->own || gx_dir_second_stores(w->d->o.dir, w->t->address, w->r->arena, &v) != 0)
		return;
	for (; *v != NULL; ++v) {
		struct disco_target t;
		if (gx_disco__find(w->d, *v, NULL, w->r->user, w->r->arena, &t) != 0 ||
		    gx_disco__may_see(w->d, &t, w->r->user, w->r->arena) != 0)
			continue;
		gx_disco__open(w->x, "AlternativeMailbox", NULL);
		gx_disco__leaf(w->x, "Type", "Delegate");
		gx_disco__leaf(w->x, "DisplayName", t.name);
		gx_disco__leaf(w->x, "SmtpAddress", t.address);
		gx_disco__leaf(w->x, "OwnerSmtpAddress", t.address);
		gx_disco__close(w->x, "AlternativeMailbox");
	}
}

static void add_public_folders(struct answer *w)
{
	struct gx_domain dom;
	const char *at = strchr(w->t->address, '@');
	if (w->t->is_public || at == NULL || gx_dir_domain(w->d->o.dir, at + 1, w->r->arena, &dom) != 0 || *dom.homedir == '\0')
		return;
	gx_disco__open(w->x, "PublicFolderInformation", NULL);
	gx_disco__leaff(w->x, "SmtpAddress", "public.folder.root@%s", dom.name);
	gx_disco__close(w->x, "PublicFolderInformation");
}

/* Nothing answers RPC over HTTP here: unless who runs the server says otherwise, they are there for the URLs in them. */
static bool tells_of_rpc(const struct answer *w)
{
	const struct gx_disco_opts *o = &w->d->o;
	bool empty = o->advertise_rpch == GX_DISCO_SERVICES && (o->services & (GX_DISCO_EWS | GX_DISCO_OAB)) == 0;
	return !empty && gx_disco__told(o->advertise_rpch, w->r);
}

static void add_account(struct answer *w)
{
	gx_disco__open(w->x, "Account", NULL);
	gx_disco__leaf(w->x, "AccountType", "email");
	gx_disco__leaf(w->x, "Action", "settings");
	gx_disco__leaf(w->x, "MicrosoftOnline", "False");
	if (gx_disco__told(w->d->o.advertise_mh, w->r))
		add_mapi_http(w);
	if (tells_of_rpc(w)) {
		add_exch(w);
		add_expr(w);
	}
	if (!w->t->is_public)
		add_web(w);
	for (size_t i = 0; !w->t->is_public && i < w->d->nmail; ++i)
		add_mail(w, &w->d->mail[i]);
	add_second_stores(w);
	add_public_folders(w);
	gx_disco__close(w->x, "Account");
}

void gx_disco__outlook(struct gx_disco *d, const struct gx_http_req *r, const struct disco_target *t, const char *schema, struct disco_xml *x)
{
	struct answer w = {d, r, t, x};
	gx_disco__xml_begin(x, d->o.pretty);
	gx_disco__open(x, "Autodiscover", "xmlns=\"" NS_RESPONSE "\"");
	gx_disco__open(x, "Response", gx_arena_printf(r->arena, "xmlns=\"%s\"", schema));
	add_user(&w);
	add_account(&w);
	gx_disco__close(x, "Response");
	gx_disco__close(x, "Autodiscover");
}

void gx_disco__error(struct gx_disco *d, unsigned code, const char *message, struct disco_xml *x)
{
	char attributes[80];
	uint64_t s = (uint64_t)gx_clock_unix(d->o.clock);
	snprintf(attributes, sizeof(attributes), "Time=\"%02u:%02u:%02u\" Id=\"%u\"", (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60),
		(unsigned)(s % 60), d->number);
	gx_disco__xml_begin(x, d->o.pretty);
	gx_disco__open(x, "Autodiscover", "xmlns=\"" NS_RESPONSE "\"");
	gx_disco__open(x, "Response", NULL);
	gx_disco__open(x, "Error", attributes);
	gx_disco__leaff(x, "ErrorCode", "%u", code);
	gx_disco__leaf(x, "Message", message);
	gx_disco__leaf(x, "DebugData", "");
	gx_disco__close(x, "Error");
	gx_disco__close(x, "Response");
	gx_disco__close(x, "Autodiscover");
}
