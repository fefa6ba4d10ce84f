/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "libgxproto/http/fastcgi.h"
#include "libgxproto/http/httptest.h"

/* A server of scripts whose behaviour follows from the script's name. */

static char dir[60];
static struct gx_arena *arena;
static int listener;
static pthread_t thread;
static atomic_uint served, waiting;

struct call {
	struct gx_strbuf params; /* "NAME=value\n" */
	struct gx_strbuf body;
	size_t body_len;
};

static bool read_all(int fd, void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = recv(fd, (char *)p + done, n - done, 0);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static size_t length(const uint8_t **io_p)
{
	const uint8_t *p = *io_p;
	size_t n = *p & 0x80 ? (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3] : *p;
	*io_p += *p & 0x80 ? 4 : 1;
	return n;
}

static void take_params(struct call *c, const uint8_t *p, size_t n)
{
	for (const uint8_t *end = p + n; p < end;) {
		size_t name = length(&p), value = length(&p);
		gx_strbuf_printf(&c->params, "%.*s=%.*s\n", (int)name, (const char *)p, (int)value, (const char *)p + name);
		p += name + value;
	}
}

/* Up to the end of the input, or of the parameters. */
static bool read_call(int fd, struct call *c, bool whole)
{
	static uint8_t content[65536 + 256];
	uint8_t h[8];
	while (read_all(fd, h, 8)) {
		size_t n = (size_t)h[4] << 8 | h[5];
		if (h[0] != 1 || !read_all(fd, content, n + h[6]))
			return false;
		if (h[1] == FCGI_PARAMS && n > 0)
			take_params(c, content, n);
		if (h[1] == FCGI_PARAMS && n == 0 && !whole)
			return true;
		if (h[1] == FCGI_STDIN && n == 0)
			return true;
		if (h[1] == FCGI_STDIN) {
			gx_strbuf_add(&c->body, content, n);
			c->body_len += n;
		}
	}
	return false;
}

static void put(int fd, uint8_t type, const void *p, size_t n, uint8_t padding)
{
	uint8_t h[8] = {1, type, 0, 1, (uint8_t)(n >> 8), (uint8_t)n, padding, 0};
	static const uint8_t zeros[256];
	(void)!sock_send(fd, h, 8);
	(void)!sock_send(fd, p, n);
	(void)!sock_send(fd, zeros, padding);
}

static void say(int fd, const char *text)
{
	put(fd, FCGI_STDOUT, text, strlen(text), 3);
}

static bool is(const struct call *c, const char *script)
{
	char line[200];
	snprintf(line, sizeof(line), "SCRIPT_FILENAME=%s/root/%s\n", dir, script);
	return strstr(gx_strbuf_cstr(&c->params), line) != NULL;
}

static void answer(int fd, const struct call *c)
{
	static const uint8_t end[8], refused[8] = {0, 0, 0, 0, 2};
	if (is(c, "echo.php") || is(c, "index.php") || is(c, "sub/index.php")) {
		const char *head = "Content-Type: text/plain\r\nX-Own: yes\r\nConnection: close\r\nX-Bad Name: x\r\n\r\n";
		for (const char *p = head; *p != '\0'; ++p)
			put(fd, FCGI_STDOUT, p, 1, 0);
		put(fd, FCGI_STDERR, "PHP Notice", 10, 0);
		put(fd, FCGI_STDOUT, c->params.s, c->params.len, 0);
		char text[60];
		snprintf(text, sizeof(text), "body=%zu:%.10s\n", c->body_len, gx_strbuf_cstr(&c->body));
		say(fd, text);
	} else if (is(c, "big.php")) {
		static char block[50000];
		memset(block, 'b', sizeof(block));
		say(fd, "Content-Length: 2000000\n\n");
		for (unsigned i = 0; i < 40; ++i)
			put(fd, FCGI_STDOUT, block, sizeof(block), 0);
	} else if (is(c, "status.php") || is(c, "early.php")) {
		say(fd, "Status: 404 Not here\nContent-Type: text/x\n\nnope");
	} else if (is(c, "redirect.php")) {
		say(fd, "Location: /else\r\n\r\n");
	} else if (is(c, "short.php")) {
		say(fd, "Content-Length: 10\n\nabc");
	} else if (is(c, "broken.php")) {
		say(fd, "Content-Type: text/plain\n\nabc");
		return;
	} else if (is(c, "headless.php")) {
		say(fd, "nonsense\n\n");
	} else if (is(c, "junk.php")) {
		(void)!send(fd, "HTTP/1.1 400", 12, MSG_NOSIGNAL);
		return;
	} else if (is(c, "refused.php")) {
		put(fd, FCGI_END, refused, 8, 0);
		return;
	} else if (is(c, "slow.php")) {
		char byte;
		atomic_fetch_add(&waiting, 1);
		(void)!recv(fd, &byte, 1, 0);
		return;
	}
	put(fd, FCGI_STDOUT, NULL, 0, 0);
	put(fd, FCGI_END, end, 8, 0);
}

static void *script_server(void *ctx)
{
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
		struct call c = {0};
		if (read_call(fd, &c, false) && (is(&c, "early.php") || read_call(fd, &c, true)))
			answer(fd, &c);
		gx_strbuf_release(&c.params);
		gx_strbuf_release(&c.body);
		atomic_fetch_add(&served, 1);
	}
	return NULL;
}

