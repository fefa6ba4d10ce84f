/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's directory: locks, the list of segments, recovery, what stays and what goes. */
#include <config.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "journal-int.h"

enum { KEEP_SPARES = 2 };

int gx_journal__lock_file(const char *dir, const char *name, int *ret_fd)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return GX_E_IO;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int ret = errno == EWOULDBLOCK ? GX_E_BUSY : GX_E_IO;
		close(fd);
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

static bool segment_number(const char *name, uint32_t *ret_num)
{
	if (strlen(name) != 11 || memcmp(name, "seg", 3) != 0)
		return false;
	for (int i = 3; i < 11; ++i)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	*ret_num = (uint32_t)strtoul(name + 3, NULL, 16);
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int gx_journal__list(const char *dir, uint32_t **ret_v, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	uint32_t *v = NULL, num;
	const struct dirent *e;
	DIR *d = opendir(dir);
	if (d == NULL)
		return GX_E_IO;
	while ((e = readdir(d)) != NULL) {
		if (!segment_number(e->d_name, &num))
			continue;
		if (n == cap) {
			uint32_t *w = realloc(v, (cap = cap * 2 + 16) * sizeof(*v));
			if (w == NULL) {
				free(v);
				closedir(d);
				return GX_E_NOMEM;
			}
			v = w;
		}
		v[n++] = num;
	}
	closedir(d);
	if (n > 1)
		qsort(v, n, sizeof(*v), by_number);
	*ret_v = v;
	*ret_n = n;
	return 0;
}

void gx_journal__set_durable(struct gx_journal *j, uint64_t seq)
{
	/* Read by a process on the same machine: host order, page cache. */
	if (pwrite(j->control_fd, &seq, sizeof(seq), 0) != sizeof(seq))
		gx_log(j->log, GX_LOG_WARN, "journal: cannot write %s/control: %s", j->dir, strerror(errno));
}

uint64_t gx_journal__get_durable(struct gx_journal *j)
{
	uint64_t seq;
	return pread(j->control_fd, &seq, sizeof(seq), 0) == sizeof(seq) ? seq : 0;
}

void gx_journal__add_ready(struct gx_journal *j, struct gx_jrec *r)
{
	struct gx_jrec **pos = j->ready_tail;
	if (j->ready != NULL) {
		const struct gx_jrec *last = (const struct gx_jrec *)(const void *)((const char *)j->ready_tail -
			offsetof(struct gx_jrec, next));
		if (last->seq > r->seq)
			for (pos = &j->ready; *pos != NULL && (*pos)->seq < r->seq; )
				pos = &(*pos)->next;
	}
	r->next = *pos;
	*pos = r;
	if (r->next == NULL)
		j->ready_tail = &r->next;
}

void gx_journal__retire(struct gx_journal *j, struct gx_jseg *s)
{
	if (s->dedicated || s->poisoned || s->size != gx_jseg__align(j->segment_bytes) || j->spares >= KEEP_SPARES) {
		j->seg_total -= s->size;
		gx_jseg__free(s, j->follow ? NULL : j->dir);
		return;
	}
	s->prepared = false;
	s->charge = 0;
	s->count = s->released = 0;
	s->next = j->spare;
	j->spare = s;
	j->spares++;
}

static void found(struct gx_jseg *s, const struct gx_jhead *h, uint64_t off, bool done, void *ctx)
{
	struct gx_journal *j = ctx;
	uint64_t charge = gx_jrec__charge(h->env_len, h->data_len);
	if (h->seq >= j->next_seq)
		j->next_seq = h->seq + 1;
	s->charge += charge;
	if (!done || j->external)
		j->unfinished += charge;
	if (done)
		s->released++;
	if (done || j->external)
		return;
	struct gx_jrec *r = gx_jrec__new(s, h, off);
	if (r != NULL)
		gx_journal__add_ready(j, r);
	else
		gx_log(j->log, GX_LOG_ERROR, "journal: out of memory, record %" PRIu64 " waits for the next start", h->seq);
}

static void damaged(struct gx_jseg *s, uint64_t off, uint64_t len, void *ctx)
{
	struct gx_journal *j = ctx;
	gx_log(j->log, GX_LOG_ERROR, "journal: %s/seg%08x is damaged: %" PRIu64 " bytes at %" PRIu64
		" cannot be read; the messages behind them are kept", j->dir, s->num, len, off);
}

int gx_journal__add_segment(struct gx_journal *j, struct gx_jseg *s, const struct gx_jscan *sc)
{
	int ret = gx_jseg__scan(s, sc);
	j->seg_total += s->size;
	if (ret == 0 && s->released == s->count && !j->follow) {
		j->unfinished -= j->external ? s->charge : 0;
		gx_journal__retire(j, s);
		return 0;
	}
	s->next = j->used;
	j->used = s;
	return ret;
}

static bool holds_records(const char *path)
{
	uint8_t b[GX_JREC_HEADER];
	struct gx_jhead h;
	bool yes = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (off_t off = GX_JBLOCK; fd >= 0 && !yes && pread(fd, b, sizeof(b), off) == sizeof(b); off += GX_JBLOCK)
		yes = gx_jrec__get_head(b, &h);
	if (fd >= 0)
		close(fd);
	return yes;
}

/** The header is flushed before the first record is written: without one, the file was never in use. */
static void drop_file(struct gx_journal *j, uint32_t num)
{
	char path[4096], aside[4096];
	snprintf(path, sizeof(path), "%s/seg%08x", j->dir, num);
	snprintf(aside, sizeof(aside), "%s/damaged-%08x", j->dir, num);
	if (!holds_records(path)) {
		unlink(path);
		return;
	}
	if (rename(path, aside) == 0)
		gx_log(j->log, GX_LOG_CRIT, "journal: the header of %s is damaged; it is kept as %s", path, aside);
}

int gx_journal__recover(struct gx_journal *j)
{
	uint32_t *nums;
	size_t n;
	struct gx_jscan sc = {.recover = true, .record = found, .damaged = damaged, .ctx = j};
	int ret = gx_journal__list(j->dir, &nums, &n);
	if (ret != 0)
		return ret;
	for (size_t i = 0; i < n && ret == 0; ++i) {
		struct gx_jseg *s;
		j->next_num = nums[i] + 1;
		ret = gx_jseg__open(j->dir, nums[i], j->io, &s);
		if (ret == GX_E_FORMAT) {
			drop_file(j, nums[i]);
			ret = 0;
			continue;
		}
		if (ret == 0)
			ret = gx_journal__add_segment(j, s, &sc);
	}
	free(nums);
	return ret;
}
