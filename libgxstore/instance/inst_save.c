/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/instance/inst-int.h"
#include "libgxstore/content/pread-int.h"

/*
 * Saving: what is new of a message besides its contents, and whether somebody was faster.
 *
 * The original internet message of mail stays as long as what it says is unchanged: flags, categories,
 * follow-up and properties of programs do not touch it. When text, recipients, subject or
 * attachments change it goes, and IMAP is served a rendered one from then on. What IMAP has seen of
 * a UID never changes, [RFC 9051] 2.3.1.1, so the message then gets a new UID: to IMAP the old one
 * is expunged and a new one arrives, to everybody else it is the same message. Whether somebody has seen
 * it cannot be known: a reader renders what was there when he began, without telling anybody.
 */

/* ---- Properties that saving sets ---- */

static int set(struct gx_inst *i, gx_proptag_t tag, const union gx_value *v)
{
	return gx_iprops__set(&i->msg->props, i->tree->acct, tag, v);
}

static int set_times(struct gx_txn *t, struct gx_inst *i)
{
	const union gx_value now = {.time = gx_store__now(t->s)};
	int err = i->given_modified ? 0 : set(i, PidTagLastModificationTime, &now);
	if (err == 0 && gx_iprops__find(&i->msg->props, PidTagCreationTime) == NULL && i->is_new)
		err = set(i, PidTagCreationTime, &now);
	if (err == 0 && !i->given_modified && t->actor->user != NULL)
		err = set(i, PidTagLastModifierName, &(union gx_value){.str = t->actor->user});
	return err;
}

/* [MS-OXOMSG] 2.2.1.5: the topic is the first subject. */
static int set_topic(struct gx_txn *t, struct gx_inst *i)
{
	const struct gx_ival *v = gx_iprops__find(&i->msg->props, PidTagNormalizedSubject);
	struct gx_propval pv;
	if (!i->is_new || v == NULL || v->tag != PidTagNormalizedSubject || gx_iprops__find(&i->msg->props, PidTagConversationTopic) != NULL)
		return 0;
	int err = gx_ival__get(t, v, t->a, &pv);
	return err != 0 ? err : set(i, PidTagConversationTopic, &pv.v);
}

/* Derived from the body as long as that stays (msg_values.c). */
static int keep_search_key(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *now)
{
	struct gx_proplist none = {0};
	struct gx_msg_view v = {.t = t, .a = t->a, .row = now, .stored = &none};
	struct gx_propval pv;
	if (now->body == 0 || gx_iprops__find(&i->msg->props, PidTagSearchKey) != NULL)
		return 0;
	int err = gx_msg__computed(&v, PidTagSearchKey, &pv);
	return err != 0 ? err : set(i, PidTagSearchKey, &pv.v);
}

/* Keys of a version made elsewhere stand with its number here; a version of ours has none but what it came from. */
static int set_version(struct gx_inst *i, uint64_t cn)
{
	if (i->given_key)
		return set(i, PidTagChangeNumber, &(union gx_value){.i64 = (int64_t)cn});
	gx_iprops__remove(&i->msg->props, PidTagChangeKey);
	gx_iprops__remove(&i->msg->props, PidTagChangeNumber);
	return 0;
}

static int set_props(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *now, uint64_t cn)
{
	int err = set_times(t, i);
	if (err == 0)
		err = set_topic(t, i);
	if (err == 0)
		err = keep_search_key(t, i, now);
	return err != 0 ? err : set_version(i, cn);
}

/* ---- Flags ---- */

/* What was set in the instance goes over what the message has now; the rest is as it is now. */
static uint32_t merged_flags(const struct gx_inst *i, uint32_t now, bool has_original)
{
	uint32_t mine = i->row.flags ^ i->flags_before;
	uint32_t f = (now & ~mine) | (i->row.flags & mine);
	f &= ~(uint32_t)(GX_MSGF_HASATTACH | GX_MSGF_HASORIG);
	f |= gx_imsg__has_attach(i->msg, (i->row.flags & GX_MSGF_HASATTACH) != 0) ? GX_MSGF_HASATTACH : 0;
	f |= has_original ? GX_MSGF_HASORIG : 0;
	return f;
}

