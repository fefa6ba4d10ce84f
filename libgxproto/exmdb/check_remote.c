/* SPDX-License-Identifier: Apache-2.0 */
/* Client and server over real sockets: the scenarios, connections that break, servers that start anew, TLS. */
#include <config.h>
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <gx/entryid.h>
#include <gx/exmdb-remote.h>
#include <gx/exmdb-server.h>
#include <gx/exmdb-tls.h>
#include <gx/net.h>
#include "libgxstore/calls/scenario.h"
#include "libgxstore/storetest.h"

struct service {
	struct gx_store_pool *pool;
	struct gx_exmdb_host *host;
	struct gx_exmdb_server *srv;
	struct gx_net *net;
	char addr[128];
	uint16_t port;
};

static struct gx_arena *a;
static char *dir;

static void setup(void)
{
	a = gx_arena_new(0);
	dir = strdup(st_dir());
	st_create(dir);
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
	free(dir);
}

static int hand_on(const char *remote_id, struct gx_exmdb **ret_x, void *behind)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	o.server = ((const struct service *)behind)->addr;
	o.remote_id = remote_id;
	return gx_exmdb_remote_new(&o, ret_x, a, NULL);
}

/* @param behind the server that has the stores; NULL: this one has */
static void begin_before(struct service *s, struct service *behind, const char *addr, bool no_extensions, struct gx_tls *tls)
{
	struct gx_store_pool_opts po = {.size = sizeof(po), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = GX_EXMDB_SERVER_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	const char *why = "";
	*s = (struct service){0};
	if (behind == NULL)
		ho.pool = s->pool = gx_store_pool_new(&po);
	else
		ho.relay = hand_on;
	ho.relay_ctx = behind;
	ck_assert_int_eq(gx_exmdb_host_new(&ho, &s->host), 0);
	so.host = s->host;
	so.no_extensions = no_extensions;
	ck_assert_int_eq(gx_exmdb_server_new(&so, &s->srv), 0);
	no.loops = 1;
	no.workers = 4;
	ck_assert_int_eq(gx_net_new(&no, &s->net), 0);
	gx_exmdb_server_factory(&lo.factory, s->srv);
	lo.addr = addr;
	lo.tls = tls;
	lo.implicit_tls = tls != NULL;
	ck_assert_msg(gx_net_listen(s->net, &lo, &s->port, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(s->net), 0);
	if (addr[0] == '/')
		snprintf(s->addr, sizeof(s->addr), "%s", addr);
	else
		snprintf(s->addr, sizeof(s->addr), "127.0.0.1:%u", s->port);
}

static void begin(struct service *s, const char *addr, bool no_extensions, struct gx_tls *tls)
{
	begin_before(s, NULL, addr, no_extensions, tls);
}

static void end(struct service *s)
{
	gx_net_stop(s->net, 2000);
	gx_net_free(s->net);
	gx_exmdb_server_free(s->srv);
	gx_exmdb_host_free(s->host);
	gx_store_pool_free(s->pool);
}

static struct gx_exmdb *client(const char *addr, struct gx_exmdb_remote_opts *given)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	struct gx_exmdb *x = NULL;
	const char *why = "";
	if (given != NULL)
		o = *given;
	o.size = sizeof(o);
	o.server = addr;
	ck_assert_msg(gx_exmdb_remote_new(&o, &x, a, &why) == 0, "%s", why);
	return x;
}

enum { BY_TCP, BY_UNIX, BY_TCP_PLAIN, BY_TCP_OLD_SERVER, RELAYED, RELAYED_PLAIN, WAYS };

START_TEST(scenario)
{
	int way = _i % WAYS, which = _i / WAYS;
	bool relayed = way == RELAYED || way == RELAYED_PLAIN;
	struct service s, behind;
	struct gx_exmdb_remote_opts o = {.plain = way == BY_TCP_PLAIN || way == RELAYED_PLAIN};
	const char *local = gx_arena_printf(a, "%s/x.sock", dir);
	if (relayed)
		begin(&behind, local, false, NULL);
	begin_before(&s, relayed ? &behind : NULL, way == BY_UNIX ? local : "127.0.0.1:0", way == BY_TCP_OLD_SERVER, NULL);
	struct scene sc = {.x = client(s.addr, &o), .dir = dir, .a = a, .full = way == BY_TCP || way == BY_UNIX || way == RELAYED};
	scenarios[which].run(&sc);
	gx_exmdb_free(sc.x);
	end(&s);
	if (relayed)
		end(&behind);
}
END_TEST

START_TEST(connections_are_used_again)
{
	struct service s;
	struct gx_net_stats st;
	struct gx_x_allocate_cn_ans cn;
	begin(&s, "127.0.0.1:0", false, NULL);
	struct gx_exmdb *x = client(s.addr, NULL);
	for (int i = 0; i < 50; ++i)
		ST_OK(gx_exmdb_allocate_cn(x, dir, a, &cn, NULL));
	/* a failed call does not cost the connection either */
	struct gx_x_allocate_ids_req q = {UINT32_MAX};
	struct gx_x_allocate_ids_ans ids;
	ST_IS(gx_exmdb_allocate_ids(x, dir, &q, a, &ids, NULL), ecInvalidParam);
	ST_IS(gx_exmdb_ping_store(x, "/nonexistent", a, NULL), ecNotFound);
	gx_net_stats(s.net, &st);
	ck_assert_uint_eq(st.accepted, 1);
	gx_exmdb_free(x);
	end(&s);
}
END_TEST

struct busy {
	pthread_t t;
	struct gx_exmdb *x;
	unsigned done;
};

static void *many_calls(void *ctx)
{
	struct busy *b = ctx;
	struct gx_arena *own = gx_arena_new(0);
	struct gx_x_allocate_cn_ans cn;
	for (int i = 0; i < 40; ++i) {
		if (!gx_ec_failed(gx_exmdb_allocate_cn(b->x, dir, own, &cn, NULL)))
			++b->done;
		gx_arena_reset(own);
	}
	gx_arena_free(own);
	return NULL;
}

START_TEST(many_threads_few_connections)
{
	struct service s;
	struct busy b[8];
	struct gx_net_stats st;
	struct gx_exmdb_remote_opts o = {.max_conns = 3};
	begin(&s, "127.0.0.1:0", false, NULL);
	struct gx_exmdb *x = client(s.addr, &o);
	for (int i = 0; i < 8; ++i) {
		b[i] = (struct busy){.x = x};
		ck_assert_int_eq(pthread_create(&b[i].t, NULL, many_calls, &b[i]), 0);
	}
	for (int i = 0; i < 8; ++i) {
		pthread_join(b[i].t, NULL);
		ck_assert_uint_eq(b[i].done, 40);
	}
	gx_net_stats(s.net, &st);
	ck_assert_uint_le(st.accepted, 3);
	gx_exmdb_free(x);
	end(&s);
}
END_TEST

static uint32_t subscribe(struct gx_exmdb *x)
{
	struct gx_x_subscribe_notification_req q = {2, true, 0, 0};
	struct gx_x_subscribe_notification_ans ans = {0};
	const char *why = "";
	gx_ec ec = gx_exmdb_subscribe_notification(x, dir, &q, a, &ans, &why);
	ck_assert_msg(!gx_ec_failed(ec), "%s", why);
	return ans.sub_id;
}

static gx_ec new_mail(struct gx_exmdb *x, uint64_t mid)
{
	struct gx_x_transport_new_mail_req q = {gx_eid_make(1, 13), gx_eid_make(1, mid), 1, "IPM.Note"};
	return gx_exmdb_transport_new_mail(x, dir, &q, a, NULL);
}

START_TEST(server_starts_anew)
{
	struct service s;
	struct gx_x_notification n;
	struct gx_x_allocate_cn_ans cn;
	begin(&s, "127.0.0.1:0", false, NULL);
	struct gx_exmdb *x = client(s.addr, NULL);
	char addr[128];
	snprintf(addr, sizeof(addr), "%s", s.addr);
	uint32_t sub = subscribe(x);
	ST_OK(new_mail(x, 1));
	ck_assert_int_eq(gx_exmdb_event(x, 20000, a, &n), GX_XEV_EVENT);
	ck_assert_uint_eq(n.ids[0], sub);
	for (int round = 0; round < 2; ++round) {
		end(&s);
		const char *why = "";
		ck_assert(gx_ec_failed(gx_exmdb_allocate_cn(x, dir, a, &cn, &why)));
		ck_assert(*why != '\0');
		begin(&s, addr, false, NULL);
		/* told of the gap, then everything goes on under the old number */
		ck_assert_int_eq(gx_exmdb_event(x, 60000, a, &n), GX_XEV_LOST);
		ST_OK(new_mail(x, 2));
		ck_assert_int_eq(gx_exmdb_event(x, 20000, a, &n), GX_XEV_EVENT);
		ck_assert_uint_eq(n.ids_count, 1);
		ck_assert_uint_eq(n.ids[0], sub);
		ck_assert_uint_eq(n.message_id, 2);
	}
	struct gx_x_unsubscribe_notification_req u = {sub};
	ST_OK(gx_exmdb_unsubscribe_notification(x, dir, &u, a, NULL));
	ST_OK(new_mail(x, 3));
	ck_assert_int_eq(gx_exmdb_event(x, 100, a, &n), GX_XEV_NONE);
	gx_exmdb_free(x);
	end(&s);
}
END_TEST

static atomic_uint woken;

static void on_wake(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&woken, 1);
}

