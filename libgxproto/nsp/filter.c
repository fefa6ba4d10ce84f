/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restrictions over the entries of a container. PidTagAnr is no property that an entry has: each such condition is answered
 * once for all entries, and stands in the restriction as a number that an entry has or has not. So are the members of a list that
 * RELOP_MEMBER_OF_DL names, those of lists in it among them.
 */
#include <config.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { CONDITIONS = 16, FIRST_ID = 0xfe00, FLAGS_NONE = 0 };

struct group {
	struct gx_bin eid;    /* borrowed from the restriction */
	const uint8_t *members;
};

struct filter {
	struct nsp_call *c, *outer; /* values of one entry; what lives as long as the search */
	struct group groups[CONDITIONS];
	unsigned ngroups;
	const uint8_t *bits[CONDITIONS];
	unsigned n;
	const uint8_t *must;  /* who is not in it does not fit; NULL: anybody may */
	uint32_t entry;       /* being looked at */
};

/* ---- Putting numbers in place of names ---- */

static int rewrite(struct filter *f, const struct gx_restr *r, unsigned depth, bool top, const struct gx_restr **ret_r);

static int condition(struct filter *f, const struct gx_propval *val, bool top, struct gx_restr *out)
{
	if (f->n == CONDITIONS || (GX_PROP_TYPE(val->tag) != PtypString && GX_PROP_TYPE(val->tag) != PtypString8))
		return GX_E_UNSUP;
	const uint8_t *bits = gx_nsp__anr(f->c, val->v.str);
	if (bits == NULL)
		return GX_E_NOMEM;
	gx_proptag_t tag = GX_PROP_TAG(FIRST_ID + f->n, PtypInteger32);
	f->bits[f->n++] = bits;
	if (top && f->must == NULL)
		f->must = bits;
	*out = (struct gx_restr){.type = RES_PROPERTY, .u.prop = {RELOP_EQ, tag, {.tag = tag, .v.i32 = 1}}};
	return 0;
}

static int rewrite_list(struct filter *f, const struct gx_restr *r, unsigned depth, bool top, struct gx_restr *out)
{
	struct gx_restr *v = gx_arena_new_array(f->c->a, struct gx_restr, r->u.list.count + 1);
	int err = v == NULL ? GX_E_NOMEM : 0;
	for (uint32_t i = 0; i < r->u.list.count && err == 0; ++i) {
		const struct gx_restr *sub;
		err = rewrite(f, &r->u.list.v[i], depth + 1, top && r->type == RES_AND, &sub);
		if (err == 0)
			v[i] = *sub;
	}
	out->u.list.v = v;
	return err;
}

static int rewrite(struct filter *f, const struct gx_restr *r, unsigned depth, bool top, const struct gx_restr **ret_r)
{
	struct gx_restr *out = gx_arena_memdup(f->c->a, r, sizeof(*r));
	int err = out == NULL ? GX_E_NOMEM : depth > GX_RESTR_MAX_DEPTH ? GX_E_DEPTH : 0;
	if (err != 0)
		return err;
	*ret_r = out;
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		return rewrite_list(f, r, depth, top, out);
	case RES_NOT:
		return rewrite(f, r->u.not_.sub, depth + 1, false, &out->u.not_.sub);
	case RES_COUNT:
		return rewrite(f, r->u.count.sub, depth + 1, top, &out->u.count.sub);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return r->u.comment.sub == NULL ? 0 : rewrite(f, r->u.comment.sub, depth + 1, top, &out->u.comment.sub);
	case RES_PROPERTY:
		return GX_PROP_ID(r->u.prop.tag) != GX_PROP_ID(PidTagAnr) ? 0 : condition(f, &r->u.prop.val, top, out);
	case RES_CONTENT:
		return GX_PROP_ID(r->u.content.tag) != GX_PROP_ID(PidTagAnr) ? 0 : condition(f, &r->u.content.val, top, out);
	}
	return 0;
}

/* ---- Evaluation ---- */

static int get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	struct filter *f = ctx;
	uint32_t id = GX_PROP_ID(tag);
	if (id < FIRST_ID || id >= FIRST_ID + f->n)
		return gx_nsp__prop(f->c, f->entry, FLAGS_NONE, tag, ret_pv);
	*ret_pv = (struct gx_propval){tag, {.i32 = gx_nsp__bit(f->bits[id - FIRST_ID], f->entry)}};
	return 1;
}

static bool mark(uint8_t *bits, uint32_t entry)
{
	bool was = gx_nsp__bit(bits, entry);
	bits[entry / 8] |= (uint8_t)(1U << entry % 8);
	return !was;
}

