/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens [RFC 7519]. The key decides which algorithm is used [RFC 8725] 3.1; what the token says has to agree with it.
 * Keys in the token, or addresses of keys, are never looked at.
 */
#include <config.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/jwt-int.h"

enum { TOKEN_MOST = 16 << 10, USER_MOST = 320, LEEWAY = 60 };

struct gx_jwt {
	pthread_rwlock_t lock; /* for keys */
	struct jwt_key *keys;
	const struct gx_clock *clock;
	char *key_path, *issuer, *audience, *user_claim;
	uint32_t leeway;
};

static int copy(char **to, const char *s)
{
	*to = s == NULL ? NULL : strdup(s);
	return s != NULL && *to == NULL ? GX_E_NOMEM : 0;
}

int gx_jwt_new(const struct gx_jwt_opts *o, struct gx_jwt **ret_j, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	if (o == NULL || o->size < sizeof(*o) || o->key_path == NULL || a == NULL)
		return GX_E_INVAL;
	struct gx_jwt *j = calloc(1, sizeof(*j));
	if (j == NULL)
		return GX_E_NOMEM;
	pthread_rwlock_init(&j->lock, NULL);
	j->clock = o->clock != NULL ? o->clock : gx_clock_system();
	j->leeway = o->leeway != 0 ? o->leeway : LEEWAY;
	int ret = copy(&j->key_path, o->key_path) | copy(&j->issuer, o->issuer) | copy(&j->audience, o->audience) |
		copy(&j->user_claim, o->user_claim != NULL ? o->user_claim : "preferred_username");
	if (ret == 0)
		ret = gx_jwt__keys_load(j->key_path, &j->keys, a, ret_why != NULL ? ret_why : &why);
	if (ret != 0)
		gx_jwt_free(j);
	else
		*ret_j = j;
	return ret;
}

int gx_jwt_reload(struct gx_jwt *j, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	struct jwt_key *fresh = NULL, *old;
	int ret = gx_jwt__keys_load(j->key_path, &fresh, a, ret_why != NULL ? ret_why : &why);
	if (ret != 0)
		return ret;
	pthread_rwlock_wrlock(&j->lock);
	old = j->keys;
	j->keys = fresh;
	pthread_rwlock_unlock(&j->lock);
	gx_jwt__keys_free(old);
	return 0;
}

void gx_jwt_free(struct gx_jwt *j)
{
	if (j == NULL)
		return;
	gx_jwt__keys_free(j->keys);
	free(j->key_path);
	free(j->issuer);
	free(j->audience);
	free(j->user_claim);
	pthread_rwlock_destroy(&j->lock);
	free(j);
}

/* ---- Parts ---- */

struct token {
	struct gx_arena *a;
	gnutls_datum_t data;       /* what is signed */
	struct gx_bin signature;
	json_t *head, *claims;
	const char *why;
};

static int bad(struct token *t, int err, const char *why)
{
	t->why = why;
	return err;
}

