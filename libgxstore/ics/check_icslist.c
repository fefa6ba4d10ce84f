/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes against a sorted array: any size, any order, any place; and bad disks. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include "libgxstore/ics/ics-list.h"
#include "libgxstore/storetest.h"

#define RUN 32U

static char dir[512];
static struct gx_ics_change *want;
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % n;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	want = NULL;
	seed = 7;
}

/* No file is left. */
static void teardown(void)
{
	ck_assert_int_eq(rmdir(dir), 0);
	free(want);
}

static int by_cn(const void *x, const void *y)
{
	const struct gx_ics_change *a = x, *b = y;
	return (a->cn > b->cn) - (a->cn < b->cn);
}

static int backwards(const void *x, const void *y)
{
	return by_cn(y, x);
}

enum { ASCENDING, DESCENDING, RANDOM, NEARLY, ORDERS };

/* Change numbers are all different, so that the order is known. */
static uint64_t cn_of(size_t i, size_t n, int order)
{
	switch (order) {
	case ASCENDING:
		return 5 + 3 * i;
	case DESCENDING:
		return 5 + 3 * (n - i);
	case RANDOM:
		return (uint64_t)rnd(1U << 31) << 17 | i;
	default:
		return rnd(50) == 0 ? 1000000 + i : 5 + 3 * i;
	}
}

static void make(struct gx_icslist *l, size_t n, int order)
{
	free(want);
	want = calloc(n + 1, sizeof(*want));
	ck_assert_ptr_nonnull(want);
	for (size_t i = 0; i < n; i++) {
		want[i] = (struct gx_ics_change){.mid = rnd(2) == 0 ? i + 1 : UINT64_C(0xffffffffffff) - rnd(1000),
			.cn = cn_of(i, n, order), .size = rnd(9) == 0 ? UINT64_MAX : rnd(100000),
			.received = rnd(3) == 0 ? 0 : UINT64_MAX - rnd(9),
			.fai = rnd(2) == 0, .updated = rnd(2) == 0};
		ck_assert_int_eq(gx_icslist__add(l, &want[i]), 0);
	}
	qsort(want, n, sizeof(*want), l->cmp);
	ck_assert_int_eq(gx_icslist__sort(l), 0);
	ck_assert_uint_eq(gx_icslist__count(l), n);
}

static void same(const struct gx_ics_change *x, const struct gx_ics_change *y)
{
	ck_assert_uint_eq(x->mid, y->mid);
	ck_assert_uint_eq(x->cn, y->cn);
	ck_assert_uint_eq(x->size, y->size);
	ck_assert_uint_eq(x->received, y->received);
	ck_assert(x->fai == y->fai && x->updated == y->updated);
}

static void expect(struct gx_icsreader *r, size_t from, size_t n, size_t most)
{
	struct gx_ics_change c;
	bool more = true;
	gx_icsreader__seek(r, from);
	for (size_t i = from; more && most-- > 0; i++) {
		ck_assert_int_eq(gx_icsreader__next(r, &c, &more), 0);
		ck_assert_int_eq(more, i < n);
		if (more)
			same(&c, &want[i]);
	}
}

static void all_places(const struct gx_icslist *l, size_t n)
{
	struct gx_icsreader r;
	gx_icsreader__init(&r, l);
	expect(&r, 0, n, n + 2);
	for (int i = 0; i < 40; i++)
		expect(&r, rnd((uint32_t)n + 3), n, 1 + rnd(9));
	expect(&r, 0, n, n + 2);
	gx_icsreader__release(&r);
}

START_TEST(sorted)
{
	static const size_t sizes[] = {0, 1, 31, 32, 33, 64, 65, 300, 2048, 2049, 5000, 9000};
	struct gx_icslist l;
	gx_icslist__init(&l, _i / ORDERS == 0 ? by_cn : backwards, &gx_fs__system, dir, RUN);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make(&l, sizes[i], _i % ORDERS);
		ck_assert_int_eq(l.fd >= 0, sizes[i] > RUN);
		ck_assert_uint_le(l.cap, RUN); /* what is in memory does not grow */
		all_places(&l, sizes[i]);
		gx_icslist__clear(&l);
	}
	gx_icslist__release(&l);
}
END_TEST

