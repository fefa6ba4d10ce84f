/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a search folder shows, worked on where it is: [MS-OXCFOLD] lets messages be deleted, moved and copied out of search
 * folders. Rights are those of the folders that have the messages.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/far-int.h"
#include "libgxstore/message/msg-int.h"
#include "libgxstore/search/search-int.h"

/* A message of the list, and the folder that has it. */
struct home {
	uint64_t fid;
	size_t at;
};

static int by_folder(const void *a, const void *b)
{
	const struct home *x = a, *y = b;
	if (x->fid != y->fid)
		return x->fid < y->fid ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Of those that the search folder shows, the ones of a folder together. */
static int homes(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct home *v, size_t *ret_n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; ++i) {
		struct gx_msg_row r;
		int there = gx_search__shows(t, fid, mids[i]);
		int err = there <= 0 ? there : gx_msg__row(t, mids[i], &r);
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
		if (there > 0 && err == 0)
			v[k++] = (struct home){r.fid, i};
	}
	qsort(v, k, sizeof(*v), by_folder);
	*ret_n = k;
	return 0;
}

/* Work on messages of one folder; @ids: n entries. */
typedef gx_ec (*work_fn)(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct gx_msg_ids *ids, const void *how);

static gx_ec each_folder(struct gx_txn *t, const uint64_t *mids, const struct home *v, size_t n, uint64_t *some, struct gx_msg_ids *ids,
	struct gx_msg_ids *ret_ids, work_fn work, const void *how)
{
	gx_ec ec = GX_EC(ecSuccess);
	for (size_t i = 0, k; i < n && !gx_ec_failed(ec); i += k) {
		for (k = 0; i + k < n && v[i + k].fid == v[i].fid; ++k)
			some[k] = mids[v[i + k].at];
		memset(ids, 0, k * sizeof(*ids));
		ec = work(t, v[i].fid, some, k, ids, how);
		for (size_t j = 0; j < k && ret_ids != NULL; ++j)
			ret_ids[v[i + j].at] = ids[j];
	}
	return ec;
}

static gx_ec in_found(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct gx_msg_ids *ret_ids, work_fn work, const void *how)
{
	struct home *v = calloc(n + 1, sizeof(*v));
	uint64_t *some = calloc(n + 1, sizeof(*some));
	struct gx_msg_ids *ids = calloc(n + 1, sizeof(*ids));
	size_t k = 0;
	int err = v == NULL || some == NULL || ids == NULL ? GX_E_NOMEM : homes(t, fid, mids, n, v, &k);
	if (ret_ids != NULL)
		memset(ret_ids, 0, n * sizeof(*ret_ids));
	gx_ec ec = err != 0 ? gx_txn__ec(t, err) : each_folder(t, mids, v, k, some, ids, ret_ids, work, how);
	free(v);
	free(some);
	free(ids);
	return ec;
}

static gx_ec delete_them(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct gx_msg_ids *ids, const void *how)
{
	(void)ids;
	return gx_msg_delete(t, fid, mids, n, *(const bool *)how);
}

gx_ec gx_msg__delete_found(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard)
{
	return in_found(t, fid, mids, n, NULL, delete_them, &hard);
}

struct to {
	uint64_t fid;
	bool move;
};

static gx_ec copy_them(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, struct gx_msg_ids *ids, const void *how)
{
	const struct to *to = how;
	return gx_msg_copy(t, fid, mids, n, to->fid, to->move, ids);
}

gx_ec gx_msg__copy_found(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move, struct gx_msg_ids *ret_ids)
{
	const struct to to = {dst_fid, move};
	return in_found(t, fid, mids, n, ret_ids, copy_them, &to);
}
