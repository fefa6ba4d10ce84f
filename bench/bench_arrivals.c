/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New mail reaches a client that waits, through a running server: mail goes in by LMTP at random gaps, the client is in
 * NotificationWait over HTTPS. Prints how long it took from the 250 of LMTP, and from the end of the mail, until the client
 * knew, and until it had been told what it is. usage: bench_arrivals URL USER DN CACERT LMTP-PORT COUNT; the password in GX_PASSWORD
 */
#include <config.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <gx/mapi_client.h>

enum { GAP_US = 30000, LOST_S = 20, SLOW_MS = 100 };

static const char *rcpt;
static int lmtp = -1;
static size_t count;
static double *from_end, *from_ack, *to_event; /* milliseconds */
static _Atomic(double) ended, acked;
static sem_t seen;

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e6;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_arrivals: %s: %s\n", what, why);
	exit(1);
}

/* ---- Delivery ---- */

static void expect(const char *code)
{
	char line[2000];
	size_t n = 0;
	do {
		ssize_t k = read(lmtp, line + n, sizeof(line) - 1 - n);
		if (k <= 0)
			die("LMTP", "connection lost");
		n += (size_t)k;
		line[n] = '\0';
		char *last = line; /* of several lines the last has no "-" */
		for (char *p = line; (p = strchr(p, '\n')) != NULL && p[1] != '\0';)
			last = ++p;
		if (line[n - 1] == '\n' && last[3] != '-') {
			if (strncmp(last, code, 3) != 0)
				die("LMTP", last);
			return;
		}
	} while (n < sizeof(line) - 1);
	die("LMTP", "a long line");
}

static void say(const char *text, const char *code)
{
	if (write(lmtp, text, strlen(text)) != (ssize_t)strlen(text))
		die("LMTP", "connection lost");
	expect(code);
}

static void lmtp_open(unsigned port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	lmtp = socket(AF_INET, SOCK_STREAM, 0);
	if (lmtp < 0 || connect(lmtp, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		die("LMTP", "no connection");
	(void)setsockopt(lmtp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	expect("220");
	say("LHLO bench.example.net\r\n", "250");
}

/* The next one goes when the client has been told of this. */
static void *deliver(void *ctx)
{
	unsigned seed = 7;
	char line[300];
	(void)ctx;
	for (size_t i = 0; i < count; ++i) {
		struct timespec gap = {0, (long)(rand_r(&seed) % GAP_US) * 1000}, end;
		(void)nanosleep(&gap, NULL);
		say("MAIL FROM:<ann@example.net>\r\n", "250");
		snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", rcpt);
		say(line, "250");
		say("DATA\r\n", "354");
		snprintf(line, sizeof(line), "From: ann@example.net\r\nSubject: arrival %zu\r\n\r\nhello\r\n.\r\n", i);
		atomic_store(&acked, 0);
		atomic_store(&ended, now());
		say(line, "250");
		atomic_store(&acked, now());
		(void)clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += LOST_S;
		if (sem_timedwait(&seen, &end) != 0)
			die("an arrival", "was lost");
	}
	return NULL;
}

/* ---- The client ---- */

static void must(struct gx_mapi *c, gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		die(what, gx_mapi_error(c)->text);
}

/* @return whether one of them was new mail. */
static bool take_events(struct gx_mapi *c, struct gx_arena *a)
{
	struct gx_mapi_event e;
	bool any = true, mail = false;
	while (any) {
		must(c, gx_mapi_event(c, a, &e, &any), "event");
		mail |= any && e.type == GX_MAPI_EV_NEW_MAIL;
	}
	return mail;
}

static void watch(struct gx_mapi *c)
{
	struct gx_arena *a = gx_arena_new(0);
	for (size_t i = 0; i < count;) {
		bool pending = false;
		must(c, gx_mapi_wait(c, 60000, &pending), "NotificationWait");
		double woken = now();
		bool mail = pending && take_events(c, a);
		gx_arena_reset(a);
		if (!mail)
			continue;
		double ack = atomic_load(&acked), told = now();
		from_end[i] = woken - atomic_load(&ended);
		from_ack[i] = ack == 0 || ack > woken ? 0 : woken - ack; /* often it is told before LMTP is */
		to_event[i] = told - atomic_load(&ended);
		if (from_end[i] > SLOW_MS)
			fprintf(stderr, "bench_arrivals: arrival %zu: %.1f ms from its end, %.1f ms from the answer to it\n", i, from_end[i], from_ack[i]);
		++i;
		sem_post(&seen);
	}
	gx_arena_free(a);
}

static int by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;
	return (*a > *b) - (*a < *b);
}

static void row(const char *what, double *v)
{
	qsort(v, count, sizeof(v[0]), by_value);
	printf("{\"bench\": \"arrivals\", \"test\": \"%s\", \"arrivals\": %zu, \"lost\": 0, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, "
		"\"max_ms\": %.3f}\n", what, count, v[count / 2], v[count * 99 / 100], v[count * 999 / 1000], v[count - 1]);
}

int main(int argc, char **argv)
{
	struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
	struct gx_mapi *c;
	struct gx_mapi_obj *store, *sub;
	const char *why = "";
	pthread_t sender;
	if (argc != 7 || (count = strtoul(argv[6], NULL, 10)) == 0)
		die("usage", "bench_arrivals URL USER DN CACERT LMTP-PORT COUNT");
	o.url = argv[1];
	o.user = rcpt = argv[2];
	o.user_dn = argv[3];
	o.ca_file = argv[4];
	o.password = getenv("GX_PASSWORD");
	from_end = calloc(count, sizeof(double));
	from_ack = calloc(count, sizeof(double));
	to_event = calloc(count, sizeof(double));
	if (from_end == NULL || from_ack == NULL || to_event == NULL || sem_init(&seen, 0, 0) != 0 || gx_mapi_new(&o, &c, &why) != 0)
		die("start", why);
	must(c, gx_mapi_connect(c, NULL), "connect");
	must(c, gx_mapi_logon(c, NULL, &store), "logon");
	must(c, gx_mapi_subscribe(store, GX_MAPI_EV_NEW_MAIL, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &sub), "subscribe");
	lmtp_open((unsigned)strtoul(argv[5], NULL, 10));
	if (pthread_create(&sender, NULL, deliver, NULL) != 0)
		die("start", "no thread");
	watch(c);
	(void)pthread_join(sender, NULL);
	row("from the end of the mail to the wake-up", from_end);
	row("from the answer of LMTP to the wake-up", from_ack);
	row("from the end of the mail to the event", to_event);
	gx_mapi_close(sub);
	gx_mapi_close(store);
	gx_mapi_free(c);
	return 0;
}
