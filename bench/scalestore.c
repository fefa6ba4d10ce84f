/* SPDX-License-Identifier: Apache-2.0 */
/* Stores for benchmarks: filling them, and large ones that are kept between runs. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/search.h>
#include "bench/scale.h"

#define BATCH_MAX 1000U

void scale_create(const char *dir)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	o.owner_id = 1;
	o.owner = "u@example.org";
	if (gx_store_create(dir, &o, a, &why) != 0)
		scale_die("create", why);
	gx_arena_free(a);
}

struct gx_store *scale_open(const char *dir, int index)
{
	struct gx_store *s;
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	o.no_index = index != SCALE_INDEX;
	if (gx_store_open(dir, &o, &s, a, &why) != 0)
		scale_die("open", why);
	gx_arena_free(a);
	return s;
}

struct gx_txn *scale_begin(struct gx_store *s, int mode)
{
	struct gx_txn *t;
	scale_must(gx_txn_begin(s, &scale_system, mode, 10000, &t), "begin");
	return t;
}

void scale_commit(struct gx_txn *t, int sync)
{
	scale_must(gx_txn_commit(t, sync), "commit");
}

uint64_t scale_folder(struct gx_store *s, const char *name)
{
	uint64_t fid;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_folder_create(t, GX_FID_INBOX, name, NULL, GX_FOLDER_GENERIC, NULL, &fid), "folder");
	scale_commit(t, GX_SYNC_LATER);
	return fid;
}

/* ---- Filling ---- */

/* One a second, one in ten unread. */
static void insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, unsigned i, uint64_t *ret_mid)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	o.received = 133000000000000000 + (gx_nttime_t)i * 10000000;
	o.flags = scale_rnd(10) == 0 ? 0 : GX_MSGF_READ;
	scale_need(gx_msg_insert(t, fid, p, &o, &ids), "insert");
	if (ret_mid != NULL)
		*ret_mid = ids.mid;
}

struct meter scale_fill(struct gx_store *s, uint64_t fid, unsigned first, unsigned n, unsigned batch, int sync,
	size_t size, uint64_t *ret_mids)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	for (unsigned i = 0; i < n; i += batch) {
		struct gx_msg_prepared *p[BATCH_MAX];
		unsigned m = n - i < batch ? n - i : batch;
		for (unsigned k = 0; k < m; k++) {
			struct gx_msg_source src = scale_mail(a, first + i + k, size != 0 ? size : scale_mail_size());
			p[k] = scale_prepare(a, &src);
		}
		struct meter t0 = meter_now();
		struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
		for (unsigned k = 0; k < m; k++)
			insert(t, fid, p[k], first + i + k, ret_mids != NULL ? ret_mids + i + k : NULL);
		scale_commit(t, sync);
		meter_add(&sum, meter_since(t0));
		for (unsigned k = 0; k < m; k++)
			gx_msg_prepared_release(p[k]);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return sum;
}

uint64_t *scale_mids(struct gx_store *s, uint64_t fid, size_t *ret_n)
{
	struct gx_imapview *v;
	scale_need(gx_imapview_open(s, &scale_system, fid, &v), "view");
	size_t n = gx_imapview_count(v);
	uint64_t *m = malloc((n + 1) * sizeof(*m));
	if (m == NULL)
		scale_die("memory", "out of it");
	for (size_t i = 0; i < n; i++)
		m[i] = gx_imapview_at(v, (uint32_t)i + 1).mid;
	gx_imapview_close(v);
	*ret_n = n;
	return m;
}

/* ---- Directories ---- */

void scale_tmp(char dir[600], const char *parent)
{
	if (parent == NULL)
		parent = getenv("GX_BENCH_DIR");
	snprintf(dir, 600, "%s/gxbench-XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(dir) == NULL)
		scale_die(dir, strerror(errno));
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

void scale_remove(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		scale_die(dir, "cannot be removed");
}

static struct scale_disk disk;

static int count_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)path;
	(void)f;
	disk.bytes += (uint64_t)sb->st_blocks * 512;
	disk.in_files += kind == FTW_F ? (uint64_t)sb->st_blocks * 512 : 0;
	disk.files += kind == FTW_F;
	return 0;
}

struct scale_disk scale_disk(const char *dir)
{
	disk = (struct scale_disk){0};
	if (nftw(dir, count_one, 16, FTW_PHYS) != 0)
		scale_die(dir, "cannot be walked");
	return disk;
}

static int uncache_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)f;
	int fd = kind == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	(void)fdatasync(fd); /* what is dirty stays */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return 0;
}

void scale_uncache(const char *dir)
{
	(void)nftw(dir, uncache_one, 16, FTW_PHYS);
}

/* ---- The large store ---- */

static const char *const names[SCALE_SIZES - 1] = {"thousandth", "hundredth", "tenth"};

