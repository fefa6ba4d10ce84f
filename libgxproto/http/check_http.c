/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/http/httptest.h"

/* Requests and answers on a connection without a socket. */

#define GET "GET /hello HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *text, *status;
} heads[] = {
	{GET "\r\n", "200 OK"},
	{"\r\n\r\n" GET "\r\n", "200 OK"},
	{"GET /hello HTTP/1.0\r\n\r\n", "200 OK"},
	{"GET /hello HTTP/1.9\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET /hello?x HTTP/1.1\r\nHost:\r\n\r\n", "200 OK"},
	{"GET //x/..//./hello HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET /h%65llo HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET /echo/x/ HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET /ECHO/x HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"PROPFIND /echo HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"},
	{"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "500 Internal"},
	{"OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n", "204 No Content"},
	{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "204 No Content"},
	{"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"},
	{"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "405 Method"},
	{"GET /HELLO HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"},
	{"GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"},
	{"GET /echox HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"},
	{"GET /who HTTP/1.1\r\nHost: a\r\n\r\n", "403 Forbidden"},
	{"GET /../hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /x/%2e%2e/%2E%2e/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /x/..%2f..%2fhello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hel%00lo HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hel%0alo HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hel%zzlo HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello%6 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello#x HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello HTTP/1.1\r\n\r\n", "400 Bad"},
	{GET "Host: b\r\n\r\n", "400 Bad"},
	{"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP"},
	{"GET /hello HTTP/1.10\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello http/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hel\tlo HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello\r\nHost: a\r\n\r\n", "400 Bad"},
	{"G@T /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{" GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad"},
	{"GET /hello HTTP/1.1\nHost: a\n\n", "400 Bad"},
	{GET "\n", "400 Bad"},
	{GET "X: a\rb\r\n\r\n", "400 Bad"},
	{GET "X: a\x01z\r\n\r\n", "400 Bad"},
	{GET "X : a\r\n\r\n", "400 Bad"},
	{GET ": a\r\n\r\n", "400 Bad"},
	{GET "X\r\n\r\n", "400 Bad"},
	{GET "X: a\r\n folded\r\n\r\n", "400 Bad"},
	{GET "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400 Bad"},
	{GET "Content-Length: 1, 1\r\n\r\nx", "400 Bad"},
	{GET "Content-Length: +1\r\n\r\nx", "400 Bad"},
	{GET "Content-Length: -1\r\n\r\nx", "400 Bad"},
	{GET "Content-Length:\r\n\r\n", "400 Bad"},
	{GET "Content-Length: 9999999999999999999\r\n\r\n", "400 Bad"},
	{GET "Content-Length: 99999999999\r\n\r\n", "413 Content"},
	{GET "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad"},
	{GET "Transfer-Encoding: gzip, chunked\r\n\r\n", "501 Not"},
	{GET "Transfer-Encoding: identity\r\n\r\n", "501 Not"},
	{"GET /hello HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad"},
	{GET "Expect: tea\r\n\r\n", "417 Expectation"},
	{GET "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n1\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n1\r\nxy", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n0\r\nA: \x01\r\n", "400 Bad"},
	{GET "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\rc", "400 Bad"},
};

static void check_answer(struct rig *g, unsigned i)
{
	const char *got = gx_strbuf_cstr(&g->got);
	ck_assert_msg(strncmp(got, "HTTP/1.", 7) == 0 && strncmp(got + 9, heads[i].status, strlen(heads[i].status)) == 0,
		"case %u: \"%s\" gave \"%s\"", i, heads[i].text, got);
}

START_TEST(heads_good_and_bad)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); ++i) {
		rig_say(&g, heads[i].text);
		check_answer(&g, i);
		rig_again(&g);
		/* Byte by byte it is the same. */
		for (const char *p = heads[i].text; *p != '\0' && !g.closed; ++p)
			rig_give(&g, p, 1);
		check_answer(&g, i);
		rig_again(&g);
	}
	rig_close(&g);
}
END_TEST

START_TEST(what_a_handler_sees)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	rig_say(&g, "POST /echo/./a%20b/?x=1&q=c%2bd+e&q=2 HTTP/1.1\r\nHost: h.example\r\nCookie: a=b; c=\"d e\" ; x\r\nContent-Length: 4\r\n\r\nbody");
	rig_expect(&g, "POST /echo/a b/ host=h.example q=c+d e c=d e peer=127.0.0.1 user=- body=body\n");
	rig_forget(&g);
	rig_say(&g, "GET http://other.example?q HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?cc=1&q HTTP/1.1\r\nHost: h\r\nCookie: cc=1\r\nCookie: c=\r\n\r\n");
	rig_expect(&g, "404 Not Found");
	rig_expect(&g, "GET /echo host=h q= c= peer");
	ck_assert_str_eq(g.s.target, "GET /echo?cc=1&q");
	ck_assert_uint_eq(g.s.last.status, 200);
	ck_assert(!g.closed);
	rig_close(&g);
}
END_TEST

static void one_head(struct rig *g, const char *head, const char *a, const char *b)
{
	rig_say(g, head);
	rig_expect(g, a);
	rig_expect(g, b);
	rig_forget(g);
}

START_TEST(heads_of_answers)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.server_name = "gx";
	rig_open(&g, &o);
	one_head(&g, GET "\r\n", "Date: Thu, 01 Jan 1970 00:16:40 GMT\r\nServer: gx\r\nContent-Type: text/plain\r\n", "Content-Length: 6\r\n\r\nhello\n");
	rig_say(&g, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "Content-Length: 6\r\n\r\n");
	ck_assert(!rig_got(&g, "hello"));
	rig_forget(&g);
	rig_say(&g, "HEAD /source?n=50 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "Transfer-Encoding: chunked\r\n\r\n");
	ck_assert_uint_eq(g.s.dones, 1);
	one_head(&g, "OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n", "204", "Allow: GET, HEAD, OPTIONS\r\n");
	one_head(&g, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0 200", "Connection: keep-alive\r\n");
	ck_assert(!g.closed);
	one_head(&g, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", "200 OK", "Connection: close\r\n");
	ck_assert(g.closed);
	rig_again(&g);
	one_head(&g, "GET /source?n=60 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: close\r\n", "\r\n\r\nabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh");
	ck_assert(g.closed);
	rig_close(&g);
}
END_TEST

START_TEST(pipelines)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_strbuf all = GX_STRBUF_INIT;
	rig_open(&g, &o);
	for (unsigned i = 0; i < 50; ++i)
		gx_strbuf_printf(&all, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n%5uPOST /echo HTTP/1.1\r\nHost: a\r\n"
			"Transfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nab\r\n003\r\n%3u\r\n0\r\nTrailer: x\r\n\r\n", i, i);
	g.io.events |= GX_IO_EOF;
	rig_give(&g, all.s, all.len);
	const char *p = gx_strbuf_cstr(&g.got);
	for (unsigned i = 0; i < 50; ++i) {
		char one[20], two[20];
		snprintf(one, sizeof(one), "body=%5u\n", i);
		snprintf(two, sizeof(two), "body=ab%3u\n", i);
		p = strstr(p, one);
		ck_assert_msg(p != NULL, "%s", one);
		p = strstr(p, two);
		ck_assert_msg(p != NULL, "%s", two);
	}
	ck_assert(g.closed);
	gx_strbuf_release(&all);
	rig_close(&g);
}
END_TEST

START_TEST(limits)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_strbuf b = GX_STRBUF_INIT;
	o.head_max = 4000;
	o.target_max = 1000;
	o.fields_max = 10;
	o.body_max = 1000;
	rig_open(&g, &o);
	gx_strbuf_printf(&b, "GET /%01100d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	one_head(&g, b.s, "414 URI", "Connection: close");
	rig_again(&g);
	gx_strbuf_clear(&b);
	gx_strbuf_printf(&b, "GET /%04100d", 0);
	one_head(&g, b.s, "414 URI", "Connection: close");
	rig_again(&g);
	gx_strbuf_clear(&b);
	gx_strbuf_printf(&b, GET "X: %04100d", 0);
	one_head(&g, b.s, "431 Request", "Connection: close");
	rig_again(&g);
	gx_strbuf_clear(&b);
	gx_strbuf_printf(&b, GET "X: %04100d\r\n\r\n", 0);
	one_head(&g, b.s, "431 Request", "Connection: close");
	rig_again(&g);
	one_head(&g, GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n\r\n", "200 OK", "hello");
	one_head(&g, GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n10:\r\n\r\n", "431", "close");
	rig_again(&g);
	/* The answer comes while the client still sends, and what it sends is read for a while. */
	one_head(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", "413 Content", "\r\n\r\n413");
	rig_again(&g);
	one_head(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\nx", "", "");
	gx_strbuf_clear(&b);
	gx_strbuf_printf(&b, "%01000d", 0);
	one_head(&g, b.s, "413 Content", "Connection: close");
	ck_assert(!g.closed);
	rig_say(&g, "more");
	rig_wait(&g);
	ck_assert(g.closed);
	gx_strbuf_release(&b);
	rig_close(&g);
}
END_TEST

START_TEST(continue_is_said)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	rig_say(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
	ck_assert_str_eq(gx_strbuf_cstr(&g.got), "HTTP/1.1 100 Continue\r\n\r\n");
	rig_say(&g, "a");
	rig_forget(&g);
	rig_say(&g, "bc");
	rig_expect(&g, "body=abc\n");
	ck_assert(!rig_got(&g, "100"));
	/* Who sends at once is not told. */
	rig_forget(&g);
	rig_say(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
	ck_assert(!rig_got(&g, "100 Continue"));
	rig_forget(&g);
	rig_say(&g, "POST /sink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	ck_assert_str_eq(gx_strbuf_cstr(&g.got), "HTTP/1.1 100 Continue\r\n\r\n");
	rig_say(&g, "abc");
	rig_expect(&g, "3 bytes\n");
	/* A final answer instead: what follows could be a body or a request. */
	rig_forget(&g);
	rig_say(&g, "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	rig_expect(&g, "404 Not Found");
	rig_expect(&g, "Connection: close");
	rig_close(&g);
}
END_TEST

START_TEST(unread_bodies)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	rig_say(&g, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nGET ");
	rig_expect(&g, "404 Not Found");
	rig_forget(&g);
	rig_say(&g, "/x" GET "\r\n");
	rig_expect(&g, "hello\n");
	ck_assert(!g.closed);
	rig_say(&g, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
	rig_wait(&g);
	ck_assert(g.closed);
	rig_close(&g);
}
END_TEST

START_TEST(deadlines)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.idle_ms = 5000;
	o.head_ms = 1000;
	o.body_ms = 2000;
	rig_open(&g, &o);
	rig_run(&g);
	ck_assert_int_eq(g.io.deadline_ms - g.s.now_ms, 5000);
	rig_wait(&g);
	ck_assert(g.closed);
	ck_assert_uint_eq(g.got.len, 0);
	rig_again(&g);
	/* A byte now and then does not help. */
	rig_say(&g, "G");
	for (unsigned i = 0; i < 9; ++i) {
		g.s.now_ms += 100;
		rig_say(&g, "E");
	}
	ck_assert_int_eq(g.io.deadline_ms - g.s.now_ms, 100);
	rig_wait(&g);
	rig_expect(&g, "408 Request Timeout");
	rig_again(&g);
	/* A body earns a second with each KiB. */
	rig_say(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	ck_assert_int_eq(g.io.deadline_ms - g.s.now_ms, 2000);
	char kib[1024];
	memset(kib, 'x', sizeof(kib));
	rig_give(&g, kib, sizeof(kib));
	ck_assert_int_eq(g.io.deadline_ms - g.s.now_ms, 3000);
	rig_wait(&g);
	rig_expect(&g, "408 Request Timeout");
	rig_again(&g);
	rig_say(&g, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	rig_wait(&g);
	ck_assert(g.closed);
	ck_assert_uint_eq(g.s.events[GX_HTTP_EV_GONE], 1);
	ck_assert_uint_eq(g.s.events[GX_HTTP_EV_DONE], 1);
	rig_close(&g);
}
END_TEST

/* Joins chunks; @return NULL when it does not end as it should. */
static char *unchunk(const char *p, size_t *ret_n)
{
	char *out = malloc(strlen(p) + 1), *end;
	*ret_n = 0;
	for (;;) {
		size_t n = strtoul(p, &end, 16);
		if (end == p || strncmp(end, "\r\n", 2) != 0 || strlen(end) < n + 4) {
			free(out);
			return NULL;
		}
		memcpy(out + *ret_n, end + 2, n);
		*ret_n += n;
		p = end + 2 + n + 2;
		if (n == 0)
			return out;
	}
}

static void check_letters(const char *p, size_t n, size_t want)
{
	size_t wrong = 0;
	ck_assert_uint_eq(n, want);
	for (size_t i = 0; i < n; ++i)
		wrong += p[i] != (char)('a' + i % 26);
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(large_answers)
{
	struct rig g;
	size_t n;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	rig_say(&g, "GET /big?n=1000000 HTTP/1.1\r\nHost: a\r\n\r\n");
	const char *body = strstr(g.got.s, "\r\n\r\n") + 4;
	check_letters(body, strlen(body), 1000000);
	rig_forget(&g);
	rig_say(&g, "GET /source?n=300000&known HTTP/1.1\r\nHost: a\r\n\r\n");
	body = strstr(g.got.s, "\r\n\r\n") + 4;
	check_letters(body, strlen(body), 300000);
	rig_forget(&g);
	rig_say(&g, "GET /source?n=300000 HTTP/1.1\r\nHost: a\r\n\r\n");
	char *joined = unchunk(strstr(g.got.s, "\r\n\r\n") + 4, &n);
	ck_assert_ptr_nonnull(joined);
	check_letters(joined, n, 300000);
	free(joined);
	ck_assert_uint_eq(g.s.last.bytes_out, 300000);
	/* What breaks off is seen to be broken. */
	rig_forget(&g);
	rig_say(&g, "GET /source?n=300000&fail=150000 HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_ptr_null(unchunk(strstr(g.got.s, "\r\n\r\n") + 4, &n));
	ck_assert(g.closed);
	ck_assert_uint_eq(g.s.dones, 3);
	rig_close(&g);
}
END_TEST

START_TEST(long_poll)
{
	struct rig g;
	size_t n;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	rig_say(&g, "GET /hold?poll HTTP/1.1\r\nHost: a\r\n\r\n" GET "\r\n");
	rig_expect(&g, "\r\n\r\nc\r\nPROCESSING\r\n\r\n");
	ck_assert_int_eq(g.io.deadline_ms - g.s.now_ms, 15000);
	ck_assert_int_eq(g.want, GX_WANT_INPUT);
	for (unsigned i = 1; i <= 3; ++i) {
		rig_wait(&g);
		ck_assert_uint_eq(g.s.events[GX_HTTP_EV_TIMER], i);
	}
	ck_assert_int_eq(gx_http_stream_write(g.s.held[0], "DONE\r\n", 6), 0);
	ck_assert(g.woken);
	gx_http_stream_end(g.s.held[0]);
	rig_run(&g);
	char *joined = unchunk(strstr(g.got.s, "\r\n\r\n") + 4, &n);
	ck_assert_ptr_nonnull(joined);
	joined[n] = '\0';
	ck_assert_str_eq(joined, "PROCESSING\r\nPENDING\r\nPENDING\r\nPENDING\r\nDONE\r\n");
	free(joined);
	ck_assert_uint_eq(g.s.events[GX_HTTP_EV_DONE], 1);
	/* The request behind it had to wait. */
	rig_expect(&g, "hello\n");
	rig_close(&g);
}
END_TEST

START_TEST(room_in_a_stream)
{
	struct rig g;
	char block[100000];
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	memset(block, 'b', sizeof(block));
	rig_open(&g, &o);
	rig_say(&g, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	struct gx_http_req *r = g.s.held[0];
	ck_assert_int_eq(gx_http_stream_write(r, "x", 1), GX_E_STATE);
	ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, 500000), 0);
	ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, 500000), GX_E_STATE);
	for (unsigned i = 0; i < 2; ++i)
		ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), 0);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), GX_E_BUSY);
	ck_assert_uint_eq(g.s.events[GX_HTTP_EV_ROOM], 0);
	/* A peer that does not read leaves no room. */
	g.io.out_pending = 1000000;
	g.want = g.f.ops->step(g.engine, &g.io);
	ck_assert_int_eq(g.want, GX_WANT_DRAIN);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), GX_E_BUSY);
	g.io.out_pending = 0;
	rig_run(&g);
	ck_assert_uint_eq(g.s.events[GX_HTTP_EV_ROOM], 1);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), 0);
	rig_run(&g);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), 0);
	rig_run(&g);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), 0);
	ck_assert_int_eq(gx_http_stream_write(r, "x", 1), GX_E_RANGE);
	gx_http_stream_end(r);
	rig_run(&g);
	ck_assert_uint_eq(strlen(strstr(g.got.s, "\r\n\r\n") + 4), 500000);
	ck_assert(!g.closed);
	/* Less than was announced ends the connection. */
	rig_say(&g, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	r = g.s.held[1];
	ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, 10), 0);
	ck_assert_int_eq(gx_http_stream_write(r, "123", 3), 0);
	gx_http_stream_end(r);
	rig_run(&g);
	ck_assert(g.closed);
	rig_close(&g);
}
END_TEST

