/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments, and messages in them. [MS-OXCMSG] 3.1.4.9 to 3.1.4.13 */
#include <config.h>
#include "libgxproto/client/client-int.h"

enum { KEEP_OPEN_READ_WRITE = 0x0a, DEFAULT_CODE_PAGE = 0x0fff };

gx_ec gx_mapi_open_attachment(struct gx_mapi_obj *m, uint32_t number, unsigned mode, struct gx_mapi_obj **ret_att)
{
	const struct gx_rop_open_attachment_req q = {(uint8_t)mode, number};
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	return gx_mapi__make(m, RopOpenAttachment, &q, MC_ATTACHMENT, m->c->scratch, ret_att, NULL);
}

gx_ec gx_mapi_create_attachment(struct gx_mapi_obj *m, struct gx_mapi_obj **ret_att, uint32_t *ret_number)
{
	struct gx_rop_create_attachment_res *r;
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	gx_ec ec = gx_mapi__make(m, RopCreateAttachment, NULL, MC_ATTACHMENT, m->c->scratch, ret_att, (void **)&r);
	if (!gx_ec_failed(ec) && ret_number != NULL)
		*ret_number = r->attachment_id;
	return ec;
}

gx_ec gx_mapi_save_attachment(struct gx_mapi_obj *att)
{
	static const struct gx_rop_save_changes_attachment_req q = {KEEP_OPEN_READ_WRITE};
	if (!gx_mapi__is(att, 1U << MC_ATTACHMENT))
		return att->c->error.ec;
	return gx_mapi__do(att, RopSaveChangesAttachment, &q, att->c->scratch, NULL, NULL);
}

gx_ec gx_mapi_delete_attachment(struct gx_mapi_obj *m, uint32_t number)
{
	const struct gx_rop_delete_attachment_req q = {number};
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	return gx_mapi__do(m, RopDeleteAttachment, &q, m->c->scratch, NULL, NULL);
}

gx_ec gx_mapi_open_embedded(struct gx_mapi_obj *att, unsigned mode, struct gx_mapi_obj **ret_message)
{
	const struct gx_rop_open_embedded_message_req q = {DEFAULT_CODE_PAGE, (uint8_t)mode};
	if (!gx_mapi__is(att, 1U << MC_ATTACHMENT))
		return att->c->error.ec;
	return gx_mapi__make(att, RopOpenEmbeddedMessage, &q, MC_MESSAGE, att->c->scratch, ret_message, NULL);
}

gx_ec gx_mapi_submit(struct gx_mapi_obj *m)
{
	static const struct gx_rop_submit_message_req q;
	return gx_mapi__is(m, 1U << MC_MESSAGE) ? gx_mapi__do(m, RopSubmitMessage, &q, m->c->scratch, NULL, NULL) : m->c->error.ec;
}
