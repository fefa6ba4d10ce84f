/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_TABLE_INT_H
#define GXSTORE_TABLE_INT_H
/*
 * Tables. What a table shows comes from one of four places:
 *
 *  an order on disk (order.c)        contents without restriction, or of unread messages: nothing in memory
 *  a list (table_list.c)             contents else: 8 bytes a row, sorted, kept in step by commits
 *  folders (table_folders.c)         hierarchy
 *  fixed rows (table_fixed.c)        permissions, rules, rows of others
 *
 * The first two are sequences of leaf rows (gx_seq); groups (table_group.c) lie on top of either.
 *
 * What is in memory has a version, the store's change counter. Commits pass by here in order (table_watch.c):
 * they note what a table has to look at, and bring watched tables up to date at once unless a call of the
 * owner is under way. His calls do the rest (table_sync.c). `lock` guards what both touch; lock order:
 * registry, table.
 */
#include <gx/table.h>
#include "libgxstore/order/order-int.h"

#define GX_TABLE_PENDING_MAX 4096U /* messages; with more the table is read anew */
#define GX_TABLE_TOLD_MAX 64U      /* rows of a transaction that are told one by one */
#define GX_BOOKMARKS_MAX 10000U

/* A row as a table counts it. */
struct gx_trow {
	uint64_t id;
	uint32_t inst;
	uint8_t type, depth;
};

/* ---- Leaf rows in order ---- */

/* An entry of a list: message id, unread, instance. */
#define GX_ENTRY(mid, unread, inst) ((mid) << 16 | (uint64_t)((unread) != 0) << 15 | (inst))
#define GX_ENTRY_MID(e) ((e) >> 16)
#define GX_ENTRY_UNREAD(e) ((unsigned)((e) >> 15 & 1))
#define GX_ENTRY_INST(e) ((uint32_t)((e) & 0x7fff))

struct gx_span {
	size_t off, len;
};
struct gx_seq {
	uint8_t kind;             /* GX_ORDER_*; 0 the deleted ones */
	bool back;                /* read from the end */
	bool unread_only;
	bool listed;              /* in memory, else on disk */
	bool for_now;             /* listed, but only since there was no order and none could be made */
	unsigned made;            /* struct gx_orders, when an order was last looked for */
	struct gx_orderspec want;
	struct gx_orderspec spec; /* what keys are made by: begins as want */
	uint64_t view;            /* on disk */
	/* In memory, ascending as keys do; with groups each entry has the number of its group's prefix. */
	uint64_t *v;
	uint32_t *prefix;
	size_t n, cap, prefix_cap;
	struct gx_push prefix_bytes;
	struct gx_span *span;
	size_t nspan, cap_span;
};

/* ---- Groups ---- */

struct gx_group {
	uint64_t id;
	size_t off, len;          /* of its prefix */
	uint32_t parent;          /* index, UINT32_MAX at the top */
	uint8_t depth;
	bool open;
	uint64_t start, count, unread; /* leaf rows, in the table's direction */
	size_t ext_off, ext_len;  /* the value that groups are sorted by, when they are */
};
struct gx_groups {
	unsigned depth;           /* number of category columns; 0: no groups */
	unsigned open;            /* of them open at first */
	bool extremum;            /* groups of the last category are sorted by the column behind it */
	struct gx_push bytes;     /* prefixes */
	struct gx_group *v;       /* each before those in it, in the order of leaf rows */
	size_t n, cap;
	uint32_t *shown;          /* indexes of those that can be seen, in the order of the table */
	uint64_t *at;             /* and their positions */
	size_t nshown;
	uint64_t total;           /* rows that can be seen */
	uint64_t last_id;
};

/* A range of leaf rows with the same category columns. */
struct gx_run {
	size_t off, len;          /* prefix, all category columns */
	uint64_t count, unread;
	bool touched;             /* by changes that were merged in */
};
struct gx_runs {
	struct gx_table *tb;
	struct gx_push bytes;
	struct gx_run *v;
	size_t n, cap;
};
/* Changes of an order that groups lie on, by prefix. */
struct gx_groupop {
	uint64_t view;
	size_t off, len;
	int total, unread;
};
struct gx_groupops {
	struct gx_push bytes;
	struct gx_groupop *v;
	size_t n, cap;
	bool many;                /* more than are kept */
};

/* ---- Folders and fixed rows ---- */

struct gx_trow_folder {
	uint64_t fid;
	uint8_t depth;
};
struct gx_trow_fixed {
	uint64_t id;
	struct gx_proplist l;
};

struct gx_bookmark {
	uint32_t id;
	bool end;
	struct gx_trow row;
	uint64_t pos;
	uint8_t *key;
	size_t key_len;
};

