/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir, rm, mv, cp: folders and messages, by names. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include "tools/mapi.h"

/* ---- Names ---- */

/* What an argument means: "FOLDER/0xID" may be a message of the folder, or a folder. */
struct thing {
	const char *arg, *name;        /* name: its own, of a folder */
	uint64_t fid, parent, mid;     /* mid 0: a folder */
	struct gx_mapi_obj *in;        /* the folder that has it */
};

static void let_go(struct thing *x)
{
	gx_mapi_close(x->in);
	x->in = NULL;
}

/* Its parent, and what it is called. */
static gx_ec look_at_folder(struct tool *t, struct thing *x)
{
	static const gx_proptag_t tags[] = {PidTagParentFolderId, PidTagDisplayName};
	struct gx_proplist l;
	struct gx_mapi_obj *f;
	gx_ec ec = gx_mapi_open_folder(t->store, x->fid, 0, &f);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_get(f, tags, 2, t->a, &l);
	gx_mapi_close(f);
	if (gx_ec_failed(ec))
		return ec;
	const struct gx_propval *parent = gx_proplist_get(&l, PidTagParentFolderId);
	x->parent = parent != NULL ? (uint64_t)parent->v.i64 : 0;
	x->name = gx_proplist_str(&l, PidTagDisplayName, "");
	return gx_mapi_open_folder(t->store, x->parent, 0, &x->in);
}

/* Operations on lists of messages do not say which of them there is not. */
static gx_ec is_there(struct tool *t, const struct thing *x)
{
	struct gx_mapi_obj *m;
	gx_ec ec = gx_mapi_open_message(t->store, x->fid, x->mid, GX_MAPI_READ_ONLY, &m);
	if (!gx_ec_failed(ec))
		gx_mapi_close(m);
	return ec;
}

static gx_ec find_thing(struct tool *t, const char *arg, struct thing *x)
{
	const char *slash = strrchr(arg, '/');
	char *end = NULL;
	*x = (struct thing){.arg = arg};
	gx_ec ec = gx_mapi_find_folder(t->store, arg, &x->fid);
	if (!gx_ec_failed(ec))
		ec = look_at_folder(t, x);
	if (!gx_ec_failed(ec) || slash == NULL || strncmp(slash + 1, "0x", 2) != 0)
		return ec;
	/* no folder has this id: a message then */
	let_go(x);
	x->mid = strtoull(slash + 1, &end, 16);
	const char *path = gx_arena_strndup(t->a, arg, (size_t)(slash - arg));
	if (path == NULL || *end != '\0')
		return ec;
	ec = gx_mapi_find_folder(t->store, path, &x->fid);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_open_folder(t->store, x->fid, 0, &x->in);
	return gx_ec_failed(ec) ? ec : is_there(t, x);
}

/* Where something is to go: into a folder that there is, or under a new name into its parent. */
struct place {
	struct gx_mapi_obj *folder;
	uint64_t fid;
	const char *name;              /* NULL: as it is called */
};

static gx_ec find_place(struct tool *t, struct gx_mapi_obj *store, const char *arg, struct place *x)
{
	size_t n = strlen(arg);
	while (n > 0 && arg[n - 1] == '/')
		--n;
	const char *path = gx_arena_strndup(t->a, arg, n), *slash = path == NULL ? NULL : strrchr(path, '/');
	*x = (struct place){0};
	if (path == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = gx_mapi_find_folder(store, path, &x->fid);
	if (gx_ec_is(ec, ecNotFound)) {
		x->name = slash != NULL ? slash + 1 : path;
		ec = gx_mapi_find_folder(store, slash != NULL ? gx_arena_strndup(t->a, path, (size_t)(slash - path)) : "", &x->fid);
	}
	return gx_ec_failed(ec) ? ec : gx_mapi_open_folder(store, x->fid, 0, &x->folder);
}

static int some_left(const char *arg)
{
	complain("%s: not everything could be done", arg);
	return EXIT_FAILED;
}

/* ---- mkdir ---- */

static int make(struct tool *t, const char *arg)
{
	struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
	struct place at;
	uint64_t fid = 0;
	gx_ec ec = find_place(t, t->store, arg, &at);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, arg);
	if (at.name == NULL) {
		gx_mapi_close(at.folder);
		complain("%s: there is such a folder", arg);
		return EXIT_FAILED;
	}
	n.name = at.name;
	ec = gx_mapi_create_folder(at.folder, &n, NULL, &fid);
	gx_mapi_close(at.folder);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, arg);
	printf(t->json ? "{\"id\": \"0x%" PRIx64 "\"}\n" : "0x%" PRIx64 "\n", fid);
	return EXIT_OK;
}

