/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long calls wait while a bulk operation runs: one JSON object for each operation and kind of
 * call. usage: bench_wait [MESSAGES [OPERATION ...]]
 *
 * p99 and max are what the caller sees, max_cpu is what the longest call computed. In the net
 * figures a call counts without the time that it was ready and had no processor. Asleep is what
 * is left when its own computing goes as well: it waited for a lock, a condition or the disk. Small writes wait for the one writer by design: bulk that is one transaction holds
 * them up for all its time.
 */
#include <config.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <gx/folder.h>
#include <gx/search.h>
#include <gx/storecheck.h>
#include <gx/storeset.h>
#include <gx/table.h>

#define BATCH 1000U
#define WAIT_MS 600000

static const struct gx_actor actor = GX_ACTOR_SYSTEM;
static char dir[512];
static struct gx_store *store;
static unsigned messages = 200000;
/* Folders: where bulk happens, where it goes to, one with 100 messages and one with 5,000. */
static uint64_t target, spare, small, medium;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_wait: %s: %s\n", what, why);
	exit(1);
}

static void need(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		die(what, gx_ec_name(ec));
}

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e6;
}

static unsigned rnd(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245U + 12345;
	return (*seed >> 8) % n;
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static struct gx_txn *begin(int mode)
{
	struct gx_txn *t;
	if (gx_txn_begin(store, &actor, mode, WAIT_MS, &t) != 0)
		die("begin", "failed");
	return t;
}

static void commit(struct gx_txn *t)
{
	if (gx_txn_commit(t, GX_SYNC_LATER) != 0)
		die("commit", "failed");
}

/* ---- Messages ---- */

static void set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	if (s == NULL || gx_proplist_set_str(l, a, tag, s) != 0)
		die("memory", "out of it");
}

static struct gx_msg_prepared *message(struct gx_arena *a, unsigned *seed)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	char *subject = gx_arena_printf(a, "subject %u of %u", rnd(seed, 100000), rnd(seed, 1000));
	char *text = gx_arena_printf(a,
		"Subject: %s\r\n\r\nSee you tomorrow at %u, and bring the papers of %u.\r\n",
		subject, rnd(seed, 24), rnd(seed, 10000));
	if (m == NULL || text == NULL)
		die("memory", "out of it");
	set(&m->props, a, PidTagSubject, subject);
	set(&m->props, a, PidTagNormalizedSubject, subject);
	set(&m->props, a, PidTagMessageClass, "IPM.Note");
	set(&m->props, a, PidTagSenderName, gx_arena_printf(a, "Sender %u", rnd(seed, 3000)));
	set(&m->props, a, PidTagBody, strstr(text, "See"));
	src.obj = m;
	src.original = (struct gx_bin){(const uint8_t *)text, strlen(text)};
	src.envelope = (struct gx_bin){(const uint8_t *)"(env)", 5};
	src.bodystructure = (struct gx_bin){(const uint8_t *)"(bs)", 4};
	if (gx_msg_prepare(a, &src, &p) != 0)
		die("prepare", "failed");
	return p;
}

