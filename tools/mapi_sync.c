/* SPDX-License-Identifier: Apache-2.0 */
/* sync: a copy of a folder in a directory. What is new here goes up, then what is new there comes down. */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/entryid.h>
#include "tools/mapi_syncdir.h"
#include "tools/progress.h"
#include "tools/report.h"

enum { SAVE_EACH = 100 };

struct work {
	struct tool *t;
	struct syncdir d;
	struct gx_mapi_obj *folder, *sync;
	unsigned fetched, changed, deleted, read, sent, removed, failed;
	uint32_t done, total;
	unsigned unsaved;
	int rc;                /* why a callback has stopped it */
};

static void show_progress(const struct work *w)
{
	if (w->total > 0)
		progress_show("%s: %u%%: %u new, %u changed, %u deleted", w->d.path, (unsigned)(100ULL * w->done / w->total), w->fetched,
			w->changed, w->deleted);
	else
		progress_show("%s: %u new, %u changed, %u deleted", w->d.path, w->fetched, w->changed, w->deleted);
}

static int save(struct work *w)
{
	w->unsaved = 0;
	return syncdir_save(&w->d);
}

/* ---- Up: deletions ---- */

static bool is_there(const struct syncdir *d, uint64_t mid)
{
	struct stat st;
	char name[32];
	syncdir_name(mid, name);
	return fstatat(d->dir, name, &st, 0) == 0 || errno != ENOENT;
}

static bool key_of(struct gx_arena *a, const struct entry *e, struct gx_bin *ret_key)
{
	uint8_t *b = gx_arena_alloc(a, 22);
	for (size_t i = 0; b != NULL && i < 22; ++i) {
		char pair[3] = {e->key[2 * i], e->key[2 * i + 1], 0};
		b[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	*ret_key = (struct gx_bin){b, 22};
	return b != NULL;
}

static gx_ec send_deletions(struct work *w, struct gx_mapi_obj *collector)
{
	struct syncdir *d = &w->d;
	struct gx_bin *keys = gx_arena_new_array(w->t->a, struct gx_bin, d->n);
	size_t n = 0;
	if (keys == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < d->n; ++i)
		if (!is_there(d, d->v[i].mid) && !key_of(w->t->a, &d->v[i], &keys[n++]))
			return GX_EC(ecMAPIOOM);
	gx_ec ec = n == 0 ? GX_EC(ecSuccess) : gx_mapi_import_deletes(collector, keys, n, false, false);
	for (size_t i = d->n; i > 0 && !gx_ec_failed(ec); --i)
		if (!is_there(d, d->v[i - 1].mid)) {
			syncdir_remove(d, &d->v[i - 1]);
			++w->removed;
		}
	return ec;
}

/* ---- Up: new files ---- */

static gx_ec store_mail(struct work *w, struct gx_mapi_obj *collector, const struct gx_mapi_change *ch, const struct gx_msgobj *obj, uint64_t *ret_mid)
{
	struct gx_mapi_obj *m;
	gx_ec ec = gx_mapi_import_message(collector, ch, false, &m);
	(void)w;
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_write_message(m, obj);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save(m, false, ret_mid);
	gx_mapi_close(m);
	return ec;
}

static int make_change(struct work *w, struct gx_arena *a, const struct gx_guid *replica, uint64_t counter, time_t modified, struct gx_mapi_change *ret_ch)
{
	*ret_ch = (struct gx_mapi_change){.modified = gx_nttime_from_unix(modified, 0)};
	int err = gx_entryid_gid(a, replica, counter, &ret_ch->source_key);
	if (err == 0)
		err = gx_entryid_gid(a, &w->d.client, ++w->d.changes, &ret_ch->change_key);
	return err == 0 ? gx_pcl_add_key(a, (struct gx_bin){0}, ret_ch->change_key, &ret_ch->predecessors) : err;
}

static int send_file(struct work *w, struct gx_mapi_obj *collector, struct gx_arena *a, const char *name, const struct gx_guid *replica, uint64_t counter)
{
	enum { READ = 1 };
	const char *path = gx_arena_printf(a, "%s/%s", w->d.path, name);
	struct gx_mapi_change ch;
	struct gx_msgobj *obj;
	struct gx_bin mail;
	struct stat st;
	uint64_t mid = 0;
	char kept[32];
	int rc = path == NULL ? EXIT_FAILED : mapi_read_file(a, path, &mail);
	if (rc != EXIT_OK)
		return rc;
	int err = mapi_from_mail(a, mail, &obj);
	if (err == 0)
		err = gx_proplist_set_i32(&obj->props, a, PidTagMessageFlags, w->t->read ? READ : 0);
	if (err == 0)
		err = make_change(w, a, replica, counter, stat(path, &st) == 0 ? st.st_mtime : 0, &ch);
	if (err != 0) {
		complain("%s: %s", path, gx_strerror(err));
		return EXIT_FAILED;
	}
	gx_ec ec = store_mail(w, collector, &ch, obj, &mid);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, path);
	syncdir_name(mid, kept);
	struct entry *e = syncdir_add(&w->d, mid, ch.source_key);
	if (e == NULL || renameat(w->d.dir, name, w->d.dir, kept) != 0) {
		complain("%s: %s", path, e == NULL ? gx_strerror(GX_E_NOMEM) : strerror(errno));
		return EXIT_FAILED;
	}
	e->is_read = w->t->read;
	++w->sent;
	return EXIT_OK;
}

/* Names of files that are mail and none of ours. */
static int new_files(struct work *w, const char ***ret_v, size_t *ret_n)
{
	const char **v = NULL;
	size_t n = 0, cap = 0;
	int rc = EXIT_OK;
	DIR *dir = opendir(w->d.path);
	if (dir == NULL) {
		complain("%s: %s", w->d.path, strerror(errno));
		return EXIT_FAILED;
	}
	for (struct dirent *e; rc == EXIT_OK && (e = readdir(dir)) != NULL;) {
		size_t len = strlen(e->d_name);
		if (e->d_name[0] == '.' || len < 5 || strcmp(e->d_name + len - 4, ".eml") != 0 || syncdir_is_name(e->d_name))
			continue;
		v = gx_arena_grow(w->t->a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL || (v[n++] = gx_arena_strdup(w->t->a, e->d_name)) == NULL)
			rc = EXIT_FAILED;
	}
	closedir(dir);
	*ret_v = v;
	*ret_n = n;
	return rc;
}

static int send_files(struct work *w, struct gx_mapi_obj *collector, const char *const *v, size_t n)
{
	struct gx_guid replica;
	uint64_t first = 0;
	int rc = EXIT_OK;
	gx_ec ec = n == 0 ? GX_EC(ecSuccess) : gx_mapi_new_ids(w->t->store, (uint32_t)n, &replica, &first);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, NULL);
	for (size_t i = 0; i < n && rc == EXIT_OK; ++i) {
		struct gx_arena *a = gx_arena_new(0);
		progress_show("%s: sending %zu of %zu", w->d.path, i + 1, n);
		rc = a == NULL ? EXIT_FAILED : send_file(w, collector, a, v[i], &replica, first + i);
		gx_arena_free(a);
	}
	return rc;
}

