/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap_load - IMAP request rates and latencies.
 *   cc -O2 -o imap_load imap_load.c
 *   ./imap_load --to 127.0.0.1:1143 --user u%d@bench.test --pass secret --mailbox INBOX \
 *       --tests select,envelope,body,one,search-subject,search-body,store,append,idle
 * One JSON line per test. --conns C connections (user number = --first-user + i % --users), --depth D
 * commands in flight on each, --chunk K messages per ranged FETCH (0: one 1:* command), --count N
 * operations for the tests that are not one pass over the mailbox, --rounds R passes.
 *
 * select    SELECT again and again           noop       NOOP round trips
 * envelope  FETCH (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE), whole mailbox
 * flags     FETCH (UID FLAGS)                headers    FETCH header fields a client lists with
 * structure FETCH (UID BODYSTRUCTURE)        body       FETCH (BODY.PEEK[])
 * one       FETCH one random message whole   part       FETCH one random BODY.PEEK[1]
 * search-*  subject|from|text|body|since|unseen|hdr (--needle)   sort  SORT (DATE)   thread  THREAD
 * store     +FLAGS.SILENT on one message     store-all  1:* at once, back and forth
 * append    APPEND from --pack (--literal sync|plus)             copy  COPY --chunk messages to --dest
 * login     connect + LOGIN + SELECT + LOGOUT, --conns at a time
 * idle      --conns connections in IDLE; one more APPENDs --count times; time till each one heard
 */
#include "lg.h"

#define QMAX 1024
struct ic { struct { uint64_t t0; unsigned ops; } q[QMAX]; unsigned qh, qt; size_t lit; bool cont;
	unsigned tag; bool in_append; long app; int phase; uint64_t t0; unsigned long exists; bool heard; };

static const char *addr, *user = "u%d@bench.test", *pass = "secret", *mailbox = "INBOX", *dest = "Copies",
	*needle = "quarter", *pack;
static int nconns = 1, users = 1, first_user = 1, depth = 1, chunk = 100, rounds = 1, server_pid;
static long count = 1000, interval_us = 20000;
static bool lit_plus = true;
static struct pack pk;
static struct conn *conns;
static unsigned long exists;
static uint64_t seed = 7;

/* the test now running */
static const char *test;
static long issued, total_ops, done_ops, errors, started;
static uint64_t bytes, items, hits;
static struct lat lat;
static long cursor;
static int round_no, idle_conns;

static bool next_cmd(struct conn *c);

static void send_tagged(struct conn *c, unsigned ops)
{
	struct ic *s = c->u;
	s->q[s->qt % QMAX].t0 = now_ns();
	s->q[s->qt++ % QMAX].ops = ops;
	issued++;
}

static bool range_cmd(struct conn *c, const char *what)
{
	struct ic *s = c->u;
	long n = (long)exists, step = chunk > 0 ? chunk : n;
	if (cursor >= n) {
		if (++round_no >= rounds)
			return false;
		cursor = 0;
	}
	long lo = cursor + 1, hi = cursor + step < n ? cursor + step : n;
	cursor = hi;
	buf_printf(&c->out, "a%u FETCH %ld:%ld %s\r\n", s->tag++, lo, hi, what);
	send_tagged(c, (unsigned)(hi - lo + 1));
	return true;
}

