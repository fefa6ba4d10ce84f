/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "libgxproto/net/echo.h"
#include "libgxproto/net/net-int.h"

struct server {
	struct gx_net *net;
	struct gx_arena *a;
	uint16_t port;
	pthread_mutex_t lock;
	char said[4000];
};

static void say(int level, const char *text, void *ctx)
{
	struct server *s = ctx;
	pthread_mutex_lock(&s->lock);
	size_t n = strlen(s->said);
	snprintf(s->said + n, sizeof(s->said) - n, "%s\n", text);
	pthread_mutex_unlock(&s->lock);
}

static bool said(struct server *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	bool yes = strstr(s->said, text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static struct gx_log server_log = {.write = say, .level = GX_LOG_DEBUG};

static void serve(struct server *s, struct gx_listen_opts *lo, unsigned workers)
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

static void end_server(struct server *s)
{
	gx_net_stop(s->net, 2000);
	ck_assert_int_eq(echo_living(), 0);
	gx_net_free(s->net);
	gx_arena_free(s->a);
}

static int dial(const struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval tv = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ck_assert_msg(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect: %s", strerror(errno));
	return fd;
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads exactly the expected text. */
static void expect(int fd, const char *text)
{
	char buf[1000];
	size_t n = 0, len = strlen(text);
	while (n < len) {
		ssize_t got = recv(fd, buf + n, len - n, 0);
		ck_assert_msg(got > 0, "expected \"%s\", got \"%.*s\" then %s", text, (int)n, buf, got == 0 ? "the end" : strerror(errno));
		n += (size_t)got;
	}
	ck_assert_msg(memcmp(buf, text, len) == 0, "expected \"%s\", got \"%.*s\"", text, (int)n, buf);
}

static void expect_end(int fd)
{
	char c;
	ssize_t got = recv(fd, &c, 1, 0);
	ck_assert_msg(got == 0 || (got < 0 && errno == ECONNRESET), "expected the end, got %zd %s", got, strerror(errno));
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- Plain ---- */

START_TEST(lines_come_back)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	int fd = dial(&s);
	expect(fd, "hello\n");
	put(fd, "one\ntwo\nthr");
	expect(fd, "one\ntwo\n");
	put(fd, "ee\npeer\n");
	expect(fd, "three\n127.0.0.1 127.0.0.1 1 plain\n");
	put(fd, "quit\nignored\n");
	expect(fd, "bye\n");
	expect_end(fd);
	close(fd);
	fd = dial(&s);
	put(fd, "last words\n");
	shutdown(fd, SHUT_WR);
	expect(fd, "hello\nlast words\n");
	expect_end(fd);
	close(fd);
	struct gx_net_stats st;
	gx_net_stats(s.net, &st);
	ck_assert_uint_eq(st.accepted, 2);
	end_server(&s);
}
END_TEST

START_TEST(workers_take_their_turn)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	int fd[20];
	for (unsigned i = 0; i < 20; ++i) {
		fd[i] = dial(&s);
		put(fd[i], "work\nagain 3\nwork\nx\nwork\nwait\ny\n");
	}
	for (unsigned i = 0; i < 20; ++i) {
		expect(fd[i], "hello\nworked\n2\n1\n0\nworked\nx\nworked\nwoken\ny\n");
		put(fd[i], "quit\n");
		expect(fd[i], "bye\n");
		close(fd[i]);
	}
	struct gx_net_stats st;
	gx_net_stats(s.net, &st);
	ck_assert_uint_le(st.workers, 2);
	end_server(&s);
}
END_TEST

static void check_big(const uint8_t *p, size_t len, unsigned long *io_left)
{
	size_t wrong = 0;
	for (size_t i = 0; i < len; ++i)
		wrong += p[i] != (*io_left - i) % 251;
	ck_assert_uint_eq(wrong, 0);
	*io_left -= len;
}

START_TEST(slow_readers_cost_bounded_memory)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	enum { BIG = 10000000, N = 8 };
	int fd[N];
	for (unsigned i = 0; i < N; ++i) {
		fd[i] = dial(&s);
		expect(fd[i], "hello\n");
		put(fd[i], "big 10000000\ndone\n");
	}
	usleep(200000);
	struct mallinfo2 m = mallinfo2();
	ck_assert_uint_lt(m.uordblks + m.hblkhd, N * 600000);
	static uint8_t buf[100000];
	for (unsigned i = 0; i < N; ++i) {
		unsigned long left = BIG;
		while (left > 0) {
			ssize_t got = recv(fd[i], buf, left < sizeof(buf) ? left : sizeof(buf), 0);
			ck_assert_int_gt(got, 0);
			check_big(buf, (size_t)got, &left);
		}
		expect(fd[i], "done\n");
		close(fd[i]);
	}
	end_server(&s);
}
END_TEST

START_TEST(pipelining_without_reading_is_held_back)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	lo.write_stall_ms = 300;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	char lines[6000];
	memset(lines, 'x', sizeof(lines));
	for (unsigned i = 99; i < sizeof(lines); i += 100)
		lines[i] = '\n';
	size_t sent = 0;
	for (unsigned i = 0; i < 3000; ++i) {
		ssize_t n = send(fd, lines, sizeof(lines), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0 && errno != EAGAIN)
			break;
		usleep(n < 0 ? 1000 : 0);
	}
	ck_assert_uint_lt(sent, 3000 * sizeof(lines));
	usleep(500000);
	ck_assert_int_eq(echo_living(), 0);
	ck_assert(said(&s, "does not read"));
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(endless_input_is_refused)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	expect(fd, "hello\n");
	char junk[4096];
	memset(junk, 'x', sizeof(junk));
	unsigned i = 0;
	while (i < 1000 && send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
		++i;
	expect_end(fd);
	ck_assert(said(&s, "not taken by the protocol"));
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(deadlines_fire_once)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	put(fd, "deadline 60000\ndeadline 100\nx\n");
	expect(fd, "hello\nx\n");
	struct timespec t0, t1;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	expect(fd, "timeout\n");
	expect_end(fd);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	double s_waited = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	ck_assert_msg(s_waited > 0.05 && s_waited < 2, "waited %f s", s_waited);
	close(fd);
	/* A deadline that is moved away does not fire. */
	fd = dial(&s);
	put(fd, "deadline 100\nx\n");
	expect(fd, "hello\nx\n");
	put(fd, "deadline 60000\ny\n");
	expect(fd, "y\n");
	usleep(250000);
	put(fd, "still here\n");
	expect(fd, "still here\n");
	/* One that is left standing is told once. */
	put(fd, "patient\ndeadline 50\n");
	expect(fd, "timeout\n");
	double cpu = cpu_seconds();
	usleep(150000);
	ck_assert(cpu_seconds() - cpu < 0.05);
	put(fd, "after\n");
	expect(fd, "after\n");
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(shutdown_says_goodbye)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	int fd = dial(&s), busy = dial(&s);
	expect(fd, "hello\n");
	expect(busy, "hello\n");
	put(busy, "again 1000000000\n");
	expect(busy, "999999999\n");
	gx_net_stop(s.net, 300);
	expect(fd, "going down\n");
	expect_end(fd);
	close(fd);
	close(busy);
	end_server(&s);
}
END_TEST

START_TEST(limits_refuse_politely)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	lo.max_conns = _i == 0 ? 3 : 0;
	lo.max_conns_per_ip = _i == 0 ? 0 : 3;
	lo.busy_text = "too busy\n";
	serve(&s, &lo, 1);
	int fd[3];
	for (unsigned i = 0; i < 3; ++i) {
		fd[i] = dial(&s);
		expect(fd[i], "hello\n");
	}
	int more = dial(&s);
	expect(more, "too busy\n");
	expect_end(more);
	close(more);
	put(fd[0], "quit\n");
	expect(fd[0], "bye\n");
	expect_end(fd[0]);
	close(fd[0]);
	for (unsigned i = 0; i < 200 && echo_living() == 3; ++i)
		usleep(1000);
	usleep(5000);
	more = dial(&s);
	expect(more, "hello\n");
	close(more);
	struct gx_net_stats st;
	gx_net_stats(s.net, &st);
	ck_assert_uint_eq(st.refused, 1);
	ck_assert(said(&s, "too many connections"));
	end_server(&s);
}
END_TEST

START_TEST(no_descriptors_no_spin)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	expect(fd, "hello\n");
	int more = socket(AF_INET, SOCK_STREAM, 0), hole = -1;
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	hole = dup(0);
	struct rlimit tight = {.rlim_cur = (rlim_t)hole, .rlim_max = rl.rlim_max};
	close(hole);
	setrlimit(RLIMIT_NOFILE, &tight);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(s.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(connect(more, (struct sockaddr *)&a, sizeof(a)), 0);
	double cpu = cpu_seconds();
	usleep(400000);
	ck_assert(cpu_seconds() - cpu < 0.1);
	ck_assert(said(&s, "fd_limit"));
	put(fd, "alive\n");
	expect(fd, "alive\n");
	setrlimit(RLIMIT_NOFILE, &rl);
	expect(more, "hello\n");
	close(fd);
	close(more);
	end_server(&s);
}
END_TEST

START_TEST(listening_errors_name_the_remedy)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	const char *why = NULL;
	char addr[100];
	serve(&s, &lo, 1);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", s.port);
	lo.addr = addr;
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, &why), GX_E_BUSY);
	ck_assert_ptr_nonnull(strstr(why, addr));
	ck_assert_ptr_nonnull(strstr(why, "another program uses this port"));
	lo.addr = "192.0.2.1:0";
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "no network interface"));
	lo.addr = "nonsense";
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "nonsense"));
	lo.addr = "/nonexistent/x.sock";
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "create it"));
	end_server(&s);
}
END_TEST

