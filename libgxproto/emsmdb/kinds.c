/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/restr.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/peruser.h"

enum { LOGON_ARENA_MOST = 1 << 20 };

gx_ec gx_ems__plain(struct gx_rop_call *c, uint64_t id, uint64_t *ret_plain)
{
	if (gx_eid_replica(id) != 1)
		return gx_rop__fail(c, ecNotFound, "0x%llx is no id of this store", (unsigned long long)id);
	*ret_plain = gx_eid_counter(id);
	return EMS_OK;
}

gx_ec gx_ems__plain_list(struct gx_rop_call *c, const uint64_t *ids, size_t n, const uint64_t **ret_plain)
{
	gx_ec ec = EMS_OK;
	uint64_t *v = gx_arena_new_array(c->a, uint64_t, n);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i)
		ec = gx_ems__plain(c, ids[i], &v[i]);
	*ret_plain = v;
	return ec;
}

static void send_restr(struct gx_arena *a, struct gx_propval *pv)
{
	if (gx_restr_wire_ids(a, pv->v.restr, &pv->v.restr) != 0)
		*pv = (struct gx_propval){GX_PROP_RETYPE(pv->tag, PtypErrorCode), {.err = ecMAPIOOM}};
}

void gx_ems__send_ids(struct gx_arena *a, struct gx_propval *v, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		if (gx_eid_holds(v[i].tag))
			v[i].v.i64 = (int64_t)gx_eid_wire((uint64_t)v[i].v.i64);
		else if (GX_PROP_TYPE(v[i].tag) == PtypRestriction)
			send_restr(a, &v[i]);
}

gx_ec gx_ems__plain_restr(struct gx_rop_call *c, const struct gx_restr *r, const struct gx_restr **ret_r)
{
	return gx_ec_from_err(gx_restr_plain_ids(c->a, r, ret_r));
}

/* ---- Logons ---- */

static void logon_free(struct gx_ems_obj *o)
{
	struct gx_ems_logon *l = (struct gx_ems_logon *)o;
	gx_ems__job_drop(l);
	gx_ems__peruser_free(l->peruser);
	gx_store_pool_put(l->pool, l->store);
	gx_arena_free(l->a);
	free(l);
}

static const struct gx_ems_kind kind_logon = {"logon", logon_free, &gx_ems__logon_props};

struct gx_ems_logon *gx_ems__logon(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_logon ? (struct gx_ems_logon *)o : NULL;
}

/* In an arena of its own; a logon lives long. */
static struct gx_ems_logon *logon_new(struct gx_rop_call *c, const char *mailbox, const char *maildir, bool own)
{
	struct gx_ems_logon *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->obj.kind = &kind_logon;
	l->id = c->logon_id;
	l->pool = c->s->e->o.pool;
	l->a = gx_arena_new(LOGON_ARENA_MOST);
	l->mailbox = l->a == NULL ? NULL : gx_arena_strdup(l->a, mailbox);
	l->maildir = l->a == NULL ? NULL : gx_arena_strdup(l->a, maildir);
	l->actor = (struct gx_actor){.user = c->s->who.username, .owner = own};
	if (l->maildir == NULL || l->mailbox == NULL || gx_dir_groups_of(c->s->e->o.dir, l->actor.user, l->a, &l->actor.groups) != 0) {
		gx_arena_free(l->a);
		free(l);
		return NULL;
	}
	return l;
}

gx_ec gx_ems__give_logon(struct gx_rop_call *c, const char *mailbox, const char *maildir, bool own)
{
	const char *why = NULL;
	struct gx_ems_logon *old = c->s->logons[c->logon_id], *l = logon_new(c, mailbox, maildir, own);
	if (l == NULL)
		return GX_EC(ecMAPIOOM);
	int err = gx_store_pool_get(l->pool, maildir, &l->store, c->a, &why);
	if (err != 0) {
		gx_arena_free(l->a);
		free(l);
		return gx_rop__fail(c, gx_ec_from_err(err).v, "%s: %s", maildir, why == NULL ? gx_strerror(err) : why);
	}
	l->is_public = gx_store_is_public(l->store);
	if (old != NULL) /* the number is used anew */
		gx_ems__drop(c->s, &old->obj);
	gx_ec ec = gx_rop__give(c, &l->obj, l);
	if (!gx_ec_failed(ec))
		c->s->logons[c->logon_id] = c->logon = l;
	return ec;
}

/* ---- Folders ---- */

static void plain_free(struct gx_ems_obj *o)
{
	free(o);
}

static const struct gx_ems_kind kind_folder = {"folder", plain_free, &gx_ems__folder_props};

struct gx_ems_folder *gx_ems__folder(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_folder ? (struct gx_ems_folder *)o : NULL;
}

gx_ec gx_ems__give_folder(struct gx_rop_call *c, uint64_t fid, bool deleted)
{
	struct gx_ems_folder *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return GX_EC(ecMAPIOOM);
	f->obj.kind = &kind_folder;
	f->fid = fid;
	f->deleted = deleted;
	return gx_rop__give(c, &f->obj, c->logon);
}

/* ---- Messages ---- */

static void message_free(struct gx_ems_obj *o)
{
	struct gx_ems_message *m = (struct gx_ems_message *)o;
	gx_inst_free(m->inst);
	free(m->import);
	free(m->rcpt_cols);
	free(m);
}

static const struct gx_ems_kind kind_message = {"message", message_free, &gx_ems__message_props};

struct gx_ems_message *gx_ems__message(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_message ? (struct gx_ems_message *)o : NULL;
}

gx_ec gx_ems__give_message(struct gx_rop_call *c, uint64_t fid, uint64_t mid, struct gx_inst *inst)
{
	struct gx_ems_message *m = calloc(1, sizeof(*m));
	if (m == NULL) {
		gx_inst_free(inst);
		return GX_EC(ecMAPIOOM);
	}
	*m = (struct gx_ems_message){.obj.kind = &kind_message, .inst = inst, .fid = fid, .mid = mid};
	return gx_rop__give(c, &m->obj, c->logon);
}

/* ---- Tables ---- */

static void table_free(struct gx_ems_obj *o)
{
	struct gx_ems_table *tb = (struct gx_ems_table *)o;
	gx_table_close(tb->tb);
	gx_watch__end(&tb->watch);
	gx_inst_free(tb->inst);
	gx_arena_free(tb->restr_a);
	gx_arena_free(tb->sort_a);
	free(tb->cols);
	free(tb);
}

static const struct gx_ems_kind kind_table = {"table", table_free, NULL};

struct gx_ems_table *gx_ems__table(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_table ? (struct gx_ems_table *)o : NULL;
}

struct gx_ems_table *gx_ems__table_new(int what, uint64_t fid, uint32_t flags)
{
	struct gx_ems_table *tb = calloc(1, sizeof(*tb));
	if (tb != NULL)
		*tb = (struct gx_ems_table){.obj.kind = &kind_table, .what = what, .fid = fid, .flags = flags};
	return tb;
}
