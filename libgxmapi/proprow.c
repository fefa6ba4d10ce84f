/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of values without tags, [MS-OXCDATA] 2.8.1. */
#include <config.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/proprow-int.h"

enum { ROW_STANDARD = 0, ROW_FLAGGED = 1 };
enum { VALUE_THERE = 0, VALUE_ABSENT = 1, VALUE_ERROR = 0x0a };

uint16_t gx_column_type(gx_proptag_t column)
{
	uint16_t type = GX_PROP_TYPE(column);
	return (type & GX_MVI_FLAG) == GX_MVI_FLAG ? type & (uint16_t)~GX_MVI_FLAG : type;
}

/* FlaggedPropertyValue: the flag says what follows. */
static void pull_flagged(struct gx_pull *c, const struct gx_px *px, uint16_t type, struct gx_propval *v)
{
	uint8_t flag = gx_pull_u8(c);
	uint16_t own = flag == VALUE_ERROR ? PtypErrorCode : flag == VALUE_ABSENT ? PtypNull : type;
	if (flag != VALUE_THERE && flag != VALUE_ABSENT && flag != VALUE_ERROR)
		gx_pull_fail(c, GX_E_FORMAT);
	v->tag = GX_PROP_RETYPE(v->tag, own);
	if (flag == VALUE_ERROR)
		v->v.err = gx_pull_u32(c);
	else if (flag == VALUE_THERE)
		gx_px_pull_value(c, px, type, &v->v);
}

static void pull_column(struct gx_pull *c, const struct gx_px *px, uint8_t form, gx_proptag_t column, struct gx_propval *v)
{
	uint16_t type = gx_column_type(column);
	if (type == PtypUnspecified)
		type = gx_pull_u16(c);
	v->tag = GX_PROP_RETYPE(column, type);
	if (form == ROW_FLAGGED)
		pull_flagged(c, px, type, v);
	else
		gx_px_pull_value(c, px, type, &v->v);
}

void gx_proprow_pull(struct gx_pull *c, const struct gx_px *px, const struct gx_columns *cols, struct gx_proprow *ret_row)
{
	*ret_row = (struct gx_proprow){0};
	uint8_t form = gx_pull_u8(c);
	if (form != ROW_STANDARD && form != ROW_FLAGGED)
		gx_pull_fail(c, GX_E_FORMAT);
	if (cols == NULL)
		gx_pull_fail(c, GX_E_INVAL);
	if (c->err != 0)
		return;
	struct gx_propval *v = gx_arena_calloc(px->a, cols->count, sizeof(*v));
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (uint32_t i = 0; i < cols->count && c->err == 0; ++i)
		pull_column(c, px, form, cols->v[i], &v[i]);
	if (c->err == 0)
		*ret_row = (struct gx_proprow){v, cols->count};
}

static bool is_text(uint16_t type)
{
	return type == PtypString || type == PtypString8;
}

/* Text may be held under either type; it goes out as the column wants it. */
static uint16_t wire_type(gx_proptag_t column, const struct gx_propval *v)
{
	uint16_t own = GX_PROP_TYPE(v->tag), want = gx_column_type(column);
	return want != PtypUnspecified && is_text(own) && is_text(want) ? want : own;
}

static bool is_there(gx_proptag_t column, const struct gx_propval *v)
{
	uint16_t want = gx_column_type(column), type = wire_type(column, v);
	return type != PtypErrorCode && (type != PtypNull || want == PtypNull);
}

static bool fits(const struct gx_columns *cols, const struct gx_proprow *row)
{
	if (cols == NULL || row->count != cols->count)
		return false;
	for (uint32_t i = 0; i < row->count; ++i) {
		uint16_t want = gx_column_type(cols->v[i]);
		if (is_there(cols->v[i], &row->v[i]) && want != PtypUnspecified && wire_type(cols->v[i], &row->v[i]) != want)
			return false;
	}
	return true;
}

static void push_column(struct gx_push *c, const struct gx_px *px, uint8_t form, gx_proptag_t column, const struct gx_propval *v)
{
	uint16_t type = wire_type(column, v);
	bool there = is_there(column, v);
	if (gx_column_type(column) == PtypUnspecified)
		gx_push_u16(c, type);
	if (form == ROW_FLAGGED)
		gx_push_u8(c, there ? VALUE_THERE : type == PtypErrorCode ? VALUE_ERROR : VALUE_ABSENT);
	if (there)
		gx_px_push_value(c, px, type, &v->v);
	else if (type == PtypErrorCode)
		gx_push_u32(c, v->v.err);
}

void gx_proprow_push(struct gx_push *c, const struct gx_px *px, const struct gx_columns *cols, const struct gx_proprow *row)
{
	uint8_t form = ROW_STANDARD;
	if (!fits(cols, row)) {
		gx_push_fail(c, GX_E_INVAL);
		return;
	}
	for (uint32_t i = 0; i < row->count; ++i)
		if (!is_there(cols->v[i], &row->v[i]))
			form = ROW_FLAGGED;
	gx_push_u8(c, form);
	for (uint32_t i = 0; i < row->count && c->err == 0; ++i)
		push_column(c, px, form, cols->v[i], &row->v[i]);
}

void gx_proprow__print(struct gx_strbuf *b, const struct gx_proprow *r)
{
	gx_strbuf_addc(b, '{');
	for (uint32_t i = 0; i < r->count; ++i) {
		gx_strbuf_adds(b, i == 0 ? "" : ", ");
		gx_desc__print_propval(b, &r->v[i]);
	}
	gx_strbuf_addc(b, '}');
}

bool gx_proprow__equal(const struct gx_proprow *x, const struct gx_proprow *y)
{
	if (x->count != y->count)
		return false;
	for (uint32_t i = 0; i < x->count; ++i)
		if (!gx_desc__equal_propval(&x->v[i], &y->v[i]))
			return false;
	return true;
}

/* A number or a text where the column takes one, else an error or nothing. */
static struct gx_propval random_value(uint32_t (*next)(void *rnd), void *rnd, struct gx_arena *a, gx_proptag_t column)
{
	uint16_t type = gx_column_type(column);
	if (type == PtypUnspecified)
		type = next(rnd) % 2 ? PtypInteger32 : PtypString;
	uint32_t n = next(rnd);
	switch (next(rnd) % 8 == 0 ? PtypErrorCode : type) {
	case PtypInteger32: return (struct gx_propval){GX_PROP_RETYPE(column, type), {.i32 = (int32_t)n}};
	case PtypBoolean: return (struct gx_propval){GX_PROP_RETYPE(column, type), {.b = n % 2}};
	case PtypTime: return (struct gx_propval){GX_PROP_RETYPE(column, type), {.time = n}};
	case PtypString:
	case PtypString8: return (struct gx_propval){GX_PROP_RETYPE(column, type), {.str = gx_arena_printf(a, "text-%x", (unsigned)n)}};
	case PtypErrorCode: return (struct gx_propval){GX_PROP_RETYPE(column, PtypErrorCode), {.err = n}};
	default: return (struct gx_propval){GX_PROP_RETYPE(column, PtypNull), {0}};
	}
}

void gx_proprow__random(uint32_t (*next)(void *rnd), void *rnd, struct gx_arena *a, const struct gx_columns *cols, uint32_t count,
	struct gx_proprow *ret_row)
{
	struct gx_propval *v = gx_arena_calloc(a, count, sizeof(*v));
	for (uint32_t i = 0; v != NULL && i < count; ++i)
		v[i] = random_value(next, rnd, a, cols->v[i]);
	*ret_row = (struct gx_proprow){v, v == NULL ? 0 : count};
}
