/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of logons, folders, messages and attachments, [MS-OXCPRPT] 3.2.5. */
#include <config.h>
#include <string.h>
#include <gx/folder.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/attachment.h"

static gx_ec tags_of(struct gx_rop_call *c, const struct gx_proplist *l, gx_proptag_t **ret_v, size_t *ret_n)
{
	gx_proptag_t *v = gx_arena_new_array(c->a, gx_proptag_t, l->count);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < l->count; ++i)
		v[i] = l->v[i].tag;
	*ret_v = v;
	*ret_n = l->count;
	return EMS_OK;
}

gx_ec gx_ems__tell_problems(struct gx_rop_call *c, const struct gx_problems *p, gx_ec ec, const struct gx_property_problem **ret_v,
	uint32_t *ret_n)
{
	struct gx_property_problem *v = gx_arena_new_array(c->a, struct gx_property_problem, p->count);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < p->count; ++i)
		v[i] = (struct gx_property_problem){p->v[i].index, p->v[i].tag, p->v[i].err};
	*ret_v = v;
	*ret_n = (uint32_t)p->count;
	return ec;
}

/* ---- What stores and folders share: values are in memory, and some of them are the server's alone ---- */

static size_t size_of(const struct gx_propval *v)
{
	switch (GX_PROP_TYPE(v->tag)) {
	case PtypString: case PtypString8: return strlen(v->v.str);
	case PtypBinary: case PtypObject: case PtypServerId: return v->v.bin.len;
	default: return 0;
	}
}

/* [MS-OXCPRPT] 2.2.2.1: larger ones are not returned. */
static void limit_values(struct gx_proplist *l, size_t limit)
{
	for (size_t i = 0; i < l->count && limit != 0; ++i)
		if (size_of(&l->v[i]) > limit)
			l->v[i] = (struct gx_propval){GX_PROP_RETYPE(l->v[i].tag, PtypErrorCode), {.err = ecMAPIOOM}};
}

static gx_ec add_problem(struct gx_rop_call *c, struct gx_problems *p, size_t index, gx_proptag_t tag, uint32_t code)
{
	struct gx_problem *v = gx_arena_grow(c->a, p->v, &p->cap, p->count + 1, sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	p->v = v;
	v[p->count++] = (struct gx_problem){(uint16_t)index, tag, code};
	return EMS_OK;
}

static gx_ec computed_ones(struct gx_rop_call *c, bool (*computed)(gx_proptag_t tag), const gx_proptag_t *first, size_t step, size_t n,
	struct gx_problems *io_problems)
{
	gx_ec ec = EMS_OK;
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i) {
		gx_proptag_t tag = *(const gx_proptag_t *)(const void *)((const uint8_t *)first + i * step);
		if (computed(tag))
			ec = add_problem(c, io_problems, i, tag, ecComputedValue);
	}
	return ec;
}

static gx_ec check_set(struct gx_rop_call *c, bool (*computed)(gx_proptag_t tag), const struct gx_proplist *l, struct gx_problems *io_problems)
{
	return l->count == 0 ? EMS_OK : computed_ones(c, computed, &l->v[0].tag, sizeof(l->v[0]), l->count, io_problems);
}

static gx_ec check_remove(struct gx_rop_call *c, bool (*computed)(gx_proptag_t tag), const gx_proptag_t *tags, size_t n,
	struct gx_problems *io_problems)
{
	return computed_ones(c, computed, tags, sizeof(tags[0]), n, io_problems);
}

/* ---- Stores ---- */

/* What is not the store's to say: limits of this server, [MS-OXCSTOR] 2.2.2.1.1.2, [MS-OXORULE] 2.2.4.1 */
static const gx_proptag_t limits[] = {PidTagMaximumSubmitMessageSize, PidTagExtendedRuleSizeLimit};

static bool is_limit(gx_proptag_t tag)
{
	return tag == limits[0] || tag == limits[1];
}

static bool logon_computed(gx_proptag_t tag)
{
	return is_limit(tag) || gx_store_is_computed(tag);
}

