/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that tokens are checked with: PEM, or JSON as [RFC 7517] has it. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/codec.h>
#include "libgxproto/http/jwt-int.h"

enum { FILE_MOST = 1 << 20, KEYS_MOST = 100, RSA_LEAST = 2048 };

void gx_jwt__keys_free(struct jwt_key *k)
{
	while (k != NULL) {
		struct jwt_key *next = k->next;
		gnutls_pubkey_deinit(k->key);
		free(k->kid);
		free(k);
		k = next;
	}
}

int gx_jwt__b64url(struct gx_arena *a, const char *s, size_t n, struct gx_bin *ret_b)
{
	if (n == 0 || n % 4 == 1)
		return GX_E_FORMAT;
	char *t = gx_arena_alloc(a, n + 3);
	if (t == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; ++i) {
		if (s[i] == '+' || s[i] == '/' || s[i] == '=')
			return GX_E_FORMAT;
		t[i] = s[i] == '-' ? '+' : s[i] == '_' ? '/' : s[i];
	}
	for (; n % 4 != 0; ++n)
		t[n] = '=';
	return gx_base64_dec(a, t, n, ret_b);
}

/* Which algorithm goes with it? @return false: none that is taken. */
static bool alg_of(gnutls_pubkey_t key, enum jwt_alg *ret_alg)
{
	unsigned bits = 0;
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	switch (gnutls_pubkey_get_pk_algorithm(key, &bits)) {
	case GNUTLS_PK_RSA:
		*ret_alg = JWT_RS256;
		return bits >= RSA_LEAST;
	case GNUTLS_PK_ECDSA:
		*ret_alg = JWT_ES256;
		return gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) == 0 && curve == GNUTLS_ECC_CURVE_SECP256R1;
	default:
		return false;
	}
}

/* Takes @p key over; one that is of no use is dropped. */
static int add(struct jwt_key **list, gnutls_pubkey_t key, const char *kid)
{
	enum jwt_alg alg;
	if (!alg_of(key, &alg)) {
		gnutls_pubkey_deinit(key);
		return 0;
	}
	struct jwt_key *k = calloc(1, sizeof(*k));
	if (k == NULL || (kid != NULL && (k->kid = strdup(kid)) == NULL)) {
		free(k);
		gnutls_pubkey_deinit(key);
		return GX_E_NOMEM;
	}
	k->key = key;
	k->alg = alg;
	k->next = *list;
	*list = k;
	return 0;
}

/* ---- JSON ---- */

static bool member(struct gx_arena *a, const json_t *o, const char *name, gnutls_datum_t *ret_d)
{
	struct gx_bin b;
	const json_t *v = json_object_get(o, name);
	if (!json_is_string(v) || gx_jwt__b64url(a, json_string_value(v), json_string_length(v), &b) != 0)
		return false;
	*ret_d = (gnutls_datum_t){(unsigned char *)b.data, (unsigned)b.len};
	return true;
}

static bool is_text(const json_t *o, const char *name, const char *value)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s != NULL && strcmp(s, value) == 0;
}

static bool import_jwk(struct gx_arena *a, const json_t *o, gnutls_pubkey_t key)
{
	gnutls_datum_t x, y;
	if (is_text(o, "kty", "RSA"))
		return member(a, o, "n", &x) && member(a, o, "e", &y) && gnutls_pubkey_import_rsa_raw(key, &x, &y) == 0;
	/* Coordinates have their full length [RFC 7518] 6.2.1.2. */
	if (is_text(o, "kty", "EC") && is_text(o, "crv", "P-256"))
		return member(a, o, "x", &x) && member(a, o, "y", &y) && x.size == 32 && y.size == 32 &&
			gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y) == 0;
	return false;
}

