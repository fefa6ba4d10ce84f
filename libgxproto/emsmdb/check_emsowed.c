/* SPDX-License-Identifier: Apache-2.0 */
/* What others are told of because of what a client does: once, also when a process ends in between. */
#include <config.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gx/delivery.h>
#include <gx/entryid.h>
#include <gx/idset.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/emsmdb/outbox.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, COLLECTOR = 3 };

static struct {
	int answer;
	unsigned calls;
	uint8_t id[16];
	char text[8192];
	int pipe;            /* a child tells what it got, and ends at once */
} out;

static int take(const struct gx_ems_mail *m, void *ctx)
{
	(void)ctx;
	++out.calls;
	memcpy(out.id, m->envelope->id, sizeof(out.id));
	snprintf(out.text, sizeof(out.text), "%.*s", (int)m->data.len, (const char *)m->data.data);
	if (out.pipe > 0) {
		ssize_t n = write(out.pipe, out.id, sizeof(out.id));
		_exit(n == sizeof(out.id) ? 9 : 1);
	}
	return out.answer;
}

/* Stands still; only a test moves it, by seconds. */
static int64_t begun, later;

static int64_t real(void *ctx)
{
	(void)ctx;
	return (begun + later) * 1000000000;
}

static int64_t mono(void *ctx)
{
	(void)ctx;
	return gx_clock_mono_ms(gx_clock_system()) * 1000000;
}

static const struct gx_clock my_clock = {real, mono, NULL};
static char queue[600];

static struct gx_ems_opts options(void)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	o.submit = take;
	o.submit_dir = queue;
	o.clock = &my_clock;
	return o;
}

static void setup(void)
{
	unsetenv("GX_TEST_HTTPS");
	memset(&out, 0, sizeof(out));
	begun = gx_clock_unix(gx_clock_system());
	later = 0;
	snprintf(queue, sizeof(queue), "%s", st_dir());
	const struct gx_ems_opts o = options();
	et_setup_with(&o);
}

static void teardown(void)
{
	et_teardown();
	st_rmtree(queue);
}

static void log_on(void)
{
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_INBOX), 0}, NULL));
}

static void again(void)
{
	const struct gx_ems_opts o = options();
	et_again(&o);
}

static struct gx_store *store(const char *name)
{
	struct gx_store *s;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/%s", et_dir, name), &s, et_a, &why), 0);
	return s;
}

/* ---- Receipts ---- */

static uint64_t wishes(void)
{
	struct gx_propval v[] = {{PidTagReadReceiptRequested, {.b = true}}, {PidTagMessageFlags, {.i32 = 0}}};
	const struct gx_proplist l = {v, 2, 2};
	et_new_message(LOGON, MESSAGE, GX_FID_INBOX);
	et_set_str(MESSAGE, PidTagSubject, "news");
	et_set_str(MESSAGE, PidTagSentRepresentingSmtpAddress, "eve@example.com");
	(void)et_set(MESSAGE, &l);
	return et_save(MESSAGE);
}

static gx_ec mark(void)
{
	const struct gx_rop_set_message_read_flag_req q = {.read_flags = 0};
	return et_do(RopSetMessageReadFlag, MESSAGE, MESSAGE, &q, NULL);
}

static bool is_read(uint64_t mid)
{
	struct gx_msg_info i;
	struct gx_store *s = store("ann");
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_get(t, gx_eid_counter(mid), &i));
	gx_txn_abort(t);
	gx_store_pool_put(et_pool, s);
	return i.flags & GX_MSGF_READ;
}