static gx_ec add_limits(struct gx_rop_call *c, const gx_proptag_t *tags, size_t n, struct gx_proplist *io_l)
{
	const int32_t v[] = {(int32_t)(gx_rop__object_max(c) / 1024), (int32_t)gx_rop__ext_rule_max(c)};
	int err = 0;
	for (size_t i = 0; i < 2 && err == 0; ++i) {
		bool wanted = n == 0;
		for (size_t j = 0; j < n && !wanted; ++j)
			wanted = tags[j] == limits[i];
		if (wanted)
			err = gx_proplist_set_i32(io_l, c->a, limits[i], v[i]);
	}
	return gx_ec_from_err(err);
}

static gx_ec logon_get(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, const gx_proptag_t *tags, size_t n, size_t limit,
	struct gx_proplist *ret_l)
{
	(void)o;
	gx_ec ec = gx_store_get_props(t, tags, n, c->a, ret_l);
	if (!gx_ec_failed(ec))
		ec = add_limits(c, tags, n, ret_l);
	if (!gx_ec_failed(ec))
		limit_values(ret_l, limit);
	return ec;
}

static gx_ec logon_tags(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct gx_proplist l = {0};
	(void)o;
	gx_ec ec = gx_store_get_props(t, NULL, 0, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = add_limits(c, NULL, 0, &l);
	return gx_ec_failed(ec) ? ec : tags_of(c, &l, ret_v, ret_n);
}

static gx_ec logon_set(struct gx_rop_call *c, struct gx_ems_obj *o, const struct gx_proplist *l, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	(void)o;
	gx_ec ec = check_set(c, logon_computed, l, io_problems);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_store_set_props(t, l));
}

static gx_ec logon_remove(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	(void)o;
	gx_ec ec = check_remove(c, logon_computed, tags, n, io_problems);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_store_remove_props(t, tags, n));
}

const struct gx_ems_props gx_ems__logon_props = {logon_get, logon_tags, logon_set, logon_remove};

/* ---- Folders ---- */

static uint64_t fid_of(struct gx_ems_obj *o)
{
	return gx_ems__folder(o)->fid;
}

static gx_ec folder_get(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, const gx_proptag_t *tags, size_t n, size_t limit,
	struct gx_proplist *ret_l)
{
	gx_ec ec = gx_folder_get_props(t, fid_of(o), tags, n, c->a, ret_l);
	if (!gx_ec_failed(ec))
		limit_values(ret_l, limit);
	return ec;
}

static gx_ec folder_tags(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct gx_proplist l = {0};
	gx_ec ec = gx_folder_get_props(t, fid_of(o), NULL, 0, c->a, &l);
	return gx_ec_failed(ec) ? ec : tags_of(c, &l, ret_v, ret_n);
}

static gx_ec folder_set(struct gx_rop_call *c, struct gx_ems_obj *o, const struct gx_proplist *l, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	gx_ec ec = check_set(c, gx_folder_is_computed, l, io_problems);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_set_props(t, fid_of(o), l));
}

static bool folder_keeps(gx_proptag_t tag)
{
	return gx_folder_is_computed(tag) || GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayName);
}

static gx_ec folder_remove(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	gx_ec ec = check_remove(c, folder_keeps, tags, n, io_problems);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_remove_props(t, fid_of(o), tags, n));
}

const struct gx_ems_props gx_ems__folder_props = {folder_get, folder_tags, folder_set, folder_remove};

/* ---- Messages and attachments: in memory until they are saved ---- */

static struct gx_inst *inst_of(struct gx_ems_obj *o)
{
	return gx_ems__inst(o);
}

static gx_ec message_get(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, const gx_proptag_t *tags, size_t n, size_t limit,
	struct gx_proplist *ret_l)
{
	return gx_inst_get_props(t, inst_of(o), tags, n, limit, c->a, ret_l);
}

static gx_ec message_tags(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, gx_proptag_t **ret_v, size_t *ret_n)
{
	return gx_inst_all_tags(t, inst_of(o), c->a, ret_v, ret_n);
}

static gx_ec message_set(struct gx_rop_call *c, struct gx_ems_obj *o, const struct gx_proplist *l, struct gx_problems *io_problems)
{
	return gx_inst_set_props(inst_of(o), l, 0, c->a, io_problems);
}

static gx_ec message_remove(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems)
{
	return gx_inst_remove_props(inst_of(o), tags, n, 0, c->a, io_problems);
}

const struct gx_ems_props gx_ems__message_props = {message_get, message_tags, message_set, message_remove};
