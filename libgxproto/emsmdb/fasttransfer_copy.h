/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_FASTTRANSFER_COPY_H
#define GX_EMSMDB_FASTTRANSFER_COPY_H
/* Copies of objects as streams, [MS-OXCFXICS] 2.2.3.1.1. */
#include "libgxproto/emsmdb/fasttransfer.h"

struct gx_ems_copy_opts {
	int root;                    /* GX_FTX_* */
	uint32_t send_options;
	struct gx_ems_filter filter; /* of the object; of messages in a folder only what is not about its tags. Copied. */
	bool subfolders;
	uint64_t fid;                /* of folders, and of those messages: */
	const uint64_t *mids;        /* copied */
	size_t count;
	struct gx_inst *inst;        /* a message or attachment that is open; held. NULL: none */
};
/* The source is the answer's object. */
gx_ec gx_ems__give_copy(struct gx_rop_call *c, const struct gx_ems_copy_opts *o);
/* The same for the object that the operation is for: GX_FTX_FROM_COPY_TO or -_PROPERTIES. */
gx_ec gx_ems__copy_object(struct gx_rop_call *c, unsigned operation, struct gx_ems_copy_opts *o);

#endif
