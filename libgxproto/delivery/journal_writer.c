/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's writer thread: takes all that wait, writes them, flushes once, tells each. */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "journal-int.h"

enum { GROUP_MAX = 256 };

struct group {
	struct gx_jsub *v[GROUP_MAX];
	unsigned n;
	uint64_t bytes;
	bool dedicated;
};

static uint64_t sub_space(const struct gx_jsub *s)
{
	return gx_jrec__space(s->rec->env_len, s->rec->data_len);
}

static uint64_t sub_charge(const struct gx_jsub *s)
{
	return gx_jrec__charge(s->rec->env_len, s->rec->data_len);
}

/** Records above it get a file of their own, so that a segment is never mostly unused. */
static uint64_t dedicated_above(const struct gx_journal *j)
{
	return j->segment_bytes / 4;
}

static void take_group(struct gx_journal *j, struct group *g)
{
	g->n = 0;
	g->bytes = 0;
	while (j->queue != NULL && g->n < GROUP_MAX) {
		struct gx_jsub *s = j->queue;
		bool dedicated = sub_space(s) > dedicated_above(j);
		if (g->n > 0 && (dedicated || g->bytes + sub_space(s) > j->segment_bytes / 2))
			break;
		j->queue = s->next;
		if (j->queue == NULL)
			j->queue_tail = &j->queue;
		g->v[g->n++] = s;
		g->bytes += sub_space(s);
		g->dedicated = dedicated;
		if (dedicated)
			break;
	}
}

/** Takes s out of the list of used ones. */
static void unlink_used(struct gx_journal *j, const struct gx_jseg *s)
{
	struct gx_jseg **p = &j->used;
	while (*p != NULL && *p != s)
		p = &(*p)->next;
	if (*p != NULL)
		*p = s->next;
}

/** Another process marks records done in the files: see what it has finished. */
static void reap(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	j->want_reap = false;
	for (struct gx_jseg **p = &j->used; *p != NULL; ) {
		struct gx_jseg *s = *p;
		uint32_t done;
		if (s == j->cur || gx_jseg__count_done(s, &done) != 0 || done < s->count) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		j->unfinished -= s->charge;
		gx_journal__retire(j, s);
	}
	pthread_mutex_unlock(&j->mu);
}

static struct gx_jseg *pop_spare(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	struct gx_jseg *s = j->spare;
	if (s != NULL) {
		j->spare = s->next;
		j->spares--;
	}
	pthread_mutex_unlock(&j->mu);
	return s;
}

static void discard(struct gx_journal *j, struct gx_jseg *s)
{
	pthread_mutex_lock(&j->mu);
	s->poisoned = true;
	gx_journal__retire(j, s);
	pthread_mutex_unlock(&j->mu);
}

static int create(struct gx_journal *j, uint64_t size, bool dedicated, struct gx_jseg **ret_s)
{
	pthread_mutex_lock(&j->mu);
	bool full = j->seg_total > j->max_bytes && j->seg_total - j->max_bytes > 4 * j->segment_bytes;
	pthread_mutex_unlock(&j->mu);
	if (full)
		return GX_E_NOSPACE;
	int ret = gx_jseg__create(j->dir, j->next_num, size, dedicated, j->io, ret_s);
	j->next_num++;
	if (ret != 0)
		return ret;
	pthread_mutex_lock(&j->mu);
	j->seg_total += (*ret_s)->size;
	pthread_mutex_unlock(&j->mu);
	return 0;
}

/** An empty segment ready for use. */
static int fresh_segment(struct gx_journal *j, struct gx_jseg **ret_s)
{
	struct gx_jseg *s;
	if (j->external)
		reap(j);
	while ((s = pop_spare(j)) != NULL) {
		if (s->prepared || gx_jseg__prepare(s) == 0) {
			*ret_s = s;
			return 0;
		}
		discard(j, s);
	}
	return create(j, j->segment_bytes, false, ret_s);
}

static void use(struct gx_journal *j, struct gx_jseg *s)
{
	pthread_mutex_lock(&j->mu);
	s->prepared = false;
	s->next = j->used;
	j->used = s;
	pthread_mutex_unlock(&j->mu);
}

/** No more records go there. */
static void close_segment(struct gx_journal *j, struct gx_jseg *s)
{
	pthread_mutex_lock(&j->mu);
	if (j->cur == s)
		j->cur = NULL;
	if (s->released == s->count && !j->external) {
		unlink_used(j, s);
		gx_journal__retire(j, s);
	}
	pthread_mutex_unlock(&j->mu);
}

static int choose_segment(struct gx_journal *j, const struct group *g, struct gx_jseg **ret_s)
{
	int ret;
	if (g->dedicated) {
		ret = create(j, 2 * GX_JBLOCK + gx_jseg__align(g->bytes), true, ret_s);
		if (ret == 0)
			use(j, *ret_s);
		return ret;
	}
	struct gx_jseg *s = j->cur;
	if (s != NULL) {
		uint64_t off = gx_jseg__align(s->write_off);
		if (off <= s->size && g->bytes <= s->size - off && g->n <= s->map_len - s->count) {
			*ret_s = s;
			return 0;
		}
		close_segment(j, s);
	}
	ret = fresh_segment(j, &s);
	if (ret != 0)
		return ret;
	use(j, s);
	pthread_mutex_lock(&j->mu);
	j->cur = s;
	pthread_mutex_unlock(&j->mu);
	*ret_s = s;
	return 0;
}