static int up(struct work *w)
{
	struct gx_mapi_obj *collector;
	const char **v;
	size_t n;
	int rc = new_files(w, &v, &n);
	if (rc != EXIT_OK)
		return rc;
	gx_ec ec = gx_mapi_collector(w->folder, false, w->d.state, &collector);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, NULL);
	ec = send_deletions(w, collector);
	rc = gx_ec_failed(ec) ? mapi_failed(w->t, ec, NULL) : send_files(w, collector, v, n);
	if (w->removed + w->sent > 0) {
		/* without this state the next download brings what we have, which does no harm */
		if (rc == EXIT_OK) {
			ec = gx_mapi_collector_state(collector, w->t->a, &w->d.state);
			rc = gx_ec_failed(ec) ? mapi_failed(w->t, ec, NULL) : EXIT_OK;
		}
		int saved = save(w);
		rc = rc == EXIT_OK ? saved : rc;
	}
	gx_mapi_close(collector);
	return rc;
}

/* ---- Down ---- */

static gx_ec stop(struct work *w, int rc)
{
	w->rc = rc;
	return GX_EC(ecUserCanceled);
}

/* From time to time what has come is made to last. */
static gx_ec one_done(struct work *w)
{
	show_progress(w);
	if (++w->unsaved < SAVE_EACH)
		return GX_EC(ecSuccess);
	struct gx_bin before = w->d.state;
	gx_ec ec = gx_mapi_sync_state(w->sync, w->t->a, &w->d.state);
	if (gx_ec_failed(ec))
		w->d.state = before;
	int rc = save(w);
	return rc == EXIT_OK ? GX_EC(ecSuccess) : stop(w, rc);
}

