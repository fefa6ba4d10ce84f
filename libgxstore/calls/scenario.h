/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers see of the calls, whichever way they take: the same functions run on a store of this
 * process and through the protocol. Each takes a store that was just made.
 */
#ifndef GX_CALLS_SCENARIO_H
#define GX_CALLS_SCENARIO_H
#include <gx/exmdb.h>

struct scene {
	struct gx_exmdb *x;
	const char *dir;
	struct gx_arena *a;
	bool full;       /* codes and texts of failures arrive; a plain connection has only one code */
};
struct scenario {
	const char *name;
	void (*run)(struct scene *s);
};
/* Ends with a NULL name. */
extern const struct scenario scenarios[];
#endif
