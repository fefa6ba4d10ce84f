/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What owners tell of their stores, passed on to who has subscribed in this process: one subscription a store, for
 * messages of all folders, and one thread for all of them.
 */
#include <config.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/remote/far-store.h"

enum { WAIT_MS = 3600000 };
/* [MS-OXCNOTIF] 2.2.1.2.1.1: new mail, created, deleted, modified, moved, copied */
enum { WANTED = 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 };

static uint32_t type_of(uint8_t ev)
{
	switch (ev) {
	case GX_X_EV_NEW_MAIL: return GX_EV_NEW_MAIL;
	case GX_X_EV_MESSAGE_CREATED: return GX_EV_MSG_CREATED;
	case GX_X_EV_MESSAGE_MODIFIED: return GX_EV_MSG_CHANGED;
	case GX_X_EV_MESSAGE_DELETED: return GX_EV_MSG_DELETED;
	case GX_X_EV_MESSAGE_MOVED: return GX_EV_MSG_MOVED;
	case GX_X_EV_MESSAGE_COPIED: return GX_EV_MSG_COPIED;
	case GX_X_EV_FOLDER_CREATED: return GX_EV_FOLDER_CREATED;
	case GX_X_EV_FOLDER_MODIFIED: return GX_EV_FOLDER_CHANGED;
	case GX_X_EV_FOLDER_DELETED: return GX_EV_FOLDER_DELETED;
	case GX_X_EV_FOLDER_MOVED: return GX_EV_FOLDER_MOVED;
	case GX_X_EV_LINK_CREATED: return GX_EV_LINK_CREATED;
	case GX_X_EV_LINK_DELETED: return GX_EV_LINK_DELETED;
	default: return 0;
	}
}

static void pass_on(struct gx_farstore *f, const struct gx_x_notification *n)
{
	struct gx_event ev = {.type = type_of(n->event), .fid = n->folder_id, .mid = n->message_id, .old_fid = n->old_folder_id,
		.old_mid = n->old_message_id, .parent = n->parent_id};
	if (ev.type == GX_EV_FOLDER_MOVED)
		ev.old_fid = n->old_parent_id;
	if (ev.type == 0)
		return;
	gx_views__stale(f->s, ev.fid);
	if (ev.old_fid != 0)
		gx_views__stale(f->s, ev.old_fid);
	gx_subs__notify(f->s, &ev, 1);
}

/* Events may be missing: whoever looks at the store looks again. */
static void look_again(struct gx_remote *r, const char *dir)
{
	for (struct gx_farstore *f = r->hub; f != NULL; f = f->next)
		if (*dir == '\0' || strcmp(dir, f->s->dir) == 0) {
			gx_views__stale(f->s, 0);
			gx_subs__notify_all(f->s);
		}
}

static void handle(struct gx_remote *r, int what, const struct gx_x_notification *n)
{
	pthread_mutex_lock(&r->hub_lock);
	if (what != GX_XEV_EVENT)
		look_again(r, n->dir);
	for (struct gx_farstore *f = r->hub; what == GX_XEV_EVENT && f != NULL; f = f->next)
		if (strcmp(n->dir, f->s->dir) == 0)
			pass_on(f, n);
	pthread_mutex_unlock(&r->hub_lock);
}