/* ---- A message that is there ---- */

static int update_row(struct gx_txn *t, const struct gx_msg_row *r)
{
	GX_STMT(st, t->q, "UPDATE msg SET uid=?2, flags=?3, modseq=?4, cn=?5, cn0=?6, size=?7, body=?8, rcn=?9 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, r->uid);
	gx_sql__bind_int(st, 3, r->flags);
	gx_sql__bind_int(st, 4, (int64_t)r->modseq);
	gx_sql__bind_int(st, 5, (int64_t)r->cn);
	gx_sql__bind_int(st, 6, (int64_t)r->cn0);
	gx_sql__bind_int(st, 7, (int64_t)r->size);
	gx_sql__bind_int(st, 8, (int64_t)r->body);
	gx_sql__bind_int(st, 9, (int64_t)r->rcn);
	return gx_sql__run(st);
}

static int new_uid(struct gx_txn *t, struct gx_fstate *f, struct gx_msg_row *r)
{
	if (f->uidnext >= UINT32_MAX)
		return gx_sql__fail(t->q, GX_E_LIMIT, "folder %llx has given out all UIDs", (unsigned long long)f->fid);
	r->uid = (uint32_t)f->uidnext++;
	r->cn0 = r->modseq;
	r->flags |= GX_MSGF_RECENT;
	f->dirty = true;
	t->numbers++;
	return 0;
}

/* In a public store read state is each reader's own. */
static int save_read(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *now)
{
	uint32_t mine = (i->row.flags ^ i->flags_before) & GX_MSGF_READ;
	bool read = (i->row.flags & GX_MSGF_READ) != 0;
	uint64_t rcn;
	if (mine == 0 || !gx_pread__personal(t))
		return 0;
	i->row.flags ^= GX_MSGF_READ;
	return gx_pread__set(t, now, read, &rcn);
}

static int numbers(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *now, struct gx_msg_row *r)
{
	gx_txn__raise_cn(t, i->given_cn);
	r->modseq = gx_txn__new_cn(t);
	if (i->quiet)
		return keep_search_key(t, i, now);
	r->cn = i->given_cn != 0 ? i->given_cn : r->modseq;
	if ((now->flags ^ r->flags) & GX_MSGF_READ)
		r->rcn = r->modseq;
	return set_props(t, i, now, r->cn);
}

static int write_changed(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *now, bool rendered, struct gx_msg_row *r)
{
	bool had = (now->flags & GX_MSGF_HASORIG) != 0;
	struct gx_istore w = {.t = t, .m = i->msg, .old_body = now->body, .keep_original = had && !rendered};
	struct gx_fstate *f;
	int err = gx_fstate__get(t, now->fid, &f);
	if (err == 0)
		err = gx_change__before(t, now);
	if (err == 0)
		err = save_read(t, i, now);
	if (err != 0)
		return err;
	*r = *now;
	r->flags = merged_flags(i, now->flags, false);
	err = numbers(t, i, now, r);
	if (err == 0)
		err = gx_istore__write(&w);
	if (err != 0)
		return err;
	r->body = w.body;
	r->flags = merged_flags(i, now->flags, w.has_original);
	r->flags |= i->given_flags || i->quiet ? 0 : GX_MSGF_MODIFIED;
	r->size = w.has_original ? now->size : w.size;
	if ((rendered || (had && !w.has_original)) && !(r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL)))
		err = new_uid(t, f, r);
	if (err == 0)
		err = update_row(t, r);
	return err != 0 ? err : gx_change__updated(t, f, now, r, GX_CH_CONTENT);
}

static gx_ec check_changed(struct gx_txn *t, struct gx_inst *i, uint32_t flags, struct gx_msg_row *now)
{
	struct gx_folder_row folder;
	gx_ec ec = gx_inst__present(t, i, now);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, now->fid, GX_RIGHT_EDIT_ANY | (now->mine ? GX_RIGHT_EDIT_OWN : 0), &folder);
	if (!gx_ec_failed(ec) && now->cn != i->row.cn && !(flags & GX_SAVE_FORCE))
		return gx_txn__fail(t, ecObjectModified, "message %llx was saved by somebody else, change %llx", (unsigned long long)now->mid,
			(unsigned long long)now->cn);
	return ec;
}

