/* SPDX-License-Identifier: Apache-2.0 */
/* Names of named properties, [gromox formats 5]. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/gromox/gromox-int.h"

#define GUID_TEXT 36
#define NAME_MAX_BYTES 1023

static bool starts(const char *s, const char *with)
{
	return gx_ascii_ncasecmp(s, with, strlen(with)) == 0;
}

static int lid(const char *s, uint32_t *ret_lid)
{
	char *end;
	if (*s < '0' || *s > '9')
		return GX_E_FORMAT;
	unsigned long long v = strtoull(s, &end, 10);
	if (*end != '\0' || v > UINT32_MAX)
		return GX_E_FORMAT;
	*ret_lid = (uint32_t)v;
	return 0;
}

int gx_gromox__propname(struct gx_arena *a, const char *s, struct gx_propname *ret_n)
{
	struct gx_propname n = {.by_name = false};
	char guid[GUID_TEXT + 1];
	if (!starts(s, "GUID=") || strlen(s + 5) < GUID_TEXT)
		return GX_E_FORMAT;
	memcpy(guid, s + 5, GUID_TEXT);
	guid[GUID_TEXT] = '\0';
	int err = gx_guid_parse(guid, &n.set);
	if (err != 0)
		return err;
	s += 5 + GUID_TEXT;
	if (starts(s, ",LID=")) {
		err = lid(s + 5, &n.lid);
	} else if (starts(s, ",NAME=")) {
		size_t len = strlen(s + 6);
		if (len == 0 || len > NAME_MAX_BYTES || !gx_utf8_valid(s + 6, len))
			return GX_E_FORMAT;
		n.by_name = true;
		n.name = gx_arena_strdup(a, s + 6);
		err = n.name == NULL ? GX_E_NOMEM : 0;
	} else {
		err = GX_E_FORMAT;
	}
	if (err == 0)
		*ret_n = n;
	return err;
}

/* In our store all text is UTF-8, so that the 8-bit types say nothing more. */
static gx_proptag_t unicode(gx_proptag_t tag)
{
	switch (GX_PROP_TYPE(tag)) {
	case PtypString8:
		return GX_PROP_RETYPE(tag, PtypString);
	case PtypMultipleString8:
		return GX_PROP_RETYPE(tag, PtypMultipleString);
	default:
		return tag;
	}
}

gx_proptag_t gx_gromox__map_tag(const struct gx_gromox_idmap *map, gx_proptag_t tag)
{
	tag = unicode(tag);
	if (map == NULL || !GX_PROP_IS_NAMED(tag))
		return tag;
	uint16_t id = map->id[GX_PROP_ID(tag) - GX_GROMOX_NAMED_FIRST];
	return id == 0 ? 0 : GX_PROP_TAG(id, GX_PROP_TYPE(tag));
}

int gx_gromox__names(struct gx_gromox *g, gx_gromox_name_cb cb, void *ctx)
{
	GX_STMT(st, g->q, "SELECT propid,name_string FROM named_properties ORDER BY propid");
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) != 0) {
		struct gx_propname n;
		int64_t id = r < 0 ? 0 : gx_sql__int(st, 0);
		gx_arena_reset(a);
		err = r < 0 ? r : gx_gromox__propname(a, gx_sql__text(st, 1), &n);
		gx_gromox__about(&g->notes, "named property %llx", (unsigned long long)id);
		if (err == 0 && id > GX_GROMOX_NAMED_FIRST && id < GX_GROMOX_NAMED_FIRST + GX_GROMOX_NAMED_MAX)
			err = cb((uint16_t)id, &n, ctx);
		else if (r > 0 && (err == 0 || err == GX_E_FORMAT))
			err = gx_gromox__note(&g->notes, GX_CONV_NAME, NULL,
				"\"%.200s\" names no property; values under this id are left out", gx_sql__text(st, 1));
	}
	gx_arena_free(a);
	return err;
}
