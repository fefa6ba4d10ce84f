/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks in XML, [MS-OXDSCLI] 2.2.3 and [MS-ASCMD] 2.2.1.1; and how one asks. */
#include <config.h>
#include <string.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { TEXT_MOST = 2048 };

/* No request has a document type: entities are nobody's need. */
static void refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	xmlParserCtxtPtr c = ctx;
	c->wellFormed = 0;
	xmlStopParser(c);
}

static xmlDocPtr parse(struct gx_bin body)
{
	xmlParserCtxtPtr c = body.len == 0 || body.len > INT32_MAX ? NULL : xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL);
	if (c == NULL)
		return NULL;
	xmlCtxtUseOptions(c, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	c->sax->internalSubset = refuse_dtd;
	(void)xmlParseChunk(c, (const char *)body.data, (int)body.len, 1);
	xmlDocPtr doc = c->myDoc;
	bool ok = c->wellFormed != 0 && c->errNo == XML_ERR_OK;
	c->myDoc = NULL;
	xmlFreeParserCtxt(c);
	if (!ok && doc != NULL) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

static xmlNodePtr child(xmlNodePtr parent, const char *name)
{
	for (xmlNodePtr n = parent == NULL ? NULL : parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
			return n;
	return NULL;
}

/* Its text without white space around; NULL when there is none. */
static int take(xmlNodePtr request, const char *name, struct gx_arena *a, const char **ret_text)
{
	xmlNodePtr n = child(request, name);
	xmlChar *all = n == NULL ? NULL : xmlNodeGetContent(n);
	if (all == NULL)
		return n == NULL ? 0 : GX_E_NOMEM;
	const char *s = (const char *)all + strspn((const char *)all, " \t\r\n");
	size_t len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
		--len;
	int err = len > TEXT_MOST ? GX_E_FORMAT : 0;
	if (err == 0 && len > 0 && (*ret_text = gx_arena_strndup(a, s, len)) == NULL)
		err = GX_E_NOMEM;
	xmlFree(all);
	return err;
}

int gx_disco__read(struct gx_bin body, struct gx_arena *a, struct disco_request *q)
{
	*q = (struct disco_request){0};
	xmlDocPtr doc = parse(body);
	xmlNodePtr root = doc == NULL ? NULL : xmlDocGetRootElement(doc), request = NULL;
	if (root != NULL && strcmp((const char *)root->name, "Autodiscover") == 0)
		request = child(root, "Request");
	int err = request == NULL ? GX_E_FORMAT : take(request, "EMailAddress", a, &q->address);
	if (err == 0)
		err = take(request, "LegacyDN", a, &q->legacy_dn);
	if (err == 0)
		err = take(request, "AcceptableResponseSchema", a, &q->schema);
	if (doc != NULL)
		xmlFreeDoc(doc);
	if (err == 0 && ((q->address == NULL && q->legacy_dn == NULL) || q->schema == NULL))
		err = GX_E_FORMAT;
	return err;
}

const char *gx_disco_ask(const struct gx_disco_question *q, struct gx_arena *a)
{
	struct disco_xml x;
	if (q == NULL || q->size < sizeof(*q) || a == NULL)
		return NULL;
	gx_disco__xml_begin(&x, true);
	gx_disco__open(&x, "Autodiscover", q->eas ? "xmlns=\"" NS_PHONE_REQUEST "\"" : "xmlns=\"" NS_OUTLOOK_REQUEST "\"");
	gx_disco__open(&x, "Request", NULL);
	gx_disco__leaf(&x, "EMailAddress", q->address);
	gx_disco__leaf(&x, "LegacyDN", q->legacy_dn);
	gx_disco__leaf(&x, "AcceptableResponseSchema", q->eas ? NS_PHONE : NS_OUTLOOK);
	gx_disco__close(&x, "Request");
	gx_disco__close(&x, "Autodiscover");
	const char *text = x.b.err == 0 ? gx_arena_strdup(a, gx_strbuf_cstr(&x.b)) : NULL;
	gx_strbuf_release(&x.b);
	return text;
}
