/* SPDX-License-Identifier: Apache-2.0 */
/* A client for unit tests: drives an engine with bytes and keeps what it answers. */
#ifndef GX_IMAP_IMAPTEST_H
#define GX_IMAP_IMAPTEST_H
#include <ftw.h>
#include <regex.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include <gx/delivery.h>
#include <gx/imap.h>
#include <gx/strbuf.h>

struct imaptest_server {
	char root[64];
	int64_t now_ms;
	struct gx_clock clock;
	struct gx_arena *arena;
	struct gx_dir *dir;
	struct gx_store_pool *pool;
	struct gx_imap_server srv;
	struct gx_engine_factory factory;
	struct gx_log log;
	struct gx_strbuf log_text;
};

struct imaptest_client {
	struct imaptest_server *server;
	struct gx_io io;
	void *engine;
	struct gx_strbuf got;
	size_t most_out;      /* largest output between two takings */
	enum gx_want want;
	atomic_bool woken;
	bool closed, tls_done;
	unsigned works;       /* calls of work() */
};

static int64_t imaptest_real(void *ctx)
{
	struct imaptest_server *s = ctx;
	return INT64_C(1800000000) * 1000000000 + s->now_ms * 1000000;
}

static int64_t imaptest_mono(void *ctx)
{
	struct imaptest_server *s = ctx;
	return s->now_ms * 1000000;
}

static void imaptest_log(int level, const char *text, void *ctx)
{
	struct imaptest_server *s = ctx;
	gx_strbuf_printf(&s->log_text, "%d %s\n", level, text);
}

static void imaptest_add_user(struct imaptest_server *s, const char *name)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	char *maildir = gx_arena_printf(s->arena, "%s/%s", s->root, name);
	const char *why = NULL;
	uint32_t id;
	ck_assert_int_eq(mkdir(maildir, 0700), 0);
	u.username = gx_arena_printf(s->arena, "%s@example.org", name);
	u.password = "secret";
	u.maildir = maildir;
	ck_assert_int_eq(gx_dir_add_user(s->dir, &u, &id), 0);
	o.owner_id = id;
	o.owner = u.username;
	ck_assert_msg(gx_store_create(maildir, &o, s->arena, &why) == 0, "%s", why == NULL ? "?" : why);
}

static uint64_t imaptest_most_messages; /* of a store; 0: no limit */

static inline void imaptest_start(struct imaptest_server *s)
{
	*s = (struct imaptest_server){.root = "/tmp/check_imap.XXXXXX", .now_ms = 1000000};
	const char *why = NULL;
	uint32_t id;
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	ck_assert_ptr_nonnull(mkdtemp(s->root));
	s->clock = (struct gx_clock){imaptest_real, imaptest_mono, s};
	s->log = (struct gx_log){imaptest_log, s, GX_LOG_DEBUG};
	s->arena = gx_arena_new(0);
	d.log = &s->log;
	d.path = gx_arena_printf(s->arena, "%s/directory.sqlite3", s->root);
	ck_assert_int_eq(gx_dir_create(d.path, s->arena, &why), 0);
	ck_assert_int_eq(gx_dir_open(&d, &s->dir, s->arena, &why), 0);
	ck_assert_int_eq(gx_dir_add_domain(s->dir, "example.org", s->root, 100, &id), 0);
	imaptest_add_user(s, "anna");
	imaptest_add_user(s, "ben");
	p.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	p.store.log = &s->log;
	p.store.clock = &s->clock;
	p.store.render = gx_mail_render;
	p.store.max_messages = imaptest_most_messages;
	s->pool = gx_store_pool_new(&p);
	ck_assert_ptr_nonnull(s->pool);
	s->srv = (struct gx_imap_server)GX_IMAP_SERVER_INIT;
	s->srv.hostname = "mail.example.org";
	s->srv.dir = s->dir;
	s->srv.pool = s->pool;
	gx_imap_factory(&s->factory, &s->srv);
}