static void insert(uint64_t fid, unsigned n, unsigned batch)
{
	struct gx_arena *a = gx_arena_new(0);
	static unsigned seed = 7;
	for (unsigned i = 0; i < n; i += batch) {
		struct gx_msg_prepared *p[BATCH];
		for (unsigned k = 0; k < batch; k++)
			p[k] = message(a, &seed);
		struct gx_txn *t = begin(GX_TXN_WRITE);
		for (unsigned k = 0; k < batch; k++) {
			struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
			struct gx_msg_ids ids;
			o.flags = k % 10 == 0 ? 0 : GX_MSGF_READ;
			need(gx_msg_insert(t, fid, p[k], &o, &ids), "insert");
		}
		commit(t);
		for (unsigned k = 0; k < batch; k++)
			gx_msg_prepared_release(p[k]);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
}

static uint64_t *mids_of(uint64_t fid, uint32_t most, uint32_t *ret_n)
{
	struct gx_imapview *v;
	need(gx_imapview_open(store, &actor, fid, &v), "view");
	uint32_t n = gx_imapview_count(v) < most ? gx_imapview_count(v) : most;
	uint64_t *mids = malloc((n + 1) * sizeof(*mids));
	for (uint32_t i = 0; mids != NULL && i < n; i++)
		mids[i] = gx_imapview_at(v, i + 1).mid;
	gx_imapview_close(v);
	*ret_n = n;
	return mids;
}

/* In portions, so that filling is no part of what is measured. */
static void refill(uint64_t fid, unsigned n)
{
	uint32_t have;
	uint64_t *mids = mids_of(GX_FID_INBOX, n, &have);
	for (uint32_t i = 0; i < have; i += BATCH) {
		struct gx_txn *t = begin(GX_TXN_WRITE);
		need(gx_msg_copy(t, GX_FID_INBOX, mids + i, have - i < BATCH ? have - i : BATCH,
			     fid, false, NULL),
			"copy");
		commit(t);
	}
	free(mids);
}

static void drain(uint64_t fid)
{
	bool partial, more = true;
	while (more) {
		struct gx_txn *t = begin(GX_TXN_WRITE);
		need(gx_folder_empty(
			     t, fid, GX_CONTENT_NORMAL | GX_CONTENT_HARD, BATCH, &partial, &more),
			"empty");
		commit(t);
	}
}

/* ---- Calls that are timed ---- */

struct sample {
	float wall, net, cpu, asleep;
};
struct worker {
	const char *name;
	unsigned pause_us;
	void (*call)(struct worker *w);
	pthread_t id;
	unsigned seed;
	struct gx_arena *a;
	struct gx_table *table;
	uint64_t *mids;
	uint32_t nmids;
	struct sample *v;
	size_t n, cap;
};
static atomic_bool stop;

/* Of folders that sessions are in: the first one that opens a large folder reads all of it. */
static void view(struct worker *w)
{
	struct gx_imapview *v;
	need(gx_imapview_open(store, &actor, w->seed % 2 ? GX_FID_INBOX : target, &v), "view");
	uint32_t n = gx_imapview_count(v);
	for (uint32_t i = 1; i <= 50 && i <= n; i++)
		(void)gx_imapview_at(v, i);
	gx_imapview_close(v);
}

static const gx_proptag_t cols[] = {
	PidTagMid, PidTagSubject, PidTagSenderName, PidTagMessageFlags, PidTagMessageSize};

static void read_rows(struct worker *w, struct gx_txn *t, struct gx_table *tb)
{
	struct gx_table_row *v;
	uint32_t n;
	size_t got;
	need(gx_table_count(tb, t, &n), "count");
	need(gx_table_query(tb, t, n == 0 ? 0 : rnd(&w->seed, n), 50, cols, 5, w->a, &v, &got),
		"query");
}

/* A table of the folder where bulk happens, that stays open. */
static void rows(struct worker *w)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_txn *t = begin(GX_TXN_READ);
	o.fid = target;
	if (w->table == NULL)
		need(gx_table_open_contents(t, &o, &w->table), "table");
	read_rows(w, t, w->table);
	gx_txn_abort(t);
}

/* One that is opened anew each time, in memory. */
static void small_table(struct worker *w)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_txn *t = begin(GX_TXN_READ);
	o.fid = small;
	need(gx_table_open_contents(t, &o, &tb), "table");
	read_rows(w, t, tb);
	gx_table_close(tb);
	gx_txn_abort(t);
}

/* Sorted as nobody has asked for lately: there is no order, or it is half made. */
static void sorted_anew(struct worker *w, uint64_t fid)
{
	static const gx_proptag_t by[] = {PidTagMessageSize, PidTagSubject, PidTagSenderName,
		PidTagImportance, PidTagMessageFlags, PidTagLastModificationTime};
	unsigned i = w->seed % 6, k = (i + 1 + w->seed / 6 % 5) % 6;
	const struct gx_sort cols2[] = {{by[i], GX_SORT_ASCEND}, {by[k], GX_SORT_DESCEND}};
	const struct gx_sortset s = {cols2, 2, 0, 0};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_txn *t = begin(GX_TXN_READ);
	o.fid = fid;
	o.sort = &s;
	need(gx_table_open_contents(t, &o, &tb), "table");
	read_rows(w, t, tb);
	gx_table_close(tb);
	gx_txn_abort(t);
}

static void new_order(struct worker *w)
{
	sorted_anew(w, medium);
}

/* What it computes itself takes long; what counts is how long it sleeps. */
static void large_order(struct worker *w)
{
	sorted_anew(w, GX_FID_INBOX);
}

