/* SPDX-License-Identifier: Apache-2.0 */
/* Recipients, read state. */
#include <config.h>
#include <gx/delivery.h>
#include <gx/instance.h>
#include <gx/rcptrow.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, OTHER = 3, ATT = 4, INNER = 5 };

static const gx_proptag_t cols[] = {PidTagObjectType, PidTagSmtpAddress, GX_PROP_RETYPE(PidTagComment, PtypString8)};
static const struct gx_columns columns = {cols, 3};

static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
	et_new_message(LOGON, MESSAGE, GX_FID_DRAFTS);
}

static struct gx_bin encode(const struct gx_columns *c, const struct gx_recipient_row *r)
{
	struct gx_bin b;
	const struct gx_dctx x = {.px = GX_PX_ROP(et_a, 1252), .custom = c};
	ck_assert_int_eq(gx_desc_encode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), r, &b), 0);
	return b;
}

static struct gx_bin smtp(const char *name, const char *address)
{
	static const struct gx_propval v[] = {{PidTagObjectType, {.i32 = 6}}, {PidTagSmtpAddress, {.str = "a@b"}},
		{GX_PROP_RETYPE(PidTagComment, PtypString8), {.str = "\303\274"}}};
	const struct gx_recipient_row r = {.recipient_flags = 3 | 0x0008 | 0x0010 | 0x0040 | 0x0200 | 0x0100, .email_address = address, .display_name = name,
		.recipient_properties = {v, 3}};
	return encode(&columns, &r);
}

static gx_ec modify(const struct gx_modify_recipient_row *v, uint32_t n)
{
	return et_do(RopModifyRecipients, MESSAGE, 0, &(struct gx_rop_modify_recipients_req){cols, 3, v, n}, NULL);
}

static gx_ec read_from(uint8_t h, uint32_t row, struct gx_rop_read_recipients_res **ret_r)
{
	return et_do(RopReadRecipients, h, 0, &(struct gx_rop_read_recipients_req){row, 0}, (void **)ret_r);
}

static struct gx_recipient_row decode(const struct gx_columns *c, struct gx_bin b)
{
	struct gx_recipient_row r;
	const struct gx_dctx x = {.px = GX_PX_ROP(et_a, 1252), .custom = c};
	ck_assert_int_eq(gx_desc_decode(&x, gx_rop_desc(GX_ROP_RECIPIENT_ROW), b.data, b.len, &r), 0);
	return r;
}

/* [MS-OXCDATA] 2.8.3.2: in place of an address, an entry id and a search key. */
START_TEST(a_personal_list)
{
	static const uint8_t id[] = {0, 0, 0, 0, 0xfe, 0x42, 0xaa, 0x0a}, key[] = "MAPIPDL:X";
	const struct gx_recipient_row list = {.recipient_flags = 7 | 0x0010 | 0x0200, .entry_id = {id, sizeof(id)}, .search_key = {key, sizeof(key)},
		.display_name = "Friends"};
	const struct gx_modify_recipient_row v = {3, 1, encode(&columns, &list)};
	struct gx_rop_read_recipients_res *r;
	ST_OK(modify(&v, 1));
	ST_OK(read_from(MESSAGE, 0, &r));
	ck_assert_uint_eq(r->recipient_rows_count, 1);
	struct gx_recipient_row x = decode(&columns, r->recipient_rows[0].recipient_row);
	ck_assert_uint_eq(x.recipient_flags & 7, 7);
	ck_assert_mem_eq(x.entry_id.data, id, sizeof(id));
	ck_assert_uint_eq(x.search_key.len, sizeof(key));
	ck_assert_str_eq(x.display_name, "Friends");
	/* without one it is an address type as any other */
	struct gx_proplist l = {0};
	struct gx_bin b;
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagAddressType, "MAPIPDL"), 0);
	ck_assert_int_eq(gx_rcptrow_encode(&GX_PX_ROP(et_a, 1252), &columns, &l, &b), 0);
	x = decode(&columns, b);
	ck_assert_uint_eq(x.recipient_flags & 0x8007, 0x8000);
	ck_assert_str_eq(x.address_type, "MAPIPDL");
}
END_TEST