static json_t *part(struct gx_arena *a, const char *s, size_t n)
{
	struct gx_bin b;
	if (gx_jwt__b64url(a, s, n, &b) != 0)
		return NULL;
	json_t *j = json_loadb((const char *)b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int split(struct token *t, const char *s, size_t n)
{
	const char *dot = n > TOKEN_MOST ? NULL : memchr(s, '.', n);
	const char *dot2 = dot == NULL ? NULL : memchr(dot + 1, '.', n - (size_t)(dot + 1 - s));
	if (dot2 == NULL)
		return bad(t, GX_E_FORMAT, "malformed token");
	t->data = (gnutls_datum_t){(unsigned char *)s, (unsigned)(dot2 - s)};
	if (gx_jwt__b64url(t->a, dot2 + 1, n - (size_t)(dot2 + 1 - s), &t->signature) != 0)
		return bad(t, GX_E_FORMAT, "malformed signature of the token");
	t->head = part(t->a, s, (size_t)(dot - s));
	t->claims = part(t->a, dot + 1, (size_t)(dot2 - dot - 1));
	return t->head == NULL || t->claims == NULL ? bad(t, GX_E_FORMAT, "malformed token") : 0;
}

/* ---- Signature ---- */

/* Two numbers of 32 bytes [RFC 7518] 3.4. */
static bool ecdsa_ok(const struct jwt_key *k, const struct token *t)
{
	gnutls_datum_t der;
	if (t->signature.len != 64)
		return false;
	const gnutls_datum_t r = {(unsigned char *)t->signature.data, 32}, s = {(unsigned char *)t->signature.data + 32, 32};
	if (gnutls_encode_rs_value(&der, &r, &s) != 0)
		return false;
	int ret = gnutls_pubkey_verify_data2(k->key, GNUTLS_SIGN_ECDSA_SHA256, 0, &t->data, &der);
	gnutls_free(der.data);
	return ret >= 0;
}

static bool signature_ok(const struct jwt_key *k, const struct token *t)
{
	if (k->alg == JWT_ES256)
		return ecdsa_ok(k, t);
	const gnutls_datum_t s = {(unsigned char *)t->signature.data, (unsigned)t->signature.len};
	return gnutls_pubkey_verify_data2(k->key, GNUTLS_SIGN_RSA_SHA256, 0, &t->data, &s) >= 0;
}

static int check_signature(struct gx_jwt *j, struct token *t)
{
	const char *alg = json_string_value(json_object_get(t->head, "alg")), *kid = json_string_value(json_object_get(t->head, "kid"));
	bool es = alg != NULL && strcmp(alg, "ES256") == 0;
	if (!es && (alg == NULL || strcmp(alg, "RS256") != 0))
		return bad(t, GX_E_UNSUP, "the token is signed in a way that is not taken");
	if (json_object_get(t->head, "crit") != NULL)
		return bad(t, GX_E_UNSUP, "the token asks for extensions");
	bool any = false, ok = false;
	pthread_rwlock_rdlock(&j->lock);
	for (const struct jwt_key *k = j->keys; k != NULL && !ok; k = k->next) {
		if ((k->alg == JWT_ES256) != es || (kid != NULL && k->kid != NULL && strcmp(kid, k->kid) != 0))
			continue;
		any = true;
		ok = signature_ok(k, t);
	}
	pthread_rwlock_unlock(&j->lock);
	if (!any)
		return bad(t, GX_E_NOTFOUND, "no key for the token");
	return ok ? 0 : bad(t, GX_E_INVAL, "wrong signature of the token");
}

/* ---- Claims ---- */

static bool is_for(const json_t *aud, const char *audience)
{
	if (json_is_string(aud))
		return strcmp(json_string_value(aud), audience) == 0;
	for (size_t i = 0; i < json_array_size(aud); ++i) {
		const char *s = json_string_value(json_array_get(aud, i));
		if (s != NULL && strcmp(s, audience) == 0)
			return true;
	}
	return false;
}

static int check_times(const struct gx_jwt *j, struct token *t)
{
	const json_t *exp = json_object_get(t->claims, "exp"), *nbf = json_object_get(t->claims, "nbf");
	const json_t *iat = json_object_get(t->claims, "iat");
	double now = (double)gx_clock_unix(j->clock), leeway = j->leeway;
	if (!json_is_number(exp) || (nbf != NULL && !json_is_number(nbf)) || (iat != NULL && !json_is_number(iat)))
		return bad(t, GX_E_INVAL, "the times of the token are missing or malformed");
	if (!(now < json_number_value(exp) + leeway))
		return bad(t, GX_E_TIMEOUT, "the token has expired");
	if ((nbf != NULL && !(json_number_value(nbf) <= now + leeway)) || (iat != NULL && !(json_number_value(iat) <= now + leeway)))
		return bad(t, GX_E_TIMEOUT, "the token is not valid yet");
	return 0;
}

static int check_claims(const struct gx_jwt *j, struct token *t, const char **ret_user)
{
	int ret = check_times(j, t);
	if (ret != 0)
		return ret;
	const char *iss = json_string_value(json_object_get(t->claims, "iss"));
	if (j->issuer != NULL && (iss == NULL || strcmp(iss, j->issuer) != 0))
		return bad(t, GX_E_INVAL, "the token is of another issuer");
	if (j->audience != NULL && !is_for(json_object_get(t->claims, "aud"), j->audience))
		return bad(t, GX_E_INVAL, "the token is for another audience");
	const json_t *claim = json_object_get(t->claims, j->user_claim);
	const char *user = json_string_value(claim);
	if (user == NULL || *user == '\0' || strlen(user) > USER_MOST || strlen(user) != json_string_length(claim))
		return bad(t, GX_E_INVAL, "the token names no user");
	for (const unsigned char *p = (const unsigned char *)user; *p != '\0'; ++p)
		if (*p < ' ' || *p == 0x7f)
			return bad(t, GX_E_INVAL, "the token names no user");
	*ret_user = gx_arena_strdup(t->a, user);
	return *ret_user == NULL ? bad(t, GX_E_NOMEM, "out of memory") : 0;
}

int gx_jwt_verify(struct gx_jwt *j, const char *token, size_t len, struct gx_arena *a, const char **ret_user, const char **ret_why)
{
	struct token t = {.a = a, .why = ""};
	const char *user = NULL;
	int ret = split(&t, token, len);
	if (ret == 0)
		ret = check_signature(j, &t);
	if (ret == 0)
		ret = check_claims(j, &t, &user);
	json_decref(t.head);
	json_decref(t.claims);
	if (ret == 0)
		*ret_user = user;
	else if (ret_why != NULL)
		*ret_why = t.why;
	return ret;
}
