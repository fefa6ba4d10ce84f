/* SPDX-License-Identifier: Apache-2.0 */
/* A request type and its answer, [MS-OXCMAPIHTTP] 3.1.4 and 3.1.5: headers, states of the answer, sequence, what is tried again. */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/client/client-int.h"

enum { TRIES = 6, BUSY_MS = 1000 };

static const char *const codes[] = {
	"success", "unknown failure", "invalid verb", "invalid path", "invalid header", "invalid request type", "invalid context cookie",
	"missing header", "anonymous not allowed", "too large", "context not found", "no privilege", "invalid request body", "missing cookie",
	"reserved", "invalid sequence", "endpoint disabled", "invalid response", "endpoint shutting down",
};

static const char *code_text(int code)
{
	return code >= 0 && (size_t)code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "unknown";
}

/* ---- The request ---- */

static struct curl_slist *add(struct gx_mapi *c, struct curl_slist *l, const char *name, const char *value)
{
	const char *line = gx_arena_printf(c->scratch, "%s: %s", name, value);
	struct curl_slist *more = line == NULL ? NULL : curl_slist_append(l, line);
	if (more == NULL)
		curl_slist_free_all(l);
	return more;
}

static struct curl_slist *headers_of(struct gx_mapi *c, const char *type)
{
	const char *id = gx_arena_printf(c->scratch, "{%s}:%u", c->client_id, ++c->requests);
	const char *client = gx_arena_printf(c->scratch, "{%s}:1", c->client_id);
	const char *const lines[][2] = {
		{"Content-Type", "application/mapi-http"}, {"X-RequestType", type}, {"X-RequestId", id}, {"X-ClientInfo", client},
		{"X-ClientApplication", c->o.application}, {"Accept", "application/mapi-http"}, {"Expect", ""},
	};
	struct curl_slist *l = curl_slist_append(NULL, "User-Agent: gromox-mapi");
	for (size_t i = 0; l != NULL && id != NULL && client != NULL && i < sizeof(lines) / sizeof(lines[0]); ++i)
		l = add(c, l, lines[i][0], lines[i][1]);
	return l;
}

/* ---- The answer ---- */

/* Behind PROCESSING and PENDING stands DONE, with headers of its own, then the body. [MS-OXCMAPIHTTP] 2.2.7 */
static bool find_done(struct mc_reply *r, struct gx_bin *ret_body)
{
	static const char done[] = "DONE\r\n";
	const char *p = (const char *)r->body.data, *end = p + r->body.len;
	bool at_done = false;
	while (p != NULL && p < end) {
		const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2);
		if (eol == NULL)
			return false;
		size_t n = (size_t)(eol - p);
		if (!at_done)
			at_done = n + 2 == sizeof(done) - 1 && memcmp(p, done, n) == 0;
		else if (n == 0) {
			*ret_body = (struct gx_bin){(const uint8_t *)eol + 2, (size_t)(end - eol - 2)};
			return true;
		} else if (n > 16 && strncasecmp(p, "X-ResponseCode: ", 16) == 0)
			r->code = (int)strtol(p + 16, NULL, 10); /* ends at the line's end */
		p = eol + 2;
	}
	return false;
}

/* [MS-OXCMAPIHTTP] 2.2.2.2: only a session that begins may begin elsewhere. */
static gx_ec sent_on(struct gx_mapi *c, const char *type, const struct mc_reply *r)
{
	bool connects = strcmp(type, "Connect") == 0;
	const char *to = *r->location != '\0' ? r->location : "no place that could be understood";
	if (connects && *r->location != '\0')
		c->location = gx_arena_strdup(c->scratch, r->location);
	bool ends = c->connected && (strcmp(type, "Execute") == 0 || strcmp(type, "PING") == 0 || strcmp(type, "NotificationWait") == 0);
	if (ends)
		c->connected = false;
	return gx_mapi__fail(c, connects ? GX_EC(ecWrongServer) : ends ? GX_EC(ecEndOfSession) : GX_EC(ecNetworkError), "%s: HTTP %u: the server sends us to %s", type, r->status, to);
}

static gx_ec refused(struct gx_mapi *c, const char *type, const struct mc_reply *r)
{
	switch (r->status) {
	case 200:
		break;
	case 401:
	case 403:
		return gx_mapi__fail(c, GX_EC(ecLoginFailure), "%s: HTTP %u: user name or password are not accepted", type, r->status);
	case 301: case 302: case 307: case 308:
		return sent_on(c, type, r);
	case 404:
		return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s: HTTP 404: there is no MAPI over HTTP at %s", type, c->mailbox.url);
	default:
		return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s: HTTP %u", type, r->status);
	}
	if (r->code < 0)
		return gx_mapi__fail(c, GX_EC(ecCorruptData), "%s: no X-ResponseCode: this is no MAPI over HTTP", type);
	switch (r->code) {
	case GX_MHC_CONTEXT_NOT_FOUND:
	case GX_MHC_INVALID_CONTEXT_COOKIE:
	case GX_MHC_MISSING_COOKIE:
	case GX_MHC_NO_PRIVILEGE:
		c->connected = false;
		return gx_mapi__fail(c, GX_EC(ecEndOfSession), "%s: X-ResponseCode %d (%s): the session is over", type, r->code, code_text(r->code));
	case GX_MHC_ANONYMOUS_NOT_ALLOWED:
		return gx_mapi__fail(c, GX_EC(ecLoginFailure), "%s: X-ResponseCode %d (%s)", type, r->code, code_text(r->code));
	default:
		return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s: X-ResponseCode %d (%s)", type, r->code, code_text(r->code));
	}
}

