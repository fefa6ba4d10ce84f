/* SPDX-License-Identifier: Apache-2.0 */
/* Messages edited in memory: properties, recipients, attachments, what saving makes of them. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/instance/insttest.h"

START_TEST(new_messages_have_what_the_specification_says)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_inst_info info;
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags), 0x409); /* [MS-OXCMSG] 3.2.5.2 */
	ck_assert_int_eq(it_i32(t, i, PidTagImportance), 1);
	ck_assert_int_eq(it_i32(t, i, PidTagTrustSender), 1);
	ck_assert_int_eq(it_i32(t, i, PidTagAccessLevel), 1);
	ck_assert_str_eq(it_str(t, i, PidTagMessageClass), "IPM.Note");
	ck_assert_str_eq(it_str(t, i, PidTagDisplayTo), "");
	ck_assert(!it_get(t, i, PidTagHasAttachments)->v.b);
	ck_assert_uint_eq(it_get(t, i, PidTagSearchKey)->v.bin.len, 16);
	ck_assert_ptr_null(it_get(t, i, PidTagMid));
	ck_assert_ptr_null(it_get(t, i, PidTagEntryId));
	gx_inst_info(i, &info);
	ck_assert(info.is_new && info.writable && info.mid == 0 && info.fid == GX_FID_DRAFTS);
	it_set_str(i, PidTagSubject, "AW: lunch");
	struct gx_save_result r = it_save(t, i);
	ck_assert(r.mid != 0 && r.cn != 0 && r.uid == 1);
	gx_inst_info(i, &info);
	ck_assert(!info.is_new && !info.changed && info.mid == r.mid && info.cn == r.cn);
	struct gx_msg_info m = it_info(t, r.mid);
	ck_assert_uint_eq(m.flags, GX_MSGF_READ | GX_MSGF_UNSENT | GX_MSGF_DRAFT);
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags), 0x40b);
	ck_assert_str_eq(it_str(t, i, PidTagConversationTopic), "lunch");
	ck_assert_int_eq(it_get(t, i, PidTagMid)->v.i64, (int64_t)r.mid);
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(subjects_and_their_parts)
{
	static const struct {
		gx_proptag_t tag;
		const char *v, *whole, *prefix, *rest;
	} steps[] = {
		{PidTagSubject, "RE: a", "RE: a", "RE: ", "a"}, {PidTagNormalizedSubject, "b", "RE: b", "RE: ", "b"},
		{PidTagSubjectPrefix, "FW: ", "FW: b", "FW: ", "b"}, {PidTagSubject, "c", "c", "", "c"},
		{PidTagSubjectPrefix, "X: ", "X: c", "X: ", "c"}, {PidTagSubject, "12: d", "12: d", "", "12: d"},
		{PidTagSubject, "Re: Re: e", "Re: Re: e", "Re: ", "Re: e"}, {PidTagSubject, "", "", "", ""},
		{PidTagNormalizedSubject, "only", "only", "", "only"}, {PidTagSubject, "Re:", "Re:", "", "Re:"},
	};
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	const gx_proptag_t tag = PidTagSubject;
	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		it_set_str(i, steps[k].tag, steps[k].v);
		ck_assert_str_eq(it_str(t, i, PidTagSubject), steps[k].whole);
		ck_assert_str_eq(it_str(t, i, PidTagSubjectPrefix), steps[k].prefix);
		ck_assert_str_eq(it_str(t, i, PidTagNormalizedSubject), steps[k].rest);
	}
	ST_OK(gx_inst_remove_props(i, &tag, 1, 0, it_a, NULL));
	ck_assert_ptr_null(it_get(t, i, PidTagSubject));
	ck_assert_ptr_null(it_get(t, i, PidTagNormalizedSubject));
	gx_inst_free(i);
	gx_txn_abort(t);
}
END_TEST