enum { GX_T_CONTENTS = 1, GX_T_FOLDERS, GX_T_FIXED };
struct gx_table {
	struct gx_store *s;
	struct gx_arena *a;           /* what it was opened with */
	struct gx_actor actor;
	uint8_t what;                 /* GX_T_* */
	uint64_t fid;
	uint32_t flags;               /* GX_TABLE_* */
	const struct gx_restr *restr; /* evaluated row by row; NULL */
	uint32_t limit;               /* most rows, UINT32_MAX */
	struct gx_sortset sort;
	bool cut;                     /* long values are cut */

	pthread_mutex_t lock;
	bool busy;                    /* a call of the owner is under way */
	bool stale;                   /* what is in memory has to be read anew */
	bool moved;                   /* what it reads has changed since a call of the owner */
	bool told;                    /* the watcher knows that, and not more */
	uint64_t version;             /* what is in memory holds this; with those in pending everything since */
	uint64_t *pending;            /* messages, or folders, to be looked at */
	size_t npending, cap_pending;
	struct gx_groupops ops;       /* and what they did to the order, when groups lie on one */

	struct gx_seq seq;
	struct gx_groups groups;
	struct gx_trow_folder *folders;
	size_t nfolders, cap_folders;
	struct gx_arena *rows_arena;
	struct gx_trow_fixed *rows;
	size_t nrows, cap_rows;
	gx_table_fill_cb fill;
	void *fill_ctx;
	uint64_t (*fill_version)(void *ctx);
	uint64_t filled;              /* version of the rows */
	gx_table_person_cb person;
	void *person_ctx;

	struct gx_bookmark *bm;
	size_t nbm, cap_bm;
	uint32_t last_bm;

	/* In the registry. */
	gx_table_event_cb cb;
	void *cb_ctx;
	bool in_tables;
	struct gx_table *next, **prev;
};

/* ---- Coming into being (table.c) ---- */

int gx_table__new(
	struct gx_txn *t, const struct gx_table_opts *o, uint8_t what, struct gx_table **ret_tb) GX_MUST_CHECK;
/* The border to the client; GX_E_LIMIT becomes ecTableTooBig. */
gx_ec gx_table__ec(struct gx_txn *t, int err);

/* ---- Step with the store (table_sync.c) ---- */

/*
 * Around each call: rights, the order it reads, what is in memory. In between what is there belongs to the
 * caller alone and is of the transaction's state. Nothing to end when it failed.
 */
gx_ec gx_table__begin(struct gx_table *tb, struct gx_txn *t);
void gx_table__end(struct gx_table *tb);
/* Something has to be looked at; @tb->lock held. */
void gx_table__pend(struct gx_table *tb, const uint64_t *ids, size_t n);

/* ---- Places (table_rows.c) ---- */

int gx_table__total(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_n) GX_MUST_CHECK;
/* Rows from @pos on, at most @n. */
int gx_table__window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *ret_v,
	size_t *ret_n) GX_MUST_CHECK;
/* GX_E_NOTFOUND. */
int gx_table__place(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint64_t *ret_pos,
	struct gx_trow *ret_row) GX_MUST_CHECK;

/* ---- Sequences: contents (table_seq.c) ---- */

int gx_seq__total(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_n) GX_MUST_CHECK;
int gx_seq__window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *ret_v,
	size_t *ret_n) GX_MUST_CHECK;
/* Where a message's instance is. GX_E_NOTFOUND. */
int gx_seq__place(struct gx_table *tb, struct gx_txn *t, uint64_t mid, uint32_t inst, uint64_t *ret_pos) GX_MUST_CHECK;
/* The key of the row at @pos, in @out. */
int gx_seq__key(struct gx_table *tb, struct gx_txn *t, uint64_t pos, struct gx_push *out) GX_MUST_CHECK;
/* Rows that stand before @key, which need not be there. */
int gx_seq__rank(struct gx_table *tb, struct gx_txn *t, struct gx_bin key, uint64_t *ret_pos) GX_MUST_CHECK;
/* The key of one message's instance. GX_E_NOTFOUND. */
int gx_seq__make_key(const struct gx_orderspec *o, struct gx_msgsrc *x, uint32_t inst, struct gx_orderkeys *k,
	struct gx_bin *ret_key) GX_MUST_CHECK;

/* ---- Lists (table_list.c, table_fill.c, table_update.c) ---- */