START_TEST(unix_sockets)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	char path[100];
	const char *why = NULL;
	snprintf(path, sizeof(path), "/tmp/check_net.%d.sock", (int)getpid());
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(stale, (struct sockaddr *)&un, sizeof(un)), 0);
	close(stale);
	lo.addr = path;
	serve(&s, &lo, 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	put(fd, "peer\n");
	expect(fd, "hello\nunix unix 1 plain\n");
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, &why), GX_E_BUSY);
	close(fd);
	end_server(&s);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* ---- Idle ---- */

START_TEST(thousands_of_idle_connections)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	unsigned n = rl.rlim_max >= 4200 ? 2000 : (unsigned)(rl.rlim_max - 100) / 2;
	serve(&s, &lo, 2);
	int *fd = calloc(n, sizeof(*fd));
	size_t before = mallinfo2().uordblks;
	for (unsigned i = 0; i < n; ++i) {
		fd[i] = dial(&s);
		expect(fd[i], "hello\n");
		put(fd[i], "deadline 100000\nwork\n");
		expect(fd[i], "worked\n");
	}
	usleep(50000);
	size_t each = (mallinfo2().uordblks - before) / n;
	printf("# %u idle connections, %zu bytes of heap each\n", n, each);
	ck_assert_uint_lt(each, 4096);
	double cpu = cpu_seconds();
	usleep(500000);
	printf("# %.6f s of CPU in half a second of idling\n", cpu_seconds() - cpu);
	ck_assert(cpu_seconds() - cpu < 0.02);
	for (unsigned i = 0; i < n; ++i)
		close(fd[i]);
	free(fd);
	end_server(&s);
}
END_TEST

