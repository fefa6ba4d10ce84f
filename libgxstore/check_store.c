/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/fixtest.h"

START_TEST(built_in_folders_are_there)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_folder_info *v, i;
	size_t n;
	ST_OK(gx_folder_list(t, GX_FID_ROOT, true, a, &v, &n));
	ck_assert_uint_eq(n, 28);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ck_assert_str_eq(i.name, "Inbox");
	ck_assert_str_eq(i.container_class, "IPF.Note");
	ck_assert_uint_eq(i.parent, GX_FID_IPMSUBTREE);
	ck_assert(i.subscribed && !i.hidden);
	ck_assert_uint_eq(i.uidnext, 1);
	ck_assert_uint_gt(i.uidvalidity, 0);
	ST_OK(gx_folder_get(t, GX_FID_SENT, a, &i));
	ck_assert_str_eq(i.special_use, "\\Sent");
	ST_IS(gx_folder_get(t, 0x9999, a, &i), ecNotFound);
	gx_txn_abort(t);
	ck_assert_uint_eq(gx_store_replica(s)->d1, 7);
	ck_assert_uint_eq(gx_store_replica(s)->d2, 0x18a5);
	ck_assert(!gx_store_is_public(s));
}
END_TEST

START_TEST(missing_directories_are_made)
{
	char deep[600];
	snprintf(deep, sizeof(deep), "%s/user/example.org/u", st_dir());
	st_create(deep);
	struct gx_store *there = st_open(deep);
	st_verify(there);
	gx_store_close(there);
}
END_TEST

#define BLOCK 4096U
static uint64_t rounded, allocated;

/* What it takes where blocks have 4 KB and a directory one of them; and what this file system says. */
static int add_size(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)path;
	(void)f;
	rounded += kind == FTW_D ? BLOCK : ((uint64_t)sb->st_size + BLOCK - 1) / BLOCK * BLOCK;
	allocated += sb->st_blksize == (blksize_t)BLOCK ? (uint64_t)sb->st_blocks * 512 : 0;
	return 0;
}

START_TEST(an_empty_store_is_small)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_opts no_index = GX_STORE_OPTS_INIT;
	char path[600];
	no_index.no_index = true;
	o.owner_id = 7;
	o.owner = "u@example.org";
	o.public_store = _i != 0;
	snprintf(path, sizeof(path), "%s/s", st_dir());
	ck_assert_int_eq(gx_store_create(path, &o, NULL, NULL), 0);
	for (int opened = 0; opened < 2; opened++) {
		rounded = allocated = 0;
		ck_assert_int_eq(nftw(path, add_size, 16, FTW_PHYS), 0);
		ck_assert_uint_lt(rounded, 200000);
		ck_assert_uint_lt(allocated, 200000);
		if (opened == 0)
			gx_store_close(st_open_with(path, &no_index));
	}
	*strrchr(path, '/') = '\0';
	st_rmtree(path);
}
END_TEST

START_TEST(message_goes_in_and_comes_back)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_prepared *p = st_message(a, 1, 3000);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_msg_mime mime;
	struct gx_msg_info info;
	o.flags = GX_MSGF_FLAGGED | GX_MSGF_RECENT;
	o.received = 123456789;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	ck_assert_uint_eq(ids.uid, 1);
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_get(t, ids.mid, &info));
	ck_assert_uint_eq(info.size, 3000);
	ck_assert_uint_eq(info.received, 123456789);
	ck_assert_uint_eq(info.flags, GX_MSGF_FLAGGED | GX_MSGF_RECENT | GX_MSGF_HASORIG);
	ST_OK(gx_msg_mime(t, ids.mid, &mime));
	ck_assert_uint_eq(mime.size, 3000);
	ck_assert_uint_eq(mime.envelope.len, 5);
	ST_OK(gx_msg_original(t, ids.mid, 0, UINT64_MAX, &out));
	ck_assert_uint_eq(out.len, 3000);
	ck_assert_mem_eq(out.data, p->original.data, 3000);
	gx_push_clear(&out);
	ST_OK(gx_msg_original(t, ids.mid, 10, 20, &out));
	ck_assert_uint_eq(out.len, 20);
	ck_assert_mem_eq(out.data, p->original.data + 10, 20);
	gx_push_release(&out);
	gx_txn_abort(t);
	gx_msg_prepared_release(p);
}
END_TEST

