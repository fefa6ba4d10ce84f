/* SPDX-License-Identifier: Apache-2.0 */
/* The change log: what clients are told of since they looked last. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct gx_store_check_info subs[] = {
	{"log-data", "folder", "the log of changes of a folder can be read", GX_FINDING_BROKEN, true},
	{"log-alive", "folder", "no message that is there is told to be gone", GX_FINDING_BROKEN, true},
	{"log-missing", "folder", "each change of a message is in the log", GX_FINDING_BROKEN, true},
	{"log-numbers", "folder", "the log of a folder ends where the folder does", GX_FINDING_WRONG, true},
	{"log-size", "folder", "the size of a log is known", GX_FINDING_WRONG, true},
	{"log-folder", "folder", "a log belongs to a folder", GX_FINDING_WASTE, true},
};

/* What happened to one message since the log's beginning. */
struct entry {
	uint64_t mid, modseq;
	uint32_t uid;
	bool gone;
};
struct entries {
	struct entry *v;
	size_t n, cap;
};

static int by_mid(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	if (a->mid != b->mid)
		return a->mid < b->mid ? -1 : 1;
	return (a->modseq > b->modseq) - (a->modseq < b->modseq);
}

static int unpack(struct gx_sc *k, struct gx_arena *a, struct entries *l, uint64_t fid)
{
	GX_STMT(st, k->q, "SELECT modseq,kind,data FROM log WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_log_item *v;
		size_t n;
		int64_t kind = gx_sql__int(st, 1);
		err = gx_changelog__unpack(a, gx_sql__blob(st, 2), &v, &n);
		if (err != 0 || kind < GX_LOG_CHANGED || kind > GX_LOG_RENUMBERED)
			return err == GX_E_NOMEM ? err : GX_E_FORMAT;
		l->v = gx_arena_grow(a, l->v, &l->cap, l->n + n, sizeof(*l->v));
		if (l->v == NULL)
			return GX_E_NOMEM;
		for (size_t i = 0; i < n; i++)
			l->v[l->n++] = (struct entry){.mid = v[i].mid, .uid = v[i].uid, .modseq = gx_sql__u64(st, 0),
				.gone = kind == GX_LOG_EXPUNGED || kind == GX_LOG_FAI_EXPUNGED};
	}
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_mid);
	return err != 0 ? err : r;
}

/* Is it told to be gone under this UID? */
static bool told_gone(const struct entries *l, const struct entry *e, uint64_t uid)
{
	for (uint64_t mid = e->mid;; e--) {
		if (e->gone && e->uid == uid)
			return true;
		if (e == l->v || e[-1].mid != mid)
			return false;
	}
}

static const struct entry *last_of(const struct entries *l, uint64_t mid)
{
	size_t lo = 0, hi = l->n; /* the first above mid */
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (l->v[m].mid <= mid)
			lo = m + 1;
		else
			hi = m;
	}
	return lo > 0 && l->v[lo - 1].mid == mid ? &l->v[lo - 1] : NULL;
}

/* One finding of a kind is enough for a folder. */
static int compare(struct gx_sc *k, uint64_t fid, uint64_t floor, const struct entries *l)
{
	GX_STMT(st, k->q, "SELECT mid,uid,modseq,cn0 FROM msg WHERE fid=?1 AND uid>0");
	bool alive = false, missing = false;
	int r, err = 0;
	gx_sql__bind_int(st, 1, (int64_t)fid);
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t mid = gx_sql__u64(st, 0), modseq = gx_sql__u64(st, 2);
		const struct entry *e = last_of(l, mid);
		if (e != NULL && !alive && told_gone(l, e, gx_sql__u64(st, 1))) {
			alive = true;
			err = gx_sc__say(k, 1, fid, "folder %llx: message %llx is there, but told to be gone",
				(unsigned long long)fid, (unsigned long long)mid);
		}
		if (err == 0 && modseq > floor && modseq != gx_sql__u64(st, 3) && (e == NULL || e->modseq < modseq) && !missing) {
			missing = true;
			err = gx_sc__say(k, 2, fid, "folder %llx: change %llx of message %llx is not told",
				(unsigned long long)fid, (unsigned long long)modseq, (unsigned long long)mid);
		}
	}
	return err != 0 ? err : r;
}

