/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <gx/mapihttp.h>
#include <gx/rpcext.h>
#include "bench/mhclient.h"
#include "bench/scale.h"

enum { PIECE = 32768 };

void mhclient_open(struct mhclient *c, uint16_t port, bool tls, const char *login)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	*c = (struct mhclient){.login = login, .a = gx_arena_new(0)};
	memset(c->handles, 0xff, sizeof(c->handles));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		scale_die("connect", strerror(errno));
	if (!tls)
		return;
	gnutls_certificate_allocate_credentials(&c->cred);
	gnutls_init(&c->tls, GNUTLS_CLIENT);
	gnutls_priority_set_direct(c->tls, "NORMAL", NULL);
	gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
	gnutls_transport_set_int(c->tls, c->fd);
	int err;
	do
		err = gnutls_handshake(c->tls);
	while (err < 0 && !gnutls_error_is_fatal(err));
	if (err < 0)
		scale_die("handshake", gnutls_strerror(err));
}

void mhclient_close(struct mhclient *c)
{
	if (c->tls != NULL)
		gnutls_deinit(c->tls);
	if (c->cred != NULL)
		gnutls_certificate_free_credentials(c->cred);
	close(c->fd);
	gx_push_release(&c->in);
	gx_push_release(&c->rops);
	gx_arena_free(c->a);
}

static void write_all(struct mhclient *c, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = c->tls != NULL ? gnutls_record_send(c->tls, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);
		if (done <= 0)
			scale_die("write", "the server has hung up");
		p += done;
		n -= (size_t)done;
	}
}

void mhclient_send(struct mhclient *c, uint32_t type, const void *q)
{
	const struct gx_exchange_desc *d = gx_mapihttp_exchange(type);
	const struct gx_dctx x = {.px = GX_PX_ROP(c->a, 1252)};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin body;
	scale_must(gx_desc_encode(&x, d->req, q, &body), "encode");
	gx_push_printf(&out, "POST /mapi/emsmdb/?MailboxId=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n%s"
		"Content-Type: application/mapi-http\r\nX-RequestId: {00000000-0000-0000-0000-000000000001}:1\r\n"
		"X-ClientInfo: {00000000-0000-0000-0000-000000000002}:1\r\nX-ClientApplication: Outlook/16.0.4266.1001\r\n"
		"X-RequestType: %s\r\nContent-Length: %zu\r\n\r\n", c->login, c->cookies, d->name, body.len);
	gx_push_bytes(&out, body.data, body.len);
	write_all(c, out.data, out.len);
	gx_push_release(&out);
}

static void keep_cookies(struct mhclient *c, const char *head)
{
	const char *context = strstr(head, "MapiContext="), *turn = strstr(head, "MapiSequence=");
	if (context != NULL && turn != NULL)
		snprintf(c->cookies, sizeof(c->cookies), "Cookie: %.*s; %.*s\r\n", (int)strcspn(context, ";"), context, (int)strcspn(turn, ";"), turn);
}

/* The chunks from @off without their lines; false: not all there. */
static bool join(struct mhclient *c, size_t off, struct gx_bin *ret_b)
{
	uint8_t *out = gx_arena_alloc(c->a, c->in.len + 1);
	size_t len = 0;
	for (;;) {
		const uint8_t *p = c->in.data + off, *end = c->in.len > off ? memmem(p, c->in.len - off, "\r\n", 2) : NULL;
		size_t n = end == NULL ? 0 : strtoul((const char *)p, NULL, 16);
		if (end == NULL || c->in.len - off < (size_t)(end - p) + 4 + n)
			return false;
		memcpy(out + len, end + 2, n);
		len += n;
		off += (size_t)(end - p) + 4 + n;
		if (n == 0)
			break;
	}
	*ret_b = (struct gx_bin){out, len};
	return true;
}

bool mhclient_read(struct mhclient *c, uint32_t type, void *res)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(c->a, 1252)};
	struct gx_bin body;
	uint8_t *p = gx_push_reserve(&c->in, PIECE);
	ssize_t n = GNUTLS_E_AGAIN;
	while (n == GNUTLS_E_AGAIN)
		n = c->tls != NULL ? gnutls_record_recv(c->tls, p, PIECE) : recv(c->fd, p, PIECE, 0);
	if (n <= 0)
		scale_die("read", "the server has hung up");
	gx_push_added(&c->in, (size_t)n);
	const uint8_t *end = memmem(c->in.data, c->in.len, "\r\n\r\n", 4);
	if (end == NULL || !join(c, (size_t)(end - c->in.data) + 4, &body))
		return false;
	const char *head = gx_arena_strndup(c->a, (const char *)c->in.data, (size_t)(end - c->in.data));
	keep_cookies(c, head);
	const uint8_t *from = memmem(body.data, body.len, "\r\n\r\n", 4);
	if (strstr(head, "X-ResponseCode: 0") == NULL || from == NULL)
		scale_die("refused", head);
	scale_must(gx_desc_decode(&x, gx_mapihttp_exchange(type)->res, from + 4, (size_t)(body.data + body.len - from - 4), res), "decode");
	gx_push_clear(&c->in);
	return true;
}

void mhclient_ask(struct mhclient *c, uint32_t type, const void *q, void *res)
{
	gx_arena_reset(c->a);
	mhclient_send(c, type, q);
	while (!mhclient_read(c, type, res))
		;
}

void mhclient_connect(struct mhclient *c, const char *dn)
{
	const struct gx_mh_connect_req q = {.user_dn = dn, .default_code_page = 1252};
	struct gx_mh_connect_res res;
	c->cookies[0] = '\0';
	mhclient_ask(c, GX_MH_CONNECT, &q, &res);
	scale_need(GX_EC(res.error_code), "Connect");
}

void mhclient_rop(struct mhclient *c, uint8_t id, uint8_t h0, uint8_t h1, const void *body)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(c->a, 1252)};
	struct gx_rop_request q = {gx_rop_rop_desc(id), 0, {h0, h1}, (void *)body};
	gx_rop_push_request(&c->rops, &x, &q);
	scale_must(c->rops.err, "operation");
}

struct gx_bin mhclient_execute(struct mhclient *c)
{
	struct gx_push buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	struct gx_rop_buffer b = {{c->rops.data, c->rops.len}, c->handles, MHC_HANDLES};
	struct gx_mh_execute_res res;
	struct gx_bin payload;
	struct gx_pull p;
	bool last;
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	scale_must(ext.err, "buffer");
	const struct gx_mh_execute_req q = {.flags = 3, .rop_buffer = {ext.data, ext.len}, .max_rop_out = 0x10008};
	mhclient_ask(c, GX_MH_EXECUTE, &q, &res);
	scale_need(GX_EC(res.error_code), "Execute");
	gx_push_release(&buffer);
	gx_push_release(&ext);
	gx_push_clear(&c->rops);
	gx_pull_init(&p, res.rop_buffer.data, res.rop_buffer.len);
	gx_ext_pull(&p, c->a, &payload, &last);
	scale_must(p.err, "answer");
	scale_must(gx_rop_buffer_pull(payload.data, payload.len, c->a, &b), "answer");
	memcpy(c->handles, b.handles, sizeof(c->handles));
	return b.rops;
}
