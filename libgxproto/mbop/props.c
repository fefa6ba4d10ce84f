/* SPDX-License-Identifier: Apache-2.0 */
/* What web clients keep in the store: the picture, the profile, settings. Named properties of Gromox's own set. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxproto/mbop/mbop-int.h"

#define PSETID_GROMOX {0x1de937e2, 0x85c6, 0x40a1, {0xbd, 0x9d, 0xa6, 0xe2, 0xb7, 0xb7, 0x87, 0xb1}}

bool gx_mbop__named(struct gx_mbop_job *j, const char *name, bool create, uint16_t *ret_id)
{
	const struct gx_propname n = {.set = PSETID_GROMOX, .by_name = true, .name = name};
	const struct gx_x_get_named_propids_req q = {.create = create, .names = &n, .names_count = 1};
	struct gx_x_get_named_propids_ans ans;
	if (!MBOP2(j, get_named_propids, &q, &ans))
		return false;
	*ret_id = ans.ids_count == 1 ? ans.ids[0] : 0;
	return *ret_id != 0 || !create || gx_mbop__fail(j, "the store has no room for the name %s", name);
}

/* *ret_v NULL: not there. */
static bool get(struct gx_mbop_job *j, const char *name, uint16_t type, const struct gx_propval **ret_v)
{
	uint16_t id;
	*ret_v = NULL;
	if (!gx_mbop__named(j, name, false, &id))
		return false;
	if (id == 0)
		return true;
	const gx_proptag_t tag = GX_PROP_TAG(id, type);
	const struct gx_x_get_store_properties_req q = {.tags = &tag, .tags_count = 1};
	struct gx_x_get_store_properties_ans ans;
	if (!MBOP2(j, get_store_properties, &q, &ans))
		return false;
	*ret_v = gx_proplist_get(&ans.props, tag);
	return true;
}

static bool put(struct gx_mbop_job *j, const char *name, uint16_t type, union gx_value v)
{
	uint16_t id;
	if (!gx_mbop__named(j, name, true, &id))
		return false;
	struct gx_propval pv = {.tag = GX_PROP_TAG(id, type), .v = v};
	const struct gx_x_set_store_properties_req q = {.props = {&pv, 1, 1}};
	struct gx_x_set_store_properties_ans ans;
	if (!MBOP2(j, set_store_properties, &q, &ans))
		return false;
	return ans.problems_count == 0 || gx_mbop__fail(j, "the store refuses it: %s", gx_ec_text(GX_EC(ans.problems[0].ec)));
}

static bool drop(struct gx_mbop_job *j, const char *name, uint16_t type)
{
	uint16_t id;
	if (!gx_mbop__named(j, name, false, &id))
		return false;
	const gx_proptag_t tag = GX_PROP_TAG(id, type);
	const struct gx_x_remove_store_properties_req q = {.tags = &tag, .tags_count = 1};
	return id == 0 || MBOP_REQ(j, remove_store_properties, &q);
}

static bool input(struct gx_mbop_job *j, const char *what, struct gx_bin *ret_b)
{
	const char *why = "";
	const struct gx_mbop_opts *o = j->m->o;
	if (o->input == NULL)
		return gx_mbop__fail(j, "there is no input");
	pthread_mutex_lock(&j->m->tell);
	int err = o->input(j->a, ret_b, &why, o->ctx);
	pthread_mutex_unlock(&j->m->tell);
	if (err != 0)
		return gx_mbop__fail(j, "stdin: %s", *why != '\0' ? why : gx_strerror(err));
	return ret_b->len > 0 || gx_mbop__fail(j, "stdin: there is no %s in it", what);
}

/* ---- The picture and the profile ---- */

bool gx_mbop__get_photo(struct gx_mbop_job *j)
{
	const struct gx_propval *pv;
	if (!get(j, "photo", PtypBinary, &pv))
		return false;
	gx_mbop__data(j, pv != NULL ? pv->v.bin : (struct gx_bin){NULL, 0}, true);
	return true;
}

bool gx_mbop__set_photo(struct gx_mbop_job *j)
{
	union gx_value v;
	return input(j, "picture", &v.bin) && put(j, "photo", PtypBinary, v);
}

bool gx_mbop__clear_photo(struct gx_mbop_job *j)
{
	return drop(j, "photo", PtypBinary);
}

bool gx_mbop__clear_profile(struct gx_mbop_job *j)
{
	return drop(j, "zcore_profsect", PtypBinary);
}

/* ---- Settings ---- */

#define SETTINGS "websettings"
#define PERSISTENT "websettings_persistent"
#define RECIPIENTS "websettings_recipienthistory"

static bool get_text(struct gx_mbop_job *j, const char *name)
{
	const struct gx_propval *pv;
	if (!get(j, name, PtypString, &pv))
		return false;
	const char *s = pv != NULL ? pv->v.str : "";
	gx_mbop__data(j, (struct gx_bin){(const uint8_t *)s, strlen(s)}, false);
	return true;
}

/* What is no JSON would lock the user out of his web client. */
static bool set_text(struct gx_mbop_job *j, const char *name)
{
	struct gx_bin b;
	union gx_value v;
	const char *why = "";
	if (!input(j, "JSON", &b))
		return false;
	v.str = gx_arena_strndup(j->a, (const char *)b.data, b.len);
	if (v.str == NULL)
		return gx_mbop__nomem(j);
	if (strlen(v.str) != b.len || !gx_utf8_valid(v.str, b.len))
		return gx_mbop__fail(j, "stdin: it is not UTF-8 text");
	if (!gx_mbop__is_json(b, j->a, &why))
		return gx_mbop__fail(j, "stdin: %s", why != NULL ? why : "out of memory");
	return put(j, name, PtypString, v);
}

bool gx_mbop__get_settings(struct gx_mbop_job *j)
{
	return get_text(j, SETTINGS);
}

bool gx_mbop__get_persistent(struct gx_mbop_job *j)
{
	return get_text(j, PERSISTENT);
}

bool gx_mbop__get_recipients(struct gx_mbop_job *j)
{
	return get_text(j, RECIPIENTS);
}

bool gx_mbop__set_settings(struct gx_mbop_job *j)
{
	return set_text(j, SETTINGS);
}

bool gx_mbop__set_persistent(struct gx_mbop_job *j)
{
	return set_text(j, PERSISTENT);
}

bool gx_mbop__set_recipients(struct gx_mbop_job *j)
{
	return set_text(j, RECIPIENTS);
}
