/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_PREPWIRE_H
#define GXSTORE_PREPWIRE_H
/* A prepared message on its way to the process that owns the store: o_message of defs/storeop.def. */
#include "libgxstore/content/content-int.h"

/* In @a; large byte runs are copied. GX_E_LIMIT: too large to be sent as one. */
int gx_prep__encode(const struct gx_msg_prepared *p, struct gx_arena *a, struct gx_bin *ret_wire) GX_MUST_CHECK;
/*
 * Borrows @wire. Everything in it is looked at as if it came from a stranger: rows can be read, contents have
 * their hash, the skeleton names no others. GX_E_FORMAT.
 */
int gx_prep__decode(struct gx_bin wire, struct gx_arena *a, struct gx_msg_prepared **ret_p) GX_MUST_CHECK;

#endif
