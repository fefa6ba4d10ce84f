/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CALLS_RULES_RUN_H
#define GX_CALLS_RULES_RUN_H
#include <gx/rules.h>
#include "libgxstore/calls/call-int.h"
/*
 * Runs a folder's rules on a message in it, in the open write transaction. What concerns this store alone is
 * done: move, copy, delete, mark as read, tag. Replies, forwards, bounces and deferred actions are not for
 * the store to do; the host's on_action gets them after the commit, or they are logged. On return *io_fid and *io_mid say where the message is, 0 when it is gone.
 */
gx_ec gx_rules__run(struct gx_call_ctx *c, uint64_t *io_fid, uint64_t *io_mid);
#endif
