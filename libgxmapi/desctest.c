/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxmapi/desctest-types.h"

static void pair_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	struct desctest_pair *p = ret_member;
	uint8_t b = gx_pull_u8(c);
	p->hi = b >> 4;
	p->lo = b & 15;
}

static void pair_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct desctest_pair *p = member;
	if (p->hi > 15 || p->lo > 15)
		gx_push_fail(c, GX_E_RANGE);
	gx_push_u8(c, (uint8_t)(p->hi << 4 | p->lo));
}

static void pair_print(struct gx_strbuf *b, const void *member)
{
	const struct desctest_pair *p = member;
	gx_strbuf_printf(b, "%u/%u", p->hi, p->lo);
}

static bool pair_equal(const void *x, const void *y)
{
	const struct desctest_pair *p = x, *q = y;
	return p->hi == q->hi && p->lo == q->lo;
}

static void pair_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	*(struct desctest_pair *)ret_member = (struct desctest_pair){next(rnd) % 16, next(rnd) % 16};
}

static const struct gx_custom gx_custom_pair = {pair_pull, pair_push, pair_print, pair_equal, pair_random};

#include "libgxmapi/desctest-table.h"
