/* SPDX-License-Identifier: Apache-2.0 */
/* Streams taken apart: markers, and types, ids and names of properties. Values are in in-value.c. */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/ftx/in-int.h"
#include "libgxmapi/prop-int.h"

static void set_defaults(struct gx_ftx_in_opts *o)
{
	o->cp = o->cp == 0 ? GX_CP_8BIT : o->cp;
	o->max_whole = o->max_whole == 0 ? 65536 : o->max_whole;
	o->max_value = o->max_value == 0 || o->max_value > INT32_MAX ? INT32_MAX : o->max_value;
	o->max_multi = o->max_multi == 0 ? 1048576 : o->max_multi;
	o->max_total = o->max_total == 0 ? UINT64_MAX : o->max_total;
	o->max_elements = o->max_elements == 0 ? UINT64_MAX : o->max_elements;
}

struct gx_ftx_in *gx_ftx_in_new(const struct gx_ftx_in_opts *o, const struct gx_ftx_in_ops *ops, void *ctx)
{
	if (ops->prop == NULL || (ops->begin != NULL && (ops->part == NULL || ops->end == NULL)))
		return NULL;
	struct gx_ftx_in *in = calloc(1, sizeof(*in));
	if (in == NULL)
		return NULL;
	in->o = *o;
	in->ops = ops;
	in->ctx = ctx;
	set_defaults(&in->o);
	in->a = gx_arena_new(0);
	if (in->a == NULL ||
	    (o->root != GX_FTX_ANY && gx_ftx_grammar_init(&in->g, o->root, o->send_options, o->max_depth) != 0)) {
		gx_ftx_in_free(in);
		return NULL;
	}
	return in;
}

void gx_ftx_in_free(struct gx_ftx_in *in)
{
	if (in == NULL)
		return;
	gx_push_release(&in->buf);
	gx_strbuf_release(&in->text);
	gx_arena_free(in->a);
	free(in);
}

uint64_t gx_ftx_in_offset(const struct gx_ftx_in *in)
{
	return in->offset;
}

const char *gx_ftx_in_text(const struct gx_ftx_in *in)
{
	return gx_strbuf_cstr(&in->text);
}

