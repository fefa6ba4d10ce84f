/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as its callers see it: opening, submitting, taking, releasing. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crc32c.h"
#include "journal-int.h"

#define DEFAULT_SEGMENT (UINT64_C(16) << 20)
#define MIN_SEGMENT (UINT64_C(64) << 10)
#define DEFAULT_MAX (UINT64_C(4) << 30)
#define DEFAULT_INFLIGHT (UINT64_C(256) << 20)

static struct gx_journal *new_journal(const char *dir, const struct gx_log *log)
{
	struct gx_journal *j = calloc(1, sizeof(*j));
	if (j == NULL)
		return NULL;
	j->dir = strdup(dir);
	if (j->dir == NULL) {
		free(j);
		return NULL;
	}
	j->log = log;
	j->io = &gx_jio__system;
	j->writer_lock = j->reader_lock = j->control_fd = j->stop_pipe[0] = j->stop_pipe[1] = -1;
	j->queue_tail = &j->queue;
	j->ready_tail = &j->ready;
	j->next_seq = 1;
	j->next_num = 1;
	pthread_mutex_init(&j->mu, NULL);
	pthread_cond_init(&j->cond, NULL);
	pthread_cond_init(&j->told, NULL);
	return j;
}

static void free_segments(struct gx_jseg *s)
{
	while (s != NULL) {
		struct gx_jseg *next = s->next;
		gx_jseg__free(s, NULL);
		s = next;
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void stop_thread(struct gx_journal *j)
{
	if (!j->thread_runs)
		return;
	pthread_mutex_lock(&j->mu);
	j->stop = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mu);
	if (j->stop_pipe[1] >= 0 && write(j->stop_pipe[1], "x", 1) != 1)
		gx_log(j->log, GX_LOG_ERROR, "journal: cannot stop the reader: %s", strerror(errno));
	pthread_join(j->thread, NULL);
}

void gx_journal_close(struct gx_journal *j)
{
	if (j == NULL)
		return;
	stop_thread(j);
	while (j->ready != NULL) {
		struct gx_jrec *r = j->ready;
		j->ready = r->next;
		free(r);
	}
	free_segments(j->used);
	free_segments(j->spare);
	close_fd(j->control_fd);
	close_fd(j->stop_pipe[0]);
	close_fd(j->stop_pipe[1]);
	close_fd(j->reader_lock);
	close_fd(j->writer_lock);
	pthread_cond_destroy(&j->cond);
	pthread_cond_destroy(&j->told);
	pthread_mutex_destroy(&j->mu);
	free(j->held);
	free(j->dir);
	free(j);
}

static const char *why_not(struct gx_arena *a, const char *dir, int err)
{
	if (err == GX_E_BUSY)
		return gx_arena_printf(a, "journal %s is used by another process: stop that one, or give each its own directory", dir);
	if (err == GX_E_IO || err == GX_E_NOSPACE)
		return gx_arena_printf(a, "journal %s: %s: the directory must exist, belong to the service's user and have room", dir, strerror(errno));
	return gx_arena_printf(a, "journal %s: %s", dir, gx_strerror(err));
}

static int start_thread(struct gx_journal *j, void *(*fn)(void *))
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int ret = pthread_create(&j->thread, NULL, fn, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	j->thread_runs = ret == 0;
	return ret == 0 ? 0 : GX_E_NOMEM;
}

static int open_control(struct gx_journal *j)
{
	char *path = NULL;
	if (asprintf(&path, "%s/control", j->dir) < 0)
		return GX_E_NOMEM;
	j->control_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	return j->control_fd >= 0 ? 0 : GX_E_IO;
}

static int start_writer(struct gx_journal *j)
{
	struct gx_guid g;
	int ret = gx_guid_random(&g);
	if (ret == 0 && mkdir(j->dir, 0700) != 0 && errno != EEXIST)
		ret = GX_E_IO;
	if (ret == 0)
		ret = gx_journal__lock_file(j->dir, "writer.lock", &j->writer_lock);
	if (ret == 0)
		ret = open_control(j);
	if (ret == 0)
		ret = gx_journal__recover(j);
	if (ret != 0)
		return ret;
	memcpy(&j->uuid, g.d4, sizeof(j->uuid));
	j->uuid ^= g.d1;
	/* A reader that lives on must not see numbers again, even when all records are gone. */
	uint64_t durable = gx_journal__get_durable(j);
	if (durable >= j->next_seq)
		j->next_seq = durable + 1;
	gx_journal__set_durable(j, j->next_seq - 1);
	if (j->spare == NULL) {
		ret = gx_jseg__create(j->dir, j->next_num++, j->segment_bytes, false, j->io, &j->spare);
		if (ret != 0)
			return ret;
		j->spares = 1;
		j->seg_total += j->spare->size;
	}
	return start_thread(j, gx_journal__writer);
}

int gx_journal__open_io(const struct gx_journal_opts *o, const struct gx_jio *io, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || o->dir == NULL || ret_j == NULL)
		return GX_E_INVAL;
	struct gx_journal *j = new_journal(o->dir, o->log);
	if (j == NULL)
		return GX_E_NOMEM;
	j->io = io;
	j->segment_bytes = o->segment_bytes == 0 ? DEFAULT_SEGMENT : o->segment_bytes < MIN_SEGMENT ? MIN_SEGMENT : o->segment_bytes;
	j->max_bytes = o->max_bytes == 0 ? DEFAULT_MAX : o->max_bytes;
	j->max_inflight = o->max_inflight == 0 ? DEFAULT_INFLIGHT : o->max_inflight;
	j->external = o->external;
	int ret = start_writer(j);
	if (ret != 0) {
		if (ret_why != NULL && a != NULL)
			*ret_why = why_not(a, o->dir, ret);
		gx_journal_close(j);
		return ret;
	}
	if (j->unfinished > 0)
		gx_log(j->log, GX_LOG_NOTICE, "journal: %s holds unfinished messages, they are delivered now", j->dir);
	*ret_j = j;
	return 0;
}

