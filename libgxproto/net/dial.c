/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that this side makes. From the first step on they are like those that were accepted. */
#include <config.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/net/net-int.h"

struct gx_dialer {
	struct gx_listener l; /* in the list of the net, which frees it; at this address */
};

int gx_net_dialer(struct gx_net *n, const struct gx_dialer_opts *o, struct gx_dialer **ret_d)
{
	if (n == NULL || o == NULL || o->size < sizeof(*o) || o->factory.ops == NULL || o->factory.new_engine == NULL || ret_d == NULL)
		return GX_E_INVAL;
	struct gx_dialer *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return GX_E_NOMEM;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	lo.factory = o->factory;
	lo.write_stall_ms = o->write_stall_ms;
	lo.in_max = o->in_max;
	lo.out_high = o->out_high;
	gx_listener__set_defaults(&lo);
	d->l = (struct gx_listener){.net = n, .o = lo, .fd = -1, .addr = strdup("outgoing")};
	pthread_mutex_lock(&n->lock);
	int ret = d->l.addr == NULL ? GX_E_NOMEM : n->stopping ? GX_E_STATE : 0;
	if (ret == 0) {
		d->l.next = n->listeners;
		n->listeners = &d->l;
	}
	pthread_mutex_unlock(&n->lock);
	if (ret == 0) {
		*ret_d = d;
		return 0;
	}
	free(d->l.addr);
	free(d);
	return ret;
}

static int err_of(int e)
{
	switch (e) {
	case ECONNREFUSED:
	case ENOENT:
		return GX_E_NOTFOUND;
	case EAGAIN: /* of a Unix socket: its backlog is full */
		return GX_E_BUSY;
	case ENOMEM:
	case ENOBUFS:
		return GX_E_NOMEM;
	default:
		return GX_E_IO;
	}
}

/* @return a descriptor or GX_E_*. */
static int connect_to(const struct gx_addr *a)
{
	int one = 1, fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_of(errno);
	if (a->sa.sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Until a connection over a network stands, the socket takes no bytes and has none. */
	if (connect(fd, &a->sa, a->len) == 0 || errno == EINPROGRESS)
		return fd;
	int ret = err_of(errno);
	close(fd);
	return ret;
}

int gx_net_dial(struct gx_dialer *d, const char *addr, void *ctx)
{
	struct gx_addr a;
	const char *why;
	struct gx_net *n = d->l.net;
	int ret = gx_addr__parse(addr, &a, &why);
	if (ret != 0)
		return ret;
	pthread_mutex_lock(&n->lock);
	bool runs = n->started && !n->stopping;
	pthread_mutex_unlock(&n->lock);
	int fd = runs ? connect_to(&a) : GX_E_STATE;
	if (fd < 0)
		return fd;
	struct gx_conn *c = gx_conn__new(&d->l, fd, &a, gx_net__next_loop(n));
	if (c == NULL) {
		close(fd);
		return GX_E_NOMEM;
	}
	if (gx_conn__link(c) != NULL) {
		gx_conn__unwanted(c);
		return GX_E_STATE;
	}
	c->phase = PHASE_RUN;
	c->until = UNTIL_NOW;
	c->engine = d->l.o.factory.new_engine(&c->io, ctx);
	if (c->engine == NULL) {
		gx_conn__release(c);
		return GX_E_NOMEM;
	}
	event_add(c->ev, NULL);
	gx_conn__hand_over(c);
	return 0;
}
