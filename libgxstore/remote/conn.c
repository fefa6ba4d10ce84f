/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a server: blocking calls with deadlines. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "libgxstore/remote/remote-int.h"

enum { FIRST_READ = 16384 };

int64_t gx_rconn__now(void)
{
	return gx_clock_mono_ms(gx_clock_system());
}

static int left_ms(int64_t until)
{
	int64_t left = until == INT64_MAX ? 60000 : until - gx_rconn__now();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* 0 when the socket is ready. */
static int wait_for(int fd, short what, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = what};
		int n = poll(&p, 1, left_ms(until));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return GX_E_IO;
		if (n == 0 && until != INT64_MAX && gx_rconn__now() >= until)
			return GX_E_TIMEOUT;
	}
}

/* ---- Dialling ---- */

struct target {
	char host[256], port[8];
	bool local;
};

/* "[::1]:5000", "::1", "host:5000", "host", "/path". */
static int parse(const char *s, struct target *t)
{
	const char *host = s, *end = s + strlen(s), *port = NULL, *colon = strchr(s, ':');
	*t = (struct target){.local = s[0] == '/'};
	if (s[0] == '[') {
		host = s + 1;
		end = strchr(host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return GX_E_INVAL;
		port = end[1] == ':' ? end + 2 : NULL;
	} else if (!t->local && colon != NULL && strchr(colon + 1, ':') == NULL) {
		end = colon;
		port = colon + 1;
	}
	size_t n = (size_t)(end - host);
	if (n == 0 || n >= sizeof(t->host) || (port != NULL && (*port == '\0' || strlen(port) >= sizeof(t->port))))
		return GX_E_INVAL;
	memcpy(t->host, host, n);
	snprintf(t->port, sizeof(t->port), "%s", port != NULL ? port : GX_EXMDB_PORT);
	return 0;
}

bool gx_rconn__valid(const char *server)
{
	struct target t;
	return parse(server, &t) == 0;
}

/* Non-blocking while it connects, and ever after: poll() keeps the time. */
static int connect_to(const struct sockaddr *sa, socklen_t len, int64_t until, int *ret_fd)
{
	int one = 1, err = 0;
	socklen_t size = sizeof(err);
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return GX_E_IO;
	if (sa->sa_family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	int ret = connect(fd, sa, len) == 0 ? 0 : errno == EINPROGRESS ? wait_for(fd, POLLOUT, until) : GX_E_IO;
	if (ret == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 && err != 0) {
		errno = err;
		ret = GX_E_IO;
	}
	if (ret != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

static int dial_local(const struct target *t, int64_t until, int *ret_fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	if (strlen(t->host) >= sizeof(un.sun_path))
		return GX_E_INVAL;
	memcpy(un.sun_path, t->host, strlen(t->host) + 1);
	return connect_to((const struct sockaddr *)&un, sizeof(un), until, ret_fd);
}

static int dial_inet(const struct target *t, int64_t until, int *ret_fd, char *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int gai = getaddrinfo(t->host, t->port, &hints, &list), ret = GX_E_IO;
	if (gai != 0) {
		snprintf(why, GX_WHY_SIZE, "%s", gai_strerror(gai));
		return GX_E_NOTFOUND;
	}
	for (struct addrinfo *ai = list; ai != NULL && ret != 0; ai = ai->ai_next)
		ret = connect_to(ai->ai_addr, ai->ai_addrlen, until, ret_fd);
	freeaddrinfo(list);
	return ret;
}

/* A transport blocks, within its deadlines. */
static int start_transport(struct gx_rconn *c, const char *server, const struct gx_exmdb_transport *tp, int64_t until, char *why)
{
	int ms = left_ms(until);
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int flags = fcntl(c->fd, F_GETFL);
	if (flags < 0 || fcntl(c->fd, F_SETFL, flags & ~O_NONBLOCK) != 0)
		return GX_E_IO;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	c->session = tp->open(c->fd, server, tp->ctx, why, GX_WHY_SIZE);
	c->tp = c->session != NULL ? tp : NULL;
	return c->session != NULL ? 0 : GX_E_IO;
}

int gx_rconn__dial(const char *server, const struct gx_exmdb_transport *tp, int64_t until, struct gx_rconn **ret_c, char *why)
{
	struct target t;
	int fd = -1, err = parse(server, &t);
	why[0] = '\0';
	if (err == 0)
		err = t.local ? dial_local(&t, until, &fd) : dial_inet(&t, until, &fd, why);
	if (err == 0 && (*ret_c = calloc(1, sizeof(**ret_c))) == NULL) {
		close(fd);
		return GX_E_NOMEM;
	}
	if (err == 0) {
		(*ret_c)->fd = fd;
		if (tp != NULL && !t.local)
			err = start_transport(*ret_c, server, tp, until, why);
		if (err != 0)
			gx_rconn__free(*ret_c);
	}
	if (err != 0 && why[0] == '\0')
		snprintf(why, GX_WHY_SIZE, "%s", err == GX_E_IO ? strerror(errno) : err == GX_E_INVAL ? "no address" : gx_strerror(err));
	return err;
}

const char *gx_rconn__why(const struct gx_rconn *c, int err)
{
	const char *why = c->tp != NULL && c->tp->reason != NULL ? c->tp->reason(c->session) : NULL;
	return why != NULL ? why : gx_strerror(err);
}

void gx_rconn__free(struct gx_rconn *c)
{
	if (c == NULL)
		return;
	if (c->session != NULL)
		c->tp->close(c->session);
	close(c->fd);
	free(c->buf);
	free(c);
}

/* ---- Bytes ---- */

static int ready(struct gx_rconn *c, short what, int64_t until)
{
	if (c->tp != NULL && what == POLLIN && c->tp->pending(c->session) > 0)
		return 0;
	return wait_for(c->fd, what, until);
}

static int fate(long got)
{
	return got == 0 || errno == ECONNRESET || errno == EPIPE ? GX_E_TRUNC : GX_E_IO;
}

int gx_rconn__send(struct gx_rconn *c, const void *p, size_t n, int64_t until)
{
	const uint8_t *b = p;
	while (n > 0) {
		int err = ready(c, POLLOUT, until);
		if (err != 0)
			return err;
		long put = c->tp != NULL ? c->tp->write(c->session, b, n) : send(c->fd, b, n, MSG_NOSIGNAL);
		if (put < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
			continue;
		if (put <= 0)
			return fate(put);
		b += put;
		n -= (size_t)put;
	}
	return 0;
}

static int make_room(struct gx_rconn *c)
{
	if (c->cap - c->len >= FIRST_READ / 4 && c->buf != NULL)
		return 0;
	size_t cap = c->cap == 0 ? FIRST_READ : c->cap * 2;
	uint8_t *p = realloc(c->buf, cap);
	if (p == NULL)
		return GX_E_NOMEM;
	c->buf = p;
	c->cap = cap;
	return 0;
}

int gx_rconn__recv(struct gx_rconn *c, int64_t until)
{
	int err = make_room(c);
	for (;;) {
		if (err == 0)
			err = ready(c, POLLIN, until);
		if (err != 0)
			return err;
		size_t room = c->cap - c->len;
		long got = c->tp != NULL ? c->tp->read(c->session, c->buf + c->len, room) : recv(c->fd, c->buf + c->len, room, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
			continue;
		if (got <= 0)
			return fate(got);
		c->len += (size_t)got;
		return 0;
	}
}

void gx_rconn__consume(struct gx_rconn *c, size_t n)
{
	memmove(c->buf, c->buf + n, c->len - n);
	c->len -= n;
}

/* ---- Exchanges ---- */

int gx_rconn__exchange(struct gx_rconn *c, const struct gx_push *frame, uint32_t max, int64_t until, uint8_t *ret_code,
	struct gx_bin *ret_body)
{
	size_t used;
	c->len = 0;
	int err = gx_rconn__send(c, frame->data, frame->len, until), whole = 0;
	/* a server that does not want the request may have said so before it hung up */
	if (err != 0 && err != GX_E_TRUNC)
		return err;
	for (err = 0; err == 0 && whole == 0;) {
		err = gx_rconn__recv(c, until);
		if (err == 0)
			whole = gx_xframe_split_answer(c->buf, c->len, max, ret_code, ret_body, &used);
	}
	if (err != 0 || whole < 0)
		return err != 0 ? err : whole;
	return used == c->len ? 0 : GX_E_FORMAT;
}

bool gx_rconn__ping(struct gx_rconn *c, int64_t until)
{
	c->len = 0;
	return gx_rconn__send(c, "\0\0\0\0", 4, until) == 0 && gx_rconn__recv(c, until) == 0 && c->len == 1 && c->buf[0] == GX_XC_SUCCESS;
}
