/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/storetest.h"

/* Ids and change numbers: given ones, reserved ones, and which change moves which number. */

static char dir[512];
static struct gx_store *s;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	s = st_open(dir);
}

static void teardown(void)
{
	st_verify(s);
	gx_store_close(s);
	st_rmtree(dir);
}

static gx_ec put(struct gx_txn *t, uint64_t fid, const struct gx_msg_insert_opts *o, struct gx_msg_ids *ret_ids)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msg_prepared *p = st_message(a, 1, 500);
	gx_ec ec = gx_msg_insert(t, fid, p, o, ret_ids);
	gx_msg_prepared_release(p);
	gx_arena_free(a);
	return ec;
}

START_TEST(given_numbers)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	o.mid = 0x123456;
	o.cn = 0x77777;
	o.uid = 42;
	ST_OK(put(t, GX_FID_INBOX, &o, &ids));
	ck_assert_uint_eq(ids.mid, 0x123456);
	ck_assert_uint_eq(ids.cn, 0x77777);
	ck_assert_uint_eq(ids.uid, 42);
	o.uid = 43;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecDuplicateObject);
	o.mid = GX_FID_INBOX;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecDuplicateObject);
	o.mid = GX_COUNTER_MAX + 1;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecInvalidParam);
	o.mid = 0x123567; /* the next ones are those of bodies */
	o.uid = 42;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecInvalidParam);
	o = (struct gx_msg_insert_opts)GX_MSG_INSERT_OPTS_INIT;
	ST_OK(put(t, GX_FID_INBOX, &o, &ids)); /* what comes after is above */
	ck_assert_uint_gt(ids.mid, 0x123456);
	ck_assert_uint_gt(ids.cn, 0x77777);
	ck_assert_uint_eq(ids.uid, 43);
	o.mid = 0x200000;
	o.flags = GX_MSGF_SOFTDEL;
	ST_OK(put(t, GX_FID_INBOX, &o, &ids));
	ck_assert_uint_eq(ids.uid, 0);
	st_commit(t);
}
END_TEST

START_TEST(only_the_owner_chooses)
{
	static const struct gx_actor bob = {.user = "bob@example.org"};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_folder_create_opts fo = GX_FOLDER_CREATE_OPTS_INIT;
	struct gx_msg_ids ids;
	uint64_t fid;
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHTS_ALL & ~GX_RIGHT_OWNER, false));
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(s, &bob, GX_TXN_WRITE, 1000, &t), 0);
	o.mid = 0x123456;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecAccessDenied);
	o.mid = 0;
	o.cn = 5;
	ST_IS(put(t, GX_FID_INBOX, &o, &ids), ecInvalidParam);
	fo.parent = GX_FID_INBOX;
	fo.name = "x";
	fo.fid = 0x300000;
	ST_IS(gx_folder_create_with(t, &fo, &fid), ecAccessDenied);
	ST_IS(gx_store_raise_numbers(t, 1, 1), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

START_TEST(given_folder)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	struct gx_folder_info i;
	struct gx_proplist l = {0}, got;
	uint64_t fid;
	static const uint8_t pcl[] = {22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0, 0, 0, 0, 9};
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagPredecessorChangeList, pcl, sizeof(pcl)), 0);
	ck_assert_int_eq(gx_proplist_set_time(&l, a, PidTagCreationTime, 4711), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&l, a, PidTagAttributeHidden, true), 0);
	o.parent = GX_FID_IPMSUBTREE;
	o.name = "imported";
	o.fid = 0x50000;
	o.cn = 0x4444;
	o.uidvalidity = 0x50000;
	o.uidnext = 100;
	o.props = &l;
	ST_OK(gx_folder_create_with(t, &o, &fid));
	ST_OK(gx_folder_get(t, fid, a, &i));
	ck_assert(i.fid == 0x50000 && i.cn == 0x4444 && i.uidvalidity == 0x50000 && i.uidnext == 100 && i.hidden);
	ST_OK(gx_folder_get_props(t, fid, NULL, 0, a, &got));
	ck_assert_uint_eq(gx_proplist_get(&got, PidTagCreationTime)->v.time, 4711);
	ck_assert_mem_eq(gx_proplist_get(&got, PidTagPredecessorChangeList)->v.bin.data, pcl, sizeof(pcl));
	o.name = "again";
	ST_IS(gx_folder_create_with(t, &o, &fid), ecDuplicateObject);
	st_commit(t);
	gx_arena_free(a);
}
END_TEST