static atomic_int ticks;

static bool tick(void *ctx)
{
	return (atomic_fetch_add(&ticks, 1) + 1) % 3 != 0;
}

static void job(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

START_TEST(timers_sleep_and_jobs_run)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	atomic_int jobs = 0;
	serve(&s, &lo, 2);
	ck_assert_int_eq(gx_net_timer(s.net, 10, tick, NULL), 0);
	for (unsigned i = 0; i < 100; ++i)
		ck_assert_int_eq(gx_net_run(s.net, job, &jobs), 0);
	usleep(300000);
	ck_assert_int_eq(ticks, 3);
	int fd = dial(&s);
	expect(fd, "hello\n");
	usleep(300000);
	ck_assert_int_eq(ticks, 6);
	close(fd);
	gx_net_stop(s.net, 1000);
	ck_assert_int_eq(jobs, 100);
	ck_assert_int_eq(gx_net_run(s.net, job, &jobs), GX_E_STATE);
	end_server(&s);
}
END_TEST

/* ---- PROXY ---- */

static const char proxy_v4[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" "\xc0\0\2\x05" "\xc0\0\2\x01" "\x12\x34\0\x8f";
static const char proxy_v6_tlv[] = "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x28" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x12\x34\0\x8f" "\x04\0\x01\x41";
static const char proxy_local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

static const struct {
	const char *p;
	size_t n;
	const char *answer;
} proxies[] = {
	{proxy_v4, sizeof(proxy_v4) - 1, "hello\n192.0.2.5 127.0.0.1 0 plain\n"},
	{proxy_v6_tlv, sizeof(proxy_v6_tlv) - 1, "hello\n2001:db8::7 127.0.0.1 0 plain\n"},
	{proxy_local, sizeof(proxy_local) - 1, "hello\n127.0.0.1 127.0.0.1 1 plain\n"},
};

START_TEST(proxy_headers)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	lo.haproxy = true;
	lo.max_conns_per_ip = 1;
	serve(&s, &lo, 1);
	for (unsigned i = 0; i < 3; ++i) {
		int fd = dial(&s), second = dial(&s);
		for (size_t k = 0; k < proxies[i].n; ++k)
			ck_assert_int_eq(send(fd, proxies[i].p + k, 1, 0), 1);
		put(fd, "peer\n");
		expect(fd, proxies[i].answer);
		ck_assert_int_eq(send(second, proxies[i].p, proxies[i].n, 0), (ssize_t)proxies[i].n);
		if (i < 2)
			expect_end(second);
		close(second);
		close(fd);
	}
	int fd = dial(&s);
	put(fd, "GET / HTTP/1.0\r\n\r\n");
	expect_end(fd);
	close(fd);
	ck_assert(said(&s, "PROXY protocol v2"));
	end_server(&s);
}
END_TEST

