/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"
#include "libgxstore/content/pread-int.h"

/* Handles of instances: opening, and who holds what. */

/* ---- Trees: all that was opened from one message ---- */

static struct gx_itree *tree_new(struct gx_store *s)
{
	struct gx_itree *tr = calloc(1, sizeof(*tr));
	if (tr == NULL)
		return NULL;
	tr->s = s;
	tr->acct = gx_iacct__new(s);
	if (tr->acct == NULL || pthread_mutex_init(&tr->lock, NULL) != 0) {
		gx_iacct__unref(tr->acct);
		free(tr);
		return NULL;
	}
	return tr;
}

static void tree_free(struct gx_itree *tr)
{
	pthread_mutex_destroy(&tr->lock);
	gx_iacct__unref(tr->acct);
	free(tr);
}

void gx_inst__lock(struct gx_inst *i)
{
	pthread_mutex_lock(&i->tree->lock);
}

void gx_inst__unlock(struct gx_inst *i)
{
	pthread_mutex_unlock(&i->tree->lock);
}

void gx_inst__lock2(struct gx_inst *x, struct gx_inst *y)
{
	bool swap = (uintptr_t)x->tree > (uintptr_t)y->tree;
	pthread_mutex_lock(&(swap ? y : x)->tree->lock);
	if (x->tree != y->tree)
		pthread_mutex_lock(&(swap ? x : y)->tree->lock);
}

void gx_inst__unlock2(struct gx_inst *x, struct gx_inst *y)
{
	pthread_mutex_unlock(&x->tree->lock);
	if (x->tree != y->tree)
		pthread_mutex_unlock(&y->tree->lock);
}

struct gx_inst *gx_inst__make(struct gx_store *s, struct gx_inst *parent, int kind)
{
	struct gx_inst *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return NULL;
	i->refs = 1;
	i->kind = kind;
	i->parent = parent;
	i->tree = parent == NULL ? tree_new(s) : parent->tree;
	if (i->tree == NULL) {
		free(i);
		return NULL;
	}
	i->tree->refs++;
	if (parent != NULL)
		parent->refs++;
	return i;
}

/* @return the tree when its last instance went; the lock is held then, too. */
static struct gx_itree *drop(struct gx_inst *i)
{
	struct gx_itree *tr = i->tree;
	while (i != NULL && --i->refs == 0) {
		struct gx_inst *parent = i->parent;
		gx_imsg__unref(i->msg);
		gx_iatt__unref(i->att);
		free(i);
		tr->refs--;
		i = parent;
	}
	return tr->refs == 0 ? tr : NULL;
}

void gx_inst__drop(struct gx_inst *i)
{
	(void)drop(i);
}

void gx_inst__unref(struct gx_inst *i)
{
	struct gx_itree *tr = i->tree, *last = drop(i);
	pthread_mutex_unlock(&tr->lock);
	if (last != NULL)
		tree_free(last);
}

struct gx_inst *gx_inst_hold(struct gx_inst *i)
{
	gx_inst__lock(i);
	i->refs++;
	gx_inst__unlock(i);
	return i;
}

void gx_inst_free(struct gx_inst *i)
{
	if (i == NULL)
		return;
	gx_inst__lock(i);
	gx_inst__unref(i);
}

unsigned gx_inst__level(const struct gx_inst *i)
{
	unsigned n = 0;
	for (; i != NULL; i = i->parent)
		n += i->kind == GX_INST_EMBEDDED;
	return n;
}

static const struct gx_inst *outermost(const struct gx_inst *i)
{
	while (i->parent != NULL)
		i = i->parent;
	return i;
}

/* Attachments keep their numbers, and no number is used twice in a message. */
static uint64_t place_of(const struct gx_inst *i)
{
	if (i->parent == NULL)
		return i->row.mid;
	uint64_t above = place_of(i->parent);
	if (i->kind != GX_INST_ATTACHMENT)
		return above;
	above = (above ^ (i->att->num + UINT64_C(1))) * UINT64_C(0x9e3779b97f4a7c15);
	return above ^ above >> 29;
}

