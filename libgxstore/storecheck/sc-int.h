/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_SC_INT_H
#define GXSTORE_SC_INT_H
/*
 * What the files of the checker share. A check finds: it reads and says. Its repair gets what was said
 * just before in the same transaction, and changes rows. Numbers that follow from other rows
 * (counters, references) have checks of their own that run last, so repairs need not keep them.
 *
 * Adding a check: a row of sc_belongings.c when two statements of SQL can do it, else a struct
 * gx_sc_check in a file of its own and its name in sc_table.c. Each identifier needs a test in
 * check_storecheck.c that damages, finds and repairs.
 */
#include <gx/entryid.h>
#include <gx/storecheck.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/store-int.h"

struct gx_sc;

/* What one check said. @hash: of the content object it is about, in the pass's arena, or NULL. */
struct gx_sc_item {
	uint8_t sub;
	uint64_t object;
	const uint8_t *hash;
};

/* A check that is two statements: the first column of what is found is the object, a second one is text. */
struct gx_sc_simple {
	const char *find, *text, *fix; /* fix: ?1 is the object */
	const char *table, *where;     /* rows to be set aside before, NULL none; where: "mid=?1" */
};

struct gx_sc_check {
	const struct gx_store_check_info *subs;
	unsigned nsubs;
	bool expensive;                /* reads every byte */
	bool derived;                  /* nothing else follows from it: while it is found good no writer waits for a second look */
	int (*find)(struct gx_sc *k);
	int (*repair)(struct gx_sc *k, const struct gx_sc_item *v, size_t n); /* NULL: none of them can be repaired */
	const struct gx_sc_simple *simple; /* instead of both functions; one for each of subs */
};
extern const struct gx_sc_check *const gx_sc__checks[];
extern const size_t gx_sc__check_count;

/* A finding that is kept until it is known what became of it. */
struct gx_sc_found {
	const struct gx_sc_check *check;
	struct gx_sc_item item;
	const char *text;
};

struct gx_sc {
	struct gx_store *s;
	const struct gx_store_check_opts *o;
	struct gx_txn *t;
	struct gx_sql *q;
	struct gx_arena *a;              /* of a pass */
	const struct gx_sc_check *check; /* that is running */
	struct gx_sc_item *items;        /* what it said */
	size_t n, cap;
	struct gx_sc_found *found;       /* of the pass, when they are kept */
	size_t nfound, found_cap;
	bool keep, tell;                 /* keep findings; tell them at once */
	uint64_t count;                  /* of the pass, also those too many to be kept */
};

/* Reports number @sub of the running check. */
int gx_sc__say(struct gx_sc *k, unsigned sub, uint64_t object, const char *fmt, ...) GX_PRINTF(4, 5) GX_MUST_CHECK;
int gx_sc__say_hash(struct gx_sc *k, unsigned sub, uint64_t object, const uint8_t *hash, const char *fmt, ...)
	GX_PRINTF(5, 6) GX_MUST_CHECK;

/* One row with one number: @ret_v stays as it is when there is no row. */
int gx_sc__number(struct gx_sc *k, const char *sql, uint64_t arg, int64_t *ret_v) GX_MUST_CHECK;
/* A statement with up to two numbers. */
int gx_sc__run(struct gx_sc *k, const char *sql, uint64_t a1, uint64_t a2) GX_MUST_CHECK;

/*
 * Rows of msg with the body that an SQL expression names: by the message that has it as its own, and by the index of
 * copies. "body=" alone looks at all messages.
 */
#define GX_SC_OF_BODY(x) "((mid=" x " AND body=" x ") OR (body=" x " AND body<>mid))"
#define GX_SC_COUNT_OF_BODY(x) \
	"((SELECT COUNT(*) FROM msg WHERE body=" x " AND body<>mid)+EXISTS(SELECT 1 FROM msg WHERE mid=" x " AND body=" x "))"

#define GX_SC_ASIDE \
	"CREATE TABLE IF NOT EXISTS set_aside(id INTEGER PRIMARY KEY, at INTEGER, finding TEXT, source TEXT, sql TEXT)"
/* sc_aside.c: rows of @table that @where names go into set_aside, and stay where they are. */
int gx_sc__set_aside(struct gx_sc *k, const char *table, const char *where, uint64_t arg) GX_MUST_CHECK;
int gx_sc__set_aside_hash(struct gx_sc *k, const char *table, const char *where, const uint8_t *hash) GX_MUST_CHECK;

/* sc_lost.c */
int gx_sc__lost_folder(struct gx_sc *k, uint64_t *ret_fid) GX_MUST_CHECK;
/* A message with this body appears there. */
int gx_sc__adopt_body(struct gx_sc *k, uint64_t body) GX_MUST_CHECK;
/* A message of this subject with the bytes as attachments. */
struct gx_sc_piece {
	const char *name;
	struct gx_bin data;
};
int gx_sc__adopt_bytes(struct gx_sc *k, const char *subject, const struct gx_sc_piece *v, size_t n) GX_MUST_CHECK;
/* The folder's changes so far are not to be relied on: clients compare everything again. */
int gx_sc__distrust(struct gx_sc *k, uint64_t fid) GX_MUST_CHECK;

/* sc_rebuild.c: what can be read of a body is written again under its id; the rows as they were are set aside. */
int gx_sc__rebuild_body(struct gx_sc *k, uint64_t body) GX_MUST_CHECK;

/* Messages that need this object are written again without it. */
int gx_sc__rebuild_without(struct gx_sc *k, const uint8_t *hash) GX_MUST_CHECK;
/* sc_content.c: who refers to what; free it with gx_content__tally_free(). */
int gx_sc__tally(struct gx_sc *k, struct gx_content_tally **ret_t) GX_MUST_CHECK;
/* "; message M in folder F needs it", or nothing. */
int gx_sc__needed_by(struct gx_sc *k, uint64_t body, char *out, size_t size) GX_MUST_CHECK;
int gx_sc__verify(struct gx_sc *k, unsigned what, const struct gx_content_tally *tally,
	int (*report)(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx)) GX_MUST_CHECK;

extern const struct gx_sc_check gx_sc__database, gx_sc__schema, gx_sc__meta, gx_sc__store_numbers, gx_sc__names,
	gx_sc__folder_rows, gx_sc__folder_tree, gx_sc__folder_names, gx_sc__folder_state, gx_sc__attachments,
	gx_sc__body_rows, gx_sc__body_orphans, gx_sc__message_rows, gx_sc__message_uids, gx_sc__message_mime, gx_sc__shared,
	gx_sc__content_rows, gx_sc__content_bytes, gx_sc__content_refs, gx_sc__content_orphans, gx_sc__content_files,
	gx_sc__log, gx_sc__belongings, gx_sc__folder_counters, gx_sc__store_sums,
	gx_sc__orders, gx_sc__index;
#endif
