/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables on a large folder: one JSON object a line.
 * usage: bench_table [MESSAGES [DIRECTORY]]; a directory that holds such a store already is used again.
 */
#include <config.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gx/table.h>

#define BATCH 1000U
#define TABLES 20U

static const struct gx_actor actor = GX_ACTOR_SYSTEM;
static char dir[512];
static unsigned rnd_state = 12345;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_table: %s: %s\n", what, why);
	exit(1);
}

static void need(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		die(what, gx_ec_name(ec));
}

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static double cpu(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static unsigned rnd(unsigned n)
{
	rnd_state = rnd_state * 1103515245U + 12345;
	return (rnd_state >> 8) % n;
}

/* A field of /proc/self/status in KiB. */
static long memory(const char *field)
{
	char line[256];
	long v = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			v = strtol(line + strlen(field) + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return v;
}

static void reset_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");
	if (f == NULL)
		return;
	fputs("5", f);
	fclose(f);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static struct gx_store *open_store(void)
{
	struct gx_store *s;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	const char *why = "";
	o.no_index = true;
	if (gx_store_open(dir, &o, &s, a, &why) != 0)
		die("open", why);
	gx_arena_free(a);
	return s;
}

static struct gx_txn *begin(struct gx_store *s, int mode)
{
	struct gx_txn *t;
	if (gx_txn_begin(s, &actor, mode, 10000, &t) != 0)
		die("begin", "failed");
	return t;
}

static void commit(struct gx_txn *t)
{
	if (gx_txn_commit(t, GX_SYNC_LATER) != 0)
		die("commit", "failed");
}

/* ---- Filling ---- */

static char words[1000][10];

static void set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	if (s == NULL || gx_proplist_set_str(l, a, tag, s) != 0)
		die("memory", "out of it");
}

static struct gx_msg_prepared *message(struct gx_arena *a)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	unsigned who = rnd(3000);
	char *subject = gx_arena_printf(a, "%s %s %s %s %u", words[rnd(1000)], words[rnd(1000)], words[rnd(1000)],
		words[rnd(1000)], rnd(100));
	char *name = gx_arena_printf(a, "%s %s", words[who % 1000], words[(who * 7 + 3) % 1000]);
	char *address = gx_arena_printf(a, "user%u@example.org", who);
	set(&m->props, a, PidTagSubject, subject);
	set(&m->props, a, PidTagNormalizedSubject, subject);
	set(&m->props, a, PidTagMessageClass, "IPM.Note");
	set(&m->props, a, PidTagSenderName, name);
	set(&m->props, a, PidTagSenderSmtpAddress, address);
	set(&m->props, a, PidTagSentRepresentingName, name);
	set(&m->props, a, PidTagSentRepresentingSmtpAddress, address);
	set(&m->props, a, PidTagInternetMessageId,
		gx_arena_printf(a, "<%08x.%08x@example.org>", rnd_state, rnd(1U << 24)));
	set(&m->props, a, PidTagBody,
		"A few words of text, as in most messages: see you tomorrow at the usual place, and bring the "
		"papers.");
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	set(r, a, PidTagDisplayName, "The Reader");
	set(r, a, PidTagSmtpAddress, "u@example.org");
	src.obj = m;
	if (gx_msg_prepare(a, &src, &p) != 0)
		die("prepare", "failed");
	return p;
}

static gx_nttime_t last_time = 133000000000000000;

static void insert(struct gx_txn *t, const struct gx_msg_prepared *p)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	last_time += 10000000;
	o.received = last_time;
	o.flags = rnd(10) == 0 ? 0 : GX_MSGF_READ;
	need(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), "insert");
}

struct spent {
	double wall, cpu;
};

