/* SPDX-License-Identifier: Apache-2.0 */
/* Folders below the places: made, renamed, moved, copied, deleted, at the server and from the copy. */
#include <config.h>
#include "tests/model/model.h"

enum { MOST = 12 };

static struct place *place_of(const struct dir *d)
{
	for (unsigned i = 0; i < PLACES; ++i)
		if (w.p[i].fid == d->parent)
			return &w.p[i];
	return NULL;
}

/* One of those that these clients make. */
static struct dir *pick_dir(char *ret_tag, struct place **ret_p)
{
	char ver[NAME];
	for (size_t k = 0, from = w.tree.n == 0 ? 0 : rnd((uint32_t)w.tree.n); k < w.tree.n; ++k) {
		struct dir *d = &w.tree.v[(from + k) % w.tree.n];
		if ((*ret_p = place_of(d)) != NULL && split_name(d->name, ret_tag, ver))
			return d;
	}
	return NULL;
}

static size_t count_dirs(void)
{
	size_t n = 0;
	char tag[NAME], ver[NAME];
	for (size_t i = 0; i < w.tree.n; ++i)
		n += place_of(&w.tree.v[i]) != NULL && split_name(w.tree.v[i].name, tag, ver);
	return n;
}

/* ---- At the server ---- */

static void create(struct place *p)
{
	struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
	const char *tag = gx_arena_strdup(w.a, fresh("f")), *ver = gx_arena_strdup(w.a, fresh("v"));
	struct gx_mapi_obj *f = open_folder(p->fid);
	if (f == NULL)
		return;
	n.name = gx_arena_printf(w.a, "%s %s", tag, ver);
	say_op(verdict(gx_mapi_create_folder(f, &n, NULL, NULL)), "fcreate", p->name, tag, "%s 0 0 0", ver);
	gx_mapi_close(f);
}

static void rename_one(const struct dir *d, struct place *p, const char *tag)
{
	const char *ver = gx_arena_strdup(w.a, fresh("v"));
	struct gx_proplist l = {0};
	struct gx_mapi_obj *f;
	gx_ec ec = gx_mapi_open_folder(w.store, d->fid, 0, &f);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		return;
	}
	if (gx_proplist_set_str(&l, w.a, PidTagDisplayName, gx_arena_printf(w.a, "%s %s", tag, ver)) != 0)
		abort();
	say_op(verdict(gx_mapi_set(f, &l)), "fchange", p->name, tag, "%s", ver);
	gx_mapi_close(f);
}

static const char *of_partial(gx_ec ec, bool partial)
{
	const char *res = verdict(ec);
	return strcmp(res, "ok") == 0 && partial ? "no" : res;
}

static void carry(const struct dir *d, struct place *p, const char *tag, bool copy)
{
	const char *ver = gx_arena_strdup(w.a, fresh("v")), *name = gx_arena_printf(w.a, "%s %s", tag, ver);
	struct place *to = &w.p[((unsigned)(p - w.p) + 1 + rnd(PLACES - 1)) % PLACES];
	struct gx_mapi_obj *f = open_folder(p->fid), *f2 = f == NULL ? NULL : open_folder(to->fid);
	bool partial = false;
	if (f2 != NULL) {
		gx_ec ec = copy ? gx_mapi_copy_folder(f, d->fid, f2, name, true, &partial) : gx_mapi_move_folder(f, d->fid, f2, name, &partial);
		say_op(of_partial(ec, partial), copy ? "fcopy" : "fmove", p->name, tag, "%s %s", to->name, ver);
	}
	gx_mapi_close(f2);
	gx_mapi_close(f);
}

static void delete(const struct dir *d, struct place *p, const char *tag)
{
	struct gx_mapi_obj *f = open_folder(p->fid);
	bool partial = false;
	if (f == NULL)
		return;
	gx_ec ec = gx_mapi_delete_folder(f, d->fid, GX_MAPI_DEL_MESSAGES | GX_MAPI_DEL_FOLDERS | (rnd(2) ? GX_MAPI_DELETE_HARD : 0), &partial);
	say_op(of_partial(ec, partial), "fdelete", p->name, tag, "%s", "");
	gx_mapi_close(f);
}

/* ---- From the copy ---- */

static void set_bin(struct gx_proplist *l, gx_proptag_t tag, struct gx_bin b)
{
	if (gx_proplist_set_bin(l, w.a, tag, b.data, b.len) != 0)
		abort();
}