START_TEST(set_and_read)
{
	const struct gx_recipient_row dn = {.recipient_flags = 1 | 0x0010 | 0x0200, .x500_dn = "/o=o/cn=bob", .display_type = 0, .display_name = "Bob"};
	const struct gx_modify_recipient_row v[] = {{5, 1, smtp("Eve", "eve@example.org")}, {7, 2, encode(&columns, &dn)}, {9, 3, smtp("Tom", "tom@example.org")}};
	struct gx_rop_read_recipients_res *r;
	struct gx_rop_open_message_res *o;
	struct gx_rop_reload_cached_information_res *c;
	ST_IS(read_from(MESSAGE, 0, &r), ecNotFound);
	ST_OK(modify(v, 3));
	ST_OK(read_from(MESSAGE, 0, &r));
	ck_assert_uint_eq(r->recipient_rows_count, 3);
	ck_assert(r->recipient_rows[0].row_id == 5 && r->recipient_rows[0].recipient_type == 1 && r->recipient_rows[2].recipient_type == 3);
	struct gx_recipient_row x = decode(&columns, r->recipient_rows[0].recipient_row);
	ck_assert_str_eq(x.email_address, "eve@example.org");
	ck_assert_int_eq(x.recipient_properties.v[0].v.i32, 6);
	ck_assert_str_eq(x.recipient_properties.v[2].v.str, "\303\274");
	x = decode(&columns, r->recipient_rows[1].recipient_row);
	ck_assert_str_eq(x.x500_dn, "/o=o/cn=bob");
	/* the middle one goes, the first is another one */
	const struct gx_modify_recipient_row w[] = {{7, 0, {0}}, {5, 2, smtp("Ann", "ann@example.org")}};
	ST_OK(modify(w, 2));
	ST_OK(read_from(MESSAGE, 6, &r));
	ck_assert_uint_eq(r->recipient_rows_count, 1);
	ck_assert_uint_eq(r->recipient_rows[0].row_id, 9);
	ST_IS(read_from(MESSAGE, 10, &r), ecNotFound);
	uint64_t mid = et_save(MESSAGE);
	ST_OK(et_do(RopOpenMessage, LOGON, OTHER, &(struct gx_rop_open_message_req){1252, 0, 1, mid}, (void **)&o));
	ck_assert_uint_eq(o->recipient_count, 2);
	const struct gx_columns told = {o->recipient_columns, o->recipient_columns_count};
	x = decode(&told, o->recipient_rows[0].recipient_row);
	ck_assert_str_eq(x.display_name, "Ann");
	bool key = false, name = false;
	for (uint32_t i = 0; i < told.count; ++i) {
		key = key || (told.v[i] == PidTagSearchKey && x.recipient_properties.v[i].v.bin.len == sizeof("SMTP:ANN@EXAMPLE.ORG"));
		name = name || (told.v[i] == PidTagTransmittableDisplayName && strcmp(x.recipient_properties.v[i].v.str, "Ann") == 0);
	}
	ck_assert(key && name);
	/* rows that are read have the columns that were told */
	ST_OK(read_from(OTHER, 9, &r));
	x = decode(&told, r->recipient_rows[0].recipient_row);
	ck_assert_str_eq(x.display_name, "Tom");
	ST_OK(et_do(RopRemoveAllRecipients, OTHER, 0, &(struct gx_rop_remove_all_recipients_req){0}, NULL));
	ST_OK(et_do(RopRemoveAllRecipients, OTHER, 0, &(struct gx_rop_remove_all_recipients_req){0}, NULL));
	et_set_str(OTHER, PidTagSubject, "RE: x");
	ST_OK(et_do(RopReloadCachedInformation, OTHER, 0, &(struct gx_rop_reload_cached_information_req){0}, (void **)&c));
	ck_assert_uint_eq(c->recipient_count, 0);
	ck_assert_str_eq(c->normalized_subject, "x");
	/* not what the other has in memory */
	ST_OK(et_do(RopReloadCachedInformation, MESSAGE, 0, &(struct gx_rop_reload_cached_information_req){0}, (void **)&c));
	ck_assert_uint_eq(c->recipient_count, 2);
}
END_TEST

