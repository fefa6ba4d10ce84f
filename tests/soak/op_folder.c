/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to folders and to the store as a whole. */
#include <config.h>
#include <gx/acl.h>
#include <gx/storecheck.h>
#include "tests/soak/soak.h"

static struct gx_txn *write_as(struct soak_thread *w, const struct gx_actor *who)
{
	return soak_begin(w, w->s, who, GX_TXN_WRITE);
}

/* One of those that were made here: built-in ones refuse what is done to them. */
static uint64_t any_of(struct soak_thread *w, struct gx_txn *t, size_t *ret_n)
{
	struct gx_folder_info *v;
	*ret_n = 0;
	if (!soak_done(w, t, gx_folder_list(t, w->st->root, true, w->a, &v, ret_n),
		    "list of folders") ||
		*ret_n == 0)
		return w->st->root;
	return v[soak_rnd(w, (uint32_t)*ret_n)].fid;
}

static void make(struct soak_thread *w, struct gx_txn *t, uint64_t parent)
{
	uint64_t fid;
	const char *name = gx_arena_printf(w->a, "folder %u", soak_rnd(w, 60));
	soak_done(w, t,
		gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid),
		"create folder");
}

static void copy_tree(struct soak_thread *w, struct gx_txn *t, uint64_t fid, uint64_t to)
{
	struct gx_folder_info info;
	uint64_t made;
	bool partial;
	if (!soak_done(w, t, gx_folder_get(t, fid, w->a, &info), "folder") ||
		info.total > FOLDER_MAX / 4)
		return;
	soak_done(w, t,
		gx_folder_copy(t, fid, to, gx_arena_printf(w->a, "copy %u", soak_rnd(w, 20)), &made,
			&partial),
		"copy folder");
}

static void describe(struct soak_thread *w, struct gx_txn *t, uint64_t fid)
{
	struct gx_proplist l = {0};
	int err = gx_proplist_set_str(
		&l, w->a, PidTagComment, gx_arena_printf(w->a, "comment %u", soak_rnd(w, 100)));
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	soak_done(w, t, gx_folder_set_props(t, fid, &l), "folder properties");
}

void soak_folders(struct soak_thread *w)
{
	size_t n;
	struct gx_txn *t = write_as(w, soak_actor(w));
	if (t == NULL)
		return;
	uint64_t fid = any_of(w, t, &n), to = soak_rnd(w, 4) == 0 ? w->st->root : soak_folder(w, t);
	if (fid == w->st->inbox) /* all meet there */
		fid = w->st->root;
	switch (n > TREE_MAX ? 4 : soak_rnd(w, 7)) {
	case 0:
	case 1:
		make(w, t, to);
		break;
	case 2:
		soak_done(w, t,
			gx_folder_move(t, fid, to,
				soak_rnd(w, 2) == 0
					? NULL
					: gx_arena_printf(w->a, "moved %u", soak_rnd(w, 60))),
			"move folder");
		break;
	case 3:
		copy_tree(w, t, fid, to);
		break;
	case 4:
		soak_done(w, t, gx_folder_delete(t, fid, n > TREE_MAX || soak_rnd(w, 2) == 0),
			"delete folder");
		break;
	case 5:
		describe(w, t, fid);
		break;
	default:
		soak_done(w, t, gx_folder_set_subscribed(t, fid, soak_rnd(w, 2) != 0), "subscribe");
		break;
	}
	soak_commit(w, t);
}

void soak_empty(struct soak_thread *w)
{
	static const uint32_t what[] = {GX_CONTENT_NORMAL, GX_CONTENT_FAI,
		GX_CONTENT_NORMAL | GX_CONTENT_FAI, GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS,
		GX_CONTENT_FOLDERS};
	bool partial, more;
	struct gx_txn *t = write_as(w, soak_actor(w));
	if (t == NULL)
		return;
	uint64_t fid = soak_folder(w, t);
	if (fid != 0)
		soak_done(w, t,
			gx_folder_empty(t, fid,
				what[soak_rnd(w, 5)] | (soak_rnd(w, 2) == 0 ? GX_CONTENT_HARD : 0),
				soak_rnd(w, 3) == 0 ? 0 : 100, &partial, &more),
			"empty folder");
	soak_commit(w, t);
}

