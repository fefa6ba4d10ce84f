/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RopProgress, [MS-OXCPRPT] 2.2.23 and 3.2.5.20: answered of an operation that goes on behind its own answer. Operations here are done
 * when they answer, which they always may be, so that there is never one to tell of or to cancel.
 */
#include <config.h>
#include "libgxproto/emsmdb/emsmdb-int.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__progress(struct gx_rop_call *c, const struct gx_rop_progress_req *q, struct gx_rop_progress_res *r)
{
	(void)q;
	(void)r;
	return gx_rop__fail(c, ecNotSupported, "nothing is going on");
}
