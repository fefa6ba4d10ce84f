/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include "libgxstore/store-int.h"

/* Folder states are read once a transaction, changed in memory, and written before the commit. */

static struct gx_fstate **slot(struct gx_txn *t, uint64_t fid)
{
	return &t->fs[fid % GX_FSTATE_BUCKETS];
}

static void from_row(struct gx_stmt *st, struct gx_fstate *f)
{
	f->uidvalidity = (uint32_t)gx_sql__u64(st, 0);
	f->uidnext = gx_sql__u64(st, 1);
	f->modseq = gx_sql__u64(st, 2);
	f->total = gx_sql__u64(st, 3);
	f->unread = gx_sql__u64(st, 4);
	f->fai = gx_sql__u64(st, 5);
	f->softdel = gx_sql__u64(st, 6);
	f->size = gx_sql__u64(st, 7);
	f->log_bytes = gx_sql__u64(st, 8);
	f->log_floor = gx_sql__u64(st, 9);
	f->fai_size = gx_sql__u64(st, 10);
	f->softdel_size = gx_sql__u64(st, 11);
	f->removed = gx_sql__u64(st, 12);
	f->changed_at = gx_sql__u64(st, 13);
}

static struct gx_fstate *attach(struct gx_txn *t, uint64_t fid)
{
	struct gx_fstate *f = gx_arena_new_obj(t->a, struct gx_fstate);
	if (f == NULL)
		return NULL;
	f->fid = fid;
	f->next = *slot(t, fid);
	*slot(t, fid) = f;
	return f;
}

struct gx_fstate *gx_fstate__peek(struct gx_txn *t, uint64_t fid)
{
	struct gx_fstate *f = *slot(t, fid);
	while (f != NULL && f->fid != fid)
		f = f->next;
	return f;
}

int gx_fstate__get(struct gx_txn *t, uint64_t fid, struct gx_fstate **ret_f)
{
	struct gx_fstate *have = gx_fstate__peek(t, fid);
	if (have != NULL) {
		*ret_f = have;
		return have->gone ? GX_E_NOTFOUND : 0;
	}
	GX_STMT(st, t->q, "SELECT uidvalidity,uidnext,modseq,total,unread,fai,softdel,size,log_bytes,log_floor,"
		"fai_size,softdel_size,removed,changed_at FROM fstate WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	struct gx_fstate *f = attach(t, fid);
	if (f == NULL)
		return GX_E_NOMEM;
	from_row(st, f);
	*ret_f = f;
	return 0;
}

int gx_fstate__add(struct gx_txn *t, uint64_t fid, struct gx_fstate **ret_f)
{
	struct gx_fstate *f = attach(t, fid);
	if (f == NULL)
		return GX_E_NOMEM;
	/* A folder made anew under an old name must not be taken for the old one, [RFC 3501] 2.3.1.1. */
	struct gx_fstate *s = t->store_state;
	int64_t now = gx_store__now_unix(t->s);
	uint32_t v = now < 1 || now > UINT32_MAX ? 1 : (uint32_t)now;
	if (v <= s->uidvalidity)
		v = s->uidvalidity + 1;
	s->uidvalidity = f->uidvalidity = v;
	f->uidnext = 1;
	f->modseq = s->modseq;
	s->dirty = f->dirty = true;
	*ret_f = f;
	return 0;
}

void gx_fstate__drop(struct gx_txn *t, struct gx_fstate *f)
{
	assert(f->total == 0 && f->fai == 0 && f->softdel == 0);
	f->gone = f->dirty = true;
}

static int write_one(struct gx_txn *t, const struct gx_fstate *f)
{
	if (f->gone) {
		GX_STMT(st, t->q, "DELETE FROM fstate WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)f->fid);
		return gx_sql__run(st);
	}
	GX_STMT(st, t->q, "REPLACE INTO fstate(fid,uidvalidity,uidnext,modseq,total,unread,fai,softdel,size,"
		"log_bytes,log_floor,fai_size,softdel_size,removed,changed_at)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)");
	gx_sql__bind_int(st, 1, (int64_t)f->fid);
	gx_sql__bind_int(st, 2, f->uidvalidity);
	gx_sql__bind_int(st, 3, (int64_t)f->uidnext);
	gx_sql__bind_int(st, 4, (int64_t)f->modseq);
	gx_sql__bind_int(st, 5, (int64_t)f->total);
	gx_sql__bind_int(st, 6, (int64_t)f->unread);
	gx_sql__bind_int(st, 7, (int64_t)f->fai);
	gx_sql__bind_int(st, 8, (int64_t)f->softdel);
	gx_sql__bind_int(st, 9, (int64_t)f->size);
	gx_sql__bind_int(st, 10, (int64_t)f->log_bytes);
	gx_sql__bind_int(st, 11, (int64_t)f->log_floor);
	gx_sql__bind_int(st, 12, (int64_t)f->fai_size);
	gx_sql__bind_int(st, 13, (int64_t)f->softdel_size);
	gx_sql__bind_int(st, 14, (int64_t)f->removed);
	gx_sql__bind_int(st, 15, (int64_t)f->changed_at);
	return gx_sql__run(st);
}

int gx_fstate__write(struct gx_txn *t)
{
	for (unsigned i = 0; i < GX_FSTATE_BUCKETS; i++)
		for (struct gx_fstate *f = t->fs[i]; f != NULL; f = f->next)
			if (f->dirty) {
				int err = write_one(t, f);
				if (err != 0)
					return err;
				f->dirty = false;
			}
	return 0;
}

static void count_one(struct gx_fstate *f, uint32_t flags, uint64_t size, int sign)
{
	uint64_t one = sign > 0 ? 1 : UINT64_MAX, bytes = sign > 0 ? size : 0 - size; /* modulo 2^64 */
	f->dirty = true;
	if (flags & GX_MSGF_SOFTDEL) {
		f->softdel += one;
		f->softdel_size += bytes;
		return;
	}
	if (flags & GX_MSGF_FAI) {
		f->fai += one;
		f->fai_size += bytes;
		return;
	}
	f->total += one;
	f->size += bytes;
	if (!(flags & GX_MSGF_READ))
		f->unread += one;
}

void gx_fstate__count(struct gx_txn *t, struct gx_fstate *f, uint32_t flags, uint64_t size, int sign)
{
	count_one(f, flags, size, sign);
	count_one(t->store_state, flags, size, sign);
}

uint64_t gx_txn__new_id(struct gx_txn *t)
{
	t->numbers++;
	t->store_state->dirty = true;
	return t->store_state->uidnext++;
}

uint64_t gx_txn__new_cn(struct gx_txn *t)
{
	t->numbers++;
	t->store_state->dirty = true;
	return ++t->store_state->modseq;
}
