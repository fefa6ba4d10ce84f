/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/*
 * Durability. SQLite runs with synchronous=NORMAL: a commit is written to the log but not flushed.
 * Whoever needs it durable waits for a flush that began after his commit; one flush serves all
 * who wait.
 *
 * When a flush fails the kernel may have dropped the pages from its list of dirty ones, and the
 * next flush would succeed without having written them. So the log is written again, with the
 * bytes it has, by whoever holds the writer's slot, and flushed then. It must not be moved into the
 * database with a hole in it: after a power loss what is before the hole would be taken for newer
 * than what is in the database.
 *
 * The same failure while the database is flushed cannot be mended that way: SQLite does not say
 * which pages it moved. The log then keeps everything until the store is opened anew.
 */

#define CHECKPOINT_INLINE 4096U /* frames: 16 MiB */
#define SWEEP_AGE_MS 60000      /* longer than any reader keeps its snapshot */
#define REPAIR_MS 10000         /* wait for the writer's slot, to write the log again */

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
	if (f->veil != 0)
		f->veil = seq;
	f->unflushed += numbers;
	*ret_due = f->unflushed > GX_UNFLUSHED_MAX;
	pthread_mutex_unlock(&f->lock);
	return seq;
}

static void set_veil(struct gx_store *s, uint64_t seq)
{
	s->flush.veil = seq;
	gx_conn__veil(s, seq != 0);
}

void gx_flush__veil(struct gx_store *s)
{
	pthread_mutex_lock(&s->flush.lock);
	set_veil(s, UINT64_MAX);
	pthread_mutex_unlock(&s->flush.lock);
}

void gx_flush__unveil(struct gx_store *s)
{
	pthread_mutex_lock(&s->flush.lock);
	set_veil(s, 0);
	pthread_mutex_unlock(&s->flush.lock);
}

static int sync_dir(const struct gx_store *s)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR, s->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	return gx_fs__sync_dir(s->fs, path);
}

static bool log_path(const struct gx_store *s, char *path, size_t size)
{
	int n = snprintf(path, size, "%s-wal", s->file);
	return n > 0 && (size_t)n < size;
}

bool gx_flush__log_left(const struct gx_store *s)
{
	char path[4096];
	struct stat sb;
	return log_path(s, path, sizeof(path)) && stat(path, &sb) == 0 && sb.st_size > 0;
}

