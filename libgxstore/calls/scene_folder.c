/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: made, found, changed, moved, copied, emptied, gone. */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/calls/scenario-int.h"

uint64_t scene_make_folder(struct scene *s, uint64_t parent, const char *name)
{
	struct gx_propval v[] = {
		{PidTagParentFolderId, {.i64 = (int64_t)parent}}, {PidTagFolderType, {.i32 = GX_FOLDER_GENERIC}},
		{PidTagDisplayName, {.str = name}}, {PidTagComment, {.str = "made"}},
	};
	struct gx_x_create_folder_req q = {.cpid = 0, .props = PROPS(v)};
	struct gx_x_create_folder_ans ans;
	OK2(s, create_folder, &q, &ans);
	ck_assert_uint_eq(ans.ec, ecSuccess);
	ck_assert_uint_eq(gx_eid_replica(ans.folder_id), 1);
	return ans.folder_id;
}

static bool present(struct scene *s, uint64_t fid)
{
	struct gx_x_is_folder_present_req q = {fid};
	struct gx_x_is_folder_present_ans ans;
	OK2(s, is_folder_present, &q, &ans);
	return ans.exists;
}

static uint64_t by_name(struct scene *s, uint64_t parent, const char *name)
{
	struct gx_x_get_folder_by_name_req q = {parent, name};
	struct gx_x_get_folder_by_name_ans ans;
	OK2(s, get_folder_by_name, &q, &ans);
	return ans.folder_id;
}

static struct gx_proplist props(struct scene *s, uint64_t fid, gx_proptag_t tag)
{
	struct gx_x_get_folder_properties_req q = {0, fid, &tag, 1};
	struct gx_x_get_folder_properties_ans ans;
	OK2(s, get_folder_properties, &q, &ans);
	return ans.props;
}

void scene_folder(struct scene *s)
{
	uint64_t top = EID(GX_FID_IPMSUBTREE), a = scene_make_folder(s, top, "alpha"), b = scene_make_folder(s, a, "beta");
	ck_assert(present(s, a));
	ck_assert(!present(s, EID(0x999999)));
	ck_assert(!present(s, gx_eid_make(2, 13)));
	ck_assert_uint_eq(by_name(s, top, "ALPHA"), a);
	ck_assert_uint_eq(by_name(s, top, "gamma"), 0);
	struct gx_proplist l = props(s, b, PidTagParentFolderId);
	ck_assert_uint_eq((uint64_t)gx_proplist_get(&l, PidTagParentFolderId)->v.i64, a);
	l = props(s, b, PidTagFolderId);
	ck_assert_uint_eq((uint64_t)gx_proplist_get(&l, PidTagFolderId)->v.i64, b);
	struct gx_propval v[] = {{PidTagComment, {.str = "changed"}}};
	struct gx_x_set_folder_properties_req set = {0, a, PROPS(v)};
	struct gx_x_set_folder_properties_ans problems;
	OK2(s, set_folder_properties, &set, &problems);
	l = props(s, a, PidTagComment);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagComment, ""), "changed");
	gx_proptag_t gone = PidTagComment;
	struct gx_x_remove_folder_properties_req rm = {a, &gone, 1};
	OK_REQ(s, remove_folder_properties, &rm);
	l = props(s, a, PidTagComment);
	ck_assert_uint_eq(l.count, 0);
	struct gx_x_get_folder_all_proptags_req all = {a};
	struct gx_x_get_folder_all_proptags_ans tags;
	OK2(s, get_folder_all_proptags, &all, &tags);
	ck_assert_uint_gt(tags.tags_count, 10);
	struct gx_x_is_descendant_folder_req below = {a, b};
	struct gx_x_is_descendant_folder_ans in;
	OK2(s, is_descendant_folder, &below, &in);
	ck_assert(in.included);
	below = (struct gx_x_is_descendant_folder_req){b, a};
	OK2(s, is_descendant_folder, &below, &in);
	ck_assert(!in.included);
	/* a second of the name, and one without what it needs */
	struct gx_propval dup[] = {{PidTagParentFolderId, {.i64 = (int64_t)top}}, {PidTagDisplayName, {.str = "Alpha"}}};
	struct gx_x_create_folder_req q = {.props = PROPS(dup)};
	struct gx_x_create_folder_ans made;
	OK2(s, create_folder, &q, &made);
	ck_assert_uint_eq(made.ec, ecDuplicateName);
	q.props.count = 1;
	OK2(s, create_folder, &q, &made);
	ck_assert_uint_eq(made.ec, ecInvalidParam);
	struct gx_x_create_folder_v1_req q1 = {.props = PROPS(dup)};
	struct gx_x_create_folder_v1_ans made1;
	OK2(s, create_folder_v1, &q1, &made1);
	ck_assert_uint_eq(made1.folder_id, 0);
	dup[1].v.str = "first";
	OK2(s, create_folder_v1, &q1, &made1);
	ck_assert_uint_ne(made1.folder_id, 0);
	struct gx_x_get_folder_properties_req none = {0, EID(0x999999), &gone, 1};
	struct gx_x_get_folder_properties_ans nothing;
	FAILS2(s, get_folder_properties, &none, &nothing, ecNotFound);
}

