/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/instance/inst-int.h"

/*
 * Properties of instances. Each is a piece of a packed row as it was loaded or set, so that loading
 * and saving copy bytes and read no values; copies of an instance share the pieces.
 */

/* ---- Memory ---- */

struct gx_iacct *gx_iacct__new(const struct gx_store *s)
{
	struct gx_iacct *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	atomic_init(&c->refs, 1);
	atomic_init(&c->used, 0);
	c->limit = GX_INST_MEMORY_MAX;
	c->fs = s->fs;
	c->dir = strdup(s->dir);
	if (c->dir != NULL)
		return c;
	free(c);
	return NULL;
}

struct gx_iacct *gx_iacct__ref(struct gx_iacct *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void gx_iacct__unref(struct gx_iacct *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	free(c->dir);
	free(c);
}

int gx_iacct__take(struct gx_iacct *c, size_t n)
{
	size_t was = atomic_fetch_add(&c->used, n);
	if (n <= c->limit && was <= c->limit - n)
		return 0;
	atomic_fetch_sub(&c->used, n);
	return GX_E_LIMIT;
}

void gx_iacct__give(struct gx_iacct *c, size_t n)
{
	atomic_fetch_sub(&c->used, n);
}

int gx_ibuf__new(struct gx_iacct *c, const void *p, size_t n, struct gx_ibuf **ret_b)
{
	int err = n > SIZE_MAX - sizeof(struct gx_ibuf) ? GX_E_LIMIT : gx_iacct__take(c, n);
	if (err != 0)
		return err;
	struct gx_ibuf *b = malloc(sizeof(*b) + n);
	if (b == NULL) {
		gx_iacct__give(c, n);
		return GX_E_NOMEM;
	}
	atomic_init(&b->refs, 1);
	b->acct = gx_iacct__ref(c);
	b->len = n;
	if (n > 0)
		memcpy(b->b, p, n);
	*ret_b = b;
	return 0;
}

struct gx_ibuf *gx_ibuf__ref(struct gx_ibuf *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void gx_ibuf__unref(struct gx_ibuf *b)
{
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) > 1)
		return;
	gx_iacct__give(b->acct, b->len);
	gx_iacct__unref(b->acct);
	free(b);
}

/* ---- One value ---- */

static void release(struct gx_ival *v)
{
	gx_ibuf__unref(v->buf);
	gx_isrc__unref(v->src);
	gx_blob__unref(v->blob);
}

static void share(struct gx_ival *dst, const struct gx_ival *v)
{
	*dst = *v;
	if (v->buf != NULL)
		gx_ibuf__ref(v->buf);
	gx_isrc__ref(v->src);
	if (v->blob != NULL)
		gx_blob__ref(v->blob);
}

size_t gx_ival__apart(gx_proptag_t tag)
{
	return GX_PROP_ID(tag) == GX_PROP_ID(PidTagAttachDataBinary) ? 4096 : 16384;
}

uint64_t gx_ival__size(const struct gx_ival *v)
{
	struct gx_iplace place;
	if (v->blob != NULL)
		return v->blob->size;
	if (!(v->tag & GX_PROW_EXTERN))
		return v->len - sizeof(uint32_t);
	struct gx_propval pv;
	if (gx_prow_entry((struct gx_bin){v->p, v->len}, NULL, &pv) != 0 || gx_isrc__place(v->src, v->tag, pv.v.bin, &place) != 0)
		return 0;
	return place.size;
}

static int from_blob(struct gx_blob *b, gx_proptag_t tag, struct gx_arena *a, union gx_value *ret_v)
{
	uint8_t *p = gx_arena_alloc(a, (size_t)b->size + 1);
	if (p == NULL)
		return GX_E_NOMEM;
	int err = gx_blob__read(b, 0, (size_t)b->size, p);
	if (err != 0)
		return err;
	p[b->size] = '\0';
	if (GX_PROP_TYPE(tag) == PtypString)
		ret_v->str = (const char *)p;
	else
		ret_v->bin = (struct gx_bin){p, (size_t)b->size};
	return 0;
}

