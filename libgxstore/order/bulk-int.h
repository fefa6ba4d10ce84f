/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_ORDER_BULK_INT_H
#define GXSTORE_ORDER_BULK_INT_H
/* An order that is made in bulk: what the work on it (order_bulk.c) and the list of all (order_left.c) share. */
#include "libgxstore/order/order-int.h"

struct gx_bulkitem {
	uint64_t mid;
	uint32_t off, len;
	bool unread;
};
struct gx_orderbulk {
	struct gx_orderbulk *next;
	struct gx_store *s;
	uint64_t fid;
	uint8_t kind;
	struct gx_orderspec spec;
	/* With the lock of struct gx_orders held. */
	uint64_t view;         /* 0: not claimed yet */
	uint64_t from;         /* up to here the order is kept by the hub */
	bool left;             /* nobody is at it: whoever takes it goes on */
	bool patient;          /* who is at it waits for writers as long as it takes */
	bool gone;             /* the order is, or too much has changed */
	uint64_t *dirty;
	size_t ndirty, cap_dirty;
	/* Of whoever is at it. */
	enum { CLAIMING, READING, PUTTING, MENDING } phase;
	struct gx_orderbulk_limits limit;
	struct gx_push keys;
	struct gx_bulkitem *v;
	size_t n, cap, put;
	uint64_t messages;     /* about as many there are */
	uint64_t at;           /* read so far */
	bool all;
};

/* The one for this order, now the caller's, or a new one. GX_E_BUSY: somebody is at it. */
int gx_orderbulk__take(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	const struct gx_orderbulk_limits *limit, struct gx_orderbulk **ret_b) GX_MUST_CHECK;
/* Messages above @from are none of the hub's business yet. */
void gx_orderbulk__set_from(struct gx_orderbulk *b, uint64_t view, uint64_t from);
/* What has changed, ascending, each once; the caller frees it. */
size_t gx_orderbulk__take_dirty(struct gx_orderbulk *b, uint64_t **ret_v);
bool gx_orderbulk__is_gone(struct gx_orderbulk *b);
/* Makes room in an array. */
int gx_orderbulk__grow(void **io_v, size_t *io_cap, size_t want, size_t size) GX_MUST_CHECK;

#endif
