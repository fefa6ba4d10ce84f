/* SPDX-License-Identifier: Apache-2.0 */
/* Tables case by case: what the specifications say of them. */
#include <config.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>
#include <gx/acl.h>
#include <gx/entryid.h>
#include <gx/rules.h>
#include <gx/search.h>
#include "libgxstore/table/table-sort.h"
#include "libgxstore/table/tabletest.h"

/* ---- Hierarchy ---- */

static const gx_proptag_t folder_cols[] = {PidTagFolderId, PidTagDisplayName, PidTagDepth, PidTagParentFolderId,
	PidTagSubfolders, PidTagContentCount, PidTagComment, PidTagInstID};

START_TEST(folders_by_name)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t b = new_folder(t, GX_FID_DRAFTS, "b"), a = new_folder(t, GX_FID_DRAFTS, "A"),
		 c = new_folder(t, GX_FID_DRAFTS, "c");
	uint64_t ba = new_folder(t, b, "ba"), baa = new_folder(t, ba, "baa"), bb = new_folder(t, b, "bb");
	insert_subject(t, b, "x", 1);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *flat = hierarchy(t, GX_FID_DRAFTS, 0), *deep = hierarchy(t, GX_FID_DRAFTS, GX_TABLE_DEPTH);
	const uint64_t want_flat[] = {a, b, c}, want_deep[] = {a, b, ba, baa, bb, c};
	const int depth[] = {0, 0, 1, 2, 1, 0};
	size_t n;
	struct gx_table_row *r = rows(flat, t, folder_cols, 8, &n);
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert(r[i].id == want_flat[i] && r[i].v[0].v.i64 == (int64_t)r[i].id && r[i].v[2].v.i32 == 0);
	ck_assert_str_eq(r[0].v[1].v.str, "A");
	ck_assert(r[1].v[4].v.b && !r[0].v[4].v.b);
	ck_assert_int_eq(r[1].v[5].v.i32, 1);
	ck_assert_uint_eq(r[1].v[6].tag, GX_PROP_RETYPE(PidTagComment, PtypErrorCode));
	ck_assert_uint_eq(r[1].v[6].v.err, ecNotFound);
	r = rows(deep, t, folder_cols, 8, &n);
	ck_assert_uint_eq(n, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert(r[i].id == want_deep[i] && r[i].v[2].v.i32 == depth[i]);
	uint32_t sum;
	ST_OK(gx_table_sum_folders(t, GX_FID_DRAFTS, false, &sum));
	ck_assert_uint_eq(sum, 3);
	ST_OK(gx_table_sum_folders(t, GX_FID_DRAFTS, true, &sum));
	ck_assert_uint_eq(sum, 6);
	gx_txn_abort(t);
	/* The tables follow. */
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, ba, false));
	ST_OK(gx_folder_move(t, c, b, "0"));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(flat, t), 2);
	r = rows(deep, t, folder_cols, 8, &n);
	ck_assert(n == 4 && r[0].id == a && r[1].id == b && r[2].id == c && r[3].id == bb);
	struct gx_table *gone = hierarchy(t, b, GX_TABLE_DELETED);
	r = rows(gone, t, folder_cols, 2, &n);
	ck_assert(n == 1 && r[0].id == ba);
	ck_assert_str_eq(r[0].v[1].v.str, "ba");
	gx_txn_abort(t);
	gx_table_close(flat);
	gx_table_close(deep);
	gx_table_close(gone);
}
END_TEST

START_TEST(folders_restricted)
{
	struct gx_restr r = {
		.type = RES_PROPERTY, .u.prop = {RELOP_GT, PidTagContentCount, {PidTagContentCount, {.i32 = 0}}}};
	struct gx_table_opts o = opts(GX_FID_DRAFTS, 0);
	struct gx_table *tb;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t a = new_folder(t, GX_FID_DRAFTS, "a"), b = new_folder(t, GX_FID_DRAFTS, "b");
	insert_subject(t, a, "x", 1);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	o.restr = &r;
	ST_OK(gx_table_open_hierarchy(t, &o, &tb));
	ck_assert_uint_eq(count(tb, t), 1);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	insert_subject(t, b, "x", 1);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(tb, t), 2);
	gx_txn_abort(t);
	gx_table_close(tb);
}
END_TEST

/* ---- Rights ---- */

