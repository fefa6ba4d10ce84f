/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the network layer share: a server that echoes, and plain connections to it. */
#ifndef GX_NET_NETTEST_H
#define GX_NET_NETTEST_H
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include "libgxproto/net/echo.h"
#include "libgxproto/net/net-int.h"
#include "libgxproto/net/socktest.h"

struct server {
	struct gx_net *net;
	struct gx_arena *a;
	uint16_t port;
	pthread_mutex_t lock;
	char said[4000];
};

static inline void say(int level, const char *text, void *ctx)
{
	struct server *s = ctx;
	pthread_mutex_lock(&s->lock);
	size_t n = strlen(s->said);
	snprintf(s->said + n, sizeof(s->said) - n, "%s\n", text);
	pthread_mutex_unlock(&s->lock);
}

static inline bool said(struct server *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	bool yes = strstr(s->said, text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static inline void await_said(struct server *s, const char *text)
{
	for (unsigned i = 0; i < 6000 && !said(s, text); ++i)
		usleep(10000);
	ck_assert_msg(said(s, text), "\"%s\" is not said: %s", text, s->said);
}

static struct gx_log server_log = {.write = say, .level = GX_LOG_DEBUG};

static inline void serve(struct server *s, struct gx_listen_opts *lo, unsigned workers)
{
	const char *why = "";
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->a = gx_arena_new(0);
	server_log.ctx = s;
	no.log = &server_log;
	no.loops = 2;
	no.workers = workers;
	ck_assert_int_eq(gx_net_new(&no, &s->net), 0);
	lo->factory = (struct gx_engine_factory){&echo_ops, echo_new, NULL};
	if (lo->addr == NULL)
		lo->addr = "127.0.0.1:0";
	ck_assert_msg(gx_net_listen(s->net, lo, &s->port, s->a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(s->net), 0);
}

static inline void end_server(struct server *s)
{
	gx_net_stop(s->net, 2000);
	ck_assert_int_eq(echo_living(), 0);
	gx_net_free(s->net);
	gx_arena_free(s->a);
}

static inline int dial(const struct server *s)
{
	return sock_dial(s->port);
}

static inline void put(int fd, const char *text)
{
	sock_put(fd, text);
}

/* Reads exactly the expected text. */
static inline void expect(int fd, const char *text)
{
	char buf[1000];
	size_t n = 0, len = strlen(text);
	while (n < len) {
		ssize_t got = sock_recv(fd, buf + n, len - n);
		ck_assert_msg(got > 0, "expected \"%s\", got \"%.*s\" then %s", text, (int)n, buf, got == 0 ? "the end" : strerror(errno));
		n += (size_t)got;
	}
	ck_assert_msg(memcmp(buf, text, len) == 0, "expected \"%s\", got \"%.*s\"", text, (int)n, buf);
}

static inline void expect_end(int fd)
{
	char c;
	ssize_t got = sock_recv(fd, &c, 1);
	ck_assert_msg(got == 0 || (got < 0 && errno == ECONNRESET), "expected the end, got %zd %s", got, strerror(errno));
}

/* Of the answer to "big": @len bytes when *@io_left are to come. */
static inline void check_big(const uint8_t *p, size_t len, unsigned long *io_left)
{
	size_t wrong = 0;
	for (size_t i = 0; i < len; ++i)
		wrong += p[i] != (*io_left - i) % 251;
	ck_assert_uint_eq(wrong, 0);
	*io_left -= len;
}
#endif
