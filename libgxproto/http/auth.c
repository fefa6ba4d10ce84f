/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header, and the challenges when it does not do. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gnutls/gnutls.h>
#include <gx/codec.h>
#include "libgxproto/http/http-int.h"

enum { CACHE_MAX = 10000, RETRY_SECONDS = 60 };

struct gx_http_auth {
	struct gx_http_auth_opts o;
	char *realm;
	struct http_credcache *cache;
};

struct attempt {
	struct gx_http_auth *auth;
	struct http_req *r;
	struct http_exchange *x;
	const char *token;      /* behind the scheme */
	const char *negotiate;  /* of an exchange that goes on, or what the client is told with the answer */
};

int gx_http_auth_new(const struct gx_http_auth_opts *o, struct gx_http_auth **ret_auth)
{
	const char *realm = o != NULL && o->realm != NULL ? o->realm : "gromox";
	if (o == NULL || o->size < sizeof(*o) || (o->check == NULL && !o->fronts_only) || (o->front_count != 0 && o->front_uids == NULL) || strpbrk(realm, "\"\\\r\n") != NULL)
		return GX_E_INVAL;
	struct gx_http_auth *auth = calloc(1, sizeof(*auth));
	if (auth == NULL)
		return GX_E_NOMEM;
	auth->o = *o;
	auth->realm = strdup(realm);
	if (auth->o.clock == NULL)
		auth->o.clock = gx_clock_system();
	if (o->cache_seconds != 0)
		auth->cache = gx_http__credcache_new(auth->o.clock, o->cache_seconds, o->cache_max != 0 ? o->cache_max : CACHE_MAX);
	if (auth->realm == NULL || (o->cache_seconds != 0 && auth->cache == NULL)) {
		gx_http_auth_free(auth);
		return GX_E_NOMEM;
	}
	*ret_auth = auth;
	return 0;
}

void gx_http_auth_free(struct gx_http_auth *auth)
{
	if (auth == NULL)
		return;
	gx_http__credcache_free(auth->cache);
	free(auth->realm);
	free(auth);
}

void gx_http_auth_forget(struct gx_http_auth *auth)
{
	if (auth->cache != NULL)
		gx_http__credcache_clear(auth->cache);
}

void gx_http__exchange_end(struct http_exchange *x)
{
	if (x->ctx != NULL)
		x->n->end(x->ctx);
	free(x->user);
	*x = (struct http_exchange){0};
}

/* ---- Answers to those who did not pass ---- */

static void set(struct http_req *r, const char *name, const char *value)
{
	/* Without memory for a challenge the client sees one less. */
	if (value != NULL)
		(void)!gx_http_set(&r->pub, name, value);
}

static bool challenge(const struct attempt *t, const char *bearer_error)
{
	struct gx_arena *a = t->r->pub.arena;
	const struct gx_http_auth_opts *o = &t->auth->o;
	if (o->negotiate != NULL)
		set(t->r, "WWW-Authenticate", t->negotiate != NULL ? t->negotiate : "Negotiate");
	if (o->jwt != NULL)
		set(t->r, "WWW-Authenticate", gx_arena_printf(a, "Bearer realm=\"%s\"%s", t->auth->realm, bearer_error));
	if (o->basic)
		set(t->r, "WWW-Authenticate", gx_arena_printf(a, "Basic realm=\"%s\", charset=\"UTF-8\"", t->auth->realm));
	gx_http_reply_status(&t->r->pub, 401, NULL);
	return false;
}

static bool reject(const struct attempt *t, const char *login, const char *reason)
{
	gx_log_auth_failure(t->auth->o.log, "http", login, t->r->pub.peer, reason);
	return challenge(t, "");
}

static bool pass(struct http_req *r, const char *user)
{
	r->pub.user = user;
	return true;
}

/* Banned, or too often: before a password or a token is looked at. */
static bool may_try(const struct attempt *t, const char *login)
{
	int err = gx_authlimit_check(t->auth->o.limit, login, t->r->pub.peer);
	if (err == 0)
		return true;
	gx_log_auth_failure(t->auth->o.log, "http", login, t->r->pub.peer, "too many tries");
	set(t->r, "Retry-After", gx_arena_printf(t->r->pub.arena, "%d", RETRY_SECONDS));
	gx_http_reply_status(&t->r->pub, 429, "Too many failed logins, try again later.");
	return false;
}

/* Name and password, or a name that was proven, against the directory. */
static bool look_up(const struct attempt *t, const char *login, const char *password)
{
	const struct gx_http_auth_opts *o = &t->auth->o;
	const char *user = NULL, *peer = t->r->pub.peer;
	int err = o->check(login, password, t->r->pub.arena, &user, o->check_ctx);
	switch (err) {
	case 0:
		gx_authlimit_succeeded(o->limit, login, peer);
		if (password != NULL && t->auth->cache != NULL)
			gx_http__credcache_add(t->auth->cache, login, password, user);
		return pass(t->r, user);
	case GX_E_NOTFOUND:
	case GX_E_INVAL:
		gx_authlimit_failed(o->limit, login, peer);
		return reject(t, login, err == GX_E_INVAL ? "wrong password" : "unknown user");
	case GX_E_STATE:
		gx_log_auth_failure(o->log, "http", login, peer, "not permitted");
		gx_http_reply_status(&t->r->pub, 403, "This account may not use this service.");
		return false;
	default:
		gx_log(o->log, GX_LOG_ERROR, "[%llu] http: login of %s is not possible now: %s", (unsigned long long)t->r->pub.id, login,
			gx_strerror(err));
		set(t->r, "Retry-After", "10");
		gx_http_reply_status(&t->r->pub, 503, "Login is not possible now.");
		return false;
	}
}

/* ---- Schemes ---- */

