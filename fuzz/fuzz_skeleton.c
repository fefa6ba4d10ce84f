/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skeletons and extern values as damage may leave them. The first byte chooses the length of the
 * extern value in front of the skeleton. The store holds one content object of each way of keeping.
 */
#include <config.h>
#include <assert.h>
#include <unistd.h>
#include "libgxstore/content/cio-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/gxfuzzXXXXXX";
static struct gx_sql *q;
static struct gx_cio *cio;
static struct gx_arena *a;

static void cleanup(void)
{
	char path[64];
	gx_arena_free(a);
	gx_cio__free(cio);
	gx_sql__close(q);
	static const char *const names[] = {"/db", "/db-wal", "/db-shm", ""};
	for (size_t i = 0; i < 4; ++i) {
		snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		(void)(i < 3 ? unlink(path) : rmdir(path));
	}
}

/* Objects whose hashes are all 'a', 'b', 'c': seeds can name them. */
static void put(uint8_t name, size_t size, uint8_t comp, const void *packed, size_t len)
{
	struct gx_content_new c = {.size = size, .comp = comp, .packed = {packed, len}};
	memset(c.hash, name, GX_HASH_LEN);
	int err = gx_content__put(cio, q, &c);
	assert(err == 0);
}

static void set_up(void)
{
	static uint8_t bytes[5000];
	char file[64], why[256];
	ZSTD_CCtx *cctx = NULL;
	uint8_t comp;
	struct gx_bin packed;
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(file, sizeof(file), "%s/db", dir);
	struct gx_sql_open o = {.file = file, .dir = dir, .writer = true, .create = true, .cache_kib = 256};
	a = gx_arena_new(64U << 20);
	if (a == NULL || gx_sql__open(&o, &q, why, sizeof(why)) != 0 || gx_sql__exec(q, GX_CONTENT_SCHEMA) != 0 || gx_cio__new(&gx_fs__system, dir, &cio) != 0)
		abort();
	put('a', sizeof(bytes), GX_PACK_RAW, bytes, sizeof(bytes));
	if (gx_pack__pack(a, &cctx, bytes, sizeof(bytes), &comp, &packed) != 0)
		abort();
	put('b', sizeof(bytes), comp, packed.data, packed.len);
	put('c', sizeof(bytes), GX_PACK_BLOCKS, bytes, 100);
	ZSTD_freeCCtx(cctx);
	atexit(cleanup);
}

static void read_all(struct gx_bin skeleton)
{
	struct gx_push out;
	uint64_t size = 0;
	gx_push_init(&out, 32U << 20);
	int whole = gx_original__read(cio, q, skeleton, 0, UINT64_MAX, &out);
	if (whole == 0) {
		int err = gx_original__size(skeleton, &size);
		assert(err == 0 && size == out.len);
		struct gx_push part;
		gx_push_init(&part, 0);
		for (uint64_t off = 0; off < size; off += 1 + size / 7) {
			gx_push_clear(&part);
			err = gx_original__read(cio, q, skeleton, off, 1000, &part);
			assert(err == 0 && part.len != 0 && memcmp(part.data, out.data + off, part.len) == 0);
		}
		gx_push_release(&part);
	} else {
		assert(gx_cio__why(cio)[0] != '\0');
	}
	gx_push_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (q == NULL)
		set_up();
	if (size == 0)
		return 0;
	size_t n = data[0] < size ? data[0] : size - 1;
	struct gx_bin ext = {data + 1, n}, skeleton = {data + 1 + n, size - 1 - n};
	read_all(skeleton);
	union gx_value v;
	gx_arena_reset(a);
	(void)!gx_extern__resolve(cio, q, skeleton, PidTagBody | GX_PROW_EXTERN, ext, a, &v);
	(void)!gx_extern__resolve(cio, q, skeleton, PidTagHtml | GX_PROW_EXTERN, ext, a, &v);
	struct gx_content_tally *t = gx_content__tally_new();
	(void)!gx_content__tally_add(t, skeleton, 1);
	gx_content__tally_free(t);
	return 0;
}
