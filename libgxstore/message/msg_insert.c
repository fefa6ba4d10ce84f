/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>
#include "libgxstore/far-int.h"
#include "libgxstore/message/msg-int.h"

#define DELIVERED_KEEP 16384U /* ids of deliveries that are remembered */
#define SETTABLE (GX_MSGF_IMAP | GX_MSGF_UNSENT | GX_MSGF_FAI)

void gx_msg__entry(const struct gx_msg_row *r, struct gx_uid_entry *ret_e)
{
	bool known = (r->flags & GX_MSGF_HASORIG) && r->size < UINT32_MAX;
	*ret_e = (struct gx_uid_entry){.uid = r->uid, .flags = (uint16_t)r->flags, .kwset = r->kwset,
		.size32 = known ? (uint32_t)r->size : UINT32_MAX, .mid = r->mid, .modseq = r->modseq};
}

int gx_msg__insert_row(struct gx_txn *t, const struct gx_msg_row *r, const char *creator)
{
	GX_STMT(st, t->q, "INSERT INTO msg(mid,fid,uid,flags,kwset,modseq,cn,cn0,size,received,body,creator,rcn)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, (int64_t)r->fid);
	gx_sql__bind_int(st, 3, r->uid);
	gx_sql__bind_int(st, 4, r->flags);
	gx_sql__bind_int(st, 5, r->kwset);
	gx_sql__bind_int(st, 6, (int64_t)r->modseq);
	gx_sql__bind_int(st, 7, (int64_t)r->cn);
	gx_sql__bind_int(st, 8, (int64_t)r->cn0);
	gx_sql__bind_int(st, 9, (int64_t)r->size);
	gx_sql__bind_int(st, 10, (int64_t)r->received);
	gx_sql__bind_int(st, 11, (int64_t)r->body);
	gx_sql__bind_text(st, 12, creator);
	gx_sql__bind_int(st, 13, (int64_t)r->rcn);
	return gx_sql__run(st);
}

/* 1 seen before, 0 not; then it is noted. */
static int seen_before(struct gx_txn *t, const uint8_t *id)
{
	GX_STMT(st, t->q, "SELECT 1 FROM delivered WHERE id=?1");
	gx_sql__bind_blob(st, 1, id, 16);
	return gx_sql__step(st);
}

static int note_delivery(struct gx_txn *t, const uint8_t *id)
{
	uint64_t seq = ++t->store_state->log_floor;
	t->store_state->dirty = true;
	GX_STMT(st, t->q, "INSERT INTO delivered(id,seq) VALUES(?1,?2)");
	gx_sql__bind_blob(st, 1, id, 16);
	gx_sql__bind_int(st, 2, (int64_t)seq);
	int err = gx_sql__run(st);
	if (err != 0 || seq % 2048 != 0 || seq < DELIVERED_KEEP)
		return err;
	GX_STMT(del, t->q, "DELETE FROM delivered WHERE seq<?1");
	gx_sql__bind_int(del, 1, (int64_t)(seq - DELIVERED_KEEP));
	return gx_sql__run(del);
}

/* ---- The body: properties, recipients, attachments ---- */

static int body_row(struct gx_txn *t, uint64_t id, const struct gx_prep_msg *m, struct gx_bin skeleton)
{
	struct gx_push row = GX_PUSH_INIT;
	size_t n = m->obj->named_count;
	uint16_t *ids = gx_arena_new_array(t->a, uint16_t, n);
	struct gx_propname *names = gx_arena_new_array(t->a, struct gx_propname, n);
	if (ids == NULL || names == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		names[i] = m->obj->named[i].name;
	int err = gx_named__ids(t, true, names, n, ids);
	if (err == 0)
		err = gx_prep__row(&row, t->a, m, ids);
	if (err == 0) {
		GX_STMT(st, t->q, "INSERT INTO body(id,props,rcpts,skeleton) VALUES(?1,?2,?3,?4)");
		gx_sql__bind_int(st, 1, (int64_t)id);
		gx_sql__bind_blob(st, 2, row.data, row.len);
		gx_sql__bind_blob(st, 3, m->rcpts.data, m->rcpts.len);
		gx_sql__bind_blob(st, 4, skeleton.data, skeleton.len);
		err = gx_sql__run(st);
	}
	gx_push_release(&row);
	return err;
}

static int insert_body(struct gx_txn *t, uint64_t id, const struct gx_prep_msg *m, struct gx_bin skeleton, unsigned depth)
{
	if (depth > 64)
		return GX_E_DEPTH;
	int err = body_row(t, id, m, skeleton);
	for (size_t i = 0; err == 0 && i < m->att_count; i++) {
		const struct gx_prep_att *at = &m->atts[i];
		uint64_t embedded = at->embedded == NULL ? 0 : gx_txn__new_id(t);
		GX_STMT(st, t->q, "INSERT INTO att(body,num,props,embedded) VALUES(?1,?2,?3,?4)");
		gx_sql__bind_int(st, 1, (int64_t)id);
		gx_sql__bind_int(st, 2, (int64_t)i);
		gx_sql__bind_blob(st, 3, at->row.data, at->row.len);
		gx_sql__bind_int(st, 4, (int64_t)embedded);
		err = gx_sql__run(st);
		if (err == 0 && embedded != 0)
			err = insert_body(t, embedded, at->embedded, (struct gx_bin){0}, depth + 1);
	}
	return err;
}

int gx_body__insert(struct gx_txn *t, uint64_t id, const struct gx_prep_msg *m, struct gx_bin skeleton)
{
	return insert_body(t, id, m, skeleton, 0);
}

static int insert_mime(struct gx_txn *t, uint64_t id, const struct gx_msg_prepared *p)
{
	GX_STMT(st, t->q, "INSERT INTO mime(id,size,envelope,structure) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)id);
	gx_sql__bind_int(st, 2, (int64_t)p->original.len);
	gx_sql__bind_blob(st, 3, p->envelope.data, p->envelope.len);
	gx_sql__bind_blob(st, 4, p->bodystructure.data, p->bodystructure.len);
	return gx_sql__run(st);
}

/* ---- The message ---- */

uint32_t gx_msg__flags_from_props(const struct gx_proplist *l)
{
	const struct gx_propval *read = gx_proplist_get(l, PidTagReadReceiptRequested);
	const struct gx_propval *unread = gx_proplist_get(l, PidTagNonReceiptNotificationRequested);
	int32_t said = gx_proplist_i32(l, PidTagMessageFlags, 0);
	uint32_t f = said & MSGFLAG_UNSENT ? GX_MSGF_UNSENT | GX_MSGF_DRAFT : 0;
	f |= said & MSGFLAG_FROMME ? GX_MSGF_FROMME : 0;
	f |= said & MSGFLAG_RESEND ? GX_MSGF_RESEND : 0;
	if (f & GX_MSGF_UNSENT) /* it is our own request that nobody owes us yet */
		return f;
	f |= read != NULL && read->v.b ? GX_MSGF_RNPENDING : 0;
	return f | (unread != NULL && unread->v.b ? GX_MSGF_NRNPENDING : 0);
}

static uint32_t flags_of(const struct gx_msg_prepared *p, uint32_t asked)
{
	const struct gx_propval *pv = gx_proplist_get(&p->msg.obj->props, PidTagHasAttachments);
	bool att = pv != NULL ? pv->v.b : p->msg.att_count > 0;
	return (asked & SETTABLE) | (att ? GX_MSGF_HASATTACH : 0) | (p->original.data != NULL ? GX_MSGF_HASORIG : 0) |
		gx_msg__flags_from_props(&p->msg.obj->props);
}

gx_ec gx_msg__check_count(struct gx_txn *t, size_t n)
{
	const struct gx_fstate *s = t->store_state;
	uint64_t most = t->s->o.max_messages, there = s->total + s->fai + s->softdel;
	if (most == 0 || (there <= most && n <= most - there))
		return GX_OK_EC;
	return gx_txn__fail(t, ecQuotaExceeded, "a store has at most %llu messages (max_store_message_count)", (unsigned long long)most);
}

gx_ec gx_msg__check_room(struct gx_txn *t, uint64_t size)
{
	int64_t kib;
	int err = gx_meta__get_int(t->q, "quota", &kib);
	if (err == 0 && kib > 0 && (t->store_state->size + size) / 1024 >= (uint64_t)kib)
		return gx_txn__fail(t, ecQuotaExceeded, "the mailbox is over its quota");
	return err == 0 || err == GX_E_NOTFOUND ? gx_msg__check_count(t, 1) : gx_txn__ec(t, err);
}

static gx_ec check_insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o)
{
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_CREATE, &row);
	if (gx_ec_failed(ec))
		return ec;
	if (row.type == GX_FOLDER_SEARCH)
		return gx_txn__fail(t, ecNotSupported, "folder %llx is a search folder", (unsigned long long)fid);
	if (o->delivery_id != NULL) {
		int r = seen_before(t, o->delivery_id);
		if (r > 0)
			return gx_txn__fail(t, ecDuplicateObject, "delivered before");
		if (r < 0)
			return gx_txn__ec(t, r);
	}
	return gx_msg__check_room(t, p->size);
}

/* The numbers that the caller brings, and those that it leaves to us. */
gx_ec gx_msg__take_numbers(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_insert_opts *o, struct gx_msg_row *r)
{
	bool hidden = (r->flags & GX_MSGF_SOFTDEL) != 0;
	if (o->mid != 0) {
		gx_ec ec = gx_txn__claim_id(t, o->mid);
		if (gx_ec_failed(ec))
			return ec;
	}
	if (((o->cn | o->rcn | o->uid) != 0 && !gx_txn__all_rights(t)) || (hidden && o->uid != 0) ||
	    (o->uid != 0 && o->uid < f->uidnext) || o->cn > GX_COUNTER_MAX || o->rcn > GX_COUNTER_MAX)
		return gx_txn__fail(t, ecInvalidParam, "message numbers cannot be chosen so");
	if (!hidden && (f->uidnext >= UINT32_MAX || o->uid == UINT32_MAX))
		return gx_txn__ec(t, gx_sql__fail(t->q, GX_E_LIMIT, "folder %llx has given out all UIDs", (unsigned long long)f->fid));
	gx_txn__raise_cn(t, o->cn > o->rcn ? o->cn : o->rcn);
	r->mid = o->mid != 0 ? o->mid : gx_txn__new_id(t);
	r->body = o->mid != 0 ? gx_txn__new_id(t) : r->mid; /* ids of bodies ascend, see fts.c */
	r->modseq = r->cn0 = f->modseq = gx_txn__new_cn(t);
	r->cn = o->cn != 0 ? o->cn : r->modseq;
	r->rcn = o->rcn;
	if (!hidden) {
		r->uid = o->uid != 0 ? o->uid : (uint32_t)f->uidnext;
		f->uidnext = (uint64_t)r->uid + 1;
	}
	t->numbers++;
	return GX_OK_EC;
}

static int insert(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o,
	struct gx_msg_row *r)
{
	int err = gx_kwset__id(t, o->keywords, &r->kwset);
	if (err == 0)
		err = insert_body(t, r->body, &p->msg, p->skeleton, 0);
	if (err == 0 && p->original.data != NULL)
		err = insert_mime(t, r->body, p);
	if (err == 0)
		err = gx_msg__insert_row(t, r, t->actor->owner ? NULL : t->actor->user);
	if (err == 0 && o->delivery_id != NULL)
		err = note_delivery(t, o->delivery_id);
	return err != 0 ? err : gx_change__created(t, f, r, o->delivery_id != NULL ? GX_CH_DELIVERED : GX_CH_NEW, NULL);
}

gx_ec gx_msg_insert_many(struct gx_txn *t, uint64_t fid, struct gx_msg_insertion *v, size_t n)
{
	gx_ec ec = GX_OK_EC;
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_insert_many(t, fid, v, n);
	for (size_t i = 0; i < n; ++i) {
		v[i].ec = gx_ec_failed(ec) ? ec : gx_msg_insert(t, fid, v[i].msg, v[i].o, &v[i].ids);
		if (!gx_ec_is(v[i].ec, ecDuplicateObject))
			ec = v[i].ec;
	}
	return ec;
}

gx_ec gx_msg_insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o, struct gx_msg_ids *ret_ids)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_insert(t, fid, p, o, ret_ids);
	static const struct gx_msg_insert_opts none = GX_MSG_INSERT_OPTS_INIT;
	struct gx_fstate *f;
	if (o == NULL)
		o = &none;
	gx_ec ec = check_insert(t, fid, p, o);
	if (gx_ec_failed(ec))
		return ec;
	uint32_t hidden = o->mid != 0 ? o->flags & GX_MSGF_SOFTDEL : 0;
	struct gx_msg_row r = {.fid = fid, .flags = flags_of(p, o->flags) | hidden, .size = p->size,
		.received = o->received != 0 ? o->received : gx_store__now(t->s)};
	int err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return gx_txn__ec(t, err);
	ec = gx_msg__take_numbers(t, f, o, &r);
	if (gx_ec_failed(ec))
		return ec;
	err = gx_prep__put_contents(t->c->cio, t->q, p);
	if (err != 0)
		return gx_txn__cec(t, err);
	err = insert(t, f, p, o, &r);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (ret_ids != NULL)
		*ret_ids = (struct gx_msg_ids){.mid = r.mid, .cn = r.cn, .uid = r.uid};
	return GX_OK_EC;
}
