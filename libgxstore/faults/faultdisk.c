/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include "libgxstore/faults/faultdisk.h"

#define SECTOR 512U
#define NAME 96

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

/* A sector's contents at one moment, or a new length. */
struct change {
	uint64_t seq;
	uint64_t at;    /* number of the sector; SIZE: the length */
	uint16_t n;     /* bytes of the sector that lie inside the file */
	bool size, lost;
	uint8_t data[SECTOR];
};

struct name {
	char s[NAME];
	struct fnode *node;
};
struct names {
	struct name *v;
	size_t n, cap;
};
/* One change of a directory that happens wholly or not at all; node NULL takes a name away. */
struct dirop {
	uint64_t seq;
	struct name set[2];
	int n;
};

struct fnode {
	struct fnode *next;
	bool dir;
	struct bytes cur, safe;
	struct change *v;
	size_t n, cap;
	struct names names, safe_names;
	struct dirop *ops;
	size_t nops, cap_ops;
};

struct fdisk {
	char root[512];
	struct fnode *top, *all;
	uint64_t seq;
};

static void *grown(void *v, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return v;
	size_t n = *cap * 2 < need ? need + 16 : *cap * 2;
	v = realloc(v, n * size);
	ck_assert_ptr_nonnull(v);
	*cap = n;
	return v;
}

static void bytes_resize(struct bytes *b, size_t len)
{
	b->p = grown(b->p, &b->cap, len, 1);
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void bytes_put(struct bytes *b, size_t off, const void *p, size_t n)
{
	if (off + n > b->len)
		bytes_resize(b, off + n);
	memcpy(b->p + off, p, n);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
	to->len = 0;
	bytes_resize(to, from->len);
	if (from->len > 0)
		memcpy(to->p, from->p, from->len);
}

uint64_t fdisk_random(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(2685821657736338717);
}

/* ---- Names ---- */

static struct fnode *node_new(struct fdisk *d, bool dir)
{
	struct fnode *f = calloc(1, sizeof(*f));
	ck_assert_ptr_nonnull(f);
	f->dir = dir;
	f->next = d->all;
	d->all = f;
	return f;
}

static struct fnode *get(const struct names *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].s, s) == 0)
			return l->v[i].node;
	return NULL;
}

static void set(struct names *l, const struct name *x)
{
	size_t i = 0;
	while (i < l->n && strcmp(l->v[i].s, x->s) != 0)
		i++;
	if (x->node == NULL && i < l->n) {
		l->v[i] = l->v[--l->n];
	} else if (x->node != NULL) {
		if (i == l->n) {
			l->v = grown(l->v, &l->cap, l->n + 1, sizeof(*l->v));
			l->n++;
		}
		l->v[i] = *x;
	}
}

static struct name named(const char *s, struct fnode *node)
{
	struct name x = {.node = node};
	ck_assert_uint_lt(strlen(s), sizeof(x.s));
	memcpy(x.s, s, strlen(s) + 1);
	return x;
}

static void change_dir(struct fdisk *d, struct fnode *dir, const struct dirop *op)
{
	dir->ops = grown(dir->ops, &dir->cap_ops, dir->nops + 1, sizeof(*dir->ops));
	dir->ops[dir->nops] = *op;
	dir->ops[dir->nops++].seq = ++d->seq;
	for (int i = 0; i < op->n; i++)
		set(&dir->names, &op->set[i]);
}

