/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/*
 * Copies between instances of two stores. What is wanted of the source becomes an instance of the other store first, which
 * shares nothing with it: large values go in pieces into blobs of their own. That one is copied as any of the same store.
 */

enum { NAMED = 0x8000, NO_ID = 0xfffe }; /* no name has this id */

/* ---- Names in use ---- */

static void see(uint8_t *seen, gx_proptag_t tag)
{
	unsigned id = GX_PROP_ID(tag);
	if (id >= NAMED)
		seen[(id - NAMED) / 8] |= (uint8_t)(1U << id % 8);
}

static void see_props(uint8_t *seen, const struct gx_iprops *l, const struct gx_inst_copy_opts *o)
{
	for (size_t i = 0; i < l->n; i++)
		if (o == NULL || gx_inst__copy_wants(o, l->v[i].tag))
			see(seen, l->v[i].tag);
}

static int see_rcpts(uint8_t *seen, const struct gx_imsg *m)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < m->nrcpts; i++) {
		struct gx_prow_iter it;
		struct gx_bin e;
		r = gx_prow_begin(&it, m->rcpts[i].p, m->rcpts[i].len);
		while (r >= 0 && (r = gx_prow_raw(&it, &e)) > 0)
			see(seen, it.tag);
	}
	return r < 0 ? r : 0;
}

static int see_msg(uint8_t *seen, const struct gx_imsg *m, const struct gx_inst_copy_opts *o, bool rcpts, bool atts)
{
	see_props(seen, &m->props, o);
	int err = rcpts ? see_rcpts(seen, m) : 0;
	for (size_t i = 0; atts && err == 0 && i < m->natts; i++) {
		see_props(seen, &m->atts[i]->props, NULL);
		if (m->atts[i]->embedded != NULL)
			err = see_msg(seen, m->atts[i]->embedded, NULL, true, true);
	}
	return err;
}

static bool wants_embedded(const struct gx_inst_across_opts *o)
{
	return o->props.embedded && gx_inst__copy_wants(&o->props, PidTagAttachDataObject);
}

/* Everything that is to be copied is loaded: rows, no large values. */
static int load_all(struct gx_txn *t, struct gx_inst *i, const struct gx_inst_across_opts *o)
{
	if (gx_inst__is_msg(i))
		return o->atts ? gx_imsg__load_all(t, i->msg, 0) : 0;
	int err = wants_embedded(o) ? gx_iatt__load_embedded(t, i->tree->acct, i->att) : 0;
	return err == 0 && wants_embedded(o) && i->att->embedded != NULL ? gx_imsg__load_all(t, i->att->embedded, 0) : err;
}

static int see_all(struct gx_txn *t, struct gx_inst *i, const struct gx_inst_across_opts *o, uint8_t *seen)
{
	int err = load_all(t, i, o);
	if (err != 0 || gx_inst__is_msg(i))
		return err != 0 ? err : see_msg(seen, i->msg, &o->props, o->rcpts, o->atts);
	see_props(seen, &i->att->props, &o->props);
	return wants_embedded(o) && i->att->embedded != NULL ? see_msg(seen, i->att->embedded, NULL, true, true) : 0;
}

gx_ec gx_inst_named(struct gx_txn *t, struct gx_inst *i, const struct gx_inst_across_opts *o, struct gx_arena *a, uint16_t **ret_v, size_t *ret_n)
{
	uint8_t seen[NAMED / 8] = {0};
	size_t n = 0;
	if (o->size < sizeof(*o) || i->tree->s != t->s)
		return GX_EC(ecInvalidParam);
	gx_inst__lock(i);
	int err = see_all(t, i, o, seen);
	gx_inst__unlock(i);
	for (size_t k = 0; k < sizeof(seen); k++)
		n += (size_t)__builtin_popcount(seen[k]);
	uint16_t *v = err != 0 ? NULL : gx_arena_new_array(a, uint16_t, n);
	if (v == NULL)
		return gx_inst__ec(t, err == 0 ? GX_E_NOMEM : err);
	n = 0;
	for (unsigned k = 0; k < NAMED; k++)
		if (seen[k / 8] & 1U << k % 8)
			v[n++] = (uint16_t)(NAMED + k);
	*ret_v = v;
	*ret_n = n;
	return GX_OK_EC;
}

/* ---- The copy that belongs to the other store ---- */

struct across {
	struct gx_txn *t, *to;
	struct gx_inst *src, *dst, *copy;
	const struct gx_inst_across_opts *o;
	struct gx_arena *a;
};

static int by_id(const void *key, const void *elem)
{
	return (int)*(const uint16_t *)key - (int)*(const uint16_t *)elem;
}

