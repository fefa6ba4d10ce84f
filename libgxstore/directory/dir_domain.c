/* SPDX-License-Identifier: Apache-2.0 */
/* Domains and servers. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/directory/dir-int.h"

enum { MAX_SERVERS = 255 }; /* the columns that name one hold a byte */

/* ---- Domains ---- */

static int read_domain(struct gx_arena *a, struct gx_dirstmt *st, struct gx_domain *dom)
{
	*dom = (struct gx_domain){
		.id = (uint32_t)gx_dir__num(st, 0),
		.homeserver = (uint32_t)gx_dir__num(st, 1),
		.status = (uint32_t)gx_dir__num(st, 2),
		.name = gx_dir__col(a, st, 3),
		.homedir = gx_dir__col(a, st, 4),
		.title = gx_dir__col(a, st, 5),
		.max_user = (uint32_t)gx_dir__num(st, 6),
		.org_id = (uint32_t)gx_dir__num(st, 7),
	};
	return dom->name == NULL || dom->homedir == NULL || dom->title == NULL ? GX_E_NOMEM : 0;
}

struct domains {
	struct gx_arena *a;
	const char *name; /* NULL: all */
	struct gx_domain *v;
	size_t n, cap;
};

static int take_domain(struct gx_dirstmt *st, void *ctx)
{
	struct domains *l = ctx;
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	return l->v == NULL ? GX_E_NOMEM : read_domain(l->a, st, &l->v[l->n++]);
}

static int load_domains(struct gx_dirconn *c, void *ctx)
{
	struct domains *l = ctx;
	const struct gx_dirarg name = GX_NAME(l->name);
	bool all = l->name == NULL;
	l->n = 0;
	int r = gx_dir__each(c, all ? GX_DQ_DOMAINS : GX_DQ_DOMAIN_BY_NAME, &name, all ? 0 : 1, take_domain, l);
	return r == 0 && !all && l->n == 0 ? GX_E_NOTFOUND : r;
}

int gx_dir__load_domains(struct gx_dirconn *c, struct gx_arena *a, struct gx_domain **ret_v, size_t *ret_n)
{
	struct domains l = {.a = a};
	int err = load_domains(c, &l);
	*ret_v = l.v;
	*ret_n = l.n;
	return err;
}

int gx_dir_domain(struct gx_dir *d, const char *name, struct gx_arena *a, struct gx_domain *ret_dom)
{
	char key[GX_DIR_ADDR_MAX + 1];
	uint64_t ticket;
	if (d == NULL || name == NULL || a == NULL || ret_dom == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(name, key) != 0)
		return GX_E_NOTFOUND;
	int r = gx_dir__cache_get(d, GX_DIRKIND_DOMAIN, key, a, ret_dom, &ticket);
	if (r != 1)
		return r;
	struct domains l = {.a = a, .name = key};
	r = gx_dir__read(d, load_domains, &l);
	if (r == 0 || r == GX_E_NOTFOUND)
		gx_dir__cache_put(d, GX_DIRKIND_DOMAIN, key, r == 0 ? l.v : NULL, ticket);
	if (r == 0)
		*ret_dom = l.v[0];
	return r;
}

int gx_dir_list_domains(struct gx_dir *d, struct gx_arena *a, struct gx_domain **ret_v, size_t *ret_n)
{
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	struct domains l = {.a = a};
	int r = gx_dir__read(d, load_domains, &l);
	if (r == 0) {
		*ret_v = l.v;
		*ret_n = l.n;
	}
	return r;
}

/* ---- Servers ---- */

struct servers {
	struct gx_arena *a;
	uint32_t id; /* 0: all */
	struct gx_server *v;
	size_t n, cap;
};

static int take_server(struct gx_dirstmt *st, void *ctx)
{
	struct servers *l = ctx;
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return GX_E_NOMEM;
	struct gx_server *s = &l->v[l->n++];
	*s = (struct gx_server){(uint32_t)gx_dir__num(st, 0), gx_dir__col(l->a, st, 1), gx_dir__col(l->a, st, 2)};
	return s->hostname == NULL || s->extname == NULL ? GX_E_NOMEM : 0;
}