static const char *at(const char *name)
{
	return gx_arena_printf(arena, "%s/%s", dir, name);
}

static void touch(const char *name, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void set_up(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	arena = gx_arena_new(0);
	snprintf(dir, sizeof(dir), "/tmp/check_fastcgi.%d", (int)getpid());
	mkdir(dir, 0700);
	mkdir(at("root"), 0700);
	mkdir(at("root/sub"), 0700);
	mkdir(at("root/none"), 0700);
	touch("root/index.php", "");
	touch("root/sub/index.php", "");
	touch("root/LICENSE", "");
	touch("map", gx_arena_printf(arena, "* /app %s/root php index.php X-Extra|X-More %s/socket\n* /off %s/root php index.php | %s/nobody\n",
		dir, dir, dir, dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 10), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, script_server, NULL), 0);
}

static void tear_down(void)
{
	static const char *const names[] = {"root/index.php", "root/sub/index.php", "root/LICENSE", "map", "socket"};
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		unlink(at(names[i]));
	rmdir(at("root/sub"));
	rmdir(at("root/none"));
	rmdir(at("root"));
	ck_assert_int_eq(rmdir(dir), 0);
	gx_arena_free(arena);
}

static struct gx_http_fastcgi *fcgi;

static void do_script(struct gx_http_req *r, void *ctx)
{
	if (!gx_http_fastcgi_serve(fcgi, r))
		gx_http_reply_status(r, 404, "not mine");
}

static void open_site(struct rig *g, uint32_t exec_seconds)
{
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_http_fastcgi_opts fo = GX_HTTP_FASTCGI_OPTS_INIT;
	const char *why = "";
	fo.map_path = at("map");
	fo.flush_size = 1000;
	fo.body_max = 1000000;
	fo.exec_seconds = exec_seconds;
	ck_assert_msg(gx_http_fastcgi_new(&fo, &fcgi, arena, &why) == 0, "%s", why);
	rig_open(g, &o);
	add_route(&g->s, GX_HTTP_ANY, "/app", GX_HTTP_PREFIX | GX_HTTP_STREAM_BODY, do_script, NULL);
	add_route(&g->s, GX_HTTP_ANY, "/off", GX_HTTP_PREFIX | GX_HTTP_STREAM_BODY, do_script, NULL);
}

static void close_site(struct rig *g)
{
	rig_hang_up(g);
	gx_http_fastcgi_free(fcgi);
	rig_close(g);
}

/* Steps when the other thread has something, until the request is over. */
static void finish(struct rig *g)
{
	struct gx_http_stats st;
	for (unsigned i = 0; i < 20000; ++i) {
		if (atomic_exchange(&g->woken, false))
			rig_event(g, GX_IO_WOKEN);
		gx_http_stats(g->s.h, &st);
		if (st.requests == 0)
			return;
		usleep(1000);
	}
	ck_abort_msg("not over: \"%.500s\"", gx_strbuf_cstr(&g->got));
}

