/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power fails after any change of a file. What may then be on the disk is made into a store
 * (faultdisk.h), and that store must be one of the states the living one went through: whole
 * transactions, none missing before another, and at least up to the last one that was
 * acknowledged as durable. It verifies clean, originals come back byte for byte, and no number
 * that was ever visible is given out again.
 *
 * GX_SOAK_SECONDS makes it go on with other seeds for so long, and with all of them under ASan, too.
 * A failure names its seed; GX_SEED takes it. GX_OP=name does that operation alone: losses after each change that it makes,
 * as far as they are not very many, and others only to bring it something to work on.
 */
#include <config.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include "libgxstore/faults/storeops.h"

#define STEPS 36
#define STEPS_OF_ONE 12
#define LIVES 4
#define STATES (STEPS * 40)
#define IMAGES 400
#define NEVER UINT_MAX
#define FOLDERS 20000

struct numbers {
	uint64_t fid, uidnext, modseq, uidvalidity;
};
struct image {
	char dir[600];
	size_t floor;
	unsigned long at;
	int mode;
	uint64_t seed;
};

static char base[512]; /* all directories of a seed are in here */
static struct {
	struct fault *f, *other; /* the living store's disk, that of the ones after a loss */
	struct so_world w, after;
	uint64_t seed, rng;
	const struct so_op *only; /* NULL: all of them */
	unsigned long most;       /* changes of one of those */
	unsigned stride;          /* one loss in so many changes, or NEVER */
	uint8_t state[STATES][SO_HASH];
	bool kept[STATES];       /* bodies of open messages, removed by a commit of the store's own */
	size_t nstates, floor;
	struct image image[IMAGES];
	size_t nimages;
	unsigned long total, serial;
	/* the highest ever seen, over all lives */
	struct numbers high[FOLDERS];
	size_t nhigh;
} p;

/* What happened, by the count of changes that failures name, for GX_TRACE=1. */
static void GX_PRINTF(1, 2) trace(const char *fmt, ...)
{
	va_list ap;
	if (getenv("GX_TRACE") == NULL)
		return;
	printf("# %lu: ", p.f->changes);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static unsigned rnd(unsigned below)
{
	return (unsigned)(fdisk_random(&p.rng) >> 33) % below;
}

/* ---- Numbers ---- */

/* Of a folder as IMAP knows it: when it was numbered anew it is another one. */
static struct numbers *high_of(uint64_t fid, uint64_t uidvalidity)
{
	for (size_t i = 0; i < p.nhigh; i++)
		if (p.high[i].fid == fid && (fid == 0 || p.high[i].uidvalidity == uidvalidity))
			return &p.high[i];
	ck_assert_uint_lt(p.nhigh, FOLDERS);
	p.high[p.nhigh] = (struct numbers){.fid = fid, .uidvalidity = uidvalidity};
	return &p.high[p.nhigh++];
}

static void raise_to(uint64_t *v, uint64_t to)
{
	if (*v < to)
		*v = to;
}

static void each_numbers(sqlite3 *db, void (*fn)(const struct numbers *n))
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT fid,uidnext,modseq,uidvalidity FROM fstate", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct numbers n = {(uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
			(uint64_t)sqlite3_column_int64(st, 2), (uint64_t)sqlite3_column_int64(st, 3)};
		fn(&n);
	}
	sqlite3_finalize(st);
}

static void note(const struct numbers *n)
{
	struct numbers *h = high_of(n->fid, n->uidvalidity);
	raise_to(&h->uidnext, n->uidnext);
	raise_to(&h->modseq, n->modseq);
	raise_to(&h->uidvalidity, n->uidvalidity);
}

static void not_again(const struct numbers *n)
{
	struct numbers *h = high_of(n->fid, n->uidvalidity);
	ck_assert_msg(n->uidnext >= h->uidnext, "%llx: next number %llu, %llu was used before", (unsigned long long)n->fid,
		(unsigned long long)n->uidnext, (unsigned long long)h->uidnext);
	if (n->fid != 0)
		return;
	ck_assert_uint_ge(n->modseq, h->modseq);
	ck_assert_uint_ge(n->uidvalidity, h->uidvalidity);
}

/* ---- Losses ---- */

static void take_image(struct fault *f)
{
	ck_assert_uint_lt(p.nimages, IMAGES);
	struct image *m = &p.image[p.nimages++];
	*m = (struct image){.floor = p.floor, .at = f->changes, .mode = (int)rnd(FDISK_MODES), .seed = fdisk_random(&p.rng)};
	snprintf(m->dir, sizeof(m->dir), "%s/%lu", base, ++p.serial);
	ck_assert_int_eq(mkdir(m->dir, 0700), 0);
	fdisk_lose(f->disk, m->mode, m->seed, m->dir);
}