/* ---- A disk that fails ---- */

static struct gx_fs bad;
static int writes_left, reads_left; /* before they fail */
static bool no_files;

static int bad_open(const struct gx_fs *fs, const char *path, int flags, mode_t mode)
{
	(void)fs;
	errno = EROFS;
	return no_files ? -1 : gx_fs__system.open(fs, path, flags, mode);
}

static ssize_t bad_pwrite(const struct gx_fs *fs, int fd, const void *p, size_t n, off_t off)
{
	errno = ENOSPC;
	if (writes_left-- <= 0)
		return n > 100 && writes_left == -1 ? gx_fs__system.pwrite(fs, fd, p, 100, off) : -1;
	return gx_fs__system.pwrite(fs, fd, p, n, off);
}

static ssize_t bad_pread(const struct gx_fs *fs, int fd, void *p, size_t n, off_t off)
{
	errno = EIO;
	return reads_left-- <= 0 ? -1 : gx_fs__system.pread(fs, fd, p, n, off);
}

static void bad_disk(int writes, int reads)
{
	bad = gx_fs__system;
	bad.open = bad_open;
	bad.pwrite = bad_pwrite;
	bad.pread = bad_pread;
	no_files = writes < 0;
	writes_left = writes;
	reads_left = reads;
}

/* Full, or read-only: all the changes are there nevertheless. */
START_TEST(full)
{
	struct gx_icslist l;
	bad_disk(_i - 1, INT32_MAX);
	gx_icslist__init(&l, by_cn, &bad, dir, RUN);
	make(&l, 3000, RANDOM);
	all_places(&l, 3000);
	gx_icslist__release(&l);
}
END_TEST

START_TEST(unreadable)
{
	struct gx_icslist l;
	struct gx_icsreader r;
	struct gx_ics_change c;
	bool more;
	int err = 0;
	bad_disk(INT32_MAX, INT32_MAX);
	gx_icslist__init(&l, by_cn, &bad, dir, RUN);
	make(&l, 3000, ASCENDING);
	reads_left = 5;
	gx_icsreader__init(&r, &l);
	size_t n = 0;
	for (; err == 0 && n < 3000; n += err == 0)
		err = gx_icsreader__next(&r, &c, &more);
	ck_assert_int_eq(err, GX_E_IO);
	ck_assert_uint_eq(n, 5 * 256);
	reads_left = INT32_MAX;
	ck_assert_int_eq(gx_icsreader__next(&r, &c, &more), 0); /* it goes on where it was */
	same(&c, &want[n]);
	gx_icsreader__release(&r);
	gx_icslist__release(&l);
}
END_TEST

/* What was packed cannot be read while it is merged. */
START_TEST(unmergeable)
{
	struct gx_icslist l;
	int err = 0;
	bad_disk(INT32_MAX, 40);
	gx_icslist__init(&l, by_cn, &bad, dir, RUN);
	for (uint64_t i = 0; i < 3000 && err == 0; i++) {
		const struct gx_ics_change c = {.mid = i + 1, .cn = 3000 - i};
		err = gx_icslist__add(&l, &c);
	}
	err = err != 0 ? err : gx_icslist__sort(&l);
	ck_assert_int_eq(err, GX_E_IO);
	gx_icslist__release(&l);
}
END_TEST

static Suite *icslist_suite(void)
{
	Suite *suite = suite_create("icslist");
	TCase *t = tcase_create("icslist");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, sorted, 0, 2 * ORDERS);
	tcase_add_loop_test(t, full, 0, 6);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, unmergeable);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(icslist_suite)