int gx_journal_open(const struct gx_journal_opts *o, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why)
{
	return gx_journal__open_io(o, &gx_jio__system, ret_j, a, ret_why);
}

int gx_journal__follow(const char *dir, const struct gx_log *log, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why)
{
	struct gx_journal *j = new_journal(dir, log);
	if (j == NULL)
		return GX_E_NOMEM;
	j->follow = true;
	int ret = mkdir(dir, 0700) != 0 && errno != EEXIST ? GX_E_IO : open_control(j);
	if (ret == 0 && pipe2(j->stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		ret = GX_E_IO;
	if (ret != 0) {
		if (ret_why != NULL && a != NULL)
			*ret_why = why_not(a, dir, ret);
		gx_journal_close(j);
		return ret;
	}
	*ret_j = j;
	return 0;
}

static void free_sub(struct gx_jsub *b)
{
	free(b->rec);
	free(b->head);
	free(b);
}

static struct gx_jsub *make_sub(const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx)
{
	struct gx_push p;
	struct gx_jsub *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->rec = calloc(1, sizeof(*b->rec));
	gx_push_init(&p, UINT32_MAX);
	if (gx_push_reserve(&p, GX_JREC_HEADER) != NULL)
		gx_push_added(&p, GX_JREC_HEADER);
	gx_jrec__put_env(&p, env);
	b->head = p.data;
	if (p.err != 0 || b->rec == NULL) {
		free_sub(b);
		return NULL;
	}
	b->data = data;
	b->cb = cb;
	b->ctx = ctx;
	b->rec->env_len = (uint32_t)(p.len - GX_JREC_HEADER);
	b->rec->data_len = data.len;
	uint32_t crc = gx_crc32c__update(0, b->head + GX_JREC_HEADER, b->rec->env_len);
	b->rec->body_crc = gx_crc32c__update(crc, data.data, data.len);
	return b;
}

static int submit(struct gx_journal *j, const uint8_t *id, bool moved, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx)
{
	if (j->follow)
		return GX_E_STATE;
	struct gx_jsub *b = make_sub(env, data, cb, ctx);
	if (b == NULL)
		return GX_E_NOMEM;
	b->has_id = id != NULL;
	if (id != NULL)
		memcpy(b->rec->id, id, sizeof(b->rec->id));
	uint64_t charge = gx_jrec__charge(b->rec->env_len, b->rec->data_len);
	int ret = 0;
	pthread_mutex_lock(&j->mu);
	if (j->stop)
		ret = GX_E_STATE;
	else if (!moved && (charge > j->max_bytes || j->unfinished > j->max_bytes - charge))
		ret = GX_E_NOSPACE;
	if (j->external && j->unfinished > j->max_bytes / 2)
		j->want_reap = true;
	if (ret == 0) {
		j->unfinished += charge;
		*j->queue_tail = b;
		j->queue_tail = &b->next;
	}
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mu);
	if (ret != 0)
		free_sub(b);
	return ret;
}

int gx_journal_submit(struct gx_journal *j, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx)
{
	if (j == NULL || env == NULL || cb == NULL || env->rcpt_count > GX_JOURNAL_MAX_RCPTS)
		return GX_E_INVAL;
	return submit(j, env->id, false, env, data, cb, ctx);
}

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	int err;
};

static void wake(int err, void *ctx)
{
	struct waiting *w = ctx;
	pthread_mutex_lock(&w->lock);
	w->err = err;
	w->done = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

int gx_journal_submit_wait(struct gx_journal *j, const struct gx_envelope *env, struct gx_bin data)
{
	struct waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	int err = gx_journal_submit(j, env, data, wake, &w);
	if (err != 0)
		return err;
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.cond, &w.lock);
	pthread_mutex_unlock(&w.lock);
	return w.err;
}

