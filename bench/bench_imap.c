/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IMAP engine over a store, without sockets: CPU and wall-clock time of each command.
 * Usage: bench_imap [MESSAGES]. The messages are generated: 1.5 to 20 KB, some with an attachment.
 */
#include <config.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/delivery.h>
#include "libgxproto/imap/imap-int.h"

struct meter {
	struct timespec wall, cpu;
};

static struct gx_engine_factory factory;
static struct gx_io io;
static void *engine;
static uint64_t bytes_out;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static double since(const struct timespec *t, clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

static void start(struct meter *m)
{
	clock_gettime(CLOCK_MONOTONIC, &m->wall);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &m->cpu);
	bytes_out = 0;
}

static void report(const struct meter *m, const char *what, double ops)
{
	double wall = since(&m->wall, CLOCK_MONOTONIC), cpu = since(&m->cpu, CLOCK_PROCESS_CPUTIME_ID);
	printf("{\"bench\":\"imap\",\"what\":\"%s\",\"ops\":%.0f,\"us_per_op\":%.3f,\"cpu_us_per_op\":%.3f,\"mb_per_s\":%.1f}\n", what, ops,
		wall * 1e6 / ops, cpu * 1e6 / ops, (double)bytes_out / 1e6 / wall);
	fflush(stdout);
}

static void drive(void)
{
	for (bool work = false;;) {
		enum gx_want w = work ? factory.ops->work(engine, &io) : factory.ops->step(engine, &io);
		bytes_out += io.out.len;
		if (memmem(io.out.data, io.out.len, " NO ", 4) != NULL && io.out.len < 500)
			fprintf(stderr, "%.*s", (int)io.out.len, (const char *)io.out.data);
		gx_push_clear(&io.out);
		work = w == GX_WANT_WORKER || w == GX_WANT_AGAIN;
		if (w == GX_WANT_INPUT || w == GX_WANT_CLOSE)
			return;
	}
}

static void give(const void *p, size_t n)
{
	if (gx_iobuf_add(&io.in, p, n) != 0)
		abort();
	drive();
}

static void say(const char *line)
{
	give(line, strlen(line));
}

static size_t make_message(char *out, size_t cap, unsigned i)
{
	size_t n = (size_t)snprintf(out, cap, "Received: from a.example (a.example [192.0.2.1]) by mx.example.org; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
		"From: Sender Number %u <sender%u@example.net>\r\nTo: Anna Example <anna@example.org>\r\nSubject: Report %u of the week%s\r\n"
		"Date: Mon, 23 Nov 2026 10:%02u:00 +0000\r\nMessage-ID: <%u.report@example.net>\r\nMIME-Version: 1.0\r\n",
		i % 97, i % 97, i, i % 500 == 7 ? " needle" : "", i % 60, i);
	bool attach = i % 4 == 0;
	n += (size_t)snprintf(out + n, cap - n, "%s", attach ? "Content-Type: multipart/mixed; boundary=\"bb\"\r\n\r\n--bb\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" :
		"Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (unsigned k = 0; k < 15 + i % 40; ++k)
		n += (size_t)snprintf(out + n, cap - n, "Line %u of message %u: the quick brown fox jumps over the lazy dog and on.\r\n", k, i);
	if (attach) {
		n += (size_t)snprintf(out + n, cap - n, "--bb\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		for (unsigned k = 0; k < 150; ++k) {
			for (unsigned j = 0; j < 76; ++j)
				out[n++] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(i * 31 + k * 77 + j * j * (i + 3)) % 64];
			out[n++] = '\r';
			out[n++] = '\n';
		}
		n += (size_t)snprintf(out + n, cap - n, "--bb--\r\n");
	}
	return n;
}

static void fill(unsigned count)
{
	static char text[100000], head[100];
	struct meter m;
	start(&m);
	for (unsigned i = 1; i <= count; ++i) {
		size_t n = make_message(text, sizeof(text), i);
		int h = snprintf(head, sizeof(head), "a APPEND INBOX {%zu+}\r\n", n);
		if (gx_iobuf_add(&io.in, head, (size_t)h) != 0 || gx_iobuf_add(&io.in, text, n) != 0)
			abort();
		give("\r\n", 2);
	}
	report(&m, "APPEND, durable", count);
}

static void repeat(const char *what, const char *line, unsigned times, double ops_each)
{
	struct meter m;
	say(line);
	start(&m);
	for (unsigned i = 0; i < times; ++i)
		say(line);
	report(&m, what, times * ops_each);
}