void soak_purge(struct soak_thread *w)
{
	struct gx_purged gone = {0};
	struct gx_txn *t = write_as(w, &soak_system);
	if (t == NULL)
		return;
	uint64_t fid = soak_rnd(w, 3) == 0 ? w->st->root : soak_folder(w, t);
	if (fid != 0)
		soak_done(w, t,
			gx_folder_purge(t, fid, GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS, 0, 0, &gone),
			"purge");
	soak_commit(w, t);
}

/* ---- The store ---- */

static void set_quota(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_proplist l = {0};
	struct gx_quota q;
	int32_t kib = soak_rnd(w, 4) == 0 ? 200 : 1024 * 1024;
	int err = gx_proplist_set_i32(&l, w->a, PidTagProhibitReceiveQuota, kib);
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	soak_done(w, t, gx_store_set_props(t, &l), "quota");
	soak_done(w, t, gx_store_quota(t, &q), "quota");
}

static void names(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_propname n[3], back[3];
	uint16_t ids[3];
	for (unsigned i = 0; i < 3; i++)
		n[i] = (struct gx_propname){.set = {7, 2, 3, {4}},
			.by_name = true,
			.name = gx_arena_printf(w->a, "name-%u", soak_rnd(w, 200))};
	if (!soak_done(w, t, gx_store_named_ids(t, true, n, 3, ids), "names") ||
		!soak_done(w, t, gx_store_named_names(t, ids, 3, w->a, back), "names"))
		return;
	for (unsigned i = 0; i < 3; i++)
		if (!gx_propname_equal(&n[i], &back[i]))
			soak_fail(w->k, "name %s has id %x, which is another's", n[i].name, ids[i]);
}

static void out_of_office(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_oof oof = {.state = soak_rnd(w, 2), .subject = "away", .message = "for a while"};
	soak_done(w, t, gx_oof_set(t, &oof), "out of office");
	soak_done(w, t,
		gx_replied_note(t, gx_arena_printf(w->a, "p%u@example.net", soak_rnd(w, 50))),
		"reply");
}

void soak_settings(struct soak_thread *w)
{
	struct gx_txn *t = write_as(w, &soak_system);
	if (t == NULL)
		return;
	switch (soak_rnd(w, 4)) {
	case 0:
		set_quota(w, t);
		break;
	case 1:
		out_of_office(w, t);
		break;
	default:
		names(w, t);
		break;
	}
	soak_commit(w, t);
}

void soak_rights(struct soak_thread *w)
{
	static const char *const who[] = {
		"alice@example.org", "bob@example.org", "staff@example.org", "default", ""};
	static const uint32_t what[] = {0, GX_RIGHT_VISIBLE, GX_RIGHT_VISIBLE | GX_RIGHT_READ,
		GX_RIGHTS_ALL,
		GX_RIGHT_VISIBLE | GX_RIGHT_READ | GX_RIGHT_CREATE | GX_RIGHT_EDIT_OWN |
			GX_RIGHT_DELETE_OWN};
	struct gx_member *v;
	uint32_t rights;
	size_t n;
	struct gx_txn *t = write_as(w, soak_actor(w));
	if (t == NULL)
		return;
	uint64_t fid = soak_folder(w, t);
	if (fid != 0) {
		soak_done(w, t,
			gx_folder_set_permission(t, fid, who[soak_rnd(w, 5)], what[soak_rnd(w, 5)],
				soak_rnd(w, 9) == 0),
			"rights");
		soak_done(w, t, gx_acl_list(t, fid, w->a, &v, &n), "members");
		soak_done(w, t, gx_folder_rights(t, fid, &rights), "rights");
	}
	soak_commit(w, t);
}

