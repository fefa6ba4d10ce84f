/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a store tells to the notifications of its subscribers. The committing thread only puts
 * numbers into the client's queue; the rest is read when the client takes the event.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/table.h>
#include "libgxstore/calls/call-int.h"

/* [MS-OXCNOTIF] 2.2.1.2.1.1 */
enum {
	FN_NEW_MAIL = 0x2, FN_CREATED = 0x4, FN_DELETED = 0x8, FN_MODIFIED = 0x10, FN_MOVED = 0x20, FN_COPIED = 0x40,
	FN_SEARCH_COMPLETE = 0x80,
};

struct gx_call_event {
	struct gx_call_event *next;
	const struct gx_callstore *cs; /* told apart only, never looked into */
	uint64_t seq;
	struct gx_event ev;
	bool is_table;
	struct gx_table_event tev;     /* of a table */
	uint32_t *ids, count, cap;
	uint32_t message_flags;
	char *message_class;           /* NULL: of the message */
	char dir[];
};

static void event_free(struct gx_call_event *e)
{
	free(e->ids);
	free(e->message_class);
	free(e);
}

void gx_callev__clear(struct gx_exmdb_client *cl)
{
	pthread_mutex_lock(&cl->lock);
	struct gx_call_event *e = cl->head;
	cl->head = NULL;
	cl->tail = &cl->head;
	cl->waiting = 0;
	pthread_mutex_unlock(&cl->lock);
	for (struct gx_call_event *next; e != NULL; e = next) {
		next = e->next;
		event_free(e);
	}
}

/* ---- Into the queue ---- */

static bool add_id(struct gx_call_event *e, uint32_t id)
{
	if (e->count == e->cap) {
		uint32_t cap = e->cap == 0 ? 2 : e->cap * 2;
		uint32_t *v = realloc(e->ids, cap * sizeof(*v));
		if (v == NULL)
			return false;
		e->ids = v;
		e->cap = cap;
	}
	e->ids[e->count++] = id;
	return true;
}

struct news {
	struct gx_callstore *cs;
	const struct gx_event *ev;
	uint32_t message_flags;
	const char *message_class;
};

static struct gx_call_event *event_alloc(const char *dir)
{
	size_t len = strlen(dir) + 1;
	struct gx_call_event *e = calloc(1, sizeof(*e) + len);
	if (e != NULL)
		memcpy(e->dir, dir, len);
	return e;
}

static struct gx_call_event *event_new(const struct news *n)
{
	struct gx_call_event *e = event_alloc(n->cs->dir);
	if (e == NULL)
		return NULL;
	if (n->message_class != NULL && (e->message_class = strdup(n->message_class)) == NULL) {
		free(e);
		return NULL;
	}
	e->cs = n->cs;
	e->seq = n->cs->seq;
	e->ev = *n->ev;
	e->message_flags = n->message_flags;
	return e;
}

/* Takes over @e, which may be NULL. With the client's lock held. */
static bool put(struct gx_exmdb_client *cl, struct gx_call_event *e, uint32_t id)
{
	if (e == NULL)
		return false;
	if (!add_id(e, id)) {
		event_free(e);
		return false;
	}
	*cl->tail = e;
	cl->tail = &e->next;
	++cl->waiting;
	return true;
}

/* The subscriptions of one client that one event is for stand next to each other in its queue: one entry. */
static bool append(struct gx_exmdb_client *cl, const struct news *n, uint32_t id)
{
	struct gx_call_event *last = cl->head == NULL ? NULL : (struct gx_call_event *)((char *)cl->tail - offsetof(struct gx_call_event, next));
	if (last != NULL && last->is_table)
		last = NULL;
	if (last != NULL && last->cs == n->cs && last->seq == n->cs->seq)
		return add_id(last, id);
	/* counts are read when the entry is taken: one that still waits tells the same */
	if (last != NULL && last->cs == n->cs && n->ev->type == GX_EV_FOLDER_CHANGED && last->ev.type == GX_EV_FOLDER_CHANGED &&
	    last->ev.fid == n->ev->fid && last->count == 1 && last->ids[0] == id)
		return true;
	if (cl->waiting >= cl->host->o.max_events)
		return false;
	return put(cl, event_new(n), id);
}

