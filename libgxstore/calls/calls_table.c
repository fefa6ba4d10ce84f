/* SPDX-License-Identifier: Apache-2.0 */
/* Tables. Each is an object of the client, locked while a call works with it. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/table.h>
#include "libgxstore/calls/call-int.h"

/* The bits of the wire, [MS-OXCFOLD] 2.2.1.13.1.1 and 2.2.1.14.1. */
enum {
	WIRE_ASSOCIATED = 0x02, WIRE_DEPTH = 0x04, WIRE_NO_NOTIFICATIONS = 0x10, WIRE_SOFTDELETES = 0x20, WIRE_CONVERSATIONS = 0x80,
	WIRE_FREEBUSY = 0x02, /* permissions, [MS-OXCPERM] 2.2.1.1 */
};

struct call_table {
	struct gx_table *tb;
	char *user; /* who opened it and reads it, NULL the owner */
};

static void release(void *p)
{
	struct call_table *ct = p;
	gx_table_close(ct->tb);
	free(ct->user);
	free(ct);
}

static struct gx_table *table_of(const struct gx_callobj *o)
{
	return ((const struct call_table *)o->p)->tb;
}

/* Takes over @tb. */
static gx_ec keep(struct gx_call_ctx *c, struct gx_table *tb, const char *user, uint32_t *ret_id)
{
	struct call_table *ct = calloc(1, sizeof(*ct));
	if (ct == NULL || (user != NULL && (ct->user = strdup(user)) == NULL)) {
		free(ct);
		gx_table_close(tb);
		return gx_call__err(c, GX_E_NOMEM);
	}
	ct->tb = tb;
	return gx_callobj__add(c, GX_OBJ_TABLE, ct, release, ret_id);
}

/* ---- Opening ---- */

typedef gx_ec (*open_fn)(struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb);

static void changed(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	gx_callev__table(ctx, ev);
}

/* From now on the client hears of its changes. */
static gx_ec watch(struct gx_call_ctx *c, uint32_t id)
{
	struct gx_callobj *o;
	gx_ec ec = gx_callobj__take(c, GX_OBJ_TABLE, id, &o);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_watch(table_of(o), changed, o);
	gx_callobj__give(o);
	return ec;
}

/* The table belongs to who opened it, and to the call's client from then on. */
static gx_ec open_table(struct gx_call_ctx *c, const char *user, const struct gx_table_opts *o, open_fn fn, bool watched, uint32_t *ret_id,
	uint32_t *ret_rows)
{
	struct gx_table *tb = NULL;
	gx_ec ec = gx_call__read(c, user);
	if (!gx_ec_failed(ec))
		ec = fn(c->t, o, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_count(tb, c->t, ret_rows);
	if (!gx_ec_failed(ec))
		ec = keep(c, tb, user, ret_id);
	else
		gx_table_close(tb);
	ec = gx_call__end(c, ec, GX_SYNC_LATER);
	if (!gx_ec_failed(ec) && watched)
		ec = watch(c, *ret_id);
	return ec;
}

gx_ec gx_call__load_hierarchy_table(struct gx_call_ctx *c, const struct gx_x_load_hierarchy_table_req *req,
	struct gx_x_load_hierarchy_table_ans *ans)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	gx_ec ec = gx_call__id(c, req->folder_id, &o.fid);
	o.flags = (req->table_flags & WIRE_DEPTH ? (uint32_t)GX_TABLE_DEPTH : 0) | (req->table_flags & WIRE_SOFTDELETES ? (uint32_t)GX_TABLE_DELETED : 0);
	if (!gx_ec_failed(ec))
		ec = gx_call__restr_in(c, 0, req->restriction, &o.restr);
	if (gx_ec_failed(ec))
		return ec;
	return open_table(c, req->username, &o, gx_table_open_hierarchy, !(req->table_flags & WIRE_NO_NOTIFICATIONS), &ans->table_id, &ans->row_count);
}

