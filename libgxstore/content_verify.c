/* SPDX-License-Identifier: Apache-2.0 */
/* Are counts, data and hashes of content objects what they should be? */
#include <config.h>
#include <stdarg.h>
#include <nettle/sha2.h>
#include "libgxstore/cio-int.h"

struct entry {
	uint8_t hash[GX_HASH_LEN];
	uint64_t refs; /* 0: free */
	bool seen;
};

struct gx_content_tally {
	struct gx_arena *arena; /* of one skeleton */
	struct entry *v;
	size_t count, size;     /* size is 0 or a power of two */
};

struct gx_content_tally *gx_content__tally_new(void)
{
	struct gx_content_tally *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->arena = gx_arena_new(0);
	if (t->arena == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void gx_content__tally_free(struct gx_content_tally *t)
{
	if (t == NULL)
		return;
	gx_arena_free(t->arena);
	free(t->v);
	free(t);
}

/* The entry of a hash, or the free place where it belongs. */
static struct entry *find(struct entry *v, size_t size, const uint8_t *hash)
{
	uint64_t h;
	memcpy(&h, hash, sizeof(h));
	size_t i = (size_t)h & (size - 1);
	while (v[i].refs != 0 && memcmp(v[i].hash, hash, GX_HASH_LEN) != 0)
		i = (i + 1) & (size - 1);
	return &v[i];
}

static int grow(struct gx_content_tally *t)
{
	size_t size = t->size == 0 ? 256 : t->size * 2;
	struct entry *v = calloc(size, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < t->size; ++i)
		if (t->v[i].refs != 0)
			*find(v, size, t->v[i].hash) = t->v[i];
	free(t->v);
	t->v = v;
	t->size = size;
	return 0;
}

int gx_content__tally_add(struct gx_content_tally *t, struct gx_bin skeleton)
{
	struct gx_skel s;
	gx_arena_reset(t->arena);
	int err = gx_skel__contents(t->arena, skeleton, &s);
	for (size_t i = 0; i < s.content_count && err == 0; ++i) {
		if (t->count * 2 >= t->size)
			err = grow(t);
		if (err != 0)
			break;
		struct entry *e = find(t->v, t->size, s.contents[i].hash);
		if (e->refs++ == 0) {
			memcpy(e->hash, s.contents[i].hash, GX_HASH_LEN);
			++t->count;
		}
	}
	return err;
}

struct check {
	struct gx_cio *cio;
	struct gx_sql *q;
	void (*report)(const char *line, void *ctx);
	void *ctx;
	long found;
	uint8_t *buf;
};

static void say(struct check *c, const uint8_t *hash, const char *fmt, ...) GX_PRINTF(3, 4);
static void say(struct check *c, const uint8_t *hash, const char *fmt, ...)
{
	char hex[2 * GX_HASH_LEN + 1], line[640];
	gx_cio__hex(hash, hex);
	int n = snprintf(line, sizeof(line), "content %s: ", hex);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	++c->found;
	c->report(line, c->ctx);
}

static int check_bytes(struct check *c, const uint8_t *hash)
{
	struct gx_content_ref r;
	struct sha256_ctx sha;
	uint8_t digest[GX_HASH_LEN];
	int err = gx_content__open(c->cio, c->q, hash, &r);
	sha256_init(&sha);
	for (uint64_t off = 0; err == 0 && off < r.size; off += GX_PACK_BLOCK) {
		size_t n = r.size - off < GX_PACK_BLOCK ? (size_t)(r.size - off) : GX_PACK_BLOCK;
		err = gx_content__get(&r, off, n, c->buf);
		if (err == 0)
			sha256_update(&sha, n, c->buf);
		if (err != 0)
			gx_content__close(&r);
	}
	if (err == GX_E_FORMAT) {
		say(c, hash, "%s", gx_cio__why(c->cio));
		return 0;
	}
	if (err != 0)
		return err;
	gx_content__close(&r);
	sha256_digest(&sha, GX_HASH_LEN, digest);
	if (memcmp(digest, hash, GX_HASH_LEN) != 0)
		say(c, hash, "its bytes have another hash");
	return 0;
}

static int check_rows(struct check *c, const struct gx_content_tally *t)
{
	GX_STMT(st, c->q, "SELECT hash, refs FROM content ORDER BY hash");
	int r;
	while ((r = gx_sql__step(st)) == 1) {
		struct gx_bin hash = gx_sql__blob(st, 0);
		uint64_t refs = gx_sql__u64(st, 1);
		static const uint8_t none[GX_HASH_LEN];
		if (hash.len != GX_HASH_LEN) {
			say(c, none, "a row has a hash of %zu bytes", hash.len);
			continue;
		}
		struct entry *e = t->size == 0 ? NULL : find(t->v, t->size, hash.data);
		uint64_t want = e == NULL ? 0 : e->refs;
		if (want != 0)
			e->seen = true;
		if (refs != want)
			say(c, hash.data, "counted %llu references, there are %llu", (unsigned long long)refs, (unsigned long long)want);
		int err = check_bytes(c, hash.data);
		if (err != 0)
			return err;
	}
	return r < 0 ? gx_cio__sql_fail(c->cio, c->q, r) : 0;
}

static int check_data(struct check *c)
{
	GX_STMT(st, c->q, "SELECT count(*) FROM content_data WHERE id NOT IN (SELECT data FROM content WHERE data IS NOT NULL)");
	static const uint8_t none[GX_HASH_LEN];
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_cio__sql_fail(c->cio, c->q, r);
	if (r == 1 && gx_sql__int(st, 0) != 0)
		say(c, none, "%lld rows of data belong to nothing", (long long)gx_sql__int(st, 0));
	return 0;
}

long gx_content__verify(struct gx_cio *cio, struct gx_sql *q, const struct gx_content_tally *t,
	void (*report)(const char *line, void *ctx), void *ctx)
{
	struct check c = {.cio = cio, .q = q, .report = report, .ctx = ctx, .buf = malloc(GX_PACK_BLOCK)};
	if (c.buf == NULL)
		return GX_E_NOMEM;
	int err = check_rows(&c, t);
	if (err == 0)
		err = check_data(&c);
	for (size_t i = 0; i < t->size && err == 0; ++i) {
		if (t->v[i].refs != 0 && !t->v[i].seen)
			say(&c, t->v[i].hash, "%llu messages refer to it, but it is not there", (unsigned long long)t->v[i].refs);
		t->v[i].seen = false;
	}
	free(c.buf);
	return err != 0 ? err : c.found;
}
