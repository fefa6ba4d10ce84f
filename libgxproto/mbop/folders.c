/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and their messages, as commands want them. */
#include <config.h>
#include <gx/folder.h>
#include <gx/restr.h>
#include "libgxproto/mbop/mbop-int.h"

enum { ROWS = 5000, DELETE_STEP = 1000, MAX_DEPTH = 200 };
/* [MS-OXCFOLD] 2.2.1.13.1.1, 2.2.1.14.1 */
enum { TABLE_ASSOCIATED = 0x02, TABLE_NO_NOTIFICATIONS = 0x10 };

bool gx_mbop__find(struct gx_mbop_job *j, const struct gx_mbop_spec *s, uint64_t *ret_fid)
{
	struct gx_x_is_folder_present_req q = {.folder_id = gx_eid_make(1, s->base)};
	struct gx_x_is_folder_present_ans ans;
	if (s->symbolic && j->t->is_public)
		return gx_mbop__fail(j, "%s: a public store has no folders of such names; begin the path with /", s->text);
	if (!MBOP2(j, is_folder_present, &q, &ans))
		return false;
	if (!ans.exists)
		return gx_mbop__fail(j, "%s: there is no such folder", s->text);
	*ret_fid = q.folder_id;
	for (size_t i = 0; i < s->n; ++i) {
		const struct gx_x_get_folder_by_name_req by = {.parent_id = *ret_fid, .name = s->names[i]};
		struct gx_x_get_folder_by_name_ans found;
		if (!MBOP2(j, get_folder_by_name, &by, &found))
			return false;
		if (found.folder_id == 0)
			return gx_mbop__fail(j, "%s: there is no folder \"%s\"", s->text, s->names[i]);
		*ret_fid = found.folder_id;
	}
	return true;
}

/* ---- Rows of a table ---- */

typedef bool row_fn(struct gx_mbop_job *j, const struct gx_proplist *row, void *ctx);

static bool rows(struct gx_mbop_job *j, uint32_t table, uint32_t count, const gx_proptag_t *tags, uint32_t ntags,
	row_fn *fn, void *ctx)
{
	for (uint32_t at = 0; at < count;) {
		const struct gx_x_query_table_req q = {
			.table_id = table, .tags = tags, .tags_count = ntags, .start_pos = at, .row_needed = ROWS};
		struct gx_x_query_table_ans ans;
		if (!MBOP2(j, query_table, &q, &ans))
			return false;
		for (uint32_t i = 0; i < ans.rows_count; ++i)
			if (!fn(j, &ans.rows[i], ctx))
				return false;
		if (ans.rows_count == 0)
			break;
		at += ans.rows_count;
	}
	return true;
}

static bool unload(struct gx_mbop_job *j, uint32_t table, bool ok)
{
	const struct gx_x_unload_table_req q = {.table_id = table};
	const char *why = j->why;
	gx_ec ec = j->ec;
	bool unloaded = MBOP_REQ(j, unload_table, &q);
	if (!ok) {
		j->why = why; /* of the first failure */
		j->ec = ec;
	}
	return ok && unloaded;
}

/* ---- Folders ---- */

struct folders {
	struct gx_mbop_folder *v;
	size_t n, cap;
};

static bool take_folder(struct gx_mbop_job *j, const struct gx_proplist *row, void *ctx)
{
	struct folders *f = ctx;
	const struct gx_propval *fid = gx_proplist_get(row, PidTagFolderId);
	if (fid == NULL)
		return true;
	f->v = gx_arena_grow(j->a, f->v, &f->cap, f->n + 1, sizeof(*f->v));
	if (f->v == NULL)
		return gx_mbop__nomem(j);
	f->v[f->n++] = (struct gx_mbop_folder){.fid = (uint64_t)fid->v.i64,
		.name = gx_proplist_str(row, PidTagDisplayName, ""),
		.search = gx_proplist_i32(row, PidTagFolderType, GX_FOLDER_GENERIC) == GX_FOLDER_SEARCH};
	return true;
}

static bool list_folders(struct gx_mbop_job *j, uint64_t fid, struct folders *f)
{
	static const gx_proptag_t tags[] = {PidTagFolderId, PidTagDisplayName, PidTagFolderType};
	const struct gx_x_load_hierarchy_table_req q = {.folder_id = fid, .table_flags = TABLE_NO_NOTIFICATIONS};
	struct gx_x_load_hierarchy_table_ans t;
	return MBOP2(j, load_hierarchy_table, &q, &t) &&
	       unload(j, t.table_id, rows(j, t.table_id, t.row_count, tags, 3, take_folder, f));
}