static bool next_cmd(struct conn *c)
{
	struct ic *s = c->u;
	unsigned long r = 1 + rng_next(&seed) % (exists ? exists : 1);
	if (strcmp(test, "envelope") == 0)
		return range_cmd(c, "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)");
	if (strcmp(test, "flags") == 0)
		return range_cmd(c, "(UID FLAGS)");
	if (strcmp(test, "headers") == 0)
		return range_cmd(c, "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date "
		    "Message-ID References Content-Type)])");
	if (strcmp(test, "structure") == 0)
		return range_cmd(c, "(UID BODYSTRUCTURE)");
	if (strcmp(test, "body") == 0)
		return range_cmd(c, "(UID BODY.PEEK[])");
	if (started >= count)
		return false;
	long i = started++;
	unsigned ops = 1;
	if (strcmp(test, "select") == 0)
		buf_printf(&c->out, "a%u SELECT \"%s\"\r\n", s->tag++, mailbox);
	else if (strcmp(test, "noop") == 0)
		buf_printf(&c->out, "a%u NOOP\r\n", s->tag++);
	else if (strcmp(test, "one") == 0)
		buf_printf(&c->out, "a%u FETCH %lu (UID BODY.PEEK[])\r\n", s->tag++, r);
	else if (strcmp(test, "part") == 0)
		buf_printf(&c->out, "a%u FETCH %lu (UID BODY.PEEK[1])\r\n", s->tag++, r);
	else if (strcmp(test, "search-subject") == 0)
		buf_printf(&c->out, "a%u SEARCH SUBJECT \"%s\"\r\n", s->tag++, needle);
	else if (strcmp(test, "search-from") == 0)
		buf_printf(&c->out, "a%u SEARCH FROM \"%s\"\r\n", s->tag++, needle);
	else if (strcmp(test, "search-hdr") == 0)
		buf_printf(&c->out, "a%u SEARCH HEADER Message-ID \"%s\"\r\n", s->tag++, needle);
	else if (strcmp(test, "search-text") == 0)
		buf_printf(&c->out, "a%u SEARCH TEXT \"%s\"\r\n", s->tag++, needle);
	else if (strcmp(test, "search-body") == 0)
		buf_printf(&c->out, "a%u SEARCH BODY \"%s\"\r\n", s->tag++, needle);
	else if (strcmp(test, "search-since") == 0)
		buf_printf(&c->out, "a%u SEARCH SENTSINCE 1-Jun-2023\r\n", s->tag++);
	else if (strcmp(test, "search-unseen") == 0)
		buf_printf(&c->out, "a%u SEARCH UNSEEN\r\n", s->tag++);
	else if (strcmp(test, "sort") == 0)
		buf_printf(&c->out, "a%u SORT (DATE) UTF-8 ALL\r\n", s->tag++);
	else if (strcmp(test, "thread") == 0)
		buf_printf(&c->out, "a%u THREAD REFERENCES UTF-8 ALL\r\n", s->tag++);
	else if (strcmp(test, "store") == 0)
		buf_printf(&c->out, "a%u STORE %lu %cFLAGS.SILENT (\\Answered)\r\n", s->tag++, r, i & 1 ? '-' : '+');
	else if (strcmp(test, "store-all") == 0) {
		buf_printf(&c->out, "a%u STORE 1:* %cFLAGS.SILENT (\\Flagged)\r\n", s->tag++, i & 1 ? '-' : '+');
		ops = (unsigned)exists;
	} else if (strcmp(test, "copy") == 0) {
		long k = chunk > 0 && (unsigned long)chunk < exists ? chunk : (long)exists;
		unsigned long lo = 1 + rng_next(&seed) % (exists - (unsigned long)k + 1);
		buf_printf(&c->out, "a%u COPY %lu:%lu \"%s\"\r\n", s->tag++, lo, lo + (unsigned long)k - 1, dest);
		ops = (unsigned)k;
	} else if (strcmp(test, "append") == 0) {
		const struct msg *m = &pk.m[(size_t)i % pk.n];
		buf_printf(&c->out, "a%u APPEND \"%s\" {%zu%s}\r\n", s->tag++, mailbox, m->n, lit_plus ? "+" : "");
		if (lit_plus) {
			buf_put(&c->out, m->p, m->n);
			buf_put(&c->out, "\r\n", 2);
		} else {
			s->in_append = true;
			s->app = i;
		}
		bytes += m->n;
	} else {
		die("unknown test %s", test);
	}
	send_tagged(c, ops);
	return true;
}

static void fill(struct conn *c)
{
	struct ic *s = c->u;
	while ((int)(s->qt - s->qh) < depth && next_cmd(c))
		;
	lg_flush(c);
}

static void tagged(struct conn *c, const char *l)
{
	struct ic *s = c->u;
	if (s->qh == s->qt)
		die("unexpected tagged reply: %s", l);
	const char *sp = strchr(l, ' ');
	if (sp == NULL || strncmp(sp + 1, "OK", 2) != 0) {
		if (errors++ < 3)
			fprintf(stderr, "%s: %s\n", test != NULL ? test : "setup", l);
	}
	lat_add(&lat, (double)(now_ns() - s->q[s->qh % QMAX].t0) / 1e6);
	done_ops += s->q[s->qh % QMAX].ops;
	s->qh++;
	total_ops++;
}

