/* SPDX-License-Identifier: Apache-2.0 */
/* Values that stand in the database as blobs, [gromox formats 4]: EXT encoding without wide counts. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include "libgxstore/gromox/gromox-int.h"

static struct gx_px narrow(struct gx_arena *a)
{
	return (struct gx_px){.wide = false, .utf16 = false, .cp = GX_CP_UTF8, .a = a};
}

int gx_gromox__text(struct gx_arena *a, uint32_t cp, const void *p, size_t n, const char **ret_s, bool *ret_guessed)
{
	char *s;
	bool utf8 = gx_utf8_valid(p, n) && (n == 0 || memchr(p, '\0', n) == NULL);
	if (ret_guessed != NULL)
		*ret_guessed = !utf8;
	if (utf8) {
		s = gx_arena_strndup(a, p, n);
		*ret_s = s;
		return s == NULL ? GX_E_NOMEM : 0;
	}
	if (cp == GX_CP_UTF8 || cp == GX_CP_UTF16)
		cp = 0;
	int err = gx_cp_to_utf8(a, cp, p, n, &s, NULL, NULL);
	if (err == 0)
		*ret_s = s;
	return err;
}

/* Strings inside of blobs have no code page of their own. */
static int clean_strings(struct gx_arena *a, union gx_value *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!gx_utf8_valid(v[i].str, strlen(v[i].str))) {
			int err = gx_gromox__text(a, 0, v[i].str, strlen(v[i].str), &v[i].str, NULL);
			if (err != 0)
				return err;
		}
	return 0;
}

int gx_gromox__multi(const struct gx_gromox_px *x, uint16_t type, struct gx_bin b, union gx_value *ret_v)
{
	struct gx_px px = narrow(x->a);
	struct gx_pull c;
	union gx_value v;
	gx_pull_init(&c, b.data, b.len);
	gx_px_pull_value(&c, &px, type, &v);
	if (c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	if (c.err != 0)
		return c.err;
	if (type == PtypMultipleString || type == PtypMultipleString8) {
		union gx_value *e = (union gx_value *)v.mv.v; /* made by the decoder in our arena */
		int err = clean_strings(x->a, e, v.mv.count);
		if (err != 0)
			return err;
	}
	*ret_v = v;
	return 0;
}

int gx_gromox__svreid(struct gx_bin b, struct gx_bin *ret_b)
{
	struct gx_px px = narrow(NULL);
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	struct gx_bin v = gx_px_pull_bin(&c, &px);
	if (c.err == 0 && (c.left != 0 || v.len == 0))
		gx_pull_fail(&c, GX_E_FORMAT);
	if (c.err == 0)
		*ret_b = v;
	return c.err;
}

/* ---- Restrictions: the ids of named properties in them are the source's ---- */

static int map_restr(const struct gx_gromox_px *x, struct gx_restr *r);

static int map_tag(const struct gx_gromox_px *x, gx_proptag_t *io_tag)
{
	gx_proptag_t tag = gx_gromox__map_tag(x->map, *io_tag);
	if (tag == 0 && *io_tag != 0)
		return GX_E_NOTFOUND;
	*io_tag = tag;
	return 0;
}

static int map_val(const struct gx_gromox_px *x, struct gx_propval *pv)
{
	int err = map_tag(x, &pv->tag);
	if (err == 0 && GX_PROP_TYPE(pv->tag) == PtypString)
		err = clean_strings(x->a, &pv->v, 1);
	if (err == 0 && gx_eid_holds(pv->tag)) /* kept there as clients send them */
		pv->v.i64 = (int64_t)gx_eid_plain((uint64_t)pv->v.i64);
	if (err == 0 && GX_PROP_TYPE(pv->tag) == PtypRestriction && pv->v.restr != NULL)
		err = map_restr(x, (struct gx_restr *)pv->v.restr);
	return err;
}

static int map_list(const struct gx_gromox_px *x, const struct gx_restr *v, uint32_t n)
{
	int err = 0;
	for (uint32_t i = 0; i < n && err == 0; i++)
		err = map_restr(x, (struct gx_restr *)&v[i]);
	return err;
}

static int map_comment(const struct gx_gromox_px *x, const struct gx_restr *r)
{
	int err = 0;
	for (unsigned i = 0; i < r->u.comment.count && err == 0; i++)
		err = map_val(x, (struct gx_propval *)&r->u.comment.v[i]);
	return err != 0 || r->u.comment.sub == NULL ? err : map_list(x, r->u.comment.sub, 1);
}

/* The decoder has just made the tree in our arena, so it may be changed; its depth is bounded there. */
static int map_restr(const struct gx_gromox_px *x, struct gx_restr *r)
{
	int err;
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		return map_list(x, r->u.list.v, r->u.list.count);
	case RES_NOT:
		return map_list(x, r->u.not_.sub, 1);
	case RES_CONTENT:
		err = map_tag(x, &r->u.content.tag);
		return err != 0 ? err : map_val(x, &r->u.content.val);
	case RES_PROPERTY:
		err = map_tag(x, &r->u.prop.tag);
		return err != 0 ? err : map_val(x, &r->u.prop.val);
	case RES_COMPAREPROPS:
		err = map_tag(x, &r->u.cmp.tag1);
		return err != 0 ? err : map_tag(x, &r->u.cmp.tag2);
	case RES_BITMASK:
		return map_tag(x, &r->u.bitmask.tag);
	case RES_SIZE:
		return map_tag(x, &r->u.size.tag);
	case RES_EXIST:
		return map_tag(x, &r->u.exist.tag);
	case RES_SUBRESTRICTION:
		return map_list(x, r->u.sub.sub, 1);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return map_comment(x, r);
	case RES_COUNT:
		return map_list(x, r->u.count.sub, 1);
	default:
		return 0;
	}
}

