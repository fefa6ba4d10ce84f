/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_JWT_INT_H
#define GX_JWT_INT_H
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <jansson.h>
#include <gx/jwt.h>

enum jwt_alg { JWT_RS256, JWT_ES256 };

struct jwt_key {
	struct jwt_key *next;
	gnutls_pubkey_t key;
	enum jwt_alg alg;  /* follows from the key alone */
	char *kid;         /* NULL: none */
};
/* jwtkeys.c: reads a file. */
int gx_jwt__keys_load(const char *path, struct jwt_key **ret_keys, struct gx_arena *a, const char **ret_why);
void gx_jwt__keys_free(struct jwt_key *k);
/* base64url without padding [RFC 7515] 2. */
int gx_jwt__b64url(struct gx_arena *a, const char *s, size_t n, struct gx_bin *ret_b);
#endif
