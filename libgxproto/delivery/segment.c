/* SPDX-License-Identifier: Apache-2.0 */
/* Segment files of the journal: making, marking, scanning. See journal-int.h for the layout. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crc32c.h"
#include "journal-int.h"

static const uint8_t seg_magic[8] = "GXJSEG\0\1";
enum { SEG_HEAD_USED = 40, ZERO_CHUNK = 1 << 18, MAP_SHARE = 512 };

const struct gx_jio gx_jio__system = {pwritev, fdatasync};

static int err_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? GX_E_NOSPACE : GX_E_IO;
}

static void seg_path(char *out, size_t n, const char *dir, uint32_t num)
{
	snprintf(out, n, "%s/seg%08x", dir, num);
}

int gx_jseg__write(struct gx_jseg *s, struct iovec *iov, int n, uint64_t off)
{
	while (n > 0) {
		ssize_t w = s->io->pwritev(s->fd, iov, n, (off_t)off);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w == 0 ? GX_E_IO : err_of_errno();
		off += (uint64_t)w;
		for (; n > 0 && (size_t)w >= iov->iov_len; ++iov, --n)
			w -= (ssize_t)iov->iov_len;
		if (n > 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + w;
			iov->iov_len -= (size_t)w;
		}
	}
	return 0;
}

int gx_jseg__sync(struct gx_jseg *s)
{
	return s->io->fdatasync(s->fd) == 0 ? 0 : err_of_errno();
}

static int write_zeros(struct gx_jseg *s, uint64_t off, uint64_t len)
{
	uint8_t *zeros = calloc(1, ZERO_CHUNK);
	if (zeros == NULL)
		return GX_E_NOMEM;
	int ret = 0;
	while (ret == 0 && len > 0) {
		struct iovec v = {zeros, len < ZERO_CHUNK ? len : ZERO_CHUNK};
		size_t n = v.iov_len;
		ret = gx_jseg__write(s, &v, 1, off);
		off += n;
		len -= n;
	}
	free(zeros);
	return ret;
}

static int new_stamp(uint64_t *ret_stamp)
{
	struct gx_guid g;
	int ret = gx_guid_random(&g);
	if (ret != 0)
		return ret;
	memcpy(ret_stamp, g.d4, sizeof(*ret_stamp));
	*ret_stamp ^= (uint64_t)g.d1 << 32 | (uint32_t)g.d2 << 16 | g.d3;
	return 0;
}

int gx_jseg__prepare(struct gx_jseg *s)
{
	uint8_t block[GX_JBLOCK] = {0};
	int ret = new_stamp(&s->stamp);
	if (ret != 0)
		return ret;
	struct gx_push p;
	gx_push_init(&p, 0);
	gx_push_bytes(&p, seg_magic, sizeof(seg_magic));
	gx_push_u64(&p, s->stamp);
	gx_push_u64(&p, s->size);
	gx_push_u32(&p, s->map_len);
	gx_push_u32(&p, s->dedicated);
	gx_push_u32(&p, 0);
	gx_push_u32(&p, gx_crc32c__update(0, p.data, p.len));
	ret = p.err;
	if (ret == 0)
		memcpy(block, p.data, p.len);
	gx_push_release(&p);
	struct iovec v = {block, sizeof(block)};
	if (ret == 0)
		ret = write_zeros(s, GX_JBLOCK, s->map_len);
	if (ret == 0)
		ret = gx_jseg__write(s, &v, 1, 0);
	if (ret == 0)
		ret = gx_jseg__sync(s);
	if (ret != 0)
		return ret;
	s->write_off = s->data_off;
	s->count = s->released = 0;
	s->prepared = true;
	return 0;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return GX_E_IO;
	int ret = fsync(fd);
	close(fd);
	return ret == 0 ? 0 : GX_E_IO;
}

int gx_jseg__create(const char *dir, uint32_t num, uint64_t size, bool dedicated, const struct gx_jio *io, struct gx_jseg **ret_s)
{
	char path[4096];
	struct gx_jseg *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	seg_path(path, sizeof(path), dir, num);
	s->io = io;
	s->num = num;
	s->size = gx_jseg__align(size);
	s->dedicated = dedicated;
	s->map_len = dedicated ? GX_JBLOCK : (uint32_t)gx_jseg__align(s->size / MAP_SHARE);
	s->data_off = GX_JBLOCK + s->map_len;
	s->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0) {
		free(s);
		return err_of_errno();
	}
	int ret = dedicated ? 0 : write_zeros(s, s->data_off, s->size - s->data_off);
	if (ret == 0)
		ret = gx_jseg__prepare(s);
	if (ret == 0)
		ret = sync_dir(dir);
	if (ret != 0) {
		gx_jseg__free(s, dir);
		return ret;
	}
	*ret_s = s;
	return 0;
}

static int read_header(struct gx_jseg *s)
{
	uint8_t b[SEG_HEAD_USED];
	struct gx_pull c;
	struct stat st;
	int ret = gx_jseg__read(s, b, sizeof(b), 0);
	if (ret != 0)
		return ret;
	if (fstat(s->fd, &st) != 0)
		return GX_E_IO;
	gx_pull_init(&c, b, sizeof(b));
	if (memcmp(gx_pull_bytes(&c, sizeof(seg_magic)), seg_magic, sizeof(seg_magic)) != 0)
		return GX_E_FORMAT;
	s->stamp = gx_pull_u64(&c);
	s->size = gx_pull_u64(&c);
	s->map_len = gx_pull_u32(&c);
	s->dedicated = gx_pull_u32(&c);
	gx_pull_u32(&c);
	if (gx_pull_u32(&c) != gx_crc32c__update(0, b, SEG_HEAD_USED - 4))
		return GX_E_FORMAT;
	s->data_off = (uint64_t)GX_JBLOCK + s->map_len;
	s->write_off = s->data_off;
	/* Cut short by somebody: what is left is read, nothing more is written. */
	s->poisoned = !s->dedicated && (uint64_t)st.st_size < s->size;
	return s->size < s->data_off ? GX_E_FORMAT : 0;
}

