/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails (failtest.h), of ours, of SQLite's, or the making of a zstd context; alone, or
 * with all that follow. The failure is reported, leaves no trace, and the store goes on. Linked with --wrap
 * for the functions below.
 */
#include <config.h>
#include <zstd.h>
#include <gx/snapshot.h>
#include <gx/storecheck.h>
#include "libgxstore/faults/failtest.h"
#include "libgxstore/storecheck/sc-int.h"

#define SAMPLE 12

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);

static long countdown; /* 0: never */
static bool sticky;
static long left; /* of it when it was disarmed */
static unsigned long hits;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	countdown = sticky ? 1 : 0;
	hits++;
	return true;
}

static void arm(long n, bool and_all)
{
	hits = 0;
	sticky = and_all;
	countdown = n;
}

static bool disarm(void)
{
	left = countdown;
	countdown = 0;
	return hits > 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
	return fails() ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
	return fails() ? NULL : __real_ZSTD_createDCtx();
}

static sqlite3_mem_methods lower;

static void *sql_malloc(int n)
{
	return fails() ? NULL : lower.xMalloc(n);
}

static void *sql_realloc(void *p, int n)
{
	return fails() ? NULL : lower.xRealloc(p, n);
}

/* ---- Operations ---- */

/* Nothing fails in the file system below: it is there to save the flushes. */
static void wrap_sqlite(void)
{
	sqlite3_mem_methods m;
	ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
	if (lower.xMalloc == NULL)
		ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &lower), SQLITE_OK);
	m = lower;
	m.xMalloc = sql_malloc;
	m.xRealloc = sql_realloc;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &m), SQLITE_OK);
}

static void setup_sqlite(void)
{
	wrap_sqlite();
	setup_template();
}

static void setup_sqlite_public(void)
{
	wrap_sqlite();
	setup_public_template();
}

static long step(long n)
{
	return time_left() || n < 40 ? n + 1 : n + n / 12;
}

/* @return whether it failed to get memory somewhere */
static bool once(const struct so_op *op, long n, bool and_all)
{
	struct so_result r;
	prepare(op);
	unchanged();
	arm(n, and_all);
	so_run(&w, op, &r);
	bool hit = disarm();
	bool same = unchanged();
	int err = r.err != 0 ? r.err : gx_ec_to_err(r.ec);
	ck_assert_msg(hit || r.done, "%s: error %d, %s, and all memory was there", op->name, r.err, gx_ec_name(r.ec));
	bool own = (op->kind & SO_KIND) == SO_OWN; /* its commits are those that mark the store as in use, too */
	ck_assert_msg(r.done || (r.in_doubt && !own) || r.partly || same, "%s, allocation %ld: failed with %d %s and left something", op->name, n, r.err,
		gx_ec_name(r.ec));
	ck_assert_msg(r.done || err == GX_E_NOMEM, "%s, allocation %ld: error %d, %s", op->name, n, r.err, gx_ec_name(r.ec));
	if (r.in_doubt)
		ck_assert_int_eq(gx_store_sync(w.s), 0);
	so_finish(&w, op, &r);
	return hit;
}

/* In a store that has been in use, in one just opened, with no memory from then on, with a flush of each commit. */
enum { WARM, COLD, NO_MORE, FLUSHED, CASES };
static const char *const case_names[CASES] = {"an allocation fails", "one fails in a store just opened", "no memory from then on",
	"one fails with a flush"};

static void try_case(const struct so_op *op, int how, unsigned long most)
{
	if (how == COLD)
		so_reopen(&w);
	w.sync = GX_SYNC_LATER;
	once(op, COUNT_ONLY, false);
	unsigned long n, all = COUNT_ONLY - (unsigned long)left;
	unsigned long missed = 0;
	tell_size(op, case_names[how], all);
	for (unsigned long i = 0; !is_enough(missed, all) && (n = point(i, all, most)) > 0; i++) {
		if (how == COLD)
			so_reopen(&w);
		w.sync = how == FLUSHED || (most != 0 && n % 4 == 0) ? GX_SYNC_NOW : GX_SYNC_LATER;
		bool hit = once(op, (long)n, how == NO_MORE);
		injections += hit;
		missed = hit || most != 0 ? 0 : missed + 1;
		if (i % 32 == 31)
			so_verify(&w);
		if (is_time_to_renew(i, most)) {
			renew();
			w.sync = GX_SYNC_LATER;
			once(op, COUNT_ONLY, false);
		}
	}
	end_case(op, case_names[how]);
}

static void try_cases(const struct so_op *op, unsigned long most)
{
	for (int how = 0; how < CASES; how++)
		if (how != FLUSHED || (most == 0 && (op->kind & SO_KIND) == SO_WRITE)) /* a sample flushes some of each case */
			try_case(op, how, most);
	so_verify(&w);
	so_reopen(&w);
	ck_assert_uint_eq(so_stray_files(&w), 0);
	so_check_originals(w.s);
	end_op(op);
}

