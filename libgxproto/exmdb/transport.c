/* SPDX-License-Identifier: Apache-2.0 */
/* TLS under the client of the exmdb protocol. */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gnutls/x509.h>
#include <gx/exmdb-tls.h>
#include <gx/time.h>
#include "libgxproto/net/tls-int.h"

enum { TEXT_SIZE = 512 };

struct tls {
	struct gx_exmdb_transport t;  /* first: its address is that of all */
	struct gx_tls *tls;
	char *server_name;
};
struct session {
	gnutls_session_t s;
	const struct tls *t;
	struct gx_tls_creds *creds;
	int alert;                    /* that the server ended it with, or -1 */
	char name[256];               /* GnuTLS borrows it */
	char text[TEXT_SIZE];
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
	gx_tls__creds_unref(s->creds);
	free(s);
}

/* ---- What went wrong, and where that is mended ---- */

static void print_day(time_t at, char *out)
{
	gx_nttime_print(gx_nttime_from_unix(at, 0), out);
	out[strcspn(out, "T")] = '\0';
}

/* Is the certificate within its days? If not, that is in @p text. */
static bool in_time(const gnutls_datum_t *der, char *text, size_t size)
{
	gnutls_x509_crt_t crt;
	char day[32];
	time_t now = time(NULL);
	if (gnutls_x509_crt_init(&crt) != 0)
		return true;
	bool ok = true;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0) {
		time_t from = gnutls_x509_crt_get_activation_time(crt), to = gnutls_x509_crt_get_expiration_time(crt);
		ok = now >= from && now <= to;
		print_day(now < from ? from : to, day);
		if (!ok)
			snprintf(text, size, "%s %s", now < from ? "is not valid before" : "expired on", day);
	}
	gnutls_x509_crt_deinit(crt);
	return ok;
}

static const char *ca_name(const struct tls *t)
{
	return t->tls->ca_path != NULL ? t->tls->ca_path : "the system's store";
}

/* The server's certificate is not what it should be. */
static void why_not_server(const struct session *s, char *why, size_t size)
{
	unsigned status = gnutls_session_get_verify_cert_status(s->s), n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->s, &n);
	gnutls_datum_t text = {0};
	char when[80];
	if (chain != NULL && n > 0 && !in_time(&chain[0], when, sizeof(when)))
		snprintf(why, size, "TLS: the certificate of %s %s: renew it there", s->name, when);
	else if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
		snprintf(why, size, "TLS: the certificate that the server shows is not for %s: that name must stand in it", s->name);
	else if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE))
		snprintf(why, size, "TLS: the certificate of %s is of no authority in %s: put that in there (exmdb_server_ca_path)", s->name,
			ca_name(s->t));
	else if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0)
		snprintf(why, size, "TLS: the certificate of %s: %.*s", s->name, (int)text.size, (const char *)text.data);
	gnutls_free(text.data);
}

/* Did the server ask for a certificate that we cannot show, or that nobody accepts any more? */
static bool own_is_wrong(const struct session *s, char *why, size_t size)
{
	char when[80];
	const char *path = s->t->tls->cert_path;
	const gnutls_datum_t *own = gnutls_certificate_get_ours(s->s);
	bool asked = gnutls_certificate_client_get_request_status(s->s) != 0;
	if (asked && *path == '\0')
		snprintf(why, size, "TLS: the server wants a certificate and none is configured: set exmdb_client_certificate_path");
	else if (asked && own == NULL)
		snprintf(why, size, "TLS: %s is of no authority that the server accepts: have it signed by one of the server's exmdb_client_ca_path", path);
	else if (asked && !in_time(own, when, sizeof(when)))
		snprintf(why, size, "TLS: the certificate %s %s: renew it, then send SIGHUP", path, when);
	else
		return false;
	return true;
}

static bool about_certificates(int alert)
{
	return alert == GNUTLS_A_ACCESS_DENIED || alert == GNUTLS_A_HANDSHAKE_FAILURE || alert == GNUTLS_A_CERTIFICATE_REQUIRED ||
		alert == GNUTLS_A_UNKNOWN_CA || (alert >= GNUTLS_A_BAD_CERTIFICATE && alert <= GNUTLS_A_CERTIFICATE_UNKNOWN);
}

static void why_alert(struct session *s, char *why, size_t size)
{
	const char *name = gnutls_alert_get_name((gnutls_alert_description_t)s->alert), *path = s->t->tls->cert_path;
	if (own_is_wrong(s, why, size))
		return;
	if (about_certificates(s->alert) && *path != '\0')
		snprintf(why, size, "TLS: the server refused the certificate %s (%s): its log says why", path, name != NULL ? name : "unknown alert");
	else
		snprintf(why, size, "TLS: the server ended it: %s", name != NULL ? name : "unknown alert");
}

/* It was not TLS, or nothing at all, that came. */
static bool is_another_port(int ret)
{
	return ret == GNUTLS_E_AGAIN || ret == GNUTLS_E_UNEXPECTED_PACKET || ret == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
		ret == GNUTLS_E_PREMATURE_TERMINATION || ret == GNUTLS_E_PULL_ERROR;
}

