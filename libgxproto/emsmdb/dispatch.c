/* SPDX-License-Identifier: Apache-2.0 */
/* From an operation's number to its function. */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#define GX_ROP_TABLE
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__do(struct gx_rop_call *c, const void *request, void *response)
{
	if (table[c->desc->id] == NULL)
		return gx_rop__fail(c, ecNotSupported, "there is no function for it");
	gx_ec ec = gx_ems__settle_streams(c);
	return gx_ec_failed(ec) ? ec : table[c->desc->id](c, request, response);
}