START_TEST(properties_come_back)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, 5, 3000, 0);
	struct gx_proplist l, set = {0};
	struct gx_msgobj *m;
	gx_proptag_t tags[] = {PidTagBody, PidTagSubject, PidTagRead, PidTagHtml};
	const gx_proptag_t modified = PidTagLastModificationTime;
	ST_OK(gx_msg_get_props(t, ids.mid, NULL, 0, a, &l));
	gx_nttime_t received = gx_proplist_get(&l, PidTagMessageDeliveryTime)->v.time;
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "message 5");
	ck_assert_ptr_null(gx_proplist_get(&l, PidTagBody));
	ck_assert_ptr_nonnull(gx_proplist_get(&l, PidTagChangeKey));
	ST_OK(gx_msg_get_props(t, ids.mid, tags, 4, a, &l));
	ck_assert_uint_eq(l.count, 3);
	ck_assert_ptr_nonnull(gx_proplist_get(&l, PidTagBody));
	ck_assert_int_eq(gx_proplist_set_str(&set, a, PidTagSubject, "new"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&set, a, PidTagBody, "short"), 0);
	ck_assert_int_eq(gx_proplist_set_time(&set, a, PidTagLastModificationTime, 5), 0); /* given, it is taken as it is */
	ST_OK(gx_msg_set_props(t, ids.mid, &set));
	ST_OK(gx_msg_get_props(t, ids.mid, &modified, 1, a, &l));
	ck_assert_uint_eq(l.v[0].v.time, 5);
	gx_proplist_remove(&set, PidTagLastModificationTime);
	ST_OK(gx_msg_set_props(t, ids.mid, &set));
	ST_OK(gx_msg_get_props(t, ids.mid, &modified, 1, a, &l));
	ck_assert_uint_ge(l.v[0].v.time, received); /* else it is now */
	ST_OK(gx_msg_get_props(t, ids.mid, tags, 2, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagBody, ""), "short");
	ST_OK(gx_msg_read(t, ids.mid, a, &m));
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), "new");
	ck_assert_uint_eq(m->rcpt_count, 1);
	ck_assert_str_eq(gx_proplist_str(&m->rcpts[0], PidTagSmtpAddress, ""), "u@example.org");
	ST_IS(gx_msg_read(t, 0x7777777, a, &m), ecNotFound);
	st_commit(t);
}
END_TEST

/* Replica and change number, [MS-OXCFXICS] 2.2.2.2. */
static void expect_keys(const struct gx_proplist *l, uint64_t cn)
{
	const struct gx_propval *key = gx_proplist_get(l, PidTagChangeKey), *pcl = gx_proplist_get(l, PidTagPredecessorChangeList);
	uint8_t want[23] = {22};
	ck_assert(key != NULL && pcl != NULL);
	gx_guid_put(gx_store_replica(s), want + 1);
	for (int i = 0; i < 6; i++)
		want[17 + i] = (uint8_t)(cn >> 8 * (5 - i));
	ck_assert_uint_eq(key->v.bin.len, 22);
	ck_assert_mem_eq(key->v.bin.data, want + 1, 22);
	ck_assert_uint_eq(pcl->v.bin.len, 23);
	ck_assert_mem_eq(pcl->v.bin.data, want, 23);
}

START_TEST(keys_outlive_the_call)
{
	struct gx_proplist l;
	struct gx_folder_info i;
	uint8_t guid[16];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, 1, 100, 0);
	ST_OK(gx_msg_get_props(t, ids.mid, NULL, 0, a, &l));
	expect_keys(&l, ids.cn);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ST_OK(gx_folder_get_props(t, GX_FID_INBOX, NULL, 0, a, &l));
	expect_keys(&l, i.cn);
	ST_OK(gx_store_get_props(t, NULL, 0, a, &l));
	const struct gx_propval *pv = gx_proplist_get(&l, PidTagStoreRecordKey);
	gx_guid_put(gx_store_mailbox_guid(s), guid);
	ck_assert(pv != NULL && pv->v.bin.len == 16);
	ck_assert_mem_eq(pv->v.bin.data, guid, 16);
	st_commit(t);
}
END_TEST

