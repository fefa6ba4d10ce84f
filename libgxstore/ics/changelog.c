/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/*
 * One row for what a transaction did to the existing messages of a folder: UIDs ascending, as
 * differences, each with its message id as difference. The oldest rows of a folder go when it
 * has more than log_max bytes of them; log_floor says from where on the log is complete.
 */

#define ROW_ITEMS 8192U
#define ROW_COST 24U /* of a row besides its data */

static int by_uid(const void *x, const void *y)
{
	const struct gx_log_item *a = x, *b = y;
	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return (a->mid > b->mid) - (a->mid < b->mid);
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static void pack(struct gx_push *out, const struct gx_log_item *v, size_t n)
{
	struct gx_log_item last = {0};
	gx_push_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		gx_push_varint(out, v[i].uid - last.uid);
		gx_push_varint(out, zigzag((int64_t)(v[i].mid - last.mid)));
		last = v[i];
	}
}

static int put_row(struct gx_txn *t, struct gx_fstate *f, int kind, uint64_t modseq, const struct gx_push *data)
{
	GX_STMT(st, t->q, "INSERT INTO log(fid,modseq,kind,data) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)f->fid);
	gx_sql__bind_int(st, 2, (int64_t)modseq);
	gx_sql__bind_int(st, 3, kind);
	gx_sql__bind_blob(st, 4, data->data, data->len);
	f->log_bytes += data->len + ROW_COST;
	f->dirty = true;
	return gx_sql__run(st);
}

static uint64_t log_max(const struct gx_txn *t)
{
	return t->s->log_max == 0 ? GX_CHANGELOG_MAX : t->s->log_max;
}

/* Removes the oldest rows until half of what may be is left. */
static int prune(struct gx_txn *t, struct gx_fstate *f)
{
	uint64_t left = f->log_bytes, upto = 0;
	{
		GX_STMT(st, t->q, "SELECT modseq,length(data) FROM log WHERE fid=?1 ORDER BY modseq");
		gx_sql__bind_int(st, 1, (int64_t)f->fid);
		int r = 0;
		while (left > log_max(t) / 2 && (r = gx_sql__step(st)) > 0) {
			uint64_t n = gx_sql__u64(st, 1) + ROW_COST;
			upto = gx_sql__u64(st, 0);
			left -= n < left ? n : left;
		}
		if (r < 0)
			return r;
	}
	GX_STMT(del, t->q, "DELETE FROM log WHERE fid=?1 AND modseq<=?2");
	gx_sql__bind_int(del, 1, (int64_t)f->fid);
	gx_sql__bind_int(del, 2, (int64_t)upto);
	f->log_bytes = left;
	f->log_floor = upto;
	return gx_sql__run(del);
}

int gx_changelog__add(struct gx_txn *t, struct gx_fstate *f, int kind, uint64_t modseq, struct gx_log_item *v, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	int err = 0;
	if (n > 1)
		qsort(v, n, sizeof(*v), by_uid);
	for (size_t at = 0; at < n && err == 0; at += ROW_ITEMS) {
		gx_push_clear(&out);
		pack(&out, v + at, n - at < ROW_ITEMS ? n - at : ROW_ITEMS);
		/* Several rows need several keys; all are above what anybody has seen. */
		err = out.err != 0 ? out.err : put_row(t, f, kind, at == 0 ? modseq : gx_txn__new_cn(t), &out);
	}
	if (n > ROW_ITEMS)
		f->modseq = t->store_state->modseq;
	gx_push_release(&out);
	if (err == 0 && f->log_bytes > log_max(t))
		err = prune(t, f);
	return err;
}

struct items {
	struct gx_log_item *v;
	size_t n, cap;
};

static int unpack(struct gx_arena *a, struct gx_bin data, struct items *l)
{
	struct gx_pull c;
	struct gx_log_item last = {0};
	gx_pull_init(&c, data.data, data.len);
	uint64_t count = gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 2);
	l->v = gx_arena_grow(a, l->v, &l->cap, l->n + n, sizeof(*l->v));
	if (l->v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		last.uid += (uint32_t)gx_pull_varint(&c);
		last.mid += (uint64_t)unzigzag(gx_pull_varint(&c));
		l->v[l->n++] = last;
	}
	return c.err;
}

