/* SPDX-License-Identifier: Apache-2.0 */
/* RopFastTransferSourceCopyTo and -CopyProperties, [MS-OXCFXICS] 2.2.3.1.1.1, 2.2.3.1.1.2 and 3.2.5.8.1 */
#include <config.h>
#include "libgxproto/emsmdb/fasttransfer_copy.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum {
	MOVE = 0x01, TO_BEST_BODY = 0x2000,
	TO_KNOWN = 0x260f,           /* with those that are without a meaning */
	PROPERTIES_KNOWN = 0x0f,
};

static gx_ec check(struct gx_rop_call *c, uint32_t flags, uint32_t known, uint8_t send_options)
{
	if ((flags & ~known) != 0)
		return gx_rop__fail(c, ecInvalidParam, "copy flags %#x", (unsigned)flags);
	return send_options & ~(uint32_t)(GX_EMS_SEND_KNOWN | GX_EMS_SEND_RESERVED) ?
		gx_rop__fail(c, ecInvalidParam, "send options %#x", send_options) : EMS_OK;
}

gx_ec gx_rop__fast_transfer_source_copy_to(struct gx_rop_call *c, const struct gx_rop_fast_transfer_source_copy_to_req *q, void *r)
{
	struct gx_ems_copy_opts o = {.send_options = q->send_options};
	(void)r;
	o.filter = (struct gx_ems_filter){.tags = q->property_tags, .n = q->property_tags_count, .shallow = q->level != 0,
		.best_body = (q->copy_flags & TO_BEST_BODY) != 0, .keep_ids = (q->copy_flags & MOVE) != 0};
	gx_ec ec = check(c, q->copy_flags, TO_KNOWN, q->send_options);
	return gx_ec_failed(ec) ? ec : gx_ems__copy_object(c, GX_FTX_FROM_COPY_TO, &o);
}

gx_ec gx_rop__fast_transfer_source_copy_properties(struct gx_rop_call *c,
	const struct gx_rop_fast_transfer_source_copy_properties_req *q, void *r)
{
	struct gx_ems_copy_opts o = {.send_options = q->send_options};
	(void)r;
	o.filter = (struct gx_ems_filter){.tags = q->property_tags, .n = q->property_tags_count, .only = true, .shallow = q->level != 0,
		.best_body = true, .keep_ids = (q->copy_flags & MOVE) != 0};
	gx_ec ec = check(c, q->copy_flags, PROPERTIES_KNOWN, q->send_options);
	return gx_ec_failed(ec) ? ec : gx_ems__copy_object(c, GX_FTX_FROM_COPY_PROPERTIES, &o);
}