START_TEST(what_cannot_be_set)
{
	static const gx_proptag_t computed[] = {PidTagMessageSize, PidTagHasAttachments, PidTagDisplayTo, PidTagEntryId, PidTagChangeKey,
		PidTagPredecessorChangeList, PidTagMid, PidTagFolderId, PidTagAccess, PidTagLastModificationTime, PidTagSourceKey,
		PidTagObjectType, PidTagChangeNumber};
	static const union gx_value zero;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x;
	uint32_t num;
	for (size_t k = 0; k < sizeof(computed) / sizeof(computed[0]); k++)
		ck_assert_uint_eq(it_problem(i, computed[k], zero, 0), ecComputedValue);
	ck_assert_uint_eq(it_problem(i, PidTagMessageFlags, (union gx_value){.i32 = 1}, 0), ecSuccess);
	ck_assert_uint_eq(it_problem(i, PidTagSubject & 0xffff0003, zero, 0), ecUnexpectedType);
	ck_assert_uint_eq(it_problem(i, 0x66660001, zero, 0), ecInvalidType);
	ck_assert_uint_eq(it_problem(i, 0x6666000a, zero, 0), ecInvalidType);
	ck_assert_uint_eq(it_problem(i, 0x66665555, zero, 0), ecInvalidType);
	it_save(t, i);
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags), 0x403); /* read, no draft any more */
	ck_assert_uint_eq(it_problem(i, PidTagMessageFlags, (union gx_value){.i32 = 8}, 0), ecAccessDenied);
	ck_assert_uint_eq(it_problem(i, PidTagRead, zero, 0), ecAccessDenied);
	ST_OK(gx_inst_att_new(t, i, &num, &x));
	ck_assert_uint_eq(it_problem(x, PidTagAttachSize, zero, 0), ecComputedValue);
	ck_assert_uint_eq(it_problem(x, PidTagAttachNumber, zero, 0), ecComputedValue);
	gx_inst_free(x);
	/* Who speaks for the server is not told. */
	ck_assert_uint_eq(it_problem(i, PidTagMessageSize, zero, GX_SET_TRUSTED), ecSuccess);
	/* A list keeps what can be kept. */
	struct gx_proplist l = {0};
	struct gx_problems p;
	ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagSubject, "yes"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagAccess, 7), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagImportance, 2), 0);
	ST_OK(gx_inst_set_props(i, &l, 0, it_a, &p));
	ck_assert_uint_eq(p.count, 1);
	ck_assert_uint_eq(p.v[0].index, 1);
	ck_assert_int_eq(it_i32(t, i, PidTagImportance), 2);
	static const gx_proptag_t away[] = {PidTagImportance, PidTagAccess, PidTagMessageFlags, PidTagComment};
	ST_OK(gx_inst_remove_props(i, away, 4, 0, it_a, &p));
	ck_assert_uint_eq(p.count, 2);
	ck_assert_uint_eq(p.v[0].err, ecComputedValue);
	ck_assert_uint_eq(p.v[1].index, 2);
	ck_assert_uint_eq(p.v[1].err, ecAccessDenied);
	ck_assert_ptr_null(it_get(t, i, PidTagImportance));
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(recipients_by_row)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_proplist *v;
	gx_proptag_t *tags;
	size_t n;
	it_rcpt(i, 5, "five", "5@example.org");
	it_rcpt(i, 1, "one", "1@example.org");
	it_rcpt(i, 3, "three", "3@example.org");
	it_rcpt(i, 3, "drei", "3@example.org");
	it_rcpt(i, 5, NULL, NULL);
	it_rcpt(i, 77, NULL, NULL); /* is not there */
	ST_OK(gx_inst_rcpt_count(i, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(it_str(t, i, PidTagDisplayTo), "one; drei");
	struct gx_save_result r = it_save(t, i);
	gx_inst_free(i);
	i = it_open(t, r.mid);
	ST_OK(gx_inst_rcpts(i, 2, 10, it_a, &v, &n)); /* numbers outlive the save */
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(gx_proplist_i32(&v[0], PidTagRowid, -1), 3);
	ck_assert_str_eq(gx_proplist_str(&v[0], PidTagDisplayName, ""), "drei");
	ST_OK(gx_inst_rcpts(i, 0, 1, it_a, &v, &n));
	ck_assert_uint_eq(n, 1);
	ST_OK(gx_inst_rcpt_tags(i, it_a, &tags, &n));
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(tags[0], PidTagRecipientType);
	/* Without a row of its own it comes behind the others. */
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagDisplayName, "last"), 0);
	ST_OK(gx_inst_set_rcpts(i, &l, 1));
	ST_OK(gx_inst_rcpts(i, 4, 10, it_a, &v, &n));
	ck_assert_int_eq(gx_proplist_i32(&v[0], PidTagRowid, -1), 4);
	struct gx_inst *other = it_new(t, GX_FID_DRAFTS);
	bool done;
	ST_OK(gx_inst_copy_rcpts(i, other, false, &done));
	ck_assert(done);
	ST_OK(gx_inst_clear_rcpts(i));
	ST_OK(gx_inst_copy_rcpts(other, i, false, &done));
	ck_assert(done);
	ST_OK(gx_inst_copy_rcpts(other, i, false, &done));
	ck_assert(!done);
	ST_OK(gx_inst_rcpt_count(i, &n));
	ck_assert_uint_eq(n, 3);
	it_save(t, i);
	gx_inst_free(i);
	gx_inst_free(other);
	ST_OK(gx_msg_rcpts(t, r.mid, it_a, &v, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(gx_proplist_str(&v[2], PidTagDisplayName, ""), "last");
	st_commit(t);
}
END_TEST

START_TEST(attachments_by_number)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x, *y;
	uint8_t *big = it_noise(700000, 1);
	struct gx_proplist *v;
	gx_proptag_t *tags;
	uint32_t num;
	size_t n;
	ck_assert_uint_eq(it_attach(t, i, "a.txt", "hello", 5), 0);
	ck_assert_uint_eq(it_attach(t, i, "b.bin", big, 700000), 1);
	ck_assert_uint_eq(it_attach(t, i, "c.txt", "third", 5), 2);
	ST_OK(gx_inst_att_new(t, i, &num, &x)); /* given up */
	ck_assert_uint_eq(num, 3);
	gx_inst_free(x);
	ST_OK(gx_inst_att_count(t, i, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert(it_get(t, i, PidTagHasAttachments)->v.b);
	struct gx_save_result r = it_save(t, i);
	ck_assert_uint_eq(it_attach(t, i, "d.txt", "fourth", 6), 4); /* numbers do not come back */
	ST_OK(gx_inst_att_delete(t, i, 0));
	ST_IS(gx_inst_att_delete(t, i, 0), ecNotFound);
	ST_IS(gx_inst_att_open(t, i, 0, GX_INST_READ, &x), ecNotFound);
	it_save(t, i);
	gx_inst_free(i);
	ck_assert(it_info(t, r.mid).flags & GX_MSGF_HASATTACH);
	i = it_open(t, r.mid);
	static const gx_proptag_t cols[] = {PidTagAttachNumber, PidTagAttachLongFilename, PidTagAttachDataBinary, PidTagAttachSize};
	ST_OK(gx_inst_att_rows(t, i, cols, 4, 0, 10, it_a, &v, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(gx_proplist_i32(&v[0], PidTagAttachNumber, -1), 1);
	ck_assert_ptr_null(gx_proplist_get(&v[0], PidTagAttachDataBinary)); /* too large for a row */
	ck_assert_int_gt(gx_proplist_i32(&v[0], PidTagAttachSize, 0), 700000);
	ck_assert_uint_eq(gx_proplist_get(&v[1], PidTagAttachDataBinary)->v.bin.len, 5);
	ST_OK(gx_inst_att_rows(t, i, cols, 2, 1, -5, it_a, &v, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(gx_proplist_i32(&v[0], PidTagAttachNumber, -1), 2);
	ck_assert_int_eq(gx_proplist_i32(&v[1], PidTagAttachNumber, -1), 1);
	ST_OK(gx_inst_att_rows(t, i, cols, 2, 7, 3, it_a, &v, &n));
	ck_assert_uint_eq(n, 0);
	ST_OK(gx_inst_att_tags(t, i, it_a, &tags, &n));
	ck_assert_uint_gt(n, 6);
	ck_assert_mem_eq(it_att_data(t, i, 1).data, big, 700000);
	/* Two at once, each a copy of its own. */
	ST_OK(gx_inst_att_open(t, i, 2, GX_INST_WRITE, &x));
	ST_OK(gx_inst_att_open(t, i, 2, GX_INST_READ, &y));
	it_set_str(x, PidTagAttachLongFilename, "new.txt");
	ck_assert_str_eq(it_str(t, y, PidTagAttachLongFilename), "c.txt");
	struct gx_proplist none = {0};
	ST_IS(gx_inst_set_props(y, &none, 0, it_a, NULL), ecAccessDenied);
	ck_assert(gx_inst_contains(i, x) && !gx_inst_contains(x, i) && !gx_inst_contains(x, y));
	gx_inst_free(i); /* who is opened from it keeps it */
	ST_OK(gx_inst_save(t, x, 0, NULL));
	gx_inst_free(x);
	gx_inst_free(y);
	i = it_open(t, r.mid);
	ST_OK(gx_inst_clear_atts(t, i));
	ck_assert(!it_get(t, i, PidTagHasAttachments)->v.b);
	it_save(t, i);
	gx_inst_free(i);
	ck_assert(!(it_info(t, r.mid).flags & GX_MSGF_HASATTACH));
	ck_assert_int_eq(it_count(t, "SELECT COUNT(*) FROM content"), 0);
	st_commit(t);
}
END_TEST

/* A message in an attachment of a message in ..., the innermost has text. */
static void nest(struct gx_txn *t, struct gx_inst *m, unsigned depth)
{
	struct gx_inst *x, *e;
	uint32_t num;
	it_set_str(m, PidTagSubject, gx_arena_printf(it_a, "level %u", depth));
	if (depth == 3) {
		it_attach(t, m, "deep.bin", it_noise(50000, 9), 50000);
		return;
	}
	ST_OK(gx_inst_att_new(t, m, &num, &x));
	ST_IS(gx_inst_embedded_open(t, x, false, GX_INST_READ, &e), ecNotFound);
	ST_OK(gx_inst_embedded_open(t, x, true, GX_INST_WRITE, &e));
	nest(t, e, depth + 1);
	ST_OK(gx_inst_save(t, e, 0, NULL));
	gx_inst_free(e);
	ST_OK(gx_inst_save(t, x, 0, NULL));
	gx_inst_free(x);
}

static struct gx_inst *descend(struct gx_txn *t, struct gx_inst *m, unsigned levels, struct gx_inst *chain[])
{
	for (unsigned k = 0; k < levels; k++) {
		ST_OK(gx_inst_att_open(t, m, 0, GX_INST_WRITE, &chain[2 * k]));
		ST_OK(gx_inst_embedded_open(t, chain[2 * k], false, GX_INST_WRITE, &chain[2 * k + 1]));
		m = chain[2 * k + 1];
	}
	return m;
}

START_TEST(messages_three_deep)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *chain[6], *deep;
	struct gx_inst_info info;
	nest(t, i, 0);
	struct gx_save_result r = it_save(t, i);
	gx_inst_free(i);
	st_commit(t);
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_READ);
	i = it_open(t, r.mid);
	deep = descend(t, i, 3, chain);
	ck_assert_str_eq(it_str(t, deep, PidTagSubject), "level 3");
	ck_assert_mem_eq(it_att_data(t, deep, 0).data, it_noise(50000, 9), 50000);
	gx_inst_info(deep, &info);
	ck_assert(info.kind == GX_INST_EMBEDDED && info.mid == r.mid && info.cn != 0);
	gx_txn_abort(t);
	/* Changed in the middle, saved upwards step by step: nothing is stored before the last. */
	t = st_begin(it_s, GX_TXN_WRITE);
	it_set_str(chain[3], PidTagSubject, "changed");
	for (int k = 3; k >= 0; k--) {
		struct gx_inst *fresh = it_open(t, r.mid), *other[4];
		ck_assert_str_eq(it_str(t, descend(t, fresh, 2, other), PidTagSubject), "level 2");
		for (int j = 3; j >= 0; j--)
			gx_inst_free(other[j]);
		gx_inst_free(fresh);
		ST_OK(gx_inst_save(t, chain[k], 0, NULL));
	}
	it_save(t, i);
	for (int k = 5; k >= 0; k--)
		gx_inst_free(chain[k]);
	gx_inst_free(i);
	i = it_open(t, r.mid);
	ck_assert_str_eq(it_str(t, descend(t, i, 2, chain), PidTagSubject), "changed");
	ck_assert_mem_eq(it_att_data(t, descend(t, chain[3], 1, chain + 4), 0).data, it_noise(50000, 9), 50000);
	for (int k = 5; k >= 0; k--)
		gx_inst_free(chain[k]);
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(nesting_has_an_end)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *chain[2 * GX_INST_DEPTH_MAX + 2], *m = i;
	unsigned n = 0;
	uint32_t num;
	for (; n < GX_INST_DEPTH_MAX; n++) {
		ST_OK(gx_inst_att_new(t, m, &num, &chain[2 * n]));
		ST_OK(gx_inst_embedded_open(t, chain[2 * n], true, GX_INST_WRITE, &chain[2 * n + 1]));
		m = chain[2 * n + 1];
	}
	ST_OK(gx_inst_att_new(t, m, &num, &chain[2 * n]));
	ST_IS(gx_inst_embedded_open(t, chain[2 * n], true, GX_INST_WRITE, &m), ecTooComplex);
	for (unsigned k = 2 * n; k-- > 0;)
		ST_OK(gx_inst_save(t, chain[k], 0, NULL));
	struct gx_save_result r = it_save(t, i);
	/* The whole goes no deeper into another one. */
	struct gx_inst *other = it_new(t, GX_FID_DRAFTS), *x, *e;
	bool done;
	ST_OK(gx_inst_att_new(t, other, &num, &x));
	ST_OK(gx_inst_embedded_open(t, x, true, GX_INST_WRITE, &e));
	ST_IS(gx_inst_copy_atts(t, i, e, true, &done), ecTooComplex);
	ST_OK(gx_inst_copy_atts(t, i, other, true, &done));
	gx_inst_free(e);
	gx_inst_free(x);
	gx_inst_free(other);
	for (unsigned k = 2 * n + 1; k-- > 0;)
		gx_inst_free(chain[k]);
	gx_inst_free(i);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &r.mid, 1, true));
	st_commit(t);
}
END_TEST

START_TEST(the_second_to_save_is_told)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x, *y;
	struct gx_save_result r = it_save(t, i), r2;
	gx_inst_free(i);
	st_commit(t);
	t = st_begin(it_s, GX_TXN_READ);
	x = it_open(t, r.mid);
	y = it_open(t, r.mid);
	gx_txn_abort(t);
	it_set_str(x, PidTagSubject, "x");
	it_set_str(y, PidTagComment, "y");
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, r.mid, GX_RF_CLEAR_READ, NULL)); /* no version of the message */
	r2 = it_save(t, x);
	ck_assert_uint_gt(r2.cn, r.cn);
	ST_IS(gx_inst_save(t, y, 0, NULL), ecObjectModified);
	ck_assert(*gx_txn_why(t) != '\0');
	ck_assert_ptr_null(it_get(t, y, PidTagSubject));
	ST_OK(gx_inst_save(t, y, GX_SAVE_FORCE, &r2));
	ST_IS(gx_inst_save(t, x, 0, NULL), ecObjectModified);
	ST_OK(gx_inst_reload(t, x));
	ck_assert_ptr_null(it_get(t, x, PidTagSubject)); /* the last one said it all */
	ck_assert_str_eq(it_str(t, x, PidTagComment), "y");
	ck_assert_int_eq(it_i32(t, x, PidTagMessageFlags) & MSGFLAG_READ, 0); /* nobody had touched it */
	ST_OK(gx_inst_save(t, x, 0, &r)); /* nothing to save, and no new version */
	ck_assert_uint_eq(r.cn, r2.cn);
	st_commit(t);
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &r.mid, 1, false));
	st_commit(t);
	it_set_str(x, PidTagComment, "z");
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_IS(gx_inst_save(t, x, GX_SAVE_FORCE, NULL), ecObjectDeleted);
	ST_IS(gx_inst_reload(t, x), ecObjectDeleted);
	ST_IS(gx_inst_open(t, 0, r.mid, GX_INST_READ, &i), ecNotFound);
	ST_OK(gx_inst_open(t, 0, r.mid, GX_INST_WRITE | GX_INST_SOFTDELETED, &i));
	it_set_str(i, PidTagComment, "in the dumpster");
	it_save(t, i);
	gx_inst_free(i);
	gx_inst_free(x);
	gx_inst_free(y);
	st_commit(t);
}
END_TEST

