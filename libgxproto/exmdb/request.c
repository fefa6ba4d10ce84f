/* SPDX-License-Identifier: Apache-2.0 */
/* One request: decoded, carried out, answered. */
#include <config.h>
#include "libgxproto/exmdb/exmdb-int.h"

/* Where the answer has no room for a cause, the log has it. */
static void report(const struct gx_xs *x, const struct gx_io *io, const struct gx_xrequest *r, uint8_t code, gx_ec ec, const char *why)
{
	const char *name = r->call != NULL ? r->call->name : "unknown call";
	bool has_ec = gx_ec_failed(ec);
	/* A client that does not know whether a store is a public one finds out by asking. */
	if (code != GX_XC_SUCCESS)
		gx_log(io->log, code == GX_XC_MISCONFIG_MODE ? GX_LOG_INFO : GX_LOG_WARN, "exmdb: [%llu] %s: %s on %s failed: %s%s%s: %s",
		       (unsigned long long)io->id, io->peer, name, r->dir, gx_xcode_name(code), has_ec ? ", " : "", has_ec ? gx_ec_name(ec) : "", why);
	else if (*why != '\0')
		gx_log(io->log, x->srv->o.debug >= 1 ? GX_LOG_NOTICE : GX_LOG_INFO, "exmdb: [%llu] %s: %s on %s: %s",
		       (unsigned long long)io->id, io->peer, name, r->dir, why);
	else if (x->srv->o.debug >= 2)
		gx_log(io->log, GX_LOG_DEBUG, "exmdb: [%llu] %s: %s on %s", (unsigned long long)io->id, io->peer, name, r->dir);
}

/* Counts one more connection of a kind, if that is allowed. */
static bool count(atomic_uint *n, unsigned max)
{
	if (max != 0 && atomic_load(n) >= max)
		return false;
	if (atomic_fetch_add(n, 1) < max || max == 0)
		return true;
	atomic_fetch_sub(n, 1);
	return false;
}

static uint8_t know_client(struct gx_xs *x, const char *remote_id, const char **ret_why)
{
	int err = gx_exmdb_client_get(x->srv->o.host, remote_id, &x->client);
	if (err == 0)
		return GX_XC_SUCCESS;
	*ret_why = err == GX_E_NOMEM ? gx_strerror(err) : "a client must tell who it is, in 1 to 255 bytes";
	return err == GX_E_NOMEM ? GX_XC_LACK_MEMORY : GX_XC_PULL_ERROR;
}

static uint8_t connect(struct gx_xs *x, const struct gx_xrequest *r, const char **ret_why)
{
	const struct gx_x_connect_req *q = r->req;
	if (!count(&x->srv->data, x->srv->o.max_data)) {
		*ret_why = "max_rpc_stub_threads is reached";
		return GX_XC_MAX_REACHED;
	}
	x->counted_data = true;
	uint8_t code = know_client(x, q->remote_id, ret_why);
	return code != GX_XC_SUCCESS ? code : gx_exmdb_client_connect(x->client, r->dir, q->is_private, x->a, ret_why);
}

static uint8_t listen(struct gx_xs *x, struct gx_io *io, const struct gx_xrequest *r, const char **ret_why)
{
	const struct gx_x_listen_notification_req *q = r->req;
	if (!count(&x->srv->events, x->srv->o.max_events)) {
		*ret_why = "max_router_connections is reached";
		return GX_XC_MAX_REACHED;
	}
	x->counted_events = true;
	uint8_t code = know_client(x, q->remote_id, ret_why);
	if (code == GX_XC_SUCCESS)
		code = gx_xs__listen(x, io);
	if (code == GX_XC_DISPATCH_ERROR)
		*ret_why = "this client has an event connection already";
	return code;
}

