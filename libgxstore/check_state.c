/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a message besides its contents: computed properties, read state, receipts, submission. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/message/msgsrc.h"
#include "libgxstore/fixtest.h"

static const struct gx_actor ann = {.user = "Ann@Example.org"}, ann2 = {.user = "ann@example.ORG"}, bob = {.user = "bob@example.org"};

static void setup_public(void)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	snprintf(dir, sizeof(dir), "%s", st_dir());
	o.public_store = true;
	o.owner_id = 3;
	o.owner = "example.org";
	ck_assert_int_eq(gx_store_create(dir, &o, NULL, NULL), 0);
	s = st_open(dir);
	a = gx_arena_new(0);
}

static struct gx_txn *as(const struct gx_actor *who, int mode)
{
	struct gx_txn *t = NULL;
	ck_assert_int_eq(gx_txn_begin(s, who, mode, 10000, &t), 0);
	return t;
}

static struct gx_msg_ids put(struct gx_txn *t, uint64_t fid, const struct gx_msgobj *m, uint32_t flags)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	o.flags = flags;
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	gx_msg_prepared_release(p);
	return ids;
}

static struct gx_msgobj *asking(bool read, bool unread)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, "RE: lunch"), 0);
	if (read)
		ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagReadReceiptRequested, true), 0);
	if (unread)
		ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagNonReceiptNotificationRequested, true), 0);
	return m;
}

static union gx_value value(struct gx_txn *t, uint64_t mid, gx_proptag_t tag)
{
	struct gx_proplist l;
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, a, &l));
	ck_assert_msg(l.count == 1, "%08x is missing", (unsigned)tag);
	ck_assert_uint_eq(l.v[0].tag, tag);
	return l.v[0].v;
}

static bool absent(struct gx_txn *t, uint64_t mid, gx_proptag_t tag)
{
	struct gx_proplist l;
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, a, &l));
	return l.count == 0;
}

static int32_t msgflags(struct gx_txn *t, uint64_t mid)
{
	return value(t, mid, PidTagMessageFlags).i32;
}

static void add_rcpt(struct gx_msgobj *m, int32_t type, const char *name, const char *smtp)
{
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	ck_assert_int_eq(gx_proplist_set_i32(r, a, PidTagRecipientType, type), 0);
	if (name != NULL)
		ck_assert_int_eq(gx_proplist_set_str(r, a, PidTagDisplayName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(r, a, PidTagSmtpAddress, smtp), 0);
}

START_TEST(computed_values)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msgobj *m = asking(false, false);
	add_rcpt(m, 1, "Ann", "ann@example.org");
	add_rcpt(m, 1, NULL, "bob@example.org");
	add_rcpt(m, 0x80000002, "Cy", "cy@example.org");
	struct gx_msg_ids ids = put(t, GX_FID_INBOX, m, GX_MSGF_READ);
	ck_assert_str_eq(value(t, ids.mid, PidTagDisplayTo).str, "Ann; bob@example.org");
	ck_assert_str_eq(value(t, ids.mid, PidTagDisplayCc).str, "Cy");
	ck_assert_str_eq(value(t, ids.mid, PidTagDisplayBcc).str, "");
	ck_assert_str_eq(value(t, ids.mid, PidTagSubjectPrefix).str, "RE: ");
	ck_assert_str_eq(value(t, ids.mid, PidTagNormalizedSubject).str, "lunch");
	ck_assert_int_eq(value(t, ids.mid, PidTagObjectType).i32, 5);
	ck_assert_int_eq(value(t, ids.mid, PidTagAccess).i32, 7);
	ck_assert_int_eq(value(t, ids.mid, PidTagMid).i64, (int64_t)ids.mid);
	ck_assert_int_eq(value(t, ids.mid, PidTagFolderId).i64, GX_FID_INBOX);
	ck_assert_uint_eq(value(t, ids.mid, PidTagEntryId).bin.len, 70);
	ck_assert_uint_eq(value(t, ids.mid, PidTagSourceKey).bin.len, 22);
	ck_assert_int_eq(value(t, ids.mid, PidTagMessageSize).i32, value(t, ids.mid, PidTagMessageSizeExtended).i64);
	ck_assert(value(t, ids.mid, PidTagCreationTime).time != 0);
	ck_assert(!value(t, ids.mid, PidTagHasNamedProperties).b);
	ck_assert(absent(t, ids.mid, PidTagFlagStatus));
	ck_assert(absent(t, ids.mid, PidTagNativeBody));
	struct gx_bin key = value(t, ids.mid, PidTagSearchKey).bin;
	struct gx_msg_ids copy;
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &ids.mid, 1, GX_FID_DRAFTS, false, &copy));
	struct gx_bin same = value(t, copy.mid, PidTagSearchKey).bin;
	ck_assert_uint_eq(key.len, 16);
	ck_assert_mem_eq(key.data, same.data, 16);
	/* What IMAP flags say, MAPI clients see. */
	struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_FLAGGED | GX_MSGF_FORWARDED, NULL, UINT64_MAX};
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &c, NULL, NULL, NULL));
	ck_assert_int_eq(value(t, ids.mid, PidTagFlagStatus).i32, followupFlagged);
	ck_assert_int_eq(value(t, ids.mid, PidTagLastVerbExecuted).i32, VERB_FORWARD);
	st_commit(t);
}
END_TEST

