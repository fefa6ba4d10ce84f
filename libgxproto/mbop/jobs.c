/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on mailboxes, one mailbox after the other or several at once. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/mbop/mbop-int.h"

enum { AUTO_JOBS_MAX = 16 };

struct crew {
	struct gx_mbop *m;
	const struct gx_mbop_step *s;
	const struct gx_mbop_target *v;
	size_t n;
	atomic_size_t next;
	atomic_bool stop;
	atomic_int err;
};

static bool ready(struct gx_mbop_job *j)
{
	const char *why = "";
	if (j->cmd->e->offline || j->x != NULL)
		return true;
	if (j->t->dir[0] == '\0')
		return gx_mbop__fail(j, j->t->is_public ? "the domain has no public store" : "the user has no mailbox");
	int err = gx_mbop__connect(j->m, j->t, j->a, &j->x, &why);
	return err == 0 || gx_mbop__fail(j, "%s", *why != '\0' ? why : gx_strerror(err));
}

static bool run_command(struct gx_mbop_job *j)
{
	gx_mbop__begin(j);
	gx_mbop__progress(j, j->cmd->e->c.name, 0, 0);
	bool ok = ready(j) && j->cmd->e->run(j);
	gx_mbop__end(j, ok);
	return ok;
}

/* The commands one after the other. @return false when there shall be no more. */
static bool run_target(struct crew *c, const struct gx_mbop_target *t)
{
	struct gx_mbop_job j = {.m = c->m, .t = t, .text = GX_STRBUF_INIT};
	bool go = true;
	for (size_t i = 0; go && i < c->s->n && !atomic_load(&c->stop); ++i) {
		j.cmd = &c->s->cmds[i];
		j.a = gx_arena_new(0);
		if (j.a == NULL) {
			atomic_store(&c->err, GX_E_NOMEM);
			go = false;
			break;
		}
		go = run_command(&j) || c->m->o->keep_going;
		gx_arena_free(j.a);
	}
	gx_strbuf_release(&j.text);
	return go;
}

static void *work(void *ctx)
{
	struct crew *c = ctx;
	size_t i;
	while (!atomic_load(&c->stop) && (i = atomic_fetch_add(&c->next, 1)) < c->n)
		if (!run_target(c, &c->v[i]))
			atomic_store(&c->stop, true);
	return NULL;
}

/* All of the commands must be such that order does not matter. */
static size_t how_many(const struct gx_mbop_step *s, size_t targets)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t jobs = s->jobs != 0 ? s->jobs : cpus < 1 ? 1 : cpus > AUTO_JOBS_MAX ? (size_t)AUTO_JOBS_MAX : (size_t)cpus;
	for (size_t i = 0; i < s->n; ++i)
		if (!s->cmds[i].e->c.parallel)
			jobs = 1;
	return jobs < targets ? jobs : targets;
}

int gx_mbop__do(struct gx_mbop *m, const struct gx_mbop_step *s, const struct gx_mbop_target *v, size_t n)
{
	struct crew c = {.m = m, .s = s, .v = v, .n = n};
	size_t jobs = how_many(s, n), started = 0;
	atomic_init(&c.next, 0);
	atomic_init(&c.stop, false);
	atomic_init(&c.err, 0);
	pthread_t *t = jobs > 1 ? calloc(jobs, sizeof(*t)) : NULL;
	for (size_t i = 1; t != NULL && i < jobs && pthread_create(&t[started], NULL, work, &c) == 0; ++i)
		++started;
	work(&c); /* with fewer threads than wanted it takes longer */
	while (started > 0)
		pthread_join(t[--started], NULL);
	free(t);
	return atomic_load(&c.err);
}
