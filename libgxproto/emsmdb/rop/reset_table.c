/* SPDX-License-Identifier: Apache-2.0 */
/* RopResetTable, [MS-OXCTABL] 2.2.2.16 and 3.2.5.16 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__reset_table(struct gx_rop_call *c, const void *q, void *r)
{
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)q;
	(void)r;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__reopen_table(c, tb, NULL, NULL);
	if (gx_ec_failed(ec))
		return ec;
	free(tb->cols);
	tb->cols = NULL;
	tb->col_count = 0;
	return ec;
}
