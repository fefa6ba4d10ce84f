/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DATA [RFC 5321] 4.1.1.4, 4.5.2, BDAT [RFC 3030], and the answers behind them.
 *
 * Only CRLF.CRLF ends a message and only a dot behind CRLF is taken away; all other bytes are
 * kept as they came. In SMTP a message that holds a dot alone on a line made with a bare CR or
 * LF is refused: another server may see its end there. LMTP adds nothing to a message; SMTP
 * puts Return-Path and Received in front, [RFC 5321] 4.4.
 */
#include <config.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/mime.h>
#include "smtp-int.h"

static const char *result_text(int err)
{
	switch (err) {
	case 0: return "250 2.0.0";
	case GX_E_LIMIT: return "552 5.3.4";
	case GX_E_NOSPACE: return "452 4.3.1";
	case GX_E_FORMAT: return "554 5.6.0";
	case GX_E_STATE: return "451 4.3.2";
	default: return "451 4.3.0";
	}
}

static const char *result_words(int err)
{
	switch (err) {
	case 0: return "Ok, kept";
	case GX_E_LIMIT: return "The message is larger than allowed here";
	case GX_E_NOSPACE: return "No room for the message now, try again";
	case GX_E_FORMAT: return "A dot alone on a line must stand between CRLFs";
	default: return "The message cannot be kept now, try again";
	}
}

/** The answer to a whole message: one, or in LMTP one a recipient. [RFC 2033] 4.2 */
static int answer(struct gx_smtp *s, struct gx_io *io, int err)
{
	const struct gx_smtp_txn *t = s->txn;
	size_t n = s->lmtp ? t->env.rcpt_count : 1;
	for (size_t i = 0; i < n; ++i) {
		if (s->lmtp)
			gx_smtp__replyf(io, "%s <%s> %s", result_text(err), t->env.rcpts[i], result_words(err));
		else
			gx_smtp__replyf(io, "%s %s", result_text(err), result_words(err));
	}
	gx_log(io->log, err == 0 ? GX_LOG_INFO : GX_LOG_NOTICE, "%s: id=%" PRIu64 " peer=%s from=<%s> rcpts=%zu size=%" PRIu64 " %s%s",
		s->lmtp ? "lmtp" : "smtp", io->id, io->peer != NULL ? io->peer : "-", t->env.from, t->env.rcpt_count, t->got,
		err == 0 ? "kept" : "refused: ", err == 0 ? "" : gx_strerror(err));
	if (err == 0)
		s->errors = 0;
	gx_smtp__reset(s);
	s->state = SMTP_COMMAND;
	return SMTP_GO_ON;
}

static int complete(struct gx_smtp *s, struct gx_io *io)
{
	struct gx_smtp_txn *t = s->txn;
	int ret = s->smuggled && !s->lmtp && t->err == 0 ? GX_E_FORMAT : t->err;
	if (ret == 0)
		ret = gx_smtp_txn__submit(t, io);
	if (ret != 0)
		return answer(s, io, ret);
	s->state = SMTP_WAIT;
	return SMTP_GO_ON;
}

int gx_smtp__await_journal(struct gx_smtp *s, struct gx_io *io)
{
	int err;
	if (gx_smtp_txn__answered(s->txn, &err))
		return answer(s, io, err);
	io->deadline_ms = 0;
	return GX_WANT_WAIT;
}

static void add_trace(struct gx_smtp *s, struct gx_io *io)
{
	char date[40];
	struct gx_smtp_txn *t = s->txn;
	const char *peer = io->peer != NULL ? io->peer : "unknown";
	const char *with = io->events & GX_IO_TLS ? "ESMTPS" : s->esmtp ? "ESMTP" : "SMTP";
	gx_mime_date_print(t->env.received_unix, 0, date);
	const char *lines = gx_arena_printf(t->a, "Return-Path: <%s>\r\nReceived: from %s ([%s%s])\r\n\tby %s with %s%s id %" PRIx64 ".%" PRIx64
		";\r\n\t%s\r\n", t->env.from, s->helo, strchr(peer, ':') != NULL ? "IPv6:" : "", peer, s->srv->hostname,
		t->env.smtputf8 ? "UTF8" : "", t->env.smtputf8 ? with + 1 : with,
		(uint64_t)t->env.received_unix, io->id, date);
	if (lines == NULL) {
		t->err = GX_E_NOMEM;
		return;
	}
	size_t n = strlen(lines);
	t->limit += n;
	gx_smtp_txn__append(t, lines, n);
}

static void begin_message(struct gx_smtp *s, struct gx_io *io)
{
	struct gx_smtp_txn *t = s->txn;
	t->env.received_unix = gx_clock_unix(io->clock);
	t->env.client = gx_arena_printf(t->a, "%s [%s]", s->helo, io->peer != NULL ? io->peer : "unknown");
	if (!s->lmtp)
		add_trace(s, io);
}

int gx_smtp__data(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	if (*arg != '\0') {
		gx_smtp__refuse(s, io, "501 5.5.4 DATA takes no parameter");
		return SMTP_GO_ON;
	}
	if (s->txn->env.rcpt_count == 0) {
		gx_smtp__refuse(s, io, "503 5.5.1 No valid recipients");
		return SMTP_GO_ON;
	}
	begin_message(s, io);
	gx_smtp__reply(io, "354 End with <CRLF>.<CRLF>");
	s->state = SMTP_DATA;
	s->line_start = true;
	s->tail[0] = '\r';
	s->tail[1] = '\n';
	return SMTP_GO_ON;
}

