/* SPDX-License-Identifier: Apache-2.0 */
/* A client's search for the server of an address. */
#include <config.h>
#include <resolv.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <arpa/nameser.h>
#include <curl/curl.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { TIMEOUT_MS = 30000, ANSWER_MOST = 1 << 20, REDIRECTS_MOST = 3, HOST_MOST = 256 };
#define ENDPOINT "/Autodiscover/Autodiscover.xml"

struct look {
	const struct gx_disco_look *o;
	struct gx_arena *a;
	const char *domain, *question;
	struct gx_push in;
	long status;
	const char *redirect, *url;
	char error[CURL_ERROR_SIZE];
};

static void note(const struct look *k, const char *fmt, ...) GX_PRINTF(2, 3);
static void note(const struct look *k, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	if (k->o->note == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->o->note(text, k->o->ctx);
}

/* ---- One request ---- */

static size_t on_data(char *p, size_t size, size_t n, void *ctx)
{
	struct look *k = ctx;
	if (size * n > ANSWER_MOST - k->in.len)
		return 0;
	gx_push_bytes(&k->in, p, size * n);
	return k->in.err == 0 ? size * n : 0;
}

static void set_login(const struct look *k, CURL *c)
{
	const char *user = k->o->user != NULL ? k->o->user : k->o->address;
	if (user == NULL || k->o->what == GX_DISCO_LOOK_AUTOCONFIG)
		return;
	curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(c, CURLOPT_USERNAME, user);
	curl_easy_setopt(c, CURLOPT_PASSWORD, k->o->password == NULL ? "" : k->o->password);
}

static struct curl_slist *set_question(const struct look *k, CURL *c)
{
	if (k->o->what == GX_DISCO_LOOK_AUTOCONFIG)
		return NULL;
	struct curl_slist *h = curl_slist_append(NULL, "Content-Type: text/xml; charset=utf-8");
	struct curl_slist *more = h == NULL ? NULL : curl_slist_append(h, "X-MapiHttpCapability: 1");
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, k->question);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, more != NULL ? more : h);
	return more != NULL ? more : h;
}

static int on_progress(void *ctx, curl_off_t down, curl_off_t downloaded, curl_off_t up, curl_off_t uploaded)
{
	const struct look *k = ctx;
	(void)down;
	(void)downloaded;
	(void)up;
	(void)uploaded;
	return k->o->stop(k->o->ctx);
}

static void set_stop(struct look *k, CURL *c)
{
	if (k->o->stop == NULL)
		return;
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, k);
}

/* @return 0 when there was an answer of HTTP. */
static int ask_once(struct look *k, CURL *c, const char *url)
{
	const char *to = NULL;
	curl_easy_reset(c);
	gx_push_clear(&k->in);
	k->error[0] = '\0';
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, k->o->insecure && k->o->url != NULL ? "http,https" : "https");
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, k->error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(k->o->timeout_ms != 0 ? k->o->timeout_ms : TIMEOUT_MS));
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, k);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "gromox-dscli");
	if (k->o->ca_file != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, k->o->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL); /* else those of the system are trusted, too */
	}
	if (k->o->insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	set_login(k, c);
	set_stop(k, c);
	struct curl_slist *h = set_question(k, c);
	CURLcode ret = curl_easy_perform(c);
	curl_slist_free_all(h);
	k->status = 0;
	k->redirect = NULL;
	if (ret != CURLE_OK) {
		if (k->error[0] == '\0')
			snprintf(k->error, sizeof(k->error), "%s", curl_easy_strerror(ret));
		note(k, "%s: %s", url, k->error);
		return GX_E_NOTFOUND;
	}
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &k->status);
	if (curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &to) == CURLE_OK && to != NULL)
		k->redirect = gx_arena_strdup(k->a, to);
	note(k, "%s: status %ld, %zu bytes", url, k->status, k->in.len);
	return 0;
}

