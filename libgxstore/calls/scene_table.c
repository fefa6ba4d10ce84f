/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, and how their changes are told. */
#include <config.h>
#include "libgxstore/calls/scenario-int.h"

static const gx_proptag_t cols[] = {PidTagMid, PidTagSubject, PidTagInstID, PidTagRowType};

static uint32_t load(struct scene *s, uint64_t fid, const struct gx_restr *r, const struct gx_sortset *sorts, uint32_t *ret_rows)
{
	struct gx_x_load_content_table_req q = {.folder_id = fid, .restriction = r, .sorts = sorts};
	struct gx_x_load_content_table_ans ans;
	OK2(s, load_content_table, &q, &ans);
	*ret_rows = ans.row_count;
	return ans.table_id;
}

static struct gx_x_query_table_ans query(struct scene *s, uint32_t id, uint32_t pos, int32_t n)
{
	struct gx_x_query_table_req q = {.table_id = id, .tags = cols, .tags_count = LEN(cols), .start_pos = pos, .row_needed = n};
	struct gx_x_query_table_ans ans;
	OK2(s, query_table, &q, &ans);
	return ans;
}

static const char *subject(const struct gx_proplist *row)
{
	return gx_proplist_str(row, PidTagSubject, "");
}

static uint64_t number(const struct gx_proplist *row, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(row, tag);
	return pv != NULL ? (uint64_t)pv->v.i64 : 0;
}

static void positions(struct scene *s, uint32_t id, const uint64_t *m)
{
	struct gx_x_locate_table_req lq = {id, m[1], 0};
	struct gx_x_locate_table_ans l;
	OK2(s, locate_table, &lq, &l);
	ck_assert_int_eq(l.position, 1);
	lq.inst_id = EID(0x999999);
	OK2(s, locate_table, &lq, &l);
	ck_assert_int_eq(l.position, -1);
	struct gx_x_mark_table_req mq = {id, 2};
	struct gx_x_mark_table_ans mark;
	OK2(s, mark_table, &mq, &mark);
	ck_assert_uint_eq(mark.inst_id, m[2]);
	ck_assert_uint_eq(mark.row_type, 1);
	mq.position = 100;
	OK2(s, mark_table, &mq, &mark);
	ck_assert_uint_eq(mark.inst_id, 0);
	struct gx_x_read_table_row_req rq = {.table_id = id, .tags = cols, .tags_count = LEN(cols), .inst_id = m[2]};
	struct gx_x_read_table_row_ans row;
	OK2(s, read_table_row, &rq, &row);
	ck_assert_str_eq(subject(&row.props), "c");
	rq.inst_id = EID(0x999999);
	OK2(s, read_table_row, &rq, &row);
	ck_assert_uint_eq(row.props.count, 0);
	static const struct gx_restr is_b = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagSubject, {PidTagSubject, {.str = "b"}}}};
	struct gx_x_match_table_req find = {.table_id = id, .forward = true, .restriction = &is_b, .tags = cols, .tags_count = LEN(cols)};
	struct gx_x_match_table_ans found;
	OK2(s, match_table, &find, &found);
	ck_assert_int_eq(found.position, 1);
	ck_assert_uint_eq(number(&found.props, PidTagMid), m[1]);
	find.start_pos = 2;
	OK2(s, match_table, &find, &found);
	ck_assert_int_eq(found.position, -1);
}

