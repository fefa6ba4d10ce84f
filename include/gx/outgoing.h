/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OUTGOING_H
#define GX_OUTGOING_H
/**
 * @file outgoing.h
 * Mail that users send: to mailboxes of ours by the journal, to all others by a mail transfer agent. Thread class: locked.
 */
#include <gx/delivery.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_outgoing;
struct gx_outgoing_opts {
	size_t size;
	const struct gx_log *log;
	struct gx_dir *dir;              /**< borrowed, as is all that follows but the texts */
	const char *url;                 /**< outgoing_smtp_url: sendmail://localhost, smtp[s]://[USER[:PASSWORD]@]HOST[:PORT]; NULL or "": nothing leaves */
	const char *host;                /**< our name, for EHLO */
	const char *delimiter;           /**< lda_recipient_delimiter */
	const char *sendmail;            /**< the program; NULL takes /usr/sbin/sendmail */
	uint32_t timeout_ms;             /**< how long an answer may take, 0 takes 60 s */
	bool starttls;                   /**< outgoing_smtp_starttls: smtp:// goes on encrypted, or not at all */
	const char *ca_file;             /**< outgoing_smtp_ca_file: PEM, authorities of the agent; NULL or "": those of the system */
	const char *password_file;       /**< outgoing_smtp_password_file: its first line is the password, or USER:PASSWORD; NULL or "": none */
};
#define GX_OUTGOING_OPTS_INIT {.size = sizeof(struct gx_outgoing_opts)}
/**
 * GX_E_INVAL for a URL of another form, and for a password that would go to another host in the clear; GX_E_IO for a file that
 * cannot be read. @p ret_why: in @p a, may be NULL.
 */
GX_API int gx_outgoing_new(const struct gx_outgoing_opts *o, struct gx_outgoing **ret_o, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
GX_API void gx_outgoing_free(struct gx_outgoing *o);
/**
 * Hands a mail over for its recipients; waits. With a journal (else NULL) recipients of ours go there, under the envelope's id, so
 * that they get it once whatever happens; those of others to the agent. One that is refused is no reason for the others to go without.
 * @param ret_fates for each recipient what became of it; NULL: not asked. 0: all have it, safely; else the error of the first that
 * has not: GX_E_NOTFOUND, GX_E_INVAL for good, others for now.
 */
GX_API int gx_outgoing_send(struct gx_outgoing *o, struct gx_journal *journal, const struct gx_envelope *env, struct gx_bin data,
	struct gx_fate *ret_fates) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
