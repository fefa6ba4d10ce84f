/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/* -1 no row for that member. */
static int one(struct gx_txn *t, uint64_t fid, const char *member, int64_t *ret_rights)
{
	char *fold = gx_fold__key(t->a, member);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, t->q, "SELECT rights FROM permissions WHERE fid=?1 AND member=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_text(st, 2, fold);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	*ret_rights = r > 0 ? gx_sql__int(st, 0) : -1;
	return 0;
}

/* The sum of what the user's groups have. */
static int of_groups(struct gx_txn *t, uint64_t fid, int64_t *ret_rights)
{
	int64_t sum = -1;
	for (const char *const *g = t->actor->groups; g != NULL && *g != NULL; g++) {
		int64_t r;
		int err = one(t, fid, *g, &r);
		if (err != 0)
			return err;
		if (r >= 0)
			sum = sum < 0 ? r : sum | r;
	}
	*ret_rights = sum;
	return 0;
}

/* Own row, else groups, else everybody; who has not logged on has the anonymous row only, [MS-OXCPERM] 3.2.4. */
static int look_up(struct gx_txn *t, uint64_t fid, int64_t *ret_rights)
{
	const char *user = t->actor->user;
	int err = one(t, fid, user, ret_rights);
	if (err != 0 || *ret_rights >= 0 || *user == '\0')
		return err;
	err = of_groups(t, fid, ret_rights);
	if (err != 0 || *ret_rights >= 0)
		return err;
	return one(t, fid, "default", ret_rights);
}

int gx_perm__rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights)
{
	if (gx_txn__all_rights(t)) {
		*ret_rights = GX_RIGHTS_ALL | GX_RIGHT_CONTACT | GX_RIGHT_FB_SIMPLE | GX_RIGHT_FB_DETAILED;
		return 0;
	}
	int64_t r = -1;
	int err = look_up(t, fid, &r);
	if (err == 0)
		*ret_rights = r < 0 ? 0 : r & GX_RIGHT_OWNER ? (uint32_t)r | GX_RIGHTS_ALL : (uint32_t)r;
	return err;
}

int gx_perm__set(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove)
{
	char *fold = gx_fold__key(t->a, member);
	if (fold == NULL)
		return GX_E_NOMEM;
	if (remove) {
		GX_STMT(st, t->q, "DELETE FROM permissions WHERE fid=?1 AND member=?2");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		gx_sql__bind_text(st, 2, fold);
		return gx_sql__run(st);
	}
	int err = gx_perm__note_member(t, fold);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "INSERT OR REPLACE INTO permissions(fid,member,rights) VALUES(?1,?2,?3)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_text(st, 2, fold);
	gx_sql__bind_int(st, 3, rights);
	return gx_sql__run(st);
}

int gx_perm__inherit(struct gx_txn *t, uint64_t from, uint64_t to)
{
	GX_STMT(st, t->q, "INSERT OR IGNORE INTO permissions SELECT ?2,member,rights FROM permissions WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)from);
	gx_sql__bind_int(st, 2, (int64_t)to);
	return gx_sql__run(st);
}

int gx_perm__drop(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "DELETE FROM permissions WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

gx_ec gx_folder_rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_rights(t, fid, ret_rights);
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, fid, 0, &row);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, gx_perm__rights(t, fid, ret_rights));
}

gx_ec gx_folder_set_permission(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_set_permission(t, fid, member, rights, remove);
	const uint32_t known = GX_RIGHTS_ALL | GX_RIGHT_CONTACT | GX_RIGHT_FB_SIMPLE | GX_RIGHT_FB_DETAILED;
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (gx_ec_failed(ec))
		return ec;
	if (member == NULL || (rights & ~known) != 0 || strlen(member) > 320)
		return gx_txn__fail(t, ecInvalidParam, "unknown rights %x, or no member", rights & ~known);
	int err = gx_perm__set(t, fid, member, rights, remove);
	return gx_txn__ec(t, err != 0 ? err : gx_folder__changed(t, &row));
}
