/* SPDX-License-Identifier: Apache-2.0 */
/* The ROPs' tables, and what of them tables cannot say: rows, typed texts, lists of changed properties. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/rop-types.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/propname.h"
#include "libgxmapi/proprow-int.h"

static uint32_t below(uint32_t (*next)(void *rnd), void *rnd, uint32_t n)
{
	return next(rnd) % n;
}

/* ---- Property rows, whose columns the context has ---- */

static void row_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	gx_proprow_pull(c, &x->px, x->custom, ret_member);
}

static void row_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	gx_proprow_push(c, &x->px, x->custom, member);
}

static uint32_t column_count(const struct gx_dctx *x)
{
	const struct gx_columns *cols = x->custom;
	return cols == NULL ? 0 : cols->count;
}

static void row_print(struct gx_strbuf *b, const void *member)
{
	gx_proprow__print(b, member);
}

static bool row_equal(const void *x, const void *y)
{
	return gx_proprow__equal(x, y);
}

static void row_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	gx_proprow__random(next, rnd, x->px.a, x->custom, column_count(x), ret_member);
}

static const struct gx_custom gx_custom_proprow = {row_pull, row_push, row_print, row_equal, row_random};

/* ---- The row of a recipient may have fewer values than there are columns, [MS-OXCDATA] 2.8.3.2 ---- */

static struct gx_columns first(const struct gx_dctx *x, uint32_t count)
{
	const struct gx_columns *cols = x->custom;
	return (struct gx_columns){cols == NULL ? NULL : cols->v, count};
}

static void values_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	uint16_t count = gx_pull_u16(c);
	if (count > column_count(x))
		gx_pull_fail(c, GX_E_FORMAT);
	struct gx_columns cols = first(x, c->err == 0 ? count : 0);
	gx_proprow_pull(c, &x->px, &cols, ret_member);
}

static void values_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct gx_proprow *row = member;
	if (row->count > column_count(x) || row->count > UINT16_MAX) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	struct gx_columns cols = first(x, row->count);
	gx_push_u16(c, (uint16_t)row->count);
	gx_proprow_push(c, &x->px, &cols, row);
}

static void values_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	gx_proprow__random(next, rnd, x->px.a, x->custom, next(rnd) % (column_count(x) + 1), ret_member);
}

static const struct gx_custom gx_custom_recipient_values = {values_pull, values_push, row_print, row_equal, values_random};

/* ---- TypedString, [MS-OXCDATA] 2.11.7 ---- */

enum { TEXT_NONE, TEXT_EMPTY, TEXT_STRING8, TEXT_REDUCED, TEXT_UNICODE };

/* Unicode without the high bytes, which all are 0: Latin-1. */
static const char *pull_reduced(struct gx_pull *c, struct gx_arena *a)
{
	const char *in = gx_pull_strz(c);
	size_t n = strlen(in);
	char *out = c->err == 0 ? gx_arena_alloc(a, 2 * n + 1) : NULL, *p = out;
	if (c->err == 0 && out == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; ++i) {
		uint8_t u = (uint8_t)in[i];
		if (u >= 0x80)
			*p++ = (char)(0xc0 | u >> 6);
		*p++ = (char)(u >= 0x80 ? 0x80 | (u & 0x3f) : u);
	}
	*p = '\0';
	return out;
}

static void text_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	const char *s = NULL;
	switch (gx_pull_u8(c)) {
	case TEXT_NONE: break;
	case TEXT_EMPTY: s = ""; break;
	case TEXT_STRING8: s = gx_px_pull_str(c, &x->px, PtypString8); break;
	case TEXT_REDUCED: s = pull_reduced(c, x->px.a); break;
	case TEXT_UNICODE: s = gx_px_pull_str(c, &x->px, PtypString); break;
	default: gx_pull_fail(c, GX_E_FORMAT); break;
	}
	*(const char **)ret_member = c->err == 0 ? s : NULL;
}

