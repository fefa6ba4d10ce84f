/* SPDX-License-Identifier: Apache-2.0 */
/* Mail on its way out: who may send, when it goes, what happens when it cannot, and when a process ends in between. */
#include <config.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gx/delivery.h>
#include <gx/entryid.h>
#include <gx/storeset.h>
#include <gx/table.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/emsmdb/kinds.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, TABLE = 3 };
enum { MAPI_TO = 1, MAPI_BCC = 3, RESEND = 0x80 };

/* ---- The other side ---- */

static struct {
	int answer;          /* to the next mails */
	unsigned calls;
	char from[64], rcpts[256], text[8192];
	uint8_t id[16];
	const char *refuses; /* one recipient */
	int as;              /* this is his fate, the others have it */
	char bounce[8192];   /* the last mail without a sender */
	unsigned bounces;
	int bounce_answer;
	uint8_t bounce_id[16];
	int pipe;            /* a child tells what it got, and ends at once */
} out;

static int take(const struct gx_ems_mail *m, void *ctx)
{
	ck_assert_ptr_eq(ctx, &out);
	if (*m->envelope->from == '\0') {
		++out.bounces;
		memcpy(out.bounce_id, m->envelope->id, sizeof(out.bounce_id));
		ck_assert_str_eq(m->envelope->rcpts[0], "ann@example.org");
		snprintf(out.bounce, sizeof(out.bounce), "%.*s", (int)m->data.len, (const char *)m->data.data);
		return out.bounce_answer;
	}
	++out.calls;
	snprintf(out.from, sizeof(out.from), "%s", m->envelope->from);
	out.rcpts[0] = '\0';
	for (size_t i = 0; i < m->envelope->rcpt_count; ++i)
		snprintf(out.rcpts + strlen(out.rcpts), sizeof(out.rcpts) - strlen(out.rcpts), "%s ", m->envelope->rcpts[i]);
	snprintf(out.text, sizeof(out.text), "%.*s", (int)m->data.len, (const char *)m->data.data);
	memcpy(out.id, m->envelope->id, sizeof(out.id));
	if (out.pipe > 0) {
		ssize_t n = write(out.pipe, out.id, sizeof(out.id));
		_exit(n == sizeof(out.id) ? 9 : 1);
	}
	for (size_t i = 0; out.refuses != NULL && m->fates != NULL && i < m->envelope->rcpt_count; ++i) {
		bool his = strcmp(m->envelope->rcpts[i], out.refuses) == 0;
		m->fates[i].err = his ? out.as : 0;
		snprintf(m->fates[i].host, sizeof(m->fates[i].host), "mx.example.net");
		snprintf(m->fates[i].says, sizeof(m->fates[i].says), his ? "550 5.1.1 no such user" : "");
	}
	return out.refuses != NULL ? out.as : out.answer;
}

/* ---- Time ---- */

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

/* ---- Around ---- */

static char *queue;

static struct gx_ems_opts options(void)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	o.submit = take;
	o.submit_ctx = &out;
	o.submit_dir = queue;
	o.clock = &my_clock;
	return o;
}

static void log_on(void)
{
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_OUTBOX), 0}, NULL));
}

static void setup(void)
{
	memset(&out, 0, sizeof(out));
	begun = gx_clock_unix(gx_clock_system());
	later = 0;
	const char *dir = st_dir();
	queue = malloc(strlen(dir) + 5);
	snprintf(queue, strlen(dir) + 5, "%s/out", dir);
	const struct gx_ems_opts o = options();
	et_setup_with(&o);
}

/* Of tests that let processes end, and others go on with what they leave. */
static void setup_here(void)
{
	unsetenv("GX_TEST_HTTPS");
	setup();
}

static void teardown(void)
{
	et_teardown();
	*strrchr(queue, '/') = '\0';
	st_rmtree(queue);
	free(queue);
}

static void again(void)
{
	const struct gx_ems_opts o = options();
	et_again(&o);
	log_on();
}

static struct gx_inst *inst(void)
{
	return gx_ems__message(gx_ems__find(et_s, et_handles[MESSAGE]))->inst;
}

static void add_rcpt(uint32_t row, int32_t type, const char *address_type, const char *address)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagRowid, (int32_t)row), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagRecipientType, type), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagAddressType, address_type), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagEmailAddress, address), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagDisplayName, "Somebody"), 0);
	ST_OK(gx_inst_set_rcpts(inst(), &l, 1));
}

