/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that keep copies of folders by synchronisation, while everything that can happen to messages
 * happens at random: after each synchronisation the copy is what the folder is.
 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/ics/icstest.h"

#define FOLDERS 3
#define CLIENTS 5
#define ITEMS 1500 /* messages a folder may have */

struct item {
	uint64_t mid, cn;
	bool fai, read;
	char subject[24];
};
struct client {
	uint64_t fid;
	struct gx_globset given, seen, seen_fai, read;
	bool normal, fai, want_read, ordered;
	const struct gx_restr *restr;
	struct item v[ITEMS];
	size_t n;
};
static struct {
	struct gx_store *s;
	struct gx_arena *a;
	char dir[512];
	uint64_t fid[FOLDERS];
	struct client c[CLIENTS];
	uint64_t seed;
	unsigned text;
	bool reconfigured;
} w;

static const struct gx_restr sevens = {.type = RES_CONTENT, .u.content = {.level = FL_SUBSTRING, .tag = PidTagSubject,
	.val = {.tag = PidTagSubject, .v.str = "7"}}};
static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {.relop = BMR_EQZ, .tag = PidTagMessageFlags, .mask = 1}};

static uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

/* ---- The folder as it is ---- */

static bool wanted(const struct client *c, const struct item *i)
{
	if (i->fai ? !c->fai : !c->normal)
		return false;
	return c->restr == NULL || (c->restr == &sevens ? strchr(i->subject, '7') != NULL : !i->read);
}

static void read_item(struct gx_txn *t, uint64_t mid, struct item *ret_i)
{
	struct gx_msg_info info;
	struct gx_proplist l;
	const gx_proptag_t tag = PidTagSubject;
	gx_arena_reset(w.a);
	ST_OK(gx_msg_get(t, mid, &info));
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, w.a, &l));
	*ret_i = (struct item){.mid = mid, .cn = info.cn, .fai = (info.flags & GX_MSGF_FAI) != 0, .read = (info.flags & GX_MSGF_READ) != 0};
	snprintf(ret_i->subject, sizeof(ret_i->subject), "%s", gx_proplist_str(&l, PidTagSubject, ""));
}

static size_t mids_of(struct gx_txn *t, uint64_t fid, bool deleted, uint64_t *v)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND (uid=0)=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, deleted);
	size_t n = 0;
	while (gx_sql__step(st) > 0) {
		ck_assert_uint_lt(n, ITEMS);
		v[n++] = gx_sql__u64(st, 0);
	}
	return n;
}

/* ---- The client's copy ---- */

static struct item *find(struct client *c, uint64_t mid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mid == mid)
			return &c->v[i];
	return NULL;
}

static void drop(struct client *c, const struct gx_globset *set)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(set, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			struct item *i = find(c, mid);
			ck_assert_ptr_nonnull(i); /* told of what it never had, or twice */
			*i = c->v[--c->n];
		}
}

static void set_read(struct client *c, const struct gx_globset *set, bool read)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(set, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			ck_assert_ptr_nonnull(find(c, mid));
			find(c, mid)->read = read;
		}
}

static void take_change(struct client *c, struct gx_txn *t, const struct gx_ics_change *ch)
{
	struct item *i = find(c, ch->mid);
	ck_assert_int_eq(ch->updated, gx_globset_contains(&c->given, ch->mid));
	ck_assert(i == NULL || i->cn != ch->cn); /* it had that already */
	if (i == NULL) {
		ck_assert_uint_lt(c->n, ITEMS);
		i = &c->v[c->n++];
	}
	read_item(t, ch->mid, i);
	ck_assert_uint_eq(i->cn, ch->cn);
	ck_assert_int_eq(i->fai, ch->fai);
	ck_assert(wanted(c, i));
}

static void add(struct gx_globset *g, uint64_t lo, uint64_t hi)
{
	if (hi >= lo)
		ck_assert_int_eq(gx_globset_add_range(g, lo, hi), 0);
}

/* It got some of the changes and then lost the connection; what it has it notes one by one. */
static void interrupted(struct client *c, struct gx_txn *t, struct gx_ics_content *x)
{
	struct gx_ics_change ch;
	size_t n = rnd((uint32_t)gx_ics_content_count(x) + 1);
	while (n-- > 0 && ict_next(x, &ch)) {
		take_change(c, t, &ch);
		add(&c->given, ch.mid, ch.mid);
		add(ch.fai ? &c->seen_fai : &c->seen, ch.cn, ch.cn);
	}
}

