/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/prop.h>

struct tag_row {
	gx_proptag_t tag;
	const char *name, *alias;
};

struct name_row {
	const char *name;
	gx_proptag_t tag;
};

#include "libgxmapi/proptag-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The first row whose tag is not below. */
static size_t lower_bound(gx_proptag_t tag)
{
	size_t lo = 0, hi = COUNT(by_tag);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (by_tag[mid].tag < tag)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The exact row; else one of the same id, those with a canonical name first. */
static const struct tag_row *find(gx_proptag_t tag)
{
	size_t i = lower_bound(tag);
	if (i < COUNT(by_tag) && by_tag[i].tag == tag)
		return &by_tag[i];
	const struct tag_row *best = NULL;
	for (i = lower_bound(tag & 0xffff0000U); i < COUNT(by_tag); ++i) {
		if (GX_PROP_ID(by_tag[i].tag) != GX_PROP_ID(tag))
			break;
		if (best == NULL || (best->name == NULL && by_tag[i].name != NULL))
			best = &by_tag[i];
	}
	return best;
}

const char *gx_proptag_name(gx_proptag_t tag)
{
	const struct tag_row *r = find(tag);
	return r != NULL ? r->name : NULL;
}

const char *gx_proptag_alias(gx_proptag_t tag)
{
	const struct tag_row *r = find(tag);
	return r != NULL ? r->alias : NULL;
}

gx_proptag_t gx_proptag_by_name(const char *name)
{
	size_t lo = 0, hi = COUNT(by_name);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = strcmp(by_name[mid].name, name);
		if (d == 0)
			return by_name[mid].tag;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}
