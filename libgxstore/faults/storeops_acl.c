/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on who may do what. */
#include <config.h>
#include <gx/acl.h>
#include "libgxstore/faults/storeops.h"

static struct {
	struct gx_acl_change v[3];
	unsigned flags;
} u;

static const char *const people[] = {"ann@example.org", "bob@example.org", "cy@example.org", "dan@example.org"};

static uint32_t some_rights(struct so_world *w)
{
	return GX_RIGHT_VISIBLE | (so_rand(w, 0x200) & GX_RIGHTS_ALL);
}

static bool pick_add(struct so_world *w)
{
	unsigned first = so_rand(w, 4);
	w->x.fid = so_folder(w, false);
	u.flags = GX_ACL_FREEBUSY | (so_one_in(w, 4) ? GX_ACL_REPLACE : 0);
	w->x.n = 1 + so_rand(w, 3);
	for (unsigned i = 0; i < w->x.n; i++)
		u.v[i] = (struct gx_acl_change){.op = GX_ACL_ADD, .address = people[(first + i) % 4], .rights = some_rights(w)};
	return true;
}

static bool pick_change(struct so_world *w)
{
	struct gx_member *m;
	size_t n;
	w->x.fid = so_folder(w, false);
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_acl_list(t, w->x.fid, w->a, &m, &n));
	gx_txn_abort(t);
	u.flags = GX_ACL_FREEBUSY;
	w->x.n = 1;
	const struct gx_member *one = &m[so_rand(w, (unsigned)n)];
	u.v[0] = (struct gx_acl_change){.op = so_one_in(w, 3) ? GX_ACL_REMOVE : GX_ACL_MODIFY, .id = one->id, .rights = some_rights(w)};
	return true;
}

static gx_ec run_modify(struct so_world *w, struct gx_txn *t)
{
	return gx_acl_modify(t, w->x.fid, u.v, w->x.n, u.flags);
}

static void check_modify(struct so_world *w)
{
	struct gx_member *m;
	size_t n, found = 0;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_acl_list(t, w->x.fid, w->a, &m, &n));
	gx_txn_abort(t);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < w->x.n; i++) {
			const struct gx_acl_change *c = &u.v[i];
			bool same = c->address != NULL ? strcmp(c->address, m[k].address) == 0 : c->id == m[k].id;
			found += same;
			ck_assert(!same || m[k].rights == (c->op == GX_ACL_REMOVE ? 0 : c->rights));
		}
	ck_assert(u.v[0].op == GX_ACL_REMOVE || found == w->x.n);
}

static bool pick_list(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	return true;
}

static gx_ec run_list(struct so_world *w, struct gx_txn *t)
{
	struct gx_member *m;
	size_t n;
	return gx_acl_list(t, w->x.fid, w->a, &m, &n);
}

static const struct so_op rows[] = {
	{"acl_add", SO_WRITE, pick_add, run_modify, check_modify},
	{"acl_change", SO_WRITE, pick_change, run_modify, check_modify},
	{"acl_list", SO_READ, pick_list, run_list, NULL},
};
SO_OPS(so_acl_ops, rows);