int gx_journal__resubmit(struct gx_journal *j, const uint8_t id[16], const struct gx_envelope *env, struct gx_bin data,
	gx_journal_cb cb, void *ctx)
{
	return submit(j, id, true, env, data, cb, ctx);
}

bool gx_journal__pins(struct gx_journal *j, const struct gx_jrec *r)
{
	enum { SEGMENTS_BEFORE = 4 };
	unsigned n = 0;
	pthread_mutex_lock(&j->mu);
	for (const struct gx_jseg *s = j->used; s != NULL; s = s->next)
		n += !s->dedicated;
	bool yes = !j->follow && !r->seg->dedicated && r->seg != j->cur && n >= SEGMENTS_BEFORE;
	pthread_mutex_unlock(&j->mu);
	return yes;
}

int gx_journal__attach(struct gx_journal *j, void (*ready)(void *ctx), void *ctx)
{
	int ret = gx_journal__lock_file(j->dir, "reader.lock", &j->reader_lock);
	if (ret != 0)
		return ret;
	pthread_mutex_lock(&j->mu);
	j->ready_cb = ready;
	j->ready_ctx = ctx;
	pthread_mutex_unlock(&j->mu);
	if (j->follow && !j->thread_runs)
		ret = start_thread(j, gx_journal__follower);
	return ret;
}

void gx_journal__detach(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	j->ready_cb = NULL;
	while (j->telling)
		pthread_cond_wait(&j->told, &j->mu);
	pthread_mutex_unlock(&j->mu);
	close_fd(j->reader_lock);
	j->reader_lock = -1;
}

struct gx_jrec *gx_journal__next(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	struct gx_jrec *r = j->ready;
	if (r != NULL) {
		j->ready = r->next;
		if (j->ready == NULL)
			j->ready_tail = &j->ready;
		r->next = NULL;
	}
	pthread_mutex_unlock(&j->mu);
	return r;
}

int gx_journal__load_env(const struct gx_jrec *r, struct gx_arena *a, struct gx_envelope *ret_env)
{
	uint8_t *p = gx_arena_alloc(a, r->env_len);
	if (p == NULL)
		return GX_E_NOMEM;
	int ret = gx_jseg__read(r->seg, p, r->env_len, r->off + GX_JREC_HEADER);
	return ret != 0 ? ret : gx_jrec__get_env(a, (struct gx_bin){p, r->env_len}, ret_env);
}

int gx_journal__load_data(const struct gx_jrec *r, struct gx_arena *a, struct gx_bin *ret_data)
{
	if (r->data_len > SIZE_MAX - r->env_len)
		return GX_E_LIMIT;
	size_t n = r->env_len + (size_t)r->data_len;
	uint8_t *p = gx_arena_alloc(a, n);
	if (p == NULL)
		return GX_E_NOMEM;
	int ret = gx_jseg__read(r->seg, p, n, r->off + GX_JREC_HEADER);
	if (ret != 0)
		return ret;
	if (gx_crc32c__update(0, p, n) != r->body_crc)
		return GX_E_FORMAT;
	*ret_data = (struct gx_bin){p + r->env_len, (size_t)r->data_len};
	return 0;
}

void gx_journal__release(struct gx_journal *j, struct gx_jrec *r)
{
	struct gx_jseg *s = r->seg;
	gx_jseg__mark_done(s, r->index);
	pthread_mutex_lock(&j->mu);
	uint64_t charge = gx_jrec__charge(r->env_len, r->data_len);
	j->unfinished -= charge < j->unfinished ? charge : j->unfinished;
	s->released++;
	if (s != j->cur && s->released == s->count && !j->follow) {
		struct gx_jseg **p = &j->used;
		while (*p != s)
			p = &(*p)->next;
		*p = s->next;
		gx_journal__retire(j, s);
		pthread_cond_signal(&j->cond);
	}
	pthread_mutex_unlock(&j->mu);
	free(r);
}

bool gx_journal__pressed(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	bool yes = j->spare == NULL && j->cur != NULL && j->cur->write_off > j->cur->size / 2;
	pthread_mutex_unlock(&j->mu);
	return yes;
}

const char *gx_journal__dir(const struct gx_journal *j)
{
	return j->dir;
}

uint64_t gx_journal__flushes(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	uint64_t n = j->flushes;
	pthread_mutex_unlock(&j->mu);
	return n;
}

bool gx_journal__reserve(struct gx_journal *j, uint64_t n)
{
	uint64_t had = atomic_fetch_add(&j->inflight, n);
	if (had + n <= j->max_inflight)
		return true;
	atomic_fetch_sub(&j->inflight, n);
	return false;
}

void gx_journal__unreserve(struct gx_journal *j, uint64_t n)
{
	atomic_fetch_sub(&j->inflight, n);
}
