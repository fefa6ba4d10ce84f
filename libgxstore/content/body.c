/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/message/msg-int.h"

/*
 * A body is what a message says; copies share it. `shared` has a row only for bodies with more
 * than one message, so that the usual one costs nothing; one that belongs to no message, but is
 * still referred to by an instance, stands there with 0 (pins.c).
 *
 * What a body holds elsewhere, attachments, embedded messages and content objects, never changes but
 * for being added to (a rendered original): instances read it long after they were opened. A message that changes in
 * these gets a new body. Rows of properties and recipients are written in place.
 */

#define DEPTH_MAX 64U

int gx_body__refs(struct gx_txn *t, uint64_t body, uint64_t *ret_refs)
{
	GX_STMT(st, t->q, "SELECT refs FROM shared WHERE body=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	*ret_refs = r > 0 ? gx_sql__u64(st, 0) : 1;
	return 0;
}

static int set_refs(struct gx_txn *t, uint64_t body, uint64_t refs)
{
	if (refs == 1) {
		GX_STMT(st, t->q, "DELETE FROM shared WHERE body=?1");
		gx_sql__bind_int(st, 1, (int64_t)body);
		return gx_sql__run(st);
	}
	GX_STMT(st, t->q, "REPLACE INTO shared(body,refs) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)body);
	gx_sql__bind_int(st, 2, (int64_t)refs);
	return gx_sql__run(st);
}

int gx_body__ref(struct gx_txn *t, uint64_t body)
{
	uint64_t refs;
	int err = gx_body__refs(t, body, &refs);
	return err != 0 ? err : set_refs(t, body, refs + 1);
}

/* @st selects one column of the body that is ?1. */
static int read_column(struct gx_txn *t, struct gx_stmt *st, uint64_t body, struct gx_arena *a, struct gx_bin *ret_b)
{
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	if (r == 0)
		return gx_sql__fail(t->q, GX_E_FORMAT, "%s: body %llx is missing", t->s->file, (unsigned long long)body);
	struct gx_bin b = gx_sql__blob(st, 0);
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		return GX_E_NOMEM;
	*ret_b = (struct gx_bin){p, b.len};
	return 0;
}

int gx_body__skeleton(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_bin *ret_skel)
{
	GX_STMT(st, t->q, "SELECT skeleton FROM body WHERE id=?1");
	return read_column(t, st, body, a, ret_skel);
}

int gx_body__stored(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_bin row;
	GX_STMT(st, t->q, "SELECT props FROM body WHERE id=?1");
	int err = read_column(t, st, body, a, &row);
	*ret_l = (struct gx_proplist){0};
	return err != 0 ? err : gx_prow_unpack(a, row.data, row.len, ret_l);
}

static int delete_rows(struct gx_txn *t, uint64_t body, unsigned depth);

static int delete_embedded(struct gx_txn *t, uint64_t body, unsigned depth)
{
	GX_STMT(st, t->q, "SELECT embedded FROM att WHERE body=?1 AND embedded<>0");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = delete_rows(t, gx_sql__u64(st, 0), depth + 1);
		if (err != 0)
			return err;
	}
	return r;
}

static int delete_rows(struct gx_txn *t, uint64_t body, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return gx_sql__fail(t->q, GX_E_FORMAT, "%s: messages nested too deeply", t->s->file);
	int err = delete_embedded(t, body, depth);
	if (err != 0)
		return err;
	GX_STMT(atts, t->q, "DELETE FROM att WHERE body=?1");
	gx_sql__bind_int(atts, 1, (int64_t)body);
	err = gx_sql__run(atts);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "DELETE FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	return gx_sql__run(st);
}

int gx_body__drop(struct gx_txn *t, uint64_t body)
{
	struct gx_bin skel;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_body__skeleton(t, body, a, &skel);
	if (err == 0) {
		err = gx_content__unref_all(t->c->cio, t->q, skel);
		if (err != 0)
			gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
	}
	gx_arena_free(a);
	if (err == 0)
		err = delete_rows(t, body, 0);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "DELETE FROM mime WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	return gx_sql__run(st);
}

int gx_body__unref(struct gx_txn *t, uint64_t body)
{
	uint64_t refs;
	int err = gx_body__refs(t, body, &refs);
	if (err != 0)
		return err;
	if (refs > 1)
		return set_refs(t, body, refs - 1);
	return gx_pins__mark(t->s, body) ? set_refs(t, body, 0) : gx_body__drop(t, body);
}

static int copy_rows(struct gx_txn *t, uint64_t from, uint64_t to, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return gx_sql__fail(t->q, GX_E_FORMAT, "%s: messages nested too deeply", t->s->file);
	GX_STMT(st, t->q, "INSERT INTO body SELECT ?2,props,rcpts,skeleton FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)from);
	gx_sql__bind_int(st, 2, (int64_t)to);
	int err = gx_sql__run(st), r;
	if (err != 0)
		return err;
	GX_STMT(atts, t->q, "SELECT num,props,embedded FROM att WHERE body=?1");
	gx_sql__bind_int(atts, 1, (int64_t)from);
	while ((r = gx_sql__step(atts)) > 0) {
		uint64_t inner = gx_sql__u64(atts, 2), copy = inner == 0 ? 0 : gx_txn__new_id(t);
		struct gx_bin props = gx_sql__blob(atts, 1);
		GX_STMT(put, t->q, "INSERT INTO att(body,num,props,embedded) VALUES(?1,?2,?3,?4)");
		gx_sql__bind_int(put, 1, (int64_t)to);
		gx_sql__bind_int(put, 2, gx_sql__int(atts, 0));
		gx_sql__bind_blob(put, 3, props.data, props.len);
		gx_sql__bind_int(put, 4, (int64_t)copy);
		err = gx_sql__run(put);
		if (err == 0 && inner != 0)
			err = copy_rows(t, inner, copy, depth + 1);
		if (err != 0)
			return err;
	}
	return r;
}

int gx_body__copy_rows(struct gx_txn *t, uint64_t from, uint64_t to)
{
	return copy_rows(t, from, to, 0);
}

int gx_body__copy_mime(struct gx_txn *t, uint64_t from, uint64_t to)
{
	GX_STMT(st, t->q, "INSERT INTO mime SELECT ?2,size,envelope,structure FROM mime WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)from);
	gx_sql__bind_int(st, 2, (int64_t)to);
	return gx_sql__run(st);
}

int gx_body__own(struct gx_txn *t, struct gx_msg_row *io_row)
{
	uint64_t refs, copy;
	struct gx_bin skel;
	int err = gx_body__refs(t, io_row->body, &refs);
	if (err != 0 || refs <= 1)
		return err;
	copy = gx_txn__new_id(t);
	err = copy_rows(t, io_row->body, copy, 0);
	if (err == 0)
		err = gx_body__copy_mime(t, io_row->body, copy);
	if (err == 0)
		err = gx_body__skeleton(t, copy, t->a, &skel);
	if (err == 0) {
		err = gx_content__ref_all(t->c->cio, t->q, skel);
		if (err != 0)
			gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
	}
	if (err == 0)
		err = set_refs(t, io_row->body, refs - 1);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "UPDATE msg SET body=?2 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)io_row->mid);
	gx_sql__bind_int(st, 2, (int64_t)copy);
	io_row->body = copy;
	return gx_sql__run(st);
}
