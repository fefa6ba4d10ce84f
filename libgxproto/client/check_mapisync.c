/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of folders at the client: down, up, interrupted, and after both have changed. */
#include <config.h>
#include <gx/ftx.h>
#include "libgxproto/client/clienttest.h"

enum { MOST = 64 };
static struct gx_mapi_obj *store, *inbox;
static uint64_t fid;

/* What the client has: ids, subjects, read or not. */
static struct {
	uint64_t id;
	const char *subject;
	struct gx_bin key;
	bool is_read;
} copy[MOST];
static unsigned copied, told, stop_at;
static struct gx_bin state;

static void setup(void)
{
	ct_setup_connected();
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
	fid = gx_mapi_special_folder(store, GX_MAPI_INBOX);
	CT_OK(gx_mapi_open_folder(store, fid, 0, &inbox));
	copied = told = 0;
	stop_at = UINT32_MAX;
	state = (struct gx_bin){0};
}

static void teardown(void)
{
	gx_mapi_close(inbox);
	gx_mapi_close(store);
	ct_teardown();
}

static unsigned find(uint64_t id)
{
	unsigned i = 0;
	while (i < copied && copy[i].id != id)
		++i;
	return i;
}

static gx_ec on_message(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx)
{
	unsigned i = find(ch->id);
	(void)ctx;
	if (told == stop_at)
		return GX_EC(ecUserCanceled);
	++told;
	ck_assert_uint_lt(i, MOST);
	ck_assert_uint_eq(ch->source_key.len, 22);
	ck_assert_uint_ne(ch->change_number, 0);
	ck_assert_uint_ne(ch->modified, 0);
	copy[i].id = ch->id;
	copy[i].subject = gx_arena_strdup(et_a, gx_proplist_str(&m->props, PidTagSubject, ""));
	copy[i].key = (struct gx_bin){gx_arena_memdup(et_a, ch->source_key.data, 22), 22};
	copy[i].is_read = gx_proplist_i32(&m->props, PidTagMessageFlags, 0) & 1;
	copied += i == copied;
	return GX_EC(ecSuccess);
}

static gx_ec on_deleted(uint64_t id, bool gone, void *ctx)
{
	unsigned i = find(id);
	(void)ctx;
	ck_assert(gone);
	ck_assert_uint_lt(i, copied);
	copy[i] = copy[--copied];
	++told;
	return GX_EC(ecSuccess);
}

static gx_ec on_read(uint64_t id, bool is_read, void *ctx)
{
	(void)ctx;
	ck_assert_uint_lt(find(id), copied);
	copy[find(id)].is_read = is_read;
	++told;
	return GX_EC(ecSuccess);
}

static gx_ec on_progress(uint32_t done, uint32_t total, void *ctx)
{
	ck_assert_ptr_null(ctx);
	ck_assert(total == 0 || done <= total);
	return GX_EC(ecSuccess);
}

static const struct gx_mapi_sync_ops ops = {.message = on_message, .deleted = on_deleted, .read = on_read, .progress = on_progress};

/* Synchronises, keeps the state, also when it was stopped. @return how much was told. */
static unsigned sync_any(gx_ec *ret_ec)
{
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	struct gx_mapi_obj *s;
	o.state = state;
	told = 0;
	CT_OK(gx_mapi_sync_begin(inbox, &o, &s));
	gx_ec ec = gx_mapi_sync_run(s, &ops, NULL);
	CT_OK(gx_mapi_sync_state(s, et_a, &state));
	gx_mapi_close(s);
	if (ret_ec != NULL)
		*ret_ec = ec;
	return told;
}

static unsigned sync_with(uint32_t code)
{
	gx_ec ec;
	unsigned n = sync_any(&ec);
	ck_assert_msg(gx_ec_is(ec, code), "%s", gx_ec_name(ec));
	return n;
}

static unsigned sync_down(void)
{
	return sync_with(ecSuccess);
}

static uint64_t put(const char *subject)
{
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	uint64_t mid;
	CT_OK(gx_mapi_create_message(store, fid, false, &m));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	CT_OK(gx_mapi_set(m, &l));
	CT_OK(gx_mapi_save(m, false, &mid));
	gx_mapi_close(m);
	return mid;
}

static void change(uint64_t mid, const char *subject)
{
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	CT_OK(gx_mapi_open_message(store, fid, mid, GX_MAPI_READ_WRITE, &m));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	CT_OK(gx_mapi_set(m, &l));
	CT_OK(gx_mapi_save(m, false, NULL));
	gx_mapi_close(m);
}

