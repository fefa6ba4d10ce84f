/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, opening and closing stores, and views of folders of several sizes. usage: bench_open [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "bench/scale.h"

#define TIMES 21

static struct scale_big big;
static struct meter *shared; /* with the processes that scale_apart() starts */
static const char *dir;

static int by_wall(const void *a, const void *b)
{
	const struct meter *x = a, *y = b;
	return x->wall < y->wall ? -1 : x->wall > y->wall;
}

static struct meter median(struct meter *v)
{
	qsort(v, TIMES, sizeof(*v), by_wall);
	return v[TIMES / 2];
}

static void bench_create(const char *parent)
{
	struct meter v[TIMES];
	char path[700];
	for (int i = 0; i < TIMES; i++) {
		snprintf(path, sizeof(path), "%s/empty-%d", parent, i);
		struct meter m = meter_now();
		scale_create(path);
		v[i] = meter_since(m);
	}
	struct scale_disk d = scale_disk(path);
	scale_row("empty store made, median of 21", median(v), 1, "\"bytes\": %llu, \"in_files\": %llu, \"files\": %u",
		(unsigned long long)d.bytes, (unsigned long long)d.in_files, d.files);
}

/* Open, look at the Inbox, close. */
static struct meter use(void)
{
	struct gx_folder_info f;
	struct gx_arena *a = gx_arena_new(0);
	struct meter m = meter_now();
	struct gx_store *s = scale_open(dir, SCALE_INDEX);
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_folder_get(t, GX_FID_INBOX, a, &f), "folder");
	gx_txn_abort(t);
	gx_store_close(s);
	m = meter_since(m);
	gx_arena_free(a);
	return m;
}

static void use_apart(void *ctx)
{
	*(struct meter *)ctx = use();
}

static void bench_open(const char *path, unsigned messages)
{
	dir = path;
	for (int i = 0; i < TIMES; i++)
		scale_apart(use_apart, &shared[i]);
	scale_row("opened, Inbox asked, closed; fresh process", median(shared), 1, "\"messages\": %u", messages);
	for (int i = 0; i < TIMES; i++)
		shared[i] = use();
	scale_row("opened, Inbox asked, closed; again", median(shared), 1, "\"messages\": %u", messages);
	for (int i = 0; i < TIMES; i++) {
		scale_uncache(path);
		scale_apart(use_apart, &shared[i]);
	}
	scale_row("opened, Inbox asked, closed; fresh process, nothing in the kernel's cache", median(shared), 1,
		"\"messages\": %u", messages);
}

static void bench_view(void *ctx)
{
	const int size = *(const int *)ctx;
	struct gx_store *s = scale_open(big.dir, SCALE_NO_INDEX);
	struct gx_imapview *v, *w;
	long before = scale_peak_begin();
	struct meter m = meter_now();
	scale_need(gx_imapview_open(s, &scale_system, big.fid[size], &v), "view");
	m = meter_since(m);
	long peak = scale_peak(before);
	struct meter again = meter_now();
	for (int i = 0; i < 100; i++) {
		scale_need(gx_imapview_open(s, &scale_system, big.fid[size], &w), "view");
		gx_imapview_close(w);
	}
	again = meter_since(again);
	scale_row("IMAP view of a folder", m, 1,
		"\"in_folder\": %u, \"again_us\": %.2f, \"again_cpu_us\": %.2f, \"peak_kib\": %ld", big.count[size],
		again.wall * 1e4, again.cpu * 1e4, peak);
	gx_imapview_close(v);
	gx_store_close(s);
}

int main(int argc, char **argv)
{
	const char *keep;
	char tmp[600], path[700];
	unsigned n = 1000000, all = 0;
	scale_args(argc, argv, "open", &n, &keep);
	shared = mmap(NULL, TIMES * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		scale_die("memory", "out of it");
	scale_tmp(tmp, keep);
	bench_create(tmp);
	snprintf(path, sizeof(path), "%s/empty-0", tmp);
	bench_open(path, 0);
	scale_remove(tmp);
	scale_big(&big, n, keep, SCALE_INDEX);
	for (int i = 0; i < SCALE_SIZES; i++)
		all += big.count[i];
	bench_open(big.dir, all);
	for (int i = 0; i < SCALE_SIZES; i++)
		scale_apart(bench_view, &i);
	scale_big_done(&big);
	return 0;
}
