/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of operations in a row, and how one operation is run. */
#include <config.h>
#include "libgxstore/faults/storeops.h"

/* A file of operations is a word here. */
#define LISTS(x) \
	x(insert) x(msg) x(folder) x(store) x(ics) x(inst) x(table) x(order) x(read) x(tree) x(acl) x(rules) x(settings) x(search) x(upload) x(edit) x(whole) \
	x(ask) x(upkeep) x(public)
#define DECLARE(file) extern const struct so_ops so_##file##_ops;
#define ADDRESS(file) &so_##file##_ops,
LISTS(DECLARE)
static const struct so_ops *const lists[] = {LISTS(ADDRESS)};

const struct so_op *so_op(size_t i)
{
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		if (i < lists[k]->n)
			return &lists[k]->v[i];
		i -= lists[k]->n;
	}
	return NULL;
}

size_t so_op_count(bool public)
{
	size_t n = 0;
	while (so_op(n) != NULL && (public || !(so_op(n)->kind & SO_PUBLIC)))
		n++;
	return n;
}

const struct so_op *so_op_named(const char *name)
{
	for (size_t i = 0; so_op(i) != NULL; i++)
		if (strcmp(so_op(i)->name, name) == 0)
			return so_op(i);
	ck_abort_msg("no operation %s", name);
}

size_t so_op_index(const struct so_op *op)
{
	size_t i = 0;
	while (so_op(i) != op)
		i++;
	return i;
}

const struct so_op *so_chosen(void)
{
	const char *name = getenv("GX_OP");
	for (size_t i = 0; name != NULL && so_op(i) != NULL; i++)
		if (strcmp(so_op(i)->name, name) == 0)
			return so_op(i);
	if (name == NULL)
		return NULL;
	if (strcmp(name, "list") != 0) {
		fprintf(stderr, "GX_OP=%s: no such operation; GX_OP=list has them all\n", name);
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; so_op(i) != NULL; i++)
		printf("%s %s\n", so_op(i)->name, so_op(i)->kind & SO_PUBLIC ? "public" : "any");
	exit(EXIT_SUCCESS);
}

void so_tell(const struct so_op *op, const char *what, unsigned long times)
{
	printf("# %s, %s: %lu times\n", op->name, what, times);
	fflush(stdout);
}

bool so_prepare(struct so_world *w, const struct so_op *op)
{
	struct gx_push out = w->x.out;
	gx_arena_reset(w->a);
	gx_push_clear(&out);
	memset(&w->x, 0, sizeof(w->x));
	w->x.out = out;
	w->x.insert = (struct gx_msg_insert_opts)GX_MSG_INSERT_OPTS_INIT;
	w->x.commit_failed = so_one_in(w, 2);
	so_look(w);
	if ((op->kind & SO_PUBLIC) && !w->public)
		return false;
	return op->prepare == NULL || op->prepare(w);
}

static uint64_t commits(struct so_world *w)
{
	return w->s->flush.committed;
}

static void run_write(struct so_world *w, const struct so_op *op, struct gx_txn *t, struct so_result *r)
{
	uint64_t before = commits(w);
	r->ec = op->run(w, t);
	bool failed = gx_ec_failed(r->ec);
	if (failed && !w->x.commit_failed) {
		gx_txn_abort(t);
		return;
	}
	r->err = gx_txn_commit(t, w->sync);
	r->done = r->err == 0 && !failed;
	r->committed_broken = r->err == 0 && failed;
	r->in_doubt = r->err != 0 && commits(w) != before;
}

void so_run(struct so_world *w, const struct so_op *op, struct so_result *r)
{
	struct gx_txn *t = NULL;
	*r = (struct so_result){.ec = GX_OK_EC};
	int kind = op->kind & SO_KIND;
	if (kind == SO_OWN) {
		uint64_t before = commits(w);
		r->ec = op->run(w, NULL);
		r->done = !gx_ec_failed(r->ec);
		bool some = !r->done && commits(w) != before;
		r->partly = some && (op->kind & SO_STEPS);
		r->in_doubt = some && !r->partly;
		return;
	}
	r->err = gx_txn_begin(w->s, w->x.actor == NULL ? &sys_actor : w->x.actor, kind == SO_WRITE ? GX_TXN_WRITE : GX_TXN_READ, 1000, &t);
	if (r->err != 0)
		return;
	if (kind == SO_WRITE) {
		run_write(w, op, t, r);
		return;
	}
	r->ec = op->run(w, t);
	r->done = !gx_ec_failed(r->ec);
	gx_txn_abort(t);
}

void so_finish(struct so_world *w, const struct so_op *op, const struct so_result *r)
{
	ck_assert_msg(!r->committed_broken, "%s: failed with %s, and its transaction was committed", op->name, gx_ec_name(r->ec));
	if (r->done && op->check != NULL)
		op->check(w);
}
