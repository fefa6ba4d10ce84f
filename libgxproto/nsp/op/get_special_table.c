/* SPDX-License-Identifier: Apache-2.0 */
/* NspiGetSpecialTable, [MS-OXNSPI] 3.1.4.1.3 */
#include <config.h>
#include <gx/charset.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"
#include "libgxproto/nsp/template.h"

enum { ADDRESS_CREATION_TEMPLATES = 2, UNICODE_STRINGS = 4 };

/* A number that is another one when the containers are others. */
static uint32_t version_of(const struct nsp_call *c)
{
	uint32_t h = 2166136261U;
	for (uint32_t i = 0; i < c->base->count; ++i) {
		const struct nsp_container *k = &c->base->containers[i];
		h = (h ^ k->mid) * 16777619U;
		for (const char *s = k->name; *s != '\0'; ++s)
			h = (h ^ (uint8_t)*s) * 16777619U;
	}
	return h == 0 ? 1 : h;
}

/* Texts as values of their own, of the type that is wanted. */
static gx_ec finish(struct nsp_call *c, struct gx_proplist *l, bool wide, struct gx_ab_values *ret_v)
{
	for (size_t i = 0; i < l->count; ++i) {
		if (GX_PROP_TYPE(l->v[i].tag) != PtypString)
			continue;
		l->v[i].v.str = gx_arena_strdup(c->a, l->v[i].v.str);
		if (l->v[i].v.str == NULL)
			return GX_EC(ecMAPIOOM);
		if (!wide)
			l->v[i].tag = GX_PROP_RETYPE(l->v[i].tag, PtypString8);
	}
	*ret_v = (struct gx_ab_values){l->v, (uint32_t)l->count};
	return NSP_OK;
}

static gx_ec hierarchy(struct nsp_call *c, const struct gx_mh_get_special_table_req *q, struct gx_mh_get_special_table_res *r)
{
	uint32_t *version = gx_arena_alloc(c->a, sizeof(*version));
	struct gx_ab_values *v = gx_arena_new_array(c->a, struct gx_ab_values, c->base->count + 1);
	gx_ec ec = NSP_OK;
	if (version == NULL || v == NULL)
		return GX_EC(ecMAPIOOM);
	*version = version_of(c);
	r->version = version;
	r->has_rows = true;
	r->rows = v;
	if (q->version != NULL && *q->version == *version)
		return NSP_OK; /* the client has it */
	for (uint32_t i = 0; i < c->base->count && !gx_ec_failed(ec); ++i) {
		struct gx_proplist l;
		ec = gx_ec_from_err(gx_nsp__container_props(c, &c->base->containers[i], &l));
		if (!gx_ec_failed(ec))
			ec = finish(c, &l, q->flags & UNICODE_STRINGS, &v[i]);
	}
	r->rows_count = c->base->count;
	return ec;
}

static gx_ec creation(struct nsp_call *c, const struct gx_mh_get_special_table_req *q, struct gx_mh_get_special_table_res *r)
{
	struct gx_proplist *l;
	size_t n;
	gx_ec ec = gx_nsp__creation_rows(c, q->state->template_locale, &l, &n);
	struct gx_ab_values *v = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_ab_values, n + 1);
	if (v == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i)
		ec = finish(c, &l[i], false, &v[i]);
	r->version = q->version;
	r->has_rows = true;
	r->rows = v;
	r->rows_count = (uint32_t)n;
	return ec;
}

NSP_OP(get_special_table)
{
	bool wide = q->flags & (UNICODE_STRINGS | ADDRESS_CREATION_TEMPLATES);
	if (q->state == NULL)
		return GX_EC(ecInvalidParam);
	gx_ec ec = wide && q->state->code_page == GX_CP_UTF16 ? NSP_OK : gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	r->code_page = q->state->code_page;
	return q->flags & ADDRESS_CREATION_TEMPLATES ? creation(c, q, r) : hierarchy(c, q, r);
}
