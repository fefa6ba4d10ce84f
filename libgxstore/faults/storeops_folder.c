/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on folders and their rights. */
#include <config.h>
#include "libgxstore/faults/storeops.h"

static void some_props(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagComment, gx_arena_printf(w->a, "comment %u", ++w->serial)), 0);
}

static void get_folder(struct so_world *w, uint64_t fid, struct gx_folder_info *ret_i)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, fid, w->a, ret_i));
	gx_txn_abort(t);
}

static void new_name(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "Folder %u", ++w->serial);
}

static bool pick_create(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	new_name(w);
	some_props(w);
	return w->nfolders < SO_FOLDERS - 8;
}

static gx_ec run_create(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_create(t, w->x.fid, w->x.name, "IPF.Note", GX_FOLDER_GENERIC, &w->x.props, &w->x.fid2);
}

static void check_create(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.fid2, &i);
	ck_assert_str_eq(i.name, w->x.name);
	ck_assert_uint_eq(i.parent, w->x.fid);
}

/* As synchronisation and imports make them, with numbers of their own; now and then one that is deleted. */
static bool pick_create_with(struct so_world *w)
{
	w->x.found = so_fresh_id(w);
	w->x.on = so_one_in(w, 3);
	return pick_create(w);
}

static gx_ec run_create_with(struct so_world *w, struct gx_txn *t)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	o.parent = w->x.fid;
	o.name = w->x.name;
	o.props = &w->x.props;
	o.fid = w->x.found;
	o.uidnext = 100;
	o.deleted = w->x.on;
	return gx_folder_create_with(t, &o, &w->x.fid2);
}

static void check_create_with(struct so_world *w)
{
	struct gx_folder_info i;
	ck_assert_uint_eq(w->x.fid2, w->x.found);
	if (w->x.on)
		return;
	get_folder(w, w->x.fid2, &i);
	ck_assert_str_eq(i.name, w->x.name);
	ck_assert_uint_eq(i.uidnext, 100);
}

static bool pick_move(struct so_world *w)
{
	w->x.fid = so_folder(w, true);
	w->x.fid2 = so_folder(w, false);
	new_name(w);
	return w->x.fid != 0 && !so_below(w, w->x.fid2, w->x.fid);
}

static gx_ec run_move(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_move(t, w->x.fid, w->x.fid2, w->x.name);
}

static void check_move(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	ck_assert_str_eq(i.name, w->x.name);
	ck_assert_uint_eq(i.parent, w->x.fid2);
}

static bool pick_delete(struct so_world *w)
{
	w->x.fid = so_folder(w, true);
	return w->x.fid != 0;
}

static bool pick_delete_hard(struct so_world *w)
{
	w->x.hard = true;
	return pick_delete(w);
}

static bool pick_delete_deleted(struct so_world *w)
{
	w->x.hard = true;
	for (size_t i = 0; i < w->nfolders; i++)
		if (w->folder[i].deleted) {
			w->x.fid = w->folder[i].fid;
			return true;
		}
	return false;
}

static gx_ec run_delete(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_delete(t, w->x.fid, w->x.hard);
}

static void check_delete(struct so_world *w)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_IS(gx_folder_get(t, w->x.fid, w->a, &i), ecNotFound);
	gx_txn_abort(t);
}

static bool pick_props(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	some_props(w);
	return true;
}

static gx_ec run_props(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_set_props(t, w->x.fid, &w->x.props);
}

static void check_props(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get_props(t, w->x.fid, &tag, 1, w->a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), w->x.props.v[0].v.str);
	gx_txn_abort(t);
}

static bool pick_subscribe(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	w->x.on = so_one_in(w, 2);
	return true;
}

static gx_ec run_subscribe(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_set_subscribed(t, w->x.fid, w->x.on);
}

static void check_subscribe(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	ck_assert_int_eq(i.subscribed, w->x.on);
}

static bool pick_permission(struct so_world *w)
{
	static const char *const members[] = {"x@example.org", "y@example.org", "default"};
	w->x.fid = so_folder(w, false);
	w->x.name = members[so_rand(w, 3)];
	w->x.rights = GX_RIGHT_VISIBLE | (so_rand(w, 0x80) & GX_RIGHTS_ALL);
	w->x.on = so_one_in(w, 4); /* remove */
	return true;
}

static gx_ec run_permission(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_set_permission(t, w->x.fid, w->x.name, w->x.on ? 0 : w->x.rights, w->x.on);
}

static void check_permission(struct so_world *w)
{
	struct gx_actor who = {.user = strchr(w->x.name, '@') == NULL ? "z@example.org" : w->x.name};
	struct gx_txn *t;
	uint32_t rights;
	ck_assert_int_eq(gx_txn_begin(w->s, &who, GX_TXN_READ, 1000, &t), 0);
	ST_OK(gx_folder_rights(t, w->x.fid, &rights));
	gx_txn_abort(t);
	ck_assert(w->x.on || rights == w->x.rights);
}

static const struct so_op rows[] = {
	{"folder_create", SO_WRITE, pick_create, run_create, check_create},
	{"folder_create_with", SO_WRITE, pick_create_with, run_create_with, check_create_with},
	{"folder_move", SO_WRITE, pick_move, run_move, check_move},
	{"folder_delete", SO_WRITE, pick_delete, run_delete, check_delete},
	{"folder_delete_hard", SO_WRITE, pick_delete_hard, run_delete, check_delete},
	{"folder_delete_deleted", SO_WRITE, pick_delete_deleted, run_delete, check_delete},
	{"folder_set_props", SO_WRITE, pick_props, run_props, check_props},
	{"folder_subscribe", SO_WRITE, pick_subscribe, run_subscribe, check_subscribe},
	{"folder_permission", SO_WRITE, pick_permission, run_permission, check_permission},
};
SO_OPS(so_folder_ops, rows);
