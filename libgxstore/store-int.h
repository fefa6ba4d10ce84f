/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_STORE_INT_H
#define GXSTORE_STORE_INT_H
/* What the files of the store's core share. Lock order: writer slot, views, notify; `lock` is a leaf. */
#include <pthread.h>
#include <stdatomic.h>
#include <gx/store.h>
#include "libgxstore/ahead-int.h"
#include "libgxstore/content/content-int.h"
#include "libgxstore/fs-int.h"
#include "libgxstore/sql-int.h"

#define GX_DB_SUBDIR "exmdb"
#define GX_LOCK_NAME "store.lock"

/*
 * How far ids, change numbers and UIDs jump after a power loss: commits that were visible but not
 * flushed may be gone, their numbers must not come back. A flush is forced before as many
 * numbers were given out.
 */
#define GX_SKIP_AFTER_LOSS 65536U
#define GX_UNFLUSHED_MAX (GX_SKIP_AFTER_LOSS / 2)

/* ---- Connections (conn.c) ---- */

struct gx_conn {
	struct gx_sql *q;
	struct gx_cio *cio;
	struct gx_conn *next;
};
struct gx_waiter;

/* ---- Flushing (sync.c) ---- */

struct gx_flush {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	uint64_t committed;  /* number of the last commit */
	uint64_t flushed;    /* commits up to here survive power loss */
	bool running;
	bool suspect;        /* a flush failed: the log must be written again */
	bool kept;           /* a flush of the database failed: the log stays until the store is opened anew */
	int fd;              /* of the write-ahead log, -1 not opened yet */
	atomic_uint frames;  /* in the log */
	uint64_t unflushed;  /* numbers given out since the last flush */
	bool checkpointing;
	uint64_t veil;       /* the commit that nobody may see before it is flushed; UINT64_MAX to come, 0 none */
};

/* ---- IMAP views (viewcache.c) ---- */

#define GX_VIEW_BUCKETS 64
struct gx_fview;
struct gx_views {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct gx_fview *bucket[GX_VIEW_BUCKETS];
	uint64_t idle_entries; /* in views nobody uses */
	uint64_t clock;        /* for least recently used */
};

/* ---- Subscriptions (notify.c) ---- */

struct gx_sub;
struct gx_subs {
	pthread_mutex_t lock;
	struct gx_sub *head;
	uint64_t last;
	atomic_uint count;
};

/* ---- Full-text index (fts.c) ---- */

struct gx_idlist {
	uint64_t *v;
	size_t n, cap;
};
int gx_idlist__add(struct gx_idlist *l, uint64_t id) GX_MUST_CHECK;
void gx_idlist__release(struct gx_idlist *l);
/* Ascending, each once. */
void gx_idlist__sort(struct gx_idlist *l);
bool gx_idlist__has(const struct gx_idlist *l, uint64_t id);

struct gx_fts_state {
	uint64_t body, cn, n, alias;
};
struct gx_fts {
	pthread_mutex_t lock;        /* one at a time */
	struct gx_sql *q;            /* NULL: not opened yet */
	struct gx_fts_state at;      /* what the index holds; in a transaction of the index what it will hold */
	uint64_t lost;               /* the store's GX_META_LOST */
	_Atomic uint64_t cn_done;
	uint64_t commits;            /* of the store and one, when nothing was missing; 0 unknown */
	unsigned batches;            /* indexed since the log was moved */
	struct gx_idlist inner;      /* bodies inside of others that were indexed with them */
};

/* ---- Bodies that instances refer to (pins.c) ---- */

#define GX_PIN_BUCKETS 64
struct gx_pin;
struct gx_pins {
	pthread_mutex_t lock;
	struct gx_pin *bucket[GX_PIN_BUCKETS];
	atomic_bool due;              /* bodies may be there that nobody needs any more */
};

/* Lists whose members were asked for (people.c). */
struct gx_members;
struct gx_people {
	pthread_mutex_t lock;
	struct gx_members *head;
};
int gx_people__init(struct gx_people *p) GX_MUST_CHECK;
void gx_people__release(struct gx_people *p);