static int add_jwk(struct gx_arena *a, const json_t *o, struct jwt_key **list)
{
	gnutls_pubkey_t key;
	const json_t *use = json_object_get(o, "use"), *alg = json_object_get(o, "alg");
	if ((use != NULL && !is_text(o, "use", "sig")) || (alg != NULL && !is_text(o, "alg", "RS256") && !is_text(o, "alg", "ES256")))
		return 0;
	if (gnutls_pubkey_init(&key) != 0)
		return GX_E_NOMEM;
	if (import_jwk(a, o, key))
		return add(list, key, json_string_value(json_object_get(o, "kid")));
	gnutls_pubkey_deinit(key);
	return 0;
}

static int load_jwks(struct gx_arena *a, const char *text, size_t n, struct jwt_key **list)
{
	int ret = 0;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *keys = json_object_get(root, "keys");
	if (!json_is_array(keys) || json_array_size(keys) > KEYS_MOST)
		ret = GX_E_FORMAT;
	for (size_t i = 0; ret == 0 && i < json_array_size(keys); ++i)
		ret = add_jwk(a, json_array_get(keys, i), list);
	json_decref(root);
	return ret;
}

/* ---- PEM ---- */

static int add_pem(const gnutls_datum_t *d, bool certificate, struct jwt_key **list)
{
	gnutls_pubkey_t key;
	gnutls_x509_crt_t crt;
	if (gnutls_pubkey_init(&key) != 0)
		return GX_E_NOMEM;
	int ret;
	if (certificate) {
		ret = gnutls_x509_crt_init(&crt);
		if (ret == 0) {
			ret = gnutls_x509_crt_import(crt, d, GNUTLS_X509_FMT_PEM);
			if (ret == 0)
				ret = gnutls_pubkey_import_x509(key, crt, 0);
			gnutls_x509_crt_deinit(crt);
		}
	} else {
		ret = gnutls_pubkey_import(key, d, GNUTLS_X509_FMT_PEM);
	}
	if (ret == 0)
		return add(list, key, NULL);
	gnutls_pubkey_deinit(key);
	return GX_E_FORMAT;
}

static int load_pem(const char *text, struct jwt_key **list)
{
	int ret = 0;
	unsigned n = 0;
	for (const char *p = text; ret == 0 && (p = strstr(p, "-----BEGIN ")) != NULL; ++n) {
		const char *end = strstr(p, "-----END ");
		end = end == NULL ? NULL : strstr(end + 9, "-----");
		if (end == NULL || n >= KEYS_MOST)
			return GX_E_FORMAT;
		end += 5;
		const gnutls_datum_t d = {(unsigned char *)p, (unsigned)(end - p)};
		ret = add_pem(&d, strncmp(p + 11, "CERTIFICATE", 11) == 0, list);
		p = end;
	}
	return ret;
}

static int read_file(struct gx_arena *a, const char *path, char **ret_text, size_t *ret_n)
{
	size_t n = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = gx_arena_alloc(a, FILE_MOST + 1);
	if (fd < 0)
		return errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
	while (text != NULL && n < FILE_MOST && (got = read(fd, text + n, FILE_MOST - n)) > 0)
		n += (size_t)got;
	close(fd);
	if (text == NULL || got < 0)
		return text == NULL ? GX_E_NOMEM : GX_E_IO;
	text[n] = '\0';
	*ret_text = text;
	*ret_n = n;
	return 0;
}

int gx_jwt__keys_load(const char *path, struct jwt_key **ret_keys, struct gx_arena *a, const char **ret_why)
{
	char *text;
	size_t n;
	struct jwt_key *list = NULL;
	int ret = read_file(a, path, &text, &n);
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "cannot read the keys for tokens in %s: %s", path,
			ret == GX_E_NOMEM ? gx_strerror(ret) : strerror(errno));
		return ret;
	}
	ret = text[strspn(text, " \t\r\n")] == '{' ? load_jwks(a, text, n, &list) : load_pem(text, &list);
	if (ret == 0 && list == NULL)
		ret = GX_E_FORMAT;
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "%s has no key for tokens that can be used; expected are PEM or JWKS with RSA keys of 2048 bits or "
			"more (RS256) or keys on the curve P-256 (ES256)", path);
		gx_jwt__keys_free(list);
		return ret;
	}
	*ret_keys = list;
	return 0;
}
