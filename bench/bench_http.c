/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: requests with a small answer on kept-alive connections, and what a held request costs.
 * Usage: bench_http [REQUESTS]. The client is a process of its own, so that CPU time is that of the server.
 */
#include <config.h>
#include <arpa/inet.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <gx/http.h>

enum { CONNECTIONS = 8, HELD = 1000 };

static atomic_uint held;
static atomic_uint last_events;

static void hello(struct gx_http_req *r, void *ctx)
{
	gx_http_reply(r, 200, "text/plain", "hello, world\n", 13);
}

static void on_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	if (event == GX_HTTP_EV_GONE || event == GX_HTTP_EV_STOP)
		gx_http_reply_status(r, 503, NULL);
	else if (event == GX_HTTP_EV_DONE)
		atomic_fetch_add(&last_events, 1);
}

static void hold(struct gx_http_req *r, void *ctx)
{
	if (gx_http_hold(r, on_event, NULL) != 0)
		abort();
	atomic_fetch_add(&held, 1);
}

static int dial(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		perror("connect");
		exit(1);
	}
	return fd;
}

/* Each connection has one request under way. */
static void client(uint16_t port, unsigned requests)
{
	static const char request[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
	int fds[CONNECTIONS];
	char buf[4096];
	for (unsigned i = 0; i < CONNECTIONS; ++i)
		fds[i] = dial(port);
	for (unsigned n = 0; n < requests; n += CONNECTIONS) {
		for (unsigned i = 0; i < CONNECTIONS; ++i)
			if (send(fds[i], request, sizeof(request) - 1, 0) < 0)
				exit(1);
		for (unsigned i = 0; i < CONNECTIONS; ++i)
			if (recv(fds[i], buf, sizeof(buf), 0) <= 0)
				exit(1);
	}
	exit(0);
}

static double now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load(uint16_t port, unsigned requests)
{
	double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		client(port, requests);
	waitpid(pid, &status, 0);
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	if (status != 0)
		exit(1);
	printf("{\"bench\":\"http\",\"what\":\"small answer, kept alive\",\"ops\":%u,\"ops_per_s\":%.0f,\"cpu_us_per_op\":%.2f}\n", requests,
		requests / wall, cpu * 1e6 / requests);
}

static void wait_held(uint16_t port)
{
	struct rlimit lim;
	static int fds[HELD];
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	size_t before = mallinfo2().uordblks;
	for (unsigned i = 0; i < HELD; ++i) {
		static const char request[] = "GET /hold HTTP/1.1\r\nHost: localhost\r\nX-RequestType: NotificationWait\r\nCookie: sid=0123456789abcdef\r\n\r\n";
		fds[i] = dial(port);
		if (send(fds[i], request, sizeof(request) - 1, 0) < 0)
			exit(1);
	}
	while (atomic_load(&held) < HELD)
		usleep(1000);
	usleep(50000);
	size_t each = (mallinfo2().uordblks - before) / HELD;
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	sleep(2);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("{\"bench\":\"http\",\"what\":\"held request\",\"ops\":%d,\"bytes_each\":%zu,\"cpu_us_in_2_s\":%.0f}\n", HELD, each, cpu * 1e6);
	for (unsigned i = 0; i < HELD; ++i)
		close(fds[i]);
}

int main(int argc, char **argv)
{
	unsigned requests = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_http *h;
	struct gx_net *net;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct gx_http_route r = GX_HTTP_ROUTE_INIT;
	uint16_t port;
	lo.addr = "127.0.0.1:0";
	if (gx_http_new(&o, &h, a, NULL) != 0 || gx_net_new(&no, &net) != 0)
		return 1;
	r.methods = GX_HTTP_GET;
	r.path = "/hello";
	r.handle = hello;
	bool ok = gx_http_route(h, &r) == 0;
	r.path = "/hold";
	r.handle = hold;
	ok = ok && gx_http_route(h, &r) == 0 && gx_http_listen(h, net, &lo, &port, a, NULL) == 0 && gx_net_start(net) == 0;
	if (!ok)
		return 1;
	load(port, requests);
	wait_held(port);
	gx_net_stop(net, 1000);
	gx_net_free(net);
	gx_http_free(h);
	gx_arena_free(a);
	return atomic_load(&last_events) == HELD ? 0 : 1;
}
