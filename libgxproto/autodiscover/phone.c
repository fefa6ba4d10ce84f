/* SPDX-License-Identifier: Apache-2.0 */
/* The answer for phones, [MS-ASCMD] 2.2.1.1. */
#include <config.h>
#include "libgxproto/autodiscover/disco-int.h"

void gx_disco__phone(struct gx_disco *d, const struct disco_target *t, struct disco_xml *x)
{
	gx_disco__xml_begin(x, d->o.pretty);
	gx_disco__open(x, "Autodiscover", "xmlns=\"" NS_RESPONSE "\"");
	gx_disco__open(x, "Response", "xmlns=\"" NS_PHONE "\"");
	gx_disco__leaf(x, "Culture", "en:us");
	gx_disco__open(x, "User", NULL);
	gx_disco__leaf(x, "DisplayName", t->name);
	gx_disco__leaf(x, "EMailAddress", t->address);
	gx_disco__close(x, "User");
	gx_disco__open(x, "Action", NULL);
	gx_disco__open(x, "Settings", NULL);
	gx_disco__open(x, "Server", NULL);
	gx_disco__leaf(x, "Type", "MobileSync");
	gx_disco__leaff(x, "Url", "https://%s/Microsoft-Server-ActiveSync", t->host);
	gx_disco__leaff(x, "Name", "https://%s/Microsoft-Server-ActiveSync", t->host);
	gx_disco__close(x, "Server");
	gx_disco__close(x, "Settings");
	gx_disco__close(x, "Action");
	gx_disco__close(x, "Response");
	gx_disco__close(x, "Autodiscover");
}
