/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Substring search over bodies: candidates of the index, and a table of what has the text, with the index and without.
 * usage: bench_search [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <gx/search.h>
#include <gx/table.h>
#include "bench/scale.h"

static struct scale_big big;

struct question {
	const char *what, *text;
	int size;
	int index;
};

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const gx_proptag_t cols[] = {
	PidTagMid, PidTagSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize};

/* A table of the messages with the text in their bodies, and its first 50 rows. */
static uint32_t found(struct gx_txn *t, const struct question *q, struct gx_arena *a)
{
	struct gx_restr r = {.type = RES_CONTENT,
		.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagBody, {PidTagBody, {.str = q->text}}}};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset sort = {by_time, 1, 0, 0};
	struct gx_table *tb;
	struct gx_table_row *rows;
	uint32_t n;
	size_t got;
	o.fid = big.fid[q->size];
	o.sort = &sort;
	o.restr = &r;
	scale_need(gx_table_open_contents(t, &o, &tb), q->text);
	scale_need(gx_table_count(tb, t, &n), "count");
	scale_need(gx_table_query(tb, t, 0, 50, cols, sizeof(cols) / sizeof(cols[0]), a, &rows, &got), "query");
	gx_table_close(tb);
	return n;
}

static void ask(void *ctx)
{
	const struct question *q = ctx;
	struct gx_store *s = scale_open(big.dir, q->index);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_candidates c;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	/* the index is opened and brought up to date by the first question */
	scale_need(gx_search_texts(t, 0, (const char *const[]){SCALE_NONE}, 1, a, &c), "search");
	long before = scale_peak_begin();
	struct meter m = meter_now();
	scale_need(gx_search_texts(t, big.fid[q->size], &q->text, 1, a, &c), "search");
	struct meter candidates = meter_since(m);
	m = meter_now();
	uint32_t n = found(t, q, a);
	scale_row(q->what, meter_since(m), 1,
		"\"index\": %s, \"in_folder\": %u, \"rows\": %u, \"candidates\": %zu, \"candidates_ms\": %.3f, "
		"\"candidates_cpu_ms\": %.3f, \"peak_kib\": %ld",
		q->index == SCALE_INDEX ? "true" : "false", big.count[q->size], n, c.n, candidates.wall * 1e3,
		candidates.cpu * 1e3, scale_peak(before));
	gx_txn_abort(t);
	gx_arena_free(a);
	gx_store_close(s);
}

/* A question that opens the index cold. */
static void first(void *ctx)
{
	const char *text = SCALE_RARE;
	struct gx_store *s = scale_open(big.dir, SCALE_INDEX);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_candidates c;
	(void)ctx;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	struct meter m = meter_now();
	scale_need(gx_search_texts(t, 0, &text, 1, a, &c), "search");
	scale_row("a seldom word, first question after opening", meter_since(m), 1, "\"candidates\": %zu", c.n);
	gx_txn_abort(t);
	gx_arena_free(a);
	gx_store_close(s);
}

int main(int argc, char **argv)
{
	static const struct question questions[] = {
		{"three letters", SCALE_THREE, 0, SCALE_INDEX},
		{"a seldom word", SCALE_RARE, 0, SCALE_INDEX},
		{"a common word", SCALE_COMMON, 0, SCALE_INDEX},
		{"a word that nobody wrote", SCALE_NONE, 0, SCALE_INDEX},
		{"two words", SCALE_COMMON " figures", 0, SCALE_INDEX},
	};
	const char *keep;
	unsigned n = 1000000;
	scale_args(argc, argv, "search", &n, &keep);
	scale_big(&big, n, keep, SCALE_INDEX);
	scale_apart(first, NULL);
	for (int size = SCALE_SIZES - 2; size < SCALE_SIZES; size++)
		for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
			struct question q = questions[i];
			q.size = size;
			scale_apart(ask, &q);
		}
	for (size_t i = 1; i < 3; i++) { /* all bodies are read */
		struct question q = questions[i];
		q.size = SCALE_SIZES - 2;
		q.index = SCALE_NO_INDEX;
		scale_apart(ask, &q);
	}
	scale_big_done(&big);
	return 0;
}
