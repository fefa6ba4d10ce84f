/* SPDX-License-Identifier: Apache-2.0 */
/* Before the engine: PROXY header and handshake. After it: the farewell. */
#include <config.h>
#include <netinet/tcp.h>
#include <string.h>
#include "libgxproto/net/net-int.h"

void gx_conn__set_peer(struct gx_conn *c, const struct gx_addr *a)
{
	c->io.peer_port = gx_addr__print(a, c->peer, sizeof(c->peer));
	c->io.peer_is_loopback = gx_addr__is_loopback(a);
}

static bool admit(struct gx_conn *c, const struct gx_addr *peer)
{
	gx_addr__host_key(peer, c->host_key);
	pthread_mutex_lock(&c->net->lock);
	c->counted = gx_listener__enter(c->l, c->host_key);
	pthread_mutex_unlock(&c->net->lock);
	return c->counted;
}

static void enter_run(struct gx_conn *c)
{
	const struct gx_engine_factory *f = &c->l->o.factory;
	c->phase = PHASE_RUN;
	c->phase_deadline = 0;
	c->until = UNTIL_NOW;
	if (c->tls != NULL) {
		c->io.events |= GX_IO_TLS;
		c->io.peer_cert = gx_tls__peer_name(c->tls);
	}
	if (c->engine != NULL) {
		c->io.events |= GX_IO_TLS_STARTED;
		return;
	}
	c->engine = f->new_engine(&c->io, f->ctx);
	if (c->engine == NULL)
		c->dead = true;
}

void gx_conn__begin_tls(struct gx_conn *c)
{
	if (c->l->o.tls == NULL || c->tls != NULL || gx_tls__session_new(c->l->o.tls, &c->tls) != 0) {
		gx_log(c->net->log, GX_LOG_ERROR, "[%llu] %s: TLS cannot be started, connection closed", (unsigned long long)c->io.id, c->io.peer);
		c->dead = true;
		return;
	}
	/* What came behind STARTTLS in the clear is taken for the handshake, never for commands [RFC 3501] 6.2.1. */
	*gx_tls__cipher_in(c->tls) = c->io.in;
	c->io.in = (struct gx_iobuf){0};
	c->cipher_more = true;
	c->phase = PHASE_HANDSHAKE;
	c->phase_deadline = gx_net__now_ms(c->net) + c->l->o.handshake_ms;
}

void gx_conn__begin(struct gx_conn *c)
{
	if (c->l->o.implicit_tls)
		gx_conn__begin_tls(c);
	else
		enter_run(c);
}

bool gx_conn__proxy(struct gx_conn *c)
{
	struct gx_addr peer;
	size_t used;
	bool local;
	bool more = gx_conn__read(c, GX_PROXY_MAX);
	struct gx_bin in = {gx_iobuf_head(&c->io.in), gx_iobuf_left(&c->io.in)};
	int ret = gx_proxy__parse(in, &used, &peer, &local);
	if (ret == GX_E_TRUNC && !c->eof)
		return more;
	if (ret != 0) {
		gx_log(c->net->log, GX_LOG_WARN, "[%llu] %s: connection without a PROXY protocol v2 header closed (%s expects one)",
		       (unsigned long long)c->io.id, c->io.peer, c->l->addr);
		c->dead = true;
		return true;
	}
	gx_iobuf_consume(&c->io.in, used);
	if (!local) {
		if (!admit(c, &peer)) {
			gx_listener__complain(c->l, "too many connections from one host", c->peer);
			c->dead = true;
			return true;
		}
		gx_conn__set_peer(c, &peer);
	}
	gx_conn__begin(c);
	return true;
}

bool gx_conn__handshake(struct gx_conn *c)
{
	const char *why = NULL;
	struct gx_iobuf *in = gx_tls__cipher_in(c->tls);
	if (gx_iobuf_left(in) == 0 && c->can_read) {
		uint8_t *p = gx_iobuf_reserve(in, 4096);
		if (p != NULL)
			gx_iobuf_added(in, gx_conn__recv(c, p, 4096));
	}
	int ret = gx_tls__handshake(c->tls, &why);
	gx_conn__flush(c);
	if (ret == 0) {
		enter_run(c);
		return true;
	}
	if (ret == GX_E_BUSY && !c->eof) {
		/* Clients that write their last handshake messages one by one wait 40 ms for a delayed acknowledgement. */
		int one = 1;
		setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
		return c->can_read;
	}
	int level = gx_tls__asks_for_certificate(c->l->o.tls) && why != NULL ? GX_LOG_WARN : GX_LOG_INFO;
	gx_log(c->net->log, level, "[%llu] %s: TLS handshake failed: %s", (unsigned long long)c->io.id, c->io.peer,
	       why == NULL ? "the peer hung up" : why);
	c->dead = true;
	return true;
}

bool gx_conn__closing(struct gx_conn *c)
{
	char sink[4096];
	if (!c->said_goodbye && c->out_first == NULL) {
		c->said_goodbye = true;
		if (c->tls != NULL)
			gx_tls__bye(c->tls);
		gx_conn__flush(c);
	}
	if (gx_conn__has_output(c))
		return false;
	/* Unread input would turn the close into a reset that can overtake the last answer. */
	shutdown(c->fd, SHUT_WR);
	for (unsigned i = 0; i < 16 && c->can_read && !c->eof && !c->dead; ++i)
		gx_conn__recv(c, sink, sizeof(sink));
	c->dead = true;
	return true;
}
