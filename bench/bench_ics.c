/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronising a large folder: from nothing, and after a few changes. usage: bench_ics [MESSAGES [DIRECTORY]] */
#include <config.h>
#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <gx/ics.h>

static const struct gx_actor actor = GX_ACTOR_SYSTEM;
static char dir[512];
static uint64_t *mids;
static struct gx_globset given, seen, seen_fai, read_cns;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_ics: %s: %s\n", what, why);
	exit(1);
}

static void need(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		die(what, gx_ec_name(ec));
}

static void need0(int err, const char *what)
{
	if (err != 0)
		die(what, gx_strerror(err));
}

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static struct gx_txn *begin(struct gx_store *s, int mode)
{
	struct gx_txn *t;
	need0(gx_txn_begin(s, &actor, mode, 10000, &t), "begin");
	return t;
}

static void insert(struct gx_txn *t, struct gx_arena *a, unsigned i)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	char *text = gx_arena_alloc(a, 1500);
	for (size_t k = 0; k < 1499; k++)
		text[k] = (char)('a' + (k * 7 + i * 13 + k / 72) % 26);
	text[1499] = '\0';
	need0(gx_proplist_set_str(&m->props, a, PidTagSubject, gx_arena_printf(a, "message %u", i)), "memory");
	need0(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), "memory");
	need0(gx_proplist_set_str(&m->props, a, PidTagBody, text), "memory");
	src.obj = m;
	need0(gx_msg_prepare(a, &src, &p), "prepare");
	need(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), "insert");
	gx_msg_prepared_release(p);
	mids[i] = ids.mid;
}

static void fill(struct gx_store *s, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	for (unsigned i = 0; i < n;) {
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		for (unsigned k = 0; k < 1000 && i < n; k++, i++) {
			gx_arena_reset(a);
			insert(t, a, i);
		}
		need0(gx_txn_commit(t, GX_SYNC_LATER), "commit");
	}
	gx_arena_free(a);
}

static void touch(struct gx_store *s, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	const struct gx_flag_change c = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
	need0(gx_proplist_set_str(&l, a, PidTagSubject, "changed"), "memory");
	for (unsigned i = 0; i < 10; i++) {
		uint64_t mid = mids[(n / 10) * i + 5];
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		if (i < 6)
			need(gx_msg_set_props(t, mid, &l), "change");
		else if (i < 8)
			need(gx_msg_change_flags(t, GX_FID_INBOX, &mid, 1, &c, a, NULL, NULL), "flags");
		else
			need(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true), "delete");
		need0(gx_txn_commit(t, GX_SYNC_LATER), "commit");
	}
	gx_arena_free(a);
}

static struct gx_ics_content *open_sync(struct gx_txn *t)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *c;
	o.given = &given;
	o.seen = &seen;
	o.seen_fai = &seen_fai;
	o.read = &read_cns;
	need(gx_ics_content_open(t, GX_FID_INBOX, &o, &c), "open");
	return c;
}

static void finish(struct gx_ics_content *c)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(c);
	gx_globset_release(&given);
	need0(gx_globset_union(&given, gx_ics_content_set(c, GX_ICS_GIVEN)), "union");
	need0(gx_globset_add_range(&seen, 1, sum->last_cn), "add");
	need0(gx_globset_add_range(&seen_fai, 1, sum->last_cn), "add");
	need0(gx_globset_add_range(&read_cns, 1, sum->last_readcn), "add");
	gx_ics_content_free(c);
}

static long peak_kib(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* Every changed message as a whole, as a client downloads it; memory for one at a time. */
static void read_all(struct gx_store *s, struct gx_ics_content *c)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_ics_change ch;
	size_t n = 0;
	struct gx_txn *t = NULL;
	for (; gx_ics_content_next(c, &ch); n++) {
		struct gx_msgobj *m;
		if (n % 100 == 0) {
			gx_txn_abort(t);
			t = begin(s, GX_TXN_READ);
		}
		gx_arena_reset(a);
		need(gx_msg_read(t, ch.mid, a, &m), "read");
	}
	gx_txn_abort(t);
	gx_arena_free(a);
}

static void one_sync(struct gx_store *s, const char *what, bool whole)
{
	double best = 1e9, all = 0;
	size_t heap = 0, count = 0;
	struct gx_ics_content *c = NULL;
	for (int i = 0; i < 5; i++) {
		gx_ics_content_free(c);
		size_t before = mallinfo2().uordblks;
		double from = now();
		struct gx_txn *t = begin(s, GX_TXN_READ);
		c = open_sync(t);
		gx_txn_abort(t);
		double took = now() - from;
		heap = mallinfo2().uordblks - before;
		best = took < best ? took : best;
	}
	count = gx_ics_content_count(c);
	if (whole) {
		double from = now();
		read_all(s, c);
		all = now() - from;
	}
	finish(c);
	printf("{\"bench\": \"ics\", \"case\": \"%s\", \"changes\": %zu, \"manifest_ms\": %.3f, \"heap_kib\": %zu, \"read_ms\": %.0f, \"peak_kib\": %ld}\n",
		what, count, best * 1e3, heap / 1024, all * 1e3, peak_kib());
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	struct gx_store_create_opts co = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_store *s;
	const char *why = "";
	snprintf(dir, sizeof(dir), "%s/gxics-XXXXXX", argc > 2 ? argv[2] : "/tmp");
	mids = calloc(n, sizeof(*mids));
	if (mids == NULL || n < 100 || mkdtemp(dir) == NULL)
		die("usage", "bench_ics [MESSAGES, at least 100 [DIRECTORY]]");
	co.owner_id = 1;
	co.owner = "u@example.org";
	if (gx_store_create(dir, &co, a, &why) != 0 || gx_store_open(dir, NULL, &s, a, &why) != 0)
		die(dir, why);
	fill(s, n);
	printf("{\"bench\": \"ics\", \"case\": \"store filled\", \"messages\": %u, \"peak_kib\": %ld}\n", n, peak_kib());
	one_sync(s, "from empty", true);
	one_sync(s, "no change", false);
	touch(s, n);
	one_sync(s, "10 changes", true);
	gx_store_close(s);
	gx_globset_release(&given);
	gx_globset_release(&seen);
	gx_globset_release(&seen_fai);
	gx_globset_release(&read_cns);
	gx_arena_free(a);
	free(mids);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
}
