/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxmapi/prop-int.h"

/* A reference to a value held elsewhere is no value: it must be asked for. */
static bool matches(gx_proptag_t have, gx_proptag_t want)
{
	return gx_prop__matches(have, want) && (have & GX_PROW_EXTERN) == (want & GX_PROW_EXTERN);
}

const struct gx_propval *gx_proplist_get(const struct gx_proplist *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->count; ++i)
		if (matches(l->v[i].tag, tag))
			return &l->v[i];
	return NULL;
}

static struct gx_propval *slot(struct gx_proplist *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->count; ++i)
		if (GX_PROP_ID(l->v[i].tag) == GX_PROP_ID(tag))
			return &l->v[i];
	return NULL;
}

int gx_proplist_set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, union gx_value v)
{
	struct gx_propval *p = slot(l, tag);
	if (p == NULL) {
		struct gx_propval *grown = gx_arena_grow(a, l->v, &l->cap, l->count + 1, sizeof(*l->v));
		if (grown == NULL)
			return GX_E_NOMEM;
		l->v = grown;
		p = &l->v[l->count++];
	}
	*p = (struct gx_propval){.tag = tag, .v = v};
	return 0;
}

int gx_proplist_set_str(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	if (s == NULL)
		return GX_E_INVAL;
	return gx_proplist_set(l, a, tag, (union gx_value){.str = s});
}

int gx_proplist_set_i32(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int32_t n)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.i32 = n});
}

int gx_proplist_set_i64(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int64_t n)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.i64 = n});
}

int gx_proplist_set_bool(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, bool b)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.b = b});
}

int gx_proplist_set_time(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, gx_nttime_t t)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.time = t});
}

int gx_proplist_set_bin(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const void *p, size_t n)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.bin = {.data = p, .len = n}});
}

void gx_proplist_remove(struct gx_proplist *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->count; ++i) {
		if (!gx_prop__matches(l->v[i].tag, tag))
			continue;
		memmove(&l->v[i], &l->v[i + 1], (l->count - i - 1) * sizeof(*l->v));
		--l->count;
		return;
	}
}

const char *gx_proplist_str(const struct gx_proplist *l, gx_proptag_t tag, const char *dflt)
{
	const struct gx_propval *p = gx_proplist_get(l, GX_PROP_RETYPE(tag, PtypString));
	return p != NULL ? p->v.str : dflt;
}

int32_t gx_proplist_i32(const struct gx_proplist *l, gx_proptag_t tag, int32_t dflt)
{
	const struct gx_propval *p = gx_proplist_get(l, GX_PROP_RETYPE(tag, PtypInteger32));
	return p != NULL ? p->v.i32 : dflt;
}

int gx_proplist_copy(struct gx_arena *a, const struct gx_proplist *src, struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	l.v = gx_arena_grow(a, NULL, &l.cap, src->count == 0 ? 1 : src->count, sizeof(*l.v));
	if (l.v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < src->count; ++i) {
		union gx_value v;
		int err = gx_value_copy(a, GX_PROP_TYPE(src->v[i].tag), &src->v[i].v, &v);
		if (err != 0)
			return err;
		l.v[l.count++] = (struct gx_propval){.tag = src->v[i].tag, .v = v};
	}
	*ret_l = l;
	return 0;
}
