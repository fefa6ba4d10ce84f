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
/** May the message be one of them? By binary search. */
GX_API bool gx_candidates_have(const struct gx_candidates *c, uint64_t mid);

/* ---- Search folders, [MS-OXCFOLD] 2.2.1.4 and 2.2.1.5 ---- */

/** SearchFlags of RopSetSearchCriteria. */
enum {
	STOP_SEARCH = 0x01, RESTART_SEARCH = 0x02, RECURSIVE_SEARCH = 0x04, SHALLOW_SEARCH = 0x08, FOREGROUND_SEARCH = 0x10,
	BACKGROUND_SEARCH = 0x20, CONTENT_INDEXED_SEARCH = 0x10000, NON_CONTENT_INDEXED_SEARCH = 0x20000, STATIC_SEARCH = 0x40000,
};
/** SearchFlags of RopGetSearchCriteria. */
enum {
	SEARCH_RUNNING = 0x01, SEARCH_REBUILD = 0x02, SEARCH_RECURSIVE = 0x04, SEARCH_FOREGROUND = 0x08, SEARCH_COMPLETE = 0x1000,
	SEARCH_PARTIAL = 0x2000, SEARCH_STATIC = 0x10000,
};
/**
 * Sets what a search folder shows and begins to look; what is found at once is there when it returns, the rest follows by
 * gx_search_run(). A dynamic search (without STATIC_SEARCH) follows every change from then on, and is not run anew without cause.
 * @p r NULL or @p n 0: what was set before. Scope folders are real ones.
 * ecNotInitialized when there is nothing to look for yet; ecNotSearchFolder; ecAccessDenied.
 */
GX_API gx_ec gx_search_set(struct gx_txn *t, uint64_t fid, uint32_t flags, const struct gx_restr *r, const uint64_t *folders, size_t n) GX_MUST_CHECK;
struct gx_search_info {
	uint32_t status;             /**< SEARCH_*; 0 stopped */
	const struct gx_restr *restr; /**< NULL: never set */
	const uint64_t *folders;
	size_t n;
};
/** Everything lives in @p a. ecNotSearchFolder. */
GX_API gx_ec gx_search_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_search_info *ret_i) GX_MUST_CHECK;
/** Puts messages into a search folder by hand, or takes them out. Those that are not there are passed over. */
GX_API gx_ec gx_search_link(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n) GX_MUST_CHECK;
GX_API gx_ec gx_search_unlink(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n) GX_MUST_CHECK;
/** Is the message in folder @p fid, or does that show it as a search folder? ecNotFound: there is no such message. */
GX_API gx_ec gx_search_shows(struct gx_txn *t, uint64_t fid, uint64_t mid, bool *ret_shown) GX_MUST_CHECK;
/**
 * Goes on with searches that are not through, for at most about @p budget_ms and in short transactions. @p ret_done: none is
 * left. For whoever has time in the background; pools do it. Thread class: locked.
 */
GX_API int gx_search_run(struct gx_store *s, int budget_ms, bool *ret_done) GX_MUST_CHECK;
/**
 * Searches still show messages of a large folder for a while after it was deleted softly. Takes at most about @p limit (0: all)
 * out of them; @p ret_more: there are others. gx_search_run() does it, too: this is for who does not want to leave it to that.
 */
GX_API gx_ec gx_search_leave(struct gx_txn *t, size_t limit, bool *ret_more) GX_MUST_CHECK;

/**
 * Brings the index up to date, for at most @p budget_ms; for whoever has time in the background. @p ret_done: nothing
 * is missing. Does nothing in a store opened without index.
 */
GX_API int gx_store_index(struct gx_store *s, int budget_ms, bool *ret_done) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
