/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTPAUTH_H
#define GX_HTTPAUTH_H
/**
 * @file httpauth.h
 * Who asks: Basic [RFC 7617], Bearer [RFC 6750] and Negotiate [RFC 4559] for the HTTP server. Thread class: locked.
 */
#include <gx/authlimit.h>
#include <gx/directory.h>
#include <gx/http.h>
#include <gx/httprelay.h>
#include <gx/jwt.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A mechanism with several legs behind Negotiate. A context belongs to one connection. All calls may block.
 */
struct gx_http_negotiate {
	/** A new exchange; NULL: out of memory. */
	void *(*begin)(void *ctx);
	/**
	 * One leg: 0 done with *ret_user set, GX_E_BUSY one more leg, others: refused. *ret_out, empty or not, goes to the
	 * client in each case; it and the user are in @p a.
	 */
	int (*step)(void *exchange, struct gx_bin in, struct gx_arena *a, struct gx_bin *ret_out, const char **ret_user);
	void (*end)(void *exchange);
	void *ctx;
	bool by_connection; /**< who has passed is known for the rest of the connection (NTLM) */
};

struct gx_http_auth_opts {
	size_t size;
	const struct gx_log *log;
	const struct gx_clock *clock;  /**< NULL: system */
	const char *realm;             /**< NULL takes "gromox" */
	bool basic;                    /**< http_auth_basic */
	/**
	 * Looks at name and password (@p password NULL: at the name alone, which another scheme has proven). 0 with the
	 * user's name in @p a, GX_E_NOTFOUND unknown, GX_E_INVAL wrong password, GX_E_STATE not permitted; others: not possible now.
	 */
	int (*check)(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx);
	void *check_ctx;
	uint32_t cache_seconds;        /**< http_basic_auth_cred_caching, 0: a password is checked each time */
	uint32_t cache_max;            /**< entries, 0 takes 10000 */
	struct gx_authlimit *limit;    /**< user_filter, may be NULL */
	struct gx_jwt *jwt;            /**< NULL: no Bearer */
	const struct gx_http_negotiate *negotiate; /**< http_auth_spnego, NULL: no Negotiate */
	/**
	 * Requests come from a front that has checked who asks and says so (httprelay.h): it is believed at a Unix socket when it runs as root, as
	 * this user or as one of @p front_uids (borrowed). Nobody else is let in, and nothing of the above counts; @p check may be NULL.
	 */
	bool fronts_only;
	const uint32_t *front_uids;
	size_t front_count;
};
#define GX_HTTP_AUTH_OPTS_INIT {.size = sizeof(struct gx_http_auth_opts)}
GX_API int gx_http_auth_new(const struct gx_http_auth_opts *o, struct gx_http_auth **ret_auth) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_http_auth_free(struct gx_http_auth *auth);
/** Forgets the passwords that were found right (SIGHUP). */
GX_API void gx_http_auth_forget(struct gx_http_auth *auth);

struct gx_http_helper;
/**
 * A mechanism behind Negotiate that is a program of the system, spoken to as Squid speaks to its helpers. @p program: with its arguments,
 * separated by blanks. It is started when somebody logs in. GX_E_INVAL: no program, or more than 32 words.
 */
GX_API int gx_http_helper_new(const char *program, const struct gx_log *log, struct gx_http_helper **ret_h) GX_MUST_CHECK;
/** After the server; ends its processes. Accepts NULL. */
GX_API void gx_http_helper_free(struct gx_http_helper *h);
/** For gx_http_auth_opts; borrowed. */
GX_API const struct gx_http_negotiate *gx_http_helper_ops(const struct gx_http_helper *h);

/** A check over the directory: @p ctx is this. */
struct gx_http_dircheck {
	struct gx_dir *dir;
	uint32_t need_privileges;
};
GX_API int gx_http_check_directory(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
