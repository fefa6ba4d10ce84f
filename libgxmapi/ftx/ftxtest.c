/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/charset.h>
#include "libgxmapi/ftx/ftx-int.h"
#include "libgxmapi/ftx/ftxtest.h"
#include "libgxmapi/prop-int.h"

/* A property of no special meaning; any other stands for itself. */
#define ANY_PROP PidTagSubject

/* Those that end something come first: a walk that only takes the first one allowed comes to its end. */
static const gx_proptag_t steps[] = {
	EndMessage, EndAttach, EndEmbed, EndToRecip, EndFolder, IncrSyncStateEnd, IncrSyncEnd, IncrSyncStateBegin,
	IncrSyncMessage, IncrSyncChgPartial, MetaTagIncrSyncGroupId, PidTagAttachNumber, StartTopFld, ANY_PROP, StartSubFld,
	StartMessage, StartFAIMsg, StartEmbed, StartRecip, NewAttach, IncrSyncChg, IncrSyncDel, IncrSyncRead,
	IncrSyncProgressMode, IncrSyncProgressPerMsg, IncrSyncGroupInfo, FXErrorInfo, MetaTagIdsetGiven, MetaTagCnsetSeen,
	MetaTagCnsetSeenFAI, MetaTagCnsetRead, MetaTagIdsetDeleted, MetaTagIdsetNoLongerInScope, MetaTagIdsetExpired,
	MetaTagIdsetRead, MetaTagIdsetUnread, MetaTagDnPrefix, MetaTagNewFXFolder, MetaTagEcWarning,
	MetaTagIncrementalSyncMessagePartial, MetaTagFXDelProp,
};

static void append(struct ftx_list *l, struct ftx_elem e)
{
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	ck_assert_ptr_nonnull(l->v);
	l->v[l->n++] = e;
}

static gx_proptag_t random_tag(struct rnd *r)
{
	uint16_t type, id;
	do {
		type = rnd_type(r);
	} while (type == PtypRestriction || type == PtypRuleAction);
	if (rnd_below(r, 20) == 0)
		type = rnd_below(r, 2) ? PtypNull : PtypObject;
	do {
		id = (uint16_t)(1 + rnd_below(r, 0xfffe));
	} while (gx_ftx__special(id) != NULL);
	return GX_PROP_TAG(id, type);
}

static union gx_value random_value(struct rnd *r, uint16_t type)
{
	if (type == PtypString && rnd_below(r, 6) == 0) {
		size_t n = rnd_below(r, 3000);
		char *s = gx_arena_alloc(r->a, n + 1);
		for (size_t i = 0; i < n; ++i)
			s[i] = (char)('a' + i % 26);
		s[n] = '\0';
		return (union gx_value){.str = s};
	}
	return type == PtypNull ? (union gx_value){0} : rnd_value(r, type, 0);
}

static struct ftx_elem random_element(struct rnd *r, gx_proptag_t tag)
{
	static const uint32_t dels[] = {0x0E12000D, 0x0E13000D, 0x360F000D, 0x3610000D, 0x360E000D};
	struct ftx_elem e = {.tag = tag};
	if (gx_ftx_is_marker(tag))
		return e;
	if (tag == ANY_PROP)
		e.tag = random_tag(r);
	e.v = random_value(r, GX_PROP_TYPE(e.tag));
	if (tag == MetaTagFXDelProp)
		e.v.i32 = (int32_t)dels[rnd_below(r, 5)];
	if (!GX_PROP_IS_NAMED(e.tag))
		return e;
	e.name.set.d1 = rnd_u32(r);
	e.name.by_name = rnd_below(r, 2);
	if (e.name.by_name)
		e.name.name = rnd_value(r, PtypString, 0).str;
	else
		e.name.lid = rnd_u32(r);
	return e;
}

static bool allowed(const struct gx_ftx_grammar *g, gx_proptag_t tag)
{
	struct gx_ftx_grammar copy = *g;
	return gx_ftx_grammar_step(&copy, tag) == 0;
}

