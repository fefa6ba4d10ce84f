/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the mailbox as a whole. */
#include <config.h>
#include <gx/storeset.h>
#include "libgxproto/mbop/mbop-int.h"

bool gx_mbop__ping(struct gx_mbop_job *j)
{
	return MBOP0(j, ping_store);
}

bool gx_mbop__unload(struct gx_mbop_job *j)
{
	return MBOP0(j, unload_store);
}

bool gx_mbop__vacuum(struct gx_mbop_job *j)
{
	return MBOP0(j, vacuum);
}

bool gx_mbop__purge_datafiles(struct gx_mbop_job *j)
{
	return MBOP0(j, purge_datafiles);
}

bool gx_mbop__recalc_sizes(struct gx_mbop_job *j)
{
	const struct gx_x_recalc_store_size_req q = {.flags = 0};
	return MBOP_REQ(j, recalc_store_size, &q);
}

bool gx_mbop__cgkreset(struct gx_mbop_job *j)
{
	const struct gx_x_cgkreset_req q = {.flags = GX_CGK_FOLDERS | GX_CGK_MESSAGES};
	return MBOP_REQ(j, cgkreset, &q);
}

/* set_maintenance: 2 rejects, 4 rejects after what is running has ended. */
enum { MODE_USABLE = 0, MODE_REJECT = 2, MODE_REJECT_WAIT = 4 };

static bool maintenance(struct gx_mbop_job *j, uint32_t mode)
{
	const struct gx_x_set_maintenance_req q = {.mode = mode};
	return MBOP_REQ(j, set_maintenance, &q);
}

bool gx_mbop__freeze(struct gx_mbop_job *j)
{
	return maintenance(j, gx_mbop__opt(j->cmd, "no-wait")->set ? MODE_REJECT : MODE_REJECT_WAIT);
}

bool gx_mbop__thaw(struct gx_mbop_job *j)
{
	return maintenance(j, MODE_USABLE);
}

bool gx_mbop__echo_maildir(struct gx_mbop_job *j)
{
	if (j->t->dir[0] == '\0')
		return gx_mbop__fail(j, j->t->is_public ? "the domain has no public store" : "the user has no mailbox");
	gx_mbop__say(j, "%s", j->t->dir);
	return true;
}

bool gx_mbop__echo_username(struct gx_mbop_job *j)
{
	if (j->t->user == NULL && !j->t->is_public)
		return gx_mbop__fail(j, "nobody in the directory has this mailbox");
	gx_mbop__say(j, "%s", j->t->who);
	return true;
}

/* ---- IMAP ---- */

static bool show_counts(struct gx_mbop_job *j, const struct gx_mbop_folder *f)
{
	static const gx_proptag_t tags[] = {PidTagContentCount, PidTagContentUnreadCount};
	const struct gx_x_get_folder_properties_req q = {.folder_id = f->fid, .tags = tags, .tags_count = 2};
	struct gx_x_get_folder_properties_ans ans;
	if (!MBOP2(j, get_folder_properties, &q, &ans))
		return false;
	uint32_t all = (uint32_t)gx_proplist_i32(&ans.props, PidTagContentCount, 0);
	uint32_t unread = (uint32_t)gx_proplist_i32(&ans.props, PidTagContentUnreadCount, 0);
	gx_mbop__row(j);
	gx_mbop__text(j, "folder", f->name);
	gx_mbop__num(j, "messages", all);
	gx_mbop__num(j, "unread", unread);
	gx_mbop__say(j, "%s: %u messages, %u unread", f->name, all, unread);
	return true;
}

/* What IMAP shows is part of the store, so that only its counts could be wrong. */
bool gx_mbop__sync_midb(struct gx_mbop_job *j)
{
	const struct gx_mbop_value *v = gx_mbop__opt(j->cmd, "f");
	const struct gx_mbop_spec root = {.text = "/", .base = 1};
	struct gx_mbop_folder *f;
	uint64_t fid;
	size_t n;
	if (!MBOP0(j, ping_store))
		return false;
	if (!v->set)
		return true;
	if (!gx_mbop__find(j, v->all ? &root : &v->spec, &fid) || !gx_mbop__recalc_sizes(j) ||
		!gx_mbop__tree(j, fid, v->all, &f, &n))
		return false;
	for (size_t i = v->all ? 1 : 0; i < n; ++i)
		if (!show_counts(j, &f[i]))
			return false;
	return true;
}
