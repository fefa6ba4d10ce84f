/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th call of the file system fails (failtest.h): reads, writes (wholly, or after half their work),
 * flushes, and all others, once or for as long as the operation lasts. The failure is reported, leaves no
 * trace, and the store goes on.
 */
#include <config.h>
#include "libgxstore/faults/failtest.h"

#define SAMPLE 4

static const struct {
	const char *name;
	int kind;
	unsigned mask;
	bool sticky, cold; /* cold: the store was just opened, and must read */
} cases[] = {
	{"a call fails", FAULT_EIO, FAULT_ANY, false, false},
	{"a call fails in a store just opened", FAULT_EIO, FAULT_ANY, false, true},
	{"the disk goes away", FAULT_EIO, FAULT_ANY, true, false},
	{"the disk is full", FAULT_ENOSPC, FAULT_SPACE, true, false},
	{"the disk is full in the middle of a write", FAULT_SHORT, FAULT_WRITE, false, false},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* The cause is told: as far as the disk was full, that. */
static void check_error(const struct so_op *op, const struct so_result *r, int kind)
{
	int err = r->err != 0 ? r->err : gx_ec_to_err(r->ec);
	ck_assert_msg(err == GX_E_IO || (err == GX_E_NOSPACE && kind != FAULT_EIO), "%s: error %d, %s", op->name, r->err, gx_ec_name(r->ec));
}

/* @return whether the fault came */
static bool once(const struct so_op *op, size_t c, unsigned long n)
{
	struct so_result r;
	fault_arm(f, n, cases[c].kind, cases[c].mask, cases[c].sticky);
	so_run(&w, op, &r);
	bool hit = fault_disarm(f);
	ck_assert_msg(hit || r.done, "%s: %d %s without a fault", op->name, r.err, gx_ec_name(r.ec));
	if (!r.done)
		check_error(op, &r, cases[c].kind);
	bool same = unchanged();
	/* Without a transaction of the test the store is marked as in use by a commit, too. */
	bool own = (op->kind & SO_KIND) == SO_OWN, in_doubt = r.in_doubt && (!own || cases[c].sticky);
	ck_assert_msg(r.done || in_doubt || r.partly || same, "%s, %s, call %lu: failed with %d %s and left something", op->name, cases[c].name, n,
		r.err, gx_ec_name(r.ec));
	ck_assert_msg(!in_doubt || cases[c].sticky, "%s: a flush that failed once was not mended", op->name);
	/* And safe as soon as the disk flushes. Readers leave that to others, and do without what they would have to write. */
	if (r.in_doubt || (hit && (op->kind & SO_KIND) == SO_READ))
		ck_assert_int_eq(gx_store_sync(w.s), 0);
	so_finish(&w, op, &r);
	return hit;
}

static bool prepared(const struct so_op *op, size_t c, unsigned long n, int sync)
{
	if (cases[c].cold)
		so_reopen(&w);
	prepare(op);
	unchanged();
	w.sync = sync;
	return once(op, c, n);
}

static void try_case(const struct so_op *op, size_t c, unsigned long most)
{
	prepared(op, c, COUNT_ONLY, GX_SYNC_NOW);
	unsigned long n, all = COUNT_ONLY - f->left;
	unsigned long missed = 0;
	tell_size(op, cases[c].name, all);
	for (unsigned long i = 0; !is_enough(missed, all) && (n = point(i, all, most)) > 0; i++) {
		bool hit = prepared(op, c, n, n % 2 == 0 ? GX_SYNC_NOW : GX_SYNC_LATER);
		injections += hit;
		if (most == 0) {
			bool other = prepared(op, c, n, n % 2 == 0 ? GX_SYNC_LATER : GX_SYNC_NOW);
			injections += other;
			missed = hit || other ? 0 : missed + 1;
		}
		if (i % 32 == 31)
			so_verify(&w);
		if (is_time_to_renew(i, most)) {
			renew();
			prepared(op, c, COUNT_ONLY, GX_SYNC_NOW);
		}
	}
	end_case(op, cases[c].name);
}

static void try_cases(const struct so_op *op, unsigned long most)
{
	for (size_t c = 0; c < CASES; c++)
		try_case(op, c, most);
	so_reopen(&w);
	so_verify(&w);
	ck_assert_uint_eq(so_stray_files(&w), 0);
	so_check_originals(w.s);
	if (!(op->kind & SO_FILELESS))
		end_op(op);
}

START_TEST(failures_leave_no_trace)
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

START_TEST(failures_with_other_seeds)
{
	go_on(one_more);
}
END_TEST

/* ---- Opening, closing, making ---- */

static bool open_once(size_t c, unsigned long n)
{
	struct gx_store *s = NULL;
	const char *why = "";
	fault_arm(f, n, cases[c].kind, cases[c].mask, cases[c].sticky);
	int err = gx_store__open_on(&f->fs, w.dir, &w.opts, &s, w.a, &why);
	bool hit = fault_disarm(f);
	ck_assert_msg(err == 0 || (hit && (err == GX_E_IO || err == GX_E_NOSPACE)), "%s, call %lu: %d, %s", cases[c].name, n, err, why);
	ck_assert_msg(err == 0 || strstr(why, w.dir) != NULL, "%s, call %lu: %d says \"%s\"", cases[c].name, n, err, why);
	if (err == 0)
		gx_store_close(s);
	return hit;
}

START_TEST(failures_to_open_leave_no_trace)
{
	for (size_t c = 0; c < CASES; c++) {
		leave_unclean();
		unsigned long n = 1;
		while (open_once(c, n))
			n++;
		ck_assert_uint_gt(n, 3);
		so_again(&w);
		so_verify(&w);
		ck_assert_uint_eq(so_stray_files(&w), 0);
		so_check_originals(w.s);
	}
}
END_TEST

/* Nothing can be told by then: the next opening makes it good. */
START_TEST(failures_to_close_are_made_good)
{
	for (size_t c = 0; c < CASES; c++) {
		bool hit = true;
		for (unsigned long n = 1; hit; n++) {
			const struct so_op *op = so_op_named(n % 2 == 0 ? "insert" : "sync");
			struct so_result r;
			prepare(op);
			so_run(&w, op, &r);
			unchanged();
			fault_arm(f, n, cases[c].kind, cases[c].mask, cases[c].sticky);
			so_shut(&w);
			hit = fault_disarm(f);
			so_again(&w);
			ck_assert(unchanged());
			if (n % 32 == 0 || !hit)
				so_verify(&w);
		}
		so_reopen(&w);
		ck_assert_uint_eq(so_stray_files(&w), 0);
	}
}
END_TEST

static bool create_once(size_t c, unsigned long n, bool overwrite)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store *s = NULL;
	const char *why = "";
	char path[700];
	snprintf(path, sizeof(path), "%s/new/store", w.dir);
	o.overwrite = overwrite;
	fault_arm(f, n, cases[c].kind, cases[c].mask, cases[c].sticky);
	int err = gx_store__create_on(&f->fs, path, &o, w.a, &why);
	bool hit = fault_disarm(f);
	ck_assert_msg(err == 0 || (hit && (err == GX_E_IO || err == GX_E_NOSPACE)), "%s, call %lu: %d, %s", cases[c].name, n, err, why);
	ck_assert_msg(err == 0 || *why == '/', "%s, call %lu: %d says \"%s\"", cases[c].name, n, err, why);
	int found = gx_store__open_on(&f->fs, path, NULL, &s, w.a, &why);
	/* What is in its place already cannot be taken away from a disk that does nothing any more. */
	bool may_stay = overwrite || cases[c].sticky;
	ck_assert_msg(found == 0 ? err == 0 || may_stay : found == GX_E_NOTFOUND && err != 0 && !overwrite,
		"%s, call %lu: create %d, open %d", cases[c].name, n, err, found);
	if (found == 0)
		st_verify(s);
	gx_store_close(s);
	if (found == 0 && !overwrite) {
		snprintf(path, sizeof(path), "%s/new", w.dir);
		st_rmtree(path);
	}
	return hit;
}

