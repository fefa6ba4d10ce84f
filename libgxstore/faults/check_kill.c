/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that does random operations is killed at any moment, again and again. What it acknowledged is
 * there, what it was at is there wholly or not at all, and the store is clean.
 *
 * The same operations on a copy of the store, undisturbed, tell which states there are to be: each has its
 * fingerprint. So nothing may differ between two runs: the clock is the test's, and identifiers that would
 * be random are counted (linked with --wrap).
 *
 * A failure names its seed; GX_SEED takes it, though the moment of the kill is another one each time. GX_SOAK_SECONDS
 * does all of them, each by itself and then mixed with new seeds until the seconds are over. GX_OP=name does that operation
 * alone and nothing else: forty kills, or until the seconds are over.
 */
#include <config.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "libgxstore/faults/storeops.h"

#define OPS 30
#define STATES (OPS * 40)
#define KILLS 4 /* of a seed */
#define BEGUN 0x80000000u /* what a child tells: it is at the operation; else how many are done */

static struct {
	struct so_world w;
	struct fault *f;
	uint64_t rng, guids;
	int64_t now;
	const struct so_op *only; /* NULL: all of them */
	uint8_t state[STATES][SO_HASH];
	const char *name[STATES]; /* of the operation that brought it */
	const char *at;
	size_t nstates;
	size_t last[OPS + 1]; /* state after so many operations */
	unsigned long kills, in_flight;
} p;

int __wrap_gx_guid_random(struct gx_guid *ret_g);

int __wrap_gx_guid_random(struct gx_guid *ret_g)
{
	struct gx_guid g = {.d1 = (uint32_t)++p.guids, .d2 = 0x4b49};
	*ret_g = g;
	return 0;
}

static unsigned rnd(unsigned below)
{
	return (unsigned)(fdisk_random(&p.rng) >> 33) % below;
}

static const struct so_op *choose(struct so_world *w, uint64_t *rng)
{
	size_t i = (size_t)(fdisk_random(rng) >> 33) % so_op_count(w->public);
	return p.only != NULL ? p.only : so_op(i);
}

static bool prepare(struct so_world *w, const struct so_op *op, unsigned *fill)
{
	for (unsigned i = 0; i < (p.only == NULL ? 1 : 20); i++)
		if (so_prepare(w, op))
			return true;
	if (p.only != NULL && *fill > 0) {
		so_fill(w); /* it has used up what was there */
		--*fill;
	}
	return false;
}

/* The same for the same seed. @told of each when it is at it, and when it is done. */
static void operate(struct so_world *w, uint64_t seed, void (*told)(uint32_t n))
{
	uint64_t rng = seed * 2 + 1;
	unsigned fill = 2;
	for (uint32_t i = 0; i < OPS; i++) {
		struct so_result r;
		const struct so_op *op = choose(w, &rng);
		w->sync = fdisk_random(&rng) >> 33 & 1 ? GX_SYNC_NOW : GX_SYNC_LATER;
		p.at = op->name;
		if (prepare(w, op, &fill)) {
			told(i | BEGUN);
			so_run(w, op, &r);
			ck_assert_msg(r.done, "seed %llu: %s: %d %s", (unsigned long long)seed, op->name, r.err, gx_ec_name(r.ec));
			so_finish(w, op, &r);
		}
		told(i + 1);
	}
}

/* @watch: each write is told of. */
static void begin(const char *dir, uint64_t seed, bool watch)
{
	p.f = fault_new(dir, watch);
	so_open_at(&p.w, &p.f->fs, dir, seed, p.now);
	p.w.serial = (unsigned)(seed % 100000) * 10000;
	p.guids = seed << 8;
}

static void end(void)
{
	p.f->changed = NULL;
	so_close(&p.w);
	fault_free(p.f);
}

/* ---- What there is to be ---- */

static void see(struct fault *f, void *ctx)
{
	uint8_t hash[SO_HASH];
	(void)f;
	(void)ctx;
	if (p.w.raw == NULL)
		return;
	so_world_fingerprint(&p.w, hash);
	if (p.nstates > 0 && memcmp(p.state[p.nstates - 1], hash, SO_HASH) == 0)
		return;
	ck_assert_msg(p.nstates < STATES, "%s has too many states", p.at);
	p.name[p.nstates] = p.at;
	memcpy(p.state[p.nstates++], hash, SO_HASH);
}

static void note(uint32_t n)
{
	see(p.f, NULL);
	if (n & BEGUN)
		return;
	p.last[n] = p.nstates - 1;
}

static void foresee(const char *dir, uint64_t seed)
{
	char copy[512];
	so_copy_store(dir, copy, sizeof(copy));
	p.nstates = 0;
	begin(copy, seed, true);
	p.f->changed = see;
	note(0);
	operate(&p.w, seed, note);
	end();
	st_rmtree(copy);
}

/* ---- What there is ---- */

static int to_parent;

static void tell(uint32_t n)
{
	if (write(to_parent, &n, sizeof(n)) != sizeof(n))
		_exit(1);
}

static void child(const char *dir, uint64_t seed)
{
	begin(dir, seed, false);
	tell(0);
	operate(&p.w, seed, tell);
	pause(); /* it is not closed in order */
}

/* Until it says that it is at the operation, or that all are done. @return how many it said were done */
static uint32_t follow(int fd, uint32_t until)
{
	uint32_t n, done = 0;
	while (read(fd, &n, sizeof(n)) == sizeof(n) && n != (until | BEGUN) && (n & BEGUN || ((done = n) <= until && done < OPS)))
		;
	return done;
}

