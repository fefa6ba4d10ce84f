/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/folder/folder-int.h"
#include "libgxstore/search/search-int.h"

static int add(struct gx_txn *t, struct gx_ftree *k, uint64_t fid, uint64_t parent, size_t up)
{
	k->v = gx_arena_grow(t->a, k->v, &k->cap, k->n + 1, sizeof(*k->v));
	if (k->v == NULL)
		return GX_E_NOMEM;
	k->v[k->n++] = (struct gx_ftree_node){.fid = fid, .parent = parent, .up = up};
	return 0;
}

int gx_ftree__collect(struct gx_txn *t, uint64_t fid, uint64_t parent, uint32_t mask, uint32_t flags, struct gx_ftree *k)
{
	int err = add(t, k, fid, parent, 0);
	for (size_t i = 0; err == 0 && i < k->n; i++) {
		GX_STMT(st, t->q, "SELECT fid FROM folders WHERE parent=?1 AND flags&?2=?3");
		gx_sql__bind_int(st, 1, (int64_t)k->v[i].fid);
		gx_sql__bind_int(st, 2, mask);
		gx_sql__bind_int(st, 3, flags);
		int r = 0;
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = add(t, k, gx_sql__u64(st, 0), k->v[i].fid, i);
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
	bool later = false;
	int err = gx_search__folder_hidden(t, fid, &later);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "UPDATE folders SET flags=flags|?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, GX_FF_DELETED | (top ? 0 : GX_FF_BELOW) | (later ? GX_FF_FOUND : 0));
	err = gx_sql__run(st);
	return err != 0 ? err : gx_folder__touch(t, fid);
}

static int drop(struct gx_txn *t, uint64_t fid)
{
	int err = gx_search__folder_gone(t, fid);
	return err != 0 ? err : drop_rows(t, fid);
}

int gx_folder__remove(struct gx_txn *t, const struct gx_ftree_node *x, bool hard, bool top)
{
	int err = gx_owed__folder_going(t, x->fid, NULL);
	if (err == 0)
		err = gx_receive__drop(t, x->fid);
	if (err == 0)
		err = hard ? drop(t, x->fid) : hide(t, x->fid, top);
	if (err == 0)
		err = gx_txn__vop(t, x->fid, GX_VOP_DROP, NULL);
	struct gx_event ev = {.type = GX_EV_FOLDER_DELETED, .fid = x->fid, .parent = x->parent, .cn = t->store_state->modseq};
	return err != 0 ? err : gx_txn__event(t, &ev);
}

/* ---- And back ---- */

static int show(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row row = {0};
	int err = gx_folder__row(t, fid, &row);
	if (err != 0 && row.fid != fid)
		return err;
	GX_STMT(st, t->q, "UPDATE folders SET flags=flags&~25 WHERE fid=?1");
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
	struct gx_ftree k = {0};
	int err = gx_ftree__collect(t, fid, 0, GX_FF_BELOW, GX_FF_BELOW, &k);
	uint64_t *back = gx_arena_new_array(t->a, uint64_t, k.n);
	err = err == 0 && back == NULL ? GX_E_NOMEM : err;
	for (size_t i = 0; err == 0 && i < k.n; i++) {
		back[i] = k.v[i].fid;
		err = show(t, back[i]);
	}
	return err != 0 ? err : gx_search__moved(t, back, k.n);
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
