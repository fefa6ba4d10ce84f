/* SPDX-License-Identifier: Apache-2.0 */
/* Tables anew with another order or restriction, and where their cursors stand. [MS-OXCTABL] 3.2.5 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/people.h"

enum { ARENA_MOST = 4 << 20 };

static gx_ec open_like(struct gx_ems *e, struct gx_txn *t, const struct gx_ems_table *like, const struct gx_restr *r, const struct gx_sortset *s,
	struct gx_table **ret_tb)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	o.fid = like->fid;
	o.flags = like->flags;
	o.restr = r;
	o.sort = s;
	switch (like->what) {
	case GX_EMS_HIERARCHY: return gx_table_open_hierarchy(t, &o, ret_tb);
	case GX_EMS_CONTENTS: return gx_table_open_contents(t, &o, ret_tb);
	case GX_EMS_PERMISSIONS:
		o.person = gx_ems__person;
		o.ctx = e;
		return gx_table_open_permissions(t, &o, ret_tb);
	case GX_EMS_ATTACHMENTS: return gx_ems__open_attachments(t, &o, like->inst, ret_tb);
	default: return gx_table_open_rules(t, &o, ret_tb);
	}
}

gx_ec gx_ems__give_table(struct gx_rop_call *c, int what, uint32_t flags, bool tells, bool not_own, uint32_t *ret_rows)
{
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct gx_ems_table *tb = f == NULL ? NULL : gx_ems__table_new(what, f->fid, flags);
	if (tb == NULL)
		return f == NULL ? GX_EC(ecNotSupported) : GX_EC(ecMAPIOOM);
	tb->tells = tells;
	tb->not_own = not_own;
	return gx_ems__give_new_table(c, tb, ret_rows);
}

gx_ec gx_ems__give_new_table(struct gx_rop_call *c, struct gx_ems_table *tb, uint32_t *ret_rows)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec)) {
		ec = open_like(c->s->e, t, tb, NULL, NULL, &tb->tb);
		if (!gx_ec_failed(ec))
			ec = gx_table_count(tb->tb, t, ret_rows);
		ec = gx_rop__end(c, t, ec);
	}
	if (!gx_ec_failed(ec))
		return gx_rop__give(c, &tb->obj, c->logon);
	tb->obj.kind->free(&tb->obj);
	return ec;
}

/* Copies that live as long as the table keeps them. */
static gx_ec keep_restr(struct gx_ems_table *tb, const struct gx_restr *r)
{
	const struct gx_restr *copy = NULL;
	if (r == tb->restr)
		return EMS_OK;
	struct gx_arena *a = r == NULL ? NULL : gx_arena_new(ARENA_MOST);
	int err = r == NULL ? 0 : a == NULL ? GX_E_NOMEM : gx_restr_copy(a, r, &copy);
	if (err != 0) {
		gx_arena_free(a);
		return gx_ec_from_err(err);
	}
	gx_arena_free(tb->restr_a);
	tb->restr_a = a;
	tb->restr = copy;
	return EMS_OK;
}

static gx_ec keep_sort(struct gx_ems_table *tb, const struct gx_sortset *s)
{
	if (s == tb->sort)
		return EMS_OK;
	struct gx_arena *a = s == NULL ? NULL : gx_arena_new(ARENA_MOST);
	struct gx_sortset *copy = a == NULL ? NULL : gx_arena_new_obj(a, struct gx_sortset);
	int err = s == NULL ? 0 : copy == NULL ? GX_E_NOMEM : gx_sortset_copy(a, s, copy);
	if (err != 0) {
		gx_arena_free(a);
		return gx_ec_from_err(err);
	}
	gx_arena_free(tb->sort_a);
	tb->sort_a = a;
	tb->sort = copy;
	return EMS_OK;
}

gx_ec gx_ems__reopen_table(struct gx_rop_call *c, struct gx_ems_table *tb, const struct gx_restr *r, const struct gx_sortset *s)
{
	struct gx_txn *t;
	struct gx_table *fresh = NULL;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, open_like(c->s->e, t, tb, r, s, &fresh));
	if (!gx_ec_failed(ec))
		ec = keep_restr(tb, r);
	if (!gx_ec_failed(ec))
		ec = keep_sort(tb, s);
	if (gx_ec_failed(ec)) {
		gx_table_close(fresh);
		return ec;
	}
	gx_table_close(tb->tb);
	gx_watch__end(&tb->watch); /* until somebody looks at it again */
	tb->tb = fresh;
	tb->pos = 0;
	return ec;
}

gx_ec gx_ems__origin(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, uint8_t origin, uint32_t *ret_pos)
{
	uint32_t total;
	gx_ec ec = gx_table_count(tb->tb, t, &total);
	if (gx_ec_failed(ec))
		return ec;
	switch (origin) {
	case GX_EMS_BEGINNING: *ret_pos = 0; break;
	case GX_EMS_CURRENT: *ret_pos = tb->pos < total ? tb->pos : total; break;
	case GX_EMS_END: *ret_pos = total; break;
	default: return gx_rop__fail(c, ecInvalidParam, "origin %u", origin);
	}
	return ec;
}

gx_ec gx_ems__move(struct gx_ems_table *tb, struct gx_txn *t, uint32_t from, int32_t by, bool *ret_less, int32_t *ret_moved)
{
	uint32_t total;
	gx_ec ec = gx_table_count(tb->tb, t, &total);
	if (gx_ec_failed(ec))
		return ec;
	int64_t want = (int64_t)from + by, got = want < 0 ? 0 : want > total ? total : want;
	tb->pos = (uint32_t)got;
	*ret_less = got != want;
	*ret_moved = (int32_t)(got - from);
	return ec;
}

size_t gx_ems__fit_rows(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_table_row *v, size_t n, size_t *io_used)
{
	struct gx_push p = GX_PUSH_INIT;
	size_t i = 0;
	for (; i < n; ++i) {
		gx_ems__send_ids(c->a, v[i].v, cols->count);
		const struct gx_proprow row = {v[i].v, cols->count};
		gx_push_clear(&p);
		gx_proprow_push(&p, &c->x->px, cols, &row);
		if (p.err != 0 || *io_used + p.len > c->room)
			break;
		*io_used += p.len;
	}
	gx_push_release(&p);
	return i;
}

gx_ec gx_ems__bookmark(struct gx_rop_call *c, struct gx_bin b, uint32_t *ret_bm)
{
	struct gx_pull p;
	gx_pull_init(&p, b.data, b.len);
	*ret_bm = gx_pull_u32(&p);
	return p.err == 0 && p.left == 0 ? EMS_OK : gx_rop__fail(c, ecInvalidBookmark, "a bookmark of %zu bytes", b.len);
}

gx_ec gx_ems__put_number(struct gx_rop_call *c, uint32_t n, struct gx_bin *ret_b)
{
	uint8_t *p = gx_arena_alloc(c->a, sizeof(n));
	if (p == NULL)
		return GX_EC(ecMAPIOOM);
	for (unsigned i = 0; i < sizeof(n); ++i)
		p[i] = (uint8_t)(n >> 8 * i);
	*ret_b = (struct gx_bin){p, sizeof(n)};
	return EMS_OK;
}
