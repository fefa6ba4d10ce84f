/* SPDX-License-Identifier: Apache-2.0 */
/* A process for each store: what the one that starts them does, and what is different in them. */
#include <config.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemons/services.h"

enum { IDLE_TICKS = 2 };

static bool fail(struct services *s, const char *what, const char *why)
{
	gx_log(s->log, GX_LOG_CRIT, "%s: %s", what, why);
	return false;
}

/* ---- In a worker ---- */

static void *watch_owner(void *ctx)
{
	struct services *s = ctx;
	char c;
	while (read(s->d->worker.owner_fd, &c, 1) < 0 && errno == EINTR)
		;
	kill(getpid(), SIGTERM);
	return NULL;
}

static bool become_worker(struct services *s)
{
	pthread_t t;
	s->tick_always = true;
	if (pthread_create(&t, NULL, watch_owner, s) != 0)
		return fail(s, "--owner-fd", "no thread can be made");
	pthread_detach(t);
	return true;
}

/* One whose store nobody has open, and to whom nobody is connected, makes room; it is started again when it is wanted. */
static void end_if_idle(struct services *s)
{
	struct gx_net_stats st;
	gx_net_stats(s->net, &st);
	bool needed = atomic_load(&s->web.sessions) > 0 || (s->web.ems != NULL && gx_ems_has_mail(s->web.ems));
	s->idle_ticks = st.conns == 0 && atomic_load(&s->stores_open) == 0 && !needed ? s->idle_ticks + 1 : 0;
	if (s->idle_ticks == IDLE_TICKS)
		kill(getpid(), SIGTERM);
}

void services_tick_workers(struct services *s)
{
	if (s->d->worker.store != NULL)
		end_if_idle(s);
	else if (s->workers != NULL)
		(void)gx_workers_tick(s->workers);
	services_tick_sessions(s);
}

/* ---- In the one that starts them ---- */

int services_relay(const char *remote_id, struct gx_exmdb **ret_x, void *ctx)
{
	struct services *s = ctx;
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	o.locate = gx_workers_locate;
	o.locate_ctx = s->workers;
	o.remote_id = remote_id;
	o.log = s->log;
	return gx_exmdb_remote_new(&o, ret_x, s->arena, NULL);
}

static const char *own_program(struct services *s)
{
	char path[4096];
	const char *other = getenv("ISTORE_WORKER");
	if (other != NULL && *other != '\0')
		return other;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return gx_arena_strdup(s->arena, path);
}

/* Where the service manager gives a place, there. */
static const char *socket_dir(struct services *s)
{
	const char *run = getenv("RUNTIME_DIRECTORY"), *tmp = getenv("TMPDIR");
	if (run != NULL && *run != '\0' && strchr(run, ':') == NULL)
		return gx_arena_printf(s->arena, "%s/stores", run);
	return gx_arena_printf(s->arena, "%s/gx-stores.%ld", tmp != NULL && *tmp != '\0' ? tmp : "/tmp", (long)getpid());
}

/* ISTORE_JUST_ONE: a directory, or the address of a user. */
static bool only_one(struct services *s)
{
	struct gx_user u;
	const char *who = getenv("ISTORE_JUST_ONE");
	if (who == NULL || *who == '\0')
		return true;
	if (*who == '/') {
		s->workers_only = who;
		return true;
	}
	int ret = gx_dir_user(s->dir, who, s->arena, &u);
	s->workers_only = ret == 0 ? u.maildir : NULL;
	return ret == 0 || fail(s, "ISTORE_JUST_ONE", gx_arena_printf(s->arena, "%s: %s", who, gx_strerror(ret)));
}

bool services_open_workers(struct services *s)
{
	if (s->d->worker.store != NULL)
		return become_worker(s);
	if ((gx_conf_uint(s->conf, "istore_standalone") & 2) == 0)
		return true;
	struct gx_workers_opts o = GX_WORKERS_OPTS_INIT;
	const char *why = NULL, *argv[] = {own_program(s), s->d->config != NULL ? "-c" : NULL, s->d->config, NULL};
	o.argv = argv;
	o.run_dir = socket_dir(s);
	o.log = s->log;
	o.max = (unsigned)gx_conf_uint(s->conf, "table_size");
	if (argv[0] == NULL || o.run_dir == NULL)
		return fail(s, "istore_standalone", "the program that serves a store cannot be named");
	s->tick_always = true;
	int ret = gx_workers_new(&o, &s->workers, s->arena, &why);
	return ret == 0 ? only_one(s) : fail(s, "istore_standalone", why != NULL ? why : gx_strerror(ret));
}
