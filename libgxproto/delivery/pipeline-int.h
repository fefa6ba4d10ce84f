/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the delivery pipeline.
 *
 * A record of the journal becomes a job with its mailboxes; each mailbox has a queue, in the
 * order of the journal, and at most one worker at a time, which takes what waits there into one
 * transaction. A message is prepared once, by the first worker that needs it. When a job's last
 * mailbox has it, the job waits for the stores to be flushed, and then its record is released.
 * After a crash unreleased records are delivered again; stores refuse what they have by the
 * record's id.
 */
#ifndef GX_PIPELINE_INT_H
#define GX_PIPELINE_INT_H
#include <pthread.h>
#include "journal-int.h"
#include "rcpt-int.h"

/** Jobs that wait for a mailbox in trouble. */
enum { GX_MAX_STUCK = 20000 };
/** Most messages that go to a mailbox in one transaction. */
enum { GX_DELIVERY_BATCH = 32 };

enum job_state { JOB_RAW, JOB_PREPARING, JOB_READY };

struct gx_mailjob {
	struct gx_mailjob *next;          /* in one of the delivery's lists */
	struct gx_jrec *rec;
	struct gx_arena *a;           /* envelope and mailboxes */
	struct gx_envelope env;
	struct gx_resolved to;
	size_t left;                  /* mailboxes to go */
	uint64_t share;               /* of its bytes in the journal, for each mailbox */
	enum job_state state;
	unsigned users;               /* workers that use the prepared message */
	struct gx_arena *msg_arena;
	struct gx_mail_prepared prep;
	int64_t retry_at;             /* parked: monotonic ms */
	unsigned tries;
	unsigned losses;              /* of the delivery, when it was last begun */
	const char **again;           /* recipients for whom it is journaled anew */
	size_t again_n;
};

/** One message for one mailbox. */
struct gx_drop {
	struct gx_drop *next;
	struct gx_mailjob *job;
	const struct gx_target *to;
	int err;                      /* last result */
	bool final;                   /* err is for good */
	bool moves;                   /* goes on as another record */
	char *why;                    /* malloc()ed, may be NULL */
};

/** A server that cannot be reached, or a mailbox in trouble, and what waits for it. */
struct gx_holder {
	struct gx_holder *next;
	uint32_t server;
	char *dir;                    /* NULL: all of the server */
	char *why;
	uint64_t bytes, msgs;
	size_t boxes;                 /* mailboxes that wait */
	bool refusing;                /* no more is taken */
	int64_t probe_at;             /* when it is tried again by one of them */
};

struct gx_mailbox {
	struct gx_mailbox *hnext, *qnext;
	char *dir;
	struct gx_drop *head, **tail;
	size_t count;
	uint64_t bytes, msgs;         /* with those that a worker has */
	struct gx_holder *holder;     /* after a failure */
	bool queued;                  /* in the run queue, with a worker, or parked */
	bool parked;
	int64_t retry_at;
	unsigned tries;
};

struct gx_mailjobs {
	struct gx_mailjob *head, **tail;
};

struct gx_delivery {
	struct gx_journal *j;
	bool own_journal;
	struct gx_dir *dir;
	struct gx_store_pool *pool;
	const struct gx_log *log;
	const struct gx_clock *clock;
	char *delimiter;
	unsigned max_threads;

	pthread_mutex_t sync;       /* around a flush of the stores and what it says of machines; before mu */
	pthread_mutex_t mu;
	pthread_cond_t work;          /* for workers */
	pthread_cond_t prepared;      /* some job became ready or raw */
	pthread_cond_t flush;         /* for the flusher */
	bool stop, stop_flusher;
	bool more;                    /* the journal may have records */
	bool dispatching;
	unsigned threads, idle;
	pthread_t *workers;
	pthread_t flusher;
	bool flusher_runs;
	size_t inflight;              /* jobs */
	size_t stuck;                 /* of them (counted by mailbox), those that wait for a retry */
	struct gx_mailbox **table;
	size_t table_size, mailboxes;
	struct gx_mailbox *run, **run_tail;
	struct gx_mailbox *parked;
	struct gx_mailjobs parked_jobs;
	struct gx_mailjobs unsynced;
	struct gx_mailjobs kept;      /* delivered to a server that cannot be told to flush them */
	uint64_t unsynced_bytes;
	size_t unsynced_jobs;
	unsigned losses;              /* how often a machine with stores failed before it had flushed them */
	int64_t unsynced_since;
	uint64_t prepared_bytes;
	uint64_t delivered;
	struct gx_hold_limits hold;
	struct gx_holder *holders;
	int64_t disk_at;              /* when disk_short was found out */
	bool disk_short;
	struct gx_prepare_ctx *spare[4]; /* compressors nobody uses */
	unsigned spares;
};