/* Preparing is not counted. */
static struct spent fill(struct gx_store *s, unsigned n, unsigned batch)
{
	struct gx_arena *a = gx_arena_new(0);
	struct spent spent = {0, 0};
	for (unsigned i = 0; i < n; i += batch) {
		struct gx_msg_prepared *p[BATCH];
		for (unsigned k = 0; k < batch; k++)
			p[k] = message(a);
		double t0 = now(), c0 = cpu();
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		for (unsigned k = 0; k < batch; k++)
			insert(t, p[k]);
		commit(t);
		spent.wall += now() - t0;
		spent.cpu += cpu() - c0;
		for (unsigned k = 0; k < batch; k++)
			gx_msg_prepared_release(p[k]);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return spent;
}

static void make_store(unsigned n)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	o.owner_id = 1;
	o.owner = "u@example.org";
	if (gx_store_create(dir, &o, a, &why) != 0)
		die("create", why);
	gx_arena_free(a);
	struct gx_store *s = open_store();
	struct spent few = fill(s, 4000, BATCH), single = fill(s, 96, 1), rest = {0, 0};
	printf("{\"bench\":\"insert\",\"orders\":0,\"in_folder\":4000,\"batch_us\":%.1f,\"batch_cpu_us\":%.1f,"
	       "\"single_cpu_us\":%.1f}\n",
		few.wall * 1e6 / 4000, few.cpu * 1e6 / 4000, single.cpu * 1e6 / 96);
	for (unsigned done = 5000; done < n; done += 50000) {
		unsigned more = n - done < 50000 ? n - done : 50000;
		struct spent t = fill(s, more, BATCH);
		rest.wall += t.wall;
		if (done == 5000 || done + more >= n)
			printf("{\"bench\":\"insert\",\"orders\":3,\"in_folder\":%u,\"batch_us\":%.1f,\"batch_cpu_"
			       "us\":%.1f}\n",
				done + more, t.wall * 1e6 / more, t.cpu * 1e6 / more);
		fflush(stdout);
	}
	printf("{\"bench\":\"fill\",\"n\":%u,\"seconds\":%.1f}\n", n, few.wall + rest.wall);
	gx_store_close(s);
}

