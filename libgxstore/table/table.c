/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/* Opening and closing tables. */

gx_ec gx_table__ec(struct gx_txn *t, int err)
{
	switch (err) {
	case GX_E_LIMIT:
		return gx_txn__fail(
			t, ecTableTooBig, "a table holds at most %u rows in memory", (unsigned)GX_TABLE_ROWS_MAX);
	case GX_E_UNSUP: /* a regular expression */
		return gx_txn__fail(t, ecTooComplex, "the restriction cannot be evaluated");
	case GX_E_DEPTH:
		return gx_txn__fail(t, ecTooComplex, "the restriction is nested too deeply");
	default:
		return gx_txn__ec(t, err);
	}
}

/* ---- The actor outlives the transaction that opened the table ---- */

static int copy_groups(struct gx_arena *a, const char *const *groups, const char *const **ret_v)
{
	size_t n = 0;
	while (groups != NULL && groups[n] != NULL)
		n++;
	const char **v = gx_arena_new_array(a, const char *, n + 1);
	for (size_t i = 0; v != NULL && i < n; i++)
		if ((v[i] = gx_arena_strdup(a, groups[i])) == NULL)
			v = NULL;
	*ret_v = v;
	return v == NULL ? GX_E_NOMEM : 0;
}

static int copy_actor(struct gx_table *tb, const struct gx_actor *from)
{
	tb->actor.owner = from->owner;
	tb->actor.user = gx_arena_strdup(tb->a, from->user);
	if (from->user != NULL && tb->actor.user == NULL)
		return GX_E_NOMEM;
	return from->groups == NULL ? 0 : copy_groups(tb->a, from->groups, &tb->actor.groups);
}

static int copy_opts(struct gx_table *tb, const struct gx_table_opts *o)
{
	int err = 0;
	tb->limit = UINT32_MAX;
	if (o->restr != NULL) {
		err = gx_restr_copy(tb->a, o->restr, &tb->restr);
		tb->limit = err != 0 ? 0 : gx_restr_limit(tb->restr);
	}
	if (err == 0 && o->sort != NULL)
		err = gx_sortset_copy(tb->a, o->sort, &tb->sort);
	return err;
}

int gx_table__new(struct gx_txn *t, const struct gx_table_opts *o, uint8_t what, struct gx_table **ret_tb)
{
	struct gx_table *tb = calloc(1, sizeof(*tb));
	if (tb == NULL || pthread_mutex_init(&tb->lock, NULL) != 0) {
		free(tb);
		return GX_E_NOMEM;
	}
	tb->a = gx_arena_new(0);
	tb->s = t->s;
	tb->what = what;
	tb->fid = o->fid;
	tb->flags = o->flags;
	tb->cut = true;
	tb->stale = true;
	tb->person = o->person;
	tb->person_ctx = o->ctx;
	int err = tb->a == NULL ? GX_E_NOMEM : copy_actor(tb, t->actor);
	if (err == 0)
		err = copy_opts(tb, o);
	if (err != 0) {
		gx_table_close(tb);
		return err;
	}
	*ret_tb = tb;
	return 0;
}

void gx_table_close(struct gx_table *tb)
{
	if (tb == NULL)
		return;
	if (tb->in_tables)
		gx_tables__remove(tb);
	gx_list__clear(tb);
	gx_groups__clear(&tb->groups);
	gx_groupops__clear(&tb->ops);
	for (size_t i = 0; i < tb->nbm; i++)
		free(tb->bm[i].key);
	free(tb->bm);
	free(tb->pending);
	free(tb->folders);
	free(tb->rows);
	gx_arena_free(tb->rows_arena);
	gx_arena_free(tb->a);
	pthread_mutex_destroy(&tb->lock);
	free(tb);
}

/* The first look, and from then on the commits are heard. */
static gx_ec start(struct gx_txn *t, struct gx_table *tb, struct gx_table **ret_tb)
{
	gx_tables__add(tb);
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec)) {
		gx_table_close(tb);
		return ec;
	}
	gx_table__end(tb);
	*ret_tb = tb;
	return ec;
}

static gx_ec check_opts(struct gx_txn *t, const struct gx_table_opts *o, uint32_t flags, struct gx_table **ret_tb)
{
	if (o == NULL || ret_tb == NULL || o->size < sizeof(*o) || (o->flags & ~flags) != 0)
		return gx_txn__fail(t, ecInvalidParam, "no such table");
	if (o->sort != NULL && gx_sortset_check(o->sort) != 0)
		return gx_txn__fail(t, ecInvalidParam, "the sort order is none");
	return GX_OK_EC;
}

gx_ec gx_table_open_hierarchy(struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb)
{
	struct gx_folder_row row;
	struct gx_table *tb;
	gx_ec ec = check_opts(t, o, GX_TABLE_DEPTH | GX_TABLE_DELETED, ret_tb);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, o->fid, 0, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__new(t, o, GX_T_FOLDERS, &tb);
	return err != 0 ? gx_table__ec(t, err) : start(t, tb, ret_tb);
}

/* ---- Contents ---- */

