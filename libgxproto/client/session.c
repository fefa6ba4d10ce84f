/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: options, Connect and Disconnect, deadlines, what went wrong. */
#include <config.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/time.h>
#include "libgxproto/client/client-int.h"

enum { CODE_PAGE = 1252, LCID = 1033, TIMEOUT_MS = 60000, ANSWER_MAX = 16 << 20, GOODBYE_MS = 1000, PAYLOAD_MAX = 0x10008 };

/* ---- New and gone ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_local(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	size_t n = strcspn(host, ":/?");
	if (*host == '[')
		n = strcspn(host, "]") + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		if (strlen(names[i]) == n && strncasecmp(host, names[i], n) == 0)
			return true;
	return false;
}

bool gx_mapi__is_safe(const char *url, bool insecure)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return true;
	return strncasecmp(url, "http://", 7) == 0 && (insecure || is_local(url + 7));
}

static const char *bad_option(const struct gx_mapi_opts *o)
{
	if (o->url == NULL)
		return "no URL";
	if (strncasecmp(o->url, "http://", 7) == 0) {
		if (!gx_mapi__is_safe(o->url, o->insecure))
			return "a password does not go over http: to another machine; use https:";
	} else if (strncasecmp(o->url, "https://", 8) != 0) {
		return "the URL must begin with https:";
	}
	if (o->bearer == NULL && (o->user == NULL || o->password == NULL))
		return "neither user and password nor a token";
	return NULL;
}

static int copy_hosts(struct gx_mapi *c, const struct gx_mapi_opts *o)
{
	const char **v = gx_arena_new_array(c->keep, const char *, o->host_count);
	if (v == NULL)
		return o->host_count == 0 ? 0 : GX_E_NOMEM;
	for (size_t i = 0; i < o->host_count; ++i)
		if ((v[i] = gx_arena_strdup(c->keep, o->hosts[i])) == NULL)
			return GX_E_NOMEM;
	c->o.hosts = v;
	return 0;
}

static int copy_options(struct gx_mapi *c, const struct gx_mapi_opts *o)
{
	const char **const texts[] = {&c->o.url, &c->o.nspi_url, &c->o.user, &c->o.password, &c->o.bearer, &c->o.user_dn, &c->o.ca_file, &c->o.application};
	c->o = *o;
	if (c->o.application == NULL)
		c->o.application = gx_arena_printf(c->keep, "Gromox-MAPI/%s", gx_version());
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) {
		const char *copy = gx_arena_strdup(c->keep, *texts[i]);
		if (copy == NULL && *texts[i] != NULL)
			return GX_E_NOMEM;
		*texts[i] = copy;
	}
	c->o.code_page = o->code_page != 0 ? o->code_page : CODE_PAGE;
	c->o.lcid = o->lcid != 0 ? o->lcid : LCID;
	c->o.timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : TIMEOUT_MS;
	c->o.max_answer = o->max_answer != 0 ? o->max_answer : ANSWER_MAX;
	c->mailbox.url = c->start_url = c->o.url;
	return c->o.application == NULL ? GX_E_NOMEM : copy_hosts(c, o);
}

static void release(struct gx_mapi *c)
{
	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	if (c->multi != NULL)
		curl_multi_cleanup(c->multi);
	gx_strbuf_release(&c->mailbox.cookies);
	gx_strbuf_release(&c->error_text);
	if (c->batch != NULL)
		gx_push_release(&c->batch->out);
	free(c->batch);
	free(c->dead);
	gx_mapi__forget_events(c);
	gx_arena_free(c->keep);
	gx_arena_free(c->scratch);
	free(c);
}

static int fill(struct gx_mapi *c, const struct gx_mapi_opts *o)
{
	struct gx_guid id;
	c->keep = gx_arena_new(0);
	c->scratch = gx_arena_new(0);
	c->batch = calloc(1, sizeof(*c->batch));
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (c->keep == NULL || c->scratch == NULL || c->batch == NULL || c->multi == NULL || c->easy == NULL)
		return GX_E_NOMEM;
	int err = gx_guid_random(&id);
	if (err == 0)
		err = copy_options(c, o);
	gx_guid_print(&id, c->client_id);
	c->error = (struct gx_mapi_error){.response_code = -1, .text = ""};
	return err;
}

int gx_mapi_new(const struct gx_mapi_opts *o, struct gx_mapi **ret_c, const char **ret_why)
{
	const char *why = o == NULL || o->size != sizeof(*o) || ret_c == NULL ? "options of another version" : bad_option(o);
	if (ret_why != NULL)
		*ret_why = why != NULL ? why : "";
	if (why != NULL)
		return GX_E_INVAL;
	pthread_once(&curl_once, start_curl);
	struct gx_mapi *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return GX_E_NOMEM;
	int err = fill(c, o);
	if (err != 0)
		release(c);
	else
		*ret_c = c;
	return err;
}

void gx_mapi_free(struct gx_mapi *c)
{
	if (c == NULL)
		return;
	if (c->connected && !atomic_load(&c->canceled)) {
		c->deadline_ms = 0;
		c->o.timeout_ms = GOODBYE_MS;
		gx_mapi__enter(c);
		gx_mapi__disconnect(c);
	}
	release(c);
}

/* ---- Calls ---- */

