/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"

struct tree {
	uint64_t *v; /* parents before children */
	size_t n, cap;
};

static int add(struct gx_arena *a, struct tree *k, uint64_t fid)
{
	k->v = gx_arena_grow(a, k->v, &k->cap, k->n + 1, sizeof(*k->v));
	if (k->v == NULL)
		return GX_E_NOMEM;
	k->v[k->n++] = fid;
	return 0;
}

/* The folder and those below it whose flags under @mask are @flags. */
static int collect(struct gx_txn *t, uint64_t fid, uint32_t mask, uint32_t flags, struct tree *k)
{
	int err = add(t->a, k, fid);
	for (size_t i = 0; err == 0 && i < k->n; i++) {
		GX_STMT(st, t->q, "SELECT fid FROM folders WHERE parent=?1 AND flags&?2=?3");
		gx_sql__bind_int(st, 1, (int64_t)k->v[i]);
		gx_sql__bind_int(st, 2, mask);
		gx_sql__bind_int(st, 3, flags);
		int r = 0;
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = add(t->a, k, gx_sql__u64(st, 0));
		err = err != 0 ? err : r;
	}
	return err;
}

static int drop_rows(struct gx_txn *t, uint64_t fid)
{
	struct gx_fstate *f;
	int err = gx_msg__empty_folder(t, fid);
	if (err == 0)
		err = gx_perm__drop(t, fid);
	if (err == 0)
		err = gx_rules__drop(t, fid);
	if (err == 0)
		err = gx_tables__drop_states(t, fid);
	if (err == 0)
		err = gx_changelog__drop(t, fid);
	if (err == 0)
		err = gx_txn__spend_id(t, fid);
	if (err == 0)
		err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	gx_fstate__drop(t, f);
	GX_STMT(st, t->q, "DELETE FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

static int hide(struct gx_txn *t, uint64_t fid, bool top)
{
	GX_STMT(st, t->q, "UPDATE folders SET flags=flags|?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, top ? GX_FF_DELETED : GX_FF_DELETED | GX_FF_BELOW);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_folder__touch(t, fid);
}

static int remove_one(struct gx_txn *t, uint64_t fid, uint64_t parent, bool hard, bool top)
{
	int err = gx_owed__folder_going(t, fid);
	if (err == 0)
		err = gx_search__folder_gone(t, fid, hard);
	if (err == 0)
		err = gx_receive__drop(t, fid);
	if (err == 0)
		err = hard ? drop_rows(t, fid) : hide(t, fid, top);
	if (err == 0)
		err = gx_txn__vop(t, fid, GX_VOP_DROP, NULL);
	struct gx_event ev = {.type = GX_EV_FOLDER_DELETED, .fid = fid, .parent = parent, .cn = t->store_state->modseq};
	return err != 0 ? err : gx_txn__event(t, &ev);
}

static int parent_of(struct gx_txn *t, uint64_t fid, uint64_t *ret_parent)
{
	struct gx_folder_row row = {0};
	int err = gx_folder__row(t, fid, &row);
	*ret_parent = row.parent;
	return err == GX_E_NOTFOUND && row.fid == fid ? 0 : err; /* deleted softly before */
}

static gx_ec check_delete(struct gx_txn *t, uint64_t fid, bool hard)
{
	struct gx_folder_row row = {0};
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (gx_folder__builtin(t->s, fid))
		return gx_txn__fail(t, ecAccessDenied, "built-in folders cannot be deleted");
	ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (gx_ec_is(ec, ecNotFound) && hard && row.fid == fid) /* what was deleted softly can go for good */
		return gx_txn__all_rights(t) ? GX_OK_EC : GX_EC(ecAccessDenied);
	return ec;
}

gx_ec gx_folder_delete(struct gx_txn *t, uint64_t fid, bool hard)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_delete(t, fid, hard);
	struct tree k = {0};
	hard = hard || t->s->o.folders_go;
	gx_ec ec = check_delete(t, fid, hard);
	if (gx_ec_failed(ec))
		return ec;
	int err = collect(t, fid, hard ? 0 : GX_FF_DELETED, 0, &k); /* what was hidden before stays as it is */
	gx_txn__new_cn(t);
	for (size_t i = k.n; err == 0 && i-- > 0;) { /* children first */
		uint64_t parent = 0;
		err = parent_of(t, k.v[i], &parent);
		if (err == 0)
			err = remove_one(t, k.v[i], parent, hard, i == 0);
	}
	return gx_txn__ec(t, err);
}

/* ---- In portions ---- */

/* Those that were deleted softly, too: they would go with the folder. */
static int thin_out(struct gx_txn *t, uint64_t fid, size_t *io_left)
{
	struct gx_fstate *f;
	int r = 1, err = gx_fstate__get(t, fid, &f);
	while (err == 0 && *io_left > 0 && r > 0) {
		struct gx_msg_row row;
		uint64_t mid = 0;
		{
			GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 LIMIT 1");
			gx_sql__bind_int(st, 1, (int64_t)fid);
			r = gx_sql__step(st);
			mid = r > 0 ? gx_sql__u64(st, 0) : 0;
		}
		err = r < 0 ? r : r > 0 ? gx_msg__row(t, mid, &row) : 0;
		if (err == 0 && r > 0)
			err = gx_msg__remove(t, f, &row);
		*io_left -= err == 0 && r > 0;
	}
	return err;
}

gx_ec gx_folder_delete_some(struct gx_txn *t, uint64_t fid, size_t limit, bool *ret_more)
{
	struct tree k = {0};
	size_t left = limit;
	gx_ec ec = gx_far(t) != NULL ? GX_OK_EC : check_delete(t, fid, true);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_far(t) != NULL ? 0 : collect(t, fid, 0, 0, &k);
	for (size_t i = k.n; err == 0 && left > 0 && i-- > 0;)
		err = thin_out(t, k.v[i], &left);
	*ret_more = k.n > 0 && left == 0;
	return err != 0 || *ret_more ? gx_txn__ec(t, err) : gx_folder_delete(t, fid, true);
}

/* ---- And back ---- */

static int show(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row row = {0};
	int err = gx_folder__row(t, fid, &row);
	if (err != 0 && row.fid != fid)
		return err;
	GX_STMT(st, t->q, "UPDATE folders SET flags=flags&~9 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	err = gx_sql__run(st);
	if (err == 0)
		err = gx_folder__touch(t, fid);
	if (err == 0)
		err = gx_txn__vop(t, fid, GX_VOP_DROP, NULL);
	struct gx_event ev = {.type = GX_EV_FOLDER_CREATED, .fid = fid, .parent = row.parent, .cn = t->store_state->modseq};
	return err != 0 ? err : gx_txn__event(t, &ev);
}

/* The folder and those below that went with it. */
static int show_tree(struct gx_txn *t, uint64_t fid)
{
	struct tree k = {0};
	int err = collect(t, fid, GX_FF_BELOW, GX_FF_BELOW, &k);
	for (size_t i = 0; err == 0 && i < k.n; i++)
		err = show(t, k.v[i]);
	return err != 0 ? err : gx_search__moved(t, k.v, k.n);
}

gx_ec gx_folder_undelete(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row row = {0}, parent;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_folder__row(t, fid, &row);
	if (err == 0)
		return GX_OK_EC;
	if (err != GX_E_NOTFOUND || row.fid != fid || (row.flags & GX_FF_BELOW))
		return err != GX_E_NOTFOUND ? gx_txn__ec(t, err) : gx_txn__fail(t, ecNotFound, "folder %llx is not what was deleted",
			(unsigned long long)fid);
	ec = gx_folder__need(t, row.parent, GX_RIGHT_CREATE_SUB, &parent);
	if (!gx_ec_failed(ec))
		ec = gx_folder__check_free(t, &row);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, show_tree(t, fid));
}
