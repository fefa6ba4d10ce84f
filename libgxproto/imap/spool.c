/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libgxproto/imap/imap-int.h"

enum { MEMORY_MOST = 1024 * 1024 };

static int nameless_file(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/append.XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* A store of another process may lie on another host. */
static const char *elsewhere(void)
{
	const char *tmp = getenv("TMPDIR");
	return tmp != NULL && *tmp != '\0' ? tmp : "/var/tmp";
}

int gx_imap__spool_begin(struct imap_spool *sp, uint64_t size, const char *dir)
{
	*sp = (struct imap_spool){.fd = -1};
	if (size <= MEMORY_MOST)
		return 0;
	sp->fd = nameless_file(dir);
	if (sp->fd < 0)
		sp->fd = nameless_file(elsewhere());
	return sp->fd < 0 ? GX_E_IO : 0;
}

static int add_to_file(struct imap_spool *sp, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(sp->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 && errno != ENOSPC && errno != EDQUOT ? GX_E_IO : GX_E_NOSPACE;
		p += w;
		n -= (size_t)w;
		sp->len += (size_t)w;
	}
	return 0;
}

/* Memory follows the bytes that came, not the length that was promised. */
int gx_imap__spool_add(struct imap_spool *sp, const void *p, size_t n)
{
	if (sp->fd >= 0)
		return add_to_file(sp, p, n);
	if (n > sp->cap - sp->len) {
		size_t cap = sp->cap == 0 ? 4096 : sp->cap;
		while (cap - sp->len < n)
			cap *= 2;
		uint8_t *q = realloc(sp->data, cap);
		if (q == NULL)
			return GX_E_NOMEM;
		sp->data = q;
		sp->cap = cap;
	}
	if (n > 0)
		memcpy(sp->data + sp->len, p, n);
	sp->len += n;
	return 0;
}

int gx_imap__spool_end(struct imap_spool *sp)
{
	if (sp->fd < 0 || sp->len == 0)
		return 0;
	void *m = mmap(NULL, sp->len, PROT_READ, MAP_PRIVATE, sp->fd, 0);
	if (m == MAP_FAILED)
		return GX_E_IO;
	sp->data = m;
	sp->mapped = true;
	return 0;
}

void gx_imap__spool_release(struct imap_spool *sp)
{
	if (sp->mapped)
		munmap(sp->data, sp->len);
	else
		free(sp->data);
	if (sp->fd >= 0)
		close(sp->fd);
	*sp = (struct imap_spool){.fd = -1};
}
