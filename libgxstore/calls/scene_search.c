/* SPDX-License-Identifier: Apache-2.0 */
/* Search folders, and whom the owner knows. */
#include <config.h>
#include <gx/namedprop.h>
#include <gx/search.h>
#include "libgxstore/calls/scenario-int.h"

static uint64_t make_search(struct scene *s, const char *name)
{
	struct gx_propval v[] = {
		{PidTagParentFolderId, {.i64 = (int64_t)EID(GX_FID_FINDER)}}, {PidTagFolderType, {.i32 = GX_FOLDER_SEARCH}},
		{PidTagDisplayName, {.str = name}},
	};
	struct gx_x_create_folder_req q = {.props = PROPS(v)};
	struct gx_x_create_folder_ans ans;
	OK2(s, create_folder, &q, &ans);
	ck_assert_uint_eq(ans.ec, ecSuccess);
	return ans.folder_id;
}

static bool linked(struct scene *s, uint64_t fid, uint64_t mid)
{
	gx_proptag_t tag = PidTagMid;
	struct gx_x_load_content_table_req q = {.folder_id = fid, .table_flags = 0x10};
	struct gx_x_load_content_table_ans t;
	OK2(s, load_content_table, &q, &t);
	struct gx_x_query_table_req rq = {.table_id = t.table_id, .tags = &tag, .tags_count = 1, .row_needed = 100};
	struct gx_x_query_table_ans rows;
	OK2(s, query_table, &rq, &rows);
	bool there = false;
	for (uint32_t i = 0; i < rows.rows_count; ++i)
		there = there || (uint64_t)gx_proplist_get(&rows.rows[i], PidTagMid)->v.i64 == mid;
	struct gx_x_unload_table_req u = {t.table_id};
	OK_REQ(s, unload_table, &u);
	return there;
}

void scene_search(struct scene *s)
{
	static const struct gx_restr has_x = {.type = RES_CONTENT,
		.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "needle"}}}};
	uint64_t f = scene_make_folder(s, EID(9), "haystack"), search = make_search(s, "found");
	uint64_t yes = scene_make_message(s, f, "the needle"), no = scene_make_message(s, f, "straw");
	struct gx_x_set_search_criteria_req set = {.folder_id = search, .search_flags = RESTART_SEARCH | RECURSIVE_SEARCH, .restriction = &has_x,
		.folder_ids = &f, .folder_ids_count = 1};
	struct gx_x_set_search_criteria_ans done;
	OK2(s, set_search_criteria, &set, &done);
	ck_assert(done.result);
	struct gx_x_get_search_criteria_req get = {search};
	struct gx_x_get_search_criteria_ans got;
	OK2(s, get_search_criteria, &get, &got);
	ck_assert_ptr_nonnull(got.restriction);
	ck_assert_int_eq(gx_restr_cmp(got.restriction, &has_x), 0);
	ck_assert_uint_eq(got.folder_ids_count, 1);
	ck_assert_uint_eq(got.folder_ids[0], f);
	ck_assert(linked(s, search, yes));
	ck_assert(!linked(s, search, no));
	/* by hand */
	struct gx_x_link_message_req link = {0, search, no};
	struct gx_x_link_message_ans ok;
	OK2(s, link_message, &link, &ok);
	ck_assert(ok.result);
	ck_assert(linked(s, search, no));
	struct gx_x_unlink_message_req unlink = {0, search, no};
	OK_REQ(s, unlink_message, &unlink);
	ck_assert(!linked(s, search, no));
	struct gx_x_link_messages_req many = {0, search, &no, 1};
	struct gx_x_link_messages_ans part;
	OK2(s, link_messages, &many, &part);
	ck_assert(!part.partial);
	ck_assert(linked(s, search, no));
	link.folder_id = f;
	OK2(s, link_message, &link, &ok);
	ck_assert(!ok.result);
	set.folder_id = f;
	OK2(s, set_search_criteria, &set, &done);
	ck_assert(!done.result);
	get.folder_id = f;
	FAILS2(s, get_search_criteria, &get, &got, ecNotSearchFolder);
}

void scene_contact(struct scene *s)
{
	struct gx_propname n = GX_LID(PidLidEmail1EmailAddress);
	struct gx_x_get_named_propids_req nq = {true, &n, 1};
	struct gx_x_get_named_propids_ans ids;
	OK2(s, get_named_propids, &nq, &ids);
	struct gx_propval v[] = {
		{PidTagMessageClass, {.str = "IPM.Contact"}}, {GX_PROP_TAG(ids.ids[0], PtypString), {.str = "known@example.com"}},
	};
	struct gx_x_write_message_req q = {.folder_id = EID(GX_FID_CONTACTS), .digest = "", .content = {.props = PROPS(v)}};
	struct gx_x_write_message_ans ans;
	OK2(s, write_message, &q, &ans);
	ck_assert_uint_eq(ans.ec, ecSuccess);
	struct gx_x_check_contact_address_req cq = {"Known@example.com"};
	struct gx_x_check_contact_address_ans c;
	OK2(s, check_contact_address, &cq, &c);
	ck_assert(c.found);
	cq.address = "stranger@example.com";
	OK2(s, check_contact_address, &cq, &c);
	ck_assert(!c.found);
	struct gx_x_get_public_folder_unread_count_req uq = {"a@example.org", EID(GX_FID_CONTACTS)};
	struct gx_x_get_public_folder_unread_count_ans u;
	OK2(s, get_public_folder_unread_count, &uq, &u);
	ck_assert_uint_eq(u.count, 1);
}