/* The piece may go with the next change, what was read of it must not. */
static int copy_entry(const struct gx_ival *v, struct gx_arena *a, struct gx_propval *pv)
{
	const uint8_t *p = gx_arena_memdup(a, v->p, v->len);
	return p == NULL ? GX_E_NOMEM : gx_prow_entry((struct gx_bin){p, v->len}, a, pv);
}

int gx_ival__get(struct gx_txn *t, const struct gx_ival *v, struct gx_arena *a, struct gx_propval *ret_pv)
{
	gx_proptag_t tag = v->tag & ~(gx_proptag_t)GX_PROW_EXTERN;
	struct gx_propval pv = {.tag = tag};
	int err;
	if (v->blob != NULL) {
		err = from_blob(v->blob, tag, a, &pv.v);
	} else {
		err = copy_entry(v, a, &pv);
		if (err == 0 && (v->tag & GX_PROW_EXTERN)) {
			pv.tag = tag;
			err = gx_isrc__resolve(t, v->src, v->tag, pv.v.bin, a, &pv.v);
		}
	}
	if (err == 0)
		*ret_pv = pv;
	return err;
}

/* ---- Lists ---- */

void gx_iprops__release(struct gx_iprops *l)
{
	for (size_t i = 0; i < l->n; i++)
		release(&l->v[i]);
	free(l->v);
	*l = (struct gx_iprops){0};
}

