/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include "libgxstore/content/recompress.h"
#include "libgxstore/store-int.h"

enum { LEVEL = 6, BATCH = 256 };
#define BATCH_BYTES ((uint64_t)4 << 20)

int gx_rec__begin(struct gx_rec *x, const struct gx_recompress_opts *o, struct gx_recompress_result *r)
{
	if (o == NULL || o->size < sizeof(*o) || r == NULL || o->level < 0 || o->level > ZSTD_maxCLevel())
		return GX_E_INVAL;
	*x = (struct gx_rec){.o = o, .r = r, .a = gx_arena_new(0)};
	x->c = gx_pack__context(o->level == 0 ? LEVEL : o->level);
	x->d = ZSTD_createDCtx();
	gx_push_init(&x->packed, 0);
	if (x->a != NULL && x->c != NULL && x->d != NULL)
		return 0;
	gx_rec__end(x);
	return GX_E_NOMEM;
}

void gx_rec__end(struct gx_rec *x)
{
	ZSTD_freeCCtx(x->c);
	ZSTD_freeDCtx(x->d);
	gx_push_release(&x->packed);
	gx_arena_free(x->a);
}

int gx_rec__counted(struct gx_rec *x, uint64_t before, uint64_t after)
{
	x->r->objects++;
	x->r->before += before;
	x->r->after += after;
	x->done += before;
	return x->o->progress != NULL && x->o->progress(x->done, x->total, x->o->ctx) != 0 ? GX_E_STATE : 0;
}

void gx_rec__left(struct gx_rec *x, const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->r->left++;
	if (x->o->left != NULL)
		x->o->left(text, x->o->ctx);
}

int gx_recompress_path(const char *path, const struct gx_recompress_opts *o, struct gx_recompress_result *io_r)
{
	struct gx_rec x;
	int err = path == NULL ? GX_E_INVAL : gx_rec__begin(&x, o, io_r);
	if (err != 0)
		return err;
	err = gx_rec__measure(path, &x.total);
	if (err == 0)
		err = gx_rec__path(&x, path);
	int sys = errno;
	gx_rec__end(&x);
	errno = sys;
	return err;
}

/* ---- In the database ---- */

struct object {
	uint8_t hash[GX_HASH_LEN];
	uint64_t size;
	uint8_t comp;
	int64_t id;
	struct gx_bin packed;
};

static int replace(struct gx_txn *t, const struct object *b, uint8_t comp, struct gx_bin packed)
{
	GX_STMT(data, t->q, "UPDATE content_data SET data=?2 WHERE id=?1");
	gx_sql__bind_int(data, 1, b->id);
	gx_sql__bind_blob(data, 2, packed.data, packed.len);
	int err = gx_sql__run(data);
	if (err != 0)
		return err;
	GX_STMT(row, t->q, "UPDATE content SET comp=?2 WHERE hash=?1");
	gx_sql__bind_blob(row, 1, b->hash, GX_HASH_LEN);
	gx_sql__bind_int(row, 2, comp);
	return gx_sql__run(row);
}

static int one_object(struct gx_rec *x, struct gx_txn *t, const struct object *b, const char *dir)
{
	uint8_t hash[GX_HASH_LEN], comp;
	struct gx_push plain = GX_PUSH_INIT;
	struct gx_bin packed = {NULL, 0};
	uint64_t after = b->packed.len;
	int err = gx_pack__unpack(x->d, b->comp, b->packed, b->size, &plain);
	if (err == 0)
		gx_content__hash(plain.data, plain.len, hash);
	if (err == GX_E_FORMAT || (err == 0 && memcmp(hash, b->hash, GX_HASH_LEN) != 0)) {
		char hex[2 * GX_HASH_LEN + 1];
		gx_cio__hex(b->hash, hex);
		gx_rec__left(x, "%s: content object %s is damaged; see gromox-mbck(8)", dir, hex);
		err = 0;
	} else if (err == 0) {
		gx_arena_reset(x->a);
		err = gx_pack__pack(x->a, &x->c, plain.data, plain.len, &comp, &packed);
		if (err == 0 && packed.len < b->packed.len) {
			err = replace(t, b, comp, packed);
			after = packed.len;
			x->r->replaced++;
		}
	}
	gx_push_release(&plain);
	return err == 0 ? gx_rec__counted(x, b->packed.len, after) : err;
}

