/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged message is read as far as it goes, and what came out is written in its place. Values that
 * lie in the original stay there when it can be had whole, else they are written as values.
 */
#include <config.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/storecheck/sc-int.h"

#define DEPTH_MAX 64U
#define SLICES (sizeof(((struct gx_msgobj *)0)->slices) / sizeof(((struct gx_msgobj *)0)->slices[0]))

struct salvage {
	struct gx_sc *k;
	struct gx_arena *a;
	struct gx_bin skeleton;
	struct gx_push original;  /* what can be had; all of it when whole */
	bool whole;
};

static int copy_blob(struct salvage *x, struct gx_bin b, struct gx_bin *ret_b)
{
	uint8_t *p = gx_arena_memdup(x->a, b.data, b.len);
	*ret_b = (struct gx_bin){p, b.len};
	return p == NULL ? GX_E_NOMEM : 0;
}

/* @slices: where a value may stay in the original. */
static int take_value(
	struct salvage *x, struct gx_propval pv, struct gx_proplist *l, struct gx_slice_prop *slices, size_t nslices)
{
	struct gx_slice s;
	gx_proptag_t tag = pv.tag & ~(gx_proptag_t)GX_PROW_EXTERN;
	if (!(pv.tag & GX_PROW_EXTERN))
		return gx_proplist_set(l, x->a, pv.tag, pv.v);
	if (x->whole && gx_extern__slice(pv.v.bin, &s) && s.off <= x->original.len && s.len <= x->original.len - s.off)
		for (size_t i = 0; i < nslices; i++)
			if (slices[i].tag == 0) {
				slices[i] = (struct gx_slice_prop){.tag = tag, .slice = s};
				return 0;
			}
	union gx_value v;
	int err = gx_extern__resolve(x->k->t->c->cio, x->k->q, x->skeleton, pv.tag, pv.v.bin, x->a, &v);
	if (err == 0)
		err = gx_proplist_set(l, x->a, tag, v);
	return err == GX_E_NOMEM ? err : 0; /* a value that is not there any more is left out */
}

/* Up to the first entry that cannot be read. */
static int take_row(
	struct salvage *x, struct gx_bin row, struct gx_proplist *l, struct gx_slice_prop *slices, size_t nslices)
{
	struct gx_prow_iter it;
	struct gx_propval pv;
	struct gx_bin copy;
	int err = copy_blob(x, row, &copy), r;
	if (err != 0)
		return err;
	if (gx_prow_begin(&it, copy.data, copy.len) != 0)
		return 0;
	while ((r = gx_prow_next(&it, x->a, &pv)) > 0) {
		err = take_value(x, pv, l, slices, nslices);
		if (err != 0)
			return err;
	}
	return r == GX_E_NOMEM ? r : 0;
}

static int take_rcpts(struct salvage *x, struct gx_bin b, struct gx_msgobj *m)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	uint64_t count = b.len == 0 ? 0 : gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 1);
	for (size_t i = 0; i < n && c.err == 0; i++) {
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		struct gx_proplist *l = p == NULL ? NULL : gx_msgobj_add_rcpt(m, x->a);
		if (p == NULL)
			return 0;
		int err = l == NULL ? GX_E_NOMEM : take_row(x, (struct gx_bin){p, len}, l, NULL, 0);
		if (err != 0)
			return err;
	}
	return 0;
}

static int take_body(struct salvage *x, uint64_t id, unsigned depth, struct gx_msgobj **ret_m);

static int take_atts(struct salvage *x, uint64_t id, unsigned depth, struct gx_msgobj *m)
{
	GX_STMT(st, x->k->q, "SELECT props,embedded FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_attach *at = gx_msgobj_add_attach(m, x->a);
		if (at == NULL)
			return GX_E_NOMEM;
		size_t i = m->att_count - 1;
		struct gx_msgobj *inner = NULL;
		int err = take_row(x, gx_sql__blob(st, 0), &at->props, &at->data, 1);
		if (err == 0 && gx_sql__int(st, 1) != 0)
			err = take_body(x, gx_sql__u64(st, 1), depth + 1, &inner);
		if (err != 0)
			return err;
		m->atts[i].embedded = inner;
	}
	return r;
}