/* The directory of the path and its last part. */
static struct fnode *walk(struct fdisk *d, const char *path, const char **ret_last)
{
	size_t n = strlen(d->root);
	if (strncmp(path, d->root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	struct fnode *dir = d->top;
	const char *p = path + n + strspn(path + n, "/");
	for (const char *slash; dir != NULL && (slash = strchr(p, '/')) != NULL; p = slash + strspn(slash, "/")) {
		char part[NAME];
		snprintf(part, sizeof(part), "%.*s", (int)(slash - p), p);
		dir = get(&dir->names, part);
	}
	*ret_last = p;
	return dir;
}

struct fnode *fdisk_find(struct fdisk *d, const char *path)
{
	const char *last;
	struct fnode *dir = walk(d, path, &last);
	return dir == NULL || *last == '\0' ? dir : get(&dir->names, last);
}

struct fnode *fdisk_parent(struct fdisk *d, const char *path)
{
	const char *last;
	return walk(d, path, &last);
}

struct fnode *fdisk_create(struct fdisk *d, const char *path, bool isdir)
{
	const char *last;
	struct fnode *dir = walk(d, path, &last);
	if (dir == NULL || *last == '\0')
		return dir;
	struct fnode *f = node_new(d, isdir);
	struct dirop op = {.set = {named(last, f)}, .n = 1};
	change_dir(d, dir, &op);
	return f;
}

void fdisk_rename(struct fdisk *d, const char *from, const char *to)
{
	const char *x, *y;
	struct fnode *dir = walk(d, from, &x), *f = fdisk_find(d, from);
	if (dir == NULL || f == NULL)
		return;
	ck_assert_ptr_eq(dir, walk(d, to, &y)); /* the store renames inside a directory only */
	struct dirop op = {.set = {named(x, NULL), named(y, f)}, .n = 2};
	change_dir(d, dir, &op);
}

void fdisk_unlink(struct fdisk *d, const char *path)
{
	const char *last;
	struct fnode *dir = walk(d, path, &last);
	if (dir == NULL || get(&dir->names, last) == NULL)
		return;
	struct dirop op = {.set = {named(last, NULL)}, .n = 1};
	change_dir(d, dir, &op);
}

/* ---- Data ---- */

static struct change *add_change(struct fdisk *d, struct fnode *f)
{
	f->v = grown(f->v, &f->cap, f->n + 1, sizeof(*f->v));
	struct change *c = &f->v[f->n++];
	c->seq = ++d->seq;
	c->size = c->lost = false;
	return c;
}

void fdisk_write(struct fdisk *d, struct fnode *f, const void *p, size_t n, uint64_t off)
{
	if (n == 0)
		return;
	bytes_put(&f->cur, off, p, n);
	for (uint64_t s = off / SECTOR; s <= (off + n - 1) / SECTOR; s++) {
		struct change *c = add_change(d, f);
		size_t left = f->cur.len - s * SECTOR;
		c->at = s;
		c->n = (uint16_t)(left < SECTOR ? left : SECTOR);
		memcpy(c->data, f->cur.p + s * SECTOR, c->n);
	}
}

void fdisk_truncate(struct fdisk *d, struct fnode *f, uint64_t len)
{
	if (f->cur.len == len)
		return;
	bytes_resize(&f->cur, len);
	struct change *c = add_change(d, f);
	c->size = true;
	c->at = len;
}

uint64_t fdisk_size(const struct fnode *f)
{
	return f->cur.len;
}

static void apply(struct bytes *b, const struct change *c)
{
	if (c->size)
		bytes_resize(b, c->at);
	else
		bytes_put(b, c->at * SECTOR, c->data, c->n);
}

/* Is there a later write of the same sector, and not lost itself? */
static bool written_again(const struct fnode *f, size_t i)
{
	for (size_t k = i + 1; k < f->n; k++)
		if (!f->v[k].size && !f->v[k].lost && f->v[k].at == f->v[i].at)
			return true;
	return false;
}

void fdisk_sync(struct fnode *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!f->v[i].lost)
			apply(&f->safe, &f->v[i]);
		else if (!written_again(f, i))
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
	for (size_t i = 0; i < f->nops; i++)
		for (int k = 0; k < f->ops[i].n; k++)
			set(&f->safe_names, &f->ops[i].set[k]);
	f->nops = 0;
}

void fdisk_sync_failed(struct fnode *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].lost = !f->v[i].size;
}

/* ---- The loss ---- */

struct loss {
	int mode;
	uint64_t rng, cut;
	unsigned percent;
};

static unsigned below(struct loss *x, unsigned n)
{
	return (unsigned)(fdisk_random(&x->rng) >> 33) % n;
}

/* Decides how one file or directory fares. */
static void begin_node(struct loss *x)
{
	static const unsigned share[] = {5, 50, 95};
	x->percent = x->mode == FDISK_NOTHING ? 0 : x->mode == FDISK_ALL ? 100 : x->mode == FDISK_FILES ? below(x, 2) * 100 : share[below(x, 3)];
}

static bool survives(struct loss *x, uint64_t seq)
{
	return x->mode == FDISK_PREFIX ? seq <= x->cut : below(x, 100) < x->percent;
}

static void write_file(const char *path, const struct bytes *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->p + at, b->len - at);
		ck_assert_int_gt(n, 0);
		at += (size_t)n;
	}
	close(fd);
}

