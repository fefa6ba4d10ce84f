/* SPDX-License-Identifier: Apache-2.0 */
/* MAPI/HTTP over a socket: a server with both endpoints, and a client that asks one request type after the other; with GX_TEST_HTTPS set over TLS. */
#ifndef GX_MHTEST_H
#define GX_MHTEST_H
#include <arpa/inet.h>
#include <sys/select.h>
#include <gx/codec.h>
#include <gx/entryid.h>
#include <gx/mapihttp.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/mapihttp/servetest.h"

static struct serve server;
static gnutls_session_t tls_of[FD_SETSIZE];   /* by connection; NULL: in the clear */
static struct gx_nsp *nsp;
static char cookies[400];
static const char *path = "/mapi/emsmdb"; /* where requests go */
static uint32_t patience = 120;              /* of NotificationWait, ms */
static bool (*hand_on)(struct gx_http_req *r, void *ctx);
static char *templates;                     /* an empty directory */

/* Answers are whole, however slow the machine is; who looks at others sets less. */
static uint32_t late_ms = UINT32_MAX;

static inline void setup(void)
{
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	struct gx_nsp_opts po = GX_NSP_OPTS_INIT;
	et_setup();
	templates = strdup(st_dir());
	po.dir = et_people;
	po.pool = et_pool;
	po.org_name = "o";
	po.host = "mail.example.org";
	po.template_dir = templates;
	po.cache_ms = 1;
	ck_assert_int_eq(gx_nsp_new(&po, &nsp), 0);
	mo.ems = et_ems;
	mo.nsp = nsp;
	mo.pending_ms = 50;
	mo.late_ms = late_ms;
	mo.wait_ms = patience;
	mo.hand_on = hand_on;
	serve_start(&server, et_a, et_people, &mo, eh_wanted() ? eh_self_signed(et_a, templates) : NULL);
	cookies[0] = '\0';
}

static inline void teardown(void)
{
	serve_stop(&server);
	gx_nsp_free(nsp);
	st_rmtree(templates);
	free(templates);
	et_teardown();
}

/* ---- A client that reads to the end ---- */

struct reply {
	unsigned status;
	int code;               /* X-ResponseCode, -1: none */
	const char *head;
	struct gx_bin body;     /* without chunks */
};

static inline struct gx_bin dechunk(const char *p, const char *end)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	for (;;) {
		char *next;
		size_t n = strtoul(p, &next, 16);
		ck_assert_msg(next != p && end - next >= 4, "bad chunk");
		if (n == 0)
			break;
		gx_push_bytes(&out, next + 2, n);
		p = next + 2 + n + 2;
	}
	ck_assert_int_eq(gx_push_finish(&out, et_a, &b), 0);
	gx_push_release(&out);
	return b;
}

static inline const char *field(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at == NULL ? NULL : gx_arena_strndup(et_a, at + strlen(name) + 2, strcspn(at + strlen(name) + 2, "\r"));
}

static inline void keep_cookies(const char *head)
{
	const char *context = strstr(head, "MapiContext="), *turn = strstr(head, "MapiSequence=");
	if (context != NULL && turn != NULL)
		snprintf(cookies, sizeof(cookies), "Cookie: %.*s; %.*s\r\n", (int)strcspn(context, ";"), context, (int)strcspn(turn, ";"), turn);
}

static inline int say(const struct gx_push *request)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_lt(fd, FD_SETSIZE);
	tls_of[fd] = eh_wanted() ? eh_handshake(fd) : NULL;
	for (size_t done = 0; done < request->len;) {
		ssize_t n = tls_of[fd] == NULL ? write(fd, request->data + done, request->len - done) :
			gnutls_record_send(tls_of[fd], request->data + done, request->len - done);
		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	return fd;
}

/* 0 at the end, which a server may announce or not. */
static inline size_t hear_some(int fd, uint8_t *p, size_t size)
{
	ssize_t n = GNUTLS_E_AGAIN;
	while (tls_of[fd] != NULL && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED))
		n = gnutls_record_recv(tls_of[fd], p, size);
	if (tls_of[fd] == NULL)
		n = read(fd, p, size);
	else if (n == GNUTLS_E_PREMATURE_TERMINATION)
		n = 0;
	ck_assert_int_ge(n, 0);
	return (size_t)n;
}

