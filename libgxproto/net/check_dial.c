/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that this side makes, to a server of the same net. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/net/nettest.h"

/* Says one thing, reads to the end. */
struct talk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const char *say;
	struct gx_io *io;
	size_t got, want;        /* bytes; the engine hangs up with the last one */
	unsigned steps, stalls;
	bool said, over, shutdown;
};

static void *talk_new(struct gx_io *io, void *ctx)
{
	struct talk *t = ctx;
	if (t->want == 0)
		return NULL;
	t->io = io;
	return t;
}

static enum gx_want talk_step(void *self, struct gx_io *io)
{
	struct talk *t = self;
	pthread_mutex_lock(&t->lock);
	if (!t->said)
		gx_push_str(&io->out, t->say);
	t->said = true;
	t->got += gx_iobuf_left(&io->in);
	gx_iobuf_consume(&io->in, gx_iobuf_left(&io->in));
	t->shutdown |= (io->events & GX_IO_SHUTDOWN) != 0;
	bool close = t->got >= t->want || t->shutdown;
	pthread_mutex_unlock(&t->lock);
	return close ? GX_WANT_CLOSE : GX_WANT_INPUT;
}

static void talk_free(void *self)
{
	struct talk *t = self;
	pthread_mutex_lock(&t->lock);
	t->over = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static const struct gx_engine_ops talk_ops = {.name = "talk", .step = talk_step, .free = talk_free};

static void wait_over(struct talk *t)
{
	pthread_mutex_lock(&t->lock);
	while (!t->over)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

static struct gx_dialer *dialer_of(struct server *s)
{
	struct gx_dialer_opts o = GX_DIALER_OPTS_INIT;
	struct gx_dialer *d;
	ck_assert_int_eq(gx_net_dialer(s->net, &o, &d), GX_E_INVAL);
	o.factory = (struct gx_engine_factory){&talk_ops, talk_new, NULL};
	ck_assert_int_eq(gx_net_dialer(s->net, &o, &d), 0);
	return d;
}

#define TALK {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

START_TEST(over_both_kinds_of_sockets)
{
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct server s;
	char path[100], addr[40];
	snprintf(path, sizeof(path), "/tmp/check_dial.%d.sock", (int)getpid());
	serve(&s, &lo, 1);
	lo.addr = path;
	lo.factory = (struct gx_engine_factory){&echo_ops, echo_new, NULL};
	ck_assert_int_eq(gx_net_listen(s.net, &lo, NULL, s.a, NULL), 0);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", s.port);
	struct gx_dialer *d = dialer_of(&s);
	for (unsigned i = 0; i < 2; ++i) {
		struct talk t = TALK;
		t.say = "big 300000\n";
		t.want = 6 + 300000;
		ck_assert_int_eq(gx_net_dial(d, i == 0 ? path : addr, &t), 0);
		wait_over(&t);
		ck_assert_uint_eq(t.got, t.want);
	}
	end_server(&s);
}
END_TEST

START_TEST(nobody_there)
{
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct server s;
	char addr[40];
	struct talk none = TALK, t = TALK;
	serve(&s, &lo, 1);
	struct gx_dialer *d = dialer_of(&s);
	t.want = 1;
	t.say = "";
	ck_assert_int_eq(gx_net_dial(d, "/tmp/there/is/no/such.sock", &t), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_net_dial(d, "nonsense", &t), GX_E_FORMAT);
	/* no engine */
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", s.port);
	ck_assert_int_eq(gx_net_dial(d, addr, &none), GX_E_NOMEM);
	/* a port that nobody has: found out at once, or by the engine */
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", ntohs(in.sin_port));
	int ret = gx_net_dial(d, addr, &t);
	if (ret == 0)
		wait_over(&t);
	else
		ck_assert_int_eq(ret, GX_E_NOTFOUND);
	ck_assert_uint_eq(t.got, 0);
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(ends_with_the_net)
{
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct server s;
	char addr[40];
	struct talk t = TALK, late = TALK;
	serve(&s, &lo, 1);
	struct gx_dialer *d = dialer_of(&s);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", s.port);
	t.say = "some line\n";
	t.want = SIZE_MAX;
	late.want = 1;
	ck_assert_int_eq(gx_net_dial(d, addr, &t), 0);
	gx_net_stop(s.net, 5000);
	ck_assert(t.over);
	ck_assert_int_eq(gx_net_dial(d, addr, &late), GX_E_STATE);
	ck_assert(!late.over);
	end_server(&s);
}
END_TEST

static Suite *dial_suite(void)
{
	Suite *s = suite_create("dial");
	TCase *t = tcase_create("dial");
	tcase_add_test(t, over_both_kinds_of_sockets);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, ends_with_the_net);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(dial_suite)