START_TEST(same_delivery_is_refused)
{
	static const uint8_t id[16] = {1, 2, 3};
	struct gx_msg_prepared *p = st_message(a, 1, 500);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	o.delivery_id = id;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), ecDuplicateObject);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), ecDuplicateObject);
	st_commit(t);
	gx_msg_prepared_release(p);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_count(v), 1);
	gx_imapview_close(v);
}
END_TEST

START_TEST(flags_and_keywords_change)
{
	static const char *const kw[] = {"$Label1", "Work", NULL}, *const less[] = {"work", NULL};
	uint64_t mids[5], *skipped;
	size_t nskipped;
	struct gx_flag_change c = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .keywords = kw, .unchanged_since = UINT64_MAX};
	struct gx_msg_info info;
	struct gx_folder_info f;
	const char *const *names;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 5; i++)
		mids[i] = st_insert(t, GX_FID_INBOX, i, 500, 0).mid;
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	uint64_t before = f.highest_modseq;
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 3, &c, a, NULL, NULL));
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(f.unread, 2);
	ck_assert_uint_eq(f.highest_modseq, before + 3);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 3, &c, a, NULL, NULL)); /* nothing left to do */
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(f.highest_modseq, before + 3);
	c.op = GX_FLAGS_REMOVE;
	c.keywords = less;
	c.unchanged_since = before + 1;
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 3, &c, a, &skipped, &nskipped));
	ck_assert_uint_eq(nskipped, 2);
	ck_assert_uint_eq(skipped[0], mids[1]);
	ST_OK(gx_msg_get(t, mids[0], &info));
	ck_assert_uint_eq(info.flags & GX_MSGF_READ, 0);
	st_commit(t);
	ST_OK(gx_store_keywords(s, info.kwset, a, &names));
	ck_assert_str_eq(names[0], "$Label1");
	ck_assert_ptr_null(names[1]);
	c = (struct gx_flag_change){.op = 9};
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_msg_change_flags(t, GX_FID_INBOX, mids, 3, &c, a, NULL, NULL), ecInvalidParam);
	c = (struct gx_flag_change){.op = GX_FLAGS_ADD, .keywords = (const char *const[]){"two words", NULL}, .unchanged_since = UINT64_MAX};
	ST_IS(gx_msg_change_flags(t, GX_FID_INBOX, mids, 3, &c, a, NULL, NULL), ecInvalidParam);
	gx_txn_abort(t);
}
END_TEST

START_TEST(copies_share_and_part)
{
	uint64_t mids[3];
	struct gx_msg_ids ids[3];
	struct gx_proplist set = {0}, l;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 3; i++)
		mids[i] = st_insert(t, GX_FID_INBOX, i, 60000, GX_MSGF_READ).mid;
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, mids, 3, GX_FID_DRAFTS, false, ids));
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&set, a, PidTagSubject, "other"), 0);
	ST_OK(gx_msg_set_props(t, ids[0].mid, &set));
	ST_OK(gx_msg_get_props(t, mids[0], NULL, 0, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "message 0");
	ST_OK(gx_msg_get_props(t, ids[0].mid, NULL, 0, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "other");
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mids, 3, true));
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	uint64_t back[3] = {ids[0].mid, ids[1].mid, 0x7777777};
	struct gx_msg_ids moved[3];
	ST_OK(gx_msg_copy(t, GX_FID_DRAFTS, back, 3, GX_FID_INBOX, true, moved));
	ck_assert_uint_eq(moved[2].mid, 0);
	ck_assert_uint_ne(moved[0].mid, back[0]);
	ck_assert_uint_eq(moved[0].uid, 4);
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	uint32_t *uids;
	size_t n;
	ST_OK(gx_folder_vanished(t, GX_FID_INBOX, 0, a, &uids, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert(uids[0] == 1 && uids[2] == 3);
	ST_OK(gx_folder_vanished(t, GX_FID_DRAFTS, 0, a, &uids, &n));
	ck_assert_uint_eq(n, 3); /* one of them got another UID when its subject changed */
	ck_assert(uids[0] == 1 && uids[1] == 2 && uids[2] == 4);
	gx_txn_abort(t);
}
END_TEST

START_TEST(soft_deletion_keeps_the_message)
{
	struct gx_folder_info f;
	struct gx_msg_info info;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = st_insert(t, GX_FID_INBOX, 1, 500, 0).mid;
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, false));
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(f.total, 0);
	ck_assert_uint_eq(f.unread, 0);
	ck_assert_uint_eq(f.deleted_count, 1);
	ST_OK(gx_msg_get(t, mid, &info));
	ck_assert_uint_eq(info.uid, 0);
	ck_assert(info.flags & GX_MSGF_SOFTDEL);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	ST_IS(gx_msg_get(t, mid, &info), ecNotFound);
	st_commit(t);
}
END_TEST