/* Reads until @text has come, or the end when NULL; what is read is in @in, with a NUL behind it. */
static inline void hear(int fd, struct gx_push *in, const char *text)
{
	for (;;) {
		uint8_t *p = gx_push_reserve(in, 65536);
		p[0] = 0;
		if (text != NULL && in->len > 0 && strstr((const char *)in->data, text) != NULL)
			return;
		size_t n = hear_some(fd, p, 65535);
		p[n] = 0;
		gx_push_added(in, n);
		if (n == 0)
			break;
	}
	ck_assert_ptr_null(text);
	if (tls_of[fd] != NULL)
		gnutls_deinit(tls_of[fd]);
	close(fd);
}

/* Takes it over. */
static inline struct reply look_at(struct gx_push *in)
{
	struct reply r = {.code = -1};
	gx_push_u8(in, 0);
	char *all = gx_arena_memdup(et_a, in->data, in->len), *body = strstr(all, "\r\n\r\n");
	const char *end = all + in->len - 1;
	gx_push_release(in);
	ck_assert_ptr_nonnull(body);
	*body = '\0';
	body += 4;
	r.head = all;
	r.status = (unsigned)strtoul(all + 9, NULL, 10);
	const char *code = field(r.head, "X-ResponseCode");
	if (code != NULL)
		r.code = (int)strtol(code, NULL, 10);
	if (strcasestr(r.head, "Transfer-Encoding: chunked") != NULL)
		r.body = dechunk(body, end);
	else
		r.body = (struct gx_bin){(uint8_t *)body, (size_t)(end - body)};
	keep_cookies(r.head);
	return r;
}

static inline int begin_to_ask(const char *method, const char *user, const char *headers, struct gx_bin body)
{
	struct gx_push out = GX_PUSH_INIT;
	const char *pair = gx_arena_printf(et_a, "%s:x", user);
	char b64[100] = {0};
	(void)gx_base64_enc((const uint8_t *)pair, strlen(pair), b64);
	gx_push_printf(&out, "%s %s/?MailboxId=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Basic %s\r\n%s%sContent-Length: %zu\r\n\r\n",
		method, path, b64, cookies, headers, body.len);
	gx_push_bytes(&out, body.data, body.len);
	int fd = say(&out);
	gx_push_release(&out);
	return fd;
}

static inline struct reply ask(const char *method, const char *user, const char *headers, struct gx_bin body)
{
	struct gx_push in = GX_PUSH_INIT;
	hear(begin_to_ask(method, user, headers, body), &in, NULL);
	return look_at(&in);
}

#define USUAL "Content-Type: application/mapi-http\r\nX-RequestId: {1}:1\r\nX-ClientInfo: {2}:1\r\nX-ClientApplication: Outlook/16.0.4266.1001\r\n"

static inline int begin_call(const char *type, const void *q)
{
	const struct gx_exchange_desc *d = gx_mapihttp_find(type);
	struct gx_bin body = {0};
	if (d->req != NULL)
		ck_assert_int_eq(gx_desc_encode(&et_x, d->req, q, &body), 0);
	return begin_to_ask("POST", "ann@example.org", gx_arena_printf(et_a, USUAL "X-RequestType: %s\r\n", type), body);
}

/* What came of it, taken over. */
static inline struct reply end_call(const char *type, struct gx_push *in, void *res)
{
	const struct gx_exchange_desc *d = gx_mapihttp_find(type);
	struct reply r = look_at(in);
	if (r.code != 0)
		return r;
	ck_assert_int_eq(strncmp((const char *)r.body.data, "PROCESSING\r\n", 12), 0);
	const char *text = gx_arena_strndup(et_a, (const char *)r.body.data, r.body.len), *done = strstr(text, "DONE\r\n");
	ck_assert_ptr_nonnull(done);
	const char *end = strstr(done, "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(done, "X-ElapsedTime: "));
	ck_assert_ptr_nonnull(strstr(done, "X-StartTime: "));
	size_t off = (size_t)(end - text) + 4;
	if (d->res != NULL && res != NULL)
		ck_assert_int_eq(gx_desc_decode(&et_x, d->res, r.body.data + off, r.body.len - off, res), 0);
	return r;
}

/* One request type with its usual headers; @res gets the decoded answer. */
static inline struct reply call(const char *type, const void *q, void *res)
{
	struct gx_push in = GX_PUSH_INIT;
	hear(begin_call(type, q), &in, NULL);
	return end_call(type, &in, res);
}

#endif
