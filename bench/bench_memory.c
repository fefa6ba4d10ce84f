/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of what lists or changes a whole folder: the peak above what the process had, for folders of several sizes.
 * Each operation in a process of its own; those that write go on where the one before left the copy.
 * usage: bench_memory [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/folder.h>
#include <gx/ics.h>
#include <gx/search.h>
#include <gx/storecheck.h>
#include <gx/table.h>
#include "bench/scale.h"
#include "libgxproto/imap/imap-int.h"

static struct scale_big big;
static int size;
static struct gx_store *s;

struct op {
	const char *what;
	void (*run)(const char *arg);
	const char *arg;
};

static uint64_t folder(void)
{
	return big.fid[size];
}

/* ---- Lists ---- */

static void sync_from_empty(const char *arg)
{
	static const struct gx_globset none = GX_GLOBSET_INIT;
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *c;
	struct gx_ics_change ch;
	bool more = true;
	o.seen = o.seen_fai = o.read = &none;
	o.ordered = arg != NULL;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_ics_content_open(t, folder(), &o, &c), "synchronisation");
	gx_txn_abort(t);
	while (more)
		scale_need(gx_ics_content_next(c, &ch, &more), "next");
	gx_ics_content_free(c);
}

static void sync_answer(const char *arg)
{
	static const struct gx_globset none = GX_GLOBSET_INIT;
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content_answer answer;
	struct gx_arena *a = gx_arena_new(0);
	(void)arg;
	o.seen = o.seen_fai = o.read = &none;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_ics_content_answer(t, folder(), &o, a, &answer), "answer");
	gx_txn_abort(t);
	gx_arena_free(a);
}

static void view(const char *arg)
{
	struct gx_imapview *v;
	(void)arg;
	scale_need(gx_imapview_open(s, &scale_system, folder(), &v), "view");
	gx_imapview_close(v);
}

static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
static const struct gx_restr half = {
	.type = RES_PROPERTY, .u.prop = {RELOP_GT, PidTagMessageSize, {PidTagMessageSize, {.i32 = 1800}}}};

static const struct gx_restr *restriction(const char *arg)
{
	return arg == NULL ? NULL : strcmp(arg, "unread") == 0 ? &unread : &half;
}

static void table(const char *arg)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_table *tb;
	struct gx_table_row *r;
	static const gx_proptag_t cols[] = {PidTagMid, PidTagSubject, PidTagMessageDeliveryTime, PidTagMessageFlags};
	size_t n;
	o.fid = folder();
	o.restr = restriction(arg);
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_table_open_contents(t, &o, &tb), "table");
	scale_need(gx_table_query(tb, t, 0, 50, cols, 4, a, &r, &n), "rows");
	gx_txn_abort(t);
	gx_table_close(tb);
	gx_arena_free(a);
}

static void search_folder(const char *arg)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	uint64_t fid, scope = folder();
	bool done = false;
	o.parent = GX_FID_IPMSUBTREE;
	o.type = GX_FOLDER_SEARCH;
	o.name = arg;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_create_with(t, &o, &fid), "search folder");
	scale_need(gx_search_set(t, fid, RESTART_SEARCH | SHALLOW_SEARCH, restriction(arg), &scope, 1), "criteria");
	scale_commit(t, GX_SYNC_LATER);
	while (!done)
		scale_must(gx_search_run(s, 1000, &done), "search");
	t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_delete(t, fid, true), "search folder");
	scale_commit(t, GX_SYNC_LATER);
}

static void vanished(const char *arg)
{
	struct gx_arena *a = gx_arena_new(0);
	uint32_t *uids;
	size_t n;
	(void)arg;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_folder_vanished(t, folder(), 1, a, &uids, &n), "vanished");
	gx_txn_abort(t);
	gx_arena_free(a);
}

static void check(const char *arg)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	(void)arg;
	scale_must(gx_store_check(s, &o, &r), "check");
}

/* ---- Changes ---- */

static void copy_folder(const char *arg)
{
	uint64_t fid;
	bool partial;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_copy(t, folder(), GX_FID_IPMSUBTREE, arg, &fid, &partial), "copy");
	scale_commit(t, GX_SYNC_LATER);
}

