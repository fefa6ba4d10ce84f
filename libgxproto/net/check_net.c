/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/un.h>
#include "libgxproto/net/nettest.h"

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void await_living(int n)
{
	for (unsigned i = 0; i < 6000 && echo_living() != n; ++i)
		usleep(10000);
	ck_assert_int_eq(echo_living(), n);
}

/* What comes first of two lines of one length. */
static bool comes(int fd, const char *text, const char *other)
{
	char buf[20] = "";
	size_t n = 0, len = strlen(text);
	ck_assert(len == strlen(other) && len < sizeof(buf));
	while (n < len) {
		ssize_t got = sock_recv(fd, buf + n, len - n);
		ck_assert_int_gt(got, 0);
		n += (size_t)got;
	}
	ck_assert_msg(strcmp(buf, text) == 0 || strcmp(buf, other) == 0, "got \"%s\"", buf);
	return strcmp(buf, text) == 0;
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
			ssize_t got = sock_recv(fd[i], buf, left < sizeof(buf) ? left : sizeof(buf));
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
	await_living(0);
	await_said(&s, "does not read");
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
	await_said(&s, "not taken by the protocol");
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
	double began = sock_seconds();
	put(fd, "deadline 600000\ndeadline 100\nx\n");
	expect(fd, "hello\nx\ntimeout\n"); /* long before the first of them */
	expect_end(fd);
	ck_assert(sock_seconds() - began > 0.09);
	close(fd);
	/* One that is left standing is told once. */
	fd = dial(&s);
	put(fd, "patient\ndeadline 50\n");
	expect(fd, "hello\ntimeout\n");
	double cpu = cpu_seconds();
	usleep(150000);
	ck_assert(cpu_seconds() - cpu < 0.05);
	put(fd, "after\n");
	expect(fd, "after\n");
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(a_deadline_that_is_moved_away_does_not_fire)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 1);
	bool moved = false;
	/* Who is too late to move it tries again with more time. */
	for (unsigned ms = 500; !moved; ms *= 3) {
		char line[60];
		int fd = dial(&s);
		expect(fd, "hello\n");
		double began = sock_seconds();
		snprintf(line, sizeof(line), "patient\ndeadline %u\nx\n", ms);
		put(fd, line);
		expect(fd, "x\n");
		put(fd, "deadline 600000\nmoved..\n");
		moved = comes(fd, "moved..\n", "timeout\n");
		ck_assert(moved || sock_seconds() - began > ms / 1000.0);
		if (moved) {
			usleep(ms * 1400);
			put(fd, "still here\n");
			expect(fd, "still here\n");
		}
		close(fd);
	}
	end_server(&s);
}
END_TEST

START_TEST(shutdown_says_goodbye)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	int fd = dial(&s);
	expect(fd, "hello\n");
	gx_net_stop(s.net, 600000);
	expect(fd, "going down\n");
	expect_end(fd);
	close(fd);
	end_server(&s);
	ck_assert(!said(&s, "did not end in time"));
}
END_TEST

START_TEST(shutdown_cuts_off_what_does_not_end)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	serve(&s, &lo, 2);
	int busy = dial(&s);
	expect(busy, "hello\n");
	put(busy, "again 1000000000\n");
	expect(busy, "999999999\n");
	gx_net_stop(s.net, 300);
	ck_assert_int_eq(echo_living(), 0);
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
	struct gx_net_stats st = {.conns = 3};
	for (unsigned i = 0; i < 60000 && st.conns >= 3; ++i) {
		usleep(1000);
		gx_net_stats(s.net, &st);
	}
	more = dial(&s);
	expect(more, "hello\n");
	close(more);
	gx_net_stats(s.net, &st);
	ck_assert_uint_eq(st.refused, 1);
	await_said(&s, "too many connections");
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
	await_said(&s, "fd_limit");
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

/* An answer is there a little before its worker is free. */
static void await_rest(struct server *s)
{
	struct gx_net_stats st = {.workers_busy = 1};
	for (unsigned i = 0; i < 6000 && st.workers_busy + st.queued > 0; ++i) {
		usleep(10000);
		gx_net_stats(s->net, &st);
	}
	ck_assert_uint_eq(st.workers_busy + st.queued, 0);
}

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
		put(fd[i], "deadline 1000000\nwork\n");
	}
	for (unsigned i = 0; i < n; ++i)
		expect(fd[i], "hello\nworked\n");
	await_rest(&s);
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

static void await_ticks(int n)
{
	for (unsigned i = 0; i < 6000 && ticks < n; ++i)
		usleep(10000);
	ck_assert_int_eq(ticks, n);
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
	await_ticks(3);
	usleep(100000);
	ck_assert_int_eq(ticks, 3);
	int fd = dial(&s);
	expect(fd, "hello\n");
	await_ticks(6);
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
	await_said(&s, "PROXY protocol v2");
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
	sock_try(fd, "\r\n\r\n");
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
	tcase_add_test(t, a_deadline_that_is_moved_away_does_not_fire);
	tcase_add_test(t, shutdown_says_goodbye);
	tcase_add_test(t, shutdown_cuts_off_what_does_not_end);
	tcase_add_loop_test(t, limits_refuse_politely, 0, 2);
	tcase_add_test(t, no_descriptors_no_spin);
	tcase_add_test(t, listening_errors_name_the_remedy);
	tcase_add_test(t, unix_sockets);
	tcase_add_test(t, thousands_of_idle_connections);
	tcase_add_test(t, timers_sleep_and_jobs_run);
	tcase_add_test(t, proxy_headers);
	tcase_add_test(t, proxy_header_has_a_deadline);
	tcase_add_test(t, broken_proxy_headers);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(net_suite)