struct gx_far_ops;
struct gx_store {
	char *dir, *file, *program;
	const struct gx_far_ops *ops; /* another process is the owner, and this reaches it; NULL: we are */
	void *far;                    /* theirs */
	const struct gx_fs *fs;
	const struct gx_log *log;
	const struct gx_clock *clock;
	gx_store_render_cb render;
	void *render_ctx;
	gx_store_convert_cb convert;
	void *convert_ctx;
	struct gx_people people;
	bool is_public, marked;
	unsigned max_readers, cache_kib;
	struct gx_store_opts o;       /* what an administrator may choose; complete_opts() has put the defaults there */
	unsigned log_max;             /* bytes of the change log of a folder, 0 takes GX_CHANGELOG_MAX */
	unsigned ics_run;             /* changes that a synchronisation sorts at a time, 0 takes GX_ICSLIST_RUN */
	int lockfd;
	struct gx_guid replica, mailbox;

	pthread_mutex_t lock;
	pthread_cond_t cond;          /* a reader came back, or a transaction ended */
	struct gx_conn *writer, *idle;
	bool writer_busy, veiled;
	unsigned readers, running;
	int maintenance;              /* GX_MAINT_*, under lock */
	struct gx_waiter *wait_head, **wait_tail;

	struct gx_flush flush;
	struct gx_views views;
	struct gx_subs subs;
	struct gx_orders *orders;     /* sort orders there are, order-int.h */
	struct gx_fts fts, fts_ask;   /* who indexes; who asks, so that nobody waits for the first. Locked in this order */
	bool no_index, observe;
	char *uri;                    /* of the database when it is only observed */
	struct gx_searches *searches; /* search folders there are, search-int.h */
	atomic_bool searching;        /* some may not be through */
	struct gx_tables *tables;     /* open tables, table-int.h */
	struct gx_pins pins;
	struct gx_ahead ahead;
	atomic_bool sweep;            /* content files wait to be removed */
};