/* Of a copy that the one before has made. */
static uint64_t copied(struct gx_txn *t, const char *name)
{
	uint64_t fid;
	scale_need(gx_folder_by_name(t, GX_FID_IPMSUBTREE, name, &fid), name);
	return fid;
}

static void empty_folder(const char *arg)
{
	(void)arg;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_empty(t, copied(t, "a"), GX_CONTENT_NORMAL, 0, NULL, NULL), "empty");
	scale_commit(t, GX_SYNC_LATER);
}

static void purge_folder(const char *arg)
{
	struct gx_purged gone = {0};
	(void)arg;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_purge(t, copied(t, "a"), GX_CONTENT_NORMAL, 0, 0, &gone), "purge");
	scale_commit(t, GX_SYNC_LATER);
}

static void delete_folder(const char *arg)
{
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_delete(t, copied(t, arg), true), "delete");
	scale_commit(t, GX_SYNC_LATER);
}

static void count_again(const char *arg)
{
	(void)arg;
	long n = gx_store_verify(s, NULL, NULL);
	if (n != 0)
		scale_die("verify", "the store is not in order");
}

/* ---- IMAP ---- */

static struct gx_engine_factory factory;
static struct gx_io io;
static void *engine;
static struct gx_imap_server server = GX_IMAP_SERVER_INIT;
static char imap_dir[600];

static void drive(void)
{
	for (bool work = false;;) {
		enum gx_want w = work ? factory.ops->work(engine, &io) : factory.ops->step(engine, &io);
		if (memmem(io.out.data, io.out.len, " NO ", 4) != NULL && io.out.len < 500)
			scale_die("IMAP", "a command failed");
		gx_push_clear(&io.out);
		work = w == GX_WANT_WORKER || w == GX_WANT_AGAIN;
		if (w == GX_WANT_INPUT || w == GX_WANT_CLOSE)
			return;
	}
}

static void say(const char *line)
{
	scale_must(gx_iobuf_add(&io.in, line, strlen(line)), "line");
	drive();
}

static void log_in(void)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_user_new u = GX_USER_NEW_INIT;
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	const char *why = "?";
	uint32_t id;
	scale_tmp(imap_dir, NULL);
	d.path = gx_arena_printf(a, "%s/dir.sqlite3", imap_dir);
	p.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	p.store.no_index = true;
	u.username = "u@example.org";
	u.password = "x";
	u.maildir = big.dir;
	if (gx_dir_create(d.path, a, &why) != 0 || gx_dir_open(&d, &server.dir, a, &why) != 0 ||
		gx_dir_add_domain(server.dir, "example.org", imap_dir, 1, &id) != 0 || gx_dir_add_user(server.dir, &u, &id) != 0)
		scale_die("directory", why);
	server.pool = gx_store_pool_new(&p);
	gx_imap_factory(&factory, &server);
	io = (struct gx_io){.out_high = 256 * 1024, .in_max = 64 * 1024, .clock = gx_clock_system(), .peer = "-"};
	gx_push_init(&io.out, 0);
	engine = factory.new_engine(&io, factory.ctx);
	say("a LOGIN u@example.org x\r\n");
	gx_arena_free(a);
}

static void log_out(void)
{
	factory.ops->free(engine);
	gx_iobuf_release(&io.in);
	gx_push_release(&io.out);
	gx_store_pool_free(server.pool);
	gx_dir_close(server.dir);
	scale_remove(imap_dir);
}

static const char *const mailbox[SCALE_SIZES] = {"INBOX/thousandth", "INBOX/hundredth", "INBOX/tenth", "INBOX"};

static void imap_command(void *ctx)
{
	const struct op *op = ctx;
	char line[100];
	log_in();
	bool back = strcmp(op->arg, "MOVE") == 0; /* what COPY has made, to where it came from */
	snprintf(line, sizeof(line), "a SELECT %s\r\n", back ? "copy" : mailbox[size]);
	say(line);
	snprintf(line, sizeof(line), back ? "a %s 1:* %s\r\n" : "a %s\r\n", op->arg, mailbox[size]);
	long before = scale_peak_begin();
	struct meter m = meter_now();
	say(line);
	m = meter_since(m);
	scale_row(op->what, m, 1, "\"in_folder\": %u, \"peak_kib\": %ld", big.count[size], scale_peak(before));
	log_out();
}

