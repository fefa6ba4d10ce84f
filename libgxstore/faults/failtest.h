/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests share in which the n-th call of something fails: check_iofail.c, check_oom.c. */
#ifndef GXSTORE_FAILTEST_H
#define GXSTORE_FAILTEST_H
#include "libgxstore/faults/storeops.h"

static char template[512];
static struct so_world w;
static struct fault *f;
static uint8_t before[SO_HASH];

static inline void setup_template(void)
{
	so_make_template(template, sizeof(template));
}

static inline void remove_template(void)
{
	st_rmtree(template);
}

static inline void setup(void)
{
	char dir[sizeof(w.dir)];
	so_copy_store(template, dir, sizeof(dir));
	f = fault_new(dir, false);
	so_open(&w, &f->fs, dir, 7);
	w.serial = 100000;
}

static inline void teardown(void)
{
	so_close(&w);
	fault_free(f);
	st_rmtree(w.dir);
}

/* Since the last call. */
static inline bool unchanged(void)
{
	uint8_t now[SO_HASH];
	so_world_fingerprint(&w, now);
	bool same = memcmp(before, now, SO_HASH) == 0;
	memcpy(before, now, SO_HASH);
	return same;
}

static inline void prepare(const struct so_op *op)
{
	for (unsigned i = 0; i < 40; i++) {
		if (so_prepare(&w, op))
			return;
		if (i == 19)
			so_fill(&w); /* it has used up what was there */
	}
	ck_abort_msg("%s finds nothing to work on", op->name);
}

/* By a kill, and the machine has started anew since. */
static inline void leave_unclean(void)
{
	so_leave_unclean(&w);
	snprintf(f->boot, sizeof(f->boot), "another");
}

/* GX_OP=tables tries that operation alone. */
static inline bool wanted(const struct so_op *op)
{
	const char *one = getenv("GX_OP");
	return one == NULL || strcmp(one, op->name) == 0;
}

static inline int count_ops(void)
{
	int n = 0;
	while (so_op((size_t)n) != NULL)
		n++;
	return n;
}
#endif
