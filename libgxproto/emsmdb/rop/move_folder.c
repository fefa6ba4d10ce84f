/* SPDX-License-Identifier: Apache-2.0 */
/* RopMoveFolder and RopCopyFolder, [MS-OXCFOLD] 2.2.1.7, 2.2.1.8, 3.2.5.7, 3.2.5.8. Asked to work behind the client's back they are done at once. */
#include <config.h>
#include "libgxproto/emsmdb/carry.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

struct job {
	struct gx_ems_folder *src, *dst;
	uint64_t fid;
	const char *name;            /* NULL keeps it */
	uint32_t what;
	bool move;
};

static gx_ec look(struct gx_rop_call *c, struct job *j, uint64_t id, const char *name)
{
	struct gx_txn *t;
	struct gx_folder_info f;
	j->src = gx_ems__folder(c->in);
	j->dst = gx_ems__folder(c->dst);
	j->name = *name == '\0' ? NULL : name;
	if (j->src == NULL || j->dst == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain(c, id, &j->fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, j->fid, c->a, &f);
	gx_txn_abort(t);
	if (!gx_ec_failed(ec) && f.parent != j->src->fid)
		ec = gx_rop__fail(c, ecNotFound, "the folder is in another one");
	return ec;
}

static gx_ec run(struct gx_rop_call *c, const struct job *j, bool *ret_partial)
{
	struct gx_txn *t;
	uint64_t fid;
	struct gx_ems_carry x = {c, j->src->obj.logon, j->dst->obj.logon, j->move, false};
	if (x.from->store != x.to->store) {
		gx_ec ec = gx_ems__carry_folder(&x, j->fid, j->dst->fid, j->name, j->what);
		*ret_partial = x.partial;
		return ec;
	}
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = j->move ? gx_folder_move(t, j->fid, j->dst->fid, j->name) :
		gx_folder_copy_part(t, j->fid, j->dst->fid, j->name, j->what, &fid, ret_partial);
	return gx_rop__end(c, t, ec);
}

gx_ec gx_rop__move_folder(struct gx_rop_call *c, const struct gx_rop_move_folder_req *q, struct gx_rop_move_folder_res *r)
{
	struct job j = {.move = true, .what = GX_CONTENT_NORMAL | GX_CONTENT_FAI | GX_CONTENT_FOLDERS};
	gx_ec ec = look(c, &j, q->folder_id, q->new_folder_name);
	return gx_ec_failed(ec) ? ec : run(c, &j, &r->partial_completion);
}

gx_ec gx_rop__copy_folder(struct gx_rop_call *c, const struct gx_rop_copy_folder_req *q, struct gx_rop_copy_folder_res *r)
{
	struct job j = {.what = GX_CONTENT_NORMAL | GX_CONTENT_FAI | (q->want_recursive ? GX_CONTENT_FOLDERS : 0)};
	gx_ec ec = look(c, &j, q->folder_id, q->new_folder_name);
	return gx_ec_failed(ec) ? ec : run(c, &j, &r->partial_completion);
}
