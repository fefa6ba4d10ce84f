/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/folder/folder-int.h"

/*
 * Folders with what is in them go in portions. For good: from the innermost outward, and what is left is a smaller tree with the
 * right numbers. Softly: what senders are to be told first, then all of it is hidden at once, since the messages stay as they are.
 */

enum { BATCH = 256 };

static void take(size_t *io_left, uint64_t n)
{
	if (*io_left != SIZE_MAX)
		*io_left = n < *io_left ? *io_left - (size_t)n : 0;
}

/* ---- What may go ---- */

static gx_ec check_top(struct gx_txn *t, uint64_t fid, bool hard, uint64_t *ret_parent)
{
	struct gx_folder_row row = {0};
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (gx_folder__builtin(t->s, fid))
		return gx_txn__fail(t, ecAccessDenied, "built-in folders cannot be deleted");
	ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	*ret_parent = row.parent;
	if (gx_ec_is(ec, ecNotFound) && hard && row.fid == fid) /* what was deleted softly can go for good */
		return gx_txn__all_rights(t) ? GX_OK_EC : GX_EC(ecAccessDenied);
	return ec;
}

/* Folders below belong to whom they belong to. */
static int find_barred(struct gx_txn *t, struct gx_ftree *k, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = 1; !gx_txn__all_rights(t) && i < k->n; i++) {
		struct gx_ftree_node *x = &k->v[i];
		uint32_t rights = 0;
		int err = k->v[x->up].barred ? 0 : gx_perm__rights(t, x->fid, &rights);
		if (err != 0)
			return err;
		x->barred = x->stays = !(rights & GX_RIGHT_OWNER);
		*ret_any = *ret_any || x->barred;
	}
	for (size_t i = k->n; i-- > 1;)
		k->v[k->v[i].up].stays = k->v[k->v[i].up].stays || k->v[i].stays;
	return 0;
}

/* ---- For good ---- */

static gx_ec next_mids(struct gx_txn *t, const struct gx_ftree_node *x, size_t max, uint64_t *mids, size_t *ret_n)
{
	size_t n = 0;
	int r = 1;
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>=?2");
	gx_sql__bind_int(st, 1, (int64_t)x->fid);
	gx_sql__bind_int(st, 2, x->stays); /* else those that were deleted softly, too: they would go with the folder */
	while (n < max && n < BATCH && (r = gx_sql__step(st)) > 0)
		mids[n++] = gx_sql__u64(st, 0);
	*ret_n = n;
	return gx_txn__ec(t, r < 0 ? r : 0);
}

static int remove_for_good(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n)
{
	struct gx_fstate *f;
	struct gx_msg_row row;
	int err = gx_fstate__get(t, fid, &f);
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = gx_msg__row(t, mids[i], &row);
		if (err == 0)
			err = gx_msg__remove(t, f, &row);
	}
	return err;
}

/* Messages of a folder. */
static gx_ec thin_out(struct gx_txn *t, const struct gx_ftree_node *x, bool hard, size_t *io_left)
{
	uint64_t mids[BATCH];
	size_t n = 1;
	gx_ec ec = GX_OK_EC;
	while (!gx_ec_failed(ec) && n > 0 && *io_left > 0) {
		ec = next_mids(t, x, *io_left, mids, &n);
		if (!gx_ec_failed(ec) && n > 0)
			ec = hard ? gx_txn__ec(t, remove_for_good(t, x->fid, mids, n)) : gx_msg_delete(t, x->fid, mids, n, false);
		take(io_left, n);
	}
	return ec;
}

/* A folder, and the messages in it; those of a small one with it, which is cheaper. */
static gx_ec remove_folder(struct gx_txn *t, const struct gx_ftree_node *x, bool top, size_t *io_left, bool *ret_more)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, x->fid, &f);
	uint64_t n = err == 0 ? f->total + f->fai + f->softdel : 0;
	gx_ec ec = gx_txn__ec(t, err);
	if (!gx_ec_failed(ec) && (x->stays || n >= *io_left)) {
		ec = thin_out(t, x, true, io_left);
		*ret_more = *io_left == 0;
		n = 0;
	}
	if (gx_ec_failed(ec) || x->stays || *ret_more)
		return ec;
	take(io_left, n + 1);
	return gx_txn__ec(t, gx_folder__remove(t, x, true, top));
}

