/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LMTP engine, journal, pipeline and stores in one process, without sockets: messages a second,
 * CPU a message, flushes a message, and the time from the first command to the acknowledgement
 * and to the notification of a waiting client.
 * usage: bench_deliver [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "libgxproto/delivery/journal-int.h"
#include "libgxproto/smtp/smtp-int.h"

enum { USERS = 10, MAX_CONNS = 8 };

static char base[200];
static struct gx_smtp_server srv = GX_SMTP_SERVER_INIT;
static struct gx_engine_factory factory;
static char *message;
static size_t message_len;
static atomic_uint arrived;

struct conn {
	struct gx_io io;
	void *engine;
	unsigned number, messages;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool woken;
	double *ack, *seen; /* latencies, may be NULL */
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void must(int ret, const char *what)
{
	if (ret != 0) {
		fprintf(stderr, "%s: %s\n", what, gx_strerror(ret));
		exit(1);
	}
}

static void wake(struct gx_io *io)
{
	struct conn *c = io->driver;
	pthread_mutex_lock(&c->mu);
	c->woken = true;
	pthread_cond_signal(&c->cond);
	pthread_mutex_unlock(&c->mu);
}

static void drive(struct conn *c)
{
	for (;;) {
		enum gx_want w = factory.ops->step(c->engine, &c->io);
		if (w == GX_WANT_WORKER)
			w = factory.ops->work(c->engine, &c->io);
		if (w != GX_WANT_WAIT)
			break;
		pthread_mutex_lock(&c->mu);
		while (!c->woken)
			pthread_cond_wait(&c->cond, &c->mu);
		c->woken = false;
		pthread_mutex_unlock(&c->mu);
	}
}

static void say(struct conn *c, const char *p, size_t n)
{
	must(gx_iobuf_add(&c->io.in, p, n), "input");
	drive(c);
}

static void session(struct conn *c, unsigned i)
{
	char to[80];
	unsigned before = atomic_load(&arrived);
	double t0 = now();
	int n = snprintf(to, sizeof(to), "MAIL FROM:<s@example.net>\r\nRCPT TO:<u%u@example.org>\r\nDATA\r\n",
		(c->number + i) % USERS);
	gx_push_clear(&c->io.out);
	say(c, to, (size_t)n);
	say(c, message, message_len);
	gx_push_u8(&c->io.out, 0);
	if (strstr((char *)c->io.out.data, "\r\n250 2.0.0 <") == NULL) {
		fprintf(stderr, "unexpected: %s\n", (char *)c->io.out.data);
		exit(1);
	}
	if (c->ack == NULL)
		return;
	c->ack[i] = now() - t0;
	while (atomic_load(&arrived) == before)
		sched_yield();
	c->seen[i] = now() - t0;
}

static void *run_conn(void *arg)
{
	struct conn *c = arg;
	for (unsigned i = 0; i < c->messages; ++i)
		session(c, i);
	return NULL;
}

static void open_conn(struct conn *c, unsigned number, unsigned messages)
{
	*c = (struct conn){.number = number, .messages = messages};
	pthread_mutex_init(&c->mu, NULL);
	pthread_cond_init(&c->cond, NULL);
	c->io.clock = gx_clock_system();
	c->io.out_high = 1 << 20;
	c->io.driver = c;
	c->io.wake = wake;
	c->io.peer = "unix";
	c->engine = factory.new_engine(&c->io, factory.ctx);
	say(c, "LHLO bench\r\n", 12);
}

static void close_conn(struct conn *c)
{
	factory.ops->free(c->engine);
	gx_iobuf_release(&c->io.in);
	gx_push_release(&c->io.out);
}

static void on_event(const struct gx_event *ev, void *ctx)
{
	atomic_fetch_add(&arrived, 1);
}

static void await_all(unsigned n)
{
	while (atomic_load(&arrived) < n)
		usleep(200);
}

static void throughput(const char *profile, unsigned conns, unsigned messages)
{
	struct conn c[MAX_CONNS];
	pthread_t t[MAX_CONNS];
	for (unsigned i = 0; i < conns; ++i)
		open_conn(&c[i], i, messages / conns);
	unsigned before = atomic_load(&arrived);
	uint64_t flushes = gx_journal__flushes(srv.journal);
	double t0 = now(), c0 = cpu();
	for (unsigned i = 0; i < conns; ++i)
		pthread_create(&t[i], NULL, run_conn, &c[i]);
	for (unsigned i = 0; i < conns; ++i)
		pthread_join(t[i], NULL);
	double t1 = now();
	unsigned n = messages / conns * conns;
	await_all(before + n);
	double t2 = now();
	printf("{\"bench\":\"deliver\",\"profile\":\"%s\",\"conns\":%u,\"messages\":%u,\"acked_per_s\":%.0f,\"delivered_per_s\":%.0f,"
		"\"cpu_us\":%.1f,\"journal_flushes_per_msg\":%.3f}\n", profile, conns, n, n / (t1 - t0), n / (t2 - t0),
		(cpu() - c0) * 1e6 / n, (double)(gx_journal__flushes(srv.journal) - flushes) / n);
	fflush(stdout);
	for (unsigned i = 0; i < conns; ++i)
		close_conn(&c[i]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void latency(unsigned messages)
{
	struct conn c;
	open_conn(&c, 0, messages);
	c.ack = calloc(messages, sizeof(double));
	c.seen = calloc(messages, sizeof(double));
	run_conn(&c);
	qsort(c.ack, messages, sizeof(double), by_value);
	qsort(c.seen, messages, sizeof(double), by_value);
	printf("{\"bench\":\"deliver-latency\",\"messages\":%u,\"ack_ms_p50\":%.3f,\"ack_ms_p99\":%.3f,\"seen_ms_p50\":%.3f,\"seen_ms_p99\":%.3f}\n",
		messages, c.ack[messages / 2] * 1e3, c.ack[messages * 99 / 100] * 1e3, c.seen[messages / 2] * 1e3,
		c.seen[messages * 99 / 100] * 1e3);
	free(c.ack);
	free(c.seen);
	close_conn(&c);
}

/** A plain message of about 2 KB, or one with an attachment. */
static void make_message(size_t attachment)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_push_str(&p, "Return-Path: <s@example.net>\r\nReceived: from a.example.net (a.example.net [192.0.2.1])\r\n"
		"\tby mx.example.org with ESMTPS id 4Xyz\r\n\tfor <u@example.org>; Sun, 22 Nov 2026 17:10:32 +0000\r\n"
		"Message-ID: <1234567890.123@example.net>\r\nDate: Sun, 22 Nov 2026 17:10:30 +0000\r\n"
		"From: Some Sender <s@example.net>\r\nTo: The Recipient <u@example.org>\r\nSubject: About the next meeting\r\n"
		"MIME-Version: 1.0\r\n");
	if (attachment > 0)
		gx_push_str(&p, "Content-Type: multipart/mixed; boundary=\"bb\"\r\n\r\n--bb\r\n");
	gx_push_str(&p, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (int i = 0; i < 22; ++i)
		gx_push_printf(&p, "Line %d of a text that says something about work, %x and dinner.\r\n", i, i * 2654435761u);
	if (attachment > 0)
		gx_push_str(&p, "--bb\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n"
			"Content-Disposition: attachment; filename=\"a.bin\"\r\n\r\n");
	uint32_t r = 1;
	for (size_t i = 0; i < attachment; ++i) {
		r = r * 1664525 + 1013904223;
		gx_push_u8(&p, (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[r >> 26]);
		if (i % 76 == 75)
			gx_push_str(&p, "\r\n");
	}
	gx_push_str(&p, attachment > 0 ? "\r\n--bb--\r\n.\r\n" : ".\r\n");
	free(message);
	message = (char *)p.data;
	message_len = p.len;
}

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static void make_site(struct gx_store_pool **ret_pool)
{
	char path[300];
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	uint32_t id;
	d.path = path;
	snprintf(path, sizeof(path), "%s/dir.sqlite3", base);
	must(gx_dir_create(path, NULL, NULL), "directory");
	must(gx_dir_open(&d, &srv.dir, NULL, NULL), "directory");
	must(gx_dir_add_domain(srv.dir, "example.org", base, 100, &id), "domain");
	po.store.size = sizeof(po.store);
	*ret_pool = gx_store_pool_new(&po);
	for (unsigned i = 0; i < USERS; ++i) {
		char user[40];
		uint64_t sub;
		struct gx_store *s;
		struct gx_user_new u = GX_USER_NEW_INIT;
		struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
		snprintf(user, sizeof(user), "u%u@example.org", i);
		snprintf(path, sizeof(path), "%s/u%u", base, i);
		u.username = o.owner = user;
		u.password = "x";
		u.maildir = path;
		must(gx_dir_add_user(srv.dir, &u, &id), "user");
		o.owner_id = id;
		must(gx_store_create(path, &o, NULL, NULL), "store");
		must(gx_store_pool_get(*ret_pool, path, &s, NULL, NULL), "store");
		must(gx_store_subscribe(s, GX_FID_INBOX, GX_EV_NEW_MAIL, on_event, NULL, &sub), "subscribe");
	}
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4000;
	struct gx_store_pool *pool;
	char jd[300];
	snprintf(base, sizeof(base), "%s/bench_deliver.XXXXXX", argc > 2 ? argv[2] : "/tmp");
	if (n < MAX_CONNS || mkdtemp(base) == NULL) {
		fprintf(stderr, "usage: bench_deliver [MESSAGES [DIRECTORY]]\n");
		return 2;
	}
	make_site(&pool);
	snprintf(jd, sizeof(jd), "%s/journal", base);
	struct gx_journal_opts jo = GX_JOURNAL_OPTS_INIT;
	jo.dir = jd;
	must(gx_journal_open(&jo, &srv.journal, NULL, NULL), "journal");
	struct gx_delivery *delivery;
	struct gx_delivery_opts o = GX_DELIVERY_OPTS_INIT;
	o.journal = srv.journal;
	o.dir = srv.dir;
	o.pool = pool;
	must(gx_delivery_new(&o, &delivery, NULL, NULL), "delivery");
	srv.hostname = "bench";
	srv.lmtp = srv.offer_pipelining = true;
	srv.max_message = 64 << 20;
	gx_smtp_factory(&factory, &srv);
	make_message(0);
	throughput("warm-up", 8, n / 8 + 8);
	latency(n / 8);
	throughput("light", 1, n / 4);
	throughput("light", 8, n);
	make_message(90000);
	throughput("office", 8, n / 4);
	make_message(8 << 20);
	throughput("8MiB", 2, 10);
	gx_delivery_free(delivery);
	gx_journal_close(srv.journal);
	gx_dir_close(srv.dir);
	free(message);
	nftw(base, rm, 20, FTW_DEPTH | FTW_PHYS);
	return 0;
}