START_TEST(listeners_are_woken)
{
	struct service s;
	struct gx_x_notification n;
	begin(&s, "127.0.0.1:0", false, NULL);
	struct gx_exmdb_remote_opts o = {.max_events = 2};
	struct gx_exmdb *x = client(s.addr, &o), *y = client(s.addr, NULL);
	atomic_store(&woken, 0);
	gx_exmdb_on_event(x, on_wake, NULL);
	(void)subscribe(x);
	(void)subscribe(y);
	for (uint64_t i = 1; i <= 4; ++i)
		ST_OK(new_mail(y, i));
	for (uint64_t i = 1; i <= 4; ++i) {
		ck_assert_int_eq(gx_exmdb_event(y, 20000, a, &n), GX_XEV_EVENT);
		ck_assert_uint_eq(n.message_id, i);
	}
	for (int i = 0; atomic_load(&woken) < 4 && i < 2000; ++i)
		usleep(10000);
	ck_assert_uint_eq(atomic_load(&woken), 4);
	/* two fit, the others are known to be lost */
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_LOST);
	gx_exmdb_free(x);
	gx_exmdb_free(y);
	end(&s);
}
END_TEST

START_TEST(servers_that_do_not_answer)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	char addr[64];
	const char *why = "";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", ntohs(sa.sin_port));
	struct gx_exmdb_remote_opts o = {.connect_ms = 200};
	struct gx_exmdb *x = client(addr, &o);
	ST_IS(gx_exmdb_ping_store(x, dir, a, &why), ecTimeout);
	ck_assert_ptr_nonnull(strstr(why, addr));
	gx_exmdb_free(x);
	close(fd);
	x = client(addr, NULL);
	ST_IS(gx_exmdb_ping_store(x, dir, a, &why), ecRpcFailed);
	ck_assert_ptr_nonnull(strstr(why, "refused"));
	gx_exmdb_free(x);
	x = client("/nonexistent/socket", NULL);
	ST_IS(gx_exmdb_ping_store(x, dir, a, &why), ecRpcFailed);
	gx_exmdb_free(x);
}
END_TEST