START_TEST(every_allocation_may_fail)
{
	int n = count_ops(), all = count_all_ops();
	const struct so_op *op = _i < n ? choose_op(_i, 0, n) : choose_op(_i, n, all);
	if (op != NULL)
		try_cases(op, is_complete() ? 0 : SAMPLE);
}
END_TEST

static void one_more(const struct so_op *op)
{
	try_cases(op, 4 * SAMPLE);
}

START_TEST(allocations_with_other_seeds)
{
	go_on(one_more);
}
END_TEST

/* ---- Opening, closing, making ---- */

START_TEST(opening_may_fail)
{
	bool hit = true;
	if (_i % 2 == 1)
		leave_unclean();
	else
		so_shut(&w);
	for (long n = 1; hit; n = step(n)) {
		struct gx_store *s = NULL;
		arm(n, _i >= 2);
		int err = gx_store__open_on(&f->fs, w.dir, NULL, &s, NULL, NULL);
		hit = disarm();
		ck_assert_msg(err == 0 || (err == GX_E_NOMEM && hit), "error %d at allocation %ld", err, n);
		gx_store_close(s);
	}
	so_again(&w);
	so_verify(&w);
	ck_assert_uint_eq(so_stray_files(&w), 0);
}
END_TEST

START_TEST(closing_may_fail)
{
	bool hit = true;
	for (long n = 1; hit; n = step(n)) {
		struct so_result r;
		const struct so_op *op = so_op_named(n % 2 == 0 ? "insert" : "sync");
		prepare(op);
		so_run(&w, op, &r);
		unchanged();
		so_look_away(&w);
		arm(n, _i > 0);
		gx_store_close(w.s);
		hit = disarm();
		so_again(&w);
		ck_assert(unchanged());
	}
	so_reopen(&w);
	so_verify(&w);
	ck_assert_uint_eq(so_stray_files(&w), 0);
}
END_TEST

static void all_folders_there(struct gx_store *s)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_folder_info *v;
	size_t n;
	ST_OK(gx_folder_list(t, GX_FID_ROOT, true, a, &v, &n));
	ck_assert_uint_ge(n, 28);
	for (size_t i = 0; i < n; i++) {
		uint64_t fid = 0;
		ST_OK(gx_folder_by_name(t, v[i].parent, v[i].name, &fid));
		ck_assert_uint_eq(fid, v[i].fid);
	}
	gx_txn_abort(t);
	gx_arena_free(a);
}

START_TEST(creating_may_fail)
{
	bool hit = true;
	char path[700];
	snprintf(path, sizeof(path), "%s/new", w.dir);
	for (long n = 1; hit; n = step(n)) {
		struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
		struct gx_store *s = NULL;
		arm(n, _i > 0);
		int err = gx_store__create_on(&f->fs, path, &o, NULL, NULL);
		hit = disarm();
		ck_assert_msg(err == 0 || (err == GX_E_NOMEM && hit), "error %d at allocation %ld", err, n);
		int found = gx_store__open_on(&f->fs, path, NULL, &s, NULL, NULL);
		ck_assert_int_eq(found, err == 0 ? 0 : GX_E_NOTFOUND);
		if (found != 0)
			continue;
		st_verify(s);
		all_folders_there(s);
		gx_store_close(s);
		st_rmtree(path);
	}
}
END_TEST

static void give_properties(void)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	struct gx_proplist l = {0};
	ST_OK(gx_store_named_ids(t, true, &(struct gx_propname){.by_name = true, .name = "x"}, 1, &(uint16_t){0}));
	ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagComment, "something"), 0);
	ST_OK(gx_folder_set_props(t, GX_FID_INBOX, &l));
	ST_OK(gx_store_set_props(t, &l));
	st_commit(t);
}

static char finding[256]; /* the last one */

static void on_finding(const struct gx_store_finding *x, void *ctx)
{
	(void)ctx;
	snprintf(finding, sizeof(finding), "%s", x->text);
}

/* What could not be read for want of memory is no damage: a repair would throw it away. */
START_TEST(checking_may_fail)
{
	const char *only[] = {gx_sc__checks[_i / 2]->subs[0].check, NULL};
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	bool hit = true;
	o.only = only;
	o.repair = true;
	o.found = on_finding;
	give_properties();
	unchanged();
	struct gx_store_check_result r;
	ck_assert_int_eq(gx_store_check(w.s, &o, &r), 0); /* its statements are prepared from now on */
	for (long n = 1; hit; n = n < 100 ? n + 1 : step(n)) {
		r.found = 0;
		arm(n, _i % 2 == 1);
		int err = gx_store_check(w.s, &o, &r);
		hit = disarm();
		ck_assert_msg(err == 0 || (err == GX_E_NOMEM && hit), "%s: error %d at allocation %ld", *only, err, n);
		ck_assert_msg(r.found == 0, "%s: %llu findings at allocation %ld: %s", *only, (unsigned long long)r.found, n, finding);
	}
	ck_assert_msg(unchanged(), "%s left something", *only);
}
END_TEST

/* ---- A store as a whole, while it is closed ---- */

static bool lost; /* what there was no memory for was taken for damage, or left out */