/* ---- Tables ---- */

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_sort by_subject[] = {{PidTagNormalizedSubject, GX_SORT_ASCEND}};
static const struct gx_sort by_sender[] = {{PidTagSenderName, GX_SORT_ASCEND}};
static const struct gx_sort by_sender_time[] = {
	{PidTagSenderName, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_sort by_sender_newest[] = {
	{PidTagSenderName, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_MAX_CATEGORY}};
static const struct gx_sort by_class[] = {
	{PidTagMessageClass, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
static const struct gx_restr some_sender = {.type = RES_CONTENT,
	.u.content = {FL_PREFIX, FL_IGNORECASE, PidTagSenderName, {PidTagSenderName, {.str = "ab"}}}};

struct shape {
	const char *name;
	const struct gx_sort *cols;
	uint16_t n, categories;
	const struct gx_restr *restr;
};
static const struct shape shapes[] = {
	{"time", by_time, 1, 0, NULL},
	{"subject", by_subject, 1, 0, NULL},
	{"sender", by_sender, 1, 0, NULL},
	{"unread by time", by_time, 1, 0, &unread},
	{"unread by subject", by_subject, 1, 0, &unread},
	{"grouped by sender", by_sender_time, 2, 1, NULL},
	{"grouped by sender, newest first", by_sender_newest, 2, 1, NULL},
	{"restricted, by time", by_time, 1, 0, &some_sender},
	{"first of its order, grouped by class", by_class, 2, 1, NULL},
	{"grouped by class", by_class, 2, 1, NULL},
};

static const gx_proptag_t cols[] = {PidTagMid, PidTagInstID, PidTagInstanceNum, PidTagSubject, PidTagSenderName,
	PidTagMessageDeliveryTime, PidTagMessageFlags, PidTagMessageSize, PidTagHasAttachments, PidTagMessageClass,
	PidTagImportance, PidTagDisplayTo, PidTagEntryId};
#define NCOLS (sizeof(cols) / sizeof(cols[0]))

static struct gx_table *open_table(struct gx_txn *t, const struct shape *x)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset s = {x->cols, x->n, x->categories, 0};
	struct gx_table *tb;
	o.fid = GX_FID_INBOX;
	o.sort = &s;
	o.restr = x->restr;
	need(gx_table_open_contents(t, &o, &tb), x->name);
	return tb;
}

static size_t read_rows(struct gx_table *tb, struct gx_txn *t, uint32_t pos)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_table_row *r;
	size_t n;
	need(gx_table_query(tb, t, pos, 50, cols, NCOLS, a, &r, &n), "query");
	gx_arena_free(a);
	return n;
}

/* Each with a store that was just opened: nothing in its cache. */
static void bench_shape(const struct shape *x)
{
	struct gx_store *s = open_store();
	reset_peak();
	long before = memory("VmRSS:");
	double t0 = now();
	struct gx_txn *t = begin(s, GX_TXN_READ);
	struct gx_table *tb = open_table(t, x);
	uint32_t n;
	need(gx_table_count(tb, t, &n), "count");
	double t1 = now();
	size_t got = read_rows(tb, t, 0);
	double t2 = now();
	read_rows(tb, t, n / 2);
	double t3 = now();
	for (unsigned i = 0; i < 100; i++)
		read_rows(tb, t, rnd(n));
	double t4 = now();
	printf("{\"bench\":\"open\",\"table\":\"%s\",\"rows\":%u,\"open_ms\":%.2f,\"first_%zu_ms\":%.2f,\"middle_"
	       "ms\":%.2f,\"anywhere_ms\":%.2f,\"peak_kib\":%ld}\n",
		x->name, n, (t1 - t0) * 1e3, got, (t2 - t1) * 1e3, (t3 - t2) * 1e3, (t4 - t3) * 10,
		memory("VmHWM:") - before);
	fflush(stdout);
	gx_table_close(tb);
	gx_txn_abort(t);
	gx_store_close(s);
}

static void heard(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	(void)ev;
	++*(unsigned long *)ctx;
}

static void bench_arrivals(unsigned tables, unsigned arrivals)
{
	struct gx_store *s = open_store();
	struct gx_table *tb[TABLES];
	unsigned long events = 0;
	fill(s, 100, 1);
	reset_peak();
	long before = memory("VmRSS:");
	struct gx_txn *t = begin(s, GX_TXN_READ);
	for (unsigned i = 0; i < tables; i++) {
		tb[i] = open_table(t, &shapes[i % 5]);
		need(gx_table_watch(tb[i], heard, &events), "watch");
	}
	gx_txn_abort(t);
	struct spent x = fill(s, arrivals, 1);
	printf("{\"bench\":\"arrivals\",\"n\":%u,\"tables\":%u,\"us\":%.1f,\"cpu_us\":%.1f,\"events\":%lu,\"peak_"
	       "kib\":%ld}\n",
		arrivals, tables, x.wall * 1e6 / arrivals, x.cpu * 1e6 / arrivals, events, memory("VmHWM:") - before);
	for (unsigned i = 0; i < tables; i++)
		gx_table_close(tb[i]);
	gx_store_close(s);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	bool keep = argc > 2;
	struct stat sb;
	n = n < 5000 ? 5000 : n / BATCH * BATCH;
	for (unsigned i = 0; i < 1000; i++)
		for (unsigned k = 0, len = 3 + rnd(6); k < len; k++)
			words[i][k] = (char)('a' + rnd(26));
	snprintf(dir, sizeof(dir), "%s", keep ? argv[2] : "/tmp/gxbench-XXXXXX");
	if (!keep && mkdtemp(dir) == NULL)
		die(dir, "cannot be made");
	if (!keep || stat(dir, &sb) != 0)
		make_store(n);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		bench_shape(&shapes[i]);
	bench_arrivals(0, 10000);
	bench_arrivals(TABLES, 10000);
	if (!keep && nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		die(dir, "cannot be removed");
	return 0;
}
