/* SPDX-License-Identifier: Apache-2.0 */
/* sync: a copy of a folder in a directory. What is new here goes up, then what is new there comes down. */
#include <config.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tools/mapi_sync.h"
#include "tools/progress.h"
#include "tools/report.h"

enum { SAVE_EACH = 100 };

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
	/* the more is known, the more there is to be written */
	if (++w->unsaved < SAVE_EACH + w->d.n / 8)
		return GX_EC(ecSuccess);
	struct gx_bin before = w->d.state;
	gx_ec ec = gx_mapi_sync_state(w->sync, w->t->a, &w->d.state);
	if (gx_ec_failed(ec))
		w->d.state = before;
	int rc = save(w);
	return rc == EXIT_OK ? GX_EC(ecSuccess) : stop(w, rc);
}

/* An entry of the version that has come; hash and versions are those of the file that will be there. */
static int entry_of(struct work *w, const struct gx_mapi_change *ch, const struct gx_msgobj *m, struct gx_bin mail, struct entry **ret_e)
{
	uint8_t hash[HASH];
	uint8_t *pcl = gx_arena_memdup(w->d.a, ch->predecessors.data, ch->predecessors.len);
	struct entry *e = syncdir_hash(mail, hash) == 0 ? syncdir_add(&w->d, ch->id, ch->source_key) : NULL;
	if (e == NULL || (pcl == NULL && ch->predecessors.len > 0))
		return EXIT_FAILED;
	memcpy(e->hash, hash, HASH);
	e->known = true;
	e->pcl = (struct gx_bin){pcl, ch->predecessors.len};
	e->is_read = gx_proplist_i32(&m->props, PidTagMessageFlags, 0) & 1;
	*ret_e = e;
	return EXIT_OK;
}

/* A file that is to be overwritten or deleted: what was edited in it since we looked, or could not be sent, is kept. */
static int keep_edits(struct work *w, uint64_t mid, const char *what, const char *why)
{
	struct entry unknown = {.mid = mid}, *e = syncdir_find(&w->d, mid);
	int look = syncdir_look(&w->d, e != NULL ? e : &unknown);
	if (look < 0)
		return EXIT_FAILED;
	return e != NULL && look == FILE_EDITED ? mapi_sync_keep(w, mid, what, why) : EXIT_OK;
}

static int take_message(struct work *w, struct gx_arena *a, const struct gx_mapi_change *ch, const struct gx_msgobj *m)
{
	struct gx_bin mail;
	struct entry *e;
	bool known = syncdir_find(&w->d, ch->id) != NULL;
	int err = mapi_to_mail(a, m, &mail);
	if (err != 0) {
		progress_clear();
		complain("message 0x%" PRIx64 " cannot be written as mail: %s", ch->id, gx_strerror(err));
		++w->failed;
		return EXIT_OK;
	}
	int rc = keep_edits(w, ch->id, "conflict", "the message was changed at the server, too");
	if (rc == EXIT_OK)
		rc = entry_of(w, ch, m, mail, &e);
	if (rc == EXIT_OK)
		rc = syncdir_write(&w->d, e, mail);
	if (rc == EXIT_OK)
		syncdir_note(&w->d, e);
	w->fetched += !known;
	w->changed += known;
	return rc;
}

static gx_ec on_message(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx)
{
	struct work *w = ctx;
	struct gx_arena *a = gx_arena_new(0);
	int rc = a == NULL ? EXIT_FAILED : take_message(w, a, ch, m);
	gx_arena_free(a);
	return rc != EXIT_OK ? stop(w, rc) : one_done(w);
}

static gx_ec on_deleted(uint64_t id, bool gone, void *ctx)
{
	struct work *w = ctx;
	bool known = syncdir_find(&w->d, id) != NULL;
	char name[32];
	(void)gone;
	syncdir_name(id, name);
	int rc = keep_edits(w, id, "restored", "the message was deleted at the server");
	if (rc != EXIT_OK)
		return stop(w, rc);
	if (unlinkat(w->d.dir, name, 0) != 0 && errno != ENOENT) {
		complain("%s/%s: %s", w->d.path, name, strerror(errno));
		return stop(w, EXIT_FAILED);
	}
	if (known)
		rc = syncdir_forget(&w->d, id);
	w->deleted += known;
	return rc != EXIT_OK ? stop(w, rc) : one_done(w);
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
		{.name = "deleted", .number = w->deleted}, {.name = "read", .number = w->read}, {.name = "sent", .number = w->sent}, {.name = "edited", .number = w->edited},
		{.name = "conflicts", .number = w->conflicts}, {.name = "removed", .number = w->removed}, {.name = "failed", .number = w->failed}, {.name = "messages", .number = w->d.n}, {0}};
	progress_clear();
	if (w->t->json)
		report_record(&r, f, 0);
	else
		printf("%u new, %u changed, %u deleted; %u sent, %u edited, %u removed there; %u conflicts; %zu messages\n", w->fetched, w->changed,
			w->deleted, w->sent, w->edited, w->removed, w->conflicts, w->d.n);
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
		rc = mapi_sync_up(&w);
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
