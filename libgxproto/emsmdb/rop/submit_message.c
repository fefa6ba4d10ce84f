/* SPDX-License-Identifier: Apache-2.0 */
/* RopSubmitMessage and RopTransportSend, [MS-OXOMSG] 2.2.3.1, 2.2.3.6, 3.2.5.1, 3.2.5.6 */
#include <config.h>
#include "libgxproto/emsmdb/submit.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PRE_PROCESS = 0x01, NEEDS_SPOOLER = 0x02 };

gx_ec gx_rop__submit_message(struct gx_rop_call *c, const struct gx_rop_submit_message_req *q, void *r)
{
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)r;
	if (m == NULL)
		return GX_EC(ecNotSupported);
	if (q->submit_flags & ~(PRE_PROCESS | NEEDS_SPOOLER))
		return gx_rop__fail(c, ecInvalidParam, "SubmitFlags 0x%x", q->submit_flags);
	/* all processing is the server's own, so that nothing more is to be done before */
	return gx_ems__submit(c, m, q->submit_flags & NEEDS_SPOOLER ? GX_SUBMIT_SPOOLER : 0, NULL);
}

gx_ec gx_rop__transport_send(struct gx_rop_call *c, const void *q, struct gx_rop_transport_send_res *r)
{
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)q;
	if (m == NULL)
		return GX_EC(ecNotSupported);
	return gx_ems__submit(c, m, GX_SUBMIT_NOW, &r->property_values);
}