static void set(gx_proptag_t tag, union gx_value v)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set(&l, et_a, tag, v), 0);
	ST_OK(et_do(RopSetProperties, MESSAGE, 0, &(struct gx_rop_set_properties_req){l}, NULL));
}

static void create(bool fai)
{
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_OUTBOX), .associated_flag = fai};
	ST_OK(et_do(RopCreateMessage, LOGON, MESSAGE, &q, NULL));
	set(PidTagSubject, (union gx_value){.str = "Lunch"});
	set(PidTagBody, (union gx_value){.str = "At noon?"});
}

/* To bob. */
static void letter(void)
{
	create(false);
	add_rcpt(0, MAPI_TO, "EX", et_dn[1]);
}

static gx_ec submit(uint8_t flags)
{
	return et_do(RopSubmitMessage, MESSAGE, 0, &(struct gx_rop_submit_message_req){flags}, NULL);
}

static uint64_t mid(void)
{
	return gx_ems__message(gx_ems__find(et_s, et_handles[MESSAGE]))->mid;
}

static uint32_t rows(uint64_t fid)
{
	struct gx_rop_get_contents_table_res *r;
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, fid), 0}, NULL));
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0}, (void **)&r));
	return r->row_count;
}

static struct gx_store *store(const char *name)
{
	struct gx_store *s;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/%s", et_dir, name), &s, et_a, &why), 0);
	return s;
}

/* mfUnsent and mfSubmitted of a message. */
static int32_t flags_of(uint64_t m)
{
	static const gx_proptag_t tag = PidTagMessageFlags;
	struct gx_store *s = store("ann");
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_proplist l = {0};
	ST_OK(gx_msg_get_props(t, m, &tag, 1, et_a, &l));
	gx_txn_abort(t);
	gx_store_pool_put(et_pool, s);
	return gx_proplist_i32(&l, tag, 0) & 0x0c;
}

static gx_ec abort_it(uint64_t m)
{
	const struct gx_rop_abort_submit_req q = {gx_eid_make(1, GX_FID_OUTBOX), gx_eid_make(1, m)};
	return et_do(RopAbortSubmit, LOGON, 0, &q, NULL);
}

/* ---- What goes out ---- */

START_TEST(a_letter)
{
	log_on();
	letter();
	add_rcpt(1, MAPI_BCC, "SMTP", "carl@elsewhere.org");
	ST_OK(submit(0));
	ck_assert_uint_eq(out.calls, 1);
	ck_assert_str_eq(out.from, "ann@example.org");
	ck_assert_str_eq(out.rcpts, "bob@example.org carl@elsewhere.org ");
	ck_assert_ptr_nonnull(strstr(out.text, "From: ann@example.org") != NULL ? out.text : strstr(out.text, "<ann@example.org>"));
	ck_assert_ptr_nonnull(strstr(out.text, "Subject: Lunch\r\n"));
	ck_assert_ptr_nonnull(strstr(out.text, "bob@example.org"));
	ck_assert_ptr_null(strstr(out.text, "carl@elsewhere.org"));
	ck_assert_ptr_nonnull(strstr(out.text, "At noon?"));
	ck_assert_ptr_nonnull(strstr(out.text, "@example.org>\r\n"));
	ck_assert_uint_eq(rows(GX_FID_OUTBOX), 0);
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
}
END_TEST

START_TEST(where_it_is_kept)
{
	struct gx_bin eid;
	struct gx_store *s;
	log_on();
	letter();
	set(PidTagDeleteAfterSubmit, (union gx_value){.b = true});
	ST_OK(submit(0));
	ck_assert_uint_eq(rows(GX_FID_OUTBOX) + rows(GX_FID_SENT), 0);
	s = store("ann");
	ck_assert_int_eq(gx_entryid_folder(et_a, gx_store_mailbox_guid(s), gx_store_replica(s), GX_FID_NOTES, &eid), 0);
	gx_store_pool_put(et_pool, s);
	letter();
	set(PidTagSentMailEntryId, (union gx_value){.bin = eid});
	ST_OK(submit(0));
	ck_assert_uint_eq(rows(GX_FID_NOTES), 1);
	const struct gx_svreid sv = {.ours = 1, .folder_id = gx_eid_make(1, GX_FID_JOURNAL)};
	const struct gx_dctx x = GX_DCTX(et_a);
	ck_assert_int_eq(gx_desc_encode(&x, gx_entryid_desc(GX_ENTRYID_SVREID), &sv, &eid), 0);
	letter();
	set(PidTagSentMailSvrEID, (union gx_value){.bin = eid});
	ST_OK(submit(0));
	ck_assert_uint_eq(rows(GX_FID_JOURNAL), 1);
	ck_assert_uint_eq(out.calls, 3);
}
END_TEST