static int imaptest_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static inline void imaptest_stop(struct imaptest_server *s)
{
	gx_store_pool_free(s->pool);
	gx_dir_close(s->dir);
	gx_arena_free(s->arena);
	gx_strbuf_release(&s->log_text);
	nftw(s->root, imaptest_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void imaptest_wake(struct gx_io *io)
{
	struct imaptest_client *c = io->driver;
	atomic_store(&c->woken, true);
}

static void imaptest_take(struct imaptest_client *c)
{
	if (c->io.out.len > c->most_out)
		c->most_out = c->io.out.len;
	gx_strbuf_add(&c->got, c->io.out.data, c->io.out.len);
	ck_assert_int_eq(c->io.out.err, 0);
	gx_push_clear(&c->io.out);
}

/* Does what a driver does until the engine waits. */
static void imaptest_pump(struct imaptest_client *c)
{
	const struct gx_engine_ops *ops = c->server->factory.ops;
	for (bool work = false; !c->closed;) {
		if (atomic_exchange(&c->woken, false))
			c->io.events |= GX_IO_WOKEN;
		c->works += work;
		c->want = work ? ops->work(c->engine, &c->io) : ops->step(c->engine, &c->io);
		c->io.events &= ~(unsigned)(GX_IO_WOKEN | GX_IO_TIMEOUT | GX_IO_TLS_STARTED);
		imaptest_take(c);
		work = c->want == GX_WANT_WORKER || c->want == GX_WANT_AGAIN;
		switch (c->want) {
		case GX_WANT_CLOSE:
			c->closed = true;
			break;
		case GX_WANT_STARTTLS:
			c->io.events |= GX_IO_TLS | GX_IO_TLS_STARTED;
			break;
		case GX_WANT_INPUT:
		case GX_WANT_WAIT:
			if (!atomic_load(&c->woken))
				return;
			break;
		default:
			break;
		}
	}
}

static inline void imaptest_connect(struct imaptest_server *s, struct imaptest_client *c)
{
	*c = (struct imaptest_client){.server = s};
	c->io.clock = &s->clock;
	c->io.log = &s->log;
	c->io.peer = "192.0.2.7";
	c->io.local = "192.0.2.1";
	c->io.out_high = 256 * 1024;
	c->io.in_max = 64 * 1024;
	c->io.wake = imaptest_wake;
	c->io.driver = c;
	gx_push_init(&c->io.out, 0);
	c->engine = s->factory.ops == NULL ? NULL : s->factory.new_engine(&c->io, s->factory.ctx);
	ck_assert_ptr_nonnull(c->engine);
	imaptest_pump(c);
}

static inline void imaptest_close(struct imaptest_client *c)
{
	c->server->factory.ops->free(c->engine);
	gx_iobuf_release(&c->io.in);
	gx_push_release(&c->io.out);
	gx_strbuf_release(&c->got);
}

static inline void imaptest_send(struct imaptest_client *c, const void *data, size_t n)
{
	const uint8_t *p = data;
	do {
		size_t k = n < c->io.in_max ? n : c->io.in_max;
		ck_assert_int_eq(gx_iobuf_add(&c->io.in, p, k), 0);
		imaptest_pump(c);
		p += k;
		n -= k;
	} while (n > 0 && !c->closed);
}

/* Time passes; deadlines fire. */
static inline void imaptest_wait(struct imaptest_client *c, int64_t ms)
{
	c->server->now_ms += ms;
	if (c->io.deadline_ms != 0 && c->server->now_ms >= c->io.deadline_ms && !c->closed) {
		c->io.events |= GX_IO_TIMEOUT;
		imaptest_pump(c);
	}
}

/* All that came since the last look must match the extended regular expression; CRLF shows as LF. */
static void imaptest_expect(struct imaptest_client *c, const char *what, const char *regex)
{
	struct gx_strbuf text = GX_STRBUF_INIT, full = GX_STRBUF_INIT;
	regex_t re;
	for (size_t i = 0; i < c->got.len; ++i)
		if (c->got.s[i] != '\r')
			gx_strbuf_addc(&text, c->got.s[i]);
	gx_strbuf_printf(&full, "^(%s)$", regex);
	ck_assert_msg(regcomp(&re, gx_strbuf_cstr(&full), REG_EXTENDED | REG_NOSUB) == 0, "regex %s", regex);
	ck_assert_msg(regexec(&re, gx_strbuf_cstr(&text), 0, NULL, 0) == 0, "%s\nexpected: %s\ngot: %s\nlog: %s", what, regex,
		gx_strbuf_cstr(&text), gx_strbuf_cstr(&c->server->log_text));
	regfree(&re);
	gx_strbuf_release(&text);
	gx_strbuf_release(&full);
	gx_strbuf_clear(&c->got);
}

static inline void imaptest_say(struct imaptest_client *c, const char *line, const char *regex)
{
	gx_strbuf_clear(&c->got);
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "%s\r\n", line);
	imaptest_send(c, b.s, b.len);
	gx_strbuf_release(&b);
	imaptest_expect(c, line, regex);
}

static inline void imaptest_login(struct imaptest_client *c, const char *user)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "l LOGIN %s@example.org secret", user);
	imaptest_say(c, gx_strbuf_cstr(&b), "l OK \\[CAPABILITY [^]]*\\] .*\n");
	gx_strbuf_release(&b);
}

/* APPEND of a text with LF line ends, which go out as CRLF. args: flags and date, "" none. */
static inline void imaptest_append(struct imaptest_client *c, const char *mailbox, const char *args, const char *message)
{
	struct gx_strbuf m = GX_STRBUF_INIT, b = GX_STRBUF_INIT;
	for (const char *p = message; *p != '\0'; ++p) {
		if (*p == '\n')
			gx_strbuf_addc(&m, '\r');
		gx_strbuf_addc(&m, *p);
	}
	gx_strbuf_printf(&b, "ap APPEND %s %s{%zu+}\r\n", mailbox, args, m.len);
	gx_strbuf_add(&b, m.s, m.len);
	gx_strbuf_adds(&b, "\r\n");
	gx_strbuf_clear(&c->got);
	imaptest_send(c, b.s, b.len);
	imaptest_expect(c, "APPEND", "(\\*[^\n]*\n)*ap OK \\[APPENDUID [0-9]+ [0-9]+\\] [^\n]*\n");
	gx_strbuf_release(&b);
	gx_strbuf_release(&m);
}
#endif
