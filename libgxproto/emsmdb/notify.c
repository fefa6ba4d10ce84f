/* SPDX-License-Identifier: Apache-2.0 */
/* Where notifications come from: subscriptions, [MS-OXCNOTIF] 3.1.4.1, and tables, 3.1.4.3. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/notify.h"

struct sub {
	struct gx_ems_obj obj;
	uint16_t types;
	bool whole_store;
	uint64_t fid, mid;
	struct gx_store *store;      /* the logon's */
	uint64_t id;                 /* 0: none yet */
	struct gx_ems_session *s;
	struct gx_ems_watch watch;
};

uint16_t gx_notify__type(uint32_t ev)
{
	switch (ev) {
	case GX_EV_NEW_MAIL: return GX_FN_NEW_MAIL;
	case GX_EV_MSG_CREATED:
	case GX_EV_LINK_CREATED:
	case GX_EV_FOLDER_CREATED: return GX_FN_CREATED;
	case GX_EV_MSG_CHANGED:
	case GX_EV_FOLDER_CHANGED: return GX_FN_MODIFIED;
	case GX_EV_MSG_DELETED:
	case GX_EV_LINK_DELETED:
	case GX_EV_FOLDER_DELETED: return GX_FN_DELETED;
	case GX_EV_MSG_MOVED:
	case GX_EV_FOLDER_MOVED: return GX_FN_MOVED;
	case GX_EV_MSG_COPIED: return GX_FN_COPIED;
	case GX_EV_SEARCH_COMPLETE: return GX_FN_SEARCH_COMPLETE;
	default: return 0;
	}
}

/* A folder's subscribers hear of the folder, of what lies in it, and of what came from or went into it. */
static bool concerns(const struct sub *x, const struct gx_event *ev)
{
	if (!(x->types & gx_notify__type(ev->type)))
		return false;
	if (x->whole_store)
		return true;
	if (x->mid != 0)
		return x->mid == ev->mid || (ev->old_mid != 0 && x->mid == ev->old_mid);
	return x->fid == ev->fid || (ev->old_fid != 0 && x->fid == ev->old_fid) || (ev->mid == 0 && x->fid == ev->parent);
}

static void offer(struct sub *x, const struct gx_event *ev)
{
	if (ev->fid != 0 && concerns(x, ev))
		gx_watch__event(&x->watch, ev);
}

/* What happens to messages changes the counts of their folder, [MS-OXCNOTIF] 2.2.1.4.1.2. */
static void on_event(const struct gx_event *ev, void *ctx)
{
	struct sub *x = ctx;
	offer(x, ev);
	if (ev->mid == 0 || ev->type == GX_EV_NEW_MAIL)
		return;
	offer(x, &(struct gx_event){.type = GX_EV_FOLDER_CHANGED, .fid = ev->fid});
	if (ev->type == GX_EV_MSG_MOVED)
		offer(x, &(struct gx_event){.type = GX_EV_FOLDER_CHANGED, .fid = ev->old_fid});
}

static void sub_free(struct gx_ems_obj *o)
{
	struct sub *x = (struct sub *)o;
	if (x->id != 0) {
		gx_store_unsubscribe(x->store, x->id);
		--x->s->subscriptions;
	}
	gx_watch__end(&x->watch);
	free(x);
}

static const struct gx_ems_kind kind_sub = {"subscription", sub_free, NULL};

/* The folder is there and may be seen. */
static gx_ec check(struct gx_rop_call *c, uint64_t fid)
{
	struct gx_txn *t;
	uint32_t rights;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_rights(t, fid, &rights);
	if (!gx_ec_failed(ec) && !(rights & (GX_RIGHT_VISIBLE | GX_RIGHT_READ | GX_RIGHT_OWNER)))
		ec = GX_EC(ecAccessDenied);
	return gx_rop__end(c, t, ec);
}

gx_ec gx_notify__subscribe(struct gx_rop_call *c, uint16_t types, bool whole_store, uint64_t fid, uint64_t mid)
{
	unsigned most = c->s->e->o.max_subscriptions;
	gx_ec ec = whole_store ? EMS_OK : check(c, fid);
	if (gx_ec_failed(ec))
		return ec;
	if (most != 0 && c->s->subscriptions >= most)
		return gx_rop__fail(c, ecTooManyOpenObjects, "ems_max_active_notifh: %u subscriptions", most);
	struct sub *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	*x = (struct sub){.obj.kind = &kind_sub, .types = types, .whole_store = whole_store, .fid = fid, .mid = mid,
		.store = c->logon->store, .s = c->s};
	ec = gx_rop__give(c, &x->obj, c->logon);
	if (gx_ec_failed(ec))
		return ec;
	gx_watch__begin(&x->watch, &c->s->notes, x->obj.handle, c->logon->id, false);
	int err = gx_store_subscribe(x->store, 0, UINT32_MAX, on_event, x, &x->id);
	if (err != 0) {
		gx_ems__drop(c->s, c->made);
		c->made = NULL;
		return gx_ec_from_err(err);
	}
	++c->s->subscriptions;
	return EMS_OK;
}

/* ---- Tables ---- */

static void on_table_event(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	gx_watch__table_event(ctx, ev);
}

static bool is_look(uint8_t id)
{
	static const uint8_t looks[] = {RopCollapseRow, RopExpandRow, RopFindRow, RopQueryColumnsAll, RopQueryPosition, RopQueryRows,
		RopSeekRow, RopSeekRowFractional, RopSeekRowBookmark};
	for (size_t i = 0; i < sizeof(looks); ++i)
		if (looks[i] == id)
			return true;
	return false;
}

void gx_notify__looked_at(struct gx_rop_call *c)
{
	struct gx_ems_table *tb = is_look(c->desc->id) ? gx_ems__table(c->in) : NULL;
	if (tb == NULL || !tb->tells || tb->watch.notes != NULL)
		return;
	gx_watch__begin(&tb->watch, &c->s->notes, tb->obj.handle, c->logon->id, true);
	tb->watch.not_own = tb->not_own;
	if (gx_ec_failed(gx_table_watch(tb->tb, on_table_event, &tb->watch)))
		gx_watch__end(&tb->watch);
}