void gx_mapi__enter(struct gx_mapi *c)
{
	gx_arena_reset(c->scratch);
	c->until_ms = gx_clock_mono_ms(gx_clock_system()) + c->o.timeout_ms;
	if (c->deadline_ms != 0 && c->deadline_ms < c->until_ms)
		c->until_ms = c->deadline_ms;
	c->silence_ms = c->o.timeout_ms;
	gx_strbuf_clear(&c->error_text);
	c->error = (struct gx_mapi_error){.response_code = -1, .text = ""};
}

gx_ec gx_mapi__fail(struct gx_mapi *c, gx_ec ec, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gx_strbuf_clear(&c->error_text);
	gx_strbuf_adds(&c->error_text, text);
	c->error.ec = ec;
	c->error.text = gx_strbuf_cstr(&c->error_text);
	return ec;
}

const struct gx_mapi_error *gx_mapi_error(const struct gx_mapi *c)
{
	return &c->error;
}

void gx_mapi_set_timeout(struct gx_mapi *c, uint32_t ms)
{
	c->o.timeout_ms = ms != 0 ? ms : TIMEOUT_MS;
}

void gx_mapi_set_deadline(struct gx_mapi *c, uint32_t ms)
{
	c->deadline_ms = ms == 0 ? 0 : gx_clock_mono_ms(gx_clock_system()) + ms;
}

void gx_mapi_cancel(struct gx_mapi *c)
{
	atomic_store(&c->canceled, true);
	(void)curl_multi_wakeup(c->multi);
}

void gx_mapi_uncancel(struct gx_mapi *c)
{
	atomic_store(&c->canceled, false);
}

/* ---- Sessions ---- */

/* One request. */
static gx_ec hello(struct gx_mapi *c)
{
	const struct gx_mh_connect_req q = {.user_dn = c->o.user_dn, .default_code_page = c->o.code_page, .lcid_sort = c->o.lcid, .lcid_string = c->o.lcid};
	struct gx_mh_connect_res res = {0};
	gx_strbuf_clear(&c->mailbox.cookies);
	c->mailbox.unsure = false;
	c->location = NULL;
	gx_ec ec = gx_mapi__exchange(c, &c->mailbox, GX_MH_CONNECT, &q, c->scratch, &res);
	if (gx_ec_failed(ec))
		return ec;
	uint32_t said = res.status_code != 0 ? res.status_code : res.error_code;
	if (said != 0)
		return gx_mapi__fail(c, GX_EC(said), "Connect: %s: %s", gx_ec_name(GX_EC(said)), gx_ec_text(GX_EC(said)));
	c->display_name = gx_arena_strdup(c->keep, res.display_name != NULL ? res.display_name : "");
	if (c->display_name == NULL)
		return gx_mapi__nomem(c);
	c->connected = true;
	return MC_OK;
}

gx_ec gx_mapi__connect(struct gx_mapi *c)
{
	gx_ec ec = hello(c);
	for (unsigned i = 0; gx_ec_failed(ec) && c->location != NULL; ++i) {
		if (i == MC_MOVES_MAX)
			return gx_mapi__fail(c, GX_EC(ecWrongServer), "Connect: sent on %u times, in the end to %s", i + 1, c->location);
		ec = gx_mapi__follow(c);
		if (gx_ec_failed(ec))
			return ec;
		ec = hello(c);
	}
	return ec;
}

void gx_mapi__disconnect(struct gx_mapi *c)
{
	static const struct gx_mh_disconnect_req q;
	struct gx_mh_disconnect_res res;
	(void)!gx_ec_failed(gx_mapi__exchange(c, &c->mailbox, GX_MH_DISCONNECT, &q, c->scratch, &res));
	gx_mapi__forget_events(c);
	c->connected = false;
	c->dead_n = 0;
}

gx_ec gx_mapi_connect(struct gx_mapi *c, const char **ret_name)
{
	gx_mapi__enter(c);
	if (c->connected)
		return gx_mapi__fail(c, GX_EC(ecInvalidParam), "there is a session already");
	if (c->o.user_dn == NULL)
		return gx_mapi__fail(c, GX_EC(ecInvalidParam), "the DN of the user is not known: autodiscover tells it");
	gx_ec ec = gx_mapi__connect(c);
	if (!gx_ec_failed(ec) && ret_name != NULL)
		*ret_name = c->display_name;
	return ec;
}

const char *gx_mapi_url(const struct gx_mapi *c)
{
	return c->mailbox.url;
}

gx_ec gx_mapi_ping(struct gx_mapi *c)
{
	gx_mapi__enter(c);
	return gx_mapi__exchange(c, &c->mailbox, GX_MH_PING, NULL, c->scratch, NULL);
}