START_TEST(rights_are_looked_at)
{
	const struct gx_actor bob = {.user = "bob@example.org"};
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE), *b;
	struct gx_inst *i = it_new(t, GX_FID_INBOX), *x;
	struct gx_inst_info info;
	struct gx_save_result r = it_save(t, i), mine;
	gx_inst_free(i);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHT_READ | GX_RIGHT_CREATE | GX_RIGHT_EDIT_OWN, false));
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(it_s, &bob, GX_TXN_WRITE, 1000, &b), 0);
	ST_IS(gx_inst_open(b, 0, r.mid, GX_INST_WRITE, &i), ecAccessDenied);
	ST_OK(gx_inst_open(b, GX_FID_INBOX, r.mid, GX_INST_BEST, &i));
	gx_inst_info(i, &info);
	ck_assert(!info.writable);
	ST_IS(gx_inst_save(b, i, 0, NULL), ecAccessDenied);
	gx_inst_free(i);
	ST_IS(gx_inst_open(b, GX_FID_DRAFTS, r.mid, GX_INST_READ, &i), ecNotFound);
	ST_IS(gx_inst_new(b, GX_FID_DRAFTS, NULL, &i), ecAccessDenied);
	i = it_new(b, GX_FID_INBOX);
	ck_assert_str_eq(it_str(b, i, PidTagCreatorName), "bob@example.org");
	mine = it_save(b, i);
	gx_inst_free(i);
	x = it_open(b, mine.mid);
	it_set_str(x, PidTagSubject, "mine");
	it_save(b, x);
	gx_inst_free(x);
	st_commit(b);
}
END_TEST