gx_ec gx_call__load_content_table(struct gx_call_ctx *c, const struct gx_x_load_content_table_req *req, struct gx_x_load_content_table_ans *ans)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	gx_ec ec = gx_call__id(c, req->folder_id, &o.fid);
	o.flags = req->table_flags & WIRE_ASSOCIATED ? GX_TABLE_ASSOCIATED : 0;
	o.flags |= req->table_flags & WIRE_SOFTDELETES ? GX_TABLE_DELETED : 0;
	o.flags |= req->table_flags & WIRE_CONVERSATIONS ? GX_TABLE_CONVERSATIONS : 0;
	o.sort = req->sorts != NULL && req->sorts->count > 0 ? req->sorts : NULL;
	if (!gx_ec_failed(ec))
		ec = gx_call__restr_in(c, req->cpid, req->restriction, &o.restr);
	if (gx_ec_failed(ec))
		return ec;
	return open_table(c, req->username, &o, gx_table_open_contents, !(req->table_flags & WIRE_NO_NOTIFICATIONS), &ans->table_id, &ans->row_count);
}

gx_ec gx_call__load_rule_table(struct gx_call_ctx *c, const struct gx_x_load_rule_table_req *req, struct gx_x_load_rule_table_ans *ans)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	gx_ec ec = gx_call__id(c, req->folder_id, &o.fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__restr_in(c, 0, req->restriction, &o.restr);
	if (gx_ec_failed(ec))
		return ec;
	return open_table(c, NULL, &o, gx_table_open_rules, false, &ans->table_id, &ans->row_count);
}

/* Name and entry id of a member, from the directory. */
static int person(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx)
{
	const struct gx_exmdb_host *h = ctx;
	struct gx_user u;
	int err = h->o.dir == NULL ? GX_E_NOTFOUND : gx_dir_user(h->o.dir, address, a, &u);
	const char *dn = err == 0 ? gx_call__dn_of(h, &u, a) : NULL;
	if (err == 0 && dn == NULL)
		err = GX_E_NOMEM;
	if (err != 0)
		return err;
	*ret_name = u.display_name != NULL && *u.display_name != '\0' ? u.display_name : address;
	return gx_entryid_addressbook(a, u.display_type, dn, ret_entryid);
}

gx_ec gx_call__load_permission_table(struct gx_call_ctx *c, const struct gx_x_load_permission_table_req *req,
	struct gx_x_load_permission_table_ans *ans)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	gx_ec ec = gx_call__id(c, req->folder_id, &o.fid);
	o.flags = req->table_flags & WIRE_FREEBUSY ? GX_TABLE_FREEBUSY : 0;
	o.person = person;
	o.ctx = c->host;
	if (gx_ec_failed(ec))
		return ec;
	return open_table(c, NULL, &o, gx_table_open_permissions, false, &ans->table_id, &ans->row_count);
}

gx_ec gx_call__unload_table(struct gx_call_ctx *c, const struct gx_x_unload_table_req *req)
{
	return gx_callobj__drop(c, GX_OBJ_TABLE, req->table_id);
}

/* ---- Working with one ---- */

/* The table is the caller's, and a transaction of its user is open; ended by done(). */
static gx_ec take(struct gx_call_ctx *c, uint32_t id, int mode, struct gx_callobj **ret_o)
{
	gx_ec ec = gx_callobj__take(c, GX_OBJ_TABLE, id, ret_o);
	return gx_ec_failed(ec) ? ec : gx_call__begin(c, mode, ((const struct call_table *)(*ret_o)->p)->user);
}

static gx_ec done(struct gx_call_ctx *c, struct gx_callobj *o, gx_ec ec)
{
	ec = gx_call__end(c, ec, GX_SYNC_LATER);
	if (o != NULL)
		gx_callobj__give(o);
	return ec;
}

gx_ec gx_call__sum_table(struct gx_call_ctx *c, const struct gx_x_sum_table_req *req, struct gx_x_sum_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_count(table_of(o), c->t, &ans->rows);
	return done(c, o, ec);
}