int gx_gromox__restr(const struct gx_gromox_px *x, struct gx_bin b, const struct gx_restr **ret_r)
{
	struct gx_px px = narrow(x->a);
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	const struct gx_restr *r = gx_px_pull_restr(&c, &px);
	if (c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	int err = c.err != 0 ? c.err : map_list(x, r, 1);
	if (err == 0)
		*ret_r = r;
	return err;
}

/* ---- The profile of PHP programs, with wide counts ---- */

static int pull_props(const struct gx_gromox_px *x, struct gx_pull *c, const struct gx_px *px,
	struct gx_proplist *ret_l)
{
	struct gx_proplist all, l = {0};
	gx_px_pull_proplist(c, px, &all);
	for (size_t i = 0; c->err == 0 && i < all.count; i++) {
		int err = map_val(x, &all.v[i]);
		if (err == GX_E_NOTFOUND)
			continue;
		if (err == 0)
			err = gx_proplist_set(&l, x->a, all.v[i].tag, all.v[i].v);
		if (err != 0)
			return gx_pull_fail(c, err);
	}
	*ret_l = l;
	return c->err;
}

int gx_gromox__profile(const struct gx_gromox_px *x, struct gx_bin b, struct gx_proplist *ret_l,
	struct gx_proplist **ret_sections, size_t *ret_n)
{
	struct gx_px px = GX_PX_EXT(x->a);
	struct gx_pull c;
	struct gx_proplist l;
	gx_pull_init(&c, b.data, b.len);
	int err = pull_props(x, &c, &px, &l);
	if (err != 0)
		return err;
	size_t n = gx_pull_count(&c, gx_pull_u32(&c), 2);
	struct gx_proplist *v = gx_arena_new_array(x->a, struct gx_proplist, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n && err == 0; i++)
		err = pull_props(x, &c, &px, &v[i]);
	if (err == 0 && c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	if (err != 0 || c.err != 0)
		return err != 0 ? err : c.err;
	*ret_l = l;
	*ret_sections = v;
	*ret_n = n;
	return 0;
}
