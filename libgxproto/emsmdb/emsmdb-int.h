/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_INT_H
#define GX_EMSMDB_INT_H
/*
 * Sessions, their logons and objects, and what an operation is handed.
 *
 * Each operation is a function gx_rop__NAME() in rop/, called from the table that scripts/gen-rops.py makes of
 * defs/rop.def (dispatch.c).
 */
#include <pthread.h>
#include <gx/emsmdb.h>
#include <gx/engine.h>
#include <gx/rop.h>
#include <gx/rpcext.h>
#include "libgxproto/emsmdb/notes.h"
#include "libgxproto/session/session.h"

enum { EMS_TXN_MS = 10000 };
#define EMS_OK GX_EC(ecSuccess)
#define EMS_OBJECT_MOST UINT64_C(0x80000000) /* sizes are signed numbers of 32 bits */

struct gx_ems_obj;
struct gx_ems_logon;
struct gx_ems_peruser;
struct gx_ems_job;

struct gx_rop_call;

/* Properties of a kind of object. Ids in values are plain. */
struct gx_ems_props {
	/* Those of @tags that are there; n 0: all that are not large. Larger than @limit: PtypErrorCode ecMAPIOOM. */
	gx_ec (*get)(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, const gx_proptag_t *tags, size_t n, size_t limit,
		struct gx_proplist *ret_l);
	gx_ec (*tags)(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_txn *t, gx_proptag_t **ret_v, size_t *ret_n);
	gx_ec (*set)(struct gx_rop_call *c, struct gx_ems_obj *o, const struct gx_proplist *l, struct gx_problems *io_problems);
	gx_ec (*remove)(struct gx_rop_call *c, struct gx_ems_obj *o, const gx_proptag_t *tags, size_t n, struct gx_problems *io_problems);
};

/* What differs between kinds of object; its address is the kind. */
struct gx_ems_kind {
	const char *name;
	void (*free)(struct gx_ems_obj *o);
	const struct gx_ems_props *props; /* NULL: it has none */
};

/* First member of every object. */
struct gx_ems_obj {
	const struct gx_ems_kind *kind;
	struct gx_ems_logon *logon;   /* borrowed: objects go before their logon */
	uint32_t handle;
};

/* An object too: the one that RopLogon gives. */
struct gx_ems_logon {
	struct gx_ems_obj obj;
	uint8_t id;
	bool is_public;
	bool takes_progress;          /* the client may be answered with RopProgress */
	unsigned objects;             /* handles of it, its own among them */
	struct gx_store_pool *pool;
	struct gx_store *store;       /* held */
	struct gx_arena *a;           /* for the strings below */
	struct gx_actor actor;
	const char *mailbox;          /* address, or the domain of a public store */
	const char *maildir;
	bool dirty;                   /* committed, not yet flushed */
	struct gx_ems_job *job;       /* that goes on with RopProgress, job.h; NULL: none */
	struct gx_ems_peruser *peruser; /* peruser.h; NULL until it is needed */
};

struct gx_ems_slot {
	struct gx_ems_obj *obj;
	uint32_t generation, next_free;
};

struct gx_ems_session {
	struct gx_sess sess;          /* first */
	struct gx_ems *e;
	struct {                      /* under the lock of e */
		char machine[64], process[64];
		uint16_t mode;                /* GX_CLIENTMODE_* */
		unsigned failures;            /* that it has told of */
	} client;
	pthread_mutex_t lock;         /* one request at a time; what follows is under it */
	char *user;
	struct gx_user who;
	struct gx_arena *a;           /* lives as long as the session */
	uint32_t code_page;
	uint16_t client_version[3];
	struct gx_ems_slot *slots;
	uint32_t slot_count, first_free;
	struct gx_ems_logon *logons[256];
	struct gx_lzxpress *pack;
	struct gx_ems_bytes *dirty_streams; /* written to, and not yet their property's value; stream.h */
	unsigned subscriptions;
	struct gx_ems_notes notes;    /* has a lock of its own */
};

/* Mail on its way out (outbox.h). */
struct gx_ems_entry;
struct gx_ems_outbox {
	pthread_mutex_t lock;         /* for all of it */
	char *dir;                    /* NULL: what waits is in memory only */
	struct gx_ems_entry *head;
};

struct gx_ems {
	struct gx_ems_opts o;
	char *org;
	pthread_mutex_t lock;
	struct gx_sessions *sessions; /* with locks of its own */
	struct gx_ems_lock *locks;    /* of streams, under the lock */
	struct gx_ems_outbox outbox;
};

/* One operation under way. */
struct gx_rop_call {
	struct gx_ems_session *s;
	struct gx_arena *a;           /* of the request */
	struct gx_dctx *x;            /* context of the answer; columns of its rows go to x->custom */
	const struct gx_rop_desc *desc;
	uint8_t logon_id;
	struct gx_ems_logon *logon;   /* NULL in RopLogon and RopRelease */
	struct gx_ems_obj *in;        /* what "in" or "src" means; NULL where the operation has none */
	struct gx_ems_obj *dst;
	struct gx_ems_obj *made;      /* what gx_rop__give() gave */
	uint8_t in_index;             /* as the request had it */
	size_t room;                  /* bytes that the answer's body may have */
	size_t whole;                 /* the same, were it the first of the buffer: with more it is asked for again */
	struct gx_rop_response instead; /* answered in place of the operation's own; desc NULL: nothing is */
	void *failure;                /* body of an answer whose return value has one of its own */
	const char *why;              /* for the log */
};

/* Where others may keep sessions, too. */
struct gx_sessions *gx_ems__sessions(struct gx_ems *e);

/* ---- Objects and handles ---- */

int gx_ems__add(struct gx_ems_session *s, struct gx_ems_obj *o);
struct gx_ems_obj *gx_ems__find(struct gx_ems_session *s, uint32_t handle);
/* Frees the object, of a logon all of it. */
void gx_ems__drop(struct gx_ems_session *s, struct gx_ems_obj *o);
void gx_ems__drop_all(struct gx_ems_session *s);

/* ---- For operations ---- */

/* Makes @p o, which is then the session's, the object of the answer. */
gx_ec gx_rop__give(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_ems_logon *l);
gx_ec gx_rop__read(struct gx_rop_call *c, struct gx_txn **ret_t);
gx_ec gx_rop__write(struct gx_rop_call *c, struct gx_txn **ret_t);
/* Commits if @p ec is no failure, else aborts, keeping the reason for the log. */
gx_ec gx_rop__end(struct gx_rop_call *c, struct gx_txn *t, gx_ec ec);
/* In the store of another logon than the call's. */
gx_ec gx_rop__begin_at(struct gx_rop_call *c, struct gx_ems_logon *l, int mode, struct gx_txn **ret_t);
/* Most bytes of a message or stream. */
uint64_t gx_rop__object_max(const struct gx_rop_call *c);
uint32_t gx_rop__ext_rule_max(const struct gx_rop_call *c);
/* Do folders of this store go for good, whatever the client asks for? */
bool gx_rop__folders_go(const struct gx_rop_call *c, struct gx_txn *t);
gx_ec gx_rop__fail(struct gx_rop_call *c, uint32_t code, const char *fmt, ...) GX_PRINTF(3, 4);
/* Does the operation whose request is @p r; *ret_body is for response d, NULL when there is none. */
gx_ec gx_rop__do(struct gx_rop_call *c, const void *request, void *response);

#endif
