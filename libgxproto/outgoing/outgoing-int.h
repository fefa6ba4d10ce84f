/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OUTGOING_INT_H
#define GX_OUTGOING_INT_H
#include <gnutls/gnutls.h>
#include <gx/outgoing.h>

enum { OUT_NONE = 0, OUT_SENDMAIL, OUT_SMTP };
struct gx_outgoing {
	struct gx_outgoing_opts o;
	int how;                     /* OUT_* */
	struct gx_arena *a;          /* has the texts */
	char *node, *port;           /* of smtp:// */
	bool smtps;
	char *user, *password;       /* NULL: no login */
	gnutls_certificate_credentials_t cred; /* NULL: never encrypted */
};

/* secure.c: what encryption and login need. */
int gx_outgoing__secure(struct gx_outgoing *o, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

/* A connection to the agent, in the clear at first (link.c). */
struct gx_outlink {
	const struct gx_outgoing *o;
	int fd;
	gnutls_session_t tls;
};
int gx_outlink__dial(struct gx_outlink *l) GX_MUST_CHECK;
void gx_outlink__close(struct gx_outlink *l);
/* Encrypted from here on. @ret_why (in @a): what is wrong, the certificate for one. */
int gx_outlink__encrypt(struct gx_outlink *l, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
int gx_outlink__write(struct gx_outlink *l, const void *data, size_t n) GX_MUST_CHECK;
/* At least one byte. @return how many, GX_E_*. */
ssize_t gx_outlink__read(struct gx_outlink *l, void *buf, size_t n);

/* @fates: one for each recipient, with errors of a sort to begin with. */
void gx_outgoing__smtp(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data, struct gx_fate **fates);
int gx_outgoing__sendmail(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data);
void gx_fate__say(struct gx_fate *f, int err, const char *host, const char *says);

#endif
