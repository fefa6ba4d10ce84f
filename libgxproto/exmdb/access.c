/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in, and the options of a server. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <gx/strbuf.h>
#include "libgxproto/exmdb/exmdb-int.h"

static bool in_list(char *const *v, const char *s)
{
	for (; *v != NULL; ++v)
		if (strcmp(*v, s) == 0)
			return true;
	return false;
}

static bool uid_allowed(const struct gx_exmdb_server *s, uint32_t uid)
{
	if (uid == 0 || uid == geteuid())
		return true;
	for (size_t i = 0; i < s->o.uid_count; ++i)
		if (s->uids[i] == uid)
			return true;
	return false;
}

/* The peer is an IPv4 address written as IPv6 where a listener takes both. */
static const char *plain(const char *addr)
{
	return strncmp(addr, "::ffff:", 7) == 0 && strchr(addr, '.') != NULL ? addr + 7 : addr;
}

/* The one form that peers are compared in: "2001:DB8:0::1" and "[::1]" mean addresses too. NULL: no address, or no memory. */
static char *one_form(const char *text)
{
	char addr[INET6_ADDRSTRLEN], form[INET6_ADDRSTRLEN + 40];
	union { struct in_addr v4; struct in6_addr v6; } u;
	size_t bracket = *text == '[', n = strcspn(text + bracket, "%]");
	const char *scope = text + bracket + n;
	size_t nscope = strcspn(scope, "]");
	if (n >= sizeof(addr) || nscope >= 40 || strcmp(scope + nscope, bracket ? "]" : "") != 0)
		return NULL;
	memcpy(addr, text + bracket, n);
	addr[n] = '\0';
	int family = inet_pton(AF_INET, addr, &u) == 1 ? AF_INET : AF_INET6;
	if ((family == AF_INET6 && inet_pton(AF_INET6, addr, &u) != 1) || inet_ntop(family, &u, addr, sizeof(addr)) == NULL)
		return NULL;
	snprintf(form, sizeof(form), "%s%.*s", addr, (int)nscope, scope);
	return strdup(plain(form));
}

static bool host_allowed(const struct gx_exmdb_server *s, const struct gx_io *io)
{
	if (s->hosts == NULL)
		return io->peer_is_loopback;
	for (char **h = s->hosts; *h != NULL; ++h)
		if (strcmp(*h, plain(io->peer)) == 0)
			return true;
	return false;
}

bool gx_xs__may_enter(const struct gx_exmdb_server *s, const struct gx_io *io)
{
	if (io->peer_cert != NULL)
		return s->certs == NULL || in_list(s->certs, io->peer_cert);
	if (strcmp(io->peer, "unix") == 0)
		return io->has_peer_uid && uid_allowed(s, io->peer_uid);
	return host_allowed(s, io);
}

/* ---- Options ---- */

bool gx_exmdb_host_valid(const char *address)
{
	char *form = one_form(address);
	free(form);
	return form != NULL;
}

static int to_one_form(char **v)
{
	for (; v != NULL && *v != NULL; ++v) {
		char *form = one_form(*v);
		if (form == NULL)
			return GX_E_NOMEM;
		free(*v);
		*v = form;
	}
	return 0;
}

static void set_defaults(struct gx_exmdb_server_opts *o)
{
	if (o->idle_ms == 0)
		o->idle_ms = 60000;
	if (o->ping_ms == 0)
		o->ping_ms = 57000;
	if (o->ack_ms == 0)
		o->ack_ms = 60000;
	if (o->max_request == 0)
		o->max_request = 256u << 20;
}

int gx_exmdb_server_new(const struct gx_exmdb_server_opts *o, struct gx_exmdb_server **ret_s)
{
	if (o == NULL || o->size != sizeof(*o) || (o->uid_count != 0 && o->uids_allow == NULL) || ret_s == NULL)
		return GX_E_INVAL;
	for (const char *const *h = o->hosts_allow; h != NULL && *h != NULL; ++h)
		if (!gx_exmdb_host_valid(*h))
			return GX_E_INVAL;
	struct gx_exmdb_server *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	s->o = *o;
	set_defaults(&s->o);
	int err = gx_strv_copy(o->hosts_allow, &s->hosts);
	if (err == 0)
		err = to_one_form(s->hosts);
	if (err == 0)
		err = gx_strv_copy(o->certs_allow, &s->certs);
	if (err == 0 && o->uid_count != 0) {
		s->uids = malloc(o->uid_count * sizeof(*s->uids));
		if (s->uids != NULL)
			memcpy(s->uids, o->uids_allow, o->uid_count * sizeof(*s->uids));
		else
			err = GX_E_NOMEM;
	}
	if (err != 0) {
		gx_exmdb_server_free(s);
		return err;
	}
	*ret_s = s;
	return 0;
}

void gx_exmdb_server_set_host(struct gx_exmdb_server *s, struct gx_exmdb_host *host)
{
	s->o.host = host;
}

void gx_exmdb_server_free(struct gx_exmdb_server *s)
{
	if (s == NULL)
		return;
	gx_strv_free(s->hosts);
	gx_strv_free(s->certs);
	free(s->uids);
	free(s);
}
