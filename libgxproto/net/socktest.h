/* SPDX-License-Identifier: Apache-2.0 */
/* A client's end of a connection, for tests of servers. */
#ifndef GX_NET_SOCKTEST_H
#define GX_NET_SOCKTEST_H
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include "tests/gxtest.h"

static inline int sock_dial(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval tv = {.tv_sec = 60};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ck_assert_msg(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect: %s", strerror(errno));
	return fd;
}

/* With a time limit on the socket a process that was stopped for a while is told so. */
static inline ssize_t sock_recv(int fd, void *buf, size_t n)
{
	ssize_t got;
	do
		got = recv(fd, buf, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Reads until @text has come, or the end when NULL. */
static inline const char *sock_await(int fd, const char *text)
{
	static char buf[60000];
	size_t n = 0;
	buf[0] = '\0';
	while (n < sizeof(buf) - 1 && (text == NULL || strstr(buf, text) == NULL)) {
		ssize_t got = sock_recv(fd, buf + n, sizeof(buf) - 1 - n);
		if (got <= 0 && text == NULL)
			break;
		ck_assert_msg(got > 0, "waiting for \"%s\", after \"%.*s\": %s", text, (int)n, buf, got == 0 ? "the end" : strerror(errno));
		n += (size_t)got;
		buf[n] = '\0';
	}
	return buf;
}

/* The same one may have sent a part. @return whether all of it went */
static inline bool sock_send(int fd, const void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t sent = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		done += sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static inline void sock_put(int fd, const char *text)
{
	ck_assert_msg(sock_send(fd, text, strlen(text)), "send: %s", strerror(errno));
}

/* The other end has little patience, and may have hung up. */
static inline void sock_try(int fd, const char *text)
{
	ck_assert_msg(sock_send(fd, text, strlen(text)) || errno == EPIPE || errno == ECONNRESET, "send: %s", strerror(errno));
}

static inline double sock_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
#endif
