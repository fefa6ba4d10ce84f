/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SESSION_H
#define GX_SESSION_H
/*
 * Who has begun a session and not ended it, for every way in whose clients come back with an id: found by the id, given to its own user
 * only, counted, and ended when nobody has used it for long.
 *
 * Sessions of each kind are apart: the id of one is nothing to the other. Finding one takes a lock that one in 64 sessions shares; what has been
 * idle for too long stands first in a queue. Thread class: locked.
 */
#include <stdatomic.h>
#include <gx/log.h>
#include <gx/time.h>

enum { GX_SESS_MAILBOX, GX_SESS_ADDRESS_BOOK, GX_SESS_KINDS };

struct gx_sess_user;

/* First member of a session. */
struct gx_sess {
	struct gx_sess *next;            /* with the same part of the id */
	struct gx_sess *older, *newer;   /* among those that nobody holds */
	struct gx_sess_user *user;
	struct gx_guid id;
	struct gx_guid turn;             /* which answer the next request has to follow */
	_Atomic(int64_t) used_ms;
	uint32_t refs;
	uint8_t kind;
	bool ended;
};

struct gx_sess_kind {
	const char *name;                /* for the log; NULL: there are none of this kind */
	uint32_t idle_ms;
	void (*free)(struct gx_sess *s); /* nobody holds it, nobody finds it */
};

/* 0: no limit. */
struct gx_sess_limits {
	unsigned sessions, users, of_user;
};

struct gx_sessions;

int gx_sessions__new(const struct gx_clock *clock, const struct gx_log *log, struct gx_sessions **ret_r) GX_MUST_CHECK;
/* Ends what there is, also what is held: nobody may use it any more. Accepts NULL. */
void gx_sessions__free(struct gx_sessions *r);
/* Says what a kind is. Before its first session. */
void gx_sessions__declare(struct gx_sessions *r, unsigned kind, const struct gx_sess_kind *k);
/* The same of one kind. */
void gx_sessions__drop(struct gx_sessions *r, unsigned kind);

/*
 * @s becomes a session of @user, with an id and a turn unless it has them, held for the caller. GX_E_LIMIT: a limit is reached; s
 * is then still the caller's.
 */
int gx_sessions__add(struct gx_sessions *r, struct gx_sess *s, unsigned kind, const char *user, const struct gx_sess_limits *l) GX_MUST_CHECK;
/* By id, if it is @user's; held. NULL when there is none; *ret_others: there is one, of another user. */
struct gx_sess *gx_sessions__get(struct gx_sessions *r, unsigned kind, const struct gx_guid *id, const char *user, bool *ret_others);
/* @turn: what a request names; if it is right *ret_turn is what the next must name. NULL: what stands. GX_E_STATE: out of turn. */
int gx_sessions__turn(struct gx_sessions *r, struct gx_sess *s, const struct gx_guid *turn, struct gx_guid *ret_turn) GX_MUST_CHECK;
/* Nobody finds it any more. It is gone when nobody holds it: at once if the caller does not. */
void gx_sessions__end(struct gx_sessions *r, struct gx_sess *s);
/* Lets go of one that was held. */
void gx_sessions__put(struct gx_sessions *r, struct gx_sess *s);

/* Whose it is; only of one that has not ended. */
const char *gx_sessions__user(const struct gx_sess *s);

/* Ends those that were idle for too long. */
void gx_sessions__tick(struct gx_sessions *r);
unsigned gx_sessions__count(struct gx_sessions *r, unsigned kind);
/* Calls @fn for each, with the lock of its part held: it must not call back. */
void gx_sessions__each(struct gx_sessions *r, unsigned kind, void (*fn)(const struct gx_sess *s, int64_t idle_ms, void *ctx), void *ctx);

#endif