/* ---- Search folders ---- */

static uint64_t search_folder(struct soak_thread *w, struct gx_txn *t, const char *name)
{
	uint64_t parent = w->st->is_public ? w->st->root : GX_FID_FINDER, fid;
	gx_ec ec = gx_folder_by_name(t, parent, name, &fid);
	if (gx_ec_is(ec, ecNotFound))
		ec = gx_folder_create(t, parent, name, NULL, GX_FOLDER_SEARCH, NULL, &fid);
	return soak_done(w, t, ec, "search folder") ? fid : 0;
}

void soak_searches(struct soak_thread *w)
{
	static const struct gx_restr unread = {.type = RES_BITMASK,
					     .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}},
				     plans = {.type = RES_CONTENT,
					     .u.content = {FL_SUBSTRING, FL_IGNORECASE,
						     PidTagSubject,
						     {PidTagSubject, {.str = "plan"}}}};
	struct gx_search_info info;
	bool done;
	struct gx_txn *t = write_as(w, &soak_system);
	if (t == NULL)
		return;
	uint64_t scope = soak_rnd(w, 2) == 0 ? w->st->root : soak_folder(w, t);
	uint64_t fid = search_folder(w, t, soak_rnd(w, 2) == 0 ? "found 1" : "found 2");
	if (fid != 0 && scope != 0) {
		gx_ec ec = gx_search_get(t, fid, w->a, &info);
		if (soak_done(w, t, ec, "search") && (info.restr == NULL || soak_rnd(w, 6) == 0))
			soak_done(w, t,
				gx_search_set(t, fid,
					RESTART_SEARCH | RECURSIVE_SEARCH |
						(soak_rnd(w, 5) == 0 ? STATIC_SEARCH : 0),
					soak_rnd(w, 2) == 0 ? &unread : &plans, &scope, 1),
				"search");
	}
	soak_commit(w, t);
	int err = gx_search_run(w->s, 50, &done);
	if (err != 0 && err != GX_E_TIMEOUT && err != GX_E_BUSY)
		soak_fail(w->k, "search: %s", gx_strerror(err));
}

/* ---- Upkeep ---- */

/* What takes space alone goes later. */
static void found(const struct gx_store_finding *f, void *ctx)
{
	if (f->severity > GX_FINDING_WASTE)
		soak_fail(ctx, "checked while in use: %s: %s %llx: %s", f->check, f->kind,
			(unsigned long long)f->object, f->text);
}

static void recount(struct soak_thread *w)
{
	size_t fixed = 0;
	struct gx_txn *t = write_as(w, &soak_system);
	if (t == NULL)
		return;
	if (soak_done(w, t, gx_store_recount(t, &fixed), "recount") && fixed > 0)
		soak_fail(w->k, "%s: the numbers of %zu folders were wrong", w->st->dir, fixed);
	soak_commit(w, t);
}

void soak_upkeep(struct soak_thread *w)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	bool done;
	int err = 0;
	switch (soak_rnd(w, 6)) {
	case 0:
		o.quick = true;
		o.found = found;
		o.ctx = w->k;
		err = gx_store_check(w->s, &o, &r);
		break;
	case 1:
		recount(w);
		break;
	case 2:
		err = soak_rnd(w, 4) == 0 ? gx_store_vacuum(w->s, WAIT_MS) : 0;
		break;
	case 3:
		err = gx_store_purge_files(w->s) < 0 ? GX_E_IO : 0;
		break;
	case 4:
		err = gx_store_index(w->s, 100, &done);
		break;
	default:
		err = gx_store_sync(w->s);
		break;
	}
	if (err != 0 && err != GX_E_TIMEOUT && err != GX_E_BUSY)
		soak_fail(w->k, "upkeep: %s", gx_strerror(err));
}