/* The instance is what was stored, and refers to nothing older; then the old body may go. */
static int follow(struct gx_txn *t, struct gx_inst *i, const struct gx_msg_row *r, uint64_t old_body)
{
	i->row = *r;
	int err = gx_inst__load(t, i);
	if (err == 0 && old_body != 0 && old_body != r->body)
		err = gx_body__unref(t, old_body);
	if (err == 0)
		gx_inst__settle(i);
	return err;
}

static gx_ec save_changed(struct gx_txn *t, struct gx_inst *i, uint32_t flags)
{
	struct gx_msg_row now, r;
	gx_ec ec = check_changed(t, i, flags, &now);
	if (gx_ec_failed(ec) || !i->changed)
		return ec;
	bool forced = now.cn != i->row.cn; /* the original is that of another version */
	int rendered = forced || (i->msg->dirty & GX_IDIRTY_RENDERED) ? 1 : gx_rule__named_rendered(t, i->msg);
	if (rendered < 0)
		return gx_inst__ec(t, rendered);
	int err = write_changed(t, i, &now, rendered != 0, &r);
	if (err == 0)
		err = follow(t, i, &r, now.body);
	return err == GX_E_DEPTH ? gx_inst__ec(t, err) : gx_txn__ec(t, err);
}

/* ---- A new one ---- */

static int time_received(struct gx_txn *t, const struct gx_inst *i, gx_nttime_t *ret_time)
{
	const struct gx_ival *v = gx_iprops__find(&i->msg->props, PidTagMessageDeliveryTime);
	struct gx_propval pv;
	*ret_time = gx_store__now(t->s);
	int err = v == NULL || v->tag != PidTagMessageDeliveryTime ? GX_E_NOTFOUND : gx_ival__get(t, v, t->a, &pv);
	if (err == 0 && pv.v.time != 0)
		*ret_time = pv.v.time;
	return err == GX_E_NOTFOUND ? 0 : err;
}

static int write_new(struct gx_txn *t, struct gx_inst *i, struct gx_fstate *f, struct gx_msg_row *r)
{
	struct gx_istore w = {.t = t, .m = i->msg, .new_body = r->body};
	const struct gx_msg_row none = {0};
	int err = set_props(t, i, &none, r->cn);
	if (err == 0)
		err = gx_istore__write(&w);
	if (err != 0)
		return err;
	r->size = w.size;
	err = gx_msg__insert_row(t, r, t->actor->owner ? NULL : t->actor->user);
	return err != 0 ? err : gx_change__created(t, f, r, GX_CH_NEW, NULL);
}

static gx_ec check_new(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_folder_row folder;
	gx_ec ec = gx_folder__need(t, i->row.fid, GX_RIGHT_CREATE, &folder);
	return gx_ec_failed(ec) ? ec : gx_msg__check_room(t, gx_imsg__size(i->msg));
}

static gx_ec save_new(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_row r = i->row;
	struct gx_proplist l;
	struct gx_fstate *f;
	gx_ec ec = check_new(t, i);
	if (gx_ec_failed(ec))
		return ec;
	o.mid = i->new_mid;
	o.cn = i->given_cn;
	int err = time_received(t, i, &r.received);
	if (err == 0)
		err = gx_iprops__list(&i->msg->props, t->a, &l);
	if (err == 0)
		err = gx_fstate__get(t, r.fid, &f);
	if (err != 0)
		return gx_txn__ec(t, err);
	i->msg->dirty |= GX_IDIRTY_ATTS; /* they count from the beginning */
	r.flags = merged_flags(i, i->row.flags, false);
	if (!(r.flags & GX_MSGF_UNSENT))
		r.flags |= gx_msg__flags_from_props(&l) & (GX_MSGF_RNPENDING | GX_MSGF_NRNPENDING);
	ec = gx_msg__take_numbers(t, f, &o, &r);
	if (gx_ec_failed(ec))
		return ec;
	err = write_new(t, i, f, &r);
	if (err == 0)
		err = follow(t, i, &r, 0);
	return err == GX_E_DEPTH ? gx_inst__ec(t, err) : gx_txn__ec(t, err);
}

