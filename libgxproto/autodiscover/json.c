/* SPDX-License-Identifier: Apache-2.0 */
/* Autodiscover in JSON ("v2"): the URL of one protocol, without a login. It tells nobody whether there is such a user. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <gx/charset.h>
#include "libgxproto/autodiscover/disco-int.h"

static const struct {
	const char *name, *path;
	uint32_t service; /* 0: always there */
} protocols[] = {
	{"AutodiscoverV1", "/Autodiscover/Autodiscover.xml", 0},
	{"ActiveSync", "/Microsoft-Server-ActiveSync", GX_DISCO_EAS},
	{"Ews", "/EWS/Exchange.asmx", GX_DISCO_EWS},
};

static void reply(struct gx_http_req *r, unsigned status, json_t *j)
{
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	const char *copy = text == NULL ? NULL : gx_arena_strdup(r->arena, text);
	free(text);
	json_decref(j);
	if (copy == NULL)
		gx_http_reply_status(r, 500, NULL);
	else
		gx_http_reply(r, status, "application/json; charset=utf-8", copy, strlen(copy));
}

static void refuse(struct gx_http_req *r, const char *code, const char *message)
{
	reply(r, 400, message == NULL ? NULL : json_pack("{s:s, s:s}", "ErrorCode", code, "ErrorMessage", message));
}

/* ?Email=, or the last part of the path: "/autodiscover/autodiscover.json/v1.0/ann@example.org". */
static const char *address_of(const struct gx_http_req *r)
{
	const char *set = gx_http_query(r, "Email"), *last = strrchr(r->path, '/');
	if (set == NULL)
		set = gx_http_query(r, "email");
	return set != NULL ? set : last != NULL && strchr(last, '@') != NULL ? last + 1 : NULL;
}

static const char *known(const struct gx_disco *d, struct gx_arena *a)
{
	const char *list = "";
	for (size_t i = 0; list != NULL && i < sizeof(protocols) / sizeof(*protocols); ++i)
		if ((protocols[i].service & ~d->o.services) == 0)
			list = gx_arena_printf(a, "%s%s%s", list, *list == '\0' ? "" : ", ", protocols[i].name);
	return list;
}

/* Where the mailbox is; this server for everybody who has none. */
static const char *host_of(struct gx_disco *d, const struct gx_http_req *r)
{
	struct gx_user u;
	const char *address = address_of(r);
	if (address == NULL || gx_dir_user(d->o.dir, address, r->arena, &u) != 0)
		return d->o.exonym;
	return gx_disco__host(d, u.homeserver, r->arena);
}

void gx_disco__json(struct gx_http_req *r, void *ctx)
{
	struct gx_disco *d = ctx;
	const char *wanted = gx_http_query(r, "Protocol");
	if (wanted == NULL)
		wanted = gx_http_query(r, "protocol");
	if (wanted == NULL || *wanted == '\0') {
		refuse(r, "MandatoryParameterMissing", "A valid value must be provided for the query parameter 'Protocol'");
		return;
	}
	size_t i = 0, n = sizeof(protocols) / sizeof(*protocols);
	while (i < n && (gx_ascii_casecmp(protocols[i].name, wanted) != 0 || (protocols[i].service & ~d->o.services) != 0))
		++i;
	if (i == n) {
		refuse(r, "InvalidProtocol", gx_arena_printf(r->arena, "The given protocol value is invalid. Supported values are '%s'",
			known(d, r->arena)));
		return;
	}
	const char *host = host_of(d, r), *url = host == NULL ? NULL : gx_arena_printf(r->arena, "https://%s%s", host, protocols[i].path);
	reply(r, 200, url == NULL ? NULL : json_pack("{s:s, s:s}", "Protocol", protocols[i].name, "Url", url));
}
