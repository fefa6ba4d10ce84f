/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gnutls/x509.h>
#include "libgxproto/net/tls-int.h"

struct gx_tls_session {
	gnutls_session_t s;
	struct gx_tls_creds *creds;
	const char *ca_path;           /* of who may connect; NULL: anybody */
	struct gx_iobuf in, out;
	gnutls_typed_vdata_st purpose; /* of the client's certificate */
	char peer[256], why[400];
};

static ssize_t pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct gx_tls_session *t = ctx;
	size_t left = gx_iobuf_left(&t->in);
	if (left == 0) {
		gnutls_transport_set_errno(t->s, EAGAIN);
		return -1;
	}
	if (n > left)
		n = left;
	memcpy(p, gx_iobuf_head(&t->in), n);
	gx_iobuf_consume(&t->in, n);
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
	struct gx_tls_session *t = ctx;
	return gx_iobuf_left(&t->in) > 0;
}

static ssize_t vec_push(gnutls_transport_ptr_t ctx, const giovec_t *iov, int n)
{
	struct gx_tls_session *t = ctx;
	size_t total = 0;
	for (int i = 0; i < n; ++i)
		total += iov[i].iov_len;
	uint8_t *p = gx_iobuf_reserve(&t->out, total);
	if (p == NULL) {
		gnutls_transport_set_errno(t->s, ENOMEM);
		return -1;
	}
	for (int i = 0; i < n; ++i) {
		memcpy(p, iov[i].iov_base, iov[i].iov_len);
		p += iov[i].iov_len;
	}
	gx_iobuf_added(&t->out, total);
	return (ssize_t)total;
}

int gx_tls__session_new(struct gx_tls *t, struct gx_tls_session **ret_s)
{
	struct gx_tls_session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	if (gnutls_init(&s->s, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0) {
		free(s);
		return GX_E_NOMEM;
	}
	s->creds = gx_tls__creds_ref(t);
	s->ca_path = t->ca_path;
	if (gnutls_priority_set(s->s, t->priority) != 0 ||
	    gnutls_credentials_set(s->s, GNUTLS_CRD_CERTIFICATE, s->creds->cred) != 0 ||
	    (t->ca_path == NULL && gnutls_session_ticket_enable_server(s->s, &t->ticket_key) != 0)) {
		gx_tls__session_free(s);
		return GX_E_NOMEM;
	}
	if (t->ca_path != NULL) {
		s->purpose = (gnutls_typed_vdata_st){.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
		gnutls_certificate_server_set_request(s->s, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert2(s->s, &s->purpose, 1, 0);
	}
	gnutls_transport_set_ptr(s->s, s);
	gnutls_transport_set_pull_function(s->s, pull);
	gnutls_transport_set_pull_timeout_function(s->s, pull_timeout);
	gnutls_transport_set_vec_push_function(s->s, vec_push);
	*ret_s = s;
	return 0;
}

const char *gx_tls__peer_name(struct gx_tls_session *s)
{
	unsigned n = 0;
	size_t size = sizeof(s->peer) - 1;
	gnutls_x509_crt_t crt;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->s, &n);
	if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
		return NULL;
	bool ok = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
		gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, s->peer, &size) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok ? s->peer : "";
}

void gx_tls__session_free(struct gx_tls_session *s)
{
	if (s == NULL)
		return;
	gnutls_deinit(s->s);
	gx_tls__creds_unref(s->creds);
	gx_iobuf_release(&s->in);
	gx_iobuf_release(&s->out);
	free(s);
}

struct gx_iobuf *gx_tls__cipher_in(struct gx_tls_session *s)
{
	return &s->in;
}

struct gx_iobuf *gx_tls__cipher_out(struct gx_tls_session *s)
{
	return &s->out;
}

static bool may_go_on(int ret)
{
	return ret == GNUTLS_E_INTERRUPTED || ret == GNUTLS_E_WARNING_ALERT_RECEIVED || ret == GNUTLS_E_GOT_APPLICATION_DATA;
}

/* Who was not let in, and by what: the other side only hears that it was not. */
static const char *why_not(struct gx_tls_session *s, int ret)
{
	gnutls_datum_t text = {0};
	if (s->ca_path == NULL)
		return gnutls_strerror(ret);
	if (ret == GNUTLS_E_NO_CERTIFICATE_FOUND || ret == GNUTLS_E_CERTIFICATE_REQUIRED) {
		snprintf(s->why, sizeof(s->why), "the client shows no certificate; it needs one of an authority in %s", s->ca_path);
		return s->why;
	}
	if (ret != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR ||
	    gnutls_certificate_verification_status_print(gnutls_session_get_verify_cert_status(s->s), GNUTLS_CRT_X509, &text, 0) != 0)
		return gnutls_strerror(ret);
	const char *name = gx_tls__peer_name(s);
	snprintf(s->why, sizeof(s->why), "the certificate of %s: %.*s(authorities: %s)", name != NULL && *name != '\0' ? name : "the client",
		(int)text.size, (const char *)text.data, s->ca_path);
	gnutls_free(text.data);
	return s->why;
}

bool gx_tls__asks_for_certificate(const struct gx_tls *t)
{
	return t->ca_path != NULL;
}

int gx_tls__handshake(struct gx_tls_session *s, const char **ret_why)
{
	int ret;
	do
		ret = gnutls_handshake(s->s);
	while (ret < 0 && may_go_on(ret));
	if (ret == 0)
		return 0;
	if (ret == GNUTLS_E_AGAIN)
		return GX_E_BUSY;
	*ret_why = why_not(s, ret);
	gnutls_alert_send_appropriate(s->s, ret);
	return GX_E_FORMAT;
}

ssize_t gx_tls__read(struct gx_tls_session *s, void *p, size_t n, bool *ret_eof)
{
	ssize_t ret;
	do
		ret = gnutls_record_recv(s->s, p, n);
	while (ret < 0 && may_go_on((int)ret));
	if (ret == 0)
		*ret_eof = true;
	if (ret >= 0)
		return ret;
	return ret == GNUTLS_E_AGAIN ? 0 : GX_E_FORMAT;
}

ssize_t gx_tls__write(struct gx_tls_session *s, const void *p, size_t n)
{
	ssize_t ret = gnutls_record_send(s->s, p, n);
	return ret > 0 ? ret : GX_E_FORMAT;
}

void gx_tls__bye(struct gx_tls_session *s)
{
	(void)gnutls_bye(s->s, GNUTLS_SHUT_WR);
}