/* The log lives as long as the store is open; its directory entry is flushed once. */
static int open_log(struct gx_store *s)
{
	char path[4096];
	if (!log_path(s, path, sizeof(path)))
		return GX_E_LIMIT;
	int fd = s->fs->open(s->fs, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return gx_fs__err(errno);
	if (sync_dir(s) != 0) {
		int e = errno;
		s->fs->close(s->fs, fd);
		errno = e;
		return gx_fs__err(e);
	}
	s->flush.fd = fd;
	return 0;
}

static int rewrite(struct gx_store *s, uint8_t *buf, size_t size)
{
	int fd = s->flush.fd;
	for (off_t at = 0;;) {
		ssize_t n = s->fs->pread(s->fs, fd, buf, size, at);
		if (n < 0)
			return gx_fs__err(errno);
		if (n == 0)
			return 0;
		int err = gx_fs__pwrite_all(s->fs, fd, buf, (size_t)n, (uint64_t)at);
		if (err != 0)
			return err;
		at += n;
	}
}

/* Nobody may append meanwhile: the caller has the writer's slot. */
static int write_again(struct gx_store *s)
{
	const size_t size = 65536;
	uint8_t *buf = malloc(size);
	if (buf == NULL)
		return GX_E_NOMEM;
	int err = rewrite(s, buf, size), e = errno;
	free(buf);
	errno = e;
	return err;
}

uint64_t gx_flush__commits(struct gx_store *s)
{
	pthread_mutex_lock(&s->flush.lock);
	uint64_t seq = s->flush.committed;
	pthread_mutex_unlock(&s->flush.lock);
	return seq;
}

int gx_flush__write_again(struct gx_store *s)
{
	int err = s->flush.fd >= 0 ? 0 : open_log(s);
	return err != 0 ? err : write_again(s);
}

static int flush_log(struct gx_store *s, bool again)
{
	int err = s->flush.fd >= 0 ? 0 : open_log(s);
	if (err == 0 && again)
		err = write_again(s);
	if (err != 0)
		return err;
	return s->fs->fdatasync(s->fs, s->flush.fd) == 0 ? 0 : gx_fs__err(errno);
}

/* One flush of all that is committed. The lock is given up meanwhile. */
static int flush_once(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	uint64_t target = f->committed, used = f->unflushed;
	bool again = f->suspect;
	f->running = true;
	pthread_mutex_unlock(&f->lock);
	int err = flush_log(s, again), sys = errno;
	pthread_mutex_lock(&f->lock);
	f->running = false;
	if (err == 0) {
		f->flushed = target;
		f->unflushed -= used;
		if (f->veil != 0 && f->veil <= target)
			set_veil(s, 0);
	} else {
		gx_log(s->log, GX_LOG_ERROR, "%s-wal: flush failed%s: %s", s->file, again ? " again" : "",
			err == GX_E_IO ? strerror(sys) : gx_strerror(err));
		errno = sys;
	}
	f->suspect = err != 0;
	pthread_cond_broadcast(&f->cond);
	return err;
}

static int flush_to(struct gx_store *s, uint64_t seq, bool writer);

/* In the slot of the writer, since the log is to be written. */
static int flush_as_writer(struct gx_store *s, uint64_t seq)
{
	int err = gx_conn__take_writer(s, REPAIR_MS);
	if (err != 0)
		return GX_E_IO;
	err = flush_to(s, seq, true);
	int sys = errno;
	gx_conn__give_writer(s);
	errno = sys;
	return err;
}

static int flush_to(struct gx_store *s, uint64_t seq, bool writer)
{
	struct gx_flush *f = &s->flush;
	int err = 0;
	pthread_mutex_lock(&f->lock);
	while (f->flushed < seq && err == 0) {
		if (f->running) {
			pthread_cond_wait(&f->cond, &f->lock);
		} else if (f->suspect && !writer) {
			pthread_mutex_unlock(&f->lock);
			return flush_as_writer(s, seq);
		} else {
			bool second = f->suspect;
			err = flush_once(s);
			if (!second)
				err = 0; /* tried again, by the other way */
		}
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

int gx_flush__to(struct gx_store *s, uint64_t seq)
{
	return flush_to(s, seq, false);
}

int gx_flush__to_as_writer(struct gx_store *s, uint64_t seq)
{
	return flush_to(s, seq, true);
}

void gx_flush__early(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	bool can = f->fd >= 0 && !f->suspect && !f->running;
	pthread_mutex_unlock(&f->lock);
	if (can && s->fs->fdatasync(s->fs, f->fd) != 0) {
		pthread_mutex_lock(&f->lock);
		f->suspect = true;
		pthread_mutex_unlock(&f->lock);
	}
}

/* Up to where to flush so that all is safe. Not all that stands in the log was counted: after a failure there is always something. */
static uint64_t all(struct gx_flush *f)
{
	if (f->suspect && f->flushed == f->committed)
		f->committed++;
	return f->committed;
}

static bool due(const struct gx_flush *f)
{
	return f->suspect || f->unflushed > GX_UNFLUSHED_MAX;
}

bool gx_flush__is_healthy(struct gx_store *s)
{
	pthread_mutex_lock(&s->flush.lock);
	bool healthy = !due(&s->flush);
	pthread_mutex_unlock(&s->flush.lock);
	return healthy;
}

int gx_flush__healthy(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	uint64_t seq = due(f) ? all(f) : 0;
	pthread_mutex_unlock(&f->lock);
	return seq > 0 ? flush_to(s, seq, true) : 0;
}

/* ---- Moving the log into the database ---- */

int gx_flush__may_move(struct gx_store *s, struct gx_sql *q)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	bool keep = f->kept || f->suspect;
	pthread_mutex_unlock(&f->lock);
	return keep ? gx_sql__fail(q, GX_E_IO, "%s-wal: stays as it is after a failed flush until the store is opened again", s->file) : 0;
}

int gx_flush__move(struct gx_store *s, struct gx_sql *q, int mode)
{
	struct gx_flush *f = &s->flush;
	int frames = 0, moved = 0;
	int err = gx_flush__may_move(s, q);
	if (err != 0)
		return err;
	int rc = sqlite3_wal_checkpoint_v2(q->db, "main", mode, &frames, &moved);
	if (rc == SQLITE_IOERR_FSYNC) {
		pthread_mutex_lock(&f->lock);
		f->kept = f->suspect = true;
		pthread_mutex_unlock(&f->lock);
		gx_log(s->log, GX_LOG_ERROR, "%s: flush failed; the log keeps everything until the store is opened again", s->file);
	}
	err = gx_sql__rc(q, rc);
	if (err == 0 && frames == moved)
		atomic_store(&f->frames, 0);
	return err;
}

static int checkpoint(struct gx_store *s)
{
	struct gx_conn *c;
	char why[512];
	int err = gx_conn__take_reader(s, 1000, &c, why, sizeof(why));
	if (err != 0)
		return err;
	err = gx_flush__move(s, c->q, SQLITE_CHECKPOINT_PASSIVE);
	gx_conn__give_reader(s, c);
	return err;
}

void gx_flush__checkpoint(struct gx_store *s, unsigned frames)
{
	struct gx_flush *f = &s->flush;
	if (atomic_load(&f->frames) < frames)
		return;
	pthread_mutex_lock(&f->lock);
	bool mine = !f->checkpointing && !f->kept && !f->suspect;
	if (mine)
		f->checkpointing = true;
	pthread_mutex_unlock(&f->lock);
	if (!mine)
		return;
	if (checkpoint(s) != 0)
		gx_log(s->log, GX_LOG_DEBUG, "%s: checkpoint put off", s->file);
	pthread_mutex_lock(&f->lock);
	f->checkpointing = false;
	pthread_mutex_unlock(&f->lock);
}

bool gx_flush__kept(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	pthread_mutex_lock(&f->lock);
	bool kept = f->kept || f->suspect;
	pthread_mutex_unlock(&f->lock);
	return kept;
}

int gx_store_sync(struct gx_store *s)
{
	struct gx_flush *f = &s->flush;
	if (s->ops != NULL)
		return s->ops->sync(s);
	pthread_mutex_lock(&f->lock);
	uint64_t seq = all(f);
	bool due = f->flushed < seq;
	pthread_mutex_unlock(&f->lock);
	int err = due ? gx_flush__to(s, seq) : 0;
	if (err == 0) {
		gx_flush__checkpoint(s, CHECKPOINT_INLINE / 4);
		gx_store__sweep(s, SWEEP_AGE_MS);
	}
	return err;
}
