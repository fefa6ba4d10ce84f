/* SPDX-License-Identifier: Apache-2.0 */
/* A message on its way in: in memory while small, in a nameless file when large. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "smtp-int.h"

enum { FIRST_CAP = 4096, ARENA_LIMIT = 4 << 20 };

struct gx_smtp_txn *gx_smtp_txn__new(const struct gx_smtp_backend *be, const struct gx_smtp_server *srv)
{
	struct gx_smtp_txn *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->a = gx_arena_new(ARENA_LIMIT);
	if (t->a == NULL) {
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->mu, NULL);
	t->refs = 1;
	t->be = be;
	t->srv = srv;
	t->limit = srv->max_message > 0 ? srv->max_message : UINT64_MAX / 2;
	t->fd = -1;
	return t;
}

static void release_bytes(struct gx_smtp_txn *t)
{
	if (t->map != NULL)
		munmap(t->map, t->map_len);
	if (t->fd >= 0)
		close(t->fd);
	if (t->cap > 0)
		t->be->unreserve(t->srv, t->cap);
	free(t->buf);
	t->map = NULL;
	t->fd = -1;
	t->buf = NULL;
	t->len = t->cap = 0;
}

static void unref(struct gx_smtp_txn *t)
{
	pthread_mutex_lock(&t->mu);
	bool last = --t->refs == 0;
	pthread_mutex_unlock(&t->mu);
	if (!last)
		return;
	release_bytes(t);
	gx_arena_free(t->a);
	pthread_mutex_destroy(&t->mu);
	free(t);
}

void gx_smtp_txn__drop(struct gx_smtp_txn *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->mu);
	t->io = NULL;
	pthread_mutex_unlock(&t->mu);
	unref(t);
}

int gx_smtp_txn__add_rcpt(struct gx_smtp_txn *t, const char *address)
{
	const char **v = gx_arena_grow(t->a, t->rcpts, &t->rcpt_cap, t->env.rcpt_count + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	t->rcpts = v;
	t->env.rcpts = v;
	v[t->env.rcpt_count++] = address;
	return 0;
}

bool gx_smtp_txn__blocks(const struct gx_smtp_txn *t, uint64_t n)
{
	return t->err == 0 && t->got + n > GX_SMTP_SPOOL_ABOVE;
}

static void fail(struct gx_smtp_txn *t, int err)
{
	t->err = err;
	release_bytes(t);
}

static bool write_file(struct gx_smtp_txn *t, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(t->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			fail(t, w < 0 && (errno == ENOSPC || errno == EDQUOT) ? GX_E_NOSPACE : GX_E_IO);
			return false;
		}
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static bool grow(struct gx_smtp_txn *t, size_t want)
{
	size_t cap = t->cap == 0 ? FIRST_CAP : t->cap;
	while (cap < want)
		cap *= 2;
	if (cap == t->cap)
		return true;
	if (!t->be->reserve(t->srv, cap - t->cap)) {
		fail(t, GX_E_NOSPACE);
		return false;
	}
	uint8_t *p = realloc(t->buf, cap);
	if (p == NULL) {
		t->be->unreserve(t->srv, cap - t->cap);
		fail(t, GX_E_NOMEM);
		return false;
	}
	t->buf = p;
	t->cap = cap;
	return true;
}

static bool to_file(struct gx_smtp_txn *t)
{
	t->fd = t->be->spool(t->srv);
	if (t->fd < 0) {
		fail(t, errno == ENOSPC || errno == EDQUOT ? GX_E_NOSPACE : GX_E_IO);
		return false;
	}
	if (!write_file(t, t->buf, t->len))
		return false;
	t->be->unreserve(t->srv, t->cap);
	free(t->buf);
	t->buf = NULL;
	t->len = t->cap = 0;
	return true;
}

void gx_smtp_txn__append(struct gx_smtp_txn *t, const void *p, size_t n)
{
	if (t->err != 0 || n == 0)
		return;
	if (n > t->limit - t->got) {
		fail(t, GX_E_LIMIT);
		return;
	}
	if (t->fd < 0 && t->got + n > GX_SMTP_SPOOL_ABOVE && !to_file(t))
		return;
	if (t->fd >= 0) {
		if (!write_file(t, p, n))
			return;
	} else {
		if (!grow(t, t->len + n))
			return;
		memcpy(t->buf + t->len, p, n);
		t->len += n;
	}
	t->got += n;
}

static void on_journal(int err, void *ctx)
{
	struct gx_smtp_txn *t = ctx;
	pthread_mutex_lock(&t->mu);
	t->done = true;
	t->result = err;
	if (t->io != NULL)
		gx_io_wake(t->io);
	pthread_mutex_unlock(&t->mu);
	unref(t);
}

int gx_smtp_txn__submit(struct gx_smtp_txn *t, struct gx_io *io)
{
	struct gx_bin data = {t->buf, t->len};
	if (t->fd >= 0) {
		t->map_len = (size_t)t->got;
		t->map = mmap(NULL, t->map_len, PROT_READ, MAP_SHARED, t->fd, 0);
		if (t->map == MAP_FAILED) {
			t->map = NULL;
			return GX_E_NOMEM;
		}
		data = (struct gx_bin){t->map, t->map_len};
	}
	t->io = io;
	t->refs = 2;
	int ret = t->be->submit(t->srv, &t->env, data, on_journal, t);
	if (ret != 0)
		t->refs = 1;
	return ret;
}

bool gx_smtp_txn__answered(struct gx_smtp_txn *t, int *ret_result)
{
	pthread_mutex_lock(&t->mu);
	bool done = t->done;
	*ret_result = t->result;
	pthread_mutex_unlock(&t->mu);
	return done;
}