START_TEST(tried_again)
{
	uint8_t id[16];
	log_on();
	(void)wishes();
	out.answer = GX_E_BUSY;
	ST_OK(mark());
	ck_assert_uint_eq(out.calls, 1);
	memcpy(id, out.id, sizeof(id));
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1); /* not that soon */
	again(); /* another process knows of it */
	out.answer = 0;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 2);
	ck_assert_mem_eq(id, out.id, sizeof(id));
	ck_assert_ptr_nonnull(strstr(out.text, "Subject: Read: news"));
	ck_assert(!gx_ems_has_mail(et_ems));
	log_on();
	(void)wishes();
	out.answer = GX_E_BUSY;
	ST_OK(mark());
	later = 6 * 86400;
	gx_ems_send_due(et_ems); /* for the last time */
	ck_assert(!gx_ems_has_mail(et_ems));
	ck_assert_uint_eq(out.calls, 4);
}
END_TEST

/* More than are handed over at once: the rest goes by itself. */
START_TEST(very_many)
{
	log_on();
	for (int i = 0; i < 40; ++i)
		(void)wishes();
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &(struct gx_rop_set_read_flags_req){false, 0, NULL, 0}, NULL));
	ck_assert_uint_eq(out.calls, 32);
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 40);
	ck_assert(!gx_ems_has_mail(et_ems));
}
END_TEST

START_TEST(a_process_that_ends)
{
	int p[2], status;
	uint8_t id[16];
	uint64_t mid = 0;
	ck_assert_int_eq(pipe(p), 0);
	pid_t child = fork();
	if (child == 0) { /* it is handed over, and that is all that anybody knows */
		out.pipe = p[1];
		log_on();
		mid = wishes();
		ck_assert_int_eq(write(p[1], &mid, sizeof(mid)), sizeof(mid));
		(void)mark().v;
		_exit(2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	ck_assert_int_eq(read(p[0], &mid, sizeof(mid)), sizeof(mid));
	ck_assert_int_eq(read(p[0], id, sizeof(id)), sizeof(id));
	close(p[0]);
	close(p[1]);
	again();
	ck_assert(is_read(mid));
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
	ck_assert_mem_eq(id, out.id, sizeof(id));
	again();
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
}
END_TEST

/* A file, and nothing that it is for: the transaction was never committed. */
START_TEST(a_mark_that_never_was)
{
	struct gx_store *s = store("ann");
	pid_t child = fork();
	if (child == 0) {
		struct gx_ems_entry *x;
		struct gx_ems_entry in = {.mailbox = *gx_store_mailbox_guid(s), .mid = UINT64_C(0x8000000000000007), .id = {7},
			.maildir = gx_arena_printf(et_a, "%s/ann", et_dir), .from = queue};
		_exit(gx_outbox__put(et_ems, &in, &x) == 0 ? 9 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	gx_store_pool_put(et_pool, s);
	again();
	ck_assert(gx_ems_has_mail(et_ems));
	gx_ems_send_due(et_ems);
	ck_assert(!gx_ems_has_mail(et_ems));
	ck_assert_uint_eq(out.calls, 0);
}
END_TEST

/* ---- Conflicts in public folders ---- */

static uint64_t public_message(const char *contact, uint64_t *ret_fid)
{
	struct gx_store *s = store("public");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "shared", "IPF.Note", GX_FOLDER_GENERIC, NULL, ret_fid));
	ST_OK(gx_folder_set_permission(t, *ret_fid, "ann@example.org", GX_RIGHTS_ALL & ~(uint32_t)GX_RIGHT_CONTACT, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_PUB_IPMSUBTREE, "ann@example.org", GX_RIGHT_VISIBLE | GX_RIGHT_READ, false));
	if (contact != NULL)
		ST_OK(gx_folder_set_permission(t, *ret_fid, contact, GX_RIGHT_VISIBLE | GX_RIGHT_CONTACT, false));
	ST_OK(gx_folder_set_permission(t, *ret_fid, "gone@example.org", GX_RIGHTS_ALL, false));
	uint64_t mid = st_insert(t, *ret_fid, 1, 300, 0).mid;
	st_commit(t);
	gx_store_pool_put(et_pool, s);
	return mid;
}

static uint32_t notices(const char *name, struct gx_msgobj **ret_m)
{
	struct gx_folder_info f;
	struct gx_store *s = store(name);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, et_a, &f));
	for (uint64_t mid = 1; f.total > 0 && ret_m != NULL && mid < 0x10000; ++mid)
		if (!gx_ec_failed(gx_msg_read(t, mid, et_a, ret_m)))
			break;
	gx_txn_abort(t);
	gx_store_pool_put(et_pool, s);
	return f.total;
}

