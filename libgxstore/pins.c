/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/store-int.h"

/*
 * An instance refers to a body for as long as it lives. When the last message of that body goes
 * meanwhile, the body stays, noted in `shared` with no references, and is removed after the last
 * instance; after a crash, when the store is opened. Pins are of this process: where several
 * share a store, an instance of another one may find its contents gone, and says so.
 */

#define SWEEP_BATCH 32U

struct gx_pin {
	struct gx_pin *next;
	uint64_t body;
	unsigned n;
	bool orphan; /* belongs to no message any more, unless that was undone */
};

int gx_pins__init(struct gx_pins *p)
{
	return pthread_mutex_init(&p->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void gx_pins__release(struct gx_pins *p)
{
	for (unsigned i = 0; i < GX_PIN_BUCKETS; i++)
		for (struct gx_pin *k = p->bucket[i], *next; k != NULL; k = next) {
			next = k->next;
			free(k);
		}
	pthread_mutex_destroy(&p->lock);
}

static struct gx_pin **find(struct gx_pins *p, uint64_t body)
{
	struct gx_pin **at = &p->bucket[body % GX_PIN_BUCKETS];
	while (*at != NULL && (*at)->body != body)
		at = &(*at)->next;
	return at;
}

int gx_pins__add(struct gx_store *s, uint64_t body)
{
	struct gx_pins *p = &s->pins;
	int err = 0;
	pthread_mutex_lock(&p->lock);
	struct gx_pin **at = find(p, body);
	if (*at == NULL && (*at = calloc(1, sizeof(**at))) != NULL)
		(*at)->body = body;
	if (*at != NULL)
		(*at)->n++;
	else
		err = GX_E_NOMEM;
	pthread_mutex_unlock(&p->lock);
	return err;
}

void gx_pins__drop(struct gx_store *s, uint64_t body)
{
	struct gx_pins *p = &s->pins;
	pthread_mutex_lock(&p->lock);
	struct gx_pin **at = find(p, body), *k = *at;
	if (k != NULL && --k->n == 0) {
		*at = k->next;
		if (k->orphan)
			atomic_store(&p->due, true);
		free(k);
	}
	pthread_mutex_unlock(&p->lock);
}

bool gx_pins__has(struct gx_store *s, uint64_t body)
{
	pthread_mutex_lock(&s->pins.lock);
	bool has = *find(&s->pins, body) != NULL;
	pthread_mutex_unlock(&s->pins.lock);
	return has;
}

bool gx_pins__mark(struct gx_store *s, uint64_t body)
{
	pthread_mutex_lock(&s->pins.lock);
	struct gx_pin *k = *find(&s->pins, body);
	if (k != NULL)
		k->orphan = true;
	pthread_mutex_unlock(&s->pins.lock);
	return k != NULL;
}

static int find_some(struct gx_txn *t, uint64_t *v, unsigned max, unsigned *ret_n)
{
	GX_STMT(st, t->q, "SELECT body FROM shared WHERE refs=0");
	unsigned n = 0;
	int r = 0;
	while (n < max && (r = gx_sql__step(st)) > 0)
		if (!gx_pins__has(t->s, gx_sql__u64(st, 0)))
			v[n++] = gx_sql__u64(st, 0);
	*ret_n = n;
	return r < 0 ? r : 0;
}

/* A store that nobody writes to must not be marked as written to for nothing. */
static bool any(struct gx_store *s)
{
	struct gx_txn *t;
	uint64_t body;
	unsigned n = 0;
	if (gx_txn__look(s, 0, &t) != 0)
		return true; /* whoever has the writer, it is busy: the next step says so */
	if (find_some(t, &body, 1, &n) != 0)
		gx_log(s->log, GX_LOG_WARN, "%s: %s", s->file, t->q->why);
	gx_txn_abort(t);
	return n > 0;
}

static int remove_some(struct gx_txn *t, unsigned *ret_n)
{
	uint64_t v[SWEEP_BATCH];
	unsigned n;
	int err = find_some(t, v, SWEEP_BATCH, &n);
	if (err != 0)
		return err;
	*ret_n = n;
	for (unsigned i = 0; i < n; i++) {
		err = gx_body__drop(t, v[i]);
		if (err != 0)
			return err;
		GX_STMT(del, t->q, "DELETE FROM shared WHERE body=?1");
		gx_sql__bind_int(del, 1, (int64_t)v[i]);
		err = gx_sql__run(del);
		if (err != 0)
			return err;
	}
	return 0;
}

unsigned gx_pins__sweep(struct gx_store *s)
{
	struct gx_txn *t;
	unsigned n = 0;
	if (!atomic_exchange(&s->pins.due, false) || !any(s))
		return 0;
	if (gx_txn__system(s, GX_TXN_WRITE, 0, &t) != 0) {
		atomic_store(&s->pins.due, true);
		return 0;
	}
	int err = remove_some(t, &n);
	if (err != 0)
		gx_log(s->log, GX_LOG_WARN, "%s: %s", s->file, t->q->why);
	if (err != 0 || n == 0) {
		gx_txn_abort(t);
		return 0;
	}
	if (gx_txn_commit(t, GX_SYNC_LATER) != 0)
		return 0;
	if (n == SWEEP_BATCH)
		atomic_store(&s->pins.due, true);
	return n;
}
