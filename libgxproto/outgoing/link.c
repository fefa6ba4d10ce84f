/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a mail transfer agent, with TLS when it is wanted. */
#include <config.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libgxproto/outgoing/outgoing-int.h"

static int ready(const struct gx_outlink *l, short what)
{
	struct pollfd p = {l->fd, what, 0};
	int r;
	do
		r = poll(&p, 1, (int)l->o->o.timeout_ms);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : r == 0 ? GX_E_TIMEOUT : GX_E_IO;
}

static int dial_one(struct gx_outlink *l, const struct addrinfo *ai)
{
	int failed = 0;
	socklen_t n = sizeof(failed);
	l->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (l->fd < 0)
		return GX_E_IO;
	int err = connect(l->fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno != EINPROGRESS ? GX_E_IO : ready(l, POLLOUT);
	if (err == 0 && (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 || failed != 0))
		err = GX_E_IO;
	if (err != 0)
		close(l->fd);
	return err;
}

int gx_outlink__dial(struct gx_outlink *l)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *v;
	int err = GX_E_IO;
	if (getaddrinfo(l->o->node, l->o->port, &hints, &v) != 0)
		return GX_E_IO;
	for (const struct addrinfo *ai = v; ai != NULL && err != 0; ai = ai->ai_next)
		err = dial_one(l, ai);
	freeaddrinfo(v);
	return err;
}

void gx_outlink__close(struct gx_outlink *l)
{
	if (l->tls != NULL) {
		(void)gnutls_bye(l->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(l->tls);
	}
	close(l->fd);
}

/* ---- TLS ---- */

/* 0: what could not be done before can be tried again. */
static int wait_for(const struct gx_outlink *l, ssize_t r)
{
	if (r == GNUTLS_E_AGAIN)
		return ready(l, gnutls_record_get_direction(l->tls) == 0 ? POLLIN : POLLOUT);
	return r == GNUTLS_E_INTERRUPTED ? 0 : GX_E_IO;
}

static bool is_address(const char *node)
{
	return strchr(node, ':') != NULL || strspn(node, "0123456789.") == strlen(node);
}

static int prepare(struct gx_outlink *l)
{
	if (gnutls_init(&l->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
		return GX_E_NOMEM;
	if (gnutls_set_default_priority(l->tls) != 0 || gnutls_credentials_set(l->tls, GNUTLS_CRD_CERTIFICATE, l->o->cred) != 0)
		return GX_E_NOMEM;
	if (!is_address(l->o->node) && gnutls_server_name_set(l->tls, GNUTLS_NAME_DNS, l->o->node, strlen(l->o->node)) != 0)
		return GX_E_INVAL;
	gnutls_session_set_verify_cert(l->tls, l->o->node, 0);
	gnutls_transport_set_int(l->tls, l->fd);
	return 0;
}

static const char *why(const struct gx_outlink *l, int r, struct gx_arena *a)
{
	gnutls_datum_t text;
	unsigned status = gnutls_session_get_verify_cert_status(l->tls);
	if (r != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR || gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) != 0)
		return gnutls_strerror(r);
	const char *s = gx_arena_printf(a, "%s see outgoing_smtp_ca_file", (const char *)text.data);
	gnutls_free(text.data);
	return s == NULL ? "its certificate is not good" : s;
}

int gx_outlink__encrypt(struct gx_outlink *l, struct gx_arena *a, const char **ret_why)
{
	int r, err = prepare(l);
	*ret_why = gx_strerror(err);
	while (err == 0 && (r = gnutls_handshake(l->tls)) != 0) {
		if (r == GNUTLS_E_AGAIN || !gnutls_error_is_fatal(r)) {
			err = r == GNUTLS_E_AGAIN ? wait_for(l, r) : 0;
			*ret_why = gx_strerror(err);
			continue;
		}
		*ret_why = why(l, r, a);
		err = GX_E_IO;
	}
	if (err != 0 && l->tls != NULL) {
		gnutls_deinit(l->tls);
		l->tls = NULL;
	}
	return err;
}

/* ---- Bytes ---- */

int gx_outlink__write(struct gx_outlink *l, const void *data, size_t n)
{
	const char *p = data;
	while (n > 0) {
		ssize_t w = l->tls != NULL ? gnutls_record_send(l->tls, p, n) : send(l->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		int err = 0;
		if (w < 0 && l->tls != NULL)
			err = wait_for(l, w);
		else if (w < 0)
			err = errno == EAGAIN ? ready(l, POLLOUT) : errno == EINTR ? 0 : GX_E_IO;
		if (err != 0)
			return err;
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return 0;
}

ssize_t gx_outlink__read(struct gx_outlink *l, void *buf, size_t n)
{
	for (;;) {
		ssize_t r = l->tls != NULL ? gnutls_record_recv(l->tls, buf, n) : recv(l->fd, buf, n, 0);
		int err = 0;
		if (r > 0)
			return r;
		if (r == 0)
			return GX_E_IO;
		if (l->tls != NULL)
			err = wait_for(l, r);
		else
			err = errno == EAGAIN ? ready(l, POLLIN) : errno == EINTR ? 0 : GX_E_IO;
		if (err != 0)
			return err;
	}
}
