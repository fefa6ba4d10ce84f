/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_MAPI_SYNCDIR_H
#define GX_TOOLS_MAPI_SYNCDIR_H
/* A directory with a copy of a folder: one file a message, and what is known of them in ".gromox-mapi". */
#include "tools/mapi.h"

struct entry {
	uint64_t mid;
	char key[45];          /* source key in hexadecimal */
	bool is_read;
};
struct syncdir {
	struct gx_arena *a;
	const char *path;
	int dir, lock;         /* descriptors, -1: closed */
	uint64_t fid;          /* 0: the directory is new */
	struct gx_guid client; /* namespace of changes that are made here */
	uint64_t changes;      /* how many have been */
	struct gx_bin state;
	struct entry *v;       /* in no order */
	size_t n, cap;
};

/* Makes the directory if need be; nobody else may be at it. 0 or an exit code; complains. */
int syncdir_open(struct syncdir *d, struct gx_arena *a, const char *path);
void syncdir_close(struct syncdir *d);
/* All that is known, in place of what was known before; survives power loss. */
int syncdir_save(struct syncdir *d);
struct entry *syncdir_find(struct syncdir *d, uint64_t mid);
/* NULL: out of memory. */
struct entry *syncdir_add(struct syncdir *d, uint64_t mid, struct gx_bin key);
void syncdir_remove(struct syncdir *d, struct entry *e);
/* "0xID.eml" */
void syncdir_name(uint64_t mid, char name[32]);
/* Is it one of those names, whether we know the message or not? */
bool syncdir_is_name(const char *name);
int syncdir_write(struct syncdir *d, uint64_t mid, struct gx_bin mail);

#endif
