/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OUTGOING_INT_H
#define GX_OUTGOING_INT_H
#include <gx/outgoing.h>

enum { OUT_NONE = 0, OUT_SENDMAIL, OUT_SMTP };

struct gx_outgoing {
	struct gx_outgoing_opts o;
	int how;                     /* OUT_* */
	struct gx_arena *a;          /* has the texts */
	char *node, *port;           /* of smtp:// */
};

/* What must be done before the agent has the mail: it can still be told to forget it. */
typedef int (*gx_outgoing_ready)(void *ctx);
/* Errors as gx_outgoing_send(), and those of @ready. */
int gx_outgoing__smtp(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data, gx_outgoing_ready ready, void *ctx);
int gx_outgoing__sendmail(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data);

#endif