int gx_changelog__unpack(struct gx_arena *a, struct gx_bin data, struct gx_log_item **ret_v, size_t *ret_n)
{
	struct items l = {0};
	int err = unpack(a, data, &l);
	*ret_v = l.v;
	*ret_n = l.n;
	return err;
}

static int read_rows(struct gx_txn *t, uint64_t fid, int kind, uint64_t since, struct gx_arena *a, struct items *l)
{
	GX_STMT(st, t->q, "SELECT data FROM log WHERE fid=?1 AND modseq>?2 AND kind=?3");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)since);
	gx_sql__bind_int(st, 3, kind);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = unpack(a, gx_sql__blob(st, 0), l);
		if (err == GX_E_TRUNC || err == GX_E_FORMAT)
			return gx_sql__fail(t->q, GX_E_FORMAT, "%s: change log of folder %llx is damaged", t->s->file, (unsigned long long)fid);
		if (err != 0)
			return err;
	}
	return r;
}

int gx_changelog__since(struct gx_txn *t, uint64_t fid, int kind, uint64_t since, struct gx_arena *a,
	struct gx_log_item **ret_v, size_t *ret_n)
{
	struct gx_fstate *f;
	struct items l = {0};
	int err = gx_change__flush(t);
	if (err == 0)
		err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	if (since < f->log_floor)
		return GX_E_RANGE;
	err = read_rows(t, fid, kind, since, a, &l);
	if (err != 0)
		return err;
	size_t k = 0;
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_uid);
	for (size_t i = 0; i < l.n; i++)
		if (k == 0 || l.v[k - 1].mid != l.v[i].mid || l.v[k - 1].uid != l.v[i].uid)
			l.v[k++] = l.v[i];
	*ret_v = l.v;
	*ret_n = k;
	return 0;
}

int gx_changelog__drop(struct gx_txn *t, uint64_t fid)
{
	gx_change__forget(t, fid);
	GX_STMT(st, t->q, "DELETE FROM log WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

/* UIDs below the folder's next one that no message has. */
static int gaps(struct gx_txn *t, uint64_t fid, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n)
{
	struct gx_fstate *f;
	uint32_t *v = NULL;
	size_t n = 0, cap = 0;
	uint64_t want = 1;
	int err = gx_fstate__get(t, fid, &f), r = 1;
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "SELECT uid FROM msg WHERE fid=?1 AND uid>0 ORDER BY uid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	while (r > 0) {
		r = gx_sql__step(st);
		if (r < 0)
			return r;
		uint64_t uid = r > 0 ? gx_sql__u64(st, 0) : f->uidnext;
		for (; want < uid; want++) {
			v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
			if (v == NULL)
				return GX_E_NOMEM;
			v[n++] = (uint32_t)want;
		}
		want = uid + 1;
	}
	*ret_uids = v;
	*ret_n = n;
	return 0;
}

/* UIDs of both kinds, messages that went and messages that got another one. */
static int both(struct gx_txn *t, uint64_t fid, uint64_t since, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n)
{
	struct gx_log_item *gone, *moved;
	size_t n = 0, m = 0, k = 0, i = 0, j = 0;
	int err = gx_changelog__since(t, fid, GX_LOG_EXPUNGED, since, a, &gone, &n);
	if (err == 0)
		err = gx_changelog__since(t, fid, GX_LOG_RENUMBERED, since, a, &moved, &m);
	if (err != 0)
		return err;
	uint32_t *v = gx_arena_new_array(a, uint32_t, n + m);
	if (v == NULL)
		return GX_E_NOMEM;
	while (i < n || j < m)
		v[k++] = j == m || (i < n && gone[i].uid < moved[j].uid) ? gone[i++].uid : moved[j++].uid;
	*ret_uids = v;
	*ret_n = k;
	return 0;
}

gx_ec gx_folder_vanished(struct gx_txn *t, uint64_t fid, uint64_t since, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_vanished(t, fid, since, a, ret_uids, ret_n);
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = both(t, fid, since, a, ret_uids, ret_n);
	if (err == GX_E_RANGE) /* [RFC 7162] 3.2.10 allows more UIDs than are asked for */
		err = gaps(t, fid, a, ret_uids, ret_n);
	return gx_txn__ec(t, err);
}