bool gx_mbop__children(struct gx_mbop_job *j, uint64_t fid, struct gx_mbop_folder **ret_v, size_t *ret_n)
{
	struct folders f = {.v = NULL};
	if (!list_folders(j, fid, &f))
		return false;
	*ret_v = f.v;
	*ret_n = f.n;
	return true;
}

static bool add_tree(struct gx_mbop_job *j, uint64_t fid, int depth, struct folders *all)
{
	struct folders f = {.v = NULL};
	if (depth > MAX_DEPTH)
		return gx_mbop__fail(j, "folders are nested more than %d deep", (int)MAX_DEPTH);
	if (!list_folders(j, fid, &f))
		return false;
	for (size_t i = 0; i < f.n; ++i) {
		if (f.v[i].search)
			continue;
		all->v = gx_arena_grow(j->a, all->v, &all->cap, all->n + 1, sizeof(*all->v));
		if (all->v == NULL)
			return gx_mbop__nomem(j);
		all->v[all->n++] = f.v[i];
		if (!add_tree(j, f.v[i].fid, depth + 1, all))
			return false;
	}
	return true;
}

bool gx_mbop__tree(struct gx_mbop_job *j, uint64_t fid, bool depth, struct gx_mbop_folder **ret_v, size_t *ret_n)
{
	static const gx_proptag_t name = PidTagDisplayName;
	const struct gx_x_get_folder_properties_req q = {.folder_id = fid, .tags = &name, .tags_count = 1};
	struct gx_x_get_folder_properties_ans ans;
	struct folders all = {.v = NULL};
	if (!MBOP2(j, get_folder_properties, &q, &ans))
		return false;
	all.v = gx_arena_grow(j->a, NULL, &all.cap, 1, sizeof(*all.v));
	if (all.v == NULL)
		return gx_mbop__nomem(j);
	all.v[all.n++] = (struct gx_mbop_folder){.fid = fid, .name = gx_proplist_str(&ans.props, name, "")};
	if (depth && !add_tree(j, fid, 0, &all))
		return false;
	*ret_v = all.v;
	*ret_n = all.n;
	return true;
}

/* ---- Messages ---- */

struct messages {
	uint64_t *v;
	size_t n, cap;
};

static bool take_message(struct gx_mbop_job *j, const struct gx_proplist *row, void *ctx)
{
	struct messages *m = ctx;
	const struct gx_propval *mid = gx_proplist_get(row, PidTagMid);
	if (mid == NULL)
		return true;
	m->v = gx_arena_grow(j->a, m->v, &m->cap, m->n + 1, sizeof(*m->v));
	if (m->v == NULL)
		return gx_mbop__nomem(j);
	m->v[m->n++] = (uint64_t)mid->v.i64;
	return true;
}

bool gx_mbop__messages(
	struct gx_mbop_job *j, uint64_t fid, bool fai, const struct gx_restr *r, uint64_t **ret_v, size_t *ret_n)
{
	static const gx_proptag_t tags[] = {PidTagMid};
	const struct gx_x_load_content_table_req q = {.folder_id = fid, .restriction = r,
		.table_flags = TABLE_NO_NOTIFICATIONS | (fai ? TABLE_ASSOCIATED : 0)};
	struct gx_x_load_content_table_ans t;
	struct messages m = {.v = NULL};
	if (!MBOP2(j, load_content_table, &q, &t) ||
		!unload(j, t.table_id, rows(j, t.table_id, t.row_count, tags, 1, take_message, &m)))
		return false;
	*ret_v = m.v;
	*ret_n = m.n;
	return true;
}

bool gx_mbop__delete(struct gx_mbop_job *j, uint64_t fid, const uint64_t *mids, size_t n, bool hard)
{
	for (size_t at = 0; at < n; at += DELETE_STEP) {
		size_t step = n - at < DELETE_STEP ? n - at : DELETE_STEP;
		const struct gx_x_delete_messages_req q = {
			.folder_id = fid, .message_ids = mids + at, .message_ids_count = (uint32_t)step, .hard = hard};
		struct gx_x_delete_messages_ans ans;
		gx_mbop__progress(j, "deleting messages", at, n);
		if (!MBOP2(j, delete_messages, &q, &ans))
			return false;
		if (ans.partial)
			return gx_mbop__fail(j, "some messages could not be deleted");
	}
	return true;
}

bool gx_mbop__count(struct gx_mbop_job *j, uint64_t fid, bool fai, uint32_t *ret_n)
{
	const struct gx_x_sum_content_req q = {.folder_id = fid, .fai = fai, .deleted = false};
	struct gx_x_sum_content_ans ans;
	if (!MBOP2(j, sum_content, &q, &ans))
		return false;
	*ret_n = ans.count;
	return true;
}