/* Objects behind io_last, until that is enough for one transaction. @return 1 there may be more. */
static int batch(struct gx_rec *x, struct gx_txn *t, uint8_t *io_last, bool *io_any, const char *dir)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < BATCH && bytes < BATCH_BYTES; ++i) {
		GX_STMT(st, t->q,
			"SELECT c.hash,c.size,c.comp,c.data,d.data FROM content c JOIN content_data d ON d.id=c.data"
			" WHERE (?2 OR c.hash>?1) AND length(c.hash)=32 ORDER BY c.hash LIMIT 1");
		gx_sql__bind_blob(st, 1, io_last, GX_HASH_LEN);
		gx_sql__bind_int(st, 2, !*io_any);
		int r = gx_sql__step(st);
		if (r <= 0)
			return r;
		struct object b = {.size = gx_sql__u64(st, 1),
			.comp = (uint8_t)gx_sql__int(st, 2),
			.id = gx_sql__int(st, 3),
			.packed = gx_sql__blob(st, 4)};
		memcpy(b.hash, gx_sql__blob(st, 0).data, GX_HASH_LEN);
		bytes += b.packed.len;
		int err = x->o->dry_run ? gx_rec__counted(x, b.packed.len, b.packed.len) : one_object(x, t, &b, dir);
		if (err != 0)
			return err;
		memcpy(io_last, b.hash, GX_HASH_LEN);
		*io_any = true;
	}
	return 1;
}

static int objects(struct gx_rec *x, struct gx_store *s)
{
	uint8_t last[GX_HASH_LEN] = {0};
	bool any = false;
	for (int more = 1; more > 0;) {
		struct gx_txn *t;
		int err = gx_txn__system(s, x->o->dry_run ? GX_TXN_READ : GX_TXN_WRITE, 60000, &t);
		if (err != 0)
			return err;
		more = batch(x, t, last, &any, s->dir);
		if (more >= 0 && !x->o->dry_run)
			err = gx_txn_commit(t, GX_SYNC_LATER);
		else
			gx_txn_abort(t);
		if (more < 0 || err != 0)
			return err != 0 ? err : more;
	}
	return 0;
}

static int measure(struct gx_rec *x, struct gx_store *s, const char *cid)
{
	struct gx_txn *t;
	int err = gx_txn__system(s, GX_TXN_READ, 60000, &t);
	if (err != 0)
		return err;
	{
		GX_STMT(st, t->q, "SELECT TOTAL(length(data)) FROM content_data");
		int r = gx_sql__step(st);
		err = r < 0 ? r : 0;
		x->total = r > 0 ? gx_sql__u64(st, 0) : 0;
	}
	gx_txn_abort(t);
	return err != 0 ? err : gx_rec__measure(cid, &x->total);
}

int gx_recompress_store(struct gx_store *s, const struct gx_recompress_opts *o, struct gx_recompress_result *io_r)
{
	struct gx_rec x;
	char cid[PATH_MAX];
	int err = s == NULL ? GX_E_INVAL : gx_rec__begin(&x, o, io_r);
	if (err != 0)
		return err;
	int n = snprintf(cid, sizeof(cid), "%s/cid", s->dir);
	err = n < 0 || (size_t)n >= sizeof(cid) ? GX_E_LIMIT : measure(&x, s, cid);
	err = err == 0 || err == GX_E_NOTFOUND ? objects(&x, s) : err;
	if (err == 0)
		err = gx_rec__path(&x, cid);
	gx_rec__end(&x);
	return err == GX_E_NOTFOUND ? 0 : err;
}
