/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of logons, folders, messages and attachments, [MS-OXCPRPT] 3.2.5. */
#include <config.h>
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

/* ---- Stores ---- */

static gx_ec logon_get(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, const gx_proptag_t *tags, size_t n, size_t limit,
	struct gx_proplist *ret_l)
{
	(void)o;
	(void)limit;
	return gx_store_get_props(t, tags, n, c->a, ret_l);
}

static gx_ec logon_tags(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, gx_proptag_t **ret_v, size_t *ret_n)
{
	struct gx_proplist l = {0};
	(void)o;
	gx_ec ec = gx_store_get_props(t, NULL, 0, c->a, &l);
	return gx_ec_failed(ec) ? ec : tags_of(c, &l, ret_v, ret_n);
}

static gx_ec logon_set(struct gx_rop_call *c, struct gx_ems_obj *o, const struct gx_proplist *l, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	(void)o;
	(void)io_problems;
	gx_ec ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_store_set_props(t, l));
}

static gx_ec logon_remove(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	(void)o;
	(void)io_problems;
	gx_ec ec = gx_rop__write(c, &t);
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
	(void)limit;
	return gx_folder_get_props(t, fid_of(o), tags, n, c->a, ret_l);
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
	(void)io_problems;
	gx_ec ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_set_props(t, fid_of(o), l));
}

static gx_ec folder_remove(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems)
{
	struct gx_txn *t;
	(void)io_problems;
	gx_ec ec = gx_rop__write(c, &t);
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