static int reserve(struct gx_iprops *l, size_t n)
{
	if (n <= l->cap)
		return 0;
	size_t cap = n < 8 ? 8 : n + n / 2;
	struct gx_ival *v = realloc(l->v, cap * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	l->v = v;
	l->cap = cap;
	return 0;
}

int gx_iprops__clone(struct gx_iprops *ret_l, const struct gx_iprops *l)
{
	struct gx_iprops c = {0};
	int err = reserve(&c, l->n);
	if (err != 0)
		return err;
	for (; c.n < l->n; c.n++)
		share(&c.v[c.n], &l->v[c.n]);
	*ret_l = c;
	return 0;
}

/* Where the id is, or belongs. */
static size_t lower(const struct gx_iprops *l, gx_proptag_t tag)
{
	size_t lo = 0, hi = l->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (GX_PROP_ID(l->v[mid].tag) < GX_PROP_ID(tag))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct gx_ival *gx_iprops__find(const struct gx_iprops *l, gx_proptag_t tag)
{
	size_t i = lower(l, tag);
	return i < l->n && GX_PROP_ID(l->v[i].tag) == GX_PROP_ID(tag) ? &l->v[i] : NULL;
}

bool gx_iprops__get(const struct gx_iprops *l, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	const struct gx_ival *v = gx_iprops__find(l, tag);
	return v != NULL && v->tag == tag && gx_prow_entry((struct gx_bin){v->p, v->len}, NULL, ret_pv) == 0;
}

/* Takes over what @v holds, also when it fails. */
static int put(struct gx_iprops *l, struct gx_ival *v)
{
	size_t i = lower(l, v->tag);
	if (i < l->n && GX_PROP_ID(l->v[i].tag) == GX_PROP_ID(v->tag)) {
		release(&l->v[i]);
		l->v[i] = *v;
		return 0;
	}
	int err = reserve(l, l->n + 1);
	if (err != 0) {
		release(v);
		return err;
	}
	memmove(&l->v[i + 1], &l->v[i], (l->n - i) * sizeof(*l->v));
	l->v[i] = *v;
	l->n++;
	return 0;
}

int gx_iprops__load(struct gx_iprops *l, struct gx_ibuf *row, struct gx_isrc *src)
{
	struct gx_prow_iter it;
	struct gx_bin e;
	int r = gx_prow_begin(&it, row->b, row->len);
	while (r >= 0 && (r = gx_prow_raw(&it, &e)) > 0) {
		struct gx_ival v = {.tag = it.tag, .len = (uint32_t)e.len, .p = e.data, .buf = gx_ibuf__ref(row)};
		v.src = it.tag & GX_PROW_EXTERN ? gx_isrc__ref(src) : NULL;
		if (e.len > UINT32_MAX || ((it.tag & GX_PROW_EXTERN) && src == NULL))
			r = GX_E_FORMAT;
		else
			r = put(l, &v);
		if (r < 0)
			break;
	}
	return r;
}

/* Values that can stand apart from the row. */
static bool bytes_of(gx_proptag_t tag, const union gx_value *v, struct gx_bin *ret_b)
{
	switch (GX_PROP_TYPE(tag)) {
	case PtypString:
		*ret_b = (struct gx_bin){(const uint8_t *)v->str, strlen(v->str)};
		return ret_b->len < gx_ival__apart(tag) || gx_utf8_valid(v->str, ret_b->len); /* read back as UTF-8 */
	case PtypBinary:
	case PtypObject:
		*ret_b = v->bin;
		return true;
	default:
		return false;
	}
}

static int set_large(struct gx_iprops *l, struct gx_iacct *c, gx_proptag_t tag, struct gx_bin bytes)
{
	struct gx_blob *b;
	int err = gx_blob__new(c, &b);
	if (err != 0)
		return err;
	err = gx_blob__write(b, 0, bytes.data, bytes.len);
	if (err == 0)
		err = gx_iprops__set_blob(l, tag, b);
	gx_blob__unref(b);
	return err;
}

int gx_iprops__set(struct gx_iprops *l, struct gx_iacct *c, gx_proptag_t tag, const union gx_value *v)
{
	struct gx_propval pv = {.tag = tag, .v = *v};
	const struct gx_proplist one = {.v = &pv, .count = 1, .cap = 1};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_ival x = {.tag = tag};
	struct gx_bin bytes;
	if (bytes_of(tag, v, &bytes) && bytes.len >= gx_ival__apart(tag))
		return set_large(l, c, tag, bytes);
	int err = gx_prow_pack(&out, &one);
	if (err == 0 && out.len - 1 > UINT32_MAX)
		err = GX_E_LIMIT;
	if (err == 0)
		err = gx_ibuf__new(c, out.data + 1, out.len - 1, &x.buf);
	gx_push_release(&out);
	if (err != 0)
		return err;
	x.p = x.buf->b;
	x.len = (uint32_t)x.buf->len;
	return put(l, &x);
}

int gx_iprops__set_blob(struct gx_iprops *l, gx_proptag_t tag, struct gx_blob *b)
{
	struct gx_ival x = {.tag = tag | GX_PROW_EXTERN, .blob = gx_blob__ref(b)};
	return put(l, &x);
}

int gx_iprops__set_ival(struct gx_iprops *l, const struct gx_ival *v)
{
	struct gx_ival x;
	share(&x, v);
	return put(l, &x);
}

bool gx_iprops__remove(struct gx_iprops *l, gx_proptag_t tag)
{
	size_t i = lower(l, tag);
	if (i == l->n || GX_PROP_ID(l->v[i].tag) != GX_PROP_ID(tag))
		return false;
	release(&l->v[i]);
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
	return true;
}

int gx_iprops__list(const struct gx_iprops *l, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_proplist r = {.v = gx_arena_new_array(a, struct gx_propval, l->n), .cap = l->n};
	if (r.v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < l->n; i++) {
		struct gx_propval *pv = &r.v[r.count++];
		pv->tag = l->v[i].tag;
		if (l->v[i].tag & GX_PROW_EXTERN)
			continue;
		int err = copy_entry(&l->v[i], a, pv);
		if (err != 0)
			return err;
	}
	*ret_l = r;
	return 0;
}