static void ask(struct rig *g, const char *head, const char *body)
{
	rig_forget(g);
	rig_say(g, head);
	rig_say(g, body);
	finish(g);
}

static void get(struct rig *g, const char *path, const char *expected)
{
	ask(g, gx_arena_printf(arena, "GET %s HTTP/1.1\r\nHost: h.example:8080\r\n\r\n", path), "");
	rig_expect(g, expected);
	if (g->closed)
		rig_again(g);
}

START_TEST(parameters)
{
	struct rig g;
	open_site(&g, 60);
	ask(&g, "POST /app/echo.php/in/fo?a=b HTTP/1.1\r\nHost: h.example:8080\r\nContent-Type: text/y\r\nContent-Length: 5\r\nX-Extra: e\r\n"
		"X-Other: o\r\nProxy: evil\r\nCookie: c\r\n\r\n", "12345");
	static const char *const want[] = {"200 OK\r\n", "Content-Type: text/plain\r\n", "X-Own: yes\r\n", "REQUEST_METHOD=POST\n",
		"REQUEST_URI=/app/echo.php/in/fo?a=b\n", "QUERY_STRING=a=b\n", "SCRIPT_NAME=/app/echo.php\n", "PATH_INFO=/in/fo\n",
		"CONTENT_TYPE=text/y\n", "CONTENT_LENGTH=5\n", "HTTP_X_EXTRA=e\n", "HTTP_COOKIE=c\n", "HTTP_HOST=h.example:8080\n",
		"SERVER_NAME=h.example\n", "SERVER_PORT=8080\n", "REMOTE_ADDR=127.0.0.1\n", "SERVER_PROTOCOL=HTTP/1.1\n", "body=5:12345\n"};
	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); ++i)
		rig_expect(&g, want[i]);
	ck_assert(!rig_got(&g, "HTTP_PROXY") && !rig_got(&g, "HTTP_X_OTHER") && !rig_got(&g, "X-Bad") && !rig_got(&g, "Connection: close"));
	close_site(&g);
}
END_TEST

START_TEST(which_script)
{
	struct rig g;
	open_site(&g, 60);
	get(&g, "/app", "SCRIPT_NAME=/app/index.php\n");
	get(&g, "/app/", "SCRIPT_NAME=/app/index.php\n");
	get(&g, "/app/sub", "SCRIPT_NAME=/app/sub/index.php\n");
	get(&g, "/app/sub/", "SCRIPT_NAME=/app/sub/index.php\n");
	get(&g, "/app/calendars/anna", "SCRIPT_NAME=/app/index.php\n");
	rig_expect(&g, "PATH_INFO=/calendars/anna\n");
	get(&g, "/app/none/", "not mine");
	get(&g, "/app/LICENSE", "not mine");
	get(&g, "/app/style.css", "not mine");
	get(&g, "/app/.php", "not mine");
	close_site(&g);
}
END_TEST

START_TEST(bodies_in_files)
{
	struct rig g;
	char *body = malloc(900001);
	memset(body, 'x', 900000);
	body[900000] = '\0';
	open_site(&g, 60);
	ask(&g, "POST /app/echo.php HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n", body);
	rig_expect(&g, "body=900000:xxxxxxxxxx\n");
	ask(&g, "POST /app/echo.php HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ndbba0\r\n", gx_arena_printf(arena, "%s\r\n0\r\n\r\n", body));
	rig_expect(&g, "CONTENT_LENGTH=900000\n");
	rig_expect(&g, "body=900000:xxxxxxxxxx\n");
	/* One that is not read. */
	ask(&g, "POST /app/early.php HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n", body);
	rig_expect(&g, "404 Not Found\r\n");
	ask(&g, "POST /app/echo.php HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n", "");
	rig_expect(&g, "413 Content");
	rig_again(&g);
	free(body);
	close_site(&g);
}
END_TEST

