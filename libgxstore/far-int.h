/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FAR_INT_H
#define GXSTORE_FAR_INT_H
/*
 * What a struct gx_store of which another process is the owner does instead of working on a database: the public
 * functions go through this table first. Functions that have no row here answer ecNotSupported on such a store.
 * The one that fills it is remote/far.c.
 */
#include <gx/search.h>
#include "libgxstore/store-int.h"

struct gx_root;
/* What a view is known by there. */
struct gx_far_view {
	uint32_t id;      /* 0 none */
	uint32_t answers; /* that have come */
};

struct gx_far_ops {
	/* The store */
	void (*close)(struct gx_store *s);
	int (*sync)(struct gx_store *s);
	/* Commits that were not flushed yet, so that it must not be closed? */
	bool (*unsynced)(struct gx_store *s);
	/* Events are to come from now on; before the first subscription. */
	int (*watch)(struct gx_store *s);
	gx_ec (*keywords)(struct gx_store *s, uint32_t kwset, struct gx_arena *a, const char *const **ret_names);
	/*
	 * The root of a folder's view as it is now: *io_root is what was known (NULL nothing) and is given up for the new one,
	 * io_view what it is known by there. On failure both stay.
	 */
	int (*view)(struct gx_store *s, uint64_t fid, struct gx_far_view *io_view, struct gx_root **io_root, bool *ret_changed);
	/* Nobody looks at it any more. Does not block. */
	void (*view_forget)(struct gx_store *s, uint32_t view);

	/* Transactions; gx_txn_begin() makes the object. */
	int (*begin)(struct gx_txn *t, int deadline_ms);
	int (*commit)(struct gx_txn *t, int sync);
	void (*abort)(struct gx_txn *t);
	void (*ahead)(struct gx_txn *t, const uint64_t *mids, size_t n, unsigned what);

	/* As the public functions of those names. */
	gx_ec (*folder_get)(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info);
	gx_ec (*folder_list)(struct gx_txn *t, uint64_t parent, bool deep, struct gx_arena *a, struct gx_folder_info **ret_v, size_t *ret_n);
	gx_ec (*folder_by_name)(struct gx_txn *t, uint64_t parent, const char *name, uint64_t *ret_fid);
	gx_ec (*folder_create)(struct gx_txn *t, const struct gx_folder_create_opts *o, uint64_t *ret_fid);
	gx_ec (*folder_move)(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *new_name);
	gx_ec (*folder_delete)(struct gx_txn *t, uint64_t fid, bool hard);
	gx_ec (*folder_set_subscribed)(struct gx_txn *t, uint64_t fid, bool on);
	gx_ec (*folder_get_props)(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
		struct gx_proplist *ret_l);
	gx_ec (*folder_set_props)(struct gx_txn *t, uint64_t fid, const struct gx_proplist *l);
	gx_ec (*folder_rights)(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights);
	gx_ec (*folder_set_permission)(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove);
	gx_ec (*folder_vanished)(struct gx_txn *t, uint64_t fid, uint64_t since, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n);
	gx_ec (*store_get_props)(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l);
	gx_ec (*store_set_props)(struct gx_txn *t, const struct gx_proplist *l);
	gx_ec (*msg_get)(struct gx_txn *t, uint64_t mid, struct gx_msg_info *ret_info);
	gx_ec (*msg_get_props)(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
		struct gx_proplist *ret_l);
	gx_ec (*msg_insert_many)(struct gx_txn *t, uint64_t fid, struct gx_msg_insertion *v, size_t n);
	gx_ec (*msg_insert)(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o,
		struct gx_msg_ids *ret_ids);
	gx_ec (*msg_change_flags)(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c,
		struct gx_arena *a, uint64_t **ret_skipped, size_t *ret_nskipped);
	gx_ec (*msg_delete)(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard);
	gx_ec (*msg_copy)(struct gx_txn *t, uint64_t src_fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move,
		struct gx_msg_ids *ret_ids);
	gx_ec (*msg_mime)(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m);
	gx_ec (*msg_original)(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out);
	gx_ec (*search_texts)(struct gx_txn *t, uint64_t fid, const char *const *texts, size_t n, struct gx_arena *a,
		struct gx_candidates *ret_c);
};
/* The table to go through, or NULL when the store is this process's own. */
static inline const struct gx_far_ops *gx_far(const struct gx_txn *t)
{
	return t->s->ops;
}

/* remote/far.c: a store reached by the calls of @x, which must be a remote one. */
int gx_far__open(struct gx_exmdb *x, const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/* Is the server of a store there? What it says of the store does not matter. */
int gx_far__reach(struct gx_exmdb *x, const char *dir, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/* store.c: an object without a database, and its end. */
struct gx_store *gx_store__new_far(const char *dir, const struct gx_store_opts *o, const struct gx_far_ops *ops);
void gx_store__free_far(struct gx_store *s);
/* Folder @fid (0: any) has changed there: its views are to be refreshed. */
void gx_views__stale(struct gx_store *s, uint64_t fid);
/* All subscribers are told that something may have happened. */
void gx_subs__notify_all(struct gx_store *s);

#endif
