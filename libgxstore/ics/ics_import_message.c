/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/instance/inst-int.h"

/* A message that a client has made or changed, with all its contents. */

struct import {
	struct gx_txn *t;
	uint64_t fid;
	const struct gx_ics_message *m;
	const struct gx_msgobj *obj;
	struct gx_ics_import how;
	gx_nttime_t modified;   /* of the version that won a conflict */
	struct gx_inst *i;
};

static gx_ec set_props(struct import *x, const struct gx_proplist *l)
{
	return gx_inst_set_props(x->i, l, GX_SET_TRUSTED, x->t->a, NULL);
}

/*
 * The client's version as it is; the result of a conflict is one of ours that comes from both, with the time of the
 * winner. Its list is what the keys that are no longer there have left.
 */
static gx_ec set_version(struct import *x)
{
	struct gx_proplist l = {0};
	struct gx_arena *a = x->t->a;
	const struct gx_ics_version *v = &x->m->version;
	bool resolved = x->how.how == GX_ICS_RESOLVE;
	gx_nttime_t modified = resolved && !x->how.wins ? x->modified : v->modified;
	int err = gx_proplist_set_bin(&l, a, PidTagPredecessorChangeList, x->how.pcl.data, x->how.pcl.len);
	if (err == 0 && !resolved)
		err = gx_proplist_set_bin(&l, a, PidTagChangeKey, v->change_key.data, v->change_key.len);
	if (err == 0 && modified != 0)
		err = gx_proplist_set_time(&l, a, PidTagLastModificationTime, modified);
	return err != 0 ? gx_txn__ec(x->t, err) : set_props(x, &l);
}

/* Without what says which message it is, and in which version. */
static gx_ec contents(struct import *x, const struct gx_msgobj *obj, struct gx_msgobj *ret_obj)
{
	static const gx_proptag_t keys[] = {
		PidTagMid, PidTagFolderId, PidTagParentFolderId, PidTagSourceKey, PidTagParentSourceKey, PidTagChangeKey, PidTagChangeNumber,
		PidTagPredecessorChangeList, PidTagLastModificationTime, PidTagEntryId, PidTagAssociated,
	};
	*ret_obj = *obj;
	ret_obj->props = (struct gx_proplist){0};
	for (size_t i = 0; i < obj->props.count; i++) {
		int err = gx_proplist_set(&ret_obj->props, x->t->a, obj->props.v[i].tag, obj->props.v[i].v);
		if (err != 0)
			return gx_txn__ec(x->t, err);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		gx_proplist_remove(&ret_obj->props, keys[i]);
	if (x->how.how != GX_ICS_CREATE) { /* read state comes by itself, [MS-OXCFXICS] 3.2.5.9.4.6 */
		gx_proplist_remove(&ret_obj->props, PidTagMessageFlags);
		gx_proplist_remove(&ret_obj->props, PidTagRead);
	}
	return GX_OK_EC;
}

static gx_ec write_contents(struct import *x, const struct gx_msgobj *m)
{
	struct gx_msgobj obj;
	gx_ec ec = contents(x, m, &obj);
	return gx_ec_failed(ec) ? ec :
		gx_inst_write(x->t, x->i, &obj, GX_WRITE_FORCE | GX_WRITE_TRUSTED, x->t->a, NULL, NULL);
}

static gx_ec create(struct import *x)
{
	struct gx_inst_new_opts o = GX_INST_NEW_OPTS_INIT;
	o.mid = x->how.mid;
	o.associated = x->m->fai;
	o.bare = true;
	gx_ec ec = gx_inst_new(x->t, x->fid, &o, &x->i);
	return gx_ec_failed(ec) ? ec : write_contents(x, x->obj);
}

static gx_ec replace(struct import *x, const struct gx_msgobj *m)
{
	gx_ec ec = gx_inst_open(x->t, x->fid, x->how.mid, GX_INST_WRITE, &x->i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear(x->i);
	return gx_ec_failed(ec) ? ec : write_contents(x, m);
}

/* Without the loser: what won is all that there is. */
static gx_ec overwrite(struct import *x)
{
	struct gx_ics_version have;
	gx_ec ec = gx_ics__version(x->t, x->how.mid, x->t->a, &have);
	if (gx_ec_failed(ec))
		return ec;
	x->modified = have.modified;
	return x->how.wins ? replace(x, x->obj) : gx_inst_open(x->t, x->fid, x->how.mid, GX_INST_WRITE, &x->i);
}

/* The latest version is what is shown, all of them are kept inside of it. */
static gx_ec resolve(struct import *x)
{
	struct gx_ics_resolved r;
	struct gx_msgobj theirs;
	if (!x->how.keep_both)
		return overwrite(x);
	gx_ec ec = contents(x, x->obj, &theirs);
	if (!gx_ec_failed(ec))
		ec = gx_ics__resolve(x->t, x->how.mid, &theirs, &x->m->version, &r);
	if (!gx_ec_failed(ec))
		ec = replace(x, r.winner);
	for (size_t k = 0; !gx_ec_failed(ec) && k < r.n; k++)
		ec = gx_inst__add_version(x->t, x->i, r.versions[k]);
	x->modified = gx_ec_failed(ec) ? 0 : r.modified;
	return ec;
}

static gx_ec run(struct import *x, struct gx_save_result *res)
{
	gx_ec ec = x->how.how == GX_ICS_CREATE ? create(x) : x->how.how == GX_ICS_REPLACE ? replace(x, x->obj) : resolve(x);
	if (!gx_ec_failed(ec))
		ec = set_version(x);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(x->t, x->i, GX_SAVE_FORCE, res);
	gx_inst_free(x->i);
	return ec;
}

gx_ec gx_ics_import_message(struct gx_txn *t, uint64_t fid, const struct gx_ics_message *m, const struct gx_msgobj *obj,
	struct gx_ics_import *ret_import, struct gx_msg_ids *ret_ids)
{
	struct import x = {.t = t, .fid = fid, .m = m, .obj = obj};
	struct gx_save_result res;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_ics_check_message(t, fid, m, t->a, &x.how);
	if (!gx_ec_failed(ec))
		ec = run(&x, &res);
	if (gx_ec_failed(ec))
		return ec;
	if (ret_import != NULL)
		*ret_import = x.how;
	*ret_ids = (struct gx_msg_ids){.mid = res.mid, .cn = res.cn, .uid = res.uid};
	return GX_OK_EC;
}
