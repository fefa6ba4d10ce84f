/* SPDX-License-Identifier: Apache-2.0 */
/* RopRegisterNotification, [MS-OXCNOTIF] 2.2.1.2.1 and 3.1.4.1 */
#include <config.h>
#include "libgxproto/emsmdb/notify.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__register_notification(struct gx_rop_call *c, const struct gx_rop_register_notification_req *q, void *r)
{
	uint64_t fid = 0, mid = 0;
	gx_ec ec = EMS_OK;
	(void)r;
	if (q->notification_types == 0)
		return GX_EC(ecInvalidParam);
	if (!q->want_whole_store)
		ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec) && !q->want_whole_store && q->message_id != 0)
		ec = gx_ems__plain(c, q->message_id, &mid);
	return gx_ec_failed(ec) ? ec : gx_notify__subscribe(c, q->notification_types, q->want_whole_store, fid, mid);
}
