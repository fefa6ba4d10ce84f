/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and folders that go: delmsg, emptyfld, clear-rwz. */
#include <config.h>
#include <gx/folder.h>
#include <gx/restr.h>
#include <gx/time.h>
#include "libgxproto/mbop/mbop-int.h"

enum { MAX_DEPTH = 200 };

/* ---- delmsg ---- */

static bool is_there(struct gx_mbop_job *j, uint64_t fid, uint64_t mid, bool *ret_there)
{
	const struct gx_x_is_msg_present_req q = {.folder_id = fid, .message_id = mid};
	struct gx_x_is_msg_present_ans ans;
	if (!MBOP2(j, is_msg_present, &q, &ans))
		return false;
	*ret_there = ans.exists;
	return true;
}

bool gx_mbop__delmsg(struct gx_mbop_job *j)
{
	uint64_t fid, *mids = gx_arena_new_array(j->a, uint64_t, j->cmd->nargs + 1);
	size_t n = 0;
	bool there;
	if (mids == NULL)
		return gx_mbop__nomem(j);
	if (!gx_mbop__find(j, &gx_mbop__opt(j->cmd, "f")->spec, &fid))
		return false;
	for (size_t i = 0; i < j->cmd->nargs; ++i) {
		uint64_t mid = gx_eid_make(1, j->cmd->args[i].num);
		if (!is_there(j, fid, mid, &there))
			return false;
		if (there)
			mids[n++] = mid;
		else
			gx_mbop__say(j, "message %s is not in that folder", j->cmd->args[i].text);
	}
	if (!gx_mbop__delete(j, fid, mids, n, !gx_mbop__opt(j->cmd, "soft")->set))
		return false;
	gx_mbop__say(j, "%zu messages deleted", n);
	gx_mbop__num(j, "messages", n);
	return true;
}

/* ---- clear-rwz ---- */

bool gx_mbop__clear_rwz(struct gx_mbop_job *j)
{
	const struct gx_restr wizard = {.type = RES_CONTENT, .u.content = {.level = FL_FULLSTRING, .flags = FL_IGNORECASE,
		.tag = PidTagMessageClass, .val = {.tag = PidTagMessageClass, .v.str = "IPM.RuleOrganizer"}}};
	const uint64_t inbox = gx_eid_make(1, GX_FID_INBOX);
	uint64_t *mids;
	size_t n;
	if (j->t->is_public)
		return gx_mbop__fail(j, "a public store has no inbox");
	if (!gx_mbop__messages(j, inbox, true, &wizard, &mids, &n) || !gx_mbop__delete(j, inbox, mids, n, true))
		return false;
	gx_mbop__say(j, "%zu messages deleted", n);
	gx_mbop__num(j, "messages", n);
	return true;
}

/* ---- emptyfld ---- */

struct emptying {
	bool normal, fai, recurse, delempty, nuke, hard, aged;
	gx_nttime_t before;            /* when aged */
	uint64_t messages, associated, folders;
};

const char *gx_mbop__emptyfld_check(const struct gx_mbop_cmd *c)
{
	bool any = !gx_mbop__opt(c, "M")->set || gx_mbop__opt(c, "a")->set || gx_mbop__opt(c, "nuke-folders")->set ||
		gx_mbop__opt(c, "delempty")->set;
	return any ? NULL : "-M leaves nothing to remove; add -a, --delempty or --nuke-folders";
}

static bool subfolders(struct gx_mbop_job *j, uint64_t fid, uint32_t *ret_n)
{
	const struct gx_x_sum_hierarchy_req q = {.folder_id = fid, .depth = true};
	struct gx_x_sum_hierarchy_ans ans;
	if (!MBOP2(j, sum_hierarchy, &q, &ans))
		return false;
	*ret_n = ans.count;
	return true;
}

/* What is in a folder: normal messages, associated ones, folders. */
static bool contents(struct gx_mbop_job *j, uint64_t fid, uint32_t n[3])
{
	return gx_mbop__count(j, fid, false, &n[0]) && gx_mbop__count(j, fid, true, &n[1]) && subfolders(j, fid, &n[2]);
}

static uint64_t fewer(uint32_t before, uint32_t after)
{
	return before > after ? before - after : 0; /* others may have put something there */
}

/* By the server, in one go. Messages of subfolders are not counted. */
static bool at_server(struct gx_mbop_job *j, uint64_t fid, struct emptying *e, uint32_t what)
{
	struct gx_x_empty_folder_req q = {.folder_id = fid, .flags = what | (e->hard ? (uint32_t)GX_CONTENT_HARD : 0)};
	struct gx_x_empty_folder_ans ans;
	uint32_t before[3], after[3];
	if (!contents(j, fid, before) || !MBOP2(j, empty_folder, &q, &ans) || !contents(j, fid, after))
		return false;
	e->messages += fewer(before[0], after[0]);
	e->associated += fewer(before[1], after[1]);
	e->folders += fewer(before[2], after[2]);
	return !ans.partial || gx_mbop__fail(j, "something could not be removed");
}

