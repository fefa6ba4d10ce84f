/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_lzxpress [PACK...]: blocks of 32 KiB, the most a chunk of an EMSMDB answer holds, through LZXPRESS and, beside
 * it, zstd -1 and LZ4 when they are installed. Each PACK is made by corpus.py; without one: light mail, the same in UTF-16
 * as MAPI's strings are, office mail (most of which is base64), and noise. CPU time; the codecs take turns; best round
 * and median, in megabytes of what is not compressed.
 */
#include "lg.h"
#include <dlfcn.h>
#include <gx/lzxpress.h>

#define BLOCK 32768
#define TOTAL (8u << 20)
#define ROUNDS 9
#define DECODE_TIMES 4 /* it is quick, and the clock is coarse */

/* Both give the length of the result, or 0. */
struct codec {
	const char *name;
	size_t (*pack)(void *dst, size_t cap, const void *src, size_t n);
	size_t (*unpack)(void *dst, size_t n, const void *src, size_t packed);
};

static size_t gx_pack(void *dst, size_t cap, const void *src, size_t n)
{
	static struct gx_lzxpress work;
	size_t len;
	return gx_lzxpress_compress(&work, src, n, dst, cap, &len) == 0 ? len : 0;
}

static size_t gx_unpack(void *dst, size_t n, const void *src, size_t packed)
{
	return gx_lzxpress_decompress(src, packed, dst, n) == 0 ? n : 0;
}

static int (*lz4_pack_fn)(const char *, char *, int, int), (*lz4_unpack_fn)(const char *, char *, int, int);
static size_t (*zstd_pack_fn)(void *, size_t, const void *, size_t, int);
static size_t (*zstd_unpack_fn)(void *, size_t, const void *, size_t);

static size_t lz4_pack(void *dst, size_t cap, const void *src, size_t n)
{
	return (size_t)lz4_pack_fn(src, dst, (int)n, (int)cap);
}

static size_t lz4_unpack(void *dst, size_t n, const void *src, size_t packed)
{
	int r = lz4_unpack_fn(src, dst, (int)packed, (int)n);
	return r < 0 ? 0 : (size_t)r;
}

static size_t zstd_pack(void *dst, size_t cap, const void *src, size_t n)
{
	return zstd_pack_fn(dst, cap, src, n, 1);
}

static size_t zstd_unpack(void *dst, size_t n, const void *src, size_t packed)
{
	return zstd_unpack_fn(dst, n, src, packed);
}

static struct codec codecs[3] = {{"lzxpress", gx_pack, gx_unpack}};
static size_t codec_count = 1;

static bool function(void *lib, const char *name, void *ret_fn)
{
	void *p = lib == NULL ? NULL : dlsym(lib, name);
	memcpy(ret_fn, &p, sizeof(p));
	return p != NULL;
}

static void find_peers(void)
{
	void *lz4 = dlopen("liblz4.so.1", RTLD_NOW), *zstd = dlopen("libzstd.so.1", RTLD_NOW);
	if (function(zstd, "ZSTD_compress", &zstd_pack_fn) && function(zstd, "ZSTD_decompress", &zstd_unpack_fn))
		codecs[codec_count++] = (struct codec){"zstd -1", zstd_pack, zstd_unpack};
	if (function(lz4, "LZ4_compress_default", &lz4_pack_fn) && function(lz4, "LZ4_decompress_safe", &lz4_unpack_fn))
		codecs[codec_count++] = (struct codec){"lz4", lz4_pack, lz4_unpack};
}

struct blocks {
	char *data;
	size_t n;
};

struct result {
	char *packed;     /* of all blocks, each with room for the worst */
	size_t *len, sum;
	struct lat pack, unpack;
};

#define ROOM (BLOCK + BLOCK / 8 + 1024)