int gx_jseg__open(const char *dir, uint32_t num, const struct gx_jio *io, struct gx_jseg **ret_s)
{
	char path[4096];
	seg_path(path, sizeof(path), dir, num);
	struct gx_jseg *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	s->io = io;
	s->num = num;
	s->fd = open(path, O_RDWR | O_CLOEXEC);
	int ret = s->fd < 0 ? GX_E_IO : read_header(s);
	if (ret != 0) {
		gx_jseg__free(s, NULL);
		return ret == GX_E_TRUNC ? GX_E_FORMAT : ret;
	}
	*ret_s = s;
	return 0;
}

int gx_jseg__read(const struct gx_jseg *s, void *buf, size_t n, uint64_t off)
{
	uint8_t *p = buf;
	while (n > 0) {
		ssize_t r = pread(s->fd, p, n, (off_t)off);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return GX_E_IO;
		if (r == 0)
			return GX_E_TRUNC;
		p += r;
		n -= (size_t)r;
		off += (uint64_t)r;
	}
	return 0;
}

void gx_jseg__mark_done(struct gx_jseg *s, uint32_t index)
{
	static const uint8_t one = 1;
	/* A lost mark costs a delivery that the store refuses as a duplicate, nothing else. */
	if (index < s->map_len && pwrite(s->fd, &one, 1, (off_t)GX_JBLOCK + index) != 1)
		return;
}

int gx_jseg__read_map(const struct gx_jseg *s, uint8_t **ret_map)
{
	uint8_t *map = malloc(s->map_len);
	if (map == NULL)
		return GX_E_NOMEM;
	memset(map, 0, s->map_len);
	int ret = gx_jseg__read(s, map, s->map_len, GX_JBLOCK);
	if (ret != 0 && ret != GX_E_TRUNC) {
		free(map);
		return ret;
	}
	*ret_map = map;
	return 0;
}

int gx_jseg__count_done(const struct gx_jseg *s, uint32_t *ret_n)
{
	uint8_t *map;
	uint32_t n = 0;
	int ret = gx_jseg__read_map(s, &map);
	if (ret != 0)
		return ret;
	for (uint32_t i = 0; i < s->count && i < s->map_len; ++i)
		n += map[i] != 0;
	free(map);
	*ret_n = n;
	return 0;
}

void gx_jseg__free(struct gx_jseg *s, const char *dir)
{
	char path[4096];
	if (s == NULL)
		return;
	if (dir != NULL) {
		seg_path(path, sizeof(path), dir, s->num);
		unlink(path);
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}