static int load_servers(struct gx_dirconn *c, void *ctx)
{
	struct servers *l = ctx;
	const struct gx_dirarg id = GX_NUM(l->id);
	bool all = l->id == 0;
	l->n = 0;
	int r = gx_dir__each(c, all ? GX_DQ_SERVERS : GX_DQ_SERVER_BY_ID, &id, all ? 0 : 1, take_server, l);
	return r == 0 && !all && l->n == 0 ? GX_E_NOTFOUND : r;
}

int gx_dir_server(struct gx_dir *d, uint32_t id, struct gx_arena *a, struct gx_server *ret_s)
{
	char key[16];
	uint64_t ticket;
	if (d == NULL || a == NULL || ret_s == NULL)
		return GX_E_INVAL;
	if (id == 0 || id > MAX_SERVERS)
		return GX_E_NOTFOUND;
	snprintf(key, sizeof(key), "%u", id);
	int r = gx_dir__cache_get(d, GX_DIRKIND_SERVER, key, a, ret_s, &ticket);
	if (r != 1)
		return r;
	struct servers l = {.a = a, .id = id};
	r = gx_dir__read(d, load_servers, &l);
	if (r == 0 || r == GX_E_NOTFOUND)
		gx_dir__cache_put(d, GX_DIRKIND_SERVER, key, r == 0 ? l.v : NULL, ticket);
	if (r == 0)
		*ret_s = l.v[0];
	return r;
}

int gx_dir_list_servers(struct gx_dir *d, struct gx_arena *a, struct gx_server **ret_v, size_t *ret_n)
{
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	struct servers l = {.a = a};
	int r = gx_dir__read(d, load_servers, &l);
	if (r == 0) {
		*ret_v = l.v;
		*ret_n = l.n;
	}
	return r;
}

struct store_home {
	const char *maildir;
	int64_t server;
};

static int find_home(struct gx_dirconn *c, void *ctx)
{
	struct store_home *h = ctx;
	return gx_dir__first(c, GX_DQ_STORE_HOMESERVER, GX_ARGS(GX_TEXT(h->maildir)), &h->server);
}

int gx_dir_homeserver(struct gx_dir *d, const char *maildir, uint32_t *ret_server)
{
	struct store_home h = {maildir, 0};
	if (d == NULL || maildir == NULL || *maildir == '\0' || ret_server == NULL)
		return GX_E_INVAL;
	int r = gx_dir__read(d, find_home, &h);
	if (r == 0)
		*ret_server = (uint32_t)h.server;
	return r;
}

int gx_dir_server_of(struct gx_dir *d, uint32_t homeserver, struct gx_arena *a, const char **ret_host)
{
	struct gx_server s;
	if (d == NULL || a == NULL || ret_host == NULL)
		return GX_E_INVAL;
	int r = homeserver == 0 ? 0 : gx_dir_server(d, homeserver, a, &s);
	if (r == 0)
		*ret_host = homeserver == 0 || gx_ascii_casecmp(s.hostname, d->o.host_id) == 0 ? "local" : s.hostname;
	return r;
}

struct new_server {
	char host[GX_DIR_ADDR_MAX + 1], ext[GX_DIR_ADDR_MAX + 1];
	uint32_t id;
	struct gx_arena *a;
};

/* The lowest number that is free: there are few. */
static int insert_server(struct gx_dirconn *c, void *ctx)
{
	struct new_server *n = ctx;
	struct servers l = {.a = n->a};
	int err = load_servers(c, &l);
	n->id = 1;
	for (size_t i = 0; err == 0 && i < l.n && l.v[i].id == n->id; ++i)
		++n->id;
	if (err == 0 && n->id > MAX_SERVERS)
		err = GX_E_LIMIT;
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_SERVER_INSERT, GX_ARGS(GX_NUM(n->id), GX_NAME(n->host), GX_NAME(n->ext)));
}