START_TEST(rights)
{
	const struct gx_actor guest = {.user = "guest@example.org"};
	struct gx_table_opts o;
	struct gx_table *tb, *mine;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t open = new_folder(t, GX_FID_DRAFTS, "open"), shut = new_folder(t, GX_FID_DRAFTS, "shut"),
		 seen = new_folder(t, GX_FID_DRAFTS, "seen");
	ST_OK(gx_folder_set_permission(t, open, guest.user, GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	ST_OK(gx_folder_set_permission(t, seen, guest.user, GX_RIGHT_VISIBLE, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_DRAFTS, guest.user, GX_RIGHT_VISIBLE, false));
	insert_subject(t, open, "x", 1);
	st_commit(t);
	t = begin_as(&guest, GX_TXN_READ);
	mine = hierarchy(t, GX_FID_DRAFTS, 0);
	size_t n;
	struct gx_table_row *r = rows(mine, t, folder_cols, 1, &n);
	ck_assert(n == 2 && r[0].id == open && r[1].id == seen);
	o = opts(shut, 0);
	ST_IS(gx_table_open_contents(t, &o, &tb), ecAccessDenied);
	o = opts(seen, 0);
	ST_IS(gx_table_open_contents(t, &o, &tb), ecAccessDenied);
	o = opts(open, 0);
	ST_OK(gx_table_open_contents(t, &o, &tb));
	ck_assert_uint_eq(count(tb, t), 1);
	struct gx_table *no;
	ST_IS(gx_table_open_permissions(t, &o, &no), ecAccessDenied);
	ST_IS(gx_table_open_rules(t, &o, &no), ecAccessDenied);
	gx_txn_abort(t);
	/* What is taken away later is taken away from open tables, too. */
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, open, guest.user, 0, true));
	ST_OK(gx_folder_set_permission(t, open, "default", 0, false));
	st_commit(t);
	t = begin_as(&guest, GX_TXN_READ);
	uint32_t left;
	ST_IS(gx_table_count(tb, t, &left), ecAccessDenied);
	ck_assert_uint_eq(count(mine, t), 1);
	gx_txn_abort(t);
	gx_table_close(tb);
	gx_table_close(mine);
}
END_TEST

START_TEST(bad_parameters)
{
	const struct gx_sort multi[] = {{GX_PROP_TAG(0x6801, PtypMultipleString), 0}}, order[] = {{PidTagSubject, 3}};
	struct gx_sortset bad[] = {{multi, 1, 0, 0}, {order, 1, 0, 0}, {order, 1, 2, 0}};
	struct gx_restr re = {.type = RES_PROPERTY, .u.prop = {RELOP_RE, PidTagSubject, {PidTagSubject, {.str = "x"}}}};
	struct gx_table *tb;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	insert_subject(t, GX_FID_INBOX, "x", 1);
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	for (size_t i = 0; i < 3; i++) {
		o.sort = &bad[i];
		ST_IS(gx_table_open_contents(t, &o, &tb), ecInvalidParam);
	}
	o = opts(GX_FID_INBOX, 0);
	o.restr = &re;
	ST_IS(gx_table_open_contents(t, &o, &tb), ecTooComplex);
	o = opts(999999, 0);
	ST_IS(gx_table_open_contents(t, &o, &tb), ecNotFound);
	ST_IS(gx_table_open_hierarchy(t, &o, &tb), ecNotFound);
	o = opts(GX_FID_INBOX, 0x4000);
	ST_IS(gx_table_open_contents(t, &o, &tb), ecInvalidParam);
	ST_IS(gx_table_open_hierarchy(t, &o, &tb), ecInvalidParam);
	tb = contents(t, opts(GX_FID_INBOX, 0));
	uint32_t pos;
	uint8_t type;
	ST_IS(gx_table_find(tb, t, 0, true, NULL, &pos), ecInvalidParam);
	ST_IS(gx_table_seek_fraction(tb, t, 1, 0, &pos), ecInvalidParam);
	ST_IS(gx_table_locate(tb, t, 12345678, 0, &pos, &type), ecNotFound);
	ST_IS(gx_table_locate(tb, t, GX_TABLE_HEADER_ID | 1, 0, &pos, &type), ecNotFound);
	ST_IS(gx_table_locate(tb, t, UINT64_MAX, UINT32_MAX, &pos, &type), ecNotFound);
	uint32_t n;
	ST_IS(gx_table_expand(tb, t, GX_TABLE_HEADER_ID | 1, &pos, &n), ecNotFound);
	ST_IS(gx_table_bookmark_free(tb, 77), ecInvalidBookmark);
	gx_table_close(tb);
	gx_table_close(NULL);
	st_commit(t);
}
END_TEST

/* ---- Columns ---- */