/* The last piece is there as a whole anyway: it needs no room, and nobody waits until the one before it was taken. */
START_TEST(last_piece_of_a_stream)
{
	struct rig g;
	static char block[1000000];
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	memset(block, 'b', sizeof(block));
	rig_open(&g, &o);
	rig_say(&g, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	struct gx_http_req *r = g.s.held[0];
	ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, -1), 0);
	ck_assert_int_eq(gx_http_stream_write(r, "first", 5), 0);
	ck_assert_int_eq(gx_http_stream_write(r, block, sizeof(block)), GX_E_BUSY);
	gx_http_stream_end_with(r, block, sizeof(block));
	rig_run(&g);
	ck_assert_ptr_nonnull(strstr(g.got.s, "\r\n\r\n5\r\nfirst\r\nf4240\r\nbbb"));
	ck_assert_ptr_nonnull(strstr(g.got.s, "b\r\n0\r\n\r\n"));
	ck_assert(!g.closed);
	/* More or less than was announced is an error as ever. */
	rig_say(&g, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	r = g.s.held[1];
	ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, 10), 0);
	gx_http_stream_end_with(r, "12345678901", 11);
	rig_run(&g);
	ck_assert(g.closed);
	rig_close(&g);
}
END_TEST

/* Until which point the client stays. */
static const char *const stages[] = {
	"", "GET /hel", GET, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
	"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /hold?poll HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hold?keep HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /hold?keep&poll HTTP/1.1\r\nHost: a\r\n\r\n", "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
	"POST /sink?both&keep HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
	"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
};

