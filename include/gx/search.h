/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SEARCH_H
#define GX_SEARCH_H
/**
 * @file search.h
 * Finding messages by their words, with the substring meaning of IMAP and MAPI.
 *
 * The index gives candidates: all messages that may fulfil a condition, and some that do not. Whoever
 * asks looks at them. It follows the store by itself; a question brings it up to date first, for as long as it
 * is worth, and what is not indexed yet counts as a candidate: nothing is ever missed.
 * Thread class: as the transaction, confined; gx_store_index() is locked.
 */
#include <gx/restr.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Messages, ascending by id; all: the index cannot tell, any message may be meant. */
struct gx_candidates {
	bool all;
	const uint64_t *mids;
	size_t n;
};
/**
 * Messages that may contain all of the texts: in subject, people, header, body, text attachments or names of
 * attachments. Texts of less than three characters cannot be looked up. @p fid 0: the whole store.
 */
GX_API gx_ec gx_search_texts(struct gx_txn *t, uint64_t fid, const char *const *texts, size_t n, struct gx_arena *a,
	struct gx_candidates *ret_c) GX_MUST_CHECK;
/** Messages that may fulfil a restriction. */
GX_API gx_ec gx_search_restr(struct gx_txn *t, uint64_t fid, const struct gx_restr *r, struct gx_arena *a,
	struct gx_candidates *ret_c) GX_MUST_CHECK;
GX_API bool gx_candidates_have(const struct gx_candidates *c, uint64_t mid);

/**
 * Brings the index up to date, for at most @p budget_ms; for whoever has time in the background. @p ret_done: nothing
 * is missing. Does nothing in a store opened without index.
 */
GX_API int gx_store_index(struct gx_store *s, int budget_ms, bool *ret_done) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