static void complete(struct client *c, struct gx_txn *t, struct gx_ics_content *x)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	struct gx_ics_change ch, last = {0};
	bool keeps = !w.reconfigured && rnd(12) == 0; /* it wanted no deletions, and goes on having what is gone */
	for (size_t n = 0; ict_next(x, &ch); n++) {
		take_change(c, t, &ch);
		ck_assert(n == 0 || (c->ordered ? last.received >= ch.received : last.cn < ch.cn));
		last = ch;
	}
	const struct gx_globset *gone = gx_ics_content_set(x, GX_ICS_DELETED);
	if (!keeps)
		drop(c, gone);
	drop(c, gx_ics_content_set(x, GX_ICS_NOLONGER));
	gx_globset_release(&c->given);
	ck_assert_int_eq(keeps ? gx_globset_union(&c->given, gone) : 0, 0);
	set_read(c, gx_ics_content_set(x, GX_ICS_READ), true);
	set_read(c, gx_ics_content_set(x, GX_ICS_UNREAD), false);
	ck_assert_int_eq(gx_globset_union(&c->given, gx_ics_content_set(x, GX_ICS_GIVEN)), 0);
	add(&c->seen, 1, c->normal ? sum->last_cn : 0);
	add(&c->seen_fai, 1, c->fai ? sum->last_cn : 0);
	add(&c->read, 1, c->want_read ? sum->last_readcn : 0);
	ck_assert_uint_eq(c->n, c->given.count);
}

static void compare(struct client *c, struct gx_txn *t, const struct gx_globset *given)
{
	static uint64_t v[ITEMS];
	struct item now;
	size_t n = mids_of(t, c->fid, false, v), in = 0;
	for (size_t i = 0; i < n; i++) {
		read_item(t, v[i], &now);
		ck_assert_int_eq(wanted(c, &now), gx_globset_contains(given, now.mid));
		if (!wanted(c, &now))
			continue;
		in++;
		const struct item *mine = find(c, now.mid);
		ck_assert_ptr_nonnull(mine);
		ck_assert_uint_eq(mine->cn, now.cn);
		ck_assert_str_eq(mine->subject, now.subject);
		ck_assert(mine->read == now.read || !c->want_read || now.fai);
	}
	ck_assert_uint_eq(in, given->count);
}

static void synchronise(struct client *c)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *x = NULL;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	o.given = &c->given;
	o.seen = c->normal ? &c->seen : NULL;
	o.seen_fai = c->fai ? &c->seen_fai : NULL;
	o.read = c->want_read ? &c->read : NULL;
	o.restr = c->restr;
	o.ordered = c->ordered;
	ST_OK(gx_ics_content_open(t, c->fid, &o, &x));
	if (rnd(8) == 0) {
		interrupted(c, t, x);
	} else {
		complete(c, t, x);
		compare(c, t, gx_ics_content_set(x, GX_ICS_GIVEN));
	}
	gx_ics_content_free(x);
	gx_txn_abort(t);
}

/* ---- What happens ---- */

static void insert_some(struct gx_txn *t, uint64_t fid, uint32_t n)
{
	while (n-- > 0) {
		struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
		struct gx_msg_ids ids;
		gx_arena_reset(w.a);
		struct gx_msg_prepared *p = st_message(w.a, w.text++, 250);
		o.flags = (rnd(5) == 0 ? GX_MSGF_FAI : 0) | (rnd(3) == 0 ? GX_MSGF_READ : 0);
		o.received = 1 + rnd(1000);
		ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
		gx_msg_prepared_release(p);
	}
}

static void set_subject(struct gx_txn *t, uint64_t mid)
{
	struct gx_proplist l = {0};
	gx_arena_reset(w.a);
	ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagSubject, gx_arena_printf(w.a, "changed %u", w.text++)), 0);
	ST_OK(gx_msg_set_props(t, mid, &l));
}

static void change_flags(struct gx_txn *t, uint64_t fid, const uint64_t *v, size_t n)
{
	static const uint32_t flags[] = {GX_MSGF_READ, GX_MSGF_READ, GX_MSGF_READ, GX_MSGF_FLAGGED, GX_MSGF_ANSWERED, GX_MSGF_DELETED,
		GX_MSGF_RECENT, GX_MSGF_READ | GX_MSGF_FLAGGED, 0};
	static const char *const keywords[] = {"$Label1", NULL};
	struct gx_flag_change c = {.op = (int)rnd(3), .flags = flags[rnd(9)], .unchanged_since = UINT64_MAX};
	c.op = c.op == 0 ? GX_FLAGS_SET : c.op == 1 ? GX_FLAGS_ADD : GX_FLAGS_REMOVE;
	c.keywords = rnd(6) == 0 ? keywords : NULL;
	ST_OK(gx_msg_change_flags(t, fid, v, n, &c, NULL, NULL, NULL));
}