static gx_ec save_message(struct gx_txn *t, struct gx_inst *i, uint32_t flags, struct gx_save_result *ret)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = i->is_new ? save_new(t, i) : save_changed(t, i, flags);
	if (!gx_ec_failed(ec))
		*ret = (struct gx_save_result){.mid = i->row.mid, .cn = i->row.cn, .uid = i->row.uid};
	return ec;
}

/* ---- Into the parent ---- */

static int save_att(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_imsg *m = i->parent->msg;
	struct gx_iatt *copy;
	int err = gx_imsg__load_atts(t, m);
	if (err == 0)
		err = gx_iatt__clone(i->att, &copy);
	if (err == 0)
		err = gx_imsg__put_att(m, copy);
	if (err == 0)
		gx_inst__touch(i->parent, GX_IDIRTY_ATTS | GX_IDIRTY_RENDERED);
	return err;
}

static int save_embedded(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_iatt *a = i->parent->att;
	struct gx_imsg *copy;
	int err = gx_inst__put_state(i);
	if (err == 0 && !i->given_modified)
		err = set(i, PidTagLastModificationTime, &(union gx_value){.time = gx_store__now(i->tree->s)});
	if (err == 0 && i->given_cn == 0 && t->mode == GX_TXN_WRITE) {
		err = set(i, PidTagChangeNumber, &(union gx_value){.i64 = (int64_t)gx_txn__new_cn(t)});
		if (!i->given_key)
			gx_iprops__remove(&i->msg->props, PidTagChangeKey);
	}
	if (err == 0)
		err = gx_imsg__clone(i->msg, &copy);
	if (err != 0)
		return err;
	gx_imsg__unref(a->embedded);
	gx_isrc__unref(a->src);
	a->embedded = copy;
	a->embedded_body = 0;
	a->src = NULL;
	gx_iprops__remove(&a->props, PidTagAttachDataBinary);
	gx_inst__touch(i->parent, 0);
	return gx_iprops__set(&a->props, i->tree->acct, PidTagAttachMethod, &(union gx_value){.i32 = 5}); /* afEmbeddedMessage */
}

gx_ec gx_inst__save_part(struct gx_txn *t, struct gx_inst *i)
{
	if (!i->changed && !i->is_new)
		return GX_OK_EC;
	gx_ec ec = gx_inst__writable(i->parent);
	if (gx_ec_failed(ec))
		return ec;
	int err = i->kind == GX_INST_ATTACHMENT ? save_att(t, i) : save_embedded(t, i);
	if (err == GX_E_LIMIT && i->kind == GX_INST_ATTACHMENT && i->parent->msg->natts >= GX_INST_ATTS_MAX)
		return GX_EC(ecMaxAttachmentExceeded);
	if (err == 0)
		gx_inst__settle(i);
	return gx_inst__ec(t, err);
}

/* ---- */

int gx_inst_prepare(struct gx_inst *i)
{
	ZSTD_CCtx *cctx = NULL;
	gx_inst__lock(i);
	int err = gx_inst__is_msg(i) ? gx_imsg__pack(i->msg, &cctx) : gx_iatt__pack(i->att, &cctx);
	gx_inst__unlock(i);
	ZSTD_freeCCtx(cctx);
	return err;
}

gx_ec gx_inst_save(struct gx_txn *t, struct gx_inst *i, uint32_t flags, struct gx_save_result *ret_result)
{
	struct gx_save_result res = {0};
	if (t == NULL || (flags & ~(uint32_t)(GX_SAVE_FORCE | GX_SAVE_READONLY)) != 0)
		return GX_EC(ecInvalidParam);
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable(i);
	if (!gx_ec_failed(ec) && i->tree->s != t->s)
		ec = gx_txn__fail(t, ecInvalidParam, "the instance is of another store");
	if (!gx_ec_failed(ec))
		ec = i->parent != NULL ? gx_inst__save_part(t, i) : save_message(t, i, flags, &res);
	if (!gx_ec_failed(ec) && (flags & GX_SAVE_READONLY))
		i->writable = false;
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec) && ret_result != NULL)
		*ret_result = res;
	return ec;
}
