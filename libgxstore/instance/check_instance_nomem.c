/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What faults/check_oom.c does to every operation, where that does not come: saving a message with many contents, while there is
 * no memory for one of the larger pieces that it takes (lists that grow, buffers, blocks of arenas); and copies between two
 * stores. Linked with --wrap.
 */
#include <config.h>
#include "libgxstore/instance/insttest.h"

#define ATTACHMENTS 150
#define SIZE 5000
#define LARGE 2048

void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_realloc(void *p, size_t n);

static long countdown; /* 0: never */
static size_t least;   /* smaller pieces do not count */

static bool fails(size_t n)
{
	return countdown > 0 && n >= least && --countdown == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails(n) ? NULL : __real_malloc(n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails(n) ? NULL : __real_realloc(p, n);
}

static struct gx_inst *with_attachments(struct gx_txn *t)
{
	struct gx_inst *m = it_new(t, GX_FID_INBOX);
	it_set_str(m, PidTagMessageClass, "IPM.Note");
	for (unsigned i = 0; i < ATTACHMENTS; i++)
		it_attach(t, m, gx_arena_printf(it_a, "%u.bin", i), it_noise(SIZE, i + 1), SIZE);
	ck_assert_int_eq(gx_inst_prepare(m), 0); /* that is not the question */
	return m;
}

static void check_saved(uint64_t mid)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	struct gx_inst *m = it_open(t, mid);
	size_t n = 0;
	ST_OK(gx_inst_att_count(t, m, &n));
	ck_assert_uint_eq(n, ATTACHMENTS);
	for (uint32_t i = 0; i < ATTACHMENTS; i += 17) {
		struct gx_bin b = it_att_data(t, m, i);
		ck_assert_uint_eq(b.len, SIZE);
		ck_assert_int_eq(memcmp(b.data, it_noise(SIZE, i + 1), SIZE), 0);
	}
	gx_inst_free(m);
	gx_txn_abort(t);
}

/* @return whether there was a piece so far on, and that one failed */
static bool save_once(long n, uint64_t *ret_mid)
{
	struct gx_save_result r = {0};
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *m = with_attachments(t);
	countdown = n;
	gx_ec ec = gx_inst_save(t, m, 0, &r);
	bool hit = countdown == 0;
	countdown = 0;
	ck_assert_msg(!gx_ec_failed(ec) || (hit && gx_ec_to_err(ec) == GX_E_NOMEM), "%s at piece %ld", gx_ec_name(ec), n);
	gx_inst_free(m);
	if (hit)
		gx_txn_abort(t);
	else
		st_commit(t);
	*ret_mid = r.mid;
	return hit;
}

START_TEST(many_contents)
{
	uint64_t mid;
	long n = 1;
	least = LARGE;
	while (save_once(n, &mid))
		n++;
	ck_assert_int_gt(n, 5);
	check_saved(mid);
}
END_TEST

/* ---- Between stores ---- */

static struct gx_store *other;

static struct gx_bin data_of(uint32_t i)
{
	size_t len = i % 2 == 0 ? SIZE : 10;
	return (struct gx_bin){it_noise(len, i + 1), len};
}

static uint64_t store_with(uint32_t atts)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *m = it_new(t, GX_FID_INBOX);
	it_set_str(m, PidTagMessageClass, "IPM.Note");
	it_set_str(m, PidTagSubject, "there and here");
	it_rcpt(m, 0, "Ann", "ann@example.org");
	for (uint32_t i = 0; i < atts; i++)
		it_attach(t, m, "x", data_of(i).data, data_of(i).len);
	uint64_t mid = it_save(t, m).mid;
	st_commit(t);
	gx_inst_free(m);
	return mid;
}

/* @return whether it failed; else it is saved as @p ret_copy. */
static bool copy_once(long n, uint64_t mid, uint64_t *ret_copy)
{
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	struct gx_problems p = {0};
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ), *to = st_begin(other, GX_TXN_WRITE);
	struct gx_inst *m = it_open(t, mid), *copy = it_new(to, GX_FID_INBOX);
	struct gx_arena *a = gx_arena_new(0);
	o.rcpts = o.atts = true;
	countdown = n;
	gx_ec ec = gx_inst_copy_across(t, m, to, copy, &o, a, &p);
	bool hit = countdown == 0;
	countdown = 0;
	ck_assert_msg(!gx_ec_failed(ec) || (hit && gx_ec_to_err(ec) == GX_E_NOMEM), "%s at piece %ld", gx_ec_name(ec), n);
	ck_assert_uint_eq(p.count, 0);
	*ret_copy = hit ? 0 : it_save(to, copy).mid;
	gx_inst_free(m);
	gx_inst_free(copy);
	gx_arena_free(a);
	gx_txn_abort(t);
	if (hit)
		gx_txn_abort(to);
	else
		st_commit(to);
	return hit;
}

START_TEST(copies_across)
{
	char dir[512];
	uint64_t mid, copy;
	long n = 1;
	least = 0;
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	other = st_open(dir);
	mid = store_with(6);
	while (copy_once(n, mid, &copy))
		n += n < 40 || gxtest_soaking() ? 1 : n / 12;
	ck_assert_int_gt(n, 10);
	struct gx_txn *t = st_begin(other, GX_TXN_READ);
	struct gx_inst *m = it_open(t, copy);
	for (uint32_t i = 0; i < 6; i++) {
		struct gx_bin b = it_att_data(t, m, i), want = data_of(i);
		ck_assert_uint_eq(b.len, want.len);
		ck_assert_int_eq(memcmp(b.data, want.data, b.len), 0);
	}
	ck_assert_str_eq(it_str(t, m, PidTagSubject), "there and here");
	gx_inst_free(m);
	gx_txn_abort(t);
	st_verify(other);
	gx_store_close(other);
	st_rmtree(dir);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("instance_nomem");
	TCase *c = tcase_create("save");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, it_setup, it_teardown);
	tcase_add_test(c, many_contents);
	tcase_add_test(c, copies_across);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