static void step(struct gx_txn *t)
{
	static uint64_t v[ITEMS];
	uint64_t fid = w.fid[rnd(FOLDERS)], to = w.fid[rnd(FOLDERS)];
	uint32_t what = rnd(100);
	size_t n = mids_of(t, fid, what >= 97, v);
	if (what < 30 || n == 0) {
		insert_some(t, fid, n > ITEMS / 4 ? 0 : 1 + rnd(4));
		return;
	}
	size_t from = rnd((uint32_t)n), some = 1 + rnd(4);
	some = some > n - from ? n - from : some;
	if (what < 48)
		set_subject(t, v[from]);
	else if (what < 70)
		change_flags(t, fid, v + from, some);
	else if (what < 76)
		ST_OK(gx_msg_copy(t, fid, v + from, some, to, true, NULL));
	else if (what < 80)
		ST_OK(gx_msg_copy(t, fid, v + from, some, to, false, NULL));
	else if (what < 96)
		ST_OK(gx_msg_delete(t, fid, v + from, some, rnd(2) != 0));
	else if (what < 97)
		ST_OK(gx_msg_delete(t, fid, v, n, rnd(2) != 0));
	else
		ST_OK(gx_msg_delete(t, fid, v + from, some, true));
}

static void reconfigure(struct client *c)
{
	static const struct gx_restr *const restr[] = {NULL, &sevens, &unread};
	switch (rnd(4)) {
	case 0:
		c->restr = restr[rnd(3)];
		break;
	case 1:
		c->fai = rnd(3) != 0;
		break;
	case 2:
		c->normal = rnd(6) != 0;
		break;
	default:
		c->ordered = rnd(2) != 0;
	}
}

static void run(uint64_t seed, unsigned steps, unsigned log_max, bool reconfigured)
{
	w.seed = seed;
	w.s->log_max = log_max;
	w.s->ics_run = seed % 2 == 0 ? 16 : 0;
	w.reconfigured = reconfigured;
	for (unsigned i = 0; i < steps; i++) {
		struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
		for (uint32_t k = 1 + rnd(4); k > 0; k--)
			step(t);
		if (rnd(15) == 0)
			gx_txn_abort(t);
		else
			st_commit(t);
		struct client *c = &w.c[rnd(CLIENTS)];
		if (reconfigured && rnd(6) == 0)
			reconfigure(c);
		if (rnd(3) == 0)
			synchronise(c);
		if (rnd(300) == 0) {
			gx_store_close(w.s);
			w.s = st_open(w.dir);
			w.s->log_max = log_max;
			w.s->ics_run = seed % 2 == 0 ? 16 : 0;
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		for (int k = 0; k < 3; k++)
			synchronise(&w.c[i]);
}

static void setup(void)
{
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (int i = 0; i < FOLDERS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "folder %d", i);
		ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, name, NULL, GX_FOLDER_GENERIC, NULL, &w.fid[i]));
	}
	st_commit(t);
	for (int i = 0; i < CLIENTS; i++)
		w.c[i] = (struct client){.fid = w.fid[i % FOLDERS], .normal = true, .fai = i != 3, .want_read = i != 4, .ordered = i == 1};
}

static void teardown(void)
{
	st_verify(w.s);
	for (int i = 0; i < CLIENTS; i++) {
		gx_globset_release(&w.c[i].given);
		gx_globset_release(&w.c[i].seen);
		gx_globset_release(&w.c[i].seen_fai);
		gx_globset_release(&w.c[i].read);
	}
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(w.dir);
}

START_TEST(by_the_log)
{
	run(1 + (uint64_t)_i, 900, 0, false);
}
END_TEST

START_TEST(log_too_short)
{
	run(100 + (uint64_t)_i, 900, 300 + 1500 * (unsigned)_i, false);
}
END_TEST

START_TEST(scope_changes)
{
	run(200 + (uint64_t)_i, 900, _i % 2 == 0 ? 0 : 800, true);
}
END_TEST

static Suite *icsmodel_suite(void)
{
	Suite *suite = suite_create("icsmodel");
	TCase *t = tcase_create("icsmodel");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, by_the_log, 0, 3);
	tcase_add_loop_test(t, log_too_short, 0, 2);
	tcase_add_loop_test(t, scope_changes, 0, 4);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(icsmodel_suite)
