/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: written, read, changed, moved, gone; files beside them. */
#include <config.h>
#include <gx/idset.h>
#include "libgxstore/calls/scenario-int.h"

int32_t scene_count(struct scene *s, uint64_t fid, gx_proptag_t tag)
{
	struct gx_x_get_folder_properties_req q = {0, fid, &tag, 1};
	struct gx_x_get_folder_properties_ans ans;
	OK2(s, get_folder_properties, &q, &ans);
	return gx_proplist_i32(&ans.props, tag, -1);
}

uint64_t scene_make_message(struct scene *s, uint64_t fid, const char *subject)
{
	struct gx_propval v[] = {
		{PidTagMessageClass, {.str = "IPM.Note"}}, {PidTagSubject, {.str = subject}}, {PidTagBody, {.str = "text of it"}},
	};
	struct gx_propval to[] = {{PidTagRowid, {.i32 = 0}}, {PidTagSmtpAddress, {.str = "to@example.org"}}, {PidTagRecipientType, {.i32 = 1}}};
	struct gx_propval file[] = {
		{PidTagAttachMethod, {.i32 = 1}}, {PidTagAttachLongFilename, {.str = "a.txt"}},
		{PidTagAttachDataBinary, {.bin = {(const uint8_t *)"attached", 8}}},
	};
	struct gx_proplist rcpt = PROPS(to);
	struct gx_attach att = {.props = PROPS(file)};
	struct gx_x_write_message_req q = {.folder_id = fid, .digest = "",
		.content = {.props = PROPS(v), .rcpts = &rcpt, .rcpt_count = 1, .atts = &att, .att_count = 1}};
	struct gx_x_write_message_ans ans;
	OK2(s, write_message, &q, &ans);
	ck_assert_uint_eq(ans.ec, ecSuccess);
	ck_assert_uint_ne(ans.outmid, 0);
	ck_assert_uint_ne(ans.outcn, 0);
	return ans.outmid;
}

static struct gx_proplist props(struct scene *s, uint64_t mid, gx_proptag_t tag)
{
	struct gx_x_get_message_properties_req q = {.message_id = mid, .tags = &tag, .tags_count = 1};
	struct gx_x_get_message_properties_ans ans;
	OK2(s, get_message_properties, &q, &ans);
	return ans.props;
}

static bool present(struct scene *s, uint64_t fid, uint64_t mid)
{
	struct gx_x_is_msg_present_req q = {fid, mid};
	struct gx_x_is_msg_present_ans ans;
	OK2(s, is_msg_present, &q, &ans);
	return ans.exists;
}

static void read_back(struct scene *s, uint64_t mid)
{
	struct gx_x_read_message_req q = {.message_id = mid};
	struct gx_x_read_message_ans ans;
	OK2(s, read_message, &q, &ans);
	const struct gx_msgobj *m = ans.content;
	ck_assert_ptr_nonnull(m);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), "one");
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagBody, ""), "text of it");
	ck_assert_uint_eq(m->rcpt_count, 1);
	ck_assert_str_eq(gx_proplist_str(&m->rcpts[0], PidTagSmtpAddress, ""), "to@example.org");
	ck_assert_uint_eq(m->att_count, 1);
	struct gx_bin data = gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary)->v.bin;
	ck_assert_uint_eq(data.len, 8);
	ck_assert_mem_eq(data.data, "attached", 8);
	q.message_id = EID(0x999999);
	OK2(s, read_message, &q, &ans);
	ck_assert_ptr_null(ans.content);
	struct gx_x_get_message_brief_req bq = {.message_id = mid};
	struct gx_x_get_message_brief_ans brief;
	OK2(s, get_message_brief, &bq, &brief);
	ck_assert_str_eq(gx_proplist_str(&brief.content->props, PidTagSubject, ""), "one");
	ck_assert_ptr_null(gx_proplist_get(&brief.content->props, PidTagBody));
	ck_assert_ptr_null(gx_proplist_get(&brief.content->atts[0].props, PidTagAttachDataBinary));
	struct gx_x_get_message_rcpts_req rq = {mid};
	struct gx_x_get_message_rcpts_ans rcpts;
	OK2(s, get_message_rcpts, &rq, &rcpts);
	ck_assert_uint_eq(rcpts.rows_count, 1);
}

