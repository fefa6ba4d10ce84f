/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/table/table-int.h"

/*
 * The open tables of a store. Each commit passes them once, in order, after it was made and before the next
 * one can begin. Who reads a state that a commit has just made waits here until it was told, so that
 * a table's memory is never behind what its transaction sees.
 */

int gx_tables__new(struct gx_tables **ret_r)
{
	struct gx_tables *r = calloc(1, sizeof(*r));
	if (r == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r);
		return GX_E_NOMEM;
	}
	if (pthread_cond_init(&r->cond, NULL) != 0) {
		pthread_mutex_destroy(&r->lock);
		free(r);
		return GX_E_NOMEM;
	}
	*ret_r = r;
	return 0;
}

void gx_tables__free(struct gx_tables *r)
{
	if (r == NULL)
		return;
	pthread_cond_destroy(&r->cond);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void gx_tables__add(struct gx_table *tb)
{
	struct gx_tables *r = tb->s->tables;
	pthread_mutex_lock(&r->lock);
	tb->next = r->head;
	tb->prev = &r->head;
	if (r->head != NULL)
		r->head->prev = &tb->next;
	r->head = tb;
	tb->in_tables = true;
	atomic_fetch_add(&r->count, 1);
	if (tb->what == GX_T_CONTENTS && tb->seq.kind == GX_ORDER_FOUND)
		atomic_fetch_add(&r->found, 1);
	if (tb->groups.depth > 0)
		atomic_fetch_add(&r->grouped, 1);
	pthread_mutex_unlock(&r->lock);
}

void gx_tables__remove(struct gx_table *tb)
{
	struct gx_tables *r = tb->s->tables;
	pthread_mutex_lock(&r->lock);
	*tb->prev = tb->next;
	if (tb->next != NULL)
		tb->next->prev = tb->prev;
	tb->in_tables = false;
	atomic_fetch_sub(&r->count, 1);
	if (tb->what == GX_T_CONTENTS && tb->seq.kind == GX_ORDER_FOUND)
		atomic_fetch_sub(&r->found, 1);
	if (tb->groups.depth > 0)
		atomic_fetch_sub(&r->grouped, 1);
	pthread_mutex_unlock(&r->lock);
}

uint64_t gx_tables__hold(struct gx_store *s, uint64_t version)
{
	struct gx_tables *r = s->tables;
	pthread_mutex_lock(&r->lock);
	while (r->committing && version > r->last)
		pthread_cond_wait(&r->cond, &r->lock);
	return r->last;
}

uint64_t gx_tables__hold_still(struct gx_store *s)
{
	struct gx_tables *r = s->tables;
	while (r->committing)
		pthread_cond_wait(&r->cond, &r->lock);
	return r->last;
}

void gx_tables__let_go(struct gx_store *s)
{
	pthread_mutex_unlock(&s->tables->lock);
}

gx_ec gx_table_watch(struct gx_table *tb, gx_table_event_cb cb, void *ctx)
{
	struct gx_tables *r = tb->s->tables;
	if (tb->what == GX_T_FIXED)
		return GX_EC(ecNotSupported);
	pthread_mutex_lock(&r->lock);
	pthread_mutex_lock(&tb->lock);
	tb->cb = cb;
	tb->cb_ctx = ctx;
	tb->told = false;
	bool changed = tb->moved || tb->npending > 0 || tb->stale;
	if (cb != NULL && changed)
		gx_tables__tell_changed(tb);
	pthread_mutex_unlock(&tb->lock);
	pthread_mutex_unlock(&r->lock);
	return GX_OK_EC;
}

void gx_tables__tell_changed(struct gx_table *tb)
{
	struct gx_table_event ev = {
		.type = GX_TABLE_EV_CHANGED, .hierarchy = tb->what == GX_T_FOLDERS, .row_fid = tb->fid};
	if (tb->cb == NULL || tb->told)
		return;
	tb->told = true;
	tb->cb(tb, &ev, tb->cb_ctx);
}

/* ---- A commit ---- */

void gx_tables__begin_commit(struct gx_txn *t)
{
	struct gx_tables *r = t->s->tables;
	pthread_mutex_lock(&r->lock);
	r->committing = true;
	pthread_mutex_unlock(&r->lock);
}

static void read_anew(struct gx_table *tb)
{
	tb->stale = tb->moved = true;
	gx_tables__tell_changed(tb);
}

static void tell_table(struct gx_table *tb, struct gx_telling *w, bool reset)
{
	pthread_mutex_lock(&tb->lock);
	w->t.actor = &tb->actor;
	w->t.user_key = NULL;
	if (reset || w->what->missed)
		read_anew(tb);
	else if (tb->what == GX_T_FOLDERS)
		gx_tables__tell_folders(tb, w);
	else
		gx_tables__tell_contents(tb, w);
	pthread_mutex_unlock(&tb->lock);
}

static void transaction(struct gx_sql *q, bool begin)
{
	if ((begin ? gx_sql__begin(q, false) : gx_sql__commit(q)) != 0)
		gx_log(q->log, GX_LOG_NOTICE, "tables: %s", q->why); /* each statement reads for itself then */
}

static void tell_all(struct gx_txn *t, uint64_t version, bool reset)
{
	struct gx_telling w = {.what = t->tables, .version = version,
		.t = {.s = t->s, .mode = GX_TXN_READ, .c = t->c, .q = t->q, .a = gx_arena_new(0), .version = version}};
	static const struct gx_tabletxn all = {.missed = true};
	if (w.what == NULL || w.t.a == NULL)
		w.what = &all;
	if (w.t.a != NULL)
		transaction(t->q, true);
	for (struct gx_table *tb = t->s->tables->head; tb != NULL; tb = tb->next)
		tell_table(tb, &w, reset);
	if (w.t.a != NULL)
		transaction(t->q, false);
	gx_arena_free(w.t.a);
}

void gx_tables__end_commit(struct gx_txn *t, bool done)
{
	struct gx_tables *r = t->s->tables;
	uint64_t version = t->store_state->modseq;
	pthread_mutex_lock(&r->lock);
	r->committing = false;
	if (done) {
		bool reset = version < r->last; /* change numbers began anew */
		if (r->head != NULL && (reset || t->tables != NULL))
			tell_all(t, version, reset);
		r->last = version;
	}
	pthread_cond_broadcast(&r->cond);
	pthread_mutex_unlock(&r->lock);
}