/* jobs.c */
/** GX_E_*: the record stays with the caller. */
int gx_mailjob__new(struct gx_delivery *d, struct gx_jrec *r, struct gx_mailjob **ret_job) GX_MUST_CHECK;
/** Finds its mailboxes. An error is for now only. */
int gx_mailjob__resolve(struct gx_delivery *d, struct gx_mailjob *job) GX_MUST_CHECK;
/** The record stays. */
void gx_mailjob__free(struct gx_mailjob *job);
/** Makes the message ready and keeps it so until unuse. */
int gx_mailjob__use(struct gx_delivery *d, struct gx_mailjob *job) GX_MUST_CHECK;
void gx_mailjob__unuse(struct gx_delivery *d, struct gx_mailjob *job);
void gx_mailjobs__add(struct gx_mailjobs *l, struct gx_mailjob *job);

/* mailbox.c; the lock is held */
int gx_mailbox__get(struct gx_delivery *d, const char *dir, struct gx_mailbox **ret_m) GX_MUST_CHECK;
void gx_mailbox__drop_if_idle(struct gx_delivery *d, struct gx_mailbox *m);
void gx_mailbox__append(struct gx_delivery *d, struct gx_mailbox *m, struct gx_drop *x);
void gx_mailbox__run(struct gx_delivery *d, struct gx_mailbox *m);

/* insert.c */
/** Puts n messages into one mailbox; fills err, final and why of each and changes the order of v. */
/** @return false: the server with the mailbox cannot be reached. */
bool gx_delivery__insert(struct gx_delivery *d, const char *dir, struct gx_drop **v, size_t n, struct gx_arena *scratch);

/* hold.c; the lock is held */
void gx_hold__add(struct gx_delivery *d, struct gx_mailbox *m, uint64_t share);
void gx_hold__remove(struct gx_delivery *d, struct gx_mailbox *m, uint64_t share);
/** A mailbox was written, or could not be: since its server cannot be reached (@p down), or for itself. */
void gx_hold__went_well(struct gx_delivery *d, struct gx_mailbox *m);
void gx_hold__failed(struct gx_delivery *d, struct gx_mailbox *m, uint32_t server, bool down, const char *why);
/** The mailbox ends, since what waited for it goes on as other records. */
void gx_hold__forget(struct gx_delivery *d, struct gx_mailbox *m);
/** A message that a server has and has not flushed. */
void gx_hold__keep(struct gx_delivery *d, uint32_t server, uint64_t share, bool on);
/** Lets one mailbox of each server that cannot be reached try now and then. @return ms until the next, -1 none. */
int64_t gx_hold__probe(struct gx_delivery *d, int64_t now);
/** Forgets all. */
void gx_hold__end(struct gx_delivery *d);

/* failed.c */
/** Keeps a message that cannot be delivered, durably. @p why: one sentence. */
int gx_delivery__keep_failed(struct gx_delivery *d, const struct gx_mailjob *job, const char *rcpt, const char *why) GX_MUST_CHECK;

/* dispatch.c */
/** Takes one record to the mailboxes' queues. @return whether there was one. Called and returns with the lock held. */
bool gx_delivery__dispatch(struct gx_delivery *d);
/** To be started again later; lock held. */
void gx_delivery__park(struct gx_delivery *d, struct gx_mailjob *job);
/** A job's last mailbox has it; lock held. */
void gx_delivery__job_done(struct gx_delivery *d, struct gx_mailjob *job);
int64_t gx_delivery__backoff_ms(unsigned tries);

/* flusher.c */
/** Has so much been delivered that the stores should be flushed? Lock held. */
bool gx_delivery__flush_due(const struct gx_delivery *d);
void *gx_delivery__flusher(void *d);

#endif
