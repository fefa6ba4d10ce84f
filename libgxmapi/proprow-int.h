/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROPROW_INT_H
#define GX_PROPROW_INT_H
/* Rows as fields of descriptions. */
#include <gx/proprow.h>

void gx_proprow__print(struct gx_strbuf *b, const struct gx_proprow *r);
bool gx_proprow__equal(const struct gx_proprow *x, const struct gx_proprow *y);
/* Values for the first count of the columns. */
void gx_proprow__random(uint32_t (*next)(void *rnd), void *rnd, struct gx_arena *a, const struct gx_columns *cols, uint32_t count,
	struct gx_proprow *ret_row);

#endif