void gx_inst_info(struct gx_inst *i, struct gx_inst_info *ret_info)
{
	gx_inst__lock(i);
	const struct gx_inst *top = outermost(i);
	struct gx_propval pv;
	if (i->kind != GX_INST_EMBEDDED || !gx_iprops__get(&i->msg->props, PidTagChangeNumber, &pv))
		pv.v.i64 = 0;
	*ret_info = (struct gx_inst_info){
		.kind = i->kind, .fid = top->row.fid, .mid = top->row.mid, .cn = i->parent == NULL ? i->row.cn : (uint64_t)pv.v.i64,
		.att_num = i->att == NULL ? 0 : i->att->num, .is_new = i->is_new, .changed = i->changed, .writable = i->writable,
		.associated = (top->row.flags & GX_MSGF_FAI) != 0, .att_version = i->att_version,
		.level = gx_inst__level(i), .place = i->kind == GX_INST_EMBEDDED ? place_of(i) : 0,
	};
	gx_inst__unlock(i);
}

uint64_t gx_inst_size(struct gx_inst *i)
{
	gx_inst__lock(i);
	uint64_t n = gx_imsg__size(i->msg != NULL ? i->msg : i->parent->msg);
	gx_inst__unlock(i);
	return n;
}

bool gx_inst_contains(struct gx_inst *parent, struct gx_inst *child)
{
	for (const struct gx_inst *i = child->parent; i != NULL; i = i->parent)
		if (i == parent)
			return true;
	return false;
}

gx_ec gx_inst__ec(struct gx_txn *t, int err)
{
	if (err == GX_E_LIMIT && t == NULL)
		return GX_EC(ecMAPIOOM);
	if (t == NULL || err == 0)
		return gx_ec_from_err(err);
	if (err == GX_E_NOTFOUND)
		return gx_txn__fail(t, ecObjectDeleted, "what was opened is no longer stored");
	if (err == GX_E_LIMIT)
		return gx_txn__fail(t, ecMAPIOOM, "the instance would hold more than %zu bytes in memory", GX_INST_MEMORY_MAX);
	if (err == GX_E_DEPTH)
		return gx_txn__fail(t, ecTooComplex, "messages are nested more than %u deep", GX_INST_DEPTH_MAX);
	return gx_txn__ec(t, err);
}

gx_ec gx_inst__writable(const struct gx_inst *i)
{
	return i->writable ? GX_OK_EC : GX_EC(ecAccessDenied);
}

gx_ec gx_inst__writable_msg(const struct gx_inst *i)
{
	return gx_inst__is_msg(i) ? gx_inst__writable(i) : GX_EC(ecInvalidObject);
}

void gx_inst__touch(struct gx_inst *i, unsigned dirty)
{
	i->changed = true;
	if (i->msg != NULL)
		i->msg->dirty |= dirty;
	i->att_version += (dirty & GX_IDIRTY_ATTS) != 0;
}

/* ---- Opening what is stored ---- */

int gx_inst__load(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_isrc *src;
	struct gx_imsg *m;
	int err = gx_isrc__new(t, i->row.body, &src);
	if (err != 0)
		return err;
	err = gx_imsg__load(t, i->tree->acct, src, i->row.body, &m);
	gx_isrc__unref(src);
	if (err != 0)
		return err;
	m->next_num = i->msg == NULL ? 0 : i->msg->next_num;
	gx_imsg__unref(i->msg);
	i->msg = m;
	i->att_version++;
	return 0;
}

/* GX_RIGHT_EDIT_OWN is enough for one's own. */
static int may_edit(struct gx_txn *t, const struct gx_msg_row *r, bool *ret_may)
{
	uint32_t rights;
	int err = gx_perm__rights(t, r->fid, &rights);
	if (err == 0)
		*ret_may = (rights & (GX_RIGHT_EDIT_ANY | GX_RIGHT_OWNER)) || (r->mine && (rights & GX_RIGHT_EDIT_OWN));
	return err;
}