/* ---- Versions ---- */

START_TEST(versions_of_others_are_taken)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	const struct gx_guid other = {0x11223344, 1, 2, {3}};
	struct gx_msgobj *m = gx_msgobj_new(it_a);
	struct gx_msg_ids ids, again;
	struct gx_bin key, pcl;
	struct gx_inst *i;
	int order;
	ck_assert_int_eq(gx_entryid_gid(it_a, &other, 9, &key), 0);
	ck_assert_int_eq(gx_pcl_add(it_a, (struct gx_bin){NULL, 0}, &other, 9, &pcl), 0);
	ck_assert_int_eq(gx_proplist_set_i64(&m->props, it_a, PidTagMid, 0x4444), 0);
	ck_assert_int_eq(gx_proplist_set_i64(&m->props, it_a, PidTagChangeNumber, 0x5555), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, it_a, PidTagChangeKey, key.data, key.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, it_a, PidTagPredecessorChangeList, pcl.data, pcl.len), 0);
	ck_assert_int_eq(gx_proplist_set_time(&m->props, it_a, PidTagLastModificationTime, 1234567), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, it_a, PidTagMessageFlags, MSGFLAG_READ | MSGFLAG_UNMODIFIED | MSGFLAG_FROMME), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, it_a, PidTagSubject, "import"), 0);
	ST_OK(gx_msg_write(t, GX_FID_INBOX, m, NULL, &ids));
	ck_assert_uint_eq(ids.mid, 0x4444);
	ck_assert_uint_eq(ids.cn, 0x5555);
	ck_assert_uint_ge(t->store_state->modseq, 0x5555);
	i = it_open(t, ids.mid);
	ck_assert_mem_eq(it_get(t, i, PidTagChangeKey)->v.bin.data, key.data, key.len);
	ck_assert_uint_eq(it_get(t, i, PidTagLastModificationTime)->v.time, 1234567);
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags), MSGFLAG_READ | MSGFLAG_EVERREAD | MSGFLAG_UNMODIFIED | MSGFLAG_FROMME);
	/* Changed here. */
	it_set_str(i, PidTagSubject, "changed");
	it_save(t, i);
	ck_assert_mem_ne(it_get(t, i, PidTagChangeKey)->v.bin.data, key.data, 16);
	ck_assert_int_eq(gx_pcl_cmp(it_a, pcl, it_get(t, i, PidTagPredecessorChangeList)->v.bin, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDED);
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags) & MSGFLAG_UNMODIFIED, 0);
	gx_inst_free(i);
	/* The same id again is the same message. */
	ck_assert_int_eq(gx_proplist_set_i64(&m->props, it_a, PidTagChangeNumber, 0x6666), 0);
	ST_OK(gx_msg_write(t, GX_FID_INBOX, m, NULL, &again));
	ck_assert(again.mid == ids.mid && again.cn == 0x6666);
	ST_IS(gx_msg_write(t, GX_FID_DRAFTS, m, NULL, &again), ecDuplicateObject);
	gx_proplist_remove(&m->props, PidTagMid);
	gx_proplist_remove(&m->props, PidTagChangeNumber);
	gx_proplist_remove(&m->props, PidTagChangeKey);
	ST_OK(gx_msg_write(t, GX_FID_DRAFTS, m, NULL, &again));
	ck_assert(again.mid != ids.mid && again.cn > 0x6666);
	st_commit(t);
}
END_TEST

