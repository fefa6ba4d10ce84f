/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak: 32 threads on 8 mailboxes, in this process and then by the exmdb protocol, half of the time
 * each.
 *
 * GX_SOAK_SECONDS how long (5), GX_SOAK_THREADS how many, GX_SOAK_SEED what happens, GX_SOAK_MODE
 * local or remote for one of them alone, TMPDIR where. Answers in TAP.
 */
#include <config.h>
#include <ftw.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gx/storecheck.h>
#include "tests/soak/soak.h"

#define MOST_TOLD 50U
#define MEMORY_SLACK ((size_t)256 * 1024) /* what libraries keep for themselves */

void soak_fail(struct soak *k, const char *fmt, ...)
{
	char line[600];
	va_list ap;
	if (atomic_fetch_add(&k->failures, 1) >= MOST_TOLD)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printf("# %s\n", line);
	fflush(stdout);
}

static void log_line(int level, const char *line, void *ctx)
{
	(void)level;
	(void)ctx;
	printf("# log: %s\n", line);
}

/* ---- Stores ---- */

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static void share(struct soak *k, struct soak_store *st)
{
	struct gx_txn *t = NULL;
	uint64_t fid;
	int err = gx_txn_begin(st->s, &soak_system, GX_TXN_WRITE, 1000, &t);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : GX_EC(ecSuccess);
	if (!gx_ec_failed(ec) && st->is_public) {
		ec = gx_folder_create(
			t, st->root, "Board", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid);
		st->inbox = fid;
	}
	if (!gx_ec_failed(ec))
		ec = gx_folder_set_permission(t, st->inbox, "default",
			GX_RIGHT_VISIBLE | GX_RIGHT_READ | GX_RIGHT_CREATE, false);
	if (!gx_ec_failed(ec))
		ec = gx_folder_set_permission(
			t, st->root, "staff@example.org", GX_RIGHTS_ALL, false);
	err = gx_ec_failed(ec) ? GX_E_INTERNAL : gx_txn_commit(t, GX_SYNC_LATER);
	if (err != 0)
		soak_fail(k, "%s: %s", st->dir, gx_ec_name(ec));
}

static void make_store(struct soak *k, unsigned i)
{
	struct gx_store_create_opts c = GX_STORE_CREATE_OPTS_INIT;
	struct soak_store *st = &k->st[i];
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	st->is_public = i >= STORES - 2;
	snprintf(st->dir, sizeof(st->dir), "%s/%s%u", k->dir, st->is_public ? "public" : "private",
		i);
	st->root = st->is_public ? GX_FID_PUB_IPMSUBTREE : GX_FID_IPMSUBTREE;
	st->inbox = st->is_public ? 0 : GX_FID_INBOX;
	c.public_store = st->is_public;
	c.owner_id = i + 1;
	c.owner = st->is_public ? "example.org" : "owner@example.org";
	int err = soak_events_init(&st->events, k);
	if (err == 0)
		err = gx_store_create(st->dir, &c, a, &why);
	if (err == 0)
		err = gx_store_pool_get(k->pool, st->dir, &st->s, a, &why);
	if (err != 0) {
		printf("Bail out! %s: %s\n", st->dir, why);
		exit(EXIT_FAILURE);
	}
	share(k, st);
	gx_arena_free(a);
}

static void report(const struct gx_store_finding *f, void *ctx)
{
	soak_fail(
		ctx, "%s: %s %llx: %s", f->check, f->kind, (unsigned long long)f->object, f->text);
}

/* What a checker says of each store when it is over. */
static void check_stores(struct soak *k)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	o.found = report;
	o.ctx = k;
	for (unsigned i = 0; i < STORES; i++) {
		struct gx_store_check_result r;
		struct gx_store *s = NULL;
		int err = gx_store_pool_get(k->pool, k->st[i].dir, &s, NULL, NULL);
		if (err == 0)
			err = gx_store_sync(s);
		if (err == 0 && gx_store_purge_files(s) < 0)
			err = GX_E_IO;
		if (err == 0)
			err = gx_store_check(s, &o, &r);
		if (err != 0)
			soak_fail(k, "%s: not checked: %s", k->st[i].dir, gx_strerror(err));
		gx_store_pool_put(k->pool, s);
	}
}

