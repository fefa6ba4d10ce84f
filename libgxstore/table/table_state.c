/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/table/table-int.h"

/*
 * Opening and closing groups, and keeping which are open. A kept state is the sort order, the prefixes of
 * groups that are not as they were at first, and the cursor's row. [MS-OXCTABL] 2.2.2.17 - 2.2.2.20
 */

#define STATES_MAX 256
#define STATE_BYTES (1U << 20)
#define STATE_VERSION 1

/* ---- Opening and closing ---- */

static gx_ec turn(struct gx_table *tb, struct gx_txn *t, uint64_t id, bool open, uint32_t *ret_pos, uint32_t *ret_n)
{
	struct gx_groups *g = &tb->groups;
	size_t i = gx_groups__by_id(g, id);
	uint64_t pos = i == SIZE_MAX ? UINT64_MAX : gx_groups__pos(g, i);
	if (pos == UINT64_MAX)
		return gx_txn__fail(t, ecNotFound, "no header %llx", (unsigned long long)id);
	if (g->v[i].open == open)
		return gx_txn__fail(
			t, open ? ecNotCollapsed : ecNotExpanded, "the group is %s", open ? "open" : "closed");
	uint64_t before = gx_groups__below(g, i);
	g->v[i].open = open;
	int err = gx_groups__show(tb);
	if (err != 0) {
		g->v[i].open = !open;
		return gx_table__ec(t, err);
	}
	*ret_pos = (uint32_t)pos;
	*ret_n = (uint32_t)(open ? gx_groups__below(g, i) : before);
	return GX_OK_EC;
}

static gx_ec begin_turn(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, bool open, uint32_t *ret_pos, uint32_t *ret_n)
{
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	ec = turn(tb, t, id, open, ret_pos, ret_n);
	gx_table__end(tb);
	return ec;
}

gx_ec gx_table_expand(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t *ret_pos, uint32_t *ret_n)
{
	return begin_turn(tb, t, id, true, ret_pos, ret_n);
}

gx_ec gx_table_collapse(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t *ret_pos, uint32_t *ret_n)
{
	return begin_turn(tb, t, id, false, ret_pos, ret_n);
}

/* ---- Keeping ---- */

static void push_bin(struct gx_push *out, const uint8_t *p, size_t n)
{
	gx_push_varint(out, n);
	gx_push_bytes(out, p, n);
}

/* Header ids mean nothing to another table: a header is kept by its prefix. */
static void push_cursor(struct gx_push *out, const struct gx_table *tb, uint64_t id, uint32_t inst)
{
	size_t i = gx_groups__by_id(&tb->groups, id);
	gx_push_u8(out, i != SIZE_MAX);
	if (i != SIZE_MAX) {
		push_bin(out, tb->groups.bytes.data + tb->groups.v[i].off, tb->groups.v[i].len);
		return;
	}
	gx_push_u64(out, id);
	gx_push_u32(out, inst);
}

static void push_state(struct gx_push *out, const struct gx_table *tb, uint64_t id, uint32_t inst)
{
	const struct gx_groups *g = &tb->groups;
	size_t n = 0;
	gx_push_u8(out, STATE_VERSION);
	push_bin(out, tb->seq.want.bytes, tb->seq.want.len);
	gx_push_u8(out, tb->seq.back);
	gx_push_u8(out, (uint8_t)g->depth);
	for (size_t i = 0; i < g->n; i++)
		n += g->v[i].open != (g->v[i].depth < g->open);
	gx_push_varint(out, n);
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].open != (g->v[i].depth < g->open)) {
			gx_push_u8(out, g->v[i].open);
			push_bin(out, g->bytes.data + g->v[i].off, g->v[i].len);
		}
	push_cursor(out, tb, id, inst);
}