START_TEST(bad_options)
{
	static const char *const bad[] = {"", "[::1", "[::1]5000", "host:", ":5000", "[]:5000", "host:123456789"};
	static const char *const good[] = {"host", "host:5000", "::1", "[::1]", "[::1]:5000", "192.0.2.1:1", "/run/x.sock"};
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	struct gx_exmdb *x;
	const char *why;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		o.server = bad[i];
		ck_assert_msg(gx_exmdb_remote_new(&o, &x, a, &why) == GX_E_INVAL, "%s", bad[i]);
		ck_assert(*why != '\0');
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); ++i)
		gx_exmdb_free(client(good[i], NULL));
	o.server = NULL;
	ck_assert_int_eq(gx_exmdb_remote_new(&o, &x, a, &why), GX_E_INVAL);
}
END_TEST

static struct service *places[2];
static unsigned located;

static int locate(const char *store, struct gx_arena *arena, const char **ret_server, void *ctx)
{
	(void)ctx;
	(void)arena;
	++located;
	if (strstr(store, "none") != NULL)
		return GX_E_NOTFOUND;
	*ret_server = places[strcmp(store, dir) != 0]->addr;
	return 0;
}

START_TEST(stores_on_several_servers)
{
	struct service s, t;
	struct gx_exmdb *x;
	const char *why;
	char *second = strdup(st_dir());
	st_create(second);
	begin(&s, "127.0.0.1:0", false, NULL);
	begin(&t, "127.0.0.1:0", false, NULL);
	places[0] = &s;
	places[1] = &t;
	located = 0;
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	o.locate = locate;
	ck_assert_int_eq(gx_exmdb_remote_new(&o, &x, a, NULL), 0);
	for (int i = 0; i < 10; ++i) {
		ST_OK(gx_exmdb_ping_store(x, dir, a, NULL));
		ST_OK(gx_exmdb_ping_store(x, second, a, NULL));
	}
	ck_assert_uint_eq(located, 2);
	ST_IS(gx_exmdb_ping_store(x, "/none", a, &why), ecNotFound);
	ck_assert_ptr_nonnull(strstr(why, "/none"));
	gx_exmdb_free(x);
	end(&s);
	end(&t);
	st_rmtree(second);
	free(second);
}
END_TEST

