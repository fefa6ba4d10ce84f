/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIR_INT_H
#define GX_DIR_INT_H
/**
 * @file dir-int.h
 * Inside of the directory: a pool of connections to some back end (back-int.h), a cache, and all
 * SQL in dir_sql.c. Operations are functions that get a connection from gx_dir__read() or
 * gx_dir__write(), which may call them again after a failure.
 */
#include <pthread.h>
#include <signal.h>
#include <gx/directory.h>
#include <gx/time.h>
#include "libgxstore/directory/back-int.h"

#define GX_DIR_SCHEMA_VERSION 133
enum { GX_DIR_ADDR_MAX = 320, GX_DIR_SLOTS = 1024 };

/* Statements; the texts are in dir_sql.c. */
enum gx_dir_q {
	GX_DQ_USER_BY_NAME, GX_DQ_USER_SECRET, GX_DQ_USER_ID, GX_DQ_USERS_ALL, GX_DQ_USERS_OF_DOMAIN,
	GX_DQ_USER_INSERT, GX_DQ_USER_DELETE, GX_DQ_USER_PASSWORD, GX_DQ_USER_FIRST_PASSWORD, GX_DQ_USER_LANG, GX_DQ_PROP_PUT,
	GX_DQ_DOMAIN_BY_NAME, GX_DQ_DOMAINS, GX_DQ_DOMAIN_INSERT, GX_DQ_DOMAIN_DELETE, GX_DQ_DOMAIN_COUNT,
	GX_DQ_ALIAS_INSERT, GX_DQ_ALIAS_DELETE, GX_DQ_ALIASES_ALL, GX_DQ_ALIASES_OF,
	GX_DQ_NAME_TAKEN, GX_DQ_NAME_FORGET_MEMBER,
	GX_DQ_LIST_BY_NAME, GX_DQ_LIST_MEMBERS, GX_DQ_LIST_DOMAIN_MEMBERS, GX_DQ_LIST_MAY_SEND,
	GX_DQ_LISTS_OF, GX_DQ_LISTS_OF_DOMAIN, GX_DQ_LIST_INSERT, GX_DQ_LIST_FORGET_MEMBERS, GX_DQ_LIST_FORGET_SENDERS,
	GX_DQ_MEMBER_INSERT, GX_DQ_MEMBER_DELETE, GX_DQ_SENDER_INSERT,
	GX_DQ_SERVER_BY_ID, GX_DQ_SERVERS, GX_DQ_SERVER_ID, GX_DQ_SERVER_INSERT, GX_DQ_SERVER_DELETE, GX_DQ_SERVER_COUNT,
	GX_DQ_USER_HOMESERVER, GX_DQ_DOMAIN_HOMESERVER, GX_DQ_STORE_HOMESERVER,
	GX_DQ_BOOK_COUNT, GX_DQ_BOOK_ENTRIES, GX_DQ_BOOK_PROPS, GX_DQ_BOOK_LISTS, GX_DQ_BOOK_ALIASES, GX_DQ_BOOK_MEMBERS,
	GX_DQ_PROP_ADD, GX_DQ_PROP_FORGET,
	GX_DQ_SECOND_STORES, GX_DQ_SECOND_INSERT, GX_DQ_SECOND_DELETE,
	GX_DQ_COUNT
};

/* What the cache remembers: objects by a key. */
enum gx_dir_kind { GX_DIRKIND_USER, GX_DIRKIND_DOMAIN, GX_DIRKIND_SERVER };

struct gx_dir_slot;
struct gx_dir_cache {
	pthread_mutex_t lock;
	struct gx_dir_slot *slots[GX_DIR_SLOTS];
	uint64_t generation;        /* one more with each time that everything was forgotten */
	int64_t looked_ms, version; /* when and what the database said last */
};

struct gx_dir_pool {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct gx_dirconn *idle;
	unsigned count, max;
	unsigned generation; /* connections of an older one are not used again */
	bool down;           /* the server did not answer for a whole round of attempts */
	bool probing;        /* while it is down, somebody is looking whether it is there again */
};

struct gx_dir {
	const struct gx_dirback *back;
	void *module;               /* of dlopen(), or NULL */
	struct gx_dir_opts o;       /* complete, strings in mem */
	struct gx_arena *mem;
	const char *name;           /* for messages */
	const struct gx_log *log;
	const struct gx_clock *clock;
	int64_t cache_ms;
	struct gx_dir_pool pool;
	struct gx_dir_cache cache;
};

