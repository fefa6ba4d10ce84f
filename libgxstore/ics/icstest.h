/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_ICSTEST_H
#define GXSTORE_ICSTEST_H
/* What the tests of synchronisation share. */
#include <gx/ics.h>
#include "libgxstore/storetest.h"

static inline bool ict_next(struct gx_ics_content *x, struct gx_ics_change *ret_ch)
{
	bool more = false;
	ST_OK(gx_ics_content_next(x, ret_ch, &more));
	return more;
}

#endif
