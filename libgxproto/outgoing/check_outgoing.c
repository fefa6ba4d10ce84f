/* SPDX-License-Identifier: Apache-2.0 */
/* Mail to an agent that says what the test wants, by SMTP and by a program. */
#include <config.h>
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "libgxproto/net/certtest.h"
#include "libgxstore/storetest.h"
#include "libgxproto/outgoing/outgoing-int.h"

static struct gx_arena *a;
static char dir[512];
static struct gx_dir *people;
static struct gx_journal *journal;

/* ---- An agent ---- */

static struct {
	int fd;
	unsigned port;
	pthread_t thread;
	const char *at, *says;       /* to a line that begins so this is answered */
	bool mute;                   /* nothing at all */
	bool smtps, starttls;
	const char *auth;            /* what it offers */
	gnutls_session_t tls;
	char heard[8192];
} agent;

static char cert_path[600], key_path[600];

static void hear(const char *line)
{
	size_t n = strlen(agent.heard);
	snprintf(agent.heard + n, sizeof(agent.heard) - n, "%s|", line);
}

static const char *reply(const char *line, bool *io_data)
{
	static char ehlo[200];
	if (*io_data) {
		*io_data = strcmp(line, ".") != 0;
		return *io_data ? NULL : agent.at != NULL && strcmp(agent.at, ".") == 0 ? agent.says : "250 taken";
	}
	if (agent.at != NULL && strncmp(line, agent.at, strlen(agent.at)) == 0)
		return agent.says;
	if (strncmp(line, "EHLO", 4) == 0) {
		snprintf(ehlo, sizeof(ehlo), "250-agent\r\n250-8BITMIME\r\n%s%s%s%s250 SIZE", agent.starttls ? "250-STARTTLS\r\n" : "",
			agent.auth != NULL ? "250-AUTH " : "", agent.auth != NULL ? agent.auth : "", agent.auth != NULL ? "\r\n" : "");
		return ehlo;
	}
	if (strncmp(line, "AUTH PLAIN", 10) == 0 || strcmp(line, "c2VjcmV0") == 0)
		return "235 in";
	if (strcmp(line, "AUTH LOGIN") == 0 || strcmp(line, "dXNlcg==") == 0)
		return "334 ";
	*io_data = strcmp(line, "DATA") == 0;
	return *io_data ? "354 go on" : "250 good";
}

static void say(int fd, const char *text)
{
	const char *line = gx_arena_printf(a, "%s\r\n", text);
	if (agent.tls != NULL)
		(void)gnutls_record_send(agent.tls, line, strlen(line));
	else
		(void)!write(fd, line, strlen(line));
}

static bool next_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	while (n + 1 < size && (agent.tls != NULL ? gnutls_record_recv(agent.tls, line + n, 1) : read(fd, line + n, 1)) == 1)
		if (line[n++] == '\n') {
			line[n] = '\0';
			line[strcspn(line, "\r\n")] = '\0';
			return true;
		}
	return false;
}

static bool encrypt(int fd, gnutls_certificate_credentials_t *cred)
{
	gnutls_certificate_allocate_credentials(cred);
	ck_assert_int_eq(gnutls_certificate_set_x509_key_file(*cred, cert_path, key_path, GNUTLS_X509_FMT_PEM), 0);
	gnutls_init(&agent.tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(agent.tls);
	gnutls_credentials_set(agent.tls, GNUTLS_CRD_CERTIFICATE, *cred);
	gnutls_transport_set_int(agent.tls, fd);
	int r;
	while ((r = gnutls_handshake(agent.tls)) != 0 && !gnutls_error_is_fatal(r))
		;
	return r == 0;
}

static void *serve(void *ctx)
{
	char line[1024];
	bool data = false;
	gnutls_certificate_credentials_t cred = NULL;
	int c = accept(agent.fd, NULL, NULL);
	(void)ctx;
	bool good = !agent.smtps || encrypt(c, &cred);
	if (good && !agent.mute)
		say(c, "220 agent");
	while (good && next_line(c, line, sizeof(line))) {
		hear(line);
		const char *r = reply(line, &data);
		if (r != NULL && !agent.mute)
			say(c, r);
		if (strcmp(line, "STARTTLS") == 0)
			good = encrypt(c, &cred);
	}
	if (agent.tls != NULL)
		gnutls_deinit(agent.tls);
	if (cred != NULL)
		gnutls_certificate_free_credentials(cred);
	agent.tls = NULL;
	close(c);
	return NULL;
}

static void start(const char *at, const char *says)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(sin);
	memset(agent.heard, 0, sizeof(agent.heard));
	agent.at = at;
	agent.says = says;
	agent.fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(agent.fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(agent.fd, 1), 0);
	ck_assert_int_eq(getsockname(agent.fd, (struct sockaddr *)&sin, &n), 0);
	agent.port = ntohs(sin.sin_port);
	ck_assert_int_eq(pthread_create(&agent.thread, NULL, serve, NULL), 0);
}