static int check_folder(struct gx_sc *k, struct gx_arena *a, uint64_t fid, uint64_t floor)
{
	struct entries l = {0};
	int err = unpack(k, a, &l, fid);
	if (err == GX_E_FORMAT)
		return gx_sc__say(k, 0, fid, "folder %llx: its log of changes is damaged", (unsigned long long)fid);
	return err != 0 ? err : compare(k, fid, floor, &l);
}

static int check_numbers(struct gx_sc *k, struct gx_stmt *st)
{
	uint64_t fid = gx_sql__u64(st, 0), floor = gx_sql__u64(st, 1), modseq = gx_sql__u64(st, 2), bytes = gx_sql__u64(st, 3);
	int err = 0;
	/* A power loss lifts the floor above the folder's changes. */
	if (floor > gx_sql__u64(st, 6) || gx_sql__u64(st, 5) > modseq)
		err = gx_sc__say(k, 3, fid, "folder %llx: change %llx, log from %llx to %llx", (unsigned long long)fid,
			(unsigned long long)modseq, (unsigned long long)floor, (unsigned long long)gx_sql__u64(st, 5));
	if (err == 0 && bytes != gx_sql__u64(st, 4))
		err = gx_sc__say(k, 4, fid, "folder %llx: log of %llu bytes, counted %llu", (unsigned long long)fid,
			(unsigned long long)bytes, (unsigned long long)gx_sql__u64(st, 4));
	return err;
}

static int find(struct gx_sc *k)
{
	GX_STMT(st, k->q,
		"SELECT s.fid,s.log_floor,s.modseq,s.log_bytes,COALESCE(SUM(length(l.data)+24),0),COALESCE(MAX(l.modseq),0),"
		" (SELECT modseq FROM fstate WHERE fid=0)"
		" FROM fstate s LEFT JOIN log l ON l.fid=s.fid WHERE s.fid<>0 GROUP BY s.fid");
	struct gx_arena *a = gx_arena_new(0);
	int r = a == NULL ? GX_E_NOMEM : 0, err = 0;
	while (a != NULL && err == 0 && (r = gx_sql__step(st)) > 0) {
		gx_arena_reset(a);
		err = check_folder(k, a, gx_sql__u64(st, 0), gx_sql__u64(st, 1));
		if (err == 0)
			err = check_numbers(k, st);
	}
	gx_arena_free(a);
	if (err != 0 || r < 0)
		return err != 0 ? err : r;
	GX_STMT(lost, k->q, "SELECT DISTINCT fid FROM log WHERE fid NOT IN (SELECT fid FROM fstate)");
	while (err == 0 && (r = gx_sql__step(lost)) > 0)
		err = gx_sc__say(k, 5, gx_sql__u64(lost, 0), "a log of folder %llx, which is not there",
			(unsigned long long)gx_sql__u64(lost, 0));
	return err != 0 ? err : r;
}

/* A log that is not right tells nothing any more: clients compare what they have with what there is. */
static int start_anew(struct gx_sc *k, uint64_t fid)
{
	struct gx_fstate *f;
	int err = gx_sc__run(k, "DELETE FROM log WHERE fid=?1", fid, 0);
	if (err == 0)
		err = gx_fstate__get(k->t, fid, &f);
	if (err != 0)
		return err;
	f->log_bytes = 0;
	return gx_sc__distrust(k, fid);
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		if (v[i].sub == 5)
			err = gx_sc__run(k, "DELETE FROM log WHERE fid=?1", v[i].object, 0);
		else if (v[i].sub == 4)
			err = gx_sc__run(k,
				"UPDATE fstate SET log_bytes=(SELECT COALESCE(SUM(length(data)+24),0) FROM log WHERE log.fid=?1) WHERE fid=?1",
				v[i].object, 0);
		else
			err = start_anew(k, v[i].object);
	}
	return err;
}

const struct gx_sc_check gx_sc__log = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};
