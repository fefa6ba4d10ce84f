/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/store-int.h"

/*
 * Durability. SQLite runs with synchronous=NORMAL: a commit is written to the log but not flushed.
 * Whoever needs it durable waits for a flush that began after his commit; one flush serves all
 * who wait.
 *
 * When a flush fails the kernel may have dropped the pages from its list of dirty ones and the
 * next flush would succeed without having written them. Then only a complete checkpoint helps:
 * it writes every page again, into the database, and flushes that.
 */

#define CHECKPOINT_INLINE 4096U /* frames: 16 MiB */
#define SWEEP_AGE_MS 60000      /* longer than any reader keeps its snapshot */

int gx_flush__init(struct gx_flush *f)
{
	f->fd = -1;
	if (pthread_mutex_init(&f->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (pthread_cond_init(&f->cond, NULL) != 0) {
		pthread_mutex_destroy(&f->lock);
		return GX_E_NOMEM;
	}
	return 0;
}

void gx_flush__release(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	if (f->fd >= 0)
		s->fs->close(s->fs, f->fd);
	pthread_cond_destroy(&f->cond);
	pthread_mutex_destroy(&f->lock);
}

uint64_t gx_flush__committed(struct gx_store *s, uint64_t numbers, bool *ret_due)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	uint64_t seq = ++f->committed;
	f->unflushed += numbers;
	*ret_due = f->unflushed > GX_UNFLUSHED_MAX;
	pthread_mutex_unlock(&f->lock);
	return seq;
}

static int sync_dir(const struct gx_store *s)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR, s->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	return gx_fs__sync_dir(s->fs, path);
}

/* The log lives as long as the store is open; its directory entry is flushed once. */
static int open_log(struct gx_store *s)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s-wal", s->file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return GX_E_LIMIT;
	int fd = s->fs->open(s->fs, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return GX_E_IO;
	if (sync_dir(s) != 0) {
		s->fs->close(s->fs, fd);
		return GX_E_IO;
	}
	s->flush.fd = fd;
	return 0;
}

static int checkpoint(struct gx_store *s, int mode)
{
	struct gx_conn *c;
	char why[512];
	int err = gx_conn__take_reader(s, 1000, &c, why, sizeof(why));
	if (err != 0)
		return err;
	int frames = 0, moved = 0;
	err = gx_sql__rc(c->q, sqlite3_wal_checkpoint_v2(c->q->db, "main", mode, &frames, &moved));
	if (err == 0 && frames == moved)
		atomic_store(&s->flush.frames, 0);
	if (err != 0 && mode != SQLITE_CHECKPOINT_PASSIVE)
		gx_log(s->log, GX_LOG_ERROR, "checkpoint: %s", c->q->why);
	gx_conn__give_reader(s, c);
	if (err == 0 && mode != SQLITE_CHECKPOINT_PASSIVE && frames != moved)
		err = GX_E_BUSY;
	return err;
}

static int flush_now(struct gx_store *s, bool suspect)
{
	if (suspect)
		return checkpoint(s, SQLITE_CHECKPOINT_FULL);
	int err = s->flush.fd >= 0 ? 0 : open_log(s);
	if (err != 0)
		return err;
	return s->fs->fdatasync(s->fs, s->flush.fd) == 0 ? 0 : gx_fs__err(errno);
}

int gx_flush__to(struct gx_store *s, uint64_t seq)
{
	struct gx_flush *f = &s->flush;
	int err = 0;
	pthread_mutex_lock(&f->lock);
	while (f->flushed < seq && err == 0) {
		if (f->running) {
			pthread_cond_wait(&f->cond, &f->lock);
			continue;
		}
		f->running = true;
		uint64_t target = f->committed, used = f->unflushed;
		bool suspect = f->suspect;
		pthread_mutex_unlock(&f->lock);
		err = flush_now(s, suspect);
		int sys = errno;
		pthread_mutex_lock(&f->lock);
		f->running = false;
		if (err == 0) {
			f->flushed = target;
			f->unflushed -= used;
			f->suspect = false;
		} else {
			f->suspect = true;
			gx_log(s->log, GX_LOG_ERROR, "%s-wal: flush failed: %s", s->file, err == GX_E_IO ? strerror(sys) : gx_strerror(err));
			errno = sys;
		}
		pthread_cond_broadcast(&f->cond);
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

int gx_flush__healthy(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	bool suspect = f->suspect;
	uint64_t seq = f->committed;
	if (suspect && f->flushed == seq)
		f->suspect = suspect = false;
	pthread_mutex_unlock(&f->lock);
	return suspect ? gx_flush__to(s, seq) : 0;
}

void gx_flush__checkpoint(struct gx_store *s, unsigned frames)
{
	struct gx_flush *f = &s->flush;
	if (atomic_load(&f->frames) < frames)
		return;
	pthread_mutex_lock(&f->lock);
	bool mine = !f->checkpointing;
	f->checkpointing = true;
	pthread_mutex_unlock(&f->lock);
	if (!mine)
		return;
	if (checkpoint(s, SQLITE_CHECKPOINT_PASSIVE) != 0)
		gx_log(s->log, GX_LOG_DEBUG, "%s: checkpoint put off", s->file);
	pthread_mutex_lock(&f->lock);
	f->checkpointing = false;
	pthread_mutex_unlock(&f->lock);
}

int gx_store_sync(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	uint64_t seq = f->committed;
	bool due = f->flushed < seq;
	pthread_mutex_unlock(&f->lock);
	int err = due ? gx_flush__to(s, seq) : 0;
	if (err == 0) {
		gx_flush__checkpoint(s, CHECKPOINT_INLINE / 4);
		gx_store__sweep(s, SWEEP_AGE_MS);
	}
	return err;
}