/* Every property a message has, from a source that reads its body only when it must; the same as asked for directly. */
static void compare_all(struct gx_txn *t, struct gx_msgsrc *x, uint64_t mid, const char *subject)
{
	struct gx_proplist l;
	ST_OK(gx_msg_get_props(t, mid, NULL, 0, a, &l));
	ck_assert_uint_gt(l.count, 20);
	ck_assert_int_eq(gx_msgsrc__set_mid(x, mid), 0);
	for (int pass = 0; pass < 2; pass++) { /* those of the row first */
		for (size_t i = 0; i < l.count; i++) {
			struct gx_propval pv = {0};
			if (gx_msg__is_by_row(l.v[i].tag) != (pass == 0))
				continue;
			ck_assert_int_eq(gx_msgsrc__get(x, l.v[i].tag, &pv), 1);
			ck_assert_uint_eq(pv.tag, l.v[i].tag);
			ck_assert_msg(gx_value_equal(GX_PROP_TYPE(pv.tag), &pv.v, &l.v[i].v), "%08x", (unsigned)pv.tag);
		}
		ck_assert(x->loaded == (pass == 1));
	}
	struct gx_propval pv = {0};
	ck_assert_int_eq(gx_msgsrc__get(x, PidTagSubject, &pv), 1);
	ck_assert_str_eq(pv.v.str, subject);
}

START_TEST(values_by_row)
{
	struct gx_msgsrc x;
	struct gx_propval pv;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msgobj *m = asking(true, true);
	add_rcpt(m, 1, "Ann", "ann@example.org");
	struct gx_msg_ids one = put(t, GX_FID_INBOX, m, GX_MSGF_READ);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, "another"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagBody, "with a text"), 0);
	struct gx_msg_ids two = put(t, GX_FID_DRAFTS, m, GX_MSGF_DRAFT);
	gx_msgsrc__init(&x, t, a);
	compare_all(t, &x, one.mid, "RE: lunch");
	compare_all(t, &x, two.mid, "another");
	compare_all(t, &x, one.mid, "RE: lunch");
	/* nothing of the one before shines through */
	ck_assert_int_eq(gx_msgsrc__set_mid(&x, two.mid), 0);
	ck_assert_int_eq(gx_msgsrc__get(&x, PidTagMid, &pv), 1);
	ck_assert_int_eq(pv.v.i64, (int64_t)two.mid);
	ck_assert_int_eq(gx_msgsrc__get(&x, GX_PROP_RETYPE(PidTagMid, PtypString), &pv), 0);
	ck_assert(!x.loaded);
	gx_msgsrc__release(&x);
	st_commit(t);
}
END_TEST

