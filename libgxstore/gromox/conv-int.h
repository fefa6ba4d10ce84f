/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_CONV_INT_H
#define GXSTORE_CONV_INT_H
/* A conversion from a Gromox mailbox to a store of ours: what its files share. */
#include "libgxstore/gromox/gromox-int.h"
#include "libgxstore/store-int.h"

/*
 * How far it is; written into the new store with every transaction. Messages are converted folder by
 * folder: first those that have a UID, in the order of UIDs, then the others by id.
 */
enum { GX_CONV_BY_UID = 0, GX_CONV_BY_ID = 1 };
struct gx_conv_state {
	struct gx_guid source;         /* mailbox GUID and numbers of the source: it must be the same, unchanged one */
	uint64_t last_id, last_cn;
	uint32_t stage;                /* GX_CONV_STAGE_*, the one that is to be done */
	uint32_t folder;               /* index of the folder; after the last one: messages in no folder */
	uint32_t phase;
	uint64_t after;                /* UID or id done last */
	uint64_t recovered;            /* folder made for messages without one, 0 none */
	uint64_t folders, messages, associated, deleted, attachments, originals, bytes, findings;
};

struct gx_conv_pending {
	struct gx_storeconv_finding f;
	struct gx_conv_pending *next;
};

struct gx_conv {
	const struct gx_storeconv_opts *o;
	char *dest, *work;             /* without slashes at the end */
	struct gx_gromox *g;
	struct gx_store *s;
	struct gx_txn *t;              /* open whenever the source is read, since findings go into it */
	struct gx_arena *run, *item, *batch; /* die with the run, with the object, with the transaction */
	struct gx_gromox_idmap *map;
	struct gx_prepare_ctx *prep;
	struct gx_conv_state st;
	struct gx_gromox_folder *folders;
	size_t folder_count;
	struct gx_conv_pending *pending, **pending_tail;
	unsigned in_batch;
	uint64_t batch_bytes;
	bool resumed;
	char why[1024];
};

int gx_conv__fail(struct gx_conv *c, int err, const char *fmt, ...) GX_PRINTF(3, 4);
/* What the store's transaction says. */
int gx_conv__ec(struct gx_conv *c, gx_ec ec);
/* The sentence of the transaction or the source for an error that has none yet. */
int gx_conv__err(struct gx_conv *c, int err);
int gx_conv__begin(struct gx_conv *c) GX_MUST_CHECK;
/* Writes the state, commits, tells findings and progress. */
int gx_conv__commit(struct gx_conv *c) GX_MUST_CHECK;
/* The same when the batch is full. */
int gx_conv__step(struct gx_conv *c) GX_MUST_CHECK;
/* Tells progress; GX_E_TIMEOUT when it is to end. */
int gx_conv__progress(struct gx_conv *c) GX_MUST_CHECK;
/* A finding about what gx_gromox__about() said last. */
int gx_conv__note(struct gx_conv *c, int kind, const char *file, const char *fmt, ...) GX_PRINTF(4, 5) GX_MUST_CHECK;

/* state.c */
int gx_conv__load(struct gx_conv *c, bool *ret_found) GX_MUST_CHECK;
int gx_conv__save(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__make_findings(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__add_finding(struct gx_conv *c, const struct gx_storeconv_finding *f) GX_MUST_CHECK;
/* Reports those of earlier runs. */
int gx_conv__tell_findings(struct gx_conv *c) GX_MUST_CHECK;
/* The store is finished and in place: what only the conversion needs goes. */
int gx_conv__forget(struct gx_conv *c) GX_MUST_CHECK;

/* place.c */
int gx_conv__check_dest(struct gx_conv *c, bool *ret_finished) GX_MUST_CHECK;
int gx_conv__open_work(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__open_store(struct gx_conv *c, const char *dir) GX_MUST_CHECK;
int gx_conv__place(struct gx_conv *c) GX_MUST_CHECK;

/* The stages. */
int gx_conv__names(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__store(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__folders(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__messages(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__rest(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__searches(struct gx_conv *c) GX_MUST_CHECK;
int gx_conv__run_searches(struct gx_conv *c) GX_MUST_CHECK;
/* After an interruption: next UIDs as the messages say. */
int gx_conv__restore_uids(struct gx_conv *c) GX_MUST_CHECK;
/* Values that have no meaning of their own in the new store are taken out of the list. */
void gx_conv__drop(struct gx_proplist *l, const gx_proptag_t *tags, size_t n);
/* A change key of this store is what its change number says; others are kept. */
bool gx_conv__own_key(const struct gx_conv *c, const struct gx_proplist *l, uint64_t cn);

/* put.c: rows as they were, which no operation of the store makes. All in a write transaction. */
int gx_put__guids(struct gx_txn *t, const struct gx_guid *mailbox, const struct gx_guid *replica) GX_MUST_CHECK;
int gx_put__replica(struct gx_txn *t, uint16_t replid, const struct gx_guid *guid) GX_MUST_CHECK;
int gx_put__reserved(struct gx_txn *t, uint64_t first, uint64_t last) GX_MUST_CHECK;
int gx_put__replied(struct gx_txn *t, const char *peer, int64_t at) GX_MUST_CHECK;
int gx_put__receive(struct gx_txn *t, const struct gx_gromox_receive *r) GX_MUST_CHECK;
int gx_put__clear_receive(struct gx_txn *t) GX_MUST_CHECK;
int gx_put__read(struct gx_txn *t, const char *user, uint64_t fid, uint64_t mid, uint64_t rcn, bool read) GX_MUST_CHECK;
int gx_put__rule(struct gx_txn *t, uint64_t fid, const struct gx_gromox_rule *r, struct gx_arena *a) GX_MUST_CHECK;
/* The row of a built-in folder goes, to be written anew. */
int gx_put__drop_folder(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/* Marks a folder as deleted softly, or takes the mark away. */
int gx_put__hide_folder(struct gx_txn *t, uint64_t fid, bool hide) GX_MUST_CHECK;

#endif
