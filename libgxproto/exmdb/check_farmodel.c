/* SPDX-License-Identifier: Apache-2.0 */
/* The same random work on a store of this process and on one through its owner: answers, numbers and views are equal. */
#include <config.h>
#include "libgxproto/exmdb/fartest.h"

enum { STEPS = 400, MIDS = 300, FOLDERS = 4 };

struct side {
	struct gx_store *s;
	struct gx_imapview *v[FOLDERS];
	struct gx_strbuf told;
};

static struct side far, near;
static char near_dir[512];
static uint64_t fids[FOLDERS], mids[MIDS], fid_of[MIDS];
static size_t nmids;
static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void told_expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	gx_strbuf_printf(ctx, "-%u/%u ", seq, uid);
}

static void told_changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	gx_strbuf_printf(ctx, "~%u/%u/%x/%u ", seq, e->uid, e->flags, e->kwset);
}

static void told_exists(uint32_t count, uint32_t recent, void *ctx)
{
	gx_strbuf_printf(ctx, "=%u/%u ", count, recent);
}

static void refresh(struct side *d, unsigned f, bool expunge)
{
	struct gx_imapview_sink sink = {told_expunged, told_changed, told_exists, &d->told};
	gx_strbuf_clear(&d->told);
	ST_OK(gx_imapview_refresh(d->v[f], expunge, &sink));
}

static void same_views(unsigned f, bool expunge)
{
	refresh(&far, f, expunge);
	refresh(&near, f, expunge);
	ck_assert_str_eq(gx_strbuf_cstr(&far.told), gx_strbuf_cstr(&near.told));
	uint32_t n = gx_imapview_count(near.v[f]);
	ck_assert_uint_eq(gx_imapview_count(far.v[f]), n);
	ck_assert_uint_eq(gx_imapview_uidnext(far.v[f]), gx_imapview_uidnext(near.v[f]));
	ck_assert_uint_eq(gx_imapview_modseq(far.v[f]), gx_imapview_modseq(near.v[f]));
	for (uint32_t i = 1; i <= n; ++i) {
		const struct gx_uid_entry theirs = gx_imapview_at(far.v[f], i), ours = gx_imapview_at(near.v[f], i);
		ck_assert_mem_eq(&theirs, &ours, sizeof(ours));
	}
}

/* ---- Steps: each does the same on a side, from the same numbers, and says what came of it ---- */

struct step {
	int kind;
	uint32_t a, b, c, flags;
	uint64_t v[8], fid, to;
	size_t n;
	bool commit;
};
enum { INSERT, FLAGS, DELETE, COPY, MOVE, SUBSCRIBE, KINDS };

static struct step choose(void)
{
	struct step st = {.kind = (int)rnd(KINDS), .a = rnd(1000), .b = rnd(3), .c = rnd(4), .flags = rnd(0x80), .commit = rnd(5) != 0};
	st.fid = fids[rnd(FOLDERS)];
	st.to = fids[rnd(FOLDERS)];
	for (size_t i = 0; nmids > 0 && i < 8; ++i) {
		size_t k = rnd((uint32_t)nmids);
		if (fid_of[k] == st.fid)
			st.v[st.n++] = mids[k];
	}
	return st;
}

static gx_ec perform(struct gx_txn *t, const struct step *st, struct gx_msg_ids *ids)
{
	static const char *const none[] = {NULL}, *const one[] = {"one", NULL}, *const two[] = {"two", "One", NULL};
	static const char *const *const words[] = {NULL, none, one, two};
	struct gx_flag_change c = {(int)st->b, st->flags, words[st->c], st->a % 3 == 0 ? 40 + st->a : UINT64_MAX};
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	uint64_t *skipped;
	size_t nskipped;
	o.flags = st->flags;
	o.keywords = words[st->c];
	o.received = 1;
	switch (st->kind) {
	case INSERT: return gx_msg_insert(t, st->fid, st_message(a, st->a, 300 + st->a * 5), &o, &ids[0]);
	case FLAGS: return gx_msg_change_flags(t, st->fid, st->v, st->n, &c, a, &skipped, &nskipped);
	case DELETE: return gx_msg_delete(t, st->fid, st->v, st->n < 2 ? st->n : 2, st->b == 0);
	case COPY: return gx_msg_copy(t, st->fid, st->v, st->n, st->to, false, ids);
	case MOVE: return gx_msg_copy(t, st->fid, st->v, st->n, st->to, true, ids);
	default: return gx_folder_set_subscribed(t, st->fid, st->b == 0);
	}
}

