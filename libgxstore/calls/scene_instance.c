/* SPDX-License-Identifier: Apache-2.0 */
/* Messages edited in memory. */
#include <config.h>
#include "libgxstore/calls/scenario-int.h"

static uint32_t open_msg(struct scene *s, uint64_t fid, uint64_t mid, bool create)
{
	struct gx_x_load_message_instance_req q = {.create = create, .folder_id = fid, .message_id = mid};
	struct gx_x_load_message_instance_ans ans;
	OK2(s, load_message_instance, &q, &ans);
	ck_assert_uint_ne(ans.instance_id, 0);
	return ans.instance_id;
}

static uint64_t new_id(struct scene *s, uint64_t fid)
{
	struct gx_x_allocate_message_id_req q = {fid};
	struct gx_x_allocate_message_id_ans ans;
	OK2(s, allocate_message_id, &q, &ans);
	return ans.message_id;
}

static void set(struct scene *s, uint32_t id, gx_proptag_t tag, const char *text)
{
	struct gx_propval v = {tag, {.str = text}};
	struct gx_x_set_instance_properties_req q = {id, {&v, 1, 1}};
	struct gx_x_set_instance_properties_ans ans;
	OK2(s, set_instance_properties, &q, &ans);
	ck_assert_uint_eq(ans.problems_count, 0);
}

static const char *get(struct scene *s, uint32_t id, gx_proptag_t tag)
{
	struct gx_x_get_instance_properties_req q = {0, id, &tag, 1};
	struct gx_x_get_instance_properties_ans ans;
	OK2(s, get_instance_properties, &q, &ans);
	return gx_proplist_str(&ans.props, tag, NULL);
}

static uint32_t flush(struct scene *s, uint32_t id)
{
	struct gx_x_flush_instance_req q = {.instance_id = id};
	struct gx_x_flush_instance_ans ans;
	OK2(s, flush_instance, &q, &ans);
	return ans.ec;
}

static void unload(struct scene *s, uint32_t id)
{
	struct gx_x_unload_instance_req q = {id};
	OK_REQ(s, unload_instance, &q);
}

static uint32_t rcpt_count(struct scene *s, uint32_t id)
{
	struct gx_x_get_message_instance_rcpts_num_req q = {id};
	struct gx_x_get_message_instance_rcpts_num_ans ans;
	OK2(s, get_message_instance_rcpts_num, &q, &ans);
	return ans.num;
}

static uint32_t att_count(struct scene *s, uint32_t id)
{
	struct gx_x_get_message_instance_attachments_num_req q = {id};
	struct gx_x_get_message_instance_attachments_num_ans ans;
	OK2(s, get_message_instance_attachments_num, &q, &ans);
	return ans.num;
}

