/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/store-int.h"

/* Copies of folders. What the actor may not read, or may not put there, is left out and said to be. */

#define BATCH 1024U
#define DEPTH_MAX 256U
#define ALL (GX_CONTENT_NORMAL | GX_CONTENT_FAI | GX_CONTENT_FOLDERS)

struct tree {
	struct gx_txn *t;
	bool partial;
};

/* The messages of one kind with UIDs in (*io_after, end). */
static int next_batch(struct gx_txn *t, uint64_t fid, bool fai, uint64_t end, size_t max, uint64_t *io_after, uint64_t *ret_mids,
	size_t *ret_n)
{
	size_t n = 0;
	int r;
	GX_STMT(normal, t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 AND uid<?3 AND NOT flags&256 ORDER BY uid LIMIT ?4");
	GX_STMT(assoc, t->q, "SELECT mid,uid FROM msg WHERE fid=?1 AND uid>?2 AND uid<?3 AND flags&256 ORDER BY uid LIMIT ?4");
	struct gx_stmt *st = fai ? assoc : normal;
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)*io_after);
	gx_sql__bind_int(st, 3, (int64_t)end);
	gx_sql__bind_int(st, 4, (int64_t)max);
	while ((r = gx_sql__step(st)) > 0) {
		ret_mids[n++] = gx_sql__u64(st, 0);
		*io_after = gx_sql__u64(st, 1);
	}
	*ret_n = n;
	return r;
}

gx_ec gx_folder_next_messages(struct gx_txn *t, uint64_t fid, bool associated, uint32_t end, uint32_t *io_after, size_t max,
	uint64_t *ret_mids, size_t *ret_n)
{
	struct gx_folder_row row;
	uint64_t after = *io_after;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, next_batch(t, fid, associated, end, max, &after, ret_mids, ret_n));
	if (!gx_ec_failed(ec))
		*io_after = (uint32_t)after;
	return ec;
}

/* Copies made meanwhile have higher UIDs: copying a folder into itself ends at the last one that was there. */
static gx_ec copy_messages(struct tree *x, uint64_t src, uint64_t dst, bool fai)
{
	uint64_t mids[BATCH], after = 0;
	struct gx_fstate *f;
	int err = gx_fstate__get(x->t, src, &f);
	uint64_t end = err == 0 ? f->uidnext : 0;
	for (;;) {
		size_t n = 0;
		if (err == 0)
			err = next_batch(x->t, src, fai, end, BATCH, &after, mids, &n);
		if (err != 0 || n == 0)
			return gx_txn__ec(x->t, err);
		gx_ec ec = gx_msg_copy(x->t, src, mids, n, dst, false, NULL);
		if (gx_ec_is(ec, ecAccessDenied)) {
			x->partial = true;
			return GX_OK_EC;
		}
		if (gx_ec_failed(ec))
			return ec;
	}
}

static gx_ec copy_contents(struct tree *x, uint64_t src, uint64_t dst, uint32_t what, unsigned depth);

/* The properties that make a copy look like the folder. */
static gx_ec copy_one(struct tree *x, const struct gx_folder_info *f, uint64_t parent, const char *name, uint32_t what, unsigned depth,
	uint64_t *ret_fid)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	uint64_t fid = 0;
	if (a == NULL)
		return gx_txn__ec(x->t, GX_E_NOMEM);
	int err = gx_folder__stored_props(x->t, f->fid, a, &l);
	gx_proplist_remove(&l, PidTagPredecessorChangeList);
	gx_ec ec = gx_txn__ec(x->t, err);
	if (!gx_ec_failed(ec))
		ec = gx_folder_create(x->t, parent, name, f->container_class, GX_FOLDER_GENERIC, &l, &fid);
	gx_arena_free(a);
	if (!gx_ec_failed(ec))
		ec = copy_contents(x, f->fid, fid, what, depth + 1);
	if (!gx_ec_failed(ec))
		*ret_fid = fid;
	return ec;
}

static gx_ec copy_folders(struct tree *x, uint64_t src, uint64_t dst, unsigned depth)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_folder_info *v = NULL;
	size_t n = 0;
	uint64_t fid;
	if (a == NULL)
		return gx_txn__ec(x->t, GX_E_NOMEM);
	gx_ec ec = gx_folder_list(x->t, src, false, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++) {
		if (v[i].type == GX_FOLDER_SEARCH) /* shows messages of others: it has nothing of its own to copy */
			continue;
		ec = copy_one(x, &v[i], dst, v[i].name, ALL, depth, &fid);
		if (gx_ec_is(ec, ecAccessDenied) || gx_ec_is(ec, ecDuplicateName)) {
			x->partial = true;
			ec = GX_OK_EC;
		}
	}
	gx_arena_free(a);
	return ec;
}

static gx_ec copy_contents(struct tree *x, uint64_t src, uint64_t dst, uint32_t what, unsigned depth)
{
	gx_ec ec = GX_OK_EC;
	if (depth > DEPTH_MAX)
		return gx_txn__fail(x->t, ecTooComplex, "folders are nested at most %u deep", DEPTH_MAX);
	if (what & GX_CONTENT_NORMAL)
		ec = copy_messages(x, src, dst, false);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FAI))
		ec = copy_messages(x, src, dst, true);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FOLDERS))
		ec = copy_folders(x, src, dst, depth);
	return ec;
}

static gx_ec check(struct gx_txn *t, uint64_t src, uint64_t dst, uint32_t right, bool folders)
{
	struct gx_folder_row from, to;
	bool inside = false;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, src, GX_RIGHT_READ, &from);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, dst, right, &to);
	if (!gx_ec_failed(ec) && folders)
		ec = gx_folder_is_below(t, src, dst, &inside);
	if (!gx_ec_failed(ec) && inside)
		ec = gx_txn__fail(t, ecFolderCycle, "a folder cannot be copied into itself");
	return ec;
}

gx_ec gx_folder_copy_contents(struct gx_txn *t, uint64_t src, uint64_t dst, uint32_t what, bool *ret_partial)
{
	struct tree x = {.t = t};
	gx_ec ec = check(t, src, dst, GX_RIGHT_CREATE | GX_RIGHT_CREATE_SUB, (what & GX_CONTENT_FOLDERS) != 0);
	if (!gx_ec_failed(ec))
		ec = copy_contents(&x, src, dst, what, 0);
	if (!gx_ec_failed(ec) && ret_partial != NULL)
		*ret_partial = x.partial;
	return ec;
}

gx_ec gx_folder_copy(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *name, uint64_t *ret_fid, bool *ret_partial)
{
	return gx_folder_copy_part(t, fid, new_parent, name, ALL, ret_fid, ret_partial);
}

gx_ec gx_folder_copy_part(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *name, uint32_t what, uint64_t *ret_fid,
	bool *ret_partial)
{
	struct tree x = {.t = t};
	struct gx_folder_info f;
	gx_ec ec = check(t, fid, new_parent, GX_RIGHT_CREATE_SUB, true);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, fid, t->a, &f);
	if (!gx_ec_failed(ec) && f.type == GX_FOLDER_SEARCH)
		ec = gx_txn__fail(t, ecNotSupported, "folder %llx is a search folder", (unsigned long long)fid);
	if (!gx_ec_failed(ec))
		ec = copy_one(&x, &f, new_parent, name == NULL ? f.name : name, what, 0, ret_fid);
	if (!gx_ec_failed(ec) && ret_partial != NULL)
		*ret_partial = x.partial;
	return ec;
}
