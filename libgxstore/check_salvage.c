/* SPDX-License-Identifier: Apache-2.0 */
/* Databases with pages that cannot be read any more: what can be read is in the new one. */
#include <config.h>
#include <fcntl.h>
#include <gx/storecheck.h>
#include "libgxstore/storetest.h"

#define MESSAGES 400
#define PAGE 4096

static char dir[512];
static struct gx_arena *a;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	a = gx_arena_new(0);
	st_create(dir);
	struct gx_store *s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < MESSAGES; i++)
		st_insert(t, i % 3 == 0 ? GX_FID_SENT : GX_FID_INBOX, i, i % 10 == 0 ? 9000 : 1500, 0);
	st_commit(t);
	gx_store_close(s);
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
}

static void database(char *path, size_t size)
{
	snprintf(path, size, "%s/exmdb/gx.sqlite3", dir);
}

static void run(const char *sql)
{
	char path[600];
	sqlite3 *db;
	database(path, sizeof(path));
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void overwrite(int64_t page, uint32_t seed)
{
	char path[600];
	uint8_t bytes[PAGE];
	database(path, sizeof(path));
	for (size_t i = 0; i < PAGE; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	int fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, bytes, PAGE, page * PAGE), PAGE);
	close(fd);
}

static int64_t pages(void)
{
	char path[600];
	struct stat st;
	database(path, sizeof(path));
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size / PAGE;
}

/* Which of the messages, known by the numbers in their subjects, can be read to the end? */
static void readable(struct gx_store *s, bool *found)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	for (uint64_t mid = 0x100; mid < 0x100 + 3 * MESSAGES; mid++) {
		struct gx_arena *own = gx_arena_new(0);
		struct gx_push out = GX_PUSH_INIT;
		struct gx_msgobj *m;
		unsigned i;
		if (!gx_ec_failed(gx_msg_read(t, mid, own, &m)) && !gx_ec_failed(gx_msg_original(t, mid, 0, UINT64_MAX, &out)) &&
		    sscanf(gx_proplist_str(&m->props, PidTagSubject, ""), "message %u", &i) == 1 && i < MESSAGES)
			found[i] = true;
		gx_push_release(&out);
		gx_arena_free(own);
	}
	gx_txn_abort(t);
}

static void before(bool *found)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	o.observe = true;
	if (gx_store_open(dir, &o, &s, NULL, NULL) != 0)
		return;
	readable(s, found);
	gx_store_close(s);
}

static int describe(struct gx_bin original, struct gx_push *envelope, struct gx_push *structure, void *ctx)
{
	(void)original;
	(void)ctx;
	gx_push_str(envelope, "(env)");
	gx_push_str(structure, "(bs)");
	return 0;
}

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	if (f->state == GX_FINDING_LEFT)
		gx_strbuf_printf(ctx, "%s: %s\n", f->check, f->text);
}

static struct gx_store *repaired(void)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	struct gx_strbuf left = GX_STRBUF_INIT;
	struct gx_store *s = st_open(dir);
	o.repair = o.give_up = true;
	o.describe = describe;
	o.found = on_finding;
	o.ctx = &left;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_msg(r.left == 0, "left: %s", gx_strbuf_cstr(&left));
	gx_strbuf_release(&left);
	st_verify(s);
	return s;
}

static int salvage(uint32_t owner, struct gx_store_salvage_result *ret_r, const char **ret_why)
{
	struct gx_store_salvage_opts o = GX_STORE_SALVAGE_OPTS_INIT;
	o.owner_id = owner;
	o.owner = owner == 0 ? NULL : "u@example.org";
	return gx_store_salvage(dir, &o, ret_r, a, ret_why);
}

START_TEST(nothing_readable_is_lost)
{
	bool was[MESSAGES] = {false}, is[MESSAGES] = {false};
	struct gx_store_salvage_result r;
	const char *why = "";
	uint32_t seed = (uint32_t)_i * 2654435761U + 99;
	int64_t n = pages();
	for (int i = 0; i < 1 + _i % 6; i++) {
		seed = seed * 1664525 + 1013904223;
		overwrite(1 + (int64_t)((seed >> 8) % (uint32_t)(n - 1)), seed);
	}
	before(was);
	int err = salvage(7, &r, &why);
	if (err == GX_E_FORMAT) { /* the page that says where tables are is gone: nobody can read anything */
		for (int i = 0; i < MESSAGES; i++)
			ck_assert(!was[i]);
		return;
	}
	ck_assert_msg(err == 0, "%d %s", err, why);
	ck_assert_int_eq(access(r.kept, F_OK), 0);
	struct gx_store *s = repaired();
	readable(s, is);
	int lost = 0;
	for (int i = 0; i < MESSAGES; i++)
		lost += was[i] && !is[i];
	ck_assert_msg(lost == 0, "%d messages were readable and are not any more", lost);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE); /* and it goes on */
	st_insert(t, GX_FID_INBOX, 1, 1000, 0);
	st_commit(t);
	st_verify(s);
	gx_store_close(s);
}
END_TEST

START_TEST(a_sound_one_stays_as_it_is)
{
	bool is[MESSAGES] = {false};
	struct gx_store_salvage_result r;
	const char *why;
	ck_assert_int_eq(salvage(0, &r, &why), 0);
	ck_assert_uint_eq(r.gaps, 0);
	struct gx_store *s = st_open(dir);
	st_verify(s);
	readable(s, is);
	for (int i = 0; i < MESSAGES; i++)
		ck_assert(is[i]);
	gx_store_close(s);
}
END_TEST

START_TEST(the_identity_can_be_told)
{
	struct gx_store_salvage_result r;
	const char *why;
	struct gx_store *s = st_open(dir);
	struct gx_guid replica = *gx_store_replica(s);
	gx_store_close(s);
	run("DELETE FROM meta; DELETE FROM fstate WHERE fid=0");
	ck_assert_int_eq(gx_store_open(dir, NULL, &s, a, &why), GX_E_FORMAT);
	ck_assert_int_eq(salvage(0, &r, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "name its owner"));
	ck_assert_int_eq(gx_store_open(dir, NULL, &s, a, &why), GX_E_FORMAT);
	ck_assert_int_eq(salvage(7, &r, &why), 0);
	s = repaired();
	ck_assert(!gx_store_is_public(s));
	ck_assert_int_eq(gx_guid_cmp(&replica, gx_store_replica(s)), 0);
	gx_store_close(s);
}
END_TEST

START_TEST(what_is_no_database_stays)
{
	struct gx_store_salvage_result r;
	char path[600];
	struct stat st, now;
	const char *why;
	overwrite(0, 5);
	database(path, sizeof(path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(salvage(7, &r, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(stat(path, &now), 0);
	ck_assert(st.st_ino == now.st_ino && st.st_size == now.st_size);
}
END_TEST

START_TEST(not_while_it_is_open)
{
	struct gx_store_salvage_result r;
	const char *why;
	struct gx_store *s = st_open(dir);
	ck_assert_int_eq(salvage(7, &r, &why), GX_E_BUSY);
	gx_store_close(s);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("salvage");
	TCase *c = tcase_create("pages");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, nothing_readable_is_lost, 0, 40);
	tcase_add_test(c, a_sound_one_stays_as_it_is);
	tcase_add_test(c, the_identity_can_be_told);
	tcase_add_test(c, what_is_no_database_stays);
	tcase_add_test(c, not_while_it_is_open);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