void gx_callev__table(const struct gx_callobj *o, const struct gx_table_event *ev)
{
	struct gx_exmdb_client *cl = o->client;
	pthread_mutex_lock(&cl->lock);
	struct gx_call_event *e = cl->waiting < cl->host->o.max_events ? event_alloc(o->cs->dir) : NULL;
	if (e != NULL) {
		e->is_table = true;
		e->tev = *ev;
	}
	if (!put(cl, e, o->id))
		cl->lost = true;
	if (cl->wake != NULL)
		cl->wake(cl->wake_ctx);
	pthread_mutex_unlock(&cl->lock);
}

static void enqueue(struct gx_exmdb_client *cl, const struct news *n, uint32_t id)
{
	pthread_mutex_lock(&cl->lock);
	if (!append(cl, n, id))
		cl->lost = true;
	if (cl->wake != NULL)
		cl->wake(cl->wake_ctx);
	pthread_mutex_unlock(&cl->lock);
}

static uint16_t type_of(uint32_t ev)
{
	switch (ev) {
	case GX_EV_NEW_MAIL: return FN_NEW_MAIL;
	case GX_EV_MSG_CREATED:
	case GX_EV_FOLDER_CREATED: return FN_CREATED;
	case GX_EV_MSG_CHANGED:
	case GX_EV_FOLDER_CHANGED: return FN_MODIFIED;
	case GX_EV_MSG_DELETED:
	case GX_EV_FOLDER_DELETED: return FN_DELETED;
	case GX_EV_MSG_MOVED:
	case GX_EV_FOLDER_MOVED: return FN_MOVED;
	case GX_EV_MSG_COPIED: return FN_COPIED;
	case GX_EV_LINK_CREATED: return FN_CREATED;
	case GX_EV_LINK_DELETED: return FN_DELETED;
	case GX_EV_SEARCH_COMPLETE: return FN_SEARCH_COMPLETE;
	default: return 0;
	}
}

/* A folder's subscribers hear of the folder, of what lies in it, and of what came from or went into it. */
static bool concerns(const struct gx_call_sub *s, const struct gx_event *ev)
{
	if (!(s->types & type_of(ev->type)) || (s->lean && ev->type == GX_EV_FOLDER_CHANGED))
		return false;
	if (s->whole)
		return true;
	if (s->mid != 0)
		return s->mid == ev->mid || (ev->old_mid != 0 && s->mid == ev->old_mid);
	return s->fid == ev->fid || (ev->old_fid != 0 && s->fid == ev->old_fid) || (ev->mid == 0 && s->fid == ev->parent);
}

/* With the host's lock held. */
static void offer_all(const struct news *n)
{
	++n->cs->seq;
	for (struct gx_callobj *o = n->cs->objs; o != NULL; o = o->next)
		if (o->kind == GX_OBJ_SUB && concerns(o->p, n->ev))
			enqueue(o->client, n, o->id);
}

/* What happens to messages changes the counts of their folder, [MS-OXCNOTIF] 2.2.1.4.1.2. */
static void offer_folder(const struct news *n, uint64_t fid)
{
	const struct gx_event ev = {.type = GX_EV_FOLDER_CHANGED, .fid = fid, .cn = n->ev->cn};
	const struct news folder = {.cs = n->cs, .ev = &ev};
	if (fid != 0)
		offer_all(&folder);
}

static void tell(const struct news *n)
{
	pthread_mutex_lock(&n->cs->host->lock);
	if (n->cs->subs > 0) {
		offer_all(n);
		if (n->ev->mid != 0 && n->ev->type != GX_EV_NEW_MAIL && n->ev->fid != 0) {
			offer_folder(n, n->ev->fid);
			offer_folder(n, n->ev->type == GX_EV_MSG_MOVED ? n->ev->old_fid : 0);
		}
	}
	pthread_mutex_unlock(&n->cs->host->lock);
}

static void on_event(const struct gx_event *ev, void *ctx)
{
	const struct news n = {.cs = ctx, .ev = ev};
	tell(&n);
}

int gx_callev__watch(struct gx_callstore *cs)
{
	int err = 0;
	pthread_mutex_lock(&cs->watch);
	if (cs->sub == 0)
		err = gx_store_subscribe(cs->s, 0, UINT32_MAX, on_event, cs, &cs->sub);
	pthread_mutex_unlock(&cs->watch);
	return err;
}

void gx_callev__unwatch(struct gx_callstore *cs)
{
	if (cs->sub != 0)
		gx_store_unsubscribe(cs->s, cs->sub);
}

