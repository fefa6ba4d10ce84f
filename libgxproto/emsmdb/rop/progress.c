/* SPDX-License-Identifier: Apache-2.0 */
/* RopProgress, [MS-OXCPRPT] 2.2.23 and 3.2.5.20: of an operation that goes on behind its own answer; see job.h. */
#include <config.h>
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__progress(struct gx_rop_call *c, const struct gx_rop_progress_req *q, struct gx_rop_progress_res *r)
{
	(void)r; /* the operation's own answer, or one like this, comes in its place */
	return gx_ems__job_go_on(c, q->want_cancel);
}