gx_ec gx_call__reload_content_table(struct gx_call_ctx *c, const struct gx_x_reload_content_table_req *req)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_reload(table_of(o), c->t);
	return done(c, o, ec);
}

gx_ec gx_call__get_table_all_proptags(struct gx_call_ctx *c, const struct gx_x_get_table_all_proptags_req *req,
	struct gx_x_get_table_all_proptags_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_proptag_t *tags = NULL;
	size_t n = 0;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_columns(table_of(o), c->t, c->a, &tags, &n);
	ans->tags = tags;
	ans->tags_count = (uint32_t)n;
	return done(c, o, ec);
}

/* ---- Rows ---- */

/* Columns that a row does not have are left out on the wire. */
static gx_ec row_out(struct gx_call_ctx *c, uint32_t cpid, const struct gx_table_row *r, const gx_proptag_t *cols, size_t n, struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	l.v = gx_arena_grow(c->a, NULL, &l.cap, n + 1, sizeof(*l.v));
	if (l.v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < n; ++i)
		if (GX_PROP_TYPE(r->v[i].tag) != PtypErrorCode || r->v[i].v.err != ecNotFound)
			l.v[l.count++] = r->v[i];
	return gx_call__props_out(c, cpid, cols, n, &l, ret_l);
}

static gx_ec rows_out(struct gx_call_ctx *c, uint32_t cpid, const struct gx_table_row *v, size_t n, const gx_proptag_t *cols, size_t ncols,
	const struct gx_proplist **ret_v)
{
	struct gx_proplist *rows = gx_arena_new_array(c->a, struct gx_proplist, n);
	gx_ec ec = rows == NULL ? gx_call__err(c, GX_E_NOMEM) : GX_OK_EC;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = row_out(c, cpid, &v[i], cols, ncols, &rows[i]);
	*ret_v = rows;
	return ec;
}

gx_ec gx_call__query_table(struct gx_call_ctx *c, const struct gx_x_query_table_req *req, struct gx_x_query_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_table_row *v = NULL;
	size_t n = 0;
	int32_t need = req->row_needed > UINT16_MAX ? UINT16_MAX : req->row_needed < -UINT16_MAX ? -UINT16_MAX : req->row_needed;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec) && need != 0)
		ec = gx_table_query(table_of(o), c->t, req->start_pos, need, req->tags, req->tags_count, c->a, &v, &n);
	if (!gx_ec_failed(ec))
		ec = rows_out(c, req->cpid, v, n, req->tags, req->tags_count, &ans->rows);
	ans->rows_count = (uint32_t)n;
	return done(c, o, ec);
}

gx_ec gx_call__read_table_row(struct gx_call_ctx *c, const struct gx_x_read_table_row_req *req, struct gx_x_read_table_row_ans *ans)
{
	struct gx_callobj *o = NULL;
	struct gx_table_row r;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_read(table_of(o), c->t, gx_eid_plain(req->inst_id), req->inst_num, req->tags, req->tags_count, c->a, &r);
	if (!gx_ec_failed(ec))
		ec = row_out(c, req->cpid, &r, req->tags, req->tags_count, &ans->props);
	else if (gx_ec_is(ec, ecNotFound)) /* gone meanwhile: an empty row */
		ec = GX_OK_EC;
	return done(c, o, ec);
}

