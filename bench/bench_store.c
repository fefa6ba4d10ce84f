/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What single operations on messages cost: flags, copies, moves, views, reading, deletion, the log of a delivery.
 * usage: bench_store [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "bench/scale.h"

static unsigned count = 10000;

static struct gx_imapview *view(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v;
	scale_need(gx_imapview_open(s, &scale_system, fid, &v), "view");
	return v;
}

static void bench_flags(struct gx_store *s, uint64_t fid)
{
	static const char *const what[] = {"flag added to all, one transaction", "flag removed from all, one transaction"};
	struct gx_imapview *v = view(s, fid);
	size_t n;
	uint64_t *mids = scale_mids(s, fid, &n);
	for (int round = 0; round < 2; round++) {
		struct gx_flag_change c = {round == 0 ? GX_FLAGS_ADD : GX_FLAGS_REMOVE, GX_MSGF_FLAGGED, NULL, UINT64_MAX};
		struct meter m = meter_now();
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		scale_need(gx_msg_change_flags(t, fid, mids, n, &c, NULL, NULL, NULL), "flags");
		scale_commit(t, GX_SYNC_LATER);
		m = meter_since(m);
		struct meter r = meter_now();
		scale_need(gx_imapview_refresh(v, true, NULL), "refresh");
		scale_row(what[round], m, (double)n, "\"refresh_ms\": %.3f", meter_since(r).wall * 1e3);
	}
	struct gx_flag_change one = {GX_FLAGS_ADD, GX_MSGF_FLAGGED, NULL, UINT64_MAX};
	struct meter m = meter_now();
	for (size_t i = 0; i < n / 10; i++) {
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		scale_need(gx_msg_change_flags(t, fid, &mids[i], 1, &one, NULL, NULL, NULL), "flags");
		scale_commit(t, GX_SYNC_LATER);
	}
	scale_row("flag added to one", meter_since(m), (double)(n / 10), NULL);
	gx_imapview_close(v);
	free(mids);
}

static void bench_copy(struct gx_store *s, uint64_t src, uint64_t dst, bool move)
{
	size_t n;
	uint64_t *mids = scale_mids(s, src, &n);
	struct meter m = meter_now();
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_msg_copy(t, src, mids, n, dst, move, NULL), "copy");
	scale_commit(t, GX_SYNC_LATER);
	scale_row(move ? "moved, all in one transaction" : "copied, all in one transaction", meter_since(m), (double)n, NULL);
	free(mids);
}

static void fetch_envelopes(struct gx_store *s, const uint64_t *mids, size_t n, const char *what)
{
	struct meter m = meter_now();
	for (size_t i = 0; i < n; i += 100) {
		struct gx_txn *t = scale_begin(s, GX_TXN_READ);
		for (size_t k = i; k < n && k < i + 100; k++) {
			struct gx_msg_mime mime;
			scale_need(gx_msg_mime(t, mids[k], &mime), "mime");
		}
		gx_txn_abort(t);
	}
	scale_row(what, meter_since(m), (double)n, NULL);
}

static void bench_fetch(struct gx_store *s, uint64_t fid)
{
	size_t n;
	uint64_t *mids = scale_mids(s, fid, &n);
	fetch_envelopes(s, mids, n, "envelope read");
	fetch_envelopes(s, mids, n, "envelope read again");
	free(mids);
}

static void bench_delete(struct gx_store *s, uint64_t fid)
{
	size_t n;
	uint64_t *mids = scale_mids(s, fid, &n);
	struct meter m = meter_now();
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_msg_delete(t, fid, mids, n, true), "delete");
	scale_commit(t, GX_SYNC_LATER);
	scale_row("deleted, all in one transaction", meter_since(m), (double)n, NULL);
	free(mids);
}

/* What one delivery of its own writes to the log: before any checkpoint. */
static void bench_wal(struct gx_store *s, const char *dir)
{
	char path[700];
	struct stat sb;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3-wal", dir);
	uint64_t before = stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0;
	scale_fill(s, GX_FID_JUNK, 900000, 300, 1, GX_SYNC_LATER, SCALE_SMALL, NULL);
	if (stat(path, &sb) != 0)
		scale_die(path, "is not there");
	scale_fact("log of SQLite", "\"bytes\": %u, \"written_per_message\": %.0f", SCALE_SMALL,
		(double)((uint64_t)sb.st_size - before) / 300);
}

int main(int argc, char **argv)
{
	const char *keep;
	char dir[600];
	scale_args(argc, argv, "store", &count, &keep);
	scale_tmp(dir, keep);
	scale_create(dir);
	struct gx_store *s = scale_open(dir, SCALE_INDEX);
	bench_wal(s, dir);
	scale_row("inserted, one a transaction", scale_fill(s, GX_FID_INBOX, 0, count, 1, GX_SYNC_LATER, SCALE_SMALL, NULL), count, NULL);
	scale_row("inserted, 9,600 bytes, one a transaction",
		scale_fill(s, scale_folder(s, "larger"), 0, count / 5, 1, GX_SYNC_LATER, 9600, NULL), count / 5, NULL);
	bench_flags(s, GX_FID_INBOX);
	bench_fetch(s, GX_FID_INBOX);
	uint64_t copy = scale_folder(s, "copy");
	bench_copy(s, GX_FID_INBOX, copy, false);
	bench_copy(s, copy, GX_FID_DRAFTS, true);
	bench_delete(s, GX_FID_DRAFTS);
	gx_store_close(s);
	scale_remove(dir);
	return 0;
}
