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
	char *cert_path, *key_path, *key_password, *client_ca_path;
};

struct gx_tls_creds *gx_tls__creds_ref(struct gx_tls *t);
void gx_tls__creds_unref(struct gx_tls_creds *c);
#endif