START_TEST(what_is_no_recipient)
{
	const struct gx_recipient_row prefixed = {.recipient_flags = 1, .address_prefix_used = 3, .x500_dn = "/cn=x"};
	const struct gx_modify_recipient_row broken[] = {{1, 1, {(const uint8_t *)"\3", 1}}}, prefix[] = {{1, 1, encode(&columns, &prefixed)}};
	ST_IS(modify(broken, 1), ecRpcFormat);
	ST_IS(modify(prefix, 1), ecInvalidParam);
	ST_OK(et_do(RopModifyRecipients, MESSAGE, 0, &(struct gx_rop_modify_recipients_req){0}, NULL));
	ST_IS(et_do(RopModifyRecipients, FOLDER, 0, &(struct gx_rop_modify_recipients_req){0}, NULL), ecNullObject);
	ST_IS(et_do(RopReadRecipients, FOLDER, 0, &(struct gx_rop_read_recipients_req){0}, NULL), ecNullObject);
	ST_IS(et_do(RopRemoveAllRecipients, FOLDER, 0, &(struct gx_rop_remove_all_recipients_req){0}, NULL), ecNullObject);
	ST_IS(et_do(RopReloadCachedInformation, FOLDER, 0, &(struct gx_rop_reload_cached_information_req){0}, NULL), ecNullObject);
	uint64_t mid = et_save(MESSAGE);
	ST_OK(et_open_message(LOGON, MESSAGE, mid, 0));
	ST_IS(et_do(RopRemoveAllRecipients, MESSAGE, 0, &(struct gx_rop_remove_all_recipients_req){0}, NULL), ecAccessDenied);
}
END_TEST

START_TEST(very_many)
{
	struct gx_modify_recipient_row v[300];
	struct gx_rop_read_recipients_res *r;
	uint32_t got = 0, next = 0;
	for (uint32_t i = 0; i < 300; ++i)
		v[i] = (struct gx_modify_recipient_row){i, 1, smtp("Somebody whose name is not short at all", gx_arena_printf(et_a, "user%u@example.org", i))};
	ST_OK(modify(v, 300));
	while (got < 300) {
		ST_OK(read_from(MESSAGE, next, &r));
		ck_assert_uint_eq(r->recipient_rows[0].row_id, next);
		got += r->recipient_rows_count;
		next = r->recipient_rows[r->recipient_rows_count - 1].row_id + 1;
	}
	ST_IS(read_from(MESSAGE, next, &r), ecNotFound);
}
END_TEST

/* ---- Read state ---- */

static bool is_read(uint8_t h)
{
	return et_value(h, PidTagMessageFlags)->v.i32 & 1;
}

static gx_ec mark(uint8_t h, uint8_t flags)
{
	return et_do(RopSetMessageReadFlag, h, h, &(struct gx_rop_set_message_read_flag_req){.read_flags = flags}, NULL);
}

START_TEST(one_is_read)
{
	ST_OK(mark(MESSAGE, 4)); /* not saved yet */
	ck_assert(!is_read(MESSAGE));
	ST_OK(mark(MESSAGE, 0x20)); /* says nothing of it */
	ck_assert(!is_read(MESSAGE));
	ST_OK(mark(MESSAGE, 0));
	uint64_t mid = et_save(MESSAGE);
	ck_assert(is_read(MESSAGE));
	ST_OK(mark(MESSAGE, 4));
	ck_assert(!is_read(MESSAGE));
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ck_assert(!is_read(OTHER));
	ST_OK(mark(OTHER, 1)); /* to read is enough */
	ck_assert(is_read(OTHER));
	(void)et_save(MESSAGE);
	ST_IS(mark(MESSAGE, 0x80), ecInvalidParam);
	ST_IS(mark(FOLDER, 0), ecNullObject);
}
END_TEST

