/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAILCONV_H
#define GX_MAILCONV_H
/**
 * @file mailconv.h
 * Internet message to message object and back, as [MS-OXCMAIL] says. Pure functions; the
 * caller's arena keeps the result. Thread class: confined.
 */
#include <gx/log.h>
#include <gx/mime.h>
#include <gx/msgobj.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the converter may ask of its surroundings. */
struct gx_mailconv_env {
	const struct gx_clock *clock;
	/** Is this SMTP address a local user? Fills display name and X.500 DN (borrowed until return of the converter) or leaves NULL. May be NULL. */
	void (*resolve)(const char *smtp, const char **ret_name, const char **ret_dn, void *ctx);
	void *ctx;
	uint32_t default_cp; /**< for 8-bit text without a charset; 0: guess */
};

/**
 * @param data the message, @param root its parsed structure (gx_mime_parse of the same bytes).
 * Bodies, headers and attachment data are given as slices of @p data where they can be derived
 * from it exactly, else as values.
 */
GX_API int gx_mail_to_msg(struct gx_arena *a, const struct gx_mailconv_env *env, const void *data, size_t len,
	const struct gx_mime_part *root, struct gx_msgobj **ret_msg) GX_MUST_CHECK;

/** Flags of gx_msg_to_mail(). */
enum {
	GX_MAIL_KEEP_BCC = 1,  /**< write a Bcc field (drafts, sent items) */
};
/**
 * Writes an internet message. Slices of @p m refer to @p original (may be empty when there are none).
 * Deterministic: the same message object gives the same bytes.
 */
GX_API int gx_msg_to_mail(const struct gx_mailconv_env *env, const struct gx_msgobj *m, struct gx_bin original,
	unsigned flags, struct gx_push *out) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