/* The public functions of those names on another file system. */
int gx_store__open_on(const struct gx_fs *fs, const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store,
	struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
int gx_store__create_on(const struct gx_fs *fs, const char *dir, const struct gx_store_create_opts *o, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/* Opens a store to look at it (observe.c). */
int gx_store__observe(struct gx_store *s, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/* The database of the store in @dir, whatever state it is in; nothing is written. */
int gx_store__open_foreign(struct gx_arena *a, const char *dir, struct gx_sql **ret_q, const char **ret_why) GX_MUST_CHECK;
/* What a new store gets of its owner. */
void gx_store__replica_guid(bool public_store, uint32_t owner_id, struct gx_guid *ret_g);
int gx_store__load_meta(struct gx_store *s, struct gx_sql *q, struct gx_arena *a) GX_MUST_CHECK;
/* The finished database of a new store, in a file that must not exist; neither flushed nor in its place. */
int gx_store__make_db(const struct gx_fs *fs, const char *file, const struct gx_store_create_opts *o, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/* "file:PATH?QUERY" for SQLite, from malloc(). */
/* The database cannot be reached, errno says why; GX_E_NOTFOUND where there is none. */
int gx_store__no_file(struct gx_arena *a, const char *file, const char **ret_why);
char *gx_store__uri(const char *path, const char *query);
void gx_store__why(struct gx_arena *a, const char **ret_why, const char *fmt, ...) GX_PRINTF(3, 4);
/* For tables of stores by their directory. */
uint32_t gx_store__dir_hash(const char *dir);
/* Who holds a lock file, for messages: "pid N, PROGRAM" or "unknown". */
void gx_store__read_holder(int fd, char *buf, size_t size);
int64_t gx_store__now_unix(const struct gx_store *s);
gx_nttime_t gx_store__now(const struct gx_store *s);

int gx_conn__open(struct gx_store *s, bool writer, struct gx_conn **ret_c, char *why, size_t size) GX_MUST_CHECK;
void gx_conn__close(struct gx_conn *c);
/* For conditions that go by CLOCK_MONOTONIC; below 0 is now. */
void gx_conn__deadline(int ms, struct timespec *ts);
/* The writer's slot, first come first served. GX_E_TIMEOUT. */
int gx_conn__take_writer(struct gx_store *s, int deadline_ms) GX_MUST_CHECK;
void gx_conn__give_writer(struct gx_store *s);
int gx_conn__take_reader(struct gx_store *s, int deadline_ms, struct gx_conn **ret_c, char *why, size_t size) GX_MUST_CHECK;
void gx_conn__give_reader(struct gx_store *s, struct gx_conn *c);
void gx_conn__wait_idle(struct gx_store *s);
/* New readers wait, so that nobody sees a commit before it is durable. */
void gx_conn__veil(struct gx_store *s, bool on);
void gx_conn__unveiled(struct gx_store *s); /* waits for it */
/* Maintenance: may transactions of others than the system begin? GX_E_BUSY, GX_E_TIMEOUT. */
int gx_conn__admit(struct gx_store *s, int deadline_ms) GX_MUST_CHECK;
/* Until nothing runs. GX_E_TIMEOUT. */
int gx_conn__quiesce(struct gx_store *s, int deadline_ms) GX_MUST_CHECK;

int gx_flush__init(struct gx_flush *f);
void gx_flush__release(struct gx_store *s);
/* Called by the writer after COMMIT: @return the commit's number. @ret_due: too much is not flushed yet. */
uint64_t gx_flush__committed(struct gx_store *s, uint64_t numbers_used, bool *ret_due);
/* Number of the last commit. */
uint64_t gx_flush__commits(struct gx_store *s);
/*
 * The next commit is seen by nobody before it is flushed: new readers wait from now on. Taken back
 * when there was no commit.
 */
void gx_flush__veil(struct gx_store *s);
void gx_flush__unveil(struct gx_store *s);
/* Until commit @seq survives power loss. */
int gx_flush__to(struct gx_store *s, uint64_t seq) GX_MUST_CHECK;
/* The same for who has the writer's slot and is not in a transaction. */
int gx_flush__to_as_writer(struct gx_store *s, uint64_t seq) GX_MUST_CHECK;
/* Flushes what the writer has in the log already, so that the flush of its commit is short. */
void gx_flush__early(struct gx_store *s);
/*
 * In the writer's slot, before a write: after a failed flush everything must be brought to safety
 * first, and so when more numbers are out than a power loss makes up for.
 */
int gx_flush__healthy(struct gx_store *s) GX_MUST_CHECK;
bool gx_flush__is_healthy(struct gx_store *s);
/* Moves the log into the database when it has grown to @frames. */
void gx_flush__checkpoint(struct gx_store *s, unsigned frames);
/* 0, or GX_E_IO and why not: after a failed flush the log keeps everything until the store is opened again. */
int gx_flush__may_move(struct gx_store *s, struct gx_sql *q) GX_MUST_CHECK;
/* Moves it now, SQLITE_CHECKPOINT_*; not after a failed flush. GX_E_BUSY: readers are in the way. */
int gx_flush__move(struct gx_store *s, struct gx_sql *q, int mode) GX_MUST_CHECK;
/* Writes the log's bytes again: nobody knows whether an earlier flush failed. As the writer. */
int gx_flush__write_again(struct gx_store *s) GX_MUST_CHECK;
/* Is there anything in the log? */
bool gx_flush__log_left(const struct gx_store *s);
/* Must the log stay when the store is closed? */
bool gx_flush__kept(struct gx_store *s);

/* ---- Schema (schema.c) ---- */

#define GX_SCHEMA_VERSION 3
#define GX_APPLICATION_ID 0x47585354 /* "GXST" */
/* Makes the tables of a version, from 1 to GX_SCHEMA_VERSION, in an empty database. */
int gx_schema__create(struct gx_sql *q, unsigned version) GX_MUST_CHECK;
/*
 * Indexes that an empty table does without: before its first row is written. In a transaction; costs nothing when
 * the index is there. Tables of version 2 and later.
 */
enum { GX_LATE_RULES, GX_LATE_FOUND, GX_LATE_PREAD };
int gx_schema__late(struct gx_sql *q, unsigned which) GX_MUST_CHECK;
int gx_schema__all_late(struct gx_sql *q) GX_MUST_CHECK;
/* May the index of that name be missing: is it one of those, and its table empty? 1, 0, or GX_E_*. */
int gx_schema__can_wait(struct gx_sql *q, const char *name) GX_MUST_CHECK;
/* Is it ours, and not newer than we are? */
int gx_schema__version(struct gx_sql *q, int64_t *ret_version) GX_MUST_CHECK;
/* Is it ours, and of GX_SCHEMA_VERSION? */
int gx_schema__look(struct gx_sql *q) GX_MUST_CHECK;
/* Checks that it is ours; brings it to GX_SCHEMA_VERSION. */
int gx_schema__open(struct gx_sql *q) GX_MUST_CHECK;
/* Step v[n-1] brings version n to n+1, each in a transaction of its own: an interrupted upgrade goes on. */
int gx_schema__upgrade(struct gx_sql *q, const char *const *v, int64_t from, int64_t to) GX_MUST_CHECK;
/* meta: small named values of the store. GX_E_NOTFOUND. */
int gx_meta__get_blob(struct gx_sql *q, const char *key, struct gx_arena *a, struct gx_bin *ret_v) GX_MUST_CHECK;
int gx_meta__get_int(struct gx_sql *q, const char *key, int64_t *ret_v) GX_MUST_CHECK;
int gx_meta__set_blob(struct gx_sql *q, const char *key, const void *p, size_t n) GX_MUST_CHECK;
int gx_meta__set_int(struct gx_sql *q, const char *key, int64_t v) GX_MUST_CHECK;
#define GX_META_LOST "lost"          /* change number at which the last power loss was noticed (recover.c) */
/* Are there searches that were not through (search_run.c)? */
int gx_search__resume(struct gx_store *s) GX_MUST_CHECK;
/* The mode of maintenance that was kept (maintain.c). */
int gx_store__load_maintenance(struct gx_store *s) GX_MUST_CHECK;
/* Finishes an interrupted life of the store: skips numbers after a power loss (recover.c). */
int gx_store__recover(struct gx_store *s) GX_MUST_CHECK;
/* Before the first write of this opening: notes that the store is in use. Inside a transaction of its own. */
int gx_store__mark(struct gx_store *s, struct gx_sql *q) GX_MUST_CHECK;
/* Last act: the store was closed in order. */
int gx_store__unmark(struct gx_store *s, struct gx_sql *q) GX_MUST_CHECK;

/* Removes content files that lost their last reference (cleanup.c); needs the writer, else next time. */
void gx_store__sweep(struct gx_store *s, int64_t min_age_ms);
/* Removes content files that a crash left behind, and then the mark of it. Everything must be flushed. */
int gx_store__collect(struct gx_store *s) GX_MUST_CHECK;

/* ---- Numbers that change with every message (counters.c) ---- */

/*
 * One narrow row a folder, all of them on few pages. Row 0 is the store: uidnext is the next object
 * id, modseq the last change number, uidvalidity the last one given out, log_floor the number
 * of deliveries, the rest sums.
 */
struct gx_fstate {
	uint64_t fid;
	uint32_t uidvalidity;
	uint64_t uidnext, modseq, total, unread, fai, softdel, size, log_bytes, log_floor;
	uint64_t fai_size, softdel_size; /* size is that of the normal ones */
	uint64_t removed;                /* messages ever deleted, PidTagDeletedCountTotal */
	gx_nttime_t changed_at;          /* last change of the contents, PidTagLocalCommitTimeMax */
	bool dirty, gone;
	struct gx_fstate *next;
};
/* GX_E_NOTFOUND. In a write transaction the object is the transaction's and changes to it are kept. */
int gx_fstate__get(struct gx_txn *t, uint64_t fid, struct gx_fstate **ret_f) GX_MUST_CHECK;
/* What the transaction has, NULL if nothing. */
struct gx_fstate *gx_fstate__peek(struct gx_txn *t, uint64_t fid);
int gx_fstate__add(struct gx_txn *t, uint64_t fid, struct gx_fstate **ret_f) GX_MUST_CHECK;
void gx_fstate__drop(struct gx_txn *t, struct gx_fstate *f);
int gx_fstate__write(struct gx_txn *t) GX_MUST_CHECK;
/* Adds (sign 1) or takes away (-1) a message with these flags and size, also from the store's sums. */
void gx_fstate__count(struct gx_txn *t, struct gx_fstate *f, uint32_t flags, uint64_t size, int sign);
uint64_t gx_txn__new_id(struct gx_txn *t);
/* A given id becomes an object's (numbers.c). ecDuplicateObject, ecInvalidParam, ecAccessDenied. */
gx_ec gx_txn__claim_id(struct gx_txn *t, uint64_t id) GX_MUST_CHECK;
/* The object with this id goes for good, or will never be: no client brings it back. */
int gx_txn__spend_id(struct gx_txn *t, uint64_t id) GX_MUST_CHECK;
/* 1: an id that nothing has is that of something that was here, 0: nothing had it ever. */
int gx_txn__is_spent(struct gx_txn *t, uint64_t id) GX_MUST_CHECK;
/* The store's change counter is at least @cn. */
void gx_txn__raise_cn(struct gx_txn *t, uint64_t cn);
uint64_t gx_txn__new_cn(struct gx_txn *t);

/* ---- Transactions (txn.c) ---- */

#define GX_FSTATE_BUCKETS 64
enum { GX_VOP_INSERT = 1, GX_VOP_UPDATE, GX_VOP_REMOVE, GX_VOP_DROP };
struct gx_view_op {
	uint64_t fid;
	int kind;
	struct gx_uid_entry e;
};
/*
 * Events that are told after the commit, each as what differs from the one before: a bulk operation has one a message.
 */
#define GX_EVENT_FIELDS 8U
struct gx_evlist {
	struct gx_push bytes;
	uint64_t last[GX_EVENT_FIELDS];
};
struct gx_txn {
	struct gx_store *s;
	void *far;                    /* of the store's ops */
	const struct gx_actor *actor;
	int mode;
	bool look;                    /* will be aborted */
	bool brief;                   /* of a reader: what takes long is left to others */
	struct gx_conn *c;
	struct gx_sql *q;
	struct gx_arena *a;           /* dies with the transaction */
	const char *user_key;         /* of the actor, folded at first need (pread.c) */
	int broken;                   /* the machinery failed: can only be aborted */
	char why[512];
	uint64_t numbers;             /* ids, change numbers and UIDs given out */
	struct gx_fstate *store_state;
	struct gx_fstate *fs[GX_FSTATE_BUCKETS];
	struct gx_chlist *changes;    /* for the change log, written before the commit (change.c) */
	struct gx_ordertxn *orders;   /* for sort orders, applied before the commit (order.c) */
	struct gx_tabletxn *tables;   /* what open tables are told after it (table_watch.c) */
	uint64_t version;             /* of a read transaction, see gx_txn__version(); 0 not asked yet */
	struct gx_view_op *vops;
	size_t nvops, cap_vops;
	struct gx_evlist events;
	gx_ec (*on_unread)(struct gx_txn *t, uint64_t mid, void *ctx); /* owed.c */
	void *on_unread_ctx;
	/* gx_msg_mime() */
	struct gx_push rendered, envelope, structure;
	uint64_t rendered_mid, rendered_cn, rendered_body; /* and which version of it */
	struct gx_stmt *mime_stmt;
};
/* A message goes that nobody has read: who wants to know is told, and the message does not owe it any more (owed.c). */
int gx_owed__going(struct gx_txn *t, uint64_t mid, uint32_t *io_flags) GX_MUST_CHECK;
/* @io_left, which may be NULL: how many may be owed in this transaction. */
int gx_owed__folder_going(struct gx_txn *t, uint64_t fid, size_t *io_left) GX_MUST_CHECK;
bool gx_txn__all_rights(const struct gx_txn *t);
/* The border to ecs; failures of the machinery break a write transaction. */
gx_ec gx_txn__ec(struct gx_txn *t, int err);
/* As above with the reason from the content layer. */
gx_ec gx_txn__cec(struct gx_txn *t, int err);
gx_ec gx_txn__fail(struct gx_txn *t, uint32_t code, const char *fmt, ...) GX_PRINTF(3, 4);
/* ecSuccess, or why nothing may be written in it. */
gx_ec gx_txn__writable(struct gx_txn *t);
/* What is done until the end can be undone as one; not nested. A failure to undo it breaks the transaction. */
int gx_txn__save(struct gx_txn *t) GX_MUST_CHECK;
int gx_txn__end_save(struct gx_txn *t, bool undo) GX_MUST_CHECK;
int gx_txn__vop(struct gx_txn *t, uint64_t fid, int kind, const struct gx_uid_entry *e) GX_MUST_CHECK;
int gx_txn__event(struct gx_txn *t, const struct gx_event *ev) GX_MUST_CHECK;
/* The change counter of the state that it reads: equal ones are equal states as far as clients can see. */
int gx_txn__version(struct gx_txn *t, uint64_t *ret_v) GX_MUST_CHECK;
/* A read transaction goes on with the newest state. */
int gx_txn__renew(struct gx_txn *t) GX_MUST_CHECK;
/* Opens a transaction of the system itself. */
int gx_txn__system(struct gx_store *s, int mode, int deadline_ms, struct gx_txn **ret_t) GX_MUST_CHECK;
/*
 * A write of the system that a reader makes on its way. GX_E_TIMEOUT also when a flush is due first; it does not move the
 * log and flushes nothing: the next writer does.
 */
int gx_txn__brief(struct gx_store *s, int deadline_ms, struct gx_txn **ret_t) GX_MUST_CHECK;
/* A write transaction that will be aborted: sees what the writer sees, and keeps others from writing. */
int gx_txn__look(struct gx_store *s, int deadline_ms, struct gx_txn **ret_t) GX_MUST_CHECK;

#define GX_OK_EC GX_EC(0)

/* ---- Change log (changelog.c): which messages changed or went since a change number ---- */

/* RENUMBERED: the message is still there, but under a higher UID, since what IMAP shows of it changed. */
enum { GX_LOG_CHANGED = 1, GX_LOG_EXPUNGED, GX_LOG_FAI_CHANGED, GX_LOG_FAI_EXPUNGED, GX_LOG_RENUMBERED };
struct gx_log_item {
	uint64_t mid;
	uint32_t uid;
};
#define GX_CHANGELOG_MAX (512U * 1024) /* bytes of a folder's log, unless the store says otherwise */
/* One row for all of them, which are sorted by UID then; @modseq is the highest number they took. */
int gx_changelog__add(struct gx_txn *t, struct gx_fstate *f, int kind, uint64_t modseq, struct gx_log_item *v, size_t n) GX_MUST_CHECK;
/*
 * Everything of a kind after @since in one list, sorted by UID, each UID once, in @a; a message that
 * was renumbered may be there under several. GX_E_RANGE when the log does not reach back so far.
 */
int gx_changelog__since(struct gx_txn *t, uint64_t fid, int kind, uint64_t since, struct gx_arena *a,
	struct gx_log_item **ret_v, size_t *ret_n) GX_MUST_CHECK;
/* The items of one row, in @a. */
int gx_changelog__unpack(struct gx_arena *a, struct gx_bin data, struct gx_log_item **ret_v, size_t *ret_n) GX_MUST_CHECK;
int gx_changelog__drop(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* ---- Folders ---- */

struct gx_builtin {
	uint64_t fid, parent;
	const char *name, *cls;
	int localised; /* GX_FN_*, -1: always English */
	uint8_t type;
	uint32_t flags;
};
const struct gx_builtin *gx_builtin__folders(bool public_store, size_t *ret_n);
/* By GX_FN_*; the best that there is for the language, NULL English. */
const char *const *gx_builtin__names(const char *lang);

enum {
	GX_FF_DELETED = 1, GX_FF_HIDDEN = 2, GX_FF_SUBSCRIBED = 4,
	GX_FF_BELOW = 8, /* deleted with the folder above it, and coming back with it */
	GX_FF_FOUND = 16, /* deleted, and searches may still show messages of it */
};
/* A folder that exists and is not deleted. GX_E_NOTFOUND. */
struct gx_folder_row {
	uint64_t fid, parent;
	uint32_t flags;
	uint8_t type;
};
int gx_folder__row(struct gx_txn *t, uint64_t fid, struct gx_folder_row *ret_r) GX_MUST_CHECK;
/* The folder must be there and the actor have one of @rights (0: any). */
gx_ec gx_folder__need(struct gx_txn *t, uint64_t fid, uint32_t rights, struct gx_folder_row *ret_r);
bool gx_folder__builtin(const struct gx_store *s, uint64_t fid);
/* Caseless form of a name, for siblings. NULL: no memory. */
char *gx_fold__key(struct gx_arena *a, const char *s);
/* Takes a change number for the folder object itself. */
int gx_folder__touch(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* And tells it. */
int gx_folder__changed(struct gx_txn *t, const struct gx_folder_row *row) GX_MUST_CHECK;
/* A new display name with all checks; built-in folders take one too (languages), but keep their place. */
gx_ec gx_folder__rename(struct gx_txn *t, const struct gx_folder_row *row, const char *name);
/* ecDuplicateName when a sibling has taken the folder's name. */
gx_ec gx_folder__check_free(struct gx_txn *t, const struct gx_folder_row *row) GX_MUST_CHECK;
struct gx_folder_new {
	uint64_t fid, parent;
	const char *name, *container_class;
	uint8_t type;
	uint32_t flags;
	uint64_t cn; /* 0: a new one */
	struct gx_bin props;
};
/* Of any folder there is, also a deleted one, whoever asks. GX_E_NOTFOUND. */
int gx_folder__info(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info) GX_MUST_CHECK;
int gx_folder__props(struct gx_txn *t, const struct gx_folder_info *i, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
	struct gx_proplist *ret_l) GX_MUST_CHECK;
/* Whether the actor may know of it. 1 yes, 0 no, GX_E_*. */
int gx_folder__visible(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* The packed row as a list, without what columns and counters say. */
/* PidTagChangeKey and PidTagPredecessorChangeList of a folder with this change number, from what is stored of them (ics_version.c). */
int gx_folder__version(struct gx_proplist *io_l, struct gx_arena *a, const struct gx_store *s, uint64_t cn) GX_MUST_CHECK;
int gx_folder__stored_props(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/* Keys, path, rights: what is made of a folder's place (folder_ident.c). */
int gx_folder__add_identity(struct gx_txn *t, struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i, uint32_t rights,
	const gx_proptag_t *tags, size_t n) GX_MUST_CHECK;
/* Properties of a folder just made, without a change of their own. */
gx_ec gx_folder__init_props(struct gx_txn *t, const struct gx_folder_new *n, const struct gx_proplist *l) GX_MUST_CHECK;
int gx_folder__insert(struct gx_txn *t, const struct gx_folder_new *n) GX_MUST_CHECK;

/* ---- Property lists ---- */

/* Those of the tags that are there; all for n 0. */
int gx_prop__select(const struct gx_proplist *all, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;

/* ---- Rights (perm.c) ---- */

int gx_perm__rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights) GX_MUST_CHECK;
int gx_perm__set(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove) GX_MUST_CHECK;
/* Gives a folded address its number (acl.c). */
int gx_perm__note_member(struct gx_txn *t, const char *fold) GX_MUST_CHECK;
int gx_perm__inherit(struct gx_txn *t, uint64_t from, uint64_t to) GX_MUST_CHECK;
int gx_perm__drop(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* The rules of a folder that goes (rules.c). */
int gx_rules__drop(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* A folder goes, also softly: what it received goes where the rest of it goes. */
int gx_receive__drop(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* The kept states of its tables (table_state.c). */
int gx_tables__drop_states(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* ---- Names ---- */

int gx_named__ids(struct gx_txn *t, bool create, const struct gx_propname *v, size_t n, uint16_t *ret_ids) GX_MUST_CHECK;
/* The name under this id, for imports; @ret_id: another one when the name is there already. */
int gx_named__put(struct gx_txn *t, uint16_t id, const struct gx_propname *n, uint16_t *ret_id) GX_MUST_CHECK;
bool gx_kwset__valid(const char *const *names);
/* The number of a keyword set; 0 for none. Names are folded for comparison, kept as first written. */
int gx_kwset__id(struct gx_txn *t, const char *const *names, uint32_t *ret_id) GX_MUST_CHECK;
int gx_kwset__names(struct gx_sql *q, uint32_t id, struct gx_arena *a, const char *const **ret_names) GX_MUST_CHECK;
/* The set that results from a change of another one. */
int gx_kwset__apply(struct gx_txn *t, uint32_t old, int op, const char *const *names, uint32_t *ret_id) GX_MUST_CHECK;

/* ---- Messages ---- */

struct gx_msg_row {
	uint64_t mid, fid;
	uint64_t modseq; /* any change */
	uint64_t cn;     /* of what MAPI calls the message: not read state, \Deleted, keywords */
	uint64_t cn0;    /* its arrival in the folder; ascends with the UID */
	uint64_t rcn;    /* read state; 0: never changed */
	uint64_t size, body;
	gx_nttime_t received;
	uint32_t uid, flags, kwset;
	bool mine; /* made by the actor */
};
/* GX_E_NOTFOUND. */
int gx_msg__row(struct gx_txn *t, uint64_t mid, struct gx_msg_row *ret_r) GX_MUST_CHECK;
/* What a statement that begins with these columns of msg m stands at. */
#define GX_MSG_ROW_COLS "m.mid,m.fid,m.uid,m.flags,m.kwset,m.modseq,m.cn,m.cn0,m.size,m.received,m.body,m.creator,m.rcn"
#define GX_MSG_ROW_NCOLS 13
void gx_msg__read_row(struct gx_txn *t, struct gx_stmt *st, struct gx_msg_row *ret_r);
int gx_msg__insert_row(struct gx_txn *t, const struct gx_msg_row *r, const char *creator) GX_MUST_CHECK;
/* There, and the actor may read it. */
gx_ec gx_msg__readable(struct gx_txn *t, uint64_t mid, struct gx_msg_row *ret_r);
/* Values held elsewhere become values. */
int gx_msg__resolve(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_propval *pv) GX_MUST_CHECK;
int gx_msg__resolve_list(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_proplist *l) GX_MUST_CHECK;
void gx_msg__entry(const struct gx_msg_row *r, struct gx_uid_entry *ret_e);
/* One reference less to a body; the last takes it with everything it holds. */
int gx_body__unref(struct gx_txn *t, uint64_t body) GX_MUST_CHECK;
int gx_body__ref(struct gx_txn *t, uint64_t body) GX_MUST_CHECK;
/* Takes a body and everything it holds away, whoever refers to it. */
int gx_body__drop(struct gx_txn *t, uint64_t body) GX_MUST_CHECK;
/* What IMAP asks of all messages at once, if it is known. */
int gx_body__copy_mime(struct gx_txn *t, uint64_t from, uint64_t to) GX_MUST_CHECK;
int gx_pins__init(struct gx_pins *p) GX_MUST_CHECK;
void gx_pins__release(struct gx_pins *p);
int gx_pins__add(struct gx_store *s, uint64_t body) GX_MUST_CHECK;
void gx_pins__drop(struct gx_store *s, uint64_t body);
bool gx_pins__has(struct gx_store *s, uint64_t body);
/* Its last message goes. @return false when nobody refers to it. */
bool gx_pins__mark(struct gx_store *s, uint64_t body);
/* Removes some of the bodies that nobody needs any more, in a transaction of its own; if that has to wait, next time. @return their number */
unsigned gx_pins__sweep(struct gx_store *s);
int gx_body__refs(struct gx_txn *t, uint64_t body, uint64_t *ret_refs) GX_MUST_CHECK;
/* A copy of its own for a message that shares its body and is about to change. */
int gx_body__own(struct gx_txn *t, struct gx_msg_row *io_row) GX_MUST_CHECK;
/* The rows of a prepared message, or copies of those of another body, under a new id; contents are not counted. */
int gx_body__insert(struct gx_txn *t, uint64_t id, const struct gx_prep_msg *m, struct gx_bin skeleton) GX_MUST_CHECK;
int gx_body__copy_rows(struct gx_txn *t, uint64_t from, uint64_t to) GX_MUST_CHECK;
int gx_body__skeleton(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_bin *ret_skel) GX_MUST_CHECK;
/* One message goes for good; @f is its folder's state. */
int gx_msg__remove(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r) GX_MUST_CHECK;
/* All messages of a folder go, normal, associated and deleted. */
int gx_msg__empty_folder(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* ---- Telling changes (change.c): each operation on messages calls these ---- */

enum {
	GX_CH_NEW, GX_CH_DELIVERED, GX_CH_COPIED, GX_CH_MOVED, /* how a message came; MOVED: also how it went */
	GX_CH_CONTENT,   /* its properties changed; with another UID if what IMAP shows did */
	GX_CH_FLAGS,     /* its row only */
	GX_CH_QUIET,     /* \Recent: no change that anybody is told of but views */
	GX_CH_DELETED, GX_CH_HIDDEN, /* how it went */
};
/* Before its properties change or it goes, while the old rows can still be read. */
int gx_change__before(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
/* After its rows were written. All of these count, too. @source: what it is a copy of. */
int gx_change__created(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r, int how, const struct gx_msg_row *source) GX_MUST_CHECK;
int gx_change__updated(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *old, const struct gx_msg_row *r, int how) GX_MUST_CHECK;
int gx_change__removed(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r, int how) GX_MUST_CHECK;
/* Writes what was collected for the change log; before the commit, and before the log is read. */
int gx_change__flush(struct gx_txn *t) GX_MUST_CHECK;
/* The folder goes: its changes interest nobody any more. */
void gx_change__forget(struct gx_txn *t, uint64_t fid);
void gx_change__release(struct gx_txn *t);

/* ---- Views and notifications, called by the committing thread ---- */

int gx_views__init(struct gx_views *v);
void gx_views__release(struct gx_views *v);
/* What a committed transaction did. */
void gx_views__apply(struct gx_txn *t);
/* Drops views that nobody used for a while. */
void gx_views__trim(struct gx_store *s);
int gx_subs__init(struct gx_subs *s);
void gx_subs__release(struct gx_subs *s);
void gx_subs__notify(struct gx_store *s, const struct gx_event *ev, size_t n);
int gx_evlist__add(struct gx_evlist *l, const struct gx_event *ev) GX_MUST_CHECK;
void gx_evlist__clear(struct gx_evlist *l);
void gx_subs__notify_list(struct gx_store *s, const struct gx_evlist *l);

#endif