static const char *stop(void)
{
	pthread_join(agent.thread, NULL);
	close(agent.fd);
	return agent.heard;
}

/* ---- Around ---- */

static void setup(void)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_user_new n = GX_USER_NEW_INIT;
	struct gx_journal_opts j = GX_JOURNAL_OPTS_INIT;
	const char *why = "";
	uint32_t id;
	a = gx_arena_new(0);
	snprintf(dir, sizeof(dir), "%s", st_dir());
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	d.path = gx_arena_printf(a, "%s/people", dir);
	ck_assert_int_eq(gx_dir_create(d.path, a, &why), 0);
	ck_assert_int_eq(gx_dir_open(&d, &people, a, &why), 0);
	ck_assert_int_eq(gx_dir_add_domain(people, "example.org", "", 9, &id), 0);
	n.username = "bob@example.org";
	n.password = "x";
	n.maildir = "/nowhere";
	ck_assert_int_eq(gx_dir_add_user(people, &n, &id), 0);
	j.dir = gx_arena_printf(a, "%s/journal", dir);
	j.segment_bytes = 1 << 20;
	ck_assert_int_eq(gx_journal_open(&j, &journal, a, &why), 0);
}

static void teardown(void)
{
	gx_journal_close(journal);
	gx_dir_close(people);
	gx_arena_free(a);
	st_rmtree(dir);
}

static struct gx_fate fates[2];
static struct gx_outgoing_opts given;

static struct gx_outgoing *out(const char *url)
{
	struct gx_outgoing_opts o = given;
	struct gx_outgoing *x;
	const char *why = "";
	o.dir = people;
	o.url = url;
	o.host = "here.example.org";
	o.sendmail = gx_arena_printf(a, "%s/sendmail", dir);
	o.timeout_ms = 20000;
	o.size = sizeof(o);
	ck_assert_msg(gx_outgoing_new(&o, &x, a, &why) == 0, "%s", why);
	return x;
}

#define TEXT "Subject: x\r\n\r\n.dot\r\n..two\r\nend"

static int send_to(struct gx_outgoing *o, struct gx_journal *j, const char *r0, const char *r1)
{
	const char *const rcpts[] = {r0, r1};
	const struct gx_envelope env = {.from = "ann@example.org", .rcpts = rcpts, .rcpt_count = r1 == NULL ? 1 : 2, .client = "test",
		.id = (const uint8_t *)"0123456789abcdef"};
	int err = gx_outgoing_send(o, j, &env, (struct gx_bin){(const uint8_t *)TEXT, sizeof(TEXT) - 1}, fates);
	gx_outgoing_free(o);
	return err;
}

static struct gx_outgoing *smtp(const char *at, const char *says)
{
	start(at, says);
	return out(gx_arena_printf(a, "smtp://127.0.0.1:%u/", agent.port));
}

/* ---- SMTP ---- */