static bool has_kept(void)
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(p.w.raw, "SELECT 1 FROM shared WHERE refs=0", -1, &st, NULL), SQLITE_OK);
	bool has = sqlite3_step(st) == SQLITE_ROW;
	sqlite3_finalize(st);
	return has;
}

static void see_state(void)
{
	uint8_t hash[SO_HASH];
	so_world_fingerprint(&p.w, hash);
	if (p.nstates > 0 && memcmp(p.state[p.nstates - 1], hash, SO_HASH) == 0)
		return;
	ck_assert_uint_lt(p.nstates, STATES);
	p.kept[p.nstates] = has_kept();
	memcpy(p.state[p.nstates++], hash, SO_HASH);
}

static void on_change(struct fault *f, void *ctx)
{
	(void)ctx;
	if (p.w.raw != NULL)
		see_state();
	if (p.stride != NEVER && rnd(p.stride) == 0 && p.nimages < IMAGES)
		take_image(f);
}

/* Goes on working with it: the new numbers are new. */
static void use(struct so_world *v)
{
	const struct so_op *op = so_op(0);
	struct so_result r;
	v->serial = 1000000;
	v->sync = GX_SYNC_NOW;
	ck_assert(so_prepare(v, op));
	so_run(v, op, &r);
	ck_assert(r.done);
	so_finish(v, op, &r);
	const char *sql = gx_arena_printf(v->a, "SELECT uidvalidity FROM fstate WHERE fid=%llu", (unsigned long long)v->x.fid);
	const struct numbers *f = high_of(v->x.fid, (uint64_t)so_number(v, sql)), *s = high_of(0, 0);
	ck_assert_uint_ge(v->x.ids[0].uid, f->uidnext);
	ck_assert_uint_ge(v->x.ids[0].mid, s->uidnext);
	ck_assert_uint_gt(v->x.ids[0].cn, s->modseq);
}

static size_t state_of(const struct image *m)
{
	uint8_t hash[SO_HASH];
	so_fingerprint(m->dir, hash);
	for (size_t i = m->floor; i < p.nstates; i++)
		if (memcmp(p.state[i], hash, SO_HASH) == 0)
			return i;
	for (size_t i = 0; i < m->floor; i++)
		ck_assert_msg(memcmp(p.state[i], hash, SO_HASH) != 0, "seed %llu: %s: state %zu, but %zu was acknowledged as durable",
			(unsigned long long)p.seed, m->dir, i, m->floor);
	ck_abort_msg("seed %llu: %s (change %lu, mode %d): a state that never was", (unsigned long long)p.seed, m->dir, m->at, m->mode);
}

static void check_image(const struct image *m)
{
	trace("loss at %lu, mode %d, states %zu to %zu: %zu", m->at, m->mode, m->floor, p.nstates - 1, state_of(m));
	so_open(&p.after, &p.other->fs, m->dir, m->seed);
	each_numbers(p.after.raw, not_again);
	so_verify(&p.after);
	ck_assert_uint_eq(so_stray_files(&p.after), 0);
	so_check_searches(&p.after);
	if (m->seed % 4 == 0) {
		so_check_originals(p.after.s); /* verify compared the hashes of what they are made of */
		use(&p.after);
	}
	so_close(&p.after);
	st_rmtree(m->dir);
}

static void check_images(void)
{
	for (size_t i = 0; i < p.nimages; i++)
		check_image(&p.image[i]);
	p.total += p.nimages;
	p.nimages = 0;
}

/* ---- The living store ---- */

/* After each step: perhaps a new state. */
static void settle(void)
{
	see_state();
	check_images();
	if (!p.w.s->veiled) /* else nobody has seen them */
		each_numbers(p.w.raw, note);
}

/* From now on a loss leaves this one or a later one. */
static void durable(size_t state)
{
	p.floor = state < p.nstates ? state : p.nstates - 1;
}

/* What began at @first was one commit, but for those that remove what was kept. */
static void one_commit(const char *what, size_t first)
{
	for (size_t i = first + 1; i < p.nstates; i++)
		ck_assert_msg(p.kept[i - 1], "seed %llu: %s: a loss leaves half of it", (unsigned long long)p.seed, what);
}

/* Nobody may see a commit whose many numbers are not on the disk: after a flush that failed readers wait for one that does not. */
static void lift_veil(void)
{
	if (!p.w.s->veiled)
		return;
	ck_assert_int_eq(gx_store_sync(p.w.s), 0);
	settle();
	durable(p.nstates);
}

