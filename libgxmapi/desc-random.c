/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxmapi/desc-int.h"

#define MOST_ELEMENTS 4
#define MOST_BYTES 16

struct source {
	uint32_t (*next)(void *rnd);
	void *rnd;
	struct gx_arena *a;
};

static uint32_t below(const struct source *s, uint32_t n)
{
	return s->next(s->rnd) % n;
}

static uint32_t amount(const struct source *s, const struct gx_field *f, uint32_t usual)
{
	uint32_t max = f->max != 0 && f->max < usual ? f->max : usual;
	return max <= f->min ? f->min : f->min + below(s, max - f->min + 1);
}

static const char *text(const struct source *s, size_t n)
{
	char *p = gx_arena_alloc(s->a, n + 1);
	if (p == NULL)
		return "";
	for (size_t i = 0; i < n; ++i)
		p[i] = (char)(' ' + below(s, 95));
	p[n] = '\0';
	return p;
}

static struct gx_bin bytes(const struct source *s, size_t n)
{
	uint8_t *p = gx_arena_alloc(s->a, n);
	if (p == NULL || n == 0)
		return (struct gx_bin){0};
	for (size_t i = 0; i < n; ++i)
		p[i] = (uint8_t)s->next(s->rnd);
	return (struct gx_bin){.data = p, .len = n};
}

/* Half of the numbers that a condition looks at get a value that it likes. */
static uint64_t number(const struct source *s, const struct gx_desc *d, unsigned index)
{
	uint64_t v = (uint64_t)s->next(s->rnd) << 32 | s->next(s->rnd);
	const struct gx_field *f = &d->fields[index];
	for (unsigned i = index + 1; i < d->count; ++i) {
		const struct gx_field *g = &d->fields[i];
		if (g->kind != GX_DK_IF && g->kind != GX_DK_STRZ)
			continue;
		const struct gx_cond *c = g->ref;
		if (c->from_ctx || c->source != index || below(s, 2) == 0)
			continue;
		if (c->count == 0)
			v |= c->mask;
		else
			v = (c->mask != 0 ? v & ~(uint64_t)c->mask : 0) | c->value[below(s, c->count)];
	}
	if (f->kind == GX_DK_BOOL8 || f->kind == GX_DK_BOOL16 || f->kind == GX_DK_BOOL)
		v &= 1;
	if (f->max != 0)
		v = f->min + v % (f->max - f->min + 1);
	return f->kind == GX_DK_U48BE ? v & ((UINT64_C(1) << 48) - 1) : v;
}

static struct gx_propval propval(const struct source *s)
{
	return (struct gx_propval){.tag = PidTagSubject, .v = {.str = text(s, below(s, MOST_BYTES))}};
}

struct gx_proplist gx_desc__random_proplist(uint32_t (*next)(void *rnd), void *rnd, struct gx_arena *a)
{
	const struct source src = {.next = next, .rnd = rnd, .a = a}, *s = &src;
	struct gx_proplist l = {0};
	struct gx_propval pv = propval(s);
	if (gx_proplist_set(&l, s->a, pv.tag, pv.v) != 0 ||
	    gx_proplist_set_i32(&l, s->a, PidTagImportance, (int32_t)s->next(s->rnd)) != 0)
		return (struct gx_proplist){0};
	return l;
}

static const struct gx_restr *restr(const struct source *s)
{
	struct gx_restr *r = gx_arena_new_obj(s->a, struct gx_restr);
	if (r != NULL)
		*r = (struct gx_restr){.type = RES_BITMASK, .u.bitmask = {BMR_NEZ, PidTagMessageFlags, s->next(s->rnd)}};
	return r;
}

