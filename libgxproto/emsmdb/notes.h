/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_NOTES_H
#define GX_EMSMDB_NOTES_H
/*
 * What has happened and a session was not told yet, [MS-OXCNOTIF] 3.1.1.
 *
 * Every subscription and every table has a queue of its own, a "watch"; the session visits those that have something in
 * turn. Events come on committing threads: nothing here calls a store while the lock is held.
 */
#include <pthread.h>
#include <gx/emsmdb.h>
#include <gx/table.h>

struct gx_ems_note {
	struct gx_ems_note *next;
	bool is_table;
	union {
		struct gx_event ev;
		struct gx_table_event tev;
	} u;
};

struct gx_ems_notes;
struct gx_ems_watch {
	struct gx_ems_notes *notes;    /* NULL: not in use */
	uint32_t handle;               /* of the subscription or table */
	uint8_t logon_id;
	bool is_table, ready;
	bool not_own;                  /* silent about what the session itself does */
	struct gx_ems_note *head, *tail;
	unsigned count;
	struct gx_ems_watch *next_ready;
};

struct gx_ems_notes {
	pthread_mutex_t lock;
	struct gx_ems_watch *first_ready, *last_ready;
	struct gx_ems_waiter *waiters;
	unsigned waiting, most;        /* notes; most 0: no limit */
	unsigned long lost;            /* that found no room even so */
	bool closed;
	bool running;
	pthread_t runner;              /* who does the session's operations just now */
};

int gx_notes__init(struct gx_ems_notes *n, unsigned most);
void gx_notes__release(struct gx_ems_notes *n);
/* Nothing is told any more: wakes all who wait. */
void gx_notes__close(struct gx_ems_notes *n);

/* The calling thread begins or ends to do operations of the session. */
void gx_notes__runner(struct gx_ems_notes *n, bool on);

void gx_watch__begin(struct gx_ems_watch *w, struct gx_ems_notes *n, uint32_t handle, uint8_t logon_id, bool is_table);
/* Forgets what it has; after the source of its events was stopped. Nothing if it was not begun. */
void gx_watch__end(struct gx_ems_watch *w);
void gx_watch__event(struct gx_ems_watch *w, const struct gx_event *ev);
void gx_watch__table_event(struct gx_ems_watch *w, const struct gx_table_event *ev);

/* The next note and whose it is, taken out: the caller frees it or puts it back. NULL: there is none. */
struct gx_ems_note *gx_notes__take(struct gx_ems_notes *n, struct gx_ems_watch **ret_w);
void gx_notes__put_back(struct gx_ems_watch *w, struct gx_ems_note *x);
/* How many found no room since it was last asked. */
unsigned long gx_notes__lost(struct gx_ems_notes *n);
bool gx_notes__pending(struct gx_ems_notes *n);
/* Woken once for each that comes, at once when there is something already. */
void gx_notes__wait(struct gx_ems_notes *n, struct gx_ems_waiter *w);
/* After it wake is not running and will not run again. */
void gx_notes__unwait(struct gx_ems_notes *n, struct gx_ems_waiter *w);

#endif
