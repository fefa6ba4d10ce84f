/* SPDX-License-Identifier: Apache-2.0 */
/* A message made ready for any store: rows packed, large values and the original in content objects. */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/content/cio-int.h"

enum { MIN_ATTACH = 4096, MIN_VALUE = 16384, MAX_DEPTH = 64 };

struct gx_prepare_ctx {
	ZSTD_CCtx *cctx;
};

struct gx_prepare_ctx *gx_prepare_ctx_new(void)
{
	return calloc(1, sizeof(struct gx_prepare_ctx));
}

void gx_prepare_ctx_free(struct gx_prepare_ctx *ctx)
{
	if (ctx != NULL)
		ZSTD_freeCCtx(ctx->cctx);
	free(ctx);
}

struct prep {
	struct gx_build b;
	struct gx_bin original;
	struct gx_build_cand *cands;
	size_t cand_count, cand_cap;
};

static bool inside(const struct prep *p, const struct gx_slice *s)
{
	return s->len <= p->original.len && s->off <= p->original.len - s->len;
}

static int add_cand(struct prep *p, const struct gx_slice_prop *s)
{
	if (s->tag == 0 || !inside(p, &s->slice) || s->slice.len < MIN_ATTACH)
		return 0;
	p->cands = gx_arena_grow(p->b.a, p->cands, &p->cand_cap, p->cand_count + 1, sizeof(*p->cands));
	if (p->cands == NULL)
		return GX_E_NOMEM;
	p->cands[p->cand_count++] = (struct gx_build_cand){.off = s->slice.off, .len = s->slice.len, .base64 = s->slice.cte == GX_CTE_BASE64};
	return 0;
}

static int collect(struct prep *p, const struct gx_msgobj *m, unsigned depth)
{
	int err = depth > MAX_DEPTH ? GX_E_DEPTH : 0;
	for (size_t i = 0; i < sizeof(m->slices) / sizeof(*m->slices) && m->slices[i].tag != 0 && err == 0; ++i)
		err = add_cand(p, &m->slices[i]);
	for (size_t i = 0; i < m->att_count && err == 0; ++i) {
		err = add_cand(p, &m->atts[i].data);
		if (err == 0 && m->atts[i].embedded != NULL)
			err = collect(p, m->atts[i].embedded, depth + 1);
	}
	return err;
}

/* A value too large for a row becomes a content object. @return 1 when it did. */
static int externalise(struct prep *p, struct gx_propval *pv)
{
	struct gx_bin v;
	uint32_t i;
	switch (GX_PROP_TYPE(pv->tag)) {
	case PtypString:
	case PtypString8:
		v = (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)};
		/* Read back as UTF-8, which must not change it. */
		if (v.len < MIN_VALUE || !gx_utf8_valid(pv->v.str, v.len))
			return 0;
		break;
	case PtypBinary:
	case PtypObject:
		v = pv->v.bin;
		break;
	default:
		return 0;
	}
	if (v.len < (GX_PROP_ID(pv->tag) == GX_PROP_ID(PidTagAttachDataBinary) ? MIN_ATTACH : MIN_VALUE))
		return 0;
	int err = gx_build__content(&p->b, v.data, v.len, &i);
	if (err == 0)
		err = gx_extern__put_content(p->b.a, &p->b.contents[i], &pv->v.bin);
	pv->tag |= GX_PROW_EXTERN;
	return err != 0 ? err : 1;
}

static int add_slice(struct prep *p, struct gx_proplist *l, const struct gx_slice_prop *s)
{
	if (s->tag == 0)
		return 0;
	if (!inside(p, &s->slice))
		return GX_E_INVAL;
	union gx_value v;
	if (gx_proplist_get(l, GX_PROP_RETYPE(s->tag, PtypUnspecified)) != NULL)
		return 0;
	int err = gx_extern__put_slice(p->b.a, &s->slice, &v.bin);
	return err != 0 ? err : gx_proplist_set(l, p->b.a, s->tag | GX_PROW_EXTERN, v);
}

static int pack_row(struct prep *p, const struct gx_proplist *props, const struct gx_slice_prop *slices, size_t n, struct gx_bin *ret_row)
{
	struct gx_proplist l = {.count = props->count, .cap = props->count};
	if (l.count != 0) {
		l.v = gx_arena_memdup(p->b.a, props->v, props->count * sizeof(*props->v));
		if (l.v == NULL)
			return GX_E_NOMEM;
	}
	int err = 0;
	for (size_t i = 0; i < l.count && err >= 0; ++i)
		err = externalise(p, &l.v[i]);
	for (size_t i = 0; i < n && slices[i].tag != 0 && err >= 0; ++i)
		err = add_slice(p, &l, &slices[i]);
	if (err < 0)
		return err;
	struct gx_push out = GX_PUSH_INIT;
	err = gx_prow_pack(&out, &l);
	if (err == 0)
		err = gx_push_finish(&out, p->b.a, ret_row);
	gx_push_release(&out);
	return err;
}