/* In the background, as a pool has it done. */
static void sort_orders(struct worker *w)
{
	bool done;
	(void)w;
	if (gx_store_sort(store, 1000, &done) != 0)
		die("sort", "failed");
}

static void search(struct worker *w)
{
	struct gx_candidates c;
	struct gx_txn *t = begin(GX_TXN_READ);
	const char *text = gx_arena_printf(w->a, "%u", 10000 + rnd(&w->seed, 90000));
	need(gx_search_texts(t, GX_FID_INBOX, &text, 1, w->a, &c), "search");
	gx_txn_abort(t);
}

static void fetch(struct worker *w)
{
	struct gx_msg_mime m;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_txn *t = begin(GX_TXN_READ);
	uint64_t mid = w->mids[rnd(&w->seed, w->nmids)];
	need(gx_msg_mime(t, mid, &m), "mime");
	need(gx_msg_original(t, mid, 0, UINT64_MAX, &out), "original");
	gx_push_release(&out);
	gx_txn_abort(t);
}

static void counters(struct worker *w)
{
	struct gx_folder_info i, *v;
	size_t n;
	struct gx_txn *t = begin(GX_TXN_READ);
	need(gx_folder_get(t, target, w->a, &i), "folder");
	need(gx_folder_list(t, GX_FID_IPMSUBTREE, true, w->a, &v, &n), "folders");
	gx_txn_abort(t);
}

static void flag(struct worker *w)
{
	struct gx_flag_change c = {.op = w->seed % 2 ? GX_FLAGS_ADD : GX_FLAGS_REMOVE,
		.flags = GX_MSGF_FLAGGED,
		.unchanged_since = UINT64_MAX};
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_msg_change_flags(
		     t, GX_FID_INBOX, &w->mids[rnd(&w->seed, w->nmids)], 1, &c, NULL, NULL, NULL),
		"flag");
	commit(t);
}

static void deliver(struct worker *w)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_msg_prepared *p = message(w->a, &w->seed);
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_msg_insert(t, small, p, &o, &ids), "insert");
	if (rnd(&w->seed, 2) == 0)
		need(gx_msg_delete(t, small, &ids.mid, 1, true), "delete");
	commit(t);
	gx_msg_prepared_release(p);
}

