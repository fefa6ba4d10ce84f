/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/pr-names.h>
#include <gx/storeset.h>
#include "libgxstore/store-int.h"

/* Out of office, delegates, quotas: what a mailbox is set to. */

/* ---- Out of office: properties of the store, so that every program sees the same ---- */

static const gx_proptag_t oof_tags[] = {
	GX_OOF_STATE_TAG, GX_OOF_MESSAGE_TAG, GX_OOF_SUBJECT_TAG, GX_OOF_FROM_TAG, GX_OOF_UNTIL_TAG, GX_OOF_ALLOW_EXTERNAL_TAG,
	GX_OOF_EXTERNAL_KNOWN_TAG, GX_OOF_EXTERNAL_MESSAGE_TAG, GX_OOF_EXTERNAL_SUBJECT_TAG,
};
#define OOF_TAGS (sizeof(oof_tags) / sizeof(oof_tags[0]))

static gx_nttime_t time_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	return pv == NULL ? 0 : pv->v.time;
}

static bool bool_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	return pv != NULL && pv->v.b;
}

gx_ec gx_oof_get(struct gx_txn *t, struct gx_arena *a, struct gx_oof *ret_oof)
{
	struct gx_proplist l;
	gx_ec ec = gx_store_get_props(t, oof_tags, OOF_TAGS, a, &l);
	if (gx_ec_failed(ec))
		return ec;
	*ret_oof = (struct gx_oof){
		.state = (uint32_t)gx_proplist_i32(&l, GX_OOF_STATE_TAG, GX_OOF_DISABLED),
		.from = time_of(&l, GX_OOF_FROM_TAG), .until = time_of(&l, GX_OOF_UNTIL_TAG),
		.subject = gx_proplist_str(&l, GX_OOF_SUBJECT_TAG, NULL), .message = gx_proplist_str(&l, GX_OOF_MESSAGE_TAG, NULL),
		.external = bool_of(&l, GX_OOF_ALLOW_EXTERNAL_TAG), .known_only = bool_of(&l, GX_OOF_EXTERNAL_KNOWN_TAG),
		.external_subject = gx_proplist_str(&l, GX_OOF_EXTERNAL_SUBJECT_TAG, NULL),
		.external_message = gx_proplist_str(&l, GX_OOF_EXTERNAL_MESSAGE_TAG, NULL),
	};
	return GX_OK_EC;
}

static int put_text(struct gx_arena *a, struct gx_proplist *l, gx_proptag_t tag, const char *s)
{
	return s == NULL ? 0 : gx_proplist_set_str(l, a, tag, s);
}

static int put_time(struct gx_arena *a, struct gx_proplist *l, gx_proptag_t tag, gx_nttime_t v)
{
	return v == 0 ? 0 : gx_proplist_set_time(l, a, tag, v);
}

static int oof_list(struct gx_arena *a, const struct gx_oof *oof, struct gx_proplist *l)
{
	int err = gx_proplist_set_i32(l, a, GX_OOF_STATE_TAG, (int32_t)oof->state);
	err = err != 0 ? err : put_time(a, l, GX_OOF_FROM_TAG, oof->from);
	err = err != 0 ? err : put_time(a, l, GX_OOF_UNTIL_TAG, oof->until);
	err = err != 0 ? err : put_text(a, l, GX_OOF_SUBJECT_TAG, oof->subject);
	err = err != 0 ? err : put_text(a, l, GX_OOF_MESSAGE_TAG, oof->message);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, GX_OOF_ALLOW_EXTERNAL_TAG, oof->external);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, GX_OOF_EXTERNAL_KNOWN_TAG, oof->known_only);
	err = err != 0 ? err : put_text(a, l, GX_OOF_EXTERNAL_SUBJECT_TAG, oof->external_subject);
	return err != 0 ? err : put_text(a, l, GX_OOF_EXTERNAL_MESSAGE_TAG, oof->external_message);
}

