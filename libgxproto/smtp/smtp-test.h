/* SPDX-License-Identifier: Apache-2.0 */
/* A driver for the engine without sockets, directory and journal; for the tests and the fuzzer. */
#ifndef GX_SMTP_TEST_H
#define GX_SMTP_TEST_H
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/strbuf.h>
#include "smtp-int.h"

struct smtp_test {
	struct gx_smtp_server srv;   /* first: the backend gets it */
	struct gx_io io;
	struct gx_smtp *s;
	enum gx_want want;
	struct gx_strbuf out;        /* all answers */
	struct gx_strbuf kept;       /* "from>rcpt,rcpt:" and the bytes of each message */
	unsigned messages, workers;
	gx_journal_cb cb;            /* waiting */
	void *cb_ctx;
	int submit_err, flush_err;
	bool hold;                   /* do not answer from the journal by itself */
	uint64_t reserved, budget;
	bool no_spool;
};

static int smtp_test_check(const struct gx_smtp_server *v, const char *address, uint64_t size, struct gx_arena *a)
{
	(void)v;
	(void)size;
	(void)a;
	switch (address[0]) {
	case 'n': return GX_E_NOTFOUND;
	case 'f': return GX_E_NOSPACE;
	case 's': return GX_E_STATE;
	case 'b': return GX_E_BUSY;
	default: return 0;
	}
}

static int smtp_test_submit(const struct gx_smtp_server *v, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx)
{
	struct smtp_test *t = (struct smtp_test *)(uintptr_t)v;
	if (t->submit_err != 0)
		return t->submit_err;
	assert(env->rcpt_count > 0 && t->cb == NULL);
	gx_strbuf_printf(&t->kept, "%s>", env->from);
	for (size_t i = 0; i < env->rcpt_count; ++i)
		gx_strbuf_printf(&t->kept, "%s%s", i > 0 ? "," : "", env->rcpts[i]);
	gx_strbuf_addc(&t->kept, ':');
	gx_strbuf_add(&t->kept, data.data, data.len);
	t->messages++;
	t->cb = cb;
	t->cb_ctx = ctx;
	return 0;
}

static bool smtp_test_reserve(const struct gx_smtp_server *v, uint64_t n)
{
	struct smtp_test *t = (struct smtp_test *)(uintptr_t)v;
	if (t->reserved + n > t->budget)
		return false;
	t->reserved += n;
	return true;
}

static void smtp_test_unreserve(const struct gx_smtp_server *v, uint64_t n)
{
	struct smtp_test *t = (struct smtp_test *)(uintptr_t)v;
	assert(n <= t->reserved);
	t->reserved -= n;
}

static int smtp_test_spool(const struct gx_smtp_server *v)
{
	struct smtp_test *t = (struct smtp_test *)(uintptr_t)v;
	char path[] = "/tmp/check_smtp.XXXXXX";
	int fd = t->no_spool ? -1 : mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static const struct gx_smtp_backend smtp_test_backend = {smtp_test_check, smtp_test_submit, smtp_test_reserve,
	smtp_test_unreserve, smtp_test_spool};

static void smtp_test_wake(struct gx_io *io)
{
	io->events |= GX_IO_WOKEN;
}

static int64_t smtp_test_time(void *ctx)
{
	(void)ctx;
	return INT64_C(1700000000) * 1000000000;
}

static const struct gx_clock smtp_test_clock = {smtp_test_time, smtp_test_time, NULL};

static void smtp_test_init(struct smtp_test *t)
{
	*t = (struct smtp_test){0};
	t->srv = (struct gx_smtp_server){.size = sizeof(t->srv), .hostname = "mx.example.org", .lmtp = true, .smtp = true,
		.offer_starttls = true, .offer_pipelining = true, .max_message = 4000000, .max_rcpts = 5, .timeout_ms = 1000};
	t->budget = 64 << 20;
	t->io.clock = &smtp_test_clock;
	t->io.out_high = 65536;
	t->io.peer = "192.0.2.7";
	t->io.id = 7;
	t->io.wake = smtp_test_wake;
	t->s = gx_smtp__new(&t->srv, &smtp_test_backend);
	assert(t->s != NULL);
}

/** The journal answers. */
static void smtp_test_flush(struct smtp_test *t)
{
	gx_journal_cb cb = t->cb;
	t->cb = NULL;
	if (cb != NULL)
		cb(t->flush_err, t->cb_ctx);
}

static void smtp_test_take_out(struct smtp_test *t)
{
	gx_strbuf_add(&t->out, t->io.out.data, t->io.out.len);
	gx_push_clear(&t->io.out);
}

/** Steps until it wants bytes or the end. */
static void smtp_test_run(struct smtp_test *t)
{
	for (;;) {
		t->want = gx_smtp__ops.step(t->s, &t->io);
		t->io.events &= ~(unsigned)(GX_IO_WOKEN | GX_IO_TIMEOUT | GX_IO_TLS_STARTED);
		if (t->want == GX_WANT_WORKER) {
			t->workers++;
			t->want = gx_smtp__ops.work(t->s, &t->io);
			assert(t->want != GX_WANT_WORKER);
		}
		smtp_test_take_out(t);
		if (t->want == GX_WANT_WAIT && !t->hold && t->cb != NULL)
			smtp_test_flush(t);
		else if (t->want == GX_WANT_STARTTLS)
			t->io.events |= GX_IO_TLS | GX_IO_TLS_STARTED;
		else if (t->want != GX_WANT_DRAIN && !(t->io.events & GX_IO_WOKEN))
			return;
	}
}

static void smtp_test_feed(struct smtp_test *t, const void *p, size_t n)
{
	if (gx_iobuf_add(&t->io.in, p, n) != 0)
		abort();
	if (t->want != GX_WANT_CLOSE)
		smtp_test_run(t);
}

static void smtp_test_release(struct smtp_test *t)
{
	gx_smtp__ops.free(t->s);
	smtp_test_flush(t);
	assert(t->reserved == 0);
	gx_iobuf_release(&t->io.in);
	gx_push_release(&t->io.out);
	gx_strbuf_release(&t->out);
	gx_strbuf_release(&t->kept);
}

#endif
