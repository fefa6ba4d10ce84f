/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/message/msgsrc.h"
#include "libgxstore/search/search-int.h"

/* All messages of a folder, one after the other: the first synchronisation, and those that the change log cannot answer. */

static void read_row(struct gx_stmt *st, struct gx_msg_row *r)
{
	*r = (struct gx_msg_row){.fid = gx_sql__u64(st, 11), .mid = gx_sql__u64(st, 0), .uid = (uint32_t)gx_sql__u64(st, 1),
		.flags = (uint32_t)gx_sql__u64(st, 2), .modseq = gx_sql__u64(st, 3), .cn = gx_sql__u64(st, 4),
		.cn0 = gx_sql__u64(st, 5), .rcn = gx_sql__u64(st, 6), .size = gx_sql__u64(st, 7),
		.received = gx_sql__u64(st, 8), .body = gx_sql__u64(st, 9), .kwset = (uint32_t)gx_sql__u64(st, 10)};
}

static int in_scope(struct gx_ics_run *x, const struct gx_msg_row *r, struct gx_msgsrc *src, bool *ret_in)
{
	*ret_in = gx_ics__wanted(x, r->flags);
	if (!*ret_in || x->o->restr == NULL)
		return 0;
	gx_arena_reset(src->a);
	gx_msgsrc__set(src, r);
	return gx_restr_eval(x->o->restr, &src->src, ret_in);
}

static int one(struct gx_ics_run *x, const struct gx_msg_row *r, struct gx_msgsrc *src)
{
	bool in;
	int err = in_scope(x, r, src, &in);
	if (err != 0)
		return err;
	if (in)
		return gx_ics__consider(x, r);
	if (x->o->given == NULL || !gx_globset_contains(x->o->given, r->mid))
		return 0;
	return gx_globset_add(&x->c->set[GX_ICS_NOLONGER], r->mid);
}

static int all_rows(struct gx_ics_run *x, struct gx_stmt *st, struct gx_msgsrc *src)
{
	int r;
	gx_sql__bind_int(st, 1, (int64_t)x->fid);
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		read_row(st, &row);
		int err = one(x, &row, src);
		if (err != 0)
			return err;
	}
	return r;
}

#define COLUMNS "m.mid,m.uid,m.flags,m.modseq,m.cn,m.cn0,m.rcn,m.size,m.received,m.body,m.kwset,m.fid"

static int all_messages(struct gx_ics_run *x, struct gx_msgsrc *src)
{
	if (x->search) {
		GX_STMT(st, x->t->q, "SELECT " COLUMNS " FROM found JOIN msg m ON m.mid=found.mid WHERE found.fid=?1 AND m.uid>0");
		return all_rows(x, st, src);
	}
	/* About in the order in which they are sent, so that little is left to sort. */
	GX_STMT(st, x->t->q, x->o->ordered ? "SELECT " COLUMNS " FROM msg m WHERE m.fid=?1 AND m.uid>0 ORDER BY m.uid DESC" :
		"SELECT " COLUMNS " FROM msg m WHERE m.fid=?1 AND m.uid>0 ORDER BY m.uid");
	return all_rows(x, st, src);
}

/* ---- What a search folder shows no more ---- */

/* Is it looking still, so that what it does not show may be found yet? */
static int is_looking(struct gx_ics_run *x, bool *ret_looking)
{
	GX_STMT(st, x->t->q, "SELECT state FROM search WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)x->fid);
	int r = gx_sql__step(st), state = r > 0 ? (int)gx_sql__int(st, 0) : GX_SEARCH_STOPPED;
	*ret_looking = state == GX_SEARCH_POPULATING || state == GX_SEARCH_RECHECKING;
	return r < 0 ? r : 0;
}

static int still_there(struct gx_ics_run *x, struct gx_globset *io_there)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(&x->c->set[GX_ICS_DELETED], &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			struct gx_msg_row row;
			int err = gx_msg__row(x->t, mid, &row);
			if (err == 0 && !(row.flags & GX_MSGF_SOFTDEL))
				err = gx_globset_add(io_there, mid);
			if (err != 0 && err != GX_E_NOTFOUND)
				return err;
		}
	return 0;
}

/*
 * A link has no change number: what was added is not among what the client was given, what was taken away is. That is
 * deleted only when the message is, else it is out of scope; while the search is looking it stays where it is, so that a
 * search that is run anew does not empty the client's copy and fill it again.
 */
static int unlinked(struct gx_ics_run *x)
{
	struct gx_globset there = GX_GLOBSET_INIT;
	bool looking = false;
	int err = is_looking(x, &looking);
	err = err != 0 ? err : still_there(x, &there);
	err = err != 0 ? err : gx_globset_subtract(&x->c->set[GX_ICS_DELETED], &there);
	err = err != 0 ? err : gx_globset_union(&x->c->set[looking ? GX_ICS_GIVEN : GX_ICS_NOLONGER], &there);
	gx_globset_release(&there);
	return err;
}

int gx_ics__scan(struct gx_ics_run *x)
{
	struct gx_globset *gone = &x->c->set[GX_ICS_DELETED];
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msgsrc src;
	if (a == NULL)
		return GX_E_NOMEM;
	gx_msgsrc__init(&src, x->t, a);
	int err = all_messages(x, &src);
	gx_msgsrc__release(&src);
	gx_arena_free(a);
	if (err == 0 && x->o->given != NULL)
		err = gx_globset_union(gone, x->o->given);
	if (err == 0)
		err = gx_globset_subtract(gone, &x->c->set[GX_ICS_GIVEN]);
	err = err != 0 ? err : gx_globset_subtract(gone, &x->c->set[GX_ICS_NOLONGER]);
	return err == 0 && x->search ? unlinked(x) : err;
}
