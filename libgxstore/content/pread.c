/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/message/msg-int.h"
#include "libgxstore/content/pread-int.h"

/*
 * Who has read what. In a private store it is a bit of the message; in a public store each user has
 * rows of his own in `pread`, and one with mid 0 a folder that says how many of its messages
 * he has read, so that his unread counter costs nothing to ask for. An administrator may have readers
 * share the bit of the message, or see no unread ones (exmdb_pf_read_per_user, exmdb_pf_read_states).
 */

int gx_pread__user(struct gx_txn *t, const char *user, const char **ret_key)
{
	if (user == t->actor->user && t->user_key != NULL) {
		*ret_key = t->user_key;
		return 0;
	}
	const char *key = gx_fold__key(t->a, user);
	if (key == NULL)
		return GX_E_NOMEM;
	if (user == t->actor->user)
		t->user_key = key;
	*ret_key = key;
	return 0;
}

bool gx_pread__personal(const struct gx_txn *t)
{
	return t->s->is_public && !t->s->o.one_read_state && t->actor->user != NULL && *t->actor->user != '\0';
}

bool gx_pread__all_read(const struct gx_store *s)
{
	return s->o.pf_reads == GX_PF_ALL_READ;
}

static int look_up(struct gx_txn *t, const char *user, uint64_t fid, uint64_t mid, int64_t *ret_isread, uint64_t *ret_rcn)
{
	GX_STMT(st, t->q, "SELECT isread,rcn FROM pread WHERE user=?1 AND fid=?2 AND mid=?3");
	gx_sql__bind_text(st, 1, user);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, (int64_t)mid);
	int r = gx_sql__step(st);
	*ret_isread = r > 0 ? gx_sql__int(st, 0) : 0;
	*ret_rcn = r > 0 ? gx_sql__u64(st, 1) : 0;
	return r < 0 ? r : 0;
}

int gx_pread__get(struct gx_txn *t, const struct gx_msg_row *r, bool *ret_read, uint64_t *ret_rcn)
{
	const char *user;
	int64_t isread;
	if (gx_pread__all_read(t->s)) {
		*ret_read = true;
		*ret_rcn = 0;
		return 0;
	}
	if (!gx_pread__personal(t) || r->mid == 0 || (r->flags & GX_MSGF_FAI)) {
		*ret_read = (r->flags & GX_MSGF_READ) != 0;
		*ret_rcn = r->rcn;
		return 0;
	}
	int err = gx_pread__user(t, t->actor->user, &user);
	if (err == 0)
		err = look_up(t, user, r->fid, r->mid, &isread, ret_rcn);
	if (err == 0)
		*ret_read = isread != 0;
	return err;
}

int gx_msg__is_read(struct gx_txn *t, const struct gx_msg_row *r)
{
	bool read;
	uint64_t rcn;
	int err = gx_pread__get(t, r, &read, &rcn);
	return err != 0 ? err : read;
}

static int put(struct gx_txn *t, const char *user, uint64_t fid, uint64_t mid, int64_t isread, uint64_t rcn)
{
	int err = gx_schema__late(t->q, GX_LATE_PREAD);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "REPLACE INTO pread(user,fid,mid,isread,rcn) VALUES(?1,?2,?3,?4,?5)");
	gx_sql__bind_text(st, 1, user);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, (int64_t)mid);
	gx_sql__bind_int(st, 4, isread);
	gx_sql__bind_int(st, 5, (int64_t)rcn);
	return gx_sql__run(st);
}

static int count(struct gx_txn *t, const char *user, uint64_t fid, int64_t by)
{
	int64_t n;
	uint64_t rcn;
	int err = look_up(t, user, fid, 0, &n, &rcn);
	return err != 0 ? err : put(t, user, fid, 0, n + by, 0);
}

int gx_pread__set(struct gx_txn *t, const struct gx_msg_row *r, bool read, uint64_t *ret_rcn)
{
	const char *user;
	int64_t was;
	int err = gx_pread__user(t, t->actor->user, &user);
	if (err == 0)
		err = look_up(t, user, r->fid, r->mid, &was, ret_rcn);
	if (err != 0 || (was != 0) == read || (r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL)))
		return err;
	*ret_rcn = gx_txn__new_cn(t);
	err = put(t, user, r->fid, r->mid, read, *ret_rcn);
	return err != 0 ? err : count(t, user, r->fid, read ? 1 : -1);
}

int gx_pread__forget(struct gx_txn *t, const struct gx_msg_row *r)
{
	if (!t->s->is_public || (r->flags & GX_MSGF_FAI))
		return 0;
	int s;
	{
		GX_STMT(st, t->q, "SELECT user FROM pread WHERE mid=?1 AND isread<>0");
		gx_sql__bind_int(st, 1, (int64_t)r->mid);
		while ((s = gx_sql__step(st)) > 0) {
			char *user = gx_arena_strdup(t->a, gx_sql__text(st, 0));
			int err = user == NULL ? GX_E_NOMEM : count(t, user, r->fid, -1);
			if (err != 0)
				return err;
		}
		if (s < 0)
			return s;
	}
	GX_STMT(del, t->q, "DELETE FROM pread WHERE mid=?1");
	gx_sql__bind_int(del, 1, (int64_t)r->mid);
	return gx_sql__run(del);
}

int gx_pread__forget_folder(struct gx_txn *t, uint64_t fid)
{
	if (!t->s->is_public)
		return 0;
	/* Every user that has rows there has one with mid 0, and these have an index. */
	GX_STMT(st, t->q, "DELETE FROM pread WHERE fid=?1 AND user IN (SELECT user FROM pread WHERE mid=0 AND fid=?1)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

int gx_pread__unread(struct gx_txn *t, const char *user, uint64_t fid, uint64_t total, uint64_t *ret_n)
{
	const char *key;
	int64_t n;
	uint64_t rcn;
	int err = gx_pread__user(t, user, &key);
	if (err == 0)
		err = look_up(t, key, fid, 0, &n, &rcn);
	if (err == 0)
		*ret_n = n >= 0 && (uint64_t)n <= total ? total - (uint64_t)n : 0;
	return err;
}

gx_ec gx_folder_unread(struct gx_txn *t, uint64_t fid, const char *user, uint64_t *ret_unread)
{
	struct gx_folder_row row;
	struct gx_fstate *f;
	uint64_t n = 0;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	bool own = t->s->is_public && !t->s->o.one_read_state && user != NULL && *user != '\0';
	int err = gx_fstate__get(t, fid, &f);
	if (err == 0 && own)
		err = gx_pread__unread(t, user, fid, f->total, &n);
	if (err == 0)
		*ret_unread = t->s->o.pf_reads != GX_PF_COUNTED ? 0 : own ? n : f->unread;
	return gx_txn__ec(t, err);
}
