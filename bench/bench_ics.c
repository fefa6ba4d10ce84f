/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronising folders of several sizes: from nothing, without a change, and after ten.
 * usage: bench_ics [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdlib.h>
#include <gx/ics.h>
#include "bench/scale.h"

static struct scale_big big;
static struct gx_globset given, seen, seen_fai, read_cns;

/* Six new versions, two read states, two deletions. */
static void touch(struct gx_store *s, uint64_t fid, const uint64_t *mids, size_t n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	const struct gx_flag_change c = {.op = GX_FLAGS_REMOVE, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
	scale_must(gx_proplist_set_str(&l, a, PidTagSubject, "changed"), "memory");
	for (unsigned i = 0; i < 10; i++) {
		uint64_t mid = mids[(n / 10) * i + 5];
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		if (i < 6)
			scale_need(gx_msg_set_props(t, mid, &l), "change");
		else if (i < 8)
			scale_need(gx_msg_change_flags(t, fid, &mid, 1, &c, a, NULL, NULL), "flags");
		else
			scale_need(gx_msg_delete(t, fid, &mid, 1, true), "delete");
		scale_commit(t, GX_SYNC_LATER);
	}
	gx_arena_free(a);
}

static struct gx_ics_content *open_sync(struct gx_txn *t, uint64_t fid)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *c;
	o.given = &given;
	o.seen = &seen;
	o.seen_fai = &seen_fai;
	o.read = &read_cns;
	scale_need(gx_ics_content_open(t, fid, &o, &c), "open");
	return c;
}

static void finish(struct gx_ics_content *c)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(c);
	gx_globset_release(&given);
	scale_must(gx_globset_union(&given, gx_ics_content_set(c, GX_ICS_GIVEN)), "union");
	scale_must(gx_globset_add_range(&seen, 1, sum->last_cn), "add");
	scale_must(gx_globset_add_range(&seen_fai, 1, sum->last_cn), "add");
	scale_must(gx_globset_add_range(&read_cns, 1, sum->last_readcn), "add");
	gx_ics_content_free(c);
}

/* Every changed message as a whole, as a client downloads it; memory for one at a time. */
static size_t read_all(struct gx_store *s, struct gx_ics_content *c)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_ics_change ch;
	struct gx_txn *t = NULL;
	size_t n = 0;
	bool more;
	for (;; n++) {
		scale_need(gx_ics_content_next(c, &ch, &more), "next");
		if (!more)
			break;
		struct gx_msgobj *m;
		if (n % 100 == 0) {
			gx_txn_abort(t);
			t = scale_begin(s, GX_TXN_READ);
		}
		gx_arena_reset(a);
		scale_need(gx_msg_read(t, ch.mid, a, &m), "read");
	}
	gx_txn_abort(t);
	gx_arena_free(a);
	return n;
}

static void one_sync(struct gx_store *s, int size, const char *what, bool messages)
{
	long before = scale_peak_begin();
	struct meter m = meter_now();
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	struct gx_ics_content *c = open_sync(t, big.fid[size]);
	gx_txn_abort(t);
	m = meter_since(m);
	unsigned long long deleted = gx_ics_content_set(c, GX_ICS_DELETED)->count;
	unsigned long long states = gx_ics_content_set(c, GX_ICS_READ)->count;
	states += gx_ics_content_set(c, GX_ICS_UNREAD)->count;
	scale_row(what, m, 1,
		"\"in_folder\": %u, \"changes\": %zu, \"deleted\": %llu, \"read_states\": %llu, \"peak_kib\": %ld",
		big.count[size], gx_ics_content_count(c), deleted, states, scale_peak(before));
	if (messages) {
		before = scale_peak_begin();
		m = meter_now();
		size_t n = read_all(s, c);
		if (n > 0)
			scale_row("its messages read", meter_since(m), (double)n,
				"\"in_folder\": %u, \"peak_kib\": %ld", big.count[size],
				scale_peak(before));
	}
	finish(c);
}

static void one_size(void *ctx)
{
	const int size = *(const int *)ctx;
	size_t n;
	struct gx_store *s = scale_open(big.dir, SCALE_NO_INDEX);
	uint64_t *mids = scale_mids(s, big.fid[size], &n);
	one_sync(s, size, "from empty", big.count[size] <= 100000);
	one_sync(s, size, "no change", false);
	touch(s, big.fid[size], mids, n);
	one_sync(s, size, "10 changes", true);
	free(mids);
	gx_store_close(s);
}

int main(int argc, char **argv)
{
	struct scale_big kept;
	const char *keep;
	unsigned n = 1000000;
	scale_args(argc, argv, "ics", &n, &keep);
	scale_big(&kept, n, keep, SCALE_NO_INDEX);
	scale_big_copy(&kept, &big);
	for (int i = 1; i < SCALE_SIZES; i++)
		scale_apart(one_size, &i);
	scale_remove(big.dir);
	scale_big_done(&kept);
	return 0;
}
