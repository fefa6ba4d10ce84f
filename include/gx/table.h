/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TABLE_H
#define GX_TABLE_H
/**
 * @file table.h
 * Tables: what is in a folder as rows and columns, sorted, restricted, grouped. [MS-OXCTABL]
 *
 * A table lives until it is closed and belongs to no transaction; every call takes one. Rows have positions
 * from 0. A table shows what is committed; inside a write transaction it may show the transaction's own
 * changes or not. A call may move a read transaction to the newest state of the store, so that
 * the table's answer and what the transaction reads agree.
 *
 * Sort orders are kept by the store: opening a table on a folder of a million messages costs a few look-ups. The first
 * that is sorted in a new way makes the order; when writers are in the way it sorts in memory instead, 8 bytes a row, and
 * gx_store_sort() makes the order meanwhile.
 * Restrictions but that to unread messages are evaluated when the table is opened; it then takes 8 bytes
 * a row and is kept in step by the commits.
 *
 * Thread classes: struct gx_table is confined, any number of them may be used side by side. Callbacks of
 * gx_table_watch() run on committing threads.
 */
#include <gx/restr.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_table;

enum {
	GX_TABLE_DEPTH = 0x01,         /**< hierarchy: with everything below */
	GX_TABLE_DELETED = 0x02,       /**< what was softly deleted */
	GX_TABLE_ASSOCIATED = 0x04,    /**< contents: associated messages */
	GX_TABLE_CONVERSATIONS = 0x08, /**< contents: messages of the whole store, grouped by nothing, sorted by
					  conversation unless told otherwise; [MS-OXCTABL] 3.1.4.6 */
	GX_TABLE_FREEBUSY = 0x10,      /**< permissions: with the free/busy rights, [MS-OXCPERM] 2.2.1.1 */
};

/** How a permission table finds out who a member is; results live in @p a. 0, or GX_E_*: name and entry id are made
 * of the address. */
typedef int (*gx_table_person_cb)(
	const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx);

struct gx_table_opts {
	size_t size;
	uint64_t fid;
	uint32_t flags;                 /**< GX_TABLE_* */
	const struct gx_restr *restr;   /**< copied; NULL none. RES_COUNT at the top bounds the number of rows */
	const struct gx_sortset *sort;  /**< contents: copied; NULL by delivery time */
	gx_table_person_cb person;      /**< permissions; may be NULL */
	void *ctx;                      /**< for person */
	/** Rows of others: they are brought again when this gives another number than before. Has the context of the fill
	 * function; may be NULL. */
	uint64_t (*version)(void *ctx);
};
#define GX_TABLE_OPTS_INIT {.size = sizeof(struct gx_table_opts)}

/** Most rows of a table whose rows are held in memory (restricted ones); above it is ecTableTooBig. */
#define GX_TABLE_ROWS_MAX 4194304

/** Folders below another one that the actor may see, by name. ecNotFound, ecAccessDenied. */
GX_API gx_ec gx_table_open_hierarchy(
	struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb) GX_MUST_CHECK;
/** Messages. Needs GX_RIGHT_READ. ecTooComplex, ecInvalidParam for what cannot be sorted by or evaluated. */
GX_API gx_ec gx_table_open_contents(
	struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb) GX_MUST_CHECK;
/** Members of the folder's permission list as it is now. Owner only. */
GX_API gx_ec gx_table_open_permissions(
	struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb) GX_MUST_CHECK;
/** Rules of the folder as they are now. Owner only. */
GX_API gx_ec gx_table_open_rules(
	struct gx_txn *t, const struct gx_table_opts *o, struct gx_table **ret_tb) GX_MUST_CHECK;
/**
 * Rows that somebody else brings, such as the attachments or recipients of a message: @p fill calls gx_table_add_row()
 * for each. It is called again by gx_table_reload() and by gx_table_opts.version. The restriction of @p o is applied.
 */
typedef int (*gx_table_fill_cb)(struct gx_table *tb, struct gx_txn *t, void *ctx);
GX_API gx_ec gx_table_open_rows(struct gx_txn *t, const struct gx_table_opts *o, gx_table_fill_cb fill, void *ctx,
	struct gx_table **ret_tb) GX_MUST_CHECK;
