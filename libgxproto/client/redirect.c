/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailboxes of other servers: redirections of HTTP, [MS-OXCMAPIHTTP] 2.2.2.2, and of RopLogon, [MS-OXCSTOR] 2.2.1.1.2.
 *
 * A request carries the password, or a token that is as good. Whoever can make a server answer with a redirection (a proxy before it that
 * was set up carelessly is enough) could collect them; so what a redirection says counts only if somebody else says the same: the caller,
 * or autodiscover of the host that the caller has named. RopLogon names a server, not a place; autodiscover does.
 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <gx/autodiscover.h>
#include <gx/time.h>
#include "libgxproto/client/client-int.h"

#define PUBLIC_LOCALPART "public.folder.root"

/* ---- Places ---- */

/* "host:port" of an URL, that may be relative to @p base; the URL whole, too. NULL: this is none. */
static const char *authority(struct gx_arena *a, const char *base, const char *url, const char **ret_url)
{
	char *whole = NULL, *host = NULL, *port = NULL;
	const char *out = NULL;
	CURLU *u = curl_url();
	if (u != NULL && (base == NULL || curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK) && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_USER, &whole, 0) == CURLUE_NO_USER && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK && curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
		out = gx_arena_printf(a, "%s:%s", host, port);
		if (ret_url != NULL && (*ret_url = gx_arena_strdup(a, whole)) == NULL)
			out = NULL;
	}
	curl_free(whole);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return out;
}

static bool is_same(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcasecmp(one, other) == 0;
}

/* Has the caller named it? */
static bool is_named(struct gx_mapi *c, const char *where)
{
	if (is_same(where, authority(c->scratch, NULL, c->start_url, NULL)))
		return true;
	for (size_t i = 0; i < c->o.host_count; ++i) {
		const char *url = gx_arena_printf(c->scratch, "https://%s/", c->o.hosts[i]);
		if (url != NULL && is_same(where, authority(c->scratch, NULL, url, NULL)))
			return true;
	}
	return false;
}

/* ---- Autodiscover ---- */

static bool is_canceled(void *ctx)
{
	struct gx_mapi *c = ctx;
	return atomic_load(&c->canceled) || gx_clock_mono_ms(gx_clock_system()) >= c->until_ms;
}

static const char *public_address(struct gx_mapi *c)
{
	const char *at = c->o.user == NULL ? NULL : strrchr(c->o.user, '@');
	return at == NULL ? NULL : gx_arena_printf(c->scratch, PUBLIC_LOCALPART "%s", at);
}

/* Where is it, says the host that the caller has named? NULL: @p ret_why. */
static const char *look_up(struct gx_mapi *c, const char *dn, const char **ret_why)
{
	struct gx_disco_look look = GX_DISCO_LOOK_INIT;
	struct gx_disco_found found;
	int64_t left = c->until_ms - gx_clock_mono_ms(gx_clock_system());
	*ret_why = "";
	if (c->o.password == NULL || c->o.user == NULL || left <= 0) {
		*ret_why = left <= 0 ? "there is no time left to ask autodiscover" : "autodiscover needs a name and a password";
		return NULL;
	}
	look.what = GX_DISCO_LOOK_OUTLOOK;
	look.user = c->o.user;
	look.password = c->o.password;
	look.ca_file = c->o.ca_file;
	look.insecure = c->o.insecure;
	look.host = authority(c->scratch, NULL, c->start_url, NULL);
	look.timeout_ms = (uint32_t)left;
	look.same_host = true;
	look.stop = is_canceled;
	look.ctx = c;
	if (dn == NULL)
		look.address = c->o.user;
	else if (*dn != '\0')
		look.legacy_dn = dn;
	else
		look.address = public_address(c);
	int err = gx_disco_look_up(&look, c->scratch, &found, ret_why);
	if (err != 0) {
		*ret_why = gx_arena_printf(c->scratch, "autodiscover does not help: %s", *ret_why != NULL ? *ret_why : gx_strerror(err));
		return NULL;
	}
	if (found.answer.mailstore_url == NULL)
		*ret_why = gx_arena_printf(c->scratch, "autodiscover does not help: %s: %s", found.url,
			found.answer.error != NULL ? found.answer.error : "it names no place of MAPI over HTTP");
	return found.answer.mailstore_url;
}

/* ---- Both ways to another server ---- */

static gx_ec not_there(struct gx_mapi *c, const char *what, const char *why)
{
	if (atomic_load(&c->canceled))
		return gx_mapi__fail(c, GX_EC(ecUserCanceled), "canceled");
	if (gx_clock_mono_ms(gx_clock_system()) >= c->until_ms)
		return gx_mapi__fail(c, GX_EC(ecTimeout), "%s; there was no time left to ask autodiscover", what);
	return gx_mapi__fail(c, GX_EC(ecWrongServer), "%s; %s", what, why != NULL ? why : "out of memory");
}

static gx_ec go_to(struct gx_mapi *c, const char *url)
{
	const char *copy = gx_arena_strdup(c->keep, url);
	if (copy == NULL)
		return gx_mapi__nomem(c);
	gx_log(c->o.log, GX_LOG_INFO, "mapi: the mailbox is at %s", copy);
	c->mailbox.url = copy;
	return MC_OK;
}

gx_ec gx_mapi__follow(struct gx_mapi *c)
{
	const char *what = gx_arena_printf(c->scratch, "Connect: the server sends us to %s", c->location), *url = NULL, *why;
	const char *to = authority(c->scratch, c->mailbox.url, c->location, &url);
	if (what == NULL)
		return gx_mapi__nomem(c);
	if (to == NULL)
		return not_there(c, what, "this is no URL of a server");
	if (c->o.stay)
		return not_there(c, what, "redirections are not followed");
	if (!gx_mapi__is_safe(url, false))
		return not_there(c, what, "a password does not go there without TLS");
	if (is_named(c, to))
		return go_to(c, url);
	const char *said = look_up(c, NULL, &why);
	if (said == NULL)
		return not_there(c, what, gx_arena_printf(c->scratch, "the login goes only to hosts that were named, and %s", why));
	if (!is_same(to, authority(c->scratch, NULL, said, NULL)))
		return not_there(c, what, gx_arena_printf(c->scratch, "but autodiscover says %s", said));
	return go_to(c, url);
}

gx_ec gx_mapi__move(struct gx_mapi *c, const char *dn, unsigned moves)
{
	const char *what = gx_arena_strdup(c->scratch, c->error.text), *why;
	if (what == NULL)
		return gx_mapi__nomem(c);
	if (c->o.stay || c->stores > 0)
		return not_there(c, what, c->o.stay ? "redirections are not followed" : "that takes a connection of its own");
	if (moves == MC_MOVES_MAX)
		return not_there(c, what, "and so said the servers before");
	const char *url = look_up(c, dn, &why);
	if (url == NULL)
		return not_there(c, what, why);
	if (strcmp(url, c->mailbox.url) == 0)
		return not_there(c, what, "but autodiscover says it is here");
	if (!gx_mapi__is_safe(url, false))
		return not_there(c, what, gx_arena_printf(c->scratch, "autodiscover says %s, and a password does not go there without TLS", url));
	gx_mapi__disconnect(c);
	gx_ec ec = go_to(c, url);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__connect(c);
	if (!gx_ec_failed(ec))
		return MC_OK;
	const char *text = gx_arena_strdup(c->scratch, c->error.text);
	return gx_mapi__fail(c, ec, "%s; autodiscover says %s; there: %s", what, url, text != NULL ? text : "");
}