static void ranges(const char *what, const char *items, unsigned count)
{
	char line[200];
	struct meter m;
	for (int pass = 0; pass < 2; ++pass) {
		start(&m);
		for (unsigned lo = 1; lo <= count; lo += 100) {
			snprintf(line, sizeof(line), "a FETCH %u:%u %s\r\n", lo, lo + 99 < count ? lo + 99 : count, items);
			say(line);
		}
		char name[100];
		snprintf(name, sizeof(name), "%s, %s", what, pass == 0 ? "first pass" : "warm");
		report(&m, name, count);
	}
}

static void run(unsigned count)
{
	struct meter m;
	char line[100];
	say("a SELECT INBOX\r\n");
	repeat("NOOP", "a NOOP\r\n", 200000, 1);
	repeat("SELECT", "a SELECT INBOX\r\n", 2000, 1);
	ranges("FETCH FLAGS", "(UID FLAGS)", count);
	repeat("FETCH 1:* FLAGS", "a FETCH 1:* (UID FLAGS)\r\n", 20, count);
	ranges("FETCH ENVELOPE", "ENVELOPE", count);
	ranges("FETCH BODYSTRUCTURE", "BODYSTRUCTURE", count);
	ranges("FETCH header fields", "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]", count);
	ranges("FETCH BODY[1]", "BODY.PEEK[1]", count);
	ranges("FETCH BODY[]", "BODY.PEEK[]", count);
	repeat("SEARCH SUBJECT", "a SEARCH SUBJECT needle\r\n", 5, 1);
	repeat("SEARCH FROM", "a SEARCH FROM sender55@\r\n", 5, 1);
	repeat("SEARCH SENTSINCE", "a SEARCH SENTSINCE 1-Jan-2026\r\n", 5, 1);
	repeat("SEARCH BODY", "a SEARCH BODY nowhere-in-there\r\n", 2, 1);
	start(&m);
	for (unsigned i = 0; i < 2000; ++i) {
		snprintf(line, sizeof(line), "a STORE %u %cFLAGS (\\Seen)\r\n", i % count + 1, i < 1000 ? '+' : '-');
		say(line);
	}
	report(&m, "STORE one", 2000);
	start(&m);
	say("a STORE 1:* +FLAGS.SILENT (\\Flagged)\r\n");
	report(&m, "STORE 1:*", 1);
	say("a CREATE copy\r\n");
	start(&m);
	say("a COPY 1:* copy\r\n");
	report(&m, "COPY 1:*", 1);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	char root[] = "bench_imap.XXXXXX", path[100];
	const char *why = "?";
	struct gx_arena *a = gx_arena_new(0);
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_imap_server srv = GX_IMAP_SERVER_INIT;
	struct gx_user_new u = GX_USER_NEW_INIT;
	uint32_t id;
	if (mkdtemp(root) == NULL)
		return EXIT_FAILURE;
	d.path = gx_arena_printf(a, "%s/dir.sqlite3", root);
	snprintf(path, sizeof(path), "%s/box", root);
	o.owner = u.username = "anna@example.org";
	o.owner_id = 1;
	u.password = "x";
	u.maildir = path;
	p.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	if (mkdir(path, 0700) != 0 || gx_store_create(path, &o, a, &why) != 0 || gx_dir_create(d.path, a, &why) != 0 ||
	    gx_dir_open(&d, &srv.dir, a, &why) != 0 || gx_dir_add_domain(srv.dir, "example.org", root, 1, &id) != 0 ||
	    gx_dir_add_user(srv.dir, &u, &id) != 0 || (srv.pool = gx_store_pool_new(&p)) == NULL) {
		fprintf(stderr, "bench_imap: %s\n", why);
		return EXIT_FAILURE;
	}
	gx_imap_factory(&factory, &srv);
	io = (struct gx_io){.out_high = 256 * 1024, .in_max = 64 * 1024, .clock = gx_clock_system(), .peer = "-"};
	gx_push_init(&io.out, 0);
	engine = factory.new_engine(&io, factory.ctx);
	say("a LOGIN anna@example.org x\r\n");
	fill(count == 0 ? 1 : count);
	run(count == 0 ? 1 : count);
	factory.ops->free(engine);
	gx_iobuf_release(&io.in);
	gx_push_release(&io.out);
	gx_store_pool_free(srv.pool);
	gx_dir_close(srv.dir);
	gx_arena_free(a);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return EXIT_SUCCESS;
}