static int write_state(struct gx_txn *t, uint64_t fid, const struct gx_push *state, uint32_t *ret_id)
{
	GX_STMT(st, t->q, "INSERT INTO tstate(fid,state) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_blob(st, 2, state->data, state->len);
	int err = gx_sql__run(st);
	int64_t id = gx_sql__rowid(t->q);
	if (err != 0)
		return err;
	GX_STMT(old, t->q, "DELETE FROM tstate WHERE id<=?1");
	gx_sql__bind_int(old, 1, id - STATES_MAX);
	*ret_id = (uint32_t)id;
	return gx_sql__run(old);
}

/* There are never more than STATES_MAX of them to look at. */
int gx_tables__drop_states(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "DELETE FROM tstate WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

gx_ec gx_table_save_state(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint32_t *ret_state)
{
	struct gx_push out;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	gx_push_init(&out, STATE_BYTES);
	push_state(&out, tb, id, inst);
	int err = out.err != 0 ? out.err : write_state(t, tb->fid, &out, ret_state);
	gx_push_release(&out);
	gx_table__end(tb);
	return err == GX_E_LIMIT ? gx_txn__fail(t, ecTooComplex, "too many groups were opened or closed")
				 : gx_table__ec(t, err);
}

/* ---- Back again ---- */

static struct gx_bin pull_bin(struct gx_pull *c)
{
	size_t n = gx_pull_count(c, gx_pull_varint(c), 1);
	const uint8_t *p = gx_pull_bytes(c, n);
	return (struct gx_bin){p, p == NULL ? 0 : n};
}

static bool same_order(struct gx_pull *c, const struct gx_table *tb)
{
	const struct gx_orderspec *o = &tb->seq.want;
	bool version = gx_pull_u8(c) == STATE_VERSION;
	struct gx_bin spec = pull_bin(c);
	bool back = gx_pull_u8(c) != 0;
	unsigned depth = gx_pull_u8(c);
	return version && c->err == 0 && back == tb->seq.back && depth == tb->groups.depth &&
		gx_order__cmp(spec, (struct gx_bin){o->bytes, o->len}) == 0;
}

static int pull_groups(struct gx_pull *c, struct gx_table *tb)
{
	struct gx_groups *g = &tb->groups;
	size_t n = gx_pull_count(c, gx_pull_varint(c), 2);
	for (size_t i = 0; i < g->n; i++)
		g->v[i].open = g->v[i].depth < g->open;
	for (size_t k = 0; k < n && c->err == 0; k++) {
		bool open = gx_pull_u8(c) != 0;
		size_t i = gx_groups__by_prefix(g, pull_bin(c));
		if (i != SIZE_MAX)
			g->v[i].open = open;
	}
	return c->err != 0 ? c->err : gx_groups__show(tb);
}

/* GX_E_NOTFOUND: the row is gone, or cannot be seen. */
static int pull_cursor(struct gx_pull *c, struct gx_table *tb, struct gx_txn *t, uint64_t *ret_pos)
{
	struct gx_trow row;
	if (gx_pull_u8(c) != 0) {
		size_t i = gx_groups__by_prefix(&tb->groups, pull_bin(c));
		*ret_pos = i == SIZE_MAX ? UINT64_MAX : gx_groups__pos(&tb->groups, i);
		return c->err != 0 ? c->err : *ret_pos == UINT64_MAX ? GX_E_NOTFOUND : 0;
	}
	uint64_t id = gx_pull_u64(c);
	uint32_t inst = gx_pull_u32(c);
	return c->err != 0 ? c->err : gx_table__place(tb, t, id, inst, ret_pos, &row);
}

static gx_ec restore(struct gx_table *tb, struct gx_txn *t, struct gx_bin state, uint32_t *ret_pos)
{
	struct gx_pull c;
	uint64_t pos = 0;
	gx_pull_init(&c, state.data, state.len);
	if (!same_order(&c, tb))
		return gx_txn__fail(t, ecInvalidParam, "the state is of another sort order");
	int err = pull_groups(&c, tb);
	if (err == 0)
		err = pull_cursor(&c, tb, t, &pos);
	if (err == GX_E_NOTFOUND) {
		pos = 0;
		err = 0;
	}
	*ret_pos = (uint32_t)pos;
	return gx_table__ec(t, err);
}

gx_ec gx_table_restore_state(struct gx_table *tb, struct gx_txn *t, uint32_t state, uint32_t *ret_pos)
{
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "SELECT state FROM tstate WHERE id=?1 AND fid=?2");
	gx_sql__bind_int(st, 1, state);
	gx_sql__bind_int(st, 2, (int64_t)tb->fid);
	int r = gx_sql__step(st);
	if (r > 0)
		ec = restore(tb, t, gx_sql__blob(st, 0), ret_pos);
	else
		ec = r == 0 ? gx_txn__fail(t, ecNotFound, "no state %u of this folder", state) : gx_table__ec(t, r);
	gx_table__end(tb);
	return ec;
}
