/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other way to the sessions of emstest.h: with GX_TEST_HTTPS set, Connect and Execute go over TLS to a server of this
 * process, one kept-alive connection for each session. The client is written for this alone and shares nothing with the server
 * but the descriptions of the bodies.
 */
#ifndef GX_EMSHTTPS_H
#define GX_EMSHTTPS_H
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <gnutls/gnutls.h>
#include <gx/codec.h>
#include <gx/mapihttp.h>
#include "libgxproto/emsmdb/emsmdb-int.h"
#include "libgxproto/mapihttp/servetest.h"
#include "libgxproto/net/certtest.h"
#include "libgxstore/storetest.h"

enum { EH_CLIENTS = 1000 };

struct eh_client {
	struct gx_ems_session *s;
	char login[160];               /* base64 */
	gnutls_session_t tls;
	int fd;
	char cookies[256];             /* a header, once there are some */
	struct gx_push in;             /* read from the socket */
};

static struct {
	struct serve server;
	struct gx_ems *ems;
	gnutls_certificate_credentials_t cred;
	struct eh_client clients[EH_CLIENTS];
	unsigned n;
} eh;

static inline bool eh_wanted(void)
{
	return getenv("GX_TEST_HTTPS") != NULL;
}

/* ---- The server ---- */

static inline struct gx_tls *eh_self_signed(struct gx_arena *a, const char *dir)
{
	struct gx_tls_opts o = GX_TLS_OPTS_INIT;
	struct gx_tls *tls = NULL;
	const char *why = "";
	o.cert_path = gx_arena_printf(a, "%s/tls.crt", dir);
	o.key_path = gx_arena_printf(a, "%s/tls.key", dir);
	ck_assert(cert_make("localhost", o.cert_path, o.key_path));
	ck_assert_msg(gx_tls_new(&o, &tls, a, &why) == 0, "%s", why);
	return tls;
}

static inline void eh_start(struct gx_arena *a, const char *dir, struct gx_dir *people, struct gx_ems *ems)
{
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	mo.ems = eh.ems = ems;
	serve_start(&eh.server, a, people, &mo, eh_self_signed(a, dir));
	gnutls_certificate_allocate_credentials(&eh.cred);
}

/* Before the sessions' objects go. */
static inline void eh_stop(void)
{
	if (eh.server.net == NULL)
		return;
	for (unsigned i = 0; i < eh.n; ++i) {
		gnutls_deinit(eh.clients[i].tls);
		close(eh.clients[i].fd);
		gx_push_release(&eh.clients[i].in);
	}
	gnutls_certificate_free_credentials(eh.cred);
	serve_stop(&eh.server);
	memset(&eh, 0, sizeof(eh));
}

/* ---- The client ---- */

static inline gnutls_session_t eh_handshake(int fd)
{
	gnutls_session_t tls;
	int err;
	gnutls_init(&tls, GNUTLS_CLIENT);
	gnutls_priority_set_direct(tls, "NORMAL", NULL);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, eh.cred);
	gnutls_transport_set_int(tls, fd);
	do
		err = gnutls_handshake(tls);
	while (err < 0 && !gnutls_error_is_fatal(err));
	ck_assert_msg(err == 0, "handshake: %s", gnutls_strerror(err));
	return tls;
}

static inline struct eh_client *eh_open(struct gx_arena *a, const char *user, const char *password)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(eh.server.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	ck_assert_uint_lt(eh.n, EH_CLIENTS);
	struct eh_client *c = &eh.clients[eh.n++];
	const char *pair = gx_arena_printf(a, "%s:%s", user, password);
	ck_assert_uint_lt(strlen(pair), sizeof(c->login) / 2);
	(void)gx_base64_enc((const uint8_t *)pair, strlen(pair), c->login); /* arenas of tests may be emptied meanwhile */
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0); /* head and body are sent apart */
	ck_assert_int_eq(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	c->tls = eh_handshake(c->fd);
	return c;
}

static inline void eh_send(struct eh_client *c, const struct gx_push *out)
{
	for (size_t done = 0; done < out->len;) {
		ssize_t n = gnutls_record_send(c->tls, out->data + done, out->len - done);
		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
}

static inline void eh_read(struct eh_client *c)
{
	uint8_t *p = gx_push_reserve(&c->in, 16384);
	ssize_t n = GNUTLS_E_AGAIN;
	ck_assert_ptr_nonnull(p);
	while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		n = gnutls_record_recv(c->tls, p, 16384);
	ck_assert_msg(n > 0, "the server has hung up");
	gx_push_added(&c->in, (size_t)n);
}

/* Reads until @p text is there from @p off; where. */
static inline size_t eh_until(struct eh_client *c, size_t off, const char *text)
{
	for (;;) {
		const uint8_t *at = c->in.len > off ? memmem(c->in.data + off, c->in.len - off, text, strlen(text)) : NULL;
		if (at != NULL)
			return (size_t)(at - c->in.data);
		eh_read(c);
	}
}

static inline struct gx_bin eh_chunks(struct eh_client *c, struct gx_arena *a, size_t off)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	for (size_t n = 1; n != 0;) {
		size_t line = eh_until(c, off, "\r\n");
		n = strtoul((const char *)c->in.data + off, NULL, 16);
		off = line + 2;
		while (c->in.len < off + n + 2)
			eh_read(c);
		gx_push_bytes(&out, c->in.data + off, n);
		off += n + 2;
	}
	ck_assert_uint_eq(off, c->in.len);
	gx_push_clear(&c->in);
	ck_assert_int_eq(gx_push_finish(&out, a, &b), 0);
	gx_push_release(&out);
	return b;
}

