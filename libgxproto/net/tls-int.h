/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TLS_INT_H
#define GX_TLS_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include <gnutls/gnutls.h>
#include "libgxproto/net/net-int.h"

/* What was loaded from files; sessions keep theirs across a reload. */
struct gx_tls_creds {
	_Atomic unsigned refs;
	gnutls_certificate_credentials_t cred;
};

struct gx_tls {
	pthread_mutex_t lock; /* for creds */
	struct gx_tls_creds *creds;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	char *cert_path, *key_path, *key_password;
	char *ca_path;        /* NULL: a server asks for no certificate, a client trusts the authorities of the system */
	bool client;
};

/* A client may do without a certificate of its own: @o->cert_path "". @o->client_ca_path: of servers. */
int gx_tls__new(const struct gx_tls_opts *o, bool client, struct gx_tls **ret_tls, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

struct gx_tls_creds *gx_tls__creds_ref(struct gx_tls *t);
void gx_tls__creds_unref(struct gx_tls_creds *c);
#endif