static void untagged(struct conn *c, const char *l)
{
	struct ic *s = c->u;
	if (strncmp(l, "* SEARCH", 8) == 0) {
		hits = 0;
		for (const char *p = l + 8; *p != 0; p++)
			hits += *p == ' ' && isdigit((unsigned char)p[1]);
		return;
	}
	char *e;
	unsigned long n = strtoul(l + 2, &e, 10);
	if (e == l + 2 || *e != ' ')
		return;
	if (strncmp(e + 1, "EXISTS", 6) == 0)
		s->exists = n;
	else if (strncmp(e + 1, "FETCH", 5) == 0)
		items++;
}

/* Splits c->in into response lines, hopping over literals; f gets the first line of each response. */
static void parse(struct conn *c, void (*tag)(struct conn *, const char *), void (*cont)(struct conn *))
{
	struct ic *s = c->u;
	for (;;) {
		size_t have = c->in.len - c->in.off;
		if (s->lit > 0) {
			size_t k = have < s->lit ? have : s->lit;
			c->in.off += k;
			s->lit -= k;
			bytes += k;
			if (s->lit > 0)
				return;
			continue;
		}
		char *p = c->in.p + c->in.off, *e = memchr(p, '\n', have);
		if (e == NULL)
			return;
		c->in.off += (size_t)(e - p) + 1;
		bytes += (size_t)(e - p) + 1;
		char *t = e;
		*e = 0;
		if (t > p && t[-1] == '\r')
			*--t = 0;
		bool was_cont = s->cont;
		s->cont = false;
		if (t > p && t[-1] == '}') {
			char *b = memrchr(p, '{', (size_t)(t - p));
			if (b != NULL) {
				s->lit = strtoul(b + 1, NULL, 10);
				s->cont = true;
			}
		}
		if (was_cont)
			continue;
		if (*p == '*')
			untagged(c, p);
		else if (*p == '+') {
			if (cont != NULL)
				cont(c);
		} else
			tag(c, p);
		if (c->fd < 0)
			return;
	}
}

static void on_cont(struct conn *c)
{
	struct ic *s = c->u;
	if (!s->in_append)
		return;
	const struct msg *m = &pk.m[(size_t)s->app % pk.n];
	buf_put(&c->out, m->p, m->n);
	buf_put(&c->out, "\r\n", 2);
	s->in_append = false;
}

static void test_data(struct conn *c)
{
	struct ic *s = c->u;
	parse(c, tagged, on_cont);
	if (c->dead)
		die("%s: server closed connection %d", test, c->idx);
	fill(c);
	if (s->qh == s->qt && total_ops == issued)
		lg_stop = true;
}

/* ---- setup: banner, LOGIN, SELECT; also the whole cycle of the login test ---- */
static int setup_left;
static bool cycle;
static void setup_tag(struct conn *c, const char *l)
{
	struct ic *s = c->u;
	const char *sp = strchr(l, ' ');
	if (sp == NULL || strncmp(sp + 1, "OK", 2) != 0)
		die("login/select: %s", l);
	if (s->phase == 1) {
		buf_printf(&c->out, "s2 SELECT \"%s\"\r\n", mailbox);
		s->phase = 2;
	} else if (s->phase == 2) {
		s->phase = 3;
		if (cycle)
			buf_printf(&c->out, "s3 LOGOUT\r\n");
		else if (--setup_left == 0)
			lg_stop = true;
	}
}

static void start_conn(struct conn *c)
{
	struct ic *s = c->u;
	memset(s, 0, sizeof(*s));
	s->t0 = now_ns();
	c->fd = lg_dial(addr);
	lg_add(c);
	buf_printf(&c->out, "s1 LOGIN \"");
	buf_printf(&c->out, user, first_user + c->idx % users);
	buf_printf(&c->out, "\" \"%s\"\r\n", pass);
	s->phase = -1;
}

