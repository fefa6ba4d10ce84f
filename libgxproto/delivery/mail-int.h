/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAIL_INT_H
#define GX_MAIL_INT_H
#include <gx/mime.h>

/** What IMAP shows of a message, made once so that no FETCH has to parse. */
int gx_mail__structures(struct gx_arena *a, const struct gx_mime_part *root, struct gx_bin *ret_env, struct gx_bin *ret_body) GX_MUST_CHECK;

#endif
