/* SPDX-License-Identifier: Apache-2.0 */
/* Are counts, data and hashes of content objects what they should be? */
#include <config.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>
#include <nettle/sha2.h>
#include "libgxstore/content/cio-int.h"

struct entry {
	uint8_t hash[GX_HASH_LEN];
	uint64_t refs; /* 0: free */
	uint64_t body, size;
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

int gx_content__tally_add(struct gx_content_tally *t, struct gx_bin skeleton, uint64_t body)
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
			e->body = body;
			e->size = s.contents[i].size;
			++t->count;
		}
	}
	return err;
}

uint64_t gx_content__tally_get(const struct gx_content_tally *t, const uint8_t hash[GX_HASH_LEN],
	uint64_t *ret_body, uint64_t *ret_size)
{
	const struct entry *e = t->size == 0 ? NULL : find(t->v, t->size, hash);
	bool there = e != NULL && e->refs != 0;
	*ret_body = there ? e->body : 0;
	*ret_size = there ? e->size : 0;
	return there ? e->refs : 0;
}

struct check {
	struct gx_cio *cio;
	struct gx_sql *q;
	const struct gx_content_verify *v;
	uint8_t *buf;
};

static int GX_PRINTF(5, 6) say(struct check *c, unsigned what, const uint8_t *hash, uint64_t object,
	const char *fmt, ...)
{
	char hex[2 * GX_HASH_LEN + 1] = "", line[640];
	int n = 0;
	if (hash != NULL) {
		gx_cio__hex(hash, hex);
		n = snprintf(line, sizeof(line), "content %s: ", hex);
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	return c->v->report(what, hash, object, line, c->v->ctx);
}

static int hash_object(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash, uint8_t *buf,
	uint8_t digest[GX_HASH_LEN])
{
	struct gx_content_ref r;
	struct sha256_ctx sha;
	int err = gx_content__open(cio, q, hash, &r);
	if (err != 0)
		return err;
	sha256_init(&sha);
	for (uint64_t off = 0; err == 0 && off < r.size; off += GX_PACK_BLOCK) {
		size_t n = r.size - off < GX_PACK_BLOCK ? (size_t)(r.size - off) : GX_PACK_BLOCK;
		err = gx_content__get(&r, off, n, buf);
		if (err == 0)
			sha256_update(&sha, n, buf);
	}
	gx_content__close(&r);
	sha256_digest(&sha, GX_HASH_LEN, digest);
	return err;
}

static int check_object(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash, uint8_t *buf)
{
	uint8_t digest[GX_HASH_LEN];
	char path[PATH_MAX] = "";
	int err = hash_object(cio, q, hash, buf, digest);
	if (err != 0 || memcmp(digest, hash, GX_HASH_LEN) == 0)
		return err;
	if (gx_cio__path(cio, hash, "", path) == 0 && access(path, F_OK) == 0)
		return gx_cio__fail(cio, GX_E_FORMAT, "%s: its bytes have another hash; restore it from a backup", path);
	return gx_cio__fail(cio, GX_E_FORMAT, "its bytes have another hash");
}

static int check_refs(struct check *c, const uint8_t *hash, uint64_t refs)
{
	uint64_t body, size, want = gx_content__tally_get(c->v->tally, hash, &body, &size);
	return refs == want ? 0 : say(c, GX_CV_REFS, hash, body, "counted %llu references, there are %llu",
		(unsigned long long)refs, (unsigned long long)want);
}

static int check_bytes(struct check *c, const uint8_t *hash)
{
	int err = check_object(c->cio, c->q, hash, c->buf);
	return err == GX_E_FORMAT ? say(c, GX_CV_BYTES, hash, 0, "%s", gx_cio__why(c->cio)) : err;
}

static int check_row(struct check *c, struct gx_stmt *st, const uint8_t *hash)
{
	unsigned what = c->v->what;
	int err = 0;
	if ((what & GX_CV_ROW) && (gx_sql__u64(st, 2) > GX_CONTENT_SIZE_MAX || gx_sql__u64(st, 3) > GX_PACK_BLOCKS))
		err = say(c, GX_CV_ROW, hash, 0, "size %lld and packing %lld cannot be", (long long)gx_sql__int(st, 2),
			(long long)gx_sql__int(st, 3));
	if (err == 0 && (what & GX_CV_REFS))
		err = check_refs(c, hash, gx_sql__u64(st, 1));
	return err == 0 && (what & GX_CV_BYTES) ? check_bytes(c, hash) : err;
}

static int check_rows(struct check *c)
{
	GX_STMT(st, c->q, "SELECT hash, refs, size, comp FROM content ORDER BY hash");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) == 1) {
		struct gx_bin hash = gx_sql__blob(st, 0);
		if (hash.len == GX_HASH_LEN)
			err = check_row(c, st, hash.data);
		else if (c->v->what & GX_CV_ROW)
			err = say(c, GX_CV_ROW, NULL, 0, "a content object has a hash of %zu bytes", hash.len);
	}
	return err != 0 ? err : r < 0 ? gx_cio__sql_fail(c->cio, c->q, r) : 0;
}

static int check_data(struct check *c)
{
	GX_STMT(st, c->q, "SELECT id, length(data) FROM content_data"
		" WHERE id NOT IN (SELECT data FROM content WHERE data IS NOT NULL)");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) == 1)
		err = say(c, GX_CV_DATA, NULL, gx_sql__u64(st, 0), "%lld bytes of content belong to nothing",
			(long long)gx_sql__int(st, 1));
	return err != 0 ? err : r < 0 ? gx_cio__sql_fail(c->cio, c->q, r) : 0;
}

static int is_there(struct check *c, const uint8_t *hash)
{
	GX_STMT(st, c->q, "SELECT 1 FROM content WHERE hash=?1");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	return gx_sql__step(st);
}

static int check_missing(struct check *c)
{
	const struct gx_content_tally *t = c->v->tally;
	for (size_t i = 0; i < t->size; ++i) {
		const struct entry *e = &t->v[i];
		int err = e->refs == 0 ? 1 : is_there(c, e->hash);
		if (err < 0)
			return gx_cio__sql_fail(c->cio, c->q, err);
		if (err == 0)
			err = say(c, GX_CV_MISSING, e->hash, e->body, "body %llx needs it, but it is not there",
				(unsigned long long)e->body);
		if (err < 0)
			return err;
	}
	return 0;
}

int gx_content__verify(struct gx_cio *cio, struct gx_sql *q, const struct gx_content_verify *v)
{
	struct check c = {.cio = cio, .q = q, .v = v, .buf = malloc(GX_PACK_BLOCK)};
	if (c.buf == NULL)
		return GX_E_NOMEM;
	int err = v->what & (GX_CV_ROW | GX_CV_REFS | GX_CV_BYTES) ? check_rows(&c) : 0;
	if (err == 0 && (v->what & GX_CV_DATA))
		err = check_data(&c);
	if (err == 0 && (v->what & GX_CV_MISSING))
		err = check_missing(&c);
	free(c.buf);
	return err;
}