/* ---- All of them ---- */

static void one(void *ctx)
{
	const struct op *op = ctx;
	s = scale_open(big.dir, SCALE_NO_INDEX);
	long before = scale_peak_begin();
	struct meter m = meter_now();
	op->run(op->arg);
	m = meter_since(m);
	scale_row(op->what, m, 1, "\"in_folder\": %u, \"peak_kib\": %ld", big.count[size], scale_peak(before));
	gx_store_close(s);
}

static const struct op lists[] = {
	{"synchronisation from empty", sync_from_empty, NULL},
	{"the same, newest first", sync_from_empty, "newest"},
	{"the same, as arrays", sync_answer, NULL},
	{"view", view, NULL},
	{"table by time", table, NULL},
	{"table of unread", table, "unread"},
	{"table restricted to half", table, "half"},
};
static const struct op questions[] = {
	{"SEARCH ALL", NULL, "SEARCH ALL"},
	{"SEARCH UNSEEN", NULL, "SEARCH UNSEEN"},
	{"SEARCH RETURN (COUNT) SUBJECT", NULL, "SEARCH RETURN (COUNT) SUBJECT a"},
	{"FETCH 1:* FLAGS", NULL, "FETCH 1:* FLAGS"},
	{"FETCH 1:* ENVELOPE", NULL, "FETCH 1:* ENVELOPE"},
};
static const struct op changes[] = {
	{"search folder of half", search_folder, "half"},
	{"folder copied", copy_folder, "a"},
	{"emptied softly", empty_folder, NULL},
	{"purged", purge_folder, NULL},
	{"emptied folder deleted", delete_folder, "a"},
	{"folder copied again", copy_folder, "a"},
	{"folder deleted with its messages", delete_folder, "a"},
};
static const struct op commands[] = {
	{"STORE 1:* +FLAGS", NULL, "STORE 1:* +FLAGS (\\Deleted)"},
	{"COPY 1:*", NULL, "COPY 1:* copy"},
	{"EXPUNGE", NULL, "EXPUNGE"},
	{"MOVE 1:* back", NULL, "MOVE"},
};
static const struct op gone[] = {{"vanished", vanished, NULL}};
static const struct op checks[] = {
	{"whole store verified", count_again, NULL},
	{"whole store checked", check, NULL},
};

static void make_copy_target(void *ctx)
{
	(void)ctx;
	log_in();
	say("a CREATE copy\r\n");
	log_out();
}

/* GX_BENCH_ONLY: beginnings of names, with commas in between. */
static bool chosen(const struct op *op)
{
	const char *only = getenv("GX_BENCH_ONLY");
	bool is = only == NULL;
	while (!is && only != NULL) {
		size_t n = strcspn(only, ",");
		is = strncmp(op->what, only, n) == 0;
		only = only[n] == ',' ? only + n + 1 : NULL;
	}
	return is;
}

static void all(void (*fn)(void *ctx), const struct op *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (chosen(&v[i]))
			scale_apart(fn, (void *)(uintptr_t)&v[i]);
}

#define ALL(fn, v) all(fn, v, sizeof(v) / sizeof((v)[0]))

int main(int argc, char **argv)
{
	struct scale_big kept;
	const char *keep;
	unsigned n = 1000000;
	scale_args(argc, argv, "memory", &n, &keep);
	scale_big(&kept, n, keep, SCALE_NO_INDEX);
	scale_big_copy(&kept, &big);
	scale_apart(make_copy_target, NULL);
	for (size = 1; size < SCALE_SIZES; size++) {
		ALL(one, lists);
		ALL(imap_command, questions);
	}
	size = SCALE_SIZES - 1;
	ALL(one, checks);
	for (size = 1; size < SCALE_SIZES; size++) {
		ALL(one, changes);
		ALL(imap_command, commands);
		ALL(one, gone);
	}
	scale_remove(big.dir);
	scale_big_done(&kept);
	return 0;
}
