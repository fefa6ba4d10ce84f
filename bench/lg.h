/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lg.h - what the load generators share: clock, percentiles, growing buffers,
 * message packs, epoll connections, and CPU time of a server's process tree.
 * Header only; each generator is one .c file that includes it.
 */
#ifndef LG_H
#define LG_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LG_UNUSED __attribute__((unused))

static LG_UNUSED void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t rng_next(uint64_t *s) /* splitmix64 */
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---- latencies ---- */
struct lat { double *v; size_t n, cap; bool sorted; };

static LG_UNUSED void lat_add(struct lat *l, double ms)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4096;
		l->v = realloc(l->v, l->cap * sizeof(*l->v));
		if (l->v == NULL)
			die("out of memory");
	}
	l->v[l->n++] = ms;
	l->sorted = false;
}

static int lat_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static LG_UNUSED double lat_pct(struct lat *l, double p)
{
	if (l->n == 0)
		return 0;
	if (!l->sorted) {
		qsort(l->v, l->n, sizeof(*l->v), lat_cmp);
		l->sorted = true;
	}
	size_t i = (size_t)(p / 100.0 * (double)(l->n - 1) + 0.5);
	return l->v[i];
}

/* ---- growing byte buffer; [off, len) is unread ---- */
struct buf { char *p; size_t off, len, cap; };

static inline void buf_need(struct buf *b, size_t add)
{
	if (b->off == b->len)
		b->off = b->len = 0;
	if (b->len + add <= b->cap)
		return;
	if (b->off > 0) {
		memmove(b->p, b->p + b->off, b->len - b->off);
		b->len -= b->off;
		b->off = 0;
	}
	if (b->len + add > b->cap) {
		size_t nc = b->cap ? b->cap : 4096;
		while (nc < b->len + add)
			nc *= 2;
		b->p = realloc(b->p, nc);
		if (b->p == NULL)
			die("out of memory");
		b->cap = nc;
	}
}

static inline void buf_put(struct buf *b, const void *d, size_t n)
{
	buf_need(b, n);
	memcpy(b->p + b->len, d, n);
	b->len += n;
}