START_TEST(an_aborted_transaction_leaves_nothing)
{
	struct gx_folder_info f;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid;
	st_insert(t, GX_FID_INBOX, 1, 500000, 0);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(f.total, 0);
	ck_assert_uint_eq(f.uidnext, 1);
	ck_assert_uint_eq(f.subfolders, 0);
	ST_IS(gx_msg_delete(t, GX_FID_INBOX, NULL, 0, true), ecInvalidParam);
	gx_txn_abort(t);
}
END_TEST

START_TEST(named_properties_have_ids)
{
	struct gx_propname n[3] = {
		{.set = {0x00062008, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}}, .lid = 0x8554},
		{.set = {0x00020386, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}}, .by_name = true, .name = "X-Spam"},
		{.set = {0x00020386, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}}, .by_name = true, .name = "x-spam"},
	}, back[2];
	uint16_t ids[3];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_named_ids(t, false, n, 3, ids));
	ck_assert_uint_eq(ids[0], 0);
	ST_OK(gx_store_named_ids(t, true, n, 3, ids));
	ck_assert_uint_eq(ids[0], 0x8001);
	ck_assert_uint_eq(ids[1], 0x8002);
	ck_assert_uint_eq(ids[2], 0x8002);
	ST_OK(gx_store_named_names(t, (uint16_t[]){0x8002, 0x9999}, 2, a, back));
	ck_assert_str_eq(back[0].name, "X-Spam");
	ck_assert(back[0].by_name && !back[1].by_name && back[1].set.d1 == 0);
	st_commit(t);
}
END_TEST

START_TEST(quota_refuses)
{
	struct gx_proplist l = {0};
	struct gx_msg_prepared *p = st_message(a, 1, 3000);
	struct gx_msg_ids ids;
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, GX_PROP_TAG(0x666a, PtypInteger32), 5), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_set_props(t, &l));
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids), ecQuotaExceeded);
	st_commit(t);
	gx_msg_prepared_release(p);
}
END_TEST

/* An outer message with a large attachment and a message inside, without an internet form. */
static struct gx_msg_prepared *nested(unsigned depth, const char *subject)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *outer = gx_msgobj_new(a), *m = outer;
	struct gx_propname name = {.set = {1, 2, 3, {4}}, .by_name = true, .name = "thing"};
	char *big = gx_arena_alloc(a, 100000);
	for (unsigned i = 0; i < 100000; i++)
		big[i] = (char)(i * i >> 7);
	for (unsigned i = 0; i <= depth; i++) {
		const char *text = gx_arena_printf(a, "%s %u", subject, i);
		ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, text), 0);
		ck_assert_int_eq(gx_msgobj_set_named(m, a, &name, PtypString, (union gx_value){.str = text}), 0);
		struct gx_attach *at = gx_msgobj_add_attach(m, a);
		ck_assert_int_eq(gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, big, 100000 - i), 0);
		if (i == depth)
			break;
		at = gx_msgobj_add_attach(m, a);
		m = at->embedded = gx_msgobj_new(a);
	}
	src.obj = outer;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	return p;
}

static void check_nested(struct gx_txn *t, uint64_t mid, unsigned depth, const char *subject)
{
	struct gx_propname name = {.set = {1, 2, 3, {4}}, .by_name = true, .name = "thing"};
	struct gx_msgobj *m;
	ST_OK(gx_msg_read(t, mid, a, &m));
	for (unsigned i = 0; i <= depth; i++) {
		const char *text = gx_arena_printf(a, "%s %u", i == 0 ? subject : "deep", i);
		ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), text);
		const struct gx_named_propval *nv = gx_msgobj_get_named(m, &name);
		ck_assert_ptr_nonnull(nv);
		ck_assert_str_eq(nv->v.str, gx_arena_printf(a, "deep %u", i));
		ck_assert_uint_eq(m->att_count, i == depth ? 1 : 2);
		const struct gx_propval *pv = gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary);
		ck_assert_ptr_nonnull(pv);
		ck_assert_uint_eq(pv->v.bin.len, 100000 - i);
		m = i == depth ? NULL : m->atts[1].embedded;
	}
}