/* ---- What was opened stays as it was ---- */

START_TEST(a_snapshot_outlives_its_message)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x, *y;
	uint8_t *small = it_noise(6000, 3), *big = it_noise(400000, 4);
	nest(t, i, 2);
	it_attach(t, i, "small", small, 6000);
	it_attach(t, i, "big", big, 400000);
	it_set_str(i, PidTagBody, (const char *)memset(gx_arena_calloc(it_a, 1, 60001), 'x', 60000));
	struct gx_save_result r = it_save(t, i);
	gx_inst_free(i);
	st_commit(t);
	t = st_begin(it_s, GX_TXN_READ);
	x = it_open(t, r.mid);
	y = it_open(t, r.mid);
	gx_txn_abort(t);
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_inst_clear_atts(t, y)); /* one saves, and takes everything away */
	it_set_str(y, PidTagBody, "short");
	it_save(t, y);
	st_commit(t);
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &r.mid, 1, true)); /* then it is deleted */
	st_commit(t);
	st_verify(it_s);
	ck_assert_int_eq(gx_store_sync(it_s), 0);
	t = st_begin(it_s, GX_TXN_READ);
	struct gx_inst *chain[2];
	ck_assert_mem_eq(it_att_data(t, x, 1).data, small, 6000);
	ck_assert_mem_eq(it_att_data(t, x, 2).data, big, 400000);
	ck_assert_uint_eq(strlen(it_str(t, x, PidTagBody)), 60000);
	ck_assert_str_eq(it_str(t, descend(t, x, 1, chain), PidTagSubject), "level 3");
	gx_inst_free(chain[1]);
	gx_inst_free(chain[0]);
	gx_txn_abort(t);
	/* Its parts go on in another message. */
	t = st_begin(it_s, GX_TXN_WRITE);
	bool done;
	i = it_new(t, GX_FID_INBOX);
	ST_OK(gx_inst_copy_atts(t, x, i, true, &done));
	r = it_save(t, i);
	gx_inst_free(i);
	gx_inst_free(x);
	gx_inst_free(y);
	st_commit(t);
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_READ);
	ck_assert_int_eq(it_count(t, "SELECT COUNT(*) FROM shared WHERE refs=0"), 0); /* swept with the commit */
	i = it_open(t, r.mid);
	ck_assert_mem_eq(it_att_data(t, i, 2).data, big, 400000);
	gx_inst_free(i);
	gx_txn_abort(t);
}
END_TEST

