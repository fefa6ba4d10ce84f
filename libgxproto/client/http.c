/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS by libcurl: one request after the other over a connection that is kept, each with its deadline. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/time.h>
#include "libgxproto/client/client-int.h"

enum { POLL_MS = 1000, COOKIES_MAX = 16384 };

struct transfer {
	struct gx_mapi *c;
	struct mc_endpoint *to;
	struct mc_reply *r;
	bool interim;                  /* headers of a 1xx */
};

static int64_t now_ms(void)
{
	return gx_clock_mono_ms(gx_clock_system());
}

/* ---- What comes ---- */

/* A server that says that it is still at work is waited for. */
static void alive(struct gx_mapi *c, const struct mc_reply *r)
{
	if (c->silence_ms == 0 || r->status != 200)
		return;
	c->until_ms = now_ms() + c->silence_ms;
	if (c->deadline_ms != 0 && c->deadline_ms < c->until_ms)
		c->until_ms = c->deadline_ms;
}

static size_t on_body(char *data, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	(void)one;
	alive(t->c, t->r);
	gx_push_bytes(&t->r->body, data, n);
	return t->r->body.err == 0 ? n : 0;
}

/* A cookie of the same name makes place for @p pair, "name=value". */
static void keep_cookie(struct mc_endpoint *to, const char *pair, size_t len)
{
	struct gx_strbuf all = GX_STRBUF_INIT;
	size_t name = strcspn(pair, "=") + 1;
	if (name > len || len > COOKIES_MAX / 4)
		return;
	for (const char *at = gx_strbuf_cstr(&to->cookies); *at != '\0';) {
		size_t n = strcspn(at, ";");
		if (strncmp(at, pair, name) != 0) {
			gx_strbuf_adds(&all, all.len > 0 ? "; " : "");
			gx_strbuf_add(&all, at, n);
		}
		at += n;
		at += strspn(at, "; ");
	}
	if (len > name) { /* an empty value takes it away */
		gx_strbuf_adds(&all, all.len > 0 ? "; " : "");
		gx_strbuf_add(&all, pair, len);
	}
	if (all.err != 0 || all.len > COOKIES_MAX) {
		gx_strbuf_release(&all);
		return;
	}
	gx_strbuf_release(&to->cookies);
	to->cookies = all;
}

static void copy_value(char *to, size_t size, const char *v, size_t n)
{
	if (n >= size)
		n = size - 1;
	memcpy(to, v, n);
	to[n] = '\0';
}

static void header(struct transfer *t, const char *name, size_t name_len, const char *v, size_t n)
{
	char number[24];
#define IS(s) (name_len == sizeof(s) - 1 && strncasecmp(name, s, sizeof(s) - 1) == 0)
	copy_value(number, sizeof(number), v, n);
	if (IS("X-ResponseCode"))
		t->r->code = (int)strtol(number, NULL, 10);
	else if (IS("Retry-After"))
		t->r->retry_ms = 1000 * (int64_t)strtol(number, NULL, 10);
	else if (IS("Set-Cookie"))
		keep_cookie(t->to, v, strcspn(v, ";\r\n") < n ? strcspn(v, ";\r\n") : n);
	else if (IS("Content-Type"))
		copy_value(t->r->type, sizeof(t->r->type), v, n);
	else if (IS("Location"))
		copy_value(t->r->location, sizeof(t->r->location), v, n < sizeof(t->r->location) ? n : 0);
#undef IS
}

/* One line, not terminated. */
static size_t on_header(char *data, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	char line[4096];
	(void)one;
	copy_value(line, sizeof(line), data, n);
	if (strncmp(line, "HTTP/", 5) == 0) {
		const char *status = strchr(line, ' ');
		long v = status == NULL ? 0 : strtol(status, NULL, 10);
		t->interim = v < 200;
		if (!t->interim)
			t->r->status = (unsigned)v;
		return n;
	}
	const char *colon = strchr(line, ':');
	if (!t->interim && colon != NULL) {
		const char *v = colon + 1 + strspn(colon + 1, " \t");
		header(t, line, (size_t)(colon - line), v, strcspn(v, "\r\n"));
	}
	return n;
}

/* ---- One request ---- */

