/* SPDX-License-Identifier: Apache-2.0 */
/* purge-softdelete: what users could still restore goes for good. */
#include <config.h>
#include <gx/folder.h>
#include <gx/time.h>
#include "libgxproto/mbop/mbop-int.h"

/* Without an age everything goes, also what a server whose clock is ahead has just deleted. */
static gx_nttime_t cutoff(const struct gx_mbop_value *age)
{
	int64_t now = gx_clock_unix(gx_clock_system());
	return gx_nttime_from_unix(age->num == 0 ? now + 86400 : now - (int64_t)age->num, 0);
}

static bool purge_one(struct gx_mbop_job *j, const struct gx_mbop_value *arg)
{
	uint32_t folders = gx_mbop__opt(j->cmd, "r")->set ? GX_CONTENT_FOLDERS : 0;
	struct gx_x_purge_softdelete_req q = {
		.del_flags = GX_CONTENT_NORMAL | GX_CONTENT_FAI | folders, .cutoff = cutoff(gx_mbop__opt(j->cmd, "t"))};
	struct gx_x_purge_softdelete_ans ans;
	if (!gx_mbop__find(j, &arg->spec, &q.folder_id) || !MBOP2(j, purge_softdelete, &q, &ans))
		return false;
	gx_mbop__row(j);
	gx_mbop__text(j, "folder", arg->text);
	gx_mbop__num(j, "messages", ans.cnt_messages);
	gx_mbop__num(j, "folders", ans.cnt_folders);
	gx_mbop__num(j, "bytes", ans.sz_normal);
	gx_mbop__num(j, "associated_bytes", ans.sz_fai);
	gx_mbop__say(j, "%s: %u messages (%llu bytes) and %u folders removed", arg->text, ans.cnt_messages,
		(unsigned long long)(ans.sz_normal + ans.sz_fai), ans.cnt_folders);
	return true;
}

bool gx_mbop__purge_softdelete(struct gx_mbop_job *j)
{
	for (size_t i = 0; i < j->cmd->nargs; ++i)
		if (!purge_one(j, &j->cmd->args[i]))
			return false;
	return true;
}