/** In a gx_table_fill_cb only. @p id: PidTagInstID of the row. Copied. */
GX_API int gx_table_add_row(struct gx_table *tb, uint64_t id, const struct gx_proplist *l) GX_MUST_CHECK;
/** Accepts NULL. A callback of it is not running and will not run again. */
GX_API void gx_table_close(struct gx_table *tb);
/** Reads everything anew, as with a new table; bookmarks become invalid, groups go back to their first state. */
GX_API gx_ec gx_table_reload(struct gx_table *tb, struct gx_txn *t) GX_MUST_CHECK;

/**
 * Goes on with sort orders that tables asked for and writers were in the way of, for at most about @p budget_ms and in short
 * transactions; tables change over by themselves. @p ret_done: none is left. For whoever has time in the background; pools
 * do it. Without it an order is made by the next table that asks when no writer is about. Thread class: locked. GX_E_UNSUP
 * for a store of another process, whose owner does it.
 */
GX_API int gx_store_sort(struct gx_store *s, int budget_ms, bool *ret_done) GX_MUST_CHECK;

/* Numbers without a table: children that the actor may see; messages. */
GX_API gx_ec gx_table_sum_folders(struct gx_txn *t, uint64_t fid, bool deep, uint32_t *ret_n) GX_MUST_CHECK;
GX_API gx_ec gx_table_sum_messages(
	struct gx_txn *t, uint64_t fid, bool associated, bool deleted, uint32_t *ret_n) GX_MUST_CHECK;

/* ---- Rows ---- */

/** PidTagRowType, [MS-OXCTABL] 2.2.1.3 */
enum { GX_ROW_LEAF = 1, GX_ROW_EXPANDED = 3, GX_ROW_COLLAPSED = 4 };
/** Ids of header rows are (replica 2 << 48) and a number: no object has such an id. They hold as long as the table is
 * open. */
#define GX_TABLE_HEADER_ID (UINT64_C(2) << 48)

/**
 * A row. Values stand in the order of the columns asked for; one that is not there has its tag with
 * PtypErrorCode and ecNotFound. Texts end after 255 UTF-16 units, binaries after 510 bytes, [MS-OXCTABL]
 * 2.2.2.5.2, except in rules tables.
 */
struct gx_table_row {
	uint64_t id;     /**< PidTagInstID: message, folder, rule or member id, or a header's */
	uint32_t inst;   /**< PidTagInstanceNum: number of the value, from 1, when sorted by instances; else 0 */
	uint8_t type;    /**< GX_ROW_* */
	uint8_t depth;
	struct gx_propval *v;
};
/** Rows that can be seen: collapsed groups count as one. */
GX_API gx_ec gx_table_count(struct gx_table *tb, struct gx_txn *t, uint32_t *ret_n) GX_MUST_CHECK;
/**
 * Reads @p n rows from @p pos on; backwards when @p n is negative: row @p pos comes first, then the one before. Fewer
 * at the end. Rows that went since the table looked are left out. At most 65535 rows a call.
 */