static void pack_all(const struct codec *c, const struct blocks *b, struct result *r)
{
	double t = self_cpu();
	r->sum = 0;
	for (size_t i = 0; i < b->n; i++) {
		r->len[i] = c->pack(r->packed + i * ROOM, ROOM, b->data + i * BLOCK, BLOCK);
		if (r->len[i] == 0 || r->len[i] > ROOM)
			die("%s: block %zu cannot be compressed", c->name, i);
		r->sum += r->len[i];
	}
	lat_add(&r->pack, (double)(b->n * BLOCK) / 1e6 / (self_cpu() - t));
}

static void unpack_all(const struct codec *c, const struct blocks *b, struct result *r, bool compare)
{
	static char back[BLOCK];
	double t = self_cpu();
	for (unsigned k = 0; k < DECODE_TIMES; k++)
		for (size_t i = 0; i < b->n; i++)
			if (c->unpack(back, BLOCK, r->packed + i * ROOM, r->len[i]) != BLOCK ||
				(compare && memcmp(back, b->data + i * BLOCK, BLOCK) != 0))
				die("%s: block %zu does not come back", c->name, i);
	if (!compare)
		lat_add(&r->unpack, (double)(b->n * BLOCK) / 1e6 * DECODE_TIMES / (self_cpu() - t));
}

static void measure(const char *what, const struct blocks *b)
{
	struct result r[3] = {{0}};
	for (size_t c = 0; c < codec_count; c++) {
		r[c].packed = calloc(b->n, ROOM);
		r[c].len = calloc(b->n, sizeof(*r[c].len));
		if (r[c].packed == NULL || r[c].len == NULL)
			die("out of memory");
	}
	for (unsigned round = 0; round <= ROUNDS; round++)
		for (size_t c = 0; c < codec_count; c++) {
			pack_all(&codecs[c], b, &r[c]);
			unpack_all(&codecs[c], b, &r[c], round == 0);
		}
	for (size_t c = 0; c < codec_count; c++) {
		printf("{\"bench\": \"lzxpress\", \"case\": \"%s\", \"codec\": \"%s\", \"ratio\": %.3f, \"compress_mb_s\": %.0f,"
			" \"compress_best\": %.0f, \"decompress_mb_s\": %.0f, \"decompress_best\": %.0f, \"load1\": %.2f}\n", what,
			codecs[c].name, (double)r[c].sum / (double)(b->n * BLOCK), lat_pct(&r[c].pack, 50), lat_pct(&r[c].pack, 100),
			lat_pct(&r[c].unpack, 50), lat_pct(&r[c].unpack, 100), load1());
		free(r[c].packed);
		free(r[c].len);
		free(r[c].pack.v);
		free(r[c].unpack.v);
	}
	fflush(stdout);
}

/* The messages one after the other, each byte as @p width bytes. */
static void bench(const char *name, struct pack k, unsigned width)
{
	struct blocks b = {calloc(1, TOTAL), 0};
	size_t at = 0;
	if (b.data == NULL)
		die("out of memory");
	for (size_t i = 0; i < k.n; i++)
		for (size_t j = 0; j < k.m[i].n && at + width <= TOTAL; j++, at += width)
			b.data[at] = k.m[i].p[j];
	b.n = at / BLOCK;
	if (b.n > 0)
		measure(name, &b);
	free(b.data);
	pack_free(&k);
}

static void bench_noise(void)
{
	struct blocks b = {malloc(TOTAL), TOTAL / BLOCK};
	uint64_t seed = 1;
	if (b.data == NULL)
		die("out of memory");
	for (size_t i = 0; i < TOTAL; i++)
		b.data[i] = (char)rng_next(&seed);
	measure("noise", &b);
	free(b.data);
}

int main(int argc, char **argv)
{
	find_peers();
	for (int i = 1; i < argc; i++)
		bench(argv[i], pack_load(argv[i]), 1);
	if (argc < 2) {
		bench("light", pack_made("light", 1000), 1);
		bench("light as UTF-16", pack_made("light", 500), 2);
		bench("office", pack_made("office", 120), 1);
		bench_noise();
	}
	return 0;
}