static inline void eh_keep_cookies(struct eh_client *c, const char *head)
{
	const char *context = strstr(head, "MapiContext="), *turn = strstr(head, "MapiSequence=");
	ck_assert_msg(context != NULL && turn != NULL, "no cookies in %s", head);
	snprintf(c->cookies, sizeof(c->cookies), "Cookie: %.*s; %.*s\r\n", (int)strcspn(context, ";"), context, (int)strcspn(turn, ";"), turn);
}

/* One request type; @p res: its decoded answer. */
static inline void eh_ask(struct eh_client *c, struct gx_arena *a, const char *type, const void *q, void *res)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(a, 1252)};
	const struct gx_exchange_desc *d = gx_mapihttp_find(type);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin body;
	ck_assert_int_eq(gx_desc_encode(&x, d->req, q, &body), 0);
	gx_push_printf(&out, "POST /mapi/emsmdb/?MailboxId=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic %s\r\n%sContent-Type: application/mapi-http\r\n"
		"X-RequestId: {1}:1\r\nX-ClientInfo: {2}:1\r\nX-ClientApplication: Outlook/16.0.4266.1001\r\nX-RequestType: %s\r\n"
		"Content-Length: %zu\r\n\r\n", c->login, c->cookies, type, body.len);
	gx_push_bytes(&out, body.data, body.len);
	eh_send(c, &out);
	gx_push_release(&out);
	size_t end = eh_until(c, 0, "\r\n\r\n");
	const char *head = gx_arena_strndup(a, (const char *)c->in.data, end);
	ck_assert_msg(strstr(head, "X-ResponseCode: 0") != NULL && strcasestr(head, "Transfer-Encoding: chunked") != NULL, "%s", head);
	body = eh_chunks(c, a, end + 4);
	if (strstr(head, "MapiContext=") != NULL) /* Connect that was refused gives none */
		eh_keep_cookies(c, head);
	const uint8_t *done = memmem(body.data, body.len, "DONE\r\n", 6), *from = memmem(body.data, body.len, "\r\n\r\n", 4);
	ck_assert(done != NULL && from != NULL && from > done);
	ck_assert_int_eq(gx_desc_decode(&x, d->res, from + 4, (size_t)(body.data + body.len - from - 4), res), 0);
}

static inline struct gx_ems_session *eh_connect(struct gx_arena *a, const char *user, const char *dn)
{
	const struct gx_mh_connect_req q = {.user_dn = dn, .default_code_page = 1252};
	struct gx_mh_connect_res res;
	struct gx_guid id;
	struct eh_client *c = eh_open(a, user, "x");
	eh_ask(c, a, "Connect", &q, &res);
	ck_assert_uint_eq(res.error_code, ecSuccess);
	ck_assert_int_eq(gx_guid_parse(gx_arena_strndup(a, strchr(c->cookies, '=') + 1, 36), &id), 0);
	struct gx_ems_session *s = gx_ems_session_get(eh.ems, &id, user, NULL);
	for (unsigned i = 0; i < eh.n; ++i) /* one that is gone may have been at this address */
		if (eh.clients[i].s == s)
			eh.clients[i].s = NULL;
	c->s = s;
	ck_assert_ptr_nonnull(c->s);
	return c->s;
}

/* What gx_ems_execute() does, by the connection of the session; one that has none, or cannot be found any more, is asked directly. */
static inline gx_ec eh_execute(struct gx_ems_session *s, uint32_t flags, struct gx_bin in, size_t max_out, struct gx_arena *a,
	struct gx_bin *ret_out)
{
	struct gx_mh_execute_req q = {.flags = flags, .rop_buffer = in, .max_rop_out = (uint32_t)max_out};
	struct gx_mh_execute_res res;
	unsigned i = 0;
	while (i < eh.n && eh.clients[i].s != s)
		++i;
	if (i == eh.n || s->sess.ended)
		return gx_ems_execute(s, flags, in, max_out, a, ret_out);
	eh_ask(&eh.clients[i], a, "Execute", &q, &res);
	ck_assert_uint_eq(res.status_code, 0);
	*ret_out = res.rop_buffer;
	return GX_EC(res.error_code);
}

#endif