/* Makes room in an array; NULL without memory. */
void *gx_table__grow(void *v, size_t *io_cap, size_t want, size_t size);
int gx_list__reserve(struct gx_table *tb, size_t n) GX_MUST_CHECK;
/* Puts an entry at @i, before what is there. GX_E_LIMIT. */
int gx_list__insert(struct gx_table *tb, size_t i, struct gx_bin key, uint64_t entry) GX_MUST_CHECK;
/* Reads all rows anew. GX_E_LIMIT. */
int gx_list__fill(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;
/* What a change of these messages did to the list. */
struct gx_listchange {
	uint64_t gone[GX_TABLE_TOLD_MAX];  /* entries */
	size_t ngone;
	struct {
		uint64_t entry;
		size_t at;                 /* index in the list as it is afterwards */
	} put[GX_TABLE_TOLD_MAX];
	size_t nput;
	bool many;                         /* more than can be told */
};
/* Looks at some messages again. @ret_c may be NULL. */
int gx_list__update(struct gx_table *tb, struct gx_txn *t, const uint64_t *mids, size_t n,
	struct gx_listchange *ret_c) GX_MUST_CHECK;
void gx_list__clear(struct gx_table *tb);
/* The part of an order outside of which the restriction cannot hold; false: there is no upper end (table_range.c). */
bool gx_list__range(struct gx_table *tb, struct gx_push *lo, struct gx_push *hi);
static inline struct gx_bin gx_seq__prefix(const struct gx_seq *q, size_t i)
{
	const struct gx_span *s = &q->span[q->prefix[i]];
	return (struct gx_bin){q->prefix_bytes.data + s->off, s->len};
}
/* Is the message one of the table's, restriction and all? 1, 0, GX_E_*. */
int gx_table__holds(struct gx_table *tb, struct gx_msgsrc *x) GX_MUST_CHECK;
/* Is it unread for the table's owner? 1, 0, GX_E_*. */
int gx_table__unread(struct gx_table *tb, struct gx_msgsrc *x) GX_MUST_CHECK;

/* ---- Groups (table_group.c, table_shown.c) ---- */

/* Reads the groups anew; those that are still there stay open or closed and keep their ids. */
int gx_groups__fill(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;
void gx_groups__clear(struct gx_groups *g);
/* The key of the group's first row. GX_E_NOTFOUND. */
int gx_groups__first_key(struct gx_table *tb, struct gx_txn *t, size_t i, struct gx_push *out) GX_MUST_CHECK;
/* After commits that did this to the order below them. */
int gx_groups__update(struct gx_table *tb, struct gx_txn *t, struct gx_groupops *ops) GX_MUST_CHECK;
/* After groups opened or closed. */
int gx_groups__show(struct gx_table *tb) GX_MUST_CHECK;
/* Index of the group that begins with the prefix; SIZE_MAX. */
size_t gx_groups__by_prefix(const struct gx_groups *g, struct gx_bin prefix);
size_t gx_groups__by_id(const struct gx_groups *g, uint64_t id);
/* Position of a group's header; UINT64_MAX when it cannot be seen. */
uint64_t gx_groups__pos(const struct gx_groups *g, size_t i);
/* Can rows of it be seen? */
bool gx_groups__is_open(const struct gx_groups *g, size_t i);
/* What is at @pos: a header, or *ret_leaf is the leaf row's position in the sequence and *ret_g its group. */
size_t gx_groups__at(const struct gx_groups *g, uint64_t pos, uint64_t *ret_leaf);
/* The group of the last category that holds leaf row @leaf; SIZE_MAX. */
size_t gx_groups__of_leaf(const struct gx_groups *g, uint64_t leaf);
/* Rows that can be seen below header @i. */
uint64_t gx_groups__below(const struct gx_groups *g, size_t i);

/* ---- Ranges (table_runs.c) ---- */

void gx_runs__release(struct gx_runs *x);
struct gx_bin gx_runs__prefix(const struct gx_runs *x, const struct gx_run *r);
int gx_runs__add(struct gx_runs *x, struct gx_bin prefix, uint64_t count, uint64_t unread) GX_MUST_CHECK;
int gx_runs__read_list(struct gx_runs *x) GX_MUST_CHECK;
int gx_runs__read_order(struct gx_runs *x, struct gx_txn *t) GX_MUST_CHECK;
/* Those of the table's groups with changes; sorts @ops. GX_E_RANGE: they do not belong together. */
int gx_runs__merge(struct gx_runs *x, struct gx_groupops *ops) GX_MUST_CHECK;
void gx_groupops__clear(struct gx_groupops *ops);
/* Adds one; above GX_TABLE_PENDING_MAX, or without memory, there are many. */
void gx_groupops__add(struct gx_groupops *ops, uint64_t view, struct gx_bin prefix, int total, int unread);

/* ---- Folders (table_folders.c), fixed rows (table_fixed.c) ---- */

int gx_folders__fill(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;
/* If its rows are no longer those of the one who brings them. */
int gx_fixed__keep_step(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;
int gx_fixed__fill(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;

/* ---- A row's properties (table_source.c) ---- */

struct gx_rowsrc {
	struct gx_propsrc src;
	struct gx_table *tb;
	struct gx_txn *t;
	struct gx_arena *a;           /* for all that is made of a row; the user resets it */
	struct gx_trow row;
	struct gx_msgsrc msg;
	size_t group;                 /* of a header; msg is its first message, first_inst the instance */
	uint32_t first_inst;
	bool have_first;
	const struct gx_proplist *fixed;
	struct gx_proplist folder;
	bool folder_read;
};
void gx_rowsrc__init(struct gx_rowsrc *x, struct gx_table *tb, struct gx_txn *t, struct gx_arena *a);
void gx_rowsrc__release(struct gx_rowsrc *x);
/* Goes on with another row. GX_E_NOTFOUND: its message is gone. */
int gx_rowsrc__set(struct gx_rowsrc *x, const struct gx_trow *row) GX_MUST_CHECK;

/* ---- What a transaction changed (table_note.c) ---- */

/* A message that changed in a transaction. */
struct gx_chrow {
	uint64_t mid;
	bool was, is;                 /* in the folder, before and after */
	uint32_t was_flags, is_flags;
};
struct gx_chfolder {
	uint64_t fid;
	struct gx_chfolder *next;
	bool many;                    /* more than are noted */
	bool itself;                  /* the folder's own properties, or its being there */
	uint64_t parents[2];          /* below which it is or was */
	unsigned n;
	struct gx_chrow row[GX_TABLE_TOLD_MAX];
};
struct gx_tabletxn {
	struct gx_chfolder *head;
	bool numbered;
	struct gx_groupops ops;       /* on orders, whole keys; when grouped tables are open */
	bool ops_missed;
	bool missed;                  /* nobody listened; a table that was opened meanwhile must read anew */
};
/* Told by the hub. @old NULL: it came; @r NULL: it went. */
int gx_tables__note(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r) GX_MUST_CHECK;
/* A message came into a search folder, or left it. */
int gx_tables__note_found(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r, bool is) GX_MUST_CHECK;
/* A row came into an order (@total 1), left it (-1) or turned its mark. */
void gx_tables__note_op(struct gx_txn *t, uint64_t view, struct gx_bin key, int total, int unread);
void gx_tables__note_release(struct gx_txn *t);
int gx_tables__note_folder(struct gx_txn *t, const struct gx_event *ev) GX_MUST_CHECK;
/* More of a folder's messages than can be told. */
int gx_tables__note_many(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;

/* ---- The registry (table_watch.c) ---- */

struct gx_tables {
	pthread_mutex_t lock;
	pthread_cond_t cond;          /* a commit was told to all */
	bool committing;
	uint64_t last;                /* version of the last commit that was told */
	struct gx_table *head;
	atomic_uint count;
	atomic_uint found;            /* of them on search folders */
	atomic_uint grouped;          /* of them with groups */
	size_t sort_batch;            /* bytes that are sorted at once; 0: the usual */
};
int gx_tables__new(struct gx_tables **ret_r) GX_MUST_CHECK;
void gx_tables__free(struct gx_tables *r);
/* From here on the table hears of commits; its version is the transaction's. */
void gx_tables__add(struct gx_table *tb);
void gx_tables__remove(struct gx_table *tb);
/*
 * Keeps commits from being told, once that which made @version was. @return the version that everybody knows of.
 * While it is held still, commits wait as well: what is read then is that version or a later one of another process.
 */
uint64_t gx_tables__hold(struct gx_store *s, uint64_t version);
uint64_t gx_tables__hold_still(struct gx_store *s); /* by who holds it already */
void gx_tables__let_go(struct gx_store *s);
/* Around COMMIT. */
void gx_tables__begin_commit(struct gx_txn *t);
void gx_tables__end_commit(struct gx_txn *t, bool done);

/*
 * One commit as tables are told of it, on the committing thread, which still has the writer's slot. A read
 * transaction on the writer's connection serves all tables, with the actor of each.
 */
struct gx_telling {
	const struct gx_tabletxn *what;
	uint64_t version;
	struct gx_txn t;              /* for reading */
	struct gx_told *cache;        /* what was found out for an order already */
};
/* With the table's lock held: brings it up to date or notes that it is not, and tells its watcher. */
void gx_tables__tell_contents(struct gx_table *tb, struct gx_telling *w);
void gx_tables__tell_folders(struct gx_table *tb, struct gx_telling *w);
void gx_tables__tell_changed(struct gx_table *tb);

#endif
