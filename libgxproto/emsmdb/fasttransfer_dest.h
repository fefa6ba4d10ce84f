/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_FASTTRANSFER_DEST_H
#define GX_EMSMDB_FASTTRANSFER_DEST_H
/* Objects that clients push streams into, [MS-OXCFXICS] 2.2.3.1.2. */
#include "libgxproto/emsmdb/fasttransfer.h"

/* What is being filled: a folder, or a message, attachment or message in one. */
struct gx_ems_dest_frame {
	struct gx_ems_dest_frame *outer;
	struct gx_inst *inst;        /* NULL: a folder */
	uint64_t fid;                /* of a folder; 0: it is made when its properties are known */
	bool is_root;                /* the object that was open: the client saves it */
};

struct gx_ems_dest {
	struct gx_ems_obj obj;
	bool writes;                 /* folders and what is put into them; else nothing is stored yet */
	bool broken;
	struct gx_ftx_in *in;
	struct gx_ems_dest_frame *top;
	struct gx_arena *a;          /* for what is not set yet: */
	struct gx_proplist pending;
	bool in_rcpt;                /* that is of a recipient */
	/* A value that comes in parts. */
	gx_proptag_t tag;
	struct gx_inst_stream *value; /* NULL: kept in whole, or passed over */
	uint64_t written;
	bool keeps;
	struct gx_push whole;
	/* While a buffer is taken. */
	struct gx_rop_call *c;
	struct gx_txn *t;
	gx_ec ec;
};

struct gx_ems_dest *gx_ems__dest(struct gx_ems_obj *o);
/* Of the object that the operation is for, as the answer's object. */
gx_ec gx_ems__give_dest(struct gx_rop_call *c, unsigned source_operation);
/* Takes all of it, or fails. */
gx_ec gx_ems__dest_write(struct gx_rop_call *c, struct gx_ems_dest *d, struct gx_bin data);

/* ---- Filling (fasttransfer_fill.c) ---- */

extern const struct gx_ftx_in_ops gx_ems__dest_ops;
struct gx_txn *gx_ems__dest_txn(struct gx_ems_dest *d);
int gx_ems__dest_failed(struct gx_ems_dest *d, gx_ec ec);
/* What is pending becomes part of the object. */
int gx_ems__dest_flush(struct gx_ems_dest *d);
/* The id that a name has in the store. */
int gx_ems__dest_named(struct gx_ems_dest *d, const struct gx_propname *name, uint16_t *ret_id);
void gx_ems__dest_pop(struct gx_ems_dest *d);
int gx_ems__dest_push(struct gx_ems_dest *d, struct gx_inst *inst, uint64_t fid);

#endif
