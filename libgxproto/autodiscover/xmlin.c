/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxproto/autodiscover/xmlin.h"

enum { TEXT_MOST = 2048 };

/* No request or answer has a document type: entities are nobody's need. */
static void refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	xmlParserCtxtPtr c = ctx;
	c->wellFormed = 0;
	xmlStopParser(c);
}

xmlDocPtr gx_disco__xml_parse(struct gx_bin body)
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

xmlNodePtr gx_disco__xml_child(xmlNodePtr parent, const char *name)
{
	for (xmlNodePtr n = parent == NULL ? NULL : parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
			return n;
	return NULL;
}

int gx_disco__xml_text(xmlNodePtr parent, const char *name, struct gx_arena *a, const char **ret_text)
{
	xmlNodePtr n = gx_disco__xml_child(parent, name);
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