static double cpu(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* How long this thread was ready and had no processor; nothing where the kernel does not say. */
static double kept_waiting(void)
{
	unsigned long long ns = 0;
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e6;
}

static float not_negative(double d)
{
	return d < 0 ? 0 : (float)d;
}

static void time_call(struct worker *w)
{
	double k = kept_waiting(), c = cpu(), t = now();
	w->seed++;
	w->call(w);
	t = now() - t;
	c = cpu() - c;
	k = kept_waiting() - k;
	if (w->n == w->cap) {
		w->cap = w->cap * 2 + 1024;
		w->v = realloc(w->v, w->cap * sizeof(*w->v));
		if (w->v == NULL)
			die("memory", "out of it");
	}
	w->v[w->n++] = (struct sample){(float)t, not_negative(t - k), (float)c, not_negative(t - k - c)};
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	while (!atomic_load(&stop)) {
		time_call(w);
		gx_arena_reset(w->a);
		nanosleep(&(struct timespec){0, (long)w->pause_us * 1000}, NULL);
	}
	return NULL;
}

static struct worker workers[] = {
	{.name = "view", .pause_us = 1000, .call = view},
	{.name = "rows", .pause_us = 1000, .call = rows},
	{.name = "small table", .pause_us = 1000, .call = small_table},
	{.name = "new order", .pause_us = 100000, .call = new_order},
	{.name = "large order", .pause_us = 300000, .call = large_order},
	{.name = "(orders made)", .pause_us = 300000, .call = sort_orders},
	{.name = "search", .pause_us = 20000, .call = search},
	{.name = "fetch", .pause_us = 1000, .call = fetch},
	{.name = "counters", .pause_us = 1000, .call = counters},
	{.name = "flag", .pause_us = 5000, .call = flag},
	{.name = "deliver", .pause_us = 5000, .call = deliver},
};
#define WORKERS (sizeof(workers) / sizeof(workers[0]))

static int by_wall(const void *a, const void *b)
{
	float x = ((const struct sample *)a)->wall, y = ((const struct sample *)b)->wall;
	return (x > y) - (x < y);
}

static int by_net(const void *a, const void *b)
{
	float x = ((const struct sample *)a)->net, y = ((const struct sample *)b)->net;
	return (x > y) - (x < y);
}

static int by_sleep(const void *a, const void *b)
{
	float x = ((const struct sample *)a)->asleep, y = ((const struct sample *)b)->asleep;
	return (x > y) - (x < y);
}

static void print(const char *during, double ms, struct worker *w)
{
	if (w->n == 0)
		return;
	size_t p99 = w->n * 99 / 100;
	qsort(w->v, w->n, sizeof(*w->v), by_wall);
	float wall99 = w->v[p99].wall, wall = w->v[w->n - 1].wall, used = w->v[w->n - 1].cpu;
	qsort(w->v, w->n, sizeof(*w->v), by_net);
	float net99 = w->v[p99].net, net = w->v[w->n - 1].net;
	qsort(w->v, w->n, sizeof(*w->v), by_sleep);
	printf("{\"bench\":\"wait\",\"during\":\"%s\",\"ms\":%.0f,\"call\":\"%s\",\"n\":%zu,\"p99_"
	       "ms\":%.2f,\"max_ms\":%.1f,"
	       "\"max_cpu_ms\":%.1f,\"net_p99_ms\":%.2f,\"net_max_ms\":%.1f,"
	       "\"asleep_max_ms\":%.1f}\n",
		during, ms, w->name, w->n, wall99, wall, used, net99, net, w->v[w->n - 1].asleep);
}

/* ---- Bulk ---- */

static void catch_up(void)
{
	bool done = false;
	while (!done)
		if (gx_store_index(store, 300, &done) != 0)
			die("index", "failed");
}

static void nothing(void)
{
	nanosleep(&(struct timespec){3, 0}, NULL);
}

static void import(void)
{
	insert(target, messages / 2, BATCH);
}

static void copy_or_move(bool move)
{
	uint32_t n;
	uint64_t *mids = mids_of(target, messages / 4, &n);
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_msg_copy(t, target, mids, n, spare, move, NULL), "copy");
	commit(t);
	free(mids);
}

static void copy(void)
{
	copy_or_move(false);
}

static void move(void)
{
	copy_or_move(true);
}

static void empty_with(uint32_t how, size_t limit)
{
	bool partial, more = true;
	while (more) {
		struct gx_txn *t = begin(GX_TXN_WRITE);
		need(gx_folder_empty(t, target, GX_CONTENT_NORMAL | how, limit, &partial, &more),
			"empty");
		commit(t);
	}
}

static void empty(void)
{
	empty_with(GX_CONTENT_HARD, 0);
}

static void empty_soft(void)
{
	empty_with(0, 0);
}

static void empty_portions(void)
{
	empty_with(GX_CONTENT_HARD, BATCH);
}

static void delete_folder(void)
{
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_folder_delete(t, spare, true), "delete");
	need(gx_folder_create(t, GX_FID_IPMSUBTREE, "spare", NULL, GX_FOLDER_GENERIC, NULL, &spare),
		"folder");
	commit(t);
}

static void vacuum(void)
{
	if (gx_store_vacuum(store, WAIT_MS) != 0)
		die("vacuum", "failed");
}

static void recount(void)
{
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_store_recount(t, NULL), "recount");
	commit(t);
}

static void order(void)
{
	static const struct gx_sort by[] = {
		{PidTagMessageSize, GX_SORT_ASCEND}, {PidTagSenderName, GX_SORT_ASCEND}};
	static const struct gx_sortset s = {by, 2, 0, 0};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	uint32_t n;
	struct gx_txn *t = begin(GX_TXN_READ);
	o.fid = GX_FID_INBOX;
	o.sort = &s;
	need(gx_table_open_contents(t, &o, &tb), "table");
	need(gx_table_count(tb, t, &n), "count");
	gx_table_close(tb);
	gx_txn_abort(t);
}

static void check(void)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	if (gx_store_check(store, &o, &r) != 0 || r.found > 0)
		die("check", "failed, or the store is not good");
}

static void fill_target(void)
{
	refill(target, messages / 2);
}

static void fill_spare(void)
{
	refill(spare, messages / 4);
}

