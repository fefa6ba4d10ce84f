/* SPDX-License-Identifier: Apache-2.0 */
/* The full-text index: everything in it can be had again from the messages. */
#include <config.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/storecheck/sc-int.h"

static const struct gx_store_check_info subs[] = {
	{"text-index", "body", "the full-text index has the texts of all messages", GX_FINDING_BROKEN, true},
};

static int on_finding(uint64_t body, const char *text, void *ctx)
{
	return body == 0 ? gx_sc__say(ctx, 0, 0, "full-text index: %s", text) :
		gx_sc__say(ctx, 0, body, "body %llx: %s", (unsigned long long)body, text);
}

static int find(struct gx_sc *k)
{
	return k->s->no_index || k->s->observe ? 0 : gx_fts__verify(k->t, on_finding, k);
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	(void)v;
	(void)n;
	gx_fts__discard(k->s);
	return 0;
}

const struct gx_sc_check gx_sc__index = {.subs = subs, .nsubs = 1, .expensive = true, .find = find, .repair = repair};
