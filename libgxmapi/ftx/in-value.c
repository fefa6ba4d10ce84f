/* SPDX-License-Identifier: Apache-2.0 */
/* Values of properties, [MS-OXCFXICS] 2.2.4.1: whole when they are small, in parts when they are not. */
#include <config.h>
#include <string.h>
#include "libgxmapi/ftx/in-int.h"
#include "libgxmapi/prop-int.h"

/* Least and fixed sizes, which are those of the row form but for booleans. */
static size_t fixed_size(uint8_t kind)
{
	return kind == GX_KIND_BOOL ? 2 : gx_prop__kind_size(kind);
}

static bool is_sized(uint8_t kind)
{
	return kind == GX_KIND_STR || kind == GX_KIND_BIN;
}

static int no_memory(struct gx_ftx_in *in)
{
	return gx_ftx__in_fail(in, GX_E_NOMEM, "out of memory");
}

static int answer(struct gx_ftx_in *in, int r)
{
	if (r < 0)
		return in->err = r;
	return r == 0 ? FTX_STEP : FTX_STOP;
}

/* The element is whole. */
static int deliver(struct gx_ftx_in *in)
{
	bool meta = in->meta && in->ops->meta != NULL;
	if (in->p.tag == MetaTagFXDelProp && in->o.root != GX_FTX_ANY && !gx_ftx__del_value((uint32_t)in->p.v.i32))
		return gx_ftx__in_fail(in, GX_E_FORMAT, "MetaTagFXDelProp 0x%08x stands for no kind of object",
			(unsigned)in->p.v.i32);
	in->step = FTX_TAG;
	int r = meta ? in->ops->meta(&in->p, in->ctx) : in->ops->prop(&in->p, in->ctx);
	gx_arena_reset(in->a);
	return answer(in, r);
}

int gx_ftx__in_value_begin(struct gx_ftx_in *in)
{
	uint16_t type = GX_PROP_TYPE(in->p.tag);
	in->kind = gx_prop__kind(type);
	in->multi = gx_prop__is_multi(type);
	gx_push_clear(&in->buf);
	if (in->multi)
		in->step = FTX_COUNT;
	else if (is_sized(in->kind))
		in->step = FTX_LENGTH;
	else if (in->kind == GX_KIND_NONE)
		return deliver(in);
	else
		in->step = FTX_FIXED;
	return FTX_STEP;
}

static void pull_fixed(struct gx_pull *c, uint8_t kind, union gx_value *v)
{
	switch (kind) {
	case GX_KIND_I16: v->i16 = (int16_t)gx_pull_u16(c); break;
	case GX_KIND_BOOL: v->b = gx_pull_u16(c) != 0; break;
	case GX_KIND_I32: v->i32 = (int32_t)gx_pull_u32(c); break;
	case GX_KIND_ERR: v->err = gx_pull_u32(c); break;
	case GX_KIND_I64: v->i64 = (int64_t)gx_pull_u64(c); break;
	case GX_KIND_TIME: v->time = gx_pull_u64(c); break;
	case GX_KIND_F32: v->f32 = gx_pull_f32(c); break;
	case GX_KIND_F64: v->f64 = gx_pull_f64(c); break;
	default: v->guid = gx_pull_guid(c); break;
	}
}

/* One more of a multi-value; room grows with what has really come. */
static int add_value(struct gx_ftx_in *in, union gx_value v)
{
	union gx_value *e = gx_arena_grow(in->a, in->v, &in->cap, in->nv + 1, sizeof(*e));
	if (e == NULL)
		return no_memory(in);
	in->v = e;
	in->v[in->nv++] = v;
	return 0;
}

/* A value is there: the only one, or one of several. */
static int got_value(struct gx_ftx_in *in, union gx_value v)
{
	if (!in->multi) {
		in->p.v = v;
		return deliver(in);
	}
	int err = add_value(in, v);
	if (err != 0)
		return err;
	in->step = is_sized(in->kind) ? FTX_LENGTH : FTX_FIXED;
	if (in->nv < in->count)
		return FTX_STEP;
	in->p.v.mv.v = in->v;
	in->p.v.mv.count = in->count;
	return deliver(in);
}

static int got_fixed(struct gx_ftx_in *in, const uint8_t *p)
{
	struct gx_pull c;
	union gx_value v = {0};
	gx_pull_init(&c, p, fixed_size(in->kind));
	pull_fixed(&c, in->kind, &v);
	return got_value(in, v);
}

static int got_count(struct gx_ftx_in *in, uint32_t n)
{
	size_t least = is_sized(in->kind) ? 4 : fixed_size(in->kind);
	if (n > in->o.max_multi / least)
		return gx_ftx__in_fail(in, GX_E_LIMIT, "%u values take more than %u bytes", n, in->o.max_multi);
	in->count = n;
	in->multi_left = in->o.max_multi - n * (uint32_t)least;
	in->v = NULL;
	in->nv = in->cap = 0;
	if (n == 0) {
		in->p.v.mv.v = NULL;
		in->p.v.mv.count = 0;
		return deliver(in);
	}
	in->step = is_sized(in->kind) ? FTX_LENGTH : FTX_FIXED;
	return FTX_STEP;
}