GX_API gx_ec gx_table_query(struct gx_table *tb, struct gx_txn *t, uint32_t pos, int32_t n, const gx_proptag_t *cols,
	size_t ncols, struct gx_arena *a, struct gx_table_row **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** One row by its instance. ecNotFound: it is gone or cannot be seen. */
GX_API gx_ec gx_table_read(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst,
	const gx_proptag_t *cols, size_t ncols, struct gx_arena *a, struct gx_table_row *ret_row) GX_MUST_CHECK;
/** The first row from @p pos on (backwards: @p pos and before) that fulfils @p r. ecNotFound. */
GX_API gx_ec gx_table_find(struct gx_table *tb, struct gx_txn *t, uint32_t pos, bool forward,
	const struct gx_restr *r, uint32_t *ret_pos) GX_MUST_CHECK;
/** Where an instance is. ecNotFound. */
GX_API gx_ec gx_table_locate(struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint32_t *ret_pos,
	uint8_t *ret_type) GX_MUST_CHECK;
/** What is at a position. ecNotFound behind the end. */
GX_API gx_ec gx_table_mark(struct gx_table *tb, struct gx_txn *t, uint32_t pos, uint64_t *ret_id, uint32_t *ret_inst,
	uint8_t *ret_type) GX_MUST_CHECK;
/** Position of @p num / @p den of the way, [MS-OXCTABL] 2.2.2.12. ecInvalidParam for @p den 0. */
GX_API gx_ec gx_table_seek_fraction(
	struct gx_table *tb, struct gx_txn *t, uint32_t num, uint32_t den, uint32_t *ret_pos) GX_MUST_CHECK;
/** Tags of all columns: those that every such table has, and what its first rows bring. In @p a. */
GX_API gx_ec gx_table_columns(struct gx_table *tb, struct gx_txn *t, struct gx_arena *a, gx_proptag_t **ret_tags,
	size_t *ret_n) GX_MUST_CHECK;

/* ---- Bookmarks ---- */

/** Marks the row at @p pos, or the end. @p ret_bm is not 0. ecTooComplex above 10,000 of them. */
GX_API gx_ec gx_table_bookmark(struct gx_table *tb, struct gx_txn *t, uint32_t pos, uint32_t *ret_bm) GX_MUST_CHECK;
/** Where it is now. @p ret_gone: the row is no longer there or cannot be seen; the position is that of the next one.
 * ecInvalidBookmark. */
GX_API gx_ec gx_table_bookmark_pos(
	struct gx_table *tb, struct gx_txn *t, uint32_t bm, uint32_t *ret_pos, bool *ret_gone) GX_MUST_CHECK;
/** ecInvalidBookmark. */
GX_API gx_ec gx_table_bookmark_free(struct gx_table *tb, uint32_t bm) GX_MUST_CHECK;

/* ---- Groups ---- */

/** ecNotFound: no such header; ecNotCollapsed: it is open already. @p ret_n: rows that can be seen now below it. */
GX_API gx_ec gx_table_expand(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t *ret_pos, uint32_t *ret_n) GX_MUST_CHECK;
/** As above with ecNotExpanded. @p ret_n: rows that could be seen below it. */
GX_API gx_ec gx_table_collapse(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t *ret_pos, uint32_t *ret_n) GX_MUST_CHECK;
/** Keeps which groups are open, and a row as cursor. In a write transaction. The 256 newest states of a store are
 * kept. */
GX_API gx_ec gx_table_save_state(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint32_t *ret_state) GX_MUST_CHECK;
/** Opens and closes groups as they were; the table must have the same sort order. @p ret_pos: of the cursor, or where
 * it would be. ecNotFound, ecInvalidParam. */
GX_API gx_ec gx_table_restore_state(
	struct gx_table *tb, struct gx_txn *t, uint32_t state, uint32_t *ret_pos) GX_MUST_CHECK;

/* ---- Changes ---- */

enum {
	GX_TABLE_EV_CHANGED = 1,  /**< read it again: not told row by row; comes once until the table is used */
	GX_TABLE_EV_ADDED, GX_TABLE_EV_DELETED, GX_TABLE_EV_MODIFIED,
};
/**
 * What happened to a row. Applied one after the other to a copy of the rows they give the table's rows: a
 * row that is added or modified (and may have moved) now stands behind the row "after", all zero at the
 * top.
 */
struct gx_table_event {
	uint8_t type;                /**< GX_TABLE_EV_* */
	bool hierarchy;              /**< of a hierarchy table, else contents */
	uint64_t row_fid, row_mid;   /**< mid 0 in hierarchy tables */
	uint32_t row_inst;
	uint64_t after_fid, after_mid;
	uint32_t after_inst;
};
/** Called on the committing thread after the commit, in commit order; must not block nor call the store. */
typedef void (*gx_table_event_cb)(struct gx_table *tb, const struct gx_table_event *ev, void *ctx);
/**
 * From now on each commit that changes the table's rows is told. What was committed since the table was
 * last used is told at once, as GX_TABLE_EV_CHANGED. NULL ends it; the callback is not running then.
 */
GX_API gx_ec gx_table_watch(struct gx_table *tb, gx_table_event_cb cb, void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
