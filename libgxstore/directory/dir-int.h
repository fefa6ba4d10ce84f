/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIR_INT_H
#define GX_DIR_INT_H
/**
 * @file dir-int.h
 * Inside of the SQLite directory: one connection under one lock, all SQL in dir_sql.c.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <gx/directory.h>

#define GX_DIR_SCHEMA_VERSION 133
enum { GX_DIR_ADDR_MAX = 320, GX_DIR_SLOTS = 1024 };

/* Statements, prepared at first use; the texts are in dir_sql.c. */
enum gx_dir_q {
	GX_DQ_BEGIN, GX_DQ_COMMIT, GX_DQ_ROLLBACK, GX_DQ_DATA_VERSION,
	GX_DQ_USER_BY_NAME, GX_DQ_USER_PROPS, GX_DQ_USER_SECRET, GX_DQ_USER_ID,
	GX_DQ_USERS_ALL, GX_DQ_USERS_OF_DOMAIN,
	GX_DQ_USER_INSERT, GX_DQ_USER_DELETE, GX_DQ_USER_PASSWORD, GX_DQ_USER_FIRST_PASSWORD, GX_DQ_PROP_PUT,
	GX_DQ_DOMAIN_BY_NAME, GX_DQ_DOMAINS, GX_DQ_DOMAIN_INSERT, GX_DQ_DOMAIN_DELETE, GX_DQ_DOMAIN_COUNT,
	GX_DQ_ALIAS_INSERT, GX_DQ_ALIAS_DELETE, GX_DQ_ALIASES_ALL, GX_DQ_ALIASES_OF,
	GX_DQ_NAME_TAKEN, GX_DQ_NAME_FORGET_MEMBER,
	GX_DQ_LIST_BY_NAME, GX_DQ_LIST_MEMBERS, GX_DQ_LIST_DOMAIN_MEMBERS, GX_DQ_LIST_HAS_MEMBER,
	GX_DQ_LIST_MAY_SEND, GX_DQ_LISTS_OF, GX_DQ_LISTS_OF_DOMAIN, GX_DQ_LIST_INSERT, GX_DQ_MEMBER_INSERT,
	GX_DQ_MEMBER_DELETE, GX_DQ_SENDER_INSERT,
	GX_DQ_COUNT
};

struct gx_dir_slot;

struct gx_dir {
	pthread_mutex_t lock; /* db, st, slots */
	sqlite3 *db;
	sqlite3_stmt *st[GX_DQ_COUNT];
	char *path;
	const struct gx_log *log;
	const struct gx_clock *clock;
	int64_t cache_ms;
	bool first_time_password;
	int64_t looked_ms, data_version; /* when and what the database said last */
	struct gx_dir_slot *slots[GX_DIR_SLOTS];
};

/* dir_sql.c */
/** The statement, reset and with its bindings cleared; NULL (logged) when SQLite refuses. Lock held. */
sqlite3_stmt *gx_dir__stmt(struct gx_dir *d, enum gx_dir_q q);
/** Resets it, so that no read snapshot stays open. */
void gx_dir__done(sqlite3_stmt *st);
int gx_dir__bind(sqlite3_stmt *st, int i, const char *s) GX_MUST_CHECK;
/** @return 1 a row, 0 the end, or GX_E_*; logs failures. */
int gx_dir__step(struct gx_dir *d, sqlite3_stmt *st);
/** Runs a statement with up to two texts (NULL: not bound) that gives no row. */
int gx_dir__exec(struct gx_dir *d, enum gx_dir_q q, const char *a, const char *b) GX_MUST_CHECK;
int gx_dir__err(struct gx_dir *d, int rc);
/** Column as arena text, "" for NULL. */
const char *gx_dir__col(struct gx_arena *a, sqlite3_stmt *st, int i);
/** Takes the lock and starts a write transaction; on success the caller must call gx_dir__end(). */
int gx_dir__begin(struct gx_dir *d) GX_MUST_CHECK;
/** Commits when @p err is 0, else rolls back; forgets cached answers; unlocks. @return err or the commit's. */
int gx_dir__end(struct gx_dir *d, int err) GX_MUST_CHECK;

/* dir_schema.c */
int gx_dir__version(sqlite3 *db, unsigned *ret_version) GX_MUST_CHECK;
int gx_dir__connect(const char *path, int flags, sqlite3 **ret_db) GX_MUST_CHECK;

/* dir_address.c */
/**
 * The form in which addresses are stored and looked up: domain in lower case, non-ASCII characters
 * folded everywhere. ASCII case in the local part stays; the columns compare it caseless.
 * GX_E_INVAL for an empty, too long or malformed name.
 */
int gx_dir__normalise(const char *in, char out[GX_DIR_ADDR_MAX + 1]) GX_MUST_CHECK;
/** Behind the last '@', "" when there is none. */
const char *gx_dir__domain_of(const char *address);
/** Is it usable as an address of a new user or alias: one '@', both sides filled, no blanks? */
bool gx_dir__address_ok(const char *address);

/* dir_cache.c */
/** Forgets everything when another process has changed the database; asks a few times a second. Lock held. */
void gx_dir__cache_refresh(struct gx_dir *d);
/** @return 0 and a copy in @p a, GX_E_NOTFOUND for a remembered absence, 1 when nothing is remembered. Lock held. */
int gx_dir__cache_get(struct gx_dir *d, const char *key, struct gx_arena *a, struct gx_user *ret_u);
/** @p u NULL remembers the absence. */
void gx_dir__cache_put(struct gx_dir *d, const char *key, const struct gx_user *u);
void gx_dir__cache_clear(struct gx_dir *d);

/* dir_user.c */
/** Without cache, lock held. */
int gx_dir__load_user(struct gx_dir *d, const char *key, struct gx_arena *a, struct gx_user *ret_u) GX_MUST_CHECK;
int gx_dir__user_props(struct gx_dir *d, struct gx_arena *a, struct gx_user *u) GX_MUST_CHECK;

/* dir_password.c */
/** crypt(3) with a fresh salt; @p out takes 136 bytes. */
int gx_dir__hash(const char *password, char out[137]) GX_MUST_CHECK;
/** Does the password give this hash? Takes as long for a hash that cannot be used. */
bool gx_dir__verify(const char *password, const char *hash);

#endif
