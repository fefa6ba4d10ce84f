/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/*
 * A message out of memory into rows. What did not change is copied as bytes; contents are referred to
 * by hash, so that neither an attachment of 50 MB nor its hash is looked at again when the
 * subject changes.
 *
 * In place, or as a new body? What a body holds elsewhere never changes (body.c), so only properties
 * and recipients of a message that owns its body are written in place, when no content goes and the
 * original, if there is one, stays.
 */

/* ---- The contents that the message refers to ---- */

struct need {
	uint8_t hash[GX_HASH_LEN];
	uint64_t size;
	const struct gx_content_new *new;  /* NULL: it is stored */
};
struct writing {
	struct gx_istore *w;
	struct gx_txn *t;
	struct gx_arena *a;
	ZSTD_CCtx *cctx;
	const struct gx_isrc *base;   /* whose slices stay slices; NULL none */
	struct need *needs;
	size_t nneeds, needs_cap;
	uint32_t *slots;              /* hash table: index + 1 */
	size_t nslots;
	uint64_t row_bytes;
};

static size_t slot_of(const struct writing *x, const uint8_t *hash)
{
	uint64_t h;
	memcpy(&h, hash, sizeof(h));
	size_t i = (size_t)h & (x->nslots - 1);
	while (x->slots[i] != 0 && memcmp(x->needs[x->slots[i] - 1].hash, hash, GX_HASH_LEN) != 0)
		i = (i + 1) & (x->nslots - 1);
	return i;
}

static int more_slots(struct writing *x)
{
	size_t n = x->nslots == 0 ? 64 : x->nslots * 2;
	x->slots = gx_arena_new_array(x->a, uint32_t, n);
	if (x->slots == NULL)
		return GX_E_NOMEM;
	x->nslots = n;
	for (size_t i = 0; i < x->nneeds; i++)
		x->slots[slot_of(x, x->needs[i].hash)] = (uint32_t)i + 1;
	return 0;
}

