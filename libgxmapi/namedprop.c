/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/namedprop.h>

#include "libgxmapi/namedprop-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct gx_named_info *gx_named_by_name(const char *name)
{
	size_t lo = 0, hi = COUNT(by_name);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = strcmp(by_name[mid].name, name);
		if (d == 0)
			return &by_name[mid];
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The order of the indexes: set, then LID or folded string. */
static int cmp(const struct gx_named_info *i, const struct gx_propname *n)
{
	int d = gx_guid_cmp(i->set, &n->set);
	if (d != 0)
		return d;
	return n->by_name ? gx_ascii_casecmp(i->key, n->name) : (i->lid > n->lid) - (i->lid < n->lid);
}

struct gx_propname gx_named_propname(const struct gx_named_info *i)
{
	return (struct gx_propname){.set = *i->set, .by_name = i->key != NULL, .lid = i->lid, .name = i->key};
}

const struct gx_named_info *gx_named_find(const struct gx_propname *n)
{
	const uint16_t *index = n->by_name ? by_key : by_lid;
	size_t count = n->by_name ? COUNT(by_key) : COUNT(by_lid), lo = 0, hi = count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (cmp(&by_name[index[mid]], n) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* neighbours may differ in case only, which counts in most sets */
	for (; lo < count && cmp(&by_name[index[lo]], n) == 0; ++lo) {
		struct gx_propname have = gx_named_propname(&by_name[index[lo]]);
		if (gx_propname_equal(&have, n))
			return &by_name[index[lo]];
	}
	return NULL;
}

static const struct {
	const char *name;
	struct gx_guid set;
} propsets[] = {
#define SET(x) {#x, x##_INIT}
	SET(PS_INTERNET_HEADERS),
	SET(PS_MAPI),
	SET(PS_PUBLIC_STRINGS),
	SET(PSETID_Address),
	SET(PSETID_AirSync),
	SET(PSETID_Appointment),
	SET(PSETID_Attachment),
	SET(PSETID_CalendarAssistant),
	SET(PSETID_Common),
	SET(PSETID_Log),
	SET(PSETID_Meeting),
	SET(PSETID_Messaging),
	SET(PSETID_Note),
	SET(PSETID_PostRss),
	SET(PSETID_Remote),
	SET(PSETID_Report),
	SET(PSETID_Sharing),
	SET(PSETID_Task),
	SET(PSETID_UnifiedMessaging),
	SET(PSETID_XmlExtractedEntities),
#undef SET
};

const char *gx_propset_name(const struct gx_guid *set)
{
	for (size_t i = 0; i < COUNT(propsets); ++i)
		if (gx_guid_cmp(&propsets[i].set, set) == 0)
			return propsets[i].name;
	return NULL;
}

int gx_propset_by_name(const char *name, struct gx_guid *ret_set)
{
	for (size_t i = 0; i < COUNT(propsets); ++i) {
		if (strcmp(propsets[i].name, name) != 0)
			continue;
		*ret_set = propsets[i].set;
		return 0;
	}
	return GX_E_NOTFOUND;
}