static bool some_messages(struct gx_mbop_job *j, uint64_t fid, const struct emptying *e, bool fai, uint64_t *io_n)
{
	const struct gx_restr old = {.type = RES_PROPERTY, .u.prop = {.relop = RELOP_LT, .tag = PidTagLastModificationTime,
		.val = {.tag = PidTagLastModificationTime, .v.time = e->before}}};
	uint64_t *mids;
	size_t n;
	if (!gx_mbop__messages(j, fid, fai, e->aged ? &old : NULL, &mids, &n) || !gx_mbop__delete(j, fid, mids, n, e->hard))
		return false;
	*io_n += n;
	return true;
}

/* A folder that holds nothing goes; one that has to stay, as built-in ones, stays without a word. */
static bool drop_if_empty(struct gx_mbop_job *j, uint64_t fid, struct emptying *e)
{
	const struct gx_x_delete_folder_req q = {.folder_id = fid, .hard = e->hard};
	struct gx_x_delete_folder_ans ans;
	uint32_t n[3];
	if (!contents(j, fid, n))
		return false;
	if (n[0] + n[1] + n[2] > 0)
		return true;
	if (!MBOP2(j, delete_folder, &q, &ans))
		return gx_ec_is(j->ec, ecAccessDenied);
	e->folders += ans.result;
	return true;
}

static bool by_hand(struct gx_mbop_job *j, uint64_t fid, struct emptying *e, int depth)
{
	struct gx_mbop_folder *v;
	size_t n = 0;
	if (depth > MAX_DEPTH)
		return gx_mbop__fail(j, "folders are nested more than %d deep", (int)MAX_DEPTH);
	if (e->normal && !some_messages(j, fid, e, false, &e->messages))
		return false;
	if (e->fai && !some_messages(j, fid, e, true, &e->associated))
		return false;
	if (e->nuke)
		return at_server(j, fid, e, GX_CONTENT_FOLDERS);
	if ((e->recurse || e->delempty) && !gx_mbop__children(j, fid, &v, &n))
		return false;
	for (size_t i = 0; i < n; ++i) {
		if (v[i].search)
			continue; /* its messages are those of other folders */
		if (e->recurse && !by_hand(j, v[i].fid, e, depth + 1))
			return false;
		if (e->delempty && !drop_if_empty(j, v[i].fid, e))
			return false;
	}
	return true;
}

/* Messages of a search are in other folders, and would stay. */
static bool no_search(struct gx_mbop_job *j, uint64_t fid, const char *name)
{
	static const gx_proptag_t type = PidTagFolderType;
	const struct gx_x_get_folder_properties_req q = {.folder_id = fid, .tags = &type, .tags_count = 1};
	struct gx_x_get_folder_properties_ans ans;
	if (!MBOP2(j, get_folder_properties, &q, &ans))
		return false;
	return gx_proplist_i32(&ans.props, type, GX_FOLDER_GENERIC) != GX_FOLDER_SEARCH ||
	       gx_mbop__fail(j, "%s: this is a search; empty the folders that it looks into", name);
}

static bool empty_one(struct gx_mbop_job *j, const struct gx_mbop_value *arg, const struct emptying *how)
{
	struct emptying e = *how;
	uint64_t fid;
	uint32_t what = (e.normal ? (uint32_t)GX_CONTENT_NORMAL : 0) | (e.fai ? (uint32_t)GX_CONTENT_FAI : 0) |
		(e.nuke ? (uint32_t)GX_CONTENT_FOLDERS : 0);
	bool trivial = !e.aged && !e.recurse && !e.delempty;
	if (!gx_mbop__find(j, &arg->spec, &fid) || !no_search(j, fid, arg->text))
		return false;
	bool ok = trivial ? at_server(j, fid, &e, what) : by_hand(j, fid, &e, 0);
	gx_mbop__row(j);
	gx_mbop__text(j, "folder", arg->text);
	gx_mbop__num(j, "messages", e.messages);
	gx_mbop__num(j, "associated", e.associated);
	gx_mbop__num(j, "folders", e.folders);
	gx_mbop__say(j, "%s: %llu messages, %llu associated messages and %llu folders removed", arg->text,
		(unsigned long long)e.messages, (unsigned long long)e.associated, (unsigned long long)e.folders);
	return ok;
}

bool gx_mbop__emptyfld(struct gx_mbop_job *j)
{
	const struct gx_mbop_value *age = gx_mbop__opt(j->cmd, "t");
	struct emptying e = {
		.normal = !gx_mbop__opt(j->cmd, "M")->set,
		.fai = gx_mbop__opt(j->cmd, "a")->set,
		.recurse = gx_mbop__opt(j->cmd, "R")->set,
		.delempty = gx_mbop__opt(j->cmd, "delempty")->set,
		.nuke = gx_mbop__opt(j->cmd, "nuke-folders")->set,
		.hard = !gx_mbop__opt(j->cmd, "soft")->set,
		.aged = age->set,
	};
	if (e.nuke)
		e.recurse = e.delempty = false; /* nothing is left to go down into */
	if (e.aged)
		e.before = gx_nttime_from_unix(gx_clock_unix(gx_clock_system()) - (int64_t)age->num, 0);
	for (size_t i = 0; i < j->cmd->nargs; ++i)
		if (!empty_one(j, &j->cmd->args[i], &e))
			return false;
	return true;
}