/* The tag there; with NO_ID when the name is not known there. */
static gx_proptag_t mapped(const struct gx_inst_across_opts *o, gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	if (id < NAMED)
		return tag;
	const uint16_t *at = o->names == 0 ? NULL : bsearch(&id, o->from, o->names, sizeof(*o->from), by_id);
	uint16_t there = at == NULL ? 0 : o->to[at - o->from];
	return GX_PROP_TAG(there == 0 ? NO_ID : there, GX_PROP_TYPE(tag));
}

static gx_proptag_t mapped_back(const struct gx_inst_across_opts *o, gx_proptag_t tag)
{
	for (size_t i = 0; GX_PROP_ID(tag) >= NAMED && i < o->names; i++)
		if (o->to[i] == GX_PROP_ID(tag))
			return GX_PROP_TAG(o->from[i], GX_PROP_TYPE(tag));
	return tag;
}

static int carry_blob(struct across *x, const struct gx_ival *v, gx_proptag_t tag, struct gx_iprops *to)
{
	struct gx_blob *b;
	int err = gx_ival__to_blob(x->t, v, x->copy->tree->acct, &b);
	if (err != 0)
		return err;
	err = gx_iprops__set_blob(to, tag, b);
	gx_blob__unref(b);
	return err;
}

static int carry_value(struct across *x, const struct gx_ival *v, struct gx_iprops *to)
{
	struct gx_propval pv;
	gx_proptag_t tag = mapped(x->o, v->tag & ~(gx_proptag_t)GX_PROW_EXTERN);
	if (GX_PROP_ID(tag) == NO_ID)
		return 0;
	if ((v->tag & GX_PROW_EXTERN) && GX_PROP_TYPE(tag) != PtypString)
		return carry_blob(x, v, tag, to);
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_ival__get(x->t, v, a, &pv);
	if (err == 0)
		err = gx_iprops__set(to, x->copy->tree->acct, tag, &pv.v);
	gx_arena_free(a);
	return err;
}

static int carry_props(struct across *x, const struct gx_iprops *l, const struct gx_inst_copy_opts *o, struct gx_iprops *to)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < l->n; i++)
		if (o == NULL || gx_inst__copy_wants(o, l->v[i].tag))
			err = carry_value(x, &l->v[i], to);
	return err;
}

static int carry_rcpt(struct across *x, const struct gx_ircpt *r, struct gx_arena *a, struct gx_imsg *to)
{
	struct gx_proplist l = {0}, there = {0};
	int err = gx_prow_unpack(a, r->p, r->len, &l);
	for (size_t k = 0; err == 0 && k < l.count; k++) {
		gx_proptag_t tag = mapped(x->o, l.v[k].tag);
		if (GX_PROP_ID(tag) != NO_ID)
			err = gx_proplist_set(&there, a, tag, l.v[k].v);
	}
	if (err == 0)
		err = gx_proplist_set_i32(&there, a, PidTagRowid, (int32_t)r->row_id);
	return err != 0 ? err : gx_imsg__set_rcpts(to, &there, 1, false);
}

static int carry_rcpts(struct across *x, const struct gx_imsg *m, struct gx_imsg *to)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < m->nrcpts; i++) {
		struct gx_arena *a = gx_arena_new(0);
		err = a == NULL ? GX_E_NOMEM : carry_rcpt(x, &m->rcpts[i], a, to);
		gx_arena_free(a);
	}
	return err;
}

static int carry_msg(struct across *x, const struct gx_imsg *m, const struct gx_inst_copy_opts *o, bool rcpts, bool atts, struct gx_imsg **ret_m);

static int carry_att(struct across *x, const struct gx_iatt *from, const struct gx_inst_copy_opts *o, bool embedded, struct gx_iatt *to)
{
	int err = carry_props(x, &from->props, o, &to->props);
	return err != 0 || !embedded || from->embedded == NULL ? err : carry_msg(x, from->embedded, NULL, true, true, &to->embedded);
}

static int carry_atts(struct across *x, const struct gx_imsg *m, struct gx_imsg *to)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < m->natts; i++) {
		struct gx_iatt *at = gx_iatt__new(m->atts[i]->num);
		err = at == NULL ? GX_E_NOMEM : carry_att(x, m->atts[i], NULL, true, at);
		if (err == 0)
			err = gx_imsg__put_att(to, at);
		else
			gx_iatt__unref(at);
	}
	return err;
}

/* How deep it is was seen when it was loaded. */
static int carry_msg(struct across *x, const struct gx_imsg *m, const struct gx_inst_copy_opts *o, bool rcpts, bool atts, struct gx_imsg **ret_m)
{
	struct gx_imsg *to = gx_imsg__new(x->copy->tree->acct);
	if (to == NULL)
		return GX_E_NOMEM;
	int err = carry_props(x, &m->props, o, &to->props);
	if (err == 0 && rcpts)
		err = carry_rcpts(x, m, to);
	if (err == 0 && atts)
		err = carry_atts(x, m, to);
	if (err == 0)
		*ret_m = to;
	else
		gx_imsg__unref(to);
	return err;
}