/* Lists in it are opened once each, so that one that is in itself does no harm. */
static int expand(struct nsp_call *c, uint32_t list, uint8_t *bits)
{
	uint32_t *unopened = gx_arena_new_array(c->a, uint32_t, c->b->n + 1);
	uint32_t n = 0;
	int err = unopened == NULL ? GX_E_NOMEM : 0;
	if (err == 0)
		unopened[n++] = list;
	while (n > 0 && err == 0) {
		struct nsp_set s = {0};
		err = gx_nsp__links(c, unopened[--n], PidTagAddressBookMember, &s);
		for (size_t i = 0; i < s.n && err == 0; ++i)
			if (mark(bits, s.v[i]) && c->b->v[s.v[i]].kind == NSP_LIST && s.v[i] != list)
				unopened[n++] = s.v[i];
	}
	return err;
}

static int group(struct filter *f, const struct gx_bin *eid, const uint8_t **ret_members)
{
	for (unsigned i = 0; i < f->ngroups; ++i)
		if (f->groups[i].eid.data == eid->data && f->groups[i].eid.len == eid->len) {
			*ret_members = f->groups[i].members;
			return 0;
		}
	if (f->ngroups == CONDITIONS)
		return GX_E_UNSUP;
	uint8_t *bits = gx_arena_calloc(f->outer->a, f->outer->b->n / 8 + 1, 1);
	uint32_t list = gx_nsp__by_entryid(f->outer, *eid);
	int err = bits == NULL ? GX_E_NOMEM : list == NSP_NONE ? 0 : expand(f->outer, list, bits);
	if (err == 0)
		f->groups[f->ngroups++] = (struct group){*eid, bits};
	*ret_members = bits;
	return err;
}

/* Of the entry itself, or of whom a property of it names. */
static int member_of(gx_proptag_t tag, const struct gx_bin *dl, void *ctx)
{
	struct filter *f = ctx;
	const uint8_t *members;
	struct gx_propval pv;
	int err = group(f, dl, &members);
	if (err != 0)
		return err;
	int have = gx_nsp__prop(f->c, f->entry, FLAGS_NONE, tag, &pv);
	if (have <= 0 || GX_PROP_TYPE(pv.tag) != PtypBinary)
		return have < 0 ? have : 0;
	uint32_t who = gx_nsp__by_entryid(f->c, pv.v.bin);
	return who != NSP_NONE && gx_nsp__bit(members, who);
}

static int add(struct nsp_call *c, struct nsp_set *s, uint32_t entry)
{
	s->v = gx_arena_grow(c->a, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return GX_E_NOMEM;
	s->v[s->n++] = entry;
	return 0;
}

/* Values are made in an arena of their own, which is emptied now and then: a search may look at everybody. */
static gx_ec search(struct filter *f, struct nsp_call *inner, const struct nsp_container *k, const struct gx_restr *r, uint32_t most, struct nsp_set *s)
{
	const struct gx_propsrc src = {.get = get, .member_of = member_of, .ctx = f};
	struct nsp_call *c = f->c;
	int err = 0;
	f->c = inner;
	for (uint32_t i = 0; i < k->count && err == 0; ++i) {
		bool match = false;
		f->entry = k->rows[i];
		if (f->must != NULL && !gx_nsp__bit(f->must, f->entry))
			continue;
		err = gx_restr_eval(r, &src, &match);
		if (err == 0 && match && s->n >= most)
			return GX_EC(ecTableTooBig);
		if (err == 0 && match)
			err = add(c, s, f->entry);
		gx_arena_reset(inner->a);
	}
	return err == GX_E_UNSUP || err == GX_E_DEPTH || err == GX_E_INVAL ? GX_EC(ecTooComplex) : gx_ec_from_err(err);
}

gx_ec gx_nsp__filter(struct nsp_call *c, const struct nsp_container *k, const struct gx_restr *r, uint32_t most, struct nsp_set *ret_s)
{
	struct filter f = {.c = c, .outer = c};
	struct nsp_call inner = *c;
	const struct gx_restr *plain = NULL;
	int err = rewrite(&f, r, 0, true, &plain);
	if (err != 0)
		return err == GX_E_UNSUP || err == GX_E_DEPTH ? GX_EC(ecTooComplex) : gx_ec_from_err(err);
	inner.a = gx_arena_new(0);
	if (inner.a == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = search(&f, &inner, k, plain, most, ret_s);
	gx_arena_free(inner.a);
	return ec;
}