static int write_group(struct gx_journal *j, struct group *g, struct gx_jseg *s)
{
	static const uint8_t zeros[GX_JBLOCK];
	struct iovec iov[GROUP_MAX * 3 + 1];
	int k = 0;
	uint64_t start = gx_jseg__align(s->write_off), off = start;
	for (unsigned i = 0; i < g->n; ++i) {
		struct gx_jsub *b = g->v[i];
		struct gx_jrec *r = b->rec;
		struct gx_jhead h = {.stamp = s->stamp, .seq = j->next_seq++, .data_len = r->data_len,
			.env_len = r->env_len, .index = s->count + i, .body_crc = r->body_crc};
		if (!b->has_id)
			gx_jrec__make_id(j->uuid, h.seq, r->id);
		memcpy(h.id, r->id, sizeof(h.id));
		gx_jrec__put_head(&h, b->head);
		r->seg = s;
		r->seq = h.seq;
		r->off = off;
		r->index = h.index;
		size_t raw = GX_JREC_HEADER + r->env_len + r->data_len, pad = sub_space(b) - raw;
		iov[k++] = (struct iovec){b->head, GX_JREC_HEADER + r->env_len};
		if (b->data.len > 0)
			iov[k++] = (struct iovec){(void *)(uintptr_t)b->data.data, b->data.len};
		if (pad > 0)
			iov[k++] = (struct iovec){(void *)(uintptr_t)zeros, pad};
		off += sub_space(b);
	}
	if (gx_jseg__align(off) != off)
		iov[k++] = (struct iovec){(void *)(uintptr_t)zeros, gx_jseg__align(off) - off};
	int ret = gx_jseg__write(s, iov, k, start);
	if (ret == 0)
		ret = gx_jseg__sync(s);
	pthread_mutex_lock(&j->mu);
	j->flushes++;
	s->count += g->n;
	s->write_off = gx_jseg__align(off);
	for (unsigned i = 0; ret == 0 && i < g->n; ++i)
		s->charge += sub_charge(g->v[i]);
	pthread_mutex_unlock(&j->mu);
	return ret;
}

/**
 * After a failed write or flush nobody knows what is on the disk: the segment gets no more
 * records, and what it may hold of these is marked as done, since their senders keep them.
 */
static void give_up(struct gx_journal *j, const struct group *g, struct gx_jseg *s, int err)
{
	gx_log(j->log, GX_LOG_ERROR, "journal: cannot write %s/seg%08x: %s; %u messages refused for now, going on with another segment",
		j->dir, s->num, gx_strerror(err), g->n);
	for (unsigned i = 0; i < g->n; ++i)
		gx_jseg__mark_done(s, g->v[i]->rec->index);
	pthread_mutex_lock(&j->mu);
	s->poisoned = true;
	s->released += g->n;
	pthread_mutex_unlock(&j->mu);
	close_segment(j, s);
}

static void finish_group(struct gx_journal *j, struct group *g, int err)
{
	uint64_t last = 0;
	pthread_mutex_lock(&j->mu);
	for (unsigned i = 0; i < g->n; ++i) {
		struct gx_jrec *r = g->v[i]->rec;
		last = r->seq;
		if (err != 0)
			j->unfinished -= sub_charge(g->v[i]);
		else if (!j->external)
			gx_journal__add_ready(j, r);
	}
	pthread_mutex_unlock(&j->mu);
	if (err == 0)
		gx_journal__set_durable(j, last);
	for (unsigned i = 0; i < g->n; ++i) {
		struct gx_jsub *b = g->v[i];
		b->cb(err, b->ctx);
		if (err != 0 || j->external)
			free(b->rec);
		free(b->head);
		free(b);
	}
}

void gx_journal__tell_ready(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	void (*ready)(void *ctx) = j->ready_cb;
	void *ctx = j->ready_ctx;
	j->telling = ready != NULL;
	pthread_mutex_unlock(&j->mu);
	if (ready == NULL)
		return;
	ready(ctx);
	pthread_mutex_lock(&j->mu);
	j->telling = false;
	pthread_cond_broadcast(&j->told);
	pthread_mutex_unlock(&j->mu);
}

static void run_group(struct gx_journal *j, struct group *g)
{
	struct gx_jseg *s;
	int ret = choose_segment(j, g, &s);
	if (ret != 0) {
		gx_log(j->log, GX_LOG_ERROR, "journal: no new segment in %s: %s; %u messages refused for now",
			j->dir, gx_strerror(ret), g->n);
	} else if ((ret = write_group(j, g, s)) != 0) {
		give_up(j, g, s, ret);
	}
	finish_group(j, g, ret);
	if (ret == 0)
		gx_journal__tell_ready(j);
}

/** With nothing else to do: have the next segment ready before it is needed. */
static bool prepare_spare(struct gx_journal *j)
{
	struct gx_jseg *s = j->spare;
	if (s == NULL || s->prepared)
		return false;
	j->spare = s->next;
	j->spares--;
	pthread_mutex_unlock(&j->mu);
	bool ok = gx_jseg__prepare(s) == 0;
	pthread_mutex_lock(&j->mu);
	s->poisoned = !ok;
	gx_journal__retire(j, s);
	if (ok && j->spare == s)
		s->prepared = true;
	return ok;
}

void *gx_journal__writer(void *arg)
{
	struct gx_journal *j = arg;
	struct group *g = calloc(1, sizeof(*g));
	pthread_mutex_lock(&j->mu);
	for (;;) {
		if (j->queue != NULL) {
			take_group(j, g);
			pthread_mutex_unlock(&j->mu);
			run_group(j, g);
			pthread_mutex_lock(&j->mu);
		} else if (j->stop) {
			break;
		} else if (j->want_reap) {
			pthread_mutex_unlock(&j->mu);
			reap(j);
			pthread_mutex_lock(&j->mu);
		} else if (!prepare_spare(j)) {
			pthread_cond_wait(&j->cond, &j->mu);
		}
	}
	pthread_mutex_unlock(&j->mu);
	free(g);
	return NULL;
}