/* ---- Threads ---- */

static const struct {
	soak_op fn;
	unsigned weight;
} ops[] = {
	{soak_deliver, 16},
	{soak_objects, 6},
	{soak_copy, 8},
	{soak_delete, 6},
	{soak_flags, 8},
	{soak_read_marks, 6},
	{soak_edit, 5},
	{soak_folders, 5},
	{soak_empty, 1},
	{soak_purge, 1},
	{soak_settings, 2},
	{soak_rights, 2},
	{soak_searches, 3},
	{soak_upkeep, 1},
	{soak_imap, 12},
	{soak_fetch, 6},
	{soak_find, 2},
	{soak_counters, 3},
	{soak_rows, 10},
	{soak_watch, 8},
	{soak_instance, 12},
	{soak_content_sync, 6},
	{soak_tree_sync, 3},
};

static soak_op choose(struct soak_thread *w)
{
	unsigned sum = 0, i = 0;
	for (; i < sizeof(ops) / sizeof(ops[0]); i++)
		sum += ops[i].weight;
	unsigned at = soak_rnd(w, sum);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return ops[i].fn;
}

static void step(struct soak_thread *w)
{
	const char *why = "";
	w->st = &w->k->st[soak_rnd(w, STORES)];
	int err = gx_store_pool_get(w->k->pool, w->st->dir, &w->s, w->a, &why);
	if (err != 0) {
		soak_fail(w->k, "%s", why);
		return;
	}
	choose(w)(w);
	gx_store_pool_put(w->k->pool, w->s);
	gx_arena_reset(w->a);
	atomic_fetch_add(&w->k->done, 1);
}

/* Each ends what it has open with nobody about who changes anything: copies and stores must agree
 * then. */
static void *run(void *ctx)
{
	struct soak_thread *w = ctx;
	while (!atomic_load(&w->k->stop))
		step(w);
	pthread_barrier_wait(&w->k->end);
	soak_session_end(w);
	soak_watch_end(w);
	soak_sync_end(w);
	if (w->number < STORES)
		soak_compare_events(w, &w->k->st[w->number]);
	pthread_barrier_wait(&w->k->end);
	soak_instance_end(w);
	return NULL;
}

static void *keep_house(void *ctx)
{
	struct soak *k = ctx;
	while (!atomic_load(&k->stop)) {
		gx_store_pool_tick(k->pool);
		if (gx_store_pool_sync(k->pool) != 0)
			soak_fail(k, "flush failed");
		nanosleep(&(struct timespec){0, 200000000}, NULL);
	}
	return NULL;
}

static void begin_thread(struct soak *k, struct soak_thread *w, unsigned i, uint64_t seed)
{
	*w = (struct soak_thread){.k = k,
		.number = i,
		.seed = seed * 1000 + i,
		.a = gx_arena_new(0),
		.ctx = gx_prepare_ctx_new()};
	if (w->a == NULL || w->ctx == NULL || pthread_create(&w->id, NULL, run, w) != 0) {
		printf("Bail out! no threads\n");
		exit(EXIT_FAILURE);
	}
}

static void end_thread(struct soak_thread *w)
{
	pthread_join(w->id, NULL);
	gx_prepare_ctx_free(w->ctx);
	gx_arena_free(w->a);
}

static void local(struct soak *k, uint64_t seed)
{
	static struct soak_thread w[64];
	pthread_t house;
	for (unsigned i = 0; i < STORES; i++)
		if (gx_store_subscribe(k->st[i].s, 0, UINT32_MAX, soak_events_hear,
			    &k->st[i].events, &k->st[i].sub) != 0)
			soak_fail(k, "no subscription");
	pthread_barrier_init(&k->end, NULL, k->threads);
	for (unsigned i = 0; i < k->threads; i++)
		begin_thread(k, &w[i], i, seed);
	if (pthread_create(&house, NULL, keep_house, k) != 0)
		exit(EXIT_FAILURE);
	sleep(k->seconds);
	atomic_store(&k->stop, true);
	for (unsigned i = 0; i < k->threads; i++)
		end_thread(&w[i]);
	pthread_join(house, NULL);
	pthread_barrier_destroy(&k->end);
	for (unsigned i = 0; i < STORES; i++)
		gx_store_unsubscribe(k->st[i].s, k->st[i].sub);
}