START_TEST(proxy_header_has_a_deadline)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	lo.haproxy = true;
	lo.handshake_ms = 50;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	put(fd, "\r\n\r\n");
	expect_end(fd);
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(broken_proxy_headers)
{
	for (unsigned i = 0; i < 3; ++i) {
		size_t used;
		struct gx_addr peer;
		bool local;
		for (size_t cut = 0; cut <= proxies[i].n; ++cut) {
			uint8_t *p = gxtest_exact(proxies[i].p, cut);
			int ret = gx_proxy__parse((struct gx_bin){p, cut}, &used, &peer, &local);
			ck_assert_int_eq(ret, cut < proxies[i].n ? GX_E_TRUNC : 0);
			free(p);
		}
		for (size_t bit = 0; bit < 8 * proxies[i].n; ++bit) {
			uint8_t *p = gxtest_exact(proxies[i].p, proxies[i].n);
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			int ret = gx_proxy__parse((struct gx_bin){p, proxies[i].n}, &used, &peer, &local);
			ck_assert(ret == 0 || ret == GX_E_TRUNC || ret == GX_E_FORMAT);
			ck_assert(ret != 0 || used <= proxies[i].n);
			ck_assert(bit / 8 >= 12 || ret == GX_E_FORMAT);
			free(p);
		}
	}
}
END_TEST

/* ---- TLS ---- */

static char cert_path[60], key_path[60];

static void write_pem(const char *path, const gnutls_datum_t *d)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, d->data, d->size), (ssize_t)d->size);
	close(fd);
}

static void make_cert(const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	snprintf(cert_path, sizeof(cert_path), "/tmp/check_net.%d.crt", (int)getpid());
	snprintf(key_path, sizeof(key_path), "/tmp/check_net.%d.key", (int)getpid());
	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	gnutls_x509_crt_set_key(crt, key);
	ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_pem(cert_path, &pem);
	gnutls_free(pem.data);
	ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_pem(key_path, &pem);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void drop_cert(void)
{
	unlink(cert_path);
	unlink(key_path);
}

static struct gx_tls *server_tls(const char *min_proto)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	struct gx_tls *t = NULL;
	const char *why = "";
	to.cert_path = cert_path;
	to.key_path = key_path;
	to.min_proto = min_proto;
	ck_assert_msg(gx_tls_new(&to, &t, a, &why) == 0, "%s", why);
	gx_arena_free(a);
	return t;
}

struct client {
	gnutls_session_t s;
	gnutls_certificate_credentials_t cred;
	int fd;
};

static int client_tls(struct client *c, int fd, const char *prio, const gnutls_datum_t *resume)
{
	c->fd = fd;
	gnutls_certificate_allocate_credentials(&c->cred);
	gnutls_init(&c->s, GNUTLS_CLIENT);
	gnutls_priority_set_direct(c->s, prio, NULL);
	gnutls_credentials_set(c->s, GNUTLS_CRD_CERTIFICATE, c->cred);
	gnutls_transport_set_int(c->s, fd);
	if (resume != NULL)
		gnutls_session_set_data(c->s, resume->data, resume->size);
	int ret;
	do
		ret = gnutls_handshake(c->s);
	while (ret == GNUTLS_E_INTERRUPTED);
	return ret;
}