START_TEST(keys_of_versions)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	const struct gx_guid other = {0x11223344, 1, 2, {3}};
	struct gx_msgobj *m = asking(false, false);
	struct gx_bin key, pcl;
	struct gx_proplist l = {0};
	int order;
	ck_assert_int_eq(gx_entryid_gid(a, &other, 77, &key), 0);
	ck_assert_int_eq(gx_pcl_add(a, (struct gx_bin){NULL, 0}, &other, 77, &pcl), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagChangeKey, key.data, key.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagPredecessorChangeList, pcl.data, pcl.len), 0);
	/* A version that came from elsewhere: its keys are those it came with. */
	ck_assert_int_eq(gx_proplist_set_i64(&m->props, a, PidTagChangeNumber, 0x5000), 0);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	src.obj = m;
	o.mid = 0x4000;
	o.cn = 0x5000;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	struct gx_bin got = value(t, ids.mid, PidTagChangeKey).bin;
	ck_assert_uint_eq(got.len, key.len);
	ck_assert_mem_eq(got.data, key.data, key.len);
	ck_assert_int_eq(gx_pcl_cmp(a, value(t, ids.mid, PidTagPredecessorChangeList).bin, pcl, &order), 0);
	ck_assert_int_eq(order, GX_PCL_EQUAL);
	/* Changed here: a key of ours, and the list knows both. */
	struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_FLAGGED, NULL, UINT64_MAX};
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &c, NULL, NULL, NULL));
	(void)l;
	got = value(t, ids.mid, PidTagChangeKey).bin;
	ck_assert_uint_eq(got.len, 22);
	ck_assert_mem_ne(got.data, key.data, 16);
	ck_assert_int_eq(gx_pcl_cmp(a, value(t, ids.mid, PidTagPredecessorChangeList).bin, pcl, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDES);
	st_commit(t);
}
END_TEST

START_TEST(reading_and_receipts)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_read_result r, again;
	struct gx_msg_ids ids = put(t, GX_FID_INBOX, asking(true, true), 0);
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_UNMODIFIED | MSGFLAG_NOTIFYREAD | MSGFLAG_NOTIFYUNREAD);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, &r));
	ck_assert(r.changed && r.receipt_due && r.rcn != 0);
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_READ | MSGFLAG_EVERREAD | MSGFLAG_UNMODIFIED);
	ck_assert(value(t, ids.mid, PidTagRead).b);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, &again));
	ck_assert(!again.changed && !again.receipt_due && again.rcn == r.rcn);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_CLEAR_READ | GX_RF_SUPPRESS_RECEIPT, &again));
	ck_assert(again.changed && again.rcn > r.rcn);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, &again));
	ck_assert(again.changed && !again.receipt_due); /* once is enough */

	ids = put(t, GX_FID_INBOX, asking(true, true), 0);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_SUPPRESS_RECEIPT, &r));
	ck_assert(r.changed && !r.receipt_due);
	ck_assert_int_eq(msgflags(t, ids.mid) & (MSGFLAG_NOTIFYREAD | MSGFLAG_NOTIFYUNREAD), 0);

	ids = put(t, GX_FID_INBOX, asking(true, true), 0);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_RECEIPT_ONLY, &r));
	ck_assert(!r.changed && r.receipt_due);
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_UNMODIFIED);

	ids = put(t, GX_FID_INBOX, asking(true, true), 0);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_CLEAR_NOTIFY_UNREAD, &r));
	ck_assert(!r.changed && !r.receipt_due);
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_UNMODIFIED | MSGFLAG_NOTIFYREAD);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_CLEAR_NOTIFY_READ, NULL));
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_UNMODIFIED);
	ST_IS(gx_msg_set_read(t, ids.mid, 0x80, NULL), ecInvalidParam);
	ST_IS(gx_msg_set_read(t, 0x99999, 0, NULL), ecNotFound);
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	uint64_t unread;
	ST_OK(gx_folder_unread(t, GX_FID_INBOX, NULL, &unread));
	ck_assert_uint_eq(unread, 2);
	ST_IS(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, NULL), ecInvalidParam);
	gx_txn_abort(t);
}
END_TEST