START_TEST(messages_inside_messages)
{
	struct gx_msg_prepared *p = nested(3, "deep");
	struct gx_proplist l = {0};
	struct gx_msg_ids ids, copy;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	check_nested(t, ids.mid, 3, "deep");
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &ids.mid, 1, GX_FID_DRAFTS, false, &copy));
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "own 0"), 0);
	ST_OK(gx_msg_set_props(t, copy.mid, &l));
	check_nested(t, ids.mid, 3, "deep");
	check_nested(t, copy.mid, 3, "own");
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &ids.mid, 1, true));
	check_nested(t, copy.mid, 3, "own");
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &copy.mid, 1, true));
	GX_STMT(st, t->q, "SELECT (SELECT COUNT(*) FROM body)+(SELECT COUNT(*) FROM att)+(SELECT COUNT(*) FROM content)");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 0);
	gx_sql__done(st);
	st_commit(t);
	gx_msg_prepared_release(p);
}
END_TEST

static int rendered;
static uint64_t changes_meanwhile; /* while it is rendered somebody saves it */

static void change_subject(uint64_t mid, const char *subject)
{
	struct gx_proplist l = {0};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, subject), 0);
	ST_OK(gx_msg_set_props(t, mid, &l));
	st_commit(t);
}

static int render(const struct gx_msgobj *m, struct gx_push *msg, struct gx_push *env, struct gx_push *bs, void *ctx)
{
	(void)ctx;
	rendered++;
	if (changes_meanwhile != 0)
		change_subject(changes_meanwhile, "newer");
	changes_meanwhile = 0;
	gx_push_printf(msg, "Subject: %s\r\n\r\nrendered\r\n", gx_proplist_str(&m->props, PidTagSubject, ""));
	gx_push_str(env, "(rendered)");
	gx_push_str(bs, "(text)");
	return 0;
}

START_TEST(what_has_no_internet_form_gets_one)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_msg_prepared *p = nested(1, "deep");
	struct gx_msg_ids ids;
	struct gx_msg_mime mime;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	ST_IS(gx_msg_mime(t, ids.mid, &mime), ecNotSupported); /* nobody to make it */
	gx_txn_abort(t);
	gx_store_close(s);
	o.render = render;
	s = st_open_with(dir, &o);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_at(v, 1).size32, UINT32_MAX);
	rendered = 0;
	for (int i = 0; i < 2; i++) {
		t = st_begin(s, GX_TXN_READ);
		ST_OK(gx_msg_mime(t, ids.mid, &mime));
		ck_assert_uint_eq(mime.size, 29);
		ck_assert_mem_eq(mime.envelope.data, "(rendered)", 10);
		gx_push_clear(&out);
		ST_OK(gx_msg_original(t, ids.mid, 0, UINT64_MAX, &out));
		ck_assert_uint_eq(out.len, 29);
		ck_assert_mem_eq(out.data, "Subject: deep 0\r\n\r\nrendered", 27);
		gx_txn_abort(t);
	}
	ck_assert_int_eq(rendered, 1); /* it was kept */
	ST_OK(gx_imapview_refresh(v, true, NULL));
	ck_assert_uint_eq(gx_imapview_at(v, 1).size32, 29);
	gx_imapview_close(v);
	t = st_begin(s, GX_TXN_READ);
	check_nested(t, ids.mid, 1, "deep");
	gx_txn_abort(t);
	gx_push_release(&out);
	gx_msg_prepared_release(p);
}
END_TEST

static uint32_t uid_of(struct gx_txn *t, uint64_t mid)
{
	struct gx_msg_info i;
	ST_OK(gx_msg_get(t, mid, &i));
	return i.uid;
}

/*
 * What was rendered of an older version is not kept as that of the newer one, and what a reader was shown under a UID is all that
 * there ever is under it.
 */
