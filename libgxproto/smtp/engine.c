/* SPDX-License-Identifier: Apache-2.0 */
/* The connection's states: what is read next, and by whom. */
#include <config.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "smtp-int.h"

void gx_smtp__reply(struct gx_io *io, const char *text)
{
	gx_push_str(&io->out, text);
	gx_push_str(&io->out, "\r\n");
}

void gx_smtp__replyf(struct gx_io *io, const char *fmt, ...)
{
	char line[GX_SMTP_MAX_ADDRESS + 200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	gx_smtp__reply(io, line);
}

void gx_smtp__refuse(struct gx_smtp *s, struct gx_io *io, const char *text)
{
	s->errors++;
	gx_smtp__reply(io, text);
}

void gx_smtp__reset(struct gx_smtp *s)
{
	gx_smtp_txn__drop(s->txn);
	s->txn = NULL;
	s->mailed = s->smuggled = false;
	s->bdat_seen = s->bdat_last = s->bdat_ignored = false;
	s->bdat_left = 0;
}

static int greet(struct gx_smtp *s, struct gx_io *io)
{
	gx_smtp__replyf(io, "220 %s %s ready", s->srv->hostname,
		!s->srv->smtp ? "LMTP" : s->srv->lmtp ? "ESMTP LMTP" : "ESMTP");
	s->state = SMTP_COMMAND;
	return SMTP_GO_ON;
}

static bool say_goodbye(struct gx_smtp *s, struct gx_io *io)
{
	if (s->errors > GX_SMTP_MAX_ERRORS)
		gx_smtp__reply(io, "421 4.7.0 Too many errors");
	else if ((io->events & GX_IO_SHUTDOWN) && (s->txn == NULL || s->txn->env.rcpt_count == 0))
		gx_smtp__reply(io, "421 4.3.2 Going down");
	else
		return false;
	s->state = SMTP_CLOSE;
	return true;
}

/** RCPT asks the directory, which may have to look at a disk or another host. */
static bool may_wait(const char *line)
{
	return strncasecmp(line, "RCPT", 4) == 0;
}

static int read_command(struct gx_smtp *s, struct gx_io *io)
{
	char line[GX_SMTP_MAX_LINE + 1];
	const uint8_t *p = gx_iobuf_head(&io->in);
	size_t n = gx_iobuf_left(&io->in);
	if (say_goodbye(s, io))
		return SMTP_GO_ON;
	const uint8_t *nl = n == 0 ? NULL : memchr(p, '\n', n < GX_SMTP_MAX_LINE ? n : GX_SMTP_MAX_LINE);
	if (nl == NULL && n >= GX_SMTP_MAX_LINE) {
		s->state = SMTP_LONG_LINE;
		return SMTP_GO_ON;
	}
	if (nl == NULL) {
		if (io->events & GX_IO_EOF)
			s->state = SMTP_CLOSE;
		return io->events & GX_IO_EOF ? SMTP_GO_ON : GX_WANT_INPUT;
	}
	n = (size_t)(nl - p);
	memcpy(line, p, n);
	while (n > 0 && (line[n-1] == '\r' || line[n-1] == ' ' || line[n-1] == '\t'))
		--n;
	line[n] = '\0';
	if (!s->may_block && may_wait(line))
		return GX_WANT_WORKER;
	gx_iobuf_consume(&io->in, (size_t)(nl - p) + 1);
	if (memchr(line, '\0', n) != NULL) {
		gx_smtp__refuse(s, io, "500 5.5.2 NUL in a command");
		return SMTP_GO_ON;
	}
	return gx_smtp__command(s, io, line);
}

static int skip_long_line(struct gx_smtp *s, struct gx_io *io)
{
	size_t n = gx_iobuf_left(&io->in);
	const uint8_t *p = gx_iobuf_head(&io->in), *nl = n == 0 ? NULL : memchr(p, '\n', n);
	gx_iobuf_consume(&io->in, nl == NULL ? n : (size_t)(nl - p) + 1);
	if (nl != NULL) {
		gx_smtp__refuse(s, io, "500 5.5.2 Line too long");
		s->state = SMTP_COMMAND;
		return SMTP_GO_ON;
	}
	if (io->events & GX_IO_EOF) {
		s->state = SMTP_CLOSE;
		return SMTP_GO_ON;
	}
	return GX_WANT_INPUT;
}

static int after_tls(struct gx_smtp *s, struct gx_io *io)
{
	if (!(io->events & (GX_IO_TLS_STARTED | GX_IO_TLS)))
		return io->events & GX_IO_EOF ? GX_WANT_CLOSE : GX_WANT_STARTTLS;
	s->hello = s->esmtp = s->lmtp = false;
	s->state = SMTP_COMMAND;
	return SMTP_GO_ON;
}

static int run_state(struct gx_smtp *s, struct gx_io *io)
{
	switch (s->state) {
	case SMTP_GREETING: return greet(s, io);
	case SMTP_COMMAND: return read_command(s, io);
	case SMTP_LONG_LINE: return skip_long_line(s, io);
	case SMTP_DATA: return gx_smtp__read_data(s, io);
	case SMTP_BDAT: return gx_smtp__read_bdat(s, io);
	case SMTP_WAIT: return gx_smtp__await_journal(s, io);
	case SMTP_TLS: return after_tls(s, io);
	case SMTP_CLOSE: break;
	}
	return GX_WANT_CLOSE;
}

static enum gx_want run(struct gx_smtp *s, struct gx_io *io, bool may_block)
{
	int want = SMTP_GO_ON;
	s->may_block = may_block;
	if (s->srv->timeout_ms > 0)
		io->deadline_ms = gx_clock_mono_ms(io->clock) + s->srv->timeout_ms;
	while (want == SMTP_GO_ON) {
		if (s->state != SMTP_CLOSE && io->out_high > 0 && io->out.len + io->out_pending > io->out_high)
			return GX_WANT_DRAIN;
		want = run_state(s, io);
	}
	return (enum gx_want)want;
}

static enum gx_want smtp_step(void *self, struct gx_io *io)
{
	struct gx_smtp *s = self;
	if ((io->events & GX_IO_TIMEOUT) && s->state != SMTP_WAIT) {
		gx_smtp__reply(io, "421 4.4.2 Timeout");
		return GX_WANT_CLOSE;
	}
	return run(s, io, false);
}

static enum gx_want smtp_work(void *self, struct gx_io *io)
{
	return run(self, io, true);
}

static void smtp_free(void *self)
{
	struct gx_smtp *s = self;
	gx_smtp_txn__drop(s->txn);
	free(s);
}

const struct gx_engine_ops gx_smtp__ops = {"smtp", smtp_step, smtp_work, smtp_free};

struct gx_smtp *gx_smtp__new(const struct gx_smtp_server *srv, const struct gx_smtp_backend *be)
{
	struct gx_smtp *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->srv = srv;
	s->be = be;
	return s;
}
