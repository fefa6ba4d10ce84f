/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_H
#define GX_IMAP_H
/**
 * @file imap.h
 * IMAP4rev1 [RFC 3501] as an engine. Thread class: confined.
 */
#include <gx/authlimit.h>
#include <gx/directory.h>
#include <gx/engine.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Shared by all connections; borrowed while any lives. */
struct gx_imap_server {
	size_t size;
	const char *hostname;            /**< host_id */
	struct gx_dir *dir;
	struct gx_store_pool *pool;
	bool offer_starttls, require_tls;
	bool enable_id;                  /**< enable_rfc2971_commands */
	bool rfc9051;
	int cmd_debug;
	uint32_t conn_timeout_ms, autologout_ms;
	uint32_t max_auth_tries;         /**< imap_auth_times */
	uint64_t max_literal;            /**< APPEND, 0 takes 64 MiB */
	struct gx_authlimit *authlimit;  /**< asked before each login, or NULL */
};
#define GX_IMAP_SERVER_INIT {.size = sizeof(struct gx_imap_server)}
GX_API void gx_imap_factory(struct gx_engine_factory *ret_f, const struct gx_imap_server *srv);

#ifdef __cplusplus
}
#endif
#endif