void scene_instance(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS), mid = new_id(s, drafts);
	uint32_t id = open_msg(s, drafts, mid, true);
	set(s, id, PidTagSubject, "draft");
	set(s, id, PidTagBody, "text");
	ck_assert_str_eq(get(s, id, PidTagSubject), "draft");
	/* nothing is stored before it is saved */
	struct gx_x_is_msg_present_req pq = {drafts, mid};
	struct gx_x_is_msg_present_ans there;
	OK2(s, is_msg_present, &pq, &there);
	ck_assert(!there.exists);
	ck_assert_uint_eq(flush(s, id), ecSuccess);
	OK2(s, is_msg_present, &pq, &there);
	ck_assert(there.exists);
	set(s, id, PidTagSubject, "unsaved");
	struct gx_x_reload_message_instance_req rq = {id};
	struct gx_x_reload_message_instance_ans reloaded;
	OK2(s, reload_message_instance, &rq, &reloaded);
	ck_assert(reloaded.result);
	ck_assert_str_eq(get(s, id, PidTagSubject), "draft");
	struct gx_x_get_instance_all_proptags_req tq = {id};
	struct gx_x_get_instance_all_proptags_ans tags;
	OK2(s, get_instance_all_proptags, &tq, &tags);
	ck_assert_uint_gt(tags.tags_count, 3);
	gx_proptag_t gone = PidTagBody;
	struct gx_x_remove_instance_properties_req rm = {id, &gone, 1};
	struct gx_x_remove_instance_properties_ans problems;
	OK2(s, remove_instance_properties, &rm, &problems);
	ck_assert_ptr_null(get(s, id, PidTagBody));
	/* values that are too large come as an error, to be read otherwise */
	char *big = gx_arena_calloc(s->a, 1, 50001);
	memset(big, 'x', 50000);
	set(s, id, PidTagBody, big);
	struct gx_x_get_instance_properties_req lq = {1000, id, &gone, 1};
	struct gx_x_get_instance_properties_ans limited;
	OK2(s, get_instance_properties, &lq, &limited);
	ck_assert_uint_eq(limited.props.count, 1);
	ck_assert_uint_eq(GX_PROP_TYPE(limited.props.v[0].tag), PtypErrorCode);
	struct gx_x_read_message_instance_req whole = {id};
	struct gx_x_read_message_instance_ans m;
	OK2(s, read_message_instance, &whole, &m);
	ck_assert_str_eq(gx_proplist_str(&m.content.props, PidTagBody, ""), big);
	struct gx_x_clear_message_instance_req clear = {id};
	OK_REQ(s, clear_message_instance, &clear);
	ck_assert_ptr_null(get(s, id, PidTagSubject));
	unload(s, id);
	FAILS2(s, read_message_instance, &whole, &m, ecNullObject);
	struct gx_x_load_message_instance_req none = {.folder_id = drafts, .message_id = EID(0x999999)};
	struct gx_x_load_message_instance_ans no;
	FAILS2(s, load_message_instance, &none, &no, ecNotFound);
	struct gx_x_remove_message_properties_req stored = {0, mid, &gone, 1};
	OK_REQ(s, remove_message_properties, &stored);
	struct gx_x_get_message_properties_req gq = {.message_id = mid, .tags = &gone, .tags_count = 1};
	struct gx_x_get_message_properties_ans got;
	OK2(s, get_message_properties, &gq, &got);
	ck_assert_uint_eq(got.props.count, 0);
}

void scene_instance_whole(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS);
	uint32_t id = open_msg(s, drafts, new_id(s, drafts), true);
	struct gx_propval v[] = {{PidTagSubject, {.str = "whole"}}}, to[] = {{PidTagRowid, {.i32 = 0}}, {PidTagSmtpAddress, {.str = "r@example.org"}}};
	struct gx_propval file[] = {{PidTagAttachMethod, {.i32 = 1}}, {PidTagAttachLongFilename, {.str = "f"}}};
	struct gx_proplist rcpt = PROPS(to);
	struct gx_attach att = {.props = PROPS(file)};
	struct gx_x_write_message_instance_req w = {.instance_id = id, .force = true,
		.content = {.props = PROPS(v), .rcpts = &rcpt, .rcpt_count = 1, .atts = &att, .att_count = 1}};
	struct gx_x_write_message_instance_ans how;
	OK2(s, write_message_instance, &w, &how);
	ck_assert_uint_ge(how.tags_count, 1);
	ck_assert_uint_eq(rcpt_count(s, id), 1);
	ck_assert_uint_eq(att_count(s, id), 1);
	struct gx_x_set_message_instance_conflict_req c = {id, {.props = PROPS(v)}};
	OK_REQ(s, set_message_instance_conflict, &c);
	ck_assert_uint_eq(flush(s, id), ecSuccess);
	unload(s, id);
}