static void random_elem(const struct source *s, const struct gx_dctx *x, const struct gx_desc *d, unsigned i, void *m)
{
	const struct gx_field *f = &d->fields[i];
	switch (f->kind) {
	case GX_DK_F32: *(float *)m = (float)(int32_t)s->next(s->rnd); break;
	case GX_DK_F64: *(double *)m = (double)(int32_t)s->next(s->rnd) / 16; break;
	case GX_DK_GUID: ((struct gx_guid *)m)->d1 = s->next(s->rnd); break;
	case GX_DK_BYTES: memset(m, (int)below(s, 256), f->arg); break;
	case GX_DK_BIN: *(struct gx_bin *)m = bytes(s, f->count_by == GX_DB_NONE ? amount(s, f, MOST_BYTES) : below(s, MOST_BYTES)); break;
	case GX_DK_STR8Z:
	case GX_DK_STRWZ:
	case GX_DK_STRZ:
	case GX_DK_STR8:
	case GX_DK_STRW: *(const char **)m = text(s, amount(s, f, MOST_BYTES)); break;
	case GX_DK_STRUCT: gx_desc_random(s->next, s->rnd, x, f->ref, m); break;
	case GX_DK_PROPVAL: *(struct gx_propval *)m = propval(s); break;
	case GX_DK_PROPLIST: *(struct gx_proplist *)m = gx_desc__random_proplist(s->next, s->rnd, s->a); break;
	case GX_DK_RESTR: *(const struct gx_restr **)m = restr(s); break;
	case GX_DK_SORTSET: *(struct gx_sortset *)m = (struct gx_sortset){0}; break;
	case GX_DK_CUSTOM: ((const struct gx_custom *)f->ref)->random(s->next, s->rnd, x, m); break;
	default: gx_desc__set(f, m, number(s, d, i)); break;
	}
}

static void random_field(const struct source *s, const struct gx_dctx *x, const struct gx_desc *d, unsigned i, void *obj)
{
	const struct gx_field *f = &d->fields[i];
	char *m = (char *)obj + f->off;
	if ((f->opt != GX_DP_NONE || gx_desc__may_lack(f)) && below(s, 2) == 0)
		return;
	if (f->opt == GX_DP_POINTER) {
		void *p = gx_arena_calloc(s->a, 1, f->elem);
		memcpy(m, &p, sizeof(p));
		m = p;
	}
	if (f->count_by == GX_DB_NONE) {
		if (m != NULL)
			random_elem(s, x, d, i, m);
		return;
	}
	if (f->count_by == GX_DB_FIXED) {
		for (uint32_t k = 0; k < f->arg; ++k)
			random_elem(s, x, d, i, m + k * f->elem);
		return;
	}
	uint32_t n = amount(s, f, MOST_ELEMENTS);
	if (f->count_by == GX_DB_FIELD && d->fields[f->count_field].target != i) /* two arrays with one count */
		n = gx_desc__count(&d->fields[d->fields[f->count_field].target], obj);
	char *v = gx_arena_calloc(s->a, n, f->elem);
	if (v == NULL)
		n = 0;
	for (uint32_t k = 0; k < n; ++k)
		random_elem(s, x, d, i, v + k * f->elem);
	memcpy(m, &v, sizeof(v));
	memcpy((char *)obj + f->count_off, &n, sizeof(n));
}

void gx_desc_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, const struct gx_desc *d, void *ret_obj)
{
	struct source s = {.next = next, .rnd = rnd, .a = x->px.a};
	bool ended = false;
	memset(ret_obj, 0, d->size);
	for (unsigned i = 0; i < d->count; ++i) {
		const struct gx_field *f = &d->fields[i];
		if (f->role != GX_DR_MEMBER || f->kind == GX_DK_IF)
			continue;
		if (f->kind == GX_DK_MORE || f->kind == GX_DK_PEEK) {
			/* after the end nothing more can follow */
			bool there = !ended && below(&s, 2);
			ended = ended || (f->kind == GX_DK_MORE && !there);
			gx_desc__set(f, (char *)ret_obj + f->off, there);
			continue;
		}
		random_field(&s, x, d, i, ret_obj);
	}
}