START_TEST(to_those_who_did_not_get_it)
{
	log_on();
	create(false);
	add_rcpt(0, (int32_t)(0x80000000 | MAPI_TO), "SMTP", "had@example.org");
	add_rcpt(1, 0x10000000 | MAPI_TO, "EX", et_dn[1]);
	set(PidTagMessageFlags, (union gx_value){.i32 = 0x08 | RESEND});
	ST_OK(submit(0));
	ck_assert_str_eq(out.rcpts, "bob@example.org ");
}
END_TEST

/* Clients open it into its members before they send: nobody else knows them. */
START_TEST(a_personal_list)
{
	log_on();
	create(false);
	add_rcpt(0, MAPI_TO, "MAPIPDL", "Friends");
	ST_IS(submit(0), ecInvalidRecips);
	add_rcpt(0, MAPI_TO, "SMTP", "friend@elsewhere.org");
	ST_OK(submit(0));
	ck_assert_str_eq(out.rcpts, "friend@elsewhere.org ");
}
END_TEST

START_TEST(what_is_not_sent)
{
	log_on();
	create(false);
	ST_IS(submit(0), ecNoRecipients);
	add_rcpt(0, MAPI_TO, "FAX", "12345");
	ST_IS(submit(0), ecInvalidRecips);
	add_rcpt(0, MAPI_TO, "EX", "/o=x/cn=recipients/cn=0100000009000000-zoe");
	ST_IS(submit(0), ecInvalidRecips);
	letter();
	ST_IS(submit(4), ecInvalidParam);
	ST_IS(et_do(RopSubmitMessage, FOLDER, 0, &(struct gx_rop_submit_message_req){0}, NULL), ecNotSupported);
	create(true);
	ST_IS(submit(0), ecAccessDenied);
	letter();
	et_ems->o.submit = NULL;
	ST_IS(submit(0), ecNotSupported);
	et_ems->o.submit = take;
	et_ems->o.max_rcpts = 2;
	for (uint32_t i = 1; i < 3; ++i)
		add_rcpt(i, MAPI_TO, "EX", et_dn[1]);
	ST_IS(submit(0), ecTooManyRecips);
	et_ems->o.max_rcpts = 3;
	struct gx_store *s = store("ann");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_proplist l = {0};
	st_insert(t, GX_FID_INBOX, 1, 4000, 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagProhibitSendQuota, 1), 0);
	ST_OK(gx_store_set_props(t, &l));
	st_commit(t);
	gx_store_pool_put(et_pool, s);
	ST_IS(submit(0), ecQuotaExceeded);
	ck_assert_uint_eq(out.calls, 0);
}
END_TEST

/* ---- For others ---- */

static void delegates(uint32_t mode, const char *who)
{
	struct gx_store *s = store("bob");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_delegates_set(t, mode, &who, 1));
	st_commit(t);
	gx_store_pool_put(et_pool, s);
}

/* ResponseFlags of a logon to bob's mailbox. */
static uint8_t rights_at_bob_s(void)
{
	struct gx_rop_logon_res *r;
	ST_OK(et_do(RopLogon, LOGON, 0, &(struct gx_rop_logon_req){.logon_flags = 1, .essdn = et_dn[1]}, (void **)&r));
	return r->response_flags;
}

static gx_ec as_bob(void)
{
	letter();
	set(PidTagSentRepresentingAddressType, (union gx_value){.str = "EX"});
	set(PidTagSentRepresentingEmailAddress, (union gx_value){.str = et_dn[1]});
	return submit(0);
}