void scene_tree(struct scene *s)
{
	uint64_t top = EID(GX_FID_IPMSUBTREE), a = scene_make_folder(s, top, "a"), b = scene_make_folder(s, a, "b");
	uint64_t c = scene_make_folder(s, top, "c"), m = scene_make_message(s, a, "in a");
	(void)m;
	/* renamed, moved, copied */
	struct gx_x_movecopy_folder_req mv = {.src_pid = top, .src_fid = a, .dst_fid = c, .new_name = "renamed"};
	struct gx_x_movecopy_folder_ans code;
	OK2(s, movecopy_folder, &mv, &code);
	ck_assert_uint_eq(code.ec, ecSuccess);
	ck_assert_uint_eq(by_name(s, c, "renamed"), a);
	mv = (struct gx_x_movecopy_folder_req){.src_pid = c, .src_fid = a, .dst_fid = b, .new_name = ""};
	OK2(s, movecopy_folder, &mv, &code);
	ck_assert_uint_ne(code.ec, ecSuccess);
	mv = (struct gx_x_movecopy_folder_req){.src_pid = c, .src_fid = a, .dst_fid = top, .new_name = "copy", .copy = true};
	OK2(s, movecopy_folder, &mv, &code);
	ck_assert_uint_eq(code.ec, ecSuccess);
	uint64_t copy = by_name(s, top, "copy");
	ck_assert_uint_ne(copy, 0);
	ck_assert_uint_ne(by_name(s, copy, "b"), 0);
	ck_assert_uint_eq(scene_count(s, copy, PidTagContentCount), 1);
	/* contents only; into itself */
	struct gx_x_copy_folder_internal_req in = {.src_fid = copy, .normal = true, .fai = true, .subfolders = false, .dst_fid = c};
	struct gx_x_copy_folder_internal_ans how;
	OK2(s, copy_folder_internal, &in, &how);
	ck_assert(!how.collid && !how.partial);
	ck_assert_uint_eq(scene_count(s, c, PidTagContentCount), 1);
	in = (struct gx_x_copy_folder_internal_req){.src_fid = copy, .normal = true, .subfolders = true, .dst_fid = by_name(s, copy, "b")};
	OK2(s, copy_folder_internal, &in, &how);
	ck_assert(how.collid);
	/* emptied, softly deleted, purged */
	struct gx_x_empty_folder_req empty = {.folder_id = copy, .flags = GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS};
	struct gx_x_empty_folder_ans part;
	OK2(s, empty_folder, &empty, &part);
	ck_assert(!part.partial);
	ck_assert_uint_eq(scene_count(s, copy, PidTagContentCount), 0);
	struct gx_x_purge_softdelete_req purge = {.folder_id = copy, .del_flags = GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS};
	struct gx_x_purge_softdelete_ans purged;
	OK2(s, purge_softdelete, &purge, &purged);
	ck_assert_uint_ge(purged.cnt_messages, 1);
	ck_assert_uint_ge(purged.cnt_folders, 1);
	purge.folder_id = EID(GX_FID_ROOT); /* below which is a search folder */
	OK2(s, purge_softdelete, &purge, &purged);
	ck_assert_uint_eq(purged.cnt_messages, 0);
	struct gx_x_delete_folder_req del = {.folder_id = a, .hard = false};
	struct gx_x_delete_folder_ans done;
	OK2(s, delete_folder, &del, &done);
	ck_assert(done.result);
	struct gx_x_is_folder_deleted_req is = {a};
	struct gx_x_is_folder_deleted_ans deleted;
	OK2(s, is_folder_deleted, &is, &deleted);
	ck_assert(deleted.deleted);
	del.folder_id = EID(GX_FID_INBOX);
	OK2(s, delete_folder, &del, &done);
	ck_assert(!done.result);
}

void scene_receive(struct scene *s)
{
	struct gx_x_get_folder_by_class_req q = {"IPM.Note.SMIME"};
	struct gx_x_get_folder_by_class_ans ans;
	OK2(s, get_folder_by_class, &q, &ans);
	ck_assert_uint_eq(ans.id, EID(GX_FID_INBOX));
	uint64_t mine = scene_make_folder(s, EID(GX_FID_IPMSUBTREE), "reports");
	struct gx_x_set_folder_by_class_req set = {mine, "IPM.Mine"};
	struct gx_x_set_folder_by_class_ans done;
	OK2(s, set_folder_by_class, &set, &done);
	ck_assert(done.result);
	q.message_class = "IPM.Mine.More";
	OK2(s, get_folder_by_class, &q, &ans);
	ck_assert_uint_eq(ans.id, mine);
	ck_assert_str_eq(ans.explicit_class, "IPM.Mine");
	struct gx_x_get_folder_class_table_ans table;
	OK_ANS(s, get_folder_class_table, &table);
	uint32_t found = 0;
	for (uint32_t i = 0; i < table.rows_count; ++i)
		found += strcmp(gx_proplist_str(&table.rows[i], PidTagMessageClass, ""), "IPM.Mine") == 0 &&
			(uint64_t)gx_proplist_get(&table.rows[i], PidTagFolderId)->v.i64 == mine;
	ck_assert_uint_eq(found, 1);
	set.folder_id = 0;
	OK2(s, set_folder_by_class, &set, &done);
	ck_assert(done.result);
	OK2(s, get_folder_by_class, &q, &ans);
	ck_assert_uint_ne(ans.id, mine);
	set.message_class = "\xff nonsense";
	OK2(s, set_folder_by_class, &set, &done);
	ck_assert(!done.result);
}
