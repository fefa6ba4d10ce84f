/* SPDX-License-Identifier: Apache-2.0 */
/* Collectors of what clients bring, [MS-OXCFXICS] 2.2.3.2.4. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/emsmdb/owed.h"
#include "libgxproto/emsmdb/sync.h"

static void collector_free(struct gx_ems_obj *o)
{
	gx_ems__state_release(&((struct gx_ems_collector *)o)->state);
	free(o);
}

static const struct gx_ems_kind kind_collector = {"collector", collector_free, NULL};

struct gx_ems_collector *gx_ems__collector(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_collector ? (struct gx_ems_collector *)o : NULL;
}

gx_ec gx_ems__give_collector(struct gx_rop_call *c, uint64_t fid, bool contents)
{
	struct gx_ems_collector *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return GX_EC(ecMAPIOOM);
	u->obj.kind = &kind_collector;
	u->fid = fid;
	u->contents = contents;
	return gx_rop__give(c, &u->obj, c->logon);
}

gx_ec gx_ems__source_id(struct gx_rop_call *c, struct gx_bin key, uint64_t *ret_id)
{
	struct gx_pull p;
	gx_pull_init(&p, key.data, key.len);
	struct gx_guid replica = gx_pull_guid(&p);
	uint64_t id = gx_pull_u48be(&p);
	if (p.err != 0 || p.left != 0 || id == 0 || gx_guid_cmp(&replica, gx_store_replica(c->logon->store)) != 0)
		return gx_rop__fail(c, ecInvalidParam, "a source key that is none of this store");
	*ret_id = id;
	return EMS_OK;
}

gx_ec gx_ems__collected(struct gx_ems_collector *u, uint64_t given, int which, uint64_t number)
{
	int err = given == 0 ? 0 : gx_globset_add(&u->state.set[GX_EMS_GIVEN], given);
	if (err == 0 && number != 0)
		err = gx_globset_add(&u->state.set[which], number);
	return gx_ec_from_err(err);
}

/* ---- Messages ---- */

static struct gx_bin keep(uint8_t **at, struct gx_bin b)
{
	struct gx_bin copy = {*at, b.len};
	if (b.len != 0)
		memcpy(*at, b.data, b.len);
	*at += b.len;
	return copy;
}

struct gx_ems_import *gx_ems__import_new(const struct gx_ems_collector *u, const struct gx_ics_message *m)
{
	size_t n = m->source_key.len + m->version.change_key.len + m->version.pcl.len;
	struct gx_ems_import *i = malloc(sizeof(*i) + n);
	if (i == NULL)
		return NULL;
	uint8_t *at = i->bytes;
	i->collector = u->obj.handle;
	i->m = *m;
	i->m.source_key = keep(&at, m->source_key);
	i->m.version.change_key = keep(&at, m->version.change_key);
	i->m.version.pcl = keep(&at, m->version.pcl);
	return i;
}

/* The instance as it is, in the client's version. */
static gx_ec store(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_message *m, const struct gx_ics_import *how, struct gx_save_result *s)
{
	const struct gx_ics_version *v = &m->import->m.version;
	struct gx_proplist l = {0};
	int err = gx_proplist_set_bin(&l, c->a, PidTagPredecessorChangeList, how->pcl.data, how->pcl.len);
	err = err != 0 ? err : gx_proplist_set_bin(&l, c->a, PidTagChangeKey, v->change_key.data, v->change_key.len);
	err = err != 0 ? err : gx_proplist_set_time(&l, c->a, PidTagLastModificationTime, v->modified);
	gx_ec ec = gx_ec_from_err(err);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(m->inst, &l, GX_SET_TRUSTED, c->a, NULL);
	return gx_ec_failed(ec) ? ec : gx_inst_save(t, m->inst, GX_SAVE_FORCE, s);
}

/* Both sides have changed it, or it came into being meanwhile. */
static gx_ec resolve(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_message *m, struct gx_ics_import *io_how, struct gx_save_result *s)
{
	struct gx_msgobj *obj;
	struct gx_msg_ids ids;
	gx_ec ec = gx_inst_read(t, m->inst, c->a, &obj);
	if (!gx_ec_failed(ec))
		ec = gx_ics_import_message(t, m->fid, &m->import->m, obj, io_how, &ids);
	if (!gx_ec_failed(ec))
		ec = gx_inst_reload(t, m->inst);
	if (!gx_ec_failed(ec))
		*s = (struct gx_save_result){.mid = ids.mid, .cn = ids.cn, .uid = ids.uid};
	return ec;
}

static gx_ec save(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_message *m, struct gx_ics_import *how, struct gx_save_result *s)
{
	struct gx_inst_info info;
	gx_ec ec = gx_ics_check_message(t, m->fid, &m->import->m, c->a, how);
	if (gx_ec_failed(ec))
		return ec;
	gx_inst_info(m->inst, &info);
	return how->how == GX_ICS_RESOLVE || info.is_new != (how->how == GX_ICS_CREATE) ? resolve(c, t, m, how, s) : store(c, t, m, how, s);
}

/* The result of a conflict is one that the client does not have. */
gx_ec gx_ems__import_save(struct gx_rop_call *c, struct gx_ems_message *m, struct gx_save_result *ret_s)
{
	struct gx_ics_import how = {0};
	struct gx_ems_owing due = {0};
	struct gx_txn *t;
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = save(c, t, m, &how, ret_s);
	if (!gx_ec_failed(ec) && how.notify)
		ec = gx_ems__owe_conflict(c, t, &due, ret_s->mid);
	ec = gx_ems__end_owing(c, t, &due, ec);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ems_collector *u = gx_ems__collector(gx_ems__find(c->s, m->import->collector));
	int which = m->import->m.fai ? GX_EMS_SEEN_FAI : GX_EMS_SEEN;
	/* from now on it is a message like others */
	free(m->import);
	m->import = NULL;
	return u == NULL ? EMS_OK : gx_ems__collected(u, ret_s->mid, which, how.how == GX_ICS_RESOLVE ? 0 : ret_s->cn);
}
