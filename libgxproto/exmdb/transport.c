/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gnutls/gnutls.h>
#include <gx/exmdb-tls.h>

struct tls {
	struct gx_exmdb_transport t;  /* first: its address is that of all */
	gnutls_certificate_credentials_t cred;
	char *server_name;
};
struct session {
	gnutls_session_t s;
	char name[256];               /* GnuTLS borrows it */
};

/* "[::1]:5000", "host:5000", "host": what stands in a certificate. */
static void host_of(const char *server, char *out, size_t size)
{
	const char *start = server[0] == '[' ? server + 1 : server;
	const char *end = strchr(start, server[0] == '[' ? ']' : ':');
	if (server[0] != '[' && end != NULL && strchr(end + 1, ':') != NULL)
		end = NULL;
	size_t n = end != NULL ? (size_t)(end - start) : strlen(start);
	snprintf(out, size, "%.*s", (int)n, start);
}

static void tls_close(void *session)
{
	struct session *s = session;
	gnutls_deinit(s->s);
	free(s);
}

static void why_not(gnutls_session_t s, int ret, char *why, size_t size)
{
	gnutls_datum_t text = {0};
	if (ret == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
	    gnutls_certificate_verification_status_print(gnutls_session_get_verify_cert_status(s), GNUTLS_CRT_X509, &text, 0) == 0) {
		snprintf(why, size, "TLS: %.*s", (int)text.size, (const char *)text.data);
		gnutls_free(text.data);
		return;
	}
	snprintf(why, size, "TLS: %s", gnutls_strerror(ret));
}

static void *tls_open(int fd, const char *server, void *ctx, char *why, size_t why_size)
{
	struct tls *t = ctx;
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL || gnutls_init(&s->s, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) != 0) {
		free(s);
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	if (t->server_name != NULL)
		snprintf(s->name, sizeof(s->name), "%s", t->server_name);
	else
		host_of(server, s->name, sizeof(s->name));
	gnutls_set_default_priority(s->s);
	gnutls_credentials_set(s->s, GNUTLS_CRD_CERTIFICATE, t->cred);
	gnutls_server_name_set(s->s, GNUTLS_NAME_DNS, s->name, strlen(s->name));
	gnutls_session_set_verify_cert(s->s, s->name, 0);
	gnutls_transport_set_int(s->s, fd);
	int ret;
	do
		ret = gnutls_handshake(s->s);
	while (ret == GNUTLS_E_INTERRUPTED || ret == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (ret == 0)
		return s;
	why_not(s->s, ret, why, why_size);
	tls_close(s);
	return NULL;
}

/* Alerts and key updates inside are dealt with; errno as a socket has it. */
static long result(long ret)
{
	if (ret >= 0)
		return ret;
	errno = ret == GNUTLS_E_AGAIN ? EAGAIN : ret == GNUTLS_E_INTERRUPTED ? EINTR : ret == GNUTLS_E_PREMATURE_TERMINATION ? ECONNRESET : EIO;
	return -1;
}

static long tls_read(void *session, void *p, size_t n)
{
	struct session *s = session;
	return result((long)gnutls_record_recv(s->s, p, n));
}

static long tls_write(void *session, const void *p, size_t n)
{
	struct session *s = session;
	return result((long)gnutls_record_send(s->s, p, n));
}

static size_t tls_pending(void *session)
{
	struct session *s = session;
	return gnutls_record_check_pending(s->s);
}

static int load(struct tls *t, const struct gx_exmdb_tls_opts *o, struct gx_arena *a, const char **ret_why)
{
	int ret = o->ca_path != NULL ? gnutls_certificate_set_x509_trust_file(t->cred, o->ca_path, GNUTLS_X509_FMT_PEM)
		: gnutls_certificate_set_x509_system_trust(t->cred);
	if (ret < 0 || (o->ca_path != NULL && ret == 0)) {
		*ret_why = gx_arena_printf(a, "cannot use the authorities in %s: %s", o->ca_path != NULL ? o->ca_path : "the system's store",
			ret < 0 ? gnutls_strerror(ret) : "it has no certificate in PEM form");
		return GX_E_FORMAT;
	}
	if (o->cert_path == NULL)
		return 0;
	ret = gnutls_certificate_set_x509_key_file2(t->cred, o->cert_path, o->key_path, GNUTLS_X509_FMT_PEM, o->key_password, 0);
	if (ret >= 0)
		return 0;
	*ret_why = gx_arena_printf(a, "cannot use the certificate %s with the key %s: %s", o->cert_path, o->key_path, gnutls_strerror(ret));
	return GX_E_FORMAT;
}

int gx_exmdb_tls_new(const struct gx_exmdb_tls_opts *o, struct gx_exmdb_transport **ret_t, struct gx_arena *a, const char **ret_why)
{
	const char *why;
	if (o == NULL || o->size != sizeof(*o) || (o->cert_path != NULL && o->key_path == NULL) || ret_t == NULL)
		return GX_E_INVAL;
	ret_why = ret_why == NULL ? &why : ret_why;
	*ret_why = "out of memory";
	struct tls *t = calloc(1, sizeof(*t));
	if (t == NULL || gnutls_certificate_allocate_credentials(&t->cred) != 0) {
		free(t);
		return GX_E_NOMEM;
	}
	t->t = (struct gx_exmdb_transport){tls_open, tls_read, tls_write, tls_pending, tls_close, t};
	t->server_name = o->server_name != NULL ? strdup(o->server_name) : NULL;
	int err = o->server_name != NULL && t->server_name == NULL ? GX_E_NOMEM : load(t, o, a, ret_why);
	if (err != 0) {
		gx_exmdb_tls_free(&t->t);
		return err;
	}
	*ret_why = "";
	*ret_t = &t->t;
	return 0;
}

void gx_exmdb_tls_free(struct gx_exmdb_transport *transport)
{
	struct tls *t = (struct tls *)transport;
	if (t == NULL)
		return;
	gnutls_certificate_free_credentials(t->cred);
	free(t->server_name);
	free(t);
}