START_TEST(by_smtp)
{
	ck_assert_int_eq(send_to(smtp(NULL, NULL), NULL, "bob@example.org", "carl@elsewhere.org"), 0);
	ck_assert_str_eq(stop(), "EHLO here.example.org|MAIL FROM:<ann@example.org>|RCPT TO:<bob@example.org>|RCPT TO:<carl@elsewhere.org>|"
		"DATA|Subject: x||..dot|...two|end|.|QUIT|");
}
END_TEST

START_TEST(ours_by_the_journal)
{
	ck_assert_int_eq(send_to(smtp(NULL, NULL), journal, "bob@example.org", "carl@elsewhere.org"), 0);
	ck_assert_ptr_null(strstr(stop(), "bob@example.org"));
	ck_assert_ptr_nonnull(strstr(agent.heard, "carl@elsewhere.org"));
	ck_assert_int_eq(send_to(out(""), journal, "bob@example.org", NULL), 0);
	ck_assert_int_eq(send_to(out(""), journal, "bob@example.org", "carl@elsewhere.org"), GX_E_NOTFOUND);
	ck_assert_int_eq(send_to(out("sendmail://localhost"), journal, "zoe@example.org", NULL), GX_E_NOTFOUND);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *at, *says;
		int err;
	} v[] = {
		{"RCPT TO:<carl", "550 no such user", GX_E_NOTFOUND}, {"RCPT TO:<carl", "450 not now", GX_E_BUSY}, {"MAIL", "552 too large", GX_E_INVAL},
		{"DATA", "554 no", GX_E_INVAL}, {".", "554 spam", GX_E_INVAL}, {".", "451 disk full", GX_E_BUSY}, {"EHLO", "what?", GX_E_FORMAT},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i) {
		ck_assert_int_eq(send_to(smtp(v[i].at, v[i].says), NULL, "bob@example.org", "carl@elsewhere.org"), v[i].err);
		stop();
	}
	struct gx_outgoing *o = smtp(NULL, NULL); /* what it did not offer */
	ck_assert_int_eq(send_to(o, NULL, "b\303\266b@elsewhere.org", NULL), GX_E_NOTFOUND);
	stop();
	ck_assert_int_eq(send_to(smtp(NULL, NULL), NULL, "x@elsewhere.org>\r\nRCPT TO:<y@z", NULL), GX_E_INVAL);
	stop();
}
END_TEST

START_TEST(not_there)
{
	start(NULL, NULL);
	struct gx_outgoing *o = out(gx_arena_printf(a, "smtp://127.0.0.1:%u", agent.port));
	agent.mute = true;
	o->o.timeout_ms = 50;
	ck_assert_int_eq(send_to(o, NULL, "carl@elsewhere.org", NULL), GX_E_TIMEOUT);
	stop();
	agent.mute = false;
	o = out(gx_arena_printf(a, "smtp://127.0.0.1:%u", agent.port)); /* nobody listens any more */
	ck_assert_int_eq(send_to(o, NULL, "carl@elsewhere.org", NULL), GX_E_IO);
}
END_TEST

/* One is refused, or to wait; the other has it. */
START_TEST(each_for_himself)
{
	ck_assert_int_eq(send_to(smtp("RCPT TO:<carl", "550 5.1.1 no such user"), NULL, "bob@example.org", "carl@elsewhere.org"), GX_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(stop(), "|.|QUIT"));
	ck_assert_int_eq(fates[0].err, 0);
	ck_assert_int_eq(fates[1].err, GX_E_NOTFOUND);
	ck_assert_str_eq(fates[1].says, "550 5.1.1 no such user");
	ck_assert_str_eq(fates[1].host, "127.0.0.1");
	ck_assert_int_eq(send_to(smtp("RCPT TO:<bob", "450 later"), NULL, "bob@example.org", "carl@elsewhere.org"), GX_E_BUSY);
	ck_assert_ptr_nonnull(strstr(stop(), "|.|QUIT"));
	ck_assert(fates[0].err == GX_E_BUSY && fates[1].err == 0);
	ck_assert_int_eq(send_to(smtp(".", "554 5.7.1 spam"), journal, "bob@example.org", "carl@elsewhere.org"), GX_E_INVAL);
	stop();
	ck_assert(fates[0].err == 0 && fates[1].err == GX_E_INVAL);
	ck_assert_str_eq(fates[1].says, "554 5.7.1 spam");
	ck_assert_int_eq(send_to(out("sendmail://localhost"), journal, "bob@example.org", "zoe@example.org"), GX_E_NOTFOUND);
	ck_assert(fates[0].err == 0 && strncmp(fates[1].says, "550 5.1.1 ", 10) == 0);
}
END_TEST

