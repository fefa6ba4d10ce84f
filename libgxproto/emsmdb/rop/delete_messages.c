/* SPDX-License-Identifier: Apache-2.0 */
/* RopDeleteMessages and RopHardDeleteMessages, [MS-OXCFOLD] 2.2.1.11 and 2.2.1.12 */
#include <config.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PORTION = 256 };

struct deleting {
	struct gx_ems_job job;
	uint64_t fid;
	bool tells;                  /* senders who want to know that it was not read */
	bool hard;
	uint64_t *mids;
	size_t n, at;
};

static gx_ec portion(struct gx_rop_call *c, struct deleting *x, size_t n)
{
	struct gx_txn *t;
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	const uint64_t *mids = x->mids + x->at;
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	if (x->tells)
		gx_ems__watch_unread(c, t, &due, &unread);
	return gx_ems__end_owing(c, t, &due, gx_msg_delete(t, x->fid, mids, n, x->hard));
}

/* All or nothing of a portion. */
static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct deleting *x = (struct deleting *)j;
	size_t n = x->n - x->at < PORTION ? x->n - x->at : PORTION;
	gx_ec ec = n == 0 ? EMS_OK : portion(c, x, n);
	if (x->at > 0 && gx_ec_is(ec, ecAccessDenied)) {
		j->partial = true;
		ec = EMS_OK;
	}
	x->at += n;
	j->completed = (uint32_t)x->at;
	j->done = x->at == x->n;
	return ec;
}

static gx_ec delete(struct gx_rop_call *c, const uint64_t *ids, uint32_t n, const struct deleting *like, bool async, void *response)
{
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	struct deleting *x = gx_ems__job_new(c, sizeof(*x));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	x->job.step = step;
	x->job.partial_at = like->job.partial_at;
	x->fid = f->fid;
	x->tells = like->tells;
	x->hard = like->hard;
	x->n = n;
	gx_ec ec = gx_ems__job_mids(c, &x->job, ids, n, &x->mids);
	if (gx_ec_failed(ec)) {
		gx_ems__job_free(&x->job);
		return ec;
	}
	return gx_ems__job_run(c, &x->job, async, response);
}

gx_ec gx_rop__delete_messages(struct gx_rop_call *c, const struct gx_rop_delete_messages_req *q, struct gx_rop_delete_messages_res *r)
{
	const struct deleting x = {.job.partial_at = offsetof(struct gx_rop_delete_messages_res, partial_completion), .tells = q->notify_non_read};
	return delete(c, q->message_ids, q->message_ids_count, &x, q->want_asynchronous, r);
}

gx_ec gx_rop__hard_delete_messages(struct gx_rop_call *c, const struct gx_rop_hard_delete_messages_req *q,
	struct gx_rop_hard_delete_messages_res *r)
{
	const struct deleting x = {.job.partial_at = offsetof(struct gx_rop_hard_delete_messages_res, partial_completion), .tells = q->notify_non_read,
		.hard = true};
	return delete(c, q->message_ids, q->message_ids_count, &x, q->want_asynchronous, r);
}
