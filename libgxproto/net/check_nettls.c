/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <malloc.h>
#include "libgxproto/net/certtest.h"
#include "libgxproto/net/nettest.h"

/* TLS, from the first octet or by STARTTLS. */

static char cert_path[60], key_path[60];

static void make_cert(const char *name)
{
	snprintf(cert_path, sizeof(cert_path), "/tmp/check_nettls.%d.crt", (int)getpid());
	snprintf(key_path, sizeof(key_path), "/tmp/check_nettls.%d.key", (int)getpid());
	ck_assert(cert_make(name, cert_path, key_path));
}

static void drop_cert(void)
{
	unlink(cert_path);
	unlink(key_path);
}

static struct gx_tls *server_tls(const char *min_proto)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	struct gx_tls *t = NULL;
	const char *why = "";
	to.cert_path = cert_path;
	to.key_path = key_path;
	to.min_proto = min_proto;
	ck_assert_msg(gx_tls_new(&to, &t, a, &why) == 0, "%s", why);
	gx_arena_free(a);
	return t;
}

struct client {
	gnutls_session_t s;
	gnutls_certificate_credentials_t cred;
	int fd;
};

static int client_tls(struct client *c, int fd, const char *prio, const gnutls_datum_t *resume)
{
	c->fd = fd;
	gnutls_certificate_allocate_credentials(&c->cred);
	gnutls_init(&c->s, GNUTLS_CLIENT);
	gnutls_priority_set_direct(c->s, prio, NULL);
	gnutls_credentials_set(c->s, GNUTLS_CRD_CERTIFICATE, c->cred);
	gnutls_transport_set_int(c->s, fd);
	if (resume != NULL)
		gnutls_session_set_data(c->s, resume->data, resume->size);
	int ret;
	do
		ret = gnutls_handshake(c->s);
	while (ret == GNUTLS_E_INTERRUPTED);
	return ret;
}

static void tput(struct client *c, const char *text)
{
	ck_assert_int_eq(gnutls_record_send(c->s, text, strlen(text)), (ssize_t)strlen(text));
}

static ssize_t trecv(struct client *c, void *buf, size_t n)
{
	ssize_t got;
	do
		got = gnutls_record_recv(c->s, buf, n);
	while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
	return got;
}

static void texpect(struct client *c, const char *text)
{
	char buf[1000];
	size_t n = 0, len = strlen(text);
	while (n < len) {
		ssize_t got = trecv(c, buf + n, len - n);
		ck_assert_msg(got > 0, "expected \"%s\", got %zd", text, got);
		n += (size_t)got;
	}
	ck_assert_msg(memcmp(buf, text, len) == 0, "expected \"%s\", got \"%.*s\"", text, (int)n, buf);
}

static void client_end(struct client *c)
{
	gnutls_deinit(c->s);
	gnutls_certificate_free_credentials(c->cred);
	close(c->fd);
}

#define V12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define V13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
static const char *const versions[] = {V12, V13};