int mapi_mkdir(struct tool *t)
{
	int rc = EXIT_OK;
	for (int i = 0; i < t->argc && rc == EXIT_OK; ++i)
		rc = make(t, t->argv[i]);
	return rc;
}

/* ---- rm ---- */

static int remove_one(struct tool *t, const char *arg)
{
	struct thing x;
	bool partial = false;
	gx_ec ec = find_thing(t, arg, &x);
	if (!gx_ec_failed(ec) && x.mid == 0 && !t->recursive) {
		let_go(&x);
		complain("%s is a folder: rm -r deletes it with all that is in it", arg);
		return EXIT_USAGE;
	}
	if (!gx_ec_failed(ec) && x.mid != 0)
		ec = gx_mapi_delete_messages(x.in, &x.mid, 1, t->hard, &partial);
	else if (!gx_ec_failed(ec))
		ec = gx_mapi_delete_folder(x.in, x.fid, GX_MAPI_DEL_MESSAGES | GX_MAPI_DEL_FOLDERS | (t->hard ? GX_MAPI_DELETE_HARD : 0), &partial);
	let_go(&x);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, arg) : partial ? some_left(arg) : EXIT_OK;
}

int mapi_rm(struct tool *t)
{
	int rc = EXIT_OK;
	for (int i = 0; i < t->argc && rc == EXIT_OK; ++i)
		rc = remove_one(t, t->argv[i]);
	return rc;
}

/* ---- mv, cp ---- */

static int carry(struct tool *t, const struct thing *x, const struct place *to, bool copy)
{
	bool partial = false;
	gx_ec ec;
	if (x->mid != 0 && to->name != NULL) {
		complain("%s: there is no such folder", t->argv[t->argc - 1]);
		return EXIT_NOTHING;
	}
	if (x->mid != 0)
		ec = gx_mapi_move_messages(x->in, to->folder, &x->mid, 1, copy, &partial);
	else if (copy)
		ec = gx_mapi_copy_folder(x->in, x->fid, to->folder, to->name != NULL ? to->name : x->name, true, &partial);
	else
		ec = gx_mapi_move_folder(x->in, x->fid, to->folder, to->name != NULL ? to->name : x->name, &partial);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, x->arg) : partial ? some_left(x->arg) : EXIT_OK;
}

/* To the mailbox of another connection. */
static int carry_away(struct tool *t, const struct thing *x, const struct place *to)
{
	struct gx_mapi_obj *f;
	if (x->mid != 0) {
		complain("%s: only folders are copied to other mailboxes", x->arg);
		return EXIT_USAGE;
	}
	gx_ec ec = gx_mapi_open_folder(t->store, x->fid, 0, &f);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, x->arg);
	ec = gx_mapi_copy_tree(f, to->folder, to->name != NULL ? to->name : x->name, NULL);
	gx_mapi_close(f);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, x->arg) : EXIT_OK;
}

static int carry_one(struct tool *t, const char *arg, bool copy)
{
	const char *dest = t->argv[t->argc - 1];
	struct gx_mapi_obj *there = t->other_store != NULL ? t->other_store : t->store;
	struct thing x;
	struct place to;
	gx_ec ec = find_thing(t, arg, &x);
	if (gx_ec_failed(ec)) {
		let_go(&x);
		return mapi_failed(t, ec, arg);
	}
	int rc = EXIT_OK;
	if (copy && x.mid == 0 && !t->recursive) {
		complain("%s is a folder: cp -r copies it with all that is in it", arg);
		rc = EXIT_USAGE;
	}
	if (rc == EXIT_OK && gx_ec_failed(ec = find_place(t, there, dest, &to)))
		rc = there == t->store ? mapi_failed(t, ec, dest) : mapi_failed_at(t, t->other, ec, dest);
	else if (rc == EXIT_OK) {
		rc = t->other_store != NULL ? carry_away(t, &x, &to) : carry(t, &x, &to, copy);
		gx_mapi_close(to.folder);
	}
	let_go(&x);
	return rc;
}

static int carry_all(struct tool *t, bool copy)
{
	int rc = EXIT_OK;
	for (int i = 0; i + 1 < t->argc && rc == EXIT_OK; ++i)
		rc = carry_one(t, t->argv[i], copy);
	return rc;
}

int mapi_mv(struct tool *t)
{
	return carry_all(t, false);
}

int mapi_cp(struct tool *t)
{
	return carry_all(t, true);
}
