/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a copy: what they were, what they are, and copies of them that nobody overwrites. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gnutls/crypto.h>
#include "tools/mapi_syncdir.h"

enum { NAMES_MAX = 1000 };
/* Times are no finer than this on some file systems: a file that was changed just now may change once more without showing it. */
static const int64_t fresh_ns = INT64_C(2000000000);

static int64_t ns(struct timespec t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int failed(const struct syncdir *d, const char *name)
{
	complain("%s/%s: %s", d->path, name, strerror(errno));
	return -1;
}

int syncdir_hash(struct gx_bin data, uint8_t hash[HASH])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data != NULL ? data.data : (const uint8_t *)"", data.len, hash) == 0 ? 0 : GX_E_INTERNAL;
}

/* @return 0, or -1: complained. */
static int hash_file(struct syncdir *d, const char *name, uint8_t hash[HASH])
{
	struct gx_arena *a = gx_arena_new(0);
	const char *path = a == NULL ? NULL : gx_arena_printf(a, "%s/%s", d->path, name);
	struct gx_bin data;
	int rc = path != NULL && mapi_read_file(a, path, &data) == EXIT_OK && syncdir_hash(data, hash) == 0 ? 0 : -1;
	gx_arena_free(a);
	return rc;
}

int syncdir_look(struct syncdir *d, struct entry *e)
{
	uint8_t now[HASH];
	struct stat st;
	char buf[32];
	const char *name = syncdir_file(e, buf);
	if (fstatat(d->dir, name, &st, 0) != 0)
		return errno == ENOENT ? FILE_MISSING : failed(d, name);
	/* the time of the last change of the inode is nobody's to set: the content is older than it */
	if (e->known && e->ctime != 0 && e->size == (uint64_t)st.st_size && e->mtime == ns(st.st_mtim) && e->ctime == ns(st.st_ctim))
		return FILE_SAME;
	if (hash_file(d, name, now) != 0)
		return -1;
	if (!e->known) { /* written by a version that did not keep it */
		memcpy(e->hash, now, HASH);
		e->known = e->name == NULL;
	}
	if (!e->known || memcmp(e->hash, now, HASH) != 0)
		return FILE_EDITED;
	syncdir_note(d, e);
	return FILE_SAME;
}

void syncdir_note(struct syncdir *d, struct entry *e)
{
	struct timespec now;
	struct stat st;
	char buf[32];
	e->size = 0;
	e->mtime = e->ctime = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	if (fstatat(d->dir, syncdir_file(e, buf), &st, 0) != 0 || ns(st.st_ctim) > ns(now) - fresh_ns)
		return;
	e->size = (uint64_t)st.st_size;
	e->mtime = ns(st.st_mtim);
	e->ctime = ns(st.st_ctim);
}

int syncdir_set_aside(struct syncdir *d, uint64_t mid, const char *what, char name[64])
{
	struct stat one, other;
	char from[32];
	syncdir_name(mid, from);
	for (unsigned i = 1; i <= NAMES_MAX; ++i) {
		if (i == 1)
			snprintf(name, 64, "0x%" PRIx64 "-%s.eml", mid, what);
		else
			snprintf(name, 64, "0x%" PRIx64 "-%s-%u.eml", mid, what, i);
		if (linkat(d->dir, from, d->dir, name, 0) == 0)
			return 0;
		if (errno != EEXIST)
			return failed(d, name);
		/* done by a run that did not come further */
		if (fstatat(d->dir, from, &one, 0) == 0 && fstatat(d->dir, name, &other, 0) == 0 && one.st_ino == other.st_ino)
			return 0;
	}
	complain("%s/%s: there are too many copies of this message; take some away", d->path, name);
	return -1;
}
