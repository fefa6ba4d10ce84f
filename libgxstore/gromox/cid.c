/* SPDX-License-Identifier: Apache-2.0 */
/* Content files of all versions and original texts, [gromox formats 6]. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include "libgxstore/gromox/gromox-int.h"

/* No value of a property is larger; what claims to be is damaged. */
#define VALUE_MAX ((size_t)2 << 30)
#define EML_MAX VALUE_MAX
#define COUNT_HEAD 4 /* u32 number of characters before the text, versions 0 and 1 */

struct gx_gromox_cid {
	char *dir;
	ZSTD_DCtx *d;
};

int gx_gromox__cid_open(const char *dir, struct gx_gromox_cid **ret_c)
{
	struct gx_gromox_cid *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return GX_E_NOMEM;
	c->dir = strdup(dir);
	c->d = ZSTD_createDCtx();
	if (c->dir == NULL || c->d == NULL) {
		gx_gromox__cid_close(c);
		return GX_E_NOMEM;
	}
	*ret_c = c;
	return 0;
}

void gx_gromox__cid_close(struct gx_gromox_cid *c)
{
	if (c == NULL)
		return;
	ZSTD_freeDCtx(c->d);
	free(c->dir);
	free(c);
}

/* ---- Files ---- */

static int open_file(const char *path, size_t max, int *ret_fd, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? GX_E_NOTFOUND : errno == ELOOP ? GX_E_FORMAT : GX_E_IO;
	int err = fstat(fd, &st) != 0 ? GX_E_IO : !S_ISREG(st.st_mode) ? GX_E_FORMAT : (uint64_t)st.st_size > max ?
		GX_E_LIMIT : 0;
	if (err != 0) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_len = (size_t)st.st_size;
	return 0;
}

/* A file that gets shorter meanwhile is what it is then. */
static int read_all(int fd, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t have = 0;
	while (have < n) {
		ssize_t k = read(fd, p + have, n - have);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return GX_E_IO;
		if (k == 0)
			break;
		have += (size_t)k;
	}
	*ret_n = have;
	return 0;
}

int gx_gromox__read_file(struct gx_arena *a, const char *path, size_t max, struct gx_bin *ret_b)
{
	size_t n, have = 0;
	int fd, err = open_file(path, max, &fd, &n);
	if (err != 0)
		return err;
	uint8_t *p = gx_arena_alloc(a, n + 1);
	err = p == NULL ? GX_E_NOMEM : read_all(fd, p, n, &have);
	close(fd);
	if (err != 0)
		return err;
	p[have] = '\0';
	*ret_b = (struct gx_bin){p, have};
	return 0;
}

/* ---- zstd ---- */

static int unpack_known(ZSTD_DCtx *d, struct gx_arena *a, struct gx_bin z, size_t size, struct gx_bin *ret_b)
{
	uint8_t *p = gx_arena_alloc(a, size + 1);
	if (p == NULL)
		return GX_E_NOMEM;
	size_t n = ZSTD_decompressDCtx(d, p, size, z.data, z.len);
	if (ZSTD_isError(n) || n != size)
		return GX_E_FORMAT;
	p[size] = '\0';
	*ret_b = (struct gx_bin){p, size};
	return 0;
}

static int unpack_stream(ZSTD_DCtx *d, struct gx_arena *a, struct gx_bin z, struct gx_bin *ret_b)
{
	ZSTD_inBuffer in = {z.data, z.len, 0};
	struct gx_push out;
	size_t left = 1, room = ZSTD_DStreamOutSize();
	gx_push_init(&out, VALUE_MAX);
	ZSTD_DCtx_reset(d, ZSTD_reset_session_only);
	while (left != 0 && out.err == 0) {
		ZSTD_outBuffer o = {gx_push_reserve(&out, room), room, 0};
		if (o.dst == NULL)
			break;
		left = ZSTD_decompressStream(d, &o, &in);
		if (ZSTD_isError(left) || (left != 0 && o.pos == 0 && in.pos == in.size)) {
			gx_push_fail(&out, GX_E_FORMAT);
			break;
		}
		gx_push_added(&out, o.pos);
	}
	if (in.pos != in.size)
		gx_push_fail(&out, GX_E_FORMAT);
	gx_push_u8(&out, 0);
	int err = gx_push_finish(&out, a, ret_b);
	gx_push_release(&out);
	if (err == 0)
		ret_b->len--;
	return err;
}

