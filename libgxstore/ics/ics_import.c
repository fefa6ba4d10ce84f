/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/ics/ics-int.h"

/* What clients bring: changes, moves, deletions and read states of messages. */

gx_ec gx_ics__source_id(struct gx_txn *t, struct gx_bin key, uint64_t *ret_id)
{
	struct gx_pull c;
	gx_pull_init(&c, key.data, key.len);
	struct gx_guid replica = gx_pull_guid(&c);
	uint64_t id = gx_pull_u48be(&c);
	if (c.err != 0 || c.left != 0 || id == 0 || gx_guid_cmp(&replica, &t->s->replica) != 0)
		return gx_txn__fail(t, ecInvalidParam, "a source key that is none of this store");
	*ret_id = id;
	return GX_OK_EC;
}

gx_ec gx_ics__check_new(struct gx_txn *t, uint64_t id)
{
	int r = gx_txn__is_spent(t, id);
	return r > 0 ? gx_txn__fail(t, ecSyncObjectDeleted, "object %llx is not there any more", (unsigned long long)id) :
		gx_txn__ec(t, r);
}

/* 1: something has it, deleted or not. */
static int is_stored(struct gx_txn *t, uint64_t id)
{
	struct gx_folder_row folder = {0};
	struct gx_msg_row r;
	int err = gx_msg__row(t, id, &r);
	if (err == GX_E_NOTFOUND)
		err = gx_folder__row(t, id, &folder);
	return err == 0 ? 1 : err == GX_E_NOTFOUND ? folder.fid == id : err;
}

gx_ec gx_ics__never(struct gx_txn *t, const uint64_t *ids, size_t n)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = is_stored(t, ids[i]);
		if (r == 0)
			r = gx_txn__spend_id(t, ids[i]);
	}
	return gx_txn__ec(t, r < 0 ? r : 0);
}

/* Search folders hold nothing that could be put or deleted there. ecNotSupported, ecNotFound. */
static gx_ec real_folder(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row folder;
	int err = gx_folder__row(t, fid, &folder);
	if (err != 0)
		return gx_txn__ec(t, err);
	return folder.type == GX_FOLDER_SEARCH ?
		gx_txn__fail(t, ecNotSupported, "folder %llx is a search", (unsigned long long)fid) : GX_OK_EC;
}