static void setup_data(struct conn *c)
{
	struct ic *s = c->u;
	if (s->phase == -1 && c->in.len > c->in.off)
		s->phase = 1;
	parse(c, setup_tag, NULL);
	if (c->dead) {
		if (!cycle || s->phase != 3)
			die("connection %d closed during login", c->idx);
		lat_add(&lat, (double)(now_ns() - s->t0) / 1e6);
		done_ops++;
		lg_close(c);
		if (started < count) {
			started++;
			start_conn(c);
		} else if (done_ops == count) {
			lg_stop = true;
			return;
		} else {
			return;
		}
	}
	lg_flush(c);
}

static void connect_all(int n)
{
	setup_left = n;
	cycle = false;
	for (int i = 0; i < n; i++) {
		start_conn(&conns[i]);
		/* logins in steps: a server forks or hashes a password for each */
		if (i % 64 == 63 || i == n - 1) {
			int left = n - 1 - i;
			setup_left -= left;
			lg_run(setup_data, 60000, NULL);
			setup_left = left;
		}
	}
	exists = ((struct ic *)conns[0].u)->exists;
}

/* ---- idle fan-out ---- */
static int idle_ready, idle_heard;
static bool posted;
static uint64_t post_t0, post_ok;
static struct lat lat_ok;
static unsigned long idle_target;
static struct conn *poster;

static void idle_tag(struct conn *c, const char *l)
{
	if (c == poster) {
		if (strstr(l, " OK") == NULL)
			die("idle: %s", l);
		posted = true;
		post_ok = now_ns();
	}
}
static void idle_cont(struct conn *c)
{
	if (c != poster && --idle_ready == 0)
		lg_stop = true;
}
static void idle_data(struct conn *c)
{
	struct ic *s = c->u;
	unsigned long before = s->exists;
	parse(c, idle_tag, idle_cont);
	if (c->dead)
		die("idle: connection %d closed", c->idx);
	if (c != poster && s->exists > before && !s->heard && s->exists >= idle_target) {
		s->heard = true;
		idle_heard++;
		lat_add(&lat, (double)(now_ns() - post_t0) / 1e6);
		lat_add(&lat_ok, posted ? (double)(now_ns() - post_ok) / 1e6 : 0);
	}
	if (posted && idle_heard == idle_conns)
		lg_stop = true;
}

static void run_idle(void)
{
	poster = &conns[nconns];
	idle_conns = nconns;
	idle_ready = nconns;
	for (int i = 0; i < nconns; i++) {
		buf_printf(&conns[i].out, "i IDLE\r\n");
		lg_flush(&conns[i]);
	}
	lg_run(idle_data, 30000, NULL);
	unsigned long base = ((struct ic *)conns[0].u)->exists;
	struct phase ph = phase_begin(server_pid);
	for (long i = 0; i < count; i++) {
		for (int k = 0; k < nconns; k++)
			((struct ic *)conns[k].u)->heard = false;
		idle_heard = 0;
		posted = false;
		idle_target = base + (unsigned long)i + 1;
		static const char m[] = "From: a@bench.test\r\nSubject: idle\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000"
			"\r\n\r\nhello\r\n";
		buf_printf(&poster->out, "p%ld APPEND \"%s\" {%zu+}\r\n%s\r\n", i, mailbox, sizeof(m) - 1, m);
		post_t0 = now_ns();
		lg_flush(poster);
		lg_run(idle_data, 30000, NULL);
		if (interval_us > 0)
			usleep((useconds_t)interval_us);
	}
	char extra[160];
	snprintf(extra, sizeof(extra), ",\"conns\":%d,\"after_ok_p50_ms\":%.3f,\"after_ok_p99_ms\":%.3f", nconns,
	    lat_pct(&lat_ok, 50), lat_pct(&lat_ok, 99));
	phase_end(&ph, "imap_load", "idle", (uint64_t)(count * nconns), 0, 0, &lat, extra);
}

static void run_test(void)
{
	issued = total_ops = done_ops = errors = started = 0;
	bytes = items = hits = 0;
	cursor = 0;
	round_no = 0;
	lat.n = 0;
	struct phase ph = phase_begin(server_pid);
	for (int i = 0; i < nconns; i++)
		fill(&conns[i]);
	if (issued > 0)
		lg_run(test_data, 600000, NULL);
	char extra[160];
	snprintf(extra, sizeof(extra), ",\"conns\":%d,\"depth\":%d,\"exists\":%lu,\"items\":%llu,\"hits\":%llu,"
	    "\"cmds\":%ld", nconns, depth, exists, (unsigned long long)items, (unsigned long long)hits, total_ops);
	phase_end(&ph, "imap_load", test, (uint64_t)done_ops, bytes, (uint64_t)errors, &lat, extra);
}

