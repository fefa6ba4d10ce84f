/* SPDX-License-Identifier: Apache-2.0 */
/* From an address to mailboxes. */
#include <config.h>
#include <string.h>
#include <gx/delivery.h>
#include <gx/pr-names.h>
#include "crc32c.h"
#include "journal-int.h"
#include "rcpt-int.h"

enum { ROOM_WAIT_MS = 1000, DISPLAY_TYPE_LIST = 1, MAX_TARGETS = 200000 };

/** "user+ext@dom" without "+ext". @return NULL when there is no extension. */
static const char *without_extension(const char *address, const char *delimiter, struct gx_arena *a)
{
	const char *at = strrchr(address, '@');
	size_t local = at != NULL ? (size_t)(at - address) : strlen(address);
	size_t n = strcspn(address, delimiter);
	if (n == 0 || n >= local)
		return NULL;
	return gx_arena_printf(a, "%.*s%s", (int)n, address, at != NULL ? at : "");
}

int gx_rcpt__user(struct gx_dir *d, const char *address, const char *delimiter, struct gx_arena *a, struct gx_user *ret_u)
{
	int ret = gx_dir_user(d, address, a, ret_u);
	if (ret != GX_E_NOTFOUND || delimiter == NULL || *delimiter == '\0')
		return ret;
	const char *plain = without_extension(address, delimiter, a);
	return plain == NULL ? ret : gx_dir_user(d, plain, a, ret_u);
}

/** May mail be put there? */
static int receives(const struct gx_user *u)
{
	uint32_t own = u->status & 0xf;
	if ((u->status >> 4) != 0 || (own != GX_USER_NORMAL && own != GX_USER_SHARED))
		return GX_E_STATE;
	if (u->display_type != DISPLAY_TYPE_LIST && u->maildir[0] == '\0')
		return GX_E_STATE;
	return 0;
}

int gx_delivery_check_rcpt(struct gx_dir *dir, const char *address, const char *delimiter, struct gx_arena *a)
{
	struct gx_user u;
	if (dir == NULL || address == NULL || a == NULL)
		return GX_E_INVAL;
	int ret = gx_rcpt__user(dir, address, delimiter, a, &u);
	return ret != 0 ? ret : receives(&u);
}

/** Where a mailbox stands in the table, or would. */
static uint32_t *find(const struct gx_resolved *r, const char *maildir)
{
	size_t k = gx_crc32c__update(0, maildir, strlen(maildir));
	for (;; ++k) {
		uint32_t *at = &r->table[k & (r->table_size - 1)];
		if (*at == 0 || strcmp(r->v[*at - 1].maildir, maildir) == 0)
			return at;
	}
}

static int rehash(struct gx_resolved *r, struct gx_arena *a)
{
	r->table_size = r->table_size == 0 ? 8 : 2 * r->table_size;
	r->table = gx_arena_calloc(a, r->table_size, sizeof(*r->table));
	if (r->table == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < r->n; ++i)
		*find(r, r->v[i].maildir) = (uint32_t)i + 1;
	return 0;
}