static bool try_basic(struct attempt *t)
{
	struct gx_bin raw;
	struct gx_arena *a = t->r->pub.arena;
	if (gx_base64_dec(a, t->token, strlen(t->token), &raw) != 0)
		return reject(t, "", "malformed Authorization header");
	char *login = gx_arena_strndup(a, (const char *)raw.data, raw.len), *colon = login == NULL ? NULL : strchr(login, ':');
	if (colon == NULL || strlen(login) != raw.len)
		return reject(t, "", "malformed Authorization header");
	*colon = '\0';
	char *password = colon + 1;
	const char *user = t->auth->cache == NULL ? NULL : gx_http__credcache_find(t->auth->cache, a, login, password);
	bool ok = user != NULL ? pass(t->r, user) : may_try(t, login) && look_up(t, login, password);
	gnutls_memset(password, 0, strlen(password));
	gnutls_memset((void *)raw.data, 0, raw.len);
	return ok;
}

static bool try_bearer(struct attempt *t)
{
	const char *user = NULL, *why = "";
	int err = gx_jwt_verify(t->auth->o.jwt, t->token, strlen(t->token), t->r->pub.arena, &user, &why);
	if (err == 0)
		return look_up(t, user, NULL);
	gx_log_auth_failure(t->auth->o.log, "http", "", t->r->pub.peer, why);
	return challenge(t, ", error=\"invalid_token\"");
}

static const char *negotiate_value(struct gx_arena *a, struct gx_bin out)
{
	size_t n = gx_base64_enc_len(out.len);
	char *s = gx_arena_alloc(a, sizeof("Negotiate ") + n);
	if (s == NULL)
		return NULL;
	memcpy(s, "Negotiate ", 10);
	n = gx_base64_enc(out.data, out.len, s + 10);
	s[10 + n] = '\0';
	return s;
}

static bool try_negotiate(struct attempt *t)
{
	struct gx_arena *a = t->r->pub.arena;
	struct http_exchange *x = t->x;
	struct gx_bin in, out = {0};
	const char *user = NULL;
	free(x->user);
	x->user = NULL;
	if (gx_base64_dec(a, t->token, strlen(t->token), &in) != 0)
		return reject(t, "", "malformed Authorization header");
	if (x->ctx == NULL) {
		x->n = t->auth->o.negotiate;
		x->ctx = x->n->begin(x->n->ctx);
	}
	int err = x->ctx == NULL ? GX_E_NOMEM : x->n->step(x->ctx, in, a, &out, &user);
	if (out.len > 0)
		t->negotiate = negotiate_value(a, out);
	if (err == GX_E_BUSY)
		return challenge(t, "");
	gx_http__exchange_end(x);
	if (err != 0)
		return reject(t, "", "Negotiate has failed");
	if (!look_up(t, user, NULL))
		return false;
	set(t->r, "WWW-Authenticate", t->negotiate);
	if (t->auth->o.negotiate->by_connection)
		x->user = strdup(t->r->pub.user);
	return true;
}

/* ---- Fronts ---- */

static bool is_front(const struct gx_http_auth *auth, const struct gx_io *io)
{
	if (!io->has_peer_uid)
		return false;
	bool yes = io->peer_uid == 0 || io->peer_uid == geteuid();
	for (size_t i = 0; i < auth->o.front_count; ++i)
		yes |= auth->o.front_uids[i] == io->peer_uid;
	return yes;
}

static bool believe_front(const struct gx_http_auth *auth, struct http_req *r)
{
	const struct gx_io *io = r->io; /* the connection is in this call */
	const char *user = gx_http_header(&r->pub, GX_HTTP_RELAY_USER);
	if (is_front(auth, io) && user != NULL && *user != '\0')
		return pass(r, user);
	if (!io->has_peer_uid)
		gx_log(auth->o.log, GX_LOG_WARN, "[%llu] http: requests are handed on over a Unix socket only", (unsigned long long)r->pub.id);
	else
		gx_log(auth->o.log, GX_LOG_WARN, "[%llu] http: user id %u is refused as a front%s", (unsigned long long)r->pub.id, (unsigned)io->peer_uid,
			is_front(auth, io) ? ", it names no user" : "");
	gx_http_reply_status(&r->pub, 403, NULL);
	return false;
}

static bool is_scheme(const char *value, const char *name, const char **ret_token)
{
	size_t n = strlen(name);
	if (gx_ascii_ncasecmp(value, name, n) != 0 || value[n] != ' ')
		return false;
	*ret_token = value + n + strspn(value + n, " ");
	return true;
}

bool gx_http__authenticate(struct gx_http_auth *auth, struct http_req *r, struct http_exchange *x)
{
	if (auth == NULL) {
		gx_log(r->h->o.log, GX_LOG_ERROR, "[%llu] http: %s is for known users only, but the server was given no way to know them",
			(unsigned long long)r->pub.id, r->route->path);
		gx_http_reply_status(&r->pub, 403, NULL);
		return false;
	}
	if (auth->o.fronts_only)
		return believe_front(auth, r);
	struct attempt t = {.auth = auth, .r = r, .x = x};
	const char *value = gx_http_header(&r->pub, "Authorization");
	if (value == NULL && x->user != NULL) {
		const char *user = gx_arena_strdup(r->pub.arena, x->user);
		return user != NULL ? pass(r, user) : challenge(&t, "");
	}
	if (value != NULL && auth->o.basic && is_scheme(value, "Basic", &t.token))
		return try_basic(&t);
	if (value != NULL && auth->o.jwt != NULL && is_scheme(value, "Bearer", &t.token))
		return try_bearer(&t);
	if (value != NULL && auth->o.negotiate != NULL && is_scheme(value, "Negotiate", &t.token))
		return try_negotiate(&t);
	return challenge(&t, "");
}