void scene_instance_rcpts(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS);
	uint32_t a = open_msg(s, drafts, new_id(s, drafts), true), b = open_msg(s, drafts, new_id(s, drafts), true);
	struct gx_propval one[] = {{PidTagRowid, {.i32 = 0}}, {PidTagSmtpAddress, {.str = "one@example.org"}}};
	struct gx_propval two[] = {{PidTagRowid, {.i32 = 5}}, {PidTagSmtpAddress, {.str = "two@example.org"}}};
	struct gx_proplist rows[] = {PROPS(one), PROPS(two)};
	struct gx_x_update_message_instance_rcpts_req u = {a, rows, 2};
	OK_REQ(s, update_message_instance_rcpts, &u);
	ck_assert_uint_eq(rcpt_count(s, a), 2);
	struct gx_x_get_message_instance_rcpts_req q = {a, 1, 10};
	struct gx_x_get_message_instance_rcpts_ans got;
	OK2(s, get_message_instance_rcpts, &q, &got);
	ck_assert_uint_eq(got.rows_count, 1);
	ck_assert_str_eq(gx_proplist_str(&got.rows[0], PidTagSmtpAddress, ""), "two@example.org");
	struct gx_x_get_message_instance_rcpts_all_proptags_req tq = {a};
	struct gx_x_get_message_instance_rcpts_all_proptags_ans tags;
	OK2(s, get_message_instance_rcpts_all_proptags, &tq, &tags);
	ck_assert_uint_ge(tags.tags_count, 2);
	/* a row with nothing but its number goes */
	rows[0].count = 1;
	u.rows_count = 1;
	OK_REQ(s, update_message_instance_rcpts, &u);
	ck_assert_uint_eq(rcpt_count(s, a), 1);
	struct gx_x_copy_instance_rcpts_req c = {false, a, b};
	struct gx_x_copy_instance_rcpts_ans done;
	OK2(s, copy_instance_rcpts, &c, &done);
	ck_assert(done.result);
	ck_assert_uint_eq(rcpt_count(s, b), 1);
	OK2(s, copy_instance_rcpts, &c, &done);
	ck_assert(!done.result);
	struct gx_x_empty_message_instance_rcpts_req e = {b};
	OK_REQ(s, empty_message_instance_rcpts, &e);
	ck_assert_uint_eq(rcpt_count(s, b), 0);
	unload(s, a);
	unload(s, b);
}

static uint32_t add_att(struct scene *s, uint32_t msg, const char *name, uint32_t *ret_num)
{
	struct gx_x_create_attachment_instance_req q = {msg};
	struct gx_x_create_attachment_instance_ans ans;
	OK2(s, create_attachment_instance, &q, &ans);
	set(s, ans.instance_id, PidTagAttachLongFilename, name);
	*ret_num = ans.attachment_num;
	return ans.instance_id;
}