START_TEST(long_values_are_cut)
{
	char *text = gx_arena_alloc(w.a, 1001), *wide = gx_arena_alloc(w.a, 4 * 300 + 1);
	uint8_t bytes[1000] = {7};
	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (unsigned i = 0; i < 300; i++)
		memcpy(wide + 4 * i, "\xf0\x9f\x98\x80", 4);
	wide[1200] = '\0';
	const struct gx_propval v[] = {{PidTagSubject, {.str = text}}, {PidTagSenderName, {.str = wide}},
		{GX_PROP_TAG(0x6805, PtypBinary), {.bin = {bytes, 1000}}}, {PidTagMessageClass, {.str = "IPM.Note"}}};
	const gx_proptag_t cols[] = {PidTagSubject, PidTagSenderName, GX_PROP_TAG(0x6805, PtypBinary),
		GX_PROP_RETYPE(PidTagMessageClass, PtypString8), PidTagEntryId,
		GX_PROP_RETYPE(PidTagSubject, PtypInteger32), GX_PROP_RETYPE(PidTagMessageClass, PtypUnspecified),
		PidTagInstanceKey};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid = insert(t, GX_FID_INBOX, v, 4, 1, 0);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, opts(GX_FID_INBOX, 0));
	size_t n;
	struct gx_table_row *r = rows(tb, t, cols, 8, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(strlen(r[0].v[0].v.str), 255);
	ck_assert_uint_eq(strlen(r[0].v[1].v.str), 4 * 127); /* pairs of UTF-16 units are not torn */
	ck_assert_uint_eq(r[0].v[2].v.bin.len, 510);
	ck_assert_uint_eq(r[0].v[3].tag, cols[3]);
	ck_assert_str_eq(r[0].v[3].v.str, "IPM.Note");
	ck_assert_uint_eq(r[0].v[4].v.bin.len, 70);
	ck_assert_uint_eq(GX_PROP_TYPE(r[0].v[5].tag), PtypErrorCode);
	ck_assert_str_eq(r[0].v[6].v.str, "IPM.Note");
	ck_assert_uint_eq(r[0].v[7].v.bin.len, 12);
	ck_assert_uint_eq(r[0].id, mid);
	gx_proptag_t *tags;
	ST_OK(gx_table_columns(tb, t, w.a, &tags, &n));
	bool found[4] = {false};
	const gx_proptag_t want[] = {PidTagInstID, PidTagSenderName, PidTagEntryId, PidTagMessageFlags};
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 4; k++)
			found[k] = found[k] || tags[i] == want[k];
	ck_assert(found[0] && found[1] && found[2] && found[3]);
	gx_txn_abort(t);
	gx_table_close(tb);
}
END_TEST

START_TEST(a_part_of_the_way)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 10; i++)
		insert_subject(t, GX_FID_INBOX, "x", 1);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, opts(GX_FID_INBOX, 0));
	const uint32_t cases[][3] = {
		{0, 1, 0}, {1, 2, 5}, {1, 3, 3}, {9, 10, 9}, {1, 1, 10}, {7, 5, 10}, {UINT32_MAX - 1, UINT32_MAX, 9}};
	uint32_t pos;
	for (size_t i = 0; i < 7; i++) {
		ST_OK(gx_table_seek_fraction(tb, t, cases[i][0], cases[i][1], &pos));
		ck_assert_uint_eq(pos, cases[i][2]);
	}
	gx_txn_abort(t);
	gx_table_close(tb);
}
END_TEST

/* ---- Limits, deleted messages, conversations, search folders ---- */

START_TEST(first_rows_only)
{
	const struct gx_sort down[] = {{PidTagMessageDeliveryTime, 1}}, up[] = {{PidTagMessageDeliveryTime, 0}};
	struct gx_restr all = {.type = RES_EXIST, .u.exist = {PidTagSubject}},
			r = {.type = RES_COUNT, .u.count = {3, &all}};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid[8];
	for (unsigned i = 0; i < 8; i++)
		mid[i] = insert_subject(t, GX_FID_INBOX, "x", 10 + i);
	st_commit(t);
	for (unsigned k = 0; k < 2; k++) {
		struct gx_table_opts o = opts(GX_FID_INBOX, 0);
		struct gx_sortset s = {k == 0 ? down : up, 1, 0, 0};
		o.restr = &r;
		o.sort = &s;
		t = st_begin(w.s, GX_TXN_READ);
		struct gx_table *tb = contents(t, o);
		size_t n;
		struct gx_table_row *v = rows(tb, t, NULL, 0, &n);
		ck_assert_uint_eq(n, 3);
		ck_assert_uint_eq(v[0].id, mid[k == 0 ? 7 : 0]);
		gx_txn_abort(t);
		t = st_begin(w.s, GX_TXN_WRITE); /* another one takes the place of one that goes */
		ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid[k == 0 ? 7 : 0], 1, true));
		st_commit(t);
		t = st_begin(w.s, GX_TXN_READ);
		v = rows(tb, t, NULL, 0, &n);
		ck_assert_uint_eq(n, 3);
		ck_assert_uint_eq(v[0].id, mid[k == 0 ? 6 : 1]);
		gx_txn_abort(t);
		gx_table_close(tb);
	}
}
END_TEST

