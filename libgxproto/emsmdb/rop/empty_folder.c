/* SPDX-License-Identifier: Apache-2.0 */
/* RopEmptyFolder and RopHardDeleteMessagesAndSubfolders, [MS-OXCFOLD] 2.2.1.9 and 2.2.1.10 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PORTION = 1024 };

struct emptying {
	struct gx_ems_job job;
	uint64_t fid;
	uint32_t what;
	bool hidden;                 /* all of it is out of sight, but for searches */
};

/* Messages that would go. */
static gx_ec left(struct gx_rop_call *c, struct gx_txn *t, const struct emptying *x, uint32_t *ret_n)
{
	struct gx_folder_info f, *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_folder_get(t, x->fid, c->a, &f);
	if (!gx_ec_failed(ec) && (x->what & GX_CONTENT_HARD)) /* else they go with their folders, at once */
		ec = gx_folder_list(t, x->fid, true, c->a, &v, &n);
	*ret_n = gx_ec_failed(ec) ? 0 : (uint32_t)(f.total + (x->what & GX_CONTENT_FAI ? f.fai : 0));
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		*ret_n += (uint32_t)(v[i].total + v[i].fai);
	return ec;
}

/* The folders in it may have to go for good though the messages do not. */
static gx_ec portion(struct gx_rop_call *c, struct gx_txn *t, const struct emptying *x, bool *ret_partial, bool *ret_more)
{
	bool partial = false, more = false;
	uint32_t apart = gx_rop__folders_go(c, t) ? x->what & GX_CONTENT_FOLDERS : 0;
	gx_ec ec = gx_folder_empty(t, x->fid, x->what & ~apart, PORTION, ret_partial, ret_more);
	if (!gx_ec_failed(ec) && apart != 0)
		ec = gx_folder_empty(t, x->fid, apart | GX_CONTENT_HARD, PORTION, &partial, &more);
	*ret_partial = *ret_partial || partial;
	*ret_more = *ret_more || more;
	return ec;
}

static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct emptying *x = (struct emptying *)j;
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	struct gx_txn *t;
	bool partial = false, more = false;
	uint32_t n = 0;
	if (x->hidden)
		return gx_ems__leave_searches(c, j);
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__watch_unread(c, t, &due, &unread);
	ec = portion(c, t, x, &partial, &more);
	if (!gx_ec_failed(ec))
		ec = left(c, t, x, &n);
	ec = gx_ems__end_owing(c, t, &due, ec);
	j->completed = j->total > n ? j->total - n : 0;
	j->partial = j->partial || partial;
	x->hidden = !more;
	j->done = x->hidden && (x->what & GX_CONTENT_HARD);
	return ec;
}

static gx_ec empty(struct gx_rop_call *c, uint32_t what, bool async, size_t partial_at, void *response)
{
	struct gx_txn *t;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct emptying *x = f == NULL ? NULL : gx_ems__job_new(c, sizeof(*x));
	if (x == NULL)
		return f == NULL ? GX_EC(ecNotSupported) : GX_EC(ecMAPIOOM);
	x->job.step = step;
	x->job.partial_at = partial_at;
	x->fid = f->fid;
	x->what = what | GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS;
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, left(c, t, x, &x->job.total));
	if (gx_ec_failed(ec))
		gx_ems__job_free(&x->job);
	return gx_ec_failed(ec) ? ec : gx_ems__job_run(c, &x->job, async, response);
}

gx_ec gx_rop__empty_folder(struct gx_rop_call *c, const struct gx_rop_empty_folder_req *q, struct gx_rop_empty_folder_res *r)
{
	return empty(c, q->want_delete_associated ? GX_CONTENT_FAI : 0, q->want_asynchronous, offsetof(struct gx_rop_empty_folder_res, partial_completion), r);
}

gx_ec gx_rop__hard_delete_messages_and_subfolders(struct gx_rop_call *c, const struct gx_rop_hard_delete_messages_and_subfolders_req *q,
	struct gx_rop_hard_delete_messages_and_subfolders_res *r)
{
	return empty(c, GX_CONTENT_HARD | (q->want_delete_associated ? GX_CONTENT_FAI : 0), q->want_asynchronous,
		offsetof(struct gx_rop_hard_delete_messages_and_subfolders_res, partial_completion), r);
}
