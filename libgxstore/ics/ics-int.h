/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_ICS_INT_H
#define GXSTORE_ICS_INT_H
/* What the files of change synchronisation share. */
#include <gx/ics.h>
#include "libgxstore/ics/ics-list.h"
#include "libgxstore/store-int.h"

struct gx_ics_content {
	struct gx_ics_summary sum;
	struct gx_icslist list;
	struct gx_icsreader next;
	size_t updated; /* changes of which the client has an older version */
	struct gx_globset set[GX_ICS_SETS];
};

/* One run over a folder. */
struct gx_ics_run {
	struct gx_txn *t;
	uint64_t fid;
	bool search;           /* a search folder */
	bool personal;         /* read states are the actor's, not the messages' */
	const struct gx_ics_content_opts *o;
	struct gx_ics_content *c;
};

/* The last number up to which it has everything, 0 for none. */
uint64_t gx_ics__complete(const struct gx_globset *s);
/* A message of the folder that is wanted: it is given, and changed or with another read state or neither. */
int gx_ics__consider(struct gx_ics_run *x, const struct gx_msg_row *r) GX_MUST_CHECK;
/* Does the client want messages with these flags? */
bool gx_ics__wanted(const struct gx_ics_run *x, uint32_t flags);
/* Is the version that the client has the present one? */
bool gx_ics__is_known(const struct gx_ics_run *x, const struct gx_msg_row *r);
/* By way of the change log. GX_E_RANGE: it cannot be done so, and nothing of the result holds (ics_changes.c). */
int gx_ics__changes(struct gx_ics_run *x) GX_MUST_CHECK;
/* By way of all messages (ics_scan.c). */
int gx_ics__scan(struct gx_ics_run *x) GX_MUST_CHECK;
/* Adds the actor's read states, when all the rest is known (ics_read.c). */
int gx_ics__user_reads(struct gx_ics_run *x) GX_MUST_CHECK;

/* For exmdb_ics_log_file (ics_log.c). */
void gx_ics__log_content(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o, const struct gx_ics_content *c, int err);
void gx_ics__log_hierarchy(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_ics_hierarchy *h, gx_ec ec);

/* The store's last change number in this snapshot. */
int gx_ics__last_cn(struct gx_txn *t, uint64_t *ret_cn) GX_MUST_CHECK;
int gx_ics__ids(struct gx_arena *a, const struct gx_globset *s, struct gx_ics_ids *ret_ids) GX_MUST_CHECK;

/* ---- Versions and uploads ---- */

/* Those of an object's properties. */
struct gx_ics_version gx_ics__version_of(const struct gx_proplist *l);
/* That of a message the actor may read. */
gx_ec gx_ics__version(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_ics_version *ret_v);
/* Are key and list what they should be? */
int gx_ics__check_version(struct gx_arena *a, const struct gx_ics_version *v) GX_MUST_CHECK;
/* For a client: that they are not, or that there was no memory to see it. */
gx_ec gx_ics__no_version(struct gx_txn *t, int err);
/* Among stored properties: it holds while the object has this change number. Without a key it is one of ours, with what came before. */
int gx_ics__put_version(struct gx_proplist *l, struct gx_arena *a, const struct gx_ics_version *v, uint64_t cn) GX_MUST_CHECK;
/* @r gets a new change number. */
int gx_ics__set_version(struct gx_txn *t, struct gx_msg_row *r, const struct gx_ics_version *v) GX_MUST_CHECK;
/* ---- Conflicts (ics_conflict.c) ---- */

/* Versions that a message in conflict holds, whose own is @now; @ret_n 0: it is one version, whatever it says. */
int gx_ics__held(struct gx_txn *t, const struct gx_msg_row *r, const struct gx_ics_version *now, struct gx_arena *a,
	struct gx_ics_version **ret_v, size_t *ret_n) GX_MUST_CHECK;
/* GX_ICS_*: what a version is to all of them. */
int gx_ics__judge(struct gx_arena *a, const struct gx_ics_version *held, size_t n, const struct gx_ics_version *incoming,
	int *ret_order) GX_MUST_CHECK;
struct gx_ics_resolved {
	const struct gx_msgobj *const *versions; /* that conflict with one another, with their keys and lists */
	size_t n;
	const struct gx_msgobj *winner;          /* one of them */
	gx_nttime_t modified;                    /* its time */
};
/* The versions that there are when @theirs has come to a stored message. All in the transaction's arena. */
gx_ec gx_ics__resolve(struct gx_txn *t, uint64_t mid, const struct gx_msgobj *theirs, const struct gx_ics_version *v,
	struct gx_ics_resolved *ret_r);

/* The id in a source key of this store. ecInvalidParam. */
gx_ec gx_ics__source_id(struct gx_txn *t, struct gx_bin key, uint64_t *ret_id);
/* Nothing has the id: may a client make something with it? ecSyncObjectDeleted: it was here, and is gone. */
gx_ec gx_ics__check_new(struct gx_txn *t, uint64_t id);
/* Ids that nothing has are not to come later, [MS-OXCFXICS] 3.2.5.9.4.5. */
gx_ec gx_ics__never(struct gx_txn *t, const uint64_t *ids, size_t n);

#endif
