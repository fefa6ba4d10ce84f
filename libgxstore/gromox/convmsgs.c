/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, folder by folder. */
#include <config.h>
#include <string.h>
#include <gx/pr-names.h>
#include "libgxstore/gromox/conv-int.h"

/* ---- Flags and times ---- */

/* [MS-OXOMSG] 2.2.1.17: PidTagLastVerbExecuted */
enum { REPLY = 102, REPLY_ALL = 103, FORWARD = 104, FOLLOWUP_FLAGGED = 2 };

/* What IMAP shows of messages that its index does not know yet; drafts are known to the store by themselves. */
static uint32_t flags_from_props(const struct gx_proplist *l)
{
	int32_t verb = gx_proplist_i32(l, PidTagLastVerbExecuted, 0);
	uint32_t flags = verb == REPLY || verb == REPLY_ALL ? GX_MSGF_ANSWERED : verb == FORWARD ? GX_MSGF_FORWARDED : 0;
	if (gx_proplist_i32(l, PidTagFlagStatus, 0) == FOLLOWUP_FLAGGED)
		flags |= GX_MSGF_FLAGGED;
	return flags;
}

static uint32_t flags_of(const struct gx_gromox_msg *m, const struct gx_gromox_imap *i, bool indexed)
{
	uint32_t known = flags_from_props(&m->obj->props);
	uint32_t flags = indexed ? i->flags | (known & GX_MSGF_FLAGGED) : known;
	return flags | (m->read ? GX_MSGF_READ : 0) | (m->fai ? GX_MSGF_FAI : 0) | (m->deleted ? GX_MSGF_SOFTDEL : 0);
}

static gx_nttime_t received(const struct gx_gromox_msg *m, const struct gx_gromox_imap *i)
{
	static const gx_proptag_t tags[] = {PidTagMessageDeliveryTime, 0, PidTagClientSubmitTime, PidTagCreationTime,
		PidTagLastModificationTime};
	for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
		const struct gx_propval *pv = tags[k] == 0 ? NULL : gx_proplist_get(&m->obj->props, tags[k]);
		if (pv != NULL && pv->v.time != 0)
			return pv->v.time;
		if (tags[k] == 0 && i->received > 0)
			return gx_nttime_from_unix(i->received, 0);
	}
	return GX_NTTIME_UNIX_EPOCH;
}

/* ---- The object ---- */

/* A text that IMAP was shown of a message that has none of its own, unless the message has changed since. */
static bool shown_text(const struct gx_gromox_msg *m, const struct gx_gromox_imap *i)
{
	const struct gx_propval *mod = gx_proplist_get(&m->obj->props, PidTagLastModificationTime);
	return m->eml == NULL && i->eml != NULL && mod != NULL && mod->v.time == i->modified;
}

static int read_object(struct gx_conv *c, struct gx_gromox_msg *m, const struct gx_gromox_imap *i)
{
	int err = gx_gromox__message(c->g, c->item, m);
	if (err == 0 && m->original.data == NULL && shown_text(m, i)) {
		const char *file;
		int e = gx_gromox__eml_read(c->g->dir, c->item, i->eml, &m->original, &file);
		err = e == GX_E_NOMEM || e == GX_E_IO ? e : 0; /* IMAP would make it anew */
		if (e != 0)
			m->original = (struct gx_bin){NULL, 0};
	}
	return err;
}

/* A version that a client made keeps its key, marked with the change number it got here (see msg_values.c). */
static int tidy(struct gx_conv *c, struct gx_gromox_msg *m)
{
	static const gx_proptag_t computed[] = {PidTagMid, PidTagFolderId, PidTagChangeNumber, PidTagMessageSize,
		PidTagMessageSizeExtended, PidTagRead, PidTagAssociated, PidTagInternetArticleNumber};
	static const gx_proptag_t key = PidTagChangeKey;
	gx_conv__drop(&m->obj->props, computed, sizeof(computed) / sizeof(computed[0]));
	if (!gx_conv__own_key(c, &m->obj->props, m->cn))
		return gx_proplist_set_i64(&m->obj->props, c->item, PidTagChangeNumber, (int64_t)m->cn);
	gx_conv__drop(&m->obj->props, &key, 1);
	return 0;
}