void ftx_random(struct rnd *r, int root, uint32_t send_options, size_t n, struct ftx_list *l)
{
	const size_t count = sizeof(steps) / sizeof(steps[0]);
	struct gx_ftx_grammar g;
	*l = (struct ftx_list){.a = r->a};
	ck_assert_int_eq(gx_ftx_grammar_init(&g, root, send_options, 12), 0);
	while (l->n < n || !gx_ftx_grammar_complete(&g)) {
		size_t i = 0, tries = 0;
		if (l->n < n)
			do {
				i = rnd_below(r, 3) == 0 ? 13 : rnd_below(r, (uint32_t)count);
			} while (!allowed(&g, steps[i]) && ++tries < 1000);
		else
			while (i < count && !allowed(&g, steps[i]))
				++i;
		if (i == count || !allowed(&g, steps[i]))
			break;
		append(l, random_element(r, steps[i]));
		ck_assert_int_eq(gx_ftx_grammar_step(&g, l->v[l->n - 1].tag), 0);
	}
	ck_assert(gx_ftx_grammar_complete(&g));
}

static int read_memory(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx)
{
	/* less than asked for, to see that this is taken */
	if (n > 1000)
		n = 1000;
	memcpy(buf, (const uint8_t *)ctx + off, n);
	*ret_n = n;
	return 0;
}

static const void *large_value(const struct ftx_elem *e, size_t from, uint64_t *ret_n)
{
	switch (GX_PROP_TYPE(e->tag)) {
	case PtypString:
	case PtypString8:
		*ret_n = strlen(e->v.str);
		return *ret_n >= from ? e->v.str : NULL;
	case PtypBinary:
	case PtypObject:
		*ret_n = e->v.bin.len;
		return *ret_n >= from ? e->v.bin.data : NULL;
	default:
		return NULL;
	}
}

int ftx_put(struct gx_ftx_out *out, const struct ftx_elem *e, size_t large_from)
{
	const struct gx_propname *name = GX_PROP_IS_NAMED(e->tag) ? &e->name : NULL;
	struct gx_ftx_reader r = {.read = read_memory};
	if (gx_ftx_is_marker(e->tag))
		return gx_ftx_out_marker(out, e->tag);
	const void *p = large_value(e, large_from, &r.size);
	if (p == NULL || gx_ftx__special(GX_PROP_ID(e->tag)) != NULL)
		return gx_ftx_out_prop(out, e->tag, name, &e->v);
	r.ctx = (void *)(uintptr_t)p;
	return gx_ftx_out_large(out, e->tag, name, &r);
}

static int event(struct ftx_list *l)
{
	return l->stop_every != 0 && ++l->events % l->stop_every == 0;
}

static struct ftx_elem elem_of(struct ftx_list *l, const struct gx_ftx_prop *p)
{
	struct ftx_elem e = {.tag = p->tag, .wire_type = p->wire_type};
	ck_assert_int_eq(GX_PROP_IS_NAMED(p->tag), p->name != NULL);
	if (p->name != NULL) {
		e.name = *p->name;
		e.name.name = gx_arena_strdup(l->a, e.name.name);
	}
	return e;
}

static int keep_marker(gx_proptag_t marker, void *ctx)
{
	append(ctx, (struct ftx_elem){.tag = marker});
	return event(ctx);
}

static int keep_prop(const struct gx_ftx_prop *p, void *ctx)
{
	struct ftx_list *l = ctx;
	struct ftx_elem e = elem_of(l, p);
	ck_assert_int_eq(gx_value_copy(l->a, GX_PROP_TYPE(p->tag), &p->v, &e.v), 0);
	append(l, e);
	return event(l);
}

static int keep_meta(const struct gx_ftx_prop *p, void *ctx)
{
	ck_assert_ptr_nonnull(gx_ftx_name(p->tag));
	return keep_prop(p, ctx);
}

static int keep_begin(const struct gx_ftx_prop *p, uint32_t size, void *ctx)
{
	struct ftx_list *l = ctx;
	ck_assert_uint_ne(size, 0);
	l->large = elem_of(l, p);
	l->large.in_parts = true;
	gx_push_clear(&l->part);
	return event(l);
}

static int keep_part(const void *data, size_t n, void *ctx)
{
	struct ftx_list *l = ctx;
	gx_push_bytes(&l->part, data, n);
	l->max_part = n > l->max_part ? n : l->max_part;
	return event(l);
}

