/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_CARRY_H
#define GX_EMSMDB_CARRY_H
/*
 * Messages and folders from one store into another. Each message is a transaction of its own; what is moved goes from its
 * store when the other one has it safely, so that a crash may leave it in both, never in none; what was changed meanwhile stays, too.
 */
#include <gx/folder.h>
#include "libgxproto/emsmdb/kinds.h"

struct gx_ems_carry {
	struct gx_rop_call *c;
	struct gx_ems_logon *from, *to;
	bool move;
	bool partial;                /* something was left where it was */
};
gx_ec gx_ems__carry_messages(struct gx_ems_carry *x, uint64_t src, const uint64_t *mids, size_t n, uint64_t dst);
/* A folder that looks like that one below @parent, without what is in it. @name NULL keeps the name. */
gx_ec gx_ems__carry_folder(struct gx_ems_carry *x, uint64_t fid, uint64_t parent, const char *name, uint64_t *ret_fid);

#endif