/* As a process that has closed its socket but has not ended yet: only the fourth that is asked for is there. */
static int locate_late(const char *store, struct gx_arena *arena, const char **ret_server, void *ctx)
{
	struct service *s = ctx;
	(void)store;
	*ret_server = gx_arena_printf(arena, "%s/late.sock", dir);
	if (++located == 4)
		begin(s, *ret_server, false, NULL);
	return *ret_server == NULL ? GX_E_NOMEM : 0;
}

START_TEST(a_process_that_is_ending_is_waited_for)
{
	struct service s;
	struct gx_exmdb *x;
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	located = 0;
	o.locate = locate_late;
	o.locate_ctx = &s;
	ck_assert_int_eq(gx_exmdb_remote_new(&o, &x, a, NULL), 0);
	ST_OK(gx_exmdb_ping_store(x, dir, a, NULL));
	ck_assert_uint_eq(located, 4);
	gx_exmdb_free(x);
	end(&s);
}
END_TEST

/* ---- Transports ---- */

struct shy {
	int fd;
	bool said;
};

static void *shy_open(int fd, const char *server, void *ctx, char *why, size_t why_size)
{
	(void)server;
	(void)ctx;
	(void)why;
	(void)why_size;
	struct shy *y = calloc(1, sizeof(*y));
	ck_assert_ptr_nonnull(y);
	y->fd = fd;
	return y;
}

/* What TLS does when a record came that was for itself: every other time there is nothing for the caller. */
static bool refuse(struct shy *y)
{
	y->said = !y->said;
	if (y->said)
		errno = EAGAIN;
	return y->said;
}

static long shy_read(void *session, void *p, size_t n)
{
	struct shy *y = session;
	return refuse(y) ? -1 : (long)recv(y->fd, p, n, 0);
}

static long shy_write(void *session, const void *p, size_t n)
{
	struct shy *y = session;
	return refuse(y) ? -1 : (long)send(y->fd, p, n, MSG_NOSIGNAL);
}

static size_t shy_pending(void *session)
{
	(void)session;
	return 0;
}

START_TEST(transports_have_nothing_at_times)
{
	static const struct gx_exmdb_transport tp = {shy_open, shy_read, shy_write, shy_pending, free, NULL};
	struct service s;
	struct gx_x_notification n;
	struct gx_x_allocate_cn_ans cn;
	struct gx_exmdb_remote_opts o = {.transport = &tp};
	begin(&s, "127.0.0.1:0", false, NULL);
	struct gx_exmdb *x = client(s.addr, &o);
	ST_OK(gx_exmdb_allocate_cn(x, dir, a, &cn, NULL));
	(void)subscribe(x);
	ST_OK(new_mail(x, 5));
	ck_assert_int_eq(gx_exmdb_event(x, 20000, a, &n), GX_XEV_EVENT);
	gx_exmdb_free(x);
	end(&s);
}
END_TEST

/* ---- TLS ---- */

static void write_file(const char *path, const gnutls_datum_t *d)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(d->data, 1, d->size, f), d->size);
	fclose(f);
}

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	char *crt_path, *key_path;
};

