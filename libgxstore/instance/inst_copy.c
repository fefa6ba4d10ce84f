/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/instance/inst-int.h"

/* Properties of one instance into another: what has no meaning of its own is shared, however large, the rest is set. */

struct copying {
	struct gx_txn *t;
	struct gx_inst *src, *dst;
	const struct gx_inst_copy_opts *o;
	struct gx_arena *a;
	struct gx_problems *problems;
	gx_proptag_t *done;      /* to be taken from the source */
	size_t ndone;
	bool had_subject, had_body; /* the destination: what stays there stays as a whole */
};

static gx_proptag_t plain_tag(const struct gx_ival *v)
{
	return v->tag & ~(gx_proptag_t)GX_PROW_EXTERN;
}

static int rule_of(const struct gx_inst *i, gx_proptag_t tag)
{
	return gx_inst__is_msg(i) ? gx_rule__msg(tag) : gx_rule__att(tag);
}

static bool fits(gx_proptag_t have, gx_proptag_t want)
{
	uint16_t h = GX_PROP_TYPE(have), w = GX_PROP_TYPE(want);
	if (w == PtypString8 || w == PtypMultipleString8)
		w++;
	return w == PtypUnspecified || h == w || (w == PtypObject && h == PtypBinary) || (w == PtypBinary && h == PtypObject);
}

/* With the meaning that setting it has. */
static int set_value(struct copying *x, const struct gx_ival *v, uint32_t *ret_code)
{
	struct gx_propval pv;
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_ival__get(x->t, v, a, &pv);
	if (err == 0)
		err = gx_inst__set(x->dst, &pv, 0, ret_code);
	gx_arena_free(a);
	return err;
}

static int share_value(struct copying *x, const struct gx_ival *v)
{
	gx_proptag_t tag = plain_tag(v);
	int err = gx_iprops__set_ival(gx_inst__props(x->dst), v);
	if (err == 0 && x->dst->msg != NULL && GX_PROP_IS_NAMED(tag))
		err = gx_imsg__note_named(x->dst->msg, GX_PROP_ID(tag));
	return err;
}

static bool stays(const struct copying *x, gx_proptag_t tag, int rule)
{
	return x->o->keep && (rule == GX_RULE_SUBJECT ? x->had_subject : rule == GX_RULE_BODY ? x->had_body :
		gx_iprops__find(gx_inst__props(x->dst), tag) != NULL);
}

static bool has_any(const struct gx_inst *i, const gx_proptag_t *tags, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (gx_iprops__find(&i->msg->props, tags[k]) != NULL)
			return true;
	return false;
}

static void look(struct copying *x)
{
	static const gx_proptag_t subject[] = {PidTagSubject, PidTagSubjectPrefix, PidTagNormalizedSubject};
	static const gx_proptag_t body[] = {PidTagBody, PidTagHtml, PidTagRtfCompressed};
	x->had_subject = x->dst->msg != NULL && has_any(x->dst, subject, 3);
	x->had_body = x->dst->msg != NULL && has_any(x->dst, body, 3);
}

static int copy(struct copying *x, const struct gx_ival *v, uint32_t *ret_code)
{
	gx_proptag_t tag = plain_tag(v);
	int rule = rule_of(x->dst, tag);
	*ret_code = rule == GX_RULE_COMPUTED || rule == GX_RULE_VERSION ? ecComputedValue : ecSuccess;
	if (*ret_code != ecSuccess || stays(x, tag, rule))
		return 0;
	bool shown = gx_inst__shown(x->dst, tag);
	int err = rule == GX_RULE_PLAIN ? share_value(x, v) : set_value(x, v, ret_code);
	if (err != 0 || *ret_code == ecSuccess)
		gx_inst__touch(x->dst, GX_IDIRTY_PROPS | (shown || gx_inst__shown(x->dst, tag) ? GX_IDIRTY_RENDERED : 0));
	if (err == 0 && *ret_code == ecSuccess)
		x->done[x->ndone++] = tag;
	return err;
}

static int copy_listed(struct copying *x)
{
	for (size_t k = 0; k < x->o->n; k++) {
		uint32_t code = ecNotFound;
		gx_proptag_t tag = x->o->tags[k];
		const struct gx_ival *v = gx_iprops__find(gx_inst__props(x->src), tag);
		int err = v == NULL || !fits(plain_tag(v), tag) ? 0 : copy(x, v, &code);
		if (err == 0 && v == NULL && rule_of(x->dst, tag) == GX_RULE_COMPUTED)
			code = ecComputedValue;
		if (err == 0 && code != ecSuccess)
			err = gx_problems__add(x->problems, x->a, k, tag, code);
		if (err != 0)
			return err;
	}
	return 0;
}

bool gx_inst__copy_wants(const struct gx_inst_copy_opts *o, gx_proptag_t tag)
{
	for (size_t k = 0; k < o->n; k++)
		if (GX_PROP_ID(o->tags[k]) == GX_PROP_ID(tag))
			return o->only;
	return !o->only;
}

