/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/store-int.h"

/* Upkeep of a store: closing it for others, vacuum, removal of files, counting again. */

#define QUIESCE_MS 60000

static int keep_mode(struct gx_store *s, int mode)
{
	struct gx_txn *t;
	int err = gx_txn__system(s, GX_TXN_WRITE, QUIESCE_MS, &t);
	if (err != 0)
		return err;
	err = gx_meta__set_int(t->q, "maintenance", mode);
	if (err != 0) {
		gx_txn_abort(t);
		return err;
	}
	return gx_txn_commit(t, GX_SYNC_NOW);
}

static void set_mode(struct gx_store *s, int mode)
{
	pthread_mutex_lock(&s->lock);
	s->maintenance = mode;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

int gx_store_set_maintenance(struct gx_store *s, int mode, bool wait)
{
	if (s == NULL || mode < GX_MAINT_USABLE || mode > GX_MAINT_REJECT)
		return GX_E_INVAL;
	int err = keep_mode(s, mode);
	if (err != 0)
		return err;
	set_mode(s, mode);
	return wait && mode != GX_MAINT_USABLE ? gx_conn__quiesce(s, QUIESCE_MS) : 0;
}

int gx_store__load_maintenance(struct gx_store *s)
{
	int64_t mode = GX_MAINT_USABLE;
	int err = gx_meta__get_int(s->writer->q, "maintenance", &mode);
	if (err == 0)
		s->maintenance = (int)mode;
	return err == GX_E_NOTFOUND ? 0 : err;
}

int gx_store_maintenance(struct gx_store *s)
{
	pthread_mutex_lock(&s->lock);
	int mode = s->maintenance;
	pthread_mutex_unlock(&s->lock);
	return mode;
}

/* Everything is written anew: into the log, and from there into the file, which is cut. */
static int vacuum(struct gx_store *s)
{
	struct gx_sql *q = s->writer->q;
	int err = gx_flush__may_move(s, q); /* or the whole file would go into the log, and stay there */
	if (err == 0)
		err = gx_sql__exec(q, "VACUUM");
	if (err != 0) {
		gx_log(s->log, GX_LOG_ERROR, "vacuum: %s", q->why);
		return err;
	}
	bool due;
	err = gx_flush__to_as_writer(s, gx_flush__committed(s, 0, &due));
	/* Readers may still be in the log; then it is cut by a later checkpoint. */
	if (err == 0)
		err = gx_flush__move(s, q, SQLITE_CHECKPOINT_TRUNCATE);
	return err == GX_E_BUSY ? 0 : err;
}

int gx_store_vacuum(struct gx_store *s, int deadline_ms)
{
	if (s == NULL)
		return GX_E_INVAL;
	int err = gx_conn__take_writer(s, deadline_ms);
	if (err != 0)
		return err;
	err = gx_flush__healthy(s);
	if (err == 0)
		err = vacuum(s);
	gx_conn__give_writer(s);
	return err;
}

long gx_store_purge_files(struct gx_store *s)
{
	struct gx_txn *t;
	int err = s == NULL ? GX_E_INVAL : gx_store_sync(s); /* or a power loss would bring back rows that name them */
	if (err == 0)
		err = gx_txn__look(s, QUIESCE_MS, &t);
	if (err != 0)
		return err;
	long n = gx_content__collect(t->c->cio, t->q);
	if (n < 0)
		gx_log(s->log, GX_LOG_WARN, "%s", gx_cio__why(t->c->cio));
	gx_txn_abort(t);
	return n;
}

/* ---- Counting again ---- */

struct sums {
	uint64_t total, unread, fai, softdel, size, fai_size, softdel_size;
};

static int count_folder(struct gx_txn *t, uint64_t fid, struct sums *s)
{
	GX_STMT(st, t->q, "SELECT flags&768, NOT flags&1, COUNT(*), SUM(size) FROM msg WHERE fid=?1 GROUP BY 1,2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		uint32_t flags = (uint32_t)gx_sql__int(st, 0);
		uint64_t n = gx_sql__u64(st, 2), size = gx_sql__u64(st, 3);
		if (flags & GX_MSGF_SOFTDEL) {
			s->softdel += n;
			s->softdel_size += size;
		} else if (flags & GX_MSGF_FAI) {
			s->fai += n;
			s->fai_size += size;
		} else {
			s->total += n;
			s->size += size;
			s->unread += gx_sql__int(st, 1) != 0 ? n : 0;
		}
	}
	return r;
}

/* true when something was wrong. */
static bool adopt(struct gx_fstate *f, const struct sums *s)
{
	bool same = f->total == s->total && f->unread == s->unread && f->fai == s->fai && f->softdel == s->softdel &&
		f->size == s->size && f->fai_size == s->fai_size && f->softdel_size == s->softdel_size;
	if (same)
		return false;
	f->total = s->total;
	f->unread = s->unread;
	f->fai = s->fai;
	f->softdel = s->softdel;
	f->size = s->size;
	f->fai_size = s->fai_size;
	f->softdel_size = s->softdel_size;
	f->dirty = true;
	return true;
}

static void add(struct sums *to, const struct sums *s)
{
	to->total += s->total;
	to->unread += s->unread;
	to->fai += s->fai;
	to->softdel += s->softdel;
	to->size += s->size;
	to->fai_size += s->fai_size;
	to->softdel_size += s->softdel_size;
}

/* Search folders hold no messages; what they show is counted where it is found. */
static int recount(struct gx_txn *t, size_t *ret_fixed)
{
	struct sums all = {0};
	size_t fixed = 0;
	GX_STMT(st, t->q, "SELECT fid FROM folders WHERE type<>2");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct sums s = {0};
		struct gx_fstate *f;
		int err = gx_fstate__get(t, gx_sql__u64(st, 0), &f);
		if (err == 0)
			err = count_folder(t, f->fid, &s);
		if (err != 0)
			return err;
		fixed += adopt(f, &s);
		add(&all, &s);
	}
	fixed += adopt(t->store_state, &all);
	if (r == 0)
		*ret_fixed = fixed;
	return r;
}

gx_ec gx_store_recount(struct gx_txn *t, size_t *ret_fixed)
{
	size_t fixed = 0;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && !gx_txn__all_rights(t))
		ec = gx_txn__fail(t, ecAccessDenied, "only the owner has the store counted");
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, recount(t, &fixed));
	if (!gx_ec_failed(ec) && ret_fixed != NULL)
		*ret_fixed = fixed;
	return ec;
}
