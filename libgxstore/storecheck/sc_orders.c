/* SPDX-License-Identifier: Apache-2.0 */
/* The sort orders of tables: derived from the messages, so they are made again when they are wrong. */
#include <config.h>
#include "libgxstore/order/order-int.h"
#include "libgxstore/storecheck/sc-int.h"

static const struct gx_store_check_info subs[] = {
	{"sort-order", "store", "sort orders have the rows that the messages make", GX_FINDING_BROKEN, true},
};

struct lines {
	struct gx_sc *k;
	int err;
};

static void on_line(const char *line, void *ctx)
{
	struct lines *l = ctx;
	if (l->err == 0)
		l->err = gx_sc__say(l->k, 0, 0, "%s", line);
}

static int find(struct gx_sc *k)
{
	struct lines l = {.k = k};
	long n = gx_order__verify(k->t, on_line, &l);
	return n < 0 ? (int)n : l.err;
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	(void)v;
	(void)n;
	return gx_order__rebuild(k->t);
}

const struct gx_sc_check gx_sc__orders = {.subs = subs, .nsubs = 1, .derived = true, .find = find, .repair = repair};