/* Its state is kept with the attachment. */
START_TEST(one_in_an_attachment)
{
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, NULL));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 2}, NULL));
	ST_OK(mark(INNER, 4));
	ck_assert(!is_read(INNER));
	(void)et_save(INNER);
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &(struct gx_rop_save_changes_attachment_req){2}, NULL));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 1}, NULL));
	ck_assert(!is_read(INNER));
	ST_OK(mark(INNER, 1));
	ck_assert(is_read(INNER));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL));
	ST_IS(mark(INNER, 1), ecAccessDenied); /* it may only be read */
}
END_TEST

static uint64_t public_folder(void)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_store *s;
	struct gx_txn *t;
	const char *why;
	uint64_t fid;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/public", et_dir), &s, et_a, &why), 0);
	ck_assert_int_eq(gx_txn_begin(s, &system, GX_TXN_WRITE, 5000, &t), 0);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "news", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_set_permission(t, fid, "ann@example.org", GX_RIGHTS_ALL, false));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(et_pool, s);
	return fid;
}

START_TEST(one_of_a_public_folder)
{
	struct gx_rop_set_message_read_flag_req q = {.read_flags = 4, .client_data = {1, 2, 3}};
	struct gx_rop_set_message_read_flag_res *r;
	uint64_t fid = public_folder();
	ST_OK(et_do(RopLogon, LOGON, LOGON, &(struct gx_rop_logon_req){.open_flags = 2}, NULL));
	et_x.var[GX_CTX_ROP_PUBLIC_LOGON] = true;
	et_new_message(LOGON, MESSAGE, fid);
	(void)et_save(MESSAGE);
	ST_OK(et_do(RopSetMessageReadFlag, MESSAGE, MESSAGE, &(struct gx_rop_set_message_read_flag_req){.read_flags = 1}, (void **)&r));
	ST_OK(et_do(RopSetMessageReadFlag, MESSAGE, MESSAGE, &q, (void **)&r));
	ck_assert(r->read_status_changed && r->logon_id == 0 && memcmp(r->client_data, q.client_data, sizeof(q.client_data)) == 0);
	ST_OK(et_do(RopSetMessageReadFlag, MESSAGE, MESSAGE, &q, (void **)&r));
	ck_assert(!r->read_status_changed);
}
END_TEST

START_TEST(many_are_read)
{
	uint64_t mids[3];
	struct gx_rop_set_read_flags_res *r;
	struct gx_rop_set_read_flags_req q = {false, 4, mids, 2};
	for (unsigned i = 0; i < 3; ++i) {
		et_new_message(LOGON, MESSAGE + i, GX_FID_DRAFTS);
		mids[i] = et_save(MESSAGE + i);
	}
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &q, (void **)&r));
	ck_assert(!r->partial_completion);
	for (unsigned i = 0; i < 3; ++i) {
		ST_OK(et_open_message(LOGON, MESSAGE + i, mids[i], 0));
		ck_assert(is_read(MESSAGE + i) == (i == 2));
	}
	q = (struct gx_rop_set_read_flags_req){true, 1, NULL, 0}; /* all */
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &q, (void **)&r));
	ck_assert(!r->partial_completion);
	ST_OK(et_open_message(LOGON, OTHER, mids[0], 0));
	ck_assert(is_read(OTHER));
	mids[1] = gx_eid_make(1, 0x777777);
	q = (struct gx_rop_set_read_flags_req){false, 4, mids, 3};
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &q, (void **)&r));
	ck_assert(r->partial_completion);
	ST_OK(et_open_message(LOGON, OTHER, mids[2], 0));
	ck_assert(!is_read(OTHER));
	mids[0] = gx_eid_make(7, 7);
	ST_IS(et_do(RopSetReadFlags, FOLDER, 0, &q, NULL), ecNotFound);
	q.read_flags = 0x80;
	ST_IS(et_do(RopSetReadFlags, FOLDER, 0, &q, NULL), ecInvalidParam);
	ST_IS(et_do(RopSetReadFlags, LOGON, 0, &q, NULL), ecNullObject);
}
END_TEST

/* ---- Receipts ---- */

static struct {
	unsigned calls;
	char from[64], to[64], text[8192];
	int answer;
} sent;

