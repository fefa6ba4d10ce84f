/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/instance/inst-int.h"

/*
 * A stored body that instances refer to. The skeleton is kept as it was when the instance was opened,
 * so that values are found in it whatever is stored later.
 */

static struct gx_isrc *make(struct gx_txn *t, uint64_t body, int *ret_err)
{
	struct gx_isrc *s = calloc(1, sizeof(*s));
	if (s == NULL || (s->a = gx_arena_new(0)) == NULL) {
		free(s);
		*ret_err = GX_E_NOMEM;
		return NULL;
	}
	s->s = t->s;
	s->body = body;
	atomic_init(&s->refs, 1);
	*ret_err = gx_body__skeleton(t, body, s->a, &s->skel);
	int err = *ret_err == 0 && s->skel.len > 0 ? gx_skel__parse(s->a, s->skel, &s->parsed) : 0;
	if (err != 0) /* a damaged one: its values are not found as contents */
		s->parsed = (struct gx_skel){0};
	if (err == GX_E_NOMEM)
		*ret_err = err;
	if (*ret_err == 0)
		return s;
	gx_arena_free(s->a);
	free(s);
	return NULL;
}

int gx_isrc__new(struct gx_txn *t, uint64_t body, struct gx_isrc **ret_s)
{
	int err = gx_pins__add(t->s, body);
	if (err != 0)
		return err;
	*ret_s = make(t, body, &err);
	if (*ret_s == NULL)
		gx_pins__drop(t->s, body);
	return err;
}

struct gx_isrc *gx_isrc__ref(struct gx_isrc *s)
{
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	return s;
}

void gx_isrc__unref(struct gx_isrc *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	gx_pins__drop(s->s, s->body);
	gx_arena_free(s->a);
	free(s);
}

static bool is_text(gx_proptag_t tag)
{
	uint16_t type = GX_PROP_TYPE(tag) & (uint16_t)~GX_PROW_EXTERN;
	return type == PtypString || type == PtypString8;
}

static void place_slice(struct gx_isrc *s, gx_proptag_t tag, const struct gx_slice *sl, struct gx_iplace *p)
{
	bool same = !is_text(tag) || sl->cp == GX_CP_UTF8;
	const struct gx_skel_content *c = same ? gx_extern__decoded(&s->parsed, sl) : NULL;
	*p = (struct gx_iplace){.how = GX_PLACE_VALUE, .size = sl->cte == GX_CTE_BASE64 ? sl->len / 4 * 3 : sl->len};
	if (c != NULL) {
		p->how = GX_PLACE_CONTENT;
		p->size = c->size;
		memcpy(p->hash, c->hash, GX_HASH_LEN);
	} else if (!is_text(tag) && sl->cte <= GX_CTE_BINARY) {
		p->how = GX_PLACE_ORIGINAL;
		p->off = sl->off;
		p->size = sl->len;
	}
}

int gx_isrc__place(struct gx_isrc *s, gx_proptag_t tag, struct gx_bin ext, struct gx_iplace *ret_p)
{
	struct gx_extern e;
	int err = gx_extern__parse(ext, &e);
	if (err != 0)
		return err;
	if (e.kind == GX_EXTERN_SLICE) {
		place_slice(s, tag, &e.slice, ret_p);
		return 0;
	}
	*ret_p = (struct gx_iplace){.how = GX_PLACE_CONTENT, .size = e.size};
	memcpy(ret_p->hash, e.hash, GX_HASH_LEN);
	return 0;
}

/* Why something cannot be read: it may have gone with its message in another process. */
static int fail(struct gx_txn *t, struct gx_isrc *s, int err)
{
	GX_STMT(st, t->q, "SELECT 1 FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)s->body);
	if (gx_sql__step(st) == 0)
		return GX_E_NOTFOUND;
	return gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
}

int gx_isrc__resolve(struct gx_txn *t, struct gx_isrc *s, gx_proptag_t tag, struct gx_bin ext, struct gx_arena *a, union gx_value *ret_v)
{
	int err = gx_extern__resolve(t->c->cio, t->q, s->skel, tag, ext, a, ret_v);
	return err == 0 || err == GX_E_NOMEM ? err : fail(t, s, err);
}

int gx_isrc__read(struct gx_txn *t, struct gx_isrc *s, const struct gx_iplace *p, uint64_t off, uint64_t n, struct gx_push *out)
{
	int err;
	if (off >= p->size)
		return out->err;
	n = n < p->size - off ? n : p->size - off;
	if (p->how == GX_PLACE_CONTENT)
		err = gx_content__read(t->c->cio, t->q, p->hash, off, n, out);
	else
		err = gx_original__read(t->c->cio, t->q, s->skel, p->off + off, n, out);
	return err == 0 || out->err != 0 ? err : fail(t, s, err);
}