static int add_target(struct gx_resolved *r, struct gx_arena *a, const struct gx_user *u)
{
	if (r->n >= MAX_TARGETS)
		return GX_E_LIMIT;
	if (2 * r->n >= r->table_size && rehash(r, a) != 0)
		return GX_E_NOMEM;
	uint32_t *at = find(r, u->maildir);
	if (*at != 0)
		return 0;
	struct gx_target *v = gx_arena_grow(a, r->v, &r->cap, r->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	r->v = v;
	v[r->n++] = (struct gx_target){.user = u->username, .maildir = u->maildir, .server = u->homeserver};
	*at = (uint32_t)r->n;
	return 0;
}

static int add_bad(struct gx_resolved *r, struct gx_arena *a, const char *address, int err)
{
	struct gx_unresolved *v = gx_arena_grow(a, r->bad, &r->bad_cap, r->bad_n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	r->bad = v;
	v[r->bad_n++] = (struct gx_unresolved){address, err};
	return 0;
}

static bool is_final(int err)
{
	return err == GX_E_NOTFOUND || err == GX_E_STATE || err == GX_E_LIMIT || err == GX_E_FORMAT || err == GX_E_INVAL;
}

static int expand(struct gx_dir *d, const char *list, const char *address, const char *sender, struct gx_arena *a,
	struct gx_resolved *r)
{
	const char *const *v;
	size_t n;
	int ret = gx_dir_expand_list(d, list, sender, a, &v, &n);
	if (ret != 0)
		return is_final(ret) ? add_bad(r, a, address, ret) : ret;
	for (size_t i = 0; i < n && ret == 0; ++i) {
		struct gx_user u;
		ret = gx_dir_user(d, v[i], a, &u);
		if (ret == 0 && u.display_type != DISPLAY_TYPE_LIST && receives(&u) == 0)
			ret = add_target(r, a, &u);
		else if (ret == GX_E_NOTFOUND)
			ret = 0; /* a member that is gone does not spoil the list */
	}
	return ret;
}

int gx_rcpt__resolve(struct gx_dir *d, const char *address, const char *delimiter, const char *sender, struct gx_arena *a,
	struct gx_resolved *io_r)
{
	struct gx_user u;
	int ret = gx_rcpt__user(d, address, delimiter, a, &u);
	if (ret == 0)
		ret = receives(&u);
	if (ret != 0)
		return is_final(ret) ? add_bad(io_r, a, address, ret) : ret;
	if (u.display_type == DISPLAY_TYPE_LIST)
		return expand(d, u.username, address, sender, a, io_r);
	return add_target(io_r, a, &u);
}

/** A list is as good as the worst of its members: who can not be refused later must be refused now. */
static int members_held(struct gx_dir *d, struct gx_journal *j, const char *list, struct gx_arena *a)
{
	const char *const *v;
	size_t n = 0;
	int ret = gx_dir_list_members(d, list, a, &v, &n);
	for (size_t i = 0; ret == 0 && i < n; ++i) {
		struct gx_user u;
		ret = gx_dir_user(d, v[i], a, &u);
		if (ret == 0 && gx_journal__holds(j, u.homeserver, u.maildir))
			return GX_E_LIMIT;
		ret = ret == GX_E_NOTFOUND ? 0 : ret;
	}
	return ret == GX_E_NOTFOUND ? 0 : ret;
}

int gx_rcpt__held(struct gx_dir *d, struct gx_journal *j, const char *address, const char *delimiter, struct gx_arena *a)
{
	struct gx_user u;
	if (!gx_journal__any_held(j))
		return 0;
	int ret = gx_rcpt__user(d, address, delimiter, a, &u);
	if (ret != 0)
		return ret;
	if (u.display_type == DISPLAY_TYPE_LIST)
		return members_held(d, j, u.username, a);
	return gx_journal__holds(j, u.homeserver, u.maildir) ? GX_E_LIMIT : 0;
}

/* max_store_message_count */
static bool has_all_messages(const struct gx_store *s, const struct gx_proplist *l)
{
	static const gx_proptag_t counts[] = {PidTagContentCount, PidTagAssociatedContentCount, PR_DELETED_MSG_COUNT};
	uint64_t most = gx_store_most_messages(s), n = 0;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); ++i)
		n += (uint32_t)gx_proplist_i32(l, counts[i], 0);
	return most != 0 && n >= most;
}

static bool is_full(struct gx_store *s, uint64_t size, struct gx_arena *a)
{
	static const struct gx_actor system_actor = GX_ACTOR_SYSTEM;
	static const gx_proptag_t tags[] = {GX_PROP_TAG(0x666a, PtypInteger32), /* PidTagProhibitReceiveQuota */
		PidTagMessageSizeExtended, PidTagContentCount, PidTagAssociatedContentCount, PR_DELETED_MSG_COUNT};
	struct gx_proplist l = {0};
	struct gx_txn *t;
	if (gx_txn_begin(s, &system_actor, GX_TXN_READ, ROOM_WAIT_MS, &t) != 0)
		return false;
	gx_ec ec = gx_store_get_props(t, tags, sizeof(tags) / sizeof(*tags), a, &l);
	gx_txn_abort(t);
	int32_t kib = gx_ec_failed(ec) ? 0 : gx_proplist_i32(&l, tags[0], 0);
	const struct gx_propval *used = gx_proplist_get(&l, tags[1]);
	if (has_all_messages(s, &l))
		return true;
	return kib > 0 && used != NULL && ((uint64_t)used->v.i64 + size) / 1024 >= (uint64_t)kib;
}

int gx_rcpt__room(struct gx_dir *d, struct gx_store_pool *pool, const char *address, const char *delimiter, uint64_t size,
	struct gx_arena *a)
{
	struct gx_user u;
	struct gx_store *s;
	const char *why;
	if (gx_rcpt__user(d, address, delimiter, a, &u) != 0 || u.maildir[0] == '\0' ||
	    gx_store_pool_get(pool, u.maildir, &s, a, &why) != 0)
		return 0;
	bool over = is_full(s, size, a);
	gx_store_pool_put(pool, s);
	return over ? GX_E_NOSPACE : 0;
}
