/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications: what comes with answers is kept until it is asked for; waiting is a request of its own. [MS-OXCNOTIF] 3.1.4 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/time.h>
#include "libgxproto/client/client-int.h"

enum { TYPE = 0x0fff, IS_SEARCH = 0x4000, IS_MESSAGE = 0x8000, EXTENDED = 0x0400 };

struct mc_event {
	struct mc_event *next;
	struct gx_mapi_event e;
	struct gx_arena *a;            /* holds its texts; NULL: it has none */
};

static void event_free(struct mc_event *v)
{
	if (v != NULL)
		gx_arena_free(v->a);
	free(v);
}

void gx_mapi__forget_events(struct gx_mapi *c)
{
	while (c->events != NULL) {
		struct mc_event *v = c->events;
		c->events = v->next;
		event_free(v);
	}
	c->last_event = NULL;
	c->event_n = 0;
}

static struct gx_mapi_event event_of(const struct gx_rop_notify_res *r)
{
	unsigned flags = r->notification_flags;
	struct gx_mapi_event e = {.source = r->notification_handle, .type = flags & TYPE, .table_event = r->table_event_type,
		.is_message = flags & IS_MESSAGE, .in_search = flags & IS_SEARCH, .fid = r->folder_id, .mid = r->message_id,
		.parent_fid = r->parent_folder_id, .old_fid = r->old_folder_id, .old_mid = r->old_message_id,
		.old_parent_fid = r->old_parent_folder_id, .total = r->total_message_count, .unread = r->unread_message_count,
		.has_total = flags & 0x1000, .has_unread = flags & 0x2000, .message_flags = r->message_flags};
	if (e.type == GX_MAPI_EV_TABLE) {
		e.fid = r->table_row_folder_id;
		e.mid = r->table_row_message_id;
	}
	return e;
}

static bool copy_texts(struct mc_event *v, const struct gx_rop_notify_res *r)
{
	if (r->message_class == NULL && r->tags.count == 0)
		return true;
	v->a = gx_arena_new(0);
	if (v->a == NULL)
		return false;
	v->e.message_class = gx_arena_strdup(v->a, r->message_class);
	v->e.tags = gx_arena_memdup(v->a, r->tags.v, r->tags.count * sizeof(*r->tags.v));
	v->e.tag_count = r->tags.count;
	return (v->e.message_class != NULL || r->message_class == NULL) && v->e.tags != NULL;
}

gx_ec gx_mapi__note(struct gx_mapi *c, const struct gx_rop_notify_res *r)
{
	if (c->event_n >= MC_EVENTS_MAX) {
		c->events_lost = true;
		return MC_OK;
	}
	struct mc_event *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return gx_mapi__nomem(c);
	v->e = event_of(r);
	v->e.lost = c->events_lost;
	if (!copy_texts(v, r)) {
		event_free(v);
		return gx_mapi__nomem(c);
	}
	c->events_lost = false;
	*(c->last_event != NULL ? &c->last_event->next : &c->events) = v;
	c->last_event = v;
	++c->event_n;
	return MC_OK;
}

/* ---- From outside ---- */

gx_ec gx_mapi_subscribe(struct gx_mapi_obj *store, unsigned types, uint64_t fid, uint64_t mid, struct gx_mapi_obj **ret_sub)
{
	const struct gx_rop_register_notification_req q = {.notification_types = (uint16_t)(types & ~(unsigned)EXTENDED),
		.want_whole_store = fid == 0, .folder_id = fid, .message_id = mid};
	if (!gx_mapi__is(store, 1U << MC_STORE))
		return store->c->error.ec;
	return gx_mapi__make(store, RopRegisterNotification, &q, MC_SUBSCRIPTION, store->c->scratch, ret_sub, NULL);
}

uint32_t gx_mapi_source(const struct gx_mapi_obj *o)
{
	return o->handle;
}

gx_ec gx_mapi_wait(struct gx_mapi *c, uint32_t ms, bool *ret_pending)
{
	static const struct gx_mh_notification_wait_req q;
	struct gx_mh_notification_wait_res res = {0};
	gx_mapi__enter(c);
	if (!c->connected)
		return gx_mapi__fail(c, GX_EC(ecEndOfSession), "there is no session");
	int64_t end = gx_clock_mono_ms(gx_clock_system()) + ms;
	bool all = c->deadline_ms == 0 || end < c->deadline_ms;
	c->until_ms = all ? end : c->deadline_ms;
	c->silence_ms = 0;
	*ret_pending = c->events != NULL;
	while (!*ret_pending) {
		gx_arena_reset(c->scratch);
		gx_ec ec = gx_mapi__exchange(c, &c->mailbox, GX_MH_NOTIFICATION_WAIT, &q, c->scratch, &res);
		if (gx_ec_is(ec, ecTimeout) && all) { /* it was waited for as long as was wanted */
			gx_mapi__enter(c);
			return MC_OK;
		}
		if (!gx_ec_failed(ec) && res.status_code + res.error_code != 0) {
			ec = GX_EC(res.status_code != 0 ? res.status_code : res.error_code);
			ec = gx_mapi__fail(c, ec, "NotificationWait: %s", gx_ec_name(ec));
		}
		if (gx_ec_failed(ec))
			return ec;
		*ret_pending = res.event_pending & 1;
	}
	return MC_OK;
}

static gx_ec take_event(struct gx_mapi *c, struct gx_arena *a, struct gx_mapi_event *ret_e)
{
	struct mc_event *v = c->events;
	struct gx_mapi_event e = v->e;
	e.message_class = gx_arena_strdup(a, v->e.message_class);
	e.tags = v->e.tag_count > 0 ? gx_arena_memdup(a, v->e.tags, v->e.tag_count * sizeof(*v->e.tags)) : NULL;
	if ((e.message_class == NULL && v->e.message_class != NULL) || (e.tags == NULL && e.tag_count > 0))
		return gx_mapi__nomem(c);
	c->events = v->next;
	if (c->events == NULL)
		c->last_event = NULL;
	--c->event_n;
	event_free(v);
	*ret_e = e;
	return MC_OK;
}

gx_ec gx_mapi_event(struct gx_mapi *c, struct gx_arena *a, struct gx_mapi_event *ret_e, bool *ret_any)
{
	gx_mapi__enter(c);
	if (c->events == NULL) {
		/* they come with any answer, also with that to nothing */
		gx_ec ec = gx_mapi__run(gx_mapi__begin(c, c->scratch));
		if (gx_ec_failed(ec))
			return ec;
	}
	*ret_any = c->events != NULL;
	return *ret_any ? take_event(c, a, ret_e) : MC_OK;
}