gx_ec gx_oof_set(struct gx_txn *t, const struct gx_oof *oof)
{
	struct gx_proplist l = {0};
	if (oof->state > GX_OOF_SCHEDULED)
		return gx_txn__fail(t, ecInvalidParam, "%u is no state of an out of office notice", oof->state);
	gx_ec ec = gx_store_remove_props(t, oof_tags, OOF_TAGS);
	if (gx_ec_failed(ec))
		return ec;
	int err = oof_list(t->a, oof, &l);
	return err != 0 ? gx_txn__ec(t, err) : gx_store_set_props(t, &l);
}

bool gx_oof_active(const struct gx_oof *oof, gx_nttime_t now)
{
	if (oof->state != GX_OOF_SCHEDULED)
		return oof->state == GX_OOF_ENABLED;
	return now >= oof->from && (oof->until == 0 || now < oof->until);
}

/* ---- Automatic replies that were sent ---- */

static int peer_key(struct gx_txn *t, const char *peer, char **ret_key)
{
	if (peer == NULL || *peer == '\0' || strlen(peer) > 320)
		return GX_E_INVAL;
	*ret_key = gx_fold__key(t->a, peer);
	return *ret_key == NULL ? GX_E_NOMEM : 0;
}

gx_ec gx_replied_ago(struct gx_txn *t, const char *peer, uint64_t *ret_seconds)
{
	char *key;
	int err = peer_key(t, peer, &key);
	if (err != 0)
		return gx_txn__ec(t, err);
	GX_STMT(st, t->q, "SELECT at FROM replied WHERE peer=?1");
	gx_sql__bind_text(st, 1, key);
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_txn__ec(t, r);
	int64_t ago = r == 0 ? -1 : gx_store__now_unix(t->s) - gx_sql__int(st, 0);
	*ret_seconds = r == 0 ? UINT64_MAX : ago < 0 ? 0 : (uint64_t)ago;
	return GX_OK_EC;
}

gx_ec gx_replied_note(struct gx_txn *t, const char *peer)
{
	char *key;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	int err = peer_key(t, peer, &key);
	if (err != 0)
		return gx_txn__ec(t, err);
	int64_t now = gx_store__now_unix(t->s);
	GX_STMT(st, t->q, "REPLACE INTO replied(peer,at) VALUES(?1,?2)");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_int(st, 2, now);
	err = gx_sql__run(st);
	if (err == 0 && now % 64 == 0) { /* now and then */
		GX_STMT(old, t->q, "DELETE FROM replied WHERE at<?1");
		gx_sql__bind_int(old, 1, now - GX_REPLIED_KEEP);
		err = gx_sql__run(old);
	}
	return gx_txn__ec(t, err);
}

/* ---- Delegates: one address a line ---- */

#define DELEGATES_MAX 10000U

static const char *delegates_key(uint32_t mode)
{
	static const char *const key[] = {"delegates", "sendas"};
	return mode < sizeof(key) / sizeof(key[0]) ? key[mode] : NULL;
}

gx_ec gx_delegates_get(struct gx_txn *t, uint32_t mode, struct gx_arena *a, const char *const **ret_v, size_t *ret_n)
{
	struct gx_bin text = {0};
	const char **v = NULL;
	size_t n = 0, cap = 0;
	if (delegates_key(mode) == NULL)
		return gx_txn__fail(t, ecInvalidParam, "there is no list %u of delegates", mode);
	int err = gx_meta__get_blob(t->q, delegates_key(mode), a, &text);
	if (err != 0 && err != GX_E_NOTFOUND)
		return gx_txn__ec(t, err);
	char *copy = gx_arena_strndup(a, (const char *)text.data, text.len), *save = NULL;
	if (copy == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	for (char *s = strtok_r(copy, "\n", &save); s != NULL; s = strtok_r(NULL, "\n", &save)) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		v[n++] = s;
	}
	*ret_v = v;
	*ret_n = n;
	return GX_OK_EC;
}

