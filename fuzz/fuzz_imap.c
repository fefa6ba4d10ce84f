/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IMAP engine over a real store. The first byte chooses how far the session is when the input
 * begins (1 logged in, 2 with INBOX open), the second the sizes of the pieces.
 */
#include <config.h>
#include <assert.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/delivery.h>
#include "libgxproto/imap/imap-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUNS_PER_STORE = 2000 };

static char root[64], maildir[80];
static struct gx_store_pool *pool;
static struct gx_dir *dir;
static unsigned runs;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static void end_world(void)
{
	if (pool == NULL)
		return;
	gx_store_pool_free(pool);
	gx_dir_close(dir);
	pool = NULL;
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin_world(void)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	const char *why;
	snprintf(root, sizeof(root), "%s/fuzz_imap.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(root) == NULL)
		abort();
	snprintf(maildir, sizeof(maildir), "%s/box", root);
	o.owner = "anna@example.org";
	o.owner_id = 1;
	d.path = gx_arena_printf(a, "%s/dir.sqlite3", root);
	p.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	int err = mkdir(maildir, 0700) != 0 || gx_store_create(maildir, &o, a, &why) != 0 ||
	          gx_dir_create(d.path, a, &why) != 0 || gx_dir_open(&d, &dir, a, &why) != 0;
	pool = gx_store_pool_new(&p);
	if (err || pool == NULL)
		abort();
	gx_arena_free(a);
}

static void log_in(struct imap_session *s)
{
	const char *why;
	struct gx_arena *a = gx_arena_new(0);
	s->user = gx_arena_new_obj(a, struct imap_user);
	s->user->arena = a;
	s->user->name = s->user->actor.user = "anna@example.org";
	s->user->actor.owner = true;
	if (gx_store_pool_get(pool, maildir, &s->user->store, a, &why) != 0)
		abort();
	s->state = IMAP_AUTH;
}

static void drive(struct gx_engine_factory *f, void *engine, struct gx_io *io, bool *io_closed)
{
	bool work = false;
	for (unsigned n = 0; !*io_closed; ++n) {
		assert(n < 100000);
		enum gx_want w = work ? f->ops->work(engine, io) : f->ops->step(engine, io);
		io->events &= ~(unsigned)(GX_IO_TIMEOUT | GX_IO_TLS_STARTED);
		assert(io->out.err == 0);
		gx_push_clear(&io->out);
		work = w == GX_WANT_WORKER || w == GX_WANT_AGAIN;
		*io_closed = w == GX_WANT_CLOSE;
		if (w == GX_WANT_INPUT)
			return;
		if (w == GX_WANT_WAIT)
			io->events |= GX_IO_TIMEOUT;
		if (w == GX_WANT_STARTTLS)
			io->events |= GX_IO_TLS | GX_IO_TLS_STARTED;
	}
}

static void give(struct gx_engine_factory *f, void *engine, struct gx_io *io, const void *p, size_t n, bool *io_closed)
{
	if (gx_iobuf_add(&io->in, p, n) != 0)
		abort();
	drive(f, engine, io, io_closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (runs == 0)
		atexit(end_world);
	if (pool == NULL)
		begin_world();
	if (++runs % RUNS_PER_STORE == 0) {
		end_world();
		begin_world();
	}
	struct gx_imap_server srv = GX_IMAP_SERVER_INIT;
	srv.hostname = "x";
	srv.dir = dir;
	srv.pool = pool;
	srv.enable_id = srv.rfc9051 = true;
	srv.offer_starttls = true;
	srv.max_literal = 100000;
	struct gx_engine_factory f;
	gx_imap_factory(&f, &srv);
	struct gx_io io = {.out_high = 65536, .in_max = 65536, .clock = gx_clock_system(), .peer = "192.0.2.1"};
	gx_push_init(&io.out, 0);
	void *engine = f.new_engine(&io, f.ctx);
	bool closed = false;
	drive(&f, engine, &io, &closed);
	if (data[0] % 3 >= 1)
		log_in(engine);
	if (data[0] % 3 == 2) {
		static const char open[] = "o SELECT INBOX\r\np APPEND INBOX {18+}\r\nSubject: t\r\n\r\nhi\r\n\r\n";
		give(&f, engine, &io, open, sizeof(open) - 1, &closed);
	}
	for (size_t off = 2, piece = data[1]; off < size && !closed;) {
		size_t n = piece == 0 ? size - off : 1 + (off * piece * 2654435761U >> 7) % piece;
		n = n < size - off ? n : size - off;
		give(&f, engine, &io, data + off, n, &closed);
		off += n;
	}
	f.ops->free(engine);
	gx_iobuf_release(&io.in);
	gx_push_release(&io.out);
	return 0;
}
