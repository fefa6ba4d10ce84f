/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetReadFlags, [MS-OXCMSG] 2.2.3.10 and 3.2.5.10: some messages of a folder, or all, also of a search folder. */
#include <config.h>
#include <gx/folder.h>
#include <gx/search.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PORTION = 256, READ_FLAGS = 0x7f };

struct marking {
	struct gx_ems_job job;
	uint64_t fid;
	uint8_t flags;
	bool all;
	uint32_t end, after;         /* UIDs: from where it is not meant, and the last one that was marked */
	uint64_t *mids;              /* of the request, or of a portion */
	size_t n, at;
};

static gx_ec mark(struct gx_rop_call *c, struct gx_txn *t, struct marking *x, uint64_t mid, struct gx_ems_owing *due)
{
	bool shown;
	gx_ec ec = gx_search_shows(t, x->fid, mid, &shown);
	if (!gx_ec_failed(ec) && !shown)
		ec = GX_EC(ecNotFound);
	if (!gx_ec_failed(ec))
		ec = gx_ems__set_read(c, t, mid, x->flags, due, NULL);
	if (gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied)) {
		x->job.partial = true;
		ec = EMS_OK;
	}
	return ec;
}

/* The next ones of @x->mids. */
static gx_ec next(struct gx_txn *t, struct marking *x, const uint64_t **ret_mids, size_t *ret_n)
{
	gx_ec ec = EMS_OK;
	*ret_n = x->n - x->at < PORTION ? x->n - x->at : PORTION;
	*ret_mids = x->mids + x->at;
	if (x->all)
		ec = gx_folder_next_messages(t, x->fid, false, x->end, &x->after, PORTION, x->mids, ret_n);
	else
		x->at += *ret_n;
	x->job.completed += (uint32_t)*ret_n;
	x->job.done = x->all ? *ret_n < PORTION : x->at == x->n;
	return ec;
}

static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct marking *x = (struct marking *)j;
	const uint64_t *mids;
	size_t n;
	struct gx_txn *t;
	struct gx_ems_owing due = {0};
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = next(t, x, &mids, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = mark(c, t, x, mids[i], &due);
	return gx_ems__end_owing(c, t, &due, ec);
}

/* A search folder has no messages of its own to go through: its rows are listed once. */
static gx_ec list_rows(struct gx_rop_call *c, struct gx_txn *t, struct marking *x, size_t n)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *v = NULL;
	o.fid = x->fid;
	gx_ec ec = gx_table_open_contents(t, &o, &tb);
	if (gx_ec_failed(ec))
		return ec;
	x->mids = gx_arena_new_array(x->job.a, uint64_t, n + 1);
	ec = x->mids == NULL ? GX_EC(ecMAPIOOM) : gx_table_query(tb, t, 0, (uint32_t)n, NULL, 0, c->a, &v, &x->n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < x->n; ++i)
		x->mids[i] = v[i].id;
	gx_table_close(tb);
	return ec;
}

static gx_ec list_all(struct gx_rop_call *c, struct marking *x)
{
	struct gx_folder_info f;
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, x->fid, c->a, &f);
	x->all = !gx_ec_failed(ec) && f.type != GX_FOLDER_SEARCH;
	if (!gx_ec_failed(ec) && !x->all)
		ec = list_rows(c, t, x, f.total);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec) || !x->all)
		return ec;
	x->end = f.uidnext;
	x->n = f.total;
	x->mids = gx_arena_new_array(x->job.a, uint64_t, PORTION);
	return x->mids == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
}

gx_ec gx_rop__set_read_flags(struct gx_rop_call *c, const struct gx_rop_set_read_flags_req *q, struct gx_rop_set_read_flags_res *r)
{
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNullObject);
	if (q->read_flags & ~READ_FLAGS)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->read_flags);
	struct marking *x = gx_ems__job_new(c, sizeof(*x));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	x->job.step = step;
	x->job.partial_at = offsetof(struct gx_rop_set_read_flags_res, partial_completion);
	x->fid = f->fid;
	x->flags = q->read_flags;
	x->n = q->message_ids_count;
	gx_ec ec = x->n == 0 ? list_all(c, x) : gx_ems__job_mids(c, &x->job, q->message_ids, q->message_ids_count, &x->mids);
	if (gx_ec_failed(ec)) {
		gx_ems__job_free(&x->job);
		return ec;
	}
	x->job.total = (uint32_t)x->n;
	return gx_ems__job_run(c, &x->job, q->want_asynchronous, r);
}