static void states(struct scene *s, uint64_t mid)
{
	struct gx_x_set_message_read_state_req rs = {.message_id = mid, .mark_as_read = 1};
	struct gx_x_set_message_read_state_ans cn;
	OK2(s, set_message_read_state, &rs, &cn);
	ck_assert_uint_ne(cn.read_cn, 0);
	struct gx_proplist l = props(s, mid, PidTagMessageFlags);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagMessageFlags, 0) & 1, 1);
	rs.mark_as_read = 0;
	OK2(s, set_message_read_state, &rs, &cn);
	l = props(s, mid, PidTagMessageFlags);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagMessageFlags, 0) & 1, 0);
	struct gx_x_mark_modified_req mod = {mid};
	OK_REQ(s, mark_modified, &mod);
	l = props(s, mid, PidTagMessageFlags);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagMessageFlags, 0) & 2, 0);
	struct gx_x_set_message_timer_req timer = {mid, 77};
	struct gx_x_get_message_timer_req tq = {mid};
	struct gx_x_get_message_timer_ans t;
	OK2(s, get_message_timer, &tq, &t);
	ck_assert_ptr_null(t.timer_id);
	OK_REQ(s, set_message_timer, &timer);
	OK2(s, get_message_timer, &tq, &t);
	ck_assert_uint_eq(*t.timer_id, 77);
	struct gx_x_try_mark_submit_req sub = {mid};
	struct gx_x_try_mark_submit_ans marked;
	OK2(s, try_mark_submit, &sub, &marked);
	ck_assert(marked.marked);
	OK2(s, try_mark_submit, &sub, &marked);
	ck_assert(!marked.marked);
	struct gx_x_clear_submit_req clear = {mid, true};
	OK_REQ(s, clear_submit, &clear);
	l = props(s, mid, PidTagMessageFlags);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagMessageFlags, 0) & 0xc, 8);
}

void scene_message(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS), mid = scene_make_message(s, drafts, "one");
	ck_assert(present(s, drafts, mid));
	ck_assert(!present(s, EID(GX_FID_INBOX), mid));
	read_back(s, mid);
	struct gx_propval v[] = {{PidTagSubject, {.str = "two"}}};
	struct gx_x_set_message_properties_req set = {.message_id = mid, .props = PROPS(v)};
	struct gx_x_set_message_properties_ans problems;
	OK2(s, set_message_properties, &set, &problems);
	struct gx_proplist l = props(s, mid, PidTagSubject);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "two");
	l = props(s, mid, PidTagFolderId);
	ck_assert_uint_eq((uint64_t)gx_proplist_get(&l, PidTagFolderId)->v.i64, drafts);
	states(s, mid);
	struct gx_x_allocate_message_id_req ask = {drafts};
	struct gx_x_allocate_message_id_ans id;
	OK2(s, allocate_message_id, &ask, &id);
	ck_assert(!present(s, drafts, id.message_id));
	/* under an id that was given out before, with a change number of the caller's */
	struct gx_x_allocate_cn_ans cn;
	OK_ANS(s, allocate_cn, &cn);
	struct gx_propval w[] = {
		{PidTagMid, {.i64 = (int64_t)id.message_id}}, {PidTagChangeNumber, {.i64 = (int64_t)cn.cn}}, {PidTagSubject, {.str = "given"}},
		{PidTagMessageClass, {.str = "IPM.Note"}},
	};
	struct gx_x_write_message_req put = {.folder_id = drafts, .digest = "", .content = {.props = PROPS(w)}};
	struct gx_x_write_message_ans got;
	OK2(s, write_message, &put, &got);
	ck_assert_uint_eq(got.ec, ecSuccess);
	ck_assert_uint_eq(got.outmid, id.message_id);
	ck_assert_uint_eq(got.outcn, cn.cn);
	ck_assert(present(s, drafts, id.message_id));
	/* again under that id: it is replaced */
	w[1].v.i64 = 0;
	w[2].v.str = "other";
	OK2(s, write_message, &put, &got);
	ck_assert_uint_eq(got.ec, ecSuccess);
	ck_assert_uint_eq(got.outmid, id.message_id);
	l = props(s, id.message_id, PidTagSubject);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "other");
	put.folder_id = EID(GX_FID_INBOX);
	OK2(s, write_message, &put, &got);
	ck_assert_uint_eq(got.ec, ecNotFound);
	put.folder_id = EID(0x999999);
	w[0].v.i64 = 0;
	w[1].v.i64 = 0;
	OK2(s, write_message, &put, &got);
	ck_assert_uint_eq(got.ec, ecNotFound);
}

