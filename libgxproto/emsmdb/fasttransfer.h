/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_FASTTRANSFER_H
#define GX_EMSMDB_FASTTRANSFER_H
/*
 * Objects that clients pull streams out of, and push them into. [MS-OXCFXICS]
 *
 * A stream is made while the client pulls: its source is asked for a few elements whenever those before are handed
 * out, with a transaction that ends with the buffer. So no more than one small piece of one message is in memory.
 */
#include <gx/ftx.h>
#include "libgxproto/emsmdb/kinds.h"

/* ---- Sources of streams (fasttransfer.c) ---- */

struct gx_ems_source;
struct gx_ems_source_ops {
	/* Before the first element; may be NULL. */
	gx_ec (*start)(struct gx_ems_source *s);
	/* As gx_ftx_next_cb: puts some elements into s->out. */
	int (*next)(struct gx_ems_source *s);
	/* What stands behind the struct; may be NULL. */
	void (*release)(struct gx_ems_source *s);
};

/* First member of every source. */
struct gx_ems_source {
	struct gx_ems_obj obj;
	const struct gx_ems_source_ops *ops;
	int root;                    /* GX_FTX_* of streams */
	uint32_t send_options;
	bool broken;
	struct gx_ftx_out *out;      /* NULL: not begun */
	uint64_t done, total;        /* steps, for those who watch */
	/* While a buffer is filled. */
	struct gx_rop_call *c;
	struct gx_txn *t;            /* see gx_ems__source_txn() */
	struct gx_arena *a;          /* for the elements of the moment */
	gx_ec ec;                    /* what next() failed of */
};

extern const struct gx_ems_kind gx_ems__kind_source, gx_ems__kind_sync;
/* Of @size bytes that begin with the struct. NULL: no memory. */
struct gx_ems_source *gx_ems__source_new(size_t size, const struct gx_ems_kind *kind, const struct gx_ems_source_ops *ops, int root,
	uint32_t send_options);
void gx_ems__source_free(struct gx_ems_obj *o);
struct gx_ems_source *gx_ems__source(struct gx_ems_obj *o);
/* The transaction that elements are read in; NULL: it cannot be had, and s->ec says why. */
struct gx_txn *gx_ems__source_txn(struct gx_ems_source *s);
/* For next(): what it returns when an operation of the store has failed. */
int gx_ems__source_failed(struct gx_ems_source *s, gx_ec ec);
/* The stream's next bytes, at most @size. */
gx_ec gx_ems__source_read(struct gx_rop_call *c, struct gx_ems_source *s, uint8_t *buf, size_t size, size_t *ret_n);

enum {
	GX_EMS_SEND_KNOWN = GX_FTX_SEND_UNICODE | GX_FTX_SEND_USE_CPID | GX_FTX_SEND_RECOVER_MODE | GX_FTX_SEND_FORCE_UNICODE |
		GX_FTX_SEND_PARTIAL_ITEM,
	GX_EMS_SEND_RESERVED = 0x60, /* without a meaning; clients set them */
};

/* ---- Properties with names (fasttransfer_props.c) ---- */

/* What of a folder changes without another version of it, or says where it is in this store and who asks. */
bool gx_ems__of_folder_only(gx_proptag_t tag);

/* A list of the store's, those of the stream's header or place left out by @skip; named ones with their names. */
int gx_ems__put_props(struct gx_ems_source *s, const struct gx_proplist *l, bool (*skip)(gx_proptag_t tag, const void *ctx), const void *ctx);

/* ---- What of an object is wanted, [MS-OXCFXICS] 3.2.5.10 ---- */

struct gx_ems_filter {
	const gx_proptag_t *tags;    /* lives as long as its source */
	size_t n;
	bool only;                   /* these, else all but these */
	bool shallow;                /* nothing that is inside of it */
	bool best_body;              /* the body as it was written, else as RTF */
	bool keep_ids;               /* also what says which one it is, and in which version */
	bool has_header;             /* a change, which has said its version before */
	bool stateless;              /* whether it was read is said elsewhere */
};
/* A copy of the tags in @a. */
gx_ec gx_ems__filter_tags(struct gx_ems_filter *f, struct gx_arena *a, const gx_proptag_t *tags, size_t n);
bool gx_ems__filter_wants(const struct gx_ems_filter *f, gx_proptag_t tag);

/* ---- A message or attachment on its way, piece by piece (fasttransfer_item.c) ---- */

struct gx_ems_item;
struct gx_ems_items {
	struct gx_ems_item *top;     /* innermost of those begun */
};
/* Begins it, taking the instance over; @end is the marker behind it, 0 none. */
gx_ec gx_ems__items_begin(struct gx_ems_items *w, struct gx_inst *inst, const struct gx_ems_filter *f, gx_proptag_t end);
/* Puts some elements: 1. Nothing is under way: 0. */
int gx_ems__items_next(struct gx_ems_items *w, struct gx_ems_source *s);
void gx_ems__items_release(struct gx_ems_items *w);

#endif