static bool is_ascii(const char *s)
{
	while (*s != '\0' && (uint8_t)*s < 0x80)
		++s;
	return *s == '\0';
}

static void text_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const char *s = *(const char *const *)member;
	if (s == NULL || *s == '\0') {
		gx_push_u8(c, s == NULL ? TEXT_NONE : TEXT_EMPTY);
	} else if (is_ascii(s)) {
		gx_push_u8(c, TEXT_REDUCED);
		gx_push_strz(c, s);
	} else {
		gx_push_u8(c, TEXT_UNICODE);
		gx_px_push_str(c, &x->px, PtypString, s);
	}
}

static void text_print(struct gx_strbuf *b, const void *member)
{
	const char *s = *(const char *const *)member;
	if (s == NULL)
		gx_strbuf_addc(b, '-');
	else
		gx_value_print(b, PtypString, &(union gx_value){.str = s});
}

static bool text_equal(const void *x, const void *y)
{
	const char *s = *(const char *const *)x, *t = *(const char *const *)y;
	return s == NULL || t == NULL ? s == t : strcmp(s, t) == 0;
}

static void text_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	static const char *const some[] = {NULL, "", "RE: ", "Gr\303\274\303\237e", "\346\227\245\346\234\254"};
	(void)x;
	*(const char **)ret_member = some[below(next, rnd, sizeof(some) / sizeof(some[0]))];
}

static const struct gx_custom gx_custom_typed_string = {text_pull, text_push, text_print, text_equal, text_random};

/* ---- TagCount and Tags of RopNotify, [MS-OXCNOTIF] 2.2.1.4.1.2 ---- */

enum { TAGS_UNKNOWN = 0xffff };

static void tags_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	struct gx_changed_tags *t = ret_member;
	uint16_t count = gx_pull_u16(c);
	t->unknown = count == TAGS_UNKNOWN;
	size_t n = t->unknown ? 0 : gx_pull_count(c, count, sizeof(gx_proptag_t));
	gx_proptag_t *v = c->err == 0 ? gx_arena_new_array(x->px.a, gx_proptag_t, n) : NULL;
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (size_t i = 0; i < n && c->err == 0; ++i)
		v[i] = gx_pull_u32(c);
	t->v = v;
	t->count = v == NULL ? 0 : (uint32_t)n;
}

static void tags_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct gx_changed_tags *t = member;
	(void)x;
	if (t->count >= TAGS_UNKNOWN) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	gx_push_u16(c, t->unknown ? TAGS_UNKNOWN : (uint16_t)t->count);
	for (uint32_t i = 0; !t->unknown && i < t->count; ++i)
		gx_push_u32(c, t->v[i]);
}

static void tags_print(struct gx_strbuf *b, const void *member)
{
	const struct gx_changed_tags *t = member;
	gx_strbuf_addc(b, '[');
	gx_strbuf_adds(b, t->unknown ? "?" : "");
	for (uint32_t i = 0; i < t->count; ++i)
		gx_strbuf_printf(b, "%s0x%08x", i == 0 ? "" : ", ", (unsigned)t->v[i]);
	gx_strbuf_addc(b, ']');
}

static bool tags_equal(const void *x, const void *y)
{
	const struct gx_changed_tags *p = x, *q = y;
	return p->unknown == q->unknown && p->count == q->count && (p->count == 0 || memcmp(p->v, q->v, p->count * sizeof(*p->v)) == 0);
}

static void tags_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	static const gx_proptag_t some[] = {PidTagSubject, PidTagMessageFlags, PidTagContentCount};
	(void)x;
	*(struct gx_changed_tags *)ret_member = (struct gx_changed_tags){some, below(next, rnd, 4), false};
	if (((struct gx_changed_tags *)ret_member)->count == 0)
		((struct gx_changed_tags *)ret_member)->unknown = below(next, rnd, 2);
}

static const struct gx_custom gx_custom_changed_tags = {tags_pull, tags_push, tags_print, tags_equal, tags_random};

#include "libgxmapi/rop-table.h"
