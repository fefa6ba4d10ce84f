/* SPDX-License-Identifier: Apache-2.0 */
/* Where the new store is made, and how it gets to where it belongs. */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/gromox/conv-int.h"

enum { NOTHING, EMPTY, TAKEN, STORE };

static int is_there(struct gx_conv *c, const char *dir, const char *file)
{
	struct stat st;
	const char *p = gx_arena_printf(c->run, "%s/%s", dir, file);
	return p != NULL && stat(p, &st) == 0;
}

static int look(struct gx_conv *c, const char *dir, int *ret_kind)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	if (d == NULL && errno == ENOENT) {
		*ret_kind = NOTHING;
		return 0;
	}
	if (d == NULL)
		return gx_conv__fail(c, errno == ENOTDIR ? GX_E_EXISTS : GX_E_IO, "%s: %s", dir, strerror(errno));
	*ret_kind = EMPTY;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*ret_kind = TAKEN;
	closedir(d);
	if (is_there(c, dir, GX_DB_SUBDIR "/" GX_DB_NAME))
		*ret_kind = STORE;
	return 0;
}

static bool same_dir(const char *x, const char *y)
{
	struct stat a, b;
	return stat(x, &a) == 0 && stat(y, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A store that this conversion has put there, but not tidied up. */
static int made_by_us(struct gx_conv *c, bool *ret_ours)
{
	int err = gx_conv__open_store(c, c->dest);
	*ret_ours = false;
	if (err != 0)
		return err;
	err = gx_conv__begin(c);
	if (err == 0)
		err = gx_conv__load(c, ret_ours);
	if (err == 0 && *ret_ours)
		*ret_ours = c->st.stage == GX_CONV_STAGE_DONE && gx_guid_cmp(&c->st.source, &c->g->info.mailbox) == 0;
	c->st = (struct gx_conv_state){.stage = 0};
	gx_txn_abort(c->t);
	c->t = NULL;
	gx_store_close(c->s);
	c->s = NULL;
	return err;
}

int gx_conv__check_dest(struct gx_conv *c, bool *ret_finished)
{
	int kind, err = look(c, c->dest, &kind);
	if (err != 0)
		return err;
	if (same_dir(c->dest, c->g->dir)) /* in its own place: the mailbox is moved when the store is complete */
		return c->o->replace ? 0 : gx_conv__fail(c, GX_E_EXISTS,
			"%s: is the mailbox itself; choose another directory for the new store, or have the mailbox"
			" moved to %s.old", c->dest, c->dest);
	if (kind == STORE && access(c->work, F_OK) != 0 && !c->o->restart) {
		err = made_by_us(c, ret_finished);
		if (err != 0 || *ret_finished)
			return err;
	}
	if (kind == STORE && !c->o->replace)
		return gx_conv__fail(c, GX_E_EXISTS, "%s: there is a store already", c->dest);
	if (kind == TAKEN && !c->o->replace)
		return gx_conv__fail(c, GX_E_EXISTS, "%s: is not empty", c->dest);
	return 0;
}

/* ---- The working copy ---- */

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	(void)sb;
	(void)type;
	(void)f;
	return remove(path);
}

static int remove_work(struct gx_conv *c)
{
	if (nftw(c->work, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return 0;
	return gx_conv__fail(c, GX_E_IO, "%s: cannot be removed: %s", c->work, strerror(errno));
}

int gx_conv__open_store(struct gx_conv *c, const char *dir)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	const char *why = "";
	o.log = c->o->log;
	o.cache_kib = 32768;
	o.owner_program = "gromox-storeconv";
	int err = gx_store_open(dir, &o, &c->s, c->run, &why);
	return err == 0 ? 0 : gx_conv__fail(c, err, "%s", *why == '\0' ? gx_strerror(err) : why);
}

static int create_work(struct gx_conv *c)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "";
	o.public_store = c->g->info.is_public;
	o.owner_id = c->g->info.has_replica ? c->g->info.replica.d1 : c->o->owner_id;
	o.owner = c->o->owner;
	o.mode = c->o->mode;
	int err = gx_store_create(c->work, &o, c->run, &why);
	return err == 0 ? 0 : gx_conv__fail(c, err, "%s", *why == '\0' ? gx_strerror(err) : why);
}

int gx_conv__open_work(struct gx_conv *c)
{
	int kind, err = c->o->restart ? remove_work(c) : 0;
	if (err == 0)
		err = look(c, c->work, &kind);
	if (err == 0 && kind != STORE)
		err = create_work(c);
	return err != 0 ? err : gx_conv__open_store(c, c->work);
}

/* ---- Into place ---- */

static int sync_parent(struct gx_conv *c)
{
	char *p = gx_arena_strdup(c->run, c->dest), *slash = p == NULL ? NULL : strrchr(p, '/');
	if (p == NULL)
		return GX_E_NOMEM;
	if (slash != NULL)
		slash[slash == p] = '\0';
	int fd = open(slash == NULL ? "." : p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);
	if (r != 0)
		gx_conv__fail(c, GX_E_IO, "%s: %s", slash == NULL ? "." : p, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : GX_E_IO;
}

/* Nobody may have the old store open while it moves. */
static int move_old(struct gx_conv *c)
{
	const char *old = gx_arena_printf(c->run, "%s.old", c->dest);
	const char *lock = gx_arena_printf(c->run, "%s/" GX_LOCK_NAME, c->dest);
	char holder[128];
	if (old == NULL || lock == NULL)
		return GX_E_NOMEM;
	if (access(old, F_OK) == 0)
		return gx_conv__fail(c, GX_E_EXISTS, "%s: is there already; what is at %s would be moved there."
			" Remove or rename it", old, c->dest);
	int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		gx_store__read_holder(fd, holder, sizeof(holder));
		close(fd);
		return gx_conv__fail(c, GX_E_BUSY,
			"%s: the store is open in another process (%s); stop it and run this again", lock, holder);
	}
	int r = rename(c->dest, old);
	int e = errno;
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : gx_conv__fail(c, GX_E_IO, "%s: cannot be moved to %s: %s", c->dest, old, strerror(e));
}

int gx_conv__place(struct gx_conv *c)
{
	int kind, err = look(c, c->dest, &kind);
	if (err == 0 && (kind == STORE || kind == TAKEN))
		err = c->o->replace ? move_old(c) : gx_conv__fail(c, GX_E_EXISTS,
			"%s: has been made by somebody else meanwhile", c->dest);
	if (err == 0 && rename(c->work, c->dest) != 0) /* an empty directory gives way */
		err = gx_conv__fail(c, errno == ENOSPC ? GX_E_NOSPACE : GX_E_IO, "%s: cannot be moved to %s: %s", c->work,
			c->dest, strerror(errno));
	return err != 0 ? err : sync_parent(c);
}