static gx_ec decode(struct gx_mapi *c, const struct gx_exchange_desc *d, struct mc_reply *r,
	struct gx_arena *a, void *res)
{
	struct gx_bin body;
	struct gx_dctx x = {.px = d->endpoint == GX_ENDPOINT_NSPI ? GX_PX_AB(a, c->o.code_page) : GX_PX_ROP(a, c->o.code_page)};
	if (!find_done(r, &body))
		return gx_mapi__fail(c, GX_EC(ecCorruptData), "%s: the answer does not end with DONE", d->name);
	c->error.response_code = r->code;
	if (r->code != GX_MHC_SUCCESS)
		return refused(c, d->name, r);
	if (d->res == NULL)
		return MC_OK;
	const uint8_t *copy = gx_arena_memdup(a, body.data, body.len); /* what is pulled borrows from it */
	int err = copy == NULL ? GX_E_NOMEM : gx_desc_decode(&x, d->res, copy, body.len, res);
	if (err == GX_E_NOMEM)
		return gx_mapi__nomem(c);
	return err == 0 ? MC_OK : gx_mapi__fail(c, GX_EC(ecCorruptData), "%s: the answer cannot be read: %s", d->name, gx_strerror(err));
}

/* ---- Both ---- */

static bool takes_turn(uint32_t type)
{
	return type == GX_MH_EXECUTE || type == GX_MH_DISCONNECT;
}

static gx_ec once(struct gx_mapi *c, struct mc_endpoint *to, const struct gx_exchange_desc *d,
	struct gx_bin body, struct mc_reply *r)
{
	struct curl_slist *headers = headers_of(c, d->name);
	if (headers == NULL) {
		*r = (struct mc_reply){.code = -1};
		return gx_mapi__nomem(c);
	}
	gx_ec ec = gx_mapi__post(c, to, headers, body, r);
	curl_slist_free_all(headers);
	gx_log(c->o.log, GX_LOG_DEBUG, "mapi: %s: status %u, code %d, %zu bytes", d->name, r->status, r->code, r->body.len);
	return ec;
}

static bool is_busy(const struct mc_reply *r)
{
	return r->status == 503 || r->status == 429 || (r->status == 200 && r->code == GX_MHC_ENDPOINT_SHUTTING_DOWN);
}

/*
 * A connection may have been closed while it was idle, so what met no answer is sent once more, with the same sequence: should the
 * server have done it after all, it refuses the second one. That answer is lost then.
 */
static gx_ec attempts(struct gx_mapi *c, struct mc_endpoint *to, uint32_t type,
	const struct gx_exchange_desc *d, struct gx_bin body, struct mc_reply *r)
{
	bool lost = false;
	int64_t busy = BUSY_MS;
	for (unsigned i = 0;; ++i) {
		gx_ec ec = once(c, to, d, body, r);
		if (gx_ec_is(ec, ecNetworkError) && r->status == 0 && !r->distrusted && !lost && i < TRIES) {
			lost = true;
		} else if (gx_ec_failed(ec)) {
			to->unsure = takes_turn(type) && (lost || !r->distrusted);
			return ec;
		} else if (is_busy(r) && i < TRIES) {
			ec = gx_mapi__sleep(c, r->retry_ms >= 0 ? r->retry_ms : busy);
			busy *= 2;
			if (gx_ec_failed(ec))
				return ec;
		} else if (lost && r->code == GX_MHC_INVALID_SEQUENCE) {
			to->unsure = true;
			return gx_mapi__fail(c, GX_EC(ecNetworkError), "%s: the connection broke before the answer; it is not known whether it was done", d->name);
		} else {
			return MC_OK;
		}
		c->error.ec = MC_OK;
		c->error.text = "";
		gx_push_release(&r->body);
	}
}

/* A request that takes no turn tells what the next one must say. */
static gx_ec make_sure(struct gx_mapi *c, struct mc_endpoint *to)
{
	to->unsure = false;
	gx_ec ec = gx_mapi__exchange(c, to, GX_MH_PING, NULL, c->scratch, NULL);
	to->unsure = gx_ec_failed(ec);
	return ec;
}

gx_ec gx_mapi__exchange(struct gx_mapi *c, struct mc_endpoint *to, uint32_t type, const void *q,
	struct gx_arena *a, void *res)
{
	const struct gx_exchange_desc *d = gx_mapihttp_exchange(type);
	struct gx_dctx x = {.px = d->endpoint == GX_ENDPOINT_NSPI ? GX_PX_AB(a, c->o.code_page) : GX_PX_ROP(a, c->o.code_page)};
	struct gx_bin body = {0};
	struct mc_reply r;
	gx_ec ec = to->unsure && takes_turn(type) ? make_sure(c, to) : MC_OK;
	if (gx_ec_failed(ec))
		return ec;
	int err = d->req == NULL ? 0 : gx_desc_encode(&x, d->req, q, &body);
	if (err != 0)
		return err == GX_E_NOMEM ? gx_mapi__nomem(c) : gx_mapi__fail(c, GX_EC(ecInvalidParam), "%s: %s", d->name, gx_strerror(err));
	ec = attempts(c, to, type, d, body, &r);
	if (!gx_ec_failed(ec) && (r.status != 200 || r.code != GX_MHC_SUCCESS))
		ec = refused(c, d->name, &r);
	else if (!gx_ec_failed(ec))
		ec = decode(c, d, &r, a, res);
	gx_push_release(&r.body);
	return ec;
}
