/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SMTP_H
#define GX_SMTP_H
/**
 * @file smtp.h
 * LMTP [RFC 2033] and SMTP [RFC 5321] reception as an engine. Thread class: confined.
 */
#include <gx/delivery.h>
#include <gx/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Shared by all connections; borrowed while any lives. */
struct gx_smtp_server {
	size_t size;
	const char *hostname;            /**< greeting */
	struct gx_dir *dir;
	struct gx_journal *journal;
	bool lmtp, smtp;                 /**< command_protocol */
	bool offer_starttls, require_tls, offer_pipelining;
	uint64_t max_message;            /**< mail_max_length */
	uint32_t max_rcpts;              /**< 0 takes 1000 */
	uint32_t timeout_ms;             /**< smtp_conn_timeout */
	const char *recipient_delimiter;
	struct gx_store_pool *pool;      /**< to refuse mail for full mailboxes at RCPT; NULL: they are not looked at */
};
#define GX_SMTP_SERVER_INIT {.size = sizeof(struct gx_smtp_server)}
/** @p ctx is the struct gx_smtp_server. */
GX_API void gx_smtp_factory(struct gx_engine_factory *ret_f, const struct gx_smtp_server *srv);

#ifdef __cplusplus
}
#endif
#endif
