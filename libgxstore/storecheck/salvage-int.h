/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_SALVAGE_INT_H
#define GXSTORE_SALVAGE_INT_H
/* A new database out of what can be read of a damaged one. */
#include <gx/storecheck.h>
#include "libgxstore/store-int.h"

struct gx_salvage {
	struct gx_arena *a;
	struct gx_sql *src, *dst;
};
/* All rows of a table that can be read; gaps: places where something could not. */
int gx_salvage__copy(struct gx_salvage *x, const char *name, uint64_t *ret_rows, uint64_t *ret_gaps) GX_MUST_CHECK;
/* What goes wrong in the damaged database is damage, but for this. */
static inline bool gx_salvage__no_memory(int rc)
{
	return (rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM;
}
#endif
