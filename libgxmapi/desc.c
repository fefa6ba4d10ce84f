/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <string.h>
#include "libgxmapi/desc-int.h"

static const struct {
	uint8_t size;
	bool number;
	uint8_t least; /* bytes on the wire */
} kinds[] = {
	[GX_DK_U8] = {1, true, 1},
	[GX_DK_U16] = {2, true, 2},
	[GX_DK_U32] = {4, true, 4},
	[GX_DK_U64] = {8, true, 8},
	[GX_DK_U16BE] = {2, true, 2},
	[GX_DK_U32BE] = {4, true, 4},
	[GX_DK_U48BE] = {8, true, 6},
	[GX_DK_BOOL8] = {sizeof(bool), true, 1},
	[GX_DK_BOOL16] = {sizeof(bool), true, 2},
	[GX_DK_BOOL] = {sizeof(bool), true, 1},
	[GX_DK_MORE] = {sizeof(bool), true, 0},
	[GX_DK_PEEK] = {sizeof(bool), true, 0},
	[GX_DK_F32] = {4, false, 4},
	[GX_DK_F64] = {8, false, 8},
	[GX_DK_GUID] = {sizeof(struct gx_guid), false, 16},
	[GX_DK_BIN] = {sizeof(struct gx_bin), false, 0},
	[GX_DK_STR8Z] = {sizeof(char *), false, 1},
	[GX_DK_STRWZ] = {sizeof(char *), false, 2},
	[GX_DK_STRZ] = {sizeof(char *), false, 1},
	[GX_DK_STR8] = {sizeof(char *), false, 0},
	[GX_DK_STRW] = {sizeof(char *), false, 0},
	[GX_DK_PROPVAL] = {sizeof(struct gx_propval), false, 4},
	[GX_DK_PROPLIST] = {sizeof(struct gx_proplist), false, 2},
	[GX_DK_RESTR] = {sizeof(struct gx_restr *), false, 1},
	[GX_DK_SORTSET] = {sizeof(struct gx_sortset), false, 6},
	[GX_DK_IF] = {0, false, 0},
};

bool gx_desc__is_number(const struct gx_field *f)
{
	return f->count_by == GX_DB_NONE && f->opt == GX_DP_NONE && kinds[f->kind].number;
}

const void *gx_desc__value(const struct gx_field *f, const void *member)
{
	if (f->opt == GX_DP_NONE)
		return member;
	const void *p;
	memcpy(&p, member, sizeof(p));
	return p == NULL || f->opt == GX_DP_POINTER ? p : member;
}

size_t gx_desc__least(const struct gx_field *f)
{
	size_t n = f->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[f->kind].least : 0;
	if (f->kind == GX_DK_STRUCT)
		n = ((const struct gx_desc *)f->ref)->least;
	return n != 0 ? n : 1;
}

bool gx_desc__may_lack(const struct gx_field *f)
{
	return f->count_by == GX_DB_NONE && f->size_by != GX_DB_NONE &&
	       (f->kind == GX_DK_RESTR || f->kind == GX_DK_STR8Z || f->kind == GX_DK_STRWZ || f->kind == GX_DK_STRZ);
}

bool gx_desc__is_sized(const struct gx_field *f)
{
	return f->kind == GX_DK_BIN || f->kind == GX_DK_STR8 || f->kind == GX_DK_STRW;
}

size_t gx_desc__elem(const struct gx_field *f)
{
	return f->elem != 0 ? f->elem : kinds[f->kind].size;
}

uint32_t gx_desc__count(const struct gx_field *f, const void *obj)
{
	uint32_t n;
	if (f->count_by == GX_DB_NONE)
		return 1;
	if (f->count_by == GX_DB_FIXED)
		return f->arg;
	memcpy(&n, (const char *)obj + f->count_off, sizeof(n));
	return n;
}

const char *gx_desc__elems(const struct gx_field *f, const void *obj)
{
	const char *m = (const char *)obj + f->off, *v;
	if (f->count_by == GX_DB_FIXED)
		return m;
	memcpy(&v, m, sizeof(v));
	return v;
}

bool gx_desc__fits(const struct gx_field *f, uint64_t n)
{
	return n >= f->min && (f->max == 0 || n <= f->max);
}

