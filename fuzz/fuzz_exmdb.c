/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exmdb protocol from a peer that may send anything. The first byte chooses: a stream of bytes
 * into the server's engine, one request that is then carried out on a store, an answer of the call
 * in the second byte as a client reads it, a notification, or the actions of a rule. What decodes is
 * printed, encoded, and decodes again to the same.
 */
#include <config.h>
#include <assert.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/exmdb-server.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/gx-fuzz-exmdb-XXXXXX";
static struct gx_store_pool *pool;
static struct gx_exmdb_host *host;
static struct gx_exmdb_server *server;
static struct gx_exmdb_client *client;

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static void end(void)
{
	gx_exmdb_client_put(client);
	gx_exmdb_server_free(server);
	gx_exmdb_host_free(host);
	gx_store_pool_free(pool);
	(void)!nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	struct gx_store_create_opts co = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_pool_opts po = {.size = sizeof(po), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = GX_EXMDB_SERVER_OPTS_INIT;
	if (pool != NULL)
		return;
	co.owner = "u@example.org";
	co.owner_id = 1;
	int err = mkdtemp(dir) == NULL ? GX_E_IO : gx_store_create(dir, &co, NULL, NULL);
	assert(err == 0);
	ho.pool = pool = gx_store_pool_new(&po);
	ho.prefixes = (const char *const[]){dir, NULL};
	ho.deadline_ms = 100;
	assert(pool != NULL);
	err = gx_exmdb_host_new(&ho, &host);
	so.host = host;
	so.max_request = 1 << 20;
	err = err != 0 ? err : gx_exmdb_server_new(&so, &server);
	err = err != 0 ? err : gx_exmdb_client_get(host, "fuzz", &client);
	assert(err == 0);
	atexit(end);
}

static void round_trip(const struct gx_desc *d, const void *obj, struct gx_arena *a)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_bin out;
	void *back = gx_arena_alloc(a, d->size);
	gx_desc_print(&b, &x, d, obj);
	gx_strbuf_release(&b);
	int err = gx_desc_encode(&x, d, obj, &out);
	assert(err == 0 || err == GX_E_NOMEM || err == GX_E_RANGE);
	if (err != 0 || back == NULL)
		return;
	err = gx_desc_decode(&x, d, out.data, out.len, back);
	assert(err == 0 || err == GX_E_NOMEM);
	if (err == 0)
		assert(gx_desc_equal(&x, d, obj, back));
}

/* Those that take long, or stop the store for all that follows. */
static bool too_much(uint8_t call)
{
	return call == GX_X_VACUUM || call == GX_X_SET_MAINTENANCE || call == GX_X_CGKRESET || call == GX_X_UNLOAD_STORE;
}

static void request(const uint8_t *data, size_t size, struct gx_arena *a)
{
	struct gx_xrequest r;
	uint8_t code;
	const char *why;
	if (gx_xframe_pull_request((struct gx_bin){data, size}, a, &r) != 0)
		return;
	if (r.call->req != NULL)
		round_trip(r.call->req, r.req, a);
	void *ans = r.call->ans != NULL ? gx_arena_calloc(a, 1, r.call->ans->size) : NULL;
	if (too_much(r.call->number) || (r.call->ans != NULL && ans == NULL))
		return;
	gx_ec ec = gx_exmdb_client_call(client, dir, r.call, r.req, a, ans, &code, &why);
	assert(gx_ec_failed(ec) == (code != GX_XC_SUCCESS));
	assert(code == GX_XC_SUCCESS || *why != '\0');
	struct gx_push out = GX_PUSH_INIT;
	if (code == GX_XC_SUCCESS) {
		int err = gx_xframe_push_answer(&out, a, r.call, ans);
		assert(err == 0 || err == GX_E_NOMEM || err == GX_E_RANGE);
	}
	gx_push_release(&out);
}

static void answer(const uint8_t *data, size_t size, struct gx_arena *a)
{
	struct gx_bin body;
	uint8_t code;
	size_t used;
	const struct gx_call_desc *d = size > 0 ? gx_exmdb_call_desc(data[0]) : NULL;
	if (d == NULL || d->ans == NULL || gx_xframe_split_answer(data + 1, size - 1, 1 << 20, &code, &body, &used) != 1 || code != 0)
		return;
	void *ans = gx_arena_calloc(a, 1, d->ans->size);
	if (ans != NULL && gx_xframe_pull_answer(body, a, d, ans) == 0)
		round_trip(d->ans, ans, a);
}

static void described(uint32_t which, const uint8_t *data, size_t size, struct gx_arena *a)
{
	const struct gx_desc *d = gx_exmdb_desc(which);
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	void *obj = gx_arena_alloc(a, d->size);
	if (obj != NULL && gx_desc_decode(&x, d, data, size, obj) == 0)
		round_trip(d, obj, a);
}

static void wake(struct gx_io *io)
{
	(void)io;
}

/* In pieces of different sizes; the answers are not looked at. */
static void stream(const uint8_t *data, size_t size)
{
	struct gx_engine_factory f;
	struct gx_io io = {.peer = "::1", .peer_is_loopback = true, .local = "", .clock = gx_clock_system(), .out_high = 1 << 16,
		.in_max = 65536, .wake = wake};
	gx_exmdb_server_factory(&f, server);
	void *e = f.new_engine(&io, f.ctx);
	enum gx_want want = GX_WANT_AGAIN;
	for (size_t i = 0, piece = 1; e != NULL && i <= size && want != GX_WANT_CLOSE; i += piece, piece = piece * 3 % 97 + 1) {
		size_t n = size - i < piece ? size - i : piece;
		if (gx_iobuf_add(&io.in, data + i, n) != 0)
			break;
		do {
			want = want == GX_WANT_WORKER ? f.ops->work(e, &io) : f.ops->step(e, &io);
			gx_push_clear(&io.out);
			if (want == GX_WANT_INPUT)
				want = f.ops->step(e, &io);
			gx_push_clear(&io.out);
		} while (want == GX_WANT_WORKER || want == GX_WANT_DRAIN);
	}
	if (e != NULL)
		f.ops->free(e);
	gx_iobuf_release(&io.in);
	gx_push_release(&io.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	begin();
	struct gx_arena *a = gx_arena_new(16 << 20);
	switch (data[0]) {
	case 's': stream(data + 1, size - 1); break;
	case 'q': request(data + 1, size - 1, a); break;
	case 'a': answer(data + 1, size - 1, a); break;
	case 'n': described(GX_EXMDB_X_NOTIFICATION, data + 1, size - 1, a); break;
	case 'r': described(GX_EXMDB_X_ACTIONS, data + 1, size - 1, a); break;
	default: break;
	}
	gx_arena_free(a);
	return 0;
}