START_TEST(reserved)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	uint64_t first, second;
	ST_OK(gx_store_reserve_ids(t, 1000, &first));
	ST_OK(gx_store_reserve_ids(t, 10, &second));
	ck_assert_uint_eq(second, first + 1000);
	ST_IS(gx_store_reserve_ids(t, 0, &first), ecInvalidParam);
	ST_OK(put(t, GX_FID_INBOX, NULL, &ids));
	ck_assert_uint_ge(ids.mid, second + 10);
	ST_IS(gx_store_check_reserved(t, ids.mid), ecNotFound);
	ST_IS(gx_store_check_reserved(t, first - 1), ecNotFound);
	ST_OK(gx_store_check_reserved(t, first + 999));
	o.mid = first + 999;
	ST_OK(put(t, GX_FID_INBOX, &o, &ids));
	ST_IS(gx_store_check_reserved(t, first + 999), ecDuplicateObject);
	st_commit(t);
}
END_TEST

static int spent(uint64_t id)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	int r = gx_txn__is_spent(t, id);
	gx_txn_abort(t);
	return r;
}

/* What is not there any more had an id below the next one that nobody has set aside. */
START_TEST(ids_of_what_is_gone)
{
	enum { N = 40 };
	bool gone[N] = {false};
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids, own;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t first, moved, rng = 7;
	ST_OK(gx_store_reserve_ids(t, N, &first));
	for (unsigned i = 0; i < N; i++) {
		o.mid = first + i;
		ST_OK(put(t, GX_FID_INBOX, &o, &ids));
	}
	ST_OK(put(t, GX_FID_INBOX, NULL, &own));
	st_commit(t);
	for (unsigned i = 0; i < 60; i++) {
		rng = rng * 6364136223846793005u + 1442695040888963407u;
		unsigned k = (unsigned)(rng >> 33) % N;
		uint64_t mid = first + k;
		t = st_begin(s, GX_TXN_WRITE);
		if (i % 3 == 0) { /* hidden first, gone for good then */
			ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, false));
			ck_assert_int_eq(gx_txn__is_spent(t, mid), gone[k]);
		}
		if (i % 3 == 1 && !gone[k]) {
			ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_DRAFTS, true, &ids));
			moved = ids.mid;
			ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &moved, 1, true));
		} else {
			ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
		}
		gone[k] = true;
		st_commit(t);
		for (unsigned j = 0; j < N; j++)
			ck_assert_int_eq(spent(first + j), gone[j]);
	}
	ck_assert_int_eq(spent(own.mid), 1); /* asked only of what nothing has */
	ck_assert_int_eq(spent(UINT64_C(1) << 40), 0);
	t = st_begin(s, GX_TXN_WRITE);
	for (unsigned j = 0; j < N; j++)
		ck_assert_int_eq(gx_txn__spend_id(t, first + j), 0);
	ck_assert_int_eq(gx_txn__spend_id(t, own.mid), 0);
	ck_assert_int_eq(gx_txn__spend_id(t, UINT64_C(1) << 40), 0);
	st_commit(t);
	for (unsigned j = 0; j < N; j++)
		ck_assert_int_eq(spent(first + j), 1);
}
END_TEST

/* A folder takes the ids of all that is in it along. */
START_TEST(ids_of_folders_that_are_gone)
{
	struct gx_folder_create_opts fo = GX_FOLDER_CREATE_OPTS_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	uint64_t first, fid;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_reserve_ids(t, 10, &first));
	fo.parent = GX_FID_IPMSUBTREE;
	fo.name = "gone";
	fo.fid = first + 2;
	ST_OK(gx_folder_create_with(t, &fo, &fid));
	o.mid = first + 7;
	ST_OK(put(t, fid, &o, &ids));
	ST_OK(gx_folder_delete(t, fid, false));
	st_commit(t);
	ck_assert_int_eq(spent(first + 2), 0);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(spent(first + i), i == 2 || i == 7);
}
END_TEST