static bool seen(char *const *folds, size_t n, const char *fold)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(folds[i], fold) == 0)
			return true;
	return false;
}

static gx_ec delegates_text(struct gx_txn *t, const char *const *v, size_t n, struct gx_push *out)
{
	char **folds = gx_arena_new_array(t->a, char *, n);
	size_t kept = 0;
	for (size_t i = 0; folds != NULL && i < n; i++) {
		if (v[i] == NULL || *v[i] == '\0')
			continue;
		if (strlen(v[i]) > 320 || strpbrk(v[i], "\r\n") != NULL)
			return gx_txn__fail(t, ecInvalidParam, "\"%.100s\" is no address", v[i]);
		folds[kept] = gx_fold__key(t->a, v[i]);
		if (folds[kept] == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		if (seen(folds, kept, folds[kept]))
			continue;
		kept++;
		gx_push_printf(out, "%s\n", v[i]);
	}
	return gx_txn__ec(t, folds == NULL ? GX_E_NOMEM : out->err);
}

gx_ec gx_delegates_set(struct gx_txn *t, uint32_t mode, const char *const *v, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && !gx_txn__all_rights(t))
		ec = gx_txn__fail(t, ecAccessDenied, "only the owner names delegates");
	if (!gx_ec_failed(ec) && (delegates_key(mode) == NULL || n > DELEGATES_MAX))
		ec = gx_txn__fail(t, ecInvalidParam, "no such list, or more than %u delegates", DELEGATES_MAX);
	if (!gx_ec_failed(ec))
		ec = delegates_text(t, v, n, &out);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, gx_meta__set_blob(t->q, delegates_key(mode), out.data, out.len));
	gx_push_release(&out);
	return ec;
}

/* ---- Quotas and rights ---- */

static uint64_t kib(const struct gx_proplist *l, gx_proptag_t tag)
{
	int32_t v = gx_proplist_i32(l, tag, 0);
	return v <= 0 ? 0 : (uint64_t)v * 1024;
}

gx_ec gx_store_quota(struct gx_txn *t, struct gx_quota *ret_q)
{
	const gx_proptag_t tags[] = {PR_STORAGE_QUOTA_LIMIT, PidTagProhibitSendQuota, PidTagProhibitReceiveQuota};
	struct gx_proplist l;
	struct gx_fstate *s;
	gx_ec ec = gx_store_get_props(t, tags, 3, t->a, &l);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_fstate__get(t, 0, &s);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_q = (struct gx_quota){.warn = kib(&l, PR_STORAGE_QUOTA_LIMIT), .send = kib(&l, PidTagProhibitSendQuota),
		.receive = kib(&l, PidTagProhibitReceiveQuota), .used = s->size};
	return GX_OK_EC;
}

gx_ec gx_store_rights(struct gx_txn *t, uint32_t *ret_rights)
{
	uint32_t sum = 0, one = 0;
	if (gx_txn__all_rights(t))
		return gx_txn__ec(t, gx_perm__rights(t, GX_FID_ROOT, ret_rights));
	GX_STMT(st, t->q, "SELECT DISTINCT fid FROM permissions");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = gx_perm__rights(t, gx_sql__u64(st, 0), &one);
		if (err != 0)
			return gx_txn__ec(t, err);
		sum |= one;
	}
	*ret_rights = sum;
	return gx_txn__ec(t, r);
}

gx_ec gx_store_named_all(struct gx_txn *t, struct gx_arena *a, uint16_t **ret_ids, size_t *ret_n)
{
	uint16_t *v = NULL;
	size_t n = 0, cap = 0;
	GX_STMT(st, t->q, "SELECT id FROM named ORDER BY id");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		v[n++] = (uint16_t)gx_sql__int(st, 0);
	}
	*ret_ids = v;
	*ret_n = n;
	return gx_txn__ec(t, r);
}
