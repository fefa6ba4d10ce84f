/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/pr-names.h>
#include <gx/restr.h>
#include <gx/storeset.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/*
 * Properties of the store itself: one packed row in meta for small values, a row of its own for each
 * large one (settings of web clients, the photo), and what the counters say.
 */

#define LARGE 1024U
#define VALUE_MAX (16U << 20)
#define LARGE_PREFIX "prop."

static const char *large_key(char buf[16], gx_proptag_t tag)
{
	snprintf(buf, 16, LARGE_PREFIX "%04x", GX_PROP_ID(tag));
	return buf;
}

static int small_list(struct gx_txn *t, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_bin row;
	*ret_l = (struct gx_proplist){0};
	int err = gx_meta__get_blob(t->q, "props", a, &row);
	if (err == GX_E_NOTFOUND)
		return 0;
	return err != 0 ? err : gx_prow_unpack(a, row.data, row.len, ret_l);
}

static int add_row(struct gx_arena *a, struct gx_proplist *l, struct gx_bin b)
{
	struct gx_proplist one = {0};
	uint8_t *row = gx_arena_memdup(a, b.data, b.len);
	int err = row == NULL ? GX_E_NOMEM : gx_prow_unpack(a, row, b.len, &one);
	for (size_t i = 0; err == 0 && i < one.count; i++)
		err = gx_proplist_set(l, a, one.v[i].tag, one.v[i].v);
	return err;
}

static int add_all_large(struct gx_txn *t, struct gx_arena *a, struct gx_proplist *l)
{
	GX_STMT(st, t->q, "SELECT value FROM meta WHERE key>='" LARGE_PREFIX "' AND key<'prop/'");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = add_row(a, l, gx_sql__blob(st, 0));
		if (err != 0)
			return err;
	}
	return r;
}

static int add_asked_large(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *l)
{
	for (size_t i = 0; i < n; i++) {
		char key[16];
		if (gx_proplist_get(l, GX_PROP_RETYPE(tags[i], PtypUnspecified)) != NULL)
			continue;
		GX_STMT(st, t->q, "SELECT value FROM meta WHERE key=?1");
		gx_sql__bind_text(st, 1, large_key(key, tags[i]));
		int r = gx_sql__step(st);
		if (r > 0)
			r = add_row(a, l, gx_sql__blob(st, 0));
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- What the counters say, [MS-OXCSTOR] 2.2.2.1 ---- */

static int32_t clamp(uint64_t v)
{
	return v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

static int add_sizes(struct gx_arena *a, struct gx_proplist *l, const struct gx_fstate *s)
{
	const struct {
		gx_proptag_t tag; /* the 32-bit ones follow from these, see gx_prop__select() */
		uint64_t v;
	} v[] = {
		{PidTagMessageSizeExtended, s->size + s->fai_size},
		{GX_PROP_RETYPE(PidTagNormalMessageSize, PtypInteger64), s->size},
		{PR_ASSOC_MESSAGE_SIZE_EXTENDED, s->fai_size},
		{PR_DELETED_MESSAGE_SIZE_EXTENDED, s->softdel_size},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		int err = gx_proplist_set_i64(l, a, v[i].tag, (int64_t)v[i].v);
		if (err != 0)
			return err;
	}
	int err = gx_proplist_set_i32(l, a, PidTagContentCount, clamp(s->total));
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagContentUnreadCount, clamp(s->unread));
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagAssociatedContentCount, clamp(s->fai));
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PR_DELETED_MSG_COUNT, clamp(s->softdel));
	return err != 0 ? err : gx_proplist_set_i32(l, a, PidTagDeletedCountTotal, clamp(s->removed));
}

static int add_computed(struct gx_txn *t, struct gx_arena *a, struct gx_proplist *l)
{
	struct gx_fstate *s;
	int64_t created = 0;
	uint8_t *guid = gx_arena_alloc(a, 32); /* the list borrows them */
	int err = guid == NULL ? GX_E_NOMEM : gx_fstate__get(t, 0, &s);
	if (err == 0)
		err = gx_meta__get_int(t->q, "created", &created);
	if (err != 0)
		return err;
	gx_guid_put(&t->s->mailbox, guid);
	gx_guid_put(&t->s->replica, guid + 16);
	err = add_sizes(a, l, s);
	err = err != 0 ? err : gx_proplist_set_time(l, a, PidTagCreationTime, (gx_nttime_t)created);
	err = err != 0 ? err : gx_proplist_set_bin(l, a, PidTagMappingSignature, guid + 16, 16);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, PidTagOutOfOfficeState, gx_proplist_i32(l, GX_OOF_STATE_TAG, 0) != 0);
	return err != 0 ? err : gx_proplist_set_bin(l, a, PidTagStoreRecordKey, guid, 16);
}

