/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits in the journal for a server that cannot be reached, or for a mailbox in trouble, and how much of that may be.
 * All functions are called with the delivery's lock held.
 */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <gx/strbuf.h>
#include "pipeline-int.h"

enum { PROBE_MS = 5000, DISK_MS = 1000 };

static struct gx_holder *find(struct gx_delivery *d, uint32_t server, const char *dir)
{
	for (struct gx_holder *h = d->holders; h != NULL; h = h->next)
		if (dir == NULL ? h->dir == NULL && h->server == server : h->dir != NULL && strcmp(h->dir, dir) == 0)
			return h;
	struct gx_holder *h = calloc(1, sizeof(*h));
	if (h == NULL || (dir != NULL && (h->dir = strdup(dir)) == NULL)) {
		free(h);
		return NULL;
	}
	h->server = server;
	h->next = d->holders;
	d->holders = h;
	return h;
}

static void free_holder(struct gx_holder *h)
{
	free(h->dir);
	free(h->why);
	free(h);
}

/* ---- Limits ---- */

static bool disk_is_short(struct gx_delivery *d)
{
	struct statvfs v;
	int64_t now = gx_clock_mono_ms(d->clock);
	if (d->hold.min_free == 0)
		return false;
	if (d->disk_at == 0 || now - d->disk_at >= DISK_MS) {
		d->disk_short = statvfs(gx_journal__dir(d->j), &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < d->hold.min_free;
		d->disk_at = now;
	}
	return d->disk_short;
}

static bool is_over(struct gx_delivery *d, const struct gx_holder *h, unsigned part)
{
	return h->bytes > d->hold.max_bytes / part || h->msgs >= d->hold.max_messages / part + (part > 1) || d->stuck >= GX_MAX_STUCK ||
		disk_is_short(d);
}

static void publish(struct gx_delivery *d)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (const struct gx_holder *h = d->holders; h != NULL; h = h->next) {
		if (h->refusing && h->dir == NULL)
			gx_strbuf_printf(&b, "server %" PRIu32 "\n", h->server);
		else if (h->refusing)
			gx_strbuf_printf(&b, "store %s\n", h->dir);
	}
	if (b.err == 0)
		gx_journal__set_held(d->j, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
}

static void tell(struct gx_delivery *d, const struct gx_holder *h)
{
	const char *who = h->dir != NULL ? h->dir : "a server with stores", *why = h->why != NULL ? h->why : "it cannot be reached";
	if (!h->refusing) {
		gx_log(d->log, GX_LOG_NOTICE, "delivery: %s (%s): mail for it is taken again", who, why);
		return;
	}
	gx_log(d->log, GX_LOG_ERROR, "delivery: %s: %s; %" PRIu64 " messages (%" PRIu64 " KiB) wait for it in the journal%s: its recipients are "
		"answered 451 until it is back. See why, or raise lda_hold_max and lda_hold_max_messages, or lower lda_hold_min_free", who, why,
		h->msgs, h->bytes / 1024, disk_is_short(d) ? ", and the disk is nearly full" : "");
}

/* Does it go on taking mail? One that waits for nothing any more is forgotten. */
static void judge(struct gx_delivery *d, struct gx_holder *h)
{
	bool empty = h->boxes == 0 && h->msgs == 0;
	bool refusing = !empty && is_over(d, h, h->refusing ? 2 : 1);
	if (refusing != h->refusing) {
		h->refusing = refusing;
		tell(d, h);
		publish(d);
	}
	if (!empty)
		return;
	struct gx_holder **at = &d->holders;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	free_holder(h);
}

/* ---- Mailboxes ---- */

static void leave(struct gx_delivery *d, struct gx_mailbox *m)
{
	struct gx_holder *h = m->holder;
	m->holder = NULL;
	h->bytes -= m->bytes;
	h->msgs -= m->msgs;
	h->boxes--;
	judge(d, h);
}

void gx_hold__add(struct gx_delivery *d, struct gx_mailbox *m, uint64_t share)
{
	m->bytes += share;
	m->msgs++;
	if (m->holder == NULL)
		return;
	m->holder->bytes += share;
	m->holder->msgs++;
	judge(d, m->holder);
}

void gx_hold__remove(struct gx_delivery *d, struct gx_mailbox *m, uint64_t share)
{
	m->bytes -= share;
	m->msgs--;
	if (m->holder == NULL)
		return;
	m->holder->bytes -= share;
	m->holder->msgs--;
	judge(d, m->holder);
}

/* Nobody of those that wait for it has to wait for his turn. */
static void is_back(struct gx_delivery *d, const struct gx_holder *h)
{
	for (struct gx_mailbox *m = d->parked; m != NULL; m = m->qnext)
		if (m->holder == h)
			m->retry_at = 0;
}

void gx_hold__went_well(struct gx_delivery *d, struct gx_mailbox *m)
{
	if (m->holder == NULL)
		return;
	if (m->holder->dir == NULL)
		is_back(d, m->holder);
	leave(d, m);
}

void gx_hold__failed(struct gx_delivery *d, struct gx_mailbox *m, uint32_t server, bool down, const char *why)
{
	struct gx_holder *h = find(d, server, down ? NULL : m->dir);
	if (h == NULL)
		return;
	if (why != NULL && (h->why == NULL || strcmp(h->why, why) != 0)) {
		free(h->why);
		h->why = strdup(why);
	}
	if (m->holder != h) {
		struct gx_holder *old = m->holder;
		h->bytes += m->bytes;
		h->msgs += m->msgs;
		h->boxes++;
		if (old != NULL && old->dir == NULL && !down)
			is_back(d, old);
		if (old != NULL)
			leave(d, m);
		m->holder = h;
	}
	h->probe_at = gx_clock_mono_ms(d->clock) + PROBE_MS;
	judge(d, h);
}

void gx_hold__forget(struct gx_delivery *d, struct gx_mailbox *m)
{
	if (m->holder != NULL)
		leave(d, m);
}

/* ---- Messages that a server has, but has not flushed ---- */

void gx_hold__keep(struct gx_delivery *d, uint32_t server, uint64_t share, bool on)
{
	struct gx_holder *h = find(d, server, NULL);
	if (h == NULL)
		return;
	if (on || h->msgs > 0) {
		h->bytes = on ? h->bytes + share : h->bytes - share;
		h->msgs = on ? h->msgs + 1 : h->msgs - 1;
	}
	judge(d, h);
}

/* ---- Is a server back? ---- */

/* The one that was tried longest ago. */
static struct gx_mailbox *oldest(struct gx_delivery *d, const struct gx_holder *h)
{
	struct gx_mailbox *found = NULL;
	for (struct gx_mailbox *m = d->parked; m != NULL; m = m->qnext)
		if (m->holder == h)
			found = m;
	return found;
}

int64_t gx_hold__probe(struct gx_delivery *d, int64_t now)
{
	int64_t next = -1;
	for (struct gx_holder *h = d->holders; h != NULL; h = h->next) {
		if (h->dir != NULL || h->boxes == 0)
			continue;
		if (h->probe_at <= now) {
			struct gx_mailbox *m = oldest(d, h);
			h->probe_at = now + PROBE_MS;
			if (m != NULL)
				m->retry_at = 0;
		}
		if (next < 0 || h->probe_at - now < next)
			next = h->probe_at - now;
	}
	return next;
}

void gx_hold__end(struct gx_delivery *d)
{
	while (d->holders != NULL) {
		struct gx_holder *h = d->holders;
		d->holders = h->next;
		free_holder(h);
	}
	if (d->j != NULL)
		gx_journal__set_held(d->j, "");
}
