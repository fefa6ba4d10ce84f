/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/store-int.h"

/* Properties of messages: the packed row, what the columns say, and values held elsewhere. */

/* [MS-OXCMSG] 2.2.1.6 */
enum {
	MSGFLAG_READ = 0x1, MSGFLAG_UNMODIFIED = 0x2, MSGFLAG_SUBMIT = 0x4, MSGFLAG_UNSENT = 0x8, MSGFLAG_HASATTACH = 0x10,
	MSGFLAG_FROMME = 0x20, MSGFLAG_FAI = 0x40,
};
#define MSGFLAG_OURS (MSGFLAG_READ | MSGFLAG_UNSENT | MSGFLAG_HASATTACH | MSGFLAG_FAI)

static int32_t message_flags(const struct gx_msg_row *r, int32_t stored)
{
	int32_t f = stored & ~MSGFLAG_OURS;
	f |= r->flags & GX_MSGF_READ ? MSGFLAG_READ : 0;
	f |= r->flags & (GX_MSGF_UNSENT | GX_MSGF_DRAFT) ? MSGFLAG_UNSENT : 0;
	f |= r->flags & GX_MSGF_HASATTACH ? MSGFLAG_HASATTACH : 0;
	f |= r->flags & GX_MSGF_FAI ? MSGFLAG_FAI : 0;
	return f;
}

/* XID: replica and big-endian change number, [MS-OXCFXICS] 2.2.2.2. */
int gx_prop__change_key(struct gx_proplist *l, struct gx_arena *a, const struct gx_store *s, uint64_t cn)
{
	enum { XID_LEN = 22 };
	uint8_t *pcl = gx_arena_alloc(a, 1 + XID_LEN), *xid = pcl + 1; /* the list borrows both */
	if (pcl == NULL)
		return GX_E_NOMEM;
	pcl[0] = XID_LEN;
	gx_guid_put(&s->replica, xid);
	for (int i = 0; i < 6; i++)
		xid[16 + i] = (uint8_t)(cn >> 8 * (5 - i));
	int err = gx_proplist_set_bin(l, a, PidTagChangeKey, xid, XID_LEN);
	if (err == 0 && gx_proplist_get(l, PidTagPredecessorChangeList) == NULL)
		err = gx_proplist_set_bin(l, a, PidTagPredecessorChangeList, pcl, 1 + XID_LEN);
	return err;
}

static int from_columns(struct gx_proplist *l, struct gx_arena *a, const struct gx_store *s, const struct gx_msg_row *r)
{
	int32_t stored = gx_proplist_i32(l, PidTagMessageFlags, 0);
	int32_t size32 = r->size > INT32_MAX ? INT32_MAX : (int32_t)r->size;
	int err = gx_proplist_set_i32(l, a, PidTagMessageFlags, message_flags(r, stored));
	err = err != 0 ? err : gx_proplist_set_bool(l, a, PidTagRead, (r->flags & GX_MSGF_READ) != 0);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, PidTagHasAttachments, (r->flags & GX_MSGF_HASATTACH) != 0);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, PidTagAssociated, (r->flags & GX_MSGF_FAI) != 0);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagMessageSize, size32);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagMessageSizeExtended, (int64_t)r->size);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagMid, (int64_t)r->mid);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagFolderId, (int64_t)r->fid);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagChangeNumber, (int64_t)r->cn);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagInternetArticleNumber, (int32_t)r->uid);
	if (err == 0 && gx_proplist_get(l, PidTagMessageDeliveryTime) == NULL)
		err = gx_proplist_set_time(l, a, PidTagMessageDeliveryTime, r->received);
	return err != 0 ? err : gx_prop__change_key(l, a, s, r->cn);
}

/* The stored row as a list; extern values keep their mark. The row is copied into the arena. */
static int stored_list(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_proplist *ret_l)
{
	GX_STMT(st, t->q, "SELECT props FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	if (r == 0)
		return gx_sql__fail(t->q, GX_E_FORMAT, "%s: body %llx is missing", t->s->file, (unsigned long long)body);
	struct gx_bin b = gx_sql__blob(st, 0);
	uint8_t *row = gx_arena_memdup(a, b.data, b.len);
	if (row == NULL)
		return GX_E_NOMEM;
	*ret_l = (struct gx_proplist){0};
	return gx_prow_unpack(a, row, b.len, ret_l);
}

int gx_msg__resolve(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_propval *pv)
{
	union gx_value v;
	int err = gx_extern__resolve(t->c->cio, t->q, skel, pv->tag, pv->v.bin, a, &v);
	if (err != 0)
		return gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
	pv->tag &= ~(gx_proptag_t)GX_PROW_EXTERN;
	pv->v = v;
	return 0;
}

int gx_msg__resolve_list(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_proplist *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->v[i].tag & GX_PROW_EXTERN) {
			int err = gx_msg__resolve(t, skel, a, &l->v[i]);
			if (err != 0)
				return err;
		}
	return 0;
}

