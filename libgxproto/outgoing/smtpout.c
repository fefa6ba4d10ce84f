/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side of [RFC 5321], to a mail transfer agent that is near. */
#include <config.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { LINE_MOST = 2048, LINES_MOST = 200 };

struct talk {
	const struct gx_outgoing *o;
	const struct gx_envelope *env;
	int fd;
	char in[LINE_MOST];
	size_t have;
	char line[LINE_MOST];         /* the last of the answer */
	bool has_8bit, has_utf8;
};

/* ---- Bytes ---- */

static int ready(const struct talk *t, short what)
{
	struct pollfd p = {t->fd, what, 0};
	int r;
	do
		r = poll(&p, 1, (int)t->o->o.timeout_ms);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : r == 0 ? GX_E_TIMEOUT : GX_E_IO;
}

static int write_all(struct talk *t, const void *data, size_t n)
{
	const char *p = data;
	while (n > 0) {
		ssize_t w = send(t->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w < 0 && (errno == EAGAIN || errno == EINTR)) {
			int err = ready(t, POLLOUT);
			if (err != 0)
				return err;
			continue;
		}
		if (w <= 0)
			return GX_E_IO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int read_line(struct talk *t)
{
	for (;;) {
		char *lf = memchr(t->in, '\n', t->have);
		if (lf != NULL) {
			size_t n = (size_t)(lf - t->in), shown = n > 0 && t->in[n - 1] == '\r' ? n - 1 : n;
			memcpy(t->line, t->in, shown);
			t->line[shown] = '\0';
			t->have -= n + 1;
			memmove(t->in, lf + 1, t->have);
			return 0;
		}
		if (t->have == sizeof(t->in) - 1)
			return GX_E_FORMAT;
		int err = ready(t, POLLIN);
		ssize_t r = err != 0 ? -1 : recv(t->fd, t->in + t->have, sizeof(t->in) - 1 - t->have, 0);
		if (r < 0 && err == 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return err != 0 ? err : GX_E_IO;
		t->have += (size_t)r;
	}
}

/* ---- Commands ---- */

static void note_extension(struct talk *t)
{
	if (strlen(t->line) < 5)
		return;
	t->has_8bit = t->has_8bit || strncasecmp(t->line + 4, "8BITMIME", 8) == 0;
	t->has_utf8 = t->has_utf8 || strncasecmp(t->line + 4, "SMTPUTF8", 8) == 0;
}

/* @return the code, or GX_E_*. */
static int answer(struct talk *t)
{
	for (unsigned i = 0; i < LINES_MOST; ++i) {
		int err = read_line(t);
		if (err != 0)
			return err;
		if (strspn(t->line, "0123456789") != 3)
			return GX_E_FORMAT;
		note_extension(t);
		if (t->line[3] != '-')
			return (int)strtol(t->line, NULL, 10);
	}
	return GX_E_FORMAT;
}

/* 0 for a good answer; @refused for one that says never, GX_E_BUSY for one that says not now. */
static int judge(struct talk *t, int code, int good, int refused)
{
	if (code / 100 == good)
		return 0;
	gx_log(t->o->o.log, GX_LOG_WARN, "outgoing: from=<%s>: %s:%s says: %s", t->env->from, t->o->node, t->o->port, code < 0 ? gx_strerror(code) : t->line);
	return code < 0 ? code : code / 100 == 5 ? refused : GX_E_BUSY;
}

static int command(struct talk *t, int good, int refused, const char *fmt, ...) GX_PRINTF(4, 5);

static int command(struct talk *t, int good, int refused, const char *fmt, ...)
{
	struct gx_push p = GX_PUSH_INIT;
	struct gx_arena *a = gx_arena_new(0);
	va_list ap;
	va_start(ap, fmt);
	const char *text = a == NULL ? NULL : gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	int err = text == NULL ? GX_E_NOMEM : strpbrk(text, "\r\n") != NULL ? GX_E_INVAL : 0;
	if (err == 0) {
		gx_push_str(&p, text);
		gx_push_str(&p, "\r\n");
		err = p.err != 0 ? p.err : write_all(t, p.data, p.len);
	}
	gx_push_release(&p);
	gx_arena_free(a);
	return err != 0 ? err : judge(t, answer(t), good, refused);
}

static bool is_ascii(const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; ++i)
		if (p[i] >= 0x80)
			return false;
	return true;
}

static bool needs_utf8(const struct gx_envelope *env)
{
	bool plain = is_ascii(env->from, strlen(env->from));
	for (size_t i = 0; plain && i < env->rcpt_count; ++i)
		plain = is_ascii(env->rcpts[i], strlen(env->rcpts[i]));
	return !plain;
}

static int envelope(struct talk *t, struct gx_bin data)
{
	bool utf8 = needs_utf8(t->env);
	if (utf8 && !t->has_utf8)
		return GX_E_NOTFOUND;
	int err = command(t, 2, GX_E_INVAL, "MAIL FROM:<%s>%s%s", t->env->from, t->has_8bit && !is_ascii(data.data, data.len) ? " BODY=8BITMIME" : "",
		utf8 ? " SMTPUTF8" : "");
	for (size_t i = 0; err == 0 && i < t->env->rcpt_count; ++i)
		err = command(t, 2, GX_E_NOTFOUND, "RCPT TO:<%s>", t->env->rcpts[i]);
	return err;
}

/* [RFC 5321] 4.5.2: a dot that begins a line is doubled */
static int body(struct talk *t, struct gx_bin data)
{
	const uint8_t *p = data.data, *end = p + data.len;
	int err = 0;
	while (err == 0 && p < end) {
		const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = lf == NULL ? (size_t)(end - p) : (size_t)(lf - p) + 1;
		if (*p == '.')
			err = write_all(t, ".", 1);
		if (err == 0)
			err = write_all(t, p, n);
		p += n;
	}
	bool ended = data.len >= 2 && memcmp(end - 2, "\r\n", 2) == 0;
	if (err == 0)
		err = write_all(t, ended ? ".\r\n" : "\r\n.\r\n", ended ? 3 : 5);
	return err != 0 ? err : judge(t, answer(t), 2, GX_E_INVAL);
}

/* ---- All of it ---- */

static int dial_one(const struct gx_outgoing *o, const struct addrinfo *ai)
{
	struct talk t = {.o = o};
	int failed = 0;
	socklen_t n = sizeof(failed);
	t.fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (t.fd < 0)
		return GX_E_IO;
	int err = connect(t.fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno != EINPROGRESS ? GX_E_IO : ready(&t, POLLOUT);
	if (err == 0 && (getsockopt(t.fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 || failed != 0))
		err = GX_E_IO;
	if (err != 0)
		close(t.fd);
	return err != 0 ? err : t.fd;
}

static int dial(const struct gx_outgoing *o, int *ret_fd)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *v;
	int fd = GX_E_IO;
	if (getaddrinfo(o->node, o->port, &hints, &v) != 0)
		return GX_E_IO;
	for (const struct addrinfo *ai = v; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = dial_one(o, ai);
	freeaddrinfo(v);
	*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

int gx_outgoing__smtp(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data, gx_outgoing_ready ready_cb, void *ctx)
{
	struct talk t = {.o = o, .env = env};
	int err = dial(o, &t.fd);
	if (err != 0) {
		gx_log(o->o.log, GX_LOG_WARN, "outgoing: from=<%s>: %s:%s cannot be reached; see outgoing_smtp_url", env->from, o->node, o->port);
		return err;
	}
	err = judge(&t, answer(&t), 2, GX_E_BUSY);
	if (err == 0)
		err = command(&t, 2, GX_E_BUSY, "EHLO %s", o->o.host);
	if (err == 0)
		err = envelope(&t, data);
	if (err == 0)
		err = ready_cb(ctx);
	if (err == 0)
		err = command(&t, 3, GX_E_INVAL, "DATA");
	if (err == 0)
		err = body(&t, data);
	/* it has the mail, or will not get it: what it says to this does not matter */
	(void)write_all(&t, "QUIT\r\n", 6);
	close(t.fd);
	return err;
}
