/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a journal that another process writes. The writer notes in the file "control" up to
 * which record everything is durable; a watch on that file wakes this thread, which looks for
 * the records up to there and hands them out. Finished records are marked in the segments,
 * where the writer sees it when it needs one.
 */
#include <config.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "journal-int.h"

static void found(struct gx_jseg *s, const struct gx_jhead *h, uint64_t off, bool done, void *ctx)
{
	struct gx_journal *j = ctx;
	if (h->seq >= j->next_seq)
		j->next_seq = h->seq + 1;
	if (done) {
		s->released++;
		return;
	}
	struct gx_jrec *r = gx_jrec__new(s, h, off);
	if (r == NULL) {
		gx_log(j->log, GX_LOG_ERROR, "journal: out of memory, record %" PRIu64 " waits for the next start", h->seq);
		return;
	}
	j->unfinished += gx_jrec__charge(h->env_len, h->data_len);
	gx_journal__add_ready(j, r);
}

static struct gx_jseg **find(struct gx_journal *j, uint32_t num)
{
	struct gx_jseg **p = &j->used;
	while (*p != NULL && (*p)->num != num)
		p = &(*p)->next;
	return p;
}

static void scan(struct gx_journal *j, struct gx_jseg *s, uint64_t durable)
{
	struct gx_jscan sc = {.max_seq = durable, .record = found, .ctx = j};
	int ret = gx_jseg__scan(s, &sc);
	if (ret != 0)
		gx_log(j->log, GX_LOG_ERROR, "journal: cannot read %s/seg%08x: %s", j->dir, s->num, gx_strerror(ret));
}

/** A segment we know may have been emptied and used anew by the writer. */
static void look_at(struct gx_journal *j, uint32_t num, uint64_t durable)
{
	struct gx_jseg **p = find(j, num), *old = *p, *s;
	if (gx_jseg__open(j->dir, num, j->io, &s) != 0)
		return;
	if (old != NULL && (old->stamp == s->stamp || old->released < old->count)) {
		gx_jseg__free(s, NULL);
		scan(j, old, durable);
		return;
	}
	if (old != NULL) {
		*p = old->next;
		gx_jseg__free(old, NULL);
	}
	s->next = j->used;
	j->used = s;
	scan(j, s, durable);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/** Forgets segments whose file is gone and that hold nothing of ours. */
static void forget(struct gx_journal *j, const uint32_t *nums, size_t n)
{
	for (struct gx_jseg **p = &j->used; *p != NULL; ) {
		struct gx_jseg *s = *p;
		if (s->released < s->count || (n > 0 && bsearch(&s->num, nums, n, sizeof(*nums), compare) != NULL)) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		gx_jseg__free(s, NULL);
	}
}

static void look_around(struct gx_journal *j, uint64_t durable)
{
	uint32_t *nums;
	size_t n;
	if (gx_journal__list(j->dir, &nums, &n) != 0) {
		gx_log(j->log, GX_LOG_ERROR, "journal: cannot list %s: %s", j->dir, strerror(errno));
		return;
	}
	for (size_t i = 0; i < n; ++i)
		look_at(j, nums[i], durable);
	forget(j, nums, n);
	free(nums);
}

static void catch_up(struct gx_journal *j, bool all)
{
	uint64_t durable = gx_journal__get_durable(j);
	pthread_mutex_lock(&j->mu);
	if (durable >= j->next_seq && !all)
		for (struct gx_jseg *s = j->used; s != NULL; s = s->next)
			scan(j, s, durable);
	if (durable >= j->next_seq || all)
		look_around(j, durable);
	bool news = j->ready != NULL;
	pthread_mutex_unlock(&j->mu);
	if (news)
		gx_journal__tell_ready(j);
}

void *gx_journal__follower(void *arg)
{
	struct gx_journal *j = arg;
	char path[4096];
	char events[4096];
	snprintf(path, sizeof(path), "%s/control", j->dir);
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* Without a watch (the system's limit is reached) look twice a second. */
	bool watched = watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY) >= 0;
	if (!watched)
		gx_log(j->log, GX_LOG_WARN, "journal: no watch on %s (%s): looking twice a second", path, strerror(errno));
	catch_up(j, true);
	for (;;) {
		struct pollfd p[2] = {{j->stop_pipe[0], POLLIN, 0}, {watched ? watch : -1, POLLIN, 0}};
		if (poll(p, 2, watched ? -1 : 500) < 0 && errno != EINTR)
			break;
		if (p[0].revents != 0)
			break;
		if (p[1].revents != 0 && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
			break;
		catch_up(j, false);
	}
	if (watch >= 0)
		close(watch);
	return NULL;
}