/* A host that clients know may have a port, as oxdisco_exonym may. */
static bool new_extname(struct gx_dir *d, const char *name, char to[GX_DIR_ADDR_MAX + 1])
{
	const char *colon = strrchr(name, ':');
	if (colon == NULL)
		return gx_dir__new_host(d, name, to);
	char host[GX_DIR_ADDR_MAX + 1];
	size_t n = (size_t)(colon - name), digits = strspn(colon + 1, "0123456789");
	unsigned long port = strtoul(colon + 1, NULL, 10);
	if (n >= sizeof(host) || digits == 0 || digits > 5 || colon[1 + digits] != '\0' || port == 0 || port > 65535)
		return false;
	memcpy(host, name, n);
	host[n] = '\0';
	n = gx_dir__new_host(d, host, to) ? strlen(to) : 0;
	return n > 0 && n + 7 <= 255 && snprintf(to + n, 7, ":%lu", port) > 0;
}

int gx_dir_add_server(struct gx_dir *d, const char *hostname, const char *extname, uint32_t *ret_id)
{
	struct new_server n = {.id = 0};
	if (extname == NULL || *extname == '\0')
		extname = hostname;
	if (d == NULL || hostname == NULL || !gx_dir__new_host(d, hostname, n.host) || !new_extname(d, extname, n.ext))
		return GX_E_INVAL;
	n.a = gx_arena_new(0);
	int err = n.a == NULL ? GX_E_NOMEM : gx_dir__write(d, insert_server, &n);
	gx_arena_free(n.a);
	if (err == 0 && ret_id != NULL)
		*ret_id = n.id;
	return err;
}

static int delete_server(struct gx_dirconn *c, void *ctx)
{
	int64_t id, uses = 0;
	int err = gx_dir__first(c, GX_DQ_SERVER_ID, GX_ARGS(GX_NAME((const char *)ctx)), &id);
	if (err == 0)
		err = gx_dir__first(c, GX_DQ_SERVER_COUNT, GX_ARGS(GX_NUM(id)), &uses);
	if (err == 0 && uses > 0)
		err = GX_E_STATE;
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_SERVER_DELETE, GX_ARGS(GX_NUM(id)));
}

int gx_dir_del_server(struct gx_dir *d, const char *hostname)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || hostname == NULL)
		return GX_E_INVAL;
	return gx_dir__normalise(hostname, key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, delete_server, key);
}

struct move {
	enum gx_dir_q q;
	char key[GX_DIR_ADDR_MAX + 1];
	uint32_t server;
};

static int set_homeserver(struct gx_dirconn *c, void *ctx)
{
	const struct move *m = ctx;
	int err = m->server == 0 ? 0 : gx_dir__first(c, GX_DQ_SERVER_BY_ID, GX_ARGS(GX_NUM(m->server)), NULL);
	if (err == GX_E_NOTFOUND)
		return GX_E_INVAL;
	return err != 0 ? err : gx_dir__change(c, m->q, GX_ARGS(GX_NAME(m->key), GX_NUM(m->server)));
}

static int move(struct gx_dir *d, enum gx_dir_q q, const char *name, uint32_t server)
{
	struct move m = {.q = q, .server = server};
	if (d == NULL || name == NULL || server > MAX_SERVERS)
		return GX_E_INVAL;
	return gx_dir__normalise(name, m.key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, set_homeserver, &m);
}

int gx_dir_set_homeserver(struct gx_dir *d, const char *username, uint32_t server)
{
	return move(d, GX_DQ_USER_HOMESERVER, username, server);
}

int gx_dir_set_domain_homeserver(struct gx_dir *d, const char *domain, uint32_t server)
{
	return move(d, GX_DQ_DOMAIN_HOMESERVER, domain, server);
}