/* Is it "unread", in one of the forms in which clients say so? */
static bool asks_unread(const struct gx_restr *r)
{
	switch (r->type) {
	case RES_BITMASK:
		return r->u.bitmask.tag == PidTagMessageFlags && r->u.bitmask.mask == 1 &&
		       r->u.bitmask.relop == BMR_EQZ;
	case RES_PROPERTY:
		return r->u.prop.tag == PidTagRead && r->u.prop.val.tag == PidTagRead &&
			r->u.prop.relop == (r->u.prop.val.v.b ? RELOP_NE : RELOP_EQ);
	case RES_NOT:
		r = r->u.not_.sub;
		return r != NULL && ((r->type == RES_BITMASK && r->u.bitmask.tag == PidTagMessageFlags &&
					     r->u.bitmask.mask == 1 && r->u.bitmask.relop == BMR_NEZ) ||
					    (r->type == RES_PROPERTY && r->u.prop.tag == PidTagRead &&
						    r->u.prop.val.tag == PidTagRead && r->u.prop.val.v.b &&
						    r->u.prop.relop == RELOP_EQ));
	default:
		return false;
	}
}

static uint8_t kind_of(const struct gx_table *tb, const struct gx_folder_row *row)
{
	if (tb->flags & GX_TABLE_DELETED)
		return 0;
	if (tb->flags & GX_TABLE_CONVERSATIONS)
		return GX_ORDER_STORE;
	if (tb->flags & GX_TABLE_ASSOCIATED)
		return GX_ORDER_FAI;
	return row->type == GX_FOLDER_SEARCH ? GX_ORDER_FOUND : GX_ORDER_NORMAL;
}

/* Conversations stand together, the newest message of each first. */
static const struct gx_sort by_conversation[] = {
	{PidTagConversationId, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};

static int set_groups(struct gx_table *tb)
{
	const struct gx_sortset *s = &tb->sort;
	uint16_t n = s->categories;
	tb->groups.depth = n;
	tb->groups.open = s->expanded;
	tb->groups.extremum = n > 0 && n < s->count &&
			      (s->v[n].order == GX_SORT_MAX_CATEGORY || s->v[n].order == GX_SORT_MIN_CATEGORY);
	return n > 8 ? GX_E_INVAL : 0;
}

static int plan(struct gx_txn *t, struct gx_table *tb, const struct gx_folder_row *row)
{
	struct gx_seq *q = &tb->seq;
	q->kind = kind_of(tb, row);
	if (tb->sort.count == 0 && q->kind == GX_ORDER_STORE)
		tb->sort = (struct gx_sortset){.v = by_conversation, .count = 2};
	int err = gx_orderspec__make(&tb->sort, &q->want, &q->back);
	if (err == 0)
		err = set_groups(tb);
	if (err != 0)
		return GX_E_INVAL;
	/* Read marks of a public store are each user's own; those of an order are nobody's. */
	bool unread = tb->restr != NULL && asks_unread(tb->restr) && !t->s->is_public;
	bool all = tb->restr == NULL || unread;
	bool rights = q->kind != GX_ORDER_STORE || gx_txn__all_rights(t);
	q->unread_only = unread;
	q->listed = !all || !rights || q->kind == 0 || tb->limit != UINT32_MAX;
	if (unread && !q->listed)
		tb->restr = NULL;
	return 0;
}

gx_ec gx_table_open_contents(struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb)
{
	struct gx_folder_row row;
	struct gx_table *tb;
	gx_ec ec = check_opts(t, o, GX_TABLE_DELETED | GX_TABLE_ASSOCIATED | GX_TABLE_CONVERSATIONS, ret_tb);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, o->fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_table__new(t, o, GX_T_CONTENTS, &tb);
	if (err != 0)
		return gx_table__ec(t, err);
	err = plan(t, tb, &row);
	if (err != 0) {
		gx_table_close(tb);
		return gx_txn__fail(t, ecInvalidParam, "messages cannot be sorted so");
	}
	return start(t, tb, ret_tb);
}

/* ---- Numbers without a table ---- */

gx_ec gx_table_sum_folders(struct gx_txn *t, uint64_t fid, bool deep, uint32_t *ret_n)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	o.fid = fid;
	o.flags = deep ? GX_TABLE_DEPTH : 0;
	gx_ec ec = gx_table_open_hierarchy(t, &o, &tb);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_count(tb, t, ret_n);
	gx_table_close(tb);
	return ec;
}

static int count_deleted(struct gx_txn *t, uint64_t fid, bool associated, uint64_t *ret_n)
{
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM msg WHERE fid=?1 AND uid=0 AND (flags&256)=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, associated ? GX_MSGF_FAI : 0);
	int r = gx_sql__step(st);
	if (r > 0)
		*ret_n = gx_sql__u64(st, 0);
	return r < 0 ? r : 0;
}

gx_ec gx_table_sum_messages(struct gx_txn *t, uint64_t fid, bool associated, bool deleted, uint32_t *ret_n)
{
	struct gx_folder_row row;
	struct gx_fstate *f;
	uint64_t n = 0;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err;
	if (deleted)
		err = count_deleted(t, fid, associated, &n);
	else if ((err = gx_fstate__get(t, fid, &f)) == 0)
		n = associated ? f->fai : f->total;
	if (err == 0)
		*ret_n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return gx_txn__ec(t, err);
}
