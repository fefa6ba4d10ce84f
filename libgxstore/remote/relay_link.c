/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on stores that processes of their own have: handed on over a connection of their own. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/calls/op-int.h"
#include "libgxstore/remote/remote-int.h"

struct gx_relaylink {
	struct gx_rserver *server;
	struct gx_rconn *c;
	bool open;                    /* a transaction is, there */
};

void gx_relaylink__free(struct gx_relaylink *u)
{
	if (u == NULL)
		return;
	if (u->c != NULL) /* with the connection goes the transaction */
		gx_rserver__give(u->server, u->c, !u->open);
	free(u);
}

static int send(struct gx_relaylink *u, const struct gx_push *frame, const struct gx_x_transact_req *q, struct gx_arena *a, int64_t until,
	struct gx_x_transact_ans *ret_ans)
{
	struct gx_bin body;
	uint8_t code;
	if (q->quiet)
		return gx_rconn__send(u->c, frame->data, frame->len, until);
	int err = gx_rconn__exchange(u->c, frame, u->server->r->o.max_answer, until, &code, &body);
	if (err != 0 || code != GX_XC_SUCCESS)
		return err != 0 ? err : GX_E_IO;
	const uint8_t *p = gx_arena_memdup(a, body.data, body.len);
	return p == NULL ? GX_E_NOMEM : gx_xframe_pull_answer((struct gx_bin){p, body.len}, a, gx_exmdb_call_desc(GX_X_TRANSACT), ret_ans);
}

/* One that was kept may be of a process that has ended; what commits is not tried twice. */
static int forward(struct gx_relaylink *u, struct gx_remote *r, const char *dir, const struct gx_push *frame, const struct gx_x_transact_req *q,
	struct gx_arena *a, struct gx_x_transact_ans *ret_ans, const char **ret_why)
{
	for (;;) {
		int64_t until = gx_remote__deadline(r);
		bool old = u->c != NULL;
		gx_ec ec = old ? GX_EC(ecSuccess) : gx_rserver__find(r, dir, a, &u->server, ret_why);
		if (!old && !gx_ec_failed(ec))
			ec = gx_rserver__take(u->server, dir, until, a, &u->c, ret_why);
		if (gx_ec_failed(ec)) {
			u->c = NULL;
			return gx_ec_to_err(ec);
		}
		bool fresh = !old && u->c->used_ms == 0;
		int err = send(u, frame, q, a, until, ret_ans);
		if (err == 0)
			return 0;
		gx_rserver__give(u->server, u->c, false);
		u->c = NULL;
		if (fresh || u->open || q->end > GX_X_END_ABORT || (err != GX_E_TRUNC && err != GX_E_IO))
			return err == GX_E_TRUNC ? GX_E_IO : err;
	}
}

bool gx_relaylink__transact(struct gx_relaylink **io_u, struct gx_exmdb *x, const char *dir, const struct gx_x_transact_req *q,
	struct gx_arena *a, struct gx_x_transact_ans *ans)
{
	struct gx_push frame = GX_PUSH_INIT;
	struct gx_remote *r = gx_remote__of(x);
	const char *why = "";
	*ans = (struct gx_x_transact_ans){.text = ""};
	if (*io_u == NULL)
		*io_u = calloc(1, sizeof(**io_u));
	struct gx_relaylink *u = *io_u;
	int err = u == NULL ? GX_E_NOMEM : r == NULL ? GX_E_UNSUP : gx_xframe_push_request(&frame, a, dir, GX_X_TRANSACT, q);
	if (err == 0)
		err = forward(u, r, dir, &frame, q, a, ans, &why);
	gx_push_release(&frame);
	if (u == NULL)
		return false;
	if (err != 0) {
		*ans = (struct gx_x_transact_ans){.failure = (uint8_t)-err, .text = *why != '\0' ? why : gx_strerror(err)};
		u->open = false;
	} else if (q->begin != 0 || q->end != GX_X_END_NOT || ans->failure != 0) {
		u->open = q->end == GX_X_END_NOT && ans->failure == 0;
	}
	return u->open;
}