/* @param how 0: end of input, then the connection; 1: the connection at once; 2: the server stops */
static void leave_at(struct rig *g, const char *stage, unsigned how)
{
	unsigned before = g->s.nheld, gone = g->s.events[GX_HTTP_EV_GONE], stop = g->s.events[GX_HTTP_EV_STOP];
	bool holds = strstr(stage, "/hold") != NULL, keeps = strstr(stage, "keep") != NULL;
	rig_say(g, stage);
	if (how == 0)
		rig_event(g, GX_IO_EOF);
	if (how == 2)
		rig_event(g, GX_IO_SHUTDOWN);
	if (how == 2 && (holds || strstr(stage, "/sink") != NULL))
		ck_assert_uint_eq(g->s.events[GX_HTTP_EV_STOP], stop + 1);
	rig_hang_up(g);
	if (how != 2 && holds)
		ck_assert_uint_eq(g->s.events[GX_HTTP_EV_GONE], gone + 1);
	if (holds && keeps) {
		/* Long after the client has gone its owner comes back. */
		struct gx_http_req *r = g->s.held[before];
		unsigned done = g->s.events[GX_HTTP_EV_DONE];
		ck_assert_int_eq(gx_http_stream_write(r, "x", 1), GX_E_STATE);
		if (strstr(stage, "poll") == NULL)
			gx_http_reply(r, 200, NULL, "late", 4);
		else
			gx_http_stream_end(r);
		ck_assert_uint_eq(g->s.events[GX_HTTP_EV_DONE], done + 1);
	}
	rig_connect(g);
}

