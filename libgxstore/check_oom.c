/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, of ours or of SQLite's, for n = 1, 2, ... until the case passes untouched:
 * the answer is an error, the store is intact. Linked with --wrap for malloc, calloc, realloc.
 */
#include <config.h>
#include "libgxstore/storetest.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long countdown; /* 0: never */

static bool fails(void)
{
	return countdown > 0 && --countdown == 0;
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

static sqlite3_mem_methods lower;

static void *sql_malloc(int n)
{
	return fails() ? NULL : lower.xMalloc(n);
}

static void *sql_realloc(void *p, int n)
{
	return fails() ? NULL : lower.xRealloc(p, n);
}

static char dir[512];

static void setup(void)
{
	sqlite3_mem_methods m;
	ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
	if (lower.xMalloc == NULL)
		ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &lower), SQLITE_OK);
	m = lower;
	m.xMalloc = sql_malloc;
	m.xRealloc = sql_realloc;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &m), SQLITE_OK);
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
}

static void teardown(void)
{
	st_rmtree(dir);
}

static struct {
	struct gx_store *s;
	struct gx_msg_prepared *p;
	uint64_t mid;
	unsigned in; /* messages in the inbox, as far as is known */
	bool odd;    /* a transaction in which something failed was committed */
} w;

/* One write of several steps; @return whether it was committed. */
static bool write_case(gx_ec *ret_ec)
{
	struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_READ, (const char *const[]){"word", NULL}, UINT64_MAX};
	struct gx_msg_ids ids;
	struct gx_txn *t;
	struct gx_proplist l = {0};
	struct gx_propval pv = {PidTagSubject, {.str = "other"}};
	uint64_t fid;
	l.v = &pv;
	l.count = l.cap = 1;
	int err = gx_txn_begin(w.s, &sys_actor, GX_TXN_WRITE, 1000, &t);
	*ret_ec = gx_ec_from_err(err);
	if (err != 0)
		return false;
	gx_ec ec = gx_msg_insert(t, GX_FID_INBOX, w.p, NULL, &ids);
	if (!gx_ec_failed(ec))
		ec = gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &c, NULL, NULL, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_msg_copy(t, GX_FID_INBOX, &ids.mid, 1, GX_FID_DRAFTS, false, &ids);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_props(t, ids.mid, &l);
	if (!gx_ec_failed(ec))
		ec = gx_msg_copy(t, GX_FID_DRAFTS, &ids.mid, 1, GX_FID_JUNK, true, &ids);
	if (!gx_ec_failed(ec))
		ec = gx_msg_delete(t, GX_FID_JUNK, &ids.mid, 1, true);
	if (!gx_ec_failed(ec))
		ec = gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, &l, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder_delete(t, fid, true);
	err = gx_txn_commit(t, GX_SYNC_LATER);
	*ret_ec = ec;
	w.odd = err == 0 && gx_ec_failed(ec); /* said here would allocate */
	return err == 0;
}

static bool read_case(gx_ec *ret_ec)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_imapview *v = NULL;
	struct gx_folder_info *f;
	struct gx_msgobj *m;
	struct gx_txn *t;
	size_t n;
	int err = a == NULL ? GX_E_NOMEM : gx_txn_begin(w.s, &sys_actor, GX_TXN_READ, 1000, &t);
	gx_ec ec = gx_ec_from_err(err);
	if (err == 0) {
		ec = gx_folder_list(t, GX_FID_ROOT, true, a, &f, &n);
		if (!gx_ec_failed(ec))
			ec = gx_msg_original(t, w.mid, 0, UINT64_MAX, &out);
		if (!gx_ec_failed(ec))
			ec = gx_msg_read(t, w.mid, a, &m);
		gx_txn_abort(t);
	}
	if (!gx_ec_failed(ec))
		ec = gx_imapview_open(w.s, &sys_actor, GX_FID_INBOX, &v);
	if (!gx_ec_failed(ec))
		ec = gx_imapview_refresh(v, true, NULL);
	gx_imapview_close(v);
	gx_push_release(&out);
	gx_arena_free(a);
	*ret_ec = ec;
	return !gx_ec_failed(ec);
}

static void open_world(struct gx_arena *a)
{
	memset(&w, 0, sizeof(w));
	w.s = st_open(dir);
	w.p = st_message(a, 1, 150000);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	w.mid = st_insert(t, GX_FID_INBOX, 2, 60000, 0).mid;
	st_commit(t);
	w.in = 1;
}

static unsigned count_inbox(void)
{
	struct gx_imapview *v = st_view(w.s, GX_FID_INBOX);
	unsigned n = gx_imapview_count(v);
	gx_imapview_close(v);
	return n;
}

/* With a store that has been in use, and with one just opened. */
START_TEST(every_allocation_may_fail)
{
	bool (*fn)(gx_ec *) = _i % 2 == 0 ? write_case : read_case;
	struct gx_arena *a = gx_arena_new(0);
	unsigned failed = 0;
	bool untouched = false;
	open_world(a);
	for (long n = 1; !untouched && n < 5000; n++) {
		gx_ec ec;
		if (_i >= 2) {
			gx_store_close(w.s);
			w.s = st_open(dir);
		}
		countdown = n;
		bool ok = fn(&ec);
		untouched = countdown > 0;
		countdown = 0;
		failed += !ok;
		ck_assert(!w.odd);
		ck_assert(ok || gx_ec_failed(ec) || fn == write_case);
		if (ok && fn == write_case)
			w.in++;
		ck_assert_uint_eq(count_inbox(), w.in);
		if (n % 50 == 0 || untouched)
			st_verify(w.s);
	}
	ck_assert(untouched);
	ck_assert_uint_gt(failed, 5);
	gx_msg_prepared_release(w.p);
	gx_store_close(w.s);
	gx_arena_free(a);
}
END_TEST

START_TEST(opening_may_fail)
{
	bool done = false;
	for (long n = 1; !done; n++) {
		struct gx_store *s = NULL;
		countdown = n;
		int err = gx_store_open(dir, NULL, &s, NULL, NULL);
		done = countdown > 0;
		countdown = 0;
		ck_assert_msg(err == 0 || err == GX_E_NOMEM || err == GX_E_IO, "error %d at allocation %ld", err, n);
		if (err == 0)
			gx_store_close(s);
		ck_assert_int_lt(n, 5000);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("oom");
	TCase *c = tcase_create("memory");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, every_allocation_may_fail, 0, 4);
	tcase_add_test(c, opening_may_fail);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