static void prepare(struct gx_mapi *c, struct transfer *t, struct curl_slist *headers, struct gx_bin body)
{
	CURL *e = c->easy;
	curl_easy_reset(e);
	c->curl_text[0] = '\0';
	curl_easy_setopt(e, CURLOPT_URL, t->to->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->curl_text);
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, body.len > 0 ? (const char *)body.data : "");
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_COOKIE, t->to->cookies.len > 0 ? gx_strbuf_cstr(&t->to->cookies) : NULL);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	if (c->o.ca_file != NULL) {
		curl_easy_setopt(e, CURLOPT_CAINFO, c->o.ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* else those of the system are trusted, too, and read each time */
	}
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, c->o.insecure ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, c->o.insecure ? 0L : 2L);
	if (c->o.bearer != NULL) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, c->o.bearer);
	} else if (c->o.password != NULL) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(e, CURLOPT_USERNAME, c->o.user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, c->o.password);
	}
}

static gx_ec check_time(struct gx_mapi *c, int64_t *ret_left)
{
	if (atomic_load(&c->canceled))
		return gx_mapi__fail(c, GX_EC(ecUserCanceled), "canceled");
	*ret_left = c->until_ms - now_ms();
	return *ret_left > 0 ? MC_OK : gx_mapi__fail(c, GX_EC(ecTimeout), "the server has not answered in time");
}

/* Until curl has a result, or it is enough. */
static gx_ec wait_for(struct gx_mapi *c, CURLcode *ret_code)
{
	for (;;) {
		int running, queued;
		int64_t left;
		CURLMcode m = curl_multi_perform(c->multi, &running);
		for (CURLMsg *msg; (msg = curl_multi_info_read(c->multi, &queued)) != NULL;)
			if (msg->msg == CURLMSG_DONE) {
				*ret_code = msg->data.result;
				return MC_OK;
			}
		gx_ec ec = check_time(c, &left);
		if (gx_ec_failed(ec))
			return ec;
		if (m == CURLM_OK)
			m = curl_multi_poll(c->multi, NULL, 0, (int)(left < POLL_MS ? left : POLL_MS), NULL);
		if (m != CURLM_OK)
			return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s", curl_multi_strerror(m));
	}
}

static gx_ec failure(struct gx_mapi *c, struct mc_reply *r, CURLcode code)
{
	const char *text = c->curl_text[0] != '\0' ? c->curl_text : curl_easy_strerror(code);
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return gx_mapi__nomem(c);
	case CURLE_WRITE_ERROR:
		return r->body.err == GX_E_LIMIT ? gx_mapi__fail(c, GX_EC(ecCorruptData), "the answer has more than %u bytes", (unsigned)c->o.max_answer)
						 : gx_mapi__nomem(c);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		r->distrusted = true;
		return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s (another authority can be named with ca_file)", text);
	default:
		return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s", text);
	}
}

gx_ec gx_mapi__post(struct gx_mapi *c, struct mc_endpoint *to, struct curl_slist *headers, struct gx_bin body,
	struct mc_reply *ret_r)
{
	struct transfer t = {c, to, ret_r, false};
	CURLcode code = CURLE_OK;
	int64_t left;
	*ret_r = (struct mc_reply){.code = -1, .retry_ms = -1};
	gx_push_init(&ret_r->body, c->o.max_answer);
	gx_ec ec = check_time(c, &left);
	if (gx_ec_failed(ec))
		return ec;
	prepare(c, &t, headers, body);
	if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		return gx_mapi__nomem(c);
	ec = wait_for(c, &code);
	curl_multi_remove_handle(c->multi, c->easy);
	c->error.http_status = ret_r->status;
	c->error.response_code = ret_r->code;
	return gx_ec_failed(ec) ? ec : code == CURLE_OK ? MC_OK : failure(c, ret_r, code);
}

gx_ec gx_mapi__sleep(struct gx_mapi *c, int64_t ms)
{
	int64_t end = now_ms() + ms, left;
	if (end >= c->until_ms)
		return gx_mapi__fail(c, GX_EC(ecServerBusy), "the server wants to be asked again in %lld ms", (long long)ms);
	while ((ms = end - now_ms()) > 0) {
		gx_ec ec = check_time(c, &left);
		if (gx_ec_failed(ec))
			return ec;
		(void)curl_multi_poll(c->multi, NULL, 0, (int)(ms < POLL_MS ? ms : POLL_MS), NULL);
	}
	return MC_OK;
}