START_TEST(deleted_messages)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t a = insert_subject(t, GX_FID_INBOX, "a", 1), b = insert_subject(t, GX_FID_INBOX, "b", 2);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &a, 1, false));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *gone = contents(t, opts(GX_FID_INBOX, GX_TABLE_DELETED)),
			*here = contents(t, opts(GX_FID_INBOX, 0));
	size_t n;
	struct gx_table_row *r = rows(gone, t, NULL, 0, &n);
	ck_assert(n == 1 && r[0].id == a);
	r = rows(here, t, NULL, 0, &n);
	ck_assert(n == 1 && r[0].id == b);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &b, 1, false));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(gone, t), 2);
	ck_assert_uint_eq(count(here, t), 0);
	uint32_t sum;
	ST_OK(gx_table_sum_messages(t, GX_FID_INBOX, false, true, &sum));
	ck_assert_uint_eq(sum, 2);
	ST_OK(gx_table_sum_messages(t, GX_FID_INBOX, false, false, &sum));
	ck_assert_uint_eq(sum, 0);
	ST_OK(gx_table_sum_messages(t, GX_FID_INBOX, true, false, &sum));
	ck_assert_uint_eq(sum, 0);
	gx_txn_abort(t);
	gx_table_close(gone);
	gx_table_close(here);
}
END_TEST

START_TEST(conversations)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid[3];
	for (unsigned i = 0; i < 200; i++)
		insert_subject(t, i % 2 ? GX_FID_INBOX : GX_FID_SENT, gx_arena_printf(w.a, "other %u", i), i);
	mid[0] = insert_subject(t, GX_FID_INBOX, "The plan", 100);
	mid[1] = insert_subject(t, GX_FID_SENT, "RE: the plan", 300);
	mid[2] = insert_subject(t, GX_FID_DRAFTS, "Re: The Plan", 200);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_proplist l;
	const gx_proptag_t tag = PidTagConversationId;
	ST_OK(gx_msg_get_props(t, mid[0], &tag, 1, w.a, &l));
	struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagConversationId, l.v[0]}};
	struct gx_table_opts o = opts(GX_FID_ROOT, GX_TABLE_CONVERSATIONS);
	o.restr = &r;
	struct gx_table *all = contents(t, opts(GX_FID_ROOT, GX_TABLE_CONVERSATIONS)), *one = contents(t, o);
	size_t n;
	struct gx_table_row *v = rows(one, t, NULL, 0, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert(v[0].id == mid[1] && v[1].id == mid[2] && v[2].id == mid[0]); /* the newest first */
	ck_assert_uint_eq(count(all, t), 203);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	insert_subject(t, GX_FID_JUNK, "the plan", 400);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ck_assert_uint_eq(count(one, t), 4);
	ck_assert_uint_eq(count(all, t), 204);
	gx_txn_abort(t);
	gx_table_close(all);
	gx_table_close(one);
}
END_TEST

/* Words that the full-text index knows: it names the candidates, the rows are the same as without. */
START_TEST(restricted_by_words)
{
	struct gx_restr r = {.type = RES_CONTENT,
		.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "Needle"}}}};
	const struct gx_sort by_subject[] = {{PidTagSubject, 1}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset g = {by_subject, 2, 1, 1};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid[4];
	for (unsigned i = 0; i < 200; i++)
		insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "hay %u", i), i);
	for (unsigned i = 0; i < 4; i++)
		mid[i] = insert_subject(t, GX_FID_INBOX, i % 2 ? "a needle" : "the needles", 100 + i);
	insert_subject(t, GX_FID_SENT, "needle", 1);
	st_commit(t);
	bool done;
	ck_assert_int_eq(gx_store_index(w.s, 10000, &done), 0);
	for (unsigned grouped = 0; grouped < 2; grouped++) {
		struct gx_table_opts o = opts(GX_FID_INBOX, 0);
		o.restr = &r;
		o.sort = grouped ? &g : NULL;
		t = st_begin(w.s, GX_TXN_READ);
		struct gx_table *tb = contents(t, o);
		size_t n;
		struct gx_table_row *v = rows(tb, t, NULL, 0, &n);
		ck_assert_uint_eq(n, grouped ? 6 : 4);
		ck_assert(grouped ? v[0].type == GX_ROW_EXPANDED && v[1].id == mid[0] && v[2].id == mid[2] &&
					    v[4].id == mid[1]
				  : v[0].id == mid[0]);
		gx_table_close(tb);
		gx_txn_abort(t);
	}
}
END_TEST