static gx_ec on(struct side *d, const struct step *st, struct gx_msg_ids *ids)
{
	struct gx_txn *t = st_begin(d->s, GX_TXN_WRITE);
	gx_ec ec = perform(t, st, ids);
	if (gx_ec_failed(ec) || !st->commit)
		gx_txn_abort(t);
	else
		ck_assert_int_eq(gx_txn_commit(t, st->a % 7 == 0 ? GX_SYNC_NOW : GX_SYNC_LATER), 0);
	return ec;
}

static void remember(uint64_t mid, uint64_t fid)
{
	size_t k = nmids < MIDS ? nmids++ : rnd(MIDS);
	mids[k] = mid;
	fid_of[k] = fid;
}

static void step(void)
{
	struct step st = choose();
	struct gx_msg_ids x1[8] = {0}, x2[8] = {0};
	gx_ec e1 = on(&far, &st, x1), e2 = on(&near, &st, x2);
	ck_assert_msg(e1.v == e2.v, "step %d: %s and %s", st.kind, gx_ec_name(e1), gx_ec_name(e2));
	if (gx_ec_failed(e1))
		return;
	for (size_t i = 0; i < 8; ++i) {
		ck_assert(x1[i].mid == x2[i].mid && x1[i].cn == x2[i].cn && x1[i].uid == x2[i].uid);
		if (x1[i].mid != 0 && st.commit)
			remember(x1[i].mid, st.kind == INSERT ? st.fid : st.to);
	}
}

static void begin_side(struct side *d, struct gx_store *of)
{
	d->s = of;
	for (unsigned i = 0; i < FOLDERS; ++i)
		d->v[i] = st_view(of, fids[i]);
}

static void end_side(struct side *d)
{
	for (unsigned i = 0; i < FOLDERS; ++i)
		gx_imapview_close(d->v[i]);
	gx_strbuf_release(&d->told);
}

/* Now and then the owner is started anew: views are then read as a whole. */
START_TEST(both_ways_agree)
{
	seed = (uint32_t)_i * 77 + 5;
	fids[0] = GX_FID_INBOX, fids[1] = GX_FID_SENT, fids[2] = GX_FID_DRAFTS, fids[3] = GX_FID_DELETED;
	snprintf(near_dir, sizeof(near_dir), "%s", st_dir());
	st_create(near_dir);
	begin_side(&far, s);
	begin_side(&near, st_open(near_dir));
	for (unsigned i = 0; i < STEPS; ++i) {
		step();
		if (i % 100 == 60 && _i == 1) {
			owner_end();
			owner_begin();
		}
		if (rnd(3) == 0)
			same_views(rnd(FOLDERS), rnd(2) == 0);
	}
	for (unsigned f = 0; f < FOLDERS; ++f)
		same_views(f, true);
	end_side(&far);
	end_side(&near);
	st_verify(near.s);
	gx_store_close(near.s);
	st_rmtree(near_dir);
}
END_TEST

static void setup_relayed(void)
{
	relayed = true;
	far_setup();
}

static Suite *suite(void)
{
	Suite *su = suite_create("farmodel");
	TCase *c = tcase_create("model");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, far_setup, far_teardown);
	tcase_add_loop_test(c, both_ways_agree, 0, 3);
	suite_add_tcase(su, c);
	c = tcase_create("relayed");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup_relayed, far_teardown);
	tcase_add_loop_test(c, both_ways_agree, 0, 2);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