static int pack_rcpts(struct prep *p, const struct gx_msgobj *m, struct gx_bin *ret_rcpts)
{
	struct gx_push out = GX_PUSH_INIT, row = GX_PUSH_INIT;
	gx_push_varint(&out, m->rcpt_count);
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		gx_push_clear(&row);
		if (gx_prow_pack(&row, &m->rcpts[i]) != 0)
			gx_push_fail(&out, row.err);
		gx_push_varint(&out, row.len);
		gx_push_bytes(&out, row.data, row.len);
	}
	int err = gx_push_finish(&out, p->b.a, ret_rcpts);
	gx_push_release(&row);
	gx_push_release(&out);
	return err;
}

static int pack_msg(struct prep *p, const struct gx_msgobj *m, unsigned depth, struct gx_prep_msg *ret_m)
{
	struct gx_prep_msg *r = ret_m;
	*r = (struct gx_prep_msg){.obj = m, .att_count = m->att_count};
	r->atts = gx_arena_new_array(p->b.a, struct gx_prep_att, m->att_count);
	if (r->atts == NULL || depth > MAX_DEPTH)
		return r->atts == NULL ? GX_E_NOMEM : GX_E_DEPTH;
	int err = pack_row(p, &m->props, m->slices, sizeof(m->slices) / sizeof(*m->slices), &r->row);
	if (err == 0)
		err = pack_rcpts(p, m, &r->rcpts);
	for (size_t i = 0; i < m->att_count && err == 0; ++i) {
		const struct gx_attach *att = &m->atts[i];
		err = pack_row(p, &att->props, &att->data, 1, &r->atts[i].row);
		if (err != 0 || att->embedded == NULL)
			continue;
		struct gx_prep_msg *e = gx_arena_new_obj(p->b.a, struct gx_prep_msg);
		r->atts[i].embedded = e;
		err = e == NULL ? GX_E_NOMEM : pack_msg(p, att->embedded, depth + 1, e);
	}
	return err;
}

/* [MS-OXCMSG] 2.2.1.7 leaves the way of counting to the server: rows and contents. */
static uint64_t object_size(const struct gx_prep_msg *m)
{
	uint64_t n = m->row.len + m->rcpts.len;
	for (size_t i = 0; i < m->att_count; ++i)
		n += m->atts[i].row.len + (m->atts[i].embedded == NULL ? 0 : object_size(m->atts[i].embedded));
	return n;
}

static int prepare(struct prep *p, const struct gx_msg_source *src, struct gx_msg_prepared *r)
{
	int err = collect(p, src->obj, 0);
	if (err == 0)
		err = pack_msg(p, src->obj, 0, &r->msg);
	r->size = src->original.len;
	if (err == 0 && src->original.data == NULL) {
		r->size = object_size(&r->msg);
		for (size_t i = 0; i < p->b.count; ++i)
			r->size += p->b.contents[i].size;
	}
	if (err == 0)
		err = gx_build__skeleton(&p->b, src->original, p->cands, p->cand_count, &r->skeleton);
	r->contents = p->b.contents;
	r->content_count = p->b.count;
	return err;
}

int gx_msg_prepare(struct gx_arena *a, const struct gx_msg_source *src, struct gx_msg_prepared **ret_p)
{
	if (a == NULL || src == NULL || src->obj == NULL || ret_p == NULL || src->original.len > GX_CONTENT_SIZE_MAX)
		return GX_E_INVAL;
	struct gx_msg_prepared *r = gx_arena_new_obj(a, struct gx_msg_prepared);
	if (r == NULL)
		return GX_E_NOMEM;
	r->arena = a;
	r->original = src->original;
	r->envelope = src->envelope;
	r->bodystructure = src->bodystructure;
	struct gx_prepare_ctx once = {NULL}, *ctx = src->size >= sizeof(*src) && src->ctx != NULL ? src->ctx : &once;
	struct prep p = {.b = {.a = a, .cctx = &ctx->cctx}, .original = src->original};
	int err = prepare(&p, src, r);
	ZSTD_freeCCtx(once.cctx);
	if (err == 0)
		*ret_p = r;
	return err;
}

void gx_msg_prepared_release(struct gx_msg_prepared *p)
{
	/* All of it lies in the arena so far. */
	(void)p;
}

int gx_prep__row(struct gx_push *out, struct gx_arena *a, const struct gx_prep_msg *m, const uint16_t *ids)
{
	gx_push_bytes(out, m->row.data, m->row.len);
	if (m->obj->named_count == 0)
		return out->err;
	struct gx_proplist l = {0};
	for (size_t i = 0; i < m->obj->named_count; ++i) {
		int err = ids[i] == 0 ? 0 : gx_proplist_set(&l, a, GX_PROP_TAG(ids[i], m->obj->named[i].type), m->obj->named[i].v);
		if (err != 0)
			return err;
	}
	/* Named ids are the highest ones, so their entries follow the others; one version byte is enough. */
	struct gx_push named = GX_PUSH_INIT;
	int err = gx_prow_pack(&named, &l);
	if (err == 0)
		gx_push_bytes(out, named.data + 1, named.len - 1);
	gx_push_release(&named);
	return err != 0 ? err : out->err;
}

int gx_prep__put_contents(struct gx_cio *cio, struct gx_sql *q, const struct gx_msg_prepared *p)
{
	for (size_t i = 0; i < p->content_count; ++i) {
		int err = gx_content__put(cio, q, &p->contents[i]);
		if (err != 0)
			return err;
	}
	return 0;
}