/* ---- Bookmarks ---- */

START_TEST(bookmarks)
{
	const struct gx_sort by_subject[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset s = {by_subject, 2, 0, 0}, g = {by_subject, 2, 1, 1};
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid[20];
	for (unsigned i = 0; i < 20; i++)
		mid[i] = insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "s%02u", i / 4), i);
	st_commit(t);
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	t = st_begin(w.s, GX_TXN_READ);
	o.sort = &s;
	struct gx_table *flat = contents(t, o);
	o.sort = &g;
	struct gx_table *tree = contents(t, o);
	uint32_t bf[4], bt[4], pos;
	bool gone;
	ST_OK(gx_table_bookmark(flat, t, 5, &bf[0]));  /* s01, mid 5 */
	ST_OK(gx_table_bookmark(flat, t, 20, &bf[1])); /* the end */
	ST_OK(gx_table_bookmark(flat, t, 10, &bf[2])); /* s02, mid 10 */
	ST_OK(gx_table_bookmark(tree, t, 7, &bt[0]));  /* header s00, 0..3, header s01, 4, 5: mid 5 */
	ST_OK(gx_table_bookmark(tree, t, 5, &bt[1]));  /* header s01 */
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	insert_subject(t, GX_FID_INBOX, "s00", 100);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid[10], 1, true));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	ST_OK(gx_table_bookmark_pos(flat, t, bf[0], &pos, &gone));
	ck_assert(pos == 6 && !gone);
	ST_OK(gx_table_bookmark_pos(flat, t, bf[1], &pos, &gone));
	ck_assert(pos == 20 && !gone);
	ST_OK(gx_table_bookmark_pos(flat, t, bf[2], &pos, &gone));
	ck_assert(pos == 11 && gone); /* the row after it: mid 11 */
	uint64_t id;
	uint32_t inst;
	uint8_t type;
	ST_OK(gx_table_mark(flat, t, pos, &id, &inst, &type));
	ck_assert_uint_eq(id, mid[11]);
	ST_OK(gx_table_bookmark_pos(tree, t, bt[0], &pos, &gone));
	ck_assert(pos == 8 && !gone);
	ST_OK(gx_table_bookmark_pos(tree, t, bt[1], &pos, &gone));
	ck_assert(pos == 6 && !gone);
	/* Its group is closed: the next row is the next header. */
	uint32_t n;
	ST_OK(gx_table_mark(tree, t, 6, &id, &inst, &type));
	ST_OK(gx_table_collapse(tree, t, id, &pos, &n));
	ck_assert_uint_eq(n, 4);
	ST_OK(gx_table_bookmark_pos(tree, t, bt[0], &pos, &gone));
	ck_assert(pos == 7 && gone);
	ST_OK(gx_table_bookmark_free(flat, bf[0]));
	ST_IS(gx_table_bookmark_pos(flat, t, bf[0], &pos, &gone), ecInvalidBookmark);
	ST_OK(gx_table_reload(tree, t));
	ST_IS(gx_table_bookmark_pos(tree, t, bt[0], &pos, &gone), ecInvalidBookmark);
	ck_assert_uint_eq(count(tree, t), 25); /* all groups open again */
	gx_txn_abort(t);
	gx_table_close(flat);
	gx_table_close(tree);
}
END_TEST

/* ---- Kept states ---- */

