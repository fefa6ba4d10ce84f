/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"

/*
 * What happened since the client was here, without looking at what did not change. It has everything
 * up to some change number. New messages are a suffix of the folder in UID order, the change log
 * names those that changed or went. The rest are the messages that it was given then, unless it
 * wanted others at that time (a restriction, no associated ones) or keeps what is gone: associated
 * messages are few and looked at, normal ones must be as many as it has.
 */

struct changes {
	struct gx_ics_run *run;
	uint64_t since;
	uint64_t fresh;       /* normal messages that came since, */
	uint64_t fresh_given; /* those of them that the client has (it has put them there), */
	uint64_t fai_given;   /* associated ones that it has, */
	uint64_t gone;        /* and what it has that went */
};

static uint64_t smaller(uint64_t n, const struct gx_globset *s)
{
	uint64_t k = s == NULL ? UINT64_MAX : gx_ics__complete(s);
	return k < n ? k : n;
}

/* From the newest back to the first that is not new. */
static int new_messages(struct changes *x)
{
	GX_STMT(st, x->run->t->q, "SELECT mid,uid,flags,cn,cn0,rcn,size,received FROM msg WHERE fid=?1 AND uid>0 ORDER BY uid DESC");
	gx_sql__bind_int(st, 1, (int64_t)x->run->fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row = {.mid = gx_sql__u64(st, 0), .fid = x->run->fid, .uid = (uint32_t)gx_sql__u64(st, 1),
			.flags = (uint32_t)gx_sql__u64(st, 2), .cn = gx_sql__u64(st, 3), .cn0 = gx_sql__u64(st, 4),
			.rcn = gx_sql__u64(st, 5), .size = gx_sql__u64(st, 6), .received = gx_sql__u64(st, 7)};
		if (row.cn0 <= x->since)
			break;
		if (!gx_ics__wanted(x->run, row.flags))
			continue;
		if (!(row.flags & GX_MSGF_FAI)) {
			x->fresh++;
			x->fresh_given += gx_globset_contains(x->run->o->given, row.mid);
		}
		int err = gx_ics__consider(x->run, &row);
		if (err != 0)
			return err;
	}
	return r < 0 ? r : 0;
}

static int is_there(struct changes *x, uint64_t mid, struct gx_msg_row *ret_r, bool *ret_there)
{
	int err = gx_msg__row(x->run->t, mid, ret_r);
	*ret_there = err == 0 && ret_r->fid == x->run->fid && !(ret_r->flags & GX_MSGF_SOFTDEL);
	return err == GX_E_NOTFOUND ? 0 : err;
}

static int changed_one(struct changes *x, uint64_t mid)
{
	struct gx_msg_row r;
	bool there;
	int err = is_there(x, mid, &r, &there);
	if (err != 0 || !there || r.cn0 > x->since)
		return err;
	return gx_ics__consider(x->run, &r);
}

static int gone_one(struct changes *x, uint64_t mid)
{
	struct gx_ics_content *c = x->run->c;
	struct gx_msg_row r;
	bool there;
	if (!gx_globset_contains(x->run->o->given, mid))
		return 0;
	int err = is_there(x, mid, &r, &there);
	if (err != 0 || there)
		return err;
	x->gone++;
	err = gx_globset_add(&c->set[GX_ICS_DELETED], mid);
	return err != 0 ? err : gx_globset_remove(&c->set[GX_ICS_GIVEN], mid);
}

static int each_logged(struct changes *x, int kind, int (*one)(struct changes *x, uint64_t mid))
{
	struct gx_log_item *v;
	struct gx_arena *a = gx_arena_new(0);
	size_t n = 0;
	int err = a == NULL ? GX_E_NOMEM : gx_changelog__since(x->run->t, x->run->fid, kind, x->since, a, &v, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = one(x, v[i].mid);
	gx_arena_free(a);
	return err;
}

static int logged(struct changes *x, bool wanted, int changed, int expunged)
{
	int err = wanted ? each_logged(x, changed, changed_one) : 0;
	return wanted && err == 0 ? each_logged(x, expunged, gone_one) : err;
}

/* GX_E_RANGE when it has not what it should have of them. */
static int associated(struct changes *x)
{
	const struct gx_ics_content_opts *o = x->run->o;
	GX_STMT(st, x->run->t->q, "SELECT mid,cn0 FROM msg WHERE fid=?1 AND uid>0 AND flags&256");
	gx_sql__bind_int(st, 1, (int64_t)x->run->fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		bool has = gx_globset_contains(o->given, gx_sql__u64(st, 0));
		if (has ? o->seen_fai == NULL : o->seen_fai != NULL && gx_sql__u64(st, 1) <= x->since)
			return GX_E_RANGE;
		x->fai_given += has;
	}
	return r;
}

/* Has the client all that did not change, and nothing else? */
static bool adds_up(const struct changes *x, const struct gx_fstate *f)
{
	const struct gx_ics_content_opts *o = x->run->o;
	uint64_t there = o->seen == NULL ? 0 : f->total;
	return there - x->fresh == o->given->count - x->fresh_given - x->fai_given - x->gone;
}

int gx_ics__changes(struct gx_ics_run *run)
{
	const struct gx_ics_content_opts *o = run->o;
	struct changes x = {.run = run, .since = smaller(smaller(smaller(UINT64_MAX, o->seen), o->seen_fai), o->read)};
	struct gx_fstate *f;
	if (x.since == 0 || x.since == UINT64_MAX || o->given == NULL)
		return GX_E_RANGE;
	int err = gx_change__flush(run->t);
	if (err == 0)
		err = gx_fstate__get(run->t, run->fid, &f);
	if (err == 0 && x.since < f->log_floor)
		return GX_E_RANGE;
	if (err == 0)
		err = gx_globset_union(&run->c->set[GX_ICS_GIVEN], o->given);
	if (err == 0)
		err = new_messages(&x);
	if (err == 0)
		err = logged(&x, o->seen != NULL, GX_LOG_CHANGED, GX_LOG_EXPUNGED);
	if (err == 0)
		err = logged(&x, o->seen_fai != NULL, GX_LOG_FAI_CHANGED, GX_LOG_FAI_EXPUNGED);
	if (err == 0)
		err = associated(&x);
	if (err != 0)
		return err;
	return adds_up(&x, f) ? 0 : GX_E_RANGE;
}