/** Takes n bytes of input into the message and remembers the last two. */
static void take(struct gx_smtp *s, struct gx_io *io, size_t n)
{
	const uint8_t *p = gx_iobuf_head(&io->in);
	if (n == 0)
		return;
	gx_smtp_txn__append(s->txn, p, n);
	s->tail[0] = n > 1 ? p[n-2] : s->tail[1];
	s->tail[1] = p[n-1];
	s->line_start = s->tail[0] == '\r' && s->tail[1] == '\n';
	gx_iobuf_consume(&io->in, n);
}

/** Bytes before the next dot that begins a line, or all. Dots are rarer than line ends in what is large. */
static size_t up_to_dot(const uint8_t *p, size_t n)
{
	const uint8_t *q = p, *end = p + n;
	while ((q = memchr(q + 1, '.', (size_t)(end - q) - 1)) != NULL)
		if (q[-1] == '\n')
			return (size_t)(q - p);
	return n;
}

/** A dot stands at p behind a line end of any kind: is it alone on its line? @return -1 when more bytes must tell. */
static int dot_alone(const uint8_t *p, size_t n)
{
	if (n < 2)
		return -1;
	return p[1] == '\n' || p[1] == '\r';
}

/** At a dot behind a line end. @return true when it was the end of the message. */
static bool at_dot(struct gx_smtp *s, struct gx_io *io, const uint8_t *p)
{
	if (s->line_start && p[1] == '\r' && p[2] == '\n') {
		gx_iobuf_consume(&io->in, 3);
		return true;
	}
	if (dot_alone(p, 2) == 1 && !(s->line_start && p[1] == '\r'))
		s->smuggled = true;
	if (s->line_start) {
		gx_iobuf_consume(&io->in, 1);
		s->line_start = false;
		s->tail[0] = '\n';
		s->tail[1] = '.';
	} else {
		take(s, io, 1);
	}
	return false;
}

static int more_input(struct gx_smtp *s, struct gx_io *io)
{
	if (io->events & GX_IO_EOF) {
		s->state = SMTP_CLOSE;
		return SMTP_GO_ON;
	}
	return GX_WANT_INPUT;
}

int gx_smtp__read_data(struct gx_smtp *s, struct gx_io *io)
{
	for (;;) {
		const uint8_t *p = gx_iobuf_head(&io->in);
		size_t n = gx_iobuf_left(&io->in);
		if (n == 0)
			return more_input(s, io);
		if (!s->may_block && gx_smtp_txn__blocks(s->txn, n))
			return GX_WANT_WORKER;
		if (p[0] == '.' && s->tail[1] == '\n') {
			/* The end needs three bytes to be seen. */
			if (n < 2 || (n < 3 && p[1] == '\r'))
				return more_input(s, io);
			if (at_dot(s, io, p))
				return complete(s, io);
			continue;
		}
		take(s, io, up_to_dot(p, n));
	}
}

/** Counts that do not fit are as good as endless: the connection cannot be kept in step. */
static bool chunk_size(const char *arg, uint64_t *ret_size, bool *ret_last)
{
	char *end;
	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	*ret_size = strtoull(arg, &end, 10);
	if (errno != 0)
		return false;
	end += strspn(end, " \t");
	*ret_last = strcasecmp(end, "LAST") == 0;
	return *end == '\0' || *ret_last;
}

int gx_smtp__bdat(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	if (!chunk_size(arg, &s->bdat_size, &s->bdat_last)) {
		gx_smtp__reply(io, "501 5.5.4 Bad BDAT; cannot go on behind it");
		s->state = SMTP_CLOSE;
		return SMTP_GO_ON;
	}
	s->bdat_left = s->bdat_size;
	s->state = SMTP_BDAT;
	s->bdat_ignored = !s->mailed || s->txn->env.rcpt_count == 0;
	if (!s->bdat_ignored && !s->bdat_seen) {
		begin_message(s, io);
		s->bdat_seen = true;
	}
	return SMTP_GO_ON;
}

static int chunk_done(struct gx_smtp *s, struct gx_io *io)
{
	s->state = SMTP_COMMAND;
	if (s->bdat_ignored) {
		gx_smtp__refuse(s, io, s->mailed ? "503 5.5.1 No valid recipients" : "503 5.5.1 MAIL comes first");
		return SMTP_GO_ON;
	}
	if (s->bdat_last)
		return complete(s, io);
	if (s->txn->err != 0) {
		/* What has failed once fails for good; the client may stop sending. */
		gx_smtp__replyf(io, "%s %s", result_text(s->txn->err), result_words(s->txn->err));
		return SMTP_GO_ON;
	}
	gx_smtp__replyf(io, "250 2.0.0 %" PRIu64 " bytes taken", s->bdat_size);
	return SMTP_GO_ON;
}

int gx_smtp__read_bdat(struct gx_smtp *s, struct gx_io *io)
{
	while (s->bdat_left > 0) {
		size_t n = gx_iobuf_left(&io->in);
		if (n == 0)
			return more_input(s, io);
		if (n > s->bdat_left)
			n = (size_t)s->bdat_left;
		if (!s->bdat_ignored) {
			if (!s->may_block && gx_smtp_txn__blocks(s->txn, n))
				return GX_WANT_WORKER;
			gx_smtp_txn__append(s->txn, gx_iobuf_head(&io->in), n);
		}
		gx_iobuf_consume(&io->in, n);
		s->bdat_left -= n;
	}
	return chunk_done(s, io);
}
