/* SPDX-License-Identifier: Apache-2.0 */
/* RopOptionsData, [MS-OXOMSG] 2.2.3.9: how messages to addresses of a type can be sent. There are no options to choose from. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__options_data(struct gx_rop_call *c, const struct gx_rop_options_data_req *q, struct gx_rop_options_data_res *r)
{
	(void)r;
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	/* what RopGetAddressTypes names */
	if (gx_ascii_casecmp(q->address_type, "EX") != 0 && gx_ascii_casecmp(q->address_type, "SMTP") != 0)
		return gx_rop__fail(c, ecNotFound, "no address type %s", q->address_type);
	return EMS_OK;
}
