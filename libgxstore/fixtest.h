/* SPDX-License-Identifier: Apache-2.0 */
/* A store, the directory it lies in, and an arena, for each test anew. */
#ifndef GXSTORE_FIXTEST_H
#define GXSTORE_FIXTEST_H
#include "libgxstore/storetest.h"

static char dir[512];
static struct gx_store *s;
static struct gx_arena *a;

static inline void fix_setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	s = st_open(dir);
	a = gx_arena_new(0);
}

static inline void fix_teardown(void)
{
	st_verify(s);
	gx_store_close(s);
	gx_arena_free(a);
	st_rmtree(dir);
}
#endif