void scene_transfer(struct scene *s)
{
	uint64_t inbox = EID(GX_FID_INBOX), junk = EID(GX_FID_JUNK), m[3];
	for (int i = 0; i < 3; ++i)
		m[i] = scene_make_message(s, inbox, "m");
	struct gx_x_movecopy_messages_req mv = {.src_fid = inbox, .dst_fid = junk, .copy = true, .message_ids = m, .message_ids_count = 3};
	struct gx_x_movecopy_messages_ans part;
	OK2(s, movecopy_messages, &mv, &part);
	ck_assert(!part.partial);
	ck_assert_int_eq(scene_count(s, inbox, PidTagContentCount), 3);
	ck_assert_int_eq(scene_count(s, junk, PidTagContentCount), 3);
	mv.copy = false;
	mv.message_ids_count = 1;
	OK2(s, movecopy_messages, &mv, &part);
	ck_assert_int_eq(scene_count(s, inbox, PidTagContentCount), 2);
	ck_assert_int_eq(scene_count(s, junk, PidTagContentCount), 4);
	/* a guest without rights takes nothing */
	mv = (struct gx_x_movecopy_messages_req){.guest = true, .username = "guest@example.org", .src_fid = inbox, .dst_fid = junk,
		.message_ids = &m[1], .message_ids_count = 2};
	OK2(s, movecopy_messages, &mv, &part);
	ck_assert(part.partial);
	ck_assert_int_eq(scene_count(s, inbox, PidTagContentCount), 2);
	struct gx_x_allocate_message_id_req ask = {junk};
	struct gx_x_allocate_message_id_ans id;
	OK2(s, allocate_message_id, &ask, &id);
	struct gx_x_movecopy_message_req one = {.message_id = m[1], .dst_fid = junk, .dst_id = id.message_id, .move = true};
	struct gx_x_movecopy_message_ans done;
	OK2(s, movecopy_message, &one, &done);
	ck_assert(done.result);
	ck_assert(present(s, junk, id.message_id));
	ck_assert(!present(s, inbox, m[1]));
	OK2(s, movecopy_message, &one, &done);
	ck_assert(!done.result);
	struct gx_x_delete_messages_req del = {.folder_id = inbox, .message_ids = &m[2], .message_ids_count = 1};
	struct gx_x_delete_messages_ans dpart;
	OK2(s, delete_messages, &del, &dpart);
	ck_assert(!dpart.partial);
	struct gx_x_is_msg_deleted_req is = {m[2]};
	struct gx_x_is_msg_deleted_ans deleted;
	OK2(s, is_msg_deleted, &is, &deleted);
	ck_assert(deleted.deleted);
	ck_assert(!present(s, inbox, m[2]));
	del = (struct gx_x_delete_messages_req){.folder_id = junk, .message_ids = &id.message_id, .message_ids_count = 1, .hard = true};
	OK2(s, delete_messages, &del, &dpart);
	is.message_id = id.message_id;
	OK2(s, is_msg_deleted, &is, &deleted);
	ck_assert(!deleted.deleted);
}

/* A set with what is in @v, as it goes over the wire. */
static struct gx_bin wire_set(struct scene *s, const uint64_t *v, size_t n)
{
	struct gx_idset set = GX_IDSET_INIT(GX_IDSET_REPLID);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	for (size_t i = 0; i < n; ++i)
		ck_assert_int_eq(gx_idset_add(&set, v[i]), 0);
	gx_idset_push(&out, &set);
	ck_assert_int_eq(gx_push_finish(&out, s->a, &b), 0);
	gx_push_release(&out);
	gx_idset_release(&set);
	return b;
}

