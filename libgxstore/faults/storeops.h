/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_STOREOPS_H
#define GXSTORE_STOREOPS_H
/*
 * Tests: every operation of the store, once, for all tests that break something below it: power loss
 * (check_powerloss.c), calls of the system that fail (check_iofail.c), allocations that fail
 * (check_oom.c).
 *
 * A new operation is a row in the table at the end of one of the files storeops_*.c, or in a new
 * file whose table is named in storeops.c:
 *
 *	{"msg_move", SO_WRITE, pick_move, run_move, check_move},
 *
 * prepare	chooses what the operation works on (so_folder(), so_msgs(), ...) and notes it in w->x.
 *		Faults are off. false: there is nothing in the store to do it with just now. But for SO_WRITE it
 *		may commit one transaction.
 * run		the calls of the API and nothing else, so that each fault hits the store: no assertion,
 *		no allocation of its own. SO_WRITE: inside a write transaction, which is committed when
 *		it succeeds; SO_READ: inside a read transaction; SO_OWN: without one. When it
 *		fails it returns the failed ec at once.
 * check	after it was acknowledged: what it did is there. May assert. May be NULL.
 *
 * make soak-operations puts each through everything, one after the other (tests/soak/operations.py); GX_OP=name does one in one program.
 *
 * What must hold after a failure needs no code: so_fingerprint() covers every row of every table, so
 * a new table is covered when it exists. Rows of one table that are rebuilt at will go into
 * `volatile_rows` of storeops_world.c.
 */
#include "libgxstore/faults/faultvfs.h"
#include "libgxstore/storetest.h"

/* SO_PUBLIC: only in a public store. Rows without it may find nothing to do in one. */
enum { SO_WRITE, SO_READ, SO_OWN, SO_KIND = 3, SO_PUBLIC = 4, SO_STEPS = 8 /* several commits: it may be done in part */,
	SO_FILELESS = 16 /* only memory can be wanting */ };
#define SO_FOLDERS 96
#define SO_MSGS 600
#define SO_PICK 12
#define SO_HASH 32

struct so_folder {
	uint64_t fid, parent;
	bool builtin, deleted;
	uint32_t messages;
};
struct so_msg {
	uint64_t mid, fid;
	uint32_t uid, flags;
};

struct so_world {
	const struct gx_fs *fs;
	char dir[512];
	struct gx_store_opts opts;
	struct gx_clock clock;    /* moves by itself, so that a seed gives the same store each time */
	int64_t now;
	struct gx_store *s;
	bool public;
	sqlite3 *raw;             /* looks at the database from the side */
	bool known;               /* the fingerprint, as long as SQLite sees no commit of others */
	int64_t version;
	uint8_t hash[SO_HASH];
	struct gx_arena *a;       /* of one operation */
	uint64_t rng;
	unsigned serial;          /* numbers of messages, folders, names: each once */
	int sync;                 /* of the next commit */
	/* what is there, as of so_look() */
	struct so_folder folder[SO_FOLDERS];
	struct so_msg msg[SO_MSGS];
	size_t nfolders, nmsgs;
	/* what the operation works on */
	struct {
		const struct gx_actor *actor; /* NULL: the system */
		uint64_t fid, fid2, mids[SO_PICK], found;
		size_t n;
		const struct gx_msg_prepared *p;
		struct gx_msg_source src;
		struct gx_msg_insert_opts insert;
		uint8_t delivery[16];
		struct gx_flag_change flags;
		struct gx_proplist props;
		struct gx_bin bytes;
		const struct gx_msgobj *obj;
		struct gx_propname names[3];
		uint16_t name_ids[3];
		const char *name;
		bool on, move, hard;
		bool commit_failed;   /* what to do with the transaction when the operation fails */
		uint32_t rights;
		/* what the store answered */
		struct gx_msg_ids ids[SO_PICK];
		struct gx_push out;
	} x;
};

struct so_op {
	const char *name;
	int kind;
	bool (*prepare)(struct so_world *w);
	gx_ec (*run)(struct so_world *w, struct gx_txn *t);
	void (*check)(struct so_world *w);
};
struct so_ops {
	const struct so_op *v;
	size_t n;
};
#define SO_OPS(list, rows) const struct so_ops list = {rows, sizeof(rows) / sizeof((rows)[0])}
/* Of all tables, from 0, those that need a public store at the end; NULL behind the last. */
const struct so_op *so_op(size_t i);
/* Their number, without or with those that need a public store. */
size_t so_op_count(bool public);
const struct so_op *so_op_named(const char *name);
size_t so_op_index(const struct so_op *op);
/*
 * The one that GX_OP names: a program does that alone, and nothing else. NULL without it. GX_OP=list prints all, one in a
 * line with what it needs, and ends the program.
 */
