/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxproto/net/net-int.h"

enum { BACKLOG = 1024, ACCEPTS = 64, PAUSE_MS = 100, BUCKETS = 1024 };

/* ---- Limits by host ---- */

static struct gx_host **bucket(struct gx_listener *l, const uint8_t key[16])
{
	uint32_t h = 2166136261u;
	for (unsigned i = 0; i < 16; ++i)
		h = (h ^ key[i]) * 16777619u;
	return &l->hosts[(h ^ h >> 15) % BUCKETS];
}

static struct gx_host **find_host(struct gx_listener *l, const uint8_t key[16])
{
	struct gx_host **p = bucket(l, key);
	while (*p != NULL && memcmp((*p)->key, key, 16) != 0)
		p = &(*p)->next;
	return p;
}

bool gx_listener__enter(struct gx_listener *l, const uint8_t host_key[16])
{
	if (l->hosts == NULL)
		return true;
	struct gx_host **p = find_host(l, host_key);
	if (*p == NULL) {
		struct gx_host *h = calloc(1, sizeof(*h));
		if (h == NULL)
			return false;
		memcpy(h->key, host_key, 16);
		*p = h;
	}
	if ((*p)->conns >= l->o.max_conns_per_ip)
		return false;
	++(*p)->conns;
	return true;
}

void gx_listener__leave(struct gx_listener *l, const uint8_t host_key[16])
{
	if (l->hosts == NULL)
		return;
	struct gx_host **p = find_host(l, host_key), *h = *p;
	if (h == NULL || --h->conns > 0)
		return;
	*p = h->next;
	free(h);
}

void gx_listener__complain(struct gx_listener *l, const char *what, const char *peer)
{
	struct gx_net *n = l->net;
	unsigned more;
	pthread_mutex_lock(&n->lock);
	bool say = gx_quiet__say(&l->complaints, gx_net__now_ms(n), &more);
	pthread_mutex_unlock(&n->lock);
	if (say)
		gx_log(n->log, GX_LOG_WARN, "%s: connection refused%s%s: %s (%u more since the last such message)", l->addr,
		       *peer == '\0' ? "" : " to ", peer, what, more);
}

/* ---- Accepting ---- */

struct gx_loop *gx_net__next_loop(struct gx_net *n)
{
	pthread_mutex_lock(&n->lock);
	unsigned i = n->next_loop;
	n->next_loop = (i + 1) % n->nloops;
	pthread_mutex_unlock(&n->lock);
	return &n->loops[i];
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_listener *l = ctx;
	pthread_mutex_lock(&l->net->lock);
	if (!l->net->stopping)
		event_add(l->ev, NULL);
	pthread_mutex_unlock(&l->net->lock);
}

/* Without descriptors or memory the clients wait in the backlog; the loop must not spin meanwhile. */
static void pause_accepting(struct gx_listener *l, int err)
{
	struct timeval tv = {.tv_usec = PAUSE_MS * 1000};
	char what[120];
	snprintf(what, sizeof(what), "%s%s", strerror(err), err == EMFILE ? " (raise the limit with the fd_limit directive)" : "");
	gx_listener__complain(l, what, "");
	pthread_mutex_lock(&l->net->lock);
	event_del(l->ev);
	if (!l->net->stopping)
		event_add(l->resume, &tv);
	pthread_mutex_unlock(&l->net->lock);
}

