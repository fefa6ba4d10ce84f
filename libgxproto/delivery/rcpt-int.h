/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RCPT_INT_H
#define GX_RCPT_INT_H
#include <gx/directory.h>
#include <gx/store.h>

/** A mailbox that a message goes to. */
struct gx_target {
	const char *user;      /* primary address */
	const char *maildir;
	uint32_t server;       /* homeserver */
	bool kept;             /* it has the message and has not flushed it (flusher.c) */
};
struct gx_journal;
/** A recipient that no mailbox can be found for, and why. */
struct gx_unresolved {
	const char *address;
	int err;
};
struct gx_resolved {
	struct gx_target *v;
	size_t n, cap;
	uint32_t *table;       /* index + 1 by hash of maildir; 0 free */
	size_t table_size;
	struct gx_unresolved *bad;
	size_t bad_n, bad_cap;
};

/** The user behind an address, with or without an extension. */
int gx_rcpt__user(struct gx_dir *d, const char *address, const char *delimiter, struct gx_arena *a, struct gx_user *ret_u) GX_MUST_CHECK;
/**
 * Adds the mailboxes of one recipient, lists expanded, each mailbox once. What cannot be
 * delivered for good goes to bad; an error is for now only (GX_E_BUSY, GX_E_IO, GX_E_NOMEM).
 */
int gx_rcpt__resolve(struct gx_dir *d, const char *address, const char *delimiter, const char *sender, struct gx_arena *a,
	struct gx_resolved *io_r) GX_MUST_CHECK;

/**
 * GX_E_LIMIT when no mail is taken now for the mailbox, or for one of a list's members (journal_holds.c).
 */
int gx_rcpt__held(struct gx_dir *d, struct gx_journal *j, const char *address, const char *delimiter, struct gx_arena *a) GX_MUST_CHECK;

/**
 * Has the mailbox room for so many bytes? GX_E_NOSPACE when it is over its quota. Lists, and
 * stores that cannot be asked now, are taken to have it.
 */
int gx_rcpt__room(struct gx_dir *d, struct gx_store_pool *pool, const char *address, const char *delimiter, uint64_t size,
	struct gx_arena *a) GX_MUST_CHECK;

#endif