START_TEST(submission)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = put(t, GX_FID_OUTBOX, asking(false, false), GX_MSGF_READ | GX_MSGF_UNSENT | GX_MSGF_DRAFT), copy;
	bool marked;
	uint32_t timer = 1;
	ST_OK(gx_msg_try_submit(t, ids.mid, &marked));
	ck_assert(marked);
	ck_assert_int_eq(msgflags(t, ids.mid), MSGFLAG_READ | MSGFLAG_EVERREAD | MSGFLAG_UNMODIFIED | MSGFLAG_SUBMIT);
	ST_OK(gx_msg_try_submit(t, ids.mid, &marked));
	ck_assert(!marked);
	ST_OK(gx_msg_copy(t, GX_FID_OUTBOX, &ids.mid, 1, GX_FID_SENT, false, &copy));
	ck_assert_int_eq(msgflags(t, copy.mid) & MSGFLAG_SUBMIT, 0);
	ST_OK(gx_msg_clear_submit(t, ids.mid, true));
	ck_assert_int_eq(msgflags(t, ids.mid) & (MSGFLAG_SUBMIT | MSGFLAG_UNSENT), MSGFLAG_UNSENT);
	ST_OK(gx_msg_try_submit(t, ids.mid, &marked));
	ck_assert(marked);
	ST_OK(gx_msg_clear_submit(t, ids.mid, false));
	ck_assert_int_eq(msgflags(t, ids.mid) & (MSGFLAG_SUBMIT | MSGFLAG_UNSENT), 0);
	ST_OK(gx_msg_mark_modified(t, ids.mid));
	ck_assert_int_eq(msgflags(t, ids.mid) & MSGFLAG_UNMODIFIED, 0);
	ST_OK(gx_msg_get_timer(t, ids.mid, &timer));
	ck_assert_uint_eq(timer, 0);
	ST_OK(gx_msg_set_timer(t, ids.mid, 4711));
	ST_OK(gx_msg_get_timer(t, ids.mid, &timer));
	ck_assert_uint_eq(timer, 4711);
	ST_OK(gx_msg_set_timer(t, ids.mid, 0));
	ST_OK(gx_msg_get_timer(t, ids.mid, &timer));
	ck_assert_uint_eq(timer, 0);
	ST_OK(gx_msg_set_timer(t, ids.mid, 4712));
	ST_OK(gx_msg_delete(t, GX_FID_OUTBOX, &ids.mid, 1, true)); /* takes its timer along: verify looks */
	st_commit(t);
}
END_TEST