/* @return whether it found something to do */
static bool one_operation(const struct so_op *op)
{
	struct so_result r;
	lift_veil();
	p.w.sync = rnd(4) == 0 ? GX_SYNC_NOW : GX_SYNC_LATER;
	if (!so_prepare(&p.w, op))
		return false;
	if ((op->kind & SO_KIND) != SO_WRITE)
		settle(); /* it may have made something to work on */
	bool bad = rnd(8) == 0; /* a flush fails, once or until the end of the operation */
	if (bad)
		fault_arm(p.f, 1 + rnd(3), FAULT_EIO, FAULT_SYNC, rnd(2) == 0);
	bool writes = (op->kind & SO_KIND) == SO_WRITE;
	trace("%s%s", op->name, writes && p.w.sync == GX_SYNC_NOW ? ", flushed" : "");
	size_t first = p.nstates;
	so_run(&p.w, op, &r);
	bad = fault_disarm(p.f);
	if (bad)
		trace("a flush failed: %s", r.done ? "mended" : r.in_doubt ? "in doubt" : "nothing done");
	ck_assert_msg(r.done || bad, "%s: %d %s", op->name, r.err, gx_ec_name(r.ec));
	settle();
	if (writes)
		one_commit(op->name, first);
	if (r.done && writes && p.w.sync == GX_SYNC_NOW)
		durable(first);
	if (r.done && strcmp(op->name, "sync") == 0)
		durable(p.nstates);
	so_finish(&p.w, op, &r);
	return true;
}

/* Several in one transaction: all of them or none. */
static void one_transaction(size_t nops)
{
	trace("transaction");
	struct gx_txn *t = st_begin(p.w.s, GX_TXN_WRITE);
	int sync = (int)rnd(2);
	size_t first = p.nstates;
	bool bad = rnd(6) == 0; /* is given up */
	for (unsigned k = 2 + rnd(3); k > 0; k--) {
		const struct so_op *op = so_op(rnd((unsigned)nops));
		if ((op->kind & SO_KIND) == SO_WRITE && so_prepare(&p.w, op) && p.w.x.actor == NULL && gx_ec_failed(op->run(&p.w, t)))
			bad = true; /* works on what an earlier one took away */
	}
	if (bad)
		gx_txn_abort(t);
	else
		ck_assert_int_eq(gx_txn_commit(t, sync), 0);
	settle();
	one_commit("transaction", first);
	if (!bad && sync == GX_SYNC_NOW)
		durable(first);
}

/* Closed in order, or as well as the disk allows. */
static void close_and_open(void)
{
	if (rnd(2) == 0)
		fault_arm(p.f, 1 + rnd(4), FAULT_EIO, FAULT_SYNC, rnd(2) == 0);
	trace("closing");
	so_shut(&p.w);
	bool bad = fault_disarm(p.f);
	trace("%sopening", bad ? "a flush failed; " : "");
	so_again(&p.w);
	settle();
	if (!bad)
		durable(p.nstates);
}

/* Some others, so that it finds something again. */
static void bring_some(size_t nops)
{
	p.stride = NEVER;
	for (int i = 0; i < 10; i++) {
		const struct so_op *op = so_op(rnd((unsigned)nops));
		if ((op->kind & SO_KIND) == SO_WRITE)
			one_operation(op);
	}
}

/* The one that was chosen, with a loss after each change as far as there is room for them. */
static void step_of_one(void)
{
	for (int i = 0; i < 20; i++) {
		unsigned long before = p.f->changes;
		p.stride = 1 + (unsigned)(p.most / (IMAGES / 4));
		if (one_operation(p.only)) {
			if (p.f->changes - before > p.most)
				p.most = p.f->changes - before;
			return;
		}
		bring_some(so_op_count(p.w.public));
	}
	ck_abort_msg("%s finds nothing to work on", p.only->name);
}

static void step(void)
{
	size_t n = so_op_count(p.w.public);
	if (p.only != NULL) {
		step_of_one();
		return;
	}
	switch (rnd(10)) {
	case 0:
		one_transaction(n);
		break;
	case 1:
		if (rnd(3) == 0)
			close_and_open();
		break;
	default:
		one_operation(so_op(rnd((unsigned)n)));
	}
}

