/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on folders with all that is in them, and on where mail goes. */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/faults/storeops.h"

static struct {
	uint32_t what;
	size_t limit;
	bool partial, more;
	struct gx_purged purged;
	const char *lang;
} u;

static void get_folder(struct so_world *w, uint64_t fid, struct gx_folder_info *ret_i)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, fid, w->a, ret_i));
	gx_txn_abort(t);
}

/* Messages in a folder and below it, not those that search folders show. */
static uint64_t messages_below(struct so_world *w, uint64_t fid)
{
	struct gx_folder_info i, *v;
	size_t n;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, fid, w->a, &i));
	ST_OK(gx_folder_list(t, fid, true, w->a, &v, &n));
	gx_txn_abort(t);
	uint64_t sum = i.total + i.fai;
	for (size_t k = 0; k < n; k++)
		sum += v[k].type == GX_FOLDER_GENERIC ? v[k].total + v[k].fai : 0;
	return sum;
}

/* ---- Copying ---- */

static bool pick_copy(struct so_world *w)
{
	w->x.fid = so_folder(w, true);
	w->x.fid2 = so_folder(w, false);
	w->x.name = gx_arena_printf(w->a, "Copy %u", ++w->serial);
	if (w->x.fid == 0 || so_below(w, w->x.fid2, w->x.fid) || w->nfolders > SO_FOLDERS - 16 || w->nmsgs > SO_MSGS - 200)
		return false;
	size_t below = 0;
	for (size_t i = 0; i < w->nfolders; i++)
		below += so_below(w, w->folder[i].fid, w->x.fid);
	w->x.n = messages_below(w, w->x.fid);
	return below < 4 && w->x.n < 20;
}

static gx_ec run_copy(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_copy(t, w->x.fid, w->x.fid2, w->x.name, &w->x.found, &u.partial);
}

static void check_copy(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.found, &i);
	ck_assert_str_eq(i.name, w->x.name);
	ck_assert_uint_eq(i.parent, w->x.fid2);
	ck_assert(!u.partial);
	ck_assert_uint_eq(messages_below(w, w->x.found), w->x.n);
}

static bool pick_copy_part(struct so_world *w)
{
	if (!pick_copy(w))
		return false;
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	u.what = so_one_in(w, 2) ? GX_CONTENT_NORMAL : GX_CONTENT_FAI;
	w->x.n = u.what == GX_CONTENT_NORMAL ? i.total : i.fai;
	return true;
}

static gx_ec run_copy_part(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_copy_part(t, w->x.fid, w->x.fid2, w->x.name, u.what, &w->x.found, &u.partial);
}

static bool pick_copy_contents(struct so_world *w)
{
	if (!pick_copy(w))
		return false;
	u.what = GX_CONTENT_NORMAL | (so_one_in(w, 2) ? GX_CONTENT_FAI : 0);
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	w->x.n = messages_below(w, w->x.fid2) + i.total + (u.what & GX_CONTENT_FAI ? i.fai : 0);
	return true;
}

static gx_ec run_copy_contents(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_copy_contents(t, w->x.fid, w->x.fid2, u.what, &u.partial);
}

static void check_copy_contents(struct so_world *w)
{
	ck_assert(!u.partial);
	ck_assert_uint_eq(messages_below(w, w->x.fid2), w->x.n);
}

/* ---- Taking away, and back ---- */

static bool pick_empty(struct so_world *w)
{
	w->x.fid = so_folder(w, !so_one_in(w, 4));
	u.what = GX_CONTENT_NORMAL | GX_CONTENT_FAI | (so_one_in(w, 2) ? GX_CONTENT_FOLDERS : 0) | (so_one_in(w, 3) ? GX_CONTENT_HARD : 0);
	u.limit = so_one_in(w, 2) ? 3 : 0;
	return w->x.fid != 0 && messages_below(w, w->x.fid) > 0;
}

static gx_ec run_empty(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_empty(t, w->x.fid, u.what, u.limit, &u.partial, &u.more);
}

static void check_empty(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	ck_assert(!u.partial);
	ck_assert(u.more || i.total + i.fai == 0);
	ck_assert(u.more || !(u.what & GX_CONTENT_FOLDERS) || i.subfolders == 0);
	ck_assert(!u.more || u.limit != 0);
}

static bool pick_delete_some(struct so_world *w)
{
	w->x.fid = so_folder(w, true);
	u.limit = 1 + so_one_in(w, 2) * 5;
	w->x.hard = !so_one_in(w, 3);
	return w->x.fid != 0;
}

static gx_ec run_delete_some(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_delete_some(t, w->x.fid, w->x.hard, u.limit, &u.partial, &u.more);
}

