/* SPDX-License-Identifier: Apache-2.0 */
/* RopNotify and RopPending behind the answers of a request, [MS-OXCNOTIF] 2.2.1.4.1 and 3.1.4.3. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/notify.h"

struct teller {
	struct gx_ems_session *s;
	struct gx_arena *a;
	struct gx_push *out;
	struct gx_dctx x;
	struct gx_ems_logon *logon;    /* of the transaction */
	struct gx_txn *t;              /* NULL: none */
};

static void end(struct teller *r)
{
	if (r->t != NULL)
		gx_txn_abort(r->t);
	r->t = NULL;
}

/* False: it cannot be read now. */
static bool begin(struct teller *r, uint8_t logon_id)
{
	struct gx_ems_logon *l = r->s->logons[logon_id];
	if (r->t != NULL && r->logon == l)
		return true;
	end(r);
	r->logon = l;
	if (gx_txn_begin(l->store, &l->actor, GX_TXN_READ, EMS_TXN_MS, &r->t) != 0)
		r->t = NULL;
	return r->t != NULL;
}

static uint64_t wire(uint64_t plain)
{
	return plain == 0 ? 0 : gx_eid_wire(plain);
}

/* ---- Objects ---- */

/* Only owners hear of what is gone where nothing else says whether they were to see it. */
static bool may_know(struct teller *r, const struct gx_event *ev)
{
	uint32_t rights, need = ev->mid == 0 ? GX_RIGHT_VISIBLE : GX_RIGHT_READ;
	if (r->logon->actor.owner)
		return true;
	gx_ec ec = gx_folder_rights(r->t, ev->fid, &rights);
	if (gx_ec_is(ec, ecNotFound) && ev->parent != 0)
		ec = gx_folder_rights(r->t, ev->parent, &rights);
	return !gx_ec_failed(ec) && (rights & (need | GX_RIGHT_OWNER)) != 0;
}

static void counts(struct teller *r, const struct gx_event *ev, struct gx_rop_notify_res *n)
{
	struct gx_folder_info i;
	if (gx_ec_failed(gx_folder_get(r->t, ev->fid, r->a, &i)))
		return;
	n->notification_flags |= GX_FN_HAS_TOTAL | GX_FN_HAS_UNREAD;
	n->total_message_count = i.total > UINT32_MAX ? UINT32_MAX : (uint32_t)i.total;
	n->unread_message_count = i.unread > UINT32_MAX ? UINT32_MAX : (uint32_t)i.unread;
}

/* What it is now; gone again already: as good as any other. */
static void new_mail(struct teller *r, const struct gx_event *ev, struct gx_rop_notify_res *n)
{
	static const gx_proptag_t tags[] = {PidTagMessageFlags, PidTagMessageClass};
	struct gx_proplist l = {0};
	if (gx_ec_failed(gx_msg_get_props(r->t, ev->mid, tags, 2, r->a, &l)))
		l = (struct gx_proplist){0};
	n->message_flags = (uint32_t)gx_proplist_i32(&l, PidTagMessageFlags, 0);
	n->unicode_flag = true;
	n->message_class = gx_proplist_str(&l, PidTagMessageClass, "IPM.Note");
}

/* False: not to be told. */
static bool object_note(struct teller *r, const struct gx_event *ev, struct gx_rop_notify_res *n)
{
	uint16_t type = gx_notify__type(ev->type);
	bool link = ev->type == GX_EV_LINK_CREATED || ev->type == GX_EV_LINK_DELETED;
	if (!may_know(r, ev))
		return false;
	n->notification_flags = (uint16_t)(type | (ev->mid != 0 ? GX_FN_OF_MESSAGE : 0) | (link ? GX_FN_IN_SEARCH : 0));
	n->folder_id = wire(ev->fid);
	n->message_id = wire(ev->mid);
	n->parent_folder_id = wire(ev->parent);
	n->tags.unknown = type == GX_FN_MODIFIED;
	if (ev->type == GX_EV_FOLDER_MOVED) {
		n->old_folder_id = wire(ev->fid);
		n->old_parent_folder_id = wire(ev->old_fid);
	} else {
		n->old_folder_id = wire(ev->old_fid);
		n->old_message_id = wire(ev->old_mid);
	}
	if (ev->type == GX_EV_FOLDER_CHANGED)
		counts(r, ev, n);
	else if (ev->type == GX_EV_NEW_MAIL)
		new_mail(r, ev, n);
	return true;
}

/* ---- Rows ---- */

