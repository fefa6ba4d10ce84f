/* SPDX-License-Identifier: Apache-2.0 */
/* The server's engine, byte by byte: handshake, limits, access, time, notifications, whatever is not a request. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxproto/exmdb/exmdb-int.h"
#include "libgxstore/storetest.h"

/* One connection without a socket. */
struct peer {
	struct gx_engine_factory f;
	struct gx_io io;
	void *engine;
	enum gx_want want;
	struct gx_push got;       /* all that was sent */
	size_t seen;              /* of it */
	bool woken;
};

static struct gx_store_pool *pool;
static struct gx_exmdb_host *host;
static struct gx_exmdb_server *srv;
static struct gx_arena *a;
static char *dir;
static int64_t now_ms;
static char said[4000];

static int64_t mono(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static int64_t real(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static void say(int level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	size_t n = strlen(said);
	snprintf(said + n, sizeof(said) - n, "%s\n", text);
}

static const struct gx_clock my_clock = {real, mono, NULL};
static const struct gx_log my_log = {.write = say, .level = GX_LOG_DEBUG};

static void serve(struct gx_exmdb_server_opts *o)
{
	gx_exmdb_server_free(srv);
	o->size = sizeof(*o);
	o->host = host;
	ck_assert_int_eq(gx_exmdb_server_new(o, &srv), 0);
}

static void setup(void)
{
	struct gx_store_pool_opts po = {.size = sizeof(po), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = {0};
	now_ms = 1000000;
	said[0] = '\0';
	a = gx_arena_new(0);
	dir = strdup(st_dir());
	st_create(dir);
	ho.pool = pool = gx_store_pool_new(&po);
	ho.clock = &my_clock;
	ck_assert_int_eq(gx_exmdb_host_new(&ho, &host), 0);
	srv = NULL;
	serve(&so);
}

static void teardown(void)
{
	gx_exmdb_server_free(srv);
	gx_exmdb_host_free(host);
	gx_store_pool_free(pool);
	gx_arena_free(a);
	st_rmtree(dir);
	free(dir);
}

static void wake(struct gx_io *io)
{
	struct peer *p = io->driver;
	p->woken = true;
}

static void run(struct peer *p)
{
	bool work = false;
	for (int turns = 0; turns < 1000 && p->want != GX_WANT_CLOSE; ++turns) {
		if (p->woken)
			p->io.events |= GX_IO_WOKEN;
		p->woken = false;
		p->want = work ? p->f.ops->work(p->engine, &p->io) : p->f.ops->step(p->engine, &p->io);
		p->io.events &= ~(unsigned)(GX_IO_TIMEOUT | GX_IO_WOKEN);
		gx_push_bytes(&p->got, p->io.out.data, p->io.out.len);
		gx_push_clear(&p->io.out);
		bool worked = work;
		work = p->want == GX_WANT_WORKER || p->want == GX_WANT_AGAIN;
		if (p->want == GX_WANT_INPUT && !worked && !p->woken)
			break;
	}
}

static void connect_as(struct peer *p, const char *addr)
{
	*p = (struct peer){.io = {.peer = addr, .local = "", .clock = &my_clock, .log = &my_log, .out_high = 1 << 20,
		.in_max = 65536, .wake = wake, .driver = p, .peer_is_loopback = strcmp(addr, "::1") == 0}};
	gx_exmdb_server_factory(&p->f, srv);
	p->engine = p->f.new_engine(&p->io, p->f.ctx);
	ck_assert_ptr_nonnull(p->engine);
	run(p);
}

static void hang_up(struct peer *p)
{
	p->f.ops->free(p->engine);
	gx_iobuf_release(&p->io.in);
	gx_push_release(&p->io.out);
	gx_push_release(&p->got);
}

static void feed(struct peer *p, const void *data, size_t n, size_t piece)
{
	const uint8_t *b = data;
	for (size_t i = 0; i < n && p->want != GX_WANT_CLOSE; i += piece) {
		size_t m = n - i < piece ? n - i : piece;
		ck_assert_int_eq(gx_iobuf_add(&p->io.in, b + i, m), 0);
		run(p);
	}
}

static void pass(struct peer *p, int64_t ms)
{
	now_ms += ms;
	if (p->io.deadline_ms != 0 && p->io.deadline_ms <= now_ms) {
		p->io.deadline_ms = 0;
		p->io.events |= GX_IO_TIMEOUT;
		run(p);
	}
}

static void send_call(struct peer *p, uint8_t call, const void *req, size_t piece)
{
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_xframe_push_request(&out, a, dir, call, req), 0);
	feed(p, out.data, out.len, piece);
	gx_push_release(&out);
}

/* The next answer has that code; its body is what follows. */
static struct gx_bin answer(struct peer *p, uint8_t want)
{
	struct gx_bin body;
	uint8_t code;
	size_t used;
	ck_assert_int_eq(gx_xframe_split_answer(p->got.data + p->seen, p->got.len - p->seen, 1 << 20, &code, &body, &used), 1);
	ck_assert_msg(code == want, "answer %s instead of %s; log: %s", gx_xcode_name(code), gx_xcode_name(want), said);
	p->seen += used;
	return body;
}

static void hello(struct peer *p, const char *id)
{
	struct gx_x_connect_req q = {id, true};
	connect_as(p, "::1");
	send_call(p, GX_X_CONNECT, &q, 1000);
	ck_assert_uint_eq(answer(p, GX_XC_SUCCESS).len, 0);
}

static void listen_as(struct peer *p, const char *id)
{
	struct gx_x_listen_notification_req q = {id};
	connect_as(p, "::1");
	send_call(p, GX_X_LISTEN_NOTIFICATION, &q, 1000);
	ck_assert_uint_eq(answer(p, GX_XC_SUCCESS).len, 0);
}

START_TEST(calls_in_pieces)
{
	static const size_t pieces[] = {1, 3, 100000};
	struct peer p;
	struct gx_propval v[] = {{PidTagComment, {.str = "text"}}};
	struct gx_x_set_store_properties_req q = {.props = {v, 1, 1}};
	hello(&p, "1:a");
	for (size_t i = 0; i < 3; ++i) {
		send_call(&p, GX_X_SET_STORE_PROPERTIES, &q, pieces[i]);
		ck_assert_uint_eq(answer(&p, GX_XC_SUCCESS).len, 2);
		feed(&p, "\0\0\0\0", 4, pieces[i]);
		ck_assert_uint_eq(p.got.data[p.seen++], 0);
	}
	ck_assert_uint_eq(p.seen, p.got.len);
	/* several at once are answered in order */
	struct gx_push out = GX_PUSH_INIT;
	gx_xframe_push_ping(&out);
	ck_assert_int_eq(gx_xframe_push_request(&out, a, dir, GX_X_ALLOCATE_CN, NULL), 0);
	ck_assert_int_eq(gx_xframe_push_request(&out, a, dir, GX_X_PING_STORE, NULL), 0);
	feed(&p, out.data, out.len, out.len);
	ck_assert_uint_eq(p.got.data[p.seen++], 0);
	ck_assert_uint_eq(answer(&p, GX_XC_SUCCESS).len, 8);
	ck_assert_uint_eq(answer(&p, GX_XC_SUCCESS).len, 0);
	gx_push_release(&out);
	hang_up(&p);
}
END_TEST

START_TEST(handshake_first)
{
	struct peer p;
	struct gx_x_connect_req q = {"1:a", false};
	connect_as(&p, "::1");
	send_call(&p, GX_X_PING_STORE, NULL, 100);
	answer(&p, GX_XC_CONNECT_INCOMPLETE);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	hang_up(&p);
	connect_as(&p, "::1");
	send_call(&p, GX_X_CONNECT, &q, 100);
	answer(&p, GX_XC_MISCONFIG_MODE);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	ck_assert_ptr_nonnull(strstr(said, "private"));
	hang_up(&p);
	hello(&p, "1:a");
	q.is_private = true;
	send_call(&p, GX_X_CONNECT, &q, 100);
	answer(&p, GX_XC_DISPATCH_ERROR);
	send_call(&p, GX_X_PING_STORE, NULL, 100);
	answer(&p, GX_XC_SUCCESS);
	hang_up(&p);
	connect_as(&p, "::1");
	q.remote_id = "";
	send_call(&p, GX_X_CONNECT, &q, 100);
	answer(&p, GX_XC_PULL_ERROR);
	hang_up(&p);
}
END_TEST

START_TEST(failures_are_logged)
{
	struct peer p;
	struct gx_x_allocate_ids_req q = {UINT32_MAX};
	hello(&p, "1:a");
	send_call(&p, GX_X_ALLOCATE_IDS, &q, 100);
	answer(&p, GX_XC_DISPATCH_ERROR);
	ck_assert_ptr_nonnull(strstr(said, "allocate_ids"));
	ck_assert_ptr_nonnull(strstr(said, dir));
	ck_assert_ptr_nonnull(strstr(said, "ecInvalidParam"));
	/* the connection goes on, also after a store that is not there */
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/nonexistent", GX_X_PING_STORE, NULL), 0);
	feed(&p, out.data, out.len, 7);
	answer(&p, GX_XC_MISCONFIG_PREFIX);
	gx_push_release(&out);
	send_call(&p, GX_X_PING_STORE, NULL, 100);
	answer(&p, GX_XC_SUCCESS);
	hang_up(&p);
}
END_TEST

START_TEST(no_requests)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{"\4\0\0\0\x99/d", 8}, {"\4\0\0\0\7/d", 8}, {"\1\0\0\0\2", 5}, {"\5\0\0\0\2/d\0x", 9}, {"\xff\xff\xff\xff", 4},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		struct peer p;
		hello(&p, "1:a");
		feed(&p, bad[i].bytes, bad[i].n, 100);
		answer(&p, GX_XC_PULL_ERROR);
		ck_assert_int_eq(p.want, GX_WANT_CLOSE);
		hang_up(&p);
	}
	/* a length costs nothing before its bytes are there */
	struct peer p;
	hello(&p, "1:a");
	feed(&p, "\0\0\0\x0f\2", 5, 5);
	ck_assert_int_eq(p.want, GX_WANT_INPUT);
	ck_assert_uint_lt(((struct gx_xs *)p.engine)->body.cap, 100000);
	p.io.events |= GX_IO_EOF;
	run(&p);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	hang_up(&p);
}
END_TEST