START_TEST(hang_ups_everywhere)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); ++i) {
		if (strstr(stages[i], "both") == NULL)
			leave_at(&g, stages[i], (unsigned)_i);
	}
	rig_close(&g);
}
END_TEST

START_TEST(streamed_uploads)
{
	struct rig g;
	size_t n;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.body_max = 10;
	rig_open(&g, &o);
	rig_say(&g, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	rig_expect(&g, "\r\n\r\n0 bytes\n");
	rig_forget(&g);
	const char *text = "POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nA\r\n0123456789\r\n0\r\n\r\n";
	for (const char *p = text; *p != '\0'; ++p)
		rig_give(&g, p, 1);
	rig_expect(&g, "15 bytes\n");
	rig_forget(&g);
	/* Answered after the first piece: the rest is read over, or the connection ends. */
	rig_say(&g, "POST /sink?early HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n123");
	rig_expect(&g, "3 bytes\n");
	rig_forget(&g);
	rig_say(&g, "456789012345" GET "\r\n");
	rig_expect(&g, "hello\n");
	rig_forget(&g);
	/* Both ways at once. */
	rig_say(&g, "POST /sink?both HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
	rig_expect(&g, "\r\n\r\n3\r\nabc\r\n");
	rig_say(&g, "def");
	rig_expect(&g, "3\r\ndef\r\n");
	rig_say(&g, "ghi");
	char *joined = unchunk(strstr(g.got.s, "\r\n\r\n") + 4, &n);
	ck_assert_ptr_nonnull(joined);
	ck_assert(n == 9 && memcmp(joined, "abcdefghi", 9) == 0);
	free(joined);
	rig_forget(&g);
	ck_assert(!g.closed);
	rig_say(&g, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab!");
	rig_expect(&g, "413 Content");
	rig_again(&g);
	rig_say(&g, "POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeX");
	rig_expect(&g, "400 Bad Request");
	rig_close(&g);
}
END_TEST

static const char *rewritten(const struct gx_http_req *r, void *ctx)
{
	return strcmp(r->path, "/old") == 0 || strcmp(r->path, "/hello") == 0 ? "/new" : NULL;
}

START_TEST(rewriting)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	gx_http_set_rewrite(g.s.h, rewritten, NULL);
	rig_say(&g, "GET /old HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "GET /new host=a");
	rig_forget(&g);
	/* A route that takes no part sees what the client has said; the longer path wins. */
	rig_say(&g, GET "\r\n");
	rig_expect(&g, "hello\n");
	rig_close(&g);
}
END_TEST

static const struct {
	const char *peer, *headers, *want;
} fronts[] = {
	{"192.0.2.7", "X-Real: 198.51.100.1\r\n", "198.51.100.1"},
	{"192.0.2.7", "x-real: 10.0.0.1, 2001:db8::9\r\n", "2001:db8::9"},
	{"192.0.2.7", "X-Real: [2001:db8::9]:4711\r\n", "2001:db8::9"},
	{"192.0.2.7", "X-Real: 198.51.100.1:80\r\n", "198.51.100.1"},
	{"192.0.2.7", "X-Real: <script>\r\n", "192.0.2.7"},
	{"192.0.2.7", "X-Real: \r\n", "192.0.2.7"},
	{"192.0.2.7", "", "192.0.2.7"},
	{"192.0.3.7", "X-Real: 198.51.100.1\r\n", "192.0.3.7"},
	{"2001:db8:0:1::5", "X-Real: 198.51.100.1\r\n", "198.51.100.1"},
	{"2001:db8:0:2::5", "X-Real: 198.51.100.1\r\n", "2001:db8:0:2::5"},
};

START_TEST(requests_through_a_front)
{
	struct rig g;
	char text[200], want[100];
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.remote_host_hdr = "X-Real";
	o.fronts = "192.0.2.0/24, 2001:db8:0:1::/64";
	rig_open(&g, &o);
	for (unsigned i = 0; i < sizeof(fronts) / sizeof(fronts[0]); ++i) {
		g.io.peer = fronts[i].peer;
		g.io.peer_is_loopback = false;
		snprintf(text, sizeof(text), "GET /echo HTTP/1.1\r\nHost: a\r\n%s\r\n", fronts[i].headers);
		snprintf(want, sizeof(want), " peer=%s ", fronts[i].want);
		rig_say(&g, text);
		rig_expect(&g, want);
		rig_forget(&g);
	}
	rig_close(&g);
}
END_TEST

START_TEST(options_are_checked)
{
	static const char *const bad[] = {"x", "192.0.2.0/33", "192.0.2.0/", "::/129", "192.0.2.0/x", "1.2.3"};
	struct gx_arena *a = gx_arena_new(0);
	struct gx_http *h = NULL;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		const char *why = "";
		o.fronts = bad[i];
		ck_assert_int_eq(gx_http_new(&o, &h, a, &why), GX_E_FORMAT);
		ck_assert_ptr_nonnull(strstr(why, bad[i]));
	}
	o.fronts = NULL;
	o.server_name = "a\r\nX: y";
	ck_assert_int_eq(gx_http_new(&o, &h, a, NULL), GX_E_INVAL);
	gx_arena_free(a);
}
END_TEST

static int set_result;

static void do_set(struct gx_http_req *r, void *ctx)
{
	set_result = gx_http_set(r, "X-Good", "yes") == 0 && gx_http_set(r, "X-Bad", "a\r\nSet-Cookie: x") == GX_E_INVAL &&
		gx_http_set(r, "X Bad", "a") == GX_E_INVAL && gx_http_set(r, "", "a") == GX_E_INVAL &&
		gx_http_set(r, "Content-length", "5") == GX_E_INVAL && gx_http_set(r, "x", NULL) == GX_E_INVAL;
	gx_http_reply_status(r, 302, NULL);
}

START_TEST(headers_cannot_be_broken)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(&g, &o);
	add_route(&g.s, GX_HTTP_GET, "/set", 0, do_set, NULL);
	rig_say(&g, "GET /set HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "302 Found\r\n");
	rig_expect(&g, "X-Good: yes\r\n");
	ck_assert(set_result && !rig_got(&g, "Cookie"));
	rig_close(&g);
}
END_TEST

static const struct {
	const char *value;
	uint64_t size;
	int ret;
	uint64_t off, len;
} ranges[] = {
	{"bytes=0-0", 10, 0, 0, 1}, {"bytes=2-4", 10, 0, 2, 3}, {"Bytes=5-", 10, 0, 5, 5}, {"bytes=-3", 10, 0, 7, 3},
	{"bytes=-30", 10, 0, 0, 10}, {"bytes=8-99", 10, 0, 8, 2}, {"bytes=10-", 10, GX_E_RANGE, 0, 0}, {"bytes=-0", 10, GX_E_RANGE, 0, 0},
	{"bytes=0-", 0, GX_E_RANGE, 0, 0}, {"bytes=-1", 0, GX_E_RANGE, 0, 0}, {"bytes=4-2", 10, GX_E_UNSUP, 0, 0},
	{"bytes=1-2,4-5", 10, GX_E_UNSUP, 0, 0}, {"bytes=", 10, GX_E_UNSUP, 0, 0}, {"bytes=-", 10, GX_E_UNSUP, 0, 0},
	{"lines=1-2", 10, GX_E_UNSUP, 0, 0}, {"bytes=99999999999999999999999-", 10, GX_E_UNSUP, 0, 0}, {"bytes=1-x", 10, GX_E_UNSUP, 0, 0},
};

START_TEST(ranges_of_bytes)
{
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); ++i) {
		uint64_t off = 0, len = 0;
		ck_assert_msg(gx_http_parse_range(ranges[i].value, ranges[i].size, &off, &len) == ranges[i].ret, "%s", ranges[i].value);
		ck_assert_uint_eq(off, ranges[i].off);
		ck_assert_uint_eq(len, ranges[i].len);
	}
}
END_TEST