static void drain_spare(void)
{
	drain(spare);
}

static const struct bulk {
	const char *name;
	void (*before)(void);
	void (*run)(void);
	void (*after)(void);
} bulks[] = {
	{"nothing", NULL, nothing, NULL},
	{"import", NULL, import, NULL},
	{"index", NULL, catch_up, NULL},
	{"copy", NULL, copy, drain_spare},
	{"move", NULL, move, NULL},
	{"delete folder", fill_spare, delete_folder, NULL},
	{"recount", NULL, recount, NULL},
	{"order", NULL, order, NULL},
	{"check", NULL, check, NULL},
	{"empty in portions", fill_target, empty_portions, NULL},
	{"empty", fill_target, empty, NULL},
	{"empty softly", fill_target, empty_soft, NULL},
	{"vacuum", NULL, vacuum, NULL},
};

static bool wanted(const char *name, int argc, char **argv)
{
	bool any = argc <= 2;
	for (int i = 2; i < argc; i++)
		any = any || strcmp(argv[i], name) == 0;
	return any;
}

static void measure(const struct bulk *b)
{
	struct gx_imapview *session[2];
	need(gx_imapview_open(store, &actor, GX_FID_INBOX, &session[0]), "view");
	need(gx_imapview_open(store, &actor, target, &session[1]), "view");
	atomic_store(&stop, false);
	for (size_t i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];
		w->n = 0;
		w->seed = (unsigned)i * 77 + 1;
		w->a = gx_arena_new(0);
		if (w->mids == NULL)
			w->mids = mids_of(GX_FID_INBOX, messages, &w->nmids);
		if (pthread_create(&w->id, NULL, work, w) != 0)
			die("thread", "failed");
	}
	nanosleep(&(struct timespec){0, 200000000}, NULL);
	double t0 = now();
	b->run();
	double ms = now() - t0;
	atomic_store(&stop, true);
	for (size_t i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];
		pthread_join(w->id, NULL);
		gx_table_close(w->table);
		w->table = NULL;
		gx_arena_free(w->a);
		print(b->name, ms, w);
	}
	gx_imapview_close(session[0]);
	gx_imapview_close(session[1]);
	fflush(stdout);
}

static void make_store(void)
{
	struct gx_store_create_opts c = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *tmp = getenv("TMPDIR"), *why = "";
	snprintf(dir, sizeof(dir), "%s/gxwait-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL)
		die(dir, "cannot be made");
	c.owner_id = 1;
	c.owner = "u@example.org";
	o.max_readers = 16;
	if (gx_store_create(dir, &c, a, &why) != 0 || gx_store_open(dir, &o, &store, a, &why) != 0)
		die(dir, why);
	gx_arena_free(a);
	struct gx_txn *t = begin(GX_TXN_WRITE);
	need(gx_folder_create(
		     t, GX_FID_IPMSUBTREE, "target", NULL, GX_FOLDER_GENERIC, NULL, &target),
		"folder");
	need(gx_folder_create(t, GX_FID_IPMSUBTREE, "spare", NULL, GX_FOLDER_GENERIC, NULL, &spare),
		"folder");
	need(gx_folder_create(
		     t, GX_FID_IPMSUBTREE, "medium", NULL, GX_FOLDER_GENERIC, NULL, &medium),
		"folder");
	need(gx_folder_create(t, GX_FID_IPMSUBTREE, "small", NULL, GX_FOLDER_GENERIC, NULL, &small),
		"folder");
	commit(t);
	insert(GX_FID_INBOX, messages, BATCH);
	insert(medium, 5000, BATCH);
	insert(small, 100, 100);
	catch_up();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		messages = (unsigned)strtoul(argv[1], NULL, 10);
	messages -= messages % (4 * BATCH);
	if (messages == 0)
		messages = 4 * BATCH;
	make_store();
	for (size_t i = 0; i < sizeof(bulks) / sizeof(bulks[0]); i++) {
		if (!wanted(bulks[i].name, argc, argv))
			continue;
		if (bulks[i].before != NULL)
			bulks[i].before();
		measure(&bulks[i]);
		if (bulks[i].after != NULL)
			bulks[i].after();
	}
	for (size_t i = 0; i < WORKERS; i++) {
		free(workers[i].mids);
		free(workers[i].v);
	}
	gx_store_close(store);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