/* ---- Encryption, login ---- */

static int secure(const char *scheme, const char *user, const char *at, const char *says)
{
	start(at, says);
	int err = send_to(out(gx_arena_printf(a, "%s://%slocalhost:%u", scheme, user, agent.port)), NULL, "carl@elsewhere.org", NULL);
	stop();
	return err;
}

START_TEST(encrypted)
{
	ck_assert(cert_make("localhost", cert_path, key_path));
	given.ca_file = cert_path;
	agent.smtps = true;
	ck_assert_int_eq(secure("smtps", "", NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(agent.heard, "|.|QUIT"));
	agent.smtps = false;
	given.starttls = true;
	ck_assert_int_eq(secure("smtp", "", NULL, NULL), GX_E_BUSY); /* not offered: nothing goes in the clear */
	ck_assert_ptr_null(strstr(agent.heard, "MAIL"));
	agent.starttls = true;
	ck_assert_int_eq(secure("smtp", "", NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(agent.heard, "STARTTLS|EHLO here.example.org|MAIL"));
	ck_assert_int_eq(secure("smtp", "", "STARTTLS", "220 go\r\n250 injected"), GX_E_BUSY); /* by somebody in between */
	ck_assert_ptr_nonnull(strstr(fates[0].says, "more than it was asked"));
}
END_TEST

START_TEST(of_whom_nobody_knows)
{
	agent.smtps = true;
	ck_assert(cert_make("localhost", cert_path, key_path));
	ck_assert_int_eq(secure("smtps", "", NULL, NULL), GX_E_BUSY); /* by no authority of the system */
	ck_assert_ptr_nonnull(strstr(fates[0].says, "outgoing_smtp_ca_file"));
	ck_assert(cert_make("mail.example.com", cert_path, key_path));
	given.ca_file = cert_path;
	ck_assert_int_eq(secure("smtps", "", NULL, NULL), GX_E_BUSY); /* somebody else's */
	ck_assert_ptr_null(strstr(agent.heard, "MAIL"));
}
END_TEST

START_TEST(logged_in)
{
	ck_assert(cert_make("localhost", cert_path, key_path));
	given.ca_file = cert_path;
	agent.smtps = true;
	agent.auth = "DIGEST-MD5 PLAIN LOGIN";
	ck_assert_int_eq(secure("smtps", "us%65r:sec%72et@", NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(agent.heard, "AUTH PLAIN AHVzZXIAc2VjcmV0|MAIL"));
	agent.auth = "LOGIN";
	ck_assert_int_eq(secure("smtps", "user:secret@", NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(agent.heard, "AUTH LOGIN|dXNlcg==|c2VjcmV0|MAIL"));
	ck_assert_int_eq(secure("smtps", "user:wrong@", "d3Jvbmc=", "535 5.7.8 no"), GX_E_BUSY);
	ck_assert_ptr_null(strstr(agent.heard, "MAIL"));
	ck_assert_str_eq(fates[0].says, "535 5.7.8 no");
	given.password_file = gx_arena_printf(a, "%s/password", dir);
	FILE *f = fopen(given.password_file, "w");
	fputs("user:secret\n", f);
	fclose(f);
	ck_assert_int_eq(secure("smtps", "", NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(agent.heard, "AUTH LOGIN|dXNlcg==|c2VjcmV0|MAIL"));
}
END_TEST

START_TEST(what_cannot_be_secure)
{
	static const struct {
		const char *url, *ca, *password, *why;
	} v[] = {
		{"smtp://user:x@mail.example.com", NULL, NULL, "in the clear"}, {"smtps://user@mail.example.com", NULL, NULL, "no password"},
		{"smtps://mail.example.com", "/nonexistent", NULL, "outgoing_smtp_ca_file"},
		{"smtps://mail.example.com", NULL, "/nonexistent", "outgoing_smtp_password_file"}, {"smtps://%zz:x@mail.example.com", NULL, NULL, "expected"},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i) {
		struct gx_outgoing_opts o = GX_OUTGOING_OPTS_INIT;
		struct gx_outgoing *x;
		const char *why = "";
		o.dir = people;
		o.url = v[i].url;
		o.ca_file = v[i].ca;
		o.password_file = v[i].password;
		ck_assert_int_ne(gx_outgoing_new(&o, &x, a, &why), 0);
		ck_assert_msg(strstr(why, v[i].why) != NULL && strstr(why, ":x@") == NULL, "%s", why);
	}
}
END_TEST

/* ---- A program ---- */

static void program(const char *text)
{
	const char *path = gx_arena_printf(a, "%s/sendmail", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(by_a_program)
{
	char got[512] = "";
	program(gx_arena_printf(a, "echo \"$@\" > %s/got; cat >> %s/got", dir, dir));
	ck_assert_int_eq(send_to(out("sendmail://localhost"), journal, "bob@example.org", "carl@elsewhere.org"), 0);
	FILE *f = fopen(gx_arena_printf(a, "%s/got", dir), "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(got, 1, sizeof(got) - 1, f), 0);
	fclose(f);
	ck_assert_str_eq(got, "-i -f ann@example.org -- carl@elsewhere.org\nSubject: x\n\n.dot\n..two\nend");
	program("cat > /dev/null; exit 67");
	ck_assert_int_eq(send_to(out("sendmail://"), NULL, "carl@elsewhere.org", NULL), GX_E_NOTFOUND);
	program("cat > /dev/null; exit 75");
	ck_assert_int_eq(send_to(out("sendmail://"), NULL, "carl@elsewhere.org", NULL), GX_E_BUSY);
	unlink(gx_arena_printf(a, "%s/sendmail", dir));
	ck_assert_int_eq(send_to(out("sendmail://"), NULL, "carl@elsewhere.org", NULL), GX_E_IO);
}
END_TEST

START_TEST(addresses_of_agents)
{
	static const char *const bad[] = {"smtp+tls://x", "smtp://", "smtp://x:", "smtp://x:y", "smtp://[::1", "smtp://x/y", "mail.example.org"};
	struct gx_outgoing_opts o = GX_OUTGOING_OPTS_INIT;
	struct gx_outgoing *x = out("smtp://[::1]:25/");
	ck_assert_str_eq(x->node, "::1");
	ck_assert_str_eq(x->port, "25");
	gx_outgoing_free(x);
	x = out("SMTP://relay");
	ck_assert_str_eq(x->node, "relay");
	ck_assert_str_eq(x->port, "25");
	gx_outgoing_free(x);
	o.dir = people;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		const char *why = NULL;
		o.url = bad[i];
		ck_assert_int_eq(gx_outgoing_new(&o, &x, a, &why), GX_E_INVAL);
		ck_assert_ptr_nonnull(strstr(why, bad[i]));
	}
}
END_TEST

static Suite *outgoing_suite(void)
{
	Suite *s = suite_create("outgoing");
	TCase *t = tcase_create("outgoing");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, by_smtp);
	tcase_add_test(t, ours_by_the_journal);
	tcase_add_test(t, refused);
	tcase_add_test(t, not_there);
	tcase_add_test(t, each_for_himself);
	tcase_add_test(t, encrypted);
	tcase_add_test(t, of_whom_nobody_knows);
	tcase_add_test(t, logged_in);
	tcase_add_test(t, what_cannot_be_secure);
	tcase_add_test(t, by_a_program);
	tcase_add_test(t, addresses_of_agents);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(outgoing_suite)
