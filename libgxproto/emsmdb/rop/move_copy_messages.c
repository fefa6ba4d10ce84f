/* SPDX-License-Identifier: Apache-2.0 */
/* RopMoveCopyMessages, [MS-OXCFOLD] 2.2.1.6 and 3.2.5.6 */
#include <config.h>
#include "libgxproto/emsmdb/carry.h"
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PORTION = 256, PORTION_ACROSS = 16 };

struct moving {
	struct gx_ems_job job;
	uint64_t src, dst;
	bool move;
	uint64_t *mids;
	size_t n, at;
};

static gx_ec here(struct gx_rop_call *c, struct moving *x, size_t n)
{
	struct gx_txn *t;
	struct gx_msg_ids *made = gx_arena_new_array(c->a, struct gx_msg_ids, n);
	gx_ec ec = made == NULL ? GX_EC(ecMAPIOOM) : gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_msg_copy(t, x->src, x->mids + x->at, n, x->dst, x->move, made));
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		x->job.partial = x->job.partial || made[i].mid == 0;
	return ec;
}

static gx_ec elsewhere(struct gx_rop_call *c, struct moving *x, size_t n)
{
	struct gx_ems_carry y = {c, x->job.from, x->job.to, x->move, false};
	gx_ec ec = gx_ems__carry_messages(&y, x->src, x->mids + x->at, n, x->dst);
	x->job.partial = x->job.partial || y.partial;
	return ec;
}

/* What is refused in a later portion stays; of the first it is all that was asked for. */
static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct moving *x = (struct moving *)j;
	bool across = j->from->store != j->to->store;
	size_t most = across ? PORTION_ACROSS : PORTION, n = x->n - x->at < most ? x->n - x->at : most;
	gx_ec ec = n == 0 ? EMS_OK : across ? elsewhere(c, x, n) : here(c, x, n);
	if (x->at > 0 && gx_ec_is(ec, ecAccessDenied)) {
		j->partial = true;
		ec = EMS_OK;
	}
	x->at += n;
	j->completed = (uint32_t)x->at;
	j->done = x->at == x->n;
	return ec;
}

gx_ec gx_rop__move_copy_messages(struct gx_rop_call *c, const struct gx_rop_move_copy_messages_req *q, struct gx_rop_move_copy_messages_res *r)
{
	struct gx_ems_folder *src = gx_ems__folder(c->in), *dst = gx_ems__folder(c->dst);
	if (src == NULL || dst == NULL)
		return GX_EC(ecNotSupported);
	struct moving *x = gx_ems__job_new(c, sizeof(*x));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	x->job.step = step;
	x->job.partial_at = offsetof(struct gx_rop_move_copy_messages_res, partial_completion);
	x->job.to = dst->obj.logon;
	x->src = src->fid;
	x->dst = dst->fid;
	x->move = !q->want_copy;
	x->n = q->message_ids_count;
	gx_ec ec = gx_ems__job_mids(c, &x->job, q->message_ids, q->message_ids_count, &x->mids);
	if (gx_ec_failed(ec)) {
		gx_ems__job_free(&x->job);
		return ec;
	}
	return gx_ems__job_run(c, &x->job, q->want_asynchronous, r);
}
