/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content objects that are missed, and bytes that belong to nothing: the one is often the other. What
 * bytes are is told by their hash; they lie in rows of data or in files.
 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#include <sys/stat.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct gx_store_check_info subs[] = {
	{"content-missing", "content", "content objects that messages need are there", GX_FINDING_LOST, true},
	{"content-unlinked", "content", "a content object has its row", GX_FINDING_BROKEN, true},
	{"content-data", "content data", "bytes in the database belong to a content object", GX_FINDING_WASTE, true},
};

/* Number of bytes that blocks would unpack to if the packed form is one: from its table; 0 it is none. */
static uint64_t blocks_size(ZSTD_DCtx *d, struct gx_bin b, uint8_t *buf)
{
	struct gx_pull c;
	uint64_t sum = 0, n = 0;
	uint32_t entry = 0;
	gx_pull_init(&c, b.data, b.len);
	while (c.left >= 4) {
		entry = gx_pull_u32(&c);
		sum += entry & ~GX_PACK_RAW_BLOCK;
		n++;
		if (sum >= c.left)
			break;
	}
	if (n == 0 || sum != c.left)
		return 0;
	size_t last = entry & ~GX_PACK_RAW_BLOCK, len = last;
	if ((entry & GX_PACK_RAW_BLOCK) == 0) {
		len = ZSTD_decompressDCtx(d, buf, GX_PACK_BLOCK, b.data + b.len - last, last);
		if (ZSTD_isError(len))
			return 0;
	}
	return len > GX_PACK_BLOCK ? 0 : (n - 1) * GX_PACK_BLOCK + len;
}

/* Packed bytes of unknown kind: are they blocks, or as they are? The content in @out. */
static int unpack(struct gx_sc *k, struct gx_bin b, uint8_t *ret_comp, struct gx_push *out)
{
	ZSTD_DCtx *d = k->t->c->cio->dctx;
	uint8_t *buf = malloc(GX_PACK_BLOCK);
	if (buf == NULL)
		return GX_E_NOMEM;
	uint64_t size = blocks_size(d, b, buf);
	free(buf);
	gx_push_clear(out);
	*ret_comp = GX_PACK_BLOCKS;
	if (size > 0 && gx_pack__unpack(d, GX_PACK_BLOCKS, b, size, out) == 0)
		return 0;
	gx_push_clear(out);
	*ret_comp = GX_PACK_RAW;
	gx_push_bytes(out, b.data, b.len);
	return out->err;
}