START_TEST(kept_states)
{
	const struct gx_sort by_subject[] = {{PidTagSubject, 0}, {PidTagMessageDeliveryTime, 0}};
	struct gx_sortset g = {by_subject, 2, 1, 0}, flat = {by_subject, 2, 0, 0};
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 30; i++)
		insert_subject(t, GX_FID_INBOX, gx_arena_printf(w.a, "s%u", i % 3), i);
	st_commit(t);
	o.sort = &g;
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table *tb = contents(t, o);
	uint64_t id, header;
	uint32_t inst, pos, n, leaf, on_header;
	uint8_t type;
	ck_assert_uint_eq(count(tb, t), 3);
	ST_OK(gx_table_mark(tb, t, 1, &header, &inst, &type));
	ck_assert_int_eq(type, GX_ROW_COLLAPSED);
	ST_OK(gx_table_expand(tb, t, header, &pos, &n));
	ck_assert(pos == 1 && n == 10);
	ST_OK(gx_table_mark(tb, t, 4, &id, &inst, &type));
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_table_save_state(tb, t, id, inst, &leaf));
	ST_OK(gx_table_save_state(tb, t, header, 0, &on_header));
	st_commit(t);
	gx_table_close(tb);
	gx_store_close(w.s);
	w.s = st_open(w.dir);
	t = st_begin(w.s, GX_TXN_READ);
	tb = contents(t, o);
	ck_assert_uint_eq(count(tb, t), 3);
	ST_OK(gx_table_restore_state(tb, t, leaf, &pos));
	ck_assert_uint_eq(pos, 4);
	ck_assert_uint_eq(count(tb, t), 13);
	ST_OK(gx_table_restore_state(tb, t, on_header, &pos));
	ck_assert_uint_eq(pos, 1);
	ST_IS(gx_table_restore_state(tb, t, 4711, &pos), ecNotFound);
	ST_IS(gx_table_save_state(tb, t, header, 0, &leaf),
		ecInvalidParam); /* nothing is written in a read transaction */
	gx_table_close(tb);
	o.sort = &flat;
	tb = contents(t, o);
	ST_IS(gx_table_restore_state(tb, t, on_header, &pos), ecInvalidParam);
	gx_table_close(tb);
	tb = contents(t, opts(GX_FID_DRAFTS, 0));
	ST_IS(gx_table_restore_state(tb, t, on_header, &pos), ecNotFound); /* of another folder */
	gx_table_close(tb);
	gx_txn_abort(t);
	t = st_begin(w.s, GX_TXN_WRITE);
	tb = contents(t, opts(GX_FID_DRAFTS, 0));
	for (unsigned i = 0; i < 300; i++)
		ST_OK(gx_table_save_state(tb, t, 0, 0, &leaf));
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM tstate");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 256);
	gx_sql__done(st);
	st = NULL;
	gx_table_close(tb);
	st_commit(t);
}
END_TEST

START_TEST(states_go_with_their_folder)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t a = new_folder(t, GX_FID_DRAFTS, "a"), b = new_folder(t, GX_FID_DRAFTS, "b");
	struct gx_table *in_a = contents(t, opts(a, 0)), *in_b = contents(t, opts(b, 0));
	uint32_t state, pos;
	ST_OK(gx_table_save_state(in_a, t, 0, 0, &state));
	ST_OK(gx_table_save_state(in_b, t, 0, 0, &state));
	gx_table_close(in_a);
	ST_OK(gx_folder_delete(t, a, true));
	st_commit(t);
	st_verify(w.s);
	t = st_begin(w.s, GX_TXN_READ);
	ST_OK(gx_table_restore_state(in_b, t, state, &pos));
	gx_txn_abort(t);
	gx_table_close(in_b);
}
END_TEST

/* ---- Fixed rows ---- */

static int who(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_id, void *ctx)
{
	(void)ctx;
	if (strcmp(address, "b@example.org") != 0)
		return GX_E_NOTFOUND;
	*ret_name = "Mr B";
	return gx_entryid_addressbook(a, 0, "/o=x/cn=b", ret_id);
}

START_TEST(permissions)
{
	const gx_proptag_t cols[] = {PidTagMemberId, PidTagMemberName, PidTagMemberRights, PidTagEntryId};
	struct gx_table_opts o = opts(GX_FID_CALENDAR, 0);
	struct gx_table *tb;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(
		t, GX_FID_CALENDAR, "b@example.org", GX_RIGHT_READ | GX_RIGHT_FB_DETAILED, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_CALENDAR, "c@example.org", GX_RIGHT_CREATE, false));
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	o.person = who;
	ST_OK(gx_table_open_permissions(t, &o, &tb));
	size_t n;
	struct gx_table_row *r = rows(tb, t, cols, 4, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(r[0].v[0].v.i64 == 0 && *r[0].v[1].v.str == '\0' && r[0].v[3].v.bin.len == 0);
	ck_assert(r[1].v[0].v.i64 == -1 && strcmp(r[1].v[1].v.str, "Anonymous") == 0);
	ck_assert_str_eq(r[2].v[1].v.str, "Mr B");
	ck_assert_int_eq(r[2].v[2].v.i32, GX_RIGHT_READ);
	ck_assert_str_eq(r[3].v[1].v.str, "c@example.org");
	ck_assert_uint_gt(r[3].v[3].v.bin.len, 20);
	gx_table_close(tb);
	o.flags = GX_TABLE_FREEBUSY;
	ST_OK(gx_table_open_permissions(t, &o, &tb));
	r = rows(tb, t, cols, 4, &n);
	ck_assert_int_eq(r[2].v[2].v.i32, GX_RIGHT_READ | GX_RIGHT_FB_DETAILED);
	uint32_t pos;
	uint8_t type;
	ST_OK(gx_table_locate(tb, t, r[2].id, 0, &pos, &type));
	ck_assert_uint_eq(pos, 2);
	ST_IS(gx_table_watch(tb, NULL, NULL), ecNotSupported);
	gx_table_close(tb);
	gx_txn_abort(t);
}
END_TEST

