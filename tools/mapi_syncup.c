/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync, upwards: files that are gone, were edited, are new. What is going to be sent is written down first, with the ids that it gets, and
 * is sent under the same ids by the next run if this one ends before it knows the outcome: the server knows then whether it has it.
 * [MS-OXCFXICS] 3.3.4.3.3.2
 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/entryid.h>
#include <gx/time.h>
#include "tools/mapi_sync.h"
#include "tools/progress.h"

static int set_aside(struct work *w, uint64_t mid, const char *what, char to[64])
{
	struct syncdir *d = &w->d;
	char from[32];
	syncdir_name(mid, from);
	if (syncdir_set_aside(d, mid, what, to) != 0 || syncdir_forget(d, mid) != EXIT_OK)
		return EXIT_FAILED;
	if (unlinkat(d->dir, from, 0) == 0)
		return EXIT_OK;
	complain("%s/%s: %s", d->path, from, strerror(errno));
	return EXIT_FAILED;
}

int mapi_sync_keep(struct work *w, uint64_t mid, const char *what, const char *why)
{
	const struct entry *e = syncdir_find(&w->d, mid);
	char name[32], to[64];
	syncdir_name(mid, name);
	const char *new_file = e == NULL ? NULL : e->name; /* an earlier run has sent it and not renamed it: nothing is in its way */
	int rc = new_file != NULL ? syncdir_forget(&w->d, mid) : set_aside(w, mid, what, to);
	if (rc != EXIT_OK)
		return rc;
	progress_clear();
	complain("%s/%s: %s; what was edited here is now %s", w->d.path, name, why, new_file != NULL ? new_file : to);
	++w->conflicts;
	return EXIT_OK;
}

/* ---- Versions ---- */

