/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and policy; sessions are in tlssess.c. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/net/tls-int.h"

#define MAX_PAIRS 32

static void creds_unref(struct gx_tls_creds *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	if (c->cred != NULL)
		gnutls_certificate_free_credentials(c->cred);
	free(c);
}

struct gx_tls_creds *gx_tls__creds_ref(struct gx_tls *t)
{
	pthread_mutex_lock(&t->lock);
	struct gx_tls_creds *c = t->creds;
	atomic_fetch_add(&c->refs, 1);
	pthread_mutex_unlock(&t->lock);
	return c;
}

void gx_tls__creds_unref(struct gx_tls_creds *c)
{
	creds_unref(c);
}

static int readable(const char *path, const char *what, struct gx_arena *a, const char **ret_why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	int err = errno;
	*ret_why = gx_arena_printf(a, "cannot read the TLS %s %s: %s", what, path, strerror(err));
	return err == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
}

static int load_pair(struct gx_tls_creds *c, const char *cert, const char *key, const char *password,
	struct gx_arena *a, const char **ret_why)
{
	int ret = readable(cert, "certificate", a, ret_why);
	if (ret == 0)
		ret = readable(key, "private key", a, ret_why);
	if (ret != 0)
		return ret;
	ret = gnutls_certificate_set_x509_key_file2(c->cred, cert, key, GNUTLS_X509_FMT_PEM, password, 0);
	if (ret >= 0)
		return 0;
	if (ret == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		*ret_why = gx_arena_printf(a, "the TLS private key %s does not belong to the certificate %s", key, cert);
	else if (ret == GNUTLS_E_DECRYPTION_FAILED)
		*ret_why = gx_arena_printf(a, "the TLS private key %s needs a password, or the configured one is wrong", key);
	else
		*ret_why = gx_arena_printf(a, "cannot use the TLS certificate %s with the key %s: %s (PEM files with the "
			"whole chain are expected)", cert, key, gnutls_strerror(ret));
	return GX_E_FORMAT;
}

/* NULL: those that the system trusts. */
static int load_authorities(struct gx_tls_creds *c, const char *path, struct gx_arena *a, const char **ret_why)
{
	int ret = path == NULL ? 0 : readable(path, "file of authorities", a, ret_why);
	if (ret != 0)
		return ret;
	if (path == NULL)
		ret = gnutls_certificate_set_x509_system_trust(c->cred);
	else
		ret = gnutls_certificate_set_x509_trust_file(c->cred, path, GNUTLS_X509_FMT_PEM);
	if (ret > 0)
		return 0;
	*ret_why = gx_arena_printf(a, "%s has no certificate of an authority in PEM form%s%s", path != NULL ? path : "the system's store", ret < 0 ? ": " : "",
		ret < 0 ? gnutls_strerror(ret) : "");
	return GX_E_FORMAT;
}

/* The n-th element of a colon-separated list, NULL when there is none. */
static const char *nth(struct gx_arena *a, const char *list, unsigned n)
{
	while (n > 0 && *list != '\0') {
		list += strcspn(list, ":");
		list += *list == ':';
		--n;
	}
	return *list == '\0' ? NULL : gx_arena_strndup(a, list, strcspn(list, ":"));
}

static int load_pairs(const struct gx_tls *t, struct gx_tls_creds *c, struct gx_arena *a, const char **ret_why)
{
	for (unsigned i = 0; ; ++i) {
		const char *cert = nth(a, t->cert_path, i), *key = nth(a, t->key_path, i);
		if (cert == NULL && key == NULL && (i > 0 || t->client))
			return 0;
		if (cert == NULL || key == NULL || i >= MAX_PAIRS) {
			*ret_why = "as many TLS private keys as certificates must be given, at least one and at most 32";
			return GX_E_INVAL;
		}
		int ret = load_pair(c, cert, key, t->key_password, a, ret_why);
		if (ret != 0)
			return ret;
	}
}

static int load(struct gx_tls *t, struct gx_arena *a, struct gx_tls_creds **ret_c, const char **ret_why)
{
	struct gx_tls_creds *c = calloc(1, sizeof(*c));
	if (c == NULL || gnutls_certificate_allocate_credentials(&c->cred) != 0) {
		free(c);
		*ret_why = "out of memory";
		return GX_E_NOMEM;
	}
	atomic_init(&c->refs, 1);
	int ret = load_pairs(t, c, a, ret_why);
	if (ret == 0 && (t->ca_path != NULL || t->client))
		ret = load_authorities(c, t->ca_path, a, ret_why);
	if (ret != 0)
		creds_unref(c);
	else
		*ret_c = c;
	return ret;
}

static const struct {
	const char *name, *priority;
} protos[] = {
	{"tls1.0", "+VERS-TLS1.0:+VERS-TLS1.1"},
	{"tls1.1", "-VERS-TLS1.0:+VERS-TLS1.1"},
	{"tls1.2", "-VERS-TLS1.0:-VERS-TLS1.1"},
	{"tls1.3", "-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.2"},
};

static int set_policy(struct gx_tls *t, const char *min_proto, struct gx_arena *a, const char **ret_why)
{
	const char *add = NULL;
	for (unsigned i = 0; i < sizeof(protos) / sizeof(protos[0]); ++i)
		if (strcmp(protos[i].name, min_proto) == 0)
			add = protos[i].priority;
	if (add == NULL) {
		*ret_why = gx_arena_printf(a, "tls_min_proto: \"%s\" is none of tls1.0, tls1.1, tls1.2, tls1.3", min_proto);
		return GX_E_INVAL;
	}
	int ret = gnutls_priority_init2(&t->priority, add, NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND);
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "the TLS policy of this system does not go with tls_min_proto=%s: %s", min_proto, gnutls_strerror(ret));
		return GX_E_UNSUP;
	}
	if (gnutls_session_ticket_key_generate(&t->ticket_key) != 0) {
		*ret_why = "no key for TLS session tickets could be made";
		return GX_E_NOMEM;
	}
	return 0;
}

