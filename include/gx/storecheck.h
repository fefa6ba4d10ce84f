/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STORECHECK_H
#define GX_STORECHECK_H
/**
 * @file storecheck.h
 * Checking a store and repairing it.
 *
 * Everything that is kept twice is counted again and compared, everything that refers to something
 * is followed, everything that is encoded is decoded. Each check has identifiers that stay.
 *
 * A repair loses nothing that can be read: messages and folders without a place go to a folder "Lost
 * and found", contents that nobody names become attachments of a message there, and a row that
 * cannot stay as it is goes into the table set_aside, as the SQL statement that would bring it back.
 *
 * Thread class: as the store; several checks may run at a time.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How bad a finding is. */
enum {
	GX_FINDING_WASTE = 0,  /**< takes space, means nothing */
	GX_FINDING_WRONG = 1,  /**< a number or derived value is not what it should be */
	GX_FINDING_BROKEN = 2, /**< something cannot be reached or read as it stands */
	GX_FINDING_LOST = 3,   /**< bytes are gone that only a backup brings back */
};

/** What became of it. */
enum {
	GX_FINDING_OPEN = 0,     /**< found; repairs were not asked for */
	GX_FINDING_REPAIRED = 1,
	GX_FINDING_LEFT = 2,     /**< is still so after the repairs */
};

struct gx_store_finding {
	const char *check;   /**< identifier, "folder-counters" */
	const char *kind;    /**< of the object: "store", "folder", "message", "body", "content", ... */
	uint64_t object;     /**< its id; 0 when it is the store or has none */
	const char *text;    /**< what is wrong, one line of English */
	uint32_t severity;   /**< GX_FINDING_WASTE ... */
	uint32_t state;      /**< GX_FINDING_OPEN ... */
	bool repairable;     /**< by gx_store_check() with repair; those of GX_FINDING_LOST only with give_up */
};

/** One identifier, for lists of what is checked. */
struct gx_store_check_info {
	const char *check, *kind, *what;
	uint32_t severity;
	bool repairable;
};
/** Number @p i of the checks from 0, NULL behind the last. Static. */
GX_API const struct gx_store_check_info *gx_store_check_info(size_t i);

struct gx_store_check_opts {
	size_t size;
	bool repair;
	/** Repair too what lost bytes: the rest of the message becomes readable, the damaged rows are set aside. */
	bool give_up;
	bool quick;                 /**< leave out what reads every byte: pages of the database, content objects */
	const char *const *only;    /**< identifiers, NULL-terminated; NULL all. The others of the same group run too. */
	/**
	 * Each finding, in the order of the checks; with repair after all repairs are done. Strings are
	 * borrowed for the call. May be NULL.
	 */
	void (*found)(const struct gx_store_finding *f, void *ctx);
	/** Before each check: its number of @p total and its first identifier. May be NULL. */
	void (*progress)(const char *check, unsigned number, unsigned total, void *ctx);
	/**
	 * Envelope and body structure of an internet message, for messages whose index for IMAP is
	 * lost. NULL: these are left. 0 or GX_E_*.
	 */
	int (*describe)(struct gx_bin original, struct gx_push *ret_envelope, struct gx_push *ret_structure, void *ctx);
	void *ctx;
};
#define GX_STORE_CHECK_OPTS_INIT {.size = sizeof(struct gx_store_check_opts)}

struct gx_store_check_result {
	uint64_t found;      /**< findings before repairs; more of a kind than can be listed one by one are counted too */
	uint64_t repaired;
	uint64_t left;       /**< without repair: all */
};
/**
 * Checks, and with repair makes things right: each kind of repair in a transaction of its own, so
 * that an interrupted run leaves a store that is better than before. Checking reads one
 * snapshot and disturbs nobody; repairs need the writer and drop the store's cached views.
 * @return 0 when it could be done (whatever was found), GX_E_INVAL unknown identifier, GX_E_TIMEOUT no
 * turn, GX_E_IO ...
 */
GX_API int gx_store_check(
	struct gx_store *s, const struct gx_store_check_opts *o, struct gx_store_check_result *ret_r) GX_MUST_CHECK;

/* ---- Stores whose database cannot be read any more ---- */

struct gx_store_salvage_opts {
	size_t size;
	const struct gx_log *log;    /**< may be NULL */
	/** The owner's users.id or domains.id, in case the store has lost its identity; 0 unknown. */
	uint32_t owner_id;
	const char *owner;           /**< SMTP address or domain, may be NULL */
	/** After each table: rows taken over, and gaps where nothing could be read. May be NULL. */
	void (*table)(const char *name, uint64_t rows, uint64_t gaps, void *ctx);
	void *ctx;
};
#define GX_STORE_SALVAGE_OPTS_INIT {.size = sizeof(struct gx_store_salvage_opts)}
struct gx_store_salvage_result {
	uint64_t rows, gaps;
	const char *kept;            /**< where the damaged database is now */
};
/**
 * Makes a new database of all rows that can be read in a damaged one, and puts it in its place. The
 * damaged one is kept beside it. Numbers skip ahead, since the newest may be among what is lost.
 * gx_store_check() with repair should follow. The store must be closed. GX_E_BUSY; GX_E_FORMAT when
 * there is nothing to be read, or the identity is lost and the owner not known: then nothing is changed.
 */
GX_API int gx_store_salvage(const char *dir, const struct gx_store_salvage_opts *o, struct gx_store_salvage_result *ret_r,
	struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