/* Is the content of a file what its name says? */
static int read_file(struct gx_sc *k, const uint8_t *hash, struct gx_push *packed)
{
	char path[PATH_MAX];
	struct stat sb;
	const struct gx_fs *fs = k->t->c->cio->fs;
	if (gx_cio__path(k->t->c->cio, hash, "", path) != 0)
		return GX_E_NOTFOUND;
	int fd = fs->open(fs, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
	gx_push_clear(packed);
	int err = fstat(fd, &sb) == 0 ? 0 : GX_E_IO;
	uint8_t *p = err != 0 || (uint64_t)sb.st_size > GX_CONTENT_SIZE_MAX
		? NULL
		: gx_push_reserve(packed, (size_t)sb.st_size + 1);
	if (err == 0 && p == NULL)
		err = packed->err != 0 ? packed->err : GX_E_NOTFOUND;
	if (err == 0)
		err = gx_fs__pread_all(fs, fd, p, (size_t)sb.st_size, 0);
	if (err == 0)
		gx_push_added(packed, (size_t)sb.st_size);
	fs->close(fs, fd);
	return err;
}

/* @data: its row, 0 when it is in its file. */
static int link_bytes(struct gx_sc *k, const uint8_t *hash, uint64_t size, uint8_t comp, uint64_t data)
{
	GX_STMT(st, k->q, "INSERT OR REPLACE INTO content(hash,size,refs,comp,data) VALUES(?1,?2,1,?3,NULLIF(?4,0))");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	gx_sql__bind_int(st, 2, (int64_t)size);
	gx_sql__bind_int(st, 3, comp);
	gx_sql__bind_int(st, 4, (int64_t)data);
	return gx_sql__run(st);
}

/* 1 the file holds it. With @link the row is made. */
static int try_file(struct gx_sc *k, const uint8_t *hash, bool link)
{
	struct gx_push packed = GX_PUSH_INIT, out = GX_PUSH_INIT;
	uint8_t comp, digest[GX_HASH_LEN];
	int err = read_file(k, hash, &packed), found = 0;
	if (err == 0)
		err = unpack(k, (struct gx_bin){packed.data, packed.len}, &comp, &out);
	if (err == 0) {
		gx_content__hash(out.data, out.len, digest);
		found = memcmp(digest, hash, GX_HASH_LEN) == 0;
		if (found && link)
			err = link_bytes(k, hash, out.len, comp, 0);
	}
	gx_push_release(&packed);
	gx_push_release(&out);
	return err == GX_E_NOTFOUND || err == GX_E_IO ? 0 : err != 0 ? err : found;
}

/* ---- Rows of data ---- */

struct datum {
	uint64_t id, size;
	uint8_t comp, hash[GX_HASH_LEN];
};
struct data {
	struct gx_sc *k;
	struct datum *v;
	size_t n, cap;
	const struct gx_content_tally *tally;
};

static int identify(struct gx_sc *k, struct datum *d)
{
	struct gx_push out = GX_PUSH_INIT;
	GX_STMT(st, k->q, "SELECT data FROM content_data WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)d->id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	int err = unpack(k, gx_sql__blob(st, 0), &d->comp, &out);
	if (err == 0)
		gx_content__hash(out.data, out.len, d->hash);
	d->size = out.len;
	gx_push_release(&out);
	return err;
}

static int take_datum(unsigned what, const uint8_t *hash, uint64_t id, const char *text, void *ctx)
{
	struct data *x = ctx;
	(void)what;
	(void)hash;
	(void)text;
	x->v = gx_arena_grow(x->k->a, x->v, &x->cap, x->n + 1, sizeof(*x->v));
	if (x->v == NULL)
		return GX_E_NOMEM;
	x->v[x->n++] = (struct datum){.id = id};
	return 0;
}

static int list_data(struct data *x)
{
	struct gx_content_verify v = {.what = GX_CV_DATA, .report = take_datum, .ctx = x};
	int err = gx_content__verify(x->k->t->c->cio, x->k->q, &v);
	for (size_t i = 0; err == 0 && i < x->n; i++)
		err = identify(x->k, &x->v[i]);
	return err;
}

static const struct datum *datum_of(const struct data *x, const uint8_t *hash)
{
	for (size_t i = 0; i < x->n; i++)
		if (memcmp(x->v[i].hash, hash, GX_HASH_LEN) == 0)
			return &x->v[i];
	return NULL;
}

/* ---- Finding ---- */

static int say_missing(unsigned what, const uint8_t *hash, uint64_t body, const char *text, void *ctx)
{
	struct data *x = ctx;
	char who[100];
	int at_hand = datum_of(x, hash) != NULL ? 1 : try_file(x->k, hash, false);
	(void)what;
	int err = gx_sc__needed_by(x->k, body, who, sizeof(who));
	if (err != 0)
		return err;
	return at_hand < 0
		? at_hand
		: gx_sc__say_hash(x->k, (unsigned)at_hand, body, hash, "%s%s%s", text, at_hand ? "; its bytes are" : "", who);
}

static int find_in(struct gx_sc *k, struct data *x, struct gx_content_tally *t)
{
	struct gx_content_verify v = {.what = GX_CV_MISSING, .tally = t, .report = say_missing, .ctx = x};
	int err = list_data(x);
	if (err == 0)
		err = gx_content__verify(k->t->c->cio, k->q, &v);
	for (size_t i = 0; err == 0 && i < x->n; i++) {
		uint64_t body, size;
		int64_t there = 0;
		GX_STMT(st, k->q, "SELECT 1 FROM content WHERE hash=?1");
		gx_sql__bind_blob(st, 1, x->v[i].hash, GX_HASH_LEN);
		int r = gx_sql__step(st);
		there = r > 0;
		if (r < 0)
			return r;
		if (there || gx_content__tally_get(t, x->v[i].hash, &body, &size) == 0)
			err = gx_sc__say(k, 2, x->v[i].id, "row %llx: %llu bytes of content belong to nothing",
				(unsigned long long)x->v[i].id, (unsigned long long)x->v[i].size);
	}
	return err;
}

static int find(struct gx_sc *k)
{
	struct data x = {.k = k};
	struct gx_content_tally *t;
	int err = gx_sc__tally(k, &t);
	if (err != 0)
		return err;
	err = find_in(k, &x, t);
	gx_content__tally_free(t);
	return err;
}

/* ---- Repair ---- */

static int link_datum(struct gx_sc *k, const struct datum *d)
{
	return link_bytes(k, d->hash, d->size, d->comp, d->id);
}

/*
 * Known under its hash, it is only doubled; else it becomes an object, which the check of
 * references then gives a message.
 */
static int settle_datum(struct gx_sc *k, const struct datum *d)
{
	GX_STMT(st, k->q, "SELECT 1 FROM content WHERE hash=?1");
	gx_sql__bind_blob(st, 1, d->hash, GX_HASH_LEN);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	return r > 0 ? gx_sc__run(k, "DELETE FROM content_data WHERE id=?1", d->id, 0) : link_datum(k, d);
}

static int repair_one(struct gx_sc *k, const struct data *x, const struct gx_sc_item *i)
{
	const struct datum *d;
	switch (i->sub) {
	case 0:
		return gx_sc__rebuild_without(k, i->hash);
	case 1:
		d = datum_of(x, i->hash);
		if (d != NULL)
			return link_datum(k, d);
		int r = try_file(k, i->hash, true);
		return r < 0 ? r : 0;
	default:
		for (size_t n = 0; n < x->n; n++)
			if (x->v[n].id == i->object)
				return settle_datum(k, &x->v[n]);
		return 0;
	}
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	struct data x = {.k = k};
	int err = list_data(&x);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = repair_one(k, &x, &v[i]);
	return err;
}

const struct gx_sc_check gx_sc__content_orphans = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};

/* ---- Files ---- */

static const struct gx_store_check_info file_subs[] = {
	{"content-file", "file", "a content file belongs to a content object", GX_FINDING_WASTE, true},
};

/* Younger ones may belong to a transaction that is still running. */
#define YOUNG_SECONDS 600

static bool in_use(int dirfd, const char *name)
{
	bool busy;
	int fd = gx_content__hold_file(dirfd, name, &busy);
	if (fd >= 0)
		close(fd);
	return busy;
}

static int look_at(struct gx_sc *k, int dirfd, const char *path, const char *name)
{
	struct stat sb;
	uint8_t hash[GX_HASH_LEN];
	int kind = gx_content__file_name(name, hash);
	if (kind == GX_CFILE_OTHER || fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (k->t->mode == GX_TXN_READ && sb.st_mtime > gx_store__now_unix(k->s) - YOUNG_SECONDS)
		return 0;
	if (kind == GX_CFILE_UNFINISHED && in_use(dirfd, name))
		return 0;
	if (kind == GX_CFILE_OBJECT) {
		GX_STMT(st, k->q, "SELECT 1 FROM content WHERE hash=?1 AND data IS NULL");
		gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
		int r = gx_sql__step(st);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return gx_sc__say(k, 0, 0, "%s/%s belongs to nothing, %lld bytes", path, name, (long long)sb.st_size);
}

static int look_into(struct gx_sc *k, const char *path)
{
	const struct gx_fs *fs = k->t->c->cio->fs;
	DIR *d = fs->opendir(fs, path);
	int err = 0;
	if (d == NULL)
		return errno == ENOENT ? 0 : gx_sql__fail(k->q, GX_E_IO, "%s: %s", path, strerror(errno));
	for (struct dirent *e; err == 0 && (e = readdir(d)) != NULL;)
		err = look_at(k, dirfd(d), path, e->d_name);
	closedir(d);
	return err;
}

static int find_files(struct gx_sc *k)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < 256; i++) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s/cid/%02x", k->s->dir, i);
		err = n < 0 || n >= PATH_MAX ? GX_E_LIMIT : look_into(k, path);
	}
	return err;
}

static int repair_files(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	long removed = gx_content__collect(k->t->c->cio, k->q);
	(void)v;
	(void)n;
	return removed < 0 ? (int)removed : 0;
}

const struct gx_sc_check gx_sc__content_files = {
	.subs = file_subs, .nsubs = N(file_subs), .find = find_files, .repair = repair_files};