static int prepare(struct gx_conv *c, struct gx_gromox_msg *m, struct gx_msg_prepared **ret_p)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	src.obj = m->obj;
	src.ctx = c->prep;
	if (m->original.data != NULL && c->o->mail != NULL) {
		src.original = m->original;
		int err = c->o->mail(c->item, m->original, m->obj, &src.envelope, &src.bodystructure, c->o->mail_ctx);
		if (err != 0)
			return gx_conv__fail(c, err, "%s: its original text: %s", c->g->notes.object, gx_strerror(err));
	}
	int err = gx_msg_prepare(c->item, &src, ret_p);
	return err != 0 ? gx_conv__fail(c, err, "%s: %s", c->g->notes.object, gx_strerror(err)) : 0;
}

static int put(struct gx_conv *c, uint64_t fid, const struct gx_gromox_msg *m, const struct gx_gromox_imap *i,
	bool indexed, uint32_t uid, const struct gx_msg_prepared *p)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	o.flags = flags_of(m, i, indexed);
	o.keywords = i->keywords;
	o.received = received(m, i);
	o.mid = m->mid;
	o.cn = m->cn;
	o.rcn = m->read_cn;
	o.uid = uid;
	if (o.keywords != NULL && !gx_kwset__valid(o.keywords)) {
		int err = gx_conv__note(c, GX_CONV_IMAP, NULL, "has keywords that IMAP does not allow; left out");
		if (err != 0)
			return err;
		o.keywords = NULL;
	}
	gx_ec ec = gx_msg_insert(c->t, fid, p, &o, NULL);
	if (gx_ec_is(ec, ecDuplicateObject) || gx_ec_is(ec, ecInvalidParam)) { /* a number that something else has */
		o.mid = gx_txn__new_id(c->t);
		int err = gx_conv__note(c, GX_CONV_MESSAGE, NULL, "its number is in use or none; it is message %llx now",
			(unsigned long long)o.mid);
		if (err != 0)
			return err;
		ec = gx_msg_insert(c->t, fid, p, &o, NULL);
	}
	return gx_conv__ec(c, ec);
}

static void count(struct gx_conv *c, const struct gx_gromox_msg *m, uint64_t size)
{
	struct gx_conv_state *s = &c->st;
	*(m->deleted ? &s->deleted : m->fai ? &s->associated : &s->messages) += 1;
	s->attachments += m->obj->att_count;
	s->originals += m->original.data != NULL && c->o->mail != NULL;
	s->bytes += size;
}

static int one(struct gx_conv *c, uint64_t fid, struct gx_gromox_msg *m, uint32_t uid)
{
	struct gx_gromox_imap i;
	struct gx_msg_prepared *p = NULL;
	int indexed = gx_gromox__imap_msg(c->g, m->mid, c->item, &i);
	if (indexed < 0)
		return indexed;
	int err = read_object(c, m, &i);
	if (err == 0 && m->timer != 0)
		err = gx_conv__note(c, GX_CONV_MESSAGE, NULL,
			"waits to be sent by Gromox's timer service (timer %llu); it has to be submitted anew",
			(unsigned long long)m->timer);
	if (err == 0)
		err = tidy(c, m);
	if (err == 0)
		err = prepare(c, m, &p);
	if (err == 0)
		err = put(c, fid, m, &i, indexed != 0, uid, p);
	if (err == 0) {
		count(c, m, p->size);
		c->batch_bytes += p->size;
	}
	gx_msg_prepared_release(p);
	return err;
}

/* ---- Folders ---- */