/* What is the server's alone is no problem here: nobody has asked for it. */
static int copy_others(struct copying *x)
{
	const struct gx_iprops *l = gx_inst__props(x->src);
	for (size_t k = 0; k < l->n; k++) {
		uint32_t code = ecSuccess;
		gx_proptag_t tag = plain_tag(&l->v[k]);
		int err = gx_inst__copy_wants(x->o, tag) ? copy(x, &l->v[k], &code) : 0;
		if (err == 0 && code != ecSuccess && code != ecComputedValue && code != ecAccessDenied)
			err = gx_problems__add(x->problems, x->a, k, tag, code);
		if (err != 0)
			return err;
	}
	return 0;
}

/* ---- The message in an attachment ---- */

static int share_embedded(struct copying *x)
{
	struct gx_iatt *from = x->src->att, *to = x->dst->att;
	struct gx_imsg *m;
	ZSTD_CCtx *cctx = NULL;
	int err = gx_iatt__load_embedded(x->t, x->src->tree->acct, from);
	if (err != 0 || from->embedded == NULL || (x->o->keep && (to->embedded != NULL || to->embedded_body != 0)))
		return err;
	err = gx_imsg__load_all(x->t, from->embedded, 0); /* two trees will share it: it must be complete */
	if (err == 0)
		err = gx_imsg__pack(from->embedded, &cctx);
	ZSTD_freeCCtx(cctx);
	if (err == 0 && gx_inst__level(x->dst) + 1 + gx_imsg__depth(from->embedded) > GX_INST_DEPTH_MAX)
		err = GX_E_DEPTH;
	if (err == 0)
		err = gx_imsg__clone(from->embedded, &m);
	if (err != 0)
		return err;
	gx_imsg__unref(to->embedded);
	gx_isrc__unref(to->src);
	to->embedded = m;
	to->embedded_body = 0;
	to->src = NULL;
	gx_iprops__remove(&to->props, PidTagAttachDataBinary);
	gx_inst__touch(x->dst, 0);
	return gx_iprops__set(&to->props, x->dst->tree->acct, PidTagAttachMethod, &(union gx_value){.i32 = 5}); /* afEmbeddedMessage */
}

static bool wants_embedded(const struct copying *x)
{
	return !gx_inst__is_msg(x->src) && x->o->embedded && gx_inst__copy_wants(x->o, PidTagAttachDataObject);
}

/* ---- */

static int copy_all(struct copying *x)
{
	ZSTD_CCtx *cctx = NULL;
	x->done = gx_arena_new_array(x->a, gx_proptag_t, gx_inst__props(x->src)->n + x->o->n);
	if (x->done == NULL)
		return GX_E_NOMEM;
	look(x);
	/* what two trees share is packed before: neither's lock would keep the other from it */
	int err = gx_inst__is_msg(x->src) ? gx_imsg__pack(x->src->msg, &cctx) : gx_iatt__pack(x->src->att, &cctx);
	ZSTD_freeCCtx(cctx);
	if (err == 0)
		err = x->o->only ? copy_listed(x) : copy_others(x);
	if (err == 0 && wants_embedded(x))
		err = share_embedded(x);
	for (size_t k = 0; err == 0 && x->o->move && k < x->ndone; k++) {
		uint32_t code;
		err = gx_inst__remove(x->src, x->done[k], 0, &code);
		gx_inst__touch(x->src, GX_IDIRTY_PROPS | GX_IDIRTY_RENDERED);
	}
	return err;
}

static gx_ec check(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, const struct gx_inst_copy_opts *o)
{
	if (o->size < sizeof(*o) || src->tree->s != t->s || dst->tree->s != t->s)
		return gx_txn__fail(t, ecInvalidParam, "the instances are of other stores");
	if (gx_inst__is_msg(src) != gx_inst__is_msg(dst))
		return gx_txn__fail(t, ecInvalidObject, "a message and an attachment");
	gx_ec ec = gx_inst__writable(dst);
	return gx_ec_failed(ec) || !o->move ? ec : gx_inst__writable(src);
}

gx_ec gx_inst__copy_props(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, const struct gx_inst_copy_opts *o,
	struct gx_arena *a, struct gx_problems *ret_problems, gx_proptag_t **ret_done, size_t *ret_n)
{
	struct gx_problems p = {0};
	struct copying x = {.t = t, .src = src, .dst = dst, .o = o, .a = a, .problems = &p};
	gx_inst__lock2(src, dst);
	gx_ec ec = check(t, src, dst, o);
	if (!gx_ec_failed(ec) && src != dst)
		ec = gx_inst__ec(t, copy_all(&x));
	gx_inst__unlock2(src, dst);
	if (gx_ec_failed(ec))
		return ec;
	*ret_problems = p;
	*ret_done = x.done;
	*ret_n = x.ndone;
	return ec;
}

gx_ec gx_inst_copy_props(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, const struct gx_inst_copy_opts *o,
	struct gx_arena *a, struct gx_problems *ret_problems)
{
	gx_proptag_t *done;
	size_t n;
	return gx_inst__copy_props(t, src, dst, o, a, ret_problems, &done, &n);
}
