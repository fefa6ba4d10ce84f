/* SPDX-License-Identifier: Apache-2.0 */
/* Values of packed rows that are kept elsewhere: slices of the original, content objects. */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/content/cio-int.h"

int gx_extern__put_slice(struct gx_arena *a, const struct gx_slice *s, struct gx_bin *ret_ext)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_push_u8(&out, GX_EXTERN_SLICE);
	gx_push_varint(&out, s->off);
	gx_push_varint(&out, s->len);
	gx_push_u8(&out, s->cte);
	gx_push_varint(&out, s->cp);
	int err = gx_push_finish(&out, a, ret_ext);
	gx_push_release(&out);
	return err;
}

int gx_extern__put_content(struct gx_arena *a, const struct gx_content_new *c, struct gx_bin *ret_ext)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_push_u8(&out, GX_EXTERN_CONTENT);
	gx_push_bytes(&out, c->hash, GX_HASH_LEN);
	gx_push_varint(&out, c->size);
	int err = gx_push_finish(&out, a, ret_ext);
	gx_push_release(&out);
	return err;
}

int gx_extern__parse(struct gx_bin bytes, struct gx_extern *e)
{
	struct gx_pull c;
	gx_pull_init(&c, bytes.data, bytes.len);
	*e = (struct gx_extern){.kind = gx_pull_u8(&c)};
	if (e->kind == GX_EXTERN_SLICE) {
		e->slice.off = gx_pull_varint(&c);
		e->slice.len = gx_pull_varint(&c);
		e->slice.cte = gx_pull_u8(&c);
		uint64_t cp = gx_pull_varint(&c);
		e->slice.cp = (uint32_t)cp;
		if (e->slice.cte > GX_CTE_UNKNOWN || cp > UINT32_MAX)
			gx_pull_fail(&c, GX_E_FORMAT);
	} else if (e->kind == GX_EXTERN_CONTENT) {
		e->hash = gx_pull_bytes(&c, GX_HASH_LEN);
		e->size = gx_pull_varint(&c);
	} else {
		gx_pull_fail(&c, GX_E_FORMAT);
	}
	if (c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	return c.err;
}

int gx_extern__size(struct gx_bin ext, uint64_t *ret_size)
{
	struct gx_extern e;
	int err = gx_extern__parse(ext, &e);
	if (err == 0)
		*ret_size = e.kind == GX_EXTERN_SLICE ? e.slice.len : e.size;
	return err;
}

bool gx_extern__slice(struct gx_bin ext, struct gx_slice *ret_s)
{
	struct gx_extern e;
	if (gx_extern__parse(ext, &e) != 0 || e.kind != GX_EXTERN_SLICE)
		return false;
	*ret_s = e.slice;
	return true;
}

int gx_extern__check(struct gx_bin ext, const struct gx_skel *s)
{
	struct gx_extern e;
	int err = gx_extern__parse(ext, &e);
	if (err != 0)
		return err;
	if (e.kind == GX_EXTERN_SLICE)
		return e.slice.off <= s->size && e.slice.len <= s->size - e.slice.off ? 0 : GX_E_FORMAT;
	for (size_t i = 0; i < s->content_count; ++i)
		if (memcmp(s->contents[i].hash, e.hash, GX_HASH_LEN) == 0)
			return 0;
	return GX_E_FORMAT;
}

/* A whole content object, with a NUL behind it. */
static int load_content(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash, struct gx_arena *a, struct gx_bin *ret_bin)
{
	struct gx_content_ref r;
	int err = gx_content__open(cio, q, hash, &r);
	if (err != 0)
		return err;
	uint8_t *p = r.size >= SIZE_MAX ? NULL : gx_arena_alloc(a, (size_t)r.size + 1);
	err = p == NULL ? gx_cio__fail(cio, GX_E_NOMEM, "%s: out of memory", cio->dir) : gx_content__get(&r, 0, (size_t)r.size, p);
	if (err == 0) {
		p[r.size] = '\0';
		*ret_bin = (struct gx_bin){p, (size_t)r.size};
	}
	gx_content__close(&r);
	return err;
}

/* base64 slices that are one content object: the decoded bytes lie ready. */
const struct gx_skel_content *gx_extern__decoded(const struct gx_skel *s, const struct gx_slice *slice)
{
	if (slice->off >= s->size)
		return NULL;
	const struct gx_skel_seg *g = &s->segs[gx_skel__find(s, slice->off)];
	bool fits = g->off == slice->off && g->len == slice->len;
	bool kind = g->kind == GX_SEG_BASE64 ? slice->cte == GX_CTE_BASE64 : g->kind == GX_SEG_IDENTITY && slice->cte <= GX_CTE_BINARY;
	return fits && kind ? &s->contents[g->content] : NULL;
}

static int load_slice(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton, const struct gx_slice *s, struct gx_arena *a,
	struct gx_bin *ret_bin)
{
	struct gx_skel skel;
	const struct gx_skel_content *c = NULL;
	if (s->len >= 4096 && gx_skel__parse(a, skeleton, &skel) == 0)
		c = gx_extern__decoded(&skel, s);
	if (c != NULL)
		return load_content(cio, q, c->hash, a, ret_bin);
	struct gx_push text = GX_PUSH_INIT;
	int err = gx_original__read(cio, q, skeleton, s->off, s->len, &text);
	if (err == 0 && text.len != s->len)
		err = gx_cio__fail(cio, GX_E_FORMAT, "%s: a property lies outside of its message", cio->dir);
	if (err == 0)
		err = gx_decode(a, s->cte, text.data, text.len, ret_bin);
	gx_push_release(&text);
	return err;
}

int gx_extern__resolve(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton, gx_proptag_t tag, struct gx_bin ext,
	struct gx_arena *a, union gx_value *ret_v)
{
	struct gx_extern e;
	struct gx_bin bytes = {NULL, 0};
	uint16_t type = GX_PROP_TYPE(tag) & ~GX_PROW_EXTERN;
	int err = gx_extern__parse(ext, &e);
	if (err != 0)
		return gx_cio__fail(cio, err, "%s: property %08x is damaged", cio->dir, (unsigned)tag);
	err = e.kind == GX_EXTERN_SLICE ? load_slice(cio, q, skeleton, &e.slice, a, &bytes) : load_content(cio, q, e.hash, a, &bytes);
	if (err != 0)
		return err;
	if (type != PtypString && type != PtypString8) {
		ret_v->bin = bytes;
		return 0;
	}
	uint32_t cp = e.kind == GX_EXTERN_SLICE ? e.slice.cp : GX_CP_UTF8;
	char *s;
	err = gx_cp_to_utf8(a, cp, bytes.data, bytes.len, &s, NULL, NULL);
	if (err == 0)
		ret_v->str = s;
	return err;
}
