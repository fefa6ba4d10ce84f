/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/view/view-int.h"

/*
 * Chunks that nobody edits are packed: a column of each member, as differences to what it would be if messages had
 * come one after the other with nothing in between, in as many bytes as the largest needs. UIDs, ids and mod-sequences
 * of an undisturbed run take none, so that a message takes three to five bytes in place of 32. Any entry is found at
 * once.
 */

enum { UID, MID, MODSEQ, FLAGS, KWSET, SIZE, COLUMNS };
#define STEADY(col) ((col) <= MODSEQ) /* counts on from entry to entry */

struct column {
	uint64_t base;
	uint32_t off;   /* in bytes */
	uint32_t width; /* 0, 1, 2, 4 or 8 */
};
struct packed {
	struct column col[COLUMNS];
	uint8_t bytes[];
};

static const struct packed *packed(const struct gx_chunk *c)
{
	return (const struct packed *)(const void *)c->data;
}

struct gx_chunk *gx_chunk__new(uint32_t cap)
{
	struct gx_chunk *c = malloc(sizeof(*c) + cap * sizeof(struct gx_uid_entry));
	if (c == NULL)
		return NULL;
	atomic_init(&c->refs, 1);
	c->n = c->unseen = c->recent = 0;
	c->cap = cap;
	return c;
}

void gx_chunk__unref(struct gx_chunk *c)
{
	if (atomic_fetch_sub(&c->refs, 1) == 1)
		free(c);
}

/* ---- Packing ---- */

static uint64_t member(const struct gx_uid_entry *e, int col)
{
	switch (col) {
	case UID: return e->uid;
	case MID: return e->mid;
	case MODSEQ: return e->modseq;
	case FLAGS: return e->flags;
	case KWSET: return e->kwset;
	default: return e->size32;
	}
}

static uint64_t value(const struct gx_uid_entry *e, uint32_t i, int col)
{
	return member(e, col) - (STEADY(col) ? i : 0);
}

/* The base is the least of them as signed numbers: an id below the first one's is no large number then. */
static struct column measure(const struct gx_uid_entry *e, uint32_t n, int col)
{
	int64_t lo = (int64_t)value(&e[0], 0, col), hi = lo;
	for (uint32_t i = 1; i < n; i++) {
		int64_t v = (int64_t)value(&e[i], i, col);
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	uint64_t most = (uint64_t)hi - (uint64_t)lo;
	uint32_t width = most == 0 ? 0 : most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : most <= UINT32_MAX ? 4 : 8;
	return (struct column){.base = (uint64_t)lo, .width = width};
}

static void store(uint8_t *p, uint32_t width, uint64_t v)
{
	switch (width) {
	case 1: *p = (uint8_t)v; break;
	case 2: memcpy(p, &(uint16_t){(uint16_t)v}, 2); break;
	case 4: memcpy(p, &(uint32_t){(uint32_t)v}, 4); break;
	case 8: memcpy(p, &v, 8); break;
	}
}

struct gx_chunk *gx_chunk__packed(const struct gx_chunk *c)
{
	const struct gx_uid_entry *e = gx_chunk__raw(c);
	struct column col[COLUMNS];
	uint32_t size = 0;
	for (int k = 0; k < COLUMNS; k++) {
		col[k] = measure(e, c->n, k);
		col[k].off = size;
		size += col[k].width * c->n;
	}
	struct gx_chunk *d = malloc(sizeof(*d) + sizeof(struct packed) + size);
	if (d == NULL)
		return NULL;
	atomic_init(&d->refs, 1);
	d->n = c->n;
	d->cap = 0;
	d->unseen = c->unseen;
	d->recent = c->recent;
	struct packed *p = (struct packed *)(void *)d->data;
	memcpy(p->col, col, sizeof(col));
	for (int k = 0; k < COLUMNS; k++)
		for (uint32_t i = 0; col[k].width > 0 && i < c->n; i++)
			store(p->bytes + col[k].off + i * col[k].width, col[k].width, value(&e[i], i, k) - col[k].base);
	return d;
}

/* ---- Reading ---- */

static uint64_t load(const struct packed *p, int col, uint32_t i)
{
	const struct column *x = &p->col[col];
	const uint8_t *at = p->bytes + x->off + i * x->width;
	uint64_t v = x->base + (STEADY(col) ? i : 0);
	uint16_t v2;
	uint32_t v4;
	uint64_t v8;
	switch (x->width) {
	case 1: return v + *at;
	case 2: memcpy(&v2, at, 2); return v + v2;
	case 4: memcpy(&v4, at, 4); return v + v4;
	case 8: memcpy(&v8, at, 8); return v + v8;
	default: return v;
	}
}

uint32_t gx_chunk__uid(const struct gx_chunk *c, uint32_t i)
{
	return c->cap > 0 ? gx_chunk__raw(c)[i].uid : (uint32_t)load(packed(c), UID, i);
}

void gx_chunk__get(const struct gx_chunk *c, uint32_t i, struct gx_uid_entry *ret_e)
{
	if (c->cap > 0) {
		*ret_e = gx_chunk__raw(c)[i];
		return;
	}
	const struct packed *p = packed(c);
	*ret_e = (struct gx_uid_entry){.uid = (uint32_t)load(p, UID, i), .flags = (uint16_t)load(p, FLAGS, i),
		.kwset = (uint32_t)load(p, KWSET, i), .size32 = (uint32_t)load(p, SIZE, i), .mid = load(p, MID, i),
		.modseq = load(p, MODSEQ, i)};
}

void gx_chunk__entries(const struct gx_chunk *c, struct gx_uid_entry *ret_v)
{
	if (c->cap > 0)
		memcpy(ret_v, gx_chunk__raw(c), c->n * sizeof(*ret_v));
	else
		for (uint32_t i = 0; i < c->n; i++)
			gx_chunk__get(c, i, &ret_v[i]);
}

uint32_t gx_chunk__lower(const struct gx_chunk *c, uint32_t uid)
{
	uint32_t lo = 0, hi = c->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (gx_chunk__uid(c, mid) < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