static struct identity make_identity(const char *name, const struct identity *by, const char *purpose)
{
	static unsigned char serial;
	struct identity i;
	gnutls_datum_t pem;
	++serial;
	i.crt_path = gx_arena_printf(a, "%s/%s.crt", dir, name);
	i.key_path = gx_arena_printf(a, "%s/%s.key", dir, name);
	gnutls_x509_privkey_init(&i.key);
	gnutls_x509_privkey_generate(i.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&i.crt);
	gnutls_x509_crt_set_version(i.crt, 3);
	gnutls_x509_crt_set_serial(i.crt, &serial, 1);
	gnutls_x509_crt_set_dn_by_oid(i.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(i.crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), 0);
	gnutls_x509_crt_set_activation_time(i.crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(i.crt, time(NULL) + 86400);
	gnutls_x509_crt_set_basic_constraints(i.crt, by == NULL, -1);
	if (by == NULL)
		gnutls_x509_crt_set_key_usage(i.crt, GNUTLS_KEY_KEY_CERT_SIGN);
	else
		gnutls_x509_crt_set_key_purpose_oid(i.crt, purpose, 0);
	gnutls_x509_crt_set_key(i.crt, i.key);
	ck_assert_int_eq(gnutls_x509_crt_sign2(i.crt, by == NULL ? i.crt : by->crt, by == NULL ? i.key : by->key, GNUTLS_DIG_SHA256, 0), 0);
	ck_assert_int_eq(gnutls_x509_crt_export2(i.crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(i.crt_path, &pem);
	gnutls_free(pem.data);
	ck_assert_int_eq(gnutls_x509_privkey_export2(i.key, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(i.key_path, &pem);
	gnutls_free(pem.data);
	return i;
}

static void drop_identity(struct identity *i)
{
	gnutls_x509_crt_deinit(i->crt);
	gnutls_x509_privkey_deinit(i->key);
}

static gx_ec ping_with(const struct service *s, const struct identity *ca, const struct identity *me, const char *name, const char **ret_why)
{
	struct gx_exmdb_tls_opts to = GX_EXMDB_TLS_OPTS_INIT;
	struct gx_exmdb_transport *tp;
	struct gx_exmdb_remote_opts o = {0};
	to.ca_path = ca->crt_path;
	to.cert_path = me != NULL ? me->crt_path : NULL;
	to.key_path = me != NULL ? me->key_path : NULL;
	to.server_name = name;
	ck_assert_msg(gx_exmdb_tls_new(&to, &tp, a, ret_why) == 0, "%s", *ret_why);
	o.transport = tp;
	struct gx_exmdb *x = client(s->addr, &o);
	gx_ec ec = gx_exmdb_ping_store(x, dir, a, ret_why);
	if (!gx_ec_failed(ec)) {
		/* events and answers larger than a record, too */
		struct gx_x_notification n;
		char *big = gx_arena_calloc(a, 1, 100001);
		memset(big, 'b', 100000);
		struct gx_propval v = {PidTagComment, {.str = big}};
		struct gx_x_set_store_properties_req set = {.props = {&v, 1, 1}};
		struct gx_x_set_store_properties_ans problems;
		gx_proptag_t tag = PidTagComment;
		struct gx_x_get_store_properties_req get = {.tags = &tag, .tags_count = 1};
		struct gx_x_get_store_properties_ans got;
		ST_OK(gx_exmdb_set_store_properties(x, dir, &set, a, &problems, NULL));
		ST_OK(gx_exmdb_get_store_properties(x, dir, &get, a, &got, NULL));
		ck_assert_str_eq(gx_proplist_str(&got.props, tag, ""), big);
		(void)subscribe(x);
		ST_OK(new_mail(x, 5));
		ck_assert_int_eq(gx_exmdb_event(x, 20000, a, &n), GX_XEV_EVENT);
	}
	gx_exmdb_free(x);
	gx_exmdb_tls_free(tp);
	return ec;
}

/* The store of this host is reached in the clear though there is TLS for others. */
START_TEST(one_server_in_the_clear)
{
	struct gx_exmdb_tls_opts to = GX_EXMDB_TLS_OPTS_INIT;
	struct gx_exmdb_transport *tp;
	struct identity ca = make_identity("ca", NULL, NULL);
	struct service s;
	const char *why = "";
	to.ca_path = ca.crt_path;
	ck_assert_msg(gx_exmdb_tls_new(&to, &tp, a, &why) == 0, "%s", why);
	begin(&s, "127.0.0.1:0", false, NULL);
	places[0] = places[1] = &s;
	for (int plain = 0; plain < 2; ++plain) {
		struct gx_exmdb_remote_opts o = {.locate = locate, .transport = tp, .plain_server = plain ? s.addr : NULL, .connect_ms = 500};
		struct gx_exmdb *x = client(NULL, &o);
		gx_ec ec = gx_exmdb_ping_store(x, dir, a, &why);
		ck_assert_msg(gx_ec_failed(ec) == !plain, "%d %s", plain, why);
		ck_assert(plain || strstr(why, "exmdb_listen_tls") != NULL);
		gx_exmdb_free(x);
	}
	end(&s);
	/* a file that is gone is told of, and what was read before stays */
	ck_assert_int_eq(gx_exmdb_tls_reload(tp, a, &why), 0);
	ck_assert_int_eq(unlink(ca.crt_path), 0);
	ck_assert_int_eq(gx_exmdb_tls_reload(tp, a, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, ca.crt_path));
	gx_exmdb_tls_free(tp);
	drop_identity(&ca);
}
END_TEST

START_TEST(certificates)
{
	struct identity ca = make_identity("ca", NULL, NULL), other = make_identity("other-ca", NULL, NULL);
	struct identity srv = make_identity("store.example.org", &ca, GNUTLS_KP_TLS_WWW_SERVER);
	struct identity me = make_identity("imap.example.org", &ca, GNUTLS_KP_TLS_WWW_CLIENT);
	struct identity stranger = make_identity("stranger", &other, GNUTLS_KP_TLS_WWW_CLIENT);
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	struct gx_tls *tls;
	struct service s;
	const char *why = "";
	to.cert_path = srv.crt_path;
	to.key_path = srv.key_path;
	to.client_ca_path = ca.crt_path;
	ck_assert_msg(gx_tls_new(&to, &tls, a, &why) == 0, "%s", why);
	begin(&s, "127.0.0.1:0", false, tls);
	gx_ec ec = ping_with(&s, &ca, &me, "store.example.org", &why);
	ck_assert_msg(!gx_ec_failed(ec), "%s", why);
	/* none, one of another authority, a server's one; and a server that is not who it should be */
	ck_assert(gx_ec_failed(ping_with(&s, &ca, NULL, "store.example.org", &why)));
	ck_assert(gx_ec_failed(ping_with(&s, &ca, &stranger, "store.example.org", &why)));
	ck_assert(gx_ec_failed(ping_with(&s, &ca, &srv, "store.example.org", &why)));
	ck_assert(gx_ec_failed(ping_with(&s, &ca, &me, "evil.example.org", &why)));
	ck_assert_ptr_nonnull(strstr(why, "TLS"));
	ck_assert(gx_ec_failed(ping_with(&s, &other, &me, "store.example.org", &why)));
	end(&s);
	gx_tls_free(tls);
	/* files that cannot serve as authorities */
	to.client_ca_path = srv.key_path;
	ck_assert_int_eq(gx_tls_new(&to, &tls, a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, srv.key_path));
	to.client_ca_path = "/nonexistent/ca";
	ck_assert_int_eq(gx_tls_new(&to, &tls, a, &why), GX_E_NOTFOUND);
	drop_identity(&ca);
	drop_identity(&other);
	drop_identity(&srv);
	drop_identity(&me);
	drop_identity(&stranger);
}
END_TEST

static Suite *remote_suite(void)
{
	Suite *s = suite_create("remote");
	TCase *t = tcase_create("remote");
	int n = 0;
	while (scenarios[n].name != NULL)
		++n;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, scenario, 0, n * WAYS);
	tcase_add_test(t, connections_are_used_again);
	tcase_add_test(t, many_threads_few_connections);
	tcase_add_test(t, server_starts_anew);
	tcase_add_test(t, listeners_are_woken);
	tcase_add_test(t, servers_that_do_not_answer);
	tcase_add_test(t, bad_options);
	tcase_add_test(t, stores_on_several_servers);
	tcase_add_test(t, a_process_that_is_ending_is_waited_for);
	tcase_add_test(t, transports_have_nothing_at_times);
	tcase_add_test(t, certificates);
	tcase_add_test(t, one_server_in_the_clear);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(remote_suite)