START_TEST(flags_of_others)
{
	const gx_proptag_t tag = PidTagMessageFlags;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	ST_IS(gx_inst_see_flags(t, i), ecInvalidParam);
	struct gx_save_result r = it_save(t, i);
	ST_OK(gx_msg_set_read(t, r.mid, GX_RF_CLEAR_READ, NULL));
	ST_OK(gx_inst_get_props(t, i, &tag, 1, 0, it_a, &l));
	ck_assert(l.v[0].v.i32 & 1); /* mfRead */
	ST_OK(gx_inst_see_flags(t, i));
	ST_OK(gx_inst_get_props(t, i, &tag, 1, 0, it_a, &l));
	ck_assert(!(l.v[0].v.i32 & 1));
	/* it is not in the way of saving, and saving does not undo it */
	it_set_str(i, PidTagSubject, "x");
	(void)it_save(t, i);
	ST_OK(gx_msg_set_read(t, r.mid, GX_RF_DEFAULT, NULL));
	it_set_str(i, PidTagSubject, "y");
	(void)it_save(t, i);
	struct gx_msg_info info;
	ST_OK(gx_msg_get(t, r.mid, &info));
	ck_assert(info.flags & GX_MSGF_READ);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &r.mid, 1, true));
	ST_IS(gx_inst_see_flags(t, i), ecObjectDeleted);
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(properties_copied)
{
	const gx_proptag_t some[] = {PidTagSubject, PidTagHtml, PidTagMessageSize, PidTagComment};
	struct gx_inst_copy_opts o = GX_INST_COPY_OPTS_INIT;
	struct gx_problems p;
	uint32_t num;
	struct gx_inst *x;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *k = it_new(t, GX_FID_DRAFTS);
	it_set_str(i, PidTagSubject, "FW: x");
	it_set_bin(i, PidTagHtml, it_noise(100000, 1), 100000);
	o.tags = some;
	o.n = 4;
	o.only = true;
	ST_OK(gx_inst_copy_props(t, i, k, &o, it_a, &p));
	ck_assert_uint_eq(p.count, 2);
	ck_assert(p.v[0].index == 2 && p.v[0].err == ecComputedValue && p.v[1].index == 3 && p.v[1].err == ecNotFound);
	ck_assert_str_eq(it_str(t, k, PidTagNormalizedSubject), "x");
	struct gx_save_result r = it_save(t, k);
	(void)it_save(t, i); /* each has its own reference */
	gx_inst_free(i);
	gx_inst_free(k);
	i = it_new(t, GX_FID_DRAFTS);
	k = it_open(t, r.mid);
	it_set_str(i, PidTagSubject, "stays");
	o = (struct gx_inst_copy_opts)GX_INST_COPY_OPTS_INIT;
	o.keep = o.move = true;
	ST_OK(gx_inst_copy_props(t, k, i, &o, it_a, &p));
	ck_assert_uint_eq(p.count, 0);
	ck_assert_str_eq(it_str(t, i, PidTagSubject), "stays");
	const gx_proptag_t html = PidTagHtml;
	struct gx_proplist l;
	ST_OK(gx_inst_get_props(t, i, &html, 1, 0, it_a, &l));
	ck_assert_mem_eq(l.v[0].v.bin.data, it_noise(100000, 1), 100000);
	ST_OK(gx_inst_get_props(t, k, &html, 1, 0, it_a, &l));
	ck_assert_uint_eq(l.count, 0);
	ST_OK(gx_inst_att_new(t, i, &num, &x));
	ST_IS(gx_inst_copy_props(t, k, x, &o, it_a, &p), ecInvalidObject);
	gx_inst_free(x);
	gx_inst_free(i);
	gx_inst_free(k);
	st_commit(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("instance");
	TCase *c = tcase_create("instance");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, it_setup, it_teardown);
	tcase_add_test(c, flags_of_others);
	tcase_add_test(c, properties_copied);
	tcase_add_test(c, new_messages_have_what_the_specification_says);
	tcase_add_test(c, subjects_and_their_parts);
	tcase_add_test(c, what_cannot_be_set);
	tcase_add_test(c, recipients_by_row);
	tcase_add_test(c, attachments_by_number);
	tcase_add_test(c, messages_three_deep);
	tcase_add_test(c, nesting_has_an_end);
	tcase_add_test(c, the_second_to_save_is_told);
	tcase_add_test(c, rights_are_looked_at);
	tcase_add_test(c, versions_of_others_are_taken);
	tcase_add_test(c, a_snapshot_outlives_its_message);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
