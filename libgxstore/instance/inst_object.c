/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/* Instances as whole objects. */

/* ---- Reading ---- */

/* Where the message is, and who asks: no part of what it is. */
static bool of_place(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {PidTagEntryId, PidTagRecordKey, PidTagParentEntryId, PidTagSourceKey, PidTagParentSourceKey,
		PidTagStoreRecordKey, PidTagMappingSignature, PidTagFolderId, PidTagParentFolderId, PidTagAccess, PidTagAccessLevel,
		PidTagObjectType, PidTagLocalCommitTime, PidTagHasNamedProperties, PidTagInternetArticleNumber};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i] == tag)
			return true;
	return false;
}

static int add_prop(struct gx_txn *t, struct gx_msgobj *m, struct gx_proplist *l, struct gx_arena *a, const struct gx_propval *pv)
{
	struct gx_propname n;
	uint16_t id = GX_PROP_ID(pv->tag);
	if (!GX_PROP_IS_NAMED(pv->tag) || m == NULL)
		return gx_proplist_set(l, a, pv->tag, pv->v);
	gx_ec ec = gx_store_named_names(t, &id, 1, a, &n);
	return gx_ec_failed(ec) ? gx_ec_to_err(ec) : gx_msgobj_set_named(m, a, &n, GX_PROP_TYPE(pv->tag), pv->v);
}

/* Named properties of messages have their names, those of attachments the ids of the store, as in struct gx_attach. */
static int add_stored(struct gx_txn *t, const struct gx_iprops *src, struct gx_msgobj *m, struct gx_proplist *l, struct gx_arena *a,
	bool skip_computed)
{
	for (size_t i = 0; i < src->n; i++) {
		struct gx_propval pv;
		if (skip_computed && gx_msg__is_computed(src->v[i].tag))
			continue;
		int err = gx_ival__get(t, &src->v[i], a, &pv);
		if (err == 0)
			err = add_prop(t, m, l, a, &pv);
		if (err != 0)
			return err;
	}
	return 0;
}

static int read_msg(struct gx_txn *t, struct gx_imsg *m, struct gx_arena *a, unsigned depth, bool top, struct gx_msgobj **ret_o);

static int read_att(struct gx_txn *t, struct gx_iacct *c, struct gx_iatt *x, struct gx_arena *a, unsigned depth, struct gx_attach *ret)
{
	int err = gx_iatt__load_embedded(t, c, x);
	if (err == 0)
		err = add_stored(t, &x->props, NULL, &ret->props, a, false);
	if (err == 0)
		err = gx_proplist_set_i32(&ret->props, a, PidTagAttachNumber, (int32_t)x->num);
	return err != 0 || x->embedded == NULL ? err : read_msg(t, x->embedded, a, depth + 1, false, &ret->embedded);
}

static int read_msg(struct gx_txn *t, struct gx_imsg *m, struct gx_arena *a, unsigned depth, bool top, struct gx_msgobj **ret_o)
{
	struct gx_msgobj *o = gx_msgobj_new(a);
	if (depth > GX_INST_DEPTH_MAX || o == NULL)
		return o == NULL ? GX_E_NOMEM : GX_E_DEPTH;
	int err = gx_imsg__load_atts(t, m);
	if (err == 0)
		err = add_stored(t, &m->props, o, &o->props, a, top);
	for (size_t i = 0; err == 0 && i < m->nrcpts; i++) {
		uint8_t *p = gx_arena_memdup(a, m->rcpts[i].p, m->rcpts[i].len);
		struct gx_proplist *r = gx_msgobj_add_rcpt(o, a);
		err = p == NULL || r == NULL ? GX_E_NOMEM : gx_prow_unpack(a, p, m->rcpts[i].len, r);
		if (err == 0)
			err = gx_proplist_set_i32(r, a, PidTagRowid, (int32_t)m->rcpts[i].row_id);
	}
	for (size_t i = 0; err == 0 && i < m->natts; i++) {
		struct gx_attach tmp = {0};
		err = read_att(t, m->acct, m->atts[i], a, depth, &tmp);
		struct gx_attach *x = err != 0 ? NULL : gx_msgobj_add_attach(o, a);
		if (x != NULL)
			*x = tmp;
		else if (err == 0)
			err = GX_E_NOMEM;
	}
	*ret_o = o;
	return err;
}

static int read_top(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_msgobj **ret_o)
{
	struct gx_msg_view v;
	struct gx_proplist list, computed = {0};
	struct gx_msg_row row;
	int err = read_msg(t, i->msg, a, gx_inst__level(i), true, ret_o);
	if (err == 0)
		err = gx_inst__view(t, i, a, &list, &row, &v);
	if (err == 0)
		err = gx_msg__all_computed(&v, &computed);
	for (size_t k = 0; err == 0 && k < computed.count; k++)
		if (!of_place(computed.v[k].tag))
			err = gx_proplist_set(&(*ret_o)->props, a, computed.v[k].tag, computed.v[k].v);
	return err;
}