/*
 * Most calls of a creation are the same few, once for each table. Two ways to fail take turns with
 * them; as long as GX_SOAK_SECONDS last each fails in all ways.
 */
static unsigned long next_call(size_t c, unsigned long n)
{
	n++;
	while (!time_left() && n > 60 && n % 2 != c / 2 % 2)
		n++;
	return n;
}

START_TEST(failures_to_create_leave_no_store)
{
	for (size_t c = 0; c < CASES; c++) {
		unsigned long n = 1;
		if (cases[c].cold) /* there is no store yet: the same as the one before */
			continue;
		if (_i > 0) {
			char path[700];
			snprintf(path, sizeof(path), "%s/new/store", w.dir);
			if (c == 0)
				st_create(path);
		}
		while (create_once(c, n, _i > 0))
			n = next_call(c, n);
		ck_assert_uint_gt(n, 3);
	}
}
END_TEST

static TCase *tcase(Suite *su, const char *name, bool public)
{
	TCase *c = tcase_create(name);
	tcase_set_timeout(c, 36000);
	tcase_add_unchecked_fixture(c, public ? setup_public_template : setup_template, public ? remove_public_template : remove_template);
	tcase_add_checked_fixture(c, public ? setup_public : setup, teardown);
	suite_add_tcase(su, c);
	return c;
}

static void add_stores(TCase *c)
{
	tcase_add_test(c, failures_to_open_leave_no_trace);
	tcase_add_test(c, failures_to_close_are_made_good);
	tcase_add_loop_test(c, failures_to_create_leave_no_store, 0, 2);
}

static void add_more(Suite *su)
{
	TCase *c = tcase_create("more");
	tcase_set_timeout(c, 36000);
	tcase_add_test(c, failures_with_other_seeds);
	suite_add_tcase(su, c);
}

static Suite *suite(void)
{
	Suite *su = suite_create("iofail");
	read_environment();
	if (has_operations(false))
		add_operations(tcase(su, "operations", false), failures_leave_no_trace, false);
	if (has_operations(true))
		add_operations(tcase(su, "public", true), failures_leave_no_trace, true);
	if (chosen == NULL)
		add_stores(tcase(su, "stores", false));
	if (until != 0)
		add_more(su);
	return su;
}

GXTEST_MAIN(suite)