/* A folder that cannot hold messages in our store gives its own to the one for what is lost. */
static int target(struct gx_conv *c, const struct gx_gromox_folder *f, uint64_t *ret_fid);

static int there(struct gx_conv *c, uint64_t mid)
{
	struct gx_msg_row r;
	int err = gx_msg__row(c->t, mid, &r);
	return err == 0 ? 1 : err == GX_E_NOTFOUND ? 0 : err;
}

/* Those that IMAP knows, by UID: UIDs ascend with arrival in our store. */
static int by_uid(struct gx_conv *c, const struct gx_gromox_folder *f)
{
	struct gx_gromox_msg m;
	uint64_t mid;
	uint32_t uid;
	int r, err = 0;
	gx_gromox__list_uids(c->g, f->fid, (uint32_t)c->st.after);
	while (err == 0 && (r = gx_gromox__next_uid(c->g, &mid, &uid)) > 0) {
		gx_arena_reset(c->item);
		if (uid == c->st.after) /* given twice: the second one gets another */
			continue;
		r = gx_gromox__row(c->g, mid, c->item, &m);
		if (r < 0)
			return r;
		if (r == 0 || m.fid != f->fid || m.deleted || m.fai)
			continue;
		err = one(c, f->fid, &m, uid);
		c->st.after = uid;
		if (err == 0)
			err = gx_conv__step(c);
	}
	return err != 0 ? err : r;
}

static int raise_uid(struct gx_conv *c, uint64_t fid)
{
	struct gx_fstate *s;
	uint32_t last = 0;
	bool subscribed;
	int r = gx_gromox__imap_folder(c->g, fid, &last, &subscribed);
	if (r <= 0)
		return r;
	r = gx_fstate__get(c->t, fid, &s);
	if (r == 0 && s->uidnext <= last) {
		s->uidnext = (uint64_t)last + 1;
		s->dirty = true;
	}
	return r;
}

/*
 * A loss of power makes a store skip UIDs that clients may have seen. Nobody has seen any of this one, and those of the
 * source are below.
 */
int gx_conv__restore_uids(struct gx_conv *c)
{
	size_t done = c->st.stage > GX_CONV_STAGE_MESSAGES ? c->folder_count : c->st.stage < GX_CONV_STAGE_MESSAGES ? 0 :
		c->st.folder + (c->st.phase == GX_CONV_BY_ID);
	int err = gx_sql__exec(c->t->q, "UPDATE fstate SET uidnext="
		"(SELECT COALESCE(MAX(uid),0)+1 FROM msg WHERE msg.fid=fstate.fid) WHERE fid<>0");
	for (size_t i = 0; err == 0 && i < done && i < c->folder_count; i++)
		err = raise_uid(c, c->folders[i].fid);
	return err;
}

static int by_id(struct gx_conv *c, uint64_t from, uint64_t to)
{
	struct gx_gromox_msg m;
	int r, err = 0;
	gx_gromox__list(c->g, from, c->st.after);
	while (err == 0) {
		gx_arena_reset(c->item);
		r = gx_gromox__next(c->g, c->item, &m);
		if (r <= 0)
			return r;
		err = there(c, m.mid);
		if (err == 0)
			err = one(c, to, &m, 0);
		else if (err > 0)
			err = 0;
		c->st.after = m.mid;
		if (err == 0)
			err = gx_conv__step(c);
	}
	return err;
}

/* The time of the last change is the one that clients know, not that of the conversion. */
static int keep_time(struct gx_conv *c, uint64_t fid)
{
	GX_STMT(st, c->g->q, "SELECT propval FROM folder_properties WHERE folder_id=?1 AND proptag=?2");
	struct gx_fstate *s;
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, PidTagLocalCommitTimeMax);
	int r = gx_sql__step(st);
	int err = r < 0 ? r : gx_fstate__get(c->t, fid, &s);
	if (err != 0)
		return err;
	s->changed_at = r > 0 ? gx_sql__u64(st, 0) : 0;
	s->dirty = true;
	return 0;
}