/* @return how many operations it said it had done */
static uint32_t run_and_kill(const char *dir, uint64_t seed)
{
	uint32_t done, at = rnd(OPS + 1);
	int fd[2], status;
	fflush(NULL);
	ck_assert_int_eq(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		to_parent = fd[1];
		child(dir, seed);
		_exit(1);
	}
	close(fd[1]);
	done = follow(fd[0], at);
	if (at < OPS)
		usleep(rnd(3000));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "seed %llu: it ended by itself", (unsigned long long)seed);
	uint32_t more = follow(fd[0], OPS);
	close(fd[0]);
	return more > done ? more : done;
}

static size_t find_state(const uint8_t hash[SO_HASH], size_t first, size_t end)
{
	while (first < end && memcmp(hash, p.state[first], SO_HASH) != 0)
		first++;
	return first;
}

/* From the state of the last operation it told of to that of the next one. */
static void check_state(const char *dir, uint64_t seed, uint32_t done)
{
	uint8_t hash[SO_HASH];
	size_t first = p.last[done], last = p.last[done < OPS ? done + 1 : OPS];
	so_fingerprint(dir, hash);
	size_t i = find_state(hash, first, last + 1), any = find_state(hash, 0, p.nstates);
	p.in_flight += i > first;
	ck_assert_msg(i <= last, "seed %llu: %u operations acknowledged, states %zu (%s) to %zu (%s): %s %zu (%s)", (unsigned long long)seed, done,
		first, p.name[first], last, p.name[last], any < p.nstates ? "it is state" : "a state that never was, of", any,
		any < p.nstates ? p.name[any] : "");
}

static void check_store(const char *dir, uint64_t seed)
{
	begin(dir, seed, false);
	so_verify(&p.w);
	ck_assert_uint_eq(so_stray_files(&p.w), 0);
	so_check_searches(&p.w);
	so_check_originals(p.w.s);
	end();
}

static void make_template(char *dir, size_t size, uint64_t seed)
{
	p.rng = seed * 2 + 1;
	p.now = gx_clock_unix(gx_clock_system()) * 1000000000;
	so_make_template(dir, size, seed % 4 == 3 || (p.only != NULL && (p.only->kind & SO_PUBLIC)), seed);
}

static void run_seed(uint64_t seed)
{
	char dir[512];
	printf("# seed %llu%s%s\n", (unsigned long long)seed, p.only == NULL ? "" : ": ", p.only == NULL ? "" : p.only->name);
	fflush(stdout);
	make_template(dir, sizeof(dir), seed);
	for (unsigned i = 0; i < KILLS; i++, p.kills++) {
		uint64_t s = seed * KILLS + i;
		p.now += INT64_C(3600) * 1000000000;
		foresee(dir, s);
		uint32_t done = run_and_kill(dir, s);
		check_state(dir, s, done);
		check_store(dir, s);
	}
	st_rmtree(dir);
}

static time_t until; /* of GX_SOAK_SECONDS */

static uint64_t first_seed(void)
{
	const char *s = getenv("GX_SEED");
	return s != NULL ? strtoull(s, NULL, 10) : until != 0 ? (uint64_t)time(NULL) * 4 : 2;
}

/* With GX_OP, too, until the seconds are over, or once with the seed. */
static void go_on(uint64_t seed)
{
	const struct so_op *one = so_chosen();
	unsigned rounds = one != NULL && until == 0 ? 10 : 1;
	for (; rounds > 0 || time(NULL) < until; seed++, rounds -= rounds > 0) {
		if (one != NULL)
			p.only = one;
		else
			p.only = until != 0 && seed % 2 ? so_op(seed / 4 % so_op_count(seed % 4 == 3)) : NULL;
		run_seed(seed);
	}
}

START_TEST(nothing_acknowledged_is_lost_by_a_kill)
{
	bool sample = until == 0 && getenv("GX_SEED") == NULL && getenv("GX_OP") == NULL;
	if (sample)
		run_seed(first_seed() + (unsigned)_i);
	else if (_i == 0)
		go_on(first_seed());
	if (p.only != NULL && until == 0)
		so_tell(p.only, "kills", p.kills);
	printf("# %lu kills, %lu with the next operation done and not told of\n", p.kills, p.in_flight);
}
END_TEST

/* Else nothing could be foretold. */
START_TEST(two_runs_of_a_seed_are_the_same)
{
	static uint8_t before[STATES][SO_HASH];
	uint64_t seed = first_seed() + (unsigned)_i;
	char dir[512];
	make_template(dir, sizeof(dir), seed);
	for (unsigned k = 0; k < (until != 0 ? 30 : 1); k++) {
		foresee(dir, seed + k);
		memcpy(before, p.state, sizeof(before));
		size_t n = p.nstates;
		foresee(dir, seed + k);
		for (size_t i = 0; i < n && i < p.nstates; i++)
			ck_assert_msg(memcmp(before[i], p.state[i], SO_HASH) == 0, "seed %llu: %s differs", (unsigned long long)seed, p.name[i]);
		ck_assert_uint_eq(n, p.nstates);
	}
	st_rmtree(dir);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("kill");
	TCase *c = tcase_create("kills");
	const char *seconds = getenv("GX_SOAK_SECONDS");
	until = seconds == NULL ? 0 : time(NULL) + strtol(seconds, NULL, 10);
	tcase_set_timeout(c, 36000);
	/* a private and a public store */
	if (so_chosen() == NULL)
		tcase_add_loop_test(c, two_runs_of_a_seed_are_the_same, 0, 2);
	tcase_add_loop_test(c, nothing_acknowledged_is_lost_by_a_kill, 0, so_chosen() == NULL ? 2 : 1);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
