/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/httpmod.h>
#include "libgxproto/http/httptest.h"
#include "libgxproto/http/map.h"

static char dir[60];
static struct gx_arena *arena;

static const char *at(const char *name)
{
	return gx_arena_printf(arena, "%s/%s", dir, name);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void set_up(void)
{
	arena = gx_arena_new(0);
	snprintf(dir, sizeof(dir), "/tmp/check_httpmod.%d", (int)getpid());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void tear_down(void)
{
	static const char *const names[] = {"map", "page.html", "big", "sub/file.TXT", "fifo", "data"};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		unlink(at(names[i]));
	rmdir(at("sub"));
	ck_assert_int_eq(rmdir(dir), 0);
	gx_arena_free(arena);
}

/* ---- Rewriting ---- */

static const char *rewrite(struct gx_http_rewrite *rw, const char *path)
{
	const struct gx_http_req r = {.path = path, .arena = arena};
	const char *other = gx_http_rewrite_path(&r, rw);
	return other == NULL ? "-" : other;
}

static struct gx_http_rewrite *rules(const char *text)
{
	struct gx_http_rewrite *rw = NULL;
	const char *why = "";
	if (text != NULL)
		write_file(at("map"), text);
	ck_assert_msg(gx_http_rewrite_new(text == NULL ? at("none") : at("map"), &rw, arena, &why) == 0, "%s", why);
	return rw;
}

START_TEST(rewriting)
{
	struct gx_http_rewrite *rw = rules(NULL);
	ck_assert_str_eq(rewrite(rw, "/Microsoft-Server-ActiveSync"), "/sync/index.php");
	ck_assert_str_eq(rewrite(rw, "/Microsoft-Server-ActiveSync/"), "/sync/index.php");
	ck_assert_str_eq(rewrite(rw, "/Microsoft-Server-ActiveSyncX"), "-");
	gx_http_rewrite_free(rw);
	rw = rules("");
	ck_assert_str_eq(rewrite(rw, "/Microsoft-Server-ActiveSync"), "-");
	gx_http_rewrite_free(rw);
	rw = rules("# comment\n\n^/\\([a-z]*\\)/\\([a-z]*\\).txt$ => /\\2/\\1.txt\r\n  ^/all   =>\t/x\\0\\\\\\9\n^/all/y => /never\n^/\\(.\\)-\\(.*\\)$ => /\\1\\2");
	ck_assert_str_eq(rewrite(rw, "/a/b.txt"), "/b/a.txt");
	ck_assert_str_eq(rewrite(rw, "/all/y"), "/x/all\\/y");
	ck_assert_str_eq(rewrite(rw, "/a-b/c"), "/ab/c");
	ck_assert_str_eq(rewrite(rw, "/.-./c"), "-");
	ck_assert_str_eq(rewrite(rw, "/.-."), "-");
	ck_assert_str_eq(rewrite(rw, "/none"), "-");
	gx_http_rewrite_free(rw);
}
END_TEST

START_TEST(rules_are_read_again)
{
	const char *why = "";
	struct gx_http_rewrite *rw = rules("^/a => /b");
	write_file(at("map"), "^/a => /c");
	ck_assert_int_eq(gx_http_rewrite_reload(rw, arena, &why), 0);
	ck_assert_str_eq(rewrite(rw, "/a"), "/c");
	write_file(at("map"), "^/a => c");
	ck_assert_int_eq(gx_http_rewrite_reload(rw, arena, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "line 1"));
	ck_assert_str_eq(rewrite(rw, "/a"), "/c");
	gx_http_rewrite_free(rw);
}
END_TEST

static const struct {
	const char *text, *why;
} bad_rules[] = {
	{"^/a /b", "line 1: expected three words"}, {"\n^/a => /b c", "line 2: expected three words"}, {"^/a -> /b", "line 1: expected REGEX"},
	{"^/a => b", "line 1: expected REGEX"}, {"^/\\(a => /b", "line 1: the regular expression is wrong"},
};

START_TEST(bad_maps_are_explained)
{
	const char *why;
	struct gx_http_rewrite *rw = NULL;
	struct gx_http_files *f = NULL;
	for (unsigned i = 0; i < sizeof(bad_rules) / sizeof(bad_rules[0]); ++i) {
		why = "";
		write_file(at("map"), bad_rules[i].text);
		ck_assert_int_eq(gx_http_rewrite_new(at("map"), &rw, arena, &why), GX_E_FORMAT);
		ck_assert_msg(strstr(why, bad_rules[i].why) != NULL && strstr(why, dir) != NULL, "case %u: %s", i, why);
	}
	write_file(at("map"), "* web /usr");
	ck_assert_int_eq(gx_http_files_new(at("map"), &f, arena, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "line 1: path and target"));
	write_file(at("map"), "* /web");
	ck_assert_int_eq(gx_http_files_new(at("map"), &f, arena, &why), GX_E_FORMAT);
	ck_assert_int_eq(gx_http_files_new(dir, &f, arena, &why), GX_E_IO);
}
END_TEST

START_TEST(hosts_and_prefixes)
{
	static const struct {
		const char *pattern, *host;
		bool yes;
	} hosts[] = {
		{"*", "", true}, {"*", "a", true}, {"a.example", "A.Example:80", true}, {"a.example", "b.a.example", false}, {"a.example", "", false},
		{"*.example", "a.example:443", true}, {"*.example", "example", false}, {"*.example", ".example", false}, {"[::1]", "[::1]:80", true},
		{"[::1]", "[::1", false},
	};
	for (unsigned i = 0; i < sizeof(hosts) / sizeof(hosts[0]); ++i)
		ck_assert_msg(gx_http__host_matches(hosts[i].pattern, hosts[i].host) == hosts[i].yes, "case %u", i);
	ck_assert_uint_eq(gx_http__below("/web", "/web"), 4);
	ck_assert_uint_eq(gx_http__below("/web/", "/web/x"), 4);
	ck_assert_uint_eq(gx_http__below("/web", "/website"), 0);
	ck_assert_uint_eq(gx_http__below("/", "/x"), 1);
}
END_TEST

/* ---- Files ---- */

static struct gx_http_files *files;

static void do_files(struct gx_http_req *r, void *ctx)
{
	if (!gx_http_files_serve(files, r))
		gx_http_reply_status(r, 404, "not mine");
}

static void open_files(struct rig *g)
{
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	const char *why = "";
	ck_assert_int_eq(mkdir(at("sub"), 0700), 0);
	write_file(at("page.html"), "0123456789");
	write_file(at("sub/file.TXT"), "text");
	write_file(at("data"), "d");
	write_file(at("big"), "");
	ck_assert_int_eq(truncate(at("big"), 300000), 0);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	struct timespec times[2] = {{.tv_sec = 784111777}, {.tv_sec = 784111777}};
	ck_assert_int_eq(utimensat(AT_FDCWD, at("page.html"), times, 0), 0);
	write_file(at("map"), gx_arena_printf(arena, "* /f %s\n* /f/one %s/data\nother.example /f/sub /nowhere\n", dir, dir));
	ck_assert_msg(gx_http_files_new(at("map"), &files, arena, &why) == 0, "%s", why);
	rig_open(g, &o);
	add_route(&g->s, GX_HTTP_ANY, "/f", GX_HTTP_PREFIX, do_files, NULL);
	add_route(&g->s, GX_HTTP_ANY, "/g", GX_HTTP_PREFIX, do_files, NULL);
}

static void ask(struct rig *g, const char *first, const char *headers)
{
	rig_forget(g);
	rig_say(g, gx_arena_printf(arena, "%s HTTP/1.1\r\nHost: a.example\r\n%s\r\n", first, headers));
}

START_TEST(files_and_conditions)
{
	struct rig g;
	open_files(&g);
	ask(&g, "GET /f/page.html", "");
	rig_expect(&g, "200 OK\r\n");
	rig_expect(&g, "Content-Type: text/html; charset=utf-8\r\nETag: \"");
	rig_expect(&g, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nAccept-Ranges: bytes\r\n");
	rig_expect(&g, "Content-Length: 10\r\n\r\n0123456789");
	const char *tag = strstr(g.got.s, "ETag: ") + 6;
	tag = gx_arena_strndup(arena, tag, strcspn(tag, "\r"));
	ask(&g, "HEAD /f/page.html", "");
	rig_expect(&g, "Content-Length: 10\r\n\r\n");
	ck_assert(!rig_got(&g, "0123"));
	ask(&g, "GET /f/page.html", gx_arena_printf(arena, "If-None-Match: \"x\", W/%s\r\n", tag));
	rig_expect(&g, "304 Not Modified\r\n");
	ask(&g, "GET /f/page.html", "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	rig_expect(&g, "200 OK\r\n");
	ask(&g, "GET /f/page.html", "If-None-Match: *\r\n");
	rig_expect(&g, "304 Not Modified\r\n");
	ask(&g, "GET /f/page.html", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	rig_expect(&g, "304 Not Modified\r\n");
	ask(&g, "GET /f/page.html", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n");
	rig_expect(&g, "200 OK\r\n");
	ask(&g, "GET /f/page.html", "Range: bytes=2-4\r\n");
	rig_expect(&g, "206 Partial Content\r\n");
	rig_expect(&g, "Content-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234");
	ask(&g, "GET /f/page.html", gx_arena_printf(arena, "Range: bytes=-1\r\nIf-Range: %s\r\n", tag));
	rig_expect(&g, "\r\n\r\n9");
	ask(&g, "GET /f/page.html", "Range: bytes=-1\r\nIf-Range: \"x\"\r\n");
	rig_expect(&g, "200 OK\r\n");
	ask(&g, "GET /f/page.html", "Range: bytes=10-\r\n");
	rig_expect(&g, "416 Range");
	rig_expect(&g, "Content-Range: bytes */10\r\n");
	ask(&g, "GET /f/page.html", "Range: bytes=0-1,3-4\r\n");
	rig_expect(&g, "\r\n\r\n0123456789");
	ask(&g, "GET /f/big", "Range: bytes=100000-\r\n");
	rig_expect(&g, "Content-Length: 200000\r\n");
	ck_assert_uint_gt(g.got.len, 200000);
	rig_close(&g);
	gx_http_files_free(files);
}
END_TEST

START_TEST(files_that_are_none)
{
	struct rig g;
	open_files(&g);
	ask(&g, "GET /f/sub/file.TXT", "");
	rig_expect(&g, "Content-Type: text/plain");
	ask(&g, "GET /f/one", "");
	rig_expect(&g, "application/octet-stream");
	rig_expect(&g, "\r\n\r\nd");
	static const char *const missing[] = {"/f", "/f/", "/f/sub", "/f/sub/", "/f/nothing", "/f/fifo", "/f/page.html/x", "/f/one/x", "/g/page.html"};
	for (unsigned i = 0; i < sizeof(missing) / sizeof(missing[0]); ++i) {
		ask(&g, gx_arena_printf(arena, "GET %s", missing[i]), "");
		rig_expect(&g, "404 Not Found");
	}
	ck_assert(rig_got(&g, "not mine"));
	ask(&g, "GET /f/%2e%2e/f/../../etc/passwd", "");
	rig_expect(&g, "400 Bad");
	rig_again(&g);
	ask(&g, "POST /f/page.html", "Content-Length: 0\r\n");
	rig_expect(&g, "405 Method");
	rig_expect(&g, "Allow: GET, HEAD\r\n");
	rig_forget(&g);
	rig_say(&g, "GET /f/sub/file.TXT HTTP/1.1\r\nHost: other.example\r\n\r\n");
	rig_expect(&g, "404");
	rig_close(&g);
	gx_http_files_free(files);
}
END_TEST

static Suite *httpmod_suite(void)
{
	Suite *s = suite_create("httpmod");
	TCase *t = tcase_create("httpmod");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, rewriting);
	tcase_add_test(t, rules_are_read_again);
	tcase_add_test(t, bad_maps_are_explained);
	tcase_add_test(t, hosts_and_prefixes);
	tcase_add_test(t, files_and_conditions);
	tcase_add_test(t, files_that_are_none);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(httpmod_suite)