void gx_callev__tell(struct gx_callstore *cs, const struct gx_event *ev, uint32_t message_flags, const char *message_class)
{
	const struct news n = {.cs = cs, .ev = ev, .message_flags = message_flags, .message_class = message_class};
	tell(&n);
}

/* ---- Out of the queue ---- */

static uint8_t wire_type(uint32_t ev)
{
	switch (ev) {
	case GX_EV_NEW_MAIL: return GX_X_EV_NEW_MAIL;
	case GX_EV_MSG_CREATED: return GX_X_EV_MESSAGE_CREATED;
	case GX_EV_MSG_CHANGED: return GX_X_EV_MESSAGE_MODIFIED;
	case GX_EV_MSG_DELETED: return GX_X_EV_MESSAGE_DELETED;
	case GX_EV_MSG_MOVED: return GX_X_EV_MESSAGE_MOVED;
	case GX_EV_MSG_COPIED: return GX_X_EV_MESSAGE_COPIED;
	case GX_EV_FOLDER_CREATED: return GX_X_EV_FOLDER_CREATED;
	case GX_EV_FOLDER_CHANGED: return GX_X_EV_FOLDER_MODIFIED;
	case GX_EV_FOLDER_DELETED: return GX_X_EV_FOLDER_DELETED;
	case GX_EV_LINK_CREATED: return GX_X_EV_LINK_CREATED;
	case GX_EV_LINK_DELETED: return GX_X_EV_LINK_DELETED;
	case GX_EV_SEARCH_COMPLETE: return GX_X_EV_SEARCH_COMPLETED;
	default: return GX_X_EV_FOLDER_MOVED;
	}
}

/* What it is now; gone again already: zero. */
static void read_message(struct gx_txn *t, const struct gx_call_event *e, struct gx_arena *a, struct gx_x_notification *n)
{
	static const gx_proptag_t tags[] = {PidTagMessageFlags, PidTagMessageClass};
	struct gx_proplist l;
	if (gx_ec_failed(gx_msg_get_props(t, e->ev.mid, tags, 2, a, &l)))
		return;
	n->message_flags = (uint32_t)gx_proplist_i32(&l, PidTagMessageFlags, 0);
	n->message_class = gx_proplist_str(&l, PidTagMessageClass, "IPM.Note");
}

static void read_folder(struct gx_txn *t, const struct gx_call_event *e, struct gx_arena *a, struct gx_x_notification *n)
{
	struct gx_folder_info i;
	if (gx_ec_failed(gx_folder_get(t, e->ev.fid, a, &i)))
		return;
	n->total = i.total > UINT32_MAX ? UINT32_MAX : (uint32_t)i.total;
	n->unread = i.unread > UINT32_MAX ? UINT32_MAX : (uint32_t)i.unread;
	n->have_total = n->have_unread = 1;
}

static void read_details(struct gx_exmdb_host *h, const struct gx_call_event *e, struct gx_arena *a, struct gx_x_notification *n)
{
	struct gx_store *s;
	struct gx_txn *t;
	const char *why = "";
	if (gx_store_pool_get(h->o.pool, e->dir, &s, a, &why) != 0)
		return;
	if (gx_txn__system(s, GX_TXN_READ, h->o.deadline_ms, &t) == 0) {
		if (e->ev.type == GX_EV_NEW_MAIL)
			read_message(t, e, a, n);
		else
			read_folder(t, e, a, n);
		gx_txn_abort(t);
	}
	gx_store_pool_put(h->o.pool, s);
}

static uint8_t wire_table_type(const struct gx_table_event *ev)
{
	uint8_t type = GX_X_EV_HIERTBL_CHANGED;
	if (ev->type == GX_TABLE_EV_ADDED)
		type = GX_X_EV_HIERTBL_ROW_ADDED;
	else if (ev->type == GX_TABLE_EV_DELETED)
		type = GX_X_EV_HIERTBL_ROW_DELETED;
	else if (ev->type == GX_TABLE_EV_MODIFIED)
		type = GX_X_EV_HIERTBL_ROW_MODIFIED;
	return ev->hierarchy ? type : (uint8_t)(type + 1);
}

static int compose_table(const struct gx_call_event *e, struct gx_arena *a, struct gx_x_notification *n)
{
	const struct gx_table_event *ev = &e->tev;
	*n = (struct gx_x_notification){
		.is_table = true, .event = wire_table_type(ev), .ids_count = e->count, .row_folder_id = ev->row_fid,
		.row_message_id = ev->row_mid, .row_instance = ev->row_inst, .after_folder_id = ev->after_fid,
		.after_row_id = ev->after_mid, .after_instance = ev->after_inst, .message_class = "",
	};
	n->dir = gx_arena_strdup(a, e->dir);
	n->ids = gx_arena_memdup(a, e->ids, e->count * sizeof(*e->ids));
	return n->dir == NULL || n->ids == NULL ? GX_E_NOMEM : 0;
}