START_TEST(time_limits)
{
	struct peer p;
	hello(&p, "1:a");
	pass(&p, 59000);
	feed(&p, "\0\0\0\0", 4, 4);
	ck_assert_uint_eq(p.got.data[p.seen++], 0);
	pass(&p, 59000);
	ck_assert_int_eq(p.want, GX_WANT_INPUT);
	pass(&p, 2000);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	hang_up(&p);
	/* also before the handshake */
	connect_as(&p, "::1");
	pass(&p, 61000);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	hang_up(&p);
}
END_TEST

START_TEST(who_may_enter)
{
	static const struct {
		const char *addr;
		bool ok;
	} by_default[] = {{"::1", true}, {"192.0.2.1", false}, {"unix", false}};
	static const struct {
		const char *addr;
		bool ok;
	} by_list[] = {{"192.0.2.7", true}, {"2001:db8::1", true}, {"192.0.2.70", false}, {"::1", false}, {"192.0.2.9", true}};
	struct peer p;
	for (size_t i = 0; i < 3; ++i) {
		connect_as(&p, by_default[i].addr);
		ck_assert_int_eq(p.want, by_default[i].ok ? GX_WANT_INPUT : GX_WANT_CLOSE);
		if (!by_default[i].ok)
			answer(&p, GX_XC_ACCESS_DENY);
		hang_up(&p);
	}
	const char *const hosts[] = {"192.0.2.7", "[2001:DB8:0::1]", "::ffff:192.0.2.9", NULL}, *const certs[] = {"imap.example.org", NULL};
	const uint32_t uids[] = {4711};
	struct gx_exmdb_server_opts o = {.hosts_allow = hosts, .uids_allow = uids, .uid_count = 1, .certs_allow = certs};
	serve(&o);
	for (size_t i = 0; i < 5; ++i) {
		connect_as(&p, by_list[i].addr);
		ck_assert_int_eq(p.want, by_list[i].ok ? GX_WANT_INPUT : GX_WANT_CLOSE);
		hang_up(&p);
	}
	static const char *const good[] = {"::1", "[::1]", "0:0:0:0:0:0:0:1", "FE80::1%eth0", "[fe80::1%2]", "127.0.0.1", "::ffff:10.0.0.1"};
	static const char *const bad[] = {"", "localhost", "10.0.0.0/8", "2001:db8::/32", "10.0.0", "[::1", "::1]", "[::1]:5000", "[]", "*",
		"[10.0.0.1]x", "1:2:3:4:5:6:7:8:9"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); ++i)
		ck_assert_msg(gx_exmdb_host_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		const char *const list[] = {"::1", bad[i], NULL};
		struct gx_exmdb_server_opts wrong = {.size = sizeof(wrong), .hosts_allow = list};
		struct gx_exmdb_server *none;
		ck_assert_msg(!gx_exmdb_host_valid(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(gx_exmdb_server_new(&wrong, &none), GX_E_INVAL);
	}
	struct gx_io io = {.peer = "unix", .has_peer_uid = true, .peer_uid = 4711};
	ck_assert(gx_xs__may_enter(srv, &io));
	io.peer_uid = 4712;
	ck_assert(!gx_xs__may_enter(srv, &io));
	io.peer_uid = 0;
	ck_assert(gx_xs__may_enter(srv, &io));
	io = (struct gx_io){.peer = "198.51.100.1", .peer_cert = "imap.example.org"};
	ck_assert(gx_xs__may_enter(srv, &io));
	io.peer_cert = "other.example.org";
	ck_assert(!gx_xs__may_enter(srv, &io));
	io.peer = "192.0.2.7"; /* a certificate that is not on the list is worse than none */
	ck_assert(!gx_xs__may_enter(srv, &io));
}
END_TEST

START_TEST(numbers_of_connections)
{
	struct gx_exmdb_server_opts o = {.max_data = 2, .max_events = 1};
	struct peer p[4];
	struct gx_x_connect_req q = {"1:a", true};
	struct gx_x_listen_notification_req l = {"2:b"};
	serve(&o);
	hello(&p[0], "1:a");
	hello(&p[1], "1:a");
	connect_as(&p[2], "::1");
	send_call(&p[2], GX_X_CONNECT, &q, 100);
	answer(&p[2], GX_XC_MAX_REACHED);
	ck_assert_int_eq(p[2].want, GX_WANT_CLOSE);
	hang_up(&p[2]);
	hang_up(&p[1]);
	hello(&p[1], "1:a");
	listen_as(&p[2], "1:a");
	connect_as(&p[3], "::1");
	send_call(&p[3], GX_X_LISTEN_NOTIFICATION, &l, 100);
	answer(&p[3], GX_XC_MAX_REACHED);
	for (int i = 0; i < 4; ++i)
		hang_up(&p[i]);
}
END_TEST

static void subscribe(struct peer *p)
{
	struct gx_x_subscribe_notification_req q = {2, true, 0, 0};
	send_call(p, GX_X_SUBSCRIBE_NOTIFICATION, &q, 100);
	answer(p, GX_XC_SUCCESS);
}

static void new_mail(struct peer *p, uint64_t mid)
{
	struct gx_x_transport_new_mail_req q = {gx_eid_make(1, 13), gx_eid_make(1, mid), 1, "IPM.Note"};
	send_call(p, GX_X_TRANSPORT_NEW_MAIL, &q, 100);
	answer(p, GX_XC_SUCCESS);
}

static bool event(struct peer *p, struct gx_x_notification *n)
{
	struct gx_bin body;
	size_t used;
	run(p);
	if (gx_xframe_split(p->got.data + p->seen, p->got.len - p->seen, GX_XFRAME_EVENT_MAX, &body, &used) != 1)
		return false;
	p->seen += used;
	*n = (struct gx_x_notification){0};
	ck_assert(body.len == 0 || gx_xframe_pull_event(body, a, n) == 0);
	return true;
}

START_TEST(notifications)
{
	struct peer p, e, other;
	struct gx_x_notification n;
	hello(&p, "1:a");
	subscribe(&p);
	new_mail(&p, 1); /* before anybody listens: it waits */
	listen_as(&e, "1:a");
	listen_as(&other, "2:b");
	ck_assert(event(&e, &n));
	ck_assert_uint_eq(n.message_id, 1);
	ck_assert_str_eq(n.dir, dir);
	ck_assert(!event(&e, &n));
	feed(&e, "\0", 1, 1);
	for (uint64_t i = 2; i < 100; ++i)
		new_mail(&p, i);
	/* a window of frames goes out without acknowledgements, the rest as they come in */
	unsigned got = 0;
	while (event(&e, &n))
		ck_assert_uint_eq(n.message_id, 2 + got++);
	ck_assert_uint_gt(got, 1);
	ck_assert_uint_lt(got, 98);
	while (got < 98) {
		feed(&e, "\0", 1, 1);
		if (event(&e, &n))
			ck_assert_uint_eq(n.message_id, 2 + got++);
	}
	ck_assert(!event(&other, &n));
	/* the same client cannot listen twice */
	struct gx_x_listen_notification_req l = {"1:a"};
	struct peer twice;
	connect_as(&twice, "::1");
	send_call(&twice, GX_X_LISTEN_NOTIFICATION, &l, 100);
	answer(&twice, GX_XC_DISPATCH_ERROR);
	ck_assert_int_eq(twice.want, GX_WANT_CLOSE);
	hang_up(&twice);
	hang_up(&e);
	hang_up(&other);
	hang_up(&p);
}
END_TEST

START_TEST(pings_and_acknowledgements)
{
	struct peer p, e;
	struct gx_x_notification n;
	hello(&p, "1:a");
	listen_as(&e, "1:a");
	pass(&e, 56000);
	ck_assert(!event(&e, &n));
	pass(&e, 1100);
	ck_assert(event(&e, &n));
	ck_assert_ptr_null(n.dir); /* a ping */
	feed(&e, "\0", 1, 1);
	ck_assert_int_eq(e.want, GX_WANT_INPUT);
	pass(&e, 57100);
	ck_assert(event(&e, &n));
	/* not acknowledged */
	pass(&e, 61000);
	ck_assert_int_eq(e.want, GX_WANT_CLOSE);
	ck_assert_ptr_nonnull(strstr(said, "acknowledge"));
	hang_up(&e);
	/* acknowledged without cause, or with an error */
	listen_as(&e, "1:a");
	feed(&e, "\0", 1, 1);
	ck_assert_int_eq(e.want, GX_WANT_CLOSE);
	hang_up(&e);
	subscribe(&p);
	listen_as(&e, "1:a");
	new_mail(&p, 1);
	ck_assert(event(&e, &n));
	feed(&e, "\7", 1, 1);
	ck_assert_int_eq(e.want, GX_WANT_CLOSE);
	hang_up(&e);
	hang_up(&p);
}
END_TEST

START_TEST(slow_listeners)
{
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = {0};
	struct peer p, e;
	struct gx_x_notification n;
	gx_exmdb_server_free(srv);
	srv = NULL;
	gx_exmdb_host_free(host);
	ho.pool = pool;
	ho.clock = &my_clock;
	ho.max_events = 5;
	ck_assert_int_eq(gx_exmdb_host_new(&ho, &host), 0);
	serve(&so);
	hello(&p, "1:a");
	subscribe(&p);
	for (uint64_t i = 0; i < 8; ++i)
		new_mail(&p, 1 + i);
	listen_as(&e, "1:a");
	for (int i = 0; i < 5; ++i)
		ck_assert(event(&e, &n));
	ck_assert_int_eq(e.want, GX_WANT_CLOSE);
	ck_assert_ptr_nonnull(strstr(said, "events were lost"));
	hang_up(&e);
	hang_up(&p);
}
END_TEST

START_TEST(going_down)
{
	struct peer p, e;
	hello(&p, "1:a");
	listen_as(&e, "1:a");
	p.io.events |= GX_IO_SHUTDOWN;
	e.io.events |= GX_IO_SHUTDOWN;
	run(&p);
	run(&e);
	ck_assert_int_eq(p.want, GX_WANT_CLOSE);
	ck_assert_int_eq(e.want, GX_WANT_CLOSE);
	hang_up(&e);
	hang_up(&p);
}
END_TEST

static Suite *xserver_suite(void)
{
	Suite *s = suite_create("xserver");
	TCase *t = tcase_create("xserver");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, calls_in_pieces);
	tcase_add_test(t, handshake_first);
	tcase_add_test(t, failures_are_logged);
	tcase_add_test(t, no_requests);
	tcase_add_test(t, time_limits);
	tcase_add_test(t, who_may_enter);
	tcase_add_test(t, numbers_of_connections);
	tcase_add_test(t, notifications);
	tcase_add_test(t, pings_and_acknowledgements);
	tcase_add_test(t, slow_listeners);
	tcase_add_test(t, going_down);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(xserver_suite)