static uint8_t handshake(struct gx_xs *x, struct gx_io *io, const struct gx_xrequest *r, const char **ret_why)
{
	if (r->call->number == GX_X_CONNECT)
		return connect(x, r, ret_why);
	if (r->call->number == GX_X_LISTEN_NOTIFICATION)
		return listen(x, io, r, ret_why);
	*ret_why = "connect or listen_notification must come first";
	return GX_XC_CONNECT_INCOMPLETE;
}

/* A failure ends the connection where its sides may be out of step, and before the handshake is done. */
static enum xs_state answer(struct gx_xs *x, struct gx_io *io, const struct gx_xrequest *r, uint8_t code, const void *ans, gx_ec ec, const char *why)
{
	int err = code != GX_XC_SUCCESS ? 0 : gx_xframe_push_answer(&io->out, x->a, r->call, ans);
	if (err != 0) {
		code = GX_XC_PUSH_ERROR;
		why = gx_strerror(err);
	}
	report(x, io, r, code, ec, why);
	if (code != GX_XC_SUCCESS)
		gx_push_u8(&io->out, code);
	switch (code) {
	case GX_XC_SUCCESS:
		return x->listening ? XS_EVENTS : XS_HEAD;
	case GX_XC_DISPATCH_ERROR:
	case GX_XC_PUSH_ERROR:
	case GX_XC_MISCONFIG_PREFIX:
		return x->client != NULL && !x->counted_events ? XS_HEAD : XS_CLOSE;
	default:
		return XS_CLOSE;
	}
}

/* What is bound to this connection is made when it is first needed. */
static gx_ec call(struct gx_xs *x, const struct gx_xrequest *r, void *ans, uint8_t *ret_code, const char **ret_why)
{
	if (r->call->number == GX_X_TRANSACT && x->link == NULL && gx_exmdb_link_new(x->client, &x->link) != 0) {
		*ret_code = GX_XC_LACK_MEMORY;
		return gx_ec_from_err(GX_E_NOMEM);
	}
	if (r->call->number == GX_X_TRANSACT)
		return gx_exmdb_link_call(x->link, r->dir, r->call, r->req, x->a, ans, ret_code, ret_why);
	return gx_exmdb_client_call(x->client, r->dir, r->call, r->req, x->a, ans, ret_code, ret_why);
}

static bool is_quiet(const struct gx_xrequest *r)
{
	return r->call->number == GX_X_TRANSACT && ((const struct gx_x_transact_req *)r->req)->quiet;
}

enum xs_state gx_xs__serve(struct gx_xs *x, struct gx_io *io)
{
	struct gx_xrequest r;
	const char *why = "";
	uint8_t code = GX_XC_PULL_ERROR;
	gx_ec ec = GX_EC(ecSuccess);
	void *ans = NULL;
	int err = gx_xframe_pull_request((struct gx_bin){x->body.data, x->body.len}, x->a, &r);
	if (err == 0 && r.call->ans != NULL && (ans = gx_arena_calloc(x->a, 1, r.call->ans->size)) == NULL)
		err = GX_E_NOMEM;
	if (err != 0)
		return answer(x, io, &r, err == GX_E_NOMEM ? GX_XC_LACK_MEMORY : code, NULL, gx_ec_from_err(err),
			err == GX_E_UNSUP ? "no such call" : gx_strerror(err));
	if (x->srv->o.no_extensions && r.call->extension)
		return answer(x, io, &r, code, NULL, gx_ec_from_err(GX_E_UNSUP), "no such call");
	bool first = r.call->number == GX_X_CONNECT || r.call->number == GX_X_LISTEN_NOTIFICATION;
	if (x->client == NULL) {
		code = handshake(x, io, &r, &why);
	} else if (first) {
		why = "the handshake was done before";
		code = GX_XC_DISPATCH_ERROR;
	} else {
		ec = call(x, &r, ans, &code, &why);
	}
	if (code == GX_XC_SUCCESS && is_quiet(&r))
		return XS_HEAD;
	return answer(x, io, &r, code, ans, ec, why);
}