static int folder(struct gx_conv *c, const struct gx_gromox_folder *f)
{
	uint64_t to = f->fid;
	int err = target(c, f, &to);
	if (err == 0 && f->deleted) /* nothing can be put into it otherwise */
		err = gx_put__hide_folder(c->t, f->fid, false);
	if (err == 0 && c->st.phase == GX_CONV_BY_UID && to == f->fid)
		err = by_uid(c, f);
	if (err == 0 && c->st.phase == GX_CONV_BY_UID) {
		err = raise_uid(c, f->fid);
		c->st.phase = GX_CONV_BY_ID;
		c->st.after = 0;
	}
	if (err == 0)
		err = by_id(c, f->fid, to);
	if (err == 0)
		err = keep_time(c, f->fid);
	if (err == 0 && f->deleted)
		err = gx_put__hide_folder(c->t, f->fid, true);
	c->st.phase = GX_CONV_BY_UID;
	c->st.after = 0;
	return err;
}

/* ---- Messages in no folder ---- */

static int recovered(struct gx_conv *c, uint64_t *ret_fid)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	*ret_fid = c->st.recovered;
	if (c->st.recovered != 0)
		return 0;
	o.parent = c->s->is_public ? GX_FID_PUB_IPMSUBTREE : GX_FID_IPMSUBTREE;
	o.container_class = "IPF.Note";
	gx_ec ec = GX_EC(ecDuplicateName);
	for (unsigned i = 1; gx_ec_is(ec, ecDuplicateName) && i < 100; i++) {
		o.name = i == 1 ? "Recovered items" : gx_arena_printf(c->batch, "Recovered items (%u)", i);
		ec = gx_folder_create_with(c->t, &o, &c->st.recovered);
	}
	*ret_fid = c->st.recovered;
	return gx_conv__ec(c, ec);
}

static int target(struct gx_conv *c, const struct gx_gromox_folder *f, uint64_t *ret_fid)
{
	if (!f->search)
		return 0;
	GX_STMT(st, c->g->q, "SELECT 1 FROM messages WHERE parent_fid=?1 LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)f->fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	gx_gromox__about(&c->g->notes, "folder %llx", (unsigned long long)f->fid);
	int err = recovered(c, ret_fid);
	if (err != 0 || c->st.phase != GX_CONV_BY_UID || c->st.after != 0) /* said before */
		return err;
	return gx_conv__note(c, GX_CONV_MESSAGE, NULL,
		"is a search folder and has messages of its own; they are in folder %llx now", (unsigned long long)*ret_fid);
}

static int strays(struct gx_conv *c)
{
	struct gx_gromox_msg m;
	uint64_t to = 0;
	gx_gromox__list(c->g, 0, c->st.after);
	int r = gx_gromox__next(c->g, c->item, &m), err = 0;
	if (r <= 0)
		return r;
	while (err == 0 && r > 0) {
		err = recovered(c, &to);
		if (err == 0)
			err = gx_conv__note(c, GX_CONV_MESSAGE, NULL, "is in no folder; it is in folder %llx now",
				(unsigned long long)to);
		if (err == 0)
			err = one(c, to, &m, 0);
		c->st.after = m.mid;
		if (err == 0)
			err = gx_conv__step(c);
		gx_arena_reset(c->item);
		r = err != 0 ? 0 : gx_gromox__next(c->g, c->item, &m);
	}
	return err != 0 ? err : r;
}

int gx_conv__messages(struct gx_conv *c)
{
	int err = 0;
	while (err == 0 && c->st.folder < c->folder_count) {
		err = folder(c, &c->folders[c->st.folder]);
		if (err == 0) {
			c->st.folder++;
			err = gx_conv__step(c);
		}
	}
	if (err == 0)
		err = strays(c);
	gx_arena_reset(c->item);
	return err;
}
