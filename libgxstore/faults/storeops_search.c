/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on search folders, and looking for words. */
#include <config.h>
#include "libgxstore/message/msgsrc.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/faults/storeops.h"

static const struct gx_restr with_digit = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "message 1"}}}};
static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, MSGFLAG_READ}};
static const struct gx_restr *const restrs[] = {&with_digit, &unread};

static struct {
	uint64_t scope[2];
	size_t nscope;
	uint32_t flags;
	const struct gx_restr *restr;
	const char *word;
	struct gx_candidates found;
} u;

static bool pick_criteria(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	u.scope[0] = so_folder(w, false);
	u.scope[1] = so_folder(w, false);
	u.nscope = u.scope[0] == u.scope[1] ? 1 : 2;
	u.restr = restrs[so_rand(w, 2)];
	u.flags = RESTART_SEARCH | (so_one_in(w, 2) ? RECURSIVE_SEARCH : SHALLOW_SEARCH) | (so_one_in(w, 4) ? STATIC_SEARCH : 0);
	return true;
}

static uint64_t above(const struct so_world *w)
{
	return w->public ? GX_FID_PUB_IPMSUBTREE : GX_FID_FINDER;
}

static uint64_t some_search(struct so_world *w)
{
	return (uint64_t)so_number(w, gx_arena_printf(w->a, "SELECT fid FROM folders WHERE type=2 AND fid>255 AND NOT flags&1 ORDER BY fid*%u%%1009",
		1 + so_rand(w, 1000)));
}

/* ---- What they show, compared with a look at every message ---- */

static bool in_scope(const struct so_world *w, const struct gx_search_info *i, uint64_t fid)
{
	for (size_t k = 0; k < w->nfolders; k++)
		if (w->folder[k].fid == fid && !so_alive(w, &w->folder[k]))
			return false;
	for (size_t k = 0; k < i->n; k++)
		if (i->folders[k] == fid || ((i->status & SEARCH_RECURSIVE) && so_below(w, fid, i->folders[k])))
			return true;
	return false;
}

static bool fulfils(struct gx_txn *t, struct gx_arena *a, const struct gx_restr *r, uint64_t mid)
{
	struct gx_msgsrc x;
	bool match = false;
	gx_msgsrc__init(&x, t, a);
	ck_assert_int_eq(gx_msgsrc__set_mid(&x, mid), 0);
	ck_assert_int_eq(gx_restr_eval(r, &x.src, &match), 0);
	gx_msgsrc__release(&x);
	return match;
}

static bool shows(struct gx_txn *t, uint64_t fid, uint64_t mid)
{
	GX_STMT(st, t->q, "SELECT 1 FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)mid);
	int r = gx_sql__step(st);
	ck_assert_int_ge(r, 0);
	return r > 0;
}

static void check_one(struct so_world *w, struct gx_txn *t, uint64_t fid)
{
	struct gx_search_info i;
	ST_OK(gx_search_get(t, fid, w->a, &i));
	if (i.restr == NULL || (i.status & SEARCH_STATIC) || !(i.status & SEARCH_COMPLETE) || !(i.status & SEARCH_RUNNING))
		return;
	for (size_t k = 0; k < w->nmsgs; k++) {
		const struct so_msg *m = &w->msg[k];
		bool want = !(m->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL)) && in_scope(w, &i, m->fid) && fulfils(t, w->a, i.restr, m->mid);
		bool is = shows(t, fid, m->mid);
		ck_assert_msg(is == want, "search folder %llx %s %llx in %llx", (unsigned long long)fid, is ? "shows" : "misses",
			(unsigned long long)m->mid, (unsigned long long)m->fid);
	}
}

void so_check_searches(struct so_world *w)
{
	so_look(w);
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	{
		GX_STMT(st, t->q, "SELECT fid FROM folders WHERE type=2 AND NOT flags&1");
		while (gx_sql__step(st) > 0)
			check_one(w, t, gx_sql__u64(st, 0));
	}
	gx_txn_abort(t);
}

/* ---- Setting ---- */

static bool pick_new(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "Search %u", ++w->serial);
	return pick_criteria(w) && so_number(w, "SELECT COUNT(*) FROM folders WHERE type=2 AND NOT flags&1") < 40;
}

static gx_ec run_new(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_folder_create(t, above(w), w->x.name, "IPF.Note", GX_FOLDER_SEARCH, NULL, &w->x.fid);
	return gx_ec_failed(ec) ? ec : gx_search_set(t, w->x.fid, u.flags, u.restr, u.scope, u.nscope);
}

static void check_set(struct so_world *w)
{
	struct gx_search_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_search_get(t, w->x.fid, w->a, &i));
	ck_assert_int_eq(gx_restr_cmp(i.restr, u.restr), 0);
	ck_assert_uint_eq(i.n, u.nscope);
	so_look(w);
	check_one(w, t, w->x.fid);
	gx_txn_abort(t);
}

static bool pick_set(struct so_world *w)
{
	w->x.fid = some_search(w);
	return pick_criteria(w) && w->x.fid != 0;
}

static gx_ec run_set(struct so_world *w, struct gx_txn *t)
{
	return gx_search_set(t, w->x.fid, u.flags, u.restr, u.scope, u.nscope);
}