static int carry(struct across *x)
{
	const struct gx_inst_across_opts *o = x->o;
	int kind = gx_inst__is_msg(x->src) ? GX_INST_MESSAGE : GX_INST_ATTACHMENT;
	x->copy = gx_inst__make(x->to->s, NULL, kind);
	if (x->copy == NULL)
		return GX_E_NOMEM;
	x->copy->writable = true;
	int err = load_all(x->t, x->src, o);
	if (err == 0 && kind == GX_INST_MESSAGE)
		return carry_msg(x, x->src->msg, &o->props, o->rcpts, o->atts, &x->copy->msg);
	x->copy->att = err != 0 ? NULL : gx_iatt__new(0);
	return err != 0 ? err : x->copy->att == NULL ? GX_E_NOMEM : carry_att(x, x->src->att, &o->props, wants_embedded(o), x->copy->att);
}

/* ---- From there into the destination, and out of the source ---- */

static int take_away(struct across *x, const gx_proptag_t *done, size_t n)
{
	int err = 0;
	gx_inst__lock(x->src);
	for (size_t k = 0; err == 0 && k < n; k++) {
		uint32_t code;
		err = gx_inst__remove(x->src, mapped_back(x->o, done[k]), 0, &code);
		gx_inst__touch(x->src, GX_IDIRTY_PROPS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock(x->src);
	return err;
}

/* What was left out is not in the copy. */
static gx_ec copy_props(struct across *x, struct gx_problems *ret_p)
{
	struct gx_inst_copy_opts o = x->o->props;
	gx_proptag_t *done, *tags = gx_arena_new_array(x->a, gx_proptag_t, o.n);
	size_t n;
	if (tags == NULL)
		return gx_txn__ec(x->t, GX_E_NOMEM);
	for (size_t i = 0; i < o.n; i++)
		tags[i] = mapped(x->o, o.tags[i]);
	o.tags = tags;
	o.move = false;
	gx_ec ec = gx_inst__copy_props(x->to, x->copy, x->dst, &o, x->a, ret_p, &done, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < ret_p->count; i++)
		ret_p->v[i].tag = o.only ? x->o->props.tags[ret_p->v[i].index] : mapped_back(x->o, ret_p->v[i].tag);
	return gx_ec_failed(ec) || !x->o->props.move ? ec : gx_inst__ec(x->t, take_away(x, done, n));
}

static gx_ec copy_parts(struct across *x)
{
	bool done = false, force = !x->o->props.keep, move = x->o->props.move;
	gx_ec ec = GX_OK_EC;
	if (x->o->rcpts)
		ec = gx_inst_copy_rcpts(x->copy, x->dst, force, &done);
	if (!gx_ec_failed(ec) && done && move)
		ec = gx_inst_clear_rcpts(x->src);
	done = false;
	if (!gx_ec_failed(ec) && x->o->atts)
		ec = gx_inst_copy_atts(x->to, x->copy, x->dst, force, &done);
	return !gx_ec_failed(ec) && done && move ? gx_inst_clear_atts(x->t, x->src) : ec;
}

static gx_ec check(const struct across *x)
{
	if (x->o->size < sizeof(*x->o) || x->src->tree->s != x->t->s || x->dst->tree->s != x->to->s || x->t->s == x->to->s)
		return gx_txn__fail(x->t, ecInvalidParam, "the instances are not of these stores");
	if (gx_inst__is_msg(x->src) != gx_inst__is_msg(x->dst))
		return gx_txn__fail(x->t, ecInvalidObject, "a message and an attachment");
	gx_ec ec = gx_inst__writable(x->dst);
	return gx_ec_failed(ec) || !x->o->props.move ? ec : gx_inst__writable(x->src);
}

gx_ec gx_inst_copy_across(struct gx_txn *t, struct gx_inst *src, struct gx_txn *to, struct gx_inst *dst, const struct gx_inst_across_opts *o,
	struct gx_arena *a, struct gx_problems *ret_problems)
{
	struct across x = {.t = t, .to = to, .src = src, .dst = dst, .o = o, .a = a};
	struct gx_problems p = {0};
	gx_ec ec = check(&x);
	if (gx_ec_failed(ec))
		return ec;
	gx_inst__lock(src);
	ec = gx_inst__ec(t, carry(&x));
	gx_inst__unlock(src);
	if (!gx_ec_failed(ec))
		ec = copy_props(&x, &p);
	if (!gx_ec_failed(ec) && gx_inst__is_msg(src))
		ec = copy_parts(&x);
	gx_inst_free(x.copy);
	if (!gx_ec_failed(ec))
		*ret_problems = p;
	return ec;
}