static int salvage(const char *dir)
{
	struct gx_store_salvage_opts o = GX_STORE_SALVAGE_OPTS_INIT;
	struct gx_store_salvage_result r = {0};
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_store_salvage(dir, &o, &r, a, NULL);
	gx_arena_free(a);
	lost = r.gaps != 0;
	return err;
}

static int copy_tree(const char *dir)
{
	struct gx_copy_opts o = GX_COPY_OPTS_INIT;
	struct gx_copy_result r = {0};
	struct gx_arena *a = gx_arena_new(0);
	char to[600];
	snprintf(to, sizeof(to), "%s.copy", dir);
	int err = a == NULL ? GX_E_NOMEM : gx_tree_copy(dir, to, &o, &r, a, NULL);
	gx_arena_free(a);
	lost = r.left != 0;
	return err;
}

static int settle(const char *dir)
{
	struct gx_copy_opts o = GX_COPY_OPTS_INIT;
	struct gx_copy_result r = {0};
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_tree_settle(dir, &o, &r, a, NULL);
	gx_arena_free(a);
	lost = r.left != 0;
	return err;
}

static const struct {
	int (*run)(const char *dir);
	const char *suffix; /* of the directory to look into */
} whole[] = {{salvage, ""}, {copy_tree, ".copy"}, {settle, ""}};

/* @return whether it failed to get memory somewhere */
static bool once_whole(size_t which, long n, bool and_all, const uint8_t want[SO_HASH])
{
	char dir[512], result[600];
	uint8_t now[SO_HASH];
	so_copy_store(template, dir, sizeof(dir));
	snprintf(result, sizeof(result), "%s%s", dir, whole[which].suffix);
	arm(n, and_all);
	int err = whole[which].run(dir);
	bool hit = disarm();
	ck_assert_msg(err == 0 || (hit && err == GX_E_NOMEM), "error %d at allocation %ld", err, n);
	ck_assert_msg(!lost, "something is lost at allocation %ld", n);
	if (err == 0) {
		so_fingerprint(result, now);
		ck_assert_msg(memcmp(now, want, SO_HASH) == 0, "another one at allocation %ld", n);
	}
	st_rmtree(dir);
	if (access(result, F_OK) == 0)
		st_rmtree(result);
	return hit;
}

/* As if nothing had failed, or not at all. */
START_TEST(whole_stores_may_fail)
{
	size_t which = (size_t)_i / 2;
	uint8_t want[SO_HASH];
	char dir[512], result[600];
	unsigned long n, most = time_left() ? 0 : 2 * SAMPLE;
	unsigned long missed = 0;
	so_copy_store(template, dir, sizeof(dir));
	snprintf(result, sizeof(result), "%s%s", dir, whole[which].suffix);
	arm(COUNT_ONLY, false);
	ck_assert_int_eq(whole[which].run(dir), 0);
	disarm();
	so_fingerprint(result, want);
	st_rmtree(dir);
	if (*whole[which].suffix != '\0')
		st_rmtree(result);
	unsigned long all = COUNT_ONLY - (unsigned long)left;
	for (unsigned long i = 0; !is_enough(missed, all) && (n = point(i, all, most)) > 0; i++)
		missed = once_whole(which, (long)n, _i % 2 == 1, want) || most != 0 ? 0 : missed + 1;
}
END_TEST

static TCase *tcase(Suite *su, const char *name, bool public)
{
	TCase *c = tcase_create(name);
	tcase_set_timeout(c, 36000);
	tcase_add_unchecked_fixture(c, public ? setup_sqlite_public : setup_sqlite, public ? remove_public_template : remove_template);
	tcase_add_checked_fixture(c, public ? setup_public : setup, teardown);
	suite_add_tcase(su, c);
	return c;
}

static void add_stores(TCase *c)
{
	tcase_add_loop_test(c, opening_may_fail, 0, 4);
	tcase_add_loop_test(c, closing_may_fail, 0, 2);
	tcase_add_loop_test(c, creating_may_fail, 0, 2);
	tcase_add_loop_test(c, whole_stores_may_fail, 0, 2 * (int)(sizeof(whole) / sizeof(whole[0])));
	tcase_add_loop_test(c, checking_may_fail, 0, 2 * (int)gx_sc__check_count);
}

/* Each makes a store of its own. */
static void add_more(Suite *su)
{
	TCase *c = tcase_create("more");
	tcase_set_timeout(c, 36000);
	tcase_add_unchecked_fixture(c, wrap_sqlite, NULL);
	tcase_add_test(c, allocations_with_other_seeds);
	suite_add_tcase(su, c);
}

static Suite *suite(void)
{
	Suite *su = suite_create("oom");
	read_environment();
	if (has_operations(false))
		add_operations(tcase(su, "operations", false), every_allocation_may_fail, false);
	if (has_operations(true))
		add_operations(tcase(su, "public", true), every_allocation_may_fail, true);
	if (chosen == NULL)
		add_stores(tcase(su, "stores", false));
	if (until != 0)
		add_more(su);
	return su;
}

GXTEST_MAIN(suite)
