/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests share in which the n-th call of something fails: check_iofail.c, check_oom.c.
 *
 * An operation is run once to count its calls, and then again and again with a failure in one of them:
 * in each when they are few, else in some that the seed chooses. GX_SEED sets the seed.
 *
 * The complete form fails each of them: GX_SOAK_SECONDS of all, from one that the seed chooses, until the seconds are
 * over; when there is time left it goes on with new seeds. GX_OP=name does that operation alone, to the end, and nothing
 * else; with GX_SOAK_SECONDS, too, it goes on with new seeds of the same.
 */
#ifndef GXSTORE_FAILTEST_H
#define GXSTORE_FAILTEST_H
#include <limits.h>
#include <time.h>
#include "libgxstore/faults/storeops.h"

#define COUNT_ONLY (ULONG_MAX / 2) /* a call that never comes */

static char template[512], public_template[512];
static const char *made_from; /* one of them, or another */
static struct so_world w;
static struct fault *f;
static uint8_t before[SO_HASH];

static uint64_t seed = 1, rng;
static time_t until; /* of GX_SOAK_SECONDS */
static const struct so_op *chosen; /* of GX_OP */

/* In the program's own process. */
static inline void read_environment(void)
{
	const char *s = getenv("GX_SEED"), *seconds = getenv("GX_SOAK_SECONDS");
	chosen = so_chosen();
	if (seconds != NULL) {
		until = time(NULL) + strtol(seconds, NULL, 10);
		seed = (uint64_t)time(NULL);
	}
	if (s != NULL)
		seed = strtoull(s, NULL, 10);
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
}

static inline void setup_template(void)
{
	so_make_template(template, sizeof(template), false, seed);
}

static inline void setup_public_template(void)
{
	so_make_template(public_template, sizeof(public_template), true, seed);
}

static inline void remove_template(void)
{
	st_rmtree(template);
}

static inline void remove_public_template(void)
{
	st_rmtree(public_template);
}

static inline void setup_from(const char *from)
{
	char dir[sizeof(w.dir)];
	made_from = from;
	so_copy_store(from, dir, sizeof(dir));
	f = fault_new(dir, false);
	so_open(&w, &f->fs, dir, 6 + seed);
	w.serial = 100000;
	rng = seed * 2 + 1;
}

static inline void setup(void)
{
	setup_from(template);
}

static inline void setup_public(void)
{
	setup_from(public_template);
}

static inline void teardown(void)
{
	so_close(&w);
	fault_free(f);
	st_rmtree(w.dir);
}

/*
 * The store as it was in the beginning: an operation that adds to what is there would take longer each time, and never
 * come to an end of its calls.
 */
static inline void renew(void)
{
	uint64_t go_on_with = w.rng;
	teardown();
	setup_from(made_from);
	w.rng = go_on_with;
}

/* Since the last call. */
static inline bool unchanged(void)
{
	uint8_t now[SO_HASH];
	so_world_fingerprint(&w, now);
	bool same = memcmp(before, now, SO_HASH) == 0;
	memcpy(before, now, SO_HASH);
	return same;
}

static inline void do_each(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct so_result r;
		const struct so_op *op = so_op_named(names[i]);
		if (!so_prepare(&w, op))
			continue;
		so_run(&w, op, &r);
		ck_assert(r.done);
	}
}

static inline bool is_full(void)
{
	return w.nfolders > SO_FOLDERS - 24 || w.nmsgs > SO_MSGS - 220;
}

static inline void make_room(void)
{
	static const char *const ops[] = {"search_delete", "folder_delete_deleted", "delete_deleted", "folder_delete_hard", "delete_hard"};
	for (unsigned i = 0; i < 40 && (i < 6 || is_full()); i++)
		do_each(ops, sizeof(ops) / sizeof(ops[0]));
}

/* What most operations lack when they have used up theirs: much less than all that so_fill() does. */
static inline void bring_some(void)
{
	static const char *const ops[] = {"folder_create", "insert_object", "insert", "insert_attached_file", "delete", "folder_create", "folder_delete",
		"rules_add", "search_new", "search_set"};
	do_each(ops, sizeof(ops) / sizeof(ops[0]));
}

static inline void prepare(const struct so_op *op)
{
	for (unsigned i = 0; i < 40; i++) {
		if (so_prepare(&w, op))
			return;
		if (i % 20 == 9 || (i == 0 && is_full()))
			make_room(); /* it has made as many as there may be */
		else if (i % 20 == 19)
			so_fill(&w); /* it has used up what was there */
		else if (i % 4 == 3)
			bring_some();
	}
	ck_abort_msg("%s finds nothing to work on", op->name);
}