int gx_ftx__in_fail(struct gx_ftx_in *in, int err, const char *fmt, ...)
{
	char line[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	gx_strbuf_clear(&in->text);
	gx_strbuf_printf(&in->text, "byte %llu: %s", (unsigned long long)in->start, line);
	return in->err = err;
}

const uint8_t *gx_ftx__in_atom(struct gx_ftx_in *in, struct gx_ftx__src *s, size_t n)
{
	const uint8_t *p = s->p;
	size_t take = n - in->held < s->n ? n - in->held : s->n;
	s->p += take;
	s->n -= take;
	in->offset += take;
	if (take == n)
		return p;
	if (take != 0)
		memcpy(in->hold + in->held, p, take);
	in->held += take;
	if (in->held < n)
		return NULL;
	in->held = 0;
	return in->hold;
}

static int unexpected(struct gx_ftx_in *in, int err, gx_proptag_t tag)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_ftx__unexpected(&b, &in->g, tag);
	(void)gx_ftx__in_fail(in, err, "%s", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return err;
}

static int step_grammar(struct gx_ftx_in *in, gx_proptag_t tag)
{
	if (++in->elements > in->o.max_elements)
		return gx_ftx__in_fail(in, GX_E_LIMIT, "more than %llu elements",
			(unsigned long long)in->o.max_elements);
	int err = in->o.root == GX_FTX_ANY ? 0 : gx_ftx_grammar_step(&in->g, tag);
	return err == 0 ? 0 : unexpected(in, err, tag);
}

static int got_marker(struct gx_ftx_in *in, gx_proptag_t tag)
{
	int err = step_grammar(in, tag);
	if (err != 0)
		return err;
	int r = in->ops->marker == NULL ? 0 : in->ops->marker(tag, in->ctx);
	if (r < 0)
		return in->err = r;
	return r == 0 ? FTX_STEP : FTX_STOP;
}

/* Restrictions and actions have no form in streams, [MS-OXCFXICS] 2.2.4.1. */
static bool known_type(uint16_t type)
{
	uint8_t kind = gx_prop__kind(type);
	return kind != GX_KIND_BAD && kind != GX_KIND_RESTR && type != PtypRuleAction && type != PtypUnspecified &&
		(type & 0x2000) == 0;
}

/* What the value is held as, and the code page of strings. */
static uint16_t held_type(struct gx_ftx_in *in, uint16_t type)
{
	uint32_t cp = 0;
	if (type & FTX_CP_FLAG) {
		cp = type & ~FTX_CP_FLAG;
		type = cp == GX_CP_UTF16 ? PtypString : PtypString8;
	} else if (gx_prop__single(type) == PtypString) {
		cp = GX_CP_UTF16;
	} else if (gx_prop__single(type) == PtypString8) {
		cp = in->o.cp;
	}
	in->p.cp = cp;
	return type;
}

/* Some tags say another type than their values have. */
static int settle_special(struct gx_ftx_in *in, const struct gx_ftx__special *s, uint16_t type)
{
	in->meta = true;
	if (in->p.tag != s->wire && !gx_prop__matches(in->p.tag, s->held))
		return gx_ftx__in_fail(in, GX_E_FORMAT, "%s with type 0x%04x", s->name, type);
	if (in->p.tag == s->wire)
		in->p.tag = s->held;
	return 0;
}

static int got_tag(struct gx_ftx_in *in, uint16_t type, uint16_t id)
{
	const struct gx_ftx__special *s = gx_ftx__special(id);
	if (s != NULL && s->marker && s->wire == GX_PROP_TAG(id, type))
		return got_marker(in, s->wire);
	in->p = (struct gx_ftx_prop){.wire_type = type};
	in->p.tag = GX_PROP_TAG(id, held_type(in, type));
	in->meta = false;
	if (!known_type(GX_PROP_TYPE(in->p.tag)) || (s != NULL && s->marker))
		return gx_ftx__in_fail(in, GX_E_FORMAT, "expected a marker or a property, found id 0x%04x type 0x%04x",
			id, type);
	int err = s == NULL ? 0 : settle_special(in, s, type);
	if (err == 0)
		err = step_grammar(in, in->p.tag);
	if (err != 0)
		return err;
	if (GX_PROP_IS_NAMED(in->p.tag)) {
		in->step = FTX_NAME_SET;
		return FTX_STEP;
	}
	return gx_ftx__in_value_begin(in);
}

static int got_set(struct gx_ftx_in *in, const uint8_t *p)
{
	in->name = (struct gx_propname){.by_name = p[16] == 1};
	gx_guid_get(p, &in->name.set);
	in->p.name = &in->name;
	if (p[16] > 1)
		return gx_ftx__in_fail(in, GX_E_FORMAT, "expected kind 0 or 1 of a property's name, found %u", p[16]);
	in->step = in->name.by_name ? FTX_NAME_TEXT : FTX_NAME_LID;
	gx_push_clear(&in->buf);
	return FTX_STEP;
}

/* Kept apart from the arena, which is emptied between the parts of a large value. */
static int got_name(struct gx_ftx_in *in)
{
	const char *name;
	int err = gx_ftx__text(in->a, GX_CP_UTF16, in->buf.data, in->buf.len, &name);
	if (err != 0)
		return gx_ftx__in_fail(in, err, "a property's name: %s", gx_strerror(err));
	snprintf(in->name_text, sizeof(in->name_text), "%s", name);
	in->name.name = in->name_text;
	return gx_ftx__in_value_begin(in);
}

/* One UTF-16 unit after the other, to the zero. */
static int read_name(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	const uint8_t *u;
	while ((u = gx_ftx__in_atom(in, s, 2)) != NULL) {
		if (u[0] == 0 && u[1] == 0)
			return got_name(in);
		if (in->buf.len + 4 > GX_FTX_NAME_MAX)
			return gx_ftx__in_fail(in, GX_E_LIMIT, "a property's name of more than %u bytes",
				GX_FTX_NAME_MAX);
		gx_push_bytes(&in->buf, u, 2);
		if (in->buf.err != 0)
			return in->err = in->buf.err;
	}
	return FTX_MORE;
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int run_step(struct gx_ftx_in *in, struct gx_ftx__src *s)
{
	const uint8_t *p;
	switch (in->step) {
	case FTX_TAG:
		if (in->held == 0)
			in->start = in->offset;
		p = gx_ftx__in_atom(in, s, 4);
		return p == NULL ? FTX_MORE : got_tag(in, le16(p), le16(p + 2));
	case FTX_NAME_SET:
		p = gx_ftx__in_atom(in, s, 17);
		return p == NULL ? FTX_MORE : got_set(in, p);
	case FTX_NAME_LID:
		p = gx_ftx__in_atom(in, s, 4);
		if (p == NULL)
			return FTX_MORE;
		in->name.lid = le16(p) | (uint32_t)le16(p + 2) << 16;
		return gx_ftx__in_value_begin(in);
	case FTX_NAME_TEXT:
		return read_name(in, s);
	default:
		return gx_ftx__in_value(in, s);
	}
}

int gx_ftx_in_write(struct gx_ftx_in *in, const void *data, size_t n, size_t *ret_used)
{
	struct gx_ftx__src s = {n != 0 ? data : (const uint8_t *)"", n};
	int r = in->err;
	if (r == 0 && n > in->o.max_total - in->offset)
		r = gx_ftx__in_fail(in, GX_E_LIMIT, "more than %llu bytes", (unsigned long long)in->o.max_total);
	if (r == 0)
		do {
			r = run_step(in, &s);
		} while (r == FTX_STEP);
	if (ret_used != NULL)
		*ret_used = n - s.n;
	return r == FTX_STOP ? 1 : r;
}

int gx_ftx_in_end(struct gx_ftx_in *in)
{
	/* an event may have stopped it with nothing left to read */
	if (in->err == 0 && in->step == FTX_STREAM_END)
		(void)run_step(in, &(struct gx_ftx__src){0});
	if (in->err != 0)
		return in->err;
	if (in->step != FTX_TAG || in->held != 0)
		return gx_ftx__in_fail(in, GX_E_TRUNC, "the stream ends within this element");
	if (in->o.root == GX_FTX_ANY || gx_ftx_grammar_complete(&in->g))
		return 0;
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_ftx_grammar_expected(&in->g, &b);
	in->start = in->offset;
	(void)gx_ftx__in_fail(in, GX_E_TRUNC, "expected %s, found the end", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return in->err;
}
