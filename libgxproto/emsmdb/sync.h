/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_SYNC_H
#define GX_EMSMDB_SYNC_H
/* Objects of synchronisation: a download, which is a source of a stream, and a collector of what a client brings. [MS-OXCFXICS] */
#include <gx/ics.h>
#include "libgxproto/emsmdb/fasttransfer.h"

/* ---- What a client has, [MS-OXCFXICS] 2.2.1.1 (sync_state.c) ---- */

enum { GX_EMS_GIVEN, GX_EMS_SEEN, GX_EMS_SEEN_FAI, GX_EMS_READ, GX_EMS_STATE_SETS };
struct gx_ems_state {
	struct gx_globset set[GX_EMS_STATE_SETS]; /* numbers of the store's own replica */
	bool receiving;
	int which;                   /* set that is being received */
	uint32_t announced;          /* bytes of it */
	struct gx_push upload;
};
gx_ec gx_ems__state_begin(struct gx_rop_call *c, struct gx_ems_state *st, gx_proptag_t tag, uint32_t size);
gx_ec gx_ems__state_continue(struct gx_rop_call *c, struct gx_ems_state *st, struct gx_bin part);
gx_ec gx_ems__state_end(struct gx_rop_call *c, struct gx_ems_state *st);
void gx_ems__state_release(struct gx_ems_state *st);
/* The element "state" of a stream; what only messages have is left out for folders. */
int gx_ems__state_put(struct gx_ftx_out *out, const struct gx_ems_state *st, const struct gx_guid *replica, bool contents);
/* A property that is a set of ids by number of replica, [MS-OXCFXICS] 2.2.1.3. */
int gx_ems__put_idset(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_globset *ids);
/* Of a download or a collector; NULL for other objects. @ret_contents: of messages. */
struct gx_ems_state *gx_ems__state(struct gx_ems_obj *o, bool *ret_contents);

/* ---- Downloads ---- */

/* SynchronizationType, -Flags and -ExtraFlags, [MS-OXCFXICS] 2.2.3.2.1.1.1 */
enum { GX_SYNC_CONTENTS = 1, GX_SYNC_HIERARCHY = 2 };
enum {
	GX_SYNC_UNICODE = 0x0001, GX_SYNC_NO_DELETIONS = 0x0002, GX_SYNC_IGNORE_NO_LONGER_IN_SCOPE = 0x0004, GX_SYNC_READ_STATE = 0x0008,
	GX_SYNC_FAI = 0x0010, GX_SYNC_NORMAL = 0x0020, GX_SYNC_ONLY_SPECIFIED = 0x0080, GX_SYNC_NO_FOREIGN = 0x0100,
	GX_SYNC_BEST_BODY = 0x2000, GX_SYNC_IGNORE_SPECIFIED_ON_FAI = 0x4000, GX_SYNC_PROGRESS = 0x8000,
};
enum { GX_SYNC_EXTRA_EID = 1, GX_SYNC_EXTRA_SIZE = 2, GX_SYNC_EXTRA_CN = 4, GX_SYNC_EXTRA_BY_TIME = 8 };

struct gx_ems_sync {
	struct gx_ems_source src;
	bool contents;
	uint16_t flags;
	uint32_t extra;
	uint64_t fid;
	struct gx_arena *keep;       /* for the two below */
	const struct gx_restr *restr;
	struct gx_ems_filter filter, filter_fai, filter_version;
	struct gx_ems_state state;   /* as it was, with what has been handed out */
	struct gx_ems_state end;     /* as it will be when all of it has */
	int step;
	struct gx_ics_change now;    /* what is being put; a folder has id and number of it, too */
	struct gx_ics_change before; /* has been put */
	uint64_t before_end;         /* offset behind it */
	/* Messages (sync_contents.c) */
	struct gx_ics_content *list;
	struct gx_ems_items items;
	uint64_t *versions;          /* numbers of attachments, when the message is in conflict; malloc'd */
	size_t version_count, version_at;
	struct gx_inst *conflict;    /* whose versions they are */
	struct gx_globset gone;      /* announced, and not there any more when their turn came */
	/* Folders (sync_tree.c) */
	struct gx_ics_hierarchy *tree;
};
struct gx_ems_sync *gx_ems__sync(struct gx_ems_obj *o);
struct gx_ems_sync *gx_ems__sync_new(bool contents, uint64_t fid, uint32_t send_options);
/*
 * Nothing marks the end of a change in a stream: a client knows that it is complete when something else begins. So it counts for the state
 * when that has been handed out. At the beginning of each next(), and when the state is asked for:
 */
int gx_ems__sync_settle(struct gx_ems_sync *x);
/* The change of the moment has been put. */
void gx_ems__sync_ends(struct gx_ems_sync *x);
/* The element "state" as it is at the end, x->end. */
int gx_ems__sync_put_end(struct gx_ems_sync *x);
/* All of it has been handed out. */
void gx_ems__sync_finish(struct gx_ems_sync *x);
extern const struct gx_ems_source_ops gx_ems__contents_ops, gx_ems__tree_ops;

/* ---- Collectors (sync_upload.c) ---- */

struct gx_ems_collector {
	struct gx_ems_obj obj;
	uint64_t fid;
	bool contents;
	struct gx_ems_state state;
};
struct gx_ems_collector *gx_ems__collector(struct gx_ems_obj *o);
gx_ec gx_ems__give_collector(struct gx_rop_call *c, uint64_t fid, bool contents);
/* A folder's id in a source key of the store. ecInvalidParam. */
gx_ec gx_ems__source_id(struct gx_rop_call *c, struct gx_bin key, uint64_t *ret_id);
/* What the client brought it has: 0 is none. */
gx_ec gx_ems__collected(struct gx_ems_collector *u, uint64_t given, int which, uint64_t number);

/* A message that is being brought: what RopSynchronizationImportMessageChange said of it, until it is saved. */
struct gx_ems_import {
	uint32_t collector;          /* handle */
	struct gx_ics_message m;     /* points into bytes */
	uint8_t bytes[];
};
/* Malloc'd; NULL: no memory. */
struct gx_ems_import *gx_ems__import_new(const struct gx_ems_collector *u, const struct gx_ics_message *m);
/* As gx_inst_save(); what others did meanwhile is looked at again. */
gx_ec gx_ems__import_save(struct gx_rop_call *c, struct gx_ems_message *m, struct gx_save_result *ret_s);

#endif