/* Ids in notifications are plain values. */
static int compose(struct gx_exmdb_host *h, const struct gx_call_event *e, struct gx_arena *a, struct gx_x_notification *n)
{
	const struct gx_event *ev = &e->ev;
	bool link = ev->type == GX_EV_LINK_CREATED || ev->type == GX_EV_LINK_DELETED, moved = ev->type == GX_EV_FOLDER_MOVED, came = ev->type == GX_EV_MSG_MOVED || ev->type == GX_EV_MSG_COPIED;
	*n = (struct gx_x_notification){
		.event = wire_type(ev->type), .ids_count = e->count, .parent_id = ev->mid == 0 || link ? ev->parent : 0,
		.folder_id = ev->fid, .message_id = ev->mid, .old_parent_id = moved ? ev->old_fid : 0,
		.old_folder_id = moved ? ev->fid : came ? ev->old_fid : 0, .old_message_id = ev->old_mid,
		.message_flags = e->message_flags, .message_class = "",
	};
	n->dir = gx_arena_strdup(a, e->dir);
	n->ids = gx_arena_memdup(a, e->ids, e->count * sizeof(*e->ids));
	if (e->message_class != NULL)
		n->message_class = gx_arena_strdup(a, e->message_class);
	if (n->dir == NULL || n->ids == NULL || n->message_class == NULL)
		return GX_E_NOMEM;
	if ((ev->type == GX_EV_NEW_MAIL && e->message_class == NULL) || ev->type == GX_EV_FOLDER_CHANGED)
		read_details(h, e, a, n);
	return 0;
}

/*
 * The first entry; *ret_lost when there are none left and some were dropped. The host's lock is held
 * while an event is told: without it an entry could be taken that lacks some of its subscriptions.
 */
static struct gx_call_event *take(struct gx_exmdb_client *cl, bool *ret_lost)
{
	pthread_mutex_lock(&cl->host->lock);
	pthread_mutex_lock(&cl->lock);
	struct gx_call_event *e = cl->head;
	if (e != NULL) {
		cl->head = e->next;
		if (cl->head == NULL)
			cl->tail = &cl->head;
		--cl->waiting;
	}
	*ret_lost = e == NULL && cl->lost;
	if (*ret_lost)
		cl->lost = false;
	pthread_mutex_unlock(&cl->lock);
	pthread_mutex_unlock(&cl->host->lock);
	return e;
}

int gx_exmdb_client_event(struct gx_exmdb_client *cl, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	bool lost;
	*ret_n = (struct gx_x_notification){.dir = "", .message_class = ""};
	struct gx_call_event *e = take(cl, &lost);
	if (e == NULL)
		return lost ? GX_XEV_LOST : gx_relay__event(cl, a, ret_n);
	int err = e->is_table ? compose_table(e, a, ret_n) : compose(cl->host, e, a, ret_n);
	event_free(e);
	return err != 0 ? err : GX_XEV_EVENT;
}

int gx_exmdb_client_listen(struct gx_exmdb_client *cl, void (*wake)(void *ctx), void *ctx)
{
	int err = 0;
	if (wake == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&cl->lock);
	if (cl->wake != NULL) {
		err = GX_E_BUSY;
	} else {
		cl->wake = wake;
		cl->wake_ctx = ctx;
		if (cl->head != NULL || cl->lost)
			wake(ctx);
	}
	pthread_mutex_unlock(&cl->lock);
	if (err == 0)
		gx_relay__listen(cl, true);
	return err;
}

bool gx_exmdb_client_waiting(struct gx_exmdb_client *cl)
{
	pthread_mutex_lock(&cl->lock);
	bool yes = cl->head != NULL || cl->lost || cl->relay_waiting;
	pthread_mutex_unlock(&cl->lock);
	return yes;
}

void gx_exmdb_client_unlisten(struct gx_exmdb_client *cl)
{
	gx_relay__listen(cl, false);
	pthread_mutex_lock(&cl->lock);
	cl->wake = NULL;
	pthread_mutex_unlock(&cl->lock);
}