gx_ec gx_inst_read(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_msgobj **ret_m)
{
	if (!gx_inst__is_msg(i) || i->tree->s != t->s)
		return GX_EC(gx_inst__is_msg(i) ? ecInvalidParam : ecInvalidObject);
	struct gx_msgobj *o;
	gx_inst__lock(i);
	int err = read_top(t, i, a, &o);
	gx_inst__unlock(i);
	if (err == 0)
		*ret_m = o;
	return gx_inst__ec(t, err);
}

gx_ec gx_inst_read_att(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_attach *ret_att)
{
	struct gx_attach x = {0};
	if (gx_inst__is_msg(i) || i->tree->s != t->s)
		return GX_EC(gx_inst__is_msg(i) ? ecInvalidObject : ecInvalidParam);
	gx_inst__lock(i);
	int err = read_att(t, i->tree->acct, i->att, a, gx_inst__level(i), &x);
	gx_inst__unlock(i);
	if (err == 0)
		*ret_att = x;
	return gx_inst__ec(t, err);
}

/* ---- Writing ---- */

struct merging {
	struct gx_txn *t;
	uint32_t set_flags;
	struct gx_arena *a;
	struct gx_proplist *tags;
	struct gx_problems *problems;
};

static int merge_prop(struct merging *x, struct gx_inst *i, size_t index, const struct gx_propval *pv)
{
	uint32_t code;
	bool was = gx_inst__shown(i, pv->tag);
	int err = gx_inst__set(i, pv, x->set_flags, &code);
	if (err != 0)
		return err;
	if (code != ecSuccess)
		return x->problems == NULL ? 0 : gx_problems__add(x->problems, x->a, index, pv->tag, code);
	gx_inst__touch(i, GX_IDIRTY_PROPS | (was || gx_inst__shown(i, pv->tag) ? GX_IDIRTY_RENDERED : 0));
	return x->tags == NULL ? 0 : gx_proplist_set(x->tags, x->a, pv->tag, pv->v);
}

