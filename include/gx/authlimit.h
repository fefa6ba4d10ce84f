/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_AUTHLIMIT_H
#define GX_AUTHLIMIT_H
/**
 * @file authlimit.h
 * Patience with logins: a user is refused for a while after too many failures from a host, and
 * may be held to a rate. Tables are bounded; the oldest entries make room. Thread class: locked.
 */
#include <gx/log.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_authlimit;
struct gx_authlimit_opts {
	size_t size;
	const struct gx_clock *clock; /**< NULL: system */
	uint32_t max_bans;            /**< userfilter_maxbans, 0: no bans */
	uint32_t ban_after;           /**< imap_auth_times, 0 takes 10 */
	uint32_t ban_seconds;         /**< block_interval_auths, 0 takes 60 */
	uint32_t max_users;           /**< userfilter_maxusers, 0: no rate limit */
	uint32_t rate_tries;          /**< userfilter_rl_maxtries, 0 takes 10 */
	uint32_t rate_seconds;        /**< userfilter_rl_window, 0 takes 60 */
	bool icase;                   /**< userfilter_icase */
};
#define GX_AUTHLIMIT_OPTS_INIT {.size = sizeof(struct gx_authlimit_opts)}
GX_API int gx_authlimit_new(const struct gx_authlimit_opts *o, struct gx_authlimit **ret_l) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_authlimit_free(struct gx_authlimit *l);

/**
 * Before a password is looked at: may this login be tried? Counts one try for the rate.
 * GX_E_BUSY when banned, GX_E_LIMIT over the rate. @p l may be NULL: no limits.
 */
GX_API int gx_authlimit_check(struct gx_authlimit *l, const char *user, const char *ip) GX_MUST_CHECK;
/** After a wrong password or unknown user. */
GX_API void gx_authlimit_failed(struct gx_authlimit *l, const char *user, const char *ip);
/** After a login that succeeded: earlier failures are forgotten. */
GX_API void gx_authlimit_succeeded(struct gx_authlimit *l, const char *user, const char *ip);

/**
 * The one line that rules of fail2ban and the like match, at level notice:
 * auth failed: service=imap rhost=[192.0.2.1] user=alice@example.com login rejected: wrong password
 * Characters that would break the line's form are replaced.
 */
GX_API void gx_log_auth_failure(const struct gx_log *log, const char *service, const char *user, const char *ip, const char *reason);

#ifdef __cplusplus
}
#endif
#endif