static const struct gx_propval *pick(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	if (pv != NULL)
		return pv;
	for (size_t i = 0; i < l->count; i++)
		if ((l->v[i].tag & GX_PROW_EXTERN) && GX_PROP_ID(l->v[i].tag) == GX_PROP_ID(tag))
			return &l->v[i];
	return NULL;
}

/* Those asked for; the skeleton is read when the first value needs it. */
static int select_some(struct gx_txn *t, const struct gx_msg_row *r, const struct gx_proplist *all, const gx_proptag_t *tags, size_t n,
	struct gx_arena *a, struct gx_proplist *l)
{
	struct gx_bin skel = {0};
	for (size_t i = 0; i < n; i++) {
		const struct gx_propval *have = pick(all, tags[i]);
		if (have == NULL)
			continue;
		struct gx_propval pv = *have;
		int err = 0;
		if (pv.tag & GX_PROW_EXTERN) {
			if (skel.data == NULL)
				err = gx_body__skeleton(t, r->body, a, &skel);
			if (err == 0)
				err = gx_msg__resolve(t, skel, a, &pv);
		}
		if (err == 0)
			err = gx_proplist_set(l, a, pv.tag, pv.v);
		if (err != 0)
			return err;
	}
	return 0;
}

static int select_plain(const struct gx_proplist *all, struct gx_arena *a, struct gx_proplist *l)
{
	for (size_t i = 0; i < all->count; i++)
		if (!(all->v[i].tag & GX_PROW_EXTERN)) {
			int err = gx_proplist_set(l, a, all->v[i].tag, all->v[i].v);
			if (err != 0)
				return err;
		}
	return 0;
}

gx_ec gx_msg_get_props(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_msg_row r;
	struct gx_proplist all, l = {0};
	gx_ec ec = gx_msg__readable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	int err = stored_list(t, r.body, a, &all);
	if (err == 0)
		err = from_columns(&all, a, t->s, &r);
	if (err == 0)
		err = n == 0 ? select_plain(&all, a, &l) : select_some(t, &r, &all, tags, n, a, &l);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_l = l;
	return GX_OK_EC;
}

/* ---- Writing ---- */

/* Kept in columns or computed: setting them has no effect, as with computed properties in general. */
static bool computed(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagMid, PidTagFolderId, PidTagChangeNumber, PidTagChangeKey, PidTagPredecessorChangeList, PidTagMessageSize,
		PidTagMessageSizeExtended, PidTagHasAttachments, PidTagAssociated, PidTagInternetArticleNumber,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

static int merge(struct gx_arena *a, struct gx_proplist *all, const struct gx_proplist *l)
{
	for (size_t i = 0; i < l->count; i++) {
		gx_proptag_t tag = l->v[i].tag;
		if (computed(tag))
			continue;
		for (size_t k = 0; k < all->count; k++) /* the new value takes the place of one held elsewhere */
			if ((all->v[k].tag & GX_PROW_EXTERN) && GX_PROP_ID(all->v[k].tag) == GX_PROP_ID(tag))
				all->v[k--] = all->v[--all->count];
		int err = gx_proplist_set(all, a, tag, l->v[i].v);
		if (err != 0)
			return err;
	}
	return 0;
}

static int write_props(struct gx_txn *t, struct gx_msg_row *r, const struct gx_proplist *l)
{
	struct gx_proplist all;
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_body__own(t, r);
	if (err == 0)
		err = stored_list(t, r->body, t->a, &all);
	if (err == 0)
		err = merge(t->a, &all, l);
	if (err == 0)
		err = gx_prow_pack(&out, &all);
	if (err == 0) {
		GX_STMT(st, t->q, "UPDATE body SET props=?2 WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)r->body);
		gx_sql__bind_blob(st, 2, out.data, out.len);
		err = gx_sql__run(st);
	}
	gx_push_release(&out);
	return err;
}

static int write_row(struct gx_txn *t, struct gx_msg_row *r)
{
	const struct gx_msg_row old = *r;
	struct gx_fstate *f;
	int err = gx_fstate__get(t, r->fid, &f);
	if (err != 0)
		return err;
	r->cn = r->modseq = gx_txn__new_cn(t);
	GX_STMT(st, t->q, "UPDATE msg SET cn=?2, modseq=?2 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, (int64_t)r->cn);
	err = gx_sql__run(st);
	return err != 0 ? err : gx_change__updated(t, f, &old, r, GX_CH_CONTENT);
}

gx_ec gx_msg_set_props(struct gx_txn *t, uint64_t mid, const struct gx_proplist *l)
{
	struct gx_folder_row folder;
	struct gx_msg_row r;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_msg__readable(t, mid, &r);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, r.fid, GX_RIGHT_EDIT_ANY | (r.mine ? GX_RIGHT_EDIT_OWN : 0), &folder);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_change__before(t, &r);
	if (err == 0)
		err = write_props(t, &r, l);
	if (err == 0)
		err = write_row(t, &r);
	return gx_txn__ec(t, err);
}