static void *hub_main(void *ctx)
{
	struct gx_remote *r = ctx;
	struct gx_arena *a = NULL;
	while (!atomic_load(&r->hub_stop)) {
		struct gx_x_notification n = {.dir = ""};
		if (a == NULL && (a = gx_arena_new(0)) == NULL)
			continue;
		int ret = gx_revent__next(r, WAIT_MS, a, &n);
		if (atomic_load(&r->hub_stop))
			break;
		if (ret < 0) /* an event that could not be read is one that is missing */
			n.dir = "";
		if (ret != GX_XEV_NONE)
			handle(r, ret, &n);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return NULL;
}

/* With the hub's lock held. Threads of a library take no signals. */
static int start(struct gx_remote *r)
{
	sigset_t all, old;
	if (r->hub_running)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(&r->hub_thread, NULL, hub_main, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->hub_running = err == 0;
	return err == 0 ? 0 : GX_E_LIMIT;
}

void gx_farhub__stop(struct gx_remote *r)
{
	if (!r->hub_running)
		return;
	atomic_store(&r->hub_stop, true);
	gx_revent__put(r, gx_revent__lost());
	pthread_join(r->hub_thread, NULL);
}

/* ---- Subscriptions ---- */

static gx_ec subscribe(struct gx_farstore *f, struct gx_arena *a, uint32_t *ret_sub, const char **ret_why)
{
	const struct gx_x_subscribe_notification_req q = {.notification_type = WANTED | GX_X_LEAN, .whole = true};
	struct gx_x_subscribe_notification_ans ans = {0};
	gx_ec ec = gx_exmdb_subscribe_notification(&f->r->base, f->s->dir, &q, a, &ans, ret_why);
	*ret_sub = ans.sub_id;
	return ec;
}

static void unsubscribe(struct gx_farstore *f, uint32_t sub)
{
	struct gx_arena *a = gx_arena_new(0);
	const struct gx_x_unsubscribe_notification_req q = {sub};
	const char *why = "";
	if (a == NULL)
		return;
	gx_ec ec = gx_exmdb_unsubscribe_notification(&f->r->base, f->s->dir, &q, a, &why);
	if (gx_ec_failed(ec))
		gx_log(f->s->log, GX_LOG_DEBUG, "%s: subscription cannot be ended: %s", f->s->dir, why);
	gx_arena_free(a);
}

static bool enter(struct gx_farstore *f, uint32_t sub)
{
	pthread_mutex_lock(&f->r->hub_lock);
	bool first = !f->watched;
	if (first) {
		f->watched = true;
		f->sub = sub;
		f->next = f->r->hub;
		f->r->hub = f;
	}
	pthread_mutex_unlock(&f->r->hub_lock);
	return first;
}

int gx_far__watch(struct gx_store *s)
{
	struct gx_farstore *f = s->far;
	const char *why = "";
	uint32_t sub;
	pthread_mutex_lock(&f->r->hub_lock);
	bool watched = f->watched;
	int err = watched ? 0 : start(f->r);
	pthread_mutex_unlock(&f->r->hub_lock);
	if (watched || err != 0)
		return err;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	gx_ec ec = subscribe(f, a, &sub, &why);
	if (gx_ec_failed(ec))
		gx_log(s->log, GX_LOG_WARN, "%s: its owner cannot be subscribed to: %s", s->dir, why);
	else if (!enter(f, sub))
		unsubscribe(f, sub);
	gx_arena_free(a);
	return gx_ec_to_err(ec);
}

void gx_far__watch_again(struct gx_farstore *f)
{
	const char *why = "";
	uint32_t sub, old;
	pthread_mutex_lock(&f->r->hub_lock);
	bool watched = f->watched;
	old = f->sub;
	pthread_mutex_unlock(&f->r->hub_lock);
	struct gx_arena *a = watched ? gx_arena_new(0) : NULL;
	if (a == NULL)
		return;
	if (!gx_ec_failed(subscribe(f, a, &sub, &why))) {
		pthread_mutex_lock(&f->r->hub_lock);
		f->sub = sub;
		pthread_mutex_unlock(&f->r->hub_lock);
		unsubscribe(f, old);
	}
	gx_arena_free(a);
}

void gx_far__unwatch(struct gx_farstore *f)
{
	pthread_mutex_lock(&f->r->hub_lock);
	bool watched = f->watched;
	struct gx_farstore **at = &f->r->hub;
	while (*at != NULL && *at != f)
		at = &(*at)->next;
	if (*at == f)
		*at = f->next;
	f->watched = false;
	pthread_mutex_unlock(&f->r->hub_lock);
	if (watched)
		unsubscribe(f, f->sub);
}
