/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/acl.h>
#include "libgxstore/store-int.h"

/* The permissions of a folder as a table. Addresses are kept folded; `members` gives each a number. */

#define CHANGES_MAX 10000U
#define ADDRESS_MAX 320U
#define FREEBUSY (GX_RIGHT_FB_SIMPLE | GX_RIGHT_FB_DETAILED)
#define KNOWN (GX_RIGHTS_ALL | GX_RIGHT_CONTACT | FREEBUSY)

static bool special(const char *fold, int64_t *ret_id)
{
	if (*fold != '\0' && strcmp(fold, "default") != 0)
		return false;
	*ret_id = *fold == '\0' ? GX_MEMBER_ANONYMOUS : GX_MEMBER_DEFAULT;
	return true;
}

/* 1 found, 0 not. */
static int find_member(struct gx_txn *t, const char *fold, int64_t *ret_id)
{
	if (special(fold, ret_id))
		return 1;
	GX_STMT(st, t->q, "SELECT id FROM members WHERE member=?1");
	gx_sql__bind_text(st, 1, fold);
	int r = gx_sql__step(st);
	if (r > 0)
		*ret_id = gx_sql__int(st, 0);
	return r;
}

int gx_perm__note_member(struct gx_txn *t, const char *fold)
{
	int64_t id;
	if (special(fold, &id))
		return 0;
	GX_STMT(st, t->q, "INSERT OR IGNORE INTO members(member) VALUES(?1)");
	gx_sql__bind_text(st, 1, fold);
	return gx_sql__run(st);
}

gx_ec gx_acl_member_id(struct gx_txn *t, const char *address, int64_t *ret_id)
{
	char *fold = gx_fold__key(t->a, address);
	if (fold == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	int r = find_member(t, fold, ret_id);
	return r == 0 ? GX_EC(ecNotFound) : gx_txn__ec(t, r < 0 ? r : 0);
}

/* ---- Reading ---- */

struct list {
	struct gx_member *v;
	size_t n, cap;
};

static int append(struct gx_arena *a, struct list *l, int64_t id, const char *address, uint32_t rights)
{
	l->v = gx_arena_grow(a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	char *kept = gx_arena_strdup(a, address);
	if (l->v == NULL || kept == NULL)
		return GX_E_NOMEM;
	l->v[l->n++] = (struct gx_member){.id = id, .address = kept, .rights = rights};
	return 0;
}

static int read_rows(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct list *l)
{
	int err = append(a, l, GX_MEMBER_DEFAULT, "default", 0);
	if (err == 0)
		err = append(a, l, GX_MEMBER_ANONYMOUS, "", 0);
	GX_STMT(st, t->q, "SELECT p.member,p.rights,m.id FROM permissions p LEFT JOIN members m ON m.member=p.member"
		" WHERE p.fid=?1 ORDER BY p.member");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = err;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		int64_t id;
		uint32_t rights = (uint32_t)gx_sql__int(st, 1);
		if (special(gx_sql__text(st, 0), &id))
			l->v[id == GX_MEMBER_DEFAULT ? 0 : 1].rights = rights;
		else
			err = append(a, l, gx_sql__int(st, 2), gx_sql__text(st, 0), rights);
	}
	return err != 0 ? err : r;
}

gx_ec gx_acl_list(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_member **ret_v, size_t *ret_n)
{
	struct gx_folder_row row;
	struct list l = {0};
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, read_rows(t, fid, a, &l));
	if (gx_ec_failed(ec))
		return ec;
	*ret_v = l.v;
	*ret_n = l.n;
	return ec;
}

/* ---- Changing ---- */

