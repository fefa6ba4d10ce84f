/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says, for clients. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"
#include "libgxproto/autodiscover/xmlin.h"

struct reading {
	struct gx_arena *a;
	struct gx_disco_answer *w;
	int err;
};

static void take(struct reading *r, xmlNodePtr parent, const char *name, const char **ret_text)
{
	if (r->err == 0 && *ret_text == NULL)
		r->err = gx_disco__xml_text(parent, name, r->a, ret_text);
}

static unsigned number(struct reading *r, xmlNodePtr parent, const char *name)
{
	const char *text = NULL;
	take(r, parent, name, &text);
	return text == NULL ? 0 : (unsigned)strtoul(text, NULL, 10);
}

static void take_url(struct reading *r, xmlNodePtr parent, const char *name, const char **ret_url)
{
	xmlNodePtr n = gx_disco__xml_child(parent, name);
	take(r, n, "ExternalUrl", ret_url);
	take(r, n, "InternalUrl", ret_url);
}

static void take_server(struct reading *r, xmlNodePtr p, const char *host, const char *port, const char **ret_host, unsigned *ret_port)
{
	if (*ret_host == NULL) {
		take(r, p, host, ret_host);
		*ret_port = number(r, p, port);
	}
}

static void take_protocol(struct reading *r, xmlNodePtr p)
{
	const char *type = NULL;
	struct gx_disco_answer *w = r->w;
	xmlChar *attribute = xmlGetProp(p, (const xmlChar *)"Type");
	if (attribute != NULL && strcmp((const char *)attribute, "mapiHttp") == 0) {
		take_url(r, p, "MailStore", &w->mailstore_url);
		take_url(r, p, "AddressBook", &w->addressbook_url);
	}
	xmlFree(attribute);
	take(r, p, "Type", &type);
	if (type == NULL)
		return;
	take(r, p, "EwsUrl", &w->ews_url);
	take(r, p, "OABUrl", &w->oab_url);
	if (strcmp(type, "IMAP") == 0)
		take_server(r, p, "Server", "Port", &w->imap_host, &w->imap_port);
	else if (strcmp(type, "SMTP") == 0)
		take_server(r, p, "Server", "Port", &w->smtp_host, &w->smtp_port);
}

static void take_error(struct reading *r, xmlNodePtr e)
{
	if (e == NULL || r->w->error_code != 0)
		return;
	r->w->error_code = number(r, e, "ErrorCode");
	if (r->w->error_code == 0)
		r->w->error_code = number(r, e, "Status");
	if (r->w->error_code == 0)
		r->w->error_code = 1;
	take(r, e, "Message", &r->w->error);
}

static void take_response(struct reading *r, xmlNodePtr response)
{
	struct gx_disco_answer *w = r->w;
	xmlNodePtr user = gx_disco__xml_child(response, "User"), account = gx_disco__xml_child(response, "Account");
	xmlNodePtr action = gx_disco__xml_child(response, "Action");
	xmlNodePtr settings = gx_disco__xml_child(action, "Settings"), server = gx_disco__xml_child(settings, "Server");
	take(r, user, "DisplayName", &w->name);
	take(r, user, "AutoDiscoverSMTPAddress", &w->address);
	take(r, user, "EMailAddress", &w->address);
	take(r, user, "LegacyDN", &w->legacy_dn);
	take(r, account, "RedirectAddr", &w->redirect_address);
	take(r, account, "RedirectUrl", &w->redirect_url);
	take(r, action, "Redirect", &w->redirect_address);
	take(r, server, "Url", &w->eas_url);
	for (xmlNodePtr p = account == NULL ? NULL : account->children; p != NULL; p = p->next)
		if (p->type == XML_ELEMENT_NODE && strcmp((const char *)p->name, "Protocol") == 0)
			take_protocol(r, p);
	take_error(r, gx_disco__xml_child(response, "Error"));
	take_error(r, gx_disco__xml_child(account, "Error"));
	take_error(r, gx_disco__xml_child(action, "Error"));
}

static void take_provider(struct reading *r, xmlNodePtr provider)
{
	for (xmlNodePtr p = provider->children; p != NULL; p = p->next) {
		xmlChar *type = p->type == XML_ELEMENT_NODE ? xmlGetProp(p, (const xmlChar *)"type") : NULL;
		if (type != NULL && strcmp((const char *)type, "imap") == 0)
			take_server(r, p, "hostname", "port", &r->w->imap_host, &r->w->imap_port);
		else if (type != NULL && strcmp((const char *)type, "smtp") == 0)
			take_server(r, p, "hostname", "port", &r->w->smtp_host, &r->w->smtp_port);
		xmlFree(type);
	}
}

int gx_disco_read_answer(struct gx_bin body, struct gx_arena *a, struct gx_disco_answer *ret_w)
{
	struct gx_disco_answer w = {0};
	struct reading r = {a, &w, 0};
	if (a == NULL || ret_w == NULL)
		return GX_E_INVAL;
	xmlDocPtr doc = gx_disco__xml_parse(body);
	xmlNodePtr root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
	xmlNodePtr response = gx_disco__xml_child(root, "Response"), provider = gx_disco__xml_child(root, "emailProvider");
	if (response != NULL)
		take_response(&r, response);
	else if (provider != NULL)
		take_provider(&r, provider);
	else
		r.err = GX_E_FORMAT;
	if (doc != NULL)
		xmlFreeDoc(doc);
	if (r.err == 0)
		*ret_w = w;
	return r.err;
}