START_TEST(for_another)
{
	log_on();
	ST_IS(as_bob(), ecSendAsDenied);
	struct gx_store *b = store("bob");
	struct gx_txn *t = st_begin(b, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "ann@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	st_commit(t);
	gx_store_pool_put(et_pool, b);
	ck_assert_uint_eq(rights_at_bob_s() & 6, 0);
	log_on();
	delegates(GX_DELEGATE_ON_BEHALF, "ANN@example.org");
	ST_OK(as_bob());
	ck_assert_str_eq(out.from, "ann@example.org");
	ck_assert_ptr_nonnull(strstr(out.text, "Sender: "));
	delegates(GX_DELEGATE_SEND_AS, "ann@example.org");
	ST_OK(as_bob());
	ck_assert_uint_eq(rights_at_bob_s() & 6, 4);
	log_on();
	ck_assert_str_eq(out.from, "bob@example.org");
	ck_assert_ptr_null(strstr(out.text, "Sender: "));
	letter();
	set(PidTagSentRepresentingAddressType, (union gx_value){.str = "SMTP"});
	set(PidTagSentRepresentingEmailAddress, (union gx_value){.str = "boss@elsewhere.org"});
	ST_IS(submit(0), ecSendAsDenied);
	letter();
	set(PidTagSentRepresentingAddressType, (union gx_value){.str = "SMTP"});
	set(PidTagSentRepresentingEmailAddress, (union gx_value){.str = "ann@example.org"});
	ST_OK(submit(0));
	ck_assert_uint_eq(out.calls, 3);
}
END_TEST

/* ---- Later ---- */

START_TEST(not_before_its_time)
{
	log_on();
	letter();
	set(PidTagDeferredSendTime, (union gx_value){.time = gx_nttime_from_unix(gx_clock_unix(&my_clock) + 3600, 0)});
	ST_OK(submit(0));
	uint64_t m = mid();
	ck_assert_int_eq(flags_of(m), 0x04);
	ck_assert(gx_ems_has_mail(et_ems));
	ST_IS(submit(0), ecAlreadySent);
	gx_ems_send_due(et_ems);
	later = 3000;
	again(); /* another process knows of it */
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 0);
	later = 3601;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	ck_assert(!gx_ems_has_mail(et_ems));
	ST_IS(abort_it(m), ecNotFound);
	again();
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
}
END_TEST

START_TEST(taken_back)
{
	log_on();
	letter();
	set(PidTagDeferredSendNumber, (union gx_value){.i32 = 2});
	set(PidTagDeferredSendUnits, (union gx_value){.i32 = 1});
	ST_OK(submit(0));
	uint64_t m = mid();
	ST_OK(abort_it(m));
	ck_assert_int_eq(flags_of(m), 0x08);
	ST_IS(abort_it(m), MAPI_E_NOT_IN_QUEUE);
	later = 3 * 3600;
	gx_ems_send_due(et_ems);
	again();
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 0);
	ck_assert_uint_eq(rows(GX_FID_OUTBOX), 1);
	const struct gx_rop_abort_submit_req q = {gx_eid_make(1, GX_FID_INBOX), gx_eid_make(1, m)};
	ST_IS(et_do(RopAbortSubmit, LOGON, 0, &q, NULL), ecNotFound);
	ST_IS(et_do(RopAbortSubmit, FOLDER, 0, &q, NULL), ecNotSupported);
}
END_TEST

/* ---- When it cannot go ---- */

START_TEST(tried_again)
{
	uint8_t id[16];
	log_on();
	letter();
	out.answer = GX_E_NOSPACE;
	ST_OK(submit(0)); /* it is safe, and will be sent */
	memcpy(id, out.id, sizeof(id));
	ck_assert_int_eq(flags_of(mid()), 0x04);
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1); /* not that soon */
	later = 20;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 2);
	out.answer = 0;
	later = 200;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 3);
	ck_assert_int_eq(memcmp(id, out.id, sizeof(id)), 0);
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
}
END_TEST

/* The message was sent, and its sender hears what came of it. */
START_TEST(in_vain)
{
	log_on();
	letter();
	out.answer = GX_E_NOTFOUND;
	ST_OK(submit(0));
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	ck_assert_uint_eq(out.bounces, 1);
	ck_assert_ptr_nonnull(strstr(out.bounce, "Subject: Undeliverable: Lunch\r\n"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "To: "));
	ck_assert_ptr_nonnull(strstr(out.bounce, "Content-Type: multipart/report; report-type=delivery-status"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\n"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "Content-Type: message/rfc822"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "At noon?"));
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
	ck_assert(!gx_ems_has_mail(et_ems));
}
END_TEST

START_TEST(for_days)
{
	log_on();
	letter();
	out.answer = GX_E_IO;
	ST_OK(submit(0));
	later = 3 * 3600;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.bounces, 0);
	later = 5 * 3600;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.bounces, 1);
	ck_assert_ptr_nonnull(strstr(out.bounce, "Subject: Delivery delayed: Lunch\r\n"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "Action: delayed\r\nStatus: 4.4.7\r\n"));
	later = 86400;
	again(); /* another process knows that he was told */
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.bounces, 1);
	ck_assert_uint_eq(rows(GX_FID_OUTBOX), 1);
	later = 6 * 86400 - 3600;
	out.bounce_answer = GX_E_BUSY; /* it stays until he is told */
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.bounces, 2);
	ck_assert(gx_ems_has_mail(et_ems));
	out.bounce_answer = 0;
	later += 86400;
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.bounces, 3);
	ck_assert_ptr_nonnull(strstr(out.bounce, "Action: failed\r\nStatus: 4.4.7\r\n"));
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	ck_assert(!gx_ems_has_mail(et_ems));
}
END_TEST

