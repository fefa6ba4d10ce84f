/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_SEARCH_INT_H
#define GXSTORE_SEARCH_INT_H
/*
 * Search folders: table search says what each looks for, scope where, found what it shows. A dynamic one is
 * asked about every message that changes in its scope, by the hub and in the same transaction; population
 * goes on in the background until it is through.
 */
#include <gx/search.h>
#include "libgxstore/message/msgsrc.h"

enum {
	GX_SEARCH_STOPPED,
	GX_SEARCH_POPULATING, /* looks through its scope; at_fid, at_id say how far */
	GX_SEARCH_COMPLETE,
	GX_SEARCH_RECHECKING, /* the scope changed: what was found is asked again first; at_id says how far */
};
struct gx_searchdef {
	uint64_t fid;
	uint32_t flags;               /* SearchFlags as they were set */
	int state;
	const struct gx_restr *restr;
	uint64_t *scope;
	size_t nscope, cap_scope;
	uint64_t at_fid, at_id;
	struct gx_searchdef *next;
};
/* The searches whose scope a folder is in. */
struct gx_searchcover {
	uint64_t fid;
	struct gx_searchdef **v;
	size_t n;
	struct gx_searchcover *next;
};
#define GX_SEARCH_BUCKETS 64U
/* Belongs to whoever has the writer's slot. */
struct gx_searches {
	bool loaded;
	struct gx_arena *a, *scratch;
	struct gx_searchdef *head;
	struct gx_searchcover *cover[GX_SEARCH_BUCKETS];
	uint64_t leaving, left_uid; /* the folder whose messages leave the searches, and the last one that has */
};
int gx_searches__new(struct gx_searches **ret_s) GX_MUST_CHECK;
void gx_searches__free(struct gx_searches *s);
/* They changed, or the transaction was rolled back: read again when asked. */
void gx_searches__forget(struct gx_searches *s);
/* All of them; in a write transaction. */
int gx_searches__load(struct gx_txn *t, struct gx_searchdef **ret_head) GX_MUST_CHECK;
int gx_searches__cover(struct gx_txn *t, uint64_t fid, const struct gx_searchcover **ret_c) GX_MUST_CHECK;
static inline bool gx_searchdef__live(const struct gx_searchdef *d)
{
	return d->state != GX_SEARCH_STOPPED && !(d->flags & STATIC_SEARCH) && d->restr != NULL;
}
int gx_searchdef__write_state(struct gx_txn *t, const struct gx_searchdef *d) GX_MUST_CHECK;
/* 1 fulfilled, 0 not, or GX_E_*. */
int gx_searchdef__match(struct gx_txn *t, const struct gx_searchdef *d, const struct gx_msg_row *r) GX_MUST_CHECK;

/* ---- What is found (search_live.c) ---- */

int gx_search__link(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_search__unlink(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r) GX_MUST_CHECK;
/* 1 the message is found, 0 not, or GX_E_*. */
int gx_search__shows(struct gx_txn *t, uint64_t fid, uint64_t mid) GX_MUST_CHECK;
/* Nothing is found any more. */
int gx_search__clear(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* Called by the hub. */
int gx_search__created(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_search__updated(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_search__removed(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
/* Those that show a message; when they are as many as fit, there may be more. */
enum { GX_SEARCH_SHOWING = 128 };
int gx_search__showing(struct gx_txn *t, uint64_t mid, uint64_t v[GX_SEARCH_SHOWING], size_t *ret_n) GX_MUST_CHECK;

/* ---- Folders (search_folders.c) ---- */

/* A folder goes: what of it was found leaves. With a search folder its definition. */
int gx_search__folder_gone(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* It is hidden. @ret_later: there may be much of it, which leaves in portions; the folder must have GX_FF_FOUND until then. */
int gx_search__folder_hidden(struct gx_txn *t, uint64_t fid, bool *ret_later) GX_MUST_CHECK;
/* Such a portion. 1: there is more, 0 not, or GX_E_*. */
int gx_search__leave(struct gx_txn *t, size_t *io_left) GX_MUST_CHECK;
/* Folders moved, or those in @back came back: scopes are other ones. */
int gx_search__moved(struct gx_txn *t, const uint64_t *back, size_t n) GX_MUST_CHECK;

/* ---- Looking (search_run.c) ---- */

/* What may be done in one transaction. */
struct gx_searchportion {
	unsigned n;    /* messages that may still be looked at */
	int64_t until; /* by the monotonic clock, milliseconds */
};
/* As exmdb_search_pacing and exmdb_search_pacing_time say, with @times as many messages. */
struct gx_searchportion gx_search__portion(const struct gx_store *s, unsigned times);
/* Goes on for a portion; one message is looked at in any case. */
int gx_search__advance(struct gx_txn *t, struct gx_searchdef *d, struct gx_searchportion p) GX_MUST_CHECK;

#endif
