/* SPDX-License-Identifier: Apache-2.0 */
/* Random values, lists and restrictions for tests: the same seed gives the same ones. */
#ifndef GX_PROPRAND_H
#define GX_PROPRAND_H
#include <gx/restr.h>

struct rnd {
	uint64_t s;
	struct gx_arena *a;
};

uint32_t rnd_u32(struct rnd *r);
/* 0 to n-1 */
uint32_t rnd_below(struct rnd *r, uint32_t n);
/* Of every kind that gx_value_copy() knows. */
uint16_t rnd_type(struct rnd *r);
union gx_value rnd_value(struct rnd *r, uint16_t type, unsigned depth);
struct gx_proplist rnd_proplist(struct rnd *r, unsigned max);
const struct gx_restr *rnd_restr(struct rnd *r, unsigned depth);

#endif
