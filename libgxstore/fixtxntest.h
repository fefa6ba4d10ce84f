/* SPDX-License-Identifier: Apache-2.0 */
/* The same with a transaction that stays open from step to step of a test. */
#ifndef GXSTORE_FIXTXNTEST_H
#define GXSTORE_FIXTXNTEST_H
#include "libgxstore/fixtest.h"

static struct gx_txn *t;

static inline void fix_setup_txn(void)
{
	fix_setup();
	t = st_begin(s, GX_TXN_WRITE);
}

static inline void fix_teardown_txn(void)
{
	st_commit(t);
	fix_teardown();
}

/* Goes on as somebody else. */
static inline void as(const char *user)
{
	static struct gx_actor actor;
	st_commit(t);
	actor = (struct gx_actor){.user = user, .owner = user == NULL};
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_WRITE, 1000, &t), 0);
}
#endif
