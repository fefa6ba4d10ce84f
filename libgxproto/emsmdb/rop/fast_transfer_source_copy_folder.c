/* SPDX-License-Identifier: Apache-2.0 */
/* RopFastTransferSourceCopyMessages and -CopyFolder, [MS-OXCFXICS] 2.2.3.1.1.3, 2.2.3.1.1.4 and 3.2.5.8.1 */
#include <config.h>
#include "libgxproto/emsmdb/fasttransfer_copy.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum {
	MOVE = 0x01,
	MESSAGES_BEST_BODY = 0x10, SEND_ENTRY_ID = 0x20, MESSAGES_KNOWN = 0x3f,
	COPY_SUBFOLDERS = 0x10, FOLDER_KNOWN = 0x1f,
};

static gx_ec check(struct gx_rop_call *c, uint8_t flags, uint8_t known, uint8_t send_options)
{
	if (gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNotSupported);
	if ((flags & ~known) != 0)
		return gx_rop__fail(c, ecInvalidParam, "copy flags %#x", flags);
	return send_options & ~(uint32_t)(GX_EMS_SEND_KNOWN | GX_EMS_SEND_RESERVED) ?
		gx_rop__fail(c, ecInvalidParam, "send options %#x", send_options) : EMS_OK;
}

gx_ec gx_rop__fast_transfer_source_copy_messages(struct gx_rop_call *c,
	const struct gx_rop_fast_transfer_source_copy_messages_req *q, void *r)
{
	struct gx_ems_copy_opts o = {.root = GX_FTX_MESSAGE_LIST, .send_options = q->send_options, .count = q->message_ids_count};
	(void)r;
	o.filter = (struct gx_ems_filter){.best_body = (q->copy_flags & MESSAGES_BEST_BODY) != 0,
		.keep_ids = (q->copy_flags & (SEND_ENTRY_ID | MOVE)) != 0};
	gx_ec ec = check(c, q->copy_flags, MESSAGES_KNOWN, q->send_options);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain_list(c, q->message_ids, q->message_ids_count, &o.mids);
	if (gx_ec_failed(ec))
		return ec;
	o.fid = gx_ems__folder(c->in)->fid;
	return gx_ems__give_copy(c, &o);
}

gx_ec gx_rop__fast_transfer_source_copy_folder(struct gx_rop_call *c,
	const struct gx_rop_fast_transfer_source_copy_folder_req *q, void *r)
{
	struct gx_ems_copy_opts o = {.root = GX_FTX_TOP_FOLDER, .send_options = q->send_options,
		.subfolders = (q->copy_flags & COPY_SUBFOLDERS) != 0};
	(void)r;
	/* what was asked for is everything, in the form that it has */
	o.filter = (struct gx_ems_filter){.best_body = true, .keep_ids = (q->copy_flags & MOVE) != 0};
	gx_ec ec = check(c, q->copy_flags, FOLDER_KNOWN, q->send_options);
	if (gx_ec_failed(ec))
		return ec;
	o.fid = gx_ems__folder(c->in)->fid;
	return gx_ems__give_copy(c, &o);
}