/* Strings end with a zero; one that does not is taken as it is. */
static size_t without_zero(uint32_t cp, const uint8_t *p, size_t n)
{
	if (cp == GX_CP_UTF16)
		return n >= 2 && n % 2 == 0 && p[n - 1] == 0 && p[n - 2] == 0 ? n - 2 : n;
	return n >= 1 && p[n - 1] == 0 ? n - 1 : n;
}

static int bad_text(struct gx_ftx_in *in, int err)
{
	if (err == GX_E_NOMEM)
		return no_memory(in);
	return gx_ftx__in_fail(in, err, "half a character at the end of a string");
}

/* All bytes of a string or binary, in the caller's memory or in ours. */
static int got_bytes(struct gx_ftx_in *in, const uint8_t *p, size_t n)
{
	union gx_value v = {0};
	if (in->kind == GX_KIND_STR) {
		int err = gx_ftx__text(in->a, in->p.cp, p, without_zero(in->p.cp, p, n), &v.str);
		if (err != 0)
			return bad_text(in, err);
	} else if (n != 0) {
		v.bin = (struct gx_bin){in->multi ? gx_arena_memdup(in->a, p, n) : p, n};
		if (v.bin.data == NULL)
			return no_memory(in);
	}
	return got_value(in, v);
}

static int begin_stream(struct gx_ftx_in *in, uint32_t n)
{
	in->step = n == 0 ? FTX_STREAM_END : FTX_STREAM;
	return answer(in, in->ops->begin(&in->p, n, in->ctx));
}

static int got_length(struct gx_ftx_in *in, uint32_t n)
{
	if (in->multi && n > in->multi_left)
		return gx_ftx__in_fail(in, GX_E_LIMIT, "a multi-value of more than %u bytes", in->o.max_multi);
	if (n > in->o.max_value)
		return gx_ftx__in_fail(in, GX_E_LIMIT, "a value of %u bytes, at most %u are taken", n, in->o.max_value);
	in->multi_left -= in->multi ? n : 0;
	in->left = n;
	gx_push_clear(&in->buf);
	if (!in->multi && !in->meta && n > in->o.max_whole && in->ops->begin != NULL)
		return begin_stream(in, n);
	in->step = FTX_VALUE;
	return FTX_STEP;
}

static void advance(struct gx_ftx_in *in, struct gx_ftx__src *s, size_t n)
{
	s->p += n;
	s->n -= n;
	in->offset += n;
	in->left -= (uint32_t)n;
}

static int read_value(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	const uint8_t *p = s->p;
	size_t n = in->left < s->n ? in->left : s->n;
	bool whole = in->buf.len == 0 && n == in->left;
	if (!whole) {
		gx_push_bytes(&in->buf, p, n);
		if (in->buf.err != 0)
			return no_memory(in);
	}
	advance(in, s, n);
	if (in->left != 0)
		return FTX_MORE;
	return whole ? got_bytes(in, p, n) : got_bytes(in, in->buf.data, in->buf.len);
}

/* The characters of a text that are whole; the rest waits for more. */
static int give_text(struct gx_ftx_in *in)
{
	const uint8_t *p = in->buf.data;
	size_t n = in->buf.len, cut = in->left == 0 ? n : gx_ftx__text_cut(in->p.cp, p, n);
	const char *s;
	int err = gx_ftx__text(in->a, in->p.cp, p, in->left == 0 ? without_zero(in->p.cp, p, n) : cut, &s);
	if (err != 0)
		return bad_text(in, err);
	int r = *s == '\0' ? 0 : in->ops->part(s, strlen(s), in->ctx);
	gx_arena_reset(in->a);
	memmove(in->buf.data, p + cut, n - cut);
	in->buf.len = n - cut;
	return answer(in, r);
}

static int stream_text(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	size_t room = FTX_PART - in->buf.len, n = in->left < s->n ? in->left : s->n;
	if (n > room)
		n = room;
	gx_push_bytes(&in->buf, s->p, n);
	if (in->buf.err != 0)
		return no_memory(in);
	advance(in, s, n);
	if (in->left == 0)
		in->step = FTX_STREAM_END;
	else if (in->buf.len < FTX_PART)
		return FTX_MORE;
	return give_text(in);
}

static int stream_bytes(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	const uint8_t *p = s->p;
	size_t n = in->left < s->n ? in->left : s->n;
	if (n == 0)
		return FTX_MORE;
	advance(in, s, n);
	if (in->left == 0)
		in->step = FTX_STREAM_END;
	return answer(in, in->ops->part(p, n, in->ctx));
}

static int end_stream(struct gx_ftx_in *in)
{
	in->step = FTX_TAG;
	int r = in->ops->end(in->ctx);
	gx_arena_reset(in->a);
	return answer(in, r);
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int gx_ftx__in_value(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	const uint8_t *p;
	switch (in->step) {
	case FTX_FIXED:
		p = gx_ftx__in_atom(in, s, fixed_size(in->kind));
		return p == NULL ? FTX_MORE : got_fixed(in, p);
	case FTX_COUNT:
		p = gx_ftx__in_atom(in, s, 4);
		return p == NULL ? FTX_MORE : got_count(in, le32(p));
	case FTX_LENGTH:
		p = gx_ftx__in_atom(in, s, 4);
		return p == NULL ? FTX_MORE : got_length(in, le32(p));
	case FTX_VALUE:
		return read_value(in, s);
	case FTX_STREAM:
		return in->kind == GX_KIND_STR ? stream_text(in, s) : stream_bytes(in, s);
	default:
		return end_stream(in);
	}
}