static int take(const struct gx_ems_mail *m, void *ctx)
{
	(void)ctx;
	++sent.calls;
	snprintf(sent.from, sizeof(sent.from), "%s", m->envelope->from);
	snprintf(sent.to, sizeof(sent.to), "%s", m->envelope->rcpts[0]);
	snprintf(sent.text, sizeof(sent.text), "%.*s", (int)m->data.len, (const char *)m->data.data);
	ck_assert_uint_eq(m->envelope->rcpt_count, 1);
	ck_assert_ptr_nonnull(m->envelope->id);
	return sent.answer;
}

static void setup_mail(void)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	o.submit = take;
	et_setup_with(&o);
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_INBOX), 0}, NULL));
	memset(&sent, 0, sizeof(sent));
}

/* As delivery has brought it: unread, with the wish for a receipt. */
static uint64_t wishes(const char *subject)
{
	struct gx_propval v[] = {{PidTagReadReceiptRequested, {.b = true}}, {PidTagNonReceiptNotificationRequested, {.b = true}},
		{PidTagMessageFlags, {.i32 = 0}}};
	const struct gx_proplist l = {v, 3, 3};
	et_new_message(LOGON, MESSAGE, GX_FID_INBOX);
	et_set_str(MESSAGE, PidTagSubject, subject);
	et_set_str(MESSAGE, PidTagSentRepresentingSmtpAddress, "eve@example.com");
	et_set_str(MESSAGE, PidTagInternetMessageId, "<1@example.com>");
	(void)et_set(MESSAGE, &l);
	return et_save(MESSAGE);
}

START_TEST(who_wishes_to_know)
{
	(void)wishes("RE: news");
	ST_OK(mark(MESSAGE, 0));
	ck_assert_uint_eq(sent.calls, 1);
	ck_assert_str_eq(sent.from, "");
	ck_assert_str_eq(sent.to, "eve@example.com");
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Read: news"));
	ck_assert_ptr_nonnull(strstr(sent.text, "Original-Message-ID: <1@example.com>"));
	ck_assert_ptr_nonnull(strstr(sent.text, "displayed"));
	/* once */
	ST_OK(mark(MESSAGE, 4));
	ST_OK(mark(MESSAGE, 0));
	ck_assert_uint_eq(sent.calls, 1);
	/* not who does not want to; and one that cannot be sent is no failure */
	(void)wishes("x");
	ST_OK(mark(MESSAGE, 1));
	ck_assert_uint_eq(sent.calls, 1);
	sent.answer = GX_E_NOTFOUND;
	(void)wishes("x");
	ST_OK(mark(MESSAGE, 0));
	ck_assert_uint_eq(sent.calls, 2);
}
END_TEST

START_TEST(many_wish_to_know)
{
	(void)wishes("x");
	(void)wishes("y");
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &(struct gx_rop_set_read_flags_req){false, 0, NULL, 0}, NULL));
	ck_assert_uint_eq(sent.calls, 2);
	ST_OK(et_do(RopSetReadFlags, FOLDER, 0, &(struct gx_rop_set_read_flags_req){false, 0, NULL, 0}, NULL));
	ck_assert_uint_eq(sent.calls, 2);
}
END_TEST

START_TEST(what_nobody_has_read)
{
	struct gx_message_read_state read = {.mark_as_read = true};
	uint64_t mid = wishes("x");
	struct gx_rop_delete_messages_req q = {false, false, &mid, 1};
	ST_OK(et_do(RopDeleteMessages, FOLDER, 0, &q, NULL));
	ck_assert_uint_eq(sent.calls, 0);
	mid = wishes("y");
	q.notify_non_read = true;
	ST_OK(et_do(RopDeleteMessages, FOLDER, 0, &q, NULL));
	ck_assert_uint_eq(sent.calls, 1);
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Not read: y"));
	ck_assert_ptr_nonnull(strstr(sent.text, "; deleted"));
	mid = wishes("z");
	ST_OK(mark(MESSAGE, 1));
	ST_OK(et_do(RopDeleteMessages, FOLDER, 0, &q, NULL));
	ck_assert_uint_eq(sent.calls, 1);
	/* a client that has read it while it was offline */
	mid = wishes("offline");
	read.message_id = et_value(MESSAGE, PidTagSourceKey)->v.bin;
	ST_OK(et_do(RopSynchronizationOpenCollector, FOLDER, OTHER, &(struct gx_rop_synchronization_open_collector_req){1}, NULL));
	ST_OK(et_do(RopSynchronizationImportReadStateChanges, OTHER, 0, &(struct gx_rop_synchronization_import_read_state_changes_req){&read, 1}, NULL));
	ck_assert_uint_eq(sent.calls, 2);
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Read: offline"));
}
END_TEST