uint64_t gx_desc__get(const struct gx_field *f, const void *member)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	switch (kinds[f->kind].size) {
	case 1:
		memcpy(&u8, member, 1);
		return u8;
	case 2:
		memcpy(&u16, member, 2);
		return u16;
	case 4:
		memcpy(&u32, member, 4);
		return u32;
	default:
		memcpy(&u64, member, 8);
		return u64;
	}
}

void gx_desc__set(const struct gx_field *f, void *member, uint64_t v)
{
	uint8_t u8 = (uint8_t)v;
	uint16_t u16 = (uint16_t)v;
	uint32_t u32 = (uint32_t)v;
	switch (kinds[f->kind].size) {
	case 1:
		memcpy(member, &u8, 1);
		break;
	case 2:
		memcpy(member, &u16, 2);
		break;
	case 4:
		memcpy(member, &u32, 4);
		break;
	default:
		memcpy(member, &v, 8);
		break;
	}
}

static bool holds(const struct gx_cond *c, uint64_t v)
{
	if (c->count == 0)
		return v != 0;
	for (unsigned i = 0; i < c->count; ++i)
		if (v == c->value[i])
			return true;
	return false;
}

bool gx_desc__cond(const struct gx_desc_frame *fr, const struct gx_cond *c)
{
	uint64_t v = c->from_ctx ? fr->x->var[c->source] : fr->val[c->source];
	return holds(c, c->mask != 0 ? v & c->mask : v) != c->negate;
}

bool gx_desc__is_wide(const struct gx_desc_frame *fr, const struct gx_field *f)
{
	if (f->kind == GX_DK_STRZ)
		return gx_desc__cond(fr, f->ref);
	return f->kind == GX_DK_STRWZ || f->kind == GX_DK_STRW;
}

const struct gx_field *gx_desc__next(const struct gx_desc_frame *fr, unsigned *io_i)
{
	while (*io_i < fr->d->count) {
		const struct gx_field *f = &fr->d->fields[(*io_i)++];
		if (f->kind != GX_DK_IF)
			return f;
		if (!gx_desc__cond(fr, f->ref))
			*io_i += f->arg;
	}
	return NULL;
}

void gx_desc__load(struct gx_desc_frame *fr, const struct gx_desc *d, const struct gx_dctx *x, const void *obj)
{
	assert(d->count <= GX_DESC_MAX_FIELDS);
	fr->d = d;
	fr->x = x;
	for (unsigned i = 0; i < d->count; ++i) {
		const struct gx_field *f = &d->fields[i];
		fr->val[i] = 0;
		if (f->role == GX_DR_COUNT)
			fr->val[i] = gx_desc__count(&d->fields[f->target], obj);
		else if (f->role == GX_DR_LEN && d->fields[f->target].kind == GX_DK_BIN && d->fields[f->target].count_by == GX_DB_NONE)
			fr->val[i] = ((const struct gx_bin *)((const char *)obj + d->fields[f->target].off))->len;
		else if (f->role == GX_DR_CONST || f->role == GX_DR_PAD)
			fr->val[i] = f->arg;
		else if (f->role == GX_DR_MEMBER && gx_desc__is_number(f))
			fr->val[i] = gx_desc__get(f, (const char *)obj + f->off);
	}
}

int gx_desc_decode(const struct gx_dctx *x, const struct gx_desc *d, const void *data, size_t len, void *ret_obj)
{
	struct gx_pull c;
	gx_pull_init(&c, data, len);
	gx_desc_pull(&c, x, d, ret_obj);
	if (c.err == 0 && c.left != 0)
		return GX_E_FORMAT;
	return c.err;
}

int gx_desc_encode(const struct gx_dctx *x, const struct gx_desc *d, const void *obj, struct gx_bin *ret_bin)
{
	struct gx_push c = GX_PUSH_INIT;
	gx_desc_push(&c, x, d, obj);
	int err = gx_push_finish(&c, x->px.a, ret_bin);
	gx_push_release(&c);
	return err;
}

int gx_desc_size(const struct gx_dctx *x, const struct gx_desc *d, const void *obj, size_t *ret_size)
{
	struct gx_push c = GX_PUSH_INIT;
	gx_desc_push(&c, x, d, obj);
	int err = c.err;
	if (err == 0)
		*ret_size = c.len;
	gx_push_release(&c);
	return err;
}