static LG_UNUSED __attribute__((format(printf, 2, 3)))
void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	buf_need(b, 1024);
	va_start(ap, fmt);
	int n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n >= (int)(b->cap - b->len)) {
		buf_need(b, (size_t)n + 1);
		va_start(ap, fmt);
		n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

/* ---- message packs (corpus.py --format pack): u32 little-endian length + bytes ---- */
struct msg { const char *p; size_t n; };
struct pack { struct msg *m; size_t n; size_t bytes; };

static LG_UNUSED struct pack pack_load(const char *file)
{
	struct pack k = {0};
	FILE *f = fopen(file, "rb");
	if (f == NULL)
		die("%s: %s", file, strerror(errno));
	unsigned char h[4];
	size_t cap = 0;
	while (fread(h, 1, 4, f) == 4) {
		size_t n = h[0] | h[1] << 8 | h[2] << 16 | (size_t)h[3] << 24;
		char *p = malloc(n + 1);
		if (p == NULL || fread(p, 1, n, f) != n)
			die("%s: short pack", file);
		p[n] = 0;
		if (k.n == cap) {
			cap = cap ? cap * 2 : 1024;
			k.m = realloc(k.m, cap * sizeof(*k.m));
		}
		k.m[k.n++] = (struct msg){p, n};
		k.bytes += n;
	}
	fclose(f);
	if (k.n == 0)
		die("%s: empty pack", file);
	return k;
}

/* What corpus.py of the tree named by the environment makes. */
static LG_UNUSED struct pack pack_made(const char *profile, unsigned count)
{
	char file[] = "/tmp/gx-packXXXXXX", command[8192];
	const char *top = getenv("top_srcdir"), *python = getenv("PYTHON");
	int fd = mkstemp(file);
	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	close(fd);
	snprintf(command, sizeof(command), "%s '%s/bench/corpus.py' --profile %s --n %u --out '%s'",
	    python == NULL ? "python3" : python, top == NULL ? "." : top, profile, count, file);
	if (system(command) != 0) {
		unlink(file);
		die("cannot make a pack: %s", command);
	}
	struct pack k = pack_load(file);
	unlink(file);
	return k;
}

static LG_UNUSED void pack_free(struct pack *k)
{
	for (size_t i = 0; i < k->n; i++)
		free((void *)(uintptr_t)k->m[i].p);
	free(k->m);
}

/* Messages without a pack: log-normal sizes, plain text, CRLF. */
static LG_UNUSED struct pack pack_synth(size_t count, double median, double sigma, uint64_t seed)
{
	static const char *const w[] = {"the", "report", "meeting", "quarter", "budget", "please",
		"and", "of", "attached", "review", "customer", "schedule", "to", "in", "update", "plan"};
	struct pack k = {.m = calloc(count, sizeof(struct msg)), .n = count};
	for (size_t i = 0; i < count; i++) {
		double z = -6;	/* sum of 12 uniforms: near normal, no libm */
		for (int j = 0; j < 12; j++)
			z += (double)(rng_next(&seed) >> 11) / 9007199254740992.0;
		double e = sigma * z, x = 1, t = 1; /* exp by series: |e| is small */
		for (int j = 1; j < 40; j++) {
			t *= e / j;
			x += t;
		}
		size_t want = (size_t)(median * x);
		if (want < 300)
			want = 300;
		if (want > 32u << 20)
			want = 32u << 20;
		struct buf b = {0};
		buf_printf(&b, "From: a@bench.test\r\nTo: b@bench.test\r\nSubject: synthetic %zu\r\n"
		    "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nMessage-ID: <s%zu@bench.test>\r\n"
		    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", i, i);
		size_t col = 0;
		while (b.len < want) {
			const char *s = w[rng_next(&seed) & 15];
			buf_put(&b, s, strlen(s));
			col += strlen(s) + 1;
			if (col > 70) {
				buf_put(&b, "\r\n", 2);
				col = 0;
			} else {
				buf_put(&b, " ", 1);
			}
		}
		buf_put(&b, "\r\n", 2);
		k.m[i] = (struct msg){b.p, b.len};
		k.bytes += b.len;
	}
	return k;
}

/* ---- connections ---- */
struct conn {
	int fd, idx, state;
	struct buf in, out;
	bool out_armed, dead;
	void *u;
};
typedef void (*conn_cb)(struct conn *);
static int lg_ep = -1;
static bool lg_stop;
static bool lg_quickack; /* LG_QUICKACK=1: no delayed acks, for servers that leave Nagle's algorithm on */

/* "host:port", "[v6]:port" or "unix:/path"; only loopback makes sense here, so it is enforced */
static LG_UNUSED int lg_dial(const char *addr)
{
	int fd;
	if (strncmp(addr, "unix:", 5) == 0) {
		struct sockaddr_un su = {.sun_family = AF_UNIX};
		snprintf(su.sun_path, sizeof(su.sun_path), "%s", addr + 5);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (void *)&su, sizeof(su)) != 0)
			die("connect %s: %s", addr, strerror(errno));
	} else {
		char host[256];
		const char *colon = strrchr(addr, ':');
		if (colon == NULL)
			die("address must be host:port");
		snprintf(host, sizeof(host), "%.*s", (int)(colon - addr), addr);
		char *h = host;
		if (*h == '[' && h[strlen(h)-1] == ']') {
			h[strlen(h)-1] = 0;
			h++;
		}
		if (strncmp(h, "127.", 4) != 0 && strcmp(h, "::1") != 0 && strcmp(h, "localhost") != 0)
			die("%s: only loopback addresses are load-tested", h);
		struct addrinfo hint = {.ai_socktype = SOCK_STREAM}, *ai;
		int rc = getaddrinfo(h, colon + 1, &hint, &ai);
		if (rc != 0)
			die("%s: %s", addr, gai_strerror(rc));
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int tries = 0;
		while (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
			if (++tries > 50 || (errno != EAGAIN && errno != ECONNREFUSED))
				die("connect %s: %s", addr, strerror(errno));
			usleep(20000);
		}
		freeaddrinfo(ai);
		int one = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static LG_UNUSED void lg_add(struct conn *c)
{
	if (lg_ep < 0)
		lg_ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	if (epoll_ctl(lg_ep, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		die("epoll_ctl: %s", strerror(errno));
	c->out_armed = false;
	c->dead = false;
}

static LG_UNUSED void lg_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->dead = true;
	c->in.off = c->in.len = c->out.off = c->out.len = 0;
}

static LG_UNUSED void lg_flush(struct conn *c)
{
	while (c->out.off < c->out.len && !c->dead) {
		ssize_t r = send(c->fd, c->out.p + c->out.off, c->out.len - c->out.off, MSG_NOSIGNAL);
		if (r > 0) {
			c->out.off += (size_t)r;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN)
			break;
		die("connection %d: write: %s", c->idx, strerror(errno));
	}
	bool want = c->out.off < c->out.len;
	if (want != c->out_armed && !c->dead) {
		struct epoll_event ev = {.events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = c};
		epoll_ctl(lg_ep, EPOLL_CTL_MOD, c->fd, &ev);
		c->out_armed = want;
	}
}

/* Runs until lg_stop; cb consumes c->in. A peer's close sets c->dead before the last cb. */
static LG_UNUSED void lg_run(conn_cb cb, int timeout_ms, void (*tick)(void))
{
	struct epoll_event ev[256];
	lg_stop = false;
	lg_quickack = getenv("LG_QUICKACK") != NULL;
	while (!lg_stop) {
		int n = epoll_wait(lg_ep, ev, 256, timeout_ms);
		if (n < 0 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		if (n == 0 && timeout_ms >= 0 && tick == NULL)
			die("no answer from the server for %d ms", timeout_ms);
		for (int i = 0; i < n && !lg_stop; i++) {
			struct conn *c = ev[i].data.ptr;
			if (c->fd < 0)
				continue;
			if (ev[i].events & EPOLLOUT)
				lg_flush(c);
			if (!(ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
				continue;
			buf_need(&c->in, 256 << 10);
			ssize_t r = recv(c->fd, c->in.p + c->in.len, c->in.cap - c->in.len, 0);
			if (lg_quickack) {
				int one = 1;
				setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
			}
			if (r > 0)
				c->in.len += (size_t)r;
			else if (r == 0 || (errno != EAGAIN && errno != EINTR))
				c->dead = true;
			cb(c);
		}
		if (tick != NULL)
			tick();
	}
}

/* ---- CPU seconds of a process and all its descendants, reaped ones included ---- */
static LG_UNUSED double tree_cpu(int root)
{
	static struct { int pid, ppid; double cpu; bool in; } *t;
	static size_t cap;
	size_t n = 0;
	if (root <= 0)
		return 0;
	DIR *d = opendir("/proc");
	struct dirent *e;
	double hz = (double)sysconf(_SC_CLK_TCK), sum = 0;
	while ((e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		char path[64], line[1024];
		snprintf(path, sizeof(path), "/proc/%.20s/stat", e->d_name);
		FILE *f = fopen(path, "r");
		if (f == NULL)
			continue;
		char *ok = fgets(line, sizeof(line), f);
		fclose(f);
		char *p = ok != NULL ? strrchr(line, ')') : NULL;
		int ppid;
		unsigned long ut, st;
		long cut, cst;
		if (p == NULL || sscanf(p + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
		    &ppid, &ut, &st, &cut, &cst) != 5)
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 512;
			t = realloc(t, cap * sizeof(*t));
		}
		t[n].pid = atoi(e->d_name);
		t[n].ppid = ppid;
		t[n].cpu = (double)(ut + st + (unsigned long)cut + (unsigned long)cst) / hz;
		t[n].in = t[n].pid == root;
		n++;
	}
	closedir(d);
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n && !t[i].in; j++)
				if (t[j].in && t[j].pid == t[i].ppid)
					t[i].in = more = true;
	}
	for (size_t i = 0; i < n; i++)
		if (t[i].in)
			sum += t[i].cpu;
	return sum;
}

static LG_UNUSED double self_cpu(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static LG_UNUSED double load1(void)
{
	double v[1] = {0};
	return getloadavg(v, 1) == 1 ? v[0] : -1;
}

/* ---- one measured phase and its result line (one JSON object a line) ---- */
struct phase { uint64_t t0; double scpu, ccpu; int server; };

static LG_UNUSED struct phase phase_begin(int server_pid)
{
	struct phase p = {.server = server_pid};
	p.scpu = tree_cpu(server_pid);
	p.ccpu = self_cpu();
	p.t0 = now_ns();
	return p;
}

static LG_UNUSED void phase_end(struct phase *p, const char *tool, const char *test, uint64_t ops,
    uint64_t bytes, uint64_t errors, struct lat *l, const char *extra)
{
	double s = (double)(now_ns() - p->t0) / 1e9;
	double cc = self_cpu() - p->ccpu, sc = tree_cpu(p->server) - p->scpu;
	printf("{\"tool\":\"%s\",\"test\":\"%s\",\"ops\":%llu,\"errors\":%llu,\"secs\":%.4f,\"ops_per_s\":%.1f,"
	    "\"mb_per_s\":%.2f", tool, test, (unsigned long long)ops, (unsigned long long)errors, s,
	    (double)ops / s, (double)bytes / 1e6 / s);
	if (l != NULL && l->n > 0)
		printf(",\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", lat_pct(l, 50),
		    lat_pct(l, 90), lat_pct(l, 99), lat_pct(l, 100));
	printf(",\"client_cpu_share\":%.3f", cc / s);
	if (p->server > 0)
		printf(",\"server_cpu_s\":%.2f,\"server_us_per_op\":%.1f", sc, ops ? sc * 1e6 / (double)ops : 0);
	printf(",\"load1\":%.2f%s}\n", load1(), extra != NULL ? extra : "");
	fflush(stdout);
}
#endif