void scene_table(struct scene *s)
{
	static const struct gx_sort by_subject[] = {{PidTagSubject, GX_SORT_ASCEND}};
	static const struct gx_sortset sorts = {by_subject, 1, 0, 0};
	static const struct gx_restr not_b = {.type = RES_PROPERTY, .u.prop = {RELOP_NE, PidTagSubject, {PidTagSubject, {.str = "b"}}}};
	uint64_t f = scene_make_folder(s, EID(9), "tables"), m[3];
	uint32_t rows, id, other;
	for (int i = 2; i >= 0; --i)
		m[i] = scene_make_message(s, f, (const char *const[]){"a", "b", "c"}[i]);
	id = load(s, f, NULL, &sorts, &rows);
	ck_assert_uint_eq(rows, 3);
	struct gx_x_query_table_ans ans = query(s, id, 0, 10);
	ck_assert_uint_eq(ans.rows_count, 3);
	for (uint32_t i = 0; i < 3; ++i) {
		ck_assert_uint_eq(number(&ans.rows[i], PidTagMid), m[i]);
		ck_assert_uint_eq(number(&ans.rows[i], PidTagInstID), m[i]);
	}
	ans = query(s, id, 2, -2);
	ck_assert_uint_eq(ans.rows_count, 2);
	ck_assert_str_eq(subject(&ans.rows[0]), "c");
	ans = query(s, id, 1, 0);
	ck_assert_uint_eq(ans.rows_count, 0);
	other = load(s, f, &not_b, &sorts, &rows);
	ck_assert_uint_eq(rows, 2);
	ck_assert_uint_ne(id, other);
	positions(s, id, m);
	/* it follows */
	(void)scene_make_message(s, f, "aa");
	struct gx_x_sum_table_req sq = {id};
	struct gx_x_sum_table_ans sum;
	OK2(s, sum_table, &sq, &sum);
	ck_assert_uint_eq(sum.rows, 4);
	struct gx_x_reload_content_table_req again = {id};
	OK_REQ(s, reload_content_table, &again);
	ans = query(s, id, 1, 1);
	ck_assert_str_eq(subject(&ans.rows[0]), "aa");
	struct gx_x_get_table_all_proptags_req tq = {id};
	struct gx_x_get_table_all_proptags_ans tags;
	OK2(s, get_table_all_proptags, &tq, &tags);
	ck_assert_uint_gt(tags.tags_count, 5);
	struct gx_x_unload_table_req u = {id};
	OK_REQ(s, unload_table, &u);
	FAILS_REQ(s, unload_table, &u, ecNullObject);
	FAILS2(s, sum_table, &sq, &sum, ecNullObject);
	struct gx_x_load_content_table_req none = {.folder_id = EID(0x999999)};
	struct gx_x_load_content_table_ans no;
	FAILS2(s, load_content_table, &none, &no, ecNotFound);
	struct gx_x_sum_content_req cq = {f, false, false};
	struct gx_x_sum_content_ans count;
	OK2(s, sum_content, &cq, &count);
	ck_assert_uint_eq(count.count, 4);
}

void scene_categories(struct scene *s)
{
	static const struct gx_sort by[] = {{PidTagImportance, GX_SORT_ASCEND}, {PidTagSubject, GX_SORT_ASCEND}};
	static const struct gx_sortset sorts = {by, 2, 1, 1};
	uint64_t f = scene_make_folder(s, EID(9), "groups");
	uint32_t rows;
	(void)scene_make_message(s, f, "one");
	(void)scene_make_message(s, f, "two");
	uint32_t id = load(s, f, NULL, &sorts, &rows);
	ck_assert_uint_eq(rows, 3);
	struct gx_x_query_table_ans ans = query(s, id, 0, 10);
	uint64_t header = number(&ans.rows[0], PidTagInstID);
	ck_assert_uint_ne(gx_eid_replica(header), 1);
	struct gx_x_collapse_table_req c = {id, header};
	struct gx_x_collapse_table_ans closed;
	OK2(s, collapse_table, &c, &closed);
	ck_assert(closed.found);
	ck_assert_int_eq(closed.position, 0);
	ck_assert_uint_eq(closed.row_count, 2);
	struct gx_x_store_table_state_req keep = {id, header, 0};
	struct gx_x_store_table_state_ans state;
	OK2(s, store_table_state, &keep, &state);
	struct gx_x_expand_table_req e = {id, header};
	struct gx_x_expand_table_ans open;
	OK2(s, expand_table, &e, &open);
	ck_assert(open.found);
	ck_assert_uint_eq(open.row_count, 2);
	struct gx_x_restore_table_state_req back = {id, state.state_id};
	struct gx_x_restore_table_state_ans pos;
	OK2(s, restore_table_state, &back, &pos);
	struct gx_x_sum_table_req sq = {id};
	struct gx_x_sum_table_ans sum;
	OK2(s, sum_table, &sq, &sum);
	ck_assert_uint_eq(sum.rows, 1);
	e.inst_id = gx_eid_make(2, 0x7777);
	OK2(s, expand_table, &e, &open);
	ck_assert(!open.found);
	c.inst_id = e.inst_id;
	OK2(s, collapse_table, &c, &closed);
	ck_assert(!closed.found);
	back.state_id = 0x7777;
	OK2(s, restore_table_state, &back, &pos);
	ck_assert_int_eq(pos.position, -1);
}