/* Does the folder show it, without having it? */
static int is_found(struct gx_txn *t, uint64_t fid, uint64_t mid)
{
	GX_STMT(st, t->q, "SELECT 1 FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)mid);
	return gx_sql__step(st);
}

/* A message that the folder has or shows, and that is not deleted; ecNotFound. */
static gx_ec by_source_key(struct gx_txn *t, uint64_t fid, struct gx_bin key, struct gx_msg_row *ret_r)
{
	uint64_t mid;
	gx_ec ec = gx_ics__source_id(t, key, &mid);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_msg__row(t, mid, ret_r);
	if (err == 0 && (ret_r->flags & GX_MSGF_SOFTDEL))
		err = GX_E_NOTFOUND;
	if (err == 0 && ret_r->fid != fid) {
		int there = is_found(t, fid, mid);
		err = there == 0 ? GX_E_NOTFOUND : there < 0 ? there : 0;
	}
	return gx_txn__ec(t, err);
}

/* ---- Changes ---- */

/* [MS-OXCFXICS] 2.2.1.4.1, 3.1.5.6.3.1; associated messages never show a conflict. */
static gx_ec method(struct gx_txn *t, uint64_t fid, bool fai, struct gx_arena *a, struct gx_ics_import *i)
{
	enum { RESOLVE_METHOD_LAST_WRITER_WINS = 1, RESOLVE_NO_CONFLICT_NOTIFICATION = 2 };
	static const gx_proptag_t tag = PidTagResolveMethod;
	struct gx_proplist l = {0};
	gx_ec ec = fai ? GX_OK_EC : gx_folder_get_props(t, fid, &tag, 1, a, &l);
	if (gx_ec_failed(ec))
		return ec;
	int32_t flags = gx_proplist_i32(&l, tag, 0);
	i->keep_both = !fai && !(flags & RESOLVE_METHOD_LAST_WRITER_WINS);
	i->notify = i->keep_both && t->s->is_public && !(flags & RESOLVE_NO_CONFLICT_NOTIFICATION);
	return ec;
}

/* The versions that the stored message is, at least one. */
static int versions_of(struct gx_txn *t, const struct gx_msg_row *r, struct gx_ics_version *now, struct gx_arena *a,
	struct gx_ics_version **ret_v, size_t *ret_n)
{
	int err = gx_ics__held(t, r, now, a, ret_v, ret_n);
	if (err == 0 && *ret_n == 0) {
		*ret_v = now;
		*ret_n = 1;
	}
	return err;
}

static int merge_all(struct gx_arena *a, const struct gx_ics_version *v, size_t n, const struct gx_ics_version *m, struct gx_ics_import *i)
{
	i->wins = true;
	for (size_t k = 0; k < n; k++) {
		struct gx_bin pcl;
		int err = gx_pcl_add_key(a, v[k].pcl, v[k].change_key, &pcl);
		err = err != 0 ? err : gx_pcl_merge(a, i->pcl, pcl, &i->pcl);
		if (err != 0)
			return err;
		i->wins = i->wins && gx_ics_wins(m, &v[k]);
	}
	return 0;
}

static gx_ec check_existing(struct gx_txn *t, const struct gx_msg_row *r, const struct gx_ics_message *m, struct gx_arena *a,
	struct gx_ics_import *i)
{
	struct gx_ics_version have, *v;
	struct gx_folder_row folder;
	size_t n;
	int order;
	gx_ec ec = gx_folder__need(t, r->fid, GX_RIGHT_EDIT_ANY | (r->mine ? GX_RIGHT_EDIT_OWN : 0), &folder);
	if (!gx_ec_failed(ec))
		ec = gx_ics__version(t, r->mid, a, &have);
	if (gx_ec_failed(ec))
		return ec;
	int err = versions_of(t, r, &have, a, &v, &n);
	err = err != 0 ? err : gx_ics__judge(a, v, n, &m->version, &order);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (order == GX_ICS_SAME || order == GX_ICS_OLDER)
		return gx_txn__fail(t, ecIgnoreFailure, "message %llx is not older than what comes", (unsigned long long)r->mid);
	if (order == GX_ICS_NEWER) {
		i->how = GX_ICS_REPLACE;
		return GX_OK_EC;
	}
	if (m->fail_on_conflict)
		return gx_txn__fail(t, ecSyncConflict, "message %llx was changed here and there", (unsigned long long)r->mid);
	i->how = GX_ICS_RESOLVE;
	err = merge_all(a, v, n, &m->version, i);
	return err != 0 ? gx_txn__ec(t, err) : method(t, r->fid, m->fai, a, i);
}

gx_ec gx_ics_check_message(struct gx_txn *t, uint64_t fid, const struct gx_ics_message *m, struct gx_arena *a, struct gx_ics_import *ret_import)
{
	struct gx_ics_import i = {.how = GX_ICS_CREATE};
	struct gx_folder_row folder;
	struct gx_msg_row r;
	gx_ec ec = real_folder(t, fid);
	if (!gx_ec_failed(ec))
		ec = gx_ics__source_id(t, m->source_key, &i.mid);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_pcl_add_key(a, m->version.pcl, m->version.change_key, &i.pcl);
	if (err != 0)
		return gx_ics__no_version(t, err);
	err = gx_msg__row(t, i.mid, &r);
	if (err == GX_E_NOTFOUND) {
		ec = gx_ics__check_new(t, i.mid);
		if (!gx_ec_failed(ec))
			ec = gx_folder__need(t, fid, GX_RIGHT_CREATE, &folder);
	} else if (err != 0)
		ec = gx_txn__ec(t, err);
	else if (r.fid != fid || (r.flags & GX_MSGF_SOFTDEL))
		ec = gx_txn__fail(t, ecSyncObjectDeleted, "message %llx is not there any more", (unsigned long long)i.mid);
	else if (((r.flags & GX_MSGF_FAI) != 0) != m->fai)
		ec = gx_txn__fail(t, ecInvalidParam, "message %llx is of the other kind", (unsigned long long)i.mid);
	else
		ec = check_existing(t, &r, m, a, &i);
	if (!gx_ec_failed(ec))
		*ret_import = i;
	return ec;
}

/* ---- Moves ---- */

static gx_ec move(struct gx_txn *t, uint64_t fid, const struct gx_ics_move *m, uint64_t mid, uint64_t new_mid, struct gx_msg_ids *ret_ids)
{
	struct gx_ics_version have, moved;
	struct gx_msg_row r;
	int order;
	gx_ec ec = gx_ics__version(t, mid, t->a, &have);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_pcl_cmp(t->a, m->version.pcl, have.pcl, &order);
	err = err != 0 ? err : gx_pcl_add_key(t->a, have.pcl, m->version.change_key, &moved.pcl);
	if (err != 0)
		return gx_ics__no_version(t, err);
	ec = gx_msg_copy_as(t, mid, fid, new_mid, true, ret_ids);
	if (gx_ec_failed(ec))
		return ec;
	moved.change_key = m->version.change_key;
	moved.modified = have.modified;
	err = gx_msg__row(t, new_mid, &r);
	err = err != 0 ? err : gx_ics__set_version(t, &r, &moved);
	ret_ids->cn = order == GX_PCL_INCLUDED || order == GX_PCL_CONFLICT ? 0 : r.cn;
	if (err != 0)
		return gx_txn__ec(t, err);
	return order == GX_PCL_INCLUDES || order == GX_PCL_CONFLICT ? GX_EC(ecNewerClientChange) : GX_OK_EC;
}

gx_ec gx_ics_import_move(struct gx_txn *t, uint64_t fid, const struct gx_ics_move *m, struct gx_msg_ids *ret_ids)
{
	struct gx_msg_row r;
	struct gx_msg_ids ids;
	uint64_t new_mid;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = real_folder(t, fid);
	if (!gx_ec_failed(ec))
		ec = real_folder(t, m->src_fid);
	if (!gx_ec_failed(ec))
		ec = gx_ics__source_id(t, m->dst_source_key, &new_mid);
	if (!gx_ec_failed(ec))
		ec = by_source_key(t, m->src_fid, m->source_key, &r);
	if (gx_ec_is(ec, ecNotFound))
		return gx_txn__fail(t, ecSyncObjectDeleted, "the message to be moved is not there any more");
	if (!gx_ec_failed(ec)) {
		int stored = is_stored(t, new_mid);
		ec = stored != 0 ? gx_txn__ec(t, stored < 0 ? stored : 0) : gx_ics__check_new(t, new_mid);
	}
	if (gx_ec_failed(ec))
		return ec;
	ec = move(t, fid, m, r.mid, new_mid, &ids);
	if (!gx_ec_failed(ec))
		*ret_ids = ids;
	return ec;
}

/* ---- Deletions and read states ---- */

gx_ec gx_ics_import_delete(struct gx_txn *t, uint64_t fid, const struct gx_bin *source_keys, size_t n, bool hard)
{
	uint64_t *mids = gx_arena_new_array(t->a, uint64_t, n);
	gx_ec ec = mids == NULL ? gx_txn__ec(t, GX_E_NOMEM) : real_folder(t, fid);
	for (size_t i = 0; i < n && !gx_ec_failed(ec); i++)
		ec = gx_ics__source_id(t, source_keys[i], &mids[i]);
	if (!gx_ec_failed(ec))
		ec = gx_msg_delete(t, fid, mids, n, hard);
	return gx_ec_failed(ec) ? ec : gx_ics__never(t, mids, n);
}

static gx_ec one_read(struct gx_txn *t, uint64_t fid, const struct gx_ics_read *v, struct gx_globset *io_read, uint64_t *ret_receipt)
{
	struct gx_read_result res;
	struct gx_msg_row r;
	*ret_receipt = 0;
	gx_ec ec = by_source_key(t, fid, v->source_key, &r);
	if (gx_ec_is(ec, ecNotFound) || (!gx_ec_failed(ec) && (r.flags & GX_MSGF_FAI)))
		return GX_OK_EC;
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_read(t, r.mid, v->read ? 0 : GX_RF_CLEAR_READ, &res);
	if (gx_ec_failed(ec))
		return ec;
	*ret_receipt = res.receipt_due ? r.mid : 0;
	return gx_txn__ec(t, res.changed ? gx_globset_add(io_read, res.rcn) : 0);
}

gx_ec gx_ics_import_reads(struct gx_txn *t, uint64_t fid, const struct gx_ics_read *v, size_t n, struct gx_globset *io_read,
	struct gx_arena *a, struct gx_ics_ids *ret_receipts)
{
	struct gx_folder_row folder;
	size_t due = 0;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_READ, &folder);
	if (gx_ec_failed(ec))
		return ec;
	uint64_t *receipts = gx_arena_new_array(ret_receipts == NULL ? t->a : a, uint64_t, n);
	if (receipts == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	for (size_t i = 0; i < n; i++) {
		ec = one_read(t, fid, &v[i], io_read, &receipts[due]);
		if (gx_ec_failed(ec))
			return ec;
		due += receipts[due] != 0;
	}
	if (ret_receipts != NULL)
		*ret_receipts = (struct gx_ics_ids){receipts, due};
	return GX_OK_EC;
}