static gx_ec bring(struct gx_mapi_obj *col, const struct dir *d, const char *name, uint64_t parent)
{
	struct gx_proplist l = {0};
	uint16_t number;
	struct gx_bin parent_key;
	if (gx_entryid_gid(w.a, gx_mapi_replica(w.store, &number), gx_eid_counter(parent), &parent_key) != 0)
		abort();
	set_bin(&l, PidTagParentSourceKey, parent_key);
	set_bin(&l, PidTagSourceKey, key_bin(&d->source));
	if (gx_proplist_set_time(&l, w.a, PidTagLastModificationTime, gx_clock_nttime(gx_clock_system())) != 0)
		abort();
	set_bin(&l, PidTagChangeKey, key_bin(&d->change));
	set_bin(&l, PidTagPredecessorChangeList, (struct gx_bin){d->pcl.b, d->pcl.len});
	if (gx_proplist_set_str(&l, w.a, PidTagDisplayName, name) != 0)
		abort();
	return gx_mapi_import_folder(col, &l, NULL, NULL);
}

static void bring_new(struct gx_mapi_obj *col, struct place *p)
{
	struct dir d = {0};
	struct gx_guid replica;
	struct gx_bin key;
	uint64_t first;
	const char *tag = gx_arena_strdup(w.a, fresh("f")), *ver = gx_arena_strdup(w.a, fresh("v"));
	gx_ec ec = gx_mapi_new_ids(w.store, 1, &replica, &first);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		return;
	}
	if (gx_entryid_gid(w.a, &replica, first, &key) != 0)
		abort();
	set_key(&d.source, key);
	make_version(NULL, &d.change, &d.pcl);
	ec = bring(col, &d, gx_arena_printf(w.a, "%s %s", tag, ver), p->fid);
	say_op(verdict(ec), "fcreate", p->name, tag, "%s 0 0 0", ver);
}

static void bring_change(struct gx_mapi_obj *col, const struct dir *d, struct place *p, const char *tag)
{
	struct place *to = rnd(2) ? p : &w.p[rnd(PLACES)];
	struct dir is = *d;
	const char *ver = gx_arena_strdup(w.a, fresh("v"));
	make_version(&d->pcl, &is.change, &is.pcl);
	gx_ec ec = bring(col, &is, gx_arena_printf(w.a, "%s %s", tag, ver), to->fid);
	/* the later version wins, and which one that is nobody tells */
	const char *res = verdict(ec);
	say_op(strcmp(res, "ok") == 0 ? "unsure" : res, "fmove", p->name, tag, "%s %s", to->name, ver);
}

static void bring_delete(struct gx_mapi_obj *col, const struct dir *d, struct place *p, const char *tag)
{
	struct gx_bin key = key_bin(&d->source);
	say_op(verdict(gx_mapi_import_deletes(col, &key, 1, true, rnd(2))), "fdelete", p->name, tag, "%s", "");
}

/* Its state is not kept: a download brings what was brought, once. */
static void from_copy(const struct dir *d, struct place *p, const char *tag)
{
	struct gx_mapi_obj *f = open_folder(gx_mapi_special_folder(w.store, GX_MAPI_IPMSUBTREE)), *col;
	if (f == NULL)
		return;
	gx_ec ec = gx_mapi_collector(f, true, w.tree.state, &col);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		gx_mapi_close(f);
		return;
	}
	if (d == NULL)
		bring_new(col, p);
	else if (rnd(2))
		bring_change(col, d, p, tag);
	else
		bring_delete(col, d, p, tag);
	gx_mapi_close(col);
	gx_mapi_close(f);
}

void work_dirs(void)
{
	char tag[NAME];
	struct place *p;
	struct dir *d = pick_dir(tag, &p);
	bool online = rnd(3) > 0;
	size_t n = count_dirs();
	uint32_t what = rnd(100);
	if (d == NULL || (what < 40 && n < MOST)) {
		p = &w.p[rnd(PLACES)];
		if (online)
			create(p);
		else
			from_copy(NULL, p, "");
	} else if (!online)
		from_copy(d, p, tag);
	else if (what < 60)
		rename_one(d, p, tag);
	else if (what < 80)
		carry(d, p, tag, n < MOST && rnd(3) == 0);
	else
		delete(d, p, tag);
}