void scene_sync(struct scene *s)
{
	uint64_t inbox = EID(GX_FID_INBOX), m1 = scene_make_message(s, inbox, "s1"), m2 = scene_make_message(s, inbox, "s2");
	struct gx_bin none = {0}, given;
	struct gx_x_get_content_sync_req q = {.folder_id = inbox, .given = none, .seen = &none, .seen_fai = &none, .read = &none, .ordered = true};
	struct gx_x_get_content_sync_ans ans, then;
	OK2(s, get_content_sync, &q, &ans);
	ck_assert_uint_eq(ans.normal_count, 2);
	ck_assert_uint_eq(ans.changed_count, 2);
	ck_assert_uint_eq(ans.given_count, 2);
	ck_assert_uint_ne(ans.last_cn, 0);
	/* having all of it, nothing; one gone and one changed: that */
	given = wire_set(s, ans.given, ans.given_count);
	uint64_t *cns = gx_arena_new_array(s->a, uint64_t, gx_eid_counter(ans.last_cn));
	for (uint64_t i = 0; i < gx_eid_counter(ans.last_cn); ++i)
		cns[i] = EID(i + 1);
	struct gx_bin seen = wire_set(s, cns, gx_eid_counter(ans.last_cn));
	q.given = given;
	q.seen = q.seen_fai = q.read = &seen;
	OK2(s, get_content_sync, &q, &then);
	ck_assert_uint_eq(then.changed_count, 0);
	struct gx_x_delete_messages_req del = {.folder_id = inbox, .message_ids = &m1, .message_ids_count = 1};
	struct gx_x_delete_messages_ans part;
	struct gx_propval v[] = {{PidTagSubject, {.str = "new"}}};
	struct gx_x_set_message_properties_req set = {.message_id = m2, .props = PROPS(v)};
	struct gx_x_set_message_properties_ans problems;
	OK2(s, delete_messages, &del, &part);
	OK2(s, set_message_properties, &set, &problems);
	OK2(s, get_content_sync, &q, &then);
	ck_assert_uint_eq(then.changed_count, 1);
	ck_assert_uint_eq(then.changed[0], m2);
	ck_assert_uint_eq(then.updated_count, 1);
	ck_assert_uint_eq(then.deleted_count, 1);
	ck_assert_uint_eq(then.deleted[0], m1);
	static const uint8_t nonsense[] = {1, 0, 7, 7, 7};
	q.given = (struct gx_bin){nonsense, sizeof(nonsense)};
	FAILS2(s, get_content_sync, &q, &then, ecInvalidParam);
	struct gx_x_get_hierarchy_sync_req hq = {.folder_id = EID(GX_FID_IPMSUBTREE), .given = none, .seen = &none};
	struct gx_x_get_hierarchy_sync_ans h;
	OK2(s, get_hierarchy_sync, &hq, &h);
	ck_assert_uint_gt(h.changes_count, 5);
	ck_assert_uint_eq(h.changes_count, h.given_count);
}

void scene_files(struct scene *s)
{
	static const uint8_t text[] = "Subject: x\r\n\r\ny\0z";
	struct gx_x_imapfile_write_req w = {"eml", "R-ab/0123ab", {text, sizeof(text)}};
	struct gx_x_imapfile_read_req r = {"eml", "R-ab/0123ab"};
	struct gx_x_imapfile_read_ans got;
	struct gx_x_imapfile_delete_req d = {"eml", "R-ab/0123ab"};
	OK_REQ(s, imapfile_write, &w);
	OK2(s, imapfile_read, &r, &got);
	ck_assert_uint_eq(got.content.len, sizeof(text));
	ck_assert_mem_eq(got.content.data, text, sizeof(text));
	w.content.len = 3;
	OK_REQ(s, imapfile_write, &w);
	OK2(s, imapfile_read, &r, &got);
	ck_assert_uint_eq(got.content.len, 3);
	OK_REQ(s, imapfile_delete, &d);
	OK_REQ(s, imapfile_delete, &d);
	FAILS2(s, imapfile_read, &r, &got, ecNotFound);
	static const char *const bad[] = {"", ".", "..", "../gx", ".x", "a/../b", "a/.b", "/etc/passwd", "a//b", "a/"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		r.mid = w.mid = d.mid = bad[i];
		FAILS2(s, imapfile_read, &r, &got, ecInvalidParam);
		FAILS_REQ(s, imapfile_write, &w, ecInvalidParam);
		FAILS_REQ(s, imapfile_delete, &d, ecInvalidParam);
	}
	r = (struct gx_x_imapfile_read_req){"exmdb", "gx.sqlite3"};
	FAILS2(s, imapfile_read, &r, &got, ecInvalidParam);
}
