/* SPDX-License-Identifier: Apache-2.0 */
/* RopDeleteFolder, [MS-OXCFOLD] 2.2.1.3 and 3.2.5.3 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { DEL_MESSAGES = 0x01, DEL_FOLDERS = 0x04, DELETE_HARD_DELETE = 0x10 };
enum { PORTION = 1024 };

/* The client cannot ask how far it is ([MS-OXCFOLD] 3.1.5.2 does not name this operation); others write in between all the same. */
struct deleting {
	struct gx_ems_job job;
	uint64_t parent, fid;
	uint8_t flags;
	bool begun, hidden;
};

/* What the flags do not allow to go with the folder keeps it. */
static gx_ec check(struct gx_rop_call *c, struct gx_txn *t, struct deleting *x, bool *ret_stays)
{
	struct gx_folder_info f;
	gx_ec ec = gx_folder_get(t, x->fid, c->a, &f);
	if (!gx_ec_failed(ec) && f.parent != x->parent) {
		x->job.partial = true;
		ec = GX_EC(ecNotFound);
	}
	if (gx_ec_failed(ec))
		return ec;
	*ret_stays = (!(x->flags & DEL_MESSAGES) && f.total + f.fai != 0) || (!(x->flags & DEL_FOLDERS) && f.subfolders != 0);
	return ec;
}

static gx_ec portion(struct gx_rop_call *c, struct gx_txn *t, struct deleting *x)
{
	bool stays = false, more = false;
	gx_ec ec = check(c, t, x, &stays);
	x->job.partial = x->job.partial || stays;
	if (!gx_ec_failed(ec) && !stays)
		ec = gx_folder_delete_some(t, x->fid, (x->flags & DELETE_HARD_DELETE) || gx_rop__folders_go(c, t), PORTION, &x->job.partial, &more);
	x->hidden = !more;
	x->job.done = stays || (x->hidden && (x->flags & DELETE_HARD_DELETE));
	return ec;
}

static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct deleting *x = (struct deleting *)j;
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	struct gx_txn *t;
	if (x->hidden)
		return gx_ems__leave_searches(c, j);
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__watch_unread(c, t, &due, &unread);
	ec = gx_ems__end_owing(c, t, &due, portion(c, t, x));
	if (x->begun && gx_ec_is(ec, ecNotFound)) { /* somebody else was faster, or took it away: what can go has gone */
		x->hidden = true;
		ec = EMS_OK;
	}
	x->begun = true;
	return ec;
}

gx_ec gx_rop__delete_folder(struct gx_rop_call *c, const struct gx_rop_delete_folder_req *q, struct gx_rop_delete_folder_res *r)
{
	uint64_t fid;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if (q->delete_folder_flags & ~(DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE))
		return GX_EC(ecInvalidParam);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (gx_ec_failed(ec))
		return ec;
	struct deleting *x = gx_ems__job_new(c, sizeof(*x));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	x->job.step = step;
	x->job.partial_at = offsetof(struct gx_rop_delete_folder_res, partial_completion);
	x->parent = f->fid;
	x->fid = fid;
	x->flags = q->delete_folder_flags;
	return gx_ems__job_run(c, &x->job, false, r);
}
