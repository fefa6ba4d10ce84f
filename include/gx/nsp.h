/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NSP_H
#define GX_NSP_H
/**
 * @file nsp.h
 * The address book, [MS-OXNSPI] and [MS-OXOABK], independent of how it is asked: MAPI/HTTP and RPC hand decoded requests
 * to gx_nsp_do(). It answers from a copy of the directory that is made anew when the directory has changed.
 *
 * A user sees the domains of his organisation, or his own domain when it is of none. Minimal ids come from the numbers of the
 * directory: they stay the same over restarts, and on every server of a site. Thread class: locked.
 */
#include <gx/directory.h>
#include <gx/mapihttp.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_nsp;
struct gx_nsp_opts {
	size_t size;
	struct gx_dir *dir;            /**< borrowed, as is what follows */
	struct gx_store_pool *pool;    /**< for photos and delegates; NULL: there are none */
	const struct gx_log *log;
	const struct gx_clock *clock;  /**< NULL: system */
	const char *org_name;          /**< x500_org_name; NULL "Gromox default". Copied, as are the next two. */
	const char *host;              /**< by which clients know this server; NULL "localhost" */
	const char *template_dir;      /**< of templates made by gromox-abktconv; NULL: there are none */
	uint32_t cache_ms;             /**< cache_interval: how long a copy serves before the directory is asked for changes, 0 takes 300000 */
	uint32_t trace;                /**< nsp_trace: 1 logs each request and its answer code, 2 also how many rows were given */
};
#define GX_NSP_OPTS_INIT {.size = sizeof(struct gx_nsp_opts)}
/** GX_E_INVAL, GX_E_NOMEM. The directory is not read yet. */
GX_API int gx_nsp_new(const struct gx_nsp_opts *o, struct gx_nsp **ret_n) GX_MUST_CHECK;
/** Nobody may be using it. Accepts NULL. */
GX_API void gx_nsp_free(struct gx_nsp *n);
/** The next request reads the directory anew (SIGHUP). */
GX_API void gx_nsp_reload(struct gx_nsp *n);
/** Of this address book, in ephemeral entry ids: the same on every server with the same organisation name. */
GX_API const struct gx_guid *gx_nsp_guid(const struct gx_nsp *n);

/**
 * Does one request. @param user address of who asks: ecLoginFailure when it is none of the directory. @param type GX_MH_* of the
 * address book, @param q its request, @param ret_r its response: error_code is set, and what comes with success, in @p a. NspiResolveNames of
 * RPC is GX_MH_RESOLVE_NAMES with texts in UTF-8. @return what is in error_code: also ecErrorsReturned, which is success with a remark.
 */
GX_API gx_ec gx_nsp_do(struct gx_nsp *n, const char *user, uint32_t type, const void *q, struct gx_arena *a, void *ret_r) GX_MUST_CHECK;

/* ---- Referral, [MS-OXABREF] ---- */

/** RfrGetNewDSA: the server that has an address book for this user, by name. */
GX_API gx_ec gx_rfr_new_dsa(struct gx_nsp *n, const char *user, struct gx_arena *a, const char **ret_server) GX_MUST_CHECK;
/** RfrGetFQDNFromServerDN: what a server's DN, as profiles hold it, means. ecNotFound. */
GX_API gx_ec gx_rfr_fqdn(struct gx_nsp *n, const char *server_dn, struct gx_arena *a, const char **ret_fqdn) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