START_TEST(answers)
{
	struct rig g;
	open_site(&g, 60);
	get(&g, "/app/status.php", "404 Not Found\r\n");
	rig_expect(&g, "Content-Type: text/x\r\n");
	rig_expect(&g, "nope\r\n");
	get(&g, "/app/redirect.php", "302 Found\r\n");
	rig_expect(&g, "Location: /else\r\n");
	get(&g, "/app/big.php", "Content-Length: 2000000\r\n\r\nbbb");
	ck_assert_uint_gt(g.got.len, 2000000);
	ask(&g, "HEAD /app/big.php HTTP/1.1\r\nHost: a\r\n\r\n", "");
	rig_expect(&g, "Content-Length: 2000000\r\n\r\n");
	ck_assert_uint_lt(g.got.len, 1000);
	close_site(&g);
}
END_TEST

START_TEST(scripts_that_fail)
{
	struct rig g;
	open_site(&g, 60);
	get(&g, "/off/x.php", "503 Service");
	get(&g, "/app/nothing.php", "502 Bad Gateway");
	get(&g, "/app/junk.php", "502 Bad Gateway");
	get(&g, "/app/headless.php", "502 Bad Gateway");
	get(&g, "/app/refused.php", "503 Service");
	/* After the head nothing is left but to break off. */
	ask(&g, "GET /app/broken.php HTTP/1.1\r\nHost: a\r\n\r\n", "");
	ck_assert(g.closed && rig_got(&g, "200 OK") && !rig_got(&g, "\r\n0\r\n"));
	rig_again(&g);
	ask(&g, "GET /app/short.php HTTP/1.1\r\nHost: a\r\n\r\n", "");
	ck_assert(g.closed);
	rig_again(&g);
	close_site(&g);
	open_site(&g, 1);
	get(&g, "/app/slow.php", "504 Gateway Timeout");
	close_site(&g);
}
END_TEST

START_TEST(clients_that_leave)
{
	struct rig g;
	open_site(&g, 60);
	rig_say(&g, "POST /app/echo.php HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12");
	rig_again(&g);
	unsigned before = atomic_load(&served);
	rig_say(&g, "GET /app/slow.php HTTP/1.1\r\nHost: a\r\n\r\n");
	for (unsigned i = 0; i < 20000 && atomic_load(&waiting) == 0; ++i)
		usleep(1000);
	rig_event(&g, GX_IO_EOF);
	rig_hang_up(&g);
	/* The script's server sees that nobody waits any more. */
	for (unsigned i = 0; i < 20000 && atomic_load(&served) == before; ++i)
		usleep(1000);
	ck_assert_uint_ne(atomic_load(&served), before);
	close_site(&g);
}
END_TEST

START_TEST(maps)
{
	struct gx_http_fastcgi_opts fo = GX_HTTP_FASTCGI_OPTS_INIT;
	const char *why = "";
	fo.map_path = at("none");
	ck_assert_int_eq(gx_http_fastcgi_new(&fo, &fcgi, arena, &why), 0);
	ck_assert_uint_eq(fcgi->map.lines, 3);
	touch("none", "* /x /y php index.php | /s\n");
	ck_assert_int_eq(gx_http_fastcgi_reload(fcgi, arena, &why), 0);
	ck_assert_uint_eq(fcgi->map.lines, 1);
	touch("none", "* /x /y\n");
	ck_assert_int_eq(gx_http_fastcgi_reload(fcgi, arena, &why), GX_E_FORMAT);
	ck_assert_uint_eq(fcgi->map.lines, 1);
	unlink(at("none"));
	gx_http_fastcgi_free(fcgi);
	fo.map_path = at("map");
	touch("map", "* /x /y php index.php |");
	ck_assert_int_eq(gx_http_fastcgi_new(&fo, &fcgi, arena, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "line 1: expected seven words"));
	touch("map", "\n* /x /y php index.php | relative");
	ck_assert_int_eq(gx_http_fastcgi_new(&fo, &fcgi, arena, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "line 2: path"));
}
END_TEST

static Suite *fastcgi_suite(void)
{
	Suite *s = suite_create("fastcgi");
	TCase *t = tcase_create("fastcgi");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, parameters);
	tcase_add_test(t, which_script);
	tcase_add_test(t, bodies_in_files);
	tcase_add_test(t, answers);
	tcase_add_test(t, scripts_that_fail);
	tcase_add_test(t, clients_that_leave);
	tcase_add_test(t, maps);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(fastcgi_suite)
