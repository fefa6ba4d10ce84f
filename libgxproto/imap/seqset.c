/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/imap/parse.h"

static bool set_number(struct imap_parse *c, uint32_t *ret)
{
	uint64_t v;
	if (gx_imap__accept(c, '*')) {
		*ret = UINT32_MAX;
		return true;
	}
	if (!gx_imap__number(c, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return v != 0 || gx_imap__fail(c, "Message number 0");
}

bool gx_imap__set(struct imap_parse *c, struct imap_set *ret)
{
	size_t cap = 0;
	*ret = (struct imap_set){0};
	if (gx_imap__accept(c, '$')) {
		ret->saved = true;
		return true;
	}
	do {
		struct imap_range r;
		if (!set_number(c, &r.lo))
			return false;
		r.hi = r.lo;
		if (gx_imap__accept(c, ':') && !set_number(c, &r.hi))
			return false;
		if (ret->n == IMAP_MAX_RANGES)
			return gx_imap__fail(c, "Too many ranges");
		ret->v = gx_arena_grow(c->arena, ret->v, &cap, ret->n + 1, sizeof(*ret->v));
		if (ret->v == NULL)
			return gx_imap__fail(c, "Command too large");
		ret->v[ret->n++] = r;
	} while (gx_imap__accept(c, ','));
	return true;
}

static int range_cmp(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;
	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

void gx_imap__ranges_normalize(struct imap_range *v, size_t *io_n)
{
	size_t n = *io_n, k = 0;
	if (n == 0)
		return;
	for (size_t i = 0; i < n; ++i) {
		if (v[i].lo > v[i].hi) {
			uint32_t t = v[i].lo;
			v[i].lo = v[i].hi;
			v[i].hi = t;
		}
	}
	qsort(v, n, sizeof(*v), range_cmp);
	for (size_t i = 1; i < n; ++i) {
		if (v[k].hi == UINT32_MAX || v[i].lo <= v[k].hi + 1) {
			if (v[i].hi > v[k].hi)
				v[k].hi = v[i].hi;
		} else {
			v[++k] = v[i];
		}
	}
	*io_n = k + 1;
}

bool gx_imap__ranges_has(const struct imap_range *v, size_t n, uint32_t x)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (x < v[mid].lo)
			hi = mid;
		else if (x > v[mid].hi)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}