START_TEST(down)
{
	uint64_t mid[10];
	ck_assert_uint_eq(sync_down(), 0);
	for (int i = 0; i < 10; ++i)
		mid[i] = put(gx_arena_printf(et_a, "message %d", i));
	ck_assert_uint_eq(sync_down(), 10);
	ck_assert_uint_eq(copied, 10);
	ck_assert_str_eq(copy[find(mid[3])].subject, "message 3");
	ck_assert_uint_eq(sync_down(), 0);
	change(mid[3], "changed");
	CT_OK(gx_mapi_delete_messages(inbox, mid, 2, false, NULL));
	(void)put("one more");
	ck_assert_uint_eq(sync_down(), 4);
	ck_assert_uint_eq(copied, 9);
	ck_assert_str_eq(copy[find(mid[3])].subject, "changed");
	ck_assert_uint_eq(sync_down(), 0);
}
END_TEST

/* What was told before a synchronisation broke off is not told again. */
START_TEST(interrupted)
{
	uint64_t mid[10];
	for (int i = 0; i < 10; ++i)
		mid[i] = put(gx_arena_printf(et_a, "message %d", i));
	stop_at = 4;
	ck_assert_uint_eq(sync_with(ecUserCanceled), 4);
	stop_at = 3;
	CT_OK(gx_mapi_delete_messages(inbox, mid, 10, false, NULL));
	for (int i = 0; i < 3; ++i)
		mid[i] = put("later");
	ck_assert_uint_eq(sync_down(), 7);
	ck_assert_uint_eq(copied, 3);
	ck_assert_uint_eq(sync_down(), 0);
}
END_TEST

START_TEST(folders_down)
{
	struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	struct gx_mapi_obj *s;
	CT_OK(gx_mapi_create_folder(inbox, (n.name = "a", &n), NULL, NULL));
	o.hierarchy = true;
	o.state = (struct gx_bin){(const uint8_t *)"no state", 8};
	CT_IS(gx_mapi_sync_begin(inbox, &o, &s), ecInvalidParam);
	o.state = (struct gx_bin){0};
	CT_OK(gx_mapi_sync_begin(inbox, &o, &s));
	CT_OK(gx_mapi_sync_run(s, &ops, NULL));
	CT_OK(gx_mapi_sync_state(s, et_a, &state));
	CT_IS(gx_mapi_import_deletes(s, NULL, 0, false, false), ecInvalidParam);
	gx_mapi_close(s);
	ck_assert_uint_ne(state.len, 0);
}
END_TEST

static struct gx_mapi_change new_change(const struct gx_guid *replica, uint64_t counter)
{
	static const struct gx_guid mine = {1, 2, 3, {4}};
	struct gx_mapi_change ch = {.modified = gx_nttime_from_unix(1700000000, 0)};
	ck_assert_int_eq(gx_entryid_gid(et_a, replica, counter, &ch.source_key), 0);
	ck_assert_int_eq(gx_entryid_gid(et_a, &mine, counter, &ch.change_key), 0);
	ck_assert_int_eq(gx_pcl_add_key(et_a, (struct gx_bin){0}, ch.change_key, &ch.predecessors), 0);
	return ch;
}

START_TEST(up)
{
	struct gx_mapi_obj *col, *m;
	struct gx_proplist l = {0};
	struct gx_guid replica;
	uint64_t first, mid[2];
	mid[0] = put("zero");
	mid[1] = put("one");
	ck_assert_uint_eq(sync_down(), 2);
	CT_OK(gx_mapi_new_ids(store, 10, &replica, &first));
	CT_OK(gx_mapi_collector(inbox, false, state, &col));
	struct gx_mapi_change ch = new_change(&replica, first);
	CT_OK(gx_mapi_import_message(col, &ch, true, &m));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, "brought"), 0);
	CT_OK(gx_mapi_set(m, &l));
	CT_OK(gx_mapi_save(m, false, NULL));
	gx_mapi_close(m);
	/* the same again is known */
	CT_IS(gx_mapi_import_message(col, &ch, true, &m), ecIgnoreFailure);
	CT_OK(gx_mapi_import_deletes(col, &copy[find(mid[0])].key, 1, false, false));
	CT_OK(gx_mapi_import_reads(col, &copy[find(mid[1])].key, 1, true));
	CT_OK(gx_mapi_collector_state(col, et_a, &state));
	gx_mapi_close(col);
	/* nothing of it comes back */
	copied = 0;
	ck_assert_uint_eq(sync_down(), 0);
	state = (struct gx_bin){0};
	ck_assert_uint_eq(sync_down(), 2);
	ck_assert_uint_eq(copied, 2);
	ck_assert(copy[find(mid[1])].is_read);
	ck_assert_str_eq(copy[copy[0].id == mid[1]].subject, "brought");
}
END_TEST

/* ---- Copies as streams ---- */

static struct gx_push stream;
static size_t given;

static gx_ec take(const void *data, size_t n, void *ctx)
{
	(void)ctx;
	gx_push_bytes(&stream, data, n);
	return GX_EC(ecSuccess);
}

