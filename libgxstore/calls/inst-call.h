/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CALLS_INST_CALL_H
#define GX_CALLS_INST_CALL_H
/* Instances as objects of clients. */
#include <gx/instance.h>
#include "libgxstore/calls/call-int.h"

struct gx_callinst {
	struct gx_inst *i;
	uint32_t cpid;    /* of 8-bit text that goes in and out */
	char *user;       /* who acts, NULL the owner */
};

static inline struct gx_callinst *gx_callinst__of(const struct gx_callobj *o)
{
	return o->p;
}

/* Takes over @i, also when it fails. */
gx_ec gx_callinst__add(struct gx_call_ctx *c, struct gx_inst *i, uint32_t cpid, const char *user, uint32_t *ret_id);
/* The instance is the caller's and a transaction of its user is open, until done. */
gx_ec gx_callinst__take(struct gx_call_ctx *c, uint32_t id, int mode, struct gx_callobj **ret_o);
gx_ec gx_callinst__done(struct gx_call_ctx *c, struct gx_callobj *o, gx_ec ec);
/* Two of them; both may be the same. The transaction is that of the first one's user. */
gx_ec gx_callinst__take2(struct gx_call_ctx *c, uint32_t id1, uint32_t id2, int mode, struct gx_callobj **ret_o1, struct gx_callobj **ret_o2);
gx_ec gx_callinst__done2(struct gx_call_ctx *c, struct gx_callobj *o1, struct gx_callobj *o2, gx_ec ec);

/* In the form of the wire. */
gx_ec gx_call__problems(struct gx_call_ctx *c, const struct gx_problems *p, const struct gx_x_problem **ret_v, uint32_t *ret_n);

#endif