int main(int argc, char **argv)
{
	static const struct option o[] = {{"to", 1, 0, 't'}, {"user", 1, 0, 'u'}, {"pass", 1, 0, 'p'},
		{"mailbox", 1, 0, 'm'}, {"dest", 1, 0, 'd'}, {"needle", 1, 0, 'N'}, {"pack", 1, 0, 'P'},
		{"conns", 1, 0, 'c'}, {"users", 1, 0, 'U'}, {"first-user", 1, 0, 'F'}, {"depth", 1, 0, 'D'},
		{"chunk", 1, 0, 'k'}, {"rounds", 1, 0, 'r'}, {"count", 1, 0, 'n'}, {"tests", 1, 0, 'T'},
		{"literal", 1, 0, 'L'}, {"server-pid", 1, 0, 'x'}, {"interval-us", 1, 0, 'I'}, {0}};
	char *tests = strdup("select,envelope,body");
	for (int k; (k = getopt_long(argc, argv, "", o, NULL)) != -1;) {
		switch (k) {
		case 't': addr = optarg; break;
		case 'u': user = optarg; break;
		case 'p': pass = optarg; break;
		case 'm': mailbox = optarg; break;
		case 'd': dest = optarg; break;
		case 'N': needle = optarg; break;
		case 'P': pack = optarg; break;
		case 'c': nconns = atoi(optarg); break;
		case 'U': users = atoi(optarg); break;
		case 'F': first_user = atoi(optarg); break;
		case 'D': depth = atoi(optarg); break;
		case 'k': chunk = atoi(optarg); break;
		case 'r': rounds = atoi(optarg); break;
		case 'n': count = atol(optarg); break;
		case 'T': tests = strdup(optarg); break;
		case 'L': lit_plus = strcmp(optarg, "sync") != 0; break;
		case 'x': server_pid = atoi(optarg); break;
		case 'I': interval_us = atol(optarg); break;
		default: return 2;
		}
	}
	if (addr == NULL || nconns < 1 || depth < 1 || depth > QMAX)
		die("usage: see the head of imap_load.c");
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	bool has_idle = strstr(tests, "idle") != NULL;
	conns = calloc((size_t)nconns + 1, sizeof(*conns));
	for (int i = 0; i <= nconns; i++) {
		conns[i].idx = i;
		conns[i].fd = -1;
		conns[i].u = calloc(1, sizeof(struct ic));
	}
	pk = pack != NULL ? pack_load(pack) : pack_synth(500, 4000, 1, 3);
	bool up = false;
	for (char *t = strtok(tests, ","); t != NULL; t = strtok(NULL, ",")) {
		test = t;
		if (strcmp(t, "login") == 0) {
			lat.n = 0;
			done_ops = 0;
			setup_left = 0;
			cycle = true;
			started = nconns < count ? nconns : count;
			if (up)
				die("put login first");
			struct phase ph = phase_begin(server_pid);
			for (int i = 0; i < started && i < nconns; i++)
				start_conn(&conns[i]);
			lg_run(setup_data, 60000, NULL);
			char extra[64];
			snprintf(extra, sizeof(extra), ",\"conns\":%d", nconns);
			phase_end(&ph, "imap_load", "login", (uint64_t)done_ops, 0, 0, &lat, extra);
			cycle = false;
			continue;
		}
		if (!up) {
			struct phase ph = phase_begin(server_pid);
			uint64_t before = now_ns();
			connect_all(nconns + (has_idle ? 1 : 0));
			struct lat l0 = {0};
			lat_add(&l0, (double)(now_ns() - before) / 1e6);
			phase_end(&ph, "imap_load", "connect+login+select", (uint64_t)nconns, 0, 0, &l0, NULL);
			up = true;
		}
		if (strcmp(t, "idle") == 0)
			run_idle();
		else
			run_test();
	}
	return errors != 0;
}