static void why_not(struct session *s, int ret, char *why, size_t size)
{
	*why = '\0';
	s->alert = ret == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)gnutls_alert_get(s->s) : -1;
	if (ret == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		why_not_server(s, why, size);
	else if (s->alert >= 0)
		why_alert(s, why, size);
	else if (is_another_port(ret))
		snprintf(why, size, "TLS: no answer to the handshake: is this the port of the server's exmdb_listen_tls? (exmdb_client_port)");
	if (*why == '\0')
		snprintf(why, size, "TLS: %s", gnutls_strerror(ret));
}

static const char *tls_reason(void *session)
{
	struct session *s = session;
	if (s->alert < 0)
		return NULL;
	why_alert(s, s->text, sizeof(s->text));
	return s->text;
}

/* ---- Sessions ---- */

static struct session *session_new(const struct tls *t, int fd, const char *server)
{
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL || gnutls_init(&s->s, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) != 0) {
		free(s);
		return NULL;
	}
	s->t = t;
	s->alert = -1;
	s->creds = gx_tls__creds_ref(t->tls);
	if (t->server_name != NULL)
		snprintf(s->name, sizeof(s->name), "%s", t->server_name);
	else
		host_of(server, s->name, sizeof(s->name));
	if (gnutls_priority_set(s->s, t->tls->priority) != 0 ||
	    gnutls_credentials_set(s->s, GNUTLS_CRD_CERTIFICATE, s->creds->cred) != 0) {
		tls_close(s);
		return NULL;
	}
	gnutls_server_name_set(s->s, GNUTLS_NAME_DNS, s->name, strlen(s->name));
	gnutls_session_set_verify_cert(s->s, s->name, 0);
	gnutls_transport_set_int(s->s, fd);
	return s;
}

static void *tls_open(int fd, const char *server, void *ctx, char *why, size_t why_size)
{
	struct session *s = session_new(ctx, fd, server);
	if (s == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	int ret;
	do
		ret = gnutls_handshake(s->s);
	while (ret == GNUTLS_E_INTERRUPTED || ret == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (ret != 0)
		why_not(s, ret, why, why_size);
	/* in TLS 1.3 the server looks at our certificate after this, and then only hangs up */
	if (ret == 0 && !own_is_wrong(s, why, why_size))
		return s;
	tls_close(s);
	return NULL;
}

/* Alerts and key updates inside are dealt with; errno as a socket has it. */
static long result(struct session *s, long ret)
{
	if (ret >= 0)
		return ret;
	if (ret == GNUTLS_E_FATAL_ALERT_RECEIVED)
		s->alert = (int)gnutls_alert_get(s->s);
	errno = ret == GNUTLS_E_AGAIN ? EAGAIN : ret == GNUTLS_E_INTERRUPTED ? EINTR : ret == GNUTLS_E_PREMATURE_TERMINATION ? ECONNRESET : EIO;
	return -1;
}

static long tls_read(void *session, void *p, size_t n)
{
	struct session *s = session;
	return result(s, (long)gnutls_record_recv(s->s, p, n));
}

static long tls_write(void *session, const void *p, size_t n)
{
	struct session *s = session;
	return result(s, (long)gnutls_record_send(s->s, p, n));
}

static size_t tls_pending(void *session)
{
	struct session *s = session;
	return gnutls_record_check_pending(s->s);
}

/* ---- The transport ---- */

int gx_exmdb_tls_new(const struct gx_exmdb_tls_opts *o, struct gx_exmdb_transport **ret_t, struct gx_arena *a, const char **ret_why)
{
	const char *why;
	if (o == NULL || o->size != sizeof(*o) || (o->cert_path != NULL && o->key_path == NULL) || ret_t == NULL)
		return GX_E_INVAL;
	ret_why = ret_why == NULL ? &why : ret_why;
	*ret_why = "out of memory";
	struct tls *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return GX_E_NOMEM;
	t->t = (struct gx_exmdb_transport){tls_open, tls_read, tls_write, tls_pending, tls_close, tls_reason, t};
	t->server_name = o->server_name != NULL ? strdup(o->server_name) : NULL;
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	to.cert_path = o->cert_path;
	to.key_path = o->key_path;
	to.key_password = o->key_password;
	to.min_proto = o->min_proto;
	to.client_ca_path = o->ca_path;
	int err = o->server_name != NULL && t->server_name == NULL ? GX_E_NOMEM : gx_tls__new(&to, true, &t->tls, a, ret_why);
	if (err != 0) {
		gx_exmdb_tls_free(&t->t);
		return err;
	}
	*ret_why = "";
	*ret_t = &t->t;
	return 0;
}

int gx_exmdb_tls_reload(struct gx_exmdb_transport *transport, struct gx_arena *a, const char **ret_why)
{
	struct tls *t = (struct tls *)transport;
	return t == NULL ? GX_E_INVAL : gx_tls_reload(t->tls, a, ret_why);
}

void gx_exmdb_tls_free(struct gx_exmdb_transport *transport)
{
	struct tls *t = (struct tls *)transport;
	if (t == NULL)
		return;
	gx_tls_free(t->tls);
	free(t->server_name);
	free(t);
}