/* ---- One way of the two ---- */

static size_t memory(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	return 0;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
	return 0;
#else
	return mallinfo2().uordblks + mallinfo2().hblkhd;
#endif
#else
	return mallinfo2().uordblks + mallinfo2().hblkhd;
#endif
}

static void open_stores(struct soak *k)
{
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	k->log = (struct gx_log){.write = log_line, .level = GX_LOG_WARN};
	po.store.size = sizeof(po.store);
	po.store.render = gx_mail_render;
	po.store.log = &k->log;
	k->pool = gx_store_pool_new(&po);
	if (k->pool == NULL)
		exit(EXIT_FAILURE);
	for (unsigned i = 0; i < STORES; i++)
		make_store(k, i);
}

static void close_stores(struct soak *k)
{
	for (unsigned i = 0; i < STORES; i++)
		gx_store_pool_put(k->pool, k->st[i].s);
	check_stores(k);
	gx_store_pool_free(k->pool);
	for (unsigned i = 0; i < STORES; i++)
		soak_events_release(&k->st[i].events);
}

/* What libraries set up once and keep is not counted. */
static void warm_up(struct soak *k)
{
	open_stores(k);
	close_stores(k);
	if (nftw(k->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 || mkdir(k->dir, 0700) != 0)
		soak_fail(k, "%s cannot be made empty", k->dir);
}

static bool way(unsigned number, bool by_server, unsigned seconds, unsigned threads, uint64_t seed)
{
	static struct soak k;
	const char *tmp = getenv("TMPDIR");
	memset(&k, 0, sizeof(k));
	k.seconds = seconds;
	k.threads = threads;
	snprintf(k.dir, sizeof(k.dir), "%s/gxsoak-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(k.dir) == NULL)
		exit(EXIT_FAILURE);
	warm_up(&k);
	size_t before = memory();
	open_stores(&k);
	if (by_server)
		soak_remote(&k, seed);
	else
		local(&k, seed);
	close_stores(&k);
	size_t after = memory();
	if (after > before + MEMORY_SLACK)
		soak_fail(&k, "%zu bytes of memory were not returned", after - before);
	printf("# %" PRIuLEAST64 " operations, %" PRIuLEAST64 " row events, %" PRIuLEAST64
	       " to read anew, %" PRIuLEAST64 " synchronisations, %" PRIuLEAST64
	       " comparisons, %zu bytes kept\n",
		atomic_load(&k.done), atomic_load(&k.mirrored), atomic_load(&k.read_anew),
		atomic_load(&k.synced), atomic_load(&k.compared),
		after > before ? after - before : 0);
	if (nftw(k.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		soak_fail(&k, "%s is left", k.dir);
	bool good = atomic_load(&k.failures) == 0;
	printf("%s %u - %s\n", good ? "ok" : "not ok", number,
		by_server ? "by client and server" : "in one process");
	fflush(stdout);
	return good;
}

static unsigned number_of(const char *name, unsigned dflt)
{
	const char *s = getenv(name);
	return s == NULL || *s == '\0' ? dflt : (unsigned)strtoul(s, NULL, 10);
}

int main(void)
{
	unsigned seconds = number_of("GX_SOAK_SECONDS", 5),
		 threads = number_of("GX_SOAK_THREADS", THREADS);
	uint64_t seed = number_of("GX_SOAK_SEED", (unsigned)time(NULL));
	const char *mode = getenv("GX_SOAK_MODE");
	bool here = mode == NULL || strcmp(mode, "local") == 0,
	     there = mode == NULL || strcmp(mode, "remote") == 0, good = true;
	threads = threads < STORES ? STORES : threads > 64 ? 64 : threads;
	if (here && there)
		seconds = (seconds + 1) / 2;
	printf("1..%u\n# GX_SOAK_SEED=%" PRIu64 "\n", (unsigned)here + (unsigned)there, seed);
	if (here)
		good = way(1, false, seconds, threads, seed);
	if (there)
		good = way(here ? 2 : 1, true, seconds, threads, seed) && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