static char *dup_or_empty(const char *s)
{
	return strdup(s == NULL ? "" : s);
}

int gx_tls_new(const struct gx_tls_opts *o, struct gx_tls **ret_tls, struct gx_arena *a, const char **ret_why)
{
	return gx_tls__new(o, false, ret_tls, a, ret_why);
}

int gx_tls__new(const struct gx_tls_opts *o, bool client, struct gx_tls **ret_tls, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || o->size < sizeof(*o) || a == NULL)
		return GX_E_INVAL;
	const char *why = NULL;
	if (ret_why == NULL)
		ret_why = &why;
	struct gx_tls *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return GX_E_NOMEM;
	pthread_mutex_init(&t->lock, NULL);
	t->client = client;
	t->cert_path = dup_or_empty(o->cert_path);
	t->key_path = dup_or_empty(o->key_path);
	t->key_password = o->key_password == NULL ? NULL : strdup(o->key_password);
	t->ca_path = o->client_ca_path == NULL ? NULL : strdup(o->client_ca_path);
	int ret = t->cert_path == NULL || t->key_path == NULL || (o->key_password != NULL && t->key_password == NULL) ||
		(o->client_ca_path != NULL && t->ca_path == NULL) ? GX_E_NOMEM : 0;
	if (ret == 0)
		ret = set_policy(t, o->min_proto == NULL ? "tls1.2" : o->min_proto, a, ret_why);
	if (ret == 0)
		ret = load(t, a, &t->creds, ret_why);
	if (ret == 0)
		*ret_tls = t;
	else
		gx_tls_free(t);
	return ret;
}

int gx_tls_reload(struct gx_tls *t, struct gx_arena *a, const char **ret_why)
{
	struct gx_tls_creds *fresh, *old;
	const char *why = NULL;
	int ret = load(t, a, &fresh, ret_why == NULL ? &why : ret_why);
	if (ret != 0)
		return ret;
	pthread_mutex_lock(&t->lock);
	old = t->creds;
	t->creds = fresh;
	pthread_mutex_unlock(&t->lock);
	creds_unref(old);
	return 0;
}

void gx_tls_free(struct gx_tls *t)
{
	if (t == NULL)
		return;
	creds_unref(t->creds);
	if (t->priority != NULL)
		gnutls_priority_deinit(t->priority);
	if (t->ticket_key.data != NULL) {
		gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
		gnutls_free(t->ticket_key.data);
	}
	if (t->key_password != NULL)
		gnutls_memset(t->key_password, 0, strlen(t->key_password));
	free(t->key_password);
	free(t->cert_path);
	free(t->key_path);
	free(t->ca_path);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
