/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/notes.h"

enum {
	TABLE_MOST = 256, /* with more to tell it is read again by its client, which costs both sides less */
	KINDS_MOST = 64,
};

static const struct gx_table_event read_again = {.type = GX_TABLE_EV_CHANGED};

int gx_notes__init(struct gx_ems_notes *n, unsigned most)
{
	*n = (struct gx_ems_notes){.most = most};
	return pthread_mutex_init(&n->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void gx_notes__release(struct gx_ems_notes *n)
{
	pthread_mutex_destroy(&n->lock);
}

/* ---- With the lock ---- */

static void wake_all(struct gx_ems_notes *n)
{
	for (struct gx_ems_waiter *w = n->waiters; w != NULL; w = w->next)
		w->wake(w->ctx);
}

static void make_ready(struct gx_ems_watch *w)
{
	struct gx_ems_notes *n = w->notes;
	if (w->ready)
		return;
	w->ready = true;
	w->next_ready = NULL;
	if (n->first_ready == NULL)
		n->first_ready = w;
	else
		n->last_ready->next_ready = w;
	n->last_ready = w;
}

static void unready(struct gx_ems_watch *w)
{
	struct gx_ems_notes *n = w->notes;
	struct gx_ems_watch *before = NULL;
	if (!w->ready)
		return;
	for (struct gx_ems_watch *x = n->first_ready; x != w; x = x->next_ready)
		before = x;
	if (before == NULL)
		n->first_ready = w->next_ready;
	else
		before->next_ready = w->next_ready;
	if (n->last_ready == w)
		n->last_ready = before;
	w->ready = false;
}

static void append(struct gx_ems_watch *w, struct gx_ems_note *x)
{
	x->next = NULL;
	if (w->head == NULL)
		w->head = x;
	else
		w->tail->next = x;
	w->tail = x;
	++w->count;
	++w->notes->waiting;
	make_ready(w);
}

static struct gx_ems_note *detach(struct gx_ems_watch *w)
{
	struct gx_ems_note *x = w->head;
	w->head = x->next;
	if (w->head == NULL)
		w->tail = NULL;
	--w->count;
	--w->notes->waiting;
	return x;
}

static void clear(struct gx_ems_watch *w)
{
	while (w->head != NULL)
		free(detach(w));
}

static bool same_kind(const struct gx_event *x, const struct gx_event *y)
{
	return x->mid != 0 && y->mid != 0 && x->type == y->type && x->fid == y->fid;
}

/*
 * Too much has come: of each kind of event with messages of a folder the newest remains. A client that hears one looks there,
 * so no change goes untold.
 */
static void compact(struct gx_ems_watch *w)
{
	struct gx_ems_note *x = w->head, *next, *kept[KINDS_MOST];
	size_t n = 0, i;
	w->notes->waiting -= w->count;
	w->head = w->tail = NULL;
	w->count = 0;
	for (; x != NULL; x = next) {
		next = x->next;
		for (i = 0; i < n && !same_kind(&kept[i]->u.ev, &x->u.ev); ++i)
			;
		if (i < n) {
			kept[i]->u.ev = x->u.ev;
			free(x);
			continue;
		}
		if (n < KINDS_MOST && x->u.ev.mid != 0)
			kept[n++] = x;
		append(w, x);
	}
}

static bool has_room(const struct gx_ems_notes *n)
{
	return n->most == 0 || n->waiting < n->most;
}

static void add_event(struct gx_ems_watch *w, const struct gx_event *ev)
{
	/* counts are read when it is told: one that still waits tells the same */
	if (ev->type == GX_EV_FOLDER_CHANGED && w->tail != NULL && w->tail->u.ev.type == GX_EV_FOLDER_CHANGED && w->tail->u.ev.fid == ev->fid)
		return;
	if (!has_room(w->notes))
		compact(w);
	struct gx_ems_note *x = has_room(w->notes) ? malloc(sizeof(*x)) : NULL;
	if (x == NULL) {
		++w->notes->lost;
		return;
	}
	*x = (struct gx_ems_note){.u.ev = *ev};
	append(w, x);
}

/* A note of it is there already or can be made of one: only for want of memory nothing is told. */
static void changed(struct gx_ems_watch *w)
{
	struct gx_ems_note *x = w->head != NULL ? detach(w) : malloc(sizeof(*x));
	clear(w);
	if (x == NULL) {
		++w->notes->lost;
		return;
	}
	*x = (struct gx_ems_note){.is_table = true, .u.tev = read_again};
	append(w, x);
}

static bool is_changed(const struct gx_ems_watch *w)
{
	return w->head != NULL && w->head->u.tev.type == GX_TABLE_EV_CHANGED;
}

static void add_table_event(struct gx_ems_watch *w, const struct gx_table_event *ev)
{
	if (is_changed(w)) /* what comes is seen when it is read again */
		return;
	struct gx_ems_note *x = NULL;
	if (ev->type != GX_TABLE_EV_CHANGED && w->count < TABLE_MOST && has_room(w->notes))
		x = malloc(sizeof(*x));
	if (x == NULL) {
		changed(w);
		return;
	}
	*x = (struct gx_ems_note){.is_table = true, .u.tev = *ev};
	append(w, x);
}

/* ---- Watches ---- */

void gx_notes__runner(struct gx_ems_notes *n, bool on)
{
	pthread_mutex_lock(&n->lock);
	n->running = on;
	n->runner = pthread_self();
	pthread_mutex_unlock(&n->lock);
}

/* Events come on the thread that commits. */
static bool is_own(const struct gx_ems_notes *n)
{
	return n->running && pthread_equal(n->runner, pthread_self());
}

void gx_watch__begin(struct gx_ems_watch *w, struct gx_ems_notes *n, uint32_t handle, uint8_t logon_id, bool is_table)
{
	*w = (struct gx_ems_watch){.notes = n, .handle = handle, .logon_id = logon_id, .is_table = is_table};
}

void gx_watch__end(struct gx_ems_watch *w)
{
	struct gx_ems_notes *n = w->notes;
	if (n == NULL)
		return;
	pthread_mutex_lock(&n->lock);
	unready(w);
	clear(w);
	pthread_mutex_unlock(&n->lock);
	w->notes = NULL;
}

void gx_watch__event(struct gx_ems_watch *w, const struct gx_event *ev)
{
	pthread_mutex_lock(&w->notes->lock);
	add_event(w, ev);
	wake_all(w->notes);
	pthread_mutex_unlock(&w->notes->lock);
}

void gx_watch__table_event(struct gx_ems_watch *w, const struct gx_table_event *ev)
{
	pthread_mutex_lock(&w->notes->lock);
	if (!w->not_own || !is_own(w->notes)) {
		add_table_event(w, ev);
		wake_all(w->notes);
	}
	pthread_mutex_unlock(&w->notes->lock);
}

/* ---- Told ---- */

struct gx_ems_note *gx_notes__take(struct gx_ems_notes *n, struct gx_ems_watch **ret_w)
{
	struct gx_ems_note *x = NULL;
	pthread_mutex_lock(&n->lock);
	struct gx_ems_watch *w = n->first_ready;
	if (w != NULL) {
		unready(w);
		x = detach(w);
		if (w->head != NULL)
			make_ready(w);
		*ret_w = w;
	}
	pthread_mutex_unlock(&n->lock);
	return x;
}

void gx_notes__put_back(struct gx_ems_watch *w, struct gx_ems_note *x)
{
	struct gx_ems_notes *n = w->notes;
	pthread_mutex_lock(&n->lock);
	x->next = w->head;
	w->head = x;
	if (w->tail == NULL)
		w->tail = x;
	++w->count;
	++n->waiting;
	make_ready(w);
	pthread_mutex_unlock(&n->lock);
}

unsigned long gx_notes__lost(struct gx_ems_notes *n)
{
	pthread_mutex_lock(&n->lock);
	unsigned long lost = n->lost;
	n->lost = 0;
	pthread_mutex_unlock(&n->lock);
	return lost;
}

bool gx_notes__pending(struct gx_ems_notes *n)
{
	pthread_mutex_lock(&n->lock);
	bool yes = n->waiting > 0;
	pthread_mutex_unlock(&n->lock);
	return yes;
}

void gx_notes__wait(struct gx_ems_notes *n, struct gx_ems_waiter *w)
{
	pthread_mutex_lock(&n->lock);
	w->next = n->waiters;
	n->waiters = w;
	if (n->waiting > 0 || n->closed)
		w->wake(w->ctx);
	pthread_mutex_unlock(&n->lock);
}

void gx_notes__unwait(struct gx_ems_notes *n, struct gx_ems_waiter *w)
{
	pthread_mutex_lock(&n->lock);
	for (struct gx_ems_waiter **at = &n->waiters; *at != NULL; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			break;
		}
	pthread_mutex_unlock(&n->lock);
}

void gx_notes__close(struct gx_ems_notes *n)
{
	pthread_mutex_lock(&n->lock);
	n->closed = true;
	wake_all(n);
	pthread_mutex_unlock(&n->lock);
}