/* dir_open.c */
/** A directory of which nothing is known yet but the back end. */
int gx_dir__new(const struct gx_dir_opts *o, struct gx_dir **ret_d, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Puts the text into *ret_why, if the caller wants it. @return err. */
int gx_dir__say(int err, struct gx_arena *a, const char **ret_why, const char *fmt, ...) GX_PRINTF(4, 5);

/* dir_sqlite.c */
extern const struct gx_dirback gx_dir__sqlite;

/* dir_pool.c */
int gx_dir__pool_init(struct gx_dir *d) GX_MUST_CHECK;
void gx_dir__pool_release(struct gx_dir *d);
/**
 * Work on a connection. It is called again when the connection was lost or the database asked for
 * it, so it starts from nothing each time. @return what it returns, or why there is no connection.
 */
typedef int gx_dir_work(struct gx_dirconn *c, void *ctx);
int gx_dir__read(struct gx_dir *d, gx_dir_work *work, void *ctx) GX_MUST_CHECK;
/** The same in a transaction, which is kept when @p work returns 0; forgets cached answers. */
int gx_dir__write(struct gx_dir *d, gx_dir_work *work, void *ctx) GX_MUST_CHECK;
/** Reads once, without waiting long for a connection; failures are not logged. */
int gx_dir__peek(struct gx_dir *d, gx_dir_work *work, void *ctx) GX_MUST_CHECK;

/** While a back end that writes to sockets works, SIGPIPE does not reach the program in this thread. */
struct gx_dir_shield {
	bool on, was_pending;
	sigset_t before;
};
void gx_dir__shield(const struct gx_dirback *back, struct gx_dir_shield *ret_s);
void gx_dir__unshield(const struct gx_dir_shield *s);

/* dir_sql.c */
#define GX_ARGS(...) (const struct gx_dirarg[]){__VA_ARGS__}, sizeof((const struct gx_dirarg[]){__VA_ARGS__}) / sizeof(struct gx_dirarg)
/** Starts a statement: on success step to the end or to where you like, then gx_dir__done(). */
int gx_dir__run(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st) GX_MUST_CHECK;
/** @return 1 a row, 0 the end, or GX_E_*. */
int gx_dir__step(struct gx_dirstmt *st) GX_MUST_CHECK;
void gx_dir__done(struct gx_dirstmt *st);
int64_t gx_dir__num(struct gx_dirstmt *st, unsigned col);
/** Column as arena text, "" for NULL; NULL out of memory. */
const char *gx_dir__col(struct gx_arena *a, struct gx_dirstmt *st, unsigned col);
/** Borrowed until the next step, "" for NULL. */
const char *gx_dir__text(struct gx_dirstmt *st, unsigned col);
/** Runs a statement that gives no rows. */
int gx_dir__exec(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n) GX_MUST_CHECK;
/** The same; GX_E_NOTFOUND when it matched no row. */
int gx_dir__change(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n) GX_MUST_CHECK;
/** What becomes of a row; other than 0 it is the last one. */
typedef int gx_dir_row(struct gx_dirstmt *st, void *ctx);
/** Runs a statement and hands over each row. @return 0, or what @p row or the database said. */
int gx_dir__each(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, gx_dir_row *row, void *ctx) GX_MUST_CHECK;
/** First column of the first row of any statement; GX_E_NOTFOUND without one. @p ret_v may be NULL. */
int gx_dir__ask(struct gx_dirconn *c, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, int64_t *ret_v) GX_MUST_CHECK;
/** The same of one of the directory's. */
int gx_dir__first(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, int64_t *ret_v) GX_MUST_CHECK;

/* dir_schema.c */
/** GX_E_NOTFOUND when there are no tables, else the version, 0 when no row says. */
int gx_dir__version(struct gx_dirconn *c, unsigned *ret_version) GX_MUST_CHECK;
/** For tests: as gx_dir_upgrade_tables(), but not further than @p limit. */
int gx_dir__upgrade(const struct gx_dir_opts *o, unsigned limit, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to,
	const char **ret_why) GX_MUST_CHECK;

/* dir_address.c */
/**
 * The form in which addresses are stored and looked up: domain in lower case, non-ASCII characters
 * folded everywhere. ASCII case in the local part stays; the columns compare it caseless.
 * GX_E_INVAL for an empty, too long or malformed name.
 */
int gx_dir__normalise(const char *in, char out[GX_DIR_ADDR_MAX + 1]) GX_MUST_CHECK;
/** Behind the last '@', "" when there is none. */
const char *gx_dir__domain_of(const char *address);
/** Can this directory keep such an address (or member of a list)? */
bool gx_dir__can_keep(const struct gx_dir *d, const char *address);
/**
 * Normalises what is to become the address of a user or alias (one '@', both sides filled, no
 * blanks), or the name of a domain or host. @return whether it is usable as one.
 */
bool gx_dir__new_address(const struct gx_dir *d, const char *in, char out[GX_DIR_ADDR_MAX + 1]);
bool gx_dir__new_host(const struct gx_dir *d, const char *in, char out[GX_DIR_ADDR_MAX + 1]);

/* dir_domain.c */
/** All domains, without cache. */
int gx_dir__load_domains(struct gx_dirconn *c, struct gx_arena *a, struct gx_domain **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* dir_cache.c */
int gx_dir__cache_init(struct gx_dir *d) GX_MUST_CHECK;
void gx_dir__cache_release(struct gx_dir *d);
/**
 * @return 0 and a copy in @p a, GX_E_NOTFOUND for a remembered absence, or 1 when nothing is
 * remembered: then look it up and hand the ticket to gx_dir__cache_put().
 */
int gx_dir__cache_get(struct gx_dir *d, enum gx_dir_kind kind, const char *key, struct gx_arena *a, void *ret_obj, uint64_t *ret_ticket);
/** @p obj NULL remembers the absence. Does nothing when something was changed since the ticket was given. */
void gx_dir__cache_put(struct gx_dir *d, enum gx_dir_kind kind, const char *key, const void *obj, uint64_t ticket);
void gx_dir__cache_clear(struct gx_dir *d);
/** Asks the database whether others have changed it, then gives the number of the cache's generation. */
uint64_t gx_dir__cache_generation(struct gx_dir *d);

/* dir_user.c */
/** Without cache. */
int gx_dir__load_user(struct gx_dirconn *c, const char *key, struct gx_arena *a, struct gx_user *ret_u) GX_MUST_CHECK;

/* dir_password.c */
/** crypt(3) with a fresh salt; @p out takes 136 bytes. */
int gx_dir__hash(const char *password, char out[137]) GX_MUST_CHECK;
/** Does the password give this hash? Takes as long for a hash that cannot be used. */
bool gx_dir__verify(const char *password, const char *hash);

#endif
