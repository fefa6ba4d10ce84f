/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NET_ECHO_H
#define GX_NET_ECHO_H
/*
 * A protocol for tests of the network layer. Lines in, lines out: "work", "again N" (worker turns),
 * "big N" (bytes in slices, from the worker), "wait" (woken by another thread), "deadline MS",
 * "patient" (stays after a deadline), "peer", "starttls", "quit"; everything else comes back as it is.
 */
#include <gx/engine.h>

extern const struct gx_engine_ops echo_ops;
void *echo_new(struct gx_io *io, void *ctx);
/* Engines that exist. */
int echo_living(void);
#endif