START_TEST(dates)
{
	static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
	static const char *const bad[] = {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Xyz 1994 08:49:37 GMT",
		"Sun, 40 Nov 1994 08:49:37 GMT", "784111777", "Sun, 06 Nov 1994 08:49:37 GMT x"};
	int64_t t;
	char text[30];
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); ++i) {
		ck_assert_msg(gx_http_parse_date(good[i], &t) == 0, "%s", good[i]);
		ck_assert_int_eq(t, 784111777);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
		ck_assert_msg(gx_http_parse_date(bad[i], &t) == GX_E_FORMAT, "%s", bad[i]);
	gx_http_print_date(784111777, text);
	ck_assert_str_eq(text, good[0]);
	gx_http_print_date(INT64_MAX, text);
	ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}
END_TEST

static void keep_line(const char *line, void *ctx)
{
	gx_strbuf_printf(ctx, "%s\n", line);
}

START_TEST(traffic_is_traced)
{
	struct rig g;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_strbuf lines = GX_STRBUF_INIT;
	o.trace = keep_line;
	o.trace_ctx = &lines;
	rig_open(&g, &o);
	rig_say(&g, "POST /echo HTTP/1.1\r\nHost: a\r\nAuthor");
	rig_say(&g, "IZATION: Basic c2VjcmV0\r\nContent-Length: 6\r\n\r\na\tb\n\x01z");
	rig_expect(&g, "200 OK");
	char *more = malloc(3001);
	memset(more, 'S', 3000);
	more[3000] = '\0';
	rig_say(&g, "GET /hello HTTP/1.1\r\nProxy-Authorization: ");
	rig_say(&g, more);
	rig_say(&g, "\r\nHost: a\r\n\r\n");
	rig_expect(&g, "hello");
	ck_assert_ptr_nonnull(strstr(lines.s, "http [1] 127.0.0.1 > POST /echo HTTP/1.1\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " > Authorization: (left out)\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " > a\\x09b\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " > \\x01z\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " < HTTP/1.1 200 OK\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " < hello\n"));
	ck_assert_ptr_nonnull(strstr(lines.s, " > Host: a\n"));
	ck_assert_ptr_null(strstr(lines.s, "c2Vj"));
	ck_assert_ptr_null(strstr(lines.s, "SSSS"));
	rig_close(&g);
	free(more);
	gx_strbuf_release(&lines);
}
END_TEST

static Suite *http_suite(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("http");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, heads_good_and_bad);
	tcase_add_test(t, what_a_handler_sees);
	tcase_add_test(t, heads_of_answers);
	tcase_add_test(t, pipelines);
	tcase_add_test(t, limits);
	tcase_add_test(t, continue_is_said);
	tcase_add_test(t, unread_bodies);
	tcase_add_test(t, deadlines);
	tcase_add_test(t, large_answers);
	tcase_add_test(t, long_poll);
	tcase_add_test(t, room_in_a_stream);
	tcase_add_test(t, last_piece_of_a_stream);
	tcase_add_loop_test(t, hang_ups_everywhere, 0, 3);
	tcase_add_test(t, streamed_uploads);
	tcase_add_test(t, rewriting);
	tcase_add_test(t, requests_through_a_front);
	tcase_add_test(t, options_are_checked);
	tcase_add_test(t, headers_cannot_be_broken);
	tcase_add_test(t, traffic_is_traced);
	tcase_add_test(t, ranges_of_bytes);
	tcase_add_test(t, dates);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(http_suite)