static gx_ec names_to_ids(struct gx_txn *t, const struct gx_msgobj *m, uint16_t **ret_ids)
{
	struct gx_propname *names = gx_arena_new_array(t->a, struct gx_propname, m->named_count);
	uint16_t *ids = gx_arena_new_array(t->a, uint16_t, m->named_count);
	if (names == NULL || ids == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	for (size_t i = 0; i < m->named_count; i++)
		names[i] = m->named[i].name;
	*ret_ids = ids;
	gx_ec ec = gx_store_named_ids(t, t->mode == GX_TXN_WRITE, names, m->named_count, ids);
	for (size_t i = 0; !gx_ec_failed(ec) && i < m->named_count; i++)
		if (ids[i] == 0 && t->mode != GX_TXN_WRITE)
			return gx_txn__fail(t, ecInvalidParam, "a named property is new to the store: that takes a write transaction");
	return ec;
}

static gx_ec merge_props(struct merging *x, struct gx_inst *i, const struct gx_msgobj *m)
{
	uint16_t *ids = NULL;
	int err = 0;
	for (size_t k = 0; err == 0 && k < m->props.count; k++)
		err = merge_prop(x, i, k, &m->props.v[k]);
	if (err != 0 || m->named_count == 0)
		return gx_inst__ec(x->t, err);
	gx_ec ec = names_to_ids(x->t, m, &ids);
	for (size_t k = 0; !gx_ec_failed(ec) && err == 0 && k < m->named_count; k++) {
		const struct gx_propval pv = {.tag = GX_PROP_TAG(ids[k], m->named[k].type), .v = m->named[k].v};
		err = ids[k] == 0 ? 0 : merge_prop(x, i, m->props.count + k, &pv);
	}
	return gx_ec_failed(ec) ? ec : gx_inst__ec(x->t, err);
}

static gx_ec write_msg(struct merging *x, struct gx_inst *i, const struct gx_msgobj *m, uint32_t flags, unsigned depth);

/* A part of the instance made by the same functions that edit parts; it is put into its parent like any. */
static gx_ec put_embedded(struct merging *x, struct gx_inst *att, const struct gx_msgobj *m, unsigned depth)
{
	struct merging inner = {.t = x->t, .set_flags = x->set_flags | GX_SET_TRUSTED, .a = x->a};
	struct gx_inst *e = gx_inst__make(NULL, att, GX_INST_EMBEDDED);
	if (e == NULL)
		return gx_txn__ec(x->t, GX_E_NOMEM);
	e->is_new = e->writable = true;
	e->row.flags = GX_MSGF_READ;
	e->msg = gx_imsg__new(att->tree->acct);
	gx_ec ec = e->msg == NULL ? gx_txn__ec(x->t, GX_E_NOMEM) : write_msg(&inner, e, m, GX_WRITE_FORCE, depth);
	if (!gx_ec_failed(ec))
		ec = gx_inst__save_part(x->t, e);
	gx_inst__drop(e);
	return ec;
}

static gx_ec write_att(struct merging *x, struct gx_inst *i, const struct gx_attach *src, unsigned depth)
{
	int err = depth > GX_INST_DEPTH_MAX ? GX_E_DEPTH : 0;
	for (size_t k = 0; err == 0 && k < src->props.count; k++)
		err = merge_prop(x, i, k, &src->props.v[k]);
	if (err != 0)
		return gx_inst__ec(x->t, err);
	i->changed = true;
	return src->embedded == NULL ? GX_OK_EC : put_embedded(x, i, src->embedded, depth);
}

static gx_ec put_att(struct merging *x, struct gx_inst *i, const struct gx_attach *src, unsigned depth)
{
	struct merging inner = {.t = x->t, .set_flags = x->set_flags | GX_SET_TRUSTED, .a = x->a};
	if (i->msg->natts >= GX_INST_ATTS_MAX)
		return gx_txn__fail(x->t, ecMaxAttachmentExceeded, "a message has at most %u attachments", GX_INST_ATTS_MAX);
	struct gx_inst *at = gx_inst__make(NULL, i, GX_INST_ATTACHMENT);
	if (at == NULL)
		return gx_txn__ec(x->t, GX_E_NOMEM);
	at->is_new = at->writable = true;
	at->att = gx_iatt__new(i->msg->next_num++);
	gx_ec ec = at->att == NULL ? gx_txn__ec(x->t, GX_E_NOMEM) : write_att(&inner, at, src, depth);
	if (!gx_ec_failed(ec))
		ec = gx_inst__save_part(x->t, at);
	gx_inst__drop(at);
	return ec;
}

static gx_ec write_parts(struct merging *x, struct gx_inst *i, const struct gx_msgobj *m, bool force, unsigned depth)
{
	int err = gx_imsg__load_atts(x->t, i->msg);
	if (err == 0 && m->rcpt_count > 0 && (force || i->msg->nrcpts == 0)) {
		err = gx_imsg__set_rcpts(i->msg, m->rcpts, m->rcpt_count, true);
		gx_inst__touch(i, GX_IDIRTY_RCPTS | GX_IDIRTY_RENDERED);
		if (err == GX_E_LIMIT)
			return gx_txn__fail(x->t, ecTooManyRecips, "a message has at most %u recipients", GX_INST_RCPTS_MAX);
	}
	if (err != 0 || m->att_count == 0 || (!force && i->msg->natts > 0))
		return gx_inst__ec(x->t, err);
	gx_imsg__drop_atts(i->msg);
	gx_inst__touch(i, GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	gx_ec ec = GX_OK_EC;
	for (size_t k = 0; !gx_ec_failed(ec) && k < m->att_count; k++)
		ec = put_att(x, i, &m->atts[k], depth);
	return ec;
}

static gx_ec write_msg(struct merging *x, struct gx_inst *i, const struct gx_msgobj *m, uint32_t flags, unsigned depth)
{
	if (depth > GX_INST_DEPTH_MAX)
		return gx_inst__ec(x->t, GX_E_DEPTH);
	gx_ec ec = merge_props(x, i, m);
	return gx_ec_failed(ec) ? ec : write_parts(x, i, m, (flags & GX_WRITE_FORCE) != 0, depth + 1);
}

gx_ec gx_inst_write(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *m, uint32_t flags, struct gx_arena *a,
	struct gx_proplist *ret_tags, struct gx_problems *ret_problems)
{
	struct gx_proplist tags = {0};
	struct gx_problems problems = {0};
	struct merging x = {.t = t, .set_flags = flags & GX_WRITE_TRUSTED ? GX_SET_TRUSTED : 0, .a = a,
		.tags = ret_tags == NULL ? NULL : &tags, .problems = ret_problems == NULL ? NULL : &problems};
	gx_inst__lock(i);
	gx_ec ec = i->tree->s != t->s ? GX_EC(ecInvalidParam) : gx_inst__writable_msg(i);
	if (!gx_ec_failed(ec))
		ec = write_msg(&x, i, m, flags, gx_inst__level(i));
	gx_inst__unlock(i);
	if (gx_ec_failed(ec))
		return ec;
	if (ret_tags != NULL)
		*ret_tags = tags;
	if (ret_problems != NULL)
		*ret_problems = problems;
	return ec;
}

gx_ec gx_inst_write_att(struct gx_txn *t, struct gx_inst *i, const struct gx_attach *src, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems)
{
	struct gx_problems problems = {0};
	struct merging x = {.t = t, .set_flags = flags & GX_WRITE_TRUSTED ? GX_SET_TRUSTED : 0, .a = a,
		.problems = ret_problems == NULL ? NULL : &problems};
	if (gx_inst__is_msg(i) || i->tree->s != t->s)
		return GX_EC(gx_inst__is_msg(i) ? ecInvalidObject : ecInvalidParam);
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable(i);
	if (!gx_ec_failed(ec) && (flags & GX_WRITE_FORCE))
		gx_iprops__release(&i->att->props);
	if (!gx_ec_failed(ec))
		ec = write_att(&x, i, src, gx_inst__level(i));
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec) && ret_problems != NULL)
		*ret_problems = problems;
	return ec;
}

