/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FTS_INT_H
#define GXSTORE_FTS_INT_H
/*
 * The full-text index: which bodies may contain a text. A file of its own beside the database, made
 * anew whenever it is lost: it follows the store and never holds up who writes there.
 */
#include "libgxstore/store-int.h"

#define GX_FTS_NAME "fts.sqlite3"

/* ---- The index (fts.c) ---- */

int gx_fts__init(struct gx_fts *f);
void gx_fts__release(struct gx_fts *f);
/*
 * Indexes what is missing for about @budget_ms. *ret_done: nothing is missing any more. Who asks does not wait for
 * another one who indexes: then nothing is done.
 */
int gx_fts__catch_up(struct gx_store *s, int budget_ms, bool background, bool *ret_done) GX_MUST_CHECK;
/* A body's content changed at a change number: it will be indexed again. */
int gx_fts__changed(struct gx_txn *t, uint64_t body, uint64_t cn) GX_MUST_CHECK;

/*
 * As far as it was made, in a snapshot (to be rolled back) and by a connection of its own, f->q, to be closed after a failure,
 * too: nobody who indexes has to wait. GX_E_FORMAT: it is none of this store. GX_E_NOTFOUND: there is none yet. The lock of
 * s->fts_ask is held, lest the file is taken away between its opening and that of its log.
 */
int gx_fts__look(struct gx_txn *t, struct gx_fts *f) GX_MUST_CHECK;
/* It will be made anew when it is asked next. */
void gx_fts__discard(struct gx_store *s);
/* Is every body in it that should be? @report is told what is not; stops when it answers other than 0. */
int gx_fts__verify(struct gx_txn *t, int (*report)(uint64_t body, const char *text, void *ctx), void *ctx) GX_MUST_CHECK;

/* ---- The text of a message (fts_text.c) ---- */

/*
 * Appends subject, people, header, texts and names of attachments of a body and of the messages in it, in
 * the form of gx_fuzzy_form(). *ret_whole: all of it was taken. Ids of embedded bodies are appended to @inner.
 */
int gx_fts__text(struct gx_txn *t, uint64_t body, struct gx_push *out, struct gx_idlist *inner, bool *ret_whole) GX_MUST_CHECK;

/* ---- Queries (fts_query.c) ---- */

/*
 * Bodies that may contain all the texts. *ret_all: any may, since no text is long enough to look up.
 */
int gx_fts__find(struct gx_txn *t, const char *const *texts, size_t n, struct gx_idlist *ret_bodies, bool *ret_all) GX_MUST_CHECK;

#endif