static gx_ec row_data(struct teller *r, struct gx_ems_table *tb, const struct gx_table_event *ev, struct gx_bin *ret_b)
{
	const struct gx_columns cols = {tb->cols, tb->col_count};
	struct gx_push p = GX_PUSH_INIT;
	struct gx_table_row row;
	gx_ec ec = gx_table_read(tb->tb, r->t, tb->what == GX_EMS_HIERARCHY ? ev->row_fid : ev->row_mid, ev->row_inst, cols.v, cols.count,
		r->a, &row);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__send_ids(r->a, row.v, cols.count);
	gx_proprow_push(&p, &r->x.px, &cols, &(struct gx_proprow){row.v, cols.count});
	int err = p.len > UINT16_MAX ? GX_E_LIMIT : gx_push_finish(&p, r->a, ret_b);
	gx_push_release(&p);
	return err == 0 ? EMS_OK : gx_ec_from_err(err);
}

static void table_note(struct teller *r, struct gx_ems_table *tb, const struct gx_table_event *ev, struct gx_rop_notify_res *n)
{
	static const uint8_t types[] = {[GX_TABLE_EV_CHANGED] = 1, [GX_TABLE_EV_ADDED] = 3, [GX_TABLE_EV_DELETED] = 4, [GX_TABLE_EV_MODIFIED] = 5};
	bool has_row = ev->type == GX_TABLE_EV_ADDED || ev->type == GX_TABLE_EV_MODIFIED;
	n->notification_flags = (uint16_t)(GX_FN_TABLE_MODIFIED | (tb->what == GX_EMS_CONTENTS && ev->type != GX_TABLE_EV_CHANGED ? GX_FN_OF_MESSAGE : 0));
	n->table_event_type = types[ev->type];
	/* without columns, or when the row is not there any more, the client has to look itself */
	if (has_row && (tb->cols == NULL || gx_ec_failed(row_data(r, tb, ev, &n->table_row_data)))) {
		n->notification_flags = GX_FN_TABLE_MODIFIED;
		n->table_event_type = types[GX_TABLE_EV_CHANGED];
		return;
	}
	n->table_row_folder_id = wire(ev->row_fid);
	n->table_row_message_id = wire(ev->row_mid);
	n->table_row_instance = ev->row_inst;
	n->insert_after_table_row_folder_id = wire(ev->after_fid);
	n->insert_after_table_row_id = wire(ev->after_mid);
	n->insert_after_table_row_instance = ev->after_inst;
}

/* ---- Answers ---- */

static bool append(struct teller *r, uint8_t id, const void *body, size_t most)
{
	const struct gx_rop_response q = {.desc = gx_rop_rop_desc(id), .body = (void *)body};
	size_t before = r->out->len;
	gx_rop_push_response(r->out, &r->x, &q);
	if (r->out->err == 0 && r->out->len <= most)
		return true;
	r->out->len = before;
	r->out->err = 0;
	return false;
}

/* False: it has no room. */
static bool tell(struct teller *r, const struct gx_ems_watch *w, const struct gx_ems_note *x, size_t most)
{
	struct gx_rop_notify_res n = {.notification_handle = w->handle, .logon_id = w->logon_id, .message_class = ""};
	struct gx_ems_table *tb = x->is_table ? gx_ems__table(gx_ems__find(r->s, w->handle)) : NULL;
	if (!begin(r, w->logon_id) || (x->is_table && tb == NULL))
		return true;
	if (x->is_table)
		table_note(r, tb, &x->u.tev, &n);
	else if (!object_note(r, &x->u.ev, &n))
		return true;
	return append(r, RopNotify, &n, most);
}

void gx_notify__append(struct gx_ems_session *s, struct gx_arena *a, struct gx_push *out, size_t most)
{
	struct teller r = {.s = s, .a = a, .out = out, .x = {.px = GX_PX_ROP(a, s->code_page)}};
	static const struct gx_rop_pending_res pending; /* of the only session that there is in a request */
	struct gx_ems_watch *w;
	struct gx_ems_note *x;
	bool told = true;
	while (told && (x = gx_notes__take(&s->notes, &w)) != NULL) {
		told = tell(&r, w, x, most);
		if (told)
			free(x);
		else
			gx_notes__put_back(w, x);
	}
	end(&r);
	if (!told)
		(void)append(&r, RopPending, &pending, most);
	unsigned long lost = gx_notes__lost(&s->notes);
	if (lost > 0)
		gx_log(s->e->o.log, GX_LOG_WARN, "emsmdb: user=%s: %lu notifications found no room (ems_max_pending_sesnotif)", s->user, lost);
}
