/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_MAPI_SYNCDIR_H
#define GX_TOOLS_MAPI_SYNCDIR_H
/*
 * A directory with a copy of a folder: one file a message, and what is known of them in ".gromox-mapi"; what has come since that
 * was written is in ".gromox-mapi.log", a line before each file. Either may end at any moment, and the next run knows what each file was.
 */
#include "tools/mapi.h"

enum { HASH = 32 };
struct entry {
	uint64_t mid;
	char key[45];          /* source key in hexadecimal */
	bool is_read;
	bool known;            /* hash is known: what the file was when server and copy were the same */
	uint8_t hash[HASH];
	uint64_t size;         /* of that file, and its times in ns; 0: they say nothing */
	int64_t mtime, ctime;
	struct gx_bin pcl;     /* versions that it knows, [MS-OXCFXICS] 2.2.2.3; empty: not known */
	uint64_t change;       /* number of a change of ours that is on its way, 0: none */
	uint8_t sent[HASH];    /* what the file was then */
	const char *name;      /* of a new file until the server has it, else NULL: 0xID.eml */
	bool edited;           /* while it runs: the file is to be sent */
};
struct syncdir {
	struct gx_arena *a;
	const char *path;
	int dir, lock, log;    /* descriptors, -1: closed */
	uint64_t generation;   /* of the state: a log belongs to one */
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
/* With the ids alone. NULL: out of memory. */
struct entry *syncdir_add(struct syncdir *d, uint64_t mid, struct gx_bin key);
void syncdir_remove(struct syncdir *d, struct entry *e);
/* "0xID.eml" */
void syncdir_name(uint64_t mid, char name[32]);
/* The file of an entry; @p buf for its name. */
const char *syncdir_file(const struct entry *e, char buf[32]);
/* Is it one of those names, whether we know the message or not? */
bool syncdir_is_name(const char *name);
/* The message as it came, with what is known of it; the file is there when the entry counts. */
int syncdir_write(struct syncdir *d, const struct entry *e, struct gx_bin mail);
/* The message is none of the copy any more; its file is the caller's. */
int syncdir_forget(struct syncdir *d, uint64_t mid);

/* ---- Files ---- */

int syncdir_hash(struct gx_bin data, uint8_t hash[HASH]);
enum { FILE_SAME, FILE_EDITED, FILE_MISSING };
/* Is the file what it was? FILE_*, or -1: complained. */
int syncdir_look(struct syncdir *d, struct entry *e);
/* It is what it is now. */
void syncdir_note(struct syncdir *d, struct entry *e);
/* The same file under another name, "0xID-WHAT.eml"; a link, so that it is lost at no moment. */
int syncdir_set_aside(struct syncdir *d, uint64_t mid, const char *what, char name[64]);

#endif