START_TEST(rules)
{
	const gx_proptag_t cols[] = {
		PidTagRuleId, PidTagRuleName, PidTagRuleSequence, PidTagRuleCondition, PidTagRuleActions};
	struct gx_restr cond = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	char *name = gx_arena_alloc(w.a, 401);
	uint8_t act[600] = {1, 0, 11, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0};
	memset(name, 'n', 400);
	name[400] = '\0';
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagRuleName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagRuleProvider, "test"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, w.a, PidTagRuleSequence, 7), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, w.a, PidTagRuleState, 1), 0);
	ck_assert_int_eq(gx_proplist_set(&l, w.a, PidTagRuleCondition, (union gx_value){.restr = &cond}), 0);
	ck_assert_int_eq(gx_proplist_set(&l, w.a, PidTagRuleActions, (union gx_value){.bin = {act, 600}}), 0);
	struct gx_rule_change c = {GX_RULE_ADD, &l};
	bool exceeded;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	gx_ec ec = gx_rules_modify(t, GX_FID_INBOX, &c, 1, false, &exceeded);
	ST_OK(ec);
	st_commit(t);
	t = st_begin(w.s, GX_TXN_READ);
	struct gx_table_opts o = opts(GX_FID_INBOX, 0);
	struct gx_table *tb;
	ST_OK(gx_table_open_rules(t, &o, &tb));
	size_t n;
	struct gx_table_row *r = rows(tb, t, cols, 5, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(strlen(r[0].v[1].v.str), 400); /* rules are not cut */
	ck_assert_int_eq(r[0].v[2].v.i32, 7);
	ck_assert_int_eq(gx_restr_cmp(r[0].v[3].v.restr, &cond), 0);
	ck_assert_uint_eq(r[0].v[4].v.bin.len, 600);
	gx_table_close(tb);
	struct gx_restr other = {
		.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagRuleSequence, {PidTagRuleSequence, {.i32 = 8}}}};
	o.restr = &other;
	ST_OK(gx_table_open_rules(t, &o, &tb));
	ck_assert_uint_eq(count(tb, t), 0);
	gx_table_close(tb);
	gx_txn_abort(t);
}
END_TEST

static int bring(struct gx_table *tb, struct gx_txn *t, void *ctx)
{
	unsigned *calls = ctx;
	(void)t;
	for (unsigned i = 0; i < 3; i++) {
		struct gx_proplist l = {0};
		int err = gx_proplist_set_i32(&l, w.a, PidTagAttachNumber, (int32_t)(i + 10 * *calls));
		if (err == 0)
			err = gx_table_add_row(tb, i, &l);
		if (err != 0)
			return err;
	}
	++*calls;
	return 0;
}

START_TEST(rows_of_others)
{
	const gx_proptag_t cols[] = {PidTagAttachNumber};
	unsigned calls = 0;
	struct gx_restr r = {
		.type = RES_PROPERTY, .u.prop = {RELOP_NE, PidTagAttachNumber, {PidTagAttachNumber, {.i32 = 1}}}};
	struct gx_table_opts o = opts(0, 0);
	struct gx_table *tb;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	o.restr = &r;
	ST_OK(gx_table_open_rows(t, &o, bring, &calls, &tb));
	size_t n;
	struct gx_table_row *v = rows(tb, t, cols, 1, &n);
	ck_assert(n == 2 && v[1].v[0].v.i32 == 2);
	ST_OK(gx_table_reload(tb, t));
	v = rows(tb, t, cols, 1, &n);
	ck_assert(n == 3 && v[1].v[0].v.i32 == 11);
	uint32_t pos;
	struct gx_restr q = {
		.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAttachNumber, {PidTagAttachNumber, {.i32 = 12}}}};
	ST_OK(gx_table_find(tb, t, 0, true, &q, &pos));
	ck_assert_uint_eq(pos, 2);
	ST_IS(gx_table_find(tb, t, 1, false, &q, &pos), ecNotFound);
	gx_table_close(tb);
	gx_txn_abort(t);
}
END_TEST

static uint64_t version_of(void *ctx)
{
	const unsigned *calls = ctx;
	return calls[1];
}

