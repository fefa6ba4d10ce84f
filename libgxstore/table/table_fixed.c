/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <gx/acl.h>
#include <gx/entryid.h>
#include <gx/rules.h>
#include "libgxstore/table/table-int.h"

/* Tables whose rows are read when they are opened: permissions, rules, what others bring. */

int gx_table_add_row(struct gx_table *tb, uint64_t id, const struct gx_proplist *l)
{
	struct gx_trow_fixed *v = tb->rows;
	bool match = true;
	int err = 0;
	if (tb->restr != NULL) {
		struct gx_propsrc src = gx_propsrc_list(l);
		err = gx_restr_eval(tb->restr, &src, &match);
	}
	if (err != 0 || !match || tb->nrows >= tb->limit)
		return err;
	if (tb->nrows == tb->cap_rows) {
		size_t cap = tb->cap_rows == 0 ? 16 : tb->cap_rows * 2;
		if (cap > GX_TABLE_ROWS_MAX)
			return GX_E_LIMIT;
		v = realloc(tb->rows, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		tb->rows = v;
		tb->cap_rows = cap;
	}
	v[tb->nrows].id = id;
	err = gx_proplist_copy(tb->rows_arena, l, &v[tb->nrows].l);
	if (err == 0)
		tb->nrows++;
	return err;
}

int gx_fixed__fill(struct gx_table *tb, struct gx_txn *t)
{
	if (tb->rows_arena == NULL)
		tb->rows_arena = gx_arena_new(0);
	if (tb->rows_arena == NULL)
		return GX_E_NOMEM;
	gx_arena_reset(tb->rows_arena);
	tb->nrows = 0;
	uint64_t version = tb->fill_version == NULL ? 0 : tb->fill_version(tb->fill_ctx);
	int err = tb->fill(tb, t, tb->fill_ctx);
	tb->filled = err == 0 ? version : tb->filled;
	return err;
}

int gx_fixed__keep_step(struct gx_table *tb, struct gx_txn *t)
{
	return tb->fill_version == NULL || tb->fill_version(tb->fill_ctx) == tb->filled ? 0 : gx_fixed__fill(tb, t);
}

static gx_ec open_fixed(struct gx_txn *t, const struct gx_table_opts *o, gx_table_fill_cb fill, void *ctx, bool cut,
	struct gx_table **ret_tb)
{
	struct gx_table *tb;
	int err = gx_table__new(t, o, GX_T_FIXED, &tb);
	if (err != 0)
		return gx_table__ec(t, err);
	tb->fill = fill;
	tb->fill_ctx = ctx;
	tb->fill_version = o->version;
	tb->cut = cut;
	err = gx_fixed__fill(tb, t);
	if (err != 0)
		gx_table_close(tb);
	else
		*ret_tb = tb;
	return gx_table__ec(t, err);
}

/* ---- Permissions ---- */

static int person(struct gx_table *tb, const struct gx_member *m, struct gx_arena *a, const char **ret_name,
	struct gx_bin *ret_id)
{
	*ret_id = (struct gx_bin){0};
	if (m->id == GX_MEMBER_DEFAULT || m->id == GX_MEMBER_ANONYMOUS) { /* [MS-OXCPERM] 2.2.6 */
		*ret_name = m->id == GX_MEMBER_DEFAULT ? "" : "Anonymous";
		return 0;
	}
	if (tb->person != NULL && tb->person(m->address, a, ret_name, ret_id, tb->person_ctx) == 0)
		return 0;
	*ret_name = m->address;
	return gx_entryid_oneoff(a, m->address, "SMTP", m->address, ret_id);
}

static int add_member(struct gx_table *tb, const struct gx_member *m, struct gx_arena *a)
{
	const uint32_t freebusy = GX_RIGHT_FB_SIMPLE | GX_RIGHT_FB_DETAILED;
	struct gx_proplist l = {0};
	const char *name = "";
	struct gx_bin id;
	uint32_t rights = tb->flags & GX_TABLE_FREEBUSY ? m->rights : m->rights & ~freebusy;
	int err = person(tb, m, a, &name, &id);
	if (err == 0)
		err = gx_proplist_set_bin(&l, a, PidTagEntryId, id.data, id.len);
	if (err == 0)
		err = gx_proplist_set_i64(&l, a, PidTagMemberId, m->id);
	if (err == 0)
		err = gx_proplist_set_str(&l, a, PidTagMemberName, name);
	if (err == 0)
		err = gx_proplist_set_i32(&l, a, PidTagMemberRights, (int32_t)rights);
	if (err == 0 && id.len > 0)
		err = gx_proplist_set_str(&l, a, PidTagSmtpAddress, m->address);
	return err != 0 ? err : gx_table_add_row(tb, (uint64_t)m->id, &l);
}

static int fill_members(struct gx_table *tb, struct gx_txn *t, void *ctx)
{
	struct gx_member *v;
	size_t n;
	struct gx_arena *a = gx_arena_new(0);
	(void)ctx;
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_ec_to_err(gx_acl_list(t, tb->fid, a, &v, &n));
	for (size_t i = 0; err == 0 && i < n; i++)
		err = add_member(tb, &v[i], a);
	gx_arena_free(a);
	return err;
}

static gx_ec check(struct gx_txn *t, const struct gx_table_opts *o, uint32_t flags, struct gx_table **ret_tb)
{
	struct gx_folder_row row;
	if (o == NULL || ret_tb == NULL || o->size < sizeof(*o) || (o->flags & ~flags) != 0)
		return gx_txn__fail(t, ecInvalidParam, "no such table");
	return gx_folder__need(t, o->fid, GX_RIGHT_OWNER, &row);
}

gx_ec gx_table_open_permissions(struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb)
{
	gx_ec ec = check(t, o, GX_TABLE_FREEBUSY, ret_tb);
	return gx_ec_failed(ec) ? ec : open_fixed(t, o, fill_members, NULL, true, ret_tb);
}

/* ---- Rules ---- */

static int fill_rules(struct gx_table *tb, struct gx_txn *t, void *ctx)
{
	struct gx_rule *v;
	size_t n;
	struct gx_arena *a = gx_arena_new(0);
	(void)ctx;
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_ec_to_err(gx_rules_list(t, tb->fid, a, &v, &n));
	for (size_t i = 0; err == 0 && i < n; i++) {
		struct gx_proplist l;
		err = gx_rule_to_props(a, &v[i], &l);
		if (err == 0)
			err = gx_table_add_row(tb, v[i].id, &l);
	}
	gx_arena_free(a);
	return err;
}

gx_ec gx_table_open_rules(struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb)
{
	gx_ec ec = check(t, o, 0, ret_tb);
	return gx_ec_failed(ec) ? ec : open_fixed(t, o, fill_rules, NULL, false, ret_tb);
}

gx_ec gx_table_open_rows(
	struct gx_txn *t, const struct gx_table_opts *o, gx_table_fill_cb fill, void *ctx, struct gx_table **ret_tb)
{
	if (o == NULL || fill == NULL || ret_tb == NULL || o->size < sizeof(*o))
		return gx_txn__fail(t, ecInvalidParam, "no such table");
	return open_fixed(t, o, fill, ctx, true, ret_tb);
}
