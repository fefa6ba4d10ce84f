/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lmtp_load - deliver messages over LMTP (or SMTP with --smtp) on C connections.
 *   cc -O2 -o lmtp_load lmtp_load.c
 *   ./lmtp_load --to 127.0.0.1:2424 --rcpt 'u%d@bench.test' --users 10 --count 5000 --conns 8 --pack mail.pack
 * Modes: default waits for each reply; --pipeline sends MAIL+RCPT+DATA in one flight and the next
 * transaction's right behind the body (RFC 2920); --bdat N keeps N BDAT transactions in flight (RFC 3030).
 * Every message gets its own X-Bench-Seq header (--same leaves it out), so whole-file
 * single-instance stores do not collapse the load.
 */
#include "lg.h"

enum { E_BANNER, E_HELO, E_MAIL, E_RCPT, E_DATA, E_FINAL, E_QUIT };
#define QMAX 4096
struct lc { unsigned char q[QMAX]; unsigned qh, qt; uint64_t sent[256]; unsigned sh, st;
	uint64_t cur[64]; unsigned ch, ct; unsigned finals, inflight; };

static const char *addr, *rcpt = "u%d@bench.test", *from = "sender@bench.test";
static long count = 1000, next_msg, finished, errors;
static int nconns = 4, users = 1, nrcpt = 1, first_user = 1, bdat;
static bool pipeline, smtp, same;
static struct pack pk;
static struct msg *wire; /* dot-stuffed, final dot included */
static struct lat lat;
static uint64_t bytes;
static struct conn *conns;
static int ready, open_conns;
static struct phase ph;
static int server_pid;

static void expect(struct conn *c, int k)
{
	struct lc *l = c->u;
	l->q[l->qt++ % QMAX] = (unsigned char)k;
}

static void put_rcpts(struct conn *c, long i)
{
	for (int r = 0; r < nrcpt; r++) {
		char a[256];
		snprintf(a, sizeof(a), rcpt, (int)((i * nrcpt + r) % users) + first_user);
		buf_printf(&c->out, "RCPT TO:<%s>\r\n", a);
	}
}

static void put_body(struct conn *c, long i, const struct msg *m)
{
	if (!same)
		buf_printf(&c->out, "X-Bench-Seq: %012ld\r\n", i);
	buf_put(&c->out, m->p, m->n);
	bytes += m->n;
}

/* Starts the next transaction on c; false when there is none left. */
static bool begin(struct conn *c)
{
	struct lc *l = c->u;
	if (next_msg >= count)
		return false;
	long i = next_msg++;
	l->sent[l->st++ % 256] = now_ns();
	l->inflight++;
	buf_printf(&c->out, "MAIL FROM:<%s>\r\n", from);
	expect(c, E_MAIL);
	if (bdat > 0) {
		const struct msg *m = &pk.m[(size_t)i % pk.n];
		put_rcpts(c, i);
		buf_printf(&c->out, "BDAT %zu LAST\r\n", m->n + (same ? 0 : 27));
		put_body(c, i, m);
		for (int r = 0; r < nrcpt; r++)
			expect(c, E_RCPT);
		for (int r = 0; r < (smtp ? 1 : nrcpt); r++)
			expect(c, E_FINAL);
	} else {
		l->cur[l->ct++ % 64] = (uint64_t)i;
		if (pipeline) {
			put_rcpts(c, i);
			for (int r = 0; r < nrcpt; r++)
				expect(c, E_RCPT);
			buf_printf(&c->out, "DATA\r\n");
			expect(c, E_DATA);
		}
	}
	return true;
}

static void end_conn(struct conn *c)
{
	lg_close(c);
	if (--open_conns == 0)
		lg_stop = true;
}

static void reply(struct conn *c, int code, const char *line)
{
	struct lc *l = c->u;
	if (l->qh == l->qt)
		die("unexpected reply: %s", line);
	int k = l->q[l->qh++ % QMAX];
	if (k == E_DATA ? code != 354 : code / 100 != 2) {
		if (errors++ < 5)
			fprintf(stderr, "reply %d: %s\n", k, line);
		if (k != E_FINAL)
			die("cannot go on");
	}
	switch (k) {
	case E_BANNER:
		buf_printf(&c->out, "%s bench.test\r\n", smtp ? "EHLO" : "LHLO");
		expect(c, E_HELO);
		break;
	case E_HELO:
		if (++ready == nconns) {
			ph = phase_begin(server_pid);
			for (int i = 0; i < nconns; i++) {
				for (int d = 0; d < (bdat > 0 ? bdat : 1); d++)
					begin(&conns[i]);
				lg_flush(&conns[i]);
			}
		}
		break;
	case E_MAIL:
		if (!pipeline && bdat == 0) {
			put_rcpts(c, (long)l->cur[l->ch % 64]);
			for (int r = 0; r < nrcpt; r++)
				expect(c, E_RCPT);
			l->finals = 0;
		}
		break;
	case E_RCPT:
		if (!pipeline && bdat == 0 && ++l->finals == (unsigned)nrcpt) {
			buf_printf(&c->out, "DATA\r\n");
			expect(c, E_DATA);
			l->finals = 0;
		}
		break;
	case E_DATA: {
		long i = (long)l->cur[l->ch++ % 64];
		put_body(c, i, &wire[(size_t)i % pk.n]);
		for (int r = 0; r < (smtp ? 1 : nrcpt); r++)
			expect(c, E_FINAL);
		if (pipeline)
			begin(c);
		break;
	}
	case E_FINAL:
		if (++l->finals == (unsigned)(smtp ? 1 : nrcpt)) {
			l->finals = 0;
			l->inflight--;
			lat_add(&lat, (double)(now_ns() - l->sent[l->sh++ % 256]) / 1e6);
			finished++;
			if ((!pipeline || bdat > 0) && begin(c))
				break;
			if (l->inflight == 0) {
				end_conn(c);
				return;
			}
		}
		break;
	}
}