static void tput(struct client *c, const char *text)
{
	ck_assert_int_eq(gnutls_record_send(c->s, text, strlen(text)), (ssize_t)strlen(text));
}

static void texpect(struct client *c, const char *text)
{
	char buf[1000];
	size_t n = 0, len = strlen(text);
	while (n < len) {
		ssize_t got = gnutls_record_recv(c->s, buf + n, len - n);
		if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
			continue;
		ck_assert_msg(got > 0, "expected \"%s\", got %zd", text, got);
		n += (size_t)got;
	}
	ck_assert_msg(memcmp(buf, text, len) == 0, "expected \"%s\", got \"%.*s\"", text, (int)n, buf);
}

static void client_end(struct client *c)
{
	gnutls_deinit(c->s);
	gnutls_certificate_free_credentials(c->cred);
	close(c->fd);
}

#define V12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define V13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
static const char *const versions[] = {V12, V13};

START_TEST(implicit_tls)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls("tls1.2");
	lo.implicit_tls = true;
	serve(&s, &lo, 2);
	ck_assert_int_eq(client_tls(&c, dial(&s), versions[_i], NULL), 0);
	texpect(&c, "hello\n");
	tput(&c, "peer\nwork\nwait\n");
	texpect(&c, "127.0.0.1 127.0.0.1 1 tls\nworked\nwoken\n");
	tput(&c, "big 3000000\n");
	static uint8_t buf[20000];
	for (unsigned long left = 3000000; left > 0;) {
		ssize_t got = gnutls_record_recv(c.s, buf, left < sizeof(buf) ? left : sizeof(buf));
		ck_assert_int_gt(got, 0);
		check_big(buf, (size_t)got, &left);
	}
	gnutls_datum_t session;
	tput(&c, "quit\n");
	texpect(&c, "bye\n");
	ck_assert_int_eq(gnutls_record_recv(c.s, buf, sizeof(buf)), 0);
	ck_assert_int_eq(gnutls_session_get_data2(c.s, &session), 0);
	client_end(&c);
	/* The ticket lets the client come back without a whole handshake. */
	ck_assert_int_eq(client_tls(&c, dial(&s), versions[_i], &session), 0);
	texpect(&c, "hello\n");
	ck_assert_int_eq(gnutls_session_is_resumed(c.s), 1);
	client_end(&c);
	gnutls_free(session.data);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(starttls)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	serve(&s, &lo, 2);
	int fd = dial(&s);
	expect(fd, "hello\n");
	put(fd, "starttls\n");
	expect(fd, "go ahead\n");
	ck_assert_int_eq(client_tls(&c, fd, versions[_i], NULL), 0);
	texpect(&c, "secret\n");
	tput(&c, "peer\n");
	texpect(&c, "127.0.0.1 127.0.0.1 1 tls\n");
	client_end(&c);
	/* Commands smuggled in behind STARTTLS break the handshake and are never run. */
	fd = dial(&s);
	expect(fd, "hello\n");
	put(fd, "starttls\nsmuggled\n");
	expect(fd, "go ahead\n");
	ck_assert_int_ne(client_tls(&c, fd, versions[_i], NULL), 0);
	client_end(&c);
	end_server(&s);
	ck_assert(said(&s, "TLS handshake failed"));
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(shutdown_does_not_wait_for_handshakes)
{
	struct server s;
	struct timespec t0, t1;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	put(fd, "\x16\x03");
	usleep(20000);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	gx_net_stop(s.net, 20000);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ck_assert_int_lt(t1.tv_sec - t0.tv_sec, 5);
	close(fd);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(old_tls_and_silence_are_refused)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls("tls1.3");
	lo.implicit_tls = true;
	lo.handshake_ms = 100;
	serve(&s, &lo, 1);
	ck_assert_int_ne(client_tls(&c, dial(&s), V12, NULL), 0);
	client_end(&c);
	int fd = dial(&s);
	expect_end(fd);
	close(fd);
	fd = dial(&s);
	put(fd, "EHLO plain.example\r\n");
	char buf[100];
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

static void subject_of(struct client *c, char *out, size_t cap)
{
	unsigned n;
	const gnutls_datum_t *d = gnutls_certificate_get_peers(c->s, &n);
	gnutls_x509_crt_t crt;
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, d, GNUTLS_X509_FMT_DER);
	gnutls_x509_crt_get_dn(crt, out, &cap);
	gnutls_x509_crt_deinit(crt);
}