void scene_other_tables(struct scene *s)
{
	uint64_t f = scene_make_folder(s, EID(9), "parent");
	(void)scene_make_folder(s, scene_make_folder(s, f, "child"), "grandchild");
	struct gx_x_load_hierarchy_table_req hq = {.folder_id = f, .table_flags = 4};
	struct gx_x_load_hierarchy_table_ans h;
	OK2(s, load_hierarchy_table, &hq, &h);
	ck_assert_uint_eq(h.row_count, 2);
	hq.table_flags = 0;
	OK2(s, load_hierarchy_table, &hq, &h);
	ck_assert_uint_eq(h.row_count, 1);
	struct gx_x_sum_hierarchy_req sq = {.folder_id = f, .depth = true};
	struct gx_x_sum_hierarchy_ans sum;
	OK2(s, sum_hierarchy, &sq, &sum);
	ck_assert_uint_eq(sum.count, 2);
	struct gx_x_load_permission_table_req pq = {f, 0};
	struct gx_x_load_permission_table_ans p;
	OK2(s, load_permission_table, &pq, &p);
	ck_assert_uint_ge(p.row_count, 2);
	gx_proptag_t tags[] = {PidTagMemberId, PidTagMemberRights};
	struct gx_x_query_table_req q = {.table_id = p.table_id, .tags = tags, .tags_count = 2, .row_needed = 10};
	struct gx_x_query_table_ans rows;
	OK2(s, query_table, &q, &rows);
	ck_assert_uint_eq(rows.rows_count, p.row_count);
	struct gx_x_load_rule_table_req rq = {.folder_id = f};
	struct gx_x_load_rule_table_ans r;
	OK2(s, load_rule_table, &rq, &r);
	ck_assert_uint_eq(r.row_count, 0);
}

static struct gx_x_notification next_of(struct scene *s, uint32_t table)
{
	struct gx_x_notification n;
	ck_assert_int_eq(gx_exmdb_event(s->x, 20000, s->a, &n), GX_XEV_EVENT);
	ck_assert(n.is_table);
	ck_assert_uint_eq(n.ids_count, 1);
	ck_assert_uint_eq(n.ids[0], table);
	return n;
}

void scene_table_events(struct scene *s)
{
	static const struct gx_sort by_subject[] = {{PidTagSubject, GX_SORT_ASCEND}};
	static const struct gx_sortset sorts = {by_subject, 1, 0, 0};
	uint64_t f = scene_make_folder(s, EID(9), "live"), a = scene_make_message(s, f, "a");
	uint32_t rows, id = load(s, f, NULL, &sorts, &rows);
	/* whoever wants to hear of tables must have a way to be told */
	struct gx_x_subscribe_notification_req sub = {2, false, f, 0};
	struct gx_x_subscribe_notification_ans sid;
	OK2(s, subscribe_notification, &sub, &sid);
	uint64_t b = scene_make_message(s, f, "b");
	struct gx_x_notification n = next_of(s, id);
	ck_assert_uint_eq(n.event, GX_X_EV_CTTBL_ROW_ADDED);
	ck_assert_uint_eq(EID(n.row_message_id), b);
	ck_assert_uint_eq(EID(n.after_row_id), a);
	struct gx_propval v[] = {{PidTagSubject, {.str = "0"}}};
	struct gx_x_set_message_properties_req set = {.message_id = b, .props = PROPS(v)};
	struct gx_x_set_message_properties_ans problems;
	OK2(s, set_message_properties, &set, &problems);
	n = next_of(s, id);
	ck_assert_uint_eq(n.event, GX_X_EV_CTTBL_ROW_MODIFIED);
	ck_assert_uint_eq(n.after_row_id, 0);
	struct gx_x_delete_messages_req del = {.folder_id = f, .message_ids = &b, .message_ids_count = 1};
	struct gx_x_delete_messages_ans part;
	OK2(s, delete_messages, &del, &part);
	n = next_of(s, id);
	ck_assert_uint_eq(n.event, GX_X_EV_CTTBL_ROW_DELETED);
	ck_assert_uint_eq(EID(n.row_message_id), b);
	/* one that does not want to hear */
	struct gx_x_unload_table_req u = {id};
	OK_REQ(s, unload_table, &u);
	struct gx_x_load_content_table_req quiet = {.folder_id = f, .table_flags = 0x10};
	struct gx_x_load_content_table_ans q;
	OK2(s, load_content_table, &quiet, &q);
	(void)scene_make_message(s, f, "c");
	ck_assert_int_eq(gx_exmdb_event(s->x, 0, s->a, &n), GX_XEV_NONE);
}