static bool unhex_key(struct gx_arena *a, const struct entry *e, struct gx_bin *ret_key)
{
	uint8_t *b = gx_arena_alloc(a, 22);
	for (size_t i = 0; b != NULL && i < 22; ++i) {
		char pair[3] = {e->key[2 * i], e->key[2 * i + 1], 0};
		b[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	*ret_key = (struct gx_bin){b, 22};
	return b != NULL;
}

/* The version that the change makes comes to those that the file knows. */
static int count_in(struct syncdir *d, struct entry *e)
{
	struct gx_bin key;
	int err = gx_entryid_gid(d->a, &d->client, e->change, &key);
	return err == 0 ? gx_pcl_add_key(d->a, e->pcl, key, &e->pcl) : err;
}

/* What the file is now shall be sent; the same bytes as the last time are the same version. */
static int plan(struct work *w, struct entry *e, const uint8_t hash[HASH])
{
	int err = 0;
	if (e->change == 0 || memcmp(e->sent, hash, HASH) != 0) {
		/* the server may have what was sent before: the new version follows it */
		err = e->change != 0 ? count_in(&w->d, e) : 0;
		e->change = ++w->d.changes;
		memcpy(e->sent, hash, HASH);
	}
	e->edited = true;
	return err;
}

/* ---- Files that are gone ---- */

static gx_ec send_deletions(struct work *w)
{
	struct syncdir *d = &w->d;
	struct gx_bin *keys = gx_arena_new_array(w->t->a, struct gx_bin, d->n + 1);
	bool *gone = gx_arena_new_array(w->t->a, bool, d->n + 1);
	size_t n = 0;
	if (keys == NULL || gone == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < d->n; ++i) {
		struct stat st;
		char buf[32];
		gone[i] = fstatat(d->dir, syncdir_file(&d->v[i], buf), &st, 0) != 0 && errno == ENOENT;
		if (gone[i] && !unhex_key(w->t->a, &d->v[i], &keys[n++]))
			return GX_EC(ecMAPIOOM);
	}
	gx_ec ec = n == 0 ? GX_EC(ecSuccess) : gx_mapi_import_deletes(w->collector, keys, n, false, false);
	for (size_t i = d->n; i > 0 && !gx_ec_failed(ec); --i)
		if (gone[i - 1]) {
			syncdir_remove(d, &d->v[i - 1]);
			++w->removed;
		}
	return ec;
}

/* ---- One file ---- */

static int not_sent(struct work *w, const char *name, const char *why)
{
	progress_clear();
	complain("%s/%s: %s; it was not sent and stays as it is", w->d.path, name, why);
	++w->failed;
	return EXIT_OK;
}

/* @p ret_obj NULL: it is no mail, and that was said. */
static int read_file(struct work *w, struct gx_arena *a, const char *name, uint8_t hash[HASH], struct gx_msgobj **ret_obj)
{
	const char *path = gx_arena_printf(a, "%s/%s", w->d.path, name), *why = NULL;
	struct gx_bin mail;
	int rc = path == NULL ? EXIT_FAILED : mapi_read_file(a, path, &mail);
	*ret_obj = NULL;
	if (rc != EXIT_OK)
		return rc;
	int err = syncdir_hash(mail, hash);
	if (err == 0)
		why = mapi_not_mail(mail);
	if (err == 0 && why == NULL)
		err = mapi_from_mail(a, mail, ret_obj);
	if (err == GX_E_NOMEM) {
		complain("%s: %s", path, gx_strerror(err));
		return EXIT_FAILED;
	}
	return why != NULL || err != 0 ? not_sent(w, name, why != NULL ? why : gx_strerror(err)) : EXIT_OK;
}

static gx_ec store(struct work *w, const struct gx_mapi_change *ch, const struct gx_msgobj *obj)
{
	struct gx_mapi_obj *m;
	gx_ec ec = gx_mapi_import_message(w->collector, ch, true, &m);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_write_message(m, obj);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save(m, false, NULL);
	gx_mapi_close(m);
	return ec;
}

/* The server has it. */
static int is_sent(struct work *w, struct entry *e)
{
	struct syncdir *d = &w->d;
	bool was_new = e->name != NULL;
	char kept[32];
	int err = count_in(d, e);
	syncdir_name(e->mid, kept);
	if (err == 0 && was_new && renameat(d->dir, e->name, d->dir, kept) != 0) {
		complain("%s/%s: %s", d->path, e->name, strerror(errno));
		return EXIT_FAILED;
	}
	memcpy(e->hash, e->sent, HASH);
	e->known = true;
	e->name = NULL;
	e->change = 0;
	syncdir_note(d, e);
	if (was_new)
		++w->sent;
	else
		++w->edited;
	return err == 0 ? EXIT_OK : EXIT_FAILED;
}

/* A new file whose message somebody has deleted before we knew that it was there: as if it had never been sent. */
static int is_deleted(struct work *w, struct entry *e)
{
	if (e->name == NULL)
		return mapi_sync_keep(w, e->mid, "restored", "the message was deleted at the server");
	return syncdir_forget(&w->d, e->mid);
}

static bool ends_all(gx_ec ec)
{
	return gx_ec_is(ec, ecNetworkError) || gx_ec_is(ec, ecTimeout) || gx_ec_is(ec, ecEndOfSession) || gx_ec_is(ec, ecServerBusy) ||
	       gx_ec_is(ec, ecLoginFailure) || gx_ec_is(ec, ecUserCanceled) || gx_ec_is(ec, ecMAPIOOM) || gx_ec_is(ec, ecCorruptData);
}

static int judge(struct work *w, struct entry *e, gx_ec ec)
{
	char buf[32];
	if (!gx_ec_failed(ec) || gx_ec_is(ec, ecIgnoreFailure)) /* it has this version, or one that follows it */
		return is_sent(w, e);
	if (gx_ec_is(ec, ecSyncConflict))
		return mapi_sync_keep(w, e->mid, "conflict", "the message was changed at the server, too");
	if (gx_ec_is(ec, ecSyncObjectDeleted))
		return is_deleted(w, e);
	if (ends_all(ec))
		return mapi_failed(w->t, ec, syncdir_file(e, buf));
	return not_sent(w, syncdir_file(e, buf), gx_mapi_error(w->t->c)->text);
}

/* Of a new file that an earlier run has sent the state cannot be set any more. */
static gx_ec store_new(struct work *w, const struct gx_mapi_change *ch, struct gx_arena *a, struct gx_msgobj *obj, bool is_read)
{
	if (gx_proplist_set_i32(&obj->props, a, PidTagMessageFlags, is_read) != 0)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = store(w, ch, obj);
	if (!gx_ec_is(ec, ecAccessDenied))
		return ec;
	gx_proplist_remove(&obj->props, PidTagMessageFlags);
	return store(w, ch, obj);
}

/* An older message's state is changed by other means; what mail does not say of it is not to be lost. */
static gx_ec store_edited(struct work *w, const struct gx_mapi_change *ch, struct gx_arena *a, struct gx_msgobj *obj, uint64_t mid)
{
	gx_ec ec = mapi_keep_rest(w->t, a, w->d.fid, mid, obj);
	/* not found: the server says what became of it */
	return gx_ec_failed(ec) && !gx_ec_is(ec, ecNotFound) ? ec : store(w, ch, obj);
}

static int send_entry(struct work *w, struct gx_arena *a, struct entry *e)
{
	struct gx_mapi_change ch = {.predecessors = e->pcl};
	struct gx_msgobj *obj;
	uint8_t hash[HASH];
	struct stat st;
	char buf[32];
	const char *name = syncdir_file(e, buf);
	int rc = read_file(w, a, name, hash, &obj);
	if (rc != EXIT_OK || obj == NULL)
		return rc;
	if (memcmp(hash, e->sent, HASH) != 0)
		return not_sent(w, name, "the file is just being changed");
	ch.modified = gx_nttime_from_unix(fstatat(w->d.dir, name, &st, 0) == 0 ? st.st_mtime : 0, 0);
	int err = gx_entryid_gid(a, &w->d.client, e->change, &ch.change_key);
	if (err == 0)
		err = gx_pcl_add_key(a, e->pcl, ch.change_key, &ch.predecessors);
	if (err != 0 || !unhex_key(a, e, &ch.source_key))
		return EXIT_FAILED;
	return judge(w, e, e->name != NULL ? store_new(w, &ch, a, obj, e->is_read) : store_edited(w, &ch, a, obj, e->mid));
}

static int send_planned(struct work *w)
{
	struct syncdir *d = &w->d;
	size_t planned = 0, n = 0;
	for (size_t i = 0; i < d->n; ++i)
		planned += d->v[i].edited;
	int rc = planned == 0 ? EXIT_OK : syncdir_save(d);
	/* an entry may go, and the last takes its place */
	for (size_t i = d->n; rc == EXIT_OK && i > 0; --i) {
		struct entry *e = &d->v[i - 1];
		if (!e->edited)
			continue;
		e->edited = false;
		struct gx_arena *a = gx_arena_new(0);
		progress_show("%s: sending %zu of %zu", d->path, ++n, planned);
		rc = a == NULL ? EXIT_FAILED : send_entry(w, a, e);
		gx_arena_free(a);
	}
	return rc;
}

/* ---- Files that were edited, or that an earlier run has not brought to an end ---- */

/* Its name is the message's already: the server has it. */
static bool has_arrived(struct syncdir *d, struct entry *e)
{
	struct stat st;
	char kept[32];
	syncdir_name(e->mid, kept);
	if (e->name == NULL || fstatat(d->dir, e->name, &st, 0) == 0 || fstatat(d->dir, kept, &st, 0) != 0)
		return false;
	e->name = NULL;
	e->known = true;
	memcpy(e->hash, e->sent, HASH);
	return count_in(d, e) == 0;
}

static int plan_entry(struct work *w, struct entry *e)
{
	struct gx_msgobj *obj;
	uint8_t hash[HASH];
	char buf[32];
	if (has_arrived(&w->d, e))
		e->change = 0;
	int look = syncdir_look(&w->d, e), rc = EXIT_OK;
	if (look < 0)
		return EXIT_FAILED;
	/* back to what it was: the server may have got what it was meanwhile */
	if (look == FILE_MISSING || (look == FILE_SAME && e->change == 0))
		return EXIT_OK;
	struct gx_arena *a = gx_arena_new(0);
	rc = a == NULL ? EXIT_FAILED : read_file(w, a, syncdir_file(e, buf), hash, &obj);
	if (rc == EXIT_OK && obj != NULL && plan(w, e, hash) != 0)
		rc = EXIT_FAILED;
	gx_arena_free(a);
	return rc;
}

static int plan_entries(struct work *w)
{
	int rc = EXIT_OK;
	for (size_t i = 0; rc == EXIT_OK && i < w->d.n; ++i)
		rc = plan_entry(w, &w->d.v[i]);
	return rc;
}

/* ---- New files ---- */

static bool is_planned(const struct syncdir *d, const char *name)
{
	for (size_t i = 0; i < d->n; ++i)
		if (d->v[i].name != NULL && strcmp(d->v[i].name, name) == 0)
			return true;
	return false;
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
		if (e->d_name[0] == '.' || len < 5 || strcmp(e->d_name + len - 4, ".eml") != 0 || syncdir_is_name(e->d_name) ||
		    is_planned(&w->d, e->d_name))
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

static int plan_new(struct work *w, const char *name, const struct gx_guid *replica, uint64_t counter)
{
	uint16_t number;
	uint8_t hash[HASH];
	struct gx_msgobj *obj;
	struct gx_bin key;
	(void)gx_mapi_replica(w->t->store, &number);
	struct gx_arena *a = gx_arena_new(0);
	int rc = a == NULL ? EXIT_FAILED : read_file(w, a, name, hash, &obj);
	if (rc == EXIT_OK && obj != NULL) {
		struct entry *e = gx_entryid_gid(a, replica, counter, &key) == 0 ? syncdir_add(&w->d, gx_eid_make(number, counter), key) : NULL;
		if (e != NULL) {
			e->name = name;
			e->is_read = w->t->read;
		}
		rc = e != NULL && plan(w, e, hash) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	gx_arena_free(a);
	return rc;
}

static int plan_new_files(struct work *w)
{
	struct gx_guid replica;
	uint64_t first = 0;
	const char **v;
	size_t n;
	int rc = new_files(w, &v, &n);
	if (rc != EXIT_OK || n == 0)
		return rc;
	gx_ec ec = gx_mapi_new_ids(w->t->store, (uint32_t)n, &replica, &first);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, NULL);
	for (size_t i = 0; i < n && rc == EXIT_OK; ++i)
		rc = plan_new(w, v[i], &replica, first + i);
	return rc;
}

/* ---- All of it ---- */

static int up(struct work *w)
{
	unsigned before = w->conflicts;
	int rc = plan_entries(w);
	if (rc == EXIT_OK) {
		gx_ec ec = send_deletions(w);
		rc = gx_ec_failed(ec) ? mapi_failed(w->t, ec, NULL) : EXIT_OK;
	}
	if (rc == EXIT_OK)
		rc = send_planned(w);
	/* what was set aside is among the new ones */
	if (rc == EXIT_OK)
		rc = plan_new_files(w);
	if (rc == EXIT_OK)
		rc = send_planned(w);
	if (w->removed + w->sent + w->edited + (w->conflicts - before) == 0)
		return rc;
	/* without this state the next download brings what we have, which does no harm */
	if (rc == EXIT_OK) {
		gx_ec ec = gx_mapi_collector_state(w->collector, w->t->a, &w->d.state);
		rc = gx_ec_failed(ec) ? mapi_failed(w->t, ec, NULL) : EXIT_OK;
	}
	int saved = syncdir_save(&w->d);
	return rc == EXIT_OK ? saved : rc;
}

int mapi_sync_up(struct work *w)
{
	gx_ec ec = gx_mapi_collector(w->folder, false, w->d.state, &w->collector);
	if (gx_ec_failed(ec))
		return mapi_failed(w->t, ec, NULL);
	int rc = up(w);
	gx_mapi_close(w->collector);
	return rc;
}