static void check_delete_some(struct so_world *w)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	gx_ec ec = gx_folder_get(t, w->x.fid, w->a, &i);
	gx_txn_abort(t);
	ck_assert(gx_ec_failed(ec) == !u.more && !u.partial);
}

/* A folder that was deleted on its own, into found, and the one it is in. */
static bool find_deleted(struct so_world *w)
{
	for (size_t i = 0; i < w->nfolders; i++) {
		struct so_folder *f = &w->folder[i];
		if (!f->deleted)
			continue;
		f->deleted = false;
		bool may = so_alive(w, f);
		f->deleted = true;
		w->x.fid = f->parent;
		w->x.found = f->fid;
		if (may)
			return true;
	}
	return false;
}

static bool pick_purge(struct so_world *w)
{
	u.what = GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS;
	return (so_one_in(w, 2) && find_deleted(w)) || so_msgs(w, 1, true);
}

static gx_ec run_purge(struct so_world *w, struct gx_txn *t)
{
	u.purged = (struct gx_purged){0};
	return gx_folder_purge(t, w->x.fid, u.what, 0, 0, &u.purged);
}

static void check_purge(struct so_world *w)
{
	char *sql = gx_arena_printf(w->a, "SELECT COUNT(*) FROM msg WHERE fid=%llu AND flags&512", (unsigned long long)w->x.fid);
	ck_assert_int_eq(so_number(w, sql), 0);
	ck_assert_uint_gt(u.purged.messages + u.purged.folders, 0);
}

static bool pick_undelete(struct so_world *w)
{
	if (!find_deleted(w))
		return false;
	w->x.fid2 = w->x.fid;
	w->x.fid = w->x.found;
	return true;
}

static gx_ec run_undelete(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_undelete(t, w->x.fid);
}

static void check_undelete(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, w->x.fid, &i);
	ck_assert_uint_eq(i.parent, w->x.fid2);
}

/* ---- Properties, names, receive folders ---- */

static bool pick_remove(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	return true;
}

static gx_ec run_remove(struct so_world *w, struct gx_txn *t)
{
	static const gx_proptag_t tags[] = {PidTagComment, PidTagContentCount, 0x66740003};
	return gx_folder_remove_props(t, w->x.fid, tags, 3);
}

static void check_remove(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get_props(t, w->x.fid, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	ck_assert_uint_eq(l.count, 0);
}

static bool pick_localise(struct so_world *w)
{
	static const char *const langs[] = {"de", "en", "fr"};
	u.lang = langs[so_rand(w, 3)];
	return !w->public;
}

static gx_ec run_localise(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_store_localise(t, u.lang, NULL);
}

static void check_localise(struct so_world *w)
{
	struct gx_folder_info i;
	get_folder(w, GX_FID_INBOX, &i);
	ck_assert_int_eq(strcmp(i.name, "Inbox") == 0, *u.lang == 'e');
}

static bool pick_receive(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "IPM.Note.Class%u", so_rand(w, 4));
	w->x.fid = so_one_in(w, 4) ? 0 : so_folder(w, false);
	return !w->public;
}

static gx_ec run_receive(struct so_world *w, struct gx_txn *t)
{
	return gx_receive_set(t, w->x.name, w->x.fid);
}

static void check_receive(struct so_world *w)
{
	struct gx_receive r;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_receive_get(t, w->x.name, w->a, &r));
	gx_txn_abort(t);
	ck_assert_uint_eq(r.fid, w->x.fid == 0 ? GX_FID_INBOX : w->x.fid);
}

static const struct so_op rows[] = {
	{"folder_copy", SO_WRITE, pick_copy, run_copy, check_copy},
	{"folder_copy_part", SO_WRITE, pick_copy_part, run_copy_part, check_copy},
	{"folder_copy_contents", SO_WRITE, pick_copy_contents, run_copy_contents, check_copy_contents},
	{"folder_empty", SO_WRITE, pick_empty, run_empty, check_empty},
	{"folder_delete_some", SO_WRITE, pick_delete_some, run_delete_some, check_delete_some},
	{"folder_purge_deleted", SO_WRITE, pick_purge, run_purge, check_purge},
	{"folder_undelete", SO_WRITE, pick_undelete, run_undelete, check_undelete},
	{"folder_remove_props", SO_WRITE, pick_remove, run_remove, check_remove},
	{"folder_localise", SO_WRITE, pick_localise, run_localise, check_localise},
	{"receive_set", SO_WRITE, pick_receive, run_receive, check_receive},
};
SO_OPS(so_tree_ops, rows);