START_TEST(some_have_it)
{
	uint8_t id[16];
	log_on();
	letter();
	add_rcpt(1, MAPI_TO, "SMTP", "carl@elsewhere.org");
	add_rcpt(2, MAPI_TO, "SMTP", "dora@elsewhere.org");
	out.refuses = "carl@elsewhere.org";
	out.as = GX_E_BUSY;
	ST_OK(submit(0));
	ck_assert_str_eq(out.rcpts, "bob@example.org carl@elsewhere.org dora@elsewhere.org ");
	later = 1000;
	again();
	gx_ems_send_due(et_ems);
	ck_assert_str_eq(out.rcpts, "carl@elsewhere.org ");
	ck_assert_uint_eq(out.bounces, 0);
	out.as = GX_E_NOTFOUND;
	out.bounce_answer = GX_E_BUSY;
	later = 2000;
	gx_ems_send_due(et_ems);
	memcpy(id, out.bounce_id, sizeof(id));
	out.bounce_answer = 0;
	later = 5000;
	again();
	gx_ems_send_due(et_ems);
	ck_assert_str_eq(out.rcpts, "carl@elsewhere.org ");
	ck_assert_mem_eq(id, out.bounce_id, sizeof(id)); /* he gets it once */
	ck_assert_uint_eq(out.bounces, 2);
	ck_assert_ptr_nonnull(strstr(out.bounce, "Final-Recipient: rfc822; carl@elsewhere.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(out.bounce, "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\nRemote-MTA: dns; mx.example.net\r\n"));
	ck_assert_ptr_null(strstr(out.bounce, "Final-Recipient: rfc822; bob@example.org"));
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	ck_assert(!gx_ems_has_mail(et_ems));
}
END_TEST

START_TEST(a_process_that_ends)
{
	int p[2], status;
	uint8_t id[16];
	ck_assert_int_eq(pipe(p), 0);
	pid_t child = fork();
	if (child == 0) { /* it is handed over, and that is all that anybody knows */
		out.pipe = p[1];
		log_on();
		letter();
		(void)submit(0).v;
		_exit(2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	ck_assert_int_eq(read(p[0], id, sizeof(id)), sizeof(id));
	close(p[0]);
	close(p[1]);
	again();
	ck_assert_uint_eq(rows(GX_FID_OUTBOX), 1);
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
	ck_assert_int_eq(memcmp(id, out.id, sizeof(id)), 0);
	ck_assert_uint_eq(rows(GX_FID_OUTBOX), 0);
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	again();
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 1);
}
END_TEST

START_TEST(damaged_files)
{
	log_on();
	letter();
	out.answer = GX_E_IO;
	ST_OK(submit(0));
	FILE *f = fopen(gx_arena_printf(et_a, "%s/bad", queue), "w");
	ck_assert_ptr_nonnull(f);
	fputs("\1something else", f);
	fclose(f);
	f = fopen(gx_arena_printf(et_a, "%s/half.new", queue), "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	out.answer = 0;
	later = 1000;
	again(); /* the others are sent */
	gx_ems_send_due(et_ems);
	ck_assert_uint_eq(out.calls, 2);
	ck_assert_int_ne(access(gx_arena_printf(et_a, "%s/half.new", queue), F_OK), 0);
}
END_TEST

static void note_store(const char *store, void *ctx)
{
	const char **seen = ctx;
	*seen = gx_arena_strdup(et_a, store);
}

/* Of a process that has one store, and of the one that starts such. */
static bool waits_for(const char *store)
{
	struct gx_ems_opts o = options();
	struct gx_ems *e;
	o.pool = et_pool;
	o.dir = et_people;
	o.only = store;
	ck_assert_int_eq(gx_ems_new(&o, &e), 0);
	bool yes = gx_ems_has_mail(e);
	gx_ems_free(e);
	return yes;
}

START_TEST(a_process_for_each_store)
{
	const char *seen = NULL, *half = gx_arena_printf(et_a, "%s/half.new", queue);
	log_on();
	gx_ems_list_waiting(queue, note_store, &seen);
	gx_ems_list_waiting("/there/is/no/such/directory", note_store, &seen);
	ck_assert_ptr_null(seen);
	letter();
	out.answer = GX_E_IO;
	ST_OK(submit(0));
	FILE *f = fopen(half, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	gx_ems_list_waiting(queue, note_store, &seen);
	ck_assert_ptr_nonnull(seen);
	ck_assert_str_eq(strrchr(seen, '/'), "/ann");
	ck_assert(waits_for(seen));
	ck_assert(!waits_for(gx_arena_printf(et_a, "%s/bob", et_dir)));
	/* somebody may be writing it just now */
	ck_assert_int_eq(access(half, F_OK), 0);
}
END_TEST

/* ---- Clients that send ---- */

static gx_ec lock(uint64_t m, uint8_t state)
{
	return et_do(RopSpoolerLockMessage, LOGON, 0, &(struct gx_rop_spooler_lock_message_req){gx_eid_make(1, m), state}, NULL);
}

START_TEST(by_a_client)
{
	log_on();
	ST_OK(et_do(RopSetSpooler, LOGON, 0, NULL, NULL));
	letter();
	ST_OK(submit(2));
	uint64_t m = mid();
	ck_assert_uint_eq(out.calls, 0);
	ck_assert_uint_eq(rows(GX_FID_SPOOLER), 1);
	ST_OK(lock(m, 0));
	ST_IS(lock(m, 0), ecAccessDenied);
	ST_IS(abort_it(m), ecUnableToAbort);
	ST_OK(lock(m, 1));
	ST_IS(lock(m, 3), ecInvalidParam);
	ST_OK(lock(m, 0));
	ST_OK(lock(m, 2));
	ck_assert_uint_eq(rows(GX_FID_SPOOLER), 0);
	ck_assert_uint_eq(rows(GX_FID_SENT), 1);
	ST_IS(lock(m, 0), ecNotFound);
	letter();
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, NULL));
	ST_IS(lock(mid(), 0), MAPI_E_NOT_IN_QUEUE);
	ST_IS(et_do(RopSetSpooler, FOLDER, 0, NULL, NULL), ecNotSupported);
	ST_IS(et_do(RopSpoolerLockMessage, FOLDER, 0, &(struct gx_rop_spooler_lock_message_req){1, 0}, NULL), ecNotSupported);
}
END_TEST

START_TEST(transport)
{
	struct gx_rop_transport_send_res *s;
	struct gx_rop_get_transport_folder_res *f;
	struct gx_rop_get_address_types_res *a;
	log_on();
	letter();
	set(PidTagDeferredSendNumber, (union gx_value){.i32 = 2});
	ST_OK(et_do(RopTransportSend, MESSAGE, 0, NULL, (void **)&s));
	ck_assert_uint_eq(out.calls, 1); /* whatever it says of its time */
	ck_assert(!s->no_properties_returned);
	ck_assert_str_eq(gx_proplist_str(&s->property_values, PidTagSenderSmtpAddress, ""), "ann@example.org");
	ck_assert_str_eq(gx_proplist_str(&s->property_values, PidTagSentRepresentingAddressType, ""), "EX");
	ST_IS(et_do(RopTransportSend, FOLDER, 0, NULL, NULL), ecNotSupported);
	ST_OK(et_do(RopGetTransportFolder, LOGON, 0, NULL, (void **)&f));
	ck_assert_uint_eq(f->folder_id, gx_eid_make(1, GX_FID_OUTBOX));
	ST_IS(et_do(RopGetTransportFolder, FOLDER, 0, NULL, NULL), ecNotSupported);
	ST_OK(et_do(RopGetAddressTypes, LOGON, 0, NULL, (void **)&a));
	ck_assert_uint_eq(a->address_types_count, 2);
	ck_assert_str_eq(a->address_types[1], "SMTP");
	ST_IS(et_do(RopGetAddressTypes, FOLDER, 0, NULL, NULL), ecNotSupported);
}
END_TEST

static atomic_uint heard;

static void hear(const struct gx_event *ev, void *ctx)
{
	(void)ctx;
	heard += ev->type == GX_EV_NEW_MAIL;
}

START_TEST(new_mail_from_a_client)
{
	uint64_t sub;
	struct gx_store *s = store("ann");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t m = st_insert(t, GX_FID_INBOX, 1, 400, 0).mid;
	st_commit(t);
	heard = 0;
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_INBOX, GX_EV_NEW_MAIL, hear, NULL, &sub), 0);
	log_on();
	struct gx_rop_transport_new_mail_req q = {gx_eid_make(1, m), gx_eid_make(1, GX_FID_INBOX), "IPM.Note", 0};
	ST_OK(et_do(RopTransportNewMail, LOGON, 0, &q, NULL));
	ck_assert_uint_eq(heard, 1);
	q.folder_id = gx_eid_make(1, GX_FID_OUTBOX);
	ST_IS(et_do(RopTransportNewMail, LOGON, 0, &q, NULL), ecNotFound);
	ST_IS(et_do(RopTransportNewMail, FOLDER, 0, &q, NULL), ecNotSupported);
	gx_store_unsubscribe(s, sub);
	gx_store_pool_put(et_pool, s);
}
END_TEST

/* ---- To a mailbox ---- */

static struct gx_journal *journal;

static int deliver(const struct gx_ems_mail *m, void *ctx)
{
	int err = gx_journal_submit_wait(ctx, m->envelope, m->data);
	/* what was taken comes again, as after a crash */
	return err != 0 ? err : gx_journal_submit_wait(ctx, m->envelope, m->data);
}

static uint64_t mail_of(const char *who)
{
	struct gx_store *s = store(who);
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, et_a, &i));
	gx_txn_abort(t);
	gx_store_pool_put(et_pool, s);
	return i.total;
}