/* From what is in @dir to the next loss; the store goes on in what that left, in @ret_dir. */
static void one_life(const char *dir, char *ret_dir, size_t size, bool first)
{
	p.nstates = p.floor = 0;
	so_fingerprint(dir, p.state[p.nstates++]);
	p.f = fault_new(dir, true);
	p.f->changed = on_change;
	so_open(&p.w, &p.f->fs, dir, p.seed + p.serial);
	p.w.serial = (unsigned)p.serial * 1000;
	settle();
	durable(p.nstates);
	if (first) {
		p.f->changed = NULL; /* not the subject */
		so_fill(&p.w);
		ck_assert_int_eq(gx_store_sync(p.w.s), 0);
		p.nstates = 0;
		settle();
		p.f->changed = on_change;
	}
	for (int i = 0; i < (p.only == NULL ? STEPS : STEPS_OF_ONE); i++)
		step();
	take_image(p.f);
	struct image last = p.image[--p.nimages];
	snprintf(ret_dir, size, "%s", last.dir);
	state_of(&last);
	if (rnd(3) == 0) { /* closing in order has a way to go, too */
		so_reopen(&p.w);
		settle();
	}
	p.f->changed = NULL;
	so_close(&p.w);
	fault_free(p.f);
	st_rmtree(dir);
}

static void run_seed(uint64_t seed)
{
	char dir[600], next[600];
	memset(&p, 0, sizeof(p));
	snprintf(base, sizeof(base), "%s", st_dir());
	p.only = so_chosen();
	p.seed = seed;
	p.rng = seed * 2 + 1;
	p.stride = 7;
	p.other = fault_new(base, false);
	snprintf(dir, sizeof(dir), "%s/0", base);
	so_create(dir, p.only != NULL ? p.only->kind & SO_PUBLIC : seed % 4 == 3);
	for (int life = 0; life < LIVES; life++) {
		one_life(dir, next, sizeof(next), life == 0);
		memcpy(dir, next, sizeof(dir));
	}
	fault_free(p.other);
	st_rmtree(base);
}

static time_t until; /* of GX_SOAK_SECONDS, for all tests together */

START_TEST(what_was_acknowledged_survives)
{
	const char *one = getenv("GX_SEED");
	if (one != NULL && _i > 0)
		return;
	uint64_t seed = one == NULL ? _i + 1U : strtoul(one, NULL, 10);
	do {
		run_seed(seed);
		printf("# seed %llu: %lu losses\n", (unsigned long long)seed, p.total);
		if (p.only != NULL)
			so_tell(p.only, "losses", p.total);
		seed += 100;
	} while (one == NULL && time(NULL) < until);
}
END_TEST

/* ---- Making a store ---- */

/* @return whether there is a store, and then it is a good one */
static bool made(const char *root)
{
	char path[700];
	const char *why = "";
	struct gx_store *s = NULL;
	snprintf(path, sizeof(path), "%s/user/store", root);
	int err = gx_store__open_on(&p.other->fs, path, NULL, &s, p.w.a, &why);
	ck_assert_msg(err == 0 || err == GX_E_NOTFOUND, "%d, %s", err, why);
	if (err == 0)
		st_verify(s);
	gx_store_close(s);
	st_rmtree(root);
	return err == 0;
}

/* With all directories above it, and in the place of another one. */
START_TEST(a_store_is_made_or_not)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	char root[600], path[700];
	memset(&p, 0, sizeof(p));
	p.seed = p.rng = _i + 1U;
	p.stride = 2;
	p.w.a = gx_arena_new(0);
	snprintf(base, sizeof(base), "%s", st_dir());
	snprintf(root, sizeof(root), "%s/root", base);
	snprintf(path, sizeof(path), "%s/user/store", root);
	ck_assert_int_eq(mkdir(root, 0700), 0);
	p.f = fault_new(root, true);
	p.other = fault_new(root, false);
	p.f->changed = on_change;
	for (o.overwrite = false;; o.overwrite = true) {
		ck_assert_int_eq(gx_store__create_on(&p.f->fs, path, &o, NULL, NULL), 0);
		for (size_t i = 0; i < p.nimages; i++)
			ck_assert(made(p.image[i].dir) || !o.overwrite);
		p.nimages = 0;
		for (int i = 0; i < 10; i++) {
			take_image(p.f);
			ck_assert(made(p.image[--p.nimages].dir));
		}
		if (o.overwrite)
			break;
	}
	fault_free(p.f);
	fault_free(p.other);
	gx_arena_free(p.w.a);
	st_rmtree(base);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("powerloss");
	TCase *c = tcase_create("loss");
	const char *seconds = getenv("GX_SOAK_SECONDS");
	until = seconds == NULL ? 0 : time(NULL) + strtol(seconds, NULL, 10);
	so_use_memory();
	tcase_set_timeout(c, 36000);
	tcase_add_loop_test(c, what_was_acknowledged_survives, 0, so_chosen() == NULL ? (int)gxtest_rounds(3) : 1);
	if (so_chosen() == NULL)
		tcase_add_loop_test(c, a_store_is_made_or_not, 0, 4);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