static bool pick_stop(struct so_world *w)
{
	w->x.fid = (uint64_t)so_number(w, "SELECT fid FROM search WHERE state<>0 AND fid NOT IN (SELECT fid FROM folders WHERE flags&1)");
	return w->x.fid != 0;
}

static gx_ec run_stop(struct so_world *w, struct gx_txn *t)
{
	return gx_search_set(t, w->x.fid, STOP_SEARCH, NULL, NULL, 0);
}

static void check_stop(struct so_world *w)
{
	struct gx_search_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_search_get(t, w->x.fid, w->a, &i));
	gx_txn_abort(t);
	ck_assert_uint_eq(i.status & SEARCH_RUNNING, 0);
}

static bool pick_delete(struct so_world *w)
{
	w->x.hard = so_one_in(w, 2);
	w->x.fid = some_search(w);
	return w->x.fid != 0;
}

static gx_ec run_delete(struct so_world *w, struct gx_txn *t)
{
	return gx_folder_delete(t, w->x.fid, w->x.hard);
}

/* ---- By hand ---- */

static bool pick_link(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "By hand %u", ++w->serial);
	return so_msgs(w, SO_PICK, false) && so_number(w, "SELECT COUNT(*) FROM folders WHERE type=2 AND NOT flags&1") < 40;
}

static gx_ec run_link(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_folder_create(t, above(w), w->x.name, "IPF.Note", GX_FOLDER_SEARCH, NULL, &w->x.fid2);
	if (!gx_ec_failed(ec))
		ec = gx_search_link(t, w->x.fid2, w->x.mids, w->x.n);
	return gx_ec_failed(ec) ? ec : gx_search_unlink(t, w->x.fid2, w->x.mids, 1);
}

static void check_link(struct so_world *w)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, w->x.fid2, w->a, &i));
	gx_txn_abort(t);
	ck_assert_uint_le(i.total, w->x.n - 1); /* associated ones are passed over */
}

/* ---- In the background ---- */

/* A search over all that is there; now and then as after a move of a folder in its scope, which makes it look again. */
static void begin_search(struct so_world *w, struct gx_txn *t)
{
	uint64_t top = so_subtree(w);
	if (w->x.fid == 0)
		ST_OK(gx_folder_create(t, above(w), gx_arena_printf(w->a, "Search %u", ++w->serial), "IPF.Note", GX_FOLDER_SEARCH, NULL, &w->x.fid));
	w->s->o.search_pacing = 1;
	ST_OK(gx_search_set(t, w->x.fid, RESTART_SEARCH | RECURSIVE_SEARCH, u.restr, &top, 1));
	if (so_one_in(w, 3))
		ck_assert_int_eq(gx_search__moved(t, &top, 1), 0);
}

/* Most searches are through when they are set, and leave nothing to the background: this one looks at a few messages only. */
static bool pick_run(struct so_world *w)
{
	unsigned pacing = w->s->o.search_pacing;
	memset(&u, 0, sizeof(u));
	u.restr = restrs[so_rand(w, 2)];
	w->x.fid = some_search(w);
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	begin_search(w, t);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	w->s->o.search_pacing = pacing;
	return so_number(w, "SELECT COUNT(*) FROM search WHERE state IN (1,3)") > 0;
}

/* In some portions, each a commit. */
static gx_ec run_run(struct so_world *w, struct gx_txn *t)
{
	unsigned pacing = w->s->o.search_pacing;
	(void)t;
	w->s->o.search_pacing = 1 + (unsigned)w->nmsgs / 6;
	int err = gx_search_run(w->s, 100000, &w->x.on);
	w->s->o.search_pacing = pacing;
	return gx_ec_from_err(err);
}

static void check_run(struct so_world *w)
{
	ck_assert(w->x.on);
	so_check_searches(w);
}

static gx_ec run_index(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return gx_ec_from_err(gx_store_index(w->s, 100000, &w->x.on));
}

static void check_index(struct so_world *w)
{
	ck_assert(w->x.on);
}

/* ---- Words ---- */

static bool pick_words(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagSubject;
	struct gx_proplist l;
	if (!so_msgs(w, 1, false))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, w->x.mids[0], &tag, 1, w->a, &l));
	gx_txn_abort(t);
	u.word = gx_proplist_str(&l, tag, "");
	return strlen(u.word) >= 3;
}

static gx_ec run_words(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_search_texts(t, 0, &u.word, 1, w->a, &u.found);
	return !gx_ec_failed(ec) && !gx_candidates_have(&u.found, w->x.mids[0]) ? GX_EC(ecNotFound) : ec;
}

static const struct so_op rows[] = {
	{"search_new", SO_WRITE, pick_new, run_new, check_set},
	{"search_set", SO_WRITE, pick_set, run_set, check_set},
	{"search_stop", SO_WRITE, pick_stop, run_stop, check_stop},
	{"search_link", SO_WRITE, pick_link, run_link, check_link},
	{"search_run", SO_OWN | SO_STEPS, pick_run, run_run, check_run},
	{"index", SO_OWN, NULL, run_index, check_index},
	{"words", SO_READ, pick_words, run_words, NULL},
	{"search_delete", SO_WRITE, pick_delete, run_delete, NULL},
};
SO_OPS(so_search_ops, rows);