static int take_body(struct salvage *x, uint64_t id, unsigned depth, struct gx_msgobj **ret_m)
{
	*ret_m = NULL;
	if (depth > DEPTH_MAX)
		return 0;
	struct gx_msgobj *m = gx_msgobj_new(x->a);
	if (m == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, x->k->q, "SELECT props,rcpts FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	int err = take_row(x, gx_sql__blob(st, 0), &m->props, m->slices, SLICES);
	if (err == 0)
		err = take_rcpts(x, gx_sql__blob(st, 1), m);
	if (err == 0 && gx_proplist_get(&m->props, PidTagMessageClass) == NULL)
		err = gx_proplist_set_str(&m->props, x->a, PidTagMessageClass, "IPM.Note");
	if (err == 0)
		err = take_atts(x, id, depth, m);
	*ret_m = m;
	return err;
}

/* ---- Rows go and come ---- */

static int remove_rows(struct gx_sc *k, uint64_t id, unsigned depth)
{
	int err = gx_sc__set_aside(k, "body", "id=?1", id), r;
	if (err == 0)
		err = gx_sc__set_aside(k, "att", "body=?1", id);
	if (err != 0 || depth > DEPTH_MAX)
		return err;
	{
		GX_STMT(st, k->q, "SELECT embedded FROM att WHERE body=?1 AND embedded<>0");
		gx_sql__bind_int(st, 1, (int64_t)id);
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = remove_rows(k, gx_sql__u64(st, 0), depth + 1);
		if (err != 0 || r < 0)
			return err != 0 ? err : r;
	}
	err = gx_sc__run(k, "DELETE FROM att WHERE body=?1", id, 0);
	return err != 0 ? err : gx_sc__run(k, "DELETE FROM body WHERE id=?1", id, 0);
}

static int load(struct salvage *x, uint64_t id, struct gx_msg_source *src)
{
	struct gx_sc *k = x->k;
	int err = gx_body__skeleton(k->t, id, x->a, &x->skeleton);
	if (err != 0)
		return err;
	x->whole = gx_original__read(k->t->c->cio, k->q, x->skeleton, 0, UINT64_MAX, &x->original) == 0 && x->original.len > 0;
	GX_STMT(st, k->q, "SELECT envelope,structure FROM mime WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = gx_sql__step(st);
	if (r <= 0) /* the check of originals makes it again */
		return r;
	err = copy_blob(x, gx_sql__blob(st, 0), &src->envelope);
	return err != 0 ? err : copy_blob(x, gx_sql__blob(st, 1), &src->bodystructure);
}

static int write_messages(struct gx_sc *k, uint64_t id, const struct gx_msg_prepared *p)
{
	uint32_t bits = (p->msg.att_count > 0 ? GX_MSGF_HASATTACH : 0) | (p->original.data != NULL ? GX_MSGF_HASORIG : 0);
	int err = gx_sc__run(k, "UPDATE msg SET flags=(flags&~0xc00)|?2 WHERE " GX_SC_OF_BODY("?1"), id, bits);
	if (err == 0)
		err = gx_sc__run(k, "UPDATE msg SET size=?2 WHERE " GX_SC_OF_BODY("?1"), id, p->size);
	if (err == 0)
		err = gx_fts__changed(k->t, id, gx_txn__new_cn(k->t));
	GX_STMT(st, k->q, "SELECT mid,fid FROM msg WHERE " GX_SC_OF_BODY("?1"));
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		err = gx_sc__run(k, "UPDATE msg SET cn=?2, modseq=?2 WHERE mid=?1", gx_sql__u64(st, 0), gx_txn__new_cn(k->t));
		if (err == 0)
			err = gx_sc__distrust(k, gx_sql__u64(st, 1));
	}
	return err != 0 ? err : r;
}

static int replace(struct salvage *x, uint64_t id, const struct gx_msg_prepared *p)
{
	struct gx_sc *k = x->k;
	int err = remove_rows(k, id, 0);
	if (err == 0)
		err = gx_prep__put_contents(k->t->c->cio, k->q, p);
	if (err == 0)
		err = gx_body__insert(k->t, id, &p->msg, p->skeleton);
	if (err == 0 && p->original.data == NULL) {
		err = gx_sc__set_aside(k, "mime", "id=?1", id);
		err = err != 0 ? err : gx_sc__run(k, "DELETE FROM mime WHERE id=?1", id, 0);
	}
	return err != 0 ? err : write_messages(k, id, p);
}

int gx_sc__rebuild_body(struct gx_sc *k, uint64_t id)
{
	struct salvage x = {.k = k, .a = gx_arena_new(0)};
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p = NULL;
	struct gx_msgobj *m = NULL;
	if (x.a == NULL)
		return GX_E_NOMEM;
	int err = load(&x, id, &src);
	if (err == 0)
		err = take_body(&x, id, 0, &m);
	if (err == 0) {
		src.obj = m;
		if (x.whole)
			src.original = (struct gx_bin){x.original.data, x.original.len};
		err = gx_msg_prepare(x.a, &src, &p);
	}
	if (err == 0)
		err = replace(&x, id, p);
	gx_msg_prepared_release(p);
	gx_push_release(&x.original);
	gx_arena_free(x.a);
	return err;
}