START_TEST(rendered_while_it_is_saved)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	uint32_t uids[3];
	struct gx_msg_prepared *p = nested(1, "deep");
	struct gx_msg_ids ids;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	st_commit(t);
	gx_store_close(s);
	o.render = render;
	s = st_open_with(dir, &o);
	changes_meanwhile = ids.mid;
	static const char *const says[] = {"Subject: deep 0\r\n", "Subject: newer\r\n", "Subject: newer\r\n"};
	for (int i = 0; i < 3; i++) {
		t = st_begin(s, GX_TXN_READ);
		uids[i] = uid_of(t, ids.mid);
		gx_push_clear(&out);
		ST_OK(gx_msg_original(t, ids.mid, 0, UINT64_MAX, &out));
		ck_assert_uint_gt(out.len, strlen(says[i]));
		ck_assert_mem_eq(out.data, says[i], strlen(says[i]));
		gx_txn_abort(t);
	}
	ck_assert(uids[0] == ids.uid && uids[1] > uids[0] && uids[2] == uids[1]);
	gx_push_release(&out);
	gx_msg_prepared_release(p);
}
END_TEST

static struct gx_event ev_sent[4000];
static size_t ev_heard;

static void hear_event(const struct gx_event *ev, void *ctx)
{
	const struct gx_event *x = &ev_sent[ev_heard++];
	(void)ctx;
	ck_assert(ev->type == x->type && ev->fid == x->fid && ev->mid == x->mid && ev->uid == x->uid);
	ck_assert(ev->old_fid == x->old_fid && ev->old_mid == x->old_mid && ev->parent == x->parent && ev->cn == x->cn);
}

static uint64_t random_number(uint64_t near)
{
	switch (random() % 5) {
	case 0:
		return 0;
	case 1:
		return near;
	case 2:
		return (uint64_t)random() << 33 ^ (uint64_t)random() << 10 ^ (uint64_t)random();
	case 3:
		return UINT64_MAX;
	default:
		return near + (uint64_t)(random() % 200) - 100;
	}
}

/* However they are kept until the commit, all of what they say arrives. */
START_TEST(events_arrive_as_they_were)
{
	struct gx_evlist l = {.bytes = GX_PUSH_INIT};
	uint64_t sub;
	const size_t n = sizeof(ev_sent) / sizeof(ev_sent[0]);
	ck_assert_int_eq(gx_store_subscribe(s, 0, UINT32_MAX, hear_event, NULL, &sub), 0);
	gx_subs__notify_list(s, &l);
	srandom(3);
	for (size_t i = 0; i < n; i++) {
		const struct gx_event *x = &ev_sent[i == 0 ? 0 : i - 1];
		ev_sent[i] = (struct gx_event){.type = 1U << random() % 13, .fid = random_number(x->fid),
			.mid = random_number(x->mid), .old_fid = random_number(x->old_fid), .old_mid = random_number(x->old_mid),
			.parent = random_number(x->parent), .cn = random_number(x->cn), .uid = (uint32_t)random_number(x->uid)};
		ck_assert_int_eq(gx_evlist__add(&l, &ev_sent[i]), 0);
	}
	gx_subs__notify_list(s, &l);
	ck_assert_uint_eq(ev_heard, n);
	gx_evlist__clear(&l);
	gx_subs__notify_list(s, &l);
	ck_assert_uint_eq(ev_heard, n);
	ck_assert_int_eq(gx_evlist__add(&l, &ev_sent[0]), 0);
	ev_heard = 0;
	gx_subs__notify_list(s, &l);
	ck_assert_uint_eq(ev_heard, 1);
	gx_push_release(&l.bytes);
	gx_store_unsubscribe(s, sub);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("store");
	TCase *c = tcase_create("messages");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	tcase_add_test(c, built_in_folders_are_there);
	tcase_add_test(c, missing_directories_are_made);
	tcase_add_loop_test(c, an_empty_store_is_small, 0, 2);
	tcase_add_test(c, message_goes_in_and_comes_back);
	tcase_add_test(c, properties_come_back);
	tcase_add_test(c, keys_outlive_the_call);
	tcase_add_test(c, same_delivery_is_refused);
	tcase_add_test(c, flags_and_keywords_change);
	tcase_add_test(c, copies_share_and_part);
	tcase_add_test(c, soft_deletion_keeps_the_message);
	tcase_add_test(c, an_aborted_transaction_leaves_nothing);
	tcase_add_test(c, named_properties_have_ids);
	tcase_add_test(c, quota_refuses);
	tcase_add_test(c, events_arrive_as_they_were);
	tcase_add_test(c, messages_inside_messages);
	tcase_add_test(c, what_has_no_internet_form_gets_one);
	tcase_add_test(c, rendered_while_it_is_saved);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
