/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes in bulk cost in folders of different sizes, all of which but the least have their three sort orders: CPU time,
 * bytes read and written by calls of the system. usage: bench_order [MESSAGES [DIRECTORY]]
 * A directory keeps the store for the next run; what is written goes to a copy. GX_BENCH_ONLY: sort or change.
 * JSON lines.
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/folder.h>
#include <gx/table.h>
#include "bench/scale.h"

#define BATCH 1000U
#define ADDED 20000U

static struct scale_big big;
static int size;
static struct gx_store *s;

/* ---- What goes through the system ---- */

struct traffic {
	unsigned long long read, written, reads, writes;
};

static struct traffic traffic_now(void)
{
	struct traffic x = {0};
	char line[100];
	FILE *f = fopen("/proc/self/io", "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		(void)sscanf(line, "rchar: %llu", &x.read);
		(void)sscanf(line, "wchar: %llu", &x.written);
		(void)sscanf(line, "syscr: %llu", &x.reads);
		(void)sscanf(line, "syscw: %llu", &x.writes);
	}
	if (f != NULL)
		fclose(f);
	return x;
}

static void row(const char *what, struct meter m, struct traffic from, double n)
{
	struct traffic x = traffic_now();
	scale_row(what, m, n, "\"in_folder\": %u, \"kb_read\": %.2f, \"kb_written\": %.2f, \"reads\": %.2f, \"writes\": %.2f",
		big.count[size], (double)(x.read - from.read) / n / 1e3, (double)(x.written - from.written) / n / 1e3,
		(double)(x.reads - from.reads) / n, (double)(x.writes - from.writes) / n);
}

/* ---- Operations ---- */

static uint64_t mids[ADDED];

static void in_portions(const char *what, gx_ec (*fn)(struct gx_txn *t, const uint64_t *v, size_t n))
{
	struct traffic x = traffic_now();
	struct meter m = meter_now();
	for (unsigned i = 0; i < ADDED; i += BATCH) {
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		scale_need(fn(t, mids + i, BATCH), what);
		scale_commit(t, GX_SYNC_LATER);
	}
	row(what, meter_since(m), x, ADDED);
}

static uint64_t target;

static gx_ec mark_read(struct gx_txn *t, const uint64_t *v, size_t n)
{
	struct gx_flag_change c = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
	return gx_msg_change_flags(t, big.fid[size], v, n, &c, NULL, NULL, NULL);
}

static gx_ec copy(struct gx_txn *t, const uint64_t *v, size_t n)
{
	return gx_msg_copy(t, big.fid[size], v, n, target, false, NULL);
}

static gx_ec delete_all(struct gx_txn *t, const uint64_t *v, size_t n)
{
	return gx_msg_delete(t, big.fid[size], v, n, true);
}

/* Messages come, are read, copied to an empty folder, and go. */
static void change(void)
{
	struct traffic x;
	struct meter m;
	scale_fill(s, big.fid[size], 30000000, 100, 1, GX_SYNC_LATER, 0, NULL); /* statements are prepared */
	x = traffic_now();
	m = scale_fill(s, big.fid[size], 20000000, ADDED, BATCH, GX_SYNC_LATER, 0, mids);
	row("added, 1000 a transaction", m, x, ADDED);
	char name[20];
	snprintf(name, sizeof(name), "target %d", size);
	target = scale_folder(s, name);
	in_portions("marked as read", mark_read);
	in_portions("copied to an empty folder", copy);
	in_portions("deleted", delete_all);
}

/* ---- An order that does not exist ---- */

static const struct gx_sort by_size[] = {{PidTagMessageSize, GX_SORT_DESCEND}};
static const struct gx_sort by_class[] = {{PidTagMessageClass, GX_SORT_ASCEND}, {PidTagNormalizedSubject, GX_SORT_ASCEND}};
static const struct gx_sort by_address[] = {{PidTagSenderEmailAddress, GX_SORT_ASCEND}};
static const gx_proptag_t cols[] = {PidTagMid, PidTagSubject, PidTagMessageSize};

static void first_rows(struct gx_txn *t, const struct gx_sort *by, uint16_t n)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset order = {by, n, 0, 0};
	struct gx_arena *a = gx_arena_new(0);
	struct gx_table_row *v;
	struct gx_table *tb;
	size_t got;
	o.fid = big.fid[size];
	o.sort = &order;
	scale_need(gx_table_open_contents(t, &o, &tb), "table");
	scale_need(gx_table_query(tb, t, 0, 50, cols, sizeof(cols) / sizeof(cols[0]), a, &v, &got), "query");
	gx_table_close(tb);
	gx_arena_free(a);
}

static void first_use(const char *what, const struct gx_sort *by, uint16_t n, bool writing)
{
	struct gx_txn *w = writing ? scale_begin(s, GX_TXN_WRITE) : NULL, *t = scale_begin(s, GX_TXN_READ);
	struct traffic x = traffic_now();
	struct meter m = meter_now();
	first_rows(t, by, n);
	row(what, meter_since(m), x, 1);
	gx_txn_abort(t);
	gx_txn_abort(w);
}

static void sort(void)
{
	first_use("a new order by size, somebody writes", by_size, 1, true);
	first_use("a new order by class and subject, somebody writes", by_class, 2, true);
	first_use("a new order by address, somebody writes", by_address, 1, true);
	first_use("a new order by size", by_size, 1, false);
	first_use("a new order by address", by_address, 1, false);
}

static void apart(void *ctx)
{
	void (*fn)(void) = *(void (**)(void))ctx;
	s = scale_open(big.dir, SCALE_NO_INDEX);
	fn();
	gx_store_close(s);
}

static void run(const char *what, void (*fn)(void))
{
	const char *only = getenv("GX_BENCH_ONLY");
	if (only == NULL || strcmp(only, what) == 0)
		scale_apart(apart, (void *)&fn);
}

int main(int argc, char **argv)
{
	struct scale_big kept;
	const char *keep;
	unsigned n = 1000000;
	scale_args(argc, argv, "order", &n, &keep);
	scale_big(&kept, n, keep, SCALE_NO_INDEX);
	scale_big_copy(&kept, &big);
	for (size = 1; size < SCALE_SIZES; size++) {
		run("sort", sort);
		run("change", change);
	}
	scale_remove(big.dir);
	scale_big_done(&kept);
	return 0;
}
