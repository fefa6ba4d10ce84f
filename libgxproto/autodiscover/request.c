/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks in XML, [MS-OXDSCLI] 2.2.3 and [MS-ASCMD] 2.2.1.1; and how one asks. */
#include <config.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"
#include "libgxproto/autodiscover/xmlin.h"

int gx_disco__read(struct gx_bin body, struct gx_arena *a, struct disco_request *q)
{
	*q = (struct disco_request){0};
	xmlDocPtr doc = gx_disco__xml_parse(body);
	xmlNodePtr root = doc == NULL ? NULL : xmlDocGetRootElement(doc), request = NULL;
	if (root != NULL && strcmp((const char *)root->name, "Autodiscover") == 0)
		request = gx_disco__xml_child(root, "Request");
	int err = request == NULL ? GX_E_FORMAT : gx_disco__xml_text(request, "EMailAddress", a, &q->address);
	if (err == 0)
		err = gx_disco__xml_text(request, "LegacyDN", a, &q->legacy_dn);
	if (err == 0)
		err = gx_disco__xml_text(request, "AcceptableResponseSchema", a, &q->schema);
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
