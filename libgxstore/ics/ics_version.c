/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/message/msg-int.h"

/*
 * Versions of objects. A version made elsewhere is stored as change key, predecessor list and the change
 * number it got here; it is the present one as long as the object has that number.
 */

int gx_ics_compare(struct gx_arena *a, const struct gx_ics_version *stored, const struct gx_ics_version *incoming, int *ret_order)
{
	struct gx_bin have, new;
	int order, err = gx_pcl_add_key(a, stored->pcl, stored->change_key, &have);
	if (err == 0)
		err = gx_pcl_add_key(a, incoming->pcl, incoming->change_key, &new);
	if (err == 0)
		err = gx_pcl_cmp(a, have, new, &order);
	if (err != 0)
		return err;
	*ret_order = order == GX_PCL_EQUAL ? GX_ICS_SAME : order == GX_PCL_INCLUDED ? GX_ICS_NEWER :
		order == GX_PCL_INCLUDES ? GX_ICS_OLDER : GX_ICS_CONFLICT;
	return 0;
}

bool gx_ics_wins(const struct gx_ics_version *incoming, const struct gx_ics_version *stored)
{
	enum { NAMESPACE = 16 };
	if (incoming->modified != stored->modified)
		return incoming->modified > stored->modified;
	if (incoming->change_key.len < NAMESPACE || stored->change_key.len < NAMESPACE)
		return false;
	return memcmp(incoming->change_key.data, stored->change_key.data, NAMESPACE) >= 0;
}

struct gx_ics_version gx_ics__version_of(const struct gx_proplist *l)
{
	const struct gx_propval *key = gx_proplist_get(l, PidTagChangeKey), *pcl = gx_proplist_get(l, PidTagPredecessorChangeList);
	const struct gx_propval *modified = gx_proplist_get(l, PidTagLastModificationTime);
	return (struct gx_ics_version){
		.change_key = key == NULL ? (struct gx_bin){0} : key->v.bin,
		.pcl = pcl == NULL ? (struct gx_bin){0} : pcl->v.bin,
		.modified = modified == NULL ? 0 : modified->v.time,
	};
}

gx_ec gx_ics__version(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_ics_version *ret_v)
{
	static const gx_proptag_t tags[] = {PidTagChangeKey, PidTagPredecessorChangeList, PidTagLastModificationTime};
	struct gx_proplist l;
	gx_ec ec = gx_msg_get_props(t, mid, tags, sizeof(tags) / sizeof(tags[0]), a, &l);
	if (!gx_ec_failed(ec))
		*ret_v = gx_ics__version_of(&l);
	return ec;
}

int gx_ics__put_version(struct gx_proplist *l, struct gx_arena *a, const struct gx_ics_version *v, uint64_t cn)
{
	if (v->change_key.len == 0) { /* a version of ours with predecessors */
		gx_proplist_remove(l, PidTagChangeKey);
		gx_proplist_remove(l, PidTagChangeNumber);
		return gx_proplist_set_bin(l, a, PidTagPredecessorChangeList, v->pcl.data, v->pcl.len);
	}
	int err = gx_proplist_set_bin(l, a, PidTagChangeKey, v->change_key.data, v->change_key.len);
	err = err != 0 ? err : gx_proplist_set_bin(l, a, PidTagPredecessorChangeList, v->pcl.data, v->pcl.len);
	return err != 0 ? err : gx_proplist_set_i64(l, a, PidTagChangeNumber, (int64_t)cn);
}

int gx_ics__check_version(struct gx_arena *a, const struct gx_ics_version *v)
{
	struct gx_bin all;
	return gx_pcl_add_key(a, v->pcl, v->change_key, &all);
}

/* ---- Messages ---- */

static int write_props(struct gx_txn *t, struct gx_msg_row *r, const struct gx_ics_version *v, uint64_t cn)
{
	struct gx_proplist all;
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_body__own(t, r);
	err = err != 0 ? err : gx_body__stored(t, r->body, t->a, &all);
	err = err != 0 ? err : gx_ics__put_version(&all, t->a, v, cn);
	if (err == 0 && v->modified != 0)
		err = gx_proplist_set_time(&all, t->a, PidTagLastModificationTime, v->modified);
	err = err != 0 ? err : gx_prow_pack(&out, &all);
	if (err == 0) {
		GX_STMT(st, t->q, "UPDATE body SET props=?2 WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)r->body);
		gx_sql__bind_blob(st, 2, out.data, out.len);
		err = gx_sql__run(st);
	}
	gx_push_release(&out);
	return err;
}

static int write_row(struct gx_txn *t, const struct gx_msg_row *r)
{
	GX_STMT(st, t->q, "UPDATE msg SET cn=?2, modseq=?2 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, (int64_t)r->cn);
	return gx_sql__run(st);
}

int gx_ics__set_version(struct gx_txn *t, struct gx_msg_row *r, const struct gx_ics_version *v)
{
	struct gx_fstate *f;
	uint64_t cn = gx_txn__new_cn(t);
	int err = gx_fstate__get(t, r->fid, &f);
	err = err != 0 ? err : gx_change__before(t, r);
	err = err != 0 ? err : write_props(t, r, v, cn);
	if (err != 0)
		return err;
	const struct gx_msg_row old = *r;
	r->cn = r->modseq = cn;
	err = write_row(t, r);
	return err != 0 ? err : gx_change__updated(t, f, &old, r, GX_CH_CONTENT);
}

gx_ec gx_ics__no_version(struct gx_txn *t, int err)
{
	return err == GX_E_NOMEM ? gx_txn__ec(t, err) : gx_txn__fail(t, ecInvalidParam, "no change key, or no list of them");
}

gx_ec gx_ics_set_version(struct gx_txn *t, uint64_t mid, const struct gx_ics_version *v, uint64_t *ret_cn)
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
	int err = gx_ics__check_version(t->a, v);
	if (err != 0)
		return gx_ics__no_version(t, err);
	err = gx_ics__set_version(t, &r, v);
	if (err == 0)
		*ret_cn = r.cn;
	return gx_txn__ec(t, err);
}

/* ---- Folders ---- */

int gx_folder__version(struct gx_proplist *io_l, struct gx_arena *a, const struct gx_store *s, uint64_t cn)
{
	const struct gx_propval *stored = gx_proplist_get(io_l, PidTagChangeNumber);
	struct gx_ics_version v = gx_ics__version_of(io_l);
	if (stored != NULL && (uint64_t)stored->v.i64 == cn && v.change_key.len > 0 && v.pcl.len > 0)
		return 0;
	int err = gx_entryid_gid(a, &s->replica, cn, &v.change_key);
	if (err != 0)
		return err;
	err = gx_pcl_add(a, v.pcl, &s->replica, cn, &v.pcl);
	if (err == GX_E_FORMAT || err == GX_E_TRUNC) /* it came from outside and is none */
		err = gx_pcl_add(a, (struct gx_bin){0}, &s->replica, cn, &v.pcl);
	return err != 0 ? err : gx_ics__put_version(io_l, a, &v, cn);
}