/* The folded address that a change is about. */
static gx_ec target(struct gx_txn *t, const struct gx_acl_change *c, const char **ret_fold)
{
	if (c->address != NULL) {
		if (strlen(c->address) > ADDRESS_MAX)
			return gx_txn__fail(t, ecInvalidParam, "that is no address");
		*ret_fold = gx_fold__key(t->a, c->address);
		return gx_txn__ec(t, *ret_fold == NULL ? GX_E_NOMEM : 0);
	}
	if (c->op == GX_ACL_ADD)
		return gx_txn__fail(t, ecInvalidParam, "a new member needs an address");
	if (c->id == GX_MEMBER_DEFAULT || c->id == GX_MEMBER_ANONYMOUS) {
		*ret_fold = c->id == GX_MEMBER_DEFAULT ? "default" : "";
		return GX_OK_EC;
	}
	GX_STMT(st, t->q, "SELECT member FROM members WHERE id=?1");
	gx_sql__bind_int(st, 1, c->id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r < 0 ? gx_txn__ec(t, r) : gx_txn__fail(t, ecNotFound, "no member %lld", (long long)c->id);
	*ret_fold = gx_arena_strdup(t->a, gx_sql__text(st, 0));
	return gx_txn__ec(t, *ret_fold == NULL ? GX_E_NOMEM : 0);
}

/* What the row says now; -1 when there is none. */
static int current(struct gx_txn *t, uint64_t fid, const char *fold, int64_t *ret_rights)
{
	GX_STMT(st, t->q, "SELECT rights FROM permissions WHERE fid=?1 AND member=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_text(st, 2, fold);
	int r = gx_sql__step(st);
	*ret_rights = r > 0 ? gx_sql__int(st, 0) : -1;
	return r < 0 ? r : 0;
}

static gx_ec change_one(struct gx_txn *t, uint64_t fid, const struct gx_acl_change *c, unsigned flags)
{
	const char *fold = NULL;
	int64_t have = -1, id;
	if (c->op != GX_ACL_ADD && c->op != GX_ACL_MODIFY && c->op != GX_ACL_REMOVE)
		return gx_txn__fail(t, ecInvalidParam, "%u is no change of permissions", c->op);
	if (c->op != GX_ACL_REMOVE && (c->rights & ~(uint32_t)KNOWN) != 0)
		return gx_txn__fail(t, ecInvalidParam, "unknown rights %x", c->rights & ~(uint32_t)KNOWN);
	gx_ec ec = target(t, c, &fold);
	if (gx_ec_failed(ec))
		return ec;
	int err = current(t, fid, fold, &have);
	if (err != 0)
		return gx_txn__ec(t, err);
	bool fixed = special(fold, &id);
	if (have < 0 && c->op != GX_ACL_ADD && !fixed)
		return gx_txn__fail(t, ecNotFound, "%s has no rights of their own here", fold);
	if (c->op == GX_ACL_REMOVE)
		return gx_txn__ec(t, gx_perm__set(t, fid, fold, 0, true));
	uint32_t kept = flags & GX_ACL_FREEBUSY || have < 0 ? 0 : (uint32_t)have & FREEBUSY;
	uint32_t set = flags & GX_ACL_FREEBUSY ? c->rights : c->rights & ~(uint32_t)FREEBUSY;
	return gx_txn__ec(t, gx_perm__set(t, fid, fold, set | kept, false));
}

gx_ec gx_acl_modify(struct gx_txn *t, uint64_t fid, const struct gx_acl_change *v, size_t n, unsigned flags)
{
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (!gx_ec_failed(ec) && n > CHANGES_MAX)
		ec = gx_txn__fail(t, ecTooBig, "at most %u permissions are changed at once", CHANGES_MAX);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_txn__save(t);
	if (err != 0)
		return gx_txn__ec(t, err);
	ec = gx_txn__ec(t, flags & GX_ACL_REPLACE ? gx_perm__drop(t, fid) : 0);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++)
		ec = change_one(t, fid, &v[i], flags);
	err = gx_txn__end_save(t, gx_ec_failed(ec));
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, err != 0 ? err : gx_folder__changed(t, &row));
}
