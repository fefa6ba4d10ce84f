/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_MAPI_SYNC_H
#define GX_TOOLS_MAPI_SYNC_H
/* sync: what both directions share. */
#include "tools/mapi_syncdir.h"

struct work {
	struct tool *t;
	struct syncdir d;
	struct gx_mapi_obj *folder, *sync, *collector;
	unsigned fetched, changed, deleted, read, sent, edited, removed, conflicts, failed;
	uint32_t done, total;
	unsigned unsaved;
	int rc;                /* why a callback has stopped it */
};

/* What has changed in the directory goes to the server (mapi_syncup.c). 0 or an exit code; complains. */
int mapi_sync_up(struct work *w);
/*
 * The file of a message that both sides have changed stays, under a name that is told; the next run sends it as a new message. @p what
 * is a word for the name, @p why what is said of it.
 */
int mapi_sync_keep(struct work *w, uint64_t mid, const char *what, const char *why);

#endif
