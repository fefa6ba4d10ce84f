/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/calls/inst-call.h"

static void release(void *p)
{
	struct gx_callinst *ci = p;
	gx_inst_free(ci->i);
	free(ci->user);
	free(ci);
}

gx_ec gx_callinst__add(struct gx_call_ctx *c, struct gx_inst *i, uint32_t cpid, const char *user, uint32_t *ret_id)
{
	struct gx_callinst *ci = calloc(1, sizeof(*ci));
	if (ci == NULL || (user != NULL && (ci->user = strdup(user)) == NULL)) {
		free(ci);
		gx_inst_free(i);
		return gx_call__err(c, GX_E_NOMEM);
	}
	ci->i = i;
	ci->cpid = cpid;
	return gx_callobj__add(c, GX_OBJ_INSTANCE, ci, release, ret_id);
}

gx_ec gx_callinst__take(struct gx_call_ctx *c, uint32_t id, int mode, struct gx_callobj **ret_o)
{
	gx_ec ec = gx_callobj__take(c, GX_OBJ_INSTANCE, id, ret_o);
	return gx_ec_failed(ec) ? ec : gx_call__begin(c, mode, gx_callinst__of(*ret_o)->user);
}

gx_ec gx_callinst__done(struct gx_call_ctx *c, struct gx_callobj *o, gx_ec ec)
{
	ec = gx_call__end(c, ec, GX_SYNC_LATER);
	if (o != NULL)
		gx_callobj__give(o);
	return ec;
}

/* In the order of their numbers, so that two calls never wait for each other. */
gx_ec gx_callinst__take2(struct gx_call_ctx *c, uint32_t id1, uint32_t id2, int mode, struct gx_callobj **ret_o1, struct gx_callobj **ret_o2)
{
	struct gx_callobj **low = id1 <= id2 ? ret_o1 : ret_o2, **high = id1 <= id2 ? ret_o2 : ret_o1;
	gx_ec ec = gx_callobj__take(c, GX_OBJ_INSTANCE, id1 <= id2 ? id1 : id2, low);
	if (!gx_ec_failed(ec) && id1 == id2)
		*high = *low;
	else if (!gx_ec_failed(ec))
		ec = gx_callobj__take(c, GX_OBJ_INSTANCE, id1 <= id2 ? id2 : id1, high);
	return gx_ec_failed(ec) ? ec : gx_call__begin(c, mode, gx_callinst__of(*ret_o1)->user);
}

gx_ec gx_callinst__done2(struct gx_call_ctx *c, struct gx_callobj *o1, struct gx_callobj *o2, gx_ec ec)
{
	ec = gx_call__end(c, ec, GX_SYNC_LATER);
	if (o1 != NULL)
		gx_callobj__give(o1);
	if (o2 != NULL && o2 != o1)
		gx_callobj__give(o2);
	return ec;
}

gx_ec gx_call__problems(struct gx_call_ctx *c, const struct gx_problems *p, const struct gx_x_problem **ret_v, uint32_t *ret_n)
{
	struct gx_x_problem *v = gx_arena_new_array(c->a, struct gx_x_problem, p->count);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < p->count; ++i)
		v[i] = (struct gx_x_problem){p->v[i].index, p->v[i].tag, p->v[i].err};
	*ret_v = v;
	*ret_n = (uint32_t)p->count;
	return GX_OK_EC;
}