static gx_ec on_message(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx)
{
	struct work *w = ctx;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin mail;
	bool known = syncdir_find(&w->d, ch->id) != NULL;
	int err = a == NULL ? GX_E_NOMEM : mapi_to_mail(a, m, &mail), rc = EXIT_OK;
	if (err != 0) {
		progress_clear();
		complain("message 0x%" PRIx64 " cannot be written as mail: %s", ch->id, gx_strerror(err));
		++w->failed;
	} else {
		rc = syncdir_write(&w->d, ch->id, mail);
		struct entry *e = rc == EXIT_OK ? syncdir_add(&w->d, ch->id, ch->source_key) : NULL;
		if (e != NULL)
			e->is_read = gx_proplist_i32(&m->props, PidTagMessageFlags, 0) & 1;
		else
			rc = EXIT_FAILED;
		w->fetched += !known;
		w->changed += known;
	}
	gx_arena_free(a);
	return rc != EXIT_OK ? stop(w, rc) : one_done(w);
}

static gx_ec on_deleted(uint64_t id, bool gone, void *ctx)
{
	struct work *w = ctx;
	struct entry *e = syncdir_find(&w->d, id);
	char name[32];
	(void)gone;
	syncdir_name(id, name);
	if (unlinkat(w->d.dir, name, 0) != 0 && errno != ENOENT) {
		complain("%s/%s: %s", w->d.path, name, strerror(errno));
		return stop(w, EXIT_FAILED);
	}
	if (e != NULL)
		syncdir_remove(&w->d, e);
	w->deleted += e != NULL;
	return one_done(w);
}

static gx_ec on_read(uint64_t mid, bool is_read, void *ctx)
{
	struct work *w = ctx;
	struct entry *e = syncdir_find(&w->d, mid);
	if (e != NULL)
		e->is_read = is_read;
	w->read += e != NULL;
	return one_done(w);
}

static gx_ec on_progress(uint32_t done, uint32_t total, void *ctx)
{
	struct work *w = ctx;
	w->done = done;
	w->total = total;
	show_progress(w);
	return GX_EC(ecSuccess);
}

static int down(struct work *w)
{
	static const struct gx_mapi_sync_ops ops = {.message = on_message, .deleted = on_deleted, .read = on_read, .progress = on_progress};
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	o.state = w->d.state;
	gx_ec ec = gx_mapi_sync_begin(w->folder, &o, &w->sync);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, NULL);
	ec = gx_mapi_sync_run(w->sync, &ops, w);
	int rc = w->rc != EXIT_OK ? w->rc : gx_ec_failed(ec) ? mapi_failed(w->t, ec, NULL) : EXIT_OK;
	/* interrupted or not: as far as it came */
	ec = gx_mapi_sync_state(w->sync, w->t->a, &w->d.state);
	if (gx_ec_failed(ec) && rc == EXIT_OK)
		rc = mapi_failed(w->t, ec, NULL);
	int saved = gx_ec_failed(ec) ? EXIT_OK : save(w);
	gx_mapi_close(w->sync);
	return rc == EXIT_OK ? saved : rc;
}

static void summary(const struct work *w)
{
	struct report r = {.json = true};
	const struct field f[] = {{.name = "new", .number = w->fetched}, {.name = "changed", .number = w->changed},
		{.name = "deleted", .number = w->deleted}, {.name = "read", .number = w->read}, {.name = "sent", .number = w->sent},
		{.name = "removed", .number = w->removed}, {.name = "failed", .number = w->failed}, {.name = "messages", .number = w->d.n}, {0}};
	progress_clear();
	if (w->t->json)
		report_record(&r, f, 0);
	else
		printf("%u new, %u changed, %u deleted; %u sent, %u removed there; %zu messages\n", w->fetched, w->changed, w->deleted, w->sent,
			w->removed, w->d.n);
}

/* The folder of a directory is the one that it began with. */
static int choose_folder(struct work *w)
{
	struct tool *t = w->t;
	uint64_t fid = w->d.fid;
	gx_ec ec = GX_EC(ecSuccess);
	if (t->folder != NULL || fid == 0)
		ec = gx_mapi_find_folder(t->store, t->folder != NULL ? t->folder : "Inbox", &fid);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, NULL);
	if (w->d.fid != 0 && w->d.fid != fid) {
		complain("%s is a copy of another folder, 0x%" PRIx64, w->d.path, w->d.fid);
		return EXIT_USAGE;
	}
	w->d.fid = fid;
	ec = gx_mapi_open_folder(t->store, fid, 0, &w->folder);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, NULL) : EXIT_OK;
}

int mapi_sync(struct tool *t)
{
	struct work w = {.t = t};
	int rc = syncdir_open(&w.d, t->a, t->argv[0]);
	if (rc == EXIT_OK)
		rc = choose_folder(&w);
	if (rc == EXIT_OK)
		rc = up(&w);
	if (rc == EXIT_OK)
		rc = down(&w);
	if (rc == EXIT_OK) {
		summary(&w);
		rc = w.failed > 0 ? EXIT_FAILED : EXIT_OK;
	}
	gx_mapi_close(w.folder);
	syncdir_close(&w.d);
	return rc;
}