/* As a client that has never seen what is there. */
static void conflict(uint64_t fid, uint64_t mid, unsigned n)
{
	const struct gx_guid space = {.d1 = 0xc11e0000};
	struct gx_bin key, change, pcl;
	struct gx_proplist l = {0};
	struct gx_store *s = store("public");
	ck_assert_int_eq(gx_entryid_gid(et_a, gx_store_replica(s), mid, &key), 0);
	gx_store_pool_put(et_pool, s);
	ck_assert_int_eq(gx_entryid_gid(et_a, &space, n, &change), 0);
	ck_assert_int_eq(gx_pcl_add_key(et_a, (struct gx_bin){0}, change, &pcl), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagSourceKey, key.data, key.len), 0);
	ck_assert_int_eq(gx_proplist_set_time(&l, et_a, PidTagLastModificationTime, 1000), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagChangeKey, change.data, change.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagPredecessorChangeList, pcl.data, pcl.len), 0);
	const struct gx_rop_synchronization_import_message_change_req q = {.property_values = l};
	ST_OK(et_do(RopLogon, LOGON, 0, &(struct gx_rop_logon_req){.open_flags = 2}, NULL));
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, fid), 0}, NULL));
	ST_OK(et_do(RopSynchronizationOpenCollector, FOLDER, COLLECTOR, &(struct gx_rop_synchronization_open_collector_req){1}, NULL));
	ST_OK(et_do(RopSynchronizationImportMessageChange, COLLECTOR, MESSAGE, &q, NULL));
	et_set_str(MESSAGE, PidTagSubject, "the client's");
	et_set_str(MESSAGE, PidTagMessageClass, "IPM.Note");
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, NULL));
}

START_TEST(the_contact_is_told)
{
	struct gx_msgobj *m = NULL;
	uint64_t fid, mid = public_message("bob@example.org", &fid);
	conflict(fid, mid, 1);
	ck_assert_uint_eq(notices("bob", &m), 1);
	ck_assert_uint_eq(notices("ann", NULL), 0);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagMessageClass, ""), "IPM.Conflict.Message");
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSenderName, ""), "shared");
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagOriginalSubject, ""), "message 1");
	ck_assert_uint_eq(gx_proplist_get(&m->props, PidTagConflictEntryId)->v.bin.len, 70);
	conflict(fid, mid, 2);
	ck_assert_uint_eq(notices("bob", NULL), 2);
	ck_assert_uint_eq(out.calls, 0);
}
END_TEST

START_TEST(else_the_owner)
{
	struct gx_proplist l = {0};
	uint64_t fid, mid = public_message(NULL, &fid);
	conflict(fid, mid, 1);
	ck_assert_uint_eq(notices("ann", NULL), 1);
	ck_assert_uint_eq(notices("bob", NULL), 0);
	/* RESOLVE_NO_CONFLICT_NOTIFICATION */
	struct gx_store *s = store("public");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagResolveMethod, 2), 0);
	ST_OK(gx_folder_set_props(t, fid, &l));
	st_commit(t);
	gx_store_pool_put(et_pool, s);
	conflict(fid, mid, 2);
	ck_assert_uint_eq(notices("ann", NULL), 1);
}
END_TEST

static Suite *emsowed_suite(void)
{
	Suite *s = suite_create("emsowed");
	TCase *t = tcase_create("emsowed");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, tried_again);
	tcase_add_test(t, very_many);
	tcase_add_test(t, a_process_that_ends);
	tcase_add_test(t, a_mark_that_never_was);
	tcase_add_test(t, the_contact_is_told);
	tcase_add_test(t, else_the_owner);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsowed_suite)
