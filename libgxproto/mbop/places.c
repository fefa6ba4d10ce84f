/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a store: the server of another host, that of this one, or, when none answers here, this
 * process. A store that some other process has open is refused then by its lock.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/exmdb-server.h>
#include "libgxproto/mbop/mbop-int.h"

int gx_mbop__init(struct gx_mbop *m, const struct gx_mbop_opts *o, struct gx_arena *a)
{
	*m = (struct gx_mbop){.o = o, .a = a};
	if (pthread_mutex_init(&m->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (pthread_mutex_init(&m->tell, NULL) != 0) {
		pthread_mutex_destroy(&m->lock);
		return GX_E_NOMEM;
	}
	return 0;
}

void gx_mbop__release(struct gx_mbop *m)
{
	while (m->places != NULL) {
		struct gx_mbop_place *p = m->places;
		m->places = p->next;
		gx_exmdb_free(p->x);
		free(p);
	}
	gx_exmdb_free(m->here);
	gx_exmdb_host_free(m->host);
	gx_store_pool_free(m->pool);
	pthread_mutex_destroy(&m->tell);
	pthread_mutex_destroy(&m->lock);
}

/* ---- Servers ---- */

/* Holds the lock. */
static int add_place(struct gx_mbop *m, const char *addr, bool plain, struct gx_arena *a, struct gx_mbop_place **ret_p,
	const char **ret_why)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	size_t n = strlen(addr) + 1;
	struct gx_mbop_place *p = malloc(sizeof(*p) + n);
	if (p == NULL)
		return GX_E_NOMEM;
	memcpy(p->addr, addr, n);
	o.server = p->addr;
	o.log = m->o->log;
	o.transport = plain ? NULL : m->o->transport;
	int err = gx_exmdb_remote_new(&o, &p->x, a, ret_why);
	if (err != 0) {
		free(p);
		return err;
	}
	p->next = m->places;
	m->places = p;
	*ret_p = p;
	return 0;
}

static int server(struct gx_mbop *m, const char *addr, bool plain, struct gx_arena *a, struct gx_exmdb **ret_x,
	const char **ret_why)
{
	int err = 0;
	pthread_mutex_lock(&m->lock);
	struct gx_mbop_place *p = m->places;
	while (p != NULL && strcmp(p->addr, addr) != 0)
		p = p->next;
	if (p == NULL)
		err = add_place(m, addr, plain, a, &p, ret_why);
	pthread_mutex_unlock(&m->lock);
	if (err == 0)
		*ret_x = p->x;
	return err;
}

/* ---- This process ---- */

static int open_here(struct gx_mbop *m, const char *dir, struct gx_arena *a, const char **ret_why)
{
	struct gx_store_pool_opts p = {.size = sizeof(p), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts h = GX_EXMDB_HOST_OPTS_INIT;
	int err = m->o->enter != NULL ? m->o->enter(dir, a, ret_why, m->o->ctx) : 0;
	if (err != 0)
		return err;
	if (m->o->store != NULL)
		p.store = *m->o->store;
	p.store.log = m->o->log;
	p.store.render = gx_mail_render;
	p.store.render_ctx = m->o->dir;
	p.store.people = gx_dir_people_of;
	p.store.people_ctx = m->o->dir;
	p.store.convert = gx_bodyconv;
	p.store.owner_program = "gromox-mbop";
	m->pool = gx_store_pool_new(&p);
	if (m->pool == NULL)
		return GX_E_NOMEM;
	h.pool = m->pool;
	h.dir = m->o->dir;
	h.log = m->o->log;
	h.org_name = m->o->org_name;
	h.describe = gx_exmdb_describe;
	err = gx_exmdb_host_new(&h, &m->host);
	return err != 0 ? err : gx_exmdb_local_new(m->host, &m->here);
}

static const char *why_not_home(const struct gx_mbop *m)
{
	return m->home_why[0] != '\0' ? m->home_why : "no address of a server is configured";
}

/* Is the store free to be opened? */
static int try_here(struct gx_mbop *m, const struct gx_mbop_target *t, struct gx_arena *a, const char **ret_why)
{
	const char *why = "";
	gx_ec ec = gx_exmdb_ping_store(m->here, t->dir, a, &why);
	if (!gx_ec_failed(ec))
		return 0;
	const char *text = gx_arena_printf(a,
		"%s; and no server answers here (%s): start gromoxd or istore, or name one with --server",
		*why != '\0' ? why : gx_ec_text(ec), why_not_home(m));
	*ret_why = text != NULL ? text : "";
	return text != NULL ? gx_ec_to_err(ec) : GX_E_NOMEM;
}

static int here(struct gx_mbop *m, const struct gx_mbop_target *t, struct gx_arena *a, struct gx_exmdb **ret_x,
	const char **ret_why)
{
	pthread_mutex_lock(&m->lock);
	int err = m->here != NULL ? 0 : open_here(m, t->dir, a, ret_why);
	pthread_mutex_unlock(&m->lock);
	if (err == 0)
		err = try_here(m, t, a, ret_why);
	if (err == 0)
		*ret_x = m->here;
	return err;
}

/* ---- Which of them ---- */

/* The first one to ask finds out for all. */
static int home_state(struct gx_mbop *m, struct gx_exmdb *x, const struct gx_mbop_target *t, struct gx_arena *a)
{
	const char *why = "";
	pthread_mutex_lock(&m->lock);
	int state = m->home;
	pthread_mutex_unlock(&m->lock);
	if (state != GX_MBHOME_UNKNOWN)
		return state;
	gx_ec ec = gx_exmdb_ping_store(x, t->dir, a, &why);
	pthread_mutex_lock(&m->lock);
	if (m->home == GX_MBHOME_UNKNOWN) {
		m->home = gx_ec_is(ec, ecRpcFailed) ? GX_MBHOME_DOWN : GX_MBHOME_UP;
		if (m->home == GX_MBHOME_DOWN)
			snprintf(m->home_why, sizeof(m->home_why), "%s", why);
	}
	state = m->home;
	pthread_mutex_unlock(&m->lock);
	return state;
}

int gx_mbop__connect(struct gx_mbop *m, const struct gx_mbop_target *t, struct gx_arena *a, struct gx_exmdb **ret_x,
	const char **ret_why)
{
	if (m->o->server != NULL)
		return server(m, m->o->server, false, a, ret_x, ret_why);
	if (strcmp(t->host, "local") != 0) {
		bool v6 = strchr(t->host, ':') != NULL;
		const char *addr = gx_arena_printf(a, v6 ? "[%s]:%u" : "%s:%u", t->host, m->o->port != 0 ? m->o->port : 5000);
		return addr == NULL ? GX_E_NOMEM : server(m, addr, false, a, ret_x, ret_why);
	}
	if (m->o->home == NULL)
		return here(m, t, a, ret_x, ret_why);
	int err = server(m, m->o->home, m->o->home_plain, a, ret_x, ret_why);
	if (err != 0 || home_state(m, *ret_x, t, a) == GX_MBHOME_UP)
		return err;
	return here(m, t, a, ret_x, ret_why);
}