static bool computed(gx_proptag_t tag)
{
	static const uint16_t v[] = {
		GX_PROP_ID(PidTagMessageSizeExtended), GX_PROP_ID(PidTagNormalMessageSize),
		GX_PROP_ID(PR_ASSOC_MESSAGE_SIZE_EXTENDED), GX_PROP_ID(PR_DELETED_MESSAGE_SIZE_EXTENDED), GX_PROP_ID(PidTagContentCount),
		GX_PROP_ID(PidTagContentUnreadCount), GX_PROP_ID(PidTagAssociatedContentCount), GX_PROP_ID(PidTagDeletedCountTotal),
		GX_PROP_ID(PidTagCreationTime), GX_PROP_ID(PidTagMappingSignature), GX_PROP_ID(PidTagStoreRecordKey),
		GX_PROP_ID(PidTagOutOfOfficeState), GX_PROP_ID(PR_DELETED_MSG_COUNT),
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i] == GX_PROP_ID(tag))
			return true;
	return false;
}

gx_ec gx_store_get_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->store_get_props(t, tags, n, a, ret_l);
	struct gx_proplist l;
	int err = small_list(t, a, &l);
	if (err == 0)
		err = n == 0 ? add_all_large(t, a, &l) : add_asked_large(t, tags, n, a, &l);
	if (err == 0)
		err = add_computed(t, a, &l);
	if (err == 0)
		err = gx_prop__select(&l, tags, n, a, ret_l);
	return gx_txn__ec(t, err);
}

/* ---- Writing ---- */

static int delete_large(struct gx_txn *t, gx_proptag_t tag)
{
	char key[16];
	GX_STMT(st, t->q, "DELETE FROM meta WHERE key=?1");
	gx_sql__bind_text(st, 1, large_key(key, tag));
	return gx_sql__run(st);
}

static int put_large(struct gx_txn *t, const struct gx_propval *pv)
{
	char key[16];
	struct gx_proplist one = {.v = (struct gx_propval *)pv, .count = 1, .cap = 1};
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_prow_pack(&out, &one);
	if (err == 0)
		err = gx_meta__set_blob(t->q, large_key(key, pv->tag), out.data, out.len);
	gx_push_release(&out);
	return err;
}

static int put_small(struct gx_txn *t, const struct gx_proplist *all)
{
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_prow_pack(&out, all);
	if (err == 0)
		err = gx_meta__set_blob(t->q, "props", out.data, out.len);
	gx_push_release(&out);
	return err;
}

static int put_one(struct gx_txn *t, struct gx_proplist *all, const struct gx_propval *pv)
{
	gx_proptag_t any = GX_PROP_RETYPE(pv->tag, PtypUnspecified);
	if (pv->tag == PidTagProhibitReceiveQuota) {
		int err = gx_meta__set_int(t->q, "quota", pv->v.i32);
		if (err != 0)
			return err;
	}
	gx_proplist_remove(all, any);
	if (gx_value_size(GX_PROP_TYPE(pv->tag), &pv->v) > LARGE)
		return put_large(t, pv);
	int err = delete_large(t, pv->tag);
	return err != 0 ? err : gx_proplist_set(all, t->a, pv->tag, pv->v);
}

static int write_props(struct gx_txn *t, const struct gx_proplist *l)
{
	struct gx_proplist all;
	int err = small_list(t, t->a, &all);
	for (size_t i = 0; err == 0 && i < l->count; i++)
		if (!computed(l->v[i].tag))
			err = put_one(t, &all, &l->v[i]);
	return err != 0 ? err : put_small(t, &all);
}

static gx_ec may_write(struct gx_txn *t)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && !gx_txn__all_rights(t))
		ec = gx_txn__fail(t, ecAccessDenied, "only the owner changes the store itself");
	return ec;
}

bool gx_store_is_computed(gx_proptag_t tag)
{
	return computed(tag);
}

gx_ec gx_store_set_props(struct gx_txn *t, const struct gx_proplist *l)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->store_set_props(t, l);
	gx_ec ec = may_write(t);
	for (size_t i = 0; !gx_ec_failed(ec) && i < l->count; i++)
		if (gx_value_size(GX_PROP_TYPE(l->v[i].tag), &l->v[i].v) > VALUE_MAX)
			ec = gx_txn__fail(t, ecTooBig, "property %08x: a value of the store has at most %u bytes", l->v[i].tag, VALUE_MAX);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, write_props(t, l));
}

gx_ec gx_store_remove_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n)
{
	struct gx_proplist all;
	gx_ec ec = may_write(t);
	if (gx_ec_failed(ec))
		return ec;
	int err = small_list(t, t->a, &all);
	for (size_t i = 0; err == 0 && i < n; i++) {
		gx_proplist_remove(&all, GX_PROP_RETYPE(tags[i], PtypUnspecified));
		err = delete_large(t, tags[i]);
		if (err == 0 && GX_PROP_ID(tags[i]) == GX_PROP_ID(PidTagProhibitReceiveQuota))
			err = gx_meta__set_int(t->q, "quota", 0);
	}
	return gx_txn__ec(t, err != 0 ? err : put_small(t, &all));
}