gx_ec gx_call__match_table(struct gx_call_ctx *c, const struct gx_x_match_table_req *req, struct gx_x_match_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	const struct gx_restr *r;
	struct gx_table_row *v = NULL;
	size_t n = 0;
	uint32_t pos = 0;
	ans->position = -1;
	gx_ec ec = gx_call__restr_in(c, req->cpid, req->restriction, &r);
	if (!gx_ec_failed(ec))
		ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_find(table_of(o), c->t, req->start_pos, req->forward, r, &pos);
	if (!gx_ec_failed(ec))
		ec = gx_table_query(table_of(o), c->t, pos, 1, req->tags, req->tags_count, c->a, &v, &n);
	if (!gx_ec_failed(ec) && n > 0) {
		ans->position = (int32_t)pos;
		ec = row_out(c, req->cpid, &v[0], req->tags, req->tags_count, &ans->props);
	}
	return done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

gx_ec gx_call__locate_table(struct gx_call_ctx *c, const struct gx_x_locate_table_req *req, struct gx_x_locate_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	uint32_t pos = 0;
	uint8_t type = 0;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_locate(table_of(o), c->t, gx_eid_plain(req->inst_id), req->inst_num, &pos, &type);
	ans->position = gx_ec_failed(ec) ? -1 : (int32_t)pos;
	ans->row_type = type;
	return done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

gx_ec gx_call__mark_table(struct gx_call_ctx *c, const struct gx_x_mark_table_req *req, struct gx_x_mark_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	uint64_t id = 0;
	uint8_t type = 0;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_mark(table_of(o), c->t, req->position, &id, &ans->inst_num, &type);
	ans->inst_id = gx_eid_wire(id);
	ans->row_type = type;
	return done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

/* ---- Groups ---- */

gx_ec gx_call__expand_table(struct gx_call_ctx *c, const struct gx_x_expand_table_req *req, struct gx_x_expand_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	uint32_t pos = 0;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_expand(table_of(o), c->t, gx_eid_plain(req->inst_id), &pos, &ans->row_count);
	ans->found = !gx_ec_is(ec, ecNotFound);
	ans->position = gx_ec_failed(ec) ? -1 : (int32_t)pos;
	return done(c, o, gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecNotCollapsed) ? GX_OK_EC : ec);
}

gx_ec gx_call__collapse_table(struct gx_call_ctx *c, const struct gx_x_collapse_table_req *req, struct gx_x_collapse_table_ans *ans)
{
	struct gx_callobj *o = NULL;
	uint32_t pos = 0;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_collapse(table_of(o), c->t, gx_eid_plain(req->inst_id), &pos, &ans->row_count);
	ans->found = !gx_ec_is(ec, ecNotFound);
	ans->position = gx_ec_failed(ec) ? -1 : (int32_t)pos;
	return done(c, o, gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecNotExpanded) ? GX_OK_EC : ec);
}

gx_ec gx_call__store_table_state(struct gx_call_ctx *c, const struct gx_x_store_table_state_req *req, struct gx_x_store_table_state_ans *ans)
{
	struct gx_callobj *o = NULL;
	gx_ec ec = take(c, req->table_id, GX_TXN_WRITE, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_save_state(table_of(o), c->t, gx_eid_plain(req->inst_id), req->inst_num, &ans->state_id);
	return done(c, o, ec);
}

gx_ec gx_call__restore_table_state(struct gx_call_ctx *c, const struct gx_x_restore_table_state_req *req, struct gx_x_restore_table_state_ans *ans)
{
	struct gx_callobj *o = NULL;
	uint32_t pos = 0;
	ans->position = -1;
	gx_ec ec = take(c, req->table_id, GX_TXN_READ, &o);
	if (!gx_ec_failed(ec))
		ec = gx_table_restore_state(table_of(o), c->t, req->state_id, &pos);
	if (!gx_ec_failed(ec))
		ans->position = (int32_t)pos;
	return done(c, o, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec);
}

/* ---- Numbers without a table ---- */

gx_ec gx_call__sum_hierarchy(struct gx_call_ctx *c, const struct gx_x_sum_hierarchy_req *req, struct gx_x_sum_hierarchy_ans *ans)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_table_sum_folders(c->t, fid, req->depth, &ans->count);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__sum_content(struct gx_call_ctx *c, const struct gx_x_sum_content_req *req, struct gx_x_sum_content_ans *ans)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_table_sum_messages(c->t, fid, req->fai, req->deleted, &ans->count);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}