static gx_ec for_good(struct gx_txn *t, const struct gx_ftree *k, size_t *io_left, bool *ret_more)
{
	gx_ec ec = GX_OK_EC;
	*ret_more = false;
	gx_txn__new_cn(t);
	for (size_t i = k->n; !gx_ec_failed(ec) && !*ret_more && i-- > 0;) {
		const struct gx_ftree_node *x = &k->v[i];
		*ret_more = *io_left == 0;
		if (!*ret_more && !x->barred)
			ec = remove_folder(t, x, i == 0, io_left, ret_more);
	}
	return ec;
}

/* ---- Softly ---- */

static gx_ec settle(struct gx_txn *t, const struct gx_ftree *k, size_t *io_left)
{
	int err = 0;
	for (size_t i = k->n; err == 0 && i-- > 0 && *io_left > 0;)
		err = k->v[i].barred ? 0 : gx_owed__folder_going(t, k->v[i].fid, io_left);
	return gx_txn__ec(t, err);
}

static int hide_those_that_go(struct gx_txn *t, const struct gx_ftree *k)
{
	int err = 0;
	gx_txn__new_cn(t);
	for (size_t i = k->n; err == 0 && i-- > 0;) { /* children first */
		const struct gx_ftree_node *x = &k->v[i];
		if (!x->stays)
			err = gx_folder__remove(t, x, false, i == 0 || k->v[x->up].stays);
	}
	return err;
}

static gx_ec softly(struct gx_txn *t, const struct gx_ftree *k, size_t *io_left, bool *ret_more)
{
	gx_ec ec = settle(t, k, io_left);
	for (size_t i = k->n; !gx_ec_failed(ec) && i-- > 0 && *io_left > 0;)
		if (k->v[i].stays && !k->v[i].barred)
			ec = thin_out(t, &k->v[i], false, io_left);
	*ret_more = *io_left == 0;
	return gx_ec_failed(ec) || *ret_more ? ec : gx_txn__ec(t, hide_those_that_go(t, k));
}

/* ---- */

gx_ec gx_folder__delete_some(struct gx_txn *t, uint64_t fid, bool hard, size_t *io_left, bool *io_partial, bool *ret_more)
{
	struct gx_ftree k = {0};
	uint64_t parent = 0;
	bool barred = false;
	hard = hard || t->s->o.folders_go;
	gx_ec ec = check_top(t, fid, hard, &parent);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_ftree__collect(t, fid, parent, hard ? 0 : GX_FF_DELETED, 0, &k); /* what was hidden before stays as it is */
	if (err == 0)
		err = find_barred(t, &k, &barred);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (barred && io_partial == NULL)
		return gx_txn__fail(t, ecAccessDenied, "folder %llx holds folders of others", (unsigned long long)fid);
	if (barred)
		*io_partial = true;
	return hard ? for_good(t, &k, io_left, ret_more) : softly(t, &k, io_left, ret_more);
}

gx_ec gx_folder_delete_some(struct gx_txn *t, uint64_t fid, bool hard, size_t limit, bool *ret_partial, bool *ret_more)
{
	size_t left = limit == 0 ? SIZE_MAX : limit;
	bool partial = false, more = false;
	gx_ec ec = gx_far(t) != NULL ? gx_far(t)->folder_delete(t, fid, hard) :
		gx_folder__delete_some(t, fid, hard, &left, ret_partial == NULL ? NULL : &partial, &more);
	if (gx_ec_failed(ec))
		return ec;
	if (ret_partial != NULL)
		*ret_partial = partial;
	if (ret_more != NULL)
		*ret_more = more;
	return ec;
}

gx_ec gx_folder_delete(struct gx_txn *t, uint64_t fid, bool hard)
{
	return gx_folder_delete_some(t, fid, hard, 0, NULL, NULL);
}