static void on_data(struct conn *c)
{
	for (;;) {
		char *p = c->in.p + c->in.off, *e = memchr(p, '\n', c->in.len - c->in.off);
		if (e == NULL)
			break;
		*e = 0;
		c->in.off += (size_t)(e - p) + 1;
		if (strlen(p) < 4 || p[3] != '-')
			reply(c, atoi(p), p);
		if (c->fd < 0)
			return;
	}
	if (c->dead)
		die("server closed connection %d", c->idx);
	lg_flush(c);
}

static void stuff(void)
{
	wire = calloc(pk.n, sizeof(*wire));
	for (size_t i = 0; i < pk.n; i++) {
		struct buf b = {0};
		const char *s = pk.m[i].p, *end = s + pk.m[i].n;
		while (s < end) {
			const char *nl = memchr(s, '\n', (size_t)(end - s));
			const char *le = nl != NULL ? nl + 1 : end;
			if (*s == '.')
				buf_put(&b, ".", 1);
			buf_put(&b, s, (size_t)(le - s));
			s = le;
		}
		if (b.len < 2 || memcmp(b.p + b.len - 2, "\r\n", 2) != 0)
			buf_put(&b, "\r\n", 2);
		buf_put(&b, ".\r\n", 3);
		wire[i] = (struct msg){b.p, b.len};
	}
}

int main(int argc, char **argv)
{
	static const struct option o[] = {{"to", 1, 0, 't'}, {"rcpt", 1, 0, 'r'}, {"users", 1, 0, 'u'},
		{"count", 1, 0, 'n'}, {"conns", 1, 0, 'c'}, {"pack", 1, 0, 'p'}, {"median", 1, 0, 'm'},
		{"sigma", 1, 0, 's'}, {"nrcpt", 1, 0, 'R'}, {"from", 1, 0, 'f'}, {"pipeline", 0, 0, 'P'},
		{"bdat", 1, 0, 'B'}, {"smtp", 0, 0, 'S'}, {"same", 0, 0, 'M'}, {"server-pid", 1, 0, 'x'},
		{"first-user", 1, 0, 'F'}, {0}};
	const char *pack = NULL;
	double median = 8000, sigma = 1.2;
	for (int k; (k = getopt_long(argc, argv, "", o, NULL)) != -1;) {
		switch (k) {
		case 't': addr = optarg; break;
		case 'r': rcpt = optarg; break;
		case 'u': users = atoi(optarg); break;
		case 'n': count = atol(optarg); break;
		case 'c': nconns = atoi(optarg); break;
		case 'p': pack = optarg; break;
		case 'm': median = atof(optarg); break;
		case 's': sigma = atof(optarg); break;
		case 'R': nrcpt = atoi(optarg); break;
		case 'f': from = optarg; break;
		case 'P': pipeline = true; break;
		case 'B': bdat = atoi(optarg); break;
		case 'S': smtp = true; break;
		case 'M': same = true; break;
		case 'x': server_pid = atoi(optarg); break;
		case 'F': first_user = atoi(optarg); break;
		default: return 2;
		}
	}
	if (addr == NULL || nconns < 1 || nrcpt > 64 || bdat > 64)
		die("usage: see the head of lmtp_load.c");
	if (bdat > 0)
		pipeline = false;
	if (nconns > count)
		nconns = (int)count;
	pk = pack != NULL ? pack_load(pack) : pack_synth(2000, median, sigma, 1);
	stuff();
	conns = calloc((size_t)nconns, sizeof(*conns));
	open_conns = nconns;
	for (int i = 0; i < nconns; i++) {
		conns[i].idx = i;
		conns[i].u = calloc(1, sizeof(struct lc));
		conns[i].fd = lg_dial(addr);
		expect(&conns[i], E_BANNER);
		lg_add(&conns[i]);
	}
	lg_run(on_data, 120000, NULL);
	char extra[256];
	snprintf(extra, sizeof(extra), ",\"conns\":%d,\"mode\":\"%s\",\"avg_bytes\":%.0f", nconns,
	    bdat > 0 ? "bdat" : pipeline ? "pipeline" : "plain", finished ? (double)bytes / (double)finished : 0);
	phase_end(&ph, "lmtp_load", smtp ? "smtp" : "lmtp", (uint64_t)finished, bytes, (uint64_t)errors, &lat, extra);
	return errors != 0;
}
