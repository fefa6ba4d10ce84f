/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/peruser.h>
#include "libgxstore/content/pread-int.h"

/*
 * Mailboxes keep one entry for each public folder under a key of its own; most have none. Public stores
 * have the read state of each user by message (pread.c), which is shown here as change numbers.
 */

#define PREFIX "peruser/"
#define PREFIX_END "peruser0" /* the first key behind all of them */
enum { GUID = 16, KEY = sizeof(PREFIX) + 2 * GUID + 12 };

/* ---- Public stores ---- */

static gx_ec check_reader(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_row row;
	if (!gx_pread__personal(t) && !t->s->o.one_read_state)
		return gx_txn__fail(t, ecNotSupported, "only users of public stores have a read state of their own");
	return gx_folder__need(t, fid, GX_RIGHT_READ, &row);
}

gx_ec gx_reads_get(struct gx_txn *t, uint64_t fid, struct gx_globset *io_set)
{
	const char *user;
	int r = 0;
	gx_ec ec = check_reader(t, fid);
	if (gx_ec_failed(ec) || t->s->o.one_read_state)
		return ec;
	int err = gx_pread__user(t, t->actor->user, &user);
	if (err != 0)
		return gx_txn__ec(t, err);
	GX_STMT(st, t->q, "SELECT m.cn FROM pread p JOIN msg m ON m.mid=p.mid WHERE p.user=?1 AND p.fid=?2 AND p.mid>0 AND p.isread<>0"
		" AND m.fid=?2 ORDER BY m.cn");
	gx_sql__bind_text(st, 1, user);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_globset_add(io_set, gx_sql__u64(st, 0));
	return gx_txn__ec(t, err != 0 ? err : r);
}

gx_ec gx_reads_set(struct gx_txn *t, uint64_t fid, const struct gx_globset *set)
{
	int err = 0, r = 0;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = check_reader(t, fid);
	if (gx_ec_failed(ec) || t->s->o.one_read_state)
		return ec;
	GX_STMT(st, t->q, "SELECT " GX_MSG_ROW_COLS " FROM msg m WHERE m.fid=?1 AND m.uid>0 AND NOT m.flags&256");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		uint64_t rcn;
		gx_msg__read_row(t, st, &row);
		err = gx_pread__set(t, &row, gx_globset_contains(set, row.cn), &rcn);
	}
	return gx_txn__ec(t, err != 0 ? err : r);
}

/* ---- Mailboxes ---- */

static gx_ec check_owner(struct gx_txn *t)
{
	if (t->s->is_public)
		return gx_txn__fail(t, ecNotSupported, "only mailboxes remember what was read elsewhere");
	return gx_txn__all_rights(t) ? GX_OK_EC : gx_txn__fail(t, ecAccessDenied, "only the owner of a mailbox");
}

static void key_of(const struct gx_guid *db, uint64_t counter, char ret_key[KEY])
{
	uint8_t guid[GUID];
	char *at = ret_key + snprintf(ret_key, KEY, PREFIX);
	gx_guid_put(db, guid);
	for (size_t i = 0; i < GUID; i++)
		at += snprintf(at, 3, "%02x", guid[i]);
	snprintf(at, 13, "%012llx", (unsigned long long)(counter & GX_COUNTER_MAX));
}

static bool read_key(const char *key, struct gx_peruser *p)
{
	uint8_t b[GUID];
	struct gx_pull c;
	if (strlen(key) != KEY - 1)
		return false;
	for (size_t i = 0; i < GUID; i++) {
		const char two[3] = {key[sizeof(PREFIX) - 1 + 2 * i], key[sizeof(PREFIX) + 2 * i], 0};
		b[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	gx_pull_init(&c, b, GUID);
	p->folder_db = gx_pull_guid(&c);
	p->folder = strtoull(key + KEY - 13, NULL, 16);
	return true;
}

static struct gx_guid database_of(struct gx_bin v)
{
	struct gx_pull c;
	gx_pull_init(&c, v.data, v.len);
	return gx_pull_guid(&c);
}

gx_ec gx_peruser_get(struct gx_txn *t, const struct gx_guid *folder_db, uint64_t folder, struct gx_arena *a, struct gx_peruser *ret_p)
{
	char key[KEY];
	struct gx_bin b;
	gx_ec ec = check_owner(t);
	if (gx_ec_failed(ec))
		return ec;
	key_of(folder_db, folder, key);
	int err = gx_meta__get_blob(t->q, key, a, &b);
	if (err != 0 || b.len < GUID)
		return err == GX_E_NOTFOUND || err == 0 ? gx_txn__fail(t, ecNotFound, "nothing is remembered of the folder") : gx_txn__ec(t, err);
	*ret_p = (struct gx_peruser){*folder_db, folder, database_of(b), {b.data + GUID, b.len - GUID}};
	return ec;
}

static int count(struct gx_txn *t, int64_t *ret_n)
{
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM meta WHERE key>='" PREFIX "' AND key<'" PREFIX_END "'");
	int r = gx_sql__step(st);
	*ret_n = r > 0 ? gx_sql__int(st, 0) : 0;
	return r < 0 ? r : 0;
}

static int forget(struct gx_txn *t, const char *key)
{
	GX_STMT(st, t->q, "DELETE FROM meta WHERE key=?1");
	gx_sql__bind_text(st, 1, key);
	return gx_sql__run(st);
}

gx_ec gx_peruser_set(struct gx_txn *t, const struct gx_peruser *p)
{
	char key[KEY];
	int64_t n;
	struct gx_push v = GX_PUSH_INIT;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = check_owner(t);
	if (gx_ec_failed(ec))
		return ec;
	key_of(&p->folder_db, p->folder, key);
	int err = count(t, &n);
	if (err == 0 && (n >= GX_PERUSER_MAX || p->data.len > GX_PERUSER_SIZE_MAX) && p->data.len > 0)
		return gx_txn__fail(t, ecTooBig, "at most %u folders with %u bytes each are remembered", GX_PERUSER_MAX, GX_PERUSER_SIZE_MAX);
	gx_push_guid(&v, &p->database);
	gx_push_bytes(&v, p->data.data, p->data.len);
	err = err != 0 ? err : v.err;
	if (err == 0)
		err = p->data.len == 0 ? forget(t, key) : gx_meta__set_blob(t->q, key, v.data, v.len);
	gx_push_release(&v);
	return gx_txn__ec(t, err);
}

gx_ec gx_peruser_list(struct gx_txn *t, const struct gx_guid *database, struct gx_arena *a, struct gx_peruser **ret_v, size_t *ret_n)
{
	struct gx_peruser *v = NULL;
	size_t n = 0, cap = 0;
	int r;
	gx_ec ec = check_owner(t);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "SELECT key,value FROM meta WHERE key>='" PREFIX "' AND key<'" PREFIX_END "'");
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_bin b = gx_sql__blob(st, 1);
		struct gx_peruser p = {.database = database_of(b)};
		if (b.len < GUID || gx_guid_cmp(&p.database, database) != 0 || !read_key(gx_sql__text(st, 0), &p))
			continue;
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		v[n++] = p;
	}
	if (r < 0)
		return gx_txn__ec(t, r);
	*ret_v = v;
	*ret_n = n;
	return ec;
}
