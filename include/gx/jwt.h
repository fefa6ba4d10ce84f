/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_JWT_H
#define GX_JWT_H
/**
 * @file jwt.h
 * Checks signed tokens of OpenID Connect [RFC 7519] [RFC 8725]: RS256 and ES256 only, keys from a file. Nothing in a token
 * chooses the kind of key or where it comes from. Thread class: locked.
 */
#include <gx/arena.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_jwt;
struct gx_jwt_opts {
	size_t size;
	const struct gx_clock *clock; /**< NULL: system */
	const char *key_path;         /**< PEM (public keys, certificates) or a JWKS file [RFC 7517] */
	const char *issuer;           /**< the iss that is asked for; NULL: any */
	const char *audience;         /**< the aud that is asked for; NULL: any */
	const char *user_claim;       /**< NULL takes "preferred_username" */
	uint32_t leeway;              /**< seconds the clocks may differ, 0 takes 60 */
};
#define GX_JWT_OPTS_INIT {.size = sizeof(struct gx_jwt_opts)}
/** @p ret_why names the file and what is wrong with it. */
GX_API int gx_jwt_new(const struct gx_jwt_opts *o, struct gx_jwt **ret_j, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Reads the keys again; when that fails the old ones stay. */
GX_API int gx_jwt_reload(struct gx_jwt *j, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_jwt_free(struct gx_jwt *j);
/**
 * @return 0, GX_E_FORMAT no such token, GX_E_UNSUP an algorithm that is not taken, GX_E_NOTFOUND no key for it, GX_E_INVAL the
 * signature or a claim is wrong, GX_E_TIMEOUT expired or not valid yet. @p ret_why: static text for the log.
 */
GX_API int gx_jwt_verify(struct gx_jwt *j, const char *token, size_t len, struct gx_arena *a, const char **ret_user,
	const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