void scene_instance_atts(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS);
	uint32_t a = open_msg(s, drafts, new_id(s, drafts), true), b = open_msg(s, drafts, new_id(s, drafts), true), n1, n2;
	uint32_t att = add_att(s, a, "one.txt", &n1), other = add_att(s, a, "two.txt", &n2);
	ck_assert_uint_ne(n1, n2);
	ck_assert_uint_eq(flush(s, att), ecSuccess);
	ck_assert_uint_eq(flush(s, other), ecSuccess);
	unload(s, other);
	ck_assert_uint_eq(att_count(s, a), 2);
	gx_proptag_t tags[] = {PidTagAttachNumber, PidTagAttachLongFilename};
	struct gx_x_query_message_instance_attachment_table_req q = {a, tags, 2, 0, 10};
	struct gx_x_query_message_instance_attachment_table_ans rows;
	OK2(s, query_message_instance_attachment_table, &q, &rows);
	ck_assert_uint_eq(rows.rows_count, 2);
	ck_assert_str_eq(gx_proplist_str(&rows.rows[0], PidTagAttachLongFilename, ""), "one.txt");
	struct gx_x_get_message_instance_attachment_table_all_proptags_req tq = {a};
	struct gx_x_get_message_instance_attachment_table_all_proptags_ans all;
	OK2(s, get_message_instance_attachment_table_all_proptags, &tq, &all);
	ck_assert_uint_ge(all.tags_count, 2);
	struct gx_x_is_descendant_instance_req in = {a, att};
	struct gx_x_is_descendant_instance_ans inside;
	OK2(s, is_descendant_instance, &in, &inside);
	ck_assert(inside.included);
	in = (struct gx_x_is_descendant_instance_req){att, a};
	OK2(s, is_descendant_instance, &in, &inside);
	ck_assert(!inside.included);
	struct gx_x_copy_instance_attachments_req c = {true, a, b};
	struct gx_x_copy_instance_attachments_ans done;
	OK2(s, copy_instance_attachments, &c, &done);
	ck_assert(done.result);
	ck_assert_uint_eq(att_count(s, b), 2);
	struct gx_x_delete_message_instance_attachment_req del = {a, n2};
	OK_REQ(s, delete_message_instance_attachment, &del);
	ck_assert_uint_eq(att_count(s, a), 1);
	struct gx_x_load_attachment_instance_req lq = {a, n1};
	struct gx_x_load_attachment_instance_ans l;
	OK2(s, load_attachment_instance, &lq, &l);
	ck_assert_str_eq(get(s, l.instance_id, PidTagAttachLongFilename), "one.txt");
	lq.attachment_num = 77;
	OK2(s, load_attachment_instance, &lq, &l);
	ck_assert_uint_eq(l.instance_id, 0);
	struct gx_x_empty_message_instance_attachments_req e = {b};
	OK_REQ(s, empty_message_instance_attachments, &e);
	ck_assert_uint_eq(att_count(s, b), 0);
	unload(s, att);
	unload(s, a);
	unload(s, b);
}

void scene_embedded(struct scene *s)
{
	uint64_t drafts = EID(GX_FID_DRAFTS), mid = new_id(s, drafts);
	uint32_t a = open_msg(s, drafts, mid, true), num, att = add_att(s, a, "inner", &num);
	struct gx_x_load_embedded_instance_req q = {false, att};
	struct gx_x_load_embedded_instance_ans e;
	OK2(s, load_embedded_instance, &q, &e);
	ck_assert_uint_eq(e.instance_id, 0);
	q.create = true;
	OK2(s, load_embedded_instance, &q, &e);
	ck_assert_uint_ne(e.instance_id, 0);
	set(s, e.instance_id, PidTagSubject, "inner subject");
	struct gx_x_get_embedded_cn_req cq = {e.instance_id};
	struct gx_x_get_embedded_cn_ans cn;
	OK2(s, get_embedded_cn, &cq, &cn);
	/* from the inside out */
	ck_assert_uint_eq(flush(s, e.instance_id), ecSuccess);
	ck_assert_uint_eq(flush(s, att), ecSuccess);
	ck_assert_uint_eq(flush(s, a), ecSuccess);
	struct gx_x_read_attachment_instance_req rq = {att};
	struct gx_x_read_attachment_instance_ans r;
	OK2(s, read_attachment_instance, &rq, &r);
	ck_assert_str_eq(gx_proplist_str(&r.content->props, PidTagSubject, ""), "inner subject");
	struct gx_propval v[] = {{PidTagAttachLongFilename, {.str = "written"}}};
	struct gx_x_write_attachment_instance_req wq = {.instance_id = att, .props = PROPS(v), .content = r.content, .force = true};
	struct gx_x_write_attachment_instance_ans problems;
	OK2(s, write_attachment_instance, &wq, &problems);
	ck_assert_str_eq(get(s, att, PidTagAttachLongFilename), "written");
	struct gx_x_read_message_req mq = {.message_id = mid};
	struct gx_x_read_message_ans m;
	OK2(s, read_message, &mq, &m);
	ck_assert_uint_eq(m.content->att_count, 1);
	ck_assert_str_eq(gx_proplist_str(&m.content->atts[0].embedded->props, PidTagSubject, ""), "inner subject");
	unload(s, e.instance_id);
	unload(s, att);
	unload(s, a);
}
