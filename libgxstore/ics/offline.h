/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients that change their copies of a folder while they are offline, and somebody who works on the server: what they do and have.
 * How a copy is synchronised is the test's.
 */
#ifndef GXSTORE_OFFLINE_H
#define GXSTORE_OFFLINE_H
#include <gx/entryid.h>
#include <gx/ics.h>
#include "libgxstore/storetest.h"

enum { ITEMS = 800, KEY = 22, PCL = 200, CLIENTS = 2 };

struct item {
	uint64_t mid, cn;            /* cn: of the server's version that it has, where the test keeps it */
	bool known;                  /* to the server, too */
	bool fai, read, dirty, read_dirty;
	bool in_conflict;            /* several versions came */
	unsigned seen_in;            /* synchronisation */
	char subject[40];
	uint8_t key[KEY], pcl[PCL];
	size_t pcl_len;
	gx_nttime_t modified;
};
struct client {
	struct gx_guid space;
	uint64_t keys, next_id, last_id;
	struct item v[ITEMS];
	uint64_t gone[ITEMS];
	size_t n, ngone;
	unsigned round, received, uploads, conflicts;
};
static struct {
	struct gx_store *s;
	struct gx_arena *a;
	uint64_t fid;
	struct client c[CLIENTS];
	uint64_t seed;
	unsigned text;
	gx_nttime_t now;
} w;

static inline uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

static inline void offline_begin(struct gx_store *s, struct gx_arena *a, uint64_t fid, unsigned ids)
{
	w.s = s;
	w.a = a;
	w.fid = fid;
	w.now = 1000;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (int i = 0; i < CLIENTS; i++) {
		w.c[i].space = (struct gx_guid){.d1 = 0xc11e0000, .d2 = (uint16_t)i};
		ST_OK(gx_store_reserve_ids(t, ids, &w.c[i].next_id));
		w.c[i].last_id = w.c[i].next_id + ids;
	}
	st_commit(t);
}

/* ---- A copy ---- */

static inline struct item *find(struct client *c, uint64_t mid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mid == mid)
			return &c->v[i];
	return NULL;
}

static inline struct item *find_or_add(struct client *c, uint64_t mid)
{
	struct item *i = find(c, mid);
	if (i != NULL)
		return i;
	ck_assert_uint_lt(c->n, ITEMS);
	i = &c->v[c->n++];
	*i = (struct item){.mid = mid};
	return i;
}

static inline void drop(struct client *c, uint64_t mid)
{
	struct item *i = find(c, mid);
	if (i != NULL)
		*i = c->v[--c->n];
}

static inline struct gx_bin source_key(uint64_t id)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_gid(w.a, gx_store_replica(w.s), id, &b), 0);
	return b;
}

static inline struct gx_ics_version version_of(const struct item *i)
{
	return (struct gx_ics_version){.change_key = {i->key, KEY}, .pcl = {i->pcl, i->pcl_len}, .modified = i->modified};
}

static inline void set_version(struct item *i, struct gx_bin key, struct gx_bin pcl, gx_nttime_t modified)
{
	ck_assert(key.len == KEY && pcl.len <= PCL);
	memmove(i->key, key.data, KEY);
	memmove(i->pcl, pcl.data, pcl.len);
	i->pcl_len = pcl.len;
	i->modified = modified;
}

/* What one of the sets of a synchronisation says: DELETED, READ or UNREAD. */
static inline void apply(struct client *c, const struct gx_globset *set, unsigned what)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(set, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			if (what == GX_ICS_DELETED)
				drop(c, mid);
			else
				find(c, mid)->read = what == GX_ICS_READ;
		}
}

/* As many as the folder has. */
static inline void compare_count(const struct client *c, struct gx_txn *t)
{
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM msg WHERE fid=?1 AND uid>0");
	gx_sql__bind_int(st, 1, (int64_t)w.fid);
	ck_assert_int_gt(gx_sql__step(st), 0);
	ck_assert_uint_eq(gx_sql__u64(st, 0), c->n);
}

static inline void same_copies(void)
{
	ck_assert_uint_eq(w.c[0].n, w.c[1].n);
	for (size_t i = 0; i < w.c[0].n; i++) {
		struct item *x = &w.c[0].v[i], *y = find(&w.c[1], x->mid);
		ck_assert_ptr_nonnull(y);
		ck_assert_str_eq(x->subject, y->subject);
		ck_assert_uint_eq(x->cn, y->cn);
	}
}

/* ---- Work at the client ---- */

static inline void edit(struct client *c, struct item *i)
{
	struct gx_bin key, pcl;
	ck_assert_int_eq(gx_entryid_gid(w.a, &c->space, ++c->keys, &key), 0);
	ck_assert_int_eq(gx_pcl_add_key(w.a, (struct gx_bin){i->pcl, i->pcl_len}, key, &pcl), 0);
	set_version(i, key, pcl, w.now += 1 + rnd(3));
	i->dirty = true;
	i->in_conflict = false;
	snprintf(i->subject, sizeof(i->subject), "client %d: %u", c == &w.c[1], w.text++);
}

static inline void work_offline(struct client *c)
{
	uint32_t what = rnd(10);
	if (what < 3 && c->n < ITEMS / 2 && c->next_id < c->last_id) {
		struct item *i = &c->v[c->n++];
		*i = (struct item){.mid = c->next_id++, .fai = rnd(6) == 0};
		edit(c, i);
		return;
	}
	if (c->n == 0)
		return;
	struct item *i = &c->v[rnd((uint32_t)c->n)];
	if (what < 7) {
		edit(c, i);
	} else if (what < 9) {
		i->read = !i->read;
		i->read_dirty = true;
	} else if (c->ngone < ITEMS) {
		if (i->known)
			c->gone[c->ngone++] = i->mid;
		drop(c, i->mid);
	}
}

/* ---- Work at the server ---- */

static inline uint64_t any_message(struct gx_txn *t)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0 ORDER BY (mid*7919+?2)%1009 LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)w.fid);
	gx_sql__bind_int(st, 2, rnd(1009));
	return gx_sql__step(st) > 0 ? gx_sql__u64(st, 0) : 0;
}

/* @p pause: the least time since the change before; without one, two versions can be of the same moment. */
static inline void work_at_server(unsigned pause)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid = any_message(t);
	struct gx_proplist l = {0};
	uint32_t what = rnd(10);
	if (mid == 0 || what < 3) {
		st_insert(t, w.fid, w.text++, 200, rnd(5) == 0 ? GX_MSGF_FAI : 0);
	} else if (what < 6) {
		ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagSubject, gx_arena_printf(w.a, "server: %u", w.text++)), 0);
		ck_assert_int_eq(gx_proplist_set_time(&l, w.a, PidTagLastModificationTime, w.now += pause + rnd(3)), 0);
		ST_OK(gx_msg_set_props(t, mid, &l));
	} else if (what < 8) {
		ST_OK(gx_msg_set_read(t, mid, rnd(2) ? GX_RF_CLEAR_READ : 0, NULL));
	} else {
		ST_OK(gx_msg_delete(t, w.fid, &mid, 1, rnd(2) != 0));
	}
	st_commit(t);
}

#endif