/* By emptying, with its folder, and by a client that deleted it while it was offline. */
START_TEST(what_goes_unread_with_others)
{
	struct gx_rop_create_folder_res *f;
	static const struct gx_rop_create_folder_req make = {.folder_type = 1, .use_unicode_strings = true, .display_name = "gone", .comment = ""};
	(void)wishes("a");
	(void)wishes("b");
	ST_OK(et_do(RopEmptyFolder, FOLDER, 0, &(struct gx_rop_empty_folder_req){0}, NULL));
	ck_assert_uint_eq(sent.calls, 2);
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Not read: b"));
	uint64_t mid = wishes("c");
	ST_OK(et_do(RopCreateFolder, FOLDER, OTHER, &make, (void **)&f));
	const struct gx_rop_move_copy_messages_req move = {.message_ids = &mid, .message_ids_count = 1};
	ST_OK(et_do(RopMoveCopyMessages, FOLDER, OTHER, &move, NULL));
	ST_OK(et_do(RopDeleteFolder, FOLDER, 0, &(struct gx_rop_delete_folder_req){0x11, f->folder_id}, NULL));
	ck_assert_uint_eq(sent.calls, 3);
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Not read: c"));
	(void)wishes("d");
	const union gx_value key = {.bin = et_value(MESSAGE, PidTagSourceKey)->v.bin};
	struct gx_propval keys = {0x00001102, {.mv = {&key, 1}}};
	const struct gx_rop_synchronization_import_deletes_req q = {2, {&keys, 1, 1}};
	ST_OK(et_do(RopSynchronizationOpenCollector, FOLDER, OTHER, &(struct gx_rop_synchronization_open_collector_req){1}, NULL));
	ST_OK(et_do(RopSynchronizationImportDeletes, OTHER, 0, &q, NULL));
	ck_assert_uint_eq(sent.calls, 4);
	ck_assert_ptr_nonnull(strstr(sent.text, "Subject: Not read: d"));
}
END_TEST

START_TEST(options)
{
	struct gx_rop_options_data_res *r;
	ST_OK(et_do(RopOptionsData, LOGON, 0, &(struct gx_rop_options_data_req){"SMTP", true}, (void **)&r));
	ck_assert(r->options_info.len == 0 && r->help_file.len == 0);
	ST_IS(et_do(RopOptionsData, LOGON, 0, &(struct gx_rop_options_data_req){"FAX", true}, (void **)&r), ecNotFound);
	ST_IS(et_do(RopOptionsData, FOLDER, 0, &(struct gx_rop_options_data_req){"SMTP", true}, (void **)&r), ecNotSupported);
}
END_TEST

static Suite *emsrcpt_suite(void)
{
	Suite *s = suite_create("emsrcpt");
	TCase *t = tcase_create("emsrcpt");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, set_and_read);
	tcase_add_test(t, a_personal_list);
	tcase_add_test(t, what_is_no_recipient);
	tcase_add_test(t, very_many);
	tcase_add_test(t, one_is_read);
	tcase_add_test(t, one_in_an_attachment);
	tcase_add_test(t, one_of_a_public_folder);
	tcase_add_test(t, many_are_read);
	tcase_add_test(t, options);
	suite_add_tcase(s, t);
	t = tcase_create("receipts");
	tcase_add_checked_fixture(t, setup_mail, et_teardown);
	tcase_add_test(t, who_wishes_to_know);
	tcase_add_test(t, many_wish_to_know);
	tcase_add_test(t, what_nobody_has_read);
	tcase_add_test(t, what_goes_unread_with_others);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsrcpt_suite)