static bool same_host(const char *one, const char *other)
{
	const char *a = strstr(one, "://"), *b = strstr(other, "://");
	size_t n = a == NULL ? 0 : strcspn(a + 3, "/?#");
	return a != NULL && b != NULL && n == strcspn(b + 3, "/?#") && strncasecmp(a + 3, b + 3, n) == 0;
}

/* Redirections are followed by hand: to HTTPS alone, and not for ever. */
static int ask(struct look *k, CURL *c, const char *url)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i <= REDIRECTS_MOST; ++i) {
		err = ask_once(k, c, url);
		if (err != 0 || k->redirect == NULL)
			break;
		note(k, "%s: sent on to %s", url, k->redirect);
		if (i == REDIRECTS_MOST || strncmp(k->redirect, "https://", 8) != 0 || (k->o->same_host && !same_host(url, k->redirect)))
			return GX_E_NOTFOUND;
		url = k->redirect;
	}
	if (err != 0)
		return err;
	k->url = gx_arena_strdup(k->a, url);
	return k->url == NULL ? GX_E_NOMEM : k->status == 200 ? 0 : k->status == 401 ? GX_E_STATE : GX_E_NOTFOUND;
}

/* ---- Places ---- */

static int take_record(const uint8_t *data, int len, char *host, unsigned *ret_port)
{
	ns_msg msg;
	ns_rr rr;
	if (ns_initparse(data, len, &msg) != 0)
		return GX_E_FORMAT;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); ++i) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) != 0 || ns_rr_type(rr) != ns_t_srv || ns_rr_rdlen(rr) < 7)
			continue;
		*ret_port = ns_get16(ns_rr_rdata(rr) + 4);
		if (ns_name_uncompress(ns_msg_base(msg), ns_msg_end(msg), ns_rr_rdata(rr) + 6, host, HOST_MOST) >= 0)
			return 0;
	}
	return GX_E_NOTFOUND;
}

/* _autodiscover._tcp, [MS-OXDSCLI] 3.1.5.3 */
static const char *by_service_record(const struct look *k)
{
	uint8_t answer[4096];
	char host[HOST_MOST];
	unsigned port = 443;
	struct __res_state state;
	memset(&state, 0, sizeof(state));
	const char *name = gx_arena_printf(k->a, "_autodiscover._tcp.%s", k->domain);
	if (name == NULL || res_ninit(&state) != 0)
		return NULL;
	int n = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	res_nclose(&state);
	if (n <= 0 || take_record(answer, n < (int)sizeof(answer) ? n : (int)sizeof(answer), host, &port) != 0) {
		note(k, "%s: no service record", name);
		return NULL;
	}
	note(k, "%s: %s, port %u", name, host, port);
	return gx_arena_printf(k->a, "https://%s:%u" ENDPOINT, host, port);
}

static const char *place(const struct look *k, unsigned i)
{
	const struct gx_disco_look *o = k->o;
	bool ac = o->what == GX_DISCO_LOOK_AUTOCONFIG;
	if (o->url != NULL)
		return i == 0 ? o->url : NULL;
	if (o->host != NULL && ac)
		return i == 0 ? gx_arena_printf(k->a, "https://%s/mail/config-v1.1.xml?emailaddress=%s", o->host, k->question) : NULL;
	if (o->host != NULL)
		return i == 0 ? gx_arena_printf(k->a, "https://%s" ENDPOINT, o->host) : NULL;
	if (ac)
		return i == 0 ? gx_arena_printf(k->a, "https://autoconfig.%s/mail/config-v1.1.xml?emailaddress=%s", k->domain, k->question) :
		       i == 1 ? gx_arena_printf(k->a, "https://%s/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=%s", k->domain, k->question) : NULL;
	switch (i) {
	case 0: return gx_arena_printf(k->a, "https://%s" ENDPOINT, k->domain);
	case 1: return gx_arena_printf(k->a, "https://autodiscover.%s" ENDPOINT, k->domain);
	case 2: return by_service_record(k);
	default: return NULL;
	}
}

