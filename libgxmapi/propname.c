/* SPDX-License-Identifier: Apache-2.0 */
/* Names of named properties on the wire: kind, set, and by kind a number, a text with its size, or nothing. */
#include <config.h>
#include <string.h>
#include "libgxmapi/propname.h"

enum { KIND_LID = 0, KIND_NAME = 1, KIND_NONE = 0xff };

static bool is_none(const struct gx_propname *n)
{
	static const struct gx_guid none;
	return !n->by_name && n->lid == 0 && gx_guid_cmp(&n->set, &none) == 0;
}

/* ---- In exmdb ---- */

static void name_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	struct gx_propname *n = ret_member;
	uint8_t kind = gx_pull_u8(c);
	n->set = gx_pull_guid(c);
	(void)x;
	switch (kind) {
	case KIND_LID:
		n->lid = gx_pull_u32(c);
		break;
	case KIND_NAME: {
		/* what follows the zero inside the size is skipped */
		struct gx_pull child = gx_pull_child(c, gx_pull_u8(c));
		n->by_name = true;
		n->name = gx_pull_strz(&child);
		gx_pull_close(c, &child, false);
		break;
	}
	case KIND_NONE:
		n->set = (struct gx_guid){0};
		break;
	default:
		gx_pull_fail(c, GX_E_FORMAT);
		break;
	}
}

static void name_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct gx_propname *n = member;
	(void)x;
	gx_push_u8(c, is_none(n) ? KIND_NONE : n->by_name ? KIND_NAME : KIND_LID);
	gx_push_guid(c, &n->set);
	if (is_none(n))
		return;
	if (!n->by_name) {
		gx_push_u32(c, n->lid);
		return;
	}
	const char *s = n->name != NULL ? n->name : "";
	size_t size = strlen(s) + 1;
	if (size > UINT8_MAX) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	gx_push_u8(c, (uint8_t)size);
	gx_push_strz(c, s);
}

/* ---- In ROP buffers, [MS-OXCDATA] 2.6.1: a name that is none has no set, text is UTF-16 ---- */

static void rop_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	struct gx_propname *n = ret_member;
	uint8_t kind = gx_pull_u8(c);
	if (kind == KIND_NONE)
		return;
	n->set = gx_pull_guid(c);
	if (kind == KIND_LID) {
		n->lid = gx_pull_u32(c);
	} else if (kind == KIND_NAME) {
		struct gx_pull child = gx_pull_child(c, gx_pull_u8(c));
		n->by_name = true;
		n->name = gx_px_pull_str(&child, &x->px, PtypString);
		gx_pull_close(c, &child, false);
	} else {
		gx_pull_fail(c, GX_E_FORMAT);
	}
}

static void rop_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct gx_propname *n = member;
	gx_push_u8(c, is_none(n) ? KIND_NONE : n->by_name ? KIND_NAME : KIND_LID);
	if (is_none(n))
		return;
	gx_push_guid(c, &n->set);
	if (!n->by_name) {
		gx_push_u32(c, n->lid);
		return;
	}
	size_t at = c->len;
	gx_push_u8(c, 0);
	gx_px_push_str(c, &x->px, PtypString, n->name != NULL ? n->name : "");
	if (c->err == 0 && c->len - at - 1 > UINT8_MAX)
		gx_push_fail(c, GX_E_RANGE);
	gx_push_patch_u8(c, at, (uint8_t)(c->len - at - 1));
}

/* ---- In both ---- */

static void name_print(struct gx_strbuf *b, const void *member)
{
	const struct gx_propname *n = member;
	char set[37];
	gx_guid_print(&n->set, set);
	if (is_none(n))
		gx_strbuf_addc(b, '-');
	else if (n->by_name)
		gx_strbuf_printf(b, "{%s}%s", set, n->name != NULL ? n->name : "");
	else
		gx_strbuf_printf(b, "{%s}0x%x", set, (unsigned)n->lid);
}

static bool name_equal(const void *x, const void *y)
{
	const struct gx_propname *p = x, *q = y;
	if (p->by_name != q->by_name || gx_guid_cmp(&p->set, &q->set) != 0)
		return false;
	return p->by_name ? strcmp(p->name, q->name) == 0 : p->lid == q->lid;
}

static void name_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	struct gx_propname *n = ret_member;
	*n = (struct gx_propname){0};
	switch (next(rnd) % 3) {
	case 0:
		n->set.d1 = next(rnd) | 1;
		n->lid = next(rnd);
		break;
	case 1:
		n->set.d1 = next(rnd);
		n->by_name = true;
		n->name = gx_arena_printf(x->px.a, "name-%x", (unsigned)next(rnd));
		break;
	default:
		break;
	}
}

const struct gx_custom gx_custom_propname = {name_pull, name_push, name_print, name_equal, name_random};
const struct gx_custom gx_custom_propname_rop = {rop_pull, rop_push, name_print, name_equal, name_random};