START_TEST(rows_of_others_that_change)
{
	const gx_proptag_t cols[] = {PidTagAttachNumber};
	unsigned calls[2] = {0, 1};
	struct gx_table_opts o = opts(0, 0);
	struct gx_table *tb;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	size_t n;
	o.version = version_of;
	ST_OK(gx_table_open_rows(t, &o, bring, calls, &tb));
	struct gx_table_row *v = rows(tb, t, cols, 1, &n);
	ck_assert(n == 3 && v[1].v[0].v.i32 == 1 && calls[0] == 1);
	calls[1] = 2;
	v = rows(tb, t, cols, 1, &n);
	ck_assert(n == 3 && v[1].v[0].v.i32 == 11);
	ck_assert_uint_eq(count(tb, t), 3);
	ck_assert_uint_eq(calls[0], 2);
	gx_table_close(tb);
	gx_txn_abort(t);
}
END_TEST

/* ---- Sorting ---- */

static struct gx_fs narrow;
static unsigned writes_left;

static ssize_t write_a_few(const struct gx_fs *fs, int fd, const void *p, size_t n, off_t off)
{
	(void)fs;
	if (writes_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	writes_left--;
	return pwrite(fd, p, n, off);
}

struct sorted {
	struct gx_push last;
	uint64_t n, sum;
};

static int take_sorted(struct gx_bin key, uint64_t entry, void *ctx)
{
	struct sorted *x = ctx;
	uint32_t from_key;
	ck_assert_int_lt(gx_order__cmp((struct gx_bin){x->last.data, x->last.len}, key), 0);
	ck_assert_uint_ge(key.len, sizeof(from_key));
	memcpy(&from_key, key.data + key.len - sizeof(from_key), sizeof(from_key));
	ck_assert_uint_eq(from_key, entry);
	gx_push_clear(&x->last);
	gx_push_bytes(&x->last, key.data, key.len);
	x->n++;
	x->sum += entry;
	return 0;
}

static void sort_keys(uint32_t n, size_t batch, bool stuck)
{
	static uint8_t key[30000];
	struct gx_sorter s;
	struct sorted x = {.last = GX_PUSH_INIT};
	gx_sorter__init(&s, &narrow, w.dir, batch);
	for (uint32_t i = 0; i < n; i++) {
		size_t len = random() % 500 == 0 ? 20000 + (size_t)random() % 9000 : (size_t)random() % 40;
		memset(key, "abc"[random() % 3], len);
		memcpy(key + len, &i, sizeof(i)); /* none is there twice */
		ck_assert_int_eq(gx_sorter__add(&s, (struct gx_bin){key, len + sizeof(i)}, i), 0);
	}
	ck_assert_uint_eq(s.total, n);
	ck_assert_uint_eq(s.stuck, stuck);
	ck_assert_int_eq(gx_sorter__each(&s, take_sorted, &x), 0);
	ck_assert_uint_eq(x.n, n);
	ck_assert_uint_eq(x.sum, (uint64_t)n * (n - 1) / 2);
	gx_sorter__release(&s);
	gx_push_release(&x.last);
}

/* In memory, in runs of a file, and what has no place there. */
START_TEST(keys_are_sorted)
{
	narrow = gx_fs__system;
	narrow.pwrite = write_a_few;
	srandom(11);
	writes_left = UINT_MAX;
	sort_keys(1, 0, false);
	sort_keys(3000, 0, false);
	sort_keys(3000, 1, false); /* each a run */
	sort_keys(20000, 8000, false);
	writes_left = 0;
	sort_keys(3000, 8000, true);
	writes_left = 10;
	sort_keys(6000, 30000, true);
	struct gx_sorter s;
	gx_sorter__init(&s, &gx_fs__system, w.dir, 0);
	ck_assert_int_eq(gx_sorter__each(&s, take_sorted, NULL), 0);
	gx_sorter__release(&s);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tablespec");
	TCase *c = tcase_create("cases");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, folders_by_name);
	tcase_add_test(c, folders_restricted);
	tcase_add_test(c, rights);
	tcase_add_test(c, bad_parameters);
	tcase_add_test(c, long_values_are_cut);
	tcase_add_test(c, a_part_of_the_way);
	tcase_add_test(c, first_rows_only);
	tcase_add_test(c, deleted_messages);
	tcase_add_test(c, conversations);
	tcase_add_test(c, restricted_by_words);
	tcase_add_test(c, bookmarks);
	tcase_add_test(c, kept_states);
	tcase_add_test(c, states_go_with_their_folder);
	tcase_add_test(c, permissions);
	tcase_add_test(c, rules);
	tcase_add_test(c, rows_of_others);
	tcase_add_test(c, rows_of_others_that_change);
	tcase_add_test(c, keys_are_sorted);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
