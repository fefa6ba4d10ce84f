/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store under load: threads that do everything at once to a few mailboxes, and copies of what is in them that
 * are kept by notifications and synchronisations alone. What both say must be the same.
 */
#ifndef GX_TESTS_SOAK_H
#define GX_TESTS_SOAK_H
#include <pthread.h>
#include <stdatomic.h>
#include <gx/delivery.h>
#include <gx/exmdb.h>
#include <gx/folder.h>
#include <gx/idset.h>
#include <gx/search.h>
#include <gx/storeset.h>
#include <gx/table.h>

#define STORES 8U          /* the last two are public */
#define THREADS 32U
#define PICK_MAX 32U
#define FOLDER_MAX 400U    /* messages a folder may have before it is emptied rather than filled */
#define TREE_MAX 40U       /* folders a store may have before some are removed */
#define WAIT_MS 300000     /* for a turn: long enough for a slow build on a busy machine */

/* ---- Failures (main.c) ---- */

struct soak;
/* Something is not as it must be: said at once, and the end is a failure. */
void soak_fail(struct soak *k, const char *fmt, ...) GX_PRINTF(2, 3);

/* ---- What events say of a store (events.c) ---- */

struct soak_slot {
	uint64_t mid, fid; /* mid 0: never used; fid 0: no longer there */
};
struct soak_events {
	pthread_mutex_t lock;
	struct soak *k;
	struct soak_slot *v;
	size_t n, cap;
	uint64_t heard;
};
int soak_events_init(struct soak_events *e, struct soak *k);
void soak_events_release(struct soak_events *e);
void soak_events_put(struct soak_events *e, uint64_t mid, uint64_t fid);
void soak_events_take(struct soak_events *e, uint64_t mid, uint64_t fid);
void soak_events_hear(const struct gx_event *ev, void *ctx);
size_t soak_events_count(struct soak_events *e, uint64_t fid);
bool soak_events_has(struct soak_events *e, uint64_t mid, uint64_t fid);

/* ---- Rows kept by the events of a table (mirror.c) ---- */

struct soak_row {
	uint64_t fid, mid;
	uint32_t inst;
};
struct soak_mirror {
	pthread_mutex_t lock;
	struct soak *k;
	struct soak_row *v;
	size_t n, cap;
	bool valid;              /* else what was told last is that it must be read again */
	bool hierarchy;
	uint64_t told, anew;
};
int soak_mirror_init(struct soak_mirror *m, struct soak *k);
void soak_mirror_release(struct soak_mirror *m);
void soak_mirror_apply(struct soak_mirror *m, const struct gx_table_event *ev);
void soak_mirror_hear(struct gx_table *tb, const struct gx_table_event *ev, void *ctx);
/* The rows as they are: compared when the copy is valid, taken when it is not. */
void soak_mirror_compare(struct soak_mirror *m, const struct soak_row *v, size_t n, const char *what);

/* ---- All of it ---- */

struct soak_store {
	char dir[512];
	bool is_public;
	uint64_t root;           /* below it everything happens */
	uint64_t inbox;
	struct gx_store *s;      /* held while it lasts */
	uint64_t sub;
	struct soak_events events;
};
struct soak {
	char dir[480];
	struct gx_store_pool *pool;
	struct soak_store st[STORES];
	atomic_bool stop;
	atomic_uint failures;
	atomic_uint_least64_t done;    /* operations */
	atomic_uint_least64_t mirrored, read_anew, synced, compared;
	pthread_barrier_t end;         /* nobody changes anything any more */
	unsigned seconds, threads;
	struct gx_log log;
};

struct soak_table;
struct soak_client;
struct soak_tree;
struct soak_session;
struct soak_remote;
struct soak_thread {
	struct soak *k;
	unsigned number;
	pthread_t id;
	uint64_t seed;
	struct gx_arena *a;
	struct gx_prepare_ctx *ctx;
	struct soak_store *st;         /* of the operation that runs */
	struct gx_store *s;
	struct soak_table *table;      /* what it keeps from one operation to the next; each may be NULL */
	struct soak_client *client;
	struct soak_tree *tree;
	struct soak_session *session;
	struct soak_remote *remote;
	struct gx_inst *inst;
	struct soak_store *inst_st;
};

/* ---- For the operations (util.c) ---- */

uint32_t soak_rnd(struct soak_thread *w, uint32_t n);
const struct gx_actor *soak_actor(struct soak_thread *w);
extern const struct gx_actor soak_system;
/* NULL after a failure that was told. */
struct gx_txn *soak_begin(struct soak_thread *w, struct gx_store *s, const struct gx_actor *who, int mode);
void soak_commit(struct soak_thread *w, struct gx_txn *t);
/* Is it done? What may happen when others do what they like is no failure, all else is told. */
bool soak_done(struct soak_thread *w, struct gx_txn *t, gx_ec ec, const char *what);
/* Any folder that messages are in; 0 none. */
uint64_t soak_folder(struct soak_thread *w, struct gx_txn *t);
struct soak_pick {
	uint64_t fid, mid[PICK_MAX];
	size_t n;
};
/* A folder and some of its messages, which may be gone by the time they are used. */
void soak_pick(struct soak_thread *w, struct soak_pick *p, size_t most);

/* ---- Operations ---- */

typedef void (*soak_op)(struct soak_thread *w);
void soak_deliver(struct soak_thread *w);      /* op_msg.c */
void soak_objects(struct soak_thread *w);
void soak_copy(struct soak_thread *w);
void soak_delete(struct soak_thread *w);
void soak_flags(struct soak_thread *w);
void soak_read_marks(struct soak_thread *w);
void soak_edit(struct soak_thread *w);
void soak_folders(struct soak_thread *w);      /* op_folder.c */
void soak_empty(struct soak_thread *w);
void soak_purge(struct soak_thread *w);
void soak_settings(struct soak_thread *w);
void soak_rights(struct soak_thread *w);
void soak_searches(struct soak_thread *w);
void soak_upkeep(struct soak_thread *w);
void soak_imap(struct soak_thread *w);         /* op_read.c */
void soak_fetch(struct soak_thread *w);
void soak_find(struct soak_thread *w);
void soak_counters(struct soak_thread *w);
void soak_session_end(struct soak_thread *w);
void soak_rows(struct soak_thread *w);         /* op_table.c */
void soak_watch(struct soak_thread *w);
void soak_watch_end(struct soak_thread *w);
void soak_instance(struct soak_thread *w);     /* op_inst.c */
void soak_instance_end(struct soak_thread *w);
void soak_content_sync(struct soak_thread *w); /* op_sync.c */
void soak_tree_sync(struct soak_thread *w);
void soak_sync_end(struct soak_thread *w);

/* The events and the folders of a store say the same (events.c). */
void soak_compare_events(struct soak_thread *w, struct soak_store *st);

/* The second way, by client and server of the exmdb protocol (remote.c). */
void soak_remote(struct soak *k, uint64_t seed);

#endif
