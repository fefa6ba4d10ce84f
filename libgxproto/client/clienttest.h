/* SPDX-License-Identifier: Apache-2.0 */
/* A server over a socket, with the users of emstest.h, and a client of it; and a server that says what it is told to. */
#ifndef GX_CLIENTTEST_H
#define GX_CLIENTTEST_H
#include <arpa/inet.h>
#include <pthread.h>
#include <gx/entryid.h>
#include <gx/mapi_client.h>
#include <gx/nsp.h>
#include "libgxproto/client/client-int.h"
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/mapihttp/servetest.h"

static struct serve ct_server;
static struct gx_nsp *ct_nsp;
static struct gx_mapi *ct_c;

static inline void ct_serve(void)
{
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	struct gx_nsp_opts po = GX_NSP_OPTS_INIT;
	po.dir = et_people;
	po.org_name = "o";
	ck_assert_int_eq(gx_nsp_new(&po, &ct_nsp), 0);
	mo.ems = et_ems;
	mo.nsp = ct_nsp;
	mo.pending_ms = 50;
	mo.wait_ms = 120;
	serve_start(&ct_server, et_a, et_people, &mo, NULL);
}

static inline struct gx_mapi *ct_client(uint16_t port, int who, const char *password)
{
	struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
	struct gx_mapi *c;
	const char *why;
	o.url = gx_arena_printf(et_a, "http://127.0.0.1:%u/mapi/emsmdb/?MailboxId=1", port);
	o.user = who == 0 ? "ann@example.org" : "bob@example.org";
	o.password = password;
	o.user_dn = et_dn[who];
	ck_assert_msg(gx_mapi_new(&o, &c, &why) == 0, "%s", why);
	return c;
}

/* The call went well, or what the client says of it. */
#define CT_OK(call) ct_is((call), ecSuccess, __LINE__)
#define CT_IS(call, code) ct_is((call), (code), __LINE__)
static inline void ct_is(gx_ec ec, uint32_t code, int line)
{
	ck_assert_msg(gx_ec_is(ec, code), "line %d: %s, not %s: %s", line, gx_ec_name(ec), gx_ec_name(GX_EC(code)), gx_mapi_error(ct_c)->text);
}

static inline void ct_setup(void)
{
	et_setup();
	ct_serve();
	ct_c = ct_client(ct_server.port, 0, "x");
}

static inline void ct_setup_connected(void)
{
	ct_setup();
	CT_OK(gx_mapi_connect(ct_c, NULL));
}

static inline void ct_teardown(void)
{
	gx_mapi_free(ct_c);
	serve_stop(&ct_server);
	gx_nsp_free(ct_nsp);
	et_teardown();
}

/* ---- A server that reads requests and gives the next of its answers to each, whatever was asked ---- */

struct ct_liar {
	int fd;
	uint16_t port;
	struct gx_bin answers[16];     /* without bytes: closes without one */
	unsigned answer_n;
	char *heads[16];               /* of requests */
	unsigned n;
	pthread_t thread;
};

static inline bool ct_read_request(int fd, char *buf, size_t size)
{
	size_t n = 0, want = SIZE_MAX;
	while (n < want) {
		ssize_t got = n < size - 1 ? read(fd, buf + n, size - 1 - n) : 0;
		if (got <= 0)
			return false;
		n += (size_t)got;
		buf[n] = '\0';
		char *end = strstr(buf, "\r\n\r\n"), *len = strcasestr(buf, "Content-Length:");
		if (end != NULL)
			want = (size_t)(end - buf) + 4 + (len != NULL ? strtoul(len + 15, NULL, 10) : 0);
	}
	return true;
}

static inline void *ct_lie(void *ctx)
{
	struct ct_liar *l = ctx;
	static char buf[65536];
	while (l->n < l->answer_n) {
		int fd = accept(l->fd, NULL, NULL);
		while (l->n < l->answer_n && ct_read_request(fd, buf, sizeof(buf))) {
			struct gx_bin say = l->answers[l->n];
			l->heads[l->n++] = strdup(buf);
			if (say.len == 0 || write(fd, say.data, say.len) < 0 || memmem(say.data, say.len, "close", 5) != NULL)
				break;
		}
		close(fd);
	}
	return NULL;
}

static inline void ct_liar_begin(struct ct_liar *l)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(l->fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(listen(l->fd, 5), 0);
	ck_assert_int_eq(getsockname(l->fd, (struct sockaddr *)&at, &len), 0);
	l->port = ntohs(at.sin_port);
	ck_assert_int_eq(pthread_create(&l->thread, NULL, ct_lie, l), 0);
}

/* Texts, up to NULL. */
static inline void ct_liar_start(struct ct_liar *l, const char *const *answers)
{
	*l = (struct ct_liar){.answer_n = 0};
	for (; answers[l->answer_n] != NULL; ++l->answer_n)
		l->answers[l->answer_n] = (struct gx_bin){(const uint8_t *)answers[l->answer_n], strlen(answers[l->answer_n])};
	ct_liar_begin(l);
}

static inline void ct_liar_release(struct ct_liar *l)
{
	close(l->fd);
	for (unsigned i = 0; i < l->n; ++i)
		free(l->heads[i]);
}

static inline void ct_liar_stop(struct ct_liar *l)
{
	pthread_join(l->thread, NULL);
	ct_liar_release(l);
}

#endif