/* By a kill, and the machine has started anew since. */
static inline void leave_unclean(void)
{
	so_leave_unclean(&w);
	snprintf(f->boot, sizeof(f->boot), "another");
}

/*
 * The i-th of those from @first to @end; when the seconds are over none: NULL. In the complete form it is named before
 * it begins.
 */
static inline const struct so_op *choose_op(int i, int first, int end)
{
	unsigned turn = until != 0 ? (unsigned)(seed % (unsigned)(end - first)) : 0;
	const struct so_op *op = so_op((size_t)first + ((unsigned)(i - first) + turn) % (unsigned)(end - first));
	if (chosen != NULL)
		return chosen;
	if (until != 0 && time(NULL) >= until)
		return NULL;
	if (until != 0) {
		printf("# %s\n", op->name);
		fflush(stdout);
	}
	return op;
}

/* Of GX_SOAK_SECONDS. */
static inline bool time_left(void)
{
	return until != 0 && time(NULL) < until;
}

/* Is each call to fail? */
static inline bool is_complete(void)
{
	return until != 0 || chosen != NULL;
}

/* Before a case that takes its time. */
static inline void tell_size(const struct so_op *op, const char *what, unsigned long calls)
{
	if (!is_complete())
		return;
	printf("# %s, %s: about %lu\n", op->name, what, calls);
	fflush(stdout);
}

/* In the complete form, after @i calls. */
static inline bool is_time_to_renew(unsigned long i, unsigned long most)
{
	return most == 0 && i % 64 == 63;
}

/* Numbers in a row that were too high for the operation, which made about @calls: what it finds to do differs from time to time. */
static inline bool is_enough(unsigned long missed, unsigned long calls)
{
	return missed >= 16 + calls / 8;
}

static unsigned long injections, all_injections; /* failures that came, of this case, of this operation */

static inline void end_case(const struct so_op *op, const char *what)
{
	if (is_complete())
		so_tell(op, what, injections);
	all_injections += injections;
	injections = 0;
}

/* Nothing failed: the operation found nothing to do, and all of this said nothing. */
static inline void end_op(const struct so_op *op)
{
	ck_assert_msg(all_injections > 0, "%s: nothing in it could fail", op->name);
	all_injections = 0;
}

/*
 * The calls to fail, one after the other: @i from 0, of an operation that makes about @calls.
 * @most are tried: one of each part. 0 behind the last; with @most 0 all of them, and the caller has to see the end.
 */
static inline unsigned long point(unsigned long i, unsigned long calls, unsigned long most)
{
	if (most == 0)
		return i + 1;
	if (calls <= most)
		return i < calls ? i + 1 : 0;
	if (i >= most)
		return 0;
	unsigned long first = i * calls / most, end = (i + 1) * calls / most;
	return 1 + first + (unsigned long)(fdisk_random(&rng) >> 33) % (end - first);
}

/* With a new seed each time until the seconds are over: a store of its own, and an operation on it. */
static inline void go_on(void (*one)(const struct so_op *op))
{
	while (time(NULL) < until) {
		seed++;
		bool public = chosen != NULL ? chosen->kind & SO_PUBLIC : seed % 4 == 3;
		const struct so_op *op = chosen != NULL ? chosen : so_op(seed * UINT64_C(0x9e3779b97f4a7c15) % so_op_count(public));
		char dir[512];
		printf("# seed %llu: %s\n", (unsigned long long)seed, op->name);
		fflush(stdout);
		so_make_template(dir, sizeof(dir), public, seed);
		setup_from(dir);
		one(op);
		teardown();
		st_rmtree(dir);
	}
}

/* Those for any store, and those for public ones behind them. */
static inline int count_ops(void)
{
	return (int)so_op_count(false);
}

static inline int count_all_ops(void)
{
	return (int)so_op_count(true);
}

/* Those of a private or of the public store: all, or the one that was chosen. */
static inline void add_operations(TCase *c, const TTest *test, bool public)
{
	int first = public ? count_ops() : 0, end = public ? count_all_ops() : count_ops();
	if (chosen != NULL) {
		first = (int)so_op_index(chosen);
		end = first + 1;
	}
	tcase_add_loop_test(c, test, first, end);
}

static inline bool has_operations(bool public)
{
	return chosen == NULL || !(chosen->kind & SO_PUBLIC) != public;
}
#endif