/* ---- The search ---- */

static int search(struct look *k, CURL *c, struct gx_disco_found *f, const char **ret_why)
{
	int last = GX_E_NOTFOUND;
	*ret_why = "no server has answered";
	for (unsigned i = 0; ; ++i) {
		const char *url = k->o->stop != NULL && k->o->stop(k->o->ctx) ? NULL : place(k, i);
		if (url == NULL)
			return last;
		int err = ask(k, c, url);
		if (err == 0)
			err = gx_disco_read_answer((struct gx_bin){k->in.data, k->in.len}, k->a, &f->answer);
		if (err == 0) {
			f->url = k->url;
			f->body = (struct gx_bin){gx_arena_memdup(k->a, k->in.data, k->in.len), k->in.len};
			return f->body.data == NULL ? GX_E_NOMEM : 0;
		}
		if (err == GX_E_NOMEM)
			return err;
		if (err == GX_E_FORMAT)
			note(k, "%s: this is no such answer", url);
		/* What a server said is worth more than that another is not there. */
		if (err == GX_E_STATE || err == GX_E_FORMAT) {
			last = err == GX_E_STATE || last != GX_E_STATE ? err : last;
			*ret_why = gx_arena_printf(k->a, "%s: %s", url, err == GX_E_STATE ? "the login was refused" : "its answer is none");
		} else if (k->error[0] != '\0' && last == GX_E_NOTFOUND) {
			*ret_why = gx_arena_printf(k->a, "%s: %s", url, k->error);
		} else if (k->status != 0 && last == GX_E_NOTFOUND) {
			*ret_why = gx_arena_printf(k->a, "%s: HTTP status %ld", url, k->status);
		}
	}
}

static int prepare(struct look *k, CURL *c, const char **ret_why)
{
	const struct gx_disco_look *o = k->o;
	const char *at = o->address == NULL ? NULL : strrchr(o->address, '@');
	bool ac = o->what == GX_DISCO_LOOK_AUTOCONFIG;
	if ((o->address == NULL && (o->legacy_dn == NULL || ac)) || (o->url == NULL && o->host == NULL && (at == NULL || at[1] == '\0'))) {
		*ret_why = "an address with a domain is needed, or a host or URL";
		return GX_E_INVAL;
	}
	k->domain = at == NULL ? NULL : at + 1;
	if (ac) {
		char *escaped = curl_easy_escape(c, o->address, 0);
		k->question = escaped == NULL ? NULL : gx_arena_strdup(k->a, escaped);
		curl_free(escaped);
	} else {
		struct gx_disco_question q = GX_DISCO_QUESTION_INIT;
		q.address = o->address;
		q.legacy_dn = o->legacy_dn;
		q.eas = o->what == GX_DISCO_LOOK_EAS;
		k->question = gx_disco_ask(&q, k->a);
	}
	return k->question == NULL ? GX_E_NOMEM : 0;
}

int gx_disco_look_up(const struct gx_disco_look *o, struct gx_arena *a, struct gx_disco_found *ret_f, const char **ret_why)
{
	const char *why = NULL;
	if (ret_why == NULL)
		ret_why = &why;
	if (o == NULL || o->size < sizeof(*o) || o->what > GX_DISCO_LOOK_AUTOCONFIG || a == NULL || ret_f == NULL)
		return GX_E_INVAL;
	CURL *c = curl_easy_init();
	if (c == NULL)
		return GX_E_NOMEM;
	struct look k = {.o = o, .a = a};
	struct gx_disco_found f = {0};
	int err = prepare(&k, c, ret_why);
	if (err == 0)
		err = search(&k, c, &f, ret_why);
	if (err == 0)
		*ret_f = f;
	gx_push_release(&k.in);
	curl_easy_cleanup(c);
	return err;
}