START_TEST(implicit_tls)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls("tls1.2");
	lo.implicit_tls = true;
	serve(&s, &lo, 2);
	ck_assert_int_eq(client_tls(&c, dial(&s), versions[_i], NULL), 0);
	texpect(&c, "hello\n");
	tput(&c, "peer\nwork\nwait\n");
	texpect(&c, "127.0.0.1 127.0.0.1 1 tls\nworked\nwoken\n");
	tput(&c, "big 3000000\n");
	static uint8_t buf[20000];
	for (unsigned long left = 3000000; left > 0;) {
		ssize_t got = trecv(&c, buf, left < sizeof(buf) ? left : sizeof(buf));
		ck_assert_int_gt(got, 0);
		check_big(buf, (size_t)got, &left);
	}
	gnutls_datum_t session;
	tput(&c, "quit\n");
	texpect(&c, "bye\n");
	ck_assert_int_eq(trecv(&c, buf, sizeof(buf)), 0);
	ck_assert_int_eq(gnutls_session_get_data2(c.s, &session), 0);
	client_end(&c);
	/* The ticket lets the client come back without a whole handshake. */
	ck_assert_int_eq(client_tls(&c, dial(&s), versions[_i], &session), 0);
	texpect(&c, "hello\n");
	ck_assert_int_eq(gnutls_session_is_resumed(c.s), 1);
	client_end(&c);
	gnutls_free(session.data);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(starttls)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	serve(&s, &lo, 2);
	int fd = dial(&s);
	expect(fd, "hello\n");
	put(fd, "starttls\n");
	expect(fd, "go ahead\n");
	ck_assert_int_eq(client_tls(&c, fd, versions[_i], NULL), 0);
	texpect(&c, "secret\n");
	tput(&c, "peer\n");
	texpect(&c, "127.0.0.1 127.0.0.1 1 tls\n");
	client_end(&c);
	/* Commands smuggled in behind STARTTLS break the handshake and are never run. */
	fd = dial(&s);
	expect(fd, "hello\n");
	put(fd, "starttls\nsmuggled\n");
	expect(fd, "go ahead\n");
	ck_assert_int_ne(client_tls(&c, fd, versions[_i], NULL), 0);
	client_end(&c);
	end_server(&s);
	ck_assert(said(&s, "TLS handshake failed"));
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(shutdown_does_not_wait_for_handshakes)
{
	struct server s;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 1);
	int fd = dial(&s);
	put(fd, "\x16\x03");
	usleep(20000);
	gx_net_stop(s.net, 600000);
	ck_assert(!said(&s, "did not end in time"));
	close(fd);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(old_tls_and_silence_are_refused)
{
	struct server s;
	struct client c;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls("tls1.3");
	lo.implicit_tls = true;
	lo.handshake_ms = 100;
	serve(&s, &lo, 1);
	ck_assert_int_ne(client_tls(&c, dial(&s), V12, NULL), 0);
	client_end(&c);
	int fd = dial(&s);
	expect_end(fd);
	close(fd);
	fd = dial(&s);
	sock_try(fd, "EHLO plain.example\r\n");
	char buf[100];
	while (sock_recv(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

static void subject_of(struct client *c, char *out, size_t cap)
{
	unsigned n;
	const gnutls_datum_t *d = gnutls_certificate_get_peers(c->s, &n);
	gnutls_x509_crt_t crt;
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, d, GNUTLS_X509_FMT_DER);
	gnutls_x509_crt_get_dn(crt, out, &cap);
	gnutls_x509_crt_deinit(crt);
}

START_TEST(certificates_reload)
{
	struct server s;
	struct client c, d;
	char name[100];
	const char *why = NULL;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("first.example");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 1);
	ck_assert_int_eq(client_tls(&c, dial(&s), V13, NULL), 0);
	subject_of(&c, name, sizeof(name));
	ck_assert_str_eq(name, "CN=first.example");
	make_cert("second.example");
	ck_assert_int_eq(gx_tls_reload(lo.tls, s.a, &why), 0);
	ck_assert_int_eq(client_tls(&d, dial(&s), V13, NULL), 0);
	subject_of(&d, name, sizeof(name));
	ck_assert_str_eq(name, "CN=second.example");
	texpect(&c, "hello\n");
	tput(&c, "old\n");
	texpect(&c, "old\n");
	unlink(key_path);
	ck_assert_int_eq(gx_tls_reload(lo.tls, s.a, &why), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why, key_path));
	client_end(&c);
	client_end(&d);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

START_TEST(bad_certificates_are_explained)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_tls_opts to = GX_TLS_OPTS_INIT;
	struct gx_tls *t = NULL;
	const char *why = "";
	char first_key[100], list[250];
	make_cert("a.example");
	snprintf(first_key, sizeof(first_key), "%s.old", key_path);
	rename(key_path, first_key);
	make_cert("b.example");
	to.cert_path = cert_path;
	to.key_path = first_key;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "does not belong"));
	to.key_path = cert_path;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_FORMAT);
	snprintf(list, sizeof(list), "%s:%s", cert_path, cert_path);
	to.cert_path = list;
	to.key_path = key_path;
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	to.cert_path = "";
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	to.cert_path = cert_path;
	to.min_proto = "ssl3";
	ck_assert_int_eq(gx_tls_new(&to, &t, a, &why), GX_E_INVAL);
	ck_assert_ptr_nonnull(strstr(why, "tls_min_proto"));
	ck_assert_ptr_null(t);
	unlink(first_key);
	drop_cert();
	gx_arena_free(a);
}
END_TEST

START_TEST(idle_tls_connections)
{
	enum { N = 200 };
	struct server s;
	static struct client c[N];
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	make_cert("localhost");
	lo.tls = server_tls(NULL);
	lo.implicit_tls = true;
	serve(&s, &lo, 2);
	for (unsigned i = 0; i < N; ++i) {
		ck_assert_int_eq(client_tls(&c[i], dial(&s), "NORMAL", NULL), 0);
		texpect(&c[i], "hello\n");
	}
	/* Client sessions are freed, so that what is left is the server's. */
	for (unsigned i = 0; i < N; ++i) {
		gnutls_deinit(c[i].s);
		gnutls_certificate_free_credentials(c[i].cred);
	}
	size_t with = mallinfo2().uordblks;
	for (unsigned i = 0; i < N; ++i)
		close(c[i].fd);
	struct gx_net_stats st = {.conns = N};
	for (unsigned i = 0; i < 60000 && st.conns > 0; ++i) {
		usleep(1000);
		gx_net_stats(s.net, &st);
	}
	ck_assert_uint_eq(st.conns, 0);
	size_t each = (with - mallinfo2().uordblks) / N;
	printf("# idle TLS connection: %zu bytes of heap each\n", each);
	ck_assert_uint_lt(each, 48 << 10);
	end_server(&s);
	gx_tls_free(lo.tls);
	drop_cert();
}
END_TEST

static Suite *nettls_suite(void)
{
	Suite *s = suite_create("nettls");
	TCase *t = tcase_create("nettls");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, implicit_tls, 0, 2);
	tcase_add_loop_test(t, starttls, 0, 2);
	tcase_add_test(t, shutdown_does_not_wait_for_handshakes);
	tcase_add_test(t, old_tls_and_silence_are_refused);
	tcase_add_test(t, certificates_reload);
	tcase_add_test(t, bad_certificates_are_explained);
	tcase_add_test(t, idle_tls_connections);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(nettls_suite)
