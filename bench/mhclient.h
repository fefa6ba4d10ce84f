/* SPDX-License-Identifier: Apache-2.0 */
/* A client of MAPI/HTTP for load: one connection, one session, nothing decoded but what is needed. Failures end the program. */
#ifndef GXBENCH_MHCLIENT_H
#define GXBENCH_MHCLIENT_H
#include <gnutls/gnutls.h>
#include <gx/rop.h>

enum { MHC_HANDLES = 8 };
struct mhclient {
	int fd;
	gnutls_session_t tls;        /* NULL: without */
	gnutls_certificate_credentials_t cred;
	const char *login;           /* base64 of user:password; borrowed */
	char cookies[200];
	uint32_t handles[MHC_HANDLES];
	struct gx_arena *a;          /* of one request */
	struct gx_push in, rops;
};

void mhclient_open(struct mhclient *c, uint16_t port, bool tls, const char *login);
void mhclient_close(struct mhclient *c);
/* @res: the decoded answer, in c->a until the next request. */
void mhclient_ask(struct mhclient *c, uint32_t type, const void *q, void *res);
/* The two halves of it, for requests that wait. mhclient_read() reads what there is; true: the answer is whole, and decoded. */
void mhclient_send(struct mhclient *c, uint32_t type, const void *q);
bool mhclient_read(struct mhclient *c, uint32_t type, void *res);
void mhclient_connect(struct mhclient *c, const char *dn);
/* One more operation for mhclient_execute(), which gives the bytes of the answers. */
void mhclient_rop(struct mhclient *c, uint8_t id, uint8_t h0, uint8_t h1, const void *body);
struct gx_bin mhclient_execute(struct mhclient *c);

#endif