static gx_ec check_open(struct gx_txn *t, uint64_t fid, uint64_t mid, uint32_t flags, struct gx_msg_row *r, bool *ret_may)
{
	gx_ec ec = gx_msg__readable(t, mid, r);
	if (gx_ec_failed(ec))
		return ec;
	if ((fid != 0 && fid != r->fid) || ((r->flags & GX_MSGF_SOFTDEL) && !(flags & GX_INST_SOFTDELETED)))
		return gx_txn__fail(t, ecNotFound, "no message %llx in folder %llx", (unsigned long long)mid, (unsigned long long)fid);
	int err = may_edit(t, r, ret_may);
	if (err != 0)
		return gx_txn__ec(t, err);
	if ((flags & GX_INST_WRITE) && !*ret_may)
		return gx_txn__fail(t, ecAccessDenied, "message %llx may only be read", (unsigned long long)mid);
	return GX_OK_EC;
}

gx_ec gx_inst_open(struct gx_txn *t, uint64_t fid, uint64_t mid, uint32_t flags, struct gx_inst **ret_inst)
{
	struct gx_msg_row r;
	bool may = false;
	if ((flags & ~(uint32_t)(GX_INST_WRITE | GX_INST_BEST | GX_INST_SOFTDELETED)) != 0)
		return gx_txn__fail(t, ecInvalidParam, "unknown flags %x", flags);
	gx_ec ec = check_open(t, fid, mid, flags, &r, &may);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_inst *i = gx_inst__make(t->s, NULL, GX_INST_MESSAGE);
	if (i == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	i->row = r;
	i->flags_before = r.flags;
	i->writable = may && (flags & (GX_INST_WRITE | GX_INST_BEST));
	int err = gx_inst__load(t, i);
	if (err != 0) {
		gx_inst_free(i);
		return gx_inst__ec(t, err);
	}
	*ret_inst = i;
	return GX_OK_EC;
}

/* What the instance's message is now; deleted softly counts as deleted unless it was opened so. */
gx_ec gx_inst__present(struct gx_txn *t, const struct gx_inst *i, struct gx_msg_row *ret_r)
{
	int err = gx_msg__row(t, i->row.mid, ret_r);
	if (err == GX_E_NOTFOUND || (err == 0 && (ret_r->flags & ~i->row.flags & GX_MSGF_SOFTDEL)))
		return gx_txn__fail(t, ecObjectDeleted, "message %llx was deleted", (unsigned long long)i->row.mid);
	return gx_txn__ec(t, err);
}

void gx_inst__settle(struct gx_inst *i)
{
	i->flags_before = i->row.flags;
	i->changed = i->is_new = false;
	i->given_cn = 0;
	i->given_key = i->given_modified = i->given_flags = false;
}

static gx_ec reload(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_msg_row r;
	if (i->parent != NULL)
		return gx_txn__fail(t, ecNotSupported, "only whole messages are read again");
	if (i->is_new) {
		gx_imsg__clear(i->msg);
		i->att_version++;
		return GX_OK_EC;
	}
	gx_ec ec = gx_inst__present(t, i, &r);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_msg_row old = i->row;
	i->row = r;
	int err = gx_inst__load(t, i);
	if (err != 0)
		i->row = old;
	else
		gx_inst__settle(i);
	return gx_inst__ec(t, err);
}

gx_ec gx_inst_reload(struct gx_txn *t, struct gx_inst *i)
{
	gx_inst__lock(i);
	gx_ec ec = i->tree->s != t->s ? GX_EC(ecInvalidParam) : reload(t, i);
	gx_inst__unlock(i);
	return ec;
}

gx_ec gx_inst_see_flags(struct gx_txn *t, struct gx_inst *i)
{
	const uint32_t ours = GX_MSGF_HASATTACH | GX_MSGF_HASORIG;
	struct gx_msg_row now;
	gx_inst__lock(i);
	gx_ec ec = i->tree->s != t->s || i->parent != NULL || i->is_new ? GX_EC(ecInvalidParam) : gx_inst__present(t, i, &now);
	if (!gx_ec_failed(ec)) {
		uint32_t others = (now.flags ^ i->flags_before) & ~ours, mine = i->row.flags ^ i->flags_before;
		i->row.flags ^= others & ~mine;
		i->flags_before ^= others;
	}
	gx_inst__unlock(i);
	return ec;
}

/* ---- New messages ---- */

static int set_random_key(struct gx_proplist *l, struct gx_arena *a)
{
	uint8_t *key = gx_arena_alloc(a, 16);
	struct gx_guid g;
	if (key == NULL)
		return GX_E_NOMEM;
	int err = gx_guid_random(&g);
	gx_guid_put(&g, key);
	return err != 0 ? err : gx_proplist_set_bin(l, a, PidTagSearchKey, key, 16);
}

/* [MS-OXCMSG] 3.2.5.2 */
static int defaults(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_proplist l = {0};
	gx_nttime_t now = gx_store__now(t->s);
	int err = gx_proplist_set_i32(&l, t->a, PidTagImportance, 1);
	err = err != 0 ? err : gx_proplist_set_i32(&l, t->a, PidTagSensitivity, 0);
	err = err != 0 ? err : gx_proplist_set_str(&l, t->a, PidTagMessageClass, "IPM.Note");
	err = err != 0 ? err : gx_proplist_set_i32(&l, t->a, PidTagMessageStatus, 0);
	err = err != 0 ? err : gx_proplist_set_i32(&l, t->a, PidTagTrustSender, 1);
	err = err != 0 ? err : gx_proplist_set_time(&l, t->a, PidTagCreationTime, now);
	err = err != 0 ? err : gx_proplist_set_time(&l, t->a, PidTagLastModificationTime, now);
	if (err == 0 && t->actor->user != NULL)
		err = gx_proplist_set_str(&l, t->a, PidTagCreatorName, t->actor->user);
	if (err == 0)
		err = set_random_key(&l, t->a);
	for (size_t k = 0; err == 0 && k < l.count; k++)
		err = gx_iprops__set(&i->msg->props, i->tree->acct, l.v[k].tag, &l.v[k].v);
	return err;
}

static gx_ec check_new(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_CREATE, &row);
	if (!gx_ec_failed(ec) && row.type == GX_FOLDER_SEARCH)
		return gx_txn__fail(t, ecNotSupported, "folder %llx is a search folder", (unsigned long long)fid);
	return ec;
}

gx_ec gx_inst_new(struct gx_txn *t, uint64_t fid, const struct gx_inst_new_opts *o, struct gx_inst **ret_inst)
{
	static const struct gx_inst_new_opts none = GX_INST_NEW_OPTS_INIT;
	gx_ec ec = check_new(t, fid);
	if (gx_ec_failed(ec))
		return ec;
	if (o == NULL)
		o = &none;
	struct gx_inst *i = gx_inst__make(t->s, NULL, GX_INST_MESSAGE);
	if (i == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	i->is_new = i->writable = true;
	i->new_mid = o->mid;
	i->row.fid = fid;
	i->row.mine = true;
	i->row.flags = o->associated ? GX_MSGF_FAI : 0;
	if (!o->bare)
		i->row.flags |= GX_MSGF_READ | (o->associated ? 0 : GX_MSGF_UNSENT | GX_MSGF_DRAFT);
	i->msg = gx_imsg__new(i->tree->acct);
	int err = i->msg == NULL ? GX_E_NOMEM : o->bare ? 0 : defaults(t, i);
	if (err != 0) {
		gx_inst_free(i);
		return gx_inst__ec(t, err);
	}
	*ret_inst = i;
	return GX_OK_EC;
}