static int unpack(ZSTD_DCtx *d, struct gx_arena *a, struct gx_bin z, struct gx_bin *ret_b)
{
	unsigned long long size = ZSTD_getFrameContentSize(z.data, z.len);
	if (size == ZSTD_CONTENTSIZE_ERROR)
		return GX_E_FORMAT;
	if (size == ZSTD_CONTENTSIZE_UNKNOWN)
		return unpack_stream(d, a, z, ret_b);
	return size > VALUE_MAX ? GX_E_LIMIT : unpack_known(d, a, z, (size_t)size, ret_b);
}

static int read_packed(struct gx_gromox_cid *c, struct gx_arena *a, const char *path, struct gx_bin *ret_b)
{
	struct gx_arena *tmp = gx_arena_new(0);
	struct gx_bin z;
	if (tmp == NULL)
		return GX_E_NOMEM;
	int err = gx_gromox__read_file(tmp, path, VALUE_MAX, &z);
	if (err == 0)
		err = unpack(c->d, a, z, ret_b);
	gx_arena_free(tmp);
	return err;
}

/* ---- Names ---- */

static bool numeric(const char *s)
{
	size_t n = strspn(s, "0123456789");
	return n > 0 && n <= 20 && s[n] == '\0';
}

/* "Y-xx/" and 30 digits, or "S-xx/" and 62. */
static bool hashed(const char *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	size_t want = s[0] == 'Y' ? 30 : s[0] == 'S' ? 62 : 0;
	return want != 0 && s[1] == '-' && strspn(s + 2, hex) == 2 && s[4] == '/' && strspn(s + 5, hex) == want &&
		s[5 + want] == '\0';
}

/* Versions 0 and 1 keep text with a count before it and a NUL behind. */
static int old_form(struct gx_bin *io_b, bool unicode)
{
	if (!unicode)
		return 0;
	if (io_b->len < COUNT_HEAD)
		return GX_E_FORMAT;
	io_b->data += COUNT_HEAD;
	io_b->len -= COUNT_HEAD;
	if (io_b->len > 0 && io_b->data[io_b->len - 1] == '\0')
		io_b->len--;
	return 0;
}

static int read_numbered(struct gx_gromox_cid *c, struct gx_arena *a, const char *name, bool unicode,
	struct gx_bin *ret_b, const char **ret_file)
{
	static const char *const suffix[] = {".zst", ".v1z", ""};
	int err = GX_E_NOTFOUND;
	for (unsigned i = 0; i < 3 && err == GX_E_NOTFOUND; i++) {
		const char *path = *ret_file = gx_arena_printf(a, "%s/cid/%s%s", c->dir, name, suffix[i]);
		if (path == NULL)
			return GX_E_NOMEM;
		err = i < 2 ? read_packed(c, a, path, ret_b) : gx_gromox__read_file(a, path, VALUE_MAX, ret_b);
		if (err == 0 && i > 0)
			err = old_form(ret_b, unicode);
	}
	return err;
}

int gx_gromox__cid_read(struct gx_gromox_cid *c, struct gx_arena *a, const char *name, bool unicode,
	struct gx_bin *ret_b, const char **ret_file)
{
	if (numeric(name))
		return read_numbered(c, a, name, unicode, ret_b, ret_file);
	*ret_file = gx_arena_printf(a, "%s/cid/%.100s", c->dir, name);
	if (*ret_file == NULL)
		return GX_E_NOMEM;
	return hashed(name) ? read_packed(c, a, *ret_file, ret_b) : GX_E_FORMAT;
}

/* At most one folder deep, no part of it ".." or hidden. */
static bool eml_name(const char *s)
{
	const char *slash = strchr(s, '/');
	if (*s == '\0' || *s == '.' || *s == '/' || strlen(s) > 255)
		return false;
	return slash == NULL || (slash[1] != '\0' && slash[1] != '.' && strchr(slash + 1, '/') == NULL);
}

int gx_gromox__eml_read(const char *dir, struct gx_arena *a, const char *name, struct gx_bin *ret_b,
	const char **ret_file)
{
	*ret_file = gx_arena_printf(a, "%s/eml/%.255s", dir, name);
	if (*ret_file == NULL)
		return GX_E_NOMEM;
	return eml_name(name) ? gx_gromox__read_file(a, *ret_file, EML_MAX, ret_b) : GX_E_FORMAT;
}