const struct so_op *so_chosen(void);
/* For tests/soak/operations.py: something was done to an operation so many times. */
void so_tell(const struct so_op *op, const char *what, unsigned long times);

/* How an operation ended. */
struct so_result {
	int err;        /* of the transaction */
	gx_ec ec;       /* of the operation */
	bool done;      /* acknowledged */
	bool partly;    /* SO_STEPS: some of it was done */
	bool in_doubt;  /* committed, but the flush failed: visible, durable after the next flush */
	bool committed_broken; /* an operation failed and its transaction was committed all the same */
};

/* Directories of tests that make many are made in memory when there is room for them. */
void so_use_memory(void);
/* A store in @dir on the file system; @seed decides all that is random. */
void so_open(struct so_world *w, const struct gx_fs *fs, const char *dir, uint64_t seed);
/* The same at a time in nanoseconds. */
void so_open_at(struct so_world *w, const struct gx_fs *fs, const char *dir, uint64_t seed, int64_t now);
/* The store is closed and opened again: a life goes on. */
void so_shut(struct so_world *w);
/* Only the connection at the side, before gx_store_close() itself. */
void so_look_away(struct so_world *w);
void so_again(struct so_world *w);
void so_reopen(struct so_world *w);
void so_close(struct so_world *w);
/* Once for all tests of a program: a store in a directory of its own with something in it, and copies of it. */
void so_make_template(char *dir, size_t size, bool public, uint64_t seed);
void so_create(const char *dir, bool public);
void so_copy_store(const char *from, char *to, size_t size);
/*
 * The store as a kill leaves it, with a log to recover and a file without owner: in a new directory,
 * which takes the place of the old one. The world is shut.
 */
void so_leave_unclean(struct so_world *w);
/* Some messages of every form in some folders, so that most operations find something. */
void so_fill(struct so_world *w);

/* Ready for so_run()? */
bool so_prepare(struct so_world *w, const struct so_op *op);
void so_run(struct so_world *w, const struct so_op *op, struct so_result *r);
/* Checks when it was acknowledged, and lets go of what it held. */
void so_finish(struct so_world *w, const struct so_op *op, const struct so_result *r);

/* Everything in the database of @dir, but not whether it is open. Opens it from the side. */
void so_fingerprint(const char *dir, uint8_t hash[SO_HASH]);
void so_world_fingerprint(struct so_world *w, uint8_t hash[SO_HASH]);
/* Files of content objects that no row names; 0 when those of ended transactions were swept. */
unsigned so_stray_files(struct so_world *w);
/* Reads every message that has an original, and compares it with what was put in. @return their number */
unsigned so_check_originals(struct gx_store *s);

/* st_verify(), but for damage that was made for a repair. Without faults. */
void so_verify(struct so_world *w);
/* What dynamic search folders show is what a look at every message finds. */
void so_check_searches(struct so_world *w);

/* ---- For operations ---- */

void so_look(struct so_world *w);
unsigned so_rand(struct so_world *w, unsigned below);
bool so_one_in(struct so_world *w, unsigned n);
/* Above all that clients show. */
uint64_t so_subtree(const struct so_world *w);
/* Nothing above it is deleted, nor itself. */
bool so_alive(const struct so_world *w, const struct so_folder *f);
/* A folder that is not deleted; @own: one that may be moved and deleted. 0 none. */
uint64_t so_folder(struct so_world *w, bool own);
/* Is @fid @above, or below it? */
bool so_below(const struct so_world *w, uint64_t fid, uint64_t above);
/* An id that nobody has, as a client would choose it; now and then far ahead of what was given out. */
uint64_t so_fresh_id(struct so_world *w);
/* A number that a statement without parameters gives; 0 when it gives no row. */
int64_t so_number(struct so_world *w, const char *sql);
/* Up to SO_PICK messages of one folder into w->x.fid, mids, n. */
bool so_msgs(struct so_world *w, size_t max, bool soft);
/* Forms of messages. The original tells its form, so that it can be made again. */
enum { SO_PLAIN, SO_LARGE, SO_ATTACHED, SO_ATTACHED_FILE, SO_OBJECT, SO_FORMS };
const struct gx_msg_prepared *so_message(struct so_world *w, int form);
/* For struct gx_store_opts: makes an original of an object. */
int so_render(const struct gx_msgobj *m, struct gx_push *msg, struct gx_push *env, struct gx_push *bs, void *ctx);
/* A message by id in the store as it is now. false: not there */
bool so_msg_now(struct so_world *w, uint64_t mid, struct gx_msg_info *ret_info);

#endif