static void lose_file(struct loss *x, const struct fnode *f, const char *path)
{
	struct bytes b = {0};
	bytes_copy(&b, &f->safe);
	begin_node(x);
	for (size_t i = 0; i < f->n; i++)
		if (survives(x, f->v[i].seq))
			apply(&b, &f->v[i]);
	/* The length may have been noted before the data. */
	if (x->mode == FDISK_SECTORS && f->cur.len > b.len && below(x, 3) == 0)
		bytes_resize(&b, b.len + below(x, (unsigned)(f->cur.len - b.len) + 1));
	write_file(path, &b);
	free(b.p);
}

static void lose_dir(struct loss *x, const struct fnode *dir, const char *path)
{
	struct names l = {0};
	for (size_t i = 0; i < dir->safe_names.n; i++)
		set(&l, &dir->safe_names.v[i]);
	begin_node(x);
	for (size_t i = 0; i < dir->nops; i++)
		if (survives(x, dir->ops[i].seq))
			for (int k = 0; k < dir->ops[i].n; k++)
				set(&l, &dir->ops[i].set[k]);
	for (size_t i = 0; i < l.n; i++) {
		char sub[1024];
		snprintf(sub, sizeof(sub), "%s/%s", path, l.v[i].s);
		if (l.v[i].node->dir) {
			ck_assert_int_eq(mkdir(sub, 0700), 0);
			lose_dir(x, l.v[i].node, sub);
		} else {
			lose_file(x, l.v[i].node, sub);
		}
	}
	free(l.v);
}

void fdisk_lose(struct fdisk *d, int mode, uint64_t seed, const char *out)
{
	uint64_t oldest = d->seq;
	struct loss x = {.mode = mode, .rng = seed * 2 + 1};
	for (struct fnode *f = d->all; f != NULL; f = f->next) {
		if (f->n > 0 && f->v[0].seq < oldest)
			oldest = f->v[0].seq;
		if (f->nops > 0 && f->ops[0].seq < oldest)
			oldest = f->ops[0].seq;
	}
	for (int i = 0; i < 8; i++)
		fdisk_random(&x.rng);
	x.cut = oldest + fdisk_random(&x.rng) % (d->seq - oldest + 1);
	lose_dir(&x, d->top, out);
}

bool fdisk_dirty(const struct fdisk *d)
{
	for (struct fnode *f = d->all; f != NULL; f = f->next)
		if (f->n > 0 || f->nops > 0)
			return true;
	return false;
}

/* ---- Begin and end ---- */

static bool ignored(const char *s)
{
	size_t n = strlen(s);
	return strcmp(s, ".") == 0 || strcmp(s, "..") == 0 || strcmp(s, "store.lock") == 0 || (n > 4 && strcmp(s + n - 4, "-shm") == 0);
}

static void read_file(struct fnode *f, const char *path)
{
	uint8_t buf[65536];
	ssize_t n;
	int fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		bytes_put(&f->safe, f->safe.len, buf, (size_t)n);
	close(fd);
	bytes_copy(&f->cur, &f->safe);
}

static void read_dir(struct fdisk *d, struct fnode *dir, const char *path)
{
	DIR *h = opendir(path);
	ck_assert_ptr_nonnull(h);
	for (struct dirent *e; (e = readdir(h)) != NULL;) {
		char sub[1024];
		struct stat sb;
		if (ignored(e->d_name))
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		ck_assert_int_eq(stat(sub, &sb), 0);
		struct name x = named(e->d_name, node_new(d, S_ISDIR(sb.st_mode)));
		set(&dir->names, &x);
		set(&dir->safe_names, &x);
		if (x.node->dir)
			read_dir(d, x.node, sub);
		else
			read_file(x.node, sub);
	}
	closedir(h);
}

struct fdisk *fdisk_new(const char *root)
{
	struct fdisk *d = calloc(1, sizeof(*d));
	ck_assert_ptr_nonnull(d);
	snprintf(d->root, sizeof(d->root), "%s", root);
	d->top = node_new(d, true);
	read_dir(d, d->top, root);
	return d;
}

void fdisk_free(struct fdisk *d)
{
	if (d == NULL)
		return;
	for (struct fnode *f = d->all, *next; f != NULL; f = next) {
		next = f->next;
		free(f->cur.p);
		free(f->safe.p);
		free(f->v);
		free(f->names.v);
		free(f->safe_names.v);
		free(f->ops);
		free(f);
	}
	free(d);
}