static void index_all(struct gx_store *s, unsigned n)
{
	struct meter t0 = meter_now();
	bool done;
	scale_must(gx_store_index(s, 0, &done), "index");
	if (done)
		return;
	while (!done)
		scale_must(gx_store_index(s, 1000, &done), "index");
	scale_row("index built", meter_since(t0), n, NULL);
}

static void fill_one(struct gx_store *s, struct scale_big *b, int i, unsigned first)
{
	b->fid[i] = i == SCALE_SIZES - 1 ? GX_FID_INBOX : scale_folder(s, names[i]);
	struct meter m = scale_fill(s, b->fid[i], first, b->count[i], BATCH_MAX, GX_SYNC_LATER, 0, NULL);
	scale_row("filled, 1000 a transaction", m, b->count[i], "\"in_folder\": %u", b->count[i]);
}

static void build(struct scale_big *b, int index)
{
	unsigned n = 0;
	scale_create(b->dir);
	struct gx_store *s = scale_open(b->dir, index);
	for (int i = 0; i < SCALE_SIZES; i++) {
		fill_one(s, b, i, n);
		n += b->count[i];
	}
	if (index == SCALE_INDEX)
		index_all(s, n);
	gx_store_close(s);
	struct scale_disk d = scale_disk(b->dir);
	scale_fact("large store", "\"messages\": %u, \"bytes_per_message\": %.0f, \"files\": %u", n,
		(double)d.bytes / n, d.files);
}

/* A newer program may make the index of an older one anew. */
static void find_folders(struct scale_big *b, int index)
{
	unsigned n = 0;
	struct gx_store *s = scale_open(b->dir, index);
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	for (int i = 0; i < SCALE_SIZES - 1; i++)
		scale_need(gx_folder_by_name(t, GX_FID_INBOX, names[i], &b->fid[i]), names[i]);
	b->fid[SCALE_SIZES - 1] = GX_FID_INBOX;
	gx_txn_abort(t);
	for (int i = 0; i < SCALE_SIZES; i++)
		n += b->count[i];
	if (index == SCALE_INDEX)
		index_all(s, n);
	gx_store_close(s);
}

/* Says that the store is complete; beside the store, not in it. */
static void marker(const struct scale_big *b, char path[640])
{
	snprintf(path, 640, "%s.complete", b->dir);
}

static bool kept;

void scale_big(struct scale_big *b, unsigned n, const char *keep, int index)
{
	char mark[640], tmp[600];
	kept = keep != NULL;
	if (keep != NULL)
		(void)mkdir(keep, 0777);
	else
		scale_tmp(tmp, NULL);
	if (snprintf(b->dir, sizeof(b->dir), "%s/big-%u", keep != NULL ? keep : tmp, n) >= (int)sizeof(b->dir) - 40)
		scale_die(keep, "too long");
	for (unsigned i = 0, part = n; i < SCALE_SIZES; i++, part /= 10)
		b->count[SCALE_SIZES - 1 - i] = part;
	marker(b, mark);
	if (access(mark, F_OK) == 0) {
		find_folders(b, index);
		return;
	}
	scale_remove(b->dir);
	build(b, index);
	int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		scale_die(mark, strerror(errno));
	close(fd);
}

static const struct scale_big *copy_from;
static const char *copy_to;

static int copy_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	char to[700];
	if (strncmp(path + f->base, "fts.", 4) == 0)
		return 0;
	snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from->dir));
	if (kind == FTW_D)
		return mkdir(to, 0777) != 0 && errno != EEXIST;
	int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool ok = in >= 0 && out >= 0;
	for (off_t left = sb->st_size; ok && left > 0;) {
		ssize_t r = copy_file_range(in, NULL, out, NULL, (size_t)left, 0);
		ok = r > 0;
		left -= r;
	}
	if (in >= 0)
		close(in);
	return (out >= 0 && close(out) != 0) || !ok;
}

void scale_big_copy(const struct scale_big *b, struct scale_big *ret_copy)
{
	*ret_copy = *b;
	if (snprintf(ret_copy->dir, sizeof(ret_copy->dir), "%s.XXXXXX", b->dir) >= (int)sizeof(ret_copy->dir))
		scale_die(b->dir, "too long");
	if (mkdtemp(ret_copy->dir) == NULL)
		scale_die(ret_copy->dir, strerror(errno));
	copy_from = b;
	copy_to = ret_copy->dir;
	if (nftw(b->dir, copy_one, 16, FTW_PHYS) != 0)
		scale_die(ret_copy->dir, "the store cannot be copied there");
}

void scale_big_done(struct scale_big *b)
{
	char *slash = strrchr(b->dir, '/');
	if (kept)
		return;
	*slash = '\0';
	scale_remove(b->dir);
}
