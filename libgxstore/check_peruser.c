/* SPDX-License-Identifier: Apache-2.0 */
/* What was read in public folders: as change numbers, and remembered in mailboxes. */
#include <config.h>
#include <gx/peruser.h>
#include "libgxstore/fixtest.h"

static const struct gx_actor ann = {.user = "ann@example.org", .owner = true}, bob = {.user = "bob@example.org", .owner = true};
static const struct gx_actor eve = {.user = "eve@example.org"};

static void public_setup(void)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "";
	snprintf(dir, sizeof(dir), "%s", st_dir());
	a = gx_arena_new(0);
	o.owner_id = 1;
	o.owner = "example.org";
	o.public_store = true;
	ck_assert_msg(gx_store_create(dir, &o, a, &why) == 0, "%s", why);
	s = st_open(dir);
}

static struct gx_txn *as(const struct gx_actor *who, int mode)
{
	struct gx_txn *t = NULL;
	ck_assert_int_eq(gx_txn_begin(s, who, mode, 1000, &t), 0);
	return t;
}

enum { MESSAGES = 40 };

/* A model beside it: what each of two readers has read. */
START_TEST(reads_as_change_numbers)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids m[MESSAGES];
	bool read[2][MESSAGES] = {{false}};
	const struct gx_actor *who[2] = {&ann, &bob};
	uint64_t fid = 0, unread;
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "f", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_set_permission(t, fid, "default", 0, false));
	for (unsigned i = 0; i < MESSAGES; i++)
		m[i] = st_insert(t, fid, i, 300, i == 0 ? GX_MSGF_FAI : 0);
	st_commit(t);
	for (unsigned round = 0; round < 30; round++) {
		unsigned k = round % 2, left = 0;
		struct gx_globset set = GX_GLOBSET_INIT, got = GX_GLOBSET_INIT;
		ck_assert_int_eq(gx_globset_add(&set, GX_COUNTER_MAX - 5), 0); /* of no message */
		for (unsigned i = 1; i < MESSAGES; i++) {
			read[k][i] = (i * 2654435761U + round * 40503U) >> 7 & 1;
			left += !read[k][i];
			if (read[k][i])
				ck_assert_int_eq(gx_globset_add(&set, m[i].cn), 0);
		}
		t = as(who[k], GX_TXN_WRITE);
		ST_OK(gx_reads_set(t, fid, &set));
		st_commit(t);
		t = as(who[k], GX_TXN_READ);
		ST_OK(gx_reads_get(t, fid, &got));
		ck_assert_int_eq(gx_globset_remove(&set, GX_COUNTER_MAX - 5), 0);
		ck_assert(gx_globset_equal(&got, &set));
		ST_OK(gx_folder_unread(t, fid, who[k]->user, &unread));
		ck_assert_uint_eq(unread, left);
		gx_txn_abort(t);
		gx_globset_release(&got);
		gx_globset_release(&set);
	}
	t = as(&eve, GX_TXN_WRITE);
	ST_IS(gx_reads_get(t, fid, &(struct gx_globset){0}), ecAccessDenied);
	ST_IS(gx_reads_set(t, fid, &(struct gx_globset){0}), ecAccessDenied);
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_reads_set(t, fid, &(struct gx_globset){0}), ecNotSupported);
	ST_IS(gx_peruser_set(t, &(struct gx_peruser){.folder = 1}), ecNotSupported);
	gx_txn_abort(t);
}
END_TEST

static struct gx_guid guid(uint32_t n)
{
	return (struct gx_guid){.d1 = n, .d2 = 0x1234, .d3 = 0x5678, .d4 = {1, 2, 3, 4, 5, 6, 7, 0xfe}};
}

START_TEST(remembered)
{
	struct gx_peruser p = {.folder_db = guid(1), .folder = 0x123456789a, .database = guid(7), .data = {(const uint8_t *)"abc", 3}}, got, *v;
	const struct gx_guid other = guid(9);
	size_t n;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_peruser_get(t, &p.folder_db, p.folder, a, &got), ecNotFound);
	ST_OK(gx_peruser_set(t, &p));
	p.folder = 2;
	p.database = other;
	ST_OK(gx_peruser_set(t, &p));
	ST_OK(gx_peruser_get(t, &p.folder_db, 0x123456789a, a, &got));
	ck_assert_uint_eq(got.data.len, 3);
	ck_assert_int_eq(memcmp(got.data.data, "abc", 3), 0);
	ck_assert_uint_eq(got.database.d1, 7);
	ST_OK(gx_peruser_list(t, &other, a, &v, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(v[0].folder, 2);
	ck_assert_int_eq(gx_guid_cmp(&v[0].folder_db, &p.folder_db), 0);
	p.data.len = 0;
	ST_OK(gx_peruser_set(t, &p));
	ST_OK(gx_peruser_list(t, &other, a, &v, &n));
	ck_assert_uint_eq(n, 0);
	uint8_t *big = gx_arena_calloc(a, 1, GX_PERUSER_SIZE_MAX + 1);
	p.data = (struct gx_bin){big, GX_PERUSER_SIZE_MAX + 1};
	ST_IS(gx_peruser_set(t, &p), ecTooBig);
	st_commit(t);
	t = as(&eve, GX_TXN_READ);
	ST_IS(gx_peruser_get(t, &p.folder_db, 0x123456789a, a, &got), ecAccessDenied);
	ST_IS(gx_peruser_list(t, &other, a, &v, &n), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("peruser");
	TCase *c = tcase_create("public"), *p = tcase_create("private");
	tcase_add_checked_fixture(c, public_setup, fix_teardown);
	tcase_add_test(c, reads_as_change_numbers);
	tcase_add_checked_fixture(p, fix_setup, fix_teardown);
	tcase_add_test(p, remembered);
	suite_add_tcase(x, c);
	suite_add_tcase(x, p);
	return x;
}

GXTEST_MAIN(suite)
