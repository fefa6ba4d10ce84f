/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables on a large folder, and mail arriving while they are open. usage: bench_table [MESSAGES [DIRECTORY]]
 * A directory keeps the store for the next run; what is written goes to a copy. GX_BENCH_ONLY: warm, cold, arrivals or
 * others. JSON lines.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <gx/table.h>
#include "bench/scale.h"

#define TABLES 20U
#define ARRIVALS 10000U

static struct scale_big big;

/* ---- Shapes ---- */

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_sort by_subject[] = {{PidTagNormalizedSubject, GX_SORT_ASCEND}};
static const struct gx_sort by_sender[] = {{PidTagSenderName, GX_SORT_ASCEND}};
static const struct gx_sort by_size[] = {{PidTagMessageSize, GX_SORT_DESCEND}};
static const struct gx_sort by_sender_time[] = {
	{PidTagSenderName, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_sort by_sender_newest[] = {
	{PidTagSenderName, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_MAX_CATEGORY}};
static const struct gx_sort by_class[] = {
	{PidTagMessageClass, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
static const struct gx_restr some_sender = {.type = RES_CONTENT,
	.u.content = {FL_PREFIX, FL_IGNORECASE, PidTagSenderName, {PidTagSenderName, {.str = "b"}}}};
static const struct gx_restr large = {.type = RES_PROPERTY,
	.u.prop = {RELOP_GT, PidTagMessageSize, {PidTagMessageSize, {.i32 = 2800}}}};

struct shape {
	const char *name;
	const struct gx_sort *cols;
	uint16_t n, categories;
	const struct gx_restr *restr;
};
enum { FLAT = 5 }; /* those whose orders a large folder has by itself */
static const struct shape shapes[] = {
	{"by time", by_time, 1, 0, NULL},
	{"by subject", by_subject, 1, 0, NULL},
	{"by sender", by_sender, 1, 0, NULL},
	{"unread by time", by_time, 1, 0, &unread},
	{"unread by subject", by_subject, 1, 0, &unread},
	{"restricted by sender's name, by time", by_time, 1, 0, &some_sender},
	{"restricted by size, by time", by_time, 1, 0, &large},
	{"by size, the first of its order", by_size, 1, 0, NULL},
	{"by size", by_size, 1, 0, NULL},
	{"grouped by sender, the first of its order", by_sender_time, 2, 1, NULL},
	{"grouped by sender", by_sender_time, 2, 1, NULL},
	{"grouped by sender, newest first", by_sender_newest, 2, 1, NULL},
	{"grouped by class, the first of its order", by_class, 2, 1, NULL},
	{"grouped by class", by_class, 2, 1, NULL},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const gx_proptag_t cols[] = {PidTagMid, PidTagInstID, PidTagInstanceNum, PidTagSubject, PidTagSenderName,
	PidTagMessageDeliveryTime, PidTagMessageFlags, PidTagMessageSize, PidTagHasAttachments, PidTagMessageClass,
	PidTagImportance, PidTagDisplayTo, PidTagEntryId};
#define NCOLS (sizeof(cols) / sizeof(cols[0]))

static struct gx_table *open_table(struct gx_txn *t, uint64_t fid, const struct shape *x)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset s = {x->cols, x->n, x->categories, 0};
	struct gx_table *tb;
	o.fid = fid;
	o.sort = &s;
	o.restr = x->restr;
	scale_need(gx_table_open_contents(t, &o, &tb), x->name);
	return tb;
}

static void read_rows(struct gx_table *tb, struct gx_txn *t, uint32_t pos)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_table_row *r;
	size_t n;
	scale_need(gx_table_query(tb, t, pos, 50, cols, NCOLS, a, &r, &n), "query");
	gx_arena_free(a);
}

/* ---- Opening and reading ---- */

struct one {
	const struct shape *shape;
	int size;
	bool cold; /* for the kernel, too */
};

/* From nothing to the first 50 rows. */
static struct gx_table *first_rows(struct gx_txn *t, const struct one *x, uint32_t *ret_n)
{
	struct gx_table *tb = open_table(t, big.fid[x->size], x->shape);
	scale_need(gx_table_count(tb, t, ret_n), "count");
	read_rows(tb, t, 0);
	return tb;
}

/* KiB that had to come from the disk for this process, and how often it slept. */
struct disk {
	long kib, waits;
};
static struct disk disk_since(struct disk from)
{
	struct rusage u = {0};
	(void)getrusage(RUSAGE_SELF, &u);
	return (struct disk){u.ru_inblock / 2 - from.kib, u.ru_nvcsw - from.waits};
}

static void one_shape(void *ctx)
{
	const struct one *x = ctx;
	struct gx_store *s = scale_open(big.dir, SCALE_NO_INDEX);
	uint32_t n, half;
	long before = scale_peak_begin();
	struct disk disk = disk_since((struct disk){0, 0});
	struct meter m = meter_now();
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	struct gx_table *tb = first_rows(t, x, &n);
	struct meter first = meter_since(m);
	disk = disk_since(disk);
	m = meter_now();
	scale_need(gx_table_seek_fraction(tb, t, 1, 2, &half), "seek");
	read_rows(tb, t, half);
	struct meter middle = meter_since(m);
	m = meter_now();
	for (unsigned i = 0; i < 100; i++)
		read_rows(tb, t, scale_rnd(n));
	struct meter any = meter_since(m);
	long peak = scale_peak(before);
	gx_table_close(tb);
	m = meter_now();
	gx_table_close(first_rows(t, x, &n));
	struct meter again = meter_since(m);
	gx_txn_abort(t);
	gx_store_close(s);
	scale_row(x->shape->name, first, 1,
		"\"in_folder\": %u, \"in_kernel_cache\": %s, \"kib_from_disk\": %ld, \"waits\": %ld, \"rows\": %u, \"middle_ms\": %.3f, \"middle_cpu_ms\": %.3f, \"anywhere_ms\": %.3f, "
		"\"anywhere_cpu_ms\": %.3f, \"again_ms\": %.3f, \"again_cpu_ms\": %.3f, \"peak_kib\": %ld",
		big.count[x->size], x->cold ? "false" : "true", disk.kib, disk.waits, n, middle.wall * 1e3, middle.cpu * 1e3, any.wall * 10, any.cpu * 10,
		again.wall * 1e3, again.cpu * 1e3, peak);
}

/* A process of its own for each: nothing in the store's caches. */
static void bench_shapes(unsigned from, unsigned to, int size, bool cold)
{
	for (unsigned i = from; i < to; i++) {
		struct one x = {&shapes[i], size, cold};
		if (cold)
			scale_uncache(big.dir);
		scale_apart(one_shape, &x);
	}
}

/* ---- Arrivals ---- */

static void heard(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	(void)ev;
	++*(unsigned long *)ctx;
}

struct arrivals {
	int size;
	unsigned tables;
};

static void delete_again(struct gx_store *s, uint64_t fid, const uint64_t *mids, unsigned n)
{
	for (unsigned i = 0; i < n; i += 1000) {
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		scale_need(gx_msg_delete(t, fid, mids + i, n - i < 1000 ? n - i : 1000, true), "delete");
		scale_commit(t, GX_SYNC_LATER);
	}
}

static void arrive(void *ctx)
{
	const struct arrivals *x = ctx;
	struct gx_store *s = scale_open(big.dir, SCALE_NO_INDEX);
	struct gx_table *tb[TABLES];
	unsigned long events = 0;
	unsigned n = big.count[x->size] < ARRIVALS ? big.count[x->size] : ARRIVALS;
	uint64_t mids[ARRIVALS], fid = big.fid[x->size];
	scale_fill(s, fid, 20000000, 100, 1, GX_SYNC_LATER, SCALE_SMALL, mids);
	delete_again(s, fid, mids, 100);
	long before = scale_peak_begin();
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	for (unsigned i = 0; i < x->tables; i++) {
		tb[i] = open_table(t, fid, &shapes[i % FLAT]);
		scale_need(gx_table_watch(tb[i], heard, &events), "watch");
	}
	gx_txn_abort(t);
	struct meter m = scale_fill(s, fid, 20000000, n, 1, GX_SYNC_LATER, SCALE_SMALL, mids);
	scale_row(x->tables != 0 ? "arrivals, tables open" : "arrivals", m, n,
		"\"in_folder\": %u, \"tables\": %u, \"events\": %lu, \"peak_kib\": %ld",
		big.count[x->size], x->tables, events, scale_peak(before));
	for (unsigned i = 0; i < x->tables; i++)
		gx_table_close(tb[i]);
	m = meter_now();
	delete_again(s, fid, mids, n);
	if (x->tables == 0)
		scale_row("deleted, 1000 a transaction", meter_since(m), n, "\"in_folder\": %u", big.count[x->size]);
	gx_store_close(s);
}

static void bench_arrivals(void)
{
	for (int i = 0; i < SCALE_SIZES; i++)
		for (unsigned tables = 0; tables <= TABLES; tables += TABLES) {
			struct arrivals x = {i, tables};
			scale_apart(arrive, &x);
		}
}

static bool chosen(const char *what)
{
	const char *only = getenv("GX_BENCH_ONLY");
	return only == NULL || strcmp(only, what) == 0;
}

int main(int argc, char **argv)
{
	struct scale_big kept;
	const char *keep;
	unsigned n = 1000000;
	scale_args(argc, argv, "table", &n, &keep);
	scale_big(&kept, n, keep, SCALE_NO_INDEX);
	scale_big_copy(&kept, &big);
	bench_shapes(0, FLAT, 0, false); /* makes the orders that the smallest folder has not got yet */
	if (chosen("warm")) {
		bench_shapes(0, FLAT, 1, false);
		bench_shapes(0, FLAT, SCALE_SIZES - 1, false);
	}
	if (chosen("cold"))
		bench_shapes(0, FLAT, SCALE_SIZES - 1, true);
	if (chosen("arrivals"))
		bench_arrivals();
	if (chosen("others"))
		bench_shapes(FLAT, SHAPES, SCALE_SIZES - 1, false);
	scale_remove(big.dir);
	scale_big_done(&kept);
	return 0;
}