static gx_ec give(void *buf, size_t size, size_t *ret_n, void *ctx)
{
	size_t n = stream.len - given < size ? stream.len - given : size;
	(void)ctx;
	memcpy(buf, stream.data + given, n);
	given += n;
	*ret_n = n;
	return GX_EC(ecSuccess);
}

START_TEST(copies)
{
	uint64_t mid[2] = {put("first"), put("second")}, to = gx_mapi_special_folder(store, GX_MAPI_DELETED);
	struct gx_mapi_obj *trash, *t;
	uint32_t rows;
	CT_OK(gx_mapi_open_folder(store, to, 0, &trash));
	CT_OK(gx_mapi_copy_messages_out(inbox, mid, 2, take, NULL));
	ck_assert_uint_gt(stream.len, 100);
	given = 0;
	CT_OK(gx_mapi_copy_in(trash, GX_FTX_FROM_COPY_MESSAGES, give, NULL));
	CT_OK(gx_mapi_contents(trash, 0, &t, &rows));
	ck_assert_uint_eq(rows, 2);
	gx_mapi_close(t);
	gx_push_clear(&stream);
	CT_OK(gx_mapi_copy_out(inbox, take, NULL));
	ck_assert_uint_gt(stream.len, 100);
	CT_IS(gx_mapi_copy_out(store, take, NULL), ecInvalidParam);
	gx_push_release(&stream);
	gx_mapi_close(trash);
}
END_TEST

/* Both sides change at random; the copy is compared each time. */
START_TEST(model)
{
	uint64_t mid[MOST];
	unsigned n = 0, seed = 7;
	for (unsigned round = 0; round < gxtest_rounds(12); ++round) {
		for (unsigned k = 0; k < 5; ++k) {
			unsigned what = (unsigned)rand_r(&seed) % 4, at = n == 0 ? 0 : (unsigned)rand_r(&seed) % n;
			if (what < 2 && n < MOST / 2) {
				mid[n++] = put(gx_arena_printf(et_a, "round %u.%u", round, k));
			} else if (what == 2 && n > 0) {
				change(mid[at], gx_arena_printf(et_a, "change %u.%u", round, k));
			} else if (n > 0) {
				CT_OK(gx_mapi_delete_messages(inbox, &mid[at], 1, k % 2, NULL));
				mid[at] = mid[--n];
			}
		}
		if (round % 3 == 1) {
			stop_at = 1;
			(void)sync_any(NULL);
			stop_at = UINT32_MAX;
			continue;
		}
		(void)sync_down();
		ck_assert_uint_eq(copied, n);
		for (unsigned i = 0; i < n; ++i) {
			static const gx_proptag_t tag = PidTagSubject;
			struct gx_proplist l;
			struct gx_mapi_obj *m;
			ck_assert_uint_lt(find(mid[i]), copied);
			CT_OK(gx_mapi_open_message(store, fid, mid[i], GX_MAPI_READ_ONLY, &m));
			CT_OK(gx_mapi_get(m, &tag, 1, et_a, &l));
			ck_assert_str_eq(gx_proplist_str(&l, tag, ""), copy[find(mid[i])].subject);
			gx_mapi_close(m);
		}
	}
}
END_TEST

/* The state is asked for while a request's answers are being told: that many come in one Execute. */
static gx_ec on_message_state(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx)
{
	struct gx_bin now;
	(void)ch;
	(void)m;
	CT_OK(gx_mapi_sync_state(ctx, et_a, &now));
	ck_assert_uint_gt(now.len, 0);
	memset(gx_arena_alloc(et_a, 100000), 'x', 100000); /* takes the place of what was let go */
	++told;
	return GX_EC(ecSuccess);
}

START_TEST(state_meanwhile)
{
	static const struct gx_mapi_sync_ops with_state = {.message = on_message_state};
	enum { N = 24, BODY = 8000 };
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	struct gx_mapi_obj *s;
	char body[BODY + 1];
	memset(body, 'x', BODY);
	body[BODY] = '\0';
	for (unsigned i = 0; i < N; ++i) {
		struct gx_proplist l = {0};
		struct gx_mapi_obj *m;
		CT_OK(gx_mapi_create_message(store, fid, false, &m));
		ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagBody, body), 0);
		CT_OK(gx_mapi_set(m, &l));
		CT_OK(gx_mapi_save(m, false, NULL));
		gx_mapi_close(m);
	}
	CT_OK(gx_mapi_sync_begin(inbox, &o, &s));
	CT_OK(gx_mapi_sync_run(s, &with_state, s));
	ck_assert_uint_eq(told, N);
	gx_mapi_close(s);
}
END_TEST

static Suite *sync_suite(void)
{
	Suite *s = suite_create("mapisync");
	TCase *t = tcase_create("mapisync");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, down);
	tcase_add_test(t, interrupted);
	tcase_add_test(t, folders_down);
	tcase_add_test(t, up);
	tcase_add_test(t, copies);
	tcase_add_test(t, state_meanwhile);
	tcase_add_test(t, model);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(sync_suite)
