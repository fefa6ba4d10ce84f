/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_RULES_INT_H
#define GXSTORE_RULES_INT_H
#include <gx/rules.h>
#include "libgxstore/store-int.h"

struct gx_rules {
	struct gx_rule *v;
	size_t n, cap;
};
/* A new, empty entry at the end. NULL: no memory. */
struct gx_rule *gx_rules__add(struct gx_arena *a, struct gx_rules *l);
/* The classic rules of a folder are appended. */
int gx_rules__read(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rules *l) GX_MUST_CHECK;
/* The extended ones, those that can be read; the rest is logged. */
int gx_rules__read_extended(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rules *l) GX_MUST_CHECK;

#endif