static void numbers(struct gx_txn *t, uint64_t mid, uint64_t v[3])
{
	struct gx_msg_row r;
	ck_assert_int_eq(gx_msg__row(t, mid, &r), 0);
	v[0] = r.modseq;
	v[1] = r.cn;
	v[2] = r.rcn;
}

/* What MAPI calls a change of the message, of its read state, and what only IMAP knows. */
START_TEST(which_number_moves)
{
	static const char *const words[] = {"blue", NULL};
	const struct {
		struct gx_flag_change c;
		bool modseq, cn, rcn;
	} v[] = {
		{{.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX}, true, false, true},
		{{.op = GX_FLAGS_ADD, .flags = GX_MSGF_FLAGGED, .unchanged_since = UINT64_MAX}, true, true, false},
		{{.op = GX_FLAGS_ADD, .flags = GX_MSGF_ANSWERED, .unchanged_since = UINT64_MAX}, true, true, false},
		{{.op = GX_FLAGS_ADD, .flags = GX_MSGF_DELETED, .unchanged_since = UINT64_MAX}, true, false, false},
		{{.op = GX_FLAGS_ADD, .keywords = words, .unchanged_since = UINT64_MAX}, true, false, false},
		{{.op = GX_FLAGS_ADD, .flags = GX_MSGF_RECENT, .unchanged_since = UINT64_MAX}, false, false, false},
	};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, 1, 300, 0);
	uint64_t was[3], is[3];
	numbers(t, ids.mid, was);
	ck_assert_uint_eq(was[2], 0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &v[i].c, a, NULL, NULL));
		numbers(t, ids.mid, is);
		ck_assert_msg((is[0] > was[0]) == v[i].modseq && (is[1] > was[1]) == v[i].cn && (is[2] > was[2]) == v[i].rcn, "case %zu", i);
		memcpy(was, is, sizeof(was));
	}
	st_commit(t);
	gx_arena_free(a);
}
END_TEST

static size_t logged(struct gx_txn *t, int kind, uint64_t since)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_log_item *v;
	size_t n;
	ck_assert_int_eq(gx_changelog__since(t, GX_FID_INBOX, kind, since, a, &v, &n), 0);
	gx_arena_free(a);
	return n;
}

/* Associated messages are logged apart, and a transaction sees its own changes. */
START_TEST(log_of_associated)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids normal = st_insert(t, GX_FID_INBOX, 1, 300, 0), fai = st_insert(t, GX_FID_INBOX, 2, 300, GX_MSGF_FAI);
	uint64_t start = t->store_state->modseq;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagIconIndex, 7), 0);
	ST_OK(gx_msg_set_props(t, normal.mid, &l));
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "new"), 0);
	ST_OK(gx_msg_set_props(t, normal.mid, &l));
	ST_OK(gx_msg_set_props(t, fai.mid, &l));
	ck_assert_uint_eq(logged(t, GX_LOG_CHANGED, start), 1);
	ck_assert_uint_eq(logged(t, GX_LOG_RENUMBERED, start), 1);
	ck_assert_uint_eq(logged(t, GX_LOG_FAI_CHANGED, start), 1);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &fai.mid, 1, true));
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &normal.mid, 1, GX_FID_DRAFTS, true, NULL));
	ck_assert_uint_eq(logged(t, GX_LOG_FAI_EXPUNGED, start), 1);
	ck_assert_uint_eq(logged(t, GX_LOG_EXPUNGED, start), 1);
	st_commit(t);
	gx_arena_free(a);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("numbers");
	TCase *c = tcase_create("numbers");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, given_numbers);
	tcase_add_test(c, only_the_owner_chooses);
	tcase_add_test(c, given_folder);
	tcase_add_test(c, reserved);
	tcase_add_test(c, ids_of_what_is_gone);
	tcase_add_test(c, ids_of_folders_that_are_gone);
	tcase_add_test(c, which_number_moves);
	tcase_add_test(c, log_of_associated);
	suite_add_tcase(x, c);
	return x;
}
GXTEST_MAIN(suite)
