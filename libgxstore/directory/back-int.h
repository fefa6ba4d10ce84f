/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIR_BACK_INT_H
#define GX_DIR_BACK_INT_H
/**
 * @file back-int.h
 * What a back end of the directory gives: connections on which statements run. All SQL that both
 * databases understand stands in front of it, once (dir_sql.c, dir_tables.c); the pool, repeated
 * attempts, the cache and the log are there too. SQLite is compiled in; a back end in a module
 * exports gx_dir_back_end() and links nothing of ours.
 *
 * Thread class of connections and statements: confined.
 */
#include <gx/directory.h>

#define GX_DIRBACK_ABI 2
enum { GX_DIRBACK_SQLITE, GX_DIRBACK_MYSQL }; /* dialects */
enum { GX_DIRBACK_STMTS = 96, GX_DIRBACK_ONCE = GX_DIRBACK_STMTS }; /* statements that stay prepared (the last one is the back end's); one that does not */
enum { GX_DIRBACK_CREATE = 1 }; /* flags of connect(): make the database if it is missing */

/** A parameter. Texts are borrowed until the statement is done. */
struct gx_dirarg {
	uint8_t kind;
	int64_t num;      /* of GX_DIRARG_BYTES: how many */
	const char *text;
};
/** A name is compared with an address column; a database that keeps these in ASCII takes what is not ASCII as NULL. */
enum { GX_DIRARG_NUM, GX_DIRARG_TEXT, GX_DIRARG_NAME, GX_DIRARG_BYTES };
#define GX_NUM(n) {.kind = GX_DIRARG_NUM, .num = (int64_t)(n)}
#define GX_TEXT(s) {.kind = GX_DIRARG_TEXT, .text = (s)}
#define GX_BYTES(b) {.kind = GX_DIRARG_BYTES, .num = (int64_t)(b).len, .text = (const char *)(b).data}
#define GX_NAME(s) {.kind = GX_DIRARG_NAME, .text = (s)}

/** Why something failed, in the words of the database. */
struct gx_dirwhy {
	bool again; /**< nothing was changed, and another attempt (on another connection) may succeed */
	char text[480];
};

/** First member of the back end's own. */
struct gx_dirconn {
	const struct gx_dirback *back;
	bool lost; /**< set by the back end: the connection is good for nothing any more */
	struct gx_dirwhy why; /**< set by the back end with every failure but GX_E_EXISTS */
	/* The pool's */
	struct gx_dirconn *next;
	unsigned generation;
};
struct gx_dirstmt {
	struct gx_dirconn *conn;
};

/**
 * Functions that return int give GX_E_*: GX_E_EXISTS a key is taken, GX_E_INVAL a value that the
 * column cannot hold, GX_E_BUSY somebody else keeps a lock, GX_E_IO and others as usual.
 */
struct gx_dirback {
	uint32_t abi;
	uint8_t dialect;
	uint8_t max_connections; /**< 0: as many as the site wants */
	bool ascii_names;        /**< addresses that are not ASCII cannot be kept */
	bool sockets;            /**< its client library may raise SIGPIPE, and is not to be hurt by it */
	uint16_t look_ms;        /**< how often it is worth asking for changed() */

	/** @p o is complete and lives as long as the connection. */
	int (*connect)(const struct gx_dir_opts *o, unsigned flags, struct gx_dirconn **ret_c, struct gx_dirwhy *why);
	void (*disconnect)(struct gx_dirconn *c);

	/**
	 * Starts a statement; parameters are ?1, ?2 ... A statement with a @p slot below
	 * GX_DIRBACK_STMTS stays prepared and always has the same text; it runs once at a time.
	 */
	int (*run)(struct gx_dirconn *c, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st);
	/** @return 1 a row, 0 the end, or GX_E_*. */
	int (*step)(struct gx_dirstmt *st);
	/** Columns of the row, from 0. NULL gives 0 and NULL. */
	int64_t (*num)(struct gx_dirstmt *st, unsigned col);
	const char *(*text)(struct gx_dirstmt *st, unsigned col);
	void (*done)(struct gx_dirstmt *st);
	/** One statement without parameters and rows, not prepared. */
	int (*exec)(struct gx_dirconn *c, const char *sql);
	/** Rows that the last statement matched; the id that the last insertion gave. */
	int64_t (*changes)(struct gx_dirconn *c);
	int64_t (*last_id)(struct gx_dirconn *c);

	/** A transaction that writes: one at a time, over all programs. */
	int (*begin)(struct gx_dirconn *c);
	int (*commit)(struct gx_dirconn *c);
	void (*rollback)(struct gx_dirconn *c);
	/** Everybody else who wants to change the tables themselves waits. Ends with the connection at the latest. */
	int (*lock_tables)(struct gx_dirconn *c);
	/** Keeps the changes, or undoes them where the database can. */
	int (*unlock_tables)(struct gx_dirconn *c, bool keep);
	/** A number that is another one when somebody else has changed the directory since. */
	int (*changed)(struct gx_dirconn *c, int64_t *ret_v);
};

/** What a module exports. NULL when it does not know @p abi. */
#define GX_DIRBACK_SYMBOL "gx_dir_back_end"
typedef const struct gx_dirback *gx_dirback_fn(uint32_t abi);

#endif
