/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTTP server reads: the first byte says as what the rest is taken. */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <gx/codec.h>
#include "libgxproto/http/jwt-int.h"
#include "libgxproto/http/http-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key on P-256 whose private half nobody has kept. */
static const char jwks[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static struct gx_http *server;
static struct gx_jwt *jwt;

static int check(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx)
{
	*ret_user = gx_arena_strdup(a, login);
	return strlen(login) % 2 == 0 ? 0 : GX_E_INVAL;
}

static void on_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	if ((event & (GX_HTTP_EV_GONE | GX_HTTP_EV_STOP)) != 0)
		gx_http_stream_abort(r);
}

static int on_body(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx)
{
	int ret = gx_http_stream_write(r, p, n);
	if (last)
		gx_http_stream_end(r);
	return ret == GX_E_BUSY ? 0 : ret;
}

static void handle(struct gx_http_req *r, void *ctx)
{
	assert(r->path[0] == '/' || strcmp(r->path, "*") == 0);
	assert(strstr(r->path, "/../") == NULL && strstr(r->path, "//") == NULL);
	gx_http_query(r, "q");
	gx_http_cookie(r, "c");
	if (strcmp(r->path, "/up") == 0 && gx_http_hold(r, on_event, NULL) == 0 && gx_http_stream_begin(r, 200, NULL, -1) == 0 &&
	    gx_http_read_body(r, on_body, NULL) == 0)
		return;
	gx_http_reply(r, 200, "text/plain", r->body.data, r->body.len);
}

static int jwt_from(const void *p, size_t n, struct gx_jwt **ret_j)
{
	char path[40];
	struct gx_jwt_opts o = GX_JWT_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	int fd = memfd_create("keys", MFD_CLOEXEC);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.key_path = path;
	int ret = gx_jwt_new(&o, ret_j, a, &why);
	close(fd);
	gx_arena_free(a);
	return ret;
}

static void set_up(void)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_http_auth *auth;
	struct gx_http_route r = GX_HTTP_ROUTE_INIT;
	o.remote_host_hdr = "X-Real";
	o.server_name = "fuzz";
	ao.basic = true;
	ao.check = check;
	if (jwt_from(jwks, strlen(jwks), &jwt) != 0 || gx_http_new(&o, &server, a, NULL) != 0)
		abort();
	ao.jwt = jwt;
	ao.cache_seconds = 60;
	if (gx_http_auth_new(&ao, &auth) != 0)
		abort();
	gx_http_set_auth(server, auth);
	r.methods = GX_HTTP_ANY;
	r.handle = handle;
	r.path = "/";
	r.flags = GX_HTTP_PREFIX;
	(void)!gx_http_route(server, &r);
	r.path = "/up";
	r.flags = GX_HTTP_STREAM_BODY;
	(void)!gx_http_route(server, &r);
	r.path = "/who";
	r.flags = GX_HTTP_AUTH | GX_HTTP_NOCASE;
	(void)!gx_http_route(server, &r);
	gx_arena_free(a);
}

static bool woken;

static void wake(struct gx_io *io)
{
	woken = true;
}

/* @return false when the connection ends. */
static bool drive(const struct gx_engine_factory *f, void *engine, struct gx_io *io)
{
	for (bool work = false;;) {
		woken = false;
		enum gx_want w = work ? f->ops->work(engine, io) : f->ops->step(engine, io);
		assert(io->out.err == 0);
		gx_push_clear(&io->out);
		bool again = woken || w == GX_WANT_DRAIN || (work && w == GX_WANT_INPUT);
		work = w == GX_WANT_WORKER || w == GX_WANT_AGAIN;
		if (w == GX_WANT_CLOSE)
			return false;
		if (!work && !again)
			return true;
	}
}

/* In pieces: the first byte is the size of most of them. */
static void connection(const uint8_t *p, size_t n)
{
	const struct gx_engine_factory f = gx_http_factory(server);
	struct gx_io io = {.out_high = 256 << 10, .in_max = 64 << 10, .clock = gx_clock_system(), .peer = "127.0.0.1", .local = "127.0.0.1",
		.peer_is_loopback = true, .wake = wake};
	void *engine = f.new_engine(&io, f.ctx);
	size_t piece = n == 0 ? 1 : p[0] + 1u;
	bool open = engine != NULL;
	for (size_t i = 1; open && i < n; i += piece) {
		if (gx_iobuf_add(&io.in, p + i, n - i < piece ? n - i : piece) != 0)
			abort();
		open = drive(&f, engine, &io);
	}
	io.events |= GX_IO_EOF;
	if (open)
		drive(&f, engine, &io);
	f.ops->free(engine);
	gx_iobuf_release(&io.in);
	gx_push_release(&io.out);
}

static void token(const char *s, size_t n)
{
	struct gx_arena *a = gx_arena_new(0);
	const char *user = NULL, *why = NULL;
	int ret = gx_jwt_verify(jwt, s, n, a, &user, &why);
	assert(ret != 0 && why != NULL);
	gx_arena_free(a);
}

static void values(const char *s)
{
	struct gx_arena *a = gx_arena_new(0);
	uint64_t off, len;
	int64_t t;
	char text[30];
	const char *path, *query, *host = "";
	struct gx_http_field cookie = {"Cookie", s};
	struct gx_http_req r = {.fields = &cookie, .nfields = 1, .query = s, .arena = a};
	if (gx_http_parse_range(s, 1000, &off, &len) == 0)
		assert(len > 0 && off < 1000 && len <= 1000 - off);
	if (gx_http_parse_date(s, &t) == 0)
		gx_http_print_date(t, text);
	if (gx_http__target(a, s, &path, &query, &host) == 0)
		assert(path[0] == '/' || path[0] == '*');
	gx_http_cookie(&r, "a");
	gx_http_query(&r, "a");
	gx_arena_free(a);
}

static void keys(const uint8_t *p, size_t n)
{
	struct gx_jwt *j = NULL;
	if (jwt_from(p, n, &j) == 0)
		gx_jwt_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (server == NULL)
		set_up();
	if (size == 0)
		return 0;
	char *s = malloc(size);
	if (s == NULL)
		return 0;
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0: connection(data + 1, size - 1); break;
	case 1: token(s, size - 1); break;
	case 2: values(s); break;
	case 3: keys(data + 1, size - 1); break;
	}
	free(s);
	return 0;
}