static void on_accept(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_listener *l = ctx;
	for (unsigned i = 0; i < ACCEPTS; ++i) {
		struct gx_addr peer = {.len = sizeof(peer.ss)};
		int s = accept4(l->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (s < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			pause_accepting(l, errno);
			return;
		}
		if (s < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (s < 0)
			continue;
		if (atomic_load(&l->net->timers_sleep))
			gx_net__wake_timers(l->net);
		gx_conn__accepted(l, s, &peer, gx_net__next_loop(l->net));
	}
}

/* ---- Binding ---- */

static const char *bind_remedy(int err, const struct gx_addr *a)
{
	switch (err) {
	case EADDRINUSE:
		return a->sa.sa_family == AF_UNIX ? "another program has this socket open; stop it or choose another path"
			: "another program uses this port (\"ss -ltnp\" shows which); stop it or choose another port";
	case EACCES:
		return a->sa.sa_family == AF_UNIX ? "the directory is not writable for this user"
			: "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; choose a higher port otherwise";
	case EADDRNOTAVAIL:
		return "no network interface has this address; use one of this host, or [::] for all";
	case ENOENT:
		return "the directory of the socket does not exist; create it";
	default:
		return "see the address and the system's network settings";
	}
}

/* A socket file that nobody serves any more is in the way of bind(). */
static void remove_stale(const struct gx_addr *a)
{
	struct stat st;
	if (lstat(a->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &a->sa, a->len) != 0 && errno == ECONNREFUSED)
		unlink(a->un.sun_path);
	close(fd);
}

static int open_socket(const struct gx_addr *a)
{
	int one = 1, zero = 0;
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || a->sa.sa_family == AF_UNIX)
		return fd;
	/* Accepted sockets inherit these. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	return fd;
}

static bool no_ipv6(int err, const struct gx_addr *a)
{
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) &&
	       (err == EAFNOSUPPORT || err == EADDRNOTAVAIL);
}

/* @return 0 or an errno value. */
static int bind_and_listen(struct gx_listener *l, struct gx_addr *a)
{
	if (a->sa.sa_family == AF_UNIX)
		remove_stale(a);
	l->fd = open_socket(a);
	if (l->fd < 0)
		return errno;
	if (bind(l->fd, &a->sa, a->len) == 0 && listen(l->fd, BACKLOG) == 0)
		return 0;
	int err = errno;
	close(l->fd);
	l->fd = -1;
	return err;
}

static int bind_addr(struct gx_listener *l, struct gx_addr *a, struct gx_arena *arena, const char **ret_why)
{
	int err = bind_and_listen(l, a);
	if (err != 0 && no_ipv6(err, a)) {
		*a = (struct gx_addr){.in = {.sin_family = AF_INET, .sin_port = a->in6.sin6_port}, .len = sizeof(a->in)};
		err = bind_and_listen(l, a);
		if (err == 0)
			gx_log(l->net->log, GX_LOG_NOTICE, "%s: this host has no IPv6, listening on IPv4 only", l->addr);
	}
	if (err != 0) {
		*ret_why = gx_arena_printf(arena, "cannot listen on %s: %s: %s", l->addr, strerror(err), bind_remedy(err, a));
		return err == EADDRINUSE ? GX_E_BUSY : GX_E_IO;
	}
	if (a->sa.sa_family == AF_UNIX)
		(void)!chmod(a->un.sun_path, l->o.socket_mode == 0 ? 0666 : (mode_t)l->o.socket_mode);
	l->bound = (struct gx_addr){.len = sizeof(l->bound.ss)};
	return getsockname(l->fd, &l->bound.sa, &l->bound.len) == 0 ? 0 : GX_E_IO;
}

void gx_listener__set_defaults(struct gx_listen_opts *o)
{
	if (o->handshake_ms == 0)
		o->handshake_ms = 30000;
	if (o->write_stall_ms == 0)
		o->write_stall_ms = 180000;
	if (o->in_max == 0)
		o->in_max = 64 << 10;
	if (o->out_high == 0)
		o->out_high = 256 << 10;
}

static struct gx_listener *new_listener(struct gx_net *n, const struct gx_listen_opts *o)
{
	struct gx_listener *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	*l = (struct gx_listener){.net = n, .o = *o, .fd = -1, .addr = strdup(o->addr)};
	l->o.addr = l->addr;
	gx_listener__set_defaults(&l->o);
	if (o->max_conns_per_ip != 0)
		l->hosts = calloc(BUCKETS, sizeof(*l->hosts));
	if (l->addr == NULL || (o->max_conns_per_ip != 0 && l->hosts == NULL)) {
		gx_listener__free(l);
		return NULL;
	}
	return l;
}

static int add_listener(struct gx_net *n, struct gx_listener *l)
{
	int ret = 0;
	l->ev = event_new(n->loops[0].base, l->fd, EV_READ | EV_PERSIST, on_accept, l);
	l->resume = event_new(n->loops[0].base, -1, 0, on_resume, l);
	if (l->ev == NULL || l->resume == NULL)
		return GX_E_NOMEM;
	pthread_mutex_lock(&n->lock);
	if (n->stopping) {
		ret = GX_E_STATE;
	} else {
		l->next = n->listeners;
		n->listeners = l;
	}
	bool started = n->started;
	pthread_mutex_unlock(&n->lock);
	if (ret == 0 && started)
		event_add(l->ev, NULL);
	return ret;
}

int gx_net_listen(struct gx_net *n, const struct gx_listen_opts *o, uint16_t *ret_port, struct gx_arena *a, const char **ret_why)
{
	struct gx_addr addr;
	const char *why = "", *syntax;
	if (ret_why == NULL)
		ret_why = &why;
	if (n == NULL || o == NULL || o->size < sizeof(*o) || o->addr == NULL || o->factory.ops == NULL || o->factory.new_engine == NULL)
		return GX_E_INVAL;
	int ret = gx_addr__parse(o->addr, &addr, &syntax);
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "\"%s\" is no listening address: %s", o->addr, syntax);
		return ret;
	}
	struct gx_listener *l = new_listener(n, o);
	if (l == NULL)
		return GX_E_NOMEM;
	ret = bind_addr(l, &addr, a, ret_why);
	if (ret == 0)
		ret = add_listener(n, l);
	if (ret != 0) {
		gx_listener__close(l);
		gx_listener__free(l);
		return ret;
	}
	if (ret_port != NULL) {
		char text[64];
		*ret_port = gx_addr__print(&l->bound, text, sizeof(text));
	}
	return 0;
}

void gx_listener__close(struct gx_listener *l)
{
	if (l->ev != NULL)
		event_free(l->ev);
	if (l->resume != NULL)
		event_free(l->resume);
	l->ev = l->resume = NULL;
	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->bound.sa.sa_family == AF_UNIX)
		unlink(l->bound.un.sun_path);
}

void gx_listener__free(struct gx_listener *l)
{
	free(l->hosts);
	free(l->addr);
	free(l);
}