static int keep_end(void *ctx)
{
	struct ftx_list *l = ctx;
	if (gx_prop__kind(GX_PROP_TYPE(l->large.tag)) == GX_KIND_STR) {
		l->large.v.str = gx_arena_strndup(l->a, (const char *)l->part.data, l->part.len);
	} else {
		l->large.v.bin.data = gx_arena_memdup(l->a, l->part.data, l->part.len);
		l->large.v.bin.len = l->part.len;
	}
	append(l, l->large);
	return event(l);
}

const struct gx_ftx_in_ops ftx_keep = {keep_marker, keep_prop, keep_meta, keep_begin, keep_part, keep_end};
const struct gx_ftx_in_ops ftx_keep_whole = {.marker = keep_marker, .prop = keep_prop};

void ftx_same(const struct ftx_list *x, const struct ftx_list *y)
{
	ck_assert_uint_eq(x->n, y->n);
	for (size_t i = 0; i < x->n; ++i) {
		const struct ftx_elem *p = &x->v[i], *q = &y->v[i];
		ck_assert_uint_eq(GX_PROP_ID(p->tag), GX_PROP_ID(q->tag));
		if (gx_ftx_is_marker(p->tag)) {
			ck_assert_uint_eq(p->tag, q->tag);
			continue;
		}
		ck_assert_msg(gx_prop__matches(p->tag, q->tag), "%zu: %08x %08x", i, p->tag, q->tag);
		ck_assert_msg(gx_value_equal(GX_PROP_TYPE(p->tag), &p->v, &q->v), "%zu: value of %08x", i, p->tag);
		if (GX_PROP_IS_NAMED(p->tag))
			ck_assert(gx_propname_equal(&p->name, &q->name));
	}
}

void ftx_release(struct ftx_list *l)
{
	gx_push_release(&l->part);
}

struct gx_ftx_out *ftx_new_out(uint32_t send_options, int root)
{
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.send_options = send_options, .root = root,
		.cp = send_options & GX_FTX_SEND_PARTIAL_ITEM ? GX_CP_UTF8 : 0});
	ck_assert_ptr_nonnull(out);
	return out;
}

struct gx_bin ftx_drain(struct gx_arena *a, struct gx_ftx_out *out)
{
	struct gx_push c = GX_PUSH_INIT;
	struct gx_bin b;
	size_t n;
	do {
		uint8_t *p = gx_push_reserve(&c, 65536);
		ck_assert_int_eq(gx_ftx_out_read(out, p, 65536, &n), 0);
		gx_push_added(&c, n);
	} while (n != 0);
	ck_assert_uint_eq(gx_ftx_out_offset(out), c.len);
	ck_assert_int_eq(gx_push_finish(&c, a, &b), 0);
	gx_push_release(&c);
	return b;
}

struct ftx_list ftx_take(struct gx_arena *a, const struct gx_bin *b, const struct gx_ftx_in_opts *o,
	const struct gx_ftx_in_ops *ops)
{
	struct ftx_list l = {.a = a};
	struct gx_ftx_in *in = gx_ftx_in_new(o, ops, &l);
	size_t used;
	ck_assert_ptr_nonnull(in);
	int err = gx_ftx_in_write(in, b->data, b->len, &used);
	ck_assert_msg(err == 0, "%s", gx_ftx_in_text(in));
	ck_assert_uint_eq(used, b->len);
	ck_assert_msg(gx_ftx_in_end(in) == 0, "%s", gx_ftx_in_text(in));
	gx_ftx_in_free(in);
	return l;
}

int ftx_swallow(const uint8_t *p, size_t n, const struct gx_ftx_in_opts *o, size_t cut)
{
	struct ftx_list l = {.a = gx_arena_new(64 << 20)};
	struct gx_ftx_in *in = gx_ftx_in_new(o, &ftx_keep, &l);
	uint8_t *x = gxtest_exact(p, cut), *y = gxtest_exact(p + cut, n - cut);
	int err = gx_ftx_in_write(in, x, cut, NULL);
	if (err == 0)
		err = gx_ftx_in_write(in, y, n - cut, NULL);
	if (err == 0)
		err = gx_ftx_in_end(in);
	ck_assert_int_le(err, 0);
	ck_assert_msg((err == 0) == (*gx_ftx_in_text(in) == '\0'), "%d: %s", err, gx_ftx_in_text(in));
	free(x);
	free(y);
	gx_ftx_in_free(in);
	ftx_release(&l);
	gx_arena_free(l.a);
	return err;
}
