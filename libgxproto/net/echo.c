/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/net/echo.h"

enum { SLICE = 20000 };

struct echo {
	struct gx_io *io;
	bool greeted, waker_runs, waiting, patient;
	pthread_t waker, creator; /* a loop */
	unsigned long again, big;
	atomic_bool inside;
};

static atomic_int living;

int echo_living(void)
{
	return atomic_load(&living);
}

void *echo_new(struct gx_io *io, void *ctx)
{
	struct echo *e = calloc(1, sizeof(*e));
	assert(e != NULL);
	e->io = io;
	e->creator = pthread_self();
	atomic_fetch_add(&living, 1);
	return e;
}

static void *waker(void *ctx)
{
	struct echo *e = ctx;
	usleep(20000);
	gx_io_wake(e->io);
	return NULL;
}

static enum gx_want begin_wait(struct echo *e)
{
	int ret = pthread_create(&e->waker, NULL, waker, e);
	assert(ret == 0);
	e->waker_runs = e->waiting = true;
	return GX_WANT_WAIT;
}

static enum gx_want command(struct echo *e, char *line)
{
	struct gx_io *io = e->io;
	if (strcmp(line, "work") == 0)
		return GX_WANT_WORKER;
	if (sscanf(line, "again %lu", &e->again) == 1 || sscanf(line, "big %lu", &e->big) == 1)
		return GX_WANT_WORKER;
	if (strcmp(line, "wait") == 0)
		return begin_wait(e);
	if (strncmp(line, "deadline ", 9) == 0)
		io->deadline_ms = gx_clock_mono_ms(io->clock) + strtol(line + 9, NULL, 10);
	else if (strcmp(line, "patient") == 0)
		e->patient = true;
	else if (strcmp(line, "peer") == 0)
		gx_push_printf(&io->out, "%s %s %d %s\n", io->peer, io->local, io->peer_is_loopback, (io->events & GX_IO_TLS) != 0 ? "tls" : "plain");
	else if (strcmp(line, "starttls") == 0) {
		gx_push_str(&io->out, "go ahead\n");
		return GX_WANT_STARTTLS;
	} else if (strcmp(line, "quit") == 0) {
		gx_push_str(&io->out, "bye\n");
		return GX_WANT_CLOSE;
	} else
		gx_push_printf(&io->out, "%s\n", line);
	return GX_WANT_INPUT;
}

static bool events(struct echo *e, enum gx_want *ret_want)
{
	struct gx_io *io = e->io;
	*ret_want = GX_WANT_CLOSE;
	if (!e->greeted) {
		e->greeted = true;
		gx_push_str(&io->out, "hello\n");
	}
	if ((io->events & GX_IO_WOKEN) != 0 && e->waiting) {
		e->waiting = false;
		gx_push_str(&io->out, "woken\n");
	}
	if ((io->events & GX_IO_TLS_STARTED) != 0)
		gx_push_str(&io->out, "secret\n");
	if ((io->events & GX_IO_TIMEOUT) != 0) {
		gx_push_str(&io->out, "timeout\n");
		return !e->patient;
	}
	if ((io->events & GX_IO_SHUTDOWN) != 0) {
		gx_push_str(&io->out, "going down\n");
		return true;
	}
	return false;
}

static enum gx_want step(void *self, struct gx_io *io)
{
	struct echo *e = self;
	enum gx_want want;
	assert(!atomic_exchange(&e->inside, true));
	bool end = events(e, &want);
	const uint8_t *nl;
	while (!end && gx_iobuf_left(&io->in) > 0 && (nl = memchr(gx_iobuf_head(&io->in), '\n', gx_iobuf_left(&io->in))) != NULL) {
		char line[200];
		size_t n = (size_t)(nl - gx_iobuf_head(&io->in));
		snprintf(line, sizeof(line), "%.*s", (int)n, (const char *)gx_iobuf_head(&io->in));
		gx_iobuf_consume(&io->in, n + 1);
		want = command(e, line);
		end = want != GX_WANT_INPUT;
	}
	atomic_store(&e->inside, false);
	return end ? want : GX_WANT_INPUT;
}

static enum gx_want work(void *self, struct gx_io *io)
{
	struct echo *e = self;
	enum gx_want want = GX_WANT_INPUT;
	assert(!atomic_exchange(&e->inside, true));
	assert(!pthread_equal(e->creator, pthread_self()));
	if (e->again > 0) {
		gx_push_printf(&io->out, "%lu\n", --e->again);
		want = e->again > 0 ? GX_WANT_AGAIN : GX_WANT_INPUT;
	} else if (e->big > 0) {
		size_t n = e->big < SLICE ? e->big : SLICE;
		uint8_t *p = gx_push_reserve(&io->out, n);
		assert(p != NULL);
		for (size_t i = 0; i < n; ++i)
			p[i] = (uint8_t)((e->big - i) % 251);
		gx_push_added(&io->out, n);
		e->big -= n;
		want = e->big > 0 ? GX_WANT_AGAIN : GX_WANT_INPUT;
	} else {
		usleep(1000);
		gx_push_str(&io->out, "worked\n");
	}
	atomic_store(&e->inside, false);
	return want;
}

static void free_echo(void *self)
{
	struct echo *e = self;
	assert(!atomic_load(&e->inside));
	if (e->waker_runs)
		pthread_join(e->waker, NULL);
	free(e);
	atomic_fetch_sub(&living, 1);
}

const struct gx_engine_ops echo_ops = {"echo", step, work, free_echo};