START_TEST(certificates_reload)
{
	struct server s;
	struct client c, d;
	char name[100];
	const char *why = NULL;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("first.example");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 1);
	ck_assert_int_eq(client_tls(&c, dial(&s), V13, NULL), 0);
	subject_of(&c, name, sizeof(name));
	ck_assert_str_eq(name, "CN=first.example");
	make_cert("second.example");
	ck_assert_int_eq(gx_tls_reload(lo.tls, s.a, &why), 0);
	ck_assert_int_eq(client_tls(&d, dial(&s), V13, NULL), 0);
	subject_of(&d, name, sizeof(name));
	ck_assert_str_eq(name, "CN=second.example");
	texpect(&c, "hello\n");
	tput(&c, "old\n");
	texpect(&c, "old\n");
	unlink(key_path);
	ck_assert_int_eq(gx_tls_reload(lo.tls, s.a, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, key_path));
	client_end(&c);
	client_end(&d);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(bad_certificates_are_explained)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	struct gx_tls *t = NULL;
	const char *why = "";
	char first_key[100], list[250];
	make_cert("a.example");
	snprintf(first_key, sizeof(first_key), "%s.old", key_path);
	rename(key_path, first_key);
	make_cert("b.example");
	to.cert_path = cert_path;
	to.key_path = first_key;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "does not belong"));
	to.key_path = cert_path;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_FORMAT);
	snprintf(list, sizeof(list), "%s:%s", cert_path, cert_path);
	to.cert_path = list;
	to.key_path = key_path;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	to.cert_path = "";
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	to.cert_path = cert_path;
	to.min_proto = "ssl3";
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	ck_assert_ptr_nonnull(strstr(why, "tls_min_proto"));
	ck_assert_ptr_null(t);
	unlink(first_key);
	drop_cert();
	gx_arena_free(a);
}
END_TEST

START_TEST(idle_tls_connections)
{
	enum { N = 200 };
	struct server s;
	static struct client c[N];
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 2);
	for (unsigned i = 0; i < N; ++i) {
		ck_assert_int_eq(client_tls(&c[i], dial(&s), "NORMAL", NULL), 0);
		texpect(&c[i], "hello\n");
	}
	/* Client sessions are freed, so that what is left is the server's. */
	usleep(50000);
	for (unsigned i = 0; i < N; ++i) {
		gnutls_deinit(c[i].s);
		gnutls_certificate_free_credentials(c[i].cred);
	}
	size_t with = mallinfo2().uordblks;
	for (unsigned i = 0; i < N; ++i)
		close(c[i].fd);
	for (unsigned i = 0; i < 1000 && echo_living() > 0; ++i)
		usleep(1000);
	usleep(20000);
	size_t each = (with - mallinfo2().uordblks) / N;
	printf("# idle TLS connection: %zu bytes of heap each\n", each);
	ck_assert_uint_lt(each, 48 << 10);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

static Suite *net_suite(void)
{
	Suite *s = suite_create("net");
	TCase *t = tcase_create("net");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, lines_come_back);
	tcase_add_test(t, workers_take_their_turn);
	tcase_add_test(t, slow_readers_cost_bounded_memory);
	tcase_add_test(t, pipelining_without_reading_is_held_back);
	tcase_add_test(t, endless_input_is_refused);
	tcase_add_test(t, deadlines_fire_once);
	tcase_add_test(t, shutdown_says_goodbye);
	tcase_add_loop_test(t, limits_refuse_politely, 0, 2);
	tcase_add_test(t, no_descriptors_no_spin);
	tcase_add_test(t, listening_errors_name_the_remedy);
	tcase_add_test(t, unix_sockets);
	tcase_add_test(t, thousands_of_idle_connections);
	tcase_add_test(t, timers_sleep_and_jobs_run);
	tcase_add_test(t, proxy_headers);
	tcase_add_test(t, proxy_header_has_a_deadline);
	tcase_add_test(t, broken_proxy_headers);
	tcase_add_loop_test(t, implicit_tls, 0, 2);
	tcase_add_loop_test(t, starttls, 0, 2);
	tcase_add_test(t, shutdown_does_not_wait_for_handshakes);
	tcase_add_test(t, old_tls_and_silence_are_refused);
	tcase_add_test(t, certificates_reload);
	tcase_add_test(t, bad_certificates_are_explained);
	tcase_add_test(t, idle_tls_connections);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(net_suite)