START_TEST(rights_of_others)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = put(t, GX_FID_INBOX, asking(false, false), 0);
	bool marked;
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	st_commit(t);
	t = as(&bob, GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, NULL));
	ST_IS(gx_msg_try_submit(t, ids.mid, &marked), ecAccessDenied);
	ST_IS(gx_msg_set_timer(t, ids.mid, 1), ecAccessDenied);
	ck_assert_int_eq(value(t, ids.mid, PidTagAccess).i32, MAPI_ACCESS_READ);
	ck_assert_int_eq(value(t, ids.mid, PidTagAccessLevel).i32, 0);
	st_commit(t);
	t = as(&ann, GX_TXN_WRITE);
	ST_IS(gx_msg_set_read(t, ids.mid, GX_RF_DEFAULT, NULL), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

/* ---- Public stores ---- */

static uint64_t unread_of(const struct gx_actor *who)
{
	struct gx_txn *t = as(who, GX_TXN_READ);
	struct gx_folder_info i;
	uint64_t n;
	ST_OK(gx_folder_get(t, GX_FID_PUB_IPMSUBTREE, a, &i));
	ST_OK(gx_folder_unread(t, GX_FID_PUB_IPMSUBTREE, who->user, &n));
	ck_assert_uint_eq(i.unread, n);
	gx_txn_abort(t);
	return n;
}

static void read_as(const struct gx_actor *who, uint64_t mid, uint32_t how)
{
	struct gx_txn *t = as(who, GX_TXN_WRITE);
	struct gx_read_result r;
	bool want = !(how & GX_RF_CLEAR_READ);
	ST_OK(gx_msg_set_read(t, mid, how, &r));
	ck_assert(r.rcn != 0 && !r.receipt_due);
	ck_assert(value(t, mid, PidTagRead).b == want);
	ck_assert(((msgflags(t, mid) & MSGFLAG_READ) != 0) == want);
	st_commit(t);
}

START_TEST(each_reader_for_himself)
{
	struct gx_msg_ids ids[4];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_PUB_IPMSUBTREE, "default", GX_RIGHTS_ALL & ~GX_RIGHT_OWNER, false));
	for (unsigned i = 0; i < 4; i++)
		ids[i] = put(t, GX_FID_PUB_IPMSUBTREE, asking(true, true), i == 3 ? GX_MSGF_FAI : 0);
	st_commit(t);
	ck_assert_uint_eq(unread_of(&ann), 3);
	read_as(&ann, ids[0].mid, GX_RF_DEFAULT);
	read_as(&ann, ids[1].mid, GX_RF_DEFAULT);
	read_as(&ann2, ids[1].mid, GX_RF_DEFAULT); /* one and the same */
	read_as(&bob, ids[1].mid, GX_RF_DEFAULT);
	ck_assert_uint_eq(unread_of(&ann2), 1);
	ck_assert_uint_eq(unread_of(&bob), 2);
	read_as(&ann, ids[1].mid, GX_RF_CLEAR_READ | GX_RF_SUPPRESS_RECEIPT);
	ck_assert_uint_eq(unread_of(&ann), 2);
	st_verify(s);
	t = as(&bob, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_PUB_IPMSUBTREE, &ids[1].mid, 1, false));
	ST_OK(gx_msg_delete(t, GX_FID_PUB_IPMSUBTREE, &ids[0].mid, 1, true));
	st_commit(t);
	ck_assert_uint_eq(unread_of(&ann), 1);
	ck_assert_uint_eq(unread_of(&bob), 1);
}
END_TEST

START_TEST(readers_of_a_folder_that_goes)
{
	uint64_t fid, dst;
	struct gx_msg_ids x, y;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "one", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "two", NULL, GX_FOLDER_GENERIC, NULL, &dst));
	ST_OK(gx_folder_set_permission(t, fid, "default", GX_RIGHTS_ALL & ~GX_RIGHT_OWNER, false));
	x = put(t, fid, asking(false, false), 0);
	y = put(t, fid, asking(false, false), 0);
	st_commit(t);
	read_as(&ann, x.mid, GX_RF_DEFAULT);
	read_as(&ann, y.mid, GX_RF_DEFAULT);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_copy(t, fid, &x.mid, 1, dst, true, &x));
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
}
END_TEST

static Suite *state_suite(void)
{
	Suite *su = suite_create("state");
	TCase *t = tcase_create("private");
	tcase_add_checked_fixture(t, fix_setup, fix_teardown);
	tcase_add_test(t, computed_values);
	tcase_add_test(t, values_by_row);
	tcase_add_test(t, keys_of_versions);
	tcase_add_test(t, reading_and_receipts);
	tcase_add_test(t, submission);
	tcase_add_test(t, rights_of_others);
	suite_add_tcase(su, t);
	t = tcase_create("public");
	tcase_add_checked_fixture(t, setup_public, fix_teardown);
	tcase_add_test(t, each_reader_for_himself);
	tcase_add_test(t, readers_of_a_folder_that_goes);
	suite_add_tcase(su, t);
	return su;
}

GXTEST_MAIN(state_suite)
