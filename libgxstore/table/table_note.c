/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/table/table-int.h"

/*
 * What a transaction does to folders and messages, as far as open tables want to know. A message that changes
 * several times is noted once, as it was first and is last. When no table is open nothing is noted.
 */

static int state(struct gx_txn *t, struct gx_tabletxn **ret_x)
{
	if (t->tables == NULL)
		t->tables = gx_arena_new_obj(t->a, struct gx_tabletxn);
	*ret_x = t->tables;
	return t->tables == NULL ? GX_E_NOMEM : 0;
}

static int folder_of(struct gx_txn *t, uint64_t fid, struct gx_chfolder **ret_c)
{
	struct gx_tabletxn *x;
	*ret_c = NULL;
	int err = state(t, &x);
	if (err != 0)
		return err;
	if (atomic_load(&t->s->tables->count) == 0) {
		x->missed = true;
		return 0;
	}
	struct gx_chfolder *c = x->head;
	while (c != NULL && c->fid != fid)
		c = c->next;
	if (c == NULL) {
		c = gx_arena_new_obj(t->a, struct gx_chfolder);
		if (c == NULL)
			return GX_E_NOMEM;
		c->fid = fid;
		c->next = x->head;
		x->head = c;
	}
	*ret_c = c;
	return 0;
}

static void note_row(struct gx_chfolder *c, uint64_t mid, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	unsigned i = 0;
	while (i < c->n && c->row[i].mid != mid)
		i++;
	if (i == GX_TABLE_TOLD_MAX) {
		c->many = true;
		return;
	}
	if (i == c->n) {
		c->row[c->n++] =
			(struct gx_chrow){.mid = mid, .was = old != NULL, .was_flags = old == NULL ? 0 : old->flags};
	}
	c->row[i].is = r != NULL;
	c->row[i].is_flags = r == NULL ? 0 : r->flags;
}

/* Search folders that hold it. */
static int note_holders(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	const struct gx_msg_row *any = r != NULL ? r : old;
	GX_STMT(st, t->q, "SELECT fid FROM found WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)any->mid);
	int s;
	while ((s = gx_sql__step(st)) > 0) {
		struct gx_chfolder *c;
		int err = folder_of(t, gx_sql__u64(st, 0), &c);
		if (err != 0)
			return err;
		if (c != NULL && !c->many)
			note_row(c, any->mid, old, r);
	}
	return s;
}

int gx_tables__note(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	const struct gx_msg_row *any = r != NULL ? r : old;
	struct gx_chfolder *c;
	int err = folder_of(t, any->fid, &c);
	if (err != 0 || c == NULL)
		return err;
	if (!c->many)
		note_row(c, any->mid, old, r);
	return old != NULL && atomic_load(&t->s->tables->found) > 0 ? note_holders(t, old, r) : 0;
}

/* Messages are found without changing: the state gets a number of its own, by which tables know it. */
static int number(struct gx_txn *t)
{
	struct gx_tabletxn *x;
	int err = state(t, &x);
	if (err == 0 && !x->numbered) {
		gx_txn__new_cn(t);
		x->numbered = true;
	}
	return err;
}

int gx_tables__note_found(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r, bool is)
{
	struct gx_chfolder *c;
	int err = number(t);
	if (err == 0)
		err = folder_of(t, fid, &c);
	if (err == 0 && c != NULL && !c->many)
		note_row(c, r->mid, is ? NULL : r, is ? r : NULL);
	return err;
}

int gx_tables__note_many(struct gx_txn *t, uint64_t fid)
{
	struct gx_chfolder *c;
	int err = number(t);
	if (err == 0)
		err = folder_of(t, fid, &c);
	if (err == 0 && c != NULL)
		c->many = true;
	return err;
}

/* Without memory tables read anew. */
void gx_tables__note_op(struct gx_txn *t, uint64_t view, struct gx_bin key, int total, int unread)
{
	struct gx_tabletxn *x;
	if (state(t, &x) != 0)
		return;
	if (atomic_load(&t->s->tables->grouped) == 0)
		x->ops_missed = true;
	else
		gx_groupops__add(&x->ops, view, key, total, unread);
}

void gx_tables__note_release(struct gx_txn *t)
{
	if (t->tables != NULL)
		gx_groupops__clear(&t->tables->ops);
}

int gx_tables__note_folder(struct gx_txn *t, const struct gx_event *ev)
{
	const uint32_t folders =
		GX_EV_FOLDER_CREATED | GX_EV_FOLDER_CHANGED | GX_EV_FOLDER_DELETED | GX_EV_FOLDER_MOVED;
	struct gx_chfolder *c;
	if (!(ev->type & folders))
		return 0;
	int err = folder_of(t, ev->fid, &c);
	if (err != 0 || c == NULL)
		return err;
	c->itself = true;
	c->parents[0] = ev->parent;
	if (ev->type == GX_EV_FOLDER_MOVED)
		c->parents[1] = ev->old_fid;
	return 0;
}