/* One worker takes what was submitted in turn: with the second letter, both copies of the first have had theirs. */
START_TEST(delivered_once)
{
	struct gx_journal_opts jo = GX_JOURNAL_OPTS_INIT;
	struct gx_delivery_opts o = GX_DELIVERY_OPTS_INIT;
	struct gx_delivery *d;
	const char *why = "";
	jo.dir = gx_arena_printf(et_a, "%s/journal", et_dir);
	jo.segment_bytes = 1 << 20;
	ck_assert_msg(gx_journal_open(&jo, &journal, et_a, &why) == 0, "%s", why);
	o.journal = journal;
	o.dir = et_people;
	o.pool = et_pool;
	o.threads = 1;
	ck_assert_msg(gx_delivery_new(&o, &d, et_a, &why) == 0, "%s", why);
	et_ems->o.submit = deliver;
	et_ems->o.submit_ctx = journal;
	log_on();
	for (unsigned k = 0; k < 2; ++k) {
		letter();
		ST_OK(submit(0));
	}
	for (unsigned k = 0; k < 60000 && mail_of("bob") < 2; ++k)
		usleep(1000);
	gx_delivery_free(d);
	gx_journal_close(journal);
	ck_assert_uint_eq(mail_of("bob"), 2);
}
END_TEST

static Suite *emssend_suite(void)
{
	Suite *s = suite_create("emssend");
	TCase *t = tcase_create("emssend"), *here = tcase_create("here");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_checked_fixture(here, setup_here, teardown);
	tcase_add_test(t, a_letter);
	tcase_add_test(t, where_it_is_kept);
	tcase_add_test(t, to_those_who_did_not_get_it);
	tcase_add_test(t, a_personal_list);
	tcase_add_test(t, what_is_not_sent);
	tcase_add_test(t, for_another);
	tcase_add_test(here, not_before_its_time);
	tcase_add_test(here, taken_back);
	tcase_add_test(t, tried_again);
	tcase_add_test(t, in_vain);
	tcase_add_test(here, for_days);
	tcase_add_test(here, some_have_it);
	tcase_add_test(here, a_process_that_ends);
	tcase_add_test(here, damaged_files);
	tcase_add_test(here, a_process_for_each_store);
	tcase_add_test(t, by_a_client);
	tcase_add_test(t, transport);
	tcase_add_test(t, new_mail_from_a_client);
	tcase_add_test(t, delivered_once);
	suite_add_tcase(s, t);
	suite_add_tcase(s, here);
	return s;
}

GXTEST_MAIN(emssend_suite)