static int need(struct writing *x, const uint8_t *hash, uint64_t size, const struct gx_content_new *new)
{
	int err = x->nneeds * 2 >= x->nslots ? more_slots(x) : 0;
	if (err != 0)
		return err;
	size_t i = slot_of(x, hash);
	if (x->slots[i] != 0)
		return 0;
	struct need *v = gx_arena_grow(x->a, x->needs, &x->needs_cap, x->nneeds + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	x->needs = v;
	struct need *k = &v[x->nneeds++];
	memcpy(k->hash, hash, GX_HASH_LEN);
	k->size = size;
	k->new = new;
	x->slots[i] = (uint32_t)x->nneeds;
	return 0;
}

static bool is_needed(const struct writing *x, const uint8_t *hash)
{
	return x->nslots > 0 && x->slots[slot_of(x, hash)] != 0;
}

/* ---- Values ---- */

static void push_content(struct gx_push *out, gx_proptag_t tag, const uint8_t *hash, uint64_t size)
{
	struct gx_push ext = GX_PUSH_INIT;
	gx_push_u8(&ext, GX_EXTERN_CONTENT);
	gx_push_bytes(&ext, hash, GX_HASH_LEN);
	gx_push_varint(&ext, size);
	gx_push_u32(out, tag | GX_PROW_EXTERN);
	gx_push_varint(out, ext.len);
	gx_push_bytes(out, ext.data, ext.len);
	if (ext.err != 0)
		gx_push_fail(out, ext.err);
	gx_push_release(&ext);
}

static int put_blob(struct writing *x, struct gx_push *out, const struct gx_ival *v)
{
	int err = gx_blob__pack(v->blob, &x->cctx);
	if (err == 0)
		err = need(x, v->blob->content.hash, v->blob->size, &v->blob->content);
	if (err == 0)
		push_content(out, v->tag, v->blob->content.hash, v->blob->size);
	return err != 0 ? err : out->err;
}

/* A value that was a piece of an original which goes, and is no content object yet. */
static int put_value(struct writing *x, struct gx_push *out, const struct gx_ival *v)
{
	struct gx_propval pv;
	int err = gx_ival__get(x->t, v, x->a, &pv);
	if (err != 0)
		return err;
	bool text = GX_PROP_TYPE(pv.tag) == PtypString;
	struct gx_bin b = text ? (struct gx_bin){(const uint8_t *)pv.v.str, strlen(pv.v.str)} : pv.v.bin;
	if (b.len < gx_ival__apart(pv.tag)) {
		const struct gx_proplist one = {.v = &pv, .count = 1, .cap = 1};
		struct gx_push row = GX_PUSH_INIT;
		err = gx_prow_pack(&row, &one);
		if (err == 0)
			gx_push_bytes(out, row.data + 1, row.len - 1);
		gx_push_release(&row);
		return err != 0 ? err : out->err;
	}
	struct gx_content_new *c = gx_arena_new_obj(x->a, struct gx_content_new);
	if (c == NULL)
		return GX_E_NOMEM;
	c->size = b.len;
	gx_content__hash(b.data, b.len, c->hash);
	err = gx_pack__pack(x->a, &x->cctx, b.data, b.len, &c->comp, &c->packed);
	if (err == 0)
		err = need(x, c->hash, c->size, c);
	if (err == 0)
		push_content(out, pv.tag, c->hash, c->size);
	return err != 0 ? err : out->err;
}

static int put_stored(struct writing *x, struct gx_push *out, const struct gx_ival *v)
{
	struct gx_propval pv;
	struct gx_extern e;
	struct gx_iplace place;
	int err = gx_prow_entry((struct gx_bin){v->p, v->len}, x->a, &pv);
	if (err == 0)
		err = gx_extern__parse(pv.v.bin, &e);
	if (err != 0)
		return err;
	if (e.kind == GX_EXTERN_SLICE && (v->src != NULL && x->base != NULL && v->src->body == x->base->body)) {
		gx_push_bytes(out, v->p, v->len);
		return out->err;
	}
	err = gx_isrc__place(v->src, v->tag, pv.v.bin, &place);
	if (err != 0 || place.how != GX_PLACE_CONTENT)
		return err != 0 ? err : put_value(x, out, v);
	err = need(x, place.hash, place.size, NULL);
	push_content(out, v->tag & ~(gx_proptag_t)GX_PROW_EXTERN, place.hash, place.size);
	return err != 0 ? err : out->err;
}

/* Ids are ascending in memory, tags in rows: the same but for what is held elsewhere, whose type has a bit more. */
static int put_props(struct writing *x, struct gx_push *out, const struct gx_iprops *l)
{
	int err = 0;
	gx_push_u8(out, GX_PROW_VERSION);
	for (size_t i = 0; err == 0 && i < l->n; i++) {
		const struct gx_ival *v = &l->v[i];
		if (v->blob != NULL) {
			err = put_blob(x, out, v);
		} else if (v->tag & GX_PROW_EXTERN) {
			err = put_stored(x, out, v);
		} else {
			gx_push_bytes(out, v->p, v->len);
			err = out->err;
		}
	}
	x->row_bytes += out->len;
	return err;
}

/* ---- Recipients ---- */

static int renumbered(struct gx_push *out, struct gx_arena *a, const struct gx_ircpt *r)
{
	struct gx_proplist l = {0};
	int err = gx_prow_unpack(a, r->p, r->len, &l);
	if (err == 0)
		err = gx_proplist_set_i32(&l, a, PidTagRowid, (int32_t)r->row_id);
	return err != 0 ? err : gx_prow_pack(out, &l);
}

static int put_rcpts(struct writing *x, struct gx_push *out, const struct gx_imsg *m)
{
	struct gx_push row = GX_PUSH_INIT;
	int err = 0;
	gx_push_varint(out, m->nrcpts);
	for (size_t i = 0; err == 0 && i < m->nrcpts; i++) {
		const struct gx_ircpt *r = &m->rcpts[i];
		struct gx_propval pv;
		struct gx_bin b = {r->p, r->len};
		err = gx_prow_find(r->p, r->len, PidTagRowid, x->a, &pv);
		bool said = err == 0 && (uint32_t)pv.v.i32 == r->row_id;
		err = err == GX_E_NOTFOUND ? 0 : err;
		if (err == 0 && !said && r->row_id != i) {
			gx_push_clear(&row);
			err = renumbered(&row, x->a, r);
			b = (struct gx_bin){row.data, row.len};
		}
		gx_push_varint(out, b.len);
		gx_push_bytes(out, b.data, b.len);
	}
	gx_push_release(&row);
	x->row_bytes += out->len;
	return err != 0 ? err : out->err;
}

/* ---- Rows made ready: contents are known only when all rows were looked at ---- */

struct ready_att {
	uint32_t num;
	struct gx_bin props;
	struct ready_msg *embedded;
};
struct ready_msg {
	struct gx_bin props, rcpts;
	struct ready_att *atts;
	size_t natts;
};

static int finish(struct writing *x, struct gx_push *out, int err, struct gx_bin *ret_b)
{
	if (err == 0)
		err = gx_push_finish(out, x->a, ret_b);
	gx_push_release(out);
	return err;
}

static int make_ready(struct writing *x, const struct gx_imsg *m, bool atts, unsigned depth, struct ready_msg *r)
{
	struct gx_push out = GX_PUSH_INIT;
	if (depth > GX_INST_DEPTH_MAX)
		return GX_E_DEPTH;
	*r = (struct ready_msg){.natts = atts ? m->natts : 0};
	int err = finish(x, &out, put_props(x, &out, &m->props), &r->props);
	if (err == 0) {
		out = (struct gx_push)GX_PUSH_INIT;
		err = finish(x, &out, put_rcpts(x, &out, m), &r->rcpts);
	}
	r->atts = gx_arena_new_array(x->a, struct ready_att, r->natts);
	if (err == 0 && r->atts == NULL)
		err = GX_E_NOMEM;
	for (size_t i = 0; err == 0 && i < r->natts; i++) {
		const struct gx_iatt *at = m->atts[i];
		r->atts[i].num = at->num;
		out = (struct gx_push)GX_PUSH_INIT;
		err = finish(x, &out, put_props(x, &out, &at->props), &r->atts[i].props);
		if (err != 0 || at->embedded == NULL)
			continue;
		r->atts[i].embedded = gx_arena_new_obj(x->a, struct ready_msg);
		err = r->atts[i].embedded == NULL ? GX_E_NOMEM : make_ready(x, at->embedded, true, depth + 1, r->atts[i].embedded);
	}
	return err;
}

/* ---- Skeletons ---- */

/* The list of contents, with the segments of @old if the original stays. */
static int make_skeleton(struct writing *x, struct gx_bin old, struct gx_bin *ret_skel)
{
	struct gx_skel s = {0};
	size_t segs = 0;
	int err = 0;
	if (x->w->has_original) {
		err = gx_skel__parse(x->a, old, &s);
		for (size_t i = 0; err == 0 && i < s.seg_count; i++)
			if (s.segs[i].kind != GX_SEG_LITERAL) {
				const struct gx_skel_content *c = &s.contents[s.segs[i].content];
				err = need(x, c->hash, c->size, NULL);
			}
		segs = s.seg_count;
	}
	for (size_t i = 0; err == 0 && i < segs; i++)
		if (s.segs[i].kind != GX_SEG_LITERAL)
			s.segs[i].content = x->slots[slot_of(x, s.contents[s.segs[i].content].hash)] - 1;
	if (err != 0)
		return err;
	s.content_count = x->nneeds;
	s.contents = gx_arena_new_array(x->a, struct gx_skel_content, x->nneeds);
	if (s.contents == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < x->nneeds; i++)
		s.contents[i] = (struct gx_skel_content){.hash = x->needs[i].hash, .size = x->needs[i].size};
	return gx_skel__write(x->a, &s, ret_skel);
}

static int count_contents(struct writing *x, const struct writing *but)
{
	struct gx_txn *t = x->t;
	for (size_t i = 0; i < x->nneeds; i++) {
		const struct need *k = &x->needs[i];
		if (but != NULL && is_needed(but, k->hash))
			continue;
		int err = k->new != NULL ? gx_content__put(t->c->cio, t->q, k->new) : gx_content__ref(t->c->cio, t->q, k->hash);
		if (err != 0)
			return gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
	}
	return 0;
}

/* ---- Rows ---- */

static int insert_body(struct gx_txn *t, uint64_t id, const struct ready_msg *r, struct gx_bin skel)
{
	{
		GX_STMT(st, t->q, "INSERT INTO body(id,props,rcpts,skeleton) VALUES(?1,?2,?3,?4)");
		gx_sql__bind_int(st, 1, (int64_t)id);
		gx_sql__bind_blob(st, 2, r->props.data, r->props.len);
		gx_sql__bind_blob(st, 3, r->rcpts.data, r->rcpts.len);
		gx_sql__bind_blob(st, 4, skel.data, skel.len);
		int err = gx_sql__run(st);
		if (err != 0)
			return err;
	}
	for (size_t i = 0; i < r->natts; i++) {
		const struct ready_att *at = &r->atts[i];
		uint64_t embedded = at->embedded == NULL ? 0 : gx_txn__new_id(t);
		GX_STMT(st, t->q, "INSERT INTO att(body,num,props,embedded) VALUES(?1,?2,?3,?4)");
		gx_sql__bind_int(st, 1, (int64_t)id);
		gx_sql__bind_int(st, 2, at->num);
		gx_sql__bind_blob(st, 3, at->props.data, at->props.len);
		gx_sql__bind_int(st, 4, (int64_t)embedded);
		int err = gx_sql__run(st);
		if (err == 0 && embedded != 0)
			err = insert_body(t, embedded, at->embedded, (struct gx_bin){NULL, 0});
		if (err != 0)
			return err;
	}
	return 0;
}

static uint64_t total(const struct writing *x)
{
	uint64_t n = x->row_bytes;
	for (size_t i = 0; i < x->nneeds; i++)
		n += x->needs[i].size;
	return n;
}

static int write_new(struct writing *x, struct gx_bin old_skel)
{
	struct gx_istore *w = x->w;
	struct ready_msg r;
	struct gx_bin skel;
	int err = gx_imsg__load_all(x->t, w->m, 0);
	if (err == 0)
		err = make_ready(x, w->m, true, 0, &r);
	if (err != 0)
		return err;
	w->size = total(x);
	err = make_skeleton(x, old_skel, &skel);
	if (err == 0)
		err = count_contents(x, NULL);
	if (err != 0)
		return err;
	w->body = w->new_body != 0 ? w->new_body : gx_txn__new_id(x->t);
	err = insert_body(x->t, w->body, &r, skel);
	if (err == 0 && w->has_original)
		err = gx_body__copy_mime(x->t, w->old_body, w->body);
	return err;
}

/* ---- In place ---- */

/* Is everything that the stored row holds elsewhere still held? */
static int nothing_goes(struct writing *x, bool *ret_yes)
{
	struct gx_proplist stored;
	int err = gx_body__stored(x->t, x->w->old_body, x->a, &stored);
	*ret_yes = err == 0;
	for (size_t i = 0; err == 0 && *ret_yes && i < stored.count; i++) {
		const struct gx_propval *pv = &stored.v[i];
		if (!(pv->tag & GX_PROW_EXTERN))
			continue;
		const struct gx_ival *v = gx_iprops__find(&x->w->m->props, pv->tag);
		struct gx_propval mine;
		*ret_yes = v != NULL && v->p != NULL && v->tag == pv->tag && gx_prow_entry((struct gx_bin){v->p, v->len}, x->a, &mine) == 0 &&
			mine.v.bin.len == pv->v.bin.len && memcmp(mine.v.bin.data, pv->v.bin.data, pv->v.bin.len) == 0;
	}
	return err;
}

static int can_update(struct writing *x, bool original, bool *ret_can)
{
	struct gx_istore *w = x->w;
	uint64_t refs;
	int err = gx_body__refs(x->t, w->old_body, &refs);
	*ret_can = false;
	if (err != 0 || refs != 1 || w->m->body != w->old_body || (w->m->dirty & GX_IDIRTY_ATTS) ||
		(original && !w->has_original))
		return err;
	return nothing_goes(x, ret_can);
}

/* Contents of the skeleton as it is, so that only new ones are counted. */
static int already(struct writing *have, struct gx_bin skel)
{
	struct gx_skel s;
	int err = gx_skel__contents(have->a, skel, &s);
	for (size_t i = 0; err == 0 && i < s.content_count; i++)
		err = need(have, s.contents[i].hash, s.contents[i].size, NULL);
	return err;
}

static int update_row(struct writing *x, const struct ready_msg *r, struct gx_bin skel)
{
	GX_STMT(st, x->t->q, "UPDATE body SET props=?2, rcpts=?3, skeleton=?4 WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)x->w->old_body);
	gx_sql__bind_blob(st, 2, r->props.data, r->props.len);
	gx_sql__bind_blob(st, 3, r->rcpts.data, r->rcpts.len);
	gx_sql__bind_blob(st, 4, skel.data, skel.len);
	return gx_sql__run(st);
}

static int att_bytes(struct gx_txn *t, uint64_t body, unsigned depth, uint64_t *io_n)
{
	GX_STMT(st, t->q, "SELECT length(a.props),a.embedded,length(b.props)+length(b.rcpts) FROM att a LEFT JOIN body b ON b.id=a.embedded"
		" WHERE a.body=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		*io_n += gx_sql__u64(st, 0) + gx_sql__u64(st, 2);
		int err = gx_sql__u64(st, 1) == 0 || depth >= GX_INST_DEPTH_MAX ? 0 : att_bytes(t, gx_sql__u64(st, 1), depth + 1, io_n);
		if (err != 0)
			return err;
	}
	return r;
}

/* What is listed stays listed, in its order, and new contents follow: segments go by index. */
static int update(struct writing *x, struct gx_bin old_skel)
{
	struct writing have = {.w = x->w, .t = x->t, .a = x->a};
	struct ready_msg r;
	struct gx_bin skel;
	int err = already(&have, old_skel);
	for (size_t i = 0; err == 0 && i < have.nneeds; i++)
		err = need(x, have.needs[i].hash, have.needs[i].size, NULL);
	if (err == 0)
		err = make_ready(x, x->w->m, false, 0, &r);
	if (err == 0)
		err = att_bytes(x->t, x->w->old_body, 0, &x->row_bytes);
	x->w->size = total(x);
	if (err == 0)
		err = make_skeleton(x, old_skel, &skel);
	if (err == 0)
		err = count_contents(x, &have);
	x->w->body = x->w->old_body;
	return err != 0 ? err : update_row(x, &r, skel);
}

/* ---- */

static int store(struct writing *x)
{
	struct gx_istore *w = x->w;
	struct gx_bin skel = {NULL, 0};
	uint64_t original = 0;
	bool in_place = false;
	int err = w->old_body == 0 ? 0 : gx_body__skeleton(x->t, w->old_body, x->a, &skel);
	if (err == 0 && skel.len > 0)
		err = gx_original__size(skel, &original);
	if (err != 0)
		return err;
	/* Slices are of the original of the body that was opened; one that was rendered since has none. */
	const struct gx_isrc *src = w->m->src;
	w->has_original = w->keep_original && original > 0 && src != NULL && (src->body == w->old_body || src->parsed.size == 0);
	x->base = w->has_original && src->body == w->old_body ? src : NULL;
	if (w->old_body != 0)
		err = can_update(x, original > 0, &in_place);
	if (err != 0)
		return err;
	return in_place ? update(x, skel) : write_new(x, skel);
}

int gx_istore__write(struct gx_istore *w)
{
	struct writing x = {.w = w, .t = w->t, .a = gx_arena_new(0)};
	int err = x.a == NULL ? GX_E_NOMEM : store(&x);
	ZSTD_freeCCtx(x.cctx);
	gx_arena_free(x.a);
	return err;
}

/* ---- Packing ahead ---- */

static int pack_props(struct gx_iprops *l, ZSTD_CCtx **io_cctx)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < l->n; i++)
		if (l->v[i].blob != NULL)
			err = gx_blob__pack(l->v[i].blob, io_cctx);
	return err;
}

int gx_iatt__pack(struct gx_iatt *x, ZSTD_CCtx **io_cctx)
{
	int err = pack_props(&x->props, io_cctx);
	return err == 0 && x->embedded != NULL ? gx_imsg__pack(x->embedded, io_cctx) : err;
}

int gx_imsg__pack(struct gx_imsg *m, ZSTD_CCtx **io_cctx)
{
	int err = pack_props(&m->props, io_cctx);
	for (size_t i = 0; err == 0 && i < m->natts; i++)
		err = gx_iatt__pack(m->atts[i], io_cctx);
	return err;
}
