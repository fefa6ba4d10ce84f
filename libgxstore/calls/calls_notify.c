/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__subscribe_notification(struct gx_call_ctx *c, const struct gx_x_subscribe_notification_req *req,
	struct gx_x_subscribe_notification_ans *ans)
{
	struct gx_call_sub s = {.types = req->notification_type, .whole = req->whole,
		.lean = (req->notification_type & GX_X_LEAN) != 0};
	gx_ec ec = GX_OK_EC;
	if (!s.whole && req->folder_id == 0 && req->message_id == 0)
		return gx_call__fail(c, ecInvalidParam, "a subscription to nothing");
	if (!s.whole && req->folder_id != 0)
		ec = gx_call__id(c, req->folder_id, &s.fid);
	if (!s.whole && !gx_ec_failed(ec) && req->message_id != 0)
		ec = gx_call__id(c, req->message_id, &s.mid);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_call_sub *p = malloc(sizeof(*p));
	if (p == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	*p = s;
	return gx_callobj__add(c, GX_OBJ_SUB, p, free, &ans->sub_id);
}

gx_ec gx_call__unsubscribe_notification(struct gx_call_ctx *c, const struct gx_x_unsubscribe_notification_req *req)
{
	return gx_callobj__drop(c, GX_OBJ_SUB, req->sub_id);
}

gx_ec gx_call__transport_new_mail(struct gx_call_ctx *c, const struct gx_x_transport_new_mail_req *req)
{
	struct gx_event ev = {.type = GX_EV_NEW_MAIL};
	gx_ec ec = gx_call__id(c, req->folder_id, &ev.fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->message_id, &ev.mid);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_callstore *cs = gx_callstore__find(c);
	if (cs != NULL)
		gx_callev__tell(cs, &ev, req->message_flags, req->message_class);
	gx_callstore__give(cs);
	return GX_OK_EC;
}