gx_ec gx_inst_clear(struct gx_inst *i)
{
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable_msg(i);
	if (!gx_ec_failed(ec)) {
		gx_imsg__clear(i->msg);
		i->row.flags &= ~(uint32_t)(GX_MSGF_FLAGGED | GX_MSGF_ANSWERED | GX_MSGF_FORWARDED); /* are properties, too */
		gx_inst__touch(i, GX_IDIRTY_PROPS | GX_IDIRTY_RCPTS | GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	}
	gx_inst__unlock(i);
	return ec;
}

/* ---- Conflicts ---- */

static bool in_conflict(const struct gx_inst *i)
{
	struct gx_propval pv;
	return gx_iprops__get(&i->msg->props, PidTagMessageStatus, &pv) && (pv.v.i32 & 0x800);
}

static int mark_version(struct gx_iatt *x, struct gx_iacct *c)
{
	int err = gx_iprops__set(&x->props, c, PidTagInConflict, &(union gx_value){.b = true});
	return err != 0 ? err : gx_iprops__set(&x->props, c, PidTagAttachMethod, &(union gx_value){.i32 = 5}); /* afEmbeddedMessage */
}

/* The message as it stands goes into itself; its values are shared, not copied. */
static int add_mine(struct gx_inst *i)
{
	struct gx_imsg *copy;
	struct gx_iatt *x;
	int err = gx_inst__put_state(i);
	if (err == 0)
		err = gx_imsg__clone(i->msg, &copy);
	if (err != 0)
		return err;
	x = gx_iatt__new(i->msg->next_num);
	if (x == NULL) {
		gx_imsg__unref(copy);
		return GX_E_NOMEM;
	}
	x->embedded = copy;
	err = mark_version(x, i->tree->acct);
	if (err != 0) {
		gx_iatt__unref(x);
		return err;
	}
	return gx_imsg__put_att(i->msg, x);
}

static gx_ec add_other(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *m)
{
	struct merging x = {.t = t, .set_flags = GX_SET_TRUSTED, .a = t->a};
	struct gx_attach at = {.embedded = (struct gx_msgobj *)(uintptr_t)m}; /* only read */
	int err = gx_proplist_set_bool(&at.props, t->a, PidTagInConflict, true);
	return err != 0 ? gx_inst__ec(t, err) : put_att(&x, i, &at, gx_inst__level(i) + 1);
}

/* @mine: this version, too, unless it is in conflict already. */
static gx_ec set_conflict(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *other, bool mine)
{
	struct gx_propval old;
	int32_t status = gx_iprops__get(&i->msg->props, PidTagMessageStatus, &old) ? old.v.i32 : 0;
	int err = gx_imsg__load_atts(t, i->msg);
	if (err == 0 && mine && !in_conflict(i))
		err = gx_inst__level(i) + gx_imsg__depth(i->msg) >= GX_INST_DEPTH_MAX ? GX_E_DEPTH : add_mine(i);
	if (err == 0)
		err = gx_iprops__set(&i->msg->props, i->tree->acct, PidTagMessageStatus, &(union gx_value){.i32 = status | 0x800});
	if (err != 0)
		return gx_inst__ec(t, err);
	gx_inst__touch(i, GX_IDIRTY_PROPS | GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	return add_other(t, i, other);
}

static gx_ec locked_conflict(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *other, bool mine)
{
	gx_inst__lock(i);
	gx_ec ec = i->tree->s != t->s ? GX_EC(ecInvalidParam) : gx_inst__writable_msg(i);
	if (!gx_ec_failed(ec))
		ec = set_conflict(t, i, other, mine);
	gx_inst__unlock(i);
	return ec;
}

gx_ec gx_inst_set_conflict(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *other)
{
	return locked_conflict(t, i, other, true);
}

gx_ec gx_inst__add_version(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *m)
{
	return locked_conflict(t, i, m, false);
}
